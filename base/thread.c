#include "thread.h"

#include "clock.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/*
 * A loop is a job that threads join. `state` says whether it may be joined and counts the workers inside, in
 * one word, so that a worker that wakes late either joins the loop that runs now or finds the door shut: it
 * never touches a job that is over, and the caller never waits for a thread that has not joined.
 */
enum { STATE_OPEN = 1 << 30, STATE_WAITER = 1 << 29, STATE_COUNT = STATE_WAITER - 1 };
enum { SPIN_NS = 50 * 1000, SPIN_BATCH = 32, MAX_THREADS = 4096 };

struct worker {
    struct thread_pool *pool;
    pthread_t thread;
    unsigned i_thread;
};

struct thread_pool {
    unsigned n_threads, n_started; /* both count the caller */
    uint64_t spin_ns;
    pthread_mutex_t turn; /* held by the caller whose loop runs */

    /* The job: written while the door is shut and nobody is inside. */
    thread_loop_fn *fn;
    void *user;
    uint64_t n;

    _Alignas(64) atomic_uint state;
    _Alignas(64) atomic_uint_fast64_t next; /* 64 bits: threads that find nothing count on past n */
    _Alignas(64) pthread_mutex_t lock;
    pthread_cond_t wake, done;
    atomic_uint n_sleeping;
    atomic_bool stop;

    struct worker workers[];
};

unsigned thread_n_cpus(void) {
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) != 0) return 1; /* more than 1024 processors */
    int n = CPU_COUNT(&set);
    return n > 0 ? (unsigned)n : 1;
}

static void cpu_relax(void) {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

/* Spins until (state & mask) is zero or not, as wanted; false when the time is up. */
static bool spin(struct thread_pool *p, unsigned mask, bool wanted) {
    uint64_t end = 0;
    for (;;) {
        for (int i = 0; i < SPIN_BATCH; i++) {
            if (((atomic_load_explicit(&p->state, memory_order_acquire) & mask) != 0) == wanted) return true;
            if (atomic_load_explicit(&p->stop, memory_order_relaxed)) return false;
            cpu_relax();
        }
        uint64_t now = clock_ns();
        if (!end) end = now + p->spin_ns;
        if (now >= end) return false;
    }
}

static void run(struct thread_pool *p, unsigned i_thread) {
    for (;;) {
        uint64_t i = atomic_fetch_add_explicit(&p->next, 1, memory_order_relaxed);
        if (i >= p->n) break;
        p->fn(p->user, (uint32_t)i, i_thread);
    }
    /* Shut by whoever finds nothing left, so that the others do not join for nothing while the last index
     * runs. */
    atomic_fetch_and_explicit(&p->state, ~(unsigned)STATE_OPEN, memory_order_acq_rel);
}

static bool join_job(struct thread_pool *p) {
    unsigned s = atomic_load_explicit(&p->state, memory_order_acquire);
    while (s & STATE_OPEN)
        if (atomic_compare_exchange_weak_explicit(&p->state, &s, s + 1, memory_order_acq_rel,
                                                  memory_order_acquire))
            return true;
    return false;
}

static void leave_job(struct thread_pool *p) {
    unsigned s = atomic_fetch_sub_explicit(&p->state, 1, memory_order_acq_rel);
    if (!(s & STATE_WAITER) || (s & STATE_COUNT) != 1) return;
    pthread_mutex_lock(&p->lock);
    pthread_cond_signal(&p->done);
    pthread_mutex_unlock(&p->lock);
}

/* The counter goes up before the state is looked at, and the caller opens before it looks at the counter: one
 * of the two sees the other, so no wake-up is lost. */
static void sleep_until_open(struct thread_pool *p) {
    pthread_mutex_lock(&p->lock);
    atomic_fetch_add(&p->n_sleeping, 1);
    while (!(atomic_load(&p->state) & STATE_OPEN) && !atomic_load(&p->stop))
        pthread_cond_wait(&p->wake, &p->lock);
    atomic_fetch_sub(&p->n_sleeping, 1);
    pthread_mutex_unlock(&p->lock);
}

static void *worker_main(void *arg) {
    struct worker *w = arg;
    struct thread_pool *p = w->pool;
    while (!atomic_load(&p->stop)) {
        if (!spin(p, STATE_OPEN, true)) sleep_until_open(p);
        if (!join_job(p)) continue;
        run(p, w->i_thread);
        leave_job(p);
    }
    return NULL;
}

greta_status thread_pool_create(unsigned n_threads, struct thread_pool **out) {
    *out = NULL;
    unsigned n_cpus = thread_n_cpus();
    if (!n_threads) n_threads = n_cpus;
    if (n_threads > MAX_THREADS) return GRETA_ERR_INVALID;
    size_t bytes = sizeof(struct thread_pool) + n_threads * sizeof(struct worker);
    struct thread_pool *p = aligned_alloc(64, (bytes + 63) & ~(size_t)63);
    if (!p) return GRETA_ERR_NO_MEMORY;
    memset(p, 0, bytes);
    p->n_threads = n_threads;
    p->spin_ns =
        n_threads <= n_cpus ? SPIN_NS : 0; /* who spins on a shared processor keeps the work from it */
    pthread_mutex_init(&p->turn, NULL);
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->wake, NULL);
    pthread_cond_init(&p->done, NULL);
    for (p->n_started = 1; p->n_started < n_threads; p->n_started++) {
        struct worker *w = &p->workers[p->n_started];
        *w = (struct worker){.pool = p, .i_thread = p->n_started};
        if (pthread_create(&w->thread, NULL, worker_main, w) != 0) {
            thread_pool_destroy(&p);
            return GRETA_ERR_NO_MEMORY;
        }
    }
    *out = p;
    return GRETA_OK;
}

void thread_pool_destroy(struct thread_pool **pool) {
    struct thread_pool *p = *pool;
    *pool = NULL;
    if (!p) return;
    pthread_mutex_lock(&p->lock);
    atomic_store(&p->stop, true);
    pthread_cond_broadcast(&p->wake);
    pthread_mutex_unlock(&p->lock);
    for (unsigned i = 1; i < p->n_started; i++) pthread_join(p->workers[i].thread, NULL);
    pthread_mutex_destroy(&p->turn);
    pthread_mutex_destroy(&p->lock);
    pthread_cond_destroy(&p->wake);
    pthread_cond_destroy(&p->done);
    free(p);
}

unsigned thread_pool_n_threads(const struct thread_pool *pool) {
    return pool->n_threads;
}

static void open_job(struct thread_pool *p) {
    atomic_store(&p->state, STATE_OPEN);
    if (!atomic_load(&p->n_sleeping)) return;
    pthread_mutex_lock(&p->lock);
    pthread_cond_broadcast(&p->wake);
    pthread_mutex_unlock(&p->lock);
}

static void wait_for_leavers(struct thread_pool *p) {
    if (spin(p, STATE_COUNT, false)) return;
    pthread_mutex_lock(&p->lock);
    atomic_fetch_or(&p->state, STATE_WAITER);
    while (atomic_load(&p->state) & STATE_COUNT) pthread_cond_wait(&p->done, &p->lock);
    pthread_mutex_unlock(&p->lock);
}

void thread_pool_loop(struct thread_pool *p, uint32_t n, thread_loop_fn *fn, void *user) {
    if (p->n_threads == 1 || n <= 1) {
        for (uint32_t i = 0; i < n; i++) fn(user, i, 0);
        return;
    }
    pthread_mutex_lock(&p->turn);
    p->fn = fn;
    p->user = user;
    p->n = n;
    atomic_store_explicit(&p->next, 0, memory_order_relaxed);
    open_job(p);
    run(p, 0);
    wait_for_leavers(p);
    pthread_mutex_unlock(&p->turn);
}
