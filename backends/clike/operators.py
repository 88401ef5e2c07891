"""Where C's own conversions suffice: arithmetic, comparisons and shifts on printed operands.

An operand whose implicit conversions were left out has another C type than the IR says. Each function decides whether
the operation still means the same, from types and value ranges, and tells which operands need a cast.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...ir.types import U32, Scalar
from .conversions import common, limits, preserves, promote, unsigned, wraps_alike

if TYPE_CHECKING:
    from .text import Text

WRAPPING = frozenset({"+", "-", "*", "&", "|", "^"})
Range = tuple[int, int] | None


def scalar(t: Text) -> Scalar | None:
    """The C type of a text if it is a scalar."""
    return t.ctype if isinstance(t.ctype, Scalar) else None


def is_integer(t: Text) -> bool:
    """Tell whether C takes a text for an integer (or bool)."""
    c = scalar(t)
    return c is not None and not c.is_float


def exact(t: Text, target: Scalar) -> bool:
    """Tell whether the printed value, as it stands, is the value that the IR gives in type `target`."""
    c = scalar(t)
    if c is None:
        return False
    if c == target or preserves(c, target):
        return True
    if t.range is None or not (target.is_integer or target.is_float):
        return False
    low, high = limits(target) if target.is_integer else (-(1 << 11), 1 << 11)
    return low <= t.range[0] and t.range[1] <= high


def result_type(op: str, left: Text, right: Text, t: Scalar) -> Scalar | None:
    """The C type of `left op right`, operands meant in `t`, where that needs no cast; None where it does.

    The result obeys the rule of `Text`: one conversion to `t` gives the IR's value.
    """
    a, b = scalar(left), scalar(right)
    c = common(a, b) if a and b else None
    if c is None:
        return None
    if c == t or (promote(t) == c and exact(left, t) and exact(right, t) and t.bits < 32 and not _overflows(op, t)):
        return c
    if op in WRAPPING and wraps_alike(c, t) and not _overflows(op, t):
        return c
    if op in ("/", "%", ">>") and exact(left, t) and exact(right, t) and preserves(t, c):
        return c
    return None


def comparable(left: Text, right: Text, t: Scalar) -> bool:
    """Tell whether comparing the printed operands in C gives what comparing them in `t` gives."""
    a, b = scalar(left), scalar(right)
    c = common(a, b) if a and b else None
    if c is None:
        return False
    if c in (t, promote(t)) and (c == t or (exact(left, t) and exact(right, t))):
        return True
    return exact(left, t) and exact(right, t) and preserves(t, c)


def _overflows(op: str, t: Scalar) -> bool:
    # u16 * u16 overflows int, to which C promotes both
    return op == "*" and t.bits == 16 and not t.signed


def widened(t: Scalar) -> Scalar:
    """The unsigned type in which a product of small integers is to be computed."""
    return U32 if t.bits < 32 else unsigned(t)


def range_of(op: str, a: Range, b: Range) -> Range:
    """The range of an integer operation from those of its operands; None where it is not known."""
    if a is None or b is None:
        return None
    match op:
        case "+":
            return a[0] + b[0], a[1] + b[1]
        case "*" if a[0] >= 0 and b[0] >= 0:
            return a[0] * b[0], a[1] * b[1]
        case "/" if a[0] >= 0 and b[0] > 0:
            return a[0] // b[1], a[1] // b[0]
        case "%" if a[0] >= 0 and b[0] > 0:
            return 0, min(a[1], b[1] - 1)
        case "&" if a[0] >= 0 and b[0] >= 0:
            return 0, min(a[1], b[1])
        case ">>" if a[0] >= 0 and b[0] >= 0 and b[1] < 32:
            return a[0] >> b[1], a[1] >> b[0]
        case "<<" if a[0] >= 0 and b[0] >= 0 and b[1] < 32:
            return a[0] << b[0], a[1] << b[1]
        case "-" if a[0] >= b[1]:
            return a[0] - b[1], a[1] - b[0]
        case _:
            return None
