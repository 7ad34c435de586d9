/* The functions of both.h, compiled for this CPU and for gfx942: edge values and seeded random ones, bit for bit.
   Arguments: code objects (several compilers, several optimization levels). */
#include "both.h"
#include "check.h"
#include "machine.h"

#include <string.h>

enum { N = 64 * 48 };

#define HOST(name, ...)                                             \
    static uint64_t fn_##name(uint64_t a, uint64_t b, uint64_t c) { \
        (void)b, (void)c;                                           \
        __VA_ARGS__;                                                \
    }
FUNCTIONS(HOST)

#define LIST(name, ...) {#name, fn_##name},
static const struct {
    const char *name;
    uint64_t (*fn)(uint64_t, uint64_t, uint64_t);
} functions[] = {FUNCTIONS(LIST)};

static uint64_t seed = 0x853c49e6748fea9b;
static uint64_t draw(void) {
    seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
    return seed;
}

/* Edges of 16, 32 and 64 bits, as integers and as floats (no signalling NaN: C says nothing of them). */
static uint64_t value(void) {
    static const uint64_t edges[] = {0,
                                     1,
                                     2,
                                     3,
                                     31,
                                     32,
                                     63,
                                     0x7f,
                                     0x80,
                                     0xff,
                                     0x7fff,
                                     0x8000,
                                     0xffff,
                                     0x10000,
                                     0x7fffffff,
                                     0x80000000,
                                     0xffffffff,
                                     0x100000000,
                                     0x7fffffffffffffff,
                                     0x8000000000000000,
                                     0xffffffffffffffff,
                                     0x00800000,
                                     0x007fffff,
                                     0x80000001,
                                     0x3f800000,
                                     0xbf800000,
                                     0x3f7fffff,
                                     0x3fc00000,
                                     0x40200000,
                                     0x4b000001,
                                     0x4effffff,
                                     0x4f000000,
                                     0xcf000000,
                                     0x7f7fffff,
                                     0xff7fffff,
                                     0x7f800000,
                                     0xff800000,
                                     0x7fc00000,
                                     0x33800000,
                                     0x38800000,
                                     0x477fefff,
                                     0x477ff000,
                                     0x7f000000,
                                     0x0d800000,
                                     0x3ff0000000000000,
                                     0xbff8000000000000,
                                     0x0010000000000000,
                                     0x000fffffffffffff,
                                     0x7fefffffffffffff,
                                     0x7ff0000000000000,
                                     0xfff0000000000000,
                                     0x7ff8000000000000,
                                     0x41e0000000000000,
                                     0x43e0000000000000,
                                     0x36a0000000000000,
                                     0x3c00,
                                     0xbc00,
                                     0x7bff,
                                     0x7c00,
                                     0xfc00,
                                     0x7e00,
                                     0x0400,
                                     0x8001,
                                     0x6400};
    uint64_t u = draw();
    switch (u >> 60) {
    case 0:
    case 1:
    case 2:
    case 3:
    case 4: return edges[draw() % (sizeof edges / sizeof *edges)];
    case 5: return draw() & 0xffff;
    case 6:
    case 7: return 0x3f800000 + (draw() & 0x87ffffff) - 0x4000000; /* f32 near 1 */
    case 8:
    case 9: return 0x3ff0000000000000 + (draw() & 0x807fffffffffffff) - 0x40000000000000;
    case 10: return 0x3c00 + (draw() & 0x8fff) - 0x800;
    case 11: return draw() >> (draw() & 63);
    default: return draw();
    }
}
static uint64_t quiet(uint64_t u) {
    uint32_t w = (uint32_t)u;
    if ((w & 0x7fffffff) > 0x7f800000) w |= 0x400000;
    if ((w & 0x7fff) > 0x7c00) w |= 0x200;
    u = (u >> 32 << 32) | w;
    return (u & INT64_MAX) > 0x7ff0000000000000 ? u | 1ull << 51 : u;
}

static void run_all(struct gfx_machine *m, struct gfx_object *o, uint64_t *in[3], uint64_t *out) {
    for (size_t f = 0; f < sizeof functions / sizeof *functions; f++) {
        char name[64];
        snprintf(name, sizeof name, "both_%s", functions[f].name);
        const struct gfx_kernel *k = gfx_kernel(o, name);
        if (!CHECK(k)) continue;
        for (int i = 0; i < 3 * N; i++) in[i / N][i % N] = quiet(value());
        memset(out, 0xa5, N * sizeof *out);
        const void *args[4] = {in[0], in[1], in[2], out};
        struct gfx_launch launch = {{N / 64, 1, 1}, {64, 1, 1}, 0, args, sizeof args};
        if (!CHECK(gfx_run(m, k, &launch) == GFX_OK)) {
            fprintf(stderr, "%s: %s\n", name, gfx_error(m));
            continue;
        }
        unsigned n_bad = 0;
        for (int i = 0; i < N; i++) {
            uint64_t want = functions[f].fn(in[0][i], in[1][i], in[2][i]);
            if (out[i] != want && n_bad++ < 3)
                fprintf(stderr, "%s(%#llx, %#llx, %#llx) = %#llx, here %#llx\n", name,
                        (unsigned long long)in[0][i], (unsigned long long)in[1][i],
                        (unsigned long long)in[2][i], (unsigned long long)out[i], (unsigned long long)want);
        }
        CHECK(n_bad == 0);
    }
}

/* gfx940 is gfx942 as far as these functions go, and an older compiler has no other name for it. */
static void rename_gfx940(uint8_t *elf, size_t n) {
    enum { E_FLAGS = 48, GFX940 = 0x40, GFX942 = 0x4c };
    if (n > E_FLAGS && elf[E_FLAGS] == GFX940) elf[E_FLAGS] = GFX942;
}

static void run_file(struct gfx_machine *m, const char *path) {
    FILE *file = fopen(path, "rb");
    if (!CHECK(file)) return;
    static uint8_t bytes[4 << 20];
    size_t n = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    rename_gfx940(bytes, n);
    struct gfx_object *o = NULL;
    if (!CHECK(n < sizeof bytes && gfx_load(m, bytes, n, &o) == GFX_OK)) {
        fprintf(stderr, "%s: %s\n", path, gfx_error(m));
        return;
    }
    uint64_t *in[3], *out = gfx_alloc(m, N * sizeof *out);
    for (int k = 0; k < 3; k++) in[k] = gfx_alloc(m, N * sizeof *out);
    if (CHECK(out && in[0] && in[1] && in[2])) run_all(m, o, in, out);
    for (int k = 0; k < 3; k++) gfx_free(m, in[k]);
    gfx_free(m, out);
    gfx_unload(m, o);
}

int main(int argc, char **argv) {
    struct gfx_options options = {.seed = 7, .n_threads = 1};
    struct gfx_machine *m = gfx_create(&options);
    if (CHECK(m && argc > 1))
        for (int i = 1; i < argc; i++) run_file(m, argv[i]);
    gfx_destroy(m);
    return check_done();
}
