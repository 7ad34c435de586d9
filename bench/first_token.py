#!/usr/bin/env python3
"""From the start of the program to the first token, and the peak memory: first_token.py [options]

    -m FILE            the model; else one of random weights and words is made:  --type T (default q4_1)
                       --shape NAME (default smollm2-135m, of random_gguf.py)
    -d DEVICE          of greta (default cpu)
    -p TEXT            the prompt (default: 12 words)
    -t THREADS         of both (default 2);  --ctx N  tokens of context of both (default 4096)
    --rounds N         pairs of runs, A B A B ... (default 5)
    --greta COMMAND    (default: build/tools/greta/greta)
    --peer COMMAND     llama-completion of llama.cpp, on the cpu (default: llama-completion)
    --before COMMAND   in place of the peer: greta before a change;  --alone  beside nothing

Each run reads the prompt, writes one token and ends; the file is in the page cache, and a run before the first counted one has filled the
driver's cache of kernels. The times are those of whole processes, so ending and freeing are in them; "to the first token" is greta's own
word (run --stats), from when it opens the device on. Prints the medians (least, most) of both and the ratio pair by pair, as a Markdown table.
"""
import argparse
import os
import pathlib
import re
import shlex
import statistics
import subprocess
import sys
import tempfile
import time

import random_gguf

TEXT = "a b c d e f g h i j k l"


NAMES = ("seconds", "CPU seconds", "peak MB", "to the first token")


def run(command):
    """What NAMES says; the last one is None where the program does not tell."""
    begin = time.monotonic()
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    told = child.stderr.read()
    _, status, used = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        sys.exit(f"{shlex.join(command)}: exit {child.returncode}\n{told}")
    first = re.search(r"^first text +([0-9.]+) s", told, re.M)
    return time.monotonic() - begin, used.ru_utime + used.ru_stime, used.ru_maxrss / 1000, float(first[1]) if first else None


def commands(options, path):
    """The columns: a title, and what is run."""
    common = ["-m", path, "-t", str(options.threads), "-p", options.prompt, "-n", "1", "--temp", "0"]
    ours = ["run", *common, "-d", options.device, "--ctx", str(options.ctx), "--stats"]
    columns = [("greta", [*shlex.split(options.greta), *ours])]
    if options.before:
        columns.append(("before", [*shlex.split(options.before), *ours]))
    elif not options.alone:
        columns.append(("llama.cpp", [*shlex.split(options.peer), *common, "-dev", "none", "-c", str(options.ctx), "-no-cnv", "--no-warmup"]))
    return columns


def cell(values, digits):
    return f"{statistics.median(values):.{digits}f} ({min(values):.{digits}f} to {max(values):.{digits}f})"


def measure(options, path):
    columns = commands(options, path)
    pathlib.Path(path).read_bytes()
    rounds = [[run(command) for _, command in columns] for _ in range(options.rounds + 1)][1:]
    titles = [title for title, _ in columns]
    if len(columns) == 2:
        titles.append(f"ratio ({titles[1]} / greta)")
    print(f"| from the start to the first token | {' | '.join(titles)} |\n|{'---|' * (len(titles) + 1)}")
    for i, name in enumerate(NAMES):
        told = [[one[i] for one in column] for column in zip(*rounds)]
        cells = ["" if values[0] is None else cell(values, 0 if i == 2 else 3) for values in told]
        if len(columns) == 2:
            cells.append(cell([b / a for a, b in zip(*told)], 2) if all(cells) else "")
        print(f"| {name} | {' | '.join(cells)} |")


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("-m", dest="model")
    parser.add_argument("--type", default="q4_1", choices=random_gguf.TYPES)
    parser.add_argument("--shape", default="smollm2-135m", choices=random_gguf.SHAPES)
    parser.add_argument("-d", dest="device", default="cpu")
    parser.add_argument("-p", dest="prompt", default=TEXT)
    parser.add_argument("-t", dest="threads", type=int, default=2)
    parser.add_argument("--ctx", type=int, default=4096)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--greta", default="build/tools/greta/greta")
    parser.add_argument("--peer", default="llama-completion")
    parser.add_argument("--before")
    parser.add_argument("--alone", action="store_true")
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
