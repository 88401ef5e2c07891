"""Struct definitions: the author's layout in a dialect, names that it allows."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from ...ir.diagnostics import Diagnostic, Severity, refuse
from ...ir.rewrites.retype import program_structs, retype
from ...ir.types import Array, Member, Struct, Type, Vector, flat_elem, scalar_of
from .text import INDENT

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ...ir import nodes as n
    from .declare import Types
    from .dialect import Dialect


def definition(t: Struct, types: Types) -> str:
    """Return the definition of a struct or union; refuses (GP2005) a layout that the dialect cannot give it."""
    dialect = types.dialect
    word = "union" if t.union else "struct"
    attributes = _attributes(t, dialect)
    lines = [INDENT + _member(t, m, types) + ";" for m in t.members]
    if dialect.cpp:
        return "\n".join([f"{word} {attributes}{t.name} {{", *lines, "};"])
    return "\n".join([f"typedef {word} {attributes}{t.name} {{", *lines, f"}} {t.name};"])


def _member(t: Struct, m: Member, types: Types) -> str:
    elem = flat_elem(m.type)
    if isinstance(elem, Vector) and elem.lanes == 3 and types.dialect.vec3 == "components":
        what = f"{t.name}::{m.name}: a 3-vector in a struct, which {types.dialect.title} pads"
        raise refuse("GP2005", what, types.loc)
    dims = ""
    inner: Type = m.type
    while isinstance(inner, Array):
        dims += f"[{inner.length}]"
        inner = inner.elem
    return f"{types.in_memory(elem)} {m.name}{dims}"


def _attributes(t: Struct, dialect: Dialect) -> str:
    """The attributes that give a struct its layout, with a blank behind them."""
    natural, widest = 0, 1
    tight = 0
    as_is = packed = True
    for m in t.members:
        align = _alignment(m.type, dialect)
        at = 0 if t.union else -(-natural // align) * align
        as_is &= m.offset == at
        packed &= m.offset == (0 if t.union else tight)
        natural, widest = max(natural, at + m.type.size), max(widest, align)
        tight = m.type.size if t.union else tight + m.type.size
    end = max((m.offset + m.type.size for m in t.members), default=0)
    fits = t.size == -(-end // t.alignment) * t.alignment
    aligned = f"alignas({t.alignment}) " if dialect.cpp else f"__attribute__((aligned({t.alignment}))) "
    if as_is and fits and widest == t.alignment:
        return ""
    if as_is and fits and widest < t.alignment:
        return aligned
    if packed and fits:
        return "__attribute__((packed)) " + (aligned if t.alignment > 1 and not dialect.cpp else "")
    raise refuse("GP2005", f"the layout of {t.name} ({t.size} bytes) has no counterpart in {dialect.title}")


def _alignment(t: Type, dialect: Dialect) -> int:
    """The alignment that the dialect's compiler gives a member."""
    elem = flat_elem(t)
    if isinstance(elem, Struct):
        return elem.alignment
    if isinstance(elem, Vector):
        return elem.elem.size if elem.lanes == 3 else min(elem.size, dialect.vector_alignment)
    return scalar_of(elem).size


def legal_structs(
    program: n.Program, dialect: Dialect, taken: Iterable[str]
) -> tuple[n.Program, tuple[Diagnostic, ...]]:
    """Rename structs and members whose names mean something else in the dialect or the program; GP3002 for each."""
    structs = program_structs(program)
    bad = dialect.reserved | dialect.functions | frozenset(taken)
    constants = frozenset(c.name for c in program.constants)
    names: dict[str, str] = {}
    notes: list[Diagnostic] = []
    used = {s.name for s in structs}
    for s in structs:
        new = s.name
        while new in bad or new in constants or new.startswith("gp_") or (new != s.name and new in used):
            new += "_"
        if new != s.name:
            names[s.name] = new
            notes.append(_note(s.name, new, dialect))
    members: dict[str, str] = {}
    for m in dict.fromkeys(m.name for s in structs for m in s.members):
        new = m
        while new in dialect.reserved or new in constants:
            new += "_"
        if new != m:
            members[m] = new
            notes.append(_note(m, new, dialect))
    if not names and not members:
        return program, ()

    def change(t: Type) -> Type:
        if not isinstance(t, Struct):
            return t
        renamed = tuple(Member(members.get(m.name, m.name), m.type, m.offset) for m in t.members)
        return dataclasses.replace(t, name=names.get(t.name, t.name), members=renamed)

    return retype(program, change, lambda _, name: members.get(name, name)), tuple(notes)


def _note(old: str, new: str, dialect: Dialect) -> Diagnostic:
    message = f"{old} means something else in {dialect.title}; here it is {new}"
    return Diagnostic("GP3002", message, None, Severity.NOTE)
