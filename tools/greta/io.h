/* Standard output, whose errors count, and reading whole texts. */
#ifndef GRETA_IO_H
#define GRETA_IO_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

/* False once standard output cannot be written; the reason is said once (a closed pipe: not at all). */
bool out_write(const void *data, size_t len);
/* Whole UTF-8 characters, without those that command a terminal: newline and tab are the only controls that stay. */
bool out_terminal(const char *data, size_t len);
bool out_printf(const char *format, ...) __attribute__((format(printf, 1, 2)));
bool out_flush(void);
/* A JSON string, quotes included. Bytes that are no UTF-8 become U+FFFD. */
bool out_json(const char *text, size_t len);
/*
 * Text of a file as one line that a terminal takes as text: control characters become ?, bytes that are no UTF-8
 * U+FFFD. Zero-terminated, cut at `size`. Returns `out`.
 */
const char *plain(char *out, size_t size, const char *text, size_t len);
/* A JSON number, or null for what is none. */
bool out_json_number(double x);

/*
 * All of a file, or of standard input where path is "-". Zero-terminated, malloc'ed; NULL after one line on
 * stderr. At most 256 MiB.
 */
char *read_text(const char *path, size_t *len);
/* One line of standard input without its newline; malloc'ed. NULL at the end. */
char *read_line(void);

#endif
