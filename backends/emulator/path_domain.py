"""What other orders of the same sums and products could reach: two domains over float64 values.

A port may sum and multiply in another order than its source. Where no order can overflow, and every partial result is a
multiple of one quantum with few enough digits, all orders give the same bits.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, TypeAlias

import numpy as np

from ...ir.types import F32, Scalar
from . import formats, functions
from .bounds_domain import BoundsDomain, Planes
from .interval import EXACT, MONOTONE
from .lanes import Array, Value
from .regions import Region

Pair: TypeAlias = "tuple[Array, Array]"


class _PathDomain(BoundsDomain):
    """Floats as (value, measure), both float64: the value is not rounded and does not overflow."""

    @abstractmethod
    def measure(self, v: Array) -> Array:
        """The measure of a number that is given: a literal, an element of an input."""

    @abstractmethod
    def total(self, x: Array, y: Array) -> Array:
        """The measure of a sum."""

    @abstractmethod
    def product(self, x: Array, y: Array) -> Array:
        """The measure of a product."""

    @abstractmethod
    def chosen(self, measures: list[Array]) -> Array:
        """The measure of what is one of its operands, or one of them with another sign or fewer digits."""

    @abstractmethod
    def other(self, v: Array, measures: list[Array], divisor: Array | None = None) -> Array:
        """The measure of a function's result, of a quotient if there is a divisor."""

    def constant(self, value: float, scalar: Scalar) -> Pair:
        """A rounded literal."""
        v, _ = super().constant(value, scalar)
        return v, self.measure(v)

    def negate(self, a: Pair, scalar: Scalar) -> Pair:
        """Sign change."""
        return -a[0], a[1]

    def binary(self, op: str, a: Pair, b: Pair, scalar: Scalar) -> Pair:
        """By kind of operation."""
        (x, mx), (y, my) = a, b
        if op in "+-":
            return (x + y if op == "+" else x - y), self.total(mx, my)
        if op == "*":
            return x * y, self.product(mx, my)
        return x / y, self.other(x / y, [mx, my], y)

    def math(self, fn: str, args: list[Any], scalar: Scalar) -> Value:
        """A function of the table."""
        if fn in functions.PREDICATES:
            return functions.PREDICATES[fn](args[0][0])
        if fn == "ldexp":
            v = np.ldexp(args[0][0], args[1])
            return v, self.other(v, [args[0][1]])
        values, measures = [a[0] for a in args], [a[1] for a in args]
        if fn == "fma":
            return values[0] * values[1] + values[2], self.total(self.product(*measures[:2]), measures[2])
        name = fn.removeprefix("fast_")
        if name == "divide":
            return self.binary("/", args[0], args[1], scalar)
        if name in MONOTONE:
            v = MONOTONE[name](values[0])
        else:
            v = functions.NATIVE[name](*values) if name in functions.NATIVE else functions.ROUNDED[name](*values)
        return v, self.chosen(measures) if name in EXACT else self.other(v, measures)

    def from_int(self, a: Array, dst: Scalar) -> Pair:
        """From integers."""
        v = a.astype(np.float64)
        return v, self.measure(v)

    def cast(self, a: Pair, src: Scalar, dst: Scalar) -> Pair:
        """Between float types."""
        return a

    def from_bits(self, bits: Array, scalar: Scalar, *, literal: bool = False) -> Pair:
        """Values of bit patterns."""
        v, _ = super().from_bits(bits, scalar, literal=literal)
        return v, self.measure(v)

    def _planes(self, region: Region, scalar: Scalar) -> Planes:
        fresh = region.planes is None
        planes = super()._planes(region, scalar)
        if fresh:
            planes.bound = self.measure(planes.value)
        return planes


class ReachDomain(_PathDomain):
    """The measure is the largest magnitude that a partial result can have, whatever the order.

    A partial sum is at most the sum of the magnitudes; a partial product at most the product of the factors above 1.
    """

    name = "reach"

    def measure(self, v: Array) -> Array:
        """Its magnitude."""
        return np.abs(v)

    def total(self, x: Array, y: Array) -> Array:
        """All magnitudes."""
        return x + y

    def product(self, x: Array, y: Array) -> Array:
        """All factors above 1."""
        return np.maximum(x, 1.0) * np.maximum(y, 1.0)

    def chosen(self, measures: list[Array]) -> Array:
        """The largest."""
        out = measures[0]
        for m in measures[1:]:
            out = np.maximum(out, m)
        return out

    def other(self, v: Array, measures: list[Array], divisor: Array | None = None) -> Array:
        """A quotient is a product with the reciprocal; a function's result is what it is, if its operands can be."""
        if divisor is not None:
            return np.maximum(self.product(measures[0], 1.0 / np.abs(divisor)), measures[1])
        operands = self.chosen(measures)
        return np.where(operands <= formats.LARGEST[F32], np.abs(v), operands)


class QuantumDomain(_PathDomain):
    """The measure is the exponent of a power of two of which every partial result is a multiple, whatever the order."""

    name = "quantum"

    def measure(self, v: Array) -> Array:
        """The exponent of its last bit that is set; of 0 a large one."""
        mantissa, exponent = np.frexp(np.where(np.isfinite(v), v, 0.0))
        whole = np.abs(mantissa * 2.0**53).astype(np.int64)
        trailing = np.log2(np.maximum(whole & -whole, 1))
        return np.where(whole == 0, 1e4, exponent - 53 + trailing)

    def total(self, x: Array, y: Array) -> Array:
        """The smaller."""
        return np.minimum(x, y)

    def product(self, x: Array, y: Array) -> Array:
        """The product."""
        return x + y

    def chosen(self, measures: list[Array]) -> Array:
        """The smallest."""
        out = measures[0]
        for m in measures[1:]:
            out = np.minimum(out, m)
        return out

    def other(self, v: Array, measures: list[Array], divisor: Array | None = None) -> Array:
        """None."""
        return np.full(np.shape(v), -np.inf)

    def update_float(self, op: str, region: Region, scalar: Scalar, index: Array, value: Any, *, old: bool) -> Any:
        """Atomic sums: the smallest of what is added."""
        planes = self._planes(region, scalar)
        before = planes.bound.copy()
        super().update_float(op, region, scalar, index, value, old=old)
        planes.bound = before
        planes.additions = planes.magnitude = None
        np.minimum.at(planes.bound.reshape(-1), index, np.broadcast_to(value[1], np.shape(index)))
        return None
