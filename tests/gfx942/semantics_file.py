"""
What the programs that write cases for test_semantics.c share: a kernel's frame, and the two files.

CASES: for each form  u32 magic, kernel name[64], text[128], u32 rows in, rows out, compare, n_groups, then for each group of 64 lanes
its rows of 64 words, in and out. compare: 0 bits, 1 any NaN for a NaN of f32, 2 of f16, 3 of two f16, 4 of f64 (rows 0 and 1),
5 of two f32; 6 f32 within one ULP, 7 f16 within one ULP; + 256: the last row is compared by bits (a mask of lanes).
"""
import struct
import sys

MAGIC = 0x474D4553
# s[4:5] and s[6:7]: the workgroup's rows in and out; v1: 4 * lane.
KERNEL = """
    .globl {name}
    .p2align 8
    .type {name},@function
{name}:
    s_load_dwordx4 s[4:7], s[0:1], 0x0
    v_lshlrev_b32_e32 v1, 2, v0
    s_mul_i32 s8, s2, {bytes_in}
    s_mul_i32 s9, s2, {bytes_out}
    s_waitcnt lgkmcnt(0)
    s_add_u32 s4, s4, s8
    s_addc_u32 s5, s5, 0
    s_add_u32 s6, s6, s9
    s_addc_u32 s7, s7, 0
{body}    s_endpgm
.Lend_{name}:
    .size {name}, .Lend_{name}-{name}
    .section .rodata,"a",@progbits
    .p2align 6
    .amdhsa_kernel {name}
        .amdhsa_user_sgpr_kernarg_segment_ptr 1
        .amdhsa_kernarg_size 16
{directives}    .end_amdhsa_kernel
    .text
"""
NOTE = """  - .name: {name}
    .symbol: {name}.kd
    .kernarg_segment_size: 16
    .kernarg_segment_align: 8
    .group_segment_fixed_size: {lds}
    .private_segment_fixed_size: {scratch}
    .wavefront_size: 64
    .sgpr_count: {sgprs}
    .vgpr_count: 64
    .max_flat_workgroup_size: 64
    .args:
      - {{.size: 8, .offset: 0, .value_kind: global_buffer, .address_space: global}}
      - {{.size: 8, .offset: 8, .value_kind: global_buffer, .address_space: global}}
"""


class Cases:
    """The assembly and the expected results of all forms of a program."""

    def __init__(self, lds=0, scratch=0, sgprs=32):
        self.kernels, self.notes, self.data = [], [], []
        self.facts = {"lds": lds, "scratch": scratch, "sgprs": sgprs}

    def add(self, name, text, body, rows, directives, groups, compare=0):
        """body: behind the frame's first instructions; rows: (in, out); directives: of the descriptor; groups: (number, rows of all)."""
        self.kernels.append(KERNEL.format(name=name, body=body, bytes_in=256 * rows[0], bytes_out=256 * rows[1], directives="".join(
            f"        .amdhsa_{key} {value}\n" for key, value in directives.items())))
        self.notes.append(NOTE.format(name=name, **self.facts))
        self.data.append(struct.pack("<I64s128s4I", MAGIC, name.encode(), text.replace("\n", ";").encode()[:127], *rows, compare, groups[0]))
        self.data.append(groups[1])

    def write(self):
        """To the files that the command line names."""
        with open(sys.argv[1], "w", encoding="ascii") as f:
            f.write('    .amdgcn_target "amdgcn-amd-amdhsa--gfx942"\n    .amdhsa_code_object_version 5\n    .text\n' + "".join(self.kernels) +
                    "    .amdgpu_metadata\n---\namdhsa.version: [1, 2]\namdhsa.target: amdgcn-amd-amdhsa--gfx942\namdhsa.kernels:\n" +
                    "".join(self.notes) + "...\n    .end_amdgpu_metadata\n")
        with open(sys.argv[2], "wb") as f:
            f.write(b"".join(self.data))
