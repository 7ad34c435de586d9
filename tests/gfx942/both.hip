/* The functions of both.h as kernels "both_<name>": 64 results a workgroup. */
#include "both.h"

#define IN const uint64_t __attribute__((address_space(1))) *
#define KERNEL(name, ...)                                                                                        \
    BOTH_INLINE uint64_t fn_##name(uint64_t a, uint64_t b, uint64_t c) {                                         \
        (void)b, (void)c;                                                                                        \
        __VA_ARGS__;                                                                                             \
    }                                                                                                            \
    extern "C" __attribute__((global)) void both_##name(IN a, IN b, IN c, uint64_t __attribute__((address_space(1))) * r) { \
        unsigned i = __builtin_amdgcn_workgroup_id_x() * 64 + __builtin_amdgcn_workitem_id_x();                  \
        r[i] = fn_##name(a[i], b[i], c[i]);                                                                      \
    }
FUNCTIONS(KERNEL)
