"""double as float, for destinations without double: the same program at another precision, where the user wants it."""

from __future__ import annotations

import dataclasses
import struct
from typing import TYPE_CHECKING, cast

from .. import nodes as n
from ..diagnostics import Diagnostic, Refusal
from ..types import F32, F64, Pointer, Scalar, Space, Struct, Type, Vector, leaves, scalar_of
from ..walk import map_functions, rewrite_exprs, walk
from .retype import retype

if TYPE_CHECKING:
    from collections.abc import Iterator

_BYTES = ("i8", "u8")


def doubles_to_floats(program: n.Program) -> n.Program:
    """Return the program with f32 in place of f64 everywhere, in buffers too.

    Every pointer must have its address space. Raises Refusal (GP2005) for what depends on the bits of a double: bit
    casts, memory that is also used as another type, and structs in buffers.
    """
    problems = list(bits_of_doubles(program, "f32"))
    if problems:
        raise Refusal(dict.fromkeys(problems))

    def constant(e: n.Expr) -> n.Expr:
        if isinstance(e, n.Const) and e.type == F64:
            return dataclasses.replace(e, value=to_f32(float(e.value)))
        return e

    def narrow(t: Type) -> Type:
        return F32 if t == F64 else Vector(F32, t.lanes) if isinstance(t, Vector) and t.elem == F64 else t

    def plain(e: n.Expr) -> n.Expr:
        return e.value if isinstance(e, n.Convert) and e.value.type == e.type else e

    new = retype(map_functions(program, lambda f: rewrite_exprs(f, constant)), narrow)
    constants = tuple(
        n.NamedConstant(c.name, to_f32(float(c.value)), F32) if c.type == F64 else c for c in program.constants
    )
    return dataclasses.replace(map_functions(new, lambda f: rewrite_exprs(f, plain)), constants=constants)


def to_f32(x: float) -> float:
    """Round a double to a float, to nearest; infinity beyond the largest."""
    try:
        return struct.unpack("f", struct.pack("f", x))[0]
    except OverflowError:
        return float("inf") if x > 0 else float("-inf")


def uses_doubles(t: Type) -> bool:
    """Tell whether a type holds doubles."""
    while isinstance(t, Pointer):
        t = t.elem
    if isinstance(t, Struct):
        return any(scalar_of(leaf) == F64 for _, leaf in leaves(t))
    return isinstance(t, Scalar | Vector) and scalar_of(t) == F64


def bits_of_doubles(program: n.Program, how: str) -> Iterator[Diagnostic]:
    """Yield what keeps the doubles of a program from another form, `how`, in memory and out of it."""

    def found(what: str, loc: n.Loc | None) -> Diagnostic:
        return Diagnostic("GP2005", f"{what}, which is not a double as {how}", loc or program.kernel.loc)

    for p in program.kernel.params:
        if isinstance(p.type, Pointer) and isinstance(p.type.elem, Struct) and uses_doubles(p.type.elem):
            yield found(f"{p.name}: a buffer of structs with doubles", p.loc)
    for f in (program.kernel, *program.functions):
        at = f.loc
        for x in walk(f.body):
            at = x.loc or at
            if isinstance(x, n.Bitcast) and F64 in (scalar_of(x.type), scalar_of(cast("Scalar", x.value.type))):
                yield found(f"the bits of a double as {x.type if x.type != F64 else x.value.type}", at)
            elif isinstance(x, n.PointerCast) and isinstance(x.pointer.type, Pointer):
                old, new = x.pointer.type, x.type
                if uses_doubles(old) != uses_doubles(new) and not _raw(old, new):
                    yield found(f"memory used as {old.elem} and as {new.elem}", at)


def _raw(a: Pointer, b: Pointer) -> bool:
    """Whether bytes of shared memory are given their type: what lies there is a double from the start."""
    other = a.elem if uses_doubles(b) else b.elem
    return a.space is Space.SHARED and str(other) in _BYTES
