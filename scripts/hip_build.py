#!/usr/bin/env python3
"""hip_build.py check CLANG ARCH,ARCH: whether the compiler and its linker build HIP device code; says on stdout why not."""
import os
import subprocess
import sys

COMPILE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "hip_compile.py")


def check(clang, archs):
    for arch in archs.split(","):
        tried = subprocess.run([sys.executable, COMPILE, "--probe", "--clang", clang, "--arch", arch], stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, text=True)
        if tried.returncode != 0:
            print(tried.stdout.strip())
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(check(sys.argv[2], sys.argv[3]))
