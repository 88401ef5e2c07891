"""Plain reads that only guess: their value reaches nothing but a compare-and-swap of the same memory, which checks it.

The idiom of the CUDA C++ Programming Guide for an atomic that the hardware does not have:

    old = *p;  do { assumed = old; old = atomicCAS(p, assumed, f(assumed)); } while (assumed != old);

The plain read races with other threads' atomics, and harmlessly so: a stale or torn value is not what the memory holds,
the swap fails, and whatever was computed from it is dropped. A read is a guess where every use of its value is one of

- a copy to another variable, with or without a change of type that keeps the bits;
- the expected operand of a compare-and-swap of the same address;
- the new value of one whose expected operand is a copy of the very value that was read;
- a comparison (== or !=) of such a copy with what that compare-and-swap gave; where they are equal, the guess is true
  and its value may go anywhere.

A function whose result is such a swap's (as the helper that Metal's ports call) is one itself; see `swapping`.

Anything else (a condition, an index, a result) makes it an ordinary read, whose race is reported.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import permutations
from typing import Final

from ...ir import nodes as ir
from ...ir.types import Pointer, Scalar
from ...ir.walk import children, walk

_STATES: Final = 64
"""More different states than this at one place: the read is taken for an ordinary one."""


class _Elsewhere(Exception):
    """The value goes somewhere else."""


@dataclass(frozen=True, slots=True)
class _State:
    """Variables that hold the value last read, what was computed from it, what a swap expecting it gave, and what is
    left of values read before."""

    copies: frozenset[str] = frozenset()
    derived: frozenset[str] = frozenset()
    swapped: frozenset[str] = frozenset()
    stale: frozenset[str] = frozenset()

    @property
    def tainted(self) -> frozenset[str]:
        return self.copies | self.derived | self.stale

    def without(self, name: str) -> _State:
        gone = {name}
        return _State(self.copies - gone, self.derived - gone, self.swapped - gone, self.stale - gone)


_States = frozenset[_State]
_CLEAN: Final = _State()


@dataclass(frozen=True, slots=True)
class _After:
    """The states behind a statement: where it goes on, where it left the loop, and where it began its next round."""

    on: _States = frozenset()
    breaks: _States = frozenset()
    continues: _States = frozenset()


Swaps = Mapping[str, tuple[int, int, int]]
"""Functions that compare and swap: by name, the places of the address, the expected value and the new one."""


def swapping(functions: Iterable[ir.Function]) -> Swaps:
    """Return the functions that do no more than a compare-and-swap, perhaps several times, of what they are given.

    Such a function uses the new value in swaps alone that expect the value expected, and returns what one of those
    found; or it has learned that the memory held what was expected.
    """
    found: dict[str, tuple[int, int, int]] = {}
    for f in functions:
        kinds = [isinstance(p.type, Pointer) for p in f.params]
        if len(kinds) != 3 or kinds.count(True) != 1 or not any(_swap(n, {}) for n in walk(f)):
            continue
        at = kinds.index(True)
        place = ir.Var(f.params[at].name, f.params[at].type)
        for expected, new in permutations({0, 1, 2} - {at}):
            first = _State(frozenset({f.params[expected].name}), frozenset({f.params[new].name}))
            try:
                end = _Swapping(place, place, {}).block(f.body, frozenset({first})).on
            except _Elsewhere:
                continue
            if not end:
                found[f.name] = (at, expected, new)
                break
    return found


def _swap(e: ir.Node, calls: Swaps) -> ir.Atomic | None:
    """A compare-and-swap, or the call of a function that is one."""
    if isinstance(e, ir.Call) and e.function in calls and isinstance(e.type, Scalar):
        at, expected, new = (e.args[i] for i in calls[e.function])
        return ir.Atomic("cas", at, new, e.type, expected)
    return e if isinstance(e, ir.Atomic) and e.op == "cas" else None


def guesses(function: ir.Function, calls: Swaps) -> frozenset[int]:
    """Return the `id`s of the expressions in a function that are plain reads of memory and only guess.

    calls: the functions that compare and swap, of `swapping`.
    """
    swaps = [s for n in walk(function) if (s := _swap(n, calls))]
    if not swaps:
        return frozenset()
    targets = [_target(s) for s in swaps]
    found: set[int] = set()
    for e in walk(function):
        if not isinstance(e, (ir.Deref, ir.Element)) or not isinstance(e.type, Scalar):
            continue
        place = _place(e)
        if place is None or place not in targets or _depends(place):
            continue
        try:
            _Flow(e, place, calls).block(function.body, frozenset({_CLEAN}))
        except _Elsewhere:
            continue
        found.add(id(e))
    return frozenset(found)


def _target(swap: ir.Atomic) -> ir.Expr | None:
    return _normal(swap.pointer)


def _place(e: ir.Deref | ir.Element) -> ir.Expr | None:
    if isinstance(e, ir.Deref):
        return _normal(e.pointer)
    if isinstance(e.base.type, Pointer):
        return _moved(e.base, e.index)
    return ir.Element(e.base, _bare(e.index), e.type)


def _normal(pointer: ir.Expr) -> ir.Expr | None:
    """An address in the one form that all spellings of it have, without the type that it is seen as."""
    while isinstance(pointer, ir.PointerCast):
        pointer = pointer.pointer
    if isinstance(pointer, ir.AddressOf):
        memory = pointer.memory
        return _place(memory) if isinstance(memory, (ir.Deref, ir.Element)) else None
    if isinstance(pointer, ir.Offset):
        return _moved(pointer.pointer, pointer.delta)
    return pointer if isinstance(pointer, ir.Var) else None


def _moved(pointer: ir.Expr, delta: ir.Expr) -> ir.Expr | None:
    base, seen = _normal(pointer), pointer.type
    if base is None or not isinstance(base.type, Pointer) or not isinstance(seen, Pointer):
        return None
    if isinstance(seen.elem, Pointer) or isinstance(base.type.elem, Pointer) or seen.elem.size != base.type.elem.size:
        return None
    return ir.Offset(base, _bare(delta), base.type)


def _bare(index: ir.Expr) -> ir.Expr:
    while isinstance(index, ir.Convert):
        index = index.value
    return index


def _depends(place: ir.Expr) -> bool:
    """Whether an address depends on memory, or computing it has effects."""
    effects = (ir.Atomic, ir.Call, ir.Shuffle, ir.Vote, ir.Deref, ir.Field)
    return any(isinstance(n, effects) or (isinstance(n, ir.Element) and n is not place) for n in walk(place))


class _Flow:
    """Follows the value of one read through a function. Raises _Elsewhere where it goes where it should not."""

    def __init__(self, read: ir.Expr, place: ir.Expr, calls: Swaps) -> None:
        self.read = read
        self.place = place
        self.calls = calls
        self.names = frozenset(n.name for n in walk(place) if isinstance(n, ir.Var))

    # statements

    def block(self, body: Sequence[ir.Stmt], states: _States) -> _After:
        breaks: set[_State] = set()
        continues: set[_State] = set()
        for statement in body:
            after = self.statement(statement, states)
            states = after.on
            breaks |= after.breaks
            continues |= after.continues
        return _After(states, frozenset(breaks), frozenset(continues))

    def statement(self, x: ir.Stmt, states: _States) -> _After:
        match x:
            case ir.Declare(name=name, init=init, items=None) if init is not None:
                return _After(_each(states, lambda s: self.assigned(s, name, init)))
            case ir.Assign(target=ir.Var(name=name), value=value, op=None):
                return _After(_each(states, lambda s: self.assigned(s, name, value)))
            case ir.Assign(target=ir.Var(name=name), value=value):
                self.every(x, states)
                return _After(_each(states, lambda s: self.assigned(s, name, value)))
            case ir.Block():
                return self.block(x.body, states)
            case ir.If():
                yes, no = self.branches(x.cond, states)
                return _joined(self.block(x.then, yes), self.block(x.other, no))
            case ir.While():
                return self.loop(x.body, (), x.cond, states, post=x.post)
            case ir.For():
                return self.loop(x.body, x.step, x.cond, self.block(x.init, states).on)
            case ir.Break():
                return _After(breaks=states)
            case ir.Continue():
                return _After(continues=states)
            case ir.Return():
                self.every(x, states)
                return _After()
            case _:
                self.every(x, states)
                return _After(states)

    def loop(
        self, body: Sequence[ir.Stmt], step: Sequence[ir.Stmt], cond: ir.Expr | None, states: _States,
        *, post: bool = False,
    ) -> _After:  # fmt: skip
        seen: set[_State] = set()
        done: set[_State] = set()
        entering: Iterable[_State] = states
        asked = not post and cond is not None  # the first time round
        while fresh := frozenset(entering) - seen:
            if len(seen) + len(fresh) > _STATES:
                raise _Elsewhere
            yes = fresh
            if asked and cond is not None:
                seen |= fresh
                yes, no = self.branches(cond, fresh)
                done |= no
            elif cond is None:
                seen |= fresh
            asked = cond is not None
            after = self.block(body, yes)
            done |= after.breaks
            entering = self.block(step, after.on | after.continues).on
        return _After(frozenset(done))

    def every(self, x: ir.Node, states: _States) -> None:
        """A statement that the value may not be part of, but in compare-and-swaps."""
        for s in states:
            for child in children(x):
                self.expression(child, s)

    def branches(self, cond: ir.Expr, states: _States) -> tuple[_States, _States]:
        """The states where a condition holds, and where it does not."""
        if isinstance(cond, ir.Const):
            return (states, frozenset()) if cond.value else (frozenset(), states)
        equal = isinstance(cond, ir.Binary) and cond.op == "=="
        yes: set[_State] = set()
        no: set[_State] = set()
        for s in states:
            if isinstance(cond, ir.Binary) and cond.op in ("==", "!=") and self.proves(cond, s):
                yes.add(_CLEAN if equal else s)
                no.add(s if equal else _CLEAN)
            else:
                self.expression(cond, s)
                yes.add(s)
                no.add(s)
        return frozenset(yes), frozenset(no)

    def proves(self, cond: ir.Binary, s: _State) -> bool:
        """Whether a comparison is one of the value with what a swap expecting it gave."""
        sides = cond.left, cond.right
        return any(self.copy(a, s) and self.result(b, s) for a, b in (sides, sides[::-1]))

    def result(self, e: ir.Expr, s: _State) -> bool:
        e = _same_bits(e)
        if swap := _swap(e, self.calls):
            return self.swap(swap, s) and swap.expected is not None and self.copy(swap.expected, s)
        return isinstance(e, ir.Var) and e.name in s.swapped

    def assigned(self, s: _State, name: str, value: ir.Expr) -> _State:
        if name in self.names and s != _CLEAN:
            if s.tainted:
                raise _Elsewhere
            s = _CLEAN
        new = s.without(name)
        if _same_bits(value) is self.read:
            return _State(copies=frozenset({name}), stale=new.tainted)
        if self.copy(value, s):
            return replace(new, copies=new.copies | {name})
        if self.result(value, s):
            return replace(new, swapped=new.swapped | {name})
        if any(isinstance(n, ir.Atomic) or _swap(n, self.calls) for n in walk(value)) or not self.tainted(value, s):
            self.expression(value, s)
            return new
        self.pure(value, s)
        return replace(new, derived=new.derived | {name})

    # expressions

    def copy(self, e: ir.Expr, s: _State) -> bool:
        """Whether an expression is the value that was read, bit by bit."""
        e = _same_bits(e)
        return e is self.read or (isinstance(e, ir.Var) and e.name in s.copies)

    def tainted(self, e: ir.Node, s: _State) -> bool:
        names = s.tainted
        return any(n is self.read or (isinstance(n, ir.Var) and n.name in names) for n in walk(e))

    def pure(self, e: ir.Node, s: _State) -> None:
        """What is computed from the value may not choose memory or have effects, or be of values read before."""
        for n in walk(e):
            if isinstance(n, ir.Var) and n.name in s.stale:
                raise _Elsewhere
            if isinstance(n, (ir.Call, ir.Shuffle, ir.Vote)) and self.tainted(n, s):
                raise _Elsewhere
            if isinstance(n, (ir.Element, ir.Deref, ir.Offset)) and n is not self.read and self.tainted(n, s):
                raise _Elsewhere

    def swap(self, e: ir.Atomic, s: _State) -> bool:
        """Whether an atomic is a compare-and-swap of the address; what it may not be given raises _Elsewhere."""
        if e.op != "cas" or e.expected is None or _target(e) != self.place:
            return False
        self.expression(e.pointer, s)
        if not self.copy(e.expected, s):
            self.expression(e.expected, s)
        if self.tainted(e.value, s):
            self.pure(e.value, s)
            if not self.copy(e.expected, s):
                raise _Elsewhere
        return True

    def expression(self, e: ir.Node, s: _State) -> None:
        """An expression that the value may not be part of, but in compare-and-swaps."""
        if (swap := _swap(e, self.calls)) and self.swap(swap, s):
            return
        if e is self.read or (isinstance(e, ir.Var) and e.name in s.tainted):
            raise _Elsewhere
        for child in children(e):
            self.expression(child, s)


class _Swapping(_Flow):
    """Follows the value that a function expects, as if it had been read: its results must be those of swaps."""

    def statement(self, x: ir.Stmt, states: _States) -> _After:
        if isinstance(x, ir.Return):
            for s in states - {_CLEAN}:
                if x.value is None or not self.result(x.value, s):
                    raise _Elsewhere
            return _After()
        if isinstance(x, ir.Assign) and not isinstance(x.target, ir.Var):
            raise _Elsewhere  # it writes to memory
        return super().statement(x, states)


def _same_bits(e: ir.Expr) -> ir.Expr:
    while True:
        if isinstance(e, ir.Bitcast) or (isinstance(e, ir.Convert) and _keeps_bits(e)):
            e = e.value
        else:
            return e


def _keeps_bits(e: ir.Convert) -> bool:
    src, dst = e.value.type, e.type
    return isinstance(src, Scalar) and isinstance(dst, Scalar) and src.size == dst.size and not (
        src.is_float or dst.is_float or "bool" in (src.kind, dst.kind)
    )  # fmt: skip


def _each(states: _States, step: Callable[[_State], _State]) -> _States:
    return frozenset(map(step, states))


def _joined(a: _After, b: _After) -> _After:
    return _After(a.on | b.on, a.breaks | b.breaks, a.continues | b.continues)
