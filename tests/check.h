/* Checks for small test programs: a failed one prints its place and the test goes on; main returns check_result(). */
#ifndef TESTS_CHECK_H
#define TESTS_CHECK_H

#include <stdio.h>

enum { CHECK_SKIP = 77 }; /* the exit status of a test that cannot run here; it prints why */

static unsigned check_n, check_n_failed;

#define CHECK(cond) ((void)check_one((cond), #cond, __FILE__, __LINE__))

static inline int check_one(int ok, const char *text, const char *file, int line) {
    check_n++;
    if (ok) return 1;
    check_n_failed++;
    fprintf(stderr, "%s:%d: %s\n", file, line, text);
    return 0;
}

/* A test that checked nothing has failed. */
static inline int check_result(void) {
    printf("%u checks, %u failed\n", check_n, check_n_failed);
    return check_n_failed || !check_n;
}

#endif
