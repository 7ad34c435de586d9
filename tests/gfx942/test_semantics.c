/* Runs the kernels of semantics.py, one for each form of each vector instruction, and compares 64 lanes with what exact
   arithmetic gives. Arguments: the code object, the cases; a third one names a single form's kernel. */
#include "check.h"
#include "lane.h"
#include "machine.h"

#include <math.h>

enum { MAGIC = 0x474D4553, ROW_BYTES = 256, LAST_BY_BITS = 256 };

struct form {
    uint32_t magic;
    char name[64], text[128];
    uint32_t n_in, n_out, compare, n_groups;
};

static bool same_f16(uint32_t x, uint32_t y) {
    return is_nan16(x) && is_nan16(y) ? (x ^ y) < 0x10000 : x == y;
}
static bool same_f32(uint32_t x, uint32_t y) {
    return x == y || (is_nan32(x) && is_nan32(y));
}

static int64_t steps32(uint32_t x) {
    return x >> 31 ? -(int64_t)(x & 0x7fffffff) : x;
}
static int64_t steps16(uint32_t x) {
    return x >> 15 & 1 ? -(int64_t)(x & 0x7fff) : x & 0x7fff;
}

/* Two words of one lane, as the form's compare says (semantics.py). Where one ULP is allowed, zeros must agree. */
static bool same(uint32_t compare, uint32_t want, uint32_t got) {
    switch (compare) {
    case 1:
    case 5: return same_f32(want, got);
    case 2: return same_f16(want & 0xffff, got & 0xffff) && want >> 16 == got >> 16;
    case 3: return same_f16(want & 0xffff, got & 0xffff) && same_f16(want >> 16, got >> 16);
    case 6:
        return same_f32(want, got) ||
               (!is_nan32(want) && !is_nan32(got) && llabs(steps32(want) - steps32(got)) <= 1);
    case 7:
        return same_f16(want, got) ||
               (!is_nan16(want) && !is_nan16(got) && llabs(steps16(want) - steps16(got)) <= 1);
    default: return want == got;
    }
}

static bool nan64(const uint32_t *lo, const uint32_t *hi, int lane) {
    return is_nan64(lo[lane] | (uint64_t)hi[lane] << 32);
}

static unsigned compare_group(const struct form *f, const uint32_t *in, const uint32_t *want,
                              const uint32_t *got, unsigned group) {
    unsigned n_bad = 0, n_out = f->n_out, compare = f->compare & 255;
    for (int lane = 0; lane < LANES; lane++) {
        bool ok = true;
        for (unsigned r = 0; r < n_out; r++) {
            bool by_bits = f->compare & LAST_BY_BITS && r == n_out - 1;
            ok &= same(by_bits ? 0 : compare, want[r * LANES + lane], got[r * LANES + lane]);
        }
        if (compare == 4) ok |= nan64(want, want + LANES, lane) && nan64(got, got + LANES, lane);
        if (ok || n_bad++ >= 2) continue;
        fprintf(stderr, "%s: %s: group %u lane %d:", f->name, f->text, group, lane);
        for (unsigned r = 0; r < f->n_in && f->n_in < 20; r++) fprintf(stderr, " %08x", in[r * LANES + lane]);
        fprintf(stderr, " ->");
        for (unsigned r = 0; r < n_out; r++) fprintf(stderr, " %08x", got[r * LANES + lane]);
        fprintf(stderr, ", not");
        for (unsigned r = 0; r < n_out; r++) fprintf(stderr, " %08x", want[r * LANES + lane]);
        fprintf(stderr, "\n");
    }
    return n_bad;
}

static bool run_form(struct gfx_machine *m, struct gfx_object *o, const struct form *f, const uint8_t *data) {
    size_t in = (size_t)f->n_in * ROW_BYTES, out = (size_t)f->n_out * ROW_BYTES;
    uint8_t *dev_in = gfx_alloc(m, in * f->n_groups), *dev_out = gfx_alloc(m, out * f->n_groups);
    const struct gfx_kernel *k = gfx_kernel(o, f->name);
    bool ok = CHECK(dev_in && dev_out && k);
    if (!ok) return false;
    for (uint32_t g = 0; g < f->n_groups; g++) memcpy(dev_in + g * in, data + g * (in + out), in);
    struct {
        void *in, *out;
    } args = {dev_in, dev_out};
    struct gfx_launch launch = {{f->n_groups, 1, 1}, {LANES, 1, 1}, 0, &args, sizeof args};
    if (gfx_run(m, k, &launch) != GFX_OK) {
        fprintf(stderr, "%s: %s: %s\n", f->name, f->text, gfx_error(m));
        ok = false;
    }
    for (uint32_t g = 0; ok && g < f->n_groups; g++) {
        const uint8_t *at = data + g * (in + out);
        ok &= compare_group(f, (const uint32_t *)at, (const uint32_t *)(at + in),
                            (const uint32_t *)(dev_out + g * out), g) == 0;
    }
    gfx_free(m, dev_in);
    gfx_free(m, dev_out);
    return ok;
}

static uint8_t *read_file(const char *path, size_t *n) {
    FILE *f = fopen(path, "rb");
    if (!f) return NULL;
    fseek(f, 0, SEEK_END);
    *n = (size_t)ftell(f);
    rewind(f);
    uint8_t *bytes = malloc(*n + 1);
    if (bytes && fread(bytes, 1, *n, f) != *n) {
        free(bytes);
        bytes = NULL;
    }
    fclose(f);
    return bytes;
}

int main(int argc, char **argv) {
    size_t n_code = 0, n_cases = 0;
    uint8_t *code = argc > 2 ? read_file(argv[1], &n_code) : NULL,
            *cases = code ? read_file(argv[2], &n_cases) : NULL;
    if (!CHECK(code && cases)) return check_done();
    struct gfx_options options = {.seed = 1, .n_threads = 1};
    struct gfx_machine *m = gfx_create(&options);
    struct gfx_object *o = NULL;
    if (!CHECK(m && gfx_load(m, code, n_code, &o) == GFX_OK)) {
        if (m) fprintf(stderr, "%s\n", gfx_error(m));
        return check_done();
    }
    unsigned n_forms = 0;
    for (size_t at = 0; at + sizeof(struct form) <= n_cases;) {
        struct form f;
        memcpy(&f, cases + at, sizeof f);
        if (!CHECK(f.magic == MAGIC)) break;
        at += sizeof f;
        if (argc < 4 || strcmp(argv[3], f.name) == 0) CHECK(run_form(m, o, &f, cases + at));
        at += (size_t)(f.n_in + f.n_out) * ROW_BYTES * f.n_groups;
        n_forms++;
    }
    printf("%u forms\n", n_forms);
    CHECK(n_forms > 400);
    gfx_unload(m, o);
    gfx_destroy(m);
    free(code);
    free(cases);
    return check_done();
}
