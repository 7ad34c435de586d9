/*
 * The profiler: a sink of rt's telemetry that writes a timeline in the Chrome trace event format (Perfetto opens it) and counters
 * of each kernel. docs/en/profiling.md is the specification of both files.
 *
 * Device time comes from timestamps that the sink places among the commands: two for each submit for the timeline, one behind each
 * command for the kernels. Nothing else is added, and the order and the bytes of all else stay as they are.
 *
 * Thread-safe as a sink; the calls below are for the thread that opened it. Each accepts a NULL prof and then does nothing.
 */
#ifndef PROF_H
#define PROF_H

#include <greta/rt.h>

struct prof;

struct prof_params {
    const char *timeline, *kernels; /* files; NULL: none. kernels "-": only the table on standard error */
    const char *command;            /* "greta run" */
    const struct greta_log *log;    /* must outlive it */
};

/*
 * Opens the files, so that one that cannot be written is known before any work: ERR_IO, logged; a timeline "-" is ERR_INVALID, and
 * so is one file for both. Both NULL: *out is NULL.
 */
GRETA_MUST_USE greta_status prof_open(const struct prof_params *params, struct prof **out);
/* For the context's params; NULL where there is no prof. */
const struct greta_telemetry *prof_telemetry(struct prof *prof);
/* Right after the device was opened: aligns its clock. prof_detach goes before the device is closed. */
void prof_attach(struct prof *prof, struct greta_dev *dev);
void prof_detach(struct prof *prof);

/*
 * Phases nest. `phase` is a word that stays ("decode") and under which kernels are counted, `name` what the timeline shows
 * ("decode token 7"); pos: how many tokens the session holds, where that matters, else 0.
 */
void prof_begin(struct prof *prof, const char *phase, const char *name, uint32_t pos);
void prof_end(struct prof *prof);

/* Writes what is left and prints the table of kernels. False where something could not be written, which was said. */
bool prof_close(struct prof **prof);

#endif
