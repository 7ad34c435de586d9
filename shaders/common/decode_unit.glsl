/*
 * Whole units of 32 weights at a time: the loads are of 16 bytes, and what a unit's chunks share, its scales, is loaded and
 * decoded once. For the types whose bits of a unit are 16 or 32 bytes, or 8.
 */
#ifndef SHADERS_DECODE_UNIT_GLSL
#define SHADERS_DECODE_UNIT_GLSL

/* The bytes of a unit: members that a type does not use cost nothing. */
struct packed_unit {
    uvec4 q, q_high;
    uvec4 scale;
};

/* Unit i_unit of a row, quantized. */
packed_unit load_unit(packed_weight w, uint type, uint row, uint i_unit) {
    packed_unit p;
    p.q = p.q_high = uvec4(0);
    uint unit = row * w.n_units + i_unit;
    packed_chunk c = load_chunk(w, type, row, i_unit * 4u); /* its scales; the compiler drops what is not used of it */
    p.scale = c.scale;
    if (type == GRETA_TYPE_Q8_0) {
        p.q = IN_UVEC4(w.base, unit * 32u);
        p.q_high = IN_UVEC4(w.base, unit * 32u + 16u);
    } else if (type == GRETA_TYPE_Q2_K || type == GRETA_TYPE_Q3_K) {
        p.q.xy = IN_UVEC2(w.base, unit * 8u);
        p.q_high.x = c.q.y;
    } else {
        p.q = IN_UVEC4(w.base, unit * 16u);
        p.q_high.x = c.q.y;
        if (type == GRETA_TYPE_Q6_K) p.q_high.xy = IN_UVEC2(w.base, w.plane_1 + unit * 8u);
    }
    return p;
}

/* Chunk i of it, 0 .. 3, as load_chunk gives it. */
packed_chunk chunk_of_unit(packed_unit p, uint type, uint i) {
    packed_chunk c;
    c.q = c.q_high = uvec4(0);
    c.scale = p.scale;
    if (type == GRETA_TYPE_Q8_0)
        c.q.xy = i == 0u ? p.q.xy : i == 1u ? p.q.zw : i == 2u ? p.q_high.xy : p.q_high.zw;
    else if (type == GRETA_TYPE_Q2_K || type == GRETA_TYPE_Q3_K)
        c.q.x = p.q[i >> 1];
    else
        c.q.x = p.q[i];
    if (type != GRETA_TYPE_Q8_0) c.q.y = type == GRETA_TYPE_Q6_K ? p.q_high[i >> 1] : p.q_high.x;
    return c;
}

#endif
