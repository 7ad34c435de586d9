/* Options of the commands: each a table, from which parsing and help follow. */
#ifndef GRETA_OPTIONS_H
#define GRETA_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

/* What `value` points at: bool, const char *, uint32_t, uint64_t, float, int (an index of choices). */
enum option_kind { OPTION_FLAG, OPTION_STRING, OPTION_U32, OPTION_U64, OPTION_F32, OPTION_CHOICE };

struct option {
    const char *name; /* without the dashes; NULL ends a table */
    char letter;      /* 0: none */
    enum option_kind kind;
    void *value;
    const char *argument, *help; /* "FILE"; for a choice "f16|f32" */
    double min, max;             /* of numbers; both 0: the type's range */
    bool *given;                 /* set where the option is used; may be NULL */
};

struct command {
    const char *name, *arguments, *summary;
    const char *details; /* further lines of its help, or NULL */
    int (*run)(const struct command *command, int argc, char **argv);
};

enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2, GO_ON = -1 };

/*
 * Parses argv (without the command's name). What is no option goes to positionals, at most max_positionals.
 * Returns GO_ON, or what the program shall exit with: EXIT_DONE after --help, EXIT_USAGE after a line on
 * stderr. An OPTION_CHOICE is one of the words of `argument`, split at |.
 */
int options_parse(const struct command *command, const struct option *options, int argc, char **argv,
                  const char **positionals, int max_positionals, int *n_positionals);

/* One line on stderr, "greta run: ...", and EXIT_USAGE. */
int usage_error(const struct command *command, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
