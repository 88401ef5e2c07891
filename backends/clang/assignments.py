"""Assignments: `=`, compound ones, `++` and `--`."""

from __future__ import annotations

import dataclasses

from ...ir.analysis.usage import root_variable
from ...ir.diagnostics import refuse
from ...ir.nodes import (
    Assign,
    Atomic,
    Call,
    Component,
    Const,
    Deref,
    Element,
    Expr,
    Field,
    Loc,
    MakeVector,
    Shuffle,
    Stmt,
    Vote,
)  # fmt: skip
from ...ir.types import BOOL, I32, Pointer, Scalar, Struct, Vector, scalar_of
from ...ir.walk import walk
from .calls import coerce
from .constants import fold
from .context import FunctionContext
from .expr import lower_expr
from .objects import keep
from .operators import COMPARISONS, combine, numeric, unfused
from .pointers import is_memory, row_length, scaled
from .records import Node
from .types import parse_type
from .vectors import lane_name, lanes_of, selected, swizzle


def is_trivial_assignment(fc: FunctionContext, node: Node) -> bool:
    """Tell whether an operator call is an assignment that no function of the author carries out."""
    target: Node = node["inner"][0]
    while target["kind"] == "ImplicitCastExpr":
        target = target["inner"][0]
    ref = target.get("referencedDecl", {})
    method = fc.unit.records.methods.get(ref.get("id", ""))
    written = method is not None and not method.get("isImplicit") and not method.get("explicitlyDefaulted")
    return ref.get("name") == "operator=" and len(node["inner"]) == 3 and not written


def lower_assignment(fc: FunctionContext, node: Node) -> Assign:
    """Lower `=`, a compound assignment, `++` or `--` to an Assign."""
    loc = fc.unit.loc(node)
    inner: list[Node] = node["inner"]
    op: str = node["opcode"]
    if op == "=":
        return assign(fc, inner[0], inner[1], loc)
    if op in ("++", "--"):
        target = _target(fc, inner[0], loc)
        t = target.type
        if isinstance(t, Pointer):
            return _step_pointer(
                pinned(fc, target, loc), Const(row_length(inner[0]["type"]) * (1 if op == "++" else -1), I32), loc
            )
        if not isinstance(t, Scalar) or t == BOOL:
            raise refuse("GP1102", f"{op} on {t}", loc)
        return Assign(target, Const(1.0 if t.is_float else 1, t), op[0], loc=loc)
    op = op[:-1]
    value, target = _right_then_left(fc, inner[0], inner[1], loc)
    t = target.type
    if isinstance(t, Pointer):
        target = pinned(fc, target, loc)
        if op not in ("+", "-") or not isinstance(value.type, Scalar):
            raise refuse("GP1102", f"{op}= on a pointer", loc)
        moved = combine(op, target, scaled(value, row_length(inner[0]["type"]), loc), loc)
        return Assign(target, moved, loc=loc)
    compute = parse_type(node["computeLHSType"], loc).type if "computeLHSType" in node else t
    if not isinstance(t, Scalar | Vector) or not isinstance(compute, Scalar | Vector):
        raise refuse("GP1102", f"{op}= on {t}", loc)
    if op in COMPARISONS:
        raise refuse("GP1102", f"{op}=", loc)
    value = coerce(value, compute)
    if op == "*" and compute == t and scalar_of(t).is_float and unfused(node):
        target = pinned(fc, target, loc)
        return Assign(target, combine(op, target, value, loc, rounded=True), loc=loc)
    if compute == t:
        if value.type != t and op not in ("<<", ">>"):
            raise refuse("GP1102", f"{op}= between {t} and {value.type}", loc)
        return Assign(target, value, op, loc=loc)
    # `int x; x += 0.5f` computes in float and converts back
    target = pinned(fc, target, loc)
    computed = combine(op, numeric(target, compute, True, loc), value, loc, rounded=unfused(node))
    return Assign(target, numeric(computed, t, True, loc), loc=loc)


def spread(fc: FunctionContext, s: Assign) -> list[Stmt]:
    """Return an assignment to `v.xy` as one for each lane."""
    found = selected(s.target)
    if found is None:
        return [s]
    base, lanes = found
    value = s.value
    if isinstance(value.type, Vector):
        values = lanes_of(fc, keep(fc, value, "value", s.loc), s.loc)
    else:
        values = [value] * len(lanes)
    parts = [Component(base, i, values[0].type, loc=s.loc) for i in lanes]  # pyright: ignore[reportArgumentType]
    return [Assign(p, v, s.op, loc=s.loc) for p, v in zip(parts, values, strict=True)]


def _step_pointer(target: Expr, delta: Const, loc: Loc | None) -> Assign:
    return Assign(target, combine("+", target, delta, loc), loc=loc)


def _target(fc: FunctionContext, node: Node, loc: Loc | None) -> Expr:
    if node["kind"] == "ExtVectorElementExpr" and not node.get("isArrow") and len(lane_name(fc, node)) > 1:
        base = pinned(fc, _target(fc, node["inner"][0], loc), loc)
        lanes = swizzle(lane_name(fc, node), base.type) if isinstance(base.type, Vector) else ()
        if len(lanes) > 1 and isinstance(base.type, Vector):
            parts = tuple(Component(base, i, base.type.elem, loc=loc) for i in lanes)
            return MakeVector(parts, Vector(base.type.elem, len(lanes)), loc=loc)
    target = lower_expr(fc, node)
    if not is_memory(target):
        raise refuse("GP1102", "an assignment to what is not memory", loc)
    if fc.frozen and root_variable(target) in fc.frozen:
        raise refuse("GP1102", "a change of an object that holds pointers and came by reference", loc)
    return target


def assign(fc: FunctionContext, left: Node, right: Node, loc: Loc | None) -> Assign:
    """Lower `left = right`: the right side is evaluated first, as C++17 has it."""
    value, target = _right_then_left(fc, left, right, loc)
    return Assign(target, coerce(value, target.type), loc=loc)


def _right_then_left(fc: FunctionContext, left: Node, right: Node, loc: Loc | None) -> tuple[Expr, Expr]:
    """Lower the right side and the target; what the target hoists stays behind the right side's value."""
    value = lower_expr(fc, right)
    outer, fc.before = fc.before, []
    try:
        target = _target(fc, left, loc)
        hoisted = fc.before
    finally:
        fc.before = outer
    if hoisted and fold(value) is None and isinstance(value.type, Scalar | Vector | Pointer | Struct):
        value = keep(fc, value, "value", loc)
    fc.before.extend(hoisted)
    return value, target


def pinned(fc: FunctionContext, target: Expr, loc: Loc | None) -> Expr:
    """Return memory that may be mentioned twice: calls and atomics in its subscripts and pointers are made once."""

    def once(e: Expr, name: str) -> Expr:
        return keep(fc, e, name, loc) if any(isinstance(n, Call | Atomic | Shuffle | Vote) for n in walk(e)) else e

    match target:
        case Element(base=base, index=index):
            base = once(base, "base") if isinstance(base.type, Pointer) else pinned(fc, base, loc)
            return dataclasses.replace(target, base=base, index=once(index, "at"))
        case Deref(pointer=pointer):
            return dataclasses.replace(target, pointer=once(pointer, "place"))
        case Component(base=base) | Field(base=base):
            return dataclasses.replace(target, base=pinned(fc, base, loc))
        case _:
            return target
