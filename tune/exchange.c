/* Entries as JSON, to travel with a deployment. */
#include "db.h"

#include <jansson.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char *const members[] = {"op", "shape", "types", "device", "driver", "image", "row", "date"};
enum { N_MEMBERS = sizeof members / sizeof *members };

/* Where each member lies, in the order of the names. */
static void places_of(struct greta_tune_entry *e, char *at[N_MEMBERS], size_t sizes[N_MEMBERS]) {
    char *const places[] = {e->key.op,     e->key.shape, e->key.types, e->key.device,
                            e->key.driver, e->key.image, e->row,       e->date};
    const size_t all[] = {sizeof e->key.op,     sizeof e->key.shape,  sizeof e->key.types,
                          sizeof e->key.device, sizeof e->key.driver, sizeof e->key.image,
                          sizeof e->row,        sizeof e->date};
    memcpy(at, places, sizeof places);
    memcpy(sizes, all, sizeof all);
}

struct export {
    struct greta_tune_db *db;
    json_t *list, *tries; /* tries: of the entry at hand */
};

static bool export_try(void *user, const struct greta_tune_try *t) {
    struct export *x = user;
    json_t *o =
        json_pack("{ss ss sf sf}", "row", t->row, "fault", t->fault, "ns", t->ns, "spread", t->spread);
    return json_array_append_new(x->tries, o) == 0;
}

static bool export_entry(void *user, const struct greta_tune_entry *entry) {
    struct export *x = user;
    struct greta_tune_entry e = *entry;
    char *at[N_MEMBERS];
    size_t sizes[N_MEMBERS];
    json_t *o = json_object();
    places_of(&e, at, sizes);
    for (int i = 0; i < N_MEMBERS; i++) json_object_set_new(o, members[i], json_string(at[i]));
    json_object_set_new(o, "ns", json_real(e.ns));
    json_object_set_new(o, "spread", json_real(e.spread));
    json_object_set_new(o, "default_ns", json_real(e.default_ns));
    json_object_set_new(o, "noise", json_real(e.noise));
    json_object_set_new(o, "seed", json_integer((json_int_t)e.seed));
    x->tries = json_array();
    bool ok = o && x->tries && !greta_tune_each_try(x->db, &e.key, export_try, x);
    ok = json_object_set_new(o, "tried", x->tries) == 0 && ok;
    return json_array_append_new(x->list, o) == 0 && ok;
}

greta_status greta_tune_export(struct greta_tune_db *db, const char *path, uint32_t *n) {
    struct export x = {.db = db, .list = json_array()};
    json_t *root = json_pack("{ss si sO?}", "format", "greta-tuning", "version", 1, "entries", x.list);
    greta_status status = root && x.list ? greta_tune_each(db, export_entry, &x) : GRETA_ERR_NO_MEMORY;
    *n = (uint32_t)json_array_size(x.list);
    if (!status && json_dump_file(root, path, JSON_INDENT(1) | JSON_REAL_PRECISION(9)))
        status = greta_fail(db->log, GRETA_ERR_IO, "%s: cannot write it: %s", path, strerror(errno));
    json_decref(x.list);
    json_decref(root);
    if (status) *n = 0;
    return status;
}

/* ---- import ---- */

static bool text_read(const json_t *o, const char *name, char *out, size_t size) {
    const char *text = json_string_value(json_object_get(o, name));
    if (!text || strlen(text) >= size) return false;
    memcpy(out, text, strlen(text) + 1);
    return true;
}

/* NULL, or the member that is wrong. */
static const char *entry_read(const json_t *o, struct greta_tune_entry *e) {
    char *at[N_MEMBERS];
    size_t sizes[N_MEMBERS];
    *e = (struct greta_tune_entry){0};
    places_of(e, at, sizes);
    for (int i = 0; i < N_MEMBERS; i++)
        if (!text_read(o, members[i], at[i], sizes[i])) return members[i];
    if (!*e->row) return "row";
    e->ns = json_number_value(json_object_get(o, "ns"));
    e->spread = json_number_value(json_object_get(o, "spread"));
    e->default_ns = json_number_value(json_object_get(o, "default_ns"));
    e->noise = json_number_value(json_object_get(o, "noise"));
    e->seed = (uint64_t)json_integer_value(json_object_get(o, "seed"));
    /* 0: of a call for which one row alone may be chosen. */
    const json_t *ns = json_object_get(o, "ns");
    return json_is_number(ns) && e->ns >= 0 ? NULL : "ns";
}

static const char *try_read(const json_t *o, struct greta_tune_try *t) {
    *t = (struct greta_tune_try){0};
    if (!text_read(o, "row", t->row, sizeof t->row)) return "tried: row";
    if (!text_read(o, "fault", t->fault, sizeof t->fault)) return "tried: fault";
    t->ns = json_number_value(json_object_get(o, "ns"));
    t->spread = json_number_value(json_object_get(o, "spread"));
    return NULL;
}

enum { MAX_TRIES = 4096 };

/* Reads one entry and its tries, and writes them into the transaction. */
static const char *import_one(struct greta_tune_db *db, const json_t *o, struct greta_tune_try *tries,
                              bool *ok) {
    struct greta_tune_entry e;
    const char *fault = entry_read(o, &e);
    json_t *list = json_object_get(o, "tried"), *value;
    size_t i;
    if (!fault && json_array_size(list) > MAX_TRIES) fault = "tried";
    json_array_foreach(list, i, value) {
        if (!fault) fault = try_read(value, &tries[i]);
    }
    if (!fault) *ok = db_put(db, &e, tries, (uint32_t)json_array_size(list));
    return fault;
}

static greta_status import_all(struct greta_tune_db *db, const char *path, const json_t *list, uint32_t *n) {
    struct greta_tune_try *tries = calloc(MAX_TRIES, sizeof *tries);
    greta_status status = tries ? db_begin(db) : GRETA_ERR_NO_MEMORY;
    if (status) {
        free(tries);
        return status;
    }
    const char *fault = NULL;
    bool ok = true;
    for (size_t i = 0; i < json_array_size(list) && ok && !fault; i++) {
        fault = import_one(db, json_array_get(list, i), tries, &ok);
        if (fault)
            status =
                greta_fail(db->log, GRETA_ERR_FORMAT,
                           "%s: entry %zu: \"%s\" is missing or wrong; nothing was imported", path, i, fault);
        else
            *n += ok;
    }
    free(tries);
    if (fault) {
        sqlite3_exec(db->sqlite, "ROLLBACK", NULL, NULL, NULL);
        return status;
    }
    return db_end(db, ok);
}

greta_status greta_tune_import(struct greta_tune_db *db, const char *path, uint32_t *n) {
    json_error_t error;
    json_t *root = json_load_file(path, 0, &error);
    *n = 0;
    if (!root && json_error_code(&error) == json_error_cannot_open_file)
        return greta_fail(db->log, GRETA_ERR_IO, "%s: cannot read it: %s", path, strerror(errno));
    if (!root)
        return greta_fail(db->log, GRETA_ERR_FORMAT, "%s:%d: no JSON: %s", path, error.line, error.text);
    const char *format = json_string_value(json_object_get(root, "format"));
    const json_t *list = json_object_get(root, "entries");
    greta_status status;
    if (!format || strcmp(format, "greta-tuning") != 0 ||
        json_integer_value(json_object_get(root, "version")) != 1 || !json_is_array(list))
        status = greta_fail(db->log, GRETA_ERR_FORMAT,
                            "%s: no tuning file of GRETA (\"format\", \"version\" or \"entries\")", path);
    else
        status = import_all(db, path, list, n);
    if (status) *n = 0;
    json_decref(root);
    return status;
}
