// greta-gfx942: runs one kernel of a code object on the emulated machine and prints what it counted.
#include <stdlib.h>

#include "machine.h"
#include "own.h"
#include <stdio.h>
#include <string.h>

static const char usage[] =
    "usage: greta-gfx942 FILE.co... [--check] [--list] [--kernel NAME] [--groups X[,Y,Z]] [--threads "
    "X[,Y,Z]] "
    "[--lds "
    "BYTES]\n"
    "                    [--arg KIND:VALUE]... [--out N:FILE] [--stats] [--seed N] [--host-threads N] "
    "[--limit N]\n"
    "\n"
    "Runs a kernel of a gfx942 code object (or of an offload bundle) on an emulated, strict machine. It "
    "counts, it measures no time.\n"
    "  --check          decodes all code of the files; fails where an instruction is not known\n"
    "  --list           the kernels with their registers, LDS, scratch and arguments\n"
    "  --kernel NAME    the kernel to run; not needed where the file has one\n"
    "  --arg KIND:VALUE the next argument: u32, i32, f32, u64, f64 with a value; zero:BYTES, random:BYTES "
    "(floats in [-1, 1)),\n"
    "                   bytes:BYTES (random bytes) or file:PATH for a buffer, whose address is passed; "
    "null.\n"
    "                   Without any, greta's own kernels get zeros and a size of each kind, and their "
    "threads\n"
    "  --out N:FILE     after the run, writes the buffer of argument N (from 0) to a file\n"
    "  --stats          the counts, as lines of a name and a number\n"
    "  --seed N         of the interleaving of waves, and of random data\n"
    "  --host-threads N threads of the host that run workgroups (1)\n"
    "  --limit N        instructions after which a kernel that has not ended is stopped\n";

#define MAX_ARGS 64
#define MAX_FILES 256
struct buffer {
    void *p;
    size_t bytes;
};

struct job {
    const char *paths[MAX_FILES], *path, *kernel, *out;
    unsigned n_paths;
    bool check, list, stats;
    struct gfx_options options;
    struct gfx_launch launch;
    const char *args[MAX_ARGS];
    char own_args[OWN_ARGS + 2][OWN_TEXT];
    unsigned n_args;
    struct buffer buffers[MAX_ARGS];
    uint8_t block[4096];
    size_t n_block;
};

static int fail(const char *what, const char *which) {
    fprintf(stderr, "greta-gfx942: %s%s%s\n", what, which ? ": " : "", which ? which : "");
    return 1;
}

static void *read_file(const char *path, size_t *n) {
    FILE *f = fopen(path, "rb");
    if (!f) return NULL;
    fseek(f, 0, SEEK_END);
    long size = ftell(f);
    rewind(f);
    void *p = size >= 0 ? malloc((size_t)size + 1) : NULL;
    *n = p ? fread(p, 1, (size_t)size, f) : 0;
    fclose(f);
    return p;
}

// The gfx942 entry of an offload bundle; the bytes themselves where they are none.
static const void *unbundle(const uint8_t *p, size_t *n) {
    static const char magic[] = "__CLANG_OFFLOAD_BUNDLE__";
    uint64_t count, at = 32, e[3];
    if (*n < 32 || memcmp(p, magic, 24) != 0) return p;
    memcpy(&count, p + 24, 8);
    for (uint64_t i = 0; i < count && at + 24 <= *n; i++) {
        memcpy(e, p + at, 24);
        at += 24;
        if (e[2] > *n - at || e[0] > *n || e[1] > *n - e[0]) return NULL;
        if (e[2] >= 6 && memcmp(p + at + e[2] - 6, "gfx942", 6) == 0) {
            *n = e[1];
            return p + e[0];
        }
        at += e[2];
    }
    return NULL;
}

static bool three(const char *s, uint32_t *n) {
    char *end;
    n[0] = n[1] = n[2] = 1;
    for (int d = 0; d < 3; d++) {
        n[d] = (uint32_t)strtoul(s, &end, 10);
        if (end == s || n[d] == 0) return false;
        if (*end == 0) return true;
        if (*end != ',') return false;
        s = end + 1;
    }
    return false;
}

static bool options(struct job *j, int argc, char **argv) {
    j->launch = (struct gfx_launch){.groups = {1, 1, 1}, .threads = {0, 1, 1}};
    j->options.n_threads = 1;
    for (int i = 1; i < argc; i++) {
        const char *o = argv[i];
        if (o[0] != '-') {
            if (j->n_paths == MAX_FILES) return false;
            j->paths[j->n_paths++] = o;
            continue;
        }
        if (strcmp(o, "--list") == 0)
            j->list = true;
        else if (strcmp(o, "--check") == 0)
            j->check = true;
        else if (strcmp(o, "--stats") == 0)
            j->stats = j->options.stats = true;
        else if (++i == argc)
            return false;
        else if (strcmp(o, "--kernel") == 0)
            j->kernel = argv[i];
        else if (strcmp(o, "--groups") == 0) {
            if (!three(argv[i], j->launch.groups)) return false;
        } else if (strcmp(o, "--threads") == 0) {
            if (!three(argv[i], j->launch.threads)) return false;
        } else if (strcmp(o, "--lds") == 0)
            j->launch.dynamic_lds = (uint32_t)strtoul(argv[i], NULL, 0);
        else if (strcmp(o, "--seed") == 0)
            j->options.seed = strtoull(argv[i], NULL, 0);
        else if (strcmp(o, "--host-threads") == 0)
            j->options.n_threads = (uint32_t)strtoul(argv[i], NULL, 0);
        else if (strcmp(o, "--limit") == 0)
            j->options.max_instructions = strtoull(argv[i], NULL, 0);
        else if (strcmp(o, "--out") == 0)
            j->out = argv[i];
        else if (strcmp(o, "--arg") == 0 && j->n_args < MAX_ARGS)
            j->args[j->n_args++] = argv[i];
        else
            return false;
    }
    return j->n_paths == 1 || (j->check && j->n_paths > 1);
}

static void push(struct job *j, const void *p, size_t n) {
    j->n_block = (j->n_block + n - 1) / n * n;
    if (j->n_block + n > sizeof j->block) return;
    memcpy(j->block + j->n_block, p, n);
    j->n_block += n;
}

static uint64_t next_random(uint64_t *x) {
    *x ^= *x << 13;
    *x ^= *x >> 7;
    *x ^= *x << 17;
    return *x;
}

static bool buffer_arg(struct job *j, struct gfx_machine *m, unsigned i, const char *kind,
                       const char *value) {
    size_t n = (size_t)strtoull(value, NULL, 0);
    void *file = NULL;
    if (strcmp(kind, "file") == 0 && !(file = read_file(value, &n))) return false;
    void *p = gfx_alloc(m, n);
    uint64_t x = (j->options.seed + 1) * UINT64_C(0x9e3779b97f4a7c15) + i;
    if (p && file) memcpy(p, file, n);
    if (p && strcmp(kind, "random") == 0)
        for (size_t k = 0; k < n / 4; k++) ((float *)p)[k] = (float)(next_random(&x) >> 40) / 8388608.f - 1;
    if (p && strcmp(kind, "bytes") == 0)
        for (size_t k = 0; k < n; k++) ((uint8_t *)p)[k] = (uint8_t)(next_random(&x) >> 40);
    free(file);
    j->buffers[i] = (struct buffer){p, n};
    push(j, &p, sizeof p);
    return p != NULL;
}

static bool make_arg(struct job *j, struct gfx_machine *m, unsigned i) {
    char kind[16];
    const char *colon = strchr(j->args[i], ':'), *value = colon ? colon + 1 : "";
    size_t n = colon ? (size_t)(colon - j->args[i]) : strlen(j->args[i]);
    if (n >= sizeof kind) return false;
    memcpy(kind, j->args[i], n);
    kind[n] = 0;
    uint64_t u = strtoull(value, NULL, 0);
    int64_t s = strtoll(value, NULL, 0);
    double d = strtod(value, NULL);
    float f = (float)d;
    if (strcmp(kind, "u32") == 0)
        push(j, &u, 4);
    else if (strcmp(kind, "i32") == 0)
        push(j, &s, 4);
    else if (strcmp(kind, "u64") == 0)
        push(j, &u, 8);
    else if (strcmp(kind, "f32") == 0)
        push(j, &f, 4);
    else if (strcmp(kind, "f64") == 0)
        push(j, &d, 8);
    else if (strcmp(kind, "null") == 0)
        push(j, &(uint64_t){0}, 8);
    else if (strcmp(kind, "zero") == 0 || strcmp(kind, "random") == 0 || strcmp(kind, "bytes") == 0 ||
             strcmp(kind, "file") == 0)
        return buffer_arg(j, m, i, kind, value);
    else
        return false;
    return true;
}

static void list(const struct gfx_object *o) {
    for (size_t i = 0; i < gfx_n_kernels(o); i++) {
        struct gfx_facts f;
        gfx_facts(gfx_kernel_at(o, i), &f);
        printf(
            "%s\n  vgprs %u  agprs %u  sgprs %u  spills %u  lds %u  scratch %u  arguments %u  threads %u\n",
            f.name, f.vgprs, f.agprs, f.sgprs, f.vgpr_spills + f.sgpr_spills, f.lds_bytes, f.scratch_bytes,
            f.explicit_bytes, f.max_threads);
        for (uint32_t a = 0; a < f.n_args; a++)
            if (strncmp(f.args[a].kind, "hidden_", 7) != 0)
                printf("  %4u %4u %s\n", f.args[a].offset, f.args[a].bytes, f.args[a].kind);
    }
}

static int check(struct gfx_object *o, const char *path) {
    char text[256];
    size_t n = gfx_unknown(o, text, sizeof text);
    if (n == 0) return 0;
    fprintf(stderr, "greta-gfx942: %s: %zu instructions are not known; the first: %s\n", path, n, text);
    return 1;
}

static void print_stats(const struct gfx_machine *m) {
    struct gfx_stats s;
    gfx_stats(m, &s);
    printf("workgroups %llu\nwaves %llu\ninstructions %llu\n", (unsigned long long)s.groups,
           (unsigned long long)s.waves, (unsigned long long)s.instructions);
    for (unsigned c = 0; gfx_class_name(c); c++)
        if (s.by_class[c])
            printf("  %-18s %12llu  %5.1f %%\n", gfx_class_name(c), (unsigned long long)s.by_class[c],
                   100. * (double)s.by_class[c] / (double)s.instructions);
    printf("matrix operations %llu\n", (unsigned long long)s.mfma_flops);
    printf("barriers %llu\nwaits %llu\n", (unsigned long long)s.barriers, (unsigned long long)s.waits);
    printf("LDS accesses %llu\nLDS cycles %llu\nLDS conflict cycles %llu\n",
           (unsigned long long)s.lds_accesses, (unsigned long long)s.lds_cycles,
           (unsigned long long)s.lds_conflict_cycles);
    printf("bytes loaded %llu\nbytes of lines loaded %llu\nbytes stored %llu\nbytes of lines stored %llu\n",
           (unsigned long long)s.bytes_loaded, (unsigned long long)s.lines_loaded * 128,
           (unsigned long long)s.bytes_stored, (unsigned long long)s.lines_stored * 128);
}

static int write_out(const struct job *j) {
    char *end;
    unsigned long n = strtoul(j->out, &end, 10);
    if (*end != ':' || n >= j->n_args || !j->buffers[n].p) return fail("--out: no buffer", j->out);
    FILE *f = fopen(end + 1, "wb");
    if (!f) return fail("cannot write", end + 1);
    size_t wrote = fwrite(j->buffers[n].p, 1, j->buffers[n].bytes, f);
    return fclose(f) != 0 || wrote != j->buffers[n].bytes ? fail("cannot write", end + 1) : 0;
}

static int run(struct job *j, struct gfx_machine *m, const struct gfx_object *o) {
    const struct gfx_kernel *k = j->kernel               ? gfx_kernel(o, j->kernel)
                                 : gfx_n_kernels(o) == 1 ? gfx_kernel_at(o, 0)
                                                         : NULL;
    if (!k)
        return fail(j->kernel ? "no such kernel" : "name one of the file's kernels with --kernel (--list)",
                    j->kernel);
    struct gfx_facts facts;
    gfx_facts(k, &facts);
    unsigned n_own = j->n_args ? 0 : own_args(facts.name, j->own_args);
    for (; j->n_args < n_own; j->n_args++) j->args[j->n_args] = j->own_args[j->n_args];
    if (!j->launch.threads[0]) j->launch.threads[0] = n_own ? facts.max_threads : 64;
    for (unsigned i = 0; i < j->n_args; i++)
        if (!make_arg(j, m, i)) return fail("a bad argument", j->args[i]);
    // A struct passed by value ends at a multiple of its alignment.
    j->n_block = (j->n_block + 7) / 8 * 8;
    if (j->n_block > facts.explicit_bytes && j->n_block - facts.explicit_bytes < 8)
        j->n_block = facts.explicit_bytes;
    j->launch.args = j->block;
    j->launch.n_args = j->n_block;
    if (gfx_run(m, k, &j->launch) != GFX_OK) return fail(gfx_error(m), NULL);
    if (j->stats) print_stats(m);
    return j->out ? write_out(j) : 0;
}

static int one_file(struct job *j) {
    size_t n = 0;
    uint8_t *bytes = read_file(j->path, &n);
    if (!bytes) return fail("cannot read", j->path);
    const void *elf = unbundle(bytes, &n);
    struct gfx_machine *m = gfx_create(&j->options);
    struct gfx_object *o = NULL;
    int rc = 1;
    if (!elf)
        fail("the bundle has no code for gfx942", j->path);
    else if (!m)
        fail("no memory, or a disassembler that does not know gfx942", NULL);
    else if (gfx_load(m, elf, n, &o) != GFX_OK)
        fail(gfx_error(m), j->path);
    else if (j->list)
        list(o), rc = 0;
    else if (j->check)
        rc = check(o, j->path);
    else
        rc = run(j, m, o);
    gfx_destroy(m);
    free(bytes);
    return rc;
}

int main(int argc, char **argv) {
    static struct job j;
    if (argc == 2 && strcmp(argv[1], "--help") == 0) return fputs(usage, stdout) < 0;
    if (!options(&j, argc, argv)) {
        fputs(usage, stderr);
        return 2;
    }
    int rc = 0;
    for (unsigned i = 0; i < j.n_paths && rc == 0; i++) {
        j.path = j.paths[i];
        rc = one_file(&j);
    }
    return rc;
}
