"""C's implicit conversions: which type the compiler gives an operation, and which values survive a conversion.

C11 6.3.1.1 and 6.3.1.8; C++17 [conv.prom] and [expr.arith.conv] say the same for these types. `half` is an arithmetic
type of its own in OpenCL C and Metal: it is not promoted to float.
"""

from __future__ import annotations

from ...ir.types import BF16, BOOL, I32, U32, Scalar

_FLOAT_DIGITS = {"f64": 53, "f32": 24, "f16": 11, "bf16": 8}
_FLOAT_RANK = {"f64": 4, "f32": 3, "f16": 2, "bf16": 1}


def promote(t: Scalar) -> Scalar:
    """The type of a small integer or bool in an expression: int."""
    return I32 if t == BOOL or (t.is_integer and t.bits < 32) else t


def common(a: Scalar, b: Scalar) -> Scalar | None:
    """The type in which C computes an operation on `a` and `b`; None where the languages differ (bfloat with half)."""
    if a.is_float or b.is_float:
        if not a.is_float:
            return b
        if not b.is_float:
            return a
        if {a.name, b.name} == {"f16", "bf16"}:
            return None
        return a if _FLOAT_RANK[a.name] >= _FLOAT_RANK[b.name] else b
    a, b = promote(a), promote(b)
    if a.bits != b.bits:
        return a if a.bits > b.bits else b
    return a if not a.signed else b


def limits(t: Scalar) -> tuple[int, int]:
    """Smallest and largest value of an integer type or bool."""
    if t == BOOL:
        return 0, 1
    return (-(1 << (t.bits - 1)), (1 << (t.bits - 1)) - 1) if t.signed else (0, (1 << t.bits) - 1)


def preserves(a: Scalar, b: Scalar) -> bool:
    """Tell whether every value of `a` survives the conversion to `b`."""
    if a == b:
        return True
    if b == BOOL:
        return False
    if a.is_float:
        if not b.is_float or BF16 in (a, b):
            return a == BF16 and b.name in ("f32", "f64")
        return _FLOAT_RANK[b.name] > _FLOAT_RANK[a.name]
    low, high = limits(a)
    if b.is_float:
        largest = 1 << _FLOAT_DIGITS[b.name]
        return -largest <= low and high <= largest
    low_b, high_b = limits(b)
    return low_b <= low and high <= high_b


def wraps_alike(c: Scalar, t: Scalar) -> bool:
    """Tell whether sums and products in `c`, taken to `t`, are those in `t`: `c` wraps and is as wide."""
    return c.is_integer and t.is_integer and c.bits >= t.bits and (not c.signed or (t.bits < 32 and c.bits == 32))


def unsigned(t: Scalar) -> Scalar:
    """The unsigned integer type of 32 bits or more that computes modulo like `t`."""
    return U32 if t.bits <= 32 else Scalar("u64", "uint", 64)
