/*
 * Code objects inside a clang offload bundle: "__CLANG_OFFLOAD_BUNDLE__", the number of entries, then for each one its offset,
 * size and id ("hipv4-amdgcn-amd-amdhsa--gfx942:sramecc+"), all numbers 64 bits little-endian (clang's documentation,
 * ClangOffloadBundler). Images come from files that others built: nothing in them is believed.
 */
#include "hip.h"

#include <stdio.h>
#include <string.h>

static const char magic[] = "__CLANG_OFFLOAD_BUNDLE__";
static const char triple[] = "amdgcn-amd-amdhsa--";
enum { MAGIC_BYTES = sizeof magic - 1, MAX_ID_BYTES = 256, MAX_ENTRIES = 256 };

struct entry {
    uint64_t offset, size;
    const char *id;
    size_t id_bytes;
};

struct bundle {
    const unsigned char *data;
    size_t size, at;
    uint64_t n_left;
};

static bool read_u64(struct bundle *b, uint64_t *out) {
    if (b->size - b->at < 8) return false;
    *out = 0;
    for (int i = 0; i < 8; i++) *out |= (uint64_t)b->data[b->at++] << (8 * i);
    return true;
}

static bool bundle_begin(const struct greta_image *image, struct bundle *b) {
    *b = (struct bundle){.data = image->data, .size = image->size_bytes, .at = MAGIC_BYTES};
    return image->size_bytes >= MAGIC_BYTES + 8 && memcmp(image->data, magic, MAGIC_BYTES) == 0 &&
           read_u64(b, &b->n_left) && b->n_left <= MAX_ENTRIES;
}

static bool bundle_next(struct bundle *b, struct entry *e) {
    uint64_t id_bytes;
    if (!read_u64(b, &e->offset) || !read_u64(b, &e->size) || !read_u64(b, &id_bytes)) return false;
    if (id_bytes > MAX_ID_BYTES || id_bytes > b->size - b->at) return false;
    if (e->offset > b->size || e->size > b->size - e->offset) return false;
    e->id = (const char *)b->data + b->at;
    e->id_bytes = (size_t)id_bytes;
    b->at += (size_t)id_bytes;
    b->n_left--;
    return true;
}

/* The part of the id behind the triple, "gfx942:sramecc+"; NULL for the host's entry and other foreign ones. */
static const char *entry_target(const struct entry *e, size_t *bytes) {
    for (size_t i = 0; i + sizeof triple - 1 <= e->id_bytes; i++) {
        if (memcmp(e->id + i, triple, sizeof triple - 1) != 0) continue;
        *bytes = e->id_bytes - i - (sizeof triple - 1);
        return e->id + i + sizeof triple - 1;
    }
    return NULL;
}

static bool has_mode(const char *target, const char *mode, size_t n) {
    for (const char *p = strchr(target, ':'); p; p = strchr(p + 1, ':'))
        if (strncmp(p + 1, mode, n) == 0 && (p[1 + n] == ':' || !p[1 + n])) return true;
    return false;
}

/* The same architecture, and each mode that the code names is the device's; code that names none runs in all. */
static bool serves(const char *code, size_t n, const char *target) {
    const char *colon = memchr(code, ':', n), *end = code + n;
    size_t arch = colon ? (size_t)(colon - code) : n;
    if (strcspn(target, ":") != arch || strncmp(code, target, arch) != 0) return false;
    while (colon) {
        const char *mode = colon + 1;
        colon = memchr(mode, ':', (size_t)(end - mode));
        if (!has_mode(target, mode, (size_t)((colon ? colon : end) - mode))) return false;
    }
    return true;
}

static void add_name(char *list, size_t size, const char *name, size_t n) {
    size_t used = strlen(list);
    snprintf(list + used, size - used, "%s%.*s", used ? ", " : "", (int)n, name);
}

static greta_status malformed(const struct greta_log *log, const struct greta_image *image,
                              const char *what) {
    return greta_fail(log, GRETA_ERR_FORMAT, "hip: module %s: %s", image->name ? image->name : "?", what);
}

greta_status hip_code_find(const struct greta_log *log, const struct greta_image *image, const char *target,
                           struct hip_code *out) {
    struct bundle b;
    struct entry e;
    char held[256] = "";
    *out = (struct hip_code){0};
    if (!bundle_begin(image, &b)) return malformed(log, image, "not an offload bundle");
    while (b.n_left) {
        size_t n = 0;
        if (!bundle_next(&b, &e))
            return malformed(log, image, "an offload bundle that is cut off or damaged");
        const char *code = entry_target(&e, &n);
        if (!code) continue;
        add_name(held, sizeof held, code, n);
        if (!out->data && serves(code, n, target)) {
            out->data = b.data + e.offset;
            out->size_bytes = (size_t)e.size;
        }
    }
    if (!out->data)
        return greta_fail(log, GRETA_ERR_UNSUPPORTED, "hip: %s has no code for %s: it holds %s",
                          image->name ? image->name : "a module", target, held[0] ? held : "none at all");
    greta_status status = hip_notes_read(out);
    if (status == GRETA_ERR_NO_MEMORY) return greta_fail(log, status, "hip: out of memory");
    return status == GRETA_OK ? GRETA_OK : malformed(log, image, "a code object whose notes cannot be read");
}
