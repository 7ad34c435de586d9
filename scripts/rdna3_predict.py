#!/usr/bin/env python3
"""Predicts times on a Ryzen 8600G from the tables of tests/rdna3 and published rates, and writes them into docs/en|es/rdna3.md.

rdna3_predict.py [--check]   --check: fail where the pages are not what the tables give
"""
import sys

from model_page import rows_of, write_blocks

CUS, CLOCK, BYTES_PER_S = 8, 2.6e9, 89.6e9
LANES_PER_S = CUS * 2 * 32 * CLOCK      # two SIMDs of 32 lanes a CU, one instruction a clock, no dual issue
LDS_PER_S = CUS * 128 * CLOCK           # bytes
WMMA_CYCLES, SIMD_CYCLES_PER_S = 32, CUS * 2 * CLOCK  # 16x16x16 f16 or i8: 8,192 operations at 256 a clock
BITS = {"F16": 16, "Q8_0": 8.5, "Q4_K": 4.5}
SHAPES = (("matvec_qkv_wide", "q, k, v", 12288, 4096), ("matvec", "attention's output", 4096, 4096),
          ("matvec_glu_wide", "gate, up", 22016, 4096), ("matvec", "down", 4096, 11008), ("matvec", "output", 32000, 4096))
MATMULS = (("q", 4096, 4096), ("gate", 11008, 4096), ("down", 4096, 11008))


def read(name):
    rows = list(rows_of("tests", "rdna3", name))
    for row in rows:
        for key in list(row)[2:]:
            row[key] = int(row[key])
        row["c"] = dict(pair.split("=") for pair in row["constants"].split())
    return rows


def find(rows, name, wave, **constants):
    for row in rows:
        if row["row"] == name and row["wave"] == wave and all(row["c"].get(k) == v for k, v in constants.items()):
            return row
    sys.exit(f"rdna3_predict.py: the table has no {name} {constants} at wave{wave}")


def line(what, row, n_bytes, times):
    times = dict(times, memory=n_bytes / BYTES_PER_S)
    bound = max(times, key=times.get)
    scratch = " (scratch)" if row["scratch"] else ""
    cells = [f"{times.get(k, 0) * 1e3:.3f}" if k in times else "-" for k in ("memory", "valu", "lds", "matrix")]
    return f"| {what} | `{row['row']}`{scratch} | {' | '.join(cells)} | **{times[bound] * 1e3:.3f}** | {bound} |"


def lane_times(row, passes):
    """Of `passes` passes of the main loop by one lane."""
    return {"valu": passes * row["loop_valu"] / LANES_PER_S, "lds": passes * row["loop_lds_bytes"] / LDS_PER_S}


def matvec_times(row, n_weights):
    n_rows, n_steps = (int(t) for t in row["c"]["tunables"].split(",")[:2])
    per_pass = 8 * n_rows * n_steps * (2 if "glu" in row["row"] else 1)
    return {"valu": n_weights / per_pass * row["loop_valu"] / LANES_PER_S}


def decode(vector):
    for w_type, bits in BITS.items():
        for name, what, n_rows, n_cols in SHAPES:
            if name == "matvec":
                names = {r["row"] for r in vector}
                name = "matvec_wide_f16" if w_type == "F16" and "matvec_wide_f16" in names else "matvec_wide"
            row = find(vector, name, 64, w_type=w_type)
            yield line(f"{what} {n_rows} x {n_cols} {w_type}", row, n_rows * n_cols * bits / 8, matvec_times(row, n_rows * n_cols))
    row, n_rows, n_cols, pieces = find(vector, "matvec_split_wide", 64, w_type="Q4_K"), 4096, 11008, 4
    yield line(f"down {n_rows} x {n_cols} Q4_K, in {pieces} pieces", row, n_rows * n_cols * BITS["Q4_K"] / 8 + 2 * 4 * pieces * n_rows,
               matvec_times(row, n_rows * n_cols))
    row = find(vector, "attn_split_one", 64, kv_type="F16", head_dim="128")
    fma = 2 * 1024 * 4096
    yield line("attention, 1 token, 1,024 before it, F16", row, 2 * 1024 * 4096 * 2, lane_times(row, fma / row["loop_fma"]))


def matrix_times(row, n_products, lanes=32):
    """n_products: 16x16x16 ones, and what the loop does besides for each; waves are of 32."""
    wmma, rest = row["loop_matrix"], row["loop_valu"]
    passes = n_products / wmma
    times = {"matrix": n_products * WMMA_CYCLES / SIMD_CYCLES_PER_S, "lds": passes * row["loop_lds_bytes"] * lanes / LDS_PER_S}
    # The products go down the vector pipe: the other instructions come on top.
    times["valu"] = passes * rest / SIMD_CYCLES_PER_S
    total = times["matrix"] + times["valu"]
    return {"matrix": total, "valu": times["valu"], "lds": times["lds"]}


def prefill(vector, matrix):
    for w_type, bits in BITS.items():
        for what, n_rows, n_cols in MATMULS:
            n_fma, n_bytes = 512 * n_rows * n_cols, n_rows * n_cols * bits / 8 + 512 * 4 * (n_rows + n_cols)
            name = f"{what} 512 x {n_rows} x {n_cols} {w_type}"
            row = find(vector, "matmul_tiled_large", 64, w_type=w_type)
            yield line(name, row, n_bytes, lane_times(row, n_fma / 256))
            for candidate in ("matmul_coopmat_large", "matmul_coopmat_medium"):
                row = find(matrix, candidate, 32, w_type=w_type)
                if row["loop_matrix"]:
                    yield line(name, row, n_bytes, matrix_times(row, n_fma / 4096))
    keys = 768  # on average: 512 tokens, the last with 1,024
    n_fma, n_bytes = 2 * 512 * keys * 4096, 2 * 1024 * 4096 * 2 + 2 * 512 * 4096 * 4
    row = find(vector, "attn_tiled_large", 64, kv_type="F16", head_dim="128")
    yield line("attention, 512 tokens, 512 before them, F16", row, n_bytes, {"valu": n_fma / LANES_PER_S})
    row = find(matrix, "attn_coopmat_large", 32, kv_type="F16", head_dim="128")
    yield line("attention, 512 tokens, 512 before them, F16", row, n_bytes, matrix_times(row, n_fma / 4096))


# Ops that compute little beside what they move: bytes of each element of 512 tokens of 4,096, or the whole.
TOKENS, DIM, HIDDEN = 512, 4096, 11008
MOVERS = (("row_lookup_simple", "Q8_0", TOKENS * DIM * (34 / 32 + 4)), ("rms_norm_tiled", "", TOKENS * DIM * 8),
          ("add_rms_norm_tiled", "", TOKENS * DIM * 16), ("add_rms_norm_quantize_tiled", "", TOKENS * DIM * 13.25), ("layer_norm_tiled", "", TOKENS * DIM * 8),
          ("layer_rms_norm_tiled", "", TOKENS * DIM * 8), ("softmax_tiled", "", TOKENS * DIM * 8),
          ("causal_mask_tiled", "", TOKENS * TOKENS * 2), ("row_sum_tiled", "", TOKENS * DIM * 4),
          ("row_max_tiled", "", TOKENS * DIM * 4), ("argmax_wide", "32000", 32000 * 4), ("top_k_wide", "32000", 32000 * 4),
          ("rope_simple", "", TOKENS * DIM * 8), ("kv_update_simple", "F16", TOKENS * DIM * 12),
          ("rope_kv_simple", "F16", TOKENS * DIM * 20), ("act_mul_simple", "11008", TOKENS * HIDDEN * 12),
          ("add_simple", "", TOKENS * DIM * 12), ("cast_simple", "F32 F16", TOKENS * DIM * 6),
          ("bias_add_simple", "", TOKENS * DIM * 8), ("scale_simple", "", TOKENS * DIM * 8), ("softcap_simple", "32000", 32000 * 8),
          ("attn_reduce_simple", "1024", 32 * 4 * 130 * 4), ("quantize_tiled", "", TOKENS * DIM * 5.25),
          ("unpack_simple", "4096 x 4096 Q4_K", DIM * DIM * (BITS["Q4_K"] / 8 + 2)), ("fill_simple", "", TOKENS * DIM * 4), ("copy_simple", "", TOKENS * DIM * 8))


# One row of a vocabulary is one workgroup: what it computes, it computes with one compute unit.
ONE_GROUP = {"argmax_wide": 32000 * 4, "top_k_wide": 32000 * 4}  # bytes that its main loop reads


def group_times(row):
    """Of one workgroup: passes of its main loop by one lane, at a compute unit's rates."""
    times = lane_times(row, ONE_GROUP[row["row"]] / row["loop_bytes"])
    return {k: CUS * t for k, t in times.items()}


def gemm_bytes(size, kind):
    return size * size * (2 * {"F32": 4, "F16": 2, "BF16": 2, "I8": 1}[kind] + 4)


def others(vector, matrix):
    names = {row["row"] for row in vector}
    for name, note, n_bytes in MOVERS:
        if name in names:
            what = f"{name.rsplit('_', 1)[0]} {note}".strip()
            row = find(vector, name, 64)
            yield line(what, row, n_bytes, group_times(row) if name in ONE_GROUP else {})
    size = 4096
    for name, kind, n_products in (("gemm_vec2_db", "F16", 1), ("gemm_vec2_128", "F16", 1), ("gemm_tiled", "F16", 1), ("gemm_vec2_128", "BF16", 1),
                                   ("gemm_vec2_128", "F32", 1), ("gemm_dot4", "I8", 4)):  # products of one instruction
        row = find(vector, name, 64, type=kind, b_order="0")
        yield line(f"gemm {size} {kind}", row, gemm_bytes(size, kind), lane_times(row, size ** 3 / n_products / row["loop_fma"]))
    for name, kind in (("gemm_coopmat_128x128_32_8", "F16"), ("gemm_coopmat_64x64_32", "F16"), ("gemm_coopmat_i8_k16", "I8")):
        row = find(matrix, name, 32, type=kind, b_order="0")
        yield line(f"gemm {size} {kind}", row, gemm_bytes(size, kind), matrix_times(row, size ** 3 / 4096))


def spills(rows):
    seen = {}
    for row in rows:
        if row["scratch"]:
            first = seen.setdefault(row["row"], [0, 0])
            first[0] += 1
            first[1] = max(first[1], row["scratch"])
    return [f"| `{name}` | {n} | {most} |" for name, (n, most) in sorted(seen.items())]


def main():
    vector, matrix = read("gfx1103.tsv"), read("gfx1103_matrix.tsv")
    words = {"en": (("what", "row", "memory", "vector", "LDS", "matrix", "ms", "bound"), ("row", "kernels", "bytes, at most")),
             "es": (("qué", "fila", "memoria", "vector", "LDS", "matriz", "ms", "límite"), ("fila", "kernels", "bytes, como mucho"))}
    bounds = {"memory": "memoria", "valu": "vector", "lds": "LDS", "matrix": "matriz"}
    things = (("attention's output", "salida de la atención"), ("attention, 1 token, 1,024 before it", "atención, 1 token, 1.024 antes"),
              ("attention, 512 tokens, 512 before them", "atención, 512 tokens, 512 antes"), ("| output", "| salida"), (", in 4 pieces", ", en 4 partes"))
    for language, (titles, spill_titles) in words.items():
        head = ["| " + " | ".join(titles) + " |", "|---|---|" + "--:|" * 5 + "---|"]
        blocks = {"decode": head + list(decode(vector)), "prefill": head + list(prefill(vector, matrix)),
                  "others": head + list(others(vector, matrix)),
                  "scratch": ["| " + " | ".join(spill_titles) + " |", "|---|--:|--:|"] + spills(vector + matrix)}
        for name, lines in blocks.items():
            for i, text in enumerate(lines[2:], 2):
                if language == "es":
                    for en, es in things:
                        text = text.replace(en, es)
                    for en, es in bounds.items():
                        if text.endswith(f"| {en} |"):
                            text = text[:-len(en) - 2] + es + " |"
                    text = text if name == "scratch" else "|".join(c if k < 3 else c.replace(".", ",") for k, c in enumerate(text.split("|")))
                else:
                    text = text.replace("| valu |", "| vector |").replace("| lds |", "| LDS |")
                lines[i] = text
        write_blocks("rdna3.md", language, blocks, "--check" in sys.argv[1:])


if __name__ == "__main__":
    main()
