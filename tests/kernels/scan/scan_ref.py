"""Scans in float64 and int64."""

from __future__ import annotations

from typing import Any

import numpy as np

Arrays = dict[str, np.ndarray]


def _tiles(x: np.ndarray, tile: int) -> list[np.ndarray]:
    return [x[i : i + tile] for i in range(0, x.size, tile)]


def inclusive_128(inputs: dict[str, Any]) -> Arrays:
    return {"y": np.concatenate([np.cumsum(t) for t in _tiles(inputs["x"], 128)])}


def blelloch(inputs: dict[str, Any]) -> Arrays:
    tiles = _tiles(inputs["data_in"], 128)
    return {
        "data_out": np.concatenate([np.cumsum(t) - t for t in tiles]),
        "totals": np.array([t.sum() for t in tiles]),
    }


def shuffle_scan(inputs: dict[str, Any]) -> Arrays:
    tiles = _tiles(inputs["x"], 160)
    return {"y": np.concatenate([np.cumsum(t) for t in tiles]), "block_totals": np.array([t.sum() for t in tiles])}


def segmented_inputs(rng: np.random.Generator, sizes: dict[str, int]) -> Arrays:
    n = sizes["n"]
    return {"x": rng.standard_normal(n).astype(np.float32), "heads": (rng.random(n) < 0.15).astype(np.uint8)}


def segmented_scan(inputs: dict[str, Any]) -> Arrays:
    y = np.zeros(inputs["x"].size)
    total = 0.0
    for i, (v, head) in enumerate(zip(inputs["x"], inputs["heads"], strict=True)):
        total = v if head or i % 32 == 0 else total + v
        y[i] = total
    return {"y": y}


def compact_inputs(rng: np.random.Generator, sizes: dict[str, int]) -> Arrays:
    x = rng.standard_normal(sizes["n"])
    return {"x": np.where(np.abs(x) < 1e-3, 0.0, x).astype(np.float32)}


def compact_block(inputs: dict[str, Any]) -> Arrays:
    tiles = _tiles(inputs["x"], 128)
    packed = [np.concatenate([t[t > 0], np.zeros((t <= 0).sum())]) for t in tiles]
    return {"y": np.concatenate(packed), "counts": np.array([(t > 0).sum() for t in tiles])}


def offset_inputs(rng: np.random.Generator, sizes: dict[str, int]) -> Arrays:
    large = 1 << 40
    return {
        "data": rng.integers(-large, large, sizes["n"]),
        "offsets": rng.integers(-large, large, sizes["blocks"]),
    }


def add_offsets(inputs: dict[str, Any]) -> Arrays:
    data = inputs["data"]
    return {"data": data + np.repeat(inputs["offsets"], 64)[: data.size]}
