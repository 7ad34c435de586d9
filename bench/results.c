#include "results.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

const char *bench_status_name(enum bench_status status) {
    static const char *const names[BENCH_N_STATUS] = {"OK", "FAILED", "SKIPPED"};
    return (unsigned)status < BENCH_N_STATUS ? names[status] : "?";
}

/* ---- writing ---- */

static void set(json_t *object, const char *name, json_t *value) {
    if (value) json_object_set_new(object, name, value);
}

static void set_text(json_t *object, const char *name, const char *text) {
    if (text && *text) set(object, name, json_string(text));
}

/* Zero is left out: it means that nothing is known. */
static void set_real(json_t *object, const char *name, double value) {
    if (value != 0) set(object, name, json_real(value));
}

static json_t *stats_json(const struct greta_stats *s) {
    return json_pack("{sf sf sf sf sf sf sf sf si}", "mean", s->mean, "p10", s->p10, "p50", s->p50, "p90",
                     s->p90, "p99", s->p99, "min", s->min, "max", s->max, "spread", s->spread, "n",
                     (int)s->n);
}

static void set_times(json_t *o, const struct greta_measure *t) {
    if (t->device.n) set(o, "device_ns", stats_json(&t->device));
    if (t->host.n) set(o, "host_ns", stats_json(&t->host));
    set(o, "calls_per_sample", json_integer(t->n_calls));
    set(o, "warm_up_samples", json_integer(t->n_warm));
    set(o, "warm_up_stable", json_boolean(t->stable));
    if (t->cut) set(o, "cut_by_budget", json_true());
}

/* The roof of a call is what binds it: its bytes at the copy's speed, or its operations at the matrix peak. */
static double roof_ns(const struct bench_roof *roof, const struct bench_result *r, const char **bound) {
    double peak = roof->flops_f16 > roof->flops_f32 ? roof->flops_f16 : roof->flops_f32;
    double memory = roof->copy_bytes_per_s > 0 ? r->bytes / roof->copy_bytes_per_s * 1e9 : 0;
    double matrix = peak > 0 ? r->flops / peak * 1e9 : 0;
    *bound = memory >= matrix ? "memory" : "compute";
    return memory >= matrix ? memory : matrix;
}

/* Matrix units do integers and 8-bit floats at a speed of their own, which no bench of the roof measures. */
static bool has_measured_peak(const struct bench_result *r) {
    const char *type = json_string_value(json_object_get(r->shape, "type"));
    return !type || (strcmp(type, "I8") != 0 && strcmp(type, "FP8") != 0);
}

static void set_rates(json_t *o, const struct results *all, const struct bench_result *r) {
    double ns = greta_measure_time(&r->time)->p50;
    const char *bound;
    if (ns <= 0) return;
    set_real(o, "gb_per_s", r->bytes / ns);
    set_real(o, "tflop_per_s", r->flops / ns * 1e-3);
    /* Who waits for tokens waits for the host, too. */
    set_real(o, "tokens_per_s", r->tokens / (r->time.host.n ? r->time.host.p50 : ns) * 1e9);
    double least = has_measured_peak(r) ? roof_ns(&all->roof, r, &bound) : 0;
    if (least > 0) {
        set_text(o, "bound", bound);
        set_real(o, "percent_of_roof", 100 * least / ns);
    }
}

greta_status results_add(struct results *all, const struct bench_result *r) {
    json_t *o =
        json_pack("{ss ss ss}", "name", r->name, "key", r->key, "status", bench_status_name(r->status));
    json_t *list = json_object_get(all->root, "results");
    if (!o) {
        json_decref(r->shape);
        json_decref(r->counts);
        return GRETA_ERR_NO_MEMORY;
    }
    set_text(o, "row", r->row);
    set_text(o, "reason", r->reason);
    set(o, "shape", r->shape);
    set_real(o, "bytes", r->bytes);
    set_real(o, "flops", r->flops);
    set_real(o, "tokens", r->tokens);
    if (r->status == BENCH_OK && !all->emulated) {
        set_times(o, &r->time);
        set_rates(o, all, r);
    }
    if (!all->emulated) set_real(o, "predicted_ns", r->predicted_ns);
    set(o, "counts", r->counts);
    if (r->check) set(o, "check", json_pack("{ss sf}", "how", r->check, "worst_in_bounds", r->worst));
    return json_array_append_new(list, o) ? GRETA_ERR_NO_MEMORY : GRETA_OK;
}

greta_status results_create(struct greta_dev *dev, uint64_t seed, const struct bench_roof *roof,
                            struct results *out) {
    *out = (struct results){.roof = roof ? *roof : (struct bench_roof){0}};
    json_t *environment = environment_make(dev, seed);
    out->emulated =
        environment && json_is_true(json_object_get(json_object_get(environment, "device"), "emulated"));
    out->root = json_pack("{ss si so? so}", "format", "greta-results", "version", RESULTS_VERSION,
                          "environment", environment, "results", json_array());
    if (!out->root || !environment) {
        results_free(out);
        return GRETA_ERR_NO_MEMORY;
    }
    results_set_roof(out, &out->roof);
    return GRETA_OK;
}

void results_set_roof(struct results *all, const struct bench_roof *roof) {
    json_t *r = json_object();
    all->roof = *roof;
    set_real(r, "copy_bytes_per_s", roof->copy_bytes_per_s);
    set_real(r, "flops_f32", roof->flops_f32);
    set_real(r, "flops_f16", roof->flops_f16);
    set(all->root, "roof", r);
}

uint32_t results_count(const struct results *r, enum bench_status status) {
    const char *name = bench_status_name(status);
    uint32_t n = 0;
    size_t i;
    json_t *value;
    json_array_foreach(json_object_get(r->root, "results"), i, value) {
        const char *text = json_string_value(json_object_get(value, "status"));
        n += text && strcmp(text, name) == 0;
    }
    return n;
}

void results_free(struct results *r) {
    json_decref(r->root);
    *r = (struct results){0};
}

greta_status results_write(const struct results *r, const char *path, const struct greta_log *log) {
    size_t length = strlen(path) + 32;
    char *part = malloc(length);
    if (!part) return GRETA_ERR_NO_MEMORY;
    snprintf(part, length, "%s.%ld.part", path, (long)getpid());
    bool ok = !json_dump_file(r->root, part, JSON_INDENT(1) | JSON_REAL_PRECISION(9)) && !rename(part, path);
    int error = errno;
    if (!ok) unlink(part);
    free(part);
    if (ok) return GRETA_OK;
    return greta_fail(log, GRETA_ERR_IO, "%s: cannot write the results: %s", path,
                      error ? strerror(error) : "no memory");
}

/* ---- reading ---- */

static const char *fault_of(const json_t *root) {
    const char *format = json_string_value(json_object_get(root, "format"));
    json_t *list = json_object_get(root, "results"), *value;
    size_t i;
    if (!format || strcmp(format, "greta-results") != 0) return "\"format\" is not \"greta-results\"";
    if (json_integer_value(json_object_get(root, "version")) != RESULTS_VERSION)
        return "\"version\" is not 1";
    if (!json_is_object(json_object_get(root, "environment"))) return "\"environment\" is missing";
    if (!json_is_array(list)) return "\"results\" is no list";
    json_array_foreach(list, i, value) {
        if (!json_string_value(json_object_get(value, "name")) ||
            !json_string_value(json_object_get(value, "key")) ||
            !json_string_value(json_object_get(value, "status")))
            return "a result has no \"name\", \"key\" or \"status\"";
    }
    return NULL;
}

greta_status results_read(const char *path, const struct greta_log *log, struct results *out) {
    json_error_t error;
    struct stat info;
    *out = (struct results){0};
    if (stat(path, &info) == 0 && S_ISDIR(info.st_mode))
        return greta_fail(log, GRETA_ERR_IO, "%s: a folder; name one file of results in it", path);
    *out = (struct results){.root = json_load_file(path, JSON_REJECT_DUPLICATES, &error)};
    if (!out->root && json_error_code(&error) == json_error_cannot_open_file)
        return greta_fail(log, GRETA_ERR_IO, "%s: cannot read it: %s", path, strerror(errno));
    if (!out->root)
        return greta_fail(log, GRETA_ERR_FORMAT, "%s:%d: no JSON: %s", path, error.line, error.text);
    const char *fault = fault_of(out->root);
    if (fault) {
        results_free(out);
        return greta_fail(log, GRETA_ERR_FORMAT, "%s: no results of a bench: %s", path, fault);
    }
    json_t *roof = json_object_get(out->root, "roof"),
           *dev = json_object_get(json_object_get(out->root, "environment"), "device");
    out->roof.copy_bytes_per_s = json_number_value(json_object_get(roof, "copy_bytes_per_s"));
    out->roof.flops_f32 = json_number_value(json_object_get(roof, "flops_f32"));
    out->roof.flops_f16 = json_number_value(json_object_get(roof, "flops_f16"));
    out->emulated = json_is_true(json_object_get(dev, "emulated"));
    return GRETA_OK;
}
