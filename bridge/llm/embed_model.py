#!/usr/bin/env python3
"""embed_model.py MODEL OUT: writes the assembler file that puts a model's bytes into the library."""
import os
import sys

model, out = sys.argv[1:]
with open(out, 'w') as f:
    f.write(f'''/* Made by embed_model.py. */
    .section .rodata
    .balign 64
    .global llm_builtin_model
    .hidden llm_builtin_model
    .type llm_builtin_model, %object
llm_builtin_model:
    .incbin "{os.path.abspath(model)}"
    .global llm_builtin_model_end
    .hidden llm_builtin_model_end
llm_builtin_model_end:
    .byte 0
    .section .note.GNU-stack, "", %progbits
''')
