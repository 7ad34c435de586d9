/* Results as one page of HTML, or as lines of CSV. */
#ifndef REPORT_REPORT_H
#define REPORT_REPORT_H

#include "results.h"

#include <stdio.h>

/*
 * Adds the results (or the tuning export) of a file to a list, or of every *.json of a folder and of the folders in it, in the
 * order of their names. What a folder holds besides is passed over with a line; a file that is named must be right: ERR_FORMAT,
 * ERR_IO, logged.
 */
GRETA_MUST_USE greta_status report_load(const char *path, const struct greta_log *log, json_t *list);
/* A page that needs no other file. False where writing fails. */
bool report_html(const json_t *list, FILE *out);
/* One line a result, after a line of names. False where writing fails. */
bool report_csv(const json_t *list, FILE *out);

#endif
