/*
 * Small buffers: blocks of powers of two, cut from slabs in order and kept by size when they come back. A slab is never
 * given back before the device closes: what is small is little, and a step that allocates finds it at once.
 */
#include "internal.h"

#include <stdlib.h>

#if defined(__SANITIZE_ADDRESS__)
#define WITH_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WITH_ASAN 1
#endif
#endif
#ifdef WITH_ASAN
#include <sanitizer/asan_interface.h>
#endif

enum { ALIGN_BYTES = 256, MAX_BLOCK_BYTES = ALIGN_BYTES << (RT_N_CLASSES - 1) };

static uint64_t class_bytes(uint32_t i_class) {
    return (uint64_t)ALIGN_BYTES << i_class;
}

static uint32_t class_of(uint64_t size_bytes) {
    uint32_t i = 0;
    while (class_bytes(i) < size_bytes) i++;
    return i;
}

/* Blocks of host memory are fenced off, so that the sanitizer sees an overrun of one into the next. */
static void fence(const struct greta_dev *dev, const struct rt_block *b, uint64_t open_bytes) {
#ifdef WITH_ASAN
    if (!dev->synchronous || !b->slab->host) return;
    unsigned char *p = (unsigned char *)b->slab->host + b->offset_bytes;
    ASAN_POISON_MEMORY_REGION(p, class_bytes(b->i_class));
    ASAN_UNPOISON_MEMORY_REGION(p, open_bytes);
#else
    (void)dev, (void)b, (void)open_bytes;
#endif
}

bool rt_pool_serves(const struct greta_dev *dev, uint64_t size_bytes) {
    return size_bytes <= MAX_BLOCK_BYTES && dev->hal->limits.max_buf_bytes >= RT_SLAB_BYTES;
}

greta_status rt_pool_add(struct greta_dev *dev, struct hal_buf *buf) {
    struct rt_slab *s = calloc(1, sizeof *s);
    if (!s) return greta_fail(dev->log, GRETA_ERR_NO_MEMORY, "buffer: no host memory for a slab");
    /* The first block begins where the address says: a device may align less than the blocks do. */
    *s = (struct rt_slab){.buf = buf, .used_bytes = -buf->address & (ALIGN_BYTES - 1)};
    pthread_mutex_lock(&dev->pool.lock);
    s->next = dev->pool.slabs[buf->kind];
    dev->pool.slabs[buf->kind] = s;
    pthread_mutex_unlock(&dev->pool.lock);
    return GRETA_OK;
}

/* A block that came back, or a new one; NULL where the first slab has no room for it. Under the lock. */
static greta_status take(struct greta_dev *dev, uint32_t i_class, enum greta_mem_kind kind,
                         struct rt_block **out) {
    struct rt_block **list = &dev->pool.free[kind][i_class];
    struct rt_slab *s = dev->pool.slabs[kind];
    uint64_t bytes = class_bytes(i_class);
    *out = *list;
    if (*out) {
        *list = (*out)->next;
        return GRETA_OK;
    }
    if (!s || s->buf->size_bytes - s->used_bytes < bytes) return GRETA_OK;
    struct rt_block *b = malloc(sizeof *b);
    if (!b) return greta_fail(dev->log, GRETA_ERR_NO_MEMORY, "buffer: no host memory for a block");
    *b = (struct rt_block){.slab = s->buf, .offset_bytes = s->used_bytes, .i_class = i_class, .kind = kind};
    s->used_bytes += bytes;
    *out = b;
    return GRETA_OK;
}

greta_status rt_pool_get(struct greta_dev *dev, uint64_t size_bytes, enum greta_mem_kind kind,
                         struct rt_block **out) {
    *out = NULL;
    pthread_mutex_lock(&dev->pool.lock);
    greta_status status = take(dev, class_of(size_bytes), kind, out);
    pthread_mutex_unlock(&dev->pool.lock);
    if (*out) fence(dev, *out, size_bytes);
    return status;
}

void rt_pool_put(struct greta_dev *dev, struct rt_block *block) {
    fence(dev, block, 0);
    pthread_mutex_lock(&dev->pool.lock);
    struct rt_block **list = &dev->pool.free[block->kind][block->i_class];
    block->next = *list;
    *list = block;
    pthread_mutex_unlock(&dev->pool.lock);
}

static void slabs_free(struct greta_dev *dev, struct rt_slab *s) {
    while (s) {
        struct rt_slab *next = s->next;
#ifdef WITH_ASAN
        if (dev->synchronous && s->buf->host) ASAN_UNPOISON_MEMORY_REGION(s->buf->host, s->buf->size_bytes);
#endif
        rt_hal_buf_destroy(dev, s->buf);
        free(s);
        s = next;
    }
}

void rt_pool_finish(struct greta_dev *dev) {
    for (int kind = 0; kind < GRETA_N_MEM_KINDS; kind++) {
        for (int i = 0; i < RT_N_CLASSES; i++)
            while (dev->pool.free[kind][i]) {
                struct rt_block *next = dev->pool.free[kind][i]->next;
                free(dev->pool.free[kind][i]);
                dev->pool.free[kind][i] = next;
            }
        slabs_free(dev, dev->pool.slabs[kind]);
        dev->pool.slabs[kind] = NULL;
    }
}
