/* What a board is and can do: asked of the library where it tells, by its architecture where it does not. */
#include "hip.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* ---- by architecture ---------------------------------------------------------------------------------------------- */

/* Sizes of the matrix unit, whole waves: AMD's ISA documents for CDNA 2 and 3 (MFMA) and RDNA 3 (WMMA). */
#define MATRIX(m, n, k, ab, cd) \
    { m, n, k, GRETA_COMPONENT_##ab, GRETA_COMPONENT_##cd }
static const struct greta_matrix_op gfx90a_ops[] = {
    MATRIX(16, 16, 4, F32, F32), MATRIX(32, 32, 2, F32, F32),   MATRIX(16, 16, 16, F16, F32),
    MATRIX(32, 32, 8, F16, F32), MATRIX(16, 16, 16, BF16, F32), MATRIX(32, 32, 8, BF16, F32),
    MATRIX(16, 16, 16, S8, S32), MATRIX(32, 32, 8, S8, S32),    MATRIX(16, 16, 4, F64, F64),
};
static const struct greta_matrix_op gfx942_ops[] = {
    MATRIX(16, 16, 4, F32, F32),  MATRIX(32, 32, 2, F32, F32),   MATRIX(16, 16, 16, F16, F32),
    MATRIX(32, 32, 8, F16, F32),  MATRIX(16, 16, 16, BF16, F32), MATRIX(32, 32, 8, BF16, F32),
    MATRIX(16, 16, 32, S8, S32),  MATRIX(32, 32, 16, S8, S32),   MATRIX(16, 16, 32, FP8, F32),
    MATRIX(32, 32, 16, FP8, F32), MATRIX(16, 16, 4, F64, F64),
};
static const struct greta_matrix_op gfx11_ops[] = {
    MATRIX(16, 16, 16, F16, F32),
    MATRIX(16, 16, 16, BF16, F32),
    MATRIX(16, 16, 16, S8, S32),
};
#define OPS(list) list, sizeof list / sizeof *list

static const struct {
    const char *prefix; /* of the architecture's name */
    const struct greta_matrix_op *ops;
    uint32_t n_ops;
} matrix_units[] = {{"gfx90a", OPS(gfx90a_ops)}, {"gfx942", OPS(gfx942_ops)}, {"gfx11", OPS(gfx11_ops)}};

static void fill_matrix(struct greta_limits *l, const char *arch) {
    for (size_t i = 0; i < sizeof matrix_units / sizeof *matrix_units; i++) {
        if (strncmp(arch, matrix_units[i].prefix, strlen(matrix_units[i].prefix)) != 0) continue;
        l->n_matrix_ops = matrix_units[i].n_ops;
        memcpy(l->matrix_ops, matrix_units[i].ops, matrix_units[i].n_ops * sizeof *l->matrix_ops);
    }
}

/* RDNA's workgroup processors, which the library counts, have two compute units each. */
static uint32_t units_of_processor(const char *arch) {
    return strncmp(arch, "gfx10", 5) == 0 || strncmp(arch, "gfx11", 5) == 0 || strncmp(arch, "gfx12", 5) == 0
               ? 2
               : 1;
}

/* ---- asked -------------------------------------------------------------------------------------------------------- */

static int attribute(const struct hip_instance *in, int ordinal, hipDeviceAttribute_t which, int otherwise) {
    int value = 0;
    return in->fn.DeviceGetAttribute(&value, which, ordinal) == hipSuccess && value > 0 ? value : otherwise;
}

/* The library may know a longer layout than ours: it gets more room than it can need. */
static hipError_t ask_target(const struct hip_instance *in, int ordinal, char *target, size_t size) {
    union {
        hipDeviceProp_tR0600 properties;
        char room[16384];
    } u;
    memset(&u, 0, sizeof u);
    hipError_t error = in->fn.GetDevicePropertiesR0600(&u.properties, ordinal);
    u.properties.gcnArchName[size - 1] = 0;
    memcpy(target, u.properties.gcnArchName, size);
    return error;
}

static void ask_identity(const struct hip_instance *in, int ordinal, struct greta_dev_info *info) {
    hipUUID uuid;
    char pci[32] = "";
    if (in->fn.DeviceGetPCIBusId(pci, sizeof pci, ordinal) == hipSuccess)
        snprintf(info->pci, sizeof info->pci, "%.15s", pci);
    for (char *c = info->pci; *c; c++) *c = (char)tolower((unsigned char)*c);
    if (in->fn.DeviceGetUuid && in->fn.DeviceGetUuid(&uuid, ordinal) == hipSuccess) {
        memcpy(info->uuid, uuid.bytes, sizeof info->uuid);
        for (size_t i = 0; i < sizeof info->uuid; i++) info->has_uuid |= info->uuid[i] != 0;
    }
}

static hipError_t ask_info(const struct hip_instance *in, int ordinal, struct hip_board *board) {
    struct greta_dev_info *info = &board->info;
    size_t bytes = 0;
    *info = (struct greta_dev_info){.backend = "hip"};
    hipError_t error = in->fn.DeviceGetName(info->name, sizeof info->name, ordinal);
    info->name[sizeof info->name - 1] = 0;
    if (error == hipSuccess) error = ask_target(in, ordinal, board->target, sizeof board->target);
    if (error == hipSuccess) error = in->fn.DeviceTotalMem(&bytes, ordinal);
    snprintf(info->arch, sizeof info->arch, "%.*s", (int)strcspn(board->target, ":"), board->target);
    if (!info->name[0])
        snprintf(info->name, sizeof info->name, "AMD GPU (%s)", info->arch); /* a driver without its names */
    snprintf(info->driver, sizeof info->driver, "HIP %d.%d.%d", in->version / 10000000,
             in->version / 100000 % 100, in->version % 100000);
    info->memory_bytes = bytes;
    ask_identity(in, ordinal, info);
    return error;
}

static void ask_limits(const struct hip_instance *in, int ordinal, struct hip_board *board) {
    struct greta_limits *l = &board->limits;
    uint32_t warp = (uint32_t)attribute(in, ordinal, hipDeviceAttributeWarpSize, 0);
    int clock_khz = attribute(in, ordinal, hipDeviceAttributeWallClockRate, 0);
    *l = (struct greta_limits){
        .max_buf_bytes = board->info.memory_bytes,
        .max_bindings = 16,
        .max_args_bytes = 256,
        .max_groups = {0, (uint32_t)attribute(in, ordinal, hipDeviceAttributeMaxGridDimY, 65535),
                       (uint32_t)attribute(in, ordinal, hipDeviceAttributeMaxGridDimZ, 65535)},
        .max_group_threads = (uint32_t)attribute(in, ordinal, hipDeviceAttributeMaxThreadsPerBlock, 1024),
        .max_lds_bytes = (uint32_t)attribute(in, ordinal, hipDeviceAttributeMaxSharedMemoryPerBlock, 65536),
        .subgroup_min = warp,
        .subgroup_max = warp,
        .n_compute_units = (uint32_t)attribute(in, ordinal, hipDeviceAttributeMultiprocessorCount, 1) *
                           units_of_processor(board->info.arch),
        .buf_alignment = 256,
        .max_update_bytes = 256,
        .timestamp_period_ns = clock_khz ? 1e6 / clock_khz : 1,
        .timestamp_bits = clock_khz ? 64 : 0,
        .unified = attribute(in, ordinal, hipDeviceAttributeIntegrated, 0) != 0,
        .is_emulated = strstr(board->info.name, "emulated") != NULL,
        .has_f16 = true,
        .has_i8 = true,
        .has_16bit_storage = true,
        .has_8bit_storage = true,
        .has_int_dot = true,
        .has_bf16 = true,
        .has_graph = true,
        .export_type = in->fn.IpcGetMemHandle ? GRETA_EXPORT_IPC : GRETA_EXPORT_NONE,
    };
    /* A dispatch packet counts threads, in 32 bits (HSA runtime specification 1.2, 2.9.6). */
    l->max_groups[0] = UINT32_MAX / l->max_group_threads;
    for (int i = 1; i < 3; i++)
        if (l->max_groups[i] > 65535) l->max_groups[i] = 65535; /* more is never asked for */
    fill_matrix(l, board->info.arch);
    board->info.type = l->is_emulated ? GRETA_DEV_CPU
                       : l->unified   ? GRETA_DEV_INTEGRATED
                                      : GRETA_DEV_DISCRETE;
}

greta_status hip_board_fill(struct hip_instance *in, int ordinal, struct hip_board *board) {
    *board = (struct hip_board){.ordinal = ordinal};
    hipError_t error = ask_info(in, ordinal, board);
    if (error == hipSuccess) ask_limits(in, ordinal, board);
    if (error == hipSuccess && strncmp(board->info.arch, "gfx", 3) == 0 &&
        (board->limits.subgroup_max == 32 || board->limits.subgroup_max == 64))
        return GRETA_OK;
    greta_logf(in->log, GRETA_LOG_INFO,
               "hip: device %d is left out: %s, architecture \"%s\", waves of %u threads", ordinal,
               hip_error_name(error), board->info.arch, board->limits.subgroup_max);
    return GRETA_ERR_UNAVAILABLE;
}
