#!/usr/bin/env python3
"""Makes the tables of tests/hipstatic anew: gfx942_update.py BUILD_DIR. Commit them with the reason why they changed."""
import os
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: gfx942_update.py BUILD_DIR")
    targets = subprocess.run(["ninja", "-C", sys.argv[1], "-t", "targets", "all"], check=True, stdout=subprocess.PIPE, text=True).stdout
    code = 0
    for arch in ("gfx942", "gfx1103"):
        objects = sorted({line.split(":")[0] for line in targets.splitlines() if line.startswith("hipkernels/") and f"-{arch}.co:" in line})
        if not objects:
            print(f"gfx942_update.py: {sys.argv[1]} does not build for {arch}: its table is as it was", file=sys.stderr)
            continue
        subprocess.run(["ninja", "-C", sys.argv[1], *objects], check=True)
        code |= subprocess.run([sys.executable, os.path.join(ROOT, "scripts", "gfx942_static.py"),
                                os.path.join(ROOT, "tests", "hipstatic", f"{arch}.tsv"), "--update",
                                *[os.path.join(sys.argv[1], path) for path in objects]]).returncode
    code |= subprocess.run([sys.executable, os.path.join(ROOT, "scripts", "gfx942_predict.py")]).returncode
    sys.exit(code)


if __name__ == "__main__":
    main()
