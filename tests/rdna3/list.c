/* The kernels of the Vulkan variant table: rows, the types and switches that models have, and sets of constants. */
#include "list.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static bool is_matrix_row(const struct greta_variant *v) {
    return strstr(v->name, "coopmat") != NULL;
}

/* The types that values have beside queries and keys of a type: its own, and what llama.cpp's mixes (Q4_K_M and the like) give them. */
static uint32_t v_type(uint32_t w_type, uint32_t i) {
    static const struct {
        uint32_t w, v;
    } mixes[] = {{GRETA_TYPE_Q2_K, GRETA_TYPE_Q3_K},  {GRETA_TYPE_Q2_K, GRETA_TYPE_Q4_K},
                 {GRETA_TYPE_Q3_K, GRETA_TYPE_Q4_K},  {GRETA_TYPE_Q3_K, GRETA_TYPE_Q5_K},
                 {GRETA_TYPE_Q4_K, GRETA_TYPE_Q5_K},  {GRETA_TYPE_Q4_K, GRETA_TYPE_Q6_K},
                 {GRETA_TYPE_Q5_K, GRETA_TYPE_Q6_K},  {GRETA_TYPE_IQ4_NL, GRETA_TYPE_Q5_K},
                 {GRETA_TYPE_IQ4_XS, GRETA_TYPE_Q5_K}};
    if (i-- == 0) return w_type;
    for (size_t m = 0; m < sizeof mixes / sizeof *mixes; m++)
        if (mixes[m].w == w_type && i-- == 0) return mixes[m].v;
    return UINT32_MAX;
}

/* The value number i of a key that is in use, or UINT32_MAX past the last; `before` are the values of the keys before it. */
static uint32_t key_value(const struct rdna3_list *l, const struct greta_variant *v, const char *key,
                          const uint32_t *before, uint32_t i) {
    static const uint32_t floats[] = {GRETA_TYPE_F32, GRETA_TYPE_F16, GRETA_TYPE_BF16};
    static const uint32_t heads[] = {64, 96, 128, 256},
                          n_heads = sizeof heads / sizeof *heads; /* as models have them */
    if (!strcmp(key, "w_type")) {
        for (uint32_t type = 0; type < GRETA_N_WEIGHT_TYPES; type++)
            if (v->w_types & l->w_types & 1U << type && i-- == 0) return type;
        return UINT32_MAX;
    }
    if (!strcmp(key, "x_type") && v->w_types) return i ? UINT32_MAX : v->x_type;
    if (!strcmp(key, "x_type") || !strcmp(key, "y_type")) return i < 3 ? floats[i] : UINT32_MAX;
    if (!strcmp(key, "v_type") && l->sets == RDNA3_EDGE && i) return UINT32_MAX;
    if (!strcmp(key, "v_type")) return v_type(before[0], i); /* the second key, after w_type */
    if (!strcmp(key, "type")) return i < 3 ? floats[i] : i == 3 ? GRETA_TYPE_I8 : UINT32_MAX;
    if (!strcmp(key, "kv_type"))
        return i < 2 ? floats[i] : i == 2 && v->extras & EXTRA_KV_Q8_0 ? GRETA_TYPE_Q8_0 : UINT32_MAX;
    if (!strcmp(key, "head_dim")) return i < n_heads ? heads[i] : UINT32_MAX;
    static const char *const switches[] = {"norm", "bias", "mode", "add", "act", "a_order", "b_order"};
    for (size_t k = 0; k < sizeof switches / sizeof *switches; k++)
        if (!strcmp(key, switches[k])) return i < 2 ? i : UINT32_MAX;
    fprintf(stderr, "rdna3: no values are known of the key %s: give some in key_value\n", key);
    exit(1);
}

struct shape {
    uint32_t n_tok, n_ctx, n_head_kv;
};

/* An aligned call of the row's op: shapes of a 7 B model. */
static struct greta_call typical_call(const struct greta_variant *v, const uint32_t *keys,
                                      const struct shape *shape) {
    const struct {
        const char *name;
        uint32_t value;
    } sizes[] = {{"n_tok", shape->n_tok}, {"n_ctx", shape->n_ctx}, {"n_head_kv", shape->n_head_kv},
                 {"n_rows", 4096},        {"n_cols", 4096},        {"n_head", 32},
                 {"n_split", 4},          {"head_dim", 128},       {"n_rot", 128},
                 {"window", 0},           {"softcap", 0}};
    const struct greta_op_info *info = greta_op_get_info(v->op);
    struct greta_call call = {.op = v->op, .layout = v->layout};
    memcpy(call.keys, keys, sizeof call.keys);
    for (uint32_t s = 0; s < info->n_scalars; s++) {
        call.scalars.u32[s] = 1;
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
            if (!strcmp(info->scalar_names[s], sizes[i].name)) call.scalars.u32[s] = sizes[i].value;
    }
    if (v->op == GRETA_OP_GEMM) call.scalars.gemm = (struct greta_scalars_gemm){4096, 4096, 4096};
    return call;
}

/*
 * Of switches that go together, what models have on this GPU. A decode step norms inside its first matrices, except in models that norm
 * what a half of a layer gives, too (gemma2); biases and norms of heads are of models with mode 1.
 */
static const struct model_switches {
    enum greta_op op;
    bool large; /* all models of this kind have 2,048 columns or more */
    uint32_t n;
    struct {
        const char *key;
        uint32_t value;
    } keys[3];
} model_switches[] = {
    {GRETA_OP_MATVEC_QKV, false, 3, {{"mode", 0}, {"norm", 1}, {"bias", 0}}}, /* llama */
    {GRETA_OP_MATVEC_QKV, false, 3, {{"mode", 1}, {"norm", 1}, {"bias", 1}}}, /* qwen2 */
    {GRETA_OP_MATVEC_QKV, true, 3, {{"mode", 1}, {"norm", 1}, {"bias", 0}}},  /* phi3; gemma2's first layer */
    {GRETA_OP_MATVEC_QKV, true, 3, {{"mode", 1}, {"norm", 0}, {"bias", 0}}},  /* gemma2 */
    {GRETA_OP_MATVEC_GLU, false, 2, {{"act", GRETA_ACT_SILU}, {"norm", 1}}},  /* all others */
    {GRETA_OP_MATVEC_GLU, false, 2, {{"act", GRETA_ACT_GELU}, {"norm", 0}}},  /* gemma2 */
    {GRETA_OP_ROPE_KV, false, 3, {{"mode", 0}, {"norm", 0}, {"bias", 0}}},    /* llama */
    {GRETA_OP_ROPE_KV, false, 3, {{"mode", 1}, {"norm", 0}, {"bias", 0}}},    /* phi3, gemma2 */
    {GRETA_OP_ROPE_KV, false, 3, {{"mode", 1}, {"norm", 0}, {"bias", 1}}},    /* qwen2 */
    {GRETA_OP_ROPE_KV, false, 3, {{"mode", 1}, {"norm", 1}, {"bias", 0}}},    /* qwen3 */
};

static bool has_switches(const struct model_switches *m, const uint32_t *keys) {
    for (uint32_t i = 0; i < m->n; i++)
        if (keys[op_find_key(m->op, m->keys[i].key)] != m->keys[i].value) return false;
    return true;
}

/* The row that a plan takes for it where none is forced or tuned. */
static const struct greta_variant *taken(const struct greta_limits *limits, const struct greta_call *call) {
    for (uint32_t i = 0; i < greta_variant_count(); i++) {
        const struct greta_variant *v = greta_variant_at(i);
        if (v->op == call->op && v->format == GRETA_IMAGE_SPIRV && !(v->flags & VARIANT_FORCED_ONLY) &&
            !greta_variant_refusal(v, limits, call) && !(v->unwise && v->unwise(v, limits, call)))
            return v;
    }
    return NULL;
}

/* Whether a model has these values beside each other, and what is large goes by this row: with other constants it may. */
static bool in_use(const struct rdna3_list *l, const struct greta_variant *v, const uint32_t *keys) {
    const struct shape one = {1, 256, 8};
    const struct greta_call call = typical_call(v, keys, &one);
    bool any = true;
    for (size_t i = 0; i < sizeof model_switches / sizeof *model_switches; i++) {
        const struct model_switches *m = &model_switches[i];
        if (m->op != v->op) continue;
        if (has_switches(m, keys)) return !m->large || l->sets != RDNA3_OWN || taken(l->limits, &call) == v;
        any = false;
    }
    return any;
}

/* What an unforced plan says against the row where it would take it on a device that is a CPU, else NULL. */
static const char *only_for_cpus(const struct greta_variant *v, const struct greta_limits *limits,
                                 const struct greta_call *call) {
    struct greta_limits cpu = *limits;
    cpu.is_cpu = true;
    return v->unwise && !v->unwise(v, &cpu, call) ? v->unwise(v, limits, call) : NULL;
}

/* NULL where the row admits one of the shapes that rows are made for, else what it says of the first. The tuner tries what is unwise, too. */
static const char *refusal(const struct rdna3_list *l, const struct greta_variant *v, const uint32_t *keys) {
    static const struct shape shapes[] = {{512, 1024, 8}, {512, 1024, 32}, {1, 256, 8}, {1, 256, 32}};
    const char *first = NULL;
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        struct greta_call call = typical_call(v, keys, &shapes[i]);
        const char *why = greta_variant_refusal(v, l->limits, &call);
        if (!why && l->sets == RDNA3_OWN) why = only_for_cpus(v, l->limits, &call);
        if (!why) return NULL;
        if (!first) first = why;
    }
    return first;
}

/* ---- sets of constants ---- */

static const uint32_t *constant_of(const struct greta_variant *v, const struct variant_param *p) {
    return p->i_tunable == VARIANT_PARAM_THREADS ? &v->n_threads : &v->tunables[p->i_tunable];
}

/* Whether `larger` is v with a larger value of one constant and the others as they are. */
static bool is_larger(const struct greta_variant *v, const struct greta_variant *larger) {
    uint32_t n_larger = 0, n_smaller = 0;
    for (uint32_t p = 0; p < v->n_params; p++) {
        uint32_t has = *constant_of(v, &v->params[p]), other = *constant_of(larger, &v->params[p]);
        n_larger += other > has;
        n_smaller += other < has;
    }
    return n_larger == 1 && !n_smaller;
}

static bool is_edge(const struct rdna3_list *l, const struct greta_variant *v, const uint32_t *keys) {
    struct greta_variant other;
    for (uint32_t i = 1; i < greta_variant_n_instances(v); i++) {
        variant_instance(v, i, &other);
        if (is_larger(v, &other) && !refusal(l, &other, keys)) return false;
    }
    return true;
}

/* Kernels in an order that has equal ones beside each other: rows share images, and differ in the constants alone. */
static int by_kernel(const void *a, const void *b) {
    const struct rdna3_job *x = a, *y = b;
    if (x->v->image != y->v->image) return x->v->image < y->v->image ? -1 : 1;
    if (x->v->n_threads != y->v->n_threads) return x->v->n_threads < y->v->n_threads ? -1 : 1;
    if (x->row.wave != y->row.wave) return x->row.wave < y->row.wave ? -1 : 1;
    int order = memcmp(x->v->tunables, y->v->tunables, sizeof x->v->tunables);
    return order ? order : memcmp(x->keys, y->keys, sizeof x->keys);
}

static void drop_equal(struct rdna3_list *l) {
    uint32_t n = 0;
    if (l->n) qsort(l->jobs, l->n, sizeof *l->jobs, by_kernel);
    for (uint32_t i = 0; i < l->n; i++)
        if (!n || by_kernel(&l->jobs[n - 1], &l->jobs[i])) l->jobs[n++] = l->jobs[i];
    l->n = n;
}

/* ---- the list ---- */

static void describe(struct rdna3_job *j) {
    const struct greta_op_info *info = greta_op_get_info(j->v->op);
    char *out = j->row.constants;
    size_t size = sizeof j->row.constants,
           used = (size_t)snprintf(out, size, "threads=%" PRIu32, j->v->n_threads);
    for (uint32_t k = 0; k < info->n_keys && used < size; k++) {
        const struct greta_type_info *type =
            strstr(info->key_names[k], "type") ? greta_type_get_info(j->keys[k]) : NULL;
        used +=
            type ? (size_t)snprintf(out + used, size - used, " %s=%s", info->key_names[k], type->name)
                 : (size_t)snprintf(out + used, size - used, " %s=%" PRIu32, info->key_names[k], j->keys[k]);
    }
    for (uint32_t t = 0; t < j->v->n_tunables && used < size; t++)
        used += (size_t)snprintf(out + used, size - used, t ? ",%" PRIu32 : " tunables=%" PRIu32,
                                 j->v->tunables[t]);
}

static bool add_job(struct rdna3_list *l, const struct greta_variant *v, const uint32_t *keys,
                    uint32_t wave) {
    if (l->n == l->capacity) {
        l->capacity = l->capacity ? 2 * l->capacity : 256;
        struct rdna3_job *jobs = realloc(l->jobs, l->capacity * sizeof *jobs);
        if (!jobs) return false;
        l->jobs = jobs;
    }
    struct rdna3_job *j = &l->jobs[l->n++];
    *j = (struct rdna3_job){.v = v};
    memcpy(j->keys, keys, sizeof j->keys);
    snprintf(j->row.name, sizeof j->row.name, "%s", v->name);
    j->row.wave = wave;
    describe(j);
    return true;
}

/* Every product of the keys' values from key k on. */
static bool add_keys(struct rdna3_list *l, const struct greta_variant *v, uint32_t *keys, uint32_t k) {
    const struct greta_op_info *info = greta_op_get_info(v->op);
    if (k < info->n_keys && k < GRETA_OP_MAX_KEYS) {
        for (uint32_t i = 0; (keys[k] = key_value(l, v, info->key_names[k], keys, i)) != UINT32_MAX; i++)
            if (!add_keys(l, v, keys, k + 1)) return false;
        return true;
    }
    if (!in_use(l, v, keys)) return true;
    const char *why = refusal(l, v, keys);
    if (why) {
        l->n_refused++;
        if (l->sets == RDNA3_OWN) printf("left out: %s: %s\n", v->name, why);
        return true;
    }
    if (l->sets == RDNA3_EDGE && !is_edge(l, v, keys)) return true;
    for (uint32_t wave = 32; wave <= 64; wave += 32)
        if ((!v->subgroup_size || v->subgroup_size == wave) && !add_job(l, v, keys, wave)) return false;
    return true;
}

/* The row, or the row with each set of constants, which is kept behind the n_sets that are there. */
static bool add_row(struct rdna3_list *l, const struct greta_variant *v, uint32_t *n_sets) {
    uint32_t keys[GRETA_OP_MAX_KEYS] = {0};
    if (l->sets == RDNA3_OWN) return add_keys(l, v, keys, 0);
    for (uint32_t i = 1; i < greta_variant_n_instances(v); i++) {
        struct greta_variant *set = &l->with_set[(*n_sets)++];
        variant_instance(v, i, set);
        if (!add_keys(l, set, keys, 0)) return false;
    }
    return true;
}

bool rdna3_list_make(struct rdna3_list *l) {
    uint32_t n_sets = 0;
    for (uint32_t i = 0; i < greta_variant_count(); i++)
        n_sets += greta_variant_n_instances(greta_variant_at(i));
    l->with_set = calloc(n_sets, sizeof *l->with_set);
    if (!l->with_set) return false;
    n_sets = 0;
    for (uint32_t i = 0; i < greta_variant_count(); i++) {
        const struct greta_variant *v = greta_variant_at(i);
        if (v->format != GRETA_IMAGE_SPIRV || is_matrix_row(v) != l->matrix) continue;
        if (l->only_row && strcmp(l->only_row, v->name) != 0) continue;
        if (!add_row(l, v, &n_sets)) return false;
    }
    if (l->sets != RDNA3_OWN) drop_equal(l);
    return true;
}

void rdna3_list_free(struct rdna3_list *l) {
    free(l->jobs);
    free(l->with_set);
    l->jobs = NULL;
    l->with_set = NULL;
}
