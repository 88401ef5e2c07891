"""Vectors lane by lane: swizzles, comparisons and conditional expressions, as OpenCL C and Metal have them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...ir.diagnostics import refuse
from ...ir.nodes import Binary, Component, Const, Expr, Field, MakeVector, Select, Var
from ...ir.types import BOOL, Type, Vector
from .objects import keep

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...ir.nodes import Loc
    from .context import FunctionContext, Node

_HEX = "0123456789abcdef"


def swizzle(name: str, t: Vector) -> tuple[int, ...]:
    """Return the lanes that a component name selects (`xyz`, `s01`, `lo`, `even`); () if it is none of the type's."""
    half = max(t.lanes // 2, 1) if t.lanes != 3 else 2
    whole = {
        "lo": range(half),
        "hi": range(half, 2 * half),
        "even": range(0, t.lanes, 2),
        "odd": range(1, t.lanes + t.lanes % 2, 2),
    }
    if name in whole:
        lanes = tuple(whole[name])
    elif name[:1] in "sS" and name[1:] and all(c in _HEX for c in name[1:].lower()):
        lanes = tuple(_HEX.index(c) for c in name[1:].lower())
    elif all(c in "xyzw" for c in name):
        lanes = tuple("xyzw".index(c) for c in name)
    elif all(c in "rgba" for c in name):
        lanes = tuple("rgba".index(c) for c in name)
    else:
        return ()
    return lanes if all(i < t.lanes for i in lanes) else ()


def lane_name(fc: FunctionContext, node: Node) -> str:
    """Return the member name of an access; clang's tree has none for components of its own vectors."""
    name = node.get("name") or fc.unit.token(node["range"]["end"].get("spellingLoc", node["range"]["end"]))
    return str(name).lstrip(".->")


def take_lanes(fc: FunctionContext, base: Expr, lanes: tuple[int, ...], loc: Loc | None) -> Expr:
    """Return some lanes of a vector as a scalar or a vector."""
    assert isinstance(base.type, Vector)
    elem = base.type.elem
    if len(lanes) == 1:
        return Component(base, lanes[0], elem, loc=loc)
    held = base if isinstance(base, Var | Field) else keep(fc, base, "lanes", loc)
    return MakeVector(tuple(Component(held, i, elem, loc=loc) for i in lanes), Vector(elem, len(lanes)), loc=loc)


def selected(target: Expr) -> tuple[Expr, tuple[int, ...]] | None:
    """Return the vector and the lanes of it that a target like `v.xy` names, None for other targets."""
    if not isinstance(target, MakeVector) or not all(isinstance(i, Component) for i in target.items):
        return None
    parts = [i for i in target.items if isinstance(i, Component)]
    lanes = tuple(p.index for p in parts)
    if any(p.base != parts[0].base for p in parts) or len(set(lanes)) != len(lanes):
        return None
    return parts[0].base, lanes


def lanes_of(fc: FunctionContext, e: Expr, loc: Loc | None) -> list[Expr]:
    """Return the lanes of a vector, which is evaluated once."""
    assert isinstance(e.type, Vector)
    held = e if isinstance(e, Var) else keep(fc, e, "lanes", loc)
    return [Component(held, i, e.type.elem, loc=loc) for i in range(e.type.lanes)]


def compare_lanes(fc: FunctionContext, op: str, sides: tuple[Expr, Expr], t: Type, loc: Loc | None) -> Expr:
    """`a < b` of vectors: in OpenCL C -1 in the lanes where it holds, else 0; in Metal true, which converts to 1."""
    if not isinstance(t, Vector) or fc.unit.language.name not in ("opencl", "metal"):
        raise refuse("GP1102", "a comparison of vectors", loc)
    yes, no = Const(-1 if t.elem.signed and fc.unit.language.name == "opencl" else 1, t.elem), Const(0, t.elem)
    pairs = zip(*(lanes_of(fc, s, loc) for s in sides), strict=True)
    return MakeVector(tuple(Select(Binary(op, a, b, BOOL), yes, no, t.elem, loc=loc) for a, b in pairs), t, loc=loc)


def choose_lanes(fc: FunctionContext, parts: Sequence[Expr], loc: Loc | None) -> Expr:
    """`c ? a : b` of vectors: a in the lanes whose highest bit in c is set; both are evaluated."""
    cond, then, other = parts
    t = then.type
    signed = isinstance(cond.type, Vector) and cond.type.elem.signed
    if not isinstance(t, Vector) or not isinstance(cond.type, Vector) or not signed or fc.unit.language.name == "metal":
        raise refuse("GP1102", "a conditional expression of vectors of this form", loc)
    zero = Const(0, cond.type.elem)
    rows = zip(*(lanes_of(fc, p, loc) for p in (cond, then, other)), strict=True)
    lanes = [Select(Binary("<", c, zero, BOOL), a, b, t.elem, loc=loc) for c, a, b in rows]
    return MakeVector(tuple(lanes), t, loc=loc)


def flattened(fc: FunctionContext, values: Sequence[Expr], t: Vector, loc: Loc | None) -> list[Expr]:
    """Return the lanes of `(float4)(v.xy, 0, 1)`: vectors among the values give their lanes."""
    out: list[Expr] = []
    for v in values:
        out += lanes_of(fc, v, loc) if isinstance(v.type, Vector) and v.type != t else [v]
    return out
