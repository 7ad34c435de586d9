#!/usr/bin/env python3
"""heads.py GRETA DEVICE [SIZE...]: models with heads of every size run as on the cpu, or, of these sizes, are refused in one line before they load."""
import json
import os
import pathlib
import subprocess
import sys
import tempfile

import gguf_file as g

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from checks import check, check_done, check_skip  # noqa: E402

GRETA, DEVICE = sys.argv[1:3]
REFUSED = {int(size) for size in sys.argv[3:]}
SIZES = (2, 8, 16, 24, 32, 40, 64, 72, 80, 96, 100, 112, 120, 128, 160, 192, 256)


def run(path, device, kv):
    return subprocess.run([GRETA, 'logits', '-m', path, '--tokens', '1,2,3', '-d', device, '--plan', 'exact', '--kv', kv, '--json'],
                          stdin=subprocess.DEVNULL, capture_output=True, timeout=60)


if subprocess.run([GRETA, 'logits', '--tokens', '1', '-d', DEVICE], capture_output=True).returncode:
    check_skip(f'there is no device {DEVICE}')
with tempfile.TemporaryDirectory() as folder:
    for size in SIZES:
        path = os.path.join(folder, f'heads-{size}.gguf')
        g.write(path, *g.model(n_embd=24, n_head=2, n_head_kv=1, head_dim=size, n_layer=1, n_ff=16))
        for kv in ['f16', 'f32'] + (['q8_0'] if size % 32 == 0 else []):
            done = run(path, DEVICE, kv)
            said = done.stderr.decode(errors='replace')
            if size in REFUSED:
                words = (f'heads of {size} ', ' -d ')
                check(f'{size}, {kv}', done.returncode == 1 and said.count('\n') == 1 and all(w in said for w in words),
                      f'exit {done.returncode}: {said}')
                continue
            if not check(f'{size}, {kv}', done.returncode == 0, said):
                continue
            want, got = (json.loads(output)['logits'] for output in (run(path, 'cpu', kv).stdout, done.stdout))
            apart = max(abs(a - b) for a, b in zip(want, got))
            check(f'{size}, {kv}: as on the cpu', apart <= 0.02, f'{apart} apart')
sys.exit(check_done())
