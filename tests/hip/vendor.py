#!/usr/bin/env python3
"""greta bench gemm beside hipBLAS, on the emulated gfx942: vendor.py GRETA HIPBLAS_3 HIPBLAS_2"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from checks import check, check_done  # noqa: E402


def bench(library, *arguments, fake=""):
    env = dict(os.environ, GRETA_HIPBLAS_LIBRARY=library, FAKE_HIPBLAS=fake)
    run = subprocess.run([sys.argv[1], "bench", "gemm", "-d", "hip:0", "--check", "--json", *map(str, arguments)],
                         capture_output=True, text=True, env=env)
    try:
        return run.returncode, json.loads(run.stdout)["results"], run.stderr
    except (ValueError, KeyError):
        return run.returncode, [], run.stdout[:300] + run.stderr


def by_vendor(results):
    return [r for r in results if r.get("row") == "hipblas"]


def main():
    os.environ["GRETA_CACHE"] = tempfile.gettempdir() + "/greta-vendor-test"
    for name, library in (("version 3", sys.argv[2]), ("version 2", sys.argv[3])):
        # Its shapes: a square, and one of three different sides in every order of rows and columns.
        code, results, err = bench(library, "--row", "hipblas", "--preset", "verify")
        types = {r["key"].split("/")[1] for r in by_vendor(results)}
        check(f"{name}: all types", code == 0 and types == {"F32", "F16", "BF16", "I8"}, f"{code} {types} {err}")
        orders = {r["key"].split("/")[5] for r in by_vendor(results)}
        check(f"{name}: all orders", {"row-row", "col-row", "row-col", "col-col"} <= orders, str(orders))
        check(f"{name}: all right", all(r["status"] == "OK" and r["check"]["worst_in_bounds"] <= 1 for r in by_vendor(results)), str(results)[:400])
    code, results, err = bench(sys.argv[2], "--row", "hipblas", "--m", 64, fake="wrong")
    check("a transposed result fails", code == 1 and {r["status"] for r in by_vendor(results)} == {"FAILED"}, f"{code} {results}"[:400])
    code, results, err = bench(sys.argv[2], "--row", "hipblas", "--m", 64, fake="refuses")
    check("what it refuses is skipped", code == 0 and {r["status"] for r in by_vendor(results)} == {"SKIPPED"}, f"{code} {results}"[:400])
    code, results, err = bench("libnone.so.1", "--row", "hipblas", "--m", 64)
    lines = [r for r in results if "hipblas" in r["key"]]
    check("without the library one line says so", code == 0 and len(lines) == 1 and lines[0]["status"] == "SKIPPED" and
          "libnone.so.1" in lines[0]["reason"], f"{code} {results} {err}"[:400])
    code, results, err = bench(sys.argv[2], "--m", 33, "--n", 17, "--k", 21)
    check("beside our rows", code == 0 and len(by_vendor(results)) == 4 and len(results) > 8, f"{code} {len(results)} {err}")
    return check_done()


if __name__ == "__main__":
    sys.exit(main())
