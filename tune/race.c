/*
 * Heats, then a final. In the heats all run in turn, there and back, and the slower half leaves after each; the row that stays if nothing is
 * better, the hold, runs between them, and what ranks a row is how much longer it took than the hold beside it. In the final all run there
 * and back in each block, so that every time stands beside its neighbours', and what grows evenly meanwhile cancels.
 */
#include "race.h"

#include "noise.h"

#include <greta/measure.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { PACE = 6, FIRST_HEAT = 4, LEAST_BLOCKS = NOISE_BATCHES };

/* ---- intervals ---- */

static int ascending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double noise_median(double *values, uint32_t n) {
    if (!n) return 0;
    qsort(values, n, sizeof *values, ascending);
    return (values[(n - 1) / 2] + values[n / 2]) / 2;
}

struct noise_interval noise_interval(const double *differences, uint32_t n) {
    struct noise_interval out = {0};
    double piece[RACE_FINAL], all[RACE_FINAL];
    uint32_t n_pieces = n < NOISE_BATCHES ? n : NOISE_BATCHES;
    if (!n || n > RACE_FINAL) return out;
    for (uint32_t i = 0, from = 0; i < n_pieces; i++) {
        uint32_t to = (i + 1) * n / n_pieces;
        memcpy(piece, differences + from, (to - from) * sizeof *piece);
        double median = noise_median(piece, to - from);
        out.low = i ? fmin(out.low, median) : median;
        out.high = i ? fmax(out.high, median) : median;
        from = to;
    }
    memcpy(all, differences, n * sizeof *all);
    out.mid = noise_median(all, n);
    return out;
}

/* ---- heats ---- */

/*
 * What ranks a row by its first n times: the median, of an even number the lesser of the two in the middle. Late samples are never early ones,
 * but those of the hold make all beside them look early, so the least would be the luckiest.
 */
static double rank_of(const struct racer *c, uint32_t n) {
    double d[RACE_HEAT];
    if (n > c->n_heat) n = c->n_heat;
    if (!n) return INFINITY;
    memcpy(d, c->heat, n * sizeof *d);
    noise_median(d, n); /* sorted */
    return d[(n - 1) / 2];
}

static bool is_stopped(const struct race *r) {
    return r->left_ns(r->user) == -INFINITY;
}

static greta_status sample(struct race *r, uint32_t i, double *log_ns) {
    double ns = 0, before = r->left_ns(r->user);
    greta_status status = r->sample(r->user, i, &ns);
    r->at[i].cost_ns = before - r->left_ns(r->user);
    *log_ns = log(fmax(ns, 1e-3));
    return status;
}

/* Those that failed, or are slow, leave the list. */
static uint32_t without_out(const struct race *r, uint32_t *left, uint32_t n) {
    uint32_t n_left = 0;
    for (uint32_t i = 0; i < n; i++)
        if (!r->at[left[i]].out) left[n_left++] = left[i];
    return n_left;
}

/* Times become what they are over the hold's beside them: the lesser of the one before and the one after. */
static void relate(struct race *r, const uint32_t *group, uint32_t n, double before, double after) {
    for (uint32_t k = 0; k < n; k++) r->at[group[k]].heat[r->at[group[k]].n_heat++] -= fmin(before, after);
}

/* Where the hold cannot be run, another one takes its place. */
static greta_status sample_hold(struct race *r, const uint32_t *left, uint32_t n, double *log_ns) {
    greta_status status = sample(r, r->hold, log_ns);
    for (uint32_t i = 0; i < n && !status && r->at[r->hold].out; i++) {
        if (r->at[left[i]].out) continue;
        r->hold = left[i];
        status = sample(r, r->hold, log_ns);
    }
    return status;
}

static greta_status heat(struct race *r, const uint32_t *left, uint32_t n, bool backward) {
    uint32_t group[PACE], n_group = 0;
    double before, after;
    greta_status status = sample_hold(r, left, n, &before);
    const uint32_t i_hold = r->hold;
    struct racer *hold = &r->at[i_hold];
    for (uint32_t k = 0; k < n && !status && !is_stopped(r); k++) {
        uint32_t i = left[backward ? n - 1 - k : k];
        struct racer *c = &r->at[i];
        if (!c->out && c != hold) {
            status = sample(r, i, &c->heat[c->n_heat]);
            if (!c->out) group[n_group++] = i;
        }
        if (status || (n_group < PACE && k + 1 < n)) continue;
        status = sample(r, i_hold, &after);
        relate(r, group, n_group, before, hold->out ? before : after);
        n_group = 0;
        before = after;
    }
    if (!status && !hold->out) hold->heat[hold->n_heat++] = 0;
    return status;
}

static void leave_out_slow(struct race *r, const uint32_t *left, uint32_t n) {
    for (uint32_t i = 0; i < n; i++) {
        struct racer *c = &r->at[left[i]];
        c->slow = c->n_heat && c->heat[0] > log(RACE_TOO_SLOW);
        c->out |= c->slow;
    }
}

/*
 * The deviation of one time over the hold's beside it: by how much a row's times in neighbouring passes differ. Of a normal distribution the
 * lower quartile of that, which load and late samples hardly reach, is 0.32 of its deviation, and that is sqrt(2) of one time's.
 */
static double scatter_of(const struct race *r, const uint32_t *left, uint32_t n) {
    double *d = calloc(n * (size_t)RACE_HEAT + 1, sizeof *d), quartile;
    uint32_t n_d = 0;
    for (uint32_t i = 0; d && i < n; i++) {
        const struct racer *c = &r->at[left[i]];
        for (uint32_t k = 1; k < c->n_heat && left[i] != r->hold; k++)
            d[n_d++] = fabs(c->heat[k] - c->heat[k - 1]);
    }
    noise_median(d, n_d); /* sorted */
    quartile = n_d ? d[n_d / 4] : 0;
    free(d);
    return quartile / 0.32 / sqrt(2);
}

/* Two deviations of the difference of two such medians of n; one has 1.18 / sqrt(n) of that of a single time. */
static double error_of(const struct race *r, uint32_t n) {
    return 2 * 1.67 * r->scatter / sqrt(n ? n : 1);
}

static void sort(const struct race *r, uint32_t *left, uint32_t n) {
    for (uint32_t i = 1; i < n; i++) /* after the first heat they are nearly in order */
        for (uint32_t k = i; k > 0; k--) {
            const struct racer *a = &r->at[left[k - 1]], *b = &r->at[left[k]];
            double x = rank_of(a, RACE_HEAT), y = rank_of(b, RACE_HEAT);
            if (x < y || (x == y && a->order < b->order)) break;
            uint32_t swapped = left[k];
            left[k] = left[k - 1];
            left[k - 1] = swapped;
        }
}

/* The hold, the row by default, then the fastest. */
static uint32_t line_up(const struct race *r, uint32_t *left, uint32_t n) {
    uint32_t firsts[] = {0, r->hold};
    for (uint32_t k = 0; k < 2; k++)
        for (uint32_t i = 0; i < n; i++)
            if (left[i] == firsts[k]) {
                memmove(left + 1, left, i * sizeof *left);
                left[0] = firsts[k];
            }
    uint32_t most = RACE_FINALISTS + 1 + (r->hold != 0);
    return n < most ? n : most;
}

/* All that are not surely slower, where there is time for two more passes of them; else half. */
static uint32_t most_of(const struct race *r, const uint32_t *left, uint32_t n) {
    double cost = 0;
    for (uint32_t i = 0; i < n; i++) cost += 2 * r->at[left[i]].cost_ns;
    if (r->left_ns(r->user) - cost > r->final_ns) return n;
    return n / 2 > RACE_FINALISTS ? n / 2 : RACE_FINALISTS;
}

greta_status race_heats(struct race *r, uint32_t *left, uint32_t *n_left) {
    greta_status status = GRETA_OK;
    uint32_t n = 0;
    for (uint32_t i = 0; i < r->n; i++)
        if (!r->at[i].out) left[n++] = i;
    if (n && r->at[r->hold].out) r->hold = left[0];
    for (uint32_t n_passes = 0, wanted = n > RACE_FINALISTS + 2 ? FIRST_HEAT : 2;
         n && !status && !is_stopped(r); wanted = n_passes + 2) {
        for (; n_passes < wanted && !status && !is_stopped(r); n_passes++) {
            if (n_passes >= 2 && n_passes % 2 == 0 && r->left_ns(r->user) <= r->final_ns) break;
            status = heat(r, left, n, n_passes % 2);
            if (!n_passes) leave_out_slow(r, left, n);
            n = without_out(r, left, n);
        }
        if (r->scatter <= 0) r->scatter = scatter_of(r, left, n);
        sort(r, left, n);
        if (n <= RACE_FINALISTS + 2 || n_passes < wanted || n_passes + 2 > RACE_HEAT ||
            r->left_ns(r->user) <= r->final_ns)
            break;
        double best = rank_of(&r->at[left[0]], RACE_HEAT), error = error_of(r, n_passes);
        uint32_t half = most_of(r, left, n), kept = 0;
        while (kept < half && rank_of(&r->at[left[kept]], RACE_HEAT) <= best + error) kept++;
        if (kept < half) half = kept > 2 ? kept : 2;
        /* The hold runs along: others are told by it. */
        for (uint32_t i = half; i < n; i++)
            if (left[i] == r->hold || !left[i]) left[half++] = left[i];
        n = half;
    }
    *n_left = line_up(r, left, n);
    return status;
}

/* ---- the final ---- */

/* All there and back, beginning with another one each time; the lesser of the two times of each counts. */
static greta_status block(struct race *r) {
    double ns[RACE_FINALISTS + 2];
    uint32_t n = r->n_finalists;
    greta_status status = GRETA_OK;
    for (uint32_t k = 0; k < 2 * n && !status; k++) {
        uint32_t i = ((k < n ? k : 2 * n - 1 - k) + r->n_blocks) % n;
        struct racer *c = &r->at[r->finalists[i]];
        double log_ns;
        if (c->leaving || c->out) continue;
        status = sample(r, r->finalists[i], &log_ns);
        ns[i] = k < n ? log_ns : fmin(ns[i], log_ns);
    }
    if (status || r->at[r->hold].out) return status;
    for (uint32_t i = 0; i < n; i++) {
        struct racer *c = &r->at[r->finalists[i]];
        if (!c->leaving && !c->out) c->final[c->n_final++] = ns[i];
    }
    r->n_blocks++;
    return GRETA_OK;
}

/* How much longer a takes than b, of the blocks that both ran. */
static struct noise_interval difference(const struct racer *a, const struct racer *b) {
    double d[RACE_FINAL];
    uint32_t n = a->n_final < b->n_final ? a->n_final : b->n_final;
    for (uint32_t i = 0; i < n; i++) d[i] = a->final[i] - b->final[i];
    return noise_interval(d, n);
}

/* The hold, unless another is surely faster; of those that are as good as the fastest the first in the table. */
static uint32_t choose(const struct race *r) {
    const struct racer *hold = &r->at[r->hold];
    uint32_t best = r->hold, first;
    double best_mid = 0;
    bool better[RACE_FINALISTS + 2] = {false};
    for (uint32_t i = 0; i < r->n_finalists; i++) {
        const struct racer *c = &r->at[r->finalists[i]];
        struct noise_interval d = difference(c, hold);
        better[i] = !c->out && d.high < 0 && d.mid <= log(1 - race_least);
        if (!better[i] || d.mid >= best_mid) continue;
        best = r->finalists[i];
        best_mid = d.mid;
    }
    first = best;
    for (uint32_t i = 0; i < r->n_finalists; i++) {
        const struct racer *c = &r->at[r->finalists[i]];
        struct noise_interval d = difference(c, &r->at[best]);
        if (better[i] && d.low <= 0 && d.mid <= race_least && c->order < r->at[first].order)
            first = r->finalists[i];
    }
    return first;
}

/* By how much one of those that the heats left out may be faster all the same. */
static double missed(const struct race *r, const struct racer *chosen) {
    double most = 0;
    for (uint32_t i = 0; i < r->n; i++) {
        const struct racer *c = &r->at[i];
        if (c->finalist || c->out || !c->n_heat) continue;
        uint32_t n = c->n_heat < chosen->n_heat ? c->n_heat : chosen->n_heat;
        most = fmax(most, error_of(r, n) - (rank_of(c, n) - rank_of(chosen, n)));
    }
    return most;
}

/* True where more blocks would change nothing. */
static bool judge(struct race *r, struct race_verdict *out) {
    out->chosen = choose(r);
    const struct racer *chosen = &r->at[out->chosen];
    double cut = fmax(race_least, missed(r, chosen)), noise = 0;
    for (uint32_t i = 0; i < r->n_finalists; i++) {
        struct racer *c = &r->at[r->finalists[i]];
        struct noise_interval d = difference(c, chosen);
        if (c->out || c == chosen) continue;
        noise = fmax(noise, -d.low);
        c->leaving |= r->finalists[i] != r->hold && r->finalists[i] && d.low > 0;
        if (r->finalists[i] == r->hold) noise = fmax(noise, (d.high - d.low) / 2);
    }
    out->noise = 1 - exp(-fmax(noise, cut));
    return noise <= cut;
}

/* Times for those that did not run in the final, too: as many times the hold's as they were in the heats. */
static void times(struct race *r) {
    const struct racer *hold = &r->at[r->hold];
    double d[RACE_FINAL];
    struct greta_stats stats;
    memcpy(d, hold->final, sizeof d);
    double hold_ns = exp(noise_median(d, hold->n_final));
    for (uint32_t i = 0; i < r->n; i++) {
        struct racer *c = &r->at[i];
        uint32_t n = c->n_final ? c->n_final : c->n_heat;
        if (!n || (c->out && !c->slow)) continue;
        for (uint32_t k = 0; k < n; k++) d[k] = c->n_final ? c->final[k] - hold->final[k] : c->heat[k];
        c->ns = hold_ns * exp(noise_median(d, n));
        for (uint32_t k = 0; k < n; k++) d[k] = exp(c->n_final ? c->final[k] : c->heat[k]);
        greta_stats_make(d, n, &stats);
        c->spread = stats.spread;
    }
}

/* As many as the time lasts for; the hold, the row by default and the best are always among them. */
static void admit(struct race *r, const uint32_t *left, uint32_t n) {
    double cost = 0, time = r->left_ns(r->user);
    r->n_finalists = r->n_blocks = 0;
    for (uint32_t i = 0; i < n && r->n_finalists < RACE_FINALISTS + 2; i++) {
        struct racer *c = &r->at[left[i]];
        if (c->out) continue;
        cost += 2 * LEAST_BLOCKS * c->cost_ns;
        if (r->n_finalists > 1 + (r->hold != 0) && cost > time) break;
        c->finalist = true;
        c->n_final = 0;
        r->finalists[r->n_finalists++] = left[i];
    }
    if (r->n_finalists) r->hold = r->finalists[0];
}

greta_status race_final(struct race *r, const uint32_t *left, uint32_t n) {
    greta_status status = GRETA_OK;
    struct race_verdict verdict;
    bool decided = false;
    admit(r, left, n);
    while (r->n_finalists && !status && !is_stopped(r) && !decided && r->n_blocks < RACE_FINAL &&
           (r->n_blocks < LEAST_BLOCKS || r->left_ns(r->user) > 0)) {
        status = block(r);
        if (!status && r->at[r->hold].out) { /* the others without it */
            uint32_t others[RACE_FINALISTS + 2];
            memcpy(others, r->finalists, sizeof others);
            return race_final(r, others + 1, r->n_finalists - 1);
        }
        if (!status && r->n_blocks >= LEAST_BLOCKS && r->n_blocks % 2 == 0) decided = judge(r, &verdict);
    }
    if (!status && r->n_blocks) times(r);
    return status;
}

greta_status race_choose(struct race *r, struct race_verdict *out) {
    *out = (struct race_verdict){0};
    if (r->n_blocks && r->at[r->hold].out) { /* the fastest of the others is in its place */
        const struct racer *was = &r->at[r->hold];
        double best = INFINITY;
        for (uint32_t i = 0; i < r->n_finalists; i++) {
            double mid = difference(&r->at[r->finalists[i]], was).mid;
            if (r->at[r->finalists[i]].out || mid >= best) continue;
            best = mid;
            r->hold = r->finalists[i];
        }
    }
    if (!r->n_finalists || !r->n_blocks || r->at[r->hold].out) return GRETA_ERR_NOT_FOUND;
    (void)judge(r, out);
    return GRETA_OK;
}
