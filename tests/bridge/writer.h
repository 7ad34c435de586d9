/* Writes small GGUF files into memory, sound or broken as a test likes. */
#ifndef TESTS_BRIDGE_WRITER_H
#define TESTS_BRIDGE_WRITER_H

#include <greta/gguf.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Out of memory ends the test program. */
struct writer {
    unsigned char *p;
    size_t n, room;
};

static inline void w_bytes(struct writer *w, const void *data, size_t n) {
    while (w->room - w->n < n || !w->p) {
        w->room = w->room ? w->room * 2 : 4096;
        w->p = realloc(w->p, w->room);
        if (!w->p) abort();
    }
    if (n) memcpy(w->p + w->n, data, n);
    w->n += n;
}
static inline void w_u8(struct writer *w, uint8_t v) {
    w_bytes(w, &v, sizeof v);
}
static inline void w_u32(struct writer *w, uint32_t v) {
    w_bytes(w, &v, sizeof v);
}
static inline void w_u64(struct writer *w, uint64_t v) {
    w_bytes(w, &v, sizeof v);
}
static inline void w_f32(struct writer *w, float v) {
    w_bytes(w, &v, sizeof v);
}
static inline void w_string(struct writer *w, const char *s) {
    w_u64(w, strlen(s));
    w_bytes(w, s, strlen(s));
}
static inline void w_header(struct writer *w, uint32_t version, uint64_t n_tensors, uint64_t n_keys) {
    w_bytes(w, "GGUF", 4);
    w_u32(w, version);
    w_u64(w, n_tensors);
    w_u64(w, n_keys);
}
static inline void w_key(struct writer *w, const char *name, enum greta_gguf_type type) {
    w_string(w, name);
    w_u32(w, type);
}
static inline void w_key_u32(struct writer *w, const char *name, uint32_t v) {
    w_key(w, name, GRETA_GGUF_U32);
    w_u32(w, v);
}
static inline void w_key_bool(struct writer *w, const char *name, bool v) {
    w_key(w, name, GRETA_GGUF_BOOL);
    w_u8(w, v);
}
static inline void w_key_string(struct writer *w, const char *name, const char *v) {
    w_key(w, name, GRETA_GGUF_STRING);
    w_string(w, v);
}
/* The elements follow. */
static inline void w_key_array(struct writer *w, const char *name, enum greta_gguf_type type, uint64_t n) {
    w_key(w, name, GRETA_GGUF_ARRAY);
    w_u32(w, type);
    w_u64(w, n);
}
static inline void w_tensor(struct writer *w, const char *name, uint32_t type, uint64_t ne0, uint64_t ne1,
                            uint64_t offset) {
    w_string(w, name);
    w_u32(w, 2);
    w_u64(w, ne0);
    w_u64(w, ne1);
    w_u32(w, type);
    w_u64(w, offset);
}
static inline void w_pad(struct writer *w, size_t alignment) {
    while (w->n % alignment) w_u8(w, 0);
}
static inline void w_zeros(struct writer *w, size_t n) {
    while (n--) w_u8(w, 0);
}
static inline void w_free(struct writer *w) {
    free(w->p);
    *w = (struct writer){0};
}
static inline bool w_save(const struct writer *w, const char *path) {
    FILE *f = fopen(path, "wb");
    bool ok = f && fwrite(w->p, 1, w->n, f) == w->n;
    return f && !fclose(f) && ok;
}

/* Keeps the last error and counts them. */
struct capture {
    char message[1024];
    unsigned n;
};
static inline void capture_message(void *user, enum greta_log_level level, const char *message) {
    struct capture *c = user;
    (void)level;
    c->n++;
    snprintf(c->message, sizeof c->message, "%s", message);
}
static inline struct greta_log capture_log(struct capture *c) {
    *c = (struct capture){0};
    return (struct greta_log){.fn = capture_message, .user = c};
}

#endif
