"""Names that an expression mentions: variables, enumerators, constants."""

from __future__ import annotations

import dataclasses

from ...ir.diagnostics import Refusal, refuse
from ...ir.nodes import (
    Const,
    Deref,
    Expr,
    Loc,
    MakeVector,
    Var,
)  # fmt: skip
from ...ir.types import BOOL, I32, Pointer, Scalar, Vector
from .constants import fold, wrap
from .context import FunctionContext
from .device_globals import is_device_global
from .names import enumerator_values, underlying
from .records import Node
from .tables import table_reference
from .types import parse_type


def template_value(fc: FunctionContext, inner: list[Node], loc: Loc | None) -> Expr:
    """Lower a template parameter that an argument stands for."""
    from .expr import lower_expr

    value = lower_expr(fc, inner[-1])
    name = inner[0].get("name") if len(inner) > 1 else None
    if isinstance(value, Const) and name:
        return dataclasses.replace(value, name=name)
    return value


def reference(fc: FunctionContext, node: Node, loc: Loc | None) -> Expr:
    """Lower a name: a variable, a built-in one, an enumerator, a constant."""
    from .expr import lower_expr

    ref: Node = node["referencedDecl"]
    variable = fc.variables.get(ref["id"])
    if variable is not None:
        if variable.parts is not None:
            raise refuse("GP1102", f"{variable.name}, which is a lambda or holds pointers, in this place", loc)
        if variable.poisoned:
            raise Refusal(())
        if variable.value is not None:
            return variable.value
        if variable.reference:
            assert isinstance(variable.type, Pointer)
            return Deref(Var(variable.name, variable.type, loc=loc), variable.type.elem, loc=loc)
        return Var(variable.name, variable.type, loc=loc)
    decl = fc.unit.decls.get(ref["id"]) or fc.unit.records.statics.get(ref["id"], ref)
    name = ref.get("name", "")
    if ref["kind"] == "EnumConstantDecl":
        return _enumerator(fc, ref["id"], name, loc)
    if ref["kind"] == "ParmVarDecl" and name in fc.unit.language.variables:
        builtin = fc.unit.language.variables[name]
        t = parse_type(ref["type"], loc).type
        if isinstance(t, Vector):
            # handed whole to a device function
            return MakeVector(tuple(builtin(axis) for axis in range(t.lanes)), t, loc=loc)
        return dataclasses.replace(builtin(0), loc=loc)
    if ref["kind"] in ("VarDecl", "VarTemplateSpecializationDecl"):
        builtin = fc.unit.language.variables.get(name)
        if builtin is not None:
            return builtin(0)
        if ref["id"] in fc.unit.shared_globals:
            raise refuse("GP1107", f"the global shared array {name} used in a device function", loc)
        table = table_reference(fc, decl, loc)
        if table is not None:
            return table
        attrs = {c.get("kind") for c in decl.get("inner", ())}
        t = decl.get("type", {}).get("qualType", "")
        init = next(
            (c for c in decl.get("inner", ()) if not c.get("kind", "").endswith(("Attr", "TemplateArgument"))), None
        )
        fixed = "const" in t or decl.get("constexpr") or "CUDAConstantAttr" in attrs
        if init is not None and (fixed or is_device_global(decl)):  # of which only the fixed come here
            same = _same_types(fc, decl, init)
            given = lower_expr(fc, init) if same is None else Const(same, BOOL, loc=loc)
            value = fold(given)
            parsed = parse_type(decl["type"], loc).type
            if value is not None and isinstance(parsed, Scalar):
                return Const(wrap(value, parsed), parsed, name, loc=loc)
            if decl.get("constexpr") and given.type == parsed:
                return given  # a constant that only its function computes, or of several parts
        raise refuse("GP1107", f"the global variable {name}", loc)
    raise refuse("GP1102", f"the use of {name} ({ref['kind']})", loc)


def _same_types(fc: FunctionContext, decl: Node, init: Node) -> bool | None:
    """Whether two arguments of a variable template are one type, where it asks that (`std::is_same_v`); None elsewhere.

    clang prints no value of the question, but has one node for each type.
    """
    if init.get("kind") != "TypeTraitExpr" or fc.unit.token(init["range"]["begin"]) != "__is_same":
        return None
    given = [c["inner"][0]["id"] for c in decl["inner"] if c.get("kind") == "TemplateArgument" and c.get("inner")]
    asked = [o.get("index", len(given)) for o in init.get("inner", ()) if o.get("kind") == "SubstTemplateTypeParmType"]
    if len(asked) != 2 or max(asked) >= len(given):
        return None
    return bool(given[asked[0]] == given[asked[1]])


def _enumerator(fc: FunctionContext, key: str, name: str, loc: Loc | None) -> Const:
    """Return an enumerator: its value, in the type of its enumeration's values (in C, int)."""
    enum = fc.unit.enums.get(key) or fc.unit.records.enumerations.get(key)
    value = enumerator_values(enum or {}).get(key)
    if enum is None or value is None:
        raise refuse("GP1102", f"the value of the enumerator {name}", loc)
    scalar = I32 if fc.unit.language.name == "opencl" else parse_type({"qualType": underlying(enum)}, loc).type
    if not isinstance(scalar, Scalar) or wrap(value, scalar) != value:
        raise refuse("GP1103", f"the enumerator {name}, which is {value}", loc)
    return Const(value, scalar, name, loc=loc)
