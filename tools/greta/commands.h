/* The commands' entry points, for the table in main.c. */
#ifndef GRETA_COMMANDS_H
#define GRETA_COMMANDS_H

#include "options.h"

int command_devices(const struct command *command, int argc, char **argv);
int command_run(const struct command *command, int argc, char **argv);
int command_chat(const struct command *command, int argc, char **argv);
int command_tokenize(const struct command *command, int argc, char **argv);
int command_inspect(const struct command *command, int argc, char **argv);
int command_logits(const struct command *command, int argc, char **argv);
int command_perplexity(const struct command *command, int argc, char **argv);
int command_bench(const struct command *command, int argc, char **argv);
int command_compare(const struct command *command, int argc, char **argv);
int command_report(const struct command *command, int argc, char **argv);
int command_tune(const struct command *command, int argc, char **argv);
int command_pull(const struct command *command, int argc, char **argv);

#endif
