"""Kernels whose results CUDA defines and other languages do not, or not alike: each destination must give CUDA's."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from trap_run import DTYPES, Trap, given, inout, out, outcome

if TYPE_CHECKING:
    from pathlib import Path

INF, NAN = float("inf"), float("nan")
I_MIN, I_MAX = -(2**31), 2**31 - 1
TINY = float(np.float32(1e-45))
LANES = np.arange(32)


@dataclass(frozen=True)
class Row:
    """A trap that shares a kernel with others.

    code: an expression of a = x[2 i] and b = x[2 i + 1], or statements of thread t that write y[t]. of, to: the types of
    x and y. x: the inputs, none for statements, whose x[t] is t. y: what CUDA defines.
    """

    name: str
    code: str
    x: tuple[Any, ...]
    y: Any
    of: str = "f32"
    to: str = "f32"
    block: tuple[int, int] = (32, 1)
    rtol: float = 0.0

    @property
    def expected(self) -> np.ndarray[Any, Any]:
        """The results, in the type of y."""
        return np.asarray(self.y, DTYPES[self.to]).reshape(-1)


def each(name: str, expr: str, xs: Any, ys: Any, *, of: str = "f32", to: str = "f32", rtol: float = 0.0) -> Row:
    """A trap of one expression of a."""
    return pairwise(name, expr, [(x, 0) for x in xs], ys, of=of, to=to, rtol=rtol)


def pairwise(name: str, expr: str, xs: Any, ys: Any, *, of: str = "f32", to: str = "f32", rtol: float = 0.0) -> Row:
    """A trap of one expression of a and b."""
    return Row(name, expr, tuple(v for pair in xs for v in pair), ys, of, to, rtol=rtol)


def lanes(name: str, body: str, ys: Any, *, block: int | tuple[int, int] = 32, to: str = "i32") -> Row:
    """A trap of one block of threads: `y[t] = ...`."""
    return Row(name, body, (), ys, "i32", to, (block, 1) if isinstance(block, int) else block)


_TYPES = {"f32": "float", "f64": "double", "i8": "signed char", "u8": "unsigned char", "i16": "short",
          "u16": "unsigned short", "i32": "int", "u32": "unsigned int", "i64": "long long", "u64": "unsigned long long"}  # fmt: skip


def batch(rows: list[Row]) -> dict[str, tuple[Row, Trap, slice, str]]:
    """Put rows into few kernels, one for each shape of block; gives each row's kernel, and its part of which output."""
    found: dict[str, tuple[Row, Trap, slice, str]] = {}
    for block in dict.fromkeys(r.block for r in rows):
        same = [r for r in rows if r.block == block]
        xs: dict[str, list[Any]] = {}
        ends: dict[str, int] = {}
        lines, own = [""], list[int]()
        for r in same:
            x, y, start = f"x_{r.of}", f"y_{r.to}", ends.get(r.to, 0)
            ends[r.to] = start + r.expected.size
            if r.x:
                first = len(xs.setdefault(r.of, []))
                xs[r.of] += r.x
                lines += [f"  if (t < {r.expected.size}) {{", f"    const {_TYPES[r.of]} a = {x}[{first} + 2 * t], b = {x}[{first + 1} + 2 * t];",
                          f"    {y}[{start} + t] = {r.code};", "  }"]  # fmt: skip
            else:
                own = list(range(block[0] * block[1]))
                lines += ["  {", "  const int* x = x_t;", f"  {_TYPES[r.to]}* y = {y} + {start};", r.code, "  }"]
        if own:
            xs["t"] = own
        params = [f"const {_TYPES.get(t, 'int')}* x_{t}" for t in xs] + [f"{_TYPES[t]}* y_{t}" for t in ends]
        lines[0] = f"__global__ void k({', '.join(params)}) {{\n  const int t = threadIdx.x + blockDim.x * threadIdx.y;"
        args: dict[str, Any] = {f"x_{t}": given("i32" if t == "t" else t, v) for t, v in xs.items()}
        args |= {f"y_{t}": out(t, end) for t, end in ends.items()}
        trap = Trap(f"{block[0]} x {block[1]} threads", "\n".join([*lines, "}", ""]), args, (), block=block)
        at: dict[str, int] = {}
        for r in same:
            start = at.get(r.to, 0)
            at[r.to] = start + r.expected.size
            found[r.name] = (r, trap, slice(start, at[r.to]), f"y_{r.to}")
    return found


def outcome_of(row: Row, where: str, folder: Path) -> list[np.ndarray[Any, Any]]:
    """What a row's part of a port gives on a destination, once for each poison."""
    _, trap, part, name = ROWS[row.name]
    return [outputs[name][part] for outputs in outcome(trap, where, folder).runs]


ARITHMETIC = [
    each("float to int saturates and NaN is zero", "(int)a", [3e9, -3e9, NAN, INF, -INF, -1.9, 2147483648.0],
         [I_MAX, I_MIN, 0, I_MAX, I_MIN, -1, I_MAX], to="i32"),
    each("float to unsigned saturates", "(unsigned int)a", [-1.5, 5e9, NAN, 3e9, -INF], [0, 2**32 - 1, 0, 3000000000, 0],
         to="u32"),
    each("float to long saturates", "(long long)a", [1e19, -1e19, NAN, 3e9], [2**63 - 1, -(2**63), 0, 3000000000], to="i64"),
    each("__float2int_rn rounds ties to even", "__float2int_rn(a)", [0.5, 1.5, -2.5, 3e9, NAN], [0, 2, -2, I_MAX, 0], to="i32"),
    each("__float2int_rd and __float2int_ru", "__float2int_rd(a) * 10 + __float2int_ru(a)", [1.5, -1.5, 2.0], [12, -21, 22],
         to="i32"),
    each("lrintf goes to the even neighbour", "(int)lrintf(a)", [0.5, 1.5, 2.5, -0.5, -1.5], [0, 2, 2, 0, -2], to="i32"),
    each("roundf goes away from zero, rintf to even", "roundf(a) * 100.0f + rintf(a)", [0.5, 1.5, 2.5, -2.5],
         [100.0, 202.0, 302.0, -302.0]),
    pairwise("fminf and fmaxf leave a NaN out", "fminf(a, b) + 10.0f * fmaxf(a, b)", [(NAN, 2), (2, NAN), (1, 3)], [22.0, 22.0, 31.0]),
    pairwise("min and max of floats leave a NaN out", "min(a, b) + 10.0f * max(a, b)", [(NAN, 2), (2, NAN)], [22.0, 22.0]),
    pairwise("a ternary keeps its NaN", "a < b ? a : b", [(NAN, 2), (2, NAN), (-0.0, 0.0)], [2.0, NAN, 0.0]),
    pairwise("fmodf has the dividend's sign and is exact", "fmodf(a, b)",
             [(5.5, -2), (-5.5, 2), (1e30, 7), (3, INF), (3, 0), (-0.0, 1)],
             [1.5, -1.5, float(np.fmod(np.float32(1e30), np.float32(7))), 3.0, NAN, -0.0]),
    pairwise("remainder of ints truncates towards zero", "a / b * 1000 + a % b", [(7, -2), (-7, 2), (-7, -2)], [-2999, -3001, 2999],
             of="i32", to="i32"),
    pairwise("powf at the edges", "powf(a, b)", [(0, 0), (-2, 3), (-2, 0.5), (0, -1), (1, NAN), (-1, INF), (INF, -1)],
             [1.0, -8.0, NAN, INF, 1.0, 1.0, 0.0]),
    pairwise("division by zero of floats", "a / b", [(1, 0), (-1, 0), (0, 0), (1, -0.0)], [INF, -INF, NAN, -INF]),
    each("rsqrtf and sqrtf at the edges", "rsqrtf(a)", [0.0, -0.0, -1.0, INF, 4.0], [INF, -INF, NAN, 0.0, 0.5]),
    each("sqrtf of a negative and of -0", "sqrtf(a)", [-1.0, -0.0, INF, 2.0], [NAN, -0.0, INF, float(np.sqrt(np.float32(2)))]),
    each("expf and logf at the edges", "expf(a)", [100.0, -INF, NAN, 0.0], [INF, 0.0, NAN, 1.0]),
    each("logf at the edges", "logf(a)", [0.0, -1.0, INF, 1.0], [-INF, NAN, INF, 0.0]),
    each("__expf overflows to infinity", "__expf(a)", [89.0, -INF, 0.0], [INF, 0.0, 1.0]),
    each("the sign of zero survives", "a + 0.0f", [-0.0, 0.0], [0.0, 0.0]),
    each("minus zero times and copysign", "copysignf(1.0f, a * 0.0f)", [-0.0, -3.0, 2.0], [-1.0, -1.0, 1.0]),
    each("a shift right of a negative int keeps the sign", "(a >> 1) + (a >> 31)", [-3, 5, I_MIN], [-3, 2, I_MIN // 2 - 1], of="i32",
         to="i32"),
    each("a shift right of an unsigned does not", "a >> 28", [0xF0000001, 1], [15, 0], of="u32", to="u32"),
    each("unsigned arithmetic wraps", "a * 3u - 5u", [0, 2**31, 1], [2**32 - 5, 2**31 - 5, 2**32 - 2], of="u32", to="u32"),
    each("unsigned char wraps when stored", "a + 200", [100, 55, 56], [44, 255, 0], of="u8", to="u8"),
    each("signed char compares signed", "a < 0 ? 1 : 2", [-1, 127, -128], [1, 2, 1], of="i8", to="i32"),
    each("u16 times u16 in int", "(unsigned int)a * a", [65535, 256], [4294836225, 65536], of="u16", to="u32"),
    each("64-bit product of 32-bit halves", "(long long)a * 65536LL * 3", [I_MAX, I_MIN], [I_MAX * 65536 * 3, I_MIN * 65536 * 3],
         of="i32", to="i64"),
    each("bit counts at zero", "__ffs(a) * 10000 + __clz(a) * 100 + __popc(a)", [0, 1, I_MIN, -1], [3200, 13101, 320001, 10032],
         of="i32", to="i32"),
    each("bit counts of 64 bits at zero", "__ffsll(a) * 10000 + __clzll(a) * 100 + __popcll(a)", [0, 1, -(2**63)], [6400, 16301, 640001],
         of="i64", to="i32"),
    each("__brev", "__brev(a)", [1, 0x80000000, 6], [2**31, 1, 0x60000000], of="u32", to="u32"),
    pairwise("__umulhi and __mulhi", "__umulhi(a, b)", [(2**32 - 1, 2**32 - 1), (2**31, 2)], [2**32 - 2, 1], of="u32", to="u32"),
    pairwise("__byte_perm picks bytes of both", "__byte_perm(a, b, 0x7410)", [(0x44332211, 0x88776655), (0x91A2B3C4, 5)],
             [0x88552211, 0x0005B3C4], of="u32", to="u32"),
    pairwise("__funnelshift takes its amount modulo 32 or clamps it", "__funnelshift_l(a, b, 36) ^ __funnelshift_lc(a, b, 36)",
             [(0x12345678, 0x9ABCDEF0)], [0xABCDEF01 ^ 0x12345678], of="u32", to="u32"),
    pairwise("__dp4a of signed bytes", "__dp4a(a, b, 5)", [(0x01FF7F80, 0x7F800102)], [131], of="i32", to="i32"),
    pairwise("atan2f's quadrants", "atan2f(a, b)", [(0.0, -1.0), (-0.0, -1.0), (0.0, 1.0), (-0.0, 1.0)],
             [float(np.float32(np.pi)), -float(np.float32(np.pi)), 0.0, -0.0]),
    pairwise("hypotf does not overflow", "hypotf(a, b)", [(3e30, 4e30), (INF, NAN)], [5e30, INF], rtol=1e-6),
    each("erff and friends that a language may lack", "erff(a) + erfcf(a)", [0.0, 0.5, -3.0, 9.0], [1.0, 1.0, 1.0, 1.0], rtol=1e-6),
    each("expm1f and log1pf stay exact near zero", "expm1f(a) + log1pf(a)", [1e-10, -1e-10, 0.0], [2e-10, -2e-10, 0.0], rtol=1e-6),
    each("cbrtf of a negative", "cbrtf(a)", [-27.0, 8.0, -0.0], [-3.0, 2.0, -0.0], rtol=1e-6),
    each("a half literal and a float literal keep their rounding", "a * 0.1f", [3.0, 0.7], np.float32([3.0, 0.7]) * np.float32(0.1)),
    each("isnan and isinf are not assumed away", "(isnan(a) ? 1.0f : 0.0f) + (isinf(a) ? 2.0f : 0.0f)", [NAN, INF, -INF, 1.0],
         [1.0, 2.0, 2.0, 0.0]),
    each("x != x finds a NaN", "a != a ? 1.0f : 0.0f", [NAN, INF, 0.0], [1.0, 0.0, 0.0]),
    pairwise("fmaf rounds once", "fmaf(a, a, b)", [(1 + 2.0**-12, -(1 + 2.0**-11))], [2.0**-24]),
]  # fmt: skip

PERMUTED = np.where(LANES + 5 < 32, LANES + 5, LANES)


def _segment(width: int, delta: int) -> np.ndarray[Any, Any]:
    return np.where(LANES % width + delta < width, LANES + delta, LANES)


WARPS = [
    lanes("shfl_down past the last lane gives the own value", "  y[t] = __shfl_down_sync(0xffffffff, x[t], 5);", PERMUTED),
    lanes("shfl_up before the first lane gives the own value", "  y[t] = __shfl_up_sync(0xffffffff, x[t], 3);",
          np.where(LANES >= 3, LANES - 3, LANES)),
    lanes("shfl of a lane beyond the warp is taken modulo the width", "  y[t] = __shfl_sync(0xffffffff, x[t], t + 30);",
          (LANES + 30) % 32),
    lanes("shfl_down of a width of 8", "  y[t] = __shfl_down_sync(0xffffffff, x[t], 3, 8);", _segment(8, 3)),
    lanes("shfl_xor beyond a width of 4 gives the own value or a lower segment's",
          "  y[t] = __shfl_xor_sync(0xffffffff, x[t], 5, 4);",
          [lane ^ 5 if (lane ^ 5) < (lane | 3) + 1 else lane for lane in range(32)]),
    lanes("shfl_up of a width of 16 in the second warp", "  y[t] = __shfl_up_sync(0xffffffff, x[t], 1, 16);",
          [t if t % 16 == 0 else t - 1 for t in range(64)], block=64),
    lanes("shuffles of 64-bit values", "  y[t] = __shfl_xor_sync(0xffffffff, (long long)x[t] << 33, 1);",
          (LANES.astype(np.int64) ^ 1) << 33, to="i64"),
    lanes("a ladder of 16 8 4 2 1 sums 32 lanes, whatever a wave has", """  int v = x[t];
  for (int o = 16; o > 0; o >>= 1) v += __shfl_down_sync(0xffffffff, v, o);
  y[t] = t % 32 == 0 ? v : 0;""", [sum(range(t, t + 32)) if t % 32 == 0 else 0 for t in range(128)], block=128),
    lanes("ballot has 32 bits, also in the upper half of a wave of 64", "  y[t] = (int)__ballot_sync(0xffffffff, x[t] % 3 == 0);",
          np.repeat([np.uint32(sum(1 << i for i in range(32) if (w * 32 + i) % 3 == 0)) for w in range(2)], 32).view(np.int32),
          block=64),
    lanes("compaction by ballot and popc", """  const bool keep = (x[t] & 5) == 1;
  const unsigned votes = __ballot_sync(0xffffffff, keep);
  const int lane = t & 31;
  y[t] = keep ? __popc(votes & ((1u << lane) - 1u)) + 100 * __popc(votes) : -1;""",
          [(-1 if (t & 5) != 1 else sum((u & 5) == 1 for u in range(t // 32 * 32, t)) + 800) for t in range(64)], block=64),
    lanes("any and all of one warp do not ask its neighbour",
          "  y[t] = __any_sync(0xffffffff, x[t] == 40) + 2 * __all_sync(0xffffffff, x[t] >= 32);", [0] * 32 + [3] * 32, block=64),
    lanes("lane and warp numbers of a block of two dimensions", """  const int lane = t % 32;
  y[t] = __shfl_sync(0xffffffff, x[t], (lane + 1) % 32);""", [t // 32 * 32 + (t % 32 + 1) % 32 for t in range(64)], block=(16, 4)),
    lanes("match_any", "  y[t] = __popc(__match_any_sync(0xffffffff, x[t] % 5));",
          [sum(1 for u in range(32) if u % 5 == t % 5) for t in range(32)]),
    lanes("reduce_sync", "  y[t] = (int)__reduce_add_sync(0xffffffff, (unsigned)x[t]) - (int)__reduce_max_sync(0xffffffff, (unsigned)x[t]);",
          [496 - 31] * 32),
    lanes("a shuffle in a branch that whole warps take", """  int v = x[t];
  if (t >= 32) v += __shfl_xor_sync(0xffffffff, v, 1);
  y[t] = v;""", [t if t < 32 else t + (t ^ 1) for t in range(64)], block=64),
    lanes("a shuffle of half a warp with its mask", """  int v = x[t];
  if (t % 32 < 16) v += __shfl_xor_sync(0x0000ffff, v, 1);
  y[t] = v;""", [t + (t ^ 1) if t % 32 < 16 else t for t in range(64)], block=64),
    lanes("warp-aggregated atomics find the leader by the mask", """  __shared__ int total;
  if (t == 0) total = 0;
  __syncthreads();
  const unsigned votes = __ballot_sync(0xffffffff, x[t] % 2 == 1);
  if (votes && (t & 31) == __ffs(votes) - 1) atomicAdd(&total, __popc(votes));
  __syncthreads();
  y[t] = total;""", [32] * 64, block=64),
    lanes("__syncwarp orders shared memory of a warp", """  __shared__ int s[64];
  s[t] = x[t];
  __syncwarp();
  y[t] = s[t ^ 1];""", [t ^ 1 for t in range(64)], block=64),
]  # fmt: skip


def rows_of_warps() -> list[int]:
    """What lane `row` of the warp that has the row keeps: the sum over its 32 lanes of lane + row."""
    y = [0] * 96
    for row in range(7):
        y[row % 3 * 32 + row] = 496 + 32 * row
    return y


STATEMENTS = [
    lanes("barrier in a branch of some warps", """  __shared__ int s[64];
  s[t] = 0;
  __syncthreads();
  if (t < 64) {
    s[t] = x[t];
    __syncthreads();
    y[t] = s[63 - t];
  }""", [63 - t for t in range(64)], block=64),
    lanes("__syncthreads_or, _and and _count",
          "  y[t] = __syncthreads_or(x[t] == 40) + 10 * __syncthreads_and(x[t] < 60) + 100 * __syncthreads_count(x[t] > 60);",
          [301] * 64, block=64),
    lanes("a warp per row, rows dealt to warps: unequal numbers of rounds", """  int mine = 0;
  for (int row = t / 32; row < 7; row += 3) {
    int sum = x[t % 32] + row;
    for (int o = 16; o > 0; o >>= 1) sum += __shfl_xor_sync(0xffffffff, sum, o);
    if (t % 32 == row) mine = sum;
  }
  y[t] = mine;""", rows_of_warps(), block=96),
    lanes("while any lane of the warp has something to do", """  int todo = x[t] % 5 + t / 32, rounds = 0;
  while (__any_sync(0xffffffff, todo > 0)) {
    --todo;
    if (++rounds == 3 && t / 32 == 1) break;
  }
  y[t] = rounds + 100 * todo;""", [r + 100 * (t % 5 + t // 32 - r) for t in range(96) for r in ((4, 3, 6)[t // 32],)], block=96),
    lanes("a double-buffered tile with one barrier a step", """  __shared__ int s[2][64];
  int v = x[t];
  for (int i = 0; i < 4; ++i) {
    s[i & 1][t] = v;
    __syncthreads();
    v = s[i & 1][(t + 1) % 64];
  }
  y[t] = v;""", [(t + 4) % 64 for t in range(64)], block=64),
    lanes("an unsigned counter that runs down through zero", """  int steps = 0;
  for (unsigned i = 3; i != 0xffffffffu; --i) steps += (int)i;
  y[t] = steps + x[t];""", LANES + 6),
]  # fmt: skip

CONTROL = [
    Trap("barrier after an early return", """__global__ void k(const int* x, int* y, int n) {
  __shared__ int s[64];
  const int t = threadIdx.x;
  if (t >= n) return;
  s[t] = x[t];
  __syncthreads();
  y[t] = s[n - 1 - t];
}
""", {"x": given("i32", list(range(64))), "y": inout("i32", 64, -1), "n": 40}, (),
         {"y": [39 - t if t < 40 else -1 for t in range(64)]}, block=64),
    Trap("barrier in a loop that a break of all threads leaves", """__global__ void k(const int* x, int* y, int n) {
  __shared__ int s[32];
  const int t = threadIdx.x;
  int v = x[t];
  for (int i = 0; i < 100; ++i) {
    if (i >= n) break;
    s[t] = v;
    __syncthreads();
    v = s[(t + 1) % 32];
    __syncthreads();
  }
  y[t] = v;
}
""", {"x": given("i32", list(range(32))), "y": out("i32", 32), "n": 5}, (), {"y": [(t + 5) % 32 for t in range(32)]}),
    Trap("a cast takes const and volatile away", """__device__ int first(int* p) { return p[0]; }
__global__ void k(const int* x, volatile int* y) {
  int* p = (int*)x;
  const int t = threadIdx.x;
  y[t] = 0;
  atomicAdd((int*)y + t, p[t] + first(const_cast<int*>(x)));
}
""", {"x": given("i32", list(range(5, 37))), "y": out("i32", 32)}, (), {"y": [t + 10 for t in range(32)]}),
    Trap("a ladder over volatile shared memory without __syncwarp", """__global__ void k(const int* x, int* y) {
  __shared__ volatile int s[64];
  const int t = threadIdx.x;
  s[t] = x[t];
  __syncthreads();
  if (t < 32) {
    s[t] += s[t + 32];
    s[t] += s[t + 16];
    s[t] += s[t + 8];
    s[t] += s[t + 4];
    s[t] += s[t + 2];
    s[t] += s[t + 1];
  }
  if (t == 0) y[0] = s[0];
}
""", {"x": given("i32", list(range(64))), "y": out("i32", 1)}, (), {"y": [2016]}, block=64, warned=("GP3003:7",),
         says="barriers part its loads and stores"),
]  # fmt: skip

LOOPS = [
    Trap("while any lane of a warp has work", """__global__ void k(const int* x, int* y) {
  const int t = threadIdx.x;
  int left = x[t], steps = 0;
  while (__any_sync(0xffffffff, left > 0)) {
    left--;
    steps++;
  }
  y[t] = steps;
}
""", {"x": given("i32", [3] * 40 + [5] * 24), "y": out("i32", 64)}, ("m4", "mi300x"), {"y": [3] * 32 + [5] * 32}, block=64),
    Trap("each warp has another number of rows", """__global__ void k(const int* x, int* y, int n) {
  const int lane = threadIdx.x % 32;
  for (int row = threadIdx.x / 32; row < n; row += 2) {
    int v = x[row * 32 + lane];
    for (int o = 16; o > 0; o /= 2) v += __shfl_down_sync(0xffffffff, v, o);
    if (lane == 0) y[row] = v;
  }
}
""", {"x": given("i32", list(range(160))), "y": out("i32", 5), "n": 5}, ("m4", "mi300x"),
         {"y": [sum(range(32 * r, 32 * r + 32)) for r in range(5)]}, block=64),
]  # fmt: skip

MEMORY = [
    Trap("float3 in memory has 12 bytes", """__global__ void k(const float3* x, float3* y) {
  const float3 v = x[threadIdx.x];
  y[threadIdx.x] = make_float3(v.z, v.x, v.y + 1.0f);
}
""", {"x": given("f32x3", list(range(12))), "y": out("f32x3", 12)}, (),
         {"y": [2, 0, 2, 5, 3, 5, 8, 6, 8, 11, 9, 11]}, block=4),
    Trap("a packed struct of 18 bytes", """struct __attribute__((packed)) Block { unsigned short d; unsigned char q[16]; };
__global__ void k(const unsigned char* x, int* y) {
  const Block* b = (const Block*)x;
  y[threadIdx.x] = b[threadIdx.x].d * 1000 + b[threadIdx.x].q[15];
}
""", {"x": given("u8", [i % 251 for i in range(36)]), "y": out("i32", 2)}, (), {"y": [256000 + 17, (18 + 19 * 256) * 1000 + 35]},
         block=2),
    Trap("a reference to shared memory in a helper", """__device__ void swap_if(int& a, int& b) { if (a > b) { int t = a; a = b; b = t; } }
__global__ void k(const int* x, int* y) {
  __shared__ int s[64];
  const int t = threadIdx.x;
  s[2 * t] = x[2 * t];
  s[2 * t + 1] = x[2 * t + 1];
  swap_if(s[2 * t], s[2 * t + 1]);
  int a = s[2 * t], b = -1;
  swap_if(a, b);
  y[2 * t] = a;
  y[2 * t + 1] = s[2 * t + 1];
}
""", {"x": given("i32", [5, 3] * 32), "y": out("i32", 64)}, (), {"y": [-1, 5] * 32}),
    Trap("dynamic shared memory carved into typed parts", """__global__ void k(const int* x, float* y) {
  extern __shared__ char raw[];
  int* a = (int*)raw;
  float* b = (float*)(raw + 32 * sizeof(int));
  a[threadIdx.x] = x[threadIdx.x];
  b[threadIdx.x] = 0.5f;
  __syncthreads();
  y[threadIdx.x] = (float)a[31 - threadIdx.x] + b[threadIdx.x];
}
""", {"x": given("i32", list(range(32))), "y": out("f32", 32)}, (), {"y": 31.5 - LANES}, shared=256),
    Trap("shared arrays of two instances of a template", """template <int N> __device__ int rotate(int v) {
  __shared__ int s[32];
  s[threadIdx.x] = v;
  __syncthreads();
  return s[(threadIdx.x + N) % 32];
}
__global__ void k(const int* x, int* y) { y[threadIdx.x] = rotate<1>(x[threadIdx.x]) * 100 + rotate<2>(x[threadIdx.x]); }
""", {"x": given("i32", list(range(32))), "y": out("i32", 32)}, (), {"y": [(t + 1) % 32 * 100 + (t + 2) % 32 for t in range(32)]}),
    Trap("a bit cast by a union and by a pointer", """union Bits { float f; unsigned int u; };
__global__ void k(const float* x, unsigned int* y) {
  Bits b;
  b.f = x[threadIdx.x];
  const float v = x[threadIdx.x];
  y[threadIdx.x] = b.u ^ *(const unsigned int*)&v ^ __float_as_uint(v);
}
""", {"x": given("f32", 1.0, -0.0, NAN), "y": out("u32", 3)}, (), {"y": [0x3F800000, 0x80000000, 0x7FC00000]}, block=3),
    Trap("vectors at an odd offset are loaded as scalars", """__global__ void k(const float* x, float* y) {
  const int i = threadIdx.x;
  const float* p = x + 1 + 4 * i;
  y[i] = p[0] + p[1] + p[2] + p[3];
}
""", {"x": given("f32", list(range(17))), "y": out("f32", 4)}, (), {"y": [10, 26, 42, 58]}, block=4),
    Trap("bool buffers have one byte", """__global__ void k(const bool* x, bool* y) { y[threadIdx.x] = !x[threadIdx.x]; }
""", {"x": given("bool", [True, False, True, True] * 2), "y": out("bool", 8)}, (), {"y": [0, 1, 0, 0] * 2}, block=8),
    Trap("a struct by value", """struct P { float scale; int shift; };
__global__ void k(const float* x, float* y, float scale, int shift) {
  P p = {scale, shift};
  P q = p;
  q.shift <<= 1;
  y[threadIdx.x] = x[threadIdx.x] * q.scale + (float)(q.shift - p.shift);
}
""", {"x": given("f32", list(range(8))), "y": out("f32", 8), "scale": 2.0, "shift": 3}, (), {"y": [2 * i + 3 for i in range(8)]},
         block=8),
]  # fmt: skip

ATOMICS = [
    Trap("atomicAdd of floats in shared memory", """__global__ void k(const float* x, float* y) {
  __shared__ float s;
  if (threadIdx.x == 0) s = 0.0f;
  __syncthreads();
  atomicAdd(&s, x[threadIdx.x]);
  __syncthreads();
  if (threadIdx.x == 0) y[0] = s;
}
""", {"x": given("f32", list(range(32))), "y": out("f32", 1)}, (), {"y": [496.0]}),
    Trap("atomicInc and atomicDec wrap at their limit", """__global__ void k(unsigned int* y) {
  atomicInc(&y[0], 9u);
  atomicDec(&y[1], 9u);
}
""", {"y": inout("u32", 2, 3)}, (), {"y": [(3 + 32) % 10, (3 - 32) % 10]}),
    Trap("atomicCAS gives the old value and does not fail by chance", """__global__ void k(int* y) {
  int old = atomicAdd(&y[0], 0), seen;
  do { seen = old; old = atomicCAS(&y[0], seen, seen + 2); } while (old != seen);
}
""", {"y": inout("i32", 1, 1)}, (), {"y": [65]}),
    Trap("atomicMax and atomicMin of a negative int", """__global__ void k(const int* x, int* y) {
  atomicMax(&y[0], x[threadIdx.x]);
  atomicMin(&y[1], x[threadIdx.x]);
}
""", {"x": given("i32", [i - 20 for i in range(32)]), "y": inout("i32", 2, 0)}, (), {"y": [11, -20]}),
    Trap("atomics on one output, plain stores to another", """__global__ void k(const int* x, int* sum, float* y) {
  atomicAdd(sum, x[threadIdx.x]);
  y[threadIdx.x] = 2.0f * (float)x[threadIdx.x];
}
""", {"x": given("i32", list(range(32))), "sum": inout("i32", 1, 0), "y": out("f32", 32)}, (),
         {"sum": [496], "y": 2.0 * LANES}),
    Trap("plain and atomic access to one shared array", """__global__ void k(const int* x, int* y) {
  __shared__ int bins[4];
  if (threadIdx.x < 4) bins[threadIdx.x] = 0;
  __syncthreads();
  atomicAdd(&bins[x[threadIdx.x] & 3], 1);
  __syncthreads();
  if (threadIdx.x < 4) y[threadIdx.x] = bins[threadIdx.x];
}
""", {"x": given("i32", [i % 7 for i in range(32)]), "y": out("i32", 4)}, (),
         {"y": [sum((i % 7) & 3 == b for i in range(32)) for b in range(4)]}),
]  # fmt: skip

ROWS = batch([*ARITHMETIC, *WARPS, *STATEMENTS])


def shared_traps(where: str) -> list[Trap]:
    """The traps of all directions that a destination meets."""
    # HIP keeps CUDA's memory and atomics as they are
    same = () if where == "mi300x" else (*MEMORY, *ATOMICS)
    return [dataclasses.replace(t, to=(where,)) for t in (*CONTROL, *LOOPS, *same) if where in (t.to or (where,))]
