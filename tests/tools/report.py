#!/usr/bin/env python3
"""greta report on results made here: report.py GRETA [CHROMIUM [FOLDER]]

The page is drawn by a real browser, on a wide screen, on a phone and in the dark, and the drawing is looked into. Without CHROMIUM that
part is left out, with a line. FOLDER keeps the pages and pictures.
"""
import csv
import html
import html.parser
import io
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from checks import check, check_done  # noqa: E402

GRETA, CHROMIUM = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else ""
SCRIPTS = pathlib.Path(__file__).resolve().parent.parent.parent / "scripts"


def times(p50, spread=0.02):
    low, high = p50 * (1 - spread / 2), p50 * (1 + spread / 2)
    return {"mean": p50, "p10": low, "p50": p50, "p90": high, "p99": high, "min": low, "max": high, "spread": spread, "n": 20}


def timed(name, key, ns, roof, **more):
    made = {"name": name, "key": f"{name}/{key}", "status": "OK", "row": name + "_row", "device_ns": times(ns), "host_ns": times(1.3 * ns), **more}
    made["gb_per_s"] = made.get("bytes", 0) / ns
    made["tflop_per_s"] = made.get("flops", 0) / ns * 1e-3
    memory, matrix = made.get("bytes", 0) / roof["copy_bytes_per_s"] * 1e9, made.get("flops", 0) / roof["flops_f16"] * 1e9
    made["bound"] = "memory" if memory >= matrix else "compute"
    made["percent_of_roof"] = 100 * max(memory, matrix) / ns
    made["check"] = {"how": "reference", "worst_in_bounds": 0.25}
    return made


def document(device, factor):
    roof = {"copy_bytes_per_s": 4e12 / factor, "flops_f16": 7e14 / factor, "flops_f32": 5e13 / factor}
    results = [timed("gemm", f"f16/m{n}/n{n}/k{n}", 2.0 * n**3 / 2e14 * 1e9 * factor + 4000, roof, bytes=8.0 * n * n, flops=2.0 * n**3,
                     shape={"m": n, "n": n, "k": n}) for n in (512, 1024, 2048, 4096)]
    results += [timed("matvec", f"{t}/4096x14336", ns * factor, roof, bytes=b, flops=117e6) for t, b, ns in
                (("F16", 117e6, 31500), ("Q8_0", 62e6, 22000), ("Q4_K", 33e6, 14000))]
    results += [timed("rms_norm", "1x4096", 2100 * factor, roof, bytes=49152, flops=16384)]
    for depth, ns in ((0, 4.4e6), (1024, 4.5e6), (2048, 4.65e6), (4096, 4.98e6)):
        results.append({"name": "llm", "key": f"llm/decode/depth{depth}", "status": "OK", "tokens": 1, "tokens_per_s": 1e9 / ns / factor,
                        "host_ns": times(ns * factor, 0.06), "shape": {"depth": depth, "model": "Llama-2-7B F16"}})
    results.append({"name": "softmax", "key": "softmax/1x4096/</script><b>", "status": "FAILED", "reason": "row 3: 0.5, expected 0.25"})
    results.append({"name": "gemm", "key": "gemm/f16/m8192", "status": "SKIPPED", "reason": "=predicted 9 s, budget 3 s"})
    kernels = [{"name": "matvec_rows", "calls": 4096, "time_ns": 3.1e9, "percent_of_roof": 71}, {"name": "attn_split", "calls": 1024, "time_ns": 4e8},
               {"name": "rms_norm_tiled", "calls": 2048, "time_ns": 9e7}]
    environment = {"date": "2026-01-02T03:04:05Z", "seed": 1, "revision": "abcdef", "compiler": "gcc 12.2.0", "host": {"cpu": "a cpu", "kernel": "6.1"},
                   "device": {"name": device, "backend": "vulkan", "driver": "a driver 1.2", "type": "discrete", "emulated": False}}
    return {"format": "greta-results", "version": 1, "environment": environment, "roof": roof, "results": results, "kernels": kernels}


def counted(name, n, matrix, conflicts):
    counts = {"launches": 1, "instructions": n, "instructions_matrix": int(n * matrix), "instructions_vector": n - int(n * matrix), "lds_cycles": 1000,
              "lds_conflict_cycles": conflicts, "bytes_loaded": 4096, "line_bytes_loaded": 8192}
    return {"name": "gemm", "key": f"gemm/F16/m64/{name}", "row": name, "status": "OK", "counts": {k: v for k, v in counts.items() if v}}


def emulated():
    made = document("An emulated device", 1)
    made["environment"]["device"]["emulated"] = True
    made["results"], made["roof"] = [counted("gemm_mfma_64x64", 3008, 0.25, 250), counted("gemm_simple", 81312, 0, 0)], {}
    del made["kernels"]
    return made


def profiled():
    """As --profile-kernels writes it: a result a kernel, with how often it ran and for how long in all."""
    made = document("A profiled device", 1)
    del made["kernels"]
    made["results"] = [{"name": "kernel", "key": f"kernel/{phase}/matvec/{row}", "row": row, "status": "OK", "device_ns": times(ns), "bytes": 1e6,
                        "percent_of_roof": 50, "shape": {"phase": phase}, "counts": {"calls": calls, "timed_calls": calls // 2, "timed_ns": ns * calls // 2}}
                       for phase, row, ns, calls in (("decode", "matvec_rows", 9000, 300), ("prefill", "matvec_rows", 9000, 100), ("decode", "attn_split", 4000, 100))]
    made["results"] += [{"name": "llm", "key": f"llm/prompt{n}", "status": "OK", "tokens": 1, "tokens_per_s": 900 + n, "host_ns": times(1e6),
                         "shape": {"depth": 0, "tokens": n, "phase": "prompt", "model": "m"}} for n in (128, 512)]
    return made


TUNING = {"format": "greta-tuning", "version": 1, "entries": [
    {"op": "matvec", "shape": f"n_rows={rows} n_cols=4096", "types": "w_type=Q4_K", "device": "d", "driver": "v", "image": "0", "row": "matvec_rows:rows=4",
     "date": "2026-01-02T03:04:05Z", "ns": 9000.0, "default_ns": 11000.0, "spread": 0.02, "seed": 1,
     "tried": [{"row": f"matvec_rows:rows={r}", "fault": "", "ns": 9000 * f, "spread": 0.02} for r, f in ((4, 1), (2, 1.22), (8, 1.4), (1, 2.2))]
              + [{"row": "matvec_wide", "fault": "its result is wrong", "ns": 0, "spread": 0}]} for rows in (4096, 11008)]}


def rows_of_calls():
    """Two calls of four rows each; in the second one the plan takes a row of twice the least time."""
    made = document("A device with rows", 1)
    del made["kernels"]
    made["results"] = []
    for n, plan in ((1024, "gemm_a"), (4096, "gemm_c")):
        times_of = {"gemm_a": 10000, "gemm_b": 13000, "gemm_c": 20000, "gemm_d": 300000}
        for row, ns in [*times_of.items(), ("auto", times_of[plan])]:
            made["results"].append(timed("gemm", f"F16/m{n}/n{n}/k{n}/row-row/{row}", ns, made["roof"], bytes=6.0 * n * n, flops=2.0 * n**3))
            made["results"][-1]["row"] = plan if row == "auto" else row
    made["results"].append(timed("silu", "128x11008/auto", 5000, made["roof"], bytes=1e6))
    made["roof"] = {}
    return made


class Page(html.parser.HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.links, self.n, self.text = [], {}, ""
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.n[tag] = self.n.get(tag, 0) + 1
        self.links += [value for name, value in attributes if name in ("src", "href")]

    def handle_data(self, data):
        self.text += data


def browse(path, *options):
    with tempfile.TemporaryDirectory() as home:
        run = subprocess.run([CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
                              "--disable-component-update", "--disable-sync", "--hide-scrollbars", f"--user-data-dir={home}", "--enable-logging=stderr",
                              "--virtual-time-budget=2000", *options, path.as_uri()], capture_output=True, text=True, timeout=120)
    errors = [line for line in run.stderr.splitlines() if "CONSOLE" in line]
    check(f"the browser says nothing of {path.name}", not errors, "; ".join(errors))
    return run.stdout


def browser(folder, one, two):
    for path, n_charts in ((one, 5), (two, 6)):
        page = Page(browse(path, "--window-size=1200,900", "--dump-dom"))
        check(f"{path.name}: charts", page.n.get("svg", 0) == n_charts, str(page.n))
        check(f"{path.name}: a mark a result", page.n.get("circle", 0) >= 12 and page.n.get("rect", 0) >= 8, str(page.n))
        for text in ("Roofline", "Time per kernel", "Decoding against context", "Tuning", "All results", "Environment", "a driver 1.2", "softmax/1x4096/</script><b>"):
            check(f"{path.name}: shows {text}", text in page.text)
        dom = browse(path, "--window-size=1200,900", "--dump-dom")
        shown = dom[:dom.index("<script")]
        n_of = [shown.count(f'<td class="of">A {name} device</td>') for name in ("fast", "slow")]
        check(f"{path.name}: whose each result is, where there are two", n_of == ([14, 14] if path == two else [0, 0]), str(n_of))
        check(f"{path.name}: marks of another device are rings", ('fill="var(--card)" stroke="var(--c' in shown, "rings are of the others" in shown) == (path == two, path == two))
        check(f"{path.name}: calls have names that tell them apart", all(f">matvec Q4_K rows {n} cols 4096<" in shown for n in (4096, 11008)))
    for name, made, says in (("counts", emulated(), ("Counts of the emulated device", "never times", "LDS conflicts %", "81,312", "matrix: 25 % of 3,008 instructions")),
                             ("mixed", [document("A fast device", 1), emulated()], ("Roofline", "Counts of the emulated device", "An emulated device")),
                             ("rows", rows_of_calls(), ("Rows of each call", "was not measured before: greta bench roof", ">gemm/F16/4096³<", "the plan: gemm_c", "2 times the fastest", "gemm_d", "30 times the fastest")),
                             ("kernels", profiled(), ("Time per kernel, decode", "3.1 ms of device time in 400 calls", "Time per kernel, prefill", "matvec_rows", "87.1 %", "300 calls", "Prompts by length"))):
        paths = [folder / f"{name}{i}.json" for i in range(len(made) if isinstance(made, list) else 1)]
        for path, content in zip(paths, made if isinstance(made, list) else [made]):
            path.write_text(json.dumps(content))
        check(f"a page of {name}", report(*paths, "-o", folder / f"{name}.html").returncode == 0)
        dom = browse(folder / f"{name}.html", "--window-size=1200,900", "--dump-dom")
        shown = Page(dom).text + html.unescape(dom)
        for text in says:
            check(f"{name}: shows {text}", text in shown)
        if name == "rows":
            chart = dom[dom.rindex("Rows of each call</h2>"):]
            chart = chart[:chart.index("</section>")]
            check("the call in which the plan loses comes first", 0 < chart.index("gemm/F16/4096³") < chart.index("gemm/F16/1024³") and chart.count("<circle") == 10 and "silu" not in chart, chart[:300])
        if name == "mixed":
            near = dom[dom.rindex("How near to the roof</h2>"):]
            check("no legend entry for a device without a bar", 'class="legend"' not in near[:near.index("</section>")])
    picture = folder / "roofline.svg"
    run = subprocess.run([sys.executable, str(SCRIPTS / "report_picture.py"), str(two), "Roofline", str(picture), "--chromium", CHROMIUM], capture_output=True, text=True)
    root = xml.etree.ElementTree.parse(picture).getroot() if picture.exists() else None
    check("a chart as a picture", run.returncode == 0 and root is not None and len(list(root.iter("{http://www.w3.org/2000/svg}circle"))) >= 16 and
          "prefers-color-scheme:dark" in picture.read_text(), run.stderr)
    run = subprocess.run([sys.executable, str(SCRIPTS / "report_picture.py"), str(two), "No such chart", str(picture), "--chromium", CHROMIUM], capture_output=True, text=True)
    check("a chart that is not there", run.returncode == 1 and "no chart" in run.stderr, run.stderr)
    for name, options in (("wide", ["--window-size=1200,2400"]), ("phone", ["--window-size=390,2400"]),
                          ("dark", ["--window-size=1200,2400", "--blink-settings=preferredColorScheme=0"])):
        picture = folder / f"{name}.png"
        browse(one if name == "phone" else two, *options, f"--screenshot={picture}")
        check(f"a picture, {name}", picture.exists() and picture.read_bytes()[:4] == b"\x89PNG" and picture.stat().st_size > 20000)


def report(*arguments):
    return subprocess.run([GRETA, "report", *map(str, arguments)], capture_output=True, text=True)


def main(folder):
    (folder / "results/deep").mkdir(parents=True, exist_ok=True)
    first, second, tuning = folder / "results/a.json", folder / "results/deep/b.json", folder / "results/tuning.json"
    first.write_text(json.dumps(document("A fast device", 1)))
    second.write_text(json.dumps(document("A slow device", 3)))
    tuning.write_text(json.dumps(TUNING))
    (folder / "results/other.json").write_text('{"format": "something else"}')
    (folder / "results/notes.txt").write_text("not JSON")

    one, two = folder / "one.html", folder / "two.html"
    run = report(first, tuning, "-o", one)
    check("a page of two files", run.returncode == 0 and not run.stdout, run.stderr)
    run = report(folder / "results", "-o", two)
    check("a page of a folder", run.returncode == 0 and "other.json" in run.stderr and "notes.txt" not in run.stderr, run.stderr)
    check("to standard output", report(first, tuning).stdout == one.read_text())
    text = two.read_text()
    page = Page(text)
    check("no other file is needed", not page.links and not re.search(r"url\(|@import|fetch\(|https?://(?!www\.w3\.org/)", text))
    data = json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.S).group(1))
    check("all of the data is in it", [run["file"] for run in data] == ["a.json", "b.json", "tuning.json"] and len(data[0]["results"]) == 14, str(data)[:200])

    run = report(folder / "results", "--csv")
    table = list(csv.DictReader(io.StringIO(run.stdout)))
    check("a line a result", run.returncode == 0 and len(table) == 28, str(len(table)))
    check("its values", table[3]["key"] == "gemm/f16/m4096/n4096/k4096" and abs(float(table[3]["tflop_per_s"]) - 198.85) < 0.1 and
          table[0]["device"] == "A fast device" and table[14]["file"] == "b.json", str(table[3]))
    check("a text that looks like a formula", table[13]["reason"] == " =predicted 9 s, budget 3 s", str(table[13]))

    for what, arguments, code, says in (("nothing named", [], 2, "which results"), ("a file that is not there", [folder / "none.json"], 1, "none.json"),
                                        ("a file of something else", [folder / "results/other.json"], 1, '"format"'),
                                        ("a folder without results", [folder / "empty"], 1, "no results"),
                                        ("a page that cannot be written", [first, "-o", folder / "none/x.html"], 1, "cannot write")):
        (folder / "empty").mkdir(exist_ok=True)
        run = report(*arguments)
        check(what, run.returncode == code and says in run.stderr, run.stderr)
    if CHROMIUM:
        browser(folder, one, two)
    else:
        print("no Chromium here: the pages were not drawn")
    return check_done()


if __name__ == "__main__":
    if len(sys.argv) > 3:
        sys.exit(main(pathlib.Path(sys.argv[3]).resolve()))
    with tempfile.TemporaryDirectory() as name:
        sys.exit(main(pathlib.Path(name)))
