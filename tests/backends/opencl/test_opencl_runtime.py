"""The OpenCL runtime on whatever device is here: values, guard zones, limits, errors, timing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from gpuport.backends.base import KernelText, Launch, TextParam
from gpuport.backends.errors import ArgumentError, CompileError, NoDevice
from gpuport.backends.opencl.runtime import OpenCLBackend, OpenCLExecutable, first_error
from gpuport.hwmodels import load_machine
from gpuport.hwmodels.probe.pocl import VARIABLE

if TYPE_CHECKING:
    from collections.abc import Callable

X = np.arange(64, dtype=np.float32)
NAN = np.full(64, np.nan, np.float32)
GROUP = Launch((1, 1, 1), (64, 1, 1))
XYN = (TextParam("x", "buffer", "f32", "in"), TextParam("y", "buffer", "f32", "out"), TextParam("n", "scalar", "i32"))
SIGNATURE = "global float *x, global float *y, int n"


@pytest.fixture
def build(monkeypatch: pytest.MonkeyPatch) -> Callable[..., OpenCLExecutable]:
    backend, machine = OpenCLBackend(), load_machine("cpu")
    if backend.device_for(machine) is None:
        pytest.skip(f"no OpenCL CPU device: {backend.availability().detail}")
    monkeypatch.setenv(VARIABLE, "auto")

    def compile_it(
        body: str, params: tuple[TextParam, ...] = XYN, signature: str = SIGNATURE, attribute: str = ""
    ) -> OpenCLExecutable:
        source = f"{attribute} kernel void k({signature}) {{ int i = get_global_id(0);\n{body} }}"
        return backend.compile(KernelText("opencl", "k", source, params, options=("-cl-std=CL1.2",)), machine)

    return compile_it


def test_a_run_gives_every_buffer_and_writes_no_argument(build: Any):
    args = {"x": X.copy(), "y": NAN.copy(), "n": 3}
    result = build("y[i] = x[i] * n; x[i] = -1;").run(GROUP, args)
    assert np.array_equal(result.buffers["y"], X * 3)
    assert np.array_equal(result.buffers["x"], np.full(64, -1, np.float32))
    assert np.array_equal(args["x"], X)
    assert np.isnan(args["y"]).all()
    assert result.damaged_guards == result.findings == result.seconds == []
    assert result.guards_checked
    assert result.device


@pytest.mark.parametrize(
    ("body", "damage"),
    [
        ("if (i < n) y[i] = 1;", []),
        ("if (i <= n) y[i] = 1;", ["y: after, first damaged byte 256 (element 64), 4 bytes"]),
        ("if (i < n) y[i - 1] = 1;", ["y: before, first damaged byte -4 (element -1), 4 bytes"]),
        ("if (i < n) x[i + 1] = 1;", ["x: after, first damaged byte 256 (element 64), 4 bytes"]),
    ],
)
def test_a_write_past_a_buffer_is_found_and_placed(build: Any, body: str, damage: list[str]):
    launch = Launch((2, 1, 1), (64, 1, 1))
    result = build(body).run(launch, {"x": X, "y": NAN, "n": 64}, guard_bytes=256)
    assert result.damaged_guards == damage


def test_a_copy_from_one_guard_to_another_is_found(build: Any):
    result = build("if (i <= n) y[i] = x[i];").run(
        Launch((2, 1, 1), (64, 1, 1)), {"x": X, "y": NAN, "n": 64}, guard_bytes=256
    )
    assert len(result.damaged_guards) == 1


def test_a_read_past_a_buffer_gives_a_nan(build: Any):
    result = build("y[i] = x[i + 64 - n];").run(GROUP, {"x": X, "y": NAN, "n": 60}, guard_bytes=256)
    assert np.isnan(result.buffers["y"]).sum() == 4


def test_buffers_without_elements(build: Any):
    kernel, empty = build("if (i < n) y[i] = x[i];"), np.zeros(0, np.float32)
    result = kernel.run(GROUP, {"x": empty, "y": empty, "n": 0}, guard_bytes=64)
    assert result.buffers["y"].shape == (0,)
    assert result.damaged_guards == []
    assert len(kernel.run(GROUP, {"x": empty, "y": empty.copy(), "n": 1}, guard_bytes=64).damaged_guards) == 1


def test_scalars_of_every_type_and_a_null_pointer(build: Any):
    values = {
        "a": ("i8", "char", -5), "b": ("u8", "uchar", 200), "c": ("i16", "short", -300), "d": ("u16", "ushort", 60000),
        "e": ("i32", "int", -70000), "f": ("u32", "uint", 4 * 10**9), "g": ("i64", "long", -(2**40)),
        "h": ("u64", "ulong", 2**63), "p": ("f32", "float", 0.1), "q": ("f64", "double", 0.1), "r": ("bool", "uchar", True),
    }  # fmt: skip
    params = (TextParam("y", "buffer", "f64", "out"), TextParam("z", "buffer", "i32", "in"))
    params += tuple(TextParam(n, "scalar", dtype) for n, (dtype, _, _) in values.items())
    signature = "global double *y, global int *z, " + ", ".join(f"{c} {n}" for n, (_, c, _) in values.items())
    body = " ".join(f"y[{i}] = {n};" for i, n in enumerate(values)) + f" y[{len(values)}] = z == 0;"
    args = {n: v for n, (_, _, v) in values.items()} | {"y": np.zeros(len(values) + 1), "z": None}
    got = build(body, params, signature).run(Launch((1, 1, 1), (1, 1, 1)), args).buffers
    assert got.keys() == {"y"}
    expected = [float(np.float32(v)) if n == "p" else float(v) for n, (_, _, v) in values.items()]
    assert got["y"].tolist() == [*expected, 1.0]


def test_three_dimensions_and_local_memory_of_the_launch(build: Any):
    params = (*XYN, TextParam("t", "local", "f32"))
    body = """
        int l = get_local_id(0) + get_local_size(0) * (get_local_id(1) + get_local_size(1) * get_local_id(2));
        int g = get_group_id(0) + get_num_groups(0) * (get_group_id(1) + get_num_groups(1) * get_group_id(2));
        t[l] = g * 8 + l; barrier(CLK_LOCAL_MEM_FENCE); y[g * 8 + l] = t[7 - l];
    """
    kernel = build(body, params, f"{SIGNATURE}, local float *t")
    result = kernel.run(Launch((2, 2, 2), (2, 2, 2), 32), {"x": X, "y": NAN, "n": 0})
    assert np.array_equal(result.buffers["y"], X.reshape(8, 8)[:, ::-1].reshape(-1))


def test_an_empty_grid_runs_nothing(build: Any):
    result = build("y[i] = 1;").run(
        Launch((0, 1, 1), (64, 1, 1)), {"x": X, "y": NAN, "n": 0}, guard_bytes=64, repeats=2
    )
    assert np.isnan(result.buffers["y"]).all()
    assert result.seconds == []


@pytest.mark.parametrize(
    ("launch", "words"),
    [
        (Launch((1, 1, 1), (1 << 20, 1, 1)), "1048576 threads per group"),
        (Launch((1, 1, 1), (64, 1, 1), 1 << 40), "bytes of shared memory per group"),
        (Launch((1, 1, 1), (32, 2, 1)), "the kernel requires (64, 1, 1)"),
    ],
)
def test_a_launch_beyond_the_device_is_a_finding_and_runs_nothing(build: Any, launch: Launch, words: str):
    params, signature = (*XYN, TextParam("t", "local", "f32")), f"{SIGNATURE}, local float *t"
    attribute = "__attribute__((reqd_work_group_size(64, 1, 1)))"
    kernel = build("y[i] = 1;", params, signature, attribute)
    result = kernel.run(launch, {"x": X, "y": NAN, "n": 0})
    assert {f.kind for f in result.findings} == {"limit"}
    assert any(words in f.message for f in result.findings)
    assert np.isnan(result.buffers["y"]).all()


def test_timed_runs_start_from_the_same_outputs_and_say_how_they_were_timed(build: Any):
    # the run after the first would not end if y had not been restored
    params = (TextParam("y", "buffer", "i32", "inout"),)
    kernel = build("while (y[0] != 0) ; y[0] = 1;", params, "global volatile int *y")
    result = kernel.run(Launch((1, 1, 1), (1, 1, 1)), {"y": np.zeros(1, np.int32)}, repeats=3)
    assert len(result.seconds) == 3
    assert all(0 < s < 1 for s in result.seconds)
    assert "profiling events" in result.timing


def test_compile_errors_have_line_and_log(build: Any):
    with pytest.raises(CompileError, match=r"k: k\.cl:2:8: use of undeclared identifier 'zz'") as caught:
        build("y[i] = zz;")
    assert "zz" in caught.value.log
    assert caught.value.exit_code == 1


def test_an_entry_that_is_not_there_and_a_parameter_too_many(build: Any):
    with pytest.raises(CompileError, match="expected 2 parameters, the text has 3"):
        build("", XYN[:2])
    with pytest.raises(CompileError, match="other: no such kernel in the text; it has k"):
        OpenCLBackend().compile(KernelText("opencl", "other", "kernel void k(int n) {}", ()), load_machine("cpu"))


def test_arguments_are_checked(build: Any):
    with pytest.raises(ArgumentError, match="argument x: expected an array of f32, got one of float64"):
        build("").run(GROUP, {"x": X.astype("f8"), "y": NAN, "n": 0})


def test_a_machine_that_is_not_here_is_named_with_those_that_are(build: Any):
    del build
    machine = load_machine("mi300x")
    assert OpenCLBackend().device_for(machine) is None
    with pytest.raises(NoDevice, match=r"no OpenCL device here is AMD Instinct MI300X; found: \w"):
        OpenCLBackend().compile(KernelText("opencl", "k", "", ()), machine)


@pytest.mark.parametrize(
    ("log", "expected"),
    [
        # PoCL 3.0 and NVIDIA 580, as they print; AMD's comgr calls the file CompileSource
        ("error: /root/.cache/pocl/kcache/tempfile_8MyYAa.cl:1:51: use of 'b'\nDevice x failed", "k.cl:1:51: use of 'b'"),
        ("<kernel>:3:7: error: use of 'zz'\n y[i]=zz;", "k.cl:3:7: use of 'zz'"),
        ("/tmp/comgr-1/input/CompileSource:2:9: fatal error: too bad", "k.cl:2:9: too bad"),
        ("<kernel>:1:1: warning: odd\nptxas fatal   : Unresolved extern function 'f'", "ptxas fatal   : Unresolved extern function 'f'"),
        ("no device code", "no device code"),
        ("", ""),
    ],
)  # fmt: skip
def test_the_first_error_of_a_log(log: str, expected: str):
    assert first_error(log, "k") == expected
