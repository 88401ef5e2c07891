"""OpenCL C and HIP to CUDA: what those languages mean and CUDA does not, or not alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from trap_run import Trap, check, given, out, rows

if TYPE_CHECKING:
    from pathlib import Path

H100 = ("h100",)
INTS = {"x": given("i32", *range(64)), "y": out("i32", 64)}

FROM_OPENCL = [
    Trap("sizes and indices are of 64 bits", """__kernel void k(__global const int *x, __global int *y) {
  const size_t i = get_global_id(0);
  if (i - 1 < get_global_size(0)) y[i] = x[i - 1];
  else y[i] = -1;
}
""", dict(INTS), H100, {"y": [-1, *range(63)]}, block=64, language="opencl"),
    Trap("3-vectors have four places", """__kernel void k(__global const float *x, __global float *y) {
  const float3 v = vload3(get_local_id(0), x);
  vstore3(v.zxy, get_local_id(0), y);
}
""", {"x": given("f32", *range(12)), "y": out("f32", 12)}, H100, {"y": [2, 0, 1, 5, 3, 4, 8, 6, 7, 11, 9, 10]}, block=4,
         language="opencl"),
    Trap("conversions that saturate", """__kernel void k(__global const float *x, __global int *y) {
  y[get_local_id(0)] = convert_int_sat(x[get_local_id(0)]);
}
""", {"x": given("f32", 3e9, -3e9, float("nan"), 1.9), "y": out("i32", 4)}, H100, {"y": [2**31 - 1, -(2**31), 0, 1]}, block=4,
         language="opencl"),
]  # fmt: skip

FROM_HIP = [
    Trap("shuffles without a mask", """#include <hip/hip_runtime.h>
__global__ void k(const int* x, int* y) {
  y[threadIdx.x] = __shfl_xor(x[threadIdx.x], 16, 32);
}
""", dict(INTS), H100, {"y": [t ^ 16 for t in range(64)]}, block=64, language="hip", text=("__shfl_xor_sync",)),
]  # fmt: skip


@pytest.mark.parametrize(("trap", "where"), rows([*FROM_OPENCL, *FROM_HIP]))
def test_traps(trap: Trap, where: str, tmp_path: Path) -> None:
    check(trap, where, tmp_path)
