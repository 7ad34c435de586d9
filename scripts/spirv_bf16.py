#!/usr/bin/env python3
"""
Turns the 16-bit floats of a SPIR-V file's cooperative matrices into bf16: spirv_bf16.py FILE, in place.

The pinned compiler knows no bf16 (SPV_KHR_bfloat16). Its shaders write float16_t instead, and use it for nothing but elements of
matrices, which are loaded from memory and multiplied as they are: then the type's encoding is the only difference.
"""
import array
import sys

CAPABILITY, EXTENSION, TYPE_FLOAT, TYPE_MATRIX = 17, 10, 22, 4456
FLOAT16, BFLOAT16_TYPE, BFLOAT16_MATRIX = 9, 5116, 5118


def instructions(words):
    at = 5
    while at < len(words):
        n = words[at] >> 16
        yield words[at] & 0xFFFF, words[at:at + n]
        at += n


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: spirv_bf16.py FILE")
    path = sys.argv[1]
    words = array.array("I")
    with open(path, "rb") as file:
        words.frombytes(file.read())
    halves = [w[1] for op, w in instructions(words) if op == TYPE_FLOAT and w[2] == 16]
    if len(halves) != 1:
        sys.exit(f"{path}: it has {len(halves)} types of 16-bit floats, not one")
    text = b"SPV_KHR_bfloat16"
    padded = array.array("I", text + bytes(4 - len(text) % 4))
    out, extended = words[:5], False
    for op, word in instructions(words):
        if op == CAPABILITY and word[1] == FLOAT16:
            out.extend([2 << 16 | CAPABILITY, BFLOAT16_TYPE, 2 << 16 | CAPABILITY, BFLOAT16_MATRIX])
            continue
        if op != CAPABILITY and not extended:
            out.extend([(1 + len(padded)) << 16 | EXTENSION, *padded])
            extended = True
        if op == TYPE_FLOAT and word[1] == halves[0]:
            out.extend([4 << 16 | TYPE_FLOAT, word[1], 16, 0])
            continue
        if halves[0] in word[1:] and op != TYPE_MATRIX:
            sys.exit(f"{path}: its 16-bit floats are more than elements of matrices (instruction {op})")
        out.extend(word)
    with open(path, "wb") as file:
        file.write(out.tobytes())


if __name__ == "__main__":
    main()
