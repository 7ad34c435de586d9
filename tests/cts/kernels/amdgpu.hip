/* The test kernels as code objects: one function each, one symbol for each set of constants that a test asks for. */
typedef unsigned int u32;
typedef __attribute__((address_space(1))) u32 *words;
typedef __attribute__((address_space(1))) float *floats;

#define KERNEL extern "C" __attribute__((global, amdgpu_flat_work_group_size(64, 64))) void
#define INDEX (__builtin_amdgcn_workgroup_id_x() * 64 + __builtin_amdgcn_workitem_id_x())

struct axpy_args {
    floats x, y, z;
    u32 n;
    float c;
};
struct one_args { /* of step, ids, consts, spin */
    words x;
    u32 n;
};
struct sum8_args {
    words in[8], y;
    u32 n;
};

KERNEL axpy_64_0_0(const axpy_args a) {
    u32 i = INDEX;
    if (i < a.n) a.z[i] = a.x[i] + a.c * a.y[i];
}

#define STEP(name)                           \
    KERNEL name(const one_args a) {          \
        u32 i = INDEX;                       \
        if (i < a.n) a.x[i] = a.x[i] * 3 + 1; \
    }
STEP(step_64)
STEP(step_64_0_0)

/* A grid's size is threads. */
KERNEL ids_64_0_0(const one_args a) {
    u32 nx = __builtin_amdgcn_grid_size_x() / 64, ny = __builtin_amdgcn_grid_size_y();
    u32 id = __builtin_amdgcn_workgroup_id_x() +
             nx * (__builtin_amdgcn_workgroup_id_y() + ny * __builtin_amdgcn_workgroup_id_z());
    if (__builtin_amdgcn_workitem_id_x() == 0 && id < a.n) a.x[id] += 1 + id;
}

#define CONSTS(k1, k2)                                \
    KERNEL consts_64_##k1##_##k2(const one_args a) {  \
        u32 i = INDEX;                                \
        if (i < a.n) a.x[i] = k1##u + i * k2##u;      \
    }
CONSTS(5, 7)
CONSTS(5, 8)
CONSTS(41, 1000003)

KERNEL sum8_64_0_0(const sum8_args a) {
    u32 i = INDEX, sum = 0;
    if (i >= a.n) return;
#pragma unroll
    for (int k = 0; k < 8; k++) sum += a.in[k][i];
    a.y[i] = sum;
}

/* The compiler must not fold the loop into one step: its length is what makes the kernel slow. */
#define SPIN(k1)                                              \
    KERNEL spin_64_##k1##_0(const one_args a) {               \
        u32 i = INDEX;                                        \
        if (i >= a.n) return;                                 \
        u32 v = a.x[i];                                       \
        _Pragma("nounroll") for (u32 k = 0; k < k1; k++) {    \
            v = v * 3 + 1;                                    \
            __asm__ volatile("" : "+v"(v));                   \
        }                                                     \
        a.x[i] = v;                                           \
    }
SPIN(1)
SPIN(2)
SPIN(3)
SPIN(5)
SPIN(100)
SPIN(200)
