"""A finite field as the numbers: programs that are equal as formulas give equal results, in any order of operations.

Floats of the input buffers become random residues, constants the rational numbers that they stand for, and nothing is
rounded. What a field does not have is told apart: order (max, min, comparisons of data) follows the residues, so that a
result is only meaningful where it does not depend on that choice; functions without a counterpart are pseudo-random
functions of their argument (`SOFT`); what cannot be followed at all is `UNKNOWN`. See verification.md §3.4.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from ...ir.types import Scalar
from . import formats, functions
from .bounds_domain import float_cells, float_scalars
from .domain import Domain
from .errors import DomainUnsupported
from .field import DATA, MODP, MODQ, SOFT, UNKNOWN, Element, P, Q, dyadic, residues_of
from .field_functions import evaluate, infinite
from .lanes import Array, Mask, Value, lanewise, meet, where
from .machine_domain import COMPARE
from .regions import Per, Region, gather, scatter

RESULT_UNKNOWN: Final = np.uint64(2**64 - 1)
RESULT_SOFT: Final = np.uint64(2**63)
"""Marks in `Emulation.residues`: an element that nothing is known of, and one that went through a SOFT function."""

_HALF: Final = np.uint64(P // 2)


@dataclass(frozen=True, slots=True)
class FieldRun:
    """What a run in the field is given.

    `symbols`: the parameters whose float buffers become residues, drawn by `seed` and the name that each has here;
    other buffers keep their numbers. `reverse` turns the order of residues round.
    """

    seed: int
    symbols: Mapping[str, str] = field(default_factory=dict)
    reverse: bool = False


@dataclass(slots=True)
class Planes:
    """Floats of a region: the four arrays of an Element, and which cells hold floats."""

    scalar: Scalar
    parts: Element
    floats: Array


class FieldDomain(Domain):
    """Floats as elements of a finite field.

    After a run `ordered` tells whether the order of data mattered anywhere, and `reasons` why results are unknown.
    Floats looked at as bits or turned into integers, and what depends on the order of atomics, raise DomainUnsupported.
    """

    name = "field"

    def __init__(self, run: FieldRun) -> None:
        self.given = run
        self.ordered = False
        self.reasons: dict[str, None] = {}
        self._blind = False
        self._state: Any = None

    # values

    def constant(self, value: float, scalar: Scalar) -> Element:
        """The simplest rational number that rounds to a literal, or the literal itself."""
        lane = float(formats.round_to(np.full((1, 1), value, np.float64), scalar)[0, 0])
        c = np.full((1, 1), lane)
        if not np.isfinite(lane):
            zero = np.zeros((1, 1), np.uint64)
            return zero, zero, c, np.full((1, 1), UNKNOWN if np.isnan(lane) else 0, np.uint8)
        p, q = residues_of(lane, scalar)
        return np.full((1, 1), p, np.uint64), np.full((1, 1), q, np.uint64), c, np.zeros((1, 1), np.uint8)

    def poison(self, scalar: Scalar, lanes: int = 1) -> Value:
        """An unknown value, or the poison bits."""
        shape = (1, 1) if lanes == 1 else (1, 1, lanes)
        if scalar.is_float:
            none = np.zeros(shape, np.uint64)
            return none, none, np.full(shape, np.nan), np.full(shape, UNKNOWN, np.uint8)
        one = formats.poison(scalar)
        return np.broadcast_to(one if lanes == 1 else one[..., None], shape)

    def exact(self, c: Array) -> Element:
        """Floats that do not depend on data, exactly."""
        finite = np.where(np.isfinite(c), c, 0.0)
        flags = np.where(np.isnan(c), UNKNOWN, 0).astype(np.uint8)
        return dyadic(finite, MODP), dyadic(finite, MODQ), c.astype(np.float64), flags

    def settled(self, p: Array, q: Array, c: Array, flags: Array, why: str = "an undefined result") -> Element:
        """An element; unknown where it is NaN although no data went into it."""
        lost = np.isnan(c) & ((flags & (DATA | UNKNOWN)) == 0)
        if lost.any():
            flags = np.where(lost, UNKNOWN, flags).astype(np.uint8)
            self.note(why, lost)
        return p, q, c, flags

    def note(self, why: str, bad: Array) -> None:
        """Keep a reason for which values are unknown, if a lane is active in which they are."""
        if self.active(bad):
            self.reasons[why] = None

    def active(self, bad: Array) -> bool:
        """Whether any active lane is bad."""
        if not bad.any():
            return False
        return self._state is None or bool(meet(self._state.mask, lanewise(bad)).any())

    def negate(self, a: Element, scalar: Scalar) -> Element:
        """-a."""
        return MODP.negate(a[0]), MODQ.negate(a[1]), -a[2], a[3]

    def binary(self, op: str, a: Element, b: Element, scalar: Scalar) -> Element:
        """Exact arithmetic."""
        if op == "-":
            return self.binary("+", a, self.negate(b, scalar), scalar)
        x, y, flags = a[2], b[2], a[3] | b[3]
        if op == "/":
            zero = (b[0] == 0) & (np.abs(y) != np.inf) & ((b[3] & UNKNOWN) == 0)
            b = (MODP.inverse(b[0]), MODQ.inverse(b[1]), b[2], b[3])
            c = x / y
            if zero.any():
                flags = flags | np.where(zero, UNKNOWN, 0).astype(np.uint8)
                self.note("a division by zero", zero)
        else:
            c = x + y if op == "+" else x * y
        c = formats.round_to(c, scalar).astype(np.float64)
        both = "add" if op == "+" else "multiply"
        p, q = getattr(MODP, both)(a[0], b[0]), getattr(MODQ, both)(a[1], b[1])
        xi, yi = infinite(x, scalar), infinite(y, scalar)
        if xi.any() or yi.any():
            return self._with_infinity(op, (p, q, c, flags), (x, xi, a[3]), (y, yi, b[3]))
        return self.settled(p, q, c, flags)

    def _with_infinity(
        self, op: str, out: Element, a: tuple[Array, Array, Array], b: tuple[Array, Array, Array]
    ) -> Element:
        """The largest floats and infinities: they swallow what is added to them, and nothing else is defined of them
        where data is involved but that a quotient over them is zero."""
        (x, xi, fx), (y, yi, fy) = a, b
        p, q, c, flags = out
        some = xi | yi
        known = ((fx | fy) & DATA) == 0
        if op == "+":
            c = np.where(known, c, np.where(some, np.where(xi, x, y), c))
            clear = some
        else:
            vanishes = yi & ~xi if op == "/" else np.zeros((1, 1), bool)
            c = np.where(vanishes, 0.0, c)
            clear = some & (known | vanishes)
            flags = np.where(some & ~clear, flags | UNKNOWN, flags)
            self.note("arithmetic with infinity", some & ~clear)
        flags = np.where(clear, (fx | fy) & UNKNOWN, flags).astype(np.uint8)
        p, q = np.where(clear, np.uint64(0), p), np.where(clear, np.uint64(0), q)
        return self.settled(p, q, c, flags, "arithmetic with infinity")

    # order

    def _rank(self, a: Element, scalar: Scalar) -> Array:
        """Residues in order from -p/2 to p/2; the largest floats, with which programs begin a maximum, at the ends."""
        rank = np.where(a[0] > _HALF, a[0] - _HALF, a[0] + (_HALF + np.uint64(1)))
        rank = np.uint64(P + 1) - rank if self.given.reverse else rank
        c = a[2]
        rank = np.where(c >= formats.LARGEST[scalar], np.uint64(2**63), rank)
        return np.where(c <= -formats.LARGEST[scalar], np.uint64(0), rank)

    def compare(self, op: str, a: Element, b: Element, scalar: Scalar) -> Array:
        """Floats without data by value, others by their residues."""
        flags = a[3] | b[3]
        data = (flags & DATA) != 0
        if self.active((flags & UNKNOWN) != 0):
            self._blind = True
            self.reasons["a comparison of a value that the field cannot follow"] = None
        real = COMPARE[op](a[2], b[2])
        if not data.any():
            return real
        if op in ("==", "!="):
            same = (a[0] == b[0]) & (self._rank(a, scalar) == self._rank(b, scalar))
            return np.where(data, same if op == "==" else ~same, real)
        if self.active(data):
            self.ordered = True
        return np.where(data, COMPARE[op](self._rank(a, scalar), self._rank(b, scalar)), real)

    def extreme(self, fn: str, a: Element, b: Element, scalar: Scalar) -> Element:
        """fmin or fmax: of data one operand by the order of residues, of floats by value."""
        flags = a[3] | b[3]
        data = (flags & DATA) != 0
        if self.active(data):
            self.ordered = True
        above = np.where(data, self._rank(a, scalar) >= self._rank(b, scalar), a[2] >= b[2])
        p, q, c, chosen = where(above if fn == "fmax" else ~above, a, b)
        return p, q, c, (chosen | (flags & (UNKNOWN | SOFT))).astype(np.uint8)

    # functions

    def math(self, fn: str, args: list[Any], scalar: Scalar) -> Value:
        """A function of the table: by its algebra where it has one, else a pseudo-random function."""
        fn = fn.removeprefix("fast_")
        if fn == "ldexp":
            two = self.exact(np.ldexp(1.0, np.clip(args[1], -1000, 1000)))
            return self.binary("*", args[0], two, scalar)
        if fn in functions.PREDICATES:
            return self._predicate(fn, args[0], scalar)
        return evaluate(self, fn, args, scalar)

    def _predicate(self, fn: str, a: Element, scalar: Scalar) -> Array:
        data = (a[3] & DATA) != 0
        real = functions.PREDICATES[fn](a[2])
        if fn == "signbit":
            zero = self.constant(0.0, scalar)
            if self.active(data):
                self.ordered = True
            return np.where(data, self._rank(a, scalar) < self._rank(zero, scalar), real)
        return np.where(data, fn == "isfinite", real)

    # conversions

    def from_int(self, a: Array, dst: Scalar) -> Element:
        """Integers, exactly."""
        c = formats.from_int(a, dst).astype(np.float64)
        return MODP.of_integers(a), MODQ.of_integers(a), c, np.zeros(a.shape, np.uint8)

    def to_int(self, a: Element, src: Scalar, dst: Scalar) -> Array:
        """Truncates floats that do not depend on data."""
        self._demand(a, "turns data into integers")
        return formats.to_int(np.where(np.isnan(a[2]), 0.0, a[2]), dst)

    def cast(self, a: Element, src: Scalar, dst: Scalar) -> Element:
        """Nothing is rounded."""
        return a[0], a[1], formats.round_to(a[2], dst).astype(np.float64), a[3]

    def to_bits(self, a: Element, scalar: Scalar) -> Array:
        """The bits of floats that do not depend on data."""
        self._demand(a, "looks at the bits of data")
        return formats.to_bits(formats.round_to(a[2], scalar), scalar)

    def _demand(self, a: Element, what: str) -> None:
        if self.active((a[3] & (DATA | UNKNOWN)) != 0):
            raise DomainUnsupported(f"the program {what}, which a finite field cannot follow")

    def from_bits(self, bits: Array, scalar: Scalar, *, literal: bool = False) -> Element:
        """Values of bit patterns that the program writes down, and of infinities and zeros wherever they come from.

        Bits that come from data say nothing in a finite field: another program has the same number as a literal, which
        stands for a simple fraction, or as what it is the rounded result of.
        """
        values = formats.from_bits(bits, scalar).astype(np.float64)
        if literal and bits.size == 1:
            return self.constant(float(values.flat[0]), scalar)
        if bits.size > 1 or not (infinite(values, scalar) | np.isnan(values) | (values == 0)).all():
            raise DomainUnsupported("the program makes numbers of bits, which a finite field cannot follow")
        return self.exact(values)

    def identical(self, a: Any, b: Any, scalar: Scalar) -> Array:
        """By the residues."""
        x, y = (a[0], b[0]) if isinstance(a, tuple) else (a, b)
        return np.equal(*np.broadcast_arrays(x, y))

    # memory

    def attach(self, region: Region) -> None:
        """Give float regions their planes."""
        self._state = region.state
        region.planes = None
        floats = float_scalars(region.layout) if region.layout is not None else {region.elem}
        if len(floats) == 1 and (only := next(iter(floats))).is_float:
            self._planes(region, only)

    def _planes(self, region: Region, scalar: Scalar) -> Planes:
        planes: Planes | None = region.planes
        if planes is None:
            shape = region.view(scalar).shape
            floats = np.full(shape, region.elem.is_float)
            if region.layout is not None:
                floats[...] = float_cells(region.layout, scalar, shape[-1])
            planes = region.planes = Planes(scalar, self._contents(region, scalar), floats)
        if planes.scalar != scalar:
            raise DomainUnsupported(f"{region.name} is used as {planes.scalar} and as {scalar}")
        return planes

    def _contents(self, region: Region, scalar: Scalar) -> Element:
        view = region.view(scalar)
        shape = view.shape
        if region.per is Per.LAUNCH and region.name in self.given.symbols:
            rng = np.random.default_rng([self.given.seed, zlib.crc32(self.given.symbols[region.name].encode())])
            p, q = (rng.integers(0, m, shape, np.uint64) for m in (P, Q))
            return p, q, np.full(shape, np.nan), np.full(shape, DATA, np.uint8)
        if region.per is Per.LAUNCH and region.valid is None:
            return self._numbers(formats.from_memory(view, scalar).astype(np.float64), scalar)
        none = np.zeros(shape, np.uint64)
        return none, none.copy(), np.full(shape, np.nan), np.full(shape, UNKNOWN, np.uint8)

    def _numbers(self, values: Array, scalar: Scalar) -> Element:
        """The contents of a buffer that was given: few different numbers as literals are, many exactly."""
        different, at = np.unique(values, return_inverse=True)
        if different.size > 256:
            return self.exact(values)
        made = [self.constant(float(v), scalar) for v in different]
        p, q, c, flags = (np.concatenate([m[i].reshape(-1) for m in made])[at].reshape(values.shape) for i in range(4))
        return p, q, c, flags

    def load(self, region: Region, scalar: Scalar, index: Array) -> Value:
        """Elements, or integers."""
        planes: Planes | None = region.planes
        if not scalar.is_float:
            if planes is not None and (region.layout is None or planes.scalar.size == scalar.size):
                self._kind(region, planes, index if planes.scalar.size == scalar.size else None, floats=False)
            return super().load(region, scalar, index)
        planes = self._planes(region, scalar)
        if region.layout is not None or not region.elem.is_float or not planes.floats.all():
            self._kind(region, planes, index, floats=True)
        p, q, c, flags = (gather(region, part, index) for part in planes.parts)
        return p, q, c, flags

    def _kind(self, region: Region, planes: Planes, index: Array | None, *, floats: bool) -> None:
        bad = planes.floats[:1] if index is None else gather(region, planes.floats, index) != floats
        if index is None or self.active(bad):
            raise DomainUnsupported(f"{region.name} holds floats and integers in the same bytes")

    def store(self, region: Region, scalar: Scalar, index: Array, value: Any, mask: Mask) -> None:
        """Elements, or integers."""
        if not scalar.is_float:
            planes: Planes | None = region.planes
            if planes is not None and planes.scalar.size == scalar.size:
                scatter(region, planes.floats, index, np.zeros((1, 1), bool), mask)
            elif planes is not None and region.layout is None:
                raise DomainUnsupported(f"{region.name} is used as {planes.scalar} and as {scalar}")
            super().store(region, scalar, index, value, mask)
            return
        planes = self._planes(region, scalar)
        for part, item in zip(planes.parts, value, strict=True):
            scatter(region, part, index, item, mask)
        if region.layout is not None or not region.elem.is_float or not planes.floats.all():
            scatter(region, planes.floats, index, np.ones((1, 1), bool), mask)

    def update_float(self, op: str, region: Region, scalar: Scalar, index: Array, value: Any, *, old: bool) -> Any:
        """Atomic sums."""
        if old or op not in ("add", "sub"):
            what = "the old value of a float atomic" if old else f"an atomic {op} of floats"
            raise DomainUnsupported(f"{what} on {region.name} cannot be followed in a finite field")
        planes = self._planes(region, scalar)
        p, q, c, flags = (part.reshape(-1) for part in planes.parts)
        if op == "sub":
            value = self.negate(value, scalar)
        MODP.sum_at(p, index, value[0])
        MODQ.sum_at(q, index, value[1])
        np.add.at(c, index, value[2])
        np.bitwise_or.at(flags, index, value[3])
        return None

    def finish(self, result: Any) -> None:
        """Add the residues of the float buffers, with their marks."""
        result.residues = {}
        for name, region in result.regions.items():
            planes: Planes | None = region.planes
            if planes is None or not region.elem.is_float:
                continue
            n = region.size // region.elem.size
            p, _, c, flags = (part[:n] for part in planes.parts)
            # an infinity is no residue: two numbers beyond all of them
            out = np.where(np.isinf(c), np.uint64(P) + (c > 0).astype(np.uint64), p)
            out = np.where((flags & SOFT) != 0, out | RESULT_SOFT, out)
            unknown = ((flags & UNKNOWN) != 0) | self._blind | ~planes.floats[:n]
            result.residues[name] = np.where(unknown, RESULT_UNKNOWN, out)
