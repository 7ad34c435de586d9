#!/usr/bin/env python3
"""greta bench: presets on the cpu device, checked, saved, printed and reported: bench.py GRETA [DEVICE]

With DEVICE: the preset smoke there, and every older name; skipped where there is no such device.
"""
import csv
import io
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from checks import check, check_done, check_skip  # noqa: E402

GRETA = str(pathlib.Path(sys.argv[1]).resolve())


def bench(*arguments):
    run = subprocess.run([GRETA, "bench", *map(str, arguments)], capture_output=True, text=True)
    return run.returncode, run.stdout, run.stderr


STATUS = re.compile(r"STATUS=(OK|FAILED reason=.+|SKIPPED reason=.+)$")


def older_names(device):
    """Each name of earlier programs, with and without _bench, runs what it stands for, and ends with a status."""
    code, out, _ = bench("--list")
    old = [line.split() for line in out.split("Older names", 1)[1].splitlines()[1:]]
    names = {"vk_smoke", "vk_fill", "vk_gemm", "vk_gemm_runtime_smoke", "vk_gemm_tiled", "vk_gemm_tiled_ts", "vk_gemm_auto_ts", "vk_gemm_f16acc32_tiled_vec2_ts",
             "vk_gemm_f16acc32_tiled_vec2_32x8_ts", "vk_gemm_f16acc32_tiled_vec2_db_ts", "vk_layernorm", "vk_rmsnorm", "vk_softmax", "vk_layernorm_rmsnorm_fused",
             "vk_layernorm_tiled", "vk_rmsnorm_tiled", "vk_softmax_tiled", "vk_layernorm_rmsnorm_fused_tiled", "hip_noop_launch", "hip_vec_add", "hip_fill",
             "hip_rmsnorm", "hip_gemm", "hip_attention", "hip_llama_block"}
    check("all older names are there", names <= {name for name, _ in old}, str(names - {name for name, _ in old}))
    for name, new in old:
        if new == "llama_block": # a minute of work, and in the presets
            continue
        for end in ("", "_bench"):
            code, out, err = bench(name + end, "-d", device, "--check", "--m", 40, "--rows", 4, "--cols", 64, "--iters", 2)
            lines = out.splitlines()
            check(f"{name}{end}", code == 0 and STATUS.fullmatch(lines[-1]) and all(STATUS.search(line) for line in lines[1:-2]) and f"{new.split('_')[0]}" in lines[1], out[-300:] + err)


def on_device(device):
    code, out, err = bench("--preset", "smoke", "-d", device)
    if code == 1 and ("not available" in err or "there is no device" in err):
        check_skip(err.strip())
    lines = out.splitlines()
    check("the preset smoke", code == 0 and lines[-1] == "STATUS=OK" and " 0 FAILED" in lines[-2] and all(STATUS.search(line) for line in lines[1:-3]), out[-500:] + err)
    older_names(device)


def named():
    """Benches by other names than the table's."""
    for name, row in (("rms_norm_simple", "rms_norm_plain"), ("gemm_plain", "gemm_plain"), ("llm_primitives", "rms_norm"), ("gemm_runtime_smoke_ultrasafe", "gemm_plain"),
                      ("gemm_runtime_smoke_default", "auto"), ("gemm_runtime_smoke_fill", "on the device")):
        code, out, err = bench(name, "-d", "cpu", "--check", "--m", 32, "--rows", 4, "--cols", 64)
        check(f"by the name {name}", code == 0 and row in out and out.endswith("STATUS=OK\n"), out[-300:] + err)
    check("part of a row's name is no bench", bench("gemm_pla", "-d", "cpu")[0] == 2)
    code, out, _ = bench("--preset", "verify", "--filter", "norm", "-d", "cpu", "--check")
    check("--filter", code == 0 and {line.split("/")[0] for line in out.splitlines()[1:-3]} == {"layer_norm", "rms_norm", "layer_rms_norm"}, out)
    code, out, _ = bench("noop_launch", "alloc", "dispatch", "fill", "copies", "--compute-only", "-d", "cpu", "--check", "--json")
    results = json.loads(out)["results"]
    check("every bench checks what it did", {r["check"]["how"] for r in results} == {"bytes"} and not [r for r in results if "host_ns" in r], out[-300:])
    check("--compute-only leaves copies from and to the host out", [r["key"] for r in results if r["name"] == "copies"] == ["copies/on the device/4MiB"])
    code, out, _ = bench("gemm_plain", "-d", "cpu", "--m", 700, "--row", "plain", "--budget", 0.05)
    check("what would pass its budget is skipped, with its time", code == 0 and "STATUS=SKIPPED reason=one call would take" in out, out)
    code, out, _ = bench("gemm_plain", "-d", "cpu", "--m", 3000, "--check")
    check("the budget holds for the first call, too", code == 0 and out.count("STATUS=SKIPPED reason=one call would take") == 5, out)
    code, out, _ = bench("copies", "-d", "cpu", "--preset", "standard", "--budget", 0.01, "--iters", 1, "--out", "late")
    check("a copy that would pass its budget is no failure", code == 0 and len(re.findall(r"^copies/.*STATUS=(OK|SKIPPED reason=one call would take .*)$", out, re.M)) == 3, out)
    for word in ("--m", "--n", "--k"):
        code, out, _ = bench("gemm_auto", "-d", "cpu", word, 1 << 20)
        check(f"{word} {1 << 20}", code == 0 and out.splitlines()[-1] == "STATUS=SKIPPED reason=nothing here could be measured", out)
    first, second = (bench("fill", "-d", "cpu", "--check", "--out", "twice")[1].splitlines() for _ in range(2))
    saved = [line.removeprefix("saved as ") for lines in (first, second) for line in lines if line.startswith("saved")]
    check("two runs within a second", len(set(saved)) == 2 and all(json.loads(pathlib.Path(name).read_text())["results"] for name in saved), str(saved))
    code, out, _ = bench("gemm_tiled", "-d", "cpu")
    check("nothing measured is no success", code == 0 and out.splitlines()[-1].startswith("STATUS=SKIPPED reason="), out)
    _, out, _ = bench("gemm_vec2", "-d", "cpu")
    check("a row by its whole name", bench("--list")[0] == 0 and "gemm_vec2/F32" in out, out)
    for words, unused in ((["rms_norm", "--m", 5, "--cols", 64], "--m"), (["rope", "--rows", 2, "--k", 3], "--k, --rows"), (["noop_launch", "--row", "plain"], "--row"),
                          (["gemm_auto", "--m", 8, "--n", 8, "--k", 8, "--iters", 2, "--batch", 2], "")):
        code, out, err = bench(*words, "-d", "cpu", "--check")
        check(f"options without a use: {words}", code == 0 and err == (f"greta: {words[0]} has no use for {unused}\n" if unused else ""), err)
    llm = ["llm", "-d", "cpu", "-p", 8, "-n", 2, "-r", 1, "--ctx", 64]
    for words, unused in (([*llm, "--m", 5, "--iters", 2, "--preset", "smoke", "--seed", 2, "--cold", "--filter", "x"], "--preset, --m, --iters, --seed, --cold, --filter"),
                          (llm, ""), (["silu", "-d", "cpu", "--check", "-p", 3, "-n", 4, "--depth", 5, "-r", 2, "--ctx", 64, "--kv", "f32", "--model", "x"],
                                      "--model, --prompt, --predict, --depth, --repeat, --ctx, --kv"),
                          (["load", "-m", "none.gguf", "-d", "cpu", "--budget", 2, "--check", "-p", 3, "--rows", 4, "--ctx", 64], "--rows, --budget, --check, --prompt")):
        _, _, err = bench(*words)
        said = [line for line in err.splitlines() if "has no use" in line]
        check(f"options without a use: {words[0]}", said == ([f"greta: {words[0]} has no use for {unused}"] if unused else []), err)
    code, _, err = bench("--preset", "verify", "--filter", "smoke", "-d", "cpu", "--check", "--depth", 3)
    check("options that a preset has no use for", code == 0 and err == "greta: a preset has no use for --depth\n", err)
    check("a size beyond all", bench("gemm", "--m", 1 << 40)[0] == 2)
    code, out, err = bench("llm", "-d", "cpu", "-p", 8, "-n", 6, "-r", 3, "--ctx", 64, "--budget", 1, "--json", "--out", "clocks")
    saved = json.loads(next(pathlib.Path("clocks").glob("*-llm.json")).read_text())["results"]
    check("llm: both clocks, and warm-up until stable", code == 0 and len(saved) == 2 and
          all(0 < r["device_ns"]["p50"] <= 1.05 * r["host_ns"]["p50"] + 1e5 and r["device_ns"]["n"] == 3 and r["warm_up_samples"] > 3 and
              abs(r["tokens_per_s"] * r["host_ns"]["p50"] - 1e9) < 1e6 for r in saved), out + err)
    code, out, _ = bench("llm", "-d", "cpu", "-p", 8, "-n", 2, "-r", 2, "--ctx", 64, "--csv")
    check("llm as CSV", code == 0 and {r["key"].split("/")[2] for r in csv.DictReader(io.StringIO(out))} == {"prompt", "decode"}, out)
    code, out, _ = bench("llm", "-d", "cpu", "-p", 8, "-n", 2, "-r", 2, "--ctx", 64, "--json")
    document = json.loads(out)
    check("llm as JSON is what is saved", code == 0 and document["format"] == "greta-results" and {r["shape"]["phase"] for r in document["results"]} == {"prompt", "decode"} and
          all(r["host_ns"]["n"] == 2 and r["tokens_per_s"] > 0 for r in document["results"]), out)
    code, out, _ = bench("llm", "-d", "cpu", "-p", "8,2000", "-n", 400, "-r", 50, "--ctx", 2048, "--budget", 0.01)
    lines = [line for line in out.splitlines() if "STATUS" in line]
    check("llm: a run that would pass the budget is skipped, others are fewer", code == 0 and re.search(r"^prompt +8 .* in \d+ runs\).*STATUS=OK$", lines[0]) and
          all(re.search(r"STATUS=SKIPPED reason=one run would take \S+ (s|min|h), the budget is 0.01 s$", line) for line in lines[1:3]) and lines[3] == "STATUS=OK", out)
    begin = time.monotonic()
    code, out, err = bench("llm", "-d", "cpu", "-t", 1, "-p", 20000, "-n", 8, "--depth", 20000, "--budget", 1)
    lines = [line for line in out.splitlines() if "STATUS" in line]
    check("llm: a long prompt, and a long context, are predicted by shorter ones", code == 0 and time.monotonic() - begin < 60 and
          re.search(r"^prompt .*STATUS=SKIPPED reason=one run would take \S+ (s|min|h), the budget is 1 s$", lines[0]) and
          re.search(r"^decode .*STATUS=SKIPPED reason=the context before it would take \S+ (s|min|h), the budget is 1 s$", lines[1]), out + err)
    code, out, _ = bench("llm", "-d", "cpu", "-p", 8, "-n", 2, "--ctx", 64, "--check")
    check("llm: its commands", code == 0 and "dispatches" in out and out.endswith("STATUS=OK\n"), out)


def kept():
    """Whatever ends a run, what was measured is there; nothing is measured twice; a roof is not lost."""
    run = subprocess.Popen([GRETA, "bench", "noop_launch", "gemm", "--preset", "verify", "-d", "cpu", "--out", "ended"], stdout=subprocess.PIPE, text=True)
    first = [run.stdout.readline() for _ in range(4)]
    run.send_signal(signal.SIGINT)
    rest = run.communicate(timeout=60)[0].splitlines()
    saved = list(pathlib.Path("ended").glob("*.json"))
    check("Ctrl-C", run.returncode == 1 and rest[-1] == "STATUS=FAILED reason=interrupted" and len(saved) == 1 and
          len(json.loads(saved[0].read_text())["results"]) == len(first) - 1 + len([line for line in rest if line.startswith("gemm/")]) > 2, "".join(first) + "\n".join(rest))
    run = subprocess.Popen([GRETA, "bench", "llm", "-d", "cpu", "-p", "8,20000", "-n", "0", "-r", "1", "--ctx", "20000", "--budget", "3600", "--out", "long"], stdout=subprocess.PIPE, text=True)
    while "prompt        8" not in run.stdout.readline():
        pass
    time.sleep(1)
    begin = time.monotonic()
    run.send_signal(signal.SIGTERM)
    rest = run.communicate(timeout=100)[0]
    check("one that is long is not waited for", run.returncode == 1 and rest.endswith("STATUS=FAILED reason=interrupted\n") and time.monotonic() - begin < 60, rest)
    run = subprocess.Popen([GRETA, "bench", "fill", "gemm", "--preset", "standard", "-d", "cpu", "--out", "killed"], stdout=subprocess.PIPE, text=True)
    while "gemm/" not in run.stdout.readline():
        pass
    run.kill()
    run.communicate()
    saved = list(pathlib.Path("killed").glob("*.json"))
    check("a run that was killed", len(saved) == 1 and "fill" in {r["name"] for r in json.loads(saved[0].read_text())["results"]}, str(saved))
    code, out, err = bench("fill", "vk_fill", "gemm_runtime_smoke_fill", "gemm_runtime_smoke", "-d", "cpu", "--check", "--json")
    keys = [r["key"] for r in json.loads(out)["results"]]
    check("each is measured once", code == 0 and len(keys) == len(set(keys)) and "vk_fill is measured once, with fill" in err and
          "gemm_runtime_smoke_fill is measured once, with gemm_runtime_smoke" in err, err + str(keys))
    code, out, _ = bench("llm", "-d", "cpu", "-p", 0, "-n", 0)
    check("llm of nothing", out.endswith("STATUS=SKIPPED reason=nothing here could be measured\n"), out)
    pathlib.Path("file").touch()
    code, _, err = bench("fill", "-d", "cpu", "--out", "file")
    check("a file in place of a folder", code == 1 and err == "greta: file: it is no folder\n", err)
    with open("/dev/full", "w") as full:
        run = subprocess.run([GRETA, "bench", "fill", "-d", "cpu", "--check", "--json"], stdout=full, stderr=subprocess.PIPE, text=True)
    check("no room for --json", run.returncode == 1 and "cannot write to standard output" in run.stderr, run.stderr)


def roof(folder):
    """It is kept, by the larger of what was measured; a check of it changes nothing; the file of its own run has it."""
    os.environ["GRETA_CACHE"] = str(folder / "roof")
    code, out, err = bench("roof", "-d", "cpu", "--budget", 0.3, "--iters", 3, "--out", "of_roof")
    cached = next((folder / "roof").glob("roof-*.json"))
    own, kept_one = json.loads(next(pathlib.Path("of_roof").glob("*.json")).read_text())["roof"], json.loads(cached.read_text())
    check("the file of a roof has it", code == 0 and own["copy_bytes_per_s"] > 0 and all(abs(kept_one[name] / value - 1) < 1e-6 for name, value in own.items()), f"{own} {kept_one}")
    cached.write_text(json.dumps({**kept_one, "flops_f16": 9e15}))
    code, _, err = bench("roof", "-d", "cpu", "--check")
    check("a check keeps the roof", code == 0 and json.loads(cached.read_text()) == {**kept_one, "flops_f16": 9e15}, err)
    bench("roof", "-d", "cpu", "--budget", 0.3, "--iters", 3)
    now = json.loads(cached.read_text())
    check("a lower roof replaces none", now["flops_f16"] == 9e15 and now["copy_bytes_per_s"] >= 0.999 * kept_one["copy_bytes_per_s"], str(now))


def members():
    """What is saved of a result is what the specification names."""
    root = pathlib.Path(__file__).resolve().parents[2]
    saved = set(re.findall(r'\bset(?:_\w+)?\(o, "(\w+)"', (root / "bench" / "results.c").read_text())) | {"name", "key", "status"}
    check("members of results are found", {"cut_by_budget", "tokens", "gb_per_s"} <= saved, str(saved))
    for language in ("en", "es"):
        row = next(line for line in (root / "docs" / language / "benchmarks.md").read_text().splitlines() if line.startswith("| `results[]`"))
        check(f"they are all named ({language})", saved <= set(re.findall(r"`(\w+)`", row)), str(saved - set(re.findall(r"`(\w+)`", row))))


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
                                    "softmax", "causal_mask", "silu", "rope", "kv_update", "attn_prefill", "attn_decode", "matvec", "llama_block"} == names, str(names))
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
    code, plain, _ = bench("matvec", "-d", "cpu", "--rows", 4, "--cols", 40, "--row", "matvec_q8a_plain", "--check")
    check("why a row that was named refuses", code == 0 and "STATUS=SKIPPED reason=no row of this device serves it (matvec_" in plain, plain)
    check("what no row serves is skipped", code == 0 and "STATUS=SKIPPED reason=no row" in out, out)
    code, out, _ = bench("rms_norm", "-d", "cpu", "--rows", 1 << 24, "--cols", 1 << 24)
    check("sizes that overflow are skipped", code == 0 and "STATUS=SKIPPED reason=a buffer of it would pass 4 GiB" in out, out)
    code, out, err = bench("gemm_auto", "-d", "cpu", "--m", 64, "--row", "plain", "--iters", 3)
    check("rows by name", code == 0, out + err)
    code, out, err = bench("llm", "-d", "cpu", "-p", 16, "-n", 4, "-r", 2, "--out", folder / "llm", "--ctx", 64)
    saved = list((folder / "llm").glob("*-llm.json"))
    check("llm is saved, too", code == 0 and saved and {r["shape"]["phase"] for r in json.loads(saved[0].read_text())["results"]} == {"prompt", "decode"}, out + err)

    members()
    named()
    kept()
    older_names("cpu")
    for what, arguments, says in (("nothing", [], "what is to be measured"), ("a name that is none", ["gemn"], 'no bench "gemn"'),
                                  ("llm and another", ["llm", "gemm"], "alone"), ("two forms", ["gemm", "--csv", "--json"], "either"),
                                  ("a preset that is none", ["--preset", "fast"], "--preset takes"),
                                  ("a filter that nothing passes", ["--preset", "smoke", "--filter", "zzz"], 'holds "zzz"'),
                                  ("a row that is none", ["gemm", "--row", "nope"], 'holds "nope"')):
        code, _, err = bench(*arguments)
        check(what, code == 2 and says in err, err)
    code, _, err = bench("fill", "-d", "cpu", "--out", "/proc/none")
    check("a folder that cannot be", code == 1 and "/proc/none" in err, err)
    roof(folder)
    return check_done()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        if len(sys.argv) > 2:
            os.environ["GRETA_CACHE"] = name
            os.chdir(name)
            on_device(sys.argv[2])
            sys.exit(check_done())
        sys.exit(main(pathlib.Path(name).resolve()))
