/*
 * Each flush writes new events and the document's end in one call, over the end that the last flush wrote. So the file is whole
 * whenever the program ends, and memory is the buffer alone. A SIGKILL within that call cuts it at a page: JSON has no place where both
 * the old end and the new one could stand.
 */
#include "writer.h"

#include "clock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TAIL_BYTES = 2048, EVERY_NS = 300000000 };

static void fail(struct writer *w) {
    if (!w->failed)
        greta_logf(w->log, GRETA_LOG_ERROR, "%s: cannot write the profile: %s", w->path, strerror(errno));
    w->failed = true;
    w->n = 0;
}

static bool write_all(struct writer *w, const char *data, size_t n) {
    for (uint64_t at = w->end_bytes; n;) {
        ssize_t done = w->seekable ? pwrite(w->fd, data, n, (off_t)at) : write(w->fd, data, n);
        if (done < 0 && errno == EINTR) continue;
        if (done <= 0) return false;
        data += done, at += (uint64_t)done, n -= (size_t)done;
    }
    return true;
}

greta_status writer_open(struct writer *w, const char *path, const char *head, const struct greta_log *log) {
    struct stat info;
    if (strcmp(path, "-") == 0) { /* on standard output it would lie among what the program prints */
        *w = (struct writer){.fd = -1};
        return greta_fail(log, GRETA_ERR_INVALID,
                          "-: a profile's timeline wants a file (./- where that is its name)");
    }
    *w = (struct writer){.fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666), .log = log};
    if (w->fd < 0)
        return greta_fail(log, GRETA_ERR_IO, "%s: cannot write the profile: %s", path, strerror(errno));
    w->path = strdup(path);
    w->buffer = malloc(WRITER_BUFFER + TAIL_BYTES);
    if (!w->path || !w->buffer) {
        close(w->fd);
        free(w->path);
        free(w->buffer);
        *w = (struct writer){.fd = -1};
        return greta_fail(log, GRETA_ERR_NO_MEMORY, "%s: no memory for the profile", path);
    }
    w->seekable = fstat(w->fd, &info) == 0 && S_ISREG(info.st_mode);
    w->n = strlen(head);
    memcpy(w->buffer, head, w->n);
    return GRETA_OK;
}

void writer_flush(struct writer *w) {
    char *tail = w->buffer + w->n;
    if (w->fd < 0 || w->failed) return;
    size_t n_tail = w->seekable && w->tail ? w->tail(w->user, tail, TAIL_BYTES) : 0;
    w->flushed_ns = clock_ns();
    if (!write_all(w, w->buffer, w->n + n_tail)) {
        fail(w);
        return;
    }
    w->end_bytes += w->n;
    w->n = 0;
    if (w->seekable && ftruncate(w->fd, (off_t)(w->end_bytes + n_tail)) != 0) fail(w);
}

void writer_add(struct writer *w, const char *text, size_t len, uint64_t now_ns) {
    if (w->fd < 0 || w->failed || len + 2 > WRITER_BUFFER) return;
    if (w->n + len + 2 > WRITER_BUFFER) writer_flush(w);
    if (w->failed) return;
    if (w->any) w->buffer[w->n++] = ',';
    w->buffer[w->n++] = '\n';
    memcpy(w->buffer + w->n, text, len);
    w->n += len;
    w->any = true;
    if (now_ns > w->flushed_ns + EVERY_NS) writer_flush(w);
}

bool writer_close(struct writer *w) {
    bool ok;
    if (w->fd < 0) return true;
    if (!w->seekable && w->tail && !w->failed) w->n += w->tail(w->user, w->buffer + w->n, TAIL_BYTES);
    writer_flush(w);
    ok = !w->failed;
    if (close(w->fd) != 0 && ok) {
        fail(w);
        ok = false;
    }
    free(w->path);
    free(w->buffer);
    *w = (struct writer){.fd = -1};
    return ok;
}

void line_text(struct line *l, const char *text) {
    size_t n = strlen(text), room = (size_t)(l->end - l->at);
    if (n > room) n = room;
    memcpy(l->at, text, n);
    l->at += n;
}

void line_number(struct line *l, uint64_t n) {
    char digits[24], *p = digits + sizeof digits - 1;
    *p = 0;
    do *--p = (char)('0' + n % 10);
    while (n /= 10);
    line_text(l, p);
}

void line_us(struct line *l, uint64_t ns) {
    unsigned rest = (unsigned)(ns % 1000);
    const char fraction[] = {'.', (char)('0' + rest / 100), (char)('0' + rest / 10 % 10),
                             (char)('0' + rest % 10), 0};
    line_number(l, ns / 1000);
    line_text(l, fraction);
}

const char *writer_text(char *out, size_t size, const char *text) {
    size_t n = 0;
    out[n++] = '"';
    for (; *text && n + 8 < size; text++) {
        unsigned char c = (unsigned char)*text;
        if (c == '"' || c == '\\') out[n++] = '\\';
        if (c < 0x20)
            n += (size_t)snprintf(out + n, 7, "\\u%04x", c);
        else
            out[n++] = (char)c;
    }
    /* A character that was cut in two would not be UTF-8. */
    while (*text && n > 1 && ((unsigned char)out[n - 1] & 0xC0) == 0x80) n--;
    if (*text && n > 1 && ((unsigned char)out[n - 1] & 0xC0) == 0xC0) n--;
    out[n++] = '"';
    out[n] = 0;
    return out;
}
