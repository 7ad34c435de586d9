/*
 * LDS: the kernels' static arrays, which lie in one section. The compiler calls here before each load and store (-fsanitize-coverage=
 * trace-loads,trace-stores). Held: a byte that is read was written by the group; no two waves touch a byte between two barriers
 * where one of them writes. Counted: cycles of the 32 banks of 4 bytes, and those beyond the least possible.
 */
#include "sim.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

extern unsigned char section_begin[] __asm__("__start_hipsim_lds")
    __attribute__((weak, visibility("hidden")));
extern unsigned char section_end[] __asm__("__stop_hipsim_lds") __attribute__((weak, visibility("hidden")));

struct lds_counts lds_counts;

/* Of each byte: the epochs (barriers, counted over all groups) and waves of the last write and read. Epochs before group_epoch are others'. */
struct shadow {
    uint32_t write_epoch, read_epoch;
    uint8_t writer, reader; /* reader: MANY, too */
};
enum { MANY = 255 };
static struct shadow *shadows;
static size_t n_bytes;
static uint32_t epoch, group_epoch;

/* Accesses of each lane since the last meeting of its wave. */
struct access {
    const void *place;
    uint32_t at;
    uint8_t bytes, is_store;
};
static struct log {
    struct access *list;
    unsigned n, capacity;
} logs[MAX_LANES];

void lds_begin_group(void) {
    if (!shadows && &section_end[0] > &section_begin[0]) {
        n_bytes = (size_t)(section_end - section_begin);
        shadows = mmap(NULL, n_bytes * sizeof *shadows, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (shadows == MAP_FAILED) abort();
    }
    group_epoch = ++epoch;
    for (unsigned i = 0; i < MAX_LANES; i++) logs[i].n = 0;
}

void lds_barrier(void) {
    epoch++;
}

static void check(size_t at, unsigned bytes, bool is_store) {
    uint8_t wave = (uint8_t)(sim.running / HIPSIM_WAVE);
    for (size_t i = at; i < at + bytes; i++) {
        struct shadow *s = &shadows[i];
        if (!is_store && s->write_epoch < group_epoch)
            sim_fault("it reads a byte of LDS that no lane has written");
        if (s->write_epoch == epoch && s->writer != wave)
            sim_fault("it %s a byte of LDS that wave %u wrote since the last barrier",
                      is_store ? "writes" : "reads", s->writer);
        if (is_store && s->read_epoch == epoch && s->reader != wave)
            sim_fault("it writes a byte of LDS that another wave read since the last barrier");
        if (is_store) {
            s->write_epoch = epoch;
            s->writer = wave;
        } else {
            s->reader = s->read_epoch == epoch && s->reader != wave ? MANY : wave;
            s->read_epoch = epoch;
        }
    }
}

static void note(size_t at, unsigned bytes, bool is_store, const void *place) {
    struct log *log = &logs[sim.running];
    if (log->n == log->capacity) {
        log->capacity = log->capacity ? 2 * log->capacity : 64;
        log->list = realloc(log->list, log->capacity * sizeof *log->list);
        if (!log->list) abort();
    }
    log->list[log->n++] = (struct access){place, (uint32_t)at, (uint8_t)bytes, is_store};
}

static inline void touch(uintptr_t address, unsigned bytes, bool is_store, const void *place) {
    size_t at = address - (uintptr_t)section_begin;
    if (at >= n_bytes) return;
    check(at, bytes, is_store);
    if (sim.count) note(at, bytes, is_store, place);
}

#define CALLBACK(n)                                                 \
    void __sanitizer_cov_load##n(const void *p);                    \
    void __sanitizer_cov_store##n(const void *p);                   \
    void __sanitizer_cov_load##n(const void *p) {                   \
        touch((uintptr_t)p, n, false, __builtin_return_address(0)); \
    }                                                               \
    void __sanitizer_cov_store##n(const void *p) {                  \
        touch((uintptr_t)p, n, true, __builtin_return_address(0));  \
    }
CALLBACK(1)
CALLBACK(2)
CALLBACK(4)
CALLBACK(8)
CALLBACK(16)

/* ---- banks: 128 bytes a cycle. Lanes are served 32 at a time for accesses of up to 4 bytes, 16 for 8, 8 for 16. ---- */

enum { N_BANKS = 32 };

static unsigned cycles_of(const uint32_t *words, unsigned n) {
    unsigned cycles = 1;
    for (unsigned bank = 0; bank < N_BANKS; bank++) {
        uint32_t seen[HIPSIM_WAVE * 4];
        unsigned n_seen = 0;
        for (unsigned i = 0; i < n; i++) {
            bool known = words[i] % N_BANKS != bank;
            for (unsigned j = 0; j < n_seen && !known; j++) known = seen[j] == words[i];
            if (!known) seen[n_seen++] = words[i];
        }
        if (n_seen > cycles) cycles = n_seen;
    }
    return cycles;
}

static void count(const struct access *const lanes[HIPSIM_WAVE], unsigned bytes) {
    unsigned at_a_time = bytes == 16 ? 8 : bytes == 8 ? 16 : 32, per_lane = bytes < 4 ? 1 : bytes / 4;
    lds_counts.accesses++;
    for (unsigned first = 0; first < HIPSIM_WAVE; first += at_a_time) {
        uint32_t words[HIPSIM_WAVE * 4];
        unsigned n = 0;
        for (unsigned i = first; i < first + at_a_time; i++)
            for (unsigned w = 0; w < per_lane && lanes[i]; w++) words[n++] = lanes[i]->at / 4 + w;
        unsigned cycles = n ? cycles_of(words, n) : 1;
        lds_counts.cycles += cycles;
        lds_counts.conflicts += cycles - 1;
    }
}

/* The same place for the n-th time in each lane is one instruction. */
void lds_settle(unsigned wave) {
    struct log *own = logs + wave * HIPSIM_WAVE;
    unsigned next[HIPSIM_WAVE] = {0};
    if (!sim.count) return;
    for (;;) {
        const struct access *lanes[HIPSIM_WAVE] = {0}, *first = NULL;
        for (unsigned i = 0; i < HIPSIM_WAVE; i++) {
            if (next[i] >= own[i].n) continue;
            const struct access *a = &own[i].list[next[i]];
            if (first && (a->place != first->place || a->bytes != first->bytes)) continue;
            first = a;
            lanes[i] = a;
            next[i]++;
        }
        if (!first) break;
        count(lanes, first->bytes);
    }
    for (unsigned i = 0; i < HIPSIM_WAVE; i++) own[i].n = 0;
}
