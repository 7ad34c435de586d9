#include "internal.h"
#include "quote.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Bounds on what a file can make us allocate. */
enum { MOST_KEYS = 1 << 16, MOST_TENSORS = 1 << 20 };

/* A bounds-checked walk over one part. */
struct reader {
    const struct gguf_part *part;
    const struct greta_log *log;
    size_t pos;
    const char *where; /* what is being read, for messages */
};

static GRETA_PRINTF(2, 3) greta_status broken(const struct reader *r, const char *format, ...) {
    char what[400];
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    return greta_fail(r->log, GRETA_ERR_FORMAT, "%.500s: %s: the file is damaged, fetch or convert it again",
                      r->part->path, what);
}

static size_t left(const struct reader *r) {
    return r->part->size - r->pos;
}

static greta_status truncated(const struct reader *r) {
    return broken(r, "ends inside %s (at byte %zu of %zu)", r->where, r->pos, r->part->size);
}

static greta_status read_bytes(struct reader *r, void *out, size_t n) {
    if (n > left(r)) return truncated(r);
    memcpy(out, r->part->data + r->pos, n);
    r->pos += n;
    return GRETA_OK;
}

static greta_status read_u32(struct reader *r, uint32_t *out) {
    return read_bytes(r, out, sizeof *out);
}

static greta_status read_u64(struct reader *r, uint64_t *out) {
    return read_bytes(r, out, sizeof *out);
}

static greta_status read_string(struct reader *r, struct greta_gguf_string *out) {
    uint64_t len = 0;
    greta_status status = read_u64(r, &len);
    if (status) return status;
    if (len > left(r))
        return broken(r, "a string of %" PRIu64 " bytes in %s at byte %zu passes the end (%zu bytes)", len,
                      r->where, r->pos, r->part->size);
    *out = (struct greta_gguf_string){(const char *)r->part->data + r->pos, (size_t)len};
    r->pos += (size_t)len;
    return GRETA_OK;
}

size_t gguf_scalar_size(enum greta_gguf_type type) {
    static const unsigned char sizes[] = {
        [GRETA_GGUF_U8] = 1,  [GRETA_GGUF_I8] = 1,  [GRETA_GGUF_U16] = 2, [GRETA_GGUF_I16] = 2,
        [GRETA_GGUF_U32] = 4, [GRETA_GGUF_I32] = 4, [GRETA_GGUF_F32] = 4, [GRETA_GGUF_BOOL] = 1,
        [GRETA_GGUF_U64] = 8, [GRETA_GGUF_I64] = 8, [GRETA_GGUF_F64] = 8,
    };
    return sizes[type];
}

static greta_status read_type(struct reader *r, const struct greta_gguf_string *key,
                              enum greta_gguf_type *out) {
    uint32_t t = 0;
    greta_status status = read_u32(r, &t);
    if (status) return status;
    struct quoted q;
    if (t > GRETA_GGUF_F64)
        return broken(r, "key %s has the unknown value type %" PRIu32, quote(&q, key->data, key->len), t);
    *out = (enum greta_gguf_type)t;
    return GRETA_OK;
}

static greta_status read_scalar(struct reader *r, const struct greta_gguf_string *key,
                                struct greta_gguf_value *v) {
    unsigned char b[8] = {0};
    greta_status status = read_bytes(r, b, gguf_scalar_size(v->type));
    if (status) return status;
    struct quoted q;
    switch (v->type) {
    case GRETA_GGUF_I8: v->i64 = (int8_t)b[0]; break;
    case GRETA_GGUF_I16: {
        int16_t x;
        memcpy(&x, b, sizeof x);
        v->i64 = x;
        break;
    }
    case GRETA_GGUF_I32: {
        int32_t x;
        memcpy(&x, b, sizeof x);
        v->i64 = x;
        break;
    }
    case GRETA_GGUF_F32: {
        float x;
        memcpy(&x, b, sizeof x);
        v->f64 = x;
        break;
    }
    case GRETA_GGUF_BOOL:
        if (b[0] > 1) return broken(r, "key %s is a bool of value %u", quote(&q, key->data, key->len), b[0]);
        v->b = b[0];
        break;
    default: memcpy(&v->u64, b, sizeof v->u64); /* unsigned ones of any width, I64 and F64 as they are */
    }
    return GRETA_OK;
}

/* Walks the strings once to check them and only then asks for memory: never more than twice what the file
 * holds. */
static greta_status read_strings(struct reader *r, struct arena *arena, struct greta_gguf_value *v) {
    size_t start = r->pos;
    struct greta_gguf_string s;
    greta_status status;
    for (uint64_t i = 0; i < v->n; i++)
        if ((status = read_string(r, &s))) return status;
    struct greta_gguf_string *strings = arena_array(arena, (size_t)v->n, sizeof *strings);
    if (!strings)
        return greta_fail(r->log, GRETA_ERR_NO_MEMORY, "%.500s: no memory for its metadata", r->part->path);
    r->pos = start;
    for (uint64_t i = 0; i < v->n; i++)
        if ((status = read_string(r, &strings[i]))) return status;
    v->elements = strings;
    return GRETA_OK;
}

static greta_status check_bools(const struct reader *r, const struct greta_gguf_string *key,
                                const struct greta_gguf_value *v) {
    struct quoted q;
    const unsigned char *b = v->elements;
    for (uint64_t i = 0; i < v->n; i++)
        if (b[i] > 1)
            return broken(r, "key %s holds a bool of value %u", quote(&q, key->data, key->len), b[i]);
    return GRETA_OK;
}

static greta_status read_array(struct reader *r, struct arena *arena, const struct greta_gguf_string *key,
                               struct greta_gguf_value *v) {
    struct quoted q;
    greta_status status = read_type(r, key, &v->element_type);
    if (status || (status = read_u64(r, &v->n))) return status;
    if (v->element_type == GRETA_GGUF_ARRAY)
        return greta_fail(r->log, GRETA_ERR_UNSUPPORTED,
                          "%.500s: key %s is an array of arrays, which is not supported", r->part->path,
                          quote(&q, key->data, key->len));
    bool strings = v->element_type == GRETA_GGUF_STRING;
    size_t least = strings ? sizeof(uint64_t) : gguf_scalar_size(v->element_type);
    if (v->n > left(r) / least)
        return broken(r, "key %s claims %" PRIu64 " elements, which pass the end of the file",
                      quote(&q, key->data, key->len), v->n);
    if (strings) return read_strings(r, arena, v);
    v->elements = r->part->data + r->pos;
    r->pos += (size_t)v->n * least;
    return v->element_type == GRETA_GGUF_BOOL ? check_bools(r, key, v) : GRETA_OK;
}

static greta_status read_key(struct reader *r, struct arena *arena, struct gguf_key *key) {
    *key = (struct gguf_key){.value.n = 1};
    greta_status status = read_string(r, &key->name);
    if (status) return status;
    if (key->name.len == 0 || key->name.len > UINT16_MAX)
        return broken(r, "has a key name of %zu bytes", key->name.len);
    struct greta_gguf_value *v = &key->value;
    if ((status = read_type(r, &key->name, &v->type))) return status;
    if (v->type == GRETA_GGUF_STRING) return read_string(r, &v->str);
    if (v->type == GRETA_GGUF_ARRAY) return read_array(r, arena, &key->name, v);
    return read_scalar(r, &key->name, v);
}

void *gguf_grow(void *array, size_t n, size_t *room, size_t size) {
    if (n < *room) return array;
    size_t more = *room ? *room * 2 : 32; /* no overflow: arrays are bounded by a file's size */
    void *p = realloc(array, more * size);
    if (p) *room = more;
    return p;
}

static greta_status no_memory(const struct reader *r) {
    return greta_fail(r->log, GRETA_ERR_NO_MEMORY, "%.500s: no memory for its list of keys and tensors",
                      r->part->path);
}

/* Keys of the parts after the first are read (they must be sound) and dropped by the caller. */
static greta_status read_keys(struct reader *r, struct greta_gguf *g, uint64_t n) {
    r->where = "the metadata";
    for (uint64_t i = 0; i < n; i++) {
        void *p = gguf_grow(g->keys, g->n_keys, &g->keys_room, sizeof *g->keys);
        if (!p) return no_memory(r);
        g->keys = p;
        greta_status status = read_key(r, &g->arena, &g->keys[g->n_keys]);
        if (status) return status;
        g->n_keys++;
    }
    return GRETA_OK;
}

/* Of keys[first, n), this part's. */
static greta_status read_alignment(const struct reader *r, const struct gguf_key *keys, size_t first,
                                   size_t n, uint64_t *out) {
    static const char name[] = "general.alignment";
    *out = 32;
    for (size_t i = first; i < n; i++) {
        if (keys[i].name.len != sizeof name - 1 || memcmp(keys[i].name.data, name, sizeof name - 1)) continue;
        if (keys[i].value.type != GRETA_GGUF_U32)
            return broken(r, "general.alignment is not a 32-bit number");
        *out = keys[i].value.u64;
        if (*out < 8 || (*out & (*out - 1)))
            return broken(r, "general.alignment is %" PRIu64 ", not a power of two of at least 8", *out);
    }
    return GRETA_OK;
}

static greta_status check_type(const struct reader *r, const struct greta_gguf_tensor *t) {
    struct quoted q;
    uint32_t elements, bytes;
    const char *name = quote(&q, t->name, strlen(t->name));
    if (!greta_gguf_type_block(t->ggml_type, &elements, &bytes))
        return greta_fail(r->log, GRETA_ERR_UNSUPPORTED,
                          "%.500s: tensor %s has the unknown type number %" PRIu32
                          ": convert it to another type",
                          r->part->path, name, t->ggml_type);
    if (t->ne[0] % elements)
        return broken(r, "tensor %s has rows of %" PRIu64 " elements, not a multiple of %s's %" PRIu32, name,
                      t->ne[0], greta_gguf_type_name(t->ggml_type), elements);
    return GRETA_OK;
}

static bool tensor_size(const struct greta_gguf_tensor *t, uint64_t *out) {
    uint32_t elements, bytes;
    uint64_t n = t->ne[0];
    if (__builtin_mul_overflow(n, t->ne[1], &n) || __builtin_mul_overflow(n, t->ne[2], &n) ||
        __builtin_mul_overflow(n, t->ne[3], &n) || n > INT64_MAX)
        return false;
    return greta_gguf_type_block(t->ggml_type, &elements, &bytes) &&
           !__builtin_mul_overflow(n / elements, bytes, out);
}

static greta_status read_shape(struct reader *r, struct greta_gguf_tensor *t) {
    struct quoted q;
    const char *name = quote(&q, t->name, strlen(t->name));
    greta_status status = read_u32(r, &t->n_dims);
    if (status) return status;
    if (t->n_dims < 1 || t->n_dims > 4)
        return broken(r, "tensor %s has %" PRIu32 " dimensions", name, t->n_dims);
    for (uint32_t i = 0; i < 4; i++) {
        t->ne[i] = 1;
        if (i < t->n_dims && (status = read_u64(r, &t->ne[i]))) return status;
        if (t->ne[i] == 0) return broken(r, "dimension %" PRIu32 " of tensor %s is 0", i, name);
    }
    if ((status = read_u32(r, &t->ggml_type)) || (status = check_type(r, t))) return status;
    if (!tensor_size(t, &t->size_bytes)) return broken(r, "the size of tensor %s overflows", name);
    return GRETA_OK;
}

static greta_status read_tensor(struct reader *r, struct arena *arena, struct greta_gguf_tensor *t) {
    struct greta_gguf_string name = {0};
    greta_status status = read_string(r, &name);
    if (status) return status;
    if (name.len == 0 || name.len > UINT16_MAX || memchr(name.data, 0, name.len))
        return broken(r, "has a tensor whose name is empty, too long or holds a zero byte");
    t->name = arena_strndup(arena, name.data, name.len);
    if (!t->name) return no_memory(r);
    if ((status = read_shape(r, t))) return status;
    return read_u64(r, &t->file_offset_bytes); /* from the start of the data for now */
}

static greta_status read_tensors(struct reader *r, struct greta_gguf *g, uint64_t n, uint32_t i_part) {
    r->where = "the list of tensors";
    for (uint64_t i = 0; i < n; i++) {
        void *p = gguf_grow(g->tensors, g->n_tensors, &g->tensors_room, sizeof *g->tensors);
        if (!p) return no_memory(r);
        g->tensors = p;
        struct greta_gguf_tensor *t = &g->tensors[g->n_tensors];
        *t = (struct greta_gguf_tensor){.i_file = i_part};
        greta_status status = read_tensor(r, &g->arena, t);
        if (status) return status;
        g->n_tensors++;
    }
    return GRETA_OK;
}

/* Offsets become positions in the file; every tensor must lie inside it. */
static greta_status place_tensors(struct reader *r, struct greta_gguf_tensor *tensors, size_t n,
                                  uint64_t alignment) {
    uint64_t base = (r->pos + alignment - 1) & ~(alignment - 1);
    struct quoted q;
    for (size_t i = 0; i < n; i++) {
        struct greta_gguf_tensor *t = &tensors[i];
        const char *name = quote(&q, t->name, strlen(t->name));
        uint64_t offset = t->file_offset_bytes, end;
        if (offset % alignment)
            return broken(r, "tensor %s lies at offset %" PRIu64 ", not a multiple of %" PRIu64, name, offset,
                          alignment);
        if (__builtin_add_overflow(base, offset, &offset) ||
            __builtin_add_overflow(offset, t->size_bytes, &end) || end > r->part->size)
            return broken(r, "tensor %s (%" PRIu64 " bytes) passes the end of the file (%zu bytes)", name,
                          t->size_bytes, r->part->size);
        t->file_offset_bytes = offset;
        t->data = r->part->data + offset;
    }
    return GRETA_OK;
}

static int by_offset(const void *a, const void *b) {
    const struct greta_gguf_tensor *x = *(const struct greta_gguf_tensor *const *)a;
    const struct greta_gguf_tensor *y = *(const struct greta_gguf_tensor *const *)b;
    return (x->file_offset_bytes > y->file_offset_bytes) - (x->file_offset_bytes < y->file_offset_bytes);
}

static greta_status check_overlaps(struct reader *r, const struct greta_gguf_tensor *tensors, size_t n) {
    if (n < 2) return GRETA_OK;
    const struct greta_gguf_tensor **order = malloc(n * sizeof(void *));
    if (!order) return no_memory(r);
    for (size_t i = 0; i < n; i++) order[i] = &tensors[i];
    qsort(order, n, sizeof *order, by_offset);
    greta_status status = GRETA_OK;
    for (size_t i = 1; i < n && !status; i++) {
        struct quoted a, b;
        if (order[i - 1]->file_offset_bytes + order[i - 1]->size_bytes > order[i]->file_offset_bytes)
            status = broken(r, "tensors %s and %s overlap",
                            quote(&a, order[i - 1]->name, strlen(order[i - 1]->name)),
                            quote(&b, order[i]->name, strlen(order[i]->name)));
    }
    free(order);
    return status;
}

/* What people hand over in place of a GGUF file, by its first bytes. */
static const char *guess_kind(const struct gguf_part *p) {
    static const struct {
        const char *magic, *kind;
    } kinds[] = {
        {"version https://git-lfs", "it is a Git LFS pointer: fetch the file itself (git lfs pull)"},
        {"<", "it is a web page: download the file itself"},
        {"PK\3\4", "it is a zip archive: convert the model to GGUF"},
        {"lmgg", "it is of the older ggml format: convert the model to GGUF"},
        {"fmgg", "it is of the older ggml format: convert the model to GGUF"},
        {"tjgg", "it is of the older ggml format: convert the model to GGUF"},
    };
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        size_t len = strlen(kinds[i].magic);
        if (p->size >= len && !memcmp(p->data, kinds[i].magic, len)) return kinds[i].kind;
    }
    if (p->size > 9 && p->data[8] == '{') return "it may be a safetensors file: convert the model to GGUF";
    return "give a GGUF file";
}

static greta_status read_header(struct reader *r, uint32_t *version, uint64_t *n_tensors, uint64_t *n_keys) {
    const struct gguf_part *p = r->part;
    r->where = "the header";
    if (p->size < 4 || memcmp(p->data, "GGUF", 4))
        return greta_fail(r->log, GRETA_ERR_FORMAT, "%.500s: not a GGUF file: %s", p->path, guess_kind(p));
    r->pos = 4;
    greta_status status = read_u32(r, version);
    if (status) return status;
    if (*version && (*version & 0xffff) == 0)
        return greta_fail(r->log, GRETA_ERR_UNSUPPORTED,
                          "%.500s: a big-endian GGUF file: convert it to little-endian", p->path);
    if (*version != 2 && *version != 3)
        return greta_fail(r->log, GRETA_ERR_UNSUPPORTED,
                          "%.500s: GGUF version %" PRIu32 " is not supported (2 and 3 are): %s", p->path,
                          *version, *version < 2 ? "convert the model again" : "a newer GRETA may read it");
    if ((status = read_u64(r, n_tensors)) || (status = read_u64(r, n_keys))) return status;
    /*
     * The least that a key and a tensor take in a file; real files hold some 50 keys and some 1,000
     * tensors.
     */
    if (*n_keys > left(r) / 14) return broken(r, "claims %" PRIu64 " keys, more than it can hold", *n_keys);
    if (*n_tensors > left(r) / 33)
        return broken(r, "claims %" PRIu64 " tensors, more than it can hold", *n_tensors);
    if (*n_keys > MOST_KEYS || *n_tensors > MOST_TENSORS)
        return broken(r, "has %" PRIu64 " keys and %" PRIu64 " tensors, more than we take", *n_keys,
                      *n_tensors);
    return GRETA_OK;
}

greta_status gguf_parse(struct greta_gguf *g, uint32_t i_part, const struct greta_log *log) {
    struct reader r = {.part = &g->parts[i_part], .log = log};
    uint64_t n_tensors = 0, n_keys = 0, alignment;
    size_t first_key = g->n_keys, first_tensor = g->n_tensors;
    greta_status status = read_header(&r, &g->version, &n_tensors, &n_keys);
    if (status || (status = read_keys(&r, g, n_keys))) return status;
    if ((status = read_alignment(&r, g->keys, first_key, g->n_keys, &alignment))) return status;
    if ((status = read_tensors(&r, g, n_tensors, i_part))) return status;
    size_t n = g->n_tensors - first_tensor;
    if (n == 0) return GRETA_OK; /* a vocabulary alone may end before the padding */
    if ((status = place_tensors(&r, g->tensors + first_tensor, n, alignment))) return status;
    return check_overlaps(&r, g->tensors + first_tensor, n);
}
