"""Expressions that denote memory or pointers, compiled to closures that give Pointer values."""

from __future__ import annotations

import numpy as np

from ...ir import nodes as ir
from ...ir.types import Array as ArrayType
from ...ir.types import Pointer as PointerType
from ...ir.types import Scalar, Type, Vector, flat_elem
from .compiler import ZERO, Compiler, Eval, Slot
from .memory import Access
from .regions import Pointer, Region


def pointer(c: Compiler, e: ir.Expr) -> Eval:
    """A pointer-valued expression."""
    from .expressions import expression

    return expression(c, e)


def address(c: Compiler, e: ir.Expr) -> Eval:
    """The address of an expression that denotes memory."""
    from .expressions import expression

    if isinstance(e, ir.Var):
        target = c.names.get(e.name)
        if isinstance(target, Region):
            here = Pointer(target, ZERO)
            return lambda: here
        raise c.fail(e, f"{e.name} is not in memory")
    if isinstance(e, ir.Element):
        base = address(c, e.base) if isinstance(e.base.type, ArrayType) else pointer(c, e.base)
        return moved(base, expression(c, e.index), size_of(c, e, e.type))
    if isinstance(e, ir.Deref):
        return pointer(c, e.pointer)
    if isinstance(e, ir.Component):
        base, step = address(c, e.base), e.index * e.type.size

        def component() -> Pointer:
            p = base()
            return Pointer(p.region, p.offset + step)

        return component
    raise c.fail(e, f"{type(e).__name__} does not denote memory")


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


def access(c: Compiler, e: ir.Expr) -> Access:
    """The access that reading or writing an expression makes."""
    t = e.type
    if not isinstance(t, (Scalar, Vector)):
        raise c.fail(e, f"a value of type {t} cannot be read or written as a whole")
    need = t.alignment if isinstance(t, Vector) else t.size
    # without casts between pointers, indexing keeps every access aligned
    return c.memory.access(t, c.at(e), align=need if c.casts else 1, const=_const(e))


def _const(e: ir.Expr) -> bool:
    if isinstance(e, ir.Component):
        return _const(e.base)
    if isinstance(e, ir.Element):
        return _const(e.base) if isinstance(e.base.type, ArrayType) else _points_to_const(e.base)
    return isinstance(e, ir.Deref) and _points_to_const(e.pointer)


def _points_to_const(e: ir.Expr) -> bool:
    return isinstance(e.type, PointerType) and e.type.const


def in_memory(c: Compiler, e: ir.Expr) -> bool:
    """Whether an expression denotes memory, rather than a value or a variable kept as a value."""
    if isinstance(e, ir.Var):
        return isinstance(c.names.get(e.name), Region)
    if isinstance(e, ir.Component):
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
