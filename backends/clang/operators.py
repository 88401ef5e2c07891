"""Operators and conversions on lowered operands."""

from __future__ import annotations

from ...ir.diagnostics import refuse
from ...ir.nodes import (
    Aggregate,
    Binary,
    Const,
    Convert,
    Expr,
    IsNull,
    Loc,
    MakeVector,
    Offset,
    Unary,
)  # fmt: skip
from ...ir.types import BOOL, F32, F64, I32, I64, VOID, Array, Pointer, Scalar, Struct, Type, Vector, scalar_of
from .constants import wrap
from .records import Node

ARITHMETIC = {"+", "-", "*", "/", "%", "&", "|", "^", "<<", ">>"}
FUSIBLE = {"+", "-", "*"}
COMPARISONS = {"<", "<=", ">", ">=", "==", "!="}


def as_bool(expr: Expr) -> Expr:
    """Return an expression as a bool: C's comparisons give int, here they are bool again."""
    while isinstance(expr, Convert) and expr.implicit and expr.value.type == BOOL:
        expr = expr.value
    if expr.type == BOOL:
        return expr
    if isinstance(expr.type, Pointer):
        return Unary("!", IsNull(expr, loc=expr.loc), BOOL, loc=expr.loc)
    if isinstance(expr.type, Scalar):
        return Binary("!=", expr, Const(0.0 if expr.type.is_float else 0, expr.type), BOOL, loc=expr.loc)
    raise refuse("GP1102", f"a value of type {expr.type} as a condition is not supported", expr.loc)


def zero(t: Type, loc: Loc | None) -> Expr:
    """Return the zero of a type."""
    if isinstance(t, Scalar) and t != VOID:
        return Const(0.0 if t.is_float else False if t == BOOL else 0, t, loc=loc)
    if isinstance(t, Vector):
        return MakeVector((zero(t.elem, loc),) * t.lanes, t, loc=loc)
    if isinstance(t, Struct):
        members = t.members[:1] if t.union else t.members
        return Aggregate(tuple(zero(m.type, loc) for m in members), t, loc=loc)
    if isinstance(t, Array):
        return Aggregate((zero(t.elem, loc),) * t.length, t, loc=loc)
    raise refuse("GP1102", f"an empty initialiser of type {t}", loc)


def numeric(value: Expr, to: Scalar | Vector, implicit: bool, loc: Loc | None) -> Expr:
    """Convert a number; float literals are converted here, so that no double is left where none is needed."""
    if value.type == to:
        return value
    if to == BOOL:
        return as_bool(value)
    if isinstance(value, Const) and value.type == F64 and isinstance(to, Scalar) and to.is_float:
        return Const(wrap(value.value, to), to, value.name, loc=loc)
    if (
        isinstance(value, Unary)
        and value.op == "-"
        and isinstance(value.value, Const)
        and to == F32
        and value.type == F64
    ):
        return Unary("-", numeric(value.value, to, implicit, loc), to, loc=loc)
    return Convert(value, to, implicit, loc=loc)


def unfused(node: Node) -> bool:
    """Tell whether an operation is no part of a fused multiply-add, as a pragma turned that off (`mark_unfused`)."""
    return bool(node.get("unfused"))


def combine(op: str, left: Expr, right: Expr, loc: Loc | None, *, rounded: bool = False) -> Expr:
    """Build a binary operation from operands that clang has converted to one type; `rounded` is `Binary.rounded`."""
    if isinstance(left.type, Pointer) or isinstance(right.type, Pointer):
        if op == "+" and isinstance(right.type, Pointer):
            left, right = right, left
        if op in ("+", "-") and isinstance(left.type, Pointer) and isinstance(right.type, Scalar):
            if op == "-":
                signed = right.type if right.type.signed else I64 if right.type.bits > 16 else I32
                delta = right if right.type == signed else Convert(right, signed, True, loc=loc)
                right = Unary("-", delta, signed, loc=loc)
            return Offset(left, right, left.type, loc=loc)
        if isinstance(left.type, Pointer) and isinstance(right.type, Pointer):
            if op in COMPARISONS:
                return Binary(op, left, right, BOOL, loc=loc)
            if op == "-" and left.type.elem == right.type.elem:
                return Binary(op, left, right, I64, loc=loc)
        raise refuse("GP1102", f"the operator {op} between {left.type} and {right.type}", loc)
    if left.type == BOOL and right.type != BOOL:  # C: a comparison used as int beside an int
        left = Convert(left, right.type, True) if isinstance(right.type, Scalar) else left
    if right.type == BOOL and left.type != BOOL and isinstance(left.type, Scalar):
        right = Convert(right, left.type, True)
    if op in COMPARISONS:
        if isinstance(left.type, Vector):
            raise refuse("GP1102", "a comparison of vectors", loc)
        return Binary(op, left, right, BOOL, loc=loc)
    if op in ARITHMETIC and isinstance(left.type, Scalar | Vector):
        if left.type == BOOL:  # C promotes bool to int
            left, right = Convert(left, I32, True), Convert(right, I32, True)
        assert isinstance(left.type, Scalar | Vector)
        if op not in ("<<", ">>") and left.type != right.type:
            raise refuse("GP1102", f"the operator {op} between {left.type} and {right.type}", loc)
        alone = rounded and op in FUSIBLE and scalar_of(left.type).is_float
        return Binary(op, left, right, left.type, alone, loc=loc)
    raise refuse("GP1102", f"the operator {op}", loc)
