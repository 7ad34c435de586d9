/*
 * Attention for heads of any size, which the call gives: for those that attn.h has no instances for. A workgroup serves one query. It
 * takes as many positions at a time as it has threads: their scores go into LDS, become weights there, and weigh V. A lane reads
 * PIECE elements at once: 4 where a head is a multiple of that, so that no piece passes a head's end, else 1.
 */
#ifndef HIPKERNELS_COMMON_ATTN_ANY_H
#define HIPKERNELS_COMMON_ATTN_ANY_H

#include "attn.h"

/* The op's block, and behind it the key that these kernels are not made for. */
#define GRETA_ARGS_BLOCK_HEAD(OP)                                                                 \
    struct args_block {                                                                           \
        GRETA_ARGS_##OP(GRETA_ARG_IN, GRETA_ARG_OUT, GRETA_ARG_OUT, GRETA_ARG_U32, GRETA_ARG_F32) \
            GRETA_ARG_U32(head_dim)                                                               \
    }

template <u32 N_THREADS> struct attn_any_lds {
    alignas(16) float query[N_THREADS];
    alignas(16) float sums[N_THREADS * 4];
    float weights[N_THREADS];
    float scratch[N_THREADS / WAVE];
};

/* Of the whole workgroup: the largest score and the sum of exp(. - largest); of thread d: the weighted sum of V's dimension d. */
struct attn_any_result {
    float largest, sum, total;
};

template <u32 PIECE> struct piece_of { typedef float type; };
template <> struct piece_of<4> { typedef f32x4 type; };
GRETA_DEVICE float sum_of_piece(f32x4 v) {
    return sum4(v);
}
GRETA_DEVICE float sum_of_piece(float v) {
    return v;
}

typedef u32 u32_u __attribute__((aligned(2)));

/* PIECE elements of row p from column c on, which are of one block of Q8_0. */
template <u32 TYPE, u32 PIECE>
GRETA_DEVICE typename piece_of<PIECE>::type kv_read(global_in cache, u32 n_cols, u32 p, u32 c) {
    u32 row = p * GRETA_KV_ROW_BYTES(TYPE, n_cols);
    if constexpr (TYPE == GRETA_TYPE_F32 && PIECE == 4) return in<f32x4_u>(cache, row + c * 4);
    if constexpr (TYPE == GRETA_TYPE_F32 && PIECE == 1) return in<float>(cache, row + c * 4);
    if constexpr (TYPE == GRETA_TYPE_F16 && PIECE == 4) return halves_to_f32(in<u32x2_u>(cache, row + c * 2));
    if constexpr (TYPE == GRETA_TYPE_F16 && PIECE == 1) return (float)in<f16>(cache, row + c * 2);
    if constexpr (TYPE == GRETA_TYPE_Q8_0)
        return signed_bytes_to_f32(in<u32_u>(cache, row + c)) *
               f16_to_f32(in<u16>(cache, row + GRETA_KV_SCALES_OFFSET(n_cols) + c / 32 * 2));
}

/* Attends to the positions begin .. end - 1 for the query at `at` of q, in bytes. */
template <u32 N_THREADS, u32 KV_TYPE, u32 PIECE>
GRETA_DEVICE attn_any_result attend_by(const attn_cache &cache, u32 head_dim, global_in q, u32 at, u32 begin,
                                       u32 end, attn_any_lds<N_THREADS> *s) {
    typedef typename piece_of<PIECE>::type piece;
    constexpr u32 LANES = 8, PARALLEL = N_THREADS / LANES, UNROLL = 4;
    u32 me = thread_id(), n_pieces = head_dim / PIECE;
    /* Of K, LANES neighbouring lanes share a position; of V, as many as the head has pieces. */
    u32 lane = me % LANES, k_place = me / LANES;
    u32 n_places = N_THREADS / n_pieces, v_place = me / n_pieces;
    u32 v_column = cache.column + me % n_pieces * PIECE;
    float largest = lowest(), sum = 0, total = 0;
    piece acc = {};
    if (me < head_dim) s->query[me] = in<float>(q, at + me * 4);
    GRETA_NO_UNROLL for (u32 base = begin; base < end; base += N_THREADS) {
        u32 n = min_u32(N_THREADS, end - base);
        barrier(); /* the query is there, and the last weights have been read */
        GRETA_NO_UNROLL for (u32 i = 0; i < n; i += UNROLL * PARALLEL) {
            float dots[UNROLL] = {};
            GRETA_NO_UNROLL for (u32 p = lane; p < n_pieces; p += LANES) {
                piece k[UNROLL], x = *(const piece *)&s->query[p * PIECE];
                GRETA_UNROLL for (u32 u = 0; u < UNROLL; u++) k[u] = kv_read<KV_TYPE, PIECE>(
                    cache.k, cache.n_cols, base + min_u32(i + u * PARALLEL + k_place, n - 1),
                    cache.column + p * PIECE);
                GRETA_UNROLL for (u32 u = 0; u < UNROLL; u++) dots[u] += sum_of_piece(k[u] * x);
            }
            GRETA_UNROLL for (u32 u = 0; u < UNROLL; u++) {
                u32 t = i + u * PARALLEL + k_place;
                float dot = reduce_row<sum_of, LANES>(dots[u]);
                if (lane == 0 && t < n) s->weights[t] = dot;
            }
        }
        barrier();
        float score = lowest();
        if (me < n) {
            score = s->weights[me] * cache.scale;
            if (cache.softcap > 0) score = cache.softcap * tanh_exact(score / cache.softcap);
        }
        float old = largest;
        largest = max_f32(old, reduce_group<max_of, N_THREADS>(score, s->scratch));
        float weight = me < n ? exp_fast(score - largest) : 0, factor = exp_fast(old - largest);
        s->weights[me] = weight;
        sum = sum * factor + reduce_group<sum_of, N_THREADS>(weight, s->scratch); /* with barriers */
        acc *= factor;
        GRETA_NO_UNROLL for (u32 i = v_place < n_places ? v_place : n; i < n; i += UNROLL * n_places) {
            piece v[UNROLL];
            GRETA_UNROLL for (u32 u = 0; u < UNROLL; u++) v[u] = kv_read<KV_TYPE, PIECE>(
                cache.v, cache.n_cols, base + min_u32(i + u * n_places, n - 1), v_column);
            GRETA_UNROLL for (u32 u = 0; u < UNROLL; u++) {
                u32 t = i + u * n_places;
                acc += v[u] * (t < n ? s->weights[min_u32(t, n - 1)] : 0);
            }
        }
    }
    if (v_place < n_places) *(piece *)&s->sums[me * PIECE] = acc;
    barrier();
    if (me < head_dim)
        for (u32 i = 0; i < n_places; i++) total += s->sums[i * head_dim + me];
    return attn_any_result{largest, sum, total};
}

template <u32 N_THREADS, u32 KV_TYPE>
GRETA_DEVICE attn_any_result attend_any(const attn_cache &cache, u32 head_dim, global_in q, u32 at, u32 begin,
                                        u32 end, attn_any_lds<N_THREADS> *s) {
    if constexpr (KV_TYPE != GRETA_TYPE_Q8_0) /* its heads are multiples of 32 */
        if (head_dim % 4) return attend_by<N_THREADS, KV_TYPE, 1>(cache, head_dim, q, at, begin, end, s);
    return attend_by<N_THREADS, KV_TYPE, 4>(cache, head_dim, q, at, begin, end, s);
}

#endif
