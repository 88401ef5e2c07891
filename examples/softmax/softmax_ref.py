"""Row softmax in float64."""

from __future__ import annotations

from typing import Any

import numpy as np


def softmax(inputs: dict[str, Any]) -> dict[str, np.ndarray]:
    """x (rows, cols) float64 -> y (rows, cols): exp(x - max) / sum(exp(x - max)) along each row."""
    x = inputs["x"]
    e = np.exp(x - x.max(axis=1, keepdims=True))
    return {"y": e / e.sum(axis=1, keepdims=True)}
