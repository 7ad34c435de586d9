/* Matrix products of one wave: D = A * B + C for M x N x K, several independent blocks in some shapes.

   Where the elements lie (E of A, and of B, are held by a lane, the first in the low bits of the first register):
     A[i][k] of block b: lane i + M * (b + blocks * (k / E)), element k % E;   B[k][j] the same with j and N.
     C and D, 32 bits: register 4 * (g / H) + i % 4 for g = i / 4, lane j + N * (g % H), where H = 64 / N groups of lanes
       hold rows; further blocks in further registers. Of the 4 x 4 forms: register i, lane j + 4 * b.
     C and D, 64 bits: 16 x 16: register pair i / 4, lane j + 16 * (i % 4); 4 x 4: lane j + 4 * b + 16 * i.
   So the elements with one k lie in neighbouring lanes, for A, B and each row of C: rows are vectors as they are.

   Sums run over k upward, each step a fused multiply-add rounded to nearest even, denormals kept, whatever MODE says.
   The chip's order and its rounding inside a step are not published; they differ from this by a few ULP. */
#include "fp8.h"
#include "valu.h"

#include <math.h>

#ifdef __F16C__
#include <immintrin.h>
#endif

enum { MAX_E = 8, MAX_REGS = 32 };
enum element { E_F32, E_XF32, E_F16, E_BF16, E_FP8, E_BF8, E_I8 };

#define VEC 8
typedef float floats __attribute__((vector_size(4 * VEC), aligned(4), may_alias));
typedef int32_t ints __attribute__((vector_size(4 * VEC), aligned(4), may_alias));

static inline floats fma_vec(float a, floats b, floats c) {
#ifdef __FMA__
    return (floats)_mm256_fmadd_ps(_mm256_set1_ps(a), (__m256)b, (__m256)c);
#else
    for (int n = 0; n < VEC; n++) c[n] = fmaf(a, b[n], c[n]);
    return c;
#endif
}

struct rows {
    _Alignas(64) float of[MAX_E][LANES]; /* element by lane; of[e] read as ints for i8 */
};

static inline float xf32_of(uint32_t u) { /* 10 bits of mantissa, to nearest even */
    if ((u & 0x7f800000) == 0x7f800000) return f32_of(u);
    return f32_of((u + 0xfff + (u >> 13 & 1)) & ~0x1fffu);
}

static float fp8_table[2][256];
__attribute__((constructor)) static void fill_table(void) {
    for (uint32_t n = 0; n < 256; n++) {
        fp8_table[0][n] = f32_of_fp8(n, fp8_format);
        fp8_table[1][n] = f32_of_fp8(n, bf8_format);
    }
}

static inline void unpack(const uint32_t (*v)[LANES], enum element t, int n_elements, struct rows *r) {
    for (int e = 0; e < n_elements; e++) {
        float *to = r->of[e];
        switch (t) {
        case E_F32: FOR_LANES to[l] = f32_of(v[e][l]); break;
        case E_XF32: FOR_LANES to[l] = xf32_of(v[e][l]); break;
        case E_F16: FOR_LANES to[l] = f32_of_f16(v[e / 2][l] >> e % 2 * 16); break;
        case E_BF16: FOR_LANES to[l] = f32_of(e % 2 ? v[e / 2][l] & 0xffff0000 : v[e / 2][l] << 16); break;
        case E_FP8: FOR_LANES to[l] = fp8_table[0][v[e / 4][l] >> e % 4 * 8 & 0xff]; break;
        case E_BF8: FOR_LANES to[l] = fp8_table[1][v[e / 4][l] >> e % 4 * 8 & 0xff]; break;
        case E_I8:
            FOR_LANES to[l] = f32_of((uint32_t)((int32_t)(v[e / 4][l] << (24 - e % 4 * 8)) >> 24));
            break;
        }
    }
}

/* blgp: B's lanes are read from other lanes. */
static void spread_b(struct rows *r, int n_elements, unsigned blgp) {
    for (int e = 0; e < n_elements; e++) {
        float old[LANES];
        memcpy(old, r->of[e], sizeof old);
        FOR_LANES {
            int from = blgp == 1   ? l % 32
                       : blgp == 2 ? 32 + l % 32
                       : blgp == 3 ? (l + 16) % 64
                                   : 16 * ((int)blgp - 4) + l % 16;
            r->of[e][l] = old[from];
        }
    }
}

static inline unsigned n_regs(int m, int n, int blocks) {
    return (unsigned)(m * n * blocks / LANES);
}

static void load_c(struct gfx_wave *w, const struct gfx_inst *i, unsigned n, uint32_t (*c)[LANES]) {
    const struct gfx_operand *o = &i->src[2];
    if (o->kind == GFX_K_VGPR) {
        memcpy(c, w->v[o->reg], n * sizeof *c);
        return;
    }
    uint32_t x = gfx_scalar32(w, o);
    for (unsigned r = 0; r < n; r++) FOR_LANES c[r][l] = x;
}

static inline void store_d(struct gfx_wave *w, const struct gfx_inst *i, unsigned n, uint32_t (*d)[LANES],
                           bool floating) {
    uint32_t nan = 0;
    for (unsigned r = 0; floating && r < n; r++) FOR_LANES nan |= (d[r][l] & 0x7fffffff) > 0x7f800000 ? 1 : 0;
    for (unsigned r = 0; nan && r < n; r++) /* one sign for NaNs, where hosts have two */
        FOR_LANES d[r][l] = is_nan32(d[r][l]) ? (d[r][l] & 0x7fffffff) | 0x400000 : d[r][l];
    memcpy(w->v[i->dst.reg], d, n * sizeof *d);
}

/* Modifiers that a shape does not have must be zero. */
static inline bool allowed(struct gfx_wave *w, const struct gfx_inst *i, bool has_cbsz, bool has_blgp,
                           int blocks) {
    bool bad_a = has_cbsz ? 1 << i->cbsz > blocks || i->abid >= 1 << i->cbsz : i->cbsz || i->abid;
    if (!bad_a && (has_blgp || !i->blgp)) return true;
    gfx_fault(w, "cbsz %u, abid %u, blgp %u have no meaning for %s", i->cbsz, i->abid, i->blgp, i->op->name);
    return false;
}

/* One block of 16 or 32 columns: four rows of C, 16 columns of them, at a time. a and b are rows of the block's first
   lane; k = kg * e_n + e. `step` lanes lie between k groups. */
static inline __attribute__((always_inline)) void block_f32(const struct rows *ra, const struct rows *rb,
                                                            int a_lane, int b_lane, int m, int n, int k_n,
                                                            int e_n, float (*c)[LANES]) {
    for (int g = 0; g < m / 4; g++)
        for (int j = 0; j < n; j += 2 * VEC) {
            int reg = 4 * (g / (LANES / n)), lane = n * (g % (LANES / n)) + j;
            floats acc[4][2];
            for (int r = 0; r < 4; r++)
                for (int h = 0; h < 2; h++) acc[r][h] = *(const floats *)&c[reg + r][lane + h * VEC];
            for (int k = 0; k < k_n; k++) {
                const float *a = &ra->of[k % e_n][a_lane + k / e_n * m + 4 * g];
                const float *b = &rb->of[k % e_n][b_lane + k / e_n * n + j];
                floats b0 = *(const floats *)b, b1 = *(const floats *)(b + VEC);
                for (int r = 0; r < 4; r++) {
                    acc[r][0] = fma_vec(a[r], b0, acc[r][0]);
                    acc[r][1] = fma_vec(a[r], b1, acc[r][1]);
                }
            }
            for (int r = 0; r < 4; r++)
                for (int h = 0; h < 2; h++) *(floats *)&c[reg + r][lane + h * VEC] = acc[r][h];
        }
}

static inline __attribute__((always_inline)) void block_i32(const struct rows *ra, const struct rows *rb,
                                                            int a_lane, int b_lane, int m, int n, int k_n,
                                                            int e_n, float (*c)[LANES]) {
    for (int g = 0; g < m / 4; g++)
        for (int j = 0; j < n; j += VEC) {
            int reg = 4 * (g / (LANES / n)), lane = n * (g % (LANES / n)) + j;
            ints acc[4];
            for (int r = 0; r < 4; r++) acc[r] = *(const ints *)&c[reg + r][lane];
            for (int k = 0; k < k_n; k++) {
                const float *a = &ra->of[k % e_n][a_lane + k / e_n * m + 4 * g];
                ints b = *(const ints *)&rb->of[k % e_n][b_lane + k / e_n * n + j];
                for (int r = 0; r < 4; r++) acc[r] += (int32_t)bits_of(a[r]) * b;
            }
            for (int r = 0; r < 4; r++) *(ints *)&c[reg + r][lane] = acc[r];
        }
}

/* Sixteen blocks of 4 x 4: register i, lane j + 4 * block. */
static inline void blocks_4x4(const struct gfx_inst *i, const struct rows *ra, const struct rows *rb, int k_n,
                              bool integer, float (*c)[LANES]) {
    for (int row = 0; row < 4; row++)
        for (int k = 0; k < k_n; k++) FOR_LANES {
                int block = (l / 4 & ~((1 << i->cbsz) - 1)) + i->abid;
                float a = ra->of[k][block * 4 + row], b = rb->of[k][l];
                if (integer)
                    c[row][l] = f32_of(bits_of(c[row][l]) + bits_of(a) * bits_of(b));
                else
                    c[row][l] = fmaf(a, b, c[row][l]);
            }
}

static inline __attribute__((always_inline)) void product(struct gfx_wave *w, const struct gfx_inst *i, int m,
                                                          int n, int k_n, int blocks, enum element ta,
                                                          enum element tb) {
    int e_n = m * k_n * blocks / LANES;
    unsigned regs = n_regs(m, n, blocks);
    bool one_f32 = ta == E_F32 && blocks == 1;
    if (!allowed(w, i, blocks > 1, blocks > 1 || one_f32, blocks)) return;
    struct rows a, b;
    _Alignas(64) float c[MAX_REGS][LANES];
    unpack((const uint32_t(*)[LANES])w->v[i->src[0].reg], ta, e_n, &a);
    unpack((const uint32_t(*)[LANES])w->v[i->src[1].reg], tb, e_n, &b);
    if (i->blgp) spread_b(&b, e_n, i->blgp);
    load_c(w, i, regs, (uint32_t(*)[LANES])c);
    if (m == 4)
        blocks_4x4(i, &a, &b, k_n, ta == E_I8, c);
    else
        for (int block = 0; block < blocks; block++) {
            int from = (block & ~((1 << i->cbsz) - 1)) + i->abid;
            float(*at)[LANES] = c + (unsigned)block * n_regs(m, n, 1);
            if (ta == E_I8)
                block_i32(&a, &b, from * m, block * n, m, n, k_n, e_n, at);
            else
                block_f32(&a, &b, from * m, block * n, m, n, k_n, e_n, at);
        }
    store_d(w, i, regs, (uint32_t(*)[LANES])c, ta != E_I8);
}

static void load64(struct gfx_wave *w, const struct gfx_operand *o, int pair, double *x) {
    if (o->kind == GFX_K_VGPR)
        FOR_LANES x[l] = f64_of(w->v[o->reg + 2 * pair][l] | (uint64_t)w->v[o->reg + 2 * pair + 1][l] << 32);
    else
        FOR_LANES x[l] = f64_of(gfx_scalar64(w, o));
}

/* In double precision blgp negates A (1), B (2), C (4). */
static inline void product_f64(struct gfx_wave *w, const struct gfx_inst *i, int m, int blocks) {
    if (!allowed(w, i, false, true, blocks)) return;
    int n_pairs = m * m * blocks / LANES;
    double a[LANES], b[LANES], c[4][LANES];
    load64(w, &i->src[0], 0, a);
    load64(w, &i->src[1], 0, b);
    for (int p = 0; p < n_pairs; p++) load64(w, &i->src[2], p, c[p]);
    FOR_LANES a[l] = i->blgp & 1 ? -a[l] : a[l], b[l] = i->blgp & 2 ? -b[l] : b[l];
    for (int p = 0; p < n_pairs; p++) {
        FOR_LANES {
            double x = i->blgp & 4 ? -c[p][l] : c[p][l];
            int row = blocks == 1 ? p * 4 + l / 16 : l / 16, block = blocks == 1 ? 0 : l / m % blocks,
                j = l % m;
            for (int k = 0; k < 4; k++) {
                int group = m * (block + blocks * k);
                x = fma(a[group + row], b[group + j], x);
            }
            uint64_t u = bits64_of(x);
            if (is_nan64(u)) u = (u & INT64_MAX) | 1ull << 51;
            w->v[i->dst.reg + 2 * p][l] = (uint32_t)u;
            w->v[i->dst.reg + 2 * p + 1][l] = (uint32_t)(u >> 32);
        }
    }
}

/* M, N, K, blocks, element of A and B, passes of 4 cycles */
#define SHAPES(X)                                                   \
    X(f32_32x32x1_2b_f32, 32, 1, 2, E_F32, E_F32, 16, GFX_F_F32MAT) \
    X(f32_16x16x1_4b_f32, 16, 1, 4, E_F32, E_F32, 8, GFX_F_F32MAT)  \
    X(f32_4x4x1_16b_f32, 4, 1, 16, E_F32, E_F32, 2, GFX_F_F32MAT)   \
    X(f32_32x32x2_f32, 32, 2, 1, E_F32, E_F32, 16, GFX_F_F32MAT)    \
    X(f32_16x16x4_f32, 16, 4, 1, E_F32, E_F32, 8, GFX_F_F32MAT)     \
    X(f32_32x32x4_xf32, 32, 4, 1, E_XF32, E_XF32, 8, 0)             \
    X(f32_16x16x8_xf32, 16, 8, 1, E_XF32, E_XF32, 4, 0)             \
    X(f32_32x32x4_2b_f16, 32, 4, 2, E_F16, E_F16, 16, 0)            \
    X(f32_16x16x4_4b_f16, 16, 4, 4, E_F16, E_F16, 8, 0)             \
    X(f32_4x4x4_16b_f16, 4, 4, 16, E_F16, E_F16, 2, 0)              \
    X(f32_32x32x8_f16, 32, 8, 1, E_F16, E_F16, 8, 0)                \
    X(f32_16x16x16_f16, 16, 16, 1, E_F16, E_F16, 4, 0)              \
    X(f32_32x32x4_2b_bf16, 32, 4, 2, E_BF16, E_BF16, 16, 0)         \
    X(f32_16x16x4_4b_bf16, 16, 4, 4, E_BF16, E_BF16, 8, 0)          \
    X(f32_4x4x4_16b_bf16, 4, 4, 16, E_BF16, E_BF16, 2, 0)           \
    X(f32_32x32x8_bf16, 32, 8, 1, E_BF16, E_BF16, 8, 0)             \
    X(f32_16x16x16_bf16, 16, 16, 1, E_BF16, E_BF16, 4, 0)           \
    X(i32_32x32x4_2b_i8, 32, 4, 2, E_I8, E_I8, 16, 0)               \
    X(i32_16x16x4_4b_i8, 16, 4, 4, E_I8, E_I8, 8, 0)                \
    X(i32_4x4x4_16b_i8, 4, 4, 16, E_I8, E_I8, 2, 0)                 \
    X(i32_32x32x16_i8, 32, 16, 1, E_I8, E_I8, 8, 0)                 \
    X(i32_16x16x32_i8, 16, 32, 1, E_I8, E_I8, 4, 0)                 \
    X(f32_32x32x16_fp8_fp8, 32, 16, 1, E_FP8, E_FP8, 8, 0)          \
    X(f32_32x32x16_fp8_bf8, 32, 16, 1, E_FP8, E_BF8, 8, 0)          \
    X(f32_32x32x16_bf8_fp8, 32, 16, 1, E_BF8, E_FP8, 8, 0)          \
    X(f32_32x32x16_bf8_bf8, 32, 16, 1, E_BF8, E_BF8, 8, 0)          \
    X(f32_16x16x32_fp8_fp8, 16, 32, 1, E_FP8, E_FP8, 4, 0)          \
    X(f32_16x16x32_fp8_bf8, 16, 32, 1, E_FP8, E_BF8, 4, 0)          \
    X(f32_16x16x32_bf8_fp8, 16, 32, 1, E_BF8, E_FP8, 4, 0)          \
    X(f32_16x16x32_bf8_bf8, 16, 32, 1, E_BF8, E_BF8, 4, 0)

#define DEFINE(name, m, k, blocks, ta, tb, passes, flags) \
    HANDLER(name) {                                       \
        product(w, i, m, m, k, blocks, ta, tb);           \
    }
SHAPES(DEFINE)

HANDLER(f64_16x16x4_f64) {
    product_f64(w, i, 16, 1);
}
HANDLER(f64_4x4x4_4b_f64) {
    product_f64(w, i, 4, 4);
}

#define MAT_OF(t) ((t) == E_I8 ? GFX_T_MATI : GFX_T_MAT)
#define LIST(name, m, k, blocks, ta, tb, passes, flags) \
    {"v_mfma_" #name,                                   \
     name,                                              \
     GFX_C_MFMA,                                        \
     1,                                                 \
     passes,                                            \
     0,                                                 \
     GFX_F_ALL_LANES | (flags),                         \
     {MAT_OF(ta), MAT_OF(ta), MAT_OF(tb), MAT_OF(ta)}},

GFX_TABLE(mfma) = {
    SHAPES(LIST) /* */
    {"v_mfma_f64_16x16x4_f64",
     f64_16x16x4_f64,
     GFX_C_MFMA,
     1,
     8,
     0,
     GFX_F_ALL_LANES | GFX_F_F64,
     {GFX_T_MATD, GFX_T_MATD, GFX_T_MATD, GFX_T_MATD}},
    {"v_mfma_f64_4x4x4_4b_f64",
     f64_4x4x4_4b_f64,
     GFX_C_MFMA,
     1,
     4,
     0,
     GFX_F_ALL_LANES | GFX_F_F64,
     {GFX_T_MATD, GFX_T_MATD, GFX_T_MATD, GFX_T_MATD}},
    {0},
};
