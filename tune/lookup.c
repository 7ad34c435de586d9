/* What a plan asks of the database. */
#include <greta/tune.h>

#include "clock.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* All that a choice depends on but the device. */
struct signature {
    uint32_t op, layout, keys[GRETA_OP_MAX_KEYS], scalars[GRETA_OP_MAX_SCALARS];
};

struct known {
    struct signature of;
    char row[GRETA_TUNE_TEXT]; /* "": the database has none */
};

struct greta_tune_lookups {
    struct greta_tune_db *db;
    const struct greta_dev *dev;
    enum greta_policy policy;
    pthread_mutex_t lock; /* of what follows */
    struct known *known;
    uint32_t n, capacity;
    struct greta_tune_counts counts;
};

greta_status greta_tune_lookups_create(struct greta_tune_db *db, const struct greta_dev *dev,
                                       enum greta_policy policy, struct greta_tune_lookups **out) {
    struct greta_tune_lookups *l = calloc(1, sizeof *l);
    *out = l;
    if (!l) return GRETA_ERR_NO_MEMORY;
    *l = (struct greta_tune_lookups){.db = db, .dev = dev, .policy = policy};
    pthread_mutex_init(&l->lock, NULL);
    return GRETA_OK;
}

void greta_tune_lookups_destroy(struct greta_tune_lookups **lookups) {
    struct greta_tune_lookups *l = *lookups;
    if (!l) return;
    pthread_mutex_destroy(&l->lock);
    free(l->known);
    free(l);
    *lookups = NULL;
}

static struct signature signature_of(const struct greta_call *call) {
    const struct greta_op_info *info = greta_op_get_info(call->op);
    struct signature s = {.op = (uint32_t)call->op, .layout = (uint32_t)call->layout};
    memcpy(s.keys, call->keys, info->n_keys * sizeof *s.keys);
    for (uint32_t i = 0; i < info->n_scalars; i++)
        if (!info->scalar_is_f32[i]) s.scalars[i] = call->scalars.u32[i];
    return s;
}

/* A model has some dozens of distinct calls. */
static struct known *find(struct greta_tune_lookups *l, const struct signature *s) {
    for (uint32_t i = 0; i < l->n; i++)
        if (!memcmp(&l->known[i].of, s, sizeof *s)) return &l->known[i];
    return NULL;
}

static struct known *ask(struct greta_tune_lookups *l, const struct greta_call *call,
                         const struct signature *s) {
    struct greta_tune_entry entry;
    struct greta_tune_key key;
    uint64_t start = clock_ns();
    if (l->n == l->capacity) {
        uint32_t capacity = l->capacity ? 2 * l->capacity : 64;
        struct known *grown = realloc(l->known, capacity * sizeof *grown);
        if (!grown) return NULL;
        l->known = grown;
        l->capacity = capacity;
    }
    struct known *k = &l->known[l->n++];
    *k = (struct known){.of = *s};
    if (!greta_tune_has_choice(l->dev, call)) return k;
    greta_tune_key_make(l->dev, call, l->policy, &key);
    if (!greta_tune_get(l->db, &key, &entry)) memcpy(k->row, entry.row, sizeof k->row);
    l->counts.n_calls++;
    l->counts.n_reads++;
    l->counts.n_known += *k->row != 0;
    l->counts.ns += clock_ns() - start;
    return k;
}

bool greta_tune_lookup(void *lookups, const struct greta_call *call, char *row, size_t size) {
    struct greta_tune_lookups *l = lookups;
    struct signature s = signature_of(call);
    pthread_mutex_lock(&l->lock);
    const struct known *k = find(l, &s);
    if (!k) k = ask(l, call, &s);
    bool found = k && *k->row && strlen(k->row) < size;
    if (found) memcpy(row, k->row, strlen(k->row) + 1);
    pthread_mutex_unlock(&l->lock);
    return found;
}

struct greta_tune_counts greta_tune_lookups_count(struct greta_tune_lookups *l) {
    pthread_mutex_lock(&l->lock);
    struct greta_tune_counts counts = l->counts;
    pthread_mutex_unlock(&l->lock);
    return counts;
}
