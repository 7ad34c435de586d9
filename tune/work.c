#include "work.h"

#include <stdlib.h>
#include <string.h>

/* Primes: no tile has as many rows or tokens, so a row that takes another's place shows. */
enum { W_PERIOD = 67, X_PERIOD = 17, MAX_COPIES = 64, PACK_ROWS = 256 };

/* What no last-level cache holds (an MI300X has 256 MiB), and no more than a quarter of the device's memory. */
static uint32_t copies_for(const struct work *w, uint64_t bytes) {
    uint64_t wanted = greta_dev_get_limits(w->dev)->is_cpu ? 96u << 20 : 512u << 20;
    struct greta_mem_info mem;
    if (greta_dev_mem_info(w->dev, &mem) || !mem.free_bytes) mem.free_bytes = wanted;
    if (wanted > mem.free_bytes / 4) wanted = mem.free_bytes / 4;
    uint64_t n = wanted / (bytes ? bytes : 1) + 1;
    return n > MAX_COPIES ? MAX_COPIES : (uint32_t)n;
}

/* Copies of what is written would let calls overlap that in a model wait for each other. */
static uint32_t copies_of(const struct work *w, uint32_t i) {
    return w->info->access[i] == GRETA_READ ? w->n_copies : 1;
}

struct packing {
    const struct work *work;
    uint32_t i_binding;
    uint8_t *out;
    _Atomic bool failed;
};

static void pack_rows(void *user, uint32_t i, unsigned i_thread) {
    struct packing *p = user;
    const struct greta_call *call = &p->work->c.call;
    uint32_t type = kc_weight_type(call, p->i_binding);
    uint64_t n_rows = kc_weight_rows(call, p->i_binding), n_cols = kc_weight_cols(call),
             begin = (uint64_t)i * PACK_ROWS, end = begin + PACK_ROWS < n_rows ? begin + PACK_ROWS : n_rows;
    const uint8_t *rows =
        p->work->data.bytes[p->i_binding] + begin * greta_layout_bytes(GRETA_LAYOUT_ROWS, type, 1, n_cols);
    (void)i_thread;
    if (greta_layout_pack(call->layout, type, n_rows, n_cols, begin, end, rows, p->out)) p->failed = true;
}

/* One binding's bytes as rows read them: weights in the call's layout. NULL where memory is out. */
static uint8_t *image_of(const struct work *w, uint32_t i) {
    const struct greta_call *call = &w->c.call;
    uint64_t n_rows = kc_weight_rows(call, i), size = w->sizes[i], has = w->data.sizes[i];
    uint8_t *out = calloc(1, (size_t)size + 1);
    if (!out) return NULL;
    if (!n_rows) {
        memcpy(out, w->data.bytes[i], (size_t)(has < size ? has : size));
        return out;
    }
    struct packing p = {.work = w, .i_binding = i, .out = out};
    thread_pool_loop(w->pool, (uint32_t)((n_rows + PACK_ROWS - 1) / PACK_ROWS), pack_rows, &p);
    if (!p.failed) return out;
    free(out);
    return NULL;
}

static greta_status binding_write(struct work *w, uint32_t i) {
    uint8_t *image = image_of(w, i);
    greta_status status =
        image ? greta_stream_write(w->stream, w->bufs[i], 0, image, w->sizes[i]) : GRETA_ERR_NO_MEMORY;
    free(image);
    return status;
}

static greta_status binding_make(struct work *w, uint32_t i) {
    uint32_t n = copies_of(w, i);
    greta_status status = greta_buf_create(w->dev, w->sizes[i] * n, GRETA_MEM_DEVICE, &w->bufs[i]);
    if (!status) status = binding_write(w, i);
    for (uint32_t k = 1; !status && k < n; k++)
        status = greta_stream_copy(w->stream, w->bufs[i], k * w->sizes[i], w->bufs[i], 0, w->sizes[i]);
    if (status || w->info->access[i] == GRETA_READ) return status;
    w->read[i] = malloc((size_t)w->sizes[i]);
    return w->read[i] ? GRETA_OK : GRETA_ERR_NO_MEMORY;
}

static void sizes_of(struct work *w) {
    uint64_t read = 0;
    for (uint32_t i = 0; i < w->info->n_bindings; i++) {
        uint64_t size = greta_op_binding_bytes(&w->c.call, i);
        if (size < w->data.sizes[i] && strcmp(w->info->binding_names[i], "table") == 0)
            size = w->data.sizes[i];
        w->sizes[i] = size ? (size + 255) / 256 * 256 : 256; /* off: something must be bound */
        if (w->info->access[i] == GRETA_READ) read += w->sizes[i];
    }
    w->n_copies = copies_for(w, read);
}

greta_status work_make(struct work *w, const struct greta_search_call *call, uint64_t seed) {
    w->info = greta_op_get_info(call->call.op);
    w->c = (struct kc_case){.call = call->call, .w_period = W_PERIOD, .x_period = X_PERIOD};
    memcpy(w->c.step, call->step, sizeof w->c.step);
    memset(w->c.call.bindings, 0, sizeof w->c.call.bindings);
    if (!kc_data_make(&w->data, &w->c, seed)) return GRETA_ERR_NO_MEMORY;
    w->judge = kc_judge_make(&w->c, &w->data, seed);
    sizes_of(w);
    greta_status status = w->judge ? GRETA_OK : GRETA_ERR_NO_MEMORY;
    for (uint32_t i = 0; !status && i < w->info->n_bindings; i++) status = binding_make(w, i);
    return status ? status : greta_stream_wait(w->stream);
}

void work_free(struct work *w) {
    for (int i = 0; i < GRETA_OP_MAX_BINDINGS; i++) {
        greta_buf_destroy(&w->bufs[i]);
        free(w->read[i]);
        w->read[i] = NULL;
    }
    kc_judge_free(&w->judge);
    kc_data_free(&w->data);
}

void work_bind(const struct work *w, uint32_t i, struct greta_call *call) {
    for (uint32_t b = 0; b < w->info->n_bindings; b++)
        call->bindings[b] = (struct greta_binding){
            .buf = w->bufs[b], .offset_bytes = i % copies_of(w, b) * w->sizes[b], .size_bytes = w->sizes[b]};
}

greta_status work_record(void *user, struct greta_stream *stream, uint32_t i) {
    const struct work_run *r = user;
    struct greta_call call = r->work->c.call;
    work_bind(r->work, i, &call);
    if (r->n_tok) call.scalars.u32[0] = r->n_tok;
    return greta_op_record_variant(r->work->plan, stream, r->row, &call);
}

uint32_t work_few(const struct work *w) {
    enum { FEW = 331 };
    const struct greta_call *call = &w->c.call;
    return call->op == GRETA_OP_MATMUL && call->scalars.matmul.n_tok > 2 * FEW ? FEW : 0;
}

greta_status work_check(struct work *w, const struct greta_variant *row, uint32_t n_tok, double *worst) {
    struct work_run run = {w, row, n_tok};
    uint64_t part = n_tok ? (uint64_t)n_tok * w->c.call.scalars.matmul.n_rows * 4 : UINT64_MAX;
    greta_status status = GRETA_OK;
    *worst = 0;
    for (uint32_t i = 0; !status && i < w->info->n_bindings; i++)
        if (w->info->access[i] != GRETA_READ)
            status =
                n_tok ? greta_stream_fill(w->stream, w->bufs[i], 0, part, UINT32_MAX) : binding_write(w, i);
    if (!status) status = work_record(&run, w->stream, 0);
    for (uint32_t i = 0; !status && i < w->info->n_bindings; i++)
        if (w->read[i])
            status = greta_stream_read(w->stream, w->bufs[i], 0, w->read[i],
                                       part < w->sizes[i] ? part : w->sizes[i]);
    return status ? status : kc_judge_result(w->judge, row->operand_eps, n_tok, w->read, worst);
}
