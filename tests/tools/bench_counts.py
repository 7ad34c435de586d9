#!/usr/bin/env python3
"""greta bench on the emulated gfx942: counts in place of times, the same in every run: bench_counts.py GRETA WHY

WHY is empty, or why there is no emulator to ask; then the test skips. GRETA_HIP_LIBRARY names the emulator.
"""
import copy
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from checks import check, check_done, check_skip  # noqa: E402

GRETA, WHY = str(pathlib.Path(sys.argv[1]).resolve()), sys.argv[2]
NAMES = ["smoke", "noop_launch", "gemm_mfma", "rms_norm", "softmax", "matvec", "fill"]


def run(*arguments, seed="0"):
    run = subprocess.run([GRETA, *map(str, arguments)], capture_output=True, text=True, env={**os.environ, "GFX942_SEED": seed})
    return run.returncode, run.stdout, run.stderr


def compare(folder, base, new, *options):
    paths = []
    for name, document in (("base.json", base), ("new.json", new)):
        paths.append(folder / name)
        paths[-1].write_text(json.dumps(document))
    return run("compare", *options, *paths)


def counted(folder):
    words = ["bench", *NAMES, "--preset", "verify", "--budget", 600, "-d", "hip:0", "--json"] # however busy the host is
    code, out, err = run(*words)
    check("it runs", code == 0, err)
    document = json.loads(out)
    results = {r["key"]: r for r in document["results"]}
    check("the device says that it is emulated", document["environment"]["device"]["emulated"] is True)
    # That a row is not for a type is no fault.
    faults = [r for r in results.values() if r["status"] != "OK" and not (r["status"] == "SKIPPED" and re.search("no row|no kernel was built", r["reason"]))]
    check("all are right", not faults, str(faults))
    done = [r for r in results.values() if r["status"] == "OK"]
    check("counts in place of times", done and all("counts" in r and not {"device_ns", "host_ns", "gb_per_s", "tflop_per_s", "percent_of_roof"} & set(r) for r in done))
    launch = results["noop_launch/each waited for"]["counts"]
    check("one call is counted", launch["launches"] == 1 and launch["groups"] == 1 and launch["bytes_stored"] == 4, str(launch))
    product = results["gemm_mfma/F16/m64/n64/k64/row-row/gemm_mfma_64x64"]["counts"]
    check("matrix products", product["mfma_flops"] == 2 * 64**3, str(product))
    for name in ("instructions_matrix", "lds_cycles", "bytes_loaded", "line_bytes_loaded", "bytes_stored", "barriers", "waits"):
        check(f"a product counts {name}", product.get(name, 0) > 0, str(product))
    check("classes add up", product["instructions"] == sum(n for name, n in product.items() if name.startswith("instructions_")))
    check("results once stored", product["bytes_stored"] == 4 * 64 * 64, str(product))
    norm = results["rms_norm/32x128/rms_norm_simple"]["counts"] if "rms_norm/32x128/rms_norm_simple" in results else None
    check("no product, no matrix unit", norm is None or "instructions_matrix" not in norm, str(norm))

    code, out, err = run(*words, seed="77")
    check("it runs again, its waves in another order", code == 0, err)
    again = json.loads(out)
    code, out, err = compare(folder, document, again)
    check("counts repeat", code == 0 and out == f"{len(results)} same\n", out + err)
    worse = copy.deepcopy(again)
    planted = next(r for r in worse["results"] if r["key"].startswith("gemm_mfma/F16"))
    planted["counts"]["lds_conflict_cycles"] = planted["counts"].get("lds_conflict_cycles", 0) + 1
    code, out, _ = compare(folder, document, worse)
    check("one more conflict is a regression", code == 1 and planted["key"] in out, out)
    del planted["counts"]
    check("counts that are gone are no improvement", compare(folder, document, worse)[0] == 1)


def refused(folder):
    code, out, _ = run("bench", "roof", "-d", "hip:0")
    check("no roof", code == 0 and "STATUS=SKIPPED reason=an emulated device has counts" in out, out)
    for name in ("membw_cpu", "memlat_cpu"):
        code, out, _ = run("bench", name, "-d", "hip:0", "--out", folder / name)
        check(f"no times of the host: {name}", code == 0 and f"{name} " in out and out.endswith("STATUS=SKIPPED reason=nothing here could be measured\n"), out)
    code, out, _ = run("bench", "load", "-m", "model.gguf", "-d", "hip:0")
    check("no time of loading", code == 0 and "STATUS=SKIPPED reason=an emulated device has counts" in out and out.splitlines()[-1].startswith("STATUS=SKIPPED"), out)
    code, out, _ = run("bench", "rms_norm", "-d", "hip:0", "--rows", 4, "--cols", 256)
    check("a line says some of the counts", code == 0 and " instructions, " in out and "p50" not in out, out)
    code, out, err = run("bench", "llm", "-d", "hip:0", "-p", 4, "-n", 2, "--ctx", 64, "--out", folder / "llm")
    check("llm", code == 0, err)
    saved = list((folder / "llm").glob("*.json"))
    check("llm's counts", saved and all(r["counts"]["launches"] > 0 and "host_ns" not in r for r in json.loads(saved[0].read_text())["results"]))


def lost(folder):
    """A device that is lost in the middle: what it did until then is saved, and the last line says what happened."""
    os.environ["GFX942_LOSE_AFTER"] = "60"
    code, out, err = run("bench", "rms_norm", "gemm", "--preset", "verify", "--budget", 600, "-d", "hip:0", "--out", folder / "lost")
    del os.environ["GFX942_LOSE_AFTER"]
    saved = list((folder / "lost").glob("*.json"))
    results = json.loads(saved[0].read_text())["results"] if saved else []
    check("a lost device", code == 1 and out.splitlines()[-1] == "STATUS=FAILED reason=the device was lost" and
          len([r for r in results if r["status"] == "OK"]) == out.count("STATUS=OK") > 2, out[-300:] + err)


if __name__ == "__main__":
    if WHY:
        check_skip(WHY)
    with tempfile.TemporaryDirectory() as name:
        os.environ["GRETA_CACHE"] = name
        counted(pathlib.Path(name))
        refused(pathlib.Path(name))
        lost(pathlib.Path(name))
    sys.exit(check_done())
