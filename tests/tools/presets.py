#!/usr/bin/env python3
"""scripts/presets.py with an ssh and an scp that stay on this machine: presets.py SCRIPT GRETA"""
import io
import json
import os
import pathlib
import shlex
import shutil
import subprocess
import sys
import tarfile
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from checks import check, check_done  # noqa: E402

SCRIPT, GRETA = str(pathlib.Path(sys.argv[1]).resolve()), str(pathlib.Path(sys.argv[2]).resolve())

SSH = """#!/bin/sh
# ssh HOST COMMAND, in the other machine's home
echo "ssh $*" >>"$FAKE_LOG"
[ "$1" = -o ] && shift 2
[ "$1" = away ] && exit 255
case "$1 $*" in cut*run.sh*) cd "$FAKE_HOME"/greta-presets-* && mkdir results && echo half >results/roof.txt; exit 255;; esac
cd "$FAKE_HOME" && shift && exec sh -c "$*"
"""
SCP = """#!/bin/sh
# scp -q FROM... TO, where other: is that home
echo "scp $*" >>"$FAKE_LOG"
shift
for last; do :; done
while [ $# -gt 1 ]; do
  from=$(echo "$1" | sed "s,^\\(other\\|cut\\):,$FAKE_HOME/,"); cp "$from" "$(echo "$last" | sed "s,^\\(other\\|cut\\):,$FAKE_HOME/,")" || exit 1; shift
done
"""
PROGRAM = """#!/bin/sh
# greta: writes a file of results for each bench; fails where the preset is verify
case "$*" in *" -m "*) cat "$4" || exit 1;; esac
case "$*" in *verify*) echo "it went wrong" >&2; exit 1;; *--out*) echo '{"format": "greta-results"}' >"results/$(echo "$*" | tr -dc a-z0-9).json";; *) echo '{}';; esac
"""


class Machine:
    def __init__(self, folder):
        self.folder, self.home, self.log = folder, folder / "home", folder / "log"
        (folder / "bin").mkdir()
        self.home.mkdir()
        for name, text in (("bin/ssh", SSH), ("bin/scp", SCP), ("greta", PROGRAM)):
            (folder / name).write_text(text)
            (folder / name).chmod(0o755)
        self.environment = {**os.environ, "PATH": f"{folder / 'bin'}:{os.environ['PATH']}", "FAKE_HOME": str(self.home), "FAKE_LOG": str(self.log)}

    def run(self, *words, cwd=None):
        self.log.write_text("")
        run = subprocess.run([str(w) for w in words], capture_output=True, text=True, env=self.environment, cwd=cwd or self.folder)
        return run.returncode, run.stdout + run.stderr

    def script(self, *words):
        return self.run(sys.executable, SCRIPT, "--greta", self.folder / "greta", *words)


def ssh(m):
    out = m.folder / "out"
    (m.home / "m.gguf").write_text("a model")
    code, text = m.script("--host", "other", "--device", "hip:0", "--preset", "smoke,standard", "--model", "m.gguf", "--out", out)
    names = sorted(p.name for p in out.iterdir()) if out.exists() else []
    check("by ssh", code == 0 and "STATUS=OK" in text and "4 files of results" in text, text)
    check("roof, presets, model, devices", {"roof.txt", "preset-smoke.txt", "preset-standard.txt", "llm.txt", "devices.txt"} <= set(names), str(names))
    check("on the device that was named", any("standarddhip0" in name for name in names), str(names))
    check("a model is named from the home there", "a model" in (out / "llm.txt").read_text())
    (m.home / "m.gguf").unlink()
    check("nothing is left there", not list(m.home.iterdir()) and m.log.read_text().splitlines()[-1].startswith("ssh other rm -rf greta-presets-"), m.log.read_text())
    code, text = m.script("--host", "other", "--preset", "verify,smoke", "--out", m.folder / "failed")
    check("a preset that fails does not stop the next", code == 1 and "FAIL preset-verify (exit 1)" in text and "ok   preset-smoke" in text and
          "it went wrong" in (m.folder / "failed/preset-verify.txt").read_text(), text)
    code, text = m.script("--host", "cut")
    left = list(m.home.glob("greta-presets-*/results/roof.txt"))
    check("a connection that is cut loses nothing", code == 1 and len(left) == 1 and "is left in cut:greta-presets-" in text, text)
    shutil.rmtree(left[0].parent.parent)
    code, text = m.script("--host", "away")
    check("no way there", code == 1 and "ssh failed with exit status 255" in text, text)
    code, text = m.script("--host", "other", "--dry-run", "--preset", "perf")
    check("a dry run does nothing", code == 0 and not m.log.read_text() and "+ ssh other 'mkdir" in text and "step preset-perf 5400 bench --preset perf" in text, text)
    check("wrong usage", m.script("--host", "other", "--preset", "fast")[0] == 2 and m.script()[0] == 2)
    code, text = m.run(sys.executable, SCRIPT, "--greta", m.folder / "none", "--host", "other")
    check("no binary", code == 1 and "build first" in text and not m.log.read_text(), text)


def carried(m):
    there = m.folder / "there"
    there.mkdir()
    code, text = m.run(sys.executable, SCRIPT, "--greta", GRETA, "--bundle", there / "presets.sh", "--device", "cpu", "--preset", "verify", "--no-roof")
    check("a bundle", code == 0 and "sh presets.sh" in text, text)
    code, text = m.run("sh", "presets.sh", cwd=there)
    left = list(there.glob("greta-results-*.tar.gz"))
    check("one command there leaves one file", code == 0 and len(left) == 1 and len(list(there.iterdir())) == 2 and "STATUS=OK" in text, text)
    code, text = m.script("--unpack", *left, "--out", m.folder / "carried")
    files = list((m.folder / "carried").glob("*-cpu-0-verify.json"))
    check("unpacked here", code == 0 and len(files) == 1 and json.loads(files[0].read_text())["results"], text)
    code, text = m.script("--bundle", there / "fake.sh", "--model", "~/it's.gguf", "--no-roof")
    (m.home / "it's.gguf").write_text("a model")
    command = f"HOME={shlex.quote(str(m.home))} sh fake.sh"
    code, text = m.run("sh", "-c", command, cwd=there)
    check("a model in the home there", code == 0 and "STATUS=OK" in text, text)
    for archive in there.glob("greta-results-*.tar.gz"):
        archive.unlink()
    (m.folder / "bin/mv").write_text("#!/bin/sh\necho no room >&2; exit 1\n")
    (m.folder / "bin/mv").chmod(0o755)
    code, text = m.run("sh", "-c", command, cwd=there)
    (m.folder / "bin/mv").unlink()
    kept = pathlib.Path(text.split("left in ")[-1].strip())
    check("results that cannot be put there are kept", code == 1 and (kept / "results.tar.gz").exists(), text)
    shutil.rmtree(kept, ignore_errors=True)
    code, text = m.script("--bundle", m.folder / "dry.sh", "--dry-run")
    check("a dry run of a bundle", code == 0 and not (m.folder / "dry.sh").exists() and "step preset-smoke" in text, text)


def hostile(m):
    archive = m.folder / "evil.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        for name in ("../evil.json", "/tmp/evil.json", "results/../../evil.json", "results/.hidden.json", "results/x.sh", "results/good.json"):
            info = tarfile.TarInfo(name)
            info.size = 2
            tar.addfile(info, io.BytesIO(b"{}"))
        link = tarfile.TarInfo("results/link.json")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(link)
    code, text = m.script("--unpack", archive, "--out", m.folder / "safe")
    check("only results are taken out of an archive", code == 0 and [p.name for p in (m.folder / "safe").iterdir()] == ["good.json"] and
          text.count("left in the archive") == 6, text)


def one_line(m, what, words, *wanted):
    code, text = m.script(*words)
    check(f"one line: {what}", code == 1 and text.startswith("presets.py: ") and text.count("\n") == 1 and all(w in text for w in wanted), text)


def faults(m):
    whole = m.folder / "whole.tar.gz"
    with tarfile.open(whole, "w:gz") as tar:
        info = tarfile.TarInfo("results/good.json")
        info.size = 1 << 20
        tar.addfile(info, io.BytesIO(os.urandom(info.size)))
    (m.folder / "half.tar.gz").write_bytes(whole.read_bytes()[:500000])
    (m.folder / "text.tar.gz").write_text("not what was meant")
    (m.folder / "empty.tar.gz").write_text("")
    for name in ("half", "text", "empty"):
        one_line(m, f"an archive that is {name}", ["--unpack", m.folder / f"{name}.tar.gz", "--out", m.folder / "faults"], f"{name}.tar.gz", "no archive of results")
    one_line(m, "no archive", ["--unpack", m.folder / "none.tar.gz", "--out", m.folder / "nowhere"], "none.tar.gz", "No such file")
    check("nothing is made for no archive", not (m.folder / "nowhere").exists())
    one_line(m, "a folder as archive", ["--unpack", m.folder], str(m.folder), "directory")
    one_line(m, "a file as the folder", ["--unpack", whole, "--out", m.folder / "text.tar.gz"], "text.tar.gz")
    code, text = m.script("--bundle", m.folder / "none/x.sh")
    check("a bundle into no folder", code == 1 and "presets.py: " in text and "none/x.sh: No such file" in text and "Traceback" not in text, text)
    m.environment, kept = {**m.environment, "PATH": str(m.folder / "nothing")}, m.environment
    code, text = m.script("--host", "other")
    check("no ssh here", code == 1 and "presets.py: ssh: No such file" in text and "Traceback" not in text, text)
    m.environment = kept


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        machine = Machine(pathlib.Path(name))
        for part in (ssh, carried, hostile, faults):
            part(machine)
    sys.exit(check_done())
