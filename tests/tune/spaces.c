/*
 * Every set of constants of every row that a device admits for some small calls gives a right result: spaces [DEVICE [EVERY]], EVERY: one set in so many. The conditions of rows
 * must refuse those that do not: the tuner would find them out, and a user would read of it.
 */
#include "check.h"

#include "work.h"

#include <stdlib.h>
#include <string.h>

static struct greta_dev *dev;
static struct greta_plan *plan;
static struct greta_stream *stream;
static struct thread_pool *pool;
static uint32_t every = 1;

static const struct greta_search_call calls[] = {
    {.call = {.op = GRETA_OP_MATVEC,
              .keys = {GRETA_TYPE_Q4_K, GRETA_TYPE_F32, 1},
              .scalars.matvec = {67, 2048}}},
    {.call = {.op = GRETA_OP_MATVEC, .keys = {GRETA_TYPE_F16, GRETA_TYPE_F32}, .scalars.matvec = {33, 4096}}},
    {.call = {.op = GRETA_OP_MATVEC,
              .keys = {GRETA_TYPE_Q8_0, GRETA_TYPE_Q8A},
              .scalars.matvec = {67, 1024}}},
    {.call = {.op = GRETA_OP_MATVEC_GLU,
              .keys = {GRETA_TYPE_Q6_K, GRETA_TYPE_F32, 0, 1},
              .scalars.matvec_glu = {35, 2048, 1e-5f}}},
    {.call = {.op = GRETA_OP_MATVEC_QKV,
              .keys = {GRETA_TYPE_Q4_0, GRETA_TYPE_Q4_0, GRETA_TYPE_F32, GRETA_TYPE_F16},
              .scalars.matvec_qkv = {4, 2, 64, 64, 16, 2048, 1e-5f}},
     .step = {0, 7, 8, 0}},
    {.call = {.op = GRETA_OP_MATMUL,
              .keys = {GRETA_TYPE_Q4_0, GRETA_TYPE_F32},
              .scalars.matmul = {67, 132, 192}}},
    {.call = {.op = GRETA_OP_MATMUL,
              .keys = {GRETA_TYPE_F16, GRETA_TYPE_F16},
              .scalars.matmul = {131, 260, 128}}},
    {.call = {.op = GRETA_OP_GEMM,
              .keys = {GRETA_TYPE_F16, GRETA_ORDER_ROW, GRETA_ORDER_COL},
              .scalars.gemm = {70, 68, 192}}},
    {.call = {.op = GRETA_OP_ATTN,
              .keys = {GRETA_TYPE_F16, 64},
              .scalars.attn = {70, 8, 2, 96, 0, 0.125f, 0}},
     .step = {0, 20, 90, 0}},
    {.call = {.op = GRETA_OP_ATTN,
              .keys = {GRETA_TYPE_F16, 64},
              .scalars.attn = {1, 8, 2, 200, 0, 0.125f, 0}},
     .step = {0, 150, 151, 0}},
    {.call = {.op = GRETA_OP_ATTN_SPLIT,
              .keys = {GRETA_TYPE_Q8_0, 128},
              .scalars.attn_split = {12, 4, 768, 3, 0, 0.1f, 0}},
     .step = {0, 600, 601, 0}},
    {.call = {.op = GRETA_OP_ATTN_SPLIT,
              .keys = {GRETA_TYPE_F16, 80},
              .scalars.attn_split = {8, 1, 512, 2, 100, 0.1f, 30}},
     .step = {0, 300, 301, 0}},
    {.call = {.op = GRETA_OP_ADD_RMS_NORM, .scalars.add_rms_norm = {3, 4096, 1e-5f}}},
    {.call = {.op = GRETA_OP_SOFTMAX, .scalars.softmax = {2, 1000, 1}}},
    {.call = {.op = GRETA_OP_ARGMAX, .scalars.argmax = {1, 32000}}}};

/* How many sets were right. */
static uint32_t check_call(const struct greta_search_call *call) {
    struct work w = {.dev = dev, .plan = plan, .stream = stream, .pool = pool};
    uint32_t n = 0;
    if (!CHECK(!work_make(&w, call, 1))) return 0;
    for (uint32_t i = 0; i < greta_variant_count(); i++) {
        const struct greta_variant *row = greta_variant_at(i), *v;
        if (row->op != call->call.op || row->format != greta_dev_get_image_format(dev)) continue;
        for (uint32_t k = 0; k < greta_variant_n_instances(row); k++) {
            struct greta_variant unnamed;
            double worst = -1;
            variant_instance(row, k, &unnamed);
            if (k % every) continue;
            if (greta_variant_refusal(&unnamed, greta_dev_get_limits(dev), &call->call)) continue;
            if (!CHECK(!greta_plan_instance(plan, row, k, &v))) continue;
            if (!CHECK(!work_check(&w, v, 0, &worst) && worst <= 1))
                printf("  %s, %s: %.3g of the bound\n", greta_variant_name(v), w.info->name, worst);
            n++;
        }
    }
    work_free(&w);
    return n;
}

int main(int argc, char **argv) {
    struct greta_ctx *ctx = NULL;
    uint32_t n_all = 0;
    if (argc > 2) every = (uint32_t)strtoul(argv[2], NULL, 10);
    if (!every || greta_ctx_create(&(struct greta_ctx_params){.cache_dir = ""}, &ctx)) return 1;
    if (greta_dev_open(ctx, argc > 1 ? argv[1] : "cpu", NULL, &dev)) check_skip("no such device");
    if (CHECK(!greta_plan_create(dev, &(struct greta_plan_params){.force = ""}, &plan)) &&
        CHECK(!greta_stream_create(dev, &stream) && !thread_pool_create(0, &pool)))
        for (unsigned i = 0; i < sizeof calls / sizeof *calls; i++) {
            struct greta_search_call call = calls[i];
            bool weight =
                strcmp(greta_op_get_info(call.call.op)->n_keys ? greta_op_get_info(call.call.op)->key_names[0]
                                                               : "",
                       "w_type") == 0;
            if (weight && !CHECK(!greta_plan_weight_layout(plan, call.call.keys[0], &call.call.layout)))
                continue;
            uint32_t n = check_call(&call);
            n_all += n;
            printf("%s: %u sets\n", greta_op_get_info(call.call.op)->name, n);
            fflush(stdout);
        }
    CHECK(n_all > sizeof calls / sizeof *calls / 2);
    thread_pool_destroy(&pool);
    greta_stream_destroy(&stream);
    greta_plan_destroy(&plan);
    greta_dev_close(&dev);
    greta_ctx_destroy(&ctx);
    return check_done();
}
