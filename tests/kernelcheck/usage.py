#!/usr/bin/env python3
"""usage.py KERNELCHECK: what names nothing, or is no number, must not pass, having checked nothing; and --type takes the cases of a type."""
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from checks import check, check_done  # noqa: E402


def run(*args):
    done = subprocess.run([sys.argv[1], *args], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return done.returncode, done.stdout


def expect(code, words, *args):
    got, said = run(*args)
    check(f"kernelcheck {' '.join(args)}", got == code and words in said, f"exit {got}, not {code}, or without '{words}':\n{said}")


expect(2, "no op has the name nope", "--op", "nope")
expect(2, "no row has the name nope", "--row", "nope")
expect(2, "no type has the name Q9_9", "--type", "Q9_9")
expect(2, "--every wants a whole number, not 3x", "--every", "3x", "--op", "fill")
expect(2, "--seed wants a whole number, not -1", "--seed", "-1", "--op", "fill")
expect(2, "--max-groups wants a whole number, not 4294967296", "--max-groups", "4294967296")
expect(2, "usage:", "--every")
expect(2, "usage:", "--nope", "1")
expect(77, "not found", "-d", "cpu:9")
expect(1, "no row of this device serves", "--bench", "--op", "unpack")
expect(1, "0 passed", "--op", "fill", "--type", "Q8_0")  # fill has no types
code, all_types = run("--op", "row_lookup")
check("all types", code == 0 and " 0 failed" in all_types, all_types)
code, one_type = run("--op", "row_lookup", "--type", "Q4_K")
cases = [int(text.split(" cases")[0].split()[-1]) for text in (all_types, one_type) if " cases" in text]
check("one type", code == 0 and len(cases) == 2 and 0 < cases[1] < cases[0] / 10, one_type)
check_done()
