/* The clocks that a GPU runs at just now, where its driver tells: amdgpu by sysfs, NVIDIA by the library of its management. */
#include "clocks.h"

#include "dl.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* The active line ends with a star: "1: 2100Mhz *". */
static void add_sysfs(json_t *device, const char *pci, const char *file, const char *name) {
    char path[160], line[64];
    snprintf(path, sizeof path, "/sys/bus/pci/devices/%s/%s", pci, file);
    FILE *clocks = fopen(path, "r");
    unsigned mhz;
    while (clocks && fgets(line, sizeof line, clocks))
        if (strchr(line, '*') && sscanf(line, "%*u: %uM", &mhz) == 1)
            json_object_set_new(device, name, json_integer(mhz));
    if (clocks) fclose(clocks);
}

/* NVML's functions and numbers are a stable interface; 0 is success. */
struct nvml {
    int (*init)(void);
    int (*shutdown)(void);
    int (*by_pci)(const char *pci, void **device);
    int (*clock)(void *device, unsigned type, unsigned *mhz);
    int (*max_clock)(void *device, unsigned type, unsigned *mhz);
};
static const struct dl_symbol symbols[] = {
    {"nvmlInit_v2", offsetof(struct nvml, init), false},
    {"nvmlShutdown", offsetof(struct nvml, shutdown), false},
    {"nvmlDeviceGetHandleByPciBusId_v2", offsetof(struct nvml, by_pci), false},
    {"nvmlDeviceGetClockInfo", offsetof(struct nvml, clock), false},
    {"nvmlDeviceGetMaxClockInfo", offsetof(struct nvml, max_clock), false},
};

static void add_nvml(json_t *device, const char *pci) {
    static const char *const names[] = {"libnvidia-ml.so.1", NULL};
    static const struct {
        const char *now, *most;
        unsigned type;
    } clocks[] = {{"clock_mhz", "max_clock_mhz", 1 /* of the multiprocessors */},
                  {"memory_clock_mhz", "max_memory_clock_mhz", 2}};
    struct nvml fn = {0};
    struct dl library;
    void *handle = NULL;
    unsigned mhz;
    if (dl_open(&library, names, NULL)) return;
    if (!dl_load(&library, symbols, sizeof symbols / sizeof *symbols, &fn, NULL) && fn.init() == 0) {
        if (fn.by_pci(pci, &handle) != 0) handle = NULL;
        for (int i = 0; i < 2 && handle; i++) {
            if (fn.clock(handle, clocks[i].type, &mhz) == 0)
                json_object_set_new(device, clocks[i].now, json_integer(mhz));
            if (fn.max_clock(handle, clocks[i].type, &mhz) == 0)
                json_object_set_new(device, clocks[i].most, json_integer(mhz));
        }
        (void)fn.shutdown();
    }
    dl_close(&library);
}

void clocks_add(json_t *device, const char *pci) {
    if (!*pci) return;
    add_sysfs(device, pci, "pp_dpm_sclk", "clock_mhz");
    add_sysfs(device, pci, "pp_dpm_mclk", "memory_clock_mhz");
    if (!json_object_get(device, "clock_mhz")) add_nvml(device, pci);
}
