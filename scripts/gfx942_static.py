#!/usr/bin/env python3
"""
What the compiler made of the kernels for AMD GPUs, read from their code objects without a GPU: registers, LDS, waves, the main loop.

gfx942_static.py TABLE OBJECT...            compares with the kept table; fails where a kernel became worse, is new or is gone
gfx942_static.py TABLE --update OBJECT...   writes the table anew: commit it with the reason why it changed
gfx942_static.py TABLE --loop KERNEL OBJECT...   prints the kernel's main loop

Objects are <name>-<arch>.co. The table holds for one version of the compiler: with another it exits with 77 (skipped) and says so.
"""
import argparse
import functools
import os
import re
import shutil
import subprocess
import sys

COLUMNS = ("vgprs", "agprs", "spills", "scratch", "lds", "waves", "code_bytes", "loop_instructions", "loop_valu", "loop_matrix",
           "loop_matrix_clocks", "matrix_share", "loop_vmem", "loop_lds_read", "loop_lds_write", "loop_bytes", "loop_flop", "bytes_per_kflop",
           "loop_lds_stall", "matrix_clocks_at_end")
LDS_CLOCKS = 64  # until what an instruction reads from LDS is there (scripts/gfx942_rates.tsv)
WIDTHS = (("b128", 16), ("b96", 12), ("b64", 8), ("b32", 4), ("dwordx4", 16), ("dwordx3", 12), ("dwordx2", 8), ("dword", 4), ("b16", 2),
          ("ushort", 2), ("sshort", 2), ("short", 2), ("u16", 2), ("i16", 2), ("b8", 1), ("ubyte", 1), ("sbyte", 1), ("byte", 1),
          ("u8", 1), ("i8", 1))
MATRIX = re.compile(r"^v_s?mfmac?_\w+?_(\d+)x(\d+)x(\d+)_?(?:(\d+)b_)?(\w+)$|^v_wmma_\w+?_(\d+)x(\d+)x(\d+)_(\w+)$")
WAVE = {"gfx9": 64, "gfx1": 32}
ISSUE = {"gfx9": 4, "gfx1": 1}  # clocks of a SIMD for an instruction of a wave: 16 lanes on CDNA, 32 on RDNA


def tool(name):
    for candidate in (f"{name}-19", name):
        if shutil.which(candidate):
            return candidate
    print(f"gfx942_static.py: skipped: there is no {name}")
    sys.exit(77)


def run(*command):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, errors="replace").stdout


def compiler(path):
    found = re.search(r"clang version [\w.~+-]+", run(tool("llvm-readelf"), "-p", ".comment", path))
    return found.group(0) if found else "unknown"


def width(mnemonic):
    for tail, n in WIDTHS:
        if tail in mnemonic:
            return n
    return 0


@functools.lru_cache(maxsize=None)
def matrix_work(mnemonic, arch):
    """(operations, clocks of a SIMD's unit) of one matrix instruction. Rates: AMD's ISA documents and data sheets, a clock and SIMD."""
    found = MATRIX.match(mnemonic)
    if not found:
        return None
    sizes = [int(g) for g in (found.group(1, 2, 3) if found.group(1) else found.group(6, 7, 8))]
    flop = 2 * sizes[0] * sizes[1] * sizes[2] * int(found.group(4) or 1)
    kind = found.group(5) or found.group(9)
    if mnemonic.startswith("v_wmma"):
        return flop, 32
    eight_bits = "i8" in kind or "8" in kind
    if arch == "gfx942":
        rate = 64 if kind == "f32" else 1024 if eight_bits else 256 if kind == "xf32" else 512
    else:
        rate = 64 if kind == "f32" else 256
    return flop, flop // rate


def clocks(lines, arch, latency):
    """Of one pass of a loop, for one wave alone: ISSUE for each instruction, products one behind another on their unit, waits for LDS. Nothing
    else is waited for, so this is of use only as a difference between latencies."""
    now, free, arrivals, begin = 0, 0, [], 0
    for turn in range(3):
        begin = max(now, free)
        for _, text in lines:
            for part in text.split(" :: "):
                work = matrix_work(re.sub(r"_(e32|e64)$", "", part.split()[0]), arch)
                wait = re.search(r"lgkmcnt\((\d+)\)", part)
                if work:
                    now = max(now, free)
                    free = now + work[1]
                elif part.startswith("ds_"):
                    arrivals.append(now + latency)
                elif wait:
                    n_done = max(0, len(arrivals) - int(wait.group(1)))
                    now = max([now, *arrivals[:n_done]])
                    arrivals = arrivals[n_done:]
                now += ISSUE[arch[:4]]
    return max(now, free) - begin


def matrix_clocks_at_end(lines, arch):
    """Of the products behind the first store to memory: what hides the stores of a tile that is finished piece by piece."""
    first = next((i for i, (_, text) in enumerate(lines) if text.startswith(("global_store", "buffer_store"))), len(lines))
    return sum((matrix_work(text.split()[0], arch) or (0, 0))[1] for _, text in lines[first:])


def vector_flop(mnemonic):
    """Operations of one lane."""
    if mnemonic.startswith(("v_dot4", "v_dot8")):
        return 8
    if mnemonic.startswith("v_dot2"):
        return 4
    if mnemonic.startswith("v_pk_fma"):
        return 4
    if mnemonic.startswith(("v_fma", "v_mad_f", "v_mac_f", "v_dual_fmac")):
        return 2
    return 0


@functools.lru_cache(maxsize=None)
def counted(mnemonic, arch):
    """What one instruction adds to which columns."""
    m = re.sub(r"_(e32|e64|dpp|sdwa|e64_dpp)$", "", mnemonic)
    f = {"loop_instructions": 1}
    lanes = WAVE[arch[:4]]
    work = matrix_work(m, arch)
    if work:
        f.update(loop_matrix=1, loop_flop=work[0], loop_matrix_clocks=work[1])
    elif m.startswith("v_"):
        f.update(loop_valu=1, loop_flop=vector_flop(m) * lanes)
    elif m.startswith(("global_", "buffer_", "flat_", "scratch_")) and not m.startswith(("buffer_inv", "buffer_wbl2")):
        f.update(loop_vmem=1, loop_bytes=width(m) * lanes if "load" in m else 0)
    elif m.startswith(("ds_read", "ds_load")):
        f.update(loop_lds_read=width(m) * lanes * (2 if "read2" in m or "load_2" in m else 1))
    elif m.startswith(("ds_write", "ds_store")):
        f.update(loop_lds_write=width(m) * lanes * (2 if "write2" in m or "store_2" in m else 1))
    elif m.startswith("s_load"):
        f.update(loop_bytes=width(m))
    return tuple((column, n) for column, n in f.items() if n)


def count(lines, arch):
    f = dict.fromkeys(COLUMNS, 0)
    for _, text in lines:
        for part in text.split(" :: "):
            for column, n in counted(part.split(None, 1)[0], arch):
                f[column] += n
    return f


def derived(f, lines, arch):
    """The columns that follow from others, of a main loop."""
    # Of the time that the loop's instructions would take one after another in one wave.
    others = ISSUE[arch[:4]] * (f["loop_instructions"] - f["loop_matrix"])
    if f["loop_matrix_clocks"]:
        f["matrix_share"] = round(100 * f["loop_matrix_clocks"] / (f["loop_matrix_clocks"] + others))
        f["loop_lds_stall"] = clocks(lines, arch, LDS_CLOCKS) - clocks(lines, arch, 0)
    if f["loop_flop"]:
        f["bytes_per_kflop"] = round(1000 * f["loop_bytes"] / f["loop_flop"], 2)


def loops(lines):
    """First and last place of each loop: from the target of a backward branch to the branch."""
    at = {address: i for i, (address, _) in enumerate(lines)}
    for i, (address, text) in enumerate(lines):
        if text.startswith(("s_cbranch", "s_branch")):
            target = re.search(r"<[^>+]+(?:\+0x([0-9a-f]+))?>$", text)
            offset = int(target.group(1) or "0", 16) if target else address + 1
            if offset <= address and offset in at:
                yield at[offset], i


def main_loop(lines, arch):
    """Most matrix products, else most operations, else most instructions; loops around such loops are passed over, and of those with as
    many products the shortest counts: it has not the comparisons of the edges."""
    found = [(first, last, count(lines[first:last + 1], arch)) for first, last in loops(lines)]
    for key in ("loop_matrix", "loop_flop", "loop_instructions"):
        with_any = [loop for loop in found if loop[2][key]]
        inner = [a for a in with_any if not any(a[0] <= b[0] and b[1] <= a[1] and b is not a and b[1] - b[0] < a[1] - a[0] for b in with_any)]
        if inner:
            best = max(inner, key=lambda a: (a[2][key], a[0] - a[1] if key == "loop_matrix" else 0))
            return lines[best[0]:best[1] + 1]
    return []


def disassemble(path):
    """{kernel: [(offset, text)]}"""
    kernels, lines, base = {}, None, 0
    for line in run(tool("llvm-objdump"), "-d", "--no-show-raw-insn", path).splitlines():
        head = re.match(r"^([0-9a-f]{16}) <(\S+)>:$", line)
        if head:
            base, lines = int(head.group(1), 16), kernels.setdefault(head.group(2), [])
            continue
        found = re.match(r"^\s+(\S.*?)\s*// ([0-9A-F]+):(.*)$", line)
        if found and lines is not None:
            text = found.group(1) + (" " + found.group(3).strip() if found.group(1).startswith(("s_cbranch", "s_branch")) else "")
            lines.append((int(found.group(2), 16) - base, text))
    return kernels


def notes(path):
    entries, current = {}, {}
    for line in run(tool("llvm-readelf"), "--notes", path).splitlines():
        found = re.match(r"^ {4}(?:  |- )(?:  )?\.(\w+):\s+(\S+)$", line)
        if line.startswith("  - ") or line.startswith("    - "):
            pass
        if re.match(r"^\s+- \.agpr_count|^\s+- \.args", line):
            current = {}
        found = re.match(r"^\s+(?:- )?\.(\w+):\s+(\S+)$", line)
        if found:
            current.setdefault(found.group(1), found.group(2))
            if found.group(1) == "wavefront_size":
                entries[current.get("symbol", current.get("name", "?")).replace(".kd", "")] = current
                current = {}
    return entries


def waves(arch, vgprs, lds, threads):
    wave = WAVE[arch[:4]]
    per_group = max(1, threads // wave)
    if arch.startswith("gfx9"):
        by_registers = min(8, 512 // max(8, (vgprs + 7) // 8 * 8))
        simds, lds_of_unit = 4, 65536
    else:
        by_registers = min(16, 1024 // max(16, (vgprs + 15) // 16 * 16))
        simds, lds_of_unit = 2, 65536
    groups = lds_of_unit // lds if lds else 64
    by_lds = max(1, groups * per_group // simds)
    return min(by_registers, by_lds)


def read_object(path):
    arch = os.path.basename(path).rsplit("-", 1)[1].split(".")[0]
    facts, code = notes(path), disassemble(path)
    for name, note in sorted(facts.items()):
        lines = code.get(name, [])
        while lines and lines[-1][1].startswith("s_nop"):  # the padding behind a kernel
            lines = lines[:-1]
        if not lines:
            sys.exit(f"gfx942_static.py: {path}: no code of {name}")
        span = main_loop(lines, arch)
        f = count(span, arch)
        derived(f, span, arch)
        f.update(vgprs=int(note["vgpr_count"]), agprs=int(note.get("agpr_count", 0)), scratch=int(note["private_segment_fixed_size"]),
                 spills=int(note["vgpr_spill_count"]) + int(note["sgpr_spill_count"]), lds=int(note["group_segment_fixed_size"]),
                 code_bytes=lines[-1][0], matrix_clocks_at_end=matrix_clocks_at_end(lines, arch))
        f["waves"] = waves(arch, f["vgprs"], f["lds"], int(note["max_flat_workgroup_size"]))
        yield name, f, span


def read_table(path):
    rows, version = {}, None
    if os.path.exists(path):
        with open(path, encoding="ascii") as file:
            for line in file:
                cells = line.rstrip("\n").split("\t")
                if line.startswith("# compiler: "):
                    version = line[len("# compiler: "):].strip()
                elif not line.startswith("#") and cells[0] != "kernel":
                    rows[cells[0]] = {k: float(v) if "." in v else int(v) for k, v in zip(COLUMNS, cells[1:])}
    return rows, version


def write_table(path, rows, version):
    with open(path, "w", encoding="ascii") as file:
        file.write(f"# compiler: {version}\n# made by scripts/gfx942_static.py --update; figures of compiled code, nothing was run\n")
        file.write("\t".join(("kernel",) + COLUMNS) + "\n")
        for name in sorted(rows):
            file.write("\t".join([name] + [str(rows[name][c]) for c in COLUMNS]) + "\n")


def compare(kept, now):
    for name, f in sorted(now.items()):
        old = kept.get(name)
        if f["spills"] or f["scratch"]:
            yield f"{name}: it has {f['spills']} spilled registers, {f['scratch']} bytes of scratch"
        if not old:
            yield f"{name}: not in the table"
            continue
        for key in ("lds", "loop_lds_read", "loop_lds_write", "loop_lds_stall"):
            if f[key] > old.get(key, f[key]):
                yield f"{name}: {key} {f[key]}, kept {old[key]}"
        if f["waves"] < old["waves"]:
            yield f"{name}: waves {f['waves']}, kept {old['waves']} (VGPRs {f['vgprs']}, kept {old['vgprs']})"
        if f["loop_instructions"] > 1.05 * old["loop_instructions"]:
            yield f"{name}: {f['loop_instructions']} instructions in the main loop, kept {old['loop_instructions']}"
        if f["matrix_share"] < old["matrix_share"] - 2:
            yield f"{name}: the products have {f['matrix_share']} % of the main loop, kept {old['matrix_share']}"
        if f["bytes_per_kflop"] > 1.02 * old["bytes_per_kflop"]:
            yield f"{name}: {f['bytes_per_kflop']} bytes for 1000 operations, kept {old['bytes_per_kflop']}"
    for name in sorted(set(kept) - set(now)):
        yield f"{name}: in the table, but no longer built"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("table")
    parser.add_argument("--update", action="store_true")
    parser.add_argument("--loop")
    parser.add_argument("objects", nargs="+")
    args = parser.parse_args()
    arch = os.path.basename(args.table).split(".")[0]
    objects = [path for path in args.objects if os.path.basename(path).endswith(f"-{arch}.co")]
    if not objects:
        print(f"gfx942_static.py: skipped: nothing was built for {arch}")
        sys.exit(77)
    kept, pinned = read_table(args.table)
    version = compiler(objects[0])
    if not args.update and not args.loop and version != pinned:
        print(f"gfx942_static.py: skipped: the code is of {version}, the table of {pinned}")
        sys.exit(77)
    now = {}
    for path in objects:
        for name, f, span in read_object(path):
            now[name] = f
            if args.loop == name:
                print("\n".join(f"{offset:6x}  {text}" for offset, text in span))
    if args.loop:
        return
    if args.update:
        write_table(args.table, now, version)
        return
    found = list(compare(kept, now))
    if found:
        sys.exit("\n".join(found) + "\nIf this is meant: scripts/gfx942_update.py BUILD_DIR, and say why in the commit.")
    print(f"{len(now)} kernels, none worse than {os.path.basename(args.table)}")


if __name__ == "__main__":
    main()
