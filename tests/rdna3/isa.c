/* Reads what RADV gives as a shader's assembly: labels "BB3:" and one instruction a line. */
#include "rdna3.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_LABELS = 4096 };

struct reader {
    struct rdna3_figures *f;
    struct rdna3_figures sums; /* of all instructions so far */
    int n_labels;
    struct label {
        unsigned long number;
        struct rdna3_figures sums; /* of what stands before it */
    } labels[MAX_LABELS];
};

static bool begins(const char *text, const char *with) {
    return !strncmp(text, with, strlen(with));
}

/* The width in a mnemonic's tail: _b128, _dwordx4, _u8, _d16_b16 ... */
static uint32_t loaded_bytes(const char *m) {
    static const struct {
        const char *tail;
        uint32_t bytes;
    } widths[] = {{"b512", 64},   {"b256", 32},     {"b128", 16},    {"b96", 12},     {"b64", 8},
                  {"b32", 4},     {"dwordx16", 64}, {"dwordx8", 32}, {"dwordx4", 16}, {"dwordx3", 12},
                  {"dwordx2", 8}, {"dword", 4},     {"u16", 2},      {"i16", 2},      {"b16", 2},
                  {"ushort", 2},  {"sshort", 2},    {"u8", 1},       {"i8", 1},       {"ubyte", 1},
                  {"sbyte", 1}};
    for (size_t i = 0; i < sizeof widths / sizeof *widths; i++)
        if (strstr(m, widths[i].tail)) return widths[i].bytes;
    return 0;
}

/* What a lane's access takes of LDS's rate: a bank's four bytes at least. */
static uint32_t lds_bytes(const char *m) {
    uint32_t bytes = loaded_bytes(m);
    return (bytes < 4 ? 4 : bytes) * (strstr(m, "_2addr_") ? 2 : 1);
}

static bool is_fma(const char *m) {
    static const char *const names[] = {"v_fma_",  "v_fmac_", "v_fmaak_", "v_fmamk_",    "v_pk_fma_",
                                        "v_mad_f", "v_mac_f", "v_dot",    "v_dual_fmac", "v_fma_mix"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (begins(m, names[i])) return true;
    return false;
}

static void count(struct rdna3_figures *s, const char *m) {
    bool vector_memory =
        begins(m, "global_") || begins(m, "buffer_") || begins(m, "flat_") || begins(m, "scratch_");
    s->loop_instructions++;
    if (begins(m, "v_wmma"))
        s->loop_matrix++;
    else if (begins(m, "v_"))
        s->loop_valu++;
    if (is_fma(m)) s->loop_fma++;
    if (vector_memory) s->loop_vmem++;
    if (begins(m, "ds_")) s->loop_lds++, s->loop_lds_bytes += lds_bytes(m);
    if (vector_memory && strstr(m, "_load_")) s->loop_bytes += loaded_bytes(m);
    if (begins(m, "s_load_") || begins(m, "s_buffer_load_")) s->loop_scalar_bytes += loaded_bytes(m);
}

/* Most matrix products, else most multiply-adds, else most instructions: a rolled epilogue may be longer than the main loop. */
static bool is_larger(const struct rdna3_figures *a, const struct rdna3_figures *b) {
    if (a->loop_matrix != b->loop_matrix) return a->loop_matrix > b->loop_matrix;
    if (a->loop_fma != b->loop_fma) return a->loop_fma > b->loop_fma;
    return a->loop_instructions > b->loop_instructions;
}

/* The instructions from a label to here are a loop: kept where it is the largest yet. */
static void close_loop(struct reader *r, const struct label *label) {
    const struct rdna3_figures *a = &label->sums, *b = &r->sums;
    struct rdna3_figures loop = *r->f;
#define SUBTRACT(name) \
    if (!strncmp(#name, "loop_", 5)) loop.name = b->name - a->name;
    RDNA3_FIGURE_LIST(SUBTRACT)
#undef SUBTRACT
    if (is_larger(&loop, r->f)) *r->f = loop;
}

static void branch(struct reader *r, const char *line) {
    const char *target = strstr(line, "BB");
    if (!target || !isdigit((unsigned char)target[2])) return;
    unsigned long number = strtoul(target + 2, NULL, 10);
    for (int i = 0; i < r->n_labels; i++)
        if (r->labels[i].number == number) close_loop(r, &r->labels[i]);
}

static void read_line(struct reader *r, const char *line) {
    while (*line == ' ' || *line == '\t') line++;
    if (begins(line, "BB") && isdigit((unsigned char)line[2])) {
        if (r->n_labels < MAX_LABELS)
            r->labels[r->n_labels++] = (struct label){strtoul(line + 2, NULL, 10), r->sums};
        return;
    }
    char m[48];
    size_t n = strcspn(line, " \t\n;");
    if (n < 3 || n >= sizeof m || !islower((unsigned char)line[0])) return;
    memcpy(m, line, n);
    m[n] = 0;
    if (!strchr(m, '_')) return;
    count(&r->sums, m);
    if (strstr(line, " :: v_dual_")) count(&r->sums, strstr(line, "v_dual_"));
    if (begins(m, "s_branch") || begins(m, "s_cbranch")) branch(r, line);
}

bool rdna3_read_isa(const char *text, struct rdna3_figures *f) {
    struct reader *r = calloc(1, sizeof *r);
    if (!r) return false;
    r->f = f;
    for (const char *line = text; line && *line; line = strchr(line, '\n'), line = line ? line + 1 : NULL)
        read_line(r, line);
    bool any = r->sums.loop_instructions > 0;
    free(r);
    return any;
}
