/* Bytes in, whole UTF-8 characters out. */
#include <greta/llm.h>

#include <string.h>

static const char replacement[] = "\xEF\xBF\xBD";

/*
 * The length of the character at s: 1 .. 4; 0 where `len` bytes are a beginning that may go on; -1 where
 * the first byte (or the bytes so far) cannot be one. Overlong forms, surrogates and what lies past
 * U+10FFFF are none (RFC 3629, section 4).
 */
static int character(const unsigned char *s, size_t len) {
    unsigned char low = 0x80, high = 0xBF;
    int n;

    if (s[0] < 0x80) return 1;
    if (s[0] < 0xC2 || s[0] > 0xF4) return -1;
    n = s[0] < 0xE0 ? 2 : s[0] < 0xF0 ? 3 : 4;
    if (s[0] == 0xE0) low = 0xA0;
    if (s[0] == 0xED) high = 0x9F;
    if (s[0] == 0xF0) low = 0x90;
    if (s[0] == 0xF4) high = 0x8F;
    for (int i = 1; i < n; i++, low = 0x80, high = 0xBF) {
        if ((size_t)i == len) return 0;
        if (s[i] < low || s[i] > high) return -1;
    }
    return n;
}

static bool write_all(struct greta_text *text, const void *data, size_t len) {
    return !len || text->write(text->user, data, len);
}

/*
 * Passes on what is whole in one run of bytes; returns how many bytes at its end are to be held back, or -1.
 */
static int pass(struct greta_text *text, const unsigned char *s, size_t len) {
    size_t from = 0, at = 0;

    while (at < len) {
        int n = character(s + at, len - at);
        if (n > 0) {
            at += (size_t)n;
            continue;
        }
        if (!write_all(text, s + from, at - from)) return -1;
        if (n == 0) return (int)(len - at);
        if (!write_all(text, replacement, 3)) return -1;
        from = ++at;
    }
    return write_all(text, s + from, at - from) ? 0 : -1;
}

/*
 * The held bytes and the first of the new ones, byte by byte, until nothing is held; true while it goes well.
 */
bool greta_text_push(struct greta_text *text, const char *data, size_t len) {
    const unsigned char *s = (const unsigned char *)data;
    int held;

    while (text->n_held && len) {
        unsigned char joined[4];
        unsigned n = text->n_held;
        memcpy(joined, text->held, n);
        joined[n++] = *s++, len--;
        held = pass(text, joined, n);
        if (held < 0) return false;
        memmove(text->held, joined + n - held, (size_t)held);
        text->n_held = (unsigned)held;
    }
    if (!len) return true;
    held = pass(text, s, len);
    if (held < 0) return false;
    memcpy(text->held, s + len - held, (size_t)held);
    text->n_held = (unsigned)held;
    return true;
}

bool greta_text_finish(struct greta_text *text) {
    bool held = text->n_held > 0;

    text->n_held = 0;
    return !held || write_all(text, replacement, 3);
}
