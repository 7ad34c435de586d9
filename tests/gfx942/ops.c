// The table of all operations, from the files that give them a meaning. Vector arithmetic is compiled twice (wave.h).
#include <stdlib.h>

#include "internal.h"
#include "tables.h"

#define DECLARE(file) extern const struct gfx_op gfx_ops_##file##_base[];
GFX_MACHINE_TABLES(DECLARE)
GFX_VECTOR_TABLES(DECLARE)
#undef DECLARE
#ifdef GFX_HAVE_V3
#define DECLARE(file) extern const struct gfx_op gfx_ops_##file##_v3[];
GFX_VECTOR_TABLES(DECLARE)
#undef DECLARE
#endif

#define LIST(file) gfx_ops_##file##_base,
static const struct gfx_op *const base_tables[] = {GFX_MACHINE_TABLES(LIST) GFX_VECTOR_TABLES(LIST) NULL};
#undef LIST
#ifdef GFX_HAVE_V3
#define LIST(file) gfx_ops_##file##_base,
#define LIST3(file) gfx_ops_##file##_v3,
static const struct gfx_op *const v3_tables[] = {GFX_MACHINE_TABLES(LIST) GFX_VECTOR_TABLES(LIST3) NULL};
#endif

static const struct gfx_op **sorted;
static size_t n_sorted;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static int by_name(const void *a, const void *b) {
    return strcmp((*(const struct gfx_op *const *)a)->name, (*(const struct gfx_op *const *)b)->name);
}

static void sort(void) {
    const struct gfx_op *const *tables = base_tables;
#ifdef GFX_HAVE_V3
    /* F16C is older than AVX2, and clang 14 cannot ask for it by name. */
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2") &&
        !getenv("GFX942_BASE"))
        tables = v3_tables;
#endif
    size_t n = 0;
    for (size_t t = 0; tables[t]; t++)
        for (const struct gfx_op *o = tables[t]; o->name; o++) n++;
    sorted = malloc((n + 1) * sizeof *sorted);
    if (!sorted) return;
    for (size_t t = 0; tables[t]; t++)
        for (const struct gfx_op *o = tables[t]; o->name; o++) sorted[n_sorted++] = o;
    qsort(sorted, n_sorted, sizeof *sorted, by_name);
}

size_t gfx_op_all(const struct gfx_op *const **ops) {
    pthread_once(&once, sort);
    *ops = sorted;
    return n_sorted;
}

const struct gfx_op *gfx_op_find(const char *name, size_t n) {
    pthread_once(&once, sort);
    size_t lo = 0, hi = n_sorted;
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        int c = strncmp(name, sorted[mid]->name, n);
        if (c == 0 && sorted[mid]->name[n]) c = -1;
        if (c == 0) return sorted[mid];
        if (c < 0)
            hi = mid;
        else
            lo = mid + 1;
    }
    return NULL;
}
