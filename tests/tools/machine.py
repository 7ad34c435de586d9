#!/usr/bin/env python3
"""scripts/machine.py with programs that are made here, fast, slow, wrong and hanging: machine.py SCRIPT GRETA

Also: every command of a dry run names an option and a bench that GRETA has.
"""
import json
import pathlib
import shlex
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from checks import check, check_done  # noqa: E402

SCRIPT, GRETA = sys.argv[1:3]

FAKE = r"""#!/usr/bin/env python3
import json, os, sys, time
plan = json.load(open(os.environ["FAKE_PLAN"]))
name = os.path.basename(sys.argv[0])
line = " ".join([name] + sys.argv[1:])
for words, action in plan.items():
    if all(word in line for word in words.split()):
        if action == "hang": time.sleep(60)
        if action == "fail": sys.exit("it went wrong")
key = "gemm_auto/F16/m4096/n4096/k4096/row-row/auto"
if "perf" in line or "gemm_auto" in line:
    print(json.dumps({"format": "greta-results", "results": [{"key": key, "status": "OK", "tflop_per_s": plan.get("speed", 0)}]}))
elif "--json" in line:
    print("{}")
else:
    print("a story")
"""


def trial(folder, profile, plan, *options, limit=None):
    (folder / "plan.json").write_text(json.dumps(plan))
    for name in ("greta", "cts", "kernelcheck"):
        (folder / name).write_text(FAKE)
        (folder / name).chmod(0o755)
    script = pathlib.Path(SCRIPT).read_text()
    if limit: # every step's time, so that a hang does not take minutes
        script = script.replace('timeout=seconds', f'timeout={limit}')
    (folder / "script.py").write_text(script)
    out = folder / "report"
    for old in out.glob("*.json") if out.exists() else []:
        old.unlink()
    run = subprocess.run([sys.executable, str(folder / "script.py"), profile, "--programs", str(folder), "--out", str(out), *options], capture_output=True,
                         text=True, env={"PATH": "/usr/bin:/bin", "FAKE_PLAN": str(folder / "plan.json")})
    files = list(out.glob("*.json"))
    return run.returncode, (json.loads(files[0].read_text()) if files else {}), run.stdout + run.stderr


def main(folder):
    baseline = folder / "baseline.json"
    code, report, text = trial(folder, "8600g", {"speed": 5.0})
    check("8600g passes", code == 0 and report["verdict"] == "PASSED" and report["gemm_f16_4096_tflop_per_s"] == 5.0, text)
    check("ten runs of each smoke", sum("smoke, run" in step["name"] for step in report["steps"]) == 20)
    check("with the validation layer", all(step["environment"] == {"GRETA_VALIDATION": "1"} for step in report["steps"] if "smoke, run" in step["name"]))
    baseline.write_text(json.dumps(report))
    against = ["--baseline", str(baseline)]

    code, report, text = trial(folder, "mi300x", {"speed": 600.0}, *against)
    check("mi300x passes", code == 0 and report["verdict"] == "PASSED" and report["baseline_tflop_per_s"] == 5.0 and not report["reasons"], text)
    check("each step is in the report", {"cts", "kernelcheck", "runtime smoke", "preset perf"} <= {step["name"] for step in report["steps"]})
    code, report, text = trial(folder, "mi300x", {"speed": 49.0}, *against)
    check("less than ten times fails", code == 1 and "9.8 times" in report["reasons"][0], text)
    code, report, text = trial(folder, "mi300x", {"speed": 600.0})
    check("no baseline fails", code == 1 and "no --baseline" in report["reasons"][0], text)
    code, report, text = trial(folder, "mi300x", {"speed": 600.0, "kernelcheck": "fail"}, *against)
    check("a step that fails", code == 1 and report["reasons"] == ["kernelcheck: exit status 1"] and report["counts"]["failed"] == 1, text)
    code, report, text = trial(folder, "mi300x", {"speed": 600.0, "gemm_runtime_smoke": "hang"}, *against, limit=2)
    check("a step that hangs", code == 1 and "runtime smoke: no end" in report["reasons"][0] and report["counts"]["timed_out"] == 1, text)
    code, report, text = trial(folder, "mi300x", {"speed": 600.0, "devices": "fail"}, *against)
    check("no device: nothing else runs", code == 1 and len(report["steps"]) == 1, text)
    code, report, text = trial(folder, "8600g", {"speed": 5.0, "preset smoke": "hang"}, limit=1)
    check("hangs are counted", code == 1 and report["counts"]["timed_out"] >= SMOKES, str(report.get("counts")))

    for profile in ("mi300x", "8600g"):
        text = subprocess.run([SCRIPT, profile, "--dry-run", "--host", "me@there", "--model", "m.gguf"], capture_output=True, text=True).stdout
        check("a dry run of ssh", text.startswith("ssh me@there") and "scp -q" in text, text)
        for line in text.splitlines():
            words = shlex.split(line.replace("GRETA_VALIDATION=1 ", ""), comments=True)
            if words[:2] != ["greta", "bench"] or "llm" in words:
                continue
            # Everything but the device is there: a word that GRETA does not know would be exit status 2.
            run = subprocess.run([GRETA, *words[1:words.index("-d")], "-d", "nothing:0"], capture_output=True, text=True)
            check(f"{line}: its words", run.returncode == 1 and "nothing" in run.stderr, run.stderr)
    check("no build", subprocess.run([SCRIPT, "mi300x", "--build", str(folder / "none")], capture_output=True).returncode == 1)
    return check_done()


SMOKES = 10

if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        sys.exit(main(pathlib.Path(name)))
