/* greta bench: the benches of bench/ by name or by preset, and bench llm. */
#include "bench.h"
#include "app.h"
#include "bench_load.h"
#include "bench_request.h"
#include "commands.h"
#include "io.h"
#include "roof.h"
#include "vendor.h"

#include "clock.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static volatile sig_atomic_t interrupted, tells_status;

enum { PATIENCE_S = 10 };

/* What was measured is saved behind each bench; a row, or a prompt, that takes long is not waited for. */
static void on_alarm(int number) {
    static const char text[] = "STATUS=FAILED reason=interrupted\n";
    (void)number;
    if (tells_status && write(STDOUT_FILENO, text, sizeof text - 1) < 0) _exit(EXIT_FAILED);
    _exit(EXIT_FAILED);
}

static void on_signal(int number) {
    (void)number;
    interrupted = 1;
    alarm(PATIENCE_S);
}

/* The first Ctrl-C ends the run behind the row that is being measured, and what was measured is kept; the second one ends the program. A profile
 * has its own way. */
static void catch_signals(const struct bench_request *q) {
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
    const struct sigaction action = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND | SA_RESTART};
    if (q->llm.common.profile || q->llm.common.profile_kernels) return;
    tells_status = !q->quiet;
    sigaction(SIGALRM, &(struct sigaction){.sa_handler = on_alarm}, NULL);
    for (unsigned i = 0; i < sizeof signals / sizeof *signals; i++) sigaction(signals[i], &action, NULL);
}

/* What ended a run before its end; NULL: nothing did. */
static const char *stopped_by(greta_status status) {
    alarm(0); /* what is left to do is short */
    return interrupted ? "interrupted" : status ? greta_status_text(status) : NULL;
}

static bool matches(const struct bench_request *q, const struct bench *b) {
    return !q->filter || strstr(b->name, q->filter);
}

/* ---- lines ---- */

static const char *amount(char *out, size_t size, double ns) {
    snprintf(out, size,
             ns >= 1e9   ? "%.3f s"
             : ns >= 1e6 ? "%.3f ms"
             : ns >= 1e3 ? "%.2f us"
                         : "%.1f ns",
             ns >= 1e9   ? ns / 1e9
             : ns >= 1e6 ? ns / 1e6
             : ns >= 1e3 ? ns / 1e3
                         : ns);
    return out;
}

static double count_of(const json_t *counts, const char *name) {
    return json_number_value(json_object_get(counts, name));
}

/* The few that tell most; all of them are saved. */
static bool tell_counts(const json_t *counts) {
    double n = count_of(counts, "instructions"), lds = count_of(counts, "lds_cycles"),
           lines = count_of(counts, "line_bytes_loaded") + count_of(counts, "line_bytes_stored");
    if (n > 0 && !out_printf("%.0f instructions, %.1f %% matrix, ", n,
                             100 * count_of(counts, "instructions_matrix") / n))
        return false;
    if (lds > 0 &&
        !out_printf("%.1f %% LDS conflicts, ", 100 * count_of(counts, "lds_conflict_cycles") / lds))
        return false;
    if (lines > 0 &&
        !out_printf("%.2f bytes asked a byte of lines, ",
                    (count_of(counts, "bytes_loaded") + count_of(counts, "bytes_stored")) / lines))
        return false;
    return out_printf("%.0f launches  ", count_of(counts, "launches"));
}

static bool tell(void *user, const struct bench_result *r) {
    const struct bench_request *q = user;
    const struct greta_stats *t = greta_measure_time(&r->time);
    char p50[32], p99[32];

    if (q->quiet) return !interrupted;
    if (!out_printf("%-60s ", r->key)) return false;
    if (r->status == BENCH_OK && r->counts && !t->n && !tell_counts(r->counts)) return false;
    if (r->status == BENCH_OK && t->n) {
        if (!out_printf("p50 %s, p99 %s", amount(p50, sizeof p50, t->p50), amount(p99, sizeof p99, t->p99)))
            return false;
        if (r->bytes > 0 && !out_printf(", %.4g GB/s", r->bytes / t->p50)) return false;
        if (r->flops > 0 && !out_printf(", %.4g TFLOP/s", r->flops / t->p50 * 1e-3)) return false;
        if (!out_printf("  ")) return false;
    }
    return out_printf("STATUS=%s%s%s\n", bench_status_name(r->status), r->reason ? " reason=" : "",
                      r->reason ? r->reason : "") &&
           out_flush() && !interrupted;
}

static bool list(void) {
    const struct bench *b;
    const char *name, *stands_for;
    bool ok =
        out_printf("%-20s %s\n%-20s %s\n", "llm", "a model's prompts and decoding, in tokens per second",
                   "load", "how fast a model is loaded, beside reading its file");

    for (uint32_t i = 0; (b = bench_at(i)) && ok; i++) {
        ok = out_printf("%-20s %s (", b->name, b->text);
        for (int p = 0, first = 1; p < N_PRESETS && ok; p++)
            if (b->presets >> p & 1) {
                ok = out_printf("%s%s", first ? "" : ", ", preset_name((enum preset)p));
                first = 0;
            }
        ok = ok && out_printf(b->presets ? ")\n" : "by name only)\n");
    }
    ok = ok && out_printf("\nOlder names, each also with _bench behind it:\n");
    for (uint32_t i = 0; (name = bench_alias(i, &stands_for)) && ok; i++)
        ok = out_printf("%-36s %s\n", name, stands_for);
    return ok && out_flush();
}

/* ---- running ---- */

/* What is measured by another name, too: none of its keys twice. */
static bool is_within(const struct bench *b, const struct bench *other) {
    return b == other || strcmp(b->name, other->name) == 0 ||
           (other->run == bench_gemm_runtime_smoke &&
            (b->run == bench_ultrasafe || b->run == bench_fills_and_copies || b->run == bench_default_rows));
}

static bool measured_by_another(const struct bench_request *q, int i) {
    for (int k = 0; k < q->n_names; k++) {
        bool first = k < i || !is_within(q->benches[k], q->benches[i]);
        if (k == i || !first || !is_within(q->benches[i], q->benches[k])) continue;
        say("%s is measured once, with %s", q->names[i], q->names[k]);
        return true;
    }
    return false;
}

/* What was measured is saved behind each bench: a machine that goes down takes no more than the last one with it. */
static greta_status run_one(struct bench_env *env, const struct bench *b, struct bench_request *q,
                            struct app *app) {
    prof_begin(app->prof, b->name, b->name, 0);
    greta_status status = b->run(env, b);
    prof_end(app->prof);
    if (status && !interrupted) say("%s: %s", b->name, greta_status_text(status));
    return bench_save(q, app, env->results) || status ? status : GRETA_ERR_IO;
}

static bool is_part(const struct bench_request *q, const struct bench *b) {
    return !q->n_names && q->preset >= 0 && b->presets >> q->preset & 1 && matches(q, b);
}

/* To who sits before a terminal: how far a preset is. What is read by programs stays results alone. */
static void tell_progress(const struct bench_request *q, const struct bench *b, uint32_t i, uint32_t n) {
    if (!q->quiet && isatty(STDERR_FILENO)) fprintf(stderr, "-- %s, %u of %u\n", b->name, i, n);
}

static greta_status run_all(struct bench_env *env, struct bench_request *q, struct app *app) {
    const struct bench *b;
    greta_status status = GRETA_OK;
    uint32_t n = 0, n_done = 0;

    for (int i = 0; i < q->n_names && !status; i++)
        if (!measured_by_another(q, i)) status = run_one(env, q->benches[i], q, app);
    for (uint32_t i = 0; (b = bench_at(i)); i++) n += is_part(q, b);
    for (uint32_t i = 0; !status && (b = bench_at(i)); i++) {
        if (!is_part(q, b)) continue;
        tell_progress(q, b, ++n_done, n);
        status = run_one(env, b, q, app);
    }
    return status;
}

/* Of times alone; where there are some, they are of this file, too. */
static void keep_roof(const struct bench_request *q, const struct app *app, struct results *r) {
    struct bench_roof roof;
    bool asked = false;
    for (int i = 0; i < q->n_names; i++) asked = asked || q->benches[i]->run == bench_roof;
    roof_of(r, &roof);
    if (!asked || q->params.check_only ||
        !(roof.copy_bytes_per_s > 0 || roof.flops_f32 > 0 || roof.flops_f16 > 0))
        return;
    if (!roof_save(greta_dev_get_info(app->dev), &roof)) say("the roof could not be kept in a cache folder");
    results_set_roof(r, &roof);
}

static bool conclude(struct bench_request *q, struct app *app, struct results *r, greta_status status,
                     uint64_t start_ns) {
    uint32_t n_failed = results_count(r, BENCH_FAILED), n_skipped = results_count(r, BENCH_SKIPPED),
             n_ok = results_count(r, BENCH_OK);
    const char *stopped = stopped_by(status);
    keep_roof(q, app, r);
    bool ok = bench_save(q, app, r) && bench_tell_saved(q);

    if (!q->quiet)
        ok = out_printf("%u OK, %u FAILED, %u SKIPPED, in %.1f s\n", n_ok, n_failed, n_skipped,
                        (double)(clock_ns() - start_ns) * 1e-9) &&
             bench_tell_status(r, stopped) && ok;
    return (!q->quiet || bench_print(q, r)) && ok && !n_failed && !stopped;
}

static bool open_timed(struct bench_request *q, struct app *app) {
    if (!app_open_dev(app, &q->llm.common)) return false;
    if (!greta_dev_get_limits(app->dev)->is_emulated) return true;
    say("%s is emulated: it has no times to measure", greta_dev_get_info(app->dev)->name);
    return false;
}

/* Opens a device that has times to measure, or counts in their place. */
static bool open_measured(struct bench_request *q, struct app *app) {
    struct bench_counters counters;
    if (!app_open_dev(app, &q->llm.common)) return false;
    if (greta_dev_get_limits(app->dev)->is_emulated && !bench_counters_read(app->dev, &counters)) return true;
    return open_timed(q, app);
}

static bool bench_ops(struct bench_request *q, struct app *app) {
    struct results results = {0};
    struct bench_env env = {.params = q->params, .results = &results, .tell = tell, .user = q};
    struct bench_roof roof;
    const uint64_t start_ns = clock_ns();
    bool ok = open_measured(q, app);

    if (!ok) return false;
    roof_load(greta_dev_get_info(app->dev), &roof);
    env.ctx = app->ctx;
    env.dev = app->dev;
    env.log = &app->log;
    env.limits = greta_dev_get_limits(app->dev);
    ok = !results_create(app->dev, q->params.seed, &roof, &results) &&
         !greta_plan_create(app->dev, &(struct greta_plan_params){.force = q->llm.common.force}, &env.plan) &&
         !greta_stream_create(app->dev, &env.stream);
    if (ok && !q->quiet)
        ok = out_printf("%s (%s, %s)\n", greta_dev_get_info(app->dev)->name,
                        greta_dev_get_info(app->dev)->backend, greta_dev_get_info(app->dev)->driver);
    if (ok) {
        const greta_status status = run_all(&env, q, app);
        ok = conclude(q, app, &results, status, start_ns);
    }
    bench_pace_free(&env);
    greta_stream_destroy(&env.stream);
    greta_plan_destroy(&env.plan);
    results_free(&results);
    return ok;
}

/* With --check the commands are counted that go to the device, whatever it is. */
static bool open_traced(struct bench_request *q, struct app *app) {
    const struct greta_dev_params params = {.trace = {bench_trace_line, &q->llm.trace}};
    q->llm.counts_commands = true;
    return app_open_ctx(app, &q->llm.common) &&
           greta_dev_open(app->ctx, q->llm.common.device, &params, &app->dev) == GRETA_OK;
}

static bool bench_model(struct bench_request *q, struct app *app) {
    struct results results = {0};
    struct bench_roof roof;
    bool ok = q->params.check_only ? open_traced(q, app) : open_measured(q, app);

    if (!ok) return false;
    q->llm.counts_device = !q->llm.counts_commands && greta_dev_get_limits(app->dev)->is_emulated;
    roof_load(greta_dev_get_info(app->dev), &roof);
    ok = !results_create(app->dev, q->params.seed, &roof, &results);
    q->llm.results = &results;
    q->llm.budget_s = q->params.budget_s > 0 ? q->params.budget_s : 120;
    q->llm.max_warm_ns = (uint64_t)((q->llm.budget_s < 10 ? q->llm.budget_s : 10) * 0.2e9);
    q->llm.quiet = q->quiet;
    q->llm.interrupted = &interrupted;
    if (!ok) return false;
    ok = bench_llm(&q->llm, app);
    const char *stopped = stopped_by(GRETA_OK);
    if (ok) stopped = NULL;
    if (!ok && !stopped) stopped = "an error, which was told";
    if (q->out) ok = bench_save(q, app, &results) && ok;
    if (q->quiet) ok = bench_print(q, &results) && ok;
    if (!q->quiet) ok = bench_tell_status(&results, stopped) && ok;
    bool failed = results_count(&results, BENCH_FAILED) > 0;
    results_free(&results);
    return ok && !failed;
}

/* An emulated device takes a time to load that is none of the device it stands for. */
static bool load_on(struct bench_request *q, struct app *app, struct results *results) {
    struct bench_load load = {
        .common = q->llm.common, .n_repeats = q->llm.n_repeats, .cold = q->cold, .quiet = q->quiet};
    struct bench_result skipped = {.name = "load",
                                   .key = "load",
                                   .status = BENCH_SKIPPED,
                                   .reason = "an emulated device has counts, not times"};
    load.results = results;
    if (!greta_dev_get_limits(app->dev)->is_emulated) return bench_load(&load, app);
    return tell(q, &skipped) && !results_add(results, &skipped);
}

static bool bench_loading(struct bench_request *q, struct app *app) {
    struct results results = {0};
    struct bench_roof roof = {0};
    bool ok = app_open_dev(app, &q->llm.common) && !results_create(app->dev, q->params.seed, &roof, &results);

    if (ok) {
        const bool loaded = load_on(q, app, &results);
        const char *why = stopped_by(GRETA_OK);
        const char *stopped = loaded ? NULL : why ? why : "an error, which was told";
        if (q->out) ok = bench_save(q, app, &results);
        ok = (!q->quiet || bench_print(q, &results)) && ok;
        if (!q->quiet) ok = bench_tell_status(&results, stopped) && ok;
        ok = ok && loaded;
    }
    results_free(&results);
    return ok;
}

/* A name that nothing has measures nothing, which must not look like a success. */
static int check_filters(const struct command *command, const struct bench_request *q) {
    const struct bench *b;
    const struct greta_variant *v;
    bool some = !q->filter || q->preset < 0 || q->n_names;
    bool row = !q->params.row || !strcmp(q->params.row, "auto") || bench_vendor_matches(q->params.row);

    for (uint32_t i = 0; (b = bench_at(i)) && !some; i++) some = b->presets >> q->preset & 1 && matches(q, b);
    for (uint32_t i = 0; (v = greta_variant_at(i)) && !row; i++)
        row = strstr(greta_variant_name(v), q->params.row) != NULL;
    if (!some)
        return usage_error(
            command, "no bench of the preset has a name that holds \"%s\" (greta bench --list)", q->filter);
    if (!row) return usage_error(command, "there is no row whose name holds \"%s\"", q->params.row);
    return GO_ON;
}

/* What was named exists, and is either llm or load, alone, or others. */
static int check_names(const struct command *command, struct bench_request *q, bool *is_llm, bool *is_load) {
    for (int i = 0; i < q->n_names; i++) {
        if (strcmp(q->names[i], "llm") == 0) {
            *is_llm = true;
            if (q->n_names > 1) return usage_error(command, "llm is measured alone");
        } else if (strcmp(q->names[i], "load") == 0) {
            *is_load = true;
            if (q->n_names > 1) return usage_error(command, "load is measured alone");
            if (!q->llm.common.model) return usage_error(command, "load needs a file: -m FILE");
        } else if (!(q->benches[i] = bench_find(q->names[i], &q->of_row[i]))) {
            return usage_error(command, "there is no bench \"%s\" (greta bench --list)", q->names[i]);
        }
    }
    if (q->csv && q->json) return usage_error(command, "either --csv or --json");
    if (!q->n_names && q->preset < 0)
        return usage_error(
            command,
            "what is to be measured? greta bench --preset smoke, greta bench llm, greta bench --list");
    return GO_ON;
}

int command_bench(const struct command *command, int argc, char **argv) {
    struct bench_request q = {.llm = {.n_decode = BENCH_DECODE, .n_repeats = BENCH_REPEATS},
                              .preset = -1,
                              .params = {.seed = BENCH_SEED},
                              .prompts = BENCH_PROMPTS,
                              .depths = BENCH_DEPTHS};
    float budget = 0;
    bool listed = false, preset_given = false, is_llm = false, is_load = false;
    int preset = 0, n;
    const struct option options[] = {
        {"preset", 0, OPTION_CHOICE, &preset, "smoke|verify|standard|perf",
         "a set of benches, from a minute's to a thorough one; of benches by name, their sizes", 0, 0,
         &preset_given},
        {"filter", 0, OPTION_STRING, &q.filter, "NAME", "of a preset only benches whose name holds this"},
        {"list", 0, OPTION_FLAG, &listed, NULL, "list the benches"},
        {"out", 0, OPTION_STRING, &q.out, "DIR", "where results are saved; default of a preset: results"},
        {"json", 0, OPTION_FLAG, &q.json, NULL, "print the results as JSON"},
        {"csv", 0, OPTION_FLAG, &q.csv, NULL, "print the results as lines for a spreadsheet"},
        {"check", 0, OPTION_FLAG, &q.params.check_only, NULL,
         "only check that results are right; no times; of llm: count its commands"},
        {"compute-only", 0, OPTION_FLAG, &q.params.compute_only, NULL, "no copies to and from the host"},
        {"row", 0, OPTION_STRING, &q.params.row, "NAME", "only kernel rows whose name holds this"},
        {"m", 0, OPTION_U32, &q.params.m, "N", "rows of a product", 1, 1 << 20},
        {"n", 0, OPTION_U32, &q.params.n, "N", "columns of a product; elements of a vector", 1, 1 << 28},
        {"k", 0, OPTION_U32, &q.params.k, "N", "inner dimension of a product", 1, 1 << 20},
        {"rows", 0, OPTION_U32, &q.params.rows, "N", "rows of a matrix", 1, 1 << 24},
        {"cols", 0, OPTION_U32, &q.params.cols, "N", "columns of a matrix", 1, 1 << 24},
        {"iters", 0, OPTION_U32, &q.params.iters, "N", "samples that count", 1, 10000},
        {"batch", 0, OPTION_U32, &q.params.batch, "N", "calls of each sample", 1, 1000},
        {"budget", 0, OPTION_F32, &budget, "SECONDS", "of each row; what would take longer is skipped", 0.01,
         3600},
        {"seed", 0, OPTION_U64, &q.params.seed, "N", "of the data; default 1"},
        MODEL_OPTION(q.llm.common),
        {"prompt", 'p', OPTION_STRING, &q.prompts, "N,N", "llm: lengths of prompts; default 512; 0: none"},
        {"predict", 'n', OPTION_U32, &q.llm.n_decode, "N", "llm: tokens to decode; default 128; 0: none", 0,
         1 << 20},
        {"depth", 0, OPTION_STRING, &q.depths, "N,N", "llm: tokens of context before decoding; default 0"},
        {"repeat", 'r', OPTION_U32, &q.llm.n_repeats, "N", "llm, load: runs of each that count; default 5", 1,
         BENCH_LLM_MAX_REPEATS},
        {"cold", 0, OPTION_FLAG, &q.cold, NULL, "load: once before with the file out of the page cache, too"},
        SESSION_OPTIONS(q.llm.common),
        DEVICE_OPTIONS(q.llm.common),
        PROFILE_OPTIONS(q.llm.common),
        {0},
    };
    struct app app = {.command = "greta bench"};
    int result = options_parse(command, options, argc, argv, q.names, BENCH_MAX_NAMES, &n);

    if (result != GO_ON) return result;
    q.n_names = n;
    if (listed) return list() ? EXIT_DONE : EXIT_FAILED;
    if (preset_given) q.preset = preset;
    q.params.preset = (enum preset)preset;
    q.params.own_sizes = !preset_given;
    q.params.budget_s = (double)budget;
    result = check_names(command, &q, &is_llm, &is_load);
    if (result == GO_ON) result = check_filters(command, &q);
    if (result != GO_ON) return result;
    bench_tell_unused(&q);
    if (!bench_make_folder(&q)) return EXIT_FAILED;
    if (!bench_sizes_read(q.prompts, &q.llm.prompt))
        return usage_error(command, "-p takes lengths as in 512,2048, not \"%s\"", q.prompts);
    if (!bench_sizes_read(q.depths, &q.llm.depth))
        return usage_error(command, "--depth takes lengths as in 0,4096, not \"%s\"", q.depths);
    q.quiet = q.json || q.csv;
    catch_signals(&q);
    bool ok = is_llm ? bench_model(&q, &app) : is_load ? bench_loading(&q, &app) : bench_ops(&q, &app);
    ok = app_close(&app) && ok;
    return ok ? EXIT_DONE : EXIT_FAILED;
}
