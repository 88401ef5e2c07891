"""OpenCL C is read, and computes in emulation what it computes on PoCL."""

from __future__ import annotations

import numpy as np
import pytest
from gpuport.backends.base import Launch
from gpuport.backends.emulator import emulate
from gpuport.backends.opencl.reader import read_opencl_text
from gpuport.backends.readers import read_source
from gpuport.hwmodels import load_machine
from gpuport.ir.diagnostics import Refusal
from gpuport.ir.rewrites.nulls import resolve_nulls
from gpuport.ir.validate import validate

CPU = load_machine("cpu")
MI300X = load_machine("mi300x")
F = np.arange(64, dtype=np.float32) * 0.25 - 3
N = np.arange(64, dtype=np.int32) * 7 - 50
LANE = np.arange(64)

# name: (types of x and y, body, x, expected y)
BODIES = {
    "indices": ("int", "int", "y[get_global_id(0)] = (int)(get_local_id(0) + get_group_id(0) * get_local_size(0));", N, LANE),
    "comparison is int": ("int", "int", "int ok = x[i] > 3; y[i] = ok + (x[i] < 100) * 2;", N, (N > 3) + (N < 100) * 2),
    "vector literal": ("float", "float", "float4 v = (float4)(x[i], 1.0f, 2.0f, 3.0f); y[i] = v.x + v.s3;", F, F + 3),
    "vector arithmetic": ("float", "float", "float2 v = (float2)(x[i], 2.0f) * 3.0f; y[i] = v.x + v.y;", F, F * 3 + 6),
    "vload": ("float", "float", "float4 v = vload4(i / 4, x); y[i] = v.x + v.w;", F, F[LANE // 4 * 4] + F[LANE // 4 * 4 + 3]),
    "as and convert": ("float", "int", "y[i] = as_int(x[i]) ^ convert_int_rtz(x[i]);", F, F.view(np.int32) ^ F.astype(np.int32)),
    "abs and clz": ("int", "int", "y[i] = (int)abs(x[i]) + clz(x[i]);", N,
                    abs(N) + [32 - (v & 0xFFFFFFFF).bit_length() for v in N.tolist()]),
    "atomics": ("int", "int", "__local int s; if (i % 64 == 0) s = 0; barrier(CLK_LOCAL_MEM_FENCE); atomic_add(&s, x[i]);"
                " barrier(CLK_LOCAL_MEM_FENCE); y[i] = s;", N, np.full(64, N.sum())),
    "compare and swap": ("int", "int", "y[i] = 0; int old = atomic_cmpxchg(y + i, 0, x[i]); y[i] += old;", N, N),
}  # fmt: skip


@pytest.mark.parametrize("name", BODIES)
def test_constructs(name):
    t, u, body, x, expected = BODIES[name]
    text = f"__kernel void k(__global const {t}* x, __global {u}* y, int n) {{ int i = get_local_id(0); {body} }}"
    program = read_opencl_text(text, "k", "k.cl")
    validate(program)
    dtype = {"int": np.int32, "float": np.float32}[u]
    args = {"x": x, "y": np.zeros(64, dtype), "n": 64}
    done = emulate(program, CPU, Launch((1, 1, 1), (64, 1, 1)), args, roles={"x": "in", "y": "out"})
    assert not done.findings
    np.testing.assert_array_equal(done.buffers["y"], np.asarray(expected).astype(dtype))


def test_local_argument_is_the_launchs_memory():
    text = """__kernel void k(__global int* y, __local int* s) {
  int i = get_local_id(0);
  s[i] = i;
  barrier(CLK_LOCAL_MEM_FENCE);
  y[i] = s[63 - i];
}"""
    program = read_opencl_text(text, "k", "k.cl")
    launch = Launch((1, 1, 1), (64, 1, 1), 256)
    done = emulate(program, CPU, launch, {"y": np.zeros(64, np.int32)}, roles={"y": "out"})
    np.testing.assert_array_equal(done.buffers["y"], LANE[::-1])


@pytest.mark.parametrize(("given", "null"), [(1, []), (0, []), (1, ["mask"])])
def test_a_pointer_that_is_null_by_a_condition(given: int, null: list[str]):
    text = """__kernel void k(__global const char* x, __global const char* mask, ulong at, int given, __global float* y) {
  mask = mask + at;
  __global const float* m = given && mask != x ? (__global const float*)(mask + 4) : 0;
  int i = get_local_id(0);
  y[i] = ((__global const float*)x)[i] + (m ? 2.0f * m[i] : 0.5f);
  if (m == 0) y[i] += 100.0f;
}"""
    program = resolve_nulls(read_opencl_text(text, "k", "k.cl"), null)
    validate(program)
    x, m = (LANE * 0.5).astype(np.float32), np.arange(66, dtype=np.float32)
    args = {"x": x.view(np.int8), "mask": m.view(np.int8), "at": 4, "given": given, "y": np.zeros(64, np.float32)}
    done = emulate(program, CPU, Launch((1, 1, 1), (64, 1, 1)), args, roles={"x": "in", "mask": "in", "y": "out"})
    assert not done.findings
    np.testing.assert_array_equal(done.buffers["y"], x + (m[2:] * 2 if given and not null else 100.5))


def test_pointers_of_another_type_without_a_cast():
    text = """__kernel void other(__global float* y) {
  __global half* h = y;
  h[0] = 1;
}
__kernel void k(__global const float* x, __global int* y) {
  int i = get_local_id(0);
  __global const float* row = (__global const char*)x + 4 * i;
  __global const int* bits = x;
  y[i] = bits[i] + (int)row[0];
}"""
    program = read_opencl_text(text, "k", "k.cl")
    validate(program)
    args = {"x": LANE.astype(np.float32), "y": np.zeros(64, np.int32)}
    done = emulate(program, CPU, Launch((1, 1, 1), (64, 1, 1)), args, roles={"x": "in", "y": "out"})
    assert not done.findings
    np.testing.assert_array_equal(done.buffers["y"], LANE.astype(np.float32).view(np.int32) + LANE)
    with pytest.raises(Refusal, match=r"k\.cl:2: error GP1102: a pointer to f32 as one to f16, without a cast"):
        read_opencl_text(text, "other", "k.cl")


def test_bpermute_reads_another_lane_of_the_wave():
    text = """__kernel void k(__global const int* x, __global int* y) {
  int i = get_local_id(0);
  y[i] = __builtin_amdgcn_ds_bpermute(4 * (i ^ 33), x[i]);
}"""
    program = read_opencl_text(text, "k", "k.cl")
    args = {"x": N, "y": np.zeros(64, np.int32)}
    done = emulate(program, MI300X, Launch((1, 1, 1), (64, 1, 1)), args, roles={"x": "in", "y": "out"})
    np.testing.assert_array_equal(done.buffers["y"], N[LANE ^ 33])


def test_a_source_file_is_read_by_its_suffix(tmp_path):
    path = tmp_path / "scale.cl"
    path.write_text("#define BY 3\n__kernel void scale(__global float* y) { y[get_global_id(0)] *= BY; }")
    program, _ = read_source(path, "scale")
    assert program.language == "opencl"
    assert [(c.name, c.value) for c in program.constants] == [("BY", 3)]


def test_missing_kernel_names_those_there():
    with pytest.raises(Refusal, match="kernels there: k"):
        read_opencl_text("__kernel void k(__global int* y) { y[0] = 1; }", "j", "k.cl")


def test_unsupported_language_is_refused(tmp_path):
    path = tmp_path / "k.f90"
    path.write_text("end")
    with pytest.raises(Refusal, match=r"\.f90"):
        read_source(path, "k")
