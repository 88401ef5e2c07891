"""The six sources on an NVIDIA device, every size, against their references under a bound from error analysis."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gpuport import port
from gpuport.backends.cuda.runtime import CudaBackend
from gpuport.hwmodels import load_machine

DTYPES = {"f32": np.float32, "i32": np.int32, "u32": np.uint32, "u8": np.uint8}
U = 2.0**-24  # unit roundoff of f32


def gamma(n: float) -> float:
    """Higham's bound on n roundings, n u / (1 - n u)."""
    return n * U / (1 - n * U)


def bound(name: str, a: dict[str, Any], ref: np.ndarray) -> np.ndarray | float:
    """Per element, any order of summation: Higham 2002, ch. 3; ulps of expf and rsqrtf: CUDA C Programming Guide."""
    if name == "softmax":
        d = np.abs(a["x"] - a["x"].max(axis=1, keepdims=True))
        relative = 2 * 2 * 2 * U + U * (d + (ref * d).sum(axis=1, keepdims=True)) + gamma(a["x"].shape[1] + 3)
        return relative * ref + 2.0**-126
    if name == "rmsnorm":
        return (gamma(a["x"].shape[1] + 3) / 2 + 2 * 2 * U + 4 * U) * np.abs(ref)
    if name == "sgemm":
        return gamma(a["A"].shape[1] + 1) * abs(a["alpha"]) * (np.abs(a["A"]) @ np.abs(a["B"])) + 2.0**-126
    if name == "stencil":
        p = np.pad(np.abs(a["u"]), 1, mode="edge")
        around = p[:-2, 1:-1] + p[2:, 1:-1] + p[1:-1, :-2] + p[1:-1, 2:]
        return gamma(9) * (np.abs(a["u"]) + a["alpha"] * (around + 4 * np.abs(a["u"])))
    return 0.0


@pytest.fixture(scope="module")
def cupy() -> Any:
    module = pytest.importorskip("cupy", reason="CuPy is not installed: the CUDA sources are only parsed here")
    try:
        module.cuda.runtime.getDeviceCount()
    except module.cuda.runtime.CUDARuntimeError as error:
        pytest.skip(f"no CUDA device: {error}")
    return module


def run(
    cupy: Any, example: Any, sizes: dict[str, int], inputs: dict[str, Any], tmp_path: Path
) -> dict[str, np.ndarray]:
    """Outputs of one launch; they start as NaN or all ones, so that an element left unwritten shows."""
    kernel = example.spec["kernel"]
    options = ("--std=c++17", *(f"-D{k}={v}" for k, v in kernel.get("defines", {}).items()))
    entry = kernel["entry"]
    compiler = cupy.cuda.compiler.compile_using_nvrtc  # RawModule(code=...) would flush subnormal numbers to zero
    binary, names = compiler(example.source.read_text(), options, name_expressions=(entry,))
    (tmp_path / "kernel.cubin").write_bytes(binary)
    function = cupy.RawModule(path=str(tmp_path / "kernel.cubin")).get_function(names[entry])
    device: dict[str, Any] = {}
    for name, arg in example.spec["args"].items():
        dtype = DTYPES[arg["dtype"]]
        if "value" in arg:
            device[name] = dtype(inputs[name])
        elif arg["role"] == "out":
            device[name] = cupy.full(example.shape(name, sizes), np.nan, dtype)
        else:
            device[name] = cupy.asarray(inputs[name])
    grid, block = example.launch("grid", sizes), example.launch("block", sizes)
    function(grid, block, tuple(device.values()))
    return {n: cupy.asnumpy(device[n]) for n, a in example.spec["args"].items() if a.get("role") in ("out", "inout")}


def test_source_is_right_on_the_device(example: Any, cupy: Any, tmp_path: Path):
    for i, sizes in enumerate(example.cases()):
        inputs = example.inputs(sizes, seed=i)
        # the kernel's scalar is the float nearest to the spec's, and so is the reference's
        for key, arg in example.spec["args"].items():
            if arg["dtype"] == "f32" and "value" in arg:
                inputs[key] = float(np.float32(inputs[key]))
        got = run(cupy, example, sizes, inputs, tmp_path)
        expected = example.reference(example.wide(inputs))
        for key, value in got.items():
            error = np.abs(value.astype(np.float64) - expected[key])
            allowed = bound(example.name, example.wide(inputs), expected[key])
            assert np.all(error <= allowed), f"{key} at {sizes}: worst {np.nanmax(error)}, NaN {np.isnan(value).sum()}"


def test_the_wrapper_runs_on_the_device(cupy: Any, tmp_path: Path):
    capability = cupy.cuda.Device().compute_capability
    source = Path(__file__).parents[2] / "examples" / "softmax" / "softmax.cu"
    machine = next(
        (m for m in ("h100", "h200", "a100") if CudaBackend().device_for(load_machine(m))), f"sm_{capability}"
    )
    port(source, "mi300x", machine).write(tmp_path)
    found = importlib.util.spec_from_file_location("softmax", tmp_path / "softmax.py")
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    x = np.random.default_rng(1).standard_normal((7, 1000), np.float32)
    wide = np.exp(x.astype(np.float64))
    expected = wide / wide.sum(1, keepdims=True)
    np.testing.assert_allclose(module.softmax(x), expected, rtol=gamma(1020))
    assert isinstance(module.softmax(cupy.asarray(x)), cupy.ndarray)
