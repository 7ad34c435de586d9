/* Every mnemonic of gfx942's vector instructions that LLVM's disassembler knows has a row in the table of operations and
   stands in an assembled test, or stands below with its reason; and every row has a mnemonic. The mnemonics are found by
   disassembling all opcodes of the five vector encodings. Argument: semantics.s. */
#include "check.h"
#include "internal.h"

#include <llvm-c/Disassembler.h>
#include <llvm-c/Target.h>

static const struct {
    const char *name, *why;
} absent[] = {
    {"v_trig_preop_f64", "bits of 2 / pi for sin and cos in double precision, which no kernel here computes"},
    {"v_screen_partition_4se_b32", "graphics: the screen's division among shader engines"},
    {"v_smfmac_", "products with a sparse A: no kernel here has one"},
};

enum { MAX_NAMES = 2048, NAME_BYTES = 64 };
static char names[MAX_NAMES][NAME_BYTES];
static size_t n_names;

static const char *reason(const char *name) {
    for (size_t i = 0; i < sizeof absent / sizeof *absent; i++)
        if (strncmp(name, absent[i].name, strlen(absent[i].name)) == 0) return absent[i].why;
    return NULL;
}

static bool known(const char *name) {
    for (size_t i = 0; i < n_names; i++)
        if (strcmp(names[i], name) == 0) return true;
    return false;
}

/* The mnemonic at s without the ending of its encoding, in name; false where it is none of the vector ALU. */
static bool mnemonic(const char *s, char *name) {
    static const char *const endings[] = {"_e32", "_e64", "_sdwa", "_dpp"};
    while (*s == ' ' || *s == '\t') s++;
    size_t n = strcspn(s, " \t\n");
    if (strncmp(s, "v_", 2) != 0 || n >= NAME_BYTES) return false;
    for (int i = 0; i < 4; i++) {
        size_t e = strlen(endings[i]);
        if (n > e && memcmp(s + n - e, endings[i], e) == 0) n -= e;
    }
    memcpy(name, s, n);
    name[n] = 0;
    return true;
}

static void add(LLVMDisasmContextRef context, uint32_t w0, uint32_t w1) {
    uint32_t words[4] = {w0, w1, 0, 0};
    char text[512], name[NAME_BYTES];
    if (!LLVMDisasmInstruction(context, (uint8_t *)words, sizeof words, 0, text, sizeof text)) return;
    if (mnemonic(text, name) && !known(name) && n_names < MAX_NAMES) strcpy(names[n_names++], name);
}

/* Sources in VGPRs, in SGPRs, or none: some opcodes take only one of these. */
static void add_all(LLVMDisasmContextRef c) {
    enum { V2 = 0x102, V4 = 0x104, V6 = 0x106, S6 = 6 };
    for (uint32_t op = 0; op < 256; op++) {
        add(c, 0x3fu << 25 | 4 << 17 | op << 9 | V2, 0);
        add(c, 0x3fu << 25 | op << 9, 0);
        add(c, 0x3eu << 25 | op << 17 | 2 << 9 | V4, 0);
    }
    for (uint32_t op = 0; op < 62; op++) add(c, op << 25 | 4 << 17 | 4 << 9 | V6, 0x11223344);
    static const uint32_t third[] = {0, V6, S6}, second[] = {0, V4, 4};
    for (int z = 0; z < 3; z++)
        for (int y = 0; y < 3; y++) {
            uint32_t w1 = V2 | second[y] << 9 | third[z] << 18;
            for (uint32_t op = 0; op < 1024; op++) {
                add(c, 0x34u << 26 | op << 16 | 8, w1);
                add(c, 0x34u << 26 | op << 16 | 2 << 8 | 8, w1);
            }
            for (uint32_t op = 0; op < 128; op++) {
                add(c, 0x1a7u << 23 | op << 16 | 8, w1);
                add(c, 0x1a7u << 23 | op << 16 | 8, w1 | 3u << 27);
            }
        }
}

static bool in_tests[MAX_NAMES];

static void read_tests(const char *path) {
    FILE *f = fopen(path, "r");
    char line[512], name[NAME_BYTES];
    if (!CHECK(f)) return;
    while (fgets(line, sizeof line, f)) {
        if (!mnemonic(line, name)) continue;
        for (size_t i = 0; i < n_names; i++) in_tests[i] |= strcmp(names[i], name) == 0;
    }
    fclose(f);
}

int main(int argc, char **argv) {
    LLVMInitializeAMDGPUTargetInfo();
    LLVMInitializeAMDGPUTargetMC();
    LLVMInitializeAMDGPUDisassembler();
    LLVMDisasmContextRef c =
        LLVMCreateDisasmCPUFeatures("amdgcn-amd-amdhsa", "gfx942", "", NULL, 0, NULL, NULL);
    if (!CHECK(c && argc > 1)) return check_done();
    add_all(c);
    CHECK(n_names > 500);
    read_tests(argv[1]);
    size_t n_absent = 0;
    for (size_t i = 0; i < n_names; i++) {
        bool row = gfx_op_find(names[i], strlen(names[i])) != NULL;
        const char *why = reason(names[i]);
        n_absent += why != NULL;
        if (!CHECK(why ? !row : row && in_tests[i]))
            fprintf(stderr, "%s: %s\n", names[i],
                    !row  ? "no row"
                    : why ? "listed as absent"
                          : "in no assembled test");
    }
    const struct gfx_op *const *ops;
    size_t n_ops = gfx_op_all(&ops);
    for (size_t i = 0; i < n_ops; i++)
        if (strncmp(ops[i]->name, "v_", 2) == 0 && !CHECK(known(ops[i]->name)))
            fprintf(stderr, "%s: a row that no encoding has\n", ops[i]->name);
    printf("%zu mnemonics, %zu of them absent with a reason\n", n_names, n_absent);
    LLVMDisasmDispose(c);
    return check_done();
}
