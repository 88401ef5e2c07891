"""The machine's own numbers: IEEE formats, one rounding per operation, subnormals flushed where the machine does."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from ...ir.types import BF16, F32, Scalar
from . import formats, functions
from .atomics import in_order
from .domain import Domain, same_bits
from .lanes import Array, Value
from .regions import Per, Region

COMPARE = {
    "==": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip
_ARITHMETIC = {"+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv}


class MachineDomain(Domain):
    """Float lanes are float16, float32 or float64 arrays; bf16 lanes are float32 arrays rounded to bf16."""

    name = "machine"

    def __init__(self, *, other_poison: bool = False, contract: bool = False) -> None:
        self.other_poison = other_poison
        self.contract = contract

    def constant(self, value: float, scalar: Scalar) -> Array:
        """A rounded literal."""
        return formats.round_to(np.full((1, 1), value, np.float64), scalar)

    def poison(self, scalar: Scalar, lanes: int = 1) -> Array:
        """A NaN, or the poison bits; with `other_poison` a large number, or other bits."""
        one = formats.other_poison(scalar) if self.other_poison else formats.poison(scalar)
        return one if lanes == 1 else np.repeat(one[..., None], lanes, axis=2)

    def _flushes(self, scalar: Scalar) -> bool:
        return self.flush and (scalar is F32 or scalar is BF16)

    def negate(self, a: Array, scalar: Scalar) -> Array:
        """Sign change, exact but for flushing."""
        return flushed(-a) if self._flushes(scalar) else -a

    def binary(self, op: str, a: Array, b: Array, scalar: Scalar) -> Array:
        """One operation with its rounding."""
        if self._flushes(scalar):
            a, b = flushed(a), flushed(b)
        out = _ARITHMETIC[op](a, b)
        if scalar is BF16:
            out = formats.to_bf16(out)
        return flushed(out) if self._flushes(scalar) else out

    def compare(self, op: str, a: Array, b: Array, scalar: Scalar) -> Array:
        """By value."""
        if self._flushes(scalar):
            a, b = flushed(a), flushed(b)
        return COMPARE[op](a, b)

    def math(self, fn: str, args: list[Array], scalar: Scalar) -> Value:
        """A function of the table, with its rounding."""
        flush = self._flushes(scalar)
        if flush:
            args = [flushed(a) if a.dtype.kind == "f" else a for a in args]
        if fn in functions.PREDICATES:
            return functions.PREDICATES[fn](args[0])
        out = functions.evaluate(fn, args, scalar)
        return flushed(out) if flush else out

    def from_int(self, a: Array, dst: Scalar) -> Array:
        """From integers, rounded."""
        return formats.from_int(a, dst)

    def to_int(self, a: Array, src: Scalar, dst: Scalar) -> Array:
        """Truncates the value; saturates."""
        return formats.to_int(flushed(a) if self._flushes(src) else a, dst)

    def cast(self, a: Array, src: Scalar, dst: Scalar) -> Array:
        """Between float types, rounded where the target is narrower."""
        out = formats.cast_float(flushed(a) if self._flushes(src) else a, src, dst)
        return flushed(out) if self._flushes(dst) else out

    def to_bits(self, a: Array, scalar: Scalar) -> Array:
        """Bit patterns."""
        return formats.to_bits(a, scalar)

    def from_bits(self, bits: Array, scalar: Scalar, *, literal: bool = False) -> Array:
        """Values of bit patterns."""
        return formats.from_bits(bits, scalar)

    def identical(self, a: Array, b: Array, scalar: Scalar) -> Array:
        """By the bits of the values."""
        return same_bits(*np.broadcast_arrays(a, b))

    def update_float(self, op: str, region: Region, scalar: Scalar, index: Array, value: Array, *, old: bool) -> Any:
        """Atomic updates in the order of lanes."""
        flat = region.view(scalar).reshape(-1)
        if op == "sub":
            op, value = "add", -value
        at_once = self.flush_atomics and scalar is F32 and op == "add" and region.per is Per.LAUNCH
        flushes = (at_once or self._flushes(scalar)) and op != "exch"
        if scalar is BF16 or (flushes and not _far_from_subnormal(flat[index], value)):
            return self._one_by_one(op, flat, scalar, index, value, flush=at_once)
        return in_order(op, flat, index, value, old=old)

    def _one_by_one(self, op: str, flat: Array, scalar: Scalar, index: Array, value: Array, *, flush: bool) -> Array:
        """Slow but general: each update as the domain computes it; `flush`: it flushes where other sums do not."""
        out = np.empty(index.shape, formats.LANE[scalar])
        fn = {"min": "fmin", "max": "fmax"}.get(op)
        for i, at in enumerate(index):
            cell = slice(int(at), int(at) + 1)
            before = formats.from_memory(flat[cell], scalar)
            new = value[i : i + 1]
            if fn:
                new = self.math(fn, [before, new], scalar)
            elif op == "add":
                old, new = (flushed(before), flushed(new)) if flush else (before, new)
                new = self.binary("+", old, new, scalar)
                new = flushed(new) if flush else new
            flat[cell] = formats.to_memory(np.asarray(new), scalar)
            out[i] = before[0]
        return out


def _far_from_subnormal(*values: Array) -> bool:
    """Whether no sum of these values can be subnormal: all are multiples of 2^-123, the ulp of 2^-100."""
    return all(bool(((v == 0) | ~(np.abs(v) < 2.0**-100)).all()) for v in values)


def flushed(x: Array) -> Array:
    """Subnormal float32 values replaced by zeros of their sign; NaN and infinities stay."""
    return x * (np.abs(x) >= np.float32(formats.SMALLEST_NORMAL[F32]))
