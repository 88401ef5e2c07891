"""Attention in float64."""

from __future__ import annotations

from typing import Any

import numpy as np

Arrays = dict[str, np.ndarray]


def _softmax(s: np.ndarray) -> np.ndarray:
    e = np.exp(s - s.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def decode(inputs: dict[str, Any]) -> Arrays:
    q, k, v = inputs["q"], inputs["k_cache"], inputs["v_cache"]
    weights = _softmax(np.einsum("hd,thd->ht", q, k) / np.sqrt(q.shape[1]))
    return {"out": np.einsum("ht,thd->hd", weights, v)}


def flash(inputs: dict[str, Any]) -> Arrays:
    weights = _softmax(inputs["softmax_scale"] * (inputs["Q"] @ inputs["K"].transpose(0, 2, 1)))
    return {"O": weights @ inputs["V"]}


def rope_inputs(rng: np.random.Generator, sizes: dict[str, int]) -> Arrays:
    shape = (sizes["tokens"], sizes["heads"], 2 * sizes["half_dim"])
    return {
        "x": rng.standard_normal(shape).astype(np.float32),
        "positions": rng.integers(0, 500, sizes["tokens"]).astype(np.int32),
    }


def rope(inputs: dict[str, Any]) -> Arrays:
    x, half = inputs["x"], inputs["half_dim"]
    angle = inputs["positions"][:, None] * inputs["base"] ** (-np.arange(half) / half)
    c, s = np.cos(angle)[:, None], np.sin(angle)[:, None]
    a, b = x[..., :half], x[..., half:]
    return {"out": np.concatenate([a * c - b * s, b * c + a * s], axis=-1)}


def scores(inputs: dict[str, Any]) -> Arrays:
    return {"scores": inputs["q"] @ inputs["k"].T * np.float64(np.float32(0.0721687836))}
