/* The calls and copies of a forward pass, as they go to its stream. */
#include "step.h"

#include <math.h>

/* Keeps submits short on devices whose driver resets a queue that runs for seconds. */
static void bound_submit(struct forward *f, double flops, double bytes) {
    const struct pace *pace = &f->s->pace;
    double seconds;

    if (!pace->budget_s || f->collect) return;
    seconds = fmax(flops / pace->flops_per_s, bytes / pace->bytes_per_s);
    if (f->pending_s > 0 && f->pending_s + seconds > pace->budget_s) {
        f->status = f->in_graph ? greta_graph_split(f->s->stream) : greta_stream_flush(f->s->stream);
        f->pending_s = 0;
    }
    f->pending_s += seconds;
}

void forward_record(struct forward *f, const struct greta_call *call, double flops, double bytes) {
    if (f->status) return;
    if (f->collect) {
        f->collect(f->user, call);
        return;
    }
    bound_submit(f, flops, bytes);
    if (!f->status) f->status = greta_op_record(f->s->m->plan, f->s->stream, call);
}

void forward_copy(struct forward *f, struct greta_buf *dst, uint64_t dst_offset, struct greta_buf *src,
                  uint64_t src_offset, uint64_t n) {
    if (!f->status && !f->collect)
        f->status = greta_stream_copy(f->s->stream, dst, dst_offset, src, src_offset, n);
}
