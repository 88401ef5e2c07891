"""Objects of structs, functors and lambdas: what an expression's object is, and its members.

A struct without pointers is a value of the IR. Closures, empty functors and structs that hold pointers are taken apart:
each of their members is a variable of its own, and a function that takes such an object takes its members.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...ir.diagnostics import refuse
from ...ir.nodes import AddressOf, Call, Declare, Deref, Expr, Field, Loc, Var
from ...ir.types import Array, Pointer, Struct
from .context import FunctionContext
from .pointers import is_memory
from .records import Node, Record
from .types import parse_type, split_record

if TYPE_CHECKING:
    from collections.abc import Iterator

_SKIPPED = {
    "ParenExpr", "ExprWithCleanups", "MaterializeTemporaryExpr", "ConstantExpr", "CXXBindTemporaryExpr",
    "CXXDefaultArgExpr",
}  # fmt: skip


@dataclass(frozen=True)
class Capture:
    """A variable that a lambda captures: its declaration's id, its name, whether by reference."""

    key: str
    name: str
    by_reference: bool


@dataclass(frozen=True)
class Parts:
    """An object taken apart: what its members hold, by name (of a closure by the captured declaration's id)."""

    record: Record
    values: dict[str, Expr | Parts]

    def flat(self) -> Iterator[Expr]:
        """Yield the values one after the other, as a function takes them."""
        for value in self.values.values():
            if isinstance(value, Parts):
                yield from value.flat()
            else:
                yield value


def plain(node: Node) -> Node:
    """Return a node without parentheses, temporaries and casts that change nothing."""
    while node["kind"] in _SKIPPED or (
        node["kind"] in ("ImplicitCastExpr", "CXXFunctionalCastExpr", "CXXStaticCastExpr", "CStyleCastExpr")
        and node.get("castKind") in ("NoOp", "LValueToRValue", "ConstructorConversion")
    ):
        if not node.get("inner"):
            return node
        node = node["inner"][0]
    return node


def find_parts(fc: FunctionContext, node: Node) -> Parts | None:
    """Return the object that an expression gives if it is one that is taken apart, else None."""
    from .closures import closure
    from .construction import construct_parts

    node = plain(node)
    loc = fc.unit.loc(node)
    match node["kind"]:
        case "DeclRefExpr":
            variable = fc.variables.get(node["referencedDecl"]["id"])
            return variable.parts if variable is not None else None
        case "CXXThisExpr":
            return fc.this if isinstance(fc.this, Parts) else None
        case "UnaryOperator" if node["opcode"] == "*" and plain(node["inner"][0])["kind"] == "CXXThisExpr":
            return fc.this if isinstance(fc.this, Parts) else None
        case "MemberExpr":
            base = find_parts(fc, node["inner"][0])
            value = base.values.get(_member_name(fc, node)) if base is not None else None
            return value if isinstance(value, Parts) else None
        case "LambdaExpr":
            return closure(fc, node, loc)
        case "InitListExpr" | "CXXConstructExpr" | "CXXTemporaryObjectExpr" | "CXXScalarValueInitExpr":
            record = split_record(node["type"])
            return construct_parts(fc, node, record, loc) if record is not None else None
        case _:
            record = split_record(node["type"])
            if record is None:
                return None
            if node["kind"] in ("CallExpr", "CXXMemberCallExpr") and not record.fields and _from_header(fc, node, loc):
                return Parts(record, {})
            raise refuse("GP1102", "an object that holds pointers, from an expression of this form", loc)


def pointed_parts(fc: FunctionContext, node: Node) -> Parts | None:
    """Return the object of our headers, which holds nothing, whose address an expression is; else None."""
    node = plain(node)
    if node["kind"] != "UnaryOperator" or node["opcode"] != "&":
        return None
    record = split_record(node["inner"][0]["type"])
    if record is None or record.fields or not fc.unit.in_header(record.node):
        return None
    return find_parts(fc, node["inner"][0])


def _from_header(fc: FunctionContext, node: Node, loc: Loc | None) -> bool:
    """Tell whether a function of our headers makes an object that holds nothing; refuses what the table does."""
    from .handlers import refused

    target = plain(node["inner"][0])
    while target["kind"] == "ImplicitCastExpr":
        target = target["inner"][0]
    if target["kind"] == "MemberExpr":
        return fc.unit.in_header(fc.unit.records.methods.get(target.get("referencedMemberDecl", ""), {}))
    decl = fc.unit.decls.get(target.get("referencedDecl", {}).get("id", ""), {})
    handler = fc.unit.language.calls.get(fc.unit.qualified(decl))
    if isinstance(handler, refused) and not any(c.get("kind") == "CompoundStmt" for c in decl.get("inner", ())):
        raise refuse("GP1104", f"{decl['name']}: {handler.why}", loc)
    return bool(decl) and fc.unit.in_header(decl)


def _member_name(fc: FunctionContext, node: Node) -> str:
    return str(fc.unit.records.field_names.get(node.get("referencedMemberDecl", ""), node.get("name", "")))


def member(fc: FunctionContext, node: Node, loc: Loc | None) -> Expr | None:
    """Lower a member access on a struct or on an object that is taken apart; None where the base is neither."""
    from .expr import lower_expr
    from .references import reference

    base_node: Node = node["inner"][0]
    static = fc.unit.records.statics.get(node.get("referencedMemberDecl", ""))
    if static is not None and base_node["kind"] in ("DeclRefExpr", "CXXThisExpr"):  # `v.size`, of the type alone
        return reference(fc, {**node, "referencedDecl": static}, loc)
    name = _member_name(fc, node)
    parts = find_parts(fc, base_node) if split_record(object_type(base_node)) is not None else None
    if parts is not None:
        value = parts.values.get(name)
        if value is None or isinstance(value, Parts):
            raise refuse("GP1102", f"the member {name} of {parts.record.name} in this place", loc)
        return value
    if parse_type(object_type(base_node), loc).type.__class__ is not Struct:
        return None
    base = lower_expr(fc, base_node)
    if isinstance(base.type, Pointer):
        base = base.memory if isinstance(base, AddressOf) else Deref(base, base.type.elem, loc=loc)
    if not isinstance(base.type, Struct):
        return None
    found = base.type.member(name)
    if found is None:
        raise refuse("GP1102", f"the member {name} of {base.type}", loc)
    if isinstance(found.type, Array) and not is_memory(base):
        base = keep(fc, base, "value", loc)
    return Field(base, name, found.type, loc=loc)


def object_type(node: Node) -> dict[str, Any]:
    """Return the type of an object expression; of a pointer to one, what it points to."""
    info = node["type"]
    printed = str(info.get("desugaredQualType") or info["qualType"]).rstrip()
    for end in ("*", "*const", "* const", "*__restrict", "*const __restrict"):
        if printed.endswith(end):
            return {"qualType": printed[: -len(end)]}
    return info


def keep(fc: FunctionContext, value: Expr, name: str, loc: Loc | None) -> Expr:
    """Put a value into a variable before the statement at hand and return the variable."""
    kept = fc.unique(name)
    fc.before.append(Declare(kept, value.type, value, const=not isinstance(value.type, Pointer | Struct), loc=loc))
    return Var(kept, value.type, loc=loc)


def called(e: Expr) -> Expr:
    """Return the call behind `*f(x)`, where a function returns a reference."""
    return e.pointer if isinstance(e, Deref) and isinstance(e.pointer, Call) else e
