#include "io.h"

#include <greta/llm.h>

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool check(bool ok) {
    int error = errno;

    if (ok) return true;
    if (error && error != EPIPE)
        fprintf(stderr, "greta: cannot write to standard output: %s\n", strerror(error));
    /* said once: nothing more is written, and what the stream still holds is dropped */
    (void)!freopen("/dev/null", "w", stdout);
    return false;
}

bool out_write(const void *data, size_t len) {
    errno = 0;
    return check(fwrite(data, 1, len, stdout) == len);
}

bool out_printf(const char *format, ...) {
    va_list args;
    int n;

    errno = 0;
    va_start(args, format);
    n = vprintf(format, args);
    va_end(args);
    return check(n >= 0);
}

bool out_flush(void) {
    errno = 0;
    return check(fflush(stdout) == 0);
}

/* Whether a control character begins at s: C0, DEL, or C1 (two bytes, C2 80 .. C2 9F). */
static size_t control(const char *s, size_t len) {
    unsigned char c = (unsigned char)s[0], next = len > 1 ? (unsigned char)s[1] : 0;
    if (c < 0x20 || c == 0x7F) return 1;
    return c == 0xC2 && next >= 0x80 && next < 0xA0 ? 2 : 0;
}

bool out_terminal(const char *data, size_t len) {
    for (size_t i = 0; i < len;) {
        size_t n = data[i] == '\n' || data[i] == '\t' ? 0 : control(data + i, len - i);
        if (!n && !out_write(&data[i], 1)) return false;
        i += n ? n : 1;
    }
    return true;
}

static bool escape(void *user, const char *data, size_t len) {
    (void)user;
    for (size_t i = 0; i < len; i++) {
        size_t n = control(data + i, len - i);
        bool ok = n                                   ? out_printf("\\u%04x", (unsigned char)data[i + n - 1])
                  : data[i] == '"' || data[i] == '\\' ? out_printf("\\%c", data[i])
                                                      : out_write(&data[i], 1);
        if (!ok) return false;
        if (n == 2) i++;
    }
    return true;
}

struct line {
    char *at;
    size_t n, size;
};

static bool add_plain(void *user, const char *data, size_t len) {
    struct line *line = user;
    for (size_t i = 0; i < len && line->n + 1 < line->size; i++) {
        size_t n = control(data + i, len - i);
        line->at[line->n++] = n ? '?' : data[i];
        if (n == 2) i++;
    }
    line->at[line->n] = 0;
    return true;
}

const char *plain(char *out, size_t size, const char *text, size_t len) {
    struct line line = {.at = out, .size = size};
    struct greta_text utf8 = {.write = add_plain, .user = &line};

    out[0] = 0;
    (void)greta_text_push(&utf8, text, len);
    (void)greta_text_finish(&utf8);
    return out;
}

bool out_json(const char *text, size_t len) {
    struct greta_text utf8 = {.write = escape};
    return out_write("\"", 1) && greta_text_push(&utf8, text, len) && greta_text_finish(&utf8) &&
           out_write("\"", 1);
}

bool out_json_number(double x) {
    return isfinite(x) ? out_printf("%.9g", x) : out_write("null", 4);
}

/* ---- input ---- */

static char *read_all(int fd, const char *name, size_t *len) {
    const size_t most = (size_t)256 << 20;
    size_t capacity = 1 << 16, n = 0;
    char *text = malloc(capacity + 1);

    while (text) {
        ssize_t got = read(fd, text + n, capacity - n);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) {
            fprintf(stderr, "greta: cannot read %s: %s\n", name, strerror(errno));
            free(text);
            return NULL;
        }
        if (got == 0) {
            text[n] = 0;
            *len = n;
            return text;
        }
        n += (size_t)got;
        if (n == most) {
            fprintf(stderr, "greta: %s is larger than 256 MiB: too large for a text\n", name);
            free(text);
            return NULL;
        }
        if (n == capacity) {
            char *grown = realloc(text, capacity * 2 + 1);
            if (!grown) free(text);
            text = grown;
            capacity *= 2;
        }
    }
    fprintf(stderr, "greta: no memory for the text of %s\n", name);
    return NULL;
}

char *read_text(const char *path, size_t *len) {
    char *text;
    int fd;

    if (strcmp(path, "-") == 0) return read_all(STDIN_FILENO, "standard input", len);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        fprintf(stderr, "greta: cannot open %s: %s\n", path, strerror(errno));
        return NULL;
    }
    text = read_all(fd, path, len);
    close(fd);
    return text;
}

char *read_line(void) {
    char *line = NULL;
    size_t capacity = 0;
    ssize_t n = getline(&line, &capacity, stdin);

    if (n < 0) {
        free(line);
        return NULL;
    }
    while (n > 0 && (line[n - 1] == '\n' || line[n - 1] == '\r')) line[--n] = 0;
    return line;
}
