#include "internal.h"

#include <greta/weights.h>

struct file_type {
    const char *name;
    uint16_t elements, bytes;
};

/* Rows by ggml's type number: the types that the kernels know, */
#define GGUF_TYPE(X, name, ggml, elements, bytes) [ggml] = {#name, elements, bytes},
static const struct file_type weights[] = {GRETA_WEIGHT_LIST(GGUF_TYPE, -)};

/* and others that a file may hold. */
static const struct file_type others[] = {
    [9] = {"Q8_1", 32, 36}, [15] = {"Q8_K", 256, 292}, [24] = {"I8", 1, 1},  [25] = {"I16", 1, 2},
    [26] = {"I32", 1, 4},   [27] = {"I64", 1, 8},      [28] = {"F64", 1, 8}, [40] = {"NVFP4", 64, 36},
};

/* NULL: ggml removed the number or never used it. */
static const struct file_type *find(uint32_t t) {
    if (t < sizeof weights / sizeof *weights && weights[t].name) return &weights[t];
    return t < sizeof others / sizeof *others && others[t].name ? &others[t] : NULL;
}

const char *greta_gguf_type_name(uint32_t ggml_type) {
    const struct file_type *t = find(ggml_type);
    return t ? t->name : "?";
}

bool greta_gguf_type_block(uint32_t ggml_type, uint32_t *elements, uint32_t *bytes) {
    const struct file_type *t = find(ggml_type);
    *elements = t ? t->elements : 0;
    *bytes = t ? t->bytes : 0;
    return t;
}
