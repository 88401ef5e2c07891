"""One five-point heat step with insulated edges, in float64."""

from __future__ import annotations

from typing import Any

import numpy as np


def stencil(inputs: dict[str, Any]) -> dict[str, np.ndarray]:
    """u (height, width), alpha -> out (height, width): u + alpha * (sum of the four neighbours - 4 u)."""
    u = inputs["u"]
    p = np.pad(u, 1, mode="edge")
    around = p[:-2, 1:-1] + p[2:, 1:-1] + p[1:-1, :-2] + p[1:-1, 2:]
    return {"out": u + inputs["alpha"] * (around - 4.0 * u)}
