"""Normalisations in float64."""

from __future__ import annotations

from typing import Any

import numpy as np

Arrays = dict[str, np.ndarray]


def layernorm(inputs: dict[str, Any]) -> Arrays:
    x = inputs["x"]
    mean, var = x.mean(axis=1, keepdims=True), x.var(axis=1, keepdims=True)
    return {"y": (x - mean) / np.sqrt(var + inputs["eps"]) * inputs["gamma"] + inputs["beta"], "means": mean[:, 0]}


def batchnorm(inputs: dict[str, Any]) -> Arrays:
    x, momentum = inputs["x"], inputs["momentum"]
    mean, var = x.mean(axis=(0, 2)), x.var(axis=(0, 2))
    return {
        "y": (x - mean[:, None]) / np.sqrt(var[:, None] + inputs["eps"]),
        "running_mean": (1 - momentum) * inputs["running_mean"] + momentum * mean,
        "running_var": (1 - momentum) * inputs["running_var"] + momentum * var,
    }


def batchnorm_mean_only(inputs: dict[str, Any]) -> Arrays:
    found = batchnorm({**inputs, "running_var": 0.0})
    return {name: found[name] for name in ("y", "running_mean")}


def groupnorm_silu(inputs: dict[str, Any]) -> Arrays:
    x = inputs["x"]
    parts = x.reshape(x.shape[0], 2, -1)
    mean, var = parts.mean(axis=2, keepdims=True), parts.var(axis=2, keepdims=True)
    v = ((parts - mean) / np.sqrt(var + inputs["eps"])).reshape(x.shape)
    v = v * inputs["scale"][:, None] + inputs["shift"][:, None]
    return {"y": v / (1 + np.exp(-v))}


def add_rmsnorm(inputs: dict[str, Any]) -> Arrays:
    total = inputs["x"] + inputs["residual"]
    z = total.astype(np.float16).astype(np.float64)  # what is normalised is the rounded sum
    y = z / np.sqrt((z * z).mean(axis=1, keepdims=True) + inputs["eps"]) * inputs["weight"]
    return {"sum_out": total, "y": y}
