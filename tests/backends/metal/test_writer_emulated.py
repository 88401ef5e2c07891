"""Emitted texts that cannot run here, read back from their text and emulated, against NumPy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from gpuport.backends.base import KernelText, Launch
from gpuport.backends.clike.plan import WritePlan
from gpuport.backends.cuda.reader import read_cuda
from gpuport.backends.emulator import emulate
from gpuport.backends.metal.writer import write as write_metal
from gpuport.backends.opencl.writer import write as write_opencl
from gpuport.backends.readers import read_text
from gpuport.hwmodels import load_machine
from gpuport.ir.diagnostics import Refusal
from gpuport.ir.rewrites.spaces import resolve_spaces

if TYPE_CHECKING:
    from pathlib import Path

DESTINATIONS = ("m4", "mi300x")


def port(tmp_path: Path, source: str, device: str, block: int | None, roles: dict[str, str]) -> KernelText:
    path = tmp_path / "k.cu"
    path.write_text(source)
    write = write_metal if device == "m4" else write_opencl
    plan = WritePlan("k", roles, None if block is None else (block, 1, 1), "k.cu")
    return write(resolve_spaces(read_cuda(path, "k")[0]), load_machine(device), plan)


def run(
    text: KernelText, device: str, groups: int, block: int, args: dict[str, Any], roles: dict[str, str], shared: int = 0
) -> dict[str, np.ndarray]:
    """Emulate the program that the text reads back as; parameters are in the author's order."""
    program = read_text(text)
    names = [p.name for p in program.kernel.params]
    given = dict(zip(names, args.values(), strict=False))
    by_text = dict(zip(names, args, strict=False))
    result = emulate(
        program,
        load_machine(device),
        Launch((groups, 1, 1), (block, 1, 1), shared),
        given,
        roles={t: roles[a] for t, a in by_text.items() if a in roles},
    )
    assert not result.findings
    return {by_text[name]: values for name, values in result.buffers.items()}


@pytest.mark.parametrize("device", DESTINATIONS)
@pytest.mark.parametrize("width", [32, 8])
def test_shuffles_keep_cudas_meaning(tmp_path: Path, device: str, width: int) -> None:
    cases = [(kind, lane) for kind in ("_", "_up_", "_down_", "_xor_") for lane in (0, 1, 3, 17, 33)]
    calls = "\n".join(
        f"y[{i} * 64 + threadIdx.x] = __shfl{kind}sync(0xffffffffu, v, {lane}, {width});"
        for i, (kind, lane) in enumerate(cases)
    )
    source = f"__global__ void k(const float* x, float* y) {{ float v = x[threadIdx.x];\n{calls} }}"
    roles = {"x": "in", "y": "out"}
    text = port(tmp_path, source, device, 64, roles)
    x = np.arange(64, dtype="f4") * 3 + 1
    y = run(text, device, 1, 64, {"x": x, "y": np.zeros(64 * len(cases), "f4")}, roles)["y"].reshape(-1, 64)
    me = np.arange(64)
    for row, (kind, lane) in zip(y, cases, strict=True):
        first = me // width * width
        source_lane = {"_": first + lane % width, "_up_": me - lane, "_down_": me + lane, "_xor_": me ^ lane}[kind]
        low = me // 32 * 32 if kind == "_xor_" else first
        inside = (source_lane >= low) & (source_lane < first + width) & ((kind != "_xor_") | (lane < 32))
        np.testing.assert_array_equal(
            row, np.where(inside, x[np.where(inside, source_lane, 0)], x), err_msg=f"{kind}{lane}"
        )


@pytest.mark.parametrize("device", DESTINATIONS)
def test_a_reduction_over_warps_and_shared_memory(tmp_path: Path, device: str) -> None:
    source = """
    __device__ float warp_sum(float v) {
        for (int d = 16; d > 0; d >>= 1) v += __shfl_xor_sync(0xffffffffu, v, d);
        return v;
    }
    __device__ float block_sum(float v) {
        __shared__ float part[4];
        v = warp_sum(v);
        if (threadIdx.x % 32 == 0) part[threadIdx.x / 32] = v;
        __syncthreads();
        return part[0] + part[1] + part[2] + part[3];
    }
    __global__ void k(const float* x, float* total, int n) {
        float v = 0.0f;
        for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x) v += x[i];
        v = block_sum(v);
        if (threadIdx.x == 0) atomicAdd(total, v);
    }"""
    roles = {"x": "in", "total": "inout"}
    text = port(tmp_path, source, device, 128, roles)
    x = np.random.default_rng(2).integers(-9, 10, 1000).astype("f4")
    got = run(text, device, 3, 128, {"x": x, "total": np.zeros(1, "f4"), "n": 1000}, roles)
    assert got["total"][0] == x.sum()


def test_votes_of_a_whole_simdgroup(tmp_path: Path) -> None:
    source = """__global__ void k(const int* x, int* y) {
        int v = x[threadIdx.x];
        y[threadIdx.x] = __any_sync(0xffffffffu, v == 3);
        y[64 + threadIdx.x] = __all_sync(0xffffffffu, v < 40);
    }"""
    roles = {"x": "in", "y": "out"}
    text = port(tmp_path, source, "m4", 64, roles)
    x = np.arange(64, dtype="i4")
    y = run(text, "m4", 1, 64, {"x": x, "y": np.zeros(128, "i4")}, roles)["y"]
    np.testing.assert_array_equal(y.reshape(4, 32), np.repeat([[1], [0], [1], [0]], 32, 1))


def test_metal_atomics(tmp_path: Path) -> None:
    source = """__global__ void k(const float* x, float* total, int* a) {
        __shared__ float part;
        __shared__ int most;
        if (threadIdx.x == 0) { part = 0.0f; most = 0; }
        __syncthreads();
        atomicAdd(&part, x[threadIdx.x]);
        atomicMax(&most, (int)threadIdx.x);
        atomicCAS(&a[1], 7, 70);
        __syncthreads();
        if (threadIdx.x == 0) { atomicAdd(total, part); atomicAdd(&a[0], most); }
    }"""
    roles = {"x": "in", "total": "inout", "a": "inout"}
    text = port(tmp_path, source, "m4", 64, roles)
    x = np.arange(64, dtype="f4")
    got = run(text, "m4", 2, 64, {"x": x, "total": np.zeros(1, "f4"), "a": np.array([0, 7], "i4")}, roles)
    assert got["total"][0] == 2 * x.sum()
    np.testing.assert_array_equal(got["a"], [126, 70])


def test_metal_takes_scalars_by_reference_and_vectors_as_scalars(tmp_path: Path) -> None:
    source = """__global__ void k(float4* x, float* y, int n, const float* device) {
        n -= 1;  // a scalar that is assigned to
        int i = blockIdx.x * blockDim.x + threadIdx.x;
        if (i <= n) y[i] = x[i].x + x[i].w + device[i] + (float)n;
    }"""
    roles = {"x": "in", "y": "out", "device": "in"}
    text = port(tmp_path, source, "m4", 32, roles)
    assert [(p.name, p.spelled) for p in text.params][-1] == ("device", "device_")
    x, device = np.arange(160, dtype="f4"), np.arange(40, dtype="f4")
    got = run(text, "m4", 2, 32, {"x": x, "y": np.zeros(40, "f4"), "n": 40, "device": device}, roles)
    rows = x.reshape(40, 4)
    np.testing.assert_array_equal(got["y"], rows[:, 0] + rows[:, 3] + device + 39)


def test_dynamic_shared_memory_is_a_template_argument_of_mlx(tmp_path: Path) -> None:
    source = """__global__ void k(const float* x, float* y) {
        extern __shared__ float buffer[];
        buffer[threadIdx.x] = x[threadIdx.x];
        __syncthreads();
        y[threadIdx.x] = buffer[blockDim.x - 1 - threadIdx.x];
    }"""
    roles = {"x": "in", "y": "out"}
    text = port(tmp_path, source, "m4", 32, roles)
    assert text.params[-1].name == "SHARED_BYTES"
    assert text.params[-1].kind == "template"
    assert "threadgroup float buffer[SHARED_BYTES / sizeof(float)];" in text.source
    x = np.arange(32, dtype="f4")
    got = run(text, "m4", 1, 32, {"x": x, "y": np.zeros(32, "f4")}, roles, shared=128)
    np.testing.assert_array_equal(got["y"], x[::-1])


@pytest.mark.parametrize(
    ("source", "number", "says"),
    [
        ("__global__ void k(const double* x, float* y) { y[0] = (float)x[0]; }", "GP2005", "f64"),
        (
            "__global__ void k(const unsigned long long* x, unsigned long long* y) { atomicAdd(y, x[0]); }",
            "GP2008",
            "u64",
        ),
        ("__global__ void k(const float* x, float* y) { y[0] = x[0]; __threadfence(); }", "GP2010", "fence"),
    ],
)
def test_what_metal_does_not_have_is_refused_by_line(tmp_path: Path, source: str, number: str, says: str) -> None:
    with pytest.raises(Refusal) as refusal:
        port(tmp_path, source, "m4", 32, {"x": "in", "y": "inout"})
    found = refusal.value.diagnostics[0]
    assert found.number == number
    assert says in found.message
    assert found.loc is not None
    assert found.loc.line == 1


def test_all_refusals_come_at_once(tmp_path: Path) -> None:
    source = """__global__ void k(const float* x, float* y) {
        y[0] = (double)x[0];
        __threadfence();
        y[2] = x[2];
        if (x[0] > 0.0f) y[3] = 2.0 * x[3];
    }"""
    with pytest.raises(Refusal) as refusal:
        port(tmp_path, source, "m4", 32, {"x": "in", "y": "out"})
    assert [(d.number, d.loc.line) for d in refusal.value.diagnostics if d.loc] == [
        ("GP2005", 2),
        ("GP2010", 3),
        ("GP2005", 5),
    ]
