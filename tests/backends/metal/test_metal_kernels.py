"""Whole Metal kernels are read from their files, and compute in emulation what they say."""

from __future__ import annotations

import numpy as np
import pytest
from gpuport.backends.base import Launch
from gpuport.backends.emulator import emulate
from gpuport.backends.readers import read_source
from gpuport.hwmodels import load_machine
from gpuport.ir.diagnostics import Refusal
from gpuport.ir.rewrites.nulls import resolve_nulls
from gpuport.ir.validate import validate

M4 = load_machine("m4")
F = np.arange(128, dtype=np.float32) * 0.25 - 3
N = np.arange(128, dtype=np.int32) * 7 - 50
AT = np.arange(128)

SOURCE = """#include <metal_stdlib>
using namespace metal;

struct Params { uint n; float scale; };
constant float weights[3] = {0.25f, 0.5f, 0.25f};

// adds and scales
kernel void add(device const float* a [[buffer(0)]], device float* out [[buffer(1)]],
                constant Params& p [[buffer(2)]], uint i [[thread_position_in_grid]]) {
    if (i >= p.n) return;
    out[i] = a[i] * p.scale + weights[i % 3];
}

[[kernel]] void reverse(const device float* a, device float* out, threadgroup float* shared [[threadgroup(0)]],
                        uint3 gid [[threadgroup_position_in_grid]], ushort t [[thread_index_in_threadgroup]],
                        uint2 size [[threads_per_threadgroup]]) {
    shared[t] = a[gid.x * size.x + t];
    threadgroup_barrier(mem_flags::mem_threadgroup);
    out[gid.x * size.x + t] = shared[size.x - 1 - t];
}

kernel void count(device const int* x [[buffer(0)]], device atomic_uint& total [[buffer(1)]],
                  device int* y [[buffer(2)]], constant int& limit [[buffer(3)]],
                  uint2 where [[thread_position_in_grid]], uint lane [[thread_index_in_simdgroup]]) {
    threadgroup int sums[4];
    if (x[where.x] > limit) atomic_fetch_add_explicit(&total, 1u, memory_order_relaxed);
    int sum = simd_sum(x[where.x]);
    if (lane == 0) sums[where.x / 32 % 4] = sum;
    threadgroup_barrier(mem_flags::mem_threadgroup);
    y[where.x] = sums[where.x / 32 % 4] + simd_prefix_exclusive_sum(1) + simd_max(x[where.x]) * 0;
}

template <typename T, uint STEP> kernel void strided(device T* x [[buffer(0)]], constant uint& n [[buffer(1)]],
        uint i [[thread_position_in_grid]], uint all [[threads_per_grid]]) {
    for (uint k = i * STEP; k < n; k += all * STEP) x[k] = clamp(x[k], T(-1), T(2)) + T(STEP);
}
template [[host_name("strided_2")]] kernel void strided<float, 2>(device float*, constant uint&, uint, uint);

kernel void masked(device const char* x, device const char* mask, device float* y, constant int& from,
                   uint i [[thread_position_in_grid]]) {
    device const float* m = int(i) >= from && mask != x ? (device const float*)mask : nullptr;
    y[i] = ((device const float*)x)[i] + (m != nullptr ? m[i] : 0.5f);
}

constant bool FC_double [[function_constant(0)]];
constant short FC_by  [[function_constant(1)]];
float chosen(float x) { return FC_double ? x * 2.0f : x; }
kernel void constants(device const float* x, device float* y, uint i [[thread_position_in_grid]]) {
    if (FC_by > 1) y[i] = chosen(x[i]) * FC_by;
    else y[i] = -1.0f;
}

template <typename T, typename TC> kernel void converted(device const T* x, device TC* y, uint i [[thread_position_in_grid]]) {
    const TC v = (TC) x[i];
    TC r = (TC) ((T) (v * 0.5f)) + TC(x[i]) + static_cast<TC>(x[i]);
    r += select(v, -v, v > 1.0f) * 4.0f + TC(v >= 0.0f) * 50.0f - TC((int4) v);
    y[i] = r + (any(v > 28.0f) ? 100.0f : 0.0f) + (all(v > 0.0f) ? 1000.0f : 0.0f) + dot(v, v) + length(v * 0.0f);
}
typedef decltype(converted<half4, float4>) converted_t;
template [[host_name("converted_f16_4")]] kernel converted_t converted<half4, float4>;

kernel void vectors(device const float4* a [[buffer(0)]], device float4* out [[buffer(1)]], uint i [[thread_position_in_grid]]) {
    float4 v = a[i];
    float3 n = float3(v.xy, 1.0f) * 2.0f;
    v[2] = n[2];
    v.w = n.x;
    float c;
    float s = sincos(0.0f, c);
    out[i] = float4(mix(v.x, v.y, 0.5f), saturate(v.y), fract(v.z + 0.25f), dot(v, float4(1, 0, 0, 1)) + s + c + float4(int4(v)).x * 0.0f);
}
"""


def run(tmp_path, entry, args, roles, *, grid=1, block=128, shared=0):
    path = tmp_path / "kernels.metal"
    path.write_text(SOURCE)
    program = resolve_nulls(read_source(path, entry)[0], [])
    validate(program)
    done = emulate(program, M4, Launch((grid, 1, 1), (block, 1, 1), shared), args, roles=roles)
    assert not done.findings, done.findings
    return program, done.buffers


def test_buffers_constants_and_attributes(tmp_path):
    args = {"a": F, "out": np.zeros(128, np.float32), "p_n": 128, "p_scale": 2.0}
    program, got = run(tmp_path, "add", args, {"a": "in", "out": "out"}, grid=2, block=64)
    assert [p.name for p in program.kernel.params] == ["a", "out", "p_n", "p_scale"]
    assert program.language == "metal"
    assert program.kernel.comments == ("// adds and scales",)
    np.testing.assert_array_equal(got["out"], F * 2 + np.array([0.25, 0.5, 0.25], np.float32)[AT % 3])


def test_threadgroup_memory_of_the_launch_and_narrow_attributes(tmp_path):
    args = {"a": F, "out": np.zeros(128, np.float32)}
    _, got = run(tmp_path, "reverse", args, {"a": "in", "out": "out"}, grid=2, block=64, shared=256)
    np.testing.assert_array_equal(got["out"], F.reshape(2, 64)[:, ::-1].ravel())


def test_atomics_by_reference_and_simd_functions(tmp_path):
    args = {"x": N, "total": np.zeros(1, np.uint32), "y": np.zeros(128, np.int32), "limit": 5}
    _, got = run(tmp_path, "count", args, {"x": "in", "total": "inout", "y": "out"})
    assert got["total"][0] == np.count_nonzero(N > 5)
    np.testing.assert_array_equal(got["y"], np.repeat(N.reshape(4, 32).sum(1), 32) + AT % 32)


def test_a_pointer_that_is_null_in_some_threads(tmp_path):
    args = {"x": F.view(np.int8), "mask": (F * 2).view(np.int8), "y": np.zeros(128, np.float32), "from": 50}
    _, got = run(tmp_path, "masked", args, {"x": "in", "mask": "in", "y": "out"})
    np.testing.assert_array_equal(got["y"], F + np.where(AT >= 50, F * 2, np.float32(0.5)))


@pytest.mark.parametrize(("double", "by"), [(True, 3), (False, 3), (False, 1)])
def test_function_constants_are_parameters_behind_the_kernels_own(tmp_path, double, by):
    args = {"x": F, "y": np.zeros(128, np.float32), "FC_double": double, "FC_by": by}
    program, got = run(tmp_path, "constants", args, {"x": "in", "y": "out"})
    assert sorted(p.name for p in program.kernel.params[2:]) == ["FC_by", "FC_double"]
    np.testing.assert_array_equal(got["y"], F * (2 if double else 1) * by if by > 1 else np.full(128, -1))


def test_conversions_of_vectors_that_a_template_names(tmp_path):
    args = {"x": F.astype(np.float16), "y": np.zeros(128, np.float32)}
    _, got = run(tmp_path, "converted_f16_4", args, {"x": "in", "y": "out"}, block=32)
    v = F.reshape(32, 4)
    whole = np.where((v > 28).any(1), 100, 0) + np.where((v > 0).all(1), 1000, 0) + (v * v).sum(1)
    want = v * 2.5 + np.where(v > 1, -v, v) * 4 + (v >= 0) * 50 - np.trunc(v) + whole[:, None]
    np.testing.assert_array_equal(got["y"].reshape(32, 4), want.astype(np.float32))


def test_templates(tmp_path):
    args = {"x": F.copy(), "n": 128}
    _, got = run(tmp_path, "strided<float, 2>", args, {"x": "inout"}, block=32)
    np.testing.assert_array_equal(got["x"], np.where(AT % 2 == 0, np.clip(F, -1, 2) + 2, F).astype(np.float32))


def test_vectors_swizzles_and_common_functions(tmp_path):
    args = {"a": F, "out": np.zeros(128, np.float32)}
    _, got = run(tmp_path, "vectors", args, {"a": "in", "out": "out"}, block=32)
    v = F.reshape(32, 4)
    want = np.stack(
        [v[:, 0] + (v[:, 1] - v[:, 0]) * 0.5, np.clip(v[:, 1], 0, 1), np.full(32, 0.25), v[:, 0] * 3 + 1], axis=1
    )
    np.testing.assert_array_equal(got["out"].reshape(32, 4), want.astype(np.float32))


# each line, and the number that it is refused by
REFUSED = [
    ("again: if (n > 9) goto again;", "GP1101"),
    ("y[0] = undeclared;", "GP1001"),
    ("double d = 1.0;", "GP1001"),
    ("int z = 3 4;", "GP1001"),
    ("static int counter = 0;", "GP1"),
    ("n + (n > 0 ? (int)as_type<uint>(atomic_load_explicit(a, memory_order_relaxed)) : 0);", "GP1105"),
    ("auto f = [n](int q) mutable { n += q; return n; }; y[1] = f(1);", "GP1102"),
    ("struct P { int b : 3; } p; p.b = n; y[2] = p.b;", "GP1103"),
    ("texture2d<float> t;", "GP1001"),
    ("float* p = new float;", "GP1"),
    ("float2 v = float2(n) > 1.0f ? float2(1.0f) : float2(2.0f);", "GP1102"),
    ("float4 w = (float4) float3(n);", "GP1102"),
    ("float u = float4(1.0f)[n];", "GP1102"),
    ("atomic_fetch_add_explicit(y, 1, memory_order_relaxed);", "GP1001"),
]


def test_each_refused_construct_has_its_number_and_line(tmp_path):
    path = tmp_path / "refused.metal"
    body = "\n".join(line for line, _ in REFUSED)
    path.write_text(
        "#include <metal_stdlib>\nusing namespace metal;\n"
        f"kernel void k(device int* y [[buffer(0)]], device atomic_uint* a [[buffer(1)]], constant int& n [[buffer(2)]]) {{\n{body}\n}}\n"
    )
    with pytest.raises(Refusal) as caught:
        read_source(path, "k")
    found: dict[int, str] = {}
    for d in caught.value.diagnostics:
        assert d.loc is not None
        found.setdefault(d.loc.line, d.number)
    missing = {
        text: found.get(k) for k, (text, number) in enumerate(REFUSED, 4) if not str(found.get(k)).startswith(number)
    }
    assert not missing, caught.value
    assert len(REFUSED) >= 8
