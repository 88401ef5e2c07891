"""Warp matrices: what they compute, and what each destination makes of them."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from gpuport.backends.base import Launch
from gpuport.backends.clike.plan import WritePlan
from gpuport.backends.compilers import assemble
from gpuport.backends.compilers.nvrtc import MISSING, available
from gpuport.backends.cuda.reader import read_cuda_text
from gpuport.backends.emulator import emulate
from gpuport.backends.readers import read_text
from gpuport.hwmodels import load_machine
from gpuport.ir.diagnostics import Refusal
from gpuport.ir.rewrites.matrices import expand, tile
from gpuport.ir.rewrites.spaces import resolve_spaces
from gpuport.ir.types import F16, F32
from gpuport.ir.validate import validate
from gpuport.porting.specialise import specialise

if TYPE_CHECKING:
    from gpuport.backends.base import KernelText
    from gpuport.ir.nodes import Program

# D = 2 A B + C, the product's elements scaled where each lane has them
SOURCE = """
#include <mma.h>
using namespace nvcuda;
__global__ void k(const {T}* A, const {T}* B, const {S}* C, {S}* D) {{
    wmma::fragment<wmma::matrix_a, {m}, {n}, {k}, {T}, wmma::{la}_major> a;
    wmma::fragment<wmma::matrix_b, {m}, {n}, {k}, {T}, wmma::{lb}_major> b;
    wmma::fragment<wmma::accumulator, {m}, {n}, {k}, {S}> acc, c;
    wmma::fill_fragment(acc, ({S})0);
    for (int step = 0; step < 2; ++step) {{
        wmma::load_matrix_sync(a, A + step * {step_a}, {lda});
        wmma::load_matrix_sync(b, B + step * {step_b}, {ldb});
        wmma::mma_sync(acc, a, b, acc);
    }}
    wmma::load_matrix_sync(c, C, {m}, wmma::mem_col_major);
    for (int i = 0; i < acc.num_elements; ++i) acc.x[i] = acc.x[i] * ({S})2 + c.x[i];
    wmma::store_matrix_sync(D, acc, {n}, wmma::mem_row_major);
}}
"""
SHAPES = [(16, 16, 16), (8, 32, 16), (32, 8, 16)]
LAYOUTS = [("row", "col"), ("col", "row")]
NUMPY = {"half": np.float16, "float": np.float32, "signed char": np.int8, "int": np.int32}
H100 = load_machine("h100")
ROLES = {"A": "in", "B": "in", "C": "in", "D": "out"}


@functools.cache
def source(shape: tuple[int, int, int], layouts: tuple[str, str], elem: str = "half", sums: str = "float") -> Program:
    m, n, k = shape
    la, lb = layouts
    lda, step_a = (2 * k, k) if la == "row" else (m, k * m)
    ldb, step_b = (n, k * n) if lb == "row" else (2 * k, k)
    text = SOURCE.format(T=elem, S=sums, m=m, n=n, k=k, la=la, lb=lb, lda=lda, ldb=ldb, step_a=step_a, step_b=step_b)
    return resolve_spaces(read_cuda_text(text, "k", "k.cu"))


def data(shape: tuple[int, int, int], layouts: tuple[str, str], elem: str, sums: str) -> dict[str, np.ndarray]:
    m, n, k = shape
    rng = np.random.default_rng(7)
    a = rng.integers(-4, 5, (m, 2 * k)).astype(NUMPY[elem])
    b = rng.integers(-4, 5, (2 * k, n)).astype(NUMPY[elem])
    c = rng.integers(-4, 5, (m, n)).astype(NUMPY[sums])
    la, lb = layouts
    return {
        "A": (a if la == "row" else a.T).ravel(),
        "B": (b if lb == "row" else b.T).ravel(),
        "C": c.T.ravel(),
        "D": np.zeros(m * n, NUMPY[sums]),
        "expected": (2 * (a.astype(np.float64) @ b.astype(np.float64)) + c).astype(NUMPY[sums]).ravel(),
    }


def run(program: Program, machine: str, args: dict[str, np.ndarray]) -> np.ndarray:
    # a second warp has the same work: it may not disturb the first, whose lanes may share its wave
    given = {p.name: args[name] for p, name in zip(program.kernel.params, ROLES, strict=True)}
    roles = {p.name: role for p, role in zip(program.kernel.params, ROLES.values(), strict=True)}
    done = emulate(program, load_machine(machine), Launch((1, 1, 1), (32, 1, 1)), given, roles=roles)
    assert not done.findings
    return done.buffers[program.kernel.params[3].name]


@pytest.mark.parametrize(
    ("elem", "sums", "shape", "layouts"),
    [("half", "float", shape, LAYOUTS[i % 2]) for i, shape in enumerate(SHAPES)]
    + [("half", "half", SHAPES[0], LAYOUTS[1]), ("signed char", "int", SHAPES[1], LAYOUTS[0])],
)
def test_fragments_multiply(elem: str, sums: str, shape: tuple[int, int, int], layouts: tuple[str, str]) -> None:
    program = source(shape, layouts, elem, sums)
    validate(program)
    validate(expand(program))
    args = data(shape, layouts, elem, sums)
    expected = args.pop("expected")
    np.testing.assert_array_equal(run(program, "h100", args), expected)


@pytest.mark.parametrize("shape", SHAPES)
def test_small_matrices_make_up_large_ones(shape: tuple[int, int, int]) -> None:
    program = source(shape, LAYOUTS[0])
    tiled = tile(program, 8, frozenset({F16, F32}))
    assert tiled is not None
    validate(tiled)
    args = data(shape, LAYOUTS[0], "half", "float")
    np.testing.assert_array_equal(run(tiled, "m4", args), args["expected"])
    assert tile(program, 8, frozenset({F32})) is None


def ported(program: Program, device: str, language: str) -> tuple[KernelText, str]:
    machine = load_machine(device)
    block = (32, 1, 1)
    special = specialise(
        program, H100, machine, language=language, block=block, max_block=block, shared_bytes=0, roles=ROLES  # pyright: ignore[reportArgumentType]
    )  # fmt: skip
    if language == "metal":
        from gpuport.backends.metal.writer import write
    elif language == "hip":
        from gpuport.backends.hip.writer import write
    elif language == "cuda":
        from gpuport.backends.cuda.writer import write
    else:
        from gpuport.backends.opencl.writer import write
    text = write(special.program, machine, WritePlan("k", ROLES, block))  # pyright: ignore[reportArgumentType]
    return text, next(str(d) for d in special.decisions if d.what.startswith("matrices"))


@pytest.mark.parametrize(
    ("device", "language", "elem", "shape", "written", "because"),
    [
        ("h100", "cuda", "half", (8, 32, 16), "wmma::mma_sync(acc, a, b, acc);", "stay with wmma"),
        ("rx7900xtx", "hip", "half", (16, 16, 16), "rocwmma::mma_sync(acc, a, b, acc);", "stay with rocWMMA"),
        ("rx7900xtx", "hip", "half", (8, 32, 16), "__shfl(", "rocWMMA has no shape 8 x 32 x 16"),
        ("mi300x", "hip", "half", (16, 16, 16), "gp_shfl_idx", "a matrix instruction here takes all 64"),
        ("m4", "metal", "half", (16, 16, 16), "simdgroup_multiply_accumulate(", "put together from simdgroup_matrix"),
        ("m4", "metal", "signed char", (16, 16, 16), "simd_shuffle(", "simdgroup_matrix does not multiply i8 into i32"),
        ("cpu", "opencl", "half", (16, 16, 16), "gp_lanes", "has no matrix unit"),
    ],
)  # fmt: skip
def test_each_destination_computes_the_same(
    device: str, language: str, elem: str, shape: tuple[int, int, int], written: str, because: str
) -> None:
    sums = "int" if elem == "signed char" else "float"
    text, decision = ported(source(shape, LAYOUTS[0], elem, sums), device, language)
    assert written in text.source + text.header
    assert because in decision
    args = data(shape, LAYOUTS[0], elem, sums)
    again = read_text(text, load_machine(device))
    validate(again)
    np.testing.assert_array_equal(run(again, device, args), args["expected"])


@pytest.mark.parametrize(("device", "language"), [("h100", "cuda"), ("rtx5090", "cuda"), ("rx7900xtx", "hip")])
def test_the_vendors_compiler_takes_it(device: str, language: str) -> None:
    if language == "cuda" and not available():
        pytest.skip(MISSING)
    text, _ = ported(source((16, 16, 16), LAYOUTS[1]), device, language)
    assembly = assemble(text, load_machine(device))
    assert assembly.resources is not None, (assembly.error, assembly.reason)
    assert assembly.resources.spill_bytes == 0


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("wmma::fragment<wmma::matrix_a, 16, 16, 8, wmma::precision::tf32, wmma::row_major> a;", "precision"),
        (
            "wmma::fragment<wmma::matrix_a, 16, 12, 16, half, wmma::row_major> a; wmma::fill_fragment(a, h);",
            "read are 16x16x16",
        ),
    ],
)
def test_other_fragments_are_refused(line: str, says: str) -> None:
    text = f"#include <mma.h>\nusing namespace nvcuda;\n__global__ void k(half h) {{\n{line}\n}}"
    with pytest.raises(Refusal) as refusal:
        read_cuda_text(text, "k", "k.cu")
    assert says in str(refusal.value)
    assert refusal.value.diagnostics[0].loc is not None
    assert refusal.value.diagnostics[0].loc.line == 4


def test_the_corpus_has_one() -> None:
    assert "mma_sync" in (Path(__file__).parents[1] / "kernels/gemm/gemm_wmma.cu").read_text()
