#!/usr/bin/env python3
"""A weight type is one row and its section of one header: weight_types.py SOURCE_ROOT

No other code of the product names a quantized type with a PACKED layout (kernels/include/greta/weights.h lists them), so that a further one
works on all devices without a line elsewhere. What may: the tests' own decoders, and the lines of ALLOWED. Q8_0 is the type of a cache of keys
and values, too: it is looked for in what decodes weights.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(sys.argv[1]).resolve()
HEADERS = ("kernels/include/greta/weights.h", "kernels/include/greta/weight_formats.h")
FOLDERS = ("rt", "backends", "kernels", "shaders", "hipkernels", "bridge", "tune", "tools", "bench")
TESTS = ("kernels/ref/", "kernels/verify/")
# A part of the line, by file.
ALLOWED = {
    "hipkernels/instances.h": r"GRETA_HIP_QKV_MODES",  # the pairs of types that files mix
    "bench/block.c": r"",  # a bench's own choice of a type
    "bench/ops.c": r"",
}
CACHE_TYPE = "Q8_0"
DECODERS = r"decode|blocks|quant|layout|weight|matvec|matmul|row_lookup|unpack|lanes|dot8"


def quantized():
    """The names in the lists of quantized types of weights.h, but for the codebooks."""
    text = (ROOT / HEADERS[0]).read_text()
    names = []
    for kind, body in re.findall(r"#define GRETA_WEIGHT_(\w+)_LIST\(Y, X\) \\\n((?:.*\\\n)*.*\n)", text):
        if kind not in ("FLOAT", "CODEBOOK"):
            names += re.findall(r"Y\(X, (\w+),", body)
    return names


def is_allowed(path, line, name):
    if path in ALLOWED and re.search(ALLOWED[path], line):
        return True
    if name != CACHE_TYPE:
        return False
    return not re.search(DECODERS, path) or "constant_id" in line or re.search(r"kv|constants\[3\]", line, re.I)


def main():
    names = quantized()
    if len(names) < 12:
        sys.exit(f"FAIL {HEADERS[0]}: only {len(names)} quantized types were found in it")
    pattern = re.compile(r"\bGRETA_TYPE_(%s)\b" % "|".join(names))
    failures = n_files = 0
    for folder in FOLDERS:
        for file in sorted((ROOT / folder).rglob("*")):
            path = str(file.relative_to(ROOT))
            if file.suffix not in (".c", ".h", ".comp", ".glsl", ".hip") or path in HEADERS or path.startswith(TESTS):
                continue
            n_files += 1
            for number, line in enumerate(file.read_text().splitlines(), 1):
                for name in pattern.findall(line):
                    if not is_allowed(path, line, name):
                        failures += 1
                        print(f"FAIL {path}:{number}: names {name}; what is of a type belongs into {HEADERS[1]}: {line.strip()}")
    print(f"{len(names)} types, {n_files} files, {failures} failures")
    return failures != 0


sys.exit(main())
