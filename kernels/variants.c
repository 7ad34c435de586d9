/* The table of variants, and what all rows have in common that they cannot serve. */
#include "variant.h"

/* In order of preference within each op and format. */
static struct variant_rows (*const tables[])(void) = {
    variant_rows_cpu,          variant_rows_cpu_dense,   variant_rows_vulkan_dot8,
    variant_rows_vulkan_lanes, variant_rows_vulkan,      variant_rows_vulkan_attn,
    variant_rows_vulkan_norms, variant_rows_vulkan_gemm, variant_rows_vulkan_matmul,
    variant_rows_hip_mfma,     variant_rows_hip_wmma,    variant_rows_hip};
enum { N_TABLES = sizeof tables / sizeof *tables };

uint32_t greta_variant_count(void) {
    uint32_t n = 0;
    for (int i = 0; i < N_TABLES; i++) n += tables[i]().n;
    return n;
}

const struct greta_variant *greta_variant_at(uint32_t i_variant) {
    for (int i = 0; i < N_TABLES; i++) {
        struct variant_rows t = tables[i]();
        if (i_variant < t.n) return &t.rows[i_variant];
        i_variant -= t.n;
    }
    return NULL;
}

const char *greta_variant_name(const struct greta_variant *variant) {
    return variant->name;
}
enum greta_op greta_variant_op(const struct greta_variant *variant) {
    return variant->op;
}
const struct greta_image *greta_variant_image(const struct greta_variant *variant) {
    return variant->image;
}

enum greta_image_format greta_variant_format(const struct greta_variant *variant) {
    return variant->format;
}

static const char *extras_refusal(uint32_t lacking) {
    static const char *const words[] = {"it does not norm its activations",
                                        "it does not add to what is there",
                                        "it adds no bias",
                                        "it rotates neighbours only, no halves",
                                        "it reads weights of one type only",
                                        "it has no Q8_0 cache",
                                        "it knows no window",
                                        "it knows no soft cap",
                                        "it has SiLU only"};
    return lacking ? words[__builtin_ctz(lacking)] : NULL;
}

static bool reads_type(const struct greta_variant *v, uint32_t type) {
    return type < 32 && v->w_types >> type & 1;
}

static bool reads_activations(const struct greta_variant *v, const struct greta_call *call) {
    uint32_t i = op_find_key(call->op, "x_type");
    return i != UINT32_MAX && call->keys[i] == v->x_type;
}

const char *greta_variant_refusal(const struct greta_variant *v, const struct greta_limits *limits,
                                  const struct greta_call *call) {
    const struct greta_op_info *info = greta_op_get_info(v->op);
    if (call->op != v->op) return "it is a row of another op";
    if (v->w_types) {
        if (!reads_type(v, call->keys[0]) || (v->op == GRETA_OP_MATVEC_QKV && !reads_type(v, call->keys[1])))
            return "it does not read this weight type";
        if (call->layout != v->layout) return "it reads weights in another layout";
    }
    if (v->w_types && !reads_activations(v, call) && v->op != GRETA_OP_ROW_LOOKUP && v->op != GRETA_OP_UNPACK)
        return "it reads activations of another type";
    const char *refusal = extras_refusal(op_extras(call) & ~v->extras);
    if (refusal) return refusal;
    if (v->format != GRETA_IMAGE_HOST && v->n_threads > limits->max_group_threads)
        return "its workgroup has more threads than the device allows";
    if (v->subgroup_size &&
        (v->subgroup_size < limits->subgroup_min || v->subgroup_size > limits->subgroup_max))
        return "the device has no subgroups of its size";
    const uint32_t n_words = info->n_scalars + (uint32_t)__builtin_popcount(v->keys_by_call);
    if (limits->max_args_bytes && 8 * info->n_bindings + 4 * n_words > limits->max_args_bytes)
        return "its arguments are larger than the device allows";
    return v->refusal ? v->refusal(v, limits, call) : NULL;
}
