/*
 * An update: up to 64 words that travel as arguments of a kernel. The library copies arguments when a launch is recorded, into a
 * stream or into a graph, so every replay writes the recorded words and the host keeps nothing alive.
 */
typedef unsigned int u32;

struct update_args {
    __attribute__((address_space(1))) u32 *dst;
    u32 n;
    u32 words[64];
};

extern "C" __attribute__((global, amdgpu_flat_work_group_size(64, 64))) void update(const update_args a) {
    u32 i = __builtin_amdgcn_workitem_id_x();
    if (i < a.n) a.dst[i] = a.words[i];
}
