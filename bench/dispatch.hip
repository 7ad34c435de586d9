/* The kernel of bench-dispatch: one group, y[i] = scale * x[i]. */
struct scale_args {
    const __attribute__((address_space(1))) float *x;
    __attribute__((address_space(1))) float *y;
    float scale;
};

#define KERNEL extern "C" __attribute__((global, amdgpu_flat_work_group_size(256, 256))) void

KERNEL scale(const scale_args a) __asm__("main"); /* C++ would not have a kernel of that name */
KERNEL scale(const scale_args a) {
    unsigned i = __builtin_amdgcn_workgroup_id_x() * 256 + __builtin_amdgcn_workitem_id_x();
    a.y[i] = a.scale * a.x[i];
}
