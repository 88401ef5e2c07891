"""Matrix units: which of a kernel's matrices the destination multiplies, and how."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ...ir import nodes as n
from ...ir.rewrites.matrices import WIDTH, expand, fragments, tile
from ...ir.types import BF16, F16, F32, I8, I32, U8, Fragment, Scalar
from ...ir.walk import walk
from ..decisions import Questions
from .limits import has_shuffles

if TYPE_CHECKING:
    from .task import Language, Task

Shape = tuple[int, int, int]


@dataclass(frozen=True)
class Unit:
    """What a language does with a matrix unit.

    name: its functions; api: those facts of the machine model (`matrix.API.ELEMENT.ACCUMULATOR`) that tell of it;
    width: lanes that hold a matrix; shapes: M, N, K that the functions take, whatever the instructions below do; tile:
    the side of the only matrices there are, which larger ones are put together from.
    """

    name: str
    api: str
    width: int
    shapes: frozenset[Shape]
    types: frozenset[tuple[Scalar, Scalar]]
    tile: int = 0


_HALVES: Final = frozenset({(F16, F32), (F16, F16), (BF16, F32)})
_BYTES: Final = frozenset({(I8, I32), (U8, I32)})
UNITS: Final[dict[Language, Unit]] = {
    # CUDA C++ Programming Guide, "Element Types and Matrix Sizes"
    "cuda": Unit("wmma", "mma", 32, frozenset({(16, 16, 16), (32, 8, 16), (8, 32, 16)}), _HALVES | _BYTES),
    # rocWMMA's API reference, "Supported configurations": on waves of 32 lanes 16 x 16 x 16 alone
    "hip": Unit("rocWMMA", "wmma", 32, frozenset({(16, 16, 16)}), frozenset({(F16, F32), (F16, F16)}) | _BYTES),
    # Metal Shading Language Specification, section 2.4
    "metal": Unit("simdgroup_matrix", "simdgroup", 32, frozenset({(8, 8, 8)}), _HALVES | {(F32, F32)}, tile=8),
}


def matrices(task: Task) -> Task:
    """Keep matrix steps where the destination has a unit for them, build them from smaller ones, or write loops."""
    found = fragments(task.program)
    if not found:
        return task
    if task.program.language == "hip" and task.src.get("execution.subgroup_width") != WIDTH:
        return task.found("GP1104", f"rocWMMA on waves of other than {WIDTH} lanes is not read", _place(task))
    questions = Questions()
    used = ", ".join(dict.fromkeys(f"{f.m} x {f.n} x {f.k} of {f.elem}" for f in found if f.use != "c"))
    unit = UNITS.get(task.language)
    why = _missing(task, questions, unit, found)
    if unit is None or why:
        what = f"matrices of {used} multiplied in plain loops, rows passed between lanes"
        return task.decided(questions.decide(what, why, _place(task)), program=_expanded(task))
    if not unit.tile:
        return task.decided(
            questions.decide(f"matrices of {used} stay with {unit.name}", "the shape is one of its own")
        )
    tiled = tile(task.program, unit.tile, frozenset(t for pair in unit.types for t in pair))
    if tiled is None:
        why = f"{unit.name} has {unit.tile} x {unit.tile} elements, and these are passed around or do not divide"
        what = f"matrices of {used} multiplied in plain loops, rows passed between lanes"
        return task.decided(questions.decide(what, why, _place(task)), program=_expanded(task))
    what = f"matrices of {used} put together from {unit.name} of {unit.tile} x {unit.tile}"
    return task.decided(questions.decide(what, "that is what the unit multiplies", _place(task)), program=tiled)


def _expanded(task: Task) -> n.Program:
    return expand(task.program, unroll=has_shuffles(task.dst, task.language))


def _missing(task: Task, questions: Questions, unit: Unit | None, found: tuple[Fragment, ...]) -> str:
    """Why the destination's unit does not do; empty if it does."""
    width = questions.ask(task.dst, "execution.subgroup_width")
    if unit is None:
        return "the language that is written here has no matrix unit"
    if width != unit.width:
        return f"the source's matrices are held by {unit.width} lanes, a matrix instruction here takes all {width}"
    pairs = _pairs(task.program)
    for f in found:
        if (f.m, f.n, f.k) not in unit.shapes and not (unit.tile and not any(s % unit.tile for s in (f.m, f.n, f.k))):
            return f"{unit.name} has no shape {f.m} x {f.n} x {f.k}"
        if f.use == "any" and not unit.tile:
            return f"{unit.name} tells its operands apart, which the source does not"
    for a, c in sorted(pairs, key=str):
        if (a, c) not in unit.types or not questions.ask(task.dst, f"matrix.{unit.api}.{a}.{c}"):
            return f"{unit.name} does not multiply {a} into {c} here"
    return ""


def _pairs(program: n.Program) -> set[tuple[Scalar, Scalar]]:
    """The element types that are multiplied, and those of their sums."""
    found: set[tuple[Scalar, Scalar]] = set()
    for f in program.all_functions:
        for x in walk(f.body):
            if isinstance(x, n.MatrixStep) and x.op == "multiply":
                a, c = (getattr(e.type, "fragment", None) for e in (x.operands[0], x.matrix))
                if a is not None and c is not None:
                    found.add((a.elem, c.elem))
    return found


def _place(task: Task) -> n.Loc | None:
    for f in task.program.all_functions:
        for x in walk(f.body):
            if isinstance(x, n.MatrixStep) and x.op == "multiply":
                return x.loc
    return None
