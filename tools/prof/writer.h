/* A JSON file of many events that grows while a program runs, and is valid JSON after each flush. */
#ifndef PROF_WRITER_H
#define PROF_WRITER_H

#include <greta/log.h>
#include <greta/status.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { WRITER_BUFFER = 256 << 10 };

struct writer {
    int fd;
    char *path, *buffer;
    size_t n;
    uint64_t end_bytes; /* of the events in the file; what ends the document lies behind */
    uint64_t flushed_ns;
    bool seekable, any, failed;
    const struct greta_log *log;
    /* What ends the document, written behind the events; at most `size` bytes, gives how many. */
    size_t (*tail)(void *user, char *out, size_t size);
    void *user;
};

/* ERR_IO, logged with the reason. `head` begins the document, up to the first event. */
GRETA_MUST_USE greta_status writer_open(struct writer *w, const char *path, const char *head,
                                        const struct greta_log *log);
/* One event, without a comma. Flushes where the buffer is full, or the last flush was a third of a second ago. */
void writer_add(struct writer *w, const char *text, size_t len, uint64_t now_ns);
/* After the first error nothing more is written; it is logged once. */
void writer_flush(struct writer *w);
/* False where something could not be written. */
bool writer_close(struct writer *w);

/* One event as it is put together: several a token are, so this is printf's work without its cost. What does not fit is cut. */
struct line {
    char *at, *end;
};
void line_text(struct line *l, const char *text);
void line_number(struct line *l, uint64_t n);
/* Nanoseconds as microseconds with three digits behind the point, which is what the format wants. */
void line_us(struct line *l, uint64_t ns);

/* A JSON string, quotes included, cut where it would not fit. */
const char *writer_text(char *out, size_t size, const char *text);

#endif
