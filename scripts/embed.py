#!/usr/bin/env python3
"""embed.py SYMBOL FILE OUT: writes the assembler file that puts a file's bytes at SYMBOL .. SYMBOL_end, with a zero byte behind them."""
import os
import sys

symbol, path, out = sys.argv[1:]
with open(out, 'w') as f:
    f.write(f'''/* Made by embed.py. */
    .section .rodata
    .balign 64
    .global {symbol}
    .hidden {symbol}
    .type {symbol}, %object
{symbol}:
    .incbin "{os.path.abspath(path)}"
    .global {symbol}_end
    .hidden {symbol}_end
{symbol}_end:
    .byte 0
    .section .note.GNU-stack, "", %progbits
''')
