/* Fetching one large file over HTTP(S) by libcurl, opened at run time: resumable, checked, never half-written in place. */
#ifndef GRETA_DOWNLOAD_H
#define GRETA_DOWNLOAD_H

#include <greta/log.h>
#include <greta/status.h>

#include <stdbool.h>
#include <stdint.h>

struct download_params {
    const char *url; /* http:// or https:// */
    const char *
        path; /* where the file goes; while it is fetched it is PATH.part, and PATH.part.etag names the server's version */
    const char *sha256; /* 64 hex digits; NULL: the checksum that the server names, if it names one */
    const struct greta_log *log;
    /* Returning false stops; the part stays for the next time. total is 0 while it is not known. May be NULL. */
    bool (*progress)(void *user, uint64_t done_bytes, uint64_t total_bytes);
    void *user;
};

/*
 * Fetches, or goes on where an earlier call stopped (a server that has another version by now, or that cannot resume, starts
 * anew). The finished file must begin with `GGUF` and have the checksum; else it is removed and GRETA_ERR_FORMAT comes back.
 * ERR_UNAVAILABLE: no libcurl. ERR_NOT_FOUND: the server says 404 or 410. ERR_IO: the network, the server or the disk.
 * ERR_TIMEOUT: stopped by progress.
 */
GRETA_MUST_USE greta_status download(const struct download_params *params);

/* SHA-256 of a file as 64 hex digits and a zero byte. */
GRETA_MUST_USE greta_status sha256_file(const char *path, char hex[65], const struct greta_log *log);

#endif
