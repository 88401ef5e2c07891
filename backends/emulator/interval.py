"""How far a function's exact result moves when its operands move within their bounds, on float64 arrays.

Monotone functions are evaluated at both ends, which is exact but for float64 rounding; the others have a bound each.
A bound is infinite where the operands' interval reaches a pole or leaves the function's domain.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np

from . import functions
from .lanes import Array

MONOTONE: Final[dict[str, Callable[[Array], Array]]] = {
    **{n: functions.ROUNDED[n] for n in "exp exp2 exp10 expm1 log log2 log10 log1p rsqrt cbrt erf erfc".split()},
    **{n: functions.ROUNDED[n] for n in "asin acos atan sinh tanh asinh acosh atanh".split()},
    **{n: functions.NATIVE[n] for n in "sqrt floor ceil trunc round rint".split()},
}
EXACT: Final = frozenset("floor ceil trunc round rint fabs fmin fmax copysign fmod".split())


def spread(fn: str, x: list[Array], e: list[Array], v: Array) -> Array:
    """Bound on |f(x') - f(x)| over |x'_i - x_i| <= e_i, where v = f(x)."""
    if not any(b.any() for b in e):
        return np.zeros_like(v)
    out = _ends(MONOTONE[fn], x[0], e[0], v) if fn in MONOTONE else _OTHER[fn](x, e, v)
    total = sum(e[1:], e[0])
    # an operand without a bound may even be NaN
    return np.where(total == 0, 0.0, np.where(total == np.inf, np.inf, out))


def _farthest(v: Array, ends: list[Array]) -> Array:
    """Distance from v to the farthest end; infinite where some but not all of them are undefined."""
    out, undefined = np.zeros_like(v), np.isnan(v)
    for end in ends:
        # equal infinities have distance 0, and so have results that are undefined at the end and in the middle
        same = (end == v) | (undefined & np.isnan(end))
        gap = np.abs(end - v)
        out = np.maximum(out, np.where(same, 0.0, np.where(np.isnan(gap), np.inf, gap)))
    return out


def _ends(f: Callable[[Array], Array], x: Array, e: Array, v: Array) -> Array:
    return _farthest(v, [f(x - e), f(x + e)])


def _sine(x: list[Array], e: list[Array], v: Array) -> Array:
    return np.minimum(e[0], 2.0)


def _tangent(x: list[Array], e: list[Array], v: Array) -> Array:
    low, high = x[0] - e[0], x[0] + e[0]
    same = np.floor(low / np.pi + 0.5) == np.floor(high / np.pi + 0.5)
    return np.where(same, _ends(np.tan, x[0], e[0], v), np.inf)


def _cosh(x: list[Array], e: list[Array], v: Array) -> Array:
    return np.sinh(np.abs(x[0]) + e[0]) * e[0]


def _reciprocal(x: list[Array], e: list[Array], v: Array) -> Array:
    return np.where(np.abs(x[0]) > e[0], _ends(lambda t: 1.0 / t, x[0], e[0], v), np.inf)


def _largest(x: list[Array], e: list[Array], v: Array) -> Array:
    return np.maximum(e[0], e[1])


def _sum(x: list[Array], e: list[Array], v: Array) -> Array:
    return e[0] + e[1]


def _copysign(x: list[Array], e: list[Array], v: Array) -> Array:
    return np.where(np.abs(x[1]) > e[1], e[0], np.where(e[1] > 0, 2 * np.abs(x[0]) + e[0], e[0]))


def _remainder(x: list[Array], e: list[Array], v: Array) -> Array:
    same = (np.trunc((x[0] - e[0]) / x[1]) == np.trunc((x[0] + e[0]) / x[1])) & (e[1] == 0)
    return np.where(same, e[0], np.where((np.abs(x[1]) <= e[1]) | np.isnan(v), np.inf, np.abs(x[1]) + e[1]))


def _angle(x: list[Array], e: list[Array], v: Array) -> Array:
    radius, error = np.hypot(x[0], x[1]), np.hypot(e[0], e[1])
    turn = np.where(radius > error, np.arcsin(np.minimum(error / radius, 1.0)), np.pi)
    return np.where((x[1] - e[1] < 0) & (np.abs(x[0]) <= e[0]), 2 * np.pi, turn)


def _power(x: list[Array], e: list[Array], v: Array) -> Array:
    a, b = x
    steady = (np.abs(a) > e[0]) & (b == np.rint(b)) & (e[1] == 0)
    good = (a - e[0] > 0) | steady | ((b == np.rint(b)) & (e[1] == 0) & (b > 0))
    corners = [np.power(a + i * e[0], b + j * e[1]) for i in (-1, 1) for j in (-1, 1)]
    out = _farthest(v, corners)
    # an interval around 0 also reaches 0
    out = np.where(np.abs(a) <= e[0], np.maximum(out, np.abs(v)), out)
    never = np.isnan(v) & np.logical_and.reduce([np.isnan(c) for c in corners]) & (np.abs(a) > e[0])
    return np.where(good, out, np.where(never & (e[1] == 0), 0.0, np.inf))


_OTHER: Final[dict[str, Callable[[list[Array], list[Array], Array], Array]]] = {
    "sin": _sine, "cos": _sine, "tan": _tangent, "cosh": _cosh, "recip": _reciprocal,
    "fabs": lambda _x, e, _v: e[0], "fmin": _largest, "fmax": _largest, "copysign": _copysign,
    "fdim": _sum, "hypot": _sum, "atan2": _angle, "pow": _power, "fmod": _remainder,
}  # fmt: skip
