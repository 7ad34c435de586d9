/* The database file. */
#include "db.h"

#include <greta/env.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* "GRET" and the version of the tables: what tells a file of ours from others. */
enum { APPLICATION_ID = 0x47524554, SCHEMA_VERSION = 2, BUSY_MS = 10000 };

static const char schema[] =
    "BEGIN IMMEDIATE;"
    "CREATE TABLE IF NOT EXISTS tuned (op TEXT, shape TEXT, types TEXT, device TEXT, driver TEXT, image "
    "TEXT, row TEXT NOT NULL,"
    " ns REAL, spread REAL, default_ns REAL, seed INTEGER, date TEXT, noise REAL, PRIMARY KEY (op, shape, "
    "types, device, "
    "driver, image));"
    "CREATE TABLE IF NOT EXISTS tried (op TEXT, shape TEXT, types TEXT, device TEXT, driver TEXT, image "
    "TEXT, row TEXT NOT NULL,"
    " fault TEXT, ns REAL, spread REAL, PRIMARY KEY (op, shape, types, device, driver, image, row));"
    "PRAGMA application_id = 1196574036; PRAGMA user_version = 2;"
    "COMMIT;";

#define KEY_COLUMNS "op, shape, types, device, driver, image"
#define KEY_MATCH "op = ?1 AND shape = ?2 AND types = ?3 AND device = ?4 AND driver = ?5 AND image = ?6"

greta_status db_fail(const struct greta_tune_db *db, const char *what) {
    return greta_fail(db->log, GRETA_ERR_IO, "%s: cannot %s: %s", db->path, what, sqlite3_errmsg(db->sqlite));
}

/* ---- opening ---- */

static int pragma(sqlite3 *sqlite, const char *text, int *value) {
    sqlite3_stmt *s = NULL;
    int error = sqlite3_prepare_v2(sqlite, text, -1, &s, NULL);
    if (!error && sqlite3_step(s) == SQLITE_ROW) *value = sqlite3_column_int(s, 0);
    int end = sqlite3_finalize(s);
    return error ? error : end;
}

static const char *fault_within(sqlite3 *sqlite, bool *empty) {
    int id = 0, version = 0, n_tables = 0;
    char *said = NULL;
    int error = pragma(sqlite, "PRAGMA application_id", &id);
    if (!error) error = pragma(sqlite, "PRAGMA user_version", &version);
    if (!error) error = pragma(sqlite, "SELECT count(*) FROM sqlite_master", &n_tables);
    *empty = !error && !n_tables;
    if (!error && n_tables) {
        if (id != APPLICATION_ID) return "it is a database of another program";
        if (version != SCHEMA_VERSION) return "it was written by another version of GRETA";
        error = sqlite3_exec(sqlite,
                             "PRAGMA quick_check(1); SELECT " KEY_COLUMNS
                             ", row, ns, spread, default_ns, seed, date, noise FROM tuned LIMIT 1;"
                             "SELECT " KEY_COLUMNS ", row, fault, ns, spread FROM tried LIMIT 1",
                             NULL, NULL, &said);
        sqlite3_free(said);
        if (error == SQLITE_ERROR) return "its tables are not those of GRETA";
    }
    if (error == SQLITE_NOTADB) return "it is no database";
    if (error == SQLITE_CORRUPT) return "it is damaged";
    return error ? "" : NULL;
}

/*
 * NULL: the file is ours, or empty. Else what is wrong with it; "" where that cannot be told now (busy, unreadable). One transaction: what
 * another process commits between two questions (its tables, after an application id of 0) would look like another program's file.
 */
static const char *fault_of(sqlite3 *sqlite, bool *empty) {
    *empty = false;
    if (sqlite3_exec(sqlite, "BEGIN", NULL, NULL, NULL)) return "";
    const char *fault = fault_within(sqlite, empty);
    if (!fault || *fault)
        sqlite3_exec(sqlite, "ROLLBACK", NULL, NULL, NULL); /* else its text is still to be said */
    return fault;
}

static greta_status set_aside(const struct greta_tune_db *db, const char *fault, bool read_only) {
    size_t size = strlen(db->path) + 32;
    char *name = malloc(size);
    struct stat info;
    if (!name) return GRETA_ERR_NO_MEMORY;
    snprintf(name, size, "%s.aside", db->path);
    for (int i = 2; stat(name, &info) == 0 && i < 1000; i++) snprintf(name, size, "%s.aside.%d", db->path, i);
    greta_status status = GRETA_OK;
    if (rename(db->path, name))
        status = greta_fail(db->log, GRETA_ERR_IO, "%s: %s, and it cannot be renamed: %s", db->path, fault,
                            strerror(errno));
    else
        greta_logf(db->log, GRETA_LOG_WARN, "%s: %s; it is now %s, and %s", db->path, fault, name,
                   read_only ? "the run goes on without" : "a new one is begun");
    free(name);
    return status;
}

static greta_status open_file(struct greta_tune_db *db, bool read_only) {
    int flags = read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
    if (sqlite3_open_v2(db->path, &db->sqlite, flags, NULL)) return db_fail(db, "open it");
    sqlite3_busy_timeout(db->sqlite, BUSY_MS);
    return GRETA_OK;
}

/* The folders above a path. */
static void make_folders(const char *path) {
    char *copy = strdup(path);
    for (char *at = copy ? strchr(copy + 1, '/') : NULL; at; at = strchr(at + 1, '/')) {
        *at = 0;
        mkdir(copy, 0777);
        *at = '/';
    }
    free(copy);
}

/* db->sqlite stays NULL where there is nothing to read: a file that was set aside, or one whose tables are not made yet. */
static greta_status open_checked(struct greta_tune_db *db, bool read_only) {
    bool empty = false;
    greta_status status = open_file(db, read_only);
    const char *fault = status ? NULL : fault_of(db->sqlite, &empty);
    if (fault && !*fault) return db_fail(db, "read it");
    if (!status && read_only && empty) {
        sqlite3_close(db->sqlite);
        db->sqlite = NULL;
    }
    if (fault) {
        sqlite3_close(db->sqlite);
        db->sqlite = NULL;
        status = set_aside(db, fault, read_only);
        if (!status && !read_only) status = open_file(db, false);
    }
    if (!status && !read_only && sqlite3_exec(db->sqlite, schema, NULL, NULL, NULL))
        status = db_fail(db, "make its tables");
    return status;
}

static greta_status path_of(const struct greta_tune_params *params, char **out) {
    const char *given = params->path ? params->path : greta_env_get(GRETA_ENV_TUNING);
    char *folder = NULL;
    *out = NULL;
    if (given) {
        if (*given && !(*out = strdup(given))) return GRETA_ERR_NO_MEMORY;
        return GRETA_OK;
    }
    greta_status status = greta_env_cache_dir(&folder);
    if (status || !folder) return status;
    size_t size = strlen(folder) + sizeof "/tuning.db";
    *out = malloc(size);
    if (*out) snprintf(*out, size, "%s/tuning.db", folder);
    free(folder);
    return *out ? GRETA_OK : GRETA_ERR_NO_MEMORY;
}

greta_status greta_tune_open(const struct greta_tune_params *params, struct greta_tune_db **out) {
    static const struct greta_tune_params defaults = {0};
    char *path;
    *out = NULL;
    if (!params) params = &defaults;
    greta_status status = path_of(params, &path);
    if (status || !path) return status;
    if (params->read_only && access(path, F_OK)) {
        free(path);
        return GRETA_OK;
    }
    struct greta_tune_db *db = calloc(1, sizeof *db);
    if (!db) {
        free(path);
        return GRETA_ERR_NO_MEMORY;
    }
    db->path = path;
    db->log = params->log;
    if (!params->read_only) make_folders(path);
    status = open_checked(db, params->read_only);
    if (status || !db->sqlite) greta_tune_close(&db);
    *out = db;
    return status;
}

void greta_tune_close(struct greta_tune_db **db) {
    struct greta_tune_db *d = db ? *db : NULL;
    if (!d) return;
    sqlite3_finalize(d->get);
    sqlite3_close(d->sqlite);
    free(d->path);
    free(d);
    *db = NULL;
}

const char *greta_tune_path(const struct greta_tune_db *db) {
    return db->path;
}

/* ---- entries ---- */

static void bind_text(sqlite3_stmt *s, int i, const char *text) {
    sqlite3_bind_text(s, i, text, -1, SQLITE_STATIC);
}

static void bind_key(sqlite3_stmt *s, const struct greta_tune_key *key) {
    const char *const members[] = {key->op, key->shape, key->types, key->device, key->driver, key->image};
    for (int i = 0; i < 6; i++) bind_text(s, i + 1, members[i]);
}

static sqlite3_stmt *prepare(const struct greta_tune_db *db, const char *text,
                             const struct greta_tune_key *key) {
    sqlite3_stmt *s = NULL;
    if (sqlite3_prepare_v2(db->sqlite, text, -1, &s, NULL)) return NULL;
    if (key) bind_key(s, key);
    return s;
}

static bool run(sqlite3_stmt *s) {
    bool ok = s && sqlite3_step(s) == SQLITE_DONE;
    return sqlite3_finalize(s) == SQLITE_OK && ok;
}

static bool put_entry(struct greta_tune_db *db, const struct greta_tune_entry *e) {
    sqlite3_stmt *s = prepare(
        db, "INSERT OR REPLACE INTO tuned VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
        &e->key);
    char date[sizeof e->date];
    time_t now = time(NULL);
    struct tm utc;
    if (!s) return false;
    gmtime_r(&now, &utc);
    strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%SZ", &utc);
    bind_text(s, 7, e->row);
    sqlite3_bind_double(s, 8, e->ns);
    sqlite3_bind_double(s, 9, e->spread);
    sqlite3_bind_double(s, 10, e->default_ns);
    sqlite3_bind_int64(s, 11, (sqlite3_int64)e->seed);
    bind_text(s, 12, *e->date ? e->date : date);
    sqlite3_bind_double(s, 13, e->noise);
    return run(s);
}

static bool put_try(struct greta_tune_db *db, const struct greta_tune_key *key,
                    const struct greta_tune_try *t) {
    sqlite3_stmt *s =
        prepare(db, "INSERT OR REPLACE INTO tried VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)", key);
    if (!s) return false;
    bind_text(s, 7, t->row);
    bind_text(s, 8, t->fault);
    sqlite3_bind_double(s, 9, t->ns);
    sqlite3_bind_double(s, 10, t->spread);
    return run(s);
}

bool db_put(struct greta_tune_db *db, const struct greta_tune_entry *entry,
            const struct greta_tune_try *tries, uint32_t n_tries) {
    bool ok = put_entry(db, entry) && run(prepare(db, "DELETE FROM tried WHERE " KEY_MATCH, &entry->key));
    for (uint32_t i = 0; i < n_tries && ok; i++) ok = put_try(db, &entry->key, &tries[i]);
    return ok;
}

greta_status db_begin(struct greta_tune_db *db) {
    return sqlite3_exec(db->sqlite, "BEGIN IMMEDIATE", NULL, NULL, NULL) ? db_fail(db, "write to it")
                                                                         : GRETA_OK;
}

greta_status db_end(struct greta_tune_db *db, bool ok) {
    ok = ok && !sqlite3_exec(db->sqlite, "COMMIT", NULL, NULL, NULL);
    greta_status status = ok ? GRETA_OK : db_fail(db, "write to it");
    if (!ok) sqlite3_exec(db->sqlite, "ROLLBACK", NULL, NULL, NULL);
    return status;
}

greta_status greta_tune_put(struct greta_tune_db *db, const struct greta_tune_entry *entry,
                            const struct greta_tune_try *tries, uint32_t n_tries) {
    greta_status status = db_begin(db);
    return status ? status : db_end(db, db_put(db, entry, tries, n_tries));
}

static void column(sqlite3_stmt *s, int i, char *out, size_t size) {
    const unsigned char *text = sqlite3_column_text(s, i);
    snprintf(out, size, "%s", text ? (const char *)text : "");
}

static void entry_read(sqlite3_stmt *s, struct greta_tune_entry *e) {
    *e = (struct greta_tune_entry){0};
    column(s, 0, e->key.op, sizeof e->key.op);
    column(s, 1, e->key.shape, sizeof e->key.shape);
    column(s, 2, e->key.types, sizeof e->key.types);
    column(s, 3, e->key.device, sizeof e->key.device);
    column(s, 4, e->key.driver, sizeof e->key.driver);
    column(s, 5, e->key.image, sizeof e->key.image);
    column(s, 6, e->row, sizeof e->row);
    e->ns = sqlite3_column_double(s, 7);
    e->spread = sqlite3_column_double(s, 8);
    e->default_ns = sqlite3_column_double(s, 9);
    e->seed = (uint64_t)sqlite3_column_int64(s, 10);
    column(s, 11, e->date, sizeof e->date);
    e->noise = sqlite3_column_double(s, 12);
}

greta_status greta_tune_get(struct greta_tune_db *db, const struct greta_tune_key *key,
                            struct greta_tune_entry *out) {
    if (!db->get) db->get = prepare(db, "SELECT * FROM tuned WHERE " KEY_MATCH, NULL);
    sqlite3_stmt *s = db->get;
    if (s) bind_key(s, key);
    int step = s ? sqlite3_step(s) : SQLITE_ERROR;
    *out = (struct greta_tune_entry){0};
    greta_status status = step == SQLITE_ROW    ? GRETA_OK
                          : step == SQLITE_DONE ? GRETA_ERR_NOT_FOUND
                                                : db_fail(db, "read it");
    if (!status) entry_read(s, out);
    if (s) {
        sqlite3_reset(s);
        sqlite3_clear_bindings(s);
    }
    return status;
}

greta_status greta_tune_each(struct greta_tune_db *db, greta_tune_entry_fn *fn, void *user) {
    sqlite3_stmt *s = prepare(db, "SELECT * FROM tuned ORDER BY " KEY_COLUMNS, NULL);
    int step = s ? sqlite3_step(s) : SQLITE_ERROR;
    for (; step == SQLITE_ROW; step = sqlite3_step(s)) {
        struct greta_tune_entry e;
        entry_read(s, &e);
        if (!fn(user, &e)) break;
    }
    greta_status status = step == SQLITE_ROW || step == SQLITE_DONE ? GRETA_OK : db_fail(db, "read it");
    sqlite3_finalize(s);
    return status;
}

greta_status greta_tune_each_try(struct greta_tune_db *db, const struct greta_tune_key *key,
                                 greta_tune_try_fn *fn, void *user) {
    sqlite3_stmt *s = prepare(
        db, "SELECT row, fault, ns, spread FROM tried WHERE " KEY_MATCH " ORDER BY fault <> '', ns", key);
    int step = s ? sqlite3_step(s) : SQLITE_ERROR;
    for (; step == SQLITE_ROW; step = sqlite3_step(s)) {
        struct greta_tune_try t = {.ns = sqlite3_column_double(s, 2), .spread = sqlite3_column_double(s, 3)};
        column(s, 0, t.row, sizeof t.row);
        column(s, 1, t.fault, sizeof t.fault);
        if (!fn(user, &t)) break;
    }
    greta_status status = step == SQLITE_ROW || step == SQLITE_DONE ? GRETA_OK : db_fail(db, "read it");
    sqlite3_finalize(s);
    return status;
}
