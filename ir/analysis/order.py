"""Which buffers may depend on the order in which threads add floats atomically."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, TypeAlias

from .. import nodes as n
from ..types import Array, Pointer, Struct, Type, scalar_of
from ..walk import walk

_Name: TypeAlias = "tuple[str, str]"
_Names: TypeAlias = "frozenset[_Name]"
_NONE: Final[_Names] = frozenset()
_ORDER: Final[_Names] = frozenset({("", "order")})
_RESULT: Final = "return"  # no variable's name


def order_dependent(program: n.Program) -> frozenset[str]:
    """Return the kernel's pointer parameters whose memory may hold what depends on the order of float atomics.

    Data and control are followed through variables, memory and calls, with no regard to the order of statements.
    """
    flows = [flow for f in program.all_functions for flow in _Flows(f, program).found]
    tainted: set[_Name] = set(_ORDER)
    before = 0
    while before != len(tainted):
        before = len(tainted)
        for targets, sources in flows:
            if not sources.isdisjoint(tainted):
                tainted |= targets
    kernel = program.kernel
    return frozenset(p.name for p in kernel.params if isinstance(p.type, Pointer) and (kernel.name, p.name) in tainted)


def adds_floats(a: n.Atomic) -> bool:
    """Tell whether an atomic adds floats, if only by comparing and swapping the bits of a sum."""
    if a.op in ("add", "sub"):
        return a.type.is_float
    casts = (x for x in walk(a.value) if isinstance(x, n.Bitcast)) if a.op == "cas" else ()
    return any(isinstance(x, n.Binary) and x.op in "+-" and _float(x.type) for c in casts for x in walk(c.value))


def _float(t: Type) -> bool:
    return not isinstance(t, Array | Pointer | Struct) and scalar_of(t).is_float


class _Flows:
    """What flows into what in a function: pairs of targets and sources."""

    def __init__(self, f: n.Function, program: n.Program) -> None:
        self.f, self.functions = f, {g.name: g for g in program.functions}
        self.found: list[tuple[_Names, _Names]] = []
        # what leaves a loop or the function early decides about all that would have followed
        early = _NONE
        for s in walk(f.body):
            if isinstance(s, n.If | n.For | n.While) and any(_leaves(x) for x in walk(s)):
                early |= self.names(_condition(s))
        self.body(f.body, early)

    def body(self, body: Sequence[n.Stmt], control: _Names) -> None:
        """Note the flows of statements that are run where `control` says so."""
        for s in body:
            inner = control | self.names(_condition(s))
            match s:
                case n.If(then=then, other=other):
                    self.body((*then, *other), inner)
                case n.For(init=init, step=step, body=inside):
                    self.body(init, control)
                    self.body((*inside, *step), inner)
                case n.While(body=inside) | n.Block(body=inside):
                    self.body(inside, inner)
                case n.Declare(name=name, init=init, items=items):
                    self.flow(
                        frozenset({(self.f.name, name)}), [x for x in (init, *(items or ())) if x], s.type, control
                    )
                case n.Assign(target=target, value=value):
                    self.flow(self.written(target), (target, value), target.type, control)
                case n.Return(value=value) if value is not None:
                    self.flow(frozenset({(self.f.name, _RESULT)}), (value,), value.type, control)
                case n.MatrixStep(op=op, matrix=matrix, operands=operands):
                    target = operands[0] if op == "store" else matrix
                    self.flow(self.written(target), (matrix, *operands), matrix.type, control)
                case _:
                    pass
            for e in _expressions(s):
                self.effects(e, control)

    def effects(self, e: n.Node, control: _Names) -> None:
        """Note what evaluating an expression changes."""
        for x in walk(e):
            if isinstance(x, n.Atomic):
                order = _ORDER if adds_floats(x) else _NONE
                self.found.append((self.written(x.pointer), self.names(x) | control | order))
            elif isinstance(x, n.Call) and x.function in self.functions:
                for p, a in zip(self.functions[x.function].params, x.args, strict=True):
                    self.flow(frozenset({(x.function, p.name)}), (a,), p.type, control)
                self.found.append((frozenset({(x.function, _RESULT)}), control))

    def flow(self, targets: _Names, values: Iterable[n.Expr], t: Type, control: _Names) -> None:
        """Note that values go where `targets` are; two names of one memory each get what the other gets."""
        values = tuple(values)
        sources = _NONE.union(control, *(self.names(v) for v in values))
        self.found.append((targets, sources))
        if isinstance(t, Pointer | Struct):
            self.found.append((_NONE.union(*(self.written(v) for v in values)), targets))

    def names(self, e: n.Node | None) -> _Names:
        """Return what the value of an expression may depend on."""
        if e is None:
            return _NONE
        out = set[_Name]()
        for x in walk(e):
            if isinstance(x, n.Var):
                out.add((self.f.name, x.name))
            elif isinstance(x, n.Call):
                out.add((x.function, _RESULT))
            elif isinstance(x, n.Atomic) and adds_floats(x):
                out |= _ORDER
        return frozenset(out)

    def written(self, e: n.Expr) -> _Names:
        """Return the variables in whose memory an assignment to `e`, or through it, may be."""
        match e:
            case n.Var(name=name):
                return frozenset({(self.f.name, name)})
            case n.Call(function=function):
                return frozenset({(function, _RESULT)})
            case n.Element(base=e) | n.Component(base=e) | n.Field(base=e) | n.AddressOf(memory=e) | n.Decay(array=e):
                return self.written(e)
            case n.Offset(pointer=e) | n.PointerCast(pointer=e) | n.Deref(pointer=e):
                return self.written(e)
            case n.Select(then=then, other=other):
                return self.written(then) | self.written(other)
            case n.Aggregate(items=items):
                return _NONE.union(*(self.written(i) for i in items))
            case _:
                return _NONE


def _condition(s: n.Node) -> n.Expr | None:
    return s.cond if isinstance(s, n.If | n.For | n.While) else None


def _leaves(s: n.Node) -> bool:
    return isinstance(s, n.Return | n.Break | n.Continue)


def _expressions(s: n.Stmt) -> Iterator[n.Node]:
    """The expressions of a statement itself."""
    match s:
        case n.If(cond=cond) | n.While(cond=cond) | n.For(cond=cond):
            if cond is not None:
                yield cond
        case n.Block():
            pass
        case _:
            yield s
