"""Member functions: their object, their names."""

from __future__ import annotations

from typing import Any

from ...ir.diagnostics import refuse
from ...ir.nodes import AddressOf, Deref, Expr, Loc, Param, Var
from ...ir.types import Pointer
from .context import FunctionContext
from .objects import Parts, find_parts, keep, object_type
from .pointers import address_of, is_memory
from .records import Node, Record, layout, plain_name
from .types import split_record


def self_param(context: FunctionContext, record: Record, decl: Node, loc: Loc | None) -> Param:
    """Declare the object of a member function: by value where the function is const, else a pointer to it."""
    t = layout(context.unit.records, record, loc)
    name = context.unique("self")
    if is_const_method(decl):
        context.this = Var(name, t, loc=loc)
        return Param(name, t, loc=loc)
    pointer = Pointer(t, context.unit.language.default_space)
    context.this = Deref(Var(name, pointer, loc=loc), t, loc=loc)
    return Param(name, pointer, loc=loc)


def is_const_method(decl: Node) -> bool:
    """Tell whether a member function leaves its object alone."""
    text = str(decl["type"]["qualType"]).split("->")[0]
    return " const" in text[text.rfind(")") :]


def this(fc: FunctionContext, loc: Loc | None) -> Expr:
    """Lower `this`."""
    if fc.this is None or isinstance(fc.this, Parts):
        raise refuse("GP1102", "'this' in this place", loc)
    return address_of(fc, fc.this, loc)


def object_argument(fc: FunctionContext, decl: Node, node: Node, arrow: bool, loc: Loc | None) -> list[Expr]:
    """Lower the object of a member function's call to the arguments that stand for it."""
    from .expr import lower_expr

    record = fc.unit.records.owners[decl["id"]]
    parts = find_parts(fc, node) if split_record(object_type(node)) is not None else None
    if parts is not None:
        if not is_const_method(decl) and parts.values and not record.closure:
            raise refuse("GP1102", f"{record.name}, which holds pointers, changed by a member function", loc)
        return list(parts.flat())
    value = lower_expr(fc, node)
    if arrow or isinstance(value.type, Pointer):
        if is_const_method(decl) and isinstance(value.type, Pointer):
            return [value.memory if isinstance(value, AddressOf) else Deref(value, value.type.elem, loc=loc)]
        return [value]
    if is_const_method(decl):
        return [value]
    if not is_memory(value):
        value = keep(fc, value, "object", loc)
    return [address_of(fc, value, loc)]


def method_name(unit: Any, decl: Node, record: Record) -> str:
    """Return a name for a member function: `Vec3_dot`, `Plus_call`; of a closure, the variable that it is kept in."""
    if record.closure:
        return unit.closure_names.get(record.node["id"], "lambda")
    base = record.struct.name if record.struct is not None else plain_name(unit.records, record)
    if decl["kind"] == "CXXConstructorDecl":
        return f"{base}_make"
    name = str(decl["name"])
    if name.startswith("operator"):
        name = _OPERATORS.get(name[len("operator") :].strip(), "op")
    return f"{base}_{name}"


_OPERATORS = {
    "()": "call", "[]": "at", "+": "add", "-": "sub", "*": "mul", "/": "div", "%": "mod", "+=": "add_to",
    "-=": "sub_from", "*=": "mul_by", "/=": "div_by", "==": "equal", "!=": "differs", "<": "less", ">": "greater",
    "<=": "at_most", ">=": "at_least", "=": "assign", "++": "next", "--": "previous", "!": "not", "~": "complement",
    "&": "and", "|": "or", "^": "xor", "<<": "shl", ">>": "shr", "->": "arrow",
}  # fmt: skip


def operator_word(name: str) -> str:
    """Return a word for an operator function that is no member: `op_add` for `operator+`."""
    return "op_" + _OPERATORS.get(name[len("operator") :].strip(), "other")
