/*
 * The same work with a profile and without: once the model is loaded, the device is asked for the same commands in the same order,
 * timestamps left out, and gives the same bytes. commands DEVICE
 */
#include "check.h"
#include "prof.h"

#include <greta/llm.h>

#include <ctype.h>
#include <string.h>
#include <unistd.h>

enum { MAX_LINES = 20000, MAX_HANDLES = 4096, N_PROMPT = 40, N_DECODE = 12, LINE_BYTES = 512 };

enum mode { PLAIN, TIMELINE, KERNELS, NO_CLOCK, N_MODES };

struct run {
    char (*lines)[LINE_BYTES];
    uint32_t n_lines;
    bool attaching, loading; /* weights go to the device by several threads, in no order of their own */
    bool own[MAX_HANDLES];   /* handles that the profiler made */
    uint32_t tokens[N_DECODE];
    float *logits;
    uint32_t n_vocab, n_errors, n_builds;
};

/* "#12" of a line, or 0. */
static uint32_t handle_at(const char *text, const char **end) {
    const char *at = strchr(text, '#');
    while (at && !isdigit((unsigned char)at[1])) at = strchr(at + 1, '#');
    *end = at ? at + 1 : text + strlen(text);
    while (at && isdigit((unsigned char)**end)) ++*end;
    return at ? (uint32_t)strtoul(at + 1, NULL, 10) % MAX_HANDLES : 0;
}

static void keep_line(void *user, const char *text) {
    struct run *r = user;
    const char *end;
    uint32_t handle = handle_at(text, &end);
    if (r->attaching && strstr(text, "_create")) r->own[handle] = true;
    for (const char *at = text; handle; handle = handle_at(at, &end)) {
        if (r->own[handle]) return;
        at = end;
    }
    if (r->attaching || r->loading || r->n_lines == MAX_LINES) return;
    snprintf(r->lines[r->n_lines++], LINE_BYTES, "%s", text);
}

static void log_line(void *user, enum greta_log_level level, const char *message) {
    struct run *r = user;
    r->n_errors += level == GRETA_LOG_ERROR;
    if (level == GRETA_LOG_ERROR) fprintf(stderr, "%s\n", message);
}

/* ---- the work ---- */

static greta_status evaluate(struct prof *prof, struct greta_session *s, const uint32_t *tokens, uint32_t n,
                             enum greta_want want) {
    prof_begin(prof, n == 1 ? "decode" : "prefill", n == 1 ? "decode token" : "prefill",
               greta_session_n_past(s));
    greta_status status = greta_session_eval(s, tokens, n, want);
    prof_end(prof);
    return status;
}

static greta_status work(struct run *r, struct prof *prof, struct greta_dev *dev) {
    const void *data;
    size_t size;
    struct greta_model *model = NULL;
    struct greta_session *s = NULL;
    uint32_t prompt[N_PROMPT], token = 1;
    if (!greta_builtin_model(&data, &size)) check_skip("built without a model of its own");
    struct greta_model_params params = {.without_tokenizer = true};
    r->loading = true;
    greta_status status = greta_model_load_memory(dev, data, size, "the built-in model", &params, &model);
    r->loading = false;
    for (uint32_t i = 0; i < N_PROMPT; i++) prompt[i] = 3 + 7 * i;
    if (!status)
        status = greta_session_create(model, &(struct greta_session_params){.n_ctx = 128, .n_chunk = 16}, &s);
    if (!status) status = evaluate(prof, s, prompt, N_PROMPT, GRETA_WANT_ARGMAX);
    for (uint32_t i = 0; i < N_DECODE && !status; i++) {
        /* One that is not waited for, and at last the logits. */
        enum greta_want want = i == 5              ? GRETA_WANT_NOTHING
                               : i == N_DECODE - 1 ? GRETA_WANT_LOGITS
                                                   : GRETA_WANT_ARGMAX;
        status = evaluate(prof, s, &token, 1, want);
        if (!status && want == GRETA_WANT_ARGMAX) status = greta_session_argmax(s, &token);
        r->tokens[i] = token;
    }
    r->n_vocab = model ? greta_model_get_info(model)->n_vocab : 0;
    r->logits = calloc(r->n_vocab + 1, sizeof *r->logits);
    if (!status && r->logits) memcpy(r->logits, greta_session_logits(s), r->n_vocab * sizeof *r->logits);
    greta_session_destroy(&s);
    greta_model_destroy(&model);
    return status;
}

/* As if the device had no clock: what rt and the profiler ask is the limit. */
static void take_clock(struct greta_dev *dev) {
    ((struct greta_limits *)(uintptr_t)greta_dev_get_limits(dev))->timestamp_bits = 0;
}

static void run(struct run *r, const char *device, enum mode mode, const char *timeline,
                const char *kernels) {
    struct greta_log log = {.fn = log_line, .max_level = GRETA_LOG_WARN, .user = r};
    struct prof *prof = NULL;
    struct greta_ctx *ctx = NULL;
    struct greta_dev *dev = NULL;
    struct greta_dev_params dev_params = {.trace = {keep_line, r}};
    r->lines = calloc(MAX_LINES, sizeof *r->lines);
    CHECK(r->lines != NULL);
    struct prof_params params = {.timeline = mode == PLAIN ? NULL : timeline,
                                 .kernels = mode == KERNELS ? kernels : NULL,
                                 .command = "test",
                                 .log = &log};
    CHECK(prof_open(&params, &prof) == GRETA_OK);
    CHECK((prof == NULL) == (mode == PLAIN));
    struct greta_ctx_params ctx_params = {.log = &log, .telemetry = prof_telemetry(prof), .cache_dir = ""};
    greta_status status = greta_ctx_create(&ctx_params, &ctx);
    if (!status) status = greta_dev_open(ctx, device, &dev_params, &dev);
    if (status == GRETA_ERR_UNAVAILABLE || status == GRETA_ERR_NOT_FOUND)
        check_skip("there is no such device");
    if (!CHECK(status == GRETA_OK)) return;
    if (mode == NO_CLOCK) take_clock(dev);
    r->attaching = true;
    prof_attach(prof, dev);
    r->attaching = false;
    CHECK(work(r, prof, dev) == GRETA_OK);
    prof_detach(prof);
    greta_dev_close(&dev);
    greta_ctx_destroy(&ctx);
    CHECK(prof_close(&prof));
    CHECK(r->n_errors == 0 && r->n_lines > 100 && r->n_lines < MAX_LINES);
}

/* ---- comparing ---- */

static bool is_stamp(const char *line) {
    return strncmp(line + strspn(line, " "), "stamp", 5) == 0;
}

/* How many lines belong to the graph that is built in this line, its own included. */
static uint32_t block_of(const struct run *r, uint32_t i, bool *has_stamps) {
    uint32_t n = 1;
    *has_stamps = false;
    while (i + n < r->n_lines && strncmp(r->lines[i + n], "  ", 2) == 0)
        *has_stamps |= is_stamp(r->lines[i + n++]);
    return n;
}

static bool is_build(const char *line) {
    return strncmp(line, "kernel_get", 10) == 0 || strncmp(line, "module_", 7) == 0;
}

/* Without timestamps: those in streams go, and a graph with them, whose twin without them is built right behind it; a launch of
 * the one counts as one of the other. Handles are numbered anew. Gives how many lines went. */
static uint32_t normalize(struct run *r) {
    static uint32_t numbers[MAX_HANDLES], twin[MAX_HANDLES];
    uint32_t n_out = 0, n_numbers = 0, n_builds = 0, n_in = r->n_lines;
    memset(numbers, 0, sizeof numbers);
    memset(twin, 0, sizeof twin);
    for (uint32_t i = 0; i < n_in; i++) {
        const char *line = r->lines[i], *end;
        bool has_stamps = false;
        if (is_stamp(line)) continue;
        if (is_build(line)) { /* by several threads at once, in any order */
            n_builds++;
            continue;
        }
        if (strncmp(line, "graph_build", 11) == 0) {
            uint32_t n = block_of(r, i, &has_stamps);
            if (has_stamps && CHECK(i + n < n_in && strncmp(r->lines[i + n], "graph_build", 11) == 0)) {
                twin[handle_at(line, &end)] = handle_at(r->lines[i + n], &end);
                i += n - 1;
                continue;
            }
        }
        uint32_t handle = handle_at(line, &end);
        if (strncmp(line, "graph_destroy", 13) == 0 && twin[handle]) continue;
        char out[LINE_BYTES];
        size_t used = 0;
        for (; handle && used < sizeof out; line = end, handle = handle_at(line, &end)) {
            uint32_t as = twin[handle] ? twin[handle] : handle;
            if (!numbers[as]) numbers[as] = ++n_numbers;
            const char *sharp = end;
            while (*sharp != '#') sharp--;
            used += (size_t)snprintf(out + used, sizeof out - used, "%.*s#%u", (int)(sharp - line), line,
                                     numbers[as]);
        }
        if (used < sizeof out) snprintf(out + used, sizeof out - used, "%s", line);
        memcpy(r->lines[n_out++], out, sizeof out);
    }
    r->n_lines = n_out;
    r->n_builds = n_builds;
    return n_in - n_out - n_builds;
}

static uint32_t count(const struct run *r, const char *word) {
    uint32_t n = 0;
    for (uint32_t i = 0; i < r->n_lines; i++)
        n += strncmp(r->lines[i] + strspn(r->lines[i], " "), word, strlen(word)) == 0;
    return n;
}

static void compare(const struct run *a, const struct run *b) {
    CHECK(a->n_lines == b->n_lines && a->n_builds == b->n_builds);
    for (uint32_t i = 0; i < a->n_lines && i < b->n_lines; i++) {
        if (CHECK(strcmp(a->lines[i], b->lines[i]) == 0)) continue;
        fprintf(stderr, "line %u: %s\nwith a profile: %s\n", i, a->lines[i], b->lines[i]);
        break;
    }
    CHECK(memcmp(a->tokens, b->tokens, sizeof a->tokens) == 0);
    CHECK(a->n_vocab == b->n_vocab && memcmp(a->logits, b->logits, a->n_vocab * sizeof *a->logits) == 0);
}

int main(int argc, char **argv) {
    static struct run runs[N_MODES];
    static const char *const names[N_MODES] = {"no profile", "timeline", "timeline and kernels", "no clock"};
    char timeline[] = "prof-commands-XXXXXX", kernels[] = "prof-commands-XXXXXX";
    int files[] = {mkstemp(timeline), mkstemp(kernels)};
    if (argc < 2 || files[0] < 0 || files[1] < 0) return 1;
    for (int m = 0; m < N_MODES; m++) {
        run(&runs[m], argv[1], (enum mode)m, timeline, kernels);
        uint32_t dropped = normalize(&runs[m]);
        printf("%-22s %u lines, %u of timestamps, %u dispatches\n", names[m], runs[m].n_lines, dropped,
               count(&runs[m], "dispatch"));
        CHECK(count(&runs[m], "dispatch") > 20);
        if (m == PLAIN || m == NO_CLOCK) CHECK(dropped == 0);
        if (m) compare(&runs[PLAIN], &runs[m]);
    }
    for (int i = 0; i < 2; i++) close(files[i]);
    unlink(timeline);
    unlink(kernels);
    for (int m = 0; m < N_MODES; m++) {
        free(runs[m].lines);
        free(runs[m].logits);
    }
    return check_done();
}
