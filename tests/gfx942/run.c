// The machine's life, launches, and the threads that run workgroups.
#include <stdlib.h>
#include <unistd.h>

#include "internal.h"

#define BUDGET 200000 // instructions of a workgroup before another one on the same thread goes on

// ---- Workgroups of one thread
static struct gfx_group *start_group(struct gfx_worker *worker, struct gfx_run *run) {
    if (atomic_load(&run->resident) >= run->max_resident) return NULL;
    uint32_t id = atomic_fetch_add(&run->next_group, 1);
    if (id >= run->n_groups) return NULL;
    struct gfx_group *g = worker->spare;
    if (g)
        worker->spare = g->next;
    else
        g = gfx_group_new(worker);
    if (!g || !gfx_group_begin(g, run, id)) {
        gfx_group_delete(g);
        if (!atomic_exchange(&run->failed, true))
            gfx_fail(run->m, GFX_NO_MEMORY, "no memory for a workgroup's registers");
        return NULL;
    }
    g->next = NULL;
    atomic_fetch_add(&run->resident, 1);
    return g;
}

static void end_group(struct gfx_worker *worker, struct gfx_run *run, struct gfx_group *g) {
    atomic_fetch_sub(&run->resident, 1);
    g->next = worker->spare;
    worker->spare = g;
}

// Groups run one after the other. One that does not end in its budget, or sleeps, waits for others: it goes to the end of the line
// and a new one starts, as long as the board would hold it too.
static void work(struct gfx_worker *worker, struct gfx_run *run) {
    struct gfx_group *head = NULL, **tail = &head;
    while (!atomic_load_explicit(&run->failed, memory_order_relaxed)) {
        struct gfx_group *g = start_group(worker, run);
        if (!g && head) {
            g = head;
            head = g->next;
            if (!head) tail = &head;
        }
        if (!g) {
            // The board is full of other threads' groups, or all have been started.
            if (atomic_load(&run->next_group) >= run->n_groups) break;
            usleep(50);
            continue;
        }
        if (gfx_group_run(g, BUDGET) == GFX_YIELD) {
            g->next = NULL;
            *tail = g;
            tail = &g->next;
        } else {
            end_group(worker, run, g);
        }
    }
    while (head) {
        struct gfx_group *g = head;
        head = g->next;
        end_group(worker, run, g);
    }
}

static void *worker_main(void *p) {
    struct gfx_worker *worker = p;
    struct gfx_machine *m = worker->m;
    uint32_t serial = 0;
    pthread_mutex_lock(&m->work_lock);
    for (;;) {
        while (!m->quit && m->run_serial == serial) pthread_cond_wait(&m->work, &m->work_lock);
        if (m->quit) break;
        serial = m->run_serial;
        struct gfx_run *run = m->run;
        pthread_mutex_unlock(&m->work_lock);
        work(worker, run);
        pthread_mutex_lock(&m->work_lock);
        if (--m->busy == 0) pthread_cond_signal(&m->done);
    }
    pthread_mutex_unlock(&m->work_lock);
    return NULL;
}

static void run_all(struct gfx_machine *m, struct gfx_run *run) {
    bool many = run->n_groups >= 4 && m->n_workers > 1;
    if (many) {
        pthread_mutex_lock(&m->work_lock);
        m->run = run;
        m->busy = m->n_workers - 1;
        m->run_serial++;
        pthread_cond_broadcast(&m->work);
        pthread_mutex_unlock(&m->work_lock);
    }
    work(&m->workers[0], run);
    if (!many) return;
    pthread_mutex_lock(&m->work_lock);
    while (m->busy) pthread_cond_wait(&m->done, &m->work_lock);
    pthread_mutex_unlock(&m->work_lock);
}

// ---- Arguments
static void put(uint8_t *args, const struct gfx_arg *a, uint64_t x) {
    memcpy(args + a->offset, &x, a->bytes < 8 ? a->bytes : 8);
}

static void hidden_args(struct gfx_run *run, uint8_t *args) {
    const struct gfx_kernel *k = run->kernel;
    const struct gfx_launch *l = run->launch;
    for (uint32_t i = 0; i < k->n_args; i++) {
        const struct gfx_arg *a = &k->args[i];
        if (strncmp(a->kind, "hidden_", 7) != 0 || a->offset + a->bytes > k->kernarg_bytes) continue;
        const char *name = a->kind + 7;
        size_t n = strlen(name);
        unsigned d = n > 2 && name[n - 2] == '_' && name[n - 1] >= 'x' && name[n - 1] <= 'z'
                         ? (unsigned)(name[n - 1] - 'x')
                         : 0;
        uint64_t x = 0;
        if (strncmp(name, "block_count_", 12) == 0)
            x = l->groups[d];
        else if (strncmp(name, "group_size_", 11) == 0)
            x = l->threads[d];
        else if (strcmp(name, "grid_dims") == 0)
            x = l->groups[2] * l->threads[2] > 1 ? 3 : l->groups[1] * l->threads[1] > 1 ? 2 : 1;
        else if (strcmp(name, "dynamic_lds_size") == 0)
            x = l->dynamic_lds;
        else if (strcmp(name, "private_base") == 0)
            x = GFX_APERTURE_PRIVATE >> 32;
        else if (strcmp(name, "shared_base") == 0)
            x = GFX_APERTURE_SHARED >> 32;
        put(args, a, x);
    }
}

// The packet that a queue would hold: kernels may read sizes from it.
static void fill_packet(const struct gfx_run *run, uint8_t *packet) {
    const struct gfx_launch *l = run->launch;
    uint16_t h[5] = {0x1502, 3, (uint16_t)l->threads[0], (uint16_t)l->threads[1], (uint16_t)l->threads[2]};
    uint32_t grid[3], sizes[2] = {run->kernel->scratch_bytes, run->lds_bytes};
    for (unsigned d = 0; d < 3; d++) grid[d] = l->groups[d] * l->threads[d];
    memset(packet, 0, 64);
    memcpy(packet, h, sizeof h);
    memcpy(packet + 12, grid, sizeof grid);
    memcpy(packet + 24, sizes, sizeof sizes);
    memcpy(packet + 40, &run->kernarg, 8);
}

// ---- Launch
static const char *refuse(const struct gfx_kernel *k, const struct gfx_launch *l) {
    uint64_t groups = (uint64_t)l->groups[0] * l->groups[1],
             threads = (uint64_t)l->threads[0] * l->threads[1];
    if (l->groups[0] == 0 || l->groups[1] == 0 || l->groups[2] == 0) return "a grid of no workgroups";
    if (l->threads[0] == 0 || l->threads[1] == 0 || l->threads[2] == 0) return "a workgroup of no threads";
    if (l->threads[0] > 1024 || l->threads[1] > 1024 || l->threads[2] > 1024)
        return "more than 1024 threads in a workgroup";
    if (threads * l->threads[2] > (k->max_threads ? k->max_threads : GFX_GROUP_THREADS))
        return "more threads in a workgroup than the kernel was compiled for";
    for (unsigned d = 0; d < 3; d++)
        if (k->reqd[d] && k->reqd[d] != l->threads[d])
            return "another workgroup size than the kernel requires";
    if (groups > INT32_MAX || groups * l->groups[2] > INT32_MAX) return "more than 2^31 - 1 workgroups";
    if ((uint64_t)k->lds_bytes + l->dynamic_lds > GFX_LDS_BYTES) return "more than 65536 bytes of LDS";
    if (l->n_args < k->explicit_bytes) return "fewer bytes of arguments than the kernel takes";
    if (l->n_args > k->kernarg_bytes) return "more bytes of arguments than the kernel takes";
    return NULL;
}

// As many as the registers and the LDS of 304 CUs hold: a kernel whose groups wait for each other hangs beyond that.
static uint32_t max_resident(const struct gfx_run *run) {
    uint32_t regs = ((run->kernel->rsrc1 & 63) + 1) * 8, waves = 512 / regs;
    if (waves > 8) waves = 8;
    uint32_t per_cu = 4 * waves / run->waves_per_group,
             by_lds = run->lds_bytes ? GFX_LDS_BYTES / run->lds_bytes : 32;
    if (per_cu > by_lds) per_cu = by_lds;
    return GFX_CUS * (per_cu ? per_cu : 1);
}

static const struct gfx_inst *entry_of(const struct gfx_kernel *k) {
    // With preloaded arguments the first 256 bytes are for firmware that cannot preload.
    return gfx_inst_at(k->object, k->entry + (k->preload & 127 ? 256 : 0));
}

static bool prepare(struct gfx_machine *m, struct gfx_run *run, uint8_t **args, uint8_t **packet) {
    const struct gfx_kernel *k = run->kernel;
    const struct gfx_launch *l = run->launch;
    *args = gfx_mem_new(m, k->kernarg_bytes, true);
    *packet = gfx_mem_new(m, 64, true);
    if (!*args || !*packet) return false;
    gfx_mem_find(m, (uintptr_t)*packet, 64)->readonly = true;
    if (k->kernarg_bytes) gfx_mem_find(m, (uintptr_t)*args, 1)->readonly = true;
    if (l->n_args) memcpy(*args, l->args, l->n_args);
    run->kernarg = (uint64_t)(uintptr_t)*args;
    run->packet = (uint64_t)(uintptr_t)*packet;
    hidden_args(run, *args);
    fill_packet(run, *packet);
    if (run->track) run->sync = calloc(run->n_groups, sizeof *run->sync);
    return !run->track || run->sync;
}

static void merge(struct gfx_stats *to, struct gfx_stats *from) {
    uint64_t *a = (uint64_t *)to, *b = (uint64_t *)from;
    for (size_t i = 0; i < sizeof *to / sizeof *a; i++) a[i] += b[i];
    memset(from, 0, sizeof *from);
}

static void finish(struct gfx_machine *m, struct gfx_run *run, uint8_t *args, uint8_t *packet) {
    if (args) gfx_free(m, args);
    if (packet) gfx_free(m, packet);
    for (uint32_t i = 0; run->sync && i < run->n_groups; i++) {
        free(run->sync[i].wb);
    }
    free(run->sync);
    for (uint32_t i = 0; i < m->n_workers; i++) merge(&m->stats, &m->workers[i].stats);
    m->stats.launches++;
}

enum gfx_status gfx_run(struct gfx_machine *m, const struct gfx_kernel *k, const struct gfx_launch *l) {
    const char *why = refuse(k, l);
    if (why) return gfx_fail(m, GFX_BAD_LAUNCH, "%s: %s", k->name, why);
    struct gfx_run run = {.m = m, .kernel = k, .launch = l};
    uint8_t *args = NULL, *packet = NULL;
    run.n_groups = l->groups[0] * l->groups[1] * l->groups[2];
    run.lds_bytes = k->lds_bytes + l->dynamic_lds;
    run.waves_per_group = (l->threads[0] * l->threads[1] * l->threads[2] + GFX_LANES - 1) / GFX_LANES;
    run.track = run.n_groups > 1 && run.n_groups < GFX_WRITER;
    run.first_epoch = atomic_fetch_add(&m->epoch, 1) + 1;
    run.max_resident = max_resident(&run);
    run.entry = entry_of(k);
    enum gfx_status status = GFX_OK;
    if (!run.entry) {
        status = gfx_fail(m, GFX_BAD_OBJECT, "%s: no code at its entry", k->name);
    } else if (!prepare(m, &run, &args, &packet)) {
        status = gfx_fail(m, GFX_NO_MEMORY, "%s: no memory for a launch", k->name);
    } else {
        m->status = GFX_OK;
        run_all(m, &run);
        if (atomic_load(&run.failed)) status = m->status;
    }
    finish(m, &run, args, packet);
    return status;
}

// ---- The machine
static bool start_workers(struct gfx_machine *m) {
    for (uint32_t i = 0; i < m->n_workers; i++) m->workers[i].m = m;
    for (uint32_t i = 1; i < m->n_workers; i++) {
        if (pthread_create(&m->workers[i].thread, NULL, worker_main, &m->workers[i]) != 0) return false;
        m->workers[i].started = true;
    }
    return true;
}

struct gfx_machine *gfx_create(const struct gfx_options *options) {
    struct gfx_machine *m = calloc(1, sizeof *m);
    if (!m) return NULL;
    if (options) m->options = *options;
    long cpus = sysconf(_SC_NPROCESSORS_ONLN);
    m->n_workers = m->options.n_threads ? m->options.n_threads : cpus > 0 ? (uint32_t)cpus : 1;
    if (m->n_workers > sizeof m->workers / sizeof *m->workers)
        m->n_workers = sizeof m->workers / sizeof *m->workers;
    if (!m->options.memory_bytes) m->options.memory_bytes = UINT64_C(192) << 30;
    if (!m->options.max_instructions) m->options.max_instructions = UINT64_C(2000000000);
    pthread_mutex_init(&m->text_lock, NULL);
    pthread_mutex_init(&m->error_lock, NULL);
    pthread_mutex_init(&m->sync_lock, NULL);
    pthread_mutex_init(&m->work_lock, NULL);
    pthread_cond_init(&m->work, NULL);
    pthread_cond_init(&m->done, NULL);
    if (!gfx_disassembler_open(m) || !start_workers(m)) {
        gfx_destroy(m);
        return NULL;
    }
    return m;
}

static void stop_worker(struct gfx_worker *worker) {
    if (worker->started) pthread_join(worker->thread, NULL);
    while (worker->spare) {
        struct gfx_group *g = worker->spare;
        worker->spare = g->next;
        gfx_group_delete(g);
    }
}

void gfx_destroy(struct gfx_machine *m) {
    if (!m) return;
    pthread_mutex_lock(&m->work_lock);
    m->quit = true;
    pthread_cond_broadcast(&m->work);
    pthread_mutex_unlock(&m->work_lock);
    for (uint32_t i = 0; i < m->n_workers; i++) stop_worker(&m->workers[i]);
    while (m->objects) gfx_unload(m, m->objects);
    while (m->n_mems) {
        struct gfx_mem *a = m->mems[m->n_mems - 1];
        if (a->mapped)
            gfx_unmap(m, (void *)a->base);
        else
            gfx_free(m, (void *)a->base);
    }
    free(m->mems);
    gfx_disassembler_close(m);
    pthread_mutex_destroy(&m->text_lock);
    pthread_mutex_destroy(&m->error_lock);
    pthread_mutex_destroy(&m->sync_lock);
    pthread_mutex_destroy(&m->work_lock);
    pthread_cond_destroy(&m->work);
    pthread_cond_destroy(&m->done);
    free(m);
}

// ---- Counts
void gfx_stats(const struct gfx_machine *m, struct gfx_stats *s) {
    *s = m->stats;
}

void gfx_stats_reset(struct gfx_machine *m) {
    memset(&m->stats, 0, sizeof m->stats);
}

void gfx_stats_start(struct gfx_machine *m) {
    m->options.stats = true;
}

const char *gfx_class_name(unsigned cls) {
    static const char *const names[GFX_N_CLASSES] = {
        [GFX_C_SALU] = "scalar", [GFX_C_SMEM] = "scalar memory",   [GFX_C_BRANCH] = "branch",
        [GFX_C_WAIT] = "wait",   [GFX_C_VALU] = "vector",          [GFX_C_TRANS] = "transcendental",
        [GFX_C_MFMA] = "matrix", [GFX_C_ACC] = "accumulator move", [GFX_C_LDS] = "LDS",
        [GFX_C_LOAD] = "load",   [GFX_C_STORE] = "store",          [GFX_C_ATOMIC] = "atomic",
        [GFX_C_FLAT] = "flat",   [GFX_C_SCRATCH] = "scratch",      [GFX_C_CACHE] = "cache",
    };
    return cls < GFX_N_CLASSES ? names[cls] : NULL;
}
