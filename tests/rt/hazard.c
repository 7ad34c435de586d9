/* Derived barriers against a model that remembers every range: never one too few, and exact while the ranges are few. */
#include "check.h"
#include "internal.h"

#include <stdlib.h>

enum { MAX_SEEN = 100000 };

struct model {
    struct rt_access seen[MAX_SEEN];
    uint32_t n;
};

static uint64_t state = 1;

static uint32_t below(uint32_t n) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(state >> 33) % n;
}

static bool model_conflicts(const struct model *m, const struct rt_access *a, uint32_t n) {
    for (uint32_t i = 0; i < m->n; i++)
        for (uint32_t j = 0; j < n; j++)
            if ((m->seen[i].access | a[j].access) & GRETA_WRITE && m->seen[i].range.begin < a[j].range.end &&
                a[j].range.begin < m->seen[i].range.end)
                return true;
    return false;
}

/* n_places disjoint places of 16 bytes, far apart; each access takes some of one. */
static void random_run(struct model *m, uint32_t n_places, uint32_t write_in, bool exact) {
    struct rt_hazard h = {0};
    uint32_t n_missed = 0, n_extra = 0, n_barriers = 0;
    m->n = 0;
    for (int i = 0; i < 4000; i++) {
        struct rt_access a[5];
        uint32_t n = 1 + below(5);
        for (uint32_t j = 0; j < n; j++) {
            uint64_t begin = 4096 + 1000 * (uint64_t)below(n_places) + below(8);
            bool write = below(write_in) == 0;
            a[j] = (struct rt_access){{begin, begin + 1 + below(8)},
                                      write ? below(2) ? GRETA_WRITE : GRETA_READ_WRITE : GRETA_READ};
        }
        bool got = rt_hazard_conflicts(&h, a, n), wanted = model_conflicts(m, a, n);
        n_missed += wanted && !got;
        n_extra += got && !wanted;
        if (got) {
            rt_hazard_clear(&h);
            m->n = 0;
            n_barriers++;
        }
        rt_hazard_add(&h, a, n);
        for (uint32_t j = 0; j < n && m->n < MAX_SEEN; j++) m->seen[m->n++] = a[j];
    }
    CHECK(n_missed == 0);
    CHECK(!exact || n_extra == 0);
    CHECK(n_barriers > 0);
}

static void by_hand(void) {
    struct rt_hazard h = {0};
    struct rt_access r = {{100, 200}, GRETA_READ}, w = {{100, 200}, GRETA_WRITE},
                     next = {{200, 300}, GRETA_WRITE};
    CHECK(!rt_hazard_conflicts(&h, &w, 1));
    rt_hazard_add(&h, &r, 1);
    CHECK(!rt_hazard_conflicts(&h, &r, 1)); /* read after read */
    CHECK(rt_hazard_conflicts(&h, &w, 1));  /* write after read */
    rt_hazard_clear(&h);
    rt_hazard_add(&h, &w, 1);
    CHECK(rt_hazard_conflicts(&h, &r, 1));     /* read after write */
    CHECK(rt_hazard_conflicts(&h, &w, 1));     /* write after write */
    CHECK(!rt_hazard_conflicts(&h, &next, 1)); /* a neighbour is another range */
    rt_hazard_add(&h, &next, 1);
    CHECK(h.n_writes == 1); /* and joins it when kept */
    struct rt_access all = {{0, UINT64_MAX}, GRETA_READ_WRITE};
    rt_hazard_add(&h, &all, 1);
    CHECK(rt_hazard_conflicts(&h, &r, 1) && rt_hazard_conflicts(&h, &next, 1));
    /* Many ranges apart: the arrays stay within their bounds. */
    rt_hazard_clear(&h);
    for (uint64_t i = 0; i < 1000; i++) {
        struct rt_access a = {{i * 1000, i * 1000 + 10}, i % 2 ? GRETA_WRITE : GRETA_READ};
        rt_hazard_add(&h, &a, 1);
    }
    CHECK(h.n_reads == RT_HAZARD_RANGES && h.n_writes == RT_HAZARD_RANGES);
    for (uint64_t i = 0; i < 1000; i++) {
        struct rt_access a = {{i * 1000 + 5, i * 1000 + 6}, GRETA_WRITE};
        CHECK(rt_hazard_conflicts(&h, &a, 1));
    }
}

int main(void) {
    struct model *m = malloc(sizeof *m);
    if (!m) return 1;
    by_hand();
    random_run(m, 3, 20, true);
    random_run(m, 8, 10, false);
    random_run(m, 30, 3, false);
    random_run(m, 400, 50, false); /* more than there are places for */
    random_run(m, 4000, 200, false);
    free(m);
    return check_done();
}
