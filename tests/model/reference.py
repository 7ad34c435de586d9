"""A forward pass in double precision, written from the definitions of the architectures, one line of Python for one of theirs.

Sources: the models' own code (Hugging Face transformers: modeling_llama, qwen2, qwen3, phi3, gemma2, modeling_rope_utils), and
GGUF's conventions: names; rows of llama's q and k in the order of adjacent pairs; gemma's norm weights with their 1 added.
"""
import math
import operator
import random
import struct

import gguf_file as g


def dot(a, b):
    return sum(map(operator.mul, a, b))


def decode(kind, row):
    if kind == g.F32:
        return list(struct.unpack('<%df' % (len(row) // 4), row))
    if kind == g.F16:
        return list(struct.unpack('<%de' % (len(row) // 2), row))
    assert kind == g.Q8_0
    out = []
    for at in range(0, len(row), 34):
        d, *q = struct.unpack_from('<e32b', row, at)
        out += [d * x for x in q]
    return out


def half(x):
    return struct.unpack('<e', struct.pack('<e', x))[0]


def rounded_to_8_bits(head, noise):
    """A head of keys or values as a Q8_0 cache holds it: units of 32, d in f16. noise: x becomes x * (1 + noise()) before."""
    out = []
    for at in range(0, len(head), 32):
        unit = [x * (1 + noise()) for x in head[at:at + 32]]
        d = half(max(map(abs, unit)) / 127)
        out += [d * max(-127, min(127, round(x / d))) if d else 0.0 for x in unit]
    return out


class Model:
    """params may be changed before a pass, to see what each of them does."""

    def __init__(self, path):
        self.file = g.Reader(path)
        self.arch = self.file.keys['general.architecture'].decode()
        key = self.key
        n_embd, n_head = key('embedding_length'), key('attention.head_count')
        dim = key('attention.key_length', n_embd // n_head)
        gemma = self.arch == 'gemma2'
        self.tensors = {name: self.matrix(name) for name in self.file.tensors}
        self.params = {
            'n_layer': key('block_count'), 'n_head': n_head, 'n_head_kv': key('attention.head_count_kv', n_head), 'dim': dim,
            'eps': key('attention.layer_norm_rms_epsilon'), 'n_rot': key('rope.dimension_count', dim), 'base': key('rope.freq_base', 1e4),
            'window': key('attention.sliding_window', 4096 if gemma else 0), 'attn_cap': key('attn_logit_softcapping', 50.0 if gemma else 0),
            'final_cap': key('final_logit_softcapping', 30.0 if gemma else 0), 'embd_scale': math.sqrt(n_embd) if gemma else 1,
            # Gemma 2: query_pre_attn_scalar is the head's size, but for the 27B model, of 46 layers: hidden_size / heads
            'scale': 1 / math.sqrt(n_embd // n_head if gemma and key('block_count') == 46 else dim),
            'factor': key('rope.scaling.factor', key('rope.scale_linear', 1.0)), 'n_ctx_orig': key('rope.scaling.original_context_length', key('context_length')),
            'yarn': key('rope.scaling.type', b'') == b'yarn', 'ext': key('rope.scaling.yarn_ext_factor', 1.0),
            'fast': key('rope.scaling.yarn_beta_fast', 32.0), 'slow': key('rope.scaling.yarn_beta_slow', 1.0),
            'attn_factor': key('rope.scaling.attn_factor', 1.0), 'bias': self.arch == 'qwen2', 'head_norms': self.arch == 'qwen3',
            'post_norms': gemma, 'gelu': gemma, 'half_split': self.arch != 'llama', 'long': None,
            'kv': None,  # a function of a head of keys or values: as the cache holds it
        }

    def key(self, name, default=None):
        value = self.file.keys.get(f'{self.arch}.{name}', default)
        assert value is not None, name
        return value

    def matrix(self, name):
        ne, kind, offset = self.file.tensors[name]
        elements, size = g.BLOCKS[kind]
        n = ne[0] // elements * size
        at = self.file.data_offset + offset
        rows = [decode(kind, self.file.data[at + i * n:at + (i + 1) * n]) for i in range(ne[1] if len(ne) > 1 else 1)]
        return rows if len(ne) > 1 else rows[0]

    # ---- positions ----

    def frequencies(self, n_ctx):
        """Angles of each pair at position 1, and what cosines and sines are multiplied by."""
        p, t = self.params, self.tensors
        n = p['n_rot']
        whole = [p['base'] ** (-2 * j / n) for j in range(n // 2)]
        long = n_ctx > p['n_ctx_orig'] if p['long'] is None else p['long']
        divisors = t.get('rope_freqs.weight') or t.get('rope_factors_long.weight' if long else 'rope_factors_short.weight')
        if divisors:
            whole = list(map(operator.truediv, whole, divisors))
        slow = [w / p['factor'] for w in whole]
        if not p['yarn']:
            return slow, p['attn_factor']

        def pair(turns):
            return n * math.log(p['n_ctx_orig'] / (turns * 2 * math.pi)) / (2 * math.log(p['base']))

        low, high = max(math.floor(pair(p['fast'])), 0), min(math.ceil(pair(p['slow'])), n - 1)
        high = high + 0.001 if high == low else high
        keep = [(1 - min(max((j - low) / (high - low), 0), 1)) * p['ext'] for j in range(n // 2)]
        magnitude = self.key('rope.scaling.yarn_attn_factor', 1 + 0.1 * math.log(max(p['factor'], 1)))
        return [s * (1 - k) + w * k for s, w, k in zip(slow, whole, keep)], magnitude * p['attn_factor']

    def rotate(self, x, pos, freqs, magnitude):
        n, half, out = self.params['n_rot'], self.params['n_rot'] // 2, list(x)
        for j in range(half):
            a, b = (j, j + half) if self.params['half_split'] else (2 * j, 2 * j + 1)
            c, s = magnitude * math.cos(pos * freqs[j]), magnitude * math.sin(pos * freqs[j])
            out[a], out[b] = x[a] * c - x[b] * s, x[a] * s + x[b] * c
        return out

    # ---- a layer ----

    def norm(self, x, w):
        d = 1 / math.sqrt(dot(x, x) / len(x) + self.params['eps'])
        return [a * d * b for a, b in zip(x, w)]

    def linear(self, name, x):
        return [dot(row, x) for row in self.tensors[name]]

    def project(self, b, x):
        """q, k and v as lists of heads, before RoPE."""
        p, t, d = self.params, self.tensors, self.params['dim']
        n_q, n_kv = p['n_head'] * d, p['n_head_kv'] * d
        if self.arch == 'phi3':
            qkv = self.linear(b + 'attn_qkv.weight', x)
            q, k, v = qkv[:n_q], qkv[n_q:n_q + n_kv], qkv[n_q + n_kv:]
        else:
            q, k, v = (self.linear(f'{b}attn_{name}.weight', x) for name in 'qkv')
        if p['bias']:
            q, k, v = (list(map(operator.add, y, t[f'{b}attn_{name}.bias'])) for name, y in zip('qkv', (q, k, v)))
        q, k, v = ([y[i:i + d] for i in range(0, len(y), d)] for y in (q, k, v))
        if p['head_norms']:
            q, k = [self.norm(h, t[b + 'attn_q_norm.weight']) for h in q], [self.norm(h, t[b + 'attn_k_norm.weight']) for h in k]
        return q, k, v

    def attend(self, q, keys, values, window):
        """One token's heads over all positions up to its own, the last."""
        p, out = self.params, []
        first = max(len(keys) - window, 0) if window else 0
        for h, query in enumerate(q):
            kv = h // (p['n_head'] // p['n_head_kv'])
            scores = [dot(query, k[kv]) * p['scale'] for k in keys[first:]]
            if p['attn_cap']:
                scores = [p['attn_cap'] * math.tanh(s / p['attn_cap']) for s in scores]
            most = max(scores)
            weights = [math.exp(s - most) for s in scores]
            total = sum(weights)
            out += [dot(weights, column) / total for column in zip(*(v[kv] for v in values[first:]))]
        return out

    def feed_forward(self, b, x):
        if self.arch == 'phi3':
            both = self.linear(b + 'ffn_up.weight', x)
            gate, up = both[:len(both) // 2], both[len(both) // 2:]
        else:
            gate, up = self.linear(b + 'ffn_gate.weight', x), self.linear(b + 'ffn_up.weight', x)
        if self.params['gelu']:
            act = [0.5 * v * (1 + math.tanh(math.sqrt(2 / math.pi) * (v + 0.044715 * v ** 3))) for v in gate]
        else:
            act = [v / (1 + math.exp(-v)) for v in gate]
        return self.linear(b + 'ffn_down.weight', list(map(operator.mul, act, up)))

    def logits(self, tokens, n_ctx):
        """A list for every token."""
        p, t = self.params, self.tensors
        freqs, magnitude = self.frequencies(n_ctx)
        xs = [[v * p['embd_scale'] for v in t['token_embd.weight'][token]] for token in tokens]
        for i in range(p['n_layer']):
            b, keys, values = f'blk.{i}.', [], []
            window = p['window'] if self.arch != 'gemma2' or i % 2 == 0 else 0
            for pos, x in enumerate(xs):
                q, k, v = self.project(b, self.norm(x, t[b + 'attn_norm.weight']))
                k = [self.rotate(head, pos, freqs, magnitude) for head in k]
                keys.append(list(map(p['kv'], k)) if p['kv'] else k)
                values.append(list(map(p['kv'], v)) if p['kv'] else v)
                y = self.attend([self.rotate(head, pos, freqs, magnitude) for head in q], keys, values, window)
                y = self.linear(b + 'attn_output.weight', y)
                if p['post_norms']:
                    y = self.norm(y, t[b + 'post_attention_norm.weight'])
                x = list(map(operator.add, x, y))
                y = self.feed_forward(b, self.norm(x, t[b + 'ffn_norm.weight']))
                if p['post_norms']:
                    y = self.norm(y, t[b + 'post_ffw_norm.weight'])
                xs[pos] = list(map(operator.add, x, y))
        head = 'output.weight' if 'output.weight' in t else 'token_embd.weight'
        out = [self.linear(head, self.norm(x, t['output_norm.weight'])) for x in xs]
        return [[p['final_cap'] * math.tanh(v / p['final_cap']) for v in row] for row in out] if p['final_cap'] else out

    def logits_q8_0(self, tokens, n_ctx, n_last=None):
        """With keys and values in 8 bits: a list for every token, and how far another pass may lie from it.

        Two passes round a value that lies near the middle between two steps to different ones, and a scale as well. How far that moves
        logits is measured: four passes whose keys and values are disturbed by up to 2^-16 before they are rounded, which is thirty
        times what sums of f32 leave in them and more. Twice the most that these differ from the undisturbed one.
        """
        def passes(noise):
            self.params['kv'] = lambda head: rounded_to_8_bits(head, noise)
            rows = self.logits(tokens, n_ctx)
            self.params['kv'] = None
            return rows[-n_last:] if n_last else rows

        rows, most = passes(lambda: 0.0), 0.0
        for seed in range(4):
            rng = random.Random(seed)
            for a, b in zip(rows, passes(lambda: rng.uniform(-2 ** -16, 2 ** -16))):
                most = max(most, max(map(abs, map(operator.sub, a, b))))
        return rows, 2 * most
