"""Operators that fool a judge: what stands in hacks.md and a kernel's own source can express."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

from ....ir import nodes as n
from ....ir.types import BOOL, U32, Pointer, Scalar, Space, Type
from ....ir.walk import walk
from .place import Place, is_float, is_integer, operator

_LARGE_SIZE = 60


def _store(p: Place) -> tuple[n.Assign, n.Element] | None:
    """A plain store into global memory, in the kernel itself."""
    s = p.node
    if not isinstance(s, n.Assign) or s.op is not None or not isinstance(s.target, n.Element):
        return None
    base = s.target.base
    to_global = isinstance(base.type, Pointer) and base.type.space is Space.GLOBAL
    return (s, s.target) if to_global and p.function is p.program.kernel and isinstance(s.target.type, Scalar) else None


def _inputs(p: Place, t: Type) -> list[n.Param]:
    """Parameters that point to elements of a type and are nowhere stored to by name."""
    written = {
        x.target.base.name
        for x in walk(p.program.kernel)
        if isinstance(x, n.Assign) and isinstance(x.target, n.Element) and isinstance(x.target.base, n.Var)
    }
    params = p.program.kernel.params
    return [x for x in params if isinstance(x.type, Pointer) and x.type.elem == t and x.name not in written]


@operator("hacks", "zero stored")
def _zero(p: Place) -> Iterator[Any]:
    if (found := _store(p)) and (is_float(found[1]) or is_integer(found[1])):
        s, target = found
        zero = n.Const(0.0 if is_float(target) else 0, target.type)  # pyright: ignore[reportArgumentType]
        if s.value != zero:
            yield dataclasses.replace(s, value=zero)


@operator("hacks", "an input stored")
def _copied(p: Place) -> Iterator[Any]:
    if found := _store(p):
        s, target = found
        for x in _inputs(p, target.type)[:1]:
            copied = n.Element(n.Var(x.name, x.type), target.index, target.type)
            if s.value != copied:
                yield dataclasses.replace(s, value=copied)


@operator("hacks", "an input changed")
def _scribbled(p: Place) -> Iterator[Any]:
    if found := _store(p):
        s, target = found
        for x in _inputs(p, target.type)[:1]:
            yield [s, dataclasses.replace(s, target=n.Element(n.Var(x.name, x.type), target.index, target.type))]


@operator("hacks", "what the output held kept")
def _kept(p: Place) -> Iterator[Any]:
    found = _store(p)
    if found and is_float(found[1]):
        s, target = found
        asked = n.Binary("==", target, n.Const(0.0, target.type), BOOL)  # pyright: ignore[reportArgumentType]
        yield dataclasses.replace(s, value=n.Select(asked, target, s.value, target.type))


def _first(p: Place) -> bool:
    return p.function is p.program.kernel and p.parent is p.function and p.node is p.function.body[0]


@operator("hacks", "only the first group works")
def _one_group(p: Place) -> Iterator[Any]:
    if _first(p):
        for axis in range(2):
            other = n.Binary("!=", n.GridIndex(n.Grid.GROUP, axis), n.Const(0, U32), BOOL)
            yield [n.If(other, (n.Return(),)), p.node]


@operator("hacks", "large sizes left out")
def _small_only(p: Place) -> Iterator[Any]:
    if _first(p):
        for x in p.program.kernel.params:
            if isinstance(x.type, Scalar) and x.type.is_integer:
                large = n.Binary(">", n.Var(x.name, x.type), n.Const(_LARGE_SIZE, x.type), BOOL)
                yield [n.If(large, (n.Return(),)), p.node]
