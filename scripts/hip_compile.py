#!/usr/bin/env python3
"""
Compiles one HIP source for one architecture to a code object, without ROCm, and checks what the compiler made of it.

The source is compiled to assembly, which is read and then assembled and linked. Each kernel must be named greta_<op>_..., take the
op's argument block of op_args.h as its only argument, and have no flat load or store (they wait for LDS, too, and hold up every
global access), no spilled register, no scratch memory and no call.

--probe compiles an empty kernel: it exits with 0 where the compiler and its linker can build for the architectures.
"""
import argparse
import os
import re
import subprocess
import sys
import tempfile

from spirv_embed import read_ops

FORBIDDEN = re.compile(r"^\s+((?:flat_(?:load|store|atomic)|scratch_(?:load|store)|s_swappc|buffer_(?:load|store)\S* .*\boffen\b)\S*)",
                       re.MULTILINE)
PROBE = '#if __clang_major__ < 19\n#error "it is clang " __clang_version__ "; at least 19 is needed"\n#endif\n' \
        'extern "C" __attribute__((global)) void greta_probe(__attribute__((address_space(1))) float *y) { *y = 1; }\n'


def run(command):
    result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if result.returncode != 0:
        sys.exit(f"{result.stdout}failed: {' '.join(command)}")


def compile_source(clang, arch, include, depfile, source, assembly, output):
    flags = ["-x", "hip", f"--offload-arch={arch}", "--offload-device-only", "--no-gpu-bundle-output", "-nogpulib", "-nogpuinc",
             "-std=c++17", "-O3", "-mcode-object-version=5", "-Wall", "-Wextra", "-Werror", "-Wno-unused-function"]
    dep = ["-MD", "-MF", depfile, "-MT", output] if depfile else []
    run([clang, *flags, *[f"-I{folder}" for folder in include], *dep, "-S", source, "-o", assembly])
    run([clang, "-target", "amdgcn-amd-amdhsa", f"-mcpu={arch}", "-Wl,--build-id=none", assembly, "-o", output])


def read_kernels(text):
    """The entries of amdhsa.kernels in the metadata, each {key: text}; .args as a list of kinds."""
    metadata = re.search(r"\.amdgpu_metadata\n(.*?)\.end_amdgpu_metadata", text, re.DOTALL)
    listed = re.search(r"^amdhsa\.kernels:\n(.*?)^\S", metadata.group(1), re.DOTALL | re.MULTILINE) if metadata else None
    kernels = []
    for entry in re.split(r"^  - ", listed.group(1), flags=re.MULTILINE)[1:] if listed else []:
        fields = dict(re.findall(r"^(?:    )?(\.\w+): +(\S+)$", entry, re.MULTILINE))
        fields[".args"] = re.findall(r"^ {6,}(?:- )?\s*\.value_kind: +(\S+)$", entry, re.MULTILINE)
        kernels.append(fields)
    return kernels


def block_bytes(ops, name):
    """Bytes of the argument block of the op that the kernel is named after, or None."""
    found = [op for op in ops if name.startswith(f"greta_{op}_")]
    if not found:
        return None
    op = max(found, key=len)
    offsets, kinds = ops[op]
    n_keys = name.startswith(f"greta_{op}_any_")  # attention for any head: its size follows the block (common/attn_any.h)
    return offsets[-1] + (8 if kinds[-1] in "RWX" else 4) + 4 * n_keys


def faults(text, ops):
    kernels = read_kernels(text)
    if not kernels:
        yield "it has no kernel"
    for kernel in kernels:
        name = kernel[".name"]
        block = block_bytes(ops, name)
        # A by-value block is padded to whole pointers.
        if block is None:
            yield f"{name}: its name begins with no op of op_args.h"
        elif kernel[".args"] != ["by_value"] or int(kernel[".kernarg_segment_size"]) != (block + 7) // 8 * 8:
            yield f"{name}: its {kernel['.kernarg_segment_size']} bytes of arguments ({', '.join(kernel['.args'])}) are not " \
                  f"the {block} of the op's block"
        for key in (".private_segment_fixed_size", ".sgpr_spill_count", ".vgpr_spill_count"):
            if kernel.get(key, "0") != "0":
                yield f"{name}: {key[1:]} is {kernel[key]}"
        if kernel.get(".uses_dynamic_stack", "false") != "false":
            yield f"{name}: it has a dynamic stack"
        body = re.search(rf"^{re.escape(name)}:(.*?)^\s+\.section", text, re.DOTALL | re.MULTILINE)
        for instruction in sorted(set(FORBIDDEN.findall(body.group(1)))) if body else []:
            yield f"{name}: it has {instruction}"


def probe(clang, archs):
    with tempfile.TemporaryDirectory() as folder:
        source = os.path.join(folder, "probe.hip")
        with open(source, "w", encoding="ascii") as file:
            file.write(PROBE)
        for arch in archs.split(","):
            compile_source(clang, arch, [], None, source, os.path.join(folder, "probe.s"), os.path.join(folder, "probe.co"))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clang", required=True, help="path of clang 19 or newer")
    parser.add_argument("--arch", required=True, help="gfx942; with --probe also several, gfx942,gfx1103")
    parser.add_argument("--probe", action="store_true")
    parser.add_argument("--op-args", help="op_args.h")
    parser.add_argument("--include", action="append", default=[])
    parser.add_argument("--depfile")
    parser.add_argument("source", nargs="?")
    parser.add_argument("output", nargs="?")
    args = parser.parse_args()
    if args.probe:
        probe(args.clang, args.arch)
        return
    ops = {op: value for op, value in read_ops(args.op_args, with_kinds=True).items() if value[0]}
    assembly = os.path.splitext(args.output)[0] + ".s"
    compile_source(args.clang, args.arch, args.include, args.depfile, args.source, assembly, args.output)
    with open(assembly, encoding="utf-8") as file:
        found = list(faults(file.read(), ops))
    if found:
        os.unlink(args.output)
        sys.exit("".join(f"{args.source} for {args.arch}: {fault}\n" for fault in found))


if __name__ == "__main__":
    main()
