#!/usr/bin/env python3
"""greta bench: presets on the cpu device, checked, saved, printed and reported: bench.py GRETA"""
import csv
import io
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

GRETA = str(pathlib.Path(sys.argv[1]).resolve())
failures = 0


def check(what, ok, detail=""):
    global failures
    if not ok:
        failures += 1
        print(f"FAIL {what}{': ' if detail else ''}{detail}")


def bench(*arguments):
    run = subprocess.run([GRETA, "bench", *map(str, arguments)], capture_output=True, text=True)
    return run.returncode, run.stdout, run.stderr


def main(folder):
    os.environ["GRETA_CACHE"] = str(folder / "cache")
    os.chdir(folder)
    code, out, err = bench("--preset", "verify", "-d", "cpu", "--iters", 3, "--budget", 0.2)
    lines = out.splitlines()
    check("the preset verify", code == 0 and lines[-1] == "STATUS=OK", out[-300:] + err)
    check("every line has a status", all(re.search(r"STATUS=(OK|SKIPPED reason=.+)$", line) for line in lines[1:-3]), out[:500])
    saved = list((folder / "results").glob("*-cpu-0-verify.json"))
    check("it is saved", len(saved) == 1, str(saved))
    document = json.loads(saved[0].read_text())
    for member in ("date", "seed", "revision", "compiler", "host", "device"):
        check(f"the environment has {member}", member in document["environment"])
    results = document["results"]
    check("keys are unique", len({r["key"] for r in results}) == len(results))
    names = {r["name"].split("/")[0] for r in results}
    check("the benches of verify", {"smoke", "fill", "noop_launch", "vector_add", "copies", "gemm", "gemm_runtime_smoke", "layer_norm", "rms_norm", "layer_rms_norm",
                                    "softmax", "causal_mask", "silu", "rope", "kv_update"} == names, str(names))
    gemm = [r for r in results if r["name"] == "gemm"]
    check("every row of gemm, and the plan's", {"gemm_plain"} < {r["row"] for r in gemm} and any(r["key"].endswith("/auto") for r in gemm))
    check("checked within bounds", all(r["check"]["worst_in_bounds"] <= 1 for r in gemm))
    for member in ("p50", "p99", "mean", "spread"):
        check(f"times have {member}", all(member in r["host_ns"] for r in results if r["status"] == "OK"))

    run = subprocess.run([GRETA, "compare", saved[0], saved[0]], capture_output=True, text=True)
    check("compared with itself", run.returncode == 0 and run.stdout.endswith(f"{len(results)} same\n"), run.stdout)
    run = subprocess.run([GRETA, "report", folder / "results", "--csv"], capture_output=True, text=True)
    check("a line each in the summary", len(list(csv.DictReader(io.StringIO(run.stdout)))) == len(results))

    code, out, _ = bench("vk_gemm_auto_ts_bench", "-d", "cpu", "--m", 33, "--n", 17, "--k", 65, "--check", "--json")
    results = json.loads(out)["results"]
    check("an older name, sizes, --check, --json", code == 0 and {r["status"] for r in results} == {"OK"} and
          all("m33/n17/k65" in r["key"] and "host_ns" not in r for r in results), out[:400])
    code, out, _ = bench("rms_norm", "-d", "cpu", "--rows", 3, "--cols", 100, "--csv", "--iters", 3)
    check("--csv", code == 0 and all(r["status"] == "OK" for r in csv.DictReader(io.StringIO(out))), out)
    code, out, _ = bench("gemm_tiled", "-d", "cpu")
    check("what no row serves is skipped", code == 0 and "STATUS=SKIPPED reason=no row" in out, out)
    code, out, _ = bench("rms_norm", "-d", "cpu", "--rows", 1 << 24, "--cols", 1 << 24)
    check("sizes that overflow are skipped", code == 0 and "STATUS=SKIPPED reason=a buffer of it would pass 4 GiB" in out, out)
    code, out, err = bench("gemm_auto", "-d", "cpu", "--m", 64, "--row", "plain", "--iters", 3)
    check("rows by name", code == 0, out + err)
    code, out, err = bench("llm", "-d", "cpu", "-p", 16, "-n", 4, "-r", 2, "--out", folder / "llm", "--ctx", 64)
    saved = list((folder / "llm").glob("*-llm.json"))
    check("llm is saved, too", code == 0 and saved and {r["shape"]["phase"] for r in json.loads(saved[0].read_text())["results"]} == {"prompt", "decode"}, out + err)

    for what, arguments, says in (("nothing", [], "what is to be measured"), ("a name that is none", ["gemn"], 'no bench "gemn"'),
                                  ("llm and another", ["llm", "gemm"], "alone"), ("two forms", ["gemm", "--csv", "--json"], "either"),
                                  ("a preset that is none", ["--preset", "fast"], "--preset takes")):
        code, _, err = bench(*arguments)
        check(what, code == 2 and says in err, err)
    code, _, err = bench("fill", "-d", "cpu", "--out", "/proc/none")
    check("a folder that cannot be", code == 1 and "/proc/none" in err, err)
    print("bench: " + (f"{failures} failed" if failures else "all as it should be"))
    return failures > 0


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        sys.exit(main(pathlib.Path(name).resolve()))
