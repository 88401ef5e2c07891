"""What a source rounds by itself, no port lets its compiler fuse: by intrinsics or by a pragma of the whole text."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from gpuport import Kernel, PortReport, port

X = np.float32(1) + np.arange(64, dtype=np.float32) * np.float32(2.0**-20) + np.float32(2.0**-23)
ARGS = {
    "x": {"dtype": "f32", "shape": ["n"], "role": "in"},
    "y": {"dtype": "f32", "shape": ["n"], "role": "out"},
    "n": {"dtype": "i32", "value": "n"},
}
CUDA = "__global__ void k(const float* x, float* y, int n) { int i = threadIdx.x; if (i < n) { BODY } }"
OPENCL = "__kernel void k(__global const float* x, __global float* y, int n) { int i = get_local_id(0); if (i < n) { BODY } }"
METAL = """#include <metal_stdlib>
using namespace metal;
kernel void k(device const float* x [[buffer(0)]], device float* y [[buffer(1)]], constant int& n [[buffer(2)]],
              uint i [[thread_position_in_threadgroup]]) { if (int(i) < n) { BODY } }"""
PRODUCT = "float p = x[i] * x[i]; y[i] = p - 1.0f;"
COMPOUND = "float p = x[i]; p *= x[i]; y[i] = p - 1.0f;"


def ported(folder: Path, name: str, source: str, src: str, dst: list[str]) -> list[PortReport]:
    """Port a kernel whose result is compared bit for bit with a product and a difference that are rounded each."""
    (folder / name).write_text(source)
    kernel = Kernel(
        source=folder / name, entry="k", sizes={"n": [64, 33]}, args=ARGS, launch={"grid": [1], "block": [64]},
        reference={
            "python": lambda inputs: {"y": np.square(inputs["x"].astype(np.float32)) - np.float32(1)},
            "inputs": lambda _rng, sizes: {"x": X[: sizes["n"]]}, "compare": {"y": "exact"},
        },
        verify={"generate": []},
    )  # fmt: skip
    return port(kernel, src, dst)


@pytest.mark.parametrize(
    ("body", "cuda"),
    [
        ("y[i] = __fmul_rn(x[i], x[i]) - 1.0f;", "__fmul_rn(x[i], x[i]) - 1.0f"),
        ("float p = __fmul_rn(x[i], x[i]); y[i] = __fsub_rn(p, 1.0f);", "y[i] = p - 1.0f"),
        ("y[i] = __fsub_rn(x[i] * x[i], 1.0f);", "__fsub_rn(x[i] * x[i], 1.0f)"),
    ],
)
def test_functions_that_round_by_themselves_are_not_fused(tmp_path: Path, body: str, cuda: str) -> None:
    kept = {
        "rtx4090": cuda, "mi300x": "#pragma clang fp contract(off)", "m4": "#pragma STDC FP_CONTRACT OFF",
        "cpu": "#pragma OPENCL FP_CONTRACT OFF",
    }  # fmt: skip
    for report in ported(tmp_path, "k.cu", CUDA.replace("BODY", body), "h100", list(kept)):
        assert report.verified, report.reason
        assert kept[report.dst.id] in report.source


@pytest.mark.parametrize(
    ("name", "source", "src", "body"),
    [
        ("k.cl", "#pragma OPENCL FP_CONTRACT OFF\n" + OPENCL, "rx7900xtx", PRODUCT),
        ("k.metal", METAL.replace("kernel void", "#pragma METAL fp contract(off)\nkernel void"), "m4", PRODUCT),
        ("k.hip", "#pragma clang fp contract(off)\n" + CUDA, "mi300x", COMPOUND),
    ],
)
def test_a_pragma_of_the_source_holds_in_the_port(tmp_path: Path, name: str, source: str, src: str, body: str) -> None:
    [cuda, metal] = ported(tmp_path, name, source.replace("BODY", body), src, ["h100", "m4"])
    for report in (cuda, metal):
        assert report.verified, report.reason
    assert "__fmul_rn(" in cuda.source
    assert "#pragma STDC FP_CONTRACT OFF" in metal.source


def test_what_may_be_fused_has_no_pragma(tmp_path: Path) -> None:
    for report in ported(tmp_path, "k.cu", CUDA.replace("BODY", PRODUCT), "h100", ["mi300x", "rtx4090"]):
        assert report.source
        assert "contract" not in report.source
        assert "_rn(" not in report.source
