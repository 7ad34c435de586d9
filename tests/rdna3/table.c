/* The table as a file, and what counts as worse. */
#include "rdna3.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const char heading[] = "row\tconstants\twave"
#define COLUMN(name) "\t" #name
    RDNA3_FIGURE_LIST(COLUMN);
#undef COLUMN
static const char driver_mark[] = "# driver: ";

static int compare_rows(const void *a, const void *b) {
    const struct rdna3_row *x = a, *y = b;
    int order = strcmp(x->name, y->name);
    if (!order) order = strcmp(x->constants, y->constants);
    return order ? order : (x->wave > y->wave) - (x->wave < y->wave);
}

void rdna3_sort(struct rdna3_table *table) {
    qsort(table->rows, table->n, sizeof *table->rows, compare_rows);
}

bool rdna3_write(const struct rdna3_table *table, FILE *file) {
    fprintf(file,
            "%s%s\n# made by tests/rdna3 (rdna3 --update); figures of compiled code, not measurements\n%s\n",
            driver_mark, table->driver, heading);
    for (uint32_t i = 0; i < table->n; i++) {
        const struct rdna3_row *r = &table->rows[i];
        fprintf(file, "%s\t%s\t%" PRIu32, r->name, r->constants, r->wave);
#define PRINT(name) fprintf(file, "\t%" PRIu32, r->f.name);
        RDNA3_FIGURE_LIST(PRINT)
#undef PRINT
        fputc('\n', file);
    }
    return !ferror(file);
}

static bool parse_row(char *line, struct rdna3_row *r) {
    char *save = NULL, *word = strtok_r(line, "\t\n", &save);
    *r = (struct rdna3_row){0};
    if (!word) return false;
    snprintf(r->name, sizeof r->name, "%s", word);
    word = strtok_r(NULL, "\t\n", &save);
    if (!word) return false;
    snprintf(r->constants, sizeof r->constants, "%s", word);
    word = strtok_r(NULL, "\t\n", &save);
    if (!word) return false;
    r->wave = (uint32_t)strtoul(word, NULL, 10);
#define PARSE(name)                       \
    word = strtok_r(NULL, "\t\n", &save); \
    if (!word) return false;              \
    r->f.name = (uint32_t)strtoul(word, NULL, 10);
    RDNA3_FIGURE_LIST(PARSE)
#undef PARSE
    return true;
}

static bool read_line(char *line, struct rdna3_table *out, bool *has_heading) {
    line[strcspn(line, "\n")] = 0;
    if (!strncmp(line, driver_mark, sizeof driver_mark - 1))
        snprintf(out->driver, sizeof out->driver, "%.95s", line + sizeof driver_mark - 1);
    if (line[0] == '#' || !line[0]) return true;
    if (!*has_heading) return *has_heading = !strcmp(line, heading);
    struct rdna3_row *rows = realloc(out->rows, (out->n + 1) * sizeof *rows);
    if (!rows) return false;
    out->rows = rows;
    return parse_row(line, &rows[out->n++]);
}

bool rdna3_read(const char *path, struct rdna3_table *out) {
    char line[1024];
    bool good = true, has_heading = false;
    *out = (struct rdna3_table){0};
    FILE *file = fopen(path, "r");
    if (!file) {
        fprintf(stderr, "rdna3: cannot read %s\n", path);
        return false;
    }
    while (good && fgets(line, sizeof line, file)) good = read_line(line, out, &has_heading);
    good = good && has_heading && out->driver[0] && !ferror(file);
    fclose(file);
    if (good) return true;
    fprintf(stderr, "rdna3: %s is not a table of this program: make it anew with --update\n", path);
    free(out->rows);
    *out = (struct rdna3_table){0};
    return false;
}

/* gfx1103 hands out registers by 16 a lane of wave32, 8 of wave64: below that nothing changes. */
static uint32_t allocated(const struct rdna3_row *r) {
    uint32_t step = r->wave == 64 ? 8 : 16;
    return (r->f.vgprs + step - 1) / step * step;
}

/* By more than what a compiler shuffles to and fro. */
static bool grew(uint32_t was, uint32_t is) {
    return (uint64_t)is * 100 > (uint64_t)was * 105;
}

/* Whether x has more of something than y, which it should not. */
struct excess {
    const char *what;
    uint32_t x, y;
    bool any;
};

enum { N_EXCESSES = 8 };

static void excesses_of(const struct rdna3_row *x, const struct rdna3_row *y, struct excess out[N_EXCESSES]) {
    const struct rdna3_figures *a = &x->f, *b = &y->f;
    const bool no_loop = !a->loop_instructions && !b->loop_instructions;
    const struct excess all[N_EXCESSES] = {
        {"scratch bytes", a->scratch, b->scratch, a->scratch > b->scratch},
        {"VGPRs", a->vgprs, b->vgprs, allocated(x) > allocated(y)},
        {"LDS bytes", a->lds, b->lds, a->lds > b->lds},
        {"waves a SIMD", a->waves, b->waves, a->waves < b->waves},
        {"instructions of the main loop", a->loop_instructions, b->loop_instructions,
         grew(b->loop_instructions, a->loop_instructions)},
        {"bytes that an invocation loads in the main loop", a->loop_bytes, b->loop_bytes,
         grew(b->loop_bytes, a->loop_bytes)},
        {"bytes that a wave loads in the main loop", a->loop_scalar_bytes, b->loop_scalar_bytes,
         grew(b->loop_scalar_bytes, a->loop_scalar_bytes)},
        {"bytes of code, there is no loop", a->code_bytes, b->code_bytes,
         no_loop && grew(b->code_bytes, a->code_bytes)}};
    memcpy(out, all, sizeof all);
}

/* What became better must be kept, too: from a table that does not know it, it could be lost again unseen. */
static uint32_t compare_row(const struct rdna3_row *kept, const struct rdna3_row *now) {
    struct excess worse[N_EXCESSES], better[N_EXCESSES];
    uint32_t n = 0;
    excesses_of(now, kept, worse);
    excesses_of(kept, now, better);
    for (uint32_t i = 0; i < N_EXCESSES; i++) {
        if (!worse[i].any && !better[i].any) continue;
        n++;
        printf("%s %s (%s, wave%" PRIu32 "): %s %" PRIu32 ", kept %" PRIu32 "\n",
               worse[i].any ? "WORSE" : "STALE", now->name, now->constants, now->wave, worse[i].what,
               worse[i].x, worse[i].y);
    }
    return n > 0;
}

uint32_t rdna3_compare(const struct rdna3_table *kept, const struct rdna3_table *now) {
    uint32_t n_bad = 0;
    for (uint32_t i = 0; i < now->n; i++) {
        const struct rdna3_row *row = &now->rows[i];
        const struct rdna3_row *old =
            kept->n ? bsearch(row, kept->rows, kept->n, sizeof *row, compare_rows) : NULL;
        if (old)
            n_bad += compare_row(old, row);
        else
            n_bad++, printf("NEW   %s (%s, wave%" PRIu32 ") is not in the table\n", row->name, row->constants,
                            row->wave);
    }
    for (uint32_t i = 0; i < kept->n; i++)
        if (!now->n || !bsearch(&kept->rows[i], now->rows, now->n, sizeof *now->rows, compare_rows))
            n_bad++, printf("GONE  %s (%s, wave%" PRIu32 ") is in the table, but no longer compiled\n",
                            kept->rows[i].name, kept->rows[i].constants, kept->rows[i].wave);
    return n_bad;
}
