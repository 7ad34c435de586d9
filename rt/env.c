#include "internal.h"

#include <greta/env.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name, *text;
} envs[GRETA_N_ENVS] = {
#define ROW(name, text) {"GRETA_" #name, text},
    GRETA_ENV_LIST(ROW)
#undef ROW
};

static bool known(enum greta_env env) {
    return (unsigned)env < GRETA_N_ENVS;
}

const char *greta_env_get(enum greta_env env) {
    return known(env) ? getenv(envs[env].name) : NULL;
}

const char *greta_env_name(enum greta_env env) {
    return known(env) ? envs[env].name : "?";
}

const char *greta_env_text(enum greta_env env) {
    return known(env) ? envs[env].text : "?";
}

const char *rt_env_library(const char *backend) {
    char name[64];
    int n = snprintf(name, sizeof name, "GRETA_%s_LIBRARY", backend);
    if (n < 0 || (size_t)n >= sizeof name) return NULL;
    for (char *p = name; *p; p++)
        if (*p >= 'a' && *p <= 'z') *p = (char)(*p - 'a' + 'A');
    for (int i = 0; i < GRETA_N_ENVS; i++)
        if (strcmp(envs[i].name, name) == 0) return greta_env_get((enum greta_env)i);
    return NULL;
}

static greta_status join(const char *folder, const char *below, char **out) {
    size_t bytes = strlen(folder) + strlen(below) + 1;
    *out = malloc(bytes);
    if (!*out) return GRETA_ERR_NO_MEMORY;
    snprintf(*out, bytes, "%s%s", folder, below);
    return GRETA_OK;
}

greta_status rt_env_cache_dir(const char *wanted, char **out) {
    *out = NULL;
    if (!wanted) wanted = greta_env_get(GRETA_ENV_CACHE);
    if (wanted) return *wanted ? join(wanted, "", out) : GRETA_OK;
    const char *xdg = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    if (xdg && *xdg == '/')
        return join(xdg, "/greta", out); /* its specification: a relative path is ignored */
    if (home && *home) return join(home, "/.cache/greta", out);
    return GRETA_OK;
}

greta_status greta_env_cache_dir(char **out) {
    return rt_env_cache_dir(NULL, out);
}
