/*
 * Weights in the PACKED layout (greta/layout.h): one way of decoding, shared by lookup, matvec and matmul. What a quantized type is
 * made of is its FORMAT's to say (greta/weight_formats.h): no type is named here but the floats.
 *
 * A lane reads a PIECE at a time: 16 bytes of plane 0 (two loads for F32, 8 bytes where an element has two bits there), which are 8
 * elements of the float types, 16 of eight bits and a whole unit of 32 of fewer. load_piece fetches its bytes; they are apart from the
 * decoding so that many loads can be under way. A quantized element is scale * (code - BIAS) + offset: the codes are unsigned bytes,
 * four to a word; scale and offset are those of the piece's first or second half, different only where 16 elements have a scale.
 */
#ifndef HIPKERNELS_COMMON_DECODE_H
#define HIPKERNELS_COMMON_DECODE_H

#include "device.h"

#define GRETA_WEIGHT_FN GRETA_DEVICE
#define GRETA_U32 u32
#define GRETA_U32X4 u32x4
#define GRETA_F32(x) (float)(x)
#define GRETA_FROM_BITS(w) float_of(w)
#define GRETA_F16(w) f16_to_f32(w)
#define GRETA_F16_HIGH(w) f16_to_f32((w) >> 16)
#define GRETA_SIGNED(w, i) signed_byte_to_f32(w, i)
#include "greta/weight_formats.h"

/* ---- what is known of a type ---- */

constexpr __attribute__((device)) u32 format_of(u32 type) {
    return GRETA_WEIGHT_FORMAT(type);
}
constexpr __attribute__((device)) bool is_float(u32 type) {
    return GRETA_FORMAT_LOW(format_of(type)) >= 16;
}
constexpr __attribute__((device)) u32 piece_elements(u32 type) {
    return GRETA_HIP_PIECE(type);
}
constexpr __attribute__((device)) bool has_offset(u32 type) {
    return GRETA_FORMAT_HAS_OFFSET(format_of(type));
}
/* 16 elements have a scale, and a piece has two. */
constexpr __attribute__((device)) bool has_half_scales(u32 type) {
    return GRETA_FORMAT_HAS_HALVES(format_of(type)) && piece_elements(type) == 32;
}
/* What a code of 0 stands for, negated. 128: codes ^ 128 are signed bytes without a bias. */
constexpr __attribute__((device)) int code_bias(u32 type) {
    return (int)GRETA_FORMAT_BIAS(format_of(type));
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

/* What a record of so many bytes is loaded to. */
template <u32 BYTES> struct record { typedef u32 type; };
template <> struct record<8> { typedef u32x2 type; };
template <> struct record<16> { typedef u32x4 type; };

template <u32 BYTES> GRETA_DEVICE typename record<BYTES>::type in_record(global_in base, u32 at) {
    static_assert(BYTES == 0 || BYTES == 1 || BYTES == 2 || BYTES == 4 || BYTES == 8 || BYTES == 16,
                  "one load");
    if constexpr (BYTES == 0) return 0;
    if constexpr (BYTES == 1) return in<u8>(base, at);
    if constexpr (BYTES == 2) return in<u16>(base, at);
    if constexpr (BYTES >= 4) return in<typename record<BYTES>::type>(base, at);
}

/*
 * The bytes of a piece. Members that a type does not use cost nothing; none is wider than what is loaded, since the compiler keeps a
 * vector's zeros in registers.
 */
template <u32 TYPE> struct packed_piece {
    static constexpr u32 ELEMENTS = piece_elements(TYPE), PER_UNIT = 32 / ELEMENTS,
                         BYTES_0 = ELEMENTS * GRETA_FORMAT_LOW(format_of(TYPE)) / 8,
                         LOAD_0 = BYTES_0 < 16 ? BYTES_0 : 16, BYTES_1 = GRETA_PACKED_BYTES_1(TYPE),
                         BYTES_2 = GRETA_PACKED_BYTES_2(TYPE), BYTES_3 = GRETA_PACKED_BYTES_3(TYPE);
    static_assert(BYTES_1 == 0 || PER_UNIT == 1, "high bits of half a unit");
    typename record<LOAD_0>::type q;      /* plane 0 */
    u32x4 q_high;                         /* the second half of 8 f32 */
    typename record<BYTES_1>::type high;  /* plane 1 */
    u32 scale;                            /* plane 2 */
    typename record<BYTES_3>::type super; /* plane 3 */
};

template <u32 TYPE> GRETA_DEVICE packed_piece<TYPE> load_piece(const packed_weight &w, u32 row, u32 piece) {
    typedef packed_piece<TYPE> P;
    P p = {};
    u32 unit = row * w.n_units + piece / P::PER_UNIT;
    u32 super = row * w.n_supers + piece / (8 * P::PER_UNIT);
    u32 at = (row * w.n_units * P::PER_UNIT + piece) * P::BYTES_0;
    p.q = in_record<P::LOAD_0>(w.base, at);
    if constexpr (P::BYTES_0 == 32) p.q_high = in<u32x4>(w.base, at + 16);
    p.super = in_record<P::BYTES_3>(w.base, w.plane_3 + super * P::BYTES_3);
    p.scale = in_record<P::BYTES_2>(w.base, w.plane_2 + unit * P::BYTES_2);
    p.high = in_record<P::BYTES_1>(w.base, w.plane_1 + unit * P::BYTES_1);
    return p;
}

/* ---- codes ---- */

/*
 * Four codes of four bits, each in a byte of w, as their VALUES: bytes picked from the table's lower half and from its upper half, then
 * byte i of one of the two by bit 3 of the code.
 */
template <u32 FORMAT> GRETA_DEVICE u32 value_codes(u32 w) {
    u32 pick = w & 0x07070707, which = (w >> 1 & 0x04040404) | 0x03020100;
    u32 low = __builtin_amdgcn_perm(GRETA_VALUES_WORD(FORMAT, 1), GRETA_VALUES_WORD(FORMAT, 0), pick);
    u32 high = __builtin_amdgcn_perm(GRETA_VALUES_WORD(FORMAT, 3), GRETA_VALUES_WORD(FORMAT, 2), pick);
    return __builtin_amdgcn_perm(high, low, which);
}

GRETA_DEVICE u32 word_of(u32 v, u32) {
    return v;
}
GRETA_DEVICE u32 word_of(const u32x2 &v, u32 i) {
    return i == 0 ? v.x : v.y;
}
GRETA_DEVICE u32 word_of(const u32x4 &v, u32 i) {
    return i == 0 ? v.x : i == 1 ? v.y : i == 2 ? v.z : v.w;
}

/* The codes of the elements 4i .. 4i+3 of the piece; i is known when it is compiled. */
template <u32 TYPE> GRETA_DEVICE u32 piece_codes(const packed_piece<TYPE> &p, u32 i) {
    constexpr u32 FORMAT = format_of(TYPE), LOW = GRETA_FORMAT_LOW(FORMAT), HIGH = GRETA_FORMAT_HIGH(FORMAT);
    u32 codes = greta_weight_codes(FORMAT, word_of(p.q, i * LOW / 8), word_of(p.high, i * HIGH / 8), i);
    if (LOW == 8) return codes ^ 0x80808080;
    if constexpr (GRETA_FORMAT_VALUES(FORMAT) != GRETA_VALUES_NONE) return value_codes<FORMAT>(codes);
    return codes;
}

GRETA_DEVICE u32x4 as_words(u32 word) {
    return u32x4{word, 0, 0, 0};
}
GRETA_DEVICE u32x4 as_words(const u32x2 &words) {
    return u32x4{words.x, words.y, 0, 0};
}
GRETA_DEVICE u32x4 as_words(const u32x4 &words) {
    return words;
}

struct scale_offset {
    float scale, offset;
};

/* Of the piece's first (half 0) or second half, where it has two; `piece` is its number in the row. */
template <u32 TYPE> GRETA_DEVICE scale_offset piece_scale(const packed_piece<TYPE> &p, u32 piece, u32 half) {
    constexpr u32 FORMAT = format_of(TYPE), PER_UNIT = 32 / piece_elements(TYPE);
    u32 u = piece / PER_UNIT & 7;
    if (PER_UNIT == 2) half = piece & 1;
    u32x4 super = as_words(p.super);
    return {greta_weight_scale(FORMAT, p.scale, super, u, half),
            greta_weight_offset(FORMAT, p.scale, super, u, half)};
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
template <u32 TYPE> GRETA_DEVICE f32x4 float_piece(const packed_piece<TYPE> &p, u32 i) {
    if (TYPE == GRETA_TYPE_F32) return __builtin_bit_cast(f32x4, i ? p.q_high : p.q);
    u32x2 w = i ? p.q.zw : p.q.xy;
    if (TYPE == GRETA_TYPE_F16) return __builtin_convertvector(__builtin_bit_cast(f16x4, w), f32x4);
    f32x4 v = {float_of(w.x << 16), float_of(w.x & 0xFFFF0000), float_of(w.y << 16),
               float_of(w.y & 0xFFFF0000)};
    return v;
}

/* The elements 4i .. 4i+3 of the piece, quantized ones before scale and offset. */
template <u32 TYPE> GRETA_DEVICE f32x4 piece_numbers(const packed_piece<TYPE> &p, u32 i) {
    if constexpr (is_float(TYPE))
        return float_piece<TYPE>(p, i);
    else
        return codes_to_f32<TYPE>(piece_codes<TYPE>(p, i));
}

/* The elements 4i .. 4i+3 of the piece, themselves. */
template <u32 TYPE> GRETA_DEVICE f32x4 piece_values(const packed_piece<TYPE> &p, u32 piece, u32 i) {
    if constexpr (is_float(TYPE)) {
        return float_piece<TYPE>(p, i & 1);
    } else {
        scale_offset s = piece_scale<TYPE>(p, piece, has_half_scales(TYPE) ? i / 4 : 0);
        f32x4 v = piece_numbers<TYPE>(p, i) * s.scale;
        if (has_offset(TYPE)) v += s.offset;
        return v;
    }
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
