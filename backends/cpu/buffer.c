#include "cpu.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

/* From here on a buffer has its own mapping: given back to the system when destroyed, and of huge pages where
 * possible. */
enum { MAP_FROM_BYTES = 1 << 20, ALIGN_BYTES = 256 };

/* MemAvailable counts the page cache, which the system gives up when asked; sysconf does not. */
static uint64_t mem_available(void) {
    uint64_t kib = 0;
    char line[128];
    FILE *f = fopen("/proc/meminfo", "re");
    while (f && fgets(line, sizeof line, f)) {
        unsigned long long n;
        if (sscanf(line, "MemAvailable: %llu kB", &n) == 1) kib = n;
    }
    if (f) fclose(f);
    return kib * 1024;
}

void cpu_memory(uint64_t *total_bytes, uint64_t *available_bytes) {
    long page = sysconf(_SC_PAGESIZE), n = sysconf(_SC_PHYS_PAGES), n_free = sysconf(_SC_AVPHYS_PAGES);
    *total_bytes = page > 0 && n > 0 ? (uint64_t)page * (uint64_t)n : 0;
    *available_bytes = mem_available();
    if (!*available_bytes && page > 0 && n_free > 0) *available_bytes = (uint64_t)page * (uint64_t)n_free;
}

static void *map(size_t bytes) {
    void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED) return NULL;
    madvise(p, bytes, MADV_HUGEPAGE); /* a wish: fewer page faults and TLB misses */
    return p;
}

greta_status cpu_buf_create(struct hal_dev *dev, uint64_t size_bytes, enum greta_mem_kind kind,
                            struct hal_buf **out) {
    *out = NULL;
    struct cpu_buf *b = calloc(1, sizeof *b);
    if (!b) return greta_fail(dev->log, GRETA_ERR_NO_MEMORY, "cpu: no memory for a buffer's handle");
    if (size_bytes >= MAP_FROM_BYTES) {
        b->mapped_bytes = (size_t)size_bytes;
        b->hal.host = map(b->mapped_bytes);
    } else {
        size_t bytes = ((size_t)size_bytes + ALIGN_BYTES - 1) & ~(size_t)(ALIGN_BYTES - 1);
        b->hal.host = aligned_alloc(ALIGN_BYTES, bytes);
    }
    if (!b->hal.host) {
        free(b);
        return greta_fail(dev->log, GRETA_ERR_NO_DEVICE_MEMORY,
                          "cpu: no memory for a buffer of %llu bytes: close other programs, or use a smaller "
                          "model or context",
                          (unsigned long long)size_bytes);
    }
    b->hal.size_bytes = size_bytes;
    b->hal.kind = kind;
    b->hal.address = (uint64_t)(uintptr_t)b->hal.host;
    *out = &b->hal;
    return GRETA_OK;
}

greta_status cpu_buf_wrap(struct hal_dev *dev, void *memory, uint64_t size_bytes, struct hal_buf **out) {
    *out = NULL;
    struct cpu_buf *b = calloc(1, sizeof *b);
    if (!b) return greta_fail(dev->log, GRETA_ERR_NO_MEMORY, "cpu: no memory for a buffer's handle");
    b->wrapped = true;
    b->hal = (struct hal_buf){.size_bytes = size_bytes,
                              .address = (uint64_t)(uintptr_t)memory,
                              .host = memory,
                              .kind = GRETA_MEM_UNIFIED};
    *out = &b->hal;
    return GRETA_OK;
}

void cpu_buf_destroy(struct hal_dev *dev, struct hal_buf *buf) {
    (void)dev;
    struct cpu_buf *b = (struct cpu_buf *)buf;
    if (b->mapped_bytes)
        munmap(b->hal.host, b->mapped_bytes);
    else if (!b->wrapped)
        free(b->hal.host);
    free(b);
}
