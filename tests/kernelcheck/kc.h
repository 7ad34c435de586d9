/* kernelcheck: walks the variant table; what its files share. */
#ifndef KC_H
#define KC_H

#include "verify.h"

#include <stdio.h>

/* ---- faults.c: a row that touches a guard page is named, and ends the program ---- */

/* The row's name and the case, for the handler of SIGSEGV. */
void kc_announce(const struct greta_variant *row, const struct kc_case *c);
void kc_catch_faults(void);
enum { KC_EXIT_FAULT = 3 };

/* ---- selftest.c, bench.c ---- */

int kc_selftest(uint64_t seed);
/* Each may be NULL: all. `type` is of the weights, or of GEMM's matrices. */
int kc_bench(struct kc_env *env, const char *op, const char *row, const char *type);
/* The row's name, or what it begins with and a star. */
bool kc_row_matches(const char *pattern, const char *name);

/* main.c */
bool kc_env_open(struct kc_env *env, const char *device, uint32_t max_groups, greta_status *status);
void kc_env_close(struct kc_env *env);

#endif
