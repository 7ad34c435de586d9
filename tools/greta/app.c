#include "app.h"

#include "io.h"

#include <greta/env.h>

#include "clock.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* ---- standard error ---- */

/* The one line of the terminal that the bar takes: the program has one. */
static struct {
    bool shown;
    const char *what;
    uint64_t start_ns, last_ns;
} bar;

static void clear_bar(void) {
    if (bar.shown) fputs("\r\033[K", stderr);
    bar.shown = false;
}

void progress_hide(void) {
    clear_bar();
}

void progress(const char *what, uint64_t done, uint64_t total) {
    enum { WIDTH = 30, DELAY_NS = 300000000, EVERY_NS = 100000000 };
    uint64_t now = clock_ns();
    int filled;

    if (bar.what != what) bar.what = what, bar.start_ns = now;
    if (done >= total) {
        clear_bar();
        bar.what = NULL;
        return;
    }
    if (!isatty(STDERR_FILENO) || now - bar.start_ns < DELAY_NS ||
        (bar.shown && now - bar.last_ns < EVERY_NS))
        return;
    filled = (int)((double)done / (double)total * WIDTH);
    fprintf(stderr, "\r%s [%.*s%.*s] %3d %%", what, filled, "##############################", WIDTH - filled,
            "                              ", (int)((double)done / (double)total * 100));
    fflush(stderr);
    bar.shown = true;
    bar.last_ns = now;
}

void say(const char *format, ...) {
    char text[8192], line[8192];
    va_list args;

    clear_bar();
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    fprintf(stderr, "greta: %s\n", plain(line, sizeof line, text, strlen(text)));
}

static void log_line(void *user, enum greta_log_level level, const char *message) {
    (void)user;
    say("%s%s", level == GRETA_LOG_WARN ? "warning: " : "", message);
}

void app_log(struct app *app, const struct common *common) {
    static const char *const names[] = {"error", "warn", "info", "debug"};
    const char *level = greta_env_get(GRETA_ENV_LOG);
    int i = 0;

    app->log = (struct greta_log){.fn = log_line, .max_level = GRETA_LOG_WARN};
    while (level && i < 4 && strcmp(level, names[i]) != 0) i++;
    if (level && i < 4) app->log.max_level = (enum greta_log_level)i;
    if (level && *level && i == 4)
        say("warning: GRETA_LOG is \"%s\", which means nothing: error, warn, info and debug do", level);
    if (common->verbose && app->log.max_level < GRETA_LOG_INFO) app->log.max_level = GRETA_LOG_INFO;
}

/* ---- opening ---- */

static bool open_profile(struct app *app, const struct common *common) {
    const char *command = app->command ? app->command : "greta";
    const struct prof_params params = {common->profile, common->profile_kernels, command, &app->log};

    if (prof_open(&params, &app->prof)) return false;
    prof_begin(app->prof, "", command, 0);
    return true;
}

bool app_open_ctx(struct app *app, const struct common *common) {
    struct greta_ctx_params params = {.log = &app->log, .n_threads = common->n_threads};

    app->start_ns = clock_ns();
    app_log(app, common);
    if (!open_profile(app, common)) return false;
    params.telemetry = prof_telemetry(app->prof);
    return greta_ctx_create(&params, &app->ctx) == GRETA_OK;
}

bool app_open_dev(struct app *app, const struct common *common) {
    greta_status status;

    if (app->dev) return true;
    if (!app_open_ctx(app, common)) return false;
    prof_begin(app->prof, "open", "open device", 0);
    status = greta_dev_open(app->ctx, common->device, NULL, &app->dev);
    if (!status) prof_attach(app->prof, app->dev);
    prof_end(app->prof);
    return status == GRETA_OK;
}

static void load_progress(void *user, uint64_t done, uint64_t total) {
    (void)user;
    progress("loading", done, total);
}

static struct greta_session_params session_params(struct app *app, const struct common *common);

static bool no_builtin(void) {
    say("this greta was built without a model of its own: name one by -m FILE");
    return false;
}

/* The choices of `greta tune`, where there are any. A database that cannot be read is said, and done without. */
static void open_tuning(struct app *app, const struct common *common, struct greta_model_params *params) {
    const struct greta_tune_params tuning = {.read_only = true, .log = &app->log};
    if (common->no_tuning || app->untuned || app->lookups || greta_tune_open(&tuning, &app->tuning) ||
        !app->tuning)
        return;
    if (greta_tune_lookups_create(app->tuning, app->dev, params->policy, &app->lookups)) return;
    params->tuned = greta_tune_lookup;
    params->tuned_user = app->lookups;
}

static void close_tuning(struct app *app) {
    if (app->lookups) {
        struct greta_tune_counts c = greta_tune_lookups_count(app->lookups);
        if (c.n_calls) /* none where the run ended before it planned */
            greta_logf(&app->log, GRETA_LOG_INFO, "%s: %u of %u calls tuned (hit rate %.0f %%), asked in %.2f ms",
                       greta_tune_path(app->tuning), c.n_known, c.n_calls, 100.0 * c.n_known / c.n_calls,
                       (double)c.ns * 1e-6);
    }
    greta_tune_lookups_destroy(&app->lookups);
    greta_tune_close(&app->tuning);
}

bool app_open_model(struct app *app, const struct common *common, bool without_tokenizer) {
    struct greta_session_params session = session_params(app, common);
    struct greta_model_params params = {.policy = common->plan ? GRETA_POLICY_EXACT : GRETA_POLICY_DEFAULT,
                                        .force = common->force,
                                        .without_tokenizer = without_tokenizer,
                                        .expect = &session,
                                        .progress = load_progress};
    const void *data;
    size_t size;
    greta_status status;

    if (!common->model && !greta_builtin_model(&data, &size)) return no_builtin();
    if (!app_open_dev(app, common)) return false;
    open_tuning(app, common, &params);
    prof_begin(app->prof, "load", "load", 0);
    if (common->model)
        status = greta_model_load(app->dev, common->model, &params, &app->model);
    else
        status = greta_model_load_memory(app->dev, data, size, app_model_name(common), &params, &app->model);
    prof_end(app->prof);
    clear_bar();
    app->load_ns = clock_ns() - app->start_ns;
    return status == GRETA_OK;
}

static bool prefill_progress(void *user, uint32_t done, uint32_t total) {
    struct app *app = user;

    progress("reading the prompt", done, total);
    return !app->interrupted || !app->interrupted();
}

static struct greta_session_params session_params(struct app *app, const struct common *common) {
    return (struct greta_session_params){.n_ctx = common->n_ctx,
                                         .kv_type =
                                             (enum greta_kv_type)common->kv, /* in the option's order */
                                         .n_chunk = common->n_chunk,
                                         .progress = prefill_progress,
                                         .user = app};
}

bool app_open_session(struct app *app, const struct common *common) {
    struct greta_session_params params = session_params(app, common);
    greta_status status;

    prof_begin(app->prof, "prepare", "prepare session", 0);
    status = greta_session_create(app->model, &params, &app->session);
    prof_end(app->prof);
    return status == GRETA_OK;
}

greta_status profiled_eval(struct prof *prof, struct greta_session *session, const uint32_t *tokens,
                           uint32_t n, enum greta_want want) {
    uint32_t pos = greta_session_n_past(session);
    greta_status status;
    char name[48];

    if (!prof) return greta_session_eval(session, tokens, n, want);
    if (n == 1)
        snprintf(name, sizeof name, "decode token %u", pos);
    else
        snprintf(name, sizeof name, "prefill %u tokens", n);
    prof_begin(prof, n == 1 ? "decode" : "prefill", name, pos);
    status = greta_session_eval(session, tokens, n, want);
    prof_end(prof);
    return status;
}

bool app_close(struct app *app) {
    clear_bar();
    greta_session_destroy(&app->session);
    greta_model_destroy(&app->model);
    prof_detach(app->prof);
    close_tuning(app);
    greta_dev_close(&app->dev);
    greta_ctx_destroy(&app->ctx);
    return prof_close(&app->prof);
}

const char *app_model_name(const struct common *common) {
    return common->model ? common->model : "the built-in model";
}

bool app_open_gguf(struct app *app, const char *path, struct greta_gguf **out) {
    const void *data;
    size_t size;

    if (path) return greta_gguf_open(path, &app->log, out) == GRETA_OK;
    if (!greta_builtin_model(&data, &size)) return no_builtin();
    return greta_gguf_open_memory(data, size, "the built-in model", &app->log, out) == GRETA_OK;
}

const struct greta_tokenizer *app_tokenizer(const struct app *app) {
    const struct greta_tokenizer *tokenizer = greta_model_get_tokenizer(app->model);

    if (!tokenizer) say("the model has no tokenizer: it can be benched, and greta logits --tokens takes ids");
    return tokenizer;
}
