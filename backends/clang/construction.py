"""Construction of structs and of objects that are taken apart: constructors, braces, default members."""

from __future__ import annotations

from ...ir.diagnostics import refuse
from ...ir.nodes import Aggregate, Assign, Const, Declare, Expr, Field, Loc, Stmt, Var
from ...ir.types import BOOL, Array, Pointer, Space, Struct, Type, flat_elem
from .context import FunctionContext, Variable
from .objects import Parts, find_parts, keep, plain
from .records import Node, Record, layout, refuse_destructor
from .types import parse_type, split_record


def construct(fc: FunctionContext, node: Node, t: Struct | Array, loc: Loc | None) -> Expr:
    """Lower an initialiser of a struct, or of an array inside one."""
    from .calls import coerce
    from .expr import lower_expr
    from .operators import zero

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
        inner = inner or node.get("array_filler", [])[1:]  # the first is what fills the rest
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
    from .expr import lower_expr
    from .operators import zero

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
    if any("anyInit" not in i or _mentions_this(i) for i in inits):
        return None
    uses = [references(i) for i in inits]
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
        value = coerce(lower_argument(fc, given, ctor, param, loc), parsed.type)
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


def _mentions_this(node: Node) -> bool:
    return node.get("kind") == "CXXThisExpr" or any(_mentions_this(c) for c in node.get("inner", ()))


def _default(param: Node) -> Node | None:
    written = [c for c in param.get("inner", ()) if not c.get("kind", "").endswith("Attr")]
    return written[-1] if written else None


def references(node: Node) -> list[str]:
    """Return the ids of the declarations that a node refers to, as often as it does."""
    out: list[str] = []
    stack = [node]
    while stack:
        n = stack.pop()
        if n.get("kind") == "DeclRefExpr":
            out.append(n["referencedDecl"]["id"])
        stack.extend(n.get("inner", ()))
    return out


def construct_parts(fc: FunctionContext, node: Node, record: Record, loc: Loc | None) -> Parts:
    """Construct an object that is taken apart."""
    from .calls import coerce
    from .expr import lower_expr
    from .operators import zero

    refuse_destructor(record, loc)
    inner = [c for c in node.get("inner", ()) if c.get("kind")]
    if node["kind"] == "InitListExpr" or not record.fields:
        values: dict[str, Expr | Parts] = {}
        for f, c in zip(record.fields, inner, strict=False):
            parts = find_parts(fc, c) if split_record(f["type"]) is not None else None
            t = None if parts is not None else field_type(fc, f, loc)
            values[record.field_name(f)] = parts or coerce(lower_expr(fc, c), t or BOOL)
        for f in record.fields[len(inner) :]:
            values[record.field_name(f)] = zero(field_type(fc, f, loc), loc)
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


def field_type(fc: FunctionContext, node: Node, loc: Loc | None) -> Type:
    """Return the type of a member; a reference is a pointer."""
    del fc
    parsed = parse_type(node["type"], loc)
    if parsed.reference:
        if isinstance(parsed.type, Array | Pointer):
            raise refuse("GP1103", f"the member {node.get('name')}: a reference to {parsed.type}", loc)
        return Pointer(parsed.type, parsed.space or Space.GENERIC, const=parsed.const)
    return parsed.type


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
            delegate = i["inner"][0]
            while delegate["kind"] == "ExprWithCleanups":
                delegate = delegate["inner"][0]
            if parse_type(delegate["type"], loc).type != t:
                raise refuse("GP1102", "a constructor of a base class", loc)
            hoisted, value = context.aside(lambda delegate=delegate: construct(context, delegate, t, loc))
            out += [*hoisted, Assign(made, value, loc=loc)]
            continue
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
