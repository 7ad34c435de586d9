#!/usr/bin/env python3
"""
planted.py CLANG GRETA_GFX942 HIPKERNELS KERNELS_INCLUDE: faults planted in the sources of our own matrix products. Each is compiled, run on the
emulator, and must be caught: by its strictness, or by its count of bank conflicts. The sources as they are must run without either.
"""
import concurrent.futures
import os
import re
import shutil
import subprocess
import sys
import tempfile

FLAGS = ["-x", "hip", "--offload-arch=gfx942", "--offload-device-only", "--no-gpu-bundle-output", "-nogpulib", "-nogpuinc", "-std=c++17", "-O3"]
TILE, PAIR = "greta_gemm_mfma_256_1_0_1_64_64_32_32", "greta_gemm_pair_512_1_0_1_256_216_64_108"
LISTS = {"GRETA_HIP_GEMM_MFMA": "I(gemm_mfma, 256, GRETA_TYPE_F16, 0, 1, 64, 64, 32, 32)",
         "GRETA_HIP_GEMM_PAIR": "GRETA_HIP_GEMM_PAIR_OF(I, GRETA_TYPE_F16)"}
BOUNDS, RACE, CONFLICT = "end \\d+ bytes past the end of an allocation|outside", "race", "bank conflicts"
# What is planted, kernel, file, line as it is, line with the fault, what must be said.
PLANTED = (
    ("nothing", TILE, None, "", "", ""),
    ("nothing", PAIR, None, "", "", ""),
    ("pieces keep their places in LDS", TILE, "tile.h",
     "return (row >> 1) * 8 + ((row ^ row >> 2 ^ row >> 3) & 1) * 4 + (piece ^ (row >> 1 & 3));", "return row * 4 + piece;", CONFLICT),
    ("pieces keep their places in LDS", PAIR, "tile.h",
     "return (row >> 1) * 8 + ((row ^ row >> 2 ^ row >> 3) & 1) * 4 + (piece ^ (row >> 1 & 3));", "return row * 4 + piece;", CONFLICT),
    ("a row past the last is loaded", TILE, "tile.h", "/ 4, n_rows - 1);", "/ 4, n_rows);", BOUNDS),
    ("k ends a piece too late", TILE, "tile.h", "thread_id() % 4 * 16 < k_bytes;", "thread_id() % 4 * 16 <= k_bytes;", BOUNDS),
    ("a row past the last is stored", TILE, "mfma.h", "if (r >= n_rows_m ||", "if (r > n_rows_m ||", BOUNDS),
    ("a row past the last is stored", PAIR, "mfma_pair.h", "if (row < to.n_rows &&", "if (row <= to.n_rows &&", BOUNDS),
    ("a stage is written before all have read it", TILE, "tile.h", "barrier();\n            product.multiply(s1);", "product.multiply(s1);", RACE),
    ("a stage is read before all have written it", PAIR, "mfma_pair.h", "barrier();\n        finish(lds, to);", "finish(lds, to);", RACE),
)


class Planter:
    def __init__(self, clang, gfx942, kernels, include, folder):
        self.clang, self.gfx942, self.kernels, self.include, self.folder = clang, gfx942, kernels, include, folder

    def build(self, i, name, old, new):
        """The code object of the two kernels, with the fault in a copy of the sources."""
        copy = os.path.join(self.folder, str(i))
        shutil.copytree(self.kernels, copy)
        path = os.path.join(copy, "gemm.hip")
        with open(path, encoding="utf-8") as file:
            text = file.read()
        text = re.sub(r"^(GRETA_HIP_\w+)\(GRETA_INSTANCE\)$", lambda m: LISTS.get(m.group(1), "").replace("I(", "GRETA_INSTANCE(").replace(
            "(I,", "(GRETA_INSTANCE,"), text, flags=re.MULTILINE)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        if name:
            edited = os.path.join(copy, "common", name)
            with open(edited, encoding="utf-8") as file:
                text = file.read()
            if text.count(old) != 1:
                return None
            with open(edited, "w", encoding="utf-8") as file:
                file.write(text.replace(old, new))
        output = os.path.join(self.folder, f"{i}.co")
        subprocess.run([self.clang, *FLAGS, "-I" + copy, "-I" + self.include, path, "-o", output], check=True)
        return output

    def run(self, code, kernel):
        m, n, k = (60, 62, 104) if kernel == TILE else (250, 430, 104)
        groups, threads = (1, 256) if kernel == TILE else (2, 512)
        arguments = [f"random:{m * k * 2}", f"random:{n * k * 2}", f"zero:{m * n * 4}", f"u32:{m}", f"u32:{n}", f"u32:{k}", "u32:0"]
        command = [self.gfx942, code, "--kernel", kernel, "--groups", str(groups), "--threads", str(threads), "--stats"]
        for argument in arguments:
            command += ["--arg", argument]
        return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def check(self, i):
        what, kernel, name, old, new, wanted = PLANTED[i]
        code = self.build(i, name, old, new)
        if not code:
            return f"{what}: {name} has not the line that is to be changed: {old}"
        result = self.run(code, kernel)
        conflicts = re.search(r"^LDS conflict cycles (\d+)$", result.stdout, re.MULTILINE)
        said = CONFLICT if conflicts and int(conflicts.group(1)) else "" if not result.returncode else result.stdout
        if not wanted and (said or not conflicts):
            return f"{kernel} as it is: {result.stdout}"
        if wanted and not re.search(wanted, said):
            return f"{kernel}, {what}: not caught; wanted {wanted}:\n{result.stdout[-600:]}"
        return None


def main():
    with tempfile.TemporaryDirectory() as folder:
        planter = Planter(*sys.argv[1:5], folder)
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            faults = [fault for fault in pool.map(planter.check, range(len(PLANTED))) if fault]
    if faults:
        sys.exit("\n".join(faults))
    print(f"{sum(1 for planted in PLANTED if planted[2])} planted faults, each caught")


if __name__ == "__main__":
    main()
