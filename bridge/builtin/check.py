#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A second, plain implementation of GRETA stories, to hold the runtime against: GGUF reader, GPT-2 byte-level BPE and a
float64 forward pass over the dequantized weights. It needs Python and numpy.

    python3 check.py                          # verify golden.json against stories.gguf
    python3 check.py --write                  # write golden.json anew
    python3 check.py --ask "Tell me a story"  # chat once (--raw continues the text instead); --temp 0.8 --seed 1
"""
import argparse
import json
import os
import struct
import sys
import unicodedata

import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
SCALAR = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
N_GREEDY = 48


# ---- GGUF -----------------------------------------------------------------------------------------------------------
def read_gguf(path):
    """(metadata, {name: array}); arrays are float64, rows first."""
    data = open(path, "rb").read()
    pos = 0

    def get(fmt):
        nonlocal pos
        v = struct.unpack_from("<" + fmt, data, pos)
        pos += struct.calcsize("<" + fmt)
        return v[0]

    def string():
        nonlocal pos
        n = get("Q")
        pos += n
        return data[pos - n:pos].decode("utf-8")

    def value(t):
        if t == 8:
            return string()
        if t == 9:
            et, n = get("I"), get("Q")
            return [value(et) for _ in range(n)]
        return get(SCALAR[t])

    assert data[:4] == b"GGUF"
    pos = 4
    assert get("I") == 3
    n_tensors, n_kv = get("Q"), get("Q")
    meta = {}
    for _ in range(n_kv):
        k = string()
        meta[k] = value(get("I"))
    infos = []
    for _ in range(n_tensors):
        name = string()
        dims = [get("Q") for _ in range(get("I"))]
        infos.append((name, dims, get("I"), get("Q")))
    align = meta.get("general.alignment", 32)
    base = (pos + align - 1) // align * align
    tensors = {}
    for name, dims, dtype, off in infos:
        n = int(np.prod(dims))
        if dtype == 0:
            a = np.frombuffer(data, "<f4", n, base + off).astype(np.float64)
        elif dtype == 8:
            b = np.frombuffer(data, np.dtype([("d", "<f2"), ("q", "i1", 32)]), n // 32, base + off)
            a = (b["d"].astype(np.float64)[:, None] * b["q"]).reshape(-1)
        else:
            raise SystemExit("tensor %s has type %d; only F32 and Q8_0 are expected" % (name, dtype))
        tensors[name] = a.reshape(dims[::-1])
    return meta, tensors


# ---- tokenizer ------------------------------------------------------------------------------------------------------
def byte_chars():
    """GPT-2's printable character for each byte."""
    keep = [*range(33, 127), *range(161, 173), *range(174, 256)]
    rest = [b for b in range(256) if b not in keep]
    table = {b: chr(b) for b in keep}
    table.update({b: chr(256 + i) for i, b in enumerate(rest)})
    return [table[b] for b in range(256)]


BYTE_CHARS = byte_chars()


def char_class(c):
    if c.isspace():
        return "s"
    k = unicodedata.category(c)[0]
    return k if k in "LN" else "o"


def pretokens(text):
    r"""GPT-2's split: 's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"""
    out, i, n = [], 0, len(text)
    while i < n:
        short = next((s for s in ("'s", "'t", "'re", "'ve", "'m", "'ll", "'d") if text.startswith(s, i)), None)
        if short:
            k = i + len(short)
        else:
            j = i + 1 if text[i] == " " and i + 1 < n and char_class(text[i + 1]) != "s" else i
            c, k = char_class(text[j]), j + 1
            while k < n and char_class(text[k]) == c:
                k += 1
            if c == "s" and k < n and k - i > 1:        # the last blank of a run belongs to what follows
                k -= 1
        out.append(text[i:k])
        i = k
    return out


class Tokenizer:
    def __init__(self, tokens, merges, types, bos):
        self.tokens, self.bos = tokens, bos
        self.ids = {t: i for i, t in enumerate(tokens)}
        self.ranks = {tuple(m.split(" ")): i for i, m in enumerate(merges)}
        self.control = [i for i, t in enumerate(types) if t == 3]
        self.bytes = {c: b for b, c in enumerate(BYTE_CHARS)}
        self.cache = {}

    def word(self, w):
        """Ids of one pre-token: merge the pair of lowest rank, leftmost first, until none is left."""
        got = self.cache.get(w)
        if got is None:
            s = [BYTE_CHARS[b] for b in w.encode("utf-8")]
            while len(s) > 1:
                rank, i = min((self.ranks.get(p, 1 << 30), i) for i, p in enumerate(zip(s, s[1:])))
                if rank == 1 << 30:
                    break
                s[i:i + 2] = [s[i] + s[i + 1]]
            got = self.cache[w] = [self.ids[t] for t in s]
        return got

    def encode(self, text, split=pretokens):
        return [i for w in split(text) for i in self.word(w)]

    def encode_special(self, text, bos=True):
        """As encode, with the control tokens' texts read as these tokens, and bos in front."""
        out, pos = [self.bos] if bos else [], 0
        while pos < len(text):
            hits = [(text.find(self.tokens[c], pos), c) for c in self.control]
            at, c = min((h for h in hits if h[0] >= 0), default=(len(text), -1))
            out += self.encode(text[pos:at])
            if c < 0:
                break
            out.append(c)
            pos = at + len(self.tokens[c])
        return out

    def decode(self, ids):
        raw = bytearray()
        for i in ids:
            raw += self.tokens[i].encode() if i in self.control else bytes(self.bytes[c] for c in self.tokens[i])
        return raw.decode("utf-8", "replace")


def chatml(messages):
    return "".join("<|im_start|>%s\n%s<|im_end|>\n" % m for m in messages) + "<|im_start|>assistant\n"


# ---- model ----------------------------------------------------------------------------------------------------------
class Model:
    def __init__(self, path):
        m, self.t = read_gguf(path)
        self.meta = m
        self.n_layers, self.heads = m["llama.block_count"], m["llama.attention.head_count"]
        self.kv_heads = m["llama.attention.head_count_kv"]
        self.hs = m["llama.embedding_length"] // self.heads
        self.eps = m["llama.attention.layer_norm_rms_epsilon"]
        self.freq = float(m["llama.rope.freq_base"]) ** (-np.arange(0, self.hs, 2) / self.hs)
        self.tok = Tokenizer(m["tokenizer.ggml.tokens"], m["tokenizer.ggml.merges"], m["tokenizer.ggml.token_type"],
                             m["tokenizer.ggml.bos_token_id"])
        self.stops = {m["tokenizer.ggml.eos_token_id"], m["tokenizer.ggml.eot_token_id"]}
        self.reset()

    def reset(self):
        self.k = [[] for _ in range(self.n_layers)]
        self.v = [[] for _ in range(self.n_layers)]

    def norm(self, x, name):
        return x / np.sqrt((x * x).mean() + self.eps) * self.t[name]

    def rope(self, x, pos):
        """Adjacent pairs (2i, 2i+1) turn by pos * base^(-2i/size)."""
        c, s = np.cos(pos * self.freq), np.sin(pos * self.freq)
        y = np.empty_like(x)
        y[:, 0::2] = x[:, 0::2] * c - x[:, 1::2] * s
        y[:, 1::2] = x[:, 0::2] * s + x[:, 1::2] * c
        return y

    def step(self, token):
        """Logits after one more token."""
        t, pos = self.t, len(self.k[0])
        x = t["token_embd.weight"][token]
        for i in range(self.n_layers):
            b = "blk.%d." % i
            h = self.norm(x, b + "attn_norm.weight")
            q = self.rope((t[b + "attn_q.weight"] @ h).reshape(self.heads, self.hs), pos)
            self.k[i].append(self.rope((t[b + "attn_k.weight"] @ h).reshape(self.kv_heads, self.hs), pos))
            self.v[i].append((t[b + "attn_v.weight"] @ h).reshape(self.kv_heads, self.hs))
            k = np.repeat(np.array(self.k[i]), self.heads // self.kv_heads, axis=1)
            v = np.repeat(np.array(self.v[i]), self.heads // self.kv_heads, axis=1)
            s = np.einsum("hd,thd->ht", q, k) / np.sqrt(self.hs)
            p = np.exp(s - s.max(axis=1, keepdims=True))
            p /= p.sum(axis=1, keepdims=True)
            x = x + t[b + "attn_output.weight"] @ np.einsum("ht,thd->hd", p, v).reshape(-1)
            h = self.norm(x, b + "ffn_norm.weight")
            g = t[b + "ffn_gate.weight"] @ h
            x = x + t[b + "ffn_down.weight"] @ (g / (1 + np.exp(-g)) * (t[b + "ffn_up.weight"] @ h))
        return t.get("output.weight", t["token_embd.weight"]) @ self.norm(x, "output_norm.weight")

    def feed(self, tokens):
        self.reset()
        for t in tokens:
            logits = self.step(t)
        return logits

    def generate(self, tokens, n, temp=0.0, rng=None):
        """(tokens, gap of the best two logits at each); a stop token ends it and is the last one."""
        logits, out, gaps = self.feed(tokens), [], []
        while True:
            best = np.sort(logits)[-2:]
            gaps.append(float(best[1] - best[0]))
            if temp > 0:
                p = np.exp((logits - logits.max()) / temp)
                out.append(int(rng.choice(len(p), p=p / p.sum())))
            else:
                out.append(int(np.argmax(logits)))
            if out[-1] in self.stops or len(out) >= n:
                return out, gaps
            logits = self.step(out[-1])


# ---- golden ---------------------------------------------------------------------------------------------------------
PROMPTS = [
    "Once upon a time", "Había una vez un dragón",
    [("user", "Tell me a story about a cat.")],
    [("user", "Tell me a story about a penguin who wants to fly.")],
    [("user", "Cuéntame un cuento de un robot que quiere volar")],
    [("user", "Cuéntame un cuento de un dragón y una niña")],
    [("system", "You are a helpful assistant."), ("user", "hello")],
    [("user", "hola, ¿quién eres?")],
    [("user", "thanks")],
]
TEXTS = ["", " ", "a", "Hello, world!", "I'm sure they've got it, haven't we? It's 'tis.", "  two  blanks   and\ttab\n\nlines \n end  ",
         "¿Qué tal, pingüino? ¡Año 2024!", "naïve café — “quotes” … «sí»", "12345 3.14 x2 ½ ² Ⅷ", "猫が好き 🐈\u200d⬛ нет", "<|im_end|>a<|endoftext|> b",
         "a_b __c don't DON'T 's'", "\u00a0nbsp\u3000wide"]


def golden(model):
    g = {"note": "Written by check.py from stories.gguf: float64 over the dequantized weights. tokens begin with bos; greedy ends at a stop "
                 "token or at %d; gap is the distance of the best two logits: after a step whose gap is below a runtime's error the rest may differ." % N_GREEDY, "prompts": [], "tokenize": []}
    for p in PROMPTS:
        text = p if isinstance(p, str) else chatml(p)
        ids = model.tok.encode_special(text)
        greedy, gaps = model.generate(ids, N_GREEDY)
        g["prompts"].append({"messages": [] if isinstance(p, str) else [{"role": r, "content": c} for r, c in p], "prompt": text, "tokens": ids,
                             "greedy": greedy, "gap": [round(x, 4) for x in gaps], "text": model.tok.decode(greedy)})
    for t in TEXTS:
        g["tokenize"].append({"text": t, "tokens": model.tok.encode_special(t, bos=False)})
    g["logits_after"] = g["prompts"][2]["prompt"]
    g["logits"] = [round(float(x), 6) for x in model.feed(g["prompts"][2]["tokens"])]
    return g


def dump(g, path):
    with open(path, "w", encoding="utf-8") as f:
        lines = []
        for k, v in g.items():
            if k in ("prompts", "tokenize"):
                v = "[\n" + ",\n".join("  " + json.dumps(x, ensure_ascii=False) for x in v) + "\n]"
            else:
                v = json.dumps(v, ensure_ascii=False)
            lines.append(json.dumps(k) + ": " + v)
        f.write("{\n" + ",\n".join(lines) + "\n}\n")


def compare(a, b):
    """Problems between the file's golden and the one computed now."""
    bad = []
    for x, y in zip(a["prompts"], b["prompts"]):
        for k in ("prompt", "tokens", "greedy", "text"):
            if x[k] != y[k]:
                bad.append("%s differs for %r" % (k, x["prompt"]))
        if max((abs(p - q) for p, q in zip(x["gap"], y["gap"])), default=0) > 2e-4:
            bad.append("gap differs for %r" % x["prompt"])
    if a["tokenize"] != b["tokenize"] or len(a["prompts"]) != len(b["prompts"]):
        bad.append("tokenize or the number of prompts differs")
    worst = max(abs(p - q) for p, q in zip(a["logits"], b["logits"]))
    if worst > 2e-6 or len(a["logits"]) != len(b["logits"]):
        bad.append("logits differ by up to %g" % worst)
    return bad


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    p.add_argument("--model", default=os.path.join(HERE, "stories.gguf"))
    p.add_argument("--golden", default=os.path.join(HERE, "golden.json"))
    p.add_argument("--write", action="store_true")
    p.add_argument("--ask")
    p.add_argument("--raw", action="store_true")
    p.add_argument("--temp", type=float, default=0.0)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--n", type=int, default=400)
    a = p.parse_args()
    model = Model(a.model)
    if a.ask is not None:
        ids = model.tok.encode_special(a.ask if a.raw else chatml([("user", a.ask)]))
        out, _ = model.generate(ids, a.n, a.temp, np.random.default_rng(a.seed))
        print((a.ask if a.raw else "") + model.tok.decode([t for t in out if t not in model.stops]))
        return 0
    g = golden(model)
    if a.write:
        dump(g, a.golden)
        print("wrote %s, %d bytes" % (os.path.basename(a.golden), os.path.getsize(a.golden)))
        return 0
    bad = compare(json.load(open(a.golden, encoding="utf-8")), g)
    print("\n".join(bad) if bad else "ok: %d prompts, %d texts, %d logits" % (len(g["prompts"]), len(g["tokenize"]), len(g["logits"])))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
