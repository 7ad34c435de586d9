#include "check.h"

#include "dl.h"

#include <string.h>

struct table {
    double (*cos)(double);
    void (*missing)(void);
    double (*sin)(double);
};

static void keep(void *user, enum greta_log_level level, const char *message) {
    if (level == GRETA_LOG_ERROR) snprintf(user, 256, "%s", message);
}

int main(void) {
    char text[256] = "";
    struct greta_log log = {.fn = keep, .user = text, .max_level = GRETA_LOG_DEBUG};
    struct dl dl;
    CHECK(dl_open(&dl, (const char *[]){"libno-such-library.so.9", NULL}, &log) == GRETA_ERR_UNAVAILABLE);
    CHECK(!dl.handle && !text[0]); /* a normal answer: no error is logged */
    dl_close(&dl);

    CHECK(dl_open(&dl, (const char *[]){"libno-such-library.so.9", "libm.so.6", NULL}, &log) == GRETA_OK);
    if (!dl.handle) return check_done();
    CHECK(strcmp(dl.name, "libm.so.6") == 0);
    struct table t = {0};
    const struct dl_symbol good[] = {{"cos", offsetof(struct table, cos), false},
                                     {"greta_no_such_symbol", offsetof(struct table, missing), true},
                                     {"sin", offsetof(struct table, sin), false}};
    CHECK(dl_load(&dl, good, 3, &t, &log) == GRETA_OK);
    CHECK(t.cos && t.cos(0) == 1 && t.sin && t.sin(0) == 0 && !t.missing);

    const struct dl_symbol bad[] = {{"greta_no_such_symbol", offsetof(struct table, missing), false}};
    CHECK(dl_load(&dl, bad, 1, &t, &log) == GRETA_ERR_UNAVAILABLE);
    CHECK(strstr(text, "libm.so.6") && strstr(text, "greta_no_such_symbol"));
    dl_close(&dl);
    dl_close(&dl);
    CHECK(!dl.handle);
    return check_done();
}
