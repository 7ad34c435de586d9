#!/usr/bin/env python3
"""Writes a C file with one `const struct greta_image greta_spirv_<name>` per SPIR-V file, and a header that declares them."""
import argparse
import array
import os
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
    parser.add_argument("spirv", nargs="+")
    args = parser.parse_args()

    source = ["/* Made by scripts/spirv_embed.py. */", "#include <greta/types.h>", "",
              f'#include "{os.path.basename(args.header)}"', ""]
    header = ["/* Made by scripts/spirv_embed.py. */", "#ifndef SPIRV_IMAGES_H", "#define SPIRV_IMAGES_H", "",
              "#include <greta/types.h>", ""]
    for path in sorted(args.spirv, key=os.path.basename):
        name = os.path.splitext(os.path.basename(path))[0]
        words = read_words(path)
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
