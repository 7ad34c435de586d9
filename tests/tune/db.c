/* The tuning database: what is put is found again, also by another process; what is no database is set aside. */
#include "check.h"

#include <greta/tune.h>

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static char folder[] = "/tmp/greta-tune-XXXXXX", path[64], other[64], json[64];
static char said[2048];

static void hear(void *user, enum greta_log_level level, const char *message) {
    (void)user, (void)level;
    snprintf(said, sizeof said, "%s", message);
}
static const struct greta_log listener = {hear, NULL, GRETA_LOG_WARN};

static struct greta_tune_entry entry_of(const char *op, const char *row, double ns) {
    struct greta_tune_entry e = {
        .key = {.shape = "n_rows=64", .types = "w_type=F16", .device = "d", .driver = "v", .image = "0"},
        .ns = ns,
        .spread = 0.01,
        .default_ns = 2 * ns,
        .noise = 0.02,
        .seed = 7};
    snprintf(e.key.op, sizeof e.key.op, "%s", op);
    snprintf(e.row, sizeof e.row, "%s", row);
    return e;
}

static const struct greta_tune_try tries[] = {
    {"slow", "", 9, 0.1}, {"fast", "", 3, 0.1}, {"wrong", "its result is wrong", 0, 0}};

static struct greta_tune_db *open_db(const char *file, bool read_only) {
    struct greta_tune_db *db = NULL;
    struct greta_tune_params params = {.path = file, .read_only = read_only, .log = &listener};
    *said = 0;
    CHECK(greta_tune_open(&params, &db) == GRETA_OK);
    return db;
}

static bool count_one(void *user, const struct greta_tune_entry *e) {
    (void)e;
    ++*(uint32_t *)user;
    return true;
}

static uint32_t count(struct greta_tune_db *db) {
    uint32_t n = 0;
    CHECK(greta_tune_each(db, count_one, &n) == GRETA_OK);
    return n;
}

static bool list_try(void *user, const struct greta_tune_try *t) {
    strcat(user, t->row);
    strcat(user, " ");
    return true;
}

static void put_and_get(void) {
    struct greta_tune_db *db = open_db(path, false);
    struct greta_tune_entry e = entry_of("matvec", "fast", 3), found;
    char order[64] = "";
    CHECK(greta_tune_get(db, &e.key, &found) == GRETA_ERR_NOT_FOUND && !*said);
    CHECK(greta_tune_put(db, &e, tries, 3) == GRETA_OK);
    greta_tune_close(&db);
    CHECK(!db);

    db = open_db(path, true);
    CHECK(greta_tune_get(db, &e.key, &found) == GRETA_OK);
    CHECK(!strcmp(found.row, "fast") && found.ns == 3 && found.default_ns == 6 && found.seed == 7 &&
          found.noise == 0.02 && strlen(found.date) == 20);
    CHECK(greta_tune_each_try(db, &e.key, list_try, order) == GRETA_OK && !strcmp(order, "fast slow wrong "));
    CHECK(greta_tune_put(db, &e, NULL, 0) == GRETA_ERR_IO && strstr(said, path));
    struct greta_tune_key another = e.key;
    strcpy(another.driver, "v2");
    CHECK(greta_tune_get(db, &another, &found) == GRETA_ERR_NOT_FOUND);
    greta_tune_close(&db);

    db = open_db(path, false);
    e = entry_of("matvec", "faster", 2);
    CHECK(greta_tune_put(db, &e, tries, 1) == GRETA_OK && count(db) == 1);
    *order = 0;
    CHECK(greta_tune_get(db, &e.key, &found) == GRETA_OK && !strcmp(found.row, "faster"));
    CHECK(greta_tune_each_try(db, &e.key, list_try, order) == GRETA_OK && !strcmp(order, "slow "));
    greta_tune_close(&db);
}

static void travel(void) {
    struct greta_tune_db *from = open_db(path, false), *to = open_db(other, false);
    struct greta_tune_entry e = entry_of("attn", "kept", 5), alone = entry_of("rope_kv", "alone", 0), found;
    uint32_t n = 9;
    CHECK(greta_tune_put(to, &e, NULL, 0) == GRETA_OK);
    CHECK(greta_tune_put(from, &alone, NULL, 0) == GRETA_OK); /* one row that may be chosen: no times */
    CHECK(greta_tune_export(from, json, &n) == GRETA_OK && n == 2);
    CHECK(greta_tune_import(to, json, &n) == GRETA_OK && n == 2 && count(to) == 3);
    CHECK(greta_tune_get(to, &alone.key, &found) == GRETA_OK && !strcmp(found.row, "alone") && found.ns == 0);
    e = entry_of("matvec", "", 0);
    CHECK(greta_tune_get(to, &e.key, &found) == GRETA_OK && !strcmp(found.row, "faster") && found.ns == 2 &&
          found.noise == 0.02);
    CHECK(greta_tune_import(to, "/tmp/greta-none.json", &n) == GRETA_ERR_IO && n == 0);

    static const char *const bad[] = {
        "", "[]", "{\"format\": \"greta-tuning\", \"version\": 1, \"entries\": [{\"op\": \"x\"}]}",
        "{\"format\": \"greta-tuning\", \"version\": 2, \"entries\": []}"};
    for (int i = 0; i < 4; i++) {
        FILE *file = fopen(json, "w");
        fputs(bad[i], file);
        fclose(file);
        CHECK(greta_tune_import(to, json, &n) == GRETA_ERR_FORMAT && n == 0 && strstr(said, json));
    }
    CHECK(count(to) == 3);
    greta_tune_close(&from);
    greta_tune_close(&to);
}

/* Garbage, a torn file, another program's database. */
static void set_aside(void) {
    char aside[96];
    for (int i = 0; i < 3; i++) {
        if (i == 0) {
            FILE *file = fopen(other, "w");
            for (int k = 0; k < 1000; k++) fputs("no database ", file);
            fclose(file);
        } else if (i == 1) {
            struct greta_tune_db *db = open_db(other, false);
            struct greta_tune_entry e = entry_of("attn", "x", 1);
            CHECK(greta_tune_put(db, &e, tries, 3) == GRETA_OK);
            greta_tune_close(&db);
            FILE *file = fopen(other, "r+");
            fseek(file, 4096, SEEK_SET);
            for (int k = 0; k < 4000; k++) fputc(0xA5, file);
            fclose(file);
        } else {
            unlink(other);
            FILE *file = popen("python3 - ", "w");
            fprintf(
                file,
                "import sqlite3; c = sqlite3.connect('%s'); c.execute('create table t (a)'); c.commit()\n",
                other);
            CHECK(pclose(file) == 0);
        }
        struct greta_tune_db *db = open_db(other, false);
        CHECK(strstr(said, other) && strstr(said, ".aside"));
        CHECK(db && count(db) == 0);
        greta_tune_close(&db);
        snprintf(aside, sizeof aside, i ? "%s.aside.%d" : "%s.aside", other, i + 1);
        CHECK(access(aside, F_OK) == 0);
    }
    struct greta_tune_db *db = open_db("/tmp/greta-none/tuning.db", true);
    CHECK(!db && !*said);
    db = open_db("", false);
    CHECK(!db);
}

/* Four processes put a hundred entries each at the same time. */
static void together(void) {
    unlink(other);
    for (int p = 0; p < 4; p++)
        if (fork() == 0) {
            struct greta_tune_db *db = open_db(other, false);
            bool ok = db != NULL;
            for (int i = 0; i < 100 && ok; i++) {
                struct greta_tune_entry e = entry_of("op", "row", 1 + i);
                snprintf(e.key.shape, sizeof e.key.shape, "%d %d", p, i);
                ok = greta_tune_put(db, &e, tries, 2) == GRETA_OK;
            }
            _exit(!ok);
        }
    for (int p = 0, status; p < 4; p++) CHECK(wait(&status) > 0 && WIFEXITED(status) && !WEXITSTATUS(status));
    struct greta_tune_db *db = open_db(other, true);
    CHECK(db && count(db) == 400);
    greta_tune_close(&db);
}

/* A file that nothing is in yet: of 0 bytes, or with a header and no tables. Reading, it is no database; writing, it becomes one. */
static void without_tables(void) {
    for (int i = 0; i < 2; i++) {
        unlink(other);
        FILE *file = i ? popen("python3 - ", "w") : fopen(other, "w");
        if (i)
            fprintf(file, "import sqlite3; c = sqlite3.connect('%s'); c.execute('pragma user_version = 2')\n",
                    other);
        CHECK((i ? pclose(file) : fclose(file)) == 0);
        struct greta_tune_entry e = entry_of("attn", "x", 1), found;
        struct greta_tune_db *db = open_db(other, true);
        CHECK(!db && !*said && access(other, F_OK) == 0);
        greta_tune_close(&db);
        db = open_db(other, false);
        CHECK(db && !*said && greta_tune_put(db, &e, tries, 3) == GRETA_OK);
        greta_tune_close(&db);
        db = open_db(other, true);
        CHECK(db && greta_tune_get(db, &e.key, &found) == GRETA_OK);
        greta_tune_close(&db);
    }
}

/* The tables vanish while the file is open: an error that is said, and the same again. */
static void tables_vanish(void) {
    struct greta_tune_db *db = open_db(other, true);
    struct greta_tune_entry e = entry_of("attn", "x", 1);
    FILE *file = popen("python3 - ", "w");
    fprintf(file, "import sqlite3; sqlite3.connect('%s').execute('drop table tuned')\n", other);
    CHECK(pclose(file) == 0);
    for (int i = 0; i < 2 && db; i++) {
        *said = 0;
        CHECK(greta_tune_get(db, &e.key, &e) == GRETA_ERR_IO && strstr(said, other));
    }
    greta_tune_close(&db);
}

/* Read again and again while another process makes it: nothing there, or all of it, and it is never taken for a foreign file. */
static void while_it_is_made(void) {
    struct greta_tune_entry e = entry_of("attn", "x", 1), found;
    char aside[96];
    snprintf(aside, sizeof aside, "%s.aside", other);
    unlink(aside);
    for (int i = 0, status = 0; i < 100; i++) {
        unlink(other);
        pid_t child = fork();
        if (child == 0) {
            struct greta_tune_db *db = open_db(other, false);
            _exit(!db || greta_tune_put(db, &e, tries, 3));
        }
        for (pid_t ended = 0; !ended;) {
            ended = waitpid(child, &status, WNOHANG);
            struct greta_tune_db *db = open_db(other, true);
            greta_status got = db ? greta_tune_get(db, &e.key, &found) : GRETA_ERR_NOT_FOUND;
            CHECK(!*said && (got == GRETA_OK || (got == GRETA_ERR_NOT_FOUND && !ended)));
            greta_tune_close(&db);
        }
        CHECK(WIFEXITED(status) && !WEXITSTATUS(status) && access(aside, F_OK) != 0);
    }
}

int main(void) {
    if (!mkdtemp(folder)) return 1;
    snprintf(path, sizeof path, "%s/a/b/tuning.db", folder);
    snprintf(other, sizeof other, "%s/other.db", folder);
    snprintf(json, sizeof json, "%s/x.json", folder);
    put_and_get();
    travel();
    set_aside();
    together();
    without_tables();
    tables_vanish();
    while_it_is_made();
    char command[64];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return check_done() + (system(command) != 0);
}
