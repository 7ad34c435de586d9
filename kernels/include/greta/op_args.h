/*
 * The argument block of every op, once, for C, GLSL and HIP: this file is included by all three and holds only
 * macros.
 *
 * GRETA_ARGS_<OP>(R, W, X, U, F): R/W/X a pointer that is read / written / both, then U a uint32 and F a float constant.
 * Pointers come first (8 bytes each), so that the block has the same offsets everywhere; it is at most 128 bytes.
 * GRETA_KEYS_<OP>(K): what is fixed when the kernel is made: specialization constants 1, 2, ... in SPIR-V (0 is the
 * workgroup's size), template arguments in HIP, group->constants[] in C. After the keys come a row's own tunables.
 *
 * Where a key or a scalar switches a binding off (norm 0, bias 0), that binding is not read, its needed size is 0, and any buffer
 * serves: callers give x's.
 *
 * Shapes are rows x columns, row-major. n_tok: tokens of this step. step: {token, pos, n_kv, seed}, 4 x uint32: the first
 * token of the step stands at position pos, and n_kv = pos + n_tok. Group ids are linear: x + y * count.x (large grids are
 * folded into y), and a group past the end returns.
 */
#ifndef GRETA_OP_ARGS_H
#define GRETA_OP_ARGS_H

#include "greta/weight_formats.h"

/* y[i][c] = w[ids[i]][c], dequantized to f32. ids outside [0, n_rows) give zeros. */
#define GRETA_ARGS_ROW_LOOKUP(R, W, X, U, F) R(w) R(ids) W(y) U(n_ids) U(n_rows) U(n_cols)
#define GRETA_KEYS_ROW_LOOKUP(K) K(w_type)

/* y[r][c] = x[r][c] * w[c] / sqrt(mean_c(x[r][c]^2) + eps). */
#define GRETA_ARGS_RMS_NORM(R, W, X, U, F) R(x) R(w) W(y) U(n_rows) U(n_cols) F(eps)
#define GRETA_KEYS_RMS_NORM(K)

/* x += r; y = rms_norm(x, w). */
#define GRETA_ARGS_ADD_RMS_NORM(R, W, X, U, F) X(x) R(r) R(w) W(y) U(n_rows) U(n_cols) F(eps)
#define GRETA_KEYS_ADD_RMS_NORM(K)

/*
 * Rotates x[t][h][0..n_rot) in place by the table's row pos + t: table[p][j] = {cos, sin} of pair j, f32. mode 0: pairs
 * (2j, 2j+1); mode 1: pairs (j, j + n_rot/2). The rest of the head is left as it is. One token's row is n_head * head_dim.
 */
#define GRETA_ARGS_ROPE(R, W, X, U, F) X(x) R(table) R(step) U(n_tok) U(n_head) U(head_dim) U(n_rot)
#define GRETA_KEYS_ROPE(K) K(mode)

/*
 * k_cache[pos + t][c] = k[t][c], the same for v; c < n_cols = n_head_kv * head_dim. Rows at n_ctx and past it are dropped.
 * kv_type F32, F16 or Q8_0; how a row of it lies: layout.h.
 */
#define GRETA_ARGS_KV_UPDATE(R, W, X, U, F) R(k) R(v) W(k_cache) W(v_cache) R(step) U(n_tok) U(n_cols) U(n_ctx)
#define GRETA_KEYS_KV_UPDATE(K) K(kv_type)

/*
 * rope of q in place, rope of k and kv_update of what that gives and of v, at once: k itself is not written. q is
 * [n_tok][n_head][head_dim], k and v are [n_tok][n_head_kv][head_dim], the caches have n_ctx rows of n_head_kv * head_dim.
 * Before that, bias 1: the three parts of bias, n_head * head_dim for q, then n_head_kv * head_dim for k and as many for v, are
 * added. Then, norm 1: every head of q and of k becomes rms_norm(head, q_norm or k_norm) with eps; these have head_dim elements.
 */
#define GRETA_ARGS_ROPE_KV(R, W, X, U, F)                                                                    \
    X(q) R(k) R(v) R(q_norm) R(k_norm) R(bias) R(table) R(step) W(k_cache) W(v_cache) U(n_tok) U(n_head)     \
        U(n_head_kv) U(head_dim) U(n_rot) U(n_ctx) F(eps)
#define GRETA_KEYS_ROPE_KV(K) K(mode) K(kv_type) K(norm) K(bias)

/* y[r] = sum_c w[r][c] * x[c]; add 1: y[r] += it. x_type F32, or Q8A: x is what quantize wrote. */
#define GRETA_ARGS_MATVEC(R, W, X, U, F) R(w) R(x) X(y) U(n_rows) U(n_cols)
#define GRETA_KEYS_MATVEC(K) K(w_type) K(x_type) K(add)

/*
 * matvec by n_split groups for each of its results, 1 .. 32: each group sums a piece of the columns, and the last one to be done adds
 * the pieces, in ascending order. counters: n_rows words, 0 before the call and after it; parts: n_rows * n_split, for the pieces.
 */
#define GRETA_MATVEC_MAX_SPLIT 32
#define GRETA_ARGS_MATVEC_SPLIT(R, W, X, U, F) R(w) R(x) X(y) X(counters) W(parts) U(n_rows) U(n_cols) U(n_split)
#define GRETA_KEYS_MATVEC_SPLIT(K) K(w_type) K(x_type) K(add)

/*
 * y[r] = act(sum_c w_gate[r][c] * x[c]) * sum_c w_up[r][c] * x[c]: two matvecs and act_mul. norm 1, for x_type F32 alone: in place
 * of x[c] stands x[c] * norm[c] / sqrt(mean(x^2) + eps).
 */
#define GRETA_ARGS_MATVEC_GLU(R, W, X, U, F)                                                                 \
    R(w_gate) R(w_up) R(x) R(norm) W(y) U(n_rows) U(n_cols) F(eps)
#define GRETA_KEYS_MATVEC_GLU(K) K(w_type) K(x_type) K(act) K(norm)

/*
 * One token's q, k and v: three matvecs with the same x, then what rope_kv does with them but for its norm. q is [n_head][head_dim]
 * f32, head_dim is even; w_q and w_k are of w_type, w_v of v_type, with n_head * head_dim and n_head_kv * head_dim rows.
 * norm 1 as in matvec_glu, of x; bias as in rope_kv.
 */
#define GRETA_ARGS_MATVEC_QKV(R, W, X, U, F)                                                                 \
    R(w_q) R(w_k) R(w_v) R(x) R(norm) R(bias) R(table) R(step) W(q) W(k_cache) W(v_cache) U(n_head)          \
        U(n_head_kv) U(head_dim) U(n_rot) U(n_ctx) U(n_cols) F(eps)
#define GRETA_KEYS_MATVEC_QKV(K) K(w_type) K(v_type) K(x_type) K(kv_type) K(mode) K(norm) K(bias)

/* y[t][r] = sum_c w[r][c] * x[t][c]; x_type may be F16, too: x within 65504, what lies beyond counts as that. */
#define GRETA_ARGS_MATMUL(R, W, X, U, F) R(w) R(x) W(y) U(n_tok) U(n_rows) U(n_cols)
#define GRETA_KEYS_MATMUL(K) K(w_type) K(x_type)

/*
 * Causal attention: y[t][h] = sum_j softmax_j(s(scale * q[t][h] . k[j][g])) v[j][g] over j <= pos + t, g = h / (n_head / n_head_kv).
 * window > 0: only j > pos + t - window. softcap > 0: s(x) = softcap * tanh(x / softcap), else s(x) = x.
 * q, y: [n_tok][n_head][head_dim] f32; k, v: n_ctx rows of [n_head_kv][head_dim] of kv_type, as kv_update leaves them.
 */
#define GRETA_ARGS_ATTN(R, W, X, U, F)                                                                       \
    R(q) R(k) R(v) R(step) W(y) U(n_tok) U(n_head) U(n_head_kv) U(n_ctx) U(window) F(scale) F(softcap)
#define GRETA_KEYS_ATTN(K) K(kv_type) K(head_dim)

/*
 * The same for one token, in two steps. Split s takes the positions [s * GRETA_ATTN_CHUNK, (s+1) * GRETA_ATTN_CHUNK) and
 * writes partials[h][s] = {max, sum, acc[head_dim]} f32 (max: of the scores; sum: of exp(. - max); acc: the weighted v, not
 * divided); of a split that lies wholly before the window max is -infinity, all else 0; splits that begin at or past n_kv write
 * nothing. attn_reduce joins the splits below n_kv in ascending order.
 */
#define GRETA_ATTN_CHUNK 256
#define GRETA_ARGS_ATTN_SPLIT(R, W, X, U, F)                                                                 \
    R(q) R(k) R(v) R(step) W(partials) U(n_head) U(n_head_kv) U(n_ctx) U(n_split) U(window) F(scale) F(softcap)
#define GRETA_KEYS_ATTN_SPLIT(K) K(kv_type) K(head_dim)
#define GRETA_ARGS_ATTN_REDUCE(R, W, X, U, F) R(partials) R(step) W(y) U(n_head) U(n_split)
#define GRETA_KEYS_ATTN_REDUCE(K) K(head_dim)

/* y[i] = act(gate[i]) * up[i]; act SILU: g / (1 + exp(-g)), GELU: 0.5 g (1 + tanh(sqrt(2 / pi) (g + 0.044715 g^3))). */
#define GRETA_ACT_SILU 0
#define GRETA_ACT_GELU 1
#define GRETA_ARGS_ACT_MUL(R, W, X, U, F) R(gate) R(up) W(y) U(n)
#define GRETA_KEYS_ACT_MUL(K) K(act)

/* y[i] = a[i] + b[i]; y may be a or b. */
#define GRETA_ARGS_ADD(R, W, X, U, F) R(a) R(b) W(y) U(n)
#define GRETA_KEYS_ADD(K)

/* out[r] = the smallest index of the largest x[r][c]; NaN is never the largest (a row of NaN gives 2^32 - 1). */
#define GRETA_ARGS_ARGMAX(R, W, X, U, F) R(x) W(out) U(n_rows) U(n_cols)
#define GRETA_KEYS_ARGMAX(K)

/*
 * values[r][i], indices[r][i]: the k largest of x[r], descending, equal ones by ascending index; k <= 128, k <= n_cols. NaN stands below
 * all else.
 */
#define GRETA_ARGS_TOP_K(R, W, X, U, F) R(x) W(values) W(indices) U(n_rows) U(n_cols) U(k)
#define GRETA_KEYS_TOP_K(K)

/* y[r][c] = (x[r][c] - mean) / sqrt(var + eps) * w[c] + b[c], mean and var (of n_cols elements, not n_cols - 1) over the row. */
#define GRETA_ARGS_LAYER_NORM(R, W, X, U, F) R(x) R(w) R(b) W(y) U(n_rows) U(n_cols) F(eps)
#define GRETA_KEYS_LAYER_NORM(K)

/* y = rms_norm(layer_norm(x, w, b), w_rms), with the same eps. */
#define GRETA_ARGS_LAYER_RMS_NORM(R, W, X, U, F)                                                             \
    R(x) R(w) R(b) R(w_rms) W(y) U(n_rows) U(n_cols) F(eps)
#define GRETA_KEYS_LAYER_RMS_NORM(K)

/* y[r][c] = exp(s[c] - max(s)) / sum_c exp(s[c] - max(s)), s = scale * x[r]; y may be x. -infinity gives 0; a row of nothing
 * else, or one with a NaN, may give anything. */
#define GRETA_ARGS_SOFTMAX(R, W, X, U, F) R(x) W(y) U(n_rows) U(n_cols) F(scale)
#define GRETA_KEYS_SOFTMAX(K)

/* x[r][c] = -infinity where c > pos + r; the rest is left as it is. */
#define GRETA_ARGS_CAUSAL_MASK(R, W, X, U, F) X(x) U(n_rows) U(n_cols) U(pos)
#define GRETA_KEYS_CAUSAL_MASK(K)

/* y[r] = sum_c x[r][c]; a NaN or infinity goes through as in any sum. */
#define GRETA_ARGS_ROW_SUM(R, W, X, U, F) R(x) W(y) U(n_rows) U(n_cols)
#define GRETA_KEYS_ROW_SUM(K)

/* y[r] = max_c x[r][c], NaN passed over; -infinity where the row has nothing else. */
#define GRETA_ARGS_ROW_MAX(R, W, X, U, F) R(x) W(y) U(n_rows) U(n_cols)
#define GRETA_KEYS_ROW_MAX(K)

/*
 * c[i][j] = sum_l a[i][l] b[l][j]: a is m x k, b is k x n, both of `type` F32, F16, BF16, I8 or FP8 (E4M3 FNUZ); c is m x n, its
 * rows contiguous, f32 with f32 sums, int32 for I8 (k below 2^17). a_order, b_order: whether rows or columns are contiguous.
 */
#define GRETA_ORDER_ROW 0
#define GRETA_ORDER_COL 1
#define GRETA_ARGS_GEMM(R, W, X, U, F) R(a) R(b) W(c) U(m) U(n) U(k)
#define GRETA_KEYS_GEMM(K) K(type) K(a_order) K(b_order)

/* y[i] = value (bits), 32 bits wide. */
#define GRETA_ARGS_FILL(R, W, X, U, F) W(y) U(n) U(value)
#define GRETA_KEYS_FILL(K)

/* y[i] = x[i], 32 bits wide. */
#define GRETA_ARGS_COPY(R, W, X, U, F) R(x) W(y) U(n)
#define GRETA_KEYS_COPY(K)

/* y[i] = (y_type)x[i], round to nearest even; F32, F16, BF16. */
#define GRETA_ARGS_CAST(R, W, X, U, F) R(x) W(y) U(n)
#define GRETA_KEYS_CAST(K) K(x_type) K(y_type)

/* Activations rounded to 8 bits in blocks of 32 (type Q8A): x f32 [n_rows][n_cols] -> y, GRETA_Q8A_ROW_BYTES a row. */
#define GRETA_ARGS_QUANTIZE(R, W, X, U, F) R(x) W(y) U(n_rows) U(n_cols)
#define GRETA_KEYS_QUANTIZE(K)

/* x += r; y = quantize(rms_norm(x, w)). */
#define GRETA_ARGS_ADD_RMS_NORM_QUANTIZE(R, W, X, U, F) X(x) R(r) R(w) W(y) U(n_rows) U(n_cols) F(eps)
#define GRETA_KEYS_ADD_RMS_NORM_QUANTIZE(K)

/* y[r][c] += b[c]. */
#define GRETA_ARGS_BIAS_ADD(R, W, X, U, F) X(y) R(b) U(n_rows) U(n_cols)
#define GRETA_KEYS_BIAS_ADD(K)

/* y[i] = scale * x[i]; y may be x. */
#define GRETA_ARGS_SCALE(R, W, X, U, F) R(x) W(y) U(n) F(scale)
#define GRETA_KEYS_SCALE(K)

/* y[i] = cap * tanh(x[i] / cap); y may be x. */
#define GRETA_ARGS_SOFTCAP(R, W, X, U, F) R(x) W(y) U(n) F(cap)
#define GRETA_KEYS_SOFTCAP(K)

/* y f16 [n_rows][n_cols] = w, a quantized weight, each element rounded to nearest even: for products with many tokens. */
#define GRETA_ARGS_UNPACK(R, W, X, U, F) R(w) W(y) U(n_rows) U(n_cols)
#define GRETA_KEYS_UNPACK(K) K(w_type)

/* X(NAME, symbol name). The order is the enum's. */
#define GRETA_OP_LIST(X)                                                                                     \
    X(ROW_LOOKUP, row_lookup)                                                                                \
    X(RMS_NORM, rms_norm)                                                                                    \
    X(ADD_RMS_NORM, add_rms_norm)                                                                            \
    X(ROPE, rope)                                                                                            \
    X(KV_UPDATE, kv_update)                                                                                  \
    X(MATVEC, matvec)                                                                                        \
    X(MATMUL, matmul)                                                                                        \
    X(ATTN, attn)                                                                                            \
    X(ATTN_SPLIT, attn_split)                                                                                \
    X(ATTN_REDUCE, attn_reduce)                                                                              \
    X(ACT_MUL, act_mul)                                                                                      \
    X(ADD, add)                                                                                              \
    X(ARGMAX, argmax)                                                                                        \
    X(TOP_K, top_k)                                                                                          \
    X(FILL, fill)                                                                                            \
    X(COPY, copy)                                                                                            \
    X(CAST, cast)                                                                                            \
    X(QUANTIZE, quantize)                                                                                    \
    X(ROPE_KV, rope_kv)                                                                                      \
    X(MATVEC_GLU, matvec_glu)                                                                                \
    X(MATVEC_QKV, matvec_qkv)                                                                                \
    X(LAYER_NORM, layer_norm)                                                                                \
    X(LAYER_RMS_NORM, layer_rms_norm)                                                                        \
    X(SOFTMAX, softmax)                                                                                      \
    X(CAUSAL_MASK, causal_mask)                                                                              \
    X(ROW_SUM, row_sum)                                                                                      \
    X(ROW_MAX, row_max)                                                                                      \
    X(GEMM, gemm)                                                                                            \
    X(ADD_RMS_NORM_QUANTIZE, add_rms_norm_quantize)                                                          \
    X(BIAS_ADD, bias_add)                                                                                    \
    X(SCALE, scale)                                                                                          \
    X(SOFTCAP, softcap)                                                                                      \
    X(MATVEC_SPLIT, matvec_split)                                                                            \
    X(UNPACK, unpack)

/* Element types, shared by host and device code: those of weights (weight_formats.h) and these. Never renumber. */
#define GRETA_TYPE_U32 32
#define GRETA_TYPE_Q8A 33 /* activations, by the op quantize */
#define GRETA_TYPE_I8 34  /* plain matrices, of the op gemm */
#define GRETA_TYPE_FP8 35 /* E4M3 FNUZ: bias 8, no infinities, 0x80 is NaN */

#endif
