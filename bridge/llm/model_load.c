/* From a file to a loaded model: its keys and tensors, the plan, the weights on the device, the tokenizer. */
#include "keys.h"
#include "session.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const double mib = 1024.0 * 1024.0;

/* Whether pages of files of so many bytes would be in the way: more than a quarter of the memory that is left. */
static bool crowds(const struct greta_model *m, uint64_t bytes) {
    struct greta_mem_info mem;
    return greta_dev_mem_info(m->dev, &mem) || !mem.free_bytes || bytes > mem.free_bytes / 4;
}

/*
 * Closes the file. Where host and device share one memory, and little of it is left, gives back what the page cache
 * holds of the file; else the cache makes the next start faster. The kernel drops only pages that nobody maps, so the
 * files are opened before, dropped after.
 */
static void close_file(struct greta_model *m) {
    int fds[256];
    uint32_t n = 0;
    uint64_t bytes = 0;
    bool drop;

    if (greta_dev_get_limits(m->dev)->unified)
        for (; n < sizeof fds / sizeof *fds && greta_gguf_file_path(m->gguf, n); n++)
            fds[n] = open(greta_gguf_file_path(m->gguf, n), O_RDONLY | O_CLOEXEC);
    greta_gguf_close(&m->gguf);
    for (uint32_t i = 0; i < n; i++) {
        struct stat st;
        if (fds[i] >= 0 && fstat(fds[i], &st) == 0) bytes += (uint64_t)st.st_size;
    }
    drop = n && crowds(m, bytes);
    for (uint32_t i = 0; i < n; i++) {
        if (fds[i] < 0) continue;
        if (drop) (void)posix_fadvise(fds[i], 0, 0, POSIX_FADV_DONTNEED);
        close(fds[i]);
    }
}

static greta_status check_memory(const struct greta_model *m, const struct greta_session_params *expect) {
    uint64_t weights = weights_device_bytes(m), session = expect ? greta_model_session_bytes(m, expect) : 0;
    struct greta_mem_info mem;
    greta_status status;

    if (expect && !session) return GRETA_ERR_INVALID; /* said why */
    status = greta_dev_mem_info(m->dev, &mem);
    if (status || !mem.free_bytes || weights + session <= mem.free_bytes) return status;
    if (weights <= mem.free_bytes)
        return greta_fail(m->log, GRETA_ERR_NO_DEVICE_MEMORY,
                          "%s: the model and its context need %.0f MiB, of which the context %.0f MiB, and "
                          "%s has %.0f MiB free: use a smaller --ctx",
                          greta_gguf_path(m->gguf), (double)(weights + session) / mib, (double)session / mib,
                          greta_dev_get_info(m->dev)->name, (double)mem.free_bytes / mib);
    return greta_fail(
        m->log, GRETA_ERR_NO_DEVICE_MEMORY,
        "%s: the model needs %.0f MiB, and %s has %.0f MiB free: use a smaller model or another device",
        greta_gguf_path(m->gguf), (double)(weights + session) / mib, greta_dev_get_info(m->dev)->name,
        (double)mem.free_bytes / mib);
}

static greta_status load_tokenizer(struct greta_model *m) {
    struct greta_gguf_string s;
    greta_status status;

    if (greta_gguf_get_string(m->gguf, "tokenizer.chat_template", &s)) {
        m->chat_template = arena_strndup(&m->arena, s.data, s.len);
        if (!m->chat_template)
            return greta_fail(m->log, GRETA_ERR_NO_MEMORY, "%s: no memory for the model",
                              greta_gguf_path(m->gguf));
    }
    if (!greta_gguf_get_string(m->gguf, "tokenizer.ggml.model", &s) ||
        (s.len == 8 && memcmp(s.data, "no_vocab", 8) == 0))
        return GRETA_OK; /* a model without one can be benched, and take ids */
    status = greta_tokenizer_create(m->gguf, m->log, &m->tokenizer);
    if (!status && greta_tokenizer_n_tokens(m->tokenizer) > m->hp.n_vocab)
        return greta_fail(m->log, GRETA_ERR_FORMAT,
                          "%s: the tokenizer has %u tokens, the embedding only %u rows",
                          greta_gguf_path(m->gguf), greta_tokenizer_n_tokens(m->tokenizer), m->hp.n_vocab);
    return status;
}

/* "Q4_K, F32": the types of the matrices by their share of the bytes. */
static void describe_types(struct greta_model *m) {
    uint64_t bytes[32] = {0};
    size_t len = 0;

    for (uint32_t i = 0; i < m->n_sources; i++) {
        const struct source *source = &m->sources[i];
        uint32_t type = greta_type_from_ggml(source->tensor->ggml_type)->type;
        if (source->matrix) bytes[type % 32] += weights_file_bytes(source);
    }
    for (;;) {
        uint32_t most = 0;
        for (uint32_t t = 1; t < 32; t++)
            if (bytes[t] > bytes[most]) most = t;
        if (!bytes[most] || len + 16 > sizeof m->info.weight_types) return;
        bytes[most] = 0;
        len += (size_t)snprintf(m->info.weight_types + len, sizeof m->info.weight_types - len, "%s%s",
                                len ? ", " : "", greta_type_get_info(most)->name);
    }
}

/* Which types of activations the plan asks for. */
static void describe_x_types(const struct greta_model *m, uint32_t n_tok, char out[32]) {
    bool f32 = false, f16 = false, q8a = false;

    for (uint32_t i = 0; i < m->n_sources; i++) {
        const struct weight *w = m->sources[i].matrix;
        if (!w || (w == &m->embd && m->output.parts != m->embd.parts)) continue; /* only looked up */
        uint32_t type = greta_plan_x_type(m->plan, w->type, n_tok, w->n_rows, w->n_cols);
        f32 |= type == GRETA_TYPE_F32;
        f16 |= type == GRETA_TYPE_F16;
        q8a |= type == GRETA_TYPE_Q8A;
    }
    snprintf(out, 32, "%s%s%s%s%s", f32 ? "F32" : "", f32 && f16 ? ", " : "", f16 ? "F16" : "",
             (f32 || f16) && q8a ? ", " : "", q8a ? "Q8A" : "");
}

static void describe(struct greta_model *m) {
    const struct hparams *hp = &m->hp;
    struct greta_model_info *info = &m->info;
    struct greta_gguf_string s;

    if (greta_gguf_get_string(m->gguf, "general.name", &s))
        snprintf(info->name, sizeof info->name, "%.*s", (int)(s.len > 120 ? 120 : s.len), s.data);
    info->n_vocab = hp->n_vocab, info->n_embd = hp->n_embd, info->n_layer = hp->n_layer;
    info->n_head = hp->n_head, info->n_head_kv = hp->n_head_kv, info->head_dim = hp->head_dim;
    info->n_ff = hp->n_ff, info->n_rot = hp->n_rot, info->n_ctx_train = hp->n_ctx_train;
    info->rms_eps = hp->rms_eps;
    info->tied_output = m->output.parts == m->embd.parts;
    info->step_bytes = info->weights_bytes;
    for (uint32_t p = 0; p < m->embd.n_parts && !info->tied_output; p++)
        info->step_bytes -= m->embd.parts[p].size_bytes;
    describe_types(m);
    describe_x_types(m, 1, info->decode_x_types);
    describe_x_types(m, 512, info->prefill_x_types);
}

/* The model of an open file, which it takes over. */
static greta_status load(struct greta_model *m, const struct greta_model_params *params) {
    struct greta_plan_params plan_params = {.policy = params->policy,
                                            .force = params->force,
                                            .tuned = params->tuned,
                                            .tuned_user = params->tuned_user};
    struct keys keys = {.gguf = m->gguf, .log = m->log};
    greta_status status = hparams_read(&keys, &m->hp);

    m->arch = keys.arch;
    if (!status) status = rope_read(&keys, &m->hp, &m->rope);
    if (!status) status = tensors_find(m);
    if (!status) status = greta_plan_create(m->dev, &plan_params, &m->plan);
    if (!status) status = weights_place(m);
    if (status) return status;
    if (m->embd.n_parts > LLM_MAX_EMBD_PARTS)
        return greta_fail(m->log, GRETA_ERR_UNSUPPORTED,
                          "%s: the token embedding would need %u buffers of this device; %d are supported",
                          greta_gguf_path(m->gguf), m->embd.n_parts, LLM_MAX_EMBD_PARTS);
    if (!m->output.parts) m->output = m->embd;
    describe(m);
    status = check_memory(m, params->expect);
    if (!status) status = weights_load(m, params, params->without_tokenizer ? NULL : load_tokenizer);
    if (status || weights_are_mapped(m)) return status;
    close_file(m);
    return GRETA_OK;
}

static greta_status create(struct greta_dev *dev, struct greta_gguf *gguf,
                           const struct greta_model_params *params, struct greta_model **out) {
    static const struct greta_model_params no_params;
    struct greta_model *m = calloc(1, sizeof *m);
    greta_status status;

    if (!m) {
        greta_gguf_close(&gguf);
        return greta_fail(greta_dev_get_log(dev), GRETA_ERR_NO_MEMORY, "no memory for a model");
    }
    m->dev = dev;
    m->log = greta_dev_get_log(dev);
    m->gguf = gguf;
    status = load(m, params ? params : &no_params);
    if (status) {
        greta_model_destroy(&m);
        return status;
    }
    *out = m;
    return GRETA_OK;
}

greta_status greta_model_load(struct greta_dev *dev, const char *path,
                              const struct greta_model_params *params, struct greta_model **out) {
    struct greta_gguf *gguf;
    greta_status status;

    *out = NULL;
    status = greta_gguf_open(path, greta_dev_get_log(dev), &gguf);
    return status ? status : create(dev, gguf, params, out);
}

greta_status greta_model_load_memory(struct greta_dev *dev, const void *data, size_t size_bytes,
                                     const char *name, const struct greta_model_params *params,
                                     struct greta_model **out) {
    struct greta_gguf *gguf;
    greta_status status;

    *out = NULL;
    status = greta_gguf_open_memory(data, size_bytes, name, greta_dev_get_log(dev), &gguf);
    return status ? status : create(dev, gguf, params, out);
}
