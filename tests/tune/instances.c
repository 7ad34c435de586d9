/* Rows with other constants: every set gives the products that the row's own gives; names are read back; a tuned row is taken. */
#include "check.h"

#include <greta/kernels.h>

#include <math.h>
#include <string.h>

enum { N_ROWS = 37, N_COLS = 2048 };

static char said[1024];
static void hear(void *user, enum greta_log_level level, const char *message) {
    (void)user, (void)level;
    snprintf(said, sizeof said, "%s", message);
}
static const struct greta_log listener = {hear, NULL, GRETA_LOG_ERROR};

static struct greta_ctx *ctx;
static struct greta_dev *dev;
static struct greta_stream *stream;
static struct greta_buf *w, *x, *y;
static struct greta_call call = {.op = GRETA_OP_MATVEC,
                                 .keys = {GRETA_TYPE_F32, GRETA_TYPE_F32},
                                 .layout = GRETA_LAYOUT_PACKED,
                                 .scalars.matvec = {N_ROWS, N_COLS}};

static const struct greta_variant *find(const char *name) {
    for (uint32_t i = 0; i < greta_variant_count(); i++)
        if (!strcmp(greta_variant_name(greta_variant_at(i)), name)) return greta_variant_at(i);
    return NULL;
}

static bool setup(void) {
    static float weights[N_ROWS * N_COLS], packed[N_ROWS * N_COLS], values[N_COLS];
    const struct greta_ctx_params params = {.log = &listener, .cache_dir = ""};
    if (greta_ctx_create(&params, &ctx)) return false;
    if (greta_dev_open(ctx, "vulkan:0", NULL, &dev)) check_skip("no Vulkan device");
    for (int i = 0; i < N_ROWS * N_COLS; i++) weights[i] = (float)((i * 7 + i / N_COLS) % 31 - 15);
    for (int i = 0; i < N_COLS; i++) values[i] = (float)(i % 17 - 8);
    uint64_t bytes = greta_layout_bytes(GRETA_LAYOUT_PACKED, GRETA_TYPE_F32, N_ROWS, N_COLS);
    bool ok = bytes <= sizeof packed && !greta_layout_pack(GRETA_LAYOUT_PACKED, GRETA_TYPE_F32, N_ROWS,
                                                           N_COLS, 0, N_ROWS, weights, packed);
    ok = ok && !greta_stream_create(dev, &stream) && !greta_buf_create(dev, bytes, GRETA_MEM_DEVICE, &w);
    ok = ok && !greta_buf_create(dev, sizeof values, GRETA_MEM_DEVICE, &x) &&
         !greta_buf_create(dev, N_ROWS * 4, GRETA_MEM_DEVICE, &y);
    call.bindings[0].buf = w;
    call.bindings[1].buf = x;
    call.bindings[2].buf = y;
    return ok && !greta_stream_write(stream, w, 0, packed, bytes) &&
           !greta_stream_write(stream, x, 0, values, sizeof values);
}

/* Whole numbers: sums are exact, in any order. */
static bool run(struct greta_plan *plan, const struct greta_variant *row, float *out) {
    if (greta_stream_fill(stream, y, 0, N_ROWS * 4, 0xFFFFFFFF)) return false;
    greta_status status =
        row ? greta_op_record_variant(plan, stream, row, &call) : greta_op_record(plan, stream, &call);
    return !status && !greta_stream_read(stream, y, 0, out, N_ROWS * 4);
}

static void every_set(struct greta_plan *plan) {
    const struct greta_variant *row = find("matvec_wide"), *set;
    float want[N_ROWS], got[N_ROWS];
    uint32_t n = row ? greta_variant_n_instances(row) : 0, n_run = 0;
    if (!CHECK(n == 1 + 4 * 4 * 3) || !CHECK(run(plan, row, want)) || !CHECK(want[0] == want[0])) return;
    for (uint32_t i = 0; i < n; i++) {
        if (!CHECK(!greta_plan_instance(plan, row, i, &set))) return;
        if (greta_variant_refusal(set, greta_dev_get_limits(dev), &call)) continue;
        memset(got, 0, sizeof got);
        if (!CHECK(run(plan, set, got)) || !CHECK(!memcmp(got, want, sizeof got)))
            printf("  of %s\n", greta_variant_name(set));
        n_run++;
    }
    CHECK(n_run == 1 + 4 * (4 * 3 - 3)); /* three of rows and steps have too much under way */
    CHECK(greta_plan_instance(plan, row, n, &set) == GRETA_ERR_NOT_FOUND && !set);
    CHECK(!greta_plan_instance(plan, row, 0, &set) && set == row);
    const struct greta_variant *first, *again;
    CHECK(!greta_plan_instance(plan, row, 1, &first) && !greta_plan_instance(plan, row, 1, &again) &&
          first == again);
    CHECK(strcmp(greta_variant_name(first), "matvec_wide:threads=32:rows=1:steps=1") == 0);
}

static void by_name(void) {
    struct greta_plan *plan;
    const struct greta_variant *row;
    struct greta_plan_params params = {.force = "matvec=matvec_wide:rows=8:threads=64:steps=1"};
    CHECK(!greta_plan_create(dev, &params, &plan) && !greta_plan_choose(plan, &call, &row));
    CHECK(strcmp(greta_variant_name(row), "matvec_wide:threads=64:rows=8:steps=1") == 0);
    greta_plan_destroy(&plan);
    params.force = "matvec=matvec_wide:rows=8:threads=64:steps=4";
    CHECK(!greta_plan_create(dev, &params, &plan) &&
          greta_plan_choose(plan, &call, &row) == GRETA_ERR_INVALID &&
          strstr(said, "more loaded at once than registers hold"));
    greta_plan_destroy(&plan);
    static const char *const bad[] = {"matvec=matvec_wide:rows=3", "matvec=matvec_wide:row=4",
                                      "matvec=matvec_wide:", "matvec=matvec_wide:rows=4x"};
    for (int i = 0; i < 4; i++) {
        params.force = bad[i];
        *said = 0;
        CHECK(greta_plan_create(dev, &params, &plan) == GRETA_ERR_INVALID && !plan &&
              strstr(said, "matvec_wide"));
    }
}

static uint32_t n_asked;
static const char *answer;
static bool tuned(void *user, const struct greta_call *asked, char *row, size_t size) {
    (void)user;
    n_asked += asked->op == GRETA_OP_MATVEC;
    snprintf(row, size, "%s", answer ? answer : "");
    return answer != NULL;
}

static void as_tuned(void) {
    static const char *const answers[] = {
        "matvec_wide:threads=64:rows=4:steps=1", NULL, "no_such_row", "matvec_wide:rows=5", "act_mul_simple",
        "matvec_wide:threads=64:rows=8:steps=4"}; /* the last is refused */
    struct greta_plan *plan;
    const struct greta_variant *row, *by_default;
    float got[N_ROWS];
    struct greta_plan_params params = {.tuned = tuned};
    CHECK(!greta_plan_create(dev, NULL, &plan) && !greta_plan_choose(plan, &call, &by_default));
    greta_plan_destroy(&plan);
    for (int i = 0; i < 6; i++) {
        answer = answers[i];
        CHECK(!greta_plan_create(dev, &params, &plan) && !greta_plan_choose(plan, &call, &row));
        CHECK(i ? row == by_default : !strcmp(greta_variant_name(row), answer));
        n_asked = 0;
        for (int k = 0; k < 3; k++) CHECK(run(plan, NULL, got));
        CHECK(n_asked == 1); /* a shape is asked about once */
        greta_plan_destroy(&plan);
    }
}

int main(void) {
    struct greta_plan *plan = NULL;
    if (CHECK(setup()) && CHECK(!greta_plan_create(dev, NULL, &plan))) {
        every_set(plan);
        by_name();
        as_tuned();
    }
    greta_plan_destroy(&plan);
    greta_buf_destroy(&w);
    greta_buf_destroy(&x);
    greta_buf_destroy(&y);
    greta_stream_destroy(&stream);
    greta_dev_close(&dev);
    greta_ctx_destroy(&ctx);
    return check_done();
}
