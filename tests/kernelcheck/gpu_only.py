#!/usr/bin/env python3
"""
gpu_only.py TABLE KERNELCHECK ARGS...: runs kernelcheck; every row that serves no case there must stand in the table of rows that only a GPU runs,
with its last result on one, and no other.
gpu_only.py --update TABLE LAVAPIPE_OUTPUT DEVICE_OUTPUT COMMIT DATE: makes the table anew from what kernelcheck printed here and on a GPU; a row that
did not run there now keeps the result that it had.
gpu_only.py --selftest: that what is wrong with a table is found.
"""
import re
import subprocess
import sys

HEAD = """# Vulkan rows that lavapipe does not run: why, as kernelcheck has it there, and their last result on a GPU: device and driver, commit, date, cases, the
# worst error in bounds. "never": not since this list is kept. Made by tests/kernelcheck/gpu_only.py --update.
# row\twhy\tdevice\tcommit\tdate\tcases\tworst
"""
LINE = re.compile(r"^(ok  |FAIL|skip) (\S+) +(\d+) cases, worst error ([\d.]+|inf|nan) of its bound(.*)$")


def both(a, b):
    """What two runs say of one row: that it is wrong if it is in either."""
    if not a:
        return b
    result = next(r for r in ("FAIL", "ok", "skip") if r in (a[0], b[0]))
    return (result, a[1] + b[1], max(a[2], b[2], key=float), b[3] or a[3])


def rows_of(text):
    """name -> (result, cases, worst, refusal); runs over parts of the cases, one after another in the text, are added up."""
    rows = {}
    for line in text.splitlines():
        match = LINE.match(line)
        if match:
            result, name, cases, worst, rest = match.groups()
            why = re.search(r"refused \((.*?)\)?$", rest)
            rows[name] = both(rows.get(name), (result.strip(), int(cases), worst, why[1].rstrip(")") if why else ""))
    return rows


def is_idle(row):
    """It serves no case. Not for want of one among those that were taken: a row that has had none yet is tried with all."""
    return not row[1]


def read_table(path):
    with open(path, encoding="utf-8") as file:
        lines = [line.rstrip("\n").split("\t") for line in file if line.strip() and not line.startswith("#")]
    return {line[0]: line[1:] for line in lines}


def update(path, here, there, commit, date):
    with open(there, encoding="utf-8") as file:
        text = file.read()
    # The line that kernelcheck begins with: "device: driver".
    device = re.search(r"^((?!ok|FAIL|skip|==|--|\d)\S.*: \S.*)$", text, re.MULTILINE)
    ran = rows_of(text)
    try:
        kept = read_table(path)
    except FileNotFoundError:
        kept = {}
    with open(here, encoding="utf-8") as file:
        rows = {name: row for name, row in rows_of(file.read()).items() if is_idle(row)}
    with open(path, "w", encoding="utf-8") as file:
        file.write(HEAD)
        for name, (_, _, _, why) in rows.items():
            result, cases, worst, _ = ran.get(name, ("skip", 0, "", ""))
            last = kept.get(name, [why, "never", "", "", "", ""])[1:]
            if result == "ok" and cases:
                last = [device[1], commit, date, str(cases), worst]
            file.write("\t".join([name, why, *last]) + "\n")


def faults_of(path, table, rows):
    """What is wrong with the table beside what ran here."""
    idle = {name for name, row in rows.items() if is_idle(row)}
    faults = [f"{name} serves no case here and is not in {path}" for name in sorted(idle - set(table))]
    faults += [f"{name} is in {path} and runs here" for name in sorted(name for name in set(table) & set(rows) if rows[name][1])]
    faults += [f"{name} is in {path} and is no row" for name in sorted(set(table) - set(rows))]
    faults += [f"{name}: {path} has no result of it and does not say never" for name, row in table.items()
               if row[1] != "never" and (len(row) != 6 or not row[4].isdigit() or int(row[4]) < 1 or float(row[5]) > 1)]
    return faults


def check(path, command):
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    sys.stdout.write(done.stdout)
    if done.returncode:
        return done.returncode
    table, rows = read_table(path), rows_of(done.stdout)
    faults = faults_of(path, table, rows)
    for fault in faults:
        print("FAIL:", fault)
    n_never = sum(row[1] == "never" for row in table.values())
    print(f"{sum(is_idle(row) for row in rows.values())} rows that only a GPU runs, {n_never} of them never run")
    return 1 if faults else 0


def selftest():
    """Each of the faults, planted in a few lines."""
    line = "{} {:28} {:4} cases, worst error {} of its bound{}"
    good = [line.format("ok  ", "add_simple", 9, "0.100", ""),
            line.format("skip", "add_coopmat", 0, "0.000", ", 9 refused (the device has no matrix unit)")]
    table = {"add_coopmat": ["the device has no matrix unit", "GPU: driver", "c0ffee", "2026-01-01", "9", "0.1"]}

    def n_faults(lines, kept):
        return len(faults_of("table", kept, rows_of("\n".join(lines))))

    never = ["for want of a unit", "never", "", "", "", ""]
    wanted = [(0, good, table), (0, good, {"add_coopmat": never}),
              (1, good, {}),  # not on the list
              (1, good + [line.format("skip", "add_odd", 0, "0.000", ", 9 refused (n is no multiple of 7)")], table),  # no case is for it
              (1, good + [line.format("skip", "add_none", 0, "0.000", "")], table),  # nor refused: of another type, say
              (1, good, dict(table, add_simple=never)),  # runs here
              (1, good, dict(table, add_gone=never)),
              (1, good, {"add_coopmat": table["add_coopmat"][:4] + ["0", "0.1"]}), (1, good, {"add_coopmat": table["add_coopmat"][:5] + ["1.5"]})]
    wrong = [i for i, (n, lines, kept) in enumerate(wanted) if n_faults(lines, kept) != n]
    print(f"{len(wanted)} tables, wrong: {wrong}")
    return 1 if wrong else 0


def main():
    if sys.argv[1:] == ["--selftest"]:
        return selftest()
    if sys.argv[1] == "--update":
        update(*sys.argv[2:])
        return 0
    return check(sys.argv[1], sys.argv[2:])


sys.exit(main())
