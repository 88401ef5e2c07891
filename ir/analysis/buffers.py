"""What a kernel does to the buffers behind its pointer parameters."""

from __future__ import annotations

from dataclasses import dataclass, field

from .. import nodes as n
from ..types import Pointer, Scalar
from ..walk import children, walk
from .usage import root_variable


@dataclass(slots=True)
class BufferUse:
    """What a kernel does to the memory behind one pointer parameter."""

    read: bool = False
    written: bool = False
    atomics: set[tuple[str, Scalar]] = field(default_factory=set[tuple[str, Scalar]])


def buffer_uses(program: n.Program) -> dict[str, BufferUse]:
    """Return for each pointer parameter of the kernel how its memory is used, through pointer variables and calls.

    Flow-insensitive: a pointer variable may point to whatever is ever assigned to it.
    """
    params = [p.name for p in program.kernel.params if isinstance(p.type, Pointer)]
    uses = {name: BufferUse() for name in params}
    functions = {f.name: f for f in program.functions}
    Pointers(functions, uses, {}).run(program.kernel, {name: frozenset((name,)) for name in params})
    return uses


_Roots = frozenset[str]
_NOWHERE: _Roots = frozenset()


class Pointers:
    """Which buffers each pointer variable of a function may point into, given those of its parameters."""

    def __init__(
        self,
        functions: dict[str, n.Function],
        uses: dict[str, BufferUse],
        done: dict[tuple[str, tuple[tuple[str, _Roots], ...]], _Roots],
    ) -> None:
        self.functions, self.uses, self.done = functions, uses, done
        self.to: dict[str, _Roots] = {}
        self.result = _NOWHERE

    def run(self, f: n.Function, to: dict[str, _Roots]) -> _Roots:
        """Follow the pointers of a function, note what it does to the buffers; return where its result points."""
        key = (f.name, tuple(sorted(to.items())))
        if key in self.done:
            return self.done[key]
        self.to = dict(to)
        before: dict[str, _Roots] | None = None
        while before != self.to:
            before = dict(self.to)
            for s in walk(f.body):
                if isinstance(s, n.Declare) and s.init is not None and isinstance(s.type, Pointer):
                    self.add(s.name, self.roots(s.init))
                elif isinstance(s, n.Assign) and isinstance(s.target.type, Pointer) and s.op is None:
                    self.add(root_variable(s.target), self.roots(s.value))
                elif isinstance(s, n.Return) and s.value is not None:
                    self.result |= self.roots(s.value)
        for s in walk(f.body):
            self.effects(s)
        self.done[key] = self.result
        return self.result

    def add(self, name: str | None, roots: _Roots) -> None:
        """Let a variable point to `roots` too; None is a place that is not followed."""
        if name is not None:
            self.to[name] = self.to.get(name, _NOWHERE) | roots
            return
        # a pointer stored through a pointer: whoever reads it back is not followed, so every buffer may be meant
        for use in self.uses.values():
            use.read = use.written = True

    def roots(self, e: n.Expr) -> _Roots:
        """Return the buffers that a pointer, or memory, may point into."""
        match e:
            case n.Var(name=name):
                return self.to.get(name, _NOWHERE)
            case n.Offset(pointer=inner) | n.PointerCast(pointer=inner) | n.Deref(pointer=inner):
                return self.roots(inner)
            case n.AddressOf(memory=inner) | n.Decay(array=inner) | n.Element(base=inner):
                return self.roots(inner)
            case n.Component(base=inner) | n.Field(base=inner):
                return self.roots(inner)
            case n.Select(then=then, other=other):
                return self.roots(then) | self.roots(other)
            case n.Call(function=function, args=args) if function in self.functions:
                return self.call(self.functions[function], args)
            case _:
                return _NOWHERE

    def call(self, f: n.Function, args: tuple[n.Expr, ...]) -> _Roots:
        """Follow a call with these arguments."""
        to = {p.name: self.roots(a) for p, a in zip(f.params, args, strict=True) if isinstance(p.type, Pointer)}
        return Pointers(self.functions, self.uses, self.done).run(f, to)

    def effects(self, s: n.Node) -> None:
        """Note what one node does to the buffers."""
        match s:
            case n.Assign(target=target, op=op):
                for name in self.memory(target):
                    self.uses[name].written = True
                    self.uses[name].read |= op is not None
                self.address(target)
                self.loads(s.value)
            case n.Atomic(pointer=pointer, op=op, type=t):
                for name in self.roots(pointer) & self.uses.keys():
                    self.uses[name].atomics.add((op, t))
                    self.uses[name].written = self.uses[name].read = True
            case n.Call(function=function, args=args) if function in self.functions:
                self.call(self.functions[function], args)
            case n.MatrixStep(op="load" | "store", operands=(pointer, _)):
                for name in self.roots(pointer) & self.uses.keys():
                    self.uses[name].read |= s.op == "load"
                    self.uses[name].written |= s.op == "store"
                self.loads(s)
            case n.Statement():
                self.loads(s)
            case _:
                pass

    def loads(self, e: n.Node) -> None:
        """Note the buffers that evaluating an expression reads."""
        match e:
            case n.AddressOf(memory=operand) | n.Decay(array=operand):
                self.address(operand)
            case n.Element() | n.Deref() | n.Component() | n.Field():
                for name in self.memory(e):
                    self.uses[name].read = True
                self.address(e)
            case _:
                for c in children(e):
                    if not isinstance(c, n.Statement):
                        self.loads(c)

    def address(self, e: n.Node) -> None:
        """Note the buffers that finding the address of memory `e` reads."""
        match e:
            case n.Component(base=base) | n.Field(base=base):
                self.address(base)
            case n.Element(base=base, index=index):
                self.loads(index)
                self.loads(base) if isinstance(base.type, Pointer) else self.address(base)
            case n.Deref(pointer=pointer):
                self.loads(pointer)
            case _:
                for c in children(e):
                    self.loads(c)

    def memory(self, e: n.Expr) -> _Roots:
        """The buffers that memory `e` may be a part of."""
        while isinstance(e, n.Component | n.Field) or (
            isinstance(e, n.Element) and not isinstance(e.base.type, Pointer)
        ):
            e = e.base
        if isinstance(e, n.Element):
            return self.roots(e.base) & self.uses.keys()
        return self.roots(e.pointer) & self.uses.keys() if isinstance(e, n.Deref) else _NOWHERE
