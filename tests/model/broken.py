#!/usr/bin/env python3
"""broken.py GRETA MODEL: what is wrong with a file, an argument or the machine is said in one line, exit 1, no crash.

MODEL is a sound file with a tokenizer, from which the broken ones are made.
"""
import os
import pathlib
import re
import resource
import struct
import subprocess
import sys
import tempfile

import gguf_file as g

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from checks import check, check_done  # noqa: E402

GRETA, MODEL = sys.argv[1:3]


def run(*args, **kwargs):
    kwargs.setdefault('stdin', subprocess.DEVNULL)
    kwargs.setdefault('stdout', subprocess.PIPE)
    return subprocess.run([GRETA, *args], stderr=subprocess.PIPE, timeout=60, **kwargs)


def expect(done, what, code=1, words='', lines=1):
    """Exit `code`, that many lines on stderr, all of `words` in them."""
    text = done.stderr.decode(errors='replace')
    text = re.sub(r'^==\d+==WARNING: .*symbolizer!\n\n?', '', text, flags=re.M)  # a sanitizer's own, where LLVM's symbolizer is not installed
    missing = [w for w in words.split() if w not in text]
    if any(c < 0x20 and c != 0x0A for c in done.stderr) or '\x9b' in text:
        missing.append('plain text')
    check(what, done.returncode == code and text.count('\n') == lines and not missing,
          f'exit {done.returncode}, not {code}; missing {missing}; said:\n{text}')


def expect_remedy(done, what, words):
    """One line that names the thing and says what to do about it."""
    expect(done, what, words=words)
    check(f'{what}: a remedy', re.search(rb'[:,] (convert|take|fetch) |supported: llama', done.stderr), done.stderr.decode(errors='replace'))


class Folder:
    def __init__(self, path):
        self.path, self.n = path, 0

    def file(self, data):
        self.n += 1
        path = os.path.join(self.path, f'broken-{self.n}.gguf')
        with open(path, 'wb') as out:
            out.write(data)
        return path

    def model(self, change=lambda keys, tensors: None, **params):
        keys, tensors = g.model(**params)
        change(keys, tensors)
        self.n += 1
        path = os.path.join(self.path, f'model-{self.n}.gguf')
        g.write(path, keys, tensors)
        return path


def logits(path, *args, **kwargs):
    return run('logits', '-m', path, '--tokens', '1,2,3', '-d', 'cpu', *args, **kwargs)


def check_files(folder):
    """Bytes that are no model."""
    with open(MODEL, 'rb') as file:
        sound = file.read()
    header = g.Reader(MODEL).data_offset
    cuts = {*range(0, 64), *range(64, header, max(1, header // 60)), header - 1, header, (header + len(sound)) // 2, len(sound) - 1}
    for cut in sorted(cuts):
        path = folder.file(sound[:cut])
        expect(logits(path), f'cut at byte {cut}', words=path)
        os.unlink(path)
    for offset, what in ((8, 'tensors'), (16, 'keys'), (24, 'bytes in the first name')):
        for count in (1 << 63, (1 << 64) - 1, 1 << 40):
            path = folder.file(sound[:offset] + struct.pack('<Q', count) + sound[offset + 8:])
            expect(logits(path), f'{count} {what}', words=path)
    for version in (0, 1, 4, 0x03000000):
        path = folder.file(sound[:4] + struct.pack('<I', version) + sound[8:])
        expect(logits(path), f'version {version:#x}', words=path)
    expect(logits(folder.file(b'ggml' + sound[4:])), 'another magic')
    expect(logits(folder.file(bytes(4096))), 'zeros')


def check_models(folder):
    """Sound files of models that are not ours, or not whole."""
    def key(name, value):
        return lambda keys, tensors: keys.__setitem__(name, value)

    def without(name):
        return lambda keys, tensors: (keys.pop(name, None), tensors.pop(name, None))

    def tensor(name, value):
        return lambda keys, tensors: tensors.__setitem__(name, value)

    norm = 'blk.0.attn_norm.weight'
    cases = [
        (without('general.architecture'), 'general.architecture missing'),
        (key('general.architecture', 'mamba'), 'mamba'),
        (key('general.architecture', 'ma\x1b[2J\nmba'), 'ma?[2J?mba'),
        (tensor('blk.0.\x1b[31m\xc2\x9b.weight'.encode('latin-1'), ((40,), g.F32, bytes(160))), 'blk.0.'),
        (key('general.architecture', 7), 'general.architecture uint32 string convert'),
        (key('general.architecture', ['llama']), 'general.architecture array string convert'),
        (key('llama.expert_count', 8), 'experts'),
        (key('llama.rope.scaling.type', 'yarn'), 'llama.rope.scaling.factor missing'),
        (key('llama.rope.scaling.type', 'dynamic'), 'dynamic'),
        (key('llama.attention.head_count_kv', [5, 5]), 'llama.attention.head_count_kv layer'),
        (key('llama.attention.head_count_kv', 3), 'heads'),
        (key('llama.attention.head_count', 7), 'heads'),
        (key('llama.attention.head_count', 0), 'llama.attention.head_count'),
        (key('llama.attention.key_length', 264), 'heads 264 256'),
        (key('llama.block_count', 'two'), 'llama.block_count'),
        (key('llama.block_count', 3), 'blk.2.attn_norm.weight missing convert'),
        (key('llama.block_count', 1), 'blk.1.'),
        (key('llama.embedding_length', 80), 'token_embd.weight'),
        (key('llama.embedding_length', -40), 'llama.embedding_length'),
        (key('llama.attention.layer_norm_rms_epsilon', float('nan')), 'rms_epsilon'),
        (key('llama.rope.freq_base', 0.0), 'freq_base'),
        (key('llama.rope.dimension_count', 5), 'dimension_count'),
        (key('llama.rope.dimension_count', 1 << 20), 'dimension_count'),
        (key('llama.attention.causal', False), 'causal'),
        (key('llama.attention.causal', 0), 'llama.attention.causal'),
        (key('llama.attention.key_length', 7), "head's size is 7"),
        (key('llama.attention.value_length', 16), 'values of 16'),
        (key('llama.attention.value_length', -8), 'llama.attention.value_length int32'),
        (key('llama.expert_count', '8'), 'llama.expert_count string'),
        (key('llama.logit_scale', 'much'), 'llama.logit_scale string'),
        (without('llama.context_length'), 'llama.context_length missing convert'),
        (without('token_embd.weight'), 'token_embd.weight'),
        (without('blk.1.ffn_up.weight'), 'blk.1.ffn_up.weight'),
        (tensor('blk.0.attn_q.bias', ((40,), g.F32, bytes(160))), 'blk.0.attn_q.bias'),
        (tensor(norm, ((40,), 27, bytes(320))), f'{norm} I64 convert'),
        (tensor('blk.0.ffn_up.weight', ((52, 40), g.F32, bytes(52 * 40 * 4))), 'blk.0.ffn_up.weight 52 40'),
        (tensor('rope_freqs.weight', ((4,), g.F32, struct.pack('<4f', 1, 0, 1, 1))), 'rope_freqs.weight'),
        (tensor('rope_freqs.weight', ((3,), g.F32, bytes(12))), 'rope_freqs.weight'),
    ]
    for change, words in cases:
        path = folder.model(change)
        expect_remedy(logits(path), words, f'{path} {words}')
    expect(run('run', '-m', folder.model(), '-p', 'x', '-d', 'cpu'), 'no tokenizer', words='tokenizer')
    expect(run('bench', 'llm', '-m', folder.model(), '-p', '8', '-n', '4', '-r', '1', '-d', 'cpu'), 'bench needs no tokenizer', 0, lines=0)
    expect(logits(folder.model()), 'logits --tokens need no tokenizer', 0, lines=0)


def check_architectures(folder):
    """What other architectures have and llama has not: missing, of another size, of no use."""
    def key(name, value):
        return lambda keys, tensors: keys.__setitem__(name, value)

    def without(name):
        return lambda keys, tensors: tensors.pop(name)

    def tensor(name, value):
        return lambda keys, tensors: tensors.__setitem__(name, value)

    def floats(*values):
        return ((len(values),), g.F32, struct.pack('<%df' % len(values), *values))

    yarn = {'rope.scaling.type': 'yarn', 'rope.scaling.factor': 4.0}
    qwen2, qwen3, phi3, gemma2 = (dict(arch=name) for name in ('qwen2', 'qwen3', 'phi3', 'gemma2'))
    cases = [
        (dict(), key('general.architecture', 'gemma7'), 'gemma7 llama, qwen2, qwen3, phi3 and gemma2'),
        (dict(), key('general.architecture', 'qwen2'), 'qwen2.context_length missing'),
        (qwen2, without('blk.1.attn_k.bias'), 'blk.1.attn_k.bias missing'),
        (qwen2, tensor('blk.0.attn_v.bias', floats(*range(39))), 'blk.0.attn_v.bias 39 40'),
        (qwen2, tensor('blk.0.attn_q.bias', ((40,), g.Q8_0, bytes(34 * 40 // 32))), 'blk.0.attn_q.bias Q8_0'),
        (qwen2, tensor('blk.0.attn_output.bias', floats(*range(40))), 'blk.0.attn_output.bias qwen2'),
        (qwen2, key('qwen2.attention.sliding_window', 64), 'qwen2.attention.sliding_window 64'),
        (qwen3, without('blk.0.attn_q_norm.weight'), 'blk.0.attn_q_norm.weight missing'),
        (qwen3, tensor('blk.1.attn_k_norm.weight', floats(*range(40))), 'blk.1.attn_k_norm.weight 40 8'),
        (phi3, without('blk.1.attn_qkv.weight'), 'blk.1.attn_qkv.weight missing'),
        (phi3, key('phi3.attention.head_count_kv', 1), 'blk.0.attn_qkv.weight 120 56'),
        (phi3, key('phi3.feed_forward_length', 104), 'blk.0.ffn_down.weight 52 104'),
        (phi3, tensor('blk.0.ffn_up.weight', ((40, 52), g.F32, bytes(40 * 52 * 4))), 'blk.0.ffn_up.weight 52 104'),
        (phi3, tensor('blk.0.ffn_gate.weight', ((40, 52), g.F32, bytes(40 * 52 * 4))), 'blk.0.ffn_gate.weight phi3'),
        (dict(phi3, long=True), without('rope_factors_long.weight'), 'rope_factors_long.weight missing'),
        (dict(phi3, long=True), without('rope_factors_short.weight'), 'rope_factors_short.weight missing'),
        (dict(phi3, long=True), tensor('rope_factors_long.weight', floats(1, 2, 0, 4)), 'rope_factors_long.weight 0'),
        (dict(phi3, long=True), tensor('rope_factors_short.weight', floats(1, 2, 3)), 'rope_factors_short.weight 3 4'),
        (dict(phi3, long=True, freqs=True), key('phi3.vocab_size', 67), 'rope_freqs.weight rope_factors_long.weight'),
        (phi3, key('phi3.rope.scaling.type', 'longrope'), 'rope_factors_short.weight missing'),
        (phi3, key('phi3.rope.scaling.attn_factor', 0.0), 'phi3.rope.scaling.attn_factor 0'),
        (gemma2, without('blk.1.post_attention_norm.weight'), 'blk.1.post_attention_norm.weight missing'),
        (gemma2, without('blk.0.post_ffw_norm.weight'), 'blk.0.post_ffw_norm.weight missing'),
        (gemma2, key('gemma2.attn_logit_softcapping', -1.0), 'gemma2.attn_logit_softcapping -1'),
        (gemma2, key('gemma2.attn_logit_softcapping', float('nan')), 'gemma2.attn_logit_softcapping nan'),
        (gemma2, key('gemma2.final_logit_softcapping', 1e-9), 'gemma2.final_logit_softcapping 1e-09'),
        (gemma2, key('gemma2.final_logit_softcapping', 'much'), 'gemma2.final_logit_softcapping number'),
        (gemma2, key('gemma2.attention.sliding_window', 'wide'), 'gemma2.attention.sliding_window number'),
        (gemma2, key('gemma2.attention.sliding_window', -5), 'gemma2.attention.sliding_window number'),
        (gemma2, key('gemma2.attention.sliding_window', [4, 8]), 'gemma2.attention.sliding_window layer'),
        (gemma2, key('gemma2.attention.sliding_window_pattern', 6), 'gemma2.attention.sliding_window_pattern 6'),
        (gemma2, key('gemma2.attention.scale', 0.0), 'gemma2.attention.scale 0'),
        (gemma2, key('gemma2.rope.freq_base_swa', 1e6), 'gemma2.rope.freq_base_swa'),
        (dict(extra=yarn), key('llama.rope.scaling.factor', 0.0), 'llama.rope.scaling.factor 0'),
        (dict(extra=yarn), key('llama.rope.scaling.factor', [4.0, 4.0]), 'llama.rope.scaling.factor'),
        (dict(extra=yarn), key('llama.rope.scaling.original_context_length', 0), 'llama.rope.scaling.original_context_length 0'),
        (dict(extra=yarn), key('llama.rope.scaling.yarn_ext_factor', 2.0), 'llama.rope.scaling.yarn_ext_factor 2'),
        (dict(extra=yarn), key('llama.rope.scaling.yarn_beta_fast', 0.0), 'llama.rope.scaling.yarn_beta_fast 0'),
        (dict(extra=yarn), key('llama.rope.scaling.yarn_beta_slow', float('inf')), 'llama.rope.scaling.yarn_beta_slow inf'),
        (dict(extra=yarn), key('llama.rope.scaling.yarn_attn_factor', float('nan')), 'llama.rope.scaling.yarn_attn_factor nan'),
        (dict(extra=yarn), key('llama.rope.scaling.yarn_log_multiplier', 0.1), 'llama.rope.scaling.yarn_log_multiplier 0.1'),
        (dict(extra=yarn), key('llama.rope.freq_base', 1.0), 'llama.rope.freq_base 1'),
        (dict(), key('llama.rope.scaling.type', 4), 'llama.rope.scaling.type'),
        (dict(), key('llama.rope.scaling.factor', 0.0), 'llama.rope.scaling.factor 0'),
        (dict(), key('llama.logit_scale', 0.5), 'llama.logit_scale 0.5'),
        (dict(), key('llama.attention.temperature_length', 8192), 'llama.attention.temperature_length 8192'),
    ]
    for params, change, words in cases:
        path = folder.model(change, **params)
        expect_remedy(logits(path), words, f'{path} {words}')
    expect(run('inspect', folder.model(key('general.architecture', 'gemma7'))), 'inspect shows any architecture', 0, lines=0)
    for params in (qwen2, qwen3, phi3, gemma2, dict(phi3, long=True), dict(extra=yarn), dict(qwen2, extra={'attention.sliding_window': 256})):
        expect(logits(folder.model(**params)), f'{params}: sound', 0, lines=0)


def check_numbers(folder):
    """Weights that are no numbers: said, never a text of garbage, whichever way the next token is chosen."""
    sound = g.Reader(MODEL)
    ne, kind, offset = sound.tensors['output_norm.weight']
    at = sound.data_offset + offset
    assert kind == g.F32 and len(ne) == 1
    path = folder.file(sound.data[:at] + struct.pack('<f', float('nan')) * ne[0] + sound.data[at + 4 * ne[0]:])
    for args in (['--temp', '0'], ['--temp', '0.8'], ['--temp', '0', '--repeat-penalty', '1.1']):
        done = run('run', '-m', path, '-p', 'Once', '-n', '4', '-d', 'cpu', *args)
        expect(done, f'NaN for weights, {args}', words='no number token weights')
    text = folder.file(b'Once upon a time')
    expect(run('perplexity', '-m', path, '-f', text, '-d', 'cpu'), 'the likelihood from NaN', words='no number token weights')


def check_tensors(folder):
    """Places of tensors, changed in the file's bytes: past the end, over another, not aligned."""
    path = folder.model()
    with open(path, 'rb') as file:
        sound = file.read()
    at = sound.index(b'blk.1.ffn_down.weight') + len('blk.1.ffn_down.weight') + 4
    for offset, value, what in ((20, 1 << 63, 'far past the end'), (20, len(sound), 'past the end'), (20, 0, 'over another'), (20, 7, 'not aligned'),
                                (0, 1 << 62, 'a huge row'), (8, 1 << 62, 'many rows'), (0, 0, 'no row')):
        expect(logits(folder.file(sound[:at + offset] + struct.pack('<Q', value) + sound[at + offset + 8:])), what, words='blk.1.ffn_down.weight')


def check_places(folder):
    """Paths that are no readable file."""
    expect(logits(folder.path), 'a directory', words=folder.path)
    expect(logits(folder.path + '/none.gguf'), 'no such file', words='none.gguf')
    fifo = folder.path + '/fifo'
    os.mkfifo(fifo)
    expect(logits(fifo), 'a FIFO', words=fifo)
    expect(logits(folder.file(b'')), 'an empty file')
    if os.getuid():
        path = folder.model()
        os.chmod(path, 0)
        expect(logits(path), 'no read right', words=path)
    expect(run('run', '-m', MODEL, '-f', folder.path), 'a prompt that is a directory', words=folder.path)
    expect(run('run', '-m', MODEL, '-f', folder.path + '/none.txt'), 'a prompt that is not there', words='none.txt')


def check_cut_in_use(folder):
    """The host's weights stay in the mapped file: one that is cut behind our back is said, too."""
    path = folder.file(pathlib.Path(MODEL).read_bytes())
    args = [GRETA, 'chat', '-m', path, '--chat-template', 'chatml', '-n', '2', '--temp', '0', '-d', 'cpu']
    chat = subprocess.Popen(args, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    chat.stdin.write(b'Once\n')
    chat.stdin.flush()
    os.read(chat.stdout.fileno(), 1)  # it is loaded and answers
    os.truncate(path, 4096)
    out, error = chat.communicate(b'Once\n', timeout=60)
    expect(subprocess.CompletedProcess(args, chat.returncode, out, error), 'a model cut in use', words='file cut fetch')


def check_output():
    for args in (['run', '-m', MODEL, '-p', 'Once', '-n', '5', '-d', 'cpu'], ['inspect', MODEL], ['tokenize', '-m', MODEL, 'x'], ['--version'],
                 ['--help'], ['run', '--help'], ['devices'], ['logits', '-m', MODEL, '-p', 'x', '--json', '-d', 'cpu']):
        with open('/dev/full', 'wb') as full:
            expect(run(*args, stdout=full), f'{args}: a full disk', words='No space left')
        read_end, write_end = os.pipe()
        os.close(read_end)
        expect(run(*args, stdout=write_end), f'{args}: a closed pipe', lines=0)
        os.close(write_end)


def check_arguments(folder):
    long_prompt = folder.path + '/long.txt'
    with open(long_prompt, 'w') as file:
        file.write('once upon a time ' * 2000)
    expect(run('run', '-m', MODEL, '-f', long_prompt, '--ctx', '64', '-d', 'cpu'), 'a prompt longer than the context', words='64 --ctx')
    expect(run('logits', '-m', MODEL, '-p', 'a b c d e f g h', '--ctx', '4', '-d', 'cpu'), 'the same for logits', words='4 --ctx')
    expect(run('logits', '-m', MODEL, '--tokens', '1,99999999', '-d', 'cpu'), 'an id that is not there', words='99999999')
    expect(run('logits', '-m', MODEL, '--tokens', '1,,2', '-d', 'cpu'), 'ids that are none', 2, words='--tokens')
    for name in ('vulkan:99', 'hip:77', 'nonsense', 'cpu:5', 'vulkan:x', ':'):
        expect(run('run', '-m', MODEL, '-p', 'x', '-d', name), f'the device {name}', words=name)
    expect(run('run', '-m', MODEL, '-p', 'x', '-d', 'cpu', '--force', 'matvec=nonsense'), 'a row that is not there', words='nonsense')
    expect(run('run', '-m', MODEL, '-p', 'x', '-d', 'cpu', '--ctx', '16777216', '--kv', 'f32'), 'a context beyond any buffer', words='16777216 --ctx')
    if 'ASAN_OPTIONS' not in os.environ:  # a sanitizer takes address space without end
        expect(logits(MODEL, '--ctx', '500000', preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (400 << 20, 400 << 20))),
               'memory that cannot be had', words='ulimit', lines=2)  # the first warns of more context than the model was trained for
    expect(run('run', '-m', '', '-p', 'x'), 'no name of a model', 2, words='--model')
    expect(run('run', '-f', ''), 'no name of a file', 2, words='--file')
    expect(run('run', '-p', 'x', '--top-k', '16777217'), 'a limit as it is written', 2, words='16777216,')
    expect(run('run', '-m', MODEL, '-p', 'x', '-n', '1', '-d', 'vulkan', env={**os.environ, 'GRETA_VULKAN_LIBRARY': 'libnone.so.1'}), 'no Vulkan library',
           words='vulkan libnone.so.1')
    for name in ('GRETA_LOG', 'GRETA_BARRIER', 'GRETA_VALIDATION'):
        expect(run('run', '-m', MODEL, '-p', 'x', '-n', '2', '-d', 'cpu', env={**os.environ, name: 'nonsense'}), f'a slip in {name}', 0,
               words=f'{name} nonsense')
    invalid = folder.file(b'Once \xff\xfe upon \xe2\x82 a \x00 time \xf0\x9f')
    expect(run('run', '-m', MODEL, '-f', invalid, '-n', '5', '-d', 'cpu'), 'invalid UTF-8', 0, lines=0)
    with open(invalid, 'rb') as file:
        done = run('run', '-m', MODEL, '-', '-n', '40', '--temp', '3', '--seed', '5', '-d', 'cpu', stdin=file)
    expect(done, 'invalid UTF-8 from standard input', 0, lines=0)
    done.stdout.decode()  # what is written is UTF-8
    short = folder.file(b'')
    expect(run('perplexity', '-f', short, '-d', 'cpu'), 'a text of no token', words=f'{short} short give')
    for args in (['run'], ['run', '-p', 'x', '-f', 'y'], ['nonsense'], [], ['run', '-p', 'x', '--temp', '-1'], ['run', '-p', 'x', '-n', '4x'],
                 ['inspect'], ['bench'], ['bench', 'llm', '-p', 'x'], ['perplexity'], ['logits'], ['devices', 'x'], ['run', '-q', '-p', 'x']):
        expect(run(*args), f'{args}: wrong usage', 2)


with tempfile.TemporaryDirectory() as path:
    folder = Folder(path)
    check_files(folder)
    check_models(folder)
    check_architectures(folder)
    check_numbers(folder)
    check_tensors(folder)
    check_places(folder)
    check_cut_in_use(folder)
    check_output()
    check_arguments(folder)
sys.exit(check_done())
