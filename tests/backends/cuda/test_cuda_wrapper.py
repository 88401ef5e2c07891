"""The host wrappers for CuPy, imported from files as a user would, over a stand-in for CuPy that emulates the device."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
from gpuport.backends.base import KernelText, Launch
from gpuport.backends.clike.plan import WritePlan
from gpuport.backends.clike.wrapper import WrapperArg, WrapperSize, host_wrapper
from gpuport.backends.cuda.writer import write as write_cuda
from gpuport.backends.emulator import emulate
from gpuport.backends.hip.writer import write as write_hip
from gpuport.backends.readers import read_source, read_text
from gpuport.hwmodels import load_machine

SOURCE = """
__global__ void scale(const float* x, const float* bias, float* y, unsigned* count, int rows, int cols, float a) {
    extern __shared__ unsigned part[];
    if (threadIdx.x == 0) part[0] = 0;
    __syncthreads();
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < rows * cols) {
        y[i] = a * x[i] + bias[i % cols];
        if (x[i] > 0.0f) atomicAdd(&part[0], 1u);
    }
    __syncthreads();
    if (threadIdx.x == 0) atomicAdd(count, part[0]);
}
"""
ROLES = {"x": "in", "bias": "in", "y": "out", "count": "inout"}
ARGS = [
    WrapperArg("x", "buffer", "f32", ("rows", "cols"), "in"),
    WrapperArg("bias", "buffer", "f32", ("cols",), "in"),
    WrapperArg("y", "buffer", "f32", ("rows", "cols"), "out"),
    WrapperArg("count", "buffer", "u32", ("1",), "inout", init=0),
    WrapperArg("rows", "scalar", "i32", value="rows"),
    WrapperArg("cols", "scalar", "i32", value="cols"),
    WrapperArg("a", "scalar", "f32", value="2.0"),
]
SIZES = [WrapperSize("rows", (("x", 0),)), WrapperSize("cols", (("x", 1), ("bias", 0)))]


class DeviceArray(np.ndarray):
    """An array that only cupy functions make."""

    def get(self) -> np.ndarray:
        return self.view(np.ndarray)


def emulated_cupy(text: KernelText, device: str) -> ModuleType:
    """As much of CuPy as the wrappers call; a launch runs the text that the compiler was given."""
    cupy = ModuleType("cupy")

    def on_device(a: Any) -> DeviceArray:
        return np.array(a).view(DeviceArray)

    class Function(SimpleNamespace):
        shared_size_bytes = 0

        def __call__(self, grid: Any, block: Any, args: Any, shared_mem: int = 0) -> None:
            program = read_text(KernelText(text.language, self.name, self.code, text.params))
            given = {p.name: a if np.ndim(a) else a.item() for p, a in zip(program.kernel.params, args, strict=True)}
            done = emulate(program, load_machine(device), Launch(grid, block, shared_mem), given, roles=ROLES)  # pyright: ignore[reportArgumentType]
            assert not done.findings
            for name, values in done.buffers.items():
                given[name][...] = values.reshape(given[name].shape)

    def compile_using_nvrtc(code: str, options: tuple[str, ...]) -> tuple[bytes, None]:
        assert any("std=c++17" in o for o in options)
        return code.encode(), None

    class RawModule:
        # no `code`: CuPy compiles that with -ftz=true
        def __init__(self, path: str) -> None:
            self.path = Path(path)

        def get_function(self, name: str) -> Function:
            return Function(name=name, code=self.path.read_text(), kernel=None)

    vars(cupy).update(
        ndarray=DeviceArray, asarray=on_device, array=on_device, RawModule=RawModule,
        empty=lambda shape, dtype: on_device(np.empty(shape, dtype)),
        cuda=SimpleNamespace(
            Device=lambda: SimpleNamespace(id=0),
            compiler=SimpleNamespace(compile_using_nvrtc=compile_using_nvrtc),
            get_cuda_path=lambda: "/cuda",
        ),
        full=lambda shape, value, dtype: on_device(np.full(shape, value, dtype)),
    )  # fmt: skip
    return cupy


@pytest.fixture(params=["h100", "mi300x"])
def scale(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    device = request.param
    (tmp_path / "scale.cu").write_text(SOURCE)
    write = write_cuda if device == "h100" else write_hip
    machine = load_machine(device)
    plan = WritePlan("scale", ROLES, (64, 1, 1))  # pyright: ignore[reportArgumentType]
    text = write(read_source(tmp_path / "scale.cu", "scale")[0], machine, plan)
    file = f"scale.{'cu' if device == 'h100' else 'hip'}"
    (tmp_path / file).write_text(text.source)
    module = host_wrapper(
        text, machine, name="scale", kernel_file=file, args=ARGS, sizes=SIZES, grid=("-(-(rows * cols) // 64)", "1", "1"),
        block=("64", "1", "1"), shared="4",
    )  # fmt: skip
    (tmp_path / "scale.py").write_text(module)
    monkeypatch.setitem(sys.modules, "cupy", emulated_cupy(text, device))
    found = importlib.util.spec_from_file_location(f"scale_{device}", tmp_path / "scale.py")
    assert found is not None
    assert found.loader is not None
    loaded = importlib.util.module_from_spec(found)
    found.loader.exec_module(loaded)
    return loaded


def inputs() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(4)
    return rng.standard_normal((7, 33)).astype("f4"), rng.standard_normal(33).astype("f4")


def test_host_arrays_come_back_as_host_arrays(scale: Any) -> None:
    x, bias = inputs()
    y, count = scale.scale(x, bias, a=3.0)
    assert type(y) is np.ndarray
    np.testing.assert_array_equal(y, np.float32(3) * x + bias)
    assert count[0] == (x > 0).sum()


def test_device_arrays_stay_there(scale: Any) -> None:
    x, bias = (scale.cp.asarray(a) for a in inputs())
    y, _ = scale.scale(x, bias)
    assert isinstance(y, DeviceArray)


def test_wrong_arguments_are_named(scale: Any) -> None:
    x, bias = inputs()
    with pytest.raises(ValueError, match="bias: expected dtype float32"):
        scale.scale(x, bias.astype("f8"))
    with pytest.raises(ValueError, match="cols must be one number"):
        scale.scale(x, bias[:5])
    with pytest.raises(ValueError, match="on the host or all on the device"):
        scale.scale(scale.cp.asarray(x), bias)
