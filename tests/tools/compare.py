#!/usr/bin/env python3
"""greta compare on files made here, where the answer is known: compare.py GRETA"""
import copy
import json
import pathlib
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from checks import check, check_done  # noqa: E402

GRETA = sys.argv[1]


def times(ten_us, spread=0.02):
    p50 = 1e4 * ten_us
    low, high = p50 * (1 - spread / 2), p50 * (1 + spread / 2)
    return {"mean": p50, "p10": low, "p50": p50, "p90": high, "p99": high, "min": low, "max": high, "spread": spread, "n": 20}


def result(key, p50=None, status="OK", **more):
    made = {"name": key.split("/")[0], "key": key, "status": status, **more}
    if p50:
        made["device_ns"] = times(p50)
        made["host_ns"] = times(3 * p50)
    return made


def document(*results):
    device = {"name": "a device", "backend": "cpu", "driver": "none", "emulated": False}
    return {"format": "greta-results", "version": 1, "environment": {"device": device}, "results": list(results)}


def compare(folder, base, new, *options):
    paths = [folder / "base.json", folder / "new.json"]
    for path, content in zip(paths, (base, new)):
        path.write_text(content if isinstance(content, str) else json.dumps(content))
    run = subprocess.run([GRETA, "compare", *options, *map(str, paths)], capture_output=True, text=True)
    return run.returncode, run.stdout, run.stderr


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        base = document(result("gemm/a", 1000), result("gemm/b", 1000), result("gemm/c", 1000), result("gemm/d", 1000))

        code, out, _ = compare(folder, base, base)
        check("a file is the same as itself", code == 0 and out == "4 same\n", out)
        code, out, _ = compare(folder, base, base, "--all")
        check("--all lists what is the same", code == 0 and out.count("same ") == 4 and "gemm/c" in out, out)

        new = document(result("gemm/a", 1015), result("gemm/b", 1100), result("gemm/c", 800), result("gemm/e", 5))
        code, out, err = compare(folder, base, new)
        lines = {line.split()[-1]: line for line in out.splitlines()}
        check("inside the noise is the same", "gemm/a" not in lines, out)
        check("slower", lines.get("gemm/b", "").startswith("slower") and "+10.0 %" in lines["gemm/b"], out)
        check("faster", lines.get("gemm/c", "").startswith("faster") and "-20.0 %" in lines["gemm/c"], out)
        check("missing and new", lines.get("gemm/d", "").startswith("missing") and lines.get("gemm/e", "").startswith("new"), out)
        check("the summary", out.endswith("1 same, 1 faster, 1 slower, 1 missing, 1 new\n"), out)
        check("two regressions fail", code == 1 and "2 regressions" in err, err)

        slower = document(result("gemm/a", 1040))
        one = document(result("gemm/a", 1000))
        for part in ("5%", "0.05"):
            check(f"4 % slower passes --fail-above {part}", compare(folder, one, slower, "--fail-above", part)[0] == 0)
        check("4 % slower fails --fail-above 3%", compare(folder, one, slower, "--fail-above=3%")[0] == 1)
        check("4 % slower fails by default", compare(folder, one, slower)[0] == 1)
        noisy = copy.deepcopy(slower)
        noisy["results"][0]["device_ns"] = times(1040, 0.2)
        check("4 % slower in a noise of 20 % passes", compare(folder, one, noisy)[0] == 0)

        near = document({**result("gemm/a"), "device_ns": times(1028, 0.001)})
        sharp = document({**result("gemm/a"), "device_ns": times(1000, 0.001)})
        check("2.8 % is the same, however small the spread", compare(folder, sharp, near)[0] == 0 and compare(folder, near, sharp)[1] == "1 same\n")
        short, longer = (document({**result("rope/a"), "device_ns": times(us, 0.001)}) for us in (0.04, 0.085))
        check("450 ns are the same, 600 are not", compare(folder, short, longer)[0] == 0 and compare(folder, short, document({**result("rope/a"), "device_ns": times(0.1, 0.001)}))[0] == 1)
        many, later = (document(*(result(f"gemm/{i}", p50) for i in range(11))) for p50 in (1000, 1020))
        code, out, _ = compare(folder, many, later)
        check("what changed for all is said", code == 0 and out == "+2.0 % is the median change of 11 times\n11 same\n", out)

        failed = document(result("gemm/a", status="FAILED", reason="wrong"))
        code, out, _ = compare(folder, one, failed)
        check("a failure now is a regression", code == 1 and out.startswith("broken"), out)
        code, out, _ = compare(folder, failed, one)
        check("a failure before is none", code == 0 and out.startswith("mended"), out)
        code, out, _ = compare(folder, one, document(result("gemm/a", status="SKIPPED", reason="too slow")))
        check("what is skipped now is missing", code == 1 and out.startswith("missing"), out)

        counts = {"instructions": 1000, "bank_conflicts": 0}
        emulated = document(result("gemm/a", counts=counts))
        check("the same counts", compare(folder, emulated, emulated)[:2] == (0, "1 same\n"))
        code, out, _ = compare(folder, emulated, document(result("gemm/a", counts={**counts, "bank_conflicts": 7})))
        check("a count from 0 to 7", code == 1 and "bank_conflicts 0 -> 7" in out, out)
        code, out, _ = compare(folder, emulated, document(result("gemm/a", counts={**counts, "instructions": 900})))
        check("fewer instructions are faster", code == 0 and out.startswith("faster") and "instructions 1000 -> 900" in out, out)

        code, out, _ = compare(folder, emulated, document(result("gemm/a", counts={**counts, "spills": 3})))
        check("a count that was not there", code == 1 and "spills 0 -> 3" in out, out)
        for what, before, after in (("a time that is gone", one, document(result("gemm/a"))), ("counts that are gone", emulated, document(result("gemm/a"))),
                                    ("a time in place of counts", emulated, one)):
            code, out, _ = compare(folder, before, after)
            check(what, code == 1 and out.startswith("no time"), out)
        check("neither had a time", compare(folder, document(result("gemm/a")), document(result("gemm/a")))[0] == 0)
        profiled = document(result("kernel/a", 1000, counts={"calls": 5}))
        check("times go before counts", compare(folder, profiled, document(result("kernel/a", 1000, counts={"calls": 9})))[0] == 0)

        other = copy.deepcopy(one)
        other["environment"]["device"]["driver"] = "another"
        check("another driver is told", "driver differs" in compare(folder, one, other)[2])

        for what, text, says in (("no JSON", "{", "no JSON"), ("another format", "{}", '"format"'),
                                 ("a result without a key", json.dumps(document({"name": "x", "status": "OK"})), '"key"')):
            code, _, err = compare(folder, one, text)
            check(what, code == 1 and "new.json" in err and says in err, err)
        run = subprocess.run([GRETA, "compare", str(folder / "base.json"), str(folder / "none.json")], capture_output=True, text=True)
        check("a file that is not there", run.returncode == 1 and "none.json" in run.stderr and "cannot read" in run.stderr, run.stderr)
        run = subprocess.run([GRETA, "compare", str(folder), str(folder / "new.json")], capture_output=True, text=True)
        check("a folder", run.returncode == 1 and run.stderr == f"greta: {folder}: a folder; name one file of results in it\n", run.stderr)
        check("a part that is none", compare(folder, one, one, "--fail-above", "x")[0] == 2)
    return check_done()


if __name__ == "__main__":
    sys.exit(main())
