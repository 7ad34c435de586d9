#!/usr/bin/env python3
"""
mutants.py CLANG GRETA_GFX942 SOURCE.hip: the compiler's own code with a line left out.

Each s_waitcnt, each s_nop, and each s_barrier where one group runs alone, is left out on its own, then all write-backs of L2, then all
invalidations: the machine must stop each of these, though the result would often be right. The whole code must run.
"""
import concurrent.futures
import os
import re
import subprocess
import sys
import tempfile

FLAGS = ["-x", "hip", "--offload-arch=gfx942", "--offload-device-only", "--no-gpu-bundle-output", "-nogpulib", "-nogpuinc", "-O3", "-S"]
RUNS = {
    "product": ["--arg", "zero:4096", "--arg", "random:4096", "--arg", "random:4096"],
    "softmax": ["--arg", "zero:1024", "--arg", "random:1024"],
    "last": ["--groups", "16", "--host-threads", "2", "--arg", "zero:1024", "--arg", "random:16384", "--arg", "zero:16384",
             "--arg", "zero:4"],
    "meet": ["--groups", "16", "--host-threads", "2", "--arg", "zero:16384", "--arg", "zero:16384", "--arg", "zero:4", "--arg", "i32:16"],
}


class Mutants:
    def __init__(self, clang, gfx942, source, folder):
        self.clang, self.gfx942, self.folder, self.made = clang, gfx942, folder, 0
        assembly = os.path.join(folder, "all.s")
        subprocess.run([clang, *FLAGS, source, "-o", assembly], check=True)
        with open(assembly, encoding="utf-8") as f:
            self.lines = f.read().split("\n")

    def run(self, name, kernel, without):
        source, code = os.path.join(self.folder, name + ".s"), os.path.join(self.folder, name + ".co")
        with open(source, "w", encoding="utf-8") as f:
            f.write("\n".join(line for i, line in enumerate(self.lines) if i not in without))
        subprocess.run([self.clang, "-target", "amdgcn-amd-amdhsa", "-mcpu=gfx942", source, "-o", code], check=True)
        return subprocess.run([self.gfx942, code, "--kernel", kernel, "--threads", "256", "--limit", "3000000", *RUNS[kernel]],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)

    def of(self, kernel):
        """Sets of lines to leave out, each with its text."""
        begin = next(i for i, line in enumerate(self.lines) if line.startswith(kernel + ":"))
        end = next(i for i in range(begin, len(self.lines)) if self.lines[i].startswith(".Lfunc_end"))
        each = r"\s+(s_waitcnt|s_nop)" if "--groups" in RUNS[kernel] else r"\s+(s_waitcnt|s_nop|s_barrier)"
        for i in range(begin, end):
            if re.match(each, self.lines[i]):
                yield {i}, f"{self.lines[i].strip()} before {self.lines[i + 1].strip()}"
        for word in ("buffer_wbl2", "buffer_inv"):
            found = {i for i in range(begin, end) if word in self.lines[i]}
            if found:
                yield found, f"all {word}"

    def check(self, kernel, without, text):
        name = f"{kernel}-{min(without, default=0)}-{len(without)}"
        r = self.run(name, kernel, without)
        if not without:
            return f"{kernel}: {r.stderr.strip()}" if r.returncode else None
        if r.returncode == 0 or not re.search(rf"{kernel}, workgroup \([0-9]+,0,0\), wave [0-9]+, pc 0x[0-9a-f]+, \S+", r.stderr):
            return f"{kernel}: not missed: {text}: {r.stderr.strip()}"
        return None


def main():
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    with tempfile.TemporaryDirectory() as folder:
        mutants = Mutants(*sys.argv[1:], folder)
        todo = [(kernel, set(), "") for kernel in RUNS] + [(kernel, *m) for kernel in RUNS for m in mutants.of(kernel)]
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            bad = [x for x in pool.map(lambda t: mutants.check(*t), todo) if x]
    for text in bad:
        print(text)
    print(f"{len(RUNS)} kernels, {len(todo) - len(RUNS)} mutants, {len(bad)} not as they should be")
    return 1 if bad or len(todo) < 40 else 0


if __name__ == "__main__":
    sys.exit(main())
