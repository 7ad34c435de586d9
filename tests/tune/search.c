/* The search: what it chooses was checked and is what it was in a second run, within the noise; planted wrong rows are never chosen. */
#include "check.h"

#include <greta/search.h>

#include <math.h>
#include <string.h>

static struct greta_ctx *ctx;
static struct greta_dev *dev;

/* A row that leaves the last row of its result out: less work, so it is faster, too. */
static const char *planted;
static uint32_t n_planted;
greta_status __real_greta_op_record_variant(struct greta_plan *plan, struct greta_stream *stream,
                                            const struct greta_variant *variant,
                                            const struct greta_call *call);
greta_status __wrap_greta_op_record_variant(struct greta_plan *plan, struct greta_stream *stream,
                                            const struct greta_variant *variant,
                                            const struct greta_call *call);
greta_status __wrap_greta_op_record_variant(struct greta_plan *plan, struct greta_stream *stream,
                                            const struct greta_variant *variant,
                                            const struct greta_call *call) {
    struct greta_call less = *call;
    if (planted && strcmp(greta_variant_name(variant), planted) == 0) {
        less.scalars.u32[0] -= 1;
        n_planted++;
    }
    return __real_greta_op_record_variant(plan, stream, variant, &less);
}

static const struct greta_search_call norm = {
    .call = {.op = GRETA_OP_RMS_NORM, .scalars.rms_norm = {3, 4096, 1e-5f}}};

static bool search(const struct greta_search_params *params, const struct greta_search_call *call,
                   double budget_s, struct greta_search_result *out) {
    struct greta_search *s = NULL;
    bool ok =
        CHECK(!greta_search_create(dev, params, &s)) && CHECK(!greta_search_run(s, call, budget_s, out));
    greta_search_destroy(&s);
    return ok;
}

static const struct greta_tune_try *try_of(const struct greta_search_result *r, const char *row) {
    for (uint32_t i = 0; i < r->n_tries; i++)
        if (strcmp(r->tries[i].row, row) == 0) return &r->tries[i];
    return NULL;
}

/* Each row in turn is the wrong one; the one by default, too. */
static void wrong_rows(void) {
    struct greta_search_result all, r;
    if (!search(NULL, &norm, 2, &all)) return;
    CHECK(all.n_tries >= 2 && all.n_tries == all.n_candidates && all.complete && !all.n_wrong);
    CHECK(all.entry.ns > 0 && all.entry.default_ns > 0 && all.noise > 0 &&
          all.entry.ns <= all.entry.default_ns);
    for (uint32_t i = 0; i < all.n_tries; i++) {
        planted = all.tries[i].row;
        n_planted = 0;
        if (!search(NULL, &norm, 2, &r)) break;
        const struct greta_tune_try *t = try_of(&r, planted);
        CHECK(n_planted == 1); /* checked, and never measured */
        CHECK(t && strstr(t->fault, "wrong") && t->ns == 0 && r.n_wrong == 1);
        CHECK(strcmp(r.entry.row, planted) != 0 && *r.entry.row && r.entry.ns > 0);
        CHECK((r.entry.default_ns == 0) == (strcmp(planted, r.default_row) == 0));
        greta_search_result_free(&r);
    }
    planted = NULL;
    greta_search_result_free(&all);
}

/* The same row, or another one that the first run saw within the noise of its own. */
static void twice(const struct greta_search_call *call, double budget_s) {
    struct greta_search_result a, b;
    if (!search(NULL, call, budget_s, &a)) return;
    if (search(&(struct greta_search_params){.seed = 2}, call, budget_s, &b)) {
        const struct greta_tune_try *first = try_of(&b, a.entry.row), *second = try_of(&a, b.entry.row);
        bool same = strcmp(a.entry.row, b.entry.row) == 0;
        double noise = fmax(a.noise, b.noise);
        /* Each saw the other's row, and both together saw them no further apart than the noise. */
        bool near = first && second &&
                    fabs(log(second->ns / a.entry.ns) - log(first->ns / b.entry.ns)) / 2 <= -log(1 - noise);
        if (!CHECK(same || near))
            printf("  %s %g us, then %s %g us, noise %g\n", a.entry.row, a.entry.ns * 1e-3, b.entry.row,
                   b.entry.ns * 1e-3, noise);
        greta_search_result_free(&b);
    }
    greta_search_result_free(&a);
}

/* What leaves out the last token, row or head is found in every kind of call. */
static void wrong_default(const struct greta_search_call *call, double budget_s) {
    struct greta_search_result r;
    struct greta_plan *plan;
    const struct greta_variant *row = NULL;
    if (!CHECK(!greta_plan_create(dev, NULL, &plan) && !greta_plan_choose(plan, &call->call, &row))) return;
    planted = greta_variant_name(row);
    if (search(NULL, call, budget_s, &r)) {
        const struct greta_tune_try *t = try_of(&r, planted);
        bool found = t && *t->fault && strcmp(r.entry.row, planted) != 0;
        if (!CHECK(r.n_candidates == 1 || found))
            printf("  %s of %s: \"%s\"\n", planted, r.entry.key.shape, t ? t->fault : "not tried");
        greta_search_result_free(&r);
    }
    planted = NULL;
    greta_plan_destroy(&plan);
}

/* What an earlier search chose is tried first; where it is slower by far, wrong or no row at all, it is chosen no more. */
static void held(void) {
    struct greta_search_result all, r;
    struct greta_search_call call = norm;
    if (!search(NULL, &norm, 2, &all)) return;
    const struct greta_tune_try *slowest = &all.tries[0];
    for (uint32_t i = 1; i < all.n_tries; i++)
        if (all.tries[i].ns > slowest->ns) slowest = &all.tries[i];
    call.held = slowest->row;
    if (search(NULL, &call, 2, &r)) {
        bool by_far = slowest->ns > 1.5 * all.entry.ns && all.noise < 0.3;
        CHECK(!by_far || (strcmp(r.entry.row, call.held) != 0 && r.entry.ns < slowest->ns));
        CHECK(r.entry.noise == r.noise);
        greta_search_result_free(&r);
    }
    call.held = planted = all.entry.row;
    if (search(NULL, &call, 2, &r)) {
        CHECK(*r.entry.row && strcmp(r.entry.row, planted) != 0);
        greta_search_result_free(&r);
    }
    planted = NULL;
    call.held = "no_such_row:threads=3";
    if (search(NULL, &call, 2, &r)) {
        CHECK(*r.entry.row && r.entry.ns > 0);
        greta_search_result_free(&r);
    }
    greta_search_result_free(&all);
}

/* A product that is larger than what is checked at once, and each kind of call that carries its position. */
static void every_kind(double budget_s) {
    static const struct greta_search_call calls[] = {
        {.call = {.op = GRETA_OP_MATMUL,
                  .keys = {GRETA_TYPE_F16, GRETA_TYPE_F32},
                  .scalars.matmul = {700, 130, 64}}},
        {.call = {.op = GRETA_OP_MATVEC,
                  .keys = {GRETA_TYPE_Q4_0, GRETA_TYPE_F32, 1},
                  .scalars.matvec = {300, 256}}},
        {.call = {.op = GRETA_OP_MATVEC_GLU,
                  .keys = {GRETA_TYPE_Q8_0, GRETA_TYPE_F32},
                  .scalars.matvec_glu = {150, 256, 1e-5f}}},
        {.call = {.op = GRETA_OP_ATTN,
                  .keys = {GRETA_TYPE_F16, 32},
                  .scalars.attn = {20, 4, 2, 32, 0, 0.2f, 0}},
         .step = {0, 5, 25, 0}},
        {.call = {.op = GRETA_OP_ATTN_SPLIT,
                  .keys = {GRETA_TYPE_F16, 32},
                  .scalars.attn_split = {4, 2, 512, 2, 0, 0.2f, 0}},
         .step = {0, 300, 301, 0}},
        {.call = {.op = GRETA_OP_ROPE_KV,
                  .keys = {0, GRETA_TYPE_F16, 0, 0},
                  .scalars.rope_kv = {3, 4, 2, 32, 32, 64, 1e-5f}},
         .step = {0, 7, 10, 0}},
        {.call = {.op = GRETA_OP_ROW_LOOKUP, .keys = {GRETA_TYPE_F16}, .scalars.row_lookup = {5, 40, 64}}}};
    for (unsigned i = 0; i < sizeof calls / sizeof *calls; i++) {
        struct greta_search_call call = calls[i];
        struct greta_search_result r;
        struct greta_plan *plan;
        if (!CHECK(!greta_plan_create(dev, NULL, &plan))) return;
        if (call.call.op <= GRETA_OP_MATMUL || call.call.op == GRETA_OP_MATVEC_GLU)
            CHECK(!greta_plan_weight_layout(plan, call.call.keys[0], &call.call.layout));
        greta_plan_destroy(&plan);
        wrong_default(&call, budget_s);
        if (!search(NULL, &call, budget_s, &r)) continue;
        bool choice = greta_tune_has_choice(dev, &call.call);
        /* A budget that lasts for the default alone chooses nothing. */
        CHECK(!r.n_wrong && (choice || r.n_candidates == 1) && (*r.entry.row || !r.complete));
        if (!strcmp(r.default_row, r.entry.row) && r.n_tries)
            CHECK(r.entry.ns > 0 && r.entry.ns == r.entry.default_ns);
        for (uint32_t k = 0; k < r.n_tries; k++)
            if (strstr(r.tries[k].fault, "wrong")) printf("  %s: %s\n", r.tries[k].row, r.tries[k].fault);
        greta_search_result_free(&r);
    }
}

/* A plan of f32 throughout is given none but exact rows; keys tell the two plans apart. */
static void exact(void) {
    const struct greta_search_params params = {.policy = GRETA_POLICY_EXACT};
    struct greta_search_result r, d;
    if (!search(&params, &norm, 1, &r)) return;
    if (search(NULL, &norm, 1, &d)) {
        CHECK(memcmp(&r.entry.key, &d.entry.key, sizeof d.entry.key) != 0 &&
              strstr(r.entry.key.types, "exact"));
        greta_search_result_free(&d);
    }
    greta_search_result_free(&r);
}

static uint32_t n_told;
static bool stop_at_once(void *user, double part) {
    (void)user, (void)part;
    n_told++;
    return false;
}

static void stopped(void) {
    const struct greta_search_params params = {.progress = stop_at_once};
    struct greta_search_result r;
    n_told = 0;
    if (!search(&params, &norm, 5, &r)) return;
    CHECK(n_told >= 1 && !r.complete);
    greta_search_result_free(&r);
}

int main(int argc, char **argv) {
    const char *name = argc > 1 ? argv[1] : "cpu";
    const struct greta_ctx_params params = {.cache_dir = "", .n_threads = 2};
    bool cpu = strcmp(name, "cpu") == 0;
    if (greta_ctx_create(&params, &ctx)) return 1;
    if (greta_dev_open(ctx, name, NULL, &dev)) check_skip("no such device");
    if (cpu) {
        wrong_rows();
        twice(&norm, 2);
        held();
        exact();
        stopped();
    }
    every_kind(cpu ? 0.2 : 1.5);
    greta_dev_close(&dev);
    greta_ctx_destroy(&ctx);
    return check_done();
}
