/*
 * Whole units of 32 weights at a time: the loads are of 16 bytes, and what a unit's chunks share, its scales, is loaded and
 * decoded once. For the types that are no floats.
 */
#ifndef SHADERS_DECODE_UNIT_GLSL
#define SHADERS_DECODE_UNIT_GLSL

/* The bytes of a unit: members that a format does not use cost nothing. */
struct packed_unit {
    uvec4 low, low_more;
    uvec2 high;
    packed_scale scale;
};

/* Unit i_unit of a row. */
packed_unit load_unit(packed_weight w, uint format, uint row, uint i_unit) {
    packed_unit p;
    p.low = p.low_more = uvec4(0u);
    p.high = uvec2(0u);
    uint unit = row * w.n_units + i_unit, n_low = GRETA_FORMAT_LOW(format), n_high = GRETA_FORMAT_HIGH(format);
    if (n_low == 8u) p.low_more = IN_UVEC4(w.base, unit * 32u + 16u);
    if (n_low >= 4u) p.low = IN_UVEC4(w.base, unit * n_low * 4u);
    if (n_low == 2u) p.low.xy = IN_UVEC2(w.base, unit * 8u);
    if (n_high == 2u) p.high = IN_UVEC2(w.base, w.plane_1 + unit * 8u);
    if (n_high == 1u) p.high.x = IN_U32(w.base, w.plane_1 + unit * 4u);
    p.scale = load_scale(w, format, row, i_unit);
    return p;
}

/* Elements 4 j .. 4 j + 3 of it, before their scale and offset; j of 0 .. 7. */
vec4 unit_integers(packed_unit p, uint format, uint j) {
    uint n_low = GRETA_FORMAT_LOW(format), at = j * n_low / 8u;
    uint low = at < 4u ? p.low[at & 3u] : p.low_more[at & 3u];
    return codes_to_vec4(format, greta_weight_codes(format, low, p.high[GRETA_FORMAT_HIGH(format) == 2u ? j >> 2 : 0u], j));
}

#endif
