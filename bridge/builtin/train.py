#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Train GRETA stories from nothing: tokenizer, model, GGUF. It needs Python, PyTorch and numpy; it reads no data but the grammar.

    python3 train.py --device cuda --out out                         # the real one, five minutes on a large GPU
    python3 train.py --device cpu --steps 30 --docs 600 --batch 2 --out out     # does it run?

Writes out/stories.gguf, out/weights.npz (float32, for --export) and out/log.txt.
"""
import argparse
import collections
import math
import multiprocessing
import os
import random
import re
import struct
import time

import numpy as np

import check
import grammar

SPECIALS = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
TEMPLATE = ("{% for message in messages %}{{'<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n'}}{% endfor %}"
            "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}")
# the same split as check.pretokens for every character that the grammar writes, and fast
SPLIT = re.compile(r"'(?:s|t|re|ve|m|ll|d)| ?[^\W\d_]+| ?\d+| ?(?:[^\s\w]|_)+|\s+(?!\S)|\s+")
SHAPE = dict(dim=128, layers=5, hidden=352, heads=8, kv_heads=4, context=1024, vocab=1280)
ROPE_BASE, EPS = 10000.0, 1e-5


def document(seed, i):
    return grammar.document(random.Random(seed * 1_000_000_007 + i))


# ---- tokenizer ------------------------------------------------------------------------------------------------------
def train_bpe(seed, n_docs, n_merges):
    """Byte-level BPE merges by pair frequency; ties fall to the smaller pair, so that a seed gives one tokenizer."""
    words = collections.Counter()
    for i in range(n_docs):
        kind, d = document(seed, i)
        for t in ([d] if kind == "story" else [c for _, c in d] + [r + "\n" for r, _ in d]):
            words.update(SPLIT.findall(t))
    table = [([check.BYTE_CHARS[b] for b in w.encode()], n) for w, n in sorted(words.items()) if n > 3]
    merges = []
    while len(merges) < n_merges:
        pairs = collections.Counter()
        for s, n in table:
            for p in zip(s, s[1:]):
                pairs[p] += n
        a, b = min(pairs, key=lambda p: (-pairs[p], p))
        merges.append(a + " " + b)
        for s, _ in table:
            i = 0
            while i < len(s) - 1:
                if s[i] == a and s[i + 1] == b:
                    s[i:i + 2] = [a + b]
                i += 1
    return merges


def make_tokenizer(merges):
    tokens = list(BYTES_SORTED) + [m.replace(" ", "") for m in merges] + SPECIALS
    types = [1] * (len(tokens) - len(SPECIALS)) + [3] * len(SPECIALS)
    return check.Tokenizer(tokens, merges, types, len(tokens) - len(SPECIALS)), types


BYTES_SORTED = sorted(check.BYTE_CHARS)


# ---- data -----------------------------------------------------------------------------------------------------------
def encode_document(tok, seed, i):
    """(ids, learn): the model learns stories and the assistant's words, not the user's."""
    bos, start, end = (tok.ids[s] for s in SPECIALS)
    kind, d = document(seed, i)
    enc = lambda s: tok.encode(s, SPLIT.findall)
    if kind == "story":
        ids = [bos] + enc(d) + [bos]
        return ids, [0] + [1] * (len(ids) - 1)
    ids, learn = [bos], [0]
    for role, text in d:
        head, body = [start] + enc(role + "\n"), enc(text) + [end]
        ids += head + body + enc("\n")
        learn += [0] * len(head) + [int(role == "assistant")] * len(body) + [0]
    return ids, learn


def encode_range(job):
    merges, seed, lo, hi, longest = job
    tok, _ = make_tokenizer(merges)
    out = []
    for i in range(lo, hi):
        ids, learn = encode_document(tok, seed, i)
        ids, learn = ids[:longest], learn[:longest]
        out.append((np.array(ids, np.uint16), np.array(learn, np.uint8)))
    return out


def pack(docs, width, rng):
    """Rows of whole documents, the longest that still fits each time: (tokens, learn, document number)."""
    by_len = [[] for _ in range(width + 1)]
    for i in rng.permutation(len(docs)):
        by_len[len(docs[i][0])].append(i)
    left = len(docs)
    rows = []
    order = [n for n in range(width + 1)]
    counts = np.array([len(b) for b in by_len])
    while left:
        row, room = [], width
        p = counts / left                                   # start with a random one, so that rows differ
        n = int(rng.choice(order, p=p))
        while n:
            row.append(by_len[n].pop())
            counts[n] -= 1
            left -= 1
            room -= n
            fit = np.flatnonzero(counts[:room + 1])
            n = int(fit[-1]) if len(fit) else 0
        rows.append(row)
    tokens = np.zeros((len(rows), width), np.int16)
    learn, number = np.zeros((len(rows), width), np.uint8), np.zeros((len(rows), width), np.uint8)
    for r, row in enumerate(rows):
        at = 0
        for k, i in enumerate(row):
            ids, m = docs[i]
            tokens[r, at:at + len(ids)], learn[r, at:at + len(ids)], number[r, at:at + len(ids)] = ids, m, min(k + 1, 255)
            at += len(ids)
    return tokens, learn, number


def make_data(merges, seed, lo, hi, width, workers):
    step = max(1, min(2000, (hi - lo + workers - 1) // workers))
    jobs = [(merges, seed, i, min(i + step, hi), width) for i in range(lo, hi, step)]
    if workers > 1:
        with multiprocessing.get_context("fork").Pool(workers) as pool:
            parts = pool.map(encode_range, jobs, chunksize=1)
    else:
        parts = [encode_range(j) for j in jobs]
    return pack([d for p in parts for d in p], width, np.random.default_rng(seed))


# ---- model ----------------------------------------------------------------------------------------------------------
def build(torch, cfg):
    nn, F = torch.nn, torch.nn.functional
    dim, heads, kv = cfg["dim"], cfg["heads"], cfg["kv_heads"]
    hs = dim // heads

    class Norm(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(torch.ones(dim))

        def forward(self, x):
            y = x.float()
            return (y * torch.rsqrt(y.pow(2).mean(-1, keepdim=True) + EPS)).type_as(x) * self.weight.type_as(x)

    def rope(x, cos, sin):
        """Adjacent pairs, as GGUF's llama has it: no permutation at export."""
        a, b = x.float().unflatten(-1, (-1, 2)).unbind(-1)
        return torch.stack((a * cos - b * sin, a * sin + b * cos), -1).flatten(-2).type_as(x)

    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            lin = lambda i, o: nn.Linear(i, o, bias=False)
            self.attn_norm, self.ffn_norm = Norm(), Norm()
            self.attn_q, self.attn_k, self.attn_v = lin(dim, dim), lin(dim, kv * hs), lin(dim, kv * hs)
            self.attn_output = lin(dim, dim)
            self.ffn_gate, self.ffn_up, self.ffn_down = lin(dim, cfg["hidden"]), lin(dim, cfg["hidden"]), lin(cfg["hidden"], dim)

        def forward(self, x, cos, sin, mask):
            b, t, _ = x.shape
            h = self.attn_norm(x)
            q = rope(self.attn_q(h).view(b, t, heads, hs).transpose(1, 2), cos, sin)
            k = rope(self.attn_k(h).view(b, t, kv, hs).transpose(1, 2), cos, sin)
            v = self.attn_v(h).view(b, t, kv, hs).transpose(1, 2)
            k, v = k.repeat_interleave(heads // kv, 1), v.repeat_interleave(heads // kv, 1)
            y = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
            x = x + self.attn_output(y.transpose(1, 2).reshape(b, t, dim))
            h = self.ffn_norm(x)
            return x + self.ffn_down(F.silu(self.ffn_gate(h)) * self.ffn_up(h))

    class Llama(nn.Module):
        def __init__(self):
            super().__init__()
            self.token_embd = nn.Embedding(cfg["vocab"], dim)
            self.blk = nn.ModuleList(Block() for _ in range(cfg["layers"]))
            self.output_norm = Norm()
            angle = torch.arange(cfg["context"])[:, None] * ROPE_BASE ** (-torch.arange(0, hs, 2) / hs)
            self.register_buffer("cos", angle.cos(), False)
            self.register_buffer("sin", angle.sin(), False)
            for n, p in self.named_parameters():
                if p.dim() == 2:
                    std = .02 if n.startswith("token_embd") else .7 / math.sqrt(p.shape[1])
                    if "attn_output" in n or "ffn_down" in n:
                        std /= math.sqrt(2 * cfg["layers"])
                    nn.init.normal_(p, std=std)

        def forward(self, tokens, number, learn):
            """Mean loss over what is to be learned. A token sees its own document only."""
            x_in, want = tokens[:, :-1], tokens[:, 1:]
            t = x_in.shape[1]
            doc = number[:, :-1]
            mask = (doc[:, :, None] == doc[:, None, :]) & torch.ones(t, t, dtype=torch.bool, device=doc.device).tril()
            bias = torch.zeros(mask.shape, dtype=torch.bfloat16 if tokens.is_cuda else torch.float32, device=doc.device)
            bias = bias.masked_fill(~mask, float("-inf"))[:, None]
            x = self.token_embd(x_in)
            for b in self.blk:
                x = b(x, self.cos[:t], self.sin[:t], bias)
            logits = F.linear(self.output_norm(x), self.token_embd.weight).float()
            w = (learn[:, 1:] * (number[:, 1:] == doc)).float()
            loss = F.cross_entropy(logits.flatten(0, 1), want.flatten(), reduction="none")
            return (loss * w.flatten()).sum() / w.sum().clamp(min=1)

    return Llama()


def train(a, cfg, data, held, say):
    import torch
    torch.manual_seed(a.seed)
    torch.set_float32_matmul_precision("high")
    cuda = a.device == "cuda"
    model = build(torch, cfg).to(a.device)
    say("parameters: %d" % sum(p.numel() for p in model.parameters()))
    big = [p for p in model.parameters() if p.dim() == 2]
    small = [p for p in model.parameters() if p.dim() < 2]
    opt = torch.optim.AdamW([dict(params=big, weight_decay=a.decay), dict(params=small, weight_decay=0.)], lr=a.lr, betas=(.9, .97), fused=cuda)
    put = lambda d: [torch.from_numpy(x).to(a.device) for x in d]
    data, held = put(data), put(held)
    run = torch.compile(model) if cuda and not a.eager else model

    def batch(d, idx):
        return d[0][idx].long(), d[2][idx].int(), d[1][idx].int()

    def loss_of(args):
        with torch.autocast(a.device, torch.bfloat16, enabled=cuda):
            return run(*args)

    def held_loss():
        with torch.no_grad():
            size = min(32, a.batch)
            parts = [batch(held, torch.arange(i, i + size, device=a.device)) for i in range(0, min(256, len(held[0])) - size + 1, size)]
            with torch.autocast(a.device, torch.bfloat16, enabled=cuda):
                return sum(model(*p).item() for p in parts) / len(parts)
    t0, used, order, at = time.time(), 0., None, 0
    for step in range(a.steps):
        done = max(step / a.steps, used)                    # the clock may shorten the run; the schedule still ends
        lr = a.lr * min(1, (step + 1) / a.warmup) * (.01 + .99 * .5 * (1 + math.cos(math.pi * min(1, done))))
        for g in opt.param_groups:
            g["lr"] = lr
        if order is None or at + a.batch > len(order):
            order, at = torch.randperm(len(data[0]), device=a.device), 0
        loss = loss_of(batch(data, order[at:at + a.batch]))
        at += a.batch
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.)
        opt.step()
        opt.zero_grad(set_to_none=True)
        if step == 20:
            loss.item()
            t0 = time.time()                                # compilation is not training
        if step % 20 == 0 and step > 20:
            loss.item()
            used = (time.time() - t0) / (60 * a.minutes)
        if step % a.every == 0 or step == a.steps - 1:
            say("step %d lr %.5f loss %.4f %.0f s" % (step, lr, loss.item(), time.time() - t0))
        if used >= 1:
            say("stopped by the clock at step %d" % step)
            break
    say("loss of held-out documents: %.4f; %.1f minutes after compilation" % (held_loss(), (time.time() - t0) / 60))
    return {n: p.detach().float().cpu().numpy() for n, p in model.named_parameters()}


# ---- GGUF -----------------------------------------------------------------------------------------------------------
def q8_0(x):
    b = x.reshape(-1, 32).astype(np.float32)
    d = (np.abs(b).max(1) / 127).astype(np.float16)
    inv = np.where(d > 0, 1 / np.maximum(d.astype(np.float32), 1e-30), 0)
    out = np.zeros(len(b), np.dtype([("d", "<f2"), ("q", "i1", 32)]))
    out["d"], out["q"] = d, np.clip(np.rint(b * inv[:, None]), -127, 127)
    return out.tobytes()


def write_gguf(path, cfg, weights, merges):
    tok, types = make_tokenizer(merges)
    bos, _, end = (tok.ids[s] for s in SPECIALS)
    n_params = sum(w.size for w in weights.values())
    string = lambda s: struct.pack("<Q", len(s.encode())) + s.encode()
    u32 = lambda v: struct.pack("<II", 4, v)
    f32 = lambda v: struct.pack("<If", 6, v)
    flag = lambda v: struct.pack("<I?", 7, v)
    text = lambda v: struct.pack("<I", 8) + string(v)
    texts = lambda v: struct.pack("<IIQ", 9, 8, len(v)) + b"".join(map(string, v))
    i32s = lambda v: struct.pack("<IIQ%di" % len(v), 9, 5, len(v), *v)
    meta = [
        ("general.architecture", text("llama")), ("general.type", text("model")), ("general.name", text("GRETA stories")),
        ("general.author", text("The GRETA CORE developers")), ("general.license", text("mit")),
        ("general.description", text("A tiny model that tells small stories in English and Spanish, trained on a story grammar.")),
        ("general.size_label", text("%.1fM" % (n_params / 1e6))), ("general.languages", texts(["en", "es"])),
        ("general.quantization_version", u32(2)), ("general.file_type", u32(7)), ("general.alignment", u32(32)),
        ("llama.vocab_size", u32(cfg["vocab"])), ("llama.context_length", u32(cfg["context"])), ("llama.embedding_length", u32(cfg["dim"])),
        ("llama.block_count", u32(cfg["layers"])), ("llama.feed_forward_length", u32(cfg["hidden"])),
        ("llama.attention.head_count", u32(cfg["heads"])), ("llama.attention.head_count_kv", u32(cfg["kv_heads"])),
        ("llama.attention.layer_norm_rms_epsilon", f32(EPS)), ("llama.rope.dimension_count", u32(cfg["dim"] // cfg["heads"])),
        ("llama.rope.freq_base", f32(ROPE_BASE)),
        ("tokenizer.ggml.model", text("gpt2")), ("tokenizer.ggml.pre", text("gpt-2")), ("tokenizer.ggml.tokens", texts(tok.tokens)),
        ("tokenizer.ggml.token_type", i32s(types)), ("tokenizer.ggml.merges", texts(merges)),
        ("tokenizer.ggml.bos_token_id", u32(bos)), ("tokenizer.ggml.eos_token_id", u32(end)), ("tokenizer.ggml.eot_token_id", u32(bos)),
        ("tokenizer.ggml.add_bos_token", flag(True)), ("tokenizer.ggml.add_eos_token", flag(False)),
        ("tokenizer.ggml.add_space_prefix", flag(False)), ("tokenizer.chat_template", text(TEMPLATE)),
    ]
    info, blob = b"", b""
    for name, w in weights.items():
        raw, dtype = (w.astype("<f4").tobytes(), 0) if w.ndim == 1 else (q8_0(w), 8)
        info += string(name) + struct.pack("<I", w.ndim) + b"".join(struct.pack("<Q", d) for d in w.shape[::-1])
        info += struct.pack("<IQ", dtype, len(blob))
        blob += raw + bytes(-len(raw) % 32)
    head = struct.pack("<4sIQQ", b"GGUF", 3, len(weights), len(meta)) + b"".join(string(k) + v for k, v in meta) + info
    with open(path, "wb") as f:
        f.write(head + bytes(-len(head) % 32) + blob)


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    p.add_argument("--device", default="cpu", choices=("cpu", "cuda"))
    p.add_argument("--steps", type=int, default=8200)
    p.add_argument("--batch", type=int, default=128, help="rows of 1024 tokens")
    p.add_argument("--docs", type=int, default=1000000)
    p.add_argument("--lr", type=float, default=4e-3)
    p.add_argument("--decay", type=float, default=.05)
    p.add_argument("--warmup", type=int, default=200)
    p.add_argument("--minutes", type=float, default=60, help="no longer than this")
    p.add_argument("--every", type=int, default=100)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--vocab", type=int, default=SHAPE["vocab"])
    p.add_argument("--layers", type=int, default=SHAPE["layers"])
    p.add_argument("--eager", action="store_true", help="without torch.compile")
    p.add_argument("--workers", type=int, default=os.cpu_count())
    p.add_argument("--out", default="out")
    p.add_argument("--export", metavar="NPZ", help="only write the GGUF from these weights")
    a = p.parse_args()
    os.makedirs(a.out, exist_ok=True)
    cfg = dict(SHAPE, vocab=a.vocab, layers=a.layers)
    log = open(os.path.join(a.out, "log.txt"), "a")

    def say(s):
        print(s, flush=True)
        log.write(s + "\n")
        log.flush()
    if a.export:
        z = dict(np.load(a.export))
        merges = str(z.pop("merges")).split("\n")
        weights = z
        cfg.update(vocab=len(merges) + 256 + len(SPECIALS), layers=sum(n.endswith("attn_q.weight") for n in z))
    else:
        t = time.time()
        merges = train_bpe(a.seed, min(20000, a.docs), a.vocab - 256 - len(SPECIALS))
        say("tokenizer: %d merges, %.0f s" % (len(merges), time.time() - t))
        tok, _ = make_tokenizer(merges)
        for i in range(200):                                # the fast split is the plain one on what the grammar writes
            _, d = document(a.seed, i)
            for s in ([d] if isinstance(d, str) else [c for _, c in d]):
                assert SPLIT.findall(s) == check.pretokens(s) and tok.decode(tok.encode(s)) == s
        t = time.time()
        data = make_data(merges, a.seed, 0, a.docs, cfg["context"] + 1, a.workers)
        held = make_data(merges, a.seed + 1000, 0, max(100, min(4000, a.docs // 10)), cfg["context"] + 1, a.workers)
        say("data: %d documents in %d rows, %.1f M tokens, %.0f s" % (a.docs, len(data[0]), (data[2] > 0).sum() / 1e6, time.time() - t))
        weights = train(a, cfg, data, held, say)
        np.savez(os.path.join(a.out, "weights.npz"), merges="\n".join(merges), **weights)
    path = os.path.join(a.out, "stories.gguf")
    write_gguf(path, cfg, weights, merges)
    say("wrote stories.gguf, %d bytes" % os.path.getsize(path))


if __name__ == "__main__":
    main()
