/*
 * A timestamp: the clock that runs at one rate whatever the GPU does, to memory that the host reads. A kernel and not an event of
 * the library: an event that is recorded into a graph has no time there before HIP 7.
 */
struct stamp_args {
    __attribute__((address_space(1))) unsigned long long *place;
};

extern "C" __attribute__((global, amdgpu_flat_work_group_size(1, 1))) void stamp(const stamp_args a) {
    *a.place = __builtin_readsteadycounter();
}
