/*
 * The conformance suite: what every backend must do, through rt's public API only. No test knows a backend's name; what one
 * of them can never do (with the reason) or cannot yet do stands in expect/<backend>.c.
 */
#ifndef CTS_H
#define CTS_H

#include <greta/rt.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct cts {
    struct greta_ctx *ctx;
    struct greta_dev *dev;
    struct greta_stream *stream; /* a fresh one for every test */
    const char *device;          /* the name it was opened by */
    const struct greta_limits *limits;
    unsigned n_failures;
    const char *skip; /* set by CTS_SKIP */
    unsigned n_errors_logged;
};

struct cts_test {
    const char *name; /* "suite.test" */
    void (*run)(struct cts *t);
};

/* Counts a failure and goes on. */
#define CTS_CHECK(t, cond)                                                                                   \
    ((cond) ? true : (fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #cond), (t)->n_failures++, false))
/* Counts a failure and leaves the test's function by its `done:` label. */
#define CTS_NEED(t, cond)                                                                                    \
    do {                                                                                                     \
        if (!CTS_CHECK(t, cond)) goto done;                                                                  \
    } while (0)
#define CTS_OK(t, call) CTS_NEED(t, cts_status(call, #call) == GRETA_OK)
#define CTS_STATUS(t, call, expected) CTS_CHECK(t, (call) == (expected))
#define CTS_SKIP(t, why)                                                                                     \
    do {                                                                                                     \
        (t)->skip = (why);                                                                                   \
        goto done;                                                                                           \
    } while (0)

/* Prints what failed with its status. */
greta_status cts_status(greta_status status, const char *call);

/*
 * The test kernels, in each image format (kernels.c, kernels/<name>.comp, kernels/amdgpu.hip). All are linear over n elements with 64 threads a
 * group on a GPU (constant 0 = 64) and 64 elements a group on the cpu.
 *   axpy:   z[i] = x[i] + c * y[i]                bindings x, y, z; constants {n, c}
 *   step:   x[i] = x[i] * 3 + 1                   bindings x; constants {n}
 *   ids:    y[linear group id] += 1 + id          bindings y; constants {n}: groups in 3 dimensions, n groups in all
 *   consts: y[i] = K1 + i * K2                    bindings y; constants {n}; specialization constants 1, 2
 *   sum8:   y[i] = sum of the 8 inputs at i       bindings a..h, y; constants {n}
 *   spin:   x[i] goes through K1 steps of step    bindings x; constants {n}; specialization constant 1
 */
enum cts_kernel { CTS_AXPY, CTS_STEP, CTS_IDS, CTS_CONSTS, CTS_SUM8, CTS_SPIN, CTS_N_KERNELS };
struct greta_image cts_image(enum greta_image_format format, enum cts_kernel kernel);
const char *cts_entry(enum greta_image_format format, enum cts_kernel kernel);
/* Loads the module and gets the kernel with K1, K2. */
greta_status cts_kernel(struct greta_dev *dev, enum cts_kernel which, uint32_t k1, uint32_t k2, struct greta_module **module,
                        struct greta_kernel **kernel);

/* Records axpy over n floats at offset 0 of each buffer. */
greta_status cts_axpy(struct greta_stream *stream, struct greta_kernel *kernel, struct greta_buf *x, struct greta_buf *y,
                      struct greta_buf *z, uint32_t n, float c);
/* Records step over n uint32 at byte offset `offset` of x. */
greta_status cts_step(struct greta_stream *stream, struct greta_kernel *kernel, struct greta_buf *x, uint64_t offset, uint32_t n);
/* What `n_steps` of step make of x. */
uint32_t cts_stepped(uint32_t x, uint32_t n_steps);

/* A pattern that differs in every element and by seed. */
void cts_pattern(uint32_t *data, size_t n, uint32_t seed);

/* Each suite's tests, ended by a row without a name. */
extern const struct cts_test cts_probe[], cts_device[], cts_buffer[], cts_transfer[], cts_stream[], cts_event[], cts_module[],
    cts_dispatch[], cts_graph[], cts_lifetime[], cts_limits[], cts_errors[], cts_threads[], cts_stress[], cts_fault[],
    cts_stamp[];

/* What a backend is not held to. */
struct cts_exception {
    const char *test;
    bool never; /* else: not yet */
    const char *why;
};
extern const struct cts_exception cts_expect_cpu[], cts_expect_vulkan[], cts_expect_hip[];

#endif
