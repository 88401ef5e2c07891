"""Constant data outside functions: tables with initialisers, and memory that the host fills."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from gpuport.backends.base import KernelText, Launch
from gpuport.backends.clike.plan import WritePlan
from gpuport.backends.emulator import emulate
from gpuport.backends.readers import read_source, read_text
from gpuport.hwmodels import load_machine
from gpuport.ir.diagnostics import Refusal
from gpuport.ir.rewrites.spaces import resolve_spaces
from gpuport.ir.validate import validate

if TYPE_CHECKING:
    from pathlib import Path

SOURCE = """
__constant__ float weights[5] = {0.5f, 1.5f, -2.0f, 4.0f};
static const int primes[] = {2, 3, 5, 7, 11, 13, 17, 19};
constexpr unsigned char rows[2][3] = {{1, 2}, {4, 5, 6}};
__device__ const float2 pairs[2] = {{1.0f, 2.0f}, {3.0f, 4.0f}};
__device__ float pick(const float* table, int i) { return table[i]; }
__device__ float weight(int i) { return weights[i] + (float)primes[i & 7]; }
__global__ void k(const float* x, float* y) {
    static const int local[3] = {100, 200, 300};
    const int i = threadIdx.x;
    y[i] = pick(weights, i % 5) + weight(i % 5) + (float)rows[i % 2][i % 3] + pairs[i % 2].y + pick(x, i) + (float)local[i % 3];
}
"""
T = np.arange(16)
W = np.array([0.5, 1.5, -2, 4, 0], np.float32)
PRIMES = np.array([2, 3, 5, 7, 11, 13, 17, 19])
ROWS = np.array([[1, 2, 0], [4, 5, 6]])
X = np.arange(16, dtype=np.float32)
WANT = (
    2 * W[T % 5] + PRIMES[T % 5] + ROWS[T % 2, T % 3] + np.array([2, 4])[T % 2] + X + np.array([100, 200, 300])[T % 3]
)
ROLES: Any = {"x": "in", "y": "out"}


def read(tmp_path: Path, source: str) -> Any:
    path = tmp_path / "k.cu"
    path.write_text(source)
    program, _ = read_source(path, "k")
    validate(program)
    return program


def run(program: Any, device: str, args: dict[str, Any], roles: Any) -> np.ndarray:
    names = dict(zip((p.name for p in program.kernel.params), args, strict=True))
    given = {name: args[mine] for name, mine in names.items()}
    their = {name: roles[mine] for name, mine in names.items() if mine in roles}
    done = emulate(program, load_machine(device), Launch((1, 1, 1), (16, 1, 1), 0), given, roles=their)
    assert not done.findings
    return done.buffers[next(name for name, mine in names.items() if mine == "y")]


def write(program: Any, device: str, roles: Any) -> KernelText:
    if device == "m4":
        from gpuport.backends.metal.writer import write as to_text
    elif device == "h100":
        from gpuport.backends.cuda.writer import write as to_text
    else:
        from gpuport.backends.opencl.writer import write as to_text
    return to_text(resolve_spaces(program), load_machine(device), WritePlan("k", roles, (16, 1, 1), "k.cu"))


def test_tables(tmp_path: Path) -> None:
    program = read(tmp_path, SOURCE)
    args = {"x": X, "y": np.zeros(16, np.float32)}
    np.testing.assert_array_equal(run(program, "h100", args, ROLES), WANT)
    for device, spelled in (
        ("h100", "__constant__ float weights[5] = {0.5f"),
        ("m4", "constant float weights[5]"),
        ("cpu", "__constant float weights[5]"),
    ):
        text = write(program, device, ROLES)
        assert spelled in text.header + text.source
        back = read_text(text)
        validate(back)
        np.testing.assert_array_equal(run(back, device, args, ROLES), WANT, err_msg=device)


def test_tables_on_opencl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cl = pytest.importorskip("pyopencl", reason="needs PyOpenCL")
    devices = [d for p in cl.get_platforms() for d in p.get_devices()]
    if not devices:
        pytest.skip("no OpenCL device")
    from gpuport.hwmodels.probe.pocl import VARIABLE, name_cpu

    monkeypatch.setenv(VARIABLE, "auto")
    name_cpu(devices[0])
    text = write(read(tmp_path, SOURCE), "cpu", ROLES)
    context = cl.Context(devices[:1])
    queue = cl.CommandQueue(context)
    y = np.zeros(16, np.float32)
    mf = cl.mem_flags
    bx, by = cl.Buffer(context, mf.COPY_HOST_PTR, hostbuf=X), cl.Buffer(context, mf.COPY_HOST_PTR, hostbuf=y)
    cl.Program(context, text.source).build(options=list(text.options)).k(queue, (16,), (16,), bx, by)
    cl.enqueue_copy(queue, y, by)
    np.testing.assert_array_equal(y, WANT)


def test_what_the_host_fills_is_an_argument(tmp_path: Path) -> None:
    source = """
__constant__ float filter[3];
__constant__ int shift;
__device__ float tap(const float* x, int i, int j) { return filter[j] * x[(i + j + shift) % 16]; }
__device__ float taps(const float* x, int i) { return tap(x, i, 0) + tap(x, i, 1) + tap(x, i, 2); }
__global__ void k(const float* x, float* y) { y[threadIdx.x] = taps(x, threadIdx.x); }
"""
    program = read(tmp_path, source)
    assert [p.name for p in program.kernel.params] == ["x", "y", "filter", "shift"]
    taps = np.array([1, 10, 100], np.float32)
    args = {"x": X, "y": np.zeros(16, np.float32), "filter": taps, "shift": 3}
    roles: Any = {**ROLES, "filter": "in"}
    want = sum(taps[j] * X[(T + j + 3) % 16] for j in range(3))
    np.testing.assert_array_equal(run(program, "h100", args, roles), want)
    for device in ("h100", "m4", "cpu"):
        np.testing.assert_array_equal(run(read_text(write(program, device, roles)), device, args, roles), want)


def test_a_constant_behind_a_parameter_of_its_name_is_refused(tmp_path: Path) -> None:
    source = """__constant__ float w[4];
__device__ float first() { return w[0]; }
__global__ void k(const float* w, float* y) { y[0] = first() + w[0]; }"""
    with pytest.raises(Refusal, match="GP1107"):
        read(tmp_path, source)


def test_shared_memory_of_the_launch_in_a_device_function(tmp_path: Path) -> None:
    source = """
extern __shared__ float buffer[];
__device__ void put(int i, float v) { buffer[i] = v; }
__global__ void k(const float* x, float* y) { put(threadIdx.x, x[threadIdx.x]); __syncthreads(); y[threadIdx.x] = buffer[15 - threadIdx.x]; }
"""
    program = read(tmp_path, source)
    args = {"x": X, "y": np.zeros(16, np.float32)}
    done = emulate(program, load_machine("h100"), Launch((1, 1, 1), (16, 1, 1), 64), args, roles=ROLES)
    assert not done.findings
    np.testing.assert_array_equal(done.buffers["y"], X[::-1])


@pytest.mark.parametrize(
    "declaration",
    [
        "__device__ float* table;",
        "__device__ volatile float table[4];",
        "__device__ int table[2][2];",
        "__constant__ float* table;",
    ],
)
def test_other_globals_are_refused(tmp_path: Path, declaration: str) -> None:
    with pytest.raises(Refusal, match="GP1107"):
        read(tmp_path, f"{declaration}\n__global__ void k(float* y) {{ y[0] = *(float*)&table[0]; }}")


def test_a_part_of_a_macro_does_not_bear_its_name(tmp_path):
    program = read(
        tmp_path,
        "#define S sqrtf(2.0f / 8.0f)\n#define W (4 * 2)  // one\n__global__ void k(float* y) { y[0] = S + W; }",
    )
    assert [(c.name, c.value) for c in program.constants] == [("W", 8)]


def test_a_macro_of_the_compilers_own_is_its_value(tmp_path):
    assert read(tmp_path, "__global__ void k(float* y) { y[0] = __FLT_MAX__; }").constants == ()
