#include "internal.h"

static bool overlaps(const struct rt_range *a, uint32_t n, struct rt_range r) {
    bool hit = false;
    for (uint32_t i = 0; i < n; i++) hit |= a[i].begin < r.end && r.begin < a[i].end;
    return hit;
}

bool rt_hazard_conflicts(const struct rt_hazard *h, const struct rt_access *accesses, uint32_t n) {
    for (uint32_t i = 0; i < n; i++) {
        if (overlaps(h->writes, h->n_writes, accesses[i].range)) return true;
        if (accesses[i].access & GRETA_WRITE && overlaps(h->reads, h->n_reads, accesses[i].range))
            return true;
    }
    return false;
}

static uint64_t hull_growth(struct rt_range a, struct rt_range r) {
    uint64_t begin = a.begin < r.begin ? a.begin : r.begin, end = a.end > r.end ? a.end : r.end;
    return (end - begin) - (a.end - a.begin);
}

/* A range that touches a known one grows it; with no place left, the one that grows least takes it in: that may ask
 * for a barrier too many later, never for one too few. */
static void add(struct rt_range *ranges, uint32_t *n, struct rt_range r) {
    uint32_t best = 0;
    uint64_t best_growth = UINT64_MAX;
    for (uint32_t i = 0; i < *n; i++) {
        bool touches = ranges[i].begin <= r.end && r.begin <= ranges[i].end;
        uint64_t growth = touches ? 0 : hull_growth(ranges[i], r);
        if (growth < best_growth) best = i, best_growth = growth;
        if (touches) break;
    }
    if (best_growth && *n < RT_HAZARD_RANGES) {
        ranges[(*n)++] = r;
        return;
    }
    if (r.begin < ranges[best].begin) ranges[best].begin = r.begin;
    if (r.end > ranges[best].end) ranges[best].end = r.end;
}

void rt_hazard_add(struct rt_hazard *h, const struct rt_access *accesses, uint32_t n) {
    for (uint32_t i = 0; i < n; i++) {
        struct rt_range r = accesses[i].range;
        if (r.begin == r.end) continue;
        if (accesses[i].access & GRETA_READ) add(h->reads, &h->n_reads, r);
        if (accesses[i].access & GRETA_WRITE) add(h->writes, &h->n_writes, r);
    }
}

void rt_hazard_clear(struct rt_hazard *h) {
    h->n_reads = h->n_writes = 0;
    h->host_sees = false;
}
