"""More forms for semantics.py: conversions, comparisons, transcendental functions, the steps of a division, dot products of halves, and
the ways to reach other lanes and parts of a word (DPP, SDWA, readlane and its kin)."""
import math
from fractions import Fraction

from semantics import F16, F32, F64, FORMATS, LANES, Form, Format, Mode, exponent
from semantics_ops import (A, B, D, M32, NAN_OF, WIDTH, arith, clamp_float, fma_special, mnemonic, mul_special, number, perm, rounded, s, sat,
                           sum_special, u)


def plain(text, dst, srcs, fn, compare=0, **more):
    return Form(text, dst, srcs, lambda lane, a, b, c, d, m: (fn(a, b, c, d), None), compare, **more)


# ---- Conversions
def to_int(f, lo, hi, way=math.trunc):
    def run(x):
        if f.is_nan(x):
            return 0
        if f.is_inf(x):
            return lo if f.negative(x) else hi
        return sat(way(f.value(x)), lo, hi)
    return run


def convert(f, x, t, mode=Mode()):
    """From one float format to another."""
    x = mode.read(f, x)
    if f.is_nan(x):
        return t.qnan
    if f.is_inf(x):
        return t.inf | (t.sign if f.negative(x) else 0)
    return mode.write(t, t.round(f.value(x), mode.rm(t), f.negative(x)))


def integer_to(t, x, mode=Mode()):
    return t.round(Fraction(x), mode.rm(t))


class Tiny:
    """FNUZ: one bit pattern, 0x80, for NaN and no negative zero."""

    def __init__(self, man, bias):
        self.man, self.bias = man, bias
        self.max = self.value(0x7F)

    def value(self, c):
        e, m = c >> self.man & (0x7F >> self.man), c & (1 << self.man) - 1
        x = Fraction(m | (1 << self.man if e else 0)) * Fraction(2) ** (max(e, 1) - self.bias - self.man)
        return -x if c & 0x80 else x

    def bits32(self, c):
        return F32.qnan if c == 0x80 else F32.round(self.value(c))

    def encode(self, x, way="even"):
        """By search: the code whose value is nearest, with ties to the even code; or toward zero."""
        if F32.is_nan(x) or F32.is_inf(x):
            return 0x80
        v, sign = abs(F32.value(x)), 0x80 if x >> 31 else 0
        at = self.codes_below(v)
        low = self.value(at)
        if way == "even":
            step = self.value(at + 1) - low if at < 0x7F else self.value(0x7F) - self.value(0x7E)
            if (v - low) * 2 > step or ((v - low) * 2 == step and at & 1):
                at += 1
        elif v >= self.max + (self.value(0x7F) - self.value(0x7E)):
            at = 0x80
        if at > 0x7F:
            return 0x80
        return at | sign if at else 0

    def codes_below(self, v):
        lo, hi = 0, 0x7F
        while lo < hi:
            mid = (lo + hi + 1) // 2
            lo, hi = (mid, hi) if self.value(mid) <= v else (lo, mid - 1)
        return lo


FP8, BF8 = Tiny(3, 8), Tiny(2, 16)


def norm16(f, x, signed):
    if f.is_nan(x):
        return 0
    v = (-1 if f.negative(x) else 1) if f.is_inf(x) else f.value(x)
    v = sat(Fraction(v), -1 if signed else 0, 1)
    return u(round(v * (32767 if signed else 65535)), 16)


def conversion_forms():
    def word(name, src, fn, dst="b32", same=0, suffix="_e32", **more):
        return plain("v_%s%s %s, %s" % (name, suffix, D[WIDTH[dst]], A[WIDTH[src]]), dst, [src], lambda a, b, c, d: fn(a), same, **more)

    h = (lambda fn: lambda a: fn(a & 0xFFFF))
    i32, u32, i16, u16 = (-1 << 31, (1 << 31) - 1), (0, M32), (-1 << 15, (1 << 15) - 1), (0, 0xFFFF)
    yield word("cvt_i32_f32", "f32", lambda a: u(to_int(F32, *i32)(a), 32))
    yield word("cvt_u32_f32", "f32", to_int(F32, *u32))
    yield word("cvt_rpi_i32_f32", "f32", lambda a: u(to_int(F32, *i32, lambda v: math.floor(v + Fraction(1, 2)))(a), 32))
    yield word("cvt_flr_i32_f32", "f32", lambda a: u(to_int(F32, *i32, math.floor)(a), 32))
    yield word("cvt_i32_f64", "f64", lambda a: u(to_int(F64, *i32)(a), 32))
    yield word("cvt_u32_f64", "f64", to_int(F64, *u32))
    yield word("cvt_i16_f16", "f16", h(lambda a: u(to_int(F16, *i16)(a), 16)))
    yield word("cvt_u16_f16", "f16", h(to_int(F16, *u16)))
    for rm in range(4):
        mode = Mode(round32=rm, round64=rm)
        yield word("cvt_f32_i32", "b32", lambda a, mode=mode: integer_to(F32, s(a, 32), mode), mode=mode)
        yield word("cvt_f32_u32", "b32", lambda a, mode=mode: integer_to(F32, a, mode), mode=mode)
        yield word("cvt_f16_i16", "b16", lambda a, mode=mode: integer_to(F16, s(a, 16), mode), mode=mode)
        yield word("cvt_f16_u16", "b16", lambda a, mode=mode: integer_to(F16, u(a, 16), mode), mode=mode)
        yield word("cvt_f16_f32", "f32", lambda a, mode=mode: convert(F32, a, F16, mode), same=2, mode=mode, n_groups=6)
        yield word("cvt_f32_f64", "f64", lambda a, mode=mode: convert(F64, a, F32, mode), same=1, mode=mode, n_groups=6)
    for denorm in range(3):
        mode = Mode(denorm32=denorm, denorm64=denorm)
        yield word("cvt_f16_f32", "f32", lambda a, mode=mode: convert(F32, a, F16, mode), same=2, mode=mode)
        yield word("cvt_f32_f64", "f64", lambda a, mode=mode: convert(F64, a, F32, mode), same=1, mode=mode)
    for k in range(4):
        yield word("cvt_f32_ubyte%d" % k, "b32", lambda a, k=k: integer_to(F32, a >> 8 * k & 0xFF))
    yield word("cvt_off_f32_i4", "b32", lambda a: F32.round(Fraction(s(a, 4), 16)))
    yield word("cvt_f32_f16", "f16", h(lambda a: convert(F16, a, F32)), same=1, n_groups=6)
    yield word("cvt_f64_f32", "f32", lambda a: convert(F32, a, F64), "f64", 4)
    yield word("cvt_f64_i32", "b32", lambda a: integer_to(F64, s(a, 32)), "f64")
    yield word("cvt_f64_u32", "b32", lambda a: integer_to(F64, a), "f64")
    yield word("cvt_norm_i16_f16", "f16", h(lambda a: norm16(F16, a, True)))
    yield word("cvt_norm_u16_f16", "f16", h(lambda a: norm16(F16, a, False)))
    for name, f, t, signed in (("i16_f32", F32, "f32", True), ("u16_f32", F32, "f32", False), ("i16_f16", F16, "f16", True),
                               ("u16_f16", F16, "f16", False)):
        yield plain("v_cvt_pknorm_%s v22, v10, v14" % name, "b32", [t, t], lambda a, b, c, d, f=f, g=signed:
                    norm16(f, u(a, f.bits), g) | norm16(f, u(b, f.bits), g) << 16)
    zero = Mode(round64=3)
    yield plain("v_cvt_pkrtz_f16_f32 v22, v10, v14", "b32", ["f32", "f32"],
                lambda a, b, c, d: convert(F32, a, F16, zero) | convert(F32, b, F16, zero) << 16, 3, n_groups=6)
    u8 = to_int(F32, 0, 255)

    def put_byte(a, b, c):
        return c & ~(0xFF << 8 * (b & 3)) | u8(a) << 8 * (b & 3)
    yield plain("v_cvt_pk_u8_f32 v22, v10, v14, v18", "b32", ["f32", "b32", "b32"], lambda a, b, c, d: put_byte(a, b, c))
    yield plain("v_cvt_pkaccum_u8_f32 v22, v10, v14", "b32", ["f32", "b32"], lambda a, b, c, d: put_byte(a, b, d))
    yield from fp8_forms(word)


def fp8_forms(word):
    for name, t in (("fp8", FP8), ("bf8", BF8)):
        yield word("cvt_f32_" + name, "b32", lambda a, t=t: t.bits32(a & 0xFF), same=1, n_groups=8)
        yield plain("v_cvt_pk_f32_%s_e32 v[22:23], v10" % name, "pkf32", ["b32"],
                    lambda a, b, c, d, t=t: t.bits32(a & 0xFF) | t.bits32(a >> 8 & 0xFF) << 32, 5)
        for k in range(4):
            yield plain("v_cvt_f32_%s_sdwa v22, v10 src0_sel:BYTE_%d" % (name, k), "b32", ["b32"],
                        lambda a, b, c, d, t=t, k=k: t.bits32(a >> 8 * k & 0xFF), 1, n_groups=1)
        yield plain("v_cvt_pk_f32_%s_sdwa v[22:23], v10 src0_sel:WORD_1" % name, "pkf32", ["b32"],
                    lambda a, b, c, d, t=t: t.bits32(a >> 16 & 0xFF) | t.bits32(a >> 24) << 32, 5)
        yield plain("v_cvt_pk_%s_f32 v22, v10, -v14" % name, "b32", ["f32", "f32"],
                    lambda a, b, c, d, t=t: d & 0xFFFF0000 | t.encode(a) | t.encode(b ^ F32.sign) << 8, n_groups=6)
        yield plain("v_cvt_pk_%s_f32 v22, v10, |v14| op_sel:[0,0,1]" % name, "b32", ["f32", "f32"],
                    lambda a, b, c, d, t=t: d & 0xFFFF | t.encode(a) << 16 | t.encode(b & ~F32.sign) << 24, n_groups=2)

        def stochastic(a, b, t=t):
            """The random bits below the last mantissa bit that stays are added, the sum is cut."""
            if not F32.finite(a):
                return 0x80
            return t.encode(a + (b >> 9 + t.man) & M32, "cut") if F32.finite(a + (b >> 9 + t.man) & 0x7FFFFFFF) else 0x80
        for k in range(4):
            yield plain("v_cvt_sr_%s_f32 v22, v10, v14 op_sel:[0,0,%d,%d]" % (name, k & 1, k >> 1), "b32", ["f32", "b32"],
                        lambda a, b, c, d, k=k, f=stochastic: d & ~(0xFF << 8 * k) | f(a, b) << 8 * k, n_groups=2)


# ---- Comparisons
def compare_forms():
    ordered = {"lt": lambda x, y: x < y, "eq": lambda x, y: x == y, "le": lambda x, y: x <= y, "gt": lambda x, y: x > y,
               "ge": lambda x, y: x >= y}
    floats = dict(ordered)
    floats.update({"f": lambda x, y: False, "lg": lambda x, y: x < y or x > y, "o": lambda x, y: x == x and y == y,
                   "u": lambda x, y: x != x or y != y, "nge": lambda x, y: not x >= y, "nlg": lambda x, y: not (x < y or x > y),
                   "ngt": lambda x, y: not x > y, "nle": lambda x, y: not x <= y, "neq": lambda x, y: not x == y,
                   "nlt": lambda x, y: not x < y, "tru": lambda x, y: True})
    ints = dict(ordered, f=lambda x, y: False, ne=lambda x, y: x != y, t=lambda x, y: True)
    for t in ("f32", "f16", "f64", "i32", "u32", "i16", "u16", "i64", "u64"):
        f, bits = FORMATS.get(t), int(t[1:])
        src = t if f else "b%d" % bits
        for name, fn in (floats if f else ints).items():
            def run(lane, a, b, c, d, m, f=f, fn=fn, bits=bits, signed=t[0] == "i"):
                x, y = u(a, bits), u(b, bits)
                x, y = (number(f, x), number(f, y)) if f else (s(x, bits), s(y, bits)) if signed else (x, y)
                return 0, int(fn(x, y))
            regs = "%s, %s" % (A[WIDTH[src]], B[WIDTH[src]])
            yield Form("v_cmp_%s_%s_e32 vcc, %s" % (name, t, regs), None, [src, src], run, mask_out=True, n_groups=3)
            yield Form("v_cmp_%s_%s_e64 s[20:21], %s\n    s_mov_b64 vcc, s[20:21]" % (name, t, regs), None, [src, src], run,
                       mask_out=True, n_groups=1)
            # exec is narrowed to the even lanes before, and what v_cmpx leaves in exec and in vcc must agree
            yield Form("s_mov_b32 exec_lo, 0x55555555\n    s_mov_b32 exec_hi, 0x55555555\n    v_cmpx_%s_%s_e32 vcc, %s\n"
                       "    s_and_b64 vcc, vcc, exec\n    s_or_b64 vcc, vcc, exec" % (name, t, regs), None, [src, src],
                       lambda lane, *args, run=run: (0, 0 if lane & 1 else run(lane, *args)[1]), mask_out=True, n_groups=1)

    def class_of(f, x):
        if f.is_nan(x):
            return 0 if f.is_snan(x) else 1
        size = 0 if f.is_inf(x) else 3 if f.is_zero(x) else 2 if f.is_denormal(x) else 1
        return 2 + size if f.negative(x) else 9 - size
    for t in ("f16", "f32", "f64"):
        f = FORMATS[t]
        for op in ("v_cmp_class", "v_cmpx_class"):
            yield Form("%s_%s_e32 vcc, %s, v14" % (op, t, A[WIDTH[t]]), None, [t, "b32"],
                       lambda lane, a, b, c, d, m, f=f: (0, b >> class_of(f, u(a, f.bits)) & 1), mask_out=True, n_groups=6)


# ---- Transcendental functions: by Python's double precision, to one ULP. f32 knows no denormals.
def trans_forms():
    def turns(fn, far):
        def run(v):
            if abs(v) > 256:
                return far
            quarter = Fraction(v) * 4
            if quarter.denominator == 1 and v:
                return (0.0, 1.0, 0.0, -1.0)[(quarter.numerator + (fn is math.cos)) % 4]
            return fn(2 * math.pi * (v - round(v)))
        return run

    functions = {
        "exp": (lambda v: 2.0 ** v if v < 1000 else math.inf, {math.inf: math.inf, -math.inf: 0.0}),
        "log": (lambda v: math.log2(v) if v > 0 else -math.inf if v == 0 else math.nan, {math.inf: math.inf, -math.inf: math.nan}),
        "rcp": (lambda v: 1.0 / v if v else math.copysign(math.inf, v), {math.inf: 0.0, -math.inf: -0.0}),
        "rsq": (lambda v: 1.0 / math.sqrt(v) if v > 0 else math.copysign(math.inf, v) if v == 0 else math.nan,
                {math.inf: 0.0, -math.inf: math.nan}),
        "sqrt": (lambda v: math.sqrt(v) if v >= 0 else math.nan, {math.inf: math.inf, -math.inf: math.nan}),
        "sin": (turns(math.sin, 0.0), {math.inf: math.nan, -math.inf: math.nan}),
        "cos": (turns(math.cos, 1.0), {math.inf: math.nan, -math.inf: math.nan}),
    }

    def bits(f, r, flush):
        if math.isnan(r):
            return f.qnan
        if math.isinf(r):
            return f.inf | (f.sign if r < 0 else 0)
        out = f.round(Fraction(r), zero_sign=math.copysign(1, r) < 0)
        return out & f.sign if flush and f.is_denormal(out) else out

    for t in ("f32", "f16"):
        f = FORMATS[t]
        for name, (fn, at_inf) in functions.items():
            def run(a, b, c, d, f=f, fn=fn, at_inf=at_inf, flush=t == "f32"):
                x = u(a, f.bits)
                if f.is_nan(x):
                    return f.qnan
                if flush and f.is_denormal(x):
                    x &= f.sign
                v = number(f, x)
                return bits(f, at_inf[v] if math.isinf(v) else fn(v), flush)
            names = [name] + (["%s_legacy" % name] if t == "f32" and name in ("exp", "log") else []) + \
                (["rcp_iflag"] if t == "f32" and name == "rcp" else [])
            for n in names:
                yield plain("v_%s_%s_e32 v22, v10" % (n, t), "b32", [t], run, 6 if t == "f32" else 7, n_groups=6)
    for name, fn in (("rcp", lambda v: 1.0 / v if v else math.copysign(math.inf, v)),
                     ("sqrt", lambda v: v if v == 0 else math.sqrt(v) if v >= 0 else math.nan)):
        def run64(a, b, c, d, fn=fn, name=name):
            if F64.is_nan(a):
                return F64.qnan
            if F64.is_inf(a):
                return (a & F64.sign) if name == "rcp" else F64.qnan if F64.negative(a) else a
            if F64.is_zero(a):
                return F64.inf | a if name == "rcp" else a
            if name == "sqrt" and F64.negative(a):
                return F64.qnan
            return F64.round(1 / F64.value(a)) if name == "rcp" else bits(F64, fn(number(F64, a)), False)
        yield plain("v_%s_f64_e32 v[22:23], v[10:11]" % name, "f64", ["f64"], run64, 4)

    def rsq64(a, b, c, d):
        """An approximation on the chip; the emulator rounds the root and then the quotient."""
        if F64.is_nan(a) or (F64.negative(a) and not F64.is_zero(a)):
            return F64.qnan
        if F64.is_zero(a) or F64.is_inf(a):
            return 0 if F64.is_inf(a) else F64.inf | a
        return F64.round(1 / Fraction(math.sqrt(number(F64, a))))
    yield plain("v_rsq_f64_e32 v[22:23], v[10:11]", "f64", ["f64"], rsq64, 4)


# ---- Division: whole sequences, as compilers write them, must round correctly; div_fixup alone by its table
def division_forms():
    yield plain("""v_div_scale_f32 v30, s[20:21], v14, v14, v10
    v_div_scale_f32 v31, vcc, v10, v14, v10
    v_rcp_f32_e32 v32, v30
    s_nop 1
    v_fma_f32 v33, -v30, v32, 1.0
    v_fma_f32 v32, v33, v32, v32
    v_mul_f32_e32 v34, v31, v32
    v_fma_f32 v35, -v30, v34, v31
    v_fma_f32 v34, v35, v32, v34
    v_fma_f32 v35, -v30, v34, v31
    s_nop 4
    v_div_fmas_f32 v35, v35, v32, v34
    v_div_fixup_f32 v22, v35, v14, v10""", "f32", ["f32", "f32"], lambda a, b, c, d: quotient(F32, a, b), 1, n_groups=40)
    yield plain("""v_div_scale_f64 v[30:31], s[20:21], v[14:15], v[14:15], v[10:11]
    v_rcp_f64_e32 v[32:33], v[30:31]
    s_nop 1
    v_fma_f64 v[34:35], -v[30:31], v[32:33], 1.0
    v_fma_f64 v[32:33], v[32:33], v[34:35], v[32:33]
    v_div_scale_f64 v[36:37], vcc, v[10:11], v[14:15], v[10:11]
    v_fma_f64 v[34:35], -v[30:31], v[32:33], 1.0
    v_fma_f64 v[32:33], v[32:33], v[34:35], v[32:33]
    v_mul_f64 v[34:35], v[36:37], v[32:33]
    v_fma_f64 v[30:31], -v[30:31], v[34:35], v[36:37]
    s_nop 4
    v_div_fmas_f64 v[30:31], v[30:31], v[32:33], v[34:35]
    v_div_fixup_f64 v[22:23], v[30:31], v[14:15], v[10:11]""", "f64", ["f64", "f64"], lambda a, b, c, d: quotient(F64, a, b), 4,
                n_groups=40)
    for t in ("f16", "f32", "f64"):
        f = FORMATS[t]
        keep = t == "f16"

        def fixup(a, b, c, d, f=f, keep=keep):
            q, den, num = (u(v, f.bits) for v in (a, b, c))
            sign = (den ^ num) & f.sign
            if f.is_nan(num) or f.is_nan(den):
                r = f.qnan
            elif (f.is_zero(den) and f.is_zero(num)) or (f.is_inf(den) and f.is_inf(num)):
                r = f.qnan
            elif f.is_zero(den) or f.is_inf(num):
                r = f.inf | sign
            elif f.is_inf(den) or f.is_zero(num):
                r = sign
            elif t_small(f, num, den) or f.is_nan(q):
                r = sign if t_small(f, num, den) else f.inf | sign
            else:
                r = q & f.sign - 1 | sign
            if keep and f.is_nan(q) and not (f.is_nan(num) or f.is_nan(den)) and r == f.inf | sign and not f.is_zero(den) and not f.is_inf(num):
                r = q & f.sign - 1 | sign
            return r | d & 0xFFFF0000 if keep else r
        yield plain("v_div_fixup_%s %s, %s, %s, %s" % (t, D[WIDTH[t]], A[WIDTH[t]], B[WIDTH[t]], "v[18:19]" if t == "f64" else "v18"),
                    t if t == "f64" else "b32", [t, t, t], fixup, NAN_OF[t], n_groups=10)
    yield plain("v_div_fixup_legacy_f16 v22, v10, v14, v18", "b32", ["f16"] * 3,
                lambda a, b, c, d: fixup_half(u(a, 16), u(b, 16), u(c, 16)), 2)


def fixup_half(q, den, num):
    sign = (den ^ num) & 0x8000
    if F16.is_nan(num) or F16.is_nan(den) or (F16.is_zero(den) and F16.is_zero(num)) or (F16.is_inf(den) and F16.is_inf(num)):
        return F16.qnan
    if F16.is_zero(den) or F16.is_inf(num):
        return 0x7C00 | sign
    return sign if F16.is_inf(den) or F16.is_zero(num) else q & 0x7FFF | sign


def t_small(f, num, den):
    """The exponents say that the quotient is below half of the least denormal number."""
    if f is F16:
        return False
    limit = -150 if f is F32 else -1075
    return exponent(abs(f.value(num))) - exponent(abs(f.value(den))) < limit


def quotient(f, a, b):
    sign = (a ^ b) & f.sign
    if f.is_nan(a) or f.is_nan(b) or (f.is_zero(a) and f.is_zero(b)) or (f.is_inf(a) and f.is_inf(b)):
        return f.qnan
    if f.is_inf(a) or f.is_zero(b):
        return f.inf | sign
    if f.is_zero(a) or f.is_inf(b):
        return sign
    return f.round(f.value(a) / f.value(b), zero_sign=bool(sign))


# ---- Dot products
def dot_forms():
    fma = arith(F32, lambda x, y, z: x * y + z, fma_special)

    def dot2(x0, x1, y0, y1, z):
        for x, y in ((x0, y0), (x1, y1)):
            z = fma(Mode(), convert(F16, x, F32), convert(F16, y, F32), z)
        return z
    yield plain("v_dot2_f32_f16 v22, v10, v14, v18", "f32", ["pkf16", "pkf16", "f32"],
                lambda a, b, c, d: dot2(u(a, 16), a >> 16, u(b, 16), b >> 16, c), 1)
    yield plain("v_dot2_f32_f16 v22, v10, v14, v18 neg_lo:[1,0,1] neg_hi:[0,1,0]", "f32", ["pkf16", "pkf16", "f32"],
                lambda a, b, c, d: dot2(u(a, 16) ^ 0x8000, a >> 16, u(b, 16), b >> 16 ^ 0x8000, c ^ F32.sign), 1)
    yield plain("v_dot2c_f32_f16_e32 v22, v10, v14", "f32", ["pkf16", "pkf16"],
                lambda a, b, c, d: dot2(u(a, 16), a >> 16, u(b, 16), b >> 16, d), 1)
    for name, bits in (("dot2c_i32_i16", 16), ("dot4c_i32_i8", 8), ("dot8c_i32_i4", 4)):
        def dot(a, b, c, d, bits=bits):
            return u(s(d, 32) + sum(s(a >> k, bits) * s(b >> k, bits) for k in range(0, 32, bits)), 32)
        yield plain("v_%s_e32 v22, v10, v14" % name, "b32", ["b32", "b32"], dot)


def cube_forms():
    """Faces of a cube from three finite numbers: the fmed3 of a NaN would not name an axis."""
    def pick(name):
        def run(a, b, c, d):
            x, y, z = (number(F32, v) for v in (a, b, c))
            neg = F32.sign
            if abs(z) >= abs(x) and abs(z) >= abs(y):
                r = {"id": 5.0 if z < 0 else 4.0, "sc": a ^ neg if z < 0 else a, "tc": b ^ neg, "ma": c}
            elif abs(y) >= abs(x):
                r = {"id": 3.0 if y < 0 else 2.0, "sc": a, "tc": c ^ neg if y < 0 else c, "ma": b}
            else:
                r = {"id": 1.0 if x < 0 else 0.0, "sc": c if x < 0 else c ^ neg, "tc": b ^ neg, "ma": a}
            if name == "id":
                return F32.round(Fraction(r["id"]))
            return rounded(F32, lambda v: 2 * v, lambda v: v, [r["ma"]], Mode()) if name == "ma" else r[name]
        return run
    # NaN becomes 1.5: min and max of a NaN and a number are the number.
    tame = "".join("v_max_f32_e32 v%d, v%d, v%d\n    v_cmp_u_f32_e32 vcc, v%d, v%d\n    s_nop 1\n    v_cndmask_b32_e32 v%d, v%d, v26, vcc\n    " %
                   ((r,) * 7) for r in (10, 14, 18))
    for name in ("id", "sc", "tc", "ma"):
        def run(lane, a, b, c, d, m, fn=pick(name)):
            a, b, c = (0x3FC00000 if F32.is_nan(v) else v for v in (a, b, c))
            return fn(a, b, c, d), None
        yield Form("v_mov_b32_e32 v26, 0x3fc00000\n    %sv_cube%s_f32 v22, v10, v14, v18" % (tame, name), "f32", ["f32"] * 3, run, 1)


# ---- Other lanes
def dpp_source(ctrl, lane):
    """The lane that is read, None where there is none."""
    name, arg = ctrl
    row, at = lane & ~15, lane & 15
    if name == "quad_perm":
        return (lane & ~3) + arg[lane & 3]
    if name == "row_shl":
        return lane + arg if at + arg < 16 else None
    if name == "row_shr":
        return lane - arg if at >= arg else None
    if name == "row_ror":
        return row + (at - arg) % 16
    if name == "wave_shl":
        return lane + 1 if lane < 63 else None
    if name == "wave_shr":
        return lane - 1 if lane else None
    if name == "wave_rol":
        return (lane + 1) % 64
    if name == "wave_ror":
        return (lane - 1) % 64
    if name == "row_mirror":
        return row + 15 - at
    if name == "row_half_mirror":
        return (lane & ~7) + 7 - (lane & 7)
    if name == "row_bcast":
        return (None if lane < 16 else row - 1) if arg == 15 else (31 if lane >= 32 else None)
    return row + arg  # row_newbcast


def lane_forms():
    controls = [("quad_perm", (1, 0, 3, 2)), ("quad_perm", (3, 3, 0, 1)), ("row_shl", 1), ("row_shl", 8), ("row_shr", 1), ("row_shr", 15),
                ("row_ror", 4), ("row_ror", 15), ("wave_shl", 1), ("wave_shr", 1), ("wave_rol", 1), ("wave_ror", 1), ("row_mirror", None),
                ("row_half_mirror", None), ("row_bcast", 15), ("row_bcast", 31), ("row_newbcast", 5)]
    for ctrl in controls:
        name, arg = ctrl
        text = name if arg is None else "%s:%s" % (name, "[%s]" % ",".join(map(str, arg)) if isinstance(arg, tuple) else arg)
        for rows, banks, bound, exec_ in ((15, 15, False, (1 << 64) - 1), (15, 15, True, (1 << 64) - 1), (10, 15, True, (1 << 64) - 1),
                                          (15, 5, False, (1 << 64) - 1), (15, 15, False, 0xF0FFAAAAFFFF5A5F),
                                          (15, 15, True, 0xF0FFAAAAFFFF5A5F)):
            def wave(lane, args, ctrl=ctrl, rows=rows, banks=banks, bound=bound, exec_=exec_):
                old, y = args[lane][3], args[lane][1]
                if not exec_ >> lane & 1 or not rows >> lane // 16 & 1 or not banks >> lane // 4 % 4 & 1:
                    return old, None
                src = dpp_source(ctrl, lane)
                if src is None or not exec_ >> src & 1:
                    return (u(y, 32) if bound else old), None
                return u(args[src][0] + y, 32), None
            mods = " %s row_mask:%#x bank_mask:%#x%s" % (text, rows, banks, " bound_ctrl:0" if bound else "")
            yield Form("s_mov_b32 exec_lo, %#x\n    s_mov_b32 exec_hi, %#x\n    s_nop 4\n    v_add_u32_dpp v22, v10, v14%s\n"
                       "    s_mov_b64 exec, -1" % (exec_ & M32, exec_ >> 32, mods), "b32", ["b32", "b32"], None, wave=wave, n_groups=1)
    add = arith(F32, lambda x, y: x + y, sum_special)
    yield Form("v_add_f32_dpp v22, -v10, |v14| row_ror:3 row_mask:0xf bank_mask:0xf", "f32", ["f32", "f32"], None, 1,
               wave=lambda lane, args: (add(Mode(), args[(lane & ~15) + (lane - 3) % 16][0] ^ F32.sign, args[lane][1] & ~F32.sign), None))
    yield Form("v_mov_b64_dpp v[22:23], v[10:11] row_newbcast:3 row_mask:0xf bank_mask:0xf", "b64", ["b64"], None,
               wave=lambda lane, args: (args[(lane & ~15) + 3][0], None))
    yield Form("v_readfirstlane_b32 s20, v10\n    s_nop 1\n    v_mov_b32_e32 v22, s20", "b32", ["b32"], None, wave=lambda lane, args: (args[0][0], None))
    yield Form("s_mov_b32 exec_lo, 0\n    s_mov_b32 exec_hi, 0x40\n    v_readfirstlane_b32 s20, v10\n    s_mov_b64 exec, -1\n"
               "    s_nop 1\n    v_mov_b32_e32 v22, s20", "b32", ["b32"], None, wave=lambda lane, args: (args[38][0], None))
    yield Form("s_movk_i32 s21, 0x69\n    s_nop 4\n    v_readlane_b32 s20, v10, s21\n    s_nop 1\n    v_mov_b32_e32 v22, s20", "b32", ["b32"], None,
               wave=lambda lane, args: (args[0x29][0], None))
    yield Form("s_mov_b64 exec, 0\n    v_writelane_b32 v22, 17, 9\n    s_mov_b64 exec, -1", "b32", ["b32"], None,
               wave=lambda lane, args: (17 if lane == 9 else args[lane][3], None))
    yield Form("v_mov_b32_e32 v30, v10\n    v_swap_b32 v22, v30\n    v_xor_b32_e32 v22, v22, v30", "b32", ["b32"], None,
               wave=lambda lane, args: (args[lane][0] ^ args[lane][3], None))
    yield Form("v_accvgpr_write_b32 a3, v10\n    s_nop 1\n    v_accvgpr_mov_b32 a5, a3\n    s_nop 1\n    v_accvgpr_read_b32 v22, a5", "b32",
               ["b32"], None, wave=lambda lane, args: (args[lane][0], None))
    yield Form("v_nop\n    v_clrexcp\n    v_mov_b32_e32 v22, 0.15915494", "b32", [], None, wave=lambda lane, args: (0x3E22F983, None),
               n_groups=1)


# ---- Parts of a word
SELS = {"BYTE_0": (0, 8), "BYTE_1": (8, 8), "BYTE_2": (16, 8), "BYTE_3": (24, 8), "WORD_0": (0, 16), "WORD_1": (16, 16), "DWORD": (0, 32)}


def select(x, sel, sext):
    at, n = SELS[sel]
    return u(s(x >> at, n), 32) if sext else u(x >> at, n)


def place(r, d, sel, unused):
    at, n = SELS[sel]
    r = u(r, n)
    if unused == "UNUSED_PRESERVE":
        return d & ~((1 << n) - 1 << at) | r << at
    return u(s(r, n) << at, 32) if unused == "UNUSED_SEXT" else r << at


def sdwa_forms():
    for sel0, sext0, sel1, sext1, dst, unused in (
            ("BYTE_0", False, "BYTE_3", False, "DWORD", "UNUSED_PAD"), ("BYTE_1", True, "WORD_0", True, "WORD_1", "UNUSED_PAD"),
            ("BYTE_2", True, "DWORD", False, "BYTE_2", "UNUSED_SEXT"), ("WORD_1", False, "WORD_1", True, "WORD_0", "UNUSED_SEXT"),
            ("WORD_1", True, "BYTE_0", True, "BYTE_1", "UNUSED_PRESERVE"), ("DWORD", False, "BYTE_2", False, "WORD_1", "UNUSED_PRESERVE"),
            ("WORD_0", False, "WORD_0", False, "BYTE_3", "UNUSED_PAD"), ("BYTE_3", False, "BYTE_1", False, "BYTE_0", "UNUSED_PRESERVE")):
        def run(a, b, c, d, k=(sel0, sext0, sel1, sext1, dst, unused)):
            return place(select(a, k[0], k[1]) + select(b, k[2], k[3]), d, k[4], k[5])
        regs = "v22, %s, %s" % ("sext(v10)" if sext0 else "v10", "sext(v14)" if sext1 else "v14")
        yield plain("v_add_u32_sdwa %s dst_sel:%s dst_unused:%s src0_sel:%s src1_sel:%s" % (regs, dst, unused, sel0, sel1), "b32",
                    ["b32", "b32"], run)
    add16 = arith(F16, lambda x, y: x + y, sum_special)
    mul16 = arith(F16, lambda x, y: x * y, mul_special)
    yield plain("v_add_f16_sdwa v22, -v10, |v14| dst_sel:WORD_1 dst_unused:UNUSED_PRESERVE src0_sel:WORD_1 src1_sel:WORD_0", "b32",
                ["pkf16", "pkf16"], lambda a, b, c, d: u(d, 16) | add16(Mode(), a >> 16 ^ 0x8000, b & 0x7FFF) << 16, 3)
    yield plain("v_mul_f16_sdwa v22, v10, v14 dst_sel:DWORD dst_unused:UNUSED_PAD src0_sel:WORD_0 src1_sel:WORD_1", "b32",
                ["pkf16", "pkf16"], lambda a, b, c, d: mul16(Mode(), u(a, 16), b >> 16), 2)
    yield plain("v_mul_f16_sdwa v22, v10, v14 clamp dst_sel:WORD_0 dst_unused:UNUSED_SEXT src0_sel:WORD_0 src1_sel:WORD_1", "b32",
                ["pkf16", "pkf16"], lambda a, b, c, d: clamp_float(F16, mul16(Mode(), u(a, 16), b >> 16), Mode()))
    yield plain("v_cvt_f32_f16_sdwa v22, v10 dst_sel:DWORD dst_unused:UNUSED_PAD src0_sel:WORD_1", "f32", ["pkf16"],
                lambda a, b, c, d: convert(F16, a >> 16, F32), 1)
    yield plain("v_cvt_f32_i32_sdwa v22, sext(v10) dst_sel:DWORD dst_unused:UNUSED_PAD src0_sel:BYTE_2", "f32", ["b32"],
                lambda a, b, c, d: integer_to(F32, s(a >> 16, 8)))
    yield plain("v_mov_b32_sdwa v22, v10 dst_sel:BYTE_2 dst_unused:UNUSED_PRESERVE src0_sel:BYTE_1", "b32", ["b32"],
                lambda a, b, c, d: d & 0xFF00FFFF | (a >> 8 & 0xFF) << 16)
    yield plain("v_lshlrev_b16_sdwa v22, v10, v14 dst_sel:WORD_1 dst_unused:UNUSED_PRESERVE src0_sel:DWORD src1_sel:WORD_1", "b32",
                ["b32", "b32"], lambda a, b, c, d: u(d, 16) | u((b >> 16) << (a & 15), 16) << 16)
    yield Form("v_cmp_lt_i32_sdwa vcc, sext(v10), sext(v14) src0_sel:BYTE_1 src1_sel:WORD_1", None, ["b32", "b32"],
               lambda lane, a, b, c, d, m: (0, int(s(a >> 8, 8) < s(b >> 16, 16))), mask_out=True)
    yield Form("v_cmp_eq_f16_sdwa vcc, v10, -v14 src0_sel:WORD_1 src1_sel:WORD_0", None, ["pkf16", "pkf16"],
               lambda lane, a, b, c, d, m: (0, int(number(F16, a >> 16) == number(F16, u(b, 16) ^ 0x8000))), mask_out=True)
    # Scalars, literals and inline constants as sources.
    add32 = arith(F32, lambda x, y: x + y, sum_special)
    fma32 = arith(F32, lambda x, y, z: x * y + z, fma_special)
    fma64 = arith(F64, lambda x, y, z: x * y + z, fma_special)
    yield plain("v_add_f32_e32 v22, 0x40490fdb, v10", "f32", ["f32"], lambda a, b, c, d: add32(Mode(), 0x40490FDB, a), 1)
    yield plain("v_add_f16_e32 v22, 0x4248, v10", "b32", ["f16"], lambda a, b, c, d: add16(Mode(), 0x4248, u(a, 16)), 2)
    yield plain("v_add_f16_e32 v22, 0.15915494, v10", "b32", ["f16"], lambda a, b, c, d: add16(Mode(), 0x3118, u(a, 16)), 2)
    yield plain("v_add_f16_e32 v22, 2.0, v10", "b32", ["f16"], lambda a, b, c, d: add16(Mode(), 0x4000, u(a, 16)), 2)
    yield plain("v_fma_f32 v22, 4.0, v10, -0.5", "f32", ["f32"], lambda a, b, c, d: fma32(Mode(), 0x40800000, a, 0xBF000000), 1)
    yield plain("v_fma_f64 v[22:23], v[10:11], -4.0, 0.5", "f64", ["f64"],
                lambda a, b, c, d: fma64(Mode(), a, 0xC010000000000000, 0x3FE0000000000000), 4)
    for sel in (0x00010203, 0x04050607, 0x08090A0B, 0x0C0D0107, 0xFF060C08):
        yield plain("s_mov_b32 s20, %#x\n    v_perm_b32 v22, v10, v14, s20" % sel, "b32", ["b32", "b32"],
                    lambda a, b, c, d, sel=sel: perm(a, b, sel), n_groups=1)
    yield plain("v_add_u32_e32 v22, -16, v10", "b32", ["b32"], lambda a, b, c, d: u(a - 16, 32))
    yield plain("v_add_u32_e32 v22, 1.0, v10", "b32", ["b32"], lambda a, b, c, d: u(a + 0x3F800000, 32))
    yield plain("s_mov_b32 s20, 0x12345678\n    v_xor_b32_e32 v22, s20, v10", "b32", ["b32"], lambda a, b, c, d: a ^ 0x12345678)
    yield plain("s_mov_b32 s20, 0x3fc00000\n    v_fma_f32 v22, s20, v10, |s20|", "f32", ["f32"],
                lambda a, b, c, d: fma32(Mode(), 0x3FC00000, a, 0x3FC00000), 1)
    yield plain("s_mov_b32 s20, 0x3fc00000\n    s_mov_b32 s21, 0xc0200000\n    v_pk_add_f32 v[22:23], v[10:11], s[20:21]", "pkf32",
                ["pkf32"], lambda a, b, c, d: add32(Mode(), u(a, 32), 0x3FC00000) | add32(Mode(), a >> 32, 0xC0200000) << 32, 5)
    yield plain("v_pk_add_f32 v[22:23], v[10:11], 1.0 op_sel_hi:[1,0]", "pkf32", ["pkf32"],
                lambda a, b, c, d: add32(Mode(), u(a, 32), 0x3F800000) | add32(Mode(), a >> 32, 0x3F800000) << 32, 5)
    yield plain("v_pk_add_f16 v22, v10, 1.0 op_sel_hi:[1,0]", "pkf16", ["pkf16"],
                lambda a, b, c, d: add16(Mode(), u(a, 16), 0x3C00) | add16(Mode(), a >> 16, 0x3C00) << 16, 3)


def more_forms():
    for group in (conversion_forms, compare_forms, trans_forms, division_forms, dot_forms, cube_forms, lane_forms, sdwa_forms):
        yield from group()
