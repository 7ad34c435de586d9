#include "generate.h"

#include "clock.h"
#include "io.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

static bool keep(struct generation *g, const char *data, size_t len) {
    char *grown;

    if (!g->keep_text) return true;
    grown = realloc(g->text, g->text_len + len + 1);
    if (!grown) {
        say("no memory for the text");
        return false;
    }
    memcpy(grown + g->text_len, data, len);
    g->text = grown;
    g->text_len += len;
    grown[g->text_len] = 0;
    return true;
}

static bool write_text(void *user, const char *data, size_t len) {
    struct generation *g = user;

    if (!g->first_ns) g->first_ns = clock_ns();
    return keep(g, data, len) && (g->terminal ? out_terminal(data, len) : out_write(data, len));
}

/* The token's bytes to the output. */
static bool push(struct generation *g, struct greta_text *text, uint32_t token) {
    struct greta_gguf_string piece = greta_tokenizer_piece(g->tokenizer, token, false);

    if (g->at_start && piece.len && piece.data[0] == ' ' && greta_tokenizer_strips_space(g->tokenizer))
        piece.data++, piece.len--;
    g->at_start = false;
    return greta_text_push(text, piece.data, piece.len) && out_flush();
}

static enum end step(struct generation *g, struct greta_text *text) {
    uint32_t token;

    if (g->n_most && g->n_tokens == g->n_most) return END_COUNT;
    if (g->interrupted && g->interrupted()) return END_INTERRUPTED;
    if (greta_session_sample(g->session, g->sampler, &token)) return END_ERROR;
    if (g->tokens) g->tokens[g->n_tokens] = token;
    g->n_tokens++;
    if (greta_tokenizer_is_stop(g->tokenizer, token)) return END_STOP;
    if (!push(g, text, token)) return END_OUTPUT;
    if (g->n_most && g->n_tokens == g->n_most) return END_COUNT;
    if (greta_session_n_past(g->session) == greta_session_n_ctx(g->session)) return END_CONTEXT;
    return profiled_eval(g->prof, g->session, &token, 1, greta_sampler_want(g->sampler)) ? END_ERROR
                                                                                         : (enum end) - 1;
}

enum end generate(struct generation *g) {
    struct greta_text text = {.write = write_text, .user = g};
    enum end end;

    g->terminal = isatty(STDOUT_FILENO);
    do end = step(g, &text);
    while ((int)end == -1);
    if (end != END_OUTPUT && (!greta_text_finish(&text) || !out_flush())) end = END_OUTPUT;
    return end;
}

uint64_t new_seed(void) {
    struct timespec t;

    clock_gettime(CLOCK_REALTIME, &t);
    return ((uint64_t)t.tv_sec * 1000000007u) ^ ((uint64_t)t.tv_nsec << 20) ^ (uint64_t)getpid();
}

static double rate(uint64_t n, uint64_t ns) {
    return ns ? (double)n * 1e9 / (double)ns : 0;
}

void print_stats(const struct app *app, const struct generation *g, uint64_t seed) {
    struct greta_session_stats s = greta_session_get_stats(app->session);
    const struct greta_model_info *info = greta_model_get_info(app->model);
    struct rusage usage = {0};
    bool timed = !greta_dev_get_limits(app->dev)->is_emulated;
    char name[128];

    s.n_prefill -= g->before.n_prefill, s.prefill_ns -= g->before.prefill_ns;
    s.n_decode -= g->before.n_decode, s.decode_ns -= g->before.decode_ns;
    getrusage(RUSAGE_SELF, &usage);
    fprintf(stderr, "device       %s (%s)\n", greta_dev_get_info(app->dev)->name,
            greta_dev_get_info(app->dev)->backend);
    fprintf(stderr, "model        %s, %.1f M parameters, %s\n",
            plain(name, sizeof name, info->name, strlen(info->name)), (double)info->n_params / 1e6,
            info->weight_types);
    fprintf(stderr,
            "memory       weights %.1f MiB, keys and values %.1f MiB, scratch %.1f MiB; host peak %.1f MiB\n",
            (double)info->weights_bytes / 1048576, (double)s.kv_bytes / 1048576,
            (double)s.scratch_bytes / 1048576, (double)usage.ru_maxrss / 1024);
    fprintf(stderr, "load         %.3f s\n", (double)app->load_ns / 1e9);
    /* a prompt of one token is a step of decoding */
    fprintf(stderr, "prompt       %llu tokens", (unsigned long long)(s.n_prefill ? s.n_prefill : 1));
    if (timed)
        fprintf(stderr, ", %.1f tokens/s",
                s.n_prefill ? rate(s.n_prefill, s.prefill_ns) : rate(s.n_decode, s.decode_ns));
    if (g->n_kept) fprintf(stderr, "; %u before them were known", g->n_kept);
    fputc('\n', stderr);
    fprintf(stderr, "decode       %llu tokens", (unsigned long long)s.n_decode);
    if (timed)
        fprintf(stderr, ", %.1f tokens/s, %.1f GB/s of weights\n", rate(s.n_decode, s.decode_ns),
                rate(s.n_decode, s.decode_ns) * (double)info->step_bytes / 1e9);
    else
        fprintf(stderr, " (an emulated device has no times)\n");
    if (g->first_ns && timed)
        fprintf(stderr, "first text   %.3f s after the start\n", (double)(g->first_ns - app->start_ns) / 1e9);
    fprintf(stderr, "seed         %llu\n", (unsigned long long)seed);
}
