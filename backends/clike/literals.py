"""Literals: the shortest decimal that gives the same bits back, with the suffix that keeps its type."""

from __future__ import annotations

import math
import struct
from typing import TYPE_CHECKING

from ...ir.types import BOOL, F32, Scalar

if TYPE_CHECKING:
    from .dialect import Dialect


def _same(text: str, value: float, t: Scalar) -> bool:
    code = {"f32": "f", "f16": "e", "bf16": "f"}[t.name]
    parsed = float(text)
    # the compiler rounds once, from decimal; Python twice, through double: its neighbours must agree as well
    near = (math.nextafter(parsed, -math.inf), parsed, math.nextafter(parsed, math.inf))
    try:
        return all(struct.pack(code, n) == struct.pack(code, value) for n in near)
    except OverflowError:
        return False


def shortest(value: float, t: Scalar) -> str:
    """The shortest decimal of a finite `value` that converts to the same value of type `t`."""
    if t.name == "f64" or value == 0:
        text = repr(value)
    else:
        # nine digits tell every f32 apart
        text = next(f"{value:.{d}g}" for d in range(1, 18) if _same(f"{value:.{d}g}", value, t))
    if "e" in text:
        mantissa, exponent = text.split("e")
        return f"{mantissa}e{int(exponent)}"
    return text if "." in text else f"{text}.0"


def literal(value: bool | int | float, t: Scalar, dialect: Dialect) -> str:
    """A literal of type `t`; a negative one begins with a minus sign, or is in parentheses."""
    if t == BOOL:
        return "true" if value else "false"
    if t.is_float:
        number = float(value)
        if math.isnan(number):
            return dialect.nan[t.name]
        if math.isinf(number):
            return ("-" if number < 0 else "") + dialect.infinity[t.name]
        if t.name not in dialect.suffixes:
            return f"({dialect.scalars[t.name]}){shortest(number, F32)}{dialect.suffixes['f32']}"
        return shortest(number, t) + dialect.suffixes[t.name]
    number = int(value)
    suffix = dialect.suffixes[t.name]
    if t.signed and t.bits >= 32 and number == -(1 << (t.bits - 1)):
        # its magnitude does not fit the type
        return f"({number + 1}{suffix} - 1)"
    return f"{number}{suffix}"
