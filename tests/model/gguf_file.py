"""GGUF files for tests: read one's keys, tensors and vocabulary, write small ones. Only the standard library."""
import itertools
import math
import random
import struct

SCALARS = {0: 'B', 1: 'b', 2: 'H', 3: 'h', 4: 'I', 5: 'i', 6: 'f', 7: '?', 10: 'Q', 11: 'q', 12: 'd'}
F32, F16, Q8_0, Q4_K, Q6_K = 0, 1, 8, 12, 14
BLOCKS = {F32: (1, 4), F16: (1, 2), Q8_0: (32, 34), Q4_K: (256, 144), Q6_K: (256, 210)}
# IQ2_XXS, IQ2_XS, IQ3_XXS, IQ1_S, IQ3_S, IQ2_S, IQ1_M, TQ1_0, TQ2_0: bytes of a block of 256, where its f16 lies, and about how
# large its elements are for a scale of 1
CODEBOOKS = {16: (66, 0, 60), 17: (74, 0, 60), 18: (98, 0, 150), 19: (50, 0, 6), 21: (110, 0, 150), 22: (82, 0, 60), 29: (56, None, 6),
             34: (54, 52, 0.8), 35: (66, 64, 0.8)}


class Reader:
    def __init__(self, path):
        with open(path, 'rb') as file:
            self.data = file.read()
        self.at = 0
        magic, self.version, n_tensors, n_keys = self.unpack('<4sIQQ')
        assert magic == b'GGUF'
        self.keys = {}
        for _ in range(n_keys):
            name = self.string().decode()
            self.keys[name] = self.value(self.unpack('<I')[0])
        self.tensors = {}
        for _ in range(n_tensors):
            name = self.string().decode()
            ne = self.unpack('<%dQ' % self.unpack('<I')[0])
            self.tensors[name] = (ne,) + self.unpack('<IQ')
        align = self.keys.get('general.alignment', 32)
        self.data_offset = (self.at + align - 1) // align * align

    def unpack(self, fmt):
        values = struct.unpack_from(fmt, self.data, self.at)
        self.at += struct.calcsize(fmt)
        return values

    def string(self):
        n = self.unpack('<Q')[0]
        self.at += n
        return self.data[self.at - n:self.at]

    def value(self, kind):
        if kind == 8:
            return self.string()
        if kind == 9:
            element, n = self.unpack('<IQ')
            return [self.value(element) for _ in range(n)]
        return self.unpack('<' + SCALARS[kind])[0]


def piece(token):
    """The bytes of a SentencePiece token."""
    if len(token) == 6 and token.startswith(b'<0x'):
        return bytes([int(token[3:5], 16)])
    return token.replace(b'\xe2\x96\x81', b' ')


def _string(s):
    s = s.encode() if isinstance(s, str) else s
    return struct.pack('<Q', len(s)) + s


class Int32(int):
    """An int that is written as a signed one, whatever its value."""


def _value(v):
    if isinstance(v, bool):
        return struct.pack('<I?', 7, v)
    if isinstance(v, int):
        return struct.pack('<Ii', 5, v) if v < 0 or isinstance(v, Int32) else struct.pack('<II', 4, v)
    if isinstance(v, float):
        return struct.pack('<If', 6, v)
    if isinstance(v, (str, bytes)):
        return struct.pack('<I', 8) + _string(v)
    body = b''.join(_value(x)[4:] for x in v)
    return struct.pack('<IIQ', 9, struct.unpack('<I', _value(v[0])[:4])[0], len(v)) + body


def write(path, keys, tensors, version=3):
    """tensors: {name: (shape with the row length first, type, bytes)}"""
    head = struct.pack('<4sIQQ', b'GGUF', version, len(tensors), len(keys))
    for name, v in keys.items():
        head += _string(name) + _value(v)
    data = b''
    for name, (ne, kind, body) in tensors.items():
        head += _string(name) + struct.pack('<I%dQIQ' % len(ne), len(ne), *ne, kind, len(data))
        data += body + bytes(-len(body) % 32)
    with open(path, 'wb') as file:
        file.write(head + bytes(-len(head) % 32) + data)


def matrix(rng, kind, rows, cols):
    """Random weights of about 1 / sqrt(cols), so that values keep their size from layer to layer."""
    scale = 1 / math.sqrt(cols)
    if kind == F32:
        return struct.pack('<%df' % (rows * cols), *(rng.gauss(0, scale) for _ in range(rows * cols)))
    if kind == F16:
        return struct.pack('<%de' % (rows * cols), *(rng.gauss(0, scale) for _ in range(rows * cols)))
    if kind in CODEBOOKS:
        return b''.join(codebook_block(rng, kind, scale * rng.uniform(0.5, 1.5)) for _ in range(rows * cols // 256))
    n, size = BLOCKS[kind]
    assert cols % n == 0
    out = b''
    for _ in range(rows * cols // n):
        q = rng.randbytes(size)
        if kind == Q8_0:
            out += struct.pack('<e', scale * rng.uniform(0.5, 1.5) / 74) + q[2:]
        elif kind == Q4_K:  # scale * 6 bits * nibble - min * 6 bits: about zero on average
            d = scale * rng.uniform(0.5, 1.5) / 170
            out += struct.pack('<ee', d, d * 7.5) + q[4:]
        else:
            out += q[:-2] + struct.pack('<e', scale * rng.uniform(0.5, 1.5) / 1400)
    return out


def codebook_block(rng, kind, scale):
    size, at, most = CODEBOOKS[kind]
    block, d = bytearray(rng.randbytes(size)), struct.pack('<e', scale / most)
    if at is not None:
        block[at:at + 2] = d
        return bytes(block)
    for i in range(4):  # in the high nibbles of the last four words
        block[size - 7 + 2 * i] = block[size - 7 + 2 * i] & 15 | (d[i // 2] >> i % 2 * 4 & 15) << 4
    return bytes(block)


def vector(rng, n):
    return struct.pack('<%df' % n, *(rng.uniform(0.5, 1.5) for _ in range(n)))


def biases(rng, n):
    return struct.pack('<%df' % n, *(rng.gauss(0, 0.5) for _ in range(n)))


def vocabulary(n):
    """Keys of a SentencePiece vocabulary of n tokens: three marks, a newline, and texts of one letter and a number."""
    texts = ['<unk>', '<s>', '</s>', '<0x0A>', '\u2581'] + [chr(97 + i % 26) + (str(i // 26) if i >= 26 else '') for i in range(n - 5)]
    return {
        'tokenizer.ggml.model': 'llama', 'tokenizer.ggml.tokens': texts, 'tokenizer.ggml.scores': [-float(i) for i in range(n)],
        'tokenizer.ggml.token_type': [Int32(i) for i in [2, 3, 3, 6] + [1] * (n - 4)], 'tokenizer.ggml.bos_token_id': 1,
        'tokenizer.ggml.eos_token_id': 2, 'tokenizer.ggml.unknown_token_id': 0,
    }


def model(arch='llama', seed=1, kind=F32, n_vocab=67, n_embd=40, n_layer=2, n_head=5, n_head_kv=5, n_ff=52, n_ctx=256, head_dim=0, n_rot=0,
          tied=True, scaling=0.0, freqs=False, long=False, kinds=(), vocab=False, extra=()):
    """Keys and tensors of a random model. extra: further keys, named by what follows the architecture."""
    rng = random.Random(seed)
    dim = head_dim or n_embd // n_head
    rot = n_rot or dim
    keys = {'general.architecture': arch, 'general.name': 'random', 'general.alignment': 32}
    own = {
        'context_length': n_ctx, 'embedding_length': n_embd, 'block_count': n_layer,
        'feed_forward_length': n_ff, 'attention.head_count': n_head, 'attention.head_count_kv': n_head_kv,
        'attention.layer_norm_rms_epsilon': 1e-5, 'rope.freq_base': 10000.0,
    }
    if head_dim:
        own['attention.key_length'] = own['attention.value_length'] = head_dim
    if n_rot:
        own['rope.dimension_count'] = n_rot
    if scaling:
        own['rope.scaling.type'] = 'linear'
        own['rope.scaling.factor'] = scaling
    own.update(extra)
    keys.update((f'{arch}.{name}', value) for name, value in own.items())
    if vocab:
        keys.update(vocabulary(n_vocab))
    tensors = {}

    turns = itertools.cycle(kinds or [kind])

    def add(name, rows, cols):
        of = next(turns)
        tensors[name] = ((cols, rows), of, matrix(rng, of, rows, cols))

    def norm(name, n=n_embd):
        tensors[name] = ((n,), F32, vector(rng, n))

    def pairs(name, of):
        tensors[name] = ((rot // 2,), F32, struct.pack('<%df' % (rot // 2), *map(of, range(rot // 2))))

    add('token_embd.weight', n_vocab, n_embd)
    norm('output_norm.weight')
    if not tied:
        add('output.weight', n_vocab, n_embd)
    if freqs:
        pairs('rope_freqs.weight', lambda i: 1 + i)
    if long:
        pairs('rope_factors_short.weight', lambda i: 1 + i / 8)
        pairs('rope_factors_long.weight', lambda i: 2 + i)
    for i in range(n_layer):
        b = f'blk.{i}.'
        norm(b + 'attn_norm.weight')
        norm(b + 'ffn_norm.weight')
        if arch == 'phi3':
            add(b + 'attn_qkv.weight', (n_head + 2 * n_head_kv) * dim, n_embd)
        else:
            add(b + 'attn_q.weight', n_head * dim, n_embd)
            add(b + 'attn_k.weight', n_head_kv * dim, n_embd)
            add(b + 'attn_v.weight', n_head_kv * dim, n_embd)
        add(b + 'attn_output.weight', n_embd, n_head * dim)
        if arch == 'phi3':
            add(b + 'ffn_up.weight', 2 * n_ff, n_embd)
        else:
            add(b + 'ffn_gate.weight', n_ff, n_embd)
            add(b + 'ffn_up.weight', n_ff, n_embd)
        add(b + 'ffn_down.weight', n_embd, n_ff)
        if arch == 'qwen2':
            for name, n in (('q', n_head), ('k', n_head_kv), ('v', n_head_kv)):
                tensors[f'{b}attn_{name}.bias'] = ((n * dim,), F32, biases(rng, n * dim))
        if arch == 'qwen3':
            norm(b + 'attn_q_norm.weight', dim)
            norm(b + 'attn_k_norm.weight', dim)
        if arch == 'gemma2':
            norm(b + 'post_attention_norm.weight')
            norm(b + 'post_ffw_norm.weight')
    return keys, tensors
