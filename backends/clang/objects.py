"""Objects of structs, functors and lambdas: construction, member functions, captures.

A struct without pointers is a value of the IR. Closures, empty functors and structs that hold pointers are taken apart:
each of their members is a variable of its own, and a function that takes such an object takes its members.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...ir.diagnostics import refuse
from ...ir.nodes import AddressOf, Aggregate, Assign, Call, Const, Declare, Deref, Expr, Field, Loc, Param, Stmt, Var
from ...ir.types import BOOL, Array, Pointer, Scalar, Space, Struct, Type, Vector, flat_elem
from .context import FunctionContext, Node, Variable
from .pointers import address_of, is_memory
from .records import Record, layout, plain_name
from .types import ParsedType, parse_type, split_record

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
            return _closure(fc, node, loc)
        case "InitListExpr" | "CXXConstructExpr" | "CXXTemporaryObjectExpr" | "CXXScalarValueInitExpr":
            record = split_record(node["type"])
            return _construct_parts(fc, node, record, loc) if record is not None else None
        case _:
            record = split_record(node["type"])
            if record is None:
                return None
            if node["kind"] == "CallExpr" and not record.fields and _from_header(fc, node, loc):
                return Parts(record, {})
            raise refuse("GP1102", "an object that holds pointers, from an expression of this form", loc)


def _from_header(fc: FunctionContext, node: Node, loc: Loc | None) -> bool:
    """Tell whether a function of our headers makes an object that holds nothing; refuses what the table does."""
    from .calls import refused

    target = plain(node["inner"][0])
    while target["kind"] == "ImplicitCastExpr":
        target = target["inner"][0]
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

    base_node: Node = node["inner"][0]
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
    if fc.lazy:
        raise refuse("GP1105", "a value that must be kept, inside an expression that is not always evaluated", loc)
    kept = fc.unique(name)
    fc.before.append(Declare(kept, value.type, value, const=not isinstance(value.type, Pointer | Struct), loc=loc))
    return Var(kept, value.type, loc=loc)


# --- construction


def construct(fc: FunctionContext, node: Node, t: Struct | Array, loc: Loc | None) -> Expr:
    """Lower an initialiser of a struct, or of an array inside one."""
    from .calls import coerce
    from .expr import lower_expr, zero

    inner = [c for c in node.get("inner", ()) if c.get("kind")]
    if node["kind"] == "ImplicitValueInitExpr" or node["kind"] == "CXXScalarValueInitExpr":
        return zero(t, loc)
    if node["kind"] in ("CXXConstructExpr", "CXXTemporaryObjectExpr") and isinstance(t, Struct):
        return _constructed(fc, node, t, inner, loc)
    if node["kind"] == "CompoundLiteralExpr":
        return construct(fc, plain(inner[0]), t, loc)
    if node["kind"] == "ParenListExpr":
        raise refuse("GP1102", f"an initialiser of {t} in parentheses", loc)
    if node["kind"] != "InitListExpr":
        return lower_expr(fc, node)
    if isinstance(t, Array):
        inner = inner or [c for c in node.get("array_filler", ()) if c.get("kind") != "ImplicitValueInitExpr"]
        items = [coerce(initial(fc, c, t.elem, loc), t.elem) for c in inner]
        return Aggregate((*items, *(zero(t.elem, loc) for _ in range(t.length - len(items)))), t, loc=loc)
    if len(inner) == 1 and not isinstance(t.members[0].type, Struct):
        value = None if inner[0]["kind"] == "InitListExpr" else lower_expr(fc, inner[0])
        if value is not None and value.type == t:
            return value
    members = t.members[:1] if t.union else t.members
    if t.union and node.get("field", {}).get("name") not in (None, t.members[0].name):
        raise refuse("GP1102", f"an initialiser of another member of the union {t} than the first", loc)
    defaults = _default_members(fc, t)
    items = []
    for i, m in enumerate(members):
        given = inner[i] if i < len(inner) else None
        if given is None or (given["kind"] == "CXXDefaultInitExpr" and not given.get("inner")):
            given = defaults.get(m.name)
        items.append(zero(m.type, loc) if given is None else coerce(initial(fc, given, m.type, loc), m.type))
    for item, m in zip(items, members, strict=True):
        if item.type != m.type:
            raise refuse("GP1102", f"a value of type {item.type} for {t}::{m.name} of type {m.type}", loc)
    return Aggregate(tuple(items), t, loc=loc)


def initial(fc: FunctionContext, node: Node, t: Type, loc: Loc | None) -> Expr:
    """Lower what a member or element begins with."""
    from .expr import lower_expr

    if node["kind"] == "CXXDefaultInitExpr" and node.get("inner"):
        node = node["inner"][0]
    if isinstance(t, Struct | Array):
        return construct(fc, plain(node), t, loc)
    return lower_expr(fc, node)


def _default_members(fc: FunctionContext, t: Struct) -> dict[str, Node]:
    """The members' own initialisers (`float s = 1.0f;`) by name."""
    record = next((r for r in fc.unit.records.by_id.values() if r.struct == t), None)
    out: dict[str, Node] = {}
    for f in record.fields if record is not None else ():
        written = [c for c in f.get("inner", ()) if c.get("kind", "").endswith(("Expr", "Literal"))]
        if f.get("hasInClassInitializer") and written:
            out[fc.unit.records.field_names[f["id"]]] = written[-1]
    return out


def _constructed(fc: FunctionContext, node: Node, t: Struct, inner: list[Node], loc: Loc | None) -> Expr:
    from .expr import lower_expr, zero

    record = _record_of(fc, t)
    ctor = _constructor(record, node)
    if len(inner) == 1 and (ctor is None or ctor.get("isImplicit") or ctor.get("explicitlyDefaulted")):
        return lower_expr(fc, inner[0])  # a copy
    if ctor is None or ctor.get("isImplicit") or ctor.get("explicitlyDefaulted"):
        defaults = _default_members(fc, t)
        if node.get("zeroing") or defaults or node["kind"] == "CXXTemporaryObjectExpr":
            items = [
                initial(fc, defaults[m.name], m.type, loc) if m.name in defaults else zero(m.type, loc)
                for m in t.members
            ]
            return Aggregate(tuple(items[:1] if t.union else items), t, loc=loc)
        return zero(t, loc)
    direct = _initialisers(fc, ctor, inner, loc)
    if direct is not None and not t.union and all(m.name in direct for m in t.members):
        values = [direct[m.name] for m in t.members]
        if all(not isinstance(v, Parts) and v.type == m.type for v, m in zip(values, t.members, strict=True)):
            return Aggregate(tuple(v for v in values if not isinstance(v, Parts)), t, loc=loc)
    from .calls import call_function

    return call_function(fc, ctor, inner, loc)


def is_default(fc: FunctionContext, node: Node) -> bool:
    """Tell whether an initialiser leaves an object without values: a default constructor that nobody wrote."""
    if node["kind"] != "CXXConstructExpr" or node.get("inner") or node.get("zeroing"):
        return False
    t = flat_elem(parse_type(node["type"], fc.unit.loc(node)).type)
    if not isinstance(t, Struct):
        return True
    ctor = _constructor(_record_of(fc, t), node)
    written = ctor is not None and not ctor.get("isImplicit") and not ctor.get("explicitlyDefaulted")
    return (not written or _does_nothing(ctor)) and not _default_members(fc, t)


def _does_nothing(ctor: Node | None) -> bool:
    """Tell whether a constructor has no initialisers and an empty body (`Complex() {}`)."""
    parts = ctor.get("inner", ()) if ctor else ()
    body = [c for c in parts if c["kind"] == "CompoundStmt"]
    return bool(body) and not body[0].get("inner") and all(c["kind"] != "CXXCtorInitializer" for c in parts)


def _record_of(fc: FunctionContext, t: Struct) -> Record:
    return next(r for r in fc.unit.records.by_id.values() if r.struct == t)


def _constructor(record: Record, node: Node) -> Node | None:
    wanted = node.get("ctorType", {}).get("qualType")
    found = [c for c in record.constructors if c.get("type", {}).get("qualType") == wanted]
    with_body = [c for c in found if any(i.get("kind") == "CompoundStmt" for i in c.get("inner", ()))]
    return (with_body or found or [None])[0]


def _initialisers(fc: FunctionContext, ctor: Node, args: list[Node], loc: Loc | None) -> dict[str, Expr | Parts] | None:
    """What a constructor with an empty body gives its members, arguments put in; None if it needs to be called."""
    from .calls import coerce, lower_argument
    from .expr import lower_expr

    body = [c for c in ctor.get("inner", ()) if c.get("kind") == "CompoundStmt"]
    if not body or body[0].get("inner"):
        return None
    params = [c for c in ctor["inner"] if c.get("kind") == "ParmVarDecl"]
    inits = [c for c in ctor["inner"] if c.get("kind") == "CXXCtorInitializer"]
    if any("anyInit" not in i for i in inits):
        return None
    uses = [_references(i) for i in inits]
    inner = FunctionContext(fc.unit, ctor, visible=fc.visible, this=None)
    for param, arg in zip(params, [*args, *[None] * (len(params) - len(args))], strict=False):
        given = arg if arg is not None and arg.get("inner", arg["kind"] != "CXXDefaultArgExpr") else _default(param)
        if given is None:
            return None
        parts = find_parts(fc, given) if split_record(param["type"]) is not None else None
        if parts is not None:
            inner.variables[param["id"]] = Variable(param.get("name", ""), BOOL, Space.PRIVATE, parts=parts)
            continue
        parsed = parse_type(param["type"], loc)
        if parsed.reference and not parsed.const:
            return None
        value = coerce(lower_argument(fc, given, param, loc), parsed.type)
        if sum(u.count(param["id"]) for u in uses) > 1 and not isinstance(value, Const | Var):
            value = keep(fc, value, param.get("name", "value"), loc)
        inner.variables[param["id"]] = Variable(param.get("name", ""), value.type, Space.PRIVATE, value=value)
    out: dict[str, Expr | Parts] = {}
    for i in inits:
        name = str(fc.unit.records.field_names.get(i["anyInit"]["id"], i["anyInit"].get("name", "")))
        node = i["inner"][0]
        parts = find_parts(inner, node) if split_record(i["anyInit"]["type"]) is not None else None
        if parts is not None:
            out[name] = parts
        else:
            t = parse_type(i["anyInit"]["type"], loc).type
            value = initial(inner, node, t, loc) if isinstance(t, Struct | Array) else lower_expr(inner, node)
            out[name] = coerce(value, t)
    if inner.before:
        return None
    return out


def _default(param: Node) -> Node | None:
    written = [c for c in param.get("inner", ()) if not c.get("kind", "").endswith("Attr")]
    return written[-1] if written else None


def _references(node: Node) -> list[str]:
    out: list[str] = []
    stack = [node]
    while stack:
        n = stack.pop()
        if n.get("kind") == "DeclRefExpr":
            out.append(n["referencedDecl"]["id"])
        stack.extend(n.get("inner", ()))
    return out


def _construct_parts(fc: FunctionContext, node: Node, record: Record, loc: Loc | None) -> Parts:
    from .calls import coerce
    from .expr import lower_expr, zero

    inner = [c for c in node.get("inner", ()) if c.get("kind")]
    if node["kind"] == "InitListExpr" or not record.fields:
        values: dict[str, Expr | Parts] = {}
        for f, c in zip(record.fields, inner, strict=False):
            parts = find_parts(fc, c) if split_record(f["type"]) is not None else None
            t = None if parts is not None else _field_type(fc, f, loc)
            values[record.field_name(f)] = parts or coerce(lower_expr(fc, c), t or BOOL)
        for f in record.fields[len(inner) :]:
            values[record.field_name(f)] = zero(_field_type(fc, f, loc), loc)
        return Parts(record, values)
    ctor = _constructor(record, node)
    if len(inner) == 1 and (ctor is None or ctor.get("isImplicit") or ctor.get("explicitlyDefaulted")):
        found = find_parts(fc, inner[0])
        if found is not None:
            return found
    direct = _initialisers(fc, ctor, inner, loc) if ctor is not None else None
    names = [record.field_name(f) for f in record.fields]
    if direct is None or any(n not in direct for n in names):
        raise refuse("GP1102", f"the construction of {record.name}, which holds pointers, in this form", loc)
    return Parts(record, {n: direct[n] for n in names})


def _field_type(fc: FunctionContext, node: Node, loc: Loc | None) -> Type:
    del fc
    parsed = parse_type(node["type"], loc)
    if parsed.reference:
        if isinstance(parsed.type, Array | Pointer):
            raise refuse("GP1103", f"the member {node.get('name')}: a reference to {parsed.type}", loc)
        return Pointer(parsed.type, parsed.space or Space.GENERIC, const=parsed.const)
    return parsed.type


# --- closures


def _closure(fc: FunctionContext, node: Node, loc: Loc | None) -> Parts:
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
    used = list(dict.fromkeys(_references(body)))
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


# --- parameters


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
        t = _generic(context, _field_type(context, f, loc))
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


# --- member functions


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


def constructor_prologue(context: FunctionContext, decl: Node, record: Record, loc: Loc | None) -> list[Stmt]:
    """Declare the object that a constructor makes, and assign what stands before its body."""
    from .calls import coerce

    t = layout(context.unit.records, record, loc)
    name = context.unique("self")
    made = Var(name, t, loc=loc)
    context.this = context.made = made
    context.variables[f"{decl['id']}.self"] = Variable(name, t, Space.PRIVATE)
    out: list[Stmt] = [Declare(name, t, loc=loc)]
    for i in decl.get("inner", ()):
        if i.get("kind") != "CXXCtorInitializer":
            continue
        if "anyInit" not in i:
            raise refuse("GP1102", "a constructor that calls another", loc)
        key = str(context.unit.records.field_names.get(i["anyInit"]["id"], i["anyInit"].get("name", "")))
        member_type = t.member(key)
        if member_type is None:
            raise refuse("GP1102", f"the initialiser of {key}", loc)
        node = i["inner"][0]
        if isinstance(member_type.type, Struct) and is_default(context, plain(node)):
            continue
        outer, context.before = context.before, []
        value = coerce(initial(context, node, member_type.type, loc), member_type.type)
        if isinstance(member_type.type, Array):
            raise refuse("GP1102", f"the array {key} in a constructor's initialisers", loc)
        out += [*context.before, Assign(Field(made, key, member_type.type, loc=loc), value, loc=loc)]
        context.before = outer
    return out


def called(e: Expr) -> Expr:
    """Return the call behind `*f(x)`, where a function returns a reference."""
    return e.pointer if isinstance(e, Deref) and isinstance(e.pointer, Call) else e
