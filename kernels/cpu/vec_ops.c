/* The ops on activations, by vectors: they pass over their data once or twice and cost little beside the products. */
#include "../half.h"
#include "cpu.h"
#include "vec_upto.h"

/* ---- norms ---- */

/* The squares' sum is formed in 4 * VF_LANES parts: its error stays near one rounding for any n that a model has. */
static float inverse_norm(const float *x, size_t n, float eps) {
    vf sum[4] = {vf_zero(), vf_zero(), vf_zero(), vf_zero()};
    size_t i = 0;
    for (; i + 4 * VF_LANES <= n; i += 4 * VF_LANES)
        for (size_t k = 0; k < 4; k++) {
            vf v = vf_load(x + i + k * VF_LANES);
            sum[k] = vf_fma(v, v, sum[k]);
        }
    for (; i < n; i += VF_LANES) {
        vf v = load_upto(x, i, n);
        sum[0] = vf_fma(v, v, sum[0]);
    }
    double total = (double)vf_sum(vf_add(vf_add(sum[0], sum[2]), vf_add(sum[1], sum[3])));
    return (float)(1 / sqrt(total / (double)n + (double)eps));
}

static void norm_row(const float *x, const float *w, float *y, size_t n, float eps) {
    const vf scale = vf_set1(inverse_norm(x, n, eps));
    for (size_t i = 0; i < n; i += VF_LANES)
        store_upto(y, i, n, vf_mul(vf_mul(load_upto(x, i, n), scale), load_upto(w, i, n)));
}

static void add_row(float *x, const float *add, size_t n) {
    for (size_t i = 0; i < n; i += VF_LANES)
        store_upto(x, i, n, vf_add(load_upto(x, i, n), load_upto(add, i, n)));
}

void CPU_FN(rms_norm)(const struct greta_host_group *g, const void *args) {
    const struct cpu_args_rms_norm *a = args;
    size_t n = a->n_cols;
    struct cpu_range range = cpu_share(g, a->n_rows, 1);
    for (uint64_t r = range.begin; r < range.end; r++)
        norm_row((const float *)a->x + r * n, a->w, (float *)a->y + r * n, n, a->eps);
}

void CPU_FN(add_rms_norm)(const struct greta_host_group *g, const void *args) {
    const struct cpu_args_add_rms_norm *a = args;
    size_t n = a->n_cols;
    struct cpu_range range = cpu_share(g, a->n_rows, 1);
    for (uint64_t r = range.begin; r < range.end; r++) {
        float *x = (float *)a->x + r * n;
        add_row(x, (const float *)a->r + r * n, n);
        norm_row(x, a->w, (float *)a->y + r * n, n, a->eps);
    }
}

/* ---- rope ---- */

/* Eight pairs (2j, 2j+1) of x with eight {cos, sin}: both lie side by side, so a product by the swapped neighbour does. */
static void rotate_adjacent(float *x, const float *table, size_t n_rot) {
    size_t i = 0;
    for (; i + 8 <= n_rot; i += 8) {
        __m256 v = _mm256_loadu_ps(x + i), t = _mm256_loadu_ps(table + i);
        __m256 c = _mm256_moveldup_ps(t), s = _mm256_movehdup_ps(t), swapped = _mm256_permute_ps(v, 0xB1);
        _mm256_storeu_ps(x + i, _mm256_addsub_ps(_mm256_mul_ps(v, c), _mm256_mul_ps(swapped, s)));
    }
    for (; i < n_rot; i += 2) {
        float u = x[i], v = x[i + 1], c = table[i], s = table[i + 1];
        x[i] = u * c - v * s;
        x[i + 1] = u * s + v * c;
    }
}

static void rotate_halves(float *x, const float *table, size_t n_pairs) {
    size_t j = 0;
    for (; j + 8 <= n_pairs; j += 8) {
        __m256 a = _mm256_loadu_ps(table + 2 * j), b = _mm256_loadu_ps(table + 2 * j + 8);
        __m256 lo = _mm256_permute2f128_ps(a, b, 0x20), hi = _mm256_permute2f128_ps(a, b, 0x31);
        __m256 c = _mm256_shuffle_ps(lo, hi, 0x88), s = _mm256_shuffle_ps(lo, hi, 0xDD);
        __m256 u = _mm256_loadu_ps(x + j), v = _mm256_loadu_ps(x + n_pairs + j);
        _mm256_storeu_ps(x + j, _mm256_sub_ps(_mm256_mul_ps(u, c), _mm256_mul_ps(v, s)));
        _mm256_storeu_ps(x + n_pairs + j, _mm256_add_ps(_mm256_mul_ps(u, s), _mm256_mul_ps(v, c)));
    }
    for (; j < n_pairs; j++) {
        float u = x[j], v = x[n_pairs + j], c = table[2 * j], s = table[2 * j + 1];
        x[j] = u * c - v * s;
        x[n_pairs + j] = u * s + v * c;
    }
}

static void rotate(uint32_t mode, float *x, const float *table, size_t n_rot) {
    if (mode)
        rotate_halves(x, table, n_rot / 2);
    else
        rotate_adjacent(x, table, n_rot);
}

void CPU_FN(rope)(const struct greta_host_group *g, const void *args) {
    const struct cpu_args_rope *a = args;
    size_t pos = ((const uint32_t *)a->step)[1];
    struct cpu_range range = cpu_share(g, (uint64_t)a->n_tok * a->n_head, 1);
    for (uint64_t i = range.begin; i < range.end; i++) {
        float *x = (float *)a->x + i * a->head_dim;
        const float *table = (const float *)a->table + (pos + i / a->n_head) * a->n_rot;
        rotate(g->constants[0], x, table, a->n_rot);
    }
}

/* ---- conversions ---- */

static void f32_to_f16(const float *x, uint16_t *y, size_t n) {
    size_t i = 0;
    for (; i + VF_LANES <= n; i += VF_LANES) vf_store_f16(y + i, vf_load(x + i));
    if (i < n) vf_store_f16_n(y + i, vf_load_n(x + i, n - i), n - i);
}

static void f32_to_any(uint32_t type, const float *x, void *y, size_t at, size_t n) {
    if (type == GRETA_TYPE_F16)
        f32_to_f16(x, (uint16_t *)y + at, n);
    else if (type == GRETA_TYPE_F32)
        memcpy((float *)y + at, x, n * sizeof *x);
    else
        for (size_t i = 0; i < n; i++) ((uint16_t *)y)[at + i] = half_f32_to_bf16(x[i]);
}

/* Elements [c, c + n) of row `position` of a cache of n_cols a row; whole units where it is Q8_0. */
static void kv_put(uint32_t type, void *cache, size_t position, size_t n_cols, size_t c, const float *x, size_t n) {
    uint8_t *row = (uint8_t *)cache + position * GRETA_KV_ROW_BYTES(type, n_cols);
    if (type == GRETA_TYPE_Q8_0)
        cpu_kv_store_q8_0(x, n, row, n_cols, c);
    else
        f32_to_any(type, x, row, c, n);
}

void CPU_FN(kv_update)(const struct greta_host_group *g, const void *args) {
    const struct cpu_args_kv_update *a = args;
    size_t pos = ((const uint32_t *)a->step)[1], n = a->n_cols;
    struct cpu_range range = cpu_share(g, a->n_tok, 1);
    for (uint64_t t = range.begin; t < range.end && pos + t < a->n_ctx; t++) {
        kv_put(g->constants[0], a->k_cache, pos + t, n, 0, (const float *)a->k + t * n, n);
        kv_put(g->constants[0], a->v_cache, pos + t, n, 0, (const float *)a->v + t * n, n);
    }
}

/* Heads of q, then of k, then of v, token by token. */
void CPU_FN(rope_kv)(const struct greta_host_group *g, const void *args) {
    const struct cpu_args_rope_kv *a = args;
    size_t n = a->head_dim, pos = ((const uint32_t *)a->step)[1], n_kv = a->n_head_kv;
    size_t n_heads = a->n_head + 2 * n_kv;
    struct cpu_range range = cpu_share(g, a->n_tok * n_heads, 1);
    for (uint64_t i = range.begin; i < range.end; i++) {
        size_t t = i / n_heads, h = i % n_heads, p = pos + t;
        bool is_q = h < a->n_head, is_v = h >= a->n_head + n_kv;
        size_t at = is_q ? h : is_v ? h - a->n_head - n_kv : h - a->n_head;
        float copied[CPU_MAX_HEAD_DIM], *x = is_q ? (float *)a->q + (t * a->n_head + at) * n : copied;
        if (!is_q && p >= a->n_ctx) continue;
        if (!is_q) memcpy(x, (const float *)(is_v ? a->v : a->k) + (t * n_kv + at) * n, n * sizeof *x);
        if (g->constants[3]) add_row(x, (const float *)a->bias + h * n, n);
        if (g->constants[2] && !is_v) norm_row(x, is_q ? a->q_norm : a->k_norm, x, n, a->eps);
        if (!is_v) rotate(g->constants[0], x, (const float *)a->table + p * a->n_rot, a->n_rot);
        if (!is_q) kv_put(g->constants[1], is_v ? a->v_cache : a->k_cache, p, n_kv * n, at * n, x, n);
    }
}

void CPU_FN(cast)(const struct greta_host_group *g, const void *args) {
    const struct cpu_args_cast *a = args;
    uint32_t from = g->constants[0], to = g->constants[1];
    struct cpu_range range = cpu_share(g, a->n, 64);
    float values[64];
    for (uint64_t i = range.begin; i < range.end; i += 64) {
        size_t n = range.end - i < 64 ? range.end - i : 64;
        for (size_t k = 0; k < n; k += VF_LANES) {
            const uint16_t *h = (const uint16_t *)a->x + i + k;
            size_t rest = n - k < VF_LANES ? n - k : VF_LANES;
            vf_store(values + k, from == GRETA_TYPE_F32   ? vf_load_n((const float *)a->x + i + k, rest)
                                 : from == GRETA_TYPE_F16 ? vf_load_f16_n(h, rest)
                                                          : vf_load_bf16_n(h, rest));
        }
        f32_to_any(to, values, a->y, i, n);
    }
}

/* ---- quantize ---- */

/* See quantize_unit in plain_ops.c; the same numbers. d is the division's result, not a reciprocal's: q is x / d rounded. */
SIMD_INLINE void quantize_unit(const __m256 x[4], int8_t *q, float *d, float *s) {
    __m256 top = _mm256_setzero_ps(), bad = _mm256_setzero_ps();
    for (int k = 0; k < 4; k++) {
        top = _mm256_max_ps(_mm256_andnot_ps(_mm256_set1_ps(-0.0f), x[k]), top);
        bad = _mm256_add_ps(bad, _mm256_mul_ps(x[k], _mm256_setzero_ps()));
    }
    float scale = v8_max(top) / 127 + v8_sum(bad);
    *d = scale;
    *s = scale;
    if (!(scale > 0)) {
        _mm256_storeu_si256((__m256i *)q, _mm256_setzero_si256());
        *s = scale * 0;
        return;
    }
    __m256i v[4], sum = _mm256_setzero_si256();
    for (int k = 0; k < 4; k++) {
        __m256 value = _mm256_div_ps(x[k], _mm256_set1_ps(scale));
        value = _mm256_max_ps(_mm256_min_ps(value, _mm256_set1_ps(127)), _mm256_set1_ps(-127));
        v[k] = _mm256_cvtps_epi32(value);
        sum = _mm256_add_epi32(sum, v[k]);
    }
    __m256i bytes = _mm256_packs_epi16(_mm256_packs_epi32(v[0], v[1]), _mm256_packs_epi32(v[2], v[3]));
    bytes = _mm256_permutevar8x32_epi32(bytes, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
    _mm256_storeu_si256((__m256i *)q, bytes);
    *s = scale * v8_sum(_mm256_cvtepi32_ps(sum));
}

/* Unit u of a row of n: zeros past its end. */
SIMD_INLINE void unit_load(const float *x, size_t u, size_t n, __m256 v[4]) {
    float rest[32] = {0};
    const float *from = x + u * 32;
    if (n - u * 32 < 32) {
        memcpy(rest, from, (n - u * 32) * sizeof *rest);
        from = rest;
    }
    for (int k = 0; k < 4; k++) v[k] = _mm256_loadu_ps(from + 8 * k);
}

/* A row of Q8A from x, or from x * scale * w. */
SIMD_INLINE void quantize_row(const float *x, float scale, const float *w, size_t n, uint8_t *y) {
    float *d = (float *)(void *)(y + GRETA_Q8A_D_OFFSET(n)),
          *s = (float *)(void *)(y + GRETA_Q8A_S_OFFSET(n));
    for (size_t u = 0; u * 32 < n; u++) {
        __m256 v[4], weights[4];
        unit_load(x, u, n, v);
        if (w) {
            unit_load(w, u, n, weights);
            for (int k = 0; k < 4; k++)
                v[k] = _mm256_mul_ps(_mm256_mul_ps(v[k], _mm256_set1_ps(scale)), weights[k]);
        }
        quantize_unit(v, (int8_t *)y + u * 32, d + u, s + u);
    }
}

void CPU_FN(quantize)(const struct greta_host_group *g, const void *args) {
    const struct cpu_args_quantize *a = args;
    size_t n = a->n_cols, row_bytes = GRETA_Q8A_ROW_BYTES(n);
    struct cpu_range range = cpu_share(g, a->n_rows, 1);
    for (uint64_t r = range.begin; r < range.end; r++)
        quantize_row((const float *)a->x + r * n, 1, NULL, n, (uint8_t *)a->y + r * row_bytes);
}

void CPU_FN(add_rms_norm_quantize)(const struct greta_host_group *g, const void *args) {
    const struct cpu_args_add_rms_norm_quantize *a = args;
    size_t n = a->n_cols, row_bytes = GRETA_Q8A_ROW_BYTES(n);
    struct cpu_range range = cpu_share(g, a->n_rows, 1);
    for (uint64_t r = range.begin; r < range.end; r++) {
        float *x = (float *)a->x + r * n;
        add_row(x, (const float *)a->r + r * n, n);
        quantize_row(x, inverse_norm(x, n, a->eps), a->w, n, (uint8_t *)a->y + r * row_bytes);
    }
}

/* ---- elements ---- */

void CPU_FN(act_mul)(const struct greta_host_group *g, const void *args) {
    const struct cpu_args_act_mul *a = args;
    struct cpu_range range = cpu_share(g, a->n, 16);
    for (size_t i = range.begin; i < range.end; i += VF_LANES) {
        vf gate = load_upto(a->gate, i, range.end), up = load_upto(a->up, i, range.end);
        store_upto(a->y, i, range.end, vf_mul(vf_act(g->constants[0], gate), up));
    }
}

void CPU_FN(add)(const struct greta_host_group *g, const void *args) {
    const struct cpu_args_add *a = args;
    struct cpu_range range = cpu_share(g, a->n, 16);
    for (size_t i = range.begin; i < range.end; i += VF_LANES)
        store_upto(a->y, i, range.end, vf_add(load_upto(a->a, i, range.end), load_upto(a->b, i, range.end)));
}

void CPU_FN(softcap)(const struct greta_host_group *g, const void *args) {
    const struct cpu_args_softcap *a = args;
    struct cpu_range range = cpu_share(g, a->n, 16);
    for (size_t i = range.begin; i < range.end; i += VF_LANES)
        store_upto(a->y, i, range.end, vf_softcap(load_upto(a->x, i, range.end), a->cap));
}

/* First the largest value (NaN aside: max gives its second operand where one is NaN), then where it is. */
static uint32_t argmax_row(const float *x, size_t n) {
    vf top[4] = {vf_set1(-INFINITY), vf_set1(-INFINITY), vf_set1(-INFINITY), vf_set1(-INFINITY)};
    size_t i = 0;
    for (; i + 4 * VF_LANES <= n; i += 4 * VF_LANES)
        for (size_t k = 0; k < 4; k++) top[k] = vf_max(vf_load(x + i + k * VF_LANES), top[k]);
    float max = vf_hmax(vf_max(vf_max(top[0], top[1]), vf_max(top[2], top[3])));
    for (; i < n; i++) max = x[i] > max ? x[i] : max;
    for (i = 0; i < n; i++)
        if (x[i] == max) return (uint32_t)i;
    return UINT32_MAX;
}

void CPU_FN(argmax)(const struct greta_host_group *g, const void *args) {
    const struct cpu_args_argmax *a = args;
    struct cpu_range range = cpu_share(g, a->n_rows, 1);
    for (uint64_t r = range.begin; r < range.end; r++)
        ((uint32_t *)a->out)[r] = argmax_row((const float *)a->x + r * a->n_cols, a->n_cols);
}

/* Whether a goes before b, both read in ascending order of index. NaN is below all. */
static bool before(float a, float b) {
    return a > b || (b != b && a == a);
}

static bool any_above(vf x, float limit) {
#ifdef __AVX512F__
    return _mm512_cmp_ps_mask(x, vf_set1(limit), _CMP_GT_OQ);
#else
    return _mm256_movemask_ps(_mm256_cmp_ps(x, vf_set1(limit), _CMP_GT_OQ));
#endif
}

/* Insertion into a sorted list; once it is full and holds no NaN, vectors without a lane above its last are passed over. */
static void top_k_row(const float *x, size_t n, size_t k, float *values, uint32_t *indices) {
    size_t n_kept = 0;
    for (size_t i = 0; i < n; i++) {
        if (n_kept == k) {
            float last = values[k - 1];
            if (last == last)
                while (i + VF_LANES <= n && !any_above(vf_load(x + i), last)) i += VF_LANES;
            while (i < n && !before(x[i], last)) i++;
            if (i == n) return;
        }
        size_t at = n_kept < k ? n_kept++ : k - 1;
        for (; at > 0 && before(x[i], values[at - 1]); at--) {
            values[at] = values[at - 1];
            indices[at] = indices[at - 1];
        }
        values[at] = x[i];
        indices[at] = (uint32_t)i;
    }
}

void CPU_FN(top_k)(const struct greta_host_group *g, const void *args) {
    const struct cpu_args_top_k *a = args;
    struct cpu_range range = cpu_share(g, a->n_rows, 1);
    for (uint64_t r = range.begin; a->k && r < range.end; r++)
        top_k_row((const float *)a->x + r * a->n_cols, a->n_cols, a->k, (float *)a->values + r * a->k,
                  (uint32_t *)a->indices + r * a->k);
}
