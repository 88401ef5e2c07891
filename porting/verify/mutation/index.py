"""Operators on indices: wrong element, axis, stride or pitch."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

from ....ir import nodes as n
from ....ir.types import Space
from .place import (
    Place,
    binary,
    index_of,
    is_integer,
    operator,
    other_scalars,
    plus,
    space_of,
    with_op,
)


@operator("index", "index + 1")
def _index_plus(p: Place) -> Iterator[Any]:
    if (found := index_of(p.node)) and is_integer(found[1]):
        yield dataclasses.replace(p.node, **{found[0]: plus(found[1], 1)})


@operator("index", "index - 1")
def _index_minus(p: Place) -> Iterator[Any]:
    if (found := index_of(p.node)) and is_integer(found[1]):
        yield dataclasses.replace(p.node, **{found[0]: plus(found[1], -1)})


@operator("index", "axis x for y")
def _axis(p: Place) -> Iterator[Any]:
    if isinstance(p.node, n.GridIndex) and p.node.kind.value in ("thread", "group", "group_size", "grid_size"):
        yield dataclasses.replace(p.node, axis=1 if p.node.axis == 0 else 0)


@operator("index", "group for thread")
def _group(p: Place) -> Iterator[Any]:
    swap = {n.Grid.THREAD: n.Grid.GROUP, n.Grid.GROUP: n.Grid.THREAD}
    if isinstance(p.node, n.GridIndex) and p.node.kind in swap:
        yield dataclasses.replace(p.node, kind=swap[p.node.kind])


@operator("index", "another size as the stride")
def _stride(p: Place) -> Iterator[Any]:
    if isinstance(p.node, n.Var) and is_integer(p.node) and not p.in_condition:
        yield from other_scalars(p)


@operator("index", "pitch dropped")
def _pitch(p: Place) -> Iterator[Any]:
    e = p.node
    if isinstance(e, n.Binary) and e.op == "*" and is_integer(e) and isinstance(p.parent, n.Binary | n.Offset):
        yield e.left
        yield e.right


@operator("index", "index cut to 8 bits")
def _truncated(p: Place) -> Iterator[Any]:
    found = index_of(p.node)
    base = getattr(p.node, "base", None) or getattr(p.node, "pointer", None)
    if found and is_integer(found[1]) and space_of(base) in (Space.GLOBAL, Space.CONSTANT):
        index = found[1]
        yield dataclasses.replace(p.node, **{found[0]: binary("&", index, n.Const(0xFF, index.type))})


@operator("index", "one element for all")
def _broadcast(p: Place) -> Iterator[Any]:
    if isinstance(p.node, n.Element) and is_integer(p.node.index) and not isinstance(p.node.index, n.Const):
        index: Any = p.node.index
        yield dataclasses.replace(p.node, index=n.Const(0, index.type))


@operator("index", "pointer not advanced")
def _still(p: Place) -> Iterator[Any]:
    if isinstance(p.node, n.Offset):
        yield p.node.pointer


@operator("index", "- for +")
def _sign(p: Place) -> Iterator[Any]:
    if isinstance(p.node, n.Binary) and p.node.op == "+" and is_integer(p.node):
        yield with_op(p.node, "-")


@operator("index", "row and column swapped")
def _transposed(p: Place) -> Iterator[Any]:
    e = p.node
    if isinstance(e, n.Binary) and e.op == "+" and is_integer(e):
        product = e.left
        if isinstance(product, n.Binary) and product.op == "*" and e.right.type == product.type:
            yield binary("+", binary("*", e.right, product.right), product.left)


@operator("index", "another integer operation")
def _integer_operation(p: Place) -> Iterator[Any]:
    swap = {"%": "/", "/": "%", "<<": ">>", ">>": "<<", "&": "|", "|": "&", "^": "|"}
    if isinstance(p.node, n.Binary | n.Assign) and p.node.op in swap:
        typed = p.node if isinstance(p.node, n.Binary) else p.node.target
        if is_integer(typed):
            yield with_op(p.node, swap[p.node.op])
