"""Emitted OpenCL C, compiled and run on the OpenCL device at hand, against NumPy."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gpuport.backends.base import KernelText
from gpuport.backends.clike.plan import WritePlan
from gpuport.backends.cuda.reader import read_cuda
from gpuport.backends.opencl.writer import write
from gpuport.hwmodels import load_machine
from gpuport.ir.rewrites.scratch import add_lane_scratch
from gpuport.ir.rewrites.spaces import resolve_spaces


@pytest.fixture(scope="module")
def queue() -> Any:
    cl = pytest.importorskip("pyopencl", reason="needs PyOpenCL")
    from gpuport.hwmodels.probe.pocl import VARIABLE, name_cpu

    devices = [d for p in cl.get_platforms() for d in p.get_devices()]
    if not devices:
        pytest.skip("no OpenCL device")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(VARIABLE, "auto")
        name_cpu(devices[0])
    return cl.CommandQueue(cl.Context(devices[:1]))


def port(
    tmp_path: Path, source: str, block: tuple[int, int, int], roles: dict[str, str], entry: str = "k"
) -> KernelText:
    """CUDA source as OpenCL C for the CPU, its lanes through local memory."""
    path = tmp_path / "k.cu"
    path.write_text(source)
    program = resolve_spaces(read_cuda(path, entry)[0])
    program = add_lane_scratch(program, block[0] * block[1] * block[2])
    return write(program, load_machine("cpu"), WritePlan("k", roles, block, "k.cu"))


def run(queue: Any, text: KernelText, groups: int, block: int, *args: Any, shared: int = 0) -> None:
    """Run on arrays, which are changed in place, and NumPy scalars."""
    import pyopencl as cl
    import pyopencl.array as cla

    arrays = [cla.to_device(queue, a) if isinstance(a, np.ndarray) else a for a in args]
    passed = [a.data if isinstance(a, cla.Array) else a for a in arrays]
    if any(p.kind == "local" for p in text.params):
        passed.append(cl.LocalMemory(shared))
    kernel = cl.Kernel(cl.Program(queue.context, text.source).build(options=list(text.options)), "k")
    kernel.set_args(*passed)
    cl.enqueue_nd_range_kernel(queue, kernel, (groups * block,), (block,))
    for given, device in zip(args, arrays, strict=True):
        if isinstance(given, np.ndarray):
            given[:] = device.get()


def shuffled(kind: str, lane: int, lanes: np.ndarray, width: int) -> np.ndarray:
    """CUDA's shuffle within segments of `width` (CUDA C++ Programming Guide, warp shuffle functions)."""
    me = np.arange(lanes.size)
    first = me // width * width
    source = {"_": first + lane % width, "_up_": me - lane, "_down_": me + lane, "_xor_": me ^ lane}[kind]
    low = me // 32 * 32 if kind == "_xor_" else first
    inside = (source >= low) & (source < first + width) & ((kind != "_xor_") | (lane < 32))
    return np.where(inside, lanes[np.where(inside, source, 0)], lanes)


@pytest.mark.parametrize("width", [32, 16, 4])
@pytest.mark.parametrize(
    ("c_type", "dtype"), [("float", "f4"), ("double", "f8"), ("long long", "i8"), ("unsigned", "u4")]
)
def test_shuffles_of_all_kinds_through_local_memory(
    queue: Any, tmp_path: Path, c_type: str, dtype: str, width: int
) -> None:
    cases = [(kind, lane) for kind in ("_", "_up_", "_down_", "_xor_") for lane in (0, 1, 3, 17, 33)]
    calls = "\n".join(
        f"y[{i} * 64 + threadIdx.x] = __shfl{kind}sync(0xffffffffu, v, {lane}, {width});"
        for i, (kind, lane) in enumerate(cases)
    )
    source = f"__global__ void k(const {c_type}* x, {c_type}* y) {{ {c_type} v = x[threadIdx.x];\n{calls} }}"
    text = port(tmp_path, source, (64, 1, 1), {"x": "in", "y": "out"})
    x = (np.arange(64) * 3 + 5).astype(dtype)
    if dtype in ("f8", "i8"):
        x += (1 << 40) + 1
    y = np.zeros(64 * len(cases), dtype)
    run(queue, text, 1, 64, x, y)
    for i, (kind, lane) in enumerate(cases):
        np.testing.assert_array_equal(y[i * 64 : i * 64 + 64], shuffled(kind, lane, x, width), err_msg=f"{kind} {lane}")


def test_a_group_that_ends_inside_a_warp(queue: Any, tmp_path: Path) -> None:
    source = """__global__ void k(const float* x, float* y) {
        float v = x[threadIdx.x];
        for (int d = 16; d > 0; d /= 2) v += __shfl_down_sync(0xffffffffu, v, d);
        y[threadIdx.x] = v;
    }"""
    x = np.arange(40, dtype="f4")
    y = np.zeros_like(x)
    run(queue, port(tmp_path, source, (40, 1, 1), {"x": "in", "y": "out"}), 1, 40, x, y)
    assert y[0] == x[:32].sum()


def test_votes_through_local_memory(queue: Any, tmp_path: Path) -> None:
    source = """__global__ void k(const int* x, unsigned* y) {
        int v = x[threadIdx.x];
        y[threadIdx.x] = __any_sync(0xffffffffu, v == 3);
        y[64 + threadIdx.x] = __all_sync(0xffffffffu, v < 40);
        y[128 + threadIdx.x] = __ballot_sync(0xffffffffu, v % 3 == 0);
    }"""
    x = np.arange(64, dtype="i4")
    y = np.zeros(192, "u4")
    run(queue, port(tmp_path, source, (64, 1, 1), {"x": "in", "y": "out"}), 1, 64, x, y)
    halves = x.reshape(2, 32)
    ballots = [(1 << np.arange(32, dtype="u8"))[h % 3 == 0].sum() for h in halves]
    np.testing.assert_array_equal(y[:64].reshape(2, 32), np.repeat([[1], [0]], 32, 1))
    np.testing.assert_array_equal(y[64:128].reshape(2, 32), np.repeat([[1], [0]], 32, 1))
    np.testing.assert_array_equal(y[128:].reshape(2, 32), np.repeat(np.array(ballots, "u4")[:, None], 32, 1))


def test_float_atomics_by_compare_and_exchange(queue: Any, tmp_path: Path) -> None:
    source = """__global__ void k(const float* x, float* total, float* peak, double* wide, int n) {
        __shared__ float part;
        if (threadIdx.x == 0) part = 0.0f;
        __syncthreads();
        int i = blockIdx.x * blockDim.x + threadIdx.x;
        if (i < n) {
            atomicAdd(&part, x[i]);
            atomicAdd(wide, (double)x[i]);
        }
        __syncthreads();
        if (threadIdx.x == 0) atomicAdd(total, part);
        if (i < n && atomicExch(&peak[i], x[i]) != -1.0f) atomicAdd(total, 1000.0f);
    }"""
    x = np.random.default_rng(1).integers(-8, 9, 1000).astype("f4")
    total, peak, wide = np.zeros(1, "f4"), np.full(1000, -1, "f4"), np.zeros(1, "f8")
    roles = {"x": "in", "total": "inout", "peak": "inout", "wide": "inout"}
    run(queue, port(tmp_path, source, (128, 1, 1), roles), 8, 128, x, total, peak, wide, np.int32(1000))
    assert total[0] == wide[0] == x.sum()
    np.testing.assert_array_equal(peak, x)


def test_integer_atomics(queue: Any, tmp_path: Path) -> None:
    source = """__global__ void k(int* a, unsigned long long* b) {
        atomicAdd(&a[0], 2); atomicSub(&a[1], 3); atomicMin(&a[2], -(int)threadIdx.x);
        atomicMax(&a[3], (int)threadIdx.x);
        atomicAnd(&a[4], ~(1 << (threadIdx.x % 31))); atomicOr(&a[5], 1 << (threadIdx.x % 31));
        atomicXor(&a[6], 5); atomicCAS(&a[7], 7, 70 + (int)(threadIdx.x * 0));
        atomicAdd(&b[0], 1ull << 33); atomicMax(&b[1], (unsigned long long)threadIdx.x << 40);
        atomicCAS(&b[2], 1ull << 50, 3ull);
    }"""
    a = np.array([0, 0, 0, 0, -1, 0, 0, 7], "i4")
    b = np.array([0, 0, 1 << 50], "u8")
    run(queue, port(tmp_path, source, (64, 1, 1), {"a": "inout", "b": "inout"}), 1, 64, a, b)
    np.testing.assert_array_equal(a, [128, -192, -63, 63, -(1 << 31), (1 << 31) - 1, 0, 70])
    np.testing.assert_array_equal(b, [64 << 33, 63 << 40, 3])


def test_dynamic_shared_memory_is_an_argument(queue: Any, tmp_path: Path) -> None:
    source = """__global__ void k(const float* x, float* y) {
        extern __shared__ float buffer[];  // reversed through here
        buffer[threadIdx.x] = x[blockIdx.x * blockDim.x + threadIdx.x];
        __syncthreads();
        y[blockIdx.x * blockDim.x + threadIdx.x] = buffer[blockDim.x - 1 - threadIdx.x];
    }"""
    text = port(tmp_path, source, (32, 1, 1), {"x": "in", "y": "out"})
    assert [(p.name, p.kind) for p in text.params] == [("x", "buffer"), ("y", "buffer"), ("buffer", "local")]
    x = np.arange(96, dtype="f4")
    y = np.zeros_like(x)
    run(queue, text, 3, 32, x, y, shared=128)
    np.testing.assert_array_equal(y.reshape(3, 32), x.reshape(3, 32)[:, ::-1])


def test_shared_memory_of_device_functions_is_declared_by_the_kernel(queue: Any, tmp_path: Path) -> None:
    source = """
    __device__ float left(float v) {
        __shared__ float line[64];
        line[threadIdx.x] = v;
        __syncthreads();
        return line[threadIdx.x == 0 ? 63 : threadIdx.x - 1];
    }
    __device__ float first(float v) {
        __shared__ float one;
        __shared__ float line[2];
        if (threadIdx.x == 0) { one = v; line[1] = v; }
        __syncthreads();
        return one + line[1];
    }
    __device__ float both(float v) { return left(v) + first(v); }
    __global__ void k(const float* x, float* y) {
        __shared__ float one[64];
        one[threadIdx.x] = both(x[threadIdx.x]);
        __syncthreads();
        if (threadIdx.x < 64) { __shared__ float tail; if (threadIdx.x == 5) tail = 0.5f; }
        y[threadIdx.x] = one[63 - threadIdx.x];
    }"""
    x = np.arange(1, 65, dtype="f4")
    y = np.zeros_like(x)
    run(queue, port(tmp_path, source, (64, 1, 1), {"x": "in", "y": "out"}), 1, 64, x, y)
    np.testing.assert_array_equal(y, (np.roll(x, 1) + 2 * x[0])[::-1])


def test_vectors_of_two_three_and_four(queue: Any, tmp_path: Path) -> None:
    source = """
    __device__ float3 scaled(float3 v, float by) { return make_float3(v.x * by, v.y * by, v.z * by); }
    __global__ void k(const float3* points, float4* out, const float2* pairs, float3* moved) {
        int i = threadIdx.x;
        float3 p = points[i];
        float2 q = pairs[i];
        out[i] = make_float4(p.x + q.x, p.y + q.y, p.z, points[i].y);
        moved[i] = scaled(p, 2.0f);
        moved[i].z += 1.0f;
        const float4* all = reinterpret_cast<const float4*>(pairs);
        out[i].w += all[i / 2].w;
    }"""
    n = 8
    points, pairs = np.arange(3 * n, dtype="f4"), np.arange(2 * n, dtype="f4") + 100
    out, moved = np.zeros(4 * n, "f4"), np.zeros(3 * n, "f4")
    roles = {"points": "in", "out": "out", "pairs": "in", "moved": "out"}
    run(queue, port(tmp_path, source, (n, 1, 1), roles), 1, n, points, out, pairs, moved)
    p, q = points.reshape(n, 3), pairs.reshape(n, 2)
    want = np.stack([p[:, 0] + q[:, 0], p[:, 1] + q[:, 1], p[:, 2], p[:, 1] + q[np.arange(n) // 2 * 2 + 1, 1]], 1)
    np.testing.assert_array_equal(out.reshape(n, 4), want)
    np.testing.assert_array_equal(moved.reshape(n, 3), p * 2 + [0, 0, 1])


def test_integer_functions_at_their_edges(queue: Any, tmp_path: Path) -> None:
    source = """__global__ void k(const unsigned* x, int* y) {
        unsigned v = x[threadIdx.x];
        int* row = y + 8 * threadIdx.x;
        row[0] = __ffs(v); row[1] = __clz(v); row[2] = __popc(v); row[3] = (int)__brev(v);
        row[4] = (int)__umulhi(v, 0x80000001u); row[5] = __mulhi((int)v, 12345); row[6] = max((int)v, -5);
        row[7] = abs((int)(v >> 1)) < 7;
    }"""
    x = np.array([0, 1, 2, 12, 0x80000000, 0xFFFFFFFF, 0x12345678, 0x00F00000], "u4")
    y = np.zeros(64, "i4")
    run(queue, port(tmp_path, source, (8, 1, 1), {"x": "in", "y": "out"}), 1, 8, x, y)

    def row(v: int) -> list[int]:
        signed = v - (1 << 32) if v >> 31 else v
        bits = [
            *((v & -v).bit_length(), 32 - v.bit_length(), v.bit_count(), int(f"{v:032b}"[::-1], 2)),
            *(v * 0x80000001 >> 32, signed * 12345 >> 32, max(signed, -5), int((v >> 1) < 7)),
        ]
        return [b - (1 << 32) if b >> 31 == 1 else b for b in bits]

    np.testing.assert_array_equal(y.reshape(8, 8), [row(int(v)) for v in x])


def test_names_that_mean_something_in_opencl_are_changed_and_noted(queue: Any, tmp_path: Path) -> None:
    source = """
    __device__ float clamp(float v) { return fminf(v, 1.0f); }
    __global__ void k(const float* global, float* out) {
        float half = clamp(global[threadIdx.x]);  // 'half' is a type there
        float fmin = half;
        out[threadIdx.x] = fminf(fmin, 0.5f);
    }"""
    text = port(tmp_path, source, (4, 1, 1), {"global": "in", "out": "out"})
    assert [(p.name, p.spelled) for p in text.params] == [("global", "global_"), ("out", "")]
    assert "GP3002: half means something else in OpenCL C; here it is half_" in text.source
    x = np.array([-1, 0.25, 0.75, 3], "f4")
    y = np.zeros_like(x)
    run(queue, text, 1, 4, x, y)
    np.testing.assert_array_equal(y, np.minimum(x, 0.5))


def test_products_and_sums_are_not_fused(queue: Any, tmp_path: Path) -> None:
    source = """__global__ void k(const float* x, float* y) {
        float t = x[0] * x[1];
        y[0] = t + x[2];
        y[1] = x[0] * x[1] + x[2];
    }"""
    x = np.array([1 + 2**-12, 1 + 2**-12, -1], "f4")
    y = np.zeros(2, "f4")
    run(queue, port(tmp_path, source, (1, 1, 1), {"x": "in", "y": "out"}), 1, 1, x, y)
    np.testing.assert_array_equal(y, x[0] * x[1] + x[2])


def test_bool_arguments_are_bytes(queue: Any, tmp_path: Path) -> None:
    source = """__global__ void k(const bool* x, bool* y, bool flip) {
        y[threadIdx.x] = flip ? !x[threadIdx.x] : x[threadIdx.x];
    }"""
    text = port(tmp_path, source, (4, 1, 1), {"x": "in", "y": "out"})
    x, y = np.array([0, 1, 1, 0], "u1"), np.zeros(4, "u1")
    run(queue, text, 1, 4, x, y, np.uint8(1))
    np.testing.assert_array_equal(y, 1 - x)
