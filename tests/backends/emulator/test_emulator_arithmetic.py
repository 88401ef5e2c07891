"""Operations of every type against ctypes, Python integers, fractions and NumPy."""

from __future__ import annotations

import ctypes
import math as m
import operator
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from emu_build import STUB, Stub, X, assign, kinds, math, pointer, program, run, tid, var, vec
from gpuport.backends.emulator import MachineDomain
from gpuport.ir import nodes as ir
from gpuport.ir.types import BF16, BOOL, F16, F32, F64, I8, I16, I32, I64, U8, U16, U32, U64, Scalar, Vector
from hypothesis import given, settings
from hypothesis import strategies as st

INTS = [I8, U8, I16, U16, I32, U32, I64, U64]
FLUSH = Stub(numerics__subnormals_f32="flushed")


def dtype(t: Scalar) -> Any:
    return np.uint16 if t == BF16 else np.dtype(f"{ {'int': 'i', 'uint': 'u', 'float': 'f'}[t.kind] }{t.size}")


def apply(expr: Any, operands: list[tuple[Scalar, list[Any]]], result: Scalar, machine: Any = STUB) -> Any:
    """Evaluate `expr(*loads)` for rows of operands; gives the output buffer and the kinds of findings."""
    params = {f"x{i}": pointer(t, const=True) for i, (t, _) in enumerate(operands)}
    loads = [var(f"x{i}", params[f"x{i}"])[tid()] for i in range(len(operands))]
    n = len(operands[0][1])
    prog = program({**params, "o": pointer(result)}, [assign(var("o", pointer(result))[tid()], expr(*loads))])
    args = {f"x{i}": np.array(v, dtype(t)) for i, (t, v) in enumerate(operands)}
    got = run(prog, {**args, "o": np.zeros(n, dtype(result))}, 1, n, machine=machine)
    return got.buffers["o"], kinds(got)


def wrap(v: int, t: Scalar) -> int:
    v %= 1 << t.bits
    return v - (1 << t.bits) if t.signed and v >= 1 << (t.bits - 1) else v


def edge_ints(t: Scalar) -> st.SearchStrategy[int]:
    low, high = (-(1 << (t.bits - 1)), (1 << (t.bits - 1)) - 1) if t.signed else (0, (1 << t.bits) - 1)
    return st.one_of(st.integers(low, high), st.sampled_from([low, high, 0, 1, high // 2, low + 1, wrap(-1, t)]))


@settings(max_examples=120, deadline=None)
@given(st.data())
def test_integer_operators(data: st.DataObject) -> None:
    t = data.draw(st.sampled_from(INTS))
    a, b = (data.draw(st.lists(edge_ints(t), min_size=8, max_size=8)) for _ in "ab")
    op = data.draw(st.sampled_from(["+", "-", "*", "/", "%", "&", "|", "^", "<", "<=", ">", ">=", "==", "!="]))
    compare = op in ("<", "<=", ">", ">=", "==", "!=")
    got, found = apply(
        lambda x, y: x.bin(op, y, BOOL).to(I32) if compare else x.bin(op, y), [(t, a), (t, b)], I32 if compare else t
    )
    divides = op in "/%"
    assert found == (["arithmetic"] if divides and 0 in b else [])

    def want(p: int, q: int) -> int:
        if divides:
            quotient = abs(p) // abs(q) * (1 if (p < 0) == (q < 0) else -1)
            return wrap(quotient if op == "/" else p - q * quotient, t)
        value = eval(f"p {op} q", {"p": p, "q": q})
        return int(value) if compare else wrap(value, t)

    for p, q, r in zip(a, b, got.tolist(), strict=True):
        if not (divides and q == 0):
            assert r == want(p, q), (t, op, p, q)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_shifts(data: st.DataObject) -> None:
    t = data.draw(st.sampled_from(INTS))
    a = data.draw(st.lists(edge_ints(t), min_size=8, max_size=8))
    n = data.draw(st.lists(st.integers(-1, t.bits + 1), min_size=8, max_size=8))
    op = data.draw(st.sampled_from(["<<", ">>"]))
    got, found = apply(lambda x, y: X(ir.Binary(op, x.e, y.e, t)), [(t, a), (I32, n)], t)
    assert found == (["arithmetic"] if any(not 0 <= k < t.bits for k in n) else [])
    for p, k, r in zip(a, n, got.tolist(), strict=True):
        k = k if 0 <= k < t.bits else t.bits
        assert r == wrap(p << k if op == "<<" else p >> k, t)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_integer_functions(data: st.DataObject) -> None:
    t = data.draw(st.sampled_from([I32, U32, I64, U64]))
    a, b = (data.draw(st.lists(edge_ints(t), min_size=8, max_size=8)) for _ in "ab")
    fn = data.draw(st.sampled_from(["min", "max", "abs", "mulhi", "popcount", "clz", "ffs", "brev"]))
    two = fn in ("min", "max", "mulhi")
    result = I32 if fn in ("popcount", "clz", "ffs") else t
    got, found = apply(
        lambda x, y: math(fn, x, y, t=result) if two else math(fn, x, t=result), [(t, a), (t, b)], result
    )
    assert found == []

    def want(p: int, q: int) -> int:
        bits = p % (1 << t.bits)
        return {
            "min": lambda: min(p, q),
            "max": lambda: max(p, q),
            "abs": lambda: wrap(abs(p), t),
            "mulhi": lambda: (p * q) >> t.bits,
            "popcount": lambda: bits.bit_count(),
            "clz": lambda: t.bits - bits.bit_length(),
            "ffs": lambda: (bits & -bits).bit_length(),
            "brev": lambda: wrap(int(f"{bits:0{t.bits}b}"[::-1], 2), t),
        }[fn]()

    assert got.tolist() == [want(p, q) for p, q in zip(a, b, strict=True)]


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_integer_conversions(data: st.DataObject) -> None:
    s, t = data.draw(st.sampled_from(INTS)), data.draw(st.sampled_from([*INTS, F32, F64, F16]))
    a = data.draw(st.lists(edge_ints(s), min_size=8, max_size=8))
    got, _ = apply(lambda x: x.to(t), [(s, a)], t)
    if t.is_float:
        with np.errstate(over="ignore"):
            want = [ctypes.c_float(p).value if t == F32 else float(p) if t == F64 else float(np.float16(p)) for p in a]
    else:
        want = [wrap(p, t) for p in a]
    assert got.astype(object).tolist() == want or [float(g) for g in got] == want


FLOATS = st.floats(width=32, allow_nan=True, allow_infinity=True)


@settings(max_examples=80, deadline=None)
@given(st.lists(FLOATS, min_size=8, max_size=8), st.sampled_from([I8, U8, I32, U32, I64, U64]))
def test_float_to_integer_saturates(a: list[float], t: Scalar) -> None:
    got, _ = apply(lambda x: x.to(t), [(F32, a)], t)
    low, high = (-(1 << (t.bits - 1)), (1 << (t.bits - 1)) - 1) if t.signed else (0, (1 << t.bits) - 1)
    for p, g in zip(a, got.tolist(), strict=True):
        want = 0 if m.isnan(p) else high if p == m.inf else low if p == -m.inf else min(high, max(low, m.trunc(p)))
        assert g == want


def nearest(x: Fraction, t: Scalar) -> float:
    """Round a fraction to a format, ties to even, by integer arithmetic: an independent reference."""
    if x == 0:
        return 0.0
    bits, low, high = {F32: (24, -149, 128), F16: (11, -24, 16), BF16: (8, -133, 128), F64: (53, -1074, 1024)}[t]
    size = abs(x)
    exponent = size.numerator.bit_length() - size.denominator.bit_length()
    if size < Fraction(2) ** exponent:
        exponent -= 1
    unit = Fraction(2) ** max(exponent - bits + 1, low)
    n = round(size / unit)  # Python rounds halves to even
    value = n * unit
    result = m.inf if value >= Fraction(2) ** high else float(value)
    return result if x > 0 else -result


def lanes(raw: Any, t: Scalar) -> list[float]:
    if t == BF16:
        return [float(v) for v in (raw.astype(np.uint32) << 16).view(np.float32)]
    return [float(v) for v in raw]


def encode(values: list[float], t: Scalar) -> list[Any]:
    """Values rounded into the format; bf16 as bit patterns."""
    rounded = [v if not m.isfinite(v) else nearest(Fraction(v), t) for v in values]
    if t == BF16:
        return [int(np.float32(v).view(np.uint32)) >> 16 for v in rounded]
    return rounded


EXACT = {"+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv}
SHARP = st.one_of(
    st.floats(-100, 100, width=32),
    st.builds(lambda k, e: m.ldexp(k, e), st.integers(-(2**24), 2**24), st.integers(-30, 10)),
    st.sampled_from([1 + 2.0**-11, 1 + 2.0**-23, 2.0**-126, 2.0**-149, 65504.0, 3e38, -1.0, 2.0**-14, 0.0]),
)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_float_operators_round_once(data: st.DataObject) -> None:
    t = data.draw(st.sampled_from([F16, BF16, F32, F64]))
    raw = [encode(data.draw(st.lists(SHARP, min_size=8, max_size=8)), t) for _ in "abc"]
    a, b, c = (lanes(np.array(r, dtype(t)), t) for r in raw)
    op = data.draw(st.sampled_from(["+", "-", "*", "/", "fma", "sqrt"]))
    build = {"fma": lambda x, y, z: math("fma", x, y, z), "sqrt": lambda x, y, z: math("sqrt", math("fabs", x))}
    got, found = apply(build.get(op, lambda x, y, z: x.bin(op, y)), [(t, r) for r in raw], t)
    assert found == []
    for p, q, r, g in zip(a, b, c, lanes(got, t), strict=True):
        if not all(map(m.isfinite, (p, q, r))) or (op == "/" and q == 0):
            continue
        x, y, z = Fraction(p), Fraction(q), Fraction(r)
        if op == "sqrt":
            unit = Fraction(2) ** -700  # far below half an ulp of any result
            exact = Fraction(m.isqrt(int(abs(x) / unit**2)), 1) * unit
        else:
            exact = x * y + z if op == "fma" else EXACT[op](x, y)
        assert g == nearest(exact, t), (t, op, p, q, r)


def test_fma_is_not_a_product_and_a_sum() -> None:
    a = 1 + 2.0**-12
    got, _ = apply(lambda x, y, z: math("fma", x, y, z), [(F32, [a]), (F32, [a]), (F32, [-(1 + 2.0**-11)])], F32)
    assert got[0] == 2.0**-24
    # the product is half-way between two float32: rounding the sum to float64 first would lose the small summand
    for small in (2.0**-80, -(2.0**-80)):
        got, _ = apply(lambda x, y, z: math("fma", x, y, z), [(F32, [a]), (F32, [a]), (F32, [small])], F32)
        assert (
            got[0] == nearest(Fraction(a) ** 2 + Fraction(small), F32) == 1 + 2.0**-11 + (2.0**-23 if small > 0 else 0)
        )


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(*[st.floats(width=64, allow_nan=False, allow_infinity=False)] * 3), min_size=8, max_size=8))
def test_fma_of_doubles(rows: list[tuple[float, float, float]]) -> None:
    columns = [[r[i] for r in rows] for i in range(3)]
    got, _ = apply(lambda x, y, z: math("fma", x, y, z), [(F64, c) for c in columns], F64)
    for (p, q, r), g in zip(rows, got.tolist(), strict=True):
        assert g == nearest(Fraction(p) * Fraction(q) + Fraction(r), F64), (p, q, r)


def test_functions_against_the_math_library() -> None:
    x = [0.25, 0.5, 0.75, 0.875]
    names = "exp exp2 expm1 log log2 log10 log1p sqrt cbrt sin cos tan asin acos atan sinh cosh tanh asinh atanh"
    for fn in f"{names} erf erfc floor ceil trunc fabs".split():
        got, _ = apply(lambda v, fn=fn: math(fn, v), [(F32, x)], F32)
        for p, g in zip(x, got, strict=True):
            assert g == np.float32(getattr(m, fn)(p)), fn
    more = {
        "rsqrt": lambda v: 1 / m.sqrt(v),
        "recip": lambda v: 1 / v,
        "exp10": lambda v: 10**v,
        "acosh": lambda v: m.acosh(v + 1),
    }
    for fn, f in more.items():
        got, _ = apply(lambda v, fn=fn: math(fn, v + 1 if fn == "acosh" else v), [(F32, x)], F32)
        np.testing.assert_array_equal(got, np.float32([f(v) for v in x]))
    for fn, f in {"pow": m.pow, "atan2": m.atan2, "hypot": m.hypot, "fmod": m.fmod, "copysign": m.copysign}.items():
        got, _ = apply(lambda u, v, fn=fn: math(fn, u, v), [(F32, x), (F32, [-2.0, 3, -0.5, 1])], F32)
        np.testing.assert_array_equal(got, np.float32([f(p, q) for p, q in zip(x, [-2.0, 3, -0.5, 1], strict=True)]))


def test_rounding_functions_at_halves() -> None:
    x = [0.5, -0.5, 1.5, 2.5, -2.5, 0.49999997, 8388609.0]
    assert apply(lambda v: math("round", v), [(F32, x)], F32)[0].tolist() == [1, -1, 2, 3, -3, 0, 8388609]
    assert apply(lambda v: math("rint", v), [(F32, x)], F32)[0].tolist() == [0, 0, 2, 2, -2, 0, 8388609]


def test_nan_and_zero() -> None:
    nan, x = float("nan"), [1.0, float("nan"), 3.0]
    assert apply(lambda u, v: math("fmax", u, v), [(F32, x), (F32, [nan, 2.0, 4.0])], F32)[0].tolist() == [1, 2, 4]
    assert apply(lambda u, v: u.eq(v).to(I32), [(F32, [nan, 0.0]), (F32, [nan, -0.0])], I32)[0].tolist() == [0, 1]
    assert apply(lambda u, v: u.ne(v).to(I32), [(F32, [nan, 0.0]), (F32, [nan, -0.0])], I32)[0].tolist() == [1, 0]
    assert np.signbit(apply(lambda u: -u, [(F32, [0.0])], F32)[0][0])
    for fn, want in {"isnan": [1, 0, 0], "isinf": [0, 1, 0], "isfinite": [0, 0, 1], "signbit": [0, 0, 1]}.items():
        got, _ = apply(lambda u, fn=fn: math(fn, u, t=BOOL).to(I32), [(F32, [nan, m.inf, -1.0])], I32)
        assert got.tolist() == want


def test_bitcasts() -> None:
    assert apply(lambda u: u.bits(U32), [(F32, [1.0, -0.0])], U32)[0].tolist() == [0x3F800000, 0x80000000]
    assert apply(lambda u: u.bits(F32), [(U32, [0x40490FDB])], F32)[0][0] == np.float32(m.pi)
    two = Vector(F16, 2)
    got, _ = apply(lambda u: u.bits(two).comp(1), [(U32, [0x3C004000])], F16)
    assert got[0] == 1.0
    got, _ = apply(lambda u: u.bits(U16).to(I32), [(BF16, [0x3F80])], I32)
    assert got[0] == 0x3F80


def test_vector_arithmetic() -> None:
    def expr(u: X, v: X) -> X:
        p = vec(u, v, u + v, u * v)
        return (p * p + p).comp(3) + vec(u, v).comp(1)

    got, _ = apply(expr, [(F32, [2.0, 3.0]), (F32, [5.0, 7.0])], F32)
    assert got.tolist() == [10 * 10 + 10 + 5, 21 * 21 + 21 + 7]


def test_subnormals_are_flushed_where_the_machine_flushes() -> None:
    tiny = 2.0**-130
    x = [tiny, -tiny, 1.0]
    assert apply(lambda u: u + 0.0, [(F32, x)], F32)[0].tolist() == x
    got, _ = apply(lambda u: u + 0.0, [(F32, x)], F32, FLUSH)
    assert got.tolist() == [0, 0, 1]
    assert apply(lambda u: u * tiny, [(F32, [2.0, 2.0**10])], F32, FLUSH)[0].tolist() == [0, 0]
    assert apply(lambda u: u, [(F32, x)], F32, FLUSH)[0].tolist() == x  # a copy keeps the bits
    small = apply(lambda u: u * u, [(F16, [2.0**-10])], F16, FLUSH)[0][0]
    assert small == 2.0**-20  # f16 subnormals stay
    got, _ = apply(lambda u: u * m.inf, [(F32, [-tiny])], F32, FLUSH)
    assert np.isnan(got[0])


@pytest.mark.parametrize("t", [BF16, F16, F64])
def test_conversions_between_floats_round_once(t: Scalar) -> None:
    x = [1 + 2.0**-9 + 2.0**-24, 1 + 2.0**-8, 1 + 3 * 2.0**-8, 65519.996, 65520.0, 1e-7, 3.4e38]
    x = [float(np.float32(v)) for v in x]
    got, _ = apply(lambda v: v.to(t), [(F32, x)], t)
    assert lanes(got, t) == [nearest(Fraction(v), t) for v in x]
    wide = [1 + 2.0**-8 + 2.0**-40, 1 + 2.0**-9 + 2.0**-40, 1 + 2.0**-8 - 2.0**-50, 1 + 2.0**-11 + 2.0**-45]
    got, _ = apply(lambda v: v.to(t), [(F64, wide)], t)
    assert lanes(got, t) == [nearest(Fraction(v), t) for v in wide]


@pytest.mark.parametrize("t", [F16, F32, F64], ids=str)
@pytest.mark.parametrize("shape", ["a*b+c", "c+a*b", "a*b-c", "c-a*b", "c+=a*b"])
def test_a_product_in_a_sum_is_rounded_once_where_that_is_chosen(t: Scalar, shape: str) -> None:
    dtype = {F16: np.float16, F32: np.float32, F64: np.float64}[t]
    e = float(np.finfo(dtype).eps)
    a, b, c = (var(n, pointer(t))[tid()] for n in ("a", "b", "io"))
    store = {
        "a*b+c": assign(c, a * b + c), "c+a*b": assign(c, c + a * b), "a*b-c": assign(c, a * b - c),
        "c-a*b": assign(c, c - a * b), "c+=a*b": assign(c, a * b, "+"),
    }[shape]  # fmt: skip
    start = -1.0 if "+" in shape else 1.0
    args = {"a": np.full(4, 1 + e, dtype), "b": np.full(4, 1 - e, dtype), "io": np.full(4, start, dtype)}
    exact = e * e if shape == "c-a*b" else -(e * e)  # (1 + e)(1 - e) = 1 - e^2, which rounds to 1
    for contract in (False, True):
        got = run(program({n: pointer(t) for n in args}, [store]), args, 1, 4, domain=MachineDomain(contract=contract))
        assert got.buffers["io"].tolist() == [dtype(exact if contract else 0.0)] * 4
