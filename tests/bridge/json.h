/*
 * Just enough JSON for the test data: values in a tree, strings unescaped and zero-terminated. Bad input
 * ends the test.
 */
#ifndef TESTS_BRIDGE_JSON_H
#define TESTS_BRIDGE_JSON_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct json {
    char kind; /* '{' '[' '"' '#' (a number) 't' 'f' '0' (null) */
    char *key; /* in an object */
    char *string;
    double number;
    struct json *first, *next;
};

struct json_scan {
    const char *p, *end;
};

static inline void json_die(const char *why) {
    fprintf(stderr, "test data: %s\n", why);
    exit(1);
}
static inline void json_skip(struct json_scan *s) {
    while (s->p < s->end && strchr(" \t\r\n,:", *s->p)) s->p++;
    if (s->p >= s->end) json_die("ends too early");
}
static inline unsigned json_hex(struct json_scan *s) {
    unsigned v = 0;
    if (s->end - s->p < 5 || sscanf(s->p + 1, "%4x", &v) != 1) json_die("bad \\u");
    s->p += 4;
    return v;
}
static inline char *json_utf8(char *o, unsigned c) {
    if (c < 0x80) return *o++ = (char)c, o;
    if (c < 0x800)
        *o++ = (char)(0xc0 | c >> 6);
    else if (c < 0x10000)
        *o++ = (char)(0xe0 | c >> 12), *o++ = (char)(0x80 | (c >> 6 & 63));
    else
        *o++ = (char)(0xf0 | c >> 18), *o++ = (char)(0x80 | (c >> 12 & 63)),
        *o++ = (char)(0x80 | (c >> 6 & 63));
    *o++ = (char)(0x80 | (c & 63));
    return o;
}
static inline char *json_string(struct json_scan *s) {
    char *out = malloc((size_t)(s->end - s->p) + 1), *o = out;
    if (!out) abort();
    for (s->p++; s->p < s->end && *s->p != '"'; s->p++) {
        if (*s->p != '\\') {
            *o++ = *s->p;
            continue;
        }
        if (++s->p >= s->end) json_die("ends in a string");
        const char *at = strchr("n\nt\tr\rb\bf\f", *s->p);
        if (*s->p == 'u') {
            unsigned c = json_hex(s);
            if (c >= 0xd800 && c < 0xdc00) {
                s->p += 2;
                c = 0x10000 + ((c - 0xd800) << 10) + (json_hex(s) - 0xdc00);
            }
            o = json_utf8(o, c);
        } else {
            *o++ = at ? at[1] : *s->p;
        }
    }
    *o = 0;
    s->p++;
    char *fit = realloc(out, (size_t)(o - out) + 1);
    return fit ? fit : out;
}
static inline struct json *json_value(struct json_scan *s) {
    struct json *v = calloc(1, sizeof *v);
    if (!v) abort();
    json_skip(s);
    char c = v->kind = *s->p;
    if (c == '"') {
        v->string = json_string(s);
    } else if (c == '{' || c == '[') {
        struct json **tail = &v->first;
        for (s->p++, json_skip(s); *s->p != '}' && *s->p != ']'; json_skip(s)) {
            char *key = c == '{' ? json_string(s) : NULL;
            *tail = json_value(s);
            (*tail)->key = key;
            tail = &(*tail)->next;
        }
        s->p++;
    } else {
        char *stop;
        v->number = strtod(s->p, &stop);
        v->kind = stop > s->p ? '#' : c == 'n' ? '0' : c;
        for (s->p = stop; s->p < s->end && *s->p >= 'a' && *s->p <= 'z';) s->p++;
    }
    return v;
}
static inline struct json *json_get(const struct json *v, const char *key) {
    for (struct json *c = v ? v->first : NULL; c; c = c->next)
        if (c->key && !strcmp(c->key, key)) return c;
    return NULL;
}
static inline void json_free(struct json *v) {
    while (v) {
        struct json *next = v->next;
        json_free(v->first);
        free(v->key);
        free(v->string);
        free(v);
        v = next;
    }
}

/* A whole file, zero-terminated; NULL where it cannot be read. */
static inline char *read_file(const char *path, size_t *len) {
    FILE *f = fopen(path, "rb");
    if (!f) return NULL;
    fseek(f, 0, SEEK_END);
    long n = ftell(f);
    rewind(f);
    char *p = n >= 0 ? malloc((size_t)n + 1) : NULL;
    if (p && fread(p, 1, (size_t)n, f) != (size_t)n) {
        free(p);
        p = NULL;
    }
    fclose(f);
    if (p) p[n] = 0;
    *len = p ? (size_t)n : 0;
    return p;
}
static inline struct json *json_read(const char *path) {
    size_t len;
    char *text = read_file(path, &len);
    if (!text) json_die(path);
    struct json_scan s = {text, text + len};
    struct json *v = json_value(&s);
    free(text);
    return v;
}

#endif
