/* Which device is taken: made-up backends list boards that work, fail their trial, or show a board a second time. */
#include "check.h"
#include "hal.h"

#include <greta/rt.h>

#include <stdlib.h>
#include <string.h>

extern const struct greta_backend cpu_backend;

enum { MAX_BOARDS = 3, MAX_LOG = 16384 };
enum fault { SOUND, LOST_AT_WAIT, WRONG_VALUES, DOES_NOT_OPEN, SAYS_WHY };

struct board {
    const char *arch, *pci;
    enum greta_dev_type type;
    uint8_t uuid; /* 0: none */
    enum fault fault;
};

/* What the two made-up backends list, set by each case. */
static struct {
    bool unavailable;
    uint32_t n;
    struct board boards[MAX_BOARDS];
    const struct greta_log *log; /* that it was given */
} hip, vulkan;
static char log_text[MAX_LOG];
static unsigned n_opened, n_open;

static void keep_log(void *user, enum greta_log_level level, const char *message) {
    static const char *const names[] = {"error", "warning", "info", "debug"};
    (void)user;
    size_t used = strlen(log_text);
    snprintf(log_text + used, sizeof log_text - used, "[%s] %s\n", names[level], message);
}

/* ---- devices: the cpu's, with the trial shader's work done in C -------------------------------------------------- */

struct fake_dev {
    struct hal_dev hal;
    struct greta_dev_ops ops;
    struct hal_dev *inner;
};

static struct hal_dev *inner_of(struct hal_dev *dev) {
    return ((struct fake_dev *)dev)->inner;
}

static void trial(const struct greta_host_group *group, const void *args) {
    uint32_t *y, seed;
    memcpy(&y, args, sizeof y);
    memcpy(&seed, (const char *)args + 8, sizeof seed);
    for (uint32_t i = group->id[0] * 64; i < (group->id[0] + 1) * 64; i++) y[i] = i * 2654435761u + seed;
}
static const struct greta_host_entry entries[] = {{"main", trial}};

static greta_status load_trial(struct hal_dev *dev, const struct greta_image *image,
                               struct hal_module **out) {
    struct greta_image host = {GRETA_IMAGE_HOST, entries, sizeof entries, image->name};
    return inner_of(dev)->ops->module_load(inner_of(dev), &host, out);
}

static greta_status lose(struct hal_dev *dev, struct hal_event *event, uint64_t timeout_ns) {
    (void)dev, (void)event, (void)timeout_ns;
    return GRETA_ERR_DEVICE_LOST;
}

static greta_status forget(struct hal_dev *dev, struct hal_stream *stream, const struct hal_copy *cmd) {
    (void)dev, (void)stream, (void)cmd;
    return GRETA_OK;
}

static greta_status run_on_inner(struct hal_dev *dev, struct hal_stream *stream,
                                 const struct hal_dispatch *cmd) {
    return inner_of(dev)->ops->cmd_dispatch(inner_of(dev), stream, cmd);
}

static void fake_close(struct hal_dev *dev) {
    inner_of(dev)->ops->dev_close(inner_of(dev));
    free(dev);
    n_open--;
}

/* ---- backends ---------------------------------------------------------------------------------------------------- */

static greta_status list(const char *name, const struct board *boards, uint32_t n_boards,
                         struct greta_dev_info *infos, uint32_t capacity, uint32_t *n) {
    *n = n_boards;
    for (uint32_t i = 0; i < n_boards && i < capacity; i++) {
        infos[i] =
            (struct greta_dev_info){.i_device = i, .type = boards[i].type, .has_uuid = boards[i].uuid != 0};
        memset(infos[i].uuid, boards[i].uuid, sizeof infos[i].uuid);
        snprintf(infos[i].name, sizeof infos[i].name, "board %u", i);
        snprintf(infos[i].backend, sizeof infos[i].backend, "%s", name);
        snprintf(infos[i].arch, sizeof infos[i].arch, "%s", boards[i].arch ? boards[i].arch : "");
        snprintf(infos[i].pci, sizeof infos[i].pci, "%s", boards[i].pci ? boards[i].pci : "");
    }
    return GRETA_OK;
}

static greta_status open_board(const char *name, void *instance, const struct board *boards, uint32_t n,
                               uint32_t i_device, struct hal_dev **out) {
    const struct board *b = &boards[i_device];
    struct fake_dev *d = calloc(1, sizeof *d);
    uint32_t n_listed;
    *out = NULL;
    n_opened++;
    struct greta_dev_info infos[MAX_BOARDS];
    if (b->fault == SAYS_WHY)
        (void)!greta_fail(strcmp(name, "hip") == 0 ? hip.log : vulkan.log, GRETA_ERR_UNSUPPORTED,
                          "no code for gfx906: there is gfx942");
    if (!d || b->fault == SAYS_WHY || b->fault == DOES_NOT_OPEN ||
        cpu_backend.dev_open(instance, 0, &d->inner) != GRETA_OK) {
        free(d);
        return GRETA_ERR_INTERNAL;
    }
    n_open++;
    d->hal = *d->inner;
    d->ops = *d->inner->ops;
    d->hal.ops = &d->ops;
    d->ops.dev_close = fake_close;
    d->ops.module_load = load_trial;
    d->ops.cmd_dispatch = run_on_inner;
    if (b->fault == LOST_AT_WAIT) d->ops.event_wait = lose;
    if (b->fault == WRONG_VALUES) d->ops.cmd_copy = forget;
    (void)!list(name, boards, n, infos, MAX_BOARDS, &n_listed);
    d->hal.info = infos[i_device];
    *out = &d->hal;
    return GRETA_OK;
}

#define BACKEND(id, format)                                                                        \
    static greta_status id##_open(const struct hal_open_params *params, void **out) {              \
        *out = NULL;                                                                               \
        id.log = params->log;                                                                      \
        if (!id.unavailable) return cpu_backend.open(params, out);                                 \
        greta_logf(params->log, GRETA_LOG_INFO, "no lib" #id " here");                             \
        return GRETA_ERR_UNAVAILABLE;                                                              \
    }                                                                                              \
    static greta_status id##_list(void *instance, struct greta_dev_info *infos, uint32_t capacity, \
                                  uint32_t *n) {                                                   \
        (void)instance;                                                                            \
        return list(#id, id.boards, id.n, infos, capacity, n);                                     \
    }                                                                                              \
    static greta_status id##_dev_open(void *instance, uint32_t i_device, struct hal_dev **out) {   \
        return open_board(#id, instance, id.boards, id.n, i_device, out);                          \
    }                                                                                              \
    static void id##_close(void *instance) {                                                       \
        cpu_backend.close(instance);                                                               \
    }                                                                                              \
    static const struct greta_backend id##_backend = {#id,       format,        id##_open,         \
                                                      id##_list, id##_dev_open, id##_close};

BACKEND(hip, GRETA_IMAGE_AMDGPU)
BACKEND(vulkan, GRETA_IMAGE_SPIRV)

const struct greta_backend *const hal_backends[] = {&hip_backend, &vulkan_backend, &cpu_backend, NULL};

/* ---- cases ------------------------------------------------------------------------------------------------------- */

static const struct greta_log log_to = {.fn = keep_log, .max_level = GRETA_LOG_DEBUG};

/* Opens by name (NULL: by preference) and gives "backend:index", or the status's name. */
static const char *open_name(struct greta_ctx *ctx, const char *name) {
    static char text[64];
    struct greta_dev *dev;
    greta_status status = greta_dev_open(ctx, name, NULL, &dev);
    if (status != GRETA_OK) return greta_status_name(status);
    snprintf(text, sizeof text, "%s:%u", greta_dev_get_info(dev)->backend, greta_dev_get_info(dev)->i_device);
    greta_dev_close(&dev);
    return text;
}

static struct greta_ctx *begin(void) {
    struct greta_ctx *ctx = NULL;
    log_text[0] = 0;
    n_opened = 0;
    CHECK(greta_ctx_create(&(struct greta_ctx_params){.log = &log_to, .n_threads = 1, .cache_dir = ""},
                           &ctx) == GRETA_OK);
    return ctx;
}

static void end(struct greta_ctx *ctx) {
    greta_ctx_destroy(&ctx);
    CHECK(n_open == 0);
    memset(&hip, 0, sizeof hip);
    memset(&vulkan, 0, sizeof vulkan);
}

static void expect(const char *name, const char *wanted) {
    struct greta_ctx *ctx = begin();
    const char *got = open_name(ctx, name);
    if (!CHECK(strcmp(got, wanted) == 0))
        fprintf(stderr, "  %s gave %s, not %s\n", name ? name : "(none)", got, wanted);
    CHECK(strstr(log_text, "probe:") || strcmp(wanted, "ERR_INVALID") == 0);
    end(ctx);
}

static void set(uint32_t n_hip, struct board h0, uint32_t n_vulkan, struct board v0, struct board v1) {
    hip.n = n_hip;
    hip.boards[0] = h0;
    vulkan.n = n_vulkan;
    vulkan.boards[0] = v0;
    vulkan.boards[1] = v1;
}

static const struct board none,
    mi300x = {.arch = "gfx942", .type = GRETA_DEV_DISCRETE, .uuid = 7, .pci = "0000:c1:00.0"},
    mi300x_lost = {.type = GRETA_DEV_DISCRETE, .uuid = 7, .fault = LOST_AT_WAIT},
    apu_hip = {.arch = "gfx1103", .type = GRETA_DEV_INTEGRATED, .pci = "0000:09:00.0"},
    apu = {.type = GRETA_DEV_INTEGRATED, .pci = "0000:09:00.0"},
    wrong = {.type = GRETA_DEV_DISCRETE, .fault = WRONG_VALUES},
    shut = {.type = GRETA_DEV_DISCRETE, .fault = DOES_NOT_OPEN}, software = {.type = GRETA_DEV_CPU},
    foreign = {.arch = "gfx906", .type = GRETA_DEV_DISCRETE, .uuid = 9, .fault = SAYS_WHY},
    foreign_vulkan = {.type = GRETA_DEV_DISCRETE, .uuid = 9},
    emulated = {.arch = "gfx942", .type = GRETA_DEV_CPU};

static void preference(void) {
    set(0, none, 0, none, none);
    expect(NULL, "cpu:0");
    set(1, mi300x, 1, mi300x_lost, none); /* tested code on its architecture comes first */
    expect(NULL, "hip:0");
    set(1, apu_hip, 1, apu, none); /* then a GPU by SPIR-V, before code that was never executed */
    expect(NULL, "vulkan:0");
    set(1, apu_hip, 0, none, none);
    expect(NULL, "hip:0");
    set(0, none, 1, software, none); /* a processor in a GPU's clothes only when named */
    expect(NULL, "cpu:0");
    set(0, none, 1, software, none);
    expect("vulkan:0", "vulkan:0");
    set(1, emulated, 0, none, none); /* nor an emulator of the tested architecture */
    expect(NULL, "cpu:0");
    set(1, emulated, 0, none, none);
    expect("hip:0", "hip:0");
    set(0, none, 2, mi300x_lost, apu); /* what fails its trial is passed over */
    expect(NULL, "vulkan:1");
    set(0, none, 2, wrong, shut);
    expect(NULL, "cpu:0");
    hip.unavailable = vulkan.unavailable = true;
    expect(NULL, "cpu:0");
}

/* Who names a device reads why its library does not open in the one line of the error, without asking for more. */
static void quiet_reason(void) {
    const struct greta_log log = {.fn = keep_log};
    const struct greta_ctx_params params = {.log = &log, .cache_dir = ""};
    struct greta_ctx *ctx = NULL;
    struct greta_dev *dev = NULL;
    log_text[0] = 0;
    vulkan.unavailable = true;
    CHECK(greta_ctx_create(&params, &ctx) == GRETA_OK);
    CHECK(greta_dev_open(ctx, "vulkan:0", NULL, &dev) == GRETA_ERR_UNAVAILABLE && !dev);
    CHECK(strstr(log_text, "vulkan:0") && strstr(log_text, "no libvulkan here"));
    CHECK(strchr(log_text, '\n') == strrchr(log_text, '\n'));
    greta_ctx_destroy(&ctx);
}

static void names(void) {
    set(1, mi300x, 2, apu, wrong);
    expect("vulkan", "vulkan:0");
    set(1, mi300x, 2, apu, wrong);
    expect("vulkan:1", "ERR_UNAVAILABLE");
    set(1, mi300x, 2, apu, wrong);
    expect("vulkan:2", "ERR_NOT_FOUND");
    expect("hip:0", "ERR_NOT_FOUND");
    expect("opencl", "ERR_INVALID");
    expect("vulkan:", "ERR_INVALID");
    vulkan.unavailable = true;
    expect("vulkan", "ERR_UNAVAILABLE");
    quiet_reason();

    setenv("GRETA_DEVICE", "cpu", 1);
    set(1, mi300x, 1, apu, none);
    expect(NULL, "cpu:0");
    set(1, mi300x, 1, apu, none);
    expect("", "cpu:0");
    set(1, mi300x, 1, apu, none);
    expect("vulkan", "vulkan:0"); /* what the call names comes before */
    setenv("GRETA_DEVICE", "vulcan", 1);
    expect(NULL, "ERR_INVALID"); /* a slip of the pen is no wish for another device */
    unsetenv("GRETA_DEVICE");
}

static void list_for_a_user(void) {
    set(1, mi300x, 2, mi300x_lost, apu);
    struct greta_ctx *ctx = begin();
    struct greta_probe_entry e[8];
    uint32_t n = 0;
    CHECK(greta_ctx_probe(ctx, e, 8, &n) == GRETA_OK && n == 4);
    CHECK(strcmp(e[0].info.backend, "hip") == 0 && e[0].usable && e[0].chosen);
    CHECK(!e[1].usable && !e[1].chosen && strstr(e[1].reason, "waiting") && strstr(e[1].reason, "lost"));
    CHECK(strstr(e[1].reason, "the same board as hip:0") != NULL);
    CHECK(e[2].usable && !e[2].chosen && !strstr(e[2].reason, "same board"));
    CHECK(strcmp(e[3].info.backend, "cpu") == 0 && e[3].usable && !e[3].chosen);
    unsigned opened = n_opened;
    CHECK(greta_ctx_probe(ctx, e, 1, &n) == GRETA_OK && n == 4 && n_opened == opened); /* kept */
    CHECK(strcmp(open_name(ctx, NULL), "hip:0") == 0 &&
          n_opened == opened); /* the trial's device is the one used */
    CHECK(strcmp(open_name(ctx, NULL), "hip:0") == 0 && n_opened == opened + 1);
    end(ctx);
}

/* An architecture that nothing was built for: what the backend said is the reason, and no error of its own. */
static void no_image(void) {
    set(1, foreign, 1, foreign_vulkan, none);
    struct greta_ctx *ctx = begin();
    struct greta_probe_entry e[8];
    uint32_t n = 0;
    CHECK(greta_ctx_probe(ctx, e, 8, &n) == GRETA_OK && n == 3);
    CHECK(!e[0].usable && strstr(e[0].reason, "does not open: no code for gfx906: there is gfx942"));
    CHECK(e[1].usable && e[1].chosen && e[0].i_board == e[1].i_board && e[1].i_board != e[2].i_board);
    CHECK(!strstr(log_text, "[error]"));
    log_text[0] = 0;
    CHECK(strcmp(open_name(ctx, "hip:0"), "ERR_UNAVAILABLE") == 0);
    CHECK(strstr(log_text, "[error] device \"hip:0\": board 0: does not open: no code for gfx906") != NULL);
    end(ctx);
    hip.n = 1;
    hip.boards[0] = foreign;
    expect(NULL, "cpu:0"); /* who did not name it is warned once */
    CHECK(strstr(log_text, "[warning] hip:0 board 0 is passed over: does not open: no code") != NULL);
}

static void never_run(void) {
    set(1, apu_hip, 1, apu, none);
    struct greta_ctx *ctx = begin();
    struct greta_probe_entry e[8];
    uint32_t n = 0;
    CHECK(greta_ctx_probe(ctx, e, 8, &n) == GRETA_OK && n == 3);
    CHECK(e[0].usable && !e[0].chosen && strstr(e[0].reason, "never run"));
    CHECK(e[1].chosen && e[0].i_board == e[1].i_board && !strstr(e[1].reason, "never run"));
    end(ctx);
}

/* What creating a context says with this value of a variable; "" for nothing. */
static const char *said(const char *env, const char *value) {
    setenv(env, value, 1);
    end(begin());
    unsetenv(env);
    return log_text;
}

static void switches(void) {
    CHECK(strstr(said("GRETA_BARRIER", "allways"), "GRETA_BARRIER is \"allways\"") != NULL);
    CHECK(strstr(said("GRETA_VALIDATION", "yes"), "only 1 does") != NULL);
    CHECK(*said("GRETA_BARRIER", "always") == 0 && *said("GRETA_BARRIER", "") == 0);
    CHECK(*said("GRETA_VALIDATION", "1") == 0 && *said("GRETA_VALIDATION", "0") == 0);
}

int main(void) {
    unsetenv("GRETA_DEVICE");
    switches();
    preference();
    names();
    list_for_a_user();
    no_image();
    never_run();
    return check_done();
}
