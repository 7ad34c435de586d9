/*
 * kernelcheck: for each op, case and seed the reference once, then every row that the device admits.
 * One line per row; exit 0 all passed, 1 a row failed, 2 wrong usage, 77 no such device.
 */
#include "kc.h"

#include "clock.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct options {
    const char *device, *op, *row, *type; /* type: of the weights, of a cache, of GEMM's matrices */
    uint64_t seed;
    /* every: one case in so many, which ones by the seed; besides, one for each row and for each type of an op; 0: all */
    uint32_t max_groups, every;
    uint32_t per_kernel; /* cases for each kernel of each row, ragged ones; rows without any fail; 0: all */
    uint32_t slow_ms;    /* a line for each case of a row that took so long; 0: none */
    bool bench, selftest, list;
};

struct tally {
    uint32_t n_cases, n_refused, n_failed;
    double worst;
    char refusal[96];
};

/* A row with the keys of a call: where code is built beforehand, one kernel. */
struct kernel {
    const struct greta_variant *row;
    uint32_t keys[GRETA_OP_MAX_KEYS], n_cases;
};

struct walk {
    struct kc_env *env;
    const struct options *options;
    struct tally *tallies; /* by row */
    struct kernel *kernels;
    uint32_t n_kernels, n_uncovered, n_failures_told;
    uint64_t i_case;
    uint64_t types; /* of this op, as type_of has them: those that a row served */
};

static void log_line(void *user, enum greta_log_level level, const char *message) {
    (void)user;
    fprintf(stderr, "%s%s\n", level == GRETA_LOG_ERROR ? "error: " : "", message);
}

static const struct greta_log log_errors = {log_line, NULL, GRETA_LOG_ERROR};

bool kc_env_open(struct kc_env *env, const char *device, uint32_t max_groups, greta_status *status) {
    struct greta_dev_params params = {.fault.enabled = max_groups > 0};
    for (int i = 0; i < 3; i++) params.fault.lower.max_groups[i] = max_groups;
    *status = greta_ctx_create(&(struct greta_ctx_params){.log = &log_errors}, &env->ctx);
    if (!*status) *status = greta_dev_open(env->ctx, device, &params, &env->dev);
    if (!*status) *status = greta_plan_create(env->dev, &(struct greta_plan_params){.force = ""}, &env->plan);
    if (!*status) *status = greta_stream_create(env->dev, &env->stream);
    if (*status) {
        kc_env_close(env);
        return false;
    }
    env->limits = greta_dev_get_limits(env->dev);
    env->format = greta_dev_get_image_format(env->dev);
    env->guard = env->format == GRETA_IMAGE_HOST;
    env->announce = kc_announce;
    return true;
}

void kc_env_close(struct kc_env *env) {
    greta_stream_destroy(&env->stream);
    greta_plan_destroy(&env->plan);
    greta_dev_close(&env->dev);
    greta_ctx_destroy(&env->ctx);
}

bool kc_row_matches(const char *pattern, const char *name) {
    size_t n = strlen(pattern);
    return n && pattern[n - 1] == '*' ? !strncmp(pattern, name, n - 1) : !strcmp(pattern, name);
}

static bool wanted(const struct walk *w, const struct greta_variant *row) {
    return row->format == w->env->format && (!w->options->row || kc_row_matches(w->options->row, row->name));
}

static void tell_failure(struct walk *w, const char *name, const struct kc_case *c, const char *message) {
    char text[400];
    if (w->n_failures_told++ >= 40) return;
    printf("     %s (%s, seed %llu): %s\n", name, kc_case_text(c, text, sizeof text),
           (unsigned long long)w->env->seed, message);
}

static void tell_slow(const struct walk *w, const char *name, const struct kc_case *c, uint64_t ns) {
    char text[400];
    if (w->options->slow_ms && ns >= w->options->slow_ms * 1000000ull)
        printf("     %6.2f s  %s (%s)\n", (double)ns * 1e-9, name, kc_case_text(c, text, sizeof text));
}

/* A row of other types is no refusal worth a word. */
static bool reads_types(const struct greta_variant *row, const struct greta_call *call) {
    return !row->w_types || ((row->w_types >> call->keys[0] & 1) &&
                             (!kc_is_product(call->op) || row->x_type == kc_x_type(call)));
}

static struct kernel *kernel_of(struct walk *w, const struct greta_variant *row,
                                const struct greta_call *call) {
    for (uint32_t i = 0; i < w->n_kernels; i++)
        if (w->kernels[i].row == row && !memcmp(w->kernels[i].keys, call->keys, sizeof call->keys))
            return &w->kernels[i];
    struct kernel *grown = realloc(w->kernels, (w->n_kernels + 1) * sizeof *grown);
    if (!grown) exit(1);
    w->kernels = grown;
    grown[w->n_kernels] = (struct kernel){.row = row};
    memcpy(grown[w->n_kernels].keys, call->keys, sizeof call->keys);
    return &grown[w->n_kernels++];
}

/* Whether one of the sizes that tiles and vectors cut is no multiple of 16. */
static bool is_ragged(const struct greta_call *call) {
    static const char *const names[] = {"m",      "n",     "k",     "n_tok",  "n_rows",
                                        "n_cols", "n_ids", "n_ctx", "n_split"};
    const struct greta_op_info *info = greta_op_get_info(call->op);
    for (uint32_t i = 0; i < info->n_scalars; i++)
        for (uint32_t j = 0; j < sizeof names / sizeof *names; j++)
            if (!strcmp(info->scalar_names[i], names[j]) && call->scalars.u32[i] % 16) return true;
    return false;
}

/* Whether the case says more of a kernel than the ones before it. */
static bool is_needed(const struct walk *w, const struct kernel *kernel, const struct greta_call *call) {
    return !kernel || (kernel->n_cases < w->options->per_kernel && is_ragged(call));
}

/* True where the row served the case, well or not. */
static bool check_row(struct walk *w, const struct greta_variant *row, struct tally *t,
                      struct kc_prepared *p) {
    char message[512] = "";
    struct greta_call call = p->c->call;
    call.layout = row->layout;
    const char *refusal = greta_variant_refusal(row, w->env->limits, &call);
    struct kernel *kernel = !refusal && w->options->per_kernel ? kernel_of(w, row, &call) : NULL;
    if (!refusal && !is_needed(w, kernel, &call)) return true;
    if (!refusal && !p->data.bytes[0] && !kc_data_make(&p->data, p->c, w->env->seed * 7919 + w->i_case)) {
        printf("FAIL: out of memory\n");
        exit(1);
    }
    uint64_t start = clock_ns();
    if (!refusal) refusal = kc_check(w->env, row, p, &t->worst, message, sizeof message);
    if (!refusal) tell_slow(w, row->name, p->c, clock_ns() - start);
    if (refusal) {
        t->n_refused++;
        snprintf(t->refusal, sizeof t->refusal, "%s", refusal);
        return false;
    }
    t->n_cases++;
    if (kernel) kernel->n_cases++;
    if (message[0]) {
        t->n_failed++;
        tell_failure(w, row->name, p->c, message);
    }
    return true;
}

/* Types that only rows on the host read: they have no packed layout, and stand for F16 elsewhere. */
static bool is_for_the_host(const struct walk *w, const struct greta_call *call) {
    const struct greta_op_info *info = greta_op_get_info(call->op);
    return w->env->format != GRETA_IMAGE_HOST && info->n_keys && !strcmp(info->key_names[0], "w_type") &&
           call->keys[0] < GRETA_N_WEIGHT_TYPES && !GRETA_TYPE_IS_PACKED(call->keys[0]);
}

/* A unit of a Q8_0 cache is made by many workgroups in matvec_qkv. */
static bool makes_units(const struct walk *w, const struct greta_call *call) {
    return w->env->format != GRETA_IMAGE_HOST && call->op == GRETA_OP_MATVEC_QKV &&
           op_extras(call) & EXTRA_KV_Q8_0;
}

/* A norm before a product, which the host's rows would do once in every group. */
static bool is_for_a_gpu(const struct walk *w, const struct greta_call *call) {
    bool product = kc_is_product(call->op);
    return w->env->format == GRETA_IMAGE_HOST && product && op_extras(call) & EXTRA_NORM;
}

/* Code for AMD GPUs is built beforehand: a fused op has kernels for the keys of models, and the plan does without it for others. */
static bool is_optional(const struct walk *w, const struct greta_call *call) {
    if (w->env->format != GRETA_IMAGE_AMDGPU) return false;
    /* Its kernels are for waves of 64: small GPUs have no idle compute units that it could fill. */
    if (call->op == GRETA_OP_MATVEC_SPLIT) return w->env->limits->subgroup_max < 64;
    return call->op == GRETA_OP_MATVEC_QKV;
}

/* A bit for the type of the weights or of the cache, of which each op's rows have one decoder each. */
static uint64_t type_of(const struct greta_call *call) {
    const struct greta_op_info *info = greta_op_get_info(call->op);
    bool has_type =
        info->n_keys && (!strcmp(info->key_names[0], "w_type") || !strcmp(info->key_names[0], "kv_type"));
    return has_type ? 1ull << call->keys[0] : 0;
}

/* Whether the first of a call's types is the one asked for. */
static bool has_type(const struct options *o, const struct greta_call *call) {
    const struct greta_op_info *info = greta_op_get_info(call->op);
    if (!o->type) return true;
    for (uint32_t i = 0; i < info->n_keys; i++)
        if (strstr(info->key_names[i], "type"))
            return !strcmp(greta_type_get_info(call->keys[i])->name, o->type);
    return false;
}

/* Whether a case is among those asked for, or no case with its type was served yet. */
static bool is_taken(const struct walk *w, const struct greta_call *call) {
    uint32_t every = w->options->every;
    return !every || !((w->i_case + w->options->seed) % every) || (type_of(call) & ~w->types);
}

static void check_case(void *user, const struct kc_case *c) {
    struct walk *w = user;
    struct kc_prepared p = {.c = c, .operand_eps = -1};
    bool covered = false, any = false;
    w->i_case++;
    if (!has_type(w->options, &c->call)) return;
    if (c->large && (w->env->limits->is_cpu || w->env->limits->is_emulated)) return;
    if (is_for_the_host(w, &c->call) || is_for_a_gpu(w, &c->call) || makes_units(w, &c->call)) return;
    bool taken = is_taken(w, &c->call);
    for (uint32_t i = 0; i < greta_variant_count(); i++) {
        const struct greta_variant *row = greta_variant_at(i);
        if (row->op != c->call.op || !wanted(w, row)) continue;
        any = true;
        if (!reads_types(row, &c->call)) continue;
        if (!taken && w->tallies[i].n_cases) continue;
        covered |= check_row(w, row, &w->tallies[i], &p);
    }
    if (covered) w->types |= type_of(&c->call);
    /* Float weights need no 8-bit activations, and those of f16 are for matrix units; all else some row must serve. */
    bool product = kc_is_product(c->call.op);
    if (taken && any && !covered && !w->options->row && !(product && kc_x_type(&c->call) != GRETA_TYPE_F32) &&
        !is_optional(w, &c->call)) {
        w->n_uncovered++;
        tell_failure(w, greta_op_get_info(c->call.op)->name, c, "no row serves it");
    }
    ref_free(p.outputs);
    kc_data_free(&p.data);
}

/* Rows for waves of another size are another device's. */
static bool has_its_subgroups(const struct greta_limits *limits, const struct greta_variant *row) {
    return !row->subgroup_size ||
           (row->subgroup_size >= limits->subgroup_min && row->subgroup_size <= limits->subgroup_max);
}

static int report_op(const struct walk *w, enum greta_op op, uint32_t totals[3], double seconds) {
    uint32_t n_rows = 0;
    for (uint32_t i = 0; i < greta_variant_count(); i++) {
        const struct greta_variant *row = greta_variant_at(i);
        const struct tally *t = &w->tallies[i];
        if (row->op != op || !wanted(w, row)) continue;
        n_rows++;
        bool is_missing = !t->n_cases && w->options->per_kernel && has_its_subgroups(w->env->limits, row);
        const char *result = t->n_failed || is_missing ? "FAIL" : t->n_cases ? "ok  " : "skip";
        totals[t->n_failed || is_missing ? 1 : t->n_cases ? 0 : 2]++;
        printf("%s %-28s %4u cases, worst error %.3f of its bound", result, row->name, t->n_cases, t->worst);
        if (t->n_failed) printf(", %u FAILED", t->n_failed);
        if (t->n_refused) printf(", %u refused (%s)", t->n_refused, t->refusal);
        printf("\n");
    }
    if (!n_rows && !w->options->row) {
        printf("skip %-28s has no row for this device\n", greta_op_get_info(op)->name);
        totals[2]++;
    }
    if (seconds > 1) printf("     %s took %.1f s\n", greta_op_get_info(op)->name, seconds);
    fflush(stdout);
    return 0;
}

static int run_all(struct kc_env *env, const struct options *o) {
    struct walk w = {.env = env, .options = o};
    uint32_t totals[3] = {0};
    w.tallies = calloc(greta_variant_count() + 1, sizeof *w.tallies);
    if (!w.tallies) return 1;
    kc_catch_faults();
    for (int op = 0; op < GRETA_N_OPS; op++) {
        const struct greta_op_info *info = greta_op_get_info((enum greta_op)op);
        if (o->op && strcmp(o->op, info->name)) continue;
        uint64_t start = clock_ns();
        w.types = 0;
        kc_cases((enum greta_op)op, check_case, &w);
        if (o->per_kernel) kc_cases_keys((enum greta_op)op, check_case, &w);
        report_op(&w, (enum greta_op)op, totals, (double)(clock_ns() - start) * 1e-9);
    }
    if (w.n_uncovered) printf("FAIL: %u cases that no row serves\n", w.n_uncovered);
    printf("%u passed, %u failed, %u skipped\n", totals[0], totals[1] + (w.n_uncovered > 0), totals[2]);
    free(w.tallies);
    free(w.kernels);
    return totals[1] || w.n_uncovered || !totals[0];
}

static int list(void) {
    static const char *const formats[] = {"host", "spirv", "amdgpu"};
    for (uint32_t i = 0; i < greta_variant_count(); i++) {
        const struct greta_variant *v = greta_variant_at(i);
        printf("%-7s %-14s %-28s%s%s%s\n", formats[v->format], greta_op_get_info(v->op)->name, v->name,
               v->flags & VARIANT_EXACT ? " exact" : "", v->flags & VARIANT_FORCED_ONLY ? " forced-only" : "",
               v->layout == GRETA_LAYOUT_PACKED ? " packed" : "");
    }
    return 0;
}

/* An op, row or type by a name that none has would pass, having checked nothing. */
static bool known(const struct options *o) {
    bool op = !o->op, row = !o->row, type = !o->type;
    for (int i = 0; i < GRETA_N_OPS; i++)
        op |= o->op && !strcmp(o->op, greta_op_get_info((enum greta_op)i)->name);
    for (uint32_t i = 0; i < greta_variant_count(); i++)
        row |= o->row && kc_row_matches(o->row, greta_variant_at(i)->name);
    for (uint32_t i = 0; i <= GRETA_TYPE_FP8; i++) {
        const struct greta_type_info *info = greta_type_get_info(i);
        type |= o->type && info && !strcmp(o->type, info->name);
    }
    if (!op) fprintf(stderr, "kernelcheck: no op has the name %s\n", o->op);
    if (!row) fprintf(stderr, "kernelcheck: no row has the name %s; --list shows them\n", o->row);
    if (!type) fprintf(stderr, "kernelcheck: no type has the name %s\n", o->type);
    return op && row && type;
}

static int usage(void) {
    fprintf(stderr,
            "usage: kernelcheck [-d DEVICE] [--op NAME] [--row NAME] [--type NAME] [--seed N] [--every N] "
            "[--per-kernel N] [--max-groups N] [--slow-ms N] [--bench] [--selftest] "
            "[--list]\n");
    return 2;
}

/* Digits and nothing else: what is no number would be 0, which for most options is all of it. */
static bool parse_number(const char *name, const char *text, uint64_t most, uint64_t *out) {
    char *end;
    errno = 0;
    *out = strtoull(text, &end, 10);
    if (text[0] >= '0' && text[0] <= '9' && !*end && !errno && *out <= most) return true;
    fprintf(stderr, "kernelcheck: %s wants a whole number, not %s\n", name, text);
    return false;
}

/* Of one option and its value. */
static bool parse_value(const char *name, const char *value, struct options *o) {
    const struct {
        const char *name, **text;
    } texts[] = {{"-d", &o->device}, {"--op", &o->op}, {"--row", &o->row}, {"--type", &o->type}};
    const struct {
        const char *name;
        uint32_t *number;
    } numbers[] = {{"--every", &o->every},
                   {"--per-kernel", &o->per_kernel},
                   {"--slow-ms", &o->slow_ms},
                   {"--max-groups", &o->max_groups}};
    uint64_t n;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (!strcmp(name, texts[i].name)) return *texts[i].text = value, true;
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (!strcmp(name, numbers[i].name))
            return parse_number(name, value, UINT32_MAX, &n) && (*numbers[i].number = (uint32_t)n, true);
    if (!strcmp(name, "--seed")) return parse_number(name, value, UINT64_MAX, &o->seed);
    return !usage();
}

static int parse(int argc, char **argv, struct options *o) {
    for (int i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "--bench"))
            o->bench = true;
        else if (!strcmp(argv[i], "--selftest"))
            o->selftest = true;
        else if (!strcmp(argv[i], "--list"))
            o->list = true;
        else if (i + 1 == argc)
            return usage();
        else if (!parse_value(argv[i], argv[i + 1], o))
            return 2;
        else
            i++;
    }
    return 0;
}

int main(int argc, char **argv) {
    struct options o = {.seed = 1};
    if (parse(argc, argv, &o) || !known(&o)) return 2;
    if (o.list) return list();
    if (o.selftest) return kc_selftest(o.seed);
    struct kc_env env = {.seed = o.seed};
    greta_status status;
    if (!kc_env_open(&env, o.device ? o.device : "cpu", o.max_groups, &status)) {
        bool absent = status == GRETA_ERR_UNAVAILABLE || status == GRETA_ERR_NOT_FOUND;
        printf("%s: %s\n", o.device ? o.device : "cpu", greta_status_text(status));
        return absent ? 77 : 1;
    }
    printf("%s: %s\n", greta_dev_get_info(env.dev)->name, greta_dev_get_info(env.dev)->driver);
    int result = o.bench ? kc_bench(&env, o.op, o.row, o.type) : run_all(&env, &o);
    kc_env_close(&env);
    return result;
}
