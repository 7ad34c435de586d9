/*
 * What checks a kernel (kc) on a device: the inputs of a call, one run of a row against the reference, products too large for that. Not
 * in libgreta: kernelcheck, the benches and the tuner link it.
 */
#ifndef KERNELS_VERIFY_H
#define KERNELS_VERIFY_H

#include "ref.h"
#include "variant.h"

/* NORMAL: N(0, 1) and the like. OUTLIERS: one value in a hundred is 50 times larger. INTEGERS: sums are exact in f32, and must
 * come out so. SPECIAL: what an op's contract says of NaN, infinities, ties, denormals; of products codes and integers at the ends of
 * their range. */
enum kc_style { KC_NORMAL, KC_OUTLIERS, KC_INTEGERS, KC_SPECIAL };

/* Where bindings begin: on 256 bytes; weights and caches on 16, all else on 4. */
enum kc_place { KC_ALIGNED, KC_UNALIGNED };

struct kc_case {
    struct greta_call call; /* without buffers; the layout is a row's */
    enum kc_style style;
    enum kc_place place;
    uint32_t step[4];
    bool alias; /* binding n - 1 is binding 0's memory */
    /* Of products: the weights' rows, and the activations', repeat after so many; 0: they do not. Then a small reference knows all
     * results of a large one (judge.c). */
    uint32_t w_period, x_period;
    bool large; /* many tiles, for rows that want to fill a GPU: not for a cpu, where it would take seconds */
};

typedef void kc_case_fn(void *user, const struct kc_case *c);
/* Every case of an op, in a fixed order. */
void kc_cases(enum greta_op op, kc_case_fn *fn, void *user);
/* cases_norms.c and cases_gemm.c: those of the ops in them. */
void kc_cases_norms(enum greta_op op, kc_case_fn *fn, void *user);
void kc_cases_gemm(kc_case_fn *fn, void *user);
/* Besides those, one case for each of the keys that models have: where each key has a kernel of its own. */
void kc_cases_keys(enum greta_op op, kc_case_fn *fn, void *user);
/* ---- call.c ---- */

/* Whether the op is a product of weights with activations that may be of type Q8A. */
bool kc_is_product(enum greta_op op);
/* The rows of the weight that is binding i; 0 where that is none. */
uint64_t kc_weight_rows(const struct greta_call *call, uint32_t i);
/* Its type, and its columns. */
uint32_t kc_weight_type(const struct greta_call *call, uint32_t i);
uint64_t kc_weight_cols(const struct greta_call *call);
/* Of a product. */
uint32_t kc_x_type(const struct greta_call *call);
/* "n_rows 3, n_cols 43, w_type Q8_0 ..." into out. */
const char *kc_case_text(const struct kc_case *c, char *out, size_t size);

/* ---- data.c ---- */

struct kc_rng {
    uint64_t state;
};
/* splitmix64 */
static inline uint64_t kc_random(struct kc_rng *rng) {
    uint64_t z = rng->state += 0x9E3779B97F4A7C15u;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z ^ z >> 31;
}
/* As if n numbers had been taken. */
static inline void kc_skip(struct kc_rng *rng, uint64_t n) {
    rng->state += n * 0x9E3779B97F4A7C15u;
}
/* Rows of weights as a file would hold them. */
void kc_fill_weights(struct kc_rng *rng, enum kc_style style, uint32_t type, uint64_t n_rows, uint64_t n_cols,
                     void *out);

/* Rows in style SPECIAL for the norms and softmax; a matrix of n elements for gemm. */
void kc_fill_norms(struct kc_rng *rng, enum greta_op op, uint64_t n_rows, uint64_t n_cols, float *out);
void kc_fill_gemm(struct kc_rng *rng, const struct kc_case *c, uint64_t n, uint8_t *out);

/* Each binding's bytes before the call, weights in file order. What is only written, and what must not be read, is 0xFF: NaN. */
struct kc_data {
    uint8_t *bytes[GRETA_OP_MAX_BINDINGS];
    uint64_t sizes[GRETA_OP_MAX_BINDINGS];
};
bool kc_data_make(struct kc_data *d, const struct kc_case *c, uint64_t seed);
void kc_data_free(struct kc_data *d);

/* ---- check.c ---- */

struct kc_env {
    struct greta_ctx *ctx;
    struct greta_dev *dev;
    struct greta_plan *plan;
    struct greta_stream *stream;
    const struct greta_limits *limits;
    enum greta_image_format format;
    bool guard; /* bindings end at a page that may not be touched: cpu only */
    uint64_t seed;
    /* Told what is about to run, for a handler of faults; may be NULL. */
    void (*announce)(const struct greta_variant *row, const struct kc_case *c);
};

/* What the rows of an op share of a case. */
struct kc_prepared {
    const struct kc_case *c;
    struct kc_data data;
    double operand_eps; /* of the reference below; negative: there is none yet */
    struct ref_output outputs[GRETA_OP_MAX_BINDINGS];
};

/* Runs a row twice on a case. Empty `message`: it passed; *worst is the largest error, in bounds. Returns why the row does not
 * serve the case after all, now that its buffers are there, or NULL. */
const char *kc_check(struct kc_env *env, const struct greta_variant *row, struct kc_prepared *p,
                     double *worst, char *message, size_t message_size);

/* ---- judge.c: what a row left of one call, of any size ---- */

/* What is right is made when it is first asked for, and again for rows that round their operands in another way. */
struct kc_judge;
/* c and data outlive it. NULL where memory is out. */
struct kc_judge *kc_judge_make(const struct kc_case *c, const struct kc_data *data, uint64_t seed);
void kc_judge_free(struct kc_judge **judge);
/*
 * got: each written binding's bytes after one run on the data; NULL for the others. *worst: the largest error, in bounds; above 1 the
 * result is wrong. ERR_NO_MEMORY. All results of an op are looked at but in attention of many tokens, where it is some tokens', and
 * in large GEMMs (product.c). n_tok: of a matmul whose operands repeat, that it was run with fewer tokens; else 0.
 */
GRETA_MUST_USE greta_status kc_judge_result(struct kc_judge *judge, double operand_eps, uint32_t n_tok,
                                            uint8_t *const got[], double *worst);

/* ---- product.c: products that are too large for the whole reference ---- */

/*
 * c = a b by Freivalds' test with random vectors of signs, and exactly in n_rows rows chosen at random. What is expected is made once, NULL
 * where memory is out; worst gives the largest error of a result, in bounds.
 */
struct verify_gemm;
struct verify_gemm *verify_gemm_make(const struct greta_call *call, const void *a, const void *b,
                                     uint32_t n_rows, uint64_t seed);
double verify_gemm_worst(const struct verify_gemm *v, const struct greta_call *call, const float *c,
                         double operand_eps);
void verify_gemm_free(struct verify_gemm **v);
/* Products of weights and activations: n exact results chosen at random. */
bool verify_product(const struct greta_call *call, const struct kc_data *data, const float *y,
                    double operand_eps, uint32_t n, uint64_t seed, double *worst);

#endif
