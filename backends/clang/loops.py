"""Loops, and the conditions that they evaluate before every iteration."""

from __future__ import annotations

import re

from ...ir.diagnostics import refuse
from ...ir.nodes import (
    AddressOf,
    Assign,
    Binary,
    Block,
    Break,
    Const,
    Continue,
    Declare,
    Element,
    Expr,
    For,
    If,
    Loc,
    Stmt,
    Unary,
    Var,
    While,
)  # fmt: skip
from ...ir.types import BOOL, I32, VOID, Array, Pointer, Scalar, Space, Struct, Vector
from .constants import fold
from .context import FunctionContext, Variable
from .expr import condition, lower_expr
from .pointers import memory_space
from .records import Node


def hoisted_condition(fc: FunctionContext, node: Node) -> tuple[list[Stmt], Expr]:
    """Lower a condition; returns what has to be done before it, and the condition."""
    outer, fc.before = fc.before, []
    try:
        cond = condition(fc, node)
        return fc.before, cond
    finally:
        fc.before = outer


def declared_condition(fc: FunctionContext, declaration: Node, cond: Node) -> tuple[list[Stmt], Expr]:
    """Lower `while (T v = f())`: the declaration, which stands before every test, and the test."""
    from .stmt import lower_bare

    hoisted, declared = fc.aside(lambda: lower_bare(fc, declaration))
    before, test = hoisted_condition(fc, cond)
    return [*hoisted, *declared, *before], test


def while_loop(before: list[Stmt], cond: Expr, body: tuple[Stmt, ...], loc: Loc | None) -> Stmt:
    """Build a while loop whose condition needs `before` done first."""
    if not before:
        return While(cond, body, loc=loc)
    return While(Const(True, BOOL, loc=loc), (*before, _leave_unless(cond, loc), *body), loc=loc)


def _leave_unless(cond: Expr, loc: Loc | None) -> Stmt:
    negated = cond.value if isinstance(cond, Unary) and cond.op == "!" else Unary("!", cond, BOOL, loc=loc)
    return If(negated, (Break(loc=loc),), loc=loc)


def do_loop(fc: FunctionContext, before: list[Stmt], cond: Expr, body: tuple[Stmt, ...], loc: Loc | None) -> Stmt:
    """Build a do-while loop whose condition needs `before` done first."""
    if not before:
        return While(cond, body, True, loc=loc)
    if continues(body):  # the condition is tested where every way to the next iteration passes
        again = Var(fc.unique("again"), BOOL, loc=loc)
        test = If(again, (*before, _leave_unless(cond, loc)), loc=loc)
        loop = While(Const(True, BOOL, loc=loc), (test, Assign(again, Const(True, BOOL), loc=loc), *body), loc=loc)
        return Block((Declare(again.name, BOOL, Const(False, BOOL), loc=loc), loop), loc=loc)
    return While(Const(True, BOOL, loc=loc), (*body, *before, _leave_unless(cond, loc)), loc=loc)


def continues(body: tuple[Stmt, ...]) -> bool:
    """Tell whether a `continue` in the body belongs to the loop around it."""
    for s in body:
        match s:
            case Continue():
                return True
            case If(then=then, other=other):
                if continues(then) or continues(other):
                    return True
            case Block(body=inner):
                if continues(inner):
                    return True
            case _:
                continue
    return False


def for_loop(fc: FunctionContext, node: Node, unroll: int | None, loc: Loc | None) -> Stmt:
    """Lower a for loop."""
    from .stmt import lower_bare, lower_body, lower_effect

    init_node, declared, cond_node, step_node, body_node = node["inner"]
    fc.visible.append(set())
    try:
        init: list[Stmt] = []
        if init_node.get("kind"):
            init = lower_bare(fc, init_node)
        start: list[Stmt] = []
        cond = None
        if declared.get("kind"):  # `for (; T v = f(); )`: declared anew for every iteration
            start, cond = declared_condition(fc, declared, cond_node)
        elif cond_node.get("kind"):
            start, cond = hoisted_condition(fc, cond_node)
        if start and cond is not None:
            start, cond = [*start, _leave_unless(cond, loc)], None
        step: list[Stmt] = []
        hoisted: list[Stmt] = []
        if step_node.get("kind"):
            hoisted, step = fc.aside(lambda: lower_effect(fc, step_node, fc.unit.loc(step_node)))
        body = (*start, *lower_body(fc, body_node))
        if hoisted:  # a step that is more than expressions stands at the body's end
            if continues(body):
                raise refuse("GP1105", "an effect inside the step of a loop that is continued", loc)
            body, step = (*body, *hoisted, *step), []
    finally:
        fc.visible.pop()
    return For(tuple(init), cond, tuple(step), body, unroll, loc=loc)


def range_loop(fc: FunctionContext, node: Node, loc: Loc | None) -> Stmt:
    """Lower `for (auto x : array)`: a loop over the array's indices."""
    from .declarations import declare_or_poison
    from .stmt import lower_body

    parts = [c for c in node["inner"] if c.get("kind")]
    range_node, (element,), body = parts[-7]["inner"][0], parts[-2]["inner"], parts[-1]
    length = re.search(r"\[(\d+)\]$", str(range_node["type"]["qualType"]))
    if len(parts) != 7 or length is None:
        raise refuse("GP1101", "a range-based for over what is no array", loc)
    fc.visible.append(set())
    try:
        array = lower_expr(fc, range_node["inner"][0])
        at = Var(fc.unique(f"{element.get('name', 'element')}_at"), I32, loc=loc)
        t = array.type.elem if isinstance(array.type, Array | Pointer) else VOID
        if isinstance(t, Array) or not isinstance(t, Scalar | Vector | Struct) or t == VOID:
            raise refuse("GP1101", f"a range-based for over a value of type {array.type}", loc)
        fc.variables[parts[-6]["inner"][0]["id"]] = Variable(
            "",
            t,
            Space.PRIVATE,
            value=AddressOf(
                Element(array, at, t, loc=loc), Pointer(t, memory_space(fc, Element(array, at, t))), loc=loc
            ),
        )
        hoisted, declared = fc.aside(lambda: declare_or_poison(fc, element))
        inside = (*hoisted, *declared, *lower_body(fc, body))
    finally:
        fc.visible.pop()
    first = Declare(at.name, I32, Const(0, I32), loc=loc)
    test = Binary("<", at, Const(int(length[1]), I32), BOOL, loc=loc)
    return For((first,), test, (Assign(at, Const(1, I32), "+", loc=loc),), inside, loc=loc)


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
