/*
 * Attention. Keys and values are read in blocks of positions, converted to f32 in the first cache once for all the queries that
 * share them (the heads of a group, and in prefill several tokens), with a running maximum as in the plain row.
 *
 * Few queries (decode): eight keys at a time, dot products along the head. Many (prefill): the keys are transposed, and both
 * products are tiles of a matrix product.
 */
#include "cpu.h"
#include "vec_tile.h"

enum { MAX_DIM = CPU_MAX_HEAD_DIM };

/* One head of keys and values. `at`: its first element in a position's row. */
struct source {
    const void *k, *v;
    uint32_t type, dim;
    size_t at, stride;
    float softcap; /* 0: none */
    uint32_t window;
};

/* n elements of a row as f32, and zeros up to n_out, a multiple of VF_LANES. */
SIMD_INLINE void row_read(uint32_t type, const void *base, size_t at, size_t n, float *out, size_t n_out) {
    const float *f = (const float *)base + at;
    const uint16_t *h = (const uint16_t *)base + at;
    size_t i = 0;
    for (; i + VF_LANES <= n; i += VF_LANES)
        vf_store(out + i, type == GRETA_TYPE_F32   ? vf_load(f + i)
                          : type == GRETA_TYPE_F16 ? vf_load_f16(h + i)
                                                   : vf_load_bf16(h + i));
    if (i < n) {
        vf_store(out + i, type == GRETA_TYPE_F32   ? vf_load_n(f + i, n - i)
                          : type == GRETA_TYPE_F16 ? vf_load_f16_n(h + i, n - i)
                                                   : vf_load_bf16_n(h + i, n - i));
        i += VF_LANES;
    }
    for (; i < n_out; i += VF_LANES) vf_store(out + i, vf_zero());
}

/* VF_LANES elements of a row of a Q8_0 cache from c on, all of one unit. */
SIMD_INLINE vf q8_read(const struct source *s, const void *base, size_t position, size_t c) {
    const uint8_t *row = (const uint8_t *)base + position * GRETA_KV_ROW_BYTES(GRETA_TYPE_Q8_0, s->stride);
    uint16_t h;
    memcpy(&h, row + GRETA_KV_SCALES_OFFSET(s->stride) + (s->at + c) / 32 * 2, sizeof h);
    float d = _mm_cvtss_f32(_mm_cvtph_ps(_mm_cvtsi32_si128(h)));
    return vf_mul(vf_load_i8((const int8_t *)row + s->at + c), vf_set1(d));
}

static void q8_row_read(const struct source *s, const void *base, size_t position, float *out, size_t n_out) {
    for (size_t c = 0; c < n_out; c += VF_LANES)
        vf_store(out + c, c < s->dim ? q8_read(s, base, position, c) : vf_zero());
}

/* Positions [j, j + n) of `base`, n <= n_rows; the rows past n are zeros. */
static void rows_read(const struct source *s, const void *base, size_t j, size_t n, size_t n_rows, float *out,
                      size_t n_out) {
    for (size_t i = 0; i < n_rows; i++, out += n_out) switch (i < n ? s->type : UINT32_MAX) {
        case GRETA_TYPE_F32:
            row_read(GRETA_TYPE_F32, base, s->at + (j + i) * s->stride, s->dim, out, n_out);
            break;
        case GRETA_TYPE_F16:
            row_read(GRETA_TYPE_F16, base, s->at + (j + i) * s->stride, s->dim, out, n_out);
            break;
        case GRETA_TYPE_Q8_0: q8_row_read(s, base, j + i, out, n_out); break;
        case UINT32_MAX: memset(out, 0, n_out * sizeof *out); break;
        default: row_read(GRETA_TYPE_BF16, base, s->at + (j + i) * s->stride, s->dim, out, n_out); break;
        }
}

static size_t round_up(size_t n, size_t step) {
    return (n + step - 1) / step * step;
}

/*
 * Scores of n positions become weights relative to the running maximum; what was summed before is scaled to it. n_out is a
 * multiple of VF_LANES: weights from n on are zeros. The scores there are not looked at.
 */
static void weights_make(float *scores, size_t n, size_t n_out, float *max, float *sum, float *acc,
                         size_t n_acc) {
    float old = *max, new_max = old;
    vf top = vf_set1(old), total = vf_zero();
    size_t i = 0;
    for (; i + VF_LANES <= n; i += VF_LANES) top = vf_max(top, vf_load(scores + i));
    new_max = vf_hmax(top);
    for (; i < n; i++) new_max = scores[i] > new_max ? scores[i] : new_max;
    const vf shift = vf_set1(new_max);
    for (i = 0; i + VF_LANES <= n; i += VF_LANES) {
        vf w = vf_exp(vf_sub(vf_load(scores + i), shift));
        total = vf_add(total, w);
        vf_store(scores + i, w);
    }
    if (i < n) {
        float rest[VF_LANES] = {0};
        vf_store(rest, vf_exp(vf_sub(vf_load_n(scores + i, n - i), shift)));
        vf w = vf_load_n(rest, n - i);
        total = vf_add(total, w);
        vf_store(scores + i, w);
        i += VF_LANES;
    }
    for (; i < n_out; i += VF_LANES) vf_store(scores + i, vf_zero());
    *max = new_max;
    if (new_max != old) {
        /* Before the first block sum and acc are zeros. */
        vf factor = vf_exp(vf_set1(old == -INFINITY ? 0.0f : old - new_max));
        float scaled[VF_LANES];
        vf_store(scaled, vf_mul(factor, vf_set1(*sum)));
        *sum = scaled[0];
        for (size_t c = 0; c < n_acc; c += VF_LANES) vf_store(acc + c, vf_mul(factor, vf_load(acc + c)));
    }
    *sum += vf_sum(total);
}

/* softcap * tanh(score / softcap); tanh(z) = 1 - 2 / (exp(2z) + 1). n is rounded up to whole vectors. */
static void scores_cap(float *scores, size_t n, float softcap) {
    const vf factor = vf_set1(2 / softcap), one = vf_set1(1), cap = vf_set1(softcap);
    for (size_t i = 0; i < n; i += VF_LANES) {
        vf e = vf_exp(vf_mul(factor, vf_load(scores + i)));
        vf_store(scores + i, vf_mul(cap, vf_sub(one, vf_div(vf_set1(2), vf_add(e, one)))));
    }
}

/* ---- few queries ---- */

/*
 * FEW queries at a time over blocks of FEW_BLOCK positions; in registers FEW_TILE queries by four positions (scores) or by four
 * vectors of the head (values). A head's rows lie n_head_kv heads apart, which the CPU does not foresee: they are prefetched.
 */
enum { FEW = 8, FEW_BLOCK = 64, FEW_TILE = VF_LANES == 16 ? 4 : 2, AHEAD = 24 };

struct few {
    size_t n, n_pad; /* queries; a head's elements, padded */
    float max[FEW], sum[FEW];
    _Alignas(64) float q[FEW][MAX_DIM], acc[FEW][MAX_DIM], scores[FEW][FEW_BLOCK];
};

/* q: heads one behind another. Scaling the query saves scaling each score. */
static void few_begin(struct few *f, const float *q, size_t n, size_t dim, float scale) {
    f->n = n;
    f->n_pad = round_up(dim, VF_LANES);
    for (size_t i = 0; i < n; i++) {
        row_read(GRETA_TYPE_F32, q, i * dim, dim, f->q[i], f->n_pad);
        for (size_t c = 0; c < f->n_pad; c += VF_LANES) {
            vf_store(f->q[i] + c, vf_mul(vf_load(f->q[i] + c), vf_set1(scale)));
            vf_store(f->acc[i] + c, vf_zero());
        }
        f->max[i] = -INFINITY;
        f->sum[i] = 0;
    }
}

/* Lanes of a head from element c on; those past its end are zeros. */
SIMD_INLINE vf head_read(uint32_t type, const struct source *s, const void *base, size_t position, size_t c) {
    if (type == GRETA_TYPE_Q8_0) return q8_read(s, base, position, c);
    size_t at = s->at + position * s->stride + c, n = s->dim - c;
    const uint16_t *h = (const uint16_t *)base + at;
    if (n >= VF_LANES)
        return type == GRETA_TYPE_F32   ? vf_load((const float *)base + at)
               : type == GRETA_TYPE_F16 ? vf_load_f16(h)
                                        : vf_load_bf16(h);
    return type == GRETA_TYPE_F32   ? vf_load_n((const float *)base + at, n)
           : type == GRETA_TYPE_F16 ? vf_load_f16_n(h, n)
                                    : vf_load_bf16_n(h, n);
}

SIMD_INLINE void head_prefetch(uint32_t type, const struct source *s, const void *base, size_t position) {
    size_t size = type == GRETA_TYPE_F32 ? 4 : type == GRETA_TYPE_Q8_0 ? 1 : 2;
    const char *p = (const char *)base + position * GRETA_KV_ROW_BYTES(type, s->stride) + s->at * size;
    for (size_t i = 0; i < s->dim * size; i += 64) _mm_prefetch(p + i, _MM_HINT_T0);
}

/* Scores of n_q queries from i on, for the four positions b + j ..; those at `end` and past it repeat the last. */
SIMD_INLINE void few_scores_4(uint32_t type, struct few *f, const struct source *s, size_t i,
                              const size_t n_q, size_t b, size_t j, size_t end) {
    vf sum[FEW_TILE][4];
    size_t position[4];
    for (size_t p = 0; p < 4; p++) position[p] = b + j + p < end ? b + j + p : end - 1;
    for (size_t q = 0; q < n_q; q++)
        for (size_t p = 0; p < 4; p++) sum[q][p] = vf_zero();
    for (size_t c = 0; c < s->dim; c += VF_LANES) {
        vf k[4];
        for (size_t p = 0; p < 4; p++) k[p] = head_read(type, s, s->k, position[p], c);
        for (size_t q = 0; q < n_q; q++) {
            vf v = vf_load(f->q[i + q] + c);
            for (size_t p = 0; p < 4; p++) sum[q][p] = vf_fma(v, k[p], sum[q][p]);
        }
    }
    for (size_t q = 0; q < n_q; q += 2) {
        __m256 folded[8];
        for (size_t p = 0; p < 8; p++)
            folded[p] = q + p / 4 < n_q ? vf_fold(sum[q + p / 4][p % 4]) : _mm256_setzero_ps();
        __m256 scores = v8_sums(folded);
        _mm_storeu_ps(f->scores[i + q] + j, _mm256_castps256_ps128(scores));
        if (q + 1 < n_q) _mm_storeu_ps(f->scores[i + q + 1] + j, _mm256_extractf128_ps(scores, 1));
    }
}

/* Adds n weighted positions from b on to n_v vectors of the head at c, for n_q queries from i on. */
SIMD_INLINE void few_values(uint32_t type, struct few *f, const struct source *s, size_t i, const size_t n_q,
                            size_t b, size_t n, size_t c, const size_t n_v) {
    vf acc[FEW_TILE][4];
    for (size_t q = 0; q < n_q; q++)
        for (size_t k = 0; k < n_v; k++) acc[q][k] = vf_load(f->acc[i + q] + c + k * VF_LANES);
    for (size_t j = 0; j < n; j++) {
        vf v[4];
        if (i == 0 && c == 0) head_prefetch(type, s, s->v, b + j + AHEAD);
        for (size_t k = 0; k < n_v; k++) v[k] = head_read(type, s, s->v, b + j, c + k * VF_LANES);
        for (size_t q = 0; q < n_q; q++) {
            vf w = vf_set1(f->scores[i + q][j]);
            for (size_t k = 0; k < n_v; k++) acc[q][k] = vf_fma(w, v[k], acc[q][k]);
        }
    }
    for (size_t q = 0; q < n_q; q++)
        for (size_t k = 0; k < n_v; k++) vf_store(f->acc[i + q] + c + k * VF_LANES, acc[q][k]);
}

/* One block for n_q queries: their scores (keys true), or what their weights add (keys false). */
SIMD_INLINE void few_tile(uint32_t type, struct few *f, const struct source *s, size_t i, const size_t n_q,
                          size_t b, size_t n, bool keys) {
    if (keys) {
        for (size_t j = 0; j < n; j += 4) {
            for (size_t p = 0; i == 0 && p < 4; p++) head_prefetch(type, s, s->k, b + j + p + AHEAD);
            few_scores_4(type, f, s, i, n_q, b, j, b + n);
        }
        return;
    }
    size_t c = 0;
    for (; c + 4 * VF_LANES <= f->n_pad; c += 4 * VF_LANES) few_values(type, f, s, i, n_q, b, n, c, 4);
    for (; c < f->n_pad; c += VF_LANES) few_values(type, f, s, i, n_q, b, n, c, 1);
}

SIMD_INLINE void few_block(uint32_t type, struct few *f, const struct source *s, size_t b, size_t n,
                           bool keys) {
    size_t i = 0;
    for (; i + FEW_TILE <= f->n; i += FEW_TILE) few_tile(type, f, s, i, FEW_TILE, b, n, keys);
    if (FEW_TILE > 2 && i + 3 == f->n)
        few_tile(type, f, s, i, FEW_TILE > 2 ? 3 : 1, b, n, keys);
    else if (FEW_TILE > 2 && i + 2 == f->n)
        few_tile(type, f, s, i, 2, b, n, keys);
    else if (i < f->n)
        few_tile(type, f, s, i, 1, b, n, keys);
}

SIMD_INLINE void few_attend_type(uint32_t type, struct few *f, const struct source *s, size_t begin,
                                 size_t end) {
    for (size_t b = begin; b < end; b += FEW_BLOCK) {
        size_t n = end - b < FEW_BLOCK ? end - b : FEW_BLOCK;
        few_block(type, f, s, b, n, true);
        for (size_t i = 0; i < f->n && s->softcap > 0; i++) scores_cap(f->scores[i], n, s->softcap);
        for (size_t i = 0; i < f->n; i++)
            weights_make(f->scores[i], n, n, &f->max[i], &f->sum[i], f->acc[i], f->n_pad);
        few_block(type, f, s, b, n, false);
    }
}

static void few_attend(struct few *f, const struct source *s, size_t begin, size_t end) {
    switch (s->type) {
    case GRETA_TYPE_F32: few_attend_type(GRETA_TYPE_F32, f, s, begin, end); break;
    case GRETA_TYPE_F16: few_attend_type(GRETA_TYPE_F16, f, s, begin, end); break;
    case GRETA_TYPE_Q8_0: few_attend_type(GRETA_TYPE_Q8_0, f, s, begin, end); break;
    default: few_attend_type(GRETA_TYPE_BF16, f, s, begin, end); break;
    }
}

/* The heads from h on, up to `end`, that share keys and values, at most FEW. */
static size_t run_length(size_t h, size_t end, size_t n_group) {
    size_t n = n_group - h % n_group;
    n = n < end - h ? n : end - h;
    return n < FEW ? n : FEW;
}

static void attn_few(const struct cpu_args_attn *a, struct source *s, struct cpu_range heads, size_t n_kv) {
    size_t n_group = a->n_head / a->n_head_kv, dim = s->dim;
    struct few f;
    for (size_t h = heads.begin; h < heads.end; h += f.n) {
        s->at = h / n_group * dim;
        few_begin(&f, (const float *)a->q + h * dim, run_length(h, heads.end, n_group), dim, a->scale);
        few_attend(&f, s, cpu_window_begin(n_kv, s->window), n_kv);
        for (size_t i = 0; i < f.n; i++)
            for (size_t c = 0; c < dim; c++) ((float *)a->y)[(h + i) * dim + c] = f.acc[i][c] / f.sum[i];
    }
}

void CPU_FN(attn_split)(const struct greta_host_group *g, const void *args) {
    const struct cpu_args_attn_split *a = args;
    uint32_t dim = g->constants[1], n_kv = ((const uint32_t *)a->step)[2];
    size_t n_group = a->n_head / a->n_head_kv, record = dim + 2;
    if (n_kv > a->n_ctx) n_kv = a->n_ctx;
    struct source s = {.k = a->k,
                       .v = a->v,
                       .type = g->constants[0],
                       .dim = dim,
                       .stride = (size_t)a->n_head_kv * dim,
                       .softcap = a->softcap,
                       .window = a->window};
    struct few f;
    struct cpu_range range = cpu_share(g, (uint64_t)a->n_split * a->n_head, 1);
    for (uint64_t i = range.begin; i < range.end; i += f.n) {
        size_t i_split = i / a->n_head, h = i % a->n_head, begin = i_split * GRETA_ATTN_CHUNK;
        if (begin >= n_kv) break;
        size_t end = n_kv - begin < GRETA_ATTN_CHUNK ? n_kv : begin + GRETA_ATTN_CHUNK;
        size_t first = cpu_window_begin(n_kv, a->window);
        size_t last = range.end - i < a->n_head - h ? h + (range.end - i) : a->n_head;
        s.at = h / n_group * dim;
        few_begin(&f, (const float *)a->q + h * dim, run_length(h, last, n_group), dim, a->scale);
        few_attend(&f, &s, begin < first ? first : begin, end);
        for (size_t k = 0; k < f.n; k++) {
            float *out = (float *)a->partials + ((h + k) * a->n_split + i_split) * record;
            out[0] = f.max[k];
            out[1] = f.sum[k];
            memcpy(out + 2, f.acc[k], dim * sizeof *out);
        }
    }
}

/* ---- many queries ---- */

enum { MANY = 32, MANY_BLOCK = 32 };

struct many {
    size_t n_pad; /* a head's elements, padded to whole tiles */
    float max[MANY], sum[MANY];
    _Alignas(64) float q[MANY * MAX_DIM], acc[MANY * MAX_DIM], scores[MANY][MANY_BLOCK];
    /* Keys as [element][position], values as [position][element]; rows: eight keys before their transpose. */
    _Alignas(64) float keys[MAX_DIM * MANY_BLOCK], values[MANY_BLOCK * MAX_DIM], rows[8 * MAX_DIM];
};

/* A tile of queries: tokens [t0, t0 + n_tok) by heads [h0, h0 + n_head), token after token. */
struct queries {
    size_t t0, n_tok, h0, n_head;
};

static void keys_read(struct many *m, const struct source *s, size_t j, size_t n) {
    for (size_t p = 0; p < MANY_BLOCK; p += 8) {
        size_t rest = n > p ? n - p : 0;
        rows_read(s, s->k, j + p, rest < 8 ? rest : 8, 8, m->rows, m->n_pad);
        for (size_t c = 0; c < m->n_pad; c += 8) {
            __m256 v[8];
            for (size_t i = 0; i < 8; i++) v[i] = _mm256_loadu_ps(m->rows + i * m->n_pad + c);
            v8_transpose(v);
            for (size_t i = 0; i < 8; i++) _mm256_storeu_ps(m->keys + (c + i) * MANY_BLOCK + p, v[i]);
        }
    }
}

/* Positions [j, j + n); the query of token t sees those below n_seen[t]. */
static void many_block(struct many *m, const struct source *s, const struct queries *qs, size_t pos, size_t j,
                       size_t n) {
    size_t n_q = qs->n_tok * qs->n_head;
    keys_read(m, s, j, n);
    rows_read(s, s->v, j, n, MANY_BLOCK, m->values, m->n_pad);
    for (size_t p = 0; p < MANY_BLOCK; p += TILE_COLS) {
        struct tile tile = {.x = m->q,
                            .panel = m->keys + p,
                            .y = m->scores[0] + p,
                            .x_stride = m->n_pad,
                            .panel_stride = MANY_BLOCK,
                            .y_stride = MANY_BLOCK,
                            .n = s->dim,
                            .n_cols = TILE_COLS};
        tile_multiply(&tile, n_q);
    }
    for (size_t i = 0; i < n_q; i++) {
        size_t n_seen = pos + qs->t0 + i / qs->n_head + 1;
        size_t first = cpu_window_begin(n_seen, s->window);
        n_seen = n_seen < j ? 0 : n_seen - j < n ? n_seen - j : n;
        if (s->softcap > 0) scores_cap(m->scores[i], n_seen, s->softcap);
        if (first >= j + n_seen) n_seen = 0;
        for (size_t k = j; k < first && k < j + n_seen; k++) m->scores[i][k - j] = -INFINITY;
        weights_make(m->scores[i], n_seen, MANY_BLOCK, &m->max[i], &m->sum[i], m->acc + i * m->n_pad,
                     m->n_pad);
    }
    for (size_t c = 0; c < m->n_pad; c += TILE_COLS) {
        struct tile tile = {.x = m->scores[0],
                            .panel = m->values + c,
                            .y = m->acc + c,
                            .x_stride = MANY_BLOCK,
                            .panel_stride = m->n_pad,
                            .y_stride = m->n_pad,
                            .n = n,
                            .n_cols = TILE_COLS,
                            .add = true};
        tile_multiply(&tile, n_q);
    }
}

static void many_attend(struct many *m, const struct cpu_args_attn *a, const struct source *s,
                        const struct queries *qs, size_t pos) {
    size_t dim = s->dim, n_q = qs->n_tok * qs->n_head, n_kv = pos + qs->t0 + qs->n_tok;
    m->n_pad = round_up(dim, TILE_COLS);
    for (size_t i = 0; i < n_q; i++) {
        size_t at = ((qs->t0 + i / qs->n_head) * a->n_head + qs->h0 + i % qs->n_head) * dim;
        row_read(GRETA_TYPE_F32, a->q, at, dim, m->q + i * m->n_pad, m->n_pad);
        for (size_t c = 0; c < m->n_pad; c += VF_LANES) {
            float *q = m->q + i * m->n_pad + c;
            vf_store(q, vf_mul(vf_load(q), vf_set1(a->scale)));
        }
        m->max[i] = -INFINITY;
        m->sum[i] = 0;
    }
    memset(m->acc, 0, n_q * m->n_pad * sizeof *m->acc);
    if (n_kv > a->n_ctx) n_kv = a->n_ctx;
    for (size_t j = cpu_window_begin(pos + qs->t0 + 1, s->window); j < n_kv; j += MANY_BLOCK)
        many_block(m, s, qs, pos, j, n_kv - j < MANY_BLOCK ? n_kv - j : MANY_BLOCK);
    for (size_t i = 0; i < n_q; i++) {
        float *y = (float *)a->y + ((qs->t0 + i / qs->n_head) * a->n_head + qs->h0 + i % qs->n_head) * dim;
        for (size_t c = 0; c < dim; c++) y[c] = m->acc[i * m->n_pad + c] / m->sum[i];
    }
}

/* Items: token tiles, the last (which sees most) first, by heads that share keys, in parts of at most MANY. */
static void attn_many(const struct greta_host_group *g, const struct cpu_args_attn *a, struct source *s,
                      size_t pos) {
    size_t n_group = a->n_head / a->n_head_kv, n_part = n_group < MANY ? n_group : MANY;
    size_t n_parts = (n_group + n_part - 1) / n_part, n_tok = MANY / n_part,
           n_tiles = (a->n_tok + n_tok - 1) / n_tok;
    struct cpu_range range = cpu_share(g, (uint64_t)n_tiles * a->n_head_kv * n_parts, 1);
    struct many m;
    for (uint64_t i = range.begin; i < range.end; i++) {
        size_t t0 = (n_tiles - 1 - i / (a->n_head_kv * n_parts)) * n_tok;
        size_t i_kv = i / n_parts % a->n_head_kv, part = i % n_parts * n_part;
        struct queries qs = {.t0 = t0,
                             .n_tok = a->n_tok - t0 < n_tok ? a->n_tok - t0 : n_tok,
                             .h0 = i_kv * n_group + part,
                             .n_head = n_group - part < n_part ? n_group - part : n_part};
        s->at = i_kv * s->dim;
        many_attend(&m, a, s, &qs, pos);
    }
}

void CPU_FN(attn)(const struct greta_host_group *g, const void *args) {
    const struct cpu_args_attn *a = args;
    uint32_t dim = g->constants[1], pos = ((const uint32_t *)a->step)[1];
    struct source s = {.k = a->k,
                       .v = a->v,
                       .type = g->constants[0],
                       .dim = dim,
                       .stride = (size_t)a->n_head_kv * dim,
                       .softcap = a->softcap,
                       .window = a->window};
    if (a->n_tok == 1)
        attn_few(a, &s, cpu_share(g, a->n_head, 1), (size_t)pos + 1 < a->n_ctx ? (size_t)pos + 1 : a->n_ctx);
    else
        attn_many(g, a, &s, pos);
}
