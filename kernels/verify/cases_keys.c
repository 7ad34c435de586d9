/*
 * A case for each of the keys that models have and that the other cases try with a type of each kind: every weight type with what its
 * product does besides, every pair of types of q, k and v, every size of a head. For devices whose kernels are built beforehand, one for
 * each of the keys.
 */
#include "verify.h"

#include <string.h>

#define N(a) (sizeof(a) / sizeof *(a))

struct emit {
    kc_case_fn *fn;
    void *user;
};

static void emit(const struct emit *e, struct kc_case c) {
    bool many = !strcmp(greta_op_get_info(c.call.op)->scalar_names[0], "n_tok");
    c.step[2] = c.step[1] + (many ? c.call.scalars.u32[0] : 1);
    e->fn(e->user, &c);
}

/* Columns that no vector, wave or step of a kernel divides. */
static uint32_t cols_of(uint32_t type) {
    uint32_t block = greta_type_get_info(type)->block_elements;
    return block == 1 ? 1032 : block == 32 ? 1056 : 1280;
}

static void matvec(const struct emit *e, uint32_t type, uint32_t x_type) {
    struct kc_case c = {.call = {.op = GRETA_OP_MATVEC, .keys = {type, x_type}}};
    c.call.scalars.matvec = (struct greta_scalars_matvec){67, cols_of(type)};
    for (c.call.keys[2] = 0; c.call.keys[2] < 2; c.call.keys[2]++) emit(e, c);
}

/* Pieces of two blocks and of one; more of them than there are, so that one is empty. */
static void matvec_split(const struct emit *e, uint32_t type, uint32_t x_type) {
    struct kc_case c = {.call = {.op = GRETA_OP_MATVEC_SPLIT, .keys = {type, x_type}}};
    for (uint32_t i = 0; i < 4; i++) {
        c.call.keys[2] = i % 2;
        c.call.scalars.matvec_split = (struct greta_scalars_matvec_split){67, cols_of(type), i < 2 ? 3 : 7};
        emit(e, c);
    }
}

static void matvec_glu(const struct emit *e, uint32_t type, uint32_t x_type) {
    struct kc_case c = {.call = {.op = GRETA_OP_MATVEC_GLU, .keys = {type, x_type}}};
    c.call.scalars.matvec_glu = (struct greta_scalars_matvec_glu){35, cols_of(type), 1e-5f};
    for (uint32_t i = 0; i < (x_type == GRETA_TYPE_F32 ? 4 : 2); i++) {
        c.call.keys[2] = i % 2;
        c.call.keys[3] = i / 2;
        emit(e, c);
    }
}

static void matvec_qkv(const struct emit *e, uint32_t w_type, uint32_t v_type, uint32_t x_type) {
    struct kc_case c = {.call = {.op = GRETA_OP_MATVEC_QKV, .keys = {w_type, v_type, x_type}},
                        .step = {0, 7}};
    c.call.scalars.matvec_qkv = (struct greta_scalars_matvec_qkv){3, 1, 80, 32, 13, cols_of(w_type), 1e-5f};
    for (c.call.keys[3] = GRETA_TYPE_F32; c.call.keys[3] <= GRETA_TYPE_F16; c.call.keys[3]++)
        for (uint32_t i = 0; i < 8; i++) {
            if (x_type != GRETA_TYPE_F32 && i & 2) continue;
            c.call.keys[4] = i & 1;      /* mode */
            c.call.keys[5] = i >> 1 & 1; /* norm */
            c.call.keys[6] = i >> 2;     /* bias */
            emit(e, c);
        }
}

static void products(const struct emit *e, enum greta_op op) {
    static const uint32_t pairs[][2] = {{GRETA_TYPE_Q4_K, GRETA_TYPE_Q6_K},
                                        {GRETA_TYPE_Q5_K, GRETA_TYPE_Q6_K},
                                        {GRETA_TYPE_Q3_K, GRETA_TYPE_Q5_K},
                                        {GRETA_TYPE_Q2_K, GRETA_TYPE_Q4_K}};
    for (uint32_t type = 0; type < GRETA_N_WEIGHT_TYPES; type++) {
        if (!GRETA_TYPE_IS_PACKED(type)) continue;
        uint32_t x_types[] = {GRETA_TYPE_F32, GRETA_TYPE_Q8A};
        for (unsigned i = 0; i < N(x_types); i++) {
            if (op == GRETA_OP_MATVEC) matvec(e, type, x_types[i]);
            if (op == GRETA_OP_MATVEC_SPLIT) matvec_split(e, type, x_types[i]);
            if (op == GRETA_OP_MATVEC_GLU) matvec_glu(e, type, x_types[i]);
            if (op == GRETA_OP_MATVEC_QKV) matvec_qkv(e, type, type, x_types[i]);
        }
    }
    for (unsigned i = 0; op == GRETA_OP_MATVEC_QKV && i < N(pairs); i++)
        matvec_qkv(e, pairs[i][0], pairs[i][1], GRETA_TYPE_F32);
}

static void attention(const struct emit *e, enum greta_op op, uint32_t kv_type, uint32_t head_dim) {
    struct kc_case c = {.call = {.op = op, .keys = {kv_type, head_dim}}};
    if (op == GRETA_OP_ATTN_REDUCE) {
        c.call.keys[0] = head_dim;
        c.step[1] = 640;
        c.call.scalars.attn_reduce = (struct greta_scalars_attn_reduce){6, 3};
        emit(e, c);
    } else if (op == GRETA_OP_ATTN_SPLIT) {
        c.step[1] = 640;
        c.call.scalars.attn_split = (struct greta_scalars_attn_split){6, 2, 700, 3, 0, 0.125f, 0};
        emit(e, c);
    } else {
        for (uint32_t n_tok = 1; n_tok <= 73; n_tok += 36) {
            c.step[1] = 38;
            c.call.scalars.attn = (struct greta_scalars_attn){n_tok, 6, 2, 139, 0, 0.125f, 0};
            emit(e, c);
        }
    }
}

/*
 * Heads of any size, for kernels that are told it by the call: windows, caps, up to eight query heads that share K and V, the cache's last
 * row. The windows leave out nothing, a part of a split, all of one, and all but a position.
 */
static void attention_any(const struct emit *e, enum greta_op op, uint32_t kv_type, uint32_t head_dim,
                          uint32_t i) {
    static const uint32_t steps[][2] = {{1, 0}, {5, 37}, {2, 300}}, windows[] = {0, 33, 300, 1};
    static const float caps[] = {0, 1.5f, 50};
    uint32_t n_head_kv = 1 + i / 2 % 3, n_head = n_head_kv * (1 + i % 8), window = windows[i / 3 % 4];
    float cap = caps[i / 5 % 3];
    struct kc_case c = {.call = {.op = op, .keys = {kv_type, head_dim}},
                        .style = i % 2 ? KC_OUTLIERS : KC_NORMAL,
                        .place = i % 2 ? KC_UNALIGNED : KC_ALIGNED};
    if (op == GRETA_OP_ATTN_REDUCE) {
        c.call.keys[0] = head_dim;
        c.step[1] = 640;
        c.call.scalars.attn_reduce = (struct greta_scalars_attn_reduce){n_head, 3};
    } else if (op == GRETA_OP_ATTN_SPLIT) {
        c.step[1] = 640;
        c.call.scalars.attn_split =
            (struct greta_scalars_attn_split){n_head, n_head_kv, 641, 3, window, 0.125f, cap};
    } else {
        uint32_t n_tok = steps[i % 3][0];
        c.step[1] = steps[i % 3][1];
        c.call.scalars.attn =
            (struct greta_scalars_attn){n_tok, n_head, n_head_kv, c.step[1] + n_tok, window, 0.125f, cap};
    }
    emit(e, c);
}

void kc_cases_keys(enum greta_op op, kc_case_fn *fn, void *user) {
    static const uint32_t dims[] = {8, 16, 32, 40, 48, 64, 80, 96, 128, 256};
    static const uint32_t any_dims[] = {1, 2, 7, 9, 24, 56, 72, 100, 112, 120, 160, 192, 224, 250, 255};
    static const uint32_t kv_types[] = {GRETA_TYPE_F32, GRETA_TYPE_F16, GRETA_TYPE_Q8_0};
    struct emit e = {fn, user};
    if (op == GRETA_OP_MATVEC || op == GRETA_OP_MATVEC_SPLIT || op == GRETA_OP_MATVEC_GLU ||
        op == GRETA_OP_MATVEC_QKV)
        products(&e, op);
    if (op != GRETA_OP_ATTN && op != GRETA_OP_ATTN_SPLIT && op != GRETA_OP_ATTN_REDUCE) return;
    for (unsigned d = 0; d < N(dims); d++)
        for (unsigned t = 0; t < (op == GRETA_OP_ATTN_REDUCE ? 1 : N(kv_types)); t++)
            if (kv_types[t] != GRETA_TYPE_Q8_0 || dims[d] % 32 == 0) attention(&e, op, kv_types[t], dims[d]);
    for (unsigned d = 0, i = 0; d < N(any_dims); d++)
        for (unsigned t = 0; t < (op == GRETA_OP_ATTN_REDUCE ? 1 : N(kv_types)); t++)
            for (unsigned k = 0; k < 2 && (kv_types[t] != GRETA_TYPE_Q8_0 || any_dims[d] % 32 == 0); k++)
                attention_any(&e, op, kv_types[t], any_dims[d], i++);
}
