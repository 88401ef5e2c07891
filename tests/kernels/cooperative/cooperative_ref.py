"""What groups of threads compute together."""

from __future__ import annotations

from typing import Any

import numpy as np


def low_first(rng: np.random.Generator, sizes: dict[str, int]) -> dict[str, np.ndarray]:
    """Rows of 16 of which some begin with their smallest number, some with their largest."""
    x = np.sort(rng.integers(0, 100, (sizes["blocks"] * 4, 16)), axis=1)
    x[1::3] = x[1::3, ::-1]
    x[2::3] = rng.permuted(x[2::3], axis=1)
    return {"x": x}


def block_sums(inputs: dict[str, Any]) -> dict[str, np.ndarray]:
    """x (n,) -> sums of every 128 elements."""
    x = inputs["x"]
    return {"sums": np.array([x[s : s + 128].sum() for s in range(0, len(x), 128)])}


def cg_reduce(inputs: dict[str, Any]) -> dict[str, np.ndarray]:
    """x (rows, 8) -> out (rows, 8)."""
    x = inputs["x"]
    sums, most, least = (f(x, axis=1, keepdims=True) for f in (np.sum, np.max, np.min))
    return {"out": 100 * sums + 10 * (most - x) + (x - least)}


def cg_tile_vote(inputs: dict[str, Any]) -> dict[str, np.ndarray]:
    """x (rows, 16) -> above: numbers of the row above its first; flags: any above, all at least as large."""
    x, first = inputs["x"], inputs["x"][:, :1]
    above = (x > first).sum(axis=1, keepdims=True)
    flags = (above > 0) + 2 * (x >= first).all(axis=1, keepdims=True)
    return {"above": np.repeat(above, 16, axis=1), "flags": np.repeat(flags, 16, axis=1)}


def cg_grid_sync(inputs: dict[str, Any]) -> dict[str, np.ndarray]:
    """x (n,) -> y: n x - total."""
    total = inputs["x"].sum()
    return {"y": inputs["x"] * inputs["n"] - total, "total": np.array([total])}


def both_signs(rng: np.random.Generator, sizes: dict[str, int]) -> dict[str, np.ndarray]:
    """x (n,), small numbers around 0."""
    return {"x": rng.integers(-50, 50, sizes["n"])}


def cg_coalesced_filter(inputs: dict[str, Any]) -> dict[str, np.ndarray]:
    """x (n,) -> kept: the positive ones, then zeros; count."""
    positive = inputs["x"][inputs["x"] > 0]
    return {"kept": np.pad(positive, (0, len(inputs["x"]) - len(positive))), "count": np.array([len(positive)])}


def cg_scan(inputs: dict[str, Any]) -> dict[str, np.ndarray]:
    """x (rows, 32) -> offset: sum before; most: largest so far; bits: of x & 15, seen so far."""
    x = inputs["x"]
    bits = np.bitwise_or.accumulate(1 << (x.astype(np.int64) & 15), axis=1)
    return {"offset": x.cumsum(axis=1) - x, "most": np.maximum.accumulate(x, axis=1), "bits": bits}
