/*
 * The emulator's interface (tests/gfx942/machine.h) over kernels that were compiled for the host: what libamdhip64's names need of it. A
 * kernel of a code object is the function of its name in this library; the code object itself is not looked at.
 */
#include "sim.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { PAGE = 4096 };

struct range {
    unsigned char *p;
    size_t bytes, mapped; /* mapped: with a page that cannot be touched behind it; 0: the caller's */
};

struct gfx_machine {
    struct gfx_options options;
    struct range *ranges;
    size_t n_ranges, capacity;
    uint64_t used;
    char error[600];
};
struct gfx_object {
    struct gfx_kernel *kernels;
};
struct gfx_kernel {
    struct gfx_kernel *next;
    void *function;
    char name[];
};

struct gfx_machine *gfx_create(const struct gfx_options *options) {
    struct gfx_machine *m = calloc(1, sizeof *m);
    if (m) m->options = *options;
    return m;
}
void gfx_destroy(struct gfx_machine *m) {
    if (m) free(m->ranges);
    free(m);
}
const char *gfx_error(const struct gfx_machine *m) {
    return m->error;
}

/* ---- memory ---- */

static bool add_range(struct gfx_machine *m, struct range r) {
    if (m->n_ranges == m->capacity) {
        size_t capacity = m->capacity ? 2 * m->capacity : 64;
        struct range *more = realloc(m->ranges, capacity * sizeof *more);
        if (!more) return false;
        m->ranges = more;
        m->capacity = capacity;
    }
    m->ranges[m->n_ranges++] = r;
    return true;
}

static bool take_range(struct gfx_machine *m, const void *p, bool own, struct range *out) {
    for (size_t i = 0; i < m->n_ranges; i++) {
        if (m->ranges[i].p != p || (m->ranges[i].mapped != 0) != own) continue;
        *out = m->ranges[i];
        m->ranges[i] = m->ranges[--m->n_ranges];
        return true;
    }
    return false;
}

/* Ends, but for the alignment, where the page begins that cannot be touched. */
void *gfx_alloc(struct gfx_machine *m, size_t bytes) {
    size_t whole = (bytes + PAGE - 1) / PAGE * PAGE, size = (bytes + 255) / 256 * 256;
    if (whole < bytes) return NULL;
    unsigned char *base =
        mmap(NULL, whole + PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (base == MAP_FAILED) return NULL;
    unsigned char *p = base + whole - size;
    if (mprotect(base + whole, PAGE, PROT_NONE) != 0 ||
        !add_range(m, (struct range){p, bytes, whole + PAGE})) {
        munmap(base, whole + PAGE);
        return NULL;
    }
    if (m->options.poison) memset(p, 0xFF, bytes);
    m->used += bytes;
    return p;
}

bool gfx_free(struct gfx_machine *m, void *p) {
    struct range r;
    if (!take_range(m, p, true, &r)) return false;
    m->used -= r.bytes;
    size_t whole = r.mapped - PAGE, size = (r.bytes + 255) / 256 * 256;
    return munmap(r.p + size - whole, r.mapped) == 0;
}

bool gfx_find(struct gfx_machine *m, const void *p, void **base, size_t *bytes) {
    for (size_t i = 0; i < m->n_ranges; i++) {
        const struct range *r = &m->ranges[i];
        if (!r->mapped || (uintptr_t)p < (uintptr_t)r->p || (uintptr_t)p >= (uintptr_t)r->p + r->bytes)
            continue;
        if (base) *base = r->p;
        if (bytes) *bytes = r->bytes;
        return true;
    }
    return false;
}

bool gfx_map(struct gfx_machine *m, void *p, size_t bytes) {
    return add_range(m, (struct range){p, bytes, 0});
}
bool gfx_unmap(struct gfx_machine *m, void *p) {
    struct range r;
    return take_range(m, p, false, &r);
}
uint64_t gfx_memory_used(const struct gfx_machine *m) {
    return m->used;
}

/* ---- code ---- */

enum gfx_status gfx_load(struct gfx_machine *m, const void *bytes, size_t n_bytes,
                         struct gfx_object **object) {
    (void)m, (void)bytes, (void)n_bytes;
    *object = calloc(1, sizeof **object);
    return *object ? GFX_OK : GFX_NO_MEMORY;
}

void gfx_unload(struct gfx_machine *m, struct gfx_object *o) {
    (void)m;
    for (struct gfx_kernel *k = o->kernels, *next; k; k = next) {
        next = k->next;
        free(k);
    }
    free(o);
}

/* This library's own, not one of the program that opened it. */
static void *find_function(const char *name) {
    static void *self;
    Dl_info info;
    if (!self && dladdr((void *)(uintptr_t)find_function, &info))
        self = dlopen(info.dli_fname, RTLD_NOW | RTLD_NOLOAD);
    return self ? dlsym(self, name) : NULL;
}

const struct gfx_kernel *gfx_kernel(const struct gfx_object *o, const char *name) {
    struct gfx_object *object =
        (struct gfx_object *)(uintptr_t)o; /* the list is filled as kernels are asked for */
    for (struct gfx_kernel *k = o->kernels; k; k = k->next)
        if (strcmp(k->name, name) == 0) return k;
    void *function = find_function(name);
    struct gfx_kernel *k = function ? calloc(1, sizeof *k + strlen(name) + 1) : NULL;
    if (!k) {
        fprintf(stderr, "hipsim: %s was not compiled for the host\n", name);
        return NULL;
    }
    strcpy(k->name, name);
    k->function = function;
    k->next = object->kernels;
    object->kernels = k;
    return k;
}

/* The backend has read the code object's notes and checked the rest against them. */
void gfx_facts(const struct gfx_kernel *k, struct gfx_facts *facts) {
    *facts = (struct gfx_facts){.name = k->name, .max_threads = GFX_GROUP_THREADS, .wave_size = HIPSIM_WAVE};
}

/* ---- launches ---- */

static struct gfx_stats stats;

static void print_counts(const char *name) {
    if (lds_counts.accesses)
        fprintf(stderr, "hipsim: %s LDS accesses %llu cycles %llu conflicts %llu\n", name,
                (unsigned long long)lds_counts.accesses, (unsigned long long)lds_counts.cycles,
                (unsigned long long)lds_counts.conflicts);
    lds_counts = (struct lds_counts){0};
}

enum gfx_status gfx_run(struct gfx_machine *m, const struct gfx_kernel *k, const struct gfx_launch *launch) {
    unsigned char args[ARGS_BYTES] = {0};
    uint64_t threads = (uint64_t)launch->threads[0] * launch->threads[1] * launch->threads[2];
    if (launch->n_args > sizeof args || threads != launch->threads[0] || launch->dynamic_lds) {
        snprintf(m->error, sizeof m->error,
                 "hipsim: %s: threads in y or z, LDS of the launch's, or more than %zu bytes of arguments",
                 k->name, sizeof args);
        return GFX_BAD_LAUNCH;
    }
    memcpy(args, launch->args, launch->n_args);
    sim.kernel = k->name;
    sim.count = m->options.stats;
    sim.max_meetings = m->options.max_instructions ? m->options.max_instructions : 2000000000;
    sim.n_meetings = 0;
    sim.fault[0] = 0;
    stats.launches++;
    hipsim_setreg(1 | 23 << 6, 0);
    hipsim_grid[0] = launch->groups[0] * launch->threads[0];
    hipsim_grid[1] = launch->groups[1];
    hipsim_grid[2] = launch->groups[2];
    bool ok = true;
    for (hipsim_group[2] = 0; ok && hipsim_group[2] < launch->groups[2]; hipsim_group[2]++)
        for (hipsim_group[1] = 0; ok && hipsim_group[1] < launch->groups[1]; hipsim_group[1]++)
            for (hipsim_group[0] = 0; ok && hipsim_group[0] < launch->groups[0]; hipsim_group[0]++) {
                ok = group_run(k->function, args, launch->threads[0]);
                stats.groups++;
                stats.waves += (threads + HIPSIM_WAVE - 1) / HIPSIM_WAVE;
            }
    if (sim.count) print_counts(k->name);
    if (ok) return GFX_OK;
    snprintf(m->error, sizeof m->error, "hipsim: %s", sim.fault);
    return GFX_FAULT;
}

void gfx_stats(const struct gfx_machine *m, struct gfx_stats *s) {
    (void)m;
    *s = stats;
}
void gfx_stats_start(struct gfx_machine *m) {
    m->options.stats = true;
}
const char *gfx_class_name(unsigned cls) {
    (void)cls;
    return NULL; /* it executes no instructions of the GPU's */
}

/* HIPSIM_ARCH: another name, for what is said of a GPU that the binary has no code for. */
const char *sim_arch(void) {
    const char *name = getenv("HIPSIM_ARCH");
    return name && *name ? name : "gfx1103";
}
