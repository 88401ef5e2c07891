"""Emitted CUDA and HIP: read back and emulated against NumPy, and taken by NVRTC and by clang for amdgcn."""

from __future__ import annotations

import dataclasses
import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from gpuport.backends.base import KernelText, Launch
from gpuport.backends.clike.plan import WritePlan
from gpuport.backends.compilers import assemble
from gpuport.backends.compilers.nvrtc import MISSING, available
from gpuport.backends.cuda.writer import write as write_cuda
from gpuport.backends.emulator import emulate
from gpuport.backends.hip.writer import write as write_hip
from gpuport.backends.readers import read_source, read_text
from gpuport.hwmodels import load_machine
from gpuport.ir.diagnostics import Refusal
from gpuport.ir.validate import validate

if TYPE_CHECKING:
    from types import ModuleType

    from gpuport.ir.nodes import Program

DEVICES = ("h100", "mi300x", "rx7900xtx")
ROLES = {"x": "in", "y": "out"}
NUMPY = {"int": "i4", "unsigned": "u4", "long long": "i8", "unsigned long long": "u8", "signed char": "i1", "float": "f4",
         "double": "f8"}  # fmt: skip


def sister(name: str) -> ModuleType:
    found = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


BODIES = sister("test_cuda_reader").BODIES


def body(name: str) -> str:
    t, u, code, _, _ = BODIES[name]
    inner = code if "sync" in code else f"if (i < n) {{ {code} }}"
    return f"__global__ void k({t} x, {u} y, int n) {{ int i = threadIdx.x; {inner} }}"


def read(tmp_path: Path, source: str, suffix: str = ".cu") -> Program:
    path = tmp_path / f"k{suffix}"
    path.write_text(source)
    return read_source(path, "k")[0]


def port(
    tmp_path: Path, source: str, device: str, roles: dict[str, str], *, block: int = 32, suffix: str = ".cu",
    entry: str = "k",
) -> KernelText:  # fmt: skip
    write = write_cuda if device == "h100" else write_hip
    plan = WritePlan(entry, roles, (block, 1, 1), "k.cu")  # pyright: ignore[reportArgumentType]
    return write(read(tmp_path, source, suffix), load_machine(device), plan)


def run(
    text: KernelText, device: str, args: dict[str, Any], roles: dict[str, str], *, block: int = 32, shared: int = 0
) -> dict[str, np.ndarray]:
    program = read_text(text)
    validate(program)
    names = dict(zip(args, (p.name for p in program.kernel.params), strict=True))
    given = {names[n]: v for n, v in args.items()}
    launch = Launch((1, 1, 1), (block, 1, 1), shared)
    done = emulate(program, load_machine(device), launch, given, roles={names[n]: r for n, r in roles.items()})
    assert not done.findings, done.findings
    return {n: done.buffers[names[n]] for n in roles}


def assert_assembles(texts: list[KernelText], device: str) -> None:
    """One compilation of many texts, each in a namespace of its own."""
    if device == "h100" and not available():
        pytest.skip(MISSING)
    source = "\n".join(f"namespace n{i} {{\n{t.source}\n}}" for i, t in enumerate(texts))
    assembly = assemble(dataclasses.replace(texts[-1], source=source), load_machine(device))
    assert assembly.resources is not None, assembly.error or assembly.reason


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("name", BODIES)
def test_constructs_survive(tmp_path: Path, device: str, name: str) -> None:
    _, u, _, x, expected = BODIES[name]
    dtype = NUMPY[u.rstrip("*")]
    text = port(tmp_path, body(name), device, ROLES)
    got = run(text, device, {"x": x, "y": np.zeros(32, dtype), "n": 32}, ROLES)["y"]
    np.testing.assert_array_equal(got, np.asarray(expected).astype(dtype))


@pytest.mark.parametrize("device", ["h100", "mi300x"])
def test_constructs_assemble(tmp_path: Path, device: str) -> None:
    texts = [port(tmp_path, body(n), device, ROLES, entry=f"k{i}") for i, n in enumerate(BODIES)]
    assert_assembles(texts, device)


ATOMICS = """__global__ void k(const float* x, float* f, double* d, int* a, unsigned* u, long long* l, unsigned long long* w) {
    __shared__ float most;
    __shared__ double least;
    __shared__ long long sum;
    int i = threadIdx.x;
    if (i == 0) { most = -1e30f; least = 1e30; sum = 5; }
    __syncthreads();
    atomicAdd(&f[0], x[i]);
    atomicSub(&a[0], i);
    atomicMin(&a[1], i - 20);
    atomicOr(&u[0], 1u << (i & 31));
    atomicMax(&l[0], (long long)i - 7);
    atomicAdd(&w[0], 1ull << 40);
    atomicAdd(&d[0], (double)x[i]);
    atomicExch(&u[1], 9u);
    atomicCAS(&w[1], 3ull, 4ull);
    __syncthreads();
    if (i == 0) { f[1] = most; d[1] = least + (double)sum; }
}"""
ATOMIC_ROLES = {"x": "in", "f": "inout", "d": "inout", "a": "inout", "u": "inout", "l": "inout", "w": "inout"}


def atomic_args() -> dict[str, Any]:
    return {
        "x": np.arange(64, dtype="f4"), "f": np.zeros(2, "f4"), "d": np.zeros(2, "f8"), "a": np.zeros(2, "i4"),
        "u": np.zeros(2, "u4"), "l": np.zeros(1, "i8"), "w": np.array([0, 3], "u8"),
    }  # fmt: skip


@pytest.mark.parametrize("device", DEVICES)
def test_atomics(tmp_path: Path, device: str) -> None:
    text = port(tmp_path, ATOMICS, device, ATOMIC_ROLES, block=64)
    got = run(text, device, atomic_args(), ATOMIC_ROLES, block=64)
    assert got["f"][0] == got["d"][0] == 2016
    assert got["a"].tolist() == [-2016, -20]
    assert got["u"].tolist() == [0xFFFFFFFF, 9]
    assert got["l"].tolist() == [56]
    assert got["w"].tolist() == [64 << 40, 4]
    assert_assembles([text], device)


# what CUDA has no name for comes from the other languages
FLOAT_ATOMICS = """
kernel void k(global const float* x, global float* y, global long* l) {
    int i = get_local_id(0);
    atom_sub(&l[0], (long)i);
    atom_and(&l[1], ~(1L << i));
    atom_cmpxchg(&l[2], 7L, -7L);
    y[i] = atomic_xchg(&y[32 + i], x[i]);
}"""


@pytest.mark.parametrize("device", DEVICES)
def test_signed_64_bit_atomics_from_opencl(tmp_path: Path, device: str) -> None:
    roles = {"x": "in", "y": "inout", "l": "inout"}
    text = port(tmp_path, FLOAT_ATOMICS, device, roles, suffix=".cl")
    args = {"x": np.arange(32, dtype="f4"), "y": np.full(64, 5, "f4"), "l": np.array([0, -1, 7], "i8")}
    got = run(text, device, args, roles)
    assert got["l"].tolist() == [-496, -(1 << 32), -7]
    np.testing.assert_array_equal(got["y"], [5.0] * 32 + list(range(32)))
    assert_assembles([text], device)


VECTORS = """
kernel void k(global const float4* x, global float4* y, int n) {
    int i = get_local_id(0);
    float4 a = x[i], b = (float4)(1.0f, 2.0f, 3.0f, 4.0f);
    float4 c = a * b - -a / (float4)(2.0f);
    c += b;
    c = fmax(c, (float4)(0.5f)) + fabs(a);
    y[i] = c;
}"""


@pytest.mark.parametrize("device", DEVICES)
def test_vector_arithmetic_of_opencl_goes_by_component(tmp_path: Path, device: str) -> None:
    text = port(tmp_path, VECTORS, device, ROLES, suffix=".cl")
    x = np.random.default_rng(3).standard_normal((32, 4)).astype("f4")
    got = run(text, device, {"x": x.ravel(), "y": np.zeros(128, "f4"), "n": 0}, ROLES)["y"].reshape(-1, 4)
    b = np.array([1, 2, 3, 4], "f4")
    np.testing.assert_array_equal(got, np.maximum(x * b + x / np.float32(2) + b, np.float32(0.5)) + np.abs(x))
    assert "gp_mul(a, b)" in text.source
    assert_assembles([text], device)


SHUFFLES = [(kind, lane, width) for kind in ("", "_up", "_down", "_xor") for lane in (0, 1, 5, 31) for width in (32, 8)]


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("known", [True, False])
def test_shuffles_keep_cudas_meaning(tmp_path: Path, device: str, known: bool) -> None:
    """A lane that the writer knows to be inside takes the language's own function, another one may take a helper."""
    calls = "\n".join(
        f"y[{i} * 64 + threadIdx.x] = __shfl{kind}_sync(0xffffffffu, v, {lane if known else f'lanes[{lane}]'}, {width});"
        for i, (kind, lane, width) in enumerate(SHUFFLES)
    )
    source = f"__global__ void k(const int* x, int* y, const int* lanes) {{ int v = x[threadIdx.x];\n{calls} }}"
    roles = {"x": "in", "y": "out", "lanes": "in"}
    text = port(tmp_path, source, device, roles, block=64)
    x = np.arange(64, dtype="i4") * 3 + 1
    args = {"x": x, "y": np.zeros(64 * len(SHUFFLES), "i4"), "lanes": np.arange(32, dtype="i4")}
    y = run(text, device, args, roles, block=64)["y"].reshape(-1, 64)
    me = np.arange(64)
    for row, (kind, lane, width) in zip(y, SHUFFLES, strict=True):
        first = me // width * width
        there = {"": first + lane % width, "_up": me - lane, "_down": me + lane, "_xor": me ^ lane}[kind]
        low = me // 32 * 32 if kind == "_xor" else first
        inside = (there >= low) & (there < first + width)
        np.testing.assert_array_equal(row, np.where(inside, x[np.where(inside, there, 0)], x), err_msg=f"{kind} {lane}")
    assert ("gp_shfl" in text.source) == (device != "h100" and not known) or known
    assert_assembles([text], device)


@pytest.mark.parametrize("device", DEVICES)
def test_votes_are_of_32_lanes(tmp_path: Path, device: str) -> None:
    source = """__global__ void k(const int* x, unsigned* y) {
        int v = x[threadIdx.x];
        y[threadIdx.x] = __ballot_sync(0xffffffffu, v % 3 == 0);
        y[64 + threadIdx.x] = __any_sync(0xffffffffu, v == 40) + 2;
        if (__all_sync(0xffffffffu, v < 40)) y[128 + threadIdx.x] = 7; else y[128 + threadIdx.x] = 0;
        __syncwarp();
    }"""
    text = port(tmp_path, source, device, ROLES, block=64)
    x = np.arange(64, dtype="i4")
    y = run(text, device, {"x": x, "y": np.zeros(192, "u4")}, ROLES, block=64)["y"].reshape(3, 2, 32)
    bits = [sum(1 << i for i in range(32) if (i + first) % 3 == 0) for first in (0, 32)]
    np.testing.assert_array_equal(y[0], np.repeat(np.array(bits, "u4")[:, None], 32, 1))
    np.testing.assert_array_equal(y[1:, :, 0], [[2, 3], [7, 0]])
    if device == "mi300x":
        assert "__builtin_amdgcn_wave_barrier();" in text.source
    assert_assembles([text], device)


@pytest.mark.parametrize("device", DEVICES)
def test_dynamic_shared_memory_of_functions_is_one_variable(tmp_path: Path, device: str) -> None:
    source = """
    __device__ int turned(int i, int n) { extern __shared__ int s[]; return s[n - 1 - i]; }
    __global__ void k(const int* x, int* y, int n) {
        extern __shared__ int s[];
        s[threadIdx.x] = x[threadIdx.x];
        __syncthreads();
        y[threadIdx.x] = turned(threadIdx.x, n);
    }"""
    text = port(tmp_path, source, device, ROLES)
    assert text.source.count("\n\nextern __shared__ int s[];\n\n") == 1  # not in the extern "C" kernel
    x = np.arange(32, dtype="i4")
    np.testing.assert_array_equal(
        run(text, device, {"x": x, "y": np.zeros(32, "i4"), "n": 32}, ROLES, shared=128)["y"], x[::-1]
    )
    assert_assembles([text], device)


def test_the_file_is_cuda_that_reads_well(tmp_path: Path) -> None:
    source = """// The whole file.

// doubles
__global__ void __launch_bounds__(128) k(const float* __restrict__ x, float* __restrict__ y, int n) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) y[i] = 2.0f * expf(x[i]);  // the last block
}"""
    text = port(tmp_path, source, "h100", ROLES, block=128)
    assert text.source.endswith(
        """
// doubles
extern "C" __global__ void __launch_bounds__(128)
k(const float* __restrict__ x, float* __restrict__ y, int n) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) y[i] = 2.0f * expf(x[i]);  // the last block
}
"""
    )


def test_wide_vectors_are_refused(tmp_path: Path) -> None:
    source = "kernel void k(global const float8* x, global float8* y) { y[0] = x[0]; }"
    with pytest.raises(Refusal, match=r"GP2005.*no vectors of 8 lanes"):
        port(tmp_path, source, "h100", ROLES, suffix=".cl")
