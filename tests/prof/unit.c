/* The parts of the profiler that need no device: the line through two clocks, the file, the samples. */
#include "check.h"
#include "internal.h"

#include <jansson.h>

#include <math.h>
#include <string.h>
#include <unistd.h>

/* ---- clocks ---- */

/* A device clock of `bits` bits that runs at 30 millionths beside the host's, from a zero shortly before its first wrap. */
static void clock_of(uint32_t bits, double period_ns) {
    uint64_t mask = bits < 64 ? ((uint64_t)1 << bits) - 1 : UINT64_MAX, zero = mask - 1000;
    double wrap_ns = bits < 50 ? ldexp(period_ns, (int)bits) : 1e12, worst = 0;
    struct align a;
    align_init(&a, period_ns, bits);
    double every = wrap_ns / 9 < 1e9 ? wrap_ns / 9 : 1e9;
    for (int i = 0; i < 60; i++) {
        double host = every * i, device = host * (1 + 30e-6);
        align_add(&a, (zero + (uint64_t)(device / period_ns)) & mask, host, 100);
        for (int k = 0; k < 10; k++) { /* between this pair and the next */
            double at = host + every * k / 10, ticks = floor(at * (1 + 30e-6) / period_ns);
            double found = align_host(&a, align_unwrap(&a, (zero + (uint64_t)ticks) & mask, at + every / 20));
            if (i >= 4 && fabs(found - at) > worst) worst = fabs(found - at);
        }
    }
    CHECK(worst < 3 * period_ns + every * 2e-6);
    if (every * 59 > 4e8) CHECK(fabs((a.rate - 1) * 1e6 + 30) < 3);
}

static void clocks(void) {
    clock_of(64, 1);
    clock_of(64, 10);
    clock_of(36, 1); /* wraps each 69 s */
    clock_of(36, 83.3);
    clock_of(32, 10); /* each 43 s */
    clock_of(30, 1);  /* each 1.07 s */
    struct align a;
    align_init(&a, 1, 64);
    CHECK(align_add(&a, 5000, 1000, 10) == 0);
    CHECK(align_add(&a, 6000, 2100, 10) == 100 && a.rate == 1);
    CHECK(align_host(&a, 5900) == 2000); /* before the pair, too */
}

/* ---- the file ---- */

static char said[256];

static void log_line(void *user, enum greta_log_level level, const char *message) {
    (void)user, (void)level;
    snprintf(said, sizeof said, "%s", message);
}
static const struct greta_log log_to = {.fn = log_line, .max_level = GRETA_LOG_ERROR};

static size_t tail(void *user, char *out, size_t size) {
    unsigned *n = user;
    return (size_t)snprintf(out, size, "\n],\"otherData\":{\"n\":%u,\"space\":\"%.*s\"}}\n", *n,
                            (int)(*n % 40), "........................................");
}

static size_t n_events(const char *path) {
    json_t *root = json_load_file(path, 0, NULL);
    size_t n = root ? json_array_size(json_object_get(root, "traceEvents")) : SIZE_MAX;
    json_decref(root);
    return n;
}

/* Whole after each flush, also where the end is shorter than the last one was. */
static void grows(const char *path) {
    unsigned n = 0;
    struct writer w;
    CHECK(writer_open(&w, path, "{\"traceEvents\":[", &log_to) == GRETA_OK);
    w.tail = tail;
    w.user = &n;
    writer_flush(&w);
    CHECK(n_events(path) == 0);
    for (n = 1; n <= 300; n++) {
        writer_add(&w, "{\"a\":1}", 7, 0);
        if (n % 7 == 0) {
            writer_flush(&w);
            CHECK(n_events(path) == n);
        }
    }
    n = 40; /* an empty string */
    writer_flush(&w);
    CHECK(n_events(path) == 300);
    CHECK(writer_close(&w) && n_events(path) == 300);
}

/* Memory stays what it was; the file goes on growing. */
static void long_run(const char *path) {
    enum { N = 200000 };
    unsigned n = 0;
    struct writer w;
    CHECK(writer_open(&w, path, "{\"traceEvents\":[", &log_to) == GRETA_OK);
    w.tail = tail;
    w.user = &n;
    for (int i = 0; i < N; i++) {
        writer_add(&w, "{\"name\":\"something that is about as long as an event\"}", 54, 0);
        if (w.n > WRITER_BUFFER) CHECK(false);
    }
    CHECK(writer_close(&w) && n_events(path) == N);
}

static void cannot_write(void) {
    struct writer w;
    said[0] = 0;
    CHECK(writer_open(&w, "/no/such/folder/file", "{", &log_to) == GRETA_ERR_IO);
    CHECK(strstr(said, "/no/such/folder/file") && strstr(said, "No such file"));
    CHECK(writer_open(&w, "-", "{", &log_to) == GRETA_ERR_INVALID && w.fd < 0 &&
          strstr(said, "wants a file"));
    CHECK(access("-", F_OK) != 0);
    if (access("/dev/full", W_OK) != 0) return;
    said[0] = 0;
    CHECK(writer_open(&w, "/dev/full", "{", &log_to) == GRETA_OK);
    writer_add(&w, "1", 1, 0);
    writer_flush(&w);
    CHECK(strstr(said, "No space"));
    said[0] = 0;
    writer_add(&w, "2", 1, 0);
    writer_flush(&w);
    CHECK(!said[0]); /* once */
    CHECK(!writer_close(&w));
}

static void texts(void) {
    static const char *const from[] = {"plain", "a \"b\" \\ c", "tab\tand\nline",
                                       "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9", ""};
    for (size_t i = 0; i < sizeof from / sizeof *from; i++) {
        char whole[64], cut[16];
        json_t *value = json_loads(writer_text(whole, sizeof whole, from[i]), JSON_DECODE_ANY, NULL);
        CHECK(value && strcmp(json_string_value(value), from[i]) == 0);
        json_decref(value);
        value = json_loads(writer_text(cut, sizeof cut, from[i]), JSON_DECODE_ANY, NULL);
        CHECK(value && strncmp(json_string_value(value), from[i], json_string_length(value)) == 0);
        json_decref(value);
    }
    char out[64];
    struct line l = {out, out + sizeof out};
    line_us(&l, 12345);
    line_text(&l, " ");
    line_us(&l, 7);
    line_text(&l, " ");
    line_us(&l, UINT64_MAX);
    *l.at = 0;
    CHECK(strcmp(out, "12.345 0.007 18446744073709551.615") == 0);
    l = (struct line){out, out + 4};
    line_text(&l, "longer than that");
    CHECK(l.at == out + 4);
}

/* ---- samples ---- */

static void samples(void) {
    struct samples s = {0};
    double sum = 0;
    for (int i = 1; i <= 100000; i++) {
        samples_add(&s, i);
        sum += i;
        CHECK(s.n <= PROF_SAMPLES && s.n > 0);
    }
    CHECK(s.sum == sum && s.n_seen == 100000 && s.n > PROF_SAMPLES / 4);
    CHECK(fabs(samples_median(&s) - 50000) < 1500); /* from all of the run, not from its beginning */
}

int main(void) {
    char path[] = "prof-unit-XXXXXX";
    int file = mkstemp(path);
    if (file < 0) return 1;
    clocks();
    grows(path);
    long_run(path);
    cannot_write();
    texts();
    samples();
    close(file);
    unlink(path);
    return check_done();
}
