/* What the bindings hold before a call. */
#include "verify.h"

#include "half.h"

#include <greta/layout.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

static double uniform(struct kc_rng *rng) {
    return (double)(kc_random(rng) >> 11) * 0x1p-53;
}

/* A sum of four uniforms: close enough to N(0, 1). */
static double normal(struct kc_rng *rng) {
    return (uniform(rng) + uniform(rng) + uniform(rng) + uniform(rng) - 2) * 1.7320508;
}

static uint32_t below(struct kc_rng *rng, uint32_t n) {
    return (uint32_t)(kc_random(rng) % n);
}

static float value(struct kc_rng *rng, enum kc_style style) {
    if (style == KC_INTEGERS) return (float)below(rng, 17) - 8;
    return (float)(normal(rng) * (style == KC_OUTLIERS && below(rng, 100) == 0 ? 50 : 1));
}

/* The numbers that each value takes. */
static uint64_t n_taken(enum kc_style style) {
    return style == KC_INTEGERS ? 1 : style == KC_OUTLIERS ? 5 : 4;
}

static void put_f16(uint8_t *p, double x) {
    uint16_t h = half_f32_to_f16((float)x);
    memcpy(p, &h, sizeof h);
}

static void put_float(uint32_t type, uint8_t *p, float x) {
    uint16_t h = type == GRETA_TYPE_F16 ? half_f32_to_f16(x) : half_f32_to_bf16(x);
    if (type == GRETA_TYPE_F32)
        memcpy(p, &x, sizeof x);
    else
        memcpy(p, &h, sizeof h);
}

/* ---- weights ---- */

/* A block's scale: either sign, a hundredth or so; now and then a denormal f16, or a large one. */
static double scale(struct kc_rng *rng, enum kc_style style) {
    if (style == KC_INTEGERS) return 1;
    double s = 0.01 * (0.2 + uniform(rng)) * (below(rng, 8) ? 1 : -1);
    if (below(rng, 50) == 0) return 0x1p-20 * normal(rng);
    return style == KC_OUTLIERS && below(rng, 20) == 0 ? 20 * s : s;
}

/* Codes, and scales of few bits. SPECIAL: all at one end of their range, where sums of products of few bits are largest. */
static void random_bytes(struct kc_rng *rng, enum kc_style style, uint8_t *p, unsigned n) {
    static const uint8_t ends[] = {0x00, 0xFF, 0x7F, 0x80, 0x77, 0x88};
    uint8_t end = style == KC_SPECIAL ? ends[below(rng, sizeof ends)] : 0;
    for (unsigned i = 0; i < n; i++) p[i] = style == KC_SPECIAL ? end : (uint8_t)kc_random(rng);
}

/* IQ4_XS: eight scales of -2 .. 2, plus 32, in nibbles and pairs of bits: else f16 and f32 could not hold the sums. */
static void fill_small_scales(struct kc_rng *rng, uint8_t *p) {
    memset(p, 0, 6);
    for (unsigned u = 0; u < 8; u++) {
        uint32_t s = 30 + below(rng, 5);
        p[u / 4] |= (uint8_t)(s >> 4 << u % 4 * 2);
        p[2 + u / 2] |= (uint8_t)((s & 15) << u % 2 * 4);
    }
}

/* Any bytes are a block. In integers d is a power of two that makes all values whole, scales the smallest. */
static void fill_codebook_block(struct kc_rng *rng, enum kc_style style, uint32_t type, uint8_t *b) {
    bool integers = style == KC_INTEGERS;
    unsigned bytes = greta_type_get_info(type)->block_bytes, d = type == GRETA_TYPE_TQ1_0   ? 52
                                                                 : type == GRETA_TYPE_TQ2_0 ? 64
                                                                                            : 0;
    random_bytes(rng, style, b, bytes);
    if (type == GRETA_TYPE_IQ1_M) { /* d lies in the high nibbles of the last four words */
        uint8_t h[2];
        put_f16(h, integers ? 8 : scale(rng, style) / 8);
        for (unsigned i = 0; i < 4; i++)
            b[49 + 2 * i] =
                (uint8_t)((integers ? 0 : b[49 + 2 * i] & 15) | (h[i / 2] >> i % 2 * 4 & 15) << 4);
        return;
    }
    put_f16(b + d, integers ? 8 : scale(rng, style) / 64);
}

static void fill_block(struct kc_rng *rng, enum kc_style style, uint32_t type, uint8_t *b) {
    bool integers = style == KC_INTEGERS;
    switch (type) {
    case GRETA_TYPE_Q8_0:
        put_f16(b, scale(rng, style) / 8);
        if (integers) put_f16(b, 1);
        if (!integers) random_bytes(rng, style, b + 2, 32);
        for (unsigned i = 0; integers && i < 32; i++) b[2 + i] = (uint8_t)(below(rng, 17) - 8);
        break;
    case GRETA_TYPE_Q4_0:
        put_f16(b, scale(rng, style));
        random_bytes(rng, style, b + 2, 16);
        break;
    case GRETA_TYPE_Q4_1:
        put_f16(b, scale(rng, style));
        put_f16(b + 2, integers ? -3 : -8 * scale(rng, style));
        random_bytes(rng, style, b + 4, 16);
        break;
    case GRETA_TYPE_Q4_K:
        put_f16(b, scale(rng, style) / (integers ? 1 : 16));
        put_f16(b + 2, integers ? 1 : scale(rng, style) / 4);
        random_bytes(rng, style, b + 4, 140);
        break;
    case GRETA_TYPE_Q6_K:
        random_bytes(rng, style, b, 208);
        for (unsigned i = 192; integers && i < 208; i++) b[i] = (uint8_t)(below(rng, 5) - 2);
        put_f16(b + 208, integers ? 1 : scale(rng, style) / 64);
        break;
    case GRETA_TYPE_Q5_0:
        put_f16(b, scale(rng, style) / (integers ? 1 : 2));
        random_bytes(rng, style, b + 2, 20);
        break;
    case GRETA_TYPE_Q5_1:
        put_f16(b, scale(rng, style) / (integers ? 1 : 2));
        put_f16(b + 2, integers ? -3 : -8 * scale(rng, style));
        random_bytes(rng, style, b + 4, 20);
        break;
    case GRETA_TYPE_Q5_K:
        put_f16(b, scale(rng, style) / (integers ? 1 : 32));
        put_f16(b + 2, integers ? 1 : scale(rng, style) / 4);
        random_bytes(rng, style, b + 4, 172);
        break;
    case GRETA_TYPE_Q2_K:
        random_bytes(rng, style, b, 80);
        put_f16(b + 80, integers ? 1 : scale(rng, style) / 2);
        put_f16(b + 82, integers ? 1 : scale(rng, style));
        break;
    case GRETA_TYPE_Q3_K:
        random_bytes(rng, style, b, 108);
        put_f16(b + 108, integers ? 1 : scale(rng, style) / 8);
        break;
    case GRETA_TYPE_IQ4_NL:
        put_f16(b, scale(rng, style) / (integers ? 1 : 16));
        random_bytes(rng, style, b + 2, 16);
        break;
    case GRETA_TYPE_IQ4_XS:
        put_f16(b, integers ? 1 : scale(rng, style) / 256);
        random_bytes(rng, style, b + 2, 134);
        if (integers) fill_small_scales(rng, b + 2);
        break;
    case GRETA_TYPE_MXFP4: /* 2^-8 .. 2^-1 of half a value; now and then the smallest normal scale, or a large one */
        b[0] = (uint8_t)(integers ? 128 : 120 + below(rng, 8));
        if (!integers && below(rng, 50) == 0) b[0] = 2;
        if (style == KC_OUTLIERS && below(rng, 20) == 0) b[0] = 130;
        random_bytes(rng, style, b + 1, 16);
        break;
    default: fill_codebook_block(rng, style, type, b); break;
    }
}

/*
 * n values, or blocks, a part at a time by all threads. Each value takes as many random numbers as any other, so that what is filled does
 * not depend on the parts. Blocks do not: where there are many, each part has numbers of its own.
 */
enum { PART_VALUES = 1 << 16, PART_BLOCKS = 1 << 11, FEW_ELEMENTS = 1 << 18 };

struct filling {
    struct kc_rng rng;
    enum kc_style style;
    uint32_t type;
    float factor;
    uint64_t n, n_of_part;
    uint8_t *out;
};

static uint32_t n_parts(const struct filling *f) {
    return (uint32_t)((f->n + f->n_of_part - 1) / f->n_of_part);
}

static uint64_t part_end(const struct filling *f, uint32_t i) {
    uint64_t end = (i + 1) * f->n_of_part;
    return end < f->n ? end : f->n;
}

static void fill_some_values(void *user, uint32_t i) {
    const struct filling *f = user;
    struct kc_rng rng = f->rng;
    uint64_t begin = i * f->n_of_part, bytes = f->type == GRETA_TYPE_F32 ? 4 : 2;
    kc_skip(&rng, begin * n_taken(f->style));
    for (uint64_t k = begin; k < part_end(f, i); k++)
        put_float(f->type, f->out + k * bytes, value(&rng, f->style) * f->factor);
}

static void fill_values(struct kc_rng *rng, enum kc_style style, uint32_t type, float factor, uint64_t n,
                        void *out) {
    struct filling f = {*rng, style, type, factor, n, PART_VALUES, out};
    ref_loop(n_parts(&f), fill_some_values, &f);
    kc_skip(rng, n * n_taken(style));
}

static void fill_some_blocks(void *user, uint32_t i) {
    const struct filling *f = user;
    struct kc_rng rng = f->rng;
    kc_skip(&rng, i);
    rng.state = kc_random(&rng);
    uint64_t bytes = greta_type_get_info(f->type)->block_bytes;
    for (uint64_t k = i * f->n_of_part; k < part_end(f, i); k++)
        fill_block(&rng, f->style, f->type, f->out + k * bytes);
}

static void fill_blocks(struct kc_rng *rng, enum kc_style style, uint32_t type, uint64_t n, void *out) {
    const struct greta_type_info *t = greta_type_get_info(type);
    struct filling f = {*rng, style, type, 1, n, PART_BLOCKS, out};
    if (n * t->block_elements > FEW_ELEMENTS) {
        ref_loop(n_parts(&f), fill_some_blocks, &f);
        kc_skip(rng, n_parts(&f));
    } else {
        for (uint64_t i = 0; i < n; i++) fill_block(rng, style, type, (uint8_t *)out + i * t->block_bytes);
    }
}

void kc_fill_weights(struct kc_rng *rng, enum kc_style style, uint32_t type, uint64_t n_rows, uint64_t n_cols,
                     void *out) {
    const struct greta_type_info *t = greta_type_get_info(type);
    uint64_t n = n_rows * (n_cols / t->block_elements);
    if (t->quantized)
        fill_blocks(rng, style, type, n, out);
    else
        fill_values(rng, style, type, style == KC_INTEGERS ? 1 : 0.05f, n, out);
}

/* ---- activations ---- */

/* What f16, bf16 and exp have trouble with: zeros, infinities, NaN, denormals, ties, the ends of the ranges. */
static const float specials[] = {
    0.0f,        -0.0f,       1.0f,      65504.0f,  65519.0f, 65520.0f, -65536.0f,      1e30f,
    -1e30f,      0x1p-14f,    0x1p-24f,  0x1p-25f,  0x3p-25f, 0x1p-26f, 1.00048828125f, 1.00146484375f,
    1.00390625f, 1.01171875f, 0x1.01p0f, 0x1.03p0f, 100.0f,   -100.0f,  87.0f,          -87.0f,
    88.5f,       -88.5f,      -89.5f,    20.0f,     -20.0f,   1e-6f,    -1e-6f,
};

static float special(struct kc_rng *rng, bool finite) {
    uint32_t i = below(rng, sizeof specials / sizeof *specials + (finite ? 0 : 3));
    if (i < sizeof specials / sizeof *specials) return specials[i];
    i -= (uint32_t)(sizeof specials / sizeof *specials);
    return i == 2 ? NAN : i ? -INFINITY : INFINITY;
}

static void fill_f32(struct kc_rng *rng, enum kc_style style, uint64_t n, float *out) {
    fill_values(rng, style, GRETA_TYPE_F32, 1, n, out);
}

/* SPECIAL: of one sign for long, and, where 8 bits are made of them, of one size: all 127 or all -127. */
static void fill_x(struct kc_rng *rng, enum kc_style style, bool q8a, uint64_t n, float *out) {
    fill_f32(rng, style, n, out);
    for (uint64_t i = 0; style == KC_SPECIAL && i < n; i++)
        out[i] = (float)(q8a ? 1 : 0.5 + uniform(rng)) * (i / 512 % 2 ? -1 : 1);
}

/* Integers that are integers again after the rounding to 8 bits: every unit holds a 127. */
static void fill_x_q8a(struct kc_rng *rng, enum kc_style style, uint64_t n_rows, uint64_t n_cols,
                       uint8_t *out) {
    float *x = malloc((size_t)n_cols * sizeof *x);
    for (uint64_t r = 0; x && r < n_rows; r++) {
        fill_x(rng, style, true, n_cols, x);
        for (uint64_t c = 0; style == KC_INTEGERS && c < n_cols; c += 32) x[c] = 127;
        ref_encode_q8a(x, n_cols, out + r * GRETA_Q8A_ROW_BYTES(n_cols));
    }
    free(x);
}

static void fill_table(uint64_t n_rows, uint64_t pairs, float *out) {
    for (uint64_t p = 0; p < n_rows; p++)
        for (uint64_t j = 0; j < pairs; j++) {
            double angle = (double)p * pow(10000, -(double)j / (double)pairs);
            out[(p * pairs + j) * 2] = (float)cos(angle);
            out[(p * pairs + j) * 2 + 1] = (float)sin(angle);
        }
}

/* KC_SPECIAL: small ones besides, among which are those that f16 has as denormals, or not at all. */
static float kv_value(struct kc_rng *rng, enum kc_style style) {
    float x = value(rng, style);
    return style == KC_SPECIAL ? ldexpf(x, -(int)below(rng, 32)) : x;
}

/* Rows of row_bytes, of which the first `period` are there: the others are these again. */
static void repeat(uint8_t *rows, uint64_t row_bytes, uint64_t period, uint64_t n_rows) {
    for (uint64_t r = period; r < n_rows; r++)
        memcpy(rows + r * row_bytes, rows + r % period * row_bytes, (size_t)row_bytes);
}

static uint64_t at_most(uint32_t period, uint64_t n) {
    return period && period < n ? period : n;
}

enum { KV_PERIOD = 251, LONG = 1000003 }; /* primes */

/* Positions at n_kv and past it stay NaN: they must not reach a result. */
static void fill_kv(struct kc_rng *rng, const struct kc_case *c, uint64_t n_kv, uint64_t width,
                    uint8_t *out) {
    uint64_t bytes = c->call.keys[0] == GRETA_TYPE_F32 ? 4 : 2,
             row_bytes = GRETA_KV_ROW_BYTES(GRETA_TYPE_Q8_0, width), all = n_kv;
    n_kv = at_most(c->x_period ? KV_PERIOD : 0, n_kv);
    for (uint64_t i = 0; c->call.keys[0] == GRETA_TYPE_Q8_0 && i < n_kv * width; i++) {
        uint8_t *row = out + i / width * row_bytes;
        row[i % width] = (uint8_t)((int)below(rng, 255) - 127);
        if (i % 32 == 0)
            put_f16(row + GRETA_KV_SCALES_OFFSET(width) + i % width / 32 * 2,
                    fabsf(kv_value(rng, c->style)) / 64);
    }
    if (c->call.keys[0] != GRETA_TYPE_Q8_0 && c->style != KC_SPECIAL)
        fill_values(rng, c->style, c->call.keys[0], 1, n_kv * width, out);
    else if (c->call.keys[0] != GRETA_TYPE_Q8_0)
        for (uint64_t i = 0; i < n_kv * width; i++)
            put_float(c->call.keys[0], out + bytes * i, kv_value(rng, c->style));
    repeat(out, GRETA_KV_ROW_BYTES(c->call.keys[0], width), n_kv, all);
}

/* {max, sum, acc} as attn_split leaves them; splits past n_kv stay NaN. */
static void fill_partials(struct kc_rng *rng, const struct kc_case *c, float *out) {
    const struct greta_scalars_attn_reduce *s = &c->call.scalars.attn_reduce;
    uint64_t width = 2 + (uint64_t)c->call.keys[0],
             used = ((uint64_t)c->step[1] + GRETA_ATTN_CHUNK) / GRETA_ATTN_CHUNK;
    for (uint64_t i = 0; i < (uint64_t)s->n_head * s->n_split; i++) {
        float *p = out + i * width;
        if (i % s->n_split >= used) continue;
        p[0] = 4 * value(rng, c->style);
        p[1] = (float)(1 + 200 * uniform(rng));
        for (uint64_t k = 2; k < width; k++) p[k] = p[1] * value(rng, KC_NORMAL);
    }
}

/* Out of range at the ends, and the same row twice. */
static void fill_ids(struct kc_rng *rng, const struct kc_case *c, uint32_t *out) {
    const struct greta_scalars_row_lookup *s = &c->call.scalars.row_lookup;
    for (uint32_t i = 0; i < s->n_ids; i++) out[i] = below(rng, s->n_rows);
    if (s->n_ids < 4) return;
    out[1] = s->n_rows;
    out[2] = UINT32_MAX;
    out[3] = out[0];
}

/* Ties, NaN, infinities: each row of a matrix has its own trouble. */
static void fill_rows_special(struct kc_rng *rng, const struct kc_case *c, float *out) {
    uint32_t n_rows = c->call.scalars.u32[0], n_cols = c->call.scalars.u32[1];
    for (uint64_t r = 0; r < n_rows; r++)
        for (uint64_t k = 0; k < n_cols; k++) {
            float *x = out + r * n_cols + k;
            switch (r % 6) {
            case 0: *x = -2.0f - (float)below(rng, 3); break; /* negative, many equal */
            case 1: *x = NAN; break;                          /* nothing but NaN */
            case 2: *x = below(rng, 2) ? NAN : value(rng, KC_NORMAL); break;
            case 3: *x = below(rng, 10) ? value(rng, KC_NORMAL) : INFINITY; break;
            case 4: *x = k < n_cols / 2 ? NAN : -INFINITY; break;
            default: *x = below(rng, 2) ? 0.0f : -0.0f; break;
            }
        }
}

/* Units of zeros, and single values. */
static void fill_quantize_special(struct kc_rng *rng, const struct kc_case *c, float *out) {
    uint64_t n = (uint64_t)c->call.scalars.quantize.n_rows * c->call.scalars.quantize.n_cols;
    for (uint64_t i = 0; i < n; i++) out[i] = i / 40 % 2 ? 0 : i % 7 ? 0 : 3e4f * value(rng, KC_NORMAL);
}

static void fill_plain(struct kc_rng *rng, const struct kc_case *c, uint32_t type, uint64_t n, uint8_t *out) {
    bool finite = c->call.op == GRETA_OP_ACT_MUL || c->call.op == GRETA_OP_ADD ||
                  c->call.op == GRETA_OP_SCALE || c->call.op == GRETA_OP_SOFTCAP;
    uint64_t bytes = type == GRETA_TYPE_F32 ? 4 : 2;
    for (uint64_t i = 0; i < n; i++)
        put_float(type, out + bytes * i,
                  c->style == KC_SPECIAL ? special(rng, finite)
                                         : value(rng, c->style) * (below(rng, 4) ? 1 : 10));
}

static void fill_matrix(struct kc_rng *rng, const struct kc_case *c, uint32_t i, uint64_t n_tok,
                        uint64_t n_rows, uint64_t n_cols, uint8_t *out) {
    if (kc_weight_rows(&c->call, i)) {
        uint32_t type = kc_weight_type(&c->call, i);
        uint64_t own = at_most(c->w_period, n_rows);
        kc_fill_weights(rng, c->style, type, own, n_cols, out);
        repeat(out, greta_layout_bytes(GRETA_LAYOUT_ROWS, type, 1, n_cols), own, n_rows);
        return;
    }
    uint64_t own = at_most(c->x_period, n_tok);
    if (kc_x_type(&c->call) == GRETA_TYPE_Q8A)
        fill_x_q8a(rng, c->style, own, n_cols, out);
    else if (kc_x_type(&c->call) == GRETA_TYPE_F16)
        for (uint64_t k = 0; k < own * n_cols; k++)
            put_float(GRETA_TYPE_F16, out + 2 * k, value(rng, c->style));
    else
        fill_x(rng, c->style, false, own * n_cols, (float *)out);
    uint64_t row_bytes = kc_x_type(&c->call) == GRETA_TYPE_F16
                             ? 2 * n_cols
                             : greta_activation_row_bytes(kc_x_type(&c->call), n_cols);
    repeat(out, row_bytes, own, n_tok);
}

/* The table's own size: the contract cannot know pos. */
static uint64_t binding_bytes(const struct kc_case *c, const struct greta_call *rows, uint32_t i) {
    if (c->call.op == GRETA_OP_ROPE && i == 1)
        return (uint64_t)(c->step[1] + c->call.scalars.rope.n_tok) * (c->call.scalars.rope.n_rot / 2) * 8;
    if (c->call.op == GRETA_OP_ROPE_KV && i == 6)
        return (uint64_t)(c->step[1] + c->call.scalars.rope_kv.n_tok) * (c->call.scalars.rope_kv.n_rot / 2) *
               8;
    if (c->call.op == GRETA_OP_MATVEC_QKV && i == 6)
        return (uint64_t)(c->step[1] + 1) * (c->call.scalars.matvec_qkv.n_rot / 2) * 8;
    return greta_op_binding_bytes(rows, i);
}

/* Where operands repeat the others may, too: a million random numbers are enough of them. */
static void fill_long(struct kc_rng *rng, const struct kc_case *c, uint64_t n, uint8_t *out) {
    uint64_t own = at_most(c->x_period ? LONG : 0, n);
    fill_f32(rng, c->style, own, (float *)out);
    for (uint64_t k = own; k < n; k += own)
        memcpy(out + 4 * k, out, (size_t)(4 * (own < n - k ? own : n - k)));
}

static void fill(struct kc_rng *rng, const struct kc_case *c, uint32_t i, uint64_t size, uint8_t *out) {
    const union greta_scalars *s = &c->call.scalars;
    const char *name = greta_op_get_info(c->call.op)->binding_names[i];
    bool special_rows =
        c->style == KC_SPECIAL && (c->call.op == GRETA_OP_ARGMAX || c->call.op == GRETA_OP_TOP_K ||
                                   c->call.op == GRETA_OP_ROW_SUM || c->call.op == GRETA_OP_ROW_MAX);
    if (!strcmp(name, "step")) {
        memcpy(out, c->step, sizeof c->step);
        return;
    }
    switch (c->call.op) {
    case GRETA_OP_ROW_LOOKUP:
        if (i == 0)
            kc_fill_weights(rng, c->style, c->call.keys[0], s->row_lookup.n_rows, s->row_lookup.n_cols, out);
        else
            fill_ids(rng, c, (uint32_t *)out);
        return;
    case GRETA_OP_UNPACK:
        if (i == 0) kc_fill_weights(rng, c->style, c->call.keys[0], s->unpack.n_rows, s->unpack.n_cols, out);
        return;
    case GRETA_OP_MATVEC:
        if (i < 2)
            fill_matrix(rng, c, i, 1, s->matvec.n_rows, s->matvec.n_cols, out);
        else if (c->call.keys[2]) { /* else y is only written */
            fill_f32(rng, c->style, at_most(c->w_period, size / 4), (float *)out);
            repeat(out, 4, at_most(c->w_period, size / 4), size / 4);
        }
        return;
    case GRETA_OP_MATVEC_SPLIT:
        if (i < 2)
            fill_matrix(rng, c, i, 1, s->matvec_split.n_rows, s->matvec_split.n_cols, out);
        else if (i == 3)
            memset(out, 0, (size_t)size); /* counters */
        else if (c->call.keys[2])
            fill_long(rng, c, size / 4, out);
        return;
    case GRETA_OP_MATVEC_GLU:
        if (i == 3)
            fill_long(rng, c, size / 4, out);
        else
            fill_matrix(rng, c, i, 1, s->matvec_glu.n_rows, s->matvec_glu.n_cols, out);
        return;
    case GRETA_OP_MATVEC_QKV:
        if (i == 6)
            fill_table(size / (s->matvec_qkv.n_rot / 2 * 8), s->matvec_qkv.n_rot / 2, (float *)out);
        else if (i == 4 || i == 5)
            fill_long(rng, c, size / 4, out);
        else
            fill_matrix(rng, c, i, 1, kc_weight_rows(&c->call, i), s->matvec_qkv.n_cols, out);
        return;
    case GRETA_OP_MATMUL:
        fill_matrix(rng, c, i, s->matmul.n_tok, s->matmul.n_rows, s->matmul.n_cols, out);
        return;
    case GRETA_OP_ROPE:
        if (i == 1 && s->rope.n_rot)
            fill_table(size / (s->rope.n_rot / 2 * 8), s->rope.n_rot / 2, (float *)out);
        if (i == 0) fill_long(rng, c, size / 4, out);
        return;
    case GRETA_OP_ROPE_KV:
        if (i == 6)
            fill_table(size / (s->rope_kv.n_rot / 2 * 8), s->rope_kv.n_rot / 2, (float *)out);
        else
            fill_long(rng, c, size / 4, out);
        return;
    case GRETA_OP_ATTN:
        if (i == 0)
            fill_long(rng, c, size / 4, out);
        else
            fill_kv(rng, c, c->step[1] + s->attn.n_tok, (uint64_t)s->attn.n_head_kv * c->call.keys[1], out);
        return;
    case GRETA_OP_ATTN_SPLIT:
        if (i == 0)
            fill_long(rng, c, size / 4, out);
        else
            fill_kv(rng, c, c->step[1] + 1, (uint64_t)s->attn_split.n_head_kv * c->call.keys[1], out);
        return;
    case GRETA_OP_GEMM:
        kc_fill_gemm(rng, c, size / greta_type_get_info(c->call.keys[0])->block_bytes, out);
        return;
    case GRETA_OP_LAYER_NORM:
    case GRETA_OP_LAYER_RMS_NORM:
    case GRETA_OP_SOFTMAX:
        if (c->style == KC_SPECIAL && i == 0)
            kc_fill_norms(rng, c->call.op, s->u32[0], s->u32[1], (float *)out);
        else
            fill_long(rng, c, size / 4, out);
        return;
    case GRETA_OP_ATTN_REDUCE: fill_partials(rng, c, (float *)out); return;
    case GRETA_OP_KV_UPDATE: fill_plain(rng, c, GRETA_TYPE_F32, size / 4, out); return;
    case GRETA_OP_CAST: fill_plain(rng, c, c->call.keys[0], s->cast.n, out); return;
    case GRETA_OP_QUANTIZE:
        if (c->style == KC_SPECIAL)
            fill_quantize_special(rng, c, (float *)out);
        else
            fill_long(rng, c, size / 4, out);
        return;
    default:
        if (special_rows)
            fill_rows_special(rng, c, (float *)out);
        else if (c->style == KC_SPECIAL)
            fill_plain(rng, c, GRETA_TYPE_F32, size / 4, out);
        else
            fill_long(rng, c, size / 4, out);
    }
}

bool kc_data_make(struct kc_data *d, const struct kc_case *c, uint64_t seed) {
    const struct greta_op_info *info = greta_op_get_info(c->call.op);
    struct greta_call rows = c->call;
    rows.layout = GRETA_LAYOUT_ROWS;
    *d = (struct kc_data){.sizes = {0}};
    for (uint32_t i = 0; i < info->n_bindings; i++) {
        struct kc_rng rng = {seed * 1000003 + i};
        d->sizes[i] = binding_bytes(c, &rows, i);
        d->bytes[i] = malloc((size_t)d->sizes[i] + 1);
        if (!d->bytes[i]) return false;
        memset(d->bytes[i], 0xFF, (size_t)d->sizes[i]);
        if (info->access[i] != GRETA_WRITE) fill(&rng, c, i, d->sizes[i], d->bytes[i]);
    }
    return true;
}

void kc_data_free(struct kc_data *d) {
    for (int i = 0; i < GRETA_OP_MAX_BINDINGS; i++) free(d->bytes[i]);
    *d = (struct kc_data){.sizes = {0}};
}
