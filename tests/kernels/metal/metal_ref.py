"""What the Metal kernels compute."""

from __future__ import annotations

from typing import Any

import numpy as np


def axpy(inputs: dict[str, Any]) -> dict[str, np.ndarray]:
    """x, y (n,), a -> out."""
    return {"out": inputs["a"] * inputs["x"] + inputs["y"]}


def row_sums(inputs: dict[str, Any]) -> dict[str, np.ndarray]:
    """x (rows, cols) -> sums (rows,)."""
    return {"sums": inputs["x"].sum(axis=1)}


def tile_reverse(inputs: dict[str, Any]) -> dict[str, np.ndarray]:
    """x (blocks, 64) -> y: each block backwards."""
    return {"y": inputs["x"][:, ::-1]}


def softplus(inputs: dict[str, Any]) -> dict[str, np.ndarray]:
    """x (n,) -> log(1 + exp(x)), x clamped to +-20."""
    return {"y": np.log1p(np.exp(np.clip(inputs["x"], -20, 20)))}
