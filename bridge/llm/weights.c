/* Which layout each matrix takes on the device, in how many parts, and what that needs. load.c brings them there. */
#include "model.h"

static const uint64_t part_bytes = ((uint64_t)4 << 30) - 256; /* a binding is under 4 GiB */

bool weights_are_mapped(const struct greta_model *m) {
    return greta_dev_get_image_format(m->dev) == GRETA_IMAGE_HOST;
}

uint64_t weights_max_bytes(const struct greta_model *m, uint64_t most) {
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

uint32_t weights_file_type(const struct source *source) {
    return greta_type_from_ggml(source->tensor->ggml_type)->type;
}

static bool is_unpacked(const struct source *source) {
    return source->matrix->type != weights_file_type(source);
}

uint64_t weights_file_bytes(const struct source *source) {
    return source->tensor->size_bytes / source->whole * source->matrix->n_rows;
}

static greta_status place(struct greta_model *m, const struct source *source) {
    struct weight *w = source->matrix;
    const struct greta_type_info *type = greta_type_get_info(weights_file_type(source));
    uint32_t step, at = 0;
    greta_status status;

    if (!weights_are_mapped(m) && !GRETA_TYPE_IS_PACKED(w->type)) w->type = GRETA_TYPE_F16;
    status = greta_plan_weight_layout(m->plan, w->type, &w->layout);
    if (status)
        return greta_fail(m->log, status, "%s: tensor %s: no kernel of this device reads weights of type %s",
                          greta_gguf_path(m->gguf), source->tensor->name, greta_type_get_info(w->type)->name);
    if (w->n_cols % type->block_elements)
        return greta_fail(m->log, GRETA_ERR_FORMAT,
                          "%s: tensor %s: rows of %u are no whole blocks of type %s",
                          greta_gguf_path(m->gguf), source->tensor->name, w->n_cols, type->name);
    step = rows_that_fit(w, weights_max_bytes(m, part_bytes));
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
    uint32_t n = 0, first = 0;
    bool mixed = false;

    for (uint32_t i = 0; i < m->n_sources; i++) {
        const struct source *source = &m->sources[i];
        if (!source->matrix || !is_unpacked(source)) continue;
        if (!n) first = weights_file_type(source);
        mixed |= weights_file_type(source) != first;
        from += weights_file_bytes(source);
        to += (uint64_t)source->matrix->n_rows * source->matrix->n_cols * 2;
        n++;
    }
    if (n)
        greta_logf(
            m->log, GRETA_LOG_WARN,
            "%s: %u matrices of type %s%s are unpacked to F16 for this device: %.1f MiB in place of %.1f",
            greta_gguf_path(m->gguf), n, greta_type_get_info(first)->name, mixed ? " and the like" : "",
            (double)to / 0x1p20, (double)from / 0x1p20);
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
            bytes += ((uint64_t)m->sources[i].whole * 4 + WEIGHTS_SLAB_ALIGN - 1) / WEIGHTS_SLAB_ALIGN *
                     WEIGHTS_SLAB_ALIGN;
    return bytes;
}

uint64_t weights_device_bytes(const struct greta_model *m) {
    return vectors_bytes(m) + (weights_are_mapped(m) ? 0 : m->info.weights_bytes);
}
