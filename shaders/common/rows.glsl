/*
 * Rows of f32, one workgroup each, in pieces of WIDTH elements: 1 for any shape, 4 (one load of 16 bytes) where n_cols is a
 * multiple of 4 and the bindings lie at multiples of 16 bytes. Invocations take the pieces in turn: piece `me + o * size` is
 * the o-th of an invocation, and the first OWN of them stay in registers.
 *
 * Before the include: the constants WIDTH and OWN. Of a vec4 that stands for a piece of one element only x counts.
 */
#ifndef SHADERS_ROWS_GLSL
#define SHADERS_ROWS_GLSL

#include "common/reduce.glsl"

#define LOWEST uintBitsToFloat(0xFF800000u) /* -infinity */

const uint PIECE_BYTES = 4u * WIDTH;

vec4 load_piece(uint64_t base, uint at) {
    if (WIDTH == 4u) return IN_VEC4(base, at);
    return vec4(IN_F32(base, at), 0.0, 0.0, 0.0);
}
/* Of memory that the dispatch also writes. */
vec4 reload_piece(uint64_t base, uint at) {
    if (WIDTH == 4u) return ref_vec4(ADDRESS(base, at)).v;
    return vec4(LOAD_F32(base, at), 0.0, 0.0, 0.0);
}
void store_piece(uint64_t base, uint at, vec4 v) {
    if (WIDTH == 4u)
        OUT_VEC4(base, at, v);
    else
        OUT_F32(base, at, v.x);
}

float piece_sum(vec4 v) { return WIDTH == 4u ? (v.x + v.y) + (v.z + v.w) : v.x; }
float larger(float a, float b) { return b > a ? b : a; } /* b may be NaN: a */
float piece_max(float so_far, vec4 v) {
    so_far = larger(so_far, v.x);
    return WIDTH == 4u ? larger(larger(larger(so_far, v.y), v.z), v.w) : so_far;
}

#endif
