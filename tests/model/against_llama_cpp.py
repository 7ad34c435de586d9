#!/usr/bin/env python3
"""against_llama_cpp.py SERVER FILE...: the double-precision pass of reference.py beside llama.cpp, by hand.

SERVER is the command that starts llama-server, words apart by spaces. Each file is served on the CPU with f32 keys and values, and
asked for the log-probabilities of all tokens after texts of several lengths. Prints the largest difference of each file.
"""
import json
import math
import subprocess
import sys
import time
import urllib.request

import reference

PORT, N_CTX, LENGTHS = 8097, 256, (1, 2, 7, 24, 60)


def log_softmax(logits):
    most = max(logits)
    total = math.log(sum(math.exp(v - most) for v in logits)) + most
    return [v - total for v in logits]


def ask(path, body=None):
    request = urllib.request.Request(f'http://127.0.0.1:{PORT}{path}', json.dumps(body).encode() if body else None,
                                     {'Content-Type': 'application/json'})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)


def wait(server):
    for _ in range(200):
        if server.poll() is not None:
            raise SystemExit(f'the server ended: exit {server.returncode}')
        try:
            return ask('/health')
        except OSError:
            time.sleep(0.1)
    raise SystemExit('the server does not answer')


def served(tokens, n_vocab):
    answer = ask('/completion', {'prompt': tokens, 'n_predict': 1, 'n_probs': n_vocab, 'temperature': 0, 'cache_prompt': False,
                                 'samplers': []})
    return {entry['id']: entry['logprob'] for entry in answer['completion_probabilities'][0]['top_logprobs']}


def compare(command, path):
    model = reference.Model(path)
    n_vocab = len(model.tensors['token_embd.weight'])
    if model.arch == 'phi3' and model.params['window']:
        model.params['window'] = 0  # llama.cpp passes over the window of phi3, and says so
    if model.arch == 'llama':
        model.params['window'] = 0  # and does not read llama's
    tokens = [(i * 31 + 7) % n_vocab for i in range(max(LENGTHS))]
    want = model.logits(tokens, N_CTX)
    server = subprocess.Popen([*command, '-m', path, '-c', str(N_CTX), '--port', str(PORT), '-dev', 'none', '-t', '2', '-np', '1', '-ctk', 'f32',
                               '-ctv', 'f32', '-fa', 'off', '--no-warmup', '--no-webui'], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait(server)
        worst, greedy = 0.0, 0
        for n in LENGTHS:
            got, mine = served(tokens[:n], n_vocab), log_softmax(want[n - 1])
            worst = max(worst, *(abs(got[i] - mine[i]) for i in range(n_vocab)))
            greedy += max(got, key=got.get) == max(range(n_vocab), key=lambda i: mine[i])
    finally:
        server.terminate()
        server.wait()
    spread = max(log_softmax(want[-1])) - min(log_softmax(want[-1]))
    print(f'{path}: largest difference {worst:.6f} (of a spread of {spread:.1f}); most likely token the same {greedy} of {len(LENGTHS)} times')


for file in sys.argv[2:]:
    compare(sys.argv[1].split(), file)
