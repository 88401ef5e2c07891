"""What expressions of a port can be: their values in every thread of a group, where constants and indices decide them.

Everything is evaluated at once over a domain: all threads of a group, all values of the loop counters around and of a
device function's arguments, each along an axis of its own. It may hold more combinations than occur, never fewer, so
what is equal there is equal wherever the program runs.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from ....ir import nodes as n
from ....ir.types import Scalar
from ....ir.walk import children, rebuild, walk

Array = np.ndarray
_AXES: Final = 10
_POINTS: Final = 1 << 20
_STEPS: Final = 1 << 12


class Unknown(Exception):
    """The value depends on something else: an argument of the kernel, memory, the number of the group."""


@dataclass(frozen=True, slots=True)
class Shape:
    """Threads of a group and groups of a grid along each axis, 0 where a size decides it, and the subgroup width."""

    block: tuple[int, int, int]
    grid: tuple[int, int, int]
    width: int


@dataclass
class Domain:
    """The values at a place: in `function` of `program`, below `parents` (the function's own node first)."""

    program: n.Program
    shape: Shape
    function: n.Function
    parents: Sequence[n.Node]
    depth: int = 0
    axes: list[int] = field(default_factory=list)
    known: dict[str, Array] = field(default_factory=dict)

    def value(self, e: Any) -> Array:
        """Return an integer or boolean expression's values, int64, to be broadcast. Raises Unknown."""
        match e:
            case n.Const() if not isinstance(e.value, float):
                return np.full((1,) * _AXES, int(e.value), np.int64)
            case n.Convert() if isinstance(e.type, Scalar) and not e.type.is_float:
                value = self.value(e.value)
                return (value != 0).astype(np.int64) if e.type.kind == "bool" else _wrapped(value, e.type)
            case n.Var():
                return self._variable(e.name)
            case n.GridIndex():
                return self._index(e)
            case n.Unary() if e.op in _UNARY:
                return self._typed(_UNARY[e.op](self.value(e.value)), e)
            case n.Binary() if e.op in _BINARY:
                return self._typed(self._joined(_BINARY[e.op], self.value(e.left), self.value(e.right)), e)
            case n.Select():
                a, b = self.value(e.then), self.value(e.other)
                return np.where(self.value(e.cond) != 0, a, b)
            case n.MathCall() if e.fn in ("min", "max"):
                return self._joined(np.minimum if e.fn == "min" else np.maximum, *(self.value(a) for a in e.args))
            case n.Component(base=n.MakeVector() as made):
                return self.value(made.items[e.index])
            case _:
                raise Unknown

    def _typed(self, value: Array, e: Any) -> Array:
        if not isinstance(e.type, Scalar) or e.type.is_float:
            raise Unknown
        return value.astype(np.int64) if e.type.kind == "bool" else _wrapped(value, e.type)

    def _joined(self, apply: Callable[[Array, Array], Array], a: Array, b: Array) -> Array:
        if np.prod(np.maximum(a.shape, b.shape), dtype=np.float64) > _POINTS:
            raise Unknown
        return apply(a, b)

    def _index(self, e: n.GridIndex) -> Array:
        (x, y, z), width = self.shape.block, self.shape.width
        sizes = {n.Grid.GROUP_SIZE: self.shape.block, n.Grid.GRID_SIZE: self.shape.grid}
        if e.kind in sizes and sizes[e.kind][e.axis]:
            return np.full((1,) * _AXES, sizes[e.kind][e.axis], np.int64)
        if e.kind is n.Grid.GROUP and self.shape.grid[e.axis] == 1:
            return np.zeros((1,) * _AXES, np.int64)
        if e.kind is n.Grid.SUBGROUP_SIZE:
            return np.full((1,) * _AXES, width, np.int64)
        if not x * y * z or e.kind is n.Grid.GROUP or e.kind in sizes:
            raise Unknown
        linear = np.arange(x * y * z, dtype=np.int64).reshape(-1, *(1,) * (_AXES - 1))
        if e.kind is n.Grid.THREAD:
            return (linear % x, linear // x % y, linear // (x * y))[e.axis]
        return linear % width if e.kind is n.Grid.LANE else linear // width

    # variables

    def _variable(self, name: str) -> Array:
        if name not in self.known:
            self.known[name] = self._found(name)
        return self.known[name]

    def _found(self, name: str) -> Array:
        loop = next((p for p in reversed(self.parents) if isinstance(p, n.For) and _counter(p) == name), None)
        if loop is not None:
            return self._axis(np.concatenate([v[a] for v, a in self.trips(loop)] or [np.zeros(0, np.int64)]))
        changed = any(isinstance(x, n.Assign | n.AddressOf) and _root(x) == name for x in walk(self.function))
        declared = [x for x in walk(self.function) if isinstance(x, n.Declare) and x.name == name]
        names = [p.name for p in self.function.params]
        if not changed and len(declared) == 1 and declared[0].init is not None and name not in names:
            if any(isinstance(x, n.For) and declared[0] in x.init for x in walk(self.function)):
                raise Unknown  # the counter of a loop that this is not in
            return self.value(declared[0].init)
        if changed or declared or name not in names or self.function is self.program.kernel or self.depth > 4:
            raise Unknown
        return self._axis(self._arguments(names.index(name)))

    def _arguments(self, position: int) -> Array:
        """The values of an argument in all calls of the function."""
        found: list[Array] = []
        for f in (*self.program.functions, self.program.kernel):
            for call, parents in with_parents(f):
                if isinstance(call, n.Call) and call.function == self.function.name:
                    inner = Domain(self.program, self.shape, f, parents, self.depth + 1)
                    found.append(inner.value(call.args[position]).reshape(-1))
        if not found:
            raise Unknown
        return np.concatenate(found)

    def _axis(self, values: Array) -> Array:
        values = np.unique(values)
        self.axes.append(values.size)
        if len(self.axes) >= _AXES or not values.size:
            raise Unknown
        return values.reshape(*(1,) * len(self.axes), -1, *(1,) * (_AXES - 1 - len(self.axes)))

    def trips(self, loop: n.For) -> list[tuple[Array, Array]]:
        """Return the values of a loop's counter, trip by trip, and which threads make the trip. Raises Unknown."""
        name, (step,) = _counter(loop), loop.step if len(loop.step) == 1 else (None,)
        if not name or not isinstance(step, n.Assign) or step.target != n.Var(name, step.target.type):
            raise Unknown
        if any(isinstance(x, n.Assign | n.AddressOf) and _root(x) == name for s in loop.body for x in walk(s)):
            raise Unknown
        start = loop.init[0]
        assert isinstance(start, n.Declare)
        after = step.value if step.op is None else n.Binary(step.op, step.target, step.value, start.type)  # pyright: ignore[reportArgumentType]
        counter = self.value(start.init)
        active = np.ones((1,) * _AXES, bool)
        out: list[tuple[Array, Array]] = []
        for _ in range(_STEPS):
            inner = Domain(self.program, self.shape, self.function, self.parents, self.depth, self.axes)
            inner.known = {**self.known, name: counter}
            active = active & (inner.value(loop.cond) != 0)
            if not active.any():
                return out
            counter, active = np.broadcast_arrays(counter, active)
            out.append((counter, active))
            inner.known[name] = counter
            counter = inner.value(after)
        raise Unknown

    # what is equal

    def equal(self, a: Any, b: Any) -> bool:
        """Tell whether two nodes are the same wherever they are evaluated."""
        if isinstance(a, n.Statement) and not isinstance(a, n.Assign | n.Declare | n.Evaluate | n.Return):
            return a is b
        a, b = self.simple(a), self.simple(b)
        if a == b:
            return True
        try:
            x, y = self.value(a), self.value(b)
        except Unknown:
            return self._alike(a, b)
        return bool((x == y).all())

    def _alike(self, a: Any, b: Any) -> bool:
        below, other = list(children(a)), list(children(b))
        if type(a) is not type(b) or not below or len(below) != len(other):
            return False
        blank = n.boolean(False)
        if rebuild(a, lambda _: blank) != rebuild(b, lambda _: blank):
            return False
        return all(self.equal(x, y) for x, y in zip(below, other, strict=True))

    def always(self, e: Any) -> bool | None:
        """Return the value that a condition has everywhere, None if it is not known, or differs."""
        found = self.simple(e)
        return bool(found.value) if isinstance(found, n.Const) else None

    def simple(self, e: Any) -> Any:
        """Return an expression with everything folded that has one value everywhere."""
        if isinstance(e, n.Statement) or not isinstance(getattr(e, "type", None), Scalar):
            return e
        if not e.type.is_float and not isinstance(e, n.Const):
            try:
                value = self.value(e)
            except Unknown:
                pass
            else:
                if (value == value.flat[0]).all():
                    first = int(value.flat[0])
                    return n.Const(bool(first) if e.type.kind == "bool" else first, e.type)
        if isinstance(e, n.Binary) and e.op in ("&&", "||"):
            return self._logic(e)
        if isinstance(e, n.Select) and (known := self.always(e.cond)) is not None:
            return self.simple(e.then if known else e.other)
        return e

    def _logic(self, e: n.Binary) -> Any:
        left, right = self.simple(e.left), self.simple(e.right)
        decides = e.op == "||"
        for one, other in ((left, right), (right, left)):
            if isinstance(one, n.Const):
                return n.boolean(decides) if bool(one.value) is decides else other
        return n.Binary(e.op, left, right, e.type)


def with_parents(f: n.Function) -> list[tuple[n.Node, tuple[n.Node, ...]]]:
    """Return every node of a function with its ancestors, the function's own node first."""
    out: list[tuple[n.Node, tuple[n.Node, ...]]] = []

    def below(node: n.Node, parents: tuple[n.Node, ...]) -> None:
        out.append((node, parents))
        for child in children(node):
            below(child, (*parents, node))

    below(f, ())
    return out


def _counter(loop: n.For) -> str:
    if len(loop.init) == 1 and isinstance(loop.init[0], n.Declare) and loop.init[0].init is not None:
        return loop.init[0].name
    return ""


def _root(x: n.Assign | n.AddressOf) -> str:
    memory: Any = x.target if isinstance(x, n.Assign) else x.memory
    while isinstance(memory, n.Component | n.Field | n.Element):
        memory = memory.base
    return memory.name if isinstance(memory, n.Var) else ""


def _wrapped(value: Array, t: Scalar) -> Array:
    if t.bits == 64:
        if not t.signed and (value < 0).any():
            raise Unknown
        return value
    value = value & (2**t.bits - 1)
    return np.where(value >= 2 ** (t.bits - 1), value - 2**t.bits, value) if t.signed else value


def _quotient(a: Array, b: Array) -> Array:
    if (b == 0).any():
        raise Unknown
    return np.abs(a) // np.abs(b) * np.sign(a) * np.sign(b)


def _shift(apply: Callable[[Array, Array], Array]) -> Callable[[Array, Array], Array]:
    def shift(a: Array, b: Array) -> Array:
        if ((b < 0) | (b > 31)).any() or (np.abs(a) > 1 << 31).any():
            raise Unknown
        return apply(a, b)

    return shift


def _small(apply: Callable[[Array, Array], Array]) -> Callable[[Array, Array], Array]:
    def small(a: Array, b: Array) -> Array:
        if max(np.abs(a).max(initial=0), np.abs(b).max(initial=0)) >= 1 << 31:
            raise Unknown  # it might not fit int64
        return apply(a, b)

    return small


_UNARY: Final[dict[str, Callable[[Array], Array]]] = {
    "-": operator.neg, "~": operator.invert, "!": lambda a: a == 0
}  # fmt: skip
_BINARY: Final[dict[str, Callable[[Array, Array], Array]]] = {
    "+": _small(operator.add), "-": _small(operator.sub), "*": _small(operator.mul), "/": _quotient,
    "%": lambda a, b: a - _quotient(a, b) * b, "<<": _shift(operator.lshift), ">>": _shift(operator.rshift),
    "&": operator.and_, "|": operator.or_, "^": operator.xor, "<": operator.lt, "<=": operator.le,
    ">": operator.gt, ">=": operator.ge, "==": operator.eq, "!=": operator.ne,
    "&&": lambda a, b: (a != 0) & (b != 0), "||": lambda a, b: (a != 0) | (b != 0),
}  # fmt: skip
