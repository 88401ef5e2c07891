"""The math functions of `ir.mathlib` on float64 arrays, exact float operations, and fma with one rounding."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any, Final

import numpy as np

from ...ir.types import BF16, F32, F64, Scalar
from .formats import round_to, to_bf16
from .lanes import Array


def _by_element(fn: Callable[[float], float]) -> Callable[[Array], Array]:
    ufunc = np.frompyfunc(fn, 1, 1)

    def run(x: Array) -> Array:
        return np.asarray(ufunc(x), np.float64)

    return run


def _exp10(x: Array) -> Array:
    return np.power(10.0, x)


def _rsqrt(x: Array) -> Array:
    return 1.0 / np.sqrt(x)


def _reciprocal(x: Array) -> Array:
    return 1.0 / x


def round_half_away(x: Array) -> Array:
    """C's round: halves away from zero, in the array's own type."""
    t = np.trunc(x)
    return np.where(np.abs(x - t) >= 0.5, t + np.copysign(np.ones_like(x), x), t)


def _fdim(x: Array, y: Array) -> Array:
    return np.where(np.isnan(x) | np.isnan(y), np.nan, np.where(x > y, x - y, 0.0))


# computed in float64, then rounded once to the operands' type
ROUNDED: Final[dict[str, Callable[..., Array]]] = {
    "exp": np.exp, "exp2": np.exp2, "exp10": _exp10, "expm1": np.expm1,
    "log": np.log, "log2": np.log2, "log10": np.log10, "log1p": np.log1p,
    "rsqrt": _rsqrt, "cbrt": np.cbrt,
    "sin": np.sin, "cos": np.cos, "tan": np.tan, "asin": np.arcsin, "acos": np.arccos, "atan": np.arctan,
    "sinh": np.sinh, "cosh": np.cosh, "tanh": np.tanh, "asinh": np.arcsinh, "acosh": np.arccosh, "atanh": np.arctanh,
    "erf": _by_element(math.erf), "erfc": _by_element(math.erfc),
    "pow": np.power, "atan2": np.arctan2, "hypot": np.hypot, "fdim": _fdim,
    "recip": _reciprocal, "fast_divide": np.true_divide,
}  # fmt: skip
ROUNDED.update({f"fast_{n}": ROUNDED[n] for n in "exp exp2 exp10 log log2 log10 sin cos tan pow".split()})

# exact, or correctly rounded in the operands' own type
NATIVE: Final[dict[str, Callable[..., Array]]] = {
    "sqrt": np.sqrt, "floor": np.floor, "ceil": np.ceil, "trunc": np.trunc, "rint": np.rint, "fabs": np.abs,
    "round": round_half_away, "fmin": np.fmin, "fmax": np.fmax, "fmod": np.fmod, "copysign": np.copysign,
}  # fmt: skip

PREDICATES: Final[dict[str, Callable[[Array], Array]]] = {
    "isnan": np.isnan, "isinf": np.isinf, "isfinite": np.isfinite, "signbit": np.signbit,
}  # fmt: skip


def two_sum(a: Array, b: Array) -> tuple[Array, Array]:
    """Sum and its exact rounding error (Knuth)."""
    s = a + b
    t = s - a
    return s, (a - (s - t)) + (b - t)


def _odd(s: Array, err: Array) -> Array:
    """`s` rounded to odd instead of to nearest, given its rounding error."""
    bits = s.view(np.int64)
    step = np.where((err > 0) == (s > 0), 1, -1)
    move = (err != 0) & ((bits & 1) == 0) & np.isfinite(s) & (s != 0)
    return np.where(move, bits + step, bits).view(np.float64)


def fma(a: Array, b: Array, c: Array, scalar: Scalar) -> Array:
    """`a * b + c` rounded once to `scalar`.

    Up to f32 the product is exact in float64; the sum is rounded to odd there, after which the final rounding is
    correct (Boldo, Melquiond 2008). f64 uses their algorithm on double-double terms, and exact fractions where an
    exponent is so extreme that its error terms leave the range.
    """
    if scalar is F64:
        return _fma64(a, b, c)
    product = a.astype(np.float64) * b.astype(np.float64)
    wide = c.astype(np.float64)
    total = product + wide
    if scalar is F32 and _no_tie(total):
        return total.astype(np.float32)
    total, err = two_sum(product, wide)
    return round_to(_odd(total, err), scalar)


def _no_tie(total: Array) -> bool:
    """True where rounding float64 to float32 cannot double-round: no value half-way, none subnormal."""
    half = (total.view(np.int64) & 0x1FFFFFFF) == 0x10000000
    small = (np.abs(total) < 2.0**-125) & (total != 0)
    return not (half.any() or small.any())


def _split(x: Array) -> tuple[Array, Array]:
    t = x * 134217729.0
    high = t - (t - x)
    return high, x - high


def _fma64(a: Array, b: Array, c: Array) -> Array:
    a, b, c = (np.array(v) for v in np.broadcast_arrays(a, b, c))
    product = a * b
    ah, al = _split(a)
    bh, bl = _split(b)
    low = ((ah * bh - product) + ah * bl + al * bh) + al * bl
    th, tl = two_sum(c, low)
    vh, vl = two_sum(product, th)
    out = vh + _odd(*two_sum(tl, vl))
    exact = product + c
    special = ~np.isfinite(a) | ~np.isfinite(b) | ~np.isfinite(c)
    out = np.where(special | (a == 0) | (b == 0), exact, out)
    # exponents whose error terms would underflow or overflow
    size = [np.frexp(v)[1] for v in (a, b, c)]
    wild = (np.abs(size[0] + size[1]) > 900) | (np.abs(size[2]) > 900) | (np.maximum(size[0], size[1]) > 990)
    for i in np.argwhere(wild & ~special & (a != 0) & (b != 0)):
        at = tuple(i)
        out[at] = _exact(Fraction(float(a[at])) * Fraction(float(b[at])) + Fraction(float(c[at])), float(exact[at]))
    return out


def _exact(value: Fraction, sign: float) -> float:
    if value == 0:
        return math.copysign(0.0, sign)
    try:
        return float(value)  # CPython rounds a Fraction's quotient of integers correctly
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def ldexp(x: Array, n: Array, scalar: Scalar) -> Array:
    """`x * 2**n`, one rounding."""
    return round_to(np.ldexp(x.astype(np.float64), np.clip(n, -4000, 4000).astype(np.int32)), scalar)


def evaluate(fn: str, args: list[Any], scalar: Scalar) -> Array:
    """A float function of the table on lanes of `scalar`; KeyError for a name that is not in it."""
    if fn == "fma":
        return fma(args[0], args[1], args[2], scalar)
    if fn == "ldexp":
        return ldexp(args[0], args[1], scalar)
    if fn in NATIVE:
        out = NATIVE[fn](*args)
        return to_bf16(out) if scalar is BF16 else out
    return round_to(ROUNDED[fn](*(a.astype(np.float64, copy=False) for a in args)), scalar)
