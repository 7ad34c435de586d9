#!/usr/bin/env python3
"""switches.py FOLDER: every switch of an architecture moves the logits of its random model far past the bound of reference.c.

So a forward pass that leaves one out cannot pass there. The reference is run with the switch as it is, and turned.
"""
import os
import sys

import make_models
import reference

# what each is turned to; None: the other of two
OFF = {'window': 0, 'attn_cap': 0, 'final_cap': 0, 'embd_scale': 1, 'yarn': False, 'factor': 1.0, 'ext': 1.0, 'fast': 32.0, 'slow': 1.0,
       'attn_factor': 1.0, 'bias': False, 'head_norms': False, 'post_norms': False, 'gelu': False, 'half_split': None, 'n_ctx_orig': 256}
FAR = 20 * 1e-3


def distance(a, b):
    return max(abs(x - y) for row, other in zip(a, b) for x, y in zip(row, other))


def turned(model, name, value, tokens, n_ctx):
    was, model.params[name] = model.params[name], value
    out = model.logits(tokens, n_ctx)
    model.params[name] = was
    return out


def main():
    n = failed = 0
    seen = set()
    for file in make_models.ARCHITECTURES:
        model = reference.Model(os.path.join(sys.argv[1], f'random-{file}.gguf'))
        tokens = [(i * 31 + 7) % len(model.tensors['token_embd.weight']) for i in range(24)]
        want = model.logits(tokens, 64)
        cases = {name: not model.params[name] if off is None else off for name, off in OFF.items() if model.params[name] != off}
        if model.params['window'] > len(tokens):
            del cases['window']
        if not model.params['yarn']:
            cases.pop('n_ctx_orig', None)
        if 'rope_factors_long.weight' in model.tensors:
            cases['long'] = False
        if file == 'gemma2-wide':
            cases['scale'] = model.params['dim'] ** -0.5
        for name, value in cases.items():
            d = distance(want, turned(model, name, value, tokens, 64))
            seen.add(name)
            n += 1
            if d < FAR:
                failed += 1
                print(f'failed: {file}: {name} {value} in place of {model.params[name]} moves the logits by {d:.6f} only')
    missing = {*OFF, 'long', 'scale'} - seen
    if missing:
        print(f'failed: no model turns {missing}')
    print(f'{n} checks, {failed} failed')
    return 1 if failed or missing else 0


sys.exit(main())
