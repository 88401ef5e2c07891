"""Where a mutation operator looks, and the table of operators. Each is `Place -> replacements`, pure and local."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

from ....ir import nodes as n
from ....ir.types import F32, U32, Pointer, Scalar, Space, Type


@dataclass(frozen=True)
class Place:
    """A node where it stands: its ancestors, the function's own node first, its function and program."""

    node: Any
    parents: tuple[n.Node, ...]
    function: n.Function
    program: n.Program

    @property
    def parent(self) -> Any:
        """The node that it is a child of."""
        return self.parents[-1]

    @property
    def loc(self) -> n.Loc | None:
        """Where it is in the text: its own place, or that of the nearest ancestor that has one."""
        return next((x.loc for x in (self.node, *reversed(self.parents)) if x.loc is not None), None)

    @property
    def in_condition(self) -> bool:
        """True in what an `if`, a loop or a `?:` asks."""
        chain = (*self.parents, self.node)
        asks = n.If | n.For | n.While | n.Select
        return any(isinstance(p, asks) and c is getattr(p, "cond", None) for p, c in pairwise(chain))

    @property
    def loop(self) -> n.For | None:
        """The For whose own condition, start or step this belongs to."""
        chain = (*self.parents, self.node)
        for p, c in pairwise(chain):
            if isinstance(p, n.For) and (c is p.cond or any(c is s for s in (*p.init, *p.step))):
                return p
        return None

    @property
    def loaded(self) -> bool:
        """True for memory that is read here, not written and not pointed at."""
        child = self.node
        for parent in reversed(self.parents):
            if isinstance(parent, n.Assign):
                return child is not parent.target
            if isinstance(parent, n.AddressOf | n.Decay | n.Component | n.Field):
                return False
            if isinstance(parent, n.Element) and child is parent.base:
                return False
            if isinstance(parent, n.Statement) or child is not getattr(parent, "base", None):
                return True
            child = parent
        return True

    def scalars(self, t: Type) -> list[str]:
        """The kernel's parameters of a type, where they can be named: in the kernel itself."""
        kernel = self.program.kernel
        return [p.name for p in kernel.params if p.type == t] if self.function is kernel else []


Plant = Callable[[Place], Iterator[Any]]
OPERATORS: Final[dict[str, tuple[str, Plant]]] = {}
"""By name: the family and the operator."""


def operator(family: str, name: str) -> Callable[[Plant], Plant]:
    """Enter a function into OPERATORS."""

    def enter(plant: Plant) -> Plant:
        OPERATORS[name] = (family, plant)
        return plant

    return enter


def is_integer(e: Any) -> bool:
    """Tell whether an expression is an integer scalar."""
    t = getattr(e, "type", None)
    return isinstance(t, Scalar) and t.is_integer


def is_float(e: Any) -> bool:
    """Tell whether an expression is a float scalar."""
    t = getattr(e, "type", None)
    return isinstance(t, Scalar) and t.is_float


def binary(op: str, a: n.Expr, b: n.Expr) -> n.Binary:
    """Return `a op b` in the type of `a`."""
    assert isinstance(a.type, Scalar)
    return n.Binary(op, a, b, a.type)


def plus(e: Any, delta: int) -> n.Binary:
    """Return `e + delta`."""
    return binary("+" if delta > 0 else "-", e, n.Const(abs(delta), e.type))


def with_op(e: Any, op: str) -> Any:
    """Return the node with another operation."""
    return dataclasses.replace(e, op=op)


def masked(e: Any, mask: int) -> n.Expr:
    """Return the f32 value with the low bits of its significand cleared."""
    bits = n.Bitcast(e, U32)
    return n.Bitcast(n.Binary("&", bits, n.Const(mask, U32), U32), F32)


def index_of(node: Any) -> tuple[str, Any] | None:
    """Return the field of a memory access or pointer sum that is its index, and the index."""
    if isinstance(node, n.Element):
        return "index", node.index
    return ("delta", node.delta) if isinstance(node, n.Offset) else None


def space_of(base: Any) -> Space | None:
    """Return the space that a pointer points to, None if it is none."""
    return base.type.space if isinstance(base.type, Pointer) else None


def other_scalars(p: Place) -> Iterator[Any]:
    """Yield the kernel's other scalars of a variable's type in its place."""
    names = p.scalars(p.node.type)
    if p.node.name in names:
        yield from (dataclasses.replace(p.node, name=name) for name in names if name != p.node.name)
