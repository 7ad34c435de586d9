/* The clocks of a GPU by a library that stands for NVIDIA's; LD_LIBRARY_PATH finds it. */
#include "check.h"
#include "clocks.h"

static double mhz(const char *pci, const char *name) {
    json_t *device = json_object();
    clocks_add(device, pci);
    double value = json_number_value(json_object_get(device, name));
    json_decref(device);
    return value;
}

int main(void) {
    CHECK(mhz("0000:01:00.0", "clock_mhz") == 1830 && mhz("0000:01:00.0", "memory_clock_mhz") == 3201);
    CHECK(mhz("0000:01:00.0", "max_clock_mhz") == 1980 && mhz("0000:01:00.0", "max_memory_clock_mhz") == 0);
    CHECK(mhz("0000:02:00.0", "clock_mhz") == 0 && mhz("", "clock_mhz") == 0);
    return check_done();
}
