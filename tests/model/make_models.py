#!/usr/bin/env python3
"""make_models.py FOLDER: writes the random models that the tests of this folder run."""
import os
import sys

import gguf_file as g

MODELS = {
    # rows that are no multiples of 16 bytes or 32 elements, a partial rotary dimension, an output of its own
    'odd': dict(kind=g.F32, n_rot=6, tied=False),
    # heads wider than n_embd / n_head, one key/value head for four, linear scaling, frequencies
    'heads': dict(seed=2, kind=g.F16, n_vocab=101, n_embd=96, n_head=4, n_head_kv=1, head_dim=64, n_ff=200, scaling=2.0, freqs=True),
    'q8_0': dict(seed=3, kind=g.Q8_0, n_vocab=97, n_embd=64, n_head=4, n_head_kv=2, n_ff=96),
    'q4_k': dict(seed=4, kind=g.Q4_K, n_vocab=97, n_embd=256, n_head=2, n_head_kv=1, n_ff=256, n_layer=1),
    'q6_k': dict(seed=5, kind=g.Q6_K, n_vocab=97, n_embd=256, n_head=8, n_head_kv=8, n_ff=256, n_layer=1),
    # one matrix of each type that a GPU unpacks to F16
    'codebooks': dict(seed=8, kinds=g.CODEBOOKS, n_vocab=97, n_embd=256, n_head=4, n_head_kv=2, n_ff=256),
    # long enough for several parts of attention split over the KV length
    'long': dict(seed=6, kind=g.F16, n_vocab=97, n_embd=32, n_head=2, n_head_kv=1, n_ff=64, n_layer=2, n_ctx=2048),
    # matrices larger than 1 MiB, for devices whose buffers are small
    'big': dict(seed=7, kind=g.F16, n_vocab=5003, n_embd=128, n_head=4, n_head_kv=2, n_ff=4400, n_layer=1),
}

for name, params in MODELS.items():
    g.write(os.path.join(sys.argv[1], f'random-{name}.gguf'), *g.llama(**params))
