"""An emulated device fuses a*b + c where the compiler of its language does, and the text does not forbid it."""

from __future__ import annotations

import numpy as np
import pytest
from gpuport.backends.base import KernelText, Launch, TextParam
from gpuport.backends.contraction import contracts
from gpuport.backends.emulator.backend import EmulatorBackend
from gpuport.backends.readers import read_text
from gpuport.hwmodels import load_machine

CUDA = 'extern "C" __global__ void k(const float* x, float* y) { int i = threadIdx.x; y[i] = x[i] * x[i] - 1.0f; }'
HIP = CUDA.replace("{ int", "{\n#pragma clang fp contract(off)\nint")
ELSEWHERE = "__device__ float other(float a) {\n#pragma clang fp contract(off)\nreturn a * a; }\n" + CUDA
OPENCL = "__kernel void k(__global const float* x, __global float* y) { int i = get_local_id(0); y[i] = x[i] * x[i] - 1.0f; }"
PARAMS = (TextParam("x", "buffer", "f32", "in"), TextParam("y", "buffer", "f32", "out"))
X = np.float32(1) + np.arange(32, dtype=np.float32) * np.float32(2.0**-20) + np.float32(2.0**-23)
ONCE = (X.astype(np.float64) ** 2 - 1).astype(np.float32)  # exact in double
TWICE = X * X - np.float32(1)


@pytest.mark.parametrize(
    ("language", "machine", "source", "options", "fused"),
    [
        ("cuda", "h100", CUDA, (), True),
        ("cuda", "h100", CUDA, ("-fmad=false",), False),
        ("hip", "mi300x", CUDA, (), True),
        ("hip", "mi300x", HIP, (), False),
        ("cuda", "h100", CUDA.replace("x[i] * x[i]", "__fmul_rn(x[i], x[i])"), (), False),
        ("cuda", "h100", CUDA.replace("x[i] * x[i] - 1.0f", "__fadd_rn(x[i] * x[i], -1.0f)"), (), False),
        ("cuda", "h100", CUDA.replace("x[i] * x[i] - 1.0f", "__fsub_rn(x[i] * x[i], 1.0f)"), (), False),
        ("hip", "mi300x", ELSEWHERE, (), True),
        ("opencl", "cpu", OPENCL, (), True),
        ("opencl", "cpu", "#pragma OPENCL FP_CONTRACT OFF\n" + OPENCL, (), False),
    ],
)
def test_a_product_and_a_sum_are_rounded_once_or_twice(
    language: str, machine: str, source: str, options: tuple[str, ...], fused: bool
) -> None:
    text, model = KernelText(language, "k", source, PARAMS, options=options), load_machine(machine)
    kernel = EmulatorBackend(read_text).compile(text, model)
    run = kernel.run(Launch((1, 1, 1), (32, 1, 1)), {"x": X, "y": np.zeros(32, np.float32)})
    np.testing.assert_array_equal(run.buffers["y"], ONCE if fused else TWICE)
    assert not np.array_equal(ONCE, TWICE)


def test_mlx_compiles_without_contraction() -> None:
    assert not contracts(KernelText("metal", "k", "y[0] = x[0] * x[1] + 1.0f;", PARAMS), load_machine("m4"))
