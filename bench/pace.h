/*
 * Whether a GPU runs as fast as it can: between bursts of work it lowers its clock, by steps that hold for longer than a row is measured,
 * so that a row's own samples agree and are wrong. A product of fixed size, in blocks of some milliseconds, is held against its best one.
 */
#ifndef BENCH_PACE_H
#define BENCH_PACE_H

#include <stdbool.h>
#include <stdint.h>

struct pace {
    double best_ns;    /* of a block so far; 0: none was run */
    bool known;        /* a best one was settled on before */
    uint64_t begin_ns; /* of this warm-up; 0: none is going on */
    uint64_t rose_ns;  /* when the best one was last beaten by more than a hundredth */
    double last[3];
    uint32_t n, n_good;
};

/* A warm-up begins. */
void pace_begin(struct pace *p, uint64_t now_ns);
/*
 * A block that took so long has ended now: false where the warm-up is over. The first one goes on for 600 ms at least, and until the best
 * block has stood for 300; later ones until three blocks in turn come within 3 % of it. After 3 s, later 1 s, what it gives is taken as
 * its best.
 */
bool pace_next(struct pace *p, double block_ns, uint64_t now_ns);

#endif
