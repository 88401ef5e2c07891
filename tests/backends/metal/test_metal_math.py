"""The math functions that MSL lacks, as our helpers compute them: the emitted text read back, emulated and compared."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest
from gpuport.backends.base import Launch
from gpuport.backends.clike.plan import WritePlan
from gpuport.backends.cuda.reader import read_cuda
from gpuport.backends.emulator import emulate
from gpuport.backends.metal.writer import write
from gpuport.backends.readers import read_text
from gpuport.hwmodels import load_machine
from gpuport.ir.rewrites.spaces import resolve_spaces
from gpuport.porting.verify.accuracy import ULPS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

N = 200_000
SMALLEST = 2.0**-126

# function: reference in double, and where to look, as (low, high) of x or of its exponent
FUNCTIONS: dict[str, tuple[Callable[..., float], tuple[float, float]]] = {
    "erf": (math.erf, (-5, 5)),
    "erfc": (math.erfc, (-5, 9.1)),  # beyond, the result is subnormal and flushed
    "expm1": (math.expm1, (-20, 88.7)),
    "log1p": (math.log1p, (-0.9999, 50)),
    "cbrt": (np.cbrt, (-100, 100)),
    "hypot": (math.hypot, (-30, 30)),
}


def run(tmp_path: Path, fn: str, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    call = f"{fn}f(x[i], y[i])" if fn == "hypot" else f"{fn}f(x[i])"
    path = tmp_path / "k.cu"
    path.write_text(
        "__global__ void k(const float* x, const float* y, float* z, int n) {\n"
        f"    int i = blockIdx.x * blockDim.x + threadIdx.x;\n    if (i < n) z[i] = {call};\n}}\n"
    )
    roles = {"x": "in", "y": "in", "z": "out"}
    machine = load_machine("m4")
    text = write(resolve_spaces(read_cuda(path, "k")[0]), machine, WritePlan("k", roles, (256, 1, 1), "k.cu"))
    assert f"gp_{fn}(" in text.header
    result = emulate(
        read_text(text), machine, Launch((-(-x.size // 256), 1, 1), (256, 1, 1)),
        {"x": x, "y": y, "z": np.zeros_like(x), "n": x.size}, roles=roles,
    )  # fmt: skip
    assert not result.findings
    return result.buffers["z"]


@pytest.mark.parametrize("fn", FUNCTIONS)
def test_helper_is_as_accurate_as_the_oracle_allows(tmp_path: Path, fn: str):
    reference, (low, high) = FUNCTIONS[fn]
    rng = np.random.default_rng(1)
    near_zero = rng.choice([-1.0, 1.0], N // 4) * 2.0 ** rng.uniform(-60, -1, N // 4)
    wide = rng.choice([-1.0, 1.0], N // 4) * 2.0 ** rng.uniform(-120, 120, N // 4)
    parts = [rng.uniform(low, high, N // 2), near_zero]
    x = np.concatenate([*parts, wide if fn in ("cbrt", "hypot") else near_zero]).astype(np.float32)
    y = rng.permutation(x) if fn == "hypot" else np.ones_like(x)
    got = run(tmp_path, fn, x, y).astype(np.float64)
    operands = (x.astype(float), y.astype(float)) if fn == "hypot" else (x.astype(float),)
    exact = np.vectorize(reference, otypes=[float])(*operands)
    normal = (np.abs(exact) >= SMALLEST) & (np.abs(exact) < 2.0**127)
    ulp = 2.0 ** (np.floor(np.log2(np.maximum(np.abs(exact), SMALLEST))) - 23)
    error = np.where(normal, np.abs(got - exact) / ulp, 0.0)
    worst = int(error.argmax())
    assert error[worst] <= ULPS["metal"][fn], f"{fn}({x[worst]!r}, {y[worst]!r}): {got[worst]!r}, {exact[worst]!r}"


EDGES = {
    "erf": [(0.0, 0.0), (-0.0, -0.0), (math.inf, 1.0), (-math.inf, -1.0), (math.nan, math.nan), (7.0, 1.0)],
    "erfc": [(0.0, 1.0), (math.inf, 0.0), (-math.inf, 2.0), (math.nan, math.nan), (20.0, 0.0)],
    "expm1": [
        (0.0, 0.0),
        (-0.0, -0.0),
        (math.inf, math.inf),
        (-math.inf, -1.0),
        (math.nan, math.nan),
        (89.5, math.inf),
    ],
    "log1p": [
        (0.0, 0.0),
        (-0.0, -0.0),
        (-1.0, -math.inf),
        (math.inf, math.inf),
        (-2.0, math.nan),
        (math.nan, math.nan),
    ],
    "cbrt": [(0.0, 0.0), (-0.0, -0.0), (8.0, 2.0), (-27.0, -3.0), (-math.inf, -math.inf), (math.nan, math.nan)],
    "hypot": [(0.0, 1.0), (math.inf, math.inf), (-math.inf, math.inf), (math.nan, math.nan), (2e38, 2e38)],
}


@pytest.mark.parametrize("fn", EDGES)
def test_helper_at_the_edges(tmp_path: Path, fn: str):
    x, expected = (np.array(column, np.float32) for column in zip(*EDGES[fn], strict=True))
    got = run(tmp_path, fn, x, np.ones_like(x))
    np.testing.assert_array_equal(got, expected)
    known = ~np.isnan(expected)
    np.testing.assert_array_equal(np.signbit(got[known]), np.signbit(expected[known]))
