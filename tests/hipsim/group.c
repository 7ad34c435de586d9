/* A workgroup: each lane a fiber with a stack of its own. A wave runs lane by lane up to the next meeting. */
#include "sim.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { STACK_BYTES = 256 << 10 };

struct group sim;
unsigned hipsim_thread, hipsim_group[3], hipsim_grid[3];

/*
 * A kernel takes its block by value: in registers up to 16 bytes, else on the stack. This passes it in both places; a float that is
 * alone in the second eight bytes goes in a register of its own kind.
 */
struct block {
    unsigned char bytes[ARGS_BYTES];
};
typedef void kernel_function(uint64_t first, uint64_t second, double second_float, struct block block);

static char *stacks;
static void *scheduler; /* its stack pointer while a lane runs */
static bool in_lane;
static kernel_function *function;
static unsigned char args[ARGS_BYTES];

/* ---- fibers: System V, x86-64. Callee-saved registers lie on the stack that is left. ---- */

void sim_switch(void **save, void *to);
__asm__(".pushsection .text\n"
        ".hidden sim_switch\n"
        ".globl sim_switch\n"
        ".type sim_switch, @function\n"
        "sim_switch:\n"
        "push %rbp\n push %rbx\n push %r12\n push %r13\n push %r14\n push %r15\n"
        "mov %rsp, (%rdi)\n"
        "mov %rsi, %rsp\n"
        "pop %r15\n pop %r14\n pop %r13\n pop %r12\n pop %rbx\n pop %rbp\n"
        "ret\n"
        ".popsection\n");

static void lane_begin(void) {
    uint64_t words[2];
    double as_float;
    struct block block;
    memcpy(words, args, sizeof words);
    memcpy(&as_float, args + 8, sizeof as_float);
    memcpy(&block, args, sizeof block);
    function(words[0], words[1], as_float, block);
    struct lane *lane = &sim.lanes[sim.running];
    lane->state = LANE_DONE;
    sim_switch(&lane->stack, scheduler);
}

static void lane_make(unsigned i) {
    void **top = (void **)(void *)(stacks + (size_t)(i + 1) * STACK_BYTES);
    *--top = NULL;                          /* where lane_begin never returns to */
    *--top = (void *)(uintptr_t)lane_begin; /* entered as if called: the stack is 8 past a multiple of 16 */
    for (int r = 0; r < 6; r++) *--top = NULL;
    sim.lanes[i] = (struct lane){.stack = top};
}

static void lane_go(unsigned i) {
    sim.running = i;
    hipsim_thread = i;
    in_lane = true;
    sim_switch(&scheduler, sim.lanes[i].stack);
    in_lane = false;
}

bool sim_in_lane(void) {
    return in_lane;
}

void sim_fault(const char *format, ...) {
    if (!sim.fault[0]) {
        char what[400];
        va_list list;
        va_start(list, format);
        vsnprintf(what, sizeof what, format, list);
        va_end(list);
        snprintf(sim.fault, sizeof sim.fault, "%s: group %u %u %u, thread %u: %s", sim.kernel,
                 hipsim_group[0], hipsim_group[1], hipsim_group[2], sim.running, what);
    }
    if (in_lane) sim_switch(&sim.lanes[sim.running].stack, scheduler);
}

void hipsim_meet(unsigned kind, unsigned parameter, const void *in, void *out) {
    struct lane *lane = &sim.lanes[sim.running];
    lane->state = LANE_WAITING;
    lane->kind = kind;
    lane->parameter = parameter;
    lane->place = __builtin_return_address(0);
    lane->in = in;
    lane->out = out;
    sim_switch(&lane->stack, scheduler);
}

/* ---- waves ---- */

static unsigned wave_lanes(unsigned wave) {
    unsigned left = sim.n_lanes - wave * HIPSIM_WAVE;
    return left < HIPSIM_WAVE ? left : HIPSIM_WAVE;
}

/* The lanes that wait at the same place as the first of a kind; NONE: any kind. */
static uint32_t waiting(const struct lane *wave, unsigned n, unsigned kind, unsigned *n_places) {
    uint32_t mask = 0;
    const void *place = NULL;
    *n_places = 0;
    for (unsigned i = 0; i < n; i++) {
        if (wave[i].state != LANE_WAITING || (kind != HIPSIM_NONE && wave[i].kind != kind)) continue;
        if (!mask) place = wave[i].place;
        if (wave[i].place == place)
            mask |= UINT32_C(1) << i;
        else
            *n_places = 2;
    }
    if (mask && !*n_places) *n_places = 1;
    return mask;
}

static void meet(struct lane *wave, unsigned n, uint32_t mask) {
    cross(wave, mask);
    for (unsigned i = 0; i < n; i++)
        if (mask >> i & 1) wave[i].state = LANE_READY;
}

/* Runs a wave until all of its lanes are done or at a barrier. True: some are at a barrier. */
static bool wave_run(unsigned i_wave) {
    struct lane *wave = sim.lanes + i_wave * HIPSIM_WAVE;
    unsigned n = wave_lanes(i_wave), n_places;
    while (!sim.fault[0]) {
        for (unsigned i = 0; i < n && !sim.fault[0]; i++)
            if (wave[i].state == LANE_READY) lane_go(i_wave * HIPSIM_WAVE + i);
        lds_settle(i_wave);
        if (sim.fault[0] || ++sim.n_meetings > sim.max_meetings) break;
        uint32_t mask = waiting(wave, n, HIPSIM_READ_FIRST, &n_places);
        if (mask) { /* of any lanes that are there; the others come later */
            meet(wave, n, mask);
            continue;
        }
        mask = waiting(wave, n, HIPSIM_NONE, &n_places);
        if (!mask) return false;
        unsigned first = (unsigned)__builtin_ctz(mask);
        sim.running = i_wave * HIPSIM_WAVE + first;
        if (n_places > 1)
            sim_fault("its lanes wait at different places: what crosses lanes wants all of them");
        else if (wave[first].kind == HIPSIM_BARRIER)
            return true;
        else
            meet(wave, n, mask);
    }
    if (!sim.fault[0])
        sim_fault("it does not end: %llu meetings of lanes", (unsigned long long)sim.max_meetings);
    return false;
}

static void release(unsigned n_waves) {
    for (unsigned i = 0; i < n_waves * HIPSIM_WAVE && i < sim.n_lanes; i++)
        if (sim.lanes[i].state == LANE_WAITING) sim.lanes[i].state = LANE_READY;
    lds_barrier();
}

bool group_run(void *function_, const unsigned char args_[ARGS_BYTES], unsigned n_threads) {
    unsigned n_waves = (n_threads + HIPSIM_WAVE - 1) / HIPSIM_WAVE;
    if (!stacks) {
        stacks = mmap(NULL, (size_t)MAX_LANES * STACK_BYTES, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (stacks == MAP_FAILED) abort();
    }
    memcpy(&function, &function_, sizeof function); /* as dlsym's manual has it */
    memcpy(args, args_, ARGS_BYTES);
    sim.n_lanes = n_threads;
    lds_begin_group();
    for (unsigned i = 0; i < n_threads; i++) lane_make(i);
    for (bool at_barrier = true; at_barrier && !sim.fault[0];) {
        bool ended = false;
        at_barrier = false;
        for (unsigned w = 0; w < n_waves && !sim.fault[0]; w++) {
            bool waits = wave_run(w);
            at_barrier |= waits;
            ended |= !waits;
        }
        if (at_barrier && ended && !sim.fault[0])
            sim_fault("a wave ended, and others wait for it at a barrier");
        release(n_waves);
    }
    return !sim.fault[0];
}
