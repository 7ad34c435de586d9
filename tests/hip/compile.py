#!/usr/bin/env python3
"""
What scripts/hip_compile.py holds of a kernel: compile.py SOURCE_ROOT CLANG ARCH

Sources with one fault each must be refused with the words for it, and the same source without a fault must pass.
"""
import os
import subprocess
import sys
import tempfile

ROOT, CLANG, ARCH = sys.argv[1:4]
HEAD = '#include "common/device.h"\nGRETA_ARGS_BLOCK(FILL);\n'
KERNEL = 'extern "C" __attribute__((global, amdgpu_flat_work_group_size(64, 64))) void '
REDUCE = "struct reduce { GRETA_ARGS_ATTN_REDUCE(GRETA_ARG_IN, GRETA_ARG_OUT, GRETA_ARG_OUT, GRETA_ARG_U32, GRETA_ARG_F32) };\n" \
    "struct any { reduce a; u32 head_dim; };\n" + KERNEL
CASES = [
    ("a right one", KERNEL + "greta_fill_x(const args_block a) { out<u32>(a.y, thread_id() * 4, a.value); }", None),
    ("a flat store", KERNEL + "greta_fill_x(const args_block a) { *(u32 *)((u64)a.value << 32 | a.n) = 1; }", "it has flat_store"),
    ("a name of no op", KERNEL + "greta_filling_x(const args_block a) { out<u32>(a.y, 0, a.value); }", "its name begins with no op"),
    ("a block with more", "struct more { args_block a; u64 b; };\n" + KERNEL + "greta_fill_x(const more m) { out<u64>(m.a.y, 0, m.b); }",
     "are not the 16 of the op's block"),
    ("two arguments", KERNEL + "greta_fill_x(const args_block a, u32 n) { out<u32>(a.y, 0, n); }", "are not the 16 of the op's block"),
    ("a head's size behind the block", REDUCE + "greta_attn_reduce_any_x(const any m) { out<u32>(m.a.y, 0, m.head_dim); }", None),
    ("no size behind it", REDUCE + "greta_attn_reduce_any_x(const reduce a) { out<u32>(a.y, 0, a.n_head); }", "are not the 36 of the op's block"),
    ("a size where none is given", REDUCE + "greta_attn_reduce_x(const any m) { out<u32>(m.a.y, 0, m.head_dim); }",
     "are not the 32 of the op's block"),
    ("scratch memory", KERNEL + "greta_fill_x(const args_block a) { volatile u32 v[64]; v[a.n & 63] = a.value; "
     "out<u32>(a.y, 0, v[a.value & 63]); }", "private_segment_fixed_size is"),
    ("a call", '__attribute__((device, noinline)) void callee(u32 *p);\n' + KERNEL +
     "greta_fill_x(const args_block a) { GRETA_LDS static u32 w[64]; callee(w); out<u32>(a.y, 0, w[a.n & 63]); }", "failed:"),
    ("nothing", "", "it has no kernel"),
]


def compile_one(folder, text):
    source = os.path.join(folder, "case.hip")
    with open(source, "w", encoding="ascii") as file:
        file.write(HEAD + text + "\n")
    return subprocess.run([sys.executable, os.path.join(ROOT, "scripts", "hip_compile.py"), "--clang", CLANG, "--arch", ARCH,
                           "--op-args", os.path.join(ROOT, "kernels/include/greta/op_args.h"),
                           "--include", os.path.join(ROOT, "hipkernels"), "--include", os.path.join(ROOT, "kernels/include"),
                           source, os.path.join(folder, "case.co")], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def main():
    failures = 0
    for name, text, words in CASES:
        with tempfile.TemporaryDirectory() as folder:
            ran = compile_one(folder, text)
            made = os.path.exists(os.path.join(folder, "case.co"))
        right = ran.returncode == 0 and made if words is None else ran.returncode != 0 and not made and words in ran.stdout
        failures += not right
        print(f"{'ok  ' if right else 'FAIL'} {name}: {ran.stdout.strip().splitlines()[-1] if ran.stdout.strip() else 'it compiles'}")
    print(f"{len(CASES)} cases, {failures} failures")
    return bool(failures)


if __name__ == "__main__":
    sys.exit(main())
