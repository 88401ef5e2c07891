"""Change types throughout a program."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, cast

from .. import nodes as n
from ..types import Array, Member, Pointer, Struct, Type, structs_in
from ..walk import map_functions, rebuild, walk

if TYPE_CHECKING:
    from collections.abc import Callable


def program_structs(program: n.Program) -> tuple[Struct, ...]:
    """Return the structs that a program uses, each behind those that it has members of."""
    found: dict[Struct, None] = {}
    for f in (*program.functions, program.kernel):
        for x in walk(f):
            for t in (getattr(x, "type", None), getattr(x, "returns", None)):
                if t is not None:
                    found.update(dict.fromkeys(structs_in(cast("Type", t))))
    return tuple(found)


class Retype:
    """Maps types, inner ones first; `change` gets each type whose parts are changed already."""

    def __init__(self, change: Callable[[Type], Type]) -> None:
        self.change = change
        self.known: dict[Type, Type] = {}

    def __call__(self, t: Type) -> Type:
        """Return the new type."""
        if t not in self.known:
            self.known[t] = self.change(self._inner(t))
        return self.known[t]

    def _inner(self, t: Type) -> Type:
        match t:
            case Pointer():
                return dataclasses.replace(t, elem=self(t.elem))  # pyright: ignore[reportArgumentType]
            case Array():
                return Array(self(t.elem), t.length)  # pyright: ignore[reportArgumentType]
            case Struct():
                members = tuple(Member(m.name, self(m.type), m.offset) for m in t.members)  # pyright: ignore[reportArgumentType]
                return dataclasses.replace(t, members=members)
            case _:
                return t


def retype(
    program: n.Program, change: Callable[[Type], Type], member: Callable[[Struct, str], str] = lambda _, name: name
) -> n.Program:
    """Return the program with every type changed; `member` gives the new name of a member of a struct as it was."""
    types = Retype(change)

    def visit(x: n.Node) -> n.Node:
        new = rebuild(x, visit)
        changes: dict[str, object] = {}
        for key in ("type", "returns"):
            t = getattr(x, key, None)
            if t is not None and (to := types(t)) != t:
                changes[key] = to
        if isinstance(x, n.Field) and isinstance(x.base.type, Struct):
            name = member(x.base.type, x.name)
            if name != x.name:
                changes["name"] = name
        return dataclasses.replace(new, **changes) if changes else new  # pyright: ignore[reportArgumentType]

    return map_functions(program, visit)
