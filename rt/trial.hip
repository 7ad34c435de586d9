/* y[i] = i * 2654435761 + seed, over groups of 64 threads: rt/trial.c knows the values. */
typedef unsigned int u32;

struct trial_args {
    __attribute__((address_space(1))) u32 *y;
    u32 seed;
};

#define KERNEL extern "C" __attribute__((global, amdgpu_flat_work_group_size(64, 64))) void

KERNEL trial(const trial_args a) __asm__("main"); /* C++ would not have a kernel of that name */
KERNEL trial(const trial_args a) {
    u32 i = __builtin_amdgcn_workgroup_id_x() * 64 + __builtin_amdgcn_workitem_id_x();
    a.y[i] = i * 2654435761u + a.seed;
}
