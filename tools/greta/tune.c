/* greta tune: which rows are fastest for a model on a device, kept in the tuning database. */
#include "tune.h"

#include "commands.h"
#include "io.h"

#include "clock.h"

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static volatile sig_atomic_t stopped;

static void on_interrupt(int signal_number) {
    (void)signal_number;
    stopped = 1;
}

/* ---- the search ---- */

struct tuning {
    struct app *app;
    const struct tune_request *q;
    struct greta_tune_db *db;
    struct greta_search *search;
    struct tune_jobs jobs;
    uint64_t start_ns;
    double shares_left;
    uint32_t n_done, n_known, n_changed, n_wrong, n_left;
};

static bool tick(void *user, double part) {
    struct tuning *t = user;
    double used = (double)(clock_ns() - t->start_ns) * 1e-9, all = (double)t->q->budget;
    (void)part;
    progress("tuning", (uint64_t)(used < all ? used * 1000 : all * 1000 - 1), (uint64_t)(all * 1000));
    return !stopped;
}

/* "matvec n_rows=256 n_cols=256, w_type=F16"; an op without types has nothing behind its shape. */
static bool print_key(const struct greta_tune_key *key) {
    return out_printf("%s %s%s%s\n", key->op, key->shape, *key->types ? ", " : "", key->types);
}

static bool print_result(const struct greta_search_result *r) {
    const struct greta_tune_entry *e = &r->entry;
    double gain = e->default_ns > 0 ? 100 * (1 - e->ns / e->default_ns) : 0;
    bool changed = strcmp(e->row, r->default_row) != 0;
    progress_hide();
    bool ok = print_key(&e->key);
    if (ok && changed)
        ok = out_printf("  %s %.2f us -> %s %.2f us: %.1f %% less, noise %.1f %%", r->default_row,
                        e->default_ns * 1e-3, e->row, e->ns * 1e-3, gain, 100 * r->noise);
    else if (ok)
        ok = out_printf("  %s %.2f us stays, noise %.1f %%", e->row, e->ns * 1e-3, 100 * r->noise);
    if (ok) ok = out_printf("; %u of %u tried%s", r->n_tries, r->n_candidates, r->n_wrong ? "" : "\n");
    if (ok && r->n_wrong) ok = out_printf(", %u failed\n", r->n_wrong);
    for (uint32_t i = 0; i < r->n_tries && ok; i++)
        if (*r->tries[i].fault && !strstr(r->tries[i].fault, "slower"))
            ok = out_printf("  %s: %s\n", r->tries[i].row, r->tries[i].fault);
    return ok && out_flush();
}

static bool is_in_database(const struct tuning *t, const struct greta_call *call,
                           struct greta_tune_entry *out) {
    struct greta_tune_key key;
    greta_tune_key_make(t->app->dev, call, t->q->common.plan ? GRETA_POLICY_EXACT : GRETA_POLICY_DEFAULT,
                        &key);
    return greta_tune_get(t->db, &key, out) == GRETA_OK;
}

static bool tune_one(struct tuning *t, struct tune_job *job) {
    struct greta_search_result r;
    struct greta_search_call call = job->call;
    struct greta_tune_entry before;
    if (t->q->again && is_in_database(t, &call.call, &before)) call.held = before.row;
    double left = (double)t->q->budget - (double)(clock_ns() - t->start_ns) * 1e-9;
    double budget = fmax(0.3, left * job->share / (t->shares_left > 0 ? t->shares_left : 1));
    t->shares_left -= job->share;
    greta_status status = greta_search_run(t->search, &call, budget, &r);
    if (status == GRETA_ERR_NO_MEMORY || status == GRETA_ERR_NO_DEVICE_MEMORY) {
        say("%s: no memory to try it", greta_op_get_info(job->call.call.op)->name);
        t->n_left++;
        return true;
    }
    if (status) return false;
    if (stopped) {
        greta_search_result_free(&r);
        return true;
    }
    bool ok = true;
    if (!*r.entry.row && !r.complete &&
        !r.n_wrong) { /* no time for more than the default: that is no choice */
        job->left = true;
        t->n_left++;
    } else if (*r.entry.row) {
        ok = !greta_tune_put(t->db, &r.entry, r.tries, r.n_tries);
        if (ok && r.n_tries) ok = print_result(&r);
        t->n_done++;
        t->n_changed += strcmp(r.entry.row, r.default_row) != 0;
    } else
        say("%s %s: no row gave a right result", r.entry.key.op, r.entry.key.shape);
    t->n_wrong += r.n_wrong;
    greta_search_result_free(&r);
    return ok;
}

/* Without those of one row, and without what is known. */
static bool choose_jobs(struct tuning *t) {
    struct greta_tune_entry before;
    uint32_t n = 0;
    double all = 0;
    for (uint32_t i = 0; i < t->jobs.n; i++) {
        const struct tune_job *job = &t->jobs.at[i];
        if (!greta_tune_has_choice(t->app->dev, &job->call.call)) continue;
        if (!t->q->again && is_in_database(t, &job->call.call, &before)) {
            t->n_known++;
            continue;
        }
        t->jobs.at[n++] = *job;
    }
    if (t->q->op && !n && !t->n_known)
        say("%s: one row alone serves it here: there is nothing to choose", t->q->op);
    t->jobs.n = n;
    for (uint32_t i = 0; i < n; i++) all += t->jobs.at[i].share;
    /* A third of the time in equal parts: a small call has as many rows to try. */
    for (uint32_t i = 0; i < n; i++) {
        t->jobs.at[i].share = (all > 0 ? t->jobs.at[i].share / all * 2 / 3 : 0) + 1.0 / 3 / n;
        t->shares_left += t->jobs.at[i].share;
    }
    return true;
}

static bool tune_jobs(struct tuning *t) {
    bool ok = true;
    for (uint32_t i = 0; i < t->jobs.n && ok && !stopped; i++) {
        if ((double)(clock_ns() - t->start_ns) * 1e-9 > (double)t->q->budget) {
            t->n_left += t->jobs.n - i;
            break;
        }
        ok = tune_one(t, &t->jobs.at[i]);
    }
    return ok;
}

/* What others did not need is for those that it was too little for. */
static bool tune_left(struct tuning *t) {
    uint32_t n = 0;
    t->shares_left = 0;
    for (uint32_t i = 0; i < t->jobs.n; i++) {
        if (!t->jobs.at[i].left) continue;
        t->shares_left += t->jobs.at[i].share;
        t->jobs.at[n] = t->jobs.at[i];
        t->jobs.at[n++].left = false;
    }
    t->jobs.n = n;
    t->n_left -= n;
    return tune_jobs(t);
}

static bool tune_all(struct tuning *t) {
    bool ok = choose_jobs(t);
    t->start_ns = clock_ns();
    ok = ok && tune_jobs(t) && tune_left(t);
    progress("tuning", 1, 1);
    if (!ok) return false;
    ok = out_printf("%u tuned, %u of them by another row than the default; %u known before; %.1f s; %s\n",
                    t->n_done, t->n_changed, t->n_known, (double)(clock_ns() - t->start_ns) * 1e-9,
                    greta_tune_path(t->db));
    if (ok && (t->n_left || stopped))
        ok = out_printf("%s: the same command goes on where it ended\n",
                        stopped ? "stopped" : "the budget did not last for all");
    if (ok && t->n_left) ok = out_printf("%u calls are left\n", t->n_left);
    return ok && out_flush();
}

/* ---- the hit rate ---- */

static bool print_rate(struct tuning *t, const char *what, uint32_t n, uint32_t *known, uint32_t *all) {
    struct greta_tune_lookups *lookups;
    enum greta_policy policy = t->q->common.plan ? GRETA_POLICY_EXACT : GRETA_POLICY_DEFAULT;
    if (greta_tune_lookups_create(t->db, t->app->dev, policy, &lookups)) return false;
    tune_ask(t->app, n, lookups);
    struct greta_tune_counts c = greta_tune_lookups_count(lookups);
    greta_tune_lookups_destroy(&lookups);
    *known += c.n_known;
    *all += c.n_calls;
    if (n == 1) return out_printf("%s: %u of %u calls are tuned\n", what, c.n_known, c.n_calls);
    return out_printf("%s of %u tokens: %u of %u calls are tuned\n", what, n, c.n_known, c.n_calls);
}

/* The next length of -p; 0 at the end, or after a line that says what is wrong, with *ok false. */
static uint32_t next_length(const struct tuning *t, const char **at, bool *ok) {
    uint32_t n_ctx = greta_session_n_ctx(t->app->session);
    char *end;
    if (!**at) return 0;
    unsigned long n = strtoul(*at, &end, 10);
    *ok = end != *at && n >= 2 && n <= 1u << 24 && (!*end || *end == ',');
    if (!*ok)
        say("-p takes lengths as in 512,2048, not \"%s\"", t->q->prompts);
    else if (n > n_ctx) {
        say("-p: a prompt of %lu tokens does not fit into a context of %u", n, n_ctx);
        *ok = false;
    }
    *at = *end ? end + 1 : end;
    return *ok ? (uint32_t)n : 0;
}

static bool check_given(struct tuning *t, uint32_t *known, uint32_t *all) {
    const char *at = t->q->prompts;
    bool ok = true;
    while (next_length(t, &at, &ok)) continue; /* before anything is printed */
    if (!ok) return false;
    ok = print_rate(t, "decode", 1, known, all);
    at = t->q->prompts;
    for (uint32_t n; ok && (n = next_length(t, &at, &ok));) ok = print_rate(t, "a prompt", n, known, all);
    return ok;
}

static bool check(struct tuning *t) {
    static const uint32_t lengths[] = {64, 200, 512, 1000};
    uint32_t known = 0, all = 0, n_ctx = greta_session_n_ctx(t->app->session);
    bool ok = t->q->prompts ? check_given(t, &known, &all) : print_rate(t, "decode", 1, &known, &all);
    for (uint32_t i = 0; ok && !t->q->prompts && i < sizeof lengths / sizeof *lengths; i++)
        if (lengths[i] <= n_ctx) ok = print_rate(t, "a prompt", lengths[i], &known, &all);
    return ok && out_printf("hit rate %.0f %%\n", all ? 100.0 * known / all : 100.0) && out_flush();
}

/* ---- lists and files ---- */

static bool list_one(void *user, const struct greta_tune_entry *e) {
    bool *ok = user;
    *ok = print_key(&e->key) && out_printf("  %s", e->row);
    if (*ok && e->ns > 0)
        *ok = out_printf(" %.2f us, spread %.1f %%, noise %.1f %%, default %.2f us", e->ns * 1e-3,
                         100 * e->spread, 100 * e->noise, e->default_ns * 1e-3);
    *ok = *ok && out_printf("\n  %s, %s, seed %llu, %s\n", e->key.device, e->key.driver,
                            (unsigned long long)e->seed, e->date);
    return *ok;
}

static bool files(const struct tune_request *q, struct greta_tune_db *db) {
    uint32_t n = 0;
    bool ok = true;
    if (q->import)
        ok = !greta_tune_import(db, q->import, &n) && out_printf("%u entries read from %s\n", n, q->import);
    if (ok && q->export)
        ok = !greta_tune_export(db, q->export, &n) && out_printf("%u entries written to %s\n", n, q->export);
    if (ok && q->list) ok = !greta_tune_each(db, list_one, &ok) && ok;
    return ok && out_flush();
}

/* ---- the command ---- */

static bool collect(struct tuning *t) {
    if (t->q->op) return tune_call_of_shape(t->app, t->q, &t->jobs);
    return tune_calls_of_model(t->app, t->q, &t->jobs);
}

static bool with_device(struct tuning *t) {
    const struct tune_request *q = t->q;
    const struct greta_search_params params = {.policy =
                                                   q->common.plan ? GRETA_POLICY_EXACT : GRETA_POLICY_DEFAULT,
                                               .more_rounding = q->more_rounding,
                                               .seed = q->seed,
                                               .progress = tick,
                                               .user = t};
    struct sigaction action = {.sa_handler = on_interrupt, .sa_flags = SA_RESTART};
    bool ok = app_open_dev(t->app, &q->common);
    /* What the default plan does is the measure: no database is asked. */
    t->app->untuned = true;
    if (ok && !q->check) ok = !greta_search_create(t->app->dev, &params, &t->search);
    if (ok && !q->op) ok = app_open_model(t->app, &q->common, true) && app_open_session(t->app, &q->common);
    if (ok && q->check) return check(t);
    ok = ok && collect(t);
    sigaction(SIGINT, &action, NULL);
    return ok && tune_all(t);
}

int command_tune(const struct command *command, int argc, char **argv) {
    struct tune_request q = {.budget = 60, .seed = 1};
    const struct option options[] = {
        MODEL_OPTION(q.common),
        {"op", 0, OPTION_STRING, &q.op, "OP", "one op in place of a model's: matmul, attn_split, ..."},
        {"shape", 0, OPTION_STRING, &q.shape, "SIZES",
         "of --op: n_tok=512,n_rows=4096,n_cols=4096,w_type=Q4_K"},
        {"budget", 0, OPTION_F32, &q.budget, "SECONDS", "for all of it; default 60", 0.1, 86400},
        {"seed", 0, OPTION_U64, &q.seed, "N", "of the data; default 1"},
        {"again", 0, OPTION_FLAG, &q.again, NULL,
         "also what the database knows already; what it chose stays unless it is beaten"},
        {"more-rounding", 0, OPTION_FLAG, &q.more_rounding, NULL,
         "rows may round their operands more than the default's"},
        {"check", 0, OPTION_FLAG, &q.check, NULL,
         "how much of a model's calls is tuned; nothing is measured"},
        {"prompt", 'p', OPTION_STRING, &q.prompts, "N,N", "of --check: lengths of prompts"},
        {"list", 0, OPTION_FLAG, &q.list, NULL, "list what the database holds"},
        {"export", 0, OPTION_STRING, &q.export, "FILE", "write the database as JSON"},
        {"import", 0, OPTION_STRING, &q.import, "FILE", "read what --export wrote"},
        {"images", 0, OPTION_FLAG, &q.images, NULL,
         "list the device code in this program, and the rows of each piece"},
        {"dir", 0, OPTION_STRING, &q.dir, "DIR", "of --images: write every piece into this folder"},
        {"database", 0, OPTION_STRING, &q.database, "FILE",
         "the database; else $GRETA_TUNING, else tuning.db in the cache"},
        {"ctx", 0, OPTION_U32, &q.common.n_ctx, "N", "tokens of context; 0: the model's own, at most 4096", 0,
         1 << 24},
        {"kv", 0, OPTION_CHOICE, &q.common.kv, "f16|f32|q8_0", "how keys and values are kept"},
        {"plan", 0, OPTION_CHOICE, &q.common.plan, "default|exact", "for which of the plans"},
        {"chunk", 0, OPTION_U32, &q.common.n_chunk, "N",
         "tokens of a prompt evaluated at once; 0: chosen for the device", 0, 1 << 16},
        DEVICE_OPTIONS(q.common),
        {0},
    };
    struct app app = {0};
    struct tuning t = {.app = &app, .q = &q};
    int n, result = options_parse(command, options, argc, argv, NULL, 0, &n);

    if (result != GO_ON) return result;
    if (q.op && (q.common.model || q.check))
        return usage_error(command, "--op stands for itself: no model, no --check");
    if (q.shape && !q.op) return usage_error(command, "--shape needs --op");
    if (q.dir && !q.images) return usage_error(command, "--dir is for --images");
    if (q.prompts && !q.check) return usage_error(command, "-p is for --check");
    app_log(&app, &q.common);
    if (q.images) return tune_images(&q) ? EXIT_DONE : EXIT_FAILED;
    struct greta_tune_params params = {.path = q.database, .log = &app.log};
    bool ok = !greta_tune_open(&params, &t.db);
    if (ok && !t.db)
        say("there is no database: GRETA_TUNING is empty, or there is no cache folder; --database FILE names "
            "one");
    ok = ok && t.db;
    if (ok) ok = q.list || q.export || q.import ? files(&q, t.db) : with_device(&t);
    free(t.jobs.at);
    greta_search_destroy(&t.search);
    app_close(&app);
    greta_tune_close(&t.db);
    return ok ? EXIT_DONE : EXIT_FAILED;
}
