"""The references against formulas written another way, and the spec files against the sources."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest


def softmax(a: dict[str, Any]) -> dict[str, np.ndarray]:
    # the logarithm of the sum, term by term in extended summation
    rows = [[math.exp(v - m - math.log(math.fsum(math.exp(w - m) for w in r))) for v in r]
            for r in a["x"].tolist() for m in [max(r)]]  # fmt: skip
    return {"y": np.array(rows)}


def rmsnorm(a: dict[str, Any]) -> dict[str, np.ndarray]:
    w = a["weight"].tolist()
    rows = [[v / math.sqrt(math.fsum(t * t for t in r) / len(r) + a["eps"]) * g for v, g in zip(r, w, strict=True)]
            for r in a["x"].tolist()]  # fmt: skip
    return {"y": np.array(rows)}


def sgemm(a: dict[str, Any]) -> dict[str, np.ndarray]:
    return {"C": a["alpha"] * np.einsum("mk,kn->mn", a["A"], a["B"])}


def histogram(a: dict[str, Any]) -> dict[str, np.ndarray]:
    return {"hist": np.array([int((a["data"] == b).sum()) for b in range(256)]) + a["hist"]}


def transpose(a: dict[str, Any]) -> dict[str, np.ndarray]:
    return {"y": np.einsum("rc->cr", a["x"])}


def stencil(a: dict[str, Any]) -> dict[str, np.ndarray]:
    # edges: a missing neighbour adds nothing, as the flux through an insulated edge is zero
    u, out = a["u"], a["u"].copy()
    for axis in (0, 1):
        flux = a["alpha"] * np.diff(u, axis=axis)
        first, last = [slice(None)] * 2, [slice(None)] * 2
        first[axis], last[axis] = slice(None, -1), slice(1, None)
        out[tuple(first)] += flux
        out[tuple(last)] -= flux
    return {"out": out}


# a folder without a formula here fails its test
INDEPENDENT = {f.__name__: f for f in (softmax, rmsnorm, sgemm, histogram, transpose, stencil)}


def test_reference_equals_an_independent_formula(example: Any):
    for i, sizes in enumerate(example.cases()):
        if math.prod(sizes.values()) > 200_000:  # the loops here are slow
            continue
        inputs = example.wide(example.inputs(sizes, seed=i))
        got, expected = example.reference(inputs), INDEPENDENT[example.name](inputs)
        assert got.keys() == expected.keys()
        for key, value in got.items():
            assert value.shape == example.shape(key, sizes)
            np.testing.assert_allclose(value, expected[key], rtol=1e-12, atol=1e-14)


def test_reference_leaves_its_inputs_alone(example: Any):
    inputs = example.wide(example.inputs(example.cases()[2], seed=7))
    before = {k: np.copy(v) for k, v in inputs.items()}
    example.reference(inputs)
    for key, value in before.items():
        np.testing.assert_array_equal(inputs[key], value)


def test_sizes_hold_a_unit_and_one_that_is_no_multiple_of_the_block(example: Any):
    block = example.launch("block", example.cases()[0])
    assert all(1 in sizes for sizes in example.spec["sizes"].values())
    assert any(size % block[0] for sizes in example.spec["sizes"].values() for size in sizes)
    assert all(math.prod(example.launch("block", s)) <= 1024 for s in example.cases())
    assert all(min(example.launch("grid", s)) >= 1 for s in example.cases())


@pytest.mark.parametrize("example", ["histogram"], indirect=True)
def test_histogram_inputs_reach_both_ends_of_the_range(example: Any):
    data = example.inputs({"n": 262144}, seed=1)["data"]
    assert data.dtype == np.uint8
    assert data.min() == 0
    assert data.max() == 255
    assert np.bincount(data, minlength=256).max() > 0.2 * data.size
