/* Rows with other constants than the table gives them: "matvec_wide:threads=128:rows=4". Plans keep them. */
#include "plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint32_t *constant_of(struct greta_variant *v, const struct variant_param *p) {
    return p->i_tunable == VARIANT_PARAM_THREADS ? &v->n_threads : &v->tunables[p->i_tunable];
}

static uint32_t n_values(const struct variant_param *p) {
    uint32_t n = 0;
    while (n < VARIANT_MAX_VALUES && p->values[n]) n++;
    return n;
}

uint32_t greta_variant_n_instances(const struct greta_variant *v) {
    uint32_t n = 1;
    for (uint32_t i = 0; i < v->n_params; i++) n *= n_values(&v->params[i]);
    return v->n_params ? 1 + n : 1;
}

static bool same_constants(const struct greta_variant *a, const struct greta_variant *b) {
    return a->n_threads == b->n_threads && !memcmp(a->tunables, b->tunables, sizeof a->tunables);
}

/*
 * A shader is told the format of a weight's type, not its number: it need not know the types, and a further type leaves its code as it is.
 */
uint32_t variant_key_constant(const struct greta_variant *v, uint32_t i_key, uint32_t value) {
    const char *name = greta_op_get_info(v->op)->key_names[i_key];
    if (v->keys_by_call >> i_key & 1) return 0;
    if (v->format != GRETA_IMAGE_SPIRV || (strcmp(name, "w_type") && strcmp(name, "v_type"))) return value;
    return GRETA_WEIGHT_FORMAT(value);
}

/* The plan's copy of the row with these constants; the row itself where they are its own. */
static greta_status keep(struct greta_plan *plan, const struct greta_variant *row,
                         const struct greta_variant *wanted, const struct greta_variant **out) {
    greta_status status = GRETA_OK;
    *out = same_constants(row, wanted) ? row : NULL;
    if (*out) return GRETA_OK;
    pthread_mutex_lock(&plan->lock);
    for (struct plan_instance *i = plan->instances; i && !*out; i = i->next)
        if (i->row == row && same_constants(&i->variant, wanted)) *out = &i->variant;
    struct plan_instance *made = *out ? NULL : calloc(1, sizeof *made);
    if (made) {
        *made = (struct plan_instance){.next = plan->instances, .row = row, .variant = *wanted};
        int used = snprintf(made->name, sizeof made->name, "%s", row->name);
        for (uint32_t i = 0; i < row->n_params && used > 0 && (size_t)used < sizeof made->name; i++)
            used += snprintf(made->name + used, sizeof made->name - (size_t)used, ":%s=%u",
                             row->params[i].name, *constant_of(&made->variant, &row->params[i]));
        made->variant.name = made->name;
        plan->instances = made;
        *out = &made->variant;
    }
    if (!*out) status = GRETA_ERR_NO_MEMORY;
    pthread_mutex_unlock(&plan->lock);
    return status;
}

void variant_instance(const struct greta_variant *row, uint32_t i_instance, struct greta_variant *out) {
    *out = *row;
    for (uint32_t i = 0, rest = i_instance - 1; i_instance && i < row->n_params; i++) {
        const struct variant_param *p = &row->params[i];
        *constant_of(out, p) = p->values[rest % n_values(p)];
        rest /= n_values(p);
    }
}

greta_status greta_plan_instance(struct greta_plan *plan, const struct greta_variant *row,
                                 uint32_t i_instance, const struct greta_variant **out) {
    struct greta_variant wanted;
    *out = NULL;
    if (i_instance >= greta_variant_n_instances(row)) return GRETA_ERR_NOT_FOUND;
    variant_instance(row, i_instance, &wanted);
    return keep(plan, row, &wanted, out);
}

/* "rows=4" of a text that goes on with ':' or ends at `end`. Where it stops, or NULL where it is none of the row's. */
static const char *read_param(const struct greta_variant *row, const char *text, const char *end,
                              struct greta_variant *wanted) {
    for (uint32_t i = 0; i < row->n_params; i++) {
        const struct variant_param *p = &row->params[i];
        size_t n = strlen(p->name);
        uint32_t value = 0;
        if ((size_t)(end - text) <= n || memcmp(text, p->name, n) != 0 || text[n] != '=') continue;
        for (text += n + 1; text < end && *text >= '0' && *text <= '9' && value < 1u << 20; text++)
            value = 10 * value + (uint32_t)(*text - '0');
        *constant_of(wanted, p) = value;
        for (uint32_t k = 0; k < n_values(p); k++)
            if (p->values[k] == value) return text;
        return NULL;
    }
    return NULL;
}

greta_status plan_instance_read(struct greta_plan *plan, const struct greta_variant *row, const char *text,
                                size_t len, const struct greta_variant **out) {
    struct greta_variant wanted = *row;
    const char *end = text + len;
    *out = NULL;
    while (text && text < end && *text == ':') text = read_param(row, text + 1, end, &wanted);
    if (text != end) return GRETA_ERR_INVALID;
    return keep(plan, row, &wanted, out);
}

void plan_instances_free(struct greta_plan *plan) {
    while (plan->instances) {
        struct plan_instance *next = plan->instances->next;
        free(plan->instances);
        plan->instances = next;
    }
}
