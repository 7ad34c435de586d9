/* The device code that is in this program, piece by piece. */
#include "io.h"
#include "tune.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const char *extension(enum greta_image_format format) {
    return format == GRETA_IMAGE_SPIRV ? "spv" : "co";
}

static bool write_image(const char *dir, const char *name, const struct greta_image *image) {
    char path[1024];
    snprintf(path, sizeof path, "%s/%s.%s", dir, name, extension(image->format));
    FILE *file = fopen(path, "wb");
    bool ok = file && fwrite(image->data, 1, image->size_bytes, file) == image->size_bytes;
    if (file && fclose(file)) ok = false;
    if (!ok) say("%s: cannot be written: %s", path, strerror(errno));
    return ok;
}

static bool is_first(uint32_t i_variant, const struct greta_image *image) {
    for (uint32_t i = 0; i < i_variant; i++)
        if (greta_variant_image(greta_variant_at(i)) == image) return false;
    return true;
}

static bool print_image(uint32_t first, const struct greta_image *image, const char *name) {
    static const char *const formats[] = {"host", "spirv", "amdgpu"};
    bool ok = out_printf("%-7s %-28s %016llx %8zu bytes\n", formats[image->format], name,
                         (unsigned long long)greta_tune_image_hash(image), image->size_bytes);
    for (uint32_t i = first; i < greta_variant_count() && ok; i++) {
        const struct greta_variant *v = greta_variant_at(i);
        uint32_t n = greta_variant_n_instances(v);
        if (greta_variant_image(v) != image) continue;
        ok = n > 1 ? out_printf("          %s, and %u sets of constants\n", greta_variant_name(v), n - 1)
                   : out_printf("          %s\n", greta_variant_name(v));
    }
    return ok;
}

bool tune_images(const struct tune_request *q) {
    bool ok = true;
    if (q->dir && mkdir(q->dir, 0777) && errno != EEXIST) {
        say("%s: cannot make the folder: %s", q->dir, strerror(errno));
        return false;
    }
    for (uint32_t i = 0; i < greta_variant_count() && ok; i++) {
        const struct greta_variant *v = greta_variant_at(i);
        const struct greta_image *image = greta_variant_image(v);
        if (image->format == GRETA_IMAGE_HOST || !is_first(i, image)) continue;
        const char *name = image->name ? image->name : greta_variant_name(v);
        ok = print_image(i, image, name) && (!q->dir || write_image(q->dir, name, image));
    }
    return ok && out_flush();
}
