"""Small pieces that rewrites build with: zero values, negation, fresh names, what may be evaluated anywhere."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, cast

from .. import nodes as n
from ..types import BOOL, Pointer, Scalar, Vector
from ..walk import children, walk

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_OPPOSITE = {"<": ">=", ">=": "<", ">": "<=", "<=": ">", "==": "!=", "!=": "=="}


class Names:
    """Names that are not taken yet: `fresh("active")` gives active, active_2, active_3."""

    def __init__(self, taken: set[str]) -> None:
        self.taken = set(taken)

    def fresh(self, base: str) -> str:
        """Return a new name and take it."""
        name, i = base, 2
        while name in self.taken:
            name, i = f"{base}_{i}", i + 1
        self.taken.add(name)
        return name


def zero(t: Scalar | Vector) -> n.Expr:
    """Return the zero of a value type."""
    if isinstance(t, Vector):
        return n.MakeVector(tuple(zero(t.elem) for _ in range(t.lanes)), t)
    value: bool | int | float = False if t == BOOL else 0.0 if t.is_float else 0
    return n.Const(value, t)


def negate(cond: n.Expr) -> n.Expr:
    """Return `!cond`; comparisons of integers are turned around, those of floats are not (NaN)."""
    match cond:
        case n.Unary(op="!", value=value):
            return value
        case n.Const(value=bool(value)):
            return n.boolean(not value)
        case n.Binary(op=op, left=left) if op in _OPPOSITE and isinstance(left.type, Scalar) and left.type.is_integer:
            return dataclasses.replace(cond, op=_OPPOSITE[op])
        case _:
            return n.Unary("!", cond, BOOL, loc=cond.loc)


def both(mask: n.Expr | None, cond: n.Expr) -> n.Expr:
    """Return `mask && cond`, or `cond` where there is no mask."""
    return cond if mask is None else n.Binary("&&", mask, cond, BOOL, loc=cond.loc)


def safe(e: n.Expr) -> bool:
    """Tell whether any thread may evaluate an expression whatever its variables hold: no load, call, trap or effect."""
    match e:
        case n.Const() | n.Var() | n.GridIndex():
            return True
        case n.Binary(op="/" | "%", left=left, right=right):
            whole = isinstance(left.type, Scalar) and left.type.is_integer
            return safe(left) and safe(right) and (not whole or ((c := _whole(right)) is not None and c not in (0, -1)))
        case n.Binary(op="<<" | ">>", left=left, right=right):
            return safe(left) and _whole(right) is not None
        case n.Convert(value=value, type=t):
            to_int = (
                isinstance(value.type, Scalar) and value.type.is_float and not (isinstance(t, Scalar) and t.is_float)
            )
            return safe(value) and not to_int
        case n.Component(base=base) | n.Field(base=base):
            return safe(base)
        case n.AddressOf(memory=memory):
            return _safe_address(memory)
        case n.Decay(array=array):
            return _safe_address(array)
        case n.Element(base=n.Var(), index=n.Const()):
            return not isinstance(e.base.type, Pointer)
        case n.Element() | n.Deref() | n.Call() | n.Shuffle() | n.Vote() | n.Atomic():
            return False
        case _:
            return all(safe(cast("n.Expr", c)) for c in children(e))


def _whole(e: n.Expr) -> int | None:
    """The value of an integer constant, also one that is converted without a change."""
    if isinstance(e, n.Convert) and isinstance(e.type, Scalar) and e.type.is_integer:
        value = _whole(e.value)
        return value if value is not None and 0 < value < 128 else None
    return int(e.value) if isinstance(e, n.Const) and not isinstance(e.value, float) else None


def _safe_address(e: n.Expr) -> bool:
    match e:
        case n.Var():
            return True
        case n.Element(base=base, index=index):
            return safe(index) and (safe(base) if isinstance(base.type, Pointer) else _safe_address(base))
        case n.Deref(pointer=pointer):
            return safe(pointer)
        case n.Component(base=base) | n.Field(base=base):
            return _safe_address(base)
        case _:
            return False


def exits(s: n.Stmt) -> Iterator[n.Return | n.Break | n.Continue]:
    """Yield the returns in a statement, and its breaks and continues that belong to a loop around it."""
    match s:
        case n.Return() | n.Break() | n.Continue():
            yield s
        case n.If(then=then, other=other):
            for x in (*then, *other):
                yield from exits(x)
        case n.Block(body=body):
            for x in body:
                yield from exits(x)
        case n.For(body=body) | n.While(body=body):
            for x in walk(body):
                if isinstance(x, n.Return):
                    yield x
        case _:
            return


def mentioned(body: Sequence[n.Stmt]) -> set[str]:
    """Return the variables that statements read or write."""
    return {x.name for x in walk(body) if isinstance(x, n.Var)}
