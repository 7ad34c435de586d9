// What the files of the machine share. machine.h is for its users, wave.h for the meanings of instructions.
#ifndef GFX942_INTERNAL_H
#define GFX942_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#include "machine.h"
#include "wave.h"

#define GFX_MAX_WAVES 16
#define GFX_ERROR_BYTES 1024

// ---- Memory (memory.c)
// Who wrote a dword in the running launch: what the L2 of another XCD may not know.
struct gfx_stamp {
    uint32_t epoch; // of the machine's counter, when it was written; older than the launch's first: nobody
    uint32_t
        writer; // group + 1, wave << GFX_WRITER_BITS; GFX_COHERENT: written through (sc1) or by an atomic
};
#define GFX_COHERENT 0x80000000u
#define GFX_WRITER_BITS 27
#define GFX_WRITER ((1u << GFX_WRITER_BITS) - 1)

struct gfx_mem {
    uintptr_t base, end;
    bool mapped, readonly, hidden; // hidden: the machine's own (arguments, code), not found by gfx_find
    _Atomic(struct gfx_stamp *) stamps;
    _Atomic uint32_t stored_epoch; // of the last store by a kernel
};

// The allocation that holds [at, at + bytes), NULL where none does. Thread-safe while nothing is allocated.
struct gfx_mem *gfx_mem_find(struct gfx_machine *m, uintptr_t at, size_t bytes);
struct gfx_mem *gfx_mem_add(struct gfx_machine *m, void *p, size_t bytes);
void *gfx_mem_new(struct gfx_machine *m, size_t bytes, bool hidden);
// "0x... is 4 bytes past the end of the allocation of 1024 bytes at 0x..."
void gfx_mem_describe(struct gfx_machine *m, uintptr_t at, size_t bytes, char *text, size_t n_text);

// Called by memory instructions; false after a fault. Where the launch has one group only nothing is tracked.
bool gfx_mem_loaded(struct gfx_wave *w, struct gfx_mem *a, uintptr_t at, uint32_t bytes, bool sc1);
uint32_t gfx_sync_epoch(struct gfx_wave *w);      // the machine's counter, then one more
uint32_t gfx_sync_write_back(struct gfx_wave *w); // issued; gives the number that is told when it is done
void gfx_sync_written_back(struct gfx_wave *w, uint32_t at);
void gfx_sync_invalidated(struct gfx_wave *w);
void gfx_mem_stored(struct gfx_wave *w, struct gfx_mem *a, uintptr_t at, uint32_t bytes, bool coherent);

// ---- Code (object.c, decode.c)
struct gfx_code {        // one decoded function
    uint64_t begin, end; // offsets in the text image
    uint32_t n;
    struct gfx_inst *insts; // n of them and a last one that faults
    uint32_t *at;           // by word: index of the instruction that begins there, UINT32_MAX elsewhere
    struct gfx_code *next;
};

struct gfx_kernel {
    struct gfx_object *object;
    char *name;
    uint64_t entry;
    uint32_t lds_bytes, scratch_bytes, kernarg_bytes, explicit_bytes;
    uint32_t rsrc1, rsrc2, rsrc3, properties, preload;
    uint32_t vgprs, agprs, sgprs, accum_offset, vgpr_spills, sgpr_spills, max_threads, n_args;
    uint32_t reqd[3];
    bool dynamic_stack, noted;
    struct gfx_arg *args;
};

struct gfx_function {
    uint64_t begin, end;
};

struct gfx_object {
    struct gfx_machine *m;
    uint8_t *image; // the loaded segments, in device memory
    size_t image_bytes;
    uint64_t text_begin, text_end; // the executable segment, as offsets in the image
    const uint8_t *elf;
    size_t elf_bytes;
    struct gfx_kernel *kernels;
    size_t n_kernels;
    struct gfx_function *functions;
    size_t n_functions;
    struct {
        char *name;
        uint64_t at;
        size_t bytes;
    } * variables;
    size_t n_variables;
    pthread_mutex_t decode_lock;
    _Atomic(struct gfx_code *) code;
    struct gfx_object *next;
};

// The code that holds the offset, decoded now if it is the first time. NULL: the offset is in no function.
struct gfx_code *gfx_code_at(struct gfx_object *o, uint64_t offset);
// The instruction at an offset, NULL where none begins.
const struct gfx_inst *gfx_inst_at(struct gfx_object *o, uint64_t offset);
struct gfx_code *gfx_decode(struct gfx_machine *m, const uint8_t *image, uint64_t begin, uint64_t end);
bool gfx_known(const struct gfx_inst *i); // false: its handler only refuses
void gfx_code_free(struct gfx_code *c);
bool gfx_disassembler_open(struct gfx_machine *m);
void gfx_disassembler_close(struct gfx_machine *m);
// The instruction's text, by the disassembler.
void gfx_text(struct gfx_machine *m, const uint8_t *bytes, size_t n, char *text, size_t n_text);

// ---- The table of operations (ops.c)
const struct gfx_op *gfx_op_find(const char *name, size_t n);
size_t gfx_op_all(const struct gfx_op *const **ops); // sorted by name

// ---- Running (run.c, group.c)
enum gfx_wave_state { GFX_READY, GFX_AT_BARRIER, GFX_ENDED };

// What the memory system of a group has done for other groups to see, by the machine's epoch counter.
struct gfx_write_back {
    uint32_t done;                  // UINT32_MAX: it was not waited for
    uint32_t covers[GFX_MAX_WAVES]; // what a wave stored before this is in memory once it is done
};

struct gfx_sync {
    struct gfx_write_back *wb;
    uint32_t n_wb, cap_wb;
    uint32_t last_inv;
};

struct gfx_lds {
    uint8_t *bytes;
    uint32_t n_bytes;
    uint64_t *init;         // a bit per byte
    uint16_t *wrote, *read; // per byte: epoch << 6 | atomic << 5 | wave
    uint16_t epoch;         // counts barriers; 1..1023
    bool track;             // more than one wave
};

struct gfx_group {
    struct gfx_machine *m;
    struct gfx_run *run;
    struct gfx_worker *worker;
    uint32_t id, at[3], xcd, n_waves, n_threads;
    struct gfx_wave *waves[GFX_MAX_WAVES];
    struct gfx_lds lds;
    uint8_t *scratch; // n_waves x 64 lanes x scratch_bytes
    size_t scratch_cap;
    uint64_t rng;
    uint32_t polls; // loads past the caches
    bool yielded;

    struct gfx_group *next;
};

struct gfx_run { // one launch
    struct gfx_machine *m;
    const struct gfx_kernel *kernel;
    const struct gfx_launch *launch;
    const struct gfx_inst *entry;
    uint64_t kernarg, packet;
    uint32_t n_groups, lds_bytes, first_epoch, waves_per_group;
    uint32_t max_resident;
    _Atomic uint32_t next_group, resident;
    _Atomic uint64_t instructions;
    _Atomic bool failed;
    struct gfx_sync *sync; // per group; NULL where there is one group
    bool track;
};

struct gfx_worker {
    struct gfx_machine *m;
    pthread_t thread;
    struct gfx_group *resident, *spare;
    struct gfx_stats stats;
    bool started;
};

struct gfx_machine {
    struct gfx_options options;
    struct gfx_mem **mems; // sorted by base
    size_t n_mems, cap_mems;
    uint64_t used;
    struct gfx_object *objects;
    void *disassembler;
    pthread_mutex_t text_lock, error_lock, sync_lock, work_lock;
    pthread_cond_t work, done;
    struct gfx_run *run;
    uint32_t run_serial, busy;
    bool quit;
    struct gfx_worker workers[8];
    uint32_t n_workers;
    _Atomic uint32_t epoch;
    struct gfx_stats stats;
    enum gfx_status status;
    char error[GFX_ERROR_BYTES];
};

enum gfx_status gfx_fail(struct gfx_machine *m, enum gfx_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static inline struct gfx_stats *gfx_stats_of(struct gfx_wave *w) {
    return &w->group->worker->stats;
}

// group.c
struct gfx_group *gfx_group_new(struct gfx_worker *worker);
void gfx_group_delete(struct gfx_group *g);
bool gfx_group_begin(struct gfx_group *g, struct gfx_run *run, uint32_t id);
enum gfx_progress { GFX_DONE, GFX_YIELD, GFX_FAILED };
enum gfx_progress gfx_group_run(struct gfx_group *g, uint64_t budget);

// ---- Waits and hazards (issue.c, hazards.c)
// A memory instruction whose result is not there yet, or whose data may still be read or written.
enum gfx_wait_kind { GFX_W_LOAD, GFX_W_STORE, GFX_W_WB, GFX_W_LDS, GFX_W_SMEM, GFX_W_FLAT, GFX_W_DMA };

struct gfx_pending {
    uint8_t kind;
    uint8_t n;      // registers
    uint16_t reg;   // 0..511 VGPR, 512.. SGPR
    uint32_t epoch; // GFX_W_STORE: when it was issued; GFX_W_WB: its number
    uint32_t access,
        n_access;    // GFX_W_LDS: the last of its accesses in lds_access, plus 1, and how many they are
    uint32_t lo, hi; // GFX_W_DMA: the LDS bytes
};

struct gfx_lds_access {
    uint64_t lanes;
    uint8_t bytes, how; // how: 1 read, 2 write, 4 atomic
    uint32_t at[GFX_LANES];
};

#define GFX_MAX_PENDING 64
#define GFX_LDS_ACCESSES 32
#define GFX_HISTORY 8
#define GFX_MATS 32
struct gfx_mat { // a matrix product in flight
    uint32_t time;
    uint16_t dst, c;                  // registers; c: UINT16_MAX for a constant
    uint8_t n_dst, n_c, passes, kind; // kind: 0 XDL, 1 f32, 2 f64
    const struct gfx_inst *inst;
};

struct gfx_issue {
    uint32_t now;          // wait states passed
    uint32_t last_mat;     // time of the last matrix product
    uint32_t last_dot;     // of the last v_dot
    uint32_t n_vm, n_lgkm; // outstanding, oldest first
    struct gfx_pending vm[GFX_MAX_PENDING], lgkm[GFX_MAX_PENDING];
    uint64_t busy[10]; // a bit per register that a load will write: 512 VGPRs, 128 SGPRs
    uint32_t n_mats;   // ring: mats[(n_mats - 1) % GFX_MATS] is the newest
    struct gfx_mat mats[GFX_MATS];
    uint32_t n_hist; // ring of the last instructions with their times
    struct {
        uint32_t time;
        const struct gfx_inst *inst;
    } hist[GFX_HISTORY];
    uint32_t lds_next, lds_new, n_dma;
    struct gfx_lds_access lds_access[GFX_LDS_ACCESSES];
    const struct gfx_inst *current;
    struct gfx_mem *near; // the allocation that was last used
};

void gfx_issue_reset(struct gfx_issue *q);
// Before the handler: false after a fault.
bool gfx_issue_check(struct gfx_wave *w, const struct gfx_inst *i);
// After it: marks what was written, and what is now outstanding.
void gfx_issue_done(struct gfx_wave *w, const struct gfx_inst *i, uint64_t good);
// Before the handler: the lanes in which all that a GFX_F_COPY reads was written; all lanes for others.
uint64_t gfx_copied_lanes(struct gfx_wave *w, const struct gfx_inst *i);
const char *gfx_reg_name(unsigned reg, char text[16]); // as in gfx_use
void gfx_hazard_note(struct gfx_inst *i);              // by the decoder: fills i->hazards
bool gfx_hazard_check(struct gfx_wave *w, const struct gfx_inst *i);
void gfx_hazard_done(struct gfx_wave *w, const struct gfx_inst *i);
void gfx_wait(struct gfx_wave *w, unsigned vm, unsigned lgkm);
// A handler of a memory instruction tells what it has outstanding; n 0: no register.
void gfx_pend_dma(struct gfx_wave *w, uint32_t lo, uint32_t hi);
void gfx_pend(struct gfx_wave *w, enum gfx_wait_kind kind, unsigned reg, unsigned n);

// ---- LDS (lds.c)
void gfx_lds_begin(struct gfx_lds *l, uint32_t n_bytes, bool track);
enum { GFX_LDS_READ = 1, GFX_LDS_WRITE = 2, GFX_LDS_ATOMIC = 4 };
// The checks and counts of one access by the lanes that are on; `at` are offsets of all lanes.
bool gfx_lds_access(struct gfx_wave *w, const uint32_t *at, uint32_t bytes, unsigned how);
bool gfx_lds_note(struct gfx_wave *w, uint32_t at, uint32_t bytes, unsigned how);
void gfx_lds_barrier(struct gfx_group *g);
// After a barrier: accesses of this wave that may still happen are noted again.
bool gfx_lds_renote(struct gfx_wave *w);

#define GFX_APERTURE_SHARED UINT64_C(0x0001000000000000)
#define GFX_APERTURE_PRIVATE UINT64_C(0x0002000000000000)

#endif
