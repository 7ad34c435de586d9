#include "app.h"
#include "commands.h"
#include "io.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static bool print_string(struct greta_gguf_string s) {
    enum { MOST = 200 };
    bool cut = s.len > MOST;

    return out_json(s.data, cut ? MOST : s.len) && (!cut || out_printf(" ... (%zu bytes)", s.len));
}

static bool print_scalar(const struct greta_gguf_value *v) {
    switch (v->type) {
    case GRETA_GGUF_STRING: return print_string(v->str);
    case GRETA_GGUF_BOOL: return out_printf("%s", v->b ? "true" : "false");
    case GRETA_GGUF_F32:
    case GRETA_GGUF_F64: return out_printf("%.9g", v->f64);
    case GRETA_GGUF_I8:
    case GRETA_GGUF_I16:
    case GRETA_GGUF_I32:
    case GRETA_GGUF_I64: return out_printf("%" PRId64, v->i64);
    default: return out_printf("%" PRIu64, v->u64);
    }
}

/* Strings of an array: the first few. Numbers are only counted. */
static bool print_array(const struct greta_gguf_value *v) {
    bool ok = out_printf("[%" PRIu64 "]", v->n);

    if (v->element_type != GRETA_GGUF_STRING) return ok;
    for (uint64_t i = 0; i < v->n && i < 4 && ok; i++)
        ok = out_write(" ", 1) && print_string(((const struct greta_gguf_string *)v->elements)[i]);
    return ok && (v->n <= 4 || out_write(" ...", 4));
}

static bool print_keys(const struct greta_gguf *gguf) {
    bool ok = out_printf("keys: %" PRIu64 "\n", greta_gguf_n_keys(gguf));

    for (uint64_t i = 0; i < greta_gguf_n_keys(gguf) && ok; i++) {
        struct greta_gguf_string name;
        char line[256];
        const struct greta_gguf_value *v = greta_gguf_key_at(gguf, i, &name);
        ok = out_printf("  %s = ", plain(line, sizeof line, name.data, name.len)) &&
             (v->type == GRETA_GGUF_ARRAY ? print_array(v) : print_scalar(v)) && out_write("\n", 1);
    }
    return ok;
}

static bool print_tensors(const struct greta_gguf *gguf) {
    uint64_t n = greta_gguf_n_tensors(gguf), elements = 0, bytes = 0;
    bool ok = out_printf("tensors: %" PRIu64 "\n", n);

    for (uint64_t i = 0; i < n && ok; i++) {
        const struct greta_gguf_tensor *t = greta_gguf_tensor_at(gguf, i);
        char shape[96], name[256];
        int len = 0;
        for (uint32_t d = 0; d < t->n_dims && d < 4; d++)
            len += snprintf(shape + len, sizeof shape - (size_t)len, "%s%" PRIu64, d ? " x " : "", t->ne[d]);
        if (!len) snprintf(shape, sizeof shape, "1");
        ok = out_printf("  %-28s %-8s %-20s %12" PRIu64 " bytes\n",
                        plain(name, sizeof name, t->name, strlen(t->name)),
                        greta_gguf_type_name(t->ggml_type), shape, t->size_bytes);
        elements += t->ne[0] * t->ne[1] * t->ne[2] * t->ne[3];
        bytes += t->size_bytes;
    }
    return ok && out_printf("together: %.2f million elements, %.1f MiB, %.2f bits an element\n",
                            (double)elements / 1e6, (double)bytes / 1048576,
                            elements ? (double)bytes * 8 / (double)elements : 0);
}

/* Says whether the other commands can run it; a file without an architecture is no model. */
static bool print_architecture(const struct greta_gguf *gguf) {
    struct greta_gguf_string name;
    bool ok, known = false;
    char text[96];

    if (!greta_gguf_get_string(gguf, "general.architecture", &name)) return true;
    for (size_t i = 0; greta_architecture_at(i); i++)
        known |= strlen(greta_architecture_at(i)) == name.len &&
                 memcmp(greta_architecture_at(i), name.data, name.len) == 0;
    ok = out_printf("architecture: %s, which is %s", plain(text, sizeof text, name.data, name.len),
                    known ? "supported" : "not supported; these are:");
    for (size_t i = 0; !known && greta_architecture_at(i) && ok; i++)
        ok = out_printf("%s %s", i ? "," : "", greta_architecture_at(i));
    return ok && out_write("\n", 1);
}

int command_inspect(const struct command *command, int argc, char **argv) {
    struct common common = {0};
    const struct option options[] = {
        {"verbose", 'v', OPTION_FLAG, &common.verbose, NULL, "say what is done, on standard error"},
        {0},
    };
    const char *path = NULL;
    struct greta_gguf *gguf = NULL;
    struct app app = {0};
    int n, result = options_parse(command, options, argc, argv, &path, 1, &n);
    bool ok;

    if (result != GO_ON) return result;
    if (!n) return usage_error(command, "a file is needed");
    app_log(&app, &common);
    ok = app_open_gguf(&app, path, &gguf) &&
         out_printf("%s: GGUF version %u\n", path, greta_gguf_version(gguf)) && print_architecture(gguf) &&
         print_keys(gguf) && print_tensors(gguf) && out_flush();
    greta_gguf_close(&gguf);
    return ok ? EXIT_DONE : EXIT_FAILED;
}
