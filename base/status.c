#include <greta/status.h>

#include <stddef.h>

static const struct {
    const char *name, *text;
} statuses[] = {
#define ROW(name, text) {#name, text},
    GRETA_STATUS_LIST(ROW)
#undef ROW
};

const char *greta_status_name(greta_status status) {
    size_t i = (size_t)status;
    return i < sizeof statuses / sizeof *statuses ? statuses[i].name : "?";
}

const char *greta_status_text(greta_status status) {
    size_t i = (size_t)status;
    return i < sizeof statuses / sizeof *statuses ? statuses[i].text : "unknown status";
}
