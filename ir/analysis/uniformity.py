"""Which values and which control flow are the same in all threads of the grid or of a group.

A forward dataflow analysis over the structured tree, with a fixpoint at loops. Uniform means: the same among the
threads that get there. A variable is compared with its declaration: assigned under a decision that differs between
threads and that its declaration did not stand under, it varies. Loads of shared memory at a uniform address count as
uniform in the group, which holds in programs without races (a thread that wrote it since the last barrier would race
with all others that read it); loads of global memory that the kernel writes vary.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING

from .. import nodes as n
from ..printer import show_expr
from ..types import Pointer, Space, Struct, Type, flat_elem
from ..walk import children, walk
from .buffers import buffer_uses
from .usage import address_taken, root_variable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .buffers import BufferUse


class Level(IntEnum):
    """The same in the whole grid, the same in a group, or different between threads. Joined by max."""

    GRID = 0
    GROUP = 1
    THREAD = 2


@dataclass(frozen=True, slots=True)
class Control:
    """How a statement is reached: the decisions above it that differ between threads, the outermost first.

    `exits` counts those after which threads are gone for good (an early return).
    """

    decisions: tuple[str, ...] = ()
    exits: int = 0

    @property
    def divergent(self) -> bool:
        """True where only some threads of a group get here."""
        return bool(self.decisions)

    def under(self, why: str, *, gone: bool = False) -> Control:
        """Return this control after one more decision."""
        return Control((*self.decisions, why), self.exits + gone)


@dataclass(slots=True)
class Uniformity:
    """The result: for every statement of a program its control, for every condition and assigned value its level.

    Device functions are analysed for the levels of the arguments they are called with, joined over all calls, and as if
    all threads called them.
    """

    program: n.Program
    _control: dict[int, Control] = field(default_factory=dict[int, Control])
    _level: dict[int, Level] = field(default_factory=dict[int, Level])
    params: dict[tuple[str, str], Level] = field(default_factory=dict[tuple[str, str], Level])

    def control(self, s: n.Stmt) -> Control:
        """Return how a statement of the program is reached (the most divergent way, over all calls)."""
        return self._control.get(id(s), Control())

    def level(self, s: n.Stmt) -> Level:
        """Return the level of an If's or loop's condition, of an assigned or declared value, of a returned value."""
        return self._level.get(id(s), Level.GRID)

    def note(self, s: n.Stmt, control: Control, level: Level = Level.GRID) -> None:
        """Join what one visit found."""
        old = self._control.get(id(s))
        if old is None or len(control.decisions) > len(old.decisions):
            self._control[id(s)] = control
        self._level[id(s)] = max(level, self._level.get(id(s), Level.GRID))


def find_uniformity(program: n.Program, block: tuple[int, int, int] | None = None) -> Uniformity:
    """Analyse a program; `block`, if the group size is known, makes indices along axes of one thread uniform."""
    result = Uniformity(program)
    analysis = _Analysis(program, result, block, buffer_uses(program))
    kernel = program.kernel
    analysis.function(kernel, tuple(Level.GRID for _ in kernel.params), frozenset(u for u in analysis.written))
    return result


@dataclass(frozen=True, slots=True)
class _Known:
    """A variable: its level, and how many decisions (early returns apart) its declaration stood under."""

    level: Level
    depth: int


_Names = dict[str, _Known]


@dataclass(slots=True)
class _Exits:
    """The decisions after which threads have left: the function, the loop, the iteration. None: nobody has."""

    returned: str | None = None
    broke: str | None = None
    continued: str | None = None


class _Analysis:
    def __init__(
        self, program: n.Program, result: Uniformity, block: tuple[int, int, int] | None, uses: dict[str, BufferUse]
    ) -> None:
        self.functions = {f.name: f for f in program.functions}
        self.result = result
        self.block = block
        self.written = {name for name, use in uses.items() if use.written}
        self.memo: dict[tuple[str, tuple[Level, ...], frozenset[str]], Level] = {}

    def function(self, f: n.Function, levels: tuple[Level, ...], written: frozenset[str]) -> Level:
        """Analyse a function for argument levels; `written` are the pointer parameters whose memory changes."""
        key = (f.name, levels, written)
        if key not in self.memo:
            for p, level in zip(f.params, levels, strict=True):
                at = (f.name, p.name)
                self.result.params[at] = max(level, self.result.params.get(at, Level.GRID))
            self.memo[key] = _Function(self, f, levels, written).run()
        return self.memo[key]


class _Function:
    def __init__(self, analysis: _Analysis, f: n.Function, levels: tuple[Level, ...], written: frozenset[str]) -> None:
        self.analysis = analysis
        self.f = f
        self.taken = address_taken(f)
        self.assigned = {root_variable(s.target) for s in walk(f.body) if isinstance(s, n.Assign)}
        self.names: _Names = {
            p.name: _Known(Level.THREAD if p.name in self.taken else v, 0)
            for p, v in zip(f.params, levels, strict=True)
        }
        pointers = {p.name for p in f.params if isinstance(p.type, Pointer)}
        self.stable = pointers - written - {name for name in self.assigned if name is not None}
        self.shared: set[str] = set()
        self.loops: dict[tuple[int, Control, frozenset[tuple[str, _Known]]], tuple[_Names, _Exits]] = {}
        self.result = Level.GRID

    def run(self) -> Level:
        self.block(self.f.body, Control())
        return self.result

    # statements

    def block(self, body: Sequence[n.Stmt], control: Control) -> _Exits:
        """Analyse statements in order: after one that some threads leave by, the rest is reached by the others."""
        outer = set(self.names)
        left = _Exits()
        for s in body:
            gone = self.statement(s, self.after(control, left))
            left.returned = left.returned or gone.returned
            left.broke = left.broke or gone.broke
            left.continued = left.continued or gone.continued
        self.names = {k: v for k, v in self.names.items() if k in outer}
        return left

    @staticmethod
    def after(control: Control, left: _Exits) -> Control:
        if left.returned is not None:
            control = control.under(left.returned, gone=True)
        for why in (left.broke, left.continued):
            control = control.under(why) if why is not None else control
        return control

    def statement(self, s: n.Stmt, control: Control) -> _Exits:
        match s:
            case n.Declare():
                self.declare(s, control)
            case n.Assign():
                self.assign(s, control)
            case n.If():
                return self.branch(s, control)
            case n.For() | n.While():
                return self.loop(s, control)
            case n.Block(body=body):
                self.analysis.result.note(s, control)
                return self.block(body, control)
            case n.Return(value=value):
                level = self.level(value) if value is not None else Level.GRID
                self.analysis.result.note(s, control, level)
                self.result = max(self.result, Level.THREAD if control.divergent else level)
                return _Exits(returned=control.decisions[-1] if control.divergent else None)
            case n.Break():
                self.analysis.result.note(s, control)
                return _Exits(broke=control.decisions[-1] if control.divergent else None)
            case n.Continue():
                self.analysis.result.note(s, control)
                return _Exits(continued=control.decisions[-1] if control.divergent else None)
            case n.Evaluate(value=value):
                self.analysis.result.note(s, control, self.level(value))
            case _:
                self.analysis.result.note(s, control)
        return _Exits()

    def declare(self, s: n.Declare, control: Control) -> None:
        level = max((self.level(e) for e in (s.init, *(s.items or ())) if e is not None), default=Level.GRID)
        self.shared.discard(s.name)
        self.stable.discard(s.name)
        if s.space is Space.SHARED:
            self.shared.add(s.name)
            level = Level.GROUP
        elif s.name in self.taken or _is_fragment(s.type):
            level = Level.THREAD
        elif isinstance(s.type, Pointer) and s.init is not None and s.name not in self.assigned:
            self.stable |= {s.name} if self.unwritten(s.init) else set()
        self.names[s.name] = _Known(level, len(control.decisions) - control.exits)
        self.analysis.result.note(s, control, level)

    def assign(self, s: n.Assign, control: Control) -> None:
        level = max(self.level(s.value), self.level(s.target) if s.op else Level.GRID)
        for e in walk(s.target):
            level = max(level, self.level(e.index)) if isinstance(e, n.Element) else level
        self.analysis.result.note(s, control, level)
        name = root_variable(s.target)
        if name is None or name not in self.names or name in self.shared:
            return
        old = self.names[name]
        if len(control.decisions) - control.exits > old.depth:
            level = Level.THREAD
        if not isinstance(s.target, n.Var):
            level = max(level, old.level)
        self.names[name] = _Known(Level.THREAD if name in self.taken else level, old.depth)

    def branch(self, s: n.If, control: Control) -> _Exits:
        level = self.level(s.cond)
        self.analysis.result.note(s, control, level)
        inner = control.under(_because(s.cond, s)) if level is Level.THREAD else control
        before = dict(self.names)
        then = self.block(s.then, inner)
        after_then, self.names = self.names, dict(before)
        other = self.block(s.other, inner)
        self.join(after_then)
        self.decided(s, level)
        return _Exits(then.returned or other.returned, then.broke or other.broke, then.continued or other.continued)

    def join(self, names: _Names) -> None:
        for name, known in names.items():
            if name in self.names:
                self.names[name] = _Known(max(known.level, self.names[name].level), known.depth)

    def decided(self, s: n.If | n.For | n.While, level: Level) -> None:
        """Raise what a statement assigns to the level of the decision that it hangs on."""
        for x in walk(s):
            name = root_variable(x.target) if isinstance(x, n.Assign) else None
            if name is not None and name in self.names and name not in self.shared:
                known = self.names[name]
                self.names[name] = _Known(max(level, known.level), known.depth)

    def loop(self, s: n.For | n.While, control: Control) -> _Exits:
        key = (id(s), control, frozenset(self.names.items()))
        if key not in self.loops:
            exits = self.iterate(s, control)
            self.loops[key] = (dict(self.names), exits)
        names, exits = self.loops[key]
        self.names = dict(names)
        return exits

    def iterate(self, s: n.For | n.While, control: Control) -> _Exits:
        """Run a loop's body until nothing changes: levels only rise, so it ends."""
        leaves = any(isinstance(x, n.Break | n.Continue | n.Return) for x in walk(s.body))
        outer = set(self.names)
        for i in s.init if isinstance(s, n.For) else ():
            self.statement(i, control)
        why: str | None = None
        gone = _Exits()
        while True:
            before = dict(self.names)
            level = self.level(s.cond) if s.cond is not None else Level.GRID
            if level is Level.THREAD and s.cond is not None:
                why = why or _because(s.cond, s)
            self.analysis.result.note(s, control, level)
            inner = control if why is None else control.under(why)
            if gone.returned is not None:
                inner = inner.under(gone.returned, gone=True)
            left = self.block(s.body, inner)
            step = inner if left.returned is None else inner.under(left.returned, gone=True)
            if isinstance(s, n.For):
                self.block(s.step, step)
            self.join(before)
            news = (why is None and left.broke is not None) or (gone.returned is None and left.returned is not None)
            why = why or left.broke
            gone.returned = gone.returned or left.returned
            if self.names == before and not news:
                break
        self.names = {k: v for k, v in self.names.items() if k in outer}
        self.decided(s, max(level, Level.GROUP if leaves else Level.GRID))
        return _Exits(returned=gone.returned)

    # expressions

    def level(self, e: n.Expr) -> Level:
        match e:
            case n.Const():
                return Level.GRID
            case n.Var(name=name):
                return self.names[name].level if name in self.names else Level.THREAD
            case n.GridIndex(kind=kind, axis=axis):
                return self.index(kind, axis)
            case n.Element() | n.Deref():
                return self.load(e)
            case n.Atomic() | n.Shuffle():
                return Level.THREAD
            case n.Vote(kind=kind, value=value, mask=mask):
                return self.level(value) if kind in ("any", "all") and mask is None else Level.THREAD
            case n.AddressOf(memory=operand) | n.Decay(array=operand):
                return self.address(operand)
            case n.Call(function=function, args=args):
                return self.call(function, args)
            case _:
                return max((self.level(c) for c in children(e)), default=Level.GRID)  # pyright: ignore[reportArgumentType]

    def index(self, kind: n.Grid, axis: int) -> Level:
        match kind:
            case n.Grid.THREAD:
                return Level.GRID if self.analysis.block and self.analysis.block[axis] == 1 else Level.THREAD
            case n.Grid.LANE | n.Grid.SUBGROUP:
                return Level.THREAD
            case n.Grid.GROUP:
                return Level.GROUP
            case _:
                return Level.GRID

    def address(self, e: n.Expr) -> Level:
        """The level of the address of memory `e`, given that variables have one address in all threads."""
        match e:
            case n.Element(base=base, index=index):
                return max(
                    self.level(index), self.level(base) if isinstance(base.type, Pointer) else self.address(base)
                )
            case n.Deref(pointer=pointer):
                return self.level(pointer)
            case n.Component(base=base) | n.Field(base=base):
                return self.address(base)
            case _:
                return Level.GRID

    def load(self, e: n.Element | n.Deref) -> Level:
        address = self.address(e)
        base: n.Expr = e
        while isinstance(base, n.Component | n.Field) or (
            isinstance(base, n.Element) and not isinstance(base.base.type, Pointer)
        ):
            base = base.base
        if isinstance(base, n.Var):
            # an array variable: a shared one, or a private one that has a level of its own
            return max(address, self.level(base), Level.GROUP)
        pointer = base.base if isinstance(base, n.Element) else base.pointer if isinstance(base, n.Deref) else None
        t = pointer.type if pointer is not None else None
        if pointer is None or not isinstance(t, Pointer) or t.volatile:
            return Level.THREAD
        if t.space is Space.CONSTANT or self.unwritten(pointer):
            return address
        return max(address, Level.GROUP) if t.space is Space.SHARED else Level.THREAD

    def unwritten(self, pointer: n.Expr) -> bool:
        """Whether a pointer stems from a parameter whose memory the kernel never writes."""
        while isinstance(pointer, n.Offset | n.PointerCast):
            pointer = pointer.pointer
        return isinstance(pointer, n.Var) and pointer.name in self.stable

    def call(self, function: str, args: tuple[n.Expr, ...]) -> Level:
        f = self.analysis.functions.get(function)
        if f is None:
            return Level.THREAD
        written = frozenset(
            p.name for p, a in zip(f.params, args, strict=True) if isinstance(p.type, Pointer) and not self.unwritten(a)
        )
        return self.analysis.function(f, tuple(self.level(a) for a in args), written)


def _because(cond: n.Expr, s: n.Stmt) -> str:
    loc = cond.loc or s.loc
    return f"`{show_expr(cond)}`{f' (line {loc.line})' if loc else ''}"


def _is_fragment(t: Type) -> bool:
    """Whether each lane holds other elements of a matrix in a variable."""
    elem = flat_elem(t)
    return isinstance(elem, Struct) and elem.fragment is not None
