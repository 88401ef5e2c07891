"""Atomic read-modify-writes of many lanes with the result of some sequential order: here, the order of lanes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np

from .lanes import Array

_UFUNC: Final[dict[str, Any]] = {
    "add": np.add, "sub": np.subtract, "min": np.minimum, "max": np.maximum,
    "and": np.bitwise_and, "or": np.bitwise_or, "xor": np.bitwise_xor,
}  # fmt: skip
_FLOAT: Final[dict[str, Any]] = {**_UFUNC, "min": np.fmin, "max": np.fmax}


def in_order(op: str, cells: Array, index: Array, value: Array, *, old: bool) -> Array | None:
    """Apply `op` (add sub min max and or xor exch) to `cells[index[i]]` for i in order.

    cells: flat memory elements; index, value: one-dimensional, value of the cells' type. Gives the old value of every
    step if `old`. Float sums are rounded at every step, in that order.
    """
    if op == "exch":
        return _exchange(cells, index, value, old=old)
    ufunc = (_FLOAT if cells.dtype.kind == "f" else _UFUNC)[op]
    if not old:
        if op == "add" and cells.dtype.kind != "f" and index.size > 4 * cells.size and _uniform(value):
            # equal summands wrap the same way multiplied
            sums = np.bincount(index, minlength=cells.size).astype(np.int64) * int(value[0])
            cells += sums.astype(cells.dtype)
        else:
            ufunc.at(cells, index, value)
        return None
    order = np.argsort(index, kind="stable")
    where, what = index[order], value[order]
    starts = np.flatnonzero(np.concatenate(([True], where[1:] != where[:-1])))
    lengths = np.diff(np.append(starts, where.size))
    before = np.empty_like(what)
    if lengths.max() <= len(starts):
        _by_rank(ufunc, cells, where, what, starts, lengths, before)
    else:
        for start, length in zip(starts, lengths, strict=True):
            part = slice(start, start + length)
            first = cells[where[start] : where[start] + 1]
            run = ufunc.accumulate(np.concatenate((first, what[part])), dtype=cells.dtype)
            before[part] = run[:-1]
            cells[where[start]] = run[-1]
    out = np.empty_like(before)
    out[order] = before
    return out


def _by_rank(ufunc: Any, cells: Array, where: Array, what: Array, starts: Array, lengths: Array, before: Array) -> None:
    """First step of every cell at once, then every second step, and so on."""
    for rank in range(int(lengths.max())):
        at = starts[lengths > rank] + rank
        current = cells[where[at]]
        before[at] = current
        cells[where[at]] = ufunc(current, what[at])


def _exchange(cells: Array, index: Array, value: Array, *, old: bool) -> Array | None:
    if not old:
        cells[index] = value
        return None
    order = np.argsort(index, kind="stable")
    where, what = index[order], value[order]
    before = np.empty_like(what)
    before[1:] = what[:-1]
    starts = np.concatenate(([True], where[1:] != where[:-1]))
    before[starts] = cells[where[starts]]
    cells[index] = value
    out = np.empty_like(before)
    out[order] = before
    return out


def compare_and_swap(cells: Array, index: Array, expected: Array, value: Array) -> Array:
    """`if cells[i] == expected: cells[i] = value` for the lanes in order; gives the old values. Compares bits."""
    if np.unique(index).size == index.size:
        before = cells[index]
        cells[index] = np.where(before == expected, value, before)
        return before
    now: dict[int, int] = {}
    out = np.empty_like(value)
    old: Callable[[int], int] = lambda at: int(cells[at])  # noqa: E731
    for i, (at, want, new) in enumerate(zip(index.tolist(), expected.tolist(), value.tolist(), strict=True)):
        before = now[at] if at in now else old(at)
        out[i] = before
        now[at] = new if before == want else before
    cells[list(now)] = np.array(list(now.values()), cells.dtype)
    return out


def _uniform(value: Array) -> bool:
    return bool((value == value[0]).all())
