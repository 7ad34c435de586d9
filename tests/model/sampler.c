/* Choosing tokens, and passing on whole characters: without a device. */
#include "check.h"

#include <greta/llm.h>

#include <math.h>
#include <string.h>

/* ---- sampler ---- */

enum { N = 6, DRAWS = 20000 };
static const float logits[N] = {0.0f, 2.0f, 1.0f, -3.0f, 2.0f, NAN};

/* How often each token comes; false where create failed. */
static bool draw(struct greta_sampler_params params, const float *x, uint32_t n, const uint32_t *recent,
                 uint32_t n_recent, int counts[N]) {
    struct greta_sampler *s = NULL;
    bool ok = CHECK(greta_sampler_create(&params, NULL, &s) == GRETA_OK);

    memset(counts, 0, N * sizeof *counts);
    for (int i = 0; i < DRAWS && ok; i++) {
        uint32_t token = N;
        for (uint32_t k = 0; k < n_recent; k++) greta_sampler_accept(s, recent[k]);
        ok = CHECK(greta_sampler_choose(s, x, n, &token) == GRETA_OK) && CHECK(token < n);
        if (ok) counts[token]++;
    }
    greta_sampler_destroy(&s);
    return ok;
}

/* The counts are those of probabilities p, within 5 standard deviations. */
static bool agree(const int counts[N], const double p[N]) {
    bool ok = true;
    for (int i = 0; i < N; i++)
        ok = ok && fabs(counts[i] - DRAWS * p[i]) <= 5 * sqrt(DRAWS * p[i] * (1 - p[i])) + 1e-9;
    if (!ok)
        for (int i = 0; i < N; i++) fprintf(stderr, "  %d: %d, expected %.1f\n", i, counts[i], DRAWS * p[i]);
    return ok;
}

/* Softmax at a temperature over the tokens of a mask, worked out here the plain way. */
static void softmax(double t, unsigned mask, double p[N]) {
    double sum = 0;
    for (int i = 0; i < N; i++) sum += p[i] = mask >> i & 1 ? exp(logits[i] / t) : 0;
    for (int i = 0; i < N; i++) p[i] /= sum;
}

static void check_distribution(struct greta_sampler_params params, unsigned mask) {
    int counts[N];
    double p[N];

    softmax((double)params.temperature, mask, p);
    CHECK(draw(params, logits, N, NULL, 0, counts) && agree(counts, p));
}

static void check_distributions(void) {
    check_distribution((struct greta_sampler_params){.temperature = 1, .seed = 1}, 0x1F);
    check_distribution((struct greta_sampler_params){.temperature = 0.5f, .seed = 2}, 0x1F);
    check_distribution((struct greta_sampler_params){.temperature = 3, .seed = 3}, 0x1F);
    check_distribution((struct greta_sampler_params){.temperature = 1, .seed = 4, .top_k = 1},
                       0x02); /* of equals the first */
    check_distribution((struct greta_sampler_params){.temperature = 1, .seed = 5, .top_k = 2}, 0x12);
    check_distribution((struct greta_sampler_params){.temperature = 1, .seed = 6, .top_k = 3}, 0x16);
    check_distribution((struct greta_sampler_params){.temperature = 1, .seed = 7, .top_k = 100}, 0x1F);
    /* probabilities: .054 .398 .147 .003 .398 */
    check_distribution((struct greta_sampler_params){.temperature = 1, .seed = 8, .top_p = 0.3f}, 0x02);
    check_distribution((struct greta_sampler_params){.temperature = 1, .seed = 9, .top_p = 0.79f}, 0x12);
    check_distribution((struct greta_sampler_params){.temperature = 1, .seed = 10, .top_p = 0.9f}, 0x16);
    check_distribution((struct greta_sampler_params){.temperature = 1, .seed = 11, .top_p = 1}, 0x1F);
    check_distribution((struct greta_sampler_params){.temperature = 1, .seed = 12, .min_p = 0.5f}, 0x12);
    check_distribution((struct greta_sampler_params){.temperature = 1, .seed = 13, .min_p = 0.2f}, 0x16);
    check_distribution(
        (struct greta_sampler_params){
            .temperature = 1, .seed = 14, .min_p = 0.2f, .top_k = 4, .top_p = 0.99f},
        0x16);
}

static void check_greedy(void) {
    static const float none[3] = {NAN, -INFINITY, NAN};
    static const uint32_t recent[] = {1, 4, 1, 99};
    struct greta_sampler_params params = {0};
    struct greta_sampler *s = NULL;
    uint32_t token = 7;
    int counts[N];

    CHECK(draw(params, logits, N, NULL, 0, counts) && counts[1] == DRAWS);
    /*
     * 2 / 4 is less than 1, however often the token stands in the window; 99 is no token of this vocabulary
     */
    params.repeat_penalty = 4;
    CHECK(draw(params, logits, N, recent, 4, counts) && counts[2] == DRAWS);
    CHECK(greta_sampler_create(&params, NULL, &s) == GRETA_OK && greta_sampler_want(s) == GRETA_WANT_LOGITS);
    CHECK(greta_sampler_choose(s, none, 3, &token) == GRETA_ERR_INTERNAL && token == 0);
    greta_sampler_destroy(&s);
    CHECK(greta_sampler_create(&(struct greta_sampler_params){0}, NULL, &s) == GRETA_OK &&
          greta_sampler_want(s) == GRETA_WANT_ARGMAX);
    greta_sampler_destroy(&s);
    /* a window of 2 forgets the 4 */
    params = (struct greta_sampler_params){.repeat_penalty = 4, .n_repeat = 2};
    CHECK(greta_sampler_create(&params, NULL, &s) == GRETA_OK);
    greta_sampler_accept(s, 4), greta_sampler_accept(s, 1), greta_sampler_accept(s, 0);
    CHECK(greta_sampler_choose(s, logits, N, &token) == GRETA_OK && token == 4);
    greta_sampler_destroy(&s);
}

static void check_params(void) {
    static const struct greta_sampler_params bad[] = {
        {.temperature = -1}, {.temperature = NAN},   {.top_p = 1.5f},       {.top_p = -0.1f},
        {.min_p = 2},        {.repeat_penalty = -1}, {.n_repeat = 1u << 30}};
    struct greta_sampler *s;

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        CHECK(greta_sampler_create(&bad[i], NULL, &s) == GRETA_ERR_INVALID && !s);
}

/* ---- text ---- */

struct out {
    char at[256];
    size_t n;
    unsigned n_writes, fail_at;
};

static bool keep(void *user, const char *data, size_t len) {
    struct out *out = user;
    if (++out->n_writes == out->fail_at) return false;
    if (out->n + len >= sizeof out->at) return false;
    memcpy(out->at + out->n, data, len);
    out->n += len;
    return true;
}

/* Whatever the pieces, the same text comes out, and never a part of a character at the end of a write. */
static void check_text(const char *in, size_t len, const char *want) {
    for (size_t piece = 1; piece <= len; piece++) {
        struct out out = {0};
        struct greta_text text = {.write = keep, .user = &out};
        bool ok = true;
        for (size_t at = 0; at < len && ok; at += piece) {
            ok = CHECK(greta_text_push(&text, in + at, len - at < piece ? len - at : piece)) &&
                 CHECK(out.n + text.n_held >= at);
            ok = ok && CHECK(strncmp(out.at, want, out.n) == 0);
        }
        CHECK(ok && greta_text_finish(&text) && text.n_held == 0);
        if (!CHECK(out.n == strlen(want) && memcmp(out.at, want, out.n) == 0))
            fprintf(stderr, "  pieces of %zu: \"%.*s\", not \"%s\"\n", piece, (int)out.n, out.at, want);
    }
}

#define TEXT(in, want) check_text(in, sizeof in - 1, want)
#define R "\xEF\xBF\xBD"
static void check_texts(void) {
    struct out out = {.fail_at = 1};
    struct greta_text text = {.write = keep, .user = &out};

    TEXT("plain", "plain");
    TEXT("\xC3\xB1\xE2\x82\xAC\xF0\x9F\x98\x80!", "\xC3\xB1\xE2\x82\xAC\xF0\x9F\x98\x80!");
    TEXT("a\xFFz", "a" R "z");
    TEXT("\x80\x80", R R);
    TEXT("a\xE2\x82", "a" R); /* incomplete at the end: one */
    TEXT("\xF0\x9F\x98", R);
    TEXT("\xE2(\xA1", R "(" R);
    TEXT("\xC0\xAF", R R);             /* overlong */
    TEXT("\xE0\x80\x80", R R R);       /* overlong */
    TEXT("\xED\xA0\x80", R R R);       /* a surrogate */
    TEXT("\xF4\x90\x80\x80", R R R R); /* past U+10FFFF */
    TEXT("\xE2\xE2\x82\xAC", R "\xE2\x82\xAC");
    TEXT("\xF0\x9F\xC3\xB1", R R "\xC3\xB1");
    CHECK(!greta_text_push(&text, "x", 1));
    CHECK(greta_text_push(&text, "", 0));
}

int main(void) {
    check_distributions();
    check_greedy();
    check_params();
    check_texts();
    return check_done();
}
