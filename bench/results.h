/*
 * Results of benches as files: one JSON document a run, "format": "greta-results". Written by `greta bench` and `greta tune`,
 * read by `greta report` and `greta compare`. docs/en/benchmarks.md is the specification of its members.
 */
#ifndef BENCH_RESULTS_H
#define BENCH_RESULTS_H

#include <greta/measure.h>

#include <jansson.h>

enum { RESULTS_VERSION = 1 };

enum bench_status { BENCH_OK, BENCH_FAILED, BENCH_SKIPPED, BENCH_N_STATUS };
/* "OK" ... */
const char *bench_status_name(enum bench_status status);

/* What one line of a bench found. Zero members are left out of the file. */
struct bench_result {
    const char *name; /* of the bench: "gemm" */
    const char *
        key; /* unique in a run and the same in every run: "gemm/f16/m4096/n4096/k4096/row-row/gemm_coopmat" */
    const char *row; /* the kernel's row, or NULL */
    enum bench_status status;
    const char *reason; /* of FAILED and SKIPPED, in words */
    struct greta_measure time;
    double bytes, flops; /* that one call must move and make */
    double tokens;       /* that one call evaluates; 0: not about tokens */
    double predicted_ns; /* 0: not predicted */
    double took_ns;      /* one call, where it was measured; not saved */
    const char *check;   /* "reference", "freivalds + 256 rows", "none"; NULL: not checked */
    double worst;        /* the largest error, in bounds */
    json_t *shape;       /* {"m": 4096, ...}, taken over; may be NULL */
    json_t
        *counts; /* what one call counts, of an emulated device in place of times; taken over; may be NULL */
};

/* What a device can do at best, as measured on it; 0: not measured. */
struct bench_roof {
    double copy_bytes_per_s; /* the faster of reading, and of copying with what is read and written */
    double flops_f32, flops_f16;
};

struct results {
    json_t *root; /* {"format", "version", "environment", "results", ...} */
    bool emulated;
    struct bench_roof roof;
};

/* The environment: date, seed, revision, compiler, host, device with driver, clocks where they can be read. NULL where memory is out. */
json_t *environment_make(struct greta_dev *dev, uint64_t seed);

GRETA_MUST_USE greta_status results_create(struct greta_dev *dev, uint64_t seed,
                                           const struct bench_roof *roof, struct results *out);
/* Appends a result. Rates and % of the roof are worked out here; on an emulated device no time is kept. */
GRETA_MUST_USE greta_status results_add(struct results *r, const struct bench_result *result);
/* A roof that was measured after results_create: of the file, not of results that were added before. */
void results_set_roof(struct results *r, const struct bench_roof *roof);
/* How many there are of a status. */
uint32_t results_count(const struct results *r, enum bench_status status);
/*
 * Writes to `path` by a new file that takes its place. ERR_IO, logged.
 * results_read refuses what is none of these files: ERR_FORMAT, with the file and the member.
 */
GRETA_MUST_USE greta_status results_write(const struct results *r, const char *path,
                                          const struct greta_log *log);
GRETA_MUST_USE greta_status results_read(const char *path, const struct greta_log *log, struct results *out);
void results_free(struct results *r);

#endif
