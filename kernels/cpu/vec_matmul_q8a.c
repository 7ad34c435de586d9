/*
 * Matrix x matrix with 8-bit activations. A panel of VF_LANES weight rows is decoded to bytes once, a chunk of columns at a
 * time, and transposed so that a vector holds four consecutive elements of each row: then a lane is a row's own integer sum, four
 * activations are spread to all lanes, and scaling costs a few instructions per unit of 32 elements, for all rows at once.
 */
#include "cpu.h"
#include "few_tokens.h"
#include "vec_blocks.h"
#include "vec_tile.h"

enum { PANEL_ROWS = VF_LANES, N_UNITS = 16, MIN_TOKENS = 4, N_TOKENS = 256, TOKENS = VF_LANES == 16 ? 8 : 4 };

struct panel {
    _Alignas(64) uint32_t q[N_UNITS][8][PANEL_ROWS];
    float d[2][N_UNITS][PANEL_ROWS], m[2][N_UNITS][PANEL_ROWS];
};

/* A block of tokens by a chunk of columns. init: what panel_offset takes from each half unit's sum; half_s: s of the halves
 * where they are asked for (batch_has_min_halves). */
struct block {
    const int8_t *q;
    const float *d, *s;
    size_t q_stride, d_stride, n_tokens, n_units;
    int32_t init[N_TOKENS][N_UNITS][2];
    float half_s[N_TOKENS][N_UNITS][2];
};

/* What is added to weights so that they are unsigned; of codebooks with signs their largest magnitude. Then they are up to panel_max. */
SIMD_INLINE int panel_offset(uint32_t type) {
    return codebook_has_signs(type) ? codebook_max(type) : batch_offset(type);
}
SIMD_INLINE int panel_max(uint32_t type) {
    return codebook_has_signs(type) ? 2 * codebook_max(type) : batch_max(type);
}

/* Without VNNI wide weights are signed: see batch_dot. */
SIMD_INLINE bool panel_is_signed(uint32_t type) {
    return batch_is_wide(type) && !batch_needs_init(type);
}
SIMD_INLINE bool panel_needs_init(uint32_t type) {
    return panel_offset(type) && !panel_is_signed(type);
}

SIMD_INLINE __m256i panel_unit_read(uint32_t type, const uint8_t *p, size_t u) {
    if (panel_is_signed(type)) return batch_unit_signed(type, p, u);
    if (codebook_has_signs(type))
        return _mm256_add_epi8(batch_unit_signed(type, p, u), _mm256_set1_epi8((char)panel_offset(type)));
    return batch_unit_read(type, p, u);
}

/* ---- the integers: one unit's sums, T tokens by PANEL_ROWS rows ---- */

#ifdef __AVX512F__

typedef __m512i vi;
SIMD_INLINE vi vi_set1(int32_t a) {
    return _mm512_set1_epi32(a);
}
SIMD_INLINE vf vi_to_f32(vi a) {
    return _mm512_cvtepi32_ps(a);
}

/* sum[t] += over the quads [begin, end) of a unit. */
SIMD_INLINE void quads_add(uint32_t type, const uint32_t (*w)[PANEL_ROWS], const int8_t *x, size_t x_stride,
                           size_t begin, size_t end, size_t n_t, vi *sum) {
    (void)type;
    for (size_t k = begin; k < end; k++) {
        __m512i wk = _mm512_loadu_si512(w[k]);
        for (size_t t = 0; t < n_t; t++) {
            int32_t four;
            memcpy(&four, x + t * x_stride + 4 * k, sizeof four);
            sum[t] = _mm512_dpbusd_epi32(sum[t], wk, _mm512_set1_epi32(four));
        }
    }
}

#else

typedef __m256i vi;
SIMD_INLINE vi vi_set1(int32_t a) {
    return _mm256_set1_epi32(a);
}
SIMD_INLINE vf vi_to_f32(vi a) {
    return _mm256_cvtepi32_ps(a);
}

/*
 * How many quads' pairs of products can be added in 16 bits: weights of up to 15: eight (8 * 2 * 15 * 127 < 2^15); of up to 31, or
 * halves: four; of up to 63: two; of larger ones (at most 126) and of wide ones, which are signed, one.
 */
SIMD_INLINE size_t quads_at_once(uint32_t type) {
    const int most = batch_is_wide(type) ? 0 : batch_adds(panel_max(type));
    return most > 4 && batch_has_halves(type) ? 4 : most ? (size_t)most : 1;
}

SIMD_INLINE void quads_add(uint32_t type, const uint32_t (*w)[PANEL_ROWS], const int8_t *x, size_t x_stride,
                           size_t begin, size_t end, size_t n_t, vi *sum) {
    const __m256i ones = _mm256_set1_epi16(1);
    size_t step = quads_at_once(type);
    for (size_t k0 = begin; k0 < end; k0 += step) {
        __m256i pairs[TOKENS];
        for (size_t t = 0; t < n_t; t++) pairs[t] = _mm256_setzero_si256();
        for (size_t k = k0; k < k0 + step; k++) {
            __m256i wk = _mm256_loadu_si256((const __m256i *)w[k]);
            __m256i magnitude = batch_is_wide(type) ? _mm256_abs_epi8(wk) : wk;
            for (size_t t = 0; t < n_t; t++) {
                int32_t four;
                memcpy(&four, x + t * x_stride + 4 * k, sizeof four);
                __m256i v = _mm256_set1_epi32(four);
                if (batch_is_wide(type)) v = _mm256_sign_epi8(v, wk);
                pairs[t] = _mm256_add_epi16(pairs[t], _mm256_maddubs_epi16(magnitude, v));
            }
        }
        for (size_t t = 0; t < n_t; t++) sum[t] = _mm256_add_epi32(sum[t], _mm256_madd_epi16(pairs[t], ones));
    }
}

#endif

/* ---- a panel ---- */

/* Eight rows from r0 on, columns of n units from unit0 on (a multiple of eight), into lanes l0 .. l0 + 7. */
SIMD_INLINE void panel_fill_8(uint32_t type, const uint8_t *const rows[8], size_t n, struct panel *p,
                              size_t u0, size_t l0) {
    __m256 d[2][8], m[2][8];
    for (size_t r = 0; r < 8; r++) {
        struct batch_scales s;
        batch_scales_read(type, rows[r], n, &s);
        d[0][r] = s.d[0], d[1][r] = s.d[1], m[0][r] = s.m[0], m[1][r] = s.m[1];
    }
    v8_transpose(d[0]);
    if (batch_has_halves(type)) v8_transpose(d[1]);
    if (batch_has_min(type)) v8_transpose(m[0]);
    if (batch_has_min_halves(type)) v8_transpose(m[1]);
    for (size_t u = 0; u < n; u++) {
        _mm256_storeu_ps(p->d[0][u0 + u] + l0, d[0][u]);
        if (batch_has_halves(type)) _mm256_storeu_ps(p->d[1][u0 + u] + l0, d[1][u]);
        if (batch_has_min(type)) _mm256_storeu_ps(p->m[0][u0 + u] + l0, m[0][u]);
        if (batch_has_min_halves(type)) _mm256_storeu_ps(p->m[1][u0 + u] + l0, m[1][u]);
        __m256 q[8];
        for (size_t r = 0; r < 8; r++) q[r] = _mm256_castsi256_ps(panel_unit_read(type, rows[r], u));
        v8_transpose(q);
        for (size_t k = 0; k < 8; k++) _mm256_storeu_ps((float *)(void *)(p->q[u0 + u][k] + l0), q[k]);
    }
}

/* Rows [r, r + n_rows), units [unit0, unit0 + n_units). Lanes past n_rows repeat the last row. */
SIMD_INLINE void panel_fill(uint32_t type, const struct cpu_args_matmul *a, size_t r, size_t n_rows,
                            size_t unit0, size_t n_units, struct panel *p) {
    size_t row_bytes = block_row_bytes(type, a->n_cols);
    for (size_t l = 0; l < n_rows; l += 8)
        for (size_t u = 0; u < n_units; u += BATCH) {
            const uint8_t *rows[8];
            for (size_t i = 0; i < 8; i++) {
                size_t row = r + (l + i < n_rows ? l + i : n_rows - 1);
                rows[i] = (const uint8_t *)a->w + row * row_bytes + block_row_bytes(type, (unit0 + u) * 32);
            }
            if (n_units - u >= BATCH)
                panel_fill_8(type, rows, BATCH, p, u, l);
            else
                panel_fill_8(type, rows, n_units - u, p, u, l);
        }
}

/* ---- a block of tokens ---- */

SIMD_INLINE void block_half_sums(struct block *b) {
    const __m256i ones = _mm256_set1_epi8(1);
    for (size_t t = 0; t < b->n_tokens; t++)
        for (size_t u = 0; u < b->n_units; u++) {
            __m256i x = _mm256_loadu_si256((const __m256i *)(b->q + t * b->q_stride + u * 32));
            __m256i v = batch_dot(false, _mm256_setzero_si256(), ones, x);
            float d = b->d[t * b->d_stride + u];
            v = _mm256_hadd_epi32(v, v);
            v = _mm256_hadd_epi32(v, v);
            b->half_s[t][u][0] = d * (float)_mm256_extract_epi32(v, 0);
            b->half_s[t][u][1] = d * (float)_mm256_extract_epi32(v, 4);
        }
}

SIMD_INLINE void block_init(uint32_t type, struct block *b) {
    if (batch_has_min_halves(type)) block_half_sums(b);
    if (!panel_needs_init(type)) return;
    const __m256i factor = _mm256_set1_epi8((char)panel_offset(type));
    for (size_t t = 0; t < b->n_tokens; t++)
        for (size_t u = 0; u < b->n_units; u++) {
            __m256i x = _mm256_loadu_si256((const __m256i *)(b->q + t * b->q_stride + u * 32));
            /* The bytes as the weight, so that pairs fit in 16 bits: |x| <= 127, offset <= 62 where there is no VNNI. */
            __m256i v = batch_dot(batch_is_wide(type), _mm256_setzero_si256(), factor, x);
            v = _mm256_hadd_epi32(v, v);
            v = _mm256_hadd_epi32(v, v);
            int32_t low = _mm256_extract_epi32(v, 0), high = _mm256_extract_epi32(v, 4);
            b->init[t][u][0] = batch_has_halves(type) ? -low : -(low + high);
            b->init[t][u][1] = -high;
        }
}

/* y[t][0..n_rows) (+)= of tokens t0 .. t0 + n_t - 1. */
SIMD_INLINE void tokens_multiply(uint32_t type, const struct panel *p, const struct block *b, size_t t0,
                                 const size_t n_t, float *y, size_t y_stride, size_t n_rows, bool add) {
    vf total[TOKENS];
    const int8_t *x = b->q + t0 * b->q_stride;
    const float *xd = b->d + t0 * b->d_stride, *xs = b->s + t0 * b->d_stride;
    const size_t n_halves = batch_has_halves(type) ? 2 : 1;
    for (size_t t = 0; t < n_t; t++) total[t] = vf_zero();
    for (size_t u = 0; u < b->n_units; u++) {
        for (size_t h = 0; h < n_halves; h++) {
            vi sum[TOKENS];
            for (size_t t = 0; t < n_t; t++)
                sum[t] = vi_set1(panel_needs_init(type) ? b->init[t0 + t][u][h] : 0);
            quads_add(type, p->q[u], x + u * 32, b->q_stride, h * 4, n_halves == 2 ? h * 4 + 4 : 8, n_t, sum);
            vf d = vf_load(p->d[h][u]);
            for (size_t t = 0; t < n_t; t++)
                total[t] = vf_fma(vi_to_f32(sum[t]), vf_mul(d, vf_set1(xd[t * b->d_stride + u])), total[t]);
        }
        if (batch_has_min_halves(type)) {
            vf m[2] = {vf_load(p->m[0][u]), vf_load(p->m[1][u])};
            for (size_t t = 0; t < n_t; t++) {
                const float *s = b->half_s[t0 + t][u];
                total[t] = vf_fma(m[0], vf_set1(s[0]), vf_fma(m[1], vf_set1(s[1]), total[t]));
            }
        } else if (batch_has_min(type)) {
            vf m = vf_load(p->m[0][u]);
            for (size_t t = 0; t < n_t; t++) total[t] = vf_fma(m, vf_set1(xs[t * b->d_stride + u]), total[t]);
        }
    }
    for (size_t t = 0; t < n_t; t++) {
        float *to = y + (t0 + t) * y_stride;
        if (n_rows == PANEL_ROWS)
            vf_store(to, add ? vf_add(vf_load(to), total[t]) : total[t]);
        else
            vf_store_n(to, add ? vf_add(vf_load_n(to, n_rows), total[t]) : total[t], n_rows);
    }
}

SIMD_INLINE void block_multiply(uint32_t type, const struct panel *p, const struct block *b, float *y,
                                size_t y_stride, size_t n_rows, bool add) {
    size_t t = 0;
    for (; t + TOKENS <= b->n_tokens; t += TOKENS)
        tokens_multiply(type, p, b, t, TOKENS, y, y_stride, n_rows, add);
    if (TOKENS > 4 && t + 4 <= b->n_tokens)
        tokens_multiply(type, p, b, t, 4, y, y_stride, n_rows, add), t += 4;
    if (t + 2 <= b->n_tokens) tokens_multiply(type, p, b, t, 2, y, y_stride, n_rows, add), t += 2;
    if (t < b->n_tokens) tokens_multiply(type, p, b, t, 1, y, y_stride, n_rows, add);
}

SIMD_INLINE void rows_multiply(uint32_t type, const struct cpu_args_matmul *a, struct cpu_range range) {
    struct panel p;
    struct block b;
    size_t n_cols = a->n_cols, n_units = n_cols / 32, x_bytes = GRETA_Q8A_ROW_BYTES(n_cols);
    for (size_t t = 0; t < a->n_tok; t += N_TOKENS)
        for (size_t u = 0; u == 0 || u < n_units; u += N_UNITS) {
            const uint8_t *x = (const uint8_t *)a->x + t * x_bytes;
            b.q = (const int8_t *)x + u * 32;
            b.d = (const float *)(const void *)(x + GRETA_Q8A_D_OFFSET(n_cols)) + u;
            b.s = (const float *)(const void *)(x + GRETA_Q8A_S_OFFSET(n_cols)) + u;
            b.q_stride = x_bytes;
            b.d_stride = x_bytes / 4;
            b.n_tokens = a->n_tok - t < N_TOKENS ? a->n_tok - t : N_TOKENS;
            b.n_units = n_units - u < N_UNITS ? n_units - u : N_UNITS;
            block_init(type, &b);
            for (size_t r = range.begin; r < range.end; r += PANEL_ROWS) {
                size_t n_rows = range.end - r < PANEL_ROWS ? range.end - r : PANEL_ROWS;
                panel_fill(type, a, r, n_rows, u, b.n_units, &p);
                block_multiply(type, &p, &b, (float *)a->y + t * a->n_rows + r, a->n_rows, n_rows, u > 0);
            }
        }
}

/* A function for each type: in one for all the compiler would have too much to keep apart, and each would run a little slower. */
#define ROWS_OF(X, name, ggml, elements, bytes)                                        \
    static __attribute__((noinline)) void rows_##name(const struct cpu_args_matmul *a, \
                                                      struct cpu_range range) {        \
        rows_multiply(GRETA_TYPE_##name, a, range);                                    \
    }
GRETA_WEIGHT_QUANT_LIST(ROWS_OF, -)
GRETA_WEIGHT_CODEBOOK_LIST(ROWS_OF, -)

void CPU_FN(matmul_q8a)(const struct greta_host_group *g, const void *args) {
    const struct cpu_args_matmul *a = args;
    if (a->n_tok < MIN_TOKENS) {
        few_tokens(g, a, GRETA_Q8A_ROW_BYTES((size_t)a->n_cols), CPU_FN(matvec_q8a));
        return;
    }
    struct cpu_range range = cpu_share(g, a->n_rows, PANEL_ROWS);
#define OF_TYPE(X, name, ggml, elements, bytes) \
    case GRETA_TYPE_##name: rows_##name(a, range); break;
    switch (g->constants[0]) { GRETA_WEIGHT_QUANT_LIST(OF_TYPE, -) GRETA_WEIGHT_CODEBOOK_LIST(OF_TYPE, -) }
#undef OF_TYPE
}
