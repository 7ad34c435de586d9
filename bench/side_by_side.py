#!/usr/bin/env python3
"""GRETA beside llama.cpp on the same file and device, in turn: side_by_side.py -m FILE [options]

    -m FILE            the model
    -d DEVICE          greta's device (default cpu); the peer runs on the cpu for `cpu`, else on its first GPU
    -p N,N  -n N       lengths of prompts, tokens to decode (default 128 and 64)
    --depth N,N        contexts before decoding (default 0)
    -t THREADS         of both, on the cpu (default: all processors)
    --rounds N         pairs of runs, A B A B ... (default 3)
    --greta PROGRAM    (default: greta of ./build)
    --peer COMMAND     llama-bench, with a prefix if it needs one (default: llama-bench)

Prints the median tokens/s of both, the ratio pair by pair (median, least, most): on a shared machine quote the ratio.
"""
import argparse
import json
import os
import shlex
import statistics
import subprocess
import sys


def numbers(text):
    return [int(part) for part in text.split(",") if part]


def run_json(command):
    run = subprocess.run(command, capture_output=True, text=True)
    if run.returncode:
        sys.exit(f"{shlex.join(command)}: exit {run.returncode}\n{run.stderr[-2000:]}")
    return json.loads(run.stdout)


def greta(options, prompt, predict, depth):
    command = [options.greta, "bench", "llm", "-m", options.model, "-d", options.device, "-r", "2", "--json", "-t", str(options.threads),
               "-p", str(prompt), "-n", str(predict), "--depth", str(depth)]
    rows = run_json(command)["results"]
    return next(row["tokens_per_s"] for row in rows if row["shape"]["phase"] == ("prompt" if prompt else "decode"))


def peer(options, prompt, predict, depth):
    where = ["-dev", "none", "-t", str(options.threads)] if options.device == "cpu" else ["-ngl", "99", "-fa", "1"]
    command = [*shlex.split(options.peer), "-m", options.model, *where, "-r", "2", "-o", "json", "-p", str(prompt), "-n", str(predict),
               "-d", str(depth)]
    return run_json(command)[0]["avg_ts"]


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("-m", dest="model", required=True)
    parser.add_argument("-d", dest="device", default="cpu")
    parser.add_argument("-p", dest="prompts", type=numbers, default=[128])
    parser.add_argument("-n", dest="predict", type=int, default=64)
    parser.add_argument("--depth", type=numbers, default=[0])
    parser.add_argument("-t", dest="threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--greta", default="build/tools/greta/greta")
    parser.add_argument("--peer", default="llama-bench")
    options = parser.parse_args()
    cases = [("prompt %d" % p, p, 0, 0) for p in options.prompts]
    cases += [("decode %d at %d" % (options.predict, d), 0, options.predict, d) for d in options.depth]
    print(f"{'':22} {'greta':>10} {'peer':>10} {'ratio':>7}   (least to most of {options.rounds} pairs)")
    for name, *case in cases:
        pairs = [(greta(options, *case), peer(options, *case)) for _ in range(options.rounds)]
        ratios = [a / b for a, b in pairs]
        a, b = (statistics.median(column) for column in zip(*pairs))
        print(f"{name:22} {a:10.1f} {b:10.1f} {statistics.median(ratios):7.2f}   ({min(ratios):.2f} to {max(ratios):.2f})", flush=True)


if __name__ == "__main__":
    main()
