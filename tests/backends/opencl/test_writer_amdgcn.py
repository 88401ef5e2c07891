"""Emitted OpenCL C for AMD, compiled by clang for gfx942 (wave64) and gfx1100 (wave32)."""

from __future__ import annotations

import dataclasses
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from gpuport.backends.clike.plan import WritePlan
from gpuport.backends.cuda.reader import read_cuda
from gpuport.backends.opencl.writer import write
from gpuport.hwmodels import load_machine
from gpuport.ir.rewrites.spaces import resolve_spaces

if TYPE_CHECKING:
    from pathlib import Path

# what the text calls beyond clang's own builtins, declared as in the OpenCL C specification
DECLARATIONS = """
typedef unsigned char uchar; typedef unsigned short ushort; typedef unsigned int uint; typedef unsigned long ulong;
typedef unsigned long size_t;
#define CLK_LOCAL_MEM_FENCE 1
#define CLK_GLOBAL_MEM_FENCE 2
size_t __attribute__((const)) get_local_id(uint); size_t __attribute__((const)) get_group_id(uint);
size_t __attribute__((const)) get_local_size(uint); size_t __attribute__((const)) get_num_groups(uint);
void __attribute__((convergent)) barrier(uint); void mem_fence(uint);
#define as_int(x) __builtin_astype((x), int)
#define as_uint(x) __builtin_astype((x), uint)
#define as_float(x) __builtin_astype((x), float)
#define as_ulong(x) __builtin_astype((x), ulong)
#define as_long(x) __builtin_astype((x), long)
#define as_double(x) __builtin_astype((x), double)
"""

SOURCE = """
__global__ void k(const float* x, float* y, const double* z, double* w, unsigned* votes, long long* big) {
    float v = x[threadIdx.x];
    double u = z[threadIdx.x];
    v += __shfl_xor_sync(0xffffffffu, v, 16) + __shfl_down_sync(0xffffffffu, v, 3, 8);
    v += __shfl_up_sync(0xffffffffu, v, 1) + __shfl_sync(0xffffffffu, v, 5);
    u += __shfl_xor_sync(0xffffffffu, u, 8);
    big[threadIdx.x] = __shfl_down_sync(0xffffffffu, big[threadIdx.x], 1);
    votes[threadIdx.x] = __ballot_sync(0xffffffffu, v > 0.0f);
    if (__any_sync(0xffffffffu, v > 1.0f)) y[threadIdx.x] = v;
    if (__all_sync(0xffffffffu, v > 2.0f)) w[threadIdx.x] = u;
    __syncwarp();
}"""


@pytest.mark.parametrize(("device", "target"), [("mi300x", "gfx942"), ("rx7900xtx", "gfx1100")])
def test_lane_exchange_compiles_for_amd(tmp_path: Path, device: str, target: str) -> None:
    pytest.importorskip("ziglang", reason="needs clang from ziglang")
    cuda, header, kernel = (tmp_path / name for name in ("k.cu", "declarations.h", "k.cl"))
    cuda.write_text(SOURCE)
    header.write_text(DECLARATIONS)
    roles = {"x": "in", "y": "out", "z": "in", "w": "out", "votes": "out", "big": "inout"}
    text = write(resolve_spaces(read_cuda(cuda, "k")[0]), load_machine(device), WritePlan("k", roles, (256, 1, 1)))
    kernel.write_text(text.source)
    command = [sys.executable, "-m", "ziglang", "clang", "-x", "cl", *text.options, "-cl-no-stdinc"]
    command += ["-target", "amdgcn-amd-amdhsa", f"-mcpu={target}", "-nogpulib", "-O2", "-S", "-Werror=implicit"]
    command += ["-include", str(header), "-o", "-", str(kernel)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr + text.source
    assert len(re.findall(r"ds_bpermute_b32", done.stdout)) >= 8


def test_a_shuffle_wider_than_the_subgroup_is_refused(tmp_path: Path) -> None:
    from gpuport.ir.diagnostics import Refusal

    path = tmp_path / "k.cu"
    path.write_text("__global__ void k(float* y) { y[0] = __shfl_xor_sync(0xffffffffu, y[1], 1); }")
    program = resolve_spaces(read_cuda(path, "k")[0])
    machine = load_machine("rx7900xtx")
    narrow = machine.with_facts(
        {"execution.subgroup_width": dataclasses.replace(machine.fact("execution.subgroup_width"), value=16)}
    )
    with pytest.raises(Refusal, match=r"a shuffle of 32 lanes; subgroups here have 16"):
        write(program, narrow, WritePlan("k", {"y": "inout"}, (64, 1, 1)))
