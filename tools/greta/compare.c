#include "app.h"
#include "commands.h"
#include "io.h"

#include "compare.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* "5%" or "0.05" as a fraction. */
static bool parse_part(const char *text, double *out) {
    char *end;
    *out = strtod(text, &end);
    bool percent = *end == '%';
    if (percent) *out /= 100;
    return end != text && !end[percent] && *out >= 0 && isfinite(*out);
}

static const char *device_of(const struct results *r, const char *member) {
    json_t *device = json_object_get(json_object_get(r->root, "environment"), "device");
    const char *text = json_string_value(json_object_get(device, member));
    return text ? text : "?";
}

/* Other machines may be compared, but not taken for the same one. */
static void tell_differences(const struct results *base, const struct results *now) {
    static const char *const members[] = {"name", "backend", "driver"};
    for (int i = 0; i < 3; i++) {
        const char *a = device_of(base, members[i]), *b = device_of(now, members[i]);
        if (strcmp(a, b) != 0) say("the device's %s differs: %s, now %s", members[i], a, b);
    }
}

static bool print_one(const struct comparison *c) {
    if (c->verdict == MISSING || c->verdict == NEW || c->verdict == BROKEN || c->verdict == MENDED ||
        c->verdict == NO_TIME)
        return out_printf("%-8s %s\n", verdict_name(c->verdict), c->key);
    if (strcmp(c->what, "time") == 0)
        return out_printf("%-8s %+7.1f %%  %10.2f us -> %10.2f us  %s\n", verdict_name(c->verdict),
                          100 * c->change, c->base * 1e-3, c->now * 1e-3, c->key);
    return out_printf("%-8s %+7.1f %%  %s %.0f -> %.0f  %s\n", verdict_name(c->verdict), 100 * c->change,
                      c->what, c->base, c->now, c->key);
}

static bool print_all(const struct comparisons *c, bool all) {
    bool ok = true, first = true;
    for (uint32_t i = 0; i < c->n && ok; i++)
        if (all || c->at[i].verdict != SAME) ok = print_one(&c->at[i]);
    if (ok && c->n_times >= 10)
        ok = out_printf("%+.1f %% is the median change of %u times\n", 100 * c->drift, c->n_times);
    for (int v = 0; v < N_VERDICTS && ok; v++) {
        if (!c->n_of[v]) continue;
        ok = out_printf("%s%u %s", first ? "" : ", ", c->n_of[v], verdict_name((enum verdict)v));
        first = false;
    }
    return ok && out_printf("\n") && out_flush();
}

int command_compare(const struct command *command, int argc, char **argv) {
    const char *files[2], *fail_above = "0%";
    bool all = false;
    const struct option options[] = {
        {"fail-above", 0, OPTION_STRING, &fail_above, "PART",
         "how much slower is a failure, as 5% or 0.05; default: anything outside the noise"},
        {"all", 'a', OPTION_FLAG, &all, NULL, "list what stayed the same, too"},
        {0},
    };
    struct app app = {0};
    struct results base = {0}, now = {0};
    struct comparisons c = {0};
    double part;
    int n, result = options_parse(command, options, argc, argv, files, 2, &n);

    if (result != GO_ON) return result;
    if (n != 2) return usage_error(command, "which two files? greta compare BASE NEW");
    if (!parse_part(fail_above, &part))
        return usage_error(command, "--fail-above takes a part as in 5%% or 0.05, not \"%s\"", fail_above);
    app_log(&app, &(struct common){0});
    bool ok = !results_read(files[0], &app.log, &base) && !results_read(files[1], &app.log, &now);
    if (ok) {
        tell_differences(&base, &now);
        ok = !results_compare(&base, &now, part, &c);
        if (!ok) say("no memory to compare them");
    }
    ok = ok && print_all(&c, all);
    if (ok && c.n_regressions) say("%u regressions", c.n_regressions);
    ok = ok && !c.n_regressions;
    comparisons_free(&c);
    results_free(&base);
    results_free(&now);
    return ok ? EXIT_DONE : EXIT_FAILED;
}
