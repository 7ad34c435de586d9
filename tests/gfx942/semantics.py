#!/usr/bin/env python3
"""semantics.py ASSEMBLY CASES: one small kernel for each form of each vector instruction, and what it must compute.

The expected values are worked out here, in exact rational arithmetic and from the text of the ISA document, apart from the
C code that the emulator runs. test_semantics.c loads both files. The lists of forms and of reference functions are in
semantics_ops.py; this file has the numbers' formats and the inputs, semantics_file.py the files.
"""
import functools
import random
import struct
from fractions import Fraction

from semantics_file import Cases

LANES = 64
# Rows in: 0-3 source 0, 4-7 source 1, 8-11 source 2, 12-15 the destination before, 16 the lanes' mask. Out: 0-3 the destination, 4 the
# mask. A form has only those that it uses.
ROWS_IN, ROWS_OUT = 17, 5


@functools.lru_cache(maxsize=None)
def power(n):
    """2 to the n, exactly."""
    return Fraction(2) ** n


class Format:
    """A binary float of `exp` and `man` bits."""

    def __init__(self, exp, man):
        self.exp, self.man, self.bits = exp, man, exp + man + 1
        self.bias = (1 << exp - 1) - 1
        self.inf = (1 << exp) - 1 << man
        self.sign = 1 << exp + man
        self.qnan = self.inf | 1 << man - 1
        self.max = self.inf - 1

    def is_nan(self, u):
        return u & ~self.sign & (self.sign * 2 - 1) > self.inf

    def is_snan(self, u):
        return self.is_nan(u) and not u >> self.man - 1 & 1

    def is_inf(self, u):
        return u & self.sign - 1 == self.inf

    def finite(self, u):
        return u & self.sign - 1 < self.inf

    def negative(self, u):
        return bool(u & self.sign)

    def is_zero(self, u):
        return u & self.sign - 1 == 0

    def is_denormal(self, u):
        return not self.is_zero(u) and u & self.inf == 0

    def value(self, u):
        """The exact value of a finite number."""
        e, m = u >> self.man & (1 << self.exp) - 1, u & (1 << self.man) - 1
        if e:
            m |= 1 << self.man
        shift = max(e, 1) - self.bias - self.man
        x = Fraction(m << shift) if shift >= 0 else Fraction(m, 1 << -shift)
        return -x if u & self.sign else x

    def round(self, x, rm=0, zero_sign=False):
        """The bits of the number next to x in direction rm: 0 nearest even, 1 up, 2 down, 3 toward zero."""
        if x == 0:
            return self.sign if zero_sign else 0
        sign, a = (self.sign, -x) if x < 0 else (0, x)
        e = exponent(a)
        e = max(e, 1 - self.bias)
        step = power(e - self.man)
        n, rest = divmod(a, step)
        up = {0: rest * 2 > step or (rest * 2 == step and n % 2 == 1), 1: rest > 0 and not sign, 2: rest > 0 and bool(sign),
              3: False}[rm]
        n = int(n) + up
        value = n * step
        limit = self.value(self.max)
        if value > limit:
            return sign | (self.inf if rm == 0 or (rm == 1 and not sign) or (rm == 2 and sign) else self.max)
        if value < power(1 - self.bias):
            return sign | n
        e = exponent(value)
        return sign | (e + self.bias << self.man) + (int(value / power(e - self.man)) - (1 << self.man))


def exponent(a):
    """floor(log2(a)) of a positive rational."""
    e = a.numerator.bit_length() - a.denominator.bit_length()
    return e if power(e) <= a else e - 1


F16, BF16, F32, F64 = Format(5, 10), Format(8, 7), Format(8, 23), Format(11, 52)
FORMATS = {"f16": F16, "f32": F32, "f64": F64}


class Mode:
    """The MODE register's fields. IEEE, DX10 clamp, denormals and nearest even are what kernels run in."""

    def __init__(self, round32=0, round64=0, denorm32=3, denorm64=3, dx10=1, ieee=1):
        self.round32, self.round64, self.denorm32, self.denorm64 = round32, round64, denorm32, denorm64
        self.dx10, self.ieee = dx10, ieee

    def bits(self):
        return self.round32 | self.round64 << 2 | self.denorm32 << 4 | self.denorm64 << 6 | self.dx10 << 8 | self.ieee << 9

    def rm(self, f):
        return self.round32 if f is F32 else self.round64

    def read(self, f, u):
        keep = (self.denorm32 if f is F32 else self.denorm64) & 1
        return u if keep or not f.is_denormal(u) else u & f.sign

    def write(self, f, u):
        keep = (self.denorm32 if f is F32 else self.denorm64) & 2
        return u if keep or not f.is_denormal(u) else u & f.sign


EDGES = {
    "b32": [0, 1, 2, 3, 7, 8, 15, 16, 31, 32, 33, 0x7F, 0x80, 0xFF, 0x100, 0x7FFF, 0x8000, 0xFFFF, 0x10000, 0x7FFFFF, 0x800000,
            0xFFFFFF, 0x1000000, 0x7FFFFFFF, 0x80000000, 0x80000001, 0xFFFFFFFE, 0xFFFFFFFF, 0x80808080, 0x7F7F7F7F, 0x00FF00FF,
            0x0C0D0B0A, 0x01020304, 0xAAAAAAAA],
    "f32": [0, 0x80000000, 1, 0x80000001, 0x007FFFFF, 0x00800000, 0x80800000, 0x00800001, 0x3F800000, 0xBF800000, 0x3F7FFFFF,
            0x3F800001, 0x3F000000, 0xBF000000, 0x3FC00000, 0x40200000, 0xC0200000, 0x4B000000, 0x4B000001, 0x4AFFFFFF, 0x4EFFFFFF,
            0x4F000000, 0xCF000000, 0x4F7FFFFF, 0x4F800000, 0x7F7FFFFF, 0xFF7FFFFF, 0x7F000000, 0x7F800000, 0xFF800000, 0x7FC00000,
            0xFFC12345, 0x7F812345, 0xFFA00000, 0x33800000, 0x33000000, 0x387FC000, 0x38800000, 0x477FE000, 0x477FF000, 0x47800000,
            0x40490FDB, 0x42FE0000, 0x437F0000, 0x43700000, 0x43780000, 0x46FFFE00, 0x477FFF00, 0x0D800000, 0x72800000, 0xC2FC0000],
    "f16": [0, 0x8000, 1, 0x8001, 0x3FF, 0x400, 0x8400, 0x401, 0x3C00, 0xBC00, 0x3BFF, 0x3C01, 0x3800, 0xB800, 0x3E00, 0x4100, 0xC100,
            0x6400, 0x6401, 0x63FF, 0x7BFF, 0xFBFF, 0x7800, 0x7C00, 0xFC00, 0x7E00, 0xFE12, 0x7D23, 0xFD00, 0x4248, 0x5BF8, 0x5C00],
    "f64": [0, 1 << 63, 1, 0x000FFFFFFFFFFFFF, 0x0010000000000000, 0x8010000000000000, 0x3FF0000000000000, 0xBFF0000000000000,
            0x3FEFFFFFFFFFFFFF, 0x3FF0000000000001, 0x3FE0000000000000, 0x3FF8000000000000, 0x4004000000000000, 0xC004000000000000,
            0x4330000000000001, 0x432FFFFFFFFFFFFF, 0x41DFFFFFFFC00000, 0x41E0000000000000, 0xC1E0000000000000, 0xC1E00000001FFFFF,
            0x41EFFFFFFFE00000, 0x41F0000000000000, 0x7FEFFFFFFFFFFFFF, 0x7FE0000000000000, 0x7FF0000000000000, 0xFFF0000000000000,
            0x7FF8000000000000, 0xFFF8000000012345, 0x7FF4000000000001, 0x36A0000000000000, 0x3690000000000000, 0x380FFFFFFFFFFFFF,
            0x3810000000000000, 0x47EFFFFFEFFFFFFF, 0x47EFFFFFF0000000, 0x400921FB54442D18, 0x3FF0000010000000, 0x3FF0000030000000],
    "b64": [0, 1, 63, 64, 0xFFFFFFFF, 0x100000000, 0x7FFFFFFFFFFFFFFF, 0x8000000000000000, 0xFFFFFFFFFFFFFFFF, 0x123456789ABCDEF0],
    "b16": [0, 1, 2, 7, 15, 16, 0x7F, 0x80, 0xFF, 0x100, 0x7FFE, 0x7FFF, 0x8000, 0x8001, 0xFF00, 0xFFFE, 0xFFFF],
    "b128": [0, (1 << 128) - 1],
}
WIDTH = {"b16": 1, "f16": 1, "b32": 1, "f32": 1, "pk16": 1, "pkf16": 1, "b64": 2, "f64": 2, "pkf32": 2, "pkb32": 2, "b128": 4}


def draw(rng, kind):
    """A number of the kind: an edge as often as not, then near 1, then any bits."""
    if kind in ("pk16", "pkf16"):
        half = "b16" if kind == "pk16" else "f16"
        return draw(rng, half) & 0xFFFF | (draw(rng, half) & 0xFFFF) << 16
    if kind in ("pkf32", "pkb32"):
        return draw(rng, "f32") | draw(rng, "f32") << 32
    way, bits = rng.random(), WIDTH[kind] * 32
    if way < 0.5:
        x = rng.choice(EDGES[kind])
    elif way < 0.75 and kind in FORMATS:
        f = FORMATS[kind]
        x = rng.getrandbits(f.man) | f.bias + rng.randrange(-12, 13) << f.man | rng.getrandbits(1) * f.sign
    elif way < 0.6:
        x = rng.getrandbits(5)
    else:
        x = rng.getrandbits(bits if WIDTH[kind] > 1 or kind in ("b32", "f32") else 16)
    if WIDTH[kind] == 1 and kind in ("b16", "f16"):
        x |= rng.getrandbits(16) << 16  # what stands in the other half must not matter
    return x


class Form:
    """One instruction text and its reference. fn(lane, a, b, c, d, mask) gives (destination, mask bit or None)."""

    def __init__(self, text, dst, srcs, fn, compare=0, mask_in=False, mask_out=False, mode=None, n_groups=4, wave=None):
        self.text, self.dst, self.srcs, self.fn, self.compare = text, dst, srcs, fn, compare
        self.mask_in, self.mask_out, self.mode, self.n_groups, self.wave = mask_in, mask_out, mode or Mode(), n_groups, wave

    def rows_in(self):
        rows = 0xF << 12 if self.dst == "b128" else (0x3 if self.dst and WIDTH[self.dst] == 2 else 0x1) << 12
        for k, s in enumerate(self.srcs):
            rows |= (1 << WIDTH[s]) - 1 << 4 * k
        return rows | (1 << 16 if self.mask_in else 0)

    def rows_out(self):
        rows = (1 << WIDTH[self.dst]) - 1 if self.dst else 0
        return rows | (1 << 4 if self.mask_out else 0)


def words(x, n):
    return [x >> 32 * i & 0xFFFFFFFF for i in range(n)]


def cases(form, seed):
    """The groups of rows, in and out, as bytes."""
    rng = random.Random(seed)
    out = []
    for _ in range(form.n_groups):
        rows_in = [[0] * LANES for _ in range(ROWS_IN)]
        rows_out = [[0] * LANES for _ in range(ROWS_OUT)]
        args = []
        for lane in range(LANES):
            src = [draw(rng, s) for s in form.srcs] + [0, 0, 0]
            old = draw(rng, form.dst if form.dst else "b32")
            if form.dst in ("b16", "f16"):
                old = rng.getrandbits(32)
            args.append((src[0], src[1], src[2], old, rng.getrandbits(1)))
        for lane, (a, b, c, d, m) in enumerate(args):
            for k, x in enumerate((a, b, c, d)):
                for i, word in enumerate(words(x, 4)):
                    rows_in[4 * k + i][lane] = word
            rows_in[16][lane] = m
        for lane in range(LANES):
            result, bit = form.wave(lane, args) if form.wave else form.fn(lane, *args[lane])
            for i, word in enumerate(words(result, 4)):
                rows_out[i][lane] = word
            rows_out[4][lane] = bit if bit is not None else 0
        for rows, mask in ((rows_in, form.rows_in()), (rows_out, form.rows_out())):
            out += [struct.pack("<64I", *rows[i]) for i in range(len(rows)) if mask >> i & 1]
    return b"".join(out)


BODY = """    s_setreg_imm32_b32 hwreg(HW_REG_MODE, 0, 10), {mode:#x}
{loads}    s_waitcnt vmcnt(0)
{mask}    s_nop 4
    {text}
    s_nop 15
    s_nop 7
{unmask}{stores}"""
DIRECTIVES = {"next_free_vgpr": 128, "accum_offset": 64, "next_free_sgpr": 32, "float_denorm_mode_32": 3, "float_denorm_mode_16_64": 3}
# The registers of the rows: sources from v10, v14, v18, the destination v22, the mask in v26 and as a pair in vcc.
REG_IN = [10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26]
REG_OUT = [22, 23, 24, 25, 27]


def kernel(form):
    rows_in = [r for r in range(ROWS_IN) if form.rows_in() >> r & 1]
    rows_out = [r for r in range(ROWS_OUT) if form.rows_out() >> r & 1]
    loads = "".join("    global_load_dword v%d, v1, s[4:5] offset:%d\n" % (REG_IN[r], n * 256) for n, r in enumerate(rows_in))
    stores = "".join("    global_store_dword v1, v%d, s[6:7] offset:%d\n" % (REG_OUT[r], n * 256) for n, r in enumerate(rows_out))
    mask = "    v_cmp_ne_u32_e32 vcc, 0, v26\n" if form.mask_in else "    s_mov_b64 vcc, 0\n"
    unmask = "    s_mov_b64 exec, -1\n    v_cndmask_b32_e64 v27, 0, 1, vcc\n" if form.mask_out else ""
    body = BODY.format(text=form.text, mode=form.mode.bits(), loads=loads, stores=stores, mask=mask, unmask=unmask)
    return body, (len(rows_in), len(rows_out))


def main():
    from semantics_mfma import DIRECTIVES as product_directives, products
    from semantics_ops import forms

    written = Cases()
    for n, form in enumerate(forms()):
        body, rows = kernel(form)
        written.add("form_%d" % n, form.text, body, rows, DIRECTIVES, (form.n_groups, cases(form, n)), form.compare | (256 if form.mask_out else 0))
    for n, (text, body, n_in, n_out, groups) in enumerate(products()):
        written.add("product_%d" % n, text, body, (n_in, n_out), product_directives, (len(groups), b"".join(groups)))
    written.write()


if __name__ == "__main__":
    main()
