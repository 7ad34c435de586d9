/* Lookups: none once decode runs; a database of 10,000 entries costs a plan nothing that one would notice. */
#include "check.h"

#include <greta/greta.h>
#include <greta/tune.h>

#include "clock.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { N_ENTRIES = 10000 };

static char folder[] = "/tmp/greta-lookups-XXXXXX", path[64], json[64];

static uint32_t n_asked;
static bool count(void *user, const struct greta_call *call, char *row, size_t size) {
    n_asked++;
    return greta_tune_lookup(user, call, row, size);
}

/* All by one import: one transaction. */
static bool fill(struct greta_tune_db *db, const struct greta_tune_key *key) {
    FILE *file = fopen(json, "w");
    uint32_t n = 0;
    if (!file) return false;
    fprintf(file, "{\"format\": \"greta-tuning\", \"version\": 1, \"entries\": [");
    for (int i = 0; i < N_ENTRIES; i++)
        fprintf(file,
                "%s{\"op\": \"matvec\", \"shape\": \"n_rows=%d n_cols=64\", \"types\": \"%s\", \"device\": "
                "\"%s\", "
                "\"driver\": \"%s\", \"image\": \"%s\", \"row\": \"x\", \"date\": \"2026-01-01T00:00:00Z\", "
                "\"ns\": 1.0, "
                "\"spread\": 0.1, \"default_ns\": 2.0, \"seed\": 1, \"tried\": []}",
                i ? ",\n" : "", i + 1, key->types, key->device, key->driver, key->image);
    fprintf(file, "]}\n");
    fclose(file);
    return CHECK(!greta_tune_import(db, json, &n)) && CHECK(n == N_ENTRIES);
}

static bool same_answers(struct greta_tune_lookups *lookups, struct greta_call *call) {
    char row[GRETA_TUNE_TEXT];
    bool ok = true;
    for (uint32_t i = 0; i < 60; i++) {
        call->scalars.matvec.n_rows = 1 + i * 500;
        bool known = greta_tune_lookup(lookups, call, row, sizeof row);
        ok = ok && known == (call->scalars.matvec.n_rows <= N_ENTRIES) && (!known || strcmp(row, "x") == 0);
    }
    return ok;
}

/* The 60 shapes are read once; asked again they cost no read. */
static void many_entries(struct greta_tune_db *db, struct greta_dev *dev) {
    struct greta_call call = {
        .op = GRETA_OP_MATVEC, .keys = {GRETA_TYPE_Q4_0, GRETA_TYPE_F32}, .scalars.matvec = {1, 64}};
    struct greta_tune_lookups *lookups;
    struct greta_tune_key key;
    if (!CHECK(greta_tune_has_choice(dev, &call))) return;
    greta_tune_key_make(dev, &call, GRETA_POLICY_DEFAULT, &key);
    if (!fill(db, &key) || !CHECK(!greta_tune_lookups_create(db, dev, GRETA_POLICY_DEFAULT, &lookups)))
        return;
    CHECK(same_answers(lookups, &call));
    struct greta_tune_counts first = greta_tune_lookups_count(lookups);
    uint64_t start = clock_ns();
    for (int i = 0; i < 100; i++) CHECK(same_answers(lookups, &call));
    double again_us = (double)(clock_ns() - start) * 1e-3 / 6000;
    struct greta_tune_counts then = greta_tune_lookups_count(lookups);
    CHECK(first.n_reads == 60 && then.n_reads == 60 && first.n_calls == 60 && first.n_known == 20);
    printf("%d entries: %.1f us for a call that is new, %.2f us for one that is known\n", N_ENTRIES,
           (double)first.ns * 1e-3 / 60, again_us);
    CHECK((double)first.ns / 60 < 2e6); /* 60 calls in 120 ms, on a machine that is busy */
    greta_tune_lookups_destroy(&lookups);
}

/* After the first step of decode no row is asked about, whatever the position. */
static void decode(struct greta_tune_lookups *lookups, struct greta_dev *dev) {
    const void *data;
    size_t size;
    const struct greta_model_params params = {.tuned = count, .tuned_user = lookups};
    const struct greta_session_params session = {.n_ctx = 640};
    static uint32_t prompt[250];
    struct greta_model *m = NULL;
    struct greta_session *s = NULL;
    if (!greta_builtin_model(&data, &size)) check_skip("this build has no model of its own");
    if (!CHECK(!greta_model_load_memory(dev, data, size, "built in", &params, &m)) ||
        !CHECK(!greta_session_create(m, &session, &s)))
        return;
    for (uint32_t i = 0; i < 250; i++) prompt[i] = 1 + i % 100;
    CHECK(!greta_session_eval(s, prompt, 250, GRETA_WANT_ARGMAX));
    CHECK(n_asked > 0);
    CHECK(!greta_session_eval(s, prompt, 1, GRETA_WANT_ARGMAX));
    n_asked = 0;
    for (uint32_t i = 0; i < 300; i++) /* past a bucket of the context */
        if (!CHECK(!greta_session_eval(s, prompt + i % 250, 1, GRETA_WANT_ARGMAX))) break;
    CHECK(n_asked == 0);
    greta_session_destroy(&s);
    greta_model_destroy(&m);
}

int main(int argc, char **argv) {
    struct greta_ctx *ctx = NULL;
    struct greta_dev *dev = NULL;
    struct greta_tune_db *db = NULL;
    struct greta_tune_lookups *lookups = NULL;
    if (!mkdtemp(folder) || greta_ctx_create(&(struct greta_ctx_params){.cache_dir = ""}, &ctx)) return 1;
    snprintf(path, sizeof path, "%s/tuning.db", folder);
    snprintf(json, sizeof json, "%s/x.json", folder);
    if (greta_dev_open(ctx, argc > 1 ? argv[1] : "cpu", NULL, &dev)) check_skip("no such device");
    if (CHECK(!greta_tune_open(&(struct greta_tune_params){.path = path}, &db)) &&
        CHECK(!greta_tune_lookups_create(db, dev, GRETA_POLICY_DEFAULT, &lookups))) {
        many_entries(db, dev);
        decode(lookups, dev);
    }
    greta_tune_lookups_destroy(&lookups);
    greta_tune_close(&db);
    greta_dev_close(&dev);
    greta_ctx_destroy(&ctx);
    char command[64];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return check_done() + (system(command) != 0);
}
