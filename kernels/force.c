/* Rows by name. */
#include "plan.h"

#include <stdio.h>
#include <string.h>

static bool same(const char *name, const char *text, size_t len) {
    return strlen(name) == len && !memcmp(name, text, len);
}

static int find_op(const char *text, size_t len) {
    for (int op = 0; op < GRETA_N_OPS; op++)
        if (same(greta_op_get_info((enum greta_op)op)->name, text, len)) return op;
    return -1;
}

/* The row of this op and name, one of the device's own format before any other. */
static const struct greta_variant *find_row(enum greta_image_format format, enum greta_op op,
                                            const char *text, size_t len) {
    const struct greta_variant *found = NULL;
    for (uint32_t i = 0; i < greta_variant_count(); i++) {
        const struct greta_variant *v = greta_variant_at(i);
        if (v->op == op && same(v->name, text, len) && (!found || v->format == format)) found = v;
    }
    return found;
}

static greta_status unknown_row(const struct greta_plan *plan, enum greta_op op, const char *text, size_t len,
                                const char *source) {
    char names[512] = "";
    size_t used = 0;
    for (uint32_t i = 0; i < greta_variant_count(); i++) {
        const struct greta_variant *v = greta_variant_at(i);
        if (v->op != op || v->format != plan->format || used + strlen(v->name) + 3 > sizeof names) continue;
        used += (size_t)snprintf(names + used, sizeof names - used, "%s%s", used ? ", " : "", v->name);
    }
    return greta_fail(plan->log, GRETA_ERR_INVALID,
                      "%s: %s has no row \"%.*s\" for this device; there are: %s", source,
                      greta_op_get_info(op)->name, (int)len, text, used ? names : "none");
}

const struct greta_variant *plan_find_row(struct greta_plan *plan, enum greta_op op, const char *text,
                                          size_t len) {
    const char *colon = memchr(text, ':', len);
    size_t name = colon ? (size_t)(colon - text) : len;
    const struct greta_variant *row = find_row(plan->format, op, text, name), *out = NULL;
    if (!row || row->format != plan->format || plan_instance_read(plan, row, text + name, len - name, &out))
        return NULL;
    return out;
}

static greta_status force_one(struct greta_plan *plan, const char *text, size_t len, const char *source) {
    const char *equal = memchr(text, '=', len);
    if (!equal)
        return greta_fail(plan->log, GRETA_ERR_INVALID, "%s: \"%.*s\" is not of the form op=row", source,
                          (int)len, text);
    size_t op_len = (size_t)(equal - text), row_len = len - op_len - 1;
    int op = find_op(text, op_len);
    if (op < 0)
        return greta_fail(plan->log, GRETA_ERR_INVALID, "%s: \"%.*s\" is no op", source, (int)op_len, text);
    const struct greta_variant *v = plan_find_row(plan, (enum greta_op)op, equal + 1, row_len);
    if (!v) return unknown_row(plan, (enum greta_op)op, equal + 1, row_len, source);
    if (plan->n_forced[op] == PLAN_MAX_FORCED)
        return greta_fail(plan->log, GRETA_ERR_INVALID, "%s: more than %d rows for %.*s", source,
                          PLAN_MAX_FORCED, (int)op_len, text);
    plan->forced[op][plan->n_forced[op]++] = v;
    return GRETA_OK;
}

greta_status plan_force(struct greta_plan *plan, const char *text, const char *source) {
    while (text && *text) {
        size_t len = strcspn(text, ",");
        if (len) {
            greta_status status = force_one(plan, text, len, source);
            if (status) return status;
        }
        text += len + (text[len] == ',');
    }
    return GRETA_OK;
}
