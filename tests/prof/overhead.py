#!/usr/bin/env python3
"""What --profile costs: overhead.py [-d DEVICE] [-m MODEL] [--pairs N] [-p N] [-n N] [--kernels] GRETA

Runs `greta bench llm` in pairs, one without a profile and one with, in turns the one or the other first, and prints for prompts and for
decoding the median of the pairs' ratios with the middle half of them, and the ratio of the fastest runs of all, which a busy machine
disturbs less; and the same of the whole program's processor time, which it disturbs least. Exits with 1 where --at-most PERCENT is
given and a ratio of fastest runs lies above it.
"""
import argparse
import json
import pathlib
import resource
import statistics
import subprocess
import sys
import tempfile


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("greta")
    parser.add_argument("-d", "--device", default="cpu")
    parser.add_argument("-m", "--model")
    parser.add_argument("-p", "--prompt", default="512")
    parser.add_argument("-n", "--predict", default="128")
    parser.add_argument("-r", "--repeat", default="5")
    parser.add_argument("-t", "--threads", default="0")
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--kernels", action="store_true", help="--profile-kernels instead of --profile")
    parser.add_argument("--at-most", type=float, metavar="PERCENT")
    return parser.parse_args()


def measure(args, profile):
    """{test: seconds a token of the median run and of the fastest}"""
    command = [args.greta, "bench", "llm", "-d", args.device, "-p", args.prompt, "-n", args.predict, "-r", args.repeat, "-t", args.threads,
               "--json"]
    command += ["-m", args.model] if args.model else []
    command += ["--profile-kernels" if args.kernels else "--profile", str(profile)] if profile else []
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(done.stderr)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    found = {r["shape"]["phase"]: (1 / r["tokens_per_s"], r["host_ns"]["min"] / 1e9) for r in json.loads(done.stdout)["results"]}
    processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return found | {"processor": (processor, processor)}


def main():
    args = arguments()
    ratios, fastest = {}, {}
    with tempfile.TemporaryDirectory() as folder:
        profile = pathlib.Path(folder) / "profile.json"
        for i in range(args.pairs):
            first = measure(args, profile if i % 2 else None)
            second = measure(args, None if i % 2 else profile)
            without, beside = (second, first) if i % 2 else (first, second)
            for test, seconds in without.items():
                ratios.setdefault(test, []).append(100 * (beside[test][0] / seconds[0] - 1))
                old = fastest.get(test, (seconds[1], beside[test][1]))
                fastest[test] = min(old[0], seconds[1]), min(old[1], beside[test][1])
        size = profile.stat().st_size
    failed = False
    for test, values in ratios.items():
        low, middle, high = statistics.quantiles(values, n=4) if len(values) > 1 else values * 3
        least = 100 * (fastest[test][1] / fastest[test][0] - 1)
        print(f"{test:9} {middle:+.2f} % of time (middle half of {len(values)} pairs: {low:+.2f} to {high:+.2f} %); "
              f"fastest runs {least:+.2f} % of {1e6 * fastest[test][0]:.1f} us" + (" a token" if test != "processor" else ""))
        failed |= args.at_most is not None and test != "processor" and least > args.at_most
    print(f"the last file has {size} bytes")
    return failed


if __name__ == "__main__":
    sys.exit(main())
