#!/usr/bin/env python3
"""What a built program may need of the machine it runs on: check_binary.py READELF FILE [--max-glibc 2.34]

Holds that FILE is linked against nothing but the C library's own parts and the loader, that no symbol version is newer
than the given glibc, and that it names no library of CUDA or NVIDIA but those of OPENED. Exit 1 with one line a fault.
"""
import re
import subprocess
import sys

ALLOWED = re.compile(r"^(libc\.so\.6|libm\.so\.6|libpthread\.so\.0|libdl\.so\.2|librt\.so\.1|ld-linux.*\.so\.\d+)$")
FOREIGN = re.compile(rb"libcuda|libcudart|libcublas|libnvrtc|libnvidia|libnvml", re.IGNORECASE)

# Libraries that may be named, each with its reason. They are opened at run time; a machine without them lacks what the reason says, no more.
OPENED = {
    b"libnvidia-ml.so.1": "bench/clocks.c reads an NVIDIA GPU's clocks for its results; nothing is computed by it",
}


def version(text):
    return tuple(int(part) for part in text.split("."))


def faults(readelf, path, max_glibc):
    run = lambda *args: subprocess.run([readelf, *args, path], check=True, capture_output=True, text=True).stdout
    needed = re.findall(r"\(NEEDED\).*\[(.*)\]", run("-d", "-W"))
    if not needed:
        yield "is linked against nothing: is it a dynamic program?"
    for library in needed:
        if not ALLOWED.match(library):
            yield f"needs {library}, which is not part of every system"
    for symbol in sorted(set(re.findall(r"GLIBC_(\d+(?:\.\d+)+)", run("-V", "-W"))), key=version):
        if version(symbol) > version(max_glibc):
            yield f"needs a symbol of glibc {symbol}, newer than {max_glibc}"
    with open(path, "rb") as file:
        text = file.read()
    for name in OPENED:
        text = text.replace(b"\0" + name + b"\0", b"\0")
    for name in sorted(set(FOREIGN.findall(text))):
        yield f"names {name.decode()}"


def main():
    readelf, path = sys.argv[1:3]
    max_glibc = sys.argv[4] if len(sys.argv) > 4 else "2.34"
    found = list(faults(readelf, path, max_glibc))
    for fault in found:
        print(f"{path}: {fault}")
    print(f"{path}: {'%d faults' % len(found) if found else 'needs only the C library of glibc ' + max_glibc}")
    return bool(found)


if __name__ == "__main__":
    sys.exit(main())
