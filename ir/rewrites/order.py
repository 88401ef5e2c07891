"""The order of device functions: the author's, where callees still stand before their callers."""

from __future__ import annotations

import dataclasses

from ..nodes import Call, Program
from ..walk import walk


def source_order(program: Program) -> Program:
    """Return the program with its functions in the order of the source, if that order is legal and one file has all."""
    functions = program.functions
    if len({f.loc.file for f in functions if f.loc}) > 1:
        return program
    ordered = sorted(functions, key=lambda f: (f.loc.line, f.loc.col) if f.loc else (0, 0))
    seen: set[str] = set()
    for f in ordered:
        if any(isinstance(n, Call) and n.function not in seen for n in walk(f)):
            return program
        seen.add(f.name)
    return dataclasses.replace(program, functions=tuple(ordered))
