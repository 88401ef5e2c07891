"""Doubles on a device without them: arrays of float64 as the kernel holds them, and back."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np

from .base import Executable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .base import KernelText, Launch, RunResult
    from .emulator.field_domain import FieldRun

    Array = np.ndarray[Any, np.dtype[Any]]


def split(x: Array) -> Array:
    """Return float64 numbers as pairs of floats (high, low), flat: the nearest float, and the nearest to the rest."""
    with np.errstate(over="ignore", invalid="ignore"):
        high = x.astype(np.float32)
        rest = np.where(np.isfinite(high), x - high.astype(np.float64), 0.0).astype(np.float32)
    return np.stack([high, rest], axis=-1).reshape(-1)


def join(pairs: Array) -> Array:
    """Return pairs of floats as float64 numbers; the sign of a zero is that of its high part."""
    high, low = pairs.reshape(-1, 2).astype(np.float64).T
    with np.errstate(invalid="ignore"):
        return np.where(low == 0, high, high + low)


class HeldDoubles(Executable):
    """A kernel whose callers have float64 where it has floats or pairs of floats (`KernelText.fp64`)."""

    def __init__(self, text: KernelText, inner: Executable) -> None:
        self.inner, self.pairs = inner, text.fp64 == "double-single"
        self.outputs = {p.name for p in text.params if p.role == "out"}
        self.doubles = {p.name for p in text.params if p.dtype == "f32x2" or (not self.pairs and p.dtype[:3] == "f32")}

    def run(
        self,
        launch: Launch,
        args: Mapping[str, Any],
        *,
        guard_bytes: int = 0,
        repeats: int = 0,
        order_seed: int | None = None,
    ) -> RunResult:
        """Run on converted copies. An element that the kernel left as it was comes back with the bits that it had."""
        given = {n: self._held(n, a) for n, a in args.items()}
        done = self.inner.run(launch, given, guard_bytes=guard_bytes, repeats=repeats, order_seed=order_seed)
        buffers = {n: self._doubles(given[n], a, args[n]) for n, a in done.buffers.items()}
        return dataclasses.replace(done, buffers=buffers)

    def run_in_field(self, launch: Launch, args: Mapping[str, Any], given: FieldRun) -> RunResult:
        """Raise DomainUnsupported, for what a finite field says of the two parts of a double is not known here."""
        from .emulator import DomainUnsupported

        raise DomainUnsupported("the port holds doubles as floats, which a finite field does not follow")

    def _held(self, name: str, value: Any) -> Any:
        if name not in self.doubles or value is None:
            return value
        if not isinstance(value, np.ndarray):
            return (
                split(np.asarray([value], np.float64)) if self.pairs and not isinstance(value, list | tuple) else value
            )
        if value.dtype != np.float64:
            return value
        if name in self.outputs:  # what lies there is a pattern, not a number
            words = np.ascontiguousarray(value).view(np.float32)
            return words.copy() if self.pairs else words.reshape(-1, 2)[:, 0].copy()
        with np.errstate(over="ignore"):
            return split(value.reshape(-1)) if self.pairs else value.reshape(-1).astype(np.float32)

    def _doubles(self, before: Any, after: Array, original: Any) -> Array:
        if not isinstance(original, np.ndarray) or original.dtype != np.float64 or after.dtype == np.float64:
            return after
        same = _bits(after) == _bits(before)
        if self.pairs:
            same = same.reshape(-1, 2).all(axis=1)
        return np.where(same, original.reshape(-1), join(after) if self.pairs else after.astype(np.float64))


def _bits(a: Any) -> Array:
    return np.ascontiguousarray(a).reshape(-1).view(np.uint32)
