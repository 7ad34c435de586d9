/*
 * A model end to end, on any device: model DEVICE FILE SUITE, where FILE may be "builtin". The bounds are
 * the documented ones: 1e-3 of the largest logit where activations are f32, 0.4 where a plan rounds them to
 * 8 bits.
 */
#include "alloc.h"
#include "check.h"

#include <greta/llm.h>

#include <math.h>
#include <string.h>

enum { MAX_TOKENS = 2048, MAX_LINES = 4096 };

struct fixture {
    const char *device, *file;
    struct greta_log log;
    struct greta_ctx *ctx;
    struct greta_dev *dev;
    struct greta_model *model;
    uint32_t n_vocab;
    uint32_t tokens[MAX_TOKENS];
};

static void log_line(void *user, enum greta_log_level level, const char *message) {
    const bool *quiet = user;
    (void)level;
    if (!quiet || !*quiet) fprintf(stderr, "%s\n", message);
}

static greta_status load(struct fixture *f, enum greta_policy policy) {
    struct greta_model_params params = {.policy = policy, .without_tokenizer = true};
    const void *data;
    size_t size;

    if (strcmp(f->file, "builtin") != 0) return greta_model_load(f->dev, f->file, &params, &f->model);
    if (!greta_builtin_model(&data, &size)) check_skip("built without a model of its own");
    return greta_model_load_memory(f->dev, data, size, "the built-in model", &params, &f->model);
}

static greta_status open_with(struct fixture *f, enum greta_policy policy,
                              const struct greta_dev_params *dev_params,
                              const struct greta_telemetry *telemetry) {
    struct greta_ctx_params params = {.log = &f->log, .telemetry = telemetry, .cache_dir = ""};
    greta_status status = greta_ctx_create(&params, &f->ctx);

    f->log.fn = log_line;
    if (!status) status = greta_dev_open(f->ctx, f->device, dev_params, &f->dev);
    if (!status) status = load(f, policy);
    if (status) return status;
    f->n_vocab = greta_model_get_info(f->model)->n_vocab;
    for (uint32_t i = 0, x = 7; i < MAX_TOKENS; i++) {
        x = x * 1664525u + 1013904223u;
        f->tokens[i] = (uint32_t)(((uint64_t)x * f->n_vocab) >> 32);
    }
    return GRETA_OK;
}

static void close_all(struct fixture *f) {
    greta_model_destroy(&f->model);
    greta_dev_close(&f->dev);
    greta_ctx_destroy(&f->ctx);
}

/* ---- logits ---- */

static float largest(const float *x, uint32_t n) {
    float most = 0;
    for (uint32_t i = 0; i < n; i++) most = fmaxf(most, fabsf(x[i]));
    return most;
}

static float distance(const float *a, const float *b, uint32_t n) {
    float most = 0;
    for (uint32_t i = 0; i < n; i++)
        most = isnan(a[i]) || isnan(b[i]) ? INFINITY : fmaxf(most, fabsf(a[i] - b[i]));
    return most;
}

/* k tokens at once, then the rest one by one; the last logits. */
static bool logits_of_split(struct fixture *f, struct greta_session *s, uint32_t k, uint32_t n, float *out) {
    bool ok = CHECK(greta_session_rewind(s, 0) == GRETA_OK);

    if (k)
        ok = ok && CHECK(greta_session_eval(s, f->tokens, k,
                                            k == n ? GRETA_WANT_LOGITS : GRETA_WANT_NOTHING) == GRETA_OK);
    for (uint32_t i = k; i < n && ok; i++)
        ok = CHECK(greta_session_eval(s, f->tokens + i, 1,
                                      i + 1 == n ? GRETA_WANT_LOGITS : GRETA_WANT_NOTHING) == GRETA_OK);
    ok = ok && CHECK(greta_session_n_past(s) == n) && CHECK(greta_session_logits(s) != NULL);
    if (ok) memcpy(out, greta_session_logits(s), f->n_vocab * sizeof *out);
    return ok;
}

static float bound_of(const struct fixture *f, enum greta_policy policy, const float *logits) {
    const struct greta_model_info *info = greta_model_get_info(f->model);

    if (policy == GRETA_POLICY_EXACT) return 1e-3f * largest(logits, f->n_vocab);
    if (strstr(info->decode_x_types, "Q8A") || strstr(info->prefill_x_types, "Q8A")) return 0.4f;
    /* Rows on matrix units round activations to f16 on their way. With a cache of f16 that moves a logit by up to 0.022 over a
     * text, against float64: two passes, one of many tokens and one of single ones, lie twice that apart. */
    return greta_dev_get_limits(f->dev)->n_matrix_ops ? 2 * 0.022f : 0.02f;
}

/*
 * How far the rounding of keys and values to 8 bits moves these logits, by a session that does not round. Two passes that round differ in
 * the few that lie between two steps, and so by less than this.
 */
static float moved_by_rounding(struct fixture *f, uint32_t n, const float *rounded) {
    struct greta_session_params params = {.kv_type = GRETA_KV_F32, .n_ctx = n + 3};
    struct greta_session *s = NULL;
    float *exact = calloc(f->n_vocab, sizeof *exact), moved = 0;

    if (CHECK(exact != NULL) && CHECK(greta_session_create(f->model, &params, &s) == GRETA_OK) &&
        logits_of_split(f, s, n, n, exact))
        moved = distance(exact, rounded, f->n_vocab);
    greta_session_destroy(&s);
    free(exact);
    return moved;
}

/* Splits of n tokens, from `first` at once on, in small chunks and large. */
static void check_splits(struct fixture *f, enum greta_policy policy, enum greta_kv_type kv, uint32_t n_chunk,
                         uint32_t n, uint32_t first, uint32_t stride) {
    struct greta_session_params params = {.kv_type = kv, .n_chunk = n_chunk, .n_ctx = n + 3};
    float *whole = calloc(f->n_vocab, sizeof *whole), *split = calloc(f->n_vocab, sizeof *split);
    struct greta_session *s = NULL;

    if (CHECK(greta_session_create(f->model, &params, &s) == GRETA_OK) &&
        logits_of_split(f, s, n, n, whole)) {
        float bound = bound_of(f, policy, whole);
        if (kv == GRETA_KV_Q8_0) bound += moved_by_rounding(f, n, whole);
        CHECK(largest(whole, f->n_vocab) > 0.1f); /* zeros would agree with everything */
        for (uint32_t k = first; k < n; k += stride) {
            if (!logits_of_split(f, s, k, n, split)) break;
            if (!CHECK(distance(whole, split, f->n_vocab) <= bound))
                fprintf(
                    stderr,
                    "%s, %s: %u tokens at once and %u one by one: %g from %u at once, bound %g (chunk %u)\n",
                    f->device, f->file, k, n - k, (double)distance(whole, split, f->n_vocab), n,
                    (double)bound, n_chunk);
        }
    }
    greta_session_destroy(&s);
    free(whole);
    free(split);
}

/* Heads that are no multiple of 32 are refused in words. */
static void check_no_q8_0(struct fixture *f) {
    struct greta_session *s = NULL;
    bool quiet = true;
    f->log.user = &quiet;
    CHECK(greta_session_create(f->model, &(struct greta_session_params){.kv_type = GRETA_KV_Q8_0, .n_ctx = 8},
                               &s) == GRETA_ERR_INVALID &&
          !s);
    f->log.user = NULL;
}

static void splits(struct fixture *f, uint32_t stride, uint32_t first_of_long) {
    for (int policy = GRETA_POLICY_DEFAULT; policy <= GRETA_POLICY_EXACT; policy++) {
        if (!CHECK(open_with(f, policy, NULL, NULL) == GRETA_OK)) return;
        check_splits(f, policy, GRETA_KV_F16, 0, 13, 0, stride);
        check_splits(f, policy, GRETA_KV_F32, 5, 12, 0, stride);
        check_splits(f, policy, GRETA_KV_F16, 1, 3, 0, stride);
        if (greta_model_get_info(f->model)->head_dim % 32 == 0)
            check_splits(f, policy, GRETA_KV_Q8_0, 0, 13, 0, stride > 3 ? stride : 3);
        else
            check_no_q8_0(f);
        if (greta_model_get_info(f->model)->n_ctx_train >= 2048)
            check_splits(f, policy, GRETA_KV_F16, 100, 1100, first_of_long, 363);
        close_all(f);
    }
}

static void suite_splits(struct fixture *f) {
    splits(f, 1, 0);
}

/* For slow devices: none, a third, two thirds, all but one at once; of the long text two thirds and nearly all. */
static void suite_some_splits(struct fixture *f) {
    splits(f, 4, 726);
}

/* ---- what a decode step does ---- */

struct lines {
    char at[MAX_LINES][96];
    uint32_t n;
    bool on;
};

static void keep_line(void *user, const char *text) {
    struct lines *lines = user;
    if (lines->on && lines->n < MAX_LINES) snprintf(lines->at[lines->n++], sizeof lines->at[0], "%s", text);
}

static void keep_record(void *user, const struct greta_record *r) {
    static const char *const names[] = {"alloc",        "free",       "dispatch",    "copy",
                                        "fill",         "update",     "barrier",     "flush",
                                        "wait",         "read",       "write",       "graph_build",
                                        "graph_launch", "kernel_get", "module_load", "graph_begin"};
    keep_line(user, names[r->type]);
}

static uint32_t count(const struct lines *lines, const char *word) {
    uint32_t n = 0;
    for (uint32_t i = 0; i < lines->n; i++) n += strncmp(lines->at[i], word, strlen(word)) == 0;
    return n;
}

static void show(const struct lines *lines) {
    for (uint32_t i = 0; i < lines->n; i++) fprintf(stderr, "  %s\n", lines->at[i]);
}

/* What a backend without graphs is handed by the runtime, which replays them. */
static uint32_t replayed(const struct lines *lines) {
    return count(lines, "dispatch") + count(lines, "copy");
}

/*
 * From the second token on: an update, a graph launch, a readback, as the runtime sees it and as the backend
 * does.
 */
static void suite_log(struct fixture *f) {
    static struct lines records, calls;
    struct greta_telemetry telemetry = {keep_record, &records};
    struct greta_dev_params params = {.trace = {keep_line, &calls}};
    struct greta_session *s = NULL;
    uint32_t token = 1;
    bool has_graph;

    if (!CHECK(open_with(f, GRETA_POLICY_DEFAULT, &params, &telemetry) == GRETA_OK)) return;
    has_graph = greta_dev_get_limits(f->dev)->has_graph;
    for (int want = GRETA_WANT_ARGMAX; want <= GRETA_WANT_LOGITS; want++) {
        bool ok = CHECK(greta_session_create(f->model, &(struct greta_session_params){.n_ctx = 600}, &s) ==
                        GRETA_OK) &&
                  CHECK(greta_session_eval(s, f->tokens, 250, want) == GRETA_OK) &&
                  CHECK(greta_session_eval(s, &token, 1, want) == GRETA_OK);
        records.n = calls.n = 0;
        records.on = calls.on = true;
        allocations_begin(ALLOC_COUNT);
        /* past 256 positions: the next bucket of attention's grid */
        for (int i = 0; i < 20 && ok; i++) ok = CHECK(greta_session_eval(s, &token, 1, want) == GRETA_OK);
        records.on = calls.on = false;
        CHECK(n_allocations == 0);
        fail_at = 0;
        if (!CHECK(count(&records, "update") == 20 && count(&records, "graph_launch") == 20 &&
                   count(&records, "read") == 20))
            show(&records);
        if (!CHECK(records.n == 60 + count(&records, "flush") + count(&records, "wait") +
                                    count(&records, "barrier") + (has_graph ? 0 : replayed(&records))))
            show(&records);
        /*
         * below the runtime: no memory, no kernels; what is dispatched is inside the graph, unless the
         * backend has none
         */
        CHECK(count(&calls, "buf_") + count(&calls, "kernel_get") + count(&calls, "module_") +
                  count(&calls, "graph_build") ==
              0);
        if (has_graph) {
            uint32_t n = count(&calls, "update") + count(&calls, "graph_launch") + count(&calls, "event_") +
                         count(&calls, "stream_") + count(&calls, "flush") + count(&calls, "barrier");
            if (!CHECK(count(&calls, "update") == 20 && count(&calls, "graph_launch") == 20 && n == calls.n))
                show(&calls);
        }
        greta_session_destroy(&s);
    }
    close_all(f);
}

/* The dispatches of one decode step at position `pos`, in a session for n_ctx. */
static uint32_t dispatches_of_step(struct fixture *f, struct lines *calls, uint32_t n_ctx, uint32_t pos) {
    struct greta_session *s = NULL;
    uint32_t n = 0;
    bool inside = true;

    calls->n = 0;
    if (CHECK(greta_session_create(f->model, &(struct greta_session_params){.n_ctx = n_ctx}, &s) ==
              GRETA_OK) &&
        CHECK(greta_session_eval(s, f->tokens, pos, GRETA_WANT_NOTHING) == GRETA_OK)) {
        calls->on = true;
        CHECK(greta_session_eval(s, f->tokens, 1, GRETA_WANT_LOGITS) == GRETA_OK);
        calls->on = false;
    }
    greta_session_destroy(&s);
    /* With graphs: what is in the first of those built, that of this step. */
    for (uint32_t i = 0, n_builds = 0; i < calls->n && inside; i++) {
        const char *line = calls->at[i];
        if (strncmp(line, "graph_build", 11) == 0) inside = ++n_builds < 2;
        n += strncmp(line + strspn(line, " "), "dispatch", 8) == 0;
    }
    return n;
}

/*
 * A decode step of a layer: q, k, v with the norm, their rotation and the cache; attention, in two where it is split; o onto the
 * residual stream; gate and up with the norm; down onto the stream. (Forced, attention is split always.) A device that is a CPU norms apart, unless forced; the host does, and where it rounds activations to 8 bits
 * that is a dispatch more for o and for down, and one for the first norm. Besides: the embedding, the last norm, the output matrix.
 */
static void suite_step(struct fixture *f) {
    static struct lines calls;
    struct greta_dev_params params = {.trace = {keep_line, &calls}};

    if (!CHECK(open_with(f, GRETA_POLICY_DEFAULT, &params, NULL) == GRETA_OK)) return;
    const struct greta_model_info *info = greta_model_get_info(f->model);
    bool host = strcmp(f->device, "cpu") == 0, rounds = strstr(info->decode_x_types, "Q8A");
    uint32_t n_short = dispatches_of_step(f, &calls, 64, 5), n_long = dispatches_of_step(f, &calls, 600, 300);
    const char *force = getenv("GRETA_FORCE");
    bool is_cpu = greta_dev_get_limits(f->dev)->is_cpu, forced = force && strstr(force, "attn_split"),
         splits = forced || !is_cpu;
    bool norms_apart = is_cpu && (host || !force || !strstr(force, "matvec_glu"));
    uint32_t want = 3 +
                    info->n_layer * (!norms_apart     ? 5
                                     : host && rounds ? 9
                                                      : 7) +
                    rounds + (forced ? info->n_layer : 0);
    uint32_t want_long = want + (splits && !forced ? info->n_layer : 0);
    if (!CHECK(n_short == want) || !CHECK(n_long == want_long))
        fprintf(stderr,
                "%s: a step of %u layers has %u dispatches, %u where attention is split; not %u and %u\n",
                f->file, info->n_layer, n_short, n_long, want, want_long);
    close_all(f);
}

/* ---- limits ---- */

/* The same logits on a device as it is and with lowered limits. */
static void check_lowered(struct fixture *f, const struct greta_limits *lower) {
    struct greta_dev_params params = {.fault = {.enabled = true, .lower = *lower}};
    enum { N = 9 };
    float *want = NULL, *got = NULL;

    for (int limited = 0; limited < 2; limited++) {
        struct greta_session *s = NULL;
        if (!CHECK(open_with(f, GRETA_POLICY_EXACT, limited ? &params : NULL, NULL) == GRETA_OK)) break;
        if (!limited)
            want = calloc(f->n_vocab, sizeof *want), got = calloc(f->n_vocab, sizeof *got);
        else if (lower->max_buf_bytes)
            CHECK(greta_dev_get_limits(f->dev)->max_buf_bytes == lower->max_buf_bytes);
        else
            CHECK(!greta_dev_get_limits(f->dev)->unified && !greta_dev_get_limits(f->dev)->host_visible_vram);
        if (CHECK(greta_session_create(f->model, &(struct greta_session_params){.n_ctx = 32}, &s) ==
                  GRETA_OK)) {
            CHECK(logits_of_split(f, s, limited ? 5 : N, N, limited ? got : want));
            if (limited && !CHECK(distance(want, got, f->n_vocab) <= 1e-3f * largest(want, f->n_vocab)))
                fprintf(stderr, "%g apart, largest %g\n", (double)distance(want, got, f->n_vocab),
                        (double)largest(want, f->n_vocab));
        }
        greta_session_destroy(&s);
        close_all(f);
    }
    free(want);
    free(got);
}

/* Buffers of 1 MiB and 64 groups in one dimension. */
static void suite_limits(struct fixture *f) {
    check_lowered(f, &(struct greta_limits){.max_buf_bytes = 1 << 20, .max_groups = {64, 64, 64}});
}

/* A device whose memory the host cannot write: weights come by staging. */
static void suite_staged(struct fixture *f) {
    check_lowered(f, &(struct greta_limits){.unified = true, .host_visible_vram = true});
    check_lowered(
        f, &(struct greta_limits){.unified = true, .host_visible_vram = true, .max_buf_bytes = 1 << 20});
}

/* ---- failures ---- */

static greta_status work(struct fixture *f, const struct greta_dev_params *params, uint64_t *n_calls) {
    struct greta_session *s = NULL;
    greta_status status = open_with(f, GRETA_POLICY_DEFAULT, params, NULL);

    if (!status) status = greta_session_create(f->model, &(struct greta_session_params){.n_ctx = 16}, &s);
    if (!status) status = greta_session_eval(s, f->tokens, 5, GRETA_WANT_ARGMAX);
    for (int i = 0; i < 2 && !status; i++)
        status = greta_session_eval(s, f->tokens + i, 1, GRETA_WANT_LOGITS);
    *n_calls = f->dev ? greta_dev_n_calls(f->dev) : 0;
    greta_session_destroy(&s);
    close_all(f);
    return status;
}

/* Each call of the device fails once: an error comes back, and nothing leaks (under a sanitizer). */
static void failures(struct fixture *f, uint64_t n_first, uint64_t n_others) {
    struct greta_dev_params params = {.fault = {.enabled = true, .fail_status = GRETA_ERR_NO_DEVICE_MEMORY}};
    uint64_t n_calls, n, stride;
    bool quiet = true;

    f->log.user = &quiet;
    CHECK(work(f, &params, &n_calls) == GRETA_OK);
    stride = n_calls / n_others + 1;
    for (uint64_t i = 1; i <= n_calls; i += i < n_first ? 1 : stride) {
        params.fault.fail_call = i;
        params.fault.fail_status = i % 2 ? GRETA_ERR_NO_DEVICE_MEMORY : GRETA_ERR_DEVICE_LOST;
        /* The loader's threads make as many calls as come to each: another run may end before call i. */
        if (!CHECK(work(f, &params, &n) != GRETA_OK || n < i))
            fprintf(stderr, "call %llu of %llu failed, and nobody noticed\n", (unsigned long long)i,
                    (unsigned long long)n_calls);
    }
    f->log.user = NULL;
}

static void suite_failures(struct fixture *f) {
    failures(f, 60, 150);
}

/* For devices that take long to open. */
static void suite_some_failures(struct fixture *f) {
    failures(f, 30, 40);
}

/* ---- the host's memory ---- */

/* Every allocation of ours fails once, from the device's opening to a decode step. */
static void suite_no_memory(struct fixture *f) {
    bool quiet = true;
    uint64_t n_calls;
    unsigned long total, n_noticed = 0;

    f->log.user = &quiet;
    allocations_begin(ALLOC_COUNT);
    CHECK(work(f, NULL, &n_calls) == GRETA_OK);
    total = n_allocations;
    CHECK(total > 50);
    for (unsigned long i = 1; i <= total; i += 1 + total / 400) {
        allocations_begin(i);
        n_noticed += work(f, NULL, &n_calls) != GRETA_OK;
    }
    fail_at = 0;
    /* some are only an optimization, and work goes on without; most are not */
    CHECK(n_noticed > total / (1 + total / 400) / 2);
    CHECK(work(f, NULL, &n_calls) == GRETA_OK);
    f->log.user = NULL;
}

/* ---- wrong use, and the other calls ---- */

static void check_errors(struct fixture *f, struct greta_session *s) {
    struct greta_session *none;
    uint32_t bad = f->n_vocab, token;

    CHECK(greta_session_eval(s, f->tokens, 0, GRETA_WANT_LOGITS) == GRETA_ERR_INVALID);
    CHECK(greta_session_eval(s, f->tokens, 41, GRETA_WANT_LOGITS) == GRETA_ERR_INVALID);
    CHECK(greta_session_eval(s, &bad, 1, GRETA_WANT_LOGITS) == GRETA_ERR_INVALID);
    CHECK(greta_session_n_past(s) == 0);
    CHECK(greta_session_rewind(s, 1) == GRETA_ERR_INVALID);
    CHECK(greta_session_argmax(s, &token) == GRETA_ERR_INVALID);
    CHECK(greta_session_logits(s) == NULL);
    CHECK(greta_session_eval(s, f->tokens, 40, GRETA_WANT_ARGMAX) == GRETA_OK);
    CHECK(greta_session_eval(s, f->tokens, 1, GRETA_WANT_ARGMAX) == GRETA_ERR_INVALID);
    CHECK(greta_session_create(f->model, &(struct greta_session_params){.n_ctx = UINT32_MAX}, &none) ==
              GRETA_ERR_INVALID &&
          !none);
    CHECK(greta_model_load(f->dev, "/nowhere/at/all.gguf", NULL, &(struct greta_model *){NULL}) ==
          GRETA_ERR_NOT_FOUND);
}

struct each {
    struct fixture *f;
    struct greta_session *other;
    uint32_t n, stop_at;
};

/* Each token's logits are those that a session gives that evaluates one by one. */
static bool compare(void *user, uint32_t i, const float *logits) {
    struct each *e = user;

    CHECK(i == e->n++);
    if (CHECK(greta_session_eval(e->other, e->f->tokens + i, 1, GRETA_WANT_LOGITS) == GRETA_OK)) {
        const float *want = greta_session_logits(e->other);
        CHECK(distance(want, logits, e->f->n_vocab) <= 1e-3f * largest(want, e->f->n_vocab));
    }
    return e->n != e->stop_at;
}

static bool stop_early(void *user, uint32_t done, uint32_t total) {
    uint32_t *calls = user;
    CHECK(done <= total);
    return ++*calls < 2;
}

static void check_progress(struct fixture *f) {
    uint32_t calls = 0;
    struct greta_session_params params = {.n_ctx = 40, .n_chunk = 8, .progress = stop_early, .user = &calls};
    struct greta_session *s = NULL;

    if (!CHECK(greta_session_create(f->model, &params, &s) == GRETA_OK)) return;
    CHECK(greta_session_eval(s, f->tokens, 40, GRETA_WANT_LOGITS) == GRETA_OK);
    CHECK(calls == 2 && greta_session_n_past(s) == 16 && !greta_session_logits(s));
    greta_session_destroy(&s);
}

static void check_argmax(struct fixture *f, struct greta_session *s) {
    uint32_t token = 0, best = 0;

    CHECK(greta_session_rewind(s, 0) == GRETA_OK &&
          greta_session_eval(s, f->tokens, 7, GRETA_WANT_ARGMAX) == GRETA_OK);
    CHECK(greta_session_argmax(s, &token) == GRETA_OK);
    CHECK(greta_session_rewind(s, 0) == GRETA_OK &&
          greta_session_eval(s, f->tokens, 7, GRETA_WANT_LOGITS) == GRETA_OK);
    for (uint32_t i = 1; i < f->n_vocab; i++)
        if (greta_session_logits(s)[i] > greta_session_logits(s)[best]) best = i;
    CHECK(token == best);
}

static void suite_calls(struct fixture *f) {
    struct greta_session_params params = {.n_ctx = 40, .n_chunk = 16};
    struct greta_session *s = NULL, *other = NULL;

    if (!CHECK(open_with(f, GRETA_POLICY_EXACT, NULL, NULL) == GRETA_OK)) return;
    CHECK(greta_model_session_bytes(f->model, &params) > 0);
    if (CHECK(greta_session_create(f->model, &params, &s) == GRETA_OK) &&
        CHECK(greta_session_create(f->model, &params, &other) == GRETA_OK)) {
        bool quiet = true;
        struct each e = {f, other, 0, 0};
        f->log.user = &quiet;
        check_errors(f, s);
        f->log.user = NULL;
        check_argmax(f, s);
        CHECK(greta_session_rewind(s, 0) == GRETA_OK);
        CHECK(greta_session_eval_each(s, f->tokens, 40, compare, &e) == GRETA_OK && e.n == 40);
        e.n = 0, e.stop_at = 5;
        CHECK(greta_session_rewind(s, 0) == GRETA_OK && greta_session_rewind(other, 0) == GRETA_OK);
        CHECK(greta_session_eval_each(s, f->tokens, 40, compare, &e) == GRETA_OK && e.n == 5);
        check_progress(f);
    }
    greta_session_destroy(&s);
    greta_session_destroy(&other);
    close_all(f);
}

/* ---- the same seed, the same tokens ---- */

static void write_tokens(struct fixture *f, uint64_t seed, uint32_t *out, uint32_t n) {
    struct greta_sampler_params params = {.temperature = 1.2f,
                                          .top_k = 50,
                                          .top_p = 0.98f,
                                          .min_p = 0.001f,
                                          .repeat_penalty = 1.1f,
                                          .seed = seed};
    struct greta_sampler *sampler = NULL;
    struct greta_session *s = NULL;
    bool ok =
        CHECK(open_with(f, GRETA_POLICY_DEFAULT, NULL, NULL) == GRETA_OK) &&
        CHECK(greta_sampler_create(&params, &f->log, &sampler) == GRETA_OK) &&
        CHECK(greta_session_create(f->model, &(struct greta_session_params){.n_ctx = 64}, &s) == GRETA_OK) &&
        CHECK(greta_session_eval(s, f->tokens, 10, greta_sampler_want(sampler)) == GRETA_OK);

    for (uint32_t i = 0; i < n && ok; i++)
        ok = CHECK(greta_session_sample(s, sampler, &out[i]) == GRETA_OK) &&
             CHECK(greta_session_eval(s, &out[i], 1, greta_sampler_want(sampler)) == GRETA_OK);
    greta_session_destroy(&s);
    greta_sampler_destroy(&sampler);
    close_all(f);
}

static void suite_seeds(struct fixture *f) {
    enum { N = 40 };
    uint32_t a[N] = {0}, b[N] = {0}, c[N] = {0};

    write_tokens(f, 11, a, N);
    write_tokens(f, 11, b, N);
    write_tokens(f, 12, c, N);
    CHECK(memcmp(a, b, sizeof a) == 0);
    CHECK(memcmp(a, c, sizeof a) != 0);
}

int main(int argc, char **argv) {
    static const struct {
        const char *name;
        void (*run)(struct fixture *f);
    } suites[] = {{"splits", suite_splits},
                  {"some_splits", suite_some_splits},
                  {"log", suite_log},
                  {"limits", suite_limits},
                  {"staged", suite_staged},
                  {"failures", suite_failures},
                  {"some_failures", suite_some_failures},
                  {"no_memory", suite_no_memory},
                  {"calls", suite_calls},
                  {"seeds", suite_seeds},
                  {"step", suite_step}};
    static struct fixture f;
    bool quiet = true;

    if (argc != 4) return 2;
    f.device = argv[1];
    f.file = argv[2];
    f.log.user = &quiet;
    if (greta_ctx_create(&(struct greta_ctx_params){.log = &f.log, .cache_dir = ""}, &f.ctx) == GRETA_OK &&
        greta_dev_open(f.ctx, f.device, NULL, &f.dev) != GRETA_OK)
        check_skip("there is no such device here");
    close_all(&f);
    f.log.user = NULL;
    for (size_t i = 0; i < sizeof suites / sizeof *suites; i++)
        if (strcmp(argv[3], suites[i].name) == 0) suites[i].run(&f);
    return check_done();
}
