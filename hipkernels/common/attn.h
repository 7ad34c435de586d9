/*
 * Attention by vector units. A workgroup serves SLOTS queries of one KV head (heads of a group, tokens), so that each K and V that
 * it reads serves them all. It takes CHUNK positions at a time: their scores go into LDS, become weights there, and weigh V. A lane
 * holds a PIECE of 8 dimensions; LANES neighbouring lanes hold a position.
 */
#ifndef HIPKERNELS_COMMON_ATTN_H
#define HIPKERNELS_COMMON_ATTN_H

#include "kv.h"

constexpr __attribute__((device)) u32 power_of_two(u32 n) {
    u32 p = 1;
    while (p < n) p *= 2;
    return p;
}

template <u32 N_THREADS, u32 KV_TYPE, u32 HEAD_DIM, u32 SLOTS> struct attn_shape {
    static constexpr u32 CHUNK = GRETA_ATTN_CHUNK;
    static constexpr u32 PIECES = HEAD_DIM / 8;
    static constexpr u32 LANES = power_of_two(PIECES); /* those past PIECES count for nothing */
    static constexpr u32 PARALLEL = N_THREADS / LANES; /* positions that the workgroup takes at once */
    static constexpr u32 UNROLL = 4;
    static constexpr u32 N_WAVES = N_THREADS / WAVE;
    struct lds {
        float scores[SLOTS][CHUNK];
        alignas(16) float sums[N_WAVES][SLOTS][HEAD_DIM]; /* each wave's part of the weighted V */
        float largest[SLOTS], factor[SLOTS], sum[SLOTS];
    };
};

/* What a query sees: the positions first .. end - 1. */
struct attn_slot {
    global_in q;
    u32 at; /* of q, in bytes */
    u32 first, end;
};

struct attn_cache {
    global_in k, v;
    u32 n_cols; /* of a row: n_head_kv * head_dim */
    u32 column; /* where the head begins */
    float scale, softcap;
};

struct floats_8 {
    f32x4 lo, hi;
};

/* Eight elements of row p at column c, as they lie; decoded apart, so that many loads can be under way. */
template <u32 TYPE> struct kv_piece {
    u32x4 a, b;
    u32 d;
};
template <u32 TYPE> GRETA_DEVICE kv_piece<TYPE> kv_load(global_in cache, u32 n_cols, u32 p, u32 c) {
    kv_piece<TYPE> x = {};
    u32 row = p * GRETA_KV_ROW_BYTES(TYPE, n_cols);
    if constexpr (TYPE == GRETA_TYPE_F32) {
        x.a = in<u32x4_u>(cache, row + c * 4);
        x.b = in<u32x4_u>(cache, row + c * 4 + 16);
    } else if constexpr (TYPE == GRETA_TYPE_F16) {
        x.a = in<u32x4_u>(cache, row + c * 2);
    } else {
        x.a.xy = in<u32x2_u>(cache, row + c);
        x.d = in<u16>(cache, row + GRETA_KV_SCALES_OFFSET(n_cols) + c / 32 * 2);
    }
    return x;
}
GRETA_DEVICE f32x4 halves_to_f32(u32x2 w) {
    return __builtin_convertvector(__builtin_bit_cast(f16x4, w), f32x4);
}
GRETA_DEVICE f32x4 signed_bytes_to_f32(u32 w) {
    return f32x4{signed_byte_to_f32(w, 0), signed_byte_to_f32(w, 1), signed_byte_to_f32(w, 2),
                 signed_byte_to_f32(w, 3)};
}
template <u32 TYPE> GRETA_DEVICE floats_8 kv_decode(const kv_piece<TYPE> &x) {
    if constexpr (TYPE == GRETA_TYPE_F32)
        return floats_8{__builtin_bit_cast(f32x4, x.a), __builtin_bit_cast(f32x4, x.b)};
    if constexpr (TYPE == GRETA_TYPE_F16) return floats_8{halves_to_f32(x.a.xy), halves_to_f32(x.a.zw)};
    float d = f16_to_f32(x.d);
    return floats_8{signed_bytes_to_f32(x.a.x) * d, signed_bytes_to_f32(x.a.y) * d};
}

/* Lane i gets x of lane i ^ MASK. */
template <u32 MASK> GRETA_DEVICE float exchange(float x) {
    if constexpr (MASK == 1) return float_of(dpp<DPP_XOR_1>(bits_of(x)));
    if constexpr (MASK == 2) return float_of(dpp<DPP_XOR_2>(bits_of(x)));
    if constexpr (MASK < 32)
        return float_of((u32)__builtin_amdgcn_ds_swizzle((int)bits_of(x), (MASK << 10) | 0x1F));
    return float_of((u32)__builtin_amdgcn_ds_bpermute((int)((lane_id() ^ MASK) * 4), (int)bits_of(x)));
}

/* The sum over the lanes of the wave that hold the same piece: those whose numbers differ in the bits from LANES on. */
template <u32 LANES> GRETA_DEVICE float sum_of_positions(float x) {
    if constexpr (LANES <= 1) x += exchange<1>(x);
    if constexpr (LANES <= 2) x += exchange<2>(x);
    if constexpr (LANES <= 4) x += exchange<4>(x);
    if constexpr (LANES <= 8) x += exchange<8>(x);
    if constexpr (LANES <= 16) x += exchange<16>(x);
    if constexpr (LANES <= 32 && WAVE == 64) x += exchange<32>(x);
    return x;
}

/*
 * Attends to the positions begin .. end - 1, and leaves the slots' results in LDS: sums[0][slot][d] the weighted sum of V, largest and
 * sum[slot], after a barrier.
 */
template <u32 N_THREADS, u32 KV_TYPE, u32 HEAD_DIM, u32 SLOTS>
GRETA_DEVICE void attend(const attn_cache &cache, const attn_slot *slots, u32 begin, u32 end,
                         typename attn_shape<N_THREADS, KV_TYPE, HEAD_DIM, SLOTS>::lds *s) {
    using shape = attn_shape<N_THREADS, KV_TYPE, HEAD_DIM, SLOTS>;
    constexpr u32 CHUNK = shape::CHUNK, LANES = shape::LANES, PARALLEL = shape::PARALLEL,
                  UNROLL = shape::UNROLL;
    u32 lane = thread_id() % LANES, place = thread_id() / LANES;
    u32 piece = min_u32(lane, shape::PIECES - 1), column = cache.column + piece * 8;
    floats_8 q[SLOTS], acc[SLOTS];
    GRETA_UNROLL for (u32 h = 0; h < SLOTS; h++) {
        acc[h] = q[h] = floats_8{{0, 0, 0, 0}, {0, 0, 0, 0}};
        if (lane < shape::PIECES) {
            q[h].lo = in<f32x4_u>(slots[h].q, slots[h].at + piece * 32);
            q[h].hi = in<f32x4_u>(slots[h].q, slots[h].at + piece * 32 + 16);
        }
    }
    if (thread_id() < SLOTS) {
        s->largest[thread_id()] = lowest();
        s->sum[thread_id()] = 0;
    }
    GRETA_NO_UNROLL for (u32 base = begin; base < end; base += CHUNK) {
        u32 n = min_u32(CHUNK, end - base);
        barrier(); /* the last chunk's weights have been read */
        GRETA_NO_UNROLL for (u32 i = 0; i < n; i += UNROLL * PARALLEL) {
            kv_piece<KV_TYPE> k[UNROLL];
            GRETA_UNROLL for (u32 u = 0; u < UNROLL; u++) k[u] = kv_load<KV_TYPE>(
                cache.k, cache.n_cols, base + min_u32(i + u * PARALLEL + place, n - 1), column);
            GRETA_UNROLL for (u32 u = 0; u < UNROLL; u++) {
                floats_8 x = kv_decode<KV_TYPE>(k[u]);
                u32 t = i + u * PARALLEL + place;
                GRETA_UNROLL for (u32 h = 0; h < SLOTS; h++) {
                    f32x4 products = x.lo * q[h].lo + x.hi * q[h].hi;
                    float score = reduce_lanes<sum_of, LANES>(sum4(products)) * cache.scale;
                    bool seen = base + t >= slots[h].first && base + t < slots[h].end;
                    if (lane == 0 && t < CHUNK) s->scores[h][t] = seen ? score : lowest();
                }
            }
        }
        barrier();
        /* Scores to weights, a wave a slot. Where nothing is seen yet, the largest stays -infinity and all weights are 0. */
        for (u32 h = wave_id(); h < SLOTS; h += shape::N_WAVES) {
            float x[CHUNK / WAVE], part = lowest(), old = s->largest[h], sum = 0;
            GRETA_UNROLL for (u32 i = 0; i < CHUNK / WAVE; i++) {
                u32 t = i * WAVE + lane_id();
                x[i] = t < n ? s->scores[h][t] : lowest();
                if (cache.softcap > 0 && x[i] > lowest())
                    x[i] = cache.softcap * tanh_exact(x[i] / cache.softcap);
                part = max_f32(part, x[i]);
            }
            float largest = max_f32(old, reduce_wave<max_of>(part));
            float middle = largest == lowest() ? 0 : largest;
            GRETA_UNROLL for (u32 i = 0; i < CHUNK / WAVE; i++) {
                float weight = exp_fast(x[i] - middle);
                s->scores[h][i * WAVE + lane_id()] = weight;
                sum += weight;
            }
            sum = reduce_wave<sum_of>(sum);
            if (lane_id() == 0) {
                s->factor[h] = exp_fast(old - middle);
                s->sum[h] = s->sum[h] * s->factor[h] + sum;
                s->largest[h] = largest;
            }
        }
        barrier();
        GRETA_UNROLL for (u32 h = 0; h < SLOTS; h++) {
            acc[h].lo *= s->factor[h];
            acc[h].hi *= s->factor[h];
        }
        GRETA_NO_UNROLL for (u32 i = 0; i < n; i += UNROLL * PARALLEL) {
            kv_piece<KV_TYPE> v[UNROLL];
            GRETA_UNROLL for (u32 u = 0; u < UNROLL; u++) v[u] = kv_load<KV_TYPE>(
                cache.v, cache.n_cols, base + min_u32(i + u * PARALLEL + place, n - 1), column);
            GRETA_UNROLL for (u32 u = 0; u < UNROLL; u++) {
                floats_8 x = kv_decode<KV_TYPE>(v[u]);
                u32 t = i + u * PARALLEL + place;
                GRETA_UNROLL for (u32 h = 0; h < SLOTS; h++) {
                    float weight = t < n ? s->scores[h][min_u32(t, CHUNK - 1)] : 0;
                    acc[h].lo += x.lo * weight;
                    acc[h].hi += x.hi * weight;
                }
            }
        }
    }
    GRETA_UNROLL for (u32 h = 0; h < SLOTS; h++) {
        GRETA_UNROLL for (u32 e = 0; e < 4; e++) {
            acc[h].lo[e] = sum_of_positions<LANES>(acc[h].lo[e]);
            acc[h].hi[e] = sum_of_positions<LANES>(acc[h].hi[e]);
        }
        f32x4 *line = (f32x4 *)s->sums[wave_id()][h];
        if (lane_id() < shape::PIECES) {
            line[lane_id() * 2] = acc[h].lo;
            line[lane_id() * 2 + 1] = acc[h].hi;
        }
    }
    barrier();
    for (u32 i = thread_id(); i < SLOTS * HEAD_DIM; i += N_THREADS) {
        float total = 0;
        GRETA_UNROLL for (u32 w = 0; w < shape::N_WAVES; w++) total += s->sums[w][i / HEAD_DIM][i % HEAD_DIM];
        s->sums[0][i / HEAD_DIM][i % HEAD_DIM] = total; /* read by no one else before */
    }
    barrier();
}

#endif
