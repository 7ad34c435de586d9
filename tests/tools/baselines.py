#!/usr/bin/env python3
"""The baselines in bench/baselines, and what is counted now: baselines.py ROOT GRETA WHY

Each has its reason; a planted regression fails the comparison; the emulated gfx942 counts what its baseline says, and the cpu device gets
the commands that its baseline says. WHY is empty, or why there is no emulator; what cannot be compared here is left out with a line.
"""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
ROOT, GRETA, WHY = pathlib.Path(sys.argv[1]), str(pathlib.Path(sys.argv[2]).resolve()), sys.argv[3]
SCRIPT, FOLDER = ROOT / "scripts/baseline.py", ROOT / "bench/baselines"
sys.path += [str(ROOT / "scripts"), str(ROOT / "tests")]
import baseline  # noqa: E402
from checks import check, check_done  # noqa: E402


def run(*command):
    run = subprocess.run([str(word) for word in command], capture_output=True, text=True, env={**os.environ, "GRETA_CACHE": "", "GRETA_TUNING": ""})
    return run.returncode, run.stdout + run.stderr


def reasons(folder):
    copy = folder / "baselines"
    shutil.copytree(FOLDER, copy)
    ask = lambda: run(SCRIPT, "--folder", copy, "check")
    check("every baseline has its reason", ask() == (0, ""), ask()[1])
    name = next(copy.glob("*.json"))
    before, lines = name.read_text(), (copy / "reasons.tsv").read_text()
    name.write_text(before.replace('"OK"', '"OK" ', 1))
    check("one that changed without a reason", ask()[0] == 1 and name.name in ask()[1], ask()[1])
    name.write_text(before)
    (copy / "reasons.tsv").write_text("\n".join(line.rsplit("\t", 1)[0] + "\t" for line in lines.splitlines()) + "\n")
    check("a line without words", ask()[0] == 1, ask()[1])
    (copy / "reasons.tsv").write_text(lines)
    replaced = json.loads(before)
    replaced["results"].pop()
    (folder / "new.json").write_text(json.dumps(replaced))
    check("no reason, no baseline", run(SCRIPT, "--folder", copy, "set", name.stem, folder / "new.json", "--reason", "why not")[0] == 1 and name.read_text() == before)
    code, text = run(SCRIPT, "--folder", copy, "set", name.stem, folder / "new.json", "--reason", "one of the results is gone for good")
    check("one is replaced with its reason", code == 0 and ask()[0] == 0 and len(json.loads(name.read_text())["results"]) == len(replaced["results"]), text)
    replaced["results"][0]["status"] = "FAILED"
    (folder / "new.json").write_text(json.dumps(replaced))
    check("a failure is no baseline", run(SCRIPT, "--folder", copy, "set", name.stem, folder / "new.json", "--reason", "it fails now and that is it")[0] == 1)


def faults(folder):
    """Each is one line, and leaves the baselines as they were."""
    copy, bad = folder / "untouched", folder / "bad.json"
    shutil.copytree(FOLDER, copy)
    good = next(copy.glob("*.json"))
    whole, before = good.read_text(), {path: path.read_bytes() for path in copy.iterdir()}
    keep = ["set", "new", bad, "--reason", "it is tried by a test"]

    def one_line(what, words, *wanted):
        code, text = run(SCRIPT, "--folder", copy, *words)
        check(f"one line: {what}", code == 1 and text.startswith("baseline.py: ") and text.count("\n") == 1 and all(w in text for w in wanted), text)

    def changed(change):
        document = json.loads(whole)
        change(document)
        return json.dumps(document)

    for what, text, says in (("no JSON", "{", "no JSON"), ("nothing", "", "no JSON"), ("a list", "[1]", "no results of greta bench"),
                             ("no device", changed(lambda d: d["environment"].pop("device")), "device"),
                             ("no results", changed(lambda d: d.pop("results")), "a result has no"),
                             ("a result without a key", changed(lambda d: d["results"][0].pop("key")), "a result has no"),
                             ("times without p50", changed(lambda d: d["results"][0].update(host_ns={"p10": 1, "p90": 2})), "p50")):
        bad.write_text(text)
        one_line(what, keep, "bad.json", says)
    bad.write_bytes(b"\xff\xfe")
    one_line("no text", keep, "bad.json", "no JSON")
    one_line("a file that is not there", ["set", "new", folder / "none.json", *keep[3:]], "none.json: No such file")
    one_line("a folder", ["set", "new", folder, *keep[3:]], f"{folder}: ")
    one_line("a name in no folder", ["set", "none/new", good, *keep[3:]], "none/new.json: No such file")
    for words in (["compare", good.stem, good], ["count", "cpu", "--reason", "it is tried by a test"]):
        one_line(f"{words[0]} without a program", [*words, "--greta", folder / "greta"], "build first")
    one_line("no reason, nothing counted", ["count", "cpu", "--reason", "", "--greta", GRETA], "--reason takes a sentence")
    check("nothing was changed", before == {path: path.read_bytes() for path in copy.iterdir()})


def several_runs():
    """What differs between runs of the same is noise: the range of a time reaches over all of them."""
    def of(p50, key="gemm/a"):
        times = {"p10": 0.99 * p50, "p50": p50, "p90": 1.01 * p50}
        return {"environment": {"device": {"name": "x"}}, "results": [{"name": "gemm", "key": key, "status": "OK", "device_ns": times, "host_ns": times}]}
    made = json.loads(baseline.text_of([of(100.0), of(130.0), of(110.0), of(7.0, "gemm/b")]))
    a, b = ({r["key"]: r for r in made["results"]}[key] for key in ("gemm/a", "gemm/b"))
    check("of several runs", a["device_ns"] == {"p10": 99, "p50": 110, "p90": 131.3} and b["device_ns"]["p50"] == 7, str(made["results"]))


def planted(folder):
    for path in sorted(FOLDER.glob("*.json")):
        document = json.loads(path.read_text())
        check(f"{path.name} is small", path.stat().st_size < 200000, str(path.stat().st_size))
        check(f"{path.name} is the same as itself", run(GRETA, "compare", path, path)[0] == 0)
        result = document["results"][len(document["results"]) // 2]
        values = result.get("counts") or result.get("device_ns") or result["host_ns"]
        for name in values if "counts" not in result else list(values)[-1:]:
            values[name] *= 2
        (folder / "worse.json").write_text(json.dumps(document))
        code, text = run(GRETA, "compare", path, folder / "worse.json")
        check(f"{path.name}: a planted regression", code == 1 and "1 regressions" in text and result["key"] in text, text)


def counts_now(folder, name, unfit):
    documents = baseline.count(name, GRETA)
    if why := unfit(documents[0]["environment"], json.loads((FOLDER / f"{name}.json").read_text())["environment"]):
        return print(f"{name}: left out: {why}")
    (folder / "now.json").write_text(baseline.text_of(documents))
    code, text = run(SCRIPT, "compare", name, folder / "now.json", "--greta", GRETA)
    check(f"{name}: a count has grown; where that is right: scripts/baseline.py count {name} --reason ...", code == 0, text)


def other_compiler(now, base):
    same = now["device_compiler"] == base["device_compiler"]
    return "" if same else f"its device code is by {base['device_compiler']}, here by {now['device_compiler']}"


def other_cpu(now, base):
    flags = pathlib.Path("/proc/cpuinfo").read_text() if os.uname().machine == "x86_64" else ""
    return "" if " avx2 " in flags else "it is of a CPU with AVX2"


def main(folder):
    reasons(folder)
    faults(folder)
    several_runs()
    planted(folder)
    if WHY:
        print(f"emulated-gfx942: left out: {WHY}")
    else:
        counts_now(folder, "emulated-gfx942", other_compiler)
    counts_now(folder, "cpu", other_cpu)
    return check_done()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        sys.exit(main(pathlib.Path(name)))
