#!/usr/bin/env python3
"""
faults.py ROOT CLANG KERNELCHECK LIBHIPSIM.a OBJECT...: kernels with a fault each, which running their source must find. The right ones must pass, and
lose no cycle of LDS. OBJECT: what the library needs besides the kernels under test.
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile

WMMA, TILE, GEMM, ATTN = "common/wmma.h", "common/tile.h", "gemm_wmma.hip", "attn_wmma.hip"
ANY, SHARED = "attn_any.hip", "common/attn_any.h"
# What is left out of each source: the instances of larger tiles. The arguments of kernelcheck that ask for the row that stays.
BUILT = {
    GEMM: ("GRETA_HIP_GEMM_WMMA_LARGE", ["--op", "gemm", "--row", "gemm_wmma_64x64", "--every", "2"]),
    ATTN: ("GRETA_HIP_ATTN_WMMA_LARGE", ["--op", "attn", "--row", "attn_wmma_64", "--every", "7"]),
    ANY: (None, ["--op", "attn", "--row", "attn_any", "--per-kernel", "1"]),
}
# source, file, what stands there, what is put in its place, what is then said
FAULTS = [
    (GEMM, None, "", "", None),
    (ATTN, None, "", "", None),
    (ANY, None, "", "", None),
    (GEMM, WMMA, "u32 row = tile_m + first_m() + lane_id() / 16,", "u32 row = tile_m + first_m() + 1 - lane_id() / 16,", "FAIL"),
    (GEMM, WMMA, "r = row + i * 16 + v * 2,", "r = row + i * 16 + v + lane_id() / 16 * 7,", "FAIL"),
    (GEMM, WMMA, "piece_at(lane_id() % 16, p)", "piece_at(lane_id(), p)", "hold different rows of"),
    (GEMM, TILE, "            barrier();\n            n_side.template store<1>(s1)", "            n_side.template store<1>(s1)",
     "of LDS that"),
    (GEMM, TILE, "    n_side.template store<1>(s1), m_side.template store<1>(s1 + M_FIRST);\n    barrier();", "    barrier();",
     "FAIL"),
    (GEMM, TILE, "(piece ^ (row >> 1 & 3))", "piece", "bank conflicts"),
    (GEMM, GEMM, "first_k + h * 32 + e < n_left", "first_k + h * 32 + e <= n_left", "FAIL"),
    (ATTN, ATTN, "join(upper ? other : own, upper ? own : other)", "join(own, other)", "hold different rows of b"),
    (ATTN, ATTN, "k_row(i) % 2 * 8 + k_row(i) % 16 / 2", "k_row(i) % 16", "FAIL"),
    (ATTN, ATTN, "0x76543210u, 0xFEDCBA98u", "0x76543201u, 0xFEDCBA98u", "hold different rows of b"),
    (ANY, SHARED, "        barrier();\n        float score", "        float score", "of LDS that"),
    (ANY, SHARED, "cache.column + p * PIECE);", "cache.column + p);", "FAIL"),
    (ANY, SHARED, "min_u32(i + u * n_places, n - 1)", "min_u32(i + u * n_places, n)", "touched memory"),
    (ANY, SHARED, "(t < n ? s->weights[min_u32(t, n - 1)] : 0)", "s->weights[min_u32(t, n - 1)]", "FAIL"),
    (ANY, SHARED, "        acc *= factor;\n", "", "FAIL"),
    (ANY, ANY, "id % a.n_head / (a.n_head / a.n_head_kv)", "id % a.n_head % a.n_head_kv", "FAIL"),
    (ANY, ANY, "seen > a.window ? seen - a.window", "seen > a.window ? seen - a.window - 1", "FAIL"),
]


class Bench:
    def __init__(self, root, clang, kernelcheck, archive, objects, folder):
        self.root, self.clang, self.kernelcheck, self.archive, self.objects, self.folder = root, clang, kernelcheck, archive, objects, folder

    def copy(self, source):
        """The tree of kernels, without the larger tiles' instances."""
        name, _ = BUILT[source]
        tree = os.path.join(self.folder, "hipkernels")
        shutil.rmtree(tree, ignore_errors=True)
        shutil.copytree(os.path.join(self.root, "hipkernels"), tree)
        if name:
            with open(os.path.join(tree, "instances_wmma.h"), "a", encoding="utf-8") as file:
                file.write(f"#undef {name}\n#define {name}(...)\n")
        return tree

    def build(self, tree, source):
        made, library = os.path.join(self.folder, "kernel.o"), os.path.join(self.folder, "libamdhip64.so")
        subprocess.run([self.clang, "-x", "c++", "-std=c++17", "-O1", "-fPIC", "-ffp-contract=off", "-fno-exceptions", "-fno-rtti",
                        "-fsanitize-coverage=func,trace-loads,trace-stores", "-Wno-ignored-attributes", "-Wno-unknown-attributes", "-Wno-psabi", "-include",
                        os.path.join(self.root, "tests", "hipsim", "device.h"), f"-I{tree}", "-I" + os.path.join(self.root, "kernels", "include"),
                        "-c", os.path.join(tree, source), "-o", made], check=True)
        subprocess.run([self.clang, "-shared", "-o", library, "-Wl,--whole-archive", self.archive, "-Wl,--no-whole-archive", made, *self.objects,
                        "-lpthread", "-ldl", "-lm"], check=True)
        return library

    def run(self, library, source):
        env = dict(os.environ, GRETA_HIP_LIBRARY=library, GRETA_CACHE="", GFX942_STATS="1")
        result = subprocess.run([self.kernelcheck, "-d", "hip:0", *BUILT[source][1]], env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                text=True, errors="replace")
        said = result.stdout
        if result.returncode == 0 and not re.search(r"^ok .* [1-9]\d* cases", said, re.MULTILINE):
            said += "FAULT: nothing was run\n"
        if re.search(r"LDS accesses \d+ cycles \d+ conflicts [1-9]", said):
            said += "bank conflicts\n"
        return result.returncode, said


def check(bench, source, path, old, new, wanted):
    tree = bench.copy(source)
    if path:
        with open(os.path.join(tree, path), encoding="utf-8") as file:
            text = file.read()
        if text.count(old) != 1:
            return f"{path}: {old!r} stands there {text.count(old)} times"
        with open(os.path.join(tree, path), "w", encoding="utf-8") as file:
            file.write(text.replace(old, new))
    code, said = bench.run(bench.build(tree, source), source)
    if wanted is None:
        return None if code == 0 and "FAULT" not in said and "bank conflicts" not in said else f"{source}, without a fault: {said[-500:]}"
    if wanted not in said or (code == 0 and wanted != "bank conflicts"):
        return f"{path}: {new!r} in place of {old!r} was not found: {said[-500:]}"
    return None


def main():
    root, clang, kernelcheck, archive, *objects = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(root, clang, kernelcheck, archive, objects, folder)
        found = [fault for fault in (check(bench, *f) for f in FAULTS) if fault]
    if found:
        sys.exit("\n".join(found))
    n_right = sum(1 for fault in FAULTS if not fault[1])
    print(f"{len(FAULTS) - n_right} faults, each found; {n_right} kernels without one pass")


if __name__ == "__main__":
    main()
