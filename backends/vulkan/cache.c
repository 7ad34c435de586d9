/*
 * The pipeline cache on disk, one file per device and driver. A file is {magic, bytes, checksum} and then what the driver
 * gave, whose own header is checked too: drivers are not all robust against a damaged cache. A new file takes the old
 * one's place by rename, so that another process sees one or the other.
 */
#include "vk.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct file_header {
    char magic[8];
    uint64_t data_bytes, checksum;
};

static const char magic[8] = "GRETAVK1";
enum { MAX_CACHE_BYTES = 256 << 20, MAX_PATH_BYTES = 4096 };

static uint64_t checksum(const uint8_t *data, size_t n) {
    uint64_t h = 0xcbf29ce484222325U; /* FNV-1a */
    for (size_t i = 0; i < n; i++) h = (h ^ data[i]) * 0x100000001b3U;
    return h;
}

/* "<dir>/vulkan-10de-2335-<uuid><suffix>"; false where there is no folder or its name is too long. */
static bool file_path(const struct vk_device *dev, const char *suffix, char path[MAX_PATH_BYTES]) {
    const struct vk_physical *p = dev->physical;
    if (!dev->instance->cache_dir) return false;
    char uuid[2 * VK_UUID_SIZE + 1];
    for (unsigned i = 0; i < VK_UUID_SIZE; i++) snprintf(uuid + 2 * i, 3, "%02x", p->cache_uuid[i]);
    int n = snprintf(path, MAX_PATH_BYTES, "%s/vulkan-%04x-%04x-%s%s", dev->instance->cache_dir, p->vendor_id,
                     p->device_id, uuid, suffix);
    return n > 0 && n < MAX_PATH_BYTES;
}

/* NULL where the bytes are a cache that this device's driver made; else what is wrong with them. */
static const char *fault(const struct vk_device *dev, const uint8_t *file, size_t n) {
    struct file_header h;
    VkPipelineCacheHeaderVersionOne v;
    if (n < sizeof h + sizeof v) return "it is too short";
    memcpy(&h, file, sizeof h);
    memcpy(&v, file + sizeof h, sizeof v);
    if (memcmp(h.magic, magic, sizeof magic) != 0) return "it is no pipeline cache";
    if (h.data_bytes != n - sizeof h) return "its length is wrong";
    if (h.checksum != checksum(file + sizeof h, n - sizeof h)) return "its checksum is wrong";
    if (v.headerSize < sizeof v || v.headerVersion != VK_PIPELINE_CACHE_HEADER_VERSION_ONE)
        return "its header is unknown";
    if (v.vendorID != dev->physical->vendor_id || v.deviceID != dev->physical->device_id ||
        memcmp(v.pipelineCacheUUID, dev->physical->cache_uuid, VK_UUID_SIZE) != 0)
        return "another driver made it";
    return NULL;
}

static bool read_all(int fd, uint8_t *data, size_t n) {
    for (size_t done = 0; done < n;) {
        ssize_t got = read(fd, data + done, n - done);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return false;
        done += (size_t)got;
    }
    return true;
}

static bool write_all(int fd, const void *data, size_t n) {
    for (size_t done = 0; done < n;) {
        ssize_t put = write(fd, (const char *)data + done, n - done);
        if (put < 0 && errno == EINTR) continue;
        if (put <= 0) return false;
        done += (size_t)put;
    }
    return true;
}

static uint8_t *read_file(const char *path, size_t *n) {
    uint8_t *data = NULL;
    struct stat st;
    *n = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a FIFO of that name must not hang us */
    if (fd < 0) return NULL;
    if (!fstat(fd, &st) && S_ISREG(st.st_mode) && st.st_size <= MAX_CACHE_BYTES) {
        data = malloc((size_t)st.st_size + 1);
        if (data && read_all(fd, data, (size_t)st.st_size)) *n = (size_t)st.st_size;
    }
    close(fd);
    return data;
}

static void set_aside(struct vk_device *dev, const char *path, const char *why) {
    char bad[MAX_PATH_BYTES];
    bool moved = file_path(dev, ".bad", bad) && !rename(path, bad);
    greta_logf(dev->base.log, GRETA_LOG_WARN, "vulkan: pipeline cache %s is not used, %s; %s", path, why,
               moved ? "it was renamed to .bad" : "delete it");
}

greta_status vk_cache_open(struct vk_device *dev) {
    char path[MAX_PATH_BYTES];
    size_t n = 0;
    uint8_t *file = file_path(dev, ".bin", path) ? read_file(path, &n) : NULL;
    const char *why = file ? fault(dev, file, n) : NULL;
    if (why) set_aside(dev, path, why);
    VkPipelineCacheCreateInfo info = {.sType = VK_STRUCTURE_TYPE_PIPELINE_CACHE_CREATE_INFO};
    if (file && !why) {
        info.initialDataSize = n - sizeof(struct file_header);
        info.pInitialData = file + sizeof(struct file_header);
    }
    VkResult r = dev->fn.CreatePipelineCache(dev->handle, &info, NULL, &dev->cache);
    if (r != VK_SUCCESS && info.initialDataSize) {
        info.initialDataSize = 0;
        r = dev->fn.CreatePipelineCache(dev->handle, &info, NULL, &dev->cache);
    }
    free(file);
    if (r == VK_SUCCESS) return GRETA_OK;
    dev->cache = VK_NULL_HANDLE;
    return vk_fail(dev, r, "vkCreatePipelineCache", "opening it");
}

/* Makes the folder and those above it. */
static void make_folders(const char *dir) {
    char path[MAX_PATH_BYTES];
    if (snprintf(path, sizeof path, "%s", dir) >= (int)sizeof path) return;
    for (char *p = path + 1; *p; p++) {
        if (*p != '/') continue;
        *p = 0;
        (void)mkdir(path, 0700);
        *p = '/';
    }
    (void)mkdir(path, 0700);
}

static bool write_file(const char *temporary, const char *path, const uint8_t *data, size_t n) {
    struct file_header h = {.data_bytes = n, .checksum = checksum(data, n)};
    memcpy(h.magic, magic, sizeof magic);
    int fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) return false;
    bool ok = write_all(fd, &h, sizeof h) && write_all(fd, data, n);
    if (close(fd)) ok = false;
    if (ok && !rename(temporary, path)) return true;
    int e = errno;
    (void)unlink(temporary);
    errno = e;
    return false;
}

void vk_cache_save(struct vk_device *dev) {
    char path[MAX_PATH_BYTES], temporary[MAX_PATH_BYTES], suffix[64];
    snprintf(suffix, sizeof suffix, ".%ld-%" PRIxPTR ".tmp", (long)getpid(), (uintptr_t)dev);
    if (!file_path(dev, ".bin", path) || !file_path(dev, suffix, temporary)) return;
    if (!atomic_exchange(&dev->n_new_pipelines, 0) || vk_alive(dev) != GRETA_OK) return;
    size_t n = 0;
    uint8_t *data = NULL;
    VkResult r = dev->fn.GetPipelineCacheData(dev->handle, dev->cache, &n, NULL);
    if (r == VK_SUCCESS && n && n <= MAX_CACHE_BYTES) data = malloc(n);
    if (data) r = dev->fn.GetPipelineCacheData(dev->handle, dev->cache, &n, data);
    /* llvmpipe 26.2 promises a header and gives 20 bytes of it: nothing that could be read again. */
    if (data && r == VK_SUCCESS && n >= sizeof(VkPipelineCacheHeaderVersionOne)) {
        make_folders(dev->instance->cache_dir);
        if (!write_file(temporary, path, data, n))
            greta_logf(dev->base.log, GRETA_LOG_INFO, "vulkan: the pipeline cache %s cannot be written: %s",
                       path, strerror(errno));
    }
    free(data);
}
