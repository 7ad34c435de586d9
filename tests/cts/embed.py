"""embed.py OUT.h IN.spv...: the test kernels' SPIR-V as `cts_spirv[]`, in the order given."""
import pathlib
import struct
import sys

out, *inputs = sys.argv[1:]
lines = ["#include <stddef.h>", "#include <stdint.h>", "struct cts_spirv { const char *name; const uint32_t *words; size_t size_bytes; };"]
rows = []
for path in map(pathlib.Path, inputs):
    data = path.read_bytes()
    words = ",".join("0x%08x" % w for w in struct.unpack("<%dI" % (len(data) // 4), data))
    lines.append(f"static const uint32_t spirv_{path.stem}[] = {{{words}}};")
    rows.append(f'{{"{path.stem}", spirv_{path.stem}, sizeof spirv_{path.stem}}}')
# Without Vulkan the table is there and empty: no SPIR-V device can ask for it.
lines.append("static const struct cts_spirv cts_spirv[6] = {%s};" % (",".join(rows) or "{0}"))
pathlib.Path(out).write_text("\n".join(lines) + "\n")
