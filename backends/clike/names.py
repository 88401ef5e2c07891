"""Names: which the destination forbids, and renaming them."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from ...ir import nodes as n
from ...ir.diagnostics import Diagnostic, Severity
from ...ir.mathlib import MATH
from ...ir.rewrites.retype import program_structs
from ...ir.walk import rebuild, walk

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from .dialect import Dialect

_COMPONENTS = frozenset("xyzw")


def declared(function: n.Function) -> list[str]:
    """The names that a function declares, in order, with repetitions."""
    names = [p.name for p in function.params]
    return names + [s.name for s in walk(function) if isinstance(s, n.Declare)]


def fresh(name: str, taken: Iterable[str]) -> str:
    """`name`, or `name_2`, `name_3`, ... if it is taken."""
    used = set(taken)
    candidate, count = name, 1
    while candidate in used:
        count += 1
        candidate = f"{name}_{count}"
    return candidate


def rename(node: n.Node, mapping: Mapping[str, str]) -> n.Node:
    """Return the tree with variables, parameters and declarations renamed."""

    def visit(x: n.Node) -> n.Node:
        new = rebuild(x, visit)
        if isinstance(new, n.Var | n.Declare | n.Param) and new.name in mapping:
            return dataclasses.replace(new, name=mapping[new.name])
        return new

    return visit(node)


def called_builtins(program: n.Program, dialect: Dialect) -> frozenset[str]:
    """Unqualified functions of the destination that the text of this program calls."""
    used = {
        x.fn
        for f in (*program.functions, program.kernel)
        for x in walk(f)
        if isinstance(x, n.MathCall) and x.fn in MATH
    }
    spelled = {dialect.math.get(fn, "") for fn in used} | {s for (fn, _), s in dialect.typed_math.items() if fn in used}
    return frozenset(s for s in spelled if s and "::" not in s)


def legal_names(
    program: n.Program, dialect: Dialect, forbidden: Iterable[str] = ()
) -> tuple[n.Program, dict[str, str], tuple[Diagnostic, ...]]:
    """Rename what the destination forbids: variables, parameters and functions.

    Returns the program, the kernel parameters that were renamed (old to new), and a GP3002 note for each name.
    """
    bad_variables = dialect.reserved | called_builtins(program, dialect) | frozenset(forbidden)
    functions: dict[str, str] = {}
    taken = {f.name for f in program.functions} | {c.name for c in program.constants}
    for f in program.functions:
        taken |= set(declared(f))
    taken |= set(declared(program.kernel))
    notes: dict[str, Diagnostic] = {}

    def note(old: str, new: str, loc: n.Loc | None) -> None:
        message = f"{old} means something else in {dialect.title}; here it is {new}"
        notes.setdefault(old, Diagnostic("GP3002", message, loc, Severity.NOTE))

    for f in program.functions:
        if f.name in bad_variables or f.name in dialect.functions or f.name.startswith("gp_"):
            functions[f.name] = fresh(f.name + "_", taken)
            taken.add(functions[f.name])
            note(f.name, functions[f.name], f.loc)

    def fix(f: n.Function) -> tuple[n.Function, dict[str, str]]:
        # a variable may hide a function of the language, but not one of the author's that is called
        bad = bad_variables | {g.name for g in program.functions}
        mapping: dict[str, str] = {}
        for name in dict.fromkeys(declared(f)):
            if name in bad or (name.startswith("gp_") and name != "gp_lanes"):
                mapping[name] = fresh(name + "_", taken | bad)
                note(name, mapping[name], f.loc)
        fixed = rename(f, mapping) if mapping else f
        assert isinstance(fixed, n.Function)
        return dataclasses.replace(fixed, name=functions.get(f.name, f.name)), mapping

    def calls(x: n.Node) -> n.Node:
        new = rebuild(x, calls)
        if isinstance(new, n.Call) and new.function in functions:
            return dataclasses.replace(new, function=functions[new.function])
        return new

    kernel, renamed = fix(program.kernel)
    fixed = tuple(fix(f)[0] for f in program.functions)
    if functions:
        fixed = tuple(f for g in fixed for f in [calls(g)] if isinstance(f, n.Function))
        called = calls(kernel)
        assert isinstance(called, n.Function)
        kernel = called
    return dataclasses.replace(program, kernel=kernel, functions=fixed), renamed, tuple(notes.values())


def definable(program: n.Program, dialect: Dialect, helper_names: Iterable[str] = ()) -> dict[str, n.NamedConstant]:
    """The constants that can be a `#define`: one value each, and a name that nothing else in the text has."""
    members = {m.name for s in program_structs(program) for m in s.members}
    taken = (
        members
        | set(dialect.reserved)
        | dialect.functions
        | called_builtins(program, dialect)
        | _COMPONENTS
        | set(helper_names)
    )
    for f in (*program.functions, program.kernel):
        taken |= {f.name, *declared(f)}
    values: dict[str, set[object]] = {}
    for c in program.constants:
        values.setdefault(c.name, set()).add((c.type.name, c.value))
    return {
        c.name: c
        for c in program.constants
        if c.name.isidentifier() and c.name not in taken and len(values[c.name]) == 1 and not c.name.startswith("gp_")
    }
