/*
 * Kernels of hipkernels/ that were compiled for the host, run wave by wave (docs/en/hip.md). machine.c gives the interface of the
 * emulated gfx942 to its libamdhip64, group.c runs a workgroup, cross.c says what crosses lanes, lds.c watches LDS.
 */
#ifndef HIPSIM_SIM_H
#define HIPSIM_SIM_H

#include "machine.h"
#include "meet.h"

enum { MAX_LANES = 1024, MAX_WAVES = MAX_LANES / HIPSIM_WAVE, ARGS_BYTES = 512 };

enum lane_state { LANE_READY, LANE_WAITING, LANE_DONE };

struct lane {
    void *stack; /* its pointer while the lane does not run */
    enum lane_state state;
    unsigned kind, parameter; /* where it waits */
    const void *place;
    const void *in;
    void *out;
};

/* One workgroup at a time runs in the process: kernels are plain functions, and their LDS plain variables. */
struct group {
    const char *kernel;
    struct lane lanes[MAX_LANES];
    unsigned n_lanes, running;
    uint64_t n_meetings, max_meetings;
    bool count; /* LDS accesses */
    char fault[512];
};
extern struct group sim;

/* Keeps the first fault; from inside a lane it does not return. */
void sim_fault(const char *format, ...) __attribute__((format(printf, 1, 2)));
bool sim_in_lane(void);
const char *sim_arch(void);

/* Runs all of a workgroup; false: sim.fault says why. */
bool group_run(void *function, const unsigned char args[ARGS_BYTES], unsigned n_threads);

/* What the lanes of a wave that wait at one place get (bit i of mask: lane i is among them). */
void cross(struct lane *wave, uint32_t mask);

/* A meeting of a wave has come to pass: which accesses to LDS were one instruction is known up to here. */
void lds_settle(unsigned wave);
void lds_begin_group(void);
void lds_barrier(void);
struct lds_counts {
    uint64_t accesses, cycles, conflicts;
};
extern struct lds_counts lds_counts;

#endif
