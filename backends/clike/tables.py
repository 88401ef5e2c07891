"""Constant arrays, which C-like languages declare outside functions."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from ...ir import nodes as n
from ...ir.types import Space
from ...ir.walk import rewrite_stmts, walk
from .names import declared, fresh, rename
from .text import wrap

if TYPE_CHECKING:
    from .expressions import Expressions


def place_tables(program: n.Program) -> tuple[n.Program, tuple[n.Declare, ...]]:
    """Take the constant arrays out of the functions; one that several mention is there once, others get a number."""
    tables: dict[str, n.Declare] = {}
    taken = {f.name for f in program.functions} | {c.name for c in program.constants}
    taken |= {name for f in (*program.functions, program.kernel) for name in declared(f)}

    def take(f: n.Function) -> n.Function:
        mapping: dict[str, str] = {}
        for s in walk(f.body):
            if not isinstance(s, n.Declare) or s.space is not Space.CONSTANT:
                continue
            same = next((t for t in tables.values() if (t.type, t.items) == (s.type, s.items)), None)
            name = same.name if same else s.name if s.name not in tables else fresh(s.name, taken)
            taken.add(name)
            tables.setdefault(name, dataclasses.replace(s, name=name))
            if name != s.name:
                mapping[s.name] = name
        body = rewrite_stmts(f.body, lambda s: () if isinstance(s, n.Declare) and s.space is Space.CONSTANT else (s,))
        new = rename(dataclasses.replace(f, body=body), mapping)
        assert isinstance(new, n.Function)
        return new

    functions = tuple(take(f) for f in program.functions)
    kernel = take(program.kernel)
    return dataclasses.replace(program, kernel=kernel, functions=functions), tuple(tables.values())


def table_definition(t: n.Declare, expressions: Expressions) -> list[str]:
    """The lines that define a constant array."""
    dialect = expressions.dialect
    prefix = dialect.table_prefix or dialect.spaces[Space.CONSTANT]
    braces = dialect.make_vector.startswith("make_")  # a call would be an initialisation at run time

    def item(e: n.Expr) -> str:
        if isinstance(e, n.MakeVector) and braces:
            return f"{{{', '.join(item(i) for i in e.items)}}}"
        return expressions.exact(e).text

    items = ", ".join(item(i) for i in t.items or ())
    return wrap(f"{prefix} {expressions.types.declaration(t.type, t.name)} = {{{items}}};")
