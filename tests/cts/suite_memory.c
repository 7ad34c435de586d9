/* Suites buffer, transfer, lifetime. */
#include "cts.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <stdint.h>

static const char *const kind_names[GRETA_N_MEM_KINDS] = {"device", "upload", "readback", "unified"};

static bool has_kind(const struct cts *t, enum greta_mem_kind kind) {
    return kind != GRETA_MEM_UNIFIED || t->limits->unified;
}

/* ---- buffer ---- */

static void buffer_kinds(struct cts *t) {
    for (int kind = 0; kind < GRETA_N_MEM_KINDS; kind++) {
        struct greta_buf *buf = NULL;
        if (!has_kind(t, kind)) continue;
        if (!CTS_CHECK(t,
                       cts_status(greta_buf_create(t->dev, 12345, kind, &buf), kind_names[kind]) == GRETA_OK))
            continue;
        CTS_CHECK(t, greta_buf_size(buf) == 12345);
        CTS_CHECK(t, (int)greta_buf_kind(buf) == kind);
        if (kind != GRETA_MEM_DEVICE && CTS_CHECK(t, greta_buf_host(buf)))
            memset(greta_buf_host(buf), 0x5a, 12345);
        greta_buf_destroy(&buf);
        CTS_CHECK(t, !buf);
    }
}

static void buffer_many_sizes(struct cts *t) {
    enum { N = 40 };
    struct greta_buf *bufs[N] = {0};
    uint32_t values[N];
    for (uint32_t i = 0; i < N; i++) {
        uint64_t size = 4 + i * i * i * 44ull; /* up to 2.6 MB: pooled and apart */
        CTS_OK(t, greta_buf_create(t->dev, size, GRETA_MEM_DEVICE, &bufs[i]));
        CTS_OK(t, greta_stream_fill(t->stream, bufs[i], 0, size & ~3ull, i + 1));
    }
    for (uint32_t i = 0; i < N; i++) {
        uint64_t last = (greta_buf_size(bufs[i]) & ~3ull) - 4;
        CTS_OK(t, greta_stream_read(t->stream, bufs[i], 0, &values[i], 4));
        CTS_CHECK(t, values[i] == i + 1);
        CTS_OK(t, greta_stream_read(t->stream, bufs[i], last, &values[i], 4));
        CTS_CHECK(t, values[i] == i + 1);
    }
done:
    for (uint32_t i = 0; i < N; i++) greta_buf_destroy(&bufs[i]);
}

static void buffer_mapped(struct cts *t) {
    struct greta_buf *up = NULL, *down = NULL;
    enum { N = 4096 };
    CTS_OK(t, greta_buf_create(t->dev, N * 4, GRETA_MEM_UPLOAD, &up));
    CTS_OK(t, greta_buf_create(t->dev, N * 4, GRETA_MEM_READBACK, &down));
    uint32_t *in = greta_buf_host(up);
    const uint32_t *out = greta_buf_host(down);
    CTS_NEED(t, in && out);
    for (uint32_t round = 0; round < 3; round++) {
        cts_pattern(in, N, round);
        CTS_OK(t, greta_stream_copy(t->stream, down, 0, up, 0, N * 4));
        CTS_OK(t, greta_stream_wait(t->stream));
        CTS_CHECK(t, !memcmp(in, out, N * 4));
    }
done:
    greta_buf_destroy(&up);
    greta_buf_destroy(&down);
}

static void buffer_wrap(struct cts *t) {
    enum { N = 1000 };
    static uint32_t memory[N];
    struct greta_buf *buf = NULL;
    struct greta_module *module = NULL;
    struct greta_kernel *kernel = NULL;
    for (uint32_t i = 0; i < N; i++) memory[i] = i;
    CTS_OK(t, greta_buf_wrap(t->dev, memory, sizeof memory, &buf));
    CTS_OK(t, cts_kernel(t->dev, CTS_STEP, 0, 0, &module, &kernel));
    CTS_OK(t, cts_step(t->stream, kernel, buf, 0, N));
    CTS_OK(t, greta_stream_wait(t->stream));
    CTS_CHECK(t, memory[0] == 1 && memory[N - 1] == cts_stepped(N - 1, 1));
done:
    greta_module_unload(&module);
    greta_buf_destroy(&buf);
}

/* Work on a shared buffer gives the same; the handle is one of the type that the limits tell, and the host sees the bytes where it can map it. */
static void buffer_export(struct cts *t) {
    enum { N = 5000 };
    static uint32_t data[N], back[N];
    struct greta_buf *buf = NULL;
    struct greta_module *module = NULL;
    struct greta_kernel *kernel = NULL;
    struct greta_export handle = {.fd = -1};
    if (t->limits->export_type == GRETA_EXPORT_NONE) {
        CTS_STATUS(t, greta_buf_export(t->dev, N * 4, &buf, &handle), GRETA_ERR_UNSUPPORTED);
        CTS_CHECK(t, !buf && handle.fd == -1);
        CTS_SKIP(t, "the device does not share its memory");
    }
    CTS_STATUS(t, greta_buf_export(t->dev, 0, &buf, &handle), GRETA_ERR_INVALID);
    CTS_OK(t, greta_buf_export(t->dev, N * 4, &buf, &handle));
    CTS_CHECK(t, handle.type == t->limits->export_type && handle.size_bytes >= N * 4);
    CTS_CHECK(t, (handle.fd >= 0) == (handle.type != GRETA_EXPORT_IPC));
    CTS_CHECK(t, greta_buf_size(buf) == N * 4 && greta_buf_kind(buf) == GRETA_MEM_DEVICE);
    cts_pattern(data, N, 7);
    CTS_OK(t, greta_stream_write(t->stream, buf, 0, data, sizeof data));
    CTS_OK(t, cts_kernel(t->dev, CTS_STEP, 0, 0, &module, &kernel));
    CTS_OK(t, cts_step(t->stream, kernel, buf, 0, N));
    CTS_OK(t, greta_stream_read(t->stream, buf, 0, back, sizeof back));
    CTS_OK(t, greta_stream_wait(t->stream));
    CTS_CHECK(t, back[0] == cts_stepped(data[0], 1) && back[N - 1] == cts_stepped(data[N - 1], 1));
    if (handle.type == GRETA_EXPORT_MAPPABLE_FD) {
        const uint32_t *seen = mmap(NULL, N * 4, PROT_READ, MAP_SHARED, handle.fd, 0);
        CTS_NEED(t, seen != MAP_FAILED);
        CTS_CHECK(t, !memcmp(seen, back, sizeof back));
        munmap((void *)(uintptr_t)seen, N * 4);
    } else if (handle.type == GRETA_EXPORT_OPAQUE_FD) {
        CTS_CHECK(t, fcntl(handle.fd, F_GETFD) >= 0);
    }
done:
    if (handle.fd >= 0) close(handle.fd);
    greta_module_unload(&module);
    greta_buf_destroy(&buf);
}

const struct cts_test cts_buffer[] = {{"buffer.kinds", buffer_kinds},
                                      {"buffer.export", buffer_export},
                                      {"buffer.many_sizes", buffer_many_sizes},
                                      {"buffer.mapped", buffer_mapped},
                                      {"buffer.wrap", buffer_wrap},
                                      {0}};

/* ---- transfer ---- */

/* Writes, copies and reads back at odd sizes and offsets, through every pair of memory kinds; canaries around
 * must live. */
static void transfer_kind_pair(struct cts *t, enum greta_mem_kind from, enum greta_mem_kind to) {
    static const struct {
        uint64_t offset, size;
    } cases[] = {{0, 4}, {4, 8}, {252, 1028}, {1024, 65536}, {4096, 70000}};
    enum { BYTES = 80000 };
    struct greta_buf *a = NULL, *b = NULL;
    static unsigned char in[BYTES], out[BYTES], expected[BYTES];
    CTS_OK(t, greta_buf_create(t->dev, BYTES, from, &a));
    CTS_OK(t, greta_buf_create(t->dev, BYTES, to, &b));
    cts_pattern((uint32_t *)in, BYTES / 4, (uint32_t)(from * 4 + to));
    CTS_OK(t, greta_stream_write(t->stream, a, 0, in, BYTES));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        memset(expected, 0xee, BYTES);
        memcpy(expected + cases[i].offset, in + 8, cases[i].size);
        CTS_OK(t, greta_stream_fill(t->stream, b, 0, BYTES, 0xeeeeeeeeu));
        CTS_OK(t, greta_stream_copy(t->stream, b, cases[i].offset, a, 8, cases[i].size));
        CTS_OK(t, greta_stream_read(t->stream, b, 0, out, BYTES));
        if (!CTS_CHECK(t, !memcmp(out, expected, BYTES)))
            fprintf(stderr, "  %s to %s, case %zu\n", kind_names[from], kind_names[to], i);
    }
done:
    greta_buf_destroy(&a);
    greta_buf_destroy(&b);
}

static void transfer_all_kinds(struct cts *t) {
    for (int from = 0; from < GRETA_N_MEM_KINDS; from++)
        for (int to = 0; to < GRETA_N_MEM_KINDS; to++)
            if (has_kind(t, from) && has_kind(t, to)) transfer_kind_pair(t, from, to);
}

static void transfer_bytes(struct cts *t) { /* writes and reads take any byte range */
    struct greta_buf *buf = NULL;
    unsigned char image[512], out[512], piece[64];
    memset(image, 0x11, sizeof image);
    CTS_OK(t, greta_buf_create(t->dev, sizeof image, GRETA_MEM_DEVICE, &buf));
    CTS_OK(t, greta_stream_write(t->stream, buf, 0, image, sizeof image));
    for (unsigned i = 1; i < 40; i++) {
        for (unsigned k = 0; k < sizeof piece; k++) piece[k] = (unsigned char)(i * 7 + k);
        CTS_OK(t, greta_stream_write(t->stream, buf, i * 11, piece, i));
        memcpy(image + i * 11, piece, i);
        memset(out, 0, sizeof out);
        CTS_OK(t, greta_stream_read(t->stream, buf, i * 3, out, 200 + i));
        CTS_CHECK(t, !memcmp(out, image + i * 3, 200 + i));
    }
done:
    greta_buf_destroy(&buf);
}

static void transfer_large(struct cts *t) { /* larger than any staging ring */
    enum { BYTES = 40 << 20 };
    struct greta_buf *buf = NULL;
    uint32_t *in = malloc(BYTES), *out = calloc(1, BYTES);
    CTS_NEED(t, in && out);
    cts_pattern(in, BYTES / 4, 9);
    CTS_OK(t, greta_buf_create(t->dev, BYTES, GRETA_MEM_DEVICE, &buf));
    CTS_OK(t, greta_stream_write(t->stream, buf, 0, in, BYTES));
    CTS_OK(t, greta_stream_read(t->stream, buf, 0, out, BYTES));
    CTS_CHECK(t, !memcmp(in, out, BYTES));
done:
    greta_buf_destroy(&buf);
    free(in);
    free(out);
}

static void transfer_write_is_taken_at_the_call(struct cts *t) {
    struct greta_buf *buf = NULL;
    uint32_t data[64], out[64 * 8];
    CTS_OK(t, greta_buf_create(t->dev, sizeof out, GRETA_MEM_DEVICE, &buf));
    for (uint32_t i = 0; i < 8; i++) {
        for (uint32_t k = 0; k < 64; k++) data[k] = i * 100 + k;
        CTS_OK(t, greta_stream_write(t->stream, buf, i * sizeof data, data, sizeof data));
        memset(data, 0xff, sizeof data);
    }
    CTS_OK(t, greta_stream_read(t->stream, buf, 0, out, sizeof out));
    for (uint32_t i = 0; i < 8 * 64; i++)
        if (!CTS_CHECK(t, out[i] == i / 64 * 100 + i % 64)) break;
done:
    greta_buf_destroy(&buf);
}

static void transfer_updates_in_order(struct cts *t) {
    struct greta_buf *buf = NULL;
    struct greta_module *module = NULL;
    struct greta_kernel *kernel = NULL;
    uint32_t out[64], data[64];
    CTS_OK(t, cts_kernel(t->dev, CTS_STEP, 0, 0, &module, &kernel));
    CTS_OK(t, greta_buf_create(t->dev, sizeof out, GRETA_MEM_DEVICE, &buf));
    for (uint32_t round = 0; round < 5; round++) {
        for (uint32_t i = 0; i < 64; i++) data[i] = round * 1000 + i;
        CTS_OK(t, greta_stream_update(t->stream, buf, 0, data, sizeof data));
        memset(data, 0, sizeof data);
        CTS_OK(t, cts_step(t->stream, kernel, buf, 0, 64));
        CTS_OK(t, greta_stream_update(t->stream, buf, 8, "\1\0\0\0", 4));
    }
    CTS_OK(t, greta_stream_read(t->stream, buf, 0, out, sizeof out));
    for (uint32_t i = 0; i < 64; i++) CTS_CHECK(t, out[i] == (i == 2 ? 1 : cts_stepped(4000 + i, 1)));
done:
    greta_module_unload(&module);
    greta_buf_destroy(&buf);
}

const struct cts_test cts_transfer[] = {
    {"transfer.all_kinds", transfer_all_kinds},
    {"transfer.bytes", transfer_bytes},
    {"transfer.large", transfer_large},
    {"transfer.write_is_taken_at_the_call", transfer_write_is_taken_at_the_call},
    {"transfer.updates_in_order", transfer_updates_in_order},
    {0}};

/* ---- lifetime ---- */

/* What is destroyed right after it was recorded lives until the work is done, and its memory is then used
 * again. */
static void lifetime_destroy_in_flight(struct cts *t) {
    enum { N = 65536, ROUNDS = 50 };
    struct greta_buf *x = NULL, *scratch = NULL;
    struct greta_module *module = NULL;
    struct greta_kernel *kernel = NULL;
    uint32_t first = 0, last = 0;
    CTS_OK(t, cts_kernel(t->dev, CTS_STEP, 0, 0, &module, &kernel));
    CTS_OK(t, greta_buf_create(t->dev, N * 4, GRETA_MEM_DEVICE, &x));
    CTS_OK(t, greta_stream_fill(t->stream, x, 0, N * 4, 1));
    for (int i = 0; i < ROUNDS; i++) {
        CTS_OK(t, greta_buf_create(t->dev, N * 4, GRETA_MEM_DEVICE, &scratch));
        CTS_OK(t, greta_stream_copy(t->stream, scratch, 0, x, 0, N * 4));
        CTS_OK(t, cts_step(t->stream, kernel, scratch, 0, N));
        CTS_OK(t, greta_stream_copy(t->stream, x, 0, scratch, 0, N * 4));
        greta_buf_destroy(&scratch);
    }
    greta_module_unload(&module); /* its kernel is still in flight */
    CTS_OK(t, greta_stream_read(t->stream, x, 0, &first, 4));
    CTS_OK(t, greta_stream_read(t->stream, x, N * 4 - 4, &last, 4));
    CTS_CHECK(t, first == cts_stepped(1, ROUNDS) && last == first);
done:
    greta_module_unload(&module);
    greta_buf_destroy(&scratch);
    greta_buf_destroy(&x);
}

static void lifetime_memory_comes_back(
    struct cts *t) { /* many times what the device could hold at once, if nothing came back */
    enum { ROUNDS = 200 };
    struct greta_buf *buf = NULL;
    struct greta_mem_info before, after;
    CTS_OK(t, greta_dev_mem_info(t->dev, &before));
    uint64_t size = t->limits->max_buf_bytes < 64u << 20 ? t->limits->max_buf_bytes : 64u << 20;
    for (uint32_t i = 0; i < ROUNDS; i++) {
        uint32_t value = 0;
        CTS_OK(t, greta_buf_create(t->dev, size, GRETA_MEM_DEVICE, &buf));
        CTS_OK(t, greta_stream_fill(t->stream, buf, size - 8, 4, i));
        if (i % 10 == 9) {
            CTS_OK(t, greta_stream_read(t->stream, buf, size - 8, &value, 4));
            CTS_CHECK(t, value == i);
        }
        greta_buf_destroy(&buf);
    }
    CTS_OK(t, greta_dev_mem_info(t->dev, &after));
done:
    greta_buf_destroy(&buf);
}

static void lifetime_stream_with_work(struct cts *t) {
    struct greta_stream *stream = NULL;
    struct greta_buf *buf = NULL;
    uint32_t value = 0;
    CTS_OK(t, greta_stream_create(t->dev, &stream));
    CTS_OK(t, greta_buf_create(t->dev, 4, GRETA_MEM_DEVICE, &buf));
    CTS_OK(t, greta_stream_fill(stream, buf, 0, 4, 77));
    greta_stream_destroy(&stream); /* waits for its work */
    CTS_OK(t, greta_stream_read(t->stream, buf, 0, &value, 4));
    CTS_CHECK(t, value == 77);
done:
    greta_stream_destroy(&stream);
    greta_buf_destroy(&buf);
}

const struct cts_test cts_lifetime[] = {{"lifetime.destroy_in_flight", lifetime_destroy_in_flight},
                                        {"lifetime.memory_comes_back", lifetime_memory_comes_back},
                                        {"lifetime.stream_with_work", lifetime_stream_with_work},
                                        {0}};
