/* What the compiler calls on a host without f16: cross.c knows the wave's mode, and not every C compiler the type. */
extern "C" float __extendhfsf2(_Float16 x) {
    return hipsim_half_to_float(__builtin_bit_cast(unsigned short, x));
}
extern "C" _Float16 __truncsfhf2(float x) {
    return __builtin_bit_cast(_Float16, hipsim_float_to_half(x));
}
