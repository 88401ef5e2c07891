"""The CUDA runtime: on an NVIDIA device where there is one; elsewhere its errors and its texts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gpuport.backends.base import KernelText, Launch, TextParam
from gpuport.backends.cuda.runtime import CudaBackend, CudaExecutable, cuda_text
from gpuport.backends.errors import CompileError, NoDevice
from gpuport.hwmodels import Machine, load_machine

X = np.arange(64, dtype=np.float32)
NAN = np.full(64, np.nan, np.float32)
GROUP = Launch((1, 1, 1), (64, 1, 1))
XYN = (TextParam("x", "buffer", "f32", "in"), TextParam("y", "buffer", "f32", "out"), TextParam("n", "scalar", "i32"))


@pytest.fixture(scope="module")
def machine() -> Machine:
    """The architecture of the device here, whichever board it is."""
    backend = CudaBackend()
    found = backend.availability()
    if not found.available:
        pytest.skip(f"no CUDA device: {found.detail}")
    for name in ("sm_70", "sm_75", "sm_80", "sm_86", "sm_87", "sm_89", "sm_90", "sm_100", "sm_120", "sm_121"):
        machine = load_machine(name)
        if backend.device_for(machine) is not None:
            return machine
    pytest.skip(f"no machine model for the architecture of {found.detail}")


def build(machine: Machine, body: str, head: str = "", entry: str = "k") -> CudaExecutable:
    source = f"{head}\n__global__ void k(const float* x, float* y, int n) {{ int i = blockIdx.x * blockDim.x + threadIdx.x;\n{body} }}"
    return CudaBackend().compile(KernelText("cuda", entry, source, XYN), machine)


def test_without_a_device_the_reason_is_given():
    backend = CudaBackend()
    if backend.availability().available:
        pytest.skip("there is a CUDA device")
    assert backend.devices() == ()
    assert backend.device_for(load_machine("h100")) is None
    with pytest.raises(NoDevice, match=r"CuPy|CUDA device"):
        backend.compile(KernelText("cuda", "k", "", ()), load_machine("h100"))


def test_a_users_file_is_a_text(tmp_path: Path):
    path = tmp_path / "k.cu"
    path.write_text("__global__ void k() {}")
    text = cuda_text(path, "k", (), defines={"A": "1"}, include_dirs=[Path("inc")])
    assert text.source == path.read_text()
    assert text.options == ("-DA=1", f"-I{tmp_path}", "-Iinc")


def test_values_and_guards(machine: Machine):
    kernel = build(machine, "if (i <= n) y[i] = x[i] * 2;")
    launch = Launch((2, 1, 1), (64, 1, 1))
    good = kernel.run(launch, {"x": X, "y": NAN, "n": 63}, guard_bytes=256, repeats=2)
    assert np.array_equal(good.buffers["y"], X * 2)
    assert good.damaged_guards == []
    assert len(good.seconds) == 2
    bad = kernel.run(launch, {"x": X, "y": NAN, "n": 64}, guard_bytes=256)
    assert len(bad.damaged_guards) == 1
    assert bad.damaged_guards[0].startswith("y: after, first damaged byte 256 (element 64)")
    empty = kernel.run(GROUP, {"x": X[:0], "y": NAN[:0], "n": -1}, guard_bytes=64)
    assert empty.damaged_guards == []


def test_headers_that_nvrtc_lacks(machine: Machine):
    head = "\n".join(f"#include <{h}>" for h in ("cmath", "cfloat", "climits", "cstdint", "cstdio", "cuda_runtime.h"))
    kernel = build(machine, "y[i] = i == 0 ? INFINITY : (uint32_t)i == 1u ? FLT_MAX : (float)INT_MIN;", head)
    got = kernel.run(GROUP, {"x": X, "y": NAN, "n": 0}).buffers["y"]
    assert got[:3].tolist() == [np.inf, np.finfo(np.float32).max, -(2.0**31)]


def test_subnormal_numbers_are_kept(machine: Machine):
    tiny = np.full(64, 2e-38, np.float32)
    got = build(machine, "y[i] = x[i] * 0.25f;").run(GROUP, {"x": tiny, "y": NAN, "n": 0}).buffers["y"]
    assert (got[:32] == np.float32(0.25) * tiny[0]).all()


def test_headers_of_cuda_itself(machine: Machine):
    head = "\n".join(f"#include <{h}>" for h in ("cuda_fp16.h", "cuda_bf16.h", "mma.h", "cooperative_groups.h"))
    body = "y[i] = __half2float(__hadd(__float2half(x[i]), __float2half(1.0f)));"
    got = build(machine, body, head).run(GROUP, {"x": X, "y": NAN, "n": 0}).buffers["y"]
    assert np.array_equal(got[:32], X[:32] + 1)


@pytest.mark.parametrize(
    ("source", "entry"),
    [
        ('extern "C" __global__ void k(const float* x, float* y, int n) { y[threadIdx.x] = x[threadIdx.x] * n; }', "k"),
        (
            "namespace a { template <class T, int N> __global__ void k(const T* x, T* y, int n) "
            "{ y[threadIdx.x] = x[threadIdx.x] * n + N; } }",
            "a::k<float, 0>",
        ),
    ],
)
def test_entries_as_in_cpp(machine: Machine, source: str, entry: str):
    kernel = CudaBackend().compile(KernelText("cuda", entry, source, XYN), machine)
    assert np.array_equal(kernel.run(GROUP, {"x": X, "y": NAN, "n": 3}).buffers["y"], X * 3)


def test_dynamic_shared_memory_beyond_48_kib(machine: Machine):
    body = "extern __shared__ float s[]; s[i + 12000] = x[i]; __syncthreads(); y[i] = s[12000 + (i ^ 1)];"
    kernel = build(machine, body)
    args: dict[str, Any] = {"x": X, "y": NAN, "n": 0}
    result = kernel.run(Launch((1, 1, 1), (64, 1, 1), 50_000), args)
    assert result.buffers["y"][:4].tolist() == [1, 0, 3, 2]
    beyond = kernel.run(Launch((1, 1, 1), (64, 1, 1), 1 << 20), args)
    assert [f.kind for f in beyond.findings] == ["limit"]
    assert np.isnan(beyond.buffers["y"]).all()


def test_compile_errors_have_the_line_of_the_file(machine: Machine):
    with pytest.raises(CompileError, match=r'k: k\.cu:3: identifier "zz" is undefined'):
        build(machine, "y[i] = zz;")
    with pytest.raises(CompileError, match="other: no such kernel in the text"):
        build(machine, "", entry="other")
