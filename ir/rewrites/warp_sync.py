"""Warp-synchronous code: the barriers that CUDA before Volta did not need, put where they are needed now.

`volatile float* s = ...; s[t] += s[t + 16]; s[t] += s[t + 8];` counts on 32 lanes that run in lockstep, the loads of
each statement before its stores. No language promises that today. Every store through volatile shared memory that
no barrier follows becomes: load, barrier of the subgroup, store, barrier of the subgroup.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from .. import nodes as n
from ..analysis.usage import names_used
from ..types import BOOL, Pointer, Scalar, Space, Vector
from ..walk import map_functions, walk
from .pieces import zero

if TYPE_CHECKING:
    from collections.abc import Sequence


def insert_warp_barriers(program: n.Program) -> n.Program:
    """Return the program with the barriers of a subgroup that its volatile shared stores need, marked as implied."""
    width = program.subgroup_width or 32
    new = map_functions(program, lambda f: _Function(f).run())
    return new if new == program else dataclasses.replace(new, subgroup_width=width)


def implied_barriers(program: n.Program) -> list[n.Barrier]:
    """Return the first implied barrier of each function."""
    found: list[n.Barrier] = []
    for f in (program.kernel, *program.functions):
        mine = [s for s in walk(f.body) if isinstance(s, n.Barrier) and s.implied]
        found += mine[:1]
    return found


def _one_thread(cond: n.Expr) -> bool:
    return any(isinstance(x, n.Binary) and x.op == "==" for x in walk(cond))


class _Function:
    def __init__(self, f: n.Function) -> None:
        self.f = f
        self.taken = names_used(f)
        self.volatile = {s.name for s in walk(f.body) if isinstance(s, n.Declare) and s.volatile}

    def run(self) -> n.Function:
        body = self.block(self.f.body)
        return self.f if body == self.f.body else dataclasses.replace(self.f, body=body)

    def block(self, body: Sequence[n.Stmt]) -> tuple[n.Stmt, ...]:
        out: list[n.Stmt] = []
        for i, s in enumerate(body):
            after = body[i + 1] if i + 1 < len(body) else None
            if isinstance(after, n.Barrier) or not self.ladder(body, i):
                out.append(self.inner(s))
            elif isinstance(s, n.Assign):
                out += self.split(s, None)
            elif isinstance(s, n.If) and isinstance(s.then[0], n.Assign):
                out += self.split(s.then[0], s)
        return tuple(out)

    def inner(self, s: n.Stmt) -> n.Stmt:
        match s:
            case n.If():
                # what one thread does needs no other
                then = s.then if _one_thread(s.cond) else self.block(s.then)
                return dataclasses.replace(s, then=then, other=self.block(s.other))
            case n.For() | n.While() | n.Block():
                return dataclasses.replace(s, body=self.block(s.body))
            case _:
                return s

    def ladder(self, body: Sequence[n.Stmt], i: int) -> bool:
        """Whether statement `i` is a volatile store (alone, or all there is in an if) that others' loads may meet."""
        s = body[i]
        store = s.then[0] if isinstance(s, n.If) and len(s.then) == 1 and not s.other else s
        if not isinstance(store, n.Assign) or not self.shared(store.target):
            return False
        if isinstance(s, n.If) and _one_thread(s.cond) and not any(self.touches(x) for x in body[i + 1 :]):
            return False
        reads = [x for x in walk(store.value) if self.shared(x) and x != store.target]
        later = any(self.touches(x) for x in body[i + 1 :])
        return bool(reads) or later

    def touches(self, s: n.Stmt) -> bool:
        return any(self.shared(x) for x in walk(s))

    def shared(self, e: n.Node) -> bool:
        """Whether an expression is volatile shared memory."""
        while isinstance(e, n.Component | n.Field) or (isinstance(e, n.Element) and isinstance(e.base, n.Element)):
            e = e.base
        if isinstance(e, n.Element) and isinstance(e.base, n.Var) and e.base.name in self.volatile:
            return True
        pointer = e.base if isinstance(e, n.Element) else e.pointer if isinstance(e, n.Deref) else None
        t = pointer.type if pointer is not None else None
        return isinstance(t, Pointer) and t.volatile and t.space is Space.SHARED

    def split(self, s: n.Assign, guard: n.If | None) -> list[n.Stmt]:
        loc = s.loc
        barrier = n.Barrier(n.Scope.SUBGROUP, implied=True, loc=loc)
        t = s.target.type
        value = s.value
        if s.op is not None:
            assert isinstance(t, Scalar | Vector)
            value = n.Binary(s.op, s.target, s.value, t, loc=loc)
        reads = any(self.shared(x) for x in walk(value))
        out: list[n.Stmt] = []
        if guard is not None:
            cond = n.Var(self.fresh("takes_part"), BOOL)
            out.append(n.Declare(cond.name, BOOL, guard.cond, const=True, comments=guard.comments, loc=guard.loc))
            guard = dataclasses.replace(guard, cond=cond, comments=())
        if reads and isinstance(t, Scalar | Vector):
            name = self.fresh("sum" if s.op == "+" else "next")
            held = n.Var(name, t)
            if guard is None:
                out.append(n.Declare(name, t, value, const=True, comments=s.comments, loc=loc))
            else:
                out.append(n.Declare(name, t, zero(t), loc=loc))
                out.append(dataclasses.replace(guard, then=(n.Assign(held, value, comments=s.comments, loc=loc),)))
            out.append(barrier)
            s = n.Assign(s.target, held, loc=loc, trailing=s.trailing)
        out.append(s if guard is None else dataclasses.replace(guard, then=(s,)))
        return [*out, barrier]

    def fresh(self, name: str) -> str:
        found = next(c for k in range(1, 10000) if (c := name if k == 1 else f"{name}_{k}") not in self.taken)
        self.taken.add(found)
        return found
