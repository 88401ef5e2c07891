"""`__device__` variables outside functions: data that never changes, or a parameter more of the kernel.

One launch is what is ported. A variable that no function writes is its initialiser; without one, the host fills it. One
that is written keeps its value between launches in CUDA: it becomes a buffer of its own, which the spec's `[args]` has
to name, with what it holds before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...ir.diagnostics import refuse
from ...ir.nodes import Deref, Param, Var
from ...ir.types import Array, Pointer, Scalar, Space, Vector, flat_elem
from .context import Variable
from .types import parse_type

if TYPE_CHECKING:
    from ...ir.nodes import Expr, Loc
    from .context import FunctionContext, Unit
    from .records import Node

_PLACES = ("ParenExpr", "ArraySubscriptExpr", "MemberExpr")


def is_device_global(decl: Node) -> bool:
    """Tell whether a declaration is a variable in device memory that may be written."""
    attrs = {c.get("kind", "") for c in decl.get("inner", ())}
    t: str = decl.get("type", {}).get("qualType", "")
    fixed = t.startswith("const ") or decl.get("constexpr") or t.endswith("const")
    return decl.get("kind") == "VarDecl" and "CUDADeviceAttr" in attrs and not fixed and not _implicit(attrs)


def _implicit(attrs: set[str]) -> bool:
    return bool(attrs & {"CUDAConstantAttr", "CUDASharedAttr"})


def is_fixed(unit: Unit, decl: Node) -> bool:
    """Tell whether a variable has an initialiser and no function of the unit may change it."""
    return "init" in decl and decl["id"] not in written(unit)


def written(unit: Unit) -> set[str]:
    """Return the ids of the variables that some function mentions for more than their value."""
    if unit.written is None:
        unit.written = set()
        stack: list[tuple[Node, bool]] = [(unit.ast, False)]  # a node, and whether only its value is taken
        while stack:
            node, read = stack.pop()
            kind = node.get("kind", "")
            if kind == "DeclRefExpr" and not read and "id" in node.get("referencedDecl", {}):
                unit.written.add(node["referencedDecl"]["id"])
            inner = node.get("inner", ())
            decays = kind == "ImplicitCastExpr" and node.get("castKind") == "ArrayToPointerDecay" and read
            reads = kind == "ImplicitCastExpr" and node.get("castKind") == "LValueToRValue"
            for i, child in enumerate(inner):  # the subscript itself is a value of its own
                place = kind in _PLACES and read and i == 0
                stack.append((child, reads or decays or place))
    return unit.written


def parameter(fc: FunctionContext, decl: Node, loc: Loc | None) -> Expr:
    """Return the parameter that stands for a variable, which `add_host_parameters` hands down."""
    name = decl["name"]
    t = parse_type(decl["type"], fc.unit.loc(decl)).type
    leaf = flat_elem(t)
    if "volatile" in decl["type"]["qualType"]:
        raise refuse("GP1107", f"the volatile global variable {name}", loc)
    if not isinstance(leaf, Scalar | Vector):
        raise refuse("GP1107", f"the global variable {name} of type {t}", loc)
    if isinstance(t, Array) and isinstance(t.elem, Array):
        raise refuse("GP1107", f"the nested global array {name}", loc)
    passed = Pointer(leaf, Space.GLOBAL, const=decl["id"] not in written(fc.unit))
    fc.unit.host_constants[name] = Param(name, passed, loc=fc.unit.loc(decl))
    whole = Var(name, passed, loc=loc)
    if isinstance(t, Array):
        fc.variables[decl["id"]] = Variable(name, passed, Space.PRIVATE)
        return whole
    value = Deref(whole, leaf, loc=loc)
    fc.variables[decl["id"]] = Variable(name, leaf, Space.PRIVATE, value=value)
    return value
