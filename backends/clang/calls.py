"""Calls: the functions that a language defines (by a table of handlers), and the program's own device functions."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from ...ir.diagnostics import refuse
from ...ir.mathlib import MATH
from ...ir.nodes import (
    Assign,
    Atomic,
    Barrier,
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
from ...ir.types import BOOL, F32, I32, U32, U64, VOID, Array, Pointer, Scalar, Space, Struct, Type, Vector
from .constants import fold
from .pointers import address_of
from .types import parse_type, result_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .context import CallSite, FunctionContext, Handler, Node
    from .objects import Parts


# what our headers define INFINITY and NAN as
BUILTIN_CONSTANTS = {"__builtin_huge_valf": float("inf"), "__builtin_nanf": float("nan")}


def lower_call(fc: FunctionContext, node: Node, loc: Loc | None) -> Expr | Stmt:
    """Lower a call to an expression, or to a statement for barriers and fences."""
    callee = _callee(node)
    if callee is None:
        raise refuse("GP1102", "a call through a pointer", loc)
    owner = fc.unit.records.owners.get(callee["id"])
    decl = fc.unit.records.methods[callee["id"]] if owner else fc.unit.decls.get(callee["id"], callee)
    name = fc.unit.qualified(decl) if owner is None else f"{owner.name}::{decl['name']}"
    args = node["inner"][1:]
    has_body = any(c.get("kind") == "CompoundStmt" for c in decl.get("inner", ()))
    if not has_body:
        if name in BUILTIN_CONSTANTS:
            return Const(BUILTIN_CONSTANTS[name], F32, loc=loc)
        handler = fc.unit.language.calls.get(name)
        if handler is None:
            raise refuse("GP1104", f"the function {name} is not supported", loc)
        if isinstance(handler, refused):
            raise refuse("GP1104", f"{name}: {handler.why}", loc)
        returns = parse_type({"qualType": _return_type(decl["type"])}, loc).type
        site = call_site(name, fc, args, returns, loc)
        return handler(fc, site)
    if owner is None or decl.get("storageClass") == "static":
        return call_function(fc, decl, args, loc)
    member = node["inner"][0]
    while member["kind"] in ("ImplicitCastExpr", "ParenExpr"):
        member = member["inner"][0]
    if member["kind"] == "MemberExpr":
        return call_function(fc, decl, args, loc, member["inner"][0], bool(member.get("isArrow")))
    return call_function(fc, decl, args[1:], loc, args[0])


def call_function(
    fc: FunctionContext,
    decl: Node,
    args: Sequence[Node],
    loc: Loc | None,
    this: Node | None = None,
    arrow: bool = False,
) -> Expr:
    """Call a function of the program, of the object `this` if it is a member function."""
    from .objects import Parts, find_parts, object_argument
    from .types import split_record
    from .unit import lower_device_function

    params = [c for c in decl["inner"] if c.get("kind") == "ParmVarDecl"]
    objects: dict[str, Parts] = {}
    values: list[Expr | Parts] = []
    if this is not None:
        values += object_argument(fc, decl, this, arrow, loc)
        if (own := find_parts_of(fc, this)) is not None:
            objects["this"] = own
    for i, param in enumerate(params):
        arg = args[i] if i < len(args) else None
        if arg is None or _is_missing_default(arg):
            written = [c for c in param.get("inner", ()) if not c.get("kind", "").endswith("Attr")]
            if not written:
                raise refuse("GP1102", f"the default argument {param.get('name')}", loc)
            arg = written[-1]
        parts = find_parts(fc, arg) if split_record(param["type"]) is not None else None
        if parts is not None:
            objects[param["id"]] = parts
        values.append(parts if parts is not None else lower_argument(fc, arg, param, loc))
    function = lower_device_function(fc, decl, loc, objects)
    flat: list[Expr] = []
    for v in values:
        flat.extend(v.flat() if isinstance(v, Parts) else [v])
    lowered = tuple(coerce(v, formal.type) for v, formal in zip(flat, function.params, strict=True))
    call = Call(function.name, lowered, function.returns, loc=loc)
    if returns_reference(decl, loc) and isinstance(function.returns, Pointer):
        return Deref(call, function.returns.elem, loc=loc)
    return call


def find_parts_of(fc: FunctionContext, this: Node) -> Parts | None:
    """Return the object of a member function's call if it is one that is taken apart."""
    from .objects import find_parts, object_type
    from .types import split_record

    return find_parts(fc, this) if split_record(object_type(this)) is not None else None


def returned(decl: Node, loc: Loc | None) -> Type:
    """Return the type of a function's result: a pointer for a reference that may be assigned through."""
    from .types import result_type

    parsed = result_type(decl["type"], loc)
    if parsed.reference and not parsed.const and not isinstance(parsed.type, Array | Pointer):
        return Pointer(parsed.type, Space.GENERIC)
    return parsed.type


def returns_reference(decl: Node, loc: Loc | None) -> bool:
    """Tell whether a function returns a reference that is a pointer in the IR."""
    from .types import result_type

    parsed = result_type(decl["type"], loc)
    return parsed.reference and not parsed.const and not isinstance(parsed.type, Array | Pointer)


def call_site(name: str, fc: FunctionContext, args: Sequence[Node], returns: Type, loc: Loc | None) -> CallSite:
    """Lower a call's arguments (default arguments included) and return the site."""
    from .context import CallSite
    from .expr import lower_expr

    lowered = tuple(lower_expr(fc, a) for a in args if not _is_missing_default(a) and not _is_string(a))
    return CallSite(name, lowered, tuple(args), returns, loc)


def _is_missing_default(node: Node) -> bool:
    return node["kind"] == "CXXDefaultArgExpr" and not node.get("inner")


def _is_string(node: Node) -> bool:
    while node["kind"] in ("ImplicitCastExpr", "ParenExpr"):
        node = node["inner"][0]
    return node["kind"] == "StringLiteral"


def _return_type(info: dict[str, str]) -> str:
    return result_text(info.get("desugaredQualType") or info["qualType"])


def _callee(node: Node) -> Node | None:
    target: Node = node["inner"][0]
    while target["kind"] in ("ImplicitCastExpr", "ParenExpr"):
        target = target["inner"][0]
    ref = target.get("referencedDecl")
    if target["kind"] == "MemberExpr" and target.get("referencedMemberDecl"):
        return {"id": target["referencedMemberDecl"], "kind": "CXXMethodDecl"}
    return ref if ref and ref["kind"] in ("FunctionDecl", "CXXMethodDecl") else None


def lower_argument(fc: FunctionContext, arg: Node, param: Node, loc: Loc | None) -> Expr:
    """Lower an argument; for a reference parameter that the IR passes as a pointer, its address."""
    from .expr import lower_expr

    value = lower_expr(fc, arg)
    parsed = parse_type(param["type"], loc)
    if parsed.reference and not by_value(parsed.const, parsed.type):
        return address_of(fc, value, loc)
    return value


def by_value(const: bool, t: Type) -> bool:
    """Tell whether a reference parameter can be passed by value: a const reference to a scalar, vector or pointer."""
    return const and not isinstance(t, Array)


def coerce(value: Expr, t: Type) -> Expr:
    """Give a C truth value (an int there, a bool here) the type of the place it goes to."""
    if value.type == BOOL and isinstance(t, Scalar) and t not in (BOOL, VOID):
        return Convert(value, t, True, loc=value.loc)
    return value


def lower_construct(fc: FunctionContext, node: Node, loc: Loc | None) -> Expr:
    """Lower constructors and braced initialisers of vectors and scalars."""
    from .expr import lower_expr, zero
    from .objects import construct

    inner = [c for c in node.get("inner", ()) if c.get("kind")]
    t = parse_type(node["type"], loc).type
    if isinstance(t, Struct):
        return construct(fc, node, t, loc)
    if not inner:
        return zero(t, loc)
    values = [lower_expr(fc, c) for c in inner]
    if len(values) == 1 and values[0].type == t:
        return values[0]
    if isinstance(t, Vector):
        items: list[Expr] = []
        for v in values:
            if isinstance(v.type, Vector):
                raise refuse("GP1102", "a vector built from vectors", loc)
            items.append(coerce(v, t.elem))
        items += [zero(t.elem, loc)] * (t.lanes - len(items))
        return MakeVector(tuple(items), t, loc=loc)
    if isinstance(t, Scalar) and len(values) == 1:
        return coerce(values[0], t)
    raise refuse("GP1102", f"an initialiser of type {t}", loc)


# --- handlers: each factory returns a function from a call to an IR node


def math(fn: str) -> Handler:
    """A math function; operands are brought to the result's type."""

    def handle(_fc: FunctionContext, site: CallSite) -> Expr:
        spec = MATH[fn]
        t = site.args[0].type if spec.result != "same" else site.type
        if not isinstance(t, Scalar | Vector):
            raise refuse("GP1104", f"{site.name} on {t}", site.loc)
        args = tuple(
            a if a.type == t or (spec.int_last and i == len(site.args) - 1) else Convert(a, t, True, loc=site.loc)
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


def by_type(on_float: str, on_int: str) -> Handler:
    """A math function with one name for floats and another for integers (`min`, `abs`)."""

    def handle(fc: FunctionContext, site: CallSite) -> Expr | Stmt:
        t = site.type.elem if isinstance(site.type, Vector) else site.type
        return math(on_float if isinstance(t, Scalar) and t.is_float else on_int)(fc, site)

    return handle


def operator(op: str) -> Handler:
    """A function that is an operator (`__fadd_rn`): never contracted, which no port does anyway."""

    def handle(_fc: FunctionContext, site: CallSite) -> Expr:
        from .expr import combine

        return combine(op, site.args[0], site.args[1], site.loc)

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
        from .expr import as_bool

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
    from ...ir.nodes import AddressOf, Deref, Offset
    from .expr import zero

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
            returns = parse_type({"qualType": _return_type(decl["type"])}, site.loc).type
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
class refused:  # noqa: N801 - reads like its sisters in the tables
    """A function that is known, and why it is not supported; its arguments are not even looked at."""

    why: str

    def __call__(self, _fc: FunctionContext, site: CallSite) -> Expr:
        """Refuse the call."""
        raise refuse("GP1104", f"{site.name}: {self.why}", site.loc)
