/*
 * What counts as worse, without a driver: some rows of a kept table, one figure of one of them made worse at a time, within the
 * tolerance and past it, and better; a row that is new, one that is gone; and the main loop of a few lines of assembly.
 * usage: rdna3-compare TABLE.tsv
 */
#include "rdna3.h"

#include "check.h"

#include <string.h>

enum { N_ROWS = 6 };

static struct rdna3_row kept_rows[N_ROWS], now_rows[N_ROWS];
static struct rdna3_table kept = {.driver = "a driver", .rows = kept_rows, .n = N_ROWS},
                          now = {.driver = "a driver", .rows = now_rows, .n = N_ROWS};

/* Rows with a main loop that loads, so that there is something to grow, of both waves. */
static bool copy_rows(const char *path) {
    struct rdna3_table whole;
    uint32_t n = 0;
    if (!rdna3_read(path, &whole)) return false;
    for (uint32_t i = 0; i < whole.n && n < N_ROWS; i++)
        if (whole.rows[i].f.loop_bytes >= 32 && whole.rows[i].f.loop_instructions >= 40 &&
            whole.rows[i].f.lds && whole.rows[i].wave == (n % 2 ? 64u : 32u))
            kept_rows[n++] = whole.rows[i];
    free(whole.rows);
    for (uint32_t i = 0; i < n; i++) kept_rows[i].f.loop_scalar_bytes = 64;
    rdna3_sort(&kept);
    return n == N_ROWS;
}

/* How many rows are worse or stale where this figure of row i is another. */
static uint32_t with(uint32_t i, uint32_t *figure, uint32_t value) {
    uint32_t was = *figure;
    *figure = value;
    uint32_t n = rdna3_compare(&kept, &now);
    *figure = was;
    CHECK(!memcmp(&kept_rows[i], &now_rows[i], sizeof *now_rows));
    return n;
}

static void check_figures(uint32_t i) {
    struct rdna3_figures *f = &now_rows[i].f;
    uint32_t step = now_rows[i].wave == 64 ? 8 : 16, full = (f->vgprs + step - 1) / step * step;
    CHECK(with(i, &f->scratch, f->scratch + 1) == 1);
    CHECK(with(i, &f->vgprs, full) == 0 && with(i, &f->vgprs, full + 1) == 1);
    CHECK(with(i, &f->vgprs, full - step + 1) == 0 && with(i, &f->vgprs, full - step) == 1);
    CHECK(with(i, &f->lds, f->lds + 1) == 1 && with(i, &f->lds, f->lds - 1) == 1);
    CHECK(with(i, &f->waves, f->waves - 1) == 1 && with(i, &f->waves, f->waves + 1) == 1);
    CHECK(with(i, &f->code_bytes, 2 * f->code_bytes) == 0);
    uint32_t *const loop[] = {&f->loop_instructions, &f->loop_bytes, &f->loop_scalar_bytes};
    for (size_t k = 0; k < sizeof loop / sizeof *loop; k++) {
        uint32_t was = *loop[k], most = was + was / 20;
        CHECK(with(i, loop[k], most) == 0 && with(i, loop[k], most + 1) == 1);
        CHECK(with(i, loop[k], was - was / 25) == 0 && with(i, loop[k], was / 2) == 1);
    }
}

/* Bytes loaded where there were none are worse, too. */
static void check_first_bytes(void) {
    uint32_t was = kept_rows[0].f.loop_bytes;
    kept_rows[0].f.loop_bytes = now_rows[0].f.loop_bytes = 0;
    CHECK(rdna3_compare(&kept, &now) == 0);
    CHECK(with(0, &now_rows[0].f.loop_bytes, 4) == 1);
    kept_rows[0].f.loop_bytes = now_rows[0].f.loop_bytes = was;
}

/* Without a loop it is the code that may not grow. */
static void check_no_loop(void) {
    uint32_t was = kept_rows[0].f.loop_instructions, code = kept_rows[0].f.code_bytes;
    kept_rows[0].f.loop_instructions = now_rows[0].f.loop_instructions = 0;
    CHECK(with(0, &now_rows[0].f.code_bytes, code + code / 20) == 0);
    CHECK(with(0, &now_rows[0].f.code_bytes, code + code / 20 + 1) == 1);
    CHECK(with(0, &now_rows[0].f.code_bytes, code / 2) == 1);
    kept_rows[0].f.loop_instructions = now_rows[0].f.loop_instructions = was;
}

static void check_rows(void) {
    now.n = N_ROWS - 1;
    CHECK(rdna3_compare(&kept, &now) == 1); /* gone */
    CHECK(rdna3_compare(&now, &kept) == 1); /* new */
    now.n = N_ROWS;
    snprintf(now_rows[N_ROWS - 1].name, sizeof now_rows->name, "~"); /* the last, still */
    CHECK(rdna3_compare(&kept, &now) == 2);
    now_rows[N_ROWS - 1] = kept_rows[N_ROWS - 1];
    CHECK(rdna3_compare(&kept, &now) == 0);
}

/* As a file and back. */
static void check_file(void) {
    char path[] = "/tmp/rdna3-compare-XXXXXX";
    struct rdna3_table back;
    int fd = mkstemp(path);
    FILE *file = fd >= 0 ? fdopen(fd, "w") : NULL;
    if (!CHECK(file != NULL)) return;
    CHECK(rdna3_write(&kept, file));
    CHECK(!fclose(file));
    if (CHECK(rdna3_read(path, &back))) {
        CHECK(back.n == kept.n && !strcmp(back.driver, kept.driver));
        CHECK(rdna3_compare(&kept, &back) == 0 && rdna3_compare(&back, &kept) == 0);
        free(back.rows);
    }
    remove(path);
}

static void check_loop(void) {
    static const char text[] = "BB0:\n"
                               "\ts_load_dwordx4 s[0:3], s[2:3], 0x0 ; f4\n"
                               "\tglobal_load_b128 v[0:3], v4, s[0:1] ; dc\n"
                               "BB1:\n"
                               "\ts_load_b64 s[4:5], s[0:1], 0x10 ; f4\n"
                               "\tglobal_load_b128 v[0:3], v4, s[0:1] ; dc\n"
                               "\tglobal_load_u16 v5, v4, s[0:1] ; dc\n"
                               "\tds_load_b32 v6, v7 ; d8\n"
                               "\tds_load_2addr_stride64_b32 v[6:7], v7 ; d8\n"
                               "\tds_load_u16_d16 v6, v7 ; d8\n"
                               "\tv_fma_f32 v8, v0, v5, v8 ; d6\n"
                               "\tglobal_store_b32 v4, v8, s[0:1] ; dc\n"
                               "\ts_cbranch_scc1 BB1 ; bf\n"
                               "BB2:\n"
                               "\ts_endpgm ; bf\n";
    struct rdna3_figures f = {.vgprs = 9};
    CHECK(rdna3_read_isa(text, &f));
    CHECK(f.vgprs == 9 && f.loop_instructions == 9 && f.loop_valu == 1 && f.loop_fma == 1);
    CHECK(f.loop_vmem == 3 && f.loop_lds == 3 && f.loop_lds_bytes == 16);
    CHECK(f.loop_bytes == 18 && f.loop_scalar_bytes == 8);
}

int main(int argc, char **argv) {
    if (argc != 2) return fprintf(stderr, "usage: rdna3-compare TABLE.tsv\n"), 2;
    if (CHECK(copy_rows(argv[1]))) {
        memcpy(now_rows, kept_rows, sizeof now_rows);
        CHECK(rdna3_compare(&kept, &now) == 0);
        for (uint32_t i = 0; i < N_ROWS; i++) check_figures(i);
        check_first_bytes();
        check_no_loop();
        check_rows();
        check_file();
    }
    check_loop();
    return check_done();
}
