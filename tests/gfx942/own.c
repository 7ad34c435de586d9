// Arguments for the project's own kernels, greta_<op>_..., where none are given: from the op's X-macro, as its block is.
#include "own.h"

#include <greta/op_args.h>

#include <stdio.h>
#include <string.h>

struct member {
    char kind; // 'b' a buffer, 'u', 'f'
    const char *name;
};
struct op {
    const char *name;
    struct member members[OWN_ARGS + 1];
};

#define BUFFER(n) {'b', #n},
#define WORD(n) {'u', #n},
#define FLOAT(n) {'f', #n},
#define OP(NAME, lname) {#lname, {GRETA_ARGS_##NAME(BUFFER, BUFFER, BUFFER, WORD, FLOAT){0, NULL}}},
static const struct op ops[] = {GRETA_OP_LIST(OP)};

// Sizes that every type's blocks divide, and that keep all of an op's buffers within OWN_BYTES.
static const struct {
    const char *name;
    unsigned value;
} sizes[] = {{"n_tok", 16}, {"n_head", 4}, {"n_head_kv", 2}, {"head_dim", 64}, {"n_rot", 64}, {"n_split", 1},
             {"window", 0}, {"pos", 0},    {"value", 0},     {"n_rows", 64},   {"n_ids", 16}};
enum { ANY_SIZE = 256, OWN_BYTES = 4 << 20 };

static unsigned size_of(const char *name) {
    for (unsigned i = 0; i < sizeof sizes / sizeof *sizes; i++)
        if (!strcmp(sizes[i].name, name)) return sizes[i].value;
    return ANY_SIZE;
}

// The op with the longest name that the kernel's begins with.
static const struct op *op_of(const char *kernel) {
    const struct op *found = NULL;
    for (unsigned i = 0; i < sizeof ops / sizeof *ops; i++) {
        size_t n = strlen(ops[i].name);
        if (!strncmp(kernel, "greta_", 6) && !strncmp(kernel + 6, ops[i].name, n) && kernel[6 + n] == '_' &&
            (!found || n > strlen(found->name)))
            found = &ops[i];
    }
    return found;
}

unsigned own_args(const char *kernel, char args[][OWN_TEXT]) {
    const struct op *op = op_of(kernel);
    unsigned n = 0, words = 0;
    for (; op && op->members[n].name; n++) {
        const struct member *m = &op->members[n];
        words += m->kind != 'b';
        if (m->kind == 'b') snprintf(args[n], OWN_TEXT, "zero:%d", OWN_BYTES);
        if (m->kind == 'u') snprintf(args[n], OWN_TEXT, "u32:%u", size_of(m->name));
        if (m->kind == 'f') snprintf(args[n], OWN_TEXT, "f32:1");
    }
    // Kernels for heads of any size take the size behind the op's own members (common/attn_any.h).
    if (op && strstr(kernel, "_any_")) {
        snprintf(args[n++], OWN_TEXT, "u32:%u", size_of("head_dim"));
        words++;
    }
    if (words % 2) snprintf(args[n++], OWN_TEXT, "u32:0"); // the block is padded to whole pointers
    return n;
}
