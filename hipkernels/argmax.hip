/* One workgroup a row. A NaN compares false and so never wins; the first -infinity must win over nothing. */
#include "common/row.h"

GRETA_ARGS_BLOCK(ARGMAX);

constexpr u32 NO_INDEX = 0xFFFFFFFF; /* also the answer for a row of NaN */

struct candidate {
    float value;
    u32 index;
};

GRETA_DEVICE candidate better(candidate a, candidate b) {
    bool second = b.value > a.value || (b.value == a.value && b.index < a.index);
    return second ? b : a;
}

template <int CONTROL> GRETA_DEVICE candidate better_dpp(candidate a) {
    return better(a, candidate{float_of(dpp<CONTROL>(bits_of(a.value))), dpp<CONTROL>(a.index)});
}

GRETA_DEVICE candidate best_of_wave(candidate c) {
    c = better_dpp<DPP_XOR_1>(c);
    c = better_dpp<DPP_XOR_2>(c);
    c = better_dpp<DPP_HALF_MIRROR>(c);
    c = better_dpp<DPP_MIRROR>(c);
    candidate best = c;
    GRETA_UNROLL for (u32 i = 0; i < WAVE; i += 16) {
        candidate row = {float_of(read_lane(bits_of(c.value), i)), read_lane(c.index, i)};
        best = i ? better(best, row) : row;
    }
    return best;
}

template <u32 N_THREADS> GRETA_DEVICE void argmax_rows(const args_block &a) {
    GRETA_LDS static candidate partial[N_THREADS / WAVE];
    u32 row = group_id<N_THREADS>(), n = a.n_cols;
    if (row >= a.n_rows) return;
    candidate best = {lowest(), NO_INDEX};
    row_scan<N_THREADS>(a.x, row * n * 4, n, [&](u32 c, float x) { best = better(best, candidate{x, c}); });
    best = best_of_wave(best);
    if (lane_id() == 0) partial[wave_id()] = best;
    barrier();
    if (thread_id() > 0) return;
    for (u32 i = 1; i < N_THREADS / WAVE; i++) best = better(best, partial[i]);
    out<u32>(a.out, row * 4, best.index);
}

GRETA_HIP_ARGMAX(GRETA_INSTANCE)
