#!/usr/bin/env python3
"""What a timeline and the counters of kernels must be: trace.py check FILE ... | trace.py test GRETA DEVICE

check: faults of timelines, one line each; exits with 1 where there is one. test: runs the program with a profile in many ways, whole and
interrupted, with files that cannot be written, and checks what is left. The standard library only.
"""
import collections
import json
import os
import pathlib
import resource
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from checks import check, check_done, check_skip  # noqa: E402

HOST, DEVICE = 1, 2


# ---- timelines ----

def ns(microseconds):
    return round(microseconds * 1000)


class Timeline:
    """slices: {(process, thread): [(begin, end, event)]} in ns, as they lie on their tracks."""

    def __init__(self, path):
        self.root = json.loads(pathlib.Path(path).read_text(encoding="utf-8"))
        self.events, self.other = self.root["traceEvents"], self.root["otherData"]
        self.slices = collections.defaultdict(list)
        for e in self.events:
            if e["ph"] == "X":
                self.slices[e["pid"], e["tid"]].append((ns(e["ts"]), ns(e["ts"]) + ns(e["dur"]), e))
        for track in self.slices.values():
            track.sort(key=lambda s: (s[0], -s[1]))

    def of(self, pid, category):
        return sorted((s for track, found in self.slices.items() if track[0] == pid for s in found if s[2]["cat"] == category),
                      key=lambda s: (s[0], -s[1]))


def faults(t):
    """Lines, empty where all is well."""
    found = []
    names = {e["pid"]: e["args"]["name"] for e in t.events if e["ph"] == "M" and e["name"] == "process_name"}
    threads = {(e["pid"], e["tid"]) for e in t.events if e["ph"] == "M" and e["name"] == "thread_name"}
    for track, slices in t.slices.items():
        if track[0] not in names or track not in threads:
            found.append(f"the track {track} has no name")
        stack = []
        for begin, end, e in slices:
            while stack and stack[-1][0] <= begin:
                stack.pop()
            if stack and begin == stack[-1][2] and e["dur"] and end < stack[-1][0]:
                found.append(f"{e['name']} at {begin} ns begins together with {stack[-1][1]}, in which it lies")
            if stack and end > stack[-1][0]:
                found.append(f"{e['name']} at {begin} ns ends {end - stack[-1][0]} ns after {stack[-1][1]}, in which it began")
            stack.append((end, e["name"], begin))
    for e in t.events:
        if e["ph"] in "XC" and (e["ts"] < 0 or e.get("dur", 0) < 0):
            found.append(f"a negative time: {e}")
        if e["ph"] == "C" and any(value < 0 for value in e["args"].values()):
            found.append(f"less than no memory: {e}")
    if not t.other["emulated"]:
        found += kernel_faults(t) + submit_faults(t)
    return found


def kernel_faults(t):
    """Kernels lie in submits, and take no longer together."""
    found, submits = [], t.of(DEVICE, "submit")
    ends = {}
    for begin, end, e in submits:
        ends.setdefault(e["tid"], []).append((begin, end))
    for begin, end, e in t.of(DEVICE, "kernel"):
        if not any(a <= begin and end <= b for a, b in ends.get(e["tid"], [])):
            found.append(f"the kernel {e['name']} at {begin} ns lies in no submit")
    kernels, whole = sum(b - a for a, b, _ in t.of(DEVICE, "kernel")), sum(b - a for a, b, _ in submits)
    if kernels > whole:
        found.append(f"kernels take {kernels} ns, submits {whole} ns")
    return found


def submit_faults(t):
    """A submit lies in the phase whose name it has, as far as the clocks' alignment is known."""
    found, phases = [], collections.defaultdict(list)
    aligned = [e["args"] for e in t.events if e["name"] == "clocks aligned"]
    slack = 1000 + max([2 * a["uncertainty_ns"] + abs(a["moved_ns"]) for a in aligned], default=0)
    for begin, end, e in t.of(HOST, "phase"):
        phases[e["name"]].append((begin - slack, end + slack))
    killed = t.other["command"] not in phases  # then the phases that were open are not there
    for begin, end, e in t.of(DEVICE, "submit"):
        inside = phases.get(e["name"])
        if inside and killed and begin >= max(b for _, b in inside) - 2 * slack:
            continue
        if inside and not any(a <= begin and end <= b for a, b in inside):
            found.append(f"the submit {e['name']} at {begin} ns lies outside of its phase (slack {slack:.0f} ns)")
    return found


# ---- the program ----

class Program:
    def __init__(self, greta, device, folder):
        self.greta, self.device, self.folder = greta, device, folder
        self.emulated = False

    def command(self, *options, words=("run", "-p", "Once upon a time", "--seed", "1", "-n", "24")):
        return [self.greta, words[0], "-d", self.device, *words[1:], *options]

    def run(self, *options, **rest):
        words = {"words": rest.pop("words")} if "words" in rest else {}
        return subprocess.run(self.command(*options, **words), capture_output=True, check=False, timeout=120, **rest)

    def file(self, name):
        return str(self.folder / name)


def whole_run(p):
    """Phases, memory, text: with a profile as without."""
    plain, path, kernels = p.run(), p.file("run.json"), p.file("run.kernels.json")
    if plain.returncode and (b"not available" in plain.stderr or b"no device" in plain.stderr):
        check_skip(plain.stderr.decode())
    check("without a profile", plain.returncode == 0, plain.stderr.decode())
    for options in ([f"--profile={path}"], ["--profile", path, "--profile-kernels", kernels]):
        done = p.run(*options)
        if not check("with a profile", done.returncode == 0 and done.stdout == plain.stdout, done.stderr.decode()):
            return
        t = Timeline(path)
        for fault in faults(t):
            check("timeline", False, fault)
        names = [e["name"] for _, _, e in t.of(HOST, "phase")]
        tokens = [int(name.split()[-1]) for name in names if name.startswith("decode token")]
        check("phases", {"greta run", "open device", "load", "prepare session"} <= set(names) and
              any(name.startswith("prefill") for name in names), str(names))
        check("tokens", len(tokens) >= 20 and tokens == list(range(tokens[0], tokens[0] + len(tokens))), str(tokens))
        memory = [e["args"] for e in t.events if e["ph"] == "C"]
        check("memory", len(memory) > 2 and not any(memory[-1].values()), str(memory[-1:]))
        check("peak", t.other["peak_device_bytes"] == max(sum(m.values()) for m in memory))
        dispatches = [e for _, _, e in t.of(HOST, "dispatch")]
        check("dispatches", len(dispatches) > 20 and all(e["args"]["row"] and e["args"]["shape"] for e in dispatches))
        if t.other["emulated"]:
            check("no times", all(b == a for a, b, e in t.of(HOST, "call") + t.of(HOST, "dispatch")) and not t.of(DEVICE, "submit"))
        else:
            submits = {e["name"] for _, _, e in t.of(DEVICE, "submit")}
            check("submits", {n for n in names if n.startswith(("decode", "prefill"))} <= submits, str(submits))
            check("kernels", bool(t.of(DEVICE, "kernel")) == (len(options) > 1))
            check("alignment", t.other["alignments"] >= 2 and t.other["timestamps_lost"] == 0, str(t.other))
    p.emulated = t.other["emulated"]
    check_kernels(p, kernels, t, done.stderr.decode())


def check_kernels(p, path, t, table):
    root = json.loads(pathlib.Path(path).read_text(encoding="utf-8"))
    results = root["results"]
    n_tokens = sum(e["name"].startswith("decode token") for _, _, e in t.of(HOST, "phase"))
    keys = [r["key"] for r in results]
    check("keys", root["format"] == "greta-results" and len(set(keys)) == len(keys) > 10, str(keys))
    check("phases of kernels", {r["shape"]["phase"] for r in results} >= {"prefill", "decode"})
    for r in results:
        if r["shape"]["op"] == "row_lookup" and r["shape"]["phase"] == "decode":
            check("calls", r["counts"]["calls"] == n_tokens, str(r))
        check("work", r["counts"]["calls"] > 0 and r["counts"]["groups"] > 0 and r.get("bytes", 0) > 0, r["key"])
    products = [r for r in results if r["shape"]["op"].startswith("mat")]
    check("operations", products and all(r["flops"] > 0 for r in products))
    timed = sum(r["counts"].get("timed_ns", 0) for r in results)
    if t.other["emulated"]:
        check("no times", timed == 0 and not any("device_ns" in r for r in results) and "no times" in table)
        return
    phases = [(a, b) for a, b, e in t.of(HOST, "phase") if e["name"] == t.other["command"]]
    check("sum of kernels", 0 < timed <= phases[0][1] - phases[0][0], f"{timed} of {phases}")
    check("times", all(r["device_ns"]["n"] > 0 for r in results if r["counts"].get("timed_calls")))
    check("overhead", "with timestamps in it" in table and "timestamps," in table, table)
    check("table alone", b"matvec" in p.run("--profile-kernels", "-").stderr)


def other_commands(p):
    text = p.folder / "text"
    text.write_text("Once upon a time there was a dog. The dog was very happy and liked to play in the park.\n", encoding="utf-8")
    path = p.file("perplexity.json")
    plain = p.run(words=("perplexity", "-f", str(text)))
    done = p.run("--profile", path, words=("perplexity", "-f", str(text)))
    check("perplexity", done.returncode == 0 and done.stdout == plain.stdout, done.stderr.decode())
    check("perplexity's timeline", not faults(Timeline(path)), str(faults(Timeline(path))[:3]))
    if p.emulated:
        return
    done = p.run("--profile", path, words=("bench", "llm", "-p", "16", "-n", "8", "-r", "2"))
    check("bench llm", done.returncode == 0, done.stderr.decode())
    check("bench llm's timeline", not faults(Timeline(path)), str(faults(Timeline(path))[:3]))
    done = p.run("--profile", path, words=("bench", "rms_norm", "--preset", "verify"))
    check("bench", done.returncode == 0, done.stdout.decode() + done.stderr.decode())
    check("bench's timeline", not faults(Timeline(path)), str(faults(Timeline(path))[:3]))


def cannot_write(p):
    """Known before the work; or in the midst of it, which goes on."""
    for option in ("--profile", "--profile-kernels"):
        done = p.run(option, "/no/such/folder/file")
        check(f"{option} nowhere", done.returncode == 1 and not done.stdout and done.stderr.count(b"\n") == 1 and
              b"/no/such/folder/file" in done.stderr, done.stderr.decode())
    there = pathlib.Path(p.file("there.json"))
    there.write_text("kept")
    for one, other in ((p.file("one.json"), p.file("one.json")), (p.file("one.json"), f"{p.folder}/./one.json"), (str(there), str(there))):
        done = p.run("--profile", one, "--profile-kernels", other)
        check(f"one file for both: {other}", done.returncode == 1 and not done.stdout and done.stderr.count(b"\n") == 1 and b"a file each" in done.stderr, done.stderr.decode())
    check("nothing is written then", there.read_text() == "kept" and not os.path.exists(p.file("one.json")))
    if os.access("/dev/full", os.W_OK):
        done = p.run("--profile", "/dev/full")
        check("a full disk", done.returncode == 1 and not done.stdout and b"No space" in done.stderr, done.stderr.decode())

    def limit():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))

    done = p.run("--profile", p.file("cut.json"), preexec_fn=limit)
    check("a disk that fills up", done.returncode == 1 and done.stdout == p.run().stdout and
          done.stderr.count(b"cut.json") == 1 and b"too large" in done.stderr, done.stderr.decode())


def interrupted(p):
    """By Ctrl-C and by what cannot be caught: the file is whole."""
    text = pathlib.Path(p.file("long.txt"))
    text.write_text("Once upon a time there was a little girl. She liked to play in the park. " * 6000)  # 13 s of one core
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
        path = pathlib.Path(p.file("interrupted.json"))
        path.unlink(missing_ok=True)
        child = subprocess.Popen(p.command("--profile", str(path), words=("perplexity", "-f", str(text))),
                                 stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        until = time.monotonic() + 60
        while time.monotonic() < until and child.poll() is None and not (path.exists() and path.stat().st_size > 30000):
            time.sleep(0.01)
        if number == signal.SIGKILL:  # it would cut a write in two; stopping waits for the end of one
            child.send_signal(signal.SIGSTOP)
            os.waitpid(child.pid, os.WUNTRACED)
        child.send_signal(number)
        err = child.communicate(timeout=60)[1]
        check("ended by the signal", child.returncode == -number, f"{child.returncode} {err.decode()}")
        t = Timeline(path)
        cut = [e["name"] for _, _, e in t.of(HOST, "phase") if e.get("args", {}).get("cut")]
        check("phases that were cut", (t.other["command"] in cut) == (number != signal.SIGKILL), str(cut))
        check("whole", not faults(t), str(faults(t)[:3]))


def main():
    if len(sys.argv) > 2 and sys.argv[1] == "check":
        n = 0
        for path in sys.argv[2:]:
            t = Timeline(path)
            found = faults(t)
            n += len(found)
            print(*found, sep="\n", end="\n" if found else "")
            print(f"{path}: {t.other['command']} on {t.other['device']}: {sum(map(len, t.slices.values()))} slices on "
                  f"{len(t.slices)} tracks, {len(found)} faults")
        return n > 0
    with tempfile.TemporaryDirectory() as folder:
        p = Program(sys.argv[2], sys.argv[3], pathlib.Path(folder))
        whole_run(p)
        other_commands(p)
        cannot_write(p)
        interrupted(p)
    return check_done()


if __name__ == "__main__":
    sys.exit(main())
