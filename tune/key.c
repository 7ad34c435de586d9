/* The key of a choice. */
#include <greta/tune.h>

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "variant.h"

struct text {
    char *at;
    size_t size, used;
};

GRETA_PRINTF(2, 3) static void add(struct text *t, const char *format, ...) {
    va_list args;
    va_start(args, format);
    int n = vsnprintf(t->at + t->used, t->size - t->used, format, args);
    va_end(args);
    if (n > 0) t->used = t->used + (size_t)n < t->size ? t->used + (size_t)n : t->size - 1;
}

/* Counts that grow with a text: choices for one serve its neighbours. Rows are tokens where they are not those of a weight. */
static bool in_buckets(enum greta_op op, const char *name) {
    static const char *const names[] = {"n_tok", "n_ctx", "n_split", "n_ids", "n"};
    for (unsigned i = 0; i < sizeof names / sizeof *names; i++)
        if (!strcmp(name, names[i])) return true;
    return !strcmp(name, "n_rows") && op_find_key(op, "w_type") == UINT32_MAX;
}

/* Of a few tokens the fastest row is the same, however few: one bucket. */
static uint32_t bucket(const char *name, uint32_t n) {
    bool tokens = !strcmp(name, "n_tok") || !strcmp(name, "n_rows") || !strcmp(name, "n_ids");
    uint32_t b = tokens && n > 1 ? 16 : 1;
    while (b < n && b < 1u << 31) b *= 2;
    return b;
}

static uint64_t hash_bytes(uint64_t hash, const void *data, size_t n) {
    const unsigned char *bytes = data;
    for (size_t i = 0; i < n; i++) hash = (hash ^ bytes[i]) * UINT64_C(1099511628211);
    return hash;
}

uint64_t greta_tune_image_hash(const struct greta_image *image) {
    if (image->format == GRETA_IMAGE_HOST) return 0;
    return hash_bytes(UINT64_C(14695981039346656037), image->data, image->size_bytes);
}

bool greta_tune_has_choice(const struct greta_dev *dev, const struct greta_call *call) {
    enum greta_image_format format = greta_dev_get_image_format(dev);
    uint32_t n = 0;
    for (uint32_t i = 0; i < greta_variant_count() && n < 2; i++) {
        const struct greta_variant *v = greta_variant_at(i);
        if (v->op != call->op || v->format != format ||
            greta_variant_refusal(v, greta_dev_get_limits(dev), call))
            continue;
        n += v->n_params ? 2 : 1;
    }
    return n > 1;
}

static uint64_t image_hash_make(enum greta_op op, enum greta_image_format format) {
    uint64_t hash = hash_bytes(UINT64_C(14695981039346656037), GRETA_VERSION, sizeof GRETA_VERSION);
    const struct greta_image *last = NULL;
    for (uint32_t i = 0; i < greta_variant_count(); i++) {
        const struct greta_variant *v = greta_variant_at(i);
        if (v->op != op || v->format != format) continue;
        hash = hash_bytes(hash, v->name, strlen(v->name) + 1);
        hash = hash_bytes(hash, &v->n_threads, sizeof v->n_threads);
        hash = hash_bytes(hash, v->tunables, sizeof v->tunables);
        if (format != GRETA_IMAGE_HOST && v->image != last)
            hash = hash_bytes(hash, v->image->data, v->image->size_bytes);
        last = v->image;
    }
    return hash ? hash : 1;
}

/*
 * FNV-1a over the code and the constants of every row of the op, made once: the table is the program's own. Host rows are functions: their
 * names and the program's version stand for them.
 */
static uint64_t image_hash(enum greta_op op, enum greta_image_format format) {
    static _Atomic uint64_t known[GRETA_N_OPS][4];
    if ((unsigned)format >= 4) return image_hash_make(op, format);
    uint64_t hash = atomic_load_explicit(&known[op][format], memory_order_relaxed);
    if (!hash) {
        hash = image_hash_make(op, format);
        atomic_store_explicit(&known[op][format], hash, memory_order_relaxed);
    }
    return hash;
}

void greta_tune_key_make(const struct greta_dev *dev, const struct greta_call *call, enum greta_policy policy,
                         struct greta_tune_key *out) {
    const struct greta_op_info *info = greta_op_get_info(call->op);
    const struct greta_dev_info *d = greta_dev_get_info(dev);
    struct text shape = {out->shape, sizeof out->shape, 0}, types = {out->types, sizeof out->types, 0};
    *out = (struct greta_tune_key){0};
    snprintf(out->op, sizeof out->op, "%s", info->name);
    for (uint32_t i = 0; i < info->n_scalars; i++)
        if (!info->scalar_is_f32[i]) {
            uint32_t n = call->scalars.u32[i];
            bool rounded = in_buckets(call->op, info->scalar_names[i]);
            add(&shape, "%s%s%s%u", i ? " " : "", info->scalar_names[i], rounded ? "<=" : "=",
                rounded ? bucket(info->scalar_names[i], n) : n);
        }
    for (uint32_t i = 0; i < info->n_keys; i++) {
        const struct greta_type_info *type =
            strstr(info->key_names[i], "type") ? greta_type_get_info(call->keys[i]) : NULL;
        add(&types, "%s%s=", i ? " " : "", info->key_names[i]);
        if (type)
            add(&types, "%s", type->name);
        else
            add(&types, "%u", call->keys[i]);
    }
    if (info->n_keys && !strcmp(info->key_names[0], "w_type")) add(&types, " layout=%d", (int)call->layout);
    if (policy == GRETA_POLICY_EXACT) add(&types, "%splan=exact", types.used ? " " : "");
    snprintf(out->device, sizeof out->device, "%s:%s:%s", d->backend, d->arch, d->name);
    snprintf(out->driver, sizeof out->driver, "%s", d->driver);
    snprintf(out->image, sizeof out->image, "%016llx",
             (unsigned long long)image_hash(call->op, greta_dev_get_image_format(dev)));
}
