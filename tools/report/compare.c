#include "compare.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

const char *verdict_name(enum verdict v) {
    static const char *const names[N_VERDICTS] = {"same", "faster", "slower", "missing",
                                                  "new",  "broken", "mended", "no time"};
    return (unsigned)v < N_VERDICTS ? names[v] : "?";
}

static const json_t *by_key(const struct results *r, const char *key) {
    size_t i;
    json_t *value;
    json_array_foreach(json_object_get(r->root, "results"), i,
                       value) if (strcmp(json_string_value(json_object_get(value, "key")), key) ==
                                  0) return value;
    return NULL;
}

static bool is_ok(const json_t *result) {
    return strcmp(json_string_value(json_object_get(result, "status")), "OK") == 0;
}

static bool was_skipped(const json_t *result) {
    return strcmp(json_string_value(json_object_get(result, "status")), "SKIPPED") == 0;
}

/* Device times where both have them, else host times. */
static const json_t *times_of(const json_t *result, const json_t *other) {
    bool device = json_object_get(result, "device_ns") && json_object_get(other, "device_ns");
    return json_object_get(result, device ? "device_ns" : "host_ns");
}

static double number(const json_t *object, const char *name) {
    return json_number_value(json_object_get(object, name));
}

static void compare_times(const json_t *base, const json_t *now, struct comparison *out) {
    const json_t *a = times_of(base, now), *b = times_of(now, base);
    out->what = "time";
    out->base = number(a, "p50");
    out->now = number(b, "p50");
    out->verdict = NO_TIME;
    if (!(out->base > 0) || !(out->now > 0)) return;
    out->change = out->now / out->base - 1;
    if (fabs(out->change) <= COMPARE_RESOLUTION || fabs(out->now - out->base) <= COMPARE_LEAST_NS)
        out->verdict = SAME;
    else
        out->verdict = number(b, "p10") > number(a, "p90")   ? SLOWER
                       : number(b, "p90") < number(a, "p10") ? FASTER
                                                             : SAME;
}

static void compare_count(const char *name, double a, double b, struct comparison *out) {
    double change = a > 0 ? b / a - 1 : b > 0 ? INFINITY : 0;
    bool worse = change > 0 ? change > out->change : out->change <= 0 && change < out->change;
    if (worse) *out = (struct comparison){out->key, name, a, b, change, change > 0 ? SLOWER : FASTER};
}

/* The count that grew most; where none grew, the one that shrank most. What is not there is 0. */
static void compare_counts(json_t *base, json_t *now, struct comparison *out) {
    const char *name;
    json_t *value;
    out->verdict = SAME;
    out->what = "counts";
    json_object_foreach(base, name, value)
        compare_count(name, json_number_value(value), number(now, name), out);
    json_object_foreach(now, name, value) if (!json_object_get(base, name))
        compare_count(name, 0, json_number_value(value), out);
}

static bool has_time(const json_t *result) {
    return json_object_get(result, "device_ns") || json_object_get(result, "host_ns");
}

static void compare_one(const json_t *base, const json_t *now, struct comparison *out) {
    json_t *before = json_object_get(base, "counts"), *after = json_object_get(now, "counts");
    if (!base || !now)
        out->verdict = base ? MISSING : NEW;
    else if (is_ok(base) != is_ok(now))
        out->verdict = is_ok(now) ? MENDED : was_skipped(now) ? MISSING : BROKEN;
    else if (!is_ok(base))
        out->verdict = SAME;
    else if (has_time(base) && has_time(now))
        compare_times(base, now, out);
    else if (before && after)
        compare_counts(before, after, out);
    else
        out->verdict = has_time(base) || has_time(now) || before || after ? NO_TIME : SAME;
}

static int ascending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The median of all changes of times. False where memory is out. */
static bool find_drift(struct comparisons *c) {
    double *changes = calloc(c->n + 1, sizeof *changes);
    if (!changes) return false;
    for (uint32_t i = 0; i < c->n; i++)
        if (c->at[i].what && strcmp(c->at[i].what, "time") == 0 && c->at[i].verdict != NO_TIME)
            changes[c->n_times++] = c->at[i].change;
    qsort(changes, c->n_times, sizeof *changes, ascending);
    if (c->n_times) c->drift = (changes[(c->n_times - 1) / 2] + changes[c->n_times / 2]) / 2;
    free(changes);
    return true;
}

static bool regressed(const struct comparison *c, double fail_above) {
    return c->verdict == MISSING || c->verdict == BROKEN || c->verdict == NO_TIME ||
           (c->verdict == SLOWER && c->change > fail_above);
}

greta_status results_compare(const struct results *base, const struct results *now, double fail_above,
                             struct comparisons *out) {
    json_t *before = json_object_get(base->root, "results"), *after = json_object_get(now->root, "results"),
           *value;
    size_t i;
    *out = (struct comparisons){
        .at = calloc(json_array_size(before) + json_array_size(after) + 1, sizeof *out->at)};
    if (!out->at) return GRETA_ERR_NO_MEMORY;
    json_array_foreach(before, i, value) {
        struct comparison *c = &out->at[out->n++];
        c->key = json_string_value(json_object_get(value, "key"));
        compare_one(value, by_key(now, c->key), c);
    }
    json_array_foreach(after, i, value) {
        const char *key = json_string_value(json_object_get(value, "key"));
        if (by_key(base, key)) continue;
        out->at[out->n++] = (struct comparison){.key = key, .verdict = NEW};
    }
    for (uint32_t k = 0; k < out->n; k++) {
        out->n_of[out->at[k].verdict]++;
        out->n_regressions += regressed(&out->at[k], fail_above);
    }
    if (find_drift(out)) return GRETA_OK;
    comparisons_free(out);
    return GRETA_ERR_NO_MEMORY;
}

void comparisons_free(struct comparisons *c) {
    free(c->at);
    *c = (struct comparisons){0};
}
