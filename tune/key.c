/* The key of a choice. */
#include <greta/tune.h>

#include <stdarg.h>

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

/* Counts that grow with a text: choices for one serve its neighbours. */
static bool in_buckets(const char *name) {
    static const char *const names[] = {"n_tok", "n_ctx", "n_split", "n_ids", "n"};
    for (unsigned i = 0; i < sizeof names / sizeof *names; i++)
        if (!strcmp(name, names[i])) return true;
    return false;
}

static uint32_t bucket(uint32_t n) {
    uint32_t b = 1;
    while (b < n && b < 1u << 31) b *= 2;
    return b;
}

static uint64_t hash_bytes(uint64_t hash, const void *data, size_t n) {
    const unsigned char *bytes = data;
    for (size_t i = 0; i < n; i++) hash = (hash ^ bytes[i]) * UINT64_C(1099511628211);
    return hash;
}

/* FNV-1a over the code of every row of the op. Host rows are functions: their names and the program's version stand for them. */
static uint64_t image_hash(enum greta_op op, enum greta_image_format format) {
    uint64_t hash = hash_bytes(UINT64_C(14695981039346656037), GRETA_VERSION, sizeof GRETA_VERSION);
    for (uint32_t i = 0; i < greta_variant_count(); i++) {
        const struct greta_variant *v = greta_variant_at(i);
        if (v->op != op || v->format != format) continue;
        hash = hash_bytes(hash, v->name, strlen(v->name) + 1);
        if (format != GRETA_IMAGE_HOST) hash = hash_bytes(hash, v->image->data, v->image->size_bytes);
    }
    return hash;
}

void greta_tune_key_make(const struct greta_dev *dev, const struct greta_call *call,
                         struct greta_tune_key *out) {
    const struct greta_op_info *info = greta_op_get_info(call->op);
    const struct greta_dev_info *d = greta_dev_get_info(dev);
    struct text shape = {out->shape, sizeof out->shape, 0}, types = {out->types, sizeof out->types, 0};
    *out = (struct greta_tune_key){0};
    snprintf(out->op, sizeof out->op, "%s", info->name);
    for (uint32_t i = 0; i < info->n_scalars; i++)
        if (!info->scalar_is_f32[i]) {
            uint32_t n = call->scalars.u32[i];
            bool rounded = in_buckets(info->scalar_names[i]);
            add(&shape, "%s%s%s%u", i ? " " : "", info->scalar_names[i], rounded ? "<=" : "=",
                rounded ? bucket(n) : n);
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
    snprintf(out->device, sizeof out->device, "%s:%s:%s", d->backend, d->arch, d->name);
    snprintf(out->driver, sizeof out->driver, "%s", d->driver);
    snprintf(out->image, sizeof out->image, "%016llx",
             (unsigned long long)image_hash(call->op, greta_dev_get_image_format(dev)));
}
