/*
 * Weights in the PACKED layout (greta/layout.h): one way of decoding a type, shared by lookup, matvec and matmul.
 *
 * A lane reads a PIECE at a time: 16 bytes of plane 0 (two loads for F32, 8 bytes for Q2_K and Q3_K), which are 8 elements of the
 * float types, 16 of Q8_0 and a whole unit of 32 of the others. load_piece fetches its bytes; they are apart from the decoding so
 * that many loads can be under way. A quantized element is scale * (code - BIAS) + offset: the codes are unsigned bytes, four to
 * a word; scale and offset are those of the piece's first or second half, different only where 16 elements have a scale.
 */
#ifndef HIPKERNELS_COMMON_DECODE_H
#define HIPKERNELS_COMMON_DECODE_H

#include "device.h"

/* ---- what is known of a type ---- */

constexpr __attribute__((device)) bool is_float(u32 type) {
    return type <= GRETA_TYPE_BF16;
}
constexpr __attribute__((device)) u32 piece_elements(u32 type) {
    return GRETA_HIP_PIECE(type);
}
constexpr __attribute__((device)) bool has_offset(u32 type) {
    return type == GRETA_TYPE_Q4_1 || type == GRETA_TYPE_Q4_K || type == GRETA_TYPE_Q5_1 ||
           type == GRETA_TYPE_Q5_K || type == GRETA_TYPE_Q2_K;
}
/* 16 elements have a scale: a piece has two. */
constexpr __attribute__((device)) bool has_half_scales(u32 type) {
    return type == GRETA_TYPE_Q6_K || type == GRETA_TYPE_Q2_K || type == GRETA_TYPE_Q3_K;
}
constexpr __attribute__((device)) bool has_fifth_bit(u32 type) {
    return type == GRETA_TYPE_Q5_0 || type == GRETA_TYPE_Q5_1 || type == GRETA_TYPE_Q5_K;
}
constexpr __attribute__((device)) bool is_iq4(u32 type) {
    return type == GRETA_TYPE_IQ4_NL || type == GRETA_TYPE_IQ4_XS;
}
/* What a code of 0 stands for, negated. 128: codes ^ 128 are signed bytes without a bias. */
constexpr __attribute__((device)) int code_bias(u32 type) {
    return type == GRETA_TYPE_Q8_0 || is_iq4(type) ? 128
           : type == GRETA_TYPE_Q4_0               ? 8
           : type == GRETA_TYPE_Q5_0               ? 16
           : type == GRETA_TYPE_Q6_K               ? 32
           : type == GRETA_TYPE_Q3_K               ? 4
                                                   : 0;
}

/* ---- loads ---- */

/* What load_piece needs of a tensor; every member is the same for the whole dispatch. */
struct packed_weight {
    global_in base;
    u32 n_units, n_supers; /* of a row */
    u32 plane_1, plane_2, plane_3;
};

template <u32 TYPE> GRETA_DEVICE packed_weight packed_open(global_in base, u32 n_rows, u32 n_cols) {
    packed_weight w;
    w.base = base;
    w.n_units = GRETA_PACKED_RECORDS_0(TYPE, n_cols);
    w.n_supers = GRETA_PACKED_RECORDS_3(TYPE, n_cols);
    w.plane_1 = GRETA_PACKED_OFFSET_1(TYPE, n_rows, n_cols);
    w.plane_2 = GRETA_PACKED_OFFSET_2(TYPE, n_rows, n_cols);
    w.plane_3 = GRETA_PACKED_OFFSET_3(TYPE, n_rows, n_cols);
    return w;
}

/* The bytes of a piece; members that a type does not use cost nothing. */
struct packed_piece {
    u32x4 q, q_high; /* plane 0; q_high: the second half of 8 f32 */
    u32 bits, bits_high;
    u32 scale, super; /* 16 or 32 bits of plane 1 or 2, of plane 3 */
    u32x4 block;      /* of Q4_K and Q5_K: a superblock's scales and minima */
};

template <u32 TYPE> GRETA_DEVICE packed_piece load_piece(const packed_weight &w, u32 row, u32 piece) {
    packed_piece p = {};
    constexpr u32 PER_UNIT = 32 / piece_elements(TYPE);
    u32 unit = row * w.n_units + piece / PER_UNIT;
    u32 super = row * w.n_supers + piece / (8 * PER_UNIT);
    u32 at = row * w.n_units * PER_UNIT + piece;
    if (TYPE == GRETA_TYPE_F32) {
        p.q = in<u32x4>(w.base, at * 32);
        p.q_high = in<u32x4>(w.base, at * 32 + 16);
        return p;
    }
    if (TYPE == GRETA_TYPE_Q2_K || TYPE == GRETA_TYPE_Q3_K)
        p.q.xy = in<u32x2>(w.base, at * 8);
    else
        p.q = in<u32x4>(w.base, at * 16);
    switch (TYPE) {
    case GRETA_TYPE_Q8_0:
    case GRETA_TYPE_Q4_0:
    case GRETA_TYPE_IQ4_NL: p.scale = in<u16>(w.base, w.plane_1 + unit * 2); break;
    case GRETA_TYPE_Q4_1: p.scale = in<u32>(w.base, w.plane_1 + unit * 4); break;
    case GRETA_TYPE_Q5_0:
        p.scale = in<u16>(w.base, w.plane_1 + unit * 2);
        p.bits = in<u32>(w.base, w.plane_2 + unit * 4);
        break;
    case GRETA_TYPE_Q5_1:
        p.scale = in<u32>(w.base, w.plane_1 + unit * 4);
        p.bits = in<u32>(w.base, w.plane_2 + unit * 4);
        break;
    case GRETA_TYPE_Q4_K: p.block = in<u32x4>(w.base, w.plane_1 + super * 16); break;
    case GRETA_TYPE_Q5_K:
        p.block = in<u32x4>(w.base, w.plane_1 + super * 16);
        p.bits = in<u32>(w.base, w.plane_2 + unit * 4);
        break;
    case GRETA_TYPE_Q6_K: {
        u32x2 bits = in<u32x2>(w.base, w.plane_1 + unit * 8);
        p.bits = bits.x;
        p.bits_high = bits.y;
        p.scale = in<u16>(w.base, w.plane_2 + unit * 2);
        p.super = in<u16>(w.base, w.plane_3 + super * 2);
        break;
    }
    case GRETA_TYPE_Q2_K:
        p.scale = in<u16>(w.base, w.plane_1 + unit * 2);
        p.super = in<u32>(w.base, w.plane_3 + super * 4);
        break;
    case GRETA_TYPE_Q3_K:
        p.bits = in<u32>(w.base, w.plane_1 + unit * 4);
        p.scale = in<u16>(w.base, w.plane_2 + unit * 2);
        p.super = in<u16>(w.base, w.plane_3 + super * 2);
        break;
    case GRETA_TYPE_IQ4_XS:
        p.scale = in<u8>(w.base, w.plane_1 + unit);
        p.super = in<u16>(w.base, w.plane_3 + super * 2);
        break;
    default: break;
    }
    return p;
}

/* ---- codes ---- */

/* Four nibbles, each in a byte of w, as GRETA_IQ4_VALUES + 128: bytes picked from the table's words. */
GRETA_DEVICE u32 iq4_codes(u32 w) {
    u32 pick = w & 0x07070707;
    u32 low = __builtin_amdgcn_perm(GRETA_IQ4_WORD_1, GRETA_IQ4_WORD_0, pick);
    u32 high = __builtin_amdgcn_perm(GRETA_IQ4_WORD_3, GRETA_IQ4_WORD_2, pick);
    u32 mask = (w >> 3 & 0x01010101) * 255;
    return (low & ~mask) | (high & mask);
}

GRETA_DEVICE u32 word_of(const u32x4 &v, u32 i) {
    return i == 0 ? v.x : i == 1 ? v.y : i == 2 ? v.z : v.w;
}

/* The codes of the elements 4i .. 4i+3 of the piece; i is known when it is compiled. */
template <u32 TYPE> GRETA_DEVICE u32 piece_codes(const packed_piece &p, u32 i) {
    if (TYPE == GRETA_TYPE_Q8_0) return word_of(p.q, i) ^ 0x80808080;
    if (TYPE == GRETA_TYPE_Q2_K) return (i < 4 ? p.q.x : p.q.y) >> 2 * (i & 3) & 0x03030303;
    if (TYPE == GRETA_TYPE_Q3_K) {
        u32 pairs = (i < 4 ? p.q.x : p.q.y) >> 2 * (i & 3) & 0x03030303;
        u32 bits = i < 2 ? p.bits << (2 - i) : p.bits >> (i - 2);
        return pairs | (bits & 0x04040404);
    }
    u32 codes = word_of(p.q, i / 2) >> 4 * (i & 1) & 0x0F0F0F0F;
    if (is_iq4(TYPE)) return iq4_codes(codes);
    if (TYPE == GRETA_TYPE_Q6_K) {
        u32 pairs = i < 4 ? p.bits : p.bits_high, j = i & 3;
        codes |= (j < 2 ? pairs << (4 - 2 * j) : pairs >> (2 * j - 4)) & 0x30303030;
    }
    if (has_fifth_bit(TYPE)) codes |= (i < 4 ? p.bits << (4 - i) : p.bits >> (i - 4)) & 0x10101010;
    return codes;
}

struct scale_offset {
    float scale, offset;
};

/* Of the piece's first (half 0) or second half; `piece` is its number in the row. */
template <u32 TYPE> GRETA_DEVICE scale_offset piece_scale(const packed_piece &p, u32 piece, u32 half) {
    scale_offset s = {1, 0};
    switch (TYPE) {
    case GRETA_TYPE_Q8_0:
    case GRETA_TYPE_Q4_0:
    case GRETA_TYPE_Q5_0:
    case GRETA_TYPE_IQ4_NL: s.scale = f16_to_f32(p.scale); break;
    case GRETA_TYPE_Q4_1:
    case GRETA_TYPE_Q5_1:
        s.scale = f16_to_f32(p.scale);
        s.offset = f16_to_f32(p.scale >> 16);
        break;
    case GRETA_TYPE_Q4_K:
    case GRETA_TYPE_Q5_K: {
        u32 u = piece & 7, word = u < 4 ? p.block.y : p.block.z;
        s.scale = f16_to_f32(p.block.x) * (float)GRETA_Q4_K_SCALE(word, u);
        s.offset = -f16_to_f32(p.block.x >> 16) * (float)GRETA_Q4_K_MIN(word, p.block.w, u);
        break;
    }
    case GRETA_TYPE_Q6_K:
    case GRETA_TYPE_Q3_K: s.scale = f16_to_f32(p.super) * signed_byte_to_f32(p.scale, half); break;
    case GRETA_TYPE_Q2_K: {
        u32 sm = p.scale >> 8 * half;
        s.scale = f16_to_f32(p.super) * (float)(sm & 15);
        s.offset = -f16_to_f32(p.super >> 16) * (float)(sm >> 4 & 15);
        break;
    }
    case GRETA_TYPE_IQ4_XS: s.scale = f16_to_f32(p.super) * signed_byte_to_f32(p.scale, 0); break;
    default: break;
    }
    return s;
}

/* ---- floats ---- */

/*
 * Four codes as floats, the bias taken off. The compiler sees neither the word's making nor the bias: it would pick the bits of each
 * code apart, where one instruction makes a float of any byte, and take the bias off the integers, where one does so for two floats.
 */
template <u32 TYPE> GRETA_DEVICE f32x4 codes_to_f32(u32 codes) {
    if constexpr (code_bias(TYPE) == 128) {
        u32 w = codes ^ 0x80808080;
        return f32x4{signed_byte_to_f32(w, 0), signed_byte_to_f32(w, 1), signed_byte_to_f32(w, 2),
                     signed_byte_to_f32(w, 3)};
    }
    __asm__("" : "+v"(codes));
    f32x4 v = {byte_to_f32(codes, 0), byte_to_f32(codes, 1), byte_to_f32(codes, 2), byte_to_f32(codes, 3)};
    if constexpr (code_bias(TYPE) != 0) {
        float bias = -(float)code_bias(TYPE);
        __asm__("" : "+v"(bias));
        v += f32x4{bias, bias, bias, bias};
    }
    return v;
}

/* The elements 4i .. 4i+3 of a piece of a float type, i < 2. */
template <u32 TYPE> GRETA_DEVICE f32x4 float_piece(const packed_piece &p, u32 i) {
    if (TYPE == GRETA_TYPE_F32) return __builtin_bit_cast(f32x4, i ? p.q_high : p.q);
    u32x2 w = i ? p.q.zw : p.q.xy;
    if (TYPE == GRETA_TYPE_F16) return __builtin_convertvector(__builtin_bit_cast(f16x4, w), f32x4);
    f32x4 v = {float_of(w.x << 16), float_of(w.x & 0xFFFF0000), float_of(w.y << 16),
               float_of(w.y & 0xFFFF0000)};
    return v;
}

/* The elements 4i .. 4i+3 of the piece, themselves. */
template <u32 TYPE> GRETA_DEVICE f32x4 piece_values(const packed_piece &p, u32 piece, u32 i) {
    if (is_float(TYPE)) return float_piece<TYPE>(p, i & 1);
    scale_offset s = piece_scale<TYPE>(p, piece, has_half_scales(TYPE) ? i / 4 : 0);
    f32x4 v = codes_to_f32<TYPE>(piece_codes<TYPE>(p, i)) * s.scale;
    if (has_offset(TYPE)) v += s.offset;
    return v;
}

/* ---- 8-bit dot products ---- */

/* sum + a . b of four signed bytes each. */
GRETA_DEVICE int dot4(u32 a, u32 b, int sum) {
#if defined(__GFX9__)
    return __builtin_amdgcn_sdot4((int)a, (int)b, sum, false);
#else
    return __builtin_amdgcn_sudot4(true, (int)a, true, (int)b, sum, false);
#endif
}

#endif
