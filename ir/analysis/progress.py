"""Loops that wait for other threads: locks, flags, look-back. They end only where every group makes progress.

A loop waits if whether it goes on depends on memory that it reads again and again in one place and that others are to
change: by a volatile load, an exchange, a compare and swap with a constant (a lock that is to be free), or an atomic
that changes nothing (a poll). Loops that make progress by themselves do not: a compare and swap of what was read
before fails only where another thread succeeded, a counter of work items grows, a probe moves on to the next place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from .. import nodes as n
from ..types import Pointer, Space
from ..walk import walk
from .usage import root_variable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_NEUTRAL = {"add": 0, "sub": 0, "or": 0, "xor": 0, "and": -1}


def waiting_loop(program: n.Program) -> n.Stmt | None:
    """Return the first loop that waits for other threads, of the kernel's before those of device functions."""
    asking = _asking(program)
    for f in (program.kernel, *program.functions):
        for s in walk(f.body):
            if isinstance(s, n.For | n.While) and _waits(s, asking):
                return s
    return None


def waits(program: n.Program, loop: n.For | n.While) -> bool:
    """Tell whether a loop of the program, or one inside it, waits for other threads, of its own group too."""
    asking = _asking(program)
    shared = {
        s.name
        for f in (program.kernel, *program.functions)
        for s in walk(f.body)
        if isinstance(s, n.Declare) and s.space is Space.SHARED
    }
    return any(isinstance(s, n.For | n.While) and (_waits(s, asking) or _stands(s, shared)) for s in walk(loop))


def lock_of_lanes(program: n.Program) -> n.Stmt | None:
    """Return the first loop in which lanes of one subgroup wait for a lock that another of them may hold.

    `while (atomicCAS(lock, 0, 1) != 0) {}` in more than one lane: the one that gets the lock leaves the loop, and on a
    device whose lanes run in lockstep waits for the others, which wait for it. A loop that gives the lock back inside
    itself does not wait like that.
    """
    for f in (program.kernel, *program.functions):
        if (found := _spins(f.body)) is not None:
            return found
    return None


def _spins(body: Sequence[n.Stmt]) -> n.Stmt | None:
    for s in body:
        found: n.Stmt | None = None
        match s:
            case n.For(cond=cond, body=inside) | n.While(cond=cond, body=inside):
                asked = [cond] if cond is not None else []
                asked += [x.cond for x in walk(inside) if isinstance(x, n.If) and _leaves((*x.then, *x.other))]
                taken = [x for c in asked for x in walk(c) if isinstance(x, n.Atomic) and x.op in ("cas", "exch")]
                polled = [x for x in taken if _polls(x) and not _moves(x.pointer, _assigned(inside))]
                # one atomic more, or a store, is the lock's release
                given = [x for x in walk(inside) if isinstance(x, n.Atomic) and not any(x is t for t in taken)]
                stored = any(isinstance(x, n.Assign) and root_variable(x.target) is None for x in walk(inside))
                found = s if polled and not given and not stored else _spins(inside)
            case n.If(cond=cond, then=then, other=other):
                found = (None if _one_lane(cond) else _spins(then)) or _spins(other)
            case n.Block(body=inside):
                found = _spins(inside)
            case _:
                pass
        if found is not None:
            return found
    return None


def _one_lane(cond: n.Expr) -> bool:
    """Whether a condition picks one thread by its number."""
    return any(isinstance(x, n.Binary) and x.op == "==" for x in walk(cond))


def _asking(program: n.Program) -> set[str]:
    """The device functions whose result depends on what other threads write to one place."""
    asking: set[str] = set()
    for f in program.functions:
        returned = [s.value for s in walk(f.body) if isinstance(s, n.Return) and s.value is not None]
        if any(_asks(v, set(), _tainted(f.body, set(), asking), asking) for v in returned):
            asking.add(f.name)
    return asking


def _waits(loop: n.For | n.While, asking: set[str]) -> bool:
    step = loop.step if isinstance(loop, n.For) else ()
    inside = (*loop.body, *step)
    changed = _assigned(inside)
    tainted = _tainted(inside, changed, asking)
    conditions = [loop.cond] if loop.cond is not None else []
    conditions += [s.cond for s in walk(loop.body) if isinstance(s, n.If) and _leaves((*s.then, *s.other))]
    return any(_asks(c, changed, tainted, asking) for c in conditions)


def _stands(loop: n.For | n.While, shared: set[str]) -> bool:
    """Whether an exit hangs on memory alone that the loop neither writes nor moves along: only others can change it."""
    inside = (*loop.body, *(loop.step if isinstance(loop, n.For) else ()))
    changed = _assigned(inside)
    written = {x.name for s in walk(inside) for x in walk(_written(s)) if isinstance(x, n.Var)}
    sets = [s for s in walk(inside) if isinstance(s, n.Assign) and isinstance(s.target, n.Var)]
    driven: set[str] = set()

    def stands(e: n.Expr) -> bool:
        names = {x.name for x in walk(e) if isinstance(x, n.Var)}
        loads = any(isinstance(x, n.Element | n.Deref) for x in walk(e)) or names & (shared | driven)
        return bool(loads) and not names & ((changed - driven) | written)

    before = -1
    while before != len(driven):
        before = len(driven)
        for s in walk(inside):
            if isinstance(s, n.Declare) and s.init is not None and stands(s.init):
                driven.add(s.name)
        for name in changed - driven - shared:
            values = [s.value for s in sets if root_variable(s.target) == name]
            if values and all(stands(v) for v in values):
                driven.add(name)
    conditions = [loop.cond] if loop.cond is not None else []
    conditions += [s.cond for s in walk(loop.body) if isinstance(s, n.If) and _leaves((*s.then, *s.other))]
    return any(stands(c) for c in conditions)


def _written(s: n.Node) -> tuple[n.Expr, ...]:
    match s:
        case n.Assign(target=target):
            return () if isinstance(target, n.Var) else (target,)
        case n.Atomic(pointer=pointer):
            return (pointer,)
        case _:
            return ()


def _leaves(body: Sequence[n.Stmt]) -> bool:
    return any(isinstance(s, n.Break | n.Return) for s in walk(body))


def _assigned(body: Sequence[n.Stmt]) -> set[str]:
    """The variables that the statements change, those that they declare with a value included."""
    out: set[str] = set()
    for s in walk(body):
        if isinstance(s, n.Declare):
            out.add(s.name)
        elif isinstance(s, n.Assign) and (name := root_variable(s.target)) is not None:
            out.add(name)
    return out


def _tainted(body: Sequence[n.Stmt], changed: set[str], asking: set[str]) -> set[str]:
    """The variables whose value depends on what other threads have done."""
    found: set[str] = set()
    before = -1
    while before != len(found):
        before = len(found)
        for s in walk(body):
            if isinstance(s, n.Declare) and s.init is not None and _asks(s.init, changed, found, asking):
                found.add(s.name)
            elif isinstance(s, n.Assign) and _asks(s.value, changed, found, asking):
                found |= {name for name in (root_variable(s.target),) if name is not None}
            elif isinstance(s, n.If) and _asks(s.cond, changed, found, asking):
                found |= set(_set_flags((*s.then, *s.other)))
    return found


def _set_flags(body: Sequence[n.Stmt]) -> Iterator[str]:
    """The variables that get a constant: `done = true`."""
    for s in walk(body):
        if isinstance(s, n.Assign) and isinstance(s.value, n.Const) and isinstance(s.target, n.Var):
            yield s.target.name


def _asks(e: n.Expr, changed: set[str], tainted: set[str], asking: set[str]) -> bool:
    """Tell whether a value depends on what other threads write to one place."""
    for x in walk(e):
        match x:
            case n.Var(name=name):
                if name in tainted:
                    return True
            case n.Atomic(pointer=pointer):
                if _polls(x) and not _moves(pointer, changed):
                    return True
            case n.Element(base=base):
                if _volatile(base) and not _moves(x, changed):
                    return True
            case n.Deref(pointer=pointer):
                if _volatile(pointer) and not _moves(x, changed):
                    return True
            case n.Call(function=function, args=args) if function in asking:
                if not any(_moves(a, changed) for a in args):
                    return True
            case _:
                pass
    return False


def _polls(a: n.Atomic) -> bool:
    match a.op:
        case "cas":
            return isinstance(_plain(cast("n.Expr", a.expected)), n.Const)
        case "exch":
            return True
        case op if op in _NEUTRAL:
            value = _plain(a.value)
            same = isinstance(value, n.Const) and value.value == _NEUTRAL[op]
            return same or (op == "and" and isinstance(value, n.Const) and value.value == (1 << a.type.bits) - 1)
        case _:
            return False


def _plain(e: n.Expr) -> n.Expr:
    while isinstance(e, n.Convert):
        e = e.value
    return e


def _moves(place: n.Expr, changed: set[str]) -> bool:
    return any(isinstance(x, n.Var) and x.name in changed for x in walk(place))


def _volatile(pointer: n.Expr) -> bool:
    return isinstance(pointer.type, Pointer) and pointer.type.volatile
