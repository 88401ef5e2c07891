"""Where operators find places in a program, and the mutants that they make there."""

from __future__ import annotations

import dataclasses
import difflib
import zlib
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from ....ir import nodes as n
from ....ir.printer import show_program
from ....ir.types import Array
from ....ir.validate import InvalidProgram, validate
from ....ir.walk import children, rebuild, walk
from . import flow, hacks, index, memory, numerics, semantics
from .place import OPERATORS, Place

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

FAMILIES: Final = (index, flow, memory, numerics, semantics, hacks)
"""The modules that fill OPERATORS."""


@dataclass(frozen=True)
class Mutant:
    """A program with one defect: of which family, by which operator, at which line; `program` is the whole of it."""

    family: str
    operator: str
    loc: n.Loc | None
    program: n.Program
    change: str
    """Lines of the program as `ir.printer` shows it, taken out after "- ", put in after "+ ", a line around."""
    place: Place | None = None
    new: Any = None
    """What stands at the place instead; a list takes a statement's place."""

    @property
    def line(self) -> int | None:
        """The line of the program's text, None where it is not known."""
        return self.loc.line if self.loc else None


def mutants(program: n.Program) -> Iterator[Mutant]:
    """Yield every mutant of a program that is valid and not the same program, in the order of the operators."""
    original = show_program(program).splitlines()
    places = [(i, path, place) for i, f in enumerate(_functions(program)) for path, place in _places(program, f)]
    for operator, (family, plant) in OPERATORS.items():
        for number, path, place in places:
            for new in plant(place):
                mutated = _with(program, number, path, new)
                if _sound(mutated) and (change := _change(original, mutated) or _reordered(place.node, new)):
                    yield Mutant(family, operator, place.loc, mutated, change, place, new)
    for declared, mutated in _smaller_arrays(program):
        if _sound(mutated) and (change := _change(original, mutated)):
            yield Mutant("memory", "shared array one shorter", declared.loc, mutated, change)


def _change(original: Sequence[str], mutated: n.Program) -> str:
    lines = difflib.unified_diff(original, show_program(mutated).splitlines(), lineterm="", n=1)
    changed = [f"{line[0]} {line[1:].strip()}" for line in lines if not line.startswith(("---", "+++", "@@"))]
    return "\n".join(changed)


def _reordered(old: Any, new: Any) -> str:
    """A change of the memory that a barrier orders, which the printer does not show."""
    if not isinstance(old, n.Barrier) or not isinstance(new, n.Barrier) or old.orders == new.orders:
        return ""
    return "\n".join(f"{sign} barrier({', '.join(s.value for s in b.orders)})" for sign, b in (("-", old), ("+", new)))


def sample(found: Sequence[Mutant], most: int, total: int | None = None) -> list[Mutant]:
    """Return at most `most` mutants of each operator, and at most `total` of all, in the order given.

    Which ones depends on a hash of each alone, so that a change elsewhere in the program does not choose others.
    """
    ranked = sorted(range(len(found)), key=lambda i: (zlib.crc32(found[i].change.encode()), i))
    taken: Counter[str] = Counter()
    kept: list[int] = []
    for i in ranked:
        if taken[found[i].operator] < most and (total is None or len(kept) < total):
            taken[found[i].operator] += 1
            kept.append(i)
    return [found[i] for i in sorted(kept)]


def _functions(program: n.Program) -> tuple[n.Function, ...]:
    return (*program.functions, program.kernel)


def _with(program: n.Program, index: int, path: tuple[int, ...], new: Any) -> n.Program:
    f = _replaced(_functions(program)[index], path, new)
    if index == len(program.functions):
        return dataclasses.replace(program, kernel=f)
    functions = program.functions
    return dataclasses.replace(program, functions=(*functions[:index], f, *functions[index + 1 :]))


def _places(program: n.Program, f: n.Function) -> Iterator[tuple[tuple[int, ...], Place]]:
    def below(node: n.Node, path: tuple[int, ...], parents: tuple[n.Node, ...]) -> Any:
        if path:
            yield path, Place(node, parents, f, program)
        for i, child in enumerate(children(node)):
            yield from below(child, (*path, i), (*parents, node))

    return below(f, (), ())


def _replaced(node: Any, path: tuple[int, ...], new: Any) -> Any:
    """Return the node with what stands at a path (ordinals of children) replaced; a list takes a statement's place."""
    count = -1

    def visit(child: n.Node) -> Any:
        nonlocal count
        count += 1
        if count != path[0]:
            return child
        return new if len(path) == 1 else _replaced(child, path[1:], new)

    return rebuild(node, visit)


def _sound(program: n.Program) -> bool:
    try:
        validate(program)
    except InvalidProgram:
        return False
    return True


def _smaller_arrays(program: n.Program) -> Iterator[tuple[n.Declare, n.Program]]:
    """Shared arrays with one element, or one row, less."""
    for i, f in enumerate(_functions(program)):
        for declared in memory.shared_arrays(f):
            whole = declared.type
            assert isinstance(whole, Array)
            shorter = dataclasses.replace(whole, length=whole.length - 1)

            def visit(node: n.Node, declared: n.Declare = declared, shorter: Any = shorter) -> Any:
                node = rebuild(node, visit)
                if isinstance(node, n.Var | n.Declare) and node.name == declared.name and node.type == declared.type:
                    return dataclasses.replace(node, type=shorter)
                return node

            mutated = visit(f)
            assert any(x is not y for x, y in zip(walk(mutated), walk(f), strict=True))
            if i == len(program.functions):
                yield declared, dataclasses.replace(program, kernel=mutated)
            else:
                others = program.functions
                yield declared, dataclasses.replace(program, functions=(*others[:i], mutated, *others[i + 1 :]))
