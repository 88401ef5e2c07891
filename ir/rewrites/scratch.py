"""Subgroup operations on a device without subgroups: one shared array through which lanes exchange values."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from .. import nodes as n
from ..analysis.usage import names_used
from ..diagnostics import refuse
from ..types import U32, Array, Pointer, Space, scalar_of
from ..walk import rewrite_exprs, rewrite_stmts, walk

if TYPE_CHECKING:
    from collections.abc import Sequence

LANES = "gp_lanes"


def lane_words(program: n.Program) -> int:
    """Return the 32-bit words that one thread needs in the scratch: 0 with no shuffle or vote, 2 for 64-bit values."""
    words = 0
    for f in (*program.functions, program.kernel):
        for x in walk(f.body):
            if isinstance(x, n.Shuffle):
                words = max(words, 2 if scalar_of(x.type).bits == 64 else 1)
            elif isinstance(x, n.Vote):
                words = max(words, 1)
    return words


def add_lane_scratch(program: n.Program, threads: int) -> n.Program:
    """Declare `gp_lanes`, u32[threads * words] in shared memory, and pass it to every function that shuffles or votes.

    It is declared first in the kernel and is the last parameter of those device functions; the writer prints a Shuffle
    or Vote as a helper that stores to it, waits at a barrier of the group and loads. So all threads of the group must
    reach each of them: run `rewrites.predicate` first. Barriers of a subgroup become barriers of the group. Raises
    Refusal (GP2010) where the kernel uses the name itself.
    """
    program = widen_subgroup_barriers(program)
    words = lane_words(program)
    if not words:
        return program
    for f in (*program.functions, program.kernel):
        if LANES in names_used(f):
            raise refuse("GP2010", f"{LANES} is a name that gpuport uses in this port; rename it", f.loc)
    array, pointer = Array(U32, threads * words), Pointer(U32, Space.SHARED)
    users: set[str] = set()
    functions: list[n.Function] = []
    for f in program.functions:
        if _exchanges(f.body, users):
            users.add(f.name)
            body = _pass_on(f.body, users, n.Var(LANES, pointer))
            functions.append(dataclasses.replace(f, params=(*f.params, n.Param(LANES, pointer)), body=body))
        else:
            functions.append(f)
    kernel = program.kernel
    body = _pass_on(kernel.body, users, n.Decay(n.Var(LANES, array), pointer))
    declared = n.Declare(
        LANES, array, space=Space.SHARED, comments=("Lanes exchange values here: this device has no subgroups",)
    )
    return dataclasses.replace(
        program, functions=tuple(functions), kernel=dataclasses.replace(kernel, body=(declared, *body))
    )


def widen_subgroup_barriers(program: n.Program) -> n.Program:
    """Replace each barrier of a subgroup by one of the whole group, which orders the same memory and more."""

    def widen(s: n.Stmt) -> Sequence[n.Stmt]:
        if isinstance(s, n.Barrier) and s.scope is n.Scope.SUBGROUP:
            return [dataclasses.replace(s, scope=n.Scope.GROUP)]
        return [s]

    def in_function(f: n.Function) -> n.Function:
        return dataclasses.replace(f, body=rewrite_stmts(f.body, widen))

    return dataclasses.replace(
        program, functions=tuple(in_function(f) for f in program.functions), kernel=in_function(program.kernel)
    )


def _exchanges(body: Sequence[n.Stmt], users: set[str]) -> bool:
    return any(isinstance(x, n.Shuffle | n.Vote) or (isinstance(x, n.Call) and x.function in users) for x in walk(body))


def _pass_on(body: Sequence[n.Stmt], users: set[str], lanes: n.Expr) -> tuple[n.Stmt, ...]:
    def add(e: n.Expr) -> n.Expr:
        if isinstance(e, n.Call) and e.function in users:
            return dataclasses.replace(e, args=(*e.args, lanes))
        return e

    return tuple(rewrite_exprs(s, add) for s in body)
