"""Transposes: moves only, so every one is exact."""

from __future__ import annotations

from typing import Any

import numpy as np

Arrays = dict[str, np.ndarray]


def inplace(inputs: dict[str, Any]) -> Arrays:
    return {"a": np.ascontiguousarray(inputs["a"].T)}


def permute_nhwc(inputs: dict[str, Any]) -> Arrays:
    return {"out": np.ascontiguousarray(inputs["in"].transpose(0, 2, 1))}


def transpose_pairs(inputs: dict[str, Any]) -> Arrays:
    return {"odata": np.ascontiguousarray(inputs["idata"].transpose(1, 0, 2))}
