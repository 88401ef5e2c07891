"""Functions of `ir.mathlib` in a finite field: by their algebra where they have one, else pseudo-random functions.

exp, exp2, tanh and the like are all made of one exponential, rsqrt of sqrt, erfc of erf, log2 of log, so that two ways
to write a function are the same function. sqrt is multiplicative; of two roots it takes one, whatever the order says.
Half of all residues are no squares: no sqrt of one gives it back when squared, so that such a sqrt is pseudo-random.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import numpy as np

from ...ir.types import Scalar
from . import formats, functions
from .field import DATA, EXP, MODP, MODQ, NO_EXPONENT, SOFT, SOFT_EXPONENT, UNKNOWN, Element, P, Q, keyed
from .lanes import Array

if TYPE_CHECKING:
    from .field_domain import FieldDomain

BY_VALUE: Final = frozenset("floor ceil trunc rint round fmod copysign".split())
"""Functions of the float, not of the residues, wherever no data goes in."""

LARGEST_POWER: Final = 64


def evaluate(d: FieldDomain, fn: str, args: list[Element], scalar: Scalar) -> Element:
    """A function of the table, `fast_` or not."""
    data = np.zeros((1, 1), bool)
    for a in args:
        data = data | ((a[3] & (DATA | UNKNOWN)) != 0)
    if fn in BY_VALUE and not data.any():
        return d.exact(by_value(fn, args, scalar))
    algebra = _ALGEBRA.get(fn)
    return algebra(d, *args, scalar) if algebra else _uninterpreted(d, fn, args, scalar)


def by_value(fn: str, args: list[Element], scalar: Scalar) -> Array:
    """What a function gives on floats that do not depend on data; NaN elsewhere."""
    return functions.evaluate(fn, [formats.round_to(a[2], scalar) for a in args], scalar).astype(np.float64)


def infinite(c: Array, scalar: Scalar) -> Array:
    """Where a float is infinite, or the largest one, which programs write for an infinity."""
    return np.abs(c) >= formats.LARGEST[scalar]


def _fma(d: FieldDomain, a: Element, b: Element, c: Element, scalar: Scalar) -> Element:
    return d.binary("+", d.binary("*", a, b, scalar), c, scalar)


def _fmin(d: FieldDomain, a: Element, b: Element, scalar: Scalar) -> Element:
    return d.extreme("fmin", a, b, scalar)


def _fmax(d: FieldDomain, a: Element, b: Element, scalar: Scalar) -> Element:
    return d.extreme("fmax", a, b, scalar)


def _fabs(d: FieldDomain, a: Element, scalar: Scalar) -> Element:
    return d.extreme("fmax", a, d.negate(a, scalar), scalar)


def _fdim(d: FieldDomain, a: Element, b: Element, scalar: Scalar) -> Element:
    return d.extreme("fmax", d.binary("-", a, b, scalar), d.constant(0.0, scalar), scalar)


def _recip(d: FieldDomain, a: Element, scalar: Scalar) -> Element:
    return d.binary("/", d.constant(1.0, scalar), a, scalar)


def _sqrt(d: FieldDomain, a: Element, scalar: Scalar) -> Element:
    p, q = MODP.root(a[0]), MODQ.root(a[1])
    flags = (
        a[3] | np.where(MODP.multiply(p, p) != a[0], SOFT, 0) | np.where(MODQ.multiply(q, q) != a[1], SOFT_EXPONENT, 0)
    )
    return d.settled(p, q, by_value("sqrt", [a], scalar), flags.astype(np.uint8))


def _rsqrt(d: FieldDomain, a: Element, scalar: Scalar) -> Element:
    return _recip(d, _sqrt(d, a, scalar), scalar)


def _hypot(d: FieldDomain, a: Element, b: Element, scalar: Scalar) -> Element:
    return _sqrt(d, d.binary("+", d.binary("*", a, a, scalar), d.binary("*", b, b, scalar), scalar), scalar)


def _exp(d: FieldDomain, a: Element, scalar: Scalar) -> Element:
    p, flags = EXP(a[1]), np.where((a[3] & SOFT_EXPONENT) != 0, a[3] | np.uint8(SOFT), a[3])
    lost = (flags & NO_EXPONENT) != 0
    if lost.any():
        d.note("an exponential of an exponential", lost)
        flags = np.where(lost, flags | UNKNOWN, flags)
    flags = flags | NO_EXPONENT
    nothing = infinite(a[2], scalar)
    if nothing.any():
        gone = nothing & (a[2] < 0)
        flags = np.where(gone, 0, np.where(nothing, UNKNOWN, flags))
        p = np.where(nothing, np.uint64(0), p)
        d.note("arithmetic with infinity", nothing & ~gone)
    return d.settled(p, np.zeros_like(p), by_value("exp", [a], scalar), flags.astype(np.uint8))


def _exp2(d: FieldDomain, a: Element, scalar: Scalar) -> Element:
    return _exp(d, d.binary("*", a, d.constant(float(np.log(2.0)), scalar), scalar), scalar)


def _exp10(d: FieldDomain, a: Element, scalar: Scalar) -> Element:
    return _exp(d, d.binary("*", a, d.constant(float(np.log(10.0)), scalar), scalar), scalar)


def _expm1(d: FieldDomain, a: Element, scalar: Scalar) -> Element:
    return d.binary("-", _exp(d, a, scalar), d.constant(1.0, scalar), scalar)


def _both(d: FieldDomain, a: Element, scalar: Scalar) -> tuple[Element, Element]:
    return _exp(d, a, scalar), _exp(d, d.negate(a, scalar), scalar)


def _sinh(d: FieldDomain, a: Element, scalar: Scalar) -> Element:
    up, down = _both(d, a, scalar)
    return d.binary("*", d.binary("-", up, down, scalar), d.constant(0.5, scalar), scalar)


def _cosh(d: FieldDomain, a: Element, scalar: Scalar) -> Element:
    up, down = _both(d, a, scalar)
    return d.binary("*", d.binary("+", up, down, scalar), d.constant(0.5, scalar), scalar)


def _tanh(d: FieldDomain, a: Element, scalar: Scalar) -> Element:
    up, down = _both(d, a, scalar)
    return d.binary("/", d.binary("-", up, down, scalar), d.binary("+", up, down, scalar), scalar)


def _log(d: FieldDomain, a: Element, scalar: Scalar) -> Element:
    return _uninterpreted(d, "log", [a], scalar)


def _log2(d: FieldDomain, a: Element, scalar: Scalar) -> Element:
    return d.binary("/", _log(d, a, scalar), d.constant(float(np.log(2.0)), scalar), scalar)


def _log10(d: FieldDomain, a: Element, scalar: Scalar) -> Element:
    return d.binary("/", _log(d, a, scalar), d.constant(float(np.log(10.0)), scalar), scalar)


def _log1p(d: FieldDomain, a: Element, scalar: Scalar) -> Element:
    return _log(d, d.binary("+", a, d.constant(1.0, scalar), scalar), scalar)


def _tan(d: FieldDomain, a: Element, scalar: Scalar) -> Element:
    return d.binary("/", _sin(d, a, scalar), _cos(d, a, scalar), scalar)


def _sin(d: FieldDomain, a: Element, scalar: Scalar) -> Element:
    return _odd(d, "sin", a, scalar)


def _cos(d: FieldDomain, a: Element, scalar: Scalar) -> Element:
    p = np.minimum(a[0], MODP.negate(a[0]))
    return _uninterpreted(d, "cos", [(p, a[1], a[2], a[3])], scalar)


def _erf(d: FieldDomain, a: Element, scalar: Scalar) -> Element:
    return _odd(d, "erf", a, scalar)


def _erfc(d: FieldDomain, a: Element, scalar: Scalar) -> Element:
    return d.binary("-", d.constant(1.0, scalar), _erf(d, a, scalar), scalar)


def _odd(d: FieldDomain, fn: str, a: Element, scalar: Scalar) -> Element:
    """A pseudo-random odd function."""
    mirrored = MODP.negate(a[0])
    low = a[0] <= mirrored
    p, q, c, flags = _uninterpreted(d, fn, [(np.where(low, a[0], mirrored), a[1], a[2], a[3])], scalar)
    return np.where(low, p, MODP.negate(p)), np.where(low, q, MODQ.negate(q)), c, flags


def _power(d: FieldDomain, a: Element, b: Element, scalar: Scalar) -> Element:
    n = b[2].reshape(-1)
    if n.size and (n == n[0]).all():
        if n[0] == 0.5:
            return _sqrt(d, a, scalar)
        if n[0] == np.rint(n[0]) and abs(n[0]) <= LARGEST_POWER:
            k = int(abs(n[0]))
            c = formats.round_to(a[2] ** k, scalar).astype(np.float64)
            out = (MODP.power(a[0], k), MODQ.power(a[1], k), c, a[3])
            return _recip(d, out, scalar) if n[0] < 0 else out
    return _uninterpreted(d, "pow", [a, b], scalar)


def _uninterpreted(d: FieldDomain, fn: str, args: list[Element], scalar: Scalar) -> Element:
    key = zlib.crc32(fn.encode()) | d.given.seed << 32
    flags = np.zeros((1, 1), np.uint8)
    for a in args:
        flags = flags | a[3]
    residues = [a[0] for a in args]
    p, q = keyed(key, residues) % np.uint64(P), keyed(key + 1, residues) % np.uint64(Q)
    flags = (flags & ~np.uint8(NO_EXPONENT)) | np.uint8(SOFT)
    return d.settled(p, q, by_value(fn, args, scalar), flags)


def _divide(d: FieldDomain, a: Element, b: Element, scalar: Scalar) -> Element:
    """`__fdividef`: by now without its `fast_`."""
    return d.binary("/", a, b, scalar)


_ALGEBRA: Final[dict[str, Callable[..., Element]]] = {
    "fma": _fma, "fmin": _fmin, "fmax": _fmax, "fabs": _fabs, "fdim": _fdim, "recip": _recip, "sqrt": _sqrt,
    "divide": _divide,
    "rsqrt": _rsqrt, "hypot": _hypot, "exp": _exp, "exp2": _exp2, "exp10": _exp10, "expm1": _expm1, "sinh": _sinh,
    "cosh": _cosh, "tanh": _tanh, "log": _log, "log2": _log2, "log10": _log10, "log1p": _log1p, "tan": _tan,
    "sin": _sin, "cos": _cos, "erf": _erf, "erfc": _erfc, "pow": _power,
}  # fmt: skip
