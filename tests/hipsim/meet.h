/* What a kernel on the host calls. C and C++ include it. */
#ifndef HIPSIM_MEET_H
#define HIPSIM_MEET_H

enum { HIPSIM_WAVE = 32 };

enum hipsim_kind {
    HIPSIM_NONE,
    HIPSIM_BARRIER,
    HIPSIM_READ_FIRST, /* of the lanes that have come, the others may be elsewhere */
    HIPSIM_READ_LANE,  /* parameter: the lane */
    HIPSIM_DPP,        /* parameter: control, row mask, bank mask, bound_ctrl */
    HIPSIM_SWIZZLE,    /* parameter: the pattern of ds_swizzle_b32 */
    HIPSIM_BPERMUTE,   /* operand: {x, the lane that it reads} */
    HIPSIM_WMMA_F16,
    HIPSIM_WMMA_BF16,
    HIPSIM_WMMA_I8 /* parameter: 1 a is signed, 2 b is, 4 clamp */
};

struct hipsim_wmma_operands {
    unsigned a[8], b[8], c[8];
};

/* Of the lane that runs, and its workgroup; grid in threads for x, in groups otherwise. */
extern unsigned hipsim_thread, hipsim_group[3], hipsim_grid[3];

/* Waits until the other lanes of the wave (of the workgroup, for a barrier) are here, too. Not to be duplicated or moved under a
 * condition by the compiler: the lanes know each other's place by the address that they return to. */
#ifdef __clang__
__attribute__((convergent, noinline))
#endif
void hipsim_meet(unsigned kind, unsigned parameter, const void *in, void *out);

unsigned hipsim_perm(unsigned high, unsigned low, unsigned pick);
int hipsim_dot4(int a_signed, int a, int b_signed, int b, int sum, int clamp);
float hipsim_exp2(float x);
float hipsim_rsq(float x);
float hipsim_half_to_float(unsigned short bits);
unsigned short hipsim_float_to_half(float x);
void hipsim_setreg(int field, unsigned value);
unsigned hipsim_atomic_add(unsigned *p, unsigned value);

#endif
