#include "model.h"

#include <stdlib.h>

void greta_model_destroy(struct greta_model **model) {
    struct greta_model *m = *model;

    if (!m) return;
    *model = NULL;
    for (uint32_t i = 0; i < m->n_bufs; i++) greta_buf_destroy(&m->bufs[i]);
    greta_plan_destroy(&m->plan);
    greta_tokenizer_destroy(&m->tokenizer);
    greta_gguf_close(&m->gguf);
    arena_free(&m->arena);
    free(m);
}

const struct greta_model_info *greta_model_get_info(const struct greta_model *model) {
    return &model->info;
}
const struct greta_tokenizer *greta_model_get_tokenizer(const struct greta_model *model) {
    return model->tokenizer;
}
const char *greta_model_get_chat_template(const struct greta_model *model) {
    return model->chat_template;
}
struct greta_dev *greta_model_get_dev(const struct greta_model *model) {
    return model->dev;
}
