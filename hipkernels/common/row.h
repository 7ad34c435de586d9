/*
 * Ops over rows of f32: one workgroup a row, which its threads share in pieces of four elements. A thread keeps the first OWN of
 * its pieces in registers and reads the others again for each pass.
 */
#ifndef HIPKERNELS_COMMON_ROW_H
#define HIPKERNELS_COMMON_ROW_H

#include "device.h"

/* The elements c .. c+3 of n at `bytes`, which is that of element c; zeros past the end, which is not read. */
GRETA_DEVICE f32x4 row_load(global_in base, u32 bytes, u32 c, u32 n) {
    if (c + 4 <= n) return load<f32x4_u>(base, bytes);
    f32x4 v = {0, 0, 0, 0};
    if (c < n) v.x = load<float>(base, bytes);
    if (c + 1 < n) v.y = load<float>(base, bytes + 4);
    if (c + 2 < n) v.z = load<float>(base, bytes + 8);
    return v;
}
GRETA_DEVICE void row_store(global_out base, u32 bytes, u32 c, u32 n, f32x4 v) {
    if (c + 4 <= n) {
        out<f32x4_u>(base, bytes, v);
        return;
    }
    if (c < n) out<float>(base, bytes, v.x);
    if (c + 1 < n) out<float>(base, bytes + 4, v.y);
    if (c + 2 < n) out<float>(base, bytes + 8, v.z);
}
/* v with `other` past the end. */
GRETA_DEVICE f32x4 row_mask(f32x4 v, u32 c, u32 n, float other) {
    if (c + 1 >= n) v.y = other;
    if (c + 2 >= n) v.z = other;
    if (c + 3 >= n) v.w = other;
    return v;
}

GRETA_DEVICE float sum4(f32x4 v) {
    return (v.x + v.y) + (v.z + v.w);
}
GRETA_DEVICE float max4(f32x4 v) {
    return max_f32(max_f32(v.x, v.y), max_f32(v.z, v.w));
}

template <u32 N_THREADS, u32 OWN> struct row_pieces {
    f32x4 own[OWN];
    u32 n;

    static GRETA_MEMBER u32 first(u32 o) { return (thread_id() + o * N_THREADS) * 4; }
    /* read(c) gives the piece at c. */
    template <typename READ> GRETA_MEMBER void open(u32 n_cols, READ read) {
        n = n_cols;
        GRETA_UNROLL for (u32 o = 0; o < OWN; o++) {
            own[o] = f32x4{0, 0, 0, 0};
            if (first(o) < n) own[o] = read(first(o));
        }
    }
    /* use(c, piece) for every piece; those that are not kept are what read(c) gives. */
    template <typename READ, typename USE> GRETA_MEMBER void each(READ read, USE use) {
        GRETA_UNROLL for (u32 o = 0; o < OWN; o++) if (first(o) < n) use(first(o), own[o]);
        for (u32 c = first(OWN); c < n; c += N_THREADS * 4) use(c, read(c));
    }
};

/* use(c, x) for every element of a row that no one writes: 16 of a thread's are asked for at a time. In no order of c. */
template <u32 N_THREADS, typename USE> GRETA_DEVICE void row_scan(global_in base, u32 begin, u32 n, USE use) {
    constexpr u32 BATCH = 4;
    u32 n_whole = n / 4, me = thread_id();
    GRETA_NO_UNROLL for (u32 first = 0; first < n_whole; first += N_THREADS * BATCH) {
        f32x4 v[BATCH];
        GRETA_UNROLL for (u32 b = 0; b < BATCH; b++) {
            u32 i = min_u32(first + b * N_THREADS + me, n_whole - 1);
            v[b] = in<f32x4_u>(base, begin + i * 16);
        }
        GRETA_UNROLL for (u32 b = 0; b < BATCH; b++) {
            u32 i = first + b * N_THREADS + me;
            if (i < n_whole) {
                GRETA_UNROLL for (u32 e = 0; e < 4; e++) use(i * 4 + e, v[b][e]);
            }
        }
    }
    if (n_whole * 4 + me < n) use(n_whole * 4 + me, in<float>(base, begin + (n_whole * 4 + me) * 4));
}

#endif
