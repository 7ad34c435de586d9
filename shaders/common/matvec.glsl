/*
 * What the matvecs share: sums of products of rows with x. A workgroup makes ROWS sums of each of SETS weights of one shape; its
 * invocations share the columns, a chunk of eight at a time, so that one subgroup reads whole lines of a row and each x that
 * it reads serves all rows. All of a step's loads are issued before the first is used.
 *
 * Before the include: ROWS; STEPS, the chunks that an invocation has under way; ALIGNED, 1 where x lies at a multiple of 16
 * bytes and n_cols is a multiple of 8; #define SETS. Where there is a norm: NORM, 1 if x is to be normed, by args.norm and
 * args.eps, and #define WITH_NORM. Where rows do not follow each other: #define ROW_AT(first, i), row i of a group's. Where a group
 * has a piece of the columns alone: #define PIECE_BEGIN(n) and PIECE_END(n), its chunks of n. UNITS 1 and #define WITH_UNITS: by whole
 * units of quantized weights, 32 columns at a time, x aligned, no pieces.
 */
#ifndef SHADERS_MATVEC_GLSL
#define SHADERS_MATVEC_GLSL

#include "decode_unit.glsl"

#ifdef WITH_NORM
#define NORM_WEIGHTS args.norm
#define NORM_EPS args.eps
#else
const uint NORM = 0;
#define NORM_WEIGHTS args.x
#define NORM_EPS 0.0
#endif
#ifndef WITH_UNITS
const uint UNITS = 0;
#endif
#ifndef ROW_AT
#define ROW_AT(first, i) ((first) + (i))
#endif
#ifndef PIECE_BEGIN
#define PIECE_BEGIN(n) 0u
#define PIECE_END(n) (n)
#endif

const uint N_SUMS = SETS * ROWS;

/* Norm 1: one more sum, of the squares of x. */
shared float partials[(N_SUMS + NORM) * (gl_WorkGroupSize.x / SUBGROUP_MIN)];

void load_floats(uint64_t base, uint chunk, out vec4 lo, out vec4 hi) {
    if (ALIGNED == 1) {
        lo = IN_VEC4(base, chunk * 32u);
        hi = IN_VEC4(base, chunk * 32u + 16u);
    } else {
        [[unroll]] for (uint e = 0; e < 8u; e++) {
            float x = chunk * 8u + e < args.n_cols ? IN_F32(base, (chunk * 8u + e) * 4u) : 0.0;
            if (e < 4u)
                lo[e] = x;
            else
                hi[e - 4u] = x;
        }
    }
}

float dot_chunk(packed_chunk p, uint format, uint chunk, vec4 lo, vec4 hi, float x_sum) {
    weights_8 w = decode_chunk(p, format, chunk);
    float sum = dot(w.lo, lo) + dot(w.hi, hi);
    if (has_scale(format)) sum *= w.scale;
    if (has_offset(format)) sum += w.offset * x_sum;
    return sum;
}

/* Each subgroup's part of the sums, for sum_of. */
void sums_share(float sums[N_SUMS], float squares) {
    [[unroll]] for (uint i = 0; i < N_SUMS; i++) {
        float part = subgroupAdd(sums[i]);
        if (subgroupElect()) partials[i * gl_NumSubgroups + gl_SubgroupID] = part;
    }
    if (NORM == 1) {
        float part = subgroupAdd(squares);
        if (subgroupElect()) partials[N_SUMS * gl_NumSubgroups + gl_SubgroupID] = part;
    }
    barrier();
}

/*
 * By whole units: an invocation has one of each row. The x of the workgroup's units passes through LDS, read as it lies and handed out
 * by units; strides of one vec4 more than the workgroup's size keep both free of bank conflicts.
 */
const uint TILE_STRIDE = gl_WorkGroupSize.x + 1u;
shared vec4 x_tile[UNITS == 1 ? 8u * TILE_STRIDE : 1u];

/* x from unit `begin` on, as many units as the workgroup has invocations, zeros past the end. Returns the sum of this invocation's squares. */
float stage_x(uint begin, uint n_units) {
    float squares = 0.0;
    [[unroll]] for (uint k = 0; k < 8u; k++) {
        uint part = k * gl_WorkGroupSize.x + gl_LocalInvocationID.x, at = begin * 8u + part;
        vec4 x = at < n_units * 8u ? IN_VEC4(args.x, at * 16u) : vec4(0.0);
        if (NORM == 1) {
            squares += dot(x, x);
            if (at < n_units * 8u) x *= IN_VEC4(NORM_WEIGHTS, at * 16u);
        }
        x_tile[(part & 7u) * TILE_STRIDE + (part >> 3)] = x;
    }
    return squares;
}

void units_multiply(packed_weight w, uint format, uint64_t bases[SETS], uint first, uint n_rows) {
    uint t = gl_LocalInvocationID.x;
    bool two_scales = has_two_scales(format);
    float sums[N_SUMS], squares = 0.0;
    [[unroll]] for (uint i = 0; i < N_SUMS; i++) sums[i] = 0.0;

    for (uint begin = 0; begin < w.n_units; begin += gl_WorkGroupSize.x) {
        /* Past the end the last unit is read again and multiplied by zeros. */
        uint unit = min(begin + t, w.n_units - 1u);
        packed_unit p[N_SUMS];
        [[unroll]] for (uint i = 0; i < N_SUMS; i++) {
            w.base = bases[i / ROWS];
            p[i] = load_unit(w, format, min(ROW_AT(first, i % ROWS), n_rows - 1u), unit);
        }
        if (begin > 0u) barrier();
        squares += stage_x(begin, w.n_units);
        barrier();

        float scales[N_SUMS], offsets[N_SUMS];
        [[unroll]] for (uint half_unit = 0; half_unit < 2u; half_unit++) {
            float products[N_SUMS], x_sum = 0.0;
            [[unroll]] for (uint i = 0; i < N_SUMS; i++) products[i] = 0.0;
            [[unroll]] for (uint k = 0; k < 2u; k++) { /* bounds that a driver sees, or it does not unroll */
                uint j = 4u * half_unit + 2u * k;
                vec4 lo = x_tile[j * TILE_STRIDE + t], hi = x_tile[(j + 1u) * TILE_STRIDE + t];
                if (has_offset(format)) x_sum += dot(lo + hi, vec4(1.0));
                [[unroll]] for (uint i = 0; i < N_SUMS; i++)
                    products[i] += dot(unit_integers(p[i], format, j), lo) + dot(unit_integers(p[i], format, j + 1u), hi);
            }
            [[unroll]] for (uint i = 0; i < N_SUMS; i++) {
                if (half_unit == 0u || two_scales)
                    scale_of(p[i].scale, format, unit, half_unit, scales[i], offsets[i]);
                sums[i] += scales[i] * products[i] + (has_offset(format) ? offsets[i] * x_sum : 0.0);
            }
        }
    }
    sums_share(sums, squares);
}

/* This subgroup's part of the sums: row ROW_AT(first, i % ROWS) of the weight at bases[i / ROWS], of n_rows in `format`. */
void rows_multiply(packed_weight w, uint format, uint64_t bases[SETS], uint first, uint n_rows) {
    if (UNITS == 1) {
        units_multiply(w, format, bases, first, n_rows);
        return;
    }
    uint n_chunks = (args.n_cols + 7u) / 8u, end = PIECE_END(n_chunks);
    float sums[N_SUMS], squares = 0.0;
    [[unroll]] for (uint i = 0; i < N_SUMS; i++) sums[i] = 0.0;

    for (uint begin = PIECE_BEGIN(n_chunks) + gl_LocalInvocationID.x; begin < end; begin += gl_WorkGroupSize.x * STEPS) {
        packed_chunk p[STEPS * N_SUMS];
        vec4 lo[STEPS], hi[STEPS], norm_lo[STEPS], norm_hi[STEPS];
        [[unroll]] for (uint s = 0; s < STEPS; s++) {
            /* Past the end the last chunk is read again and not used: a branch here would serialize the loads. */
            uint chunk = begin + s * gl_WorkGroupSize.x;
            uint inside = min(chunk, end - 1u);
            [[unroll]] for (uint i = 0; i < N_SUMS; i++) {
                w.base = bases[i / ROWS];
                p[s * N_SUMS + i] = load_chunk(w, format, min(ROW_AT(first, i % ROWS), n_rows - 1u), inside);
            }
            load_floats(args.x, inside, lo[s], hi[s]);
            if (NORM == 1) load_floats(NORM_WEIGHTS, inside, norm_lo[s], norm_hi[s]);
        }
        [[unroll]] for (uint s = 0; s < STEPS; s++) {
            uint chunk = begin + s * gl_WorkGroupSize.x;
            if (chunk < end) {
                float x_sum = 0.0;
                if (NORM == 1) {
                    squares += dot(lo[s], lo[s]) + dot(hi[s], hi[s]);
                    lo[s] *= norm_lo[s];
                    hi[s] *= norm_hi[s];
                }
                if (has_offset(format)) x_sum = dot(lo[s] + hi[s], vec4(1.0));
                [[unroll]] for (uint i = 0; i < N_SUMS; i++)
                    sums[i] += dot_chunk(p[s * N_SUMS + i], format, chunk, lo[s], hi[s], x_sum);
            }
        }
    }

    sums_share(sums, squares);
}

/* Sum i of the workgroup, after rows_multiply. */
float sum_of(uint i) {
    float sum = 0.0;
    for (uint k = 0; k < gl_NumSubgroups; k++) sum += partials[i * gl_NumSubgroups + k];
    return sum;
}

/* What a norm scales every sum by. */
float norm_factor() {
    if (NORM == 0) return 1.0;
    return 1.0 / sqrt(sum_of(N_SUMS) / float(args.n_cols) + NORM_EPS);
}

#endif
