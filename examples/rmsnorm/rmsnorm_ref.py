"""RMSNorm in float64."""

from __future__ import annotations

from typing import Any

import numpy as np


def rmsnorm(inputs: dict[str, Any]) -> dict[str, np.ndarray]:
    """x (rows, cols), weight (cols,), eps -> y (rows, cols): x / sqrt(mean(x^2) + eps) * weight along each row."""
    x = inputs["x"]
    mean_square = np.mean(x * x, axis=1, keepdims=True)
    return {"y": x / np.sqrt(mean_square + inputs["eps"]) * inputs["weight"]}
