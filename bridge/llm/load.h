/* Bringing weights onto the device: load.c makes buffers and a list of parts, load_pieces.c fills them by all threads. */
#ifndef LLM_LOAD_H
#define LLM_LOAD_H

#include "model.h"

#include "thread.h"

#include <pthread.h>
#include <stdatomic.h>

struct upload;

struct loader {
    struct greta_model *m;
    struct greta_stream *stream;
    struct thread_pool *pool;
    const struct greta_model_params *params;
    _Atomic uint64_t done_bytes;
    uint64_t total_bytes;
    /* of load_pieces.c */
    struct piece *pieces;
    uint32_t n_pieces, capacity;
    pthread_mutex_t lock;   /* of the stream, while the threads are at it */
    struct upload *uploads; /* one a thread; NULL where the host writes the device's memory itself */
    _Atomic int status;
};

/* The first byte of a part in the file, and the bytes of a row there. */
const unsigned char *load_part_in_file(const struct source *source, const struct weight_part *part,
                                       uint64_t *row_bytes);
/* Adds a part, whose buffer is there, to what load_pieces fills. */
GRETA_MUST_USE greta_status load_add_part(struct loader *l, const struct source *source,
                                          const struct weight_part *part);
/* Reads, packs and brings over all that was added. */
GRETA_MUST_USE greta_status load_pieces(struct loader *l);
void load_pieces_free(struct loader *l);
/* Tells the user; from the thread that called weights_load. */
void load_tell(const struct loader *l);

#endif
