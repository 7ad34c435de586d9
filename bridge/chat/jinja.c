#include "internal.h"

#include <stdlib.h>
#include <string.h>

struct scan {
    const char *p, *end;
    char *out;
    size_t n;
};

static bool is_white(char c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool starts(const struct scan *s, const char *what) {
    size_t len = strlen(what);
    return (size_t)(s->end - s->p) >= len && !memcmp(s->p, what, len);
}

static void put(struct scan *s, char c) {
    s->out[s->n++] = c;
}

static char unescape(char c) {
    return c == 'n' ? '\n' : c == 't' ? '\t' : c == 'r' ? '\r' : c;
}

/* s->p is at an opening quote. 'a' + 'b' becomes 'ab'. */
static void string(struct scan *s) {
    char quote = *s->p++;
    if (s->n >= 2 && s->out[s->n - 1] == '+' && s->out[s->n - 2] == '\'')
        s->n -= 2;
    else
        put(s, '\'');
    for (; s->p < s->end && *s->p != quote; s->p++) {
        bool escape = *s->p == '\\' && s->end - s->p > 1;
        if (escape) s->p++;
        put(s, escape ? unescape(*s->p) : *s->p);
    }
    put(s, '\'');
    if (s->p < s->end) s->p++;
}

/* s->p is at '['. A subscript that is a name in quotes becomes ".name". */
static bool subscript(struct scan *s) {
    const char *p = s->p + 1;
    while (p < s->end && is_white(*p)) p++;
    if (p >= s->end || (*p != '\'' && *p != '"')) return false;
    const char *name = p + 1, *stop = name;
    while (stop < s->end && ((*stop >= 'a' && *stop <= 'z') || *stop == '_')) stop++;
    if (stop == name || stop >= s->end || *stop != *p) return false;
    for (p = stop + 1; p < s->end && is_white(*p);) p++;
    if (p >= s->end || *p != ']') return false;
    put(s, '.');
    memcpy(s->out + s->n, name, (size_t)(stop - name));
    s->n += (size_t)(stop - name);
    s->p = p + 1;
    return true;
}

static void skip_white(struct scan *s) {
    while (s->p < s->end && is_white(*s->p)) s->p++;
}

/* s->p is at "{{" or "{%". */
static void tag(struct scan *s) {
    char kind = s->p[1], close = kind == '{' ? '}' : '%';
    s->p += 2;
    if (s->p < s->end && *s->p == '-') {
        s->p++;
        while (s->n && is_white(s->out[s->n - 1])) s->n--;
    }
    put(s, '{');
    put(s, kind);
    while (s->p < s->end) {
        bool dash = *s->p == '-';
        if (s->end - s->p >= 2 + dash && s->p[dash] == close && s->p[dash + 1] == '}') {
            put(s, close);
            put(s, '}');
            s->p += 2 + dash;
            if (dash) skip_white(s);
            return;
        }
        if (is_white(*s->p))
            s->p++;
        else if (*s->p == '\'' || *s->p == '"')
            string(s);
        else if (*s->p != '[' || !subscript(s))
            put(s, *s->p++);
    }
}

static void comment(struct scan *s) {
    while (s->p < s->end && !starts(s, "#}")) s->p++;
    bool dash = s->p < s->end && s->p[-1] == '-';
    if (s->p < s->end) s->p += 2;
    if (dash) skip_white(s);
}

char *jinja_normalize(const char *jinja, size_t len, size_t *out_len) {
    /* An unclosed string gets a quote of its own: one byte more than the text. */
    struct scan s = {.p = jinja, .end = jinja + len, .out = malloc(len + 2)};
    if (!s.out) return NULL;
    while (s.p < s.end) {
        if (starts(&s, "{#"))
            comment(&s);
        else if (starts(&s, "{{") || starts(&s, "{%"))
            tag(&s);
        else
            put(&s, *s.p++);
    }
    *out_len = s.n;
    return s.out;
}
