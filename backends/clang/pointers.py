"""Memory and pointers to it: spaces, addresses, decays and casts."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any

from ...ir.diagnostics import refuse
from ...ir.nodes import (
    AddressOf,
    Binary,
    Component,
    Const,
    Convert,
    Decay,
    Deref,
    Element,
    Expr,
    Field,
    Loc,
    PointerCast,
    Var,
)
from ...ir.types import I32, VOID, Array, Pointer, Scalar, Space, Vector

if TYPE_CHECKING:
    from .context import FunctionContext


def memory_space(fc: FunctionContext, expr: Expr) -> Space:
    """Return the address space of an expression that denotes memory."""
    match expr:
        case Var(name=name):
            for v in fc.variables.values():
                if v.name == name:
                    return v.space
            return Space.PRIVATE
        case Element(base=base):
            return base.type.space if isinstance(base.type, Pointer) else memory_space(fc, base)
        case Deref(pointer=pointer) if isinstance(pointer.type, Pointer):
            return pointer.type.space
        case Component(base=base) | Field(base=base):
            return memory_space(fc, base)
        case _:
            return Space.PRIVATE


def is_memory(expr: Expr) -> bool:
    """Tell whether an expression denotes memory that may stand as an assignment's target."""
    match expr:
        case Var() | Element() | Deref():
            return True
        case Component(base=base) | Field(base=base):
            return is_memory(base)
        case _:
            return False


def address_of(fc: FunctionContext, memory: Expr, loc: Loc | None) -> Expr:
    """Return a pointer to memory."""
    if isinstance(memory, Deref):
        return memory.pointer
    if isinstance(memory.type, Array):
        return decay(fc, memory, loc)
    if not is_memory(memory):
        raise refuse("GP1102", "the address of a value that is not in memory", loc)
    return AddressOf(memory, Pointer(memory.type, memory_space(fc, memory), const=_is_const(memory)), loc=loc)


def _is_const(memory: Expr) -> bool:
    match memory:
        case Element(base=base):
            return base.type.const if isinstance(base.type, Pointer) else _is_const(base)
        case Component(base=base) | Field(base=base):
            return _is_const(base)
        case _:
            return False


def decay(fc: FunctionContext, array: Expr, loc: Loc | None) -> Expr:
    """Return an array as a pointer to its first element."""
    if isinstance(array.type, Pointer):  # constant memory that the host fills is a parameter
        return array
    while isinstance(array.type, Array) and isinstance(array.type.elem, Array):
        array = Element(array, Const(0, I32), array.type.elem, loc=loc)  # rows lie one behind the other
    if isinstance(array.type, Array):
        elem = array.type.elem
        assert not isinstance(elem, Array)
        return Decay(array, Pointer(elem, memory_space(fc, array)), loc=loc)
    raise refuse("GP1102", f"a value of type {array.type} as an array", loc)


def row_length(info: dict[str, Any]) -> int:
    """Return how many elements a step of a pointer takes: those of a row for `float (*)[33]`, else 1."""
    printed = str(info.get("desugaredQualType") or info["qualType"])
    rows = re.search(r"\(\*[^()]*\)((?:\[\d+\])+)", printed)
    return math.prod(map(int, re.findall(r"\d+", rows[1]))) if rows else 1


def scaled(index: Expr, length: int, loc: Loc | None) -> Expr:
    """Return an index in rows as one in elements."""
    if length == 1:
        return index
    t = index.type if isinstance(index.type, Scalar) and index.type.bits >= 32 else I32
    wide = index if index.type == t else Convert(index, t, True, loc=loc)
    return Binary("*", wide, Const(length, t), t, loc=loc)


def mismatched(given: Pointer, to: Pointer) -> bool:
    """Tell whether C's warned-of conversion of a pointer is surely a slip: neither side is of bytes, sizes differ."""
    sizes = {1 if isinstance(t.elem, Pointer) or t.elem == VOID else t.elem.size for t in (given, to)}
    return len(sizes) == 2 and 1 not in sizes


def pointer_cast(fc: FunctionContext, value: Expr, to: Pointer, loc: Loc | None, *, packed: bool = False) -> Expr:
    """Cast a pointer to another element type, in the space that it has; `packed` as Metal's `packed_float3` is."""
    assert isinstance(value.type, Pointer)
    if fc.unit.language.padded_vec3 and isinstance(to.elem, Vector) and to.elem.lanes == 3 and not packed:
        raise refuse("GP1103", "a 3-component vector in memory", loc)
    result = Pointer(to.elem, value.type.space, to.const, to.restrict, to.volatile)
    if result.elem == value.type.elem:
        return value
    return PointerCast(value, result, loc=loc)
