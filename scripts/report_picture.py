#!/usr/bin/env python3
"""One chart of a page of greta report as a picture for the documentation: report_picture.py REPORT.html "Roofline" OUT.svg [--width 720]

The page is drawn by a headless Chromium; the chart's SVG is taken out of it, with the page's colours, light and dark, and a title and a
line of the legend above it. The section is found by its heading.
"""
import argparse
import html
import pathlib
import re
import subprocess
import sys
import tempfile

FONT = "system-ui,'Segoe UI',Roboto,sans-serif"


def dom_of(path, width, chromium):
    with tempfile.TemporaryDirectory() as home:
        run = subprocess.run([chromium, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync",
                              f"--user-data-dir={home}", "--virtual-time-budget=2000", f"--window-size={width + 66},900", "--dump-dom", path.resolve().as_uri()],
                             capture_output=True, text=True, timeout=120)
    return run.stdout


def picture(dom, heading):
    section = next((s for s in re.findall(r"<section>(.*?)</section>", dom, re.S) if s.startswith(f"<h2>{html.escape(heading)}</h2>")), None)
    svg = re.search(r"<svg[^>]*>.*?</svg>", section, re.S) if section else None
    if not svg:
        sys.exit(f"report_picture.py: the page has no chart \"{heading}\"")
    width, height = map(float, re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', svg.group(0)).groups())
    body = re.sub(r'\s(tabindex|role)="[^"]*"', "", svg.group(0)[svg.group(0).index(">") + 1:-len("</svg>")])
    body = re.sub(r'\saria-label="[^"]*"', "", body)
    body = re.sub(r"(\d+\.\d\d)\d+", r"\1", body)
    colors = re.findall(r"--[\w]+: #\w+;", dom.split("</style>", 1)[0])
    half = len(colors) // 2
    legend = re.findall(r'<i style="background:\s*([^";]+);?"></i>([^<]*)', section)
    top, x, y, marks = 44 if legend else 26, 8, 40, ""
    for color, name in legend:
        if x + 26 + 7 * len(name) > width:
            x, y, top = 8, y + 20, top + 20
        marks += f'<circle cx="{x + 5}" cy="{y - 4}" r="5" fill="{color}"/><text x="{x + 15}" y="{y}">{name}</text>'
        x += 32 + 7 * len(name)
    style = (":root{" + "".join(colors[:half]) + "}@media (prefers-color-scheme:dark){:root{" + "".join(colors[half:]) + "}}"
             f"text{{fill:var(--soft);font:12px {FONT}}}.label,.head{{fill:var(--ink)}}.head{{font-weight:600;font-size:15px}}")
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width + 24:g} {height + top + 8:g}" width="{width + 24:g}" height="{height + top + 8:g}">'
            f'<style>{style}</style><rect width="100%" height="100%" rx="8" fill="var(--card)"/><text class="head" x="8" y="18">{html.escape(heading)}</text>'
            f'{marks}<g transform="translate(0 {top})">{body}</g></svg>\n')


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("report", type=pathlib.Path)
    parser.add_argument("heading")
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--width", type=int, default=720)
    parser.add_argument("--chromium", default="chromium")
    args = parser.parse_args()
    args.out.write_text(picture(dom_of(args.report, args.width, args.chromium), args.heading))
    return 0


if __name__ == "__main__":
    sys.exit(main())
