#!/usr/bin/env python3
"""
every_kernel.py KERNELCHECK GRETA_GFX942 OBJECT...: every row of the HIP backend, and every kernel that is built for gfx942, is executed on the
emulator with ragged shapes and gives the reference's results. Prints the rows with their cases, and how many of each source's kernels ran;
fails where a row or a kernel did not. GRETA_HIP_LIBRARY names the emulator.
"""
import os
import re
import subprocess
import sys
import tempfile


def kernels(program, path):
    listed = subprocess.run([program, path, "--list"], check=True, stdout=subprocess.PIPE, text=True).stdout
    return set(re.findall(r"^(greta_\w+)$", listed, re.MULTILINE))


def main():
    kernelcheck, program, *paths = sys.argv[1:]
    paths = [path for path in paths if path.endswith("-gfx942.co")]
    if not paths:
        print("every_kernel.py: skipped: nothing was built for gfx942")
        sys.exit(77)
    with tempfile.TemporaryDirectory() as folder:
        names = os.path.join(folder, "kernels")
        result = subprocess.run([kernelcheck, "-d", "hip:0", "--per-kernel", "2"], env=dict(os.environ, GFX942_KERNELS=names))
        if result.returncode:
            sys.exit(result.returncode)
        with open(names, encoding="ascii") as file:
            executed = set(file.read().split())
    missing, n_all = [], 0
    for path in paths:
        own = kernels(program, path)
        n_all += len(own)
        missing += sorted(own - executed)
        print(f"{len(own & executed):4} of {len(own):4} kernels of {os.path.basename(path)} were executed")
    if missing or n_all < 600:
        sys.exit("never executed:\n" + "\n".join(missing) if missing else f"only {n_all} kernels were found")
    print(f"all {n_all} kernels were executed")


if __name__ == "__main__":
    main()
