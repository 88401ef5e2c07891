"""The Metal runtime: the call that MLX would get, in NumPy, and what MLX says of it where there is no Metal."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from gpuport.backends.base import KernelText, Launch, TextParam
from gpuport.backends.errors import ArgumentError, DeviceError, NoDevice
from gpuport.backends.metal.runtime import MetalBackend, MetalExecutable, metal_call
from gpuport.hwmodels import load_machine

TEXT = KernelText(
    "metal",
    "scale",
    "    out[thread_position_in_grid.x] = in_[thread_position_in_grid.x] * n;",
    (
        TextParam("in", "buffer", "f32", "in", "in_"),
        TextParam("n", "scalar", "i32"),
        TextParam("out", "buffer", "f32", "out"),
        TextParam("SHARED_BYTES", "template", "i32"),
    ),
)
LAUNCH = Launch((3, 2, 1), (4, 2, 1), 1024)
ARGS: dict[str, Any] = {"in": np.arange(48, dtype=np.float32), "n": 3, "out": np.full(48, np.nan, np.float32)}


def text(*params: TextParam) -> KernelText:
    return KernelText("metal", "k", "", params)


def test_the_call_has_names_sizes_and_threads():
    call = metal_call(TEXT, LAUNCH, ARGS)
    assert [(name, dtype) for name, dtype, _ in call.inputs] == [("in_", "float32"), ("n", "int32")]
    assert np.array_equal(call.inputs[0][2], ARGS["in"])
    assert call.inputs[1][2].shape == ()
    assert call.inputs[1][2] == np.int32(3)
    assert call.outputs == (("out", "float32", 48),)
    assert call.template == (("SHARED_BYTES", 1024),)
    assert (call.grid, call.threadgroup) == ((12, 4, 1), (4, 2, 1))
    assert call.init_value is not None
    assert np.isnan(call.init_value)


@pytest.mark.parametrize(("size", "padded"), [(0, 8), (1, 8), (7, 8), (8, 8), (9, 9)])
def test_small_inputs_are_padded_with_what_shows(size: int, padded: int):
    args = {**ARGS, "in": np.arange(size, dtype=np.float32)}
    array = metal_call(TEXT, LAUNCH, args).inputs[0][2]
    assert array.size == padded
    assert np.array_equal(array[:size], args["in"])
    assert np.isnan(array[size:]).all()


def test_a_null_input_is_an_array_of_padding_and_an_empty_output_has_one_element():
    params = (TextParam("x", "buffer", "bf16", "in"), TextParam("y", "buffer", "u16x2", "out"))
    call = metal_call(text(*params), LAUNCH, {"x": None, "y": np.zeros(0, np.uint16)})
    assert call.inputs[0][1:2] == ("bfloat16",)
    assert call.inputs[0][2].size == 8
    assert call.outputs == (("y", "uint16", 1),)


@pytest.mark.parametrize(
    ("inout", "out", "expected"),
    [
        ([0, 0], [7, 7], 0.0),
        ([5, 5], [1, 2], 5.0),
        (None, [7, 7], 7.0),
        (None, [1, 2], None),
        ([], [3, 3], 3.0),
    ],
)
def test_outputs_are_filled_as_inout_arguments_demand(inout: list[int] | None, out: list[int], expected: float | None):
    params = [TextParam("o", "buffer", "i32", "out")]
    args: dict[str, Any] = {"o": np.array(out, np.int32)}
    if inout is not None:
        params.append(TextParam("io", "buffer", "i32", "inout"))
        args["io"] = np.array(inout, np.int32)
    assert metal_call(text(*params), LAUNCH, args).init_value == expected


def test_inout_arguments_that_mlx_cannot_make_are_refused():
    a, b = TextParam("a", "buffer", "i32", "inout"), TextParam("b", "buffer", "i32", "inout")
    with pytest.raises(ArgumentError, match=r"argument a: .* holds several"):
        metal_call(text(a), LAUNCH, {"a": np.array([1, 2], np.int32)})
    with pytest.raises(ArgumentError, match=r"inout arguments hold 0\.0, 1\.0"):
        metal_call(text(a, b), LAUNCH, {"a": np.zeros(2, np.int32), "b": np.ones(2, np.int32)})
    with pytest.raises(ArgumentError, match="Metal has no f64"):
        metal_call(text(TextParam("x", "buffer", "f64", "in")), LAUNCH, {"x": np.zeros(9)})


def test_what_is_updated_in_place_is_an_input():
    a = TextParam("a", "buffer", "i32", "inout", in_place=True)
    call = metal_call(text(a), LAUNCH, {"a": np.array([1, 2], np.int32)})
    [(name, dtype, array)] = call.inputs
    assert (name, dtype, array[:2].tolist(), array.size) == ("a", "int32", [1, 2], 8)
    assert call.outputs == (("nothing", "uint8", 1),)
    assert call.init_value is None
    b = TextParam("b", "buffer", "i32", "inout")
    args = {"a": np.zeros(9, np.int32), "b": np.ones(2, np.int32)}
    assert metal_call(text(a, b), LAUNCH, args).init_value == 1.0


def test_where_there_is_no_metal_the_reason_is_given():
    backend = MetalBackend()
    found = backend.availability()
    if found.available:
        pytest.skip("there is an Apple GPU")
    assert "Mac" in found.detail
    assert backend.device_for(load_machine("m4")) is None
    with pytest.raises(NoDevice):
        backend.compile(TEXT, load_machine("m4"))


def test_mlx_takes_the_call_as_far_as_it_can_without_metal():
    mx = pytest.importorskip("mlx.core", reason="MLX is not installed")
    if mx.metal.is_available():
        pytest.skip("there is an Apple GPU: the call would run")
    with pytest.raises(DeviceError, match="No Metal back-end"):
        MetalExecutable(TEXT, load_machine("m4"), mx, "none").run(LAUNCH, ARGS)


def test_a_launch_beyond_the_model_is_a_finding_and_runs_nothing():
    mx = pytest.importorskip("mlx.core", reason="MLX is not installed")
    executable = MetalExecutable(TEXT, load_machine("m4"), mx, "none")
    result = executable.run(Launch((1, 1, 1), (2048, 1, 1), 40_000), ARGS)
    assert [f.kind for f in result.findings] == ["limit", "limit"]
    assert not result.guards_checked
    assert np.isnan(result.buffers["out"]).all()
    assert executable.run(Launch((0, 1, 1), (64, 1, 1)), ARGS).findings == []


def test_on_a_mac_the_kernel_runs():
    backend, machine = (
        MetalBackend(),
        next((m for m in map(load_machine, ("m1", "m4", "m5")) if MetalBackend().device_for(m)), None),
    )
    if machine is None:
        pytest.skip(f"no Apple GPU that a model describes: {backend.availability().detail}")
    result = backend.compile(TEXT, machine).run(LAUNCH, ARGS, repeats=2)
    assert np.array_equal(result.buffers["out"], ARGS["in"] * 3)
    assert len(result.seconds) == 2
