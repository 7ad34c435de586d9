#include "download.h"
#include "dl.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <sha2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- libcurl's easy interface, as much of it as is used; its numbers are part of its stable ABI (curl/curl.h) ---- */

typedef struct CURL CURL;
struct curl_slist;
struct curl {
    CURL *(*easy_init)(void);
    int (*easy_setopt)(CURL *, int option, ...);
    int (*easy_perform)(CURL *);
    void (*easy_cleanup)(CURL *);
    const char *(*easy_strerror)(int);
    struct curl_slist *(*slist_append)(struct curl_slist *, const char *);
    void (*slist_free_all)(struct curl_slist *);
};
static const struct dl_symbol curl_symbols[] = {
    {"curl_easy_init", offsetof(struct curl, easy_init), false},
    {"curl_easy_setopt", offsetof(struct curl, easy_setopt), false},
    {"curl_easy_perform", offsetof(struct curl, easy_perform), false},
    {"curl_easy_cleanup", offsetof(struct curl, easy_cleanup), false},
    {"curl_easy_strerror", offsetof(struct curl, easy_strerror), false},
    {"curl_slist_append", offsetof(struct curl, slist_append), false},
    {"curl_slist_free_all", offsetof(struct curl, slist_free_all), false},
};
enum {
    OPT_LOW_SPEED_LIMIT = 19,
    OPT_LOW_SPEED_TIME = 20,
    OPT_NOPROGRESS = 43,
    OPT_FOLLOWLOCATION = 52,
    OPT_MAXREDIRS = 68,
    OPT_CONNECTTIMEOUT = 78,
    OPT_NOSIGNAL = 99,
    OPT_PROTOCOLS = 181,
    OPT_REDIR_PROTOCOLS = 182,
    OPT_WRITEDATA = 10001,
    OPT_URL = 10002,
    OPT_ERRORBUFFER = 10010,
    OPT_USERAGENT = 10018,
    OPT_HTTPHEADER = 10023,
    OPT_HEADERDATA = 10029,
    OPT_XFERINFODATA = 10057,
    OPT_WRITEFUNCTION = 20011,
    OPT_HEADERFUNCTION = 20079,
    OPT_XFERINFOFUNCTION = 20219,
    PROTOCOLS_HTTP_HTTPS = 3,
};

/* ---- one transfer ---- */

struct transfer {
    const struct download_params *params;
    char *part_path, *etag_path;
    FILE *file;
    uint64_t have_bytes;  /* in the part */
    uint64_t total_bytes; /* 0: not known */
    long response;        /* of the last header block: redirects have their own */
    uint64_t content_bytes;
    uint64_t whole_bytes; /* of the server's file, as a 416 tells it */
    uint64_t range_begin; /* of a 206 */
    char etag[128], modified[128], sha256[65];
    bool body_begun, disk_failed, wrong_range, stopped;
    int disk_errno;
};

static bool is_hex64(const char *s, size_t len) {
    if (len != 64) return false;
    for (size_t i = 0; i < 64; i++)
        if (!isxdigit((unsigned char)s[i])) return false;
    return true;
}

/* The value of header `name` in `line`, or NULL; *len is without the line's end and surrounding spaces. */
static const char *header_value(const char *line, size_t n, const char *name, size_t *len) {
    size_t k = strlen(name);
    if (n <= k || strncasecmp(line, name, k) || line[k] != ':') return NULL;
    const char *v = line + k + 1, *end = line + n;
    while (v < end && isspace((unsigned char)*v)) v++;
    while (end > v && isspace((unsigned char)end[-1])) end--;
    *len = (size_t)(end - v);
    return v;
}

static size_t on_header(char *line, size_t size, size_t n, void *user) {
    struct transfer *t = user;
    size_t bytes = size * n, len;
    const char *v;
    char number[32] = {0};
    if (bytes > 9 && !strncmp(line, "HTTP/", 5)) {
        const char *space = memchr(line, ' ', bytes);
        memcpy(number, space ? space : "", space && (size_t)(line + bytes - space) > 4 ? 4 : 0);
        t->response = strtol(number, NULL, 10);
        t->content_bytes = 0;
        t->etag[0] = t->modified[0] = 0;
    } else if ((v = header_value(line, bytes, "content-length", &len)) && len < sizeof number) {
        memcpy(number, v, len);
        t->content_bytes = strtoull(number, NULL, 10);
    } else if ((v = header_value(line, bytes, "content-range", &len)) && len > 8 && len < sizeof number &&
               !strncmp(v, "bytes */", 8)) {
        memcpy(number, v + 8, len - 8);
        t->whole_bytes = strtoull(number, NULL, 10);
    } else if ((v = header_value(line, bytes, "content-range", &len)) && len > 6 && len < 100 &&
               !strncmp(v, "bytes ", 6)) {
        t->range_begin = strtoull(v + 6, NULL, 10);
    } else if ((v = header_value(line, bytes, "last-modified", &len)) && len < sizeof t->modified) {
        memcpy(t->modified, v, len);
        t->modified[len] = 0;
    } else if ((v = header_value(line, bytes, "etag", &len)) && len < sizeof t->etag) {
        memcpy(t->etag, v, len);
        t->etag[len] = 0;
    } else if ((v = header_value(line, bytes, "x-linked-etag", &len)) && len == 66 && is_hex64(v + 1, 64)) {
        memcpy(t->sha256, v + 1, 64); /* Hugging Face: the SHA-256 of a large file, quoted */
    }
    return bytes;
}

/*
 * What tells this version of the server's file from others, in a file beside the part. A weak ETag does not serve for ranges
 * (RFC 9110, 13.1.5).
 */
static bool keep_version(const struct transfer *t) {
    const char *version = t->etag[0] && strncmp(t->etag, "W/", 2) ? t->etag : t->modified;
    if (!version[0]) return !remove(t->etag_path) || errno == ENOENT;
    FILE *f = fopen(t->etag_path, "w");
    if (!f) return false;
    bool ok = fputs(version, f) >= 0;
    return !fclose(f) && ok;
}

/* The first bytes of the body: now the response is known, and whether it goes on or starts anew. */
static bool begin_body(struct transfer *t) {
    t->body_begun = true;
    t->wrong_range = t->response == 206 && t->range_begin != t->have_bytes;
    if (t->wrong_range) return false;
    if (t->response != 206) {
        t->have_bytes = 0;
        if (ftruncate(fileno(t->file), 0) || fseek(t->file, 0, SEEK_SET)) return false;
    }
    t->total_bytes = t->content_bytes ? t->have_bytes + t->content_bytes : 0;
    return keep_version(t);
}

static size_t on_body(char *data, size_t size, size_t n, void *user) {
    struct transfer *t = user;
    size_t bytes = size * n;
    if (t->response >= 300) return bytes; /* an error's or a redirect's page */
    errno = 0;
    if ((!t->body_begun && !begin_body(t)) || fwrite(data, 1, bytes, t->file) != bytes) {
        t->disk_failed = !t->wrong_range;
        t->disk_errno = errno;
        return 0;
    }
    t->have_bytes += bytes;
    return bytes;
}

static int on_progress(void *user, int64_t total, int64_t done, int64_t up_total, int64_t up_done) {
    struct transfer *t = user;
    (void)total, (void)done, (void)up_total, (void)up_done;
    if (!t->params->progress || t->params->progress(t->params->user, t->have_bytes, t->total_bytes)) return 0;
    t->stopped = true;
    return 1;
}

static greta_status explain(const struct transfer *t, const struct curl *curl, int code, const char *detail) {
    const struct greta_log *log = t->params->log;
    const char *url = t->params->url;
    if (t->stopped) return greta_fail(log, GRETA_ERR_TIMEOUT, "stopped; the same command goes on from here");
    if (t->disk_failed)
        return greta_fail(log, GRETA_ERR_IO, "%s: cannot write: %s", t->part_path,
                          t->disk_errno ? strerror(t->disk_errno) : "short write");
    if (t->wrong_range)
        return greta_fail(log, GRETA_ERR_IO, "%s: the server sent another part than was asked for; remove %s",
                          url, t->part_path);
    if (code)
        return greta_fail(log, GRETA_ERR_IO, "%s: %s; the same command goes on from here", url,
                          detail[0] ? detail : curl->easy_strerror(code));
    if (t->response == 404 || t->response == 410)
        return greta_fail(log, GRETA_ERR_NOT_FOUND, "%s: the server has no such file (%ld)", url,
                          t->response);
    if (t->response == 401 || t->response == 403)
        return greta_fail(log, GRETA_ERR_IO,
                          "%s: the server wants an account (%ld): fetch it in a browser and give it by -m",
                          url, t->response);
    if (t->response < 200 || t->response >= 300)
        return greta_fail(log, GRETA_ERR_IO, "%s: the server answers %ld", url, t->response);
    return GRETA_OK;
}

/*
 * The headers that ask for the rest of a part, if it still belongs to the server's version. NULL: all of it is fetched, because
 * there is no part, or nothing (a version, a checksum) that would tell a part of another file.
 */
static struct curl_slist *range_headers(const struct transfer *t, const struct curl *curl) {
    char line[192], version[128] = "";
    if (!t->have_bytes) return NULL;
    FILE *f = fopen(t->etag_path, "r");
    if (f) {
        if (!fgets(version, sizeof version, f)) version[0] = 0;
        fclose(f);
    }
    version[strcspn(version, "\r\n")] = 0;
    if (!version[0] && !t->params->sha256) return NULL;
    snprintf(line, sizeof line, "Range: bytes=%llu-", (unsigned long long)t->have_bytes);
    struct curl_slist *headers = curl->slist_append(NULL, line), *both;
    if (!headers || !version[0]) return headers;
    snprintf(line, sizeof line, "If-Range: %s", version);
    if ((both = curl->slist_append(headers, line))) return both;
    curl->slist_free_all(headers);
    return NULL;
}

static greta_status perform(struct transfer *t, const struct curl *curl) {
    CURL *easy = curl->easy_init();
    char detail[256] = "";
    if (!easy) return greta_fail(t->params->log, GRETA_ERR_NO_MEMORY, "out of memory");
    struct curl_slist *headers = range_headers(t, curl);
    curl->easy_setopt(easy, OPT_URL, t->params->url);
    curl->easy_setopt(easy, OPT_PROTOCOLS, (long)PROTOCOLS_HTTP_HTTPS);
    curl->easy_setopt(easy, OPT_REDIR_PROTOCOLS, (long)PROTOCOLS_HTTP_HTTPS);
    curl->easy_setopt(easy, OPT_FOLLOWLOCATION, 1L);
    curl->easy_setopt(easy, OPT_MAXREDIRS, 10L);
    curl->easy_setopt(easy, OPT_CONNECTTIMEOUT, 30L);
    curl->easy_setopt(easy, OPT_LOW_SPEED_LIMIT, 100L);
    curl->easy_setopt(easy, OPT_LOW_SPEED_TIME, 60L);
    curl->easy_setopt(easy, OPT_NOSIGNAL, 1L);
    curl->easy_setopt(easy, OPT_NOPROGRESS, 0L);
    curl->easy_setopt(easy, OPT_USERAGENT, "greta");
    curl->easy_setopt(easy, OPT_HTTPHEADER, headers);
    curl->easy_setopt(easy, OPT_ERRORBUFFER, detail);
    curl->easy_setopt(easy, OPT_HEADERFUNCTION, on_header);
    curl->easy_setopt(easy, OPT_HEADERDATA, t);
    curl->easy_setopt(easy, OPT_WRITEFUNCTION, on_body);
    curl->easy_setopt(easy, OPT_WRITEDATA, t);
    curl->easy_setopt(easy, OPT_XFERINFOFUNCTION, on_progress);
    curl->easy_setopt(easy, OPT_XFERINFODATA, t);
    int code = curl->easy_perform(easy);
    curl->slist_free_all(headers);
    curl->easy_cleanup(easy);
    if (!code && t->response == 416) { /* nothing is left to fetch, or the part is not a part of that file */
        if (t->whole_bytes == t->have_bytes || (!t->whole_bytes && (t->params->sha256 || t->sha256[0])))
            return GRETA_OK;
        remove(t->part_path);
        return greta_fail(t->params->log, GRETA_ERR_IO,
                          "%s: what was fetched before does not fit the server's file; it was removed: run "
                          "the command again",
                          t->params->url);
    }
    if (!code && t->file && fflush(t->file)) {
        t->disk_failed = true;
        t->disk_errno = errno;
    }
    return explain(t, curl, code, detail);
}

greta_status sha256_file(const char *path, char hex[65], const struct greta_log *log) {
    if (SHA256File(path, hex)) return GRETA_OK;
    return greta_fail(log, GRETA_ERR_IO, "%s: cannot read: %s", path, strerror(errno));
}

static greta_status check_part(const struct transfer *t) {
    const char *expected = t->params->sha256 ? t->params->sha256 : t->sha256[0] ? t->sha256 : NULL;
    char magic[4] = {0}, hex[65];
    FILE *f = fopen(t->part_path, "rb");
    size_t n = f ? fread(magic, 1, 4, f) : 0;
    if (f) fclose(f);
    if (n != 4 || memcmp(magic, "GGUF", 4))
        return greta_fail(t->params->log, GRETA_ERR_FORMAT,
                          "%s: what came is not a GGUF file; check the address", t->params->url);
    if (!expected) return GRETA_OK;
    greta_status status = sha256_file(t->part_path, hex, t->params->log);
    if (!status && strcasecmp(hex, expected))
        return greta_fail(t->params->log, GRETA_ERR_FORMAT,
                          "%s: the file has SHA-256 %s, expected %s; it was removed: run the command again",
                          t->params->url, hex, expected);
    return status;
}

static greta_status fetch(struct transfer *t, const struct curl *curl) {
    struct stat st;
    t->file = fopen(t->part_path, "ab"); /* never cuts what is there */
    if (!t->file || fstat(fileno(t->file), &st)) {
        if (t->file) fclose(t->file);
        return greta_fail(t->params->log, GRETA_ERR_IO, "%s: cannot write: %s", t->part_path,
                          strerror(errno));
    }
    if (flock(fileno(t->file), LOCK_EX | LOCK_NB) && errno == EWOULDBLOCK) {
        fclose(t->file);
        return greta_fail(t->params->log, GRETA_ERR_IO, "%s: another greta is fetching it", t->part_path);
    }
    t->have_bytes = (uint64_t)st.st_size;
    greta_status status = perform(t, curl);
    if (fclose(t->file) && !status)
        status =
            greta_fail(t->params->log, GRETA_ERR_IO, "%s: cannot write: %s", t->part_path, strerror(errno));
    if (status) return status;
    status = check_part(t);
    if (status == GRETA_ERR_FORMAT) remove(t->part_path);
    if (!status || status == GRETA_ERR_FORMAT) remove(t->etag_path);
    if (!status && rename(t->part_path, t->params->path))
        status = greta_fail(t->params->log, GRETA_ERR_IO, "%s: cannot be renamed from its part: %s",
                            t->params->path, strerror(errno));
    return status;
}

greta_status download(const struct download_params *params) {
    static const char *const libraries[] = {"libcurl.so.4", "libcurl-gnutls.so.4", NULL};
    struct transfer t = {.params = params};
    struct curl curl;
    struct dl dl;
    if (params->sha256 && !is_hex64(params->sha256, strlen(params->sha256)))
        return greta_fail(params->log, GRETA_ERR_INVALID, "a SHA-256 is 64 hex digits, not %s",
                          params->sha256);
    if (dl_open(&dl, libraries, params->log))
        return greta_fail(params->log, GRETA_ERR_UNAVAILABLE,
                          "libcurl is not here: install libcurl4, or fetch %s yourself", params->url);
    greta_status status =
        dl_load(&dl, curl_symbols, sizeof curl_symbols / sizeof *curl_symbols, &curl, params->log);
    size_t len = strlen(params->path) + sizeof ".part.etag";
    t.part_path = malloc(len);
    t.etag_path = malloc(len);
    if (!status && (!t.part_path || !t.etag_path))
        status = greta_fail(params->log, GRETA_ERR_NO_MEMORY, "out of memory");
    if (!status) {
        snprintf(t.part_path, len, "%s.part", params->path);
        snprintf(t.etag_path, len, "%s.part.etag", params->path);
        status = fetch(&t, &curl);
    }
    free(t.part_path);
    free(t.etag_path);
    dl_close(&dl);
    return status;
}
