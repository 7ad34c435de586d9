#!/usr/bin/env python3
"""counts.py GRETA_GFX942 OBJECT...: `greta-gfx942 KERNEL.co --stats` prints the counts of one kernel of each code object, without arguments."""
import re
import subprocess
import sys


def main():
    program, *paths = sys.argv[1:]
    for path in paths:
        listed = subprocess.run([program, path, "--list"], check=True, stdout=subprocess.PIPE, text=True).stdout
        names = re.findall(r"^(greta_\w+)$", listed, re.MULTILINE)
        named = ["--kernel", names[-1]] if len(names) > 1 else []
        result = subprocess.run([program, path, "--stats", *named], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        counts = dict(re.findall(r"^([\w ]+?) (\d+)$", result.stdout, re.MULTILINE))
        if result.returncode or not int(counts.get("instructions", 0)) or "LDS conflict cycles" not in counts:
            sys.exit(f"{path} {names[-1]}: {result.stdout[-500:]}")
        print(f"{names[-1]}: {counts['instructions']} instructions, {counts['bytes loaded']} bytes loaded")


if __name__ == "__main__":
    main()
