#!/usr/bin/env python3
"""
Writes a C file with one `const struct greta_image greta_spirv_<name>` per SPIR-V file, and a header that declares them.

Each file's argument block (its push constants) is held against the op's list in op_args.h: pointers of 8 bytes, then scalars
of 4, with no gap. The op is the one whose name the file's name begins with.
"""
import argparse
import array
import os
import re
import sys

MAGIC = 0x07230203


def read_words(path):
    with open(path, "rb") as file:
        data = file.read()
    words = array.array("I")
    if len(data) < 20 or len(data) % 4 != 0:
        sys.exit(f"{path}: no SPIR-V: {len(data)} bytes")
    words.frombytes(data)
    if sys.byteorder != "little":
        words.byteswap()
    if words[0] != MAGIC:
        sys.exit(f"{path}: no SPIR-V: it begins with 0x{words[0]:08x}")
    return words


def read_ops(path, with_kinds=False):
    """{op: offsets of its arguments} from the X-macros; with_kinds: (offsets, their letters R, W, X, U, F)."""
    with open(path, encoding="utf-8") as file:
        text = re.sub(r"\\\n", " ", file.read())
    ops = {}
    for name, symbol in re.findall(r"X\((\w+), (\w+)\)", text):
        args = re.search(rf"#define GRETA_ARGS_{name}\(R, W, X, U, F\)([^\n]*)", text)
        kinds = re.findall(r"\b([RWXUF])\(\w+\)", args.group(1)) if args else []
        offsets, at = [], 0
        for kind in kinds:
            offsets.append(at)
            at += 8 if kind in "RWX" else 4
        ops[symbol] = (offsets, kinds) if with_kinds else offsets
    return ops


def push_constant_offsets(words):
    """The members' offsets of the struct that lies in the push constants."""
    pointees, variables, offsets = {}, [], {}
    at = 5
    while at < len(words):
        code, n = words[at] & 0xFFFF, words[at] >> 16
        word = words[at:at + n]
        if code == 32:  # OpTypePointer: result, storage class, type
            pointees[word[1]] = word[3]
        elif code == 59 and word[3] == 9:  # OpVariable in PushConstant
            variables.append(word[1])
        elif code == 72 and word[3] == 35:  # OpMemberDecorate: struct, member, Offset
            offsets.setdefault(word[1], {})[word[2]] = word[4]
        at += n
    members = offsets.get(pointees[variables[0]], {}) if len(variables) == 1 else {}
    return [members[i] for i in sorted(members)]


def check_arguments(path, name, words, ops):
    found = [op for op in ops if name.startswith(op + "_")]
    if not found:
        sys.exit(f"{path}: its name begins with no op of op_args.h")
    op = max(found, key=len)
    has = push_constant_offsets(words)
    if has != ops[op]:
        sys.exit(f"{path}: its arguments lie at {has}, those of {op} at {ops[op]}")


def write_if_changed(path, text):
    if os.path.exists(path):
        with open(path, encoding="ascii") as file:
            if file.read() == text:
                return
    with open(path, "w", encoding="ascii") as file:
        file.write(text)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--source", required=True, help="the C file to write")
    parser.add_argument("--header", required=True, help="the header to write")
    parser.add_argument("--op-args", required=True, help="op_args.h")
    parser.add_argument("spirv", nargs="+")
    args = parser.parse_args()
    ops = read_ops(args.op_args)

    source = ["/* Made by scripts/spirv_embed.py. */", "#include <greta/types.h>", "",
              f'#include "{os.path.basename(args.header)}"', ""]
    header = ["/* Made by scripts/spirv_embed.py. */", "#ifndef SPIRV_IMAGES_H", "#define SPIRV_IMAGES_H", "",
              "#include <greta/types.h>", ""]
    for path in sorted(args.spirv, key=os.path.basename):
        name = os.path.splitext(os.path.basename(path))[0]
        words = read_words(path)
        check_arguments(path, name, words, ops)
        source.append(f"static const uint32_t {name}_words[{len(words)}] = {{")
        for i in range(0, len(words), 12):
            source.append("    " + ", ".join(f"0x{word:x}" for word in words[i:i + 12]) + ",")
        source.append("};")
        source.append(f"const struct greta_image greta_spirv_{name} = {{GRETA_IMAGE_SPIRV, {name}_words, "
                      f'sizeof {name}_words, "{name}"}};')
        source.append("")
        header.append(f"extern const struct greta_image greta_spirv_{name};")
    header += ["", "#endif", ""]
    write_if_changed(args.source, "\n".join(source))
    write_if_changed(args.header, "\n".join(header))


if __name__ == "__main__":
    main()
