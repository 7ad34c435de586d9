/* What the bindings of the norms and of GEMM hold before a call. */
#include "verify.h"

#include "half.h"

#include <math.h>
#include <string.h>

/* Norms: a mean far from zero, and rows of one value, of which only roundings are left. Softmax: what a mask leaves, and
 * exponents from end to end. */
void kc_fill_norms(struct kc_rng *rng, enum greta_op op, uint64_t n_rows, uint64_t n_cols, float *out) {
    for (uint64_t r = 0; r < n_rows; r++)
        for (uint64_t c = 0; c < n_cols; c++) {
            float x = (float)(kc_random(rng) % 2001) / 1000 - 1;
            if (op != GRETA_OP_SOFTMAX)
                x = r % 3 == 0 ? 100 + x : r % 3 == 1 ? 0.7f : x * 1e-4f;
            else if (r % 3 == 0)
                x = c > (r + n_cols) / 2 ? -INFINITY : x;
            else
                x = r % 3 == 1 ? 200 * x : 1e4f + x;
            out[r * n_cols + c] = x;
        }
}

/* FP8: any byte but the NaN; small integers are those that E4M3 holds, -8 .. 8. */
static uint8_t fp8(uint64_t random, enum kc_style style) {
    static const uint8_t whole[] = {0x00, 0x40, 0x48, 0x4C, 0x50, 0x52, 0x54, 0x56, 0x58};
    uint8_t sign = (uint8_t)(random >> 32 & 0x80);
    if (style == KC_INTEGERS) return random % 9 ? whole[random % 9] | sign : 0;
    uint8_t bits = (uint8_t)(random % (style == KC_OUTLIERS ? 0x60 : 0x50));
    return bits ? bits | sign : 0;
}

/* SPECIAL: the least but one and the least, whose sums of products f32 does not hold where there are a thousand. */
static uint8_t i8(uint64_t random, enum kc_style style) {
    if (style == KC_SPECIAL) return random % 8 ? 0x80 : 0x81;
    return (uint8_t)(style == KC_INTEGERS ? random % 17 - 8 : random);
}

static void put(struct kc_rng *rng, const struct kc_case *c, uint64_t i, uint8_t *out) {
    uint32_t type = c->call.keys[0];
    uint64_t random = kc_random(rng);
    if (type == GRETA_TYPE_I8)
        out[i] = i8(random, c->style);
    else if (type == GRETA_TYPE_FP8)
        out[i] = fp8(random, c->style);
    else {
        float x = c->style == KC_INTEGERS ? (float)(random % 17) - 8 : (float)(random % 20001) * 1e-4f - 1;
        if (c->style == KC_OUTLIERS && random >> 32 & 127) x *= 0.02f;
        uint16_t h = type == GRETA_TYPE_F16 ? half_f32_to_f16(x) : half_f32_to_bf16(x);
        if (type == GRETA_TYPE_F32)
            memcpy(out + 4 * i, &x, sizeof x);
        else
            memcpy(out + 2 * i, &h, sizeof h);
    }
}

struct filling {
    struct kc_rng rng;
    const struct kc_case *c;
    uint64_t n;
    uint8_t *out;
};

enum { PART = 1 << 16 };

static void fill_some(void *user, uint32_t i_part) {
    const struct filling *f = user;
    struct kc_rng rng = f->rng;
    uint64_t begin = (uint64_t)i_part * PART, end = begin + PART;
    kc_skip(&rng, begin); /* each element takes one */
    for (uint64_t i = begin; i < end && i < f->n; i++) put(&rng, f->c, i, f->out);
}

void kc_fill_gemm(struct kc_rng *rng, const struct kc_case *c, uint64_t n, uint8_t *out) {
    struct filling f = {*rng, c, n, out};
    ref_loop((uint32_t)((n + PART - 1) / PART), fill_some, &f);
    kc_skip(rng, n);
}
