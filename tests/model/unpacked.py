#!/usr/bin/env python3
"""unpacked.py GRETA DEVICE MODEL: weights that only the cpu decodes are F16 on another device, which is said in one line.

The logits of the device are the cpu's, but for the rounding of the weights to F16: of 2^-11 each, in random directions.
"""
import json
import subprocess
import sys

N_SKIPPED = 77
greta, device, model = sys.argv[1:4]


def logits(where):
    words = [greta, 'logits', '-m', model, '--tokens', '5,9,13,70,2', '--json', '--plan', 'exact', '--kv', 'f32', '-d', where]
    done = subprocess.run(words, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f'{" ".join(words)}: exit {done.returncode}: {done.stderr}')
    return json.loads(done.stdout)['logits'], done.stderr.splitlines()


if subprocess.run([greta, 'logits', '--tokens', '1', '-d', device], capture_output=True).returncode:
    print(f'skipped: there is no device {device}')
    sys.exit(N_SKIPPED)
want, silence = logits('cpu')
got, said = logits(device)
most = max(abs(a) for a in want)
worst = max(abs(a - b) for a, b in zip(got, want))
print(f'logits up to {most:.3f} differ by {worst:.5f}; said: {said}')
ok = len(got) == len(want) and 0 < worst <= 0.01 * most
ok &= not silence and len(said) == 1 and 'unpacked to F16' in said[0]
sys.exit(not ok)
