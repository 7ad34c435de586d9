#!/usr/bin/env python3
"""The documentation against itself and against the code: docs.py SOURCE_ROOT

Relative links and their anchors exist; so do the files and folders of the tree that pages name in backquotes. docs/en and docs/es have
the same pages with the same sections and code. Every environment variable of rt/include/greta/env.h stands in both pages environment.md, in its
order, and nothing else does. Every page can be reached from its README.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(sys.argv[1]).resolve()
failures = 0


def fail(page, what):
    global failures
    failures += 1
    print(f"FAIL {page.relative_to(ROOT)}: {what}")


def pages():
    skipped = re.compile(r"(build[^/]*|subprojects|\..*)$")
    for path in sorted(ROOT.rglob("*.md")):
        if not any(skipped.match(part) for part in path.relative_to(ROOT).parts[:-1]):
            yield path


def without_code(text):
    return re.sub(r"^```.*?^```$", "", text, flags=re.S | re.M)


def anchors(text):
    """As GitHub makes them: lower case, punctuation gone, blanks to dashes; repeated ones get -1, -2, ..."""
    found = []
    for heading in re.findall(r"^#{1,6} +(.*?) *$", without_code(text), re.M):
        heading = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).replace("`", "").lower()
        anchor = re.sub(r"[^\w\- ]", "", heading).replace(" ", "-")
        found.append(anchor if anchor not in found else f"{anchor}-{sum(a.startswith(anchor) for a in found)}")
    return found


def links(text):
    text = re.sub(r"`[^`\n]*`", "", without_code(text))
    return re.findall(r"\[[^\]]*\]\(([^)\s]+)\)", text)


def check_links(page):
    """Returns the pages that this one links to."""
    targets = set()
    text = page.read_text()
    for link in links(text):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists():
            fail(page, f"there is no {link}")
        elif anchor and anchor not in anchors(target.read_text()):
            fail(page, f"{link}: no such section; there are {', '.join(anchors(target.read_text()))}")
        targets.add(target)
    return targets


def check_paths(page):
    """`kernels/ref/ref.c` and the like, where the first part is a folder of the tree."""
    tops = {p.name for p in ROOT.iterdir() if p.is_dir()} - {"build"}
    for path in re.findall(r"`([\w./-]+/[\w./-]*)`", without_code(page.read_text())):
        if path.split("/")[0] in tops and not (ROOT / path).exists():
            fail(page, f"names {path}, which is not there")


def check_translations():
    en, es = ROOT / "docs/en", ROOT / "docs/es"
    pairs = [(p, es / p.name) for p in sorted(en.glob("*"))] + [(ROOT / "README.md", ROOT / "README.es.md")]
    for extra in sorted({p.name for p in es.glob("*")} - {p.name for p in en.glob("*")}):
        fail(es / extra, "has no English page")
    for first, second in pairs:
        if not second.exists():
            fail(second, "is missing")
            continue
        a, b = first.read_text(), second.read_text()
        for what, pattern in (("sections", r"^#+ "), ("code blocks", r"^```"), ("rows of tables", r"^\|"), ("items", r"^(?:- |\d+\. )")):
            n, m = len(re.findall(pattern, a, re.M)), len(re.findall(pattern, b, re.M))
            if n != m:
                fail(second, f"has {m} {what}, {first.relative_to(ROOT)} has {n}")


def check_environment():
    listed = re.findall(r"^\s+X\((\w+), \"", (ROOT / "rt/include/greta/env.h").read_text(), re.M)
    if len(listed) < 5:
        fail(ROOT / "rt/include/greta/env.h", "its list is not found")
    for language in ("en", "es"):
        page = ROOT / "docs" / language / "environment.md"
        rows = re.findall(r"^\| `GRETA_(\w+)` \|", page.read_text() if page.exists() else "", re.M)
        if rows != listed:
            fail(page, f"has the variables {rows}, the header {listed}")


def check_reachable(start, graph):
    seen, todo = set(), [start]
    while todo:
        page = todo.pop()
        if page not in seen:
            seen.add(page)
            todo += graph.get(page, ())
    folder = ROOT / "docs" / ("es" if start.name == "README.es.md" else "en")
    for page in sorted(folder.glob("*.md")):
        if page not in seen:
            fail(page, f"cannot be reached from {start.name}")


def main():
    graph = {page: check_links(page) for page in pages()}
    for page in graph:
        check_paths(page)
    check_translations()
    check_environment()
    for name in ("README.md", "README.es.md"):
        check_reachable(ROOT / name, graph)
    print(f"{len(graph)} pages, {sum(map(len, graph.values()))} links, {failures} failures")
    return failures != 0


if __name__ == "__main__":
    sys.exit(main())
