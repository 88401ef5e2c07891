"""A whole translation unit: from an entry's declaration to an IR program."""

from __future__ import annotations

import dataclasses
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...ir.diagnostics import Refusal, refuse
from ...ir.nodes import Const, Declare, Function, NamedConstant, Param, Program, Return, Stmt
from ...ir.types import U8, VOID, Array, Pointer, Scalar, Space, Struct, Type, Vector, flat_elem
from ...ir.walk import map_functions, rebuild, rewrite_exprs, walk
from .addresses import check_addresses, returned_address
from .calls import by_value, returned
from .constants import fold
from .construction import constructor_prologue
from .context import FunctionContext, Unit, Variable, place
from .methods import method_name, operator_word, self_param
from .object_params import formal_parts, kernel_parts
from .records import Node, split
from .stmt import lower_body
from .tables import add_host_parameters, reserve_names
from .textures import is_texture, texture_pointer
from .types import RECORDS, ParsedType, parse_type, split_record

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ...ir.nodes import Expr, Loc
    from .objects import Parts

MAX_DEPTH = 120
"""Levels of statements and expressions in a function: what every pass, writer and the emulator walk within Python's
stack."""
_NO_LEVEL = ("ParenExpr", "ImplicitCastExpr")


@dataclass(frozen=True)
class Given:
    """What a form of a function is made for, by the parameters' ids; see `lower_device_function`."""

    objects: Mapping[str, Parts]
    functions: Mapping[str, Node]
    types: Mapping[str, Pointer]


def lower_device_function(
    caller: FunctionContext,
    decl: Node,
    loc: Loc | None,
    objects: Mapping[str, Parts] | None = None,
    functions: Mapping[str, Node] | None = None,
    types: Mapping[str, Pointer] | None = None,
) -> Function:
    """Return the IR of a device function, lowering it at its first call. Recursion is refused (GP1106).

    `objects` are the arguments that are taken apart, by the parameter's id ("this" for a member function's object),
    `functions` those that are functions, `types` has those whose type is not the parameter's: for each there is a form
    of its own.
    """
    unit = caller.unit
    key = " ".join([decl["id"], *(f["id"] for f in (functions or {}).values()), *map(str, (types or {}).items())])
    if key in unit.in_progress:
        raise refuse("GP1106", f"the function {decl['name']} calls itself", loc)
    if key not in unit.functions:
        unit.in_progress.append(key)
        known = len(unit.diagnostics)
        try:
            given = Given(objects or {}, functions or {}, types or {})
            function, context = _lower_function(unit, decl, kernel=False, given=given)
        finally:
            unit.in_progress.pop()
            if unit.in_header(decl):  # of our own headers the author knows no lines: what he wrote is the call
                unit.diagnostics[known:] = [dataclasses.replace(d, loc=loc) for d in unit.diagnostics[known:]]
        if unit.in_header(decl):
            function = _placed(function, loc)
        taken = {unit.entry, *(f.name for f in unit.functions.values())}
        plain, n = _plain(unit, decl), 2
        name = plain
        while name in taken:
            name, n = f"{plain}_{n}", n + 1
        unit.functions[key] = dataclasses.replace(function, name=name)
        caller.uses_subgroup |= context.uses_subgroup
    return unit.functions[key]


def _placed(f: Function, loc: Loc | None) -> Function:
    """A function of our headers, placed where the author first calls it."""

    def place_at(x: Any) -> Any:
        new = dataclasses.replace(rebuild(x, place_at), loc=loc)
        return dataclasses.replace(new, name=None) if isinstance(new, Const) else new

    return place_at(f)


def _plain(unit: Unit, decl: Node) -> str:
    """A function's name as it can stand in a port: operators as words, our headers' `__name` without underscores."""
    name: str = decl["name"]
    owner = unit.records.owners.get(decl["id"])
    if owner is not None and unit.in_header(decl):
        base = owner.name.split("<")[0].rsplit("::", 1)[-1].removeprefix("thread_").removesuffix("_group")
        size = re.search(r"thread_block_tile<(\d+)", owner.name)
        return f"{f'tile{size[1]}' if size else base}_{operator_word(name) if name.startswith('operator') else name}"
    if owner is not None:
        return method_name(unit, decl, owner)
    if name.startswith(("__", "gp_")) and unit.in_header(decl):
        return name.removeprefix("gp_").lstrip("_")
    if name.startswith("operator"):
        return operator_word(name)
    return name


def lower_program(unit: Unit, entry: Node) -> Program:
    """Lower the entry and all that it calls; raises a Refusal with every diagnostic found."""
    token = RECORDS.set(unit.records)
    unit.entry = entry["name"]
    try:
        kernel, context = _lower_function(unit, entry, kernel=True)
        bound = _launch_bound(context, entry)
    except Refusal as refusal:
        raise Refusal(_unique([*unit.diagnostics, *refusal.diagnostics])) from None
    finally:
        RECORDS.reset(token)
    if unit.diagnostics:
        raise Refusal(_unique(unit.diagnostics))
    uses_subgroup = context.uses_subgroup or any(
        type(n).__name__ in ("Shuffle", "Vote") for f in unit.functions.values() for n in walk(f)
    )
    program = Program(
        kernel=kernel,
        functions=tuple(unit.functions.values()),
        language=unit.language.name,
        launch_bound=bound,
        subgroup_width=32 if uses_subgroup and unit.language.name == "cuda" else None,
        header_comments=_header_comments(unit, entry),
    )
    program = _settle_constants(add_host_parameters(program, unit))
    check_addresses(program, unit)
    return program


def _unique(diagnostics: list[Any]) -> list[Any]:
    return list(dict.fromkeys(diagnostics))


def _refuse_depth(unit: Unit, decl: Node) -> None:
    """Refuse a body whose nesting would exhaust the stack of the passes that walk it (GP1109)."""
    stack = [(decl, 0)]
    while stack:
        node, depth = stack.pop()
        if depth > MAX_DEPTH:
            raise refuse("GP1109", f"{decl['name']} is nested more than {MAX_DEPTH} levels deep", unit.loc(node))
        for child in node.get("inner", ()):
            body = child.get("kind") == "CompoundStmt" and node.get("kind") != "CompoundStmt"
            stack.append((child, depth + (not body and child.get("kind") not in _NO_LEVEL)))


def _lower_function(
    unit: Unit,
    decl: Node,
    *,
    kernel: bool,
    given: Given | None = None,
) -> tuple[Function, FunctionContext]:
    with unit.records.within(decl):
        return _lowered(unit, decl, kernel, given or Given({}, {}, {}))


def _lowered(unit: Unit, decl: Node, kernel: bool, arguments: Given) -> tuple[Function, FunctionContext]:
    loc = unit.loc(decl)
    given, functions = arguments.objects, arguments.functions
    _refuse_depth(unit, decl)
    context = FunctionContext(unit, decl)
    params: list[Param] = []
    start: list[Stmt] = []
    owner = unit.records.owners.get(decl["id"])
    if owner is not None and decl.get("storageClass") != "static" and decl["kind"] != "CXXConstructorDecl":
        if "this" in given or split(owner):
            params += formal_parts(context, owner, decl, given.get("this"))
        else:
            params.append(self_param(context, owner, decl, loc))
    for child in decl.get("inner", ()):
        if child.get("kind") == "ParmVarDecl":
            if child["id"] in functions:
                context.variables[child["id"]] = Variable(
                    child.get("name", ""), VOID, Space.PRIVATE, poisoned=True, function=functions[child["id"]]
                )
                continue
            if unit.language.variables.get(child.get("name", "")) and kernel and unit.language.name == "metal":
                continue
            given_value = unit.language.attribute(unit, child) if kernel and unit.language.attribute else None
            if given_value is not None:
                name = child.get("name", "")
                context.variables[child["id"]] = Variable(name, given_value.type, Space.PRIVATE, value=given_value)
                continue
            if kernel and is_texture(child):
                texture = texture_pointer(unit, child, context.body, unit.loc(child))
                variable = context.declare(child, ParsedType(texture), Space.PRIVATE)
                params.append(Param(variable.name, texture, loc=unit.loc(child)))
                continue
            record = split_record(child["type"])
            if child["id"] in given:  # a pointer to an object of our headers, which holds nothing
                record = given[child["id"]].record
            if kernel and (
                record is not None or isinstance(_by_value(child, loc, unit.language.name == "metal"), Struct)
            ):
                own, stmts = kernel_parts(
                    context, child, record, VOID if record else parse_type(child["type"], loc).type
                )
                params += own
                start += stmts
            elif record is not None:
                actual = given.get(child["id"])
                params += formal_parts(context, actual.record if actual else record, child, actual)
            elif (t := arguments.types.get(child["id"])) is not None:
                variable = context.declare(child, ParsedType(t), Space.PRIVATE)
                params.append(Param(variable.name, t, loc=unit.loc(child)))
            else:
                params.append(_parameter(context, decl, child, kernel))
    if owner is not None and decl["kind"] == "CXXConstructorDecl":
        start += constructor_prologue(context, decl, owner, loc)
    if not context.body:
        raise refuse("GP1104", f"the function {decl.get('name')} has no body", loc)
    reserve_names(context)
    prologue = _shared_globals(context, kernel=kernel)
    lowered = lower_body(context, context.body)
    body = (*context.tables.values(), *start, *prologue, *lowered)
    returns = returned_address(context, lowered, returned(decl, loc))
    if context.made is not None:
        returns = context.made.type
        body = (*body, Return(context.made, loc=loc))
    if isinstance(returns, Pointer):
        returns = dataclasses.replace(returns, space=Space.GENERIC if returns.space is Space.PRIVATE else returns.space)
    comments = _comments_above(unit, decl)
    return Function(decl["name"], tuple(params), body, returns, comments, loc=loc), context


def _by_value(node: Node, loc: Loc | None, metal: bool) -> Type | None:
    parsed = parse_type(node["type"], loc)
    of_metal = metal and (parsed.const or parsed.space is Space.CONSTANT)  # `constant Params& p`
    return None if parsed.reference and not of_metal else parsed.type


def _parameter(context: FunctionContext, decl: Node, node: Node, kernel: bool) -> Param:
    loc = context.unit.loc(node)
    parsed = parse_type(node["type"], loc)
    default = Space.GLOBAL if kernel else context.unit.language.default_space
    t: Type = parsed.type
    if isinstance(t, Array):
        leaf = flat_elem(t)
        if not parsed.reference or not isinstance(leaf, Scalar | Vector | Struct):
            raise refuse("GP1103", f"the array parameter {node.get('name')}", loc)
        t = parsed.type = Pointer(leaf, parsed.space or context.unit.language.default_space, parsed.const)
        parsed.reference = False  # a reference to an array is where it begins, as of any array
    padded = context.unit.language.padded_vec3 and "packed_" not in node["type"]["qualType"]
    if padded and isinstance(t, Pointer) and str(t.elem).endswith("x3"):
        raise refuse("GP1103", f"the parameter {node.get('name')}: a 3-component vector in memory", loc)
    if isinstance(t, Pointer) and t.space in (Space.GENERIC, Space.PRIVATE) and kernel:
        t = dataclasses.replace(t, space=default)
    if isinstance(t, Pointer) and isinstance(t.elem, Pointer):
        raise refuse("GP1103", f"the parameter {node.get('name')}: a pointer to pointers", loc)
    if isinstance(t, Pointer) and t.elem == VOID:
        t = dataclasses.replace(t, elem=U8)  # bytes, until they are cast
    parsed.type = t
    if parsed.reference:
        passed = parsed.const or parsed.space is Space.CONSTANT
        if (kernel and passed and context.unit.language.name == "metal") or by_value(
            decl, node, parsed
        ):  # MLX passes scalars as `const constant T&`
            parsed.reference = False
        elif not isinstance(t, Array):
            space = parsed.space or context.unit.language.default_space
            if isinstance(t, Pointer):
                raise refuse("GP1103", f"the parameter {node.get('name')}: a reference to a pointer", loc)
            parsed.type = Pointer(t, space, const=parsed.const)
    variable = context.declare(node, parsed, Space.PRIVATE)
    return Param(variable.name, parsed.type, loc=loc)


def _shared_globals(context: FunctionContext, *, kernel: bool) -> tuple[Stmt, ...]:
    """Declare at the top of a function the `extern __shared__` arrays that stand at namespace scope and are used."""
    unit = context.unit
    for decl in unit.decls.values():
        if decl.get("kind") == "VarDecl" and any(c.get("kind") == "CUDASharedAttr" for c in decl.get("inner", ())):
            unit.shared_globals[decl["id"]] = decl
    used = referenced(context.body) & unit.shared_globals.keys()
    out: list[Stmt] = []
    for key in sorted(used):
        decl = unit.shared_globals[key]
        if place(decl["range"]["begin"]).get("offset", 0) >= place(context.body["range"]["begin"]).get(
            "offset", 0
        ) and (place(decl["range"]["begin"]).get("file") == place(context.body["range"]["begin"]).get("file")):
            continue
        parsed = parse_type(decl["type"], unit.loc(decl))
        if not kernel and not (isinstance(parsed.type, Array) and parsed.type.length == 0):
            continue  # the launch's memory is one; an array of known size would be another in each function
        variable = context.declare(decl, parsed, Space.SHARED)
        out.append(Declare(variable.name, parsed.type, None, Space.SHARED, loc=unit.loc(decl)))
    return tuple(out)


def referenced(node: Node) -> set[str]:
    """Return the ids of the declarations that a node refers to."""
    found: set[str] = set()
    stack = [node]
    while stack:
        n = stack.pop()
        if n.get("kind") == "DeclRefExpr":
            found.add(n["referencedDecl"]["id"])
        stack.extend(n.get("inner", ()))
    return found


def _launch_bound(context: FunctionContext, entry: Node) -> int | None:
    from .expr import lower_expr

    for child in entry.get("inner", ()):
        if child.get("kind") in ("CUDALaunchBoundsAttr", "ReqdWorkGroupSizeAttr"):
            for value in child.get("inner", ()):
                if value.get("kind"):
                    folded = fold(lower_expr(context, value))
                    return int(folded) if isinstance(folded, int) else None
    return None


def _comments_above(unit: Unit, decl: Node) -> tuple[str, ...]:
    """Return the comments between the declaration before and this one (a template's own, for an instantiation)."""
    pattern = unit.decls.get(decl.get("TemplateInstantiationPattern", ""), decl)
    begin = place(pattern.get("range", {}).get("begin", {}))
    if not begin:
        return ()
    owner = unit.records.owners.get(decl["id"])
    if owner is not None and owner.closure:
        return ()
    before = unit.records.previous_end(owner, decl) if owner is not None else None
    after_file, after_line = before or unit.previous_end.get(pattern.get("id", ""), ("", 0))
    start = after_line if after_file == begin["file"] else 0
    found = [
        c
        for c in unit.comments(begin["file"])
        if start < c.line and c.end_line <= begin["line"] and c.line < begin["line"]
    ]
    header = set(_header_lines(unit, begin["file"]))
    return tuple(c.text for c in found if c.line not in header)


def _header_lines(unit: Unit, file: str) -> list[int]:
    """Lines of the comments that open a file and are set apart from what follows by an empty line or an include."""
    lines = unit.text(file).decode(errors="replace").split("\n")
    out: list[int] = []
    expected = 1
    for c in unit.comments(file):
        if any(line.strip() for line in lines[expected - 1 : c.line - 1]):
            return out
        out.append(c.line)
        expected = c.end_line + 1
        following = lines[c.end_line] if c.end_line < len(lines) else ""
        if not following.strip() or following.lstrip().startswith("#"):
            return out
    return []


def _header_comments(unit: Unit, entry: Node) -> tuple[str, ...]:
    begin = place(entry.get("range", {}).get("begin", {}))
    if not begin:
        return ()
    lines = set(_header_lines(unit, begin["file"]))
    return tuple(c.text for c in unit.comments(begin["file"]) if c.line in lines)


def _settle_constants(program: Program) -> Program:
    """List the named constants; a name with two values, or that a variable or function has too, is dropped."""
    values: dict[str, set[tuple[Any, Any]]] = {}
    taken = {f.name for f in program.functions} | {program.kernel.name}
    for f in (*program.functions, program.kernel):
        taken |= {p.name for p in f.params}
        for n in walk(f):
            if isinstance(n, Const) and n.name:
                values.setdefault(n.name, set()).add((n.value, n.type))
            if isinstance(n, Declare):
                taken.add(n.name)
    kept = {name: next(iter(found)) for name, found in values.items() if len(found) == 1 and name not in taken}

    def settle(e: Expr) -> Expr:
        return dataclasses.replace(e, name=None) if isinstance(e, Const) and e.name and e.name not in kept else e

    constants = tuple(NamedConstant(name, value, t) for name, (value, t) in sorted(kept.items()))
    return dataclasses.replace(map_functions(program, lambda f: rewrite_exprs(f, settle)), constants=constants)
