"""Products with sparse matrices, and the matrices."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np


def csr(rng: np.random.Generator, sizes: dict[str, int]) -> dict[str, np.ndarray]:
    """A CSR matrix with rows of very different lengths, some of them empty, and a vector.

    Of many rows one sums to infinity, one to -infinity, one to NaN and one to a subnormal number.
    """
    rows, nnz, cols = sizes["rows"], sizes["nnz"], sizes["cols"]
    ends = np.sort(rng.integers(0, nnz + 1, rows - 1))
    row_ptr, col = np.concatenate([[0], ends, [nnz]]), rng.integers(0, cols, nnz)
    val, x = rng.standard_normal(nnz), rng.standard_normal(cols)
    filled = np.flatnonzero(np.diff(row_ptr))
    if len(filled) > 8:
        at = row_ptr[filled[[0, len(filled) // 2, -1]]]
        val[at] = np.copysign([np.inf, np.nan, np.inf], x[col[at]] * [1, 1, -1])
        small = filled[len(filled) // 4]
        val[row_ptr[small] : row_ptr[small + 1]] *= 2.0**-140
    return {"row_ptr": row_ptr, "col": col, "val": val, "x": x}


def coo(rng: np.random.Generator, sizes: dict[str, int]) -> dict[str, np.ndarray]:
    """Coordinates in any order, some of them twice."""
    where = np.stack([rng.integers(0, sizes[k], sizes["nnz"]) for k in ("rows", "cols")], axis=1)
    return {"where": where, "val": rng.standard_normal(sizes["nnz"]), "x": rng.standard_normal(sizes["cols"])}


def ell(rng: np.random.Generator, sizes: dict[str, int]) -> dict[str, np.ndarray]:
    """Rows of 0 to `width` elements, padded with column -1 and NaN."""
    rows, width, n = sizes["rows"], sizes["width"], sizes["n"]
    cols = rng.integers(0, n, (width, rows))
    cols[np.arange(width)[:, None] >= rng.integers(0, width + 1, rows)] = -1
    return {
        "cols": cols,
        "vals": np.where(cols < 0, np.nan, rng.standard_normal(cols.shape)),
        "x": rng.standard_normal(n),
    }


def pattern(rng: np.random.Generator, sizes: dict[str, int]) -> dict[str, np.ndarray]:
    """A sparse pattern and two dense matrices."""
    return {
        "row": rng.integers(0, sizes["rows"], sizes["nnz"]),
        "col": rng.integers(0, sizes["cols"], sizes["nnz"]),
        "A": rng.standard_normal((sizes["rows"], sizes["depth"])),
        "B": rng.standard_normal((sizes["cols"], sizes["depth"])),
    }


def spmv_csr(inputs: dict[str, Any]) -> dict[str, np.ndarray]:
    """row_ptr (rows + 1,), col, val (nnz,), x (cols,), alpha (1 if absent) -> y (rows,)."""
    products = inputs["val"] * inputs["x"][inputs["col"]]
    ends = inputs["row_ptr"]
    y = np.array([products[a:b].sum() for a, b in itertools.pairwise(ends)])
    return {"y": inputs.get("alpha", 1.0) * y}


def spmv_coo(inputs: dict[str, Any]) -> dict[str, np.ndarray]:
    """where (nnz, 2), val (nnz,), x (cols,) -> y (rows,)."""
    y = np.zeros(inputs["rows"])
    np.add.at(y, inputs["where"][:, 0], inputs["val"] * inputs["x"][inputs["where"][:, 1]])
    return {"y": y}


def spmv_ell(inputs: dict[str, Any]) -> dict[str, np.ndarray]:
    """cols, vals (width, rows), x (n,) -> y (rows,)."""
    cols = inputs["cols"]
    return {"y": np.where(cols < 0, 0.0, inputs["vals"] * inputs["x"][cols]).sum(axis=0)}


def sddmm(inputs: dict[str, Any]) -> dict[str, np.ndarray]:
    """row, col (nnz,), A (rows, depth), B (cols, depth) -> out (nnz,)."""
    return {"out": (inputs["A"][inputs["row"]] * inputs["B"][inputs["col"]]).sum(axis=1)}
