#!/usr/bin/env python3
"""Runs presets of greta bench on another machine and brings the results here.

  scripts/presets.py --host USER@HOST                    by ssh: copies the one binary, runs it, brings the results back, clears up there
  scripts/presets.py --bundle greta-presets.sh           without ssh: a file that holds the binary. Carry it there; one command,
                                                         `sh greta-presets.sh`, leaves one file, greta-results-....tar.gz, to carry back
  scripts/presets.py --unpack greta-results-....tar.gz   what came back, into --out
  --dry-run prints what would be done, and does nothing.

The binary needs nothing there but a C library (built with musl not even that) and the driver of the GPU; no Python, no root. Runs the roof
first, so that every result is a part of it, then the presets in order; a preset that fails or takes too long does not stop the next.
Exit 0: all passed and the results are here; 1: not so; 2: wrong usage.
"""
import argparse
import base64
import datetime
import gzip
import os
import pathlib
import re
import shlex
import subprocess
import sys
import tarfile
import tempfile
import zlib

ROOT = pathlib.Path(__file__).resolve().parent.parent
SECONDS = {"smoke": 600, "verify": 600, "standard": 1800, "perf": 5400}
SAFE = re.compile(r"results/[A-Za-z0-9][A-Za-z0-9._:-]*\.(json|txt)")
LARGEST = 64 << 20

RUN = r"""#!/bin/sh
# Runs beside the binary; leaves results.tar.gz and says STATUS=OK or STATUS=FAILED.
start=$PWD
cd "$(dirname "$0")" || exit 1
chmod +x ./greta && mkdir -p results || exit 1
GRETA_CACHE=$PWD/cache
export GRETA_CACHE
failed=0
limited() {
  seconds=$1; shift
  if command -v timeout >/dev/null 2>&1; then timeout "$seconds" "$@"; else "$@"; fi
}
step() { # name, seconds, arguments of greta
  name=$1; seconds=$2; shift 2
  limited "$seconds" ./greta "$@" >"results/$name.txt" 2>&1
  code=$?
  echo "exit $code" >>"results/$name.txt"
  if [ $code -eq 0 ]; then echo "ok   $name"; else echo "FAIL $name (exit $code)"; failed=1; tail -3 "results/$name.txt"; fi
}
@STEPS@
tar czf results.tar.gz results || exit 1
if [ $failed -eq 0 ]; then echo STATUS=OK; else echo STATUS=FAILED; fi
exit $failed
"""

BUNDLE = r"""#!/bin/sh
# Made by scripts/presets.py: runs presets of greta bench; leaves one file here to carry back.
set -u
if ! [ -w . ]; then echo "cannot write into $PWD, where the results are to go" >&2; exit 1; fi
folder=$(mktemp -d) || exit 1
trap 'rm -rf "$folder"' EXIT
sed '1,/^@RUN@$/d;/^@BINARY@$/,$d' "$0" >"$folder/run.sh"
sed '1,/^@BINARY@$/d' "$0" | base64 -d >"$folder/greta" || exit 1
sh "$folder/run.sh"
code=$?
out=greta-results-$(uname -n)-$(date -u +%Y-%m-%dT%H-%M-%SZ).tar.gz
if mv "$folder/results.tar.gz" "$out"; then echo "carry back: $PWD/$out"; exit $code; fi
trap - EXIT
echo "what there is of the results is left in $folder" >&2
exit 1
"""


def steps_of(args):
    on = ["-d", args.device] if args.device else []
    steps = [("devices", 120, ["devices", "--json"])]
    if not args.no_roof:
        steps.append(("roof", 600, ["bench", "roof", *on, "--out", "results"]))
    steps += [(f"preset-{preset}", SECONDS[preset], ["bench", "--preset", preset, *on, "--out", "results"]) for preset in args.preset.split(",")]
    if args.model:
        steps.append(("llm", 1800, ["bench", "llm", "-m", args.model, "-p", "128,512", "--depth", "0,512,1024,2048", "-n", "64", *on, "--out", "results"]))
    return steps


def word_of(word, args):
    """For the shell there. A model is named from where one is there: the home by ssh, or the folder of the bundle."""
    if word != args.model or word.startswith("/"):
        return shlex.quote(word)
    return '"$HOME"/' + shlex.quote(word[2:]) if word.startswith("~/") else '"$start"/' + shlex.quote(word)


def script_of(args):
    lines = (["step", name, str(seconds), *words] for name, seconds, words in steps_of(args))
    return RUN.replace("@STEPS@", "\n".join(" ".join(word_of(word, args) for word in line) for line in lines))


def take(tar, out):
    """Regular files of results only, whatever else the archive holds: it comes from another machine."""
    out.mkdir(parents=True, exist_ok=True)
    taken = []
    for member in tar:
        if member.isfile() and SAFE.fullmatch(member.name) and member.size <= LARGEST:
            path = out / member.name.split("/", 1)[1]
            path.write_bytes(tar.extractfile(member).read())
            taken.append(path)
        elif not member.isdir():
            print(f"presets.py: left in the archive: {member.name}", file=sys.stderr)
    return taken


def unpack(archive, out):
    """What came back, into the folder out; whether results are among it."""
    try:
        with tarfile.open(archive, "r:gz") as tar:
            taken = take(tar, out)
    except (tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError) as error:
        sys.exit(f"presets.py: {archive}: no archive of results, or not all of one: {error}")
    results = [path for path in taken if path.suffix == ".json" and path.name != "devices.json"]
    print(f"{len(results)} files of results in {out}: greta report {out} -o report.html")
    return len(results) > 0


def run(args, command, **more):
    print("+ " + shlex.join(command), flush=True)
    return None if args.dry_run else subprocess.run(command, text=True, **more)


def by_ssh(args):
    there = "greta-presets-" + datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")
    with tempfile.TemporaryDirectory() as folder:
        script, archive = pathlib.Path(folder) / "run.sh", pathlib.Path(folder) / "results.tar.gz"
        script.write_text(script_of(args))
        for command in (["ssh", args.host, f"mkdir {there}"], ["scp", "-q", str(args.greta), str(script), f"{args.host}:{there}/"]):
            done = run(args, command)
            if done and done.returncode:
                sys.exit(f"presets.py: {command[0]} failed with exit status {done.returncode}")
        # An hour without a word is cut off by some networks.
        ran = run(args, ["ssh", "-o", "ServerAliveInterval=30", args.host, f"sh {there}/run.sh"])
        back = run(args, ["scp", "-q", f"{args.host}:{there}/results.tar.gz", str(archive)])
        if back and back.returncode:
            sys.exit(f"presets.py: the run there did not end; what there is of its results is left in {args.host}:{there}/results")
        run(args, ["ssh", args.host, f"rm -rf {there}"])
        if args.dry_run:
            print("\n# run.sh there:\n" + script_of(args))
            return 0
        here = unpack(archive, pathlib.Path(args.out))
        return not here or ran.returncode != 0


def bundle(args):
    path = pathlib.Path(args.bundle)
    print(f"+ write {path}: a script with {args.greta} in it ({args.greta.stat().st_size / 1e6:.1f} MB)" if args.greta.exists() else f"+ write {path}")
    if args.dry_run:
        print("\n# what it runs there:\n" + script_of(args))
        return 0
    binary = base64.encodebytes(args.greta.read_bytes()).decode()
    path.write_text(BUNDLE.rstrip("\n") + "\n@RUN@\n" + script_of(args) + "@BINARY@\n" + binary)
    path.chmod(0o755)
    print(f"there: sh {path.name}\nhere, with what it leaves: scripts/presets.py --unpack greta-results-....tar.gz")
    return 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    way = parser.add_mutually_exclusive_group(required=True)
    way.add_argument("--host", help="by ssh on this machine")
    way.add_argument("--bundle", metavar="FILE", help="make a file that runs without ssh")
    way.add_argument("--unpack", metavar="FILE", help="take over what came back")
    parser.add_argument("--preset", default="smoke,standard", help="one or more, by commas; default smoke,standard")
    parser.add_argument("--device", help="of that machine: hip:0, vulkan:0, ...; else the best")
    parser.add_argument("--model", help="a GGUF file on that machine: prompts and decoding of it, too")
    parser.add_argument("--no-roof", action="store_true", help="leave out the roof")
    parser.add_argument("--greta", type=pathlib.Path, default=ROOT / "build/tools/greta/greta", help="the binary; default that of build/")
    parser.add_argument("--out", default="results", help="where the results go here; default results")
    parser.add_argument("--dry-run", action="store_true", help="print what would be done")
    args = parser.parse_args()
    try:
        return do(parser, args)
    except KeyboardInterrupt:
        sys.exit("presets.py: interrupted" + (f"; a folder greta-presets-... may be left on {args.host}" if args.host else ""))
    except OSError as error:
        sys.exit(f"presets.py: {f'{error.filename}: ' if error.filename else ''}{error.strerror or error}")


def do(parser, args):
    if unknown := [p for p in args.preset.split(",") if p not in SECONDS]:
        parser.error(f"there is no preset {unknown[0]!r}: {', '.join(SECONDS)}")
    if args.unpack:
        return not unpack(args.unpack, pathlib.Path(args.out))
    if not args.dry_run and not os.access(args.greta, os.X_OK):
        sys.exit(f"presets.py: there is no {args.greta}: build first (./quickstart), or name it by --greta")
    return by_ssh(args) if args.host else bundle(args)


if __name__ == "__main__":
    sys.exit(main())
