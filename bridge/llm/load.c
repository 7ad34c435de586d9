/*
 * Weights from the file to the device. Where the device is the host, matrices stay in the mapped file. Elsewhere they are packed, by all
 * threads at once, into slabs.
 */
#include "load.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const uint64_t slab_bytes = (uint64_t)1 << 30;
enum { WRAP_ALIGN = 16 };

void load_tell(const struct loader *l) {
    const uint64_t done = atomic_load(&l->done_bytes);
    if (l->params->progress)
        l->params->progress(l->params->user, done < l->total_bytes ? done : l->total_bytes, l->total_bytes);
}

/* ---- buffers ---- */

static greta_status create(struct loader *l, uint64_t size_bytes, struct greta_buf **out) {
    bool unified = greta_dev_get_limits(l->m->dev)->unified;
    greta_status status =
        greta_buf_create(l->m->dev, size_bytes, unified ? GRETA_MEM_UNIFIED : GRETA_MEM_DEVICE, out);
    if (!status) l->m->bufs[l->m->n_bufs++] = *out;
    return status;
}

/*
 * Gives every part a place in a slab: `slabs[i]` ends with the size of slab i, parts with their slab's
 * number for now.
 */
static uint32_t assign_slabs(struct greta_model *m, uint64_t *slabs, uint32_t *slab_of_part) {
    uint64_t limit = weights_max_bytes(m, slab_bytes);
    uint32_t n_slabs = 0, i_part = 0;

    for (uint32_t i = 0; i < m->n_sources; i++) {
        struct weight *w = m->sources[i].matrix;
        for (uint32_t p = 0; w && p < w->n_parts; p++, i_part++) {
            uint64_t at = n_slabs ? (slabs[n_slabs - 1] + WEIGHTS_SLAB_ALIGN - 1) / WEIGHTS_SLAB_ALIGN *
                                        WEIGHTS_SLAB_ALIGN
                                  : 0;
            if (!n_slabs || at + w->parts[p].size_bytes > limit) at = 0, n_slabs++;
            slab_of_part[i_part] = n_slabs - 1;
            w->parts[p].offset_bytes = at;
            slabs[n_slabs - 1] = at + w->parts[p].size_bytes;
        }
    }
    return n_slabs;
}

static greta_status create_slabs(struct loader *l, uint32_t n_parts) {
    struct greta_model *m = l->m;
    uint64_t *slabs = arena_array(&m->arena, n_parts, sizeof *slabs);
    uint32_t *slab_of_part = arena_array(&m->arena, n_parts, sizeof *slab_of_part);
    uint32_t n_slabs, i_part = 0, first = m->n_bufs;
    greta_status status = GRETA_OK;

    if (!slabs || !slab_of_part) return greta_fail(m->log, GRETA_ERR_NO_MEMORY, "no memory for the model");
    n_slabs = assign_slabs(m, slabs, slab_of_part);
    for (uint32_t i = 0; i < n_slabs && !status; i++) {
        struct greta_buf *buf;
        status = create(l, slabs[i], &buf);
    }
    for (uint32_t i = 0; i < m->n_sources && !status; i++) {
        struct weight *w = m->sources[i].matrix;
        for (uint32_t p = 0; w && p < w->n_parts; p++)
            w->parts[p].buf = m->bufs[first + slab_of_part[i_part++]];
    }
    return status;
}

/* ---- matrices ---- */

const unsigned char *load_part_in_file(const struct source *source, const struct weight_part *part,
                                       uint64_t *row_bytes) {
    *row_bytes = source->tensor->size_bytes / source->whole;
    return (const unsigned char *)source->tensor->data +
           ((uint64_t)source->begin + part->row_begin) * *row_bytes;
}

/*
 * A part over the mapped file itself; a copy of it where the memory does not serve (not aligned, or a backend
 * without it).
 */
static greta_status wrap_part(struct loader *l, const struct source *source, struct weight_part *part) {
    uint64_t row_bytes;
    char *at =
        (char *)load_part_in_file(source, part, &row_bytes); /* kernels only read: the mapping is read-only */
    greta_status status = GRETA_ERR_UNSUPPORTED;

    if (source->matrix->layout == GRETA_LAYOUT_ROWS && (uintptr_t)at % WRAP_ALIGN == 0)
        status = greta_buf_wrap(l->m->dev, at, part->size_bytes, &part->buf);
    if (status == GRETA_ERR_UNSUPPORTED) {
        status = create(l, part->size_bytes, &part->buf);
        return status ? status : load_add_part(l, source, part);
    }
    if (status) return status;
    l->m->bufs[l->m->n_bufs++] = part->buf;
    l->done_bytes += part->size_bytes;
    return GRETA_OK;
}

static greta_status add_matrix(struct loader *l, const struct source *source) {
    greta_status status = GRETA_OK;

    for (uint32_t p = 0; p < source->matrix->n_parts && !status; p++)
        status = weights_are_mapped(l->m) ? wrap_part(l, source, &source->matrix->parts[p])
                                          : load_add_part(l, source, &source->matrix->parts[p]);
    return status;
}

/* ---- vectors ---- */

static float f16_to_f32(uint16_t h) {
    float sign = h & 0x8000 ? -1.0f : 1.0f;
    int exponent = h >> 10 & 31, mantissa = h & 0x3FF;

    if (exponent == 31) return mantissa ? NAN : sign * INFINITY;
    return sign *
           (exponent ? ldexpf((float)(mantissa | 0x400), exponent - 25) : ldexpf((float)mantissa, -24));
}

/* Norm weights and biases are f32 on the device, whatever they are in the file. */
static greta_status load_vector(struct loader *l, const struct source *source) {
    uint32_t n = (uint32_t)source->tensor->ne[0],
             type = greta_type_from_ggml(source->tensor->ggml_type)->type;
    float *x = malloc(n * sizeof *x);
    greta_status status;

    if (!x)
        return greta_fail(l->m->log, GRETA_ERR_NO_MEMORY, "no host memory for tensor %s",
                          source->tensor->name);
    for (uint32_t i = 0; i < n; i++) {
        const unsigned char *at =
            (const unsigned char *)source->tensor->data + (uint64_t)i * (type == GRETA_TYPE_F32 ? 4 : 2);
        uint16_t half;
        uint32_t bits;
        memcpy(&half, at, sizeof half);
        bits = (uint32_t)half << 16;
        if (type == GRETA_TYPE_F16)
            x[i] = f16_to_f32(half);
        else
            memcpy(&x[i], type == GRETA_TYPE_F32 ? (const void *)at : (const void *)&bits, sizeof *x);
    }
    status = *source->vector ? GRETA_OK : create(l, source->whole * sizeof *x, source->vector);
    if (!status)
        status = greta_stream_write(l->stream, *source->vector, source->begin * sizeof *x, x, n * sizeof *x);
    free(x);
    return status;
}

greta_status weights_load(struct greta_model *m, const struct greta_model_params *params) {
    struct loader l = {
        .m = m, .params = params, .total_bytes = m->info.weights_bytes, .lock = PTHREAD_MUTEX_INITIALIZER};
    uint32_t n_parts = 0, n_most;
    greta_status status;

    for (uint32_t i = 0; i < m->n_sources; i++)
        n_parts += m->sources[i].matrix ? m->sources[i].matrix->n_parts : 0;
    n_most = n_parts + m->n_sources; /* a slab holds at least one part */
    m->bufs = arena_array(&m->arena, n_most, sizeof *m->bufs);
    if (!m->bufs) return greta_fail(m->log, GRETA_ERR_NO_MEMORY, "no memory for the model");
    status = greta_stream_create(m->dev, &l.stream);
    if (!status) status = thread_pool_create(0, &l.pool);
    if (!status && !weights_are_mapped(m)) status = create_slabs(&l, n_parts);
    for (uint32_t i = 0; i < m->n_sources && !status; i++)
        status = m->sources[i].vector ? load_vector(&l, &m->sources[i]) : add_matrix(&l, &m->sources[i]);
    if (!status) status = load_pieces(&l);
    if (!status) status = greta_stream_wait(l.stream);
    if (!status) {
        l.done_bytes = l.total_bytes;
        load_tell(&l);
    }
    load_pieces_free(&l);
    thread_pool_destroy(&l.pool);
    greta_stream_destroy(&l.stream);
    return status;
}
