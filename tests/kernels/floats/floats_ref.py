"""Floating-point arithmetic at its edges."""

from __future__ import annotations

from typing import Any

import numpy as np


def special(rng: np.random.Generator, sizes: dict[str, int]) -> dict[str, np.ndarray]:
    """Numbers, infinities and NaN in every combination."""
    kinds = np.array([1.5, -2.0, 0.25, np.inf, -np.inf, np.nan])

    def numbers() -> np.ndarray:
        return np.where(rng.random(sizes["n"]) < 0.7, rng.choice(kinds, sizes["n"]), rng.standard_normal(sizes["n"]))

    return {"a": numbers(), "b": numbers()}


def out_of_range(rng: np.random.Generator, sizes: dict[str, int]) -> dict[str, np.ndarray]:
    """Numbers inside and far outside of the integers' ranges, halves and infinities.

    No NaN: OpenCL C only recommends 0 for it, and PoCL gives the smallest integer.
    """
    x = rng.standard_normal(sizes["n"]) * 10.0 ** rng.integers(0, 15, sizes["n"])
    x[::5] = np.trunc(x[::5] % 100) + 0.5
    x[2::11], x[3::11] = np.inf, -np.inf
    return {"x": x}


def short_products(rng: np.random.Generator, sizes: dict[str, int]) -> dict[str, np.ndarray]:
    """Numbers of 14 bits: every product and all partial sums are exact in two floats."""
    shape = (sizes["rows"], sizes["cols"])
    return {k: rng.integers(-(2**14), 2**14, shape) / 64.0 for k in "ab"}


def subnormals(rng: np.random.Generator, sizes: dict[str, int]) -> dict[str, np.ndarray]:
    """Subnormal numbers of both signs, zeros and a few normal ones."""
    bits = rng.integers(0, 2**23, sizes["n"]).astype(np.uint32)
    bits[::7] += np.uint32(0x3F800000)
    bits |= rng.integers(0, 2, sizes["n"]).astype(np.uint32) << np.uint32(31)
    return {"x": bits.view(np.float32).astype(float)}


def small_integers(rng: np.random.Generator, sizes: dict[str, int]) -> dict[str, np.ndarray]:
    """Small integers and halves of both signs, never 0 to a negative power of unclear sign."""
    x = rng.choice([0.0, 1.0, -1.0, 2.0, -2.5, 7.0, 5.0 + 2.0**-20, np.inf], sizes["n"])
    return {"x": x, "y": rng.choice([1.0, 2.0, 3.0, -1.0, 0.5, -2.0, 2.5], sizes["n"])}


def nan_minmax(inputs: dict[str, Any]) -> dict[str, np.ndarray]:
    """a, b (n,) -> low, high, and flags of comparisons."""
    x, y = inputs["a"], inputs["b"]
    with np.errstate(invalid="ignore"):
        parts = [x < y, x > y, np.isnan(x), np.isnan(x + y), np.isinf(x), np.isfinite(y), ~(x >= y)]
    return {
        "low": np.fmin(x, y),
        "high": np.fmax(x, y),
        "flags": sum(p.astype(np.int64) << k for k, p in enumerate(parts)),
    }


def saturated(x: np.ndarray, low: int, high: int) -> np.ndarray:
    """The integer part, clamped."""
    return np.clip(np.trunc(x), low, high).astype(np.int64)


def float_to_int(inputs: dict[str, Any]) -> dict[str, np.ndarray]:
    """x (n,) -> as_int, as_uint, nearest (ties to even)."""
    x = inputs["x"]
    return {
        "as_int": saturated(x, -(2**31), 2**31 - 1),
        "as_uint": saturated(x, 0, 2**32 - 1),
        "nearest": saturated(np.rint(x), -(2**31), 2**31 - 1),
    }


def two_sum(inputs: dict[str, Any]) -> dict[str, np.ndarray]:
    """a, b (rows, cols) -> the float sum of products and what it lost."""
    f = np.float32
    sums, errors = [], []
    for x, y in zip(inputs["a"], inputs["b"], strict=True):
        total, error = f(0), f(0)
        for product in x * y:
            p = f(product)
            exact = float(total) + float(p)
            error = f(error + f(f(exact - float(f(exact))) + f(product - float(p))))
            total = f(exact)
        sums.append(total)
        errors.append(error)
    return {"sums": np.array(sums, float), "errors": np.array(errors, float)}


def subnormal_copy(inputs: dict[str, Any]) -> dict[str, np.ndarray]:
    """x (n,) -> copy, bits of the magnitude."""
    x = inputs["x"]
    bits = np.abs(x).astype(np.float32).view(np.uint32)
    return {"copy": x, "bits": bits}


def subnormal_sum(inputs: dict[str, Any]) -> dict[str, np.ndarray]:
    """x (n,) -> y: 2 x + 1e-37."""
    return {"y": 2 * inputs["x"] + float(np.float32(1.0e-37))}


def double_sum(inputs: dict[str, Any]) -> dict[str, np.ndarray]:
    """x (rows, cols) -> its norm along rows, in double and in float."""
    norm = np.sqrt((inputs["x"] ** 2).sum(axis=1))
    return {"exact": norm, "kahan": norm}


def edges_of_pow(inputs: dict[str, Any]) -> dict[str, np.ndarray]:
    """x, y (n,) -> x ** y, fmod(x, y), x / y."""
    x, y = inputs["x"], inputs["y"]
    with np.errstate(all="ignore"):
        return {"power": np.power(x, y), "rest": np.fmod(x, y), "ratio": x / y}
