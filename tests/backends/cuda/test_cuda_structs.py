"""Structs, functors, lambdas, unions: read from CUDA, emulated, and through the texts of other languages, against NumPy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from gpuport.backends.base import Launch
from gpuport.backends.clike.plan import WritePlan
from gpuport.backends.cuda.reader import read_cuda
from gpuport.backends.emulator import emulate
from gpuport.backends.readers import read_text
from gpuport.hwmodels import load_machine
from gpuport.ir.diagnostics import Refusal
from gpuport.ir.rewrites.retype import program_structs
from gpuport.ir.rewrites.spaces import resolve_spaces
from gpuport.ir.validate import validate

if TYPE_CHECKING:
    from pathlib import Path

    from gpuport.ir.nodes import Program

N = 32
X = np.arange(N, dtype="f4") * 0.5 - 3
LANE = np.arange(N)
ROLES: dict[str, Any] = {"x": "in", "y": "out"}

# name: (what stands before the kernel, the body of k(const float* x, float* y, int n), the expected y)
CASES: dict[str, tuple[str, str, Any]] = {
    "a destructor that does nothing": (
        "struct Held { float v; __device__ ~Held() {} };",
        "Held h; h.v = x[i]; y[i] = h.v + 1.0f;",
        X + 1,
    ),
    "constants of types and templates": (
        "template <typename T, typename U> inline constexpr bool same = __is_same(T, U); template <int K> constexpr int twice = 2 * K;"
        "template <typename T> struct Pack { static constexpr int size = 16 / sizeof(T); T v[size]; };"
        "template <typename T> __device__ float as(T v) { if constexpr (same<T, float>) return v * 2.0f; else return v; }",
        "Pack<float> p; p.v[p.size - 1] = x[i]; y[i] = as(p.v[3]) + as(3) + twice<5> + (same<int, const int> ? 100 : 0);",
        2 * X + 13,
    ),
    "types by a template's arguments": (
        "template <typename T> struct Of; template <> struct Of<float> { typedef float4 Four; typedef int Whole; };"
        "template <> struct Of<double> { typedef double4 Four; typedef long Whole; };"
        "template <typename T> __device__ typename Of<T>::Four four(const typename Of<T>::Four* p, typename Of<T>::Whole at) {"
        " typename Of<T>::Four v = p[at]; v.w += 1.0f; return v; }",
        "typedef Of<float>::Four Mine; Mine v = four<float>((const Mine*)x, i / 4); y[i] = v.x + v.w;",
        X[LANE // 4 * 4] + X[LANE // 4 * 4 + 3] + 1,
    ),
    "locals, copies, nested": (
        "struct P { float a; int b; }; struct Q { P p; float v[3]; };",
        "Q q = {{x[i], 2}, {1.0f, 2.0f}}; Q r = q; r.p.b += 5; r.v[i % 3] = 9.0f; q.p = r.p;"
        "y[i] = q.p.a + q.p.b + r.v[0] + 10.0f * r.v[1] + 100.0f * r.v[2] + q.v[1];",
        X
        + 7
        + np.where(LANE % 3 == 0, 9, 1)
        + 10 * np.where(LANE % 3 == 1, 9, 2)
        + 100 * np.where(LANE % 3 == 2, 9, 0)
        + 2,
    ),
    "constructor, operators, methods": (
        """struct V { float a, b;
            __device__ V(float p, float q) : a(p), b(q) {}
            __device__ V operator+(const V& o) const { return V(a + o.a, b + o.b); }
            __device__ V& operator*=(float s) { a *= s; b *= s; return *this; }
            __device__ float dot(const V& o) const { return a * o.a + b * o.b; } };""",
        "V v(x[i], 2.0f); V w = v + V(1.0f, 3.0f); w *= 2.0f; y[i] = w.dot(v) + (v + w).a;",
        (2 * (X + 1)) * X + 10 * 2 + X + 2 * (X + 1),
    ),
    "constructor with a body, by pointer and by reference": (
        """struct C { int n; float s; __device__ C(float v) : s(v) { n = 1; if (v < 0.0f) n = -1; } };
        __device__ void twice(C* c) { c->s *= 2.0f; } __device__ void more(C& c) { c.n += 3; }""",
        "C c(x[i]); twice(&c); more(c); y[i] = c.s + c.n;",
        2 * X + np.where(X < 0, 2, 4),
    ),
    "shared array of structs": (
        "struct P { float a; int b; };",
        "__shared__ P t[32]; t[i] = P{x[i], i}; __syncthreads(); P q = t[31 - i]; y[i] = q.a + q.b;",
        X[::-1] + LANE[::-1],
    ),
    "class template and select": (
        "template <typename T> struct Pair { T a, b; };",
        "Pair<float> p = {x[i], 1.0f}, q = {2.0f, x[i]}; Pair<float> r = x[i] > 0.0f ? p : q; y[i] = r.a * 10.0f + r.b;",
        np.where(X > 0, X * 10 + 1, 20 + X),
    ),
    "functors, empty and with state": (
        """template <typename T> struct Plus { __device__ T operator()(T a, T b) const { return a + b; } };
        struct Scale { float s; __device__ float operator()(float v) const { return s * v; } };
        template <typename F, typename G> __device__ float both(F f, G g, float v) { return f(g(v), v); }""",
        "Scale s{3.0f}; y[i] = both(Plus<float>(), s, x[i]);",
        4 * X,
    ),
    "functor with a pointer": (
        "struct At { const float* p; int off; __device__ float operator()(int i) const { return p[(i + off) % 32]; } };"
        "template <typename F> __device__ float ask(const F& f, int i) { return f(i); }",
        "At at{x, 3}; y[i] = ask(at, i) + at(0);",
        np.roll(X, -3) + X[3],
    ),
    "lambda: captured value is that of its making": (
        "template <typename F> __device__ float ask(F f, float v) { return f(v); }",
        "float c = 2.0f; auto f = [=](float v) { return v * c; }; c = 100.0f; y[i] = ask(f, x[i]) + f(1.0f) + c;",
        2 * X + 102,
    ),
    "lambda: by reference, with initialiser, generic": (
        "",
        "float s = 1.0f; auto add = [&](float v) { s += v; }; add(x[i]); add(2.0f);"
        "auto g = [k = n + 1](auto v) { return v * k; }; y[i] = s + g(x[i]) + g(2);",
        X + 3 + 33 * X + 66,
    ),
    "union of bits": (
        "union Bits { float f; unsigned u; unsigned char b[4]; };",
        "Bits v; v.f = x[i]; v.u ^= 0x80000000u; y[i] = v.f + (float)(v.b[3] >> 7);",
        -X + (np.signbit(-X)),
    ),
    "alignment and sizes": (
        "struct alignas(16) A { float a; }; struct __attribute__((packed)) B { short s; char c[4]; };"
        "struct D { char c; A a; float4 v; short s; };",
        "y[i] = sizeof(A) * 1000.0f + sizeof(B) * 100.0f + sizeof(D);",
        np.full(N, 16 * 1000 + 6 * 100 + 64),
    ),
}


def source(head: str, body: str) -> str:
    return f"{head}\n__global__ void k(const float* x, float* y, int n) {{ int i = threadIdx.x;\n{body}\n}}"


def read(tmp_path: Path, text: str) -> Program:
    path = tmp_path / "k.cu"
    path.write_text(text)
    program = resolve_spaces(read_cuda(path, "k")[0])
    validate(program)
    return program


def run(program: Program, device: str) -> np.ndarray:
    names = [p.name for p in program.kernel.params]
    args = dict(zip(names, (X, np.zeros(N, "f4"), 32), strict=True))
    roles: dict[str, Any] = {names[0]: "in", names[1]: "out"}
    done = emulate(program, load_machine(device), Launch((1, 1, 1), (N, 1, 1)), args, roles=roles)
    assert not done.findings, done.findings
    return done.buffers[names[1]]


@pytest.mark.parametrize("name", CASES)
def test_in_emulation(tmp_path: Path, name: str) -> None:
    head, body, want = CASES[name]
    np.testing.assert_array_equal(run(read(tmp_path, source(head, body)), "h100"), np.asarray(want, "f4"))


@pytest.mark.parametrize("device", ["cpu", "m4", "mi300x", "h100"])
@pytest.mark.parametrize("name", CASES)
def test_written_and_read_back(tmp_path: Path, name: str, device: str) -> None:
    from gpuport.porting.translate import language_for

    head, body, want = CASES[name]
    program, machine = read(tmp_path, source(head, body)), load_machine(device)
    text = _write(language_for(machine), program, machine)
    np.testing.assert_array_equal(run(resolve_spaces(read_text(text)), device), np.asarray(want, "f4"))


def _write(language: str, program: Program, machine: Any) -> Any:
    from importlib import import_module

    plan = WritePlan("k", ROLES, (N, 1, 1), "k.cu")
    return import_module(f"gpuport.backends.{language}.writer").write(program, machine, plan)


@pytest.mark.parametrize("name", CASES)
def test_on_the_opencl_device(tmp_path: Path, name: str) -> None:
    cl = pytest.importorskip("pyopencl", reason="needs PyOpenCL")
    import pyopencl.array as cla
    from gpuport.hwmodels.probe.pocl import VARIABLE, name_cpu

    devices = [d for p in cl.get_platforms() for d in p.get_devices()]
    if not devices:
        pytest.skip("no OpenCL device")
    head, body, want = CASES[name]
    text = _write("opencl", read(tmp_path, source(head, body)), load_machine("cpu"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(VARIABLE, "auto")
        name_cpu(devices[0])
        queue = cl.CommandQueue(cl.Context(devices[:1]))
        kernel = cl.Kernel(cl.Program(queue.context, text.source).build(options=list(text.options)), "k")
    x, y = cla.to_device(queue, X), cla.zeros(queue, N, "f4")
    kernel(queue, (N,), (N,), x.data, y.data, np.int32(32))
    np.testing.assert_array_equal(y.get(), np.asarray(want, "f4"))


def test_a_buffer_of_structs_has_cs_layout(tmp_path: Path) -> None:
    text = """struct B { unsigned short d; unsigned char q[16]; };
    __global__ void k(const B* x, float* y, int n) {
        int i = threadIdx.x; const B* b = x + i / 16; y[i] = b->d * 1000.0f + b->q[i % 16]; }"""
    program = read(tmp_path, text)
    (struct,) = program_structs(program)
    assert (struct.size, struct.alignment) == (18, 2)
    raw = np.random.default_rng(1).integers(0, 255, 36).astype("u1")
    args = {"x": raw, "y": np.zeros(N, "f4"), "n": 32}
    done = emulate(program, load_machine("h100"), Launch((1, 1, 1), (N, 1, 1)), args, roles=ROLES)
    blocks = raw.reshape(2, 18)
    want = [blocks[i // 16, :2].copy().view("u2")[0] * 1000.0 + blocks[i // 16, 2 + i % 16] for i in range(N)]
    np.testing.assert_array_equal(done.buffers["y"], np.asarray(want, "f4"))


def test_struct_parameters_of_a_kernel_become_their_members(tmp_path: Path) -> None:
    text = """struct S { float s; int d[2]; }; struct P { const float* x; float* y; S inner; };
    __global__ void k(P p, S s) { int i = threadIdx.x; p.y[i] = p.x[i] * p.inner.s + p.inner.d[1] + s.d[i % 2]; }"""
    program = read(tmp_path, text)
    names = [p.name for p in program.kernel.params]
    assert names == ["p_x", "p_y", "p_inner_s", "p_inner_d_0", "p_inner_d_1", "s_s", "s_d_0", "s_d_1"]
    values = (X, np.zeros(N, "f4"), 2.0, 5, 6, 1.0, 10, 20)
    args = dict(zip(names, values, strict=True))
    roles: dict[str, Any] = {"p_x": "in", "p_y": "out"}
    done = emulate(program, load_machine("h100"), Launch((1, 1, 1), (N, 1, 1)), args, roles=roles)
    np.testing.assert_array_equal(done.buffers["p_y"], X * 2 + 6 + np.where(LANE % 2, 20, 10))


@pytest.mark.parametrize(
    ("head", "body", "number"),
    [
        ("struct P { int a; virtual int f(); };", "P* p = 0; y[i] = p ? 1.0f : 0.0f;", "GP1103"),
        ("struct P { int a : 3; };", "P p; p.a = 1; y[i] = p.a;", "GP1103"),
        ("struct B { int a; }; struct P : B { int c; };", "P p; p.c = 1; y[i] = p.c;", "GP1103"),
        ("struct __attribute__((packed)) P { char c; float f; };", "P p; p.f = 1.0f; y[i] = p.f;", "GP1103"),
        ("", "auto f = [n](int a) mutable { n += a; return n; }; y[i] = f(1);", "GP1102"),
        ("struct P { float* p; __device__ void step() { ++p; } };", "P p{y}; p.step(); y[i] = 1.0f;", "GP1102"),
    ],
)
def test_refused(tmp_path: Path, head: str, body: str, number: str) -> None:
    with pytest.raises(Refusal) as caught:
        read(tmp_path, source(head, body))
    assert number in {d.number for d in caught.value.diagnostics}
    assert all(d.loc is not None for d in caught.value.diagnostics)
