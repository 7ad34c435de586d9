#include "cpu.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

/* From here on a buffer has its own mapping: given back to the system when destroyed, and of huge pages where
 * possible. */
enum { MAP_FROM_BYTES = 1 << 20, CHECK_FROM_BYTES = 64 << 20, ALIGN_BYTES = 256 };

/* The number behind `key` in a file of "key number" lines; `otherwise` where there is none. */
static uint64_t read_number(const char *path, const char *key, uint64_t otherwise) {
    char line[128];
    unsigned long long value = otherwise;
    size_t len = strlen(key);
    FILE *f = fopen(path, "re");
    while (f && fgets(line, sizeof line, f))
        if (strncmp(line, key, len) == 0 && sscanf(line + len, "%llu", &value) == 1) break;
    if (f) fclose(f);
    return value;
}

/* What the container that this process runs in may take yet; its page cache is given up when asked. */
static uint64_t cgroup_available(void) {
    uint64_t max = read_number("/sys/fs/cgroup/memory.max", "", UINT64_MAX);
    if (max == UINT64_MAX) return UINT64_MAX;
    uint64_t used = read_number("/sys/fs/cgroup/memory.current", "", 0);
    uint64_t cache = read_number("/sys/fs/cgroup/memory.stat", "file ", 0);
    used = used > cache ? used - cache : 0;
    return max > used ? max - used : 0;
}

void cpu_memory(uint64_t *total_bytes, uint64_t *available_bytes) {
    long page = sysconf(_SC_PAGESIZE), n = sysconf(_SC_PHYS_PAGES), n_free = sysconf(_SC_AVPHYS_PAGES);
    *total_bytes = page > 0 && n > 0 ? (uint64_t)page * (uint64_t)n : 0;
    *available_bytes = page > 0 && n_free > 0 ? (uint64_t)page * (uint64_t)n_free : 0;
    /* sysconf does not count the page cache as free; the system does. */
    *available_bytes = read_number("/proc/meminfo", "MemAvailable:", *available_bytes / 1024) * 1024;
    uint64_t cgroup = cgroup_available();
    if (cgroup < *available_bytes) *available_bytes = cgroup;
}

/* The system promises memory that it does not have and kills who then uses it: what cannot be there is refused. */
static bool too_large(uint64_t size_bytes) {
    uint64_t total, available, swap = read_number("/proc/meminfo", "SwapFree:", 0) * 1024;
    cpu_memory(&total, &available);
    return available && size_bytes > available + swap;
}

static void *map(size_t bytes) {
    void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED) return NULL;
    madvise(p, bytes, MADV_HUGEPAGE); /* a wish: fewer page faults and TLB misses */
    return p;
}

/* Where the process may not take what the machine has: which limit it is. Empty where there is none. */
static const char *own_limit(char *out, size_t size) {
    struct rlimit limit;
    out[0] = 0;
    if (getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY)
        snprintf(out, size, ", but this process is limited to %.1f MiB (ulimit -v)",
                 (double)limit.rlim_cur / 1048576);
    return out;
}

greta_status cpu_buf_create(struct hal_dev *dev, uint64_t size_bytes, enum greta_mem_kind kind,
                            struct hal_buf **out) {
    *out = NULL;
    struct cpu_buf *b = calloc(1, sizeof *b);
    if (!b) return greta_fail(dev->log, GRETA_ERR_NO_MEMORY, "cpu: no memory for a buffer's handle");
    if (size_bytes >= MAP_FROM_BYTES) {
        b->mapped_bytes = (size_t)size_bytes;
        if (size_bytes < CHECK_FROM_BYTES || !too_large(size_bytes)) b->hal.host = map(b->mapped_bytes);
    } else {
        size_t bytes = ((size_t)size_bytes + ALIGN_BYTES - 1) & ~(size_t)(ALIGN_BYTES - 1);
        b->hal.host = aligned_alloc(ALIGN_BYTES, bytes);
    }
    if (!b->hal.host) {
        uint64_t total, available;
        char limit[80];
        free(b);
        cpu_memory(&total, &available);
        return greta_fail(
            dev->log, GRETA_ERR_NO_DEVICE_MEMORY,
            "cpu: no memory for a buffer of %.1f MiB, %.1f MiB are free%s: close other programs, or use a "
            "smaller model or context",
            (double)size_bytes / 1048576, (double)available / 1048576, own_limit(limit, sizeof limit));
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

/* Pages of a file without a name: who has the descriptor maps the same ones. */
greta_status cpu_buf_export(struct hal_dev *dev, uint64_t size_bytes, struct hal_buf **out,
                            struct greta_export *handle) {
    *out = NULL;
    *handle = (struct greta_export){.fd = -1};
    struct cpu_buf *b = calloc(1, sizeof *b);
    if (!b) return greta_fail(dev->log, GRETA_ERR_NO_MEMORY, "cpu: no memory for a buffer's handle");
    void *p = MAP_FAILED;
    int fd = memfd_create("greta", MFD_CLOEXEC);
    if (fd >= 0 && ftruncate(fd, (off_t)size_bytes) == 0)
        p = mmap(NULL, (size_t)size_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (p == MAP_FAILED) {
        if (fd >= 0) close(fd);
        free(b);
        return greta_fail(dev->log, GRETA_ERR_NO_DEVICE_MEMORY,
                          "cpu: no memory for a shared buffer of %.1f MiB", (double)size_bytes / 1048576);
    }
    b->mapped_bytes = (size_t)size_bytes;
    b->hal = (struct hal_buf){
        .size_bytes = size_bytes, .address = (uint64_t)(uintptr_t)p, .host = p, .kind = GRETA_MEM_DEVICE};
    *handle = (struct greta_export){.type = GRETA_EXPORT_MAPPABLE_FD, .fd = fd, .size_bytes = size_bytes};
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
