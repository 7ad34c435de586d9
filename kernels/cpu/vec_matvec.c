/*
 * Matrix x vector. It reads each weight once, so it runs at the speed of memory; what counts is that a unit of 32 elements costs
 * few instructions (see vec_row_q8a.h), and that memory is asked early (simd_prefetch).
 */
#include "cpu.h"
#include "qkv.h"
#include "vec_row_q8a.h"

SIMD_INLINE void rows_q8a(uint32_t type, const struct cpu_args_matvec *a, bool add, struct cpu_range range) {
    size_t n_cols = a->n_cols, n_units = n_cols / 32, row_bytes = block_row_bytes(type, n_cols);
    float *y = a->y;
    struct chunk c;
    for (size_t first = 0; first == 0 || first < n_units; first += CHUNK) {
        chunk_make(type, a->x, n_cols, first, &c);
        const uint8_t *w =
            (const uint8_t *)a->w + range.begin * row_bytes + block_row_bytes(type, first * 32);
        for (uint64_t r = range.begin; r < range.end; r++, w += row_bytes)
            y[r] = (first || add ? y[r] : 0) + row_dot(type, w, &c);
    }
}

static void any_q8a(uint32_t type, const struct cpu_args_matvec *a, bool add, struct cpu_range range) {
    switch (type) {
#define OF_TYPE(X, name, ggml, elements, bytes) \
    case GRETA_TYPE_##name: rows_q8a(GRETA_TYPE_##name, a, add, range); break;
        GRETA_WEIGHT_QUANT_LIST(OF_TYPE, -)
        GRETA_WEIGHT_CODEBOOK_LIST(OF_TYPE, -)
#undef OF_TYPE
    }
}

void CPU_FN(matvec_q8a)(const struct greta_host_group *g, const void *args) {
    const struct cpu_args_matvec *a = args;
    any_q8a(g->constants[0], a, g->constants[2], cpu_share(g, a->n_rows, 16));
}

/* ---- f32 activations ---- */

SIMD_INLINE vf weights_read(uint32_t type, const uint8_t *row, size_t i) {
    if (type == GRETA_TYPE_F32) return vf_load((const float *)(const void *)row + i);
    const uint16_t *h = (const uint16_t *)(const void *)row + i;
    return type == GRETA_TYPE_F16 ? vf_load_f16(h) : vf_load_bf16(h);
}

SIMD_INLINE vf weights_read_n(uint32_t type, const uint8_t *row, size_t i, size_t n) {
    if (type == GRETA_TYPE_F32) return vf_load_n((const float *)(const void *)row + i, n);
    const uint16_t *h = (const uint16_t *)(const void *)row + i;
    return type == GRETA_TYPE_F16 ? vf_load_f16_n(h, n) : vf_load_bf16_n(h, n);
}

SIMD_INLINE float row_dot_float(uint32_t type, const uint8_t *row, const float *x, size_t n, size_t ahead) {
    const size_t element = type == GRETA_TYPE_F32 ? 4 : 2;
    vf acc[4] = {vf_zero(), vf_zero(), vf_zero(), vf_zero()};
    size_t i = 0;
    for (; i + 4 * VF_LANES <= n; i += 4 * VF_LANES) {
        simd_prefetch(row + i * element, 4 * VF_LANES * element, ahead);
        for (size_t k = 0; k < 4; k++) {
            size_t at = i + k * VF_LANES;
            acc[k] = vf_fma(weights_read(type, row, at), vf_load(x + at), acc[k]);
        }
    }
    for (; i + VF_LANES <= n; i += VF_LANES)
        acc[0] = vf_fma(weights_read(type, row, i), vf_load(x + i), acc[0]);
    if (i < n) acc[1] = vf_fma(weights_read_n(type, row, i, n - i), vf_load_n(x + i, n - i), acc[1]);
    return vf_sum(vf_add(vf_add(acc[0], acc[2]), vf_add(acc[1], acc[3])));
}

SIMD_INLINE float row_dot_exact(uint32_t type, const uint8_t *row, const float *x, size_t n_units) {
    __m256 acc[4] = {_mm256_setzero_ps(), _mm256_setzero_ps(), _mm256_setzero_ps(), _mm256_setzero_ps()};
    for (size_t u0 = 0; u0 < n_units; u0 += BATCH, row += batch_bytes(type)) {
        size_t n = n_units - u0 < BATCH ? n_units - u0 : BATCH;
        struct batch_scales s;
        float d[2][BATCH], m[2][BATCH];
        batch_scales_read(type, row, n, &s);
        _mm256_storeu_ps(d[0], s.d[0]);
        _mm256_storeu_ps(d[1], s.d[1]);
        _mm256_storeu_ps(m[0], s.m[0]);
        _mm256_storeu_ps(m[1], s.m[1]);
        for (size_t u = 0; u < n; u++, x += 32) {
            int8_t q[32];
            _mm256_storeu_si256((__m256i *)q, batch_unit_signed(type, row, u));
            for (size_t k = 0; k < 4; k++) {
                __m256 value =
                    _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_loadl_epi64((const __m128i *)(q + 8 * k))));
                value = _mm256_fmadd_ps(value, _mm256_set1_ps(d[k / 2][u]), _mm256_set1_ps(m[k / 2][u]));
                acc[k] = _mm256_fmadd_ps(value, _mm256_loadu_ps(x + 8 * k), acc[k]);
            }
        }
    }
    return v8_sum(_mm256_add_ps(_mm256_add_ps(acc[0], acc[2]), _mm256_add_ps(acc[1], acc[3])));
}

SIMD_INLINE void put(float *y, bool add, float value) {
    *y = add ? *y + value : value;
}

SIMD_INLINE void rows_f32(uint32_t type, const struct cpu_args_matvec *a, bool add, struct cpu_range range) {
    size_t row_bytes = block_row_bytes(type, a->n_cols), ahead = simd_prefetch_ahead();
    const uint8_t *w = (const uint8_t *)a->w + range.begin * row_bytes;
    for (uint64_t r = range.begin; r < range.end; r++, w += row_bytes)
        put((float *)a->y + r, add,
            block_is_float(type) ? row_dot_float(type, w, a->x, a->n_cols, ahead)
                                 : row_dot_exact(type, w, a->x, a->n_cols / 32));
}

static void any_f32(uint32_t type, const struct cpu_args_matvec *a, bool add, struct cpu_range range) {
    switch (type) {
#define OF_TYPE(X, name, ggml, elements, bytes) \
    case GRETA_TYPE_##name: rows_f32(GRETA_TYPE_##name, a, add, range); break;
        GRETA_WEIGHT_LIST(OF_TYPE, -)
#undef OF_TYPE
    }
}

void CPU_FN(matvec)(const struct greta_host_group *g, const void *args) {
    const struct cpu_args_matvec *a = args;
    any_f32(g->constants[0], a, g->constants[2], cpu_share(g, a->n_rows, 16));
}

/* ---- fused ---- */

typedef void rows_fn(uint32_t type, const struct cpu_args_matvec *a, bool add, struct cpu_range range);

/* Rows [begin, end) of a weight times x, into y[0 ..). */
SIMD_INLINE void rows_into(rows_fn *fn, uint32_t type, const void *w, const void *x, size_t n_cols,
                           uint64_t begin, uint64_t end, float *y) {
    struct cpu_args_matvec a = {.w = (const uint8_t *)w + begin * block_row_bytes(type, n_cols),
                                .x = x,
                                .y = y,
                                .n_rows = (uint32_t)(end - begin),
                                .n_cols = (uint32_t)n_cols};
    fn(type, &a, false, (struct cpu_range){0, end - begin});
}

SIMD_INLINE void glu(rows_fn *fn, const struct greta_host_group *g, const struct cpu_args_matvec_glu *a) {
    struct cpu_range range = cpu_share(g, a->n_rows, 16);
    for (uint64_t r = range.begin; r < range.end; r += CPU_BLOCK_ROWS) {
        uint64_t end = r + CPU_BLOCK_ROWS < range.end ? r + CPU_BLOCK_ROWS : range.end;
        float gate[CPU_BLOCK_ROWS] = {0}, up[CPU_BLOCK_ROWS] = {0};
        rows_into(fn, g->constants[0], a->w_gate, a->x, a->n_cols, r, end, gate);
        rows_into(fn, g->constants[0], a->w_up, a->x, a->n_cols, r, end, up);
        for (size_t i = 0; i < end - r; i += VF_LANES)
            vf_store(gate + i, vf_mul(vf_act(g->constants[2], vf_load(gate + i)), vf_load(up + i)));
        memcpy((float *)a->y + r, gate, (end - r) * sizeof *gate);
    }
}

void CPU_FN(matvec_glu)(const struct greta_host_group *g, const void *args) {
    glu(any_f32, g, args);
}

void CPU_FN(matvec_glu_q8a)(const struct greta_host_group *g, const void *args) {
    glu(any_q8a, g, args);
}

SIMD_INLINE void kv_store(uint32_t type, const float *y, size_t n, void *cache, uint64_t at) {
    uint16_t *to = (uint16_t *)cache + at;
    size_t i = 0;
    if (type == GRETA_TYPE_F32) {
        memcpy((float *)cache + at, y, n * sizeof *y);
        return;
    }
    for (; i + VF_LANES <= n; i += VF_LANES) vf_store_f16(to + i, vf_load(y + i));
    if (i < n) vf_store_f16_n(to + i, vf_load_n(y + i, n - i), n - i);
}

SIMD_INLINE void qkv(rows_fn *fn, const struct greta_host_group *g, const struct cpu_args_matvec_qkv *a) {
    struct cpu_range range = cpu_qkv_share(g, a);
    struct cpu_qkv_block b;
    for (uint64_t r = range.begin; r < range.end; r += b.end - b.begin) {
        float y[CPU_BLOCK_ROWS] = {0};
        b = cpu_qkv_block_at(g, a, r, range.end);
        rows_into(fn, b.type, b.w, a->x, a->n_cols, b.begin, b.end, y);
        cpu_qkv_finish(g, a, &b, y);
        uint64_t to = cpu_qkv_place(a, &b);
        if (to == UINT64_MAX) continue;
        if (b.which == 0)
            memcpy((float *)a->q + to, y, (b.end - b.begin) * sizeof *y);
        else if (g->constants[3] == GRETA_TYPE_Q8_0)
            cpu_qkv_store_q8_0(a, &b, y);
        else
            kv_store(g->constants[3], y, b.end - b.begin, b.which == 1 ? a->k_cache : a->v_cache, to);
    }
}

void CPU_FN(matvec_qkv)(const struct greta_host_group *g, const void *args) {
    qkv(any_f32, g, args);
}

void CPU_FN(matvec_qkv_q8a)(const struct greta_host_group *g, const void *args) {
    qkv(any_q8a, g, args);
}
