#include "internal.h"

#include <greta/env.h>

#include <stdlib.h>
#include <string.h>

/* A switch that has one value; "" and "0" are off. Another word is most likely a slip: it is said. */
static bool env_is(enum greta_env env, const char *value, const struct greta_log *log) {
    const char *is = greta_env_get(env);
    if (!is || !*is || strcmp(is, "0") == 0) return false;
    if (strcmp(is, value) == 0) return true;
    greta_logf(log, GRETA_LOG_WARN, "%s is \"%s\", which means nothing: only %s does", greta_env_name(env),
               is, value);
    return false;
}

greta_status greta_ctx_create(const struct greta_ctx_params *params, struct greta_ctx **out) {
    static const struct greta_ctx_params nothing;
    if (!out) return GRETA_ERR_INVALID;
    *out = NULL;
    if (!params) params = &nothing;
    struct greta_ctx *ctx = calloc(1, sizeof *ctx);
    if (!ctx || rt_env_cache_dir(params->cache_dir, &ctx->cache_dir) != GRETA_OK) {
        free(ctx);
        return greta_fail(params->log, GRETA_ERR_NO_MEMORY, "context: out of memory");
    }
    ctx->log = params->log;
    ctx->telemetry = params->telemetry && params->telemetry->record ? params->telemetry : NULL;
    ctx->n_threads = params->n_threads;
    ctx->validation = params->validation || env_is(GRETA_ENV_VALIDATION, "1", ctx->log);
    ctx->barrier_always = params->barrier_always || env_is(GRETA_ENV_BARRIER, "always", ctx->log);
    atomic_init(&ctx->refs, 1);
    pthread_mutex_init(&ctx->lock, NULL);
    for (uint32_t i = 0; hal_backends[i] && i < RT_MAX_BACKENDS; i++)
        ctx->backends[ctx->n_backends++].table = hal_backends[i];
    *out = ctx;
    return GRETA_OK;
}

static void backend_close(struct rt_backend *b) {
    for (uint32_t i = 0; i < b->n_boards; i++)
        if (b->boards[i].spare) b->boards[i].spare->ops->dev_close(b->boards[i].spare);
    free(b->boards);
    if (b->instance) b->table->close(b->instance);
}

void rt_ctx_unref(struct greta_ctx *ctx) {
    if (atomic_fetch_sub(&ctx->refs, 1) != 1) return;
    for (uint32_t i = 0; i < ctx->n_backends; i++) backend_close(&ctx->backends[i]);
    pthread_mutex_destroy(&ctx->lock);
    free(ctx->cache_dir);
    free(ctx);
}

void greta_ctx_destroy(struct greta_ctx **ctx) {
    struct greta_ctx *c = ctx ? *ctx : NULL;
    if (!c) return;
    *ctx = NULL;
    rt_ctx_unref(c);
}
