"""Calls: the functions that a language defines (by a table of handlers), and the program's own device functions."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ...ir.diagnostics import refuse
from ...ir.nodes import (
    Call,
    Const,
    Convert,
    Deref,
    Expr,
    Loc,
    MakeVector,
    Stmt,
)  # fmt: skip
from ...ir.types import BOOL, F32, VOID, Array, Pointer, Scalar, Space, Struct, Type, Vector
from .addresses import carried
from .aliasing import may_change
from .pointers import address_of
from .types import ParsedType, parse_type, result_text
from .vectors import flattened

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .context import CallSite, FunctionContext
    from .objects import Parts
    from .records import Node


# what our headers define INFINITY and NAN as
BUILTIN_CONSTANTS = {"__builtin_huge_valf": float("inf"), "__builtin_nanf": float("nan")}


def lower_call(fc: FunctionContext, node: Node, loc: Loc | None) -> Expr | Stmt:
    """Lower a call to an expression, or to a statement for barriers and fences."""
    callee = _callee(fc, node)
    if callee is None:
        raise refuse("GP1102", "a call through a pointer", loc)
    owner = fc.unit.records.owners.get(callee["id"])
    decl = fc.unit.records.methods[callee["id"]] if owner else fc.unit.definition(callee)
    name = fc.unit.qualified(decl) if owner is None else f"{owner.name}::{decl['name']}"
    args = node["inner"][1:]
    has_body = any(c.get("kind") == "CompoundStmt" for c in decl.get("inner", ()))
    if not has_body:
        if name in BUILTIN_CONSTANTS:
            return Const(BUILTIN_CONSTANTS[name], F32, loc=loc)
        from .handlers import OfNodes, refused

        handler = fc.unit.language.calls.get(name)
        if handler is None:
            raise refuse("GP1104", f"the function {name} is not supported", loc)
        if isinstance(handler, refused):
            raise refuse("GP1104", f"{name}: {handler.why}", loc)
        if isinstance(handler, OfNodes):
            return handler.lower(fc, args, loc)
        returns = parse_type({"qualType": return_type(decl["type"])}, loc).type
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
    from .methods import object_argument
    from .objects import Parts, find_parts, pointed_parts
    from .types import split_record
    from .unit import lower_device_function

    params = [c for c in decl["inner"] if c.get("kind") == "ParmVarDecl"]
    objects: dict[str, Parts] = {}
    functions: dict[str, Node] = {}
    types: dict[str, Pointer] = {}
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
        if is_function_type(param["type"]):  # the function is known here: the callee is made for it
            given = _callee(fc, {"inner": [arg]})
            if given is None:
                raise refuse("GP1102", f"a function that is not known, for {param.get('name')}", loc)
            functions[param["id"]] = given
            continue
        with fc.unit.records.within(decl):
            split = split_record(param["type"]) is not None
        parts = find_parts(fc, arg) if split else pointed_parts(fc, arg)
        if parts is not None:
            objects[param["id"]] = parts
        if parts is not None:
            values.append(parts)
            continue
        value, t = carried(fc, decl, param, lower_argument(fc, arg, decl, param, loc), loc)
        values.append(value)
        if t is not None:
            types[param["id"]] = t
    function = lower_device_function(fc, decl, loc, objects, functions, types)
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


def return_type(info: dict[str, str]) -> str:
    """Return the printed type of a function's result."""
    return result_text(info.get("desugaredQualType") or info["qualType"])


def _callee(fc: FunctionContext, node: Node) -> Node | None:
    target: Node = node["inner"][0]
    while True:
        reads = target["kind"] == "ImplicitCastExpr" and target.get("castKind") == "LValueToRValue"
        address = target["kind"] == "UnaryOperator" and target["opcode"] in ("&", "*")
        if reads and target["inner"][0]["kind"] == "DeclRefExpr":
            variable = fc.variables.get(target["inner"][0]["referencedDecl"]["id"])
            return variable.function if variable is not None else None
        if target["kind"] in ("ImplicitCastExpr", "ParenExpr", "SubstNonTypeTemplateParmExpr") or address:
            target = target["inner"][-1]
        else:
            break
    if target["kind"] == "DeclRefExpr" and target["referencedDecl"]["kind"] == "ParmVarDecl":  # a reference to one
        variable = fc.variables.get(target["referencedDecl"]["id"])
        return variable.function if variable is not None else None
    ref = target.get("referencedDecl")
    if target["kind"] == "MemberExpr" and target.get("referencedMemberDecl"):
        return {"id": target["referencedMemberDecl"], "kind": "CXXMethodDecl"}
    return ref if ref and ref["kind"] in ("FunctionDecl", "CXXMethodDecl") else None


def is_function_type(info: Mapping[str, str]) -> bool:
    """Tell whether a type is a pointer or reference to a function."""
    printed = info.get("desugaredQualType") or info["qualType"]
    return bool(re.search(r"\((?:\*|&|&&)(?: ?const)?\)\s*\(", printed))


def lower_argument(fc: FunctionContext, arg: Node, decl: Node, param: Node, loc: Loc | None) -> Expr:
    """Lower an argument; for a reference parameter that the IR passes as a pointer, its address."""
    from .expr import lower_expr
    from .objects import keep

    value = lower_expr(fc, arg)
    with fc.unit.records.within(decl):
        parsed = parse_type(param["type"], loc)
    if not parsed.reference or by_value(decl, param, parsed):
        return value
    if is_temporary(arg):
        value = keep(fc, value, param.get("name") or "value", loc)
    return address_of(fc, value, loc)


def is_temporary(node: Node) -> bool:
    """Tell whether an expression makes an object of its own, that of a reference bound to it."""
    while node["kind"] in ("ParenExpr", "ExprWithCleanups", "CXXDefaultArgExpr") and node.get("inner"):
        node = node["inner"][0]
    if node["kind"] == "ImplicitCastExpr" and node.get("castKind") == "NoOp":
        return is_temporary(node["inner"][0])
    return node["kind"] == "MaterializeTemporaryExpr"


def by_value(decl: Node, param: Node, parsed: ParsedType) -> bool:
    """Tell whether a reference parameter can be passed by value: a const one to what the function cannot change."""
    volatile = "volatile" in param["type"]["qualType"]
    return parsed.const and not isinstance(parsed.type, Array) and not volatile and not may_change(decl, param)


def coerce(value: Expr, t: Type) -> Expr:
    """Give a C truth value (an int there, a bool here) the type of the place it goes to."""
    if value.type == BOOL and isinstance(t, Scalar) and t not in (BOOL, VOID):
        return Convert(value, t, True, loc=value.loc)
    return value


def lower_construct(fc: FunctionContext, node: Node, loc: Loc | None) -> Expr:
    """Lower constructors and braced initialisers of vectors and scalars."""
    from .construction import construct
    from .expr import lower_expr
    from .operators import zero

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
        for v in flattened(fc, values, t, loc):
            items.append(coerce(v, t.elem))
        if len(items) > t.lanes:
            raise refuse("GP1102", f"{len(items)} values for a {t}", loc)
        items += [zero(t.elem, loc)] * (t.lanes - len(items))
        return MakeVector(tuple(items), t, loc=loc)
    if isinstance(t, Scalar) and len(values) == 1:
        return coerce(values[0], t)
    raise refuse("GP1102", f"an initialiser of type {t}", loc)
