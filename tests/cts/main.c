/* cts [-d DEVICE] [SUITE | SUITE.TEST ...]: runs the conformance suite on a device. Exit 0 passed, 1 failed,
 * 77 nothing to run. */
#include "cts.h"

#include <stdatomic.h>

static const struct {
    const char *name;
    const struct cts_test *tests;
} suites[] = {
    {"probe", cts_probe},     {"device", cts_device},     {"buffer", cts_buffer}, {"transfer", cts_transfer},
    {"stream", cts_stream},   {"event", cts_event},       {"module", cts_module}, {"dispatch", cts_dispatch},
    {"graph", cts_graph},     {"lifetime", cts_lifetime}, {"limits", cts_limits}, {"errors", cts_errors},
    {"threads", cts_threads}, {"stress", cts_stress},     {"fault", cts_fault},
    {"stamp", cts_stamp},
};

static const struct {
    const char *backend;
    const struct cts_exception *exceptions;
} expectations[] = {{"cpu", cts_expect_cpu}, {"vulkan", cts_expect_vulkan}, {"hip", cts_expect_hip}};

greta_status cts_status(greta_status status, const char *call) {
    if (status) fprintf(stderr, "%s: %s\n", call, greta_status_name(status));
    return status;
}

static atomic_uint n_errors_logged, n_validation_errors;

static void log_line(void *user, enum greta_log_level level, const char *message) {
    static const char *const names[] = {"error", "warning", "info", "debug"};
    (void)user;
    if (level == GRETA_LOG_ERROR) atomic_fetch_add(&n_errors_logged, 1);
    if (level == GRETA_LOG_ERROR && strstr(message, "validation:")) atomic_fetch_add(&n_validation_errors, 1);
    if (level <= GRETA_LOG_WARN) fprintf(stderr, "  [%s] %s\n", names[level], message);
}

static const struct cts_exception *exception_of(const char *backend, const char *test) {
    for (size_t i = 0; i < sizeof expectations / sizeof *expectations; i++)
        if (!strcmp(expectations[i].backend, backend))
            for (const struct cts_exception *e = expectations[i].exceptions; e->test; e++)
                if (!strcmp(e->test, test)) return e;
    return NULL;
}

static bool wanted(const char *suite, const char *test, char **names, int n_names) {
    if (!n_names) return true;
    for (int i = 0; i < n_names; i++)
        if (!strcmp(names[i], suite) || !strcmp(names[i], test)) return true;
    return false;
}

enum { PASSED, FAILED, SKIPPED };

static int run_test(struct cts *t, const struct cts_test *test) {
    const struct cts_exception *e = exception_of(greta_dev_get_info(t->dev)->backend, test->name);
    if (e) {
        printf("%-34s SKIP   %s: %s\n", test->name, e->never ? "never" : "not yet", e->why);
        return SKIPPED;
    }
    t->n_failures = 0;
    t->skip = NULL;
    atomic_store(&n_errors_logged, 0);
    if (greta_stream_create(t->dev, &t->stream))
        t->n_failures++;
    else
        test->run(t);
    greta_stream_destroy(&t->stream);
    if (t->n_failures)
        printf("%-34s FAIL   %u checks\n", test->name, t->n_failures);
    else if (t->skip)
        printf("%-34s SKIP   %s\n", test->name, t->skip);
    else
        printf("%-34s ok\n", test->name);
    fflush(stdout);
    return t->n_failures ? FAILED : t->skip ? SKIPPED : PASSED;
}

int main(int argc, char **argv) {
    const char *device = "cpu";
    int first = 1;
    if (argc > 2 && !strcmp(argv[1], "-d")) {
        device = argv[2];
        first = 3;
    }
    const struct greta_log log = {.fn = log_line, .max_level = GRETA_LOG_WARN};
    const struct greta_ctx_params params = {.log = &log};
    struct cts t = {.device = device};
    if (greta_ctx_create(&params, &t.ctx)) return 1;
    greta_status status = greta_dev_open(t.ctx, device, NULL, &t.dev);
    if (status) {
        printf("no device %s: %s\n", device, greta_status_text(status));
        greta_ctx_destroy(&t.ctx);
        return status == GRETA_ERR_UNAVAILABLE || status == GRETA_ERR_NOT_FOUND ? 77 : 1;
    }
    t.limits = greta_dev_get_limits(t.dev);
    unsigned counts[3] = {0};
    for (size_t i = 0; i < sizeof suites / sizeof *suites; i++)
        for (const struct cts_test *test = suites[i].tests; test->name; test++)
            if (wanted(suites[i].name, test->name, argv + first, argc - first)) counts[run_test(&t, test)]++;
    greta_dev_close(&t.dev);
    greta_ctx_destroy(&t.ctx);
    unsigned n_validation = atomic_load(&n_validation_errors);
    if (n_validation) printf("the API's validation layer reported %u errors\n", n_validation);
    printf("%u passed, %u failed, %u skipped\n", counts[PASSED], counts[FAILED], counts[SKIPPED]);
    return counts[FAILED] || n_validation ? 1 : counts[PASSED] ? 0 : 77;
}
