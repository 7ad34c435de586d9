#include "app.h"
#include "commands.h"
#include "io.h"

#include "report.h"

#include <errno.h>
#include <string.h>

enum { MAX_PATHS = 64 };

/* Standard output where no file is given. */
static bool write_out(const json_t *list, bool csv, const char *path) {
    FILE *out = path ? fopen(path, "w") : stdout;
    bool ok = out && (csv ? report_csv(list, out) : report_html(list, out));
    if (out) ok = (path ? fclose(out) : fflush(out)) == 0 && ok;
    if (!ok) say("%s: cannot write the report: %s", path ? path : "standard output", strerror(errno));
    return ok;
}

int command_report(const struct command *command, int argc, char **argv) {
    const char *paths[MAX_PATHS], *output = NULL;
    bool csv = false;
    const struct option options[] = {
        {"output", 'o', OPTION_STRING, &output, "FILE", "where to write it; else standard output"},
        {"csv", 0, OPTION_FLAG, &csv, NULL, "a line a result, for a spreadsheet, in place of the page"},
        {0},
    };
    struct app app = {0};
    int n, result = options_parse(command, options, argc, argv, paths, MAX_PATHS, &n);

    if (result != GO_ON) return result;
    if (!n) return usage_error(command, "of which results? greta report results -o report.html");
    app_log(&app, &(struct common){0});
    json_t *list = json_array();
    bool ok = list != NULL;
    for (int i = 0; i < n && ok; i++) ok = !report_load(paths[i], &app.log, list);
    if (ok && !json_array_size(list)) {
        say("%s: no results there", paths[0]);
        ok = false;
    }
    ok = ok && write_out(list, csv, output);
    json_decref(list);
    return ok ? EXIT_DONE : EXIT_FAILED;
}
