/* Options of greta bench that were given and have no effect on what was asked for. */
#include "bench_request.h"

#include <stdio.h>
#include <string.h>

struct given {
    char text[512];
    size_t n;
};

static void add(struct given *g, bool given, const char *name) {
    if (given && g->n < sizeof g->text)
        g->n += (size_t)snprintf(g->text + g->n, sizeof g->text - g->n, "%s%s", g->n ? ", " : "", name);
}

/* Those that have a use for a model alone; what is as it is without them is none. */
static void add_of_models(struct given *g, const struct bench_request *q, bool is_load) {
    const struct bench_llm *llm = &q->llm;
    add(g, !is_load && llm->common.model, "--model");
    add(g, strcmp(q->prompts, BENCH_PROMPTS) != 0, "--prompt");
    add(g, llm->n_decode != BENCH_DECODE, "--predict");
    add(g, strcmp(q->depths, BENCH_DEPTHS) != 0, "--depth");
    add(g, !is_load && llm->n_repeats != BENCH_REPEATS, "--repeat");
    add(g, !is_load && q->cold, "--cold");
    if (is_load) return;
    add(g, llm->common.n_ctx > 0, "--ctx");
    add(g, llm->common.kv > 0, "--kv");
    add(g, llm->common.plan > 0, "--plan");
    add(g, llm->common.no_tuning, "--no-tuning");
    add(g, llm->common.n_chunk > 0, "--chunk");
}

/* Those that llm and load have no use for. */
static void add_of_others(struct given *g, const struct bench_request *q, bool is_load) {
    char unused[128];
    add(g, q->preset >= 0, "--preset");
    add(g, *bench_unused(NULL, &q->params, unused, sizeof unused), unused);
    add(g, q->params.seed != BENCH_SEED, "--seed");
    add(g, !is_load && q->cold, "--cold");
    add(g, is_load && q->params.budget_s > 0, "--budget");
    add(g, is_load && q->params.check_only, "--check");
}

static void tell(const struct given *g, const char *name) {
    if (g->n) say("%s has no use for %s", name, g->text);
}

void bench_tell_unused(const struct bench_request *q) {
    for (int i = 0; i < q->n_names; i++) {
        const bool is_load = strcmp(q->names[i], "load") == 0, is_model = !q->benches[i];
        struct given g = {.n = 0};
        char unused[128];
        if (is_model)
            add_of_others(&g, q, is_load);
        else
            add(&g, *bench_unused(q->benches[i], &q->params, unused, sizeof unused), unused);
        if (!is_model || is_load) add_of_models(&g, q, is_load);
        add(&g, q->filter, "--filter");
        tell(&g, q->names[i]);
    }
    struct given g = {.n = 0};
    if (!q->n_names) add_of_models(&g, q, false);
    tell(&g, "a preset");
}
