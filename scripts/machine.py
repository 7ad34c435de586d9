#!/usr/bin/env python3
"""Tries GRETA on an AMD machine and judges it: one command, one file to keep.

  scripts/machine.py mi300x --baseline docs/AMD/....json            on the machine itself
  scripts/machine.py mi300x --host USER@HOST --baseline FILE        from here, by ssh: the programs are copied, the report comes back
  scripts/machine.py 8600g [--host USER@HOST]                       a Radeon APU: smoke runs with the validation layer, and a baseline
  --dry-run prints the commands and runs none.

The report is JSON: every step with its command, exit status, time, last lines of output and results, and the verdict with its reasons. It
needs python3 and a build (--build DIR; build where none is named). Exit 0: passed, 1: failed, 2: wrong usage.

mi300x passes where every step passes in time, the runtime smoke in its default profile too, and a product of fp16 matrices at 4096^3 is at
least ten times as fast as in the baseline, a report or results file of the 8600G. 8600g passes where ten runs of every smoke profile
hang, time out and fail not once.
"""
import argparse
import datetime
import json
import os
import pathlib
import shlex
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
PROGRAMS = {"greta": "tools/greta/greta", "cts": "tests/cts/cts", "kernelcheck": "tests/kernelcheck/kernelcheck"}
SMOKE_RUNS, FASTER, KEY = 10, 10, "/F16/m4096/n4096/k4096/"


# ---- the steps: name, seconds it may take, command, environment ----

def bench(*words):
    return ["greta", "bench", *words, "--json"]


def steps_mi300x(args):
    device = args.device or "hip:0"
    on = ["-d", device]
    steps = [("devices", 120, ["greta", "devices", "--json"], {}),
             ("cts", 900, ["cts", *on], {}),
             ("kernelcheck", 1800, ["kernelcheck", *on], {}),
             ("runtime smoke", 300, bench("gemm_runtime_smoke", *on), {}),
             ("roof", 300, bench("roof", *on), {})]
    steps += [(f"preset {p}", seconds, bench("--preset", p, *on, "--out", "results"), {})
              for p, seconds in (("smoke", 300), ("verify", 300), ("standard", 900), ("perf", 3600))]
    return steps + steps_model(args, on)


def steps_8600g(args):
    device = args.device or "vulkan:0"
    on = ["-d", device]
    steps = [("devices", 120, ["greta", "devices", "--json"], {})]
    for run in range(1, SMOKE_RUNS + 1):
        steps += [(f"runtime smoke, run {run}", 300, bench("gemm_runtime_smoke", "--preset", "smoke", *on), {"GRETA_VALIDATION": "1"}),
                  (f"preset smoke, run {run}", 300, bench("--preset", "smoke", *on, "--out", "results"), {"GRETA_VALIDATION": "1"})]
    steps += [("roof", 300, bench("roof", *on), {}),
              ("preset standard", 1800, bench("--preset", "standard", *on, "--out", "results"), {}),
              ("baseline", 1800, bench("gemm_auto", "--m", "4096", "--budget", "600", *on), {})]
    return steps + steps_model(args, on)


def steps_model(args, on):
    model = ["-m", args.model] if args.model else []
    return [("the story on the device", 600, ["greta", "run", *model, "-p", "Once upon a time", "-n", "50", "--temp", "0", *on], {}),
            ("the story on the cpu", 600, ["greta", "run", *model, "-p", "Once upon a time", "-n", "50", "--temp", "0", "-d", "cpu"], {}),
            ("model speed", 900, ["greta", "bench", "llm", *model, "-p", "512,2048" if args.model else "128", "-n", "128", *on, "--json"], {})]


STEPS = {"mi300x": steps_mi300x, "8600g": steps_8600g}


# ---- running ----

def run_step(programs, folder, name, seconds, command, environment):
    start = time.monotonic()
    step = {"name": name, "command": shlex.join(command), "environment": environment, "limit_s": seconds}
    try:
        run = subprocess.run([programs[command[0]], *command[1:]], cwd=folder, capture_output=True, text=True, errors="replace", timeout=seconds,
                             env={**os.environ, **environment}, stdin=subprocess.DEVNULL)
        step |= {"exit": run.returncode, "timed_out": False}
        out, err = run.stdout, run.stderr
    except subprocess.TimeoutExpired as late:
        step |= {"exit": None, "timed_out": True}
        out, err = ((text or b"").decode(errors="replace") for text in (late.stdout, late.stderr))
    except OSError as error:
        step |= {"exit": None, "timed_out": False}
        out, err = "", str(error)
    step["seconds"] = round(time.monotonic() - start, 2)
    step["errors"] = err.splitlines()[-20:]
    try:
        step["results"] = json.loads(out)
    except ValueError:
        step["output"] = out.splitlines()[-20:]
    return step


def passed(step):
    return step["exit"] == 0 and not step["timed_out"]


# ---- judging ----

def gemm_speed(document):
    """TFLOP/s of the fastest fp16 product at 4096^3 in a results file, or in all of a report's steps; 0: there is none."""
    documents = [document] + [step["results"] for step in document.get("steps", []) if isinstance(step.get("results"), dict)]
    speeds = [r.get("tflop_per_s", 0) for d in documents for r in d.get("results", []) if isinstance(r, dict) and KEY in r.get("key", "") and r.get("status") == "OK"]
    return max(speeds, default=0)


def reasons(profile, report, baseline):
    """Why it failed; an empty list: it passed."""
    steps = {step["name"]: step for step in report["steps"]}
    found = [f"{name}: " + ("no end within %d s" % step["limit_s"] if step["timed_out"] else f"exit status {step['exit']}")
             for name, step in steps.items() if not passed(step)]
    stories = [steps[name].get("output") for name in ("the story on the device", "the story on the cpu") if name in steps and passed(steps[name])]
    if len(stories) == 2 and stories[0] != stories[1]:
        report["note"] = "the two stories differ: see the documentation of tolerances"
    speed = gemm_speed(report)
    report["gemm_f16_4096_tflop_per_s"] = speed
    if profile == "8600g":
        return found + ([] if speed else ["there is no fp16 product at 4096^3 to be the baseline"])
    if baseline is None:
        return found + ["no --baseline was given: there is nothing to be ten times as fast as"]
    base = gemm_speed(baseline)
    report["baseline_tflop_per_s"] = base
    if not base or not speed:
        found.append(f"there is no fp16 product at 4096^3 in the {'baseline' if not base else 'results'}")
    elif speed < FASTER * base:
        found.append(f"fp16 at 4096^3: {speed:.1f} TFLOP/s, {speed / base:.1f} times the baseline's {base:.2f}; {FASTER} times is asked")
    return found


def counts(report):
    steps = report["steps"]
    hung = sum(step["timed_out"] for step in steps)
    return {"steps": len(steps), "passed": sum(map(passed, steps)), "timed_out": hung, "failed": len(steps) - hung - sum(map(passed, steps))}


# ---- here, and there ----

def run_here(args, programs, baseline):
    with tempfile.TemporaryDirectory(prefix="greta-") as folder:
        report = {"format": "greta-machine", "version": 1, "profile": args.profile, "host": os.uname().nodename,
                  "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"), "kernel": os.uname().release, "steps": []}
        for name, seconds, command, environment in STEPS[args.profile](args):
            step = run_step(programs, folder, name, seconds, command, environment)
            report["steps"].append(step)
            print(f"{'ok  ' if passed(step) else 'FAIL'} {name} ({step['seconds']} s)", flush=True)
            if name == "devices" and not passed(step):
                break
        report["reasons"] = reasons(args.profile, report, baseline)
    report["counts"] = counts(report)
    report["verdict"] = "FAILED" if report["reasons"] else "PASSED"
    return report


def save(args, report):
    folder = pathlib.Path(args.out)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{report['date'][:10]}-{args.profile}-{report['host']}.json"
    path.write_text(json.dumps(report, indent=1) + "\n")
    for reason in report["reasons"]:
        print(f"     {reason}")
    print(f"{report['verdict']}: {json.dumps(report['counts'])}\n{path}")
    return report["verdict"] != "PASSED"


def remote_commands(args, programs):
    """What the ssh way runs, in order; the last prints the report's path there."""
    there = "greta-machine"
    words = [args.profile, "--programs", ".", "--out", "report"]
    for name in ("device", "model"):
        if getattr(args, name):
            words += [f"--{name}", getattr(args, name)]
    files = [str(programs[name]) for name in PROGRAMS] + [str(pathlib.Path(__file__).resolve())]
    if args.baseline:
        files.append(str(pathlib.Path(args.baseline).resolve()))
        words += ["--baseline", pathlib.Path(args.baseline).name]
    return [["ssh", args.host, f"rm -rf {there} && mkdir {there}"],
            ["scp", "-q", *files, f"{args.host}:{there}/"],
            ["ssh", args.host, f"cd {there} && python3 machine.py {shlex.join(words)}; ls report/*.json"],
            ["scp", "-q", f"{args.host}:{there}/report/*.json", args.out + "/"]]


def run_there(args, programs):
    pathlib.Path(args.out).mkdir(parents=True, exist_ok=True)
    for i, command in enumerate(remote_commands(args, programs)):
        print("+ " + shlex.join(command), flush=True)
        run = subprocess.run(command, stdout=subprocess.PIPE if i == 2 else None, text=True)
        if i == 2:
            print(run.stdout, end="")
            if "PASSED: " not in run.stdout and "FAILED: " not in run.stdout:
                sys.exit("machine.py: the run there left no report")
            failed = "PASSED: " not in run.stdout
        elif run.returncode:
            sys.exit(f"machine.py: {command[0]} failed with exit status {run.returncode}")
    return failed


def read_baseline(path):
    try:
        return json.loads(pathlib.Path(path).read_text())
    except (OSError, ValueError) as error:
        sys.exit(f"machine.py: {path}: no results or report: {error}")


def find_programs(args):
    folder = pathlib.Path(args.programs) if args.programs else None
    build = pathlib.Path(args.build) if args.build else ROOT / "build"
    programs = {name: (folder / name if folder else build / path).resolve() for name, path in PROGRAMS.items()}
    missing = [str(path) for path in programs.values() if not os.access(path, os.X_OK)]
    if missing and not args.dry_run:
        sys.exit(f"machine.py: there is no {missing[0]}: build first (./quickstart), or name the folder by --build")
    return programs


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("profile", choices=STEPS)
    parser.add_argument("--host", help="by ssh on this machine; else here")
    parser.add_argument("--device", help="default hip:0 of mi300x, vulkan:0 of 8600g")
    parser.add_argument("--model", help="a GGUF file on the machine that runs it; else the built-in model")
    parser.add_argument("--baseline", help="a report or results file of the 8600G")
    parser.add_argument("--build", help="the build folder; default build")
    parser.add_argument("--programs", help=argparse.SUPPRESS)
    parser.add_argument("--out", default=str(ROOT / "docs/AMD"), help="where the report is kept; default docs/AMD")
    parser.add_argument("--dry-run", action="store_true", help="print the commands")
    args = parser.parse_args()
    programs = find_programs(args)
    baseline = read_baseline(args.baseline) if args.baseline else None
    if args.dry_run:
        for command in remote_commands(args, programs) if args.host else []:
            print(shlex.join(command))
        for name, seconds, command, environment in STEPS[args.profile](args):
            print(" ".join([*(f"{k}={v}" for k, v in environment.items()), shlex.join(command), f"  # {name}, at most {seconds} s"]))
        return 0
    return run_there(args, programs) if args.host else save(args, run_here(args, programs, baseline))


if __name__ == "__main__":
    sys.exit(main())
