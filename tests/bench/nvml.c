/* Stands for NVIDIA's library: one device, whose clocks are known. */
#include <string.h>

#define NAME(name) __attribute__((visibility("default"))) int name
NAME(nvmlInit_v2)(void);
NAME(nvmlShutdown)(void);
NAME(nvmlDeviceGetHandleByPciBusId_v2)(const char *pci, void **device);
NAME(nvmlDeviceGetClockInfo)(void *device, unsigned type, unsigned *mhz);
NAME(nvmlDeviceGetMaxClockInfo)(void *device, unsigned type, unsigned *mhz);

static int n_open, one;

int nvmlInit_v2(void) {
    n_open++;
    return 0;
}
int nvmlShutdown(void) {
    return --n_open;
}
int nvmlDeviceGetHandleByPciBusId_v2(const char *pci, void **device) {
    *device = &one;
    return strcmp(pci, "0000:01:00.0") == 0 ? 0 : 6;
}
int nvmlDeviceGetClockInfo(void *device, unsigned type, unsigned *mhz) {
    *mhz = type == 1 ? 1830 : 3201;
    return n_open == 1 && device == &one ? 0 : 1;
}
int nvmlDeviceGetMaxClockInfo(void *device, unsigned type, unsigned *mhz) {
    *mhz = 1980;
    return n_open == 1 && device == &one && type == 1 ? 0 : 3;
}
