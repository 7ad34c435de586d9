#!/usr/bin/env python3
"""heads.py GRETA DEVICE: models with heads of many sizes against the double-precision pass; larger heads are refused in one line, before they load, and so
is a context that a device has no attention for."""
import json
import os
import pathlib
import subprocess
import sys
import tempfile

import gguf_file as g
import reference

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from checks import check, check_done, check_skip  # noqa: E402

GRETA, DEVICE = sys.argv[1:3]
SIZES = (2, 7, 8, 9, 16, 24, 32, 40, 56, 64, 72, 80, 96, 100, 112, 120, 128, 160, 192, 255, 256)
TOO_LARGE = (257, 512)
TOKENS = (1, 2, 3)


def write(path, size):
    """RoPE turns pairs: all of a head but an odd element. Three heads of queries share one of keys and values."""
    g.write(path, *g.model(n_embd=24, n_head=3, n_head_kv=1, head_dim=size, n_rot=size // 2 * 2, n_layer=1, n_ff=16))


def run(path, kv, *options):
    return subprocess.run([GRETA, 'logits', '-m', path, '--tokens', ','.join(map(str, TOKENS)), '-d', DEVICE, '--plan', 'exact', '--kv', kv, '--json', *options],
                          stdin=subprocess.DEVNULL, capture_output=True, timeout=60)


def wanted(path, kv):
    """What the reference makes of the last token, and how far that may be away (docs/en/numeric.md)."""
    model = reference.Model(path)
    if kv == 'q8_0':
        rows, apart = model.logits_q8_0(TOKENS, 0)
        return rows[-1], 1e-3 + apart
    return model.logits(TOKENS, 0)[-1], 1e-3 if kv == 'f32' else 0.02


if subprocess.run([GRETA, 'logits', '--tokens', '1', '-d', DEVICE], capture_output=True).returncode:
    check_skip(f'there is no device {DEVICE}')
with tempfile.TemporaryDirectory() as folder:
    path = os.path.join(folder, 'heads.gguf')
    for size in SIZES:
        write(path, size)
        for kv in ['f16', 'f32'] + (['q8_0'] if size % 32 == 0 else []):
            done = run(path, kv)
            if not check(f'{size}, {kv}', done.returncode == 0, done.stderr.decode(errors='replace')):
                continue
            want, bound = wanted(path, kv)
            apart = max(abs(a - b) for a, b in zip(want, json.loads(done.stdout)['logits']))
            check(f'{size}, {kv}: as in double precision', apart <= bound, f'{apart} apart, {bound} at most')
    for size in TOO_LARGE:
        write(path, size)
        done = run(path, 'f16')
        said = done.stderr.decode(errors='replace')
        check(f'{size}', done.returncode == 1 and said.count('\n') == 1 and f'heads of {size} ' in said and 'at most 256' in said,
              f'exit {done.returncode}: {said}')
    write(path, 8)
    done = run(path, 'f16', '--ctx', '400000')
    said = done.stderr.decode(errors='replace')
    check('a long context', not done.returncode or (done.returncode == 1 and said.count('\n') == 1 and 'a smaller --ctx' in said),
          f'exit {done.returncode}: {said}')
sys.exit(check_done())
