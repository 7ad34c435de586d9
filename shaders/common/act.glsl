/* Activation functions. */
#ifndef SHADERS_ACT_GLSL
#define SHADERS_ACT_GLSL

/* Both are g / (1 + exp(-x)); GELU's tanh is written so: 0.5 (1 + tanh(u)) = 1 / (1 + exp(-2u)). */
float act_of(uint act, float g) {
    float x = act == GRETA_ACT_GELU ? 1.5957691216 * (g + 0.044715 * g * g * g) : g;
    return g / (1.0 + exp(-x));
}

/* No tanh(): drivers' forms of it overflow. Near 0 the series, whose next term is below 1e-8 of the result. */
float tanh_of(float z) {
    float s = z * z;
    float series = z * (1.0 + s * (-1.0 / 3.0 + s * (2.0 / 15.0 + s * (-17.0 / 315.0 + s * (62.0 / 2835.0)))));
    return abs(z) < 0.25 ? series : 1.0 - 2.0 / (exp(2.0 * z) + 1.0);
}

#endif
