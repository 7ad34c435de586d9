#!/usr/bin/env python3
"""greta tune: a model is tuned, known again, carried elsewhere; files that are no database are set aside: tune.py GRETA WHY

WHY: why the emulated gfx942 cannot be asked; empty where it can.
"""
import hashlib
import json
import os
import pathlib
import re
import sqlite3
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from checks import check, check_done  # noqa: E402

GRETA = str(pathlib.Path(sys.argv[1]).resolve())
WHY = sys.argv[2]
AGREE = pathlib.Path(__file__).resolve().parents[2] / "scripts" / "tuning_agree.py"
# The built-in model with few buckets of tokens and of context.
SMALL = ["-d", "cpu", "-t", "2", "--ctx", "256", "--chunk", "16"]


def greta(*arguments, **environment):
    run = subprocess.run([GRETA, *map(str, arguments)], capture_output=True, text=True, env={**os.environ, **environment})
    return run.returncode, run.stdout, run.stderr


def tune(*arguments, **environment):
    return greta("tune", *arguments, **environment)


def number(pattern, text):
    found = re.search(pattern, text)
    return int(found.group(1)) if found else -1


def tune_all(**environment):
    """Until nothing is left: a machine may be slow."""
    for _ in range(20):
        code, out, err = tune(*SMALL, "--budget", 10, **environment)
        if code or "are left" not in out:
            break
    return code, out, err


def one_model():
    code, out, err = tune(*SMALL, "--check")
    check("nothing is known at first", code == 0 and out.endswith("hit rate 0 %\n"), out + err)
    code, out, err = tune_all()
    check("a model is tuned", code == 0 and "known before" in out, out[-400:] + err)
    code, out, err = tune(*SMALL, "--budget", 10)
    check("what is known is not measured again", code == 0 and out.startswith("0 tuned, 0 of them"), out + err)
    code, out, _ = tune(*SMALL, "--check", "-p", "16,16")
    check("hit rate of the same: 100 %", code == 0 and "hit rate 100 %" in out, out)
    code, out, _ = tune(*SMALL, "--check", "-p", "2,3,7,9,11,13,100,200")
    check("hit rate of other prompts: 80 % or more", code == 0 and number(r"hit rate (\d+) %", out) >= 80, out)
    run = ["run", *SMALL, "-p", "Once upon a time", "-n", "8", "--temp", "0"]
    code, tuned, err = greta(*run, "-v")
    check("a run says how many are tuned", code == 0 and number(r"calls tuned \(hit rate (\d+) %\)", err) == 100, err)
    code, plain, err = greta(*run, "-v", "--no-tuning")
    check("--no-tuning", code == 0 and "calls tuned" not in err, err)
    check("both go on with the text", tuned and plain)
    code, _, err = greta(*run, "-v", GRETA_TUNING="")
    check("an empty GRETA_TUNING", code == 0 and "calls tuned" not in err, err)
    check("no other plan's entries", "hit rate 0 %" in tune(*SMALL, "--check", "--plan", "exact")[1])
    lengths = lambda *words: re.findall(r"a prompt of (\d+) tokens", tune(*SMALL[:4], "--check", *words)[1])
    check("prompts that the context holds", lengths("--ctx", 600) == ["64", "200", "512"] and lengths("--ctx", 40) == [], str(lengths("--ctx", 600)))
    for given, word in (("x", '"x"'), ("16,", ""), ("16,x", '"16,x"'), ("16,1", '"16,1"'), ("16,257", "context of 256")):
        code, out, err = tune(*SMALL, "--check", "-p", given)
        check(f"-p {given}", (code == 1 and not out and err.count("\n") == 1 and word in err) if word else (code == 0 and out.count("\n") == 3), out + err)
    check("another context has its own buckets", number(r"hit rate (\d+) %", tune(*SMALL[:4], "--ctx", 700, "--check")[1]) < 100)


def carried(folder):
    code, out, err = tune("--export", folder / "x.json")
    n = number(r"(\d+) entries written", out)
    check("export", code == 0 and n > 10, out + err)
    document = json.loads((folder / "x.json").read_text())
    check("all that was tried goes along", len(document["entries"]) == n and all(e["tried"] or e["ns"] == 0 for e in document["entries"]))
    code, out, err = tune("--database", folder / "there.db", "--import", folder / "x.json")
    check("import", code == 0 and number(r"(\d+) entries read", out) == n, out + err)
    there = str(folder / "there.db")
    check("as good there", "hit rate 100 %" in tune(*SMALL, "--check", "-p", "16", "--database", there)[1])
    check("the same list", tune("--list")[1] == tune("--list", "--database", there)[1])
    (folder / "bad.json").write_text('{"format": "greta-tuning", "version": 1, "entries": [{"op": "x"}]}')
    code, out, err = tune("--import", folder / "bad.json")
    check("a malformed file changes nothing", code == 1 and "bad.json" in err and number(r"(\d+) entries", tune("--export", folder / "y.json")[1]) == n, err)
    # A choice that is no row any more, and one that is of another op: the default serves.
    for entry in document["entries"]:
        entry["row"] = "no_such_row" if entry["op"] != "rms_norm" else "act_mul_plain"
    (folder / "foreign.json").write_text(json.dumps(document))
    foreign = str(folder / "foreign.db")
    tune("--database", foreign, "--import", folder / "foreign.json")
    code, out, err = greta("run", *SMALL, "-p", "Once", "-n", 4, "-v", GRETA_TUNING=foreign)
    check("choices that mean nothing are passed over", code == 0 and "hit rate 100 %" in err, err)


def agreement(folder):
    """Two searches on paper, and what tuning_agree.py says of them."""
    def search(row, noise, fast, slow, tried=("fast", "slow")):
        times = {"fast": fast, "slow": slow}
        entry = {"op": "matvec", "shape": "s", "types": "t", "device": "d", "driver": "v", "image": "i", "row": row, "ns": times[row], "noise": noise,
                 "tried": [{"row": r, "fault": "", "ns": times[r], "spread": 0.1} for r in tried]}
        return {"format": "greta-tuning", "version": 1, "entries": [entry]}

    for what, one, other, wanted in (("same", search("fast", 0.01, 100, 200), search("fast", 0.01, 100, 200), 0),
                                     ("within", search("fast", 0.05, 100, 104), search("slow", 0.02, 103, 102), 0),
                                     ("beyond", search("fast", 0.05, 100, 130), search("slow", 0.02, 101, 100), 1),
                                     ("untried", search("fast", 0.05, 100, 130, ["fast"]), search("slow", 0.02, 101, 100), 0)):
        for name, document in (("one", one), ("other", other)):
            (folder / f"{name}.json").write_text(json.dumps(document))
        run = subprocess.run([sys.executable, AGREE, folder / "one.json", folder / "other.json"], capture_output=True, text=True)
        counted = {"same": "1 the same", "within": "1 apart within", "beyond": "1 beyond it", "untried": "1 not measured"}[what]
        check(f"two searches: {what}", run.returncode == wanted and counted in run.stdout, run.stdout + run.stderr)
    run = subprocess.run([sys.executable, AGREE, folder / "x.json", folder / "x.json"], capture_output=True, text=True)
    check("a search agrees with itself", run.returncode == 0 and re.search(r"^(\d+) calls in both: \1 the same", run.stdout), run.stdout + run.stderr)


def set_aside(folder):
    for name, fill in (("text", lambda p: p.write_text("no database " * 100)),
                       ("torn", lambda p: p.write_bytes(pathlib.Path(os.environ["GRETA_TUNING"]).read_bytes()[:4096] + b"\xa5" * 9000)),
                       ("another", lambda p: sqlite3.connect(p).execute("create table t (a)").connection.commit())):
        path = folder / name
        fill(path)
        code, _, err = greta("run", *SMALL, "-p", "Once", "-n", 2, GRETA_TUNING=str(path))
        check(f"{name}: a run says so and goes on", code == 0 and ".aside, and the run goes on without" in err and not path.exists(), err)
        fill(path)
        code, out, err = tune("-d", "cpu", "--op", "rms_norm", "--shape", "2,256", "--budget", 1, GRETA_TUNING=str(path))
        check(f"{name}: a new one is begun", code == 0 and ".aside" in err and "and a new one is begun" in err and path.exists() and out.count("tuned") == 1, out + err)


def empty(folder):
    """What `touch`, a full disk or a tuner that was killed at once leave: nothing is tuned, and the file is still good for tuning."""
    path = folder / "empty.db"
    path.touch()
    code, out, err = greta("run", *SMALL, "-p", "Once", "-n", 2, GRETA_TUNING=str(path))
    check("empty: a run as without it", code == 0 and out and "cannot" not in err and path.exists() and path.stat().st_size == 0, err)
    code, out, err = tune("-d", "cpu", "--op", "rms_norm", "--shape", "2,256", "--budget", 1, GRETA_TUNING=str(path))
    check("empty: its tables are made", code == 0 and ".aside" not in err and path.stat().st_size > 0, out + err)


def together(folder):
    path = str(folder / "both.db")
    shapes = [f"{rows},{cols}" for rows in (1, 3, 9) for cols in (64, 128)]
    runs = [subprocess.Popen([GRETA, "tune", "-d", "cpu", "--op", op, "--shape", shape, "--budget", "0.3", "--database", path],
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            for shape in shapes[:3] for op in ("rms_norm", "add_rms_norm")]
    said = [run.communicate() for run in runs]
    check("six at once", all(run.returncode == 0 for run in runs), str(said))
    check("each has its entry", number(r"(\d+) entries", tune("--database", path, "--export", folder / "z.json")[1]) == 6)


def shapes():
    for op, shape in (("matvec", "64,256,w_type=q4_0"), ("matmul", "n_tok=5,n_rows=32,n_cols=64"), ("attn", "n_tok=4,n_head=4,n_head_kv=2,n_ctx=32,head_dim=32"),
                      ("gemm", "32,32,32"), ("softmax", "4,64"), ("rope_kv", "n_tok=2,n_head=4,n_head_kv=2,head_dim=32,n_rot=32,n_ctx=16")):
        code, out, err = tune("-d", "cpu", "--op", op, "--shape", shape, "--budget", 0.5, "--again")
        check(f"{op} {shape}", code == 0 and out.startswith((f"{op} ", "1 tuned", "0 tuned")), out + err)
    for arguments, word in ((["--op", "matvec", "--shape", "64"], "n_cols"), (["--op", "none"], "none"), (["--op", "matvec", "--shape", "x=3"], "x=3"),
                            (["--op", "none"], "matvec_qkv"), (["--op", "matvec", "--shape", "n_rows=0,n_cols=64"], "n_rows=0"),
                            (["--op", "matmul", "--shape", "0,32,64"], '"0"'), (["--op", "matvec", "--shape", "n_rows=3.5,n_cols=64"], "n_rows=3.5"),
                            (["--op", "matvec", "--shape", "64,64,add=-1"], "add=-1"),
                            (["--op", "attn", "--shape", "n_tok=9,n_head=1,n_head_kv=1,n_ctx=4"], "context")):
        code, _, err = tune("-d", "cpu", *arguments)
        check(f"refused: {arguments}", code == 1 and word in err, err)
    code, out, err = tune("-d", "cpu", "--op", "matvec", "--shape", "n_rows=256,n_cols=100,w_type=Q4_K")
    check("what no row serves", code == 1 and not out and err.startswith("greta: matvec (n_rows 256, n_cols 100, w_type Q4_K") and "no multiple" in err and err.count("\n") == 1, out + err)
    code, out, err = tune("-d", "cpu", "--op", "causal_mask", "--shape", "4,4")
    check("one row alone", code == 0 and out.startswith("0 tuned") and err == "greta: causal_mask: one row alone serves it here: there is nothing to choose\n", out + err)
    keys = [line for line in tune("--list")[1].splitlines() if not line.startswith(" ")]
    check("no comma behind an op without types", any(line.startswith("rms_norm ") for line in keys) and not any(line.rstrip().endswith(",") for line in keys), str(keys))
    for arguments in (["--shape", "1,2"], ["--dir", "x"], ["-p", "16"], ["--op", "matvec", "-m", "x"]):
        check(f"wrong usage: {arguments}", tune("-d", "cpu", *arguments)[0] == 2)


def images(folder):
    code, out, err = tune("--images", "--dir", folder / "code")
    lines = re.findall(r"^(spirv|amdgpu) +(\S+) +([0-9a-f]{16}) +(\d+) bytes$", out, re.M)
    check("images", code == 0 and len(set(lines)) == len(lines), err)
    for format, name, fnv, size in lines:
        file = folder / "code" / (name + (".spv" if format == "spirv" else ".co"))
        data = file.read_bytes() if file.exists() else b""
        check(f"{name}: as many bytes as it says", len(data) == int(size), str(len(data)))
        value = 14695981039346656037
        for byte in data[:20000] if len(data) <= 20000 else b"":
            value = (value ^ byte) * 1099511628211 % 2**64
        check(f"{name}: the hash that it says", len(data) > 20000 or f"{value:016x}" == fnv, f"{value:016x} {fnv}")
        if format == "spirv":
            check(f"{name}: SPIR-V", data[:4] == b"\x03\x02\x23\x07")
    check("different code, different hashes", len({hashlib.sha256(f.read_bytes()).hexdigest() for f in (folder / "code").glob("*")}) == len({x[2] for x in lines}))


def emulated():
    if WHY:
        print(f"hip:0 emulated: left out: {WHY}")
        return
    code, _, err = tune("-d", "hip:0", "--op", "rms_norm", "--shape", "1,64")
    check("an emulated device has no times", code == 1 and "emulated" in err, err)


def main(folder):
    os.environ["GRETA_CACHE"] = str(folder / "cache")
    os.environ["GRETA_TUNING"] = str(folder / "tuning.db")
    one_model()
    carried(folder)
    agreement(folder)
    set_aside(folder)
    empty(folder)
    together(folder)
    shapes()
    images(folder)
    emulated()
    check("no cache, no database: it says so", tune("-d", "cpu", "--list", GRETA_TUNING="")[0] == 1)


with tempfile.TemporaryDirectory() as name:
    main(pathlib.Path(name))
sys.exit(check_done())
