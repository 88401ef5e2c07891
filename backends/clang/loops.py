"""Loops, and the conditions that they evaluate before every iteration."""

from __future__ import annotations

from ...ir.diagnostics import refuse
from ...ir.nodes import (
    Block,
    Break,
    Const,
    Continue,
    Expr,
    For,
    If,
    Loc,
    Stmt,
    Unary,
    While,
)  # fmt: skip
from ...ir.types import BOOL
from .constants import fold
from .context import FunctionContext
from .expr import condition, lower_expr
from .records import Node


def _loop_condition(fc: FunctionContext, node: Node) -> Expr:
    fc.lazy += 1  # evaluated before every iteration: nothing can be hoisted out of it
    try:
        return condition(fc, node)
    finally:
        fc.lazy -= 1


def hoisted_condition(fc: FunctionContext, node: Node) -> tuple[list[Stmt], Expr]:
    """Lower a condition; returns what has to be done before it, and the condition."""
    outer, fc.before = fc.before, []
    try:
        cond = condition(fc, node)
        return fc.before, cond
    finally:
        fc.before = outer


def while_loop(before: list[Stmt], cond: Expr, body: tuple[Stmt, ...], loc: Loc | None) -> Stmt:
    """Build a while loop whose condition needs `before` done first."""
    if not before:
        return While(cond, body, loc=loc)
    return While(Const(True, BOOL, loc=loc), (*before, _leave_unless(cond, loc), *body), loc=loc)


def _leave_unless(cond: Expr, loc: Loc | None) -> Stmt:
    negated = cond.value if isinstance(cond, Unary) and cond.op == "!" else Unary("!", cond, BOOL, loc=loc)
    return If(negated, (Break(loc=loc),), loc=loc)


def do_loop(before: list[Stmt], cond: Expr, body: tuple[Stmt, ...], loc: Loc | None) -> Stmt:
    """Build a do-while loop whose condition needs `before` done first."""
    if not before:
        return While(cond, body, True, loc=loc)
    if _continues(body):
        raise refuse("GP1105", "an assignment inside the condition of a do-while that is continued", loc)
    return While(Const(True, BOOL, loc=loc), (*body, *before, _leave_unless(cond, loc)), loc=loc)


def _continues(body: tuple[Stmt, ...]) -> bool:
    """Tell whether a `continue` in the body belongs to the loop around it."""
    for s in body:
        match s:
            case Continue():
                return True
            case If(then=then, other=other):
                if _continues(then) or _continues(other):
                    return True
            case Block(body=inner):
                if _continues(inner):
                    return True
            case _:
                continue
    return False


def for_loop(fc: FunctionContext, node: Node, unroll: int | None, loc: Loc | None) -> Stmt:
    """Lower a for loop."""
    from .stmt import lower_bare, lower_body, lower_effect

    init_node, _, cond_node, step_node, body_node = node["inner"]
    fc.visible.append(set())
    try:
        init: list[Stmt] = []
        if init_node.get("kind"):
            init = lower_bare(fc, init_node)
        cond = _loop_condition(fc, cond_node) if cond_node.get("kind") else None
        step: list[Stmt] = []
        if step_node.get("kind"):
            outer, fc.before = fc.before, []
            step = lower_effect(fc, step_node, fc.unit.loc(step_node))
            if fc.before:
                raise refuse("GP1105", "an assignment inside the step of a loop", loc)
            fc.before = outer
        body = lower_body(fc, body_node)
    finally:
        fc.visible.pop()
    return For(tuple(init), cond, tuple(step), body, unroll, loc=loc)


def attributed(fc: FunctionContext, inner: list[Node], loc: Loc | None) -> list[Stmt]:
    """Lower a statement with attributes: loop hints."""
    from .stmt import lower_bare

    *attrs, stmt = inner
    unroll: int | None = None
    for attr in attrs:
        if attr.get("kind") == "LoopHintAttr":
            counts = [c for c in attr.get("inner", ()) if c.get("kind")]
            text = fc.unit.token(attr["range"]["begin"]) if "offset" in attr["range"]["begin"] else ""
            unroll = 0
            if counts:
                value = fold(lower_expr(fc, counts[0]))
                unroll = int(value) if isinstance(value, int) else 0
            elif text == "nounroll":
                unroll = 1
    if stmt.get("kind") == "ForStmt":
        return [for_loop(fc, stmt, unroll, loc)]
    return lower_bare(fc, stmt)
