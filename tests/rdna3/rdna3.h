/* What the files of the rdna3 test share: one compiled kernel, as the driver and its disassembly tell of it. */
#ifndef RDNA3_H
#define RDNA3_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/*
 * X(member): the columns of figures, in the table's order. A loop is what stands between a label and a branch back to it, with
 * what is within it counted once; the main one has the most matrix products, else multiply-adds, else instructions.
 * loop_bytes: bytes that one invocation loads from memory in one pass of it; those that scalar loads fetch for a whole wave
 * are loop_scalar_bytes.
 */
#define RDNA3_FIGURE_LIST(X)                                                                         \
    X(vgprs)                                                                                         \
    X(sgprs)                                                                                         \
    X(scratch)                                                                                       \
    X(lds)                                                                                           \
    X(waves) X(code_bytes) X(loop_instructions) X(loop_valu) X(loop_fma) X(loop_matrix) X(loop_vmem) \
        X(loop_lds) X(loop_bytes) X(loop_scalar_bytes) X(loop_lds_bytes)

struct rdna3_figures {
#define RDNA3_MEMBER(name) uint32_t name;
    RDNA3_FIGURE_LIST(RDNA3_MEMBER)
#undef RDNA3_MEMBER
};

struct rdna3_row {
    char name[64], constants[128];
    uint32_t wave;
    struct rdna3_figures f;
};

struct rdna3_table {
    char driver[96];
    struct rdna3_row *rows;
    uint32_t n;
};

/* isa.c: the loop_ members, from the disassembly. False where it has no line that is an instruction. */
bool rdna3_read_isa(const char *text, struct rdna3_figures *f);

/* table.c */

/* By name, constants, wave. */
void rdna3_sort(struct rdna3_table *table);
bool rdna3_write(const struct rdna3_table *table, FILE *file);
/* False, said on stderr, where the file cannot be read or is no such table. */
bool rdna3_read(const char *path, struct rdna3_table *out);
/* How many rows are worse than the kept ones, or better so that these are stale, or not among them; each is said. */
uint32_t rdna3_compare(const struct rdna3_table *kept, const struct rdna3_table *now);

#endif
