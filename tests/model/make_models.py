#!/usr/bin/env python3
"""make_models.py FOLDER: writes the random models that the tests of this folder run, and what reference.py makes of some."""
import os
import struct
import sys

import gguf_file as g
import reference

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
    'phi3-big': dict(arch='phi3', seed=9, kind=g.F16, n_vocab=97, n_embd=128, n_head=4, n_head_kv=2, n_ff=4300, n_layer=1),
}

YARN = {'rope.scaling.type': 'yarn', 'rope.scaling.factor': 4.0, 'rope.scaling.original_context_length': 64}
GEMMA2 = {'attention.sliding_window': 5, 'attn_logit_softcapping': 1.5, 'final_logit_softcapping': 2.0}

# One or more of every architecture, for architectures.py: windows shorter than the text, caps that bend, contexts past the original
ARCHITECTURES = {
    'llama-yarn': dict(n_vocab=89, n_embd=80, n_layer=3, n_head=5, n_head_kv=1, n_ff=72, extra=YARN),
    'llama-yarn-all': dict(n_embd=48, n_layer=2, n_head=4, n_head_kv=1, head_dim=16, n_rot=12, freqs=True, kind=g.F16, extra={
        **YARN, 'rope.scaling.original_context_length': 256, 'rope.freq_base': 100.0, 'rope.scaling.yarn_ext_factor': 0.75, 'rope.scaling.yarn_attn_factor': 1.25, 'rope.scaling.yarn_beta_fast': 8.0,
        'rope.scaling.yarn_beta_slow': 0.25, 'rope.scaling.attn_factor': 0.75}),
    'llama-window': dict(n_embd=48, n_layer=3, n_head=6, n_head_kv=2, n_ff=80, extra={'attention.sliding_window': 6}),
    'qwen2': dict(arch='qwen2', n_vocab=89, n_embd=56, n_layer=3, n_head=7, n_head_kv=1, n_ff=100),
    'qwen2-yarn': dict(arch='qwen2', n_embd=64, n_layer=2, n_head=4, n_head_kv=2, tied=False, kind=g.F16, extra=YARN),
    'qwen2-q8_0': dict(arch='qwen2', n_embd=64, n_layer=3, n_head=4, n_head_kv=2, n_ff=96, kind=g.Q8_0),
    'qwen3': dict(arch='qwen3', n_vocab=89, n_embd=48, n_layer=3, n_head=4, n_head_kv=2, head_dim=40, n_ff=76),
    'qwen3-q8_0': dict(arch='qwen3', n_embd=64, n_layer=2, n_head=4, n_head_kv=1, head_dim=32, n_ff=96, tied=False, kind=g.Q8_0),
    'phi3': dict(arch='phi3', n_vocab=89, n_embd=64, n_layer=3, n_head=4, n_head_kv=4, n_ff=68, tied=False),
    'phi3-long': dict(arch='phi3', n_embd=64, n_layer=2, n_head=4, n_head_kv=2, n_rot=12, n_ff=72, long=True, kind=g.F16, extra={
        'rope.scaling.attn_factor': 1.19, 'rope.scaling.original_context_length': 32, 'attention.sliding_window': 300}),
    'phi3-window-q8_0': dict(arch='phi3', n_embd=64, n_layer=3, n_head=4, n_head_kv=2, n_ff=96, kind=g.Q8_0, extra={'attention.sliding_window': 7}),
    'gemma2': dict(arch='gemma2', n_vocab=89, n_embd=48, n_layer=4, n_head=4, n_head_kv=2, head_dim=16, n_ff=76, extra=GEMMA2),
    # layers enough for the wide scale of queries
    'gemma2-wide': dict(arch='gemma2', n_vocab=61, n_embd=32, n_layer=46, n_head=2, n_head_kv=1, head_dim=8, n_ff=40, extra=GEMMA2),
    'gemma2-q8_0': dict(arch='gemma2', n_embd=64, n_layer=4, n_head=2, n_head_kv=1, head_dim=64, n_ff=96, kind=g.Q8_0, extra=GEMMA2),
}
for i, (name, params) in enumerate(ARCHITECTURES.items()):
    MODELS[name] = dict(seed=20 + i, vocab=True, **params)


def write_logits(path):
    """Records for reference.c. 24 tokens of context are fewer than the original ones of the long models, 64 are more.

    Where heads are of a multiple of 32, each once more with keys and values in 8 bits.
    """
    model = reference.Model(path)
    n_vocab = len(model.tensors['token_embd.weight'])
    with open(path[:-len('gguf')] + 'logits', 'wb') as file:
        for n_tok, n_ctx in ((40, 64), (20, 24)):
            tokens = [(i * 31 + 7) % n_vocab for i in range(n_tok)]
            passes = [(0, 0.0, model.logits(tokens, n_ctx))]
            if model.params['dim'] % 32 == 0:
                rows, apart = model.logits_q8_0(tokens, n_ctx)
                passes.append((1, apart, rows))
            for is_q8_0, apart, rows in passes:
                file.write(struct.pack('<4If%dI' % n_tok, n_tok, n_vocab, n_ctx, is_q8_0, apart, *tokens))
                for row in rows:
                    file.write(struct.pack('<%df' % n_vocab, *row))


if __name__ == '__main__':
    for name, params in MODELS.items():
        g.write(os.path.join(sys.argv[1], f'random-{name}.gguf'), *g.model(**params))
        if name in ARCHITECTURES:
            write_logits(os.path.join(sys.argv[1], f'random-{name}.gguf'))
