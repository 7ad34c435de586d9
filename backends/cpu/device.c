#include "cpu.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct instance {
    const struct greta_log *log;
    unsigned n_threads;
};

static greta_status open_instance(const struct hal_open_params *params, void **out_instance) {
    struct instance *in = calloc(1, sizeof *in);
    *out_instance = in;
    if (!in) return greta_fail(params->log, GRETA_ERR_NO_MEMORY, "cpu: no memory to open the backend");
    in->log = params->log;
    in->n_threads = params->n_threads;
    return GRETA_OK;
}

static void close_instance(void *instance) {
    free(instance);
}

static void model_name(char *out, size_t size) {
    snprintf(out, size, "cpu");
    char line[256];
    FILE *f = fopen("/proc/cpuinfo", "re");
    while (f && fgets(line, sizeof line, f)) {
        char *value = strchr(line, ':');
        if (strncmp(line, "model name", 10) != 0 || !value || !value[1]) continue;
        value += 2;
        value[strcspn(value, "\n")] = 0;
        if (*value) snprintf(out, size, "%.*s", (int)size - 1, value);
        break;
    }
    if (f) fclose(f);
}

static void fill_info(struct greta_dev_info *info) {
    uint64_t available;
    *info = (struct greta_dev_info){.backend = "cpu", .type = GRETA_DEV_CPU};
    model_name(info->name, sizeof info->name);
#if defined(__x86_64__)
    snprintf(info->arch, sizeof info->arch, "x86-64");
#elif defined(__aarch64__)
    snprintf(info->arch, sizeof info->arch, "aarch64");
#endif
    snprintf(info->driver, sizeof info->driver, "built in");
    cpu_memory(&info->memory_bytes, &available);
}

static greta_status list(void *instance, struct greta_dev_info *infos, uint32_t capacity, uint32_t *n) {
    (void)instance;
    *n = 1;
    if (capacity) fill_info(infos);
    return GRETA_OK;
}

static void fill_limits(struct greta_limits *l, uint64_t memory_bytes, unsigned n_threads) {
    *l = (struct greta_limits){
        .max_buf_bytes = memory_bytes ? memory_bytes : UINT64_C(1) << 40,
        .max_bindings = CPU_MAX_BINDINGS,
        .max_args_bytes = CPU_MAX_BINDINGS * 8 + CPU_MAX_CONSTANTS_BYTES,
        .max_groups = {INT32_MAX, UINT16_MAX, UINT16_MAX},
        .max_group_threads =
            1024, /* a group is one call: how many elements it covers is the kernel's affair */
        .subgroup_min = 1,
        .subgroup_max = 1,
        .n_compute_units = n_threads,
        .buf_alignment = 64,
        .max_update_bytes = 256,
        .timestamp_period_ns = 1,
        .timestamp_bits = 64,
        .unified = true,
        .host_visible_vram = true,
        .is_cpu = true,
        .has_f16 = true,
        .has_i8 = true,
        .has_16bit_storage = true,
        .has_8bit_storage = true,
        .has_int_dot = true,
        .has_bf16 = true,
        .export_type = GRETA_EXPORT_MAPPABLE_FD,
    };
}

static void dev_close(struct hal_dev *dev) {
    struct cpu_dev *d = (struct cpu_dev *)dev;
    thread_pool_destroy(&d->pool);
    free(d);
}

static greta_status dev_mem_info(struct hal_dev *dev, struct greta_mem_info *out) {
    (void)dev;
    cpu_memory(&out->total_bytes, &out->free_bytes);
    return GRETA_OK;
}

static greta_status dev_wait_idle(struct hal_dev *dev) {
    (void)dev;
    return GRETA_OK;
}

static const struct greta_dev_ops ops = {
    .dev_close = dev_close,
    .dev_mem_info = dev_mem_info,
    .dev_wait_idle = dev_wait_idle,
    .buf_create = cpu_buf_create,
    .buf_destroy = cpu_buf_destroy,
    .buf_wrap = cpu_buf_wrap,
    .buf_export = cpu_buf_export,
    .stream_create = cpu_stream_create,
    .stream_destroy = cpu_stream_destroy,
    .event_create = cpu_event_create,
    .event_destroy = cpu_event_destroy,
    .event_record = cpu_event_record,
    .event_wait = cpu_event_wait,
    .event_elapsed = cpu_event_elapsed,
    .stream_wait_event = cpu_stream_wait_event,
    .module_load = cpu_module_load,
    .module_unload = cpu_module_unload,
    .kernel_get = cpu_kernel_get,
    .cmd_dispatch = cpu_cmd_dispatch,
    .cmd_copy = cpu_cmd_copy,
    .cmd_fill = cpu_cmd_fill,
    .cmd_update = cpu_cmd_update,
    .cmd_barrier = cpu_cmd_barrier,
    .stamps_create = cpu_stamps_create,
    .stamps_destroy = cpu_stamps_destroy,
    .cmd_stamp = cpu_cmd_stamp,
    .stamps_read = cpu_stamps_read,
};

static greta_status dev_open(void *instance, uint32_t i_device, struct hal_dev **out) {
    (void)i_device;
    *out = NULL;
    struct instance *in = instance;
    struct cpu_dev *d = calloc(1, sizeof *d);
    if (!d) return greta_fail(in->log, GRETA_ERR_NO_MEMORY, "cpu: no memory to open the device");
    greta_status status = thread_pool_create(in->n_threads, &d->pool);
    if (status != GRETA_OK) {
        free(d);
        return greta_fail(in->log, status, "cpu: could not start %u threads: ask for fewer", in->n_threads);
    }
    d->hal.ops = &ops;
    d->hal.log = in->log;
    fill_info(&d->hal.info);
    fill_limits(&d->hal.limits, d->hal.info.memory_bytes, thread_pool_n_threads(d->pool));
    *out = &d->hal;
    return GRETA_OK;
}

const struct greta_backend cpu_backend = {
    .name = "cpu",
    .image_format = GRETA_IMAGE_HOST,
    .open = open_instance,
    .list = list,
    .dev_open = dev_open,
    .close = close_instance,
};
