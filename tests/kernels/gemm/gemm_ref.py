"""Matrix products in float64."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

Arrays = dict[str, "np.ndarray"]


def product(inputs: dict[str, Any]) -> Arrays:
    return {"C": inputs["A"] @ inputs["B"]}


def product_columns(inputs: dict[str, Any]) -> Arrays:
    return {"C": inputs["A"] @ inputs["B"].T}


def gemm_transposed(inputs: dict[str, Any]) -> Arrays:
    return {"C": inputs["A"] @ inputs["Bt"].T}


def gemm(inputs: dict[str, Any]) -> Arrays:
    return {"C": inputs["alpha"] * (inputs["A"] @ inputs["B"]) + inputs["beta"] * inputs["C"]}
