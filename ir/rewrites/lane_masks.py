"""CUDA's warp masks, and the other languages, whose subgroup operations take the lanes that are active."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, cast

from .. import nodes as n
from ..analysis.collectives import Collective
from ..analysis.divergence import divergent_collectives
from ..types import BOOL, U32
from ..walk import map_functions, rebuild, rewrite_exprs, rewrite_stmts, walk

if TYPE_CHECKING:
    from collections.abc import Sequence

_ACTIVE = n.Vote("active", n.Const(True, BOOL), U32)


def has_lane_masks(program: n.Program) -> bool:
    """Tell whether a subgroup operation of the program names its lanes, or asks which are active."""
    return any(_masked(x) for f in (*program.functions, program.kernel) for x in walk(f.body))


def active_masks(program: n.Program) -> list[n.Vote]:
    """Return the places that ask which lanes are active."""
    found = (x for f in (*program.functions, program.kernel) for x in walk(f.body))
    return [x for x in found if isinstance(x, n.Vote) and x.kind == "active"]


def drop_lane_masks(program: n.Program) -> n.Program:
    """Return the program without masks, with the same results.

    CUDA demands that exactly the lanes of a mask execute the operation together, so a shuffle's or barrier's mask says
    nothing more. Lanes with different masks may meet at one vote, where each counts its own: a vote with a mask becomes
    a ballot of the active lanes and an `and`.
    """

    def expression(e: n.Expr) -> n.Expr:
        match e:
            case n.Shuffle(mask=mask) if mask is not None:
                return dataclasses.replace(e, mask=None)
            case n.Vote(kind="active"):
                return dataclasses.replace(e, kind="ballot")
            case n.Vote(mask=mask) if mask is not None:
                return _vote(e, mask)
            case _:
                return e

    def statement(s: n.Stmt) -> Sequence[n.Stmt]:
        return [dataclasses.replace(s, mask=None)] if isinstance(s, n.Barrier) and s.mask is not None else [s]

    def function(f: n.Function) -> n.Function:
        f = rewrite_exprs(f, expression)
        return dataclasses.replace(f, body=rewrite_stmts(f.body, statement))

    return map_functions(program, function) if has_lane_masks(program) else program


def add_lane_masks(program: n.Program, block: tuple[int, int, int] | None = None) -> n.Program:
    """Return the program with the active lanes named, `__activemask()`, where only some lanes may take part.

    For programs from languages without masks, on their way to CUDA: there an operation without one is of the whole
    warp, and waits for lanes that went another way.
    """
    found = divergent_collectives(program, block, kinds=frozenset((Collective.SUBGROUP,)))
    if not found:
        return program
    marked = {id(d.statement) for d in found}
    reached = {x.function for d in found for x in walk(d.statement) if isinstance(x, n.Call)}
    for f in reversed(program.functions):  # callees stand before their callers
        if f.name in reached:
            reached |= {x.function for x in walk(f.body) if isinstance(x, n.Call)}

    def named(node: n.Node, partial: bool) -> n.Node:
        partial = partial or id(node) in marked
        new = rebuild(node, lambda child: named(child, partial))
        match new:
            case n.Shuffle(mask=None) | n.Vote(mask=None) | n.Barrier(mask=None, scope=n.Scope.SUBGROUP) if partial:
                return (
                    new if isinstance(new, n.Vote) and new.kind == "active" else dataclasses.replace(new, mask=_ACTIVE)
                )
            case _:
                return new

    return map_functions(program, lambda f: cast("n.Function", named(f, f.name in reached)))


def _vote(e: n.Vote, mask: n.Expr) -> n.Expr:
    value = n.Unary("!", e.value, BOOL) if e.kind == "all" else e.value
    ballot = n.Vote("ballot", value, U32, e.width, loc=e.loc)
    mine = n.Binary("&", ballot, mask, U32, loc=e.loc)
    if e.kind == "ballot":
        return mine
    return n.Binary("==" if e.kind == "all" else "!=", mine, n.Const(0, U32), BOOL, loc=e.loc)


def _masked(x: n.Node) -> bool:
    if isinstance(x, n.Vote) and x.kind == "active":
        return True
    return isinstance(x, n.Shuffle | n.Vote | n.Barrier) and x.mask is not None
