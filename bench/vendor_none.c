/* A build without a backend whose vendor has such a library. */
#include "vendor.h"

bool bench_vendor_matches(const char *part) {
    (void)part;
    return false;
}

const char *bench_vendor_name(const struct greta_dev *dev) {
    (void)dev;
    return NULL;
}

greta_status bench_vendor_open(struct greta_stream *stream, const struct greta_log *log,
                               struct bench_vendor **out, char *reason, size_t size) {
    (void)stream, (void)log, (void)reason, (void)size;
    *out = NULL;
    return GRETA_ERR_UNAVAILABLE;
}

bool bench_vendor_serves(const struct bench_vendor *vendor, const struct bench_vendor_gemm *gemm) {
    (void)vendor, (void)gemm;
    return false;
}

greta_status bench_vendor_gemm(struct bench_vendor *vendor, struct greta_stream *stream,
                               const struct bench_vendor_gemm *gemm) {
    (void)vendor, (void)stream, (void)gemm;
    return GRETA_ERR_UNAVAILABLE;
}

void bench_vendor_close(struct bench_vendor **vendor) {
    *vendor = NULL;
}
