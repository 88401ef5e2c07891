"""Operators on guards, tiles and loops."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any, Final

from ....ir import nodes as n
from ....ir.types import BOOL
from .place import (
    Place,
    binary,
    is_integer,
    operator,
    other_scalars,
    plus,
    with_op,
)

_COMPARE: Final = {"<": "<=", "<=": "<", ">": ">=", ">=": ">"}


# --- guards


@operator("guard", "<= for <")
def _relational(p: Place) -> Iterator[Any]:
    if isinstance(p.node, n.Binary) and p.node.op in _COMPARE and p.in_condition:
        yield with_op(p.node, _COMPARE[p.node.op])


@operator("guard", "!= for ==")
def _negated(p: Place) -> Iterator[Any]:
    swap = {"==": "!=", "!=": "=="}
    if isinstance(p.node, n.Binary) and p.node.op in swap and p.in_condition:
        yield with_op(p.node, swap[p.node.op])


@operator("guard", "guard dropped")
def _unguarded(p: Place) -> Iterator[Any]:
    if isinstance(p.node, n.If) and not p.node.other:
        yield [n.Block(p.node.then)] if p.node.then else []


@operator("guard", "condition negated")
def _opposite(p: Place) -> Iterator[Any]:
    s = p.node
    if isinstance(s, n.If) and not s.other and not (isinstance(s.cond, n.Binary) and s.cond.op in ("==", "!=")):
        yield dataclasses.replace(s, cond=n.Unary("!", s.cond, BOOL))


@operator("guard", "half a guard dropped")
def _conjunct(p: Place) -> Iterator[Any]:
    if isinstance(p.node, n.Binary) and p.node.op in ("&&", "||") and p.in_condition:
        yield p.node.left
        yield p.node.right


@operator("guard", "&& for ||")
def _logic(p: Place) -> Iterator[Any]:
    if isinstance(p.node, n.Binary) and p.node.op in ("&&", "||"):
        yield with_op(p.node, "||" if p.node.op == "&&" else "&&")


@operator("guard", "another size in the guard")
def _dimension(p: Place) -> Iterator[Any]:
    if isinstance(p.node, n.Var) and is_integer(p.node) and p.in_condition:
        yield from other_scalars(p)


@operator("guard", "guard one too narrow")
def _narrow(p: Place) -> Iterator[Any]:
    e = p.node
    if isinstance(e, n.Binary) and e.op in ("<", "<=") and p.in_condition and p.loop is None and is_integer(e.right):
        yield dataclasses.replace(e, right=plus(e.right, -1))


# --- tiles and loops


def _steps(loop: n.For) -> list[n.Assign]:
    return [s for s in loop.step if isinstance(s, n.Assign) and s.op == "+"]


@operator("tile", "step one too long")
def _step(p: Place) -> Iterator[Any]:
    if isinstance(p.node, n.Assign) and p.loop is not None and is_integer(p.node.target) and p.node.op is not None:
        value: Any = p.node.value
        yield dataclasses.replace(p.node, value=plus(value, 1))


@operator("tile", "step one too short")
def _overlap(p: Place) -> Iterator[Any]:
    s = p.node
    if isinstance(s, n.Assign) and p.loop is not None and is_integer(s.target) and s.op in ("+", "-"):
        value: Any = s.value
        if not isinstance(value, n.Const) or value.value > 1:
            yield dataclasses.replace(s, value=plus(value, -1))


@operator("tile", "first step left out")
def _start(p: Place) -> Iterator[Any]:
    if not isinstance(p.node, n.Declare | n.Assign) or p.loop is None or p.node not in p.loop.init:
        return
    if isinstance(p.node, n.Declare) and p.node.init is not None and is_integer(p.node.init):
        yield dataclasses.replace(p.node, init=plus(p.node.init, 1))
    elif isinstance(p.node, n.Assign) and is_integer(p.node.value):
        yield dataclasses.replace(p.node, value=plus(p.node.value, 1))


@operator("tile", "last step left out")
def _last(p: Place) -> Iterator[Any]:
    e = p.node
    if isinstance(e, n.Binary) and e.op in ("<", "<=") and p.loop is not None and is_integer(e.right):
        yield dataclasses.replace(e, right=plus(e.right, -1))


@operator("tile", "tail left out")
def _tail(p: Place) -> Iterator[Any]:
    e, loop = p.node, p.loop
    if loop is None or e is not loop.cond or not isinstance(e, n.Binary) or e.op != "<":
        return
    for s in _steps(loop):
        if isinstance(s.value, n.Const) and s.value.value == 1:
            continue  # i + 1 <= n is i < n
        if s.target == e.left and getattr(s.value, "type", None) == getattr(e.left, "type", None):
            ahead: Any = e.left
            yield dataclasses.replace(e, op="<=", left=binary("+", ahead, s.value))


@operator("tile", "tile size + 1")
def _larger(p: Place) -> Iterator[Any]:
    if isinstance(p.node, n.Const) and p.node.name and is_integer(p.node):
        yield n.Const(int(p.node.value) + 1, p.node.type)


@operator("tile", "tile size - 1")
def _smaller(p: Place) -> Iterator[Any]:
    if isinstance(p.node, n.Const) and p.node.name and is_integer(p.node) and p.node.value > 1:
        yield n.Const(int(p.node.value) - 1, p.node.type)
