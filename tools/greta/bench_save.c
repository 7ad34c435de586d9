/* What greta bench keeps: files of results, and what it prints at the end. */
#include "bench_request.h"
#include "io.h"
#include "report.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* The folder of --out, or a preset's; NULL where nothing is saved. */
static const char *folder_of(const struct bench_request *q) {
    return q->out ? q->out : q->preset >= 0 ? "results" : NULL;
}

bool bench_make_folder(const struct bench_request *q) {
    const char *folder = folder_of(q);
    struct stat info;
    if (!folder) return true;
    if (mkdir(folder, 0777) && errno != EEXIST) {
        say("%s: cannot make the folder: %s", folder, strerror(errno));
        return false;
    }
    if (stat(folder, &info) == 0 && !S_ISDIR(info.st_mode)) {
        say("%s: it is no folder", folder);
        return false;
    }
    if (access(folder, W_OK | X_OK) == 0) return true;
    say("%s: cannot write into it: %s", folder, strerror(errno));
    return false;
}

/* Takes the name, so that two runs that begin within a second keep both of their files. */
static bool claim(const char *path) {
    int file = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0666);
    if (file >= 0) close(file);
    return file >= 0 || errno != EEXIST; /* what else is wrong is told when it is written */
}

static const char *what_of(const struct bench_request *q) {
    if (q->preset >= 0 && (!q->n_names || q->benches[0])) return preset_name((enum preset)q->preset);
    return q->n_names != 1 ? "some" : q->benches[0] ? q->benches[0]->name : q->names[0];
}

/* results/2026-01-02T03-04-05Z-vulkan-0-standard.json; with the name of what was run where that is no preset. */
static void name_file(struct bench_request *q, const struct greta_dev_info *dev) {
    char date[32], again[16] = "";
    time_t now = time(NULL);
    struct tm utc;
    gmtime_r(&now, &utc);
    strftime(date, sizeof date, "%Y-%m-%dT%H-%M-%SZ", &utc);
    for (int i = 2; i < 1000; i++) {
        snprintf(q->path, sizeof q->path, "%s/%s-%s-%u-%s%s.json", folder_of(q), date, dev->backend,
                 dev->i_device, what_of(q), again);
        if (claim(q->path)) break;
        snprintf(again, sizeof again, "-%d", i);
    }
}

bool bench_save(struct bench_request *q, struct app *app, const struct results *results) {
    if (!folder_of(q) || !json_array_size(json_object_get(results->root, "results"))) return true;
    const bool first = !*q->path;
    if (first) name_file(q, greta_dev_get_info(app->dev));
    if (!results_write(results, q->path, &app->log)) return true;
    if (first) { /* no empty file stays; an earlier one does */
        unlink(q->path);
        *q->path = 0;
    }
    return false;
}

bool bench_tell_saved(const struct bench_request *q) {
    return q->quiet || !*q->path || (out_printf("saved as %s\n", q->path) && out_flush());
}

bool bench_print(const struct bench_request *q, const struct results *r) {
    json_t *list = json_pack("[O]", r->root);
    bool ok = list != NULL;
    if (q->csv) ok = ok && report_csv(list, stdout);
    if (q->json)
        ok = ok && json_dumpf(r->root, stdout, JSON_INDENT(1) | JSON_REAL_PRECISION(9)) == 0 &&
             putchar('\n') != EOF;
    json_decref(list);
    ok = ok && fflush(stdout) == 0;
    if (!ok) say("cannot write to standard output: %s", strerror(errno));
    return ok;
}

bool bench_tell_status(const struct results *r, const char *stopped) {
    bool failed = results_count(r, BENCH_FAILED) > 0, skipped = !results_count(r, BENCH_OK);
    const char *reason = stopped   ? stopped
                         : failed  ? "a result is wrong or a call failed"
                         : skipped ? "nothing here could be measured"
                                   : "";
    return out_printf("STATUS=%s%s%s\n",
                      stopped || failed ? "FAILED"
                      : skipped         ? "SKIPPED"
                                        : "OK",
                      *reason ? " reason=" : "", reason) &&
           out_flush();
}
