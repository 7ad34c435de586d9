#!/usr/bin/env python3
"""Makes the tables of tests/rdna3 anew: rdna3_update.py BUILD_DIR. Commit them with the reason why they changed."""
import os
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
ICD = "/usr/share/vulkan/icd.d/radeon_icd.x86_64.json"


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: rdna3_update.py BUILD_DIR")
    program = os.path.join(os.path.abspath(sys.argv[1]), "tests", "rdna3", "rdna3")
    subprocess.run(["ninja", "-C", sys.argv[1], "tests/rdna3/rdna3"], check=True)
    env = dict(os.environ, RADV_FORCE_FAMILY="gfx1103_r1", VK_DRIVER_FILES=ICD, VK_ICD_FILENAMES=ICD,
               MESA_SHADER_CACHE_DISABLE="true")
    here = os.path.join(ROOT, "tests", "rdna3")
    codes = [subprocess.run([program, os.path.join(here, "gfx1103.tsv"), "vector", "--update"], env=env).returncode,
             subprocess.run([os.path.join(ROOT, "scripts", "rdna3_mesa.sh"), program,
                             os.path.join(here, "gfx1103_matrix.tsv"), "matrix", "--update"]).returncode]
    for name, code in zip(("gfx1103.tsv", "gfx1103_matrix.tsv"), codes):
        if code:
            print(f"rdna3_update.py: {name} is as it was", file=sys.stderr)
    if any(code not in (0, 77) for code in codes):
        sys.exit(1)
    predict = os.path.join(ROOT, "scripts", "rdna3_predict.py")
    subprocess.run([sys.executable, predict], check=True)


if __name__ == "__main__":
    main()
