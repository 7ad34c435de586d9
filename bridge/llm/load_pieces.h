/* Bringing weights onto the device: load.c plans buffers and a list of parts, load_pieces.c makes and fills them by all threads. */
#ifndef LLM_LOAD_PIECES_H
#define LLM_LOAD_PIECES_H

#include "model.h"

#include "thread.h"

#include <pthread.h>
#include <stdatomic.h>

struct load_thread;

/* A buffer that matrices share. */
struct slab {
    uint64_t size_bytes;
    struct greta_buf *buf; /* the model's once load_pieces has returned */
    struct weight_part **parts;
    uint32_t n_parts;
};

#define LOAD_NO_SLAB UINT32_MAX /* the i_slab of a part whose buffer is there */

struct loader {
    struct greta_model *m;
    struct greta_stream *stream;
    struct thread_pool *pool;
    const struct greta_model_params *params;
    _Atomic uint64_t done_bytes;
    uint64_t total_bytes;
    greta_status (*beside)(struct greta_model *m);
    struct slab *slabs;
    uint32_t n_slabs;
    /* of load_pieces.c */
    struct piece *pieces;
    uint32_t n_pieces, capacity;
    uint32_t n_listed;    /* slabs that pieces make */
    pthread_mutex_t lock; /* of the stream and of slabs that are not ready, while the threads are at it */
    pthread_cond_t made;  /* a slab, or `status` is set */
    struct load_thread *threads;
    struct greta_buf *pinned; /* the slots of all threads */
    uint32_t n_slots;         /* of a thread */
    uint64_t read_bytes,
        slot_bytes; /* of the largest piece: in the file, and pinned; 0 where the host writes the device's memory itself */
    uint32_t n_brought;
    bool is_file;
    _Atomic int status;
};

/* The first byte of a part in the file, and the bytes of a row there. */
const unsigned char *load_part_in_file(const struct source *source, const struct weight_part *part,
                                       uint64_t *row_bytes);
/* Adds `beside`, which one thread does. */
GRETA_MUST_USE greta_status load_add_beside(struct loader *l);
/* Adds a part to what load_pieces fills; parts come slab by slab, in order. */
GRETA_MUST_USE greta_status load_add_part(struct loader *l, const struct source *source,
                                          const struct weight_part *part);
/* Makes the slabs; reads, packs and brings over all that was added. */
GRETA_MUST_USE greta_status load_pieces(struct loader *l);
void load_pieces_free(struct loader *l);
/* Tells the user; from the thread that called weights_load. */
void load_tell(const struct loader *l);

#endif
