"""Reductions in float64."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

Arrays = dict[str, np.ndarray]


def _tiles(x: np.ndarray, tile: int) -> list[np.ndarray]:
    return [x[i : i + tile] for i in range(0, x.size, tile)]


def sum_tree(inputs: dict[str, Any]) -> Arrays:
    return {"partial": np.array([t.sum() for t in _tiles(inputs["x"], 256)])}


def sum_warp_synchronous(inputs: dict[str, Any]) -> Arrays:
    return {"partial": np.array([t.sum() for t in _tiles(inputs["x"], 128)])}


def dot(inputs: dict[str, Any]) -> Arrays:
    return {"result": np.array([inputs["x"] @ inputs["y"]])}


def row_max(inputs: dict[str, Any]) -> Arrays:
    return {"peaks": inputs["x"].max(axis=1)}


def argmax_inputs(rng: np.random.Generator, sizes: dict[str, int]) -> Arrays:
    """Few different values, so that there are ties; in every second row one is alone, at the edges of 128 in turn."""
    rows, cols = sizes["rows"], sizes["cols"]
    x = rng.integers(-20, 21, (rows, cols)) / 4.0
    edges = [cols - 1, *(at for tile in range(128, cols, 128) for at in (tile, tile - 1))] if cols else []
    for row, at in zip(range(0, rows, 2), itertools.cycle(edges), strict=False):
        x[row, at] = 5.25
    return {"x": x.astype(np.float32)}


def argmax_rows(inputs: dict[str, Any]) -> Arrays:
    return {"index": inputs["x"].argmax(axis=1)}


def norm_last_block(inputs: dict[str, Any]) -> Arrays:
    x = inputs["x"]
    padded = np.zeros(-(-x.size // 768) * 768)
    padded[: x.size] = x * x
    partial = padded.reshape(-1, 6, 128).sum(axis=(0, 2))
    return {"partial": partial, "finished": np.zeros(1, int), "result": np.array([np.sqrt(partial.sum())])}


def count_above(inputs: dict[str, Any]) -> Arrays:
    above = [t > inputs["threshold"] for t in _tiles(inputs["x"], 96)]
    counts = np.array([t.sum() for t in above])
    return {"by_block": counts, "by_ballot": counts, "all_or_any": np.array([2 * t.all() + 1 * t.any() for t in above])}


def mean(inputs: dict[str, Any]) -> Arrays:
    return {"mean": np.array([inputs["x"].mean()])}


def column_sums(inputs: dict[str, Any]) -> Arrays:
    return {"sums": inputs["x"].sum(axis=0)}


def range_of_tiles(inputs: dict[str, Any]) -> Arrays:
    tiles = _tiles(inputs["x"], 100)
    return {"low": np.array([t.min() for t in tiles]), "high": np.array([t.max() for t in tiles])}


def histogram_distance(inputs: dict[str, Any]) -> Arrays:
    a, b = inputs["a"].astype(float), inputs["b"].astype(float)
    total = a + b
    return {"distance": 0.5 * ((a - b) ** 2 / np.where(total == 0, 1, total)).sum(axis=1)}
