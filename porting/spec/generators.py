"""Kinds of inputs: what each puts into the buffers of one run, and what it is there to find (verification.md §2.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, get_args

import numpy as np

from ...backends.emulator.formats import LARGEST, PRECISION, SMALLEST_NORMAL

if TYPE_CHECKING:
    from collections.abc import Callable

    from ...ir.types import Scalar

InputKind = Literal[
    "normal", "exact", "one_hot", "big_int", "ids", "constant", "wide", "cancel", "tiny", "huge", "range", "nan",
    "infinity", "zeros", "subnormal", "largest", "ordered", "whole", "edges", "low", "near",
]  # fmt: skip
"""normal: floats from N(0, 1), integers from 0 to 255. exact: integers whose sums are exact in any order. one_hot: the
first float buffer holds full significands, of the others all but one number of a column is zero, so each result is one
product: shows operands kept in a narrower type and wrong indices. big_int: sums close to the last exact integer: shows
narrow accumulators. ids: each element is its index: shows wrong index maps. constant: ties and zero variance. wide:
magnitudes from 1e-3 to 1e3. cancel: neighbours that nearly cancel. tiny: around the smallest normal number; of several
buffers the first holds ordinary numbers, too. huge: sums of products close to the largest number. range: exponents to
where exp overflows. nan, infinity, zeros (of both signs), subnormal, largest: such at the first, the last and other
places among normal ones; but for infinities all along one row, too. ordered: all rows equal, in falling order. whole:
integers over all of their type. edges: the least and the largest integers, -1, 0, 1. low: far below zero, where exp is
zero, but for one number in every second row: shows maxima that start at zero or leave out a part. near: multiples of
1/8 and the numbers next to them: shows comparisons and roundings that are a little off."""

PROBES: Final[tuple[InputKind, ...]] = tuple(k for k in get_args(InputKind) if k not in ("normal", "exact"))
"""Kinds that look for one class of errors each. A reference need not cover them: see Oracle.expect."""

OF_INTEGERS: Final[frozenset[InputKind]] = frozenset({"whole", "edges"})
"""Kinds in which integers alone are unusual. Where they are indices the source fails on them, and they are left out."""
INTEGER_PROBES: Final[tuple[InputKind, ...]] = ("ids", "constant", "ordered", "whole", "edges")
EXACT: Final[frozenset[InputKind]] = frozenset({"exact", "one_hot", "big_int", "ids", "constant"})
"""Kinds on which sums may be exact in any order."""

_SPECIAL_PLACES: Final = 3
_ONE_INFINITY_IN: Final = 32  # so that the edges of tiles have some, and most sums have none or one
_ONE_IN: Final = {"nan": 8, "zeros": 4, "subnormal": 4, "largest": 64}


def integers(kind: InputKind, scalar: Scalar, shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    """Integers from 0 to 255, or to the type's largest value where that is smaller; what they mean is not known."""
    if kind in OF_INTEGERS and scalar.kind != "bool":
        low = -(2 ** (scalar.bits - 1)) if scalar.signed else 0
        high = low + 2**scalar.bits - 1
        dtype = np.int64 if scalar.signed else np.uint64
        if kind == "whole":
            return rng.integers(low, high, shape, dtype, endpoint=True)
        return rng.choice(np.array([low, high, low + 1, high - 1, max(low, -1), 0, 1], dtype), shape)
    top = 1 if scalar.kind == "bool" else min(255, 2 ** (scalar.bits - scalar.signed) - 1)
    if kind == "ids":
        return (np.arange(np.prod(shape, dtype=np.int64)) % (top + 1)).reshape(shape)
    if kind == "constant":
        return np.full(shape, rng.integers(0, top + 1))
    if kind == "ordered":
        return _rows(rng.integers(0, top + 1, shape[-1:]), shape)
    return rng.integers(0, top + 1, shape)


def floats(
    kind: InputKind, scalar: Scalar, shape: tuple[int, ...], rng: np.random.Generator, *, longest: int, first: bool
) -> np.ndarray:
    """Floats of a kind, float64, not yet rounded to the type.

    longest: elements along the longest axis of any buffer, as many as a sum may have. first: the first of several float
    buffers.
    """
    if kind in _SPECIAL:
        return _with_special(kind, scalar, rng.standard_normal(shape), rng)
    return _KINDS[kind](scalar, shape, rng, max(longest, 1), first)


def _rows(row: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """The same row, in falling order, over and over."""
    return np.array(np.broadcast_to(-np.sort(-row) if shape else row, shape))


def _with_special(kind: InputKind, scalar: Scalar, values: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    flat, choices = values.reshape(-1), _SPECIAL[kind](scalar)
    if not flat.size:
        return values
    rows = values.reshape(values.shape[0], -1) if values.ndim > 1 else values.reshape(1, -1)
    if kind != "infinity":  # infinities that meet make NaN or not, as the order of a sum wants it
        chosen = rng.random(rows.shape) < 1 / _ONE_IN[kind]
        if kind == "nan":
            # it swallows what it is added to: every second row is spared, and most of a single one
            chosen &= rng.random((rows.shape[0], 1)) < 0.5 if values.ndim > 1 else rng.random(rows.shape) < 0.25
        flat[chosen.reshape(-1)] = rng.choice(choices, int(chosen.sum()))
        if len(rows) > 3:
            rows[1] = choices[-1]
    few = min(max(_SPECIAL_PLACES, flat.size // _ONE_INFINITY_IN * (kind == "infinity")), flat.size)
    places = {0, flat.size - 1, *rng.integers(0, flat.size, few).tolist()}
    for i, at in enumerate(sorted(places)):
        flat[at] = choices[i % len(choices)]
    flat[-1] = choices[flat.size % len(choices) - 1]  # what a kernel does for the rest alone shall meet each of them
    return values


def _signs(shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    return rng.choice([-1.0, 1.0], shape)


def _normal(_s: Scalar, shape: tuple[int, ...], rng: np.random.Generator, _n: int, _f: bool) -> np.ndarray:
    return rng.standard_normal(shape)


def _exact(s: Scalar, shape: tuple[int, ...], rng: np.random.Generator, n: int, _f: bool) -> np.ndarray:
    bits = max(1, min(4, (PRECISION[s] - n.bit_length()) // 2))
    return rng.integers(-(2**bits) + 1, 2**bits, shape).astype(np.float64)


def _one_hot(s: Scalar, shape: tuple[int, ...], rng: np.random.Generator, _n: int, first: bool) -> np.ndarray:
    odd = rng.integers(2 ** (PRECISION[s] - 2), 2 ** (PRECISION[s] - 1), shape) * 2 + 1
    full = _signs(shape, rng) * odd * 2.0 ** (1 - PRECISION[s])
    if first:
        return full
    out = np.zeros(shape)
    if out.size:
        length = shape[0] if shape else 1
        columns = out.reshape(length, -1)
        rows = rng.integers(0, length, columns.shape[1])
        rows[-1] = length - 1  # the last term of a sum is the one that is dropped
        columns[rows, np.arange(rows.size)] = 2.0 ** rng.integers(-3, 4, rows.size)
    return out


def _big_int(s: Scalar, shape: tuple[int, ...], rng: np.random.Generator, n: int, first: bool) -> np.ndarray:
    if not first:
        return (rng.random(shape) < 7 / 8).astype(np.float64)
    out = rng.integers(0, 4, shape).astype(np.float64)
    rows = out.reshape(-1, shape[-1] if shape else 1)
    # one large number in a row and in a column, so that sums along either need the last bit
    at = np.arange(min(rows.shape))
    if at.size:
        rows[at, (at + rng.integers(rows.shape[1])) % rows.shape[1]] = max(1, 2 ** PRECISION[s] - 4 * n)
    return out


def _ordered(_s: Scalar, shape: tuple[int, ...], rng: np.random.Generator, _n: int, _f: bool) -> np.ndarray:
    return _rows(rng.standard_normal(shape[-1:]), shape)


def _ids(s: Scalar, shape: tuple[int, ...], _r: np.random.Generator, _n: int, _f: bool) -> np.ndarray:
    return (np.arange(np.prod(shape, dtype=np.int64)) % 2 ** PRECISION[s]).reshape(shape).astype(np.float64)


def _constant(_s: Scalar, shape: tuple[int, ...], rng: np.random.Generator, _n: int, _f: bool) -> np.ndarray:
    return np.full(shape, float(rng.integers(1, 8)))


def _wide(s: Scalar, shape: tuple[int, ...], rng: np.random.Generator, _n: int, _f: bool) -> np.ndarray:
    decades = 3.0 if LARGEST[s] > 1e6 else 1.5
    return _signs(shape, rng) * 10.0 ** rng.uniform(-decades, decades, shape)


def _cancel(s: Scalar, shape: tuple[int, ...], rng: np.random.Generator, _n: int, _f: bool) -> np.ndarray:
    flat = rng.standard_normal(shape).reshape(-1)
    pairs = flat.size // 2
    flat[1 : 2 * pairs : 2] = -flat[0 : 2 * pairs : 2] * (1 + 2.0 ** (4 - PRECISION[s]))
    return flat.reshape(shape)


def _tiny(s: Scalar, shape: tuple[int, ...], rng: np.random.Generator, _n: int, first: bool) -> np.ndarray:
    scale = np.where(rng.random(shape) < 0.5, 1.0, SMALLEST_NORMAL[s]) if first else SMALLEST_NORMAL[s]
    return _signs(shape, rng) * rng.uniform(0.25, 4.0, shape) * scale


def _low(s: Scalar, shape: tuple[int, ...], rng: np.random.Generator, _n: int, _f: bool) -> np.ndarray:
    values = rng.standard_normal(shape) - 2.0 * np.log(LARGEST[s])
    if values.size:
        rows = values.reshape(-1, shape[-1] if len(shape) > 1 else values.size)
        for r in range(0, len(rows), 2):
            rows[r, int(rng.integers(rows.shape[1])) if r else -1] = rng.standard_normal()
    return values


def _near(s: Scalar, shape: tuple[int, ...], rng: np.random.Generator, _n: int, _f: bool) -> np.ndarray:
    at = rng.integers(-32, 33, shape) / 8.0
    ulp = 2.0 ** (np.floor(np.log2(np.maximum(np.abs(at), 0.125))) + 1 - PRECISION[s])
    return at + rng.integers(-1, 2, shape) * ulp


def _huge(s: Scalar, shape: tuple[int, ...], rng: np.random.Generator, n: int, _f: bool) -> np.ndarray:
    return _signs(shape, rng) * rng.uniform(0.5, 1.0, shape) * np.sqrt(LARGEST[s] / (8 * n))


def _range(s: Scalar, shape: tuple[int, ...], rng: np.random.Generator, _n: int, _f: bool) -> np.ndarray:
    return rng.uniform(-1.0, 1.0, shape) * np.log(LARGEST[s])


_KINDS: Final[dict[InputKind, Callable[[Scalar, tuple[int, ...], np.random.Generator, int, bool], np.ndarray]]] = {
    "normal": _normal, "exact": _exact, "one_hot": _one_hot, "big_int": _big_int, "ids": _ids, "constant": _constant,
    "wide": _wide, "cancel": _cancel, "tiny": _tiny, "huge": _huge, "range": _range, "low": _low, "near": _near,
    "ordered": _ordered, "whole": _normal, "edges": _normal,
}  # fmt: skip

_SPECIAL: Final[dict[InputKind, Callable[[Scalar], list[float]]]] = {
    "nan": lambda _: [np.nan],
    "infinity": lambda _: [np.inf, -np.inf],
    "zeros": lambda _: [0.0, -0.0],
    "subnormal": lambda s: [SMALLEST_NORMAL[s] / 4, -SMALLEST_NORMAL[s] * 2.0 ** (1 - PRECISION[s])],
    "largest": lambda s: [LARGEST[s], -LARGEST[s]],
}
