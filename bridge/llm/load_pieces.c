/*
 * All parts are cut into pieces of about a MiB, and one loop over all threads takes them: reading (the page cache, by the mapping) and packing
 * are one pass. Where host and device share memory that the host caches, a piece is packed into its place. Elsewhere it is packed
 * into a buffer that stays in the thread's cache, copied from there into pinned memory, and brought over by the device, while the thread packs
 * the next one: each thread has two such buffers.
 */
#include "load.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22 /* since Linux 5.14; before, EINVAL */
#endif

enum { PIECE_BYTES = 1 << 20, PIECE_ROWS = 16, N_SLOTS = 2 };

struct piece {
    const struct source *source;
    const struct weight_part *part;
    uint32_t begin, end; /* rows of the part */
};

/* Pinned memory that the device reads from. */
struct slot {
    struct greta_buf *buf;
    struct greta_event *event;
    bool busy;
};

struct upload {
    void *scratch;
    struct slot slots[N_SLOTS];
    uint32_t i_slot;
};

/* ---- the list ---- */

greta_status load_add_part(struct loader *l, const struct source *source, const struct weight_part *part) {
    uint64_t row_bytes;
    (void)load_part_in_file(source, part, &row_bytes);
    uint32_t n = row_bytes < PIECE_BYTES / PIECE_ROWS ? (uint32_t)(PIECE_BYTES / (row_bytes ? row_bytes : 1))
                                                      : PIECE_ROWS;
    n -= n % PIECE_ROWS; /* such rows lie as those of a weight of their own: greta_layout_runs */
    for (uint32_t at = 0; at < part->n_rows; at += n) {
        if (l->n_pieces == l->capacity) {
            const uint32_t capacity = l->capacity ? 2 * l->capacity : 1024;
            struct piece *pieces = realloc(l->pieces, capacity * sizeof *pieces);
            if (!pieces) return greta_fail(l->m->log, GRETA_ERR_NO_MEMORY, "no memory for the model");
            l->pieces = pieces;
            l->capacity = capacity;
        }
        l->pieces[l->n_pieces++] =
            (struct piece){source, part, at, part->n_rows - at > n ? at + n : part->n_rows};
    }
    return GRETA_OK;
}

/* Bytes on the device that a piece takes, as a weight of its own. */
static uint64_t packed_bytes(const struct piece *p) {
    const struct weight *w = p->source->matrix;
    return greta_layout_bytes(w->layout, w->type, p->end - p->begin, w->n_cols);
}

/* ---- packing ---- */

/* In one call in place of a fault for every few pages; where the pages are not in memory, it reads them. */
static void populate(const unsigned char *data, uint64_t bytes) {
    const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), from = (uintptr_t)data / page * page;
    (void)madvise((void *)from, (size_t)((uintptr_t)data + bytes - from), MADV_POPULATE_READ);
}

/* The piece's rows as rows [begin, end) of n_rows at dst. */
static void pack(const struct piece *p, uint32_t n_rows, uint32_t begin, void *dst) {
    const struct weight *w = p->source->matrix;
    const uint32_t type = weights_file_type(p->source), n = p->end - p->begin;
    uint64_t row_bytes;
    const unsigned char *src = load_part_in_file(p->source, p->part, &row_bytes) + p->begin * row_bytes;
    populate(src, n * row_bytes);
    greta_status status =
        type == w->type ? greta_layout_pack(w->layout, type, n_rows, w->n_cols, begin, begin + n, src, dst)
                        : greta_layout_pack_f16(type, n_rows, w->n_cols, begin, begin + n, src, dst);
    (void)status; /* it fails for arguments that weights_place has excluded */
}

/* ---- to the device ---- */

/* Copies the piece's runs, which lie at `scratch` as those of a weight of its own, by way of the slot; without one, by rt's own staging. */
static greta_status bring(struct loader *l, struct slot *slot, const struct piece *p,
                          const unsigned char *scratch) {
    const struct weight *w = p->source->matrix;
    const uint32_t n_rows = p->end - p->begin;
    struct greta_layout_run from[GRETA_LAYOUT_MAX_RUNS], to[GRETA_LAYOUT_MAX_RUNS];
    const uint32_t n = greta_layout_runs(w->layout, w->type, n_rows, w->n_cols, 0, n_rows, from);
    greta_status status = GRETA_OK;

    (void)greta_layout_runs(w->layout, w->type, p->part->n_rows, w->n_cols, p->begin, p->end, to);
    if (slot->buf) memcpy(greta_buf_host(slot->buf), scratch, packed_bytes(p));
    pthread_mutex_lock(&l->lock);
    for (uint32_t i = 0; i < n && !status; i++) {
        const uint64_t at = p->part->offset_bytes + to[i].offset_bytes;
        status = slot->buf ? greta_stream_copy(l->stream, p->part->buf, at, slot->buf, from[i].offset_bytes,
                                               from[i].size_bytes)
                           : greta_stream_write(l->stream, p->part->buf, at, scratch + from[i].offset_bytes,
                                                from[i].size_bytes);
    }
    if (!status && slot->buf) status = greta_event_record(slot->event, l->stream);
    if (!status && slot->buf) status = greta_stream_flush(l->stream);
    pthread_mutex_unlock(&l->lock);
    slot->busy = slot->buf && !status;
    return status;
}

static greta_status upload_piece(struct loader *l, struct upload *u, const struct piece *p) {
    struct slot *slot = &u->slots[u->i_slot++ % N_SLOTS];
    greta_status status = slot->busy ? greta_event_wait(slot->event, UINT64_MAX) : GRETA_OK;

    slot->busy = false;
    if (status) return status;
    pack(p, p->end - p->begin, 0, u->scratch);
    return bring(l, slot, p, u->scratch);
}

static void load_piece(void *user, uint32_t i, unsigned i_thread) {
    struct loader *l = user;
    const struct piece *p = &l->pieces[i];
    int none = GRETA_OK;

    if (atomic_load_explicit(&l->status, memory_order_relaxed)) return;
    if (l->uploads) {
        greta_status status = upload_piece(l, &l->uploads[i_thread], p);
        if (status) atomic_compare_exchange_strong(&l->status, &none, (int)status);
    } else {
        pack(p, p->part->n_rows, p->begin, (char *)greta_buf_host(p->part->buf) + p->part->offset_bytes);
    }
    l->done_bytes += packed_bytes(p);
    if (i_thread == 0) load_tell(l);
}

/* ---- all of it ---- */

static bool host_writes(const struct loader *l) {
    return weights_are_mapped(l->m) || greta_dev_get_limits(l->m->dev)->unified;
}

/* Of one piece each; none where a piece passes the largest buffer of the device. */
static greta_status create_slots(struct loader *l, struct upload *u, uint64_t bytes) {
    greta_status status = GRETA_OK;

    if (bytes > greta_dev_get_limits(l->m->dev)->max_buf_bytes) return GRETA_OK;
    for (int i = 0; i < N_SLOTS && !status; i++) {
        status = greta_buf_create(l->m->dev, bytes, GRETA_MEM_UPLOAD, &u->slots[i].buf);
        if (!status) status = greta_event_create(l->m->dev, &u->slots[i].event);
    }
    return status;
}

static greta_status create_uploads(struct loader *l) {
    const unsigned n_threads = thread_pool_n_threads(l->pool);
    uint64_t bytes = 0;

    for (uint32_t i = 0; i < l->n_pieces; i++)
        if (packed_bytes(&l->pieces[i]) > bytes) bytes = packed_bytes(&l->pieces[i]);
    l->uploads = calloc(n_threads, sizeof *l->uploads);
    for (unsigned i = 0; i < n_threads && l->uploads; i++) {
        l->uploads[i].scratch = malloc(bytes);
        if (!l->uploads[i].scratch)
            return greta_fail(l->m->log, GRETA_ERR_NO_MEMORY, "no host memory for %" PRIu64 " bytes", bytes);
        greta_status status = create_slots(l, &l->uploads[i], bytes);
        if (status) return status;
    }
    return l->uploads ? GRETA_OK : greta_fail(l->m->log, GRETA_ERR_NO_MEMORY, "no memory for the model");
}

greta_status load_pieces(struct loader *l) {
    greta_status status = host_writes(l) || !l->n_pieces ? GRETA_OK : create_uploads(l);

    if (status) return status;
    thread_pool_loop(l->pool, l->n_pieces, load_piece, l);
    status = (greta_status)atomic_load(&l->status);
    return status || !l->uploads ? status : greta_stream_wait(l->stream);
}

void load_pieces_free(struct loader *l) {
    const unsigned n_threads = l->uploads ? thread_pool_n_threads(l->pool) : 0;

    for (unsigned i = 0; i < n_threads; i++) {
        free(l->uploads[i].scratch);
        for (int s = 0; s < N_SLOTS; s++) {
            greta_buf_destroy(&l->uploads[i].slots[s].buf);
            greta_event_destroy(&l->uploads[i].slots[s].event);
        }
    }
    free(l->uploads);
    free(l->pieces);
}
