"""The interface of value domains: what a float is, and how operations act on it. Integers are the same everywhere."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import numpy as np

from ...ir.types import Scalar
from . import formats
from .lanes import Array, Mask, Value
from .matrix_unit import MatrixUnit
from .regions import Region, gather, scatter


class Domain(ABC):
    """How float lanes are represented, computed and kept in memory.

    Values are arrays, or tuples of arrays, shaped as `lanes` says. `flush` tells that the machine flushes f32 (and
    bf16) subnormals, `flush_atomics` that atomic adds of f32 on global memory do; the emulator sets both before a run.
    `unit` is set where sums of products of matrices are to be as a matrix unit's.
    """

    name: str
    flush: bool = False
    contract: bool = False
    flush_atomics: bool = False
    unit: MatrixUnit | None = None

    @abstractmethod
    def constant(self, value: float, scalar: Scalar) -> Value:
        """A literal, shape (1, 1)."""

    @abstractmethod
    def poison(self, scalar: Scalar, lanes: int = 1) -> Value:
        """An undefined value of any type, shape (1, 1) or (1, 1, lanes)."""

    @abstractmethod
    def negate(self, a: Any, scalar: Scalar) -> Value:
        """Sign change; exact."""

    @abstractmethod
    def binary(self, op: str, a: Any, b: Any, scalar: Scalar) -> Value:
        """`+ - * /`."""

    @abstractmethod
    def compare(self, op: str, a: Any, b: Any, scalar: Scalar) -> Array:
        """`== != < <= > >=`, bool lanes."""

    @abstractmethod
    def math(self, fn: str, args: list[Any], scalar: Scalar) -> Value:
        """A function of `ir.mathlib.MATH` with float operands; predicates give bool lanes."""

    @abstractmethod
    def from_int(self, a: Array, dst: Scalar) -> Value:
        """Integer or bool lanes to a float type."""

    @abstractmethod
    def to_int(self, a: Any, src: Scalar, dst: Scalar) -> Array:
        """Float lanes to an integer type or bool."""

    @abstractmethod
    def cast(self, a: Any, src: Scalar, dst: Scalar) -> Value:
        """Between float types."""

    @abstractmethod
    def to_bits(self, a: Any, scalar: Scalar) -> Array:
        """Bit patterns of float lanes."""

    @abstractmethod
    def from_bits(self, bits: Array, scalar: Scalar, *, literal: bool = False) -> Value:
        """Float lanes from bit patterns; `literal` where the program writes them down."""

    @abstractmethod
    def identical(self, a: Any, b: Any, scalar: Scalar) -> Array:
        """Lanes in which two values of any type have the same bits."""

    @abstractmethod
    def update_float(self, op: str, region: Region, scalar: Scalar, index: Array, value: Any, *, old: bool) -> Any:
        """Atomic add, sub, min, max or exch of floats at flat element indices, in the order given.

        `index` and the planes of `value` are one-dimensional; gives the old values if `old`, else None.
        """

    def unit_sum(self, value: Any, reach: Any, share: float) -> Value:
        """A float sum that a matrix unit rounds, off by at most a `share` of `reach`."""
        return value

    def attach(self, region: Region) -> None:  # noqa: B027 - most domains have nothing to do
        """Prepare a region that just got its memory."""

    def finish(self, result: Any) -> None:  # noqa: B027 - most domains have nothing to do
        """Complete the result of a run, an `Emulation`, from the regions of its buffers."""

    def load(self, region: Region, scalar: Scalar, index: Array) -> Value:
        """Elements of a region; indices as `regions.gather` takes them."""
        return formats.from_memory(gather(region, region.view(scalar), index), scalar)

    def store(self, region: Region, scalar: Scalar, index: Array, value: Any, mask: Mask) -> None:
        """Store lanes into a region; all active indices are in range."""
        stored = value if scalar.kind != "bfloat" and scalar.kind != "bool" else formats.to_memory(value, scalar)
        scatter(region, region.view(scalar), index, stored, mask)


def same_bits(a: Array, b: Array) -> Array:
    """Lanes in which two arrays of one type have the same bits."""
    if a.dtype.kind != "f":
        return a == b
    bits = formats.UNSIGNED[a.dtype.itemsize]
    return np.ascontiguousarray(a).view(bits) == np.ascontiguousarray(b).view(bits)
