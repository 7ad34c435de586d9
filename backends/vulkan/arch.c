/* Which instruction set an AMD device has: Vulkan does not say, but the driver's name for it or its PCI id does. */
#include "vk.h"

#include <string.h>

/* RADV names a device "AMD Radeon 760M (RADV PHOENIX)", older ones "(RADV GFX1103_R1)". */
static const struct {
    const char *codename, *arch;
} codenames[] = {
    {"VEGA10", "gfx900"},     {"VEGA20", "gfx906"},   {"ARCTURUS", "gfx908"},    {"MI100", "gfx908"},
    {"ALDEBARAN", "gfx90a"},  {"MI200", "gfx90a"},    {"GFX940", "gfx942"},      {"GFX942", "gfx942"},
    {"MI300", "gfx942"},      {"RAVEN2", "gfx909"},   {"RAVEN", "gfx902"},       {"RENOIR", "gfx90c"},
    {"NAVI10", "gfx1010"},    {"NAVI12", "gfx1011"},  {"NAVI14", "gfx1012"},     {"NAVI21", "gfx1030"},
    {"NAVI22", "gfx1031"},    {"NAVI23", "gfx1032"},  {"VANGOGH", "gfx1033"},    {"NAVI24", "gfx1034"},
    {"REMBRANDT", "gfx1035"}, {"RAPHAEL", "gfx1036"}, {"NAVI31", "gfx1100"},     {"NAVI32", "gfx1101"},
    {"NAVI33", "gfx1102"},    {"PHOENIX", "gfx1103"}, {"HAWK_POINT", "gfx1103"}, {"STRIX_HALO", "gfx1151"},
    {"STRIX1", "gfx1150"},    {"KRACKAN", "gfx1152"}, {"NAVI44", "gfx1200"},     {"NAVI48", "gfx1201"},
    {"GFX1103", "gfx1103"},   {"GFX1100", "gfx1100"}, {"GFX1101", "gfx1101"},    {"GFX1102", "gfx1102"},
    {"GFX1150", "gfx1150"},   {"GFX1151", "gfx1151"}, {"GFX1152", "gfx1152"},    {"GFX1200", "gfx1200"},
    {"GFX1201", "gfx1201"},   {"GFX90A", "gfx90a"},   {"GFX1036", "gfx1036"},
};

/* The devices that this program is made for, where another driver (AMDVLK) names them by their market's name alone. */
static const struct {
    uint32_t device_id;
    const char *arch;
} ids[] = {
    {0x15bf, "gfx1103"}, {0x15c8, "gfx1103"}, {0x1900, "gfx1103"}, {0x1901, "gfx1103"},
    {0x744c, "gfx1100"}, {0x7408, "gfx90a"},  {0x740c, "gfx90a"},  {0x740f, "gfx90a"},
    {0x74a0, "gfx942"},  {0x74a1, "gfx942"},  {0x74a2, "gfx942"},  {0x74a5, "gfx942"},
};

const char *vk_arch_name(const char *device_name, uint32_t vendor_id, uint32_t device_id) {
    const char *radv = strstr(device_name, "(RADV ");
    if (radv)
        for (size_t i = 0; i < sizeof codenames / sizeof *codenames; i++)
            if (!strncmp(radv + strlen("(RADV "), codenames[i].codename, strlen(codenames[i].codename)))
                return codenames[i].arch;
    for (size_t i = 0; vendor_id == 0x1002 && i < sizeof ids / sizeof *ids; i++)
        if (ids[i].device_id == device_id) return ids[i].arch;
    return "";
}
