"""What the OpenCL C kernels compute."""

from __future__ import annotations

from typing import Any

import numpy as np


def words(rng: np.random.Generator, sizes: dict[str, int]) -> dict[str, np.ndarray]:
    """Words over the whole range."""
    return {k: rng.integers(0, 2**32, sizes["n"]) for k in "ab"}


def saxpy(inputs: dict[str, Any]) -> dict[str, np.ndarray]:
    """x, y (n,), a -> out."""
    return {"out": inputs["a"] * inputs["x"] + inputs["y"]}


def block_reduce(inputs: dict[str, Any]) -> dict[str, np.ndarray]:
    """x (n,) -> sums of every 256 elements."""
    x = inputs["x"]
    return {"sums": np.array([x[s : s + 256].sum() for s in range(0, len(x), 256)])}


def transpose(inputs: dict[str, Any]) -> dict[str, np.ndarray]:
    """in (rows, cols) -> out (cols, rows)."""
    return {"out": inputs["in"].T}


def colour_grade(inputs: dict[str, Any]) -> dict[str, np.ndarray]:
    """in (n, 4), exposure -> out (n, 4): colours scaled and saturated; alpha above 127 becomes 255."""
    p = inputs["in"]
    colours = np.minimum(np.trunc(p[:, :3] * inputs["exposure"]), 255)
    return {"out": np.concatenate([colours, np.where(p[:, 3:] > 127, 255, p[:, 3:])], axis=1)}


def histogram_local(inputs: dict[str, Any]) -> dict[str, np.ndarray]:
    """data (n,) -> hist (64,) of the top six bits."""
    return {"hist": np.bincount(inputs["data"] >> 2, minlength=64)}


def integer_builtins(inputs: dict[str, Any]) -> dict[str, np.ndarray]:
    """a, b (n,) -> out (n, 6)."""
    out = []
    for x, y in zip(inputs["a"].tolist(), inputs["b"].tolist(), strict=True):
        rotated = (x << 5 | x >> 27) & 0xFFFFFFFF
        out.append([
            rotated ^ x * y >> 32, (32 - x.bit_length()) * 100 + bin(y).count("1"), x + y >> 1, abs(x - y),
            min(x + y, 2**32 - 1), (x & 0xFFF) * (y & 0xFFF) + 7,
        ])  # fmt: skip
    return {"out": np.array(out)}
