/* Loops by all processors: large operands and references, which would take minutes by one. */
#include "ref.h"

#include "thread.h"

struct loop {
    ref_loop_fn *fn;
    void *user;
};

static void call(void *user, uint32_t i, unsigned i_thread) {
    const struct loop *loop = user;
    (void)i_thread;
    loop->fn(loop->user, i);
}

void ref_loop(uint32_t n, ref_loop_fn *fn, void *user) {
    struct thread_pool *pool = NULL;
    unsigned n_threads = thread_n_cpus();
    if (n_threads > n) n_threads = n;
    if (n_threads < 2 || thread_pool_create(n_threads, &pool)) {
        for (uint32_t i = 0; i < n; i++) fn(user, i);
        return;
    }
    thread_pool_loop(pool, n, call, &(struct loop){fn, user});
    thread_pool_destroy(&pool);
}
