/* Which devices are there, which of them work, and which one is taken. */
#include "internal.h"

#include <greta/env.h>

#include "clock.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* ---- boards ----------------------------------------------------------------------------------------------------- */

/* The folder and those above it; a failure shows when something is written there. */
static void make_folder(const char *path) {
    char *p = path ? strdup(path) : NULL;
    if (!p) return;
    for (char *c = p + 1; *c; c++) {
        if (*c != '/') continue;
        *c = 0;
        (void)!mkdir(p, 0777);
        *c = '/';
    }
    (void)!mkdir(p, 0777);
    free(p);
}

static greta_status list_boards(struct greta_ctx *ctx, struct rt_backend *b) {
    uint32_t n = 0;
    greta_status status = b->table->list(b->instance, NULL, 0, &n);
    if (status != GRETA_OK || !n) return status;
    struct greta_dev_info *infos = calloc(n, sizeof *infos);
    b->boards = calloc(n, sizeof *b->boards);
    if (!infos || !b->boards) {
        status = greta_fail(ctx->log, GRETA_ERR_NO_MEMORY, "%s: no memory for a list of %u devices",
                            b->table->name, n);
    } else {
        uint32_t n_now = 0;
        status = b->table->list(b->instance, infos, n, &n_now);
        b->n_boards = status == GRETA_OK ? n_now < n ? n_now : n : 0;
    }
    for (uint32_t i = 0; i < b->n_boards; i++) b->boards[i].info = infos[i];
    free(infos);
    return status;
}

/*
 * What a backend says while it opens is the reason where it does not; the context's log gets what it asked for. While a board is
 * tried an error is no more than the reason to pass it over: whoever named the board is told it with that.
 */
static void hear(void *user, enum greta_log_level level, const char *message) {
    struct rt_backend *b = user;
    if (atomic_load(&b->opening) && level <= GRETA_LOG_INFO)
        snprintf(b->reason, sizeof b->reason, "%s", message);
    if (atomic_load(&b->trying) && level == GRETA_LOG_ERROR) {
        if (!b->error[0]) snprintf(b->error, sizeof b->error, "%s", message);
        level = GRETA_LOG_INFO;
    }
    greta_logf(b->outer, level, "%s", message);
}

static void listen(struct greta_ctx *ctx, struct rt_backend *b) {
    enum greta_log_level most = ctx->log ? ctx->log->max_level : GRETA_LOG_ERROR;
    b->outer = ctx->log;
    b->reason[0] = 0;
    b->log = (struct greta_log){hear, b, most > GRETA_LOG_INFO ? most : GRETA_LOG_INFO};
}

/* Opens a backend's library once; the answer is kept, but for a lack of host memory. */
static greta_status backend_open(struct greta_ctx *ctx, struct rt_backend *b) {
    if (b->tried) return b->status;
    struct hal_open_params params = {.log = &b->log,
                                     .cache_dir = ctx->cache_dir,
                                     .library = rt_env_library(b->table->name),
                                     .n_threads = ctx->n_threads,
                                     .validation = ctx->validation};
    if (b->table->image_format != GRETA_IMAGE_HOST) make_folder(ctx->cache_dir);
    listen(ctx, b);
    atomic_store(&b->opening, true);
    b->status = b->table->open(&params, &b->instance);
    if (b->status == GRETA_OK) b->status = list_boards(ctx, b);
    atomic_store(&b->opening, false);
    if (b->status != GRETA_OK) {
        free(b->boards);
        b->boards = NULL;
        b->n_boards = 0;
        if (b->instance) b->table->close(b->instance);
        b->instance = NULL;
    }
    b->tried = b->status != GRETA_ERR_NO_MEMORY;
    greta_logf(ctx->log, GRETA_LOG_INFO, "probe: %s: %s, %u devices", b->table->name,
               greta_status_text(b->status), b->n_boards);
    return b->status;
}

/* Opens a board and tries it; the open device is left in `spare`. The answer is kept, but for a lack of memory, which may
 * pass: that is returned as it is. */
/* What other programs and devices may have of its memory. */
static void tell_sharing(struct greta_ctx *ctx, const struct rt_backend *b, const struct rt_board *board,
                         const struct greta_limits *l) {
    static const char *const ways[] = {[GRETA_EXPORT_NONE] = "shares no buffers with other programs",
                                       [GRETA_EXPORT_MAPPABLE_FD] =
                                           "shares buffers as file descriptors that can be mapped",
                                       [GRETA_EXPORT_OPAQUE_FD] = "shares buffers as opaque file descriptors",
                                       [GRETA_EXPORT_IPC] = "shares buffers with other processes by handles"};
    greta_logf(ctx->log, GRETA_LOG_INFO, "probe: %s:%u %s; it reaches the memory of %d other devices",
               b->table->name, board->info.i_device, ways[l->export_type], __builtin_popcountll(l->peers));
}

static greta_status try_board(struct greta_ctx *ctx, struct rt_backend *b, struct rt_board *board) {
    if (board->trial == RT_TRIAL_PASSED) return GRETA_OK;
    if (board->trial == RT_TRIAL_FAILED) return GRETA_ERR_UNAVAILABLE;
    uint64_t start = clock_ns();
    struct hal_dev *hal = NULL;
    const char *step = NULL;
    b->error[0] = 0;
    atomic_store(&b->trying, true);
    greta_status status = b->table->dev_open(b->instance, board->info.i_device, &hal);
    if (status == GRETA_OK) status = rt_trial(hal, b->table->image_format, &step);
    atomic_store(&b->trying, false);
    if (status != GRETA_OK)
        snprintf(board->reason, sizeof board->reason, "%s%s: %.180s",
                 step ? "its trial failed at " : "does not open", step ? step : "",
                 b->error[0] ? b->error : greta_status_text(status));
    if (status == GRETA_OK) {
        board->info = hal->info;
        board->spare = hal;
        snprintf(board->reason, sizeof board->reason, "a trial dispatch gave the right values (%.1f ms)",
                 (double)(clock_ns() - start) * 1e-6);
    } else if (hal) {
        hal->ops->dev_close(hal);
    }
    greta_logf(ctx->log, GRETA_LOG_INFO, "probe: %s:%u %s: %s", b->table->name, board->info.i_device,
               board->info.name, board->reason);
    if (status == GRETA_OK) tell_sharing(ctx, b, board, &hal->limits);
    if (status == GRETA_ERR_NO_MEMORY || status == GRETA_ERR_NO_DEVICE_MEMORY) return status;
    board->trial = status == GRETA_OK ? RT_TRIAL_PASSED : RT_TRIAL_FAILED;
    return status == GRETA_OK ? GRETA_OK : GRETA_ERR_UNAVAILABLE;
}

/* ---- preference ------------------------------------------------------------------------------------------------- */

/* Architectures whose code objects have been executed in the tests, on a board or on the emulator. */
static const char *const tested_archs[] = {"gfx942"};

enum { RANK_TESTED_ARCH, RANK_GPU, RANK_OTHER_ARCH, RANK_HOST, N_RANKS, RANK_NEVER };

static bool is_tested(const struct rt_board *board) {
    for (size_t i = 0; i < sizeof tested_archs / sizeof *tested_archs; i++)
        if (strcmp(board->info.arch, tested_archs[i]) == 0) return true;
    return false;
}

/* Lower is better; RANK_NEVER, a GPU that is in truth a processor or an emulator, is taken only when named. */
static int rank(const struct rt_backend *b, const struct rt_board *board) {
    if (b->table->image_format == GRETA_IMAGE_HOST) return RANK_HOST;
    if (board->info.type == GRETA_DEV_CPU) return RANK_NEVER;
    if (b->table->image_format == GRETA_IMAGE_SPIRV) return RANK_GPU;
    return is_tested(board) ? RANK_TESTED_ARCH : RANK_OTHER_ARCH;
}

static bool same_board(const struct greta_dev_info *a, const struct greta_dev_info *b) {
    if (strcmp(a->backend, b->backend) == 0) return false;
    if (a->has_uuid && b->has_uuid && memcmp(a->uuid, b->uuid, sizeof a->uuid) == 0) return true;
    return a->pci[0] && strcmp(a->pci, b->pci) == 0;
}

/* The first board of the best rank that passes its trial. ERR_UNAVAILABLE where none does. Those that fail are told of at the
 * level `said`. */
static greta_status choose(struct greta_ctx *ctx, enum greta_log_level said, struct rt_backend **out_backend,
                           struct rt_board **out_board) {
    for (int wanted = 0; wanted < N_RANKS; wanted++)
        for (uint32_t i = 0; i < ctx->n_backends; i++) {
            struct rt_backend *b = &ctx->backends[i];
            if (backend_open(ctx, b) == GRETA_ERR_NO_MEMORY) return GRETA_ERR_NO_MEMORY;
            for (uint32_t j = 0; j < b->n_boards; j++) {
                if (rank(b, &b->boards[j]) != wanted) continue;
                bool is_new = b->boards[j].trial == RT_TRIAL_NOT_MADE;
                greta_status status = try_board(ctx, b, &b->boards[j]);
                if (status == GRETA_ERR_NO_MEMORY) return status;
                if (status != GRETA_OK && is_new)
                    greta_logf(ctx->log, said, "%s:%u %s is passed over: %s", b->table->name,
                               b->boards[j].info.i_device, b->boards[j].info.name, b->boards[j].reason);
                if (status != GRETA_OK) continue;
                *out_backend = b;
                *out_board = &b->boards[j];
                return GRETA_OK;
            }
        }
    return greta_fail(ctx->log, GRETA_ERR_UNAVAILABLE,
                      "no device passed its trial: see the lines before, or the log");
}

/* ---- names ------------------------------------------------------------------------------------------------------ */

static greta_status unknown_name(struct greta_ctx *ctx, const char *name) {
    char known[128] = "";
    size_t used = 0;
    for (uint32_t i = 0; i < ctx->n_backends && used < sizeof known; i++)
        used += (size_t)snprintf(known + used, sizeof known - used, "%s%s", i ? ", " : "",
                                 ctx->backends[i].table->name);
    return greta_fail(ctx->log, GRETA_ERR_INVALID,
                      "device \"%s\": not a device's name: this build knows %s, with :N behind it", name,
                      known);
}

/* "vulkan:1" or "vulkan". */
static greta_status parse_name(struct greta_ctx *ctx, const char *name, struct rt_backend **out,
                               uint32_t *i_device) {
    size_t len = strcspn(name, ":");
    *out = NULL;
    *i_device = 0;
    for (uint32_t i = 0; i < ctx->n_backends; i++) {
        const char *known = ctx->backends[i].table->name;
        if (strlen(known) == len && strncmp(known, name, len) == 0) *out = &ctx->backends[i];
    }
    if (!*out) return unknown_name(ctx, name);
    if (!name[len]) return GRETA_OK;
    const char *digits = name + len + 1;
    size_t n_digits = strspn(digits, "0123456789");
    if (!n_digits || digits[n_digits] || n_digits > 6) return unknown_name(ctx, name);
    *i_device = (uint32_t)strtoul(digits, NULL, 10);
    return GRETA_OK;
}

static greta_status find_named(struct greta_ctx *ctx, const char *name, struct rt_backend **out_backend,
                               struct rt_board **out_board) {
    uint32_t i_device;
    greta_status status = parse_name(ctx, name, out_backend, &i_device);
    if (status != GRETA_OK) return status;
    struct rt_backend *b = *out_backend;
    status = backend_open(ctx, b);
    if (status != GRETA_OK)
        return greta_fail(ctx->log, status, "device \"%s\": %s is not available: %s", name, b->table->name,
                          b->reason[0] ? b->reason : "its library or driver is missing");
    for (uint32_t i = 0; i < b->n_boards; i++)
        if (b->boards[i].info.i_device == i_device) *out_board = &b->boards[i];
    if (!*out_board)
        return greta_fail(ctx->log, GRETA_ERR_NOT_FOUND, "device \"%s\": %s has %u devices, counted from 0",
                          name, b->table->name, b->n_boards);
    status = try_board(ctx, b, *out_board);
    if (status != GRETA_OK)
        greta_logf(ctx->log, GRETA_LOG_ERROR, "device \"%s\": %s: %s", name, (*out_board)->info.name,
                   (*out_board)->reason);
    return status;
}

static greta_status open_locked(struct greta_ctx *ctx, const char *name, struct rt_backend **b,
                                struct hal_dev **out) {
    struct rt_board *board = NULL;
    if (!name || !*name) name = greta_env_get(GRETA_ENV_DEVICE);
    bool named = name && *name;
    greta_status status = named ? find_named(ctx, name, b, &board) : choose(ctx, GRETA_LOG_WARN, b, &board);
    if (status != GRETA_OK) return status;
    greta_logf(ctx->log, GRETA_LOG_INFO, "device: %s:%u %s (%s), %s", (*b)->table->name, board->info.i_device,
               board->info.name, board->info.driver, named ? "as named" : "the best that works");
    *out = board->spare;
    board->spare = NULL;
    return *out ? GRETA_OK : (*b)->table->dev_open((*b)->instance, board->info.i_device, out);
}

greta_status rt_probe_open(struct greta_ctx *ctx, const char *name, const struct greta_backend **table,
                           struct hal_dev **out) {
    struct rt_backend *b = NULL;
    pthread_mutex_lock(&ctx->lock);
    greta_status status = open_locked(ctx, name, &b, out);
    pthread_mutex_unlock(&ctx->lock);
    *table = status == GRETA_OK ? b->table : NULL;
    return status;
}

/* ---- the list for a user ---------------------------------------------------------------------------------------- */

/* The board's other name, where a backend before this one shows it too. */
static const struct rt_board *seen_before(const struct greta_ctx *ctx, const struct rt_backend *b,
                                          const struct rt_board *board) {
    for (const struct rt_backend *o = ctx->backends; o < b; o++)
        for (uint32_t j = 0; j < o->n_boards; j++)
            if (same_board(&o->boards[j].info, &board->info)) return &o->boards[j];
    return NULL;
}

/* What a user must know of a board that works. */
static const char *remark(const struct rt_backend *b, const struct rt_board *board, bool chosen) {
    if (board->trial != RT_TRIAL_PASSED) return "";
    if (rank(b, board) == RANK_NEVER) return "; taken only when named";
    if (b->table->image_format == GRETA_IMAGE_AMDGPU && !is_tested(board))
        return chosen ? "; the best that works, but its compiled kernels have never run in the tests"
                      : "; its compiled kernels have never run in the tests";
    return chosen ? "; the best that works" : "";
}

static void describe(const struct greta_ctx *ctx, const struct rt_backend *b, const struct rt_board *board,
                     bool chosen, struct greta_probe_entry *e) {
    *e = (struct greta_probe_entry){.info = board->info,
                                    .usable = board->trial == RT_TRIAL_PASSED,
                                    .chosen = chosen,
                                    .i_board = board->i_board};
    const struct rt_board *other = seen_before(ctx, b, board);
    snprintf(e->reason, sizeof e->reason, "%.160s%s", board->reason, remark(b, board, chosen));
    size_t used = strlen(e->reason);
    if (other)
        snprintf(e->reason + used, sizeof e->reason - used, "; the same board as %s:%u", other->info.backend,
                 other->info.i_device);
}

static greta_status probe_locked(struct greta_ctx *ctx, struct greta_probe_entry *entries, uint32_t capacity,
                                 uint32_t *n) {
    struct rt_backend *best_backend = NULL;
    struct rt_board *best = NULL;
    uint32_t n_boards = 0;
    greta_status status = choose(ctx, GRETA_LOG_INFO, &best_backend, &best);
    if (status == GRETA_ERR_NO_MEMORY) return status;
    for (uint32_t i = 0; i < ctx->n_backends; i++) {
        struct rt_backend *b = &ctx->backends[i];
        if (backend_open(ctx, b) == GRETA_ERR_NO_MEMORY) return GRETA_ERR_NO_MEMORY;
        for (uint32_t j = 0; j < b->n_boards; j++, ++*n) {
            struct rt_board *board = &b->boards[j];
            if (try_board(ctx, b, board) == GRETA_ERR_NO_MEMORY) return GRETA_ERR_NO_MEMORY;
            if (board->spare && board != best) {
                board->spare->ops->dev_close(board->spare);
                board->spare = NULL;
            }
            const struct rt_board *other = seen_before(ctx, b, board);
            board->i_board = other ? other->i_board : n_boards++;
            if (*n < capacity) describe(ctx, b, board, board == best, &entries[*n]);
        }
    }
    return GRETA_OK;
}

greta_status greta_ctx_probe(struct greta_ctx *ctx, struct greta_probe_entry *entries, uint32_t capacity,
                             uint32_t *n) {
    if (!n) return GRETA_ERR_INVALID;
    *n = 0;
    if (!ctx || (capacity && !entries)) return GRETA_ERR_INVALID;
    pthread_mutex_lock(&ctx->lock);
    greta_status status = probe_locked(ctx, entries, capacity, n);
    if (status != GRETA_OK) *n = 0;
    pthread_mutex_unlock(&ctx->lock);
    return status;
}
