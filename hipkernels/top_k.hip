/*
 * One workgroup a row. An element's rank is a key of 64 bits, all different: its value in an order-preserving form, then the
 * complement of its index. The k-th largest key is found digit by digit, eight bits at a time, from counts of the elements that
 * share the digits found so far; then what is at or above it is gathered and sorted. The digits of the index are looked at only
 * where equal values straddle the k-th place.
 */
#include "common/row.h"

GRETA_ARGS_BLOCK(TOP_K);

constexpr u32 MAX_K = 128;
constexpr u32 N_BINS = 256;

struct top_k_lds {
    u32 bins[N_BINS];
    u32 digit, above, count; /* that was found: the digit, how many have a larger one, how many have it */
    u32 n_gathered;
    u32 keys[MAX_K], indices[MAX_K];
};

/* Ascending with the value; a NaN is below everything. */
GRETA_DEVICE u32 order_key(float x) {
    u32 bits = bits_of(x);
    if (x != x) return 0;
    if (x == 0) bits = 0; /* -0 equals 0 */
    return bits & 0x80000000 ? ~bits : bits | 0x80000000;
}

GRETA_DEVICE u32 count_one(u32 *counter) {
    return __hip_atomic_fetch_add(counter, 1u, __ATOMIC_RELAXED, __HIP_MEMORY_SCOPE_WORKGROUP);
}

/* The digit at `shift` of the wanted-th largest among the elements whose higher digits are those of (key, index). */
template <u32 N_THREADS>
GRETA_DEVICE void find_digit(const args_block &a, u32 row, bool of_index, u32 shift, u32 key, u32 index,
                             u32 wanted, top_k_lds *s) {
    for (u32 b = thread_id(); b < N_BINS; b += N_THREADS) s->bins[b] = 0;
    barrier();
    u32 high = shift == 24 ? 0 : 0xFFFFFFFFu << (shift + 8);
    row_scan<N_THREADS>(a.x, row * a.n_cols * 4, a.n_cols, [&](u32 c, float x) {
        u32 k = order_key(x), digits = of_index ? ~c : k;
        bool same = of_index ? k == key && (~c & high) == (index & high) : (k & high) == (key & high);
        if (same) count_one(&s->bins[digits >> shift & 255]);
    });
    barrier();
    for (u32 b = thread_id(); b < N_BINS; b += N_THREADS) {
        u32 above = 0, mine = s->bins[b];
        for (u32 i = N_BINS - 1; i > b; i--) above += s->bins[i];
        if (above < wanted && wanted <= above + mine) {
            s->digit = b;
            s->above = above;
            s->count = mine;
        }
    }
    barrier();
}

template <u32 N_THREADS> GRETA_DEVICE void top_k_radix(const args_block &a) {
    GRETA_LDS static top_k_lds lds;
    top_k_lds *s = &lds;
    u32 row = group_id<N_THREADS>();
    if (row >= a.n_rows) return;
    u32 k_count = min_u32(a.k, MAX_K), wanted = k_count, key = 0, index = 0, n_equal = 0;
    if (thread_id() == 0) s->n_gathered = 0;
    GRETA_NO_UNROLL for (int shift = 24; shift >= 0; shift -= 8) {
        find_digit<N_THREADS>(a, row, false, (u32)shift, key, 0, wanted, s);
        key |= s->digit << shift;
        wanted -= s->above;
        n_equal = s->count;
        barrier();
    }
    /* `wanted` of the elements equal to key are among the k largest: those of the smallest index. All of them: any index. */
    if (wanted < n_equal) GRETA_NO_UNROLL for (int shift = 24; shift >= 0; shift -= 8) {
            find_digit<N_THREADS>(a, row, true, (u32)shift, key, index, wanted, s);
            index |= s->digit << shift;
            wanted -= s->above;
            barrier();
        }
    row_scan<N_THREADS>(a.x, row * a.n_cols * 4, a.n_cols, [&](u32 c, float x) {
        u32 k = order_key(x);
        if (k > key || (k == key && ~c >= index)) {
            u32 at = count_one(&s->n_gathered);
            if (at < MAX_K) {
                s->keys[at] = k;
                s->indices[at] = c;
            }
        }
    });
    barrier();
    /* The place of each is the number of those before it: the order of gathering, which varies, does not matter. */
    for (u32 i = thread_id(); i < k_count; i += N_THREADS) {
        u32 place = 0, mine = s->keys[i], c = s->indices[i];
        for (u32 j = 0; j < k_count; j++)
            place += s->keys[j] > mine || (s->keys[j] == mine && s->indices[j] < c);
        u32 at = (row * a.k + place) * 4;
        out<float>(a.values, at, in<float>(a.x, (row * a.n_cols + c) * 4));
        out<u32>(a.indices, at, c);
    }
}

GRETA_HIP_TOP_K(GRETA_INSTANCE)
