/* The counters of kernels as a file of results, and as a table. */
#include "internal.h"

#include "bench.h"
#include "roof.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- the file ---- */

static json_t *shape_json(const struct kernel *k) {
    json_t *shape = json_object();
    if (k->call.op == GRETA_N_OPS) return shape;
    const struct greta_op_info *info = greta_op_get_info(k->call.op);
    for (uint32_t i = 0; i < info->n_scalars; i++)
        if (!info->scalar_is_f32[i])
            json_object_set_new(shape, info->scalar_names[i], json_integer(k->call.scalars.u32[i]));
    for (uint32_t i = 0; i < info->n_keys; i++) {
        const struct greta_type_info *t =
            strstr(info->key_names[i], "type") ? greta_type_get_info(k->call.keys[i]) : NULL;
        json_object_set_new(shape, info->key_names[i],
                            t ? json_string(t->name) : json_integer(k->call.keys[i]));
    }
    return shape;
}

static bool add(struct prof *p, const struct kernel *k, struct results *results) {
    char key[512];
    double samples[PROF_SAMPLES];
    struct bench_result r = {.name = "kernel", .key = key, .row = k->key.row ? k->key.row : k->key.op};
    if (!k->n_calls) return true;
    snprintf(key, sizeof key, "kernel/%s/%s/%s/%s", *k->key.phase ? k->key.phase : "other", k->key.op,
             k->shape, r.row);
    r.bytes = k->bytes / (double)k->n_calls;
    r.flops = k->flops / (double)k->n_calls;
    memcpy(samples, k->times_ns.at, k->times_ns.n * sizeof *samples);
    greta_stats_make(samples, k->times_ns.n, &r.time.device);
    r.time.n_calls = 1;
    r.shape = shape_json(k);
    json_object_set_new(r.shape, "phase", json_string(k->key.phase));
    json_object_set_new(r.shape, "op", json_string(k->key.op));
    r.counts = json_pack("{sI sI}", "calls", (json_int_t)k->n_calls, "groups", (json_int_t)k->n_groups);
    if (!p->emulated && k->times_ns.n_seen) {
        json_object_set_new(r.counts, "timed_calls", json_integer((json_int_t)k->times_ns.n_seen));
        json_object_set_new(r.counts, "timed_ns", json_integer((json_int_t)(k->times_ns.sum + 0.5)));
    }
    return results_add(results, &r) == GRETA_OK;
}

static bool write_file(struct prof *p, const struct bench_roof *roof) {
    struct results results = {0};
    bool ok = results_create(p->dev, 0, roof, &results) == GRETA_OK;
    for (uint32_t i = 0; i < p->kernels.n && ok; i++) ok = add(p, p->kernels.at[i], &results);
    if (!ok)
        greta_logf(p->log, GRETA_LOG_ERROR, "%s: no memory for the counters of kernels", p->kernels_path);
    ok = ok && results_write(&results, p->kernels_path, p->log) == GRETA_OK;
    results_free(&results);
    return ok;
}

/* ---- the table ---- */

static double mean_ns(const struct kernel *k) {
    return k->times_ns.n_seen ? k->times_ns.sum / (double)k->times_ns.n_seen : 0;
}

/* What all its calls took, by those that were timed. */
static double all_ns(const struct kernel *k) {
    return mean_ns(k) * (double)k->n_calls;
}

static int by_time(const void *a, const void *b) {
    const struct kernel *x = *(const struct kernel *const *)a, *y = *(const struct kernel *const *)b;
    double dx = all_ns(x), dy = all_ns(y);
    if (dx != dy) return dx < dy ? 1 : -1;
    return x->n_calls < y->n_calls ? 1 : x->n_calls > y->n_calls ? -1 : 0;
}

static void print_row(const struct prof *p, const struct kernel *k, const struct bench_roof *roof,
                      double whole_ns) {
    double ns = mean_ns(k);
    double bytes = k->bytes / (double)k->n_calls, flops = k->flops / (double)k->n_calls;
    double peak = roof->flops_f16 > roof->flops_f32 ? roof->flops_f16 : roof->flops_f32;
    double least = roof->copy_bytes_per_s > 0 ? bytes / roof->copy_bytes_per_s * 1e9 : 0;
    if (peak > 0 && flops / peak * 1e9 > least) least = flops / peak * 1e9;
    fprintf(stderr, "%-8s %-21s %8llu", k->key.phase, k->key.op, (unsigned long long)k->n_calls);
    if (ns > 0) {
        fprintf(stderr, " %10.3f %5.1f %9.2f %8.1f %8.3f ", all_ns(k) / 1e6,
                whole_ns > 0 ? 100 * all_ns(k) / whole_ns : 0, ns / 1e3, bytes / ns, flops / ns * 1e-3);
        if (least > 0)
            fprintf(stderr, "%6.1f", 100 * least / ns);
        else
            fprintf(stderr, "%6s", "-");
    } else if (!p->emulated) {
        fprintf(stderr, " %10s %5s %9s %8s %8s %6s", "-", "-", "-", "-", "-", "-");
    }
    fprintf(stderr, "  %s%s%s\n", k->key.row ? k->key.row : "", *k->shape ? "  " : "", k->shape);
}

/* By launches with timestamps beside launches without, and by what a timestamp takes where there are no two such. */
static void print_overhead(const struct prof *p) {
    double extra = 0;
    uint64_t n_stamped = 0;
    for (const struct graph *g = p->graphs; g; g = g->next) {
        n_stamped += g->seq;
        if (!g->bare_ns.n || !g->stamped_ns.n) continue;
        double bare = samples_median(&g->bare_ns), stamped = samples_median(&g->stamped_ns);
        fprintf(stderr,
                "overhead     graph %u (%s, %u commands): %.2f us with timestamps in it (%llu launches), "
                "%.2f us without "
                "(%llu): %+.2f %%\n",
                g->number, g->phase, g->n_commands, stamped / 1e3, (unsigned long long)g->stamped_ns.n_seen,
                bare / 1e3, (unsigned long long)g->bare_ns.n_seen, 100 * (stamped / bare - 1));
        extra += (stamped - bare) * (double)g->seq;
    }
    fprintf(
        stderr,
        "overhead     %llu timestamps, %.2f us each where nothing is between two: about %.3f ms of %.3f ms",
        (unsigned long long)p->n_stamps, p->stamp_ns / 1e3, (double)p->n_stamps * p->stamp_ns / 1e6,
        p->device_ns / 1e6);
    if (n_stamped) fprintf(stderr, "; graphs were slowed by %.3f ms in all", extra / 1e6);
    fputc('\n', stderr);
    if (p->n_lost)
        fprintf(stderr, "overhead     %llu timestamps found no place: what lies beside them is not timed\n",
                (unsigned long long)p->n_lost);
}

static void print_table(const struct prof *p, const struct bench_roof *roof) {
    struct kernel **sorted = malloc((p->kernels.n + 1) * sizeof *sorted);
    double whole = 0;
    if (!sorted) return;
    for (uint32_t i = 0; i < p->kernels.n; i++) whole += all_ns(sorted[i] = p->kernels.at[i]);
    qsort(sorted, p->kernels.n, sizeof *sorted, by_time);
    fprintf(stderr, "kernels of %s\n%-8s %-21s %8s", p->device, "phase", "op", "calls");
    if (!p->emulated)
        fprintf(stderr, " %10s %5s %9s %8s %8s %6s", "ms", "%", "us each", "GB/s", "TFLOP/s", "% roof");
    fprintf(stderr, "  row, shape\n");
    for (uint32_t i = 0; i < p->kernels.n; i++)
        if (sorted[i]->n_calls) print_row(p, sorted[i], roof, whole);
    free(sorted);
    if (p->emulated) {
        fprintf(stderr, "an emulated device has no times\n");
        return;
    }
    if (!p->stamps) fprintf(stderr, "the device has no timestamps: calls are counted, not timed\n");
    if (!roof->copy_bytes_per_s)
        fprintf(stderr, "%% roof: not measured on this device: greta bench roof does that\n");
    if (p->stamps) print_overhead(p);
}

bool prof_report(struct prof *p) {
    struct bench_roof roof = {0};
    if (!p->kernels_path || !p->dev) return true;
    if (!p->emulated) (void)roof_load(greta_dev_get_info(p->dev), &roof);
    print_table(p, &roof);
    return strcmp(p->kernels_path, "-") == 0 || write_file(p, &roof);
}
