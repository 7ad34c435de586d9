/* A plan: makes the kernels of the rows that it chooses, keeps its choices, and records dispatches. */
#include "plan.h"
#include "shape.h"

#include <greta/env.h>

#include "thread.h"

#include <stdlib.h>
#include <string.h>

static bool rows_collect(struct greta_plan *plan) {
    uint32_t n = 0, n_all = greta_variant_count();
    plan->rows = calloc(n_all ? n_all : 1, sizeof *plan->rows);
    for (int op = 0; plan->rows && op < GRETA_N_OPS; op++) {
        plan->first_row[op] = n;
        for (uint32_t i = 0; i < n_all; i++) {
            const struct greta_variant *v = greta_variant_at(i);
            if ((int)v->op == op && v->format == plan->format && !(v->flags & VARIANT_FORCED_ONLY))
                plan->rows[n++] = v;
        }
    }
    plan->first_row[GRETA_N_OPS] = n;
    return plan->rows != NULL;
}

greta_status greta_plan_create(struct greta_dev *dev, const struct greta_plan_params *params,
                               struct greta_plan **out) {
    static const struct greta_plan_params defaults = {0};
    *out = NULL;
    if (!dev) return GRETA_ERR_INVALID;
    if (!params) params = &defaults;
    struct greta_plan *plan = calloc(1, sizeof *plan);
    if (!plan) return GRETA_ERR_NO_MEMORY;
    plan->dev = dev;
    plan->log = greta_dev_get_log(dev);
    plan->limits = greta_dev_get_limits(dev);
    plan->format = greta_dev_get_image_format(dev);
    plan->policy = params->policy;
    plan->tuned = params->tuned;
    plan->tuned_user = params->tuned_user;
    pthread_mutex_init(&plan->lock, NULL);
    plan->choices = calloc(PLAN_N_CHOICES, sizeof *plan->choices);
    greta_status status = plan->choices && rows_collect(plan) ? GRETA_OK : GRETA_ERR_NO_MEMORY;
    if (!status)
        status = params->force
                     ? plan_force(plan, params->force, "the rows asked for")
                     : plan_force(plan, greta_env_get(GRETA_ENV_FORCE), greta_env_name(GRETA_ENV_FORCE));
    if (status) greta_plan_destroy(&plan);
    *out = plan;
    return status;
}

void greta_plan_destroy(struct greta_plan **plan) {
    struct greta_plan *p = plan ? *plan : NULL;
    if (!p) return;
    for (uint32_t i = 0; i < p->n_modules; i++) greta_module_unload(&p->modules[i].module);
    free(p->modules);
    free(p->rows);
    free(p->choices);
    plan_instances_free(p);
    pthread_mutex_destroy(&p->lock);
    free(p);
    *plan = NULL;
}

/* ---- kernels ---- */

static greta_status module_get_locked(struct greta_plan *plan, const struct greta_image *image,
                                      struct greta_module **out) {
    for (uint32_t i = 0; i < plan->n_modules; i++)
        if (plan->modules[i].image == image) {
            *out = plan->modules[i].module;
            return GRETA_OK;
        }
    if (plan->n_modules == plan->capacity_modules) {
        uint32_t capacity = plan->capacity_modules ? 2 * plan->capacity_modules : 32;
        struct plan_module *grown = realloc(plan->modules, capacity * sizeof *grown);
        if (!grown) return GRETA_ERR_NO_MEMORY;
        plan->modules = grown;
        plan->capacity_modules = capacity;
    }
    greta_status status = greta_module_load(plan->dev, image, out);
    if (!status) plan->modules[plan->n_modules++] = (struct plan_module){image, *out};
    return status;
}

/* The constants: see variant.h. The same ones give the same kernel, so nothing is kept here. */
static greta_status kernel_make(struct greta_plan *plan, const struct greta_variant *v, const uint32_t *keys,
                                struct greta_kernel **out) {
    struct greta_constant constants[2 + GRETA_OP_MAX_KEYS + VARIANT_MAX_TUNABLES] = {{0, v->n_threads}};
    const struct greta_op_info *info = greta_op_get_info(v->op);
    uint32_t n = 1;
    for (uint32_t i = 0; i < info->n_keys; i++, n++)
        constants[n] = (struct greta_constant){n, variant_key_constant(v, i, keys[i])};
    for (uint32_t i = 0; i < v->n_tunables; i++, n++)
        constants[n] = (struct greta_constant){n, v->tunables[i]};
    if (v->subgroup_size)
        constants[n++] = (struct greta_constant){GRETA_CONSTANT_SUBGROUP_SIZE, v->subgroup_size};
    struct greta_module *module = NULL;
    *out = NULL;
    pthread_mutex_lock(&plan->lock);
    greta_status status = module_get_locked(plan, v->image, &module);
    pthread_mutex_unlock(&plan->lock);
    if (status) return status;
    /* A host row has no workgroup: its constants begin with the keys. */
    uint32_t first = v->format == GRETA_IMAGE_HOST;
    return greta_kernel_get(module, v->entry, constants + first, n - first, out);
}

struct build {
    struct greta_plan *plan;
    const struct greta_variant *variant;
    const uint32_t *keys;
    greta_status status;
};

static void build_one(void *user, uint32_t i, unsigned i_thread) {
    struct build *b = (struct build *)user + i;
    struct greta_kernel *kernel;
    (void)i_thread;
    b->status = kernel_make(b->plan, b->variant, b->keys, &kernel);
}

static bool same_kernel(const struct build *b, const struct greta_variant *v, const uint32_t *keys) {
    return b->variant == v && !memcmp(b->keys, keys, greta_op_get_info(v->op)->n_keys * sizeof *keys);
}

static greta_status builds_collect(struct greta_plan *plan, const struct greta_call *calls, uint32_t n_calls,
                                   struct build *builds, uint32_t *n) {
    for (uint32_t i = 0; i < n_calls; i++) {
        const struct greta_variant *v;
        greta_status status = greta_plan_choose(plan, &calls[i], &v);
        if (status) return status;
        uint32_t k = 0;
        while (k < *n && !same_kernel(&builds[k], v, calls[i].keys)) k++;
        if (k == *n) builds[(*n)++] = (struct build){plan, v, calls[i].keys, GRETA_OK};
    }
    return GRETA_OK;
}

/* The largest code first: a long build that begins last would leave the other threads without work. */
static int by_size(const void *a, const void *b) {
    const size_t x = ((const struct build *)a)->variant->image->size_bytes,
                 y = ((const struct build *)b)->variant->image->size_bytes;
    return (x < y) - (x > y);
}

greta_status greta_plan_prepare(struct greta_plan *plan, const struct greta_call *calls, uint32_t n_calls) {
    struct build *builds = calloc(n_calls ? n_calls : 1, sizeof *builds);
    struct thread_pool *pool = NULL;
    uint32_t n = 0;
    greta_status status = builds ? builds_collect(plan, calls, n_calls, builds, &n) : GRETA_ERR_NO_MEMORY;
    if (builds) qsort(builds, n, sizeof *builds, by_size);
    /* Host code has nothing to compile. */
    if (!status) status = thread_pool_create(plan->format == GRETA_IMAGE_HOST || n < 2 ? 1 : 0, &pool);
    if (!status) thread_pool_loop(pool, n, build_one, builds);
    for (uint32_t i = 0; !status && i < n; i++) status = builds[i].status;
    thread_pool_destroy(&pool);
    free(builds);
    return status;
}

void greta_plan_prepare_variants(struct greta_plan *plan, const struct greta_call *call,
                                 const struct greta_variant *const *variants, uint32_t n_variants) {
    struct build *builds = calloc(n_variants ? n_variants : 1, sizeof *builds);
    struct thread_pool *pool = NULL;
    bool worth = builds && plan->format != GRETA_IMAGE_HOST && n_variants > 1;
    if (worth && !thread_pool_create(0, &pool)) {
        for (uint32_t i = 0; i < n_variants; i++)
            builds[i] = (struct build){plan, variants[i], call->keys, GRETA_OK};
        thread_pool_loop(pool, n_variants, build_one, builds);
    }
    thread_pool_destroy(&pool);
    free(builds);
}

/* ---- recording ---- */

/* A linear count of groups as x, y: y is 1 unless x would pass the limit; then the last row is the least padded. */
static greta_status fold(const struct greta_plan *plan, const struct greta_variant *v, uint64_t n,
                         uint32_t groups[3]) {
    uint64_t max_x = plan->limits->max_groups[0] ? plan->limits->max_groups[0] : 65535;
    uint64_t max_y = plan->limits->max_groups[1] ? plan->limits->max_groups[1] : 65535;
    uint64_t y = n / max_x + (n % max_x != 0), x = y ? n / y + (n % y != 0) : 0;
    /* Kernels count groups in 32 bits. */
    if (y > max_y || x * y > UINT32_MAX)
        return greta_fail(plan->log, GRETA_ERR_UNSUPPORTED,
                          "%s needs %llu workgroups; this device allows %llu x %llu", v->name,
                          (unsigned long long)n, (unsigned long long)max_x, (unsigned long long)max_y);
    groups[0] = (uint32_t)x;
    groups[1] = (uint32_t)(y ? y : 1);
    groups[2] = 1;
    return GRETA_OK;
}

static greta_status dispatch_make(struct greta_plan *plan, const struct greta_variant *v,
                                  const struct greta_call *call, struct plan_dispatch *out) {
    *out = (struct plan_dispatch){.variant = v};
    const struct greta_op_info *info = greta_op_get_info(call->op);
    for (uint32_t i = 0; i < info->n_bindings; i++) {
        out->need_bytes[i] = greta_op_binding_bytes(call, i);
        if (out->need_bytes[i] > UINT32_MAX && plan->format != GRETA_IMAGE_HOST)
            return greta_fail(plan->log, GRETA_ERR_UNSUPPORTED,
                              "%s: %s would pass 4 GiB, which kernels cannot address; split it by rows",
                              info->name, info->binding_names[i]);
    }
    greta_status status = fold(plan, v, v->n_groups(v, plan->limits, call), out->groups);
    return status ? status : kernel_make(plan, v, call->keys, &out->kernel);
}

/* The table of rope is read at pos, which the host does not know: all that the caller gave. Else just what is used, so that
 * neighbours in one buffer are no hazard. */
static greta_status binding_fit(const struct greta_plan *plan, const struct greta_call *call, uint32_t i,
                                uint64_t need, struct greta_binding *out) {
    const struct greta_op_info *info = greta_op_get_info(call->op);
    const struct greta_binding *b = &call->bindings[i];
    if (!b->buf)
        return greta_fail(plan->log, GRETA_ERR_INVALID, "%s: no buffer for %s", info->name,
                          info->binding_names[i]);
    uint64_t size = greta_buf_size(b->buf), rest = b->offset_bytes < size ? size - b->offset_bytes : 0;
    uint64_t given = b->size_bytes ? b->size_bytes : rest;
    if (given > rest || given < need)
        return greta_fail(plan->log, GRETA_ERR_INVALID, "%s: %s needs %llu bytes and has %llu", info->name,
                          info->binding_names[i], (unsigned long long)need,
                          (unsigned long long)(given < rest ? given : rest));
    bool table = !strcmp(info->binding_names[i], "table");
    if (!need) need = 1; /* one that is not read: 0 would stand for all of the buffer */
    *out = (struct greta_binding){b->buf, b->offset_bytes, table ? given : need, info->access[i]};
    return GRETA_OK;
}

/* The op's scalars, then the keys that the kernel was not made for. Returns their number. */
static uint32_t constants_of(const struct greta_variant *v, const struct greta_call *call,
                             uint32_t constants[GRETA_OP_MAX_SCALARS + GRETA_OP_MAX_KEYS]) {
    const struct greta_op_info *info = greta_op_get_info(call->op);
    uint32_t n = info->n_scalars;
    memcpy(constants, call->scalars.u32, n * sizeof *constants);
    for (uint32_t i = 0; i < info->n_keys; i++)
        if (v->keys_by_call >> i & 1) constants[n++] = call->keys[i];
    return n;
}

static greta_status dispatch_record(struct greta_plan *plan, struct greta_stream *stream,
                                    const struct plan_dispatch *d, const struct greta_call *call) {
    const struct greta_op_info *info = greta_op_get_info(call->op);
    struct greta_binding bindings[GRETA_OP_MAX_BINDINGS];
    uint32_t constants[GRETA_OP_MAX_SCALARS + GRETA_OP_MAX_KEYS];
    if (!d->groups[0]) return GRETA_OK;
    for (uint32_t i = 0; i < info->n_bindings; i++) {
        greta_status status = binding_fit(plan, call, i, d->need_bytes[i], &bindings[i]);
        if (status) return status;
    }
    return greta_stream_dispatch(
        stream, &(struct greta_dispatch){.kernel = d->kernel,
                                         .groups = {d->groups[0], d->groups[1], d->groups[2]},
                                         .n_bindings = info->n_bindings,
                                         .constants_bytes = 4 * constants_of(d->variant, call, constants),
                                         .bindings = bindings,
                                         .constants = constants,
                                         .label = &(struct greta_label){info->name, d->variant->name, call}});
}

static struct plan_key key_of(const struct greta_call *call) {
    struct plan_key key = {.op = (uint32_t)call->op, .layout = (uint32_t)call->layout};
    const struct greta_op_info *info = greta_op_get_info(call->op);
    memcpy(key.keys, call->keys, info->n_keys * sizeof *key.keys);
    memcpy(key.scalars, call->scalars.u32, info->n_scalars * sizeof *key.scalars);
    for (uint32_t i = 0; i < info->n_bindings; i++)
        key.alignment |= (uint64_t)__builtin_ctzll(call->bindings[i].offset_bytes | 256) << 4 * i;
    return key;
}

static uint32_t slot_of(const struct plan_key *key) {
    uint32_t words[sizeof *key / 4], hash = 2166136261u;
    memcpy(words, key, sizeof words);
    for (unsigned i = 0; i < sizeof words / sizeof *words; i++) hash = (hash ^ words[i]) * 16777619u;
    return (hash ^ hash >> 16) & (PLAN_N_CHOICES - 1);
}

static bool choice_find(struct greta_plan *plan, const struct plan_key *key, uint32_t slot,
                        struct plan_dispatch *out) {
    pthread_mutex_lock(&plan->lock);
    const struct plan_choice *c = &plan->choices[slot];
    bool found = c->used && !memcmp(&c->key, key, sizeof *key);
    if (found) *out = c->dispatch;
    pthread_mutex_unlock(&plan->lock);
    return found;
}

greta_status greta_op_record(struct greta_plan *plan, struct greta_stream *stream,
                             const struct greta_call *call) {
    struct plan_dispatch d;
    if ((unsigned)call->op < GRETA_N_OPS) {
        struct plan_key key = key_of(call);
        uint32_t slot = slot_of(&key);
        if (choice_find(plan, &key, slot, &d)) return dispatch_record(plan, stream, &d, call);
        const struct greta_variant *v;
        greta_status status = greta_plan_choose(plan, call, &v);
        if (!status) status = dispatch_make(plan, v, call, &d);
        if (status) return status;
        pthread_mutex_lock(&plan->lock);
        plan->choices[slot] = (struct plan_choice){true, key, d};
        pthread_mutex_unlock(&plan->lock);
        return dispatch_record(plan, stream, &d, call);
    }
    return greta_fail(plan->log, GRETA_ERR_INVALID, "a call of op number %d, which is none", (int)call->op);
}

greta_status greta_op_record_variant(struct greta_plan *plan, struct greta_stream *stream,
                                     const struct greta_variant *v, const struct greta_call *call) {
    const char *refusal = (unsigned)call->op < GRETA_N_OPS ? shape_fault(call) : "it is no op";
    if (!refusal) refusal = plan_refusal(plan, v, call);
    if (refusal) return greta_fail(plan->log, GRETA_ERR_INVALID, "%s: %s", v->name, refusal);
    struct plan_dispatch d;
    greta_status status = dispatch_make(plan, v, call, &d);
    return status ? status : dispatch_record(plan, stream, &d, call);
}
