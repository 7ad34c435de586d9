/*
 * Code objects as the backend reads them: a sound bundle's facts, then bundles that are cut off, changed in one byte, or that lie.
 * Nothing may crash or leak; this test is worth most under the sanitizers.
 */
#include "check.h"

#include "hip.h"

#include <string.h>

static char said[1024];

static void hear(void *user, enum greta_log_level level, const char *message) {
    (void)user, (void)level;
    snprintf(said, sizeof said, "%s", message);
}
static const struct greta_log log_to = {.fn = hear, .max_level = GRETA_LOG_DEBUG};

static greta_status find(const void *data, size_t size, const char *target, struct hip_code *code) {
    const struct greta_image image = {GRETA_IMAGE_AMDGPU, data, size, "test"};
    said[0] = 0;
    greta_status status = hip_code_find(&log_to, &image, target, code);
    if (status != GRETA_OK) CHECK(said[0] && !code->data && !code->kernels && !code->n_kernels);
    return status;
}

/* ---- sound ------------------------------------------------------------------------------------------------------------ */

static void facts(const char *target, uint32_t subgroup_size) {
    const struct greta_image *image = &hip_update_image;
    struct hip_code code;
    if (!CHECK(find(image->data, image->size_bytes, target, &code) == GRETA_OK)) return;
    if (CHECK(code.n_kernels == 1)) {
        const struct hip_facts *k = code.kernels;
        CHECK(strcmp(k->name, "update") == 0);
        CHECK(k->info.subgroup_size == subgroup_size && k->info.n_registers > 0 && k->info.n_registers <= 16);
        CHECK(k->info.scratch_bytes == 0 && k->info.lds_bytes == 0);
        CHECK(k->args_bytes == 272 && k->max_threads == 64);
    }
    hip_code_free(&code);
    CHECK(!code.kernels);
}

static void targets(int n_archs, char **archs) {
    const struct greta_image *image = &hip_update_image;
    struct hip_code code;
    char target[64];
    for (int i = 0; i < n_archs; i++) {
        uint32_t wave = strncmp(archs[i], "gfx9", 4) == 0 ? 64 : 32;
        facts(archs[i], wave);
        snprintf(target, sizeof target, "%s:sramecc+:xnack-", archs[i]);
        facts(target, wave); /* code that names no mode runs in all */
    }
    CHECK(find(image->data, image->size_bytes, "gfx94", &code) == GRETA_ERR_UNSUPPORTED);
    CHECK(find(image->data, image->size_bytes, "gfx9420", &code) == GRETA_ERR_UNSUPPORTED);
    CHECK(find(image->data, image->size_bytes, "gfx906:xnack-", &code) == GRETA_ERR_UNSUPPORTED);
    CHECK(strstr(said, "gfx906:xnack-") != NULL);
    for (int i = 0; i < n_archs; i++) CHECK(strstr(said, archs[i]) != NULL);
}

/* ---- made by hand ------------------------------------------------------------------------------------------------------- */

struct made {
    unsigned char bytes[8192];
    size_t n;
};

static void put(struct made *m, const void *data, size_t n) {
    memcpy(m->bytes + m->n, data, n);
    m->n += n;
}

static void put_u64(struct made *m, uint64_t value) {
    for (int i = 0; i < 8; i++) m->bytes[m->n++] = (unsigned char)(value >> (8 * i));
}

/* A bundle of one entry, whose code object is that of gfx942. */
static void make(struct made *m, const char *id, uint64_t offset, uint64_t size, uint64_t id_bytes) {
    m->n = 0;
    put(m, "__CLANG_OFFLOAD_BUNDLE__", 24);
    put_u64(m, 1);
    put_u64(m, offset);
    put_u64(m, size);
    put_u64(m, id_bytes);
    put(m, id, strlen(id));
}

static void modes(void) {
    enum { AT = 512 };
    struct hip_code elf, code;
    struct made m = {.n = 0};
    const struct greta_image *image = &hip_update_image;
    if (!CHECK(find(image->data, image->size_bytes, "gfx942", &elf) == GRETA_OK) ||
        !CHECK(elf.size_bytes <= sizeof m.bytes - AT))
        return;
    static const struct {
        const char *id, *target;
        bool serves;
    } cases[] = {{"hipv4-amdgcn-amd-amdhsa--gfx942", "gfx942", true},
                 {"hip-amdgcn-amd-amdhsa--gfx942:xnack-", "gfx942:sramecc+:xnack-", true},
                 {"hipv4-amdgcn-amd-amdhsa--gfx942:sramecc+:xnack-", "gfx942:sramecc+:xnack-", true},
                 {"hipv4-amdgcn-amd-amdhsa--gfx942:xnack+", "gfx942:sramecc+:xnack-", false},
                 {"hipv4-amdgcn-amd-amdhsa--gfx942:xnack", "gfx942:sramecc+:xnack-", false},
                 {"hipv4-amdgcn-amd-amdhsa--gfx942:xnack-", "gfx942", false},
                 {"hipv4-amdgcn-amd-amdhsa--gfx942:", "gfx942", false},
                 {"hipv4-amdgcn-amd-amdhsa--", "gfx942", false},
                 {"openmp-nvptx64--sm_70", "gfx942", false},
                 {"", "gfx942", false}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        make(&m, cases[i].id, AT, elf.size_bytes, strlen(cases[i].id));
        memcpy(m.bytes + AT, elf.data, elf.size_bytes);
        m.n = AT + elf.size_bytes;
        greta_status status = find(m.bytes, m.n, cases[i].target, &code);
        if (!CHECK(status == (cases[i].serves ? GRETA_OK : GRETA_ERR_UNSUPPORTED)))
            fprintf(stderr, "  %s\n", cases[i].id);
        if (status == GRETA_OK) hip_code_free(&code);
    }
    hip_code_free(&elf);
}

static void lies(void) {
    static const char id[] = "hipv4-amdgcn-amd-amdhsa--gfx942";
    static const struct {
        uint64_t offset, size, id_bytes;
    } cases[] = {{0, 1 << 20, 31},
                 {UINT64_MAX, 16, 31},
                 {16, UINT64_MAX, 31},
                 {0, 16, UINT64_MAX},
                 {0, 16, 1000},
                 {0, 0, 31},
                 {8192, 0, 31},
                 {64, 16, 31},
                 {UINT64_MAX - 15, 16, 31},
                 {0, 16, (uint64_t)1 << 63}};
    struct made m;
    struct hip_code code;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        make(&m, id, cases[i].offset, cases[i].size, cases[i].id_bytes);
        if (!CHECK(find(m.bytes, m.n, "gfx942", &code) == GRETA_ERR_FORMAT))
            fprintf(stderr, "  case %zu\n", i);
    }
    make(&m, id, 0, 0, 31);
    memset(m.bytes + 24, 0xff, 8); /* entries without end */
    CHECK(find(m.bytes, m.n, "gfx942", &code) == GRETA_ERR_FORMAT);
    CHECK(find("__CLANG_OFFLOAD_BUNDLE__", 24, "gfx942", &code) == GRETA_ERR_FORMAT);
    CHECK(find("\177ELF", 4, "gfx942", &code) == GRETA_ERR_FORMAT);
}

/* ---- damaged -------------------------------------------------------------------------------------------------------------- */

/* Memory of exactly the bundle's size, so that a read past it is seen. */
static void damaged(void) {
    static const unsigned char changes[] = {0x00, 0xff, 0x80, 0x7f, 0xdf, 0xdd, 0xdb, 0xc1};
    const struct greta_image *image = &hip_update_image;
    struct hip_code elf, code;
    unsigned n_read = 0;
    if (!CHECK(find(image->data, image->size_bytes, "gfx942", &elf) == GRETA_OK)) return;
    unsigned char *copy = malloc(elf.size_bytes);
    for (size_t i = 0; copy && i < elf.size_bytes; i++)
        for (size_t k = 0; k < sizeof changes; k++) {
            memcpy(copy, elf.data, elf.size_bytes);
            copy[i] = changes[k];
            code = (struct hip_code){.data = copy, .size_bytes = elf.size_bytes};
            if (hip_notes_read(&code) == GRETA_OK) n_read++;
            hip_code_free(&code);
        }
    free(copy);
    CHECK(n_read > 0);
    for (size_t n = 0; n < elf.size_bytes; n++) {
        unsigned char *cut = malloc(n ? n : 1);
        if (!cut) break;
        memcpy(cut, elf.data, n);
        code = (struct hip_code){.data = cut, .size_bytes = n};
        (void)!hip_notes_read(&code);
        hip_code_free(&code);
        free(cut);
    }
    for (size_t n = 0; n < 512; n++) {
        unsigned char *cut = malloc(n ? n : 1);
        if (!cut) break;
        memcpy(cut, image->data, n);
        CHECK(find(cut, n, "gfx942", &code) == GRETA_ERR_FORMAT);
        free(cut);
    }
    hip_code_free(&elf);
}

/* usage: code ARCH ..., those that this build has device code for */
int main(int argc, char **argv) {
    bool has_gfx942 = false;
    for (int i = 1; i < argc; i++) has_gfx942 |= strcmp(argv[i], "gfx942") == 0;
    if (!has_gfx942)
        check_skip("this build has no device code for gfx942: see Meson's warning about clang 19");
    targets(argc - 1, argv + 1);
    modes();
    lies();
    damaged();
    return check_done();
}
