"""Stencils in float64."""

from __future__ import annotations

from typing import Any

import numpy as np

Arrays = dict[str, np.ndarray]


def fd8_line(inputs: dict[str, Any]) -> Arrays:
    weights = np.array([-205 / 72, 8 / 5, -1 / 5, 8 / 315, -1 / 560], np.float32).astype(np.float64)
    u = inputs["u"]
    padded = np.pad(u, 4)
    n = u.size
    total = weights[0] * u
    for k in range(1, 5):
        total = total + weights[k] * (padded[4 - k : 4 - k + n] + padded[4 + k : 4 + k + n])
    return {"d2u": total * inputs["inverse_h2"]}


def laplace7(inputs: dict[str, Any]) -> Arrays:
    u = inputs["u"]
    out = u.copy()
    c = u[1:-1, 1:-1, 1:-1]
    out[1:-1, 1:-1, 1:-1] = (
        u[:-2, 1:-1, 1:-1] + u[2:, 1:-1, 1:-1] + u[1:-1, :-2, 1:-1] + u[1:-1, 2:, 1:-1]
        + u[1:-1, 1:-1, :-2] + u[1:-1, 1:-1, 2:] - 6.0 * c
    )  # fmt: skip
    return {"out": out}


def life_inputs(rng: np.random.Generator, sizes: dict[str, int]) -> Arrays:
    return {"cells": (rng.random((sizes["height"], sizes["width"])) < 0.4).astype(np.uint8)}


def game_of_life(inputs: dict[str, Any]) -> Arrays:
    cells = inputs["cells"]
    turns = [(y, x) for y in (-1, 0, 1) for x in (-1, 0, 1) if (y, x) != (0, 0)]
    alive = sum(np.roll(cells, turn, axis=(0, 1)) for turn in turns)
    return {"next": ((alive == 3) | ((cells != 0) & (alive == 2))).astype(np.int64)}


def jacobi(inputs: dict[str, Any]) -> Arrays:
    parts: list[np.ndarray] = []
    for start in range(0, inputs["u"].size, 64):
        a = inputs["u"][start : start + 64]
        for _ in range(5):
            p = np.pad(a, 1, mode="edge")
            a = a + inputs["alpha"] * (p[:-2] - 2.0 * a + p[2:])
        parts.append(a)
    return {"out": np.concatenate(parts)}


def blur_pipeline(inputs: dict[str, Any]) -> Arrays:
    """in (height, width) -> out: weights 1 4 6 4 1 / 16 along the columns, the first and last two rows as they are."""
    u = inputs["in"]
    out = u.copy()
    if len(u) > 4:
        out[2:-2] = 0.375 * u[2:-2] + 0.25 * (u[1:-3] + u[3:-1]) + 0.0625 * (u[:-4] + u[4:])
    return {"out": out}
