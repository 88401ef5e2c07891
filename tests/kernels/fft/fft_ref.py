"""Fourier transforms in float64."""

from __future__ import annotations

from typing import Any

import numpy as np

Arrays = dict[str, np.ndarray]


def fft(inputs: dict[str, Any]) -> Arrays:
    z = np.fft.fft(inputs["in"][..., 0] + 1j * inputs["in"][..., 1], axis=1)
    return {"out": np.stack([z.real, z.imag], axis=-1)}


def stockham_pass(inputs: dict[str, Any]) -> Arrays:
    x = inputs["xr"] + 1j * inputs["xi"]
    n, p = inputs["n"], inputs["p"]
    i = np.arange(n // 4)
    k = i % p
    u = x.reshape(4, n // 4) * np.exp(-2j * np.pi * k / (4 * p)) ** np.arange(4)[:, None]
    v = np.exp(-2j * np.pi * np.outer(np.arange(4), np.arange(4)) / 4) @ u
    y = np.zeros(n, complex)
    for j in range(4):
        y[(i - k) * 4 + k + j * p] = v[j]
    return {"yr": y.real, "yi": y.imag}


def bit_reversal(inputs: dict[str, Any]) -> Arrays:
    a, bits = inputs["a"], inputs["log2n"]
    turned = [int(f"{i:0{bits}b}"[::-1], 2) if bits else 0 for i in range(a.size)]
    return {"a": a[turned]}
