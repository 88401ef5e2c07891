"""Kernels with launches of all shapes."""

from __future__ import annotations

from typing import Any

import numpy as np


def grid_stride(inputs: dict[str, Any]) -> dict[str, np.ndarray]:
    """x, y (n,), a -> out (n,)."""
    return {"out": inputs["a"] * inputs["x"] + inputs["y"]}


def volume_average(inputs: dict[str, Any]) -> dict[str, np.ndarray]:
    """in (nz, ny, nx) -> out: mean of each cell and its neighbours along the axes."""
    p = np.pad(inputs["in"], 1)
    there = np.pad(np.ones(inputs["in"].shape), 1)
    total, count = p[1:-1, 1:-1, 1:-1].copy(), there[1:-1, 1:-1, 1:-1].copy()
    for axis in range(3):
        for step in (-1, 1):
            total += np.roll(p, step, axis)[1:-1, 1:-1, 1:-1]
            count += np.roll(there, step, axis)[1:-1, 1:-1, 1:-1]
    return {"out": total / count}


def flat_index(inputs: dict[str, Any]) -> dict[str, np.ndarray]:
    """blocks -> thread, warp, lane (blocks * 2, 96) of blocks of 6 x 4 x 4 threads, x fastest."""
    t = np.arange(96)
    rows = {"thread": t // 24 * 10000 + t // 6 % 4 * 100 + t % 6, "warp": t // 32, "lane": t % 32}
    return {k: np.tile(v, (inputs["blocks"] * 2, 1)) for k, v in rows.items()}


def many_scalars(inputs: dict[str, Any]) -> dict[str, np.ndarray]:
    """x (n,) and scalars -> y (n,)."""
    i = inputs
    v = (i["x"] * i["a"] + i["b"]) * i["c"] + i["d"]
    v = v * v if i["square"] else v
    v = -v if i["negate"] else v
    return {"y": np.clip(v, i["low"], i["high"]) + (i["base"] >> i["shift"]) + i["offset"]}
