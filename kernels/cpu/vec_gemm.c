/*
 * GEMM by vectors: a panel of TILE_COLS columns of b is packed to f32, a chunk of the inner dimension at a time, and
 * multiplied with all rows of a, which are packed too where they are not rows of f32. 8-bit integers are packed to pairs of
 * 16 bits, whose products the vector units add exactly.
 */
#include "cpu.h"
#include "vec_tile.h"

enum { CHUNK = 256, A_ROWS = 48, PAIRS = CHUNK / 2, I8_ROWS = 4 };

struct matrix {
    const void *data;
    uint32_t type;
    size_t line; /* elements from one contiguous line to the next */
};

SIMD_INLINE vf load_floats(uint32_t type, const void *p, size_t at, size_t n) {
    const float *f = (const float *)p + at;
    const uint16_t *h = (const uint16_t *)p + at;
    if (n >= VF_LANES)
        return type == GRETA_TYPE_F32   ? vf_load(f)
               : type == GRETA_TYPE_F16 ? vf_load_f16(h)
                                        : vf_load_bf16(h);
    return type == GRETA_TYPE_F32   ? vf_load_n(f, n)
           : type == GRETA_TYPE_F16 ? vf_load_f16_n(h, n)
                                    : vf_load_bf16_n(h, n);
}

/* out[i][j] = line i0 + i, element j0 + j of a matrix whose lines are contiguous; n_j padded with zeros to whole vectors. */
SIMD_INLINE void pack_lines(uint32_t type, const struct matrix *x, size_t i0, size_t n_i, size_t j0,
                            size_t n_j, float *out, size_t stride) {
    for (size_t i = 0; i < n_i; i++)
        for (size_t j = 0; j < n_j; j += VF_LANES)
            vf_store(out + i * stride + j, load_floats(type, x->data, (i0 + i) * x->line + j0 + j, n_j - j));
}

/* The same, transposed: out[j][i]. Eight lines at a time; lines past n_i are copies of the last. */
SIMD_INLINE void pack_across(uint32_t type, const struct matrix *x, size_t i0, size_t n_i, size_t j0,
                             size_t n_j, float *out, size_t stride) {
    for (size_t i = 0; i < n_i; i += 8)
        for (size_t j = 0; j < n_j; j += VF_LANES) {
            float values[8][VF_LANES];
            size_t n = n_j - j < VF_LANES ? n_j - j : VF_LANES;
            for (size_t r = 0; r < 8; r++) {
                size_t line = i0 + (i + r < n_i ? i + r : n_i - 1);
                vf_store(values[r], load_floats(type, x->data, line * x->line + j0 + j, n));
            }
            for (size_t c = 0; c < n; c += 8) {
                __m256 v[8];
                for (size_t r = 0; r < 8; r++) v[r] = _mm256_loadu_ps(values[r] + c);
                v8_transpose(v);
                for (size_t q = 0; q < 8 && c + q < n; q++)
                    _mm256_storeu_ps(out + (j + c + q) * stride + i, v[q]);
            }
        }
}

SIMD_INLINE void multiply(uint32_t type, const struct cpu_args_gemm *g, bool a_rows, bool b_rows,
                          struct cpu_range range) {
    _Alignas(64) float panel[CHUNK * TILE_COLS], block[A_ROWS * (CHUNK + VF_LANES)];
    const struct matrix a = {g->a, type, a_rows ? g->k : g->m};
    const struct matrix b = {g->b, type, b_rows ? g->n : g->k};
    size_t m = g->m;
    for (size_t j = range.begin; j < range.end; j += TILE_COLS) {
        size_t n_j = range.end - j < TILE_COLS ? range.end - j : TILE_COLS;
        for (size_t l = 0; l == 0 || l < g->k; l += CHUNK) {
            size_t n_l = g->k - l < CHUNK ? g->k - l : CHUNK;
            memset(panel, 0, sizeof panel);
            if (b_rows)
                pack_lines(type, &b, l, n_l, j, n_j, panel, TILE_COLS);
            else
                pack_across(type, &b, j, n_j, l, n_l, panel, TILE_COLS);
            for (size_t i = 0; i < m; i += A_ROWS) {
                size_t n_i = m - i < A_ROWS ? m - i : A_ROWS;
                bool direct = type == GRETA_TYPE_F32 && a_rows;
                struct tile tile = {.x = direct ? (const float *)g->a + i * g->k + l : block,
                                    .panel = panel,
                                    .y = (float *)g->c + i * g->n + j,
                                    .x_stride = direct ? g->k : CHUNK + VF_LANES,
                                    .panel_stride = TILE_COLS,
                                    .y_stride = g->n,
                                    .n = n_l,
                                    .n_cols = n_j,
                                    .add = l > 0};
                if (!direct && a_rows)
                    pack_lines(type, &a, i, n_i, l, n_l, block, CHUNK + VF_LANES);
                else if (!direct)
                    pack_across(type, &a, l, n_l, i, n_i, block, CHUNK + VF_LANES);
                tile_multiply(&tile, n_i);
            }
        }
    }
}

/* ---- 8-bit integers ---- */

#ifdef __AVX512F__
typedef __m512i vi;
SIMD_INLINE vi vi_load(const void *p) {
    return _mm512_loadu_si512(p);
}
SIMD_INLINE void vi_store(void *p, vi a) {
    _mm512_storeu_si512(p, a);
}
SIMD_INLINE vi vi_set1(int32_t x) {
    return _mm512_set1_epi32(x);
}
SIMD_INLINE vi vi_pairs(vi sum, vi a, vi b) {
    return _mm512_add_epi32(sum, _mm512_madd_epi16(a, b));
}
#else
typedef __m256i vi;
SIMD_INLINE vi vi_load(const void *p) {
    return _mm256_loadu_si256(p);
}
SIMD_INLINE void vi_store(void *p, vi a) {
    _mm256_storeu_si256(p, a);
}
SIMD_INLINE vi vi_set1(int32_t x) {
    return _mm256_set1_epi32(x);
}
SIMD_INLINE vi vi_pairs(vi sum, vi a, vi b) {
    return _mm256_add_epi32(sum, _mm256_madd_epi16(a, b));
}
#endif

/* Element (line, along) of a, or zero past k. */
SIMD_INLINE int16_t i8_at(const int8_t *p, bool rows, size_t m, size_t k, size_t i, size_t l) {
    return l < k ? p[rows ? i * k + l : l * m + i] : 0;
}

static void i8_rows(const int16_t *a, const int16_t *panel, size_t n_pairs, size_t n_j, size_t n_i, bool add,
                    int32_t *c, size_t c_stride) {
    vi sum[I8_ROWS][2];
    int32_t out[2 * VF_LANES];
    for (size_t i = 0; i < I8_ROWS; i++) sum[i][0] = sum[i][1] = vi_set1(0);
    for (size_t p = 0; p < n_pairs; p++) {
        vi b0 = vi_load(panel + p * 2 * TILE_COLS), b1 = vi_load(panel + p * 2 * TILE_COLS + 2 * VF_LANES);
        for (size_t i = 0; i < I8_ROWS; i++) {
            int32_t pair;
            memcpy(&pair, a + i * CHUNK + 2 * p, sizeof pair);
            sum[i][0] = vi_pairs(sum[i][0], vi_set1(pair), b0);
            sum[i][1] = vi_pairs(sum[i][1], vi_set1(pair), b1);
        }
    }
    for (size_t i = 0; i < n_i; i++) {
        vi_store(out, sum[i][0]);
        vi_store(out + VF_LANES, sum[i][1]);
        for (size_t j = 0; j < n_j; j++) c[i * c_stride + j] = out[j] + (add ? c[i * c_stride + j] : 0);
    }
}

static void multiply_i8(const struct cpu_args_gemm *g, bool a_rows, bool b_rows, struct cpu_range range) {
    _Alignas(64) int16_t panel[PAIRS * 2 * TILE_COLS], block[I8_ROWS * CHUNK];
    size_t m = g->m, n = g->n, k = g->k;
    for (size_t j = range.begin; j < range.end; j += TILE_COLS) {
        size_t n_j = range.end - j < TILE_COLS ? range.end - j : TILE_COLS;
        for (size_t l = 0; l == 0 || l < k; l += CHUNK) {
            size_t n_l = k - l < CHUNK ? k - l : CHUNK, n_pairs = (n_l + 1) / 2;
            for (size_t q = 0; q < 2 * n_pairs; q++)
                for (size_t c = 0; c < TILE_COLS; c++)
                    panel[q / 2 * 2 * TILE_COLS + 2 * c + q % 2] =
                        c < n_j ? i8_at(g->b, !b_rows, n, k, j + c, l + q) : 0;
            for (size_t i = 0; i < m; i += I8_ROWS) {
                size_t n_i = m - i < I8_ROWS ? m - i : I8_ROWS;
                for (size_t r = 0; r < I8_ROWS; r++)
                    for (size_t q = 0; q < 2 * n_pairs; q++)
                        block[r * CHUNK + q] = r < n_i ? i8_at(g->a, a_rows, m, k, i + r, l + q) : 0;
                i8_rows(block, panel, n_pairs, n_j, n_i, l > 0, (int32_t *)g->c + i * n + j, n);
            }
        }
    }
}

void CPU_FN(gemm)(const struct greta_host_group *g, const void *args) {
    const struct cpu_args_gemm *a = args;
    bool a_rows = g->constants[1] == GRETA_ORDER_ROW, b_rows = g->constants[2] == GRETA_ORDER_ROW;
    struct cpu_range range = cpu_share(g, a->n, TILE_COLS);
    switch (g->constants[0]) {
    case GRETA_TYPE_F32: multiply(GRETA_TYPE_F32, a, a_rows, b_rows, range); break;
    case GRETA_TYPE_F16: multiply(GRETA_TYPE_F16, a, a_rows, b_rows, range); break;
    case GRETA_TYPE_BF16: multiply(GRETA_TYPE_BF16, a, a_rows, b_rows, range); break;
    default: multiply_i8(a, a_rows, b_rows, range); break;
    }
}
