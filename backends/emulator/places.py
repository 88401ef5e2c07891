"""Expressions that denote memory or pointers, compiled to closures that give Pointer values."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...ir import nodes as ir
from ...ir.types import Array as ArrayType
from ...ir.types import Pointer as PointerType
from ...ir.types import Scalar, Struct, Type, Vector, flat_elem
from . import formats
from .compiler import ZERO, Compiler, Eval, Slot
from .lanes import meet
from .memory import Access
from .regions import Pointer, Region


def pointer(c: Compiler, e: ir.Expr) -> Eval:
    """A pointer-valued expression."""
    from .expressions import expression

    return expression(c, e)


def address(c: Compiler, e: ir.Expr, end: int = 0) -> Eval:
    """The address of an expression that denotes memory; with `end` 1 it may be one element behind an array."""
    from .expressions import expression

    if isinstance(e, ir.Var):
        target = c.names.get(e.name)
        if isinstance(target, Region):
            here = Pointer(target, ZERO)
            return lambda: here
        raise c.fail(e, f"{e.name} is not in memory")
    if isinstance(e, ir.Element):
        index = expression(c, e.index)
        if isinstance(e.base.type, ArrayType) and not isinstance(e.base, ir.Var):
            index = _subscript(c, e, e.base.type.length + end, index)
        base = address(c, e.base) if isinstance(e.base.type, ArrayType) else pointer(c, e.base)
        return moved(base, index, size_of(c, e, e.type))
    if isinstance(e, ir.Deref):
        return pointer(c, e.pointer)
    if isinstance(e, ir.Component):
        base, step = address(c, e.base), e.index * e.type.size

        return shifted(base, step)
    if isinstance(e, ir.Field):
        t = e.base.type
        member = t.member(e.name) if isinstance(t, Struct) else None
        if member is None:
            raise c.fail(e, f"{t} has no member {e.name}")
        return shifted(address(c, e.base), member.offset)
    raise c.fail(e, f"{type(e).__name__} does not denote memory")


def _subscript(c: Compiler, e: ir.Element, length: int, index: Eval) -> Eval:
    """The subscript of an array inside another one: out of range it may still be inside the whole (C11 6.5.6)."""
    s, loc, name = c.state, c.at(e), _array_name(e.base)
    fine: list[Any] = [None]  # the last value found in range: subscripts are often the same object again

    def run() -> Any:
        i = index()
        if i is fine[0]:
            return i
        if int(i.view(formats.UNSIGNED[i.dtype.itemsize]).max()) < length:
            fine[0] = i
            return i
        bad = meet(s.mask, (i < 0) | (i >= length))
        if bad.any() and s.findings.wants("out-of-bounds", loc, name):
            g, t = s.first_lane(bad)
            at = int(np.broadcast_to(i, np.broadcast_shapes(i.shape, bad.shape))[g, t])
            who = s.who(g, t)
            text = f"{who} uses the subscript {at} in an array inside {name}, which has {length} elements"
            s.findings.add("out-of-bounds", text, loc, name, buffer=name, element=at, threads=(who,))
        return i

    return run


def _array_name(e: ir.Expr) -> str:
    while isinstance(e, (ir.Element, ir.Field)):
        e = e.base
    return e.name if isinstance(e, ir.Var) else "memory"


def shifted(base: Eval, step: int) -> Eval:
    """A pointer moved by `step` bytes."""
    if step == 0:
        return base

    def run() -> Pointer:
        p = base()
        return Pointer(p.region, p.offset + step)

    return run


def moved(base: Eval, index: Eval, size: int) -> Eval:
    """A pointer moved by `index` elements of `size` bytes."""
    scale = np.int64(size)

    def run() -> Pointer:
        p, i = base(), index()
        step = i.astype(np.int64) * scale
        return Pointer(p.region, step if p.offset is ZERO else p.offset + step)

    return run


def size_of(c: Compiler, e: ir.Expr, t: Type) -> int:
    """Bytes of an element."""
    if isinstance(t, PointerType):
        raise c.fail(e, "pointers kept in memory cannot be emulated")
    return t.size


def access(c: Compiler, e: ir.Expr, punned: Scalar | None = None) -> Access:
    """The access that reading or writing an expression makes; with `punned`, as that type of the same size."""
    t = punned or e.type
    if not isinstance(t, (Scalar, Vector)):
        raise c.fail(e, f"a value of type {t} cannot be read or written as a whole")
    need = t.alignment if isinstance(t, Vector) else t.size
    # without casts between pointers, indexing keeps every access aligned
    align, guess = need if c.casts else 1, id(e) in c.guesses
    return c.memory.access(t, c.at(e), align=align, const=is_const(e), guess=guess, told=c.told)


def is_const(e: ir.Expr) -> bool:
    """Whether an expression denotes memory behind a pointer to const."""
    if isinstance(e, (ir.Component, ir.Field)):
        return is_const(e.base)
    if isinstance(e, ir.Element):
        return is_const(e.base) if isinstance(e.base.type, ArrayType) else _points_to_const(e.base)
    return isinstance(e, ir.Deref) and _points_to_const(e.pointer)


def _points_to_const(e: ir.Expr) -> bool:
    return isinstance(e.type, PointerType) and e.type.const


def in_memory(c: Compiler, e: ir.Expr) -> bool:
    """Whether an expression denotes memory, rather than a value or a variable kept as a value."""
    if isinstance(e, ir.Var):
        return isinstance(c.names.get(e.name), Region)
    if isinstance(e, (ir.Component, ir.Field)):
        return in_memory(c, e.base)
    if isinstance(e, ir.Element) and isinstance(e.base.type, ArrayType):
        return in_memory(c, e.base)
    return isinstance(e, (ir.Element, ir.Deref))


def slot_of(c: Compiler, e: ir.Expr) -> Slot | None:
    """The variable kept as a value that an expression names, if it does."""
    target = c.names.get(e.name) if isinstance(e, ir.Var) else None
    return target if isinstance(target, Slot) else None


def decayed(c: Compiler, e: ir.Decay) -> Eval:
    """An array as a pointer to its first element."""
    flat_elem(e.array.type)
    return address(c, e.array)
