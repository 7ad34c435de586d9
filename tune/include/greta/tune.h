/*
 * The tuning database: which row, with which constants, was fastest for an op of a shape on a device. One SQLite file, which
 * several processes may use at once. Without it the default plan works; what it holds is only ever a preference, and a row
 * that no longer serves a call is passed over.
 */
#ifndef GRETA_TUNE_H
#define GRETA_TUNE_H

#include <greta/kernels.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { GRETA_TUNE_TEXT = 192 };

/*
 * What a choice depends on, as text: the op, its shape with token counts and context lengths in buckets (the next power of
 * two), its keys and layout, the device with its driver, and a hash of the device code of all the op's rows.
 */
struct greta_tune_key {
    char op[32], shape[GRETA_TUNE_TEXT], types[GRETA_TUNE_TEXT];
    char device[GRETA_TUNE_TEXT], driver[GRETA_TUNE_TEXT], image[20];
};
GRETA_API void greta_tune_key_make(const struct greta_dev *dev, const struct greta_call *call,
                                   struct greta_tune_key *out);

/* One row that was tried, by a name as greta_plan_params.force takes it: "matvec_rows:rows=4:steps=2". */
struct greta_tune_try {
    char row[GRETA_TUNE_TEXT];
    char fault[GRETA_TUNE_TEXT]; /* why it did not count: "its result is wrong"; "" where it did */
    double ns, spread;           /* median time of a call, (p90 - p10) / p50 */
};

struct greta_tune_entry {
    struct greta_tune_key key;
    char row[GRETA_TUNE_TEXT];     /* chosen */
    double ns, spread, default_ns; /* default: of the row that the plan takes without a database */
    uint64_t seed;
    char date[24]; /* UTC, ISO 8601; filled by put where empty */
};

struct greta_tune_db;

/*
 * path NULL: $GRETA_TUNING, else tuning.db in the cache folder ("" and no cache folder: nothing is kept, *out is NULL and the
 * status OK). A file that is no database of this kind, is damaged, or was written by a later version is renamed (".aside", with
 * a number where need be), said once, and a new one begun. `read_only`: a missing file is no error and is not made.
 */
struct greta_tune_params {
    const char *path;
    bool read_only;
    const struct greta_log *log;
};
GRETA_API GRETA_MUST_USE greta_status greta_tune_open(const struct greta_tune_params *params,
                                                      struct greta_tune_db **out);
GRETA_API void greta_tune_close(struct greta_tune_db **db);
GRETA_API const char *greta_tune_path(const struct greta_tune_db *db);

/* Replaces the entry of its key, and its tries with it, in one transaction. ERR_IO, logged. */
GRETA_API GRETA_MUST_USE greta_status greta_tune_put(struct greta_tune_db *db,
                                                     const struct greta_tune_entry *entry,
                                                     const struct greta_tune_try *tries, uint32_t n_tries);
/* ERR_NOT_FOUND is a normal answer. */
GRETA_API GRETA_MUST_USE greta_status greta_tune_get(struct greta_tune_db *db,
                                                     const struct greta_tune_key *key,
                                                     struct greta_tune_entry *out);
/* Every entry, and every try of each, ordered by key; fn returns false to stop. */
typedef bool greta_tune_entry_fn(void *user, const struct greta_tune_entry *entry);
typedef bool greta_tune_try_fn(void *user, const struct greta_tune_try *t);
GRETA_API GRETA_MUST_USE greta_status greta_tune_each(struct greta_tune_db *db, greta_tune_entry_fn *fn,
                                                      void *user);
GRETA_API GRETA_MUST_USE greta_status greta_tune_each_try(struct greta_tune_db *db,
                                                          const struct greta_tune_key *key,
                                                          greta_tune_try_fn *fn, void *user);

/* As JSON, for another machine of the same kind. Import keeps what is there for keys that the file lacks; a malformed file changes
 * nothing: ERR_FORMAT, with the member. *n: entries written. */
GRETA_API GRETA_MUST_USE greta_status greta_tune_export(struct greta_tune_db *db, const char *path,
                                                        uint32_t *n);
GRETA_API GRETA_MUST_USE greta_status greta_tune_import(struct greta_tune_db *db, const char *path,
                                                        uint32_t *n);

#ifdef __cplusplus
}
#endif
#endif
