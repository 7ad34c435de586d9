/* bench-dispatch: several ways to have a device run the same small kernels, measured in turn. */
#ifndef BENCH_DISPATCH_H
#define BENCH_DISPATCH_H

#include <greta/rt.h>

enum { DISPATCH_FLOATS = 256, DISPATCH_BYTES = DISPATCH_FLOATS * 4, DISPATCH_MAX_WAYS = 8 };

/*
 * A step is n dispatches of one group: y[i] = -x[i] over 256 floats, which lie in slices of one memory. CHAIN: dispatch i reads
 * slice i and writes slice i + 1, so that each stands behind a barrier. APART: all read slice 0, and no barrier is needed.
 */
enum dispatch_kind { DISPATCH_CHAIN, DISPATCH_APART, DISPATCH_N_KINDS };

struct dispatch_way {
    const char *name;
    void *state;
    /* Records what is recorded each time, and hands it to the device. */
    greta_status (*start)(void *state, enum dispatch_kind kind);
    greta_status (*wait)(void *state);
    /* A step between two timestamps of the device. NULL: it cannot be asked. */
    greta_status (*device_ns)(void *state, enum dispatch_kind kind, double *out);
    /* The floats of slices 0 to n; slices that the way keeps to itself are left as they are. */
    greta_status (*write)(void *state, const float *x);
    greta_status (*read)(void *state, enum dispatch_kind kind, float *x);
    void (*close)(void *state); /* NULL: another way's state */
};

struct dispatch_params {
    const struct greta_log *log;
    const struct greta_dev_info *info;
    uint32_t n;
    const char *peer_dir;
};

/* Each adds its ways to the list. ERR_UNAVAILABLE is a normal answer, and has been said. */
greta_status dispatch_open_rt(const struct dispatch_params *params, struct greta_dev *dev,
                              struct dispatch_way *ways, uint32_t *n_ways);
/* backends/: the device's native calls by hand, and the peer's library over the same calls. */
greta_status dispatch_open_raw(const struct dispatch_params *params, uint32_t *i_device,
                               struct dispatch_way *ways, uint32_t *n_ways);
greta_status dispatch_open_peer(const struct dispatch_params *params, uint32_t i_device,
                                struct dispatch_way *ways, uint32_t *n_ways);

/* dispatch_empty.c: the cpu device with an empty kernel. */
greta_status dispatch_measure_empty(const struct greta_log *log);

#endif
