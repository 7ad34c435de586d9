/* greta bench: the benches of bench/ by name or by preset, and bench llm. */
#include "bench.h"
#include "app.h"
#include "bench_llm.h"
#include "bench_load.h"
#include "commands.h"
#include "io.h"
#include "report.h"
#include "roof.h"
#include "vendor.h"

#include "clock.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { MAX_NAMES = 32 };

struct request {
    struct bench_llm llm;
    struct bench_params params;
    const char *names[MAX_NAMES], *filter, *out;
    const struct bench *benches[MAX_NAMES]; /* of the names; NULL: llm or load */
    struct bench of_row[MAX_NAMES];         /* what those point to that no table has */
    int n_names, preset;                    /* -1: none named */
    bool json, csv, quiet, cold;
};

static bool matches(const struct request *q, const struct bench *b) {
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
    const struct request *q = user;
    const struct greta_stats *t = greta_measure_time(&r->time);
    char p50[32], p99[32];

    if (q->quiet) return true;
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
           out_flush();
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

static bool run_one(struct bench_env *env, const struct bench *b, struct prof *prof) {
    prof_begin(prof, b->name, b->name, 0);
    greta_status status = b->run(env, b);
    prof_end(prof);
    if (status) say("%s: %s", b->name, greta_status_text(status));
    return status == GRETA_OK;
}

static bool is_part(const struct request *q, const struct bench *b) {
    return !q->n_names && q->preset >= 0 && b->presets >> q->preset & 1 && matches(q, b);
}

/* To who sits before a terminal: how far a preset is. What is read by programs stays results alone. */
static void tell_progress(const struct request *q, const struct bench *b, uint32_t i, uint32_t n) {
    if (!q->quiet && isatty(STDERR_FILENO)) fprintf(stderr, "-- %s, %u of %u\n", b->name, i, n);
}

static bool run_all(struct bench_env *env, const struct request *q, struct prof *prof) {
    const struct bench *b;
    bool ok = true;
    uint32_t n = 0, n_done = 0;

    for (int i = 0; i < q->n_names && ok; i++) ok = run_one(env, q->benches[i], prof);
    for (uint32_t i = 0; (b = bench_at(i)); i++) n += is_part(q, b);
    for (uint32_t i = 0; ok && (b = bench_at(i)); i++) {
        if (!is_part(q, b)) continue;
        tell_progress(q, b, ++n_done, n);
        ok = run_one(env, b, prof);
    }
    return ok;
}

/* The folder of --out, or a preset's; NULL where nothing is saved. */
static const char *folder_of(const struct request *q) {
    return q->out ? q->out : q->preset >= 0 ? "results" : NULL;
}

/* Before hours are spent on what cannot be saved. */
static bool make_folder(const struct request *q) {
    const char *folder = folder_of(q);
    if (!folder) return true;
    if (mkdir(folder, 0777) && errno != EEXIST) {
        say("%s: cannot make the folder: %s", folder, strerror(errno));
        return false;
    }
    if (access(folder, W_OK | X_OK) == 0) return true;
    say("%s: cannot write into it: %s", folder, strerror(errno));
    return false;
}

/* Takes the name, so that two runs that end within a second keep both of their files. */
static bool claim(const char *path) {
    int file = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0666);
    if (file >= 0) close(file);
    return file >= 0 || errno != EEXIST; /* what else is wrong is told when it is written */
}

/* results/2026-01-02T03-04-05Z-vulkan-0-standard.json; with the name of what was run where that is no preset. */
static bool save(const struct request *q, struct app *app, const struct results *results) {
    const char *folder = folder_of(q);
    const struct greta_dev_info *dev = greta_dev_get_info(app->dev);
    char path[1024], date[32], again[16] = "";
    time_t now = time(NULL);
    struct tm utc;

    if (!folder) return true;
    gmtime_r(&now, &utc);
    strftime(date, sizeof date, "%Y-%m-%dT%H-%M-%SZ", &utc);
    for (int i = 2; i < 1000; i++) {
        snprintf(path, sizeof path, "%s/%s-%s-%u-%s%s.json", folder, date, dev->backend, dev->i_device,
                 q->preset >= 0    ? preset_name((enum preset)q->preset)
                 : q->n_names == 1 ? q->benches[0] ? q->benches[0]->name : q->names[0]
                                   : "some",
                 again);
        if (claim(path)) break;
        snprintf(again, sizeof again, "-%d", i);
    }
    if (results_write(results, path, &app->log)) return false;
    return q->quiet || (out_printf("saved as %s\n", path) && out_flush());
}

static bool print_document(const struct request *q, const struct results *r) {
    json_t *list = json_pack("[O]", r->root);
    bool ok = list != NULL;
    if (q->csv) ok = ok && report_csv(list, stdout);
    if (q->json)
        ok = ok && json_dumpf(r->root, stdout, JSON_INDENT(1) | JSON_REAL_PRECISION(9)) == 0 &&
             putchar('\n') != EOF;
    json_decref(list);
    return ok && fflush(stdout) == 0;
}

/* The last line. */
static bool tell_status(const struct results *r) {
    return out_printf("STATUS=%s\n",
                      results_count(r, BENCH_FAILED) ? "FAILED reason=a result is wrong or a call failed"
                      : results_count(r, BENCH_OK)   ? "OK"
                                                     : "SKIPPED reason=nothing here could be measured") &&
           out_flush();
}

static bool conclude(const struct request *q, struct app *app, struct results *r, uint64_t start_ns) {
    uint32_t n_failed = results_count(r, BENCH_FAILED), n_skipped = results_count(r, BENCH_SKIPPED),
             n_ok = results_count(r, BENCH_OK);
    bool ok = save(q, app, r);

    if (ok && q->n_names == 1 && q->benches[0]->run == bench_roof) {
        struct bench_roof roof;
        roof_of(r, &roof);
        if (!roof_save(greta_dev_get_info(app->dev), &roof))
            say("there is no cache folder to keep the roof in");
    }
    if (ok && !q->quiet)
        ok = out_printf("%u OK, %u FAILED, %u SKIPPED, in %.1f s\n", n_ok, n_failed, n_skipped,
                        (double)(clock_ns() - start_ns) * 1e-9) &&
             tell_status(r);
    return (!q->quiet || print_document(q, r)) && ok && !n_failed;
}

static bool open_timed(struct request *q, struct app *app) {
    if (!app_open_dev(app, &q->llm.common)) return false;
    if (!greta_dev_get_limits(app->dev)->is_emulated) return true;
    say("%s is emulated: it has no times to measure", greta_dev_get_info(app->dev)->name);
    return false;
}

/* Opens a device that has times to measure, or counts in their place. */
static bool open_measured(struct request *q, struct app *app) {
    struct bench_counters counters;
    if (!app_open_dev(app, &q->llm.common)) return false;
    if (greta_dev_get_limits(app->dev)->is_emulated && !bench_counters_read(app->dev, &counters)) return true;
    return open_timed(q, app);
}

static bool bench_ops(struct request *q, struct app *app) {
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
    ok = ok && run_all(&env, q, app->prof);
    ok = ok && conclude(q, app, &results, start_ns);
    bench_pace_free(&env);
    greta_stream_destroy(&env.stream);
    greta_plan_destroy(&env.plan);
    results_free(&results);
    return ok;
}

/* With --check the commands are counted that go to the device, whatever it is. */
static bool open_traced(struct request *q, struct app *app) {
    const struct greta_dev_params params = {.trace = {bench_trace_line, &q->llm.trace}};
    q->llm.counts_commands = true;
    return app_open_ctx(app, &q->llm.common) &&
           greta_dev_open(app->ctx, q->llm.common.device, &params, &app->dev) == GRETA_OK;
}

static bool bench_model(struct request *q, struct app *app) {
    struct results results = {0};
    struct bench_roof roof;
    bool ok = q->params.check_only ? open_traced(q, app) : open_measured(q, app);

    if (!ok) return false;
    q->llm.counts_device = !q->llm.counts_commands && greta_dev_get_limits(app->dev)->is_emulated;
    roof_load(greta_dev_get_info(app->dev), &roof);
    ok = !results_create(app->dev, q->params.seed, &roof, &results);
    q->llm.results = &results;
    q->llm.json = q->json;
    q->llm.max_warm_ns = (uint64_t)((q->params.budget_s > 0 ? q->params.budget_s : 10) * 0.2e9);
    q->llm.quiet = q->csv;
    ok = ok && bench_llm(&q->llm, app);
    ok = ok && (!q->out || save(q, app, &results));
    if (ok && q->csv) ok = print_document(q, &results);
    if (ok && !q->quiet) ok = out_printf("STATUS=%s\n", q->llm.n_failed ? "FAILED" : "OK") && out_flush();
    results_free(&results);
    return ok && !q->llm.n_failed;
}

/* An emulated device takes a time to load that is none of the device it stands for. */
static bool load_on(struct request *q, struct app *app, struct results *results) {
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

static bool bench_loading(struct request *q, struct app *app) {
    struct results results = {0};
    struct bench_roof roof = {0};
    bool ok = app_open_dev(app, &q->llm.common) && !results_create(app->dev, q->params.seed, &roof, &results);

    ok = ok && load_on(q, app, &results);
    ok = ok && (!q->out || save(q, app, &results)) && (!q->quiet || print_document(q, &results));
    if (ok && !q->quiet) ok = tell_status(&results);
    results_free(&results);
    return ok;
}

/* A name that nothing has measures nothing, which must not look like a success. */
static int check_filters(const struct command *command, const struct request *q) {
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
static int check_names(const struct command *command, struct request *q, bool *is_llm, bool *is_load) {
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

/* What measures something else than was asked for says so. */
static void tell_unused(const struct request *q) {
    char unused[128];
    for (int i = 0; i < q->n_names; i++)
        if (*bench_unused(q->benches[i], &q->params, unused, sizeof unused))
            say("%s has no use for %s", q->names[i], unused);
}

int command_bench(const struct command *command, int argc, char **argv) {
    struct request q = {.llm = {.n_decode = 128, .n_repeats = 5}, .preset = -1, .params = {.seed = 1}};
    const char *prompts = "512", *depths = "0";
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
        {"prompt", 'p', OPTION_STRING, &prompts, "N,N", "llm: lengths of prompts; default 512; 0: none"},
        {"predict", 'n', OPTION_U32, &q.llm.n_decode, "N", "llm: tokens to decode; default 128; 0: none", 0,
         1 << 20},
        {"depth", 0, OPTION_STRING, &depths, "N,N", "llm: tokens of context before decoding; default 0"},
        {"repeat", 'r', OPTION_U32, &q.llm.n_repeats, "N", "llm, load: runs of each that count; default 5", 1,
         BENCH_LLM_MAX_REPEATS},
        {"cold", 0, OPTION_FLAG, &q.cold, NULL, "load: once before with the file out of the page cache, too"},
        SESSION_OPTIONS(q.llm.common),
        DEVICE_OPTIONS(q.llm.common),
        PROFILE_OPTIONS(q.llm.common),
        {0},
    };
    struct app app = {.command = "greta bench"};
    int result = options_parse(command, options, argc, argv, q.names, MAX_NAMES, &n);

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
    tell_unused(&q);
    if (!make_folder(&q)) return EXIT_FAILED;
    if (!bench_sizes_read(prompts, &q.llm.prompt))
        return usage_error(command, "-p takes lengths as in 512,2048, not \"%s\"", prompts);
    if (!bench_sizes_read(depths, &q.llm.depth))
        return usage_error(command, "--depth takes lengths as in 0,4096, not \"%s\"", depths);
    q.quiet = q.json || q.csv;
    bool ok = is_llm ? bench_model(&q, &app) : is_load ? bench_loading(&q, &app) : bench_ops(&q, &app);
    ok = app_close(&app) && ok;
    return ok ? EXIT_DONE : EXIT_FAILED;
}
