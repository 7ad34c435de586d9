#!/usr/bin/env python3
"""The baselines of bench/baselines: what greta compare holds new results against, one file a device.

  scripts/baseline.py set NAME RESULTS.json... --reason "why it changes"   makes or replaces bench/baselines/NAME.json, and keeps the reason
  scripts/baseline.py count NAME --reason "why" [--greta GRETA]            the same of counts, which it takes itself: emulated-gfx942, cpu
  scripts/baseline.py check                                               every baseline has its reason; exit 1 where one has none
  scripts/baseline.py compare NAME RESULTS.json [--greta GRETA] [--fail-above 5%]

A baseline is results without what greta compare does not read: keys, statuses, p10, p50 and p90 of the times that count, or counts. Of
several files with the same key (runs of the same, which is what to give for times) p50 is the median, and p10 to p90 reaches over all of
them: what differs between runs is noise, too. Counts are the last file's. reasons.tsv beside them has a line a version: the file's SHA-256, its name, the date, and why.
"""
import argparse
import datetime
import hashlib
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

# What counts are taken of. The emulator: GRETA_HIP_LIBRARY, or that of the build.
COUNTED = {
    "emulated-gfx942": [["gemm_auto", "gemm_mfma_256x256", "layer_norm", "rms_norm", "layer_rms_norm", "softmax", "silu", "rope", "kv_update", "attn_decode",
                         "attn_prefill", "matvec", "--preset", "verify", "--budget", "600", "-d", "hip:0"], ["llm", "-d", "hip:0", "-p", "16", "-n", "2", "--ctx", "64"]],
    "cpu": [["llm", "-d", "cpu", "-p", "16", "-n", "4", "--depth", "0,32", "--ctx", "64", "--check", "--threads", "1"]],
}
ROOT = pathlib.Path(__file__).resolve().parent.parent


def reduced(result):
    kept = {name: result[name] for name in ("name", "key", "status")}
    times = result.get("device_ns") or result.get("host_ns")
    if times:
        kept["device_ns" if "device_ns" in result else "host_ns"] = {name: float(f"{times[name]:.5g}") for name in ("p10", "p50", "p90")}
    elif "counts" in result:
        kept["counts"] = result["counts"]
    return kept


def joined(runs):
    """The same result of several runs as one."""
    made = dict(runs[-1])
    for clock in ("device_ns", "host_ns"):
        times = [r[clock] for r in runs if clock in r]
        if clock in made:
            made[clock] = {"p10": min(t["p10"] for t in times), "p50": float(f"{statistics.median(t['p50'] for t in times):.5g}"), "p90": max(t["p90"] for t in times)}
    return made


def text_of(documents):
    """The baseline's text: a line a result, so that a difference can be read."""
    runs = {}
    for document in documents:
        for r in document["results"]:
            if r["status"] == "OK":
                runs.setdefault(r["key"], []).append(reduced(r))
    results = {key: joined(each) for key, each in runs.items()}
    environment = {name: documents[-1]["environment"].get(name) for name in ("date", "version", "revision", "compiler", "device_compiler")}
    environment["device"] = {name: documents[-1]["environment"]["device"].get(name) for name in ("name", "backend", "arch", "driver", "emulated")}
    roof = next((d["roof"] for d in reversed(documents) if d.get("roof")), {})
    lines = ",\n".join(json.dumps(r, separators=(",", ":")) for r in results.values())
    return (f'{{"format":"greta-results","version":1,\n"environment":{json.dumps(environment, separators=(",", ":"))},\n'
            f'"roof":{json.dumps(roof, separators=(",", ":"))},\n"results":[\n{lines}\n]}}\n')


def count(name, greta):
    """The documents of a baseline of counts, by the program, without anything that an earlier run has kept."""
    library = pathlib.Path(greta).resolve().parent.parent.parent / "tests/gfx942/libamdhip64.so"
    environment = {"GRETA_HIP_LIBRARY": str(library), **os.environ, "GRETA_CACHE": "", "GRETA_TUNING": ""}
    documents = []
    for words in COUNTED[name]:
        with tempfile.TemporaryDirectory() as folder:
            run = subprocess.run([greta, "bench", *words, "--out", folder], capture_output=True, text=True, env=environment)
            if run.returncode:
                sys.exit(f"baseline.py: greta bench {' '.join(words)}: {run.stdout[-300:]}{run.stderr}")
            documents.append(json.loads(next(pathlib.Path(folder).glob("*.json")).read_text()))
    return documents


def hash_of(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def reasons_of(folder):
    """The lines of reasons.tsv: (hash, name, date, reason)."""
    path = folder / "reasons.tsv"
    lines = path.read_text().splitlines() if path.exists() else []
    return [tuple((line.split("\t", 3) + [""] * 4)[:4]) for line in lines if line and not line.startswith("#")]


def faults_of(folder):
    found, reasons = [], reasons_of(folder)
    for path in sorted(folder.glob("*.json")):
        given = [reason for digest, name, _, reason in reasons if digest == hash_of(path) and name == path.name]
        if not any(len(reason.split()) >= 3 for reason in given):
            found.append(f"{path.name}: reasons.tsv has no line with its hash {hash_of(path)[:12]}... and a reason (scripts/baseline.py set)")
    return found


def fault_of(document):
    """Why a document is none that the functions above can take; None where it is."""
    has = lambda where, kind, *names: isinstance(where, dict) and all(isinstance(where.get(name), kind) for name in names)
    if not has(document, str, "format") or document["format"] != "greta-results":
        return "no results of greta bench"
    if not has(document, dict, "environment") or not has(document["environment"], dict, "device"):
        return "it does not say of which device it is"
    if not has(document, list, "results") or not all(has(r, str, "name", "key", "status") for r in document["results"]):
        return 'a result has no "name", "key" or "status"'
    for r in document["results"]:
        for times in (r[name] for name in ("device_ns", "host_ns") if name in r):
            if not has(times, (int, float), "p10", "p50", "p90"):
                return f"{r['key']}: times without p10, p50 and p90"
    return None


def read(name):
    try:
        document = json.loads(pathlib.Path(name).read_text())
    except ValueError as error:
        sys.exit(f"baseline.py: {name}: no JSON: {error}")
    if fault := fault_of(document):
        sys.exit(f"baseline.py: {name}: {fault}")
    return document


def keep(folder, name, documents, reason):
    if failed := [r["key"] for d in documents for r in d["results"] if r["status"] == "FAILED"]:
        sys.exit(f"baseline.py: a failure is no baseline: {failed[0]}")
    path = folder / f"{name}.json"
    path.write_text(text_of(documents))
    with open(folder / "reasons.tsv", "a") as reasons:
        reasons.write("\t".join([hash_of(path), path.name, datetime.date.today().isoformat(), " ".join(reason.split())]) + "\n")
    print(f"{path}: {path.stat().st_size} bytes")
    return 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", default=str(ROOT / "bench/baselines"), help=argparse.SUPPRESS)
    commands = parser.add_subparsers(dest="command", required=True)
    command = commands.add_parser("set")
    command.add_argument("name")
    command.add_argument("results", nargs="+")
    command.add_argument("--reason", required=True)
    command = commands.add_parser("count")
    command.add_argument("name", choices=COUNTED)
    command.add_argument("--reason", required=True)
    command.add_argument("--greta", default=str(ROOT / "build/tools/greta/greta"))
    commands.add_parser("check")
    command = commands.add_parser("compare")
    command.add_argument("name")
    command.add_argument("results")
    command.add_argument("--greta", default=str(ROOT / "build/tools/greta/greta"))
    command.add_argument("--fail-above", default="0%")
    args = parser.parse_args()
    try:
        return do(args)
    except OSError as error:
        sys.exit(f"baseline.py: {f'{error.filename}: ' if error.filename else ''}{error.strerror or error}")


def do(args):
    folder = pathlib.Path(args.folder)
    if args.command in ("set", "count") and len(args.reason.split()) < 3:
        sys.exit("baseline.py: --reason takes a sentence: what changed, and why that is right")
    if args.command in ("count", "compare") and not os.access(args.greta, os.X_OK):
        sys.exit(f"baseline.py: there is no {args.greta}: build first (./quickstart), or name it by --greta")
    if args.command == "set":
        return keep(folder, args.name, [read(name) for name in args.results], args.reason)
    if args.command == "count":
        return keep(folder, args.name, count(args.name, args.greta), args.reason)
    if args.command == "compare":
        return subprocess.run([args.greta, "compare", folder / f"{args.name}.json", args.results, "--fail-above", args.fail_above]).returncode
    faults = faults_of(folder)
    for fault in faults:
        print(f"baseline.py: {fault}", file=sys.stderr)
    return len(faults) > 0


if __name__ == "__main__":
    sys.exit(main())
