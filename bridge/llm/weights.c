/*
 * Weights from the file to the device. Where the device is the host, matrices stay in the mapped file.
 * Elsewhere they are packed, by several threads, into slabs: straight into memory that the host can write,
 * else through a copy of one tensor.
 */
#include "model.h"

#include "thread.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define GIB ((uint64_t)1 << 30)
static const uint64_t slab_bytes = GIB, part_bytes = 4 * GIB - 256; /* a binding is under 4 GiB */
enum { SLAB_ALIGN = 256, WRAP_ALIGN = 16 };

bool weights_are_mapped(const struct greta_model *m) {
    return greta_dev_get_image_format(m->dev) == GRETA_IMAGE_HOST;
}

static uint64_t max_bytes(const struct greta_model *m, uint64_t most) {
    uint64_t limit = greta_dev_get_limits(m->dev)->max_buf_bytes;
    return limit && limit < most ? limit : most;
}

static uint64_t rows_bytes(const struct weight *w, uint32_t n_rows) {
    return greta_layout_bytes(w->layout, w->type, n_rows, w->n_cols);
}

/*
 * The most rows of w that fit in `limit` bytes; 0 where not even one does. Sizes grow with the rows, so
 * halve the range.
 */
static uint32_t rows_that_fit(const struct weight *w, uint64_t limit) {
    uint32_t low = 0, high = w->n_rows;
    while (low < high) {
        uint32_t middle = low + (high - low + 1) / 2;
        uint64_t bytes = rows_bytes(w, middle);
        if (bytes && bytes <= limit)
            low = middle;
        else
            high = middle - 1;
    }
    return low;
}

/* The type in the file; on a device other than the host, what has no PACKED layout becomes F16 while loading. */
static uint32_t file_type(const struct source *source) {
    return greta_type_from_ggml(source->tensor->ggml_type)->type;
}

static bool is_unpacked(const struct source *source) {
    return source->matrix->type != file_type(source);
}

uint64_t weights_file_bytes(const struct source *source) {
    return source->tensor->size_bytes / source->whole * source->matrix->n_rows;
}

static greta_status place(struct greta_model *m, const struct source *source) {
    struct weight *w = source->matrix;
    const struct greta_type_info *type = greta_type_get_info(file_type(source));
    uint32_t step, at = 0;
    greta_status status;

    if (!weights_are_mapped(m) && w->type >= GRETA_N_PACKED_TYPES) w->type = GRETA_TYPE_F16;
    status = greta_plan_weight_layout(m->plan, w->type, &w->layout);
    if (status)
        return greta_fail(m->log, status, "%s: tensor %s: no kernel of this device reads weights of type %s",
                          greta_gguf_path(m->gguf), source->tensor->name, greta_type_get_info(w->type)->name);
    if (w->n_cols % type->block_elements)
        return greta_fail(m->log, GRETA_ERR_FORMAT,
                          "%s: tensor %s: rows of %u are no whole blocks of type %s",
                          greta_gguf_path(m->gguf), source->tensor->name, w->n_cols, type->name);
    step = rows_that_fit(w, max_bytes(m, part_bytes));
    if (!step)
        return greta_fail(m->log, GRETA_ERR_UNSUPPORTED,
                          "%s: tensor %s: one row is larger than this device's largest buffer",
                          greta_gguf_path(m->gguf), source->tensor->name);
    w->n_parts = (w->n_rows + step - 1) / step;
    w->parts = arena_array(&m->arena, w->n_parts, sizeof *w->parts);
    if (!w->parts)
        return greta_fail(m->log, GRETA_ERR_NO_MEMORY, "%s: no memory for the model",
                          greta_gguf_path(m->gguf));
    for (uint32_t p = 0; p < w->n_parts; p++, at += step) {
        uint32_t n_rows = w->n_rows - at < step ? w->n_rows - at : step;
        w->parts[p] =
            (struct weight_part){.size_bytes = rows_bytes(w, n_rows), .row_begin = at, .n_rows = n_rows};
        m->info.weights_bytes += w->parts[p].size_bytes;
    }
    if (w->n_parts > 1 && step > m->max_part_rows) m->max_part_rows = step;
    return GRETA_OK;
}

static void tell_unpacked(const struct greta_model *m) {
    uint64_t from = 0, to = 0;
    uint32_t n = 0;
    const char *name = NULL;

    for (uint32_t i = 0; i < m->n_sources; i++) {
        const struct source *source = &m->sources[i];
        if (!source->matrix || !is_unpacked(source)) continue;
        if (!name) name = greta_type_get_info(file_type(source))->name;
        from += weights_file_bytes(source);
        to += (uint64_t)source->matrix->n_rows * source->matrix->n_cols * 2;
        n++;
    }
    if (n)
        greta_logf(
            m->log, GRETA_LOG_WARN,
            "%s: %u matrices of type %s%s are unpacked to F16 for this device: %.1f MiB in place of %.1f",
            greta_gguf_path(m->gguf), n, name, n > 1 ? " and the like" : "", (double)to / 0x1p20,
            (double)from / 0x1p20);
}

greta_status weights_place(struct greta_model *m) {
    greta_status status = GRETA_OK;

    for (uint32_t i = 0; i < m->n_sources && !status; i++)
        if (m->sources[i].matrix) status = place(m, &m->sources[i]);
    if (!status) tell_unpacked(m);
    return status;
}

static uint64_t vectors_bytes(const struct greta_model *m) {
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < m->n_sources; i++)
        if (m->sources[i].vector && !m->sources[i].begin)
            bytes += ((uint64_t)m->sources[i].whole * 4 + SLAB_ALIGN - 1) / SLAB_ALIGN * SLAB_ALIGN;
    return bytes;
}

uint64_t weights_device_bytes(const struct greta_model *m) {
    return vectors_bytes(m) + (weights_are_mapped(m) ? 0 : m->info.weights_bytes);
}

/* ---- buffers ---- */

struct loader {
    struct greta_model *m;
    struct greta_stream *stream;
    struct thread_pool *pool;
    const struct greta_model_params *params;
    uint64_t done_bytes, total_bytes;
};

static void advance(struct loader *l, uint64_t bytes) {
    l->done_bytes += bytes;
    if (l->params->progress) l->params->progress(l->params->user, l->done_bytes, l->total_bytes);
}

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
    uint64_t limit = max_bytes(m, slab_bytes);
    uint32_t n_slabs = 0, i_part = 0;

    for (uint32_t i = 0; i < m->n_sources; i++) {
        struct weight *w = m->sources[i].matrix;
        for (uint32_t p = 0; w && p < w->n_parts; p++, i_part++) {
            uint64_t at = n_slabs ? (slabs[n_slabs - 1] + SLAB_ALIGN - 1) / SLAB_ALIGN * SLAB_ALIGN : 0;
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

/* ---- packing ---- */

struct pack_job {
    const struct weight *w;
    const struct weight_part *part;
    const unsigned char *src; /* of the part's first row */
    void *dst;
    uint64_t src_row_bytes;
    uint32_t rows_per_piece, src_type;
};

static void pack_piece(void *user, uint32_t i, unsigned i_thread) {
    const struct pack_job *job = user;
    uint32_t begin = i * job->rows_per_piece, end = begin + job->rows_per_piece;

    (void)i_thread;
    if (end > job->part->n_rows) end = job->part->n_rows;
    const unsigned char *src = job->src + begin * job->src_row_bytes;
    uint32_t n_rows = job->part->n_rows, n_cols = job->w->n_cols;
    greta_status status =
        job->src_type == job->w->type
            ? greta_layout_pack(job->w->layout, job->w->type, n_rows, n_cols, begin, end, src, job->dst)
            : greta_layout_pack_f16(job->src_type, n_rows, n_cols, begin, end, src, job->dst);
    (void)status; /* it fails for arguments that weights_place has excluded */
}

/* The first byte of a part in the file, and the bytes of a row there. */
static const unsigned char *part_in_file(const struct source *source, const struct weight_part *part,
                                         uint64_t *row_bytes) {
    *row_bytes = source->tensor->size_bytes / source->whole;
    return (const unsigned char *)source->tensor->data +
           ((uint64_t)source->begin + part->row_begin) * *row_bytes;
}

static greta_status load_part(struct loader *l, const struct source *source, const struct weight_part *part) {
    const struct weight *w = source->matrix;
    uint64_t row_bytes;
    struct pack_job job = {.w = w, .part = part, .src_type = file_type(source)};
    char *mapped = greta_buf_host(part->buf);
    void *copy = mapped ? NULL : malloc(part->size_bytes);
    greta_status status = GRETA_OK;

    if (!mapped && !copy)
        return greta_fail(l->m->log, GRETA_ERR_NO_MEMORY, "no host memory for %" PRIu64 " bytes of tensor %s",
                          part->size_bytes, source->tensor->name);
    job.src = part_in_file(source, part, &row_bytes);
    job.src_row_bytes = row_bytes;
    job.dst = mapped ? mapped + part->offset_bytes : copy;
    /* pieces of about 1 MiB: enough for all threads, and few enough not to count */
    job.rows_per_piece = (uint32_t)((1u << 20) / (row_bytes ? row_bytes : 1)) + 1;
    thread_pool_loop(l->pool, (part->n_rows + job.rows_per_piece - 1) / job.rows_per_piece, pack_piece, &job);
    if (!mapped)
        status = greta_stream_write(l->stream, part->buf, part->offset_bytes, copy, part->size_bytes);
    free(copy);
    advance(l, part->size_bytes);
    return status;
}

/*
 * A part over the mapped file itself; false where the memory does not serve (not aligned, or a backend
 * without it).
 */
static greta_status wrap_part(struct loader *l, const struct source *source, struct weight_part *part) {
    const struct weight *w = source->matrix;
    uint64_t row_bytes;
    char *at =
        (char *)part_in_file(source, part, &row_bytes); /* kernels only read: the mapping is read-only */
    greta_status status = GRETA_ERR_UNSUPPORTED;

    if (w->layout == GRETA_LAYOUT_ROWS && (uintptr_t)at % WRAP_ALIGN == 0)
        status = greta_buf_wrap(l->m->dev, at, part->size_bytes, &part->buf);
    if (status == GRETA_ERR_UNSUPPORTED) {
        status = create(l, part->size_bytes, &part->buf);
        return status ? status : load_part(l, source, part);
    }
    if (status) return status;
    l->m->bufs[l->m->n_bufs++] = part->buf;
    advance(l, part->size_bytes);
    return GRETA_OK;
}

static greta_status load_matrix(struct loader *l, const struct source *source) {
    greta_status status = GRETA_OK;

    for (uint32_t p = 0; p < source->matrix->n_parts && !status; p++)
        status = weights_are_mapped(l->m) ? wrap_part(l, source, &source->matrix->parts[p])
                                          : load_part(l, source, &source->matrix->parts[p]);
    return status;
}

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
    struct loader l = {.m = m, .params = params, .total_bytes = m->info.weights_bytes};
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
        status = m->sources[i].vector ? load_vector(&l, &m->sources[i]) : load_matrix(&l, &m->sources[i]);
    if (!status) status = greta_stream_wait(l.stream);
    thread_pool_destroy(&l.pool);
    greta_stream_destroy(&l.stream);
    return status;
}
