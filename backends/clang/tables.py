"""Constant data outside functions: arrays with initialisers, and `__constant__` memory that the host fills."""

from __future__ import annotations

import dataclasses
import re
from typing import TYPE_CHECKING, cast

from ...ir.diagnostics import refuse
from ...ir.nodes import Call, Const, Declare, Expr, Function, MakeVector, Param, Var
from ...ir.types import Array, Pointer, Scalar, Space, Type, Vector, flat_elem
from ...ir.walk import rewrite_exprs, walk
from .constants import fold
from .context import FunctionContext, Unit, Variable
from .device_globals import is_device_global, is_fixed, parameter
from .records import Node
from .types import parse_type

if TYPE_CHECKING:
    from ...ir.nodes import Loc, Program


_CONST = re.compile(r"\bconst\b|\b(?:__)?constant\b|address_space\(2\)")


def reserve_names(fc: FunctionContext) -> None:
    """Keep the names of tables from the function's own variables, so that none hides one."""
    for decl in fc.unit.decls.values():
        if decl.get("kind") == "VarDecl" and (is_table(decl) or _by_host(decl) or is_device_global(decl)):
            fc.visible[0].add(decl["name"])


def is_table(decl: Node) -> bool:
    """Tell whether a declaration is an array of constants."""
    t: str = decl.get("type", {}).get("qualType", "")
    constant = "CUDAConstantAttr" in _attributes(decl) or _CONST.search(t) or decl.get("constexpr")
    return bool(constant) and "[" in t and "init" in decl


def _attributes(decl: Node) -> set[str]:
    return {c.get("kind", "") for c in decl.get("inner", ())}


def _by_host(decl: Node) -> bool:
    function_constant = re.match(r"constant \w+$", decl.get("type", {}).get("qualType", ""))  # of Metal
    return bool("CUDAConstantAttr" in _attributes(decl) or function_constant) and "init" not in decl


def table_reference(fc: FunctionContext, decl: Node, loc: Loc | None) -> Expr | None:
    """Return the variable that stands for constant data, declared in this function; None for other declarations."""
    fixed = is_device_global(decl) and is_fixed(fc.unit, decl)
    if is_device_global(decl) and not fixed:
        return parameter(fc, decl, loc)
    if not (is_table(decl) or _by_host(decl) or (fixed and "[" in decl["type"]["qualType"])):
        return None
    parsed = parse_type(decl["type"], fc.unit.loc(decl))
    t, name = parsed.type, decl["name"]
    if any(v.name == name for v in fc.variables.values()):
        raise refuse("GP1107", f"the constant {name}, where a variable has the same name", loc)
    if _by_host(decl):
        return _host_filled(fc, decl, t, loc)
    init = next((c for c in decl.get("inner", ()) if not c.get("kind", "").endswith("Attr")), None)
    if init is None or not isinstance(t, Array) or not isinstance(flat_elem(t), Scalar | Vector):
        raise refuse("GP1107", f"the constant {name} of type {t}", loc)
    items = tuple(_items(fc, init, t, loc))
    fc.tables[name] = Declare(name, t, None, Space.CONSTANT, True, items, loc=fc.unit.loc(decl))
    fc.variables[decl["id"]] = Variable(name, t, Space.CONSTANT)
    return Var(name, t, loc=loc)


def _items(fc: FunctionContext, node: Node, t: Type, loc: Loc | None) -> list[Expr]:
    """The constants of an initialiser, flat, with the zeros that it leaves out inside rows."""
    from .expr import lower_expr
    from .operators import zero

    if isinstance(t, Array):
        if node.get("kind") != "InitListExpr":
            raise refuse("GP1107", "an array initialiser of this form", loc)
        filler = node.get("array_filler")
        given: list[Node] = [c for c in (filler[1:] if filler else node.get("inner", ())) if c.get("kind")]
        out = [x for c in given for x in _items(fc, c, t.elem, loc)]
        leaf = flat_elem(t)
        missing = t.size // leaf.size - len(out) if isinstance(leaf, Scalar | Vector) else 0
        return out + [zero(leaf, loc)] * missing
    value = lower_expr(fc, node)
    parts = [_constant(i) for i in value.items] if isinstance(value, MakeVector) else [_constant(value)]
    if any(p is None for p in parts):
        raise refuse("GP1107", "an initialiser that is no constant", fc.unit.loc(node) or loc)
    if isinstance(value, MakeVector):
        return [dataclasses.replace(value, items=cast("tuple[Expr, ...]", tuple(parts)))]
    return [cast("Expr", parts[0])]


def _constant(e: Expr) -> Const | None:
    value = fold(e)
    return Const(value, e.type) if value is not None and isinstance(e.type, Scalar) else None


def _host_filled(fc: FunctionContext, decl: Node, t: Type, loc: Loc | None) -> Expr:
    """`__constant__` memory without a value, a function constant: a parameter that `add_host_parameters` hands down."""
    name = decl["name"]
    leaf = flat_elem(t)
    if not isinstance(leaf, Scalar | Vector) or isinstance(t, Pointer):
        raise refuse("GP1107", f"the constant {name} of type {t}, filled by the host", loc)
    if isinstance(t, Array) and isinstance(t.elem, Array):
        raise refuse("GP1107", f"the nested array {name}, filled by the host", loc)
    passed: Type = Pointer(leaf, Space.GLOBAL, const=True) if isinstance(t, Array) else t
    fc.unit.host_constants[name] = Param(name, passed, loc=fc.unit.loc(decl))
    fc.variables[decl["id"]] = Variable(name, passed, Space.PRIVATE)
    return Var(name, passed, loc=loc)


def add_host_parameters(program: Program, unit: Unit) -> Program:
    """Make the constants that the host fills parameters of the kernel and of the functions that need them."""
    constants = unit.host_constants
    if not constants:
        return program
    needs: dict[str, list[Param]] = {}
    functions: list[Function] = []
    for f in (*program.functions, program.kernel):
        mentioned = {x.name for x in walk(f.body) if isinstance(x, Var)} & constants.keys()
        for x in walk(f.body):
            if isinstance(x, Call):
                mentioned |= {p.name for p in needs.get(x.function, ())}
        own = {p.name: p.loc for p in f.params} | {s.name: s.loc for s in walk(f.body) if isinstance(s, Declare)}
        for name in sorted(mentioned & own.keys()):
            raise refuse("GP1107", f"the constant {name}, where a variable has the same name", own[name])
        kernel = f is program.kernel
        mine = [p for name, p in constants.items() if name in mentioned]
        if not kernel:
            needs[f.name] = mine

        def pass_on(e: Expr) -> Expr:
            if isinstance(e, Call) and needs.get(e.function):
                return dataclasses.replace(e, args=(*e.args, *(Var(p.name, p.type) for p in needs[e.function])))
            return e

        new = rewrite_exprs(f, pass_on)
        functions.append(dataclasses.replace(new, params=(*f.params, *mine)))
    return dataclasses.replace(program, functions=tuple(functions[:-1]), kernel=functions[-1])
