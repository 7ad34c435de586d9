/* Choosing the next token. The order of the steps is part of the contract in llm.h. */
#include <greta/llm.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct candidate {
    double logit; /* after the penalty and the temperature; then the probability */
    uint32_t id;
};

struct greta_sampler {
    struct greta_sampler_params params;
    const struct greta_log *log;
    uint64_t state;   /* of the generator */
    uint32_t *recent; /* a ring of n_repeat tokens */
    uint32_t n_recent, at;
    struct candidate *candidates;
    uint32_t capacity;
};

/* PCG32 (O'Neill 2014, XSH-RR): 64 bits of state, 32 of output, one fixed stream. */
static uint32_t draw32(uint64_t *state) {
    uint64_t old = *state;
    uint32_t x = (uint32_t)(((old >> 18) ^ old) >> 27), rotate = (uint32_t)(old >> 59);

    *state = old * 6364136223846793005u + 1442695040888963407u;
    return x >> rotate | x << (-rotate & 31);
}

static double draw_unit(uint64_t *state) {
    uint64_t high = draw32(state) >> 5, low = draw32(state) >> 6; /* 27 + 26 bits, two draws in this order */
    return (double)(high << 26 | low) * 0x1p-53;
}

static void seed(uint64_t *state, uint64_t value) {
    *state = 0;
    draw32(state);
    *state += value;
    draw32(state);
}

static greta_status check(const struct greta_sampler_params *p, const struct greta_log *log) {
    const struct {
        const char *name;
        float value, max;
    } rows[] = {{"temperature", p->temperature, 1e6f},
                {"top-p", p->top_p, 1},
                {"min-p", p->min_p, 1},
                {"repetition penalty", p->repeat_penalty, 1e6f}};

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (!(rows[i].value >= 0 && rows[i].value <= rows[i].max))
            return greta_fail(log, GRETA_ERR_INVALID, "the %s is %g: it must be from 0 to %g", rows[i].name,
                              (double)rows[i].value, (double)rows[i].max);
    if (p->n_repeat > 1u << 20)
        return greta_fail(log, GRETA_ERR_INVALID, "a repetition window of %u tokens is too large",
                          p->n_repeat);
    return GRETA_OK;
}

static bool penalizes(const struct greta_sampler *s) {
    return s->params.repeat_penalty != 0 && s->params.repeat_penalty != 1;
}

greta_status greta_sampler_create(const struct greta_sampler_params *params, const struct greta_log *log,
                                  struct greta_sampler **out) {
    struct greta_sampler *s;
    greta_status status = check(params, log);

    *out = NULL;
    if (status) return status;
    s = calloc(1, sizeof *s);
    if (s) {
        s->params = *params;
        if (!s->params.n_repeat) s->params.n_repeat = 64;
        s->recent = malloc(s->params.n_repeat * sizeof *s->recent);
    }
    if (!s || !s->recent) {
        free(s);
        return greta_fail(log, GRETA_ERR_NO_MEMORY, "no memory for a sampler");
    }
    s->log = log;
    seed(&s->state, params->seed);
    *out = s;
    return GRETA_OK;
}

void greta_sampler_destroy(struct greta_sampler **sampler) {
    if (!*sampler) return;
    free((*sampler)->recent);
    free((*sampler)->candidates);
    free(*sampler);
    *sampler = NULL;
}

enum greta_want greta_sampler_want(const struct greta_sampler *sampler) {
    return sampler->params.temperature == 0 && !penalizes(sampler) ? GRETA_WANT_ARGMAX : GRETA_WANT_LOGITS;
}

void greta_sampler_accept(struct greta_sampler *s, uint32_t token) {
    s->recent[s->at] = token;
    s->at = (s->at + 1) % s->params.n_repeat;
    if (s->n_recent < s->params.n_repeat) s->n_recent++;
}

/* Every token of the window once, however often it stands there. */
static void penalize(const struct greta_sampler *s, struct candidate *c, uint32_t n) {
    double penalty = s->params.repeat_penalty;

    for (uint32_t i = 0; i < s->n_recent; i++) {
        uint32_t id = s->recent[i];
        bool seen = id >= n;
        for (uint32_t j = 0; j < i && !seen; j++) seen = s->recent[j] == id;
        if (!seen) c[id].logit = c[id].logit > 0 ? c[id].logit / penalty : c[id].logit * penalty;
    }
}

/* Whether a is chosen before b: more likely, or equal and earlier in the vocabulary. */
static bool before(const struct candidate *a, const struct candidate *b) {
    return a->logit > b->logit || (a->logit == b->logit && a->id < b->id);
}

static void sift_down(struct candidate *heap, uint32_t n, uint32_t i) {
    for (;;) {
        uint32_t first = i, left = 2 * i + 1;
        struct candidate swap;
        if (left < n && before(&heap[left], &heap[first])) first = left;
        if (left + 1 < n && before(&heap[left + 1], &heap[first])) first = left + 1;
        if (first == i) return;
        swap = heap[i], heap[i] = heap[first], heap[first] = swap;
        i = first;
    }
}

/* Removes the first candidate of a heap; it ends behind the others. */
static struct candidate pop(struct candidate *heap, uint32_t *n) {
    struct candidate top = heap[0];

    heap[0] = heap[--*n];
    heap[*n] = top;
    sift_down(heap, *n, 0);
    return top;
}

/* Logits to probabilities. */
static void softmax(struct candidate *c, uint32_t n, double max) {
    double sum = 0;

    for (uint32_t i = 0; i < n; i++) sum += c[i].logit = exp(c[i].logit - max);
    for (uint32_t i = 0; i < n; i++) c[i].logit /= sum;
}

/*
 * Keeps what top-k, top-p and min-p leave, in the order of likelihood, at the array's end (popped from a
 * heap: seldom more than some hundred of a vocabulary). Returns how many; *sum is their probability
 * together.
 */
static uint32_t keep(const struct greta_sampler_params *p, struct candidate *c, uint32_t n, double *sum) {
    uint32_t left = n, k = p->top_k && p->top_k < n ? p->top_k : n, kept = 0;
    double top_p = p->top_p > 0 ? p->top_p : 1, floor = 0;

    *sum = 1;
    if (k == n && top_p >= 1 && p->min_p == 0) return n; /* nothing is dropped: no need for an order */
    for (uint32_t i = n / 2; i-- > 0;) sift_down(c, n, i);
    *sum = 0;
    while (kept < k && (kept == 0 || *sum < top_p)) {
        struct candidate top = c[0];
        if (kept == 0)
            floor = top.logit * p->min_p;
        else if (top.logit < floor)
            break;
        pop(c, &left);
        *sum += top.logit;
        kept++;
    }
    return kept;
}

/* One of the kept ones, which stand at the end, the most likely last. */
static uint32_t draw(struct greta_sampler *s, const struct candidate *c, uint32_t n, uint32_t kept,
                     double sum) {
    double at = draw_unit(&s->state) * sum;
    uint32_t i;

    for (i = n - 1; i > n - kept; i--) {
        at -= c[i].logit;
        if (at < 0) break;
    }
    return c[i].id;
}

/* Copies the numbers; false where there is none. *best is the most likely. */
static bool read_logits(const struct greta_sampler *s, const float *logits, uint32_t n, struct candidate *c,
                        struct candidate *best) {
    *best = (struct candidate){.logit = -INFINITY, .id = n};
    for (uint32_t i = 0; i < n; i++)
        c[i] = (struct candidate){.logit = isnan(logits[i]) ? -INFINITY : logits[i], .id = i};
    if (penalizes(s)) penalize(s, c, n);
    for (uint32_t i = 0; i < n; i++)
        if (c[i].logit > best->logit) *best = c[i];
    return best->id < n && isfinite(best->logit);
}

greta_status greta_sampler_choose(struct greta_sampler *s, const float *logits, uint32_t n, uint32_t *token) {
    struct candidate best;
    double sum;
    uint32_t kept;

    *token = 0;
    if (s->capacity < n) {
        struct candidate *grown = realloc(s->candidates, n * sizeof *grown);
        if (!grown) return greta_fail(s->log, GRETA_ERR_NO_MEMORY, "no memory for %u candidates", n);
        s->candidates = grown;
        s->capacity = n;
    }
    if (!read_logits(s, logits, n, s->candidates, &best))
        return greta_fail(
            s->log, GRETA_ERR_INTERNAL,
            "the model gave no number for the next token: its weights or the device are broken");
    *token = best.id;
    if (s->params.temperature == 0) return GRETA_OK;
    for (uint32_t i = 0; i < n; i++) s->candidates[i].logit /= s->params.temperature;
    softmax(s->candidates, n, best.logit / s->params.temperature);
    kept = keep(&s->params, s->candidates, n, &sum);
    *token = draw(s, s->candidates, n, kept, sum);
    return GRETA_OK;
}

greta_status greta_session_sample(struct greta_session *session, struct greta_sampler *sampler,
                                  uint32_t *token) {
    const float *logits = greta_session_logits(session);
    greta_status status;

    if (greta_sampler_want(sampler) == GRETA_WANT_ARGMAX && !logits) {
        status = greta_session_argmax(session, token);
    } else if (!logits) {
        *token = 0;
        return greta_fail(sampler->log, GRETA_ERR_INVALID,
                          "the last eval did not want logits, which this sampler needs");
    } else {
        const struct greta_model_info *info = greta_model_get_info(greta_session_get_model(session));
        status = greta_sampler_choose(sampler, logits, info->n_vocab, token);
    }
    if (!status) greta_sampler_accept(sampler, *token);
    return status;
}
