"""Softmax and its kin in float64."""

from __future__ import annotations

from typing import Any

import numpy as np

Arrays = dict[str, np.ndarray]


def softmax(inputs: dict[str, Any]) -> Arrays:
    e = np.exp(inputs["x"] - inputs["x"].max(axis=1, keepdims=True))
    return {"y": e / e.sum(axis=1, keepdims=True)}


def log_softmax_causal(inputs: dict[str, Any]) -> Arrays:
    s = inputs["scores"] * inputs["scale"]
    s = np.where(np.tri(s.shape[0], dtype=bool), s, -np.inf)
    peak = s.max(axis=1, keepdims=True)
    return {"out": s - peak - np.log(np.exp(s - peak).sum(axis=1, keepdims=True))}
