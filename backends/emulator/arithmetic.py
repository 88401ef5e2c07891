"""Integer and bool operations on lanes: C's types wrap, and what C leaves undefined is a finding."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from ...ir import nodes as ir
from ...ir.types import Scalar, Vector
from . import formats
from .compiler import Compiler, Eval
from .lanes import Array, lanewise, meet
from .machine_domain import COMPARE

_SIMPLE: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul,
    "&": operator.and_, "|": operator.or_, "^": operator.xor, **COMPARE,
}  # fmt: skip


def integer_unary(c: Compiler, e: ir.Unary, value: Eval) -> Eval:
    """`-` and `~` of integers, `!` of bools."""
    if e.op == "!":
        return lambda: ~value()
    if e.op == "-":
        return lambda: np.negative(value())
    if e.op == "~":
        return lambda: ~value()
    raise c.fail(e, f"operator {e.op} on {e.type}")


def integer_binary(c: Compiler, e: ir.Binary, scalar: Scalar, left: Eval, right: Eval) -> Eval:
    """A binary operator on integers or bools."""
    op, s, key = e.op, c.state, f"ops.{scalar}"
    width = e.left.type.lanes if isinstance(e.left.type, Vector) else 1
    fn = _SIMPLE.get(op)
    if fn is not None:
        if op in COMPARE:
            return lambda: fn(left(), right())

        def simple() -> Any:
            s.count(key, width)
            return fn(left(), right())

        return simple
    loc = c.at(e)
    if op in ("/", "%"):
        compute = formats.divide if op == "/" else formats.remainder

        def quotient() -> Any:
            s.count(key, width)
            a, b = left(), right()
            zero = b == 0
            if zero.any():
                report(c, zero, "arithmetic", f"integer {'division' if op == '/' else 'remainder'} by zero", loc)
                b = np.where(zero, b.dtype.type(1), b)
            return compute(a, b)

        return quotient
    if op in ("<<", ">>"):

        def shifted() -> Any:
            s.count(key, width)
            a, n = left(), right()
            if n.min() >= 0 and n.max() < scalar.bits:
                m = n.astype(a.dtype)
                return a << m if op == "<<" else a >> m
            large = (n < 0) | (n >= scalar.bits)
            report(c, large, "arithmetic", f"shift of a {scalar.bits}-bit value by its width or more", loc)
            return formats.shift(op, a, n)

        return shifted
    raise c.fail(e, f"operator {op} on {scalar}")


def report(c: Compiler, bad: Array, kind: str, what: str, loc: ir.Loc | None) -> None:
    """A finding if an active lane is bad."""
    hit = meet(c.state.mask, lanewise(bad))
    if hit.any() and c.state.findings.wants(kind, loc, what):
        g, t = c.state.first_lane(hit)
        c.state.findings.add(kind, f"{what} in {c.state.who(g, t)}", loc, what)


def integer_math(c: Compiler, e: ir.MathCall, scalar: Scalar, args: list[Eval]) -> Eval:
    """A function of the table on integers."""
    s, key = c.state, f"math.{scalar}.{e.fn}"
    unsigned = formats.UNSIGNED[scalar.size]
    dtype = formats.LANE[scalar]
    result = np.int32

    def bits(x: Array) -> Array:
        return np.ascontiguousarray(x).view(unsigned)

    def lowest(x: Array) -> Array:
        u = bits(x)
        return formats.bit_length(u & (~u + unsigned.type(1))).astype(result)

    def high(a: Array, b: Array) -> Array:
        return formats.multiply_high(*(np.ascontiguousarray(v) for v in np.broadcast_arrays(a, b)))

    def ones(x: Array) -> Array:
        return formats.popcount(bits(x))

    def leading(x: Array) -> Array:
        return (scalar.bits - formats.bit_length(bits(x))).astype(result)

    def mirror(x: Array) -> Array:
        return formats.reverse_bits(bits(x)).view(dtype)

    table: dict[str, Callable[..., Any]] = {
        "min": np.minimum,
        "max": np.maximum,
        "abs": np.abs,
        "mulhi": high,
        "popcount": ones,
        "clz": leading,
        "ffs": lowest,
        "brev": mirror,
    }
    fn = table.get(e.fn)
    if fn is None:
        raise c.fail(e, f"{e.fn} on {scalar}")

    def run() -> Any:
        s.count(key)
        return fn(*(a() for a in args))

    return run
