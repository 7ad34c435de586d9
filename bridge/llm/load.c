/*
 * Weights from the file to the device. Where the device is the host, matrices stay in the mapped file. Elsewhere they are packed, by all
 * threads at once, into slabs.
 */
#include "load_pieces.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const uint64_t slab_bytes_least = (uint64_t)256 << 20, slab_bytes_most = (uint64_t)1 << 30;
enum { WRAP_ALIGN = 16, MOST_SLABS = 64 };

/* ---- buffers ---- */

static greta_status create(struct loader *l, uint64_t size_bytes, struct greta_buf **out) {
    bool unified = greta_dev_get_limits(l->m->dev)->unified;
    greta_status status =
        greta_buf_create(l->m->dev, size_bytes, unified ? GRETA_MEM_UNIFIED : GRETA_MEM_DEVICE, out);
    if (!status) l->m->bufs[l->m->n_bufs++] = *out;
    return status;
}

/* Small ones are ready soon: a device takes tens of milliseconds for a GiB (an H200 24). But not too many of them. */
static uint64_t slab_limit(const struct greta_model *m) {
    const uint64_t share = m->info.weights_bytes / MOST_SLABS,
                   bytes = share < slab_bytes_least  ? slab_bytes_least
                           : share > slab_bytes_most ? slab_bytes_most
                                                     : share;
    return weights_max_bytes(m, bytes);
}

/* The slab that the next part goes into: the last one, or where that is full a new one. */
static struct slab *slab_for(struct loader *l, uint64_t size_bytes, uint64_t *at) {
    struct slab *last = l->n_slabs ? &l->slabs[l->n_slabs - 1] : NULL;

    *at = last ? (last->size_bytes + WEIGHTS_SLAB_ALIGN - 1) / WEIGHTS_SLAB_ALIGN * WEIGHTS_SLAB_ALIGN : 0;
    if (last && *at + size_bytes <= slab_limit(l->m)) return last;
    *at = 0;
    return &l->slabs[l->n_slabs++];
}

/* Gives every part a place in a slab. */
static greta_status plan_slabs(struct loader *l, uint32_t n_parts) {
    struct greta_model *m = l->m;
    struct weight_part **parts = arena_array(&m->arena, n_parts, sizeof *parts);

    l->slabs = arena_array(&m->arena, n_parts, sizeof *l->slabs);
    if (!l->slabs || !parts) return greta_fail(m->log, GRETA_ERR_NO_MEMORY, "no memory for the model");
    for (uint32_t i = 0; i < m->n_sources; i++) {
        struct weight *w = m->sources[i].matrix;
        for (uint32_t p = 0; w && p < w->n_parts; p++) {
            uint64_t at;
            struct slab *slab = slab_for(l, w->parts[p].size_bytes, &at);
            if (!slab->n_parts) slab->parts = parts;
            *parts++ = &w->parts[p];
            slab->n_parts++;
            w->parts[p].offset_bytes = at;
            w->parts[p].i_slab = (uint32_t)(slab - l->slabs);
            slab->size_bytes = at + w->parts[p].size_bytes;
        }
    }
    return GRETA_OK;
}

/* The model frees them, also those of a load that failed. */
static void keep_slabs(struct loader *l) {
    for (uint32_t i = 0; i < l->n_slabs; i++)
        if (l->slabs[i].buf) l->m->bufs[l->m->n_bufs++] = l->slabs[i].buf;
}

/* ---- matrices ---- */

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
        part->i_slab = LOAD_NO_SLAB;
        return status ? status : load_add_part(l, source, part);
    }
    if (status) return status;
    l->m->bufs[l->m->n_bufs++] = part->buf;
    l->done_bytes += part->size_bytes;
    return GRETA_OK;
}

static greta_status add_matrix(struct loader *l, const struct source *source) {
    greta_status status = GRETA_OK;

    for (uint32_t p = 0; p < source->matrix->n_parts && !status; p++) {
        struct weight_part *part = &source->matrix->parts[p];
        status = weights_are_mapped(l->m) ? wrap_part(l, source, part) : load_add_part(l, source, part);
    }
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

greta_status weights_load(struct greta_model *m, const struct greta_model_params *params,
                          greta_status (*beside)(struct greta_model *m)) {
    struct loader l = {.m = m,
                       .params = params,
                       .beside = beside,
                       .total_bytes = m->info.weights_bytes,
                       .lock = PTHREAD_MUTEX_INITIALIZER,
                       .made = PTHREAD_COND_INITIALIZER,
                       .is_file = greta_gguf_file_path(m->gguf, 0) != NULL};
    uint32_t n_parts = 0, n_most;
    greta_status status;

    for (uint32_t i = 0; i < m->n_sources; i++)
        n_parts += m->sources[i].matrix ? m->sources[i].matrix->n_parts : 0;
    n_most = n_parts + m->n_sources; /* a slab holds at least one part */
    m->bufs = arena_array(&m->arena, n_most, sizeof *m->bufs);
    if (!m->bufs) return greta_fail(m->log, GRETA_ERR_NO_MEMORY, "no memory for the model");
    status = greta_stream_create(m->dev, &l.stream);
    if (!status) status = thread_pool_create(0, &l.pool);
    if (!status && !weights_are_mapped(m)) status = plan_slabs(&l, n_parts);
    if (!status) status = load_add_beside(&l);
    for (uint32_t i = 0; i < m->n_sources && !status; i++)
        status = m->sources[i].vector ? load_vector(&l, &m->sources[i]) : add_matrix(&l, &m->sources[i]);
    if (!status) status = load_pieces(&l);
    keep_slabs(&l);
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
