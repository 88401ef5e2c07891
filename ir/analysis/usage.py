"""What a program uses: shared memory, names, types, atomics."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .. import nodes as n
from ..types import F32, Array, Pointer, Scalar, Space, Struct, Type, Vector, scalar_of
from ..walk import walk

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True)
class SharedUse:
    """Shared memory of a group: bytes of the arrays of known size, and whether there is one sized at launch.

    `static` lays the variables out in the order of the program, each at its CUDA alignment; a compiler may do better.
    """

    static: int
    dynamic: bool
    variables: tuple[n.Declare, ...]


def alignment(t: Type) -> int:
    """Return CUDA's alignment of a type, bytes (CUDA C++ Programming Guide, built-in vector types)."""
    if isinstance(t, Array):
        return alignment(t.elem)
    if isinstance(t, Pointer):
        return 8
    return t.alignment if isinstance(t, Vector) else max(t.size, 1)


def shared_use(program: n.Program) -> SharedUse:
    """Return the shared memory of the kernel and of every device function (each is allocated once per group)."""
    variables = tuple(
        s
        for f in (program.kernel, *program.functions)
        for s in walk(f.body)
        if isinstance(s, n.Declare) and s.space is Space.SHARED
    )
    static = 0
    for v in variables:
        size = 8 if isinstance(v.type, Pointer) else v.type.size
        if size:
            align = alignment(v.type)
            static = -(-static // align) * align + size
    return SharedUse(static, any(isinstance(v.type, Array) and v.type.length == 0 for v in variables), variables)


def names_used(f: n.Function) -> set[str]:
    """Return every name that a function declares, mentions or calls, its own included."""
    names = {f.name, *(p.name for p in f.params)}
    for x in walk(f.body):
        match x:
            case n.Var(name=name) | n.Declare(name=name) | n.Call(function=name):
                names.add(name)
            case n.Const(name=str(name)):
                names.add(name)
            case _:
                pass
    return names


def scalars_used(program: n.Program) -> dict[Scalar, n.Loc | None]:
    """Return every scalar type in the program, with the first line that needs it."""
    found: dict[Scalar, n.Loc | None] = {}
    for f in (program.kernel, *program.functions):
        loc = f.loc
        for p in f.params:
            _note(p.type, p.loc or loc, found)
        for x in walk(f.body):
            loc = x.loc or loc
            t = getattr(x, "type", None)
            if isinstance(t, Scalar | Vector | Pointer | Array | Struct):
                _note(t, x.loc or loc, found)
    return found


def _note(t: Type, loc: n.Loc | None, found: dict[Scalar, n.Loc | None]) -> None:
    while isinstance(t, Pointer | Array):
        t = t.elem
    if isinstance(t, Struct):
        for member in t.members:
            _note(member.type, loc, found)
    else:
        found.setdefault(scalar_of(t), loc)


def group_size_dependent(program: n.Program) -> bool:
    """Tell whether another group size may change results: the program reads an index or size of groups, or shares."""
    return any(
        isinstance(x, n.GridIndex | n.Barrier | n.Shuffle | n.Vote | n.MatrixStep)
        or (isinstance(x, n.Declare) and x.space is Space.SHARED)
        for f in (program.kernel, *program.functions)
        for x in walk(f.body)
    )


def atomics_used(program: n.Program) -> Iterator[tuple[n.Atomic, Space]]:
    """Yield every atomic operation with the space that its pointer says."""
    for f in (program.kernel, *program.functions):
        for x in walk(f.body):
            if isinstance(x, n.Atomic) and isinstance(x.pointer.type, Pointer):
                yield x, x.pointer.type.space


def address_taken(f: n.Function) -> set[str]:
    """Return the private variables of a function that are reached through pointers, too."""
    found: set[str] = set()
    for x in walk(f.body):
        operand = x.memory if isinstance(x, n.AddressOf) else x.array if isinstance(x, n.Decay) else None
        if operand is not None and (root := root_variable(operand)) is not None:
            found.add(root)
    return found


def root_variable(e: n.Expr) -> str | None:
    """Return the variable that memory `e` is a part of; None behind a pointer."""
    while isinstance(e, n.Component | n.Field) or (isinstance(e, n.Element) and not isinstance(e.base.type, Pointer)):
        e = e.base
    return e.name if isinstance(e, n.Var) else None


def contractible(program: n.Program) -> bool:
    """Tell whether a float product is an operand of a sum, and neither is rounded by itself."""
    for f in (program.kernel, *program.functions):
        for x in walk(f.body):
            parts: tuple[n.Expr, ...] = ()
            if isinstance(x, n.Binary) and x.op in ("+", "-") and not x.rounded:
                parts = (x.left, x.right)
            elif isinstance(x, n.Assign) and x.op in ("+", "-"):
                parts = (x.value,)
            if any(isinstance(p, n.Binary) and p.op == "*" and p.type == F32 and not p.rounded for p in parts):
                return True
    return False
