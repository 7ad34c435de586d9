/*
 * Every allocation of the bridge fails once, the first, the second, ...: an error each time, nothing half-
 * built, nothing leaked (a sanitizer says so).
 */
#define ALLOC_WRAPS_STRDUP
#include "../alloc.h"
#include "../check.h"
#include "tiny_vocab.h"

#include <greta/chat.h>
#include <greta/tokenizer.h>

#include <unistd.h>

static struct writer tensors_file, spm_file, bpe_file;
static struct greta_tokenizer *spm, *bpe;
static char part_paths[2][64];

static greta_status open_one(const struct writer *w) {
    struct greta_gguf *g = NULL;
    greta_status status = greta_gguf_open_memory(w->p, w->n, "file", NULL, &g);
    CHECK(!g == (status != GRETA_OK));
    greta_gguf_close(&g);
    return status;
}

static greta_status job_memory(void) {
    return open_one(&tensors_file);
}

static greta_status job_split(void) {
    struct greta_gguf *g = NULL;
    greta_status status = greta_gguf_open(part_paths[1], NULL, &g);
    CHECK(!g == (status != GRETA_OK));
    greta_gguf_close(&g);
    return status;
}

static greta_status create(const struct writer *w) {
    unsigned long wanted = fail_at;
    struct greta_gguf *g = NULL;
    struct greta_tokenizer *t = NULL;
    fail_at = 0;
    CHECK(greta_gguf_open_memory(w->p, w->n, "file", NULL, &g) == GRETA_OK);
    fail_at = wanted;
    greta_status status = greta_tokenizer_create(g, NULL, &t);
    CHECK(!t == (status != GRETA_OK));
    greta_tokenizer_destroy(&t);
    greta_gguf_close(&g);
    return status;
}

static greta_status job_create_spm(void) {
    return create(&spm_file);
}

static greta_status job_create_bpe(void) {
    return create(&bpe_file);
}

static greta_status encode(const struct greta_tokenizer *t) {
    char text[600];
    memset(text, 'a', sizeof text); /* more than the first size of every array */
    memcpy(text + 100, "<s>[tool]ab \xc3\xa8<|im_end|>", 25);
    uint32_t *ids = NULL;
    size_t n = 0;
    greta_status status = greta_tokenizer_encode(t, text, sizeof text, 3, &ids, &n);
    CHECK(!ids == (status != GRETA_OK) && (status == GRETA_OK || n == 0));
    free(ids);
    return status;
}

static greta_status job_encode_spm(void) {
    return encode(spm);
}

static greta_status job_encode_bpe(void) {
    return encode(bpe);
}

static greta_status job_chat(void) {
    static const struct greta_chat_message messages[] = {{"system", "Be short."},
                                                         {"user", "A longer question, to grow the text."}};
    static const char *const names[] = {"llama2", "zephyr"};
    greta_status status = GRETA_OK;
    for (size_t i = 0; i < 2 && !status; i++) {
        char *out = NULL;
        status = greta_chat_render(greta_chat_template_by_name(names[i]), messages, 2, true, "<s>", "</s>",
                                   NULL, &out);
        CHECK(!out == (status != GRETA_OK));
        free(out);
    }
    return status;
}

static greta_status job_recognize(void) {
    static const char text[] =
        "{% for message in messages %}{{'<|im_start|>' + message['role'] + '\\n' + message['content'] + "
        "'<|im_end|>' + '\\n'}}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' "
        "}}{% endif %}";
    return greta_chat_template_recognize(text, sizeof text - 1) ? GRETA_OK : GRETA_ERR_NO_MEMORY;
}

static const struct {
    const char *name;
    greta_status (*run)(void);
    unsigned least; /* allocations that there must be, lest a job tests nothing */
} jobs[] = {
    {"open memory", job_memory, 6},    {"open a split set", job_split, 8}, {"create spm", job_create_spm, 2},
    {"create bpe", job_create_bpe, 2}, {"encode spm", job_encode_spm, 6},  {"encode bpe", job_encode_bpe, 6},
    {"render", job_chat, 3},           {"recognize", job_recognize, 1},
};

static void run_job(size_t i) {
    unsigned k = 1;
    for (;; k++) {
        allocations_begin(k);
        greta_status status = jobs[i].run();
        bool reached = n_allocations >= k;
        fail_at = 0;
        if (!reached) {
            CHECK(status == GRETA_OK);
            break;
        }
        if (!CHECK(status == GRETA_ERR_NO_MEMORY))
            fprintf(stderr, "  %s, call %u: %s\n", jobs[i].name, k, greta_status_name(status));
        if (!CHECK(k < 10000)) break;
    }
    if (!CHECK(k > jobs[i].least)) fprintf(stderr, "  %s has but %u allocations\n", jobs[i].name, k - 1);
}

static void write_tensors(struct writer *w, uint32_t no, uint32_t count) {
    w_header(w, 3, 40, 2 + (count > 1 ? 2 : 0));
    w_key_string(w, "general.architecture", "llama");
    w_key_array(w, "a.texts", GRETA_GGUF_STRING, 1);
    w_string(w, "one");
    if (count > 1) {
        w_key_u32(w, "split.no", no);
        w_key_u32(w, "split.count", count);
    }
    for (unsigned i = 0; i < 40; i++) { /* more than the first size of the list */
        char name[16];
        snprintf(name, sizeof name, "t%u.%u", no, i);
        w_tensor(w, name, 0, 8, 1, i * 32);
    }
    w_pad(w, 32);
    w_zeros(w, 40 * 32);
}

static struct greta_tokenizer *make_tokenizer(const struct writer *w) {
    struct greta_gguf *g = NULL;
    struct greta_tokenizer *t = NULL;
    CHECK(!greta_gguf_open_memory(w->p, w->n, "file", NULL, &g) && !greta_tokenizer_create(g, NULL, &t));
    greta_gguf_close(&g);
    return t;
}

int main(void) {
    char dir[] = "/tmp/greta-test-memory-XXXXXX";
    if (!CHECK(mkdtemp(dir) != NULL)) return check_done();
    for (uint32_t i = 0; i < 2; i++) {
        struct writer w = {0};
        write_tensors(&w, i, 2);
        snprintf(part_paths[i], sizeof part_paths[i], "%s/m-%05u-of-00002.gguf", dir, i + 1);
        CHECK(w_save(&w, part_paths[i]));
        w_free(&w);
    }
    struct vocab v = vocab_spm();
    vocab_write(&v, &spm_file);
    v = vocab_bpe();
    v.pre = "llama-bpe";
    vocab_write(&v, &bpe_file);
    write_tensors(&tensors_file, 0, 1);
    spm = make_tokenizer(&spm_file);
    bpe = make_tokenizer(&bpe_file);
    for (size_t i = 0; i < sizeof jobs / sizeof *jobs; i++) run_job(i);
    greta_tokenizer_destroy(&spm);
    greta_tokenizer_destroy(&bpe);
    w_free(&spm_file);
    w_free(&bpe_file);
    w_free(&tensors_file);
    for (uint32_t i = 0; i < 2; i++) unlink(part_paths[i]);
    rmdir(dir);
    return check_done();
}
