/* The cases of the norms and of the reductions of rows. */
#include "verify.h"

#define N(a) (sizeof(a) / sizeof *(a))

static void emit(struct kc_case c, const enum kc_style *styles, unsigned n, kc_case_fn *fn, void *user) {
    for (unsigned i = 0; i < n; i++) {
        c.style = styles[i];
        for (unsigned place = 0; place < 2; place++) {
            c.place = place ? KC_UNALIGNED : KC_ALIGNED;
            fn(user, &c);
        }
    }
}

/* Scalars begin with n_rows and n_cols in all of these. */
static void rows(enum greta_op op, kc_case_fn *fn, void *user) {
    static const uint32_t shapes[][2] = {{1, 1},    {2, 43},    {3, 64},  {1, 576},  {5, 1029},
                                         {2, 4096}, {1, 14336}, {70, 96}, {3, 2052}, {1, 5}};
    static const enum kc_style styles[] = {KC_NORMAL, KC_OUTLIERS, KC_SPECIAL};
    for (unsigned i = 0; i < N(shapes); i++) {
        struct kc_case c = {.call = {.op = op, .scalars.u32 = {shapes[i][0], shapes[i][1]}}};
        if (op == GRETA_OP_LAYER_NORM || op == GRETA_OP_LAYER_RMS_NORM)
            c.call.scalars.layer_norm.eps = i % 2 ? 1e-5f : 1e-6f;
        if (op == GRETA_OP_SOFTMAX) c.call.scalars.softmax.scale = i % 2 ? 0.125f : 1.0f;
        emit(c, styles, 3, fn, user);
        c.alias = op == GRETA_OP_SOFTMAX;
        if (c.alias) emit(c, styles, 1, fn, user);
    }
}

static void causal_mask(kc_case_fn *fn, void *user) {
    static const uint32_t shapes[][3] = {{1, 1, 0},    {5, 5, 0},      {7, 43, 30}, {33, 64, 2},
                                         {3, 4096, 9}, {20, 128, 108}, {4, 6, 7},   {2, 8, 0xFFFFFFFFu}};
    static const enum kc_style styles[] = {KC_NORMAL, KC_SPECIAL};
    for (unsigned i = 0; i < N(shapes); i++) {
        struct kc_case c = {.call = {.op = GRETA_OP_CAUSAL_MASK}};
        c.call.scalars.causal_mask =
            (struct greta_scalars_causal_mask){shapes[i][0], shapes[i][1], shapes[i][2]};
        emit(c, styles, 2, fn, user);
    }
}

void kc_cases_norms(enum greta_op op, kc_case_fn *fn, void *user) {
    switch (op) {
    case GRETA_OP_LAYER_NORM:
    case GRETA_OP_LAYER_RMS_NORM:
    case GRETA_OP_SOFTMAX:
    case GRETA_OP_ROW_SUM:
    case GRETA_OP_ROW_MAX: rows(op, fn, user); break;
    case GRETA_OP_CAUSAL_MASK: causal_mask(fn, user); break;
    default: break;
    }
}
