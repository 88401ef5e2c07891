"""HIP sources: what they have beside CUDA's names, on waves of 64 and of 32 lanes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from gpuport import port
from gpuport.backends.base import Launch
from gpuport.backends.emulator import emulate
from gpuport.backends.readers import read_source
from gpuport.hwmodels import load_machine
from gpuport.ir.diagnostics import Refusal
from gpuport.ir.validate import validate
from gpuport.porting.spec import Kernel

if TYPE_CHECKING:
    from pathlib import Path

    from gpuport.ir.nodes import Program

WAVE = """#include <hip/hip_runtime.h>
__global__ void k(const int* x, int* y) {
    int i = threadIdx.x;
    int v = x[i];
    y[i] = __shfl_xor(v, 5);
    y[128 + i] = __shfl(v, 2, 16);
    y[256 + i] = __popcll(__ballot(v % 3 == 0)) + warpSize;
    y[384 + i] = __lane_id();
    __builtin_amdgcn_fence(__ATOMIC_ACQ_REL, "wavefront");
    __builtin_amdgcn_wave_barrier();
}"""


def read(tmp_path: Path, source: str) -> Program:
    path = tmp_path / "k.hip"
    path.write_text(source)
    program, _ = read_source(path, "k")
    validate(program)
    return program


@pytest.mark.parametrize(("device", "width"), [("mi300x", 64), ("rx7900xtx", 32)])
def test_operations_are_of_the_whole_wave(tmp_path: Path, device: str, width: int) -> None:
    x = np.arange(128, dtype="i4") * 7
    args = {"x": x, "y": np.zeros(512, "i4")}
    launch = Launch((1, 1, 1), (128, 1, 1))
    done = emulate(read(tmp_path, WAVE), load_machine(device), launch, args, roles={"x": "in", "y": "out"})
    assert not done.findings
    i = np.arange(128)
    votes = np.repeat((x.reshape(-1, width) % 3 == 0).sum(axis=1), width) + width
    expected = [x[i ^ 5], x[i // 16 * 16 + 2], votes, i % width]
    np.testing.assert_array_equal(done.buffers["y"].reshape(4, 128), expected)


def test_the_names_of_hips_first_years(tmp_path: Path) -> None:
    source = """#include <hip/hip_runtime.h>
        void host(hipStream_t stream) { hipLaunchKernelGGL(k, dim3(2), dim3(8, 4), 0, stream, nullptr); }
        __global__ void k(int* y) {
            int i = hipThreadIdx_x + hipBlockDim_x * (hipThreadIdx_y + hipBlockDim_y * hipBlockIdx_x);
            y[i] = i + 1000 * hipGridDim_x;
        }"""
    launch = Launch((2, 1, 1), (8, 4, 1))
    program = read(tmp_path, source)
    done = emulate(program, load_machine("mi300x"), launch, {"y": np.zeros(64, "i4")}, roles={"y": "out"})
    np.testing.assert_array_equal(done.buffers["y"], np.arange(64) + 2000)


SUM = """#include <hip/hip_runtime.h>
__global__ void k(const float* x, float* total, int n) {
    float v = threadIdx.x < n ? x[threadIdx.x] : 0.0f;
    for (int d = 16; d > 0; d >>= 1) v += __shfl_down(v, d, 32);
    if (threadIdx.x % 32 == 0) atomicAdd(total, v);
}"""


@pytest.mark.parametrize("dst", ["h100", "m4", "cpu", "rx7900xtx"])
def test_hip_is_a_source_like_any_other(tmp_path: Path, dst: str) -> None:
    (tmp_path / "k.hip").write_text(SUM)
    (tmp_path / "k_ref.py").write_text("def k(a):\n    return {'total': a['x'].sum(keepdims=True)}\n")
    kernel = Kernel(
        source="k.hip", entry="k", sizes={"n": [128, 100, 7]}, launch={"grid": [1], "block": [128]}, folder=tmp_path,
        args={"x": {"dtype": "f32", "shape": ["n"], "role": "in"},
              "total": {"dtype": "f32", "shape": [1], "role": "inout", "init": 0},
              "n": {"dtype": "i32", "value": "n"}},
        reference={"python": "k_ref:k"},
    )  # fmt: skip
    report = port(kernel, src="mi300x", dst=dst)
    assert report.verified, report.reason
    assert report.original.language == "hip"


def test_a_wave_of_64_on_a_subgroup_of_32_is_refused(tmp_path: Path) -> None:
    (tmp_path / "k.hip").write_text(WAVE)
    args = {"x": {"dtype": "i32", "shape": [128], "role": "in"}, "y": {"dtype": "i32", "shape": [512], "role": "out"}}
    kernel = Kernel(source="k.hip", entry="k", sizes={"n": [1]}, launch={"grid": [1], "block": [128]}, args=args,
                    folder=tmp_path)  # fmt: skip
    report = port(kernel, src="mi300x", dst="h100")
    assert report.verdict == "REFUSED"
    assert "GP2006" in report.reason
    assert "64 lanes" in report.reason


def test_an_odd_width_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refusal, match=r"GP1104.*width 48"):
        read(tmp_path, "__global__ void k(int* y) { y[0] = __shfl(y[1], 2, 48); }")
