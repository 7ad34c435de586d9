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

static uint32_t worse(const struct rdna3_row *r, const char *what, uint32_t was, uint32_t is) {
    printf("WORSE %s (%s, wave%" PRIu32 "): %s %" PRIu32 ", kept %" PRIu32 "\n", r->name, r->constants,
           r->wave, what, is, was);
    return 1;
}

/* By more than what a compiler shuffles to and fro. */
static bool grew(uint32_t was, uint32_t is) {
    return (uint64_t)is * 100 > (uint64_t)was * 105;
}

static uint32_t compare_row(const struct rdna3_row *kept, const struct rdna3_row *now) {
    const struct rdna3_figures *a = &kept->f, *b = &now->f;
    uint32_t n = 0;
    if (b->scratch > a->scratch) n += worse(now, "scratch bytes", a->scratch, b->scratch);
    if (allocated(now) > allocated(kept)) n += worse(now, "VGPRs", a->vgprs, b->vgprs);
    if (b->lds > a->lds) n += worse(now, "LDS bytes", a->lds, b->lds);
    if (b->waves < a->waves) n += worse(now, "waves a SIMD", a->waves, b->waves);
    if (grew(a->loop_instructions, b->loop_instructions))
        n += worse(now, "instructions of the main loop", a->loop_instructions, b->loop_instructions);
    if (grew(a->loop_bytes, b->loop_bytes))
        n += worse(now, "bytes that an invocation loads in the main loop", a->loop_bytes, b->loop_bytes);
    if (grew(a->loop_scalar_bytes, b->loop_scalar_bytes))
        n += worse(now, "bytes that a wave loads in the main loop", a->loop_scalar_bytes,
                   b->loop_scalar_bytes);
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
