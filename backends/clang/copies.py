"""Copies of a few bytes from one thread: `memcpy`, and CUDA's asynchronous ones, done where they are asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...ir.diagnostics import refuse
from ...ir.nodes import (
    AddressOf,
    Assign,
    Binary,
    Const,
    Convert,
    Declare,
    Deref,
    Element,
    Expr,
    For,
    PointerCast,
    Select,
    Var,
)
from ...ir.types import BOOL, U8, U32, VOID, Pointer, Scalar, Struct, Vector
from .constants import fold
from .objects import keep
from .operators import zero

if TYPE_CHECKING:
    from ...ir.nodes import Loc, Stmt
    from .context import FunctionContext

SIZES = (4, 8, 16)
"""Bytes that one asynchronous copy moves; it demands that both places are aligned to them."""


def copy(fc: FunctionContext, to: Expr, source: Expr, size: int, valid: Expr | None, loc: Loc | None) -> list[Stmt]:
    """Return the copy of `size` bytes, of which only the first `valid` are read and the others become 0."""
    if size not in SIZES:
        raise refuse("GP1104", f"an asynchronous copy of {size} bytes; CUDA has 4, 8 and 16", loc)
    if not isinstance(to.type, Pointer) or not isinstance(source.type, Pointer):
        raise refuse("GP1104", f"an asynchronous copy from {source.type} to {to.type}", loc)
    to, source = _typed(to), _typed(source)
    unit = _unit(source.type, to.type)
    if valid is None or fold(valid) == size:
        return _whole(to, source, size, unit, loc)
    return _partial(fc, to, source, size, valid, unit, loc)


def copy_value(fc: FunctionContext, to: Expr, source: Expr, size: int, loc: Loc | None) -> Stmt:
    """Return `memcpy(to, source, size)` of one value, which one of the two ends is, or of several of one type."""
    to, source = _typed(to), _typed(source)
    ends = [p.type for p in (to, source) if isinstance(p.type, Pointer)]
    elems = [t.elem for t in ends if isinstance(t.elem, Scalar | Vector | Struct)]
    if len(elems) != 2:
        raise refuse("GP1104", f"memcpy from {source.type} to {to.type}", loc)
    a, b = elems
    if a == b and size % a.size == 0 and size > a.size:
        name = fc.unique("item")
        item = Var(name, U32, loc=loc)
        moved = Assign(Element(to, item, a, loc=loc), Element(source, item, a, loc=loc), loc=loc)
        return _count(name, Const(0, U32), Const(size // a.size, U32), (moved,), loc)
    whole = next((e for e in (b, a) if e.size == size), None)
    # bytes may lie at any address, which a wider value may not
    if whole is None or (min(a.size, b.size) == 1 and size > 1) or (a != b and isinstance(whole, Struct)):
        raise refuse(
            "GP1104",
            f"memcpy of {size} bytes from {source.type} to {to.type}: only one value, or several of one type",
            loc,
        )
    return Assign(_value(to, whole, loc), _value(source, whole, loc), loc=loc)


def _value(pointer: Expr, t: Scalar | Vector | Struct, loc: Loc | None) -> Expr:
    if isinstance(pointer, AddressOf) and pointer.memory.type == t:
        return pointer.memory
    return Deref(_view(pointer, t, loc), t, loc=loc)


def _typed(e: Expr) -> Expr:
    """The pointer that was made one to bytes or to void."""
    if isinstance(e, PointerCast) and e.type.elem in (U8, VOID):
        return e.pointer
    return e


def _unit(*pointers: object) -> Scalar:
    """The scalar that the copy moves: what one of the pointers is to, words where that is unknown or a struct."""
    for p in pointers:
        elem = p.elem if isinstance(p, Pointer) else VOID
        scalar = elem.elem if isinstance(elem, Vector) else elem
        if isinstance(scalar, Scalar) and scalar not in (U8, VOID):
            return scalar
    return U32


def _view(pointer: Expr, elem: Scalar | Vector | Struct, loc: Loc | None) -> Expr:
    t = pointer.type
    assert isinstance(t, Pointer)
    return pointer if t.elem == elem else PointerCast(pointer, Pointer(elem, t.space, t.const), loc=loc)


def _whole(to: Expr, source: Expr, size: int, unit: Scalar, loc: Loc | None) -> list[Stmt]:
    count = size // unit.size
    lanes = min(count, 2 if unit.size == 2 else 4)
    elem = Vector(unit, lanes) if lanes > 1 else unit
    to, source = _view(to, elem, loc), _view(source, elem, loc)
    if lanes == count:
        return [Assign(Deref(to, elem, loc=loc), Deref(source, elem, loc=loc), loc=loc)]
    places = (Const(i, U32, loc=loc) for i in range(count // lanes))
    return [Assign(Element(to, i, elem, loc=loc), Element(source, i, elem, loc=loc), loc=loc) for i in places]


def _partial(
    fc: FunctionContext, to: Expr, source: Expr, size: int, valid: Expr, unit: Scalar, loc: Loc | None
) -> list[Stmt]:
    """Element by element, those that are whole; then the bytes of one that is not."""
    valid = keep(fc, Convert(valid, U32, True, loc=loc) if valid.type != U32 else valid, "valid", loc)
    words, given = _view(to, unit, loc), _view(source, unit, loc)
    name = fc.unique("item")
    item = Var(name, U32, loc=loc)
    end = Binary("*", Binary("+", item, Const(1, U32), U32), Const(unit.size, U32), U32, loc=loc)
    here = Select(Binary("<=", end, valid, BOOL), Element(given, item, unit), zero(unit, loc), unit, loc=loc)
    body = (Assign(Element(words, item, unit, loc=loc), here, loc=loc),)
    out = [_count(name, Const(0, U32), Const(size // unit.size, U32), body, loc)]
    if unit.size > 1 and not _known_whole(valid, unit):
        name = fc.unique("byte")
        byte = Var(name, U32, loc=loc)
        first = Binary("-", valid, Binary("%", valid, Const(unit.size, U32), U32), U32, loc=loc)
        moved = Assign(Element(_view(to, U8, loc), byte, U8), Element(_view(source, U8, loc), byte, U8), loc=loc)
        out.append(_count(name, first, valid, (moved,), loc))
    return out


def _known_whole(valid: Expr, unit: Scalar) -> bool:
    value = fold(valid)
    return isinstance(value, int) and value % unit.size == 0


def _count(name: str, first: Expr, end: Expr, body: tuple[Stmt, ...], loc: Loc | None) -> Stmt:
    i = Var(name, U32, loc=loc)
    step = Assign(i, Const(1, U32), "+", loc=loc)
    return For((Declare(name, U32, first, loc=loc),), Binary("<", i, end, BOOL), (step,), body, loc=loc)
