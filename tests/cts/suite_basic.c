/* Suites probe, device, module, limits, errors. */
#include "cts.h"

/* ---- probe ---- */

static void probe_lists_this_device(struct cts *t) {
    struct greta_probe_entry entries[16];
    uint32_t n = 0;
    CTS_OK(t, greta_ctx_probe(t->ctx, entries, 16, &n));
    CTS_NEED(t, n >= 1 && n <= 16);
    const struct greta_dev_info *mine = greta_dev_get_info(t->dev);
    unsigned n_mine = 0, n_chosen = 0;
    for (uint32_t i = 0; i < n; i++) {
        n_mine += !strcmp(entries[i].info.backend, mine->backend) &&
                  entries[i].info.i_device == mine->i_device && entries[i].usable;
        n_chosen += entries[i].chosen;
        CTS_CHECK(t, !entries[i].chosen || entries[i].usable);
        CTS_CHECK(t, entries[i].usable || entries[i].reason[0]);
    }
    CTS_CHECK(t, n_mine == 1);
    CTS_CHECK(t, n_chosen == 1);
done:;
}

static void probe_capacity(struct cts *t) {
    struct greta_probe_entry entry;
    uint32_t n = 0, again = 0;
    CTS_OK(t, greta_ctx_probe(t->ctx, NULL, 0, &n));
    CTS_OK(t, greta_ctx_probe(t->ctx, &entry, 1, &again));
    CTS_CHECK(t, n >= 1 && n == again);
done:;
}

static void probe_names(struct cts *t) {
    static const struct {
        const char *name;
        greta_status status;
    } wrong[] = {{"cuda", GRETA_ERR_INVALID},    {"cpu:x", GRETA_ERR_INVALID},
                 {"cpu:", GRETA_ERR_INVALID},    {"cpu:-1", GRETA_ERR_INVALID},
                 {"cpu:7", GRETA_ERR_NOT_FOUND}, {"cpu:99999999999999999999", GRETA_ERR_INVALID},
                 {" cpu", GRETA_ERR_INVALID}};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct greta_dev *dev = (struct greta_dev *)t;
        if (!CTS_STATUS(t, greta_dev_open(t->ctx, wrong[i].name, NULL, &dev), wrong[i].status))
            fprintf(stderr, "  %s\n", wrong[i].name);
        CTS_CHECK(t, !dev);
    }
    struct greta_dev *cpu = NULL;
    CTS_OK(t, greta_dev_open(t->ctx, "cpu", NULL, &cpu));
    CTS_CHECK(t, !strcmp(greta_dev_get_info(cpu)->backend, "cpu"));
    greta_dev_close(&cpu);
done:;
}

const struct cts_test cts_probe[] = {{"probe.lists_this_device", probe_lists_this_device},
                                     {"probe.capacity", probe_capacity},
                                     {"probe.names", probe_names},
                                     {0}};

/* ---- device ---- */

static void device_info(struct cts *t) {
    const struct greta_dev_info *info = greta_dev_get_info(t->dev);
    CTS_CHECK(t, info->name[0] && info->backend[0] && info->driver[0]);
    CTS_CHECK(t, !strncmp(t->device, info->backend, strlen(info->backend)));
    struct greta_mem_info memory;
    CTS_OK(t, greta_dev_mem_info(t->dev, &memory));
    CTS_CHECK(t, memory.total_bytes > 0 && memory.free_bytes <= memory.total_bytes);
done:;
}

static void device_limits(struct cts *t) {
    const struct greta_limits *l = t->limits;
    CTS_CHECK(t, l->max_buf_bytes >= 1u << 27);
    CTS_CHECK(t, l->max_bindings >= 8 && l->max_args_bytes >= 128);
    CTS_CHECK(t, l->max_groups[0] >= 65535 && l->max_groups[1] >= 65535 && l->max_groups[2] >= 64);
    CTS_CHECK(t, l->max_group_threads >= (l->is_cpu ? 1 : 64));
    CTS_CHECK(t, l->subgroup_min && l->subgroup_min <= l->subgroup_max);
    CTS_CHECK(t, (l->buf_alignment & (l->buf_alignment - 1)) == 0 && l->buf_alignment >= 4);
    CTS_CHECK(t, l->max_update_bytes >= 256);
    CTS_CHECK(t, l->n_matrix_ops <= sizeof l->matrix_ops / sizeof *l->matrix_ops);
    for (uint32_t i = 0; i < l->n_matrix_ops; i++)
        CTS_CHECK(t,
                  l->matrix_ops[i].m && l->matrix_ops[i].n && l->matrix_ops[i].k && l->matrix_ops[i].type_ab);
}

static void device_open_twice(struct cts *t) {
    struct greta_dev *second = NULL;
    struct greta_stream *stream = NULL;
    struct greta_buf *buf = NULL;
    uint32_t value = 0;
    CTS_OK(t, greta_dev_open(t->ctx, t->device, NULL, &second));
    CTS_OK(t, greta_stream_create(second, &stream));
    CTS_OK(t, greta_buf_create(second, 4, GRETA_MEM_DEVICE, &buf));
    CTS_OK(t, greta_stream_fill(stream, buf, 0, 4, 0xabcd1234u));
    CTS_OK(t, greta_stream_read(stream, buf, 0, &value, 4));
    CTS_CHECK(t, value == 0xabcd1234u);
done:
    greta_buf_destroy(&buf);
    greta_stream_destroy(&stream);
    greta_dev_close(&second);
    CTS_CHECK(t, !second && !stream && !buf);
}

static void device_wait(struct cts *t) {
    CTS_OK(t, greta_dev_wait(t->dev));
done:;
}

const struct cts_test cts_device[] = {{"device.info", device_info},
                                      {"device.limits", device_limits},
                                      {"device.open_twice", device_open_twice},
                                      {"device.wait", device_wait},
                                      {0}};

/* ---- module ---- */

static void module_same_kernel(struct cts *t) {
    struct greta_module *module = NULL;
    struct greta_kernel *a = NULL, *b = NULL, *c = NULL;
    enum greta_image_format format = greta_dev_get_image_format(t->dev);
    struct greta_image image = cts_image(format, CTS_CONSTS);
    const struct greta_constant one[] = {{0, 64}, {1, 5}, {2, 7}}, other[] = {{0, 64}, {1, 5}, {2, 8}};
    CTS_OK(t, greta_module_load(t->dev, &image, &module));
    CTS_OK(t, greta_kernel_get(module, cts_entry(format, CTS_CONSTS), one, 3, &a));
    CTS_OK(t, greta_kernel_get(module, cts_entry(format, CTS_CONSTS), one, 3, &b));
    CTS_OK(t, greta_kernel_get(module, cts_entry(format, CTS_CONSTS), other, 3, &c));
    CTS_CHECK(t, a == b && a != c);
    CTS_CHECK(t, greta_kernel_get_info(a) != NULL);
done:
    greta_module_unload(&module);
}

static void module_constants(struct cts *t) {
    struct greta_module *module = NULL;
    struct greta_kernel *kernel = NULL;
    struct greta_buf *y = NULL;
    uint32_t n = 1000, out[1000];
    CTS_OK(t, cts_kernel(t->dev, CTS_CONSTS, 41, 1000003, &module, &kernel));
    CTS_OK(t, greta_buf_create(t->dev, sizeof out, GRETA_MEM_DEVICE, &y));
    const struct greta_binding b = {y, 0, 0, GRETA_WRITE};
    CTS_OK(t, greta_stream_dispatch(t->stream, &(struct greta_dispatch){.kernel = kernel,
                                                                        .groups = {16, 1, 1},
                                                                        .n_bindings = 1,
                                                                        .bindings = &b,
                                                                        .constants = &n,
                                                                        .constants_bytes = 4}));
    CTS_OK(t, greta_stream_read(t->stream, y, 0, out, sizeof out));
    for (uint32_t i = 0; i < n; i++)
        if (!CTS_CHECK(t, out[i] == 41 + i * 1000003u)) break;
done:
    greta_buf_destroy(&y);
    greta_module_unload(&module);
}

static void module_errors(struct cts *t) {
    struct greta_module *module = NULL;
    struct greta_kernel *kernel = (struct greta_kernel *)t;
    enum greta_image_format format = greta_dev_get_image_format(t->dev);
    struct greta_image image = cts_image(format, CTS_STEP);
    CTS_OK(t, greta_module_load(t->dev, &image, &module));
    CTS_STATUS(t, greta_kernel_get(module, "no_such_kernel", NULL, 0, &kernel), GRETA_ERR_NOT_FOUND);
    CTS_CHECK(t, !kernel);
    greta_module_unload(&module);
    CTS_CHECK(t, !module);
    /* Of another format; empty. */
    struct greta_image foreign = image;
    foreign.format = format == GRETA_IMAGE_HOST ? GRETA_IMAGE_SPIRV : GRETA_IMAGE_HOST;
    CTS_STATUS(t, greta_module_load(t->dev, &foreign, &module), GRETA_ERR_INVALID);
    image.size_bytes = 0;
    CTS_STATUS(t, greta_module_load(t->dev, &image, &module), GRETA_ERR_INVALID);
    CTS_CHECK(t, !module);
done:
    greta_module_unload(&module);
}

const struct cts_test cts_module[] = {{"module.same_kernel", module_same_kernel},
                                      {"module.constants", module_constants},
                                      {"module.errors", module_errors},
                                      {0}};

/* ---- limits ---- */

static void limits_lowered(struct cts *t) {
    struct greta_dev_params params = {.fault.enabled = true};
    params.fault.lower.max_buf_bytes = 1 << 20;
    params.fault.lower.max_groups[0] = 64;
    struct greta_dev *dev = NULL;
    struct greta_stream *stream = NULL;
    struct greta_buf *buf = NULL, *big = NULL;
    struct greta_module *module = NULL;
    struct greta_kernel *kernel = NULL;
    CTS_OK(t, greta_dev_open(t->ctx, t->device, &params, &dev));
    CTS_CHECK(t, greta_dev_get_limits(dev)->max_buf_bytes == 1 << 20);
    CTS_OK(t, greta_stream_create(dev, &stream));
    CTS_OK(t, greta_buf_create(dev, 1 << 20, GRETA_MEM_DEVICE, &buf));
    CTS_STATUS(t, greta_buf_create(dev, (1 << 20) + 1, GRETA_MEM_DEVICE, &big), GRETA_ERR_INVALID);
    CTS_CHECK(t, !big);
    CTS_OK(t, cts_kernel(dev, CTS_STEP, 0, 0, &module, &kernel));
    CTS_OK(t, cts_step(stream, kernel, buf, 0, 64 * 64));
    CTS_STATUS(t, cts_step(stream, kernel, buf, 0, 64 * 65), GRETA_ERR_INVALID);
    CTS_OK(t, greta_stream_wait(stream));
done:
    greta_module_unload(&module);
    greta_buf_destroy(&buf);
    greta_buf_destroy(&big);
    greta_stream_destroy(&stream);
    greta_dev_close(&dev);
}

static void limits_buffer_too_large(struct cts *t) {
    struct greta_buf *buf = NULL;
    CTS_STATUS(t, greta_buf_create(t->dev, 0, GRETA_MEM_DEVICE, &buf), GRETA_ERR_INVALID);
    if (t->limits->max_buf_bytes < UINT64_MAX)
        CTS_STATUS(t, greta_buf_create(t->dev, t->limits->max_buf_bytes + 1, GRETA_MEM_DEVICE, &buf),
                   GRETA_ERR_INVALID);
    CTS_CHECK(t, !buf);
    if (!t->limits->unified)
        CTS_STATUS(t, greta_buf_create(t->dev, 4, GRETA_MEM_UNIFIED, &buf), GRETA_ERR_UNSUPPORTED);
    CTS_CHECK(t, !buf);
}

const struct cts_test cts_limits[] = {
    {"limits.lowered", limits_lowered}, {"limits.buffer_too_large", limits_buffer_too_large}, {0}};

/* ---- errors ---- */

static void errors_bindings(struct cts *t) {
    struct greta_module *module = NULL;
    struct greta_kernel *kernel = NULL;
    struct greta_buf *x = NULL;
    uint32_t n = 16, out[16], in[16];
    CTS_OK(t, cts_kernel(t->dev, CTS_STEP, 0, 0, &module, &kernel));
    CTS_OK(t, greta_buf_create(t->dev, 64, GRETA_MEM_DEVICE, &x));
    cts_pattern(in, 16, 3);
    CTS_OK(t, greta_stream_write(t->stream, x, 0, in, 64));
    const struct {
        struct greta_binding b;
        uint32_t groups[3], n_bindings, constants_bytes;
    } wrong[] = {
        {{x, 0, 65, GRETA_READ_WRITE}, {1, 1, 1}, 1, 4},
        {{x, 64, 4, GRETA_READ_WRITE}, {1, 1, 1}, 1, 4},
        {{x, UINT64_MAX, 4, GRETA_READ_WRITE}, {1, 1, 1}, 1, 4},
        {{x, 4, UINT64_MAX - 2, GRETA_READ_WRITE}, {1, 1, 1}, 1, 4},
        {{NULL, 0, 4, GRETA_READ_WRITE}, {1, 1, 1}, 1, 4},
        {{x, 0, 64, 0}, {1, 1, 1}, 1, 4},
        {{x, 0, 64, GRETA_READ_WRITE}, {0, 1, 1}, 1, 4},
        {{x, 0, 64, GRETA_READ_WRITE}, {1, 1, 1}, 1000, 4},
        {{x, 0, 64, GRETA_READ_WRITE}, {1, 1, 1}, 1, 4096},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct greta_dispatch d = {.kernel = kernel,
                                   .n_bindings = wrong[i].n_bindings,
                                   .bindings = &wrong[i].b,
                                   .constants = &n,
                                   .constants_bytes = wrong[i].constants_bytes};
        memcpy(d.groups, wrong[i].groups, sizeof d.groups);
        if (!CTS_STATUS(t, greta_stream_dispatch(t->stream, &d), GRETA_ERR_INVALID))
            fprintf(stderr, "  wrong dispatch %zu\n", i);
    }
    CTS_OK(t, greta_stream_read(t->stream, x, 0, out, 64));
    CTS_CHECK(t, !memcmp(in, out, 64)); /* none of them ran */
done:
    greta_buf_destroy(&x);
    greta_module_unload(&module);
}

static void errors_ranges(struct cts *t) {
    struct greta_buf *x = NULL, *y = NULL;
    uint32_t word = 0;
    CTS_OK(t, greta_buf_create(t->dev, 64, GRETA_MEM_DEVICE, &x));
    CTS_OK(t, greta_buf_create(t->dev, 64, GRETA_MEM_DEVICE, &y));
    CTS_STATUS(t, greta_stream_copy(t->stream, y, 0, x, 0, 68), GRETA_ERR_INVALID);
    CTS_STATUS(t, greta_stream_copy(t->stream, y, 32, x, 0, 36), GRETA_ERR_INVALID);
    CTS_STATUS(t, greta_stream_copy(t->stream, y, UINT64_MAX - 3, x, 0, 8), GRETA_ERR_INVALID);
    CTS_STATUS(t, greta_stream_copy(t->stream, x, 4, x, 0, 8), GRETA_ERR_INVALID); /* overlaps itself */
    CTS_STATUS(t, greta_stream_fill(t->stream, x, 2, 4, 0), GRETA_ERR_INVALID);
    CTS_STATUS(t, greta_stream_fill(t->stream, x, 0, 6, 0), GRETA_ERR_INVALID);
    CTS_STATUS(t, greta_stream_fill(t->stream, x, 64, 4, 0), GRETA_ERR_INVALID);
    CTS_STATUS(t, greta_stream_update(t->stream, x, 64, &word, 4), GRETA_ERR_INVALID);
    CTS_STATUS(t, greta_stream_write(t->stream, x, 61, &word, 4), GRETA_ERR_INVALID);
    CTS_STATUS(t, greta_stream_read(t->stream, x, 64, &word, 1), GRETA_ERR_INVALID);
done:
    greta_buf_destroy(&x);
    greta_buf_destroy(&y);
}

static void errors_null_destroyers(struct cts *t) {
    struct greta_ctx *ctx = NULL;
    struct greta_dev *dev = NULL;
    struct greta_buf *buf = NULL;
    struct greta_stream *stream = NULL;
    struct greta_event *event = NULL;
    struct greta_module *module = NULL;
    struct greta_graph *graph = NULL;
    greta_graph_destroy(&graph);
    greta_graph_destroy(NULL);
    greta_module_unload(&module);
    greta_module_unload(NULL);
    greta_event_destroy(&event);
    greta_event_destroy(NULL);
    greta_stream_destroy(&stream);
    greta_stream_destroy(NULL);
    greta_buf_destroy(&buf);
    greta_buf_destroy(NULL);
    greta_dev_close(&dev);
    greta_dev_close(NULL);
    greta_ctx_destroy(&ctx);
    greta_ctx_destroy(NULL);
    CTS_CHECK(t, !ctx && !dev && !buf && !stream && !event && !module && !graph);
}

static void errors_of_two_devices(struct cts *t) {
    struct greta_dev *other = NULL;
    struct greta_buf *mine = NULL, *theirs = NULL;
    CTS_OK(t, greta_dev_open(t->ctx, t->device, NULL, &other));
    CTS_OK(t, greta_buf_create(t->dev, 64, GRETA_MEM_DEVICE, &mine));
    CTS_OK(t, greta_buf_create(other, 64, GRETA_MEM_DEVICE, &theirs));
    CTS_STATUS(t, greta_stream_copy(t->stream, mine, 0, theirs, 0, 64), GRETA_ERR_INVALID);
    CTS_STATUS(t, greta_stream_fill(t->stream, theirs, 0, 64, 0), GRETA_ERR_INVALID);
done:
    greta_buf_destroy(&mine);
    greta_buf_destroy(&theirs);
    greta_dev_close(&other);
}

const struct cts_test cts_errors[] = {{"errors.bindings", errors_bindings},
                                      {"errors.ranges", errors_ranges},
                                      {"errors.null_destroyers", errors_null_destroyers},
                                      {"errors.of_two_devices", errors_of_two_devices},
                                      {0}};
