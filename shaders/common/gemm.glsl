/* What the GEMMs on vector units share: the constants of the op, and elements as f32 with zeros past every edge. */
#ifndef SHADERS_GEMM_GLSL
#define SHADERS_GEMM_GLSL

layout(constant_id = 1) const uint TYPE = GRETA_TYPE_F32;
layout(constant_id = 2) const uint A_ORDER = GRETA_ORDER_ROW;
layout(constant_id = 3) const uint B_ORDER = GRETA_ORDER_ROW;

/* A matrix as lines of what is contiguous: along k, or along its other dimension. */
struct matrix {
    uint64_t base;
    bool along_k;
    uint size; /* of the other dimension */
};

matrix matrix_a() { return matrix(args.a, A_ORDER == GRETA_ORDER_ROW, args.m); }
matrix matrix_b() { return matrix(args.b, B_ORDER == GRETA_ORDER_COL, args.n); }

/* Where element (i, k) lies, i of the other dimension. */
uint element_at(matrix x, uint i, uint k) { return x.along_k ? i * args.k + k : k * x.size + i; }

float load_at(matrix x, uint i, uint k) {
    return i < x.size && k < args.k ? load_element(x.base, element_at(x, i, k), TYPE) : 0.0;
}

#endif
