#include "check.h"

#include <greta/status.h>

#include <ctype.h>
#include <string.h>

static const greta_status all[] = {
#define ROW(name, text) GRETA_##name,
    GRETA_STATUS_LIST(ROW)
#undef ROW
};

int main(void) {
    const size_t n = sizeof all / sizeof *all;
    CHECK(GRETA_OK == 0);
    CHECK(strcmp(greta_status_name(GRETA_ERR_IO), "ERR_IO") == 0);
    CHECK(strcmp(greta_status_text(GRETA_ERR_TIMEOUT), "timed out") == 0);
    for (size_t i = 0; i < n; i++) {
        CHECK(all[i] == (greta_status)i);
        CHECK(i == 0 || strncmp(greta_status_name(all[i]), "ERR_", 4) == 0);
        CHECK(islower((unsigned char)greta_status_text(all[i])[0]));
        for (size_t j = 0; j < i; j++)
            CHECK(strcmp(greta_status_name(all[i]), greta_status_name(all[j])) != 0);
    }
    CHECK(strcmp(greta_status_name((greta_status)n), "?") == 0);
    CHECK(strcmp(greta_status_name((greta_status)-1), "?") == 0);
    CHECK(greta_status_text((greta_status)-1)[0] != 0);
    return check_done();
}
