/* What a device can do at best, kept between runs: roof-<device>.json in the cache folder. */
#include "roof.h"

#include <greta/env.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static uint64_t hash_text(uint64_t hash, const char *text) {
    for (; *text; text++) hash = (hash ^ (unsigned char)*text) * UINT64_C(1099511628211);
    return hash;
}

/* NULL where there is no cache folder. */
static char *path_of(const struct greta_dev_info *info) {
    char *folder = NULL;
    if (greta_env_cache_dir(&folder) || !folder) return NULL;
    uint64_t hash = hash_text(hash_text(hash_text(UINT64_C(14695981039346656037), info->backend), info->name),
                              info->driver);
    size_t size = strlen(folder) + 40;
    char *path = malloc(size);
    mkdir(folder, 0777);
    if (path) snprintf(path, size, "%s/roof-%016llx.json", folder, (unsigned long long)hash);
    free(folder);
    return path;
}

bool roof_load(const struct greta_dev_info *info, struct bench_roof *out) {
    char *path = path_of(info);
    json_t *root = path ? json_load_file(path, 0, NULL) : NULL;
    out->copy_bytes_per_s = json_number_value(json_object_get(root, "copy_bytes_per_s"));
    out->flops_f32 = json_number_value(json_object_get(root, "flops_f32"));
    out->flops_f16 = json_number_value(json_object_get(root, "flops_f16"));
    bool found = out->copy_bytes_per_s > 0;
    json_decref(root);
    free(path);
    return found;
}

static double larger(double a, double b) {
    return a > b ? a : b;
}

/* What was once reached can be reached: a GPU whose clock was low when it was measured again lowers nothing. */
bool roof_save(const struct greta_dev_info *info, struct bench_roof *roof) {
    struct bench_roof before;
    roof_load(info, &before);
    roof->copy_bytes_per_s = larger(roof->copy_bytes_per_s, before.copy_bytes_per_s);
    roof->flops_f32 = larger(roof->flops_f32, before.flops_f32);
    roof->flops_f16 = larger(roof->flops_f16, before.flops_f16);
    char *path = path_of(info), *part = malloc(path ? strlen(path) + 32 : 1);
    json_t *root =
        json_pack("{ss ss sf sf sf}", "device", info->name, "driver", info->driver, "copy_bytes_per_s",
                  roof->copy_bytes_per_s, "flops_f32", roof->flops_f32, "flops_f16", roof->flops_f16);
    bool ok = path && part && root;
    if (ok) snprintf(part, strlen(path) + 32, "%s.%ld.part", path, (long)getpid());
    ok = ok && json_dump_file(root, part, JSON_INDENT(1)) == 0 && rename(part, path) == 0;
    if (!ok && path && part) unlink(part);
    json_decref(root);
    free(path);
    free(part);
    return ok;
}

void roof_of(const struct results *r, struct bench_roof *out) {
    json_t *value;
    size_t i;
    *out = (struct bench_roof){0};
    json_array_foreach(json_object_get(r->root, "results"), i, value) {
        const char *key = json_string_value(json_object_get(value, "key"));
        double flops = json_number_value(json_object_get(value, "tflop_per_s")) * 1e12;
        if (!key) continue;
        double bytes = json_number_value(json_object_get(value, "gb_per_s")) * 1e9;
        bool is_memory = strncmp(key, "roof/copy by", 12) == 0 || strncmp(key, "roof/read by", 12) == 0;
        if (is_memory && bytes > out->copy_bytes_per_s) out->copy_bytes_per_s = bytes;
        if (strncmp(key, "roof/F32/", 9) == 0) out->flops_f32 = flops;
        if ((strncmp(key, "roof/F16/", 9) == 0 || strncmp(key, "roof/BF16/", 10) == 0) &&
            flops > out->flops_f16)
            out->flops_f16 = flops;
    }
}
