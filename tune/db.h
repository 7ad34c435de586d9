/* Inside tune/: the open database, and writing several entries in one transaction. */
#ifndef TUNE_DB_H
#define TUNE_DB_H

#include <greta/tune.h>

#include <sqlite3.h>

struct greta_tune_db {
    sqlite3 *sqlite;
    sqlite3_stmt *get; /* kept from the first greta_tune_get on */
    char *path;
    const struct greta_log *log;
};

/* Logs SQLite's last error. */
greta_status db_fail(const struct greta_tune_db *db, const char *what);
/* begin; put ...; end(ok): with ok false, or where the commit fails, nothing has changed. */
GRETA_MUST_USE greta_status db_begin(struct greta_tune_db *db);
bool db_put(struct greta_tune_db *db, const struct greta_tune_entry *entry,
            const struct greta_tune_try *tries, uint32_t n_tries);
GRETA_MUST_USE greta_status db_end(struct greta_tune_db *db, bool ok);

#endif
