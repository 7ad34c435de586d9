#include "internal.h"

#include <stdlib.h>
#include <string.h>

void text_add_part(struct text *t, const char *s, size_t len) {
    if (t->failed) return;
    if (len >= t->room - t->len || !t->data) {
        size_t room = (t->len + len + 1) * 2;
        char *p = room > len ? realloc(t->data, room) : NULL;
        t->failed = !p;
        if (!p) return;
        t->data = p;
        t->room = room;
    }
    if (len) memcpy(t->data + t->len, s, len);
    t->len += len;
    t->data[t->len] = 0;
}

void text_add(struct text *t, const char *s) {
    text_add_part(t, s, strlen(s));
}

/*
 * The length of the white-space character that begins at s, 0 where none does (of UTF-8; s is zero-
 * terminated).
 */
static size_t white_at(const char *s) {
    static const char *const wide[] = {
        "\xc2\x85",     "\xc2\xa0",     "\xe1\x9a\x80", "\xe2\x80\xa8",
        "\xe2\x80\xa9", "\xe2\x80\xaf", "\xe2\x81\x9f", "\xe3\x80\x80",
    };
    unsigned char c = (unsigned char)*s;
    if ((c >= 9 && c <= 13) || (c >= 28 && c <= ' ')) return 1;
    for (size_t i = 0; i < sizeof wide / sizeof *wide; i++)
        if (!strncmp(s, wide[i], strlen(wide[i]))) return strlen(wide[i]);
    bool en_quad_and_on =
        !strncmp(s, "\xe2\x80", 2) && (unsigned char)s[2] >= 0x80 && (unsigned char)s[2] <= 0x8a;
    return en_quad_and_on ? 3 : 0;
}

void text_add_stripped(struct text *t, const char *s) {
    size_t n;
    while ((n = white_at(s))) s += n;
    size_t end = 0; /* behind the last character that is not white space */
    for (size_t i = 0; s[i];) {
        n = white_at(s + i);
        i += n ? n : 1;
        if (!n) end = i;
    }
    text_add_part(t, s, end);
}
