"""Convolutions and pooling in float64."""

from __future__ import annotations

from typing import Any

import numpy as np

Arrays = dict[str, np.ndarray]


def conv2d(inputs: dict[str, Any]) -> Arrays:
    image, mask = inputs["image"], inputs["mask"]
    padded = np.pad(image, 2)
    h, w = image.shape
    return {"out": sum(mask[j, i] * padded[j : j + h, i : i + w] for j in range(5) for i in range(5))}


def depthwise(inputs: dict[str, Any]) -> Arrays:
    x, w = inputs["x"], inputs["w"]
    oh, ow = inputs["out_h"], inputs["out_w"]
    padded = np.pad(x, ((0, 0), (0, 0), (2, 2), (2, 2)))
    y = np.zeros((x.shape[0], x.shape[1], oh, ow)) + inputs["bias"][:, None, None]
    for ky in range(3):
        for kx in range(3):
            part = padded[:, :, 2 * ky : 2 * ky + 2 * oh - 1 : 2, 2 * kx : 2 * kx + 2 * ow - 1 : 2]
            y = y + w[:, ky, kx][:, None, None] * part
    return {"y": y}


def im2col(inputs: dict[str, Any]) -> Arrays:
    image = inputs["image"]
    _, h, w = image.shape
    padded = np.pad(image, ((0, 0), (1, 1), (1, 1)))
    return {"columns": np.stack([padded[:, j : j + h, i : i + w] for j in range(3) for i in range(3)], axis=1)}


def maxpool_inputs(rng: np.random.Generator, sizes: dict[str, int]) -> Arrays:
    h, w = sizes["height"], sizes["width"]
    return {"x": ((rng.permutation(h * w) - h * w / 2) / 8).reshape(h, w).astype(np.float32)}


def maxpool(inputs: dict[str, Any]) -> Arrays:
    x = inputs["x"]
    h, w = x.shape
    padded = np.pad(x, ((0, h % 2), (0, w % 2)), constant_values=-np.inf)
    places = np.pad(np.arange(h * w).reshape(h, w), ((0, h % 2), (0, w % 2)), constant_values=-1)
    corners = np.stack([padded[j::2, i::2] for j in (0, 1) for i in (0, 1)])
    numbers = np.stack([places[j::2, i::2] for j in (0, 1) for i in (0, 1)])
    best = corners.argmax(axis=0)[None]
    return {"y": np.take_along_axis(corners, best, 0)[0], "where": np.take_along_axis(numbers, best, 0)[0]}


def sobel(inputs: dict[str, Any]) -> Arrays:
    p = np.pad(inputs["image"], 1, mode="edge")
    smooth_rows = p[:, :-2] + 2 * p[:, 1:-1] + p[:, 2:]
    smooth_cols = p[:-2] + 2 * p[1:-1] + p[2:]
    gx, gy = smooth_cols[:, 2:] - smooth_cols[:, :-2], smooth_rows[2:] - smooth_rows[:-2]
    u, v = np.where(gy < 0, -gx, gx), np.abs(gy)
    turned = np.where(u > 0, v > u, v < -u)
    octant = 4 * (gy < 0) + 2 * (u <= 0) + turned
    return {
        "magnitude": np.minimum((np.abs(gx) + np.abs(gy)) // 4, 255),
        "octant": np.where((gx == 0) & (gy == 0), -1, octant),
    }
