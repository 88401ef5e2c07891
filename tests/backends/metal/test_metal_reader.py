"""Metal in the form that MLX takes is read back, and computes in emulation what it says."""

from __future__ import annotations

import numpy as np
import pytest
from gpuport.backends.base import KernelText, Launch, TextParam
from gpuport.backends.emulator import emulate
from gpuport.backends.metal.reader import mlx_signature
from gpuport.backends.readers import read_text
from gpuport.hwmodels import load_machine
from gpuport.ir.diagnostics import Refusal
from gpuport.ir.validate import validate

M4 = load_machine("m4")
F = np.arange(64, dtype=np.float32) * 0.25 - 3
LANE = np.arange(64)
PARAMS = (
    TextParam("x", "buffer", "f32", "in"),
    TextParam("y", "buffer", "f32", "out"),
    TextParam("n", "scalar", "i32"),
)

BODIES = {
    "attributes": ("", "y[thread_position_in_grid.x] = float(thread_position_in_threadgroup.x);", LANE),
    "scalar by reference": ("", "y[i] = x[i] + float(n);", F + 64),
    "vector constructor": ("", "float4 v = float4(x[i], 1.0f, 2.0f, 3.0f); float2 s = float2(2.0f); y[i] = v.x * v.w + s.y;",
                           F * 3 + 2),
    "device function": ("inline float twice(const device float* p, uint i) { return 2.0f * p[i]; }", "y[i] = twice(x, i);", 2 * F),
    "threadgroup array": ("", "threadgroup float s[64]; s[i] = x[i]; threadgroup_barrier(mem_flags::mem_threadgroup);"
                          " y[i] = s[63 - i];", F[::-1]),
    "shuffle": ("", "y[i] = simd_shuffle_xor(x[i], ushort(5));", F[LANE ^ 5]),
    "as_type": ("", "y[i] = as_type<float>(as_type<uint>(x[i]) & 0x7fffffffu);", abs(F)),
    "precise and fast": ("", "y[i] = metal::precise::floor(x[i]) + metal::precise::fmax(x[i], 0.0f);",
                         np.floor(F) + np.maximum(F, 0)),
    "weak compare exchange": (
        """inline void add(threadgroup float* p, float v) {
    threadgroup atomic_uint* a = (threadgroup atomic_uint*)p;
    uint old = atomic_load_explicit(a, memory_order_relaxed);
    while (!atomic_compare_exchange_weak_explicit(a, &old, as_type<uint>(as_type<float>(old) + v), memory_order_relaxed,
                                                  memory_order_relaxed)) {}
}""",
        "threadgroup float s[1]; if (i == 0) s[0] = 0.0f; threadgroup_barrier(mem_flags::mem_threadgroup);"
        " add(&s[0], 1.0f); threadgroup_barrier(mem_flags::mem_threadgroup); y[i] = s[0];", np.full(64, 64)),
}  # fmt: skip


def text(body: str, header: str = "", params=PARAMS) -> KernelText:
    return KernelText("metal", "k", f"    const uint i = thread_position_in_threadgroup.x;\n    {body}", params, header)


@pytest.mark.parametrize("name", BODIES)
def test_constructs(name):
    header, body, expected = BODIES[name]
    program = read_text(text(body, header))
    validate(program)
    args = {"x": F, "y": np.zeros(64, np.float32), "n": 64}
    done = emulate(program, M4, Launch((1, 1, 1), (64, 1, 1)), args, roles={"x": "in", "y": "out"})
    assert not done.findings
    np.testing.assert_array_equal(done.buffers["y"], np.asarray(expected).astype(np.float32))


def test_dynamic_threadgroup_memory_comes_from_the_launch():
    params = (*PARAMS, TextParam("SHARED_BYTES", "template"))
    body = (
        "threadgroup float s[SHARED_BYTES / sizeof(float)]; s[i] = x[i];"
        " threadgroup_barrier(mem_flags::mem_threadgroup); y[i] = s[n - 1 - i];"
    )
    program = read_text(text(body, params=params))
    args = {"x": F, "y": np.zeros(64, np.float32), "n": 64}
    done = emulate(program, M4, Launch((1, 1, 1), (64, 1, 1), 256), args, roles={"x": "in", "y": "out"})
    np.testing.assert_array_equal(done.buffers["y"], F[::-1])


def test_signature_is_mlxs():
    assert mlx_signature(text("y[i] = x[i] * n;")) == (
        "const device float* x, device float* y, const constant int& n, "
        "uint3 thread_position_in_threadgroup [[thread_position_in_threadgroup]]"
    )


@pytest.mark.parametrize(
    ("body", "number"),
    [
        ("double d = x[i]; y[i] = d;", "GP1001"),
        ("atomic_fetch_add_explicit(y, 1.0f, memory_order_relaxed);", "GP1001"),  # a plain pointer is no atomic one
        ("y[i] = undeclared;", "GP1001"),
        ("const float* p = &x[i]; y[i] = *p;", "GP1001"),  # a device pointer is no thread pointer
    ],
)
def test_what_metal_would_reject_is_refused(body, number):
    with pytest.raises(Refusal, match=number):
        read_text(text(body))
