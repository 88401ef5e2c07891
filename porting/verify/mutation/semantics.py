"""Operators that make another algorithm of it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

from ....ir import nodes as n
from ....ir.types import Pointer, Scalar
from .place import (
    Place,
    is_float,
    is_integer,
    operator,
    plus,
    with_op,
)


@operator("semantics", "another arithmetic operation")
def _arithmetic(p: Place) -> Iterator[Any]:
    swap = {"+": "-", "-": "+", "*": "+", "/": "*"}
    e = p.node
    if isinstance(e, n.Binary) and e.op in swap and is_float(e):
        yield with_op(e, swap[e.op])
    if isinstance(e, n.Assign) and e.op in ("+", "-") and p.loop is None:
        yield with_op(e, swap[e.op])


@operator("semantics", "operands swapped")
def _operands(p: Place) -> Iterator[Any]:
    e = p.node
    if isinstance(e, n.Binary) and e.op in ("-", "/", "%", "<<", ">>") and e.left.type == e.right.type:
        yield dataclasses.replace(e, left=e.right, right=e.left)


@operator("semantics", "added twice")
def _twice(p: Place) -> Iterator[Any]:
    if isinstance(p.node, n.Assign) and p.node.op in ("+", "-", "*") and p.loop is None:
        yield [p.node, p.node]


@operator("semantics", "addend of fma dropped")
def _no_addend(p: Place) -> Iterator[Any]:
    e = p.node
    if isinstance(e, n.MathCall) and e.fn == "fma" and isinstance(e.type, Scalar):
        yield dataclasses.replace(e, args=(*e.args[:2], n.Const(0.0, e.type)))


@operator("semantics", "min for max")
def _minimum(p: Place) -> Iterator[Any]:
    swap = {"fmax": "fmin", "fmin": "fmax", "min": "max", "max": "min"}
    if isinstance(p.node, n.MathCall) and p.node.fn in swap:
        yield dataclasses.replace(p.node, fn=swap[p.node.fn])


@operator("semantics", "another atomic operation")
def _atomic_operation(p: Place) -> Iterator[Any]:
    swap = {"add": "sub", "sub": "add", "min": "max", "max": "min", "and": "or", "or": "and", "xor": "or"}
    if isinstance(p.node, n.Atomic) and p.node.op in swap:
        yield with_op(p.node, swap[p.node.op])


@operator("semantics", "another shuffle")
def _shuffle(p: Place) -> Iterator[Any]:
    swap = {"up": "down", "down": "up", "xor": "down", "idx": "xor"}
    if isinstance(p.node, n.Shuffle):
        yield dataclasses.replace(p.node, kind=swap[p.node.kind])


@operator("semantics", "lane + 1 in a shuffle")
def _lane(p: Place) -> Iterator[Any]:
    if isinstance(p.node, n.Shuffle) and is_integer(p.node.lane):
        yield dataclasses.replace(p.node, lane=plus(p.node.lane, 1))


@operator("semantics", "another vote")
def _vote(p: Place) -> Iterator[Any]:
    swap = {"any": "all", "all": "any"}
    if isinstance(p.node, n.Vote) and p.node.kind in swap:
        yield dataclasses.replace(p.node, kind=swap[p.node.kind])


@operator("semantics", "branches swapped")
def _branches(p: Place) -> Iterator[Any]:
    if isinstance(p.node, n.Select):
        yield dataclasses.replace(p.node, then=p.node.other, other=p.node.then)
    if isinstance(p.node, n.If) and p.node.other:
        yield dataclasses.replace(p.node, then=p.node.other, other=p.node.then)


@operator("semantics", "another buffer")
def _buffer(p: Place) -> Iterator[Any]:
    v = p.node
    if isinstance(v, n.Var) and isinstance(v.type, Pointer):
        for other in p.program.kernel.params if p.function is p.program.kernel else ():
            if other.name != v.name and other.type == v.type:
                yield dataclasses.replace(v, name=other.name)


@operator("semantics", "break for continue")
def _leave(p: Place) -> Iterator[Any]:
    if isinstance(p.node, n.Continue):
        yield n.Break()


@operator("semantics", "early return dropped")
def _no_return(p: Place) -> Iterator[Any]:
    if isinstance(p.node, n.Return) and p.node.value is None:
        yield []
