/* GGUF files: reading, every count, offset, type and size checked. Versions 2 and 3, one file or split (-00001-of-0000N). */
#ifndef GRETA_GGUF_H
#define GRETA_GGUF_H

#include <greta/log.h>
#include <greta/status.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct greta_gguf;

struct greta_gguf_tensor {
    const char *name;
    uint32_t ggml_type;
    uint32_t n_dims;
    uint64_t ne[4];      /* ne[0] is the row length (columns); unused ones are 1 */
    uint64_t size_bytes;
    const void *data;    /* in the mapping */
    uint32_t i_file;     /* of a split set */
    uint64_t file_offset_bytes;
};

/* How a metadata value is stored. */
enum greta_gguf_type {
    GRETA_GGUF_U8, GRETA_GGUF_I8, GRETA_GGUF_U16, GRETA_GGUF_I16, GRETA_GGUF_U32, GRETA_GGUF_I32, GRETA_GGUF_F32,
    GRETA_GGUF_BOOL, GRETA_GGUF_STRING, GRETA_GGUF_ARRAY, GRETA_GGUF_U64, GRETA_GGUF_I64, GRETA_GGUF_F64
};
struct greta_gguf_string { const char *data; size_t len; }; /* not zero-terminated */
struct greta_gguf_value {
    enum greta_gguf_type type;         /* of the value, or GRETA_GGUF_ARRAY */
    enum greta_gguf_type element_type; /* of an array */
    uint64_t n;                        /* elements of an array; 1 */
    union { uint64_t u64; int64_t i64; double f64; bool b; struct greta_gguf_string str; };
    const void *elements;              /* of an array: packed little-endian scalars (unaligned!), or const struct greta_gguf_string * */
};

/*
 * Errors name the file and what is wrong with it: ERR_IO, ERR_FORMAT, ERR_NO_MEMORY, ERR_NOT_FOUND, ERR_UNSUPPORTED (a version,
 * byte order or tensor type that we do not know). The file is mapped. Any part of a split set may be given. Memory taken is
 * bounded by a small multiple of the file's metadata, whatever its counts claim.
 */
GRETA_API GRETA_MUST_USE greta_status greta_gguf_open(const char *path, const struct greta_log *log, struct greta_gguf **out);
/* The same from memory, aligned to 8 bytes, which must outlive it (the built-in model). `name` is used in messages. */
GRETA_API GRETA_MUST_USE greta_status greta_gguf_open_memory(const void *data, size_t size_bytes, const char *name,
                                                             const struct greta_log *log, struct greta_gguf **out);
GRETA_API void greta_gguf_close(struct greta_gguf **gguf);
GRETA_API const char *greta_gguf_path(const struct greta_gguf *gguf);
/* The i-th file of a split set (0: the first, or the only one); NULL past the end or for memory. */
GRETA_API const char *greta_gguf_file_path(const struct greta_gguf *gguf, uint32_t i_file);
/* Reads from the i-th file without the mapping, whose pages are then never brought in; from any thread. False, with errno, on failure. */
GRETA_API GRETA_MUST_USE bool greta_gguf_read(const struct greta_gguf *gguf, uint32_t i_file, uint64_t offset_bytes, void *dst,
                                              size_t size_bytes);
GRETA_API uint32_t greta_gguf_version(const struct greta_gguf *gguf);
GRETA_API uint64_t greta_gguf_n_tensors(const struct greta_gguf *gguf);
GRETA_API const struct greta_gguf_tensor *greta_gguf_tensor_at(const struct greta_gguf *gguf, uint64_t i);
GRETA_API const struct greta_gguf_tensor *greta_gguf_tensor(const struct greta_gguf *gguf, const char *name); /* NULL: none */
GRETA_API uint64_t greta_gguf_n_keys(const struct greta_gguf *gguf);
GRETA_API const struct greta_gguf_value *greta_gguf_key_at(const struct greta_gguf *gguf, uint64_t i, struct greta_gguf_string *name);
GRETA_API const struct greta_gguf_value *greta_gguf_key(const struct greta_gguf *gguf, const char *name); /* NULL: none */
/* Typed look-ups: any integer type that holds the value serves; false where the key is missing or of another type. */
GRETA_API bool greta_gguf_get_u64(const struct greta_gguf *gguf, const char *name, uint64_t *out);
GRETA_API bool greta_gguf_get_f64(const struct greta_gguf *gguf, const char *name, double *out);
GRETA_API bool greta_gguf_get_bool(const struct greta_gguf *gguf, const char *name, bool *out);
GRETA_API bool greta_gguf_get_string(const struct greta_gguf *gguf, const char *name, struct greta_gguf_string *out);
/* "Q4_K" of a ggml type number, "?" where unknown; block size in elements and bytes, false where unknown. */
GRETA_API const char *greta_gguf_type_name(uint32_t ggml_type);
GRETA_API bool greta_gguf_type_block(uint32_t ggml_type, uint32_t *elements, uint32_t *bytes);

#ifdef __cplusplus
}
#endif
#endif
