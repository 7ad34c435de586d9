/*
 * What the matvecs share: sums of products of rows with x. A workgroup makes ROWS sums of each of SETS weights of one shape; its
 * invocations share the columns, a chunk of eight at a time, so that one subgroup reads whole lines of a row and each x that
 * it reads serves all rows. All of a step's loads are issued before the first is used.
 *
 * Before the include: W_TYPE; ROWS; STEPS, the chunks that an invocation has under way; ALIGNED, 1 where x lies at a
 * multiple of 16 bytes and n_cols is a multiple of 8; #define SETS.
 */
#ifndef SHADERS_MATVEC_GLSL
#define SHADERS_MATVEC_GLSL

const uint N_SUMS = SETS * ROWS;

shared float partials[N_SUMS * (gl_WorkGroupSize.x / SUBGROUP_MIN)];

void load_x(uint chunk, out vec4 lo, out vec4 hi) {
    if (ALIGNED == 1) {
        lo = IN_VEC4(args.x, chunk * 32u);
        hi = IN_VEC4(args.x, chunk * 32u + 16u);
    } else {
        [[unroll]] for (uint e = 0; e < 8u; e++) {
            float x = chunk * 8u + e < args.n_cols ? IN_F32(args.x, (chunk * 8u + e) * 4u) : 0.0;
            if (e < 4u)
                lo[e] = x;
            else
                hi[e - 4u] = x;
        }
    }
}

float dot_chunk(packed_chunk p, uint chunk, vec4 lo, vec4 hi, float x_sum) {
    weights_8 w = decode_chunk(p, W_TYPE, chunk);
    float sum = dot(w.lo, lo) + dot(w.hi, hi);
    if (type_has_scale(W_TYPE)) sum *= w.scale;
    if (type_has_offset(W_TYPE)) sum += w.offset * x_sum;
    return sum;
}

/* This subgroup's part of the sums: row first + i % ROWS of the weight at bases[i / ROWS]. */
void rows_multiply(packed_weight w, uint64_t bases[SETS], uint first, uint n_rows) {
    uint n_chunks = (args.n_cols + 7u) / 8u;
    float sums[N_SUMS];
    [[unroll]] for (uint i = 0; i < N_SUMS; i++) sums[i] = 0.0;

    for (uint begin = gl_LocalInvocationID.x; begin < n_chunks; begin += gl_WorkGroupSize.x * STEPS) {
        packed_chunk p[STEPS * N_SUMS];
        vec4 lo[STEPS], hi[STEPS];
        [[unroll]] for (uint s = 0; s < STEPS; s++) {
            /* Past the end the last chunk is read again and not used: a branch here would serialize the loads. */
            uint chunk = begin + s * gl_WorkGroupSize.x;
            uint inside = min(chunk, n_chunks - 1u);
            [[unroll]] for (uint i = 0; i < N_SUMS; i++) {
                w.base = bases[i / ROWS];
                p[s * N_SUMS + i] = load_chunk(w, W_TYPE, min(first + i % ROWS, n_rows - 1u), inside);
            }
            load_x(inside, lo[s], hi[s]);
        }
        [[unroll]] for (uint s = 0; s < STEPS; s++) {
            uint chunk = begin + s * gl_WorkGroupSize.x;
            if (chunk < n_chunks) {
                float x_sum = 0.0;
                if (type_has_offset(W_TYPE)) x_sum = dot(lo[s] + hi[s], vec4(1.0));
                [[unroll]] for (uint i = 0; i < N_SUMS; i++)
                    sums[i] += dot_chunk(p[s * N_SUMS + i], chunk, lo[s], hi[s], x_sum);
            }
        }
    }

    [[unroll]] for (uint i = 0; i < N_SUMS; i++) {
        float part = subgroupAdd(sums[i]);
        if (subgroupElect()) partials[i * gl_NumSubgroups + gl_SubgroupID] = part;
    }
    barrier();
}

/* Sum i of the workgroup, after rows_multiply. */
float sum_of(uint i) {
    float sum = 0.0;
    for (uint k = 0; k < gl_NumSubgroups; k++) sum += partials[i * gl_NumSubgroups + k];
    return sum;
}

#endif
