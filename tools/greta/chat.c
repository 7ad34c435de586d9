#include "commands.h"
#include "generate.h"
#include "io.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct chat {
    struct common common;
    struct greta_sampler_params sampling;
    const char *system, *template_name;
    uint32_t n_most;
    bool seeded, stats;

    struct app *app;
    const struct greta_chat_template *template;
    struct greta_sampler *sampler;
    struct greta_chat_message *messages; /* contents are malloc'ed, but for the system's */
    size_t n_messages, n_system;         /* n_system: 0 or 1, the ones that /reset keeps */
    uint32_t *tokens;                    /* what the session holds, n_past of them; room for n_ctx */
    char bos[64], eos[64];
};

/*
 * Ctrl-C: a handler can only reach globals. The flag stops an answer; the pipe wakes the wait for a line, whichever
 * thread the signal came to and however close before.
 */
static volatile sig_atomic_t interrupts;
static int wake[2] = {-1, -1};

static void on_interrupt(int signal) {
    int error = errno;
    (void)signal;
    interrupts = 1;
    (void)!write(wake[1], "", 1);
    errno = error;
}

static bool interrupted(void) {
    return interrupts;
}

static bool catch_interrupts(void) {
    struct sigaction action = {.sa_handler = on_interrupt, .sa_flags = SA_RESTART};
    if (pipe2(wake, O_CLOEXEC | O_NONBLOCK) == 0 && sigaction(SIGINT, &action, NULL) == 0) return true;
    say("cannot catch Ctrl-C: %s", strerror(errno));
    return false;
}

/* The pipe first: a signal that comes in between wakes the next wait. */
static void forget_interrupts(void) {
    char bytes[64];
    while (read(wake[0], bytes, sizeof bytes) > 0) continue;
    interrupts = 0;
}

/* Until the terminal has something; false where Ctrl-C came first. */
static bool wait_for_input(int terminal) {
    struct pollfd fds[2] = {{.fd = terminal, .events = POLLIN}, {.fd = wake[0], .events = POLLIN}};
    while (poll(fds, 2, -1) < 0 && errno == EINTR) continue;
    return !(fds[1].revents & POLLIN);
}

/*
 * The terminal of standard input, or -1. It drops what is typed and not read yet when Ctrl-C comes, so a read that was about to get it
 * must not wait: the terminal is opened anew for that, since a flag of standard input would hold for the shell, too.
 */
static int open_terminal(void) {
    const char *name = ttyname(STDIN_FILENO);
    return name ? open(name, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC) : -1;
}

enum typed { A_LINE, CTRL_C, THE_END };

/* A line, malloc'ed, without its end. */
static enum typed read_typed(int terminal, char **line) {
    char *text = NULL, c = 0;
    bool is_there = false; /* what is typed behind Ctrl-C is a line of its own: none is left half read */
    for (size_t n = 0;;) {
        if (!is_there && !wait_for_input(terminal)) {
            free(text);
            return CTRL_C;
        }
        ssize_t got = read(terminal, &c, 1);
        is_there = got > 0 || errno == EINTR;
        if (got < 0 && (errno == EAGAIN || errno == EINTR)) continue;
        if (got <= 0 && n == 0) return THE_END;
        if (n % 256 == 0) {
            char *grown = realloc(text, n + 256);
            if (!grown) {
                say("no memory for the message");
                free(text);
                return THE_END;
            }
            text = grown;
        }
        if (got <= 0 || c == '\n') {
            text[n > 0 && text[n - 1] == '\r' ? n - 1 : n] = 0;
            *line = text;
            return A_LINE;
        }
        text[n++] = c;
    }
}

/* ---- the conversation ---- */

static bool add_message(struct chat *c, const char *role, char *content) {
    struct greta_chat_message *grown = realloc(c->messages, (c->n_messages + 1) * sizeof *grown);

    if (!grown) {
        say("no memory for the conversation");
        free(content);
        return false;
    }
    c->messages = grown;
    c->messages[c->n_messages++] = (struct greta_chat_message){role, content};
    return true;
}

/* Removes n messages from the i-th on. */
static void remove_messages(struct chat *c, size_t i, size_t n) {
    if (!n) return;
    for (size_t k = i; k < i + n; k++) free((char *)c->messages[k].content);
    memmove(c->messages + i, c->messages + i + n, (c->n_messages - i - n) * sizeof *c->messages);
    c->n_messages -= n;
}

/* The conversation as token ids, ready for the next answer. */
static bool render(struct chat *c, uint32_t **ids, size_t *n) {
    unsigned flags = GRETA_TOKENIZE_SPECIAL;
    char *text;
    bool ok;

    if (greta_chat_render(c->template, c->messages, c->n_messages, true, c->bos, c->eos, &c->app->log, &text))
        return false;
    /* where the template has written BOS, the tokenizer must not put another before it */
    if (!*c->bos || strncmp(text, c->bos, strlen(c->bos)) != 0) flags |= GRETA_TOKENIZE_BOS;
    ok = greta_tokenizer_encode(app_tokenizer(c->app), text, strlen(text), flags, ids, n) == GRETA_OK;
    free(text);
    return ok;
}

enum fit { FITS, TOO_LONG, REFUSED };

/*
 * Like render; where the context has no room for it and a short answer, the oldest exchanges are forgotten.
 */
static enum fit render_to_fit(struct chat *c, uint32_t **ids, size_t *n) {
    uint32_t n_ctx = greta_session_n_ctx(c->app->session), room = n_ctx / 4 < 128 ? n_ctx / 4 : 128;
    size_t n_forgotten = 0;

    for (;;) {
        if (!render(c, ids, n)) return REFUSED;
        if (*n + room <= n_ctx) break;
        if (c->n_messages - c->n_system < 3) {
            if (*n < n_ctx) break;
            say("the context of %u tokens is full: the message does not fit; shorten it, or give a larger "
                "--ctx",
                n_ctx);
            free(*ids);
            return TOO_LONG;
        }
        free(*ids);
        remove_messages(c, c->n_system, 2);
        n_forgotten++;
    }
    if (n_forgotten)
        say("the context of %u tokens is full: the oldest %zu exchange%s forgotten", n_ctx, n_forgotten,
            n_forgotten == 1 ? " is" : "s are");
    return FITS;
}

/* Evaluates what the session does not hold yet; *held: how much it does. *stopped: Ctrl-C came meanwhile. */
static bool evaluate(struct chat *c, const uint32_t *ids, size_t n, uint32_t *held, bool *stopped) {
    struct greta_session *session = c->app->session;
    uint32_t common = 0, n_past = greta_session_n_past(session);
    greta_status status;

    while (common < n_past && common + 1 < n && c->tokens[common] == ids[common]) common++;
    status = greta_session_rewind(session, common);
    if (!status)
        status = profiled_eval(c->app->prof, session, ids + common, (uint32_t)n - common,
                               greta_sampler_want(c->sampler));
    for (size_t i = common; i < n; i++) greta_sampler_accept(c->sampler, ids[i]);
    memcpy(c->tokens, ids, n * sizeof *ids);
    *held = common;
    *stopped = !status && greta_session_n_past(session) < n;
    return status == GRETA_OK;
}

static void tell_end(const struct chat *c, enum end end) {
    if (end == END_CONTEXT)
        say("the context of %u tokens is full: the answer is cut", greta_session_n_ctx(c->app->session));
    if (end == END_INTERRUPTED) {
        forget_interrupts();
        say("stopped");
    }
}

/* The answer to the last message; false where the chat cannot go on. */
static bool answer(struct chat *c, const uint32_t *ids, size_t n) {
    struct generation g = {.session = c->app->session,
                           .prof = c->app->prof,
                           .tokenizer = app_tokenizer(c->app),
                           .sampler = c->sampler,
                           .n_most = c->n_most,
                           .interrupted = interrupted,
                           .at_start = true,
                           .tokens = c->tokens + n,
                           .keep_text = true};
    bool stopped;
    enum end end;

    g.before = greta_session_get_stats(c->app->session);
    if (!evaluate(c, ids, n, &g.n_kept, &stopped)) return false;
    end = stopped ? END_INTERRUPTED : generate(&g);
    if (end == END_OUTPUT || end == END_ERROR || !out_write("\n", 1) || !out_flush()) {
        free(g.text);
        return false;
    }
    tell_end(c, end);
    if (c->stats) print_stats(c->app, &g, c->sampling.seed);
    if (!g.text) g.text = strdup("");
    if (!g.text) say("no memory for the conversation");
    return g.text && add_message(c, "assistant", g.text);
}

/* ---- the chat ---- */

/* A line that begins with a slash. Returns GO_ON, or EXIT_DONE to end. */
static int slash(struct chat *c, const char *line) {
    if (strcmp(line, "/exit") == 0 || strcmp(line, "/quit") == 0 || strcmp(line, "/bye") == 0)
        return EXIT_DONE;
    if (strcmp(line, "/reset") == 0) {
        remove_messages(c, c->n_system, c->n_messages - c->n_system);
        say("a new conversation");
    } else {
        if (strcmp(line, "/help") != 0) say("there is no %s", line);
        say("/reset begins a new conversation, /exit ends the chat, Ctrl-C stops an answer");
    }
    return GO_ON;
}

/* Takes over the line. Returns GO_ON, or what to exit with. */
static int turn(struct chat *c, char *line) {
    uint32_t *ids;
    size_t n;
    enum fit fit;
    bool ok;

    if (!*line || *line == '/') {
        int result = *line ? slash(c, line) : GO_ON;
        free(line);
        return result;
    }
    if (!add_message(c, "user", line)) return EXIT_FAILED;
    fit = render_to_fit(c, &ids, &n);
    if (fit != FITS) {
        remove_messages(c, c->n_messages - 1, 1);
        return fit == TOO_LONG ? GO_ON : EXIT_FAILED; /* what a template refuses once it will refuse again */
    }
    ok = answer(c, ids, n);
    free(ids);
    return ok ? GO_ON : EXIT_FAILED;
}

static int talk(struct chat *c) {
    const int terminal = open_terminal();
    const bool prompts = isatty(STDIN_FILENO);
    int result = GO_ON;

    while (result == GO_ON) {
        char *line = NULL;
        if (prompts) fputs("> ", stderr);
        if (terminal >= 0 && read_typed(terminal, &line) == CTRL_C) {
            forget_interrupts();
            fputc('\n', stderr);
            say("Ctrl-D or /exit ends the chat");
            continue;
        }
        if (terminal < 0) line = read_line();
        if (line)
            result = turn(c, line);
        else if (prompts)
            fputc('\n', stderr);
        if (!line) result = EXIT_DONE;
    }
    if (terminal >= 0) close(terminal);
    return result;
}

static bool find_template(struct chat *c) {
    const char *own = greta_model_get_chat_template(c->app->model);

    if (c->template_name)
        c->template = greta_chat_template_by_name(c->template_name);
    else if (own)
        c->template = greta_chat_template_recognize(own, strlen(own));
    if (c->template) return true;
    if (own)
        say("%s: its chat template is none that is known: name the nearest by --chat-template",
            app_model_name(&c->common));
    else
        say("%s has no chat template: name one by --chat-template", app_model_name(&c->common));
    return false;
}

static void piece_text(const struct greta_tokenizer *t, bool there, uint32_t id, char out[64]) {
    struct greta_gguf_string s = {"", 0};

    if (there) s = greta_tokenizer_piece(t, id, true);
    snprintf(out, 64, "%.*s", (int)(s.len < 63 ? s.len : 63), s.len ? s.data : "");
}

static bool open_chat(struct chat *c) {
    const struct greta_tokenizer *tokenizer;
    uint32_t id;
    bool there;
    char *system;

    if (!app_open_model(c->app, &c->common, false) || !(tokenizer = app_tokenizer(c->app)) ||
        !find_template(c))
        return false;
    there = greta_tokenizer_bos(tokenizer, &id);
    piece_text(tokenizer, there, id, c->bos);
    there = greta_tokenizer_eos(tokenizer, &id);
    piece_text(tokenizer, there, id, c->eos);
    if (greta_sampler_create(&c->sampling, &c->app->log, &c->sampler) ||
        !app_open_session(c->app, &c->common))
        return false;
    c->tokens = malloc(((size_t)greta_session_n_ctx(c->app->session) + 1) * sizeof *c->tokens);
    if (!c->tokens) say("no memory for the conversation");
    if (!c->tokens || !c->system) return c->tokens != NULL;
    system = strdup(c->system);
    c->n_system = 1;
    if (!system) say("no memory for the conversation");
    return system && add_message(c, "system", system);
}

static int unknown_template(const struct command *command, const char *name) {
    char names[512] = "";

    for (size_t i = 0, len = 0; i < greta_chat_template_count() && len < sizeof names; i++)
        len += (size_t)snprintf(names + len, sizeof names - len, "%s%s", i ? ", " : "",
                                greta_chat_template_name(greta_chat_template_at(i)));
    return usage_error(command, "there is no chat template \"%s\": there are %s", name, names);
}

int command_chat(const struct command *command, int argc, char **argv) {
    struct chat c = {.sampling = SAMPLING_DEFAULTS};
    const struct option options[] = {
        MODEL_OPTION(c.common),
        {"system", 's', OPTION_STRING, &c.system, "TEXT", "what the model is told first"},
        {"chat-template", 0, OPTION_STRING, &c.template_name, "NAME",
         "chatml, llama2, llama3, mistral, zephyr, qwen3, phi3 or gemma2; else the file's own"},
        {"predict", 'n', OPTION_U32, &c.n_most, "N", "tokens of an answer; 0: until the model stops"},
        SAMPLING_OPTIONS(c.sampling, c.seeded),
        SESSION_OPTIONS(c.common),
        DEVICE_OPTIONS(c.common),
        PROFILE_OPTIONS(c.common),
        {"stats", 0, OPTION_FLAG, &c.stats, NULL, "times and memory after each answer, on standard error"},
        {0},
    };
    struct app app = {.interrupted = interrupted, .command = "greta chat"};
    int n, result = options_parse(command, options, argc, argv, NULL, 0, &n);

    if (result != GO_ON) return result;
    if (c.template_name && !greta_chat_template_by_name(c.template_name))
        return unknown_template(command, c.template_name);
    c.app = &app;
    if (!c.seeded) c.sampling.seed = new_seed();
    result = open_chat(&c) && catch_interrupts() ? talk(&c) : EXIT_FAILED;
    remove_messages(&c, 0, c.n_messages);
    free(c.messages);
    free(c.tokens);
    greta_sampler_destroy(&c.sampler);
    if (!app_close(&app) && result == EXIT_DONE) result = EXIT_FAILED;
    return result;
}
