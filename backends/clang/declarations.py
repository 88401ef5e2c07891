"""Local declarations."""

from __future__ import annotations

import dataclasses

from ...ir.diagnostics import Refusal, refuse
from ...ir.nodes import (
    Const,
    Declare,
    Expr,
    Loc,
    Stmt,
)  # fmt: skip
from ...ir.types import VOID, Array, Pointer, Scalar, Space, Struct, Type, flat_elem
from .addresses import is_address
from .calls import coerce, is_temporary
from .constants import fold
from .construction import initial, is_default
from .context import FunctionContext, Variable
from .expr import lower_expr
from .object_params import declare_object
from .objects import keep
from .operators import zero
from .pointers import address_of
from .records import Node
from .tables import is_table, table_reference
from .types import ParsedType, parse_type, split_record

_WITHOUT_CODE = {
    "TypedefDecl", "TypeAliasDecl", "StaticAssertDecl", "UsingDecl", "EmptyDecl", "CXXRecordDecl", "RecordDecl",
}  # fmt: skip


def declare_or_poison(fc: FunctionContext, node: Node) -> list[Stmt]:
    """Lower a declaration; where it is refused, the uses of its name are not worth a diagnostic each."""
    try:
        return _declare(fc, node)
    except Refusal:
        if "id" in node:
            fc.variables[node["id"]] = Variable(node.get("name", ""), VOID, Space.PRIVATE, poisoned=True)
        raise


def _declare(fc: FunctionContext, node: Node) -> list[Stmt]:
    kind = node.get("kind")
    loc = fc.unit.loc(node)
    if kind == "EnumDecl":
        fc.unit.enums.update({c["id"]: node for c in node.get("inner", ()) if "id" in c})
        return []
    if kind in _WITHOUT_CODE:
        return []
    if kind == "DecompositionDecl":
        return _decompose(fc, node, loc)
    if kind != "VarDecl":
        raise refuse("GP1107", f"a declaration of kind {kind}", loc)
    attrs = {c.get("kind") for c in node.get("inner", ())}
    record = split_record(node["type"])
    if record is not None:
        written = [c for c in node.get("inner", ()) if not c.get("kind", "").endswith("Attr")] if "init" in node else []
        return declare_object(fc, node, written[0] if written else None, record, loc)
    parsed = parse_type(node["type"], loc)
    shared = "CUDASharedAttr" in attrs or (parsed.space is Space.SHARED and not isinstance(parsed.type, Pointer))
    if shared:
        written = [c for c in node.get("inner", ()) if not c.get("kind", "").endswith("Attr")]
        if "init" in node and not is_default(fc, written[0]):
            raise refuse("GP1107", f"an initialiser of the shared variable {node['name']}", loc)
        name, volatile = fc.declare(node, parsed, Space.SHARED).name, "volatile" in node["type"]["qualType"]
        return [Declare(name, parsed.type, None, Space.SHARED, volatile=volatile, loc=loc)]
    if node.get("storageClass") == "static" and is_table(node) and table_reference(fc, node, loc) is not None:
        return []
    if node.get("storageClass") == "static" and "const" not in node["type"]["qualType"]:
        raise refuse("GP1107", f"the static variable {node['name']}", loc)
    if "CUDAConstantAttr" in attrs and not node.get("constexpr"):
        raise refuse("GP1107", f"the constant variable {node['name']} inside a function", loc)
    init = (
        next((c for c in node.get("inner", ()) if not c.get("kind", "").endswith("Attr")), None)
        if "init" in node
        else None
    )
    if parsed.reference:
        return [_declare_reference(fc, node, parsed, init, loc)]
    if isinstance(parsed.type, Array):
        items = _array_items(fc, parsed.type, init, loc) if init and not is_default(fc, init) else None
        return [Declare(fc.declare(node, parsed, Space.PRIVATE).name, parsed.type, items=items, loc=loc)]
    value = lower_expr(fc, init) if init and not is_default(fc, init) else None
    if value is not None:
        value = coerce(value, parsed.type)
        parsed.type = value.type if is_address(value, parsed.type) else _pointer_space(parsed.type, value)
    if value is not None and value.type != parsed.type and not isinstance(parsed.type, Pointer):
        raise refuse("GP1102", f"a value of type {value.type} for {node['name']} of type {parsed.type}", loc)
    if isinstance(parsed.type, Pointer) and value is not None and isinstance(value.type, Pointer):
        _check_pointers(parsed.type, value.type, node["name"], loc)
    const = (
        parsed.const if not isinstance(parsed.type, Pointer) else node["type"]["qualType"].rstrip().endswith("const")
    )
    variable = fc.declare(node, parsed, Space.PRIVATE)
    if parsed.const and value is not None and isinstance(parsed.type, Scalar):
        known = fold(fc.with_known(value))
        variable.known = Const(known, parsed.type) if known is not None else None
    return [Declare(variable.name, parsed.type, value, const=const and value is not None, loc=loc)]


def _check_pointers(t: Pointer, given: Pointer, name: str, loc: Loc | None) -> None:
    if t.elem != given.elem and isinstance(t.elem, Struct) and isinstance(given.elem, Struct):
        raise refuse("GP1103", f"{name}: a pointer to {given.elem} for one to {t.elem}", loc)


def _decompose(fc: FunctionContext, node: Node, loc: Loc | None) -> list[Stmt]:
    """Lower `auto [a, b] = pair;`: the object, whose members the names stand for."""
    parts = [c for c in node.get("inner", ()) if c.get("kind") == "BindingDecl"]
    whole = {
        **node,
        "kind": "VarDecl",
        "name": "_".join([c["name"] for c in parts]),
        "inner": [c for c in node["inner"] if c.get("kind") != "BindingDecl"],
    }
    declared = _declare(fc, whole)
    for c in parts:
        if not c.get("inner"):
            raise refuse("GP1107", "names bound to what is neither an array nor a struct", loc)
        value = lower_expr(fc, c["inner"][-1])
        fc.variables[c["id"]] = Variable(c["name"], value.type, Space.PRIVATE, value=value)
    return declared


def _pointer_space(t: Type, value: Expr) -> Type:
    """Give a local pointer the space of its initialiser; where that is generic, the pass `spaces` finds it."""
    if isinstance(t, Pointer) and t.space is Space.GENERIC and isinstance(value.type, Pointer):
        return dataclasses.replace(t, space=value.type.space)
    return t


def _declare_reference(fc: FunctionContext, node: Node, parsed: ParsedType, init: Node | None, loc: Loc | None) -> Stmt:
    if isinstance(parsed.type, Array) and init is not None:  # where the array begins
        value = lower_expr(fc, init)
        pointer = value if isinstance(value.type, Pointer) else address_of(fc, value, loc)
        variable = fc.declare(node, ParsedType(pointer.type), Space.PRIVATE)
        return Declare(variable.name, pointer.type, pointer, const=True, loc=loc)
    if init is None or isinstance(parsed.type, Array | Pointer):
        raise refuse("GP1107", f"the reference {node['name']}", loc)
    value = lower_expr(fc, init)
    if is_temporary(init):
        value = keep(fc, value, node["name"], loc)
    pointer = address_of(fc, value, loc)
    assert isinstance(pointer.type, Pointer)
    t = Pointer(parsed.type, pointer.type.space, const=parsed.const)
    variable = fc.declare(node, ParsedType(t, None, True, True), Space.PRIVATE)
    return Declare(variable.name, t, pointer, const=True, loc=loc)


def _array_items(fc: FunctionContext, t: Array, init: Node, loc: Loc | None) -> tuple[Expr, ...]:
    """Lower an array's initialiser to a flat list, rows filled up with zeros; a missing end is zero anyway."""
    leaf = flat_elem(t)
    if isinstance(leaf, Pointer) or (isinstance(t.elem, Array) and isinstance(leaf, Struct)):
        raise refuse("GP1107", "an array initialiser of this form", loc)
    items: list[Expr] = []
    if init["kind"] != "ImplicitValueInitExpr":
        if init["kind"] != "InitListExpr":
            raise refuse("GP1107", "an array initialiser of this form", loc)
        filler = init.get("array_filler")  # the first of these fills, the others are what is written
        for child in filler[1:] if filler else init.get("inner", ()):
            if isinstance(t.elem, Array):
                row = _array_items(fc, t.elem, child, loc)
                items += [*row, *[zero(leaf, loc)] * (t.elem.size // leaf.size - len(row))]
            elif child["kind"] == "ImplicitValueInitExpr":
                items.append(zero(leaf, loc))
            else:
                items.append(coerce(initial(fc, child, t.elem, loc), t.elem))
    return tuple(items) or (zero(leaf, loc),)
