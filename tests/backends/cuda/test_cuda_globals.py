"""`__device__` variables: data that never changes, memory of the host, and state that is a buffer of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from cuda_ports import check, read
from gpuport import Kernel, port
from gpuport.backends.base import Launch
from gpuport.ir.diagnostics import Refusal

if TYPE_CHECKING:
    from pathlib import Path

X = np.arange(16, dtype=np.float32) + 1
ROLES: dict[str, Any] = {"x": "in", "y": "inout"}
LAUNCH = Launch((1, 1, 1), (16, 1, 1))


def run(tmp_path: Path, source: str, more: dict[str, Any], want: dict[str, Any], roles: dict[str, Any]) -> Any:
    program = read(tmp_path, source)
    assert [p.name for p in program.kernel.params] == ["x", "y", *more]
    args = {"x": X, "y": np.zeros(16, np.float32), **more}
    check(program, args, ROLES | roles, LAUNCH, want)
    return program


def test_what_is_never_written_is_its_initialiser(tmp_path: Path) -> None:
    source = """__device__ float scale = 2.5f;
__device__ const float shift = 0.5f;
__device__ int rows[2][3] = {{1, 2}, {4, 5, 6}};
__device__ float weights[4] = {1.0f, 2.0f};
__device__ float weight(int i) { return weights[i & 3] + shift; }
__global__ void k(const float* x, float* y) {
  const int i = threadIdx.x;
  y[i] = scale * x[i] + weight(i) + rows[i & 1][i % 3];
}"""
    i = np.arange(16)
    rows = np.array([[1, 2, 0], [4, 5, 6]])
    want = 2.5 * X + np.array([1, 2, 0, 0])[i & 3] + 0.5 + rows[i & 1, i % 3]
    run(tmp_path, source, {}, {"y": want}, {})


def test_what_only_the_host_can_fill_is_an_argument(tmp_path: Path) -> None:
    source = """__device__ int count;
__device__ float table[4];
__device__ float looked_up(int i) { return i < count ? table[i & 3] : 0.0f; }
__global__ void k(const float* x, float* y) { const int i = threadIdx.x; y[i] = x[i] + looked_up(i); }"""
    table = np.array([10, 20, 30, 40], np.float32)
    more = {"count": np.array([7], np.int32), "table": table}
    want = X + np.where(np.arange(16) < 7, table[np.arange(16) & 3], 0)
    run(tmp_path, source, more, {"y": want}, {"count": "in", "table": "in"})


def test_what_is_written_is_a_buffer(tmp_path: Path) -> None:
    source = """__device__ unsigned int counter = 0;
__device__ float scratch[16], total = 1.0f;
__device__ unsigned int take() { return atomicAdd(&counter, 1u); }
__device__ void keep(float* to, float v) { *to = v; }
__global__ void k(const float* x, float* y) {
  const int i = threadIdx.x;
  keep(&scratch[i], x[i]);
  __syncthreads();
  y[i] = scratch[i ^ 1];
  if (x[i] > 4.0f) take();
  if (i == 0) total = total + x[3];
}"""
    more = {
        "scratch": np.zeros(16, np.float32),
        "counter": np.array([100], np.uint32),
        "total": np.array([1], np.float32),
    }
    want = {"y": X[np.arange(16) ^ 1], "scratch": X, "counter": [112], "total": [5]}
    run(tmp_path, source, more, want, dict.fromkeys(more, "inout"))


def spec(tmp_path: Path, **more: Any) -> Kernel:
    path = tmp_path / "k.cu"
    path.write_text(
        "__device__ unsigned int counter = 0;\n"
        "__global__ void k(const float* x, float* y) { y[atomicAdd(&counter, 1u)] = x[threadIdx.x]; }"
    )
    args = {
        "x": {"dtype": "f32", "shape": ["n"], "role": "in"},
        "y": {"dtype": "f32", "shape": ["n"], "role": "out"},
        **more,
    }
    launch = {"grid": 1, "block": "n"}
    reference = {"compare": {"y": "sorted"}}
    return Kernel(source=path, entry="k", sizes={"n": [32, 64]}, args=args, launch=launch, reference=reference)


def test_the_spec_has_to_name_what_is_written(tmp_path: Path) -> None:
    with pytest.raises(Refusal, match=r"k.cu:1: error GP1107: .* counter"):
        port(spec(tmp_path), "h100", "cpu")


def test_a_counter_of_the_spec_is_ported(tmp_path: Path) -> None:
    counter = {"dtype": "u32", "shape": [1], "role": "inout", "init": 0}
    report = port(spec(tmp_path, counter=counter), "h100", "cpu")
    assert report.verified, report.reason
