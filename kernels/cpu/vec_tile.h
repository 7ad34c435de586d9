/* What matmul and attention share: 8 x 8 transposes, and a tile of T rows of f32 times a panel of TILE_COLS columns. */
#ifndef KERNELS_CPU_VEC_TILE_H
#define KERNELS_CPU_VEC_TILE_H

#include "simd.h"

enum { TILE_COLS = 2 * VF_LANES, TILE_ROWS = VF_LANES == 16 ? 8 : 6 };

/* a[i] lane j becomes a[j] lane i. */
SIMD_INLINE void v8_transpose(__m256 a[8]) {
    __m256 b[8], c[8];
    for (int i = 0; i < 4; i++) {
        b[2 * i] = _mm256_unpacklo_ps(a[2 * i], a[2 * i + 1]);
        b[2 * i + 1] = _mm256_unpackhi_ps(a[2 * i], a[2 * i + 1]);
    }
    for (int i = 0; i < 2; i++) {
        c[4 * i] = _mm256_shuffle_ps(b[4 * i], b[4 * i + 2], 0x44);
        c[4 * i + 1] = _mm256_shuffle_ps(b[4 * i], b[4 * i + 2], 0xEE);
        c[4 * i + 2] = _mm256_shuffle_ps(b[4 * i + 1], b[4 * i + 3], 0x44);
        c[4 * i + 3] = _mm256_shuffle_ps(b[4 * i + 1], b[4 * i + 3], 0xEE);
    }
    for (int i = 0; i < 4; i++) {
        a[i] = _mm256_permute2f128_ps(c[i], c[i + 4], 0x20);
        a[i + 4] = _mm256_permute2f128_ps(c[i], c[i + 4], 0x31);
    }
}

/* y[t][0..n_cols) (+)= sum_i x[t][i] * panel[i][.]; the panel's rows are panel_stride apart, all TILE_COLS are read. */
struct tile {
    const float *x, *panel;
    float *y;
    size_t x_stride, panel_stride, y_stride, n, n_cols;
    bool add;
};

SIMD_INLINE void tile_store(const struct tile *a, float *y, vf v, size_t n) {
    if (n >= VF_LANES)
        vf_store(y, a->add ? vf_add(vf_load(y), v) : v);
    else if (n)
        vf_store_n(y, a->add ? vf_add(vf_load_n(y, n), v) : v, n);
}

SIMD_INLINE void tile_rows(const struct tile *a, size_t t0, const size_t n_t) {
    vf acc[TILE_ROWS][2];
    const float *x = a->x + t0 * a->x_stride, *w = a->panel;
    for (size_t t = 0; t < n_t; t++) acc[t][0] = acc[t][1] = vf_zero();
    for (size_t i = 0; i < a->n; i++, w += a->panel_stride) {
        vf w0 = vf_load(w), w1 = vf_load(w + VF_LANES);
        for (size_t t = 0; t < n_t; t++) {
            vf v = vf_set1(x[t * a->x_stride + i]);
            acc[t][0] = vf_fma(v, w0, acc[t][0]);
            acc[t][1] = vf_fma(v, w1, acc[t][1]);
        }
    }
    for (size_t t = 0; t < n_t; t++) {
        float *y = a->y + (t0 + t) * a->y_stride;
        tile_store(a, y, acc[t][0], a->n_cols);
        tile_store(a, y + VF_LANES, acc[t][1], a->n_cols > VF_LANES ? a->n_cols - VF_LANES : 0);
    }
}

/* All n_t rows. Each sum is formed the same way however the rows are grouped. */
static inline void tile_multiply(const struct tile *a, size_t n_t) {
    size_t t = 0;
    for (; t + TILE_ROWS <= n_t; t += TILE_ROWS) tile_rows(a, t, TILE_ROWS);
    if (t + 4 <= n_t) tile_rows(a, t, 4), t += 4;
    if (t + 2 <= n_t) tile_rows(a, t, 2), t += 2;
    if (t < n_t) tile_rows(a, t, 1);
}

#endif
