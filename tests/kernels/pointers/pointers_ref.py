"""What the kernels with pointers compute."""

from __future__ import annotations

from typing import Any

import numpy as np


def distinct(rng: np.random.Generator, sizes: dict[str, int]) -> dict[str, np.ndarray]:
    """64 different keys per block, over the whole range, with values."""
    keys = np.stack([rng.choice(2**32, 64, replace=False) for _ in range(sizes["blocks"])])
    return {"in_key": keys, "in_val": rng.integers(0, 2**32, keys.shape)}


def no_ties(rng: np.random.Generator, sizes: dict[str, int]) -> dict[str, np.ndarray]:
    """Different numbers in each tile."""
    return {"x": np.stack([rng.permutation(64).reshape(8, 8) - 31.5 for _ in range(sizes["blocks"])])}


def both_spaces(inputs: dict[str, Any]) -> dict[str, np.ndarray]:
    """x (blocks, 16, 16), n -> rows: sums of rows, cols: n times sums of columns."""
    return {"rows": inputs["x"].sum(axis=2), "cols": inputs["n"] * inputs["x"].sum(axis=1)}


def comparator(inputs: dict[str, Any]) -> dict[str, np.ndarray]:
    """in_key, in_val (blocks, 64) -> both in the order of the keys, ascending."""
    order = np.argsort(inputs["in_key"], axis=1)
    return {f"out_{k}": np.take_along_axis(inputs[f"in_{k}"], order, axis=1) for k in ("key", "val")}


def ping_pong(inputs: dict[str, Any]) -> dict[str, np.ndarray]:
    """x (blocks, 64), sweeps -> y: smoothed so often, zeros beyond the ends."""
    y = inputs["x"]
    for _ in range(inputs["sweeps"]):
        p = np.pad(y, ((0, 0), (1, 1)))
        y = 0.5 * y + 0.25 * (p[:, :-2] + p[:, 2:])
    return {"y": y}


def row_pointers(inputs: dict[str, Any]) -> dict[str, np.ndarray]:
    """x (blocks, 8, 8) -> peak of each column and its row."""
    return {"peak": inputs["x"].max(axis=1), "row": inputs["x"].argmax(axis=1)}


def optional_bias(inputs: dict[str, Any]) -> dict[str, np.ndarray]:
    """x (rows, cols), gate (cols,) -> y; there is no bias."""
    return {"y": inputs["x"] * inputs["gate"]}


def out_parameters(inputs: dict[str, Any]) -> dict[str, np.ndarray]:
    """points (n, 2), angles (n,) -> out (n, 2): rotated by a polynomial's sine and cosine, y one more."""
    a, (x, y) = inputs["angles"], inputs["points"].T
    s, c = a * (1 - a * a * float(np.float32(1) / np.float32(6))), 1 - 0.5 * a * a
    return {"out": np.stack([c * x - s * y, s * x + c * y + 1], axis=1)}
