#!/usr/bin/env python3
"""
Tells whether the SPIR-V kept in shaders/prebuilt is current, without the compiler that made it.

The manifest holds, for each file, the sha256 of the SPIR-V and of its source with everything that the source includes.
Comments and white space do not count.
"""
import argparse
import hashlib
import os
import re
import sys


def strip(text):
    text = re.sub(r"\\\n", " ", text)
    text = re.sub(r"/\*.*?\*/|//[^\n]*", " ", text, flags=re.S)
    return "\n".join(" ".join(line.split()) for line in text.splitlines() if line.strip())


def read_source(path, folders, seen):
    """The source and, where each is first included, the files that it includes."""
    if path in seen:
        return []
    seen.add(path)
    with open(path, encoding="utf-8") as file:
        text = strip(file.read())
    parts = [text]
    for name in re.findall(r'^#include "([^"]+)"', text, flags=re.M):
        found = [os.path.join(f, name) for f in [os.path.dirname(path), *folders]]
        found = [f for f in found if os.path.exists(f)]
        if not found:
            sys.exit(f"{path}: includes {name}, which is in none of {', '.join(folders)}")
        parts += read_source(os.path.normpath(found[0]), folders, seen)
    return parts


def digest(data):
    return hashlib.sha256(data).hexdigest()


def stamp(root, name):
    folders = [os.path.join(root, "shaders"), os.path.join(root, "kernels", "include")]
    source = os.path.normpath(os.path.join(root, "shaders", name + ".comp"))
    with open(os.path.join(root, "shaders", "prebuilt", name + ".spv"), "rb") as file:
        spirv = file.read()
    return f"{name} {digest(spirv)} {digest(chr(10).join(read_source(source, folders, set())).encode())}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", metavar="TOOLS", help="write the manifest, and in it the names of the tools used")
    parser.add_argument("names", nargs="+")
    args = parser.parse_args()

    root = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
    manifest = os.path.join(root, "shaders", "prebuilt", "MANIFEST")
    lines = [stamp(root, name) for name in sorted(args.names)]
    if args.write:
        with open(manifest, "w", encoding="ascii") as file:
            file.write("# name, sha256 of the SPIR-V, sha256 of the source. Written by scripts/build_coopmat.sh with\n")
            file.write("".join(f"#   {line}\n" for line in args.write.splitlines()) + "\n".join(lines) + "\n")
        return
    with open(manifest, encoding="ascii") as file:
        kept = [line.strip() for line in file if not line.startswith("#")]
    stale = [line.split()[0] for line in lines if line not in kept]
    if stale:
        sys.exit(f"shaders/prebuilt is not current: {', '.join(stale)}: run scripts/build_coopmat.sh")
    print(f"current: {', '.join(sorted(args.names))}")


if __name__ == "__main__":
    main()
