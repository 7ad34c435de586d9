#!/usr/bin/env python3
"""golden.py GRETA DEVICE [some]: the program against the reference outputs of GRETA_TEST_DATA/stories260K (its README has the bounds).

For every file whose types are supported: the prompt's ids; the logits after the prompt, with f32 activations and with the
plan's own; the text that follows, as far as the reference is sure of itself; the likelihood of a text.
With `some`, for slow devices: one file of each type, its logits by the device's own plan and eight tokens that follow; all else of the first.
"""
import json
import math
import os
import pathlib
import subprocess
import sys
import tempfile

import gguf_file
import reference

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from checks import check, check_done, check_skip  # noqa: E402

SUPPORTED = {'F32', 'F16', 'BF16', 'Q8_0', 'Q4_0', 'Q4_1', 'Q4_K', 'Q6_K', 'Q5_0', 'Q5_1', 'Q5_K', 'Q2_K',
             'Q3_K', 'IQ4_NL', 'IQ4_XS'}


class Program:
    def __init__(self, greta, device, folder):
        self.greta, self.device, self.folder = greta, device, folder

    def run(self, command, model, *args):
        words = [self.greta, command, '-m', os.path.join(self.folder, model), *args]
        if command != 'tokenize':
            words += ['-d', self.device]
        done = subprocess.run(words, capture_output=True)
        if done.returncode or done.stderr:
            raise SystemExit(f'{" ".join(words)}: exit {done.returncode}: {done.stderr.decode()}')
        return done.stdout

    def logits(self, model, prompt, args, most, rms):
        got = json.loads(self.run('logits', model['file'], '-p', prompt, '--json', *args))
        want = model['exact']['logits_after_prompt']
        q8 = 'Q8A' in got['types']['activations']
        most, rms = (0.4, 0.15) if q8 and not most else (most or 0.02, rms or 0.02)
        diffs = [abs(a - b) for a, b in zip(got['logits'], want)]
        worst, mean = max(diffs), math.sqrt(sum(d * d for d in diffs) / len(diffs))
        what = f'{model["file"]} {" ".join(args)}: logits differ by {worst:.5f} (rms {mean:.5f}), types {got["types"]}'
        print(what)
        check(what, len(got['logits']) == len(want) and worst <= most and mean <= rms)
        check(f'{model["file"]}: prompt ids {got["tokens"]}', got['tokens'] == model['prompt_tokens'])
        return q8

    def logits_q8_0(self, model, text):
        """Keys and values in 8 bits, against the double-precision pass that rounds them so."""
        got = json.loads(self.run('logits', model['file'], '-p', text, '--json', '--plan', 'exact', '--kv', 'q8_0'))
        rows, apart = reference.Model(os.path.join(self.folder, model['file'])).logits_q8_0(got['tokens'], 64, 1)
        worst = max(abs(a - b) for a, b in zip(got['logits'], rows[0]))
        what = (f'{model["file"]} --kv q8_0, {len(got["tokens"])} tokens: logits differ by {worst:.5f}, '
                f'bound 0.01 and {apart:.5f} for values between two steps')
        print(what)
        check(what, len(got['logits']) == len(rows[0]) and worst <= 0.01 + apart)

    def greedy(self, model, prompt, pieces, q8, most=1000):
        """The text up to the first step where the reference's two best are close."""
        tokens, gaps = model['exact']['tokens'], model['exact']['gaps']
        sure = next((i for i, gap in enumerate(gaps) if gap < (0.2 if q8 else 0.02)), len(gaps))
        sure = min(sure, most)
        want = b''.join(pieces[t] for t in tokens[:sure])
        got = self.run('run', model['file'], '-p', prompt, '-n', str(sure), '--temp', '0')
        check(f'{model["file"]}: greedy text\n{got!r}\n{want!r}', got.rstrip(b'\n') == want.rstrip(b'\n'))

    def likelihood(self, model, text, args, bound):
        with tempfile.NamedTemporaryFile(suffix='.txt') as file:
            file.write(text.encode())
            file.flush()
            got = json.loads(self.run('perplexity', model['file'], '-f', file.name, '--json', *args))
        want = model['exact']['mean_nll_text']
        check(f'{model["file"]} {" ".join(args)}: nll {got["nll"]}, should be {want}',
              abs(got['nll'] - want) <= bound and got['tokens'] == len(model['text_tokens']) - 1)
        check(f'{model["file"]}: ppl {got["ppl"]}', abs(got['ppl'] - math.exp(got['nll'])) < 1e-6 * got['ppl'])

    def pieces(self, model):
        return [gguf_file.piece(t) for t in
                gguf_file.Reader(os.path.join(self.folder, model['file'])).keys['tokenizer.ggml.tokens']]

    def little(self, model, golden):
        q8 = self.logits(model, golden['prompt'], [], 0, 0)
        self.greedy(model, golden['prompt'], self.pieces(model), q8, 8)

    def model(self, model, golden):
        prompt = golden['prompt']
        pieces = self.pieces(model)
        ids = [int(i) for i in self.run('tokenize', model['file'], golden['text']).split()]
        check(f'{model["file"]}: ids of the text', ids == model['text_tokens'])
        self.logits(model, prompt, ['--plan', 'exact', '--kv', 'f32'], 0.01, 0.01)
        self.logits(model, prompt, ['--plan', 'exact'], 0.02, 0.02)
        q8 = self.logits(model, prompt, [], 0, 0)
        self.greedy(model, prompt, pieces, q8)
        self.likelihood(model, golden['text'], ['--plan', 'exact', '--kv', 'f32'], 0.002)
        self.likelihood(model, golden['text'], [], 0.02)
        # Heads of 32; the types that reference.py decodes: how a weight is decoded does not matter to the cache.
        if 'wide256' in model['file'] and set(model['types']) <= {'F32', 'F16', 'Q8_0'}:
            self.logits_q8_0(model, prompt)
            self.logits_q8_0(model, golden['text'][:60])


def main():
    greta, device = sys.argv[1:3]
    data = os.environ.get('GRETA_TEST_DATA')
    if not data:
        check_skip('GRETA_TEST_DATA is not set')
    if device != 'cpu' and subprocess.run([greta, 'logits', '--tokens', '1', '-d', device], capture_output=True).returncode:
        check_skip(f'there is no device {device}')
    folder = os.path.join(data, 'stories260K')
    with open(os.path.join(folder, 'golden.json')) as file:
        golden = json.load(file)
    program = Program(greta, device, folder)
    models = [model for model in golden['models'] if set(model['types']) <= SUPPORTED]
    if sys.argv[3:] == ['some']:
        program.model(models[0], golden)
        # By the type that most tensors have; the last is the one with longer rows.
        models = list({max(model['types'], key=model['types'].get): model for model in models[1:]}.values())
        for model in models:
            program.little(model, golden)
    else:
        for model in models:
            program.model(model, golden)
    return check_done()


sys.exit(main())
