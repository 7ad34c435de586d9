/* The forward pass, as a session records it: body, head, readback. */
#ifndef LLM_FORWARD_H
#define LLM_FORWARD_H

#include "step.h"

/* From token ids to the residual stream after the last layer. */
void forward_body(struct forward *f);
/* Final norm and output matrix for rows [row, row + n_rows) of the residual stream. Logits go to `logits`. */
void forward_head(struct forward *f, uint32_t row, uint32_t n_rows, struct greta_buf *logits);
/* Brings what is wanted of S_LOGITS to the readback buffer. */
void forward_readback(struct forward *f, enum greta_want want);

#endif
