"""Collectives that not all threads of a group reach."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from .. import nodes as n
from ..walk import children, walk
from .collectives import NO_COLLECTIVES, Collective, Collectives, find_collectives
from .uniformity import Level, Uniformity, find_uniformity

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


@dataclass(frozen=True, slots=True)
class DivergentCollective:
    """A statement with a collective that only some threads reach, its line, and the decision that parts the threads."""

    statement: n.Stmt
    function: str
    loc: n.Loc | None
    why: str
    kinds: frozenset[Collective]


def divergent_collectives(
    program: n.Program,
    block: tuple[int, int, int] | None = None,
    *,
    kinds: frozenset[Collective] = frozenset((Collective.BARRIER,)),
) -> list[DivergentCollective]:
    """Return the statements whose collectives of these kinds stand under control that differs between threads.

    A call of a device function that contains one counts like the collective itself; so does code after a return,
    break or continue that only some threads take, and an operand of &&, || and ?: that is not always evaluated.
    """
    uniformity = find_uniformity(program, block)
    collectives = find_collectives(program)
    return [found for f in (*program.functions, program.kernel) for found in _in(f, uniformity, collectives, kinds)]


def _in(
    f: n.Function, uniformity: Uniformity, collectives: Collectives, kinds: frozenset[Collective]
) -> Iterator[DivergentCollective]:
    for s in statements(f.body):
        here = own_collectives(s, collectives) & kinds
        lazy = next((e for e in walk(s) if lazy_collectives(e, collectives) & kinds), None) if here else None
        control = uniformity.control(s)
        varies = isinstance(s, n.For | n.While) and uniformity.level(s) is Level.THREAD
        if here and control.divergent:
            yield DivergentCollective(s, f.name, s.loc or f.loc, control.decisions[-1], here)
        elif lazy is not None:
            yield DivergentCollective(s, f.name, lazy.loc or s.loc or f.loc, "it is not always evaluated", here)
        elif here and varies:
            yield DivergentCollective(s, f.name, s.loc or f.loc, "the loop's own condition", here)


def statements(body: Sequence[n.Stmt]) -> Iterator[n.Stmt]:
    """Yield every statement of a body, parents first."""
    for s in walk(body):
        if isinstance(s, n.Statement):
            yield cast("n.Stmt", s)


def own_collectives(s: n.Stmt, collectives: Collectives) -> frozenset[Collective]:
    """Return the collectives of a statement itself, without those of the statements inside it."""
    if isinstance(s, n.Barrier):
        return collectives.of(s)
    found = NO_COLLECTIVES
    for child in children(s):
        if not isinstance(child, n.Statement):
            found |= collectives.of(child)
    return found


def lazy_collectives(e: n.Node, collectives: Collectives) -> frozenset[Collective]:
    """Return the collectives in those operands of an expression that only some threads may evaluate."""
    match e:
        case n.Select(then=then, other=other):
            return collectives.of((then, other))
        case n.Binary(op="&&" | "||", right=right):
            return collectives.of(right)
        case _:
            return NO_COLLECTIVES
