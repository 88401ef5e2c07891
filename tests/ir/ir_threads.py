"""A slow, plain executor for small integer programs: one Python generator a thread, which stops at each collective.

It is an oracle for rewrites that shares no code with them or with the emulator. Threads of a group meet at barriers,
those of a 32-lane subgroup at shuffles and votes. CUDA's rule counts threads that have not returned; the kinds in
`strict` must be reached by all threads of the group.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from gpuport.ir import nodes as n
from gpuport.ir.types import BOOL, Array, Pointer, Space

if TYPE_CHECKING:
    from collections.abc import Generator

WIDTH = 32


class Diverged(Exception):
    """Some threads did not come to a collective, or came to another one."""


class _Leave(Exception):
    def __init__(self, kind: str, value: Any = None) -> None:
        self.kind, self.value = kind, value


class _Cell:
    """A shared variable that is no array."""

    def __init__(self, value: Any) -> None:
        self.value = value


class _View:
    """A pointer into a list."""

    def __init__(self, base: Any, offset: int) -> None:
        self.base, self.offset = base, offset

    def __len__(self) -> int:
        return max(len(self.base) - self.offset, 0)

    def __getitem__(self, i: int) -> Any:
        return self.base[self.offset + i]

    def __setitem__(self, i: int, value: Any) -> None:
        self.base[self.offset + i] = value


def wrap(v: Any, t: Any) -> Any:
    if isinstance(v, bool) or t == BOOL:
        return bool(v)
    if isinstance(v, float):
        return v
    bits = t.bits
    v &= (1 << bits) - 1
    return v - (1 << bits) if t.signed and v >> (bits - 1) else v


Trace = dict[tuple[int, int], dict[int, list[Any]]]


def run(
    program: n.Program,
    args: dict[str, Any],
    threads: int,
    *,
    strict: str = "",
    groups: int = 1,
    trace: Trace | None = None,
) -> dict[str, Any]:
    """Run and return the buffers; lists are copied.

    `trace` receives, by id of a statement and group, each thread's assigned values and conditions, in order.
    """
    memory = {k: list(v) if isinstance(v, list) else v for k, v in args.items()}
    for g in range(groups):
        _group(program, memory, threads, g, groups, strict, trace)
    return memory


def _group(
    program: n.Program, memory: dict[str, Any], threads: int, g: int, groups: int, strict: str, trace: Trace | None
) -> None:
    shared: dict[str, Any] = {}
    machines = [_Thread(program, memory, shared, t, threads, g, groups, trace).main() for t in range(threads)]
    waiting: dict[int, tuple[str, Any, Any]] = {}
    live = set(range(threads))

    def advance(t: int, value: Any) -> None:
        try:
            waiting[t] = machines[t].send(value)
        except StopIteration:
            waiting.pop(t, None)
            live.discard(t)

    for t in range(threads):
        advance(t, None)
    while live:
        moved = False
        for first in sorted(live):
            kind = waiting[first][0]
            all_ = strict == "all" or (strict == "barriers" and kind == "barrier")
            everyone = set(range(threads)) if all_ else live
            whole = kind == "barrier" or all_
            team = everyone if whole else {t for t in everyone if t // WIDTH == first // WIDTH}
            if any(t not in live or waiting[t][:2] != waiting[first][:2] for t in team):
                continue
            offers = {t: waiting[t][2] for t in team}
            for t in sorted(team):
                advance(t, _exchange(kind, t, offers))
            moved = True
            break
        if not moved:
            raise Diverged({t: waiting[t][:2] for t in sorted(live)})


def _exchange(kind: str, t: int, offers: dict[int, Any]) -> Any:
    if kind == "barrier":
        return None
    width = offers[t][-1] or WIDTH
    base = t - t % width
    if kind in ("any", "all", "ballot"):
        votes = {u: offers[u][0] for u in offers if u - u % width == base}
        if kind == "ballot":
            return sum(1 << (u % WIDTH) for u, v in votes.items() if v)
        return any(votes.values()) if kind == "any" else all(votes.values())
    value, lane, _ = offers[t]
    own = t % width
    source = {"idx": lane % width, "up": own - lane, "down": own + lane, "xor": own ^ lane}[kind]
    if not 0 <= source < width:
        return value
    return offers[base + source][0] if base + source in offers else 0


class _Thread:
    def __init__(
        self,
        program: n.Program,
        memory: Any,
        shared: Any,
        t: int,
        threads: int,
        g: int,
        groups: int,
        trace: Trace | None,
    ) -> None:
        self.trace = trace
        self.program, self.memory, self.shared = program, memory, shared
        self.t, self.threads, self.g, self.groups = t, threads, g, groups
        self.steps = 0

    def main(self) -> Generator[Any, Any, Any]:
        scope = {p.name: self.memory[p.name] for p in self.program.kernel.params}
        with contextlib.suppress(_Leave):
            yield from self.block(self.program.kernel.body, scope)

    def note(self, s: n.Stmt, value: Any) -> None:
        if self.trace is not None:
            self.trace.setdefault((id(s), self.g), {}).setdefault(self.t, []).append(value)

    def block(self, body: Any, scope: dict[str, Any]) -> Generator[Any, Any, None]:
        for s in body:
            yield from self.stmt(s, scope)

    def stmt(self, s: n.Stmt, scope: dict[str, Any]) -> Generator[Any, Any, None]:
        self.steps += 1
        if self.steps > 20000:
            raise RuntimeError("endless")
        match s:
            case n.Declare():
                if s.space is Space.SHARED:
                    fresh = _fresh(s.type)
                    store = fresh if isinstance(s.type, Array) else _Cell(fresh)
                    scope[s.name] = self.shared.setdefault(id(s), store)
                elif isinstance(s.type, Array):
                    scope[s.name] = _fresh(s.type)
                    for k, item in enumerate(s.items or ()):
                        scope[s.name][k] = yield from self.expr(item, scope)
                else:
                    scope[s.name] = (yield from self.expr(s.init, scope)) if s.init is not None else 77
                    self.note(s, scope[s.name])
            case n.Assign():
                value = yield from self.expr(s.value, scope)
                if s.op is not None:
                    old = yield from self.expr(s.target, scope)
                    value = _binary(s.op, old, value, s.target.type)
                self.note(s, value)
                if isinstance(s.target, n.Var):
                    old = scope.get(s.target.name)
                    if isinstance(old, _Cell):
                        old.value = value
                    else:
                        scope[s.target.name] = value
                else:
                    assert isinstance(s.target, n.Element)
                    base = yield from self.expr(s.target.base, scope)
                    index = yield from self.expr(s.target.index, scope)
                    assert 0 <= index < len(base), "out of bounds"
                    base[index] = value
            case n.Evaluate(value=value):
                yield from self.expr(value, scope)
            case n.If():
                cond = yield from self.expr(s.cond, scope)
                self.note(s, cond)
                yield from self.block(s.then if cond else s.other, scope)
            case n.For() | n.While():
                yield from self.loop(s, scope)
            case n.Return(value=value):
                raise _Leave("return", (yield from self.expr(value, scope)) if value is not None else None)
            case n.Break():
                raise _Leave("break")
            case n.Continue():
                raise _Leave("continue")
            case n.Barrier():
                yield ("barrier", id(s), None)
            case n.Block(body=body):
                yield from self.block(body, scope)
            case _:
                raise TypeError(s)

    def loop(self, s: Any, scope: dict[str, Any]) -> Generator[Any, Any, None]:
        if isinstance(s, n.For):
            yield from self.block(s.init, scope)
        post = isinstance(s, n.While) and s.post
        while post or s.cond is None or (yield from self.expr(s.cond, scope)):
            self.steps += 1
            if self.steps > 20000:
                raise RuntimeError("endless")
            try:
                yield from self.block(s.body, scope)
            except _Leave as leave:
                if leave.kind == "return":
                    raise
                if leave.kind == "break":
                    return
            if isinstance(s, n.For):
                yield from self.block(s.step, scope)
            if post and not (yield from self.expr(s.cond, scope)):
                return

    def expr(self, e: Any, scope: dict[str, Any]) -> Generator[Any, Any, Any]:
        match e:
            case n.Const(value=value):
                return value
            case n.Var(name=name):
                found = scope[name]
                return found.value if isinstance(found, _Cell) else found
            case n.Atomic(op="add", pointer=n.AddressOf(memory=n.Var(name=name)), value=value):
                more = yield from self.expr(value, scope)
                cell = scope[name]
                cell.value, old = wrap(cell.value + more, e.type), cell.value
                return old
            case n.GridIndex(kind=kind, axis=axis):
                if axis:
                    return 0 if kind in (n.Grid.THREAD, n.Grid.GROUP) else 1
                return {
                    n.Grid.THREAD: self.t,
                    n.Grid.GROUP: self.g,
                    n.Grid.GROUP_SIZE: self.threads,
                    n.Grid.GRID_SIZE: self.groups,
                }[kind]
            case n.Convert(value=value, type=t):
                return wrap((yield from self.expr(value, scope)), t)
            case n.Unary(op=op, value=value):
                v = yield from self.expr(value, scope)
                return (not v) if op == "!" else wrap(-v if op == "-" else ~v, e.type)
            case n.Binary(op="&&", left=left, right=right):
                return (yield from self.expr(left, scope)) and (yield from self.expr(right, scope))
            case n.Binary(op="||", left=left, right=right):
                return (yield from self.expr(left, scope)) or (yield from self.expr(right, scope))
            case n.Binary(op=op, left=left, right=right):
                a = yield from self.expr(left, scope)
                b = yield from self.expr(right, scope)
                return _binary(op, a, b, e.type)
            case n.Select():
                cond = yield from self.expr(e.cond, scope)
                return (yield from self.expr(e.then if cond else e.other, scope))
            case n.Element(base=base, index=index):
                b = yield from self.expr(base, scope)
                i = yield from self.expr(index, scope)
                assert 0 <= i < len(b), "out of bounds"
                return b[i]
            case n.Decay(array=array):
                return (yield from self.expr(array, scope))
            case n.Offset(pointer=pointer, delta=delta):
                base = yield from self.expr(pointer, scope)
                return _View(base, (yield from self.expr(delta, scope)))
            case n.MathCall(fn="max" | "min" as fn, args=args):
                values = []
                for a in args:
                    values.append((yield from self.expr(a, scope)))
                return max(values) if fn == "max" else min(values)
            case n.Call(function=function, args=args):
                f = self.program.function(function)
                inner = {}
                for p, a in zip(f.params, args, strict=True):
                    inner[p.name] = yield from self.expr(a, scope)
                try:
                    yield from self.block(f.body, inner)
                except _Leave as leave:
                    return leave.value
                return None
            case n.Shuffle(kind=kind, value=value, lane=lane, width=width):
                v = yield from self.expr(value, scope)
                i = yield from self.expr(lane, scope)
                return (yield (kind, _key(e), (v, i, width)))
            case n.Vote(kind=kind, value=value, width=width):
                v = yield from self.expr(value, scope)
                return (yield (kind, _key(e), (v, width)))
            case _:
                raise TypeError(e)


def _key(e: n.Expr) -> int:
    return id(e)


def _fresh(t: Any) -> Any:
    if isinstance(t, Array):
        return [_fresh(t.elem) for _ in range(t.length)]
    assert not isinstance(t, Pointer)
    return 0


def _binary(op: str, a: Any, b: Any, t: Any) -> Any:
    match op:
        case "+" | "-" | "*":
            return wrap({"+": a + b, "-": a - b, "*": a * b}[op], t)
        case "/":
            assert b != 0
            return wrap(int(a / b), t)
        case "%":
            assert b != 0
            return wrap(a - int(a / b) * b, t)
        case "&" | "|" | "^":
            return wrap({"&": a & b, "|": a | b, "^": a ^ b}[op], t)
        case "<<" | ">>":
            return wrap(a << b if op == "<<" else a >> b, t)
        case _:
            return {"==": a == b, "!=": a != b, "<": a < b, "<=": a <= b, ">": a > b, ">=": a >= b}[op]
