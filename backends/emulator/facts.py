"""What the emulator asks of a program as a whole; found once for a program, which is run many times."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from ...ir import nodes as ir
from ...ir.types import Array as ArrayType
from ...ir.types import Pointer as PointerType
from ...ir.walk import walk
from .guesses import guesses, swapping
from .tickets import tickets

_KEPT: Final = 16
_known: dict[int, tuple[ir.Program, Facts]] = {}  # by identity: the program is kept, so that no other takes its id


@dataclass(frozen=True, slots=True)
class FunctionFacts:
    """`addressed`: variables whose address is taken; for `guesses` and `tickets` see there."""

    addressed: frozenset[str]
    guesses: frozenset[int]
    tickets: frozenset[str]


@dataclass(frozen=True, slots=True)
class Facts:
    """`casts`: the types that pointers are cast to; whether there are atomics, and fences for the whole device."""

    casts: tuple[PointerType, ...]
    atomics: bool
    device_fences: bool
    functions: dict[str, FunctionFacts]


def facts_of(program: ir.Program) -> Facts:
    """Return the facts of a program."""
    kept = _known.get(id(program))
    if kept is not None:
        return kept[1]
    found = _find(program)
    if len(_known) >= _KEPT:
        _known.pop(next(iter(_known)), None)
    _known[id(program)] = program, found
    return found


def _find(program: ir.Program) -> Facts:
    functions = (*program.functions, program.kernel)
    nodes = [n for f in functions for n in walk(f)]
    calls = swapping(program.functions)
    atomics = any(isinstance(n, ir.Atomic) for n in nodes)
    return Facts(
        casts=tuple(n.type for n in nodes if isinstance(n, ir.PointerCast)),
        atomics=atomics,
        device_fences=any(isinstance(n, ir.Fence) and n.scope is ir.Scope.DEVICE for n in nodes),
        functions={
            f.name: FunctionFacts(
                frozenset(_root(n.memory) for n in walk(f) if isinstance(n, ir.AddressOf)),
                guesses(f, calls) if atomics else frozenset(),
                tickets(program, f) if atomics else frozenset(),
            )
            for f in functions
        },
    )


def _root(memory: ir.Expr) -> str:
    """Name of the variable that an address is taken of; empty for memory behind a pointer."""
    while isinstance(memory, (ir.Component, ir.Element, ir.Field)):
        if isinstance(memory.base.type, PointerType):
            return ""
        memory = memory.base
    return memory.name if isinstance(memory, ir.Var) and not isinstance(memory.type, ArrayType) else ""
