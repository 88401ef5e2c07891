"""CUDA sources are read, and compute in emulation what they compute on the device."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from gpuport.backends.base import Launch
from gpuport.backends.emulator import emulate
from gpuport.backends.readers import read_source
from gpuport.hwmodels import GpuportError, load_machine
from gpuport.ir.diagnostics import Refusal
from gpuport.ir.nodes import Const
from gpuport.ir.validate import validate
from gpuport.ir.walk import walk

H100 = load_machine("h100")


def read(tmp_path: Path, source: str, entry: str = "k", **defines: str):
    path = tmp_path / "k.cu"
    path.write_text(source)
    program, values = read_source(path, entry, defines=defines)
    validate(program)
    return program, values


def run(program, args, roles, *, grid=1, block=32, shared=0):
    done = emulate(program, H100, Launch((grid, 1, 1), (block, 1, 1), shared), args, roles=roles)
    assert not done.findings, done.findings
    return done.buffers


def run_out(tmp_path, source, x, *, entry="k", dtype=np.float32, n=32, shared=0, grid=1, block=32):
    """Run `k(x, y, n)` and return y."""
    program, _ = read(tmp_path, source, entry)
    args = {"x": x, "y": np.zeros(n, dtype), "n": n}
    return run(program, args, {"x": "in", "y": "out"}, grid=grid, block=block, shared=shared)["y"]


F = np.arange(32, dtype=np.float32) * 0.25 - 3
N = np.arange(32, dtype=np.int32) * 7 - 50
LANE = np.arange(32)

# name: (source of the body of k(const T* x, U* y, int n), x, expected y)
BODIES = {
    "integer arithmetic": ("const int*", "int*", "y[i] = (x[i] * 3 - 7) / 4 + x[i] % 5;", N,
                           np.trunc((N * 3 - 7) / 4).astype(np.int32) + np.fmod(N, 5)),
    "unsigned wraps": ("const int*", "unsigned*", "y[i] = (unsigned)x[i] * 2654435761u >> 3;", N,
                       ((N.astype(np.uint32) * np.uint32(2654435761)) >> 3).astype(np.uint32)),
    "64-bit": ("const int*", "long long*", "y[i] = (long long)x[i] * 1000000007LL;", N, N.astype(np.int64) * 1000000007),
    "char narrows": ("const int*", "signed char*", "y[i] = x[i];", N, N.astype(np.int8)),
    "shifts and masks": ("const int*", "int*", "y[i] = ((x[i] << 2) ^ (x[i] & 0xff)) | 1;", N, ((N << 2) ^ (N & 255)) | 1),
    "float from double literal": ("const float*", "float*", "y[i] = x[i] * (float)2.5 + 1.0f;", F, F * np.float32(2.5) + 1),
    "double arithmetic": ("const float*", "double*", "y[i] = x[i] * 0.1;", F, F.astype(np.float64) * 0.1),
    "ternary and logic": ("const int*", "int*", "y[i] = (x[i] > 0 && x[i] % 2 == 0) || x[i] < -40 ? 1 : -1;", N,
                          np.where(((N > 0) & (N % 2 == 0)) | (N < -40), 1, -1)),
    "not and comparison as int": ("const int*", "int*", "y[i] = !x[i] + (x[i] > 3);", N, (N == 0).astype(int) + (N > 3)),
    "while and break": ("const int*", "int*", "int v = 0; while (true) { v += 3; if (v > i) break; } y[i] = v;", N,
                        (LANE // 3 + 1) * 3),
    "do while": ("const int*", "int*", "int v = 0; do { v++; } while (v < i); y[i] = v;", N, np.maximum(LANE, 1)),
    "continue": ("const int*", "int*", "int s = 0; for (int k = 0; k < i; ++k) { if (k & 1) continue; s += k; } y[i] = s;",
                 N, [sum(range(0, i, 2)) for i in range(32)]),
    "nested increments": ("const int*", "int*", "int k = i; int a = k++; int b = --k; y[i] = a * 100 + b + k;", N,
                          LANE * 100 + LANE + LANE),
    "compound with conversion": ("const int*", "int*", "int v = x[i]; v += 0.5f; v *= 1.5; y[i] = v;", N,
                                 np.trunc(np.trunc(N + 0.5) * 1.5)),
    "local array": ("const int*", "int*", "int a[4] = {1, 2, 3}; a[i % 4] += i; y[i] = a[0] + a[1] + a[2] + a[3];", N,
                    6 + LANE),
    "nested array of zeros": ("const int*", "int*", "int a[2][3] = {}; a[i & 1][2] += i; y[i] = a[0][2] + a[1][2] + a[0][0];",
                              N, LANE),
    "nested array with short rows": (
        "const int*", "int*", "const int a[3][3] = {{1, 2}, {}, {7, 8, 9}}; y[i] = a[i % 3][0] * 100 + a[i % 3][1] * 10 + a[i % 3][2];",
        N, np.array([120, 0, 789])[LANE % 3]),
    "float4": ("const float*", "float*", "float4 v = make_float4(x[i], 1.f, 2.f, 3.f); v.y += v.x; y[i] = v.y * v.w;", F,
               (F + 1) * 3),
    "reinterpret": ("const float*", "float*",
                    "const float4* p = reinterpret_cast<const float4*>(x); y[i] = p[i / 4].x + p[i / 4].w;", F,
                    F[LANE // 4 * 4] + F[LANE // 4 * 4 + 3]),
    "bits": ("const float*", "int*", "y[i] = __float_as_int(x[i]) & 0x7fffffff;", F, F.view(np.int32) & 0x7FFFFFFF),
    "a pointer by a constant": ("const float*", "float*", "__shared__ float s[32];"
                               " float* p = sizeof(float) == 4 ? s : y; p[i] = x[i]; __syncthreads(); y[i] = p[31 - i];", F, F[::-1]),
    "pointer offset": ("const float*", "float*", "const float* p = x + i; ++p; y[i] = *(p - 1) + p[-1];", F, F + F),
    "address of": ("const float*", "float*", "const float* p = &x[i]; y[i] = *p;", F, F),
    "math": ("const float*", "float*", "y[i] = fmaxf(fabsf(x[i]), 1.f) + floorf(x[i]) + sqrtf(4.f);", F,
             np.maximum(abs(F), 1) + np.floor(F) + 2),
    "min max": ("const int*", "int*", "y[i] = min(x[i], 5) + max(x[i], -5) + abs(x[i]);", N,
                np.minimum(N, 5) + np.maximum(N, -5) + abs(N)),
    "bit functions": ("const int*", "int*", "y[i] = __popc(x[i]) + __clz(x[i]) * 100 + __ffs(x[i]) * 10000;", N,
                      [bin(v & 0xFFFFFFFF).count("1") + (32 - (v & 0xFFFFFFFF).bit_length()) * 100
                       + ((v & -v).bit_length()) * 10000 for v in N.tolist()]),
    "shuffle down": ("const int*", "int*", "y[i] = __shfl_down_sync(0xffffffffu, x[i], 4);", N,
                     np.where(LANE + 4 < 32, N[(LANE + 4) % 32], N)),
    "shuffle width": ("const int*", "int*", "y[i] = __shfl_xor_sync(0xffffffff, x[i], 3, 8);", N, N[LANE ^ 3]),
    "shuffle broadcast": ("const int*", "int*", "y[i] = __shfl_sync(~0u, x[i], 5);", N, np.full(32, N[5])),
    "ballot": ("const int*", "unsigned*", "y[i] = __ballot_sync(0xffffffffu, x[i] > 0);", N,
               np.full(32, sum(1 << k for k in range(32) if N[k] > 0))),
    "static shared": ("const int*", "int*", "__shared__ int s[32]; s[i] = x[i]; __syncthreads(); y[i] = s[31 - i];", N,
                      N[::-1]),
    "nested shared": ("const int*", "int*",
                      "__shared__ int s[4][9]; s[i / 8][i % 8] = x[i]; __syncthreads(); y[i] = s[3 - i / 8][i % 8];", N,
                      N.reshape(4, 8)[::-1].ravel()),
    "atomics": ("const int*", "int*",
                "__shared__ int s; if (i == 0) s = 0; __syncthreads(); atomicAdd(&s, x[i]); atomicMax(&s, -1000);"
                " __syncthreads(); y[i] = s;", N, np.full(32, N.sum())),
    "shadowed names": ("const int*", "int*", "int v = 1; { int v = x[i]; y[i] = v; } y[i] += v;", N, N + 1),
    "void cast and empty": ("const int*", "int*", "(void)x; ; y[i] = i;", N, LANE),
}  # fmt: skip


@pytest.mark.parametrize("width", [16, 4])
def test_a_pointer_chosen_by_a_constant_variable(tmp_path, width):
    source = """template <bool SHARED, int WIDTH> __global__ void k(const float* x, float* y, int n) {
    __shared__ float buffer[32];
    constexpr bool in_shared = SHARED && WIDTH > 8;
    const bool direct = !in_shared;
    float* p = in_shared ? buffer : y;
    { const bool in_shared = n < 0; if (in_shared) return; }
    p[threadIdx.x] = x[threadIdx.x];
    __syncthreads();
    const float* q = direct ? x : buffer;
    const float other = q[31 - threadIdx.x];
    __syncthreads();
    y[threadIdx.x] = other + (in_shared ? 100.0f : 0.0f);
}"""
    got = run_out(tmp_path, source, F, entry=f"k<true, {width}>")
    np.testing.assert_array_equal(got, F[::-1] + (100 if width > 8 else 0))
    with pytest.raises(Refusal, match=r"k\.cu:5: error GP1201"):
        read(
            tmp_path, source.replace("constexpr bool in_shared = SHARED &&", "bool in_shared = n > 0 &&"), "k<true, 16>"
        )


@pytest.mark.parametrize("name", BODIES)
def test_constructs(tmp_path, name):
    t, u, body, x, expected = BODIES[name]
    source = f"__global__ void k({t} x, {u} y, int n) {{ int i = threadIdx.x; if (i < n) {{ {body} }} }}"
    dtype = {"int*": np.int32, "unsigned*": np.uint32, "long long*": np.int64, "signed char*": np.int8,
             "float*": np.float32, "double*": np.float64}[u]  # fmt: skip
    if "sync" in body:  # a barrier under `if (i < n)` is fine in CUDA as all threads take it
        source = f"__global__ void k({t} x, {u} y, int n) {{ int i = threadIdx.x; {body} }}"
    got = run_out(tmp_path, source, x, dtype=dtype)
    np.testing.assert_array_equal(got, np.asarray(expected).astype(dtype))


def test_templates_and_device_functions(tmp_path):
    source = """
template <typename T, int SCALE> __device__ T twice(T v) { return v * SCALE; }
__device__ void add_to(float* p, const float& v) { *p += v; }
__device__ void bump(int& v) { v += 1; }
template <typename T, int N>
__global__ void k(const T* x, T* y, int n) {
  int i = threadIdx.x;
  bump(i);
  --i;
  float local = twice<T, N>(x[i]);
  add_to(&local, 1.0f);
  y[i] = local + twice<int, 3>(2);
}
"""
    got = run_out(tmp_path, source, F, entry="k<float, 4>")
    np.testing.assert_array_equal(got, F * 4 + 1 + 6)


def test_template_values_and_names(tmp_path):
    source = (
        "#define WARP 32\ntemplate <int TILE> __global__ void k(int* y) { y[threadIdx.x] = TILE + WARP * (WARP - 1); }"
    )
    program, values = read(tmp_path, source, "k<16>")
    assert values == {"TILE": 16}
    named = {n.name: n.value for n in walk(program.kernel) if isinstance(n, Const) and n.name}
    assert named == {"TILE": 16, "WARP": 32}
    assert {c.name: c.value for c in program.constants} == named


def test_defines(tmp_path):
    program, _ = read(tmp_path, "__global__ void k(int* y) { y[0] = BLOCK; }", BLOCK="128")
    assert [(c.name, c.value) for c in program.constants] == [("BLOCK", 128)]


def test_dynamic_shared_memory(tmp_path):
    source = """
extern __shared__ int buffer[];
__global__ void k(const int* x, int* y, int n) {
  int i = threadIdx.x;
  buffer[i] = x[i];
  __syncthreads();
  y[i] = buffer[n - 1 - i];
}"""
    np.testing.assert_array_equal(run_out(tmp_path, source, N, dtype=np.int32, shared=128), N[::-1])


def test_comments_and_names_are_kept(tmp_path):
    source = """// The header.

// What k does.
__global__ void k(int* y) {
  // before
  int first = 1;  // behind
  /* last */
  y[0] = first;
}"""
    program, _ = read(tmp_path, source)
    assert program.header_comments == ("// The header.",)
    assert program.kernel.comments == ("// What k does.",)
    declare, assign = program.kernel.body
    assert (declare.comments, declare.trailing) == (("// before",), "// behind")
    assert assign.comments == ("/* last */",)


REFUSED = {
    "case inside a block": ("switch (n) { case 1: { y[0] = 1; case 2: y[1] = 1; } }", "GP1101"),
    "goto": ("goto end; end: y[0] = 1;", "GP1101"),
    "inline assembly": ('asm("nop;");', "GP1101"),
    "printf": ('printf("%d", n);', "GP1104"),
    "mutable lambda": ("auto f = [n](int a) mutable { n += a; return n; }; y[0] = f(1);", "GP1102"),
    "clock": ("y[0] = clock();", "GP1104"),
    "bit-field": ("struct P { int a : 3, b : 5; } p; p.a = n; y[0] = p.a;", "GP1103"),
    "base class": ("struct P { int a; }; struct Q : P { int b; } q; q.a = n; y[0] = q.a;", "GP1103"),
    "object with pointers, changed": ("struct P { int* p; __device__ void move() { ++p; } } q{y}; q.move();", "GP1102"),
    "effect in ?: whose value is not used": ("1 + (n > 0 ? atomicAdd(y, 1) : 0);", "GP1105"),
    "static variable": ("static int v = 0; y[0] = v;", "GP11"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refusals_name_number_and_line(tmp_path, name):
    body, number = REFUSED[name]
    with pytest.raises(Refusal) as refusal:
        read(tmp_path, f"__global__ void k(int* y, int n) {{\n\n  {body}\n}}")
    first = refusal.value.diagnostics[0]
    assert first.number.startswith(number), first
    assert first.loc is not None
    assert (first.loc.file, first.loc.line) == ("k.cu", 3)


def test_every_refusal_is_reported_at_once(tmp_path):
    source = '__global__ void k(int* y, int n) {\n  asm("nop;");\n  y[0] = clock();\n  goto a;\n  a: y[0] = 1;\n}'
    with pytest.raises(Refusal) as refusal:
        read(tmp_path, source)
    assert [d.loc.line for d in refusal.value.diagnostics] == [2, 3, 4, 5]


def test_recursion_is_refused(tmp_path):
    source = "__device__ int f(int n) { return n < 2 ? 1 : n * f(n - 1); }\n__global__ void k(int* y, int n) { y[0] = f(n); }"
    with pytest.raises(Refusal, match="GP1106"):
        read(tmp_path, source)


def test_what_does_not_compile_gives_clangs_message(tmp_path):
    with pytest.raises(Refusal) as refusal:
        read(tmp_path, "__global__ void k(int* y) {\n  y[0] = undeclared;\n}")
    first = refusal.value.diagnostics[0]
    assert (first.number, first.loc.file, first.loc.line) == ("GP1001", "k.cu", 2)
    assert "undeclared" in first.message


def test_missing_entry_names_those_that_are_there(tmp_path):
    with pytest.raises(Refusal) as refusal:
        read(tmp_path, "__global__ void softmax(int* y) {}\n__global__ void other(int* y) {}", "sofmax")
    assert "GP1002" in str(refusal.value)
    assert "other, softmax" in str(refusal.value)
    assert "did you mean 'softmax'" in str(refusal.value)


def test_wrong_instantiation_is_named(tmp_path):
    with pytest.raises(Refusal, match="GP1003"):
        read(tmp_path, "template <int N> __global__ void k(int* y) { y[0] = N; }", "k<float>")


def test_generic_pointer_into_two_spaces_is_refused(tmp_path):
    source = """__global__ void k(int* y, int n) {
  __shared__ int s[4];
  int* p = n > 1 ? y : s;
  p[0] = 1;
}"""
    with pytest.raises(Refusal, match="GP1201"):
        read(tmp_path, source)


def test_device_functions_keep_the_authors_order(tmp_path):
    source = """__device__ int second(int a) { return a + 1; }
__device__ int first(int a) { return a * 2; }
__global__ void k(int* y) { y[0] = first(1); y[1] = second(first(2)); }"""
    program, _ = read(tmp_path, source)
    assert [f.name for f in program.functions] == ["second", "first"]


@pytest.mark.parametrize(
    "statement",
    ["(int)atomicAdd(y, 1);", "(void)atomicAdd(y, 1);", "atomicAdd(y, 1);", "(float)bump(y);", "2 * atomicAdd(y, 1);"],
)
def test_an_effect_whose_value_is_thrown_away_stays(tmp_path, statement):
    source = f"""__device__ int bump(int* p) {{ return atomicAdd(p, 1); }}
__global__ void k(int* y) {{ {statement} }}"""
    program, _ = read(tmp_path, source)
    assert run(program, {"y": np.zeros(1, np.int32)}, {"y": "inout"})["y"][0] == 32


def test_an_effect_under_a_condition_in_a_value_that_is_thrown_away_is_refused(tmp_path):
    with pytest.raises(Refusal, match="GP1105"):
        read(tmp_path, "__global__ void k(int* y) { 2 * (threadIdx.x > 3 ? atomicAdd(y, 1) : 0); }")


def test_nesting_that_is_not_too_deep_is_read(tmp_path):
    value = "(" * 50 + "x[0]" + " + 1)" * 50
    read(tmp_path, f"__global__ void k(const int* x, int* y, int n) {{ y[0] = {value}; }}")


@pytest.mark.parametrize("depth", [400, 3000])
def test_nesting_that_is_too_deep_is_one_clear_error(tmp_path, depth):
    value = "(" * depth + "x[0]" + " + 1)" * depth
    with pytest.raises(GpuportError, match=r"nest|GP1102|GP1001"):
        read(tmp_path, f"__global__ void k(const int* x, int* y, int n) {{ y[0] = {value}; }}")


def test_rows_constants_and_assertions(tmp_path):
    source = """#include <cassert>
__constant__ float scale = 2.0f;
__device__ void load(float (*tile)[33], const float* x) { tile[threadIdx.x / 4][threadIdx.x % 4 * 8] = x[threadIdx.x]; }
__global__ void k(const float* x, float* y, int n) {
  __shared__ float tile[8][33];
  assert(n > 0);
  load(tile, x);
  __syncthreads();
  float (*row)[33] = tile + 1;
  y[threadIdx.x] = tile[7 - threadIdx.x / 4][threadIdx.x % 4 * 8] * scale + (threadIdx.x < 4 ? (*row)[0] + row[-1][8] : 0.0f);
}"""
    got = run_out(tmp_path, source, F)
    want = F.reshape(8, 4)[::-1].ravel() * 2 + np.where(LANE < 4, F[4] + F[1], 0)
    np.testing.assert_array_equal(got, want.astype(np.float32))
