/* What a session will be: its sizes, and how fast its device is taken to be. */
#include "step.h"

#include <greta/layout.h>

#include <inttypes.h>
#include <math.h>

static uint32_t least(uint32_t a, uint32_t b) {
    return a < b ? a : b;
}

/*
 * A driver's watchdog resets a queue whose submit runs for seconds (amdgpu: 10 s, 2 s on some; users of
 * APUs meet it at long contexts). The rates are far below what such a device does, since a slow kernel
 * must not reach the limit either. The host has no watchdog, nor has a CPU behind Vulkan: that one is
 * split often, so that it is tried where there is no GPU.
 */
static struct pace pace_of(const struct greta_model *m) {
    if (weights_are_mapped(m)) return (struct pace){0};
    switch (greta_dev_get_info(m->dev)->type) {
    case GRETA_DEV_DISCRETE:
        return (struct pace){.bytes_per_s = 100e9, .flops_per_s = 4e12, .budget_s = 0.5, .dispatch_s = 0.5};
    case GRETA_DEV_CPU:
        return (struct pace){.bytes_per_s = 1e9, .flops_per_s = 1e9, .budget_s = 0.02, .dispatch_s = 60};
    default:
        return (struct pace){.bytes_per_s = 20e9, .flops_per_s = 0.2e12, .budget_s = 0.2, .dispatch_s = 0.2};
    }
}

static uint32_t widest(const struct hparams *hp) {
    uint32_t n_q = hp->n_head * hp->head_dim, n = hp->n_embd > n_q ? hp->n_embd : n_q;
    return n > hp->n_ff ? n : hp->n_ff;
}

static uint32_t chunk_of(const struct greta_model *m, const struct greta_session_params *params,
                         uint32_t n_ctx) {
    const struct greta_limits *limits = greta_dev_get_limits(m->dev);
    uint32_t chunk = params->n_chunk, width = widest(&m->hp);
    uint64_t row_bytes, most;

    if (!chunk) {
        chunk = 512;
        if (weights_are_mapped(m))
            chunk = 256;
        else if (limits->n_compute_units >= 64)
            chunk = 2048;
    }
    if (width < m->max_part_rows) width = m->max_part_rows;
    row_bytes = (uint64_t)width * 4 + greta_activation_row_bytes(GRETA_TYPE_Q8A, width);
    most = limits->max_buf_bytes ? limits->max_buf_bytes / row_bytes : chunk;
    if (most > UINT32_MAX / width) most = UINT32_MAX / width; /* ops count elements in 32 bits */
    if (chunk > most) chunk = (uint32_t)most;
    chunk = least(chunk, n_ctx);
    return chunk ? chunk : 1;
}

static uint64_t pieces_bytes(const struct greta_model *m, const struct weight *w, uint32_t n_tok) {
    uint64_t most = 0;

    for (uint32_t p = 0; p < w->n_parts; p++) {
        struct greta_call call = {
            .op = GRETA_OP_MATVEC,
            .keys = {w->type, greta_plan_x_type(m->plan, w->type, n_tok, w->n_rows, w->n_cols)},
            .scalars.matvec = {w->parts[p].n_rows, w->n_cols},
            .layout = w->layout};
        uint64_t bytes = forward_pieces_bytes(m, &call);
        if (bytes > most) most = bytes;
    }
    return most;
}

/* The most that a layer's matrices want, each by `bytes_of_one`. */
static uint64_t most_of_layers(const struct greta_model *m, uint32_t n_tok,
                               uint64_t (*bytes_of_one)(const struct greta_model *m, const struct weight *w,
                                                        uint32_t n_tok)) {
    uint64_t most = 0;

    for (uint32_t i = 0; i < m->hp.n_layer; i++) {
        const struct layer *l = &m->layers[i];
        const struct weight *const weights[] = {&l->q, &l->k, &l->v, &l->o, &l->gate, &l->up, &l->down};
        for (unsigned k = 0; k < sizeof weights / sizeof *weights; k++) {
            uint64_t bytes = bytes_of_one(m, weights[k], n_tok);
            if (bytes > most) most = bytes;
        }
    }
    return most;
}

/* The most that a product of one token wants. */
static uint64_t largest_pieces(const struct greta_model *m) {
    uint64_t of_output = pieces_bytes(m, &m->output, 1), of_layers = most_of_layers(m, 1, pieces_bytes);
    return of_output > of_layers ? of_output : of_layers;
}

/* Kernels address a binding by 32 bits. */
static uint64_t largest_buffer(const struct greta_model *m) {
    uint64_t limit = greta_dev_get_limits(m->dev)->max_buf_bytes;
    return limit && limit < UINT32_MAX ? limit : UINT32_MAX;
}

static void sizes_of(const struct greta_model *m, const struct greta_session *s, struct session_sizes *out) {
    const struct hparams *hp = &m->hp;
    uint64_t *scratch = out->scratch, n = s->n_chunk, n_q = (uint64_t)hp->n_head * hp->head_dim;
    uint64_t n_kv = (uint64_t)hp->n_head_kv * hp->head_dim,
             n_split = (s->n_ctx + GRETA_ATTN_CHUNK - 1) / GRETA_ATTN_CHUNK;

    scratch[S_X] = scratch[S_XN] = scratch[S_R] = n * hp->n_embd * 4;
    scratch[S_X8] = n * greta_activation_row_bytes(GRETA_TYPE_Q8A, widest(hp));
    /* f16 behind it: rows of matrix units may read that. */
    if (greta_dev_get_limits(m->dev)->n_matrix_ops) scratch[S_X8] += 256 + n * widest(hp) * 2;
    scratch[S_Q] = scratch[S_ATT] = n * n_q * 4;
    scratch[S_K] = scratch[S_V] = n * n_kv * 4;
    scratch[S_GATE] = scratch[S_UP] = scratch[S_ACT] = n * hp->n_ff * 4;
    scratch[S_PART] = n * m->max_part_rows * 4;
    scratch[S_IDS] = n * m->embd.n_parts * 4;
    scratch[S_PARTIALS] = s->split_attn ? hp->n_head * n_split * (2 + hp->head_dim) * 4 : 0;
    scratch[S_PIECES] = N_PIECES * largest_pieces(m);
    scratch[S_COUNTERS] = scratch[S_PIECES]; /* more than rows: a row has two pieces or more */
    scratch[S_UNPACKED] = N_UNPACKED * most_of_layers(m, s->n_chunk, forward_unpacked_bytes);
    if (scratch[S_UNPACKED] > largest_buffer(m)) scratch[S_UNPACKED] = 0; /* then products decode */
    scratch[S_LOGITS] = (uint64_t)hp->n_vocab * 4;
    scratch[S_BEST] = 4;
    scratch[S_STEP] = sizeof(struct step_block);
    scratch[S_ROPE] = (uint64_t)s->n_ctx * (hp->n_rot / 2) * 8;
    out->readback = (uint64_t)hp->n_vocab * 4;
    /* a multiple of 4, for the fill */
    out->kv = ((uint64_t)s->n_ctx * GRETA_KV_ROW_BYTES(s->kv_type, n_kv) + 3) / 4 * 4;
}

/* Every buffer must fit into one of the device's. */
static greta_status check_sizes(const struct greta_model *m, const struct greta_session *s,
                                const struct session_sizes *sizes) {
    uint64_t most = sizes->kv, limit = largest_buffer(m);

    for (int i = 0; i < S_COUNT; i++)
        if (sizes->scratch[i] > most) most = sizes->scratch[i];
    if (most <= limit) return GRETA_OK;
    return greta_fail(m->log, GRETA_ERR_INVALID,
                      "a context of %u tokens needs a buffer of %" PRIu64
                      " bytes; this device's largest has %" PRIu64 ": use a smaller --ctx",
                      s->n_ctx, most, limit);
}

/* A driver that runs shaders on the CPU bounds their loops, and so the context. */
static greta_status check_attention(const struct greta_model *m, const struct greta_session *s) {
    struct greta_call call = {
        .op = GRETA_OP_ATTN,
        .keys = {s->kv_type, m->hp.head_dim},
        .scalars.attn = {1, m->hp.n_head, m->hp.n_head_kv, s->n_ctx, 0, m->hp.attn_scale, 0},
    };

    for (uint32_t i = 0; i < greta_variant_count(); i++) {
        const struct greta_variant *v = greta_variant_at(i);
        if (greta_variant_op(v) == GRETA_OP_ATTN &&
            greta_variant_format(v) == greta_dev_get_image_format(m->dev) &&
            !greta_variant_refusal(v, greta_dev_get_limits(m->dev), &call))
            return GRETA_OK;
    }
    return greta_fail(
        m->log, GRETA_ERR_UNSUPPORTED,
        "%s has no kernel for attention with a context of %u tokens, heads of %u elements and keys and "
        "values in %s: use a smaller --ctx or another device (-d cpu)",
        greta_dev_get_info(m->dev)->name, s->n_ctx, m->hp.head_dim, greta_type_get_info(s->kv_type)->name);
}

greta_status session_plan(const struct greta_model *m, const struct greta_session_params *params,
                          struct greta_session *s, struct session_sizes *sizes) {
    static const struct greta_session_params no_params;
    greta_status status;

    if (!params) params = &no_params;
    *sizes = (struct session_sizes){0};
    s->n_ctx = params->n_ctx ? params->n_ctx : least(m->hp.n_ctx_train, 4096);
    if (s->n_ctx > 1u << 24)
        return greta_fail(m->log, GRETA_ERR_INVALID, "a context of %u tokens is too large; at most %u",
                          s->n_ctx, 1u << 24);
    s->kv_type = params->kv_type == GRETA_KV_F32    ? GRETA_TYPE_F32
                 : params->kv_type == GRETA_KV_Q8_0 ? GRETA_TYPE_Q8_0
                                                    : GRETA_TYPE_F16;
    if (s->kv_type == GRETA_TYPE_Q8_0 && m->hp.head_dim % 32)
        return greta_fail(
            m->log, GRETA_ERR_INVALID,
            "keys and values in 8 bits need heads of a multiple of 32; this model's have %u: use --kv f16",
            m->hp.head_dim);
    status = check_attention(m, s);
    if (status) return status;
    s->n_chunk = chunk_of(m, params, s->n_ctx);
    s->split_attn = greta_plan_split_attn(m->plan, m->hp.head_dim, s->n_ctx);
    s->pace = pace_of(m);
    s->progress = params->progress;
    s->user = params->user;
    sizes_of(m, s, sizes);
    return check_sizes(m, s, sizes);
}

static uint64_t sum(const struct greta_model *m, const struct session_sizes *sizes) {
    uint64_t bytes = sizes->kv * 2 * m->hp.n_layer + sizes->readback;
    for (int i = 0; i < S_COUNT; i++) bytes += sizes->scratch[i];
    return bytes;
}

uint64_t greta_model_session_bytes(const struct greta_model *model,
                                   const struct greta_session_params *params) {
    struct greta_session s = {0};
    struct session_sizes sizes;

    return session_plan(model, params, &s, &sizes) ? 0 : sum(model, &sizes);
}
