"""Which buffers are written on both sides of a barrier."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from gpuport.backends.cuda.reader import read_cuda
from gpuport.ir.analysis.overwrites import overwritten_across_barriers

if TYPE_CHECKING:
    from pathlib import Path

HELPERS = """
__device__ void put(float* p, int i) { p[i] = 1.0f; }
__device__ void put_and_wait(float* p, int i) { p[i] = 1.0f; __syncthreads(); }
__device__ void wait() { __syncthreads(); }
"""
CASES = {
    "a[t] = 0; __syncthreads(); a[n - t] = 1;": {"a"},
    "a[t] = 0; __syncthreads(); b[t] = 1;": set(),
    "a[t] = 0; a[n - t] = 1; __syncthreads();": set(),
    "for (int i = 0; i < n; ++i) { a[t + i] = 0; __syncthreads(); }": {"a"},
    "for (int i = 0; i < n; ++i) a[t + i] = 0;": set(),
    "if (n > 3) { wait(); a[t] = 0; } else { wait(); a[t] = 1; }": set(),
    "a[t] = 0; if (n > 3) wait(); a[n - t] = 1;": {"a"},
    "put(a, t); wait(); put(b, t);": set(),
    "put(a, t); wait(); put(a + 1, t);": {"a"},
    "put_and_wait(b, t); put(b, n - t);": {"b"},
    "float* p = n > 3 ? a : b; p[t] = 0; __syncthreads(); b[t] = 1;": {"b"},
    "atomicAdd(&a[0], 1.0f); __syncthreads(); atomicAdd(&a[0], 1.0f);": set(),
    "atomicAdd(&a[0], 1.0f); __syncthreads(); a[0] = 1.0f;": {"a"},
    "a[0] = 1.0f; __syncthreads(); atomicAdd(&a[0], 1.0f);": {"a"},
    "a[t] = 0; __syncwarp(); a[n - t] = 1;": set(),
}


@pytest.mark.parametrize("body", CASES)
def test_overwritten_across_barriers(tmp_path: Path, body: str):
    path = tmp_path / "k.cu"
    path.write_text(f"{HELPERS}__global__ void k(float* a, float* b, int n) {{ const int t = threadIdx.x; {body} }}\n")
    assert overwritten_across_barriers(read_cuda(path, "k")[0]) == CASES[body]
