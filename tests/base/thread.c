/* The pool: each index once, in ascending order, results seen by the caller; bursts, pauses, several callers. */
#include "check.h"

#include "thread.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MAX_N = 5000 };

struct job {
    unsigned n_threads;
    unsigned char times[MAX_N]; /* plain: the pool itself must order it */
    atomic_uint last, n_late, n_bad_thread;
};

static void count(void *user, uint32_t i, unsigned i_thread) {
    struct job *j = user;
    j->times[i]++;
    if (i_thread >= j->n_threads) atomic_fetch_add(&j->n_bad_thread, 1);
}

static void each_once(struct thread_pool *p, struct job *j, uint32_t n) {
    memset(j->times, 0, sizeof j->times);
    thread_pool_loop(p, n, count, j);
    unsigned wrong = 0;
    for (uint32_t i = 0; i < MAX_N; i++) wrong += j->times[i] != (i < n);
    CHECK(wrong == 0);
}

static void pause_ns(long ns) {
    nanosleep(&(struct timespec){0, ns}, NULL);
}

static void one_pool(unsigned n_threads) {
    static struct job j;
    struct thread_pool *p;
    CHECK(thread_pool_create(n_threads, &p) == GRETA_OK);
    if (!p) return;
    j.n_threads = thread_pool_n_threads(p);
    CHECK(n_threads ? j.n_threads == n_threads : j.n_threads == thread_n_cpus());
    for (uint32_t n = 0; n < 40; n++) each_once(p, &j, n);
    for (int i = 0; i < 200; i++) each_once(p, &j, (uint32_t)(i * 7919 % MAX_N));
    for (int i = 0; i < 20; i++) { /* past the spinning: the workers sleep and are woken */
        pause_ns(300 * 1000);
        each_once(p, &j, 3 + (uint32_t)i);
    }
    CHECK(atomic_load(&j.n_bad_thread) == 0);
    thread_pool_destroy(&p);
    CHECK(!p);
    thread_pool_destroy(&p);
}

/* A late waker must not touch the next loop: short loops back to back, each with its own data on the stack. */
static void add_one(void *user, uint32_t i, unsigned i_thread) {
    (void)i, (void)i_thread;
    atomic_fetch_add((atomic_uint *)user, 1);
}

static void bursts(void) {
    struct thread_pool *p;
    CHECK(thread_pool_create(4, &p) == GRETA_OK);
    unsigned wrong = 0;
    for (int i = 0; p && i < 20000; i++) {
        atomic_uint sum = 0;
        thread_pool_loop(p, 2 + (uint32_t)i % 3, add_one, &sum);
        wrong += atomic_load(&sum) != 2 + (unsigned)i % 3;
    }
    CHECK(wrong == 0);
    thread_pool_destroy(&p);
}

struct caller {
    struct thread_pool *pool;
    unsigned wrong;
};

static void *call(void *arg) {
    struct caller *c = arg;
    for (int i = 0; i < 500; i++) {
        atomic_uint sum = 0;
        thread_pool_loop(c->pool, 50, add_one, &sum);
        c->wrong += atomic_load(&sum) != 50;
    }
    return NULL;
}

static void several_callers(void) {
    enum { N = 4 };
    pthread_t threads[N];
    struct caller callers[N] = {0};
    struct thread_pool *p;
    CHECK(thread_pool_create(3, &p) == GRETA_OK);
    for (int i = 0; i < N; i++) {
        callers[i].pool = p;
        CHECK(pthread_create(&threads[i], NULL, call, &callers[i]) == 0);
    }
    for (int i = 0; i < N; i++) {
        pthread_join(threads[i], NULL);
        CHECK(callers[i].wrong == 0);
    }
    thread_pool_destroy(&p);
}

/* One index takes long: the caller runs out of work, sleeps and is woken. */
static void slow(void *user, uint32_t i, unsigned i_thread) {
    (void)i_thread;
    if (i == 1) pause_ns(2 * 1000 * 1000);
    ((unsigned char *)user)[i] = 1;
}

static void slow_worker(void) {
    struct thread_pool *p;
    CHECK(thread_pool_create(2, &p) == GRETA_OK);
    for (int r = 0; p && r < 20; r++) {
        unsigned char done[2] = {0};
        thread_pool_loop(p, 2, slow, done);
        CHECK(done[0] && done[1]);
    }
    thread_pool_destroy(&p);
}

int main(void) {
    struct thread_pool *p;
    CHECK(thread_n_cpus() >= 1);
    for (unsigned n = 0; n < 6; n++) one_pool(n);
    bursts();
    several_callers();
    slow_worker();
    CHECK(thread_pool_create(1000000, &p) == GRETA_ERR_INVALID && !p);
    return check_done();
}
