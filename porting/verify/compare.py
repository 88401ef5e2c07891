"""Comparing one output with what it should be, element by element."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from ...backends.emulator.formats import LARGEST, ROUNDOFF, SMALLEST_NORMAL
from ..spec.model import Tolerance

if TYPE_CHECKING:
    from ...ir.types import Scalar
    from .expected import Expected

Mode = Literal["float", "exact", "sorted"] | Tolerance


@dataclass(frozen=True, slots=True)
class Compared:
    """How many elements are out of bounds (`bad`), how many have no finite bound (`unjudged`), and the worst one.

    `index` is flat, None for an empty output; got, expected and bound are the numbers there.
    """

    bad: int
    unjudged: int
    index: int | None = None
    got: float = 0.0
    expected: float = 0.0
    bound: float = 0.0


def compare(got: np.ndarray, expected: Expected, scalar: Scalar, mode: Mode | None = None) -> Compared:
    """Compare an output, decoded and flat, with the oracle's.

    float: |got - expected| <= bound; NaN and infinities must stand where they are expected, with their sign. exact:
    equal numbers, NaN where NaN, signs of zeros too; or the source's own on a machine that flushes. sorted: as float,
    after sorting both, under the largest bound. Tolerance: |got - expected| <= atol + rtol |expected|. Integers
    are compared exactly in every mode but Tolerance.
    """
    ref, bounds = expected.values, expected.bounds
    if got.shape != ref.shape:
        raise ValueError(f"shapes {got.shape} and {ref.shape}")
    if ref.size == 0:
        return Compared(0, 0)
    if mode == "sorted":
        got, ref = np.sort(got), np.sort(ref)
        bounds = np.full(ref.shape, bounds.max())
    open_ = expected.open if expected.open is not None and mode != "sorted" else np.zeros(ref.shape, bool)
    if isinstance(mode, Tolerance):
        whole = ref.astype(np.float64)
        # a share of an infinity would allow any number
        bounds = mode.atol + mode.rtol * np.where(np.isinf(whole), 0.0, np.abs(whole))
    elif not scalar.is_float or mode == "exact":
        if expected.flushes:
            got = np.where((got == 0) & (np.abs(ref) < SMALLEST_NORMAL[scalar]), ref, got)
        if expected.flushed is not None:
            got = np.where(got == expected.flushed, ref, got)
        return _exactly(got, ref, scalar)
    return _within(got.astype(np.float64), ref.astype(np.float64), bounds, scalar, open_)


def _exactly(got: np.ndarray, ref: np.ndarray, scalar: Scalar) -> Compared:
    wrong = got != ref
    if scalar.is_float:
        wrong = (wrong & ~(np.isnan(got) & np.isnan(ref))) | (
            (got == 0) & (ref == 0) & (np.signbit(got) != np.signbit(ref))
        )
    with np.errstate(invalid="ignore"):
        distance = np.abs(got.astype(np.float64) - ref.astype(np.float64))
    worst = int(np.argmax(np.where(wrong, np.where(np.isnan(distance), np.inf, distance) + 1, 0)))
    return Compared(int(wrong.sum()), 0, worst, float(got[worst]), float(ref[worst]), 0.0)


def _within(got: np.ndarray, ref: np.ndarray, bounds: np.ndarray, scalar: Scalar, open_: np.ndarray) -> Compared:
    largest = LARGEST[scalar] if scalar.is_float else np.inf
    # half a unit beyond the largest number a float rounds to infinity
    edge = largest + 2.0 ** (math.frexp(largest)[1] - 1) * ROUNDOFF[scalar] if scalar.is_float else np.inf
    with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
        error = np.abs(got - ref)
        fine = (error <= bounds) | (got == ref) | (np.isnan(got) & np.isnan(ref))
        # a number so large that its bound reaches past the type's range may come out as infinity
        fine |= (
            np.isinf(got)
            & (np.sign(got) == np.sign(ref))
            & (np.abs(ref) + np.where(np.isfinite(bounds), bounds, 0) >= edge)
        )
        # an infinite bound says nothing, except that a NaN is not what was expected where a number is
        unjudged = (np.isposinf(bounds) & ~(np.isfinite(ref) & np.isnan(got))) | open_
        fine |= open_
        # the worst is the element furthest out of bounds, or if there is none the one nearest to its bound
        excess = np.where(fine, 0.0, np.where(np.isfinite(error), error / np.maximum(bounds, 1e-300), np.inf))
        share = np.where(bounds > 0, error / bounds, np.where(np.isnan(error), -1.0, 0.0))
    worst = int(np.argmax(np.nan_to_num(share, nan=-1.0) if fine.all() else np.nan_to_num(excess, nan=np.inf)))
    bad = int((~fine & ~unjudged).sum())
    return Compared(bad, int(unjudged.sum()), worst, float(got[worst]), float(ref[worst]), float(bounds[worst]))
