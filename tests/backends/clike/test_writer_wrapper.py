"""The host wrappers, imported from files as a user would: on OpenCL, and on MLX with an emulated device below it."""

from __future__ import annotations

import importlib.util
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from gpuport.backends.base import Launch
from gpuport.backends.clike.plan import WritePlan
from gpuport.backends.clike.wrapper import WrapperArg, WrapperSize, file_text, host_wrapper
from gpuport.backends.cuda.reader import read_cuda
from gpuport.hwmodels import load_machine
from gpuport.ir.diagnostics import Refusal
from gpuport.ir.rewrites.spaces import resolve_spaces

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

    from gpuport.backends.base import KernelText

SOURCE = """
// y = a * x[rows, cols] + bias[cols], and how often x was positive
__global__ void scale(const float* in, const float* bias, float* y, unsigned* count, int rows, int cols, float a) {
    extern __shared__ unsigned part[];
    if (threadIdx.x == 0) part[0] = 0;
    __syncthreads();
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < rows * cols) {
        y[i] = a * in[i] + bias[i % cols];
        if (in[i] > 0.0f) atomicAdd(&part[0], 1u);
    }
    __syncthreads();
    if (threadIdx.x == 0) atomicAdd(count, part[0]);
}
"""
ROLES = {"in": "in", "bias": "in", "y": "out", "count": "inout"}
ARGS = [
    WrapperArg("in", "buffer", "f32", ("rows", "cols"), "in"),
    WrapperArg("bias", "buffer", "f32", ("cols",), "in"),
    WrapperArg("y", "buffer", "f32", ("rows", "cols"), "out"),
    WrapperArg("count", "buffer", "u32", ("1",), "inout", init=0),
    WrapperArg("rows", "scalar", "i32", value="rows"),
    WrapperArg("cols", "scalar", "i32", value="cols"),
    WrapperArg("a", "scalar", "f32", value="2.0"),
]
SIZES = [WrapperSize("rows", (("in", 0),)), WrapperSize("cols", (("in", 1), ("bias", 0)))]


def module(folder: Path, device: str, in_place: frozenset[str] = frozenset()) -> tuple[ModuleType, KernelText]:
    """The wrapper for a device, saved beside its kernel and imported."""
    (folder / "scale.cu").write_text(SOURCE)
    program = resolve_spaces(read_cuda(folder / "scale.cu", "scale")[0])
    if device == "m4":
        from gpuport.backends.metal.writer import write
    else:
        from gpuport.backends.opencl.writer import write
    machine = load_machine(device)
    text = write(program, machine, WritePlan("scale", ROLES, (64, 1, 1), "scale.cu", in_place=in_place))
    file = "scale.metal" if device == "m4" else "scale.cl"
    (folder / file).write_text(file_text(text))
    wrapper = host_wrapper(
        text,
        machine,
        name="scale",
        kernel_file=file,
        args=[replace(a, init=None) if a.name in in_place else a for a in ARGS],
        sizes=SIZES,
        grid=("-(-rows * cols // 64)", "1", "1"),
        block=("64", "1", "1"),
        shared="4",
    )
    path = folder / f"scale_{device}.py"
    path.write_text(wrapper)
    spec = importlib.util.spec_from_file_location(f"scale_{device}", path)
    assert spec is not None
    assert spec.loader is not None
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded, text


@pytest.fixture(scope="module")
def opencl(tmp_path_factory: pytest.TempPathFactory) -> ModuleType:
    cl = pytest.importorskip("pyopencl", reason="needs PyOpenCL")
    from gpuport.hwmodels.probe.pocl import VARIABLE, name_cpu

    devices = [d for p in cl.get_platforms() for d in p.get_devices()]
    if not devices:
        pytest.skip("no OpenCL device")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(VARIABLE, "auto")
        name_cpu(devices[0])
    return module(tmp_path_factory.mktemp("opencl"), "cpu")[0]


def data(rows: int = 5, cols: int = 31) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(3)
    return rng.integers(-9, 10, (rows, cols)).astype("f4"), rng.integers(-9, 10, cols).astype("f4")


@pytest.mark.parametrize("shape", [(5, 31), (1, 1), (64, 64), (0, 7)])
def test_opencl_wrapper_takes_and_returns_numpy(opencl: ModuleType, shape: tuple[int, int]) -> None:
    x, bias = data(*shape)
    before = x.copy()
    y, count = opencl.scale(x, bias)
    np.testing.assert_array_equal(y, 2 * x + bias)
    assert count.tolist() == [np.count_nonzero(x > 0)]
    np.testing.assert_array_equal(x, before)


def test_opencl_wrapper_leaves_device_arrays_on_their_queue(opencl: ModuleType) -> None:
    import pyopencl as cl
    import pyopencl.array as cla

    queue = cl.CommandQueue(opencl._queue().context)
    x, bias = data()
    y, count = opencl.scale(cla.to_device(queue, x), cla.to_device(queue, bias), a=3.0)
    assert isinstance(y, cla.Array)
    assert y.queue == queue
    np.testing.assert_array_equal(y.get(), 3 * x + bias)
    assert count.get()[0] == np.count_nonzero(x > 0)
    with pytest.raises(ValueError, match="all arrays on the host or all on the device"):
        opencl.scale(cla.to_device(queue, x), bias)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda x, b: (x.astype("f8"), b), r"scale: in_: expected dtype float32, got float64"),
        (lambda x, b: (x, b[:-1]), r"scale: cols must be one number, got in_.shape\[1\] = 31, bias.shape\[0\] = 30"),
        (lambda x, b: (x[0], b), r"scale: in_: expected an array with axis 1, got shape \(31,\)"),
        (lambda x, b: (x[None], b[:5]), r"scale: in_: expected shape \(1, 5\), got \(1, 5, 31\)"),
        (lambda x, b: (np.asfortranarray(x), b), r"scale: in_: expected a C-contiguous array"),
    ],
)
def test_wrong_arguments_get_one_clear_error(opencl: ModuleType, change: Any, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        opencl.scale(*change(*data()))


@pytest.mark.parametrize("shape", [(5, 31), (1, 3)])
@pytest.mark.parametrize("in_place", [(), ("count",)], ids=["made", "in place"])
def test_mlx_wrapper_passes_what_the_kernel_takes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shape: tuple[int, int], in_place: tuple[str, ...]
) -> None:
    """`mx.fast.metal_kernel` is replaced by the emulator, which gets just what MLX would get."""
    mx = pytest.importorskip("mlx.core", reason="needs MLX")
    from gpuport.backends.emulator import emulate
    from gpuport.backends.readers import read_text

    wrapper, text = module(tmp_path, "m4", frozenset(in_place))
    assert "in_" in sys.modules.get(wrapper.__name__, wrapper).scale.__code__.co_varnames

    def metal_kernel(*, name: str, input_names: list[str], output_names: list[str], source: str, header: str) -> Any:
        assert (name, source, header) == ("scale", text.source, text.header)
        program = read_text(text)

        def call(
            *,
            inputs: list[Any],
            template: Any,
            grid: Any,
            threadgroup: Any,
            output_shapes: Any,
            output_dtypes: Any,
            init_value: Any = 0,
        ) -> list[Any]:
            given = {n: np.array(a) for n, a in zip(input_names, inputs, strict=True)}
            assert all(a.ndim == 0 or a.size >= 8 for a in given.values())
            args = {n: a.item() if a.ndim == 0 else a.reshape(-1) for n, a in given.items()}
            for n, s, d in zip(output_names, output_shapes, output_dtypes, strict=True):
                args[n] = np.full(int(np.prod(s)), init_value, {mx.float32: "f4", mx.uint32: "u4"}[d])
            roles = dict.fromkeys(input_names, "in") | dict.fromkeys((*output_names, *in_place), "inout")
            groups = tuple(g // t for g, t in zip(grid, threadgroup, strict=True))
            launch = Launch(groups, threadgroup, dict(template)["SHARED_BYTES"])
            result = emulate(program, load_machine("m4"), launch, args, roles=roles)
            assert not result.findings
            for name in in_place:  # written through
                inputs[input_names.index(name)][:] = mx.array(result.buffers[name])
            return [mx.array(result.buffers[n]).reshape(s) for n, s in zip(output_names, output_shapes, strict=True)]

        return call

    monkeypatch.setattr(wrapper.mx.fast, "metal_kernel", metal_kernel)
    x, bias = data(*shape)
    start = mx.array([100], dtype=mx.uint32)
    y, count = wrapper.scale(mx.array(x), mx.array(bias), *([start] if in_place else []))
    np.testing.assert_array_equal(np.array(y), 2 * x + bias)
    assert np.array(count).tolist() == [np.count_nonzero(x > 0) + (100 if in_place else 0)]
    assert start.tolist() == [100]


def test_mlx_itself_takes_the_call_and_says_that_it_has_no_metal(tmp_path: Path) -> None:
    mx = pytest.importorskip("mlx.core", reason="needs MLX")
    if mx.metal.is_available():
        pytest.skip("this machine has Metal")
    wrapper, _ = module(tmp_path, "m4")
    x, bias = data()
    with pytest.raises(RuntimeError, match="No Metal back-end"):
        mx.eval(wrapper.scale(mx.array(x), mx.array(bias)))


def test_what_a_runtime_cannot_be_passed_is_refused(tmp_path: Path) -> None:
    _, text = module(tmp_path, "m4")
    changed = [replace(a, role="in") if a.role in ("out", "inout") else a for a in ARGS]
    with pytest.raises(Refusal, match="GP2009: scale writes no buffer"):
        host_wrapper(
            text,
            load_machine("m4"),
            name="scale",
            kernel_file="scale.metal",
            args=changed,
            sizes=SIZES,
            grid=("1", "1", "1"),
            block=("64", "1", "1"),
        )
