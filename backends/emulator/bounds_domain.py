"""Running error analysis: a float is a float64 value and a bound on how far a device's result may be from it.

After Higham, Accuracy and Stability of Numerical Algorithms (2nd ed.), §3.3: every operation propagates its operands'
bounds and adds one rounding (or the accuracy of the function) of the operands' type. The float64 value's own rounding,
2^-53, is added too, so the bound holds for the distance to this value.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, TypeAlias

import numpy as np

from ...ir.types import BF16, F32, F64, Scalar, Struct, leaves, scalar_of
from . import formats, functions
from .domain import Domain, same_bits
from .errors import DomainUnsupported
from .interval import EXACT, MONOTONE, spread
from .lanes import Array, Mask, Value, lanewise, meet
from .machine_domain import COMPARE
from .matrix_unit import MatrixUnit
from .regions import Per, Region, gather, scatter

Bounded: TypeAlias = "tuple[Array, Array]"
Budget: TypeAlias = "float | Callable[[list[Array], Array], Array]"

# Documented maximum errors of CUDA, single precision, ulp (CUDA C++ Programming Guide, mathematical functions)
DEFAULT_ULPS: Final[Mapping[str, Budget]] = MappingProxyType({
    "exp": 2, "exp2": 2, "exp10": 2, "expm1": 1, "log": 1, "log2": 1, "log10": 2, "log1p": 1, "rsqrt": 2, "cbrt": 1,
    "sin": 2, "cos": 2, "tan": 4, "asin": 4, "acos": 3, "atan": 2, "sinh": 3, "cosh": 2, "tanh": 2, "asinh": 3,
    "acosh": 4, "atanh": 3, "erf": 2, "erfc": 4, "pow": 8, "atan2": 3, "hypot": 3, "fast_divide": 2,
    "fast_exp": lambda args, _: 2 + np.floor(np.abs(1.173 * args[0])),
    "fast_exp10": lambda args, _: 2 + np.floor(np.abs(2.97 * args[0])),
    "fast_exp2": 2, "fast_log": lambda args, _: _log_ulps(args[0], 2.0**-21.41),
    "fast_log2": lambda args, _: _log_ulps(args[0], 2.0**-22),
    "fast_log10": lambda args, _: _log_ulps(args[0], 2.0**-24),
    "fast_sin": lambda _, out: _absolute(out, 2.0**-21.41), "fast_cos": lambda _, out: _absolute(out, 2.0**-21.19),
})  # fmt: skip


def _absolute(out: Array, error: float) -> Array:
    """An absolute error of a single precision result, in ulp."""
    return error / ulp(np.abs(out), F32)


def _log_ulps(x: Array, error: float) -> Array:
    """An absolute error on [0.5, 2] and 3 ulp outside, where ulp of the logarithm is meant."""
    out = np.log2(np.abs(x))
    return np.where((x >= 0.5) & (x <= 2), _absolute(out, error), 3.0)


def ulp(x: Array, scalar: Scalar) -> Array:
    """Distance between floats of a type around x >= 0; for x = 0 the smallest subnormal."""
    return _unit(x, FORMATS[scalar])


@dataclass(frozen=True, slots=True)
class Format:
    """A number format: unit roundoff, bits, largest number, smallest normal one, half the smallest of all.

    `floor` is what one operation may lose below `smallest`, in sums too, where that is more than gradual underflow's.
    """

    roundoff: float
    precision: int
    largest: float
    smallest: float
    underflow: float
    floor: float = 0.0


FORMATS: Final = MappingProxyType(
    {
        s: Format(u, formats.PRECISION[s], formats.LARGEST[s], formats.SMALLEST_NORMAL[s], formats.UNDERFLOW[s])
        for s, u in formats.ROUNDOFF.items()
    }
)
# a low float below 2^-126 may be lost, which is 2^-44 of a pair of 2^-82; some operations lose a few of them
_PAIRS: Final = Format(2.0**-44, 44, formats.LARGEST[F32], 2.0**-80, 2.0**-124, 2.0**-124)
DOUBLES: Final[Mapping[str, Format]] = MappingProxyType({"float32": FORMATS[F32], "double-single": _PAIRS})
"""What f64 is where a port has none, by `KernelText.fp64`."""


def _unit(x: Array, form: Format) -> Array:
    _, exponent = np.frexp(np.where(np.isfinite(x), x, form.largest))
    exponent = np.where(x == 0, -2000, exponent)
    return np.maximum(np.ldexp(1.0, exponent - form.precision), 2 * form.underflow)


@dataclass(slots=True)
class Planes:
    """Floats of a region: values, bounds, which cells hold floats; and for atomic sums the number of additions and the
    sum of the magnitudes added, from which the bound for any order follows."""

    scalar: Scalar
    value: Array
    bound: Array
    floats: Array
    additions: Array | None = None
    magnitude: Array | None = None


def float_scalars(layout: Struct) -> set[Scalar]:
    """The floating types in a struct; of a union, whose bytes have several types, all that it has and integers."""
    found = {scalar_of(leaf) for _, leaf in leaves(layout)}
    if layout.union or any(isinstance(m.type, Struct) and m.type.union for m in layout.members):
        raise DomainUnsupported(f"{layout} holds floats and integers in the same bytes")
    return {s for s in found if s.is_float}


def float_cells(layout: Struct, scalar: Scalar, count: int) -> Array:
    """Which of the `count` cells of a scalar's size hold that scalar, in memory that repeats a struct."""
    at = np.zeros(count * scalar.size, bool)
    for offset, leaf in leaves(layout):
        if scalar_of(leaf) == scalar:
            for start in range(offset, at.size - leaf.size + 1, layout.size):
                at[start : start + leaf.size] = True
    return at[:: scalar.size]


class BoundsDomain(Domain):
    """Floats as (value, bound), both float64. Comparisons and conversions to integers use the value.

    ulps: per function of `ir.mathlib` (and "/", "sqrt") the destination's maximum error in ulp, or a function of
    (operand values, result values) that gives it per lane; it is laid over the documented values of CUDA. Functions
    without an entry are correctly rounded.

    A sum by atomics is bounded for every order: n additions onto a cell are off by at most gamma_n = n u / (1 - n u)
    times the sum of the magnitudes, besides the bounds of the summands. What depends on the order (an atomic's old
    value), and floats looked at as bits, raise DomainUnsupported.

    fp64: what f64 is in the port (`KernelText.fp64`), where that is not f64: buffers of doubles are rounded then, too.
    unit: the destination's matrix unit, whose sums may be further off than a loop's.
    """

    name = "bounds"

    def __init__(
        self, ulps: Mapping[str, Budget] | None = None, fp64: str = "", unit: MatrixUnit | None = None
    ) -> None:
        self.unit = unit
        self.ulps: dict[str, Budget] = {**DEFAULT_ULPS, **(ulps or {})}
        self.formats = {**FORMATS, F64: DOUBLES[fp64]} if fp64 else dict(FORMATS)
        self.pairs = fp64 == "double-single"
        self.held = self.formats[F64] != FORMATS[F64]

    # values

    def constant(self, value: float, scalar: Scalar) -> Bounded:
        """A rounded literal."""
        lane = formats.round_to(np.full((1, 1), value, np.float64), scalar).astype(np.float64)
        return lane, self._held(lane, scalar)

    def _held(self, value: Array, scalar: Scalar) -> Array:
        """How far a number is off where a double is held in another format."""
        if not self.held or scalar is not F64:
            return np.zeros(value.shape)
        if not self.pairs:
            with np.errstate(over="ignore", invalid="ignore"):
                off = np.abs(value.astype(np.float32).astype(np.float64) - value)
            return np.where(np.isfinite(value), off, 0.0)
        form = self.formats[F64]
        return np.where(np.isfinite(value), form.roundoff / 8 * np.abs(value) + (value != 0) * form.floor, 0.0)

    def poison(self, scalar: Scalar, lanes: int = 1) -> Value:
        """A NaN, or the poison bits."""
        shape = (1, 1) if lanes == 1 else (1, 1, lanes)
        if scalar.is_float:
            return np.full(shape, np.nan), np.zeros(shape)
        one = formats.poison(scalar)
        return np.broadcast_to(one if lanes == 1 else one[..., None], shape)

    def _small(self, scalar: Scalar) -> bool:
        return self.flush and (scalar is F32 or scalar is BF16 or (self.held and scalar is F64 and not self.pairs))

    def _operand(self, a: Bounded, scalar: Scalar) -> Bounded:
        """An operand as the machine sees it: where it may be subnormal, flushing may take it away."""
        if not self._small(scalar):
            return a
        v, e = a
        smallest = self.formats[scalar].smallest
        lost = (np.abs(v) - e < smallest) & ((v != 0) | (e != 0))
        return v, np.where(lost, e + smallest, e)

    def _rounded(self, v: Array, e: Array, scalar: Scalar, *, ulps: Array | float = 0.0, sums: bool = False) -> Bounded:
        """Add the rounding of one operation: u |result|, or `ulps`, the float64 rounding, and underflow."""
        size, own = np.abs(v) + e, np.abs(v)
        if not np.isfinite(v).all():  # infinities and NaN are not rounded
            size, own = (np.where(np.isfinite(v), x, 0.0) for x in (size, own))
        form = self.formats[scalar]
        local = form.roundoff * size
        if not isinstance(ulps, float) or ulps > 0.5:
            local = np.maximum(local, ulps * _unit(size, form))
        smallest = form.smallest
        tiny = (own - e - local < smallest) & (size > 0)
        e = e + local + 2.0**-53 * own
        if tiny.any():
            floor = smallest if self._small(scalar) else form.floor if sums else form.underflow
            e = np.where(tiny, e + floor, e)
        return self._settled(v, e, scalar)

    def _settled(self, v: Array, e: Array, scalar: Scalar) -> Bounded:
        """Overflow to infinity where the type overflows; infinite bounds where that is not certain."""
        most = self.formats[scalar].largest
        if (np.abs(v) + e).max(initial=0.0) <= most:  # false for NaN
            return v, e
        over = (np.abs(v) > most * (1 + self.formats[scalar].roundoff)) | np.isinf(v)
        sure = over & (np.abs(v) - e > most)
        e = np.where(np.isnan(e) | ((np.abs(v) + e > most) & ~sure), np.inf, e)
        e = np.where(np.isnan(v) & np.isfinite(e), 0.0, e)  # a NaN whatever the operands' errors: so is what it is in
        return np.where(over, np.copysign(np.inf, v), v), np.where(sure, 0.0, e)

    def negate(self, a: Bounded, scalar: Scalar) -> Bounded:
        """Sign change, exact but for flushing."""
        return self._operand((-a[0], a[1]), scalar)

    def binary(self, op: str, a: Bounded, b: Bounded, scalar: Scalar) -> Bounded:
        """Propagated bounds and one rounding."""
        (x, ex), (y, ey) = self._operand(a, scalar), self._operand(b, scalar)
        if op in "+-":
            return self._rounded(x + y if op == "+" else x - y, ex + ey, scalar, sums=True)
        if op == "*":
            v, e = self._rounded(x * y, _product(x, ex, y, ey), scalar)
            # fused into a sum the product is not rounded, and does not overflow
            over = np.isinf(v) & np.isfinite(x) & np.isfinite(y)
            return v, np.where(over, np.inf, e) if over.any() else e
        return self._quotient(x, ex, y, ey, scalar, "/")

    def _quotient(self, x: Array, ex: Array, y: Array, ey: Array, scalar: Scalar, name: str) -> Bounded:
        v = x / y
        room = np.abs(y) - ey
        # over a zero the result is certain, unless the dividend may be zero as well
        over_zero = np.where((ey > 0) | ((ex > 0) & (np.abs(x) <= ex)), np.inf, 0.0)
        e = np.where(room > 0, (ex + np.abs(v) * ey) / room, over_zero)
        out = self._rounded(v, _certain(e, x, ex, y, ey), scalar, ulps=self._budget(name, [x, y], v))
        return _limit(out, [y], [ey])

    def compare(self, op: str, a: Bounded, b: Bounded, scalar: Scalar) -> Array:
        """By value."""
        return COMPARE[op](a[0], b[0])

    def _budget(self, fn: str, args: list[Array], out: Array) -> Array | float:
        found = self.ulps.get(fn, 0.0)
        return found(args, out) if callable(found) else float(found)

    def math(self, fn: str, args: list[Any], scalar: Scalar) -> Value:
        """A function of the table: its operands' bounds propagated, its accuracy added."""
        if fn in functions.PREDICATES:
            return functions.PREDICATES[fn](args[0][0])
        if fn == "ldexp":
            v, e = args[0]
            return self._rounded(np.ldexp(v, args[1]), np.ldexp(e, args[1]), scalar)
        pairs = [self._operand(a, scalar) for a in args]
        values, bounds = [p[0] for p in pairs], [p[1] for p in pairs]
        if fn == "fma" and self.pairs and scalar is F64:  # a product and a sum, each rounded
            return self.binary("+", self.binary("*", args[0], args[1], scalar), args[2], scalar)
        if fn == "fma":
            (x, y, z), (ex, ey, ez) = values, bounds
            e = _product(x, ex, y, ey) + ez
            return self._rounded(x * y + z, e, scalar, sums=False)
        if fn == "fast_divide":
            return self._quotient(values[0], bounds[0], values[1], bounds[1], scalar, fn)
        name = fn.removeprefix("fast_")
        v = MONOTONE[name](values[0]) if name in MONOTONE else _value(name, values)
        e = spread(name, values, bounds, v)
        if name in EXACT:
            shape = np.broadcast_shapes(v.shape, e.shape)
            return self._operand((v, np.broadcast_to(e, shape)), scalar)
        return _limit(self._rounded(v, e, scalar, ulps=self._budget(fn, values, v)), values, bounds)

    def unit_sum(self, value: Bounded, reach: Bounded, share: float) -> Bounded:
        """A sum with the error of a matrix unit added."""
        v, e = value
        with_unit = e + share * (np.abs(reach[0]) + reach[1])
        return v, np.where(np.isfinite(v), with_unit, e)

    # conversions

    def from_int(self, a: Array, dst: Scalar) -> Bounded:
        """From integers, rounded."""
        v = a.astype(np.float64)
        own = 2.0**-53 * np.abs(v) if a.dtype.itemsize == 8 else np.zeros((1, 1))
        own = own + self._held(v, dst)
        return self._settled(v, np.abs(formats.round_to(v, dst).astype(np.float64) - v) + own, dst)

    def to_int(self, a: Bounded, src: Scalar, dst: Scalar) -> Array:
        """Truncates the value; saturates."""
        return formats.to_int(a[0], dst)

    def cast(self, a: Bounded, src: Scalar, dst: Scalar) -> Bounded:
        """Between float types, rounded where the target is narrower."""
        v, e = self._operand(a, src)
        if self.held and F64 in (src, dst):
            wide = self.formats[dst].precision >= self.formats[src].precision
            form = self.formats[dst]
            e = np.where((v != 0) & (np.abs(v) < form.smallest), e + form.floor, e)
            return self._settled(v, e, dst) if wide else self._rounded(v, e, dst)
        if formats.PRECISION[dst] >= formats.PRECISION[src] and formats.LARGEST[dst] >= formats.LARGEST[src]:
            return v, e
        return self._rounded(v, e, dst)

    def to_bits(self, a: Bounded, scalar: Scalar) -> Array:
        """Bits of a value with a bound mean nothing: DomainUnsupported."""
        raise DomainUnsupported(f"the program looks at the bits of {scalar} values, which error bounds cannot follow")

    def from_bits(self, bits: Array, scalar: Scalar, *, literal: bool = False) -> Bounded:
        """Values of bit patterns, exact."""
        v = formats.from_bits(bits, scalar).astype(np.float64)
        return v, np.zeros_like(v)

    def identical(self, a: Any, b: Any, scalar: Scalar) -> Array:
        """By the bits of the values."""
        x, y = (a[0], b[0]) if isinstance(a, tuple) else (a, b)
        return same_bits(*np.broadcast_arrays(x, y))

    # memory

    def attach(self, region: Region) -> None:
        """Give float regions their planes."""
        region.planes = None
        floats = float_scalars(region.layout) if region.layout is not None else {region.elem}
        if len(floats) == 1 and (only := next(iter(floats))).is_float:
            self._planes(region, only)

    def _planes(self, region: Region, scalar: Scalar) -> Planes:
        planes: Planes | None = region.planes
        if planes is None:
            view = region.view(scalar)
            value = formats.from_memory(view, scalar).astype(np.float64)
            if region.per is not Per.LAUNCH:
                value[...] = np.nan
            floats = np.full(view.shape, region.elem.is_float)
            if region.layout is not None:
                floats[...] = float_cells(region.layout, scalar, view.shape[-1])
            planes = region.planes = Planes(scalar, value, self._held(value, scalar), floats)
        if planes.scalar != scalar:
            raise DomainUnsupported(f"{region.name} is used as {planes.scalar} and as {scalar}")
        return planes

    def load(self, region: Region, scalar: Scalar, index: Array) -> Value:
        """Values and bounds, or integers."""
        planes: Planes | None = region.planes
        if not scalar.is_float:
            if planes is not None and (region.layout is None or planes.scalar.size == scalar.size):
                self._demand(region, planes, index if planes.scalar.size == scalar.size else None, floats=False)
            return super().load(region, scalar, index)
        planes = self._planes(region, scalar)
        if region.layout is not None or not region.elem.is_float or not planes.floats.all():
            self._demand(region, planes, index, floats=True)
        bound = gather(region, planes.bound, index)
        if planes.additions is not None and planes.magnitude is not None:
            n, size = gather(region, planes.additions, index), gather(region, planes.magnitude, index)
            bound = bound + gamma(n, self.formats[scalar].roundoff) * size
        return gather(region, planes.value, index), bound

    def _demand(self, region: Region, planes: Planes, index: Array | None, *, floats: bool) -> None:
        """Cells of the active lanes must hold floats, or must not."""
        bad = planes.floats[:1] if index is None else gather(region, planes.floats, index) != floats
        if index is None or meet(region.state.mask, lanewise(bad)).any():
            raise DomainUnsupported(f"{region.name} holds floats and integers in the same bytes")

    def store(self, region: Region, scalar: Scalar, index: Array, value: Any, mask: Mask) -> None:
        """Values and bounds, or integers."""
        if not scalar.is_float:
            planes: Planes | None = region.planes
            if planes is not None:
                if planes.scalar.size != scalar.size:
                    if region.layout is None:
                        raise DomainUnsupported(f"{region.name} is used as {planes.scalar} and as {scalar}")
                    super().store(region, scalar, index, value, mask)
                    return
                scatter(region, planes.floats, index, np.zeros((1, 1), bool), mask)
            super().store(region, scalar, index, value, mask)
            return
        planes = self._planes(region, scalar)
        scatter(region, planes.value, index, value[0], mask)
        scatter(region, planes.bound, index, value[1], mask)
        if region.layout is not None or not region.elem.is_float or not planes.floats.all():
            scatter(region, planes.floats, index, np.ones((1, 1), bool), mask)
        for extra in (planes.additions, planes.magnitude):
            if extra is not None:
                scatter(region, extra, index, np.zeros((1, 1)), mask)

    def update_float(self, op: str, region: Region, scalar: Scalar, index: Array, value: Any, *, old: bool) -> Any:
        """Atomic updates, bounded for every order; see the class."""
        if old:
            raise DomainUnsupported(f"the old value of a float atomic on {region.name} depends on the order of threads")
        planes = self._planes(region, scalar)
        flat, bound = planes.value.reshape(-1), planes.bound.reshape(-1)
        v, e = value
        if op in ("add", "sub"):
            if planes.additions is None or planes.magnitude is None:
                planes.additions = np.zeros(planes.value.shape)
                planes.magnitude = np.zeros(planes.value.shape)
            count, size = planes.additions.reshape(-1), planes.magnitude.reshape(-1)
            fresh = np.unique(index[count[index] == 0])
            size[fresh] = np.abs(flat[fresh]) + bound[fresh]
            np.add.at(flat, index, v if op == "add" else -v)
            # both operands and the sum may be flushed, by the machine or by its atomics on device memory alone
            flushed = self._small(scalar) or (self.flush_atomics and scalar is F32 and region.per is Per.LAUNCH)
            np.add.at(bound, index, e + 3 * formats.SMALLEST_NORMAL[scalar] * flushed)
            np.add.at(size, index, np.abs(v) + e)
            np.add.at(count, index, 1.0)
        elif op in ("min", "max"):
            (np.fmin if op == "min" else np.fmax).at(flat, index, v)
            np.maximum.at(bound, index, e)
        else:
            raise DomainUnsupported(f"an atomic {op} of floats on {region.name} depends on the order of threads")
        return None

    def finish(self, result: Any) -> None:
        """Add values and bounds of the float buffers, and their rounded contents."""
        result.bounds, result.values64 = {}, {}
        for name, region in result.regions.items():
            planes: Planes | None = region.planes
            if planes is None or not region.elem.is_float:
                continue
            n = region.size // region.elem.size
            bound = planes.bound[:n]
            if planes.additions is not None and planes.magnitude is not None:
                bound = bound + gamma(planes.additions[:n], self.formats[planes.scalar].roundoff) * planes.magnitude[:n]
            result.values64[name], result.bounds[name] = planes.value[:n].copy(), bound.copy()
            lanes = formats.round_to(planes.value[:n], region.elem)
            result.buffers[name] = formats.to_memory(lanes, region.elem).view(result.buffers[name].dtype)


def gamma(n: Array, roundoff: float) -> Array:
    """gamma_n = n u / (1 - n u), infinite from n u = 1 on (Higham, Lemma 3.1)."""
    nu = n * (roundoff + 2.0**-53)
    return np.where(nu < 1, nu / np.maximum(1 - nu, 2.0**-60), np.inf)


def _product(x: Array, ex: Array, y: Array, ey: Array) -> Array:
    return _certain(np.abs(x) * ey + np.abs(y) * ex + ex * ey, x, ex, y, ey)


def _certain(e: Array, x: Array, ex: Array, y: Array, ey: Array) -> Array:
    """A propagated bound of a product or quotient, 0 where an exactly infinite or NaN operand decides the result."""
    if np.isfinite(x).all() and np.isfinite(y).all():
        return e
    by_x = (np.isinf(x) & ((ey == 0) | (np.abs(y) > ey))) | np.isnan(x)
    by_y = (np.isinf(y) & ((ex == 0) | (np.abs(x) > ex))) | np.isnan(y)
    return np.where((by_x & (ex == 0)) | (by_y & (ey == 0)), 0.0, e)


def _limit(out: Bounded, values: list[Array], bounds: list[Array]) -> Bounded:
    """What is zero at an infinite operand is so exactly (C, annex F): 1 / inf, exp(-inf), rsqrt(inf)."""
    if all(np.isfinite(x).all() for x in values):
        return out
    v, e = out
    for x, ex in zip(values, bounds, strict=True):
        e = np.where(np.isinf(x) & (ex == 0) & (v == 0), 0.0, e)
    return v, e


def _value(fn: str, args: list[Array]) -> Array:
    return functions.NATIVE[fn](*args) if fn in functions.NATIVE else functions.ROUNDED[fn](*args)
