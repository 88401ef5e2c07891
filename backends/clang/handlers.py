"""Handlers of the functions that a language defines: each factory returns a function from a call to an IR node."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from ...ir.diagnostics import refuse
from ...ir.mathlib import MATH
from ...ir.nodes import (
    Assign,
    Atomic,
    Barrier,
    Binary,
    Bitcast,
    Call,
    Const,
    Convert,
    Deref,
    Element,
    Expr,
    Fence,
    Grid,
    GridIndex,
    Loc,
    MakeVector,
    MathCall,
    Scope,
    Select,
    Shuffle,
    Stmt,
    Vote,
    boolean,
)  # fmt: skip
from ...ir.types import BOOL, I32, U32, U64, VOID, Pointer, Scalar, Space, Vector
from .calls import coerce, return_type
from .constants import fold
from .copies import copy, copy_value
from .types import parse_type

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from .context import CallSite, FunctionContext, Handler
    from .records import Node


def math(fn: str) -> Handler:
    """A math function; operands are brought to the result's type."""

    def handle(_fc: FunctionContext, site: CallSite) -> Expr:
        spec = MATH[fn]
        t = site.args[0].type if spec.result != "same" else site.type
        if not isinstance(t, Scalar | Vector):
            raise refuse("GP1104", f"{site.name} on {t}", site.loc)
        args = tuple(
            a if a.type == t or (spec.int_last and i == len(site.args) - 1) else _brought_to(a, t, site.loc)
            for i, a in enumerate(site.args)
        )
        result = {"same": t, "i32": I32, "bool": BOOL}[spec.result]
        assert isinstance(result, Scalar | Vector)
        found = MathCall(fn, args, result, loc=site.loc)
        # OpenCL C and Metal count bits in the operand's own type
        if spec.result == "i32" and isinstance(site.type, Scalar) and site.type not in (I32, BOOL):
            return Convert(found, site.type, True, loc=site.loc)
        return found

    return handle


def _brought_to(e: Expr, t: Scalar | Vector, loc: Loc | None) -> Expr:
    """Convert an operand to the type of a function; a scalar beside vectors goes to every lane."""
    if isinstance(t, Vector) and isinstance(e.type, Scalar):
        return MakeVector((e if e.type == t.elem else Convert(e, t.elem, True, loc=loc),) * t.lanes, t, loc=loc)
    return Convert(e, t, True, loc=loc)


def by_type(on_float: str, on_int: str) -> Handler:
    """A math function with one name for floats and another for integers (`min`, `abs`)."""

    def handle(fc: FunctionContext, site: CallSite) -> Expr | Stmt:
        t = site.type.elem if isinstance(site.type, Vector) else site.type
        return math(on_float if isinstance(t, Scalar) and t.is_float else on_int)(fc, site)

    return handle


def operator(op: str, *, rounded: bool = False) -> Handler:
    """A function that is an operator; `rounded`: one that no compiler fuses (`__fadd_rn`)."""

    def handle(_fc: FunctionContext, site: CallSite) -> Expr:
        from .operators import combine

        return combine(op, site.args[0], site.args[1], site.loc, rounded=rounded)

    return handle


def grid(kind: Grid, *, convert: Scalar | None = None) -> Handler:
    """A function of a constant axis that gives an index (`get_local_id(0)`)."""

    def handle(_fc: FunctionContext, site: CallSite) -> Expr:
        axis = constant_int(site, 0) if site.args else 0
        if not 0 <= axis <= 2:
            raise refuse("GP1102", f"{site.name} of axis {axis}", site.loc)
        index = GridIndex(kind, axis, loc=site.loc)
        return Convert(index, convert, True, loc=site.loc) if convert else index

    return handle


def barrier(scope: Scope, flags: Mapping[int, Space] | None = None) -> Handler:
    """A barrier statement; `flags`: the bits of its first argument that name the memory it orders, all without it."""

    def handle(fc: FunctionContext, site: CallSite) -> Stmt:
        fc.uses_subgroup |= scope is Scope.SUBGROUP
        if flags is None or not site.args:
            return Barrier(scope, loc=site.loc)
        given = constant_int(site, 0)
        return Barrier(scope, None, tuple(s for bit, s in flags.items() if given & bit), loc=site.loc)

    return handle


def fence(scope: Scope) -> Handler:
    """A fence statement."""
    return lambda _fc, site: Fence(scope, loc=site.loc)


def copied(fc: FunctionContext, site: CallSite) -> Stmt:
    """`__pipeline_memcpy_async(to, from, bytes, zeros)`; the last `zeros` bytes become 0."""
    size = constant_int(site, 2)
    valid = None
    for given in site.args[3:]:
        zeros = given if given.type == U32 else Convert(given, U32, True, loc=site.loc)
        known = fold(zeros)
        left = Const(size - int(known), U32, loc=site.loc) if known is not None else None
        valid = left or Binary("-", Const(size, U32, loc=site.loc), zeros, U32, loc=site.loc)
    to, source = site.args[0], site.args[1]
    stmts = copy(fc, to, source, size, valid, site.loc)
    fc.before.extend(stmts[:-1])
    return stmts[-1]


def memcpy(fc: FunctionContext, site: CallSite) -> Stmt:
    """`memcpy(to, from, bytes)`, of which nobody takes the result."""
    return copy_value(fc, site.args[0], site.args[1], constant_int(site, 2), site.loc)


def subgroup_barrier(fc: FunctionContext, site: CallSite) -> Stmt:
    """`__syncwarp(mask)`."""
    fc.uses_subgroup = True
    return Barrier(Scope.SUBGROUP, lane_mask(site) if site.args else None, loc=site.loc)


def constant_int(site: CallSite, index: int) -> int:
    """Return an argument that must be an integer constant."""
    value = fold(site.args[index])
    if not isinstance(value, int):
        raise refuse("GP1104", f"argument {index + 1} of {site.name} must be a constant", site.loc)
    return int(value)


def is_full_mask(mask: Expr) -> bool:
    """Tell whether a warp mask is the constant 0xffffffff."""
    value = fold(mask)
    return isinstance(value, int) and value & 0xFFFFFFFF == 0xFFFFFFFF


def lane_mask(site: CallSite) -> Expr | None:
    """Return the warp mask that is a call's first argument, as a word; None for the full mask."""
    mask = site.args[0]
    if is_full_mask(mask):
        return None
    if isinstance(mask, Select) and (known := fold(mask.cond)) is not None:
        mask = mask.then if known else mask.other
    if not isinstance(mask.type, Scalar) or not mask.type.is_integer:
        raise refuse("GP1108", f"the mask of {site.name} has type {mask.type}", site.loc)
    return mask if mask.type == U32 else Convert(mask, U32, True, loc=site.loc)


def shuffle(kind: str, *, masked: bool = True, undefined: bool = False, width: int = 32, widest: int = 32) -> Handler:
    """A shuffle; with `masked`, CUDA's form (mask, value, lane, width=32), else (value, lane, width if it has one)."""

    def handle(fc: FunctionContext, site: CallSite) -> Expr:
        first = 1 if masked else 0
        segment = width
        if len(site.args) > first + 2:
            segment = constant_int(site, first + 2)
        if segment and (not 0 < segment <= widest or segment & (segment - 1)):
            raise refuse("GP1104", f"the width {segment} of {site.name} is no power of two up to {widest}", site.loc)
        value, lane = site.args[first], site.args[first + 1]
        if not isinstance(value.type, Scalar | Vector):
            raise refuse("GP1104", f"{site.name} of {value.type}", site.loc)
        fc.uses_subgroup = True
        mask = lane_mask(site) if masked else None
        return Shuffle(kind, value, lane, value.type, segment, undefined, mask, loc=site.loc)

    return handle


def vote(kind: str, *, masked: bool = True, width: int = 32) -> Handler:
    """any, all, ballot; with `masked` the first argument is the full mask."""

    def handle(fc: FunctionContext, site: CallSite) -> Expr:
        from .operators import as_bool

        fc.uses_subgroup = True
        value = as_bool(site.args[1 if masked else 0])
        wide = site.type == U64 and not masked  # a wave of 64 lanes
        result = (U64 if wide else U32) if kind == "ballot" else BOOL
        found: Expr = Vote(kind, value, result, width, lane_mask(site) if masked else None, loc=site.loc)
        return (
            Convert(found, site.type, True, loc=site.loc)
            if isinstance(site.type, Scalar) and site.type != result
            else found
        )

    return handle


def active_lanes(fc: FunctionContext, site: CallSite) -> Expr:
    """`__activemask()`."""
    fc.uses_subgroup = True
    return Vote("active", boolean(True), U32, loc=site.loc)


def atomic(op: str, scope: Scope = Scope.DEVICE, *, implied: int | None = None) -> Handler:
    """An atomic (pointer, value); cas is (pointer, expected, value); `implied` is the operand of inc and dec."""

    def handle(_fc: FunctionContext, site: CallSite) -> Expr:
        pointer = site.args[0]
        if not isinstance(pointer.type, Pointer) or not isinstance(pointer.type.elem, Scalar):
            raise refuse("GP1104", f"{site.name} on {pointer.type}", site.loc)
        t = pointer.type.elem
        if implied is not None:
            return Atomic(op, pointer, Const(implied, t), t, None, scope, loc=site.loc)
        values = [a if a.type == t else Convert(a, t, True, loc=site.loc) for a in site.args[1:3]]
        expected = values[0] if op == "cas" else None
        return Atomic(op, pointer, values[-1] if op == "cas" else values[0], t, expected, scope, loc=site.loc)

    return handle


def bitcast(to: Scalar | Vector) -> Handler:
    """The same bits as another type."""
    return lambda _fc, site: Bitcast(site.args[0], to, loc=site.loc)


def make_vector(_fc: FunctionContext, site: CallSite) -> Expr:
    """`make_float4(x, y, z, w)`."""
    if not isinstance(site.type, Vector):
        raise refuse("GP1104", f"{site.name} giving {site.type}", site.loc)
    return MakeVector(tuple(coerce(a, site.type.elem) for a in site.args), site.type, loc=site.loc)


def load_through(_fc: FunctionContext, site: CallSite) -> Expr:
    """A load with a cache hint (`__ldg(p)`): a plain load."""
    from ...ir.nodes import AddressOf, Offset
    from .operators import zero

    pointer = site.args[0]
    if isinstance(pointer, AddressOf):
        return pointer.memory
    if isinstance(pointer, Offset):
        return Element(pointer.pointer, pointer.delta, pointer.type.elem, loc=site.loc)
    if isinstance(pointer.type, Pointer):
        return Deref(pointer, pointer.type.elem, loc=site.loc)
    return zero(VOID, site.loc)


def store_through(fc: FunctionContext, site: CallSite) -> Stmt:
    """A store with a cache hint (`__stcs(p, v)`): a plain store."""
    memory = load_through(fc, site)
    if not isinstance(site.args[0].type, Pointer):
        raise refuse("GP1104", f"{site.name} on {site.args[0].type}", site.loc)
    return Assign(memory, coerce(site.args[1], memory.type), loc=site.loc)


def by_mask(fc: FunctionContext, site: CallSite) -> Expr:
    """A function of a warp mask that our header defines twice: NAME_all for the full mask, NAME_some for others."""
    from .unit import lower_device_function

    full = is_full_mask(site.args[0])
    wanted = site.name + ("_all" if full else "_some")
    for decl in fc.unit.decls.values():
        if decl.get("kind") == "FunctionDecl" and decl.get("name") == wanted:
            returns = parse_type({"qualType": return_type(decl["type"])}, site.loc).type
            if returns == site.type:
                function = lower_device_function(fc, decl, site.loc)
                return Call(function.name, site.args[1:] if full else site.args, function.returns, loc=site.loc)
    raise refuse("GP1104", f"{site.name} on {site.type}", site.loc)


def convert_to(to: Scalar, *, explicit: bool = True) -> Handler:
    """A conversion written as a function (`__int2float_rn`)."""
    return lambda _fc, site: Convert(site.args[0], to, not explicit, loc=site.loc)


def nothing(_fc: FunctionContext, site: CallSite) -> Expr:
    """A call that does nothing in a port."""
    return Const(0, I32, loc=site.loc)


def identity(_fc: FunctionContext, site: CallSite) -> Expr:
    """A function that gives its argument back."""
    return site.args[0]


@dataclasses.dataclass(frozen=True)
class OfNodes:
    """A function whose arguments are not lowered: what it means is seen from how they are written."""

    lower: Callable[[FunctionContext, Sequence[Node], Loc | None], Expr | Stmt]

    def __call__(self, fc: FunctionContext, site: CallSite) -> Expr | Stmt:
        """Lower the call."""
        return self.lower(fc, site.nodes, site.loc)


@dataclasses.dataclass(frozen=True)
class refused:  # noqa: N801 - reads like its sisters in the tables
    """A function that is known, and why it is not supported; its arguments are not even looked at."""

    why: str

    def __call__(self, _fc: FunctionContext, site: CallSite) -> Expr:
        """Refuse the call."""
        raise refuse("GP1104", f"{site.name}: {self.why}", site.loc)
