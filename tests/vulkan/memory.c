/* Which memory serves which kind, on the memory layouts of devices that the tests do not have. */
#include "check.h"

#include "vk.h"

#include <string.h>

enum { L = 1, V = 2, H = 4, C = 8 }; /* device-local, host-visible, coherent, cached */

struct layout {
    const char *name;
    enum greta_dev_type type;
    uint32_t n_heaps, n_types;
    struct {
        uint64_t gib;
        bool local;
    } heaps[3];
    struct {
        uint32_t flags, heap;
    } types[12];
    bool unified, host_visible_vram;
    uint32_t best[GRETA_N_MEM_KINDS], second_device, best_large; /* UINT32_MAX: none */
    uint64_t memory_gib;
};

#define NONE UINT32_MAX

static const struct layout layouts[] = {
    {"a discrete device whose memory is all mapped (NVIDIA H200)",
     GRETA_DEV_DISCRETE,
     2,
     5,
     {{140, true}, {94, false}},
     {{0, 1}, {L, 0}, {V | H, 1}, {V | H | C, 1}, {L | V | H, 0}},
     false,
     true,
     {4, 2, 3, NONE},
     1,
     1,
     140},
    {"a discrete device with a small window",
     GRETA_DEV_DISCRETE,
     3,
     5,
     {{16, true}, {32, false}, {1, true}},
     {{0, 1}, {L, 0}, {V | H, 1}, {V | H | C, 1}, {L | V | H, 2}},
     false,
     false,
     {1, 2, 3, NONE},
     NONE,
     1,
     16},
    {"an APU in two heaps, 2/3 and 1/3 (RADV)",
     GRETA_DEV_INTEGRATED,
     2,
     9,
     {{20, true}, {10, false}},
     {{L, 0},
      {L, 0},
      {V | H, 1},
      {L | V | H, 0},
      {L | V | H, 0},
      {V | H | C, 1},
      {L | 0xc0, 0},
      {V | H | 0xc0, 1},
      {L | V | H | 0xc0, 0}},
     false,
     true,
     {3, 3, 5, NONE},
     4,
     3,
     30},
    {"an APU in one heap with cached memory",
     GRETA_DEV_INTEGRATED,
     1,
     2,
     {{24, true}},
     {{L | V | H, 0}, {L | V | H | C, 0}},
     true,
     true,
     {0, 0, 1, 1},
     1,
     0,
     24},
    {"a CPU (lavapipe)",
     GRETA_DEV_CPU,
     1,
     1,
     {{2, true}},
     {{L | V | H | C, 0}},
     true,
     true,
     {0, 0, 0, 0},
     NONE,
     0,
     2},
    {"no memory at all (a null device)",
     GRETA_DEV_INTEGRATED,
     0,
     0,
     {{0}},
     {{0}},
     false,
     false,
     {NONE, NONE, NONE, NONE},
     NONE,
     NONE,
     0},
};

static void check_layout(const struct layout *t) {
    struct vk_physical p = {.info.type = t->type,
                            .memory = {.memoryTypeCount = t->n_types, .memoryHeapCount = t->n_heaps}};
    for (uint32_t i = 0; i < t->n_heaps; i++)
        p.memory.memoryHeaps[i] =
            (VkMemoryHeap){t->heaps[i].gib << 30, t->heaps[i].local ? VK_MEMORY_HEAP_DEVICE_LOCAL_BIT : 0};
    for (uint32_t i = 0; i < t->n_types; i++)
        p.memory.memoryTypes[i] = (VkMemoryType){t->types[i].flags, t->types[i].heap};
    vk_memory_classify(&p);
    bool ok = CHECK(p.limits.unified == t->unified);
    ok &= CHECK(p.limits.host_visible_vram == t->host_visible_vram);
    ok &= CHECK(p.info.memory_bytes == t->memory_gib << 30);
    for (int kind = 0; kind < GRETA_N_MEM_KINDS; kind++)
        ok &= CHECK(t->best[kind] == (p.types[kind].n ? p.types[kind].types[0] : NONE));
    const struct vk_type_list *device = &p.types[GRETA_MEM_DEVICE];
    ok &= CHECK(t->second_device == (device->n > 1 ? device->types[1] : NONE));
    const struct vk_type_list *large = &p.large_types;
    ok &= CHECK(t->best_large == (large->n ? large->types[0] : NONE) && large->n == device->n);
    if (!ok) fprintf(stderr, "on %s\n", t->name);
}

int main(void) {
    for (size_t i = 0; i < sizeof layouts / sizeof *layouts; i++) check_layout(&layouts[i]);
    CHECK(!strcmp(vk_arch_name("AMD Radeon 760M (RADV PHOENIX)", 0x1002, 0x15bf), "gfx1103"));
    CHECK(!strcmp(vk_arch_name("Null hardware (RADV GFX1103_R1)", 0x1002, 0), "gfx1103"));
    CHECK(!strcmp(vk_arch_name("AMD Radeon RX 7900 XTX (RADV NAVI31)", 0x1002, 1), "gfx1100"));
    CHECK(!strcmp(vk_arch_name("AMD Radeon Graphics (RADV RAVEN2)", 0x1002, 1), "gfx909"));
    CHECK(!strcmp(vk_arch_name("AMD Radeon 760M Graphics", 0x1002, 0x15bf), "gfx1103"));
    CHECK(!strcmp(vk_arch_name("AMD Instinct MI300X", 0x1002, 0x74a1), "gfx942"));
    CHECK(!strcmp(vk_arch_name("NVIDIA H200", 0x10de, 0x74a1), ""));
    return check_done();
}
