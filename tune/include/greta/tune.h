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
 * two), its keys, layout and policy, the device with its driver, and a hash of the device code and constants of all the op's rows.
 */
struct greta_tune_key {
    char op[32], shape[GRETA_TUNE_TEXT], types[GRETA_TUNE_TEXT];
    char device[GRETA_TUNE_TEXT], driver[GRETA_TUNE_TEXT], image[20];
};
GRETA_API void greta_tune_key_make(const struct greta_dev *dev, const struct greta_call *call,
                                   enum greta_policy policy, struct greta_tune_key *out);

/* FNV-1a of a piece of device code, 0 of host code. */
GRETA_API uint64_t greta_tune_image_hash(const struct greta_image *image);
/* Whether the device has more than one row, or a row with constants, for the call: others are not tuned, nor counted. */
GRETA_API bool greta_tune_has_choice(const struct greta_dev *dev, const struct greta_call *call);

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
    double noise; /* of the choice: no other row that was tried is faster by more than this part */
    uint64_t seed;
    char date[24]; /* UTC, ISO 8601; filled by put where empty */
};

/* For one thread at a time; several processes may have the same file open. */
struct greta_tune_db;

/*
 * path NULL: $GRETA_TUNING, else tuning.db in the cache folder ("" and no cache folder: nothing is kept, *out is NULL and the
 * status OK). A file that is no database of this kind, is damaged, or was written by a later version is renamed (".aside", with
 * a number where need be), said once, and a new one begun. `read_only`: a missing file is no error and is not made, and one
 * without tables (empty, or just being made by another process) is as good as missing: *out is NULL, the status OK.
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

/*
 * What a plan asks: choices by call, read from the file when a call is new and kept from then on, so that the file is asked once for each.
 * Thread-safe; the database must outlive it. greta_tune_lookup is what greta_plan_params.tuned wants, with the lookups as its user. Calls without a choice are not asked about.
 */
struct greta_tune_lookups;
GRETA_API GRETA_MUST_USE greta_status greta_tune_lookups_create(struct greta_tune_db *db,
                                                                const struct greta_dev *dev,
                                                                enum greta_policy policy,
                                                                struct greta_tune_lookups **out);
GRETA_API void greta_tune_lookups_destroy(struct greta_tune_lookups **lookups);
GRETA_API bool greta_tune_lookup(void *lookups, const struct greta_call *call, char *row, size_t size);
/* Of distinct calls: how many were asked about, how many of them the database knew; and how often the file was read, in how long. */
struct greta_tune_counts {
    uint32_t n_calls, n_known, n_reads;
    uint64_t ns;
};
GRETA_API struct greta_tune_counts greta_tune_lookups_count(struct greta_tune_lookups *lookups);

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
