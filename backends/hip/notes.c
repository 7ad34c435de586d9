/*
 * The notes of an AMDGPU code object: an ELF note of type 32 named "AMDGPU" holds, in MessagePack, what the compiler knows of each
 * kernel (LLVM's AMDGPUUsage, "Code Object V3 Metadata" and on).
 */
#include "hip.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>

enum { NOTE_AMDGPU_METADATA = 32, MAX_DEPTH = 16, MAX_KERNELS = 65536 };

/* ---- MessagePack, as far as notes use it -------------------------------------------------------------------------- */

struct reader {
    const unsigned char *at, *end;
    bool failed; /* everything read from then on is zero */
};

enum kind { KIND_OTHER, KIND_UINT, KIND_STRING, KIND_ARRAY, KIND_MAP };
struct value {
    enum kind kind;
    uint64_t n;       /* the number; bytes of a string; elements of an array; pairs of a map */
    const char *text; /* of a string, not ended by a zero */
};

static uint64_t read_number(struct reader *r, unsigned n_bytes) {
    uint64_t value = 0;
    if ((size_t)(r->end - r->at) < n_bytes) r->failed = true;
    if (r->failed) return 0;
    while (n_bytes--) value = value << 8 | *r->at++;
    return value;
}

static struct value take_bytes(struct reader *r, enum kind kind, uint64_t n) {
    struct value v = {kind, n, (const char *)r->at};
    if (n > (uint64_t)(r->end - r->at)) r->failed = true;
    if (r->failed) return (struct value){0};
    r->at += n;
    return v;
}

/* A value, or the head of an array or map whose elements come next. */
static struct value next(struct reader *r) {
    unsigned byte = (unsigned)read_number(r, 1);
    if (r->failed) return (struct value){0};
    if (byte < 0x80) return (struct value){KIND_UINT, byte, NULL};
    if (byte < 0x90) return (struct value){KIND_MAP, byte & 15, NULL};
    if (byte < 0xa0) return (struct value){KIND_ARRAY, byte & 15, NULL};
    if (byte < 0xc0) return take_bytes(r, KIND_STRING, byte & 31);
    switch (byte) {
    case 0xc4: return take_bytes(r, KIND_OTHER, read_number(r, 1)); /* binary */
    case 0xc5: return take_bytes(r, KIND_OTHER, read_number(r, 2));
    case 0xc6: return take_bytes(r, KIND_OTHER, read_number(r, 4));
    case 0xca: return take_bytes(r, KIND_OTHER, 4); /* float */
    case 0xcb: return take_bytes(r, KIND_OTHER, 8);
    case 0xcc: return (struct value){KIND_UINT, read_number(r, 1), NULL};
    case 0xcd: return (struct value){KIND_UINT, read_number(r, 2), NULL};
    case 0xce: return (struct value){KIND_UINT, read_number(r, 4), NULL};
    case 0xcf: return (struct value){KIND_UINT, read_number(r, 8), NULL};
    case 0xd0: return take_bytes(r, KIND_OTHER, 1); /* signed */
    case 0xd1: return take_bytes(r, KIND_OTHER, 2);
    case 0xd2: return take_bytes(r, KIND_OTHER, 4);
    case 0xd3: return take_bytes(r, KIND_OTHER, 8);
    case 0xd9: return take_bytes(r, KIND_STRING, read_number(r, 1));
    case 0xda: return take_bytes(r, KIND_STRING, read_number(r, 2));
    case 0xdb: return take_bytes(r, KIND_STRING, read_number(r, 4));
    case 0xdc: return (struct value){KIND_ARRAY, read_number(r, 2), NULL};
    case 0xdd: return (struct value){KIND_ARRAY, read_number(r, 4), NULL};
    case 0xde: return (struct value){KIND_MAP, read_number(r, 2), NULL};
    case 0xdf: return (struct value){KIND_MAP, read_number(r, 4), NULL};
    case 0xc0: /* nil, false, true */
    case 0xc2:
    case 0xc3: return (struct value){0};
    default: r->failed = true; return (struct value){0}; /* extensions, and what is never used */
    }
}

/* Passes over what is inside an array or map. */
static void skip(struct reader *r, struct value v, unsigned depth) {
    if (v.kind != KIND_ARRAY && v.kind != KIND_MAP) return;
    if (depth == MAX_DEPTH) r->failed = true;
    for (uint64_t i = 0; i < v.n && !r->failed; i++) {
        if (v.kind == KIND_MAP) skip(r, next(r), depth + 1);
        skip(r, next(r), depth + 1);
    }
}

static bool is(struct value v, const char *text) {
    return v.kind == KIND_STRING && v.n == strlen(text) && memcmp(v.text, text, (size_t)v.n) == 0;
}

static uint32_t as_u32(struct value v) {
    return v.kind != KIND_UINT ? 0 : v.n < UINT32_MAX ? (uint32_t)v.n : UINT32_MAX;
}

/* ---- kernels -------------------------------------------------------------------------------------------------------- */

/* The end of the last argument that is not one of the library's own. */
static uint32_t read_args(struct reader *r, struct value list) {
    uint64_t end = 0;
    if (list.kind != KIND_ARRAY) r->failed = true;
    for (uint64_t i = 0; i < list.n && !r->failed; i++) {
        struct value arg = next(r);
        uint64_t offset = 0, size = 0;
        bool hidden = false;
        if (arg.kind != KIND_MAP) r->failed = true;
        for (uint64_t k = 0; k < arg.n && !r->failed; k++) {
            struct value key = next(r), v = next(r);
            if (is(key, ".offset")) offset = as_u32(v);
            if (is(key, ".size")) size = as_u32(v);
            if (is(key, ".value_kind"))
                hidden = v.kind == KIND_STRING && v.n >= 7 && memcmp(v.text, "hidden_", 7) == 0;
            skip(r, v, 0);
        }
        if (!hidden && offset + size > end) end = offset + size;
    }
    return end < UINT32_MAX ? (uint32_t)end : UINT32_MAX;
}

static const struct {
    const char *key;
    size_t offset;
} numbers[] = {
    {".vgpr_count",
     offsetof(struct hip_facts,
              info.n_registers)}, /* with the accumulation registers, where they are one file */
    {".private_segment_fixed_size", offsetof(struct hip_facts, info.scratch_bytes)},
    {".group_segment_fixed_size", offsetof(struct hip_facts, info.lds_bytes)},
    {".wavefront_size", offsetof(struct hip_facts, info.subgroup_size)},
    {".max_flat_workgroup_size", offsetof(struct hip_facts, max_threads)},
};

static greta_status read_kernel(struct reader *r, struct hip_facts *facts) {
    struct value map = next(r), name = {0};
    if (map.kind != KIND_MAP) return GRETA_ERR_FORMAT;
    for (uint64_t i = 0; i < map.n && !r->failed; i++) {
        struct value key = next(r), v = next(r);
        if (is(key, ".args")) {
            facts->args_bytes = read_args(r, v);
            continue;
        }
        if (is(key, ".name")) name = v;
        for (size_t k = 0; k < sizeof numbers / sizeof *numbers; k++)
            if (is(key, numbers[k].key)) memcpy((char *)facts + numbers[k].offset, &(uint32_t){as_u32(v)}, 4);
        skip(r, v, 0);
    }
    if (r->failed || name.kind != KIND_STRING || !name.n || memchr(name.text, 0, (size_t)name.n))
        return GRETA_ERR_FORMAT;
    facts->name = strndup(name.text, (size_t)name.n);
    return facts->name ? GRETA_OK : GRETA_ERR_NO_MEMORY;
}

static greta_status read_kernels(struct reader *r, struct value list, struct hip_code *code) {
    /* Each takes bytes: a count that the note has no room for is no reason to allocate. */
    if (list.kind != KIND_ARRAY || code->kernels || list.n > MAX_KERNELS ||
        list.n > (uint64_t)(r->end - r->at))
        return GRETA_ERR_FORMAT;
    if (!list.n) return GRETA_OK;
    code->kernels = calloc((size_t)list.n, sizeof *code->kernels);
    if (!code->kernels) return GRETA_ERR_NO_MEMORY;
    for (uint64_t i = 0; i < list.n; i++) {
        greta_status status = read_kernel(r, &code->kernels[i]);
        if (status != GRETA_OK) return status;
        code->n_kernels++;
    }
    return GRETA_OK;
}

static greta_status read_metadata(struct reader r, struct hip_code *code) {
    struct value map = next(&r);
    greta_status status = map.kind == KIND_MAP ? GRETA_OK : GRETA_ERR_FORMAT;
    for (uint64_t i = 0; i < map.n && status == GRETA_OK && !r.failed; i++) {
        struct value key = next(&r), v = next(&r);
        if (is(key, "amdhsa.kernels"))
            status = read_kernels(&r, v, code);
        else
            skip(&r, v, 0);
    }
    return r.failed && status == GRETA_OK ? GRETA_ERR_FORMAT : status;
}

/* ---- ELF ------------------------------------------------------------------------------------------------------------- */

/* Looks through a segment of notes. */
static greta_status read_segment(const unsigned char *data, size_t size, struct hip_code *code, bool *found) {
    while (size >= sizeof(Elf64_Nhdr)) {
        Elf64_Nhdr head;
        memcpy(&head, data, sizeof head);
        size_t name = ((size_t)head.n_namesz + 3) & ~(size_t)3,
               desc = ((size_t)head.n_descsz + 3) & ~(size_t)3;
        size -= sizeof head;
        data += sizeof head;
        if (name > size || head.n_descsz > size - name) return GRETA_ERR_FORMAT;
        if (head.n_type == NOTE_AMDGPU_METADATA && head.n_namesz == 7 && memcmp(data, "AMDGPU", 7) == 0) {
            *found = true;
            return read_metadata((struct reader){data + name, data + name + head.n_descsz, false}, code);
        }
        if (desc > size - name) return GRETA_OK; /* the last one, without its padding */
        data += name + desc;
        size -= name + desc;
    }
    return GRETA_OK;
}

static bool is_code_object(const Elf64_Ehdr *e) {
    return memcmp(e->e_ident, ELFMAG, SELFMAG) == 0 && e->e_ident[EI_CLASS] == ELFCLASS64 &&
           e->e_ident[EI_DATA] == ELFDATA2LSB && e->e_machine == EM_AMDGPU &&
           e->e_phentsize == sizeof(Elf64_Phdr);
}

static greta_status read_segments(struct hip_code *code) {
    Elf64_Ehdr e;
    bool found = false;
    if (code->size_bytes < sizeof e) return GRETA_ERR_FORMAT;
    memcpy(&e, code->data, sizeof e);
    if (!is_code_object(&e) || e.e_phoff > code->size_bytes ||
        e.e_phnum > (code->size_bytes - (size_t)e.e_phoff) / sizeof(Elf64_Phdr))
        return GRETA_ERR_FORMAT;
    for (unsigned i = 0; i < e.e_phnum && !found; i++) {
        Elf64_Phdr p;
        memcpy(&p, code->data + e.e_phoff + i * sizeof p, sizeof p);
        if (p.p_type != PT_NOTE) continue;
        if (p.p_offset > code->size_bytes || p.p_filesz > code->size_bytes - p.p_offset)
            return GRETA_ERR_FORMAT;
        greta_status status = read_segment(code->data + p.p_offset, (size_t)p.p_filesz, code, &found);
        if (status != GRETA_OK) return status;
    }
    return found ? GRETA_OK : GRETA_ERR_FORMAT;
}

void hip_code_free(struct hip_code *code) {
    for (uint32_t i = 0; i < code->n_kernels; i++) free(code->kernels[i].name);
    free(code->kernels);
    *code = (struct hip_code){0};
}

greta_status hip_notes_read(struct hip_code *code) {
    greta_status status = read_segments(code);
    if (status != GRETA_OK) hip_code_free(code);
    return status;
}
