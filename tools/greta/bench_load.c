/*
 * greta bench load: how fast a model comes onto the device, beside how fast the same threads read the same file: pieces of a MiB by
 * pread, each thread into a buffer of its own that lies in its cache, and into new memory as large as the file. Each is taken in turn.
 * A device that computes on the mapped file reads nothing while loading: there, the first token tells.
 */
#include "bench_load.h"
#include "io.h"

#include "clock.h"
#include "thread.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { PIECE = 1 << 20, PAGE = 4096, MAX_FILES = 256 };

enum { READ, READ_NEW, LOAD, FIRST, N_WAYS };

struct file {
    int fd;
    uint64_t bytes, begin; /* of the whole model */
};

struct run {
    struct bench_load *b;
    struct app *app;
    struct thread_pool *pool;
    unsigned n_threads;
    struct file files[MAX_FILES];
    uint32_t n_files;
    uint64_t bytes;
    char *buffers; /* of the threads */
    char *whole;   /* new memory, or NULL */
    _Atomic bool failed;
    double seconds[N_WAYS][BENCH_LOAD_MAX_REPEATS];
    double cpu_seconds[N_WAYS]; /* of all threads, of the last run */
};

/* ---- the file ---- */

static bool open_file(struct run *r, const char *path) {
    struct stat st;
    struct file *f = &r->files[r->n_files];
    if (r->n_files == MAX_FILES || (f->fd = open(path, O_RDONLY | O_CLOEXEC)) < 0) {
        say("%s: %s", path, r->n_files == MAX_FILES ? "too many parts" : strerror(errno));
        return false;
    }
    r->n_files++;
    if (fstat(f->fd, &st)) return false;
    f->bytes = (uint64_t)st.st_size;
    f->begin = r->bytes;
    r->bytes += (f->bytes + PIECE - 1) / PIECE * PIECE; /* a piece is of one file */
    return true;
}

static bool open_files(struct run *r) {
    struct greta_gguf *gguf;
    bool ok = app_open_gguf(r->app, r->b->common.model, &gguf);
    for (uint32_t i = 0; ok && greta_gguf_file_path(gguf, i); i++)
        ok = open_file(r, greta_gguf_file_path(gguf, i));
    if (ok) greta_gguf_close(&gguf);
    return ok;
}

static uint64_t file_bytes(const struct run *r) {
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < r->n_files; i++) bytes += r->files[i].bytes;
    return bytes;
}

static void drop_pages(struct run *r) {
    for (uint32_t i = 0; i < r->n_files; i++) {
        (void)fdatasync(r->files[i].fd); /* only clean pages are dropped */
        (void)posix_fadvise(r->files[i].fd, 0, 0, POSIX_FADV_DONTNEED);
    }
}

/* ---- reading ---- */

static void read_piece(void *user, uint32_t i, unsigned i_thread) {
    struct run *r = user;
    const uint64_t at = (uint64_t)i * PIECE;
    uint32_t f = 0;
    while (f + 1 < r->n_files && r->files[f + 1].begin <= at) f++;
    uint64_t from = at - r->files[f].begin;
    uint64_t n = r->files[f].bytes - from < PIECE ? r->files[f].bytes - from : PIECE;
    char *to = r->whole ? r->whole + at : r->buffers + (size_t)i_thread * PIECE;
    while (n) {
        ssize_t got = pread(r->files[f].fd, to, n, (off_t)from);
        if (got <= 0) {
            r->failed = true;
            return;
        }
        to += got, from += (uint64_t)got, n -= (uint64_t)got;
    }
}

static bool read_all(struct run *r, bool into_new, double *seconds) {
    uint64_t start = clock_ns();
    r->whole = NULL;
    if (into_new) {
        void *p = mmap(NULL, r->bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (p == MAP_FAILED) {
            say("no memory for %llu bytes", (unsigned long long)r->bytes);
            return false;
        }
        r->whole = p;
        (void)madvise(
            p, r->bytes,
            MADV_HUGEPAGE); /* where the kernel may: the faults of small pages take longer than reading */
    }
    thread_pool_loop(r->pool, (uint32_t)(r->bytes / PIECE), read_piece, r);
    *seconds = (double)(clock_ns() - start) / 1e9;
    if (r->whole) munmap(r->whole, r->bytes);
    if (r->failed) say("%s: cannot be read", app_model_name(&r->b->common));
    return !r->failed;
}

/* ---- loading ---- */

/* Up to the loaded model, or on to the first token's logits: with kernels built or read from the cache, and a context. */
static bool load(struct run *r, bool first, double *seconds) {
    uint64_t start = clock_ns();
    uint32_t token = 0;
    bool ok = app_open_model(r->app, &r->b->common, true);
    if (ok && first)
        ok = app_open_session(r->app, &r->b->common) &&
             !greta_session_eval(r->app->session, &token, 1, GRETA_WANT_ARGMAX);
    *seconds = (double)(clock_ns() - start) / 1e9;
    greta_session_destroy(&r->app->session);
    greta_model_destroy(&r->app->model);
    return ok;
}

static double cpu_seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static bool measure(struct run *r, int way, double *seconds) {
    const double start = cpu_seconds();
    bool ok = way >= LOAD ? load(r, way == FIRST, seconds) : read_all(r, way == READ_NEW, seconds);
    r->cpu_seconds[way] = cpu_seconds() - start;
    return ok;
}

/* ---- telling ---- */

static const char *const names[N_WAYS] = {"read", "read into new memory", "load", "load and first token"};

static bool tell(struct run *r, int way, const char *state, double *seconds, uint32_t n) {
    const double gb = (double)file_bytes(r) / 1e9;
    char key[128];
    struct bench_result result = {
        .name = "load", .key = key, .bytes = (double)file_bytes(r), .time = {.n_calls = 1}};
    for (uint32_t i = 0; i < n; i++) seconds[i] *= 1e9;
    greta_stats_make(seconds, n, &result.time.host);
    const struct greta_stats *t = &result.time.host;
    snprintf(key, sizeof key, "load/%s/%s", state, names[way]);
    if (r->b->results && results_add(r->b->results, &result)) return false;
    return r->b->quiet || out_printf("%-22s %-5s %8.3f s   %7.2f GB/s   (%u runs, %.3f to %.3f s; %.3f s of "
                                     "processor time in the last)\n",
                                     names[way], state, t->p50 / 1e9, gb / (t->p50 / 1e9), n, t->min / 1e9,
                                     t->max / 1e9, r->cpu_seconds[way]);
}

static double median_of_ratios(const struct run *r, int way, uint32_t n) {
    double ratio[BENCH_LOAD_MAX_REPEATS];
    struct greta_stats t;
    for (uint32_t i = 0; i < n; i++) ratio[i] = r->seconds[way][i] / r->seconds[LOAD][i];
    greta_stats_make(ratio, n, &t);
    return t.p50;
}

static bool once(struct run *r, int way, const char *state) {
    double seconds = 0;
    return measure(r, way, &seconds) && tell(r, way, state, &seconds, 1);
}

static bool measure_all(struct run *r) {
    const uint32_t n = r->b->n_repeats;
    double seconds = 0;
    bool ok = true;
    for (int way = 0; way < N_WAYS && ok && r->b->cold; way++) {
        drop_pages(r);
        ok = once(r, way, "cold");
    }
    for (int way = 0; way < FIRST && ok; way++) ok = measure(r, way, &seconds);
    for (uint32_t i = 0; i < n && ok; i++)
        for (int way = 0; way < FIRST && ok; way++) ok = measure(r, way, &r->seconds[way][i]);
    const double by_read = ok ? median_of_ratios(r, READ, n) : 0,
                 by_new = ok ? median_of_ratios(r, READ_NEW, n) : 0;
    for (int way = 0; way < FIRST && ok; way++) ok = tell(r, way, "warm", r->seconds[way], n);
    if (ok && !r->b->quiet)
        ok = out_printf(
            "loading is %.0f %% as fast as reading, and %.0f %% as fast as reading into new memory "
            "(medians of the pairs)\n",
            100 * by_read, 100 * by_new);
    return ok && once(r, FIRST, "warm") && out_flush();
}

bool bench_load(struct bench_load *b, struct app *app) {
    struct run r = {.b = b, .app = app};
    bool ok = open_files(&r) && !thread_pool_create(b->common.n_threads, &r.pool);
    if (ok) {
        r.n_threads = thread_pool_n_threads(r.pool);
        r.buffers = malloc((size_t)r.n_threads * PIECE);
        ok = r.buffers != NULL;
        if (ok) memset(r.buffers, 0, (size_t)r.n_threads * PIECE);
        if (ok && !b->quiet)
            ok = out_printf("%s: %.2f GB in %u file%s, %u threads\n", app_model_name(&b->common),
                            (double)file_bytes(&r) / 1e9, r.n_files, r.n_files == 1 ? "" : "s", r.n_threads);
        ok = ok && measure_all(&r);
    }
    for (uint32_t i = 0; i < r.n_files; i++) close(r.files[i].fd);
    free(r.buffers);
    thread_pool_destroy(&r.pool);
    return ok;
}
