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
    double seconds[BENCH_LLM_MAX_REPEATS];
    uint32_t n;
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

/* The test as a result of a run that is saved; times are of one token. */
static bool keep(struct bench_llm *b, const struct app *app, const char *what, uint32_t n, uint32_t depth,
                 const struct times *t) {
    const struct greta_model_info *info = greta_model_get_info(app->model);
    bool decode = strcmp(what, "decode") == 0;
    char key[224], model[64];
    double ns[BENCH_LLM_MAX_REPEATS];
    struct bench_result r = {.name = "llm", .key = key, .tokens = 1, .check = NULL};

    if (!b->results) return true;
    snprintf(model, sizeof model, "%.1fM %.40s", (double)info->n_params / 1e6, info->weight_types);
    snprintf(key, sizeof key, "llm/%s/%s/tokens%u/depth%u", model, what, n, depth);
    for (uint32_t i = 0; i < t->n; i++) ns[i] = t->seconds[i] * 1e9 / n;
    greta_stats_make(ns, t->n, &r.time.host);
    r.time.n_calls = n;
    r.time.n_warm = 1;
    if (decode) r.bytes = (double)info->step_bytes;
    r.flops = 2.0 * (double)info->n_params;
    r.shape =
        json_pack("{ss ss si si}", "model", model, "phase", what, "tokens", (int)n, "depth", (int)depth);
    if (results_add(b->results, &r) == GRETA_OK) return true;
    say("no memory for the results");
    return false;
}

/* One line: tokens/s of the median run, and of the slowest and the fastest. */
static bool report(struct bench_llm *b, const struct app *app, const char *what, uint32_t n, uint32_t depth,
                   struct times *t) {
    double middle = median(t), bytes = (double)greta_model_get_info(app->model)->step_bytes;
    bool decode = strcmp(what, "decode") == 0, first = b->first;

    b->first = false;
    if (!keep(b, app, what, n, depth, t)) return false;
    if (b->json)
        return out_printf("%s\n  {\"test\": \"%s\", \"tokens\": %u, \"depth\": %u, \"tokens_per_s\": %.3f, "
                          "\"min\": %.3f, \"max\": %.3f, \"runs\": %u}",
                          first ? "" : ",", what, n, depth, n / middle, n / t->seconds[t->n - 1],
                          n / t->seconds[0], t->n) &&
               out_flush();
    if (!out_printf("%-8s %6u at %6u   %10.2f tokens/s   (%.2f to %.2f in %u runs)", what, n, depth,
                    n / middle, n / t->seconds[t->n - 1], n / t->seconds[0], t->n))
        return false;
    return (!decode || out_printf("   %.1f GB/s of weights", bytes * n / middle / 1e9)) &&
           out_write("\n", 1) && out_flush();
}

static bool report_head(const struct bench_llm *b, const struct app *app) {
    const struct greta_model_info *info = greta_model_get_info(app->model);
    const struct greta_dev_info *dev = greta_dev_get_info(app->dev);
    const char *model = app_model_name(&b->common);

    if (b->json)
        return out_printf("{\"model\": ") && out_json(model, strlen(model)) && out_printf(", \"device\": ") &&
               out_json(dev->name, strlen(dev->name)) && out_printf(", \"driver\": ") &&
               out_json(dev->driver, strlen(dev->driver)) &&
               out_printf(", \"backend\": \"%s\", \"weights\": \"%s\", \"weights_bytes\": %llu, "
                          "\"step_bytes\": %llu, \"results\": [",
                          dev->backend, info->weight_types, (unsigned long long)info->weights_bytes,
                          (unsigned long long)info->step_bytes);
    return out_printf("%s: %.1f M parameters, %s, %.1f MiB\n%s (%s, %s)\n", model,
                      (double)info->n_params / 1e6, info->weight_types, (double)info->weights_bytes / 1048576,
                      dev->name, dev->backend, dev->driver);
}

/* ---- runs ---- */

static bool eval(struct app *app, const uint32_t *tokens, uint32_t n) {
    return profiled_eval(app->prof, app->session, tokens, n, GRETA_WANT_ARGMAX) == GRETA_OK;
}

/* Every test has one run before those that count: kernels are built, caches filled. */
static bool bench_prompt(struct bench_llm *b, struct app *app, uint32_t n) {
    struct times t = {0};

    for (uint32_t i = 0; i <= b->n_repeats; i++) {
        uint64_t start;
        if (greta_session_rewind(app->session, 0)) return false;
        start = clock_ns();
        if (!eval(app, b->tokens, n)) return false;
        if (i) t.seconds[t.n++] = (double)(clock_ns() - start) / 1e9;
    }
    return report(b, app, "prompt", n, 0, &t);
}

/* n tokens, one by one, each the most likely one after the last, behind `depth` tokens of context. */
static bool bench_decode(struct bench_llm *b, struct app *app, uint32_t n, uint32_t depth) {
    struct times t = {0};
    uint32_t token = b->tokens[0];

    if (greta_session_rewind(app->session, 0)) return false;
    if (depth && !eval(app, b->tokens, depth)) return false;
    for (uint32_t i = 0; i <= b->n_repeats; i++) {
        uint32_t n_now = i ? n : n < 4 ? n : 4;
        uint64_t start;
        if (greta_session_rewind(app->session, depth)) return false;
        start = clock_ns();
        for (uint32_t k = 0; k < n_now; k++)
            if (!eval(app, &token, 1) || greta_session_argmax(app->session, &token)) return false;
        if (i) t.seconds[t.n++] = (double)(clock_ns() - start) / 1e9;
    }
    return report(b, app, "decode", n, depth, &t);
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
    b->first = true;
    ok = make_tokens(b, longest, greta_model_get_info(app->model)->n_vocab) && report_head(b, app);
    for (int i = 0; i < b->prompt.n && ok; i++)
        if (b->prompt.at[i]) ok = bench_prompt(b, app, b->prompt.at[i]);
    for (int i = 0; i < b->depth.n && b->n_decode && ok; i++)
        ok = bench_decode(b, app, b->n_decode, b->depth.at[i]);
    free(b->tokens);
    b->tokens = NULL;
    return ok && (!b->json || out_printf("\n]}\n")) && out_flush();
}
