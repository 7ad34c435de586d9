#!/usr/bin/env python3
"""A GGUF file with random weights, for timing: random_gguf.py OUT TYPE [SHAPE [LAYERS]] [--vocabulary]

TYPE is a weight type (f16, q4_k, iq2_xs ...; --list prints all), SHAPE one of llama-2-7b, llama-3-8b, tinyllama-1.1b (the default) and
smollm2-135m. All matrices are of TYPE, so its blocks must divide the rows: those of 256 do not divide SmolLM2's. The weights are
random bytes, but for the blocks' scales, which keep the values small; one MiB of them is repeated. There is no tokenizer, or, with
--vocabulary, one of made-up words. The standard library only.
"""
import argparse
import math
import random
import struct

#             width, ffn, heads, kv heads, head size, vocabulary, layers, rope base
SHAPES = {
    'llama-2-7b': (4096, 11008, 32, 32, 128, 32000, 32, 1e4), 'llama-3-8b': (4096, 14336, 32, 8, 128, 128256, 32, 5e5),
    'tinyllama-1.1b': (2048, 5632, 32, 4, 64, 32000, 22, 1e4), 'smollm2-135m': (576, 1536, 9, 3, 64, 49152, 30, 1e5),
}
# Number in GGUF, elements and bytes of a block, where its f16 scales lie, and what they are: about 0.02 over the size of an
# element for a scale of 1. A minimum is such that elements are about zero on average.
TYPES = {
    'f32': (0, 1, 4, {}), 'f16': (1, 1, 2, {}), 'bf16': (30, 1, 2, {}),
    'q4_0': (2, 32, 18, {0: 4e-3}), 'q4_1': (3, 32, 20, {0: 4e-3, 2: -3e-2}), 'q5_0': (6, 32, 22, {0: 2e-3}),
    'q5_1': (7, 32, 24, {0: 2e-3, 2: -3.1e-2}), 'q8_0': (8, 32, 34, {0: 2.7e-4}),
    'q2_k': (10, 256, 84, {80: 2e-3, 82: 3e-3}), 'q3_k': (11, 256, 110, {108: 5e-4}), 'q4_k': (12, 256, 144, {0: 1e-4, 2: 7.5e-4}),
    'q5_k': (13, 256, 176, {0: 5e-5, 2: 7.8e-4}), 'q6_k': (14, 256, 210, {208: 1.5e-5}),
    'iq4_nl': (20, 32, 18, {0: 3e-4}), 'iq4_xs': (23, 256, 136, {0: 1.5e-5}),
    'mxfp4': (39, 32, 17, {}),
    'iq1_s': (19, 256, 50, {0: 3e-3}), 'iq1_m': (29, 256, 56, {}), 'iq2_xxs': (16, 256, 66, {0: 4e-4}),
    'iq2_xs': (17, 256, 74, {0: 4e-4}), 'iq2_s': (22, 256, 82, {0: 4e-4}), 'iq3_xxs': (18, 256, 98, {0: 1.5e-4}),
    'iq3_s': (21, 256, 110, {0: 1.5e-4}), 'tq1_0': (34, 256, 54, {52: 2.5e-2}), 'tq2_0': (35, 256, 66, {64: 2.5e-2}),
}
CHUNK = 1 << 20  # bytes, about


def weights(kind):
    """Whole blocks, to be repeated."""
    _, _, size, scales = TYPES[kind]
    rng, n = random.Random(1), CHUNK // size
    if kind in ('f32', 'f16', 'bf16'):
        floats = [rng.gauss(0, 0.02) for _ in range(CHUNK // 16)]
        if kind == 'bf16':
            return b''.join(struct.pack('<f', x)[2:] for x in floats)
        return struct.pack('<%d%s' % (len(floats), 'f' if kind == 'f32' else 'e'), *floats)
    blocks = bytearray(rng.randbytes(n * size))
    for at, scale in scales.items():
        low, high = struct.pack('<e', scale)
        blocks[at::size], blocks[at + 1::size] = bytes([low]) * n, bytes([high]) * n
    if kind == 'mxfp4':  # a power of two: values of up to 6 times 2^-8
        blocks[::size] = bytes([119]) * n
    if kind == 'iq1_m':  # the scale's nibbles are the high ones of four words
        scale, = struct.unpack('<H', struct.pack('<e', 3e-3))
        for i in range(4):
            blocks[49 + 2 * i::size] = bytes(b & 15 | (scale >> 4 * i & 15) << 4 for b in blocks[49 + 2 * i::size])
    return bytes(blocks)


def string(text):
    body = text.encode()
    return struct.pack('<Q', len(body)) + body


def key(name, value):
    """Of a list the type is the first element's; numbers of a list are f32 or i32."""
    if isinstance(value, list):
        kind = 8 if isinstance(value[0], str) else 6 if isinstance(value[0], float) else 5
        body = b''.join(string(v) if kind == 8 else struct.pack('<f' if kind == 6 else '<i', v) for v in value)
        return string(name) + struct.pack('<IIQ', 9, kind, len(value)) + body
    if isinstance(value, str):
        return string(name) + struct.pack('<I', 8) + string(value)
    return string(name) + (struct.pack('<If', 6, value) if isinstance(value, float) else struct.pack('<II', 4, value))


def vocabulary(n):
    """Three marks, 256 bytes, then words of a letter and a number; the longer the later."""
    texts = ['<unk>', '<s>', '</s>'] + ['<0x%02X>' % i for i in range(256)]
    words = (mark + chr(97 + i % 26) + (str(i // 26) if i >= 26 else '') for i in range(n) for mark in ('\u2581', ''))
    texts += ['\u2581', *(next(words) for _ in range(n - len(texts) - 1))]
    return {
        'tokenizer.ggml.model': 'llama', 'tokenizer.ggml.tokens': texts, 'tokenizer.ggml.scores': [-float(i) for i in range(n)],
        'tokenizer.ggml.token_type': [2, 3, 3] + [6] * 256 + [1] * (n - 259), 'tokenizer.ggml.bos_token_id': 1,
        'tokenizer.ggml.eos_token_id': 2, 'tokenizer.ggml.unknown_token_id': 0,
    }


def keys(shape, layers, has_words):
    width, ffn, heads, heads_kv, dim, n_vocab, _, base = SHAPES[shape]
    own = {
        'context_length': 4096, 'embedding_length': width, 'block_count': layers, 'feed_forward_length': ffn,
        'attention.head_count': heads, 'attention.head_count_kv': heads_kv, 'rope.dimension_count': dim, 'rope.freq_base': base,
        'attention.layer_norm_rms_epsilon': 1e-5, 'vocab_size': n_vocab,
    }
    out = {'general.architecture': 'llama', 'general.name': 'random-' + shape}
    out.update({'llama.' + name: value for name, value in own.items()})
    out.update(vocabulary(n_vocab) if has_words else {'tokenizer.ggml.model': 'no_vocab'})
    return [key(name, value) for name, value in out.items()]


def tensors(shape, layers, kind, tied):
    """(name, dimensions, type), the row length first."""
    width, ffn, _, heads_kv, dim, n_vocab, _, _ = SHAPES[shape]
    kv = heads_kv * dim
    out = [('token_embd.weight', (width, n_vocab), kind), ('output_norm.weight', (width,), 'f32')]
    if not tied:
        out.append(('output.weight', (width, n_vocab), kind))
    for i in range(layers):
        sizes = {
            'attn_norm': (width,), 'attn_q': (width, width), 'attn_k': (width, kv), 'attn_v': (width, kv), 'attn_output': (width, width),
            'ffn_norm': (width,), 'ffn_gate': (width, ffn), 'ffn_up': (width, ffn), 'ffn_down': (ffn, width),
        }
        out += [(f'blk.{i}.{name}.weight', ne, kind if len(ne) == 2 else 'f32') for name, ne in sizes.items()]
    return out


def fits(kind, shape):
    """Whether the type's blocks divide the shape's rows."""
    return all(n % TYPES[kind][1] == 0 for n in SHAPES[shape][:2])


def n_bytes(ne, kind):
    _, elements, size, _ = TYPES[kind]
    return math.prod(ne) // elements * size


def write(path, kind, shape='tinyllama-1.1b', layers=0, tied=False, has_words=False):
    """Returns the bytes of all matrices that a token reads."""
    assert fits(kind, shape), f'blocks of {kind} do not divide the rows of {shape}'
    layers = layers or SHAPES[shape][6]
    all_keys, all_tensors, chunk = keys(shape, layers, has_words), tensors(shape, layers, kind, tied), weights(kind)
    infos, at = [], 0
    for name, ne, of in all_tensors:
        infos.append(string(name) + struct.pack('<I%dQIQ' % len(ne), len(ne), *ne, TYPES[of][0], at))
        at += (n_bytes(ne, of) + 31) // 32 * 32
    with open(path, 'wb') as file:
        file.write(struct.pack('<4sIQQ', b'GGUF', 3, len(infos), len(all_keys)) + b''.join(all_keys) + b''.join(infos))
        file.write(bytes(-file.tell() % 32))
        for name, ne, of in all_tensors:
            size = n_bytes(ne, of)
            if len(ne) == 1:
                file.write(struct.pack('<f', 1) * ne[0])
            for done in range(0, size if len(ne) == 2 else 0, len(chunk)):
                file.write(chunk[:min(size - done, len(chunk))])
            file.write(bytes(-file.tell() % 32))
    read = [n_bytes(ne, of) for name, ne, of in all_tensors if len(ne) == 2 and (tied or name != 'token_embd.weight')]
    return sum(read)


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument('out', nargs='?')
    parser.add_argument('type', nargs='?', choices=TYPES)
    parser.add_argument('shape', nargs='?', default='tinyllama-1.1b', choices=SHAPES)
    parser.add_argument('layers', nargs='?', type=int, default=0)
    parser.add_argument('--vocabulary', action='store_true')
    parser.add_argument('--list', action='store_true')
    options = parser.parse_args()
    if options.list:
        print(' '.join(TYPES))
    elif options.type:
        write(options.out, options.type, options.shape, options.layers, options.shape == 'smollm2-135m', options.vocabulary)
    else:
        parser.error('OUT and TYPE are needed')


if __name__ == '__main__':
    main()
