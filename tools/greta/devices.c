#include "app.h"
#include "commands.h"
#include "io.h"

#include <stdio.h>
#include <string.h>

enum { MAX_DEVICES = 64 };

static const char *type_name(enum greta_dev_type type) {
    static const char *const names[] = {[GRETA_DEV_OTHER] = "other",
                                        [GRETA_DEV_CPU] = "cpu",
                                        [GRETA_DEV_INTEGRATED] = "integrated",
                                        [GRETA_DEV_DISCRETE] = "discrete"};
    return names[type];
}

static bool member(const char *name, const char *value) {
    return out_printf(", \"%s\": ", name) && out_json(value, strlen(value));
}

static bool print_json(const struct greta_probe_entry *entries, uint32_t n) {
    bool ok = out_printf("{\"devices\": [");

    for (uint32_t i = 0; i < n && ok; i++) {
        const struct greta_dev_info *d = &entries[i].info;
        ok = out_printf("%s\n  {\"device\": \"%s:%u\"", i ? "," : "", d->backend, d->i_device) &&
             member("name", d->name) && member("type", type_name(d->type)) && member("arch", d->arch) &&
             member("driver", d->driver) && member("pci", d->pci) &&
             out_printf(", \"board\": %u, \"memory_bytes\": %llu, \"usable\": %s, \"chosen\": %s",
                        entries[i].i_board, (unsigned long long)d->memory_bytes,
                        entries[i].usable ? "true" : "false", entries[i].chosen ? "true" : "false") &&
             member("reason", entries[i].reason) && out_printf("}");
    }
    return ok && out_printf("\n]}\n") && out_flush();
}

/* Of the entries of one board: the chosen one, else the first that works, else the first. */
static uint32_t best_entry(const struct greta_probe_entry *entries, uint32_t n, uint32_t i_board) {
    uint32_t best = n;

    for (uint32_t i = 0; i < n; i++) {
        if (entries[i].i_board != i_board) continue;
        if (best == n || entries[i].chosen || (entries[i].usable && !entries[best].usable)) best = i;
        if (entries[best].chosen) break;
    }
    return best;
}

static bool print_reason(const struct greta_probe_entry *e) {
    return out_printf("%s%s\n", e->usable ? "" : "not usable: ", e->reason);
}

/* A board once, with a line for each further name that it has. */
static bool print_board(const struct greta_probe_entry *entries, uint32_t n, uint32_t best) {
    const struct greta_dev_info *d = &entries[best].info;
    char device[32];
    snprintf(device, sizeof device, "%s:%u", d->backend, d->i_device);
    bool ok = out_printf("%c %-10s %s, %s%s%s, %.1f GiB\n             ", entries[best].chosen ? '*' : ' ',
                         device, d->name, type_name(d->type), *d->arch ? ", " : "", d->arch,
                         (double)d->memory_bytes / (1 << 30)) &&
              print_reason(&entries[best]);
    for (uint32_t i = 0; i < n && ok; i++) {
        const struct greta_dev_info *o = &entries[i].info;
        if (i == best || entries[i].i_board != entries[best].i_board) continue;
        ok = out_printf("             also %s:%u: ", o->backend, o->i_device) && print_reason(&entries[i]);
    }
    return ok;
}

static bool print_table(const struct greta_probe_entry *entries, uint32_t n) {
    bool ok = true;

    for (uint32_t i = 0; i < n && ok; i++) {
        bool seen = false;
        for (uint32_t j = 0; j < i; j++) seen |= entries[j].i_board == entries[i].i_board;
        if (!seen) ok = print_board(entries, n, best_entry(entries, n, entries[i].i_board));
    }
    return ok && out_printf("\n* is what is used where no device is named (-d, or $GRETA_DEVICE).\n") &&
           out_flush();
}

int command_devices(const struct command *command, int argc, char **argv) {
    struct common common = {0};
    bool json = false, ok;
    const struct option options[] = {
        {"json", 0, OPTION_FLAG, &json, NULL, "as JSON"},
        {"verbose", 'v', OPTION_FLAG, &common.verbose, NULL, "say what is done and why, on standard error"},
        {0},
    };
    struct greta_probe_entry entries[MAX_DEVICES];
    struct app app = {0};
    uint32_t n = 0;
    int n_positionals, result = options_parse(command, options, argc, argv, NULL, 0, &n_positionals);

    if (result != GO_ON) return result;
    ok = app_open_ctx(&app, &common) && greta_ctx_probe(app.ctx, entries, MAX_DEVICES, &n) == GRETA_OK;
    if (n > MAX_DEVICES) n = MAX_DEVICES;
    if (ok) ok = json ? print_json(entries, n) : print_table(entries, n);
    app_close(&app);
    return ok ? EXIT_DONE : EXIT_FAILED;
}
