"""Parameters and variables that are objects taken apart, and a kernel's structs, as a variable for each member."""

from __future__ import annotations

import dataclasses

from ...ir.diagnostics import refuse
from ...ir.nodes import Aggregate, Declare, Expr, Loc, Param, Stmt, Var
from ...ir.types import BOOL, Array, Pointer, Scalar, Space, Struct, Type, Vector
from .construction import field_type
from .context import FunctionContext, Variable
from .objects import Parts, find_parts
from .records import Node, Record
from .types import ParsedType, split_record


def formal_parts(context: FunctionContext, record: Record, node: Node, actual: Parts | None) -> list[Param]:
    """Declare the variables that stand for an object parameter (or `this`) that is taken apart."""
    loc = context.unit.loc(node)
    params: list[Param] = []
    prefix = node.get("name", "") if node.get("kind") == "ParmVarDecl" else ""
    parts = _declare_parts(context, record, prefix, loc, actual, params)
    if node.get("kind") == "ParmVarDecl":
        if node["type"]["qualType"].rstrip().endswith("&"):
            context.frozen.update(p.name for p in params)
        context.variables[node["id"]] = Variable(node.get("name", ""), BOOL, Space.PRIVATE, parts=parts)
    else:
        context.this = parts
    return params


def _declare_parts(
    context: FunctionContext,
    record: Record,
    prefix: str,
    loc: Loc | None,
    actual: Parts | None,
    params: list[Param],
    *,
    kernel: bool = False,
) -> Parts:
    values: dict[str, Expr | Parts] = {}
    if record.closure:
        captures = context.unit.closures.get(record.node["id"])
        if captures is None or actual is None:
            raise refuse("GP1102", "a lambda from elsewhere", loc)
        for c in captures:
            given = actual.values[c.key]
            if isinstance(given, Parts):
                inner = _declare_parts(context, given.record, c.name, loc, given, params)
                values[c.key] = inner
                context.variables[c.key] = Variable(c.name, BOOL, Space.PRIVATE, parts=inner)
                continue
            t = _generic(context, given.type)
            name = context.unique(c.name)
            params.append(Param(name, t, loc=loc))
            values[c.key] = Var(name, t, loc=loc)
            context.variables[c.key] = Variable(name, t, Space.PRIVATE, c.by_reference)
        return Parts(record, values)
    for f in record.fields:
        field_name = record.field_name(f)
        inner_record = split_record(f["type"])
        full = f"{prefix}_{field_name}" if prefix else field_name
        if inner_record is not None:
            given = actual.values.get(field_name) if actual is not None else None
            shape = given if isinstance(given, Parts) else None
            values[field_name] = _declare_parts(context, inner_record, full, loc, shape, params, kernel=kernel)
            continue
        t = _generic(context, field_type(context, f, loc))
        if kernel and isinstance(t, Pointer):
            t = dataclasses.replace(t, space=Space.GLOBAL)
        name = context.unique(full)
        params.append(Param(name, t, loc=loc))
        values[field_name] = Var(name, t, loc=loc)
    return Parts(record, values)


def _generic(context: FunctionContext, t: Type) -> Type:
    if isinstance(t, Pointer) and context.unit.language.default_space is Space.GENERIC:
        return dataclasses.replace(t, space=Space.GENERIC)
    return t


def kernel_parts(
    context: FunctionContext, node: Node, record: Record | None, t: Type
) -> tuple[list[Param], list[Stmt]]:
    """Declare a struct parameter of a kernel: a parameter for each member (`p_scale` for `p.scale`).

    Returns the parameters, and the statements that put a struct together from them.
    """
    loc = context.unit.loc(node)
    params: list[Param] = []
    name = node.get("name", "object")
    if record is not None:
        parts = _declare_parts(context, record, name, loc, None, params, kernel=True)
        context.variables[node["id"]] = Variable(name, BOOL, Space.PRIVATE, parts=parts)
        flat = [_flat_param(context, p, params) for p in list(params)]
        return params, [s for s in flat if s is not None]
    value = _from_params(context, t, name, loc, params)
    variable = context.declare(node, ParsedType(t), Space.PRIVATE)
    return params, [Declare(variable.name, t, value, loc=loc)]


def _flat_param(context: FunctionContext, p: Param, params: list[Param]) -> Stmt | None:
    """Put a struct, vector or array inside a struct with pointers together from parameters of its own."""
    at = params.index(p)
    if isinstance(p.type, Scalar | Pointer):
        return None
    own: list[Param] = []
    value = _from_params(context, p.type, p.name, p.loc, own)
    params[at : at + 1] = own
    if isinstance(p.type, Array):
        return Declare(p.name, p.type, items=tuple(Var(q.name, q.type, loc=p.loc) for q in own), loc=p.loc)
    return Declare(p.name, p.type, value, loc=p.loc)


def _from_params(context: FunctionContext, t: Type, name: str, loc: Loc | None, params: list[Param]) -> Expr:
    from ...ir.nodes import MakeVector

    if isinstance(t, Scalar):
        own = context.unique(name)
        params.append(Param(own, t, loc=loc))
        return Var(own, t, loc=loc)
    if isinstance(t, Vector):
        items = [_from_params(context, t.elem, f"{name}_{'xyzw'[i]}", loc, params) for i in range(t.lanes)]
        return MakeVector(tuple(items), t, loc=loc)
    if isinstance(t, Array):
        elements = [_from_params(context, t.elem, f"{name}_{i}", loc, params) for i in range(t.length)]
        return Aggregate(tuple(elements), t, loc=loc)
    if isinstance(t, Struct) and not t.union:
        members = [_from_params(context, m.type, f"{name}_{m.name}", loc, params) for m in t.members]
        return Aggregate(tuple(members), t, loc=loc)
    raise refuse("GP1103", f"the kernel parameter {name} of type {t}", loc)


def declare_object(fc: FunctionContext, node: Node, init: Node | None, record: Record, loc: Loc | None) -> list[Stmt]:
    """Declare a local object that is taken apart: a variable for each member that is not a plain constant."""
    name = node.get("name", "object")
    if init is None:
        if record.fields:
            raise refuse("GP1107", f"{name}, which holds pointers, without an initialiser", loc)
        parts: Parts | None = Parts(record, {})
    else:
        parts = find_parts(fc, init)
    if parts is None:
        raise refuse("GP1102", f"the initialiser of {name}", loc)
    if parts.record.closure:
        fc.variables[node["id"]] = Variable(name, BOOL, Space.PRIVATE, parts=parts)
        fc.unit.closure_names.setdefault(parts.record.node["id"], name)
        return []
    out: list[Stmt] = []

    def own(part: Parts, prefix: str) -> Parts:
        values: dict[str, Expr | Parts] = {}
        for key, value in part.values.items():
            if isinstance(value, Parts):
                values[key] = value if value.record.closure else own(value, f"{prefix}_{key}")
                continue
            local = fc.unique(f"{prefix}_{key}")
            out.append(Declare(local, value.type, value, loc=loc))
            values[key] = Var(local, value.type, loc=loc)
            key_id = f"{node['id']}.{prefix}.{key}"
            fc.variables[key_id] = Variable(local, value.type, Space.PRIVATE)
        return Parts(part.record, values)

    fc.variables[node["id"]] = Variable(name, BOOL, Space.PRIVATE, parts=own(parts, name))
    return out
