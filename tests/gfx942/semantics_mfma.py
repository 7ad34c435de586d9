"""Matrix products for semantics.py: every dense shape against a plain product of its matrices.

Where an element lies is stated here as AMD's matrix instruction calculator prints it, from element to register and lane; the emulator
goes the other way. Each shape sees matrices that show every position (one factor picks single elements of the other), small integers, and
where its elements have them denormals. All sums are exact, so any order of summation gives the same bits."""
import functools
import random
import struct
from fractions import Fraction

from semantics import BF16, F16, F32, F64, LANES
from semantics_more import BF8, FP8
from semantics_ops import s, u


class Element:
    """A kind of number in A and B: its bits, its values by bits, and the largest integer up to which all are exact. All values
    here, and all sums of their products, are exact in Python's floats."""

    def __init__(self, bits, encode, decode, top):
        self.bits, self.top = bits, top
        self.encode, self.decode = functools.lru_cache(None)(encode), functools.lru_cache(None)(lambda c: float(decode(c)))


def of_format(f, top):
    return Element(f.bits, lambda x: f.round(Fraction(x)), lambda c: f.value(c), top)


def of_tiny(t, top):
    return Element(8, lambda x: t.encode(F32.round(Fraction(x))), lambda c: t.value(c), top)


def xf32(c):
    """Ten bits of mantissa, to nearest even."""
    return F32.value((c + 0xFFF + (c >> 13 & 1)) & ~0x1FFF & 0xFFFFFFFF)


ELEMENTS = {
    "f32": of_format(F32, 2000), "f16": of_format(F16, 2000), "bf16": of_format(BF16, 250), "f64": of_format(F64, 100000),
    "fp8": of_tiny(FP8, 15), "bf8": of_tiny(BF8, 7), "xf32": Element(32, lambda x: F32.round(Fraction(x)), xf32, 1000),
    "i8": Element(8, lambda x: u(x, 8), lambda c: s(c, 8), 127),
}

# name, M = N, K, blocks, kinds of A and B
SHAPES = [("f32_32x32x1_2b_f32", 32, 1, 2, "f32", "f32"), ("f32_16x16x1_4b_f32", 16, 1, 4, "f32", "f32"),
          ("f32_4x4x1_16b_f32", 4, 1, 16, "f32", "f32"), ("f32_32x32x2_f32", 32, 2, 1, "f32", "f32"),
          ("f32_16x16x4_f32", 16, 4, 1, "f32", "f32"), ("f32_32x32x4_xf32", 32, 4, 1, "xf32", "xf32"),
          ("f32_16x16x8_xf32", 16, 8, 1, "xf32", "xf32"), ("i32_32x32x4_2b_i8", 32, 4, 2, "i8", "i8"),
          ("i32_16x16x4_4b_i8", 16, 4, 4, "i8", "i8"), ("i32_4x4x4_16b_i8", 4, 4, 16, "i8", "i8"),
          ("i32_32x32x16_i8", 32, 16, 1, "i8", "i8"), ("i32_16x16x32_i8", 16, 32, 1, "i8", "i8"),
          ("f64_16x16x4_f64", 16, 4, 1, "f64", "f64"), ("f64_4x4x4_4b_f64", 4, 4, 4, "f64", "f64")]
for t in ("f16", "bf16"):
    SHAPES += [("f32_32x32x4_2b_" + t, 32, 4, 2, t, t), ("f32_16x16x4_4b_" + t, 16, 4, 4, t, t), ("f32_4x4x4_16b_" + t, 4, 4, 16, t, t),
               ("f32_32x32x8_" + t, 32, 8, 1, t, t), ("f32_16x16x16_" + t, 16, 16, 1, t, t)]
for p in ("fp8", "bf8"):
    for q in ("fp8", "bf8"):
        SHAPES += [("f32_32x32x16_%s_%s" % (p, q), 32, 16, 1, p, q), ("f32_16x16x32_%s_%s" % (p, q), 16, 32, 1, p, q)]


def place_a(m, k_n, blocks, bits, i, k, b):
    """A[i][k] of block b (B[k][i] the same): lane and first bit within the lane's registers."""
    if bits == 64:
        return (16 * k + i if blocks == 1 else 4 * b + 16 * k + i), 0
    per_lane = m * k_n * blocks // LANES
    lane = i + m * (b if blocks > 1 else k // per_lane)
    return lane, bits * (k % per_lane)


def place_d(m, blocks, bits, i, j, b):
    """C and D [i][j] of block b: register and lane."""
    if bits == 64:
        return (2 * (i // 4), 16 * (i % 4) + j) if blocks == 1 else (0, 16 * i + 4 * b + j)
    if m == 32:
        return 16 * b + 4 * (i // 8) + i % 4, 32 * (i // 4) % 64 + j
    if m == 16:
        return 4 * b + i % 4, 16 * (i // 4) + j
    return i, 4 * b + j


class Shape:
    def __init__(self, name, m, k, blocks, ta, tb):
        self.name, self.m, self.k, self.blocks, self.a, self.b = name, m, k, blocks, ELEMENTS[ta], ELEMENTS[tb]
        self.d_bits, self.integer = (64 if ta == "f64" else 32), ta == "i8"
        self.n_ab = max(1, m * k * blocks // LANES * self.a.bits // 32)
        self.n_d = m * m * blocks // LANES * self.d_bits // 32
        self.modifiers = [{}]
        if blocks > 1 and self.d_bits == 32:
            top = blocks.bit_length() - 1
            self.modifiers += [{"cbsz": c, "abid": 2 ** c - 1} for c in range(1, top + 1)] + [{"cbsz": top, "abid": 0, "blgp": 2}]
        if self.d_bits == 32 and (blocks > 1 or ta == "f32"):
            self.modifiers += [{"blgp": n} for n in range(1, 8)]
        if self.d_bits == 64:
            self.modifiers += [{"neg": (1, 0, 0)}, {"neg": (0, 1, 1)}]

    def values(self, rng, way):
        """Matrices of codes: A by (i, k, block), B by (k, j, block), C by (i, j, block)."""
        one, zero = self.a.encode(1), self.a.encode(0)
        a, b, c = {}, {}, {}
        n = 0
        for blk in range(self.blocks):
            for i in range(self.m):
                for k in range(self.k):
                    n += 1
                    if way == "a":
                        a[i, k, blk], b[k, i, blk] = self.a.encode(1 + n % self.a.top), self.b.encode(int(k == i % self.k))
                    elif way == "b":
                        a[i, k, blk], b[k, i, blk] = self.a.encode(int(k == i % self.k)), self.b.encode(1 + n % self.b.top)
                    elif way == "tiny":  # codes around zero: denormals
                        low = {16: 40, 8: 6}[self.a.bits]
                        a[i, k, blk] = rng.randrange(1, low) | rng.getrandbits(1) << self.a.bits - 1
                        b[k, i, blk] = self.b.encode(rng.choice((-2, -1, 1, 2)))
                    elif way == "bits":
                        a[i, k, blk], b[k, i, blk] = rng.getrandbits(31) % 0x7F000000, self.b.encode(int(k == i % self.k))
                    else:
                        reach = min(self.a.top, 127 if self.integer else 60)
                        a[i, k, blk] = self.a.encode(rng.randrange(-reach, reach + 1))
                        b[k, i, blk] = self.b.encode(rng.randrange(-min(self.b.top, reach), min(self.b.top, reach) + 1))
                for j in range(self.m):
                    c[i, j, blk] = 0 if way in ("tiny", "bits") else rng.randrange(-1000, 1000)
        assert one != zero
        return a, b, c

    def product(self, a, b, c, mods):
        """D by (i, j, block), from the matrices as the modifiers see them."""
        neg = [-1 if n else 1 for n in mods.get("neg", (0, 0, 0))]
        av = {key: self.a.decode(x) * neg[0] for key, x in a.items()}
        bv = {key: self.b.decode(x) * neg[1] for key, x in b.items()}
        d = {}
        for blk in range(self.blocks):
            from_a = (blk >> mods.get("cbsz", 0) << mods.get("cbsz", 0)) + mods.get("abid", 0)
            for i in range(self.m):
                for j in range(self.m):
                    d[i, j, blk] = c[i, j, blk] * neg[2] + sum(av[i, k, from_a] * bv[k, j, blk] for k in range(self.k))
        return d

    def spread(self, b, blgp):
        """B as the lanes see it: lane l holds what lane source(l) would."""
        source = {1: lambda l: l % 32, 2: lambda l: 32 + l % 32, 3: lambda l: (l + 16) % 64}.get(blgp, lambda l: 16 * (blgp - 4) + l % 16)
        at = {place_a(self.m, self.k, self.blocks, self.b.bits, j, k, blk): b[k, j, blk]
              for k in range(self.k) for j in range(self.m) for blk in range(self.blocks)}
        out = {}
        for k in range(self.k):
            for j in range(self.m):
                for blk in range(self.blocks):
                    lane, bit = place_a(self.m, self.k, self.blocks, self.b.bits, j, k, blk)
                    out[k, j, blk] = at[source(lane), bit]
        return out

    def group(self, rng, way, mods, const):
        a, b, c = self.values(rng, way)
        if const is not None:
            c = {key: const for key in c}
        seen = self.spread(b, mods["blgp"]) if "blgp" in mods else b
        d = self.product(a, seen, c, mods)
        rows = []
        for matrix, element, flip in ((a, self.a, False), (b, self.b, True)):
            regs = [[0] * LANES for _ in range(self.n_ab)]
            for (p, q, blk), code in matrix.items():
                i, k = (q, p) if flip else (p, q)
                lane, bit = place_a(self.m, self.k, self.blocks, element.bits, i, k, blk)
                for word in range(max(1, element.bits // 32)):
                    regs[bit // 32 + word][lane] |= u(code >> 32 * word, 32) << bit % 32 if element.bits < 32 else u(code >> 32 * word, 32)
            rows += regs
        for matrix in (c, d):
            regs = [[0] * LANES for _ in range(self.n_d)]
            for (i, j, blk), x in matrix.items():
                reg, lane = place_d(self.m, self.blocks, self.d_bits, i, j, blk)
                code = u(int(x), 32) if self.integer else struct.unpack("<Q", struct.pack("<d", x))[0] if self.d_bits == 64 else \
                    struct.unpack("<I", struct.pack("<f", x))[0]
                for word in range(self.d_bits // 32):
                    regs[reg + word][lane] = u(code >> 32 * word, 32)
            rows += regs
        return b"".join(struct.pack("<64I", *r) for r in rows)


BODY = """    v_mov_b32_e32 v0, v1
{loads}    s_waitcnt vmcnt(0)
{before}    s_nop 7
    {text}
    s_nop 15
    s_nop 7
{after}{stores}"""
DIRECTIVES = {"next_free_vgpr": 256, "accum_offset": 128, "next_free_sgpr": 32, "float_denorm_mode_32": 0, "float_denorm_mode_16_64": 0}
# A from v2, B from v4, C from v8, D from v40; as accumulation registers the same from a0.


def regs(bank, first, n):
    return "%s%d" % (bank, first) if n == 1 else "%s[%d:%d]" % (bank, first, first + n - 1)


def kernel(shape, text, acc):
    def memory(op, first, n, base):
        return "".join("    %s\n    v_add_u32_e32 v0, 0x100, v0\n" % (
            "global_load_dword v%d, v0, s[%s]" % (first + r, base) if op == "load" else "global_store_dword v0, v%d, s[%s]" % (first + r, base))
            for r in range(n))
    loads = memory("load", 2, shape.n_ab, "4:5") + memory("load", 4, shape.n_ab, "4:5") + memory("load", 8, shape.n_d, "4:5")
    before = after = ""
    if acc:
        before = "".join("    v_accvgpr_write_b32 a%d, v%d\n" % (r, r) for r in list(range(2, 6)) + list(range(8, 8 + shape.n_d))
                         if r >= 8 or r < 2 + shape.n_ab or 4 <= r < 4 + shape.n_ab)
        after = "".join("    v_accvgpr_read_b32 v%d, a%d\n" % (40 + r, 40 + r) for r in range(shape.n_d))
    stores = "    v_mov_b32_e32 v0, v1\n" + memory("store", 40, shape.n_d, "6:7")
    return BODY.format(loads=loads, before=before, text=text, after=after, stores=stores)


def products():
    """(text, assembly, rows in, rows out, groups) of every case."""
    for row in SHAPES:
        shape, rng = Shape(*row), random.Random(row[0])
        for mods in shape.modifiers:
            plain = not mods
            suffix = "".join(" %s:%s" % (k, "[%d,%d,%d]" % v if k == "neg" else v) for k, v in mods.items())
            for bank, const in ((("v", None), ("a", None), ("v", 1)) if plain else (("v", None),)):
                c = regs(bank, 8, shape.n_d) if const is None else ("1" if shape.integer else "1.0")
                text = "v_mfma_%s %s, %s, %s, %s%s" % (shape.name, regs(bank, 40, shape.n_d), regs(bank, 2, shape.n_ab),
                                                     regs(bank, 4, shape.n_ab), c, suffix)
                ways = ["a", "b", "small"] if bank == "v" and const is None else ["small"]
                if plain and const is None and bank == "v":
                    ways += ["tiny"] if shape.a.bits in (8, 16) and not shape.integer else ["bits"] if row[4] == "xf32" else []
                groups = [shape.group(rng, way, mods, const) for way in ways]
                yield text, kernel(shape, text, bank == "a"), 2 * shape.n_ab + shape.n_d, shape.n_d, groups
