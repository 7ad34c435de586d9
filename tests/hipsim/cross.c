/*
 * What crosses the lanes of a wave of 32: the RDNA 3 instruction set architecture, reference guide of AMD: DPP16 (section 7.6), data sharing
 * by ds_swizzle and ds_bpermute (12.5), WMMA (7.9). And what one lane does for itself, where the host has no such instruction.
 */
#include "sim.h"

#include <math.h>
#include <string.h>

static bool fp16_ovfl; /* MODE bit 23: what passes f16's largest number becomes it */

static uint32_t operand(const struct lane *wave, unsigned lane) {
    uint32_t x;
    memcpy(&x, wave[lane].in, sizeof x);
    return x;
}
static void give(struct lane *wave, unsigned lane, uint32_t x) {
    memcpy(wave[lane].out, &x, sizeof x);
}

/* ---- one word a lane ---- */

enum { OUTSIDE = 32 };

/* The lane that a DPP control reads, or OUTSIDE. */
static unsigned dpp_source(unsigned lane, unsigned control) {
    unsigned row = lane & ~15u, at = lane & 15;
    if (control < 0x100) return (lane & ~3u) | (control >> 2 * (lane & 3) & 3); /* quad_perm */
    if (control <= 0x10F) return at + (control & 15) < 16 ? row + at + (control & 15) : OUTSIDE; /* row_shl */
    if (control <= 0x11F) return at >= (control & 15) ? row + at - (control & 15) : OUTSIDE;     /* row_shr */
    if (control <= 0x12F) return row + ((at - (control & 15)) & 15);                             /* row_ror */
    if (control == 0x140) return row + 15 - at;                                   /* row_mirror */
    if (control == 0x141) return row + (at ^ 7);                                  /* row_half_mirror */
    if (control >= 0x150 && control <= 0x15F) return row + (control & 15);        /* row_share */
    if (control >= 0x160 && control <= 0x16F) return row + (at ^ (control & 15)); /* row_xmask */
    sim_fault("DPP control %#x is none of this machine's", control);
    return OUTSIDE;
}

static unsigned swizzle_source(unsigned lane, unsigned pattern) {
    if (pattern & 0x8000) {
        sim_fault("ds_swizzle %#x is none of this machine's", pattern);
        return OUTSIDE;
    }
    return ((lane & (pattern & 31)) | (pattern >> 5 & 31)) ^ (pattern >> 10 & 31);
}

static unsigned source_of(const struct lane *wave, unsigned lane) {
    struct {
        uint32_t x, lane;
    } in;
    switch (wave[lane].kind) {
    case HIPSIM_READ_LANE: return wave[lane].parameter & 31;
    case HIPSIM_DPP: return dpp_source(lane, wave[lane].parameter & 0xFFF);
    case HIPSIM_SWIZZLE: return swizzle_source(lane, wave[lane].parameter);
    default: memcpy(&in, wave[lane].in, sizeof in); return in.lane;
    }
}

static void move(struct lane *wave, uint32_t mask) {
    uint32_t x[HIPSIM_WAVE] = {0};
    for (unsigned i = 0; i < HIPSIM_WAVE; i++)
        if (mask >> i & 1) x[i] = operand(wave, i);
    for (unsigned i = 0; i < HIPSIM_WAVE; i++) {
        if (!(mask >> i & 1)) continue;
        unsigned from = source_of(wave, i);
        if (from < HIPSIM_WAVE && !(mask >> from & 1))
            sim_fault("lane %u reads lane %u, which is not active", i, from);
        give(wave, i, from < HIPSIM_WAVE ? x[from] : 0);
    }
}

/* ---- WMMA: d[16][16] = a[16][16] b[16][16] + c ----
 * Lane i % 16 holds row i % 16 of a and column i % 16 of b, each 16 elements of k in order; lanes 16 to 31 the same as lanes 0 to 15. Word v
 * of c and d in lane i is row 2 v + i / 16, column i % 16. */

float hipsim_half_to_float(unsigned short half) {
    uint32_t bits = (uint32_t)(half & 0x7FFF) << 13;
    float value;
    bool is_finite = bits < 0x7C00u << 13;
    if (!is_finite) bits |= 0x7F800000;
    memcpy(&value, &bits, 4);
    if (is_finite) value *= 0x1p112f; /* the exponents' biases: 127 - 15; denormals, too */
    return half & 0x8000 ? -value : value;
}

static void element_floats(unsigned kind, const unsigned words[8], float out[16]) {
    uint16_t half[16];
    memcpy(half, words, sizeof half);
    for (int k = 0; k < 16; k++) {
        uint32_t bits = (uint32_t)half[k] << 16;
        if (kind == HIPSIM_WMMA_BF16)
            memcpy(&out[k], &bits, 4);
        else
            out[k] = hipsim_half_to_float(half[k]);
    }
}

static void multiply_floats(unsigned kind, const struct hipsim_wmma_operands in[HIPSIM_WAVE],
                            unsigned d[HIPSIM_WAVE][8]) {
    float a[16][16], b[16][16], columns[16][16]; /* columns: [k][column] */
    for (int i = 0; i < 16; i++) {
        element_floats(kind, in[i].a, a[i]);
        element_floats(kind, in[i].b, b[i]);
    }
    for (int k = 0; k < 16; k++)
        for (int n = 0; n < 16; n++) columns[k][n] = b[n][k];
    for (int m = 0; m < 16; m++) {
        float sum[16];
        for (int n = 0; n < 16; n++) memcpy(&sum[n], &in[m % 2 * 16 + n].c[m / 2], 4);
        for (int k = 0; k < 16; k++) /* the products are exact in f32: one rounding each */
            for (int n = 0; n < 16; n++) sum[n] += a[m][k] * columns[k][n];
        for (int n = 0; n < 16; n++) memcpy(&d[m % 2 * 16 + n][m / 2], &sum[n], 4);
    }
}

static int byte_of(const unsigned words[8], int k, bool is_signed) {
    unsigned byte = words[k / 4] >> k % 4 * 8 & 255;
    return is_signed ? (int)(int8_t)byte : (int)byte;
}

static void multiply_bytes(unsigned parameter, const struct hipsim_wmma_operands in[HIPSIM_WAVE],
                           unsigned d[HIPSIM_WAVE][8]) {
    for (int m = 0; m < 16; m++)
        for (int n = 0; n < 16; n++) {
            int64_t sum = (int32_t)in[m % 2 * 16 + n].c[m / 2];
            for (int k = 0; k < 16; k++)
                sum += byte_of(in[m].a, k, parameter & 1) * byte_of(in[n].b, k, parameter & 2);
            if (parameter & 4) sum = sum > INT32_MAX ? INT32_MAX : sum < INT32_MIN ? INT32_MIN : sum;
            d[m % 2 * 16 + n][m / 2] = (uint32_t)sum;
        }
}

static void multiply(struct lane *wave, uint32_t mask) {
    static struct hipsim_wmma_operands in[HIPSIM_WAVE];
    unsigned d[HIPSIM_WAVE][8], kind = wave[0].kind;
    size_t bytes = kind == HIPSIM_WMMA_I8 ? 16 : 32;
    if (mask != UINT32_MAX) {
        sim_fault("a matrix product with lanes that are not active (%08x are)", mask);
        return;
    }
    for (int i = 0; i < HIPSIM_WAVE; i++) memcpy(&in[i], wave[i].in, sizeof in[i]);
    for (int i = 0; i < 16; i++)
        if (memcmp(in[i].a, in[i + 16].a, bytes) != 0 || memcmp(in[i].b, in[i + 16].b, bytes) != 0)
            sim_fault("a matrix product: lanes %d and %d hold different rows of %s", i, i + 16,
                      memcmp(in[i].a, in[i + 16].a, bytes) ? "a" : "b");
    if (kind == HIPSIM_WMMA_I8)
        multiply_bytes(wave[0].parameter, in, d);
    else
        multiply_floats(kind, in, d);
    for (int i = 0; i < HIPSIM_WAVE; i++) memcpy(wave[i].out, d[i], sizeof d[i]);
}

void cross(struct lane *wave, uint32_t mask) {
    unsigned first = (unsigned)__builtin_ctz(mask);
    for (unsigned i = first; i < HIPSIM_WAVE; i++)
        if (mask >> i & 1 && wave[i].parameter != wave[first].parameter)
            sim_fault("lanes %u and %u give one instruction different constants", first, i);
    switch (wave[first].kind) {
    case HIPSIM_READ_FIRST:
        for (unsigned i = 0; i < HIPSIM_WAVE; i++)
            if (mask >> i & 1) give(wave, i, operand(wave, first));
        break;
    case HIPSIM_WMMA_F16:
    case HIPSIM_WMMA_BF16:
    case HIPSIM_WMMA_I8: multiply(wave, mask); break;
    default: move(wave, mask);
    }
}

/* ---- one lane's own ---- */

unsigned hipsim_perm(unsigned high, unsigned low, unsigned pick) {
    uint64_t bytes = (uint64_t)high << 32 | low;
    unsigned result = 0;
    for (int i = 0; i < 4; i++) {
        unsigned p = pick >> 8 * i & 255, byte;
        if (p < 8)
            byte = (unsigned)(bytes >> 8 * p) & 255;
        else if (p < 12)
            byte = bytes >> (16 * (p - 8) + 15) & 1 ? 255 : 0;
        else
            byte = p == 12 ? 0 : 255;
        result |= byte << 8 * i;
    }
    return result;
}

int hipsim_dot4(int a_signed, int a, int b_signed, int b, int sum, int clamp) {
    int64_t wide = sum;
    for (int i = 0; i < 4; i++) {
        unsigned ab = (unsigned)a >> 8 * i & 255, bb = (unsigned)b >> 8 * i & 255;
        wide += (int64_t)(a_signed ? (int8_t)ab : (int)ab) * (b_signed ? (int8_t)bb : (int)bb);
    }
    if (clamp) wide = wide > INT32_MAX ? INT32_MAX : wide < INT32_MIN ? INT32_MIN : wide;
    return (int)(uint32_t)wide;
}

float hipsim_exp2(float x) {
    float y = exp2f(x);
    return y < 0x1p-126f ? 0 : y; /* v_exp_f32 knows no denormals */
}
float hipsim_rsq(float x) {
    return (float)(1 / sqrt((double)x));
}

void hipsim_setreg(int field, unsigned value) {
    if (field == (1 | 23 << 6))
        fp16_ovfl = value & 1;
    else
        sim_fault("s_setreg of field %#x is none of this machine's", (unsigned)field);
}

unsigned hipsim_atomic_add(unsigned *p, unsigned value) {
    unsigned old = *p; /* one lane runs at a time */
    *p = old + value;
    return old;
}

/* Round to nearest even. */
unsigned short hipsim_float_to_half(float x) {
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    uint16_t sign = (uint16_t)(bits >> 16 & 0x8000);
    float size = fabsf(x);
    if (x != x) return sign | 0x7E00;
    if (size >= 65520) return sign | (fp16_ovfl && size <= 3.402823466e38f ? 0x7BFF : 0x7C00);
    if (size < 0x1p-14f) return sign | (uint16_t)rintf(size * 0x1p24f);
    memcpy(&bits, &size, sizeof bits);
    bits += 0xFFF + (bits >> 13 & 1);
    return sign | (uint16_t)((bits >> 13) - (112 << 10));
}
