/*
 * All parts are cut into pieces of about a MiB, and one loop over all threads takes them. A piece is read into memory that stays in the
 * thread's cache, not by the mapping: its pages would be brought in and given back one by one, under the lock of the address space, which a
 * driver that allocates holds. Where host and device share memory that the host caches, it is packed from there into its place. Elsewhere
 * into pinned memory, from where the device brings it over while the thread packs the next ones. The loop also makes the slabs, each
 * while pieces of the one before are under way: a GPU's driver takes as long for its memory as filling it does.
 */
#include "load_pieces.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { PIECE_BYTES = 1 << 20, PIECE_ROWS = 16, N_SLOTS = 3, FLUSH_PIECES = 8, SLOT_ALIGN = 256 };

struct piece {
    const struct source
        *source; /* NULL: makes slab i_slab; where that is LOAD_NO_SLAB, does what goes beside */
    const struct weight_part *part;
    uint32_t begin, end; /* rows of the part */
    uint32_t i_slab;     /* LOAD_NO_SLAB: the part's buffer is there */
};

struct slot {
    struct greta_event *event;
    bool busy;
};

/* A thread's memory. */
struct load_thread {
    unsigned char *read; /* a piece as the file has it */
    /* Where the host does not write the device's memory: slots in pinned memory, or where they pass the largest buffer, plain memory for one. */
    uint64_t pinned_at_bytes;
    void *scratch;
    struct slot slots[N_SLOTS];
    uint32_t i_slot;
};

void load_tell(const struct loader *l) {
    const uint64_t done = atomic_load(&l->done_bytes);
    if (l->params->progress)
        l->params->progress(l->params->user, done < l->total_bytes ? done : l->total_bytes, l->total_bytes);
}

/* ---- the list ---- */

const unsigned char *load_part_in_file(const struct source *source, const struct weight_part *part,
                                       uint64_t *row_bytes) {
    *row_bytes = source->tensor->size_bytes / source->whole;
    return (const unsigned char *)source->tensor->data +
           ((uint64_t)source->begin + part->row_begin) * *row_bytes;
}

static greta_status add_piece(struct loader *l, struct piece piece) {
    if (l->n_pieces == l->capacity) {
        const uint32_t capacity = l->capacity ? 2 * l->capacity : 1024;
        struct piece *pieces = realloc(l->pieces, capacity * sizeof *pieces);
        if (!pieces) return greta_fail(l->m->log, GRETA_ERR_NO_MEMORY, "no memory for the model");
        l->pieces = pieces;
        l->capacity = capacity;
    }
    l->pieces[l->n_pieces++] = piece;
    return GRETA_OK;
}

greta_status load_add_beside(struct loader *l) {
    return l->beside ? add_piece(l, (struct piece){.i_slab = LOAD_NO_SLAB}) : GRETA_OK;
}

/* Slab i, and before the second piece of slab i - 1 already. Pieces are taken in order, so who waits for a slab waits for a thread that makes it. */
static greta_status list_slabs(struct loader *l, uint32_t n) {
    greta_status status = GRETA_OK;
    for (; l->n_listed < n && l->n_listed < l->n_slabs && !status; l->n_listed++)
        status = add_piece(l, (struct piece){.i_slab = l->n_listed});
    return status;
}

greta_status load_add_part(struct loader *l, const struct source *source, const struct weight_part *part) {
    const uint32_t i_slab = part->i_slab;
    const bool in_slab = i_slab != LOAD_NO_SLAB;
    greta_status status = in_slab ? list_slabs(l, i_slab + 1) : GRETA_OK;
    uint64_t row_bytes;
    (void)load_part_in_file(source, part, &row_bytes);
    uint32_t n = row_bytes < PIECE_BYTES / PIECE_ROWS ? (uint32_t)(PIECE_BYTES / (row_bytes ? row_bytes : 1))
                                                      : PIECE_ROWS;
    n -= n % PIECE_ROWS; /* such rows lie as those of a weight of their own: greta_layout_runs */
    for (uint32_t at = 0; at < part->n_rows && !status; at += n) {
        const uint32_t end = part->n_rows - at > n ? at + n : part->n_rows;
        status = add_piece(l, (struct piece){source, part, at, end, i_slab});
        if (!status && in_slab) status = list_slabs(l, i_slab + 2);
    }
    return status;
}

/* Bytes on the device that a piece takes, as a weight of its own. */
static uint64_t packed_bytes(const struct piece *p) {
    const struct weight *w = p->source->matrix;
    return greta_layout_bytes(w->layout, w->type, p->end - p->begin, w->n_cols);
}

/* ---- packing ---- */

static uint64_t file_bytes(const struct piece *p) {
    uint64_t row_bytes;
    (void)load_part_in_file(p->source, p->part, &row_bytes);
    return (p->end - p->begin) * row_bytes;
}

/* The piece's rows as the file has them. A model in memory lies there already. */
static greta_status read_piece(struct loader *l, struct load_thread *t, const struct piece *p,
                               const void **out) {
    const struct greta_gguf_tensor *tensor = p->source->tensor;
    uint64_t row_bytes;
    const unsigned char *data = load_part_in_file(p->source, p->part, &row_bytes) + p->begin * row_bytes;
    const uint64_t at = tensor->file_offset_bytes + (uint64_t)(data - (const unsigned char *)tensor->data);

    *out = data;
    if (!l->is_file) return GRETA_OK;
    if (!t->read) t->read = malloc(l->read_bytes);
    *out = t->read;
    if (!t->read)
        return greta_fail(l->m->log, GRETA_ERR_NO_MEMORY, "no host memory for %" PRIu64 " bytes",
                          l->read_bytes);
    if (greta_gguf_read(l->m->gguf, tensor->i_file, at, t->read, file_bytes(p))) return GRETA_OK;
    return greta_fail(l->m->log, GRETA_ERR_IO, "%.500s: tensor %s cannot be read: %s",
                      greta_gguf_file_path(l->m->gguf, tensor->i_file), tensor->name, strerror(errno));
}

/* The piece's rows as rows [begin, end) of n_rows at dst. */
static greta_status pack(struct loader *l, struct load_thread *t, const struct piece *p, uint32_t n_rows,
                         uint32_t begin, void *dst) {
    const struct weight *w = p->source->matrix;
    const uint32_t type = weights_file_type(p->source), n = p->end - p->begin;
    const void *src;
    greta_status status = read_piece(l, t, p, &src);
    if (status) return status;
    return type == w->type ? greta_layout_pack(w->layout, type, n_rows, w->n_cols, begin, begin + n, src, dst)
                           : greta_layout_pack_f16(type, n_rows, w->n_cols, begin, begin + n, src, dst);
}

/* ---- slabs ---- */

/* Wakes those who wait for a slab, too. */
static void fail(struct loader *l, greta_status status) {
    int none = GRETA_OK;
    pthread_mutex_lock(&l->lock);
    atomic_compare_exchange_strong(&l->status, &none, (int)status);
    pthread_cond_broadcast(&l->made);
    pthread_mutex_unlock(&l->lock);
}

static greta_status make_slab(struct loader *l, struct slab *slab) {
    const bool unified = greta_dev_get_limits(l->m->dev)->unified;
    struct greta_buf *buf;
    greta_status status =
        greta_buf_create(l->m->dev, slab->size_bytes, unified ? GRETA_MEM_UNIFIED : GRETA_MEM_DEVICE, &buf);
    if (status) return status;
    for (uint32_t i = 0; i < slab->n_parts; i++) slab->parts[i]->buf = buf;
    pthread_mutex_lock(&l->lock);
    slab->buf = buf;
    pthread_cond_broadcast(&l->made);
    pthread_mutex_unlock(&l->lock);
    return GRETA_OK;
}

/* False where the load has failed elsewhere. */
static bool wait_for_slab(struct loader *l, uint32_t i_slab) {
    if (i_slab == LOAD_NO_SLAB) return true;
    pthread_mutex_lock(&l->lock);
    while (!l->slabs[i_slab].buf && !atomic_load(&l->status)) pthread_cond_wait(&l->made, &l->lock);
    const bool is_made = l->slabs[i_slab].buf != NULL;
    pthread_mutex_unlock(&l->lock);
    return is_made;
}

/* ---- to the device ---- */

/*
 * Slots of one piece each, as many as the device's largest buffer holds, for all threads in one buffer: an H200's driver takes 16 ms for
 * 64 MiB of it and 3 to free it, but 35 and 15 where 16 threads ask for a share each. Its memory is one that the host caches: packing
 * writes here and there.
 */
static greta_status create_slots(struct loader *l) {
    struct greta_dev *dev = l->m->dev;
    const unsigned n_threads = thread_pool_n_threads(l->pool);
    const uint64_t limit = greta_dev_get_limits(dev)->max_buf_bytes,
                   all_bytes = n_threads * l->slot_bytes; /* of a slot for each */
    greta_status status = GRETA_OK;

    l->n_slots = !limit || limit / all_bytes > N_SLOTS ? N_SLOTS : (uint32_t)(limit / all_bytes);
    if (l->n_slots) status = greta_buf_create(dev, l->n_slots * all_bytes, GRETA_MEM_READBACK, &l->pinned);
    for (unsigned t = 0; t < n_threads && !status; t++) {
        l->threads[t].pinned_at_bytes = t * l->n_slots * l->slot_bytes;
        for (uint32_t i = 0; i < l->n_slots && !status; i++)
            status = greta_event_create(dev, &l->threads[t].slots[i].event);
    }
    return status;
}

/* Where slot i of the thread's lies, or the memory in its place. */
static void *slot_at(struct loader *l, struct load_thread *t, uint32_t i) {
    if (l->pinned) return (unsigned char *)greta_buf_host(l->pinned) + t->pinned_at_bytes + i * l->slot_bytes;
    if (!t->scratch) t->scratch = malloc(l->slot_bytes);
    return t->scratch;
}

/* Copies the piece's runs, which lie in slot i of the thread's, or at `scratch`, as those of a weight of its own. */
static greta_status copy_runs(struct loader *l, const struct load_thread *t, uint32_t i_slot,
                              const struct piece *p) {
    const uint64_t from_bytes = t->pinned_at_bytes + i_slot * l->slot_bytes;
    const struct weight *w = p->source->matrix;
    const uint32_t n_rows = p->end - p->begin;
    struct greta_layout_run from[GRETA_LAYOUT_MAX_RUNS], to[GRETA_LAYOUT_MAX_RUNS];
    const uint32_t n = greta_layout_runs(w->layout, w->type, n_rows, w->n_cols, 0, n_rows, from);
    greta_status status = GRETA_OK;

    (void)greta_layout_runs(w->layout, w->type, p->part->n_rows, w->n_cols, p->begin, p->end, to);
    for (uint32_t i = 0; i < n && !status; i++) {
        const uint64_t at = p->part->offset_bytes + to[i].offset_bytes;
        status = l->pinned ? greta_stream_copy(l->stream, p->part->buf, at, l->pinned,
                                               from_bytes + from[i].offset_bytes, from[i].size_bytes)
                           : greta_stream_write(l->stream, p->part->buf, at,
                                                (const char *)t->scratch + from[i].offset_bytes,
                                                from[i].size_bytes);
    }
    return status;
}

/* Some pieces go in one submit: each takes the device a pause. Who waits for a slot submits what is left. */
static greta_status bring(struct loader *l, struct load_thread *t, uint32_t i_slot, const struct piece *p) {
    struct slot *slot = &t->slots[i_slot];
    const uint32_t n_threads = thread_pool_n_threads(l->pool),
                   n_flush = n_threads < FLUSH_PIECES ? n_threads : FLUSH_PIECES;

    pthread_mutex_lock(&l->lock);
    greta_status status = copy_runs(l, t, i_slot, p);
    if (!status && l->pinned) status = greta_event_record(slot->event, l->stream);
    if (!status && ++l->n_brought % n_flush == 0) status = greta_stream_flush(l->stream);
    pthread_mutex_unlock(&l->lock);
    slot->busy = l->pinned && !status;
    return status;
}

static greta_status upload_piece(struct loader *l, struct load_thread *t, const struct piece *p) {
    const uint32_t i_slot = l->n_slots ? t->i_slot++ % l->n_slots : 0;
    struct slot *slot = &t->slots[i_slot];
    void *at = slot_at(l, t, i_slot);
    greta_status status = GRETA_OK;

    if (!at)
        return greta_fail(l->m->log, GRETA_ERR_NO_MEMORY, "no host memory for %" PRIu64 " bytes",
                          l->slot_bytes);
    if (slot->busy) status = greta_event_wait(slot->event, UINT64_MAX);
    if (status) return status;
    slot->busy = false;
    status = pack(l, t, p, p->end - p->begin, 0, at);
    return !status && wait_for_slab(l, p->i_slab) ? bring(l, t, i_slot, p) : status;
}

static greta_status place_piece(struct loader *l, struct load_thread *t, const struct piece *p) {
    if (!wait_for_slab(l, p->i_slab)) return GRETA_OK;
    return pack(l, t, p, p->part->n_rows, p->begin,
                (unsigned char *)greta_buf_host(p->part->buf) + p->part->offset_bytes);
}

static void load_piece(void *user, uint32_t i, unsigned i_thread) {
    struct loader *l = user;
    const struct piece *p = &l->pieces[i];

    if (atomic_load_explicit(&l->status, memory_order_relaxed)) return;
    greta_status status;
    if (!p->source)
        status = p->i_slab == LOAD_NO_SLAB ? l->beside(l->m) : make_slab(l, &l->slabs[p->i_slab]);
    else
        status = l->slot_bytes ? upload_piece(l, &l->threads[i_thread], p)
                               : place_piece(l, &l->threads[i_thread], p);
    if (status) fail(l, status);
    if (p->source) l->done_bytes += packed_bytes(p);
    if (i_thread == 0) load_tell(l);
}

/* ---- all of it ---- */

static bool host_writes(const struct loader *l) {
    return weights_are_mapped(l->m) || greta_dev_get_limits(l->m->dev)->unified;
}

static greta_status create_threads(struct loader *l) {
    for (uint32_t i = 0; i < l->n_pieces; i++) {
        const struct piece *p = &l->pieces[i];
        if (!p->source) continue;
        if (file_bytes(p) > l->read_bytes) l->read_bytes = file_bytes(p);
        if (!host_writes(l) && packed_bytes(p) > l->slot_bytes) l->slot_bytes = packed_bytes(p);
    }
    l->slot_bytes = (l->slot_bytes + SLOT_ALIGN - 1) / SLOT_ALIGN * SLOT_ALIGN;
    l->threads = calloc(thread_pool_n_threads(l->pool), sizeof *l->threads);
    if (!l->threads) return greta_fail(l->m->log, GRETA_ERR_NO_MEMORY, "no memory for the model");
    return l->slot_bytes ? create_slots(l) : GRETA_OK;
}

greta_status load_pieces(struct loader *l) {
    greta_status status = l->n_pieces ? create_threads(l) : GRETA_OK;

    if (status) return status;
    thread_pool_loop(l->pool, l->n_pieces, load_piece, l);
    status = (greta_status)atomic_load(&l->status);
    return status || !l->slot_bytes ? status : greta_stream_wait(l->stream);
}

void load_pieces_free(struct loader *l) {
    const unsigned n_threads = l->threads ? thread_pool_n_threads(l->pool) : 0;

    for (unsigned i = 0; i < n_threads; i++) {
        struct load_thread *t = &l->threads[i];
        free(t->read);
        free(t->scratch);
        for (int s = 0; s < N_SLOTS; s++) greta_event_destroy(&t->slots[s].event);
    }
    greta_buf_destroy(&l->pinned);
    free(l->threads);
    free(l->pieces);
}
