"""What a run should give: values and bounds of each output, from runs of the source and from the reference."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from ...backends.emulator.formats import LARGEST, PRECISION, ROUNDOFF, UNDERFLOW
from ..spec.data import decode, outputs
from .compare import compare

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...backends.base import Finding
    from ...backends.emulator import Emulation
    from ...ir.types import Scalar
    from ..spec.kernel import Kernel

FACTOR: Final = 2.0
NORMWISE: Final = 2 * FACTOR
"""Where the error analysis does not apply: this many times the largest deviation of the source's own machine arithmetic
from the reference, over the whole output. A port's roundings are at most FACTOR times as many; twice that, since one
run is a sample of the deviation and no bound. The basis in the report says `normwise`."""


@dataclass(frozen=True, slots=True)
class Expected:
    """One output: `values` as `spec.data.decode` gives them, flat; `bounds` per element, absolute (0 for integers).

    `basis` says where values and bounds come from. `exact`: integers all the way, so every order gives these bits.
    `negative`: the signs of zeros, where they can be told. `open`: elements that another order of the same sums and
    products may overflow in, or for which the source's own roundings give a NaN, so that nothing is said of them.
    `flushes`: the destination makes subnormals zero. `flushed`: what the source gives then, where that differs and
    bounds have no say (integers, exact comparison).
    """

    values: np.ndarray
    bounds: np.ndarray
    basis: str
    exact: bool = False
    negative: np.ndarray | None = None
    open: np.ndarray | None = None
    flushes: bool = False
    flushed: np.ndarray | None = None


@dataclass(frozen=True, slots=True)
class Expectation:
    """What a run should give.

    `source_findings`: defects of the source kernel itself; `source_faults`: outputs in which the source disagrees with
    its reference, in words; `missing`: outputs that nothing here can judge, with the reason.
    """

    outputs: dict[str, Expected]
    source_findings: tuple[Finding, ...] = ()
    source_faults: tuple[str, ...] = ()
    missing: dict[str, str] = field(default_factory=dict)


def judged(
    kernel: Kernel,
    found: Emulation,
    plain: Emulation | None,
    reference: dict[str, np.ndarray] | None,
    unsupported: str,
    flushed: Emulation | None,
) -> Expectation:
    """Values and bounds from a run of the source, `found`, and from the reference.

    plain: a run in the machine's arithmetic, where sums may be exact. unsupported: why there are no error bounds.
    flushed: without bounds, a run that flushes subnormal numbers as the destination does.
    """
    out: dict[str, Expected] = {}
    faults: list[str] = []
    missing: dict[str, str] = {}
    for name in outputs(kernel):
        scalar = kernel.args[name].scalar
        own = decode(found.buffers[name], scalar)
        ref = None if reference is None else reference[name].reshape(-1)
        if not scalar.is_float:
            values = own if ref is None else ref
            out[name] = Expected(values, np.zeros(values.shape), _basis(ref is not None, "exact"), exact=True)
        elif found.bounds is not None and found.values64 is not None:
            bounds, carried = found.bounds[name], found.values64[name]
            values = carried if ref is None else ref
            # the float64 reference has roundings of its own, which matter beside an f64 kernel's
            factor = FACTOR + (1.0 if scalar.name == "f64" else 0.0)
            # 2^-50: what a reference of float64 may itself be off by, eight of its roundings; infinities are exact
            allowed = factor * bounds + np.where(np.isfinite(values), 2.0**-50 * np.abs(values), 0.0)
            allowed = np.where(bounds == 0, 0.0, allowed) if ref is None else allowed
            allowed = np.where(np.isinf(bounds), np.inf, allowed)  # beside a NaN, too
            if scalar.name == "f64":  # beyond the range of what holds a double there
                allowed = np.where(np.isinf(carried) & np.isfinite(values), np.inf, allowed)
            exact = plain is not None and np.array_equal(decode(plain.buffers[name], scalar), values)
            out[name] = Expected(values, allowed, _basis(ref is not None, f"{factor:g} x running error bound"), exact)
            own = carried
        elif ref is None:
            missing[name] = f"no reference, and error bounds do not apply ({unsupported})"
            continue
        else:
            basis = _basis(True, f"{NORMWISE:g} x the source's own deviation, normwise ({unsupported})")
            runs = [own] if flushed is None else [own, decode(flushed.buffers[name], scalar)]
            out[name] = Expected(ref, np.maximum.reduce([_normwise(r, ref, scalar) for r in runs]), basis)
        if ref is not None and (fault := _disagrees(kernel, name, own, out[name], scalar)):
            faults.append(fault)
    return Expectation(out, tuple(found.findings), tuple(faults), missing)


def exact_in_any_order(kernel: Kernel, expectation: Expectation, reach: Emulation, quantum: Emulation) -> Expectation:
    """Where the source's order was exact: whether every partial result of any order has few enough digits."""
    out = dict(expectation.outputs)
    for name, e in out.items():
        scalar = kernel.args[name].scalar
        if e.exact and scalar.is_float:
            most, last = (r.bounds[name] if r.bounds is not None else np.inf for r in (reach, quantum))
            with np.errstate(over="ignore", invalid="ignore"):
                digits = np.log2(np.maximum(most, 2.0**-1000)) - last
            out[name] = replace(e, exact=bool((digits <= PRECISION[scalar]).all()))
    return replace(expectation, outputs=out)


def opened(kernel: Kernel, expectation: Expectation, reach: Emulation) -> Expectation:
    """Leave open what another order of the same sums and products may overflow in."""
    out = dict(expectation.outputs)
    for name, e in out.items():
        scalar = kernel.args[name].scalar
        if scalar.is_float and reach.bounds is not None:
            out[name] = replace(e, open=~(reach.bounds[name] <= LARGEST[scalar]))
    return replace(expectation, outputs=out)


def boundless(expectation: Expectation) -> bool:
    """Whether a number is expected anywhere for which no finite bound is known."""
    return any((np.isposinf(e.bounds) & np.isfinite(e.values)).any() for e in expectation.outputs.values())


def undefined(kernel: Kernel, expectation: Expectation, runs: Sequence[Emulation]) -> Expectation:
    """Leave open, among the numbers without a finite bound, those for which the source's own roundings give a NaN."""
    out = dict(expectation.outputs)
    for name, e in out.items():
        scalar = kernel.args[name].scalar
        if scalar.is_float:
            nan = np.logical_or.reduce([np.isnan(decode(run.buffers[name], scalar)) for run in runs])
            nan &= np.isposinf(e.bounds)
            out[name] = replace(e, open=nan if e.open is None else nan | e.open)
    return replace(expectation, outputs=out)


def _disagrees(kernel: Kernel, name: str, own: np.ndarray, expected: Expected, scalar: Scalar) -> str:
    unordered = kernel.model.reference.compare.get(name) == "sorted"
    result = compare(own, expected, scalar, "sorted" if unordered else None)
    if result.bad == 0:
        return ""
    return f"{name}[{result.index}]: the source gives {result.got:.9g}, its reference {result.expected:.9g}"


def _basis(reference: bool, bound: str) -> str:
    return f"{'float64 reference' if reference else 'source in float64'}, {bound}"


def _normwise(own: np.ndarray, ref: np.ndarray, scalar: Scalar) -> np.ndarray:
    finite = np.isfinite(own) & np.isfinite(ref)
    gap = float(np.abs(own[finite] - ref[finite]).max(initial=0.0))
    bounds = NORMWISE * gap + ROUNDOFF[scalar] * np.abs(ref) + UNDERFLOW[scalar]
    return np.where(np.isinf(ref), 0.0, bounds)  # an infinity is exact: a share of it would allow any number
