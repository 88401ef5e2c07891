"""Cooperative groups of HIP: tiles of up to 32 lanes of a wave, on waves of 64 and of 32; masks of lanes are refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from cuda_ports import check, read
from gpuport.backends.base import Launch
from gpuport.ir.diagnostics import Refusal

if TYPE_CHECKING:
    from pathlib import Path

HEAD = """#include <hip/hip_runtime.h>
#include <hip/hip_cooperative_groups.h>
namespace cg = cooperative_groups;
__global__ void k(const int* x, int* y) {
  const int i = threadIdx.x; const int v = x[i];
"""
T = np.arange(128)
X = (T * 37 % 11 - 3).astype(np.int32)
ROWS = X.reshape(-1, 16)
BODIES = {
    "shuffles": ("auto t = cg::tiled_partition<16>(cg::this_thread_block()); y[i] = t.shfl(v, 3) + 100 * t.shfl_xor(v, 1) + 10000 * (int)t.meta_group_rank();",
                 (np.repeat(ROWS[:, 3], 16) + 100 * X[T ^ 1] + 10000 * (T // 16))),
    "votes": ("auto t = cg::tiled_partition<16>(cg::this_thread_block()); y[i] = (int)t.ballot(v > 2) + (t.any(v > 6) ? 100000 : 0) + (t.all(v > -3) ? 1000000 : 0);",
              np.repeat(((ROWS > 2) << np.arange(16)).sum(1) + 100000 * (ROWS > 6).any(1) + 1000000 * (ROWS > -3).all(1), 16)),
    "sums": ("auto t = cg::tiled_partition<32>(cg::this_thread_block()); for (int by = 16; by > 0; by /= 2) v2 += t.shfl_down(v2, by); y[i] = t.shfl(v2, 0);",
             np.repeat(X.reshape(-1, 32).sum(1), 32)),
    "block": ("auto b = cg::this_thread_block(); __shared__ int s[128]; s[b.thread_rank()] = v; b.sync(); y[i] = s[127 - i] + (int)b.size();", X[::-1] + 128),
}  # fmt: skip


@pytest.mark.parametrize("source", ["mi300x", "rx7900xtx"])
@pytest.mark.parametrize("name", BODIES)
def test_groups(tmp_path: Path, name: str, source: str) -> None:
    body, want = BODIES[name]
    program = read(tmp_path, f"{HEAD}  int v2 = v;\n  {body}\n}}", ".hip")
    args = {"x": X, "y": np.full(128, -1, np.int32)}
    launch = Launch((1, 1, 1), (128, 1, 1))
    check(program, args, {"x": "in", "y": "inout"}, launch, {"y": want}, source)


@pytest.mark.parametrize(
    "body",
    [
        "auto g = cg::coalesced_threads(); y[i] = g.size();",
        "auto g = cg::tiled_partition(cg::this_thread_block(), 16); y[i] = g.size();",
        "auto g = cg::binary_partition(cg::tiled_partition<16>(cg::this_thread_block()), v > 0); y[i] = g.size();",
    ],
)
def test_masks_of_lanes_are_refused(tmp_path: Path, body: str) -> None:
    with pytest.raises(Refusal, match=r"GP1104.*32 or 64"):
        read(tmp_path, f"{HEAD}{body}\n}}", ".hip")
