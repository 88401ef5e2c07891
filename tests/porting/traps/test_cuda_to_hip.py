"""CUDA to HIP: 32 lanes of the source on waves of 64 (CDNA) and of 32 (RDNA)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from trap_run import Trap, check, given, inout, out, rows, same
from trap_values import ROWS, Row, outcome_of, shared_traps

if TYPE_CHECKING:
    from pathlib import Path

CDNA, RDNA = "mi300x", "rx7900xtx"
X = {"x": given("i32", *range(64)), "y": out("i32", 64)}
HEAD = "__global__ void k(const int* x, int* y) {\n  const int t = threadIdx.x;\n"


def body(name: str, lines: str, ys: object, to: tuple[str, ...] = (CDNA,), **more: object) -> Trap:
    """A kernel of ints x to y, whose lines begin at 3."""
    return Trap(name, f"{HEAD}{lines}\n}}\n", dict(X), to, {"y": ys} if ys is not None else {}, block=64, **more)  # pyright: ignore[reportArgumentType]


WRITTEN = [
    body("ballots of a wave of 64 are cut to 32 bits", "  y[t] = (int)__ballot_sync(0xffffffff, t & 1);",
         [0xAAAAAAAA - 2**32] * 64, text=(r"__ballot\(",), never=("_sync",)),
    body("shuffles name the width of the source", "  y[t] = __shfl_xor_sync(0xffffffff, x[t], 16);", [t ^ 16 for t in range(64)],
         text=(r"__shfl_xor\(x\[t(hreadIdx\.x)?\], 16, 32\)",), decided="keep the source's width of 32 lanes"),
    body("shuffles of a wave of 32 need no width", "  y[t] = __shfl_xor_sync(0xffffffff, x[t], 16);", [t ^ 16 for t in range(64)],
         (RDNA,), text=(r"__shfl_xor\(",), never=(", 32\\)",)),
    body("warpSize is 32 in what it computes", "  y[t] = t / warpSize * 1000 + t % warpSize;", [t // 32 * 1000 + t % 32 for t in range(64)],
         (CDNA, RDNA)),
    body("__syncwarp is a fence and a barrier of the wave", """  __shared__ int s[64];
  s[t] = x[t];
  __syncwarp();
  y[t] = s[t ^ 31];""", [t ^ 31 for t in range(64)], (CDNA, RDNA), text=("__builtin_amdgcn_wave_barrier",), never=("__syncwarp",)),
    body("inline PTX for the lane is an index", '  unsigned lane;\n  asm("mov.u32 %0, %%laneid;" : "=r"(lane));\n  y[t] = (int)lane;',
         [t % 32 for t in range(64)], (CDNA, RDNA), never=("asm",)),
    body("cache hints vanish", "  y[t] = __ldg(&x[t]);", list(range(64)), never=("__ldg",)),
    Trap("launch bounds are of threads", """__global__ void __launch_bounds__(64, 4) k(const int* x, int* y) { y[threadIdx.x] = x[threadIdx.x]; }
""", dict(X), (CDNA,), {"y": list(range(64))}, block=64, text=(r"__launch_bounds__\(64\)",)),
]  # fmt: skip
KEPT = [
    Trap("a lock that one thread of each group takes", """__global__ void k(int* lock, int* y) {
  if (threadIdx.x == 0) {
    while (atomicCAS(lock, 0, 1) != 0) {}
    __threadfence();
    y[blockIdx.x] = 1;
    __threadfence();
    atomicExch(lock, 0);
  }
}
""", {"lock": inout("i32", 1), "y": out("i32", 1)}, (CDNA,), {"y": [1]}, decided="a loop that waits is kept"),
]  # fmt: skip

REFUSED = [
    Trap("more local memory than a group has", """__global__ void k(float* y) {
  __shared__ float s[20000];
  s[threadIdx.x] = 1.0f;
  y[threadIdx.x] = s[threadIdx.x];
}
""", {"y": out("f32", 32)}, (CDNA,), refused="GP2002:2", says="80000 B"),
    Trap("inline PTX that is not in the table", """__global__ void k(int* y) {
  asm volatile("nanosleep.u32 20;");
  y[threadIdx.x] = 1;
}
""", {"y": out("i32", 32)}, (CDNA,), refused="GP1101:2"),
    Trap("a trap", """__global__ void k(int* y) {
  if (y[0] > 5) __trap();
  y[threadIdx.x] = 1;
}
""", {"y": inout("i32", 32)}, (CDNA,), refused="GP1104:2"),
    Trap("a lock within a wave", """__global__ void k(int* lock, int* y) {
  while (atomicCAS(lock, 0, 1) != 0) {}
  y[0] += 1;
  atomicExch(lock, 0);
}
""", {"lock": inout("i32", 1), "y": inout("i32", 1)}, (CDNA,), refused="GP2010:2"),
    Trap("launches from a kernel", """__global__ void child(int* y) { y[0] = 1; }
__global__ void k(int* y) {
  child<<<1, 1>>>(y);
}
""", {"y": inout("i32", 32)}, (CDNA,), refused="GP1102:3", says="dynamic parallelism"),
]  # fmt: skip

HOST_ONLY = {
    "gridDim times blockDim below 2^32": "a launch, which the emulator checks against the model",
    "unsafe float atomics by a flag": "the compiler's option; none is given",
    "system fences and fine-grained memory": "memory that the host allocates",
    "headers that HIPIFY renames": "a port has its own",
    "the second launch bound is of waves, not blocks": "not written, as it only tunes",
    "static assertions on 32-bit masks from ROCm 7 on": "no `_sync` function is written",
}  # fmt: skip


@pytest.mark.parametrize("row", [r for r, *_ in ROWS.values()], ids=lambda r: r.name)
@pytest.mark.parametrize("where", ["mi300x", "mi300x/opencl"])
def test_rows(row: Row, where: str, tmp_path: Path) -> None:
    for got in outcome_of(row, where, tmp_path):
        same(got, row.expected, row.rtol, row.code)


@pytest.mark.parametrize(("trap", "where"), rows([*shared_traps(CDNA), *WRITTEN, *KEPT, *REFUSED]))
def test_traps(trap: Trap, where: str, tmp_path: Path) -> None:
    check(trap, where, tmp_path)
