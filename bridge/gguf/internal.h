/* What the reader's files share: a file in memory, and what is read out of it. */
#ifndef BRIDGE_GGUF_INTERNAL_H
#define BRIDGE_GGUF_INTERNAL_H

#include <greta/gguf.h>

#include <arena.h>

/* One file of the set. */
struct gguf_part {
    char *path; /* or the name given for memory */
    const unsigned char *data;
    size_t size;
    bool mapped;
    int fd; /* of a mapped file */
};

struct gguf_key {
    struct greta_gguf_string name;
    struct greta_gguf_value value;
};

struct greta_gguf {
    char *path;
    uint32_t version;
    struct gguf_part *parts;
    uint32_t n_parts;
    struct gguf_key *keys; /* the first part's, in file order */
    struct gguf_key **keys_by_name;
    struct greta_gguf_tensor *tensors;
    struct greta_gguf_tensor **tensors_by_name;
    size_t n_keys, n_tensors;
    size_t keys_room, tensors_room;
    struct arena arena; /* tensor names, arrays of strings */
};

/* Maps a regular file read-only. Logs and cleans up by itself; part->path is set before (borrowed). */
greta_status gguf_part_map(struct gguf_part *part, const struct greta_log *log);
void gguf_part_unmap(struct gguf_part *part);

/* Reads one part's keys and tensors and appends them to `gguf`; every offset is checked against the part's
 * size. */
greta_status gguf_parse(struct greta_gguf *gguf, uint32_t i_part, const struct greta_log *log);

/* Sorted indices over keys and tensors; duplicates are errors. */
greta_status gguf_index(struct greta_gguf *gguf, const struct greta_log *log);

/* Room for one more element of `size` bytes in a growing array: the new array, or NULL (the old one stays).
 */
void *gguf_grow(void *array, size_t n, size_t *room, size_t size);

/* Bytes of a metadata type; 0 for strings and arrays. */
size_t gguf_scalar_size(enum greta_gguf_type type);

#endif
