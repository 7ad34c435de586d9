#!/usr/bin/env python3
"""story.py GRETA: the same text from gfx11's kernels, run from their source ($GRETA_HIP_LIBRARY), as from the cpu; then with rounded operands."""
import subprocess
import sys

PROMPT = "Once upon a time there was a little girl who lived in a small house near the forest, and one day she went out to find"


def tell(greta, device, plan):
    result = subprocess.run([greta, "run", "-d", device, "-p", PROMPT, "-n", "24", "--temp", "0", "--plan", plan, "--no-tuning"],
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if result.returncode != 0 and "no device" in result.stderr or "cannot open the library" in result.stderr:
        print(f"skipped: {result.stderr.strip()[-300:]}")
        sys.exit(77)
    if result.returncode != 0:
        sys.exit(f"{device}, plan {plan}: {result.stderr.strip()[-500:]}")
    return result.stdout


def main():
    told, wanted = tell(sys.argv[1], "hip:0", "exact"), tell(sys.argv[1], "cpu", "exact")
    if told != wanted or not told.strip():
        sys.exit(f"hip:0 told {told!r}, the cpu {wanted!r}")
    if not tell(sys.argv[1], "hip:0", "default").strip():
        sys.exit("hip:0 told nothing by the default plan")


if __name__ == "__main__":
    main()
