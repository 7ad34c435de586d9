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
    double eps; /* of the reference below; negative: there is none yet */
    struct ref_output outputs[GRETA_OP_MAX_BINDINGS];
    struct verify_gemm *product; /* of a large one, in place of the reference */
};

struct memory {
    struct greta_buf *bufs[GRETA_OP_MAX_BINDINGS];
    uint64_t sizes[GRETA_OP_MAX_BINDINGS]; /* of one copy, rounded up */
    uint32_t n_copies;
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

/* One binding's bytes as the row reads them: weights in its layout. NULL where memory is out. */
static uint8_t *image_of(const struct job *j, const struct greta_call *call, uint32_t i, uint64_t size) {
    uint64_t n_rows = kc_weight_rows(call, i);
    uint8_t *out = calloc(1, (size_t)size + 1);
    if (!out) return NULL;
    if (!n_rows)
        memcpy(out, j->data.bytes[i], (size_t)(j->data.sizes[i] < size ? j->data.sizes[i] : size));
    else if (greta_layout_pack(call->layout, kc_weight_type(call, i), n_rows, kc_weight_cols(call), 0, n_rows,
                               j->data.bytes[i], out)) {
        free(out);
        out = NULL;
    }
    return out;
}

static greta_status binding_make(struct job *j, const struct greta_call *call, uint32_t i, struct memory *m) {
    struct greta_stream *stream = j->env->stream;
    greta_status status =
        greta_buf_create(j->env->dev, m->sizes[i] * m->n_copies, GRETA_MEM_DEVICE, &m->bufs[i]);
    uint8_t *image = status ? NULL : image_of(j, call, i, m->sizes[i]);
    if (!status && !image) status = GRETA_ERR_NO_MEMORY;
    if (!status) status = greta_stream_write(stream, m->bufs[i], 0, image, m->sizes[i]);
    /* What is there once more behind itself, until there is enough. */
    for (uint64_t c = 1, n; !status && c < m->n_copies; c += n) {
        n = c < m->n_copies - c ? c : m->n_copies - c;
        status = greta_stream_copy(stream, m->bufs[i], c * m->sizes[i], m->bufs[i], 0, n * m->sizes[i]);
    }
    free(image);
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
    greta_status status = GRETA_OK;
    for (uint32_t i = 0; !status && i < j->info->n_bindings; i++) status = binding_make(j, call, i, m);
    return status ? status : greta_stream_wait(j->env->stream);
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

static greta_status reference(struct job *j, const struct greta_call *call, double eps) {
    const void *data[GRETA_OP_MAX_BINDINGS];
    if (j->eps == eps) return GRETA_OK;
    ref_free(j->outputs);
    for (int i = 0; i < GRETA_OP_MAX_BINDINGS; i++) data[i] = j->data.bytes[i];
    j->eps = eps;
    return ref_run(call, data, eps, j->outputs);
}

static greta_status compare_all(struct job *j, struct recorder *r, uint8_t **read, double *worst) {
    greta_status status = reference(j, &r->call, r->eps);
    for (uint32_t i = 0; !status && i < j->info->n_bindings; i++) {
        struct ref_verdict v;
        if (j->outputs[i].kind == REF_NOTHING) continue;
        ref_compare(&j->outputs[i], read[i], j->data.bytes[i], &v);
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

/* After one call on the first copy of everything. */
static greta_status check(struct job *j, struct recorder *r, double *worst) {
    uint8_t *read[GRETA_OP_MAX_BINDINGS] = {NULL};
    greta_status status = record(r, j->env->stream, 0);
    for (uint32_t i = 0; !status && i < j->info->n_bindings; i++) {
        if (j->info->access[i] == GRETA_READ) continue;
        read[i] = malloc((size_t)r->memory->sizes[i]);
        status = read[i]
                     ? greta_stream_read(j->env->stream, r->memory->bufs[i], 0, read[i], r->memory->sizes[i])
                     : GRETA_ERR_NO_MEMORY;
    }
    const char *how = check_of(j);
    uint64_t seed = j->env->params.seed;
    bool ok = true;
    *worst = 0;
    if (status)
        ;
    else if (strncmp(how, "freivalds", 9) == 0)
        ok = large_product(j, r, read[2], worst);
    else if (strcmp(how, "256 results") == 0)
        ok = verify_product(&r->call, &j->data, (const float *)(const void *)read[2], r->eps, N_EXACT, seed,
                            worst);
    else
        status = compare_all(j, r, read, worst);
    for (int i = 0; i < GRETA_OP_MAX_BINDINGS; i++) free(read[i]);
    return status ? status : ok ? GRETA_OK : GRETA_ERR_NO_MEMORY;
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
    struct job small = {.env = j->env, .bench = j->bench, .c = &c, .key = j->key, .info = j->info, .eps = -1};
    struct memory m = {.n_copies = 1};
    if (!row || c.call.op != GRETA_OP_GEMM || !j->env->limits->is_cpu ||
        product(&c.call, c.step) <= FULL_REFERENCE / 8)
        return;
    c.call.scalars.gemm = (struct greta_scalars_gemm){SIDE, SIDE, SIDE};
    if (greta_variant_refusal(row, j->env->limits, &c.call)) return;
    bench_work(&c.call, c.step, &small.bytes, &small.flops);
    struct recorder r = {&small, row, NULL, row->operand_eps, c.call, &m};
    r.call.layout = row->layout;
    greta_status status = kc_data_make(&small.data, &c, j->env->params.seed) ? GRETA_OK : GRETA_ERR_NO_MEMORY;
    if (!status) status = memory_make(&small, &r.call, &m);
    uint64_t start = 0, end = 0;
    for (uint32_t i = 0; i < 2 && !status; i++) { /* the first one builds the kernel */
        start = clock_ns();
        status = record(&r, j->env->stream, 0);
        if (!status) status = greta_stream_wait(j->env->stream);
        end = clock_ns();
    }
    if (!status) bench_note_rate(j->env, greta_variant_name(row), small.flops, (double)(end - start));
    memory_free(&m);
    kc_data_free(&small.data);
}

/* A row of NULL is the vendor's library. `choice`: the row that the plan takes; it is the one that results of "auto" are checked as. */
static greta_status run_row(struct job *j, const struct greta_variant *row, bool is_auto) {
    struct memory m = {.n_copies = 1};
    struct recorder r = {j, row, row ? NULL : j->env->vendor, row ? row->operand_eps : 0, j->c->call, &m};
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
    greta_status status = memory_make(j, &r.call, &m);
    if (!status) status = check(j, &r, &result.worst);
    result.check = check_of(j);
    if (!status && result.worst <= 1) {
        struct greta_measure_params p = call_params(j);
        if (is_auto) r.row = NULL;
        status = bench_measure(j->env, record, &r, &p, &result);
    }
    memory_free(&m);
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
    struct job j = {
        .env = env, .bench = bench, .c = c, .key = key, .info = greta_op_get_info(c->call.op), .eps = -1};
    const struct greta_variant *choice = NULL, *v;
    struct greta_call call = c->call;
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
        if (greta_variant_refusal(v, env->limits, &call)) continue;
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
    if (!status && !any) status = bench_skip(env, bench->name, key, "no row of this device serves it");
    kc_data_free(&j.data);
    verify_gemm_free(&j.product);
    ref_free(j.outputs);
    return status;
}
