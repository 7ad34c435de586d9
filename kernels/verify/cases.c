/* The cases of every op: shapes that are one, odd, prime, round and large; every key. */
#include "verify.h"

#include <string.h>

#define N(a) (sizeof(a) / sizeof *(a))

struct emit {
    kc_case_fn *fn;
    void *user;
};

/* Ops of many tokens have n_tok as their first scalar; the others that read a step block serve one. */
static void emit(const struct emit *e, const struct kc_case *c) {
    struct kc_case full = *c;
    bool many = !strcmp(greta_op_get_info(c->call.op)->scalar_names[0], "n_tok");
    full.step[2] = c->step[1] + (many ? c->call.scalars.u32[0] : 1);
    e->fn(e->user, &full);
}

/* One shape in every style of a list, on both places. */
static void emit_styles(const struct emit *e, struct kc_case c, const enum kc_style *styles,
                        unsigned n_styles) {
    for (unsigned i = 0; i < n_styles; i++) {
        c.style = styles[i];
        c.place = i % 2 ? KC_UNALIGNED : KC_ALIGNED;
        emit(e, &c);
    }
}

/* Every style where rows may ask for aligned bindings, and one that does not oblige them. */
static void emit_product(const struct emit *e, struct kc_case c) {
    c.place = KC_ALIGNED;
    for (c.style = KC_NORMAL; c.style <= KC_INTEGERS; c.style++) emit(e, &c);
    c.place = KC_UNALIGNED;
    c.style = KC_OUTLIERS;
    emit(e, &c);
}

static const enum kc_style normal_styles[] = {KC_NORMAL, KC_OUTLIERS};

/* ---- weights ---- */

static unsigned cols_of(uint32_t type, const uint32_t **out) {
    static const uint32_t floats[] = {1, 31, 43, 64, 100, 288, 1029};
    static const uint32_t blocks_32[] = {32, 96, 288, 1056};
    static const uint32_t blocks_256[] = {256, 768, 1280};
    uint32_t block = greta_type_get_info(type)->block_elements;
    *out = block == 1 ? floats : block == 32 ? blocks_32 : blocks_256;
    return block == 1 ? N(floats) : block == 32 ? N(blocks_32) : N(blocks_256);
}

static void row_lookup(const struct emit *e) {
    for (uint32_t type = 0; type < GRETA_N_WEIGHT_TYPES; type++) {
        const uint32_t *cols;
        unsigned n = cols_of(type, &cols);
        for (unsigned i = 0; i < n; i++) {
            struct kc_case c = {.call = {.op = GRETA_OP_ROW_LOOKUP, .keys = {type}}};
            c.call.scalars.row_lookup = (struct greta_scalars_row_lookup){i == 1 ? 1 : 6, 7, cols[i]};
            emit_styles(e, c, normal_styles, 2);
        }
    }
}

static void unpack(const struct emit *e) {
    for (uint32_t type = GRETA_TYPE_Q8_0; type < GRETA_N_WEIGHT_TYPES; type++) {
        if (!GRETA_TYPE_IS_PACKED(type)) continue;
        const uint32_t *cols;
        unsigned n = cols_of(type, &cols);
        for (unsigned i = 0; i < n; i++) {
            struct kc_case c = {.call = {.op = GRETA_OP_UNPACK, .keys = {type}}};
            c.call.scalars.unpack = (struct greta_scalars_unpack){i == 1 ? 1 : 67, cols[i]};
            emit_styles(e, c, normal_styles, 2);
        }
    }
}

/* What a product does besides is tried with a type of each kind: how a type is decoded does not matter there. */
static bool is_of_its_kind(uint32_t type) {
    return type == GRETA_TYPE_F32 || type == GRETA_TYPE_F16 || type == GRETA_TYPE_Q8_0 ||
           type == GRETA_TYPE_Q4_1 || type == GRETA_TYPE_Q6_K || type == GRETA_TYPE_IQ3_S;
}

/* add; GELU and the norm. Integers through a norm are integers no more. */
static void matvec_extras(const struct emit *e, enum greta_op op, uint32_t type, uint32_t x_type,
                          uint32_t n_cols) {
    uint32_t widths[] = {n_cols, 1024};
    for (unsigned i = 0; i < N(widths); i++) {
        struct kc_case c = {.call = {.op = op, .keys = {type, x_type, 1}}};
        c.call.scalars.matvec_glu =
            (struct greta_scalars_matvec_glu){i ? 35 : 67, widths[i], i ? 1e-6f : 1e-5f};
        if (op == GRETA_OP_MATVEC) {
            emit_product(e, c);
            continue;
        }
        emit_styles(e, c, normal_styles, 2);
        for (c.call.keys[2] = 0; x_type == GRETA_TYPE_F32 && c.call.keys[2] < 2; c.call.keys[2]++) {
            c.call.keys[3] = 1;
            emit_styles(e, c, normal_styles, 2);
        }
    }
}

static void matvec(const struct emit *e, enum greta_op op) {
    static const uint32_t rows[] = {1, 3, 67, 5, 130, 2, 64};
    for (uint32_t type = 0; type < GRETA_N_WEIGHT_TYPES; type++)
        for (uint32_t x_type = GRETA_TYPE_F32;; x_type = GRETA_TYPE_Q8A) {
            const uint32_t *cols;
            unsigned n = cols_of(type, &cols);
            for (unsigned i = 0; i < n; i++) {
                struct kc_case c = {.call = {.op = op, .keys = {type, x_type}}};
                c.call.scalars.matvec = (struct greta_scalars_matvec){rows[i], cols[i]};
                emit_product(e, c);
            }
            struct kc_case large = {.call = {.op = op, .keys = {type, x_type}}};
            large.call.scalars.matvec = (struct greta_scalars_matvec){type % 2 ? 517 : 256, 4096};
            emit_product(e, large);
            /* Longer than a row takes of x at once, as the second matrix of a layer's second half is. */
            struct kc_case deep = large;
            deep.call.scalars.matvec = (struct greta_scalars_matvec){5, 33 * 256};
            emit_styles(e, deep, (enum kc_style[]){KC_SPECIAL, KC_OUTLIERS}, 2);
            if (is_of_its_kind(type)) matvec_extras(e, op, type, x_type, cols[n - 1]);
            if (x_type == GRETA_TYPE_Q8A) break;
        }
}

/* Pieces of one chunk, of some, and that are empty; then every type, in pieces that end within a row's block or do not. */
static void matvec_split(const struct emit *e) {
    static const uint32_t rows[] = {1, 3, 67, 5, 130, 2, 64}, splits[] = {1, 2, 3, 8, 32};
    for (uint32_t type = 0; type < GRETA_N_WEIGHT_TYPES; type++) {
        if (!GRETA_TYPE_IS_PACKED(type)) continue;
        const uint32_t *cols;
        unsigned n = cols_of(type, &cols);
        struct kc_case c = {.call = {.op = GRETA_OP_MATVEC_SPLIT, .keys = {type, GRETA_TYPE_F32}}};
        for (unsigned i = 0; is_of_its_kind(type) && i < n; i++) {
            c.call.keys[2] = i % 2;
            c.call.scalars.matvec_split =
                (struct greta_scalars_matvec_split){rows[i], cols[i], splits[(i + type) % N(splits)]};
            emit_product(e, c);
        }
        c.call.keys[2] = type % 2;
        c.call.scalars.matvec_split = (struct greta_scalars_matvec_split){35, 4096, 3 + type % 5};
        emit_product(e, c);
    }
}

/* A type of v that has the same blocks, or none; mode, bias and norm in turn, then all at once. */
static void matvec_qkv_extras(const struct emit *e, struct kc_case c, uint32_t i) {
    uint32_t *keys = c.call.keys, type = keys[0], other = (type + 3) % GRETA_N_WEIGHT_TYPES;
    while (!GRETA_TYPE_IS_PACKED(other)) other = (other + 1) % GRETA_N_WEIGHT_TYPES;
    bool fits = greta_type_get_info(other)->block_elements <= greta_type_get_info(type)->block_elements;
    bool may_norm = keys[2] == GRETA_TYPE_F32;
    if (fits && greta_type_get_info(other)->quantized) keys[1] = other;
    if (i % 4 == 0 && may_norm) keys[5] = 1;
    if (i % 4 == 1) keys[4] = 1;
    if (i % 4 == 2) keys[6] = 1;
    if (i % 4 == 3) keys[4] = keys[6] = 1, keys[5] = may_norm;
    emit_styles(e, c, normal_styles, 2);
    if (c.call.scalars.matvec_qkv.head_dim % 32 || keys[5]) return;
    keys[3] = GRETA_TYPE_Q8_0;
    emit_styles(e, c, normal_styles, 2);
}

/* Integers are too large for an f16 cache. */
static void matvec_qkv(const struct emit *e) {
    static const uint32_t heads[][4] = {
        {1, 1, 2, 2},   {4, 2, 8, 8},   {2, 1, 64, 32}, {3, 3, 6, 4},
        {6, 2, 64, 64}, {9, 3, 16, 16}, {1, 1, 80, 32}}; /* .., head_dim, n_rot */
    static const uint32_t positions[] = {0, 7, 15, 16};
    for (uint32_t type = 0; type < GRETA_N_WEIGHT_TYPES; type++)
        for (uint32_t x_type = GRETA_TYPE_F32;; x_type = GRETA_TYPE_Q8A) {
            const uint32_t *cols;
            unsigned n = cols_of(type, &cols);
            for (unsigned i = 0; i <= n; i++) {
                const uint32_t *h =
                    i == n ? (const uint32_t[]){2, 1, 128, 128} : heads[(i + type) % N(heads)];
                struct kc_case c = {.call = {.op = GRETA_OP_MATVEC_QKV, .keys = {type, type, x_type, i % 2}}};
                c.call.scalars.matvec_qkv = (struct greta_scalars_matvec_qkv){
                    h[0], h[1], h[2], h[3], 16, i == n ? 4096 : cols[i], 1e-5f};
                c.step[1] = positions[(i + type) % N(positions)];
                emit_styles(e, c, normal_styles, 2);
                c.call.keys[3] = GRETA_TYPE_F32;
                emit_styles(e, c, (enum kc_style[]){KC_INTEGERS, KC_NORMAL}, 2);
                c.call.keys[3] = i % 2;
                if (is_of_its_kind(type)) matvec_qkv_extras(e, c, i);
            }
            if (x_type == GRETA_TYPE_Q8A) break;
        }
}

static void matmul(const struct emit *e) {
    static const uint32_t toks[] = {1, 2, 5, 33, 17, 67, 8}, rows[] = {5, 33, 16, 65, 130, 64, 1};
    for (uint32_t type = 0; type < GRETA_N_WEIGHT_TYPES; type++)
        for (uint32_t x_type = GRETA_TYPE_F32;; x_type = GRETA_TYPE_Q8A) {
            const uint32_t *cols;
            unsigned n = cols_of(type, &cols);
            for (unsigned i = 0; i < n; i++) {
                struct kc_case c = {.call = {.op = GRETA_OP_MATMUL, .keys = {type, x_type}}};
                c.call.scalars.matmul = (struct greta_scalars_matmul){toks[i], rows[i], cols[i]};
                emit_product(e, c);
            }
            struct kc_case large = {.call = {.op = GRETA_OP_MATMUL, .keys = {type, x_type}}};
            large.call.scalars.matmul = (struct greta_scalars_matmul){128 + type, 128, 512};
            emit_product(e, large);
            struct kc_case ends = large;
            ends.style = KC_SPECIAL;
            ends.call.scalars.matmul = (struct greta_scalars_matmul){9, 35, 1280};
            emit(e, &ends);
            /* More tokens than a row takes at once. */
            struct kc_case many = large;
            many.style = KC_OUTLIERS;
            many.call.scalars.matmul = (struct greta_scalars_matmul){261, 36, 256};
            emit(e, &many);
            large.large = true;
            large.call.scalars.matmul = (struct greta_scalars_matmul){
                1100, 2052, greta_type_get_info(type)->block_elements == 256 ? 256 : 64};
            emit(e, &large);
            large.style = KC_INTEGERS;
            emit(e, &large);
            if (x_type == GRETA_TYPE_Q8A) break;
        }
    /* Activations of f16: rows of matrix units alone. */
    for (uint32_t type = 0; type < GRETA_N_WEIGHT_TYPES; type++)
        for (unsigned i = 0; GRETA_TYPE_IS_PACKED(type) && i < 2; i++) {
            struct kc_case c = {.call = {.op = GRETA_OP_MATMUL, .keys = {type, GRETA_TYPE_F16}}};
            c.call.scalars.matmul = (struct greta_scalars_matmul){i ? 67 : 128, i ? 132 : 64, i ? 256 : 512};
            emit_product(e, c);
        }
}

/* ---- rows of activations ---- */

static void norms(const struct emit *e, enum greta_op op) {
    static const uint32_t shapes[][2] = {{1, 1},    {2, 43},   {3, 64},    {1, 576},
                                         {5, 1029}, {2, 4096}, {1, 14336}, {70, 96}};
    for (unsigned i = 0; i < N(shapes); i++) {
        struct kc_case c = {.call = {.op = op}};
        /* The structs of scalars begin with the same words. */
        c.call.scalars.rms_norm =
            (struct greta_scalars_rms_norm){shapes[i][0], shapes[i][1], i % 2 ? 1e-5f : 1e-6f};
        emit_styles(e, c, normal_styles, 2);
    }
}

static void rope(const struct emit *e) {
    static const uint32_t heads[][2] = {{8, 8}, {64, 64}, {80, 32}, {128, 128}, {6, 4}, {256, 256}, {64, 2}};
    for (uint32_t mode = 0; mode < 2; mode++)
        for (unsigned i = 0; i < N(heads); i++) {
            struct kc_case c = {.call = {.op = GRETA_OP_ROPE, .keys = {mode}}};
            c.call.scalars.rope = (struct greta_scalars_rope){i % 2 ? 5 : 1, 1 + i, heads[i][0], heads[i][1]};
            c.step[1] = i % 3 ? 17 : 0;
            emit_styles(e, c, normal_styles, 2);
        }
}

static void kv_update(const struct emit *e) {
    static const uint32_t shapes[][4] = {
        {1, 8, 16, 0}, {4, 43, 16, 3}, {4, 192, 16, 14}, {1, 64, 16, 16}, {7, 1029, 9, 1}};
    for (uint32_t type = GRETA_TYPE_F32; type <= GRETA_TYPE_F16; type++)
        for (unsigned i = 0; i < N(shapes); i++) {
            struct kc_case c = {.call = {.op = GRETA_OP_KV_UPDATE, .keys = {type}}};
            c.call.scalars.kv_update =
                (struct greta_scalars_kv_update){shapes[i][0], shapes[i][1], shapes[i][2]};
            c.step[1] = shapes[i][3];
            emit_styles(e, c, (enum kc_style[]){KC_NORMAL, KC_SPECIAL}, 2);
            if (type == GRETA_TYPE_F32) continue;
            c.call.keys[0] = GRETA_TYPE_Q8_0;
            c.call.scalars.kv_update.n_cols = (shapes[i][1] + 31) / 32 * 32;
            emit_styles(e, c, (enum kc_style[]){KC_NORMAL, KC_SPECIAL, KC_OUTLIERS}, 3);
        }
}

static void rope_kv(const struct emit *e) {
    static const uint32_t heads[][2] = {{8, 8}, {64, 64}, {80, 32}, {128, 128}, {7, 4}, {256, 256}, {64, 2}};
    static const uint32_t steps[][2] = {{1, 0}, {5, 17}, {3, 30}, {1, 31}, {1, 32}, {70, 9}}; /* n_tok, pos */
    for (uint32_t mode = 0; mode < 2; mode++)
        for (uint32_t type = GRETA_TYPE_F32; type <= GRETA_TYPE_F16; type++)
            for (unsigned i = 0; i < N(heads); i++) {
                struct kc_case c = {.call = {.op = GRETA_OP_ROPE_KV, .keys = {mode, type}}};
                const uint32_t *step = steps[(i + mode) % N(steps)];
                c.call.scalars.rope_kv = (struct greta_scalars_rope_kv){
                    step[0],     2 * (1 + i % 3),        1 + i % 3, heads[i][0],
                    heads[i][1], step[0] > 64 ? 90 : 32, 1e-5f};
                c.step[1] = step[1];
                emit_styles(e, c, normal_styles, 2);
                /* norm, bias, both; and a cache in 8 bits */
                c.call.keys[2] = i % 3 != 1;
                c.call.keys[3] = i % 3 != 0;
                emit_styles(e, c, normal_styles, 2);
                if (heads[i][0] % 32) continue;
                c.call.keys[1] = GRETA_TYPE_Q8_0;
                if (type == GRETA_TYPE_F32) c.call.keys[2] = c.call.keys[3] = 0;
                emit_styles(e, c, normal_styles, 2);
            }
}

/* ---- attention ---- */

static void attn(const struct emit *e) {
    static const uint32_t dims[] = {8, 16, 40, 64, 80, 96, 128, 256};
    static const uint32_t heads[][2] = {{1, 1}, {4, 2}, {9, 3}, {8, 1}};
    static const uint32_t steps[][2] = {{1, 0},   {1, 37},  {3, 0},   {19, 5},
                                        {1, 300}, {33, 64}, {130, 0}, {70, 171}}; /* n_tok, pos */
    for (uint32_t type = GRETA_TYPE_F32; type <= GRETA_TYPE_F16; type++)
        for (unsigned d = 0; d < N(dims); d++)
            for (unsigned i = 0; i < N(steps); i++) {
                const uint32_t *h = heads[(d + i) % N(heads)];
                if (steps[i][0] > 64 && dims[d] % 64) continue; /* the long ones: the usual head sizes only */
                struct kc_case c = {.call = {.op = GRETA_OP_ATTN, .keys = {type, dims[d]}},
                                    .style = i % 2 ? KC_OUTLIERS : KC_NORMAL,
                                    .place = (d + i) % 2 ? KC_UNALIGNED : KC_ALIGNED};
                c.large = steps[i][0] > 64 && dims[d] > 128;
                c.step[1] = steps[i][1];
                c.call.scalars.attn = (struct greta_scalars_attn){
                    steps[i][0], h[0], h[1], i == 2 ? 3 : 512, 0, i == 4 ? 0.25f : 0.125f, 0};
                emit(e, &c);
                /* windows of one position, of some and of more than there are; caps that bend and that hardly do */
                c.call.scalars.attn.window = (const uint32_t[]){1, 7, 33, 400}[(d + i) % 4];
                c.call.scalars.attn.softcap = (const float[]){0, 1.5f, 50}[(d + i) % 3];
                emit(e, &c);
                if (type == GRETA_TYPE_F32 || dims[d] % 32) continue;
                c.call.keys[0] = GRETA_TYPE_Q8_0;
                emit(e, &c);
            }
}

/* Small keys and values, and one visible key: its value comes out as it was rounded. */
static void attn_special(const struct emit *e) {
    static const uint32_t types[] = {GRETA_TYPE_F32, GRETA_TYPE_F16, GRETA_TYPE_Q8_0}, toks[] = {1, 16, 33};
    for (unsigned t = 0; t < N(types); t++)
        for (unsigned i = 0; i < N(toks); i++) {
            struct kc_case c = {.call = {.op = GRETA_OP_ATTN, .keys = {types[t], 64u << i % 2}},
                                .style = KC_SPECIAL};
            c.call.scalars.attn = (struct greta_scalars_attn){toks[i], 4, 2, 64, i ? 0 : 1, 0.125f, 0};
            c.step[1] = i ? 0 : 7;
            emit(e, &c);
            c.call.scalars.attn.window = 1;
            emit(e, &c);
        }
}

/* One token in a cache of at most one chunk. */
static void attn_short(const struct emit *e) {
    static const uint32_t dims[] = {8, 40, 64, 80, 128, 256}, heads[][2] = {{1, 1}, {9, 3}, {8, 1}, {3, 3}};
    static const uint32_t contexts[][2] = {{1, 0}, {40, 38}, {256, 255}, {256, 100}}; /* n_ctx, pos */
    for (uint32_t type = GRETA_TYPE_F32; type <= GRETA_TYPE_F16; type++)
        for (unsigned d = 0; d < N(dims); d++)
            for (unsigned i = 0; i < N(contexts); i++) {
                const uint32_t *h = heads[(d + i + type) % N(heads)];
                struct kc_case c = {.call = {.op = GRETA_OP_ATTN, .keys = {type, dims[d]}},
                                    .style = i % 2 ? KC_OUTLIERS : KC_NORMAL,
                                    .place = (d + i) % 2 ? KC_UNALIGNED : KC_ALIGNED};
                c.step[1] = contexts[i][1];
                c.call.scalars.attn =
                    (struct greta_scalars_attn){1, h[0], h[1], contexts[i][0], 0, 0.125f, 0};
                emit(e, &c);
                c.call.scalars.attn.window = (const uint32_t[]){1, 5, 100, 300}[(d + i) % 4];
                c.call.scalars.attn.softcap = (const float[]){2, 0, 50}[(d + i) % 3];
                emit(e, &c);
                if (type == GRETA_TYPE_F32 || dims[d] % 32) continue;
                c.call.keys[0] = GRETA_TYPE_Q8_0;
                emit(e, &c);
            }
}

static void attn_split(const struct emit *e) {
    static const uint32_t dims[] = {8, 40, 64, 80, 128, 256}, n_kvs[] = {1, 255, 256, 257, 700, 1024};
    static const uint32_t heads[][2] = {{1, 1}, {9, 3}, {4, 2}, {8, 1}};
    for (uint32_t type = GRETA_TYPE_F32; type <= GRETA_TYPE_F16; type++)
        for (unsigned d = 0; d < N(dims); d++)
            for (unsigned i = d % 2; i < N(n_kvs); i += 2) {
                const uint32_t *h = heads[(d + i) % N(heads)];
                struct kc_case c = {.call = {.op = GRETA_OP_ATTN_SPLIT, .keys = {type, dims[d]}},
                                    .style = i % 3 ? KC_OUTLIERS : KC_NORMAL,
                                    .place = i / 2 % 2 ? KC_UNALIGNED : KC_ALIGNED};
                c.step[1] = n_kvs[i] - 1;
                c.call.scalars.attn_split =
                    (struct greta_scalars_attn_split){h[0], h[1], 1024, 4, 0, 0.125f, 0};
                emit(e, &c);
                c.call.scalars.attn_split.window = (const uint32_t[]){1, 200, 256, 600}[(d + i / 2) % 4];
                c.call.scalars.attn_split.softcap = (const float[]){0, 3, 50}[(d + i) % 3];
                emit(e, &c);
                if (type == GRETA_TYPE_F32 || dims[d] % 32) continue;
                c.call.keys[0] = GRETA_TYPE_Q8_0;
                emit(e, &c);
            }
}

static void attn_reduce(const struct emit *e) {
    static const uint32_t dims[] = {8, 40, 64, 80, 128, 256}, n_kvs[] = {1, 257, 1024, 20 * 256 - 1};
    for (unsigned d = 0; d < N(dims); d++)
        for (unsigned i = 0; i < N(n_kvs); i++) {
            struct kc_case c = {.call = {.op = GRETA_OP_ATTN_REDUCE, .keys = {dims[d]}},
                                .style = i % 2 ? KC_OUTLIERS : KC_NORMAL,
                                .place = i / 2 ? KC_UNALIGNED : KC_ALIGNED};
            c.step[1] = n_kvs[i] - 1;
            c.call.scalars.attn_reduce = (struct greta_scalars_attn_reduce){1 + 4 * d, i == 3 ? 20 : 4};
            emit(e, &c);
        }
}

/* ---- elements ---- */

static const uint32_t counts[] = {1, 31, 43, 1024, 65537};

static void elements(const struct emit *e, enum greta_op op) {
    for (unsigned i = 0; i < N(counts); i++) {
        struct kc_case c = {.call = {.op = op, .scalars.u32 = {counts[i]}}};
        if (op == GRETA_OP_FILL) c.call.scalars.fill.value = 0x7FC0ABCDu;
        if (op == GRETA_OP_SCALE) c.call.scalars.scale.scale = -2.5f;
        if (op == GRETA_OP_SOFTCAP) c.call.scalars.softcap.cap = i % 2 ? 30 : 0.5f;
        emit_styles(e, c, (enum kc_style[]){KC_NORMAL, KC_SPECIAL}, 2);
        c.call.keys[0] = 1;
        if (op == GRETA_OP_ACT_MUL) emit_styles(e, c, (enum kc_style[]){KC_NORMAL, KC_SPECIAL}, 2);
        c.call.keys[0] = 0;
        c.alias = op == GRETA_OP_ADD || op == GRETA_OP_SCALE || op == GRETA_OP_SOFTCAP;
        if (c.alias) emit(e, &c);
    }
}

static void cast(const struct emit *e) {
    for (uint32_t from = 0; from <= GRETA_TYPE_BF16; from++)
        for (uint32_t to = 0; to <= GRETA_TYPE_BF16; to++)
            for (unsigned i = 0; i < N(counts); i++) {
                struct kc_case c = {
                    .call = {.op = GRETA_OP_CAST, .keys = {from, to}, .scalars.cast = {counts[i]}}};
                emit_styles(e, c, (enum kc_style[]){KC_NORMAL, KC_SPECIAL}, 2);
            }
}

static void argmax(const struct emit *e) {
    static const uint32_t shapes[][2] = {{1, 1}, {3, 43}, {6, 1000}, {1, 32003}, {6, 257}, {2, 9024}};
    for (unsigned i = 0; i < N(shapes); i++) {
        struct kc_case c = {.call = {.op = GRETA_OP_ARGMAX}};
        c.call.scalars.argmax = (struct greta_scalars_argmax){shapes[i][0], shapes[i][1]};
        emit_styles(e, c, (enum kc_style[]){KC_NORMAL, KC_INTEGERS, KC_SPECIAL}, 3);
    }
}

static void top_k(const struct emit *e) {
    static const uint32_t shapes[][3] = {{1, 1, 1},     {2, 43, 7},      {1, 128, 128}, {3, 1000, 40},
                                         {2, 9024, 64}, {1, 32003, 128}, {1, 5000, 1}};
    for (unsigned i = 0; i < N(shapes); i++) {
        struct kc_case c = {.call = {.op = GRETA_OP_TOP_K}};
        c.call.scalars.top_k = (struct greta_scalars_top_k){shapes[i][0], shapes[i][1], shapes[i][2]};
        emit_styles(e, c, (enum kc_style[]){KC_NORMAL, KC_INTEGERS, KC_SPECIAL}, 3);
    }
}

static void quantize(const struct emit *e) {
    static const uint32_t shapes[][2] = {{1, 1}, {1, 32}, {3, 43}, {2, 576}, {5, 1029}, {33, 4096}};
    for (unsigned i = 0; i < N(shapes); i++) {
        struct kc_case c = {.call = {.op = GRETA_OP_QUANTIZE}};
        c.call.scalars.quantize = (struct greta_scalars_quantize){shapes[i][0], shapes[i][1]};
        emit_styles(e, c, (enum kc_style[]){KC_NORMAL, KC_OUTLIERS, KC_INTEGERS, KC_SPECIAL}, 4);
    }
}

void kc_cases(enum greta_op op, kc_case_fn *fn, void *user) {
    struct emit e = {fn, user};
    switch (op) {
    case GRETA_OP_ROW_LOOKUP: row_lookup(&e); break;
    case GRETA_OP_UNPACK: unpack(&e); break;
    case GRETA_OP_RMS_NORM:
    case GRETA_OP_BIAS_ADD:
    case GRETA_OP_ADD_RMS_NORM_QUANTIZE:
    case GRETA_OP_ADD_RMS_NORM: norms(&e, op); break;
    case GRETA_OP_ROPE: rope(&e); break;
    case GRETA_OP_KV_UPDATE: kv_update(&e); break;
    case GRETA_OP_ROPE_KV: rope_kv(&e); break;
    case GRETA_OP_MATVEC:
    case GRETA_OP_MATVEC_GLU: matvec(&e, op); break; /* the same scalars */
    case GRETA_OP_MATVEC_SPLIT: matvec_split(&e); break;
    case GRETA_OP_MATVEC_QKV: matvec_qkv(&e); break;
    case GRETA_OP_MATMUL: matmul(&e); break;
    case GRETA_OP_ATTN:
        attn(&e);
        attn_short(&e);
        attn_special(&e);
        break;
    case GRETA_OP_ATTN_SPLIT: attn_split(&e); break;
    case GRETA_OP_ATTN_REDUCE: attn_reduce(&e); break;
    case GRETA_OP_ARGMAX: argmax(&e); break;
    case GRETA_OP_TOP_K: top_k(&e); break;
    case GRETA_OP_CAST: cast(&e); break;
    case GRETA_OP_QUANTIZE: quantize(&e); break;
    case GRETA_OP_ACT_MUL:
    case GRETA_OP_SCALE:
    case GRETA_OP_SOFTCAP:
    case GRETA_OP_ADD:
    case GRETA_OP_FILL:
    case GRETA_OP_COPY: elements(&e, op); break;
    case GRETA_OP_GEMM: kc_cases_gemm(fn, user); break;
    default: kc_cases_norms(op, fn, user); break;
    }
}
