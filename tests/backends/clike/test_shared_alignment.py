"""Shared memory that is looked at as wider elements is aligned like those, in every language."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from gpuport import Kernel, load_machine
from gpuport.backends.readers import read_text
from gpuport.porting.translate import read_kernel, translate

if TYPE_CHECKING:
    from pathlib import Path

SOURCE = """
__global__ void k(const float* x, float* y, int n) {
    __shared__ float tile[64];
    extern __shared__ unsigned char bytes[];
    int* counts = (int*)bytes;
    tile[threadIdx.x] = x[threadIdx.x];
    counts[threadIdx.x] = threadIdx.x;
    __syncthreads();
    const float4 q = reinterpret_cast<float4*>(tile)[threadIdx.x / 4];
    y[threadIdx.x] = q.x + q.w + counts[threadIdx.x ^ 1] + n;
}
"""
STATIC = {
    "h100": "__align__(16) __shared__ float tile[64];",
    "mi300x": "__attribute__((aligned(16))) __shared__ float tile[64];",
    "m4": "alignas(16) threadgroup float tile[64];",
    "cpu": "__attribute__((aligned(16))) __local float tile[64];",
}
LAUNCHS = {
    "h100": "extern __align__(16) __shared__ unsigned char bytes[];",
    "mi300x": "extern __attribute__((aligned(16))) __shared__ unsigned char bytes[];",
    "m4": "alignas(16) threadgroup uchar bytes[",
    "cpu": "__local uint4 *bytes_words) {",
}


@pytest.mark.parametrize("machine", STATIC)
def test_it_is_aligned(machine: str, tmp_path: Path) -> None:
    (tmp_path / "k.cu").write_text(SOURCE)
    kernel = Kernel(
        source=tmp_path / "k.cu",
        entry="k",
        sizes={"n": [64]},
        args={
            "x": {"dtype": "f32", "shape": ["n"], "role": "in"},
            "y": {"dtype": "f32", "shape": ["n"], "role": "out"},
            "n": {"dtype": "i32", "value": "n"},
        },
        launch={"grid": ["1"], "block": ["64"], "shared": "256"},
    )
    [candidate] = translate(read_kernel(kernel), load_machine("h100"), load_machine(machine))
    text = candidate.text.source
    assert STATIC[machine] in text
    assert LAUNCHS[machine] in text
    read_text(candidate.text)
