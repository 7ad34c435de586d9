#!/usr/bin/env python3
"""Every weight type beside llama.cpp's on the cpu, as a Markdown table: weight_types.py [options]

    --types T,T        (default: all that the shape's rows can hold)
    --shape NAME       tinyllama-1.1b (default) or another of random_gguf.py;  --layers N  (default 4)
    -p N  -n N         tokens of a prompt, tokens to decode (default 128 and 32)
    --depth N          tokens of context before decoding (default 0)
    -t THREADS         of both (default 2)
    --rounds N         pairs of runs, A B A B ... (default 2);  -r N  runs of each test that count, in each (default 2)
    --cpu-time         compare not the speed that the programs tell but the CPU seconds that they use for further runs of the
                       same test, for machines that others use too; implies -t 1 (waiting threads use CPU time as well)
    --greta COMMAND    (default: build/tools/greta/greta);  --peer COMMAND  llama-bench (default: llama-bench)
                       both with a prefix if need be: "taskset -c 2,3 llama-bench"
    --folder DIR       for the files of random weights, which are removed one by one (default: the system's)

Tokens/s: medians; the ratios: medians of those of the pairs, least and most behind them.
"""
import argparse
import json
import os
import pathlib
import shlex
import statistics
import subprocess
import sys
import tempfile

import random_gguf


def run(command):
    """What it prints, read as JSON, and the CPU seconds that it took."""
    before = os.times()
    done = subprocess.run(command, capture_output=True, text=True)
    after = os.times()
    if done.returncode:
        sys.exit(f"{shlex.join(command)}: exit {done.returncode}\n{done.stderr[-2000:]}")
    seconds = after.children_user + after.children_system - before.children_user - before.children_system
    return json.loads(done.stdout), seconds


def command_of(options, who, path, test, repeat):
    prompt, predict = (options.prompt, 0) if test == "prompt" else (0, options.predict)
    depth = str(options.depth if test == "decode" else 0)
    if who == "greta":
        return [*shlex.split(options.greta), "bench", "llm", "-m", path, "-d", "cpu", "-t", str(options.threads), "-r", str(repeat),
                "-p", str(prompt), "-n", str(predict), "--depth", depth, "--json"]
    return [*shlex.split(options.peer), "-m", path, "-dev", "none", "-t", str(options.threads), "-r", str(repeat),
            "-p", str(prompt), "-n", str(predict), "-d", depth, "-o", "json"]


def speed(options, who, path, test):
    told, seconds = run(command_of(options, who, path, test, options.repeat))
    if options.cpu_time:
        # What the start, the loading and the first runs cost is in both.
        _, more = run(command_of(options, who, path, test, 1 + 3 * options.repeat))
        runs = 1 + 2 * options.repeat
        return runs * (options.prompt if test == "prompt" else options.predict) / max(more - seconds, 1e-3)
    return told["results"][0]["tokens_per_s"] if who == "greta" else statistics.median(told[0]["samples_ts"])


def cells(options, path, test):
    pairs = [(speed(options, "greta", path, test), speed(options, "peer", path, test)) for _ in range(options.rounds)]
    ratios = [a / b for a, b in pairs]
    ours, theirs = (statistics.median(column) for column in zip(*pairs))
    spread = f" ({min(ratios):.2f} to {max(ratios):.2f})" if len(ratios) > 1 else ""
    return f"{ours:,.1f} | {theirs:,.1f} | {statistics.median(ratios):.2f}{spread}", statistics.median(ratios)


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--types", type=lambda text: text.lower().split(","))
    parser.add_argument("--shape", default="tinyllama-1.1b", choices=random_gguf.SHAPES)
    parser.add_argument("--layers", type=int, default=4)
    parser.add_argument("-p", dest="prompt", type=int, default=128)
    parser.add_argument("-n", dest="predict", type=int, default=32)
    parser.add_argument("--depth", type=int, default=0)
    parser.add_argument("-t", dest="threads", type=int, default=2)
    parser.add_argument("-r", dest="repeat", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--cpu-time", action="store_true")
    parser.add_argument("--greta", default="build/tools/greta/greta")
    parser.add_argument("--peer", default="llama-bench")
    parser.add_argument("--folder")
    options = parser.parse_args()
    if options.cpu_time:
        options.threads = 1
    tests = [test for test, n in (("prompt", options.prompt), ("decode", options.predict)) if n]
    print("| weights |" + "".join(f" {test}: greta | llama.cpp | ratio |" for test in tests))
    print("|---|" + "---|---|---|" * len(tests), flush=True)
    slow = []
    for kind in options.types or random_gguf.TYPES:
        if not random_gguf.fits(kind, options.shape):
            continue
        with tempfile.TemporaryDirectory(dir=options.folder) as folder:
            path = str(pathlib.Path(folder) / "random.gguf")
            random_gguf.write(path, kind, options.shape, options.layers, tied=True)
            row = [(test, *cells(options, path, test)) for test in tests]
        print(f"| {kind.upper()} |" + "".join(f" {text} |" for _, text, _ in row), flush=True)
        slow += [f"{kind.upper()} {test} {ratio:.2f}" for test, _, ratio in row if ratio < 0.5]
    print(f"\nBelow half of the peer's speed: {', '.join(slow) or 'none'}.")


if __name__ == "__main__":
    main()
