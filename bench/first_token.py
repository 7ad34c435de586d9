#!/usr/bin/env python3
"""From the start of the program to the first token, and the peak memory, beside llama.cpp on the cpu: first_token.py [options]

    -m FILE            the model; else one of random weights and words is made:  --type T (default q4_1)
                       --shape NAME (default smollm2-135m, of random_gguf.py)
    -t THREADS         of both (default 2);  --ctx N  tokens of context of both (default 4096)
    --rounds N         pairs of runs, A B A B ... (default 5)
    --greta COMMAND    (default: build/tools/greta/greta);  --peer COMMAND  llama-completion (default: llama-completion)

Each run reads a prompt of 12 words, writes one token and ends; the file is in the page cache. The times are those of whole processes, so
ending and freeing are in them. Prints the medians of both, the ratio pair by pair (median, least, most), as a Markdown table.
"""
import argparse
import os
import pathlib
import shlex
import statistics
import subprocess
import sys
import tempfile
import time

import random_gguf

TEXT = "a b c d e f g h i j k l"


def run(command):
    """Seconds, CPU seconds, peak MB."""
    begin = time.monotonic()
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, used = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        sys.exit(f"{shlex.join(command)}: exit {child.returncode}")
    return time.monotonic() - begin, used.ru_utime + used.ru_stime, used.ru_maxrss / 1000


def measure(options, path):
    common = ["-m", path, "-t", str(options.threads), "-p", TEXT, "-n", "1", "--temp", "0"]
    greta = [*shlex.split(options.greta), "run", *common, "-d", "cpu", "--ctx", str(options.ctx)]
    peer = [*shlex.split(options.peer), *common, "-dev", "none", "-c", str(options.ctx), "-no-cnv", "--no-warmup"]
    pathlib.Path(path).read_bytes()
    pairs = [(run(greta), run(peer)) for _ in range(options.rounds + 1)][1:]
    print("| from the start to the first token | greta | llama.cpp | ratio (llama.cpp / greta) |\n|---|---|---|---|")
    for i, name in enumerate(("seconds", "CPU seconds", "peak MB")):
        ratios = [b[i] / a[i] for a, b in pairs]
        ours, theirs = (statistics.median(one[i] for one in column) for column in zip(*pairs))
        digits = 0 if i == 2 else 3
        print(f"| {name} | {ours:.{digits}f} | {theirs:.{digits}f} | {statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f}) |")


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("-m", dest="model")
    parser.add_argument("--type", default="q4_1", choices=random_gguf.TYPES)
    parser.add_argument("--shape", default="smollm2-135m", choices=random_gguf.SHAPES)
    parser.add_argument("-t", dest="threads", type=int, default=2)
    parser.add_argument("--ctx", type=int, default=4096)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--greta", default="build/tools/greta/greta")
    parser.add_argument("--peer", default="llama-completion")
    options = parser.parse_args()
    if options.model:
        measure(options, options.model)
        return
    with tempfile.TemporaryDirectory() as folder:
        path = str(pathlib.Path(folder) / "random.gguf")
        random_gguf.write(path, options.type, options.shape, tied=True, has_words=True)
        measure(options, path)


if __name__ == "__main__":
    main()
