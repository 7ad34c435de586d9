/* The PACKED layout: there and back again, and each element where weight_formats.h says that it lies. */
#include "verify.h"

#include "weight_blocks.h"

#include <greta/layout.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int n_wrong;

static void expect(bool ok, const char *what, uint32_t type, uint64_t n_rows, uint64_t n_cols) {
    if (ok) return;
    n_wrong++;
    printf("FAIL %s: %s, %llu x %llu\n", what, greta_type_get_info(type)->name, (unsigned long long)n_rows,
           (unsigned long long)n_cols);
}

static uint32_t word(const uint8_t *p, uint64_t i) {
    uint32_t w;
    memcpy(&w, p + 4 * i, sizeof w);
    return w;
}

static uint32_t half_at(const uint8_t *p, uint64_t i) {
    uint16_t h;
    memcpy(&h, p + 2 * i, sizeof h);
    return h;
}

static double f16(uint32_t bits) {
    return half_f16_to_f32((uint16_t)bits);
}

static const int fp4_values[] = {0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12};
static const int iq4_values[] = {-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113};

/* Element c's of a unit's single bits. */
static uint32_t bit(const uint8_t *p, uint32_t c) {
    return p[c % 4] >> c / 4 & 1u;
}

/* Six bits of scale and of minimum of unit u, of plane 3 of Q4_K and Q5_K. */
static uint32_t six(const uint8_t *s, uint32_t u) {
    return s[4 + u] & 63u;
}
static uint32_t six_min(const uint8_t *s, uint32_t u) {
    return s[4 + u] >> 6 | (word(s, 3) >> 4 * u & 15) << 2;
}

/* One element of a packed tensor, from the text of weight_formats.h alone. */
static double packed_element(uint32_t type, const uint8_t *t, uint64_t n_rows, uint64_t n_cols, uint64_t r,
                             uint64_t col) {
#define RECORD(p)                                                                           \
    (t + GRETA_PACKED_OFFSET_##p(type, n_rows, n_cols) +                                    \
     (r * GRETA_PACKED_RECORDS_##p(type, n_cols) + col / GRETA_PACKED_ELEMENTS_##p(type)) * \
         GRETA_PACKED_BYTES_##p(type))
    const uint8_t *q = RECORD(0), *high = RECORD(1), *s = RECORD(2), *super = RECORD(3);
#undef RECORD
    uint32_t c = (uint32_t)(col % 32), u = (uint32_t)(col % 256 / 32);
    /* A nibble: word c / 8, the half by c % 8 / 4, the byte by c % 4. A pair: word c / 16, its place by c % 16 / 4, the byte by c % 4. */
    int nibble = q[c / 8 * 4 + c % 4] >> 4 * (c % 8 / 4) & 15,
        pair = q[c / 16 * 4 + c % 4] >> 2 * (c % 16 / 4) & 3;
    switch (type) {
    case GRETA_TYPE_F32: return half_f32_from_bits(word(q, c));
    case GRETA_TYPE_F16: return f16(half_at(q, c));
    case GRETA_TYPE_BF16: return half_bf16_to_f32((uint16_t)half_at(q, c));
    case GRETA_TYPE_Q8_0: return f16(half_at(s, 0)) * (int8_t)q[c];
    case GRETA_TYPE_Q4_0: return f16(half_at(s, 0)) * (nibble - 8);
    case GRETA_TYPE_Q4_1: return f16(half_at(s, 0)) * nibble + f16(half_at(s, 1));
    case GRETA_TYPE_Q5_0: return f16(half_at(s, 0)) * (nibble + (int)(bit(high, c) << 4) - 16);
    case GRETA_TYPE_Q5_1:
        return f16(half_at(s, 0)) * (nibble + (int)(bit(high, c) << 4)) + f16(half_at(s, 1));
    case GRETA_TYPE_IQ4_NL: return f16(half_at(s, 0)) * iq4_values[nibble];
    case GRETA_TYPE_MXFP4: return ldexp(fp4_values[nibble], s[0] - 128);
    case GRETA_TYPE_IQ4_XS: return f16(half_at(super, 0)) * (int8_t)s[0] * iq4_values[nibble];
    case GRETA_TYPE_Q5_K: nibble += (int)(bit(high, c) << 4); __attribute__((fallthrough));
    case GRETA_TYPE_Q4_K:
        return f16(half_at(super, 0)) * six(super, u) * nibble - f16(half_at(super, 1)) * six_min(super, u);
    case GRETA_TYPE_Q2_K:
        return f16(half_at(super, 0)) * (s[c / 16] & 15) * pair - f16(half_at(super, 1)) * (s[c / 16] >> 4);
    case GRETA_TYPE_Q3_K:
        return f16(half_at(super, 0)) * (int8_t)s[c / 16] * (pair + (int)(bit(high, c) << 2) - 4);
    case GRETA_TYPE_Q6_K:
        pair = high[c / 16 * 4 + c % 4] >> 2 * (c % 16 / 4) & 3;
        return f16(half_at(super, 0)) * (int8_t)s[c / 16] * ((nibble | pair << 4) - 32);
    default: return NAN; /* a type that is missing here fails */
    }
}

static void check(uint32_t type, uint64_t n_rows, uint64_t n_cols) {
    uint64_t bytes = greta_layout_bytes(GRETA_LAYOUT_PACKED, type, n_rows, n_cols);
    uint64_t rows_bytes = greta_layout_bytes(GRETA_LAYOUT_ROWS, type, n_rows, n_cols);
    uint8_t *rows = malloc(rows_bytes), *packed = malloc(bytes + 16), *back = malloc(rows_bytes);
    double *want = malloc(n_cols * sizeof *want);
    struct kc_rng rng = {type * 100 + n_cols};
    if (!rows || !packed || !back || !want) exit(1);
    kc_fill_weights(&rng, KC_OUTLIERS, type, n_rows, n_cols, rows);
    memset(packed, 0xEE, bytes + 16);
    /* In two ranges, the later one first: threads pack in any order. */
    uint64_t middle = n_rows / 2;
    greta_status status = greta_layout_pack(GRETA_LAYOUT_PACKED, type, n_rows, n_cols, middle, n_rows,
                                            rows + middle * (rows_bytes / n_rows), packed);
    if (!status)
        status = greta_layout_pack(GRETA_LAYOUT_PACKED, type, n_rows, n_cols, 0, middle, rows, packed);
    if (!status)
        status = greta_layout_unpack(GRETA_LAYOUT_PACKED, type, n_rows, n_cols, 0, n_rows, packed, back);
    expect(!status && !memcmp(rows, back, rows_bytes), "does not come back", type, n_rows, n_cols);
    for (int i = 0; i < 16; i++)
        expect(packed[bytes + i] == 0xEE, "writes behind its end", type, n_rows, n_cols);
    for (uint64_t r = 0; r < n_rows; r++) {
        ref_decode_row(type, rows + r * (rows_bytes / n_rows), n_cols, want, NULL);
        for (uint64_t c = 0; c < n_cols; c++) {
            double got = packed_element(type, packed, n_rows, n_cols, r, c);
            expect(fabs(got - want[c]) <= 1e-12 * fabs(want[c]) + 1e-15, "an element is not in its place",
                   type, n_rows, n_cols);
        }
        for (uint64_t c = n_cols; type <= GRETA_TYPE_BF16 && c % 32; c++)
            expect(packed_element(type, packed, n_rows, n_cols, r, c) == 0, "the padding is not zero", type,
                   n_rows, n_cols);
    }
    free(rows);
    free(packed);
    free(back);
    free(want);
}

/* Rows in pieces of 16, each packed as a weight of its own and copied run by run, are the weight packed as a whole. */
static void check_runs(enum greta_layout layout, uint32_t type, uint64_t n_rows, uint64_t n_cols) {
    enum { PIECE = 16 };
    uint64_t bytes = greta_layout_bytes(layout, type, n_rows, n_cols);
    uint64_t rows_bytes = greta_layout_bytes(GRETA_LAYOUT_ROWS, type, n_rows, n_cols),
             row_bytes = rows_bytes / n_rows;
    uint8_t *rows = malloc(rows_bytes), *whole = malloc(bytes), *pieces = malloc(bytes),
            *piece = malloc(bytes);
    struct kc_rng rng = {type * 100 + n_cols};
    if (!rows || !whole || !pieces || !piece) exit(1);
    kc_fill_weights(&rng, KC_OUTLIERS, type, n_rows, n_cols, rows);
    memset(pieces, 0xEE, bytes);
    greta_status status = greta_layout_pack(layout, type, n_rows, n_cols, 0, n_rows, rows, whole);
    for (uint64_t r = 0; r < n_rows && !status; r += PIECE) {
        struct greta_layout_run from[GRETA_LAYOUT_MAX_RUNS], to[GRETA_LAYOUT_MAX_RUNS];
        uint64_t n = n_rows - r < PIECE ? n_rows - r : PIECE;
        memset(piece, 0xEE, bytes);
        status = greta_layout_pack(layout, type, n, n_cols, 0, n, rows + r * row_bytes, piece);
        uint32_t n_from = greta_layout_runs(layout, type, n, n_cols, 0, n, from);
        uint32_t n_to = greta_layout_runs(layout, type, n_rows, n_cols, r, r + n, to);
        expect(n_from == n_to && n_to > 0, "its pieces have other runs", type, n_rows, n_cols);
        for (uint32_t i = 0; i < n_to && n_from == n_to; i++) {
            expect(from[i].size_bytes == to[i].size_bytes, "a run has another size", type, n_rows, n_cols);
            memcpy(pieces + to[i].offset_bytes, piece + from[i].offset_bytes, to[i].size_bytes);
        }
    }
    expect(!status && !memcmp(pieces, whole, bytes), "its pieces are not the whole", type, n_rows, n_cols);
    free(rows);
    free(whole);
    free(pieces);
    free(piece);
}

/* Types that have no PACKED layout: as F16, each the value of the reference rounded. */
static void check_f16(uint32_t type, uint64_t n_rows, uint64_t n_cols) {
    uint64_t bytes = greta_layout_bytes(GRETA_LAYOUT_PACKED, GRETA_TYPE_F16, n_rows, n_cols);
    uint64_t rows_bytes = greta_layout_bytes(GRETA_LAYOUT_ROWS, type, n_rows, n_cols), middle = n_rows / 2;
    uint64_t row_bytes = rows_bytes / n_rows;
    uint8_t *rows = malloc(rows_bytes), *packed = malloc(bytes + 16);
    double *want = malloc(n_cols * sizeof *want);
    struct kc_rng rng = {type * 100 + n_cols};
    if (!rows || !packed || !want) exit(1);
    kc_fill_weights(&rng, KC_OUTLIERS, type, n_rows, n_cols, rows);
    memset(packed, 0xEE, bytes + 16);
    greta_status status =
        greta_layout_pack_f16(type, n_rows, n_cols, middle, n_rows, rows + middle * row_bytes, packed);
    if (!status) status = greta_layout_pack_f16(type, n_rows, n_cols, 0, middle, rows, packed);
    expect(!status && !greta_layout_bytes(GRETA_LAYOUT_PACKED, type, n_rows, n_cols), "is not packed as F16",
           type, n_rows, n_cols);
    for (int i = 0; i < 16; i++)
        expect(packed[bytes + i] == 0xEE, "writes behind its end", type, n_rows, n_cols);
    for (uint64_t r = 0; r < n_rows; r++) {
        ref_decode_row(type, rows + r * row_bytes, n_cols, want, NULL);
        for (uint64_t c = 0; c < n_cols; c++) {
            double got = packed_element(GRETA_TYPE_F16, packed, n_rows, n_cols, r, c);
            expect(fabs(got - want[c]) <= 0x1.01p-11 * fabs(want[c]) + 0x1p-25,
                   "an element is not in its place", type, n_rows, n_cols);
        }
    }
    free(rows);
    free(packed);
    free(want);
}

/* Planes 2 and 3 of a row of 256, as the header's plain way makes them: what is taken for an arrangement that quant.c has no faster one for. */
static void check_plain_scales(uint32_t type) {
    enum { N = 256 };
    const struct greta_block b = greta_block_of(type);
    const uint64_t unit_bytes = GRETA_PACKED_BYTES_2(type), super_bytes = GRETA_PACKED_BYTES_3(type);
    uint8_t row[4 * N], packed[4 * N], units[N] = {0}, super[16] = {0};
    struct kc_rng rng = {type + 1};
    kc_fill_weights(&rng, KC_OUTLIERS, type, 1, N, row);
    greta_status status = greta_layout_pack(GRETA_LAYOUT_PACKED, type, 1, N, 0, 1, row, packed);
    for (uint32_t i = 0, n = b.elements / 32; i < N / b.elements; i++)
        greta_block_scale_records(&b, row + i * b.bytes, n, units + i * n * unit_bytes, super);
    expect(!status && !memcmp(units, packed + GRETA_PACKED_OFFSET_2(type, 1u, N), N / 32 * unit_bytes) &&
               !memcmp(super, packed + GRETA_PACKED_OFFSET_3(type, 1u, N), super_bytes),
           "its scales lie otherwise by the plain way", type, 1, N);
}

static void check_refusals(void) {
    uint8_t b[512] = {0};
    expect(!greta_layout_bytes(GRETA_LAYOUT_PACKED, GRETA_TYPE_Q4_0, 3, 33), "bytes of half a block",
           GRETA_TYPE_Q4_0, 3, 33);
    expect(!greta_layout_bytes(GRETA_LAYOUT_PACKED, GRETA_TYPE_F16, 1u << 20, 1u << 12), "bytes past 4 GiB",
           GRETA_TYPE_F16, 1u << 20, 1u << 12);
    expect(!greta_layout_bytes(GRETA_LAYOUT_ROWS, GRETA_TYPE_F32, 1ull << 40, 1ull << 40), "bytes of 2^82",
           GRETA_TYPE_F32, 1ull << 40, 1ull << 40);
    expect(!greta_layout_bytes(GRETA_LAYOUT_ROWS, GRETA_TYPE_F32, UINT64_MAX, 1), "2^64 rows", GRETA_TYPE_F32,
           UINT64_MAX, 1);
    expect(!greta_layout_bytes(GRETA_LAYOUT_ROWS, GRETA_TYPE_Q8A, 1, 32), "a weight of type Q8A",
           GRETA_TYPE_Q8A, 1, 32);
    expect(greta_layout_pack_f16(GRETA_TYPE_Q8_0, 1, 256, 0, 1, b, b) == GRETA_ERR_INVALID,
           "packs as F16 what has a layout", GRETA_TYPE_Q8_0, 1, 256);
    expect(greta_layout_pack_f16(GRETA_TYPE_IQ2_XS, 1, 128, 0, 1, b, b) == GRETA_ERR_INVALID,
           "packs half a block", GRETA_TYPE_IQ2_XS, 1, 128);
    expect(greta_layout_pack(GRETA_LAYOUT_PACKED, GRETA_TYPE_Q8_0, 2, 32, 1, 3, b, b) == GRETA_ERR_INVALID,
           "packs past the last row", GRETA_TYPE_Q8_0, 2, 32);
    expect(greta_layout_pack(GRETA_LAYOUT_PACKED, GRETA_TYPE_Q8_0, 2, 31, 0, 2, b, b) == GRETA_ERR_INVALID,
           "packs half a block", GRETA_TYPE_Q8_0, 2, 31);
}

int main(void) {
    static const uint64_t shapes[][2] = {{1, 1}, {3, 43}, {2, 32}, {5, 96}, {1, 256}, {7, 768}, {2, 1029}};
    int n_checked = 0;
    for (uint32_t type = 0; type < GRETA_N_WEIGHT_TYPES; type++)
        for (unsigned i = 0; i < sizeof shapes / sizeof *shapes; i++)
            if (shapes[i][1] % greta_type_get_info(type)->block_elements == 0) {
                if (GRETA_TYPE_IS_PACKED(type))
                    check(type, shapes[i][0], shapes[i][1]);
                else
                    check_f16(type, shapes[i][0], shapes[i][1]);
                n_checked++;
            }
    for (uint32_t type = 0; type < GRETA_N_WEIGHT_TYPES; type++) {
        const uint64_t n_cols = type <= GRETA_TYPE_BF16 ? 43 : 768;
        check_runs(GRETA_LAYOUT_ROWS, type, 37, n_cols);
        if (GRETA_TYPE_IS_PACKED(type)) check_runs(GRETA_LAYOUT_PACKED, type, 37, n_cols);
        if (greta_block_of(type).format) check_plain_scales(type);
        n_checked++;
    }
    check_refusals();
    printf("%d shapes, %d wrong\n", n_checked, n_wrong);
    return n_wrong != 0;
}
