#include "app.h"
#include "commands.h"
#include "download.h"
#include "io.h"
#include "models.h"

#include <greta/env.h>

#include <ctype.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

struct pull {
    const char *what, *sha256, *output;
    bool list, verbose;
    char label[96]; /* of the progress bar */
};

/* Ctrl-C: the handler can only reach a global. */
static volatile sig_atomic_t interrupted;

static void on_interrupt(int signal) {
    (void)signal;
    interrupted = 1;
}

static bool print_list(void) {
    bool ok = true;

    for (const struct named_model *m = named_models; m->name && ok; m++)
        ok = out_printf("%-20s %s\n%-20s %s\n", m->name, m->what, "", m->url);
    return ok && out_flush();
}

/* The address that a name or an address means; NULL for another word. */
static const char *find_url(const char *what) {
    if (strncasecmp(what, "http://", 7) == 0 || strncasecmp(what, "https://", 8) == 0) return what;
    for (const struct named_model *m = named_models; m->name; m++)
        if (strcasecmp(m->name, what) == 0) return m->url;
    return NULL;
}

/* ---- where the file goes ---- */

/* The address's last part, as a file name: what is no letter, digit, dot, plus or dash becomes '_'. */
static void file_name(const char *url, char *out, size_t capacity) {
    const char *begin = strstr(url, "://") + 3, *end = begin + strcspn(begin, "?#"), *name = end;
    size_t len;

    while (name > begin && name[-1] != '/') name--;
    if (name == begin) name = end; /* only a host */
    len = (size_t)(end - name) < capacity - 1 ? (size_t)(end - name) : capacity - 1;
    for (size_t i = 0; i < len; i++)
        out[i] = isalnum((unsigned char)name[i]) || strchr(".+-", name[i]) ? name[i] : '_';
    if (len && out[0] == '.') out[0] = '_'; /* neither hidden nor ".." */
    snprintf(out + len, capacity - len, "%s", len ? "" : "model.gguf");
}

/* The folders above the last '/' of path. */
static bool make_folders(char *path) {
    for (char *p = path + 1; (p = strchr(p, '/')); p++) {
        *p = 0;
        if (mkdir(path, 0777) && errno != EEXIST) {
            say("%s: cannot make this folder: %s", path, strerror(errno));
            return false;
        }
        *p = '/';
    }
    return true;
}

/* malloc'ed; NULL after a line on stderr. */
static char *destination(const struct pull *p, const char *url) {
    char name[128], *cache = NULL, *path = NULL;
    size_t bytes;

    if (p->output) {
        if (!(path = strdup(p->output))) say("out of memory");
        return path;
    }
    if (greta_env_cache_dir(&cache)) {
        say("out of memory");
        return NULL;
    }
    if (!cache) {
        say("there is no cache folder (GRETA_CACHE is empty, or HOME is not set): name the file by -o");
        return NULL;
    }
    file_name(url, name, sizeof name);
    bytes = strlen(cache) + sizeof "/models/" + strlen(name);
    if ((path = malloc(bytes)))
        snprintf(path, bytes, "%s/models/%s", cache, name);
    else
        say("out of memory");
    free(cache);
    if (path && !make_folders(path)) {
        free(path);
        path = NULL;
    }
    return path;
}

/* ---- fetching ---- */

static bool tell_progress(void *user, uint64_t done_bytes, uint64_t total_bytes) {
    struct pull *p = user;

    if (!*p->label && total_bytes)
        snprintf(p->label, sizeof p->label, "fetching %.1f MB", (double)total_bytes / 1e6);
    if (total_bytes) progress(p->label, done_bytes, total_bytes);
    return !interrupted;
}

/* Whether a file is there already: 1, 0, or -1 after a line on stderr. */
static int is_there(const struct pull *p, const char *path, const struct greta_log *log) {
    struct stat st;
    char hex[65];

    if (stat(path, &st)) return 0;
    if (!S_ISREG(st.st_mode)) {
        say("%s is there and is no file: name another by -o", path);
        return -1;
    }
    if (!p->sha256) {
        say("%s is there already", path);
        return 1;
    }
    if (sha256_file(path, hex, log)) return -1;
    if (strcasecmp(hex, p->sha256) == 0) return 1;
    say("%s is there already, and has another SHA-256, %s: remove it, or name another file by -o", path, hex);
    return -1;
}

static bool fetch(struct pull *p, const char *url, const char *path, const struct greta_log *log) {
    struct download_params params = {
        .url = url, .path = path, .sha256 = p->sha256, .log = log, .progress = tell_progress, .user = p};
    int there = is_there(p, path, log);
    greta_status status;

    if (there) return there > 0;
    /* once: a second Ctrl-C ends the program where it stands */
    sigaction(SIGINT, &(struct sigaction){.sa_handler = on_interrupt, .sa_flags = SA_RESETHAND}, NULL);
    status = download(&params);
    progress(p->label, 0, 0);
    return status == GRETA_OK;
}

static bool is_sha256(const char *s) {
    return strlen(s) == 64 && strspn(s, "0123456789abcdefABCDEF") == 64;
}

int command_pull(const struct command *command, int argc, char **argv) {
    struct pull p = {0};
    const struct option options[] = {
        {"list", 0, OPTION_FLAG, &p.list, NULL, "the models that have a name here, and their addresses"},
        {"output", 'o', OPTION_STRING, &p.output, "FILE",
         "where it goes; else the folder models in the cache"},
        {"sha256", 0, OPTION_STRING, &p.sha256, "HEX",
         "the file's SHA-256; else the server's word, if it gives one"},
        {"verbose", 'v', OPTION_FLAG, &p.verbose, NULL, "say what is done, on standard error"},
        {0},
    };
    struct app app = {0};
    const char *url;
    char *path;
    bool ok;
    int n, result = options_parse(command, options, argc, argv, &p.what, 1, &n);

    if (result != GO_ON) return result;
    if (p.list && n) return usage_error(command, "--list takes no name");
    if (p.list) return print_list() ? EXIT_DONE : EXIT_FAILED;
    if (!n) return usage_error(command, "a name or an address is needed; --list shows the names");
    if (p.sha256 && !is_sha256(p.sha256))
        return usage_error(command, "--sha256 takes 64 hex digits, not \"%s\"", p.sha256);
    if (!(url = find_url(p.what)))
        return usage_error(command,
                           "\"%s\" is no name of --list, and no address that begins with http:// or https://",
                           p.what);
    app_log(&app, &(struct common){.verbose = p.verbose});
    if (!(path = destination(&p, url))) return EXIT_FAILED;
    ok = fetch(&p, url, path, &app.log) && out_printf("%s\n", path) && out_flush();
    free(path);
    return ok ? EXIT_DONE : EXIT_FAILED;
}
