"""What the programs share that write predicted figures into the pages of docs: blocks between <!-- name --> and <!-- end name -->."""
import os
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def rows_of(*path):
    """A table with a line of names, cells between tabs and comments behind #, as dictionaries of text."""
    columns = None
    with open(os.path.join(ROOT, *path), encoding="utf-8") as file:
        for line in file:
            cells = line.rstrip("\n").split("\t")
            if line.startswith("#"):
                continue
            if columns is None:
                columns = cells
                continue
            yield dict(zip(columns, cells))


def write_blocks(page, language, blocks, check):
    """check: fail where the page is not what the blocks give."""
    program, path = os.path.basename(sys.argv[0]), os.path.join(ROOT, "docs", language, page)
    with open(path, encoding="utf-8") as file:
        text = file.read()
    new = text
    for name, lines in blocks.items():
        begin, end = f"<!-- {name} -->\n", f"<!-- end {name} -->"
        if begin not in new or end not in new:
            sys.exit(f"{program}: {path} lacks the marks of {name}")
        head, rest = new.split(begin, 1)
        new = head + begin + "\n".join(lines) + "\n" + end + rest.split(end, 1)[1]
    if check and new != text:
        sys.exit(f"{program}: {path} is not what the tables give: run scripts/{program}")
    if not check:
        with open(path, "w", encoding="utf-8") as file:
            file.write(new)
