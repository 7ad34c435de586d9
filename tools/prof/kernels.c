/* Counters of kernels, by phase, op, row and shape. */
#include "internal.h"

#include "bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* When the places are full, every second one goes, and of what comes every second one is taken. */
void samples_add(struct samples *s, double x) {
    s->sum += x;
    if (!s->stride) s->stride = 1;
    if (s->n_seen++ % s->stride) return;
    if (s->n == PROF_SAMPLES) {
        for (uint32_t i = 0; i < PROF_SAMPLES / 2; i++) s->at[i] = s->at[2 * i];
        s->n = PROF_SAMPLES / 2;
        s->stride *= 2;
        if ((s->n_seen - 1) % s->stride) return;
    }
    s->at[s->n++] = x;
}

double samples_median(const struct samples *s) {
    double copy[PROF_SAMPLES];
    struct greta_stats stats;
    memcpy(copy, s->at, s->n * sizeof *copy);
    greta_stats_make(copy, s->n, &stats);
    return stats.p50;
}

/* "w_type=Q4_K n_rows=4096 n_cols=4096": keys that are types by their names, then all whole numbers. */
static void shape_text(const struct greta_call *call, char *out, size_t size) {
    const struct greta_op_info *info = greta_op_get_info(call->op);
    size_t n = 0;
    out[0] = 0;
    for (uint32_t i = 0; i < info->n_keys + info->n_scalars && n < size; i++) {
        bool key = i < info->n_keys;
        const char *name = key ? info->key_names[i] : info->scalar_names[i - info->n_keys];
        uint32_t value = key ? call->keys[i] : call->scalars.u32[i - info->n_keys];
        const struct greta_type_info *type = key && strstr(name, "type") ? greta_type_get_info(value) : NULL;
        if (!key && info->scalar_is_f32[i - info->n_keys]) continue;
        const char *space = n ? " " : "";
        int len = type ? snprintf(out + n, size - n, "%s%s=%s", space, name, type->name)
                       : snprintf(out + n, size - n, "%s%s=%u", space, name, value);
        n += len > 0 ? (size_t)len : 0;
    }
}

static struct kernel_key key_of(const char *phase, const struct greta_record *r) {
    struct kernel_key key = {
        .phase = phase, .op = r->label ? r->label->op : r->name, .row = r->label ? r->label->row : NULL};
    const struct greta_call *call = r->label ? r->label->call : NULL;
    if (!call) {
        memcpy(key.groups, r->groups, sizeof key.groups);
        return key;
    }
    const struct greta_op_info *info = greta_op_get_info(call->op);
    memcpy(key.scalars, call->scalars.u32, info->n_scalars * sizeof *key.scalars);
    memcpy(key.keys, call->keys, info->n_keys * sizeof *key.keys);
    key.layout = (uint32_t)call->layout;
    return key;
}

static uint32_t slot_of(const struct kernel_key *key) {
    uint32_t hash = 2166136261u;
    const uint32_t *words[] = {key->scalars, key->keys, key->groups};
    const uint32_t n[] = {GRETA_OP_MAX_SCALARS, GRETA_OP_MAX_KEYS, 3};
    for (int k = 0; k < 3; k++)
        for (uint32_t i = 0; i < n[k]; i++) hash = (hash ^ words[k][i]) * 16777619u;
    for (const char *c = key->op; *c; c++) hash = (hash ^ (unsigned char)*c) * 16777619u;
    return (hash ^ hash >> 15) % 1024;
}

static bool same_text(const char *a, const char *b) {
    return a == b || (a && b && strcmp(a, b) == 0);
}

static bool same(const struct kernel_key *a, const struct kernel_key *b) {
    return memcmp(a->scalars, b->scalars, sizeof a->scalars) == 0 &&
           memcmp(a->keys, b->keys, sizeof a->keys) == 0 &&
           memcmp(a->groups, b->groups, sizeof a->groups) == 0 && a->layout == b->layout &&
           same_text(a->op, b->op) && same_text(a->row, b->row) && same_text(a->phase, b->phase);
}

/* Names outlive what was told: a plan's and a module's do not. */
static struct kernel *make(const struct kernel_key *key, const struct greta_record *r) {
    struct kernel *k = calloc(1, sizeof *k);
    char *op = k ? strdup(key->op) : NULL, *row = op && key->row ? strdup(key->row) : NULL;
    if (!k || !op || (key->row && !row)) {
        free(op);
        free(k);
        return NULL;
    }
    k->key = *key;
    k->key.op = op;
    k->key.row = row;
    k->call.op = GRETA_N_OPS;
    const struct greta_call *call = r->label ? r->label->call : NULL;
    if (call) {
        k->call = *call;
        memset(k->call.bindings, 0, sizeof k->call.bindings);
        shape_text(call, k->shape, sizeof k->shape);
        bench_work(&k->call, (const uint32_t[]){0, 0, 0, 0}, &k->once_bytes, &k->once_flops);
    }
    return k;
}

struct kernel *kernels_get(struct kernels *all, const char *phase, const struct greta_record *r) {
    struct kernel_key key = key_of(phase, r);
    uint32_t *slot = &all->slots[slot_of(&key)];
    for (uint32_t i = *slot; i; i = all->at[i - 1]->next)
        if (same(&all->at[i - 1]->key, &key)) return all->at[i - 1];
    if (all->n == all->capacity) {
        uint32_t n = all->capacity ? 2 * all->capacity : 64;
        struct kernel **grown = realloc(all->at, n * sizeof *grown);
        if (!grown) return NULL;
        all->at = grown;
        all->capacity = n;
    }
    struct kernel *k = make(&key, r);
    if (!k) return NULL;
    k->next = *slot;
    all->at[all->n++] = k;
    *slot = all->n;
    return k;
}

/* What attention reads depends on where it stands. */
void kernel_called(struct kernel *k, const uint32_t groups[3], uint32_t pos) {
    double bytes = k->once_bytes, flops = k->once_flops;
    if (k->call.op == GRETA_OP_ATTN || k->call.op == GRETA_OP_ATTN_SPLIT)
        bench_work(&k->call, (const uint32_t[]){0, pos, 0, 0}, &bytes, &flops);
    k->n_calls++;
    k->n_groups += (uint64_t)groups[0] * groups[1] * groups[2];
    k->bytes += bytes;
    k->flops += flops;
}

void kernels_free(struct kernels *all) {
    for (uint32_t i = 0; i < all->n; i++) {
        free((char *)(uintptr_t)all->at[i]->key.op);
        free((char *)(uintptr_t)all->at[i]->key.row);
        free(all->at[i]);
    }
    free(all->at);
    memset(all, 0, sizeof *all);
}
