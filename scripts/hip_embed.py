#!/usr/bin/env python3
"""
Bundles code objects by source and embeds them: hip_embed.py --archs gfx942,gfx1103 --source X.c --header X.h OBJECT ...

Objects are named <source>-<arch>.co. Each source's become one clang offload bundle, <source>.hipfb beside the C file, with an entry
hipv4-amdgcn-amd-amdhsa--<arch> for each architecture; the C file takes them in by .incbin and defines one
`const struct greta_image greta_hip_<source>` each. The header declares these and defines GRETA_HIP_ARCHS.
"""
import argparse
import hashlib
import os
import struct
import sys

from spirv_embed import write_if_changed

MAGIC = b"__CLANG_OFFLOAD_BUNDLE__"
ALIGNMENT = 64
EM_AMDGPU = 224


def read_object(path):
    with open(path, "rb") as file:
        data = file.read()
    if data[:4] != b"\x7fELF" or struct.unpack_from("<H", data, 18)[0] != EM_AMDGPU:
        sys.exit(f"{path}: it is no code object of an AMD GPU")
    return data


def make_bundle(objects):
    """objects: [(arch, bytes)]. The first entry is the host's, empty, as clang makes it."""
    entries = [(b"host-x86_64-unknown-linux-gnu-", b"")]
    entries += [(f"hipv4-amdgcn-amd-amdhsa--{arch}".encode(), data) for arch, data in objects]
    at = len(MAGIC) + 8 + sum(24 + len(name) for name, _ in entries)
    head, body = MAGIC + struct.pack("<Q", len(entries)), b""
    start = -(-at // ALIGNMENT) * ALIGNMENT
    for name, data in entries:
        offset = start + len(body)
        head += struct.pack("<QQQ", offset if data else 0, len(data), len(name)) + name
        body += data + bytes(-len(data) % ALIGNMENT)
    return head + bytes(start - len(head)) + body


def write_bytes(path, data):
    with open(path, "wb") as file:
        file.write(data)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--archs", required=True)
    parser.add_argument("--source", required=True, help="the C file to write")
    parser.add_argument("--header", required=True, help="the header to write")
    parser.add_argument("objects", nargs="+")
    args = parser.parse_args()
    archs = args.archs.split(",")
    paths = {os.path.basename(path): path for path in args.objects}
    names = sorted({os.path.basename(path).rsplit("-", 1)[0] for path in args.objects})

    source = ["/* Made by scripts/hip_embed.py. */", "#include <greta/types.h>", "", f'#include "{os.path.basename(args.header)}"', ""]
    header = ["/* Made by scripts/hip_embed.py. */", "#ifndef HIP_IMAGES_H", "#define HIP_IMAGES_H", "", "#include <greta/types.h>", "",
              f'#define GRETA_HIP_ARCHS "{" ".join(archs)}"', ""]
    for name in names:
        bundle = make_bundle([(arch, read_object(paths[f"{name}-{arch}.co"])) for arch in archs if f"{name}-{arch}.co" in paths])
        path = os.path.abspath(os.path.join(os.path.dirname(args.source), name + ".hipfb"))
        write_bytes(path, bundle)
        # The hash makes the C file, and so its object, a new one where the bundle's bytes are.
        source += [f"/* {hashlib.sha256(bundle).hexdigest()} */",
                   f'__asm__(".pushsection .rodata\\n.balign {ALIGNMENT}\\n.hidden greta_hip_bytes_{name}\\n.globl greta_hip_bytes_{name}\\n"',
                   f'        "greta_hip_bytes_{name}:\\n.incbin \\"{path}\\"\\n.popsection");',
                   f"extern const uint8_t greta_hip_bytes_{name}[] __attribute__((visibility(\"hidden\")));",
                   f'const struct greta_image greta_hip_{name} = {{GRETA_IMAGE_AMDGPU, greta_hip_bytes_{name}, {len(bundle)}, "{name}"}};',
                   ""]
        header.append(f"extern const struct greta_image greta_hip_{name};")
    header += ["", "#endif", ""]
    write_if_changed(args.source, "\n".join(source))
    write_if_changed(args.header, "\n".join(header))


if __name__ == "__main__":
    main()
