/* Times the rows on a device, with device times where the backend has them. */
#include "kc.h"

#include <greta/layout.h>

#include "clock.h"

#include <stdlib.h>
#include <string.h>

enum { N_SAMPLES = 7 };

struct bench {
    struct kc_env *env;
    const char *row, *type;
    bool small; /* a cpu, or a GPU that is one */
    uint32_t n_timed, n_failed;
};

/* Bytes that what a timed loop reads in turn must exceed together, so that no cache holds them. */
static uint64_t copies_bytes(const struct bench *b) {
    return b->small ? 64u << 20 : 512u << 20;
}

struct memory {
    struct greta_buf *bufs[GRETA_OP_MAX_BINDINGS];
    uint64_t bytes[GRETA_OP_MAX_BINDINGS];
    uint32_t n_copies; /* of what is read in turn */
};

static void memory_free(struct memory *m) {
    for (int i = 0; i < GRETA_OP_MAX_BINDINGS; i++) greta_buf_destroy(&m->bufs[i]);
}

/* Weights are real blocks, 64 rows of them over and over; all else is zeros, which no f32 arithmetic minds. */
static greta_status weights_write(const struct bench *b, const struct greta_call *call, struct greta_buf *buf,
                                  uint64_t offset, uint32_t type, uint64_t n_rows) {
    uint64_t n_cols = kc_weight_cols(call),
             row_bytes = greta_layout_bytes(GRETA_LAYOUT_ROWS, type, 1, n_cols);
    uint64_t bytes = greta_layout_bytes(call->layout, type, n_rows, n_cols);
    uint8_t *rows = malloc((size_t)(64 * row_bytes)), *packed = calloc(1, (size_t)bytes + 1);
    struct kc_rng rng = {b->env->seed};
    greta_status status = rows && packed ? GRETA_OK : GRETA_ERR_NO_MEMORY;
    if (!status) kc_fill_weights(&rng, KC_NORMAL, type, 64, n_cols, rows);
    for (uint64_t r = 0; !status && r < n_rows; r += 64) {
        uint64_t end = r + 64 < n_rows ? r + 64 : n_rows;
        status = greta_layout_pack(call->layout, type, n_rows, n_cols, r, end, rows, packed);
    }
    if (!status) status = greta_stream_write(b->env->stream, buf, offset, packed, bytes);
    free(rows);
    free(packed);
    return status;
}

/* Numbers, since a matrix unit draws less power on zeros and then runs faster; 64 Ki of them over and over. */
static greta_status matrix_write(const struct bench *b, const struct greta_call *call, struct greta_buf *buf,
                                 uint64_t bytes) {
    const uint32_t n = 65536, piece = n * greta_type_get_info(call->keys[0])->block_bytes;
    const struct kc_case c = {.call = *call};
    uint8_t *numbers = malloc(piece);
    struct kc_rng rng = {b->env->seed};
    greta_status status = numbers ? GRETA_OK : GRETA_ERR_NO_MEMORY;
    if (!status) kc_fill_gemm(&rng, &c, n, numbers);
    for (uint64_t at = 0; !status && at < bytes; at += piece)
        status =
            greta_stream_write(b->env->stream, buf, at, numbers, bytes - at < piece ? bytes - at : piece);
    free(numbers);
    return status;
}

/* In a step each layer has its own: weights, and caches that attention reads. */
static bool in_turn(const struct greta_call *call, uint32_t i) {
    const char *name = greta_op_get_info(call->op)->binding_names[i];
    bool attention = call->op == GRETA_OP_ATTN || call->op == GRETA_OP_ATTN_SPLIT;
    return kc_weight_rows(call, i) || (attention && (!strcmp(name, "k") || !strcmp(name, "v")));
}

static greta_status memory_make(const struct bench *b, const struct greta_call *call, struct memory *m) {
    const struct greta_op_info *info = greta_op_get_info(call->op);
    greta_status status = GRETA_OK;
    m->n_copies = 1;
    for (uint32_t i = 0; !status && i < info->n_bindings; i++) {
        m->bytes[i] = (greta_op_binding_bytes(call, i) + 255) / 256 * 256;
        if (!m->bytes[i]) m->bytes[i] = 256; /* off */
        if (call->op == GRETA_OP_ROPE && i == 1) m->bytes[i] *= 2;
        uint64_t n_rows = kc_weight_rows(call, i);
        if (in_turn(call, i) && m->n_copies == 1) m->n_copies = (uint32_t)(copies_bytes(b) / m->bytes[i] + 1);
        if (m->n_copies > 32) m->n_copies = 32;
        uint64_t total = m->bytes[i] * (in_turn(call, i) ? m->n_copies : 1);
        status = greta_buf_create(b->env->dev, total, GRETA_MEM_DEVICE, &m->bufs[i]);
        if (!status) status = greta_stream_fill(b->env->stream, m->bufs[i], 0, total, 0);
        if (!status && call->op == GRETA_OP_GEMM && i < 2)
            status = matrix_write(b, call, m->bufs[i], m->bytes[i]);
        for (uint32_t c = 0; !status && n_rows && c < m->n_copies; c++)
            status = weights_write(b, call, m->bufs[i], c * m->bytes[i], kc_weight_type(call, i), n_rows);
    }
    return status;
}

static greta_status step_write(const struct bench *b, const struct greta_call *call, const struct memory *m,
                               const uint32_t step[4]) {
    const struct greta_op_info *info = greta_op_get_info(call->op);
    for (uint32_t i = 0; i < info->n_bindings; i++)
        if (!strcmp(info->binding_names[i], "step"))
            return greta_stream_update(b->env->stream, m->bufs[i], 0, step, 16);
    return GRETA_OK;
}

static greta_status record_n(const struct bench *b, const struct greta_variant *row, struct greta_call *call,
                             const struct memory *m, uint32_t n) {
    const struct greta_op_info *info = greta_op_get_info(call->op);
    greta_status status = GRETA_OK;
    for (uint32_t k = 0; !status && k < n; k++) {
        for (uint32_t i = 0; i < info->n_bindings; i++)
            call->bindings[i] = (struct greta_binding){
                m->bufs[i], in_turn(call, i) ? k % m->n_copies * m->bytes[i] : 0, m->bytes[i], 0};
        status = greta_op_record_variant(b->env->plan, b->env->stream, row, call);
    }
    return status;
}

/* Time of n dispatches: the device's own where it has a clock, else the host's. */
static greta_status time_n(const struct bench *b, const struct greta_variant *row, struct greta_call *call,
                           const struct memory *m, uint32_t n, uint64_t *ns) {
    struct greta_event *from = NULL, *to = NULL;
    greta_status status = greta_event_create(b->env->dev, &from);
    if (!status) status = greta_event_create(b->env->dev, &to);
    uint64_t start = clock_ns();
    if (!status) status = greta_event_record(from, b->env->stream);
    if (!status) status = record_n(b, row, call, m, n);
    if (!status) status = greta_event_record(to, b->env->stream);
    if (!status) status = greta_stream_wait(b->env->stream);
    *ns = clock_ns() - start;
    uint64_t device_ns = 0;
    if (!status && b->env->limits->timestamp_period_ns > 0 && !greta_event_elapsed(from, to, &device_ns) &&
        device_ns)
        *ns = device_ns;
    greta_event_destroy(&from);
    greta_event_destroy(&to);
    return status;
}

static int by_value(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

/* Bytes that the call must move and operations that it must make. */
static void work_of(const struct greta_call *call, const uint32_t step[4], double *bytes, double *flops) {
    const struct greta_op_info *info = greta_op_get_info(call->op);
    const union greta_scalars *s = &call->scalars;
    *bytes = *flops = 0;
    for (uint32_t i = 0; i < info->n_bindings; i++)
        *bytes += (double)greta_op_binding_bytes(call, i) * (info->access[i] == GRETA_READ_WRITE ? 2 : 1);
    /* Of a table or a cache only some rows move. */
    if (call->op == GRETA_OP_ROW_LOOKUP)
        *bytes -= (double)greta_op_binding_bytes(call, 0) *
                  (1 - (double)s->row_lookup.n_ids / s->row_lookup.n_rows);
    if (call->op == GRETA_OP_KV_UPDATE)
        *bytes -= 2.0 * (double)greta_op_binding_bytes(call, 2) *
                  (1 - (double)s->kv_update.n_tok / s->kv_update.n_ctx);
    if (call->op == GRETA_OP_ROPE_KV)
        *bytes -=
            2.0 * (double)greta_op_binding_bytes(call, 8) * (1 - (double)s->rope_kv.n_tok / s->rope_kv.n_ctx);
    if (call->op == GRETA_OP_MATVEC) *flops = 2.0 * s->matvec.n_rows * s->matvec.n_cols;
    if (call->op == GRETA_OP_MATVEC_SPLIT) *flops = 2.0 * s->matvec.n_rows * s->matvec.n_cols;
    if (call->op == GRETA_OP_MATVEC_GLU) *flops = 4.0 * s->matvec_glu.n_rows * s->matvec_glu.n_cols;
    if (call->op == GRETA_OP_MATVEC_QKV) {
        *flops = 2.0 * s->matvec_qkv.n_cols * s->matvec_qkv.head_dim *
                 (s->matvec_qkv.n_head + 2.0 * s->matvec_qkv.n_head_kv);
        *bytes -= 2.0 * (double)greta_op_binding_bytes(call, 9) * (1 - 1.0 / s->matvec_qkv.n_ctx);
    }
    if (call->op == GRETA_OP_GEMM) *flops = 2.0 * s->gemm.m * s->gemm.n * s->gemm.k;
    if (call->op == GRETA_OP_MATMUL) *flops = 2.0 * s->matmul.n_tok * s->matmul.n_rows * s->matmul.n_cols;
    if (call->op == GRETA_OP_ATTN)
        *flops = 4.0 * s->attn.n_head * call->keys[1] * s->attn.n_tok * (step[1] + 0.5 * (s->attn.n_tok + 1));
}

/*
 * A GPU whose clock follows its load falls back while the host writes weights: it gets as many dispatches before the first row of a case
 * as bring the clock up again, and some before each further one. Returns what one dispatch takes.
 */
static greta_status warm_up(const struct bench *b, const struct greta_variant *row, struct greta_call *call,
                            const struct memory *m, bool first, double *one_ns) {
    bool has_clock = b->env->limits->timestamp_period_ns > 0 && !b->small && !b->env->limits->is_emulated;
    uint64_t start = clock_ns(), wanted = !has_clock ? 0 : first ? 250000000 : 50000000, ns = 0;
    greta_status status = time_n(b, row, call, m, m->n_copies, &ns); /* makes the kernel */
    do {
        if (!status) status = time_n(b, row, call, m, m->n_copies, &ns);
    } while (!status && clock_ns() - start < wanted);
    *one_ns = (double)ns / m->n_copies;
    return status;
}

static greta_status time_row(const struct bench *b, const struct greta_variant *row, const struct kc_case *c,
                             const char *text, const struct memory *m, bool first) {
    struct greta_call call = c->call;
    uint64_t ns[N_SAMPLES];
    double bytes, flops, one;
    call.layout = row->layout;
    greta_status status = warm_up(b, row, &call, m, first, &one);
    if (status) return status;
    if (b->env->limits->is_emulated) {
        printf("%-26s %-64s %10.0f waves\n", row->name, text, one);
        return GRETA_OK;
    }
    uint32_t n = (uint32_t)((b->small ? 20e6 : 5e6) / (one + 1)) + 1;
    if (n > 2000) n = 2000;
    int n_samples = one > 1e8 ? 3 : N_SAMPLES;
    for (int i = 0; !status && i < n_samples; i++) status = time_n(b, row, &call, m, n, &ns[i]);
    if (status) return status;
    qsort(ns, (size_t)n_samples, sizeof *ns, by_value);
    double best = (double)ns[0] / n, median = (double)ns[n_samples / 2] / n;
    work_of(&call, c->step, &bytes, &flops);
    printf("%-26s %-64s %10.2f us (median %.2f) %9.1f GB/s %9.1f GFLOP/s\n", row->name, text, best * 1e-3,
           median * 1e-3, bytes / best, flops / best);
    fflush(stdout);
    return GRETA_OK;
}

static bool is_timed(const struct bench *b, const struct greta_variant *row, const struct greta_call *call) {
    return row->op == call->op && row->format == b->env->format &&
           (!b->row || kc_row_matches(b->row, row->name)) &&
           !greta_variant_refusal(row, b->env->limits, call);
}

/* Every row of the case's op, on the same memory where they read the same layout. */
static void time_case(struct bench *b, const struct kc_case *c) {
    struct memory m = {.n_copies = 1};
    struct greta_call call = c->call;
    bool made = false;
    char text[400];
    kc_case_text(c, text, sizeof text);
    for (uint32_t i = 0; i < greta_variant_count(); i++) {
        const struct greta_variant *row = greta_variant_at(i);
        bool first = !made || call.layout != row->layout;
        struct greta_call asked = c->call;
        greta_status status = GRETA_OK;
        asked.layout = row->layout;
        if (!is_timed(b, row, &asked)) continue;
        if (first) {
            memory_free(&m);
            m = (struct memory){.n_copies = 1};
            call.layout = row->layout;
            status = memory_make(b, &call, &m);
            if (!status) status = step_write(b, &call, &m, c->step);
            made = true;
        }
        if (!status) status = time_row(b, row, c, text, &m, first);
        b->n_timed += !status;
        b->n_failed += status != GRETA_OK;
        if (status) printf("%-26s %s: %s\n", row->name, text, greta_status_name(status));
    }
    memory_free(&m);
}

/* ---- shapes: one layer of SmolLM2-135M on a cpu, of Llama-2-7B on a GPU ---- */

static bool wants_type(const struct bench *b, uint32_t type) {
    return !b->type || !strcmp(b->type, greta_type_get_info(type)->name);
}

static void matrices(struct bench *b, enum greta_op op) {
    static const uint32_t small[][2] = {{576, 576}, {1536, 576}, {576, 1536}};
    static const uint32_t large[][2] = {{4096, 4096}, {11008, 4096}, {4096, 11008}, {4096, 14336}};
    static const uint32_t x_types[] = {GRETA_TYPE_F32, GRETA_TYPE_F16, GRETA_TYPE_Q8A};
    for (uint32_t type = 0; type < GRETA_N_WEIGHT_TYPES; type++)
        for (unsigned i = 0; wants_type(b, type) && i < (b->small ? 3u : 4u); i++)
            for (uint32_t x = 0; x < 3; x++)
                for (uint32_t n_tok = b->small ? 128 : 512;; n_tok = 2048) {
                    uint32_t n_rows = b->small ? small[i][0] : large[i][0],
                             n_cols = b->small ? small[i][1] : large[i][1];
                    struct kc_case c = {.call = {.op = op, .keys = {type}}};
                    if (op == GRETA_OP_MATVEC_QKV) c.call.keys[1] = type;
                    c.call.keys[op_find_key(op, "x_type")] = x_types[x];
                    if (greta_type_get_info(type)->block_elements == 256) n_cols = n_cols / 256 * 256;
                    if (op == GRETA_OP_MATVEC_QKV) { /* one layer: its shape does not follow n_rows */
                        uint32_t n_head = b->small ? 9 : 32, n_head_kv = b->small ? 3 : 32;
                        uint32_t head_dim = b->small ? 64 : 128;
                        if (i) break;
                        c.call.keys[3] = GRETA_TYPE_F16;
                        c.call.scalars.matvec_qkv = (struct greta_scalars_matvec_qkv){
                            n_head, n_head_kv, head_dim, head_dim, 2048, n_cols, 1e-5f};
                    } else if (op != GRETA_OP_MATMUL) /* the same scalars */
                        c.call.scalars.matvec = (struct greta_scalars_matvec){n_rows, n_cols};
                    else
                        c.call.scalars.matmul = (struct greta_scalars_matmul){n_tok, n_rows, n_cols};
                    time_case(b, &c);
                    if (op != GRETA_OP_MATMUL || b->small || n_tok == 2048) break;
                }
}

/* Few rows: matvec beside it cut into pieces. */
static void split_matrices(struct bench *b) {
    static const uint32_t types[] = {GRETA_TYPE_F16, GRETA_TYPE_Q8_0, GRETA_TYPE_Q4_K},
                          splits[] = {2, 4, 8, 16};
    static const uint32_t small[][2] = {{16, 1536}, {64, 4096}, {0, 0}};
    static const uint32_t large[][2] = {{64, 4096},   {256, 4096},   {1024, 4096}, {64, 14336},
                                        {256, 14336}, {1024, 14336}, {0, 0}};
    for (unsigned t = 0; t < sizeof types / sizeof *types; t++)
        for (const uint32_t(*s)[2] = b->small ? small : large; wants_type(b, types[t]) && (*s)[0]; s++) {
            struct kc_case c = {.call = {.op = GRETA_OP_MATVEC, .keys = {types[t], GRETA_TYPE_F32}}};
            c.call.scalars.matvec = (struct greta_scalars_matvec){(*s)[0], (*s)[1]};
            time_case(b, &c);
            c.call.op = GRETA_OP_MATVEC_SPLIT;
            for (unsigned i = 0; i < sizeof splits / sizeof *splits; i++) {
                c.call.scalars.matvec_split.n_split = splits[i];
                time_case(b, &c);
            }
        }
}

/* One layer: every query head with keys and values of its own, and on a GPU four that share them besides. */
static void attention(struct bench *b, enum greta_op op) {
    static const uint32_t contexts[] = {256, 1024, 4096, 16384};
    uint32_t n_head = b->small ? 9 : 32, head_dim = b->small ? 64 : 128;
    for (unsigned i = 0; i < (b->small ? 3u : 8u); i++)
        for (uint32_t n_tok = 1; n_tok <= 256; n_tok += 255) {
            uint32_t n_head_kv = b->small ? 3 : i < 4 ? 32 : 8, n_ctx = contexts[i % 4];
            uint32_t n_split = n_ctx / GRETA_ATTN_CHUNK;
            struct kc_case c = {.call = {.op = op, .keys = {GRETA_TYPE_F16, head_dim}}};
            c.step[1] = n_ctx - n_tok;
            c.step[2] = n_ctx;
            if (op == GRETA_OP_ATTN)
                c.call.scalars.attn =
                    (struct greta_scalars_attn){n_tok, n_head, n_head_kv, n_ctx, 0, 0.1f, 0};
            if (op == GRETA_OP_ATTN_SPLIT)
                c.call.scalars.attn_split =
                    (struct greta_scalars_attn_split){n_head, n_head_kv, n_ctx, n_split, 0, 0.1f, 0};
            if (op == GRETA_OP_ATTN_REDUCE) {
                c.call.keys[0] = head_dim;
                c.call.scalars.attn_reduce = (struct greta_scalars_attn_reduce){n_head, n_split};
            }
            time_case(b, &c);
            if (op != GRETA_OP_ATTN) break;
        }
}

/* Both inputs by rows, and the second by columns, as a layer's weights are. */
static void gemms(struct bench *b) {
    static const uint32_t types[] = {GRETA_TYPE_F16, GRETA_TYPE_BF16, GRETA_TYPE_I8, GRETA_TYPE_F32};
    static const uint32_t small[] = {128, 512, 0}, large[] = {512, 1024, 2048, 4096, 0};
    for (unsigned t = 0; t < sizeof types / sizeof *types; t++)
        for (const uint32_t *size = b->small ? small : large; wants_type(b, types[t]) && *size; size++)
            for (uint32_t order = GRETA_ORDER_ROW; order <= GRETA_ORDER_COL; order++) {
                struct kc_case c = {
                    .call = {.op = GRETA_OP_GEMM, .keys = {types[t], GRETA_ORDER_ROW, order}}};
                c.call.scalars.gemm = (struct greta_scalars_gemm){*size, *size, *size};
                time_case(b, &c);
            }
}

static void others(struct bench *b, enum greta_op op) {
    uint32_t dim = b->small ? 576 : 4096, hidden = b->small ? 1536 : 11008, vocab = b->small ? 49152 : 32000;
    uint32_t head_dim = b->small ? 64 : 128;
    for (uint32_t n_tok = 1; n_tok <= 128; n_tok += 127) {
        struct kc_case c = {.call = {.op = op}};
        union greta_scalars *s = &c.call.scalars;
        c.step[2] = n_tok;
        switch (op) {
        case GRETA_OP_ROW_LOOKUP:
            c.call.keys[0] = GRETA_TYPE_Q8_0;
            s->row_lookup = (struct greta_scalars_row_lookup){n_tok, vocab, dim};
            break;
        case GRETA_OP_LAYER_NORM:
        case GRETA_OP_LAYER_RMS_NORM: /* the same scalars */
        case GRETA_OP_RMS_NORM:
        case GRETA_OP_ADD_RMS_NORM_QUANTIZE:
        case GRETA_OP_ADD_RMS_NORM: s->rms_norm = (struct greta_scalars_rms_norm){n_tok, dim, 1e-5f}; break;
        case GRETA_OP_ROPE:
            c.call.keys[0] = 1;
            s->rope = (struct greta_scalars_rope){n_tok, dim / head_dim, head_dim, head_dim};
            break;
        case GRETA_OP_ROPE_KV:
            c.call.keys[1] = GRETA_TYPE_F16;
            s->rope_kv = (struct greta_scalars_rope_kv){n_tok,    dim / head_dim, dim / head_dim, head_dim,
                                                        head_dim, 2048,           1e-5f};
            break;
        case GRETA_OP_KV_UPDATE:
            c.call.keys[0] = GRETA_TYPE_F16;
            s->kv_update = (struct greta_scalars_kv_update){n_tok, dim, 2048};
            break;
        case GRETA_OP_SOFTMAX:
        case GRETA_OP_CAUSAL_MASK:
        case GRETA_OP_ROW_SUM:
        case GRETA_OP_ROW_MAX: /* they begin with the same two scalars */
            s->softmax = (struct greta_scalars_softmax){n_tok, dim, op == GRETA_OP_SOFTMAX ? 1.0f : 0};
            break;
        case GRETA_OP_ARGMAX: s->argmax = (struct greta_scalars_argmax){1, vocab}; break;
        case GRETA_OP_TOP_K: s->top_k = (struct greta_scalars_top_k){1, vocab, 40}; break;
        case GRETA_OP_QUANTIZE: s->quantize = (struct greta_scalars_quantize){n_tok, dim}; break;
        case GRETA_OP_BIAS_ADD: s->bias_add = (struct greta_scalars_bias_add){n_tok, dim}; break;
        case GRETA_OP_UNPACK:
            c.call.keys[0] = GRETA_TYPE_Q4_K;
            s->unpack = (struct greta_scalars_unpack){hidden, dim / 256 * 256};
            break;
        case GRETA_OP_CAST:
            c.call.keys[1] = GRETA_TYPE_F16;
            s->cast.n = n_tok * hidden;
            break;
        default: s->u32[0] = n_tok * hidden; break;
        }
        time_case(b, &c);
        if (op == GRETA_OP_ARGMAX || op == GRETA_OP_TOP_K) break;
    }
}

int kc_bench(struct kc_env *env, const char *op, const char *row, const char *type) {
    struct bench b = {.env = env, .row = row, .type = type, .small = env->limits->is_cpu};
    for (int i = 0; i < GRETA_N_OPS; i++) {
        enum greta_op o = (enum greta_op)i;
        if (op && strcmp(op, greta_op_get_info(o)->name)) continue;
        if (o == GRETA_OP_MATVEC_SPLIT)
            split_matrices(&b);
        else if (kc_is_product(o))
            matrices(&b, o);
        else if (o == GRETA_OP_ATTN || o == GRETA_OP_ATTN_SPLIT || o == GRETA_OP_ATTN_REDUCE)
            attention(&b, o);
        else if (o == GRETA_OP_GEMM)
            gemms(&b);
        else
            others(&b, o);
    }
    if (!b.n_timed && !b.n_failed) printf("FAIL: no row of this device serves what was asked for\n");
    return b.n_failed || !b.n_timed;
}
