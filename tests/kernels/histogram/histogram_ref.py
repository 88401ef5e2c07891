"""Histograms, and their inputs."""

from __future__ import annotations

from typing import Any

import numpy as np


def eighths(rng: np.random.Generator, sizes: dict[str, int]) -> dict[str, np.ndarray]:
    """Multiples of 1/8, so that the bin of each is exact in float; some are below the first bin or above the last."""
    return {"x": rng.integers(-16, 2 * sizes["bins"] + 16, sizes["n"]) / 8.0}


def words(rng: np.random.Generator, sizes: dict[str, int]) -> dict[str, np.ndarray]:
    """Words of four random bytes."""
    return {"words": rng.integers(0, 2**32, sizes["nwords"], dtype=np.uint32)}


def histogram_global(inputs: dict[str, Any]) -> dict[str, np.ndarray]:
    """x (n,), bins -> hist (bins,)."""
    bins = inputs["bins"]
    index = np.clip(np.floor(inputs["x"] * 4).astype(int), 0, bins - 1)
    return {"hist": np.bincount(index, minlength=bins)}


def histogram_warps(inputs: dict[str, Any]) -> dict[str, np.ndarray]:
    """keys (n,) -> hist (37,)."""
    return {"hist": np.bincount(inputs["keys"] % 37, minlength=37)}


def histogram_packed(inputs: dict[str, Any]) -> dict[str, np.ndarray]:
    """words (nwords,) of four bytes -> hist (64,) of their top six bits."""
    w = inputs["words"]
    parts = np.stack([(w >> s & 255) >> 2 for s in (0, 8, 16, 24)])
    return {"hist": np.bincount(parts.ravel(), minlength=64)}
