// A code object: the ELF file, its kernel descriptors, and its notes (MessagePack).
#include <elf.h>
#include <stdlib.h>

#include "internal.h"

#define EF_MACH_MASK 0xff
#define EF_MACH_GFX942 0x04c
#define EM_AMDGPU_ 224
#define NT_METADATA 32
#define R_ABS64 3
#define R_RELATIVE64 13

// ---- MessagePack, as far as the notes use it. A reader that runs past its end stays at it and says `bad`.
struct pack {
    const uint8_t *at, *end;
    bool bad;
};

static uint64_t be(struct pack *p, unsigned n) {
    uint64_t x = 0;
    if ((size_t)(p->end - p->at) < n) {
        p->bad = true;
        p->at = p->end;
        return 0;
    }
    for (unsigned i = 0; i < n; i++) x = x << 8 | *p->at++;
    return x;
}

enum pack_kind { P_OTHER, P_UINT, P_STR, P_ARRAY, P_MAP };
struct item {
    enum pack_kind kind;
    uint64_t n; // value, bytes, or elements
    const char *s;
};

static struct item next_item(struct pack *p) {
    struct item it = {P_OTHER, 0, NULL};
    unsigned b = (unsigned)be(p, 1);
    if (b < 0x80)
        it.kind = P_UINT, it.n = b;
    else if (b < 0x90)
        it.kind = P_MAP, it.n = b & 15;
    else if (b < 0xa0)
        it.kind = P_ARRAY, it.n = b & 15;
    else if (b < 0xc0)
        it.kind = P_STR, it.n = b & 31;
    else if (b == 0xc2 || b == 0xc3)
        it.kind = P_UINT, it.n = b & 1;
    else if (b >= 0xcc && b <= 0xcf)
        it.kind = P_UINT, it.n = be(p, 1u << (b - 0xcc));
    else if (b >= 0xd0 && b <= 0xd3)
        it.n = be(p, 1u << (b - 0xd0));
    else if (b >= 0xd9 && b <= 0xdb)
        it.kind = P_STR, it.n = be(p, 1u << (b - 0xd9));
    else if (b == 0xdc || b == 0xdd)
        it.kind = P_ARRAY, it.n = be(p, b == 0xdc ? 2 : 4);
    else if (b == 0xde || b == 0xdf)
        it.kind = P_MAP, it.n = be(p, b == 0xde ? 2 : 4);
    else if (b == 0xca || b == 0xcb)
        it.n = be(p, b == 0xca ? 4 : 8);
    else if (b < 0xe0 && b != 0xc0)
        p->bad = true;
    if (it.kind == P_STR) {
        if ((size_t)(p->end - p->at) < it.n) {
            p->bad = true;
            it.n = 0;
        }
        it.s = (const char *)p->at;
        p->at += it.n;
    }
    return it;
}

static void skip(struct pack *p, struct item it) {
    uint64_t n = it.kind == P_MAP ? 2 * it.n : it.kind == P_ARRAY ? it.n : 0;
    for (uint64_t i = 0; i < n && !p->bad; i++) skip(p, next_item(p));
}

static bool is(struct item it, const char *s) {
    return it.kind == P_STR && it.n == strlen(s) && memcmp(it.s, s, it.n) == 0;
}

// One kernel's map: its fields go to the kernel of its .symbol.
struct note {
    char symbol[512];
    struct gfx_kernel k;
};

static void read_args(struct pack *p, struct item list, struct gfx_kernel *k) {
    k->args = list.n < 4096 ? calloc(list.n + 1, sizeof *k->args) : NULL;
    for (uint64_t i = 0; i < list.n && !p->bad; i++) {
        struct item map = next_item(p);
        struct gfx_arg a = {0};
        for (uint64_t f = 0; f < map.n && map.kind == P_MAP && !p->bad; f++) {
            struct item key = next_item(p), value = next_item(p);
            if (is(key, ".offset"))
                a.offset = (uint32_t)value.n;
            else if (is(key, ".size"))
                a.bytes = (uint32_t)value.n;
            else if (is(key, ".value_kind") && value.kind == P_STR)
                snprintf(a.kind, sizeof a.kind, "%.*s", (int)value.n, value.s);
            else
                skip(p, value);
        }
        if (k->args) k->args[k->n_args++] = a;
    }
}

static void read_kernel(struct pack *p, struct note *out) {
    struct item map = next_item(p);
    memset(out, 0, sizeof *out);
    if (map.kind != P_MAP) {
        skip(p, map);
        return;
    }
    struct gfx_kernel *k = &out->k;
    for (uint64_t f = 0; f < map.n && !p->bad; f++) {
        struct item key = next_item(p), value = next_item(p);
        static const struct {
            const char *name;
            size_t at;
        } counts[] = {
            {".vgpr_count", offsetof(struct gfx_kernel, vgprs)},
            {".agpr_count", offsetof(struct gfx_kernel, agprs)},
            {".sgpr_count", offsetof(struct gfx_kernel, sgprs)},
            {".vgpr_spill_count", offsetof(struct gfx_kernel, vgpr_spills)},
            {".sgpr_spill_count", offsetof(struct gfx_kernel, sgpr_spills)},
            {".max_flat_workgroup_size", offsetof(struct gfx_kernel, max_threads)},
            {".kernarg_segment_size", offsetof(struct gfx_kernel, kernarg_bytes)},
        };
        bool taken = false;
        for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
            if (is(key, counts[i].name) && value.kind == P_UINT) {
                *(uint32_t *)((char *)k + counts[i].at) = (uint32_t)value.n;
                taken = true;
            }
        if (taken) continue;
        if (is(key, ".symbol") && value.kind == P_STR)
            snprintf(out->symbol, sizeof out->symbol, "%.*s", (int)value.n, value.s);
        else if (is(key, ".args") && value.kind == P_ARRAY)
            read_args(p, value, k);
        else if (is(key, ".uses_dynamic_stack"))
            k->dynamic_stack = value.n != 0;
        else if (is(key, ".reqd_workgroup_size") && value.kind == P_ARRAY)
            for (uint64_t i = 0; i < value.n; i++) {
                struct item x = next_item(p);
                if (i < 3) k->reqd[i] = (uint32_t)x.n;
            }
        else
            skip(p, value);
    }
}

static void merge(struct gfx_object *o, struct note *note) {
    for (size_t i = 0; i < o->n_kernels; i++) {
        struct gfx_kernel *k = &o->kernels[i];
        size_t n = strlen(k->name);
        if (k->noted || strncmp(k->name, note->symbol, n) != 0 || strcmp(note->symbol + n, ".kd") != 0)
            continue;
        k->vgprs = note->k.vgprs, k->agprs = note->k.agprs, k->sgprs = note->k.sgprs;
        k->vgpr_spills = note->k.vgpr_spills, k->sgpr_spills = note->k.sgpr_spills;
        k->max_threads = note->k.max_threads, k->dynamic_stack = note->k.dynamic_stack;
        if (note->k.kernarg_bytes > k->kernarg_bytes) k->kernarg_bytes = note->k.kernarg_bytes;
        memcpy(k->reqd, note->k.reqd, sizeof k->reqd);
        k->args = note->k.args, k->n_args = note->k.n_args;
        k->noted = true;
        for (uint32_t a = 0; a < k->n_args; a++)
            if (strncmp(k->args[a].kind, "hidden_", 7) != 0 &&
                k->args[a].offset + k->args[a].bytes > k->explicit_bytes)
                k->explicit_bytes = k->args[a].offset + k->args[a].bytes;
        return;
    }
    free(note->k.args);
}

static bool read_metadata(struct gfx_object *o, const uint8_t *bytes, size_t n) {
    struct pack p = {bytes, bytes + n, false};
    struct item map = next_item(&p);
    if (map.kind != P_MAP) return false;
    struct note *note = malloc(sizeof *note);
    for (uint64_t f = 0; note && f < map.n && !p.bad; f++) {
        struct item key = next_item(&p), value = next_item(&p);
        if (is(key, "amdhsa.kernels") && value.kind == P_ARRAY) {
            for (uint64_t i = 0; i < value.n && !p.bad; i++) {
                read_kernel(&p, note);
                merge(o, note);
            }
        } else {
            skip(&p, value);
        }
    }
    free(note);
    return note && !p.bad;
}

static bool read_notes(struct gfx_object *o, const uint8_t *at, size_t n) {
    while (n >= sizeof(Elf64_Nhdr)) {
        Elf64_Nhdr h;
        memcpy(&h, at, sizeof h);
        size_t name = ((size_t)h.n_namesz + 3) & ~(size_t)3, desc = ((size_t)h.n_descsz + 3) & ~(size_t)3;
        if (name > n - sizeof h || desc > n - sizeof h - name) return false;
        if (h.n_type == NT_METADATA && h.n_namesz == 7 && memcmp(at + sizeof h, "AMDGPU", 7) == 0 &&
            !read_metadata(o, at + sizeof h + name, h.n_descsz))
            return false;
        at += sizeof h + name + desc;
        n -= sizeof h + name + desc;
    }
    return true;
}

// ---- The file
struct elf {
    const uint8_t *bytes;
    size_t n;
    Elf64_Ehdr h;
};

static bool inside(const struct elf *e, uint64_t at, uint64_t bytes) {
    return at <= e->n && bytes <= e->n - at;
}

static bool section(const struct elf *e, unsigned i, Elf64_Shdr *s) {
    if (i >= e->h.e_shnum || !inside(e, e->h.e_shoff + (uint64_t)i * sizeof *s, sizeof *s)) return false;
    memcpy(s, e->bytes + e->h.e_shoff + (uint64_t)i * sizeof *s, sizeof *s);
    return s->sh_type == SHT_NOBITS || inside(e, s->sh_offset, s->sh_size);
}

static bool segment(const struct elf *e, unsigned i, Elf64_Phdr *p) {
    if (i >= e->h.e_phnum || !inside(e, e->h.e_phoff + (uint64_t)i * sizeof *p, sizeof *p)) return false;
    memcpy(p, e->bytes + e->h.e_phoff + (uint64_t)i * sizeof *p, sizeof *p);
    return inside(e, p->p_offset, p->p_filesz);
}

static const char *load_image(struct gfx_object *o, const struct elf *e) {
    uint64_t end = 0;
    Elf64_Phdr p;
    for (unsigned i = 0; i < e->h.e_phnum; i++) {
        if (!segment(e, i, &p)) return "a program header points outside of the file";
        if (p.p_type == PT_LOAD && p.p_vaddr + p.p_memsz > end) end = p.p_vaddr + p.p_memsz;
        if (p.p_type == PT_LOAD &&
            (p.p_memsz < p.p_filesz || p.p_vaddr > UINT32_MAX || p.p_memsz > UINT32_MAX))
            return "a segment of impossible size";
    }
    if (end == 0) return "it has no segment to load";
    o->image = gfx_mem_new(o->m, end, true);
    if (!o->image) return "no memory for its segments";
    o->image_bytes = end;
    for (unsigned i = 0; i < e->h.e_phnum; i++)
        if (segment(e, i, &p) && p.p_type == PT_LOAD) {
            memcpy(o->image + p.p_vaddr, e->bytes + p.p_offset, p.p_filesz);
            if (p.p_flags & PF_X) o->text_begin = p.p_vaddr, o->text_end = p.p_vaddr + p.p_filesz;
        }
    return NULL;
}

static void read_descriptor(struct gfx_kernel *k, const uint8_t *d, uint64_t at) {
    int64_t entry;
    uint16_t half;
    memcpy(&k->lds_bytes, d, 4);
    memcpy(&k->scratch_bytes, d + 4, 4);
    memcpy(&k->kernarg_bytes, d + 8, 4);
    memcpy(&entry, d + 16, 8);
    memcpy(&k->rsrc3, d + 44, 4);
    memcpy(&k->rsrc1, d + 48, 4);
    memcpy(&k->rsrc2, d + 52, 4);
    memcpy(&half, d + 56, 2);
    k->properties = half;
    memcpy(&half, d + 58, 2);
    k->preload = half;
    k->entry = at + (uint64_t)entry;
    k->accum_offset = ((k->rsrc3 & 63) + 1) * 4;
}

static const char *grow(void *list, size_t n, size_t size, size_t extra) {
    void **p = list;
    void *q = realloc(*p, (n + 1) * size + extra);
    if (!q) return "no memory";
    *p = q;
    return NULL;
}

static const char *add_symbol(struct gfx_object *o, const Elf64_Sym *s, const char *name) {
    size_t n = strlen(name);
    unsigned type = ELF64_ST_TYPE(s->st_info);
    if (s->st_shndx == SHN_UNDEF) return NULL;
    if (type == STT_FUNC) {
        const char *why = grow(&o->functions, o->n_functions, sizeof *o->functions, 0);
        if (why) return why;
        if (s->st_value + s->st_size > o->image_bytes) return "a function lies outside of the segments";
        o->functions[o->n_functions++] = (struct gfx_function){s->st_value, s->st_value + s->st_size};
        return NULL;
    }
    if (type != STT_OBJECT) return NULL;
    if (n > 3 && strcmp(name + n - 3, ".kd") == 0) {
        const char *why = grow(&o->kernels, o->n_kernels, sizeof *o->kernels, 0);
        if (why) return why;
        if (s->st_value + 64 > o->image_bytes) return "a kernel descriptor lies outside of the segments";
        struct gfx_kernel *k = &o->kernels[o->n_kernels];
        memset(k, 0, sizeof *k);
        k->object = o;
        k->name = strndup(name, n - 3);
        if (!k->name) return "no memory";
        o->n_kernels++;
        read_descriptor(k, o->image + s->st_value, s->st_value);
        return NULL;
    }
    const char *why = grow(&o->variables, o->n_variables, sizeof *o->variables, 0);
    if (why) return why;
    o->variables[o->n_variables].name = strdup(name);
    if (!o->variables[o->n_variables].name) return "no memory";
    o->variables[o->n_variables].at = s->st_value;
    o->variables[o->n_variables++].bytes = s->st_size;
    return NULL;
}

static const char *read_symbols(struct gfx_object *o, const struct elf *e) {
    for (unsigned i = 0; i < e->h.e_shnum; i++) {
        Elf64_Shdr s, names;
        if (!section(e, i, &s)) return "a section lies outside of the file";
        if (s.sh_type != SHT_DYNSYM) continue;
        if (!section(e, s.sh_link, &names) || names.sh_size == 0 ||
            e->bytes[names.sh_offset + names.sh_size - 1])
            return "its symbol names are broken";
        for (uint64_t k = 0; k < s.sh_size / sizeof(Elf64_Sym); k++) {
            Elf64_Sym sym;
            memcpy(&sym, e->bytes + s.sh_offset + k * sizeof sym, sizeof sym);
            if (sym.st_name >= names.sh_size) return "its symbol names are broken";
            const char *why = add_symbol(o, &sym, (const char *)e->bytes + names.sh_offset + sym.st_name);
            if (why) return why;
        }
    }
    return NULL;
}

static const char *relocate(struct gfx_object *o, const struct elf *e) {
    for (unsigned i = 0; i < e->h.e_shnum; i++) {
        Elf64_Shdr s, syms;
        if (!section(e, i, &s) || s.sh_type != SHT_RELA) continue;
        for (uint64_t k = 0; k < s.sh_size / sizeof(Elf64_Rela); k++) {
            Elf64_Rela r;
            memcpy(&r, e->bytes + s.sh_offset + k * sizeof r, sizeof r);
            uint64_t value = (uint64_t)(uintptr_t)o->image + (uint64_t)r.r_addend;
            if (ELF64_R_TYPE(r.r_info) == R_ABS64) {
                Elf64_Sym sym;
                uint64_t at = ELF64_R_SYM(r.r_info) * sizeof sym;
                if (!section(e, s.sh_link, &syms) || at + sizeof sym > syms.sh_size)
                    return "a relocation is broken";
                memcpy(&sym, e->bytes + syms.sh_offset + at, sizeof sym);
                value += sym.st_value;
            } else if (ELF64_R_TYPE(r.r_info) != R_RELATIVE64) {
                return "a relocation of a kind that is not handled";
            }
            if (r.r_offset + 8 > o->image_bytes) return "a relocation lies outside of the segments";
            memcpy(o->image + r.r_offset, &value, 8);
        }
    }
    return NULL;
}

static const char *read_elf(struct gfx_object *o, const void *bytes, size_t n) {
    struct elf e = {.bytes = bytes, .n = n};
    if (n < sizeof e.h) return "it is shorter than an ELF header";
    memcpy(&e.h, bytes, sizeof e.h);
    if (memcmp(e.h.e_ident, ELFMAG, SELFMAG) != 0 || e.h.e_ident[EI_CLASS] != ELFCLASS64)
        return "it is no 64-bit ELF file";
    if (e.h.e_machine != EM_AMDGPU_) return "it is not for an AMD GPU";
    if ((e.h.e_flags & EF_MACH_MASK) != EF_MACH_GFX942) return "it is for another GPU than gfx942";
    if (e.h.e_type != ET_DYN) return "it is not linked";
    const char *why = load_image(o, &e);
    if (!why) why = read_symbols(o, &e);
    if (!why) why = relocate(o, &e);
    Elf64_Phdr p;
    for (unsigned i = 0; !why && i < e.h.e_phnum; i++)
        if (segment(&e, i, &p) && p.p_type == PT_NOTE && !read_notes(o, e.bytes + p.p_offset, p.p_filesz))
            why = "its notes are broken";
    return why;
}

enum gfx_status gfx_load(struct gfx_machine *m, const void *bytes, size_t n_bytes,
                         struct gfx_object **object) {
    *object = NULL;
    struct gfx_object *o = calloc(1, sizeof *o);
    if (!o) return gfx_fail(m, GFX_NO_MEMORY, "no memory for a code object");
    o->m = m;
    pthread_mutex_init(&o->decode_lock, NULL);
    const char *why = read_elf(o, bytes, n_bytes);
    if (why) {
        gfx_unload(m, o);
        return gfx_fail(m, GFX_BAD_OBJECT, "code object: %s", why);
    }
    o->next = m->objects;
    m->objects = o;
    *object = o;
    return GFX_OK;
}

void gfx_unload(struct gfx_machine *m, struct gfx_object *o) {
    if (!o) return;
    for (struct gfx_object **p = &m->objects; *p; p = &(*p)->next)
        if (*p == o) {
            *p = o->next;
            break;
        }
    for (struct gfx_code *c = atomic_load(&o->code), *next; c; c = next) {
        next = c->next;
        gfx_code_free(c);
    }
    for (size_t i = 0; i < o->n_kernels; i++) {
        free(o->kernels[i].name);
        free(o->kernels[i].args);
    }
    for (size_t i = 0; i < o->n_variables; i++) free(o->variables[i].name);
    free(o->kernels);
    free(o->functions);
    free(o->variables);
    if (o->image) gfx_free(m, o->image);
    pthread_mutex_destroy(&o->decode_lock);
    free(o);
}

size_t gfx_n_kernels(const struct gfx_object *o) {
    return o->n_kernels;
}

const struct gfx_kernel *gfx_kernel_at(const struct gfx_object *o, size_t i) {
    return i < o->n_kernels ? &o->kernels[i] : NULL;
}

const struct gfx_kernel *gfx_kernel(const struct gfx_object *o, const char *name) {
    for (size_t i = 0; i < o->n_kernels; i++)
        if (strcmp(o->kernels[i].name, name) == 0) return &o->kernels[i];
    return NULL;
}

uint64_t gfx_symbol(const struct gfx_object *o, const char *name, size_t *bytes) {
    for (size_t i = 0; i < o->n_variables; i++)
        if (strcmp(o->variables[i].name, name) == 0) {
            if (bytes) *bytes = o->variables[i].bytes;
            return (uint64_t)(uintptr_t)o->image + o->variables[i].at;
        }
    return 0;
}

void gfx_facts(const struct gfx_kernel *k, struct gfx_facts *f) {
    *f = (struct gfx_facts){
        .name = k->name,
        .vgprs = k->vgprs,
        .agprs = k->agprs,
        .sgprs = k->sgprs,
        .vgpr_spills = k->vgpr_spills,
        .sgpr_spills = k->sgpr_spills,
        .lds_bytes = k->lds_bytes,
        .scratch_bytes = k->scratch_bytes,
        .kernarg_bytes = k->kernarg_bytes,
        .explicit_bytes = k->explicit_bytes,
        .max_threads = k->max_threads ? k->max_threads : GFX_GROUP_THREADS,
        .wave_size = GFX_LANES,
        .n_args = k->n_args,
        .args = k->args,
    };
}

// ---- Decoded code, a function at a time
// Functions that the linker kept local have no symbol: what lies between two that have one.
static bool function_of(const struct gfx_object *o, uint64_t offset, struct gfx_function *f) {
    if (offset < o->text_begin || offset >= o->text_end) return false;
    *f = (struct gfx_function){offset, o->text_end};
    for (size_t i = 0; i < o->n_functions; i++) {
        const struct gfx_function *g = &o->functions[i];
        if (offset >= g->begin && offset < g->end) {
            *f = *g;
            return true;
        }
        if (g->begin > offset && g->begin < f->end) f->end = g->begin;
    }
    return true;
}

struct gfx_code *gfx_code_at(struct gfx_object *o, uint64_t offset) {
    for (struct gfx_code *c = atomic_load_explicit(&o->code, memory_order_acquire); c; c = c->next)
        if (offset >= c->begin && offset < c->end) return c;
    struct gfx_function f = {0, 0};
    if (!function_of(o, offset, &f)) return NULL;
    pthread_mutex_lock(&o->decode_lock);
    struct gfx_code *c = atomic_load(&o->code);
    while (c && !(offset >= c->begin && offset < c->end)) c = c->next;
    if (!c) {
        c = gfx_decode(o->m, o->image, f.begin, f.end);
        if (c) {
            c->next = atomic_load(&o->code);
            atomic_store_explicit(&o->code, c, memory_order_release);
        }
    }
    pthread_mutex_unlock(&o->decode_lock);
    return c;
}

const struct gfx_inst *gfx_inst_at(struct gfx_object *o, uint64_t offset) {
    struct gfx_code *c = gfx_code_at(o, offset);
    if (!c || offset & 3) return NULL;
    uint32_t i = c->at[(offset - c->begin) / 4];
    return i == UINT32_MAX ? NULL : &c->insts[i];
}

size_t gfx_unknown(struct gfx_object *o, char *text, size_t n_text) {
    size_t n = 0;
    for (size_t f = 0; f < o->n_functions; f++) {
        const struct gfx_code *c = gfx_code_at(o, o->functions[f].begin);
        for (uint32_t k = 0; c && k < c->n; k++) {
            const struct gfx_inst *i = &c->insts[k];
            if (gfx_known(i) || n++) continue;
            int at = snprintf(text, n_text, "%#x, ", i->offset_in_text);
            gfx_text(o->m, o->image + i->offset_in_text, o->image_bytes - i->offset_in_text, text + at,
                     n_text - (size_t)at);
        }
    }
    return n;
}
