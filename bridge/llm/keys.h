/* Keys of a model's file, by what follows the architecture's name, checked. */
#ifndef LLM_KEYS_H
#define LLM_KEYS_H

#include <greta/gguf.h>

#include "arch.h"

struct keys {
    const struct greta_gguf *gguf;
    const struct greta_log *log;
    const struct arch *arch;
    char name[96]; /* the last one asked for, whole */
};

/* The whole name of a key, in keys->name: "llama.context_length". */
const char *keys_name(struct keys *keys, const char *suffix);
bool keys_has(struct keys *keys, const char *suffix);
const char *keys_type_name(const struct greta_gguf_value *value); /* as GGUF names it: "uint32" */
bool keys_is(struct keys *keys, const char *suffix, const char *word); /* a string, and this one */
/*
 * A number in [min, max]; *out is left as it is where the key is missing and not required. Errors name the file and the
 * key.
 */
GRETA_MUST_USE greta_status keys_u32(struct keys *keys, const char *suffix, bool required, uint32_t min,
                                     uint32_t max, uint32_t *out);
GRETA_MUST_USE greta_status keys_f64(struct keys *keys, const char *suffix, bool required, double min,
                                     double max, double *out);

#endif
