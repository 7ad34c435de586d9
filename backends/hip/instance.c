/* Opening libamdhip64, and the boards that it shows. */
#include "hip.h"

#include <dlfcn.h>
#include <stdlib.h>

/* ---- the library -------------------------------------------------------------------------------------------------- */

/* By the loader's paths, then where AMD's packages put it without telling the loader. */
static const char *const usual_names[] = {"libamdhip64.so.7", "libamdhip64.so.6",
                                          "/opt/rocm/lib/libamdhip64.so.7", "/opt/rocm/lib/libamdhip64.so.6",
                                          NULL};
static const char *const old_names[] = {"libamdhip64.so.5", "/opt/rocm/lib/libamdhip64.so.5", NULL};

static const struct dl_symbol symbols[] = {
#define SYMBOL(name, required, result, parameters) {"hip" #name, offsetof(struct hip_fns, name), !(required)},
    HIP_FUNCTION_LIST(SYMBOL) HIP_FUNCTION_LIST_6(SYMBOL)
#undef SYMBOL
};

#define NAME_TEXT(name) #name
#define NAME_OF(name) NAME_TEXT(name)
static const struct dl_symbol counters_symbol = {NAME_OF(HIP_COUNTERS_NAME),
                                                 offsetof(struct hip_instance, counters), true};

static greta_status unavailable(const struct hip_instance *in, const char *reason, const char *detail) {
    greta_logf(in->log, GRETA_LOG_INFO, "hip: %s%s", reason, detail);
    return GRETA_ERR_UNAVAILABLE;
}

static greta_status open_library(struct hip_instance *in, const char *name) {
    const char *const given[] = {name, NULL};
    struct dl old;
    greta_status status = dl_open(&in->library, name ? given : usual_names, in->log);
    if (status == GRETA_OK) {
        /* Never unloaded: it leaves threads, and exit handlers that would run in memory that is gone. */
        (void)dlopen(in->library.name, RTLD_LAZY | RTLD_NOLOAD | RTLD_NODELETE);
        status = dl_load(&in->library, symbols, sizeof symbols / sizeof *symbols, &in->fn, in->log);
        return status ? status : dl_load(&in->library, &counters_symbol, 1, in, in->log);
    }
    if (name) return unavailable(in, "cannot open the library that GRETA_HIP_LIBRARY names: ", name);
    if (dl_open(&old, old_names, in->log) != GRETA_OK)
        return unavailable(in, "no libamdhip64.so.7 or .so.6 on this machine (it comes with ROCm 7 or 6)",
                           "");
    status = unavailable(in, old.name, " is ROCm 5's, which is not used: MI300X needs ROCm 6 or newer");
    dl_close(&old);
    return status;
}

/* No device is a normal answer: a machine may have the library and no board, or no right to use it. */
static greta_status start(struct hip_instance *in, int *n_devices) {
    hipError_t error = in->fn.Init(0);
    if (error == hipSuccess) error = in->fn.GetDeviceCount(n_devices);
    if (error == hipErrorOutOfMemory)
        return greta_fail(in->log, GRETA_ERR_NO_MEMORY, "hip: hipInit: out of memory");
    if (error != hipSuccess || *n_devices < 1) {
        greta_logf(in->log, GRETA_LOG_INFO,
                   "hip: %s shows no device (%s): is there an AMD GPU, its driver (/dev/kfd), and the right "
                   "to use it (group "
                   "render)?",
                   in->library.name, hip_error_name(error == hipSuccess ? hipErrorNoDevice : error));
        return GRETA_ERR_UNAVAILABLE;
    }
    error = in->fn.RuntimeGetVersion(&in->version);
    if (error != hipSuccess) return unavailable(in, "hipRuntimeGetVersion: ", hip_error_name(error));
    if (in->version < 60000000 || !in->fn.GetDevicePropertiesR0600)
        return unavailable(in, in->library.name, " is older than ROCm 6, which MI300X needs");
    return GRETA_OK;
}

static void close_instance(void *instance) {
    struct hip_instance *in = instance;
    if (!in) return;
    dl_close(&in->library);
    free(in->boards);
    free(in);
}

/* Which boards reach which others' memory. Nothing is enabled: that is for whoever binds such memory. */
static void ask_peers(struct hip_instance *in) {
    for (uint32_t i = 0; in->fn.DeviceCanAccessPeer && i < in->n_boards; i++)
        for (uint32_t j = 0; j < in->n_boards && j < 64; j++) {
            int can = 0;
            if (i == j) continue;
            if (in->fn.DeviceCanAccessPeer(&can, in->boards[i].ordinal, in->boards[j].ordinal) ==
                    hipSuccess &&
                can)
                in->boards[i].limits.peers |= UINT64_C(1) << j;
        }
}

static greta_status open_parts(struct hip_instance *in, const struct hal_open_params *params) {
    int n = 0;
    greta_status status = open_library(in, params->library);
    if (status == GRETA_OK) status = start(in, &n);
    if (status != GRETA_OK) return status;
    in->boards = calloc((size_t)n, sizeof *in->boards);
    if (!in->boards) return greta_fail(in->log, GRETA_ERR_NO_MEMORY, "hip: out of memory");
    for (int i = 0; i < n; i++) {
        struct hip_board *board = &in->boards[in->n_boards];
        if (hip_board_fill(in, i, board) != GRETA_OK) continue;
        board->info.i_device = in->n_boards++;
    }
    ask_peers(in);
    return in->n_boards ? GRETA_OK : GRETA_ERR_UNAVAILABLE;
}

static greta_status open_instance(const struct hal_open_params *params, void **out) {
    *out = NULL;
    struct hip_instance *in = calloc(1, sizeof *in);
    if (!in) return greta_fail(params->log, GRETA_ERR_NO_MEMORY, "hip: out of memory");
    in->log = params->log;
    greta_status status = open_parts(in, params);
    if (status != GRETA_OK) {
        close_instance(in);
        return status;
    }
    *out = in;
    return GRETA_OK;
}

static greta_status list_devices(void *instance, struct greta_dev_info *infos, uint32_t capacity,
                                 uint32_t *n) {
    const struct hip_instance *in = instance;
    for (uint32_t i = 0; i < in->n_boards && i < capacity; i++) infos[i] = in->boards[i].info;
    *n = in->n_boards;
    return GRETA_OK;
}

const struct greta_backend hip_backend = {
    .name = "hip",
    .image_format = GRETA_IMAGE_AMDGPU,
    .open = open_instance,
    .list = list_devices,
    .dev_open = hip_dev_open,
    .close = close_instance,
};
