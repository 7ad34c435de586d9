#!/usr/bin/env python3
"""semantics_machine.py ASSEMBLY CASES: one small kernel for each form of scalar, LDS and memory instructions, and what it must give.

The files are those of semantics_file.py (test_semantics.c runs both). What an instruction does is written here a second time, from the
ISA document, on Python's integers and byte arrays.
"""
import random
import struct

from semantics_file import Cases

LANES, IMAGE = 64, 2048
M32, M64 = (1 << 32) - 1, (1 << 64) - 1

LDS, SCRATCH, SGPRS = 4096, 64, 64
DIRECTIVES = {"group_segment_fixed_size": LDS, "private_segment_fixed_size": SCRATCH, "enable_private_segment": 1, "next_free_vgpr": 128,
              "accum_offset": 64, "next_free_sgpr": SGPRS}


def signed(x, bits):
    return x - (1 << bits) if x >> bits - 1 else x


# ---- Scalar instructions. A function takes a, b (the sources), d (the destination before), c (SCC), and gives the result and SCC.
def simple(fn, scc=None):
    """scc None: unchanged; "nz": the result is not zero."""
    def f(bits, a, b, d, c):
        r = fn(bits, a, b, d, c) & (1 << bits) - 1
        return r, c if scc is None else int(r != 0)
    return f


def add(bits, a, b, d, c):
    return a + b & M32, int(a + b > M32)


def addc(bits, a, b, d, c):
    return a + b + c & M32, int(a + b + c > M32)


def sub(bits, a, b, d, c):
    return a - b & M32, int(b > a)


def subb(bits, a, b, d, c):
    return a - b - c & M32, int(b + c > a)


def overflow(fn):
    def f(bits, a, b, d, c):
        x = fn(signed(a, 32), signed(b, 32))
        return x & M32, int(not -1 << 31 <= x < 1 << 31)
    return f


def choose(better, sign):
    def f(bits, a, b, d, c):
        x, y = (signed(a, 32), signed(b, 32)) if sign else (a, b)
        return (a, 1) if better(x, y) else (b, 0)
    return f


def bfe(sign):
    def f(bits, a, b, d, c):
        offset, width = b & bits - 1, b >> 16 & 127
        x = a >> offset & (1 << min(width, bits)) - 1
        have = min(width, bits - offset)
        if sign and have and x >> have - 1 & 1:
            x |= -1 << have
        x &= (1 << bits) - 1
        return (x, int(x != 0))
    return f


def wqm(bits, a, b, d, c):
    return sum(15 << k for k in range(0, bits, 4) if a >> k & 15)


def quadmask(bits, a, b, d, c):
    return sum(1 << k // 4 for k in range(0, bits, 4) if a >> k & 15)


def first(bits, a):
    return (a & -a).bit_length() - 1 if a else -1


def leading(bits, a):
    return bits - a.bit_length() if a else -1


def leading_signed(bits, a):
    x = a ^ (1 << bits) - 1 if a >> bits - 1 else a
    return bits - x.bit_length() if x else -1


def lshl_add(n):
    return lambda bits, a, b, d, c: ((a << n) + b & M32, int((a << n) + b > M32))


LOGIC = {"and": lambda bits, a, b, d, c: a & b, "or": lambda bits, a, b, d, c: a | b, "xor": lambda bits, a, b, d, c: a ^ b,
         "andn2": lambda bits, a, b, d, c: a & ~b, "orn2": lambda bits, a, b, d, c: a | ~b,
         "nand": lambda bits, a, b, d, c: ~(a & b), "nor": lambda bits, a, b, d, c: ~(a | b),
         "xnor": lambda bits, a, b, d, c: ~(a ^ b)}
ONE = {"not": (lambda bits, a, b, d, c: ~a, "nz"), "wqm": (wqm, "nz"), "quadmask": (quadmask, "nz"),
       "brev": (lambda bits, a, b, d, c: int(format(a, f"0{bits}b")[::-1], 2), None),
       "mov": (lambda bits, a, b, d, c: a, None), "cmov": (lambda bits, a, b, d, c: a if c else d, None)}


def scalar_forms():
    """(text, width of a, of b, of the result, function)"""
    for name, fn in LOGIC.items():
        for bits in (32, 64):
            yield f"s_{name}_b{bits} D, A, B", bits, bits, bits, simple(fn, "nz")
    for name, (fn, scc) in ONE.items():
        for bits in (32, 64):
            yield f"s_{name}_b{bits} D, A", bits, 0, bits, simple(fn, scc)
    for bits in (32, 64):
        yield f"s_cselect_b{bits} D, A, B", bits, bits, bits, simple(lambda bits, a, b, d, c: a if c else b)
        yield f"s_lshl_b{bits} D, A, B", bits, 32, bits, simple(lambda n, a, b, d, c: a << (b & n - 1), "nz")
        yield f"s_lshr_b{bits} D, A, B", bits, 32, bits, simple(lambda n, a, b, d, c: a >> (b & n - 1), "nz")
        yield f"s_ashr_i{bits} D, A, B", bits, 32, bits, simple(lambda n, a, b, d, c: signed(a, n) >> (b & n - 1), "nz")
        yield f"s_bfm_b{bits} D, A, B", 32, 32, bits, simple(lambda n, a, b, d, c: ((1 << (a & n - 1)) - 1) << (b & n - 1))
        yield f"s_bfe_u{bits} D, A, B", bits, 32, bits, bfe(False)
        yield f"s_bfe_i{bits} D, A, B", bits, 32, bits, bfe(True)
        yield f"s_bitset0_b{bits} D, A", 32, 0, bits, simple(lambda n, a, b, d, c: d & ~(1 << (a & n - 1)))
        yield f"s_bitset1_b{bits} D, A", 32, 0, bits, simple(lambda n, a, b, d, c: d | 1 << (a & n - 1))

        def on(fn, n=bits):
            return lambda bits, a, b, d, c: (fn(n, a) & M32, c)
        yield f"s_bcnt0_i32_b{bits} D, A", bits, 0, 32, \
            lambda bits, a, b, d, c, n=bits: (n - bin(a).count("1"), int(n != bin(a).count("1")))
        yield f"s_bcnt1_i32_b{bits} D, A", bits, 0, 32, lambda bits, a, b, d, c: (bin(a).count("1"), int(a != 0))
        yield f"s_ff1_i32_b{bits} D, A", bits, 0, 32, on(first)
        yield f"s_ff0_i32_b{bits} D, A", bits, 0, 32, on(lambda n, a: first(n, ~a & (1 << n) - 1))
        yield f"s_flbit_i32_b{bits} D, A", bits, 0, 32, on(leading)
        yield f"s_flbit_i32{'_i64' if bits == 64 else ''} D, A", bits, 0, 32, on(leading_signed)
        for k, op in enumerate(("s_bitcmp0", "s_bitcmp1")):
            yield f"{op}_b{bits} A, B", bits, 32, 0, lambda n, a, b, d, c, k=k, w=bits: (d, int((a >> (b & w - 1) & 1) == k))
    for name, fn in (("add_u32", add), ("addc_u32", addc), ("sub_u32", sub), ("subb_u32", subb),
                     ("add_i32", overflow(lambda a, b: a + b)), ("sub_i32", overflow(lambda a, b: a - b)),
                     ("min_i32", choose(lambda a, b: a < b, True)), ("max_i32", choose(lambda a, b: a > b, True)),
                     ("min_u32", choose(lambda a, b: a < b, False)), ("max_u32", choose(lambda a, b: a > b, False)),
                     ("mul_i32", simple(lambda n, a, b, d, c: a * b)), ("mul_hi_u32", simple(lambda n, a, b, d, c: a * b >> 32)),
                     ("mul_hi_i32", simple(lambda n, a, b, d, c: signed(a, 32) * signed(b, 32) >> 32)),
                     ("absdiff_i32", simple(lambda n, a, b, d, c: abs(signed(a, 32) - signed(b, 32)), "nz")),
                     ("lshl1_add_u32", lshl_add(1)), ("lshl2_add_u32", lshl_add(2)), ("lshl3_add_u32", lshl_add(3)),
                     ("lshl4_add_u32", lshl_add(4)),
                     ("pack_ll_b32_b16", simple(lambda n, a, b, d, c: a & 0xffff | b << 16)),
                     ("pack_lh_b32_b16", simple(lambda n, a, b, d, c: a & 0xffff | b & 0xffff0000)),
                     ("pack_hh_b32_b16", simple(lambda n, a, b, d, c: a >> 16 | b & 0xffff0000))):
        yield f"s_{name} D, A, B", 32, 32, 32, fn
    yield "s_abs_i32 D, A", 32, 0, 32, simple(lambda n, a, b, d, c: abs(signed(a, 32)), "nz")
    yield "s_sext_i32_i8 D, A", 32, 0, 32, simple(lambda n, a, b, d, c: signed(a & 255, 8))
    yield "s_sext_i32_i16 D, A", 32, 0, 32, simple(lambda n, a, b, d, c: signed(a & 0xffff, 16))
    yield "s_bitreplicate_b64_b32 D, A", 32, 0, 64, simple(lambda n, a, b, d, c: sum(3 << 2 * k for k in range(32) if a >> k & 1))
    compares = {"eq": lambda a, b: a == b, "lg": lambda a, b: a != b, "gt": lambda a, b: a > b, "ge": lambda a, b: a >= b,
                "lt": lambda a, b: a < b, "le": lambda a, b: a <= b}
    for name, fn in compares.items():
        yield f"s_cmp_{name}_i32 A, B", 32, 32, 0, lambda n, a, b, d, c, fn=fn: (d, int(fn(signed(a, 32), signed(b, 32))))
        yield f"s_cmp_{name}_u32 A, B", 32, 32, 0, lambda n, a, b, d, c, fn=fn: (d, int(fn(a, b)))
        yield f"s_cmpk_{name}_i32 A, -5", 32, 0, 0, lambda n, a, b, d, c, fn=fn: (d, int(fn(signed(a, 32), -5)))
        yield f"s_cmpk_{name}_u32 A, 0xfff0", 32, 0, 0, lambda n, a, b, d, c, fn=fn: (d, int(fn(a, 0xfff0)))
        if name in ("eq", "lg"):
            yield f"s_cmp_{name}_u64 A, B", 64, 64, 0, lambda n, a, b, d, c, fn=fn: (d, int(fn(a, b)))
    yield "s_movk_i32 D, -5", 0, 0, 32, lambda n, a, b, d, c: (-5 & M32, c)
    yield "s_cmovk_i32 D, -5", 0, 0, 32, lambda n, a, b, d, c: (-5 & M32 if c else d, c)
    yield "s_addk_i32 D, -5", 0, 0, 32, lambda n, a, b, d, c: overflow(lambda x, y: x + y)(32, d, -5 & M32, 0, c)
    yield "s_mulk_i32 D, -5", 0, 0, 32, lambda n, a, b, d, c: (d * -5 & M32, c)


# exec before is the second source: the result is the old exec, or the new one.
EXEC = {"and": lambda s, x: s & x, "or": lambda s, x: s | x, "xor": lambda s, x: s ^ x, "andn2": lambda s, x: s & ~x,
        "orn2": lambda s, x: s | ~x, "nand": lambda s, x: ~(s & x), "nor": lambda s, x: ~(s | x), "xnor": lambda s, x: ~(s ^ x),
        "andn1": lambda s, x: ~s & x, "orn1": lambda s, x: ~s | x}


def exec_forms():
    for name, fn in EXEC.items():
        yield f"s_{name}_saveexec_b64 s[12:13], s[8:9]", lambda a, x, fn=fn: (x, fn(a, x) & M64)
    for name in ("andn1", "andn2"):
        yield f"s_{name}_wrexec_b64 s[12:13], s[8:9]", lambda a, x, fn=EXEC[name]: (fn(a, x) & M64, fn(a, x) & M64)


SCALAR = """    s_load_dwordx8 s[8:15], s[4:5], 0x0
    s_waitcnt lgkmcnt(0)
    s_cmp_lg_u32 s14, 0
{op}    s_cselect_b32 s16, 1, 0
    s_mov_b64 s[18:19], exec
    s_mov_b64 exec, -1
    v_mov_b32 v2, s12
    v_mov_b32 v3, s13
    v_mov_b32 v4, s16
    v_mov_b32 v5, s18
    v_mov_b32 v6, s19
    global_store_dword v1, v2, s[6:7]
    global_store_dword v1, v3, s[6:7] offset:256
    global_store_dword v1, v4, s[6:7] offset:512
    global_store_dword v1, v5, s[6:7] offset:768
    global_store_dword v1, v6, s[6:7] offset:1024
"""
EDGES = [0, 1, 2, M32, M32 - 1, 1 << 31, (1 << 31) - 1, M64, 1 << 63, (1 << 63) - 1, 0x00100004, 0x0040003f, 0x8000ffff, 1 << 32]


def row(x):
    return struct.pack("<64I", *[x & M32] * LANES)


def scalar_kernel(rng, text, compute, set_exec):
    op = "    s_mov_b64 exec, s[10:11]\n" if set_exec else ""
    body = SCALAR.format(op=op + "    " + text + "\n")
    groups = []
    for k in range(24):
        a, b, d = (rng.choice(EDGES) if rng.random() < .5 else rng.getrandbits(64) >> rng.choice([0, 0, 32, 50]) for _ in range(3))
        c = rng.getrandbits(1) if k else 1
        result, scc, ex = compute(a, b, d, c)
        given = struct.pack("<8I224x", a & M32, a >> 32, b & M32, b >> 32, d & M32, d >> 32, c, 0)
        groups.append(given + b"".join(row(x) for x in (result, result >> 32, scc, ex, ex >> 32)))
    return text, body, 1, 5, groups


def scalars(rng):
    pair = {32: "{0}", 64: "[{0}:{1}]", 0: ""}
    for text, wa, wb, wd, fn in scalar_forms():
        name = text
        for letter, width, base in (("D", wd or 32, 12), ("A", wa, 8), ("B", wb, 10)):
            name = " ".join(w.replace(letter, "s" + pair[width or 32].format(base, base + 1)) if w.rstrip(",") == letter else w
                            for w in name.split(" "))

        def compute(a, b, d, c, fn=fn, wa=wa, wb=wb, wd=wd):
            def cut(x, w):
                return x & (1 << (w or 32)) - 1
            r, scc = fn(wd or 32, cut(a, wa), cut(b, wb), cut(d, wd) if wd else d, c)
            if wd == 32:
                r |= d & ~M32
            return r if wd else d, scc, M64
        yield scalar_kernel(rng, name, compute, False)
    for text, fn in exec_forms():
        def compute(a, b, d, c, fn=fn):
            r, ex = fn(a, b)
            return r, int(ex != 0), ex
        yield scalar_kernel(rng, text, compute, True)


# ---- Memory. v1 addresses in the image, v[2:5] data, v[8:11] the destination; the image is 2048 bytes of LDS or of memory.
class Lane:
    def __init__(self, image, at, data, dst):
        self.image, self.at, self.data, self.dst = image, at, data, dst

    def load(self, offset, n):
        return int.from_bytes(self.image[self.at + offset:self.at + offset + n], "little")

    def store(self, offset, n, x):
        self.image[self.at + offset:self.at + offset + n] = (x & (1 << 8 * n) - 1).to_bytes(n, "little")

    def value(self, first, n):
        return sum(x << 32 * k for k, x in enumerate(self.data[first:first + n]))

    def result(self, first, n, x):
        for k in range(n):
            self.dst[first + k] = x >> 32 * k & M32


NARROW = {"u8": (1, 0, None), "i8": (1, 8, None), "u16": (2, 0, None), "i16": (2, 16, None),
          "u8_d16": (1, 0, 0), "i8_d16": (1, 8, 0), "u16_d16": (2, 0, 0),
          "u8_d16_hi": (1, 0, 16), "i8_d16_hi": (1, 8, 16), "u16_d16_hi": (2, 0, 16)}


def narrow(kind, offset):
    n, sign, half = NARROW[kind]

    def f(t):
        x = t.load(offset, n)
        x = signed(x, sign) if sign else x
        if half is None:
            t.dst[0] = x & M32
        else:
            t.dst[0] = t.dst[0] & ~(0xffff << half) & M32 | (x & 0xffff) << half
    return f


def load_words(n, offset=0):
    return lambda t: t.result(0, n, t.load(offset, 4 * n))


def store_words(n, offset=0):
    return lambda t: t.store(offset, 4 * n, t.value(0, n))


def f32(x):
    return struct.unpack("<f", struct.pack("<I", x))[0]


def f64(x):
    return struct.unpack("<d", struct.pack("<Q", x))[0]


def add_f32(old, x):
    return struct.unpack("<I", struct.pack("<f", f32(old) + f32(x)))[0]


def add_f64(old, x):
    return struct.unpack("<Q", struct.pack("<d", f64(old) + f64(x)))[0]


def limit(better, sign):
    def f(bits, old, x):
        a, b = (signed(old, bits), signed(x, bits)) if sign else (old, x)
        return old if better(a, b) else x
    return f


ATOMICS = {"add": lambda n, o, x: o + x, "sub": lambda n, o, x: o - x, "inc": lambda n, o, x: 0 if o >= x else o + 1,
           "dec": lambda n, o, x: x if o == 0 or o > x else o - 1, "and": lambda n, o, x: o & x, "or": lambda n, o, x: o | x,
           "xor": lambda n, o, x: o ^ x, "smin": limit(lambda a, b: a < b, True), "smax": limit(lambda a, b: a > b, True),
           "umin": limit(lambda a, b: a < b, False), "umax": limit(lambda a, b: a > b, False), "swap": lambda n, o, x: x,
           "rsub": lambda n, o, x: x - o}
DS_NAME = {"smin": "min_i", "smax": "max_i", "umin": "min_u", "umax": "max_u", "and": "and_b", "or": "or_b", "xor": "xor_b",
           "add": "add_u", "sub": "sub_u", "inc": "inc_u", "dec": "dec_u", "rsub": "rsub_u", "swap": "wrxchg_b"}


def atomic(words, fn, back, offset=0):
    def f(t):
        old = t.load(offset, 4 * words)
        t.store(offset, 4 * words, fn(32 * words, old, t.value(0, words)))
        if back:
            t.result(0, words, old)
    return f


def compare_swap(words, back, new_first, offset=0):
    def f(t):
        a, b = t.value(0, words), t.value(words, words)
        new, cmp = (a, b) if new_first else (b, a)
        old = t.load(offset, 4 * words)
        if old == cmp:
            t.store(offset, 4 * words, new)
        if back:
            t.result(0, words, old)
    return f


def regs(base, n):
    return f"v{base}" if n == 1 else f"v[{base}:{base + n - 1}]"


def rtn(name):
    """ds_add_u32: ds_add_rtn_u32."""
    head, tail = name.rsplit("_", 1)
    return f"{head}_rtn_{tail}"


def lds_forms():
    """(text, stride of the lanes' addresses, function of a Lane, floats)"""
    for n, bits in ((1, 32), (2, 64), (3, 96), (4, 128)):
        yield f"ds_read_b{bits} {regs(8, n)}, v1 offset:16", 16, load_words(n, 16), None
        yield f"ds_write_b{bits} v1, {regs(2, n)} offset:16", 16, store_words(n, 16), None
    for kind, (n, _, _) in NARROW.items():
        yield f"ds_read_{kind} v8, v1 offset:{3 * n}", 4, narrow(kind, 3 * n), None
    for n in (1, 2):
        for hi in (0, 16):
            yield f"ds_write_b{8 * n}{'_d16_hi' if hi else ''} v1, v2 offset:{3 * n}", 4, \
                lambda t, n=n, hi=hi: t.store(3 * n, n, t.data[0] >> hi), None
    for n, bits in ((1, 32), (2, 64)):
        for st, unit, one in (("", 4 * n, 1), ("st64", 256 * n, 1)):
            def read2(t, n=n, unit=unit):
                t.result(0, n, t.load(0, 4 * n))
                t.result(n, n, t.load(unit, 4 * n))

            def write2(t, n=n, unit=unit):
                t.store(0, 4 * n, t.value(0, n))
                t.store(unit, 4 * n, t.value(n, n))
            stride = 8 * n if not st else 4 * n
            yield f"ds_read2{st}_b{bits} {regs(8, 2 * n)}, v1 offset0:0 offset1:{one}", stride, read2, None
            yield f"ds_write2{st}_b{bits} v1, {regs(2, n)}, {regs(2 + n, n)} offset0:0 offset1:{one}", stride, write2, None
        for op, fn in ATOMICS.items():
            name = f"ds_{DS_NAME[op]}{bits}"
            if op != "swap":
                yield f"{name} v1, {regs(2, n)} offset:8", 8, atomic(n, fn, False, 8), None
            yield f"{rtn(name)} {regs(8, n)}, v1, {regs(2, n)} offset:8", 8, atomic(n, fn, True, 8), None
        yield f"ds_cmpst_b{bits} v1, {regs(2, n)}, {regs(2 + n, n)}", 8, compare_swap(n, False, False), "equal"
        yield f"ds_cmpst_rtn_b{bits} {regs(8, n)}, v1, {regs(2, n)}, {regs(2 + n, n)}", 8, compare_swap(n, True, False), "equal"
    yield "ds_add_f32 v1, v2", 4, atomic(1, lambda n, o, x: add_f32(o, x), False), "f32"
    yield "ds_add_rtn_f32 v8, v1, v2", 4, atomic(1, lambda n, o, x: add_f32(o, x), True), "f32"
    yield "ds_add_f64 v1, v[2:3]", 8, atomic(2, lambda n, o, x: add_f64(o, x), False), "f64"
    yield "ds_add_rtn_f64 v[8:9], v1, v[2:3]", 8, atomic(2, lambda n, o, x: add_f64(o, x), True), "f64"
    yield "ds_add_u32 v1, v2", 0, atomic(1, ATOMICS["add"], False), None
    yield "ds_max_u32 v1, v2", 0, atomic(1, ATOMICS["umax"], False), None


GLOBAL_NARROW = {"ubyte": "u8", "sbyte": "i8", "ushort": "u16", "sshort": "i16", "ubyte_d16": "u8_d16", "sbyte_d16": "i8_d16",
                 "short_d16": "u16_d16", "ubyte_d16_hi": "u8_d16_hi", "sbyte_d16_hi": "i8_d16_hi", "short_d16_hi": "u16_d16_hi"}


def memory_forms():
    """The forms of an address: base in SGPRs and offsets, 64-bit addresses, flat, a buffer's."""
    spaces = (("global", "v1", "s[20:21]", 24), ("global", "v[30:31]", "off", -8), ("flat", "v[30:31]", "", 0),
              ("buffer", "v1", "s[20:23], 0 offen", 16))
    for space, at, base, offset in spaces:
        tail = f", {base}" if base else ""
        tail += f" offset:{offset}" if offset else ""
        sizes = (("dword", 1), ("dwordx2", 2), ("dwordx3", 3), ("dwordx4", 4))
        for name, n in sizes:
            yield f"{space}_load_{name} {regs(8, n)}, {at}{tail}", 16, load_words(n, offset), None
            data = f"{regs(2, n)}, {at}" if space == "buffer" else f"{at}, {regs(2, n)}"
            yield f"{space}_store_{name} {data}{tail}", 16, store_words(n, offset), None
        for name, kind in GLOBAL_NARROW.items():
            yield f"{space}_load_{name} v8, {at}{tail}", 4, narrow(kind, offset), None
        for name, n in (("byte", 1), ("short", 2)):
            for hi in (0, 16):
                data = f"v2, {at}" if space == "buffer" else f"{at}, v2"
                yield f"{space}_store_{name}{'_d16_hi' if hi else ''} {data}{tail}", 4, \
                    lambda t, n=n, hi=hi, offset=offset: t.store(offset, n, t.data[0] >> hi), None
        for op, fn in ATOMICS.items():
            if op == "rsub":
                continue
            for n in (1, 2):
                name = f"{space}_atomic_{op}{'_x2' if n == 2 else ''}"
                data = f"{regs(2, n)}, {at}" if space == "buffer" else f"{at}, {regs(2, n)}"
                yield f"{name} {data}{tail}", 8, atomic(n, fn, False, offset), None
                if space != "buffer":
                    yield f"{name} {regs(8, n)}, {data}{tail} sc0", 8, atomic(n, fn, True, offset), None
        for n in (1, 2):
            name = f"{space}_atomic_cmpswap{'_x2' if n == 2 else ''}"
            data = f"{regs(2, 2 * n)}, {at}" if space == "buffer" else f"{at}, {regs(2, 2 * n)}"
            yield f"{name} {data}{tail}", 8, compare_swap(n, False, True, offset), "swapped"
            if space != "buffer":
                yield f"{name} {regs(8, n)}, {data}{tail} sc0", 8, compare_swap(n, True, True, offset), "swapped"
        data = f"v2, {at}" if space == "buffer" else f"{at}, v2"
        yield f"{space}_atomic_add_f32 {data}{tail}", 4, atomic(1, lambda n, o, x: add_f32(o, x), False, offset), "f32"
        data = f"v[2:3], {at}" if space == "buffer" else f"{at}, v[2:3]"
        yield f"{space}_atomic_add_f64 {data}{tail}", 8, atomic(2, lambda n, o, x: add_f64(o, x), False, offset), "f64"


# Rows in: addresses, 4 of data, 8 of the image, exec. Rows out: 4 of the destination, 8 of the image.
def memory_body(text, lds):
    body = "".join(f"    global_load_dword v{40 + k}, v1, s[4:5] offset:{256 * k}\n" for k in range(13))
    body += "    s_load_dwordx2 s[24:25], s[4:5], 0xd00\n    s_add_u32 s20, s6, 0x400\n    s_addc_u32 s21, s7, 0\n" \
        "    s_movk_i32 s22, 0x800\n    s_mov_b32 s23, 0x27000\n    v_mov_b32 v60, v1\n    s_waitcnt vmcnt(0) lgkmcnt(0)\n"
    body += "".join(f"    v_mov_b32 v{2 + k}, v{41 + k}\n    v_mov_b32 v{8 + k}, 0xa5a5a5a5\n" for k in range(4))
    body += "    v_mov_b32 v1, v40\n    v_mov_b32 v31, s21\n    v_add_co_u32 v30, vcc, s20, v1\n    s_nop 1\n" \
        "    v_addc_co_u32 v31, vcc, 0, v31, vcc\n"
    for k in range(8):
        body += f"    ds_write_b32 v60, v{45 + k} offset:{256 * k}\n" if lds else \
            f"    global_store_dword v60, v{45 + k}, s[6:7] offset:{1024 + 256 * k}\n"
    body += f"    s_waitcnt vmcnt(0) lgkmcnt(0)\n    s_mov_b64 exec, s[24:25]\n    {text}\n" \
        "    s_mov_b64 exec, -1\n    s_waitcnt vmcnt(0) lgkmcnt(0)\n"
    body += "".join(f"    global_store_dword v60, v{8 + k}, s[6:7] offset:{256 * k}\n" for k in range(4))
    for k in range(8 if lds else 0):
        body += f"    ds_read_b32 v{45 + k}, v60 offset:{256 * k}\n    s_waitcnt lgkmcnt(0)\n" \
            f"    global_store_dword v60, v{45 + k}, s[6:7] offset:{1024 + 256 * k}\n"
    return body


def word(rng, kind):
    return struct.unpack("<I", struct.pack("<f", rng.uniform(-100, 100)))[0] if kind == "f32" else rng.getrandbits(32)


def pattern(rng, kind, n):
    if kind != "f64":
        return [word(rng, kind) for _ in range(n)]
    return [x for _ in range(n // 2) for x in struct.unpack("<2I", struct.pack("<d", rng.uniform(-100, 100)))]


def memory_group(rng, stride, fn, kind, mask):
    image = bytearray(struct.pack("<512I", *pattern(rng, kind, 512)))
    places = rng.sample(range(LANES), LANES)
    at = [32 + p * stride for p in places]
    if kind == "f64":
        at = [a // 8 * 8 for a in at]
    data = [pattern(rng, kind, 4) for _ in range(LANES)]
    if kind in ("equal", "swapped"):  # half of the lanes compare with what is there
        for lane in range(0, LANES, 2):
            probe = Lane(image, at[lane], None, None)
            for k in range(4):
                data[lane][k] = probe.load(4 * (k & 1), 4) if rng.random() < .9 else data[lane][k]
    given = struct.pack("<64I", *at) + b"".join(struct.pack("<64I", *[d[k] for d in data]) for k in range(4)) + bytes(image)
    given += struct.pack("<2I248x", mask & M32, mask >> 32)
    dst = [[0xa5a5a5a5] * 4 for _ in range(LANES)]
    for lane in range(LANES):
        if mask >> lane & 1:
            fn(Lane(image, at[lane], data[lane], dst[lane]))
    return given + b"".join(struct.pack("<64I", *[d[k] for d in dst]) for k in range(4)) + bytes(image)


def memory(rng):
    for lds, forms in ((True, lds_forms()), (False, memory_forms())):
        for text, stride, fn, kind in forms:
            groups = [memory_group(rng, stride, fn, kind, mask) for mask in (M64, rng.getrandbits(64), 1 << 63)]
            yield text, memory_body(text, lds), 14, 12, groups


def main():
    rng, written = random.Random(942), Cases(LDS, SCRATCH, SGPRS)
    for n, (text, body, n_in, n_out, groups) in enumerate([*scalars(rng), *memory(rng)]):
        written.add(f"machine_{n}", text, body, (n_in, n_out), DIRECTIVES, (len(groups), b"".join(groups)))
    written.write()


if __name__ == "__main__":
    main()
