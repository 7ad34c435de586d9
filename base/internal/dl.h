/* Libraries opened at run time, by a list of names, and their symbols. */
#ifndef BASE_DL_H
#define BASE_DL_H

#include <greta/log.h>

#include <stdbool.h>
#include <stddef.h>

struct dl {
    void *handle;
    const char *name; /* which of the names opened (borrowed from the caller's list) */
};

struct dl_symbol {
    const char *name;
    size_t offset; /* where in the caller's table the pointer goes */
    bool optional;
};

/*
 * Opens the first of `names` (NULL-terminated) that loads. ERR_UNAVAILABLE where none does: a normal answer,
 * logged at debug level with the loader's words.
 */
GRETA_MUST_USE greta_status dl_open(struct dl *dl, const char *const *names, const struct greta_log *log);
/* Fills `table`. A required symbol that is missing is named in an error and ERR_UNAVAILABLE comes back. */
GRETA_MUST_USE greta_status dl_load(const struct dl *dl, const struct dl_symbol *symbols, size_t n_symbols, void *table,
                                    const struct greta_log *log);
void dl_close(struct dl *dl);

#endif
