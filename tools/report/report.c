#include "report.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

extern const char report_page[], report_page_end[];

enum { MAX_DEPTH = 4 };

/* ---- loading ---- */

static bool is_tuning(const json_t *root) {
    const char *format = json_string_value(json_object_get(root, "format"));
    return format && strcmp(format, "greta-tuning") == 0 && json_is_array(json_object_get(root, "entries"));
}

static greta_status load_file(const char *path, const struct greta_log *log, json_t *list) {
    struct results r = {.root = json_load_file(path, 0, NULL)};
    if (!is_tuning(r.root)) {
        results_free(&r);
        greta_status status = results_read(path, log, &r);
        if (status) return status;
    }
    const char *name = strrchr(path, '/');
    json_object_set_new(r.root, "file", json_string(name ? name + 1 : path));
    return json_array_append_new(list, r.root) ? GRETA_ERR_NO_MEMORY : GRETA_OK;
}

static int is_shown(const struct dirent *entry) {
    return entry->d_name[0] != '.';
}

static bool ends_with(const char *text, const char *end) {
    size_t n = strlen(text), k = strlen(end);
    return n > k && strcmp(text + n - k, end) == 0;
}

static greta_status load(const char *path, const struct greta_log *log, json_t *list, int depth);

/* What is no file of results is passed over: a folder may hold others. */
static greta_status load_folder(const char *path, const struct greta_log *log, json_t *list, int depth) {
    struct dirent **entries;
    int n = scandir(path, &entries, is_shown, alphasort);
    greta_status status = GRETA_OK;
    if (n < 0) return greta_fail(log, GRETA_ERR_IO, "%s: cannot read it: %s", path, strerror(errno));
    for (int i = 0; i < n; i++) {
        size_t size = strlen(path) + strlen(entries[i]->d_name) + 2;
        char *child = malloc(size);
        struct stat info;
        if (child) snprintf(child, size, "%s/%s", path, entries[i]->d_name);
        bool wanted = child && stat(child, &info) == 0 &&
                      (S_ISDIR(info.st_mode) ? depth < MAX_DEPTH : ends_with(child, ".json"));
        if (!child) status = GRETA_ERR_NO_MEMORY;
        if (wanted && !status) status = load(child, log, list, depth + 1);
        if (status == GRETA_ERR_FORMAT) status = GRETA_OK;
        free(child);
        free(entries[i]);
    }
    free(entries);
    return status;
}

static greta_status load(const char *path, const struct greta_log *log, json_t *list, int depth) {
    struct stat info;
    if (stat(path, &info) == 0 && S_ISDIR(info.st_mode)) return load_folder(path, log, list, depth);
    return load_file(path, log, list);
}

greta_status report_load(const char *path, const struct greta_log *log, json_t *list) {
    return load(path, log, list, 0);
}

/* ---- HTML ---- */

static int write_part(const char *bytes, size_t n, void *user) {
    return fwrite(bytes, 1, n, user) == n ? 0 : -1;
}

/* Slashes are escaped, so that no text of a result can end the script element. */
bool report_html(const json_t *list, FILE *out) {
    static const char place[] = "@DATA@";
    const char *at = strstr(report_page, place);
    size_t before = (size_t)(at - report_page), after = (size_t)(report_page_end - at) - strlen(place);
    return fwrite(report_page, 1, before, out) == before &&
           json_dump_callback(list, write_part, out,
                              JSON_COMPACT | JSON_ESCAPE_SLASH | JSON_REAL_PRECISION(7)) == 0 &&
           fwrite(at + strlen(place), 1, after, out) == after;
}

/* ---- CSV ---- */

/* Quoted by RFC 4180 where it must be. A text that a spreadsheet would take for a formula gets a space in front. */
static bool csv_text(FILE *out, const char *text) {
    bool quote = strpbrk(text, ",\"\r\n") != NULL, formula = *text && strchr("=+-@", *text);
    bool ok = !quote || fputc('"', out) != EOF;
    if (formula) ok = ok && fputc(' ', out) != EOF;
    for (; *text && ok; text++) ok = (*text != '"' || fputc('"', out) != EOF) && fputc(*text, out) != EOF;
    return ok && (!quote || fputc('"', out) != EOF);
}

static bool csv_value(FILE *out, const json_t *value) {
    if (json_is_string(value)) return csv_text(out, json_string_value(value));
    return !json_is_number(value) || fprintf(out, "%.9g", json_number_value(value)) > 0;
}

static const json_t *member(const json_t *object, const char *first, const char *second) {
    const json_t *value = json_object_get(object, first);
    return second ? json_object_get(value, second) : value;
}

bool report_csv(const json_t *list, FILE *out) {
    static const char *const columns[][2] = {{"key", NULL},
                                             {"status", NULL},
                                             {"row", NULL},
                                             {"device_ns", "p50"},
                                             {"device_ns", "p99"},
                                             {"device_ns", "spread"},
                                             {"host_ns", "p50"},
                                             {"host_ns", "p99"},
                                             {"bytes", NULL},
                                             {"flops", NULL},
                                             {"gb_per_s", NULL},
                                             {"tflop_per_s", NULL},
                                             {"tokens_per_s", NULL},
                                             {"bound", NULL},
                                             {"percent_of_roof", NULL},
                                             {"counts", "instructions"},
                                             {"counts", "instructions_matrix"},
                                             {"counts", "lds_conflict_cycles"},
                                             {"counts", "line_bytes_loaded"},
                                             {"counts", "dispatches"},
                                             {"check", "how"},
                                             {"reason", NULL}};
    enum { N = sizeof columns / sizeof *columns };
    bool ok = fputs("file,date,device,driver", out) >= 0;
    for (int i = 0; i < N && ok; i++)
        ok = fprintf(out, columns[i][1] ? ",%s_%s" : ",%s", columns[i][0], columns[i][1]) > 0;
    ok = ok && fputs("\r\n", out) >= 0;
    size_t i_run, i_result;
    json_t *run, *result;
    json_array_foreach(list, i_run, run) {
        const json_t *e = json_object_get(run, "environment"), *device = json_object_get(e, "device");
        json_array_foreach(json_object_get(run, "results"), i_result, result) {
            const json_t *first[] = {member(run, "file", NULL), member(e, "date", NULL),
                                     member(device, "name", NULL), member(device, "driver", NULL)};
            for (int i = 0; i < 4 && ok; i++)
                ok = csv_value(out, first[i]) && (i == 3 || fputc(',', out) != EOF);
            for (int i = 0; i < N && ok; i++)
                ok = fputc(',', out) != EOF && csv_value(out, member(result, columns[i][0], columns[i][1]));
            ok = ok && fputs("\r\n", out) >= 0;
        }
    }
    return ok;
}
