/* Wrong kernels on the same path as right ones: each must be caught, and the right one must pass. */
#include "kc.h"

#include "half.h"

#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define FAULT_LIST(X)                                          \
    X(NONE, "the right kernel")                                \
    X(OFF_BY_ONE, "reads the next column")                     \
    X(TRANSPOSED, "writes y transposed")                       \
    X(DROPPED_TAIL, "drops the columns past a multiple of 32") \
    X(MISSING_ROW, "leaves the last row unwritten")            \
    X(FOUR_BOUNDS, "is wrong by four bounds in one element")   \
    X(F16_SUM, "sums in the precision of f16")                 \
    X(NOT_A_NUMBER, "gives NaN in one element")                \
    X(NOT_DETERMINED, "gives another last bit every time")     \
    X(WRITES_INPUT, "writes into an input")                    \
    X(OVERRUN, "writes behind its output")                     \
    X(UNDERRUN, "writes before its output")                    \
    X(READS_BEHIND, "lets what lies behind a row's end into a sum")

enum fault {
#define FAULT_ENUM(name, text) FAULT_##name,
    FAULT_LIST(FAULT_ENUM)
#undef FAULT_ENUM
        N_FAULTS
};

static const char *const fault_texts[] = {
#define FAULT_TEXT(name, text) text,
    FAULT_LIST(FAULT_TEXT)
#undef FAULT_TEXT
};

struct matmul_args {
    float *w, *x, *y; /* the inputs are not const: one of the wrong kernels writes there */
    uint32_t n_tok, n_rows, n_cols;
};

static float rounded_to_11_bits(float x) {
    int exponent;
    return x == 0 ? 0 : ldexpf(rintf(ldexpf(frexpf(x, &exponent), 11)), exponent - 11);
}

static float dot(enum fault fault, const float *w, const float *x, uint32_t n) {
    double s = 0, sum = 0;
    uint32_t end = fault == FAULT_DROPPED_TAIL ? n & ~31u : n;
    float coarse = 0;
    for (uint32_t c = 0; c < end; c++) {
        uint32_t k = fault == FAULT_OFF_BY_ONE ? (c + 1) % n : c;
        sum += (double)w[c] * x[k];
        s += fabs((double)w[c] * x[k]);
        coarse = rounded_to_11_bits(coarse + w[c] * x[k]);
    }
    if (fault == FAULT_F16_SUM) return coarse;
    if (fault == FAULT_READS_BEHIND) sum += 0 * (double)x[n];
    /* The bound of ref.h, written out once more: the test is of the comparison, too. */
    if (fault == FAULT_FOUR_BOUNDS) sum += 4 * 0x1p-24 * (6 * sqrt((double)n) + 16) * s;
    return (float)sum;
}

/* Not a constant, on purpose: the wrong kernel that must differ from run to run. */
static atomic_uint n_runs;

static void wrong_matmul(const struct greta_host_group *group, const void *args) {
    struct matmul_args a;
    enum fault fault = (enum fault)group->constants[2];
    memcpy(&a, args, sizeof a);
    unsigned run = atomic_fetch_add(&n_runs, 1);
    uint32_t rows = fault == FAULT_MISSING_ROW ? a.n_rows - 1 : a.n_rows, middle = a.n_rows / 2;
    for (uint32_t t = 0; t < a.n_tok; t++)
        for (uint32_t r = 0; r < rows; r++) {
            bool here = t == a.n_tok - 1 && r == middle;
            enum fault f = fault == FAULT_FOUR_BOUNDS && !here ? FAULT_NONE : fault;
            if (fault == FAULT_READS_BEHIND && t < a.n_tok - 1) f = FAULT_NONE;
            float y = dot(f, a.w + (size_t)r * a.n_cols, a.x + (size_t)t * a.n_cols, a.n_cols);
            if (here && fault == FAULT_NOT_A_NUMBER) y = NAN;
            if (here && fault == FAULT_NOT_DETERMINED && run % 2) y = nextafterf(y, INFINITY);
            a.y[fault == FAULT_TRANSPOSED ? (size_t)r * a.n_tok + t : (size_t)t * a.n_rows + r] = y;
        }
    if (fault == FAULT_WRITES_INPUT) a.x[middle % a.n_cols] += 1;
    if (fault == FAULT_OVERRUN) a.y[(size_t)a.n_tok * a.n_rows] = 1;
    if (fault == FAULT_UNDERRUN) a.y[-1] = 1;
}

static uint64_t one_group(const struct greta_variant *v, const struct greta_limits *limits,
                          const struct greta_call *call) {
    (void)v;
    (void)limits;
    (void)call;
    return 1;
}

static const struct greta_host_entry entries[] = {{"wrong_matmul", wrong_matmul}};
static const struct greta_image image = {GRETA_IMAGE_HOST, entries, sizeof entries, "selftest"};

static struct greta_variant row_of(enum fault fault) {
    return (struct greta_variant){.name = fault_texts[fault],
                                  .op = GRETA_OP_MATMUL,
                                  .format = GRETA_IMAGE_HOST,
                                  .image = &image,
                                  .entry = "wrong_matmul",
                                  .w_types = 1u << GRETA_TYPE_F32,
                                  .x_type = GRETA_TYPE_F32,
                                  .layout = GRETA_LAYOUT_ROWS,
                                  .n_tunables = 1,
                                  .tunables = {(uint32_t)fault},
                                  .n_groups = one_group};
}

/* The first message of a few cases; empty where all passed. */
static void try_fault(struct kc_env *env, enum fault fault, char *message, size_t size) {
    static const enum kc_style styles[] = {KC_NORMAL, KC_OUTLIERS, KC_INTEGERS};
    struct greta_variant row = row_of(fault);
    message[0] = 0;
    for (unsigned i = 0; i < 3 && !message[0]; i++) {
        struct kc_case c = {.call = {.op = GRETA_OP_MATMUL, .keys = {GRETA_TYPE_F32, GRETA_TYPE_F32}},
                            .style = styles[i]};
        c.call.scalars.matmul = (struct greta_scalars_matmul){5, 33, 43 + 300 * i};
        c.place =
            env->guard || i % 2 ? KC_UNALIGNED : KC_ALIGNED; /* unaligned: the data ends at the guard page */
        struct kc_prepared p = {.c = &c, .operand_eps = -1};
        double worst = 0;
        if (!kc_data_make(&p.data, &c, env->seed + i))
            snprintf(message, size, "out of memory");
        else
            kc_check(env, &row, &p, &worst, message, size);
        ref_free(p.outputs);
        kc_data_free(&p.data);
    }
}

/* In a child, since it must die: the kernel runs into the page behind its output. */
static bool guard_page_catches(uint64_t seed) {
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        struct kc_env env = {.seed = seed};
        greta_status status;
        char message[512];
        if (!freopen("/dev/null", "w", stdout) || !kc_env_open(&env, "cpu", 0, &status)) _exit(1);
        kc_catch_faults();
        try_fault(&env, FAULT_OVERRUN, message, sizeof message);
        _exit(0);
    }
    int result = 0;
    if (child < 0 || waitpid(child, &result, 0) != child) return false;
    return WIFEXITED(result) && WEXITSTATUS(result) == KC_EXIT_FAULT;
}

/* Where NaN is right, its bound may be NaN, too: that is not "as it was before", which is a bound of -1. */
static bool tells_nan_from_kept(void) {
    double value[] = {NAN, NAN, 0}, bound[] = {NAN, NAN, -1};
    const float before[] = {1, NAN, 3}, kept[] = {1, NAN, 3}, written[] = {NAN, NAN, 3},
                all[] = {NAN, NAN, 4};
    struct ref_output o = {.kind = REF_F32, .n = 3, .value = value, .bound = bound};
    struct ref_verdict v[3];
    ref_compare(&o, kept, before, &v[0]);
    ref_compare(&o, written, before, &v[1]);
    ref_compare(&o, all, before, &v[2]);
    return v[0].n_wrong == 1 && v[0].i_worst == 0 && v[1].n_wrong == 0 && v[2].n_wrong == 1 &&
           v[2].i_worst == 2;
}

/*
 * One visible key: y is its value, as a row that rounds to f16 has it. The bound must cover that for values that f16 has as denormals,
 * and nothing coarser: not that these become 0.
 */
static bool bounds_rounded_values(uint64_t seed) {
    struct kc_case c = {.call = {.op = GRETA_OP_ATTN, .keys = {GRETA_TYPE_F32, 256}}, .style = KC_SPECIAL};
    struct kc_data data;
    struct ref_output outputs[GRETA_OP_MAX_BINDINGS] = {{0}};
    const void *bytes[GRETA_OP_MAX_BINDINGS];
    unsigned n_denormal = 0, n_wrong = 0, n_caught = 0;
    c.call.scalars.attn = (struct greta_scalars_attn){1, 1, 1, 4, 0, 1, 0};
    c.step[2] = 1;
    bool ok = kc_data_make(&data, &c, seed);
    for (int i = 0; i < GRETA_OP_MAX_BINDINGS; i++) bytes[i] = data.bytes[i];
    ok = ok && ref_run(&c.call, bytes, 0x1p-11, outputs) == GRETA_OK;
    for (uint32_t i = 0; ok && i < 256; i++) {
        float v = ((const float *)data.bytes[2])[i], rounded = half_f16_to_f32(half_f32_to_f16(v));
        double bound = outputs[4].bound[i];
        bool denormal = rounded != 0 && fabsf(rounded) < 0x1p-14f;
        n_denormal += denormal;
        n_wrong += fabs((double)rounded - outputs[4].value[i]) > bound;
        n_caught += denormal && fabs(outputs[4].value[i]) > bound;
    }
    ref_free(outputs);
    kc_data_free(&data);
    return ok && n_denormal > 20 && !n_wrong && n_caught > n_denormal / 2;
}

/* How far the cases of products go that every device runs. Bits: by types and orders. */
struct reach {
    uint64_t deep_gemm, deep_matvec, deep_glu, many_tokens,
        ends; /* past what rows take at once; codes at the ends of their range */
    bool i8;  /* sums that f32 does not hold */
};

static void note_case(void *user, const struct kc_case *c) {
    struct reach *r = user;
    const uint32_t *keys = c->call.keys;
    const union greta_scalars *s = &c->call.scalars;
    bool special = c->style == KC_SPECIAL;
    uint64_t weight = c->call.op == GRETA_OP_GEMM ? 0 : 1ull << (2 * keys[0] + (keys[1] == GRETA_TYPE_Q8A));
    if (c->large) return;
    switch (c->call.op) {
    case GRETA_OP_GEMM:
        if (s->gemm.k > 1024)
            r->deep_gemm |= 1ull << (4 * (keys[0] < GRETA_TYPE_I8 ? keys[0] : keys[0] - GRETA_TYPE_I8 + 3) +
                                     2 * keys[1] + keys[2]);
        r->i8 |= special && keys[0] == GRETA_TYPE_I8 && s->gemm.k * 127ull * 127 > 1 << 24;
        break;
    case GRETA_OP_MATVEC:
        if (s->matvec.n_cols > 8192) r->deep_matvec |= weight;
        if (special) r->ends |= weight;
        break;
    case GRETA_OP_MATVEC_GLU:
        if (s->matvec_glu.n_cols > 8192) r->deep_glu |= weight;
        break;
    default:
        if (s->matmul.n_tok > 256) r->many_tokens |= weight;
        break;
    }
}

static unsigned n_bits(uint64_t bits) {
    unsigned n = 0;
    for (; bits; bits &= bits - 1) n++;
    return n;
}

static bool cases_reach(void) {
    static const enum greta_op ops[] = {GRETA_OP_GEMM, GRETA_OP_MATVEC, GRETA_OP_MATVEC_GLU, GRETA_OP_MATMUL};
    const unsigned n_weights = 2 * GRETA_N_WEIGHT_TYPES;
    struct reach r = {0};
    for (unsigned i = 0; i < sizeof ops / sizeof *ops; i++) kc_cases(ops[i], note_case, &r);
    return n_bits(r.deep_gemm) == 5 * 4 && n_bits(r.deep_matvec) == n_weights &&
           n_bits(r.deep_glu) == n_weights && n_bits(r.many_tokens) == n_weights &&
           n_bits(r.ends) == n_weights && r.i8;
}

int kc_selftest(uint64_t seed) {
    struct kc_env env = {.seed = seed};
    greta_status status;
    unsigned n_failed = 0;
    bool guarded = guard_page_catches(seed);
    printf("%s a kernel that %s, by the guard page\n", guarded ? "ok   caught" : "FAIL missed",
           fault_texts[FAULT_OVERRUN]);
    n_failed += !guarded;
    bool told = tells_nan_from_kept();
    printf("%s a right NaN is told from what must stay\n", told ? "ok  " : "FAIL");
    n_failed += !told;
    bool bounded = bounds_rounded_values(seed);
    printf(
        "%s the bound of values rounded to f16 holds for its denormals, and no longer where they become 0\n",
        bounded ? "ok  " : "FAIL");
    n_failed += !bounded;
    bool reach = cases_reach();
    printf(
        "%s products of every type are tried past what a row takes at once, and at the ends of their range\n",
        reach ? "ok  " : "FAIL");
    n_failed += !reach;
    if (!kc_env_open(&env, "cpu", 0, &status)) return 1;
    env.guard = false; /* canaries must do */
    for (int f = 0; f < N_FAULTS; f++) {
        char message[512];
        try_fault(&env, (enum fault)f, message, sizeof message);
        bool ok = (f == FAULT_NONE) == !message[0];
        n_failed += !ok;
        if (f == FAULT_NONE)
            printf("%s the right kernel passes%s%s\n", ok ? "ok  " : "FAIL", ok ? "" : ": ", message);
        else
            printf("%s a kernel that %s%s%s\n", ok ? "ok   caught" : "FAIL missed", fault_texts[f],
                   ok ? ": " : "", message);
    }
    kc_env_close(&env);
    printf("%u passed, %u failed, 0 skipped\n", N_FAULTS + 4 - n_failed, n_failed);
    return n_failed != 0;
}
