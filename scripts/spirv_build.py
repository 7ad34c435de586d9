#!/usr/bin/env python3
"""Compiles one compute shader to SPIR-V and checks it: with glslc, or with glslangValidator where there is none."""
import argparse
import os
import subprocess
import sys


def run(command):
    result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if result.returncode != 0:
        sys.exit(f"{result.stdout}failed: {' '.join(command)}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--compiler", required=True, help="path of glslc or of glslangValidator")
    parser.add_argument("--validator", required=True, help="path of spirv-val")
    parser.add_argument("--include", action="append", default=[])
    parser.add_argument("--depfile")
    parser.add_argument("source")
    parser.add_argument("output")
    args = parser.parse_args()

    include = [f"-I{folder}" for folder in args.include]
    if "glslc" in os.path.basename(args.compiler):
        dep = ["-MD", "-MF", args.depfile, "-MT", args.output] if args.depfile else []
        run([args.compiler, "--target-env=vulkan1.3", "-O", *include, *dep, args.source, "-o", args.output])
    else:
        dep = ["--depfile", args.depfile] if args.depfile else []
        run([args.compiler, "--quiet", "--target-env", "vulkan1.3", *include, *dep, args.source, "-o", args.output])
    run([args.validator, "--target-env", "vulkan1.3", args.output])


if __name__ == "__main__":
    main()
