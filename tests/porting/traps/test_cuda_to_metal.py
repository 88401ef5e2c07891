"""CUDA to Metal for MLX: every trap between the two that a kernel can meet."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from trap_run import Trap, check, given, inout, out, rows, same
from trap_values import ROWS, Row, outcome_of, shared_traps

if TYPE_CHECKING:
    from pathlib import Path

M4 = ("m4",)
X = {"x": given("f32", *range(32)), "y": out("f32", 32)}
HEAD = "__global__ void k(const float* x, float* y) {\n  const int i = threadIdx.x;\n"


def body(name: str, lines: str, **more: object) -> Trap:
    """A kernel of floats x to y, whose lines begin at 3."""
    return Trap(name, f"{HEAD}{lines}\n}}\n", dict(X), M4, **more)  # pyright: ignore[reportArgumentType]


REFUSED = [
    Trap("a 64-bit atomic maximum whose old value is taken", """__global__ void k(unsigned long long* y, int* z) {
  z[threadIdx.x] = atomicMax(y, 7ull) > 3ull;
}
""", {"y": inout("u64", 1), "z": out("i32", 32)}, M4, refused="GP2008:2", says="atomic max on u64"),
    body("double", "  double d = x[i];\n  y[i] = (float)(d * d);", refused="GP2005:3", says="Apple M4"),
    body("an unsuffixed literal is a double", "  y[i] = x[i] * 2.0;", refused="GP2005:3", says="f64 is used"),
    body("goto", "  if (x[i] > 0.0f) goto end;\n  y[i] = 1.0f;\nend:\n  y[i] += 2.0f;", refused="GP1101:3 GP1101:5"),
    body("a clock", "  y[i] = (float)clock();", refused="GP1104:3", says="clock"),
    body("printf", '  printf("%d", i);\n  y[i] = x[i];', refused="GP1104:3", says="printf"),
    body("a named barrier", '  asm volatile("bar.sync 1, 64;");\n  y[i] = x[i];', refused="GP1101:3"),
    body("directed rounding", "  y[i] = __fadd_rz(x[i], 1.0f);", refused="GP1104:3", says="__fadd_rz"),
    Trap("recursion", """__device__ int f(int n) { return n < 2 ? n : f(n - 1) + f(n - 2); }
__global__ void k(int* y) { y[threadIdx.x] = f(threadIdx.x); }
""", {"y": out("i32", 32)}, M4, refused="GP1106:1"),
    Trap("virtual functions", """struct A { virtual __device__ int f() { return 1; } };
struct B : A { __device__ int f() override { return 2; } };
__global__ void k(int* y) {
  B b;
  A* p = &b;
  y[threadIdx.x] = p->f();
}
""", {"y": out("i32", 32)}, M4, refused="GP1103:5", says="holds pointers"),
    Trap("more threads than a threadgroup has", """__global__ void k(float* y) { y[threadIdx.x] = 1.0f; }
""", {"y": out("f32", 2048)}, M4, block=2048, refused="GP2001:1", says="at most 1024 threads"),
    Trap("more shared memory than a threadgroup has", """__global__ void k(float* y) {
  __shared__ float s[12288];
  s[threadIdx.x] = 1.0f;
  y[threadIdx.x] = s[threadIdx.x];
}
""", {"y": out("f32", 32)}, M4, refused="GP2002:2", says="49152 B"),
    Trap("more buffers than Metal binds", f"__global__ void k({', '.join(f'float* p{i}' for i in range(32))}) {{ p0[0] = 1.0f; }}\n",
         {f"p{i}": out("f32", 1) for i in range(32)}, M4, refused="GP2011:1", says="32 parameters"),
    Trap("a 64-bit atomic sum", """__global__ void k(unsigned long long* y) {
  atomicAdd(y, 1ull);
}
""", {"y": inout("u64", 1)}, M4, refused="GP2008:2", says="atomic add on u64"),
    Trap("a half atomic sum", """#include <cuda_fp16.h>
__global__ void k(__half* y) {
  atomicAdd(y, __float2half(1.0f));
}
""", {"y": inout("f16", 1)}, M4, refused="GP2008:3", says="atomic add on f16"),
    Trap("a spin lock", """__global__ void k(int* lock, int* y) {
  if (threadIdx.x == 0) {
    while (atomicCAS(lock, 0, 1) != 0) {}
    y[0] += 1;
    __threadfence();
    atomicExch(lock, 0);
  }
}
""", {"lock": inout("i32", 1), "y": inout("i32", 1)}, M4, refused="GP2010:3", says="waits for what other threads write"),
    Trap("a look-back over other groups", """__global__ void k(volatile int* flag, int* y) {
  if (blockIdx.x > 0) {
    while (flag[blockIdx.x - 1] == 0) {}
  }
  y[blockIdx.x] = 1;
  flag[blockIdx.x] = 1;
}
""", {"flag": inout("i32", 2), "y": out("i32", 2)}, M4, refused="GP2010:3", grid=2),
    Trap("a buffer that MLX would pass as input is written", """__global__ void k(float* x, float* y) {
  y[threadIdx.x] = x[threadIdx.x];
  x[threadIdx.x] = 0.0f;
}
""", {"x": given("f32", *range(32)), "y": out("f32", 32)}, M4, refused="GP2009:1", says="MLX inputs are const"),
    Trap("pointers in a struct in memory", """struct P { float* p; };
__global__ void k(P* x, float* y) { y[threadIdx.x] = x[0].p[threadIdx.x]; }
""", {"x": given("u64", 0), "y": out("f32", 32)}, M4, refused="GP1103:2"),
]  # fmt: skip

WRITTEN = [
    body("accurate functions are spelled precise", "  y[i] = expf(x[i]) + sinf(x[i]) / sqrtf(x[i] + 1.0f);",
         text=(r"metal::precise::exp\(", r"metal::precise::sin\(", r"metal::precise::sqrt\("), never=("fast::",)),
    body("fast functions stay fast", "  y[i] = __expf(x[i]) + __sinf(x[i]) + __logf(x[i] + 1.0f) + __powf(x[i], 1.5f);",
         text=(r"metal::fast::exp\(", r"metal::fast::sin\(", r"metal::fast::log\(", r"metal::fast::pow\("), never=("precise",)),
    body("literals have their suffix", "  y[i] = x[i] * 0.1f + 3e-8f;", text=(r"0\.1f", r"3\.?0?e-8f"), never=(r"0\.1[^f0-9]",)),
    body("NaN and infinity are kept", "  y[i] = i ? INFINITY : NAN;", text=("INFINITY", "NAN")),
    Trap("long long is spelled long", """__global__ void k(const long long* x, long long* y) { y[threadIdx.x] = x[threadIdx.x] + 0x100000000LL; }
""", {"x": given("i64", *range(8)), "y": out("i64", 8)}, M4, {"y": [2**32 + i for i in range(8)]}, block=8, never=("long long",)),
    Trap("names that MLX and Metal take for something else", """__global__ void k(const float* x, float* y) {
  float x_shape = x[threadIdx.x], kernel = 1.0f, device = 2.0f, thread = 3.0f, constant = 4.0f, half = 5.0f, sampler = 6.0f;
  float thread_position_in_grid = 7.0f;
  y[threadIdx.x] = x_shape + kernel + device + thread + constant + half + sampler + thread_position_in_grid;
}
""", dict(X), M4, {"y": [i + 28.0 for i in range(32)]},
         never=(r"float (x_shape|thread_position_in_grid|kernel|device|thread|constant|half|sampler)\b",)),
    Trap("a parameter with the name of a keyword", """__global__ void k(const float* device, float* thread) { thread[threadIdx.x] = device[threadIdx.x]; }
""", {"device": given("f32", *range(32)), "thread": out("f32", 32)}, M4, {"thread": list(range(32))}),
    Trap("scalars come as references", """__global__ void k(const float* x, float* y, int n, float a) {
  n += 1;
  y[threadIdx.x] = a * x[threadIdx.x] + (float)n;
}
""", {"x": given("f32", *range(32)), "y": out("f32", 32), "n": 2, "a": 0.5}, M4, {"y": [0.5 * i + 3 for i in range(32)]},
         decided="n, a passed as 0-d arrays"),
    Trap("arrays of under eight elements", """__global__ void k(const float* w, float* y) { y[threadIdx.x] = w[threadIdx.x % 3]; }
""", {"w": given("f32", 1.0, 2.0, 3.0), "y": out("f32", 32)}, M4, {"y": [1.0 + i % 3 for i in range(32)]},
         decided="inputs of under 8 elements are padded to 8"),
    Trap("dynamic shared memory is an array of a template argument", """__global__ void k(const float* x, float* y) {
  extern __shared__ float s[];
  s[threadIdx.x] = x[threadIdx.x];
  __syncthreads();
  y[threadIdx.x] = s[31 - threadIdx.x];
}
""", dict(X), M4, {"y": [31.0 - i for i in range(32)]}, shared=128, text=("SHARED_BYTES",)),
    Trap("group sizes are read, not assumed", """__global__ void k(const float* x, float* y) {
  for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < 32; i += gridDim.x * blockDim.x) y[i] = 2.0f * x[i];
}
""", dict(X), M4, {"y": [2.0 * i for i in range(32)]}, grid=2, block=8,
         text=(r"threads_per_threadgroup\.x", r"threadgroups_per_grid\.x")),
    Trap("atomics are relaxed and typed", """__global__ void k(int* y) { atomicAdd(y, 2); }
""", {"y": inout("i32", 1)}, M4, {"y": [64]}, text=(r"atomic_int", "memory_order_relaxed")),
    Trap("a 64-bit atomic maximum", """__global__ void k(const unsigned long long* x, unsigned long long* y) { atomicMax(y, x[threadIdx.x]); }
""", {"x": given("u64", *(i << 33 for i in range(32))), "y": inout("u64", 1)}, M4, {"y": [31 << 33]}),
    body("subnormals are flushed", "  y[i] = x[i] * 1e-30f;", warned=("GP3001:1",), says="2^-126"),
    body("contraction is undone", "  y[i] = x[i] * 3.0f + 1.0f;", decided="a*b + c is rounded twice"),
    body("__activemask is anyone's choice", "  y[i] = (float)__popc(__activemask());", warned=("GP3001:3",), says="not defined"),
    body("a partial warp", "  y[i] = __shfl_down_sync(0xffffffff, x[i], 1);", block=24, warned=("GP2007:1",), says="24 threads"),
    Trap("a ladder over volatile shared memory", """__global__ void k(const float* x, float* y) {
  __shared__ volatile float s[32];
  const int t = threadIdx.x;
  s[t] = x[t];
  __syncwarp();
  if (t < 16) s[t] += s[t + 16];
  if (t < 8) s[t] += s[t + 8];
  if (t < 4) s[t] += s[t + 4];
  if (t < 2) s[t] += s[t + 2];
  if (t < 1) y[0] = s[0] + s[1];
}
""", {"x": given("f32", *range(32)), "y": out("f32", 1)}, M4, {"y": [496.0]}, warned=("GP3003:6",), text=("simdgroup_barrier",)),
    body("barrier after a return is reached by all", "  if (i >= 20) return;\n  __syncthreads();\n  y[i] = x[i];",
         decided="code around barriers runs in all threads"),
    Trap("more shared memory than there is, chosen anew", """template <int TILE> __global__ void k(float* y) {
  __shared__ float s[TILE * 48];
  s[threadIdx.x] = 1.0f;
  y[threadIdx.x] = s[threadIdx.x];
}
""", {"y": out("f32", 256)}, M4, entry="k<256>", block="TILE", decided="TILE is 128 instead of 256"),
]  # fmt: skip

HOST_ONLY = {
    "the watchdog that ends a long kernel": "no text of a kernel says how long it runs",
    "cudaMemcpyToSymbol": "the host's call; the constant is an argument here, which the values of a row would not show",
    "grid sizes beyond a limit": "a launch, which the emulator checks against the model (tests/backends/emulator)",
    "maxTotalThreadsPerThreadgroup of one pipeline": "the compiler's result for one kernel, told by the device alone",
    "threads of a last group that is smaller": "MLX's dispatch; the wrapper gives grid times block (tests/backends/clike)",
    "default arguments of a __global__": "they belong to the launch in the host's code",
    "SYCL's reversed lane order": "no language that is read or written here",
    "64 lanes of AMD in old Macs": "no model of such a device",
    "the iOS simulator refuses bfloat": "no such destination",
    "x/2 compiled as a multiplication": "what Apple's compiler does to a text; the results are the same",
}  # fmt: skip


@pytest.mark.parametrize("row", [r for r, *_ in ROWS.values()], ids=lambda r: r.name)
def test_rows(row: Row, tmp_path: Path) -> None:
    for got in outcome_of(row, "m4", tmp_path):
        same(got, row.expected, row.rtol, row.code)


@pytest.mark.parametrize(("trap", "where"), rows([*shared_traps("m4"), *WRITTEN, *REFUSED]))
def test_traps(trap: Trap, where: str, tmp_path: Path) -> None:
    check(trap, where, tmp_path)
