#!/usr/bin/env python3
"""
faults.py CLANG GRETA_GFX942: hand-written gfx942 code that is right, and the same code with one fault in it.

The right one must run and compute what it says; the machine must stop each wrong one with a message that names the kernel, the
program counter, the instruction and the fault. A case is a body of assembly with lines that begin with "?name": the line is in the
right kernel, and the fault of that name leaves it out; with "!name" only the fault has it.
"""
import concurrent.futures
import os
import re
import struct
import subprocess
import sys
import tempfile

TEMPLATE = """
.amdgcn_target "amdgcn-amd-amdhsa--gfx942"
.text
.globl k
.p2align 8
.type k,@function
k:
{body}
  s_endpgm
.Lk_end:
  .size k, .Lk_end-k
.rodata
.p2align 6
.amdhsa_kernel k
  .amdhsa_user_sgpr_kernarg_segment_ptr 1
  .amdhsa_next_free_vgpr {vgprs}
  .amdhsa_accum_offset 64
  .amdhsa_next_free_sgpr 40
  .amdhsa_group_segment_fixed_size {lds}
  .amdhsa_private_segment_fixed_size {scratch}
  .amdhsa_enable_private_segment {scratch_on}
  .amdhsa_kernarg_size 16
  .amdhsa_system_sgpr_workgroup_id_x 1
.end_amdhsa_kernel
.amdgpu_metadata
---
amdhsa.version: [ 1, 2 ]
amdhsa.kernels:
  - .name: k
    .symbol: k.kd
    .kernarg_segment_size: 16
    .kernarg_segment_align: 8
    .group_segment_fixed_size: {lds}
    .private_segment_fixed_size: {scratch}
    .wavefront_size: 64
    .sgpr_count: 40
    .vgpr_count: {vgprs}
    .agpr_count: 64
    .max_flat_workgroup_size: 1024
    .args:
      - {{ .offset: 0, .size: 8, .value_kind: global_buffer, .address_space: global }}
      - {{ .offset: 8, .size: 8, .value_kind: global_buffer, .address_space: global }}
...
.end_amdgpu_metadata
"""

# s[4:5] the output, s[6:7] the input, v1 = 4 * thread, s2 the workgroup.
START = """
  s_load_dwordx4 s[4:7], s[0:1], 0x0
  v_lshlrev_b32 v1, 2, v0
  s_waitcnt lgkmcnt(0)
"""


class Case:
    def __init__(self, name, body, faults, **how):
        self.name, self.body, self.faults, self.how = name, body, faults, how


CASES = [
    Case("vector load", START + """
  global_load_dword v2, v1, s[6:7]
  ?no wait, partial wait: s_waitcnt vmcnt(0)
  !partial wait: s_waitcnt vmcnt(1)
  v_add_u32 v2, 1, v2
  global_store_dword v1, v2, s[4:5]
""", {"no wait": ("v_add_u32", "reads v2, which a load that was not waited for still writes .s_waitcnt vmcnt"),
      "partial wait": ("v_add_u32", "reads v2")}, out=lambda t, x: x + 1),

    Case("loads in order", START + """
  global_load_dword v2, v1, s[6:7]
  global_load_dword v3, v1, s[6:7]
  s_waitcnt vmcnt(1)
  v_add_u32 v4, 1, v2
  ?second: s_waitcnt vmcnt(0)
  v_add_u32 v4, v4, v3
  global_store_dword v1, v4, s[4:5]
""", {"second": ("v_add_u32", "reads v3, which a load")}, out=lambda t, x: 2 * x + 1),

    Case("write under a load", START + """
  global_load_dword v2, v1, s[6:7]
  !over: v_mov_b32 v2, 7
  s_waitcnt vmcnt(0)
  global_store_dword v1, v2, s[4:5]
""", {"over": ("v_mov_b32", "writes v2, which a load")}, out=lambda t, x: x),

    Case("scalar load", """
  s_load_dwordx4 s[4:7], s[0:1], 0x0
  v_lshlrev_b32 v1, 2, v0
  ?no wait, not in order: s_waitcnt lgkmcnt(0)
  !not in order: s_load_dword s8, s[0:1], 0x0
  !not in order: s_waitcnt lgkmcnt(1)
  v_mov_b32 v2, 5
  global_store_dword v1, v2, s[4:5]
""", {"no wait": ("global_store_dword", "reads s4, which a load .* lgkmcnt"),
      "not in order": ("global_store_dword", "reads s4, which a load")}, out=lambda t, x: 5),

    Case("LDS load", START + """
  v_mov_b32 v2, 3
  ds_write_b32 v1, v2
  ds_read_b32 v3, v1
  ?no wait: s_waitcnt lgkmcnt(0)
  global_store_dword v1, v3, s[4:5]
""", {"no wait": ("global_store_dword", "reads v3, which a load .* lgkmcnt")}, lds=256, out=lambda t, x: 3),

    Case("bounds", START + """
  !load, both: v_add_u32 v1, 4, v1
  global_load_dword v2, v1, s[6:7]
  s_waitcnt vmcnt(0)
  !store: v_add_u32 v1, -4, v1
  global_store_dword v1, v2, s[4:5]
""", {"load": ("global_load_dword", "lane 63: 4 bytes at 0x[0-9a-f]+ end 4 bytes past the end of an allocation of 256"),
      "store": ("global_store_dword", "store outside .* lane 0: 4 bytes")}, out=lambda t, x: x),

    Case("scalar bounds", START + """
  ?past: s_load_dword s8, s[0:1], 0xc
  !past: s_load_dword s8, s[0:1], 0x10
  s_waitcnt lgkmcnt(0)
  v_mov_b32 v2, 1
  global_store_dword v1, v2, s[4:5]
""", {"past": ("s_load_dword", "scalar load outside .* of an allocation of 16 bytes")}, out=lambda t, x: 1),

    Case("scratch", START + """
  v_mov_b32 v2, 9
  scratch_store_dword off, v2, off offset:4
  ?past: scratch_load_dword v3, off, off offset:4
  !past: scratch_load_dword v3, off, off offset:8
  s_waitcnt vmcnt(0)
  global_store_dword v1, v3, s[4:5]
""", {"past": ("scratch_load_dword", "4 bytes at 8 of its scratch of 8 bytes")}, scratch=8, out=lambda t, x: 9),

    Case("registers never written", START + """
  ?vgpr: v_mov_b32 v2, 1
  ?sgpr: s_mov_b32 s8, 1
  v_add_u32 v3, s8, v2
  ?lane: s_nop 0
  !lane: s_mov_b64 exec, 0xff
  v_mov_b32 v4, v3
  !lane: s_mov_b64 exec, -1
  global_store_dword v1, v4, s[4:5]
""", {"vgpr": ("v_add_u32", "reads v2, which was never written in lane 0"),
      "sgpr": ("v_add_u32", "reads s8, which was never written"),
      "lane": ("global_store_dword", "reads v4, which was never written in lane 8")}, out=lambda t, x: 2),

    Case("an undefined value may be copied, not used", START + """
  v_mov_b32 v9, v8
  v_mov_b32 v2, 4
  s_mov_b64 s[8:9], -1
  v_cndmask_b32 v9, v9, v2, s[8:9]
  !used: v_mov_b32 v9, v8
  global_store_dword v1, v9, s[4:5]
""", {"used": ("global_store_dword", "reads v9, which was never written")}, out=lambda t, x: 4),

    Case("registers that exist", START + """
  v_mov_b32 v63, 1
  !beyond: v_mov_b32 v64, 1
  global_store_dword v1, v63, s[4:5]
""", {"beyond": ("v_mov_b32", "v64 is beyond the registers that the kernel's descriptor allocates")}, out=lambda t, x: 1),

    Case("LDS never written", START + """
  v_mov_b32 v2, 3
  ?all: ds_write_b32 v1, v2
  !all: ds_write_b16 v1, v2
  ds_read_b32 v3, v1
  s_waitcnt lgkmcnt(0)
  global_store_dword v1, v3, s[4:5]
""", {"all": ("ds_read_b32", "lane 0 reads 4 bytes of LDS at 0 that were never written")}, lds=256, out=lambda t, x: 3),

    Case("LDS bounds", START + """
  v_mov_b32 v2, 3
  ?past: ds_write_b32 v1, v2 offset:4
  !past: ds_write_b32 v1, v2 offset:8
  ds_read_b32 v3, v1 offset:4
  s_waitcnt lgkmcnt(0)
  global_store_dword v1, v3, s[4:5]
""", {"past": ("ds_write_b32", "lane 63 accesses 4 bytes of LDS at 260; the workgroup has 260 bytes")}, lds=260, out=lambda t, x: 3),

    # Every wave writes, then reads its neighbour's words.
    Case("LDS race", START + """
  v_xor_b32 v3, 0x100, v1
  ds_write_b32 v1, v0
  ?no wait: s_waitcnt lgkmcnt(0)
  ?no barrier: s_barrier
  ds_read_b32 v2, v3
  s_waitcnt lgkmcnt(0)
  global_store_dword v1, v2, s[4:5]
""", {"no barrier": ("ds_(read|write)_b32", "LDS race: this wave (reads|writes) byte [0-9]+, which wave [01] (wrote|read)|never written"),
      "no wait": ("ds_read_b32|s_barrier", "LDS race: this wave reads byte [0-9]+, which wave [01] wrote")}, threads=128, lds=512,
         out=lambda t, x: t ^ 64),

    Case("write after read in LDS", START + """
  v_xor_b32 v3, 0x100, v1
  ds_write_b32 v1, v0
  s_waitcnt lgkmcnt(0)
  s_barrier
  ds_read_b32 v2, v3
  s_waitcnt lgkmcnt(0)
  ?no barrier: s_barrier
  ds_write_b32 v1, v2
  global_store_dword v1, v2, s[4:5]
""", {"no barrier": ("ds_(write|read)_b32", "LDS race: this wave (writes|reads) byte")}, threads=128, lds=512, out=lambda t, x: t ^ 64),

    Case("LDS atomics of several waves", START + """
  v_mov_b32 v2, 0
  v_mov_b32 v3, 1
  v_cmp_eq_u32 vcc, 0, v0
  s_nop 1
  s_and_saveexec_b64 s[8:9], vcc
  ds_write_b32 v2, v2
  s_mov_b64 exec, s[8:9]
  s_waitcnt lgkmcnt(0)
  ?first: s_barrier
  ds_add_u32 v2, v3
  s_waitcnt lgkmcnt(0)
  ?last: s_barrier
  ds_read_b32 v4, v2
  s_waitcnt lgkmcnt(0)
  global_store_dword v1, v4, s[4:5]
""", {"first": ("ds_", "LDS race|never written"), "last": ("ds_", "LDS race: this wave")}, threads=128, lds=4, out=lambda t, x: 128),

    Case("barrier", START + """
  v_readfirstlane_b32 s8, v0
  s_nop 4
  s_cmp_lg_u32 s8, 0
  s_cbranch_scc1 .Lskip
  s_barrier
  s_branch .Lgo
.Lskip:
  ?skipped: s_barrier
  s_nop 0
.Lgo:
  v_mov_b32 v2, 6
  global_store_dword v1, v2, s[4:5]
""", {"skipped": ("s_barrier", "a barrier that wave [1-3] never reaches: it ended")}, threads=256, out=lambda t, x: 6),

    Case("encoding", START + """
  v_mov_b32 v2, 6
  !unknown: .long 0xbfff0000
  !not here: .long 0xdc000000, 0
  global_store_dword v1, v2, s[4:5]
""", {"unknown": ("", "unknown encoding bfff0000"), "not here": ("", "unknown encoding dc000000")}, out=lambda t, x: 6),

    Case("the end", START + """
  v_mov_b32 v2, 6
  global_store_dword v1, v2, s[4:5]
  !trap: s_trap 2
  !jump: .long 0xbf820200
  !endless: .long 0xbf82ffff
""", {"trap": ("s_trap 2", "s_trap 2"), "jump": ("s_branch", "a branch to where no instruction begins"),
      "endless": (None, "k has not ended after [0-9]+ instructions")}, out=lambda t, x: 6),

    # ---- Distances
    Case("matrix result", START + """
  v_mov_b32 v2, 1.0
  v_mov_b32 v3, 1.0
  v_mov_b32 v4, 0
  v_mov_b32 v5, 0
  v_mov_b32 v6, 0
  v_mov_b32 v7, 0
  s_nop 1
  v_mfma_f32_16x16x4_f32 v[8:11], v2, v3, v[4:7]
  ?read, short: s_nop 9
  !short: s_nop 8
  v_mov_b32 v2, v8
  v_cvt_u32_f32 v2, v2
  global_store_dword v1, v2, s[4:5]
""", {"read": ("v_mov_b32", "reads v8 0 wait states after v_mfma_f32_16x16x4_f32; 10 are needed"),
      "short": ("v_mov_b32", "reads v8 9 wait states after")}, out=lambda t, x: 4),

    Case("matrix result as an operand", START + """
  v_mov_b32 v2, 0x3c003c00
  v_mov_b32 v3, 0x3c003c00
  v_mov_b32 v4, 0
  v_mov_b32 v5, 0
  v_mov_b32 v6, 0
  v_mov_b32 v7, 0
  s_nop 1
  v_mfma_f32_16x16x16_f16 v[4:7], v[2:3], v[2:3], v[4:7]
  v_mfma_f32_16x16x16_f16 v[4:7], v[2:3], v[2:3], v[4:7]
  !overlap: v_mfma_f32_16x16x16_f16 v[8:11], v[2:3], v[2:3], v[6:9]
  !as a: v_mfma_f32_16x16x16_f16 v[8:11], v[4:5], v[2:3], 0
  !over: v_mov_b32 v4, 0
  s_nop 15
  v_cvt_u32_f32 v2, v4
  global_store_dword v1, v2, s[4:5]
""", {"overlap": ("v_mfma", "reads v6 0 wait states after .*; 5 are needed|v8, which was never written"),
      "as a": ("v_mfma", "reads v4 0 wait states after v_mfma_f32_16x16x16_f16; 7 are needed"),
      "over": ("v_mov_b32", "overwrites v4 0 wait states after .*; 7 are needed")}, out=lambda t, x: 32),

    Case("VALU before a matrix product", START + """
  v_mov_b32 v2, 0x3c003c00
  v_mov_b32 v3, 0x3c003c00
  ?close: s_nop 1
  v_mfma_f32_16x16x16_f16 v[4:7], v[2:3], v[2:3], 0
  s_nop 15
  v_cvt_u32_f32 v2, v4
  global_store_dword v1, v2, s[4:5]
""", {"close": ("v_mfma", "a matrix product that reads v2 needs 2 wait states after v_mov_b32")}, out=lambda t, x: 16),

    Case("modifiers and products that a matrix product does not have", START + """
  v_mov_b32 v2, 0x3c003c00
  v_mov_b32 v3, 0x3c003c00
  s_nop 1
  v_mfma_f32_16x16x16_f16 v[4:7], v[2:3], v[2:3], 0
  !cbsz: v_mfma_f32_16x16x16_f16 v[8:11], v[2:3], v[2:3], 0 cbsz:1
  !blgp: v_mfma_f32_32x32x8_f16 v[8:23], v[2:3], v[2:3], 0 blgp:1
  !abid: v_mfma_f32_4x4x4_16b_f16 v[8:11], v[2:3], v[2:3], 0 cbsz:1 abid:2
  !sparse: v_smfmac_f32_16x16x32_f16 v[8:11], v[2:3], v[4:7], v1
  s_nop 15
  v_cvt_u32_f32 v2, v4
  global_store_dword v1, v2, s[4:5]
""", {"cbsz": ("v_mfma", "cbsz 1, abid 0, blgp 0 have no meaning for v_mfma_f32_16x16x16_f16"),
      "blgp": ("v_mfma", "blgp 1 have no meaning for v_mfma_f32_32x32x8_f16"),
      "abid": ("v_mfma", "cbsz 1, abid 2, blgp 0 have no meaning"),
      "sparse": ("v_smfmac", "an instruction that this machine does not know")}, out=lambda t, x: 16),

    Case("VALU result in an SGPR", START + """
  v_mov_b32 v3, 3
  s_nop 0
  v_readfirstlane_b32 s8, v3
  ?close: s_nop 1
  v_mov_b32 v2, s8
  global_store_dword v1, v2, s[4:5]
""", {"close": ("v_mov_b32", "a VALU that reads s8 needs 2 wait states after v_readfirstlane_b32: there are 0")}, out=lambda t, x: 3),

    Case("VALU result in an address", START + """
  v_mov_b32 v3, s4
  v_mov_b32 v4, s5
  v_mov_b32 v2, 3
  v_readfirstlane_b32 s8, v3
  v_readfirstlane_b32 s9, v4
  ?close: s_nop 4
  global_store_dword v1, v2, s[8:9]
""", {"close": ("global_store_dword", "a memory access that reads s8 needs 5 wait states after v_readfirstlane_b32")}, out=lambda t, x: 3),

    Case("transcendental", START + """
  v_mov_b32 v2, 4.0
  v_sqrt_f32 v2, v2
  ?close: s_nop 0
  v_cvt_u32_f32 v2, v2
  global_store_dword v1, v2, s[4:5]
""", {"close": ("v_cvt_u32_f32", "needs 1 wait states after v_sqrt_f32")}, out=lambda t, x: 2),

    Case("DPP", START + """
  v_mov_b32 v2, v0
  ?close: s_nop 1
  v_mov_b32_dpp v2, v2 quad_perm:[1,0,3,2] row_mask:0xf bank_mask:0xf
  global_store_dword v1, v2, s[4:5]
""", {"close": ("v_mov_b32_dpp", "DPP of v2 needs 2 wait states")}, out=lambda t, x: t ^ 1),

    Case("lane selected by a VALU's SGPR", START + """
  v_mov_b32 v3, 3
  s_nop 0
  v_readfirstlane_b32 s8, v3
  ?close: s_nop 3
  v_readlane_b32 s9, v0, s8
  s_nop 1
  v_mov_b32 v2, s9
  global_store_dword v1, v2, s[4:5]
""", {"close": ("v_readlane_b32", "needs (2|4) wait states after v_readfirstlane_b32")}, out=lambda t, x: 3),

    Case("data of a wide store", START + """
  v_lshlrev_b32 v6, 4, v0
  v_mov_b32 v2, 1
  v_mov_b32 v3, 1
  v_mov_b32 v4, 1
  v_mov_b32 v5, 1
  global_store_dwordx4 v6, v[2:5], s[4:5]
  ?close: s_nop 1
  v_mov_b32 v2, 9
""", {"close": ("v_mov_b32", "overwrites v2, data of global_store_dwordx4")}, out=lambda t, x: 1, out_bytes=1024),

    # ---- XCDs: workgroup 0 stores data, then a flag; the others wait for the flag, each on another XCD.
    Case("stores for another XCD", START + """
  v_mov_b32 v9, 0
  s_cmp_lg_u32 s2, 0
  s_cbranch_scc1 .Lwait
  global_load_dword v2, v1, s[6:7]
  s_waitcnt vmcnt(0)
  v_add_u32 v2, 5, v2
  global_store_dword v1, v2, s[6:7]
  ?write-back, neither: buffer_wbl2 sc1
  ?wait: s_waitcnt vmcnt(0)
  v_mov_b32 v3, 1
  global_store_dword v9, v3, s[4:5] offset:256 sc1
  s_endpgm
.Lwait:
  s_sleep 1
  global_load_dword v3, v9, s[4:5] offset:256 sc1
  s_waitcnt vmcnt(0)
  v_readfirstlane_b32 s8, v3
  s_nop 4
  s_cmp_eq_u32 s8, 0
  s_cbranch_scc1 .Lwait
  ?invalidate, neither: buffer_inv sc1
  global_load_dword v2, v1, s[6:7]
  s_waitcnt vmcnt(0)
  global_store_dword v1, v2, s[4:5]
""", {"write-back": ("global_load_dword", "reads what wave 0 of workgroup 0, on XCD 0, stored: its L2 was not written back"),
      "wait": ("global_load_dword", "reads what wave 0 of workgroup 0, on XCD 0, stored: its L2 was not written back"),
      "invalidate": ("global_load_dword", "reads what workgroup 0, on XCD 0, stored, with no buffer_inv sc1"),
      "neither": ("global_load_dword", "reads what wave 0 of workgroup 0")}, groups=4, out=lambda t, x: x + 5, out_bytes=260),

    # The same with two waves that store; the first one writes back for both.
    Case("stores of two waves for another XCD", START + """
  v_mov_b32 v9, 0
  v_readfirstlane_b32 s9, v0
  s_cmp_lg_u32 s2, 0
  s_cbranch_scc1 .Lwait
  global_load_dword v2, v1, s[6:7]
  s_waitcnt vmcnt(0)
  v_add_u32 v2, 5, v2
  global_store_dword v1, v2, s[6:7]
  ?wait: s_waitcnt vmcnt(0)
  s_barrier
  s_cmp_lg_u32 s9, 0
  s_cbranch_scc1 .Lend
  buffer_wbl2 sc1
  s_waitcnt vmcnt(0)
  v_mov_b32 v3, 1
  global_store_dword v9, v3, s[4:5] offset:512 sc1
.Lend:
  s_endpgm
.Lwait:
  s_sleep 1
  global_load_dword v3, v9, s[4:5] offset:512 sc1
  s_waitcnt vmcnt(0)
  v_readfirstlane_b32 s8, v3
  s_nop 4
  s_cmp_eq_u32 s8, 0
  s_cbranch_scc1 .Lwait
  buffer_inv sc1
  global_load_dword v2, v1, s[6:7]
  s_waitcnt vmcnt(0)
  global_store_dword v1, v2, s[4:5]
""", {"wait": ("global_load_dword", "reads what wave 1 of workgroup 0, on XCD 0, stored: its L2 was not written back")}, groups=2,
         threads=128, out=lambda t, x: x + 5, out_bytes=516),

    Case("load to LDS", START + """
  s_mov_b32 m0, 0
  s_nop 0
  global_load_lds_dword v1, s[6:7]
  ?no wait: s_waitcnt vmcnt(0)
  ds_read_b32 v2, v1
  s_waitcnt lgkmcnt(0)
  global_store_dword v1, v2, s[4:5]
""", {"no wait": ("ds_read_b32", "a load to LDS that was not waited for still writes")}, lds=256, out=lambda t, x: x),
]


def variant(body, fault):
    lines = []
    for line in body.split("\n"):
        m = re.match(r"\s*([?!])([^:]+): (.*)", line)
        if not m:
            lines.append(line)
        elif (fault in [f.strip() for f in m.group(2).split(",")]) == (m.group(1) == "!"):
            lines.append("  " + m.group(3))
    return "\n".join(lines)


class Runner:
    def __init__(self, clang, gfx942, folder):
        self.clang, self.gfx942, self.folder = clang, gfx942, folder

    def assemble(self, body, how):
        source, output = os.path.join(self.folder, "k.s"), os.path.join(self.folder, "k.co")
        scratch = how.get("scratch", 0)
        with open(source, "w", encoding="ascii") as f:
            f.write(TEMPLATE.format(body=body, lds=how.get("lds", 0), scratch=scratch, scratch_on=int(scratch > 0), vgprs=128))
        r = subprocess.run([self.clang, "-target", "amdgcn-amd-amdhsa", "-mcpu=gfx942", source, "-o", output],
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        if r.returncode != 0:
            sys.exit(f"{r.stdout}\nnot assembled:\n{body}")
        return output

    def run(self, code, how, seed=0, stats=False):
        out = os.path.join(self.folder, "out")
        threads = how.get("threads", 64)
        command = [self.gfx942, code, "--threads", str(threads), "--groups", str(how.get("groups", 1)), "--seed", str(seed),
                   "--arg", f"zero:{how.get('out_bytes', 4 * threads)}", "--arg", f"bytes:{4 * threads}", "--out", f"0:{out}",
                   "--limit", "300000"]
        self.input(command, threads)
        r = subprocess.run(command + (["--stats"] if stats else []), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                           check=False)
        result = None
        if r.returncode == 0:
            with open(out, "rb") as f:
                result = struct.unpack(f"<{threads}I", f.read()[:4 * threads])
        return r, result

    def input(self, command, threads):
        path = os.path.join(self.folder, "in")
        with open(path, "wb") as f:
            f.write(struct.pack(f"<{threads}I", *self.values(threads)))
        command[command.index(f"bytes:{4 * threads}")] = f"file:{path}"

    @staticmethod
    def values(threads):
        return [(7919 * t + 13) & 0xffff for t in range(threads)]


def check_case(runner, case):
    bad = 0
    threads = case.how.get("threads", 64)
    expected = tuple(case.how["out"](t, x) & 0xffffffff for t, x in enumerate(runner.values(threads)))
    code = runner.assemble(variant(case.body, None), case.how)
    for seed in range(3):
        r, result = runner.run(code, case.how, seed)
        if r.returncode != 0 or result != expected:
            print(f"{case.name}: the right code failed: {r.stderr.strip() or result}")
            bad += 1
            break
    for fault, (instruction, message) in case.faults.items():
        r, _ = runner.run(runner.assemble(variant(case.body, fault), case.how), case.how)
        where = message if instruction is None else \
            rf"k, workgroup \([0-9]+,0,0\), wave [0-9]+, pc 0x[0-9a-f]+, ({instruction}).*: .*({message})"
        if r.returncode == 0 or not re.search(where, r.stderr):
            print(f"{case.name}, {fault}: not caught: {r.stderr.strip() or 'it ran'}\n  wanted: {where}")
            bad += 1
    return bad


def check_counts(runner):
    """Bank conflicts and cache lines, counted by hand: 64 lanes of 4 bytes take 2 cycles of 32 banks where no two meet."""
    bad = 0
    store = START + "  v_lshlrev_b32 v3, {shift}, v0\n  ds_write_b32 v3, v0\n  s_waitcnt lgkmcnt(0)\n" \
        "  global_load_dword v2, {address}, s[6:7]\n  s_waitcnt vmcnt(0)\n  global_store_dword v1, v2, s[4:5]\n"
    # shift 2: neighbours; 3: two lanes to a bank; 7: all in one bank.
    for shift, cycles, conflicts in ((2, 2, 0), (3, 4, 2), (7, 64, 62)):
        for address, lines in (("v1", 2), ("v9", 1)):
            body = "  v_mov_b32 v9, 0\n" + store.format(shift=shift, address=address)
            r, _ = runner.run(runner.assemble(body, {"lds": 8192}), {}, stats=True)
            counts = dict(re.findall(r"^(\S.*?) ([0-9]+)$", r.stdout, re.MULTILINE))
            got = (counts.get("LDS cycles"), counts.get("LDS conflict cycles"), counts.get("bytes of lines loaded"),
                   counts.get("bytes loaded"))
            if got != (str(cycles), str(conflicts), str(128 * lines), "256"):
                print(f"counts, stride {1 << shift}: {got} {r.stderr}")
                bad += 1
    return bad


def check_decoding(runner):
    """--check finds what no run reaches."""
    bad = 0
    for tail, message in (("", None), ("  s_endpgm\n  .long 0xbfff0000\n", "1 instructions are not known; the first: 0x"),
                          ("  s_endpgm\n  ds_gws_barrier v0 gds\n  .long 0xbfff0000\n", "2 instructions are not known")):
        code = runner.assemble(START + tail, {})
        r = subprocess.run([runner.gfx942, code, "--check"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
        if (r.returncode != 0, message is None or message in r.stderr) != (message is not None, True):
            print(f"--check: {r.returncode} {r.stderr.strip()}, wanted {message}")
            bad += 1
    return bad


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    with tempfile.TemporaryDirectory() as folder:
        def runner(name):
            os.mkdir(os.path.join(folder, name))
            return Runner(sys.argv[1], sys.argv[2], os.path.join(folder, name))

        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            bad = sum(pool.map(lambda n: check_case(runner(str(n)), CASES[n]), range(len(CASES)))) + \
                check_counts(runner("counts")) + check_decoding(runner("check"))
    print(f"{len(CASES)} kernels, {sum(len(c.faults) for c in CASES)} faults, {bad} not as they should be")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
