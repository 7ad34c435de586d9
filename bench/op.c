/* Calls of the kernels' ops: buffers larger than caches, every row measured and its result checked. */
#include "bench.h"
#include "vendor.h"
#include "verify.h"

#include "clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAX_COPIES = 1 << 16, FULL_REFERENCE = 1 << 27 /* products: 512^3 */, N_EXACT = 256 };

struct memory {
    struct greta_buf *bufs[GRETA_OP_MAX_BINDINGS];
    uint64_t sizes[GRETA_OP_MAX_BINDINGS]; /* of one copy, rounded up */
    uint32_t n_copies;
    enum greta_layout layout; /* of the weights in it */
    bool made;
};

/* The reference by rows that round their operands alike. */
struct reference {
    double eps;
    struct ref_output outputs[GRETA_OP_MAX_BINDINGS];
};
enum { MAX_REFERENCES = 4 };

/* Of one call: what all its rows share. */
struct job {
    struct bench_env *env;
    const struct bench *bench;
    const struct kc_case *c;
    const char *key;
    const struct greta_op_info *info;
    double bytes, flops;
    struct kc_data data;
    bool has_data;
    struct memory memory;                 /* what the last row left: the next one takes it */
    uint8_t *read[GRETA_OP_MAX_BINDINGS]; /* what a row left of its outputs */
    struct reference references[MAX_REFERENCES];
    uint32_t n_references;
    struct verify_gemm *product; /* of a large one, in place of the reference */
};

/* ---- what a call costs ---- */

static double product(const struct greta_call *call, const uint32_t step[4]) {
    const union greta_scalars *s = &call->scalars;
    switch (call->op) {
    case GRETA_OP_GEMM: return (double)s->gemm.m * s->gemm.n * s->gemm.k;
    case GRETA_OP_MATVEC: return (double)s->matvec.n_rows * s->matvec.n_cols;
    case GRETA_OP_MATVEC_GLU: return 2.0 * s->matvec_glu.n_rows * s->matvec_glu.n_cols;
    case GRETA_OP_MATVEC_QKV:
        return (double)s->matvec_qkv.n_cols * s->matvec_qkv.head_dim *
               (s->matvec_qkv.n_head + 2.0 * s->matvec_qkv.n_head_kv);
    case GRETA_OP_MATMUL: return (double)s->matmul.n_tok * s->matmul.n_rows * s->matmul.n_cols;
    case GRETA_OP_ATTN:
        return 2.0 * s->attn.n_head * call->keys[1] * s->attn.n_tok * (step[1] + 0.5 * (s->attn.n_tok + 1));
    case GRETA_OP_ATTN_SPLIT: return 2.0 * s->attn_split.n_head * call->keys[1] * (step[1] + 1.0);
    default: return 0;
    }
}

/* The part of binding i that moves: of a table, of caches only some rows. */
static double moved(const struct greta_call *call, uint32_t i, const uint32_t step[4]) {
    const union greta_scalars *s = &call->scalars;
    const char *name = greta_op_get_info(call->op)->binding_names[i];
    bool cache = strcmp(name, "k_cache") == 0 || strcmp(name, "v_cache") == 0,
         read = strcmp(name, "k") == 0 || strcmp(name, "v") == 0;
    if (call->op == GRETA_OP_ROW_LOOKUP && i == 0) return (double)s->row_lookup.n_ids / s->row_lookup.n_rows;
    if (call->op == GRETA_OP_KV_UPDATE && cache) return (double)s->kv_update.n_tok / s->kv_update.n_ctx;
    if (call->op == GRETA_OP_ROPE_KV && cache) return (double)s->rope_kv.n_tok / s->rope_kv.n_ctx;
    if (call->op == GRETA_OP_MATVEC_QKV && cache) return 1.0 / s->matvec_qkv.n_ctx;
    if (call->op == GRETA_OP_ATTN && read) return (double)(step[1] + s->attn.n_tok) / s->attn.n_ctx;
    if (call->op == GRETA_OP_ATTN_SPLIT && read) return (step[1] + 1.0) / s->attn_split.n_ctx;
    return 1;
}

void bench_work(const struct greta_call *call, const uint32_t step[4], double *bytes, double *flops) {
    const struct greta_op_info *info = greta_op_get_info(call->op);
    *bytes = 0;
    *flops = 2 * product(call, step);
    for (uint32_t i = 0; i < info->n_bindings; i++) {
        bool both = info->access[i] == GRETA_READ_WRITE;
        if (call->op == GRETA_OP_MATVEC && both) both = call->keys[2] != 0; /* y, added to or only written */
        *bytes += (double)greta_op_binding_bytes(call, i) * moved(call, i, step) * (both ? 2 : 1);
    }
}

/* ---- memory ---- */

static void memory_free(struct memory *m) {
    for (int i = 0; i < GRETA_OP_MAX_BINDINGS; i++) greta_buf_destroy(&m->bufs[i]);
    m->made = false;
}

/* What no last-level cache holds, and no more than a quarter of the device's memory. */
static uint32_t copies_for(const struct bench_env *env, uint64_t bytes) {
    uint64_t wanted = env->limits->is_cpu ? 96u << 20 : 512u << 20;
    if (env->params.preset <= PRESET_VERIFY && !env->params.own_sizes)
        wanted /= 16; /* a verdict in a minute */
    struct greta_mem_info mem;
    if (bench_counts(env) || env->params.check_only) return 1; /* no cache to miss, and no time to take */
    if (greta_dev_mem_info(env->dev, &mem) || !mem.free_bytes) mem.free_bytes = wanted;
    if (wanted > mem.free_bytes / 4) wanted = mem.free_bytes / 4;
    uint64_t n = wanted / (bytes ? bytes : 1) + 1;
    return n > MAX_COPIES ? MAX_COPIES : (uint32_t)n;
}

struct packing {
    const struct greta_call *call;
    const uint8_t *rows;
    uint32_t i; /* the binding */
    uint64_t n_rows, n_at_once;
    uint8_t *out;
    _Atomic bool failed;
};

static void pack_some(void *user, uint32_t i_part) {
    struct packing *p = user;
    uint32_t type = kc_weight_type(p->call, p->i);
    uint64_t n_cols = kc_weight_cols(p->call), begin = i_part * p->n_at_once, end = begin + p->n_at_once;
    if (end > p->n_rows) end = p->n_rows;
    if (greta_layout_pack(p->call->layout, type, p->n_rows, n_cols, begin, end,
                          p->rows + begin * greta_layout_bytes(GRETA_LAYOUT_ROWS, type, 1, n_cols), p->out))
        p->failed = true;
}

/* A weight in the row's layout, by all threads. NULL where memory is out. */
static uint8_t *image_of(const struct job *j, const struct greta_call *call, uint32_t i, uint64_t size) {
    enum { ELEMENTS = 1 << 18 };
    struct packing p = {.call = call,
                        .rows = j->data.bytes[i],
                        .i = i,
                        .n_rows = kc_weight_rows(call, i),
                        .n_at_once = ELEMENTS / (kc_weight_cols(call) + 1) + 1,
                        .out = calloc(1, (size_t)size + 1)};
    if (!p.out) return NULL;
    ref_loop((uint32_t)((p.n_rows + p.n_at_once - 1) / p.n_at_once), pack_some, &p);
    if (!p.failed) return p.out;
    free(p.out);
    return NULL;
}

/* The first copy of a binding, up to the end of what is rounded up. */
static greta_status write_first(struct job *j, const struct greta_call *call, uint32_t i, struct memory *m) {
    static const uint8_t zeros[256];
    const bool weight = kc_weight_rows(call, i) > 0;
    uint64_t has = weight ? m->sizes[i] : j->data.sizes[i] < m->sizes[i] ? j->data.sizes[i] : m->sizes[i];
    uint8_t *image = weight ? image_of(j, call, i, m->sizes[i]) : NULL;
    if (weight && !image) return GRETA_ERR_NO_MEMORY;
    greta_status status =
        greta_stream_write(j->env->stream, m->bufs[i], 0, weight ? image : j->data.bytes[i], has);
    for (uint64_t n; !status && has < m->sizes[i]; has += n) {
        n = m->sizes[i] - has < sizeof zeros ? m->sizes[i] - has : sizeof zeros;
        status = greta_stream_write(j->env->stream, m->bufs[i], has, zeros, n);
    }
    free(image);
    return status;
}

static greta_status write_all(struct job *j, const struct greta_call *call, uint32_t i, struct memory *m) {
    greta_status status = write_first(j, call, i, m);
    /* What is there once more behind itself, until there is enough. */
    for (uint64_t c = 1, n; !status && c < m->n_copies; c += n) {
        n = c < m->n_copies - c ? c : m->n_copies - c;
        status =
            greta_stream_copy(j->env->stream, m->bufs[i], c * m->sizes[i], m->bufs[i], 0, n * m->sizes[i]);
    }
    return status;
}

static greta_status memory_make(struct job *j, const struct greta_call *call, struct memory *m) {
    uint64_t total = 0;
    for (uint32_t i = 0; i < j->info->n_bindings; i++) {
        uint64_t size = greta_op_binding_bytes(call, i);
        if (size < j->data.sizes[i] && strcmp(j->info->binding_names[i], "table") == 0)
            size = j->data.sizes[i];
        m->sizes[i] = size ? (size + 255) / 256 * 256 : 256;
        total += m->sizes[i];
    }
    m->n_copies = copies_for(j->env, total);
    m->layout = call->layout;
    greta_status status = GRETA_OK;
    for (uint32_t i = 0; !status && i < j->info->n_bindings; i++) {
        status = greta_buf_create(j->env->dev, m->sizes[i] * m->n_copies, GRETA_MEM_DEVICE, &m->bufs[i]);
        if (!status) status = write_all(j, call, i, m);
    }
    if (!status) status = greta_stream_wait(j->env->stream);
    m->made = !status;
    return status;
}

/* Memory that another row has used: what that one wrote must not pass for what this one does. */
static greta_status memory_reset(struct job *j, const struct greta_call *call, struct memory *m) {
    greta_status status = GRETA_OK;
    for (uint32_t i = 0; !status && i < j->info->n_bindings; i++) {
        if (j->info->access[i] == GRETA_WRITE) /* kc_data's bytes of it, too */
            status = greta_stream_fill(j->env->stream, m->bufs[i], 0, m->sizes[i], UINT32_MAX);
        else if (j->info->access[i] == GRETA_READ_WRITE)
            status = write_all(j, call, i, m);
    }
    return status ? status : greta_stream_wait(j->env->stream);
}

/* Operands do not change from row to row: they are written anew for rows of another layout only. */
static greta_status memory_take(struct job *j, const struct greta_call *call) {
    struct memory *m = &j->memory;
    if (m->made && m->layout == call->layout) return memory_reset(j, call, m);
    memory_free(m);
    return memory_make(j, call, m);
}

/* ---- recording ---- */

struct recorder {
    struct job *job;
    const struct greta_variant *row; /* NULL: the plan's choice, or the vendor's library */
    struct bench_vendor *vendor;
    double eps; /* of the row's operands */
    struct greta_call call;
    struct memory *memory;
};

static struct bench_vendor_gemm vendor_gemm(const struct greta_call *call) {
    uint64_t at[3] = {0};
    for (int i = 0; i < 3; i++)
        if (call->bindings[i].buf)
            at[i] = greta_buf_address(call->bindings[i].buf) + call->bindings[i].offset_bytes;
    return (struct bench_vendor_gemm){.type = call->keys[0],
                                      .a_order = call->keys[1],
                                      .b_order = call->keys[2],
                                      .m = call->scalars.gemm.m,
                                      .n = call->scalars.gemm.n,
                                      .k = call->scalars.gemm.k,
                                      .a = at[0],
                                      .b = at[1],
                                      .c = at[2]};
}

static greta_status record(void *user, struct greta_stream *stream, uint32_t k) {
    struct recorder *r = user;
    for (uint32_t i = 0; i < r->job->info->n_bindings; i++)
        r->call.bindings[i] =
            (struct greta_binding){.buf = r->memory->bufs[i],
                                   .offset_bytes = k % r->memory->n_copies * r->memory->sizes[i],
                                   .size_bytes = r->memory->sizes[i]};
    struct greta_call call = r->call;
    if (r->job->env->plant) r->job->env->plant(&call);
    if (r->vendor) {
        const struct bench_vendor_gemm gemm = vendor_gemm(&call);
        return bench_vendor_gemm(r->vendor, stream, &gemm);
    }
    return r->row ? greta_op_record_variant(r->job->env->plan, stream, r->row, &call)
                  : greta_op_record(r->job->env->plan, stream, &call);
}

/* ---- checking ---- */

/* How the results of this call are checked. */
static const char *check_of(const struct job *j) {
    if (product(&j->c->call, j->c->step) <= FULL_REFERENCE) return "reference";
    if (j->c->call.op == GRETA_OP_GEMM) return "freivalds + 256 rows";
    return kc_is_product(j->c->call.op) && j->c->call.op == GRETA_OP_MATVEC ? "256 results" : "reference";
}

/* NULL where memory is out: *status says so. */
static const struct ref_output *reference(struct job *j, const struct greta_call *call, double eps,
                                          greta_status *status) {
    const void *data[GRETA_OP_MAX_BINDINGS];
    struct reference *r = j->references;
    for (uint32_t i = 0; i < j->n_references; i++)
        if (r[i].eps == eps) return r[i].outputs;
    if (j->n_references == MAX_REFERENCES) ref_free(r[--j->n_references].outputs);
    r += j->n_references;
    *r = (struct reference){.eps = eps};
    for (int i = 0; i < GRETA_OP_MAX_BINDINGS; i++) data[i] = j->data.bytes[i];
    *status = ref_run(call, data, eps, r->outputs);
    if (!*status)
        j->n_references++;
    else
        ref_free(r->outputs);
    return *status ? NULL : r->outputs;
}

static greta_status compare_all(struct job *j, struct recorder *r, double *worst) {
    greta_status status = GRETA_OK;
    const struct ref_output *outputs = reference(j, &r->call, r->eps, &status);
    for (uint32_t i = 0; !status && i < j->info->n_bindings; i++) {
        struct ref_verdict v;
        if (outputs[i].kind == REF_NOTHING) continue;
        ref_compare(&outputs[i], j->read[i], j->data.bytes[i], &v);
        if (v.worst > *worst) *worst = v.worst;
        if (v.n_wrong && *worst <= 1) *worst = 2; /* what must be exact was not */
    }
    return status;
}

static bool large_product(struct job *j, const struct recorder *r, const uint8_t *c, double *worst) {
    if (!j->product)
        j->product =
            verify_gemm_make(&r->call, j->data.bytes[0], j->data.bytes[1], N_EXACT, j->env->params.seed);
    if (j->product) *worst = verify_gemm_worst(j->product, &r->call, (const float *)(const void *)c, r->eps);
    return j->product != NULL;
}

static greta_status read_outputs(struct job *j, const struct memory *m) {
    greta_status status = GRETA_OK;
    for (uint32_t i = 0; !status && i < j->info->n_bindings; i++) {
        if (j->info->access[i] == GRETA_READ) continue;
        if (!j->read[i]) j->read[i] = malloc((size_t)m->sizes[i]);
        status = j->read[i] ? greta_stream_read(j->env->stream, m->bufs[i], 0, j->read[i], m->sizes[i])
                            : GRETA_ERR_NO_MEMORY;
    }
    return status;
}

/* After one call on the first copy of everything. */
static greta_status check(struct job *j, struct recorder *r, double *worst) {
    greta_status status = record(r, j->env->stream, 0);
    if (!status) status = read_outputs(j, r->memory);
    const char *how = check_of(j);
    uint64_t seed = j->env->params.seed;
    bool ok = true;
    *worst = 0;
    if (status)
        ;
    else if (strncmp(how, "freivalds", 9) == 0)
        ok = large_product(j, r, j->read[2], worst);
    else if (strcmp(how, "256 results") == 0)
        ok = verify_product(&r->call, &j->data, (const float *)(const void *)j->read[2], r->eps, N_EXACT,
                            seed, worst);
    else
        status = compare_all(j, r, worst);
    return status ? status : ok ? GRETA_OK : GRETA_ERR_NO_MEMORY;
}

static void job_free(struct job *j) {
    memory_free(&j->memory);
    kc_data_free(&j->data);
    verify_gemm_free(&j->product);
    for (uint32_t i = 0; i < j->n_references; i++) ref_free(j->references[i].outputs);
    for (int i = 0; i < GRETA_OP_MAX_BINDINGS; i++) free(j->read[i]);
}

/* ---- one row ---- */

static json_t *shape_of(const struct job *j) {
    json_t *shape = json_object();
    for (uint32_t i = 0; i < j->info->n_scalars; i++)
        if (!j->info->scalar_is_f32[i])
            json_object_set_new(shape, j->info->scalar_names[i], json_integer(j->c->call.scalars.u32[i]));
    for (uint32_t i = 0; i < j->info->n_keys; i++) {
        const struct greta_type_info *t =
            strstr(j->info->key_names[i], "type") ? greta_type_get_info(j->c->call.keys[i]) : NULL;
        json_object_set_new(shape, j->info->key_names[i],
                            t ? json_string(t->name) : json_integer(j->c->call.keys[i]));
    }
    return shape;
}

/* What concerns one row only stops nothing but that row. */
static bool stops_all(greta_status status) {
    return status == GRETA_ERR_DEVICE_LOST || status == GRETA_ERR_NO_MEMORY;
}

/* A preset's products have its numbers of samples and calls; all else as many calls as a millisecond takes. */
static struct greta_measure_params call_params(const struct job *j) {
    static const uint32_t repeats[N_PRESETS][2] = {{3, 5}, {2, 2}, {10, 20}, {10, 50}};
    const struct bench_params *p = &j->env->params;
    bool product_of_preset = j->c->call.op == GRETA_OP_GEMM && !p->own_sizes;
    return product_of_preset ? bench_measure_params(j->env, repeats[p->preset][0], repeats[p->preset][1])
                             : bench_measure_params(j->env, 20, 0);
}

/*
 * A processor may take minutes for the first call of a large product by a plain row: the row's rate is taken from a small one before. Not
 * on a GPU, where a small one says nothing of a large one.
 */
static void probe(const struct job *j, const struct greta_variant *row) {
    enum { SIDE = 128 };
    struct kc_case c = *j->c;
    struct job small = {.env = j->env, .bench = j->bench, .c = &c, .key = j->key, .info = j->info};
    struct memory *m = &small.memory;
    if (!row || c.call.op != GRETA_OP_GEMM || !j->env->limits->is_cpu ||
        product(&c.call, c.step) <= FULL_REFERENCE / 8)
        return;
    c.call.scalars.gemm = (struct greta_scalars_gemm){SIDE, SIDE, SIDE};
    if (greta_variant_refusal(row, j->env->limits, &c.call)) return;
    bench_work(&c.call, c.step, &small.bytes, &small.flops);
    struct recorder r = {&small, row, NULL, row->operand_eps, c.call, m};
    r.call.layout = row->layout;
    greta_status status = kc_data_make(&small.data, &c, j->env->params.seed) ? GRETA_OK : GRETA_ERR_NO_MEMORY;
    if (!status) status = memory_make(&small, &r.call, m);
    uint64_t start = 0, end = 0;
    for (uint32_t i = 0; i < 2 && !status; i++) { /* the first one builds the kernel */
        start = clock_ns();
        status = record(&r, j->env->stream, 0);
        if (!status) status = greta_stream_wait(j->env->stream);
        end = clock_ns();
    }
    if (!status) bench_note_rate(j->env, greta_variant_name(row), small.flops, (double)(end - start));
    job_free(&small);
}

/* A row of NULL is the vendor's library. `choice`: the row that the plan takes; it is the one that results of "auto" are checked as. */
static greta_status run_row(struct job *j, const struct greta_variant *row, bool is_auto) {
    struct recorder r = {j,          row,       row ? NULL : j->env->vendor, row ? row->operand_eps : 0,
                         j->c->call, &j->memory};
    const char *name = row ? greta_variant_name(row) : bench_vendor_name(j->env->dev);
    char key[320], reason[160] = "";
    struct bench_result result = {
        .name = j->bench->name, .key = key, .row = name, .bytes = j->bytes, .flops = j->flops};
    double work = j->flops > 0 ? j->flops : j->bytes, budget = bench_budget_s(j->env) * 1e9;
    double predicted = bench_predict_ns(j->env, result.row, work);
    if (predicted <= 0) {
        probe(j, row);
        predicted = bench_predict_ns(j->env, result.row, work);
    }
    snprintf(key, sizeof key, "%s/%s", j->key, is_auto ? "auto" : result.row);
    if (predicted > budget) {
        result.status = BENCH_SKIPPED;
        result.predicted_ns = predicted;
        result.reason = bench_too_slow(j->env, &result, reason, sizeof reason);
        return bench_add(j->env, &result);
    }
    r.call.layout = row ? row->layout : GRETA_LAYOUT_ROWS;
    if (!j->has_data) j->has_data = kc_data_make(&j->data, j->c, j->env->params.seed);
    if (!j->has_data) return GRETA_ERR_NO_MEMORY;
    greta_status status = memory_take(j, &r.call);
    if (!status) status = check(j, &r, &result.worst);
    result.check = check_of(j);
    if (!status && result.worst <= 1) {
        struct greta_measure_params p = call_params(j);
        if (is_auto) r.row = NULL;
        status = bench_measure(j->env, record, &r, &p, &result);
    }
    if (status || !(result.worst <= 1)) memory_free(&j->memory); /* whatever it did to it */
    if (stops_all(status)) return status;
    bench_note_rate(j->env, name, work, result.took_ns);
    if (status) {
        bool late = status == GRETA_ERR_TIMEOUT && result.predicted_ns > 0;
        snprintf(reason, sizeof reason, "%s", greta_status_text(status));
        if (late) bench_too_slow(j->env, &result, reason, sizeof reason);
        result.status =
            late || status == GRETA_ERR_NO_DEVICE_MEMORY || (!row && status == GRETA_ERR_UNSUPPORTED)
                ? BENCH_SKIPPED
                : BENCH_FAILED;
    } else if (!(result.worst <= 1)) {
        snprintf(reason, sizeof reason, "its result is wrong by %.3g of the bound", result.worst);
        result.status = BENCH_FAILED;
    }
    if (*reason) result.reason = reason;
    result.shape = shape_of(j);
    return bench_add(j->env, &result);
}

/* Whether one of the words begins the name; one that ends with $ is all of it. */
static bool begins(const char *name, const char *words) {
    while (*words) {
        size_t n = strcspn(words, " ");
        bool whole = n && words[n - 1] == '$';
        if (strncmp(name, words, n - whole) == 0 && (!whole || !name[n - 1])) return true;
        words += n + (words[n] == ' ');
    }
    return false;
}

static bool wanted(const struct job *j, const struct greta_variant *v) {
    const char *rows = j->bench->rows, *name = greta_variant_name(v);
    if (rows && !begins(name, rows)) return false;
    return !j->env->params.row || strstr(name, j->env->params.row);
}

/* Of the machine; 0 where it is not known. */
static uint64_t host_bytes(void) {
    long pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGESIZE);
    return pages > 0 && size > 0 ? (uint64_t)pages * (uint64_t)size : 0;
}

static bool vendor_wanted(const struct job *j) {
    const char *asked = j->env->params.row;
    const struct bench_vendor_gemm gemm = vendor_gemm(&j->c->call);
    if (j->bench->rows || (asked && !strstr(bench_vendor_name(j->env->dev), asked))) return false;
    return bench_vendor_serves(j->env->vendor, &gemm);
}

greta_status bench_call(struct bench_env *env, const struct bench *bench, const char *key,
                        const struct kc_case *c) {
    struct job j = {.env = env, .bench = bench, .c = c, .key = key, .info = greta_op_get_info(c->call.op)};
    const struct greta_variant *choice = NULL, *v;
    struct greta_call call = c->call;
    char refused[256] = "";
    bool any = false, only_auto = bench->rows && strcmp(bench->rows, "auto") == 0;
    greta_status status = GRETA_OK;
    bench_work(&call, c->step, &j.bytes, &j.flops);
    uint64_t memory = host_bytes(), total = 0;
    for (uint32_t i = 0; i < j.info->n_bindings; i++) total += greta_op_binding_bytes(&call, i);
    for (uint32_t i = 0; i < j.info->n_bindings; i++)
        if (greta_op_binding_bytes(&call, i) > UINT32_MAX)
            return bench_skip(env, bench->name, key, "a buffer of it would pass 4 GiB");
    if (memory && total > memory / 4)
        return bench_skip(env, bench->name, key,
                          "its data would take more than a quarter of the host's memory");
    for (uint32_t i = 0; !status && !only_auto && (v = greta_variant_at(i)); i++) {
        if (greta_variant_op(v) != call.op ||
            greta_variant_format(v) != greta_dev_get_image_format(env->dev) || !wanted(&j, v))
            continue;
        call.layout = v->layout;
        const char *refusal = greta_variant_refusal(v, env->limits, &call);
        if (refusal)
            snprintf(refused, sizeof refused, "no row of this device serves it (%s: %s)",
                     greta_variant_name(v), refusal);
        if (refusal) continue;
        any = true;
        status = run_row(&j, v, false);
    }
    if (!status && env->vendor && call.op == GRETA_OP_GEMM && vendor_wanted(&j)) {
        any = true;
        status = run_row(&j, NULL, false);
    }
    /* The plan's own choice, where rows were not asked for by name. */
    bool wants_choice = only_auto || (any && !bench->rows && !env->params.row);
    if (wants_choice && kc_weight_rows(&call, 0) &&
        greta_plan_weight_layout(env->plan, kc_weight_type(&call, 0), &call.layout))
        wants_choice = false;
    if (wants_choice && greta_plan_choose(env->plan, &call, &choice)) choice = NULL;
    if (!status && choice) {
        any = true;
        status = run_row(&j, choice, true);
    }
    const bool by_name = bench->rows || env->params.row;
    if (!status && !any)
        status = bench_skip(env, bench->name, key,
                            by_name && *refused ? refused : "no row of this device serves it");
    job_free(&j);
    return status;
}
