/*
 * A device for testing the runtime: it runs nothing before it must, and then, between two barriers, in any order. What a
 * missing barrier, a buffer reused too early or an object destroyed too early can do on a GPU, it does here every time.
 */
#ifndef TESTS_RT_LAZY_H
#define TESTS_RT_LAZY_H

#include "hal.h"

extern const struct greta_backend lazy_backend;

/* How the next device that opens behaves, and what devices saw: one test program, one thread. */
struct lazy_state {
    uint64_t seed;
    uint64_t max_buf_bytes; /* 0: as the cpu's */
    bool no_graphs;         /* no graph_build: the runtime replays */
    uint32_t n_commands, n_barriers, n_launches;
    uint32_t n_destroyed_in_use; /* a handle that pending work needs: must stay 0 */
    uint32_t n_never_recorded;   /* waits for an event that was never recorded: must stay 0 */
    uint32_t n_live;             /* handles */
};
extern struct lazy_state lazy;

uint32_t lazy_random(uint64_t *state);

/* An image of this device: host entries in a wrapping that says they are not the host's. */
struct lazy_image {
    char magic[32]; /* an offload bundle's */
    const struct greta_host_entry *entries;
    uint64_t n_entries;
};
#define LAZY_IMAGE(list) \
    { "__CLANG_OFFLOAD_BUNDLE__", list, sizeof(list) / sizeof *(list) }

#endif
