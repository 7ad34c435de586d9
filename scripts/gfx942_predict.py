#!/usr/bin/env python3
"""
Predicts times on an MI300X from published rates (scripts/gfx942_rates.tsv) and from what the compiler made of the kernels
(tests/hipstatic/gfx942.tsv), and writes them into docs/en|es/mi300x_model.md. Nothing was run on the hardware.

gfx942_predict.py [--check]   --check: fail where a known figure is missed by more than 15 %, or the pages are not what this gives
"""
import os
import re
import sys

from model_page import ROOT, rows_of, write_blocks

TOLERANCE = 0.15
TYPES = {"f32": (4, 0), "f16": (2, 1), "bf16": (2, 2), "fp8": (1, 35)}
R = {row["name"]: float(row["value"]) for row in rows_of("scripts", "gfx942_rates.tsv")}


def table():
    return {row.pop("kernel"): {name: float(value) for name, value in row.items()} for row in rows_of("tests", "hipstatic", "gfx942.tsv")}


def up(n, d):
    return -(-n // d)


class Time:
    """Seconds and the bound that binds."""

    def __init__(self, parts, extra=0.0):
        self.bound = max(parts, key=parts.get)
        self.parts, self.seconds = parts, parts[self.bound] + extra


class Loop:
    """
    Of a kernel's main loop, by step: bytes of LDS read and written by the workgroup, bytes that it loads, instructions of a wave besides its
    products, clocks that a wave waits for LDS with its products done; and products behind the first store, in clocks of a SIMD.
    """

    def __init__(self, lds, loaded, others=0, waves=8, stall=None, at_end=0):
        self.lds, self.loaded, self.issue = lds, loaded, others * 4 * waves / R["simds"]
        self.stall, self.at_end = R["lds_clocks"] if stall is None else stall, at_end * waves / R["simds"]

    @classmethod
    def of(cls, f, waves):
        return cls((f["loop_lds_read"] + f["loop_lds_write"]) * waves, f["loop_bytes"] * waves, f["loop_instructions"] - f["loop_matrix"], waves,
                   f["loop_lds_stall"], f["matrix_clocks_at_end"])


def gemm(kind, m, n, k, tile, step_bytes, groups, ahead, launch, loop=None, shared_dies=False, result_bytes=4):
    """
    A tiled GEMM. tile: (m, n); step_bytes: of k, between two waits for LDS; groups: workgroups resident on a unit; ahead: steps that loads
    are under way before they are needed. loop: of kernels whose code is known; of others the products and the tile's own traffic count.
    shared_dies: neighbouring tiles go to one die.
    """
    size = TYPES[kind][0]
    n_tiles = up(m, tile[0]) * up(n, tile[1])
    steps = up(k * size, step_bytes)
    # Small problems end before the power limit lowers the clock.
    clock = R["clock_" + kind] * 1e6 if 2 * m * n * k > 5e9 else R["clock"] * 1e6
    matrix = 2 * tile[0] * tile[1] * step_bytes / size / R["flop_" + kind]
    loaded = (tile[0] + tile[1]) * step_bytes
    loop = loop or Loop(2 * loaded, loaded)
    step = {"matrix": matrix, "LDS": loop.lds / R["lds_bytes"], "issue": loop.issue, "L1": loop.loaded / R["l1_bytes"]}
    own = max(step.values())
    stall = max(loop.stall, R["lds_clocks"]) if groups == 1 and loop.stall else 0  # nothing else runs while the waves wait for LDS
    own += stall
    resident = min(groups, up(n_tiles, int(R["units"])))
    own = max(own, R["mall_ns"] * 1e-9 * clock / ahead / resident)  # what is loaded must have come
    rounds = up(n_tiles, int(R["units"]))
    # The first loads, the last stores; and the results of the tiles that end last are on their way behind the last products.
    ends = 2 * R["hbm_ns"] * 1e-9
    results = min(n_tiles, int(R["units"]) * groups) * tile[0] * tile[1] * result_bytes
    stores = max(results / R["mall_bytes"], results / R["units"] / R["l1_bytes"] / clock)
    ends += max(0, stores - loop.at_end / clock)
    parts = {("latency" if own > max(step.values()) + stall else max(step, key=step.get)): rounds * steps * own / clock + ends}
    traffic = n_tiles * (tile[0] + tile[1]) * k * size
    parts["L2"] = traffic / (R["dies"] * R["l2_bytes"] * clock)
    # Each die fetches what its own tiles need: everything where tiles go to the dies in turn, else about the square root of its share.
    shared = (m + n) * k * size * (R["dies"] ** 0.5 if shared_dies else R["dies"])
    parts["Infinity Cache"] = shared / R["mall_bytes"]
    parts["HBM"] = ((m + n) * k * size + m * n * result_bytes) / R["hbm_bytes"]
    return Time(parts, launch)


def tflops(time, m, n, k):
    return 2 * m * n * k / time.seconds / 1e12


# ---- known figures: what, m, n, k, type, tile, step, resident, ahead, measured TFLOP/s, where the tile is from ----
KNOWN = (
    ("hipBLAS fp32 512^3", 512, 512, 512, "f32", (32, 32), 128, 1, 2, 30.0, "assumed"),
    ("hipBLAS fp32 2048^3", 2048, 2048, 2048, "f32", (128, 64), 64, 4, 2, 75.6, "assumed, as for 4096^3"),
    ("hipBLAS fp32 4096^3", 4096, 4096, 4096, "f32", (128, 64), 64, 4, 2, 101.7, "rocBLAS 6, gfx942 table"),
    ("AMD fp16 4096 x 4864 x 32896", 4096, 4864, 32896, "f16", (256, 256), 128, 1, 1, 654.0, "AMD names 256 x 256; m and n are 16 x 19 of it"),
    ("AMD bf16 4096 x 4864 x 32896", 4096, 4864, 32896, "bf16", (256, 256), 128, 1, 1, 708.0, "the same"),
    ("AMD fp8 4096 x 3648 x 32896", 4096, 3648, 32896, "fp8", (256, 192), 128, 1, 1, 1273.0, "m and n are 16 x 19 of 256 x 192"),
)
HELD = 5  # the first five are the ones that the model must meet


def known():
    for what, m, n, k, kind, tile, step, groups, ahead, measured, source in KNOWN:
        time = gemm(kind, m, n, k, tile, step, groups, ahead, R["launch_us"] * 1e-6, result_bytes=4 if kind == "f32" else 2)
        yield what, f"{tile[0]} x {tile[1]}", source, measured, tflops(time, m, n, k), time.bound


# ---- ours ----
OURS = (("f32", 512, 512, 512), ("f32", 2048, 2048, 2048), ("f32", 4096, 4096, 4096), ("f16", 4096, 4096, 4096),
        ("f16", 4096, 4864, 32896), ("bf16", 4096, 4096, 4096), ("bf16", 4096, 4864, 32896), ("fp8", 4096, 4096, 4096),
        ("fp8", 4096, 4864, 32896))


def shares():
    """{(m, n): (share, of f32, of quantized weights)}: what the plan thinks of each tile, from its own source."""
    with open(os.path.join(ROOT, "kernels", "rows_hip_mfma.c"), encoding="utf-8") as file:
        text = file.read().split("} tiles[] = {", 1)[1].split("};", 1)[0]
    number_ = r"([\d.]+)"
    return {(int(m), int(n)): tuple(float(x) for x in s)
            for m, n, *s in re.findall(rf"\{{(\d+),\s+(\d+),\s+{number_},\s+{number_},\s+{number_}\}}", text)}


def planned(rows, kind, m, n):
    """The kernel that a plan takes (gemm_unwise, gemm_split_unwise in kernels/rows_hip_mfma.c), a's rows and b's columns contiguous."""
    names = [(name, [int(c) for c in name.split("_")[3:]]) for name in rows if name.startswith(("greta_gemm_mfma_", "greta_gemm_pair_", "greta_gemm_split_"))]
    names = [(name, x[0], (x[4], x[5])) for name, x in names if x[1:4] == [TYPES[kind][1], 0, 1]]
    for name, threads, tile in sorted((x for x in names if "_split_" in x[0]), key=lambda x: x[2]):
        if up(m, 2 * tile[0]) * up(n, 2 * tile[1]) < R["units"] // 2:
            return name, threads, tile
    known_shares = shares()

    def cost(tile):
        return up(up(m, tile[0]) * up(n, tile[1]), int(R["units"])) * tile[0] * tile[1] / known_shares[tile][kind == "f32"]

    return min((x for x in names if "_split_" not in x[0]), key=lambda x: cost(x[2]))


def resident(f, waves):
    """Workgroups on a compute unit at a time."""
    return max(1, min(int(65536 // f["lds"]), int(f["waves"] * R["simds"] // waves)))


def our_gemm(rows, kind, m, n, k, launch):
    name, threads, tile = planned(rows, kind, m, n)
    f, waves = rows[name], threads // 64
    if "_split_" in name:
        # Each wave takes its own part of k: a step of all waves is 128 bytes times their number, and LDS is not used.
        loop = Loop(0, f["loop_bytes"] * waves, f["loop_instructions"] - f["loop_matrix"], waves)
        return gemm(kind, m, n, k, tile, 128 * waves, 1, 1, launch, loop, True), name
    return gemm(kind, m, n, k, tile, 128, resident(f, waves), 1, launch, Loop.of(f, waves), True), name


# ---- decode ----
LAYER = (("q, k, v", "matvec_qkv_pairs", 12288, 4096), ("output of attention", "matvec_rows", 4096, 4096),
         ("gate, up", "matvec_glu_rows", 22016, 4096), ("down", "matvec_rows", 4096, 11008))
BITS = {"F16": (16, 1), "Q8_0": (8.5, 3), "Q4_K": (4.5, 6)}
CONTEXT = 512


# With f32 activations; with the norm before it and the residual behind it, as six dispatches a layer want them.
INSTANCE = {"matvec_rows": "256_{w}_0_1_", "matvec_glu_rows": "256_{w}_0_0_1_", "matvec_qkv_pairs": "256_{w}_{w}_0_1_0_1_0_"}


def vector_row(rows, entry, w_type):
    begin = f"greta_{entry}_" + INSTANCE[entry].format(w=w_type)
    for name, f in sorted(rows.items()):
        if (name + "_").startswith(begin) and f["loop_flop"]:
            return name, f
    return sys.exit(f"gfx942_predict.py: the table has no {begin}")


def stream(n_bytes, valu_instructions):
    """A dispatch of a graph that reads n_bytes once and runs so many vector instructions of a wave."""
    parts = {"HBM": n_bytes / R["hbm_bytes"], "vector": valu_instructions * 4 / (R["units"] * R["simds"] * R["clock"] * 1e6)}
    return Time(parts, R["graph_us"] * 1e-6 + 2 * R["hbm_ns"] * 1e-9)


def decode(rows, w_name):
    """(microseconds of a layer, its bytes, of the whole token, list of parts)"""
    bits, w_type = BITS[w_name]
    parts, layer, layer_bytes = [], 0.0, 0.0
    for what, entry, n_rows, n_cols in LAYER:
        name, f = vector_row(rows, entry, w_type)
        n_bytes = n_rows * n_cols * bits / 8
        passes = 2 * n_rows * n_cols / f["loop_flop"]  # of one wave's main loop
        time = stream(n_bytes, passes * f["loop_valu"])
        parts.append((what, name, n_bytes, time))
        layer += time.seconds
        layer_bytes += n_bytes
    kv = 2 * CONTEXT * 4096 * 2
    for what, n_bytes in (("attention", kv), ("its sums", 32 * 2 * 130 * 4)):
        time = stream(n_bytes, 0)
        parts.append((what, "attn_split, attn_reduce", n_bytes, time))
        layer += time.seconds
        layer_bytes += n_bytes
    name, f = vector_row(rows, "matvec_rows", w_type)
    n_bytes = 32000 * 4096 * bits / 8
    head = stream(n_bytes, 2 * 32000 * 4096 / f["loop_flop"] * f["loop_valu"]).seconds + 2 * stream(0, 0).seconds
    return layer, layer_bytes, 32 * layer + head, parts


# ---- prefill ----
MATMULS = (("q, k, v, output", 4, 4096, 4096), ("gate, up", 2, 11008, 4096), ("down", 1, 4096, 11008))


def matmul(rows, w_type, n_tok, n_rows, n_cols):
    """The tile that a plan takes (matmul_unwise), and its time."""
    known_shares = shares()
    found = []
    for name, f in rows.items():
        if not name.startswith("greta_matmul_mfma_"):
            continue
        x = [int(c) for c in name.split("_")[3:]]
        tile, waves = (x[3], x[4]), x[0] // 64
        if x[1] != w_type or n_tok <= tile[0] // 2:
            continue
        cost = up(up(n_tok, tile[0]) * up(n_rows, tile[1]), int(R["units"])) * tile[0] * tile[1] / known_shares[tile][0 if w_type < 3 else 2]
        time = gemm("f16", n_tok, n_rows, n_cols, tile, 128, resident(f, waves), 1, R["graph_us"] * 1e-6, Loop.of(f, waves), True)
        found.append((cost, name, time))
    return min(found)[1:]


def attention(rows, n_tok):
    """Of 32 heads of 128, no tokens before them: by the loop over whole blocks of keys."""
    blocks = 2 if up(n_tok, 128) * 32 >= 2 * R["units"] else 1
    name = f"greta_attn_mfma_256_1_128_{blocks}_64"
    f = rows[name]
    flop = 2 * 2 * 32 * 128 * n_tok * n_tok / 2
    passes = flop / (f["loop_matrix"] * 8192) / (R["units"] * R["simds"])  # of a SIMD
    clock = R["clock_f16"] * 1e6
    parts = {"matrix": passes * f["loop_matrix_clocks"] / clock,
             "issue": passes * 4 * (f["loop_instructions"] - f["loop_matrix"]) / clock,
             "LDS": passes * R["simds"] * (f["loop_lds_read"] + f["loop_lds_write"]) / R["lds_bytes"] / clock}
    return name, Time(parts, R["graph_us"] * 1e-6)


def lines_prefill(rows, language):
    words = {"en": ("tokens", "weights", "part of a layer", "kernel", "us", "bound"),
             "es": ("tokens", "pesos", "parte de una capa", "kernel", "us", "límite")}[language]
    yield "| " + " | ".join(words) + " |"
    yield "|--:|---|---|---|--:|---|"
    for n_tok in (512, 2048):
        attn_name, attn = attention(rows, n_tok)
        for w_name, (_, w_type) in BITS.items():
            layer = attn.seconds + 6 * R["graph_us"] * 1e-6
            for what, times, n_rows, n_cols in MATMULS:
                name, time = matmul(rows, w_type, n_tok, n_rows, n_cols)
                layer += times * time.seconds
                yield f"| {number(n_tok, 0, language)} | {w_name} | {times} x {tr(what, language)} | `{name[6:]}` | " \
                      f"{number(time.seconds * 1e6, 0, language)} | {tr(time.bound, language)} |"
            yield f"| {number(n_tok, 0, language)} | {w_name} | {tr('attention', language)} | `{attn_name[6:]}` | " \
                  f"{number(attn.seconds * 1e6, 0, language)} | {tr(attn.bound, language)} |"
            yield f"| {number(n_tok, 0, language)} | {w_name} | **tokens/s** | | **{number(n_tok / 32 / layer, 0, language)}** | |"


# ---- named cases of an earlier prototype (their kernels are not known; the model's time for the same work) ----
PROTOTYPE = (("RMSNorm, 40,960 elements", 40960 * 4 * 2, 0.05), ("RoPE, 4096, 32 heads", 4096 * 4 * 2, 0.08), ("KV update", 2 * 4096 * 4, 0.01))


def number(x, digits, language):
    text = f"{x:,.{digits}f}"
    return text if language == "en" else text.replace(",", " ").replace(".", ",").replace(" ", ".")


def lines_known(language):
    words = {"en": ("what", "tile", "the tile is", "measured", "predicted", "error", "bound"),
             "es": ("qué", "tesela", "la tesela es", "medido", "predicho", "error", "límite")}[language]
    yield "| " + " | ".join(words) + " |"
    yield "|---|---|---|--:|--:|--:|---|"
    for what, tile, source, measured, predicted, bound in known():
        yield f"| {what} | {tile} | {tr(source, language)} | {number(measured, 1, language)} | {number(predicted, 1, language)} | " \
              f"{number(100 * (predicted / measured - 1), 1, language)} % | {tr(bound, language)} |"


SPANISH = {"assumed": "supuesta", "assumed, as for 4096^3": "supuesta, como para 4096^3", "rocBLAS 6, gfx942 table": "tabla gfx942 de rocBLAS 6",
           "AMD names 256 x 256; m and n are 16 x 19 of it": "AMD nombra 256 x 256; m y n son 16 x 19 de ella", "the same": "la misma",
           "m and n are 16 x 19 of 256 x 192": "m y n son 16 x 19 de 256 x 192", "matrix": "matriz", "latency": "latencia", "issue": "emisión",
           "vector": "vector", "output of attention": "salida de la atención", "q, k, v, output": "q, k, v, salida", "attention": "atención", "its sums": "sus sumas",
           "RMSNorm, 40,960 elements": "RMSNorm, 40.960 elementos", "RoPE, 4096, 32 heads": "RoPE, 4096, 32 cabezas",
           "KV update": "escritura de KV", "one layer of Llama-2-7B, F16": "una capa de Llama-2-7B, F16"}


def tr(text, language):
    return SPANISH.get(text, text) if language == "es" else text


def lines_ours(rows, language):
    words = {"en": ("type", "m x n x k", "kernel", "TFLOP/s", "bound", "TFLOP/s in a graph"),
             "es": ("tipo", "m x n x k", "kernel", "TFLOP/s", "límite", "TFLOP/s en un grafo")}[language]
    yield "| " + " | ".join(words) + " |"
    yield "|---|---|---|--:|---|--:|"
    for kind, m, n, k in OURS:
        time, name = our_gemm(rows, kind, m, n, k, R["launch_us"] * 1e-6)
        graph = our_gemm(rows, kind, m, n, k, R["graph_us"] * 1e-6)[0]
        yield f"| {kind} | {m} x {n} x {k} | `{name[6:]}` | {number(tflops(time, m, n, k), 1, language)} | {tr(time.bound, language)} | " \
              f"{number(tflops(graph, m, n, k), 1, language)} |"


def lines_decode(rows, language):
    words = {"en": ("weights", "part of a layer", "kernel", "MB", "us", "bound"),
             "es": ("pesos", "parte de una capa", "kernel", "MB", "us", "límite")}[language]
    yield "| " + " | ".join(words) + " |"
    yield "|---|---|---|--:|--:|---|"
    for w_name in BITS:
        for what, name, n_bytes, time in decode(rows, w_name)[3]:
            yield f"| {w_name} | {tr(what, language)} | `{name.replace('greta_', '')}` | {number(n_bytes / 1e6, 1, language)} | " \
                  f"{number(time.seconds * 1e6, 1, language)} | {tr(time.bound, language)} |"


def lines_tokens(rows, language):
    words = {"en": ("weights", "a layer, us", "of HBM's rate", "tokens/s", "tokens/s at 5 us a dispatch"),
             "es": ("pesos", "una capa, us", "de la tasa de HBM", "tokens/s", "tokens/s con 5 us por despacho")}[language]
    yield "| " + " | ".join(words) + " |"
    yield "|---|--:|--:|--:|--:|"
    for w_name in BITS:
        layer, layer_bytes, token, _ = decode(rows, w_name)
        saved, R["graph_us"] = R["graph_us"], 5.0
        slow = decode(rows, w_name)[2]
        R["graph_us"] = saved
        yield f"| {w_name} | {number(layer * 1e6, 0, language)} | {number(100 * layer_bytes / R['hbm_bytes'] / layer, 0, language)} % | " \
              f"{number(1 / token, 0, language)} | {number(1 / slow, 0, language)} |"


def lines_prototype(rows, language):
    words = {"en": ("what", "prototype, ms", "the model for our dispatch, ms"), "es": ("qué", "prototipo, ms", "el modelo para nuestro despacho, ms")}[language]
    yield "| " + " | ".join(words) + " |"
    yield "|---|--:|--:|"
    for what, n_bytes, measured in PROTOTYPE:
        time = n_bytes / R["hbm_bytes"] + R["launch_us"] * 1e-6 + 2 * R["hbm_ns"] * 1e-9
        yield f"| {tr(what, language)} | {number(measured, 2, language)} | {number(time * 1e3, 4, language)} |"
    yield f"| {tr('one layer of Llama-2-7B, F16', language)} | {number(2.1, 2, language)} | {number(decode(rows, 'F16')[0] * 1e3, 4, language)} |"


def targets(rows):
    """What the project asks of the kernels, by the model: (what, got, wanted)."""
    launch = R["launch_us"] * 1e-6
    for kind, m, n, k, wanted in (("f32", 512, 512, 512, 30.0), ("f32", 4096, 4096, 4096, 101.7), ("f16", 4096, 4096, 4096, 654.0),
                                  ("f16", 4096, 4864, 32896, 654.0), ("bf16", 4096, 4096, 4096, 708.0), ("bf16", 4096, 4864, 32896, 708.0)):
        yield f"{kind} {m} x {n} x {k}, TFLOP/s", tflops(our_gemm(rows, kind, m, n, k, launch)[0], m, n, k), wanted
    for w_name in BITS:
        layer, layer_bytes, _, _ = decode(rows, w_name)
        yield f"a layer in decode, {w_name}, share of HBM's rate", layer_bytes / R["hbm_bytes"] / layer, 0.6


def main():
    check = "--check" in sys.argv[1:]
    faults = [f"{what}: {predicted:.1f} against {measured}" for what, _, _, measured, predicted, _ in list(known())[:HELD]
              if abs(predicted / measured - 1) > TOLERANCE]
    if faults:
        sys.exit("gfx942_predict.py: known figures missed by more than 15 %:\n" + "\n".join(faults))
    rows = table()
    missed = [f"{what}: {got:.2f}, wanted {wanted}" for what, got, wanted in targets(rows) if got <= wanted]
    if missed:
        sys.exit("gfx942_predict.py: predicted short of what is asked:\n" + "\n".join(missed))
    for language in ("en", "es"):
        write_blocks("mi300x_model.md", language,
                     {"known": list(lines_known(language)), "gemm": list(lines_ours(rows, language)), "decode": list(lines_decode(rows, language)),
                      "tokens": list(lines_tokens(rows, language)), "prefill": list(lines_prefill(rows, language)), "prototype": list(lines_prototype(rows, language))}, check)
    if check:
        print("known figures within 15 %, pages as the tables give them")


if __name__ == "__main__":
    main()
