// The gfx942 machine as its users see it: memory, code objects, launches.
//
// Device addresses are addresses of this process: an allocation is host memory, so a copy from or to it is memcpy. A kernel may touch
// only what gfx_alloc gave out (to the byte), its arguments and its code object's segments.
// Calls on one machine must not overlap (one lock of the caller's); a launch returns when the kernel has ended. It uses up to
// n_threads threads of its own meanwhile. Two machines are independent of each other.
#ifndef GFX942_MACHINE_H
#define GFX942_MACHINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifndef GFX_NAME // another machine behind this interface (tests/hipsim) has its own
#define GFX_NAME "AMD Instinct MI300X (emulated gfx942)"
#define GFX_ARCH "gfx942:sramecc+:xnack-"
#define GFX_WAVE 64
#define GFX_PROCESSORS GFX_CUS // as the library counts them
#endif
#define GFX_XCDS 8
#define GFX_CUS 304
#define GFX_LDS_BYTES 65536
#define GFX_GROUP_THREADS 1024

struct gfx_machine;
struct gfx_object; // a loaded code object
struct gfx_kernel;

enum gfx_status {
    GFX_OK,
    GFX_NO_MEMORY,
    GFX_BAD_OBJECT, // no gfx942 code object, or one that this machine cannot run: gfx_error says why
    GFX_BAD_LAUNCH, // sizes, LDS or arguments that no gfx942 takes
    GFX_FAULT,   // the kernel did what a strict machine refuses; gfx_error names kernel, pc and instruction
    GFX_TIMEOUT, // max_instructions were executed and the kernel had not ended
};

struct gfx_options {
    uint64_t seed;             // of the interleaving of waves and workgroups
    uint64_t memory_bytes;     // 0: 192 GiB, as the board
    uint64_t max_instructions; // per launch, by all waves; 0: 2e9
    uint32_t n_threads;        // 0: as many as the host has CPUs, at most 8
    bool stats;                // count (gfx_stats); costs some speed
    bool poison; // fresh allocations are filled with a pattern (0xff bytes: NaN) rather than zeros
};

// NULL where memory or threads run out, or where the disassembler library does not know gfx942.
struct gfx_machine *gfx_create(const struct gfx_options *options);
void gfx_destroy(struct gfx_machine *m);

// The text of the last call that did not return GFX_OK. Never NULL.
const char *gfx_error(const struct gfx_machine *m);

// ---- Memory. gfx_alloc returns NULL where memory_bytes would be passed; 256-byte aligned; unmapped or unreadable bytes lie around it.
void *gfx_alloc(struct gfx_machine *m, size_t bytes);
bool gfx_free(struct gfx_machine *m, void *p); // false: p is not the start of an allocation
// The allocation that holds p, false where none does. base and bytes may be NULL.
bool gfx_find(struct gfx_machine *m, const void *p, void **base, size_t *bytes);
// Host memory that kernels may touch (hipHostMalloc, hipHostRegister). The caller keeps it until gfx_unmap.
bool gfx_map(struct gfx_machine *m, void *p, size_t bytes);
bool gfx_unmap(struct gfx_machine *m, void *p);
uint64_t gfx_memory_used(const struct gfx_machine *m);
// A host write into device memory between launches needs no call: every launch begins and ends with all caches written back.

// ---- Code. `bytes` is an ELF for amdgcn-amd-amdhsa, gfx942; it is copied. Offload bundles are the caller's to unpack.
enum gfx_status gfx_load(struct gfx_machine *m, const void *bytes, size_t n_bytes,
                         struct gfx_object **object);
void gfx_unload(struct gfx_machine *m, struct gfx_object *o);
size_t gfx_n_kernels(const struct gfx_object *o);
const struct gfx_kernel *gfx_kernel_at(const struct gfx_object *o, size_t i);
const struct gfx_kernel *gfx_kernel(const struct gfx_object *o, const char *name); // NULL: none
// Decodes all functions. How many instructions this machine would refuse; the first one's place and text in `text`.
size_t gfx_unknown(struct gfx_object *o, char *text, size_t n_text);
// A __device__ variable: its address on the device, 0 where there is none of that name.
uint64_t gfx_symbol(const struct gfx_object *o, const char *name, size_t *bytes);

struct gfx_arg {
    uint32_t offset, bytes;
    char kind[32]; // .value_kind: by_value, global_buffer, hidden_block_count_x, ...
};

// From the kernel descriptor and the code object's notes.
struct gfx_facts {
    const char *name;
    uint32_t vgprs, agprs, sgprs; // allocated for one lane / wave
    uint32_t vgpr_spills, sgpr_spills;
    uint32_t lds_bytes, scratch_bytes; // static LDS of a group, scratch of a lane
    uint32_t kernarg_bytes;            // the segment with the hidden arguments
    uint32_t explicit_bytes;           // without them
    uint32_t max_threads, wave_size;   // .max_flat_workgroup_size
    uint32_t n_args;
    const struct gfx_arg *args;
};
void gfx_facts(const struct gfx_kernel *k, struct gfx_facts *facts);

// ---- Launch
struct gfx_launch {
    uint32_t groups[3], threads[3];
    uint32_t dynamic_lds;
    const void *args; // explicit arguments, laid out as the kernel's; hidden ones are filled in
    size_t n_args;    // bytes; at least explicit_bytes
};
enum gfx_status gfx_run(struct gfx_machine *m, const struct gfx_kernel *k, const struct gfx_launch *launch);

// ---- Counts of all launches since gfx_stats_reset, where options.stats. Instructions are counted once per wave.
struct gfx_stats {
    uint64_t launches, groups, waves;
    uint64_t instructions, by_class[16]; // enum gfx_class of wave.h; names by gfx_class_name
    uint64_t mfma_flops;
    uint64_t lds_accesses, lds_cycles,
        lds_conflict_cycles;             // cycles of 32 banks; conflicts: those beyond the least possible
    uint64_t bytes_loaded, bytes_stored; // asked for by lanes
    uint64_t lines_loaded, lines_stored; // touched cache lines of 128 bytes, per instruction
    uint64_t barriers, waits;
};
void gfx_stats(const struct gfx_machine *m, struct gfx_stats *s);
void gfx_stats_reset(struct gfx_machine *m);
void gfx_stats_start(struct gfx_machine *m); // from the next launch on, as options.stats does from the first
const char *gfx_class_name(unsigned cls);

#endif
