"""The bounds domain: bounds cover what float32 arithmetic does, and are not needlessly wide."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from emu_build import (
    STUB,
    Stub,
    X,
    assign,
    atomic,
    bid,
    clean,
    declare,
    do,
    iff,
    kinds,
    loop,
    math,
    pointer,
    program,
    run,
    shared,
    sync,
    tid,
    var,
)
from emu_kernels import sgemm, softmax
from gpuport.backends.emulator import BoundsDomain, DomainUnsupported
from gpuport.ir import nodes as ir
from gpuport.ir.types import BF16, F16, F32, F64, I32, U32, Array, Scalar, Space
from hypothesis import given, settings
from hypothesis import strategies as st

T = {"o": pointer(F32), "x": pointer(F32, const=True), "y": pointer(F32, const=True)}
o, x, y = (var(n, t) for n, t in T.items())
FLUSH = Stub(numerics__subnormals_f32="flushed")


def both(prog: ir.Program, args: dict[str, Any], grid: Any = 1, block: Any = 32, **kw: Any) -> Any:
    """Run in machine floats and with bounds; gives got, value, bound of buffer o, after checking that bounds hold."""
    got = clean(run(prog, args, grid, block, **kw)).buffers["o"].astype(np.float64)
    b = clean(run(prog, args, grid, block, domain=BoundsDomain(), **kw))
    assert b.bounds is not None
    assert b.values64 is not None
    v, e = b.values64["o"], b.bounds["o"]
    np.testing.assert_array_equal(np.isnan(got) & (e != np.inf), np.isnan(v) & (e != np.inf))
    with np.errstate(invalid="ignore"):
        bad = ~((np.abs(got - v) <= e) | (got == v) | (np.isnan(got) & np.isnan(v)) | (e == np.inf))
    assert not bad.any(), (got[bad], v[bad], e[bad])
    return got, v, e


UNARY = (
    "exp exp2 log log1p sqrt rsqrt cbrt sin cos tan tanh erf erfc floor round rint fabs recip expm1 asinh atan cosh "
    "sinh fast_exp fast_log acos"
).split()
BINARY = ["+", "-", "*", "/", "fmin", "fmax", "pow", "hypot", "atan2", "copysign", "fdim", "fast_divide", "fmod"]


@settings(max_examples=120, deadline=None)
@given(st.data())
def test_bounds_cover_random_expressions(data: st.DataObject) -> None:
    """Chains of random operations on wide inputs, kept or flushed subnormals."""
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    spread = data.draw(st.sampled_from([0, 2, 20, 40]))
    a, b = (rng.normal(size=32) * 10.0 ** rng.uniform(-spread, spread, 32) for _ in "ab")
    a[:4], b[2:6] = [0, np.inf, -np.inf, 1], [0, 1, 1e-40, 2]
    values: list[X] = [x[tid()], y[tid()]]
    body: list[Any] = []
    for k in range(data.draw(st.integers(1, 5))):
        p, q, r = (data.draw(st.sampled_from(values)) for _ in range(3))
        fn = data.draw(st.sampled_from([*UNARY, *BINARY, *BINARY, "fma"]))
        made = (
            p.bin(fn, q)
            if fn in "+-*/"
            else math(fn, p)
            if fn in UNARY
            else math(fn, p, q, r)
            if fn == "fma"
            else math(fn, p, q)
        )
        body.append(declare(f"v{k}", F32, made))
        values.append(var(f"v{k}", F32))
    with np.errstate(over="ignore"):
        args = {"o": np.zeros(32, np.float32), "x": a.astype(np.float32), "y": b.astype(np.float32)}
    both(program(T, [*body, assign(o[tid()], values[-1])]), args, machine=data.draw(st.sampled_from([STUB, FLUSH])))


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 200), st.integers(0, 2**32), st.sampled_from([0, 3, 12]))
def test_dot_bound_against_exact_fractions(n: int, seed: int, wide: int) -> None:
    rng = np.random.default_rng(seed)
    a, b = ((rng.normal(size=n) * 10.0 ** rng.uniform(-wide, wide, n)).astype(np.float32) for _ in "ab")
    i, s = var("i"), var("s", F32)
    body = [declare("s", F32, 0), loop("i", 0, n, [assign(s, x[i] * y[i], "+")]), assign(o[tid()], s)]
    args = {"o": np.zeros(1, np.float32), "x": a, "y": b}
    got, v, e = both(program(T, body), args, 1, 1)
    exact = sum(Fraction(float(p)) * Fraction(float(q)) for p, q in zip(a, b, strict=True))
    size = sum(abs(Fraction(float(p)) * Fraction(float(q))) for p, q in zip(a, b, strict=True))
    assert abs(Fraction(got[0]) - exact) <= Fraction(e[0])
    assert abs(Fraction(v[0]) - exact) <= Fraction(e[0])
    # no wider than the textbook bound for this order, gamma_n sum |x_i y_i| (Higham, eq. 3.3), with room for underflow
    assert Fraction(e[0]) <= Fraction(1.02 * (n + 1) * 2.0**-24) * size + n * Fraction(2.0**-149)


def test_sgemm_and_softmax() -> None:
    rng = np.random.default_rng(5)
    a = rng.normal(size=64 * 64).astype(np.float32)
    got, v, e = both(sgemm(), {"a": a, "b": a.copy(), "o": a.copy(), "M": 64, "N": 64, "K": 64}, (4, 4), (16, 16))
    exact = a.reshape(64, 64).astype(float) @ a.reshape(64, 64).astype(float)
    np.testing.assert_allclose(v.reshape(64, 64), exact, rtol=1e-12, atol=1e-12)
    assert (e < 66 * 2.0**-24 * (np.abs(a.reshape(64, 64)) @ np.abs(a.reshape(64, 64))).ravel()).all()
    z = (rng.normal(size=(3, 700)) * 30).astype(np.float32)
    got, v, e = both(softmax(), {"x": z.ravel(), "o": np.zeros(z.size, np.float32), "cols": 700}, 3, 256)
    want = np.exp(z.astype(float) - z.max(axis=1, keepdims=True).astype(float))
    want /= want.sum(axis=1, keepdims=True)
    assert (np.abs(got - want.ravel()) <= e).all()
    assert np.median(e / np.maximum(np.abs(v), 1e-30)) < 1e-4


def test_float32_is_told_from_float16() -> None:
    """The bound has power: the same sum in half precision is outside of it."""
    i, s = var("i"), var("s", F32)
    body = [declare("s", F32, 0), loop("i", 0, 256, [assign(s, x[i] * y[i], "+")]), assign(o[0], s)]
    rng = np.random.default_rng(7)
    a, b = (rng.uniform(size=256).astype(np.float32) for _ in "ab")
    _, v, e = both(program(T, body), {"o": np.zeros(1, np.float32), "x": a, "y": b}, 1, 1)
    assert abs(float(a.astype(np.float16).astype(float) @ b.astype(np.float16).astype(float)) - v[0]) > e[0]


@pytest.mark.parametrize("t", [F16, BF16, F64])
def test_other_formats(t: Scalar) -> None:
    p = {"o": pointer(t), "x": pointer(F32, const=True), "y": pointer(F32, const=True)}
    a, b = x[tid()].to(t), y[tid()].to(t)
    body = [
        declare("s", t, a * b + a / b),
        assign(var("o", p["o"])[tid()], math("sqrt", math("fabs", var("s", t))) - a),
    ]
    rng = np.random.default_rng(3)
    args = {n: rng.normal(size=64).astype(np.float32) for n in "xy"}
    args["o"] = np.zeros(64, {F16: np.float16, BF16: np.uint16, F64: np.float64}[t])
    prog = program(p, body)
    raw = clean(run(prog, args, 1, 64)).buffers["o"]
    got = (raw.astype(np.uint32) << 16).view(np.float32).astype(float) if t == BF16 else raw.astype(float)
    b64 = clean(run(prog, args, 1, 64, domain=BoundsDomain()))
    assert b64.bounds is not None
    assert b64.values64 is not None
    assert (np.abs(got - b64.values64["o"]) <= b64.bounds["o"]).all()
    u = {F16: 2.0**-11, BF16: 2.0**-8, F64: 2.0**-53}[t]
    assert np.median(b64.bounds["o"]) < 40 * u
    assert np.median(b64.bounds["o"]) > u / 4


@pytest.mark.parametrize("order", range(4))
def test_atomic_sums_are_bounded_in_any_order(order: int) -> None:
    t = {"io": pointer(F32), "x": pointer(F32, const=True)}
    prog = program(t, [do(atomic("add", var("io", t["io"]) + 0, var("x", t["x"])[bid() * 64 + tid()]))])
    data = (np.random.default_rng(11).normal(size=512) * 1000).astype(np.float32)
    b = clean(run(prog, {"io": np.ones(1, np.float32), "x": data}, 8, 64, domain=BoundsDomain()))
    assert b.bounds is not None
    assert b.values64 is not None
    shuffled = np.random.default_rng(order).permutation(data)
    got = clean(run(prog, {"io": np.ones(1, np.float32), "x": shuffled}, 8, 64)).buffers["io"][0]
    assert abs(float(got) - b.values64["io"][0]) <= b.bounds["io"][0]
    assert b.bounds["io"][0] < 600 * 2.0**-24 * np.abs(data).sum()


def test_atomic_sums_in_shared_memory_keep_their_bound() -> None:
    d, s = shared("s", F32, 1)
    add = do(atomic("add", X(ir.AddressOf(s[0].e, pointer(F32, space=Space.SHARED))), x[tid()]))
    start = [d, iff(tid().eq(0), [assign(s[0], 0)]), sync()]
    data = np.full(32, 0.1, np.float32)
    args = {"o": np.zeros(32, np.float32), "x": data, "y": data}
    _, _, e = both(program(T, [*start, add, sync(), assign(o[tid()], s[0])]), args)
    gamma = 32 * 2.0**-24
    np.testing.assert_allclose(e, gamma * float(data.astype(float).sum()), rtol=0.01)
    # a plain store starts over
    again = [iff(tid().eq(0), [assign(s[0], 1)]), sync(), assign(o[tid()], s[0])]
    _, _, e = both(program(T, [*start, add, sync(), *again]), args)
    assert (e == 0).all()


def test_budgets_are_parameters() -> None:
    prog = program(T, [assign(o[tid()], math("exp", x[tid()]) / y[tid()])])
    args = {"o": np.zeros(32, np.float32), "x": np.ones(32, np.float32), "y": np.full(32, 3, np.float32)}

    def bound(**ulps: Any) -> float:
        found = run(prog, args, domain=BoundsDomain({k.replace("divide", "/"): v for k, v in ulps.items()})).bounds
        assert found is not None
        return float(found["o"][0])

    one = 2.0**-24  # ulp of e / 3, which is in [0.5, 1)
    assert bound(exp=0, divide=0) == pytest.approx(1.5 * 2.0**-24 * np.e / 3 * 4 / 3, rel=0.3)
    assert bound(exp=64) == pytest.approx(64 * 2.0**-22 / 3, rel=0.05)
    assert bound(exp=0, divide=100) == pytest.approx(100 * one, rel=0.05)
    assert bound(exp=lambda args, out: 0 * out + 64) == bound(exp=64)


def test_dynamic_shared_memory_with_two_types() -> None:
    d, raw = declare("raw", Array(U32, 0), shared=True), var("raw", Array(U32, 0))
    floats, ints = raw.decay().cast(F32), raw.decay() + 32
    body = [d, assign(floats[tid()], x[tid()]), assign(ints[tid()], tid().to(U32)), sync(),
            assign(o[tid()], floats[tid() ^ 1] * ints[tid() ^ 1].to(F32))]  # fmt: skip
    args = {"o": np.zeros(32, np.float32), "x": np.arange(32, dtype=np.float32), "y": np.zeros(1, np.float32)}
    got, _, _ = both(program(T, body), args, shared_bytes=256)
    np.testing.assert_array_equal(got, (np.arange(32) ^ 1) ** 2)
    mixed = [*body[:2], sync(), assign(o[tid()], raw[tid()].to(F32))]
    with pytest.raises(DomainUnsupported):
        run(program(T, mixed), args, shared_bytes=256, domain=BoundsDomain())


def test_unsupported_is_said() -> None:
    args = {"o": np.zeros(32, np.float32), "x": np.ones(32, np.float32), "y": np.ones(32, np.float32)}
    with pytest.raises(DomainUnsupported, match="bits of f32"):
        run(program(T, [assign(o[tid()], x[tid()].bits(I32).to(F32))]), args, domain=BoundsDomain())
    t = {"io": pointer(F32)}
    used = program(t, [assign(var("io", t["io"])[tid() + 1], atomic("add", var("io", t["io"]) + 0, 1))])
    with pytest.raises(DomainUnsupported, match="order of threads"):
        run(used, {"io": np.zeros(33, np.float32)}, domain=BoundsDomain())


def test_the_same_findings_as_on_the_machine() -> None:
    d, s = shared("s", F32, 32)
    prog = program(T, [d, assign(s[tid()], x[tid() + 1]), assign(o[tid()], s[tid() ^ 1])])
    args = {"o": np.zeros(32, np.float32), "x": np.ones(32, np.float32), "y": np.ones(1, np.float32)}
    assert kinds(run(prog, args)) == kinds(run(prog, args, domain=BoundsDomain())) == ["out-of-bounds", "race"]


def test_a_product_that_overflows_is_not_judged() -> None:
    """x * y - x: fused, the product is not rounded and may be finite after all."""
    args = {"x": np.array([3e38, 3e38], "f4"), "y": np.array([1.5, 1.0], "f4"), "o": np.zeros(2, "f4")}
    body = [assign(o[tid()], (x[tid()].bin("*", y[tid()])).bin("-", x[tid()]))]
    b = clean(run(program(T, body), args, 1, 2, domain=BoundsDomain()))
    assert b.bounds is not None
    assert np.isinf(b.bounds["o"][0])
    assert np.isfinite(b.bounds["o"][1])


def test_a_certain_nan_stays_certain_through_sums_and_products_with_errors() -> None:
    """(x + y) y, with a NaN in x and a rounding before it: NaN in any order, so that another result is wrong."""
    args = {"x": np.array([np.nan, 1.1], "f4"), "y": np.array([1.3, 1.3], "f4"), "o": np.zeros(2, "f4")}
    error = y[tid()] * y[tid()]
    _, v, e = both(program(T, [assign(o[tid()], (x[tid()] + error) * error)]), args, 1, 2)
    assert np.isnan(v[0])
    assert e[0] == 0 < e[1] < 1e-5


def test_a_nan_that_an_error_may_take_away_is_not_certain() -> None:
    """sqrt(x x - y) y, where x x is y but for half a rounding."""
    args = {"x": np.array([1 + 2.0**-12], "f4"), "y": np.array([1 + 2.0**-11 + 2.0**-23], "f4"), "o": np.zeros(1, "f4")}
    body = [assign(o[tid()], math("sqrt", (x[tid()] * x[tid()]) - y[tid()]) * y[tid()])]
    b = clean(run(program(T, body), args, 1, 1, domain=BoundsDomain()))
    assert b.bounds is not None
    assert b.values64 is not None
    assert np.isnan(b.values64["o"][0])
    assert np.isinf(b.bounds["o"][0])


@pytest.mark.parametrize("fn", ["rsqrt", "exp", "quotient"])
def test_what_is_zero_at_an_infinity_is_so_exactly(fn: str) -> None:
    """Times infinity it is NaN, whatever the accuracy of the function."""
    far = np.array([np.inf], "f4")
    args = {"x": -far if fn == "exp" else far, "y": far, "o": np.zeros(1, "f4")}
    value = x[tid()].bin("/", 1.0, swap=True) if fn == "quotient" else math(fn, x[tid()])
    _, v, e = both(program(T, [assign(o[tid()], value * y[tid()])]), args, 1, 1)
    assert np.isnan(v[0])
    assert e[0] == 0
