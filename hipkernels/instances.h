/*
 * Every kernel that is built, once: I(<op>_<schedule>, constants ...) with the constants of a row in order (the workgroup's size,
 * the op's keys, the tunables). hipkernels/ instantiates its templates from these lists; kernels/rows_hip.c knows from them which
 * constants a row may ask for. C and HIP include this file; it holds only macros.
 */
#ifndef HIPKERNELS_INSTANCES_H
#define HIPKERNELS_INSTANCES_H

#include "greta/op_args.h"
#include "greta/weight_formats.h"

/* greta_<entry>_<constant>_<constant>...: what the HIP backend asks of a module. */
#define GRETA_FIRST(first, ...) first
#define GRETA_COUNT(...) GRETA_COUNT_OF(__VA_ARGS__, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0)
#define GRETA_COUNT_OF(a, b, c, d, e, f, g, h, i, j, k, l, n, ...) n
#define GRETA_SYMBOL(entry, ...) GRETA_SYMBOL_PICK(GRETA_COUNT(__VA_ARGS__))(greta_##entry, __VA_ARGS__)
#define GRETA_SYMBOL_PICK(n) GRETA_SYMBOL_PICK_N(n)
#define GRETA_SYMBOL_PICK_N(n) GRETA_SYMBOL_##n
#define GRETA_SYMBOL_1(x, a) x##_##a
#define GRETA_SYMBOL_2(x, a, b) x##_##a##_##b
#define GRETA_SYMBOL_3(x, a, b, c) x##_##a##_##b##_##c
#define GRETA_SYMBOL_4(x, a, b, c, d) x##_##a##_##b##_##c##_##d
#define GRETA_SYMBOL_5(x, a, b, c, d, e) x##_##a##_##b##_##c##_##d##_##e
#define GRETA_SYMBOL_6(x, a, b, c, d, e, f) x##_##a##_##b##_##c##_##d##_##e##_##f
#define GRETA_SYMBOL_7(x, a, b, c, d, e, f, g) x##_##a##_##b##_##c##_##d##_##e##_##f##_##g
#define GRETA_SYMBOL_8(x, a, b, c, d, e, f, g, h) x##_##a##_##b##_##c##_##d##_##e##_##f##_##g##_##h
#define GRETA_SYMBOL_9(x, a, b, c, d, e, f, g, h, i) x##_##a##_##b##_##c##_##d##_##e##_##f##_##g##_##h##_##i
#define GRETA_SYMBOL_10(x, a, b, c, d, e, f, g, h, i, j) \
    x##_##a##_##b##_##c##_##d##_##e##_##f##_##g##_##h##_##i##_##j
#define GRETA_SYMBOL_11(x, a, b, c, d, e, f, g, h, i, j, k) \
    x##_##a##_##b##_##c##_##d##_##e##_##f##_##g##_##h##_##i##_##j##_##k
#define GRETA_SYMBOL_12(x, a, b, c, d, e, f, g, h, i, j, k, l) \
    x##_##a##_##b##_##c##_##d##_##e##_##f##_##g##_##h##_##i##_##j##_##k##_##l

/* F(I, type) for the types of weights with a PACKED layout, by the table's lists; `type` is a number by then, as symbols want it. */
#define GRETA_EACH_FLOAT(F, I) GRETA_WEIGHT_FLOAT_LIST(GRETA_EACH_ROW, (F, I))
#define GRETA_EACH_BYTE(F, I) GRETA_WEIGHT_BYTE_LIST(GRETA_EACH_ROW, (F, I))
#define GRETA_EACH_QUANT(F, I) GRETA_WEIGHT_QUANT_LIST(GRETA_EACH_ROW, (F, I))
#define GRETA_EACH_WEIGHT(F, I) GRETA_WEIGHT_PACKED_LIST(GRETA_EACH_ROW, (F, I))
#define GRETA_EACH_SMALL(F, I) GRETA_WEIGHT_SMALL_LIST(GRETA_EACH_ROW, (F, I))
#define GRETA_EACH_VALUE(F, I) GRETA_WEIGHT_VALUE_LIST(GRETA_EACH_ROW, (F, I))
#define GRETA_EACH_ROW(pair, name, ggml, elements, bytes) \
    GRETA_EACH_CALL(GRETA_EACH_F pair, GRETA_EACH_I pair, GRETA_TYPE_##name)
#define GRETA_EACH_CALL(F, I, type) F(I, type)
#define GRETA_EACH_F(F, I) F
#define GRETA_EACH_I(F, I) I

/* ---- shapes that kernels and rows agree on ---- */

/* Elements of a weight that a lane of matvec reads at once (common/decode.h). */
#define GRETA_HIP_PIECE(type) GRETA_HIP_PIECE_OF(GRETA_FORMAT_LOW(GRETA_WEIGHT_FORMAT(type)))
#define GRETA_HIP_PIECE_OF(low) ((low) >= 16u ? 8u : (low) == 8u ? 16u : 32u)
/* The lanes that share a row of n_cols: the largest power of two of at most a wave and a row's pieces. */
#define GRETA_HIP_ROW_LANES(type, n_cols, wave)          \
    ((n_cols) >= GRETA_HIP_PIECE(type) * (wave) ? (wave) \
     : (n_cols) < GRETA_HIP_PIECE(type)         ? 1u     \
                                        : 1u << (31 - __builtin_clz((n_cols) / GRETA_HIP_PIECE(type))))

/* Columns of a piece of matvec_split: whole blocks. */
#define GRETA_HIP_SPLIT_COLUMNS(n_cols, n_split) (((n_cols) + (n_split)*256 - 1) / ((n_split)*256) * 256)

/* The largest head of rope_kv. */
#define GRETA_HIP_HEAD_MAX 512u

/* ---- elements ---- */

#define GRETA_HIP_FILL(I) I(fill_simple, 256)
#define GRETA_HIP_COPY(I) I(copy_simple, 256)
#define GRETA_HIP_ADD(I) I(add_simple, 256)
#define GRETA_HIP_CAST_TO(I, type)            \
    I(cast_simple, 256, GRETA_TYPE_F32, type) \
    I(cast_simple, 256, GRETA_TYPE_F16, type) \
    I(cast_simple, 256, GRETA_TYPE_BF16, type)
#define GRETA_HIP_CAST(I) GRETA_EACH_FLOAT(GRETA_HIP_CAST_TO, I)

#define GRETA_HIP_ACT_MUL(I) I(act_mul_simple, 256, GRETA_ACT_SILU) I(act_mul_simple, 256, GRETA_ACT_GELU)
#define GRETA_HIP_BIAS_ADD(I) I(bias_add_simple, 256)
#define GRETA_HIP_SCALE(I) I(scale_simple, 256)
#define GRETA_HIP_SOFTCAP(I) I(softcap_simple, 256)

/* ---- rows of activations: pieces of four elements that a thread keeps ---- */

#define GRETA_HIP_ROWS(I, entry) I(entry, 1024, 4) I(entry, 256, 4)
#define GRETA_HIP_RMS_NORM(I) GRETA_HIP_ROWS(I, rms_norm_rows)
#define GRETA_HIP_ADD_RMS_NORM(I) GRETA_HIP_ROWS(I, add_rms_norm_rows)
#define GRETA_HIP_LAYER_NORM(I) GRETA_HIP_ROWS(I, layer_norm_rows)
#define GRETA_HIP_LAYER_RMS_NORM(I) GRETA_HIP_ROWS(I, layer_rms_norm_rows)
#define GRETA_HIP_SOFTMAX(I) GRETA_HIP_ROWS(I, softmax_rows)
#define GRETA_HIP_ROW_SUM(I) GRETA_HIP_ROWS(I, row_sum_rows)
#define GRETA_HIP_ROW_MAX(I) GRETA_HIP_ROWS(I, row_max_rows)
#define GRETA_HIP_CAUSAL_MASK(I) I(causal_mask_rows, 256)
#define GRETA_HIP_ARGMAX(I) I(argmax_rows, 1024)
#define GRETA_HIP_QUANTIZE(I) I(quantize_simple, 256)
#define GRETA_HIP_ADD_RMS_NORM_QUANTIZE(I) GRETA_HIP_ROWS(I, add_rms_norm_quantize_rows)
#define GRETA_HIP_TOP_K(I) I(top_k_radix, 1024)

/* ---- positions ---- */

#define GRETA_EACH_KV(F, I) F(I, GRETA_TYPE_F32) F(I, GRETA_TYPE_F16) F(I, GRETA_TYPE_Q8_0)
#define GRETA_HIP_ROPE(I) I(rope_simple, 256, 0) I(rope_simple, 256, 1)
#define GRETA_HIP_KV_UPDATE_OF(I, kv) I(kv_update_simple, 256, kv)
#define GRETA_HIP_KV_UPDATE(I) GRETA_EACH_KV(GRETA_HIP_KV_UPDATE_OF, I)
/* mode, kv_type, norm, bias */
#define GRETA_HIP_ROPE_KV_MODE(I, mode, kv) \
    I(rope_kv_heads, 64, mode, kv, 0, 0)    \
    I(rope_kv_heads, 64, mode, kv, 0, 1)    \
    I(rope_kv_heads, 64, mode, kv, 1, 0)    \
    I(rope_kv_heads, 64, mode, kv, 1, 1)
#define GRETA_HIP_ROPE_KV_OF(I, kv) GRETA_HIP_ROPE_KV_MODE(I, 0, kv) GRETA_HIP_ROPE_KV_MODE(I, 1, kv)
#define GRETA_HIP_ROPE_KV(I) GRETA_EACH_KV(GRETA_HIP_ROPE_KV_OF, I)

/* ---- weights ---- */

#define GRETA_HIP_ROW_LOOKUP_OF(I, type) I(row_lookup_pieces, 128, type)
#define GRETA_HIP_ROW_LOOKUP(I) GRETA_EACH_WEIGHT(GRETA_HIP_ROW_LOOKUP_OF, I)

#define GRETA_HIP_UNPACK_OF(I, type) I(unpack_pieces, 128, type)
#define GRETA_HIP_UNPACK(I) GRETA_EACH_QUANT(GRETA_HIP_UNPACK_OF, I)

#define GRETA_HIP_MATMUL_OF(I, type) I(matmul_tiled, 256, type, GRETA_TYPE_F32)
#define GRETA_HIP_MATMUL(I) GRETA_EACH_WEIGHT(GRETA_HIP_MATMUL_OF, I)
/* w_type, x_type, add; rows of a group of lanes */
#define GRETA_HIP_MATVEC_OF(I, type)                \
    I(matvec_rows, 256, type, GRETA_TYPE_F32, 0, 2) \
    I(matvec_rows, 256, type, GRETA_TYPE_F32, 1, 2)
#define GRETA_HIP_MATVEC_Q8A(I, type)               \
    I(matvec_rows, 256, type, GRETA_TYPE_Q8A, 0, 2) \
    I(matvec_rows, 256, type, GRETA_TYPE_Q8A, 1, 2)
#define GRETA_HIP_MATVEC(I) \
    GRETA_EACH_WEIGHT(GRETA_HIP_MATVEC_OF, I) GRETA_EACH_QUANT(GRETA_HIP_MATVEC_Q8A, I)

/* The same keys; for waves of 64 alone. */
#define GRETA_HIP_MATVEC_SPLIT_OF(I, type)                \
    I(matvec_split_rows, 256, type, GRETA_TYPE_F32, 0, 2) \
    I(matvec_split_rows, 256, type, GRETA_TYPE_F32, 1, 2)
#define GRETA_HIP_MATVEC_SPLIT_Q8A(I, type)               \
    I(matvec_split_rows, 256, type, GRETA_TYPE_Q8A, 0, 2) \
    I(matvec_split_rows, 256, type, GRETA_TYPE_Q8A, 1, 2)
#define GRETA_HIP_MATVEC_SPLIT(I) \
    GRETA_EACH_WEIGHT(GRETA_HIP_MATVEC_SPLIT_OF, I) GRETA_EACH_QUANT(GRETA_HIP_MATVEC_SPLIT_Q8A, I)

/* w_type, x_type, act, norm; rows of each weight */
#define GRETA_HIP_MATVEC_GLU_OF(I, type)                                \
    I(matvec_glu_rows, 256, type, GRETA_TYPE_F32, GRETA_ACT_SILU, 0, 1) \
    I(matvec_glu_rows, 256, type, GRETA_TYPE_F32, GRETA_ACT_SILU, 1, 1) \
    I(matvec_glu_rows, 256, type, GRETA_TYPE_F32, GRETA_ACT_GELU, 0, 1) \
    I(matvec_glu_rows, 256, type, GRETA_TYPE_F32, GRETA_ACT_GELU, 1, 1)
#define GRETA_HIP_MATVEC_GLU_Q8A(I, type)                               \
    I(matvec_glu_rows, 256, type, GRETA_TYPE_Q8A, GRETA_ACT_SILU, 0, 1) \
    I(matvec_glu_rows, 256, type, GRETA_TYPE_Q8A, GRETA_ACT_GELU, 0, 1)
#define GRETA_HIP_MATVEC_GLU(I) \
    GRETA_EACH_WEIGHT(GRETA_HIP_MATVEC_GLU_OF, I) GRETA_EACH_QUANT(GRETA_HIP_MATVEC_GLU_Q8A, I)

/*
 * w_type, v_type, x_type, kv_type, mode, norm, bias: what the models take (mode 0 plain, mode 1 plain or with a bias), with the norm
 * or after it; an F32 cache for the exact plan; the pairs of types that the mixes of Q*_K files have.
 */
#define GRETA_HIP_QKV_MODES(I, w, v)                                        \
    I(matvec_qkv_pairs, 256, w, v, GRETA_TYPE_F32, GRETA_TYPE_F16, 0, 0, 0) \
    I(matvec_qkv_pairs, 256, w, v, GRETA_TYPE_F32, GRETA_TYPE_F16, 0, 1, 0) \
    I(matvec_qkv_pairs, 256, w, v, GRETA_TYPE_F32, GRETA_TYPE_F16, 1, 1, 0) \
    I(matvec_qkv_pairs, 256, w, v, GRETA_TYPE_F32, GRETA_TYPE_F16, 1, 1, 1)
#define GRETA_HIP_QKV_OF(I, type)      \
    GRETA_HIP_QKV_MODES(I, type, type) \
    I(matvec_qkv_pairs, 256, type, type, GRETA_TYPE_F32, GRETA_TYPE_F32, 0, 0, 0)
#define GRETA_HIP_QKV_Q8A(I, type) \
    I(matvec_qkv_pairs, 256, type, type, GRETA_TYPE_Q8A, GRETA_TYPE_F16, 0, 0, 0)
#define GRETA_HIP_MATVEC_QKV(I)                              \
    GRETA_EACH_WEIGHT(GRETA_HIP_QKV_OF, I)                   \
    GRETA_EACH_QUANT(GRETA_HIP_QKV_Q8A, I)                   \
    GRETA_HIP_QKV_MODES(I, GRETA_TYPE_Q4_K, GRETA_TYPE_Q6_K) \
    GRETA_HIP_QKV_MODES(I, GRETA_TYPE_Q5_K, GRETA_TYPE_Q6_K) \
    GRETA_HIP_QKV_MODES(I, GRETA_TYPE_Q3_K, GRETA_TYPE_Q5_K) \
    GRETA_HIP_QKV_MODES(I, GRETA_TYPE_Q2_K, GRETA_TYPE_Q4_K)

/* ---- attention: F(I, head_dim) ---- */

#define GRETA_EACH_HEAD(F, I) \
    F(I, 8) F(I, 16) F(I, 32) F(I, 40) F(I, 48) F(I, 64) F(I, 80) F(I, 96) F(I, 128) F(I, 256)
/* kv_type, head_dim; queries of a workgroup */
#define GRETA_HIP_ATTN_OF(I, entry, head_dim)  \
    I(entry, 256, GRETA_TYPE_F32, head_dim, 4) \
    I(entry, 256, GRETA_TYPE_F16, head_dim, 1) \
    I(entry, 256, GRETA_TYPE_F16, head_dim, 4)
#define GRETA_HIP_ATTN_Q8_0(I, entry, head_dim) \
    I(entry, 256, GRETA_TYPE_Q8_0, head_dim, 1) \
    I(entry, 256, GRETA_TYPE_Q8_0, head_dim, 4)
#define GRETA_HIP_ATTN_LARGE(I, entry, head_dim) \
    I(entry, 256, GRETA_TYPE_F16, head_dim, 8)   \
    I(entry, 256, GRETA_TYPE_Q8_0, head_dim, 8)
#define GRETA_HIP_ATTN_LIST(I, entry)  \
    GRETA_HIP_ATTN_OF(I, entry, 8)     \
    GRETA_HIP_ATTN_OF(I, entry, 16)    \
    GRETA_HIP_ATTN_OF(I, entry, 32)    \
    GRETA_HIP_ATTN_OF(I, entry, 40)    \
    GRETA_HIP_ATTN_OF(I, entry, 48)    \
    GRETA_HIP_ATTN_OF(I, entry, 64)    \
    GRETA_HIP_ATTN_OF(I, entry, 80)    \
    GRETA_HIP_ATTN_OF(I, entry, 96)    \
    GRETA_HIP_ATTN_OF(I, entry, 128)   \
    GRETA_HIP_ATTN_OF(I, entry, 256)   \
    GRETA_HIP_ATTN_Q8_0(I, entry, 32)  \
    GRETA_HIP_ATTN_Q8_0(I, entry, 64)  \
    GRETA_HIP_ATTN_Q8_0(I, entry, 96)  \
    GRETA_HIP_ATTN_Q8_0(I, entry, 128) \
    GRETA_HIP_ATTN_Q8_0(I, entry, 256) \
    GRETA_HIP_ATTN_LARGE(I, entry, 64) \
    GRETA_HIP_ATTN_LARGE(I, entry, 128)
#define GRETA_HIP_ATTN(I) GRETA_HIP_ATTN_LIST(I, attn_slots)
#define GRETA_HIP_ATTN_SPLIT(I) GRETA_HIP_ATTN_LIST(I, attn_split_slots)
#define GRETA_HIP_ATTN_REDUCE_OF(I, head_dim) I(attn_reduce_simple, 128, head_dim)
#define GRETA_HIP_ATTN_REDUCE(I) GRETA_EACH_HEAD(GRETA_HIP_ATTN_REDUCE_OF, I)

/* Heads of all other sizes: head_dim is 0 here and comes with the call, behind the op's arguments. */
#define GRETA_HIP_ANY_HEAD_MAX 256u /* an element a thread */
#define GRETA_HIP_ATTN_ANY_OF(I, kv) I(attn_any, 256, kv, 0)
#define GRETA_HIP_ATTN_ANY(I) GRETA_EACH_KV(GRETA_HIP_ATTN_ANY_OF, I)
#define GRETA_HIP_ATTN_SPLIT_ANY_OF(I, kv) I(attn_split_any, 256, kv, 0)
#define GRETA_HIP_ATTN_SPLIT_ANY(I) GRETA_EACH_KV(GRETA_HIP_ATTN_SPLIT_ANY_OF, I)
#define GRETA_HIP_ATTN_REDUCE_ANY(I) I(attn_reduce_any, 128, 0)

/* ---- the lists of all ops ---- */

#define GRETA_HIP_INSTANCES(I)         \
    GRETA_HIP_FILL(I)                  \
    GRETA_HIP_COPY(I)                  \
    GRETA_HIP_ADD(I)                   \
    GRETA_HIP_CAST(I)                  \
    GRETA_HIP_RMS_NORM(I)              \
    GRETA_HIP_ADD_RMS_NORM(I)          \
    GRETA_HIP_LAYER_NORM(I)            \
    GRETA_HIP_LAYER_RMS_NORM(I)        \
    GRETA_HIP_SOFTMAX(I)               \
    GRETA_HIP_ROW_SUM(I)               \
    GRETA_HIP_ROW_MAX(I)               \
    GRETA_HIP_CAUSAL_MASK(I)           \
    GRETA_HIP_ARGMAX(I)                \
    GRETA_HIP_QUANTIZE(I)              \
    GRETA_HIP_ADD_RMS_NORM_QUANTIZE(I) \
    GRETA_HIP_BIAS_ADD(I)              \
    GRETA_HIP_SCALE(I)                 \
    GRETA_HIP_SOFTCAP(I)               \
    GRETA_HIP_ACT_MUL(I)               \
    GRETA_HIP_TOP_K(I)                 \
    GRETA_HIP_ROPE(I)                  \
    GRETA_HIP_KV_UPDATE(I)             \
    GRETA_HIP_ROPE_KV(I)               \
    GRETA_HIP_ROW_LOOKUP(I)            \
    GRETA_HIP_UNPACK(I)                \
    GRETA_HIP_MATMUL(I)                \
    GRETA_HIP_MATVEC(I)                \
    GRETA_HIP_MATVEC_SPLIT(I)          \
    GRETA_HIP_MATVEC_GLU(I)            \
    GRETA_HIP_MATVEC_QKV(I)            \
    GRETA_HIP_ATTN(I)                  \
    GRETA_HIP_ATTN_SPLIT(I)            \
    GRETA_HIP_ATTN_REDUCE(I)           \
    GRETA_HIP_ATTN_ANY(I)              \
    GRETA_HIP_ATTN_SPLIT_ANY(I)        \
    GRETA_HIP_ATTN_REDUCE_ANY(I)

#endif
