"""CUDA to OpenCL C: on a CPU, where lanes exchange values through local memory, and on AMD's waves of 64."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from trap_run import Trap, check, given, inout, out, rows, same
from trap_values import ROWS, Row, outcome_of, shared_traps

if TYPE_CHECKING:
    from pathlib import Path

CPU = ("cpu",)
X = {"x": given("f32", *range(32)), "y": out("f32", 32)}

WRITTEN = [
    Trap("templates and overloads become functions with names of their own", """template <typename T> __device__ T twice(T v) { return v + v; }
__device__ int add(int a) { return a + 1; }
__device__ float add(float a) { return a + 0.5f; }
__global__ void k(const float* x, float* y) { y[threadIdx.x] = add(twice(x[threadIdx.x])) + (float)add(twice(1)); }
""", dict(X), CPU, {"y": [2 * i + 3.5 for i in range(32)]}),
    Trap("dynamic shared memory is a local argument", """__global__ void k(const float* x, float* y) {
  extern __shared__ float s[];
  s[threadIdx.x] = x[threadIdx.x];
  __syncthreads();
  y[threadIdx.x] = s[31 - threadIdx.x];
}
""", dict(X), CPU, {"y": [31.0 - i for i in range(32)]}, shared=128, text=(r"__local float \*s",)),
    Trap("accurate functions are not native", """__global__ void k(const float* x, float* y) { y[threadIdx.x] = expf(x[threadIdx.x]) / sinf(x[threadIdx.x]); }
""", dict(X), CPU, text=(r"[^_]exp\(", r"[^_]sin\("), never=("native_", "half_")),
    Trap("fast functions are native, which is said", """__global__ void k(const float* x, float* y) { y[threadIdx.x] = __expf(x[threadIdx.x]); }
""", dict(X), CPU, text=(r"native_exp\(",), warned=("GP3001:1",), says="accuracy OpenCL C leaves to the device"),
    Trap("fma stays fma, never mad", """__global__ void k(const float* x, float* y) { y[threadIdx.x] = fmaf(x[threadIdx.x], 3.0f, 1.0f); }
""", dict(X), CPU, {"y": [3.0 * i + 1 for i in range(32)]}, text=(r"fma\(",), never=(r"mad\(",)),
    Trap("double where the device has it", """__global__ void k(const double* x, double* y) { y[threadIdx.x] = x[threadIdx.x] * 0.1; }
""", {"x": given("f64", *range(8)), "y": out("f64", 8)}, CPU, {"y": [i * 0.1 for i in range(8)]}, block=8, text=("cl_khr_fp64",)),
    Trap("half in memory where the device has none", """#include <cuda_fp16.h>
__global__ void k(const __half* x, __half* y) { y[threadIdx.x] = __hadd(x[threadIdx.x], __float2half(1.0f)); }
""", {"x": given("f16", 0.5, 65504, 2048, -1), "y": out("f16", 4)}, CPU, {"y": [1.5, 65504, 2048, 0]}, block=4),
    Trap("float atomics are compared and exchanged", """__global__ void k(const float* x, float* y) { atomicAdd(y, x[threadIdx.x]); }
""", {"x": given("f32", *range(32)), "y": inout("f32", 1)}, CPU, {"y": [496.0]}, decided="is a compare-and-swap loop",
         text=("cmpxchg",)),
    Trap("64-bit atomics where the device has them", """__global__ void k(unsigned long long* y) { atomicAdd(y, 1ull << 33); }
""", {"y": inout("u64", 1)}, CPU, {"y": [32 << 33]}, text=("cl_khr_int64_base_atomics",)),
    Trap("names that are keywords in OpenCL C", """__global__ void k(const float* global, float* kernel, int constant, int uint) {
  int local = constant, half = uint;
  kernel[threadIdx.x] = global[threadIdx.x] + (float)(local + half);
}
""", {"global": given("f32", *range(32)), "kernel": out("f32", 32), "constant": 2, "uint": 3}, CPU,
         {"kernel": [i + 5.0 for i in range(32)]}),
    Trap("shuffles go through local memory", """__global__ void k(const float* x, float* y) { y[threadIdx.x] = __shfl_xor_sync(0xffffffff, x[threadIdx.x], 1); }
""", dict(X), CPU, {"y": [float(i ^ 1) for i in range(32)]}, text=("gp_lanes", r"barrier\("),
         decided="lanes exchange values through 128 B of shared memory"),
    Trap("float to int is saturated by name", """__global__ void k(const float* x, int* y) { y[threadIdx.x] = (int)x[threadIdx.x]; }
""", {"x": given("f32", 3e9, -3e9, float("nan"), 1.9), "y": out("i32", 4)}, CPU, {"y": [2**31 - 1, -(2**31), 0, 1]}, block=4,
         text=("convert_int_sat",)),
]  # fmt: skip

REFUSED = [
    Trap("recursion", """__device__ int f(int n) { return n < 2 ? n : f(n - 1) + f(n - 2); }
__global__ void k(int* y) { y[threadIdx.x] = f(threadIdx.x); }
""", {"y": out("i32", 32)}, CPU, refused="GP1106:1"),
    Trap("a function pointer in a table", """__device__ int f(int n) { return n; }
__global__ void k(int* y) {
  int (*g)(int) = f;
  y[threadIdx.x] = g(threadIdx.x);
}
""", {"y": out("i32", 32)}, CPU, refused="GP1103:3 GP1102:4"),
    Trap("a barrier in a loop of unequal numbers of rounds", """__global__ void k(int* y) {
  for (int i = threadIdx.x / 32; i < 3; ++i) {
    y[threadIdx.x] = __shfl_sync(0xffffffff, i, 0);
    __syncthreads();
  }
}
""", {"y": out("i32", 64)}, CPU, block=64, refused="GP2003:2"),
    Trap("a warp that waits for another of its block", """__global__ void k(int* y) {
  __shared__ volatile int done[2];
  const int w = threadIdx.x / 32;
  if (w == 0) done[0] = 1;
  while (__any_sync(0xffffffff, done[w] == 0)) {}
  y[threadIdx.x] = w;
}
""", {"y": out("i32", 64)}, CPU, block=64, refused="GP2004:5"),
    Trap("a spin lock", """__global__ void k(int* lock, int* y) {
  while (atomicCAS(lock, 0, 1) != 0) {}
  y[0] += 1;
  atomicExch(lock, 0);
}
""", {"lock": inout("i32", 1), "y": inout("i32", 1)}, CPU, refused="GP2010:2"),
]  # fmt: skip

HOST_ONLY = {
    "get_global_id counts items, launches count groups": "the host's launch (tests/backends/opencl runs wrappers)",
    "a global size that is no multiple of the group": "groups times threads by construction",
    "Apple's OpenCL ends at 1.2": "no destination here; 1.2 is the floor of what is written",
    "images and samplers": "textures are read as memory, or refused by the reader (tests/backends/cuda)",
    "subgroup bugs of drivers": "told by a device alone; the emulator has none",
    "size_t as a kernel's argument": "a spec has no such type",
    "contraction is on by default": "the runtime's option; the bound of each element allows for it",
}  # fmt: skip


@pytest.mark.parametrize("row", [r for r, *_ in ROWS.values()], ids=lambda r: r.name)
def test_rows(row: Row, tmp_path: Path) -> None:
    for got in outcome_of(row, "cpu", tmp_path):
        same(got, row.expected, row.rtol, row.code)


@pytest.mark.parametrize(("trap", "where"), rows([*shared_traps("cpu"), *WRITTEN, *REFUSED]))
def test_traps(trap: Trap, where: str, tmp_path: Path) -> None:
    check(trap, where, tmp_path)
