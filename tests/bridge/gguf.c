/* GGUF files, sound and broken in every way that we could think of. */
#include "../check.h"
#include "writer.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

/* Where the fields of the sample lie. */
struct sample {
    struct writer w;
    size_t version, n_tensors, n_keys, key_len, key_type, bool_value, array_type, array_n, string_len,
        strings_n;
    size_t tensor_dims, tensor_ne, tensor_type, tensor_offset, tensor2_name, tensor2_offset, tensor3_ne, data;
};

/* Three tensors (F32 4x2, Q4_0 32x3, F16 8x1), a key of every kind. */
static struct sample make_sample(void) {
    struct sample s = {0};
    struct writer *w = &s.w;
    s.version = 4, s.n_tensors = 8, s.n_keys = 16;
    w_header(w, 3, 3, 9);
    s.key_len = w->n;
    w_key_string(w, "general.architecture", "llama");
    s.key_type = w->n + 8 + strlen("a.u32");
    w_key_u32(w, "a.u32", 7);
    w_key(w, "a.i64", GRETA_GGUF_I64);
    w_u64(w, (uint64_t)-5);
    w_key(w, "a.f32", GRETA_GGUF_F32);
    w_f32(w, 0.5f);
    w_key_bool(w, "a.bool", true);
    s.bool_value = w->n - 1;
    w_key(w, "a.i8", GRETA_GGUF_I8);
    w_u8(w, 200);
    w_key_array(w, "a.numbers", GRETA_GGUF_I32, 3);
    s.array_type = w->n - 12, s.array_n = w->n - 8;
    for (uint32_t i = 0; i < 3; i++) w_u32(w, i);
    w_key_array(w, "a.texts", GRETA_GGUF_STRING, 2);
    s.strings_n = w->n - 8, s.string_len = w->n;
    w_string(w, "one");
    w_string(w, "");
    w_key(w, "a.f64", GRETA_GGUF_F64);
    double x = 2.25;
    w_bytes(w, &x, sizeof x);
    s.tensor_dims = w->n + 8 + strlen("first");
    s.tensor_ne = s.tensor_dims + 4, s.tensor_type = s.tensor_ne + 16, s.tensor_offset = s.tensor_type + 4;
    w_tensor(w, "first", 0, 4, 2, 0);
    s.tensor2_name = w->n + 8;
    w_tensor(w, "secnd", 2, 32, 3, 32);
    s.tensor2_offset = w->n - 8;
    s.tensor3_ne = w->n + 8 + strlen("third") + 4;
    w_tensor(w, "third", 1, 8, 1, 96);
    w_pad(w, 32);
    s.data = w->n;
    w_zeros(w, 96 + 16);
    return s;
}

static greta_status open_sample(const struct writer *w, size_t size, struct capture *c,
                                struct greta_gguf **g) {
    struct greta_log log = capture_log(c);
    return greta_gguf_open_memory(w->p, size, "sample", &log, g);
}

static void test_sound(void) {
    struct sample s = make_sample();
    struct capture c;
    struct greta_gguf *g = NULL;
    if (!CHECK(open_sample(&s.w, s.w.n, &c, &g) == GRETA_OK)) fprintf(stderr, "%s\n", c.message);
    uint64_t u = 0;
    double f = 0;
    bool b = false;
    struct greta_gguf_string str, name;
    CHECK(c.n == 0 && greta_gguf_version(g) == 3 && greta_gguf_n_keys(g) == 9 &&
          greta_gguf_n_tensors(g) == 3);
    CHECK(greta_gguf_get_u64(g, "a.u32", &u) && u == 7);
    CHECK(!greta_gguf_get_u64(g, "a.i64", &u) && !greta_gguf_get_u64(g, "a.i8", &u) &&
          !greta_gguf_get_u64(g, "none", &u));
    CHECK(!greta_gguf_get_u64(g, "a.f32", &u) && !greta_gguf_get_u64(g, "a.bool", &u));
    CHECK(greta_gguf_key(g, "a.i64")->i64 == -5 && greta_gguf_key(g, "a.i8")->i64 == -56);
    CHECK(greta_gguf_get_f64(g, "a.f32", &f) && f == 0.5 && greta_gguf_get_f64(g, "a.f64", &f) && f == 2.25);
    CHECK(!greta_gguf_get_f64(g, "a.u32", &f) && !greta_gguf_get_bool(g, "a.u32", &b));
    CHECK(greta_gguf_get_bool(g, "a.bool", &b) && b);
    CHECK(greta_gguf_get_string(g, "general.architecture", &str) && str.len == 5 &&
          !memcmp(str.data, "llama", 5));
    const struct greta_gguf_value *v = greta_gguf_key(g, "a.texts");
    CHECK(v && v->type == GRETA_GGUF_ARRAY && v->element_type == GRETA_GGUF_STRING && v->n == 2);
    CHECK(((const struct greta_gguf_string *)v->elements)[0].len == 3);
    v = greta_gguf_key(g, "a.numbers");
    CHECK(v && v->n == 3 && v->element_type == GRETA_GGUF_I32 &&
          !memcmp(v->elements, (uint32_t[]){0, 1, 2}, 12));
    CHECK(greta_gguf_key_at(g, 1, &name)->u64 == 7 && name.len == 5 && !greta_gguf_key_at(g, 9, &name));
    const struct greta_gguf_tensor *t = greta_gguf_tensor(g, "secnd");
    CHECK(t && t->ggml_type == 2 && t->n_dims == 2 && t->ne[0] == 32 && t->ne[1] == 3 && t->ne[2] == 1 &&
          t->ne[3] == 1);
    CHECK(t->size_bytes == 54 && t->file_offset_bytes == s.data + 32 && t->data == s.w.p + s.data + 32);
    CHECK(!greta_gguf_tensor(g, "secn") && !greta_gguf_tensor(g, "") && greta_gguf_tensor_at(g, 2) &&
          !greta_gguf_tensor_at(g, 3));
    CHECK(!greta_gguf_file_path(g, 0) && !strcmp(greta_gguf_path(g), "sample"));
    CHECK(!greta_gguf_read(g, 0, 0, &(char){0}, 1)); /* memory is no file */
    greta_gguf_close(&g);
    CHECK(!g);
    greta_gguf_close(&g);
    w_free(&s.w);
}

static void patch(struct writer *w, size_t at, uint64_t value, size_t size) {
    memcpy(w->p + at, &value, size);
}

struct breakage {
    const char *what; /* in the message */
    size_t at;        /* offset of a position in struct sample */
    size_t size;
    uint64_t value;
    greta_status status;
};

#define AT(field) offsetof(struct sample, field)

static const struct breakage breakages[] = {
    {"not a GGUF file", AT(version), 0, 0, GRETA_ERR_FORMAT}, /* magic: patched below */
    {"version 1 is not supported", AT(version), 4, 1, GRETA_ERR_UNSUPPORTED},
    {"version 4 is not supported", AT(version), 4, 4, GRETA_ERR_UNSUPPORTED},
    {"version 0 is not supported", AT(version), 4, 0, GRETA_ERR_UNSUPPORTED},
    {"big-endian", AT(version), 4, 0x03000000, GRETA_ERR_UNSUPPORTED},
    {"9223372036854775808 tensors", AT(n_tensors), 8, 1ull << 63, GRETA_ERR_FORMAT},
    {"18446744073709551615 tensors", AT(n_tensors), 8, UINT64_MAX, GRETA_ERR_FORMAT},
    {"9223372036854775808 keys", AT(n_keys), 8, 1ull << 63, GRETA_ERR_FORMAT},
    {"a string of 9223372036854775808 bytes", AT(key_len), 8, 1ull << 63, GRETA_ERR_FORMAT},
    {"a string of 18446744073709551608 bytes", AT(key_len), 8, UINT64_MAX - 7, GRETA_ERR_FORMAT},
    {"key name of 0 bytes", AT(key_len), 8, 0, GRETA_ERR_FORMAT},
    {"unknown value type 13", AT(key_type), 4, 13, GRETA_ERR_FORMAT},
    {"unknown value type 4294967295", AT(key_type), 4, UINT32_MAX, GRETA_ERR_FORMAT},
    {"bool of value 2", AT(bool_value), 1, 2, GRETA_ERR_FORMAT},
    {"array of arrays", AT(array_type), 4, GRETA_GGUF_ARRAY, GRETA_ERR_UNSUPPORTED},
    {"unknown value type 99", AT(array_type), 4, 99, GRETA_ERR_FORMAT},
    {"claims 9223372036854775808 elements", AT(array_n), 8, 1ull << 63, GRETA_ERR_FORMAT},
    {"claims 4611686018427387905 elements", AT(array_n), 8, (1ull << 62) + 1, GRETA_ERR_FORMAT},
    {"claims 2305843009213693952 elements", AT(strings_n), 8, 1ull << 61, GRETA_ERR_FORMAT},
    {"a string of 4294967295 bytes", AT(string_len), 8, UINT32_MAX, GRETA_ERR_FORMAT},
    {"0 dimensions", AT(tensor_dims), 4, 0, GRETA_ERR_FORMAT},
    {"5 dimensions", AT(tensor_dims), 4, 5, GRETA_ERR_FORMAT},
    {"4294967295 dimensions", AT(tensor_dims), 4, UINT32_MAX, GRETA_ERR_FORMAT},
    {"dimension 0 of tensor 'first' is 0", AT(tensor_ne), 8, 0, GRETA_ERR_FORMAT},
    {"'first' overflows", AT(tensor_ne), 8, 1ull << 63, GRETA_ERR_FORMAT},
    {"'first' overflows", AT(tensor_ne), 8, 1ull << 62, GRETA_ERR_FORMAT},
    {"passes the end", AT(tensor_ne), 8, 1ull << 40, GRETA_ERR_FORMAT},
    {"unknown type number 4:", AT(tensor_type), 4, 4, GRETA_ERR_UNSUPPORTED},
    {"unknown type number 1000:", AT(tensor_type), 4, 1000, GRETA_ERR_UNSUPPORTED},
    {"not a multiple of Q4_0's 32", AT(tensor_type), 4, 2, GRETA_ERR_FORMAT},
    {"not a multiple of 32", AT(tensor2_offset), 8, 33, GRETA_ERR_FORMAT},
    {"overlap", AT(tensor2_offset), 8, 0, GRETA_ERR_FORMAT},
    {"passes the end", AT(tensor2_offset), 8, 128, GRETA_ERR_FORMAT},
    {"passes the end", AT(tensor2_offset), 8, UINT64_MAX - 31, GRETA_ERR_FORMAT},
    {"tensor 'first' appears twice", AT(tensor2_name), 5, 0x7473726966, GRETA_ERR_FORMAT},
    {"zero byte", AT(tensor2_name), 1, 0, GRETA_ERR_FORMAT},
    {"passes the end", AT(tensor3_ne), 8, 16, GRETA_ERR_FORMAT},
};

static void test_breakages(void) {
    for (size_t i = 0; i < sizeof breakages / sizeof *breakages; i++) {
        const struct breakage *b = &breakages[i];
        struct sample s = make_sample();
        size_t at;
        memcpy(&at, (const char *)&s + b->at, sizeof at);
        if (b->size)
            patch(&s.w, at, b->value, b->size);
        else
            s.w.p[0] = 'g';
        struct capture c;
        struct greta_gguf *g = NULL;
        greta_status status = open_sample(&s.w, s.w.n, &c, &g);
        bool ok = CHECK(status == b->status) && CHECK(!g) && CHECK(c.n == 1) &&
                  CHECK(strstr(c.message, b->what) != NULL) && CHECK(!strncmp(c.message, "sample: ", 8));
        if (!ok) fprintf(stderr, "  case %zu (%s): %s\n", i, b->what, c.message);
        greta_gguf_close(&g);
        w_free(&s.w);
    }
}

/* Every beginning of a sound file is a broken file, but for padding that nothing reads. */
static void test_truncated(void) {
    struct sample s = make_sample();
    for (size_t n = 0; n < s.w.n; n++) {
        unsigned char *copy = malloc(n ? n : 1); /* its own block, so that a sanitizer sees a byte too many */
        if (!copy) abort();
        memcpy(copy, s.w.p, n);
        struct capture c;
        struct greta_log log = capture_log(&c);
        struct greta_gguf *g = NULL;
        if (!CHECK(greta_gguf_open_memory(copy, n, "sample", &log, &g) == GRETA_ERR_FORMAT && c.n == 1 && !g))
            fprintf(stderr, "  at %zu of %zu\n", n, s.w.n);
        greta_gguf_close(&g);
        free(copy);
    }
    w_free(&s.w);
}

static void expect(const struct writer *w, greta_status status, const char *what) {
    struct capture c;
    struct greta_gguf *g = NULL;
    bool ok =
        CHECK(open_sample(w, w->n, &c, &g) == status) && CHECK(!what || strstr(c.message, what) != NULL);
    if (!ok) fprintf(stderr, "  %s: %s\n", what ? what : "", c.message);
    greta_gguf_close(&g);
}

static void test_alignment(void) {
    static const struct {
        uint32_t value;
        greta_status status;
    } cases[] = {{8, GRETA_OK},
                 {64, GRETA_OK},
                 {4096, GRETA_OK},
                 {0, GRETA_ERR_FORMAT},
                 {4, GRETA_ERR_FORMAT},
                 {48, GRETA_ERR_FORMAT},
                 {UINT32_MAX, GRETA_ERR_FORMAT},
                 {1u << 31, GRETA_ERR_FORMAT}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct writer w = {0};
        w_header(&w, 2, 1, 1);
        w_key_u32(&w, "general.alignment", cases[i].value);
        w_tensor(&w, "t", 0, 4, 1, 0);
        bool sound = cases[i].status == GRETA_OK;
        w_pad(&w, sound ? cases[i].value : 64);
        w_zeros(&w, 16);
        expect(&w, cases[i].status,
               sound                        ? NULL
               : cases[i].value == 1u << 31 ? "passes the end"
                                            : "general.alignment");
        w_free(&w);
    }
    struct writer w = {0};
    w_header(&w, 3, 0, 1);
    w_key_string(&w, "general.alignment", "32");
    expect(&w, GRETA_ERR_FORMAT, "general.alignment is not");
    w_free(&w);
}

static void test_names(void) {
    struct writer w = {0};
    w_header(&w, 3, 0, 2);
    w_key_u32(&w, "twice", 1);
    w_key_u32(&w, "twice", 2);
    expect(&w, GRETA_ERR_FORMAT, "key 'twice' appears twice");
    w_free(&w);
    w_header(&w, 3, 1, 0); /* what a terminal would obey does not reach it, and a long name is cut */
    char name[300];
    memset(name, 'x', sizeof name - 1);
    memcpy(name, "\x1b[2J\n'\xc3\xa9", 8);
    name[sizeof name - 1] = 0;
    w_tensor(&w, name, 77, 4, 1, 0);
    expect(&w, GRETA_ERR_UNSUPPORTED, "tensor '\\x1b[2J\\x0a\\x27\\xc3\\xa9xxx");
    expect(&w, GRETA_ERR_UNSUPPORTED, "xxx...' has the unknown type number 77");
    w_free(&w);
    w_header(&w, 3, 0, 0);
    expect(&w, GRETA_OK, NULL);
    w_free(&w);
}

static void test_types(void) {
    static const struct {
        const char *name;
        uint32_t type, elements, bytes;
    } rows[] = {{"F32", 0, 1, 4},         {"Q8_0", 8, 32, 34}, {"Q4_K", 12, 256, 144}, {"Q6_K", 14, 256, 210},
                {"IQ4_XS", 23, 256, 136}, {"BF16", 30, 1, 2},  {"MXFP4", 39, 32, 17}};
    uint32_t elements, bytes;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        CHECK(!strcmp(greta_gguf_type_name(rows[i].type), rows[i].name));
        CHECK(greta_gguf_type_block(rows[i].type, &elements, &bytes) && elements == rows[i].elements &&
              bytes == rows[i].bytes);
    }
    CHECK(!strcmp(greta_gguf_type_name(4), "?") && !strcmp(greta_gguf_type_name(UINT32_MAX), "?"));
    CHECK(!greta_gguf_type_block(31, &elements, &bytes) && elements == 0 && bytes == 0);
}

static void expect_path(const char *path, greta_status status, const char *what) {
    struct capture c;
    struct greta_log log = capture_log(&c);
    struct greta_gguf *g = NULL;
    bool ok = CHECK(greta_gguf_open(path, &log, &g) == status) && CHECK(c.n == (status != GRETA_OK)) &&
              CHECK(!what || strstr(c.message, what) != NULL) &&
              CHECK(status == GRETA_OK || strstr(c.message, path) != NULL);
    if (!ok) fprintf(stderr, "  %s: %s\n", path, c.message);
    greta_gguf_close(&g);
}

static const char *in(const char *dir, const char *name) {
    static char path[2][512];
    static unsigned turn;
    turn ^= 1;
    snprintf(path[turn], sizeof path[turn], "%s/%s", dir, name);
    return path[turn];
}

static void save_text(const char *path, const char *text) {
    FILE *f = fopen(path, "wb");
    if (!CHECK(f != NULL)) return;
    fputs(text, f);
    fclose(f);
}

static void test_files(const char *dir) {
    struct sample s = make_sample();
    const char *path = in(dir, "good.gguf");
    CHECK(w_save(&s.w, path));
    expect_path(path, GRETA_OK, NULL);
    if (geteuid() == 0) { /* root may read everything: be somebody else */
        CHECK(!chmod(dir, 0755) && !chmod(path, 0) && !seteuid(65534));
        expect_path(path, GRETA_ERR_IO, "no right to read");
        CHECK(!seteuid(0));
    } else {
        CHECK(!chmod(path, 0));
        expect_path(path, GRETA_ERR_IO, "no right to read");
    }
    CHECK(!chmod(path, 0600) && !truncate(path, (off_t)s.w.n - 1));
    expect_path(path, GRETA_ERR_FORMAT, "passes the end");
    expect_path(dir, GRETA_ERR_IO, "is a directory");
    expect_path(in(dir, "missing.gguf"), GRETA_ERR_NOT_FOUND, "no such file");
    path = in(dir, "fifo");
    CHECK(!mkfifo(path, 0600));
    expect_path(path, GRETA_ERR_IO, "is a FIFO");
    expect_path("/dev/null", GRETA_ERR_IO, "is a device");
    path = in(dir, "other");
    save_text(path, "");
    expect_path(path, GRETA_ERR_FORMAT, "is empty");
    save_text(path, "version https://git-lfs.github.com/spec/v1\n");
    expect_path(path, GRETA_ERR_FORMAT, "Git LFS pointer");
    save_text(path, "<!DOCTYPE html>");
    expect_path(path, GRETA_ERR_FORMAT, "web page");
    save_text(path, "GG");
    expect_path(path, GRETA_ERR_FORMAT, "not a GGUF file");
    w_free(&s.w);
}

struct split_part {
    uint32_t no, count, n_total;
    const char *tensor;
};

static void save_part(const char *path, struct split_part part) {
    struct writer w = {0};
    w_header(&w, 3, 1, part.no ? 3 : 4);
    if (!part.no) w_key_string(&w, "general.architecture", "llama");
    w_key(&w, "split.no", GRETA_GGUF_U16);
    w_bytes(&w, &part.no, 2);
    w_key(&w, "split.count", GRETA_GGUF_U16);
    w_bytes(&w, &part.count, 2);
    w_key(&w, "split.tensors.count", GRETA_GGUF_I32);
    w_u32(&w, part.n_total);
    w_tensor(&w, part.tensor, 0, 4, 1, 0);
    w_pad(&w, 32);
    for (int i = 0; i < 4; i++) w_f32(&w, (float)part.no);
    CHECK(w_save(&w, path));
    w_free(&w);
}

static void save_set(const char *dir) {
    save_part(in(dir, "m-00001-of-00003.gguf"), (struct split_part){0, 3, 3, "a"});
    save_part(in(dir, "m-00002-of-00003.gguf"), (struct split_part){1, 3, 3, "b"});
    save_part(in(dir, "m-00003-of-00003.gguf"), (struct split_part){2, 3, 3, "c"});
}

/* What it reads is what the mapping shows; a file that has become shorter since is an error, not a fault. */
static void test_read(const char *dir) {
    struct greta_gguf *g = NULL;
    float x[4] = {9, 9, 9, 9};
    save_set(dir);
    if (!CHECK(greta_gguf_open(in(dir, "m-00001-of-00003.gguf"), NULL, &g) == GRETA_OK)) return;
    const struct greta_gguf_tensor *t = greta_gguf_tensor(g, "c");
    CHECK(t && greta_gguf_read(g, t->i_file, t->file_offset_bytes, x, sizeof x) &&
          !memcmp(x, t->data, sizeof x) && x[0] == 2.0f);
    CHECK(t && greta_gguf_read(g, t->i_file, t->file_offset_bytes, x, 0));
    CHECK(!greta_gguf_read(g, 3, 0, x, 1));
    CHECK(!truncate(in(dir, "m-00003-of-00003.gguf"), (off_t)t->file_offset_bytes + 8));
    errno = 0;
    CHECK(!greta_gguf_read(g, t->i_file, t->file_offset_bytes, x, sizeof x) && errno == EIO);
    CHECK(greta_gguf_read(g, t->i_file, t->file_offset_bytes, x, 8));
    greta_gguf_close(&g);
}

static void test_split(const char *dir) {
    static const char *const names[] = {"m-00001-of-00003.gguf", "m-00002-of-00003.gguf",
                                        "m-00003-of-00003.gguf"};
    save_set(dir);
    for (size_t i = 0; i < 3; i++) {
        struct greta_gguf *g = NULL;
        struct greta_gguf_string s;
        CHECK(greta_gguf_open(in(dir, names[i]), NULL, &g) == GRETA_OK && greta_gguf_n_tensors(g) == 3);
        const struct greta_gguf_tensor *t = greta_gguf_tensor(g, "c");
        CHECK(t && t->i_file == 2 && *(const float *)t->data == 2.0f &&
              greta_gguf_get_string(g, "general.architecture", &s));
        CHECK(!strcmp(greta_gguf_file_path(g, 1), in(dir, names[1])) && !greta_gguf_file_path(g, 3));
        CHECK(!strcmp(greta_gguf_path(g), in(dir, names[i])) && greta_gguf_n_keys(g) == 4);
        greta_gguf_close(&g);
    }
    const char *first = in(dir, names[0]);
    CHECK(!rename(first, in(dir, "renamed.gguf")));
    expect_path(in(dir, "renamed.gguf"), GRETA_ERR_INVALID, "does not end in -00001-of-00003.gguf");
    save_set(dir);
    save_part(in(dir, names[1]), (struct split_part){1, 3, 3, "a"});
    expect_path(in(dir, names[0]), GRETA_ERR_FORMAT, "tensor 'a' appears twice");
    save_part(in(dir, names[1]), (struct split_part){1, 4, 3, "b"});
    struct capture c;
    struct greta_log log = capture_log(&c);
    struct greta_gguf *g = NULL;
    CHECK(greta_gguf_open(in(dir, names[0]), &log, &g) == GRETA_ERR_FORMAT &&
          strstr(c.message, "its name says part 2 of 3"));
    save_part(in(dir, names[1]), (struct split_part){2, 3, 3, "b"});
    CHECK(greta_gguf_open(in(dir, names[0]), &log, &g) == GRETA_ERR_FORMAT &&
          strstr(c.message, "its name says part 2 of 3"));
    save_part(in(dir, names[1]), (struct split_part){1, 3, 3, "b"});
    save_part(in(dir, names[0]), (struct split_part){0, 3, 9, "a"});
    CHECK(!greta_gguf_open(in(dir, names[2]), &log, &g)); /* the last part's own count is right */
    greta_gguf_close(&g);
    expect_path(in(dir, names[0]), GRETA_ERR_FORMAT, "hold 3 tensors in place of 9");
    save_set(dir);
    CHECK(!unlink(in(dir, names[1])));
    log = capture_log(&c);
    CHECK(greta_gguf_open(in(dir, names[2]), &log, &g) == GRETA_ERR_NOT_FOUND && c.n == 1 && !g);
    CHECK(strstr(c.message, "part 2 of 3 is missing") && strstr(c.message, names[1]));
    save_part(in(dir, "m-00001-of-00003.gguf"), (struct split_part){7, 3, 3, "a"});
    expect_path(in(dir, names[0]), GRETA_ERR_FORMAT, "part 7 of 3");
}

int main(void) {
    char dir[] = "/tmp/greta-test-gguf-XXXXXX";
    test_sound();
    test_breakages();
    test_truncated();
    test_alignment();
    test_names();
    test_types();
    if (CHECK(mkdtemp(dir) != NULL)) {
        test_files(dir);
        test_read(dir);
        test_split(dir);
        static const char *const left[] = {"good.gguf",
                                           "fifo",
                                           "other",
                                           "renamed.gguf",
                                           "m-00001-of-00003.gguf",
                                           "m-00002-of-00003.gguf",
                                           "m-00003-of-00003.gguf"};
        for (size_t i = 0; i < sizeof left / sizeof *left; i++) unlink(in(dir, left[i]));
        CHECK(!rmdir(dir));
    }
    return check_done();
}
