"""Whether threads of a group write the same global memory one after another, with a barrier to keep the order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from .. import nodes as n
from ..types import Pointer
from ..walk import walk
from .buffers import BufferUse, Pointers


def overwritten_across_barriers(program: n.Program) -> frozenset[str]:
    """Return the buffers that are written both before and after some barrier of the group.

    Another thread may have written the same element first, so such a barrier has to order global memory, even where
    nobody reads it. Flow-sensitive in the kernel; a call counts as all that its function does, before and behind each
    of its barriers. Atomics alone need no order between them.
    """
    names = [p.name for p in program.kernel.params if isinstance(p.type, Pointer)]
    pointers = Pointers({f.name: f for f in program.functions}, {m: BufferUse() for m in names}, {})
    pointers.run(program.kernel, {m: frozenset((m,)) for m in names})
    flow = _Flow(pointers, {})
    flow.body(program.kernel.body, _State())
    return frozenset(flow.found)


@dataclass(slots=True)
class _State:
    """What has been written so far, and what was written before the last barrier: buffer names, plainly or atomically.

    A name with a `*` was written by an atomic.
    """

    written: frozenset[str] = frozenset()
    before: frozenset[str] = frozenset()

    def join(self, other: _State) -> _State:
        return _State(self.written | other.written, self.before | other.before)


@dataclass(slots=True)
class _Flow:
    pointers: Pointers
    barriers: dict[str, bool]
    found: set[str] = field(default_factory=set[str])

    def body(self, statements: Sequence[n.Stmt], state: _State) -> _State:
        for s in statements:
            state = self.statement(s, state)
        return state

    def statement(self, s: n.Stmt, state: _State) -> _State:
        match s:
            case n.If(then=then, other=other):
                state = self.simple([s.cond], state)
                return self.body(then, state).join(self.body(other, state))
            case n.For() | n.While():
                once = state
                for _ in range(2):  # what the end of one round leaves, the start of the next one meets
                    once = self.simple([s], self.body(s.body, once), inside=False)
                return state.join(once)
            case n.Block(body=body):
                return self.body(body, state)
            case n.Barrier(scope=n.Scope.GROUP):
                return _State(state.written, state.before | state.written)
            case _:
                return self.simple([s], state)

    def simple(self, roots: Sequence[n.Node], state: _State, *, inside: bool = True) -> _State:
        """Note what expressions and plain statements write; of a loop (`inside` false) all but its body."""
        for root in roots:
            parts = walk(root) if inside else _heads(root)
            for x in parts:
                if isinstance(x, n.Assign):
                    state = self.writes(self.pointers.memory(x.target), state)
                elif isinstance(x, n.Atomic):
                    state = self.writes({f"{m}*" for m in self.pointers.roots(x.pointer)}, state)
                elif isinstance(x, n.Call) and x.function in self.pointers.functions:
                    state = self.call(x, state)
        return state

    def call(self, x: n.Call, state: _State) -> _State:
        uses = {m: BufferUse() for m in self.pointers.uses}
        within = Pointers(self.pointers.functions, uses, {})
        within.to = self.pointers.to
        f = self.pointers.functions[x.function]
        within.call(f, x.args)
        written = {m if not u.atomics else f"{m}*" for m, u in uses.items() if u.written}
        state = self.writes(written, state)
        if self.has_barrier(f):
            state = self.writes(written, _State(state.written, state.before | state.written))
        return state

    def has_barrier(self, f: n.Function) -> bool:
        if f.name not in self.barriers:
            self.barriers[f.name] = False  # a recursive function is refused elsewhere
            self.barriers[f.name] = any(
                (isinstance(x, n.Barrier) and x.scope is n.Scope.GROUP)
                or (isinstance(x, n.Call) and x.function in self.pointers.functions
                    and self.has_barrier(self.pointers.functions[x.function]))
                for x in walk(f.body)
            )  # fmt: skip
        return self.barriers[f.name]

    def writes(self, names: set[str] | frozenset[str], state: _State) -> _State:
        for name in names:
            plain = name.rstrip("*")
            if plain in state.before or (name == plain and f"{plain}*" in state.before):
                self.found.add(plain)
        return _State(state.written | frozenset(names), state.before)


def _heads(loop: n.Node) -> Iterator[n.Node]:
    """The nodes of a loop's init, condition and step."""
    for part in (getattr(loop, "init", None), getattr(loop, "cond", None), getattr(loop, "step", None)):
        for x in (part,) if isinstance(part, n.Node) else part or ():
            yield from walk(x)
