/* Checks for small test programs: a failed one prints its place and the test goes on; main returns check_done(). */
#ifndef TESTS_CHECK_H
#define TESTS_CHECK_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

static unsigned check_n, check_n_failed;

/* True where it holds, so that a test can stop short of what would crash. */
#define CHECK(cond) check_at((cond), #cond, __FILE__, __LINE__)

static inline bool check_at(bool ok, const char *text, const char *file, int line) {
    check_n++;
    if (ok) return true;
    if (check_n_failed++ < 50) fprintf(stderr, "%s:%d: %s\n", file, line, text);
    return false;
}

/* A test that cannot run here says why and is counted as skipped. */
static inline void check_skip(const char *why) {
    printf("skipped: %s\n", why);
    exit(77);
}

/* The exit status. A test that checked nothing has failed. */
static inline int check_done(void) {
    printf("%u checks, %u failed\n", check_n, check_n_failed);
    return check_n_failed || !check_n;
}

#endif
