/* Weights between file order and the layouts of devices; the bytes that weights and activations take there. */
#include "codebook.h"
#include "half.h"
#include "quant.h"

#include <greta/kernels.h>
#include <greta/layout.h>

#include <string.h>

static const struct greta_type_info *weight_type(uint32_t type) {
    return type < GRETA_N_WEIGHT_TYPES ? greta_type_get_info(type) : NULL;
}

struct plane {
    uint64_t offset, records, elements,
        bytes; /* records of a row; elements and bytes of a record, 0: no such plane */
};

static void planes_get(uint32_t type, uint64_t n_rows, uint64_t n_cols, struct plane planes[4]) {
#define PLANE(p)                                                                                        \
    planes[p] = (struct plane){GRETA_PACKED_OFFSET_##p(type, n_rows, n_cols),                           \
                               GRETA_PACKED_RECORDS_##p(type, n_cols), GRETA_PACKED_ELEMENTS_##p(type), \
                               GRETA_PACKED_BYTES_##p(type)}
    PLANE(0);
    PLANE(1);
    PLANE(2);
    PLANE(3);
#undef PLANE
}

/* Below 2^32 rows and columns nothing overflows 64 bits: a unit has at most 128 bytes. */
uint64_t greta_layout_bytes(enum greta_layout layout, uint32_t type, uint64_t n_rows, uint64_t n_cols) {
    const struct greta_type_info *t = weight_type(type);
    if (!t || n_rows > UINT32_MAX || n_cols > UINT32_MAX || n_cols % t->block_elements) return 0;
    uint64_t bytes;
    switch (layout) {
    case GRETA_LAYOUT_ROWS:
        return __builtin_mul_overflow(n_rows, n_cols / t->block_elements * t->block_bytes, &bytes) ? 0
                                                                                                   : bytes;
    case GRETA_LAYOUT_PACKED:
        if (!GRETA_TYPE_IS_PACKED(type)) return 0;
        if (__builtin_mul_overflow(n_rows, GRETA_DIV_UP(n_cols, 32u) * 128u, &bytes)) return 0;
        bytes = GRETA_PACKED_SIZE(type, n_rows, n_cols);
        return bytes <= UINT32_MAX ? bytes : 0; /* kernels address it by 32 bits */
    default: return 0;
    }
}

uint64_t greta_activation_row_bytes(uint32_t x_type, uint64_t n_cols) {
    if (n_cols > UINT32_MAX) return 0;
    if (x_type == GRETA_TYPE_Q8A) return GRETA_Q8A_ROW_BYTES(n_cols);
    const struct greta_type_info *t = greta_type_get_info(x_type);
    return t && !t->quantized ? n_cols * t->block_bytes : 0;
}

/* One row of a float type: what is missing to a whole unit is zero. */
static void pack_float_row(const struct greta_type_info *t, uint64_t n_cols, const struct plane *plane,
                           const uint8_t *src, uint8_t *dst) {
    uint64_t bytes = n_cols * t->block_bytes;
    memcpy(dst, src, bytes);
    memset(dst + bytes, 0, plane->records * plane->bytes - bytes);
}

/* Copies a plane's start for row `row` to `out`. */
static void records_at(const struct plane planes[4], uint64_t row, uint8_t *base, uint8_t *out[4]) {
    for (int p = 0; p < 4; p++) out[p] = base + planes[p].offset + row * planes[p].records * planes[p].bytes;
}

/* The bytes between planes; whoever packs the last row writes them, so that equal weights give equal bytes.
 */
static void clear_gaps(const struct plane planes[4], uint64_t n_rows, uint64_t size, uint8_t *dst) {
    for (int p = 0; p < 4; p++) {
        uint64_t end = planes[p].offset + n_rows * planes[p].records * planes[p].bytes;
        uint64_t next = p < 3 ? planes[p + 1].offset : size;
        memset(dst + end, 0, next - end);
    }
}

/* What the pack functions have in common: false where an argument is not in its range. */
static bool arguments_ok(enum greta_layout layout, uint32_t type, uint64_t n_rows, uint64_t n_cols,
                         uint64_t row_begin, uint64_t row_end) {
    if (row_begin > row_end || row_end > n_rows) return false;
    return greta_layout_bytes(layout, type, n_rows, n_cols) != 0;
}

greta_status greta_layout_pack(enum greta_layout layout, uint32_t type, uint64_t n_rows, uint64_t n_cols,
                               uint64_t row_begin, uint64_t row_end, const void *src, void *dst) {
    if (!arguments_ok(layout, type, n_rows, n_cols, row_begin, row_end) || !src || !dst)
        return GRETA_ERR_INVALID;
    const struct greta_type_info *t = greta_type_get_info(type);
    uint64_t n_blocks = n_cols / t->block_elements, row_bytes = n_blocks * t->block_bytes;
    const uint8_t *from = src;
    if (layout == GRETA_LAYOUT_ROWS) {
        memcpy((uint8_t *)dst + row_begin * row_bytes, from, (row_end - row_begin) * row_bytes);
        return GRETA_OK;
    }
    struct plane planes[4];
    planes_get(type, n_rows, n_cols, planes);
    quant_pack_fn *pack = quant_pack_get(type);
    for (uint64_t r = row_begin; r < row_end; r++, from += row_bytes) {
        uint8_t *records[4];
        records_at(planes, r, dst, records);
        if (pack)
            pack(from, n_blocks, records);
        else
            pack_float_row(t, n_cols, &planes[0], from, records[0]);
    }
    if (row_end == n_rows) clear_gaps(planes, n_rows, greta_layout_bytes(layout, type, n_rows, n_cols), dst);
    return GRETA_OK;
}

uint32_t greta_layout_runs(enum greta_layout layout, uint32_t type, uint64_t n_rows, uint64_t n_cols,
                           uint64_t row_begin, uint64_t row_end,
                           struct greta_layout_run runs[GRETA_LAYOUT_MAX_RUNS]) {
    const uint64_t size = greta_layout_bytes(layout, type, n_rows, n_cols);
    uint32_t n = 0;
    if (!arguments_ok(layout, type, n_rows, n_cols, row_begin, row_end)) return 0;
    if (layout == GRETA_LAYOUT_ROWS) {
        const uint64_t row = size / n_rows;
        runs[0] = (struct greta_layout_run){row_begin * row, (row_end - row_begin) * row};
        return 1;
    }
    struct plane planes[4];
    planes_get(type, n_rows, n_cols, planes);
    for (int p = 0; p < 4; p++) {
        const uint64_t row = planes[p].records * planes[p].bytes;
        if (!row) continue;
        const uint64_t end = row_end < n_rows ? planes[p].offset + row_end * row
                             : p < 3          ? planes[p + 1].offset
                                              : size;
        const uint64_t begin = planes[p].offset + row_begin * row;
        runs[n++] = (struct greta_layout_run){begin, end - begin};
    }
    return n;
}

static uint16_t to_f16(float x) {
    return half_f32_to_f16(x > 65504.0f ? 65504.0f : x < -65504.0f ? -65504.0f : x);
}

greta_status greta_layout_pack_f16(uint32_t type, uint64_t n_rows, uint64_t n_cols, uint64_t row_begin,
                                   uint64_t row_end, const void *src, void *dst) {
    if (!codebook_has(type) || n_cols % 256 || !src || !dst ||
        !arguments_ok(GRETA_LAYOUT_PACKED, GRETA_TYPE_F16, n_rows, n_cols, row_begin, row_end))
        return GRETA_ERR_INVALID;
    const uint8_t *from = src;
    uint8_t *to =
        (uint8_t *)dst + row_begin * n_cols * 2; /* whole units: rows have no padding, nor has the end */
    for (uint64_t r = row_begin; r < row_end; r++, from += n_cols / 256 * codebook_block_bytes(type))
        for (uint64_t u = 0; u < n_cols / 32; u++, to += 64) {
            float x[32];
            uint16_t h[32];
            codebook_unit_f32(type, from, u, x);
            for (int i = 0; i < 32; i++) h[i] = to_f16(x[i]);
            memcpy(to, h, sizeof h);
        }
    return GRETA_OK;
}

greta_status greta_layout_unpack(enum greta_layout layout, uint32_t type, uint64_t n_rows, uint64_t n_cols,
                                 uint64_t row_begin, uint64_t row_end, const void *src, void *dst) {
    if (!arguments_ok(layout, type, n_rows, n_cols, row_begin, row_end) || !src || !dst)
        return GRETA_ERR_INVALID;
    const struct greta_type_info *t = greta_type_get_info(type);
    uint64_t n_blocks = n_cols / t->block_elements, row_bytes = n_blocks * t->block_bytes;
    uint8_t *to = dst;
    if (layout == GRETA_LAYOUT_ROWS) {
        memcpy(to, (const uint8_t *)src + row_begin * row_bytes, (row_end - row_begin) * row_bytes);
        return GRETA_OK;
    }
    struct plane planes[4];
    planes_get(type, n_rows, n_cols, planes);
    for (uint64_t r = row_begin; r < row_end; r++, to += row_bytes) {
        const uint8_t *records[4];
        for (int p = 0; p < 4; p++)
            records[p] = (const uint8_t *)src + planes[p].offset + r * planes[p].records * planes[p].bytes;
        if (t->quantized)
            quant_unpack(type, to, n_blocks, records);
        else
            memcpy(to, records[0], row_bytes);
    }
    return GRETA_OK;
}
