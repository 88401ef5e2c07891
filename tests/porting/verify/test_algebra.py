"""The algebra gate: equal formulas agree in any form, others are refuted, and what a field lacks is said."""

from __future__ import annotations

from typing import Any

import pytest
from gpuport.backends.base import KernelText, TextParam
from gpuport.backends.emulator.backend import EmulatorBackend
from gpuport.backends.emulator.errors import DomainUnsupported
from gpuport.backends.isolate import Done, Failed
from gpuport.backends.opencl.reader import read_opencl
from gpuport.backends.readers import read_text
from gpuport.hwmodels import load_machine
from gpuport.porting.spec import Kernel
from gpuport.porting.verify import Oracle
from gpuport.porting.verify.algebra import gate_algebra

CPU = load_machine("cpu")
SIGNATURE = "__kernel void k(__global const float* a, __global const float* b, __global float* y, int n)"
PARAMS = (
    TextParam("a", "buffer", "f32", "in"), TextParam("b", "buffer", "f32", "in"),
    TextParam("y", "buffer", "f32", "out"), TextParam("n", "scalar", "i32"),
)  # fmt: skip
N = 40


class Emulated:
    """Runs a candidate in the field, in this process."""

    def __init__(self, text: str) -> None:
        self.kernel = EmulatorBackend(read_text).compile(KernelText("opencl", "k", text, PARAMS), CPU)

    def run_in_field(self, launch: Any, args: Any, given: Any, floats: Any) -> Any:
        try:
            result = self.kernel.run_in_field(launch, args, given)
        except DomainUnsupported as error:
            return Failed(str(error), "DomainUnsupported")
        assert set(result.buffers) == set(floats)
        return Done(result)


def text(line: str) -> str:
    return f"{SIGNATURE} {{\n  int i = get_global_id(0);\n  if (i >= n) return;\n  {line}\n}}"


@pytest.fixture
def compared(tmp_path):
    def run(source: str, candidate: str, compare: Any = None) -> Any:
        (tmp_path / "k.cl").write_text(text(source))
        buffer = {"dtype": "f32", "shape": ["n"]}
        kernel = Kernel(
            source="k.cl", entry="k", sizes={"n": [N]}, folder=tmp_path, launch={"grid": [2], "block": [32]},
            args={"a": {**buffer, "role": "in"}, "b": {**buffer, "role": "in"}, "y": {**buffer, "role": "out"},
                  "n": {"dtype": "i32", "value": "n"}},
            reference={"compare": compare or {}},
        )  # fmt: skip
        program, constants = read_opencl(tmp_path / "k.cl", "k")
        oracle = Oracle(kernel, program, CPU, 99)
        sizes = kernel.size_sets()[0]
        launch = kernel.launch(sizes, constants)
        return gate_algebra(oracle, Emulated(text(candidate)), sizes, launch, launch, oracle.inputs(sizes))

    return run


SUM = "float s = 0.0f; for (int k = 0; k < n; ++k) s += a[k] * b[k]; y[i] = s + a[i];"
SOFTMAX = (
    "float m = -3.402823466e+38f, s = 0.0f; for (int k = 0; k < n; ++k) m = fmax(m, a[k]);"
    " for (int k = 0; k < n; ++k) s += exp(a[k] - m); y[i] = exp(a[i] - m) / s;"
)
EQUAL = {
    "the same": (SUM, SUM),
    "another order, fused": (SUM, "float s = a[i]; for (int k = n - 1; k >= 0; --k) s = fma(b[k], a[k], s); y[i] = s;"),
    "silu": ("y[i] = a[i] / (1.0f + exp(-a[i]));", "y[i] = a[i] * (1.0f - 1.0f / (1.0f + exp(a[i])));"),
    "tanh by exponentials": ("y[i] = tanh(a[i]);", "float e = exp(2.0f * a[i]); y[i] = 1.0f - 2.0f / (e + 1.0f);"),
    "base two": ("y[i] = exp(a[i]);", "y[i] = exp2(a[i] * 1.442695041f);"),
    "division by a literal": ("y[i] = a[i] / 3.0f;", "y[i] = a[i] * 0.333333333f;"),
    "reciprocal root": ("y[i] = a[i] / sqrt(b[i] * b[i] + 1.0f);", "y[i] = a[i] * rsqrt(fma(b[i], b[i], 1.0f));"),
    "online softmax": (
        SOFTMAX,
        "float m = -INFINITY, s = 0.0f; for (int k = 0; k < n; ++k) { float h = fmax(m, a[k]);"
        " s = s * exp(m - h) + exp(a[k] - h); m = h; } y[i] = exp(a[i] - m) / s;",
    ),
    # shift-invariant: that it overflows is not a question of algebra
    "softmax without the maximum": (
        SOFTMAX, "float s = 0.0f; for (int k = 0; k < n; ++k) s += exp(a[k]); y[i] = exp(a[i]) / s;"),
    "a maximum in another order": (
        "float m = a[0]; for (int k = 1; k < n; ++k) m = fmax(m, a[k]); y[i] = m * b[i];",
        "float m = -INFINITY; for (int k = n - 1; k >= 0; --k) m = a[k] > m ? a[k] : m; y[i] = b[i] * m;"),
    "a minimum by a maximum": ("y[i] = fmin(a[i], b[i]);", "y[i] = -fmax(-b[i], -a[i]);"),
    "both sides of zero": ("y[i] = a[i];", "y[i] = fmax(a[i], 0.0f) - fmax(-a[i], 0.0f);"),
    "complement": ("y[i] = erfc(a[i]);", "y[i] = 1.0f + erf(-a[i]);"),
    "logarithm of another base": ("y[i] = log(a[i]);", "y[i] = log2(a[i]) * 0.693147181f;"),
    "an integer power": ("y[i] = a[i] * a[i] * a[i];", "y[i] = pow(a[i], 3.0f);"),
    "counts as floats": ("y[i] = a[i] / (float)n;", f"y[i] = a[i] * (1.0f / {N}.0f);"),
    "bits written down": ("y[i] = a[i] * as_float(0x3dcccccdu);", "y[i] = a[i] * 0.1f;"),
    "infinity by its bits": (
        "float m = -INFINITY; m = fmax(m, a[i]); y[i] = m;",
        "uint inf = 0xff800000u; float m = as_float(inf); y[i] = fmax(m, a[i]);"),
    "packed integers": (
        "y[i] = (float)((n * 41 + i) >> 3 & 15) * a[i];", "y[i] = a[i] * (float)((n * 41 + i) / 8 % 16);"),
    "bits through memory": (
        "y[i] = a[i] + b[i];", "uint w[2]; w[0] = as_uint(a[i]); w[1] = as_uint(b[i]); y[i] = as_float(w[1]) + as_float(w[0]);"),
}  # fmt: skip
DIFFERENT = {
    "last term left out": (SUM, SUM.replace("k < n", "k < n - 1")),
    "another factor": ("y[i] = 0.5f * a[i];", "y[i] = 0.50001f * a[i];"),
    "wrong index": ("y[i] = a[i] + b[i];", "y[i] = a[i] + b[i == 7 ? 8 : i];"),
    "x e^x for silu": ("y[i] = a[i] / (1.0f + exp(-a[i]));", "y[i] = a[i] * exp(a[i]);"),
    "epsilon outside of the root": ("y[i] = a[i] * rsqrt(b[i] + 1e-5f);", "y[i] = a[i] / (sqrt(b[i]) + 1e-5f);"),
    "no root": ("y[i] = a[i] * rsqrt(b[i]);", "y[i] = a[i] / b[i];"),
    "divided by n - 1": ("y[i] = a[i] / (float)n;", "y[i] = a[i] / (float)(n - 1);"),
}  # fmt: skip
OPEN = {
    "an order that decides the result": (
        "y[i] = fmax(a[i], b[i]);", "y[i] = a[i];", "order of data"),
    "the maximum of other terms": (
        "y[i] = 2.0f * fmax(a[i], 0.0f);", "y[i] = fmax(2.0f * a[i], 0.0f);", "order of data"),
    # the source's result does not depend on an order, the candidate's does: left to the values
    "not rescaled": (
        SOFTMAX,
        "float m = -INFINITY, s = 0.0f; for (int k = 0; k < n; ++k) { float h = fmax(m, a[k]);"
        " s = s + exp(a[k] - h); m = h; } y[i] = exp(a[i] - m) / s;", "order of data"),
    "a law of logarithms": ("y[i] = log(a[i] * b[i]);", "y[i] = log(a[i]) + log(b[i]);", "functions that a field"),
    "data as an index": ("y[i] = a[(int)a[i] & 7];", "y[i] = a[(int)a[i] & 7];", "turns data into integers"),
    "bits of data": ("y[i] = as_float(as_uint(a[i]) & 0x7fffffffu);", "y[i] = fabs(a[i]);", "bits of data"),
    "bits of an argument": (
        "y[i] = a[i] * as_float(1065353216u + (uint)n * 0u + 1u);", "y[i] = a[i] * as_float(1065353217u);", "of bits"),
    "unpacked by a magic number": (
        "y[i] = (as_float(0x4b000000u | (uint)(i & 15)) - 8388608.0f) * a[i];", "y[i] = (float)(i & 15) * a[i];", "of bits"),
    "a root squared": ("y[i] = sqrt(a[i]) * sqrt(a[i]);", "y[i] = a[i];", "functions that a field"),
    "a root squared in an exponent": (
        "float r = sqrt(a[i]); y[i] = exp(-r * r);", "y[i] = exp(-a[i]);", "functions that a field"),
    "exponentials of exponentials": ("y[i] = exp(exp(a[i]));", "y[i] = exp(exp(a[i]));", "exponential of an exponential"),
}  # fmt: skip


@pytest.mark.parametrize("name", EQUAL)
def test_equal_formulas_agree(compared, name):
    said = compared(*EQUAL[name])
    assert (said.verdict, said.detail[:9]) == ("tested", f"{N} elemen"), said


@pytest.mark.parametrize("name", DIFFERENT)
def test_other_formulas_are_refuted(compared, name):
    said = compared(*DIFFERENT[name])
    assert said.verdict == "refuted", said
    assert "of y are another formula" in said.detail


@pytest.mark.parametrize("name", OPEN)
def test_what_a_field_lacks_is_unknown_with_the_reason(compared, name):
    source, candidate, reason = OPEN[name]
    said = compared(source, candidate)
    assert said.verdict == "unknown", said
    assert reason in said.detail


def test_the_difference_is_located(compared):
    said = compared("y[i] = a[i];", "y[i] = i == 7 || i == 9 ? b[i] : a[i];")
    assert said.detail == f"2 of {N} elements of y are another formula than the source's, first [7]"


def test_the_order_of_the_outputs_may_be_left_open(compared):
    assert compared("y[i] = a[i];", "y[i] = a[n - 1 - i];", {"y": "sorted"}).verdict == "tested"
    assert compared("y[i] = a[i];", "y[i] = a[i / 2];", {"y": "sorted"}).verdict == "refuted"


def test_a_tolerance_of_the_users_is_not_overruled(compared):
    assert compared("y[i] = a[i];", "y[i] = 1.001f * a[i];", {"y": {"rtol": 0.01}}) is None
