#include "quote.h"

#include <stdio.h>
#include <string.h>

const char *quote(struct quoted *q, const char *s, size_t len) {
    enum { ROOM = sizeof q->text - 9 }; /* the longest escape, "...", the closing quote, the zero */
    char *p = q->text, *end = q->text + ROOM;
    *p++ = '\'';
    size_t i = 0;
    for (; i < len && p < end; i++) {
        unsigned char c = (unsigned char)s[i];
        if (c >= 0x20 && c < 0x7f && c != '\'' && c != '\\')
            *p++ = (char)c;
        else
            p += snprintf(p, 5, "\\x%02x", c);
    }
    strcpy(p, i < len ? "...'" : "'");
    return q->text;
}
