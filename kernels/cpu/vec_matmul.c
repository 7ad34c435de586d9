/*
 * Matrix x matrix with f32 activations. A panel of TILE_COLS weight rows is decoded to f32 once, transposed, a chunk of columns
 * at a time so that it stays in the first cache, and multiplied with all tokens. Sums are formed per chunk and then added.
 */
#include "cpu.h"
#include "few_tokens.h"
#include "vec_blocks.h"
#include "vec_tile.h"

enum { PANEL_FLOATS = 4096, CHUNK = PANEL_FLOATS / TILE_COLS, MIN_TOKENS = 4 };

/* The codebook types share one copy of the code. */
enum { CODEBOOKS = GRETA_N_WEIGHT_TYPES };

struct weights {
    const uint8_t *rows;
    size_t row_bytes, n_rows, n_cols;
    uint32_t type;
};

SIMD_INLINE void float_unit(uint32_t type, const uint8_t *row, size_t i, size_t n, float out[32]) {
    for (size_t c = 0; c < 32; c += VF_LANES) {
        size_t rest = n > c ? n - c : 0, at = i + c;
        const float *f = (const float *)(const void *)row + at;
        const uint16_t *h = (const uint16_t *)(const void *)row + at;
        vf v = vf_zero();
        if (rest >= VF_LANES)
            v = type == GRETA_TYPE_F32   ? vf_load(f)
                : type == GRETA_TYPE_F16 ? vf_load_f16(h)
                                         : vf_load_bf16(h);
        else if (rest)
            v = type == GRETA_TYPE_F32   ? vf_load_n(f, rest)
                : type == GRETA_TYPE_F16 ? vf_load_f16_n(h, rest)
                                         : vf_load_bf16_n(h, rest);
        vf_store(out + c, v);
    }
}

/* Unit i_unit of a row of a quantized type, as block_unit_f32. */
SIMD_INLINE void quant_unit(uint32_t type, const uint8_t *row, size_t i_unit, float out[32]) {
    struct batch_scales s;
    float d[2][8], m[2][8];
    bool whole = batch_is_block(type);
    size_t u = whole ? i_unit % 8 : 0;
    const uint8_t *p =
        row + (whole ? i_unit / 8 * block_row_bytes(type, 256) : i_unit * block_row_bytes(type, 32));
    if (whole) {
        batch_scales_read(type, p, BATCH, &s);
        _mm256_storeu_ps(d[0], s.d[0]);
        _mm256_storeu_ps(d[1], s.d[1]);
        _mm256_storeu_ps(m[0], s.m[0]);
        _mm256_storeu_ps(m[1], s.m[1]);
    } else {
        unit_scales_read(type, p, d, m);
    }
    int8_t q[32];
    _mm256_storeu_si256((__m256i *)q, batch_unit_signed(type, p, u));
    for (size_t k = 0; k < 4; k++) {
        __m256 f = _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_loadl_epi64((const __m128i *)(q + 8 * k))));
        _mm256_storeu_ps(out + 8 * k,
                         _mm256_fmadd_ps(f, _mm256_set1_ps(d[k / 2][u]), _mm256_set1_ps(m[k / 2][u])));
    }
}

/* Of a type that is known at run time only. */
SIMD_INLINE void codebook_unit(uint32_t type, const uint8_t *row, size_t i_unit, float out[32]) {
    switch (type) {
#define OF_TYPE(X, name, ggml, elements, bytes) \
    case GRETA_TYPE_##name: quant_unit(GRETA_TYPE_##name, row, i_unit, out); break;
        GRETA_WEIGHT_CODEBOOK_LIST(OF_TYPE, -)
#undef OF_TYPE
    }
}

/* Columns [32 unit0, + n) of rows r0 .. r0 + 7 into the panel's columns c0 .. c0 + 7. A row past the end is a copy. */
SIMD_INLINE void panel_fill_8(uint32_t type, const struct weights *w, size_t r0, size_t unit0, size_t n,
                              float *panel, size_t c0) {
    for (size_t u = 0; u * 32 < n; u++) {
        float values[8][32];
        for (size_t r = 0; r < 8; r++) {
            const uint8_t *row = w->rows + (r0 + r < w->n_rows ? r0 + r : w->n_rows - 1) * w->row_bytes;
            if (type == CODEBOOKS)
                codebook_unit(w->type, row, unit0 + u, values[r]);
            else if (block_is_float(type))
                float_unit(type, row, (unit0 + u) * 32, n - u * 32, values[r]);
            else
                quant_unit(type, row, unit0 + u, values[r]);
        }
        for (size_t c = 0; c < 32; c += 8) {
            __m256 v[8];
            for (size_t r = 0; r < 8; r++) v[r] = _mm256_loadu_ps(values[r] + c);
            v8_transpose(v);
            for (size_t i = 0; i < 8; i++) _mm256_storeu_ps(panel + (u * 32 + c + i) * TILE_COLS + c0, v[i]);
        }
    }
}

/* `type` is known to the compiler; of CODEBOOKS `whole_type` is which. */
SIMD_INLINE void rows_multiply(uint32_t type, uint32_t whole_type, const struct cpu_args_matmul *a,
                               struct cpu_range range) {
    _Alignas(64) float panel[PANEL_FLOATS];
    size_t n_cols = a->n_cols;
    struct weights w = {a->w, block_row_bytes(whole_type, n_cols), a->n_rows, n_cols, whole_type};
    for (size_t r = range.begin; r < range.end; r += TILE_COLS) {
        size_t n_rows = range.end - r < TILE_COLS ? range.end - r : TILE_COLS;
        for (size_t c = 0; c == 0 || c < n_cols; c += CHUNK) {
            size_t n = n_cols - c < CHUNK ? n_cols - c : CHUNK;
            for (size_t i = 0; i < n_rows; i += 8) panel_fill_8(type, &w, r + i, c / 32, n, panel, i);
            struct tile tile = {.x = (const float *)a->x + c,
                                .panel = panel,
                                .y = (float *)a->y + r,
                                .x_stride = n_cols,
                                .panel_stride = TILE_COLS,
                                .y_stride = a->n_rows,
                                .n = n,
                                .n_cols = n_rows,
                                .add = c > 0};
            tile_multiply(&tile, a->n_tok);
        }
    }
}

void CPU_FN(matmul)(const struct greta_host_group *g, const void *args) {
    const struct cpu_args_matmul *a = args;
    if (a->n_tok < MIN_TOKENS) {
        few_tokens(g, a, (size_t)a->n_cols * sizeof(float), CPU_FN(matvec));
        return;
    }
    struct cpu_range range = cpu_share(g, a->n_rows, TILE_COLS);
#define OF_TYPE(X, name, ggml, elements, bytes) \
    case GRETA_TYPE_##name: rows_multiply(GRETA_TYPE_##name, GRETA_TYPE_##name, a, range); break;
    switch (g->constants[0]) {
        GRETA_WEIGHT_PACKED_LIST(OF_TYPE, -)
    default: rows_multiply(CODEBOOKS, g->constants[0], a, range); break;
    }
#undef OF_TYPE
}
