/* Which row is fastest: all that the device admits are checked, in batches, and what is right races. */
#include "race.h"
#include "work.h"

#include <greta/measure.h>

#include "clock.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MIN_BATCH = 8, MAX_BATCH = 32, MAX_CALLS = 1000, WARM_NS = 150000000 };

struct candidate {
    const struct greta_variant *row;
    uint32_t order;        /* in the table */
    bool tried, out, slow; /* slow: out for its time, not for what it computes */
    double ns, spread;
    char fault[GRETA_TUNE_TEXT];
};

/* Sets of constants that won before: tried first where the same row serves another call. */
struct winner {
    struct winner *next;
    const struct greta_variant *row;
};

struct greta_search {
    struct greta_dev *dev;
    const struct greta_log *log;
    const struct greta_limits *limits;
    struct greta_search_params params;
    struct greta_plan *plan;
    struct greta_stream *stream;
    struct greta_timer *timer;
    struct thread_pool *pool;
    struct winner *winners;
};

struct hunt {
    struct greta_search *search;
    struct work work;
    struct candidate *candidates; /* the row by default first */
    uint32_t n, n_tried, n_wrong, n_rounding, n_calls, i_call;
    struct race race;
    uint32_t *racing; /* which candidate each racer is */
    uint64_t start_ns, budget_ns;
    bool stopped;
};

/* ---- candidates ---- */

static bool more_rounding(const struct greta_variant *v, const struct greta_variant *by_default) {
    bool was_exact = by_default->flags & VARIANT_EXACT, is_exact = v->flags & VARIANT_EXACT;
    return v->operand_eps > by_default->operand_eps || (was_exact && !is_exact);
}

typedef bool visit_fn(void *user, const struct greta_variant *v, bool own_constants);

/* Every row and set of constants that serves the call on this device and under this policy. */
static greta_status visit(struct greta_search *s, const struct greta_call *call, visit_fn *fn, void *user) {
    enum greta_image_format format = greta_dev_get_image_format(s->dev);
    for (uint32_t i = 0; i < greta_variant_count(); i++) {
        const struct greta_variant *row = greta_variant_at(i), *v;
        if (row->op != call->op || row->format != format) continue;
        if (s->params.policy == GRETA_POLICY_EXACT && !(row->flags & VARIANT_EXACT)) continue;
        for (uint32_t k = 0, n = greta_variant_n_instances(row); k < n; k++) {
            struct greta_variant unnamed;
            variant_instance(row, k, &unnamed);
            if (greta_variant_refusal(&unnamed, s->limits, call)) continue;
            greta_status status = greta_plan_instance(s->plan, row, k, &v);
            if (status) return status;
            if (k && v == row) continue; /* its own constants, named */
            if (!fn(user, v, k == 0)) return GRETA_OK;
        }
    }
    return GRETA_OK;
}

static bool count_one(void *user, const struct greta_variant *v, bool own_constants) {
    (void)v, (void)own_constants;
    ++*(uint32_t *)user;
    return true;
}

uint32_t greta_search_count(struct greta_search *search, const struct greta_call *call) {
    uint32_t n = 0;
    return visit(search, call, count_one, &n) ? 0 : n;
}

/* Rows of one image whose sets of constants are the same make the same kernel. */
static bool same_kernel(const struct greta_variant *a, const struct greta_variant *b) {
    return a->image == b->image && a->n_threads == b->n_threads && a->subgroup_size == b->subgroup_size &&
           a->n_tunables == b->n_tunables && !strcmp(a->entry, b->entry) &&
           !memcmp(a->tunables, b->tunables, a->n_tunables * sizeof *a->tunables);
}

static bool is_there(const struct hunt *h, const struct greta_variant *v) {
    for (uint32_t i = 0; i < h->n; i++)
        if (v->format != GRETA_IMAGE_HOST && same_kernel(h->candidates[i].row, v)) return true;
    return false;
}

struct collector {
    struct hunt *hunt;
    uint32_t order, capacity, n_own;
    bool failed;
};

static bool collect(void *user, const struct greta_variant *v, bool own_constants) {
    struct collector *c = user;
    struct hunt *h = c->hunt;
    struct candidate fresh = {.row = v, .order = ++c->order};
    if (v == h->candidates[0].row) {
        h->candidates[0].order = 0;
        return true;
    }
    if (is_there(h, v)) return true;
    if (!h->search->params.more_rounding && more_rounding(v, h->candidates[0].row)) {
        h->n_rounding++;
        return true;
    }
    if (h->n == c->capacity) {
        struct candidate *grown = realloc(h->candidates, 2 * (size_t)c->capacity * sizeof *grown);
        c->failed = !grown;
        if (c->failed) return false;
        h->candidates = grown;
        c->capacity *= 2;
    }
    h->candidates[h->n] = fresh;
    if (own_constants && h->n != c->n_own) { /* rows as they are go before sets of constants */
        h->candidates[h->n] = h->candidates[c->n_own];
        h->candidates[c->n_own] = fresh;
    }
    c->n_own += own_constants;
    h->n++;
    return true;
}

static bool has_won(const struct greta_search *s, const struct greta_variant *row) {
    for (const struct winner *w = s->winners; w; w = w->next)
        if (w->row == row) return true;
    return false;
}

static void swap(struct candidate *a, struct candidate *b) {
    struct candidate c = *a;
    *a = *b;
    *b = c;
}

/*
 * Sets of constants that won for other calls, then the others by chance, but always the same: where the time does not last for all, another
 * search tries the same ones.
 */
static void shuffle(struct hunt *h, uint32_t first) {
    struct kc_rng rng = {1};
    for (uint32_t i = h->n; i > first + 1; i--)
        swap(&h->candidates[i - 1], &h->candidates[first + kc_random(&rng) % (i - first)]);
    for (uint32_t i = first; i < h->n; i++)
        if (has_won(h->search, h->candidates[i].row)) swap(&h->candidates[first++], &h->candidates[i]);
}

static greta_status candidates_make(struct hunt *h, const struct greta_call *call, const char *held) {
    struct collector c = {.hunt = h, .capacity = 64, .n_own = 1};
    const struct greta_variant *by_default;
    greta_status status = greta_plan_choose(h->search->plan, call, &by_default);
    if (status) return status;
    h->candidates = calloc(c.capacity, sizeof *h->candidates);
    if (!h->candidates) return GRETA_ERR_NO_MEMORY;
    h->candidates[0] = (struct candidate){.row = by_default};
    h->n = 1;
    status = visit(h->search, call, collect, &c);
    if (!status && c.failed) status = GRETA_ERR_NO_MEMORY;
    if (!status) shuffle(h, c.n_own);
    for (uint32_t i = 2; i < h->n && !status && held; i++)
        if (strcmp(greta_variant_name(h->candidates[i].row), held) == 0)
            swap(&h->candidates[1], &h->candidates[i]);
    return status;
}

/* ---- time ---- */

static uint64_t used_ns(const struct hunt *h) {
    return clock_ns() - h->start_ns;
}

static bool tell(struct hunt *h) {
    const struct greta_search_params *p = &h->search->params;
    double part = (double)used_ns(h) / (double)(h->budget_ns ? h->budget_ns : 1);
    if (p->progress && !p->progress(p->user, part < 1 ? part : 1)) h->stopped = true;
    return !h->stopped;
}

/* What concerns one row alone is its fault; these end the search. */
static bool is_fatal(greta_status status) {
    return status == GRETA_ERR_DEVICE_LOST || status == GRETA_ERR_NO_MEMORY ||
           status == GRETA_ERR_NO_DEVICE_MEMORY;
}

static bool is_wrong(const struct candidate *c) {
    return *c->fault && !c->slow;
}

static greta_status fail(struct hunt *h, struct candidate *c, greta_status status, const char *fault) {
    snprintf(c->fault, sizeof c->fault, "%s", fault);
    c->out = true;
    h->n_wrong += is_wrong(c);
    if (is_fatal(status))
        greta_logf(h->search->log, GRETA_LOG_ERROR, "%s: %s", greta_variant_name(c->row),
                   greta_status_text(status));
    return is_fatal(status) ? status : GRETA_OK;
}

static greta_status time_once(struct hunt *h, const struct greta_variant *row, uint32_t n_tok,
                              uint32_t n_calls, double *ns) {
    struct work_run run = {&h->work, row, n_tok};
    double device, host;
    greta_status status =
        greta_timer_sample(h->search->timer, work_record, &run, h->i_call, n_calls, &device, &host);
    h->i_call += n_calls;
    *ns = device > 0 ? device : host;
    return status;
}

/* ---- trying ---- */

/*
 * On a CPU a row without vectors may take a hundred times as long: of a call with many tokens it is tried with a few of them first. False:
 * it is not worth more.
 */
static bool worth_trying(struct hunt *h, struct candidate *c, greta_status *status) {
    const struct greta_call *call = &h->work.c.call;
    uint32_t n_tok = call->scalars.u32[0], few = 8;
    double ns, by_default = h->candidates[0].ns;
    bool many = (call->op == GRETA_OP_MATMUL || call->op == GRETA_OP_ATTN) && n_tok > 4 * few;
    if (!h->search->limits->is_cpu || !many || by_default <= 0) return true;
    *status = time_once(h, c->row, few, 1, &ns);
    if (*status) {
        *status = fail(h, c, *status, greta_status_text(*status));
        return false;
    }
    double predicted = ns * n_tok / few;
    if (predicted < RACE_TOO_SLOW * by_default) return true;
    char text[96];
    snprintf(text, sizeof text, "about %.0f times slower than the default, by %u of its tokens",
             predicted / by_default, few);
    c->slow = true;
    *status = fail(h, c, GRETA_OK, text);
    return false;
}

/* Checked first; what is wrong is never measured. */
static greta_status check_with(struct hunt *h, struct candidate *c, uint32_t n_tok) {
    double worst;
    greta_status status = work_check(&h->work, c->row, n_tok, &worst);
    if (status) return fail(h, c, status, greta_status_text(status));
    if (worst <= 1) return GRETA_OK;
    char text[64];
    snprintf(text, sizeof text, "its result is wrong: %.3g of the bound", worst);
    return fail(h, c, GRETA_OK, text);
}

static greta_status check_one(struct hunt *h, struct candidate *c) {
    greta_status status = GRETA_OK;
    h->n_tried++;
    c->tried = true;
    return worth_trying(h, c, &status) ? check_with(h, c, work_few(&h->work)) : status;
}

/*
 * A GPU that has waited for the host, while that made data or kernels, runs at a lower clock for a while: the row by default without a
 * pause until the clock is up again.
 */
static greta_status warm_up(struct hunt *h, uint64_t wanted_ns) {
    uint64_t start = clock_ns(), most = h->budget_ns / 4 < wanted_ns ? h->budget_ns / 4 : wanted_ns;
    greta_status status = GRETA_OK;
    double ns;
    while (!status && !h->search->limits->is_cpu && !h->candidates->out && clock_ns() - start < most)
        status = time_once(h, h->candidates->row, 0, 4 * h->n_calls, &ns);
    return status;
}

/* So many calls a sample as take half a millisecond, or three on a CPU, whose clock is the host's. */
static greta_status default_first(struct hunt *h) {
    double ns, wanted = h->search->limits->is_cpu ? 3e6 : 5e5;
    h->n_calls = 1;
    greta_status status = check_one(h, &h->candidates[0]);
    if (status || h->candidates[0].out) return status;
    status = time_once(h, h->candidates[0].row, 0, 2, &ns);
    double n = wanted / (ns > 1 ? ns : 1);
    h->n_calls = n < 1 ? 1 : n > MAX_CALLS ? MAX_CALLS : (uint32_t)n;
    if (!status) status = time_once(h, h->candidates[0].row, 0, h->n_calls, &h->candidates[0].ns);
    return status;
}

/* As many at once as there is time for, by how long the last ones took: kernels of a batch are built side by side, and all of them. */
static uint32_t batch_for(const struct hunt *h, uint32_t last, uint64_t took_ns) {
    uint64_t end = h->budget_ns * 4 / 10, used = used_ns(h), left = used < end ? end - used : 0;
    uint64_t n = last * left / (took_ns ? took_ns : 1);
    return n < MIN_BATCH   ? MIN_BATCH
           : n > 2 * last  ? (2 * last > MAX_BATCH ? MAX_BATCH : 2 * last)
           : n > MAX_BATCH ? MAX_BATCH
                           : (uint32_t)n;
}

/* A few in any case: where the data and the default's check took all of the time, they would have been for nothing. */
static greta_status check_all(struct hunt *h) {
    const struct greta_variant *rows[MAX_BATCH];
    greta_status status = GRETA_OK;
    uint32_t n = MIN_BATCH;
    for (uint32_t i = 1, end; i < h->n && !status; i = end) {
        uint64_t start = clock_ns();
        end = i + n < h->n ? i + n : h->n;
        if ((i > 1 && used_ns(h) > h->budget_ns * 4 / 10) || !tell(h)) return GRETA_OK;
        for (uint32_t k = i; k < end; k++) rows[k - i] = h->candidates[k].row;
        greta_plan_prepare_variants(h->search->plan, &h->work.c.call, rows, end - i);
        for (uint32_t k = i; k < end && !status; k++) {
            if ((h->n_tried > 2 && used_ns(h) > h->budget_ns * 5 / 10) || !tell(h)) return GRETA_OK;
            status = check_one(h, &h->candidates[k]);
        }
        n = batch_for(h, n, clock_ns() - start);
    }
    return status;
}

static greta_status leave_out(struct hunt *h, struct candidate *c, const struct candidate *than) {
    double ns = c->ns;
    char text[64];
    snprintf(text, sizeof text, "%.0f times slower than %s", ns / than->ns,
             than == h->candidates ? "the default" : "the one that stays");
    c->slow = true;
    greta_status status = fail(h, c, GRETA_OK, text);
    c->ns = ns;
    return status;
}

/* One call of each alone, whose code is not in the caches yet: one that takes forever is not run again. */
static greta_status one_call_of_all(struct hunt *h) {
    greta_status status = GRETA_OK;
    for (uint32_t i = 1; i < h->n && !status && !h->stopped; i++) {
        struct candidate *c = &h->candidates[i];
        if (!c->tried || c->out) continue;
        status = time_once(h, c->row, 0, 1, &c->ns);
        if (status)
            status = fail(h, c, status, greta_status_text(status));
        else if (!h->candidates->out && c->ns > 10 * RACE_TOO_SLOW * h->candidates->ns)
            status = leave_out(h, c, h->candidates);
        if (i % MAX_BATCH == 0) tell(h);
    }
    return status;
}

/* ---- racing ---- */

static greta_status race_sample(void *user, uint32_t i, double *ns) {
    struct hunt *h = user;
    struct candidate *c = &h->candidates[h->racing[i]];
    greta_status status = time_once(h, c->row, 0, h->n_calls, ns);
    if (status) status = fail(h, c, status, greta_status_text(status));
    h->race.at[i].out = c->out;
    tell(h);
    return status;
}

static double race_left(void *user) {
    const struct hunt *h = user;
    return h->stopped ? -INFINITY : (double)h->budget_ns - (double)used_ns(h);
}

/* Those that were checked; the row by default first, which is the hold unless an earlier search chose another. */
static greta_status race_make(struct hunt *h, const char *held) {
    struct race *r = &h->race;
    *r = (struct race){.user = h, .sample = race_sample, .left_ns = race_left};
    r->final_ns = (double)h->budget_ns * 0.35;
    r->at = calloc(h->n, sizeof *r->at);
    h->racing = calloc(h->n, sizeof *h->racing);
    if (!r->at || !h->racing) return GRETA_ERR_NO_MEMORY;
    for (uint32_t i = 0; i < h->n; i++) {
        const struct candidate *c = &h->candidates[i];
        if (i && (!c->tried || c->out)) continue;
        if (held && strcmp(greta_variant_name(c->row), held) == 0) r->hold = r->n;
        h->racing[r->n] = i;
        r->at[r->n++] = (struct racer){.order = c->order, .out = c->out};
    }
    return GRETA_OK;
}

static void race_times(struct hunt *h) {
    for (uint32_t i = 0; i < h->race.n; i++) {
        struct candidate *c = &h->candidates[h->racing[i]];
        c->ns = h->race.at[i].ns;
        c->spread = h->race.at[i].spread;
    }
    for (uint32_t i = 0; i < h->race.n; i++)
        if (h->race.at[i].slow)
            (void)leave_out(h, &h->candidates[h->racing[i]], &h->candidates[h->racing[h->race.hold]]);
}

/* What is chosen is checked with all tokens, too; where it is wrong, another is chosen. */
static greta_status race_end(struct hunt *h, struct race_verdict *out) {
    greta_status status;
    for (bool right = false; !right;) {
        status = race_choose(&h->race, out);
        if (status || !work_few(&h->work)) return status;
        struct candidate *c = &h->candidates[h->racing[out->chosen]];
        status = check_with(h, c, 0);
        if (status) return status;
        right = !c->out;
        if (!right) c->ns = 0;
        h->race.at[out->chosen].out = c->out;
    }
    return status;
}

static greta_status race(struct hunt *h, const struct candidate **chosen, double *noise) {
    struct race_verdict verdict;
    uint32_t n = 0, *left = calloc(h->race.n, sizeof *left);
    greta_status status = left ? warm_up(h, WARM_NS) : GRETA_ERR_NO_MEMORY;
    if (!status) status = race_heats(&h->race, left, &n);
    if (!status) status = race_final(&h->race, left, n);
    free(left);
    if (!status) race_times(h);
    if (!status) status = race_end(h, &verdict);
    if (status) return status == GRETA_ERR_NOT_FOUND ? GRETA_OK : status; /* none is left: none is chosen */
    *chosen = &h->candidates[h->racing[verdict.chosen]];
    *noise = verdict.noise;
    return GRETA_OK;
}

static void keep_winner(struct greta_search *s, const struct greta_variant *row) {
    struct winner *w = has_won(s, row) ? NULL : calloc(1, sizeof *w);
    if (!w) return;
    *w = (struct winner){s->winners, row};
    s->winners = w;
}

/* chosen NULL: only what was tried. */
static greta_status report(struct hunt *h, const struct candidate *chosen, struct greta_search_result *out) {
    const struct candidate *by_default = h->candidates;
    out->tries = calloc(h->n, sizeof *out->tries);
    if (!out->tries) return GRETA_ERR_NO_MEMORY;
    for (uint32_t i = 0; i < h->n; i++) {
        const struct candidate *c = &h->candidates[i];
        if (!c->tried) continue;
        struct greta_tune_try *t = &out->tries[out->n_tries++];
        *t = (struct greta_tune_try){.ns = c->ns, .spread = c->spread};
        snprintf(t->row, sizeof t->row, "%s", greta_variant_name(c->row));
        memcpy(t->fault, c->fault, sizeof t->fault);
    }
    if (!chosen) return GRETA_OK;
    snprintf(out->entry.row, sizeof out->entry.row, "%s", greta_variant_name(chosen->row));
    out->entry.ns = chosen->ns;
    out->entry.spread = chosen->spread;
    out->entry.default_ns = is_wrong(by_default) ? 0 : by_default->ns;
    out->entry.noise = out->noise;
    return GRETA_OK;
}

static greta_status hunt(struct hunt *h, const char *held, struct greta_search_result *out) {
    const struct candidate *chosen = NULL;
    double data = (double)used_ns(h), checks;
    greta_status status = default_first(h);
    if (!status) status = check_all(h);
    if (!status && h->n_tried > 1) status = one_call_of_all(h);
    if (!status) status = race_make(h, held);
    checks = (double)used_ns(h) - data;
    if (!status && h->n_tried > 1) status = race(h, &chosen, &out->noise);
    if (chosen && chosen != h->candidates) keep_winner(h->search, chosen->row);
    if (!status) status = report(h, chosen, out);
    greta_logf(h->search->log, GRETA_LOG_INFO,
               "%s %s: %.0f of %.0f ms: data %.0f, %u checks %.0f, the race the rest", out->entry.key.op,
               out->entry.key.shape, (double)used_ns(h) * 1e-6, (double)h->budget_ns * 1e-6, data * 1e-6,
               h->n_tried, checks * 1e-6);
    free(h->race.at);
    free(h->racing);
    return status;
}

greta_status greta_search_run(struct greta_search *search, const struct greta_search_call *call,
                              double budget_s, struct greta_search_result *out) {
    struct hunt h = {.search = search, .start_ns = clock_ns(), .budget_ns = (uint64_t)(budget_s * 1e9)};
    h.work = (struct work){
        .dev = search->dev, .plan = search->plan, .stream = search->stream, .pool = search->pool};
    *out = (struct greta_search_result){0};
    greta_tune_key_make(search->dev, &call->call, search->params.policy, &out->entry.key);
    out->entry.seed = search->params.seed;
    greta_status status = candidates_make(&h, &call->call, call->held);
    if (!status)
        snprintf(out->default_row, sizeof out->default_row, "%s", greta_variant_name(h.candidates[0].row));
    if (!status && h.n == 1) memcpy(out->entry.row, out->default_row, sizeof out->entry.row);
    if (!status && h.n > 1) {
        status = work_make(&h.work, call, search->params.seed);
        if (!status) status = hunt(&h, call->held, out);
        work_free(&h.work);
    }
    out->n_candidates = h.n;
    out->n_wrong = h.n_wrong;
    out->n_rounding = h.n_rounding;
    out->complete = h.n_tried == h.n || h.n <= 1;
    free(h.candidates);
    if (status) greta_search_result_free(out);
    return status;
}

void greta_search_result_free(struct greta_search_result *result) {
    free(result->tries);
    result->tries = NULL;
    result->n_tries = 0;
}

/* ---- life ---- */

greta_status greta_search_create(struct greta_dev *dev, const struct greta_search_params *params,
                                 struct greta_search **out) {
    *out = NULL;
    if (greta_dev_get_limits(dev)->is_emulated)
        return greta_fail(greta_dev_get_log(dev), GRETA_ERR_UNSUPPORTED,
                          "%s is emulated: it has no times, so there is nothing to tune by",
                          greta_dev_get_info(dev)->name);
    struct greta_search *s = calloc(1, sizeof *s);
    if (!s) return GRETA_ERR_NO_MEMORY;
    *s =
        (struct greta_search){.dev = dev, .log = greta_dev_get_log(dev), .limits = greta_dev_get_limits(dev)};
    if (params) s->params = *params;
    if (!s->params.seed) s->params.seed = 1;
    struct greta_plan_params plan = {.policy = s->params.policy, .force = ""};
    greta_status status = greta_plan_create(dev, &plan, &s->plan);
    if (!status) status = greta_stream_create(dev, &s->stream);
    if (!status) status = greta_timer_create(dev, s->stream, &s->timer);
    if (!status) status = thread_pool_create(0, &s->pool);
    if (status) greta_search_destroy(&s);
    *out = s;
    return status;
}

void greta_search_destroy(struct greta_search **search) {
    struct greta_search *s = *search;
    if (!s) return;
    thread_pool_destroy(&s->pool);
    greta_timer_destroy(&s->timer);
    greta_stream_destroy(&s->stream);
    greta_plan_destroy(&s->plan);
    while (s->winners) {
        struct winner *next = s->winners->next;
        free(s->winners);
        s->winners = next;
    }
    free(s);
    *search = NULL;
}
