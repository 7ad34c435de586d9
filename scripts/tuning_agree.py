#!/usr/bin/env python3
"""Whether two searches agree: tuning_agree.py ONE.json OTHER.json

The files are what `greta tune --export` wrote after each. Where both chose the same row they agree; where not, both have measured both rows, and the
difference of the two (the mean of the logarithms of what each run saw) must be within the noise that either of them reports. Exit status 1
where one is not. Rows that one of the runs had no time to try are named and not judged.
"""
import argparse
import json
import math
import sys

KEY = ("op", "shape", "types", "device", "driver", "image")


def entries(path):
    with open(path) as file:
        return {tuple(e[k] for k in KEY): e for e in json.load(file)["entries"]}


def ratio(entry, row, other):
    """How much longer `other` took than `row` in this run, as a logarithm; None where one of them has no time."""
    ns = {t["row"]: t["ns"] for t in entry["tried"] if not t["fault"] and t["ns"] > 0}
    return math.log(ns[other] / ns[row]) if row in ns and other in ns else None


def judge(one, other):
    """The word for this key, and a line about it."""
    if one["row"] == other["row"]:
        return "same", ""
    seen = [ratio(e, one["row"], other["row"]) for e in (one, other)]
    if None in seen:
        return "untried", f"{one['row']} | {other['row']}: not measured by both"
    apart = 1 - math.exp(-abs(sum(seen) / 2))
    noise = max(one["noise"], other["noise"])
    line = f"{one['row']} | {other['row']}: {100 * apart:.1f} % apart ({100 * math.expm1(seen[0]):+.1f} %, then {100 * math.expm1(seen[1]):+.1f} %), " \
           f"noise {100 * one['noise']:.1f} and {100 * other['noise']:.1f} %"
    return ("within" if apart <= noise else "beyond"), line


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("one")
    parser.add_argument("other")
    given = parser.parse_args()
    one, other = entries(given.one), entries(given.other)
    both = sorted(set(one) & set(other))
    n = {"same": 0, "within": 0, "beyond": 0, "untried": 0}
    for key in both:
        word, line = judge(one[key], other[key])
        n[word] += 1
        if line:
            print(f"{word:8}{key[0]} {key[1]}, {key[2]}\n        {line}")
    noises = sorted(e["noise"] for k in both for e in (one[k], other[k])) or [0]
    print(f"{len(both)} calls in both: {n['same']} the same, {n['within']} apart within the noise, {n['beyond']} beyond it, {n['untried']} not measured by both; "
          f"noise: median {100 * noises[len(noises) // 2]:.1f} %, most {100 * noises[-1]:.1f} %")
    return n["beyond"] > 0 or not both


if __name__ == "__main__":
    sys.exit(main())
