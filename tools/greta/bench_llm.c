/* greta bench llm: prompts and decoding, in tokens per second. */
#include "bench_llm.h"
#include "io.h"

#include "clock.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Runs of one test. */
struct times {
    double seconds[BENCH_LLM_MAX_REPEATS], device_seconds[BENCH_LLM_MAX_REPEATS];
    uint32_t n, n_warm;
    bool stable; /* the last three before them lay within 3 % */
};

/* "512,2048" */
bool bench_sizes_read(const char *text, struct bench_sizes *out) {
    for (out->n = 0; out->n < BENCH_LLM_MAX_SIZES; text++) {
        char *end;
        unsigned long n;
        errno = 0;
        n = strtoul(text, &end, 10);
        if (*text < '0' || *text > '9' || errno || n > 1u << 24 || (*end && *end != ',')) return false;
        out->at[out->n++] = (uint32_t)n;
        text = end;
        if (!*text) return true;
    }
    return false;
}

/* Random ids, the same in every run (a linear congruence; quality does not matter here). */
static bool make_tokens(struct bench_llm *b, uint32_t n, uint32_t n_vocab) {
    uint32_t x = 1;

    b->tokens = malloc((size_t)n * sizeof *b->tokens);
    if (!b->tokens) say("no memory for %u tokens", n);
    for (uint32_t i = 0; b->tokens && i < n; i++) {
        x = x * 1664525u + 1013904223u;
        b->tokens[i] = (uint32_t)(((uint64_t)x * n_vocab) >> 32);
    }
    return b->tokens != NULL;
}

/* ---- results ---- */

static double median(struct times *t) {
    for (uint32_t i = 1; i < t->n; i++)
        for (uint32_t j = i; j > 0 && t->seconds[j] < t->seconds[j - 1]; j--) {
            double swap = t->seconds[j];
            t->seconds[j] = t->seconds[j - 1];
            t->seconds[j - 1] = swap;
        }
    return t->n % 2 ? t->seconds[t->n / 2] : (t->seconds[t->n / 2 - 1] + t->seconds[t->n / 2]) / 2;
}

/* What one test found. */
struct test {
    const char *what; /* "prompt" or "decode" */
    uint32_t n, depth;
    struct times times;
    json_t *counts;
    uint64_t said; /* a hash of the tokens that came out; the same in every run */
    bool differs;
    double predicted_s; /* one run would pass the budget: it was not made; else 0 */
    bool of_context;    /* what would take so long are the tokens before it */
};

static const char *too_slow(const struct bench_llm *b, const struct test *t, char *out, size_t size) {
    char run[32], budget[32];
    snprintf(
        out, size, "%s would take %s, the budget is %s", t->of_context ? "the context before it" : "one run",
        bench_seconds(t->predicted_s, run, sizeof run), bench_seconds(b->budget_s, budget, sizeof budget));
    return out;
}

/* The test as a result; times are of one token, counts of one evaluation: the prompt, or one token. */
static bool keep(struct bench_llm *b, const struct app *app, const struct test *t) {
    const struct greta_model_info *info = greta_model_get_info(app->model);
    bool decode = strcmp(t->what, "decode") == 0;
    char key[224], model[64];
    double ns[BENCH_LLM_MAX_REPEATS];
    struct bench_result r = {.name = "llm", .key = key, .tokens = 1, .check = "the same tokens in every run"};

    snprintf(model, sizeof model, "%.1fM %.40s", (double)info->n_params / 1e6, info->weight_types);
    snprintf(key, sizeof key, "llm/%s/%s/tokens%u/depth%u", model, t->what, t->n, t->depth);
    for (uint32_t i = 0; i < t->times.n; i++) ns[i] = t->times.seconds[i] * 1e9 / t->n;
    greta_stats_make(ns, t->times.n, &r.time.host);
    for (uint32_t i = 0; i < t->times.n; i++) ns[i] = t->times.device_seconds[i] * 1e9 / t->n;
    if (b->from) greta_stats_make(ns, t->times.n, &r.time.device);
    if (r.time.device.max <= 0) r.time.device = (struct greta_stats){0};
    r.time.n_calls = t->n;
    r.time.n_warm = t->times.n_warm;
    r.time.stable = t->times.stable;
    if (decode) r.bytes = (double)info->step_bytes;
    r.flops = 2.0 * (double)info->n_params;
    r.shape = json_pack("{ss ss si si}", "model", model, "phase", t->what, "tokens", (int)t->n, "depth",
                        (int)t->depth);
    r.counts = t->counts;
    char reason[160];
    if (t->predicted_s > 0) {
        r.status = BENCH_SKIPPED;
        r.predicted_ns = t->predicted_s * 1e9;
        r.check = NULL;
        r.reason = too_slow(b, t, reason, sizeof reason);
    }
    if (t->differs) {
        r.status = BENCH_FAILED;
        r.reason = "two runs gave different tokens";
    }
    if (results_add(b->results, &r) == GRETA_OK) return true;
    say("no memory for the results");
    return false;
}

static double count_of(const struct test *t, const char *name) {
    return json_number_value(json_object_get(t->counts, name));
}

static bool report_counts(const struct bench_llm *b, const struct test *t) {
    if (b->counts_device)
        return out_printf("%.0f instructions, %.0f launches", count_of(t, "instructions"),
                          count_of(t, "launches"));
    return out_printf("%.0f dispatches, %.0f groups, %.0f barriers, %.0f bytes copied",
                      count_of(t, "dispatches"), count_of(t, "groups"), count_of(t, "barriers"),
                      count_of(t, "copied_bytes") + count_of(t, "update_bytes"));
}

/* Of a decode: what it reads, and how much of the roof that is where the roof was measured. */
static bool report_bytes(const struct bench_llm *b, const struct app *app, double seconds_a_token) {
    double bytes = (double)greta_model_get_info(app->model)->step_bytes, rate = bytes / seconds_a_token;
    double roof = b->results->roof.copy_bytes_per_s;

    if (!out_printf("   %.1f MB a token, %.1f GB/s", bytes / 1e6, rate / 1e9)) return false;
    return roof <= 0 || out_printf(", %.1f %% of the roof", 100 * rate / roof);
}

/* One line: tokens/s of the median run, and of the slowest and the fastest; or counts. */
static bool report(struct bench_llm *b, const struct app *app, struct test *t) {
    const struct times *s = &t->times;
    double middle = s->n ? median(&t->times) : 0;
    bool ok = true;

    char reason[160];

    json_incref(t->counts); /* keep takes it over */
    ok = keep(b, app, t);
    if (ok && !b->quiet) {
        ok = out_printf("%-8s %6u at %6u   ", t->what, t->n, t->depth);
        if (ok && s->n)
            ok = out_printf("%10.2f tokens/s   (%.2f to %.2f in %u runs)", t->n / middle,
                            t->n / s->seconds[s->n - 1], t->n / s->seconds[0], s->n);
        if (ok && s->n && strcmp(t->what, "decode") == 0) ok = report_bytes(b, app, middle / t->n);
        if (ok && t->counts) ok = report_counts(b, t);
        ok = ok &&
             out_printf("   STATUS=%s%s\n",
                        t->predicted_s > 0 ? "SKIPPED reason="
                        : t->differs       ? "FAILED reason=two runs gave different tokens"
                                           : "OK",
                        t->predicted_s > 0 ? too_slow(b, t, reason, sizeof reason) : "") &&
             out_flush();
    }
    json_decref(t->counts);
    return ok;
}

static bool report_head(const struct bench_llm *b, const struct app *app) {
    const struct greta_model_info *info = greta_model_get_info(app->model);
    const struct greta_dev_info *dev = greta_dev_get_info(app->dev);
    const char *model = app_model_name(&b->common);

    return out_printf("%s: %.1f M parameters, %s, %.1f MiB\n%s (%s, %s)\n", model,
                      (double)info->n_params / 1e6, info->weight_types, (double)info->weights_bytes / 1048576,
                      dev->name, dev->backend, dev->driver) &&
           out_flush();
}

/* ---- runs ---- */

static bool eval(struct app *app, const uint32_t *tokens, uint32_t n) {
    return profiled_eval(app->prof, app->session, tokens, n, GRETA_WANT_ARGMAX) == GRETA_OK;
}

/* One evaluation and its most likely token, with its counts where they are wanted. */
static bool eval_next(struct bench_llm *b, struct app *app, const uint32_t *tokens, uint32_t n,
                      struct test *t, uint32_t *token) {
    struct bench_counters from, to;
    struct bench_commands before = b->trace.now;
    bool ok = !b->counts_device || !bench_counters_read(app->dev, &from);

    ok = ok && eval(app, tokens, n) && !greta_session_argmax(app->session, token);
    ok = ok && (!b->counts_device || !bench_counters_read(app->dev, &to));
    if (!ok || !(b->counts_device || b->counts_commands)) return ok;
    json_decref(t->counts);
    t->counts =
        b->counts_device ? bench_counters_between(&from, &to) : bench_trace_between(&before, &b->trace.now);
    return t->counts != NULL;
}

/* Every run that counts says the same. */
static void note_said(struct test *t, uint64_t said) {
    if (t->times.n > 1 && said != t->said) t->differs = true;
    t->said = said;
}

/* Counts need one run, and one before it where a graph or a plan is made by the first. */
static uint32_t n_runs(const struct bench_llm *b) {
    return b->counts_device ? 0 : b->counts_commands ? 1 : b->n_repeats;
}

enum { FEW = 4, FEW_OF_PROMPT = 32 }; /* tokens of a run that says how long others take */

/* One run of a test, of n tokens. */
typedef bool run_fn(struct bench_llm *b, struct app *app, struct test *t, uint32_t n, uint64_t *said);

static bool run_prompt(struct bench_llm *b, struct app *app, struct test *t, uint32_t n, uint64_t *said) {
    uint32_t token;
    if (!eval_next(b, app, b->tokens, n, t, &token)) return false;
    *said = token;
    return true;
}

/* n tokens, one by one, each the most likely one after the last. Counts are those of the last one. */
static bool run_decode(struct bench_llm *b, struct app *app, struct test *t, uint32_t n, uint64_t *said) {
    uint32_t token = b->tokens[0];
    *said = 0;
    for (uint32_t k = 0; k < n; k++) {
        if (!eval_next(b, app, &token, 1, t, &token)) return false;
        *said = *said * UINT64_C(6364136223846793005) + token + 1;
    }
    return true;
}

/* A run by both clocks. The device's is from its first command to its last, with the pauses between tokens. */
static bool timed(struct bench_llm *b, struct app *app, run_fn *run, struct test *t, uint32_t n,
                  uint64_t *said, double *seconds, double *device_seconds) {
    struct greta_stream *stream = greta_session_get_stream(app->session);
    uint64_t elapsed = 0;
    if (b->interrupted && *b->interrupted) return false;
    if (greta_session_rewind(app->session, t->depth)) return false;
    uint64_t start = clock_ns();
    if (b->from && greta_event_record(b->from, stream)) return false;
    if (!run(b, app, t, n, said)) return false;
    *seconds = (double)(clock_ns() - start) / 1e9;
    if (b->from && (greta_event_record(b->to, stream) || greta_stream_wait(stream) ||
                    greta_event_elapsed(b->from, b->to, &elapsed)))
        return false;
    *device_seconds = (double)elapsed / 1e9;
    return true;
}

/* Kernels are built, caches filled, clocks rise: until three runs agree. Of a decode, runs of a few tokens. Counts need one run. */
static bool warm_up(struct bench_llm *b, struct app *app, run_fn *run, struct test *t, uint32_t n,
                    double *last_s) {
    enum { N_STABLE = 3 };
    const struct greta_limits *limits = greta_dev_get_limits(app->dev);
    const bool is_gpu = limits->timestamp_period_ns > 0 && !limits->is_cpu,
               once = b->counts_device || b->counts_commands;
    const uint64_t begin = clock_ns(), min_ns = is_gpu ? 250000000 : 0;
    struct times *s = &t->times;
    double last[N_STABLE] = {0}, device;
    uint64_t said, passed;
    do {
        if (!timed(b, app, run, t, n, &said, last_s, &device)) return false;
        last[s->n_warm++ % N_STABLE] = *last_s;
        double low = fmin(last[0], fmin(last[1], last[2])), high = fmax(last[0], fmax(last[1], last[2]));
        passed = clock_ns() - begin;
        s->stable = passed >= min_ns && s->n_warm > N_STABLE && high - low <= 0.03 * high;
    } while (!once && !s->stable && (passed < min_ns || passed < b->max_warm_ns));
    return true;
}

/* A shorter run. */
struct probe {
    uint32_t n; /* tokens; 0: none was made */
    double seconds;
};

/* By two of them: so much a token, and so much more the more tokens lie before it (attention). */
static double extrapolate(const struct probe *a, const struct probe *b, uint32_t n) {
    double each = b->seconds / b->n, more = a->n ? (each - a->seconds / a->n) / (b->n - a->n) : 0;
    return n * (each + fmax(0, more) * ((double)n - b->n));
}

/* Again where it says that all of them would pass the budget, since the first one builds kernels. */
static bool probe_make(struct bench_llm *b, struct app *app, run_fn *run, struct test *t,
                       const struct probe *before, struct probe *p) {
    double seconds, device;
    uint64_t said;
    for (int i = 0; i < 2 && (!i || extrapolate(before, p, t->n) > b->budget_s); i++) {
        if (!timed(b, app, run, t, p->n, &said, &seconds, &device)) return false;
        if (!i || seconds < p->seconds) p->seconds = seconds;
    }
    return true;
}

/*
 * Whether a run of all n tokens would pass the budget, by one of `few`, and of four times as many as long as these are few beside n and take
 * little of the budget. Counts are not times: they have no budget.
 */
static bool predict(struct bench_llm *b, struct app *app, run_fn *run, struct test *t, uint32_t few) {
    enum { TOLD_S = 20 };
    struct probe before = {0}, p = {.n = few};
    char text[32];
    if (b->counts_device || b->counts_commands || few >= t->n) return true;
    while (probe_make(b, app, run, t, &before, &p)) {
        const double seconds = extrapolate(&before, &p, t->n);
        if (p.n <= t->n / 16 && extrapolate(&before, &p, 4 * p.n) <= b->budget_s / 4) {
            before = p;
            p.n *= 4;
            continue;
        }
        if (seconds > b->budget_s)
            t->predicted_s = seconds;
        else if (seconds > TOLD_S)
            say("%s of %u tokens: a run takes about %s", t->what, t->n,
                bench_seconds(seconds, text, sizeof text));
        return true;
    }
    return false;
}

/* As many runs as the budget has room for, by how long one of `n` tokens took. */
static uint32_t n_within(const struct bench_llm *b, const struct test *t, uint32_t n, double seconds) {
    uint32_t most = n_runs(b);
    double runs = seconds > 0 ? b->budget_s / (seconds * t->n / n) : most;
    return b->counts_device || b->counts_commands || runs >= most ? most : runs < 1 ? 1 : (uint32_t)runs;
}

static bool test(struct bench_llm *b, struct app *app, run_fn *run, struct test *t) {
    const bool decode = run == run_decode, few = decode && t->n > FEW && !b->counts_device;
    const uint32_t n_warm = few ? FEW : t->n;
    struct times *s = &t->times;
    double last = 0;
    bool ok = predict(b, app, run, t, decode ? FEW : FEW_OF_PROMPT);

    if (ok && t->predicted_s > 0) return report(b, app, t);
    ok = ok && warm_up(b, app, run, t, n_warm, &last);
    const uint32_t n = n_within(b, t, n_warm, last);
    for (uint32_t i = 0; ok && i < n; i++) {
        uint64_t said;
        ok = timed(b, app, run, t, t->n, &said, &s->seconds[s->n], &s->device_seconds[s->n]);
        if (!ok || b->counts_commands) continue;
        s->n++;
        note_said(t, said);
    }
    return ok && report(b, app, t);
}

static bool bench_prompt(struct bench_llm *b, struct app *app, uint32_t n) {
    struct test t = {.what = "prompt", .n = n};
    return test(b, app, run_prompt, &t);
}

/* Behind `depth` tokens of context, which have the same budget. */
static bool bench_decode(struct bench_llm *b, struct app *app, uint32_t n, uint32_t depth) {
    struct test t = {.what = "decode", .n = n, .depth = depth}, context = {.what = "context", .n = depth};
    if (!predict(b, app, run_prompt, &context, FEW_OF_PROMPT)) return false;
    if (context.predicted_s > 0) {
        t.predicted_s = context.predicted_s;
        t.of_context = true;
        return report(b, app, &t);
    }
    if (greta_session_rewind(app->session, 0)) return false;
    return (!depth || eval(app, b->tokens, depth)) && test(b, app, run_decode, &t);
}

static bool make_events(struct bench_llm *b, const struct app *app) {
    if (b->counts_device || b->counts_commands || greta_dev_get_limits(app->dev)->timestamp_period_ns <= 0)
        return true;
    return !greta_event_create(app->dev, &b->from) && !greta_event_create(app->dev, &b->to);
}

bool bench_llm(struct bench_llm *b, struct app *app) {
    uint32_t longest = 1, n_ctx = 1;
    bool ok;

    for (int i = 0; i < b->prompt.n; i++)
        if (b->prompt.at[i] > longest) longest = b->prompt.at[i];
    for (int i = 0; i < b->depth.n; i++) {
        if (b->depth.at[i] > longest) longest = b->depth.at[i];
        if (b->depth.at[i] + b->n_decode > n_ctx) n_ctx = b->depth.at[i] + b->n_decode;
    }
    if (!b->common.n_ctx) b->common.n_ctx = longest > n_ctx ? longest : n_ctx;
    if (!app_open_model(app, &b->common, true) || !app_open_session(app, &b->common)) return false;
    app->interrupted = NULL;
    ok = make_events(b, app) && make_tokens(b, longest, greta_model_get_info(app->model)->n_vocab) &&
         (b->quiet || report_head(b, app));
    for (int i = 0; i < b->prompt.n && ok; i++)
        if (b->prompt.at[i]) ok = bench_prompt(b, app, b->prompt.at[i]);
    for (int i = 0; i < b->depth.n && b->n_decode && ok; i++)
        ok = bench_decode(b, app, b->n_decode, b->depth.at[i]);
    greta_event_destroy(&b->from);
    greta_event_destroy(&b->to);
    free(b->tokens);
    b->tokens = NULL;
    return out_flush() && ok;
}
