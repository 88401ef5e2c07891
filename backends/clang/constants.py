"""Constant expressions: their values, in C's arithmetic."""

from __future__ import annotations

import math
import struct
from typing import Any

from ...ir.nodes import Binary, Const, Convert, Expr, Select, Unary
from ...ir.types import BF16, BOOL, Scalar


def fold(expr: Expr) -> bool | int | float | None:
    """Return the value of a constant expression, or None."""
    match expr:
        case Const():
            return expr.value
        case Convert(value=value, type=Scalar() as to):
            inner = fold(value)
            return None if inner is None else convert_constant(inner, to)
        case Unary(op=op, value=value):
            inner = fold(value)
            if inner is None:
                return None
            result = -inner if op == "-" else (not inner if op == "!" else ~int(inner))
            return wrap(result, expr.type) if isinstance(expr.type, Scalar) else None
        case Binary(op=op, left=left, right=right, type=Scalar() as to):
            a, b = fold(left), fold(right)
            return None if a is None or b is None else _fold_binary(op, a, b, to)
        case Select(cond=cond, then=then, other=other):
            c = fold(cond)
            return None if c is None else fold(then if c else other)
        case _:
            return None


def _fold_binary(op: str, a: Any, b: Any, to: Scalar) -> bool | int | float | None:
    if op in ("/", "%") and b == 0:
        return None
    if op in ("<<", ">>") and not 0 <= b < to.bits:
        return None
    table: dict[str, Any] = {
        "+": lambda: a + b, "-": lambda: a - b, "*": lambda: a * b, "<<": lambda: a << b, ">>": lambda: a >> b,
        "&": lambda: a & b, "|": lambda: a | b, "^": lambda: a ^ b, "<": lambda: a < b, "<=": lambda: a <= b,
        ">": lambda: a > b, ">=": lambda: a >= b, "==": lambda: a == b, "!=": lambda: a != b,
        "&&": lambda: bool(a and b), "||": lambda: bool(a or b),
        "/": lambda: a / b if to.is_float else int(math.copysign(1, a) * math.copysign(1, b)) * (abs(a) // abs(b)),
        "%": lambda: int(math.copysign(abs(a) % abs(b), a)),
    }  # fmt: skip
    return wrap(table[op](), to)


def convert_constant(value: bool | int | float, to: Scalar) -> bool | int | float | None:
    """Convert a constant as C does; None where C leaves it undefined."""
    if to == BOOL:
        return bool(value)
    if to.is_float:
        return wrap(float(value), to)
    if isinstance(value, float):
        if not math.isfinite(value):
            return None
        whole = math.trunc(value)
        return whole if wrap(whole, to) == whole else None
    return wrap(int(value), to)


def _to_bf16(value: float) -> float:
    """Round to 8 bits of precision, to nearest, ties to even; beyond the largest number to infinity."""
    if value == 0:
        return value
    unit = math.ldexp(1.0, max(math.frexp(value)[1] - 8, -133))  # 2^-133 is the smallest bf16
    rounded = round(value / unit) * unit
    return rounded if abs(rounded) < 2.0**128 else math.copysign(math.inf, value)


def wrap(value: Any, to: Scalar) -> Any:
    """Bring a value into the range (integers) or precision (f32) of a type."""
    if to == BOOL:
        return bool(value)
    if to.is_float:
        form = {"f32": "f", "f16": "e"}.get(to.name)
        if form and math.isfinite(value):
            try:
                return struct.unpack(form, struct.pack(form, value))[0]
            except OverflowError:
                return math.copysign(math.inf, value)
        if to == BF16 and math.isfinite(value):
            return _to_bf16(float(value))
        return float(value)
    value = int(value) & ((1 << to.bits) - 1)
    return value - (1 << to.bits) if to.signed and value >> (to.bits - 1) else value
