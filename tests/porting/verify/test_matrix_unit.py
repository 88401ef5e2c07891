"""Bounds for a matrix unit: an emulated tensor core is within them, sums in fewer bits are not."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from gpuport.backends.emulator.formats import to_bf16
from gpuport.hwmodels import load_machine
from gpuport.ir.types import F32
from gpuport.porting.spec import Kernel
from gpuport.porting.translate import read_kernel
from gpuport.porting.verify import Oracle
from gpuport.porting.verify.compare import compare

if TYPE_CHECKING:
    from collections.abc import Callable

    from gpuport.porting.spec.generators import InputKind
    from gpuport.porting.verify import Expected

SPEC = Path(__file__).parents[2] / "kernels/gemm/gemm_wmma.kernel.toml"
SIZES = {"M": 32, "N": 32, "K": 32}
H100 = load_machine("h100")
CORES = {"v100": (23, 4), "t4": (24, 8), "a100": (24, 8), "rtx4090": (24, 8), "h100": (25, 16), "rtx5090": (25, 16)}
"""Of float16: bits kept below the largest exponent, and products added at once (MMA-Sim, arXiv:2511.10909)."""
KINDS: tuple[InputKind, ...] = ("normal", "subnormal", "wide", "cancel", "tiny", "constant", "low", "near", "ids")


def parts(x: np.ndarray, least: int) -> tuple[np.ndarray, np.ndarray]:
    """Significand and exponent, of a subnormal number as its format keeps it."""
    _, e = np.frexp(x)
    e = np.where(x == 0, least, np.maximum(e - 1, least))
    return np.ldexp(x, -e), e


def truncated(x: np.ndarray, bits: int) -> np.ndarray:
    _, e = np.frexp(x)
    return np.ldexp(np.trunc(np.ldexp(x, bits - e)), e - bits)


def tensor_core(a: np.ndarray, b: np.ndarray, bits: int, length: int) -> np.ndarray:
    """a b, with a row and a column of halves at a time, and a column of b a row here."""
    out = np.zeros((len(a), len(b)))
    for i, row in enumerate(a):
        for j, column in enumerate(b):
            total = np.zeros(1)
            for k in range(0, len(row), length):
                (sa, ea), (sb, eb), (sc, ec) = (
                    parts(row[k : k + length], -14), parts(column[k : k + length], -14), parts(total, -126)
                )  # fmt: skip
                s, e = np.concatenate([sa * sb, sc]), np.concatenate([ea + eb, ec])
                most = e[s != 0].max(initial=-126)
                kept = np.trunc(np.ldexp(s, e - most + bits)).sum()
                total = truncated(np.array([np.ldexp(kept, most - bits)]), 24)
            out[i, j] = total[0]
    return out


def summed(a: np.ndarray, b: np.ndarray, rounded: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    out = np.zeros((len(a), len(b)))
    for k in range(a.shape[1]):
        out = rounded(out + np.outer(a[:, k], b[:, k]))
    return out


def to_tf32(x: np.ndarray) -> np.ndarray:
    _, e = np.frexp(x)
    return np.ldexp(np.rint(np.ldexp(x, 11 - e)), e - 11)


NARROW: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "f16": lambda x: x.astype(np.float16).astype(np.float64),
    "bf16": lambda x: to_bf16(x.astype(np.float32)).astype(np.float64),
    "tf32": to_tf32,
}


@functools.cache
def oracle(seed: int = 1) -> Oracle:
    source = read_kernel(Kernel.load(SPEC))
    return Oracle(source.kernel, source.program, H100, seed)


@functools.cache
def expected(core: str, kind: InputKind) -> tuple[Expected, np.ndarray, np.ndarray]:
    o = oracle()
    inputs = o.inputs(SIZES, kind).buffers
    found = o.expect(SIZES, o.kernel.launch(SIZES, {}), kind, load_machine(core), "cuda")
    return found.outputs["C"], inputs["A"].astype(np.float64), inputs["B"].astype(np.float64)


@pytest.mark.parametrize("core", CORES)
@pytest.mark.parametrize("kind", KINDS)
def test_a_tensor_core_is_within_the_bounds(core, kind):
    should, a, b = expected(core, kind)
    got = tensor_core(a, b, *CORES[core])
    found = compare(got.reshape(-1), should, F32)
    assert (found.bad, found.unjudged) == (0, 0), found


@pytest.mark.parametrize("bits", NARROW)
@pytest.mark.parametrize("kind", ["normal", "subnormal", "wide"])
def test_sums_in_fewer_bits_are_not(bits, kind):
    should, a, b = expected("h100", kind)
    assert compare(summed(a, b, NARROW[bits]).reshape(-1), should, F32).bad > 0.3 * should.values.size


@pytest.mark.parametrize("kind", ["normal", "subnormal", "wide"])
def test_factors_in_bfloat16_are_not(kind):
    should, a, b = expected("h100", kind)
    assert compare((NARROW["bf16"](a) @ b.T).reshape(-1), should, F32).bad > 0.3 * should.values.size


def test_factors_without_subnormal_numbers_are_not():
    should, a, b = expected("h100", "subnormal")
    assert compare(((a * (np.abs(a) >= 2.0**-14)) @ b.T).reshape(-1), should, F32).bad


def test_where_matrices_are_multiplied_in_loops_the_bound_is_the_loops():
    o = oracle()
    launch = o.kernel.launch(SIZES, {})
    loops = o.expect(SIZES, launch, "normal", load_machine("m4"), "metal").outputs["C"]
    unit, _, _ = expected("h100", "normal")
    assert (loops.bounds < unit.bounds).all()
    assert np.median(unit.bounds / loops.bounds) < 2
