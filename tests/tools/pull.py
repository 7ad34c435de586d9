#!/usr/bin/env python3
"""greta pull against a server on the loopback: pull.py GRETA

Whole files, resuming, a server that cannot resume, one whose file has changed or that sends another part than was asked for, Ctrl-C,
redirects, checksums that fit and do not, errors, a page in place of a model, names of files. Exit 77 where libcurl is not installed.
"""
import hashlib
import http.server
import os
import pathlib
import random
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from checks import check, check_done, check_skip  # noqa: E402

GRETA = os.path.abspath(sys.argv[1])
MODEL = b"GGUF" + random.Random(1).randbytes(3_000_000)
CHANGED = b"GGUF" + random.Random(2).randbytes(3_000_000)
SHA = hashlib.sha256(MODEL).hexdigest()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    seen = []  # (path, Range header)
    stalled, go_on = threading.Event(), threading.Event()

    def log_message(self, *_):
        pass

    def reply(self, status, body=b"", **headers):
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        path, wanted = self.path, self.headers.get("Range")
        Handler.seen.append((path, wanted))
        if path in ("/404", "/403", "/500"):
            return self.reply(int(path[1:]), b"<html>no</html>")
        if path == "/page":
            return self.reply(200, b"<html>this is not a model</html>")
        if path == "/redirect":
            return self.reply(302, b"moved", Location="/linked", X_Linked_Etag=f'"{SHA}"')
        if path == "/redirect-wrong":
            return self.reply(302, b"moved", Location="/linked", X_Linked_Etag='"' + "0" * 64 + '"')
        if path == "/file-scheme":
            return self.reply(302, b"moved", Location="file:///etc/passwd")
        body, etag = (CHANGED, '"two"') if path == "/changed" else (MODEL, '"one"')
        if path == "/no-range":
            return self.reply(200, body)
        begin = int(wanted.split("=")[1].rstrip("-")) if wanted else 0
        if path == "/shifted" and wanted:
            return self.reply(206, body[begin + 1:], ETag=etag, Content_Range=f"bytes {begin + 1}-{len(body) - 1}/{len(body)}")
        if path == "/dated":
            date, fits = "Mon, 01 Jan 2024 00:00:00 GMT", self.headers.get("If-Range") == "Mon, 01 Jan 2024 00:00:00 GMT"
            extra = {"Content_Range": f"bytes {begin}-{len(body) - 1}/{len(body)}"} if fits else {}
            return self.reply(206 if fits else 200, body[begin if fits else 0:], Last_Modified=date, ETag='W/"weak"', **extra)
        if path == "/stalls" and not wanted:  # gives half, then waits
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("ETag", etag)
            self.end_headers()
            self.wfile.write(body[: len(body) // 2])
            self.wfile.flush()
            Handler.stalled.set()
            Handler.go_on.wait(30)
            self.close_connection = True
            return
        if wanted and self.headers.get("If-Range") in (None, etag):
            if begin >= len(body):
                return self.reply(416, b"", Content_Range=f"bytes */{len(body)}")
            return self.reply(206, body[begin:], ETag=etag, Content_Range=f"bytes {begin}-{len(body) - 1}/{len(body)}")
        if path == "/breaks" and not wanted:  # promises all, gives half
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("ETag", etag)
            self.end_headers()
            self.wfile.write(body[: len(body) // 2])
            self.close_connection = True
            return
        self.reply(200, body, ETag=etag)


class Server(http.server.ThreadingHTTPServer):
    def handle_error(self, *_):  # clients that hang up are part of the test
        pass


class Pulls:
    """The program and a server for it, in a folder of their own."""

    def __init__(self, work):
        self.work, self.n = work, 0
        server = Server(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.base = f"http://127.0.0.1:{server.server_address[1]}"
        self.env = {**os.environ, "no_proxy": "*", "GRETA_CACHE": str(work / "cache"), "XDG_CACHE_HOME": str(work / "xdg")}
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            self.env.pop(name, None)

    def run(self, *words, **environment):
        return subprocess.run([GRETA, "pull", *words], capture_output=True, text=True, env={**self.env, **environment}, timeout=60)

    def pull(self, path, *words, out=None, part=None, etag=None):
        """Into a new file, or `out`, of which a part may be there."""
        self.n += 1
        target = out or self.work / f"{self.n}.gguf"
        if part is not None:
            target.with_suffix(".gguf.part").write_bytes(part)
        if etag is not None:
            target.with_suffix(".gguf.part.etag").write_text(etag)
        Handler.seen.clear()
        return target, self.run(*words, "-o", str(target), path if "://" in path else self.base + path)


def whole(p):
    """Whole files, and their checksums."""
    target, run = p.pull("/model.gguf")
    if "libcurl" in run.stderr:
        check_skip(run.stderr.strip())
    check("a whole file", run.returncode == 0 and target.read_bytes() == MODEL, run.stderr)
    check("its path alone on stdout", run.stdout.strip() == str(target), run.stdout)
    check("no part left behind", not list(p.work.glob("*.part*")))

    target, run = p.pull("/model.gguf", "--sha256", SHA)
    check("the right checksum", run.returncode == 0 and target.exists(), run.stderr)
    target, run = p.pull("/model.gguf", "--sha256", "ab" * 32)
    check("a wrong checksum", run.returncode == 1 and not target.exists() and "SHA-256" in run.stderr, run.stderr)
    check("a wrong checksum leaves nothing", not list(p.work.glob("*.part*")))
    _, run = p.pull("/model.gguf", "--sha256", "xyz")
    check("no checksum at all", run.returncode in (1, 2) and "hex" in run.stderr, run.stderr)


def resumed(p):
    """Parts that are there already."""
    target, run = p.pull("/model.gguf", part=MODEL[:1_000_000], etag='"one"')
    check("resumes", run.returncode == 0 and target.read_bytes() == MODEL and Handler.seen[0][1] == "bytes=1000000-", run.stderr)
    target, run = p.pull("/changed", part=MODEL[:1_000_000], etag='"one"')
    check("starts anew where the file has changed", run.returncode == 0 and target.read_bytes() == CHANGED, run.stderr)
    target, run = p.pull("/no-range", part=MODEL[:1_000_000])
    check("starts anew where the server cannot resume", run.returncode == 0 and target.read_bytes() == MODEL, run.stderr)
    target, run = p.pull("/dated", part=MODEL[:1_000_000], etag="Mon, 01 Jan 2024 00:00:00 GMT")
    check("resumes by date", run.returncode == 0 and target.read_bytes() == MODEL and Handler.seen[0][1] is not None, run.stderr)
    target, run = p.pull("/model.gguf", part=CHANGED[:1_000_000])
    check("a part of who knows what", run.returncode == 0 and target.read_bytes() == MODEL and Handler.seen[0][1] is None, run.stderr)
    target, run = p.pull("/model.gguf", "--sha256", SHA, part=MODEL[:1_000_000])
    check("goes on where the checksum will tell", run.returncode == 0 and target.read_bytes() == MODEL
          and Handler.seen[0][1] is not None, run.stderr)
    target, run = p.pull("/shifted", part=MODEL[:1_000_000], etag='"one"')
    check("another part than was asked for", run.returncode == 1 and not target.exists() and "part" in run.stderr, run.stderr)
    target, run = p.pull("/model.gguf", part=MODEL, etag='"one"')
    check("a part that is whole", run.returncode == 0 and target.read_bytes() == MODEL, run.stderr)
    target, run = p.pull("/model.gguf", part=MODEL + b"more", etag='"one"')
    check("a part that is too long", run.returncode == 1 and not target.exists(), run.stderr)


def interrupted(p):
    """Transfers that break, and Ctrl-C."""
    target, run = p.pull("/breaks")
    check("a transfer that breaks", run.returncode == 1 and not target.exists() and "goes on" in run.stderr, run.stderr)
    target, run = p.pull("/breaks", out=target)
    check("goes on after it", run.returncode == 0 and target.read_bytes() == MODEL, run.stderr)

    target = p.work / "stopped.gguf"
    going = subprocess.Popen([GRETA, "pull", "-o", str(target), p.base + "/stalls"], stderr=subprocess.PIPE, text=True, env=p.env)
    Handler.stalled.wait(30)
    time.sleep(0.2)
    _, run = p.pull("/model.gguf", out=target)
    check("two at once", run.returncode == 1 and "another" in run.stderr, run.stderr)
    going.send_signal(signal.SIGINT)
    words = going.communicate(timeout=30)[1]
    part = target.with_suffix(".gguf.part")
    check("Ctrl-C", going.returncode == 1 and "goes on" in words and not target.exists() and part.stat().st_size > 0, words)
    Handler.go_on.set()
    _, run = p.pull("/stalls", out=target)
    check("goes on after Ctrl-C", run.returncode == 0 and target.read_bytes() == MODEL
          and Handler.seen[0][1] not in (None, "bytes=0-"), run.stderr)


def refused(p):
    """Redirects, errors of servers, what is no model; servers and folders that are not there."""
    target, run = p.pull("/redirect")
    check("a redirect that names the checksum", run.returncode == 0 and target.read_bytes() == MODEL, run.stderr)
    target, run = p.pull("/redirect-wrong")
    check("a redirect that names another checksum", run.returncode == 1 and not target.exists(), run.stderr)
    target, run = p.pull("/file-scheme")
    check("a redirect to file:// is not followed", run.returncode == 1 and not target.exists(), run.stderr)
    for path in ("/404", "/403", "/500"):
        target, run = p.pull(path)
        check(f"an answer of {path[1:]}", run.returncode == 1 and path[1:] in run.stderr and not target.exists(), run.stderr)
    target, run = p.pull("/page")
    check("a page in place of a model", run.returncode == 1 and "GGUF" in run.stderr and not target.exists(), run.stderr)

    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        target, run = p.pull(f"http://127.0.0.1:{closed.getsockname()[1]}/x.gguf")
    check("nobody listens", run.returncode == 1 and run.stderr.strip() != "", run.stderr)
    target, run = p.pull("/model.gguf", out=p.work / "no" / "such" / "folder.gguf")
    check("no such folder", run.returncode == 1 and "folder" in run.stderr, run.stderr)
    _, run = p.pull("ftp://127.0.0.1/x.gguf")
    check("another scheme", run.returncode in (1, 2) and run.stderr.strip() != "", run.stderr)


def names(p):
    """Names of models, and of files in the cache."""
    run = p.run("no-such-model")
    check("an unknown name", run.returncode == 2 and "--list" in run.stderr, run.stderr)
    run = p.run("--list")
    check("the list", run.returncode == 0 and "llama-2-7b" in run.stdout, run.stderr)
    run = p.run(p.base + "/model.gguf")
    kept = pathlib.Path(run.stdout.strip() or "/nonexistent")
    check("without -o it goes into the cache", run.returncode == 0 and p.work in kept.parents and kept.read_bytes() == MODEL, run.stderr)
    again = p.run(p.base + "/model.gguf")
    check("and is not fetched twice", again.returncode == 0 and again.stdout == run.stdout, again.stderr)
    again = p.run("--sha256", "0" * 64, p.base + "/model.gguf")
    check("a file of that name with another checksum", again.returncode == 1 and "SHA-256" in again.stderr
          and kept.read_bytes() == MODEL, again.stderr)
    for url, name in (("/a/b/my%20model.gguf?download=1", "my_20model.gguf"), ("/a/..?x", "_."), ("/", "model.gguf"),
                      ("/x/$(id).gguf#y", "__id_.gguf")):
        run = p.run(p.base + url)
        check(f"the name of {url}", run.stdout.strip() == str(p.work / "cache" / "models" / name), run.stdout + run.stderr)
    run = p.run(p.base + "/model.gguf", GRETA_CACHE="")
    check("no cache", run.returncode == 1 and "-o" in run.stderr, run.stderr)


def places(p):
    """Places where no file can be written; wrong usage."""
    _, run = p.pull("/model.gguf", out=p.work)
    check("a folder of that name", run.returncode == 1 and "no file" in run.stderr, run.stderr)
    if os.path.exists("/dev/full"):
        (p.work / "full.gguf.part").symlink_to("/dev/full")
        _, run = p.pull("/model.gguf", out=p.work / "full.gguf")
        check("a full disk", run.returncode == 1 and "cannot write" in run.stderr, run.stderr)
    for args in ([], ["--list", "x"], ["a", "b"]):
        run = p.run(*args)
        check(f"wrong usage {args}", run.returncode == 2, run.stderr)


def main():
    with tempfile.TemporaryDirectory() as work:
        p = Pulls(pathlib.Path(work))
        for part in (whole, resumed, interrupted, refused, names, places):
            part(p)
    return check_done()


if __name__ == "__main__":
    sys.exit(main())
