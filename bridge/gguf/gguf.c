#include "internal.h"
#include "quote.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int compare_strings(const struct greta_gguf_string *a, const struct greta_gguf_string *b) {
    size_t n = a->len < b->len ? a->len : b->len;
    int c = n ? memcmp(a->data, b->data, n) : 0;
    return c ? c : (a->len > b->len) - (a->len < b->len);
}

static int by_key(const void *a, const void *b) {
    return compare_strings(&(*(struct gguf_key *const *)a)->name, &(*(struct gguf_key *const *)b)->name);
}

static int by_tensor(const void *a, const void *b) {
    return strcmp((*(struct greta_gguf_tensor *const *)a)->name,
                  (*(struct greta_gguf_tensor *const *)b)->name);
}

static greta_status duplicate(const struct greta_gguf *g, const char *what, const char *name, size_t len,
                              const struct greta_log *log) {
    struct quoted q;
    return greta_fail(log, GRETA_ERR_FORMAT,
                      "%.500s: %s %s appears twice: the file is damaged, fetch or convert it again", g->path,
                      what, quote(&q, name, len));
}

greta_status gguf_index(struct greta_gguf *g, const struct greta_log *log) {
    g->keys_by_name = malloc((g->n_keys + 1) * sizeof *g->keys_by_name);
    g->tensors_by_name = malloc((g->n_tensors + 1) * sizeof *g->tensors_by_name);
    if (!g->keys_by_name || !g->tensors_by_name)
        return greta_fail(log, GRETA_ERR_NO_MEMORY, "%.500s: no memory for its list of keys and tensors",
                          g->path);
    for (size_t i = 0; i < g->n_keys; i++) g->keys_by_name[i] = &g->keys[i];
    for (size_t i = 0; i < g->n_tensors; i++) g->tensors_by_name[i] = &g->tensors[i];
    qsort(g->keys_by_name, g->n_keys, sizeof *g->keys_by_name, by_key);
    qsort(g->tensors_by_name, g->n_tensors, sizeof *g->tensors_by_name, by_tensor);
    for (size_t i = 1; i < g->n_keys; i++)
        if (!by_key(&g->keys_by_name[i - 1], &g->keys_by_name[i]))
            return duplicate(g, "key", g->keys_by_name[i]->name.data, g->keys_by_name[i]->name.len, log);
    for (size_t i = 1; i < g->n_tensors; i++)
        if (!by_tensor(&g->tensors_by_name[i - 1], &g->tensors_by_name[i]))
            return duplicate(g, "tensor", g->tensors_by_name[i]->name, strlen(g->tensors_by_name[i]->name),
                             log);
    return GRETA_OK;
}

/* What a file says of the split set that it belongs to; zeros where it says nothing. */
struct split {
    uint64_t no, count, n_tensors;
};

static const struct greta_gguf_value *find_unsorted(const struct greta_gguf *g, size_t first,
                                                    const char *name) {
    struct greta_gguf_string s = {name, strlen(name)};
    for (size_t i = first; i < g->n_keys; i++)
        if (!compare_strings(&g->keys[i].name, &s)) return &g->keys[i].value;
    return NULL;
}

static bool as_u64(const struct greta_gguf_value *v, uint64_t *out) {
    switch (v ? v->type : GRETA_GGUF_STRING) {
    case GRETA_GGUF_U8:
    case GRETA_GGUF_U16:
    case GRETA_GGUF_U32:
    case GRETA_GGUF_U64: *out = v->u64; return true;
    case GRETA_GGUF_I8:
    case GRETA_GGUF_I16:
    case GRETA_GGUF_I32:
    case GRETA_GGUF_I64:
        if (v->i64 < 0) return false;
        *out = (uint64_t)v->i64;
        return true;
    default: return false;
    }
}

static greta_status read_split(const struct greta_gguf *g, uint32_t i_part, size_t first_key,
                               struct split *out, const struct greta_log *log) {
    static const char *const names[] = {"split.no", "split.count", "split.tensors.count"};
    uint64_t *fields[] = {&out->no, &out->count, &out->n_tensors};
    *out = (struct split){0};
    for (size_t i = 0; i < 3; i++) {
        const struct greta_gguf_value *v = find_unsorted(g, first_key, names[i]);
        if (v && !as_u64(v, fields[i]))
            return greta_fail(log, GRETA_ERR_FORMAT,
                              "%.500s: key %s is not a number: fetch or convert the file again",
                              g->parts[i_part].path, names[i]);
    }
    if (out->count > 1 && (out->no >= out->count || out->count > 99999))
        return greta_fail(log, GRETA_ERR_FORMAT,
                          "%.500s: says that it is part %" PRIu64 " of %" PRIu64
                          ": fetch or convert the file again",
                          g->parts[i_part].path, out->no, out->count);
    return GRETA_OK;
}

enum { SUFFIX_LEN = sizeof "-00001-of-00002.gguf" - 1 };

static char *part_path(const char *path, uint64_t no, uint64_t count) {
    size_t prefix = strlen(path) - SUFFIX_LEN, room = prefix + 64;
    char *p = malloc(room);
    if (p) snprintf(p, room, "%.*s-%05" PRIu64 "-of-%05" PRIu64 ".gguf", (int)prefix, path, no + 1, count);
    return p;
}

/* The other parts are found by their names, so this one's must say what its keys say. */
static greta_status check_part_name(const char *path, const struct split *split,
                                    const struct greta_log *log) {
    char suffix[64];
    snprintf(suffix, sizeof suffix, "-%05" PRIu64 "-of-%05" PRIu64 ".gguf", split->no + 1, split->count);
    size_t len = strlen(path);
    if (len >= SUFFIX_LEN && len < INT32_MAX && !strcmp(path + len - SUFFIX_LEN, suffix)) return GRETA_OK;
    return greta_fail(log, GRETA_ERR_INVALID,
                      "%.500s: is part %" PRIu64 " of %" PRIu64
                      ", but its name does not end in %s: restore its name",
                      path, split->no + 1, split->count, suffix);
}

static void drop_parts(struct greta_gguf *g) {
    for (uint32_t i = 0; i < g->n_parts; i++) {
        gguf_part_unmap(&g->parts[i]);
        free(g->parts[i].path);
    }
    free(g->parts);
    g->parts = NULL;
    g->n_parts = 0;
    g->n_keys = g->n_tensors = 0;
    arena_free(&g->arena);
}

static greta_status add_part(struct greta_gguf *g, char *path, const struct greta_log *log) {
    struct gguf_part *parts = path ? realloc(g->parts, (g->n_parts + 1) * sizeof *parts) : NULL;
    if (parts) g->parts = parts;
    if (!path || !parts) {
        free(path);
        return greta_fail(log, GRETA_ERR_NO_MEMORY, "%.500s: no memory to open it", g->path);
    }
    uint32_t i = g->n_parts++;
    g->parts[i] = (struct gguf_part){.path = path};
    greta_status status = gguf_part_map(&g->parts[i], log);
    return status ? status : gguf_parse(g, i, log);
}

/* Part `no` of the set, which must agree with what the first file said of it. */
static greta_status add_split_part(struct greta_gguf *g, const struct split *set, uint64_t no,
                                   const struct greta_log *log) {
    size_t first_key = g->n_keys;
    char *path = part_path(g->path, no, set->count);
    if (path && access(path, F_OK)) {
        greta_status missing =
            greta_fail(log, GRETA_ERR_NOT_FOUND,
                       "%.500s: part %" PRIu64 " of %" PRIu64 " is missing: put all parts into one folder",
                       path, no + 1, set->count);
        free(path);
        return missing;
    }
    greta_status status = add_part(g, path, log);
    struct split part;
    if (status || (status = read_split(g, g->n_parts - 1, first_key, &part, log))) return status;
    if (part.no != no || part.count != set->count)
        return greta_fail(log, GRETA_ERR_FORMAT,
                          "%.500s: says that it is part %" PRIu64 " of %" PRIu64
                          ", its name says part %" PRIu64 " of %" PRIu64 ": fetch the set again",
                          g->parts[g->n_parts - 1].path, part.no + 1, part.count, no + 1, set->count);
    if (no > 0) g->n_keys = first_key; /* the model's metadata is the first part's */
    return GRETA_OK;
}

static greta_status open_set(struct greta_gguf *g, const struct split *set, const struct greta_log *log) {
    greta_status status = check_part_name(g->path, set, log);
    if (status) return status;
    drop_parts(g);
    for (uint64_t no = 0; no < set->count; no++)
        if ((status = add_split_part(g, set, no, log))) return status;
    if (set->n_tensors && set->n_tensors != g->n_tensors)
        return greta_fail(log, GRETA_ERR_FORMAT,
                          "%.500s: its parts hold %zu tensors in place of %" PRIu64
                          " (split.tensors.count): fetch the set again",
                          g->path, g->n_tensors, set->n_tensors);
    return GRETA_OK;
}

static greta_status open_path(struct greta_gguf *g, const struct greta_log *log) {
    struct split split;
    greta_status status = add_part(g, strdup(g->path), log);
    if (status || (status = read_split(g, 0, 0, &split, log))) return status;
    if (split.count > 1 && (status = open_set(g, &split, log))) return status;
    return gguf_index(g, log);
}

static greta_status open_data(struct greta_gguf *g, const void *data, size_t size,
                              const struct greta_log *log) {
    if ((uintptr_t)data % 8) /* tensors are read in place */
        return greta_fail(log, GRETA_ERR_INVALID, "%.500s: its memory must be aligned to 8 bytes", g->path);
    g->parts = calloc(1, sizeof *g->parts);
    char *name = strdup(g->path);
    if (!g->parts || !name) {
        free(name);
        return greta_fail(log, GRETA_ERR_NO_MEMORY, "%.500s: no memory to open it", g->path);
    }
    g->parts[0] = (struct gguf_part){.path = name, .data = data, .size = size};
    g->n_parts = 1;
    struct split split;
    greta_status status = gguf_parse(g, 0, log);
    if (status || (status = read_split(g, 0, 0, &split, log))) return status;
    if (split.count > 1)
        return greta_fail(log, GRETA_ERR_UNSUPPORTED,
                          "%.500s: is one part of a split set: open it by its path", g->path);
    return gguf_index(g, log);
}

static struct greta_gguf *create(const char *path, const struct greta_log *log) {
    struct greta_gguf *g = calloc(1, sizeof *g);
    if (g && !(g->path = strdup(path))) greta_gguf_close(&g);
    if (!g) greta_logf(log, GRETA_LOG_ERROR, "%.500s: no memory to open it", path);
    return g;
}

greta_status greta_gguf_open(const char *path, const struct greta_log *log, struct greta_gguf **out) {
    *out = NULL;
    struct greta_gguf *g = create(path, log);
    if (!g) return GRETA_ERR_NO_MEMORY;
    greta_status status = open_path(g, log);
    if (status) greta_gguf_close(&g);
    *out = g;
    return status;
}

greta_status greta_gguf_open_memory(const void *data, size_t size_bytes, const char *name,
                                    const struct greta_log *log, struct greta_gguf **out) {
    *out = NULL;
    struct greta_gguf *g = create(name, log);
    if (!g) return GRETA_ERR_NO_MEMORY;
    greta_status status = open_data(g, data, size_bytes, log);
    if (status) greta_gguf_close(&g);
    *out = g;
    return status;
}

void greta_gguf_close(struct greta_gguf **gguf) {
    struct greta_gguf *g = *gguf;
    if (!g) return;
    drop_parts(g);
    free(g->keys_by_name);
    free(g->tensors_by_name);
    free(g->keys);
    free(g->tensors);
    free(g->path);
    free(g);
    *gguf = NULL;
}

const char *greta_gguf_path(const struct greta_gguf *g) {
    return g->path;
}

const char *greta_gguf_file_path(const struct greta_gguf *g, uint32_t i_file) {
    return i_file < g->n_parts && g->parts[i_file].mapped ? g->parts[i_file].path : NULL;
}

uint32_t greta_gguf_version(const struct greta_gguf *g) {
    return g->version;
}

uint64_t greta_gguf_n_tensors(const struct greta_gguf *g) {
    return g->n_tensors;
}

const struct greta_gguf_tensor *greta_gguf_tensor_at(const struct greta_gguf *g, uint64_t i) {
    return i < g->n_tensors ? &g->tensors[i] : NULL;
}

const struct greta_gguf_tensor *greta_gguf_tensor(const struct greta_gguf *g, const char *name) {
    struct greta_gguf_tensor wanted = {.name = name}, *p = &wanted;
    struct greta_gguf_tensor **found =
        bsearch(&p, g->tensors_by_name, g->n_tensors, sizeof *g->tensors_by_name, by_tensor);
    return found ? *found : NULL;
}

uint64_t greta_gguf_n_keys(const struct greta_gguf *g) {
    return g->n_keys;
}

const struct greta_gguf_value *greta_gguf_key_at(const struct greta_gguf *g, uint64_t i,
                                                 struct greta_gguf_string *name) {
    if (i >= g->n_keys) return NULL;
    if (name) *name = g->keys[i].name;
    return &g->keys[i].value;
}

const struct greta_gguf_value *greta_gguf_key(const struct greta_gguf *g, const char *name) {
    struct gguf_key wanted = {.name = {name, strlen(name)}}, *p = &wanted;
    struct gguf_key **found = bsearch(&p, g->keys_by_name, g->n_keys, sizeof *g->keys_by_name, by_key);
    return found ? &(*found)->value : NULL;
}

bool greta_gguf_get_u64(const struct greta_gguf *g, const char *name, uint64_t *out) {
    return as_u64(greta_gguf_key(g, name), out);
}

bool greta_gguf_get_f64(const struct greta_gguf *g, const char *name, double *out) {
    const struct greta_gguf_value *v = greta_gguf_key(g, name);
    if (!v || (v->type != GRETA_GGUF_F32 && v->type != GRETA_GGUF_F64)) return false;
    *out = v->f64;
    return true;
}

bool greta_gguf_get_bool(const struct greta_gguf *g, const char *name, bool *out) {
    const struct greta_gguf_value *v = greta_gguf_key(g, name);
    if (!v || v->type != GRETA_GGUF_BOOL) return false;
    *out = v->b;
    return true;
}

bool greta_gguf_get_string(const struct greta_gguf *g, const char *name, struct greta_gguf_string *out) {
    const struct greta_gguf_value *v = greta_gguf_key(g, name);
    if (!v || v->type != GRETA_GGUF_STRING) return false;
    *out = v->str;
    return true;
}
