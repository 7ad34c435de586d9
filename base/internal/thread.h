/* Threads, and a pool of them for loops over indices. C11 threads where they exist are thin over these. */
#ifndef BASE_THREAD_H
#define BASE_THREAD_H

#include <greta/status.h>

#include <stddef.h>
#include <stdint.h>

/* How many processors this process may run on (its affinity mask, not the machine's size). At least 1. */
unsigned thread_n_cpus(void);

/* Called with each index of a loop once, from several threads at once. `i_thread` < n_threads of the pool. */
typedef void thread_loop_fn(void *user, uint32_t i, unsigned i_thread);

struct thread_pool;

/*
 * n_threads counts the caller: a pool of 1 has no thread of its own. 0: thread_n_cpus(). Idle threads spin for
 * about 50 us (work comes in bursts) and then sleep.
 */
GRETA_MUST_USE greta_status thread_pool_create(unsigned n_threads, struct thread_pool **out);
void thread_pool_destroy(struct thread_pool **pool);
unsigned thread_pool_n_threads(const struct thread_pool *pool);
/*
 * Runs fn for i in [0, n), the caller taking part, and returns when all are done; what they wrote is seen by the
 * caller. Indices are handed out in ascending order from one counter. Several callers take turns.
 */
void thread_pool_loop(struct thread_pool *pool, uint32_t n, thread_loop_fn *fn, void *user);

#endif
