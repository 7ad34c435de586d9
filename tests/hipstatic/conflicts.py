#!/usr/bin/env python3
"""conflicts.py GRETA_GFX942 OBJECT...: kernels whose LDS is laid out so that no bank is asked twice at a time, run on the emulator, which counts."""
import os
import re
import subprocess
import sys

TYPES = {0: 4, 1: 2, 2: 2, 34: 1, 35: 1}  # bytes of an element, by GRETA_TYPE_*
GEMM = [("gemm_mfma", type_, a, b, tile) for type_ in TYPES for a in (0, 1) for b in (0, 1) for tile in
        ((512, 256, 256, 128, 64), (512, 256, 128, 64, 64), (256, 128, 128, 64, 64), (256, 64, 64, 32, 32),
         (256, 64, 32, 32, 16))] + [("gemm_pair", type_, 0, 1, (512, 256, 216, 64, 108)) for type_ in TYPES]


def run(program, path, kernel, threads, args):
    command = [program, path, "--kernel", kernel, "--groups", "1", "--threads", str(threads), "--stats"]
    n_words = sum(arg.startswith(("u32", "f32")) for arg in args)
    for arg in args + ["u32:0"] * (n_words % 2):  # the block is padded to whole pointers
        command += ["--arg", arg]
    result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    found = {key: int(value) for key, value in re.findall(r"^(LDS [a-z ]+) (\d+)$", result.stdout, re.MULTILINE)}
    if result.returncode or not found.get("LDS accesses"):
        return f"{kernel}: it did not run: {result.stdout.strip()[-300:]}"
    if found["LDS conflict cycles"]:
        return f"{kernel}: {found['LDS conflict cycles']} of its {found['LDS cycles']} cycles of LDS are conflicts"
    return None


def main():
    program, paths = sys.argv[1], {os.path.basename(path).rsplit("-", 1)[0]: path for path in sys.argv[2:] if path.endswith("-gfx942.co")}
    listed = {name: subprocess.run([program, path, "--list"], stdout=subprocess.PIPE, text=True).stdout
              for name, path in paths.items() if name in ("gemm", "matmul_mfma", "attn_mfma")}
    jobs = []
    for entry, type_, a, b, (threads, *tile) in GEMM:
        kernel = f"greta_{entry}_{threads}_{type_}_{a}_{b}_" + "_".join(str(t) for t in tile)
        if re.search(rf"\b{kernel}\b", listed["gemm"]):
            m, n, size = tile[0], tile[1], TYPES[type_]
            k = 192 // size  # a pair of stages and a tail
            jobs.append((paths["gemm"], kernel, threads, [f"random:{m * k * size}", f"random:{n * k * size}", f"zero:{m * n * 4}",
                                                          f"u32:{m}", f"u32:{n}", f"u32:{k}"]))
    for kernel in sorted(set(re.findall(r"\bgreta_matmul_mfma_\w+", listed["matmul_mfma"]))):
        numbers = [int(x) for x in re.findall(r"_(\d+)", kernel)]
        threads, tokens, rows, k = numbers[0], numbers[3], numbers[4], 256
        jobs.append((paths["matmul_mfma"], kernel, threads, [f"zero:{rows * k * 4}", f"random:{tokens * k * 4}", f"zero:{tokens * rows * 4}",
                                                             f"u32:{tokens}", f"u32:{rows}", f"u32:{k}"]))
    for kernel in sorted(set(re.findall(r"\bgreta_attn_mfma_\w+", listed["attn_mfma"]))):
        threads, _, head, blocks, keys = [int(x) for x in re.findall(r"_(\d+)", kernel)]
        tokens = 64 * blocks
        jobs.append((paths["attn_mfma"], kernel, threads,
                     [f"random:{tokens * head * 4}", f"zero:{tokens * head * 4}", f"zero:{tokens * head * 4}", "zero:16",
                      f"zero:{tokens * head * 4}", f"u32:{tokens}", "u32:1", "u32:1", f"u32:{tokens}", "u32:0", "f32:1", "f32:0"]))
    faults = [fault for fault in (run(program, *job) for job in jobs) if fault]
    if faults or len(jobs) < 50:
        sys.exit("\n".join(faults) or f"only {len(jobs)} kernels were found")
    print(f"{len(jobs)} kernels, no bank conflict")


if __name__ == "__main__":
    main()
