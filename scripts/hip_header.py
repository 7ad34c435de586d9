#!/usr/bin/env python3
"""
A small HIP source as a C header: hip_header.py CLANG ARCHS IN.hip OUT.h NAME

The code objects of all ARCHS are made one offload bundle (a list with commas), which becomes `static const unsigned char NAME[]` with
its size, NAME_bytes. With no architectures (no compiler) it is there and of size 0.
"""
import os
import subprocess
import sys

import hip_embed
from spirv_embed import write_if_changed

FLAGS = ["-x", "hip", "--offload-device-only", "--no-gpu-bundle-output", "-nogpulib", "-nogpuinc", "-std=c++17", "-O3", "-mcode-object-version=5",
         "-fuse-cuid=none", "-ffp-contract=off", "-Wall", "-Wextra", "-Werror"]


def make_bundle(clang, archs, source, out):
    objects = []
    for arch in archs:
        path = f"{out}-{arch}.co"
        subprocess.run([clang, *FLAGS, f"--offload-arch={arch}", "-o", path, source], check=True)
        objects.append((arch, hip_embed.read_object(path)))
    return hip_embed.make_bundle(objects)


def main():
    if len(sys.argv) != 6:
        sys.exit(__doc__)
    clang, archs, source, out, name = sys.argv[1:]
    archs = [arch for arch in archs.split(",") if arch]
    data = make_bundle(clang, archs, source, os.path.splitext(out)[0]) if archs else b""
    lines = ["/* Made by scripts/hip_header.py. */", f"enum {{ {name}_bytes = {len(data)} }};",
             f"static const _Alignas(16) unsigned char {name}[] = {{"]
    padded = data or b"\0"
    lines += [",".join(map(str, padded[i:i + 32])) + "," for i in range(0, len(padded), 32)]
    write_if_changed(out, "\n".join(lines) + "\n};\n")


if __name__ == "__main__":
    main()
