#include "internal.h"

#include <utf8proc.h>

size_t utf8_next(const char *s, size_t len, int32_t *code) {
    utf8proc_int32_t c = -1;
    utf8proc_ssize_t n =
        utf8proc_iterate((const utf8proc_uint8_t *)s, len < 4 ? (utf8proc_ssize_t)len : 4, &c);
    *code = n > 0 ? c : -1;
    return n > 0 ? (size_t)n : 1;
}

/* \s of the regular expressions: the property White_Space. */
static bool is_space(int32_t c) {
    return (c >= 9 && c <= 13) || c == ' ' || c == 0x85 || c == 0xa0 || c == 0x1680 ||
           (c >= 0x2000 && c <= 0x200a) || c == 0x2028 || c == 0x2029 || c == 0x202f || c == 0x205f ||
           c == 0x3000;
}

unsigned char unicode_class(int32_t code) {
    if (code < 0) return 0;
    if (is_space(code)) return CLASS_SPACE;
    switch (utf8proc_category(code)) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO: return CLASS_LETTER;
    case UTF8PROC_CATEGORY_ND:
    case UTF8PROC_CATEGORY_NL:
    case UTF8PROC_CATEGORY_NO: return CLASS_NUMBER;
    case UTF8PROC_CATEGORY_PC:
    case UTF8PROC_CATEGORY_PD:
    case UTF8PROC_CATEGORY_PS:
    case UTF8PROC_CATEGORY_PE:
    case UTF8PROC_CATEGORY_PI:
    case UTF8PROC_CATEGORY_PF:
    case UTF8PROC_CATEGORY_PO: return CLASS_PUNCTUATION;
    default: return 0;
    }
}

/* Bytes that are printable Latin-1 stand for themselves; the other 68 take 0x100 and up, in order. */
static bool stands_for_itself(unsigned b) {
    return (b >= '!' && b <= '~') || (b >= 0xa1 && b <= 0xac) || b >= 0xae;
}

unsigned bpe_char_of_byte(unsigned char byte) {
    if (stands_for_itself(byte)) return byte;
    return byte <= ' ' ? 0x100u + byte : byte <= 0xa0 ? 0x100u + 33 + (byte - 0x7fu) : 0x143;
}

int bpe_byte_of_char(int32_t code) {
    if (code >= 0 && code < 0x100) return stands_for_itself((unsigned)code) ? (int)code : -1;
    if (code < 0x100 || code > 0x143) return -1;
    int i = code - 0x100;
    return i <= ' ' ? i : i < 33 + 34 ? 0x7f + (i - 33) : 0xad;
}

size_t utf8_put(char *out, unsigned code) {
    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }
    out[0] = (char)(0xc0 | code >> 6);
    out[1] = (char)(0x80 | (code & 0x3f));
    return 2;
}
