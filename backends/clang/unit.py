"""A whole translation unit: from an entry's declaration to an IR program."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from ...ir.diagnostics import Refusal, refuse
from ...ir.nodes import Const, Declare, Function, NamedConstant, Param, Program, Stmt
from ...ir.types import Array, Pointer, Space, Type
from ...ir.walk import map_functions, rewrite_exprs, walk
from .calls import by_value
from .constants import fold
from .context import FunctionContext, Node, Unit, place
from .stmt import lower_body
from .types import parse_type

if TYPE_CHECKING:
    from ...ir.nodes import Expr, Loc


def lower_device_function(caller: FunctionContext, decl: Node, loc: Loc | None) -> Function:
    """Return the IR of a device function, lowering it at its first call. Recursion is refused (GP1106)."""
    unit = caller.unit
    key: str = decl["id"]
    if key in unit.in_progress:
        raise refuse("GP1106", f"the function {decl['name']} calls itself", loc)
    if key not in unit.functions:
        unit.in_progress.append(key)
        try:
            function, context = _lower_function(unit, decl, kernel=False)
        finally:
            unit.in_progress.pop()
        taken = {f.name for f in unit.functions.values()}
        name, n = _plain(function.name), 2
        while name in taken:
            name, n = f"{_plain(function.name)}_{n}", n + 1
        unit.functions[key] = dataclasses.replace(function, name=name)
        caller.uses_subgroup |= context.uses_subgroup
    return unit.functions[key]


def _plain(name: str) -> str:
    if name.startswith("operator"):
        words = {"+": "add", "-": "sub", "*": "mul", "/": "div", "+=": "add_to", "-=": "sub_from", "*=": "mul_by"}
        return "op_" + words.get(name[len("operator") :], "other")
    return name


def lower_program(unit: Unit, entry: Node) -> Program:
    """Lower the entry and all that it calls; raises a Refusal with every diagnostic found."""
    try:
        kernel, context = _lower_function(unit, entry, kernel=True)
    except Refusal as refusal:
        raise Refusal(_unique([*unit.diagnostics, *refusal.diagnostics])) from None
    if unit.diagnostics:
        raise Refusal(_unique(unit.diagnostics))
    uses_subgroup = context.uses_subgroup or any(
        type(n).__name__ in ("Shuffle", "Vote") for f in unit.functions.values() for n in walk(f)
    )
    program = Program(
        kernel=kernel,
        functions=tuple(unit.functions.values()),
        language=unit.language.name,
        launch_bound=_launch_bound(context, entry),
        subgroup_width=32 if uses_subgroup and unit.language.name == "cuda" else None,
        header_comments=_header_comments(unit, entry),
    )
    return _settle_constants(program)


def _unique(diagnostics: list[Any]) -> list[Any]:
    return list(dict.fromkeys(diagnostics))


def _lower_function(unit: Unit, decl: Node, *, kernel: bool) -> tuple[Function, FunctionContext]:
    loc = unit.loc(decl)
    context = FunctionContext(unit, decl)
    params: list[Param] = []
    for child in decl.get("inner", ()):
        if child.get("kind") == "ParmVarDecl":
            if unit.language.variables.get(child.get("name", "")) and kernel and unit.language.name == "metal":
                continue
            params.append(_parameter(context, child, kernel))
    if not context.body:
        raise refuse("GP1104", f"the function {decl.get('name')} has no body", loc)
    prologue = _shared_globals(context) if kernel else ()
    body = (*prologue, *lower_body(context, context.body))
    returns = parse_type({"qualType": decl["type"]["qualType"].split("(")[0].strip()}, loc).type
    if isinstance(returns, Pointer):
        returns = dataclasses.replace(returns, space=Space.GENERIC if returns.space is Space.PRIVATE else returns.space)
    comments = _comments_above(unit, decl)
    return Function(decl["name"], tuple(params), body, returns, comments, loc=loc), context


def _parameter(context: FunctionContext, node: Node, kernel: bool) -> Param:
    loc = context.unit.loc(node)
    parsed = parse_type(node["type"], loc)
    default = Space.GLOBAL if kernel else context.unit.language.default_space
    t: Type = parsed.type
    if isinstance(t, Array):
        raise refuse("GP1103", f"the array parameter {node.get('name')}", loc)
    if context.unit.language.padded_vec3 and isinstance(t, Pointer) and str(t.elem).endswith("x3"):
        raise refuse("GP1103", f"the parameter {node.get('name')}: a 3-component vector in memory", loc)
    if isinstance(t, Pointer) and t.space in (Space.GENERIC, Space.PRIVATE) and kernel:
        t = dataclasses.replace(t, space=default)
    if isinstance(t, Pointer) and isinstance(t.elem, Pointer):
        raise refuse("GP1103", f"the parameter {node.get('name')}: a pointer to pointers", loc)
    parsed.type = t
    if parsed.reference:
        if (kernel and context.unit.language.name == "metal") or by_value(
            parsed.const, t
        ):  # MLX passes scalars as `const constant T&`
            parsed.reference = False
        elif not isinstance(t, Array):
            space = parsed.space or context.unit.language.default_space
            if isinstance(t, Pointer):
                raise refuse("GP1103", f"the parameter {node.get('name')}: a reference to a pointer", loc)
            parsed.type = Pointer(t, space, const=parsed.const)
    variable = context.declare(node, parsed, Space.PRIVATE)
    return Param(variable.name, parsed.type, loc=loc)


def _shared_globals(context: FunctionContext) -> tuple[Stmt, ...]:
    """Declare at the top of the kernel the `extern __shared__` arrays that stand at namespace scope and are used."""
    unit = context.unit
    for decl in unit.decls.values():
        if decl.get("kind") == "VarDecl" and any(c.get("kind") == "CUDASharedAttr" for c in decl.get("inner", ())):
            unit.shared_globals[decl["id"]] = decl
    used = _referenced(context.body) & unit.shared_globals.keys()
    out: list[Stmt] = []
    for key in sorted(used):
        decl = unit.shared_globals[key]
        if place(decl["range"]["begin"]).get("offset", 0) >= place(context.body["range"]["begin"]).get(
            "offset", 0
        ) and (place(decl["range"]["begin"]).get("file") == place(context.body["range"]["begin"]).get("file")):
            continue
        parsed = parse_type(decl["type"], unit.loc(decl))
        variable = context.declare(decl, parsed, Space.SHARED)
        out.append(Declare(variable.name, parsed.type, None, Space.SHARED, loc=unit.loc(decl)))
    return tuple(out)


def _referenced(node: Node) -> set[str]:
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
    after_file, after_line = unit.previous_end.get(pattern.get("id", ""), ("", 0))
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
