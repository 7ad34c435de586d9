/*
 * The vendor's own library of products, where the machine has it: one more row of greta bench gemm, on the same stream and the same
 * operands as ours, checked and measured as ours are. backends/ knows the library; vendor_none.c stands in where there is none.
 */
#ifndef BENCH_VENDOR_H
#define BENCH_VENDOR_H

#include <greta/rt.h>

#include <stdbool.h>

struct bench_vendor;

/* c = a b: m x k and k x n of `type` (GRETA_TYPE_*), in GRETA_ORDER_*; c by rows, as the op gemm has it. Addresses are the device's. */
struct bench_vendor_gemm {
    uint32_t type, a_order, b_order, m, n, k;
    uint64_t a, b, c;
};

/* The name of the library that the backend's devices could have; NULL: none, and nothing is said of it. */
const char *bench_vendor_name(const struct greta_dev *dev);
/* Whether some device's vendor has a library whose name holds this. */
bool bench_vendor_matches(const char *part);
/* ERR_UNAVAILABLE where the machine has no such library, with the reason in `reason`. */
GRETA_MUST_USE greta_status bench_vendor_open(struct greta_stream *stream, const struct greta_log *log,
                                              struct bench_vendor **out, char *reason, size_t size);
bool bench_vendor_serves(const struct bench_vendor *vendor, const struct bench_vendor_gemm *gemm);
/* Puts it on the stream. */
GRETA_MUST_USE greta_status bench_vendor_gemm(struct bench_vendor *vendor, struct greta_stream *stream,
                                              const struct bench_vendor_gemm *gemm);
void bench_vendor_close(struct bench_vendor **vendor);

#endif
