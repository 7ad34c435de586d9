#include "options.h"

#include "io.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int usage_error(const struct command *command, const char *format, ...) {
    va_list args;

    fprintf(stderr, "greta %s: ", command->name);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fprintf(stderr, " (greta %s --help tells more)\n", command->name);
    return EXIT_USAGE;
}

static int help(const struct command *command, const struct option *options) {
    bool ok = out_printf("Usage: greta %s%s%s\n\n%s\n", command->name, *command->arguments ? " " : "",
                         command->arguments, command->summary);

    if (ok && command->details) ok = out_printf("\n%s\n", command->details);
    if (ok) ok = out_printf("\nOptions:\n");
    for (const struct option *o = options; o->name && ok; o++) {
        char left[64];
        snprintf(left, sizeof left, "%c%c%s --%s%s%s", o->letter ? '-' : ' ', o->letter ? o->letter : ' ',
                 o->letter ? "," : " ", o->name, o->argument ? " " : "", o->argument ? o->argument : "");
        ok = out_printf("  %-28s %s\n", left, o->help);
    }
    return ok && out_printf("  %-28s %s\n", "-h, --help", "this text") && out_flush() ? EXIT_DONE
                                                                                      : EXIT_FAILED;
}

/* ---- values ---- */

static bool in_range(const struct option *o, double x) {
    return (o->min == 0 && o->max == 0) || (x >= o->min && x <= o->max);
}

static int bad_number(const struct command *c, const struct option *o, const char *text) {
    const char *what = o->kind == OPTION_F32 ? "a number" : "a whole number";

    if (o->min == 0 && o->max == 0) return usage_error(c, "--%s takes %s, not \"%s\"", o->name, what, text);
    if (o->kind != OPTION_F32)
        return usage_error(c, "--%s takes %s from %.0f to %.0f, not \"%s\"", o->name, what, o->min, o->max,
                           text);
    return usage_error(c, "--%s takes %s from %g to %g, not \"%s\"", o->name, what, o->min, o->max, text);
}

static int read_whole(const struct command *c, const struct option *o, const char *text) {
    char *end;
    uint64_t n;

    errno = 0;
    n = strtoull(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end || errno || !in_range(o, (double)n) ||
        (o->kind == OPTION_U32 && n > UINT32_MAX))
        return bad_number(c, o, text);
    if (o->kind == OPTION_U32)
        *(uint32_t *)o->value = (uint32_t)n;
    else
        *(uint64_t *)o->value = n;
    return GO_ON;
}

static int read_real(const struct command *c, const struct option *o, const char *text) {
    char *end;
    double x = strtod(text, &end);

    if (!*text || *end || !isfinite(x) || !in_range(o, x)) return bad_number(c, o, text);
    *(float *)o->value = (float)x;
    return GO_ON;
}

static int read_choice(const struct command *c, const struct option *o, const char *text) {
    const char *word = o->argument;

    for (int i = 0;; i++) {
        size_t len = strcspn(word, "|");
        if (strlen(text) == len && memcmp(word, text, len) == 0) {
            *(int *)o->value = i;
            return GO_ON;
        }
        if (!word[len]) return usage_error(c, "--%s takes %s, not \"%s\"", o->name, o->argument, text);
        word += len + 1;
    }
}

static int read_string(const struct command *c, const struct option *o, const char *text) {
    if (!*text && strcmp(o->argument, "FILE") == 0)
        return usage_error(c, "--%s takes the name of a file, not \"\"", o->name);
    *(const char **)o->value = text;
    return GO_ON;
}

static int read_value(const struct command *c, const struct option *o, const char *text) {
    switch (o->kind) {
    case OPTION_FLAG: *(bool *)o->value = true; return GO_ON;
    case OPTION_STRING: return read_string(c, o, text);
    case OPTION_U32:
    case OPTION_U64: return read_whole(c, o, text);
    case OPTION_F32: return read_real(c, o, text);
    case OPTION_CHOICE: return read_choice(c, o, text);
    }
    return GO_ON;
}

/* ---- parsing ---- */

static const struct option *find(const struct option *options, const char *name, size_t len) {
    for (const struct option *o = options; o->name; o++)
        if (strlen(o->name) == len && memcmp(o->name, name, len) == 0) return o;
    return NULL;
}

static const struct option *find_letter(const struct option *options, char letter) {
    for (const struct option *o = options; o->name; o++)
        if (letter && o->letter == letter) return o;
    return NULL;
}

/* One option at argv[*i], with its value in the same word or in the next. */
static int parse_one(const struct command *c, const struct option *options, int argc, char **argv, int *i) {
    const char *word = argv[*i], *value = NULL;
    const struct option *o;

    if (word[1] == '-') {
        size_t len = strcspn(word + 2, "=");
        o = find(options, word + 2, len);
        if (word[2 + len] == '=') value = word + 3 + len;
    } else {
        o = find_letter(options, word[1]);
        if (word[1] && word[2]) value = word + 2;
    }
    if (!o) return usage_error(c, "there is no option %s", word);
    if (o->kind == OPTION_FLAG && value) return usage_error(c, "the option %s takes no value", word);
    if (o->kind != OPTION_FLAG && !value) {
        if (*i + 1 >= argc) return usage_error(c, "the option %s needs a value", word);
        value = argv[++*i];
    }
    if (o->given) *o->given = true;
    return read_value(c, o, value);
}

int options_parse(const struct command *command, const struct option *options, int argc, char **argv,
                  const char **positionals, int max_positionals, int *n_positionals) {
    bool only_positionals = false;

    *n_positionals = 0;
    for (int i = 0; i < argc; i++) {
        const char *word = argv[i];
        int result;
        if (!only_positionals && (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0))
            return help(command, options);
        if (!only_positionals && strcmp(word, "--") == 0) {
            only_positionals = true;
            continue;
        }
        if (!only_positionals && word[0] == '-' && word[1]) {
            result = parse_one(command, options, argc, argv, &i);
            if (result != GO_ON) return result;
            continue;
        }
        if (*n_positionals == max_positionals)
            return usage_error(command, "\"%s\" is one argument too many", word);
        positionals[(*n_positionals)++] = word;
    }
    return GO_ON;
}
