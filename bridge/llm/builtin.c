/*
 * The model that is part of the library. Its bytes are builtin_data.S, made from bridge/builtin/stories.gguf.
 */
#include <greta/llm.h>

#ifdef GRETA_WITH_BUILTIN_MODEL
extern const unsigned char llm_builtin_model[], llm_builtin_model_end[];

bool greta_builtin_model(const void **data, size_t *size_bytes) {
    *data = llm_builtin_model;
    *size_bytes = (size_t)(llm_builtin_model_end - llm_builtin_model);
    return true;
}
#else
bool greta_builtin_model(const void **data, size_t *size_bytes) {
    *data = NULL;
    *size_bytes = 0;
    return false;
}
#endif
