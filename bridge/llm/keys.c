#include "keys.h"

#include <stdio.h>
#include <string.h>

const char *keys_name(struct keys *keys, const char *suffix) {
    snprintf(keys->name, sizeof keys->name, "%s.%s", keys->arch->name, suffix);
    return keys->name;
}

bool keys_has(struct keys *keys, const char *suffix) {
    return greta_gguf_key(keys->gguf, keys_name(keys, suffix)) != NULL;
}

const char *keys_type_name(const struct greta_gguf_value *value) {
    static const char *const names[] = {
        [GRETA_GGUF_U8] = "uint8",    [GRETA_GGUF_I8] = "int8",    [GRETA_GGUF_U16] = "uint16",
        [GRETA_GGUF_I16] = "int16",   [GRETA_GGUF_U32] = "uint32", [GRETA_GGUF_I32] = "int32",
        [GRETA_GGUF_F32] = "float32", [GRETA_GGUF_BOOL] = "bool",  [GRETA_GGUF_STRING] = "string",
        [GRETA_GGUF_ARRAY] = "array", [GRETA_GGUF_U64] = "uint64", [GRETA_GGUF_I64] = "int64",
        [GRETA_GGUF_F64] = "float64",
    };
    return (size_t)value->type < sizeof names / sizeof *names ? names[value->type] : "?";
}

bool keys_is(struct keys *keys, const char *suffix, const char *word) {
    struct greta_gguf_string s;

    return greta_gguf_get_string(keys->gguf, keys_name(keys, suffix), &s) && s.len == strlen(word) &&
           memcmp(s.data, word, s.len) == 0;
}

/* *found: whether there is a single value to read. */
static greta_status find(struct keys *keys, const char *suffix, bool required, bool *found) {
    const char *path = greta_gguf_path(keys->gguf), *name = keys_name(keys, suffix);
    const struct greta_gguf_value *value = greta_gguf_key(keys->gguf, name);

    *found = value != NULL;
    if (!value && required)
        return greta_fail(keys->log, GRETA_ERR_FORMAT, "%s: the key %s is missing: convert the model again",
                          path, name);
    if (value && value->type == GRETA_GGUF_ARRAY)
        return greta_fail(keys->log, GRETA_ERR_UNSUPPORTED,
                          "%s: %s differs from layer to layer, which is not supported: take another model",
                          path, name);
    return GRETA_OK;
}

greta_status keys_u32(struct keys *keys, const char *suffix, bool required, uint32_t min, uint32_t max,
                      uint32_t *out) {
    const char *path = greta_gguf_path(keys->gguf);
    uint64_t n;
    bool found;
    greta_status status = find(keys, suffix, required, &found);

    if (status || !found) return status;
    if (!greta_gguf_get_u64(keys->gguf, keys->name, &n))
        return greta_fail(keys->log, GRETA_ERR_FORMAT,
                          "%s: the key %s (%s) is not a whole number: convert the model again", path,
                          keys->name, keys_type_name(greta_gguf_key(keys->gguf, keys->name)));
    if (n < min || n > max)
        return greta_fail(keys->log, GRETA_ERR_FORMAT,
                          "%s: %s is %llu; it must be from %u to %u: convert the model again", path,
                          keys->name, (unsigned long long)n, min, max);
    *out = (uint32_t)n;
    return GRETA_OK;
}

greta_status keys_f64(struct keys *keys, const char *suffix, bool required, double min, double max,
                      double *out) {
    const char *path = greta_gguf_path(keys->gguf);
    double x;
    bool found;
    greta_status status = find(keys, suffix, required, &found);

    if (status || !found) return status;
    if (!greta_gguf_get_f64(keys->gguf, keys->name, &x))
        return greta_fail(keys->log, GRETA_ERR_FORMAT,
                          "%s: the key %s (%s) is not a number: convert the model again", path, keys->name,
                          keys_type_name(greta_gguf_key(keys->gguf, keys->name)));
    if (!(x >= min && x <= max))
        return greta_fail(keys->log, GRETA_ERR_FORMAT,
                          "%s: %s is %g; it must be from %g to %g: convert the model again", path, keys->name,
                          x, min, max);
    *out = x;
    return GRETA_OK;
}
