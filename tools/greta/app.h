/* What the commands share: the log, a device, a model, a session, a progress bar, the common options. */
#ifndef GRETA_APP_H
#define GRETA_APP_H

#include "options.h"

#include <greta/greta.h>
#include <greta/tune.h>

#include "prof.h"

/* Of every command that uses a device. */
struct common {
    const char *model, *device, *force;
    const char *profile, *profile_kernels;
    uint32_t n_threads, n_ctx, n_chunk;
    int kv, plan;
    bool verbose, no_tuning;
};
#define DEVICE_OPTIONS(c)                                                                                 \
    {"device",      'd',                                                                                  \
     OPTION_STRING, &(c).device,                                                                          \
     "NAME",        "vulkan:0, cpu, ... as greta devices lists them; else $GRETA_DEVICE, else the best"}, \
        {"threads", 't', OPTION_U32, &(c).n_threads, "N", "threads of the cpu device; 0: all processors", \
         0,         4096},                                                                                \
    {                                                                                                     \
        "verbose", 'v', OPTION_FLAG, &(c).verbose, NULL, "say what is done and why, on standard error"    \
    }
#define PROFILE_OPTIONS(c)                                                                 \
    {"profile",    0,      OPTION_STRING,                                                  \
     &(c).profile, "FILE", "write a timeline of host and device, which Perfetto opens"},   \
    {                                                                                      \
        "profile-kernels", 0, OPTION_STRING, &(c).profile_kernels, "FILE",                 \
            "count and time each kernel: a table, and results as JSON; -: the table alone" \
    }
#define MODEL_OPTION(c)                                                       \
    {                                                                         \
        "model", 'm', OPTION_STRING, &(c).model, "FILE",                      \
            "a GGUF file; else the built-in model, which tells small stories" \
    }
#define SESSION_OPTIONS(c)                                                                                   \
    {"ctx", 0,      OPTION_U32, &(c).n_ctx, "N", "tokens of context; 0: the model's own, at most 4096",      \
     0,     1 << 24},                                                                                        \
        {"kv", 0, OPTION_CHOICE, &(c).kv, "f16|f32|q8_0", "how keys and values are kept"},                   \
        {"plan", 0, OPTION_CHOICE, &(c).plan, "default|exact", "exact: f32 activations throughout; slower"}, \
        {"no-tuning", 0, OPTION_FLAG, &(c).no_tuning, NULL, "kernel rows by default, not by the tuning database"}, \
        {"chunk",    0,                                                                                      \
         OPTION_U32, &(c).n_chunk,                                                                           \
         "N",        "tokens of a prompt evaluated at once; 0: chosen for the device",                       \
         0,          1 << 16},                                                                               \
    {                                                                                                        \
        "force", 0, OPTION_STRING, &(c).force, "ROWS", "kernel rows by name, matmul=matmul_simple,..."       \
    }

struct app {
    struct greta_log log;
    struct greta_ctx *ctx;
    struct greta_dev *dev;
    struct greta_model *model;
    struct greta_session *session;
    struct prof *prof;   /* of --profile and --profile-kernels; NULL: none */
    const char *command; /* "greta run", for the profile */
    uint64_t start_ns, load_ns;
    struct greta_tune_db *tuning; /* NULL: there is none */
    struct greta_tune_lookups *lookups;
    bool untuned;              /* the database is not asked, whatever the options say */
    bool (*interrupted)(void); /* asked between the chunks of a prompt; NULL: never */
};

/* The log alone: messages on stderr, as many as --verbose or $GRETA_LOG ask for. */
void app_log(struct app *app, const struct common *common);
/*
 * Each opens what it says and what comes before it. False after an error, which is said. app_close closes
 * all: false where a profile could not be written.
 */
bool app_open_ctx(struct app *app, const struct common *common);
bool app_open_dev(struct app *app, const struct common *common);
bool app_open_model(struct app *app, const struct common *common, bool without_tokenizer);
bool app_open_session(struct app *app, const struct common *common);
bool app_close(struct app *app);
/* greta_session_eval as a phase of the profile. */
greta_status profiled_eval(struct prof *prof, struct greta_session *session, const uint32_t *tokens,
                           uint32_t n, enum greta_want want);

/* The file of -m, or the built-in model, opened without a device. */
bool app_open_gguf(struct app *app, const char *path, struct greta_gguf **out);
/* The model's tokenizer; NULL after a line on stderr where it has none. */
const struct greta_tokenizer *app_tokenizer(const struct app *app);
const char *app_model_name(const struct common *common);

/* One line on stderr, "greta: ...", after the progress bar has gone. */
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* A bar on stderr where that is a terminal, once it has lasted a moment; done == total removes it. */
void progress(const char *what, uint64_t done, uint64_t total);
/* Makes room for a line of output; the bar comes back with the next progress. */
void progress_hide(void);

#endif
