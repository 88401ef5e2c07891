"""Structs: a value is its leaves (scalars and vectors) in memory order; memory holds them at their offsets."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from ...ir import nodes as ir
from ...ir.types import Scalar, Struct, Type, Vector, leaves, scalar_of
from .lanes import stack

if TYPE_CHECKING:
    from .compiler import Compiler, Eval
    from .memory import Access
    from .regions import Pointer


class StructValue:
    """A struct that is not in memory: the values of its leaves."""

    __slots__ = ("leaves",)

    def __init__(self, values: list[Any]) -> None:
        self.leaves = values


Whole = list[tuple[np.int64, "Access"]]


def whole_access(c: Compiler, t: Type, e: ir.Node, *, const: bool = False) -> Whole:
    """Register the accesses that reading or writing a struct as a whole makes."""
    out: Whole = []
    for offset, leaf in leaves(t):
        need = leaf.alignment if isinstance(leaf, Vector) else leaf.size
        align = need if c.casts and offset % need == 0 else 1
        out.append((np.int64(offset), c.memory.access(leaf, c.at(e), align=align, const=const)))
    return out


def load_whole(c: Compiler, where: Pointer, whole: Whole) -> StructValue:
    """Read a struct."""
    return StructValue([c.memory.load(_moved(where, offset), access) for offset, access in whole])


def store_whole(c: Compiler, where: Pointer, whole: Whole, value: StructValue) -> None:
    """Write a struct."""
    for (offset, access), leaf in zip(whole, value.leaves, strict=True):
        c.memory.store(_moved(where, offset), access, leaf)


def _moved(p: Pointer, offset: np.int64) -> Pointer:
    from .regions import Pointer

    return Pointer(p.region, p.offset + offset) if offset else p


def poison(c: Compiler, t: Type) -> StructValue:
    """A struct of undefined values."""
    values = [c.domain.poison(scalar_of(leaf), leaf.lanes if isinstance(leaf, Vector) else 1) for _, leaf in leaves(t)]
    return StructValue(values)


def zeros(c: Compiler, t: Type) -> StructValue:
    """A struct of zeros."""
    from .formats import LANE

    values: list[Any] = []
    for _, leaf in leaves(t):
        scalar, shape = scalar_of(leaf), (1, 1, leaf.lanes) if isinstance(leaf, Vector) else (1, 1)
        one: Any = c.domain.constant(0.0, scalar) if scalar.is_float else np.zeros(shape, LANE[scalar])
        values.append(stack([one] * leaf.lanes) if scalar.is_float and isinstance(leaf, Vector) else one)
    return StructValue(values)


def aggregate(c: Compiler, e: ir.Aggregate) -> Eval:
    """A struct or array from its items; of a union, the first member's bytes and zeros."""
    from .expressions import expression

    items = [expression(c, i) for i in e.items]
    if isinstance(e.type, Struct) and e.type.union:
        return _union(c, e.type, items[0], e.items[0].type)

    def run() -> StructValue:
        out: list[Any] = []
        for item in items:
            value = item()
            out.extend(value.leaves if isinstance(value, StructValue) else [value])
        return StructValue(out)

    return run


def _union(c: Compiler, t: Struct, item: Eval, given: Type) -> Eval:
    """The words that a union is made of, from the bytes of its first member."""
    words = leaves(t)
    if not isinstance(given, Scalar | Vector):
        raise c.fail(ir.Const(0, Scalar("i32", "int", 32)), f"an initialiser of the union {t} by a {given}")

    def run() -> StructValue:
        value = as_bytes(c, item(), given)
        missing = t.size - value.shape[-1]
        value = np.concatenate([value, np.zeros((*value.shape[:-1], missing), np.uint8)], axis=-1)
        out: list[Any] = []
        for offset, word in words:
            part = np.ascontiguousarray(value[..., offset : offset + word.size])
            out.append(part.view(np.dtype(f"u{word.size}"))[..., 0])
        return StructValue(out)

    return run


def as_bytes(c: Compiler, value: Any, t: Scalar | Vector) -> Any:
    """The bytes of a value, on a last axis."""
    from . import formats

    scalar = scalar_of(t)
    bits = c.domain.to_bits(value, scalar) if scalar.is_float else formats.to_bits(value, scalar)
    bits = np.ascontiguousarray(bits if isinstance(t, Vector) else bits[..., None])
    return bits.view(np.uint8).reshape(*bits.shape[:2], -1)


def field(c: Compiler, e: ir.Field) -> Eval:
    """A member of a struct that is not in memory."""
    from .expressions import expression

    t = e.base.type
    assert isinstance(t, Struct)
    if t.union:
        return _union_field(c, e, t)
    value = expression(c, e.base)
    first = 0
    for m in t.members:
        count = len(leaves(m.type))
        if m.name == e.name:
            break
        first += count
    else:
        raise c.fail(e, f"{t} has no member {e.name}")
    if isinstance(e.type, (Scalar, Vector)):
        return lambda: value().leaves[first]
    return lambda: StructValue(value().leaves[first : first + count])


def _union_field(c: Compiler, e: ir.Field, t: Struct) -> Eval:
    from . import formats
    from .expressions import expression

    value, to = expression(c, e.base), e.type
    if not isinstance(to, (Scalar, Vector)):
        raise c.fail(e, f"member {e.name} of a union that is not in memory")
    scalar = scalar_of(to)

    def run() -> Any:
        parts = [as_bytes(c, v, w) for v, (_, w) in zip(value().leaves, leaves(t), strict=True)]
        shape = np.broadcast_shapes(*(p.shape[:2] for p in parts))
        joined = np.concatenate([np.broadcast_to(p, (*shape, p.shape[2])) for p in parts], axis=-1)
        bits = np.ascontiguousarray(joined[..., : to.size]).view(formats.UNSIGNED[scalar.size])
        bits = bits if isinstance(to, Vector) else bits[..., 0]
        return c.domain.from_bits(bits, scalar) if scalar.is_float else formats.from_bits(bits, scalar)

    return run


def each_leaf(fn: Callable[..., Any], *values: StructValue) -> StructValue:
    """Apply a function leaf by leaf."""
    return StructValue([fn(*parts) for parts in zip(*(v.leaves for v in values), strict=True)])


def smallest(t: Type) -> Scalar:
    """The scalar that tells a region of structs apart: the smallest there is, or the only one."""
    scalars = [scalar_of(leaf) for _, leaf in leaves(t)]
    return min(scalars, key=lambda s: s.size)
