/* What is known of the ops, as data made from their X-macros; the element types; what a call wants of its op. */
#include "variant.h"
#include "weight_types.h"

#include <string.h>

#define ONE(name) +1
#define TEXT(name) #name,
#define ACCESS_READ(name) GRETA_READ,
#define ACCESS_WRITE(name) GRETA_WRITE,
#define ACCESS_BOTH(name) GRETA_READ_WRITE,
#define IS_F32(name) true,
#define IS_U32(name) false,

/* The element behind the last one only keeps an empty list legal. */
#define OP_INFO(NAME, lname)                                                                                 \
    [GRETA_OP_##NAME] = {                                                                                    \
        .name = #lname,                                                                                      \
        .n_bindings = 0 GRETA_ARGS_##NAME(ONE, ONE, ONE, GRETA_NOTHING, GRETA_NOTHING),                      \
        .n_scalars = 0 GRETA_ARGS_##NAME(GRETA_NOTHING, GRETA_NOTHING, GRETA_NOTHING, ONE, ONE),             \
        .n_keys = 0 GRETA_KEYS_##NAME(ONE),                                                                  \
        .binding_names = {GRETA_ARGS_##NAME(TEXT, TEXT, TEXT, GRETA_NOTHING, GRETA_NOTHING) NULL},           \
        .scalar_names = {GRETA_ARGS_##NAME(GRETA_NOTHING, GRETA_NOTHING, GRETA_NOTHING, TEXT, TEXT) NULL},   \
        .key_names = {GRETA_KEYS_##NAME(TEXT) NULL},                                                         \
        .access = {GRETA_ARGS_##NAME(ACCESS_READ, ACCESS_WRITE, ACCESS_BOTH, GRETA_NOTHING, GRETA_NOTHING)}, \
        .scalar_is_f32 = {GRETA_ARGS_##NAME(GRETA_NOTHING, GRETA_NOTHING, GRETA_NOTHING, IS_U32, IS_F32)},   \
    },

static const struct greta_op_info op_infos[GRETA_N_OPS] = {GRETA_OP_LIST(OP_INFO)};

/* The argument block holds 8 bytes a binding and 4 a scalar, at most 128; every struct of scalars is just
 * these words. */
#define OP_FITS(NAME, lname)                                                                             \
    _Static_assert(8 * (0 GRETA_ARGS_##NAME(ONE, ONE, ONE, GRETA_NOTHING, GRETA_NOTHING)) +              \
                           sizeof(struct greta_scalars_##lname) <=                                       \
                       128,                                                                              \
                   #lname ": more than 128 bytes of arguments");                                         \
    _Static_assert(sizeof(struct greta_scalars_##lname) ==                                               \
                       4 * (0 GRETA_ARGS_##NAME(GRETA_NOTHING, GRETA_NOTHING, GRETA_NOTHING, ONE, ONE)), \
                   #lname ": padding among its scalars");                                                \
    _Static_assert((0 GRETA_ARGS_##NAME(ONE, ONE, ONE, GRETA_NOTHING, GRETA_NOTHING)) <                  \
                           GRETA_OP_MAX_BINDINGS &&                                                      \
                       (0 GRETA_KEYS_##NAME(ONE)) < GRETA_OP_MAX_KEYS,                                   \
                   #lname ": too many bindings or keys");
GRETA_OP_LIST(OP_FITS)

const struct greta_op_info *greta_op_get_info(enum greta_op op) {
    return (unsigned)op < GRETA_N_OPS ? &op_infos[op] : NULL;
}

/* ---- types ---- */

#define TYPE_INFO(X, name, ggml, elements, bytes) \
    [GRETA_TYPE_##name] = {#name, GRETA_TYPE_##name, ggml, elements, bytes, (elements) > 1},
static const struct greta_type_info type_infos[] = {GRETA_WEIGHT_LIST(TYPE_INFO, -)};
enum { N_FILE_TYPES = sizeof type_infos / sizeof *type_infos };

_Static_assert(N_FILE_TYPES == GRETA_N_WEIGHT_TYPES,
               "the numbers of the types of weights are 0, 1 .. without gaps");

/* Types that no file holds. */
static const struct greta_type_info type_u32 = {"U32", GRETA_TYPE_U32, UINT32_MAX, 1, 4, false};
static const struct greta_type_info type_i8 = {"I8", GRETA_TYPE_I8, UINT32_MAX, 1, 1, false};
static const struct greta_type_info type_fp8 = {"FP8", GRETA_TYPE_FP8, UINT32_MAX, 1, 1, false};
static const struct greta_type_info type_q8a = {"Q8A", GRETA_TYPE_Q8A, UINT32_MAX, 32, 40, true};

const struct greta_type_info *greta_type_get_info(uint32_t type) {
    if (type < N_FILE_TYPES) return &type_infos[type];
    switch (type) {
    case GRETA_TYPE_U32: return &type_u32;
    case GRETA_TYPE_Q8A: return &type_q8a;
    case GRETA_TYPE_I8: return &type_i8;
    case GRETA_TYPE_FP8: return &type_fp8;
    default: return NULL;
    }
}

const struct greta_type_info *greta_type_from_ggml(uint32_t ggml_type) {
    for (unsigned i = 0; i < N_FILE_TYPES; i++)
        if (type_infos[i].ggml_type == ggml_type) return &type_infos[i];
    return NULL;
}

/* ---- calls ---- */

uint32_t op_find_key(enum greta_op op, const char *name) {
    const struct greta_op_info *info = &op_infos[op];
    for (uint32_t i = 0; i < info->n_keys; i++)
        if (!strcmp(info->key_names[i], name)) return i;
    return UINT32_MAX;
}

static bool key_is(const struct greta_call *call, const char *name, uint32_t value) {
    uint32_t i = op_find_key(call->op, name);
    return i != UINT32_MAX && call->keys[i] == value;
}

uint32_t op_extras(const struct greta_call *call) {
    const union greta_scalars *s = &call->scalars;
    uint32_t extras = 0;
    if (key_is(call, "norm", 1)) extras |= EXTRA_NORM;
    if (key_is(call, "add", 1)) extras |= EXTRA_ADD;
    if (key_is(call, "bias", 1)) extras |= EXTRA_BIAS;
    if (key_is(call, "act", GRETA_ACT_GELU)) extras |= EXTRA_GELU;
    if (key_is(call, "kv_type", GRETA_TYPE_Q8_0)) extras |= EXTRA_KV_Q8_0;
    if (call->op == GRETA_OP_MATVEC_QKV) {
        if (key_is(call, "mode", 1)) extras |= EXTRA_HALVES;
        if (!key_is(call, "v_type", call->keys[0])) extras |= EXTRA_V_TYPE;
    }
    bool split = call->op == GRETA_OP_ATTN_SPLIT;
    if (split || call->op == GRETA_OP_ATTN) {
        if (split ? s->attn_split.window : s->attn.window) extras |= EXTRA_WINDOW;
        if ((split ? s->attn_split.softcap : s->attn.softcap) > 0) extras |= EXTRA_SOFTCAP;
    }
    return extras;
}
