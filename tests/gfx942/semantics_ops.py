"""The forms that semantics.py makes cases of, and the reference of each: the ISA document's statement of the instruction over exact
numbers. Sources arrive as the bits of the operand."""
import math
import re
from fractions import Fraction

from semantics import BF16, F16, F32, F64, FORMATS, LANES, Form, Format, Mode, exponent

M32, M64 = 0xFFFFFFFF, (1 << 64) - 1
A = {1: "v10", 2: "v[10:11]", 4: "v[10:13]"}
B = {1: "v14", 2: "v[14:15]", 4: "v[14:17]"}
C = {1: "v18", 2: "v[18:19]", 4: "v[18:21]"}
D = {1: "v22", 2: "v[22:23]", 4: "v[22:25]"}
WIDTH = {"b16": 1, "f16": 1, "b32": 1, "f32": 1, "pk16": 1, "pkf16": 1, "b64": 2, "f64": 2, "pkf32": 2, "pkb32": 2, "b128": 4}
NAN_OF = {"f32": 1, "f16": 2, "pkf16": 3, "f64": 4, "pkf32": 5}


def s(x, bits):
    """The low bits as a signed number."""
    x &= (1 << bits) - 1
    return x - (1 << bits) if x >> bits - 1 else x


def u(x, bits):
    return x & (1 << bits) - 1


def sat(x, lo, hi):
    return max(lo, min(hi, x))


# ---- Integers: name, destination, sources, function of exact integers, range of clamp (None where the form has none)
U32, I32, U16, I16 = (0, M32), (-1 << 31, (1 << 31) - 1), (0, 0xFFFF), (-1 << 15, (1 << 15) - 1)


def bit_scan(x, bits, order):
    hits = [i for i in range(bits) if x >> (bits - 1 - i if order == "msb" else i) & 1]
    return hits[0] if hits else M32


def ffbh_i32(x):
    hits = [i for i in range(1, 32) if (x >> 31 - i & 1) != x >> 31]
    return hits[0] if hits else M32


def bfe_i(x, y, z):
    n = z & 31
    return s(s(x, 32) >> (y & 31), n) if n else 0


def perm(x, y, sel):
    data = x << 32 | y
    byte = [data >> 8 * i & 0xFF for i in range(8)]

    def one(k):
        if k >= 13:
            return 0xFF
        if k == 12:
            return 0
        if k >= 8:
            return 0xFF * (byte[{8: 1, 9: 3, 10: 5, 11: 7}[k]] >> 7)
        return byte[k]

    return sum(one(sel >> 8 * i & 0xFF) << 8 * i for i in range(4))


def bytes_of(x, n=4):
    return [x >> 8 * i & 0xFF for i in range(n)]


def sad(x, y):
    return sum(abs(p - q) for p, q in zip(bytes_of(x), bytes_of(y)))


def msad(x, y):
    return sum(abs(p - q) for p, q in zip(bytes_of(x), bytes_of(y)) if q)


def qsad(fn, bits):
    def run(x, y, z):
        r = 0
        for i in range(4):
            r |= u(fn(u(x >> 8 * i, 32), y) + u(z >> bits * i, bits), bits) << bits * i
        return r

    return run


def med(x, y, z):
    return sorted((x, y, z))[1]


def parts(x, bits, signed):
    return [(s if signed else u)(x >> i, bits) for i in range(0, 32, bits)]


def dot(bits, signed):
    return lambda x, y, z: sum(p * q for p, q in zip(parts(x, bits, signed), parts(y, bits, signed))) + (s(z, 32) if signed else z)


INTS = [
    ("mov_b32", "b32", 1, lambda x: x, None),
    ("not_b32", "b32", 1, lambda x: ~x, None),
    ("bfrev_b32", "b32", 1, lambda x: int("{:032b}".format(x)[::-1], 2), None),
    ("ffbh_u32", "b32", 1, lambda x: bit_scan(x, 32, "msb"), None),
    ("ffbl_b32", "b32", 1, lambda x: bit_scan(x, 32, "lsb"), None),
    ("ffbh_i32", "b32", 1, ffbh_i32, None),
    ("and_b32", "b32", 2, lambda x, y: x & y, None),
    ("or_b32", "b32", 2, lambda x, y: x | y, None),
    ("xor_b32", "b32", 2, lambda x, y: x ^ y, None),
    ("xnor_b32", "b32", 2, lambda x, y: ~(x ^ y), None),
    ("lshlrev_b32", "b32", 2, lambda x, y: y << (x & 31), None),
    ("lshrrev_b32", "b32", 2, lambda x, y: y >> (x & 31), None),
    ("ashrrev_i32", "b32", 2, lambda x, y: s(y, 32) >> (x & 31), None),
    ("min_i32", "b32", 2, lambda x, y: min(s(x, 32), s(y, 32)), None),
    ("max_i32", "b32", 2, lambda x, y: max(s(x, 32), s(y, 32)), None),
    ("min_u32", "b32", 2, min, None),
    ("max_u32", "b32", 2, max, None),
    ("mul_i32_i24", "b32", 2, lambda x, y: s(x, 24) * s(y, 24), I32),
    ("mul_hi_i32_i24", "b32", 2, lambda x, y: s(x, 24) * s(y, 24) >> 32, None),
    ("mul_u32_u24", "b32", 2, lambda x, y: u(x, 24) * u(y, 24), U32),
    ("mul_hi_u32_u24", "b32", 2, lambda x, y: u(x, 24) * u(y, 24) >> 32, None),
    ("mul_lo_u32", "b32", 2, lambda x, y: x * y, None),
    ("mul_hi_u32", "b32", 2, lambda x, y: x * y >> 32, None),
    ("mul_hi_i32", "b32", 2, lambda x, y: s(x, 32) * s(y, 32) >> 32, None),
    ("bcnt_u32_b32", "b32", 2, lambda x, y: bin(x).count("1") + y, None),
    ("bfm_b32", "b32", 2, lambda x, y: ((1 << (x & 31)) - 1) << (y & 31), None),
    ("add_u32", "b32", 2, lambda x, y: x + y, U32),
    ("sub_u32", "b32", 2, lambda x, y: x - y, U32),
    ("subrev_u32", "b32", 2, lambda x, y: y - x, U32),
    ("add_i32", "b32", 2, lambda x, y: s(x, 32) + s(y, 32), I32),
    ("sub_i32", "b32", 2, lambda x, y: s(x, 32) - s(y, 32), I32),
    ("mad_i32_i24", "b32", 3, lambda x, y, z: s(x, 24) * s(y, 24) + s(z, 32), I32),
    ("mad_u32_u24", "b32", 3, lambda x, y, z: u(x, 24) * u(y, 24) + z, U32),
    ("mad_u32_u16", "b32", 3, lambda x, y, z: u(x, 16) * u(y, 16) + z, U32),
    ("mad_i32_i16", "b32", 3, lambda x, y, z: s(x, 16) * s(y, 16) + s(z, 32), I32),
    ("bfe_u32", "b32", 3, lambda x, y, z: u(x >> (y & 31), z & 31), None),
    ("bfe_i32", "b32", 3, bfe_i, None),
    ("bfi_b32", "b32", 3, lambda x, y, z: x & y | ~x & z, None),
    ("alignbit_b32", "b32", 3, lambda x, y, z: (x << 32 | y) >> (z & 31), None),
    ("alignbyte_b32", "b32", 3, lambda x, y, z: (x << 32 | y) >> 8 * (z & 3), None),
    ("min3_i32", "b32", 3, lambda x, y, z: min(s(x, 32), s(y, 32), s(z, 32)), None),
    ("max3_i32", "b32", 3, lambda x, y, z: max(s(x, 32), s(y, 32), s(z, 32)), None),
    ("med3_i32", "b32", 3, lambda x, y, z: med(s(x, 32), s(y, 32), s(z, 32)), None),
    ("min3_u32", "b32", 3, min, None),
    ("max3_u32", "b32", 3, max, None),
    ("med3_u32", "b32", 3, med, None),
    ("xad_u32", "b32", 3, lambda x, y, z: (x ^ y) + z, None),
    ("lshl_add_u32", "b32", 3, lambda x, y, z: (x << (y & 31)) + z, None),
    ("add_lshl_u32", "b32", 3, lambda x, y, z: x + y << (z & 31), None),
    ("add3_u32", "b32", 3, lambda x, y, z: x + y + z, None),
    ("lshl_or_b32", "b32", 3, lambda x, y, z: x << (y & 31) | z, None),
    ("and_or_b32", "b32", 3, lambda x, y, z: x & y | z, None),
    ("or3_b32", "b32", 3, lambda x, y, z: x | y | z, None),
    ("perm_b32", "b32", 3, perm, None),
    ("lerp_u8", "b32", 3, lambda x, y, z: sum((p + q + (r & 1) >> 1) << 8 * i
                                               for i, (p, q, r) in enumerate(zip(bytes_of(x), bytes_of(y), bytes_of(z)))), None),
    ("sad_u8", "b32", 3, lambda x, y, z: sad(x, y) + z, U32),
    ("sad_hi_u8", "b32", 3, lambda x, y, z: (sad(x, y) << 16) + z, U32),
    ("sad_u16", "b32", 3, lambda x, y, z: abs(u(x, 16) - u(y, 16)) + abs((x >> 16) - (y >> 16)) + z, U32),
    ("sad_u32", "b32", 3, lambda x, y, z: abs(x - y) + z, U32),
    ("msad_u8", "b32", 3, lambda x, y, z: msad(x, y) + z, U32),
    ("dot4_i32_i8", "b32", 3, dot(8, True), I32),
    ("dot4_u32_u8", "b32", 3, dot(8, False), U32),
    ("dot8_i32_i4", "b32", 3, dot(4, True), I32),
    ("dot8_u32_u4", "b32", 3, dot(4, False), U32),
    ("dot2_i32_i16", "b32", 3, dot(16, True), I32),
    ("dot2_u32_u16", "b32", 3, dot(16, False), U32),
    ("cvt_pk_u16_u32", "b32", 2, lambda x, y: min(x, 0xFFFF) | min(y, 0xFFFF) << 16, None),
    ("cvt_pk_i16_i32", "b32", 2, lambda x, y: u(sat(s(x, 32), *I16), 16) | u(sat(s(y, 32), *I16), 16) << 16, None),
    ("sat_pk_u8_i16", "b16", 1, lambda x: sat(s(x, 16), 0, 255) | sat(s(x >> 16, 16), 0, 255) << 8, None),
    # 16 bits: the rows of gfx8 zero the high half of the destination, those with op_sel leave it alone ("keep").
    ("lshlrev_b16", "b16", 2, lambda x, y: y << (x & 15), None),
    ("lshrrev_b16", "b16", 2, lambda x, y: u(y, 16) >> (x & 15), None),
    ("ashrrev_i16", "b16", 2, lambda x, y: s(y, 16) >> (x & 15), None),
    ("mul_lo_u16", "b16", 2, lambda x, y: x * y, None),
    ("min_i16", "b16", 2, lambda x, y: min(s(x, 16), s(y, 16)), None),
    ("max_i16", "b16", 2, lambda x, y: max(s(x, 16), s(y, 16)), None),
    ("min_u16", "b16", 2, lambda x, y: min(u(x, 16), u(y, 16)), None),
    ("max_u16", "b16", 2, lambda x, y: max(u(x, 16), u(y, 16)), None),
    ("add_u16", "b16", 2, lambda x, y: u(x, 16) + u(y, 16), U16),
    ("sub_u16", "b16", 2, lambda x, y: u(x, 16) - u(y, 16), U16),
    ("subrev_u16", "b16", 2, lambda x, y: u(y, 16) - u(x, 16), U16),
    ("mad_legacy_u16", "b16", 3, lambda x, y, z: u(x, 16) * u(y, 16) + u(z, 16), U16),
    ("mad_legacy_i16", "b16", 3, lambda x, y, z: s(x, 16) * s(y, 16) + s(z, 16), I16),
    ("add_i16", "keep", 2, lambda x, y: s(x, 16) + s(y, 16), I16),
    ("sub_i16", "keep", 2, lambda x, y: s(x, 16) - s(y, 16), I16),
    ("mad_u16", "keep", 3, lambda x, y, z: u(x, 16) * u(y, 16) + u(z, 16), U16),
    ("mad_i16", "keep", 3, lambda x, y, z: s(x, 16) * s(y, 16) + s(z, 16), I16),
    ("min3_i16", "keep", 3, lambda x, y, z: min(s(x, 16), s(y, 16), s(z, 16)), None),
    ("max3_i16", "keep", 3, lambda x, y, z: max(s(x, 16), s(y, 16), s(z, 16)), None),
    ("med3_i16", "keep", 3, lambda x, y, z: med(s(x, 16), s(y, 16), s(z, 16)), None),
    ("min3_u16", "keep", 3, lambda x, y, z: min(u(x, 16), u(y, 16), u(z, 16)), None),
    ("max3_u16", "keep", 3, lambda x, y, z: max(u(x, 16), u(y, 16), u(z, 16)), None),
    ("med3_u16", "keep", 3, lambda x, y, z: med(u(x, 16), u(y, 16), u(z, 16)), None),
]
E32 = {"mov_b32", "not_b32", "bfrev_b32", "ffbh_u32", "ffbl_b32", "ffbh_i32", "and_b32", "or_b32", "xor_b32", "xnor_b32", "lshlrev_b32",
       "lshrrev_b32", "ashrrev_i32", "min_i32", "max_i32", "min_u32", "max_u32", "mul_i32_i24", "mul_hi_i32_i24", "mul_u32_u24",
       "mul_hi_u32_u24", "add_u32", "sub_u32", "subrev_u32", "sat_pk_u8_i16", "lshlrev_b16", "lshrrev_b16", "ashrrev_i16",
       "mul_lo_u16", "min_i16", "max_i16", "min_u16", "max_u16", "add_u16", "sub_u16", "subrev_u16"}


def mnemonic(name, e64=False):
    return "v_" + name + (("_e64" if e64 else "_e32") if name in E32 else "")


def operands(dst, srcs):
    regs = [D[WIDTH[dst]]] + [r[WIDTH[k]] for r, k in zip((A, B, C), srcs)]
    return ", ".join(regs)


def int_forms():
    for name, dst, n, fn, limits in INTS:
        half = dst in ("b16", "keep")
        bits = 16 if half else 32
        srcs = ["b16" if half and name != "sat_pk_u8_i16" else "b32"] * n
        if name in ("mad_u32_u16", "mad_i32_i16"):
            srcs = ["b16", "b16", "b32"]

        def run(lane, a, b, c, d, m, fn=fn, n=n, bits=bits, keep=dst == "keep", limits=None):
            x = fn(*(a, b, c)[:n])
            x = u(sat(x, *limits) if limits else x, bits)
            return (x | d & 0xFFFF0000 if keep else x), None

        regs = operands("b32", srcs)
        yield Form("%s %s" % (mnemonic(name), regs), "b32", srcs, run)
        if name in E32:
            yield Form("%s %s" % (mnemonic(name, True), regs), "b32", srcs, run, n_groups=1)
        if limits:
            def clamped(*args, run=run, limits=limits):
                return run(*args, limits=limits)
            yield Form("%s %s clamp" % (mnemonic(name, True), regs), "b32", srcs, clamped)


def carry_forms():
    def run(fn):
        def one(lane, a, b, c, d, m):
            r = fn(a, b, m)
            return u(r, 32), int(r < 0 or r > M32)
        return one

    for name, fn, needs in (("add_co_u32", lambda x, y, c: x + y, False), ("sub_co_u32", lambda x, y, c: x - y, False),
                            ("subrev_co_u32", lambda x, y, c: y - x, False), ("addc_co_u32", lambda x, y, c: x + y + c, True),
                            ("subb_co_u32", lambda x, y, c: x - y - c, True), ("subbrev_co_u32", lambda x, y, c: y - x - c, True)):
        tail = ", vcc" if needs else ""
        yield Form("v_%s_e32 v22, vcc, v10, v14%s" % (name, tail), "b32", ["b32", "b32"], run(fn), mask_in=needs, mask_out=True)
        yield Form("v_%s_e64 v22, vcc, v10, v14%s" % (name, tail), "b32", ["b32", "b32"], run(fn), mask_in=needs, mask_out=True)
    yield Form("v_cndmask_b32_e32 v22, v10, v14, vcc", "b32", ["b32", "b32"], lambda lane, a, b, c, d, m: (b if m else a, None),
               mask_in=True)
    yield Form("v_cndmask_b32_e64 v22, -v10, |v14|, vcc", "b32", ["b32", "b32"],
               lambda lane, a, b, c, d, m: (b & 0x7FFFFFFF if m else a ^ 0x80000000, None), mask_in=True)

    def mad_u64(lane, a, b, c, d, m):
        r = a * b + c
        return u(r, 64), r >> 64 & 1

    def mad_i64(lane, a, b, c, d, m):
        r = s(a, 32) * s(b, 32) + s(c, 64)
        return u(r, 64), r >> 64 & 1
    yield Form("v_mad_u64_u32 v[22:23], vcc, v10, v14, v[18:19]", "b64", ["b32", "b32", "b64"], mad_u64, mask_out=True)
    yield Form("v_mad_i64_i32 v[22:23], vcc, v10, v14, v[18:19]", "b64", ["b32", "b32", "b64"], mad_i64, mask_out=True)


def wide_forms():
    def form(text, dst, srcs, fn):
        return Form(text, dst, srcs, lambda lane, a, b, c, d, m: (fn(a, b, c), None))

    yield form("v_mov_b64_e32 v[22:23], v[10:11]", "b64", ["b64"], lambda a, b, c: a)
    yield form("v_lshlrev_b64 v[22:23], v10, v[14:15]", "b64", ["b32", "b64"], lambda a, b, c: u(b << (a & 63), 64))
    yield form("v_lshrrev_b64 v[22:23], v10, v[14:15]", "b64", ["b32", "b64"], lambda a, b, c: b >> (a & 63))
    yield form("v_ashrrev_i64 v[22:23], v10, v[14:15]", "b64", ["b32", "b64"], lambda a, b, c: u(s(b, 64) >> (a & 63), 64))
    yield form("v_lshl_add_u64 v[22:23], v[10:11], v14, v[18:19]", "b64", ["b64", "b32", "b64"],
               lambda a, b, c: u((a << (b & 7)) + c, 64))
    yield form("v_qsad_pk_u16_u8 v[22:23], v[10:11], v14, v[18:19]", "b64", ["b64", "b32", "b64"], qsad(sad, 16))
    yield form("v_mqsad_pk_u16_u8 v[22:23], v[10:11], v14, v[18:19]", "b64", ["b64", "b32", "b64"], qsad(msad, 16))
    yield form("v_mqsad_u32_u8 v[22:25], v[10:11], v14, v[18:21]", "b128", ["b64", "b32", "b128"], qsad(msad, 32))
    for name, shift in (("lo", 0), ("hi", 32)):
        yield Form("v_mbcnt_%s_u32_b32 v22, v10, v14" % name, "b32", ["b32", "b32"],
                   lambda lane, a, b, c, d, m, shift=shift: (u(bin(a & ((1 << lane) - 1) >> shift).count("1") + b, 32), None))


def packed_forms():
    ops = [("pk_add_u16", 2, lambda x, y: u(x, 16) + u(y, 16), U16), ("pk_sub_u16", 2, lambda x, y: u(x, 16) - u(y, 16), U16),
           ("pk_add_i16", 2, lambda x, y: s(x, 16) + s(y, 16), I16), ("pk_sub_i16", 2, lambda x, y: s(x, 16) - s(y, 16), I16),
           ("pk_mul_lo_u16", 2, lambda x, y: x * y, None), ("pk_lshlrev_b16", 2, lambda x, y: y << (x & 15), None),
           ("pk_lshrrev_b16", 2, lambda x, y: y >> (x & 15), None), ("pk_ashrrev_i16", 2, lambda x, y: s(y, 16) >> (x & 15), None),
           ("pk_max_i16", 2, lambda x, y: max(s(x, 16), s(y, 16)), None), ("pk_min_i16", 2, lambda x, y: min(s(x, 16), s(y, 16)), None),
           ("pk_max_u16", 2, max, None), ("pk_min_u16", 2, min, None),
           ("pk_mad_i16", 3, lambda x, y, z: s(x, 16) * s(y, 16) + s(z, 16), I16), ("pk_mad_u16", 3, lambda x, y, z: x * y + z, U16)]
    for name, n, fn, limits in ops:
        for sel, sel_hi, clamp in (((0, 0, 0), (1, 1, 1), False), ((1, 0, 1), (0, 1, 0), False), ((0, 1, 0), (1, 0, 1), True)):
            if clamp and not limits:
                continue

            def run(lane, a, b, c, d, m, fn=fn, n=n, sel=sel, sel_hi=sel_hi, limits=limits if clamp else None):
                r = 0
                for at, choice in ((0, sel), (16, sel_hi)):
                    x = fn(*[u(v >> 16 * k, 16) for v, k in zip((a, b, c)[:n], choice)])
                    r |= u(sat(x, *limits) if limits else x, 16) << at
                return r, None
            mods = ""
            if sel != (0, 0, 0):
                mods = " op_sel:[%s] op_sel_hi:[%s]" % (",".join(map(str, sel[:n])), ",".join(map(str, sel_hi[:n])))
            srcs = ["pk16"] * n
            yield Form("v_%s %s%s%s" % (name, operands("b32", srcs), mods, " clamp" if clamp else ""), "b32", srcs, run)
    for sel in ((0, 0), (1, 0), (0, 1), (1, 1)):
        yield Form("v_pk_mov_b32 v[22:23], v[10:11], v[14:15] op_sel:[%d,%d]" % sel, "pkb32", ["pkb32", "pkb32"],
                   lambda lane, a, b, c, d, m, sel=sel: (u(a >> 32 * sel[0], 32) | u(b >> 32 * sel[1], 32) << 32, None))


# ---- Floats
def number(f, x):
    """Bits to a float that carries zeros' signs, infinities and NaN."""
    if f.is_nan(x):
        return math.nan
    if f.is_inf(x):
        return -math.inf if f.negative(x) else math.inf
    return float(f.value(x)) if f.value(x) else (-0.0 if f.negative(x) else 0.0)


def rounded(f, exact, special, args, mode, sources=None):
    """exact(*fractions) rounded to f, or special(*floats) where an argument is no finite number or the result is 0."""
    sources = sources or [f] * len(args)
    args = [mode.read(t, x) for t, x in zip(sources, args)]
    if any(t.is_nan(x) for t, x in zip(sources, args)):
        return f.qnan
    floats = [number(t, x) for t, x in zip(sources, args)]
    if all(math.isfinite(x) for x in floats):
        r = exact(*[t.value(x) for t, x in zip(sources, args)])
        if r is None:
            return f.qnan
        if r:
            return mode.write(f, f.round(r, mode.rm(f)))
        zero = special(*floats)
        if mode.rm(f) == 2 and zero == 0 and special.__name__ == "sum_special" and not same_signs(floats):
            return f.sign
        return f.sign if math.copysign(1, zero) < 0 else 0
    r = special(*floats)
    if math.isnan(r):
        return f.qnan
    if math.isinf(r):
        return f.inf | (f.sign if r < 0 else 0)
    return f.sign if r == 0 and math.copysign(1, r) < 0 else f.round(Fraction(r))


def same_signs(floats):
    signs = [math.copysign(1, x) for x in (floats if len(floats) == 2 else (math.copysign(1, floats[0]) * math.copysign(1, floats[1]), floats[2]))]
    return signs[0] == signs[1]


def sum_special(x, y):
    return x + y


def fma_special(x, y, z):
    p = x * y if math.isfinite(x) and math.isfinite(y) else inf_product(x, y)
    if p == 0 or (math.isfinite(x) and math.isfinite(y)):  # only signs count
        p = math.copysign(0.0 if x == 0 or y == 0 else 1.0, math.copysign(1, x) * math.copysign(1, y))
    if not math.isfinite(z) or not math.isfinite(p):
        return p + z
    return math.copysign(0.0, p) + z if z == 0 else 0.0


fma_special.__name__ = "sum_special"


def inf_product(x, y):
    return math.nan if 0 in (x, y) else math.copysign(math.inf, math.copysign(1, x) * math.copysign(1, y))


def mul_special(x, y):
    if math.isinf(x) or math.isinf(y):
        return inf_product(x, y)
    return math.copysign(0.0, math.copysign(1, x) * math.copysign(1, y))


def clamp_float(f, x, mode):
    if f.is_nan(x):
        return 0 if mode.dx10 else x
    if f.negative(x):
        return 0
    one = f.bias << f.man
    return min(x, one)


def min_max(f, want_max):
    def run(mode, x, y):
        x, y = mode.read(f, x), mode.read(f, y)
        for v in (x, y):
            if mode.ieee and f.is_snan(v):
                return v | 1 << f.man - 1
        if f.is_nan(x):
            return mode.write(f, y)
        if f.is_nan(y):
            return mode.write(f, x)
        if f.is_zero(x) and f.is_zero(y):
            return (x & y) if want_max else (x | y)
        p, q = number(f, x), number(f, y)
        return mode.write(f, x if (p >= q if want_max else p <= q) else y)
    return run


def three(fn):
    return lambda mode, x, y, z: fn(mode, fn(mode, x, y), z)


def med3(f):
    lo, hi = min_max(f, False), min_max(f, True)

    def run(written, x, y, z):
        mode = Mode(denorm32=written.denorm32 | 2, denorm64=written.denorm64 | 2, ieee=written.ieee)
        return written.write(f, pick(mode, x, y, z))

    def pick(mode, x, y, z):
        if any(f.is_nan(v) for v in (x, y, z)):
            return lo(mode, lo(mode, x, y), z)
        top = number(f, hi(mode, hi(mode, x, y), z))
        if top == number(f, mode.read(f, x)):
            return hi(mode, y, z)
        return hi(mode, x, z) if top == number(f, mode.read(f, y)) else hi(mode, x, y)
    return run


def to_integer(f, way):
    """trunc, ceil, floor, rndne: exact, the sign of a zero is the source's."""
    def run(mode, x):
        x = mode.read(f, x)
        if f.is_nan(x):
            return f.qnan
        if f.is_inf(x) or f.is_zero(x):
            return x
        v = f.value(x)
        n = {"trunc": math.trunc, "ceil": math.ceil, "floor": math.floor, "rndne": round}[way](v)
        return f.round(Fraction(n), zero_sign=f.negative(x))
    return run


def fract(f):
    def run(mode, x):
        x = mode.read(f, x)
        if not f.finite(x):
            return f.qnan
        v = f.value(x)
        below_one = (f.bias << f.man) - 1
        r = v - math.floor(v)
        if r == 0 and mode.rm(f) == 2:
            return f.sign  # x + -x, rounded down
        return mode.write(f, min(f.round(r, mode.rm(f)), below_one))
    return run


def arith(f, exact, special):
    return lambda mode, *args: rounded(f, exact, special, args, mode)


def ldexp(f, bits):
    def run(mode, x, n):
        n = sat(s(n, bits), -5000, 5000)
        return rounded(f, lambda v: v * Fraction(2) ** n, lambda v: v, [x], mode)
    return run


def frexp_mant(f):
    def run(mode, x):
        x = mode.read(f, x)
        if f.is_nan(x):
            return f.qnan
        if not f.finite(x) or f.is_zero(x):
            return x
        v = f.value(x)
        return f.round(v / Fraction(2) ** (exponent(abs(v)) + 1))
    return run


def frexp_exp(f):
    def run(mode, x):
        x = mode.read(f, x)
        return u(exponent(abs(f.value(x))) + 1, 32) if f.finite(x) and not f.is_zero(x) else 0
    return run


FLOAT2 = {"add": (lambda x, y: x + y, sum_special), "mul": (lambda x, y: x * y, mul_special)}


def float_ops(t):
    f = FORMATS[t]
    neg = f.sign
    add = arith(f, *FLOAT2["add"])
    yield "add", 2, add
    if t != "f64":
        yield "sub", 2, lambda mode, x, y: add(mode, x, y ^ neg)
        yield "subrev", 2, lambda mode, x, y: add(mode, y, x ^ neg)
    yield "mul", 2, arith(f, *FLOAT2["mul"])
    yield "max", 2, min_max(f, True)
    yield "min", 2, min_max(f, False)
    for way in ("trunc", "ceil", "floor", "rndne"):
        yield way, 1, to_integer(f, way)
    yield "fract", 1, fract(f)
    yield "frexp_mant", 1, frexp_mant(f)
    yield "fma", 3, arith(f, lambda x, y, z: x * y + z, fma_special)
    if t != "f64":
        yield "max3", 3, three(min_max(f, True))
        yield "min3", 3, three(min_max(f, False))
        yield "med3", 3, med3(f)


NO_E32 = {"fma", "max3", "min3", "med3"}
PICKS = {"max", "min", "max3", "min3", "med3"}


def float_forms():
    for t in ("f32", "f16", "f64"):
        f = FORMATS[t]
        mask = (1 << f.bits) - 1
        for name, n, fn in float_ops(t):
            e64_only = name in NO_E32 or (t == "f64" and name in ("add", "mul", "max", "min"))
            suffix = "" if e64_only else "_e32"
            keep = t == "f16" and name in NO_E32

            def run(lane, a, b, c, d, m, fn=fn, n=n, mode=Mode(), mods=(), clamp=False, omod=None, f=f, keep=keep, mask=mask):
                args = [v & mask for v in (a, b, c)[:n]]
                for k, how in mods:
                    args[k] = args[k] & ~f.sign if "abs" in how else args[k]
                    args[k] = args[k] ^ f.sign if "neg" in how else args[k]
                r = fn(mode, *args)
                if omod:
                    r = rounded(f, lambda v: v * omod, lambda v: v + 0.0, [r], Mode(denorm32=0, denorm64=0))
                    r = 0 if f.is_zero(r) else r
                if clamp:
                    r = clamp_float(f, r, mode)
                return (r | d & 0xFFFF0000 if keep else r), None
            regs = operands(t, [t] * n)
            same = 0 if name in PICKS else NAN_OF[t]
            yield Form("v_%s_%s%s %s" % (name, t, suffix, regs), t if t == "f64" else "b32", [t] * n, run, same, n_groups=6)

            def variant(text, mode=Mode(), compare=same, groups=2, **how):
                return Form(text, t if t == "f64" else "b32", [t] * n,
                            lambda *args: run(*args, mode=mode, **how), compare, mode=mode, n_groups=groups)
            e64 = "v_%s_%s%s " % (name, t, "" if e64_only else "_e64")
            parts_ = regs.split(", ")
            parts_[1] = "-|%s|" % parts_[1]
            how = [(0, ("abs", "neg"))]
            if n > 1:
                parts_[n] = "-" + parts_[n]
                how.append((n - 1, ("neg",)))
            yield variant(e64 + ", ".join(parts_), mods=tuple(how))
            yield variant(e64 + regs + " clamp", clamp=True)
            flush = Mode(denorm32=0, denorm64=0, ieee=0)
            yield variant(e64 + regs + " mul:4", mode=flush, omod=4, compare=NAN_OF[t])
            for rm in (1, 2, 3):
                yield variant("v_%s_%s%s %s" % (name, t, suffix, regs), mode=Mode(round32=rm, round64=rm))
            for denorm in (0, 1, 2):
                yield variant("v_%s_%s%s %s" % (name, t, suffix, regs), mode=Mode(denorm32=denorm, denorm64=denorm, ieee=0))
    for t, exp_t, kind in (("f32", "i32_f32", "b32"), ("f16", "i16_f16", "b16"), ("f64", "i32_f64", "b32")):
        f = FORMATS[t]
        bits = 16 if t == "f16" else 32
        yield Form("v_frexp_exp_%s_e32 v22, %s" % (exp_t, A[WIDTH[t]]), "b32", [t],
                   lambda lane, a, b, c, d, m, f=f, bits=bits: (u(frexp_exp(f)(Mode(), a & (1 << f.bits) - 1), bits), None))
        e = "_e32" if t == "f16" else ""
        n_bits = 16 if t == "f16" else 32
        yield Form("v_ldexp_%s%s %s, %s, v14" % (t, e, D[WIDTH[t]], A[WIDTH[t]]), t if t == "f64" else "b32", [t, kind if t != "f64" else "b32"],
                   lambda lane, a, b, c, d, m, f=f, n=n_bits: (ldexp(f, n)(Mode(), a & (1 << f.bits) - 1, b), None), NAN_OF[t], n_groups=8)
    yield from fmac_forms()
    yield from pk_float_forms()
    yield from mix_forms()


def fmac_forms():
    fma32 = arith(F32, lambda x, y, z: x * y + z, fma_special)
    fma64 = arith(F64, lambda x, y, z: x * y + z, fma_special)
    fma16 = arith(F16, lambda x, y, z: x * y + z, fma_special)
    yield Form("v_fmac_f32_e32 v22, v10, v14", "f32", ["f32", "f32"], lambda lane, a, b, c, d, m: (fma32(Mode(), a, b, d), None), 1)
    yield Form("v_fmac_f32_e64 v22, -v10, |v14|", "f32", ["f32", "f32"],
               lambda lane, a, b, c, d, m: (fma32(Mode(), a ^ F32.sign, b & ~F32.sign, d), None), 1)
    yield Form("v_fmac_f64_e32 v[22:23], v[10:11], v[14:15]", "f64", ["f64", "f64"],
               lambda lane, a, b, c, d, m: (fma64(Mode(), a, b, d), None), 4)
    yield Form("v_fmamk_f32 v22, v10, 0x40490fdb, v14", "f32", ["f32", "f32"],
               lambda lane, a, b, c, d, m: (fma32(Mode(), a, 0x40490FDB, b), None), 1)
    yield Form("v_fmaak_f32 v22, v10, v14, 0xc0200000", "f32", ["f32", "f32"],
               lambda lane, a, b, c, d, m: (fma32(Mode(), a, b, 0xC0200000), None), 1)
    yield Form("v_pk_fmac_f16 v22, v10, v14", "pkf16", ["pkf16", "pkf16"],
               lambda lane, a, b, c, d, m: (fma16(Mode(), u(a, 16), u(b, 16), u(d, 16)) |
                                            fma16(Mode(), a >> 16, b >> 16, d >> 16) << 16, None), 3)
    yield Form("v_fma_legacy_f16 v22, v10, v14, v18", "b32", ["f16", "f16", "f16"],
               lambda lane, a, b, c, d, m: (fma16(Mode(), u(a, 16), u(b, 16), u(c, 16)), None), 2)
    flush = Mode(denorm64=0)

    def mad(a, b, c):
        p = arith(F16, *FLOAT2["mul"])(flush, u(a, 16), u(b, 16))
        return arith(F16, *FLOAT2["add"])(flush, p, u(c, 16))
    yield Form("v_mad_legacy_f16 v22, v10, v14, v18", "b32", ["f16"] * 3, lambda lane, a, b, c, d, m: (mad(a, b, c), None), 2)
    yield Form("v_mad_f16 v22, v10, v14, v18", "b32", ["f16"] * 3, lambda lane, a, b, c, d, m: (mad(a, b, c) | d & 0xFFFF0000, None), 2)
    yield Form("v_mac_f16_e32 v22, v10, v14", "b32", ["f16"] * 2, lambda lane, a, b, c, d, m: (mad(a, b, d), None), 2)
    yield Form("v_madak_f16 v22, v10, v14, 0x4248", "b32", ["f16"] * 2, lambda lane, a, b, c, d, m: (mad(a, b, 0x4248), None), 2)
    yield Form("v_madmk_f16 v22, v10, 0x4248, v14", "b32", ["f16"] * 2, lambda lane, a, b, c, d, m: (mad(a, 0x4248, b), None), 2)
    mul = arith(F32, *FLOAT2["mul"])
    yield Form("v_mul_legacy_f32 v22, v10, v14", "f32", ["f32", "f32"],
               lambda lane, a, b, c, d, m: (0 if F32.is_zero(a) or F32.is_zero(b) else mul(Mode(), a, b), None), 1)
    yield Form("v_pack_b32_f16 v22, v10, -v14 op_sel:[1,0,0]", "b32", ["pkf16", "pkf16"],
               lambda lane, a, b, c, d, m: (a >> 16 | (u(b, 16) ^ 0x8000) << 16, None))
    yield Form("v_fma_f16 v22, v10, v14, v18 op_sel:[1,0,1,1]", "b32", ["pkf16"] * 3,
               lambda lane, a, b, c, d, m: (u(d, 16) | fma16(Mode(), a >> 16, u(b, 16), c >> 16) << 16, None), 3)


def pk_float_forms():
    for t, kind, f in (("f16", "pkf16", F16), ("f32", "pkf32", F32)):
        ops = [("add", 2, arith(f, *FLOAT2["add"])), ("mul", 2, arith(f, *FLOAT2["mul"])),
               ("fma", 3, arith(f, lambda x, y, z: x * y + z, fma_special))]
        if t == "f16":
            ops += [("max", 2, min_max(f, True)), ("min", 2, min_max(f, False))]
        for name, n, fn in ops:
            for sel, sel_hi, lo, hi, clamp in (((0, 0, 0), (1, 1, 1), (0, 0, 0), (0, 0, 0), False),
                                               ((1, 0, 1), (0, 1, 0), (0, 1, 0), (1, 0, 1), False),
                                               ((0, 1, 1), (0, 0, 1), (1, 0, 1), (0, 0, 1), True)):
                def run(lane, a, b, c, d, m, fn=fn, n=n, f=f, sel=sel, sel_hi=sel_hi, lo=lo, hi=hi, clamp=clamp):
                    r = 0
                    for at, choice, neg in ((0, sel, lo), (f.bits, sel_hi, hi)):
                        args = [u(v >> f.bits * k, f.bits) ^ f.sign * g for v, k, g in zip((a, b, c)[:n], choice, neg)]
                        x = fn(Mode(), *args)
                        r |= (clamp_float(f, x, Mode()) if clamp else x) << at
                    return r, None
                mods = ""
                if sel != (0, 0, 0):
                    mods = "".join(" %s:[%s]" % (k, ",".join(map(str, v[:n]))) for k, v in
                                   (("op_sel", sel), ("op_sel_hi", sel_hi), ("neg_lo", lo), ("neg_hi", hi)))
                yield Form("v_pk_%s_%s %s%s%s" % (name, t, operands(kind, [kind] * n), mods, " clamp" if clamp else ""), kind, [kind] * n,
                           run, 0 if name in PICKS else NAN_OF[kind])


def mix_forms():
    def fma_of(vals):
        if any(math.isnan(x) for x in vals[1]):
            return F32.qnan
        args = [F32.round(Fraction(x)) if math.isfinite(x) and x else (F32.inf if x == math.inf else F32.inf | F32.sign if x == -math.inf
                else (F32.sign if math.copysign(1, x) < 0 else 0)) for x in vals[1]]
        return arith(F32, lambda x, y, z: x * y + z, fma_special)(Mode(), *args)

    for kinds, sel, neg in (((0, 0, 0), (0, 0, 0), (0, 0, 0)), ((1, 1, 0), (0, 1, 0), (0, 0, 1)), ((1, 0, 1), (1, 0, 0), (1, 0, 0)),
                            ((1, 1, 1), (1, 0, 1), (0, 1, 0))):
        def value(a, b, c, kinds=kinds, sel=sel, neg=neg):
            out = []
            for v, half, high, n in zip((a, b, c), kinds, sel, neg):
                x = number(F16, u(v >> 16 * high, 16)) if half else number(F32, v)
                out.append(-x if n else x)
            return fma_of((None, out))
        regs = ", ".join(("-" if n else "") + r for r, n in zip(("v10", "v14", "v18"), neg))
        mods = " op_sel:[%d,%d,%d] op_sel_hi:[%d,%d,%d]" % (sel + kinds)

        def to_half(x):
            if F32.is_nan(x):
                return F16.qnan
            if F32.is_inf(x):
                return F16.inf | (x >> 16 & 0x8000)
            return F16.round(F32.value(x), zero_sign=bool(x >> 31))
        yield Form("v_fma_mix_f32 v22, %s%s" % (regs, mods), "f32", ["f32"] * 3, lambda lane, a, b, c, d, m, value=value: (value(a, b, c), None), 1)
        yield Form("v_fma_mixlo_f16 v22, %s%s" % (regs, mods), "b32", ["f32"] * 3,
                   lambda lane, a, b, c, d, m, value=value, h=to_half: (d & 0xFFFF0000 | h(value(a, b, c)), None), 2)
        yield Form("v_fma_mixhi_f16 v22, %s%s clamp" % (regs, mods), "b32", ["f32"] * 3,
                   lambda lane, a, b, c, d, m, value=value, h=to_half: (d & 0xFFFF | clamp_float(F16, h(value(a, b, c)), Mode()) << 16, None), 3)


# What has no DPP or SDWA form although it has the 32-bit one.
NO_DPP = {"cvt_pk_f32_fp8", "cvt_pk_f32_bf8", "readfirstlane_b32", "mov_b64"}
NO_SDWA = NO_DPP | {"fmac_f32", "mac_f16", "dot2c_f32_f16", "dot2c_i32_i16", "dot4c_i32_i8", "dot8c_i32_i4", "cvt_f32_fp8", "cvt_f32_bf8"}
SHORT = re.compile(r"v_(\w+)_e32 (v22|v22, vcc|vcc), v10(, v14)?(, vcc)?$")


def lane_variants(form):
    """The same instruction with source 0 of another lane, and with halves of the sources."""
    match = SHORT.match(form.text)
    if not match or form.wave or form.mode.bits() != Mode().bits():
        return
    name, dst, second, vcc = match.groups()

    def more(text, wave=None, fn=None):
        return Form(text, form.dst, form.srcs, fn, form.compare, form.mask_in, form.mask_out, n_groups=1, wave=wave)
    if name not in NO_DPP and dst != "vcc":
        yield more("v_%s_dpp %s, v10%s%s quad_perm:[2,3,0,1] row_mask:0xf bank_mask:0xf" % (name, dst, second or "", vcc or ""),
                   wave=lambda lane, args: form.fn(lane, args[lane ^ 2][0], *args[lane][1:]))
    if name in NO_SDWA:
        return
    sel, cut = [], []
    for k, kind in enumerate(form.srcs):
        whole = kind == "f32"
        sel.append(" src%d_sel:%s" % (k, "DWORD" if whole else ("WORD_1", "WORD_0")[k]))
        cut.append((lambda x: x) if whole else (lambda x: x >> 16 & 0xFFFF, lambda x: x & 0xFFFF)[k])
    out = "" if dst == "vcc" else " dst_sel:DWORD dst_unused:UNUSED_PAD"
    yield more("v_%s_sdwa %s, v10%s%s%s%s" % (name, dst, second or "", vcc or "", out, "".join(sel)),
               fn=lambda lane, a, b, c, d, m: form.fn(lane, cut[0](a), cut[1](b) if len(cut) > 1 else b, c, d, m))


def forms():
    from semantics_more import more_forms
    for group in (int_forms, carry_forms, wide_forms, packed_forms, float_forms, more_forms):
        for form in group():
            yield form
            yield from lane_variants(form)
