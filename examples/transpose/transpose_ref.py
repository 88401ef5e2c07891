"""Matrix transpose."""

from __future__ import annotations

from typing import Any

import numpy as np


def transpose(inputs: dict[str, Any]) -> dict[str, np.ndarray]:
    """x (rows, cols) -> y (cols, rows)."""
    return {"y": np.ascontiguousarray(inputs["x"].T)}
