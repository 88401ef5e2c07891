"""Elementwise kernels in float64, and inputs where random ones do not reach the edges."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

Arrays = dict[str, np.ndarray]
_erf = np.vectorize(math.erf, otypes=[float])
_erfc = np.vectorize(math.erfc, otypes=[float])


def axpby(inputs: dict[str, Any]) -> Arrays:
    return {"out": inputs["a"] * inputs["x"] + inputs["b"] * inputs["y"]}


def gelu_exact(inputs: dict[str, Any]) -> Arrays:
    x = inputs["x"]
    return {"y": 0.5 * x * (1.0 + _erf(x * np.float64(np.float32(0.70710678))))}


def gelu_tanh(inputs: dict[str, Any]) -> Arrays:
    x = inputs["x"]
    c, cubic = np.float64(np.float32(0.7978845608028654)), np.float64(np.float32(0.044715))
    return {"y": 0.5 * x * (1.0 + np.tanh(c * (x + cubic * x**3)))}


def swiglu(inputs: dict[str, Any]) -> Arrays:
    g = inputs["gate"]
    return {"out": g / (1.0 + np.exp(-g)) * inputs["up"]}


def rounding_inputs(rng: np.random.Generator, sizes: dict[str, int]) -> Arrays:
    x = rng.uniform(-100, 100, sizes["n"])
    halves = rng.random(sizes["n"]) < 0.5
    return {"x": np.where(halves, np.floor(x) + 0.5, x).astype(np.float32)}


def rounding(inputs: dict[str, Any]) -> Arrays:
    x = inputs["x"]
    away = np.sign(x) * np.floor(np.abs(x) + 0.5)
    even = np.rint(x)
    columns = [np.trunc(x), even, np.floor(x), np.ceil(x), away, even, np.floor(x) + np.ceil(-x),
               2 * np.trunc(x) + (x < 0)]  # fmt: skip
    return {"out": np.stack(columns, axis=1).astype(np.int64)}


def special_functions(inputs: dict[str, Any]) -> Arrays:
    v = inputs["x"]
    power = np.float64(np.float32(1.7))
    rows = [np.log1p(np.abs(v)), np.expm1(v), np.cbrt(v), np.hypot(v, 2.0), _erfc(v), np.sin(v) * np.cos(v),
            1.0 / np.sqrt(1.0 + v * v), np.exp2(v) - np.copysign(0.5, v), np.arctan2(v, 1.5),
            (np.abs(v) + 0.125) ** power]  # fmt: skip
    return {"out": np.stack(rows)}


def clamp_nan_inputs(rng: np.random.Generator, sizes: dict[str, int]) -> Arrays:
    x = rng.standard_normal(sizes["n"])
    special = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0])
    chosen = rng.random(x.size) < 0.4
    return {"x": np.where(chosen, rng.choice(special, x.size), x).astype(np.float32)}


def clamp_nan(inputs: dict[str, Any]) -> Arrays:
    x = inputs["x"]
    y = np.fmin(np.fmax(x, inputs["lo"]), inputs["hi"])
    nan, inf, zero = np.isnan(x), np.isinf(x), x == 0
    return {"y": y, "mask": nan * 1 + inf * 2 + np.signbit(x) * 4 + nan * 8 + zero * 16}


def complex_multiply(inputs: dict[str, Any]) -> Arrays:
    x, y = inputs["x"], inputs["y"]
    z = (x[:, 0] + 1j * x[:, 1]) * np.conj(y[:, 0] + 1j * y[:, 1])
    return {"z": np.stack([z.real, z.imag], axis=1)}


def unsuffixed_literals(inputs: dict[str, Any]) -> Arrays:
    return {"y": 0.1 * inputs["x"] + 1.0 / 3.0}


def half2_residual(inputs: dict[str, Any]) -> Arrays:
    return {"out": inputs["x"] + inputs["scale"] * inputs["r"]}


def bf16_scale_bias(inputs: dict[str, Any]) -> Arrays:
    return {"y": inputs["x"] * inputs["scale"] + inputs["bias"]}


def reserved_names(inputs: dict[str, Any]) -> Arrays:
    a, b = inputs["device"], inputs["kernel_in"]
    return {"global": a + (b - a) * inputs["half"]}


def functor_map(inputs: dict[str, Any]) -> Arrays:
    x = inputs["x"]
    return {"y": np.where(x > 0, x, inputs["slope"] * x) ** 2 + 0.25}


def constant_polynomial(inputs: dict[str, Any]) -> Arrays:
    coefficients = [1.0, -0.5, 0.25, 0.125, -0.0625, 0.03125]
    return {"y": np.polynomial.polynomial.polyval(inputs["x"], coefficients)}


def rgb_to_gray(inputs: dict[str, Any]) -> Arrays:
    gray = (inputs["rgb"] @ np.array([77, 150, 29]) + 128) >> 8
    v = inputs["normals"]
    length = np.sqrt((v * v).sum(axis=1, keepdims=True) + np.float64(np.float32(1e-6)))
    return {"gray": gray & 255, "unit": v / length}
