/* Untrusted strings made fit for a message: one line, short, plain ASCII. */
#ifndef BRIDGE_QUOTE_H
#define BRIDGE_QUOTE_H

#include <stddef.h>

struct quoted {
    char text[80];
};

/* 'name' with control, non-ASCII and quote characters as \xNN, cut with "..." past about 60 bytes. Returns
 * q->text. */
const char *quote(struct quoted *q, const char *s, size_t len);

#endif
