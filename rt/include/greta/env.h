/* The environment variables that GRETA reads: this list is all of them, and rt/env.c the one place that reads them. */
#ifndef GRETA_ENV_H
#define GRETA_ENV_H

#include <greta/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/* X(NAME, what it does). The variable is GRETA_<NAME>. */
#define GRETA_ENV_LIST(X)                                                                                  \
    X(DEVICE, "which device: hip:0, vulkan:1, cpu; a name alone is its first device; unset: the best one") \
    X(CACHE, "folder for compiled pipelines and models; empty: none; unset: XDG_CACHE_HOME/greta")         \
    X(VALIDATION, "1: the graphics API's validation layer")                                                \
    X(BARRIER, "always: a barrier before every command, to find a missing one")                            \
    X(LOG, "how much the programs say: error, warn, info, debug")                                          \
    X(FORCE, "kernel rows by name, as in matmul=matmul_simple,attn=attn_simple")                           \
    X(TUNING, "the tuning database; empty: none; unset: tuning.db in the cache folder")                    \
    X(VULKAN_LIBRARY, "the Vulkan library to open in place of libvulkan.so.1")                             \
    X(HIP_LIBRARY, "the HIP library to open in place of libamdhip64.so.7 or .so.6")                        \
    X(HIPBLAS_LIBRARY, "the hipBLAS library that greta bench gemm compares with, in place of libhipblas.so.3 or .so.2")

enum greta_env {
#define GRETA_ENV_ENUM(name, text) GRETA_ENV_##name,
    GRETA_ENV_LIST(GRETA_ENV_ENUM)
#undef GRETA_ENV_ENUM
        GRETA_N_ENVS
};

/* The variable's value, or NULL where it is unset. Borrowed from the environment. */
GRETA_API const char *greta_env_get(enum greta_env env);
/* "GRETA_DEVICE", and its line above; for help texts. Never NULL. */
GRETA_API const char *greta_env_name(enum greta_env env);
GRETA_API const char *greta_env_text(enum greta_env env);
/* The folder for what can be made again: $GRETA_CACHE, else $XDG_CACHE_HOME/greta, else ~/.cache/greta. malloc'ed; NULL where
 * there is none. It need not exist. ERR_NO_MEMORY. */
GRETA_API GRETA_MUST_USE greta_status greta_env_cache_dir(char **out);

#ifdef __cplusplus
}
#endif
#endif
