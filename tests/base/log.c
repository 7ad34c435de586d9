#include "check.h"

#include <greta/log.h>

#include <string.h>

struct seen {
    unsigned n;
    enum greta_log_level level;
    char text[2048];
};

static void keep(void *user, enum greta_log_level level, const char *message) {
    struct seen *s = user;
    s->n++;
    s->level = level;
    snprintf(s->text, sizeof s->text, "%s", message);
}

int main(void) {
    struct seen s = {0};
    struct greta_log log = {.fn = keep, .user = &s};

    greta_logf(&log, GRETA_LOG_ERROR, "%s has %d rows", "blk.0", 7);
    CHECK(s.n == 1 && s.level == GRETA_LOG_ERROR && strcmp(s.text, "blk.0 has 7 rows") == 0);
    greta_logf(&log, GRETA_LOG_WARN, "passed over: the zero value passes errors only");
    CHECK(s.n == 1);
    log.max_level = GRETA_LOG_INFO;
    greta_logf(&log, GRETA_LOG_INFO, "info");
    greta_logf(&log, GRETA_LOG_DEBUG, "debug");
    CHECK(s.n == 2 && strcmp(s.text, "info") == 0);

    CHECK(greta_fail(&log, GRETA_ERR_IO, "model.gguf: read failed") == GRETA_ERR_IO);
    CHECK(s.n == 3 && s.level == GRETA_LOG_ERROR && strcmp(s.text, "model.gguf: read failed") == 0);

    char big[3000];
    memset(big, 'a', sizeof big);
    big[sizeof big - 1] = 0;
    greta_logf(&log, GRETA_LOG_ERROR, "%s", big);
    CHECK(s.n == 4 && strlen(s.text) == 1023 && strncmp(s.text, big, 1023) == 0);

    /* Silence: neither may crash. */
    greta_logf(NULL, GRETA_LOG_ERROR, "%d", 1);
    greta_logf(&(struct greta_log){0}, GRETA_LOG_ERROR, "%d", 1);
    CHECK(greta_fail(NULL, GRETA_ERR_FORMAT, "%d", 1) == GRETA_ERR_FORMAT);
    CHECK(s.n == 4);
    return check_done();
}
