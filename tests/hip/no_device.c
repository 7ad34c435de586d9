/* Without a device: no library, ROCm 5's library (found and declined), and a real library that shows no device. */
#include "check.h"

#include "hip.h"

#include <dlfcn.h>
#include <string.h>
#include <unistd.h>

static char said[1024];
static unsigned n_errors;

static void hear(void *user, enum greta_log_level level, const char *message) {
    (void)user;
    if (level == GRETA_LOG_ERROR) n_errors++;
    if (level <= GRETA_LOG_INFO) snprintf(said, sizeof said, "%s", message);
}
static const struct greta_log log_to = {.fn = hear, .max_level = GRETA_LOG_DEBUG};

static greta_status open_with(const char *library) {
    const struct hal_open_params params = {.log = &log_to, .library = library};
    void *instance = &said;
    said[0] = 0;
    greta_status status = hip_backend.open(&params, &instance);
    if (status == GRETA_OK)
        hip_backend.close(instance);
    else
        CHECK(!instance);
    printf("%s: %s\n", library ? library : "(usual)", said);
    return status;
}

static bool is_there(const char *name) {
    void *library = dlopen(name, RTLD_LAZY | RTLD_LOCAL);
    if (library) dlclose(library);
    return library != NULL;
}

int main(void) {
    CHECK(open_with("/nowhere/libamdhip64.so") == GRETA_ERR_UNAVAILABLE &&
          strstr(said, "/nowhere/libamdhip64.so"));
    CHECK(open_with("libc.so.6") == GRETA_ERR_UNAVAILABLE); /* a library of something else */
    bool has_new = is_there("libamdhip64.so.7") || is_there("libamdhip64.so.6"),
         has_old = is_there("libamdhip64.so.5");
    if (has_new || access("/dev/kfd", F_OK) == 0) {
        printf("skipped: what a machine without an AMD GPU and without ROCm 6 does cannot be seen here\n");
        return check_done();
    }
    CHECK(open_with(NULL) == GRETA_ERR_UNAVAILABLE);
    CHECK(strstr(said, has_old ? "ROCm 5" : "no libamdhip64.so.7") != NULL);
    if (!has_old)
        check_skip("no libamdhip64.so.5 here (Debian: libamdhip64-5): the rest needs a real library");
    CHECK(open_with("libamdhip64.so.5") == GRETA_ERR_UNAVAILABLE &&
          strstr(said, "shows no device (hipError"));
    CHECK(n_errors == 1); /* libc's missing symbol; no device is a normal answer */
    return check_done();
}
