/* Which memory types serve which kind of buffer, best first. */
#include "vk.h"

enum {
    LOCAL = VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT,
    MAPPED = VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT,
    CACHED = VK_MEMORY_PROPERTY_HOST_CACHED_BIT,
    ORDINARY = LOCAL | MAPPED |
               CACHED, /* other flags mark memory for special uses, which need features of their own */
    REFUSED = 255,
};

struct view {
    const struct vk_physical *p;
    uint32_t i_main_heap; /* the largest device-local one */
    bool shared;          /* host and device use one memory: any heap is as good as local */
    bool mapped_vram;     /* wanted; where the host sees no main heap, there is none */
};

static bool in_main_heap(const struct view *v, const VkMemoryType *t) {
    return t->heapIndex == v->i_main_heap;
}

static bool has_all(const VkMemoryType *t, VkMemoryPropertyFlags flags) {
    return (t->propertyFlags & flags) == flags;
}

/* Lower is better. A small local window of a discrete device is left to those who need it. */
static unsigned rank_device(const struct view *v, const VkMemoryType *t) {
    bool mapped = has_all(t, MAPPED);
    if (has_all(t, LOCAL) && in_main_heap(v, t)) return mapped == v->mapped_vram ? 0 : 1;
    if (!v->shared) return REFUSED;
    return has_all(t, LOCAL) ? 2 : has_all(t, CACHED) ? 4 : 3;
}

static unsigned rank_upload(const struct view *v, const VkMemoryType *t) {
    if (!has_all(t, MAPPED) || (has_all(t, LOCAL) && !v->shared && !in_main_heap(v, t))) return REFUSED;
    unsigned rank = has_all(t, CACHED) ? 1 : 0; /* written in order, never read: no cache needed */
    return has_all(t, LOCAL) == v->shared ? rank : rank + 2;
}

static unsigned rank_readback(const struct view *v, const VkMemoryType *t) {
    if (!has_all(t, MAPPED)) return REFUSED;
    unsigned rank = has_all(t, LOCAL) && !v->shared ? 1 : 0;
    return has_all(t, CACHED) ? rank : rank + 2;
}

static unsigned rank_unified(const struct view *v, const VkMemoryType *t) {
    return v->shared && has_all(t, LOCAL | MAPPED | CACHED) ? 0 : REFUSED;
}

static void sort_types(const struct view *v, unsigned (*rank)(const struct view *, const VkMemoryType *),
                       struct vk_type_list *list) {
    uint8_t ranks[VK_MAX_TYPES];
    list->n = 0;
    for (uint32_t i = 0; i < v->p->memory.memoryTypeCount; i++) {
        const VkMemoryType *t = &v->p->memory.memoryTypes[i];
        unsigned r = t->propertyFlags & ~(unsigned)ORDINARY ? REFUSED : rank(v, t);
        if (r == REFUSED) continue;
        uint32_t at = list->n++;
        for (; at && ranks[at - 1] > r; at--) {
            ranks[at] = ranks[at - 1];
            list->types[at] = list->types[at - 1];
        }
        ranks[at] = (uint8_t)r;
        list->types[at] = (uint8_t)i;
    }
}

static uint32_t main_heap(const VkPhysicalDeviceMemoryProperties *m) {
    uint32_t best = 0;
    uint64_t best_bytes = 0;
    for (uint32_t i = 0; i < m->memoryHeapCount; i++) {
        if (!(m->memoryHeaps[i].flags & VK_MEMORY_HEAP_DEVICE_LOCAL_BIT)) continue;
        if (m->memoryHeaps[i].size <= best_bytes) continue;
        best = i;
        best_bytes = m->memoryHeaps[i].size;
    }
    return best;
}

void vk_memory_classify(struct vk_physical *p) {
    struct view v = {.p = p,
                     .i_main_heap = main_heap(&p->memory),
                     .shared = p->info.type == GRETA_DEV_INTEGRATED || p->info.type == GRETA_DEV_CPU};
    for (uint32_t i = 0; i < p->memory.memoryTypeCount; i++) {
        const VkMemoryType *t = &p->memory.memoryTypes[i];
        if (!(t->propertyFlags & ~(unsigned)ORDINARY) && has_all(t, LOCAL | MAPPED) && in_main_heap(&v, t))
            v.mapped_vram = true;
    }
    sort_types(&v, rank_device, &p->types[GRETA_MEM_DEVICE]);
    sort_types(&v, rank_upload, &p->types[GRETA_MEM_UPLOAD]);
    sort_types(&v, rank_readback, &p->types[GRETA_MEM_READBACK]);
    sort_types(&v, rank_unified, &p->types[GRETA_MEM_UNIFIED]);
    p->limits.unified = p->types[GRETA_MEM_UNIFIED].n > 0;
    p->limits.host_visible_vram = v.mapped_vram;
    v.mapped_vram &= v.shared;
    sort_types(&v, rank_device, &p->large_types);
    bool counted[VK_MAX_MEMORY_HEAPS] = {false};
    for (uint32_t i = 0; i < p->types[GRETA_MEM_DEVICE].n; i++) {
        uint32_t heap = p->memory.memoryTypes[p->types[GRETA_MEM_DEVICE].types[i]].heapIndex;
        if (!counted[heap]) p->info.memory_bytes += p->memory.memoryHeaps[heap].size;
        counted[heap] = true;
    }
}
