"""CUDA to another language and back: the result computes, in emulation, what the original does, bit for bit."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from gpuport.backends.readers import read_text
from gpuport.hwmodels import load_machine
from gpuport.ir.validate import validate
from gpuport.porting.candidate import SourceProgram
from gpuport.porting.round_trip import emulated_outputs, there_and_back
from gpuport.porting.spec import Kernel
from gpuport.porting.translate import read_kernel
from gpuport.porting.verify.oracle import Oracle

if TYPE_CHECKING:
    from gpuport.backends.base import KernelText
    from gpuport.ir.nodes import Program

EXAMPLES = Path(__file__).parents[2] / "examples"
CORPUS = Path(__file__).parents[1] / "kernels"
NAMES = sorted(p.parent.name for p in EXAMPLES.glob("*/*.kernel.toml"))
# of the corpus, what the examples have not: matrix units, structs, halves, votes, sorting in place, dynamic shared
# memory, parameters that a destination renames, shuffles of 64 bits, shuffles of a part of a warp
MORE = (
    "gemm/gemm_wmma", "elementwise/half2_residual", "warp/warp_votes", "sort/bitonic_step", "shared/typed_dynamic",
    "elementwise/reserved_names", "warp/warp_long", "warp/warp_tail_mask",
)  # fmt: skip
H100 = load_machine("h100")
# through Metal; OpenCL with lanes in local memory, and with permutations of a wave of 32; HIP on waves of 64 and 32
THROUGH = [("m4", "metal"), ("cpu", "opencl"), ("rx7900xtx", "opencl"), ("mi300x", "hip"), ("rx7900xtx", "hip")]


@functools.cache
def loaded(name: str) -> SourceProgram:
    spec = CORPUS / f"{name}.kernel.toml" if "/" in name else EXAMPLES / name / f"{name}.kernel.toml"
    return read_kernel(Kernel.load(spec))


def back(source: SourceProgram, device: str, language: str) -> KernelText:
    """The text of the kernel in CUDA, after its port to a device was read back."""
    return there_and_back(source, H100, load_machine(device), language=language)


def outputs(source: SourceProgram, program: Program, sizes: dict[str, int]) -> dict[str, np.ndarray]:
    oracle = Oracle(source.kernel, source.program, H100, 5, 20.0)
    return emulated_outputs(source, program, H100, sizes, oracle.inputs(sizes, "normal"))


@pytest.mark.parametrize(("device", "language"), THROUGH)
@pytest.mark.parametrize("name", NAMES)
def test_round_trip_computes_the_same_bits(name: str, device: str, language: str) -> None:
    source = loaded(name)
    text = back(source, device, language)
    program = read_text(text, H100)
    validate(program)
    for sizes in source.kernel.size_sets()[1:4]:
        expected, got = outputs(source, source.program, sizes), outputs(source, program, sizes)
        for buffer, values in expected.items():
            np.testing.assert_array_equal(
                got[buffer].view(np.uint8), values.view(np.uint8), err_msg=f"{buffer} {sizes}"
            )


@pytest.mark.parametrize("name", NAMES)
def test_round_trip_through_metal_assembles(name: str) -> None:
    from gpuport.backends.compilers import assemble
    from gpuport.backends.compilers.nvrtc import MISSING, available

    if not available():
        pytest.skip(MISSING)
    assembly = assemble(back(loaded(name), "m4", "metal"), H100)
    assert assembly.resources is not None, assembly.error
    assert assembly.resources.spill_bytes == 0


@pytest.mark.parametrize("name", MORE)
@pytest.mark.parametrize(("device", "language"), THROUGH[:2])
def test_round_trip_of_the_corpus_computes_the_same_bits(name: str, device: str, language: str) -> None:
    source = loaded(name)
    program = read_text(back(source, device, language), H100)
    sizes = source.kernel.size_sets()[1]
    expected, got = outputs(source, source.program, sizes), outputs(source, program, sizes)
    for buffer, values in expected.items():
        np.testing.assert_array_equal(got[buffer].view(np.uint8), values.view(np.uint8), err_msg=f"{buffer} {sizes}")
