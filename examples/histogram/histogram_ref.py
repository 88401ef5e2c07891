"""Histogram of bytes, and bytes to count."""

from __future__ import annotations

from typing import Any

import numpy as np


def inputs(rng: np.random.Generator, sizes: dict[str, int]) -> dict[str, np.ndarray]:
    """Random bytes 0 to 255; about a quarter of them are one value, so that many threads hit one bin at once."""
    n = sizes["n"]
    data = rng.integers(0, 256, n, dtype=np.uint8)
    data[rng.random(n) < 0.25] = rng.integers(0, 256, dtype=np.uint8)
    return {"data": data}


def histogram(inputs: dict[str, Any]) -> dict[str, np.ndarray]:
    """data (n,) of bytes, hist (256,) before (zero if absent) -> hist (256,) after."""
    counts = np.bincount(np.asarray(inputs["data"]).astype(np.int64), minlength=256)
    return {"hist": np.asarray(inputs.get("hist", 0)) + counts}
