// Machine code to struct gfx_inst, by the text of LLVM's disassembler. The text gives the mnemonic, the operands and the named
// modifiers; fields that it prints in many ways (waits, hardware registers, DPP controls, LDS offsets) come from the encoding.
#include <ctype.h>
#include <stdlib.h>

#include <llvm-c/Disassembler.h>
#include <llvm-c/Target.h>

#include "internal.h"

#define MAX_TEXT 512
#define MAX_PIECES 12

bool gfx_disassembler_open(struct gfx_machine *m) {
    LLVMInitializeAMDGPUTargetInfo();
    LLVMInitializeAMDGPUTargetMC();
    LLVMInitializeAMDGPUDisassembler();
    m->disassembler = LLVMCreateDisasmCPUFeatures("amdgcn-amd-amdhsa", "gfx942", "", NULL, 0, NULL, NULL);
    return m->disassembler != NULL;
}

void gfx_disassembler_close(struct gfx_machine *m) {
    if (m->disassembler) LLVMDisasmDispose(m->disassembler);
}

void gfx_text(struct gfx_machine *m, const uint8_t *bytes, size_t n, char *text, size_t n_text) {
    char line[MAX_TEXT];
    pthread_mutex_lock(&m->text_lock);
    size_t used =
        LLVMDisasmInstruction(m->disassembler, (uint8_t *)(uintptr_t)bytes, n, 0, line, sizeof line);
    pthread_mutex_unlock(&m->text_lock);
    if (used == 0) snprintf(line, sizeof line, "(no instruction)");
    const char *s = line;
    while (isspace((unsigned char)*s)) s++;
    snprintf(text, n_text, "%s", s);
}

// ---- What the text says
struct pieces {
    char text[MAX_TEXT];
    char *name, *operand[MAX_PIECES], *mods;
    unsigned n;
};

static bool is_modifier(const char *s) {
    static const char *const words[] = {"sc0",   "sc1", "nt",     "lds",        "offen",           "idxen",
                                        "clamp", "gds", "addr64", "row_mirror", "row_half_mirror", NULL};
    size_t n = strcspn(s, " ");
    const char *colon = memchr(s, ':', n);
    if (colon && !memchr(s, '[', (size_t)(colon - s)) && !memchr(s, '(', (size_t)(colon - s))) return true;
    for (unsigned i = 0; words[i]; i++)
        if (strlen(words[i]) == n && memcmp(s, words[i], n) == 0) return true;
    return false;
}

// Cuts "name a, b[0:1], c mod:1 mod2" into name, operands and the modifiers' text.
static void cut(struct pieces *p) {
    char *s = p->text;
    while (isspace((unsigned char)*s)) s++;
    p->name = s;
    s += strcspn(s, " \t");
    if (*s) *s++ = 0;
    p->n = 0;
    p->mods = s + strlen(s);
    while (*s == ' ') s++;
    while (*s) {
        if (is_modifier(s)) {
            p->mods = s;
            return;
        }
        if (p->n < MAX_PIECES) p->operand[p->n++] = s;
        int depth = 0;
        for (; *s && (depth > 0 || (*s != ',' && *s != ' ')); s++)
            depth += (*s == '[' || *s == '(') - (*s == ']' || *s == ')');
        while (*s == ',' || *s == ' ') *s++ = 0;
    }
}

static const char *mod(const struct pieces *p, const char *name) {
    size_t n = strlen(name);
    for (const char *s = p->mods; *s;) {
        if (strncmp(s, name, n) == 0 && (s[n] == 0 || s[n] == ' ' || s[n] == ':'))
            return s + n + (s[n] == ':');
        s += strcspn(s, " ");
        while (*s == ' ') s++;
    }
    return NULL;
}

static int mod_int(const struct pieces *p, const char *name) {
    const char *s = mod(p, name);
    return s ? (int)strtol(s, NULL, 0) : 0;
}

// "op_sel:[1,0,1]" as bits, `none` where it is not there.
static uint8_t mod_bits(const struct pieces *p, const char *name, uint8_t none) {
    const char *s = mod(p, name);
    if (!s || *s != '[') return none;
    unsigned bits = 0, k = 0;
    for (; *s && *s != ']'; s++)
        if (*s == '0' || *s == '1') bits |= (unsigned)(*s - '0') << k++;
    return (uint8_t)bits;
}

// The number of entries of such a list.
static unsigned mod_count(const struct pieces *p, const char *name) {
    unsigned n = 0;
    for (const char *s = mod(p, name); s && *s && *s != ']'; s++) n += *s == '0' || *s == '1';
    return n;
}

static uint8_t mod_sel(const struct pieces *p, const char *name) {
    static const char *const names[] = {"BYTE_0", "BYTE_1", "BYTE_2", "BYTE_3", "WORD_0", "WORD_1", "DWORD"};
    const char *s = mod(p, name);
    for (unsigned i = 0; s && i < 7; i++)
        if (strncmp(s, names[i], strlen(names[i])) == 0) return (uint8_t)i;
    return GFX_DWORD;
}

// ---- Operands
static const struct {
    const char *name;
    uint8_t kind, n;
    uint16_t reg;
} named[] = {
    {"vcc", GFX_K_SGPR, 2, GFX_VCC},
    {"vcc_lo", GFX_K_SGPR, 1, GFX_VCC},
    {"vcc_hi", GFX_K_SGPR, 1, GFX_VCC + 1},
    {"exec", GFX_K_SGPR, 2, GFX_EXEC},
    {"exec_lo", GFX_K_SGPR, 1, GFX_EXEC},
    {"exec_hi", GFX_K_SGPR, 1, GFX_EXEC + 1},
    {"m0", GFX_K_SGPR, 1, GFX_M0},
    {"flat_scratch", GFX_K_SGPR, 2, GFX_FLAT_SCRATCH},
    {"flat_scratch_lo", GFX_K_SGPR, 1, GFX_FLAT_SCRATCH},
    {"flat_scratch_hi", GFX_K_SGPR, 1, GFX_FLAT_SCRATCH + 1},
    {"xnack_mask", GFX_K_SGPR, 2, GFX_XNACK},
    {"xnack_mask_lo", GFX_K_SGPR, 1, GFX_XNACK},
    {"xnack_mask_hi", GFX_K_SGPR, 1, GFX_XNACK + 1},
    {"src_shared_base", GFX_K_SPECIAL, 0, GFX_SHARED_BASE},
    {"src_shared_limit", GFX_K_SPECIAL, 0, GFX_SHARED_LIMIT},
    {"src_private_base", GFX_K_SPECIAL, 0, GFX_PRIVATE_BASE},
    {"src_private_limit", GFX_K_SPECIAL, 0, GFX_PRIVATE_LIMIT},
    {"src_vccz", GFX_K_SPECIAL, 0, GFX_VCCZ},
    {"src_execz", GFX_K_SPECIAL, 0, GFX_EXECZ},
    {"src_scc", GFX_K_SPECIAL, 0, GFX_SCC},
    {"off", GFX_K_OFF, 0, 0},
};

// v7, v[4:7], a3, s[0:1], ttmp4.
static bool parse_register(const char *s, struct gfx_operand *o) {
    unsigned base, limit, first, last;
    if (strncmp(s, "ttmp", 4) == 0)
        base = GFX_TTMP, limit = 16, s += 4, o->kind = GFX_K_SGPR;
    else if (*s == 'v')
        base = 0, limit = 256, s++, o->kind = GFX_K_VGPR;
    else if (*s == 'a')
        base = GFX_ACC, limit = 256, s++, o->kind = GFX_K_VGPR;
    else if (*s == 's')
        base = 0, limit = 102, s++, o->kind = GFX_K_SGPR;
    else
        return false;
    char *end;
    bool range = *s == '[';
    first = last = (unsigned)strtoul(s + range, &end, 10);
    if (end == s + range) return false;
    if (range && *end == ':') last = (unsigned)strtoul(end + 1, &end, 10);
    if ((range && *end++ != ']') || *end || last < first || last >= limit) return false;
    o->reg = (uint16_t)(base + first);
    o->n = (uint8_t)(last - first + 1);
    return true;
}

static uint64_t float_bits(double x, unsigned type) {
    float f = (float)x;
    uint32_t b32;
    uint64_t b64;
    memcpy(&b32, &f, 4);
    memcpy(&b64, &x, 8);
    bool pi = x > 0.15 && x < 0.16;
    switch (type) {
    case GFX_T_B16:
    case GFX_T_F16:
    case GFX_T_PKF16:
        if (pi) return 0x3118;
        return x == 0 ? 0 : (b32 >> 16 & 0x8000) | (((b32 >> 23 & 0xff) - 112) << 10);
    case GFX_T_BF16:
    case GFX_T_PKBF16: return pi ? 0x3e22 : b32 >> 16;
    case GFX_T_F64:
    case GFX_T_B64:
    case GFX_T_MATD: return pi ? UINT64_C(0x3fc45f306dc9c882) : b64;
    default: return pi ? 0x3e22f983 : b32;
    }
}

static bool parse_number(const char *s, struct gfx_operand *o) {
    char *end;
    bool hex = strstr(s, "0x") != NULL,
         wide = o->type == GFX_T_B64 || o->type == GFX_T_F64 || o->type == GFX_T_MATD;
    wide |= o->type == GFX_T_MASK;
    o->kind = GFX_K_CONST;
    if (!hex && strpbrk(s, ".")) {
        o->bits = float_bits(strtod(s, &end), o->type);
        return *end == 0;
    }
    long long x = strtoll(s, &end, 0);
    if (end == s || *end) return false;
    if (hex && (o->type == GFX_T_F64 || o->type == GFX_T_MATD))
        o->bits = (uint64_t)x << 32; // a literal is the high half
    else if (wide)
        o->bits = (uint64_t)x;
    else if (o->type == GFX_T_B16 || o->type == GFX_T_F16 || o->type == GFX_T_BF16)
        o->bits = (uint64_t)x & 0xffff;
    else
        o->bits = (uint32_t)x;
    return true;
}

static bool parse_operand(char *s, unsigned type, struct gfx_operand *o) {
    memset(o, 0, sizeof *o);
    o->type = (uint8_t)type;
    o->sel = GFX_DWORD;
    size_t n = strlen(s);
    for (;;) {
        if (*s == '-' && !isdigit((unsigned char)s[1]))
            o->mods |= GFX_NEG, s++;
        else if (strncmp(s, "neg(", 4) == 0)
            o->mods |= GFX_NEG, s += 4;
        else if (strncmp(s, "abs(", 4) == 0)
            o->mods |= GFX_ABS, s += 4;
        else if (strncmp(s, "sext(", 5) == 0)
            o->mods |= GFX_SEXT, s += 5;
        else if (*s == '|')
            o->mods |= GFX_ABS, s++;
        else
            break;
    }
    for (n = strlen(s); n > 0 && (s[n - 1] == '|' || s[n - 1] == ')'); n--) s[n - 1] = 0;
    for (unsigned i = 0; i < sizeof named / sizeof *named; i++)
        if (strcmp(s, named[i].name) == 0) {
            o->kind = named[i].kind, o->n = named[i].n, o->reg = named[i].reg;
            return true;
        }
    return parse_register(s, o) || parse_number(s, o);
}

// Registers that an operand of this type takes, 0: as many as the text says.
static unsigned width_of(unsigned type) {
    switch (type) {
    case GFX_T_B64:
    case GFX_T_F64:
    case GFX_T_PKF32:
    case GFX_T_PKB32:
    case GFX_T_MASK: return 2;
    case GFX_T_NONE:
    case GFX_T_MAT:
    case GFX_T_MATI:
    case GFX_T_MATD: return 0;
    default: return 1;
    }
}

static void use(struct gfx_inst *i, const struct gfx_operand *o, unsigned how) {
    if ((o->kind != GFX_K_VGPR && o->kind != GFX_K_SGPR) || i->n_uses == GFX_MAX_USES) return;
    unsigned reg = o->kind == GFX_K_VGPR ? o->reg : 512u + o->reg;
    i->uses[i->n_uses++] = (struct gfx_use){(uint16_t)reg, o->n, (uint8_t)how};
}

// The compiler makes 32-bit sums of products by v_mad_u64_u32 and uses the lower half alone: then the upper half of what is added may be
// anything. Packed f32 may read one half twice.
static unsigned half_read(const struct gfx_inst *i, unsigned k) {
    if (i->src[k].n != 2) return 0;
    if (strcmp(i->op->name, "v_mad_u64_u32") == 0) return k == 2 ? GFX_U_LOW : 0;
    if (i->src[k].type != GFX_T_PKF32 && i->src[k].type != GFX_T_PKB32) return 0;
    bool lo_of = i->op_sel >> k & 1, hi_of = i->op_sel_hi >> k & 1;
    if (strcmp(i->op->name, "v_pk_mov_b32") == 0) return 0;
    return lo_of != hi_of ? 0 : lo_of ? GFX_U_HIGH : GFX_U_LOW;
}

static void note_uses(struct gfx_inst *i) {
    const struct gfx_op *op = i->op;
    for (unsigned k = 0; k < i->n_src; k++) {
        unsigned how = GFX_U_READ | half_read(i, k);
        if (op->cls == GFX_C_MFMA) how |= k == 2 ? GFX_U_MAT_C : GFX_U_MAT_AB;
        if (k == 0 && op->flags & GFX_F_SRC0_RW) how |= GFX_U_WRITE;
        use(i, &i->src[k], how);
    }
    bool keeps = i->flags & GFX_I_SDWA && i->dst_sel != GFX_DWORD && i->dst_unused == GFX_UNUSED_PRESERVE;
    // A buffer atomic that returns names its data register once.
    keeps |= op->flags & GFX_F_ATOMIC && op->name[0] == 'b';
    use(i, &i->dst, op->flags & GFX_F_READS_DST || keeps ? 3 : 2);
    use(i, &i->sdst, 2);
    if (op->flags & GFX_F_VCC_IN)
        use(i, &(struct gfx_operand){.kind = GFX_K_SGPR, .n = 2, .reg = GFX_VCC}, 1);
}

static void modifiers(struct gfx_inst *i, const struct pieces *p) {
    static const struct {
        const char *name;
        uint32_t flag;
    } flags[] = {{"sc0", GFX_I_SC0}, {"sc1", GFX_I_SC1},     {"nt", GFX_I_NT},
                 {"lds", GFX_I_LDS}, {"offen", GFX_I_OFFEN}, {"idxen", GFX_I_IDXEN}};
    for (unsigned k = 0; k < 6; k++)
        if (mod(p, flags[k].name)) i->flags |= flags[k].flag;
    bool packed = i->op->flags & GFX_F_PACKED;
    uint8_t all = packed ? 7 : 0;
    i->op_sel = mod_bits(p, "op_sel", 0);
    i->op_sel_hi = mod_bits(p, "op_sel_hi", all);
    i->neg_lo = mod_bits(p, "neg_lo", 0);
    i->neg_hi = mod_bits(p, "neg_hi", 0);
    if (i->op_sel || i->op_sel_hi != all || i->neg_lo || i->neg_hi) i->flags |= GFX_I_OP_SEL;
    // The destination's select is the last bit of the text's list, whatever the number of sources is.
    // (Stochastic rounding's list has four, of which the last two choose a byte.)
    if (!packed && mod_count(p, "op_sel") == i->n_src + 1u && i->n_src < 3 && i->op_sel >> i->n_src & 1)
        i->op_sel = (uint8_t)((i->op_sel & ~(1u << i->n_src)) | 8);
    i->clamp = mod(p, "clamp") != NULL;
    i->omod = (uint8_t)(mod(p, "mul") ? mod_int(p, "mul") / 2 : mod(p, "div") ? 3 : 0);
    if (i->clamp || i->omod) i->flags |= GFX_I_OUTMOD;
    i->cbsz = (uint8_t)mod_int(p, "cbsz");
    i->abid = (uint8_t)mod_int(p, "abid");
    i->blgp = mod(p, "neg") ? mod_bits(p, "neg", 0) : (uint8_t)mod_int(p, "blgp");
    i->offset = mod_int(p, "offset");
    if (i->op->cls == GFX_C_LDS) {
        bool two = i->op->flags & GFX_F_TWO_OFFSETS;
        i->offset = (int32_t)(i->words[0] & (two ? 0xff : 0xffff));
        i->offset1 = two ? (int32_t)(i->words[0] >> 8 & 0xff) : 0;
    }
    i->dst_sel = mod_sel(p, "dst_sel");
    const char *unused = mod(p, "dst_unused");
    i->dst_unused = !unused                                ? GFX_UNUSED_PAD
                    : strncmp(unused, "UNUSED_S", 8) == 0  ? GFX_UNUSED_SEXT
                    : strncmp(unused, "UNUSED_PR", 9) == 0 ? GFX_UNUSED_PRESERVE
                                                           : GFX_UNUSED_PAD;
}

static void lane_forms(struct gfx_inst *i, const struct pieces *p) {
    if (i->flags & GFX_I_DPP) {
        uint32_t w = i->words[1];
        i->dpp_ctrl = w >> 8 & 0x1ff;
        i->bound_ctrl = w >> 19 & 1;
        i->bank_mask = w >> 24 & 15;
        i->row_mask = w >> 28 & 15;
    }
    if (i->flags & GFX_I_SDWA) {
        i->src[0].sel = mod_sel(p, "src0_sel");
        i->src[1].sel = mod_sel(p, "src1_sel");
    }
    for (unsigned k = 0; k < i->n_src; k++)
        i->src[k].plain = i->src[k].kind == GFX_K_VGPR && !i->src[k].mods && !(i->flags & GFX_I_OP_SEL) &&
                          !(i->flags & GFX_I_DPP && k == 0) && i->src[k].sel == GFX_DWORD;
}

// ---- One instruction
static void bad_row(struct gfx_wave *w, const struct gfx_inst *i) {
    gfx_fault(w, "the row of %s does not fit the operands that the disassembler shows", i->op->name);
}

static void no_such_op(struct gfx_wave *w, const struct gfx_inst *i) {
    (void)i;
    gfx_fault(w, "an instruction that this machine does not know");
}

static void no_encoding(struct gfx_wave *w, const struct gfx_inst *i) {
    gfx_fault(w, "unknown encoding %08x", i->words[0]);
}

static void off_the_end(struct gfx_wave *w, const struct gfx_inst *i) {
    (void)i;
    gfx_fault(w, "execution runs past the end of the function");
}

static const struct gfx_op op_unknown = {.name = "(unknown)", .fn = no_such_op, .cls = GFX_C_SALU};
static const struct gfx_op op_encoding = {.name = "(encoding)", .fn = no_encoding, .cls = GFX_C_SALU};
static const struct gfx_op op_end = {.name = "(end)", .fn = off_the_end, .cls = GFX_C_SALU};

bool gfx_known(const struct gfx_inst *i) {
    return i->fn != bad_row && i->fn != no_such_op && i->fn != no_encoding;
}

static const struct gfx_op *find_op(struct gfx_inst *i, const char *name) {
    static const struct {
        const char *suffix;
        uint32_t flag;
    } forms[] = {{"_e32", 0}, {"_e64", 0}, {"_dpp", GFX_I_DPP}, {"_sdwa", GFX_I_SDWA}};
    size_t n = strlen(name);
    for (unsigned k = 0; k < 4; k++) {
        size_t s = strlen(forms[k].suffix);
        if (n <= s || strcmp(name + n - s, forms[k].suffix) != 0) continue;
        i->flags |= forms[k].flag;
        return gfx_op_find(name, n - s);
    }
    return gfx_op_find(name, n);
}

// "v_mfma_f32_32x32x4_2b_f16": 2 * 32 * 32 * 4 * 2.
static uint32_t flops_of(const char *name) {
    unsigned m, n, k, blocks = 1;
    const char *s = strchr(name, 'x');
    while (s && s > name && isdigit((unsigned char)s[-1])) s--;
    if (!s || sscanf(s, "%ux%ux%u_%ub", &m, &n, &k, &blocks) < 3) return 0;
    const char *b = strstr(s, "b_");
    return 2 * m * n * k * (b && isdigit((unsigned char)b[-1]) ? blocks : 1);
}

static bool parse_operands(struct gfx_inst *i, struct pieces *p) {
    const struct gfx_op *op = i->op;
    unsigned n_dst = op->n_dst, k = 0;
    if (op->flags & GFX_F_ATOMIC && !mod(p, "sc0")) n_dst = 0;
    if (mod(p, "lds")) n_dst = 0;
    if (n_dst > p->n) return false;
    if (n_dst > 0 && !parse_operand(p->operand[k++], op->type[0], &i->dst)) return false;
    if (n_dst > 1 && !parse_operand(p->operand[k++], GFX_T_MASK, &i->sdst)) return false;
    for (; k < p->n; k++) {
        if (i->n_src == 4 || strncmp(p->operand[k], "hwreg(", 6) == 0) {
            if (i->n_src == 4) return false;
            continue; // in imm
        }
        unsigned type = op->type[1 + i->n_src];
        struct gfx_operand *o = &i->src[i->n_src++];
        if (!parse_operand(p->operand[k], type, o)) return false;
        unsigned width = width_of(type);
        if (width && o->n && o->n != width) return false;
    }
    unsigned width = width_of(op->type[0]);
    return !n_dst || !width || i->dst.n == width;
}

static size_t decode_one(struct gfx_machine *m, const uint8_t *bytes, size_t n, struct gfx_inst *i) {
    struct pieces p;
    memcpy(i->words, bytes, n < 8 ? n : 8);
    pthread_mutex_lock(&m->text_lock);
    size_t used =
        LLVMDisasmInstruction(m->disassembler, (uint8_t *)(uintptr_t)bytes, n, 0, p.text, sizeof p.text);
    pthread_mutex_unlock(&m->text_lock);
    if (used == 0 || used > n) {
        i->op = &op_encoding;
        i->fn = i->op->fn;
        i->n_words = 1;
        return 4;
    }
    i->n_words = (uint8_t)(used / 4);
    cut(&p);
    i->op = find_op(i, p.name);
    if (!i->op) i->op = &op_unknown;
    i->fn = i->op->fn;
    i->imm = i->words[0] & 0xffff;
    if (i->op == &op_unknown) return used;
    bool sopp = i->words[0] >> 23 == 0x17f, fits = true;
    if (!sopp) {
        fits = parse_operands(i, &p);
        modifiers(i, &p);
        lane_forms(i, &p);
        note_uses(i);
    }
    if (i->op->cls == GFX_C_MFMA) i->flops = flops_of(i->op->name);
    if (!fits) i->fn = bad_row;
    gfx_hazard_note(i);
    return used;
}

static void resolve(struct gfx_code *c) {
    for (uint32_t k = 0; k < c->n; k++) {
        struct gfx_inst *i = &c->insts[k];
        if (!(i->op->flags & GFX_F_BRANCH)) continue;
        int64_t to = (int64_t)i->offset_in_text + 4 + 4 * (int64_t)(int16_t)i->imm;
        if (to < (int64_t)c->begin || to >= (int64_t)c->end) continue;
        uint32_t at = c->at[(to - (int64_t)c->begin) / 4];
        if (at != UINT32_MAX) i->target = &c->insts[at];
    }
}

struct gfx_code *gfx_decode(struct gfx_machine *m, const uint8_t *image, uint64_t begin, uint64_t end) {
    size_t words = (end - begin) / 4;
    struct gfx_code *c = calloc(1, sizeof *c);
    if (!c) return NULL;
    c->begin = begin, c->end = begin + 4 * words;
    c->insts = calloc(words + 1, sizeof *c->insts);
    c->at = malloc((words + 1) * sizeof *c->at);
    if (!c->insts || !c->at) {
        gfx_code_free(c);
        return NULL;
    }
    memset(c->at, 0xff, (words + 1) * sizeof *c->at);
    for (uint64_t at = begin; at < c->end;) {
        struct gfx_inst *i = &c->insts[c->n];
        i->offset_in_text = (uint32_t)at;
        c->at[(at - begin) / 4] = c->n++;
        at += decode_one(m, image + at, c->end - at, i);
    }
    struct gfx_inst *last = &c->insts[c->n];
    last->op = &op_end;
    last->fn = op_end.fn;
    last->offset_in_text = (uint32_t)c->end;
    struct gfx_inst *fit = realloc(c->insts, (c->n + 1) * sizeof *fit);
    if (fit) c->insts = fit;
    resolve(c);
    return c;
}

void gfx_code_free(struct gfx_code *c) {
    if (!c) return;
    free(c->insts);
    free(c->at);
    free(c);
}
