/*
 * libamdhip64's names over the gfx942 machine: what the files of the library share.
 *
 * Nothing runs when it is recorded. A stream keeps a list of commands; they run, on the caller's thread, when something waits for
 * them, when a wait is asked about, and now and then in between (seeded), one stream's turn after another's at random. So a caller
 * that forgets to wait, or rewrites memory that a copy has yet to read, gets the bytes that he deserves.
 * One lock is around every call (hip.c); the rest knows of no threads.
 */
#ifndef GFX942_HIP_H
#define GFX942_HIP_H

#include "machine.h"

#include "hip_api.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/* ---- handles (hip_handle.c): what a caller passes is looked up before it is touched --------------------------------- */

enum handle_kind {
    HANDLE_NONE,
    HANDLE_STREAM,
    HANDLE_EVENT,
    HANDLE_MODULE,
    HANDLE_FUNCTION,
    HANDLE_GRAPH,
    HANDLE_EXEC
};

bool handle_add(const void *p, enum handle_kind kind);
bool handle_is(const void *p, enum handle_kind kind);
void handle_remove(const void *p);

/* ---- objects ----------------------------------------------------------------------------------------------------------- */

struct ihipModule_t {
    struct gfx_object *object;
    unsigned n_pending; /* launches of its kernels that have not run */
    struct ihipModuleSymbol_t *functions;
};

struct ihipModuleSymbol_t {
    struct ihipModuleSymbol_t *next;
    struct ihipModule_t *module;
    const struct gfx_kernel *kernel;
    bool is_told; /* its name is in GFX942_KERNELS */
};

struct ihipEvent_t {
    unsigned refs; /* the caller's, and one for each command that names it */
    uint64_t recorded,
        passed;     /* the number of its last recording; of the last that has come to pass. 0: none */
    uint64_t count; /* what the machine had counted then */
};

enum command_type { COMMAND_COPY, COMMAND_FILL, COMMAND_LAUNCH, COMMAND_RECORD, COMMAND_WAIT };

struct command {
    struct command *next;
    enum command_type type;
    void *dst;
    const void *src;
    size_t bytes;     /* of a copy or a fill */
    uint32_t pattern; /* of a fill */
    struct ihipModuleSymbol_t *function;
    struct gfx_launch launch; /* args: behind the struct */
    struct ihipEvent_t *event;
    uint64_t recording; /* of the event: which one is meant */
    unsigned char args[];
};

struct command_list {
    struct command *first, **end;
};

struct ihipStream_t {
    struct ihipStream_t *next;
    struct command_list commands;
    struct ihipGraph *capture; /* what is recorded goes here */
    bool capture_broken;
    hipStreamCaptureMode mode;
    pthread_t capturer;
};

struct ihipGraph { /* a chain: a captured stream without forks is nothing else */
    struct command_list commands;
};

struct hipGraphExec {
    struct command_list commands;
};

/* ---- state (hip.c) ----------------------------------------------------------------------------------------------------- */

struct hip_state {
    struct gfx_machine *machine;
    hipError_t lost; /* once it is set, every call says it */
    struct ihipStream_t *streams;
    uint64_t random, n_recordings, n_launches, lose_after, count;
};
extern struct hip_state hip_state;

/* Below n, seeded. */
uint32_t hip_random(uint32_t n);
/* One line on stderr: what the caller or a kernel did. Gives the error. */
hipError_t hip_complain(hipError_t error, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* ---- memory (hip_memory.c) --------------------------------------------------------------------------------------------- */

/* Whether [p, p + bytes) lies in one allocation of the device, or in one range of pinned memory. */
bool memory_holds(const void *p, size_t bytes);

/* ---- queues (hip_queue.c) ---------------------------------------------------------------------------------------------- */

struct command *command_new(enum command_type type, size_t args_bytes);
struct command *command_copy(const struct command *c);
void commands_free(struct command_list *list);
/* Records a command on a stream, or into its capture; takes it over. */
hipError_t queue_add(struct ihipStream_t *s, struct command *c);
/* Runs until the stream is empty (NULL: all streams), or until the event's recording has come to pass. */
hipError_t queue_drain(struct ihipStream_t *s);
hipError_t queue_until(struct ihipEvent_t *e);
/* Perhaps runs a few commands: a device does so whenever it likes. */
hipError_t queue_turn(void);
/* Runs one command, where one can run. */
hipError_t queue_step(void);
void event_unref(struct ihipEvent_t *e);

#endif
