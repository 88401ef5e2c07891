"""CUDA's intrinsics: each computes in emulation what the CUDA Math API says, edges included."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from gpuport.backends.base import Launch
from gpuport.backends.emulator import emulate
from gpuport.backends.readers import read_source
from gpuport.hwmodels import load_machine
from gpuport.ir.diagnostics import Refusal
from gpuport.ir.validate import validate

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

H100 = load_machine("h100")
EDGES = (0, 1, -1, 2, 7, 31, 32, 33, 127, 128, 255, 256, 0x7FFF, 0x8000, 0xFFFF, 0x10000, 0x7FFFFFFF, -0x80000000)
M32 = 0xFFFFFFFF


def s32(v: int) -> int:
    return (v & M32) - ((v & 0x80000000) << 1)


def s8(v: int) -> int:
    return (v & 255) - ((v & 128) << 1)


def s16(v: int) -> int:
    return (v & 0xFFFF) - ((v & 0x8000) << 1)


def pieces(v: int, bits: int) -> list[int]:
    return [v >> i & ((1 << bits) - 1) for i in range(0, 32, bits)]


def joined(values: list[int], bits: int) -> int:
    return sum((v & ((1 << bits) - 1)) << bits * i for i, v in enumerate(values))


def each(bits: int, f: Callable[[int, int], int]) -> Callable[[int, int, int], int]:
    return lambda a, b, _c: joined(
        [f(x, y) for x, y in zip(pieces(a & M32, bits), pieces(b & M32, bits), strict=True)], bits
    )


def byte_perm(a: int, b: int, s: int) -> int:
    both = pieces(a & M32, 8) + pieces(b & M32, 8)
    return joined([both[s >> 4 * i & 7] for i in range(4)], 8)


def funnel(hi: int, lo: int) -> int:
    return (hi & M32) << 32 | (lo & M32)


# an expression over the ints a, b, c and the words ua, ub, uc: what it gives, as Python ints
INTEGERS: dict[str, Callable[[int, int, int], int]] = {
    "__byte_perm(ua, ub, uc)": byte_perm,
    "__dp4a(a, b, c)": lambda a, b, c: s32(c + sum(s8(x) * s8(y) for x, y in zip(pieces(a & M32, 8), pieces(b & M32, 8), strict=True))),
    "__dp4a(ua, ub, uc)": lambda a, b, c: (c + sum(x * y for x, y in zip(pieces(a & M32, 8), pieces(b & M32, 8), strict=True))) & M32,
    "__dp2a_lo(a, b, c)": lambda a, b, c: s32(c + s16(a) * s8(b) + s16(a >> 16) * s8(b >> 8)),
    "__dp2a_hi(a, b, c)": lambda a, b, c: s32(c + s16(a) * s8(b >> 16) + s16(a >> 16) * s8(b >> 24)),
    "__funnelshift_l(ua, ub, uc)": lambda a, b, c: funnel(b, a) << (c & 31) >> 32 & M32,
    "__funnelshift_lc(ua, ub, uc)": lambda a, b, c: funnel(b, a) << min(c & M32, 32) >> 32 & M32,
    "__funnelshift_r(ua, ub, uc)": lambda a, b, c: funnel(b, a) >> (c & 31) & M32,
    "__funnelshift_rc(ua, ub, uc)": lambda a, b, c: funnel(b, a) >> min(c & M32, 32) & M32,
    "__mul24(a, b)": lambda a, b, _c: s32(s32(a << 8) // 256 * (s32(b << 8) // 256)),
    "__umul24(ua, ub)": lambda a, b, _c: (a & 0xFFFFFF) * (b & 0xFFFFFF) & M32,
    "__sad(a, b, uc)": lambda a, b, c: abs(a - b) + c & M32,
    "__usad(ua, ub, uc)": lambda a, b, c: abs((a & M32) - (b & M32)) + c & M32,
    "__hadd(a, b)": lambda a, b, _c: (a + b) >> 1,
    "__rhadd(a, b)": lambda a, b, _c: (a + b + 1) >> 1,
    "__uhadd(ua, ub)": lambda a, b, _c: ((a & M32) + (b & M32)) >> 1,
    "__urhadd(ua, ub)": lambda a, b, _c: ((a & M32) + (b & M32) + 1) >> 1,
    "__vadd4(ua, ub)": each(8, lambda x, y: x + y),
    "__vadd2(ua, ub)": each(16, lambda x, y: x + y),
    "__vsub4(ua, ub)": each(8, lambda x, y: x - y),
    "__vsub2(ua, ub)": each(16, lambda x, y: x - y),
    "__vcmpeq4(ua, ub)": each(8, lambda x, y: 255 * (x == y)),
    "__vcmpne4(ua, ub)": each(8, lambda x, y: 255 * (x != y)),
    "__vsubss4(ua, ub)": each(8, lambda x, y: max(-128, min(127, s8(x) - s8(y)))),
    "__vabsdiffu4(ua, ub)": each(8, lambda x, y: abs(x - y)),
    "__vsadu4(ua, ub)": lambda a, b, _c: sum(abs(x - y) for x, y in zip(pieces(a & M32, 8), pieces(b & M32, 8), strict=True)),
    "__vmaxu4(ua, ub)": each(8, max),
    "__vminu4(ua, ub)": each(8, min),
    "__brev(ua)": lambda a, _b, _c: int(f"{a & M32:032b}"[::-1], 2),
    "__ffsll((long long)a)": lambda a, _b, _c: (a & -a).bit_length(),
    "__popcll((unsigned long long)ua)": lambda a, _b, _c: (a & M32).bit_count(),
    "umax(ua, ub)": lambda a, b, _c: max(a & M32, b & M32),
    "llmin((long long)a, (long long)b)": lambda a, b, _c: min(a, b),
    "__double2hiint(__hiloint2double(a, b))": lambda a, _b, _c: a,
    "__double2loint(__hiloint2double(a & 0x3fffffff, b))": lambda _a, b, _c: b,
}  # fmt: skip


def computed(tmp_path: Path, rows: list[str], args: dict[str, Any], params: str, head: str, dtype: Any, n: int) -> Any:
    """The rows' values, (rows, n): one kernel has them all."""
    stores = "\n".join(f"  y[{i} * {n} + i] = {row};" for i, row in enumerate(rows))
    path = tmp_path / "k.cu"
    path.write_text(f"__global__ void k({params}) {{\n  const int i = threadIdx.x;\n  {head}\n{stores}\n}}")
    program, _ = read_source(path, "k")
    validate(program)
    given = {**args, "y": np.zeros(len(rows) * n, dtype)}
    roles: Any = dict.fromkeys(given, "in") | {"y": "out"}
    done = emulate(program, H100, Launch((1, 1, 1), (n, 1, 1), 0), given, roles=roles)
    assert not done.findings
    return done.buffers["y"].reshape(len(rows), n)


def test_integer_intrinsics(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    cases = [(a, b, c) for a in EDGES for b in EDGES[::3] for c in EDGES[::5]]
    cases += [tuple(int(v) for v in row) for row in rng.integers(-(2**31), 2**31, (200, 3))]
    n = len(cases)
    names = ("p", "q", "r")
    args = {k: np.array(col, np.int32) for k, col in zip(names, zip(*cases, strict=True), strict=True)}
    head = "const int a = p[i], b = q[i], c = r[i]; const unsigned ua = a, ub = b, uc = c;"
    params = "const int* p, const int* q, const int* r, long long* y"
    got = computed(tmp_path, list(INTEGERS), args, params, head, np.int64, n)
    for row, (text, f) in zip(got.tolist(), INTEGERS.items(), strict=True):
        assert row == [f(*case) for case in cases], text


X = np.array(
    [0.0, -0.0, 0.25, 0.5, -0.5, 1.0, 1.5, 2.5, -2.5, 3.75, -7.125, 1e-40, -3e-42, 1e-30, 3e38, -3e38, 1000.5, 2.0**22 + 0.5,
     np.inf, -np.inf, np.nan, 16777216.0], np.float32)  # fmt: skip
# the same for floats, in the type double: (expression over x, its value in float64, ulps of float32)
FLOATS: dict[str, tuple[Callable[[float], float], float]] = {
    "__saturatef(x)": (lambda x: 0.0 if math.isnan(x) else min(max(x, 0.0), 1.0), 0),
    "sinpif(x)": (lambda x: math.sin(math.pi * math.fmod(x, 2)) if math.isfinite(x) else math.nan, 3),
    "cospif(x)": (lambda x: math.cos(math.pi * math.fmod(x, 2)) if math.isfinite(x) else math.nan, 3),
    "rhypotf(x, 2.0f)": (lambda x: 1 / math.hypot(x, 2), 2),
    "norm3df(x, 1.0f, 2.0f)": (lambda x: math.hypot(x, 1, 2), 2),
    "norm4df(x, 1.0f, 2.0f, 3.0f)": (lambda x: math.hypot(x, 1, 2, 3), 3),
    "rnorm3df(x, 1.0f, 2.0f)": (lambda x: 1 / math.hypot(x, 1, 2), 3),
    "normcdff(x)": (lambda x: math.erfc(-x / math.sqrt(2)) / 2, 4),
    "(double)frexp_of(x).x": (lambda x: math.frexp(x)[0], 0),
    "(double)frexp_of(x).y": (lambda x: math.frexp(x)[1] if math.isfinite(x) else 0.0, 0),
    "(double)modf_of(x).x": (lambda x: math.modf(x)[0], 0),
    "(double)modf_of(x).y": (lambda x: math.modf(x)[1], 0),
    "(double)sincos_of(x).x": (lambda x: math.sin(x) if math.isfinite(x) else math.nan, 1),
    "(double)sincos_of(x).y": (lambda x: math.cos(x) if math.isfinite(x) else math.nan, 1),
}
HELPERS = """
__device__ float2 frexp_of(float x) { int e; const float m = frexpf(x, &e); return make_float2(m, (float)e); }
__device__ float2 modf_of(float x) { float w; const float f = modff(x, &w); return make_float2(f, w); }
__device__ float2 sincos_of(float x) { float s, c; sincosf(x, &s, &c); return make_float2(s, c); }
"""


def test_float_intrinsics(tmp_path: Path) -> None:
    path = tmp_path / "k.cu"
    stores = "\n".join(f"y[{i} * {X.size} + i] = {text};" for i, text in enumerate(FLOATS))
    path.write_text(
        f"{HELPERS}\n__global__ void k(const float* p, double* y) {{ int i = threadIdx.x; float x = p[i];\n{stores} }}"
    )
    program, _ = read_source(path, "k")
    args = {"p": X, "y": np.zeros(len(FLOATS) * X.size)}
    done = emulate(program, H100, Launch((1, 1, 1), (X.size, 1, 1), 0), args, roles={"p": "in", "y": "out"})
    assert not done.findings
    for row, (text, (f, ulps)) in zip(done.buffers["y"].reshape(len(FLOATS), -1), FLOATS.items(), strict=True):
        want = np.array([f(float(x)) for x in X])
        spacing = np.spacing(np.abs(want).astype(np.float32)).astype(np.float64)
        near = np.abs(row - want) <= ulps * np.where(np.isfinite(spacing), spacing, 0) + (1e-7 if "pif" in text else 0)
        same = np.isnan(row) & np.isnan(want) | (row == want.astype(np.float32))
        assert (near | same).all(), (text, X[~(near | same)], row[~(near | same)], want[~(near | same)])


ROUNDED: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "__float2int_rn(x)": np.rint, "__float2int_rd(x)": np.floor, "__float2int_ru(x)": np.ceil, "__float2int_rz(x)": np.trunc,
    "__double2int_rn((double)x)": np.rint, "__float2ll_rn(x)": np.rint, "lrintf(x)": np.rint,
    "__float2uint_ru(fabsf(x))": lambda x: np.ceil(np.abs(x)),
}  # fmt: skip


def test_rounding_conversions(tmp_path: Path) -> None:
    x = np.array([0.5, 1.5, 2.5, -0.5, -1.5, 2.25, -2.75, 8388607.5, 0.0, -0.0], np.float32)
    head = "const float x = p[i];"
    got = computed(tmp_path, list(ROUNDED), {"p": x}, "const float* p, long long* y", head, np.int64, x.size)
    for row, (text, f) in zip(got, ROUNDED.items(), strict=True):
        np.testing.assert_array_equal(row, f(x).astype(np.int64), err_msg=text)


@pytest.mark.parametrize(
    "call",
    [
        "erfcinvf(x)",
        "tgammaf(x)",
        "__fadd_rz(x, x)",
        "__frsqrt_rn(x)",
        "tex1Dfetch<float>(3ull, i)",
        "sinpi((double)x)",
        "nextafterf(x, 1.0f)",
    ],
)
def test_what_cannot_be_kept_accurate_is_refused(tmp_path: Path, call: str) -> None:
    with pytest.raises(Refusal, match="GP1104"):
        computed(tmp_path, [call], {}, "const float* p, double* y", "const float x = p[i];", np.float64, 1)


@pytest.mark.parametrize(
    ("function", "limit"), [("atomicInc", 5), ("atomicDec", 5), ("atomicInc", 0), ("atomicDec", 100)]
)
def test_wrapping_atomics(tmp_path: Path, function: str, limit: int) -> None:
    path = tmp_path / "k.cu"
    path.write_text(f"__global__ void k(unsigned* c, unsigned* y) {{ y[threadIdx.x] = {function}(c, {limit}u); }}")
    program, _ = read_source(path, "k")
    start, seen = 3, []
    value = start
    for _ in range(70):
        seen.append(value)
        if function == "atomicInc":
            value = 0 if value >= limit else value + 1
        else:
            value = limit if value == 0 or value > limit else value - 1
    args = {"c": np.array([start], np.uint32), "y": np.zeros(70, np.uint32)}
    done = emulate(program, H100, Launch((1, 1, 1), (70, 1, 1), 0), args, roles={"c": "inout", "y": "out"})
    assert not done.findings
    assert done.buffers["c"][0] == value
    assert sorted(done.buffers["y"]) == sorted(seen)


def test_stores_with_cache_hints(tmp_path: Path) -> None:
    path = tmp_path / "k.cu"
    path.write_text(
        "__global__ void k(const float* x, float* y) { int i = threadIdx.x; __stcs(y + i, __ldlu(&x[i])); __stcg(&y[i], y[i] + 1.0f); }"
    )
    program, _ = read_source(path, "k")
    x = np.arange(8, dtype=np.float32)
    done = emulate(program, H100, Launch((1, 1, 1), (8, 1, 1), 0), {"x": x, "y": x * 0}, roles={"x": "in", "y": "out"})
    np.testing.assert_array_equal(done.buffers["y"], x + 1)
