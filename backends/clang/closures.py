"""Lambdas: what they capture."""

from __future__ import annotations

from ...ir.diagnostics import refuse
from ...ir.nodes import Const, Expr, Loc, Var
from ...ir.types import Array
from .construction import references
from .context import FunctionContext
from .methods import is_const_method
from .objects import Capture, Parts, find_parts, keep, plain
from .pointers import address_of
from .records import Node
from .types import split_record


def closure(fc: FunctionContext, node: Node, loc: Loc | None) -> Parts:
    """Lower a lambda: what it captures, by value in a variable that does not change any more."""
    from .expr import lower_expr

    class_node, *inits, body = [c for c in node["inner"] if c.get("kind")]
    record = fc.unit.records.by_id.get(class_node["id"])
    if record is None:
        raise refuse("GP1102", "a lambda of this form", loc)
    calls = [m for m in fc.unit.records.methods.values() if fc.unit.records.owners[m["id"]] is record]
    if any(m.get("name") == "operator()" and not is_const_method(m) for m in calls):
        raise refuse("GP1102", "a mutable lambda", loc)
    fc.comments_inside(body)  # they travel with the lambda's own function
    used = list(dict.fromkeys(references(body)))
    own = _declared_in(node)
    outer = [key for key in used if key in fc.variables and key not in own]
    unknown = [key for key in used if key not in fc.variables and key not in own and key not in fc.unit.decls]
    unknown = [key for key in unknown if _is_variable(body, key)]
    captures: dict[str, tuple[Capture, Expr | Parts]] = {}
    for f, init in zip(record.fields, inits, strict=False):
        target = plain(init)
        if target["kind"] == "CXXThisExpr":
            raise refuse("GP1102", "a lambda that captures this", loc)
        key = target["referencedDecl"]["id"] if target["kind"] == "DeclRefExpr" else ""
        by_reference = str(f["type"]["qualType"]).rstrip().endswith("&")
        if key not in outer or key in captures:
            if len(unknown) != 1:
                raise refuse("GP1102", "several captures with an initialiser in one lambda", loc)
            key = unknown.pop()
        name = _name_of(body, key)
        parts = find_parts(fc, init) if split_record(init["type"]) is not None else None
        if parts is not None:
            captures[key] = (Capture(key, name, False), parts)
            continue
        value = lower_expr(fc, init)
        if by_reference:
            value = address_of(fc, value, loc)
        elif isinstance(value.type, Array):
            raise refuse("GP1102", f"the array {name}, captured by value", loc)
        elif not isinstance(value, Const) and not (isinstance(value, Var) and not _changes(fc, key)):
            value = keep(fc, value, f"{name}_captured" if key in outer else name, loc)
        captures[key] = (Capture(key, name, by_reference), value)
    for key in outer:  # constants are used without being captured
        if key not in captures:
            variable = fc.variables[key]
            value = variable.parts or variable.value or Var(variable.name, variable.type, loc=loc)
            captures[key] = (Capture(key, variable.name, variable.reference), value)
    fc.unit.closures[record.node["id"]] = tuple(c for c, _ in captures.values())
    return Parts(record, {key: value for key, (_, value) in captures.items()})


def _declared_in(node: Node) -> set[str]:
    out: set[str] = set()
    stack = [node]
    while stack:
        n = stack.pop()
        if n.get("kind") in ("VarDecl", "ParmVarDecl"):
            out.add(n["id"])
        stack.extend(n.get("inner", ()))
    return out


def _reference_to(node: Node, key: str) -> Node | None:
    stack = [node]
    while stack:
        n = stack.pop()
        if n.get("kind") == "DeclRefExpr" and n["referencedDecl"]["id"] == key:
            return n["referencedDecl"]
        stack.extend(n.get("inner", ()))
    return None


def _is_variable(node: Node, key: str) -> bool:
    found = _reference_to(node, key)
    return found is not None and found.get("kind") in ("VarDecl", "ParmVarDecl")


def _name_of(node: Node, key: str) -> str:
    found = _reference_to(node, key)
    return str(found.get("name", "captured")) if found is not None else "captured"


def _changes(fc: FunctionContext, key: str) -> bool:
    """Tell whether a variable may be changed somewhere in its function: it is used other than to read its value."""
    stack: list[tuple[Node, bool]] = [(fc.body, False)]
    while stack:
        n, read = stack.pop()
        if n.get("kind") == "DeclRefExpr" and n["referencedDecl"]["id"] == key and not read:
            return True
        reads = n.get("kind") == "ImplicitCastExpr" and n.get("castKind") == "LValueToRValue"
        through = read and n.get("kind") == "ParenExpr"
        if n.get("kind") == "LambdaExpr":
            stack.extend((c, False) for c in n["inner"][1:-1])
            continue
        stack.extend((c, reads or through) for c in n.get("inner", ()))
    return False
