/* What runs, for the handler of a fault. */
#include "kc.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

static char announced[512];

void kc_announce(const struct greta_variant *row, const struct kc_case *c) {
    char text[400];
    snprintf(announced, sizeof announced,
             "FAIL %s: touched memory behind or before a binding; or crashed: %s\n", row->name,
             kc_case_text(c, text, sizeof text));
}

static void on_fault(int signal_number) {
    (void)signal_number;
    ssize_t n = write(STDOUT_FILENO, announced, strlen(announced));
    _exit(n < 0 ? 1 : KC_EXIT_FAULT);
}

void kc_catch_faults(void) {
    struct sigaction action = {.sa_handler = on_fault};
    sigaction(SIGSEGV, &action, NULL);
    sigaction(SIGBUS, &action, NULL);
}
