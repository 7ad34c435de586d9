/* Opening and closing, phases, and the host's side of the timeline. */
#include "internal.h"

#include "clock.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- signals ---- */

static volatile sig_atomic_t caught;
static const int signals[] = {SIGINT, SIGTERM, SIGHUP};

/* The next thing that is told ends the profile and then the program, by the same signal. A second one does at once. */
static void on_signal(int number) {
    caught = number;
}

static void catch_signals(void) {
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
        struct sigaction now, action = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND | SA_RESTART};
        if (sigaction(signals[i], NULL, &now) == 0 && now.sa_handler == SIG_DFL)
            sigaction(signals[i], &action, NULL);
    }
}

static void release_signals(void) {
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
        struct sigaction now;
        if (sigaction(signals[i], NULL, &now) == 0 && now.sa_handler == on_signal)
            signal(signals[i], SIG_DFL);
    }
}

static void close_phases(struct prof *p, const char *args);

/* With the lock, which is not given back. */
static void end_by_signal(struct prof *p) {
    int number = caught;
    caught = 0;
    close_phases(p, "\"cut\":true");
    (void)prof_report(p);
    writer_flush(&p->timeline);
    signal(number, SIG_DFL);
    raise(number);
}

/* ---- events ---- */

uint64_t prof_now(struct prof *p) {
    return p->emulated ? ++p->counted * 1000 : clock_ns() - p->start_ns;
}

void prof_event(struct prof *p, const char *text, int len) {
    if (len > 0) writer_add(&p->timeline, text, (size_t)len, clock_ns());
}

void prof_slice(struct prof *p, int pid, long tid, const char *name, const char *category, double start_ns,
                double end_ns, const char *args) {
    char text[1024];
    struct line l = {text, text + sizeof text};
    uint64_t begin = start_ns > 0 ? (uint64_t)(start_ns + 0.5) : 0,
             end = end_ns > 0 ? (uint64_t)(end_ns + 0.5) : 0;
    if (p->timeline.fd < 0) return;
    line_text(&l, "{\"ph\":\"X\",\"pid\":");
    line_number(&l, (uint64_t)pid);
    line_text(&l, ",\"tid\":");
    line_number(&l, (uint64_t)tid);
    line_text(&l, ",\"ts\":");
    line_us(&l, begin);
    line_text(&l, ",\"dur\":");
    line_us(&l, end > begin ? end - begin : 0);
    line_text(&l, ",\"name\":\"");
    line_text(&l, name);
    line_text(&l, "\",\"cat\":\"");
    line_text(&l, category);
    line_text(&l, *args ? "\",\"args\":{" : "\"");
    line_text(&l, args);
    line_text(&l, *args ? "}}" : "}");
    uint64_t now = p->emulated ? clock_ns() : p->start_ns + end; /* near enough for when to flush */
    if (l.at < l.end) writer_add(&p->timeline, text, (size_t)(l.at - text), now);
}

void prof_meta(struct prof *p, int pid, long tid, const char *what, const char *name) {
    char text[512], quoted[256];
    int len = snprintf(text, sizeof text,
                       "{\"ph\":\"M\",\"pid\":%d,\"tid\":%ld,\"name\":\"%s\",\"args\":{\"name\":%s}}", pid,
                       tid, what, writer_text(quoted, sizeof quoted, name));
    if (p->timeline.fd >= 0) prof_event(p, text, len);
}

/* The calling thread; named where it is new. */
static long thread_of(struct prof *p) {
    static _Thread_local long own; /* the number is a system call */
    if (!own) own = (long)gettid();
    long tid = own;
    for (uint32_t i = 0; i < p->n_tids; i++)
        if (p->tids[i] == tid) return tid;
    if (p->n_tids < PROF_MAX_THREADS) {
        p->tids[p->n_tids++] = tid;
        prof_meta(p, PROF_HOST_PID, tid, "thread_name", tid == p->main_tid ? "main" : "builder of kernels");
    }
    return tid;
}

static const char *const record_names[GRETA_N_RECORDS] = {
    [GRETA_RECORD_ALLOC] = "allocate",
    [GRETA_RECORD_FREE] = "free",
    [GRETA_RECORD_DISPATCH] = "dispatch",
    [GRETA_RECORD_COPY] = "copy",
    [GRETA_RECORD_FILL] = "fill",
    [GRETA_RECORD_UPDATE] = "update",
    [GRETA_RECORD_BARRIER] = "barrier",
    [GRETA_RECORD_FLUSH] = "flush",
    [GRETA_RECORD_WAIT] = "wait",
    [GRETA_RECORD_READ] = "read",
    [GRETA_RECORD_WRITE] = "write",
    [GRETA_RECORD_GRAPH_BUILD] = "build graph",
    [GRETA_RECORD_GRAPH_LAUNCH] = "launch",
    [GRETA_RECORD_KERNEL_GET] = "build kernel",
    [GRETA_RECORD_MODULE_LOAD] = "load module",
    [GRETA_RECORD_GRAPH_BEGIN] = "begin graph",
};

static void memory_event(struct prof *p, const struct greta_record *r) {
    char text[256], at[32];
    uint64_t *m = p->memory, all = 0;
    if ((unsigned)r->kind >= GRETA_N_MEM_KINDS) return;
    m[r->kind] += r->type == GRETA_RECORD_ALLOC ? r->bytes : -r->bytes;
    for (int i = 0; i < GRETA_N_MEM_KINDS; i++) all += m[i];
    if (all > p->peak) p->peak = all;
    struct line l = {at, at + sizeof at - 1};
    line_us(&l, prof_now(p));
    *l.at = 0;
    int len =
        snprintf(text, sizeof text,
                 "{\"ph\":\"C\",\"pid\":%d,\"ts\":%s,\"name\":\"device memory\",\"args\":{\"device\":%" PRIu64
                 ",\"upload\":%" PRIu64 ",\"readback\":%" PRIu64 ",\"unified\":%" PRIu64 "}}",
                 PROF_HOST_PID, at, m[GRETA_MEM_DEVICE], m[GRETA_MEM_UPLOAD], m[GRETA_MEM_READBACK],
                 m[GRETA_MEM_UNIFIED]);
    if (p->timeline.fd >= 0) prof_event(p, text, len);
}

/* What is told of a dispatch, JSON members. */
static void dispatch_args(const struct greta_record *r, const struct kernel *k, struct line *l) {
    line_text(l, "\"row\":\"");
    line_text(l, k && k->key.row ? k->key.row : r->name);
    line_text(l, "\",\"shape\":\"");
    line_text(l, k ? k->shape : "");
    line_text(l, "\",\"groups\":[");
    for (int i = 0; i < 3; i++) {
        line_number(l, r->groups[i]);
        line_text(l, i < 2 ? "," : "]");
    }
    if (r->recorded) line_text(l, ",\"recorded\":true");
}

/* One number, or nothing where it is 0. */
static void number_arg(struct line *l, const char *name, uint64_t n) {
    if (!n) return;
    line_text(l, name);
    line_number(l, n);
}

static void host_slice(struct prof *p, const struct greta_record *r, const struct kernel *k) {
    const char *name = record_names[r->type], *category = "call";
    char args[512], name_text[96];
    struct line l = {args, args + sizeof args - 1};
    double start = (double)(r->start_ns > p->start_ns ? r->start_ns - p->start_ns : 0),
           end = (double)(r->end_ns - p->start_ns);
    if (r->type == GRETA_RECORD_DISPATCH) {
        name = k ? k->key.op : r->name;
        category = "dispatch";
        dispatch_args(r, k, &l);
    } else if (r->type == GRETA_RECORD_KERNEL_GET || r->type == GRETA_RECORD_MODULE_LOAD) {
        line_text(&l, "\"of\":");
        line_text(&l, writer_text(name_text, sizeof name_text, r->name ? r->name : "?"));
    } else if (r->type == GRETA_RECORD_GRAPH_BUILD) {
        number_arg(&l, "\"commands\":", r->n_commands);
    } else {
        number_arg(&l, "\"bytes\":", r->bytes);
    }
    *l.at = 0;
    /* A length of 0 where nothing was timed: recorded into a graph, or on a clock that counts. */
    if (p->emulated || !r->start_ns) start = end = (double)prof_now(p);
    prof_slice(p, PROF_HOST_PID, thread_of(p), name, category, start, end, args);
}

/* ---- the sink ---- */

/* In a prompt each chunk begins with its tokens' embeddings. A split embedding has several look-ups, of as many tokens each. */
static void follow_position(struct prof *p, const struct greta_record *r) {
    const struct greta_call *call = r->label ? r->label->call : NULL;
    if (!call || r->recorded) return;
    if (call->op != GRETA_OP_ROW_LOOKUP) {
        if (call->op == GRETA_OP_ATTN) p->n_rows &= ~(1u << 31);
    } else if (!(p->n_rows >> 31)) {
        p->pos += p->n_rows;
        p->n_rows = call->scalars.row_lookup.n_ids | 1u << 31;
    }
}

static void record(void *user, const struct greta_record *r) {
    struct prof *p = user;
    struct kernel *k = NULL;
    if (r->stream && r->stream == p->stream) return; /* the profiler's own, while the lock is held */
    pthread_mutex_lock(&p->lock);
    if (caught) end_by_signal(p);
    if (r->type == GRETA_RECORD_DISPATCH) {
        follow_position(p, r);
        k = kernels_get(&p->kernels, prof_phase(p), r);
        if (k && !r->recorded && p->kernels_path) kernel_called(k, r->groups, p->pos);
    }
    if (p->timeline.fd >= 0 && r->type != GRETA_RECORD_BARRIER && r->type != GRETA_RECORD_GRAPH_BEGIN &&
        r->type != GRETA_RECORD_ALLOC && r->type != GRETA_RECORD_FREE)
        host_slice(p, r, k);
    if (r->type == GRETA_RECORD_ALLOC || r->type == GRETA_RECORD_FREE) memory_event(p, r);
    if (p->dev) device_after(p, r);
    pthread_mutex_unlock(&p->lock);
}

static bool before(void *user, const struct greta_record *r) {
    struct prof *p = user;
    bool stamps = false;
    if (!r->stream || r->stream == p->stream) return false;
    pthread_mutex_lock(&p->lock);
    if (p->dev) device_before(p, r, &stamps);
    pthread_mutex_unlock(&p->lock);
    return stamps;
}

/* ---- phases ---- */

const char *prof_phase(const struct prof *p) {
    for (uint32_t i = p->n_phases; i-- > 0;)
        if (*p->phases[i].word) return p->phases[i].word;
    return "";
}

const char *prof_phase_name(const struct prof *p) {
    return p->n_phases ? p->phases[p->n_phases - 1].name : "";
}

void prof_begin(struct prof *p, const char *phase, const char *name, uint32_t pos) {
    if (!p) return;
    pthread_mutex_lock(&p->lock);
    if (caught) end_by_signal(p);
    if (p->n_phases < PROF_MAX_PHASES) {
        struct phase *f = &p->phases[p->n_phases++];
        *f = (struct phase){.word = phase, .start_ns = prof_now(p)};
        snprintf(f->name, sizeof f->name, "%s", name);
        p->pos = pos;
        p->n_rows = 0;
    } else {
        p->n_phases_beyond++;
    }
    pthread_mutex_unlock(&p->lock);
}

static void end_phase(struct prof *p, const char *args) {
    const struct phase *f = &p->phases[--p->n_phases];
    prof_slice(p, PROF_HOST_PID, p->main_tid, f->name, "phase", (double)f->start_ns, (double)prof_now(p),
               args);
}

void prof_end(struct prof *p) {
    if (!p) return;
    pthread_mutex_lock(&p->lock);
    if (caught) end_by_signal(p);
    if (p->n_phases_beyond)
        p->n_phases_beyond--;
    else if (p->n_phases)
        end_phase(p, "");
    pthread_mutex_unlock(&p->lock);
}

static void close_phases(struct prof *p, const char *args) {
    while (p->n_phases) end_phase(p, args);
}

/* ---- life ---- */

static size_t tail(void *user, char *out, size_t size) {
    const struct prof *p = user;
    char device[200], command[64];
    int n = snprintf(
        out, size,
        "\n],\"displayTimeUnit\":\"ns\",\"otherData\":{\"format\":\"greta-profile\",\"version\":1,"
        "\"command\":%s,"
        "\"device\":%s,\"emulated\":%s,\"clock\":\"%s\",\"device_clock\":\"%s\",\"tick_ns\":%.6g,"
        "\"tick_bits\":%u,\"alignments\":%u,\"alignment_uncertainty_ns\":%.0f,\"drift_ppm\":%.3f,"
        "\"timestamps\":%" PRIu64 ",\"timestamps_lost\":%" PRIu64 ",\"peak_device_bytes\":%" PRIu64 "}}\n",
        writer_text(command, sizeof command, p->command), writer_text(device, sizeof device, p->device),
        p->emulated ? "true" : "false",
        p->emulated ? "counts of what was told, no times" : "CLOCK_MONOTONIC since the start",
        p->stamps     ? "timestamps of the device, aligned"
        : p->emulated ? "none"
                      : "none: times of the host",
        p->align.period_ns, p->align.bits, p->align.n_pairs, p->align.uncertainty_ns,
        (p->align.rate - 1) * 1e6, p->n_stamps, p->n_lost, p->peak);
    return n > 0 && (size_t)n < size ? (size_t)n : 0;
}

/* The folder of a path. */
static bool folder_of(const char *path, struct stat *out) {
    const char *slash = strrchr(path, '/');
    char *folder = slash ? strndup(path, (size_t)(slash - path) + 1) : NULL;
    bool ok = (!slash || folder) && stat(folder ? folder : ".", out) == 0;
    free(folder);
    return ok;
}

static const char *name_of(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* By whatever names, before either is made. A device takes both: /dev/null. */
static bool same_file(const char *a, const char *b) {
    struct stat of_a, of_b;
    const bool is_a = stat(a, &of_a) == 0, is_b = stat(b, &of_b) == 0;
    if (is_a != is_b || (is_a && S_ISCHR(of_a.st_mode))) return false;
    if (!is_a && (strcmp(name_of(a), name_of(b)) != 0 || !folder_of(a, &of_a) || !folder_of(b, &of_b)))
        return false;
    return of_a.st_dev == of_b.st_dev && of_a.st_ino == of_b.st_ino;
}

static greta_status open_files(struct prof *p, const struct prof_params *params) {
    p->timeline.fd = -1;
    if (params->timeline && params->kernels && strcmp(params->kernels, "-") != 0 &&
        same_file(params->timeline, params->kernels))
        return greta_fail(p->log, GRETA_ERR_INVALID,
                          "%s: the timeline and the counters of kernels want a file each", params->kernels);
    if (params->kernels && strcmp(params->kernels, "-") != 0) { /* known now: no work is lost for it */
        FILE *f = fopen(params->kernels, "ae");
        if (!f)
            return greta_fail(p->log, GRETA_ERR_IO, "%s: cannot write the counters of kernels: %s",
                              params->kernels, strerror(errno));
        fclose(f);
    }
    p->kernels_path = params->kernels ? strdup(params->kernels) : NULL;
    if (params->kernels && !p->kernels_path) return GRETA_ERR_NO_MEMORY;
    if (!params->timeline) return GRETA_OK;
    greta_status status = writer_open(&p->timeline, params->timeline, "{\"traceEvents\":[", p->log);
    if (status != GRETA_OK) return status;
    p->timeline.tail = tail;
    p->timeline.user = p;
    prof_meta(p, PROF_HOST_PID, 0, "process_name", p->command);
    thread_of(p);
    writer_flush(&p->timeline);
    return p->timeline.failed ? GRETA_ERR_IO : GRETA_OK;
}

greta_status prof_open(const struct prof_params *params, struct prof **out) {
    *out = NULL;
    if (!params->timeline && !params->kernels) return GRETA_OK;
    struct prof *p = calloc(1, sizeof *p);
    if (!p) return greta_fail(params->log, GRETA_ERR_NO_MEMORY, "profile: out of memory");
    pthread_mutex_init(&p->lock, NULL);
    p->log = params->log;
    p->telemetry = (struct greta_telemetry){.record = record, .user = p, .before = before};
    p->start_ns = clock_ns();
    p->main_tid = (long)gettid();
    p->align.rate = 1;
    snprintf(p->command, sizeof p->command, "%s", params->command);
    greta_status status = open_files(p, params);
    if (status != GRETA_OK) {
        (void)writer_close(&p->timeline);
        free(p->kernels_path);
        pthread_mutex_destroy(&p->lock);
        free(p);
        return status;
    }
    catch_signals();
    *out = p;
    return GRETA_OK;
}

const struct greta_telemetry *prof_telemetry(struct prof *p) {
    return p ? &p->telemetry : NULL;
}

bool prof_close(struct prof **prof) {
    struct prof *p = *prof;
    bool ok;
    *prof = NULL;
    if (!p) return true;
    pthread_mutex_lock(&p->lock);
    if (caught) end_by_signal(p);
    close_phases(p, "");
    pthread_mutex_unlock(&p->lock);
    release_signals();
    ok = writer_close(&p->timeline) && !p->report_failed;
    kernels_free(&p->kernels);
    free(p->kernels_path);
    pthread_mutex_destroy(&p->lock);
    free(p);
    return ok;
}
