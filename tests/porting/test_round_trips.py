"""CUDA to another language and back: the result computes, in emulation, what the original does, bit for bit."""

from __future__ import annotations

import dataclasses
import functools
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from gpuport.backends.base import KernelText
from gpuport.backends.emulator import emulate
from gpuport.backends.readers import read_text
from gpuport.hwmodels import load_machine
from gpuport.ir.validate import validate
from gpuport.porting.candidate import SourceProgram
from gpuport.porting.spec import Kernel
from gpuport.porting.spec.data import arguments
from gpuport.porting.translate import read_kernel, translate
from gpuport.porting.verify.oracle import Oracle

if TYPE_CHECKING:
    from gpuport.ir.nodes import Program

EXAMPLES = Path(__file__).parents[2] / "examples"
NAMES = sorted(p.parent.name for p in EXAMPLES.glob("*/*.kernel.toml"))
H100 = load_machine("h100")
# through Metal; OpenCL with lanes in local memory, and with permutations of a wave of 32; HIP on waves of 64 and 32
THROUGH = [("m4", "metal"), ("cpu", "opencl"), ("rx7900xtx", "opencl"), ("mi300x", "hip"), ("rx7900xtx", "hip")]


@functools.cache
def loaded(name: str) -> SourceProgram:
    return read_kernel(Kernel.load(EXAMPLES / name / f"{name}.kernel.toml"))


def back(source: SourceProgram, device: str, language: str) -> KernelText:
    """The text of the kernel in CUDA, after its port to a device was read back."""
    machine = load_machine(device)
    [there] = translate(source, H100, machine, language=language)
    again = dataclasses.replace(source, program=read_text(there.text, machine), constants=there.constants)
    [here] = translate(again, machine, H100, language="cuda")
    return here.text


def outputs(source: SourceProgram, program: Program, sizes: dict[str, int]) -> dict[str, np.ndarray]:
    """Every written buffer after one emulated run; parameters go by their place, for a port may rename them."""
    kernel = source.kernel
    oracle = Oracle(kernel, source.program, H100, 5, 20.0)
    args = arguments(kernel, sizes, oracle.inputs(sizes, "normal"))
    names = dict(zip(args, (p.name for p in program.kernel.params), strict=True))
    roles = {names[n]: a.role for n, a in kernel.args.items() if a.is_buffer and a.role}
    launch = kernel.launch(sizes, source.constants)
    done = emulate(program, H100, launch, {names[n]: v for n, v in args.items()}, roles=roles)
    assert not done.findings
    return {n: done.buffers[names[n]] for n, a in kernel.args.items() if a.is_buffer and a.role != "in"}


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
