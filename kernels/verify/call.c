/* What a call is, beyond its op: its weights, its activations, its text. */
#include "verify.h"

#include <stdio.h>
#include <string.h>

bool kc_is_product(enum greta_op op) {
    return op_find_key(op, "w_type") != UINT32_MAX && op_find_key(op, "x_type") != UINT32_MAX;
}

uint32_t kc_x_type(const struct greta_call *call) {
    return call->keys[op_find_key(call->op, "x_type")];
}

static uint32_t scalar_named(const struct greta_call *call, const char *name) {
    const struct greta_op_info *info = greta_op_get_info(call->op);
    for (uint32_t i = 0; i < info->n_scalars; i++)
        if (!strcmp(info->scalar_names[i], name)) return call->scalars.u32[i];
    return 0;
}

uint64_t kc_weight_rows(const struct greta_call *call, uint32_t i) {
    const struct greta_op_info *info = greta_op_get_info(call->op);
    if (op_find_key(call->op, "w_type") == UINT32_MAX || info->binding_names[i][0] != 'w') return 0;
    const struct greta_scalars_matvec_qkv *s = &call->scalars.matvec_qkv;
    if (call->op == GRETA_OP_MATVEC_QKV) return (uint64_t)(i ? s->n_head_kv : s->n_head) * s->head_dim;
    return scalar_named(call, "n_rows");
}

uint32_t kc_weight_type(const struct greta_call *call, uint32_t i) {
    return call->keys[call->op == GRETA_OP_MATVEC_QKV && i == 2];
}

uint64_t kc_weight_cols(const struct greta_call *call) {
    return scalar_named(call, "n_cols");
}

const char *kc_case_text(const struct kc_case *c, char *out, size_t size) {
    static const char *const styles[] = {"normal", "outliers", "integers", "special"};
    const struct greta_op_info *info = greta_op_get_info(c->call.op);
    size_t used = 0;
    out[0] = 0;
    for (uint32_t i = 0; i < info->n_keys && used < size; i++) {
        const struct greta_type_info *t =
            strstr(info->key_names[i], "type") ? greta_type_get_info(c->call.keys[i]) : NULL;
        used +=
            (size_t)(t ? snprintf(out + used, size - used, "%s %s, ", info->key_names[i], t->name)
                       : snprintf(out + used, size - used, "%s %u, ", info->key_names[i], c->call.keys[i]));
    }
    for (uint32_t i = 0; i < info->n_scalars && used < size; i++)
        if (!info->scalar_is_f32[i])
            used += (size_t)snprintf(out + used, size - used, "%s %u, ", info->scalar_names[i],
                                     c->call.scalars.u32[i]);
    if (used < size)
        snprintf(out + used, size - used, "pos %u, %s%s%s", c->step[1], styles[c->style],
                 c->place == KC_UNALIGNED ? ", unaligned" : "", c->alias ? ", in place" : "");
    return out;
}
