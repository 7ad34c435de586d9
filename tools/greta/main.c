/* The program greta: a table of commands. */
#include "commands.h"
#include "io.h"

#include <greta/env.h>

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const struct command commands[] = {
    {"run", "[options] (-p TEXT | -f FILE | -)",
     "Goes on with a text. What the model writes goes to standard output.",
     "Without -m the built-in model is used. Of a file and of standard input, -, one newline at the end is "
     "dropped. The text ends where the model stops, after -n tokens, or where "
     "the context is full.",
     command_run},
    {"chat", "[options]",
     "Talks with a model. Each line is a message; Ctrl-C stops an answer, Ctrl-D or /exit ends the chat.",
     "/reset begins a new conversation, /help lists what else there is.", command_chat},
    {"devices", "[options]", "Lists the devices that this machine has, and which of them would be used.",
     NULL, command_devices},
    {"tokenize", "[options] [TEXT | -]", "Prints the token ids of a text, on one line.",
     "Without TEXT, or with -, standard input is read. Special tokens in the text are recognized unless "
     "--no-special.",
     command_tokenize},
    {"inspect", "[options] FILE", "Shows what a GGUF file holds: its keys and its tensors.", NULL,
     command_inspect},
    {"logits", "[options] (-p TEXT | --tokens IDS)", "Prints the logits after a prompt.", NULL,
     command_logits},
    {"perplexity", "[options] -f FILE", "Measures how well a model foresees a text.",
     "The text is cut into windows of the context's size; each begins with BOS where the model has it. The "
     "mean is over all tokens\n"
     "of a window but the first.",
     command_perplexity},
    {"bench", "(--preset PRESET | NAME ... | llm) [options]",
     "Measures a device, by presets and by benches with names, and a model, in tokens per second.",
     "Every result is checked; each line ends with STATUS=OK, FAILED or SKIPPED. Of llm the tokens are "
     "random: the "
     "file needs no tokenizer.",
     command_bench},
    {"compare", "[options] BASE NEW",
     "Compares two files of results: what became faster, slower, or is missing.",
     "Exits with 1 where something is slower outside the noise, missing or broken.", command_compare},
    {"report", "[options] (FILE | FOLDER) ...", "Makes one page of HTML, or a table, of results.",
     "The page needs no other file and no network.", command_report},
    {"tune", "[-m FILE | --op OP --shape SIZES] [options]",
     "Finds the fastest kernels for a model on a device, and keeps them for later runs.",
     "Each is checked against a reference before it is measured. Without -m the built-in model is used. What was\n"
     "found before is not measured again; a search that was stopped goes on where it ended.",
     command_tune},
    {"pull", "[options] (NAME | URL | --list)",
     "Downloads a GGUF file, and prints the path that it then has.",
     "A download that was stopped goes on where it stood. A file that is there already is not fetched again.",
     command_pull},
};
enum { N_COMMANDS = sizeof commands / sizeof *commands };

static bool help(void) {
    bool ok = out_printf("greta runs large language models on AMD GPUs, and on the CPU.\n\nUsage: greta "
                         "COMMAND [options]\n\n");

    for (int i = 0; i < N_COMMANDS && ok; i++)
        ok = out_printf("  %-12s %s\n", commands[i].name, commands[i].summary);
    if (ok)
        ok = out_printf("\ngreta COMMAND --help tells more of each; greta --version prints the version. The "
                        "environment:\n\n");
    for (int i = 0; i < GRETA_N_ENVS && ok; i++)
        ok = out_printf("  %-22s %s\n", greta_env_name((enum greta_env)i), greta_env_text((enum greta_env)i));
    return ok && out_flush();
}

/*
 * What is mapped is read as memory: where its file has become shorter, or its disk fails, no call is there
 * that could return an error.
 */
static void on_bus_error(int number) {
    static const char text[] =
        "greta: the model's file was cut while it was in use, or its disk failed: fetch it again, and do not "
        "write into a file that is in use\n";
    ssize_t ignored = write(STDERR_FILENO, text, sizeof text - 1);
    (void)number, (void)ignored;
    _exit(EXIT_FAILED);
}

int main(int argc, char **argv) {
    sigaction(SIGBUS, &(struct sigaction){.sa_handler = on_bus_error}, NULL);
    /* A reader that went away shows as a write error: exit 1, without a word. */
    signal(SIGPIPE, SIG_IGN);
    if (argc < 2) {
        fprintf(stderr, "greta: a command is needed (greta --help lists them)\n");
        return EXIT_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "help") == 0)
        return help() ? EXIT_DONE : EXIT_FAILED;
    if (strcmp(argv[1], "--version") == 0)
        return out_printf("greta %s\n", GRETA_VERSION) && out_flush() ? EXIT_DONE : EXIT_FAILED;
    for (int i = 0; i < N_COMMANDS; i++)
        if (strcmp(argv[1], commands[i].name) == 0) return commands[i].run(&commands[i], argc - 2, argv + 2);
    fprintf(stderr, "greta: there is no command \"%s\" (greta --help lists them)\n", argv[1]);
    return EXIT_USAGE;
}
