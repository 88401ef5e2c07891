"""Host code in a kernel's file is left out where it does not compile, and never changes what the kernel computes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from gpuport.backends.base import Launch
from gpuport.backends.emulator import emulate
from gpuport.backends.readers import read_source
from gpuport.hwmodels import load_machine
from gpuport.ir.diagnostics import Refusal
from gpuport.ir.validate import validate

if TYPE_CHECKING:
    from pathlib import Path

X = np.arange(32, dtype="f4") * 0.5 - 3

HEADER = """#include <vendor_blas.h>
#define BOTH __host__ __device__
#define INLINE BOTH inline
vendorHandle_t handle;
static const int SCALE = 3;
INLINE float scaled(float v) { return v * SCALE; }
namespace mine {
    BOTH float moved(float v) { return v + 1.0f; }
    vendorStatus_t check(vendorStatus_t s) { if (s != VENDOR_OK) { exit(1); } return s; }
}
"""
SOURCE = """#include <vendor/tensor.h>
#include <vector>
#include "helpers.h"
#define CHECK(e) (check(e, __FILE__, __LINE__))
#define OFFSET 7.0f
template <typename T> using launcher = void (*)(T* y, int n, cudaStream_t stream, cudaEvent_t done);
std::vector<vendor::Tensor> forward(vendor::Tensor q) { return {q}; }
void check(cudaError_t e, const char* file, int line) {
    if (e != cudaSuccess) printf("%s:%d\\n", file, line);  // a comment of the host's
}
template <typename T> struct Buffer { T* data; cudaEvent_t event; };
extern "C" {
// what the kernel computes
__global__ void k(const float* x, float* y, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
#define TWICE(v) ((v) * 2)
    if (i < n) y[i] = TWICE(mine::moved(scaled(x[i]))) + OFFSET;
}
}
template <typename T> void launch(T* x, T* y, int n) {
#ifdef TIMED
    CHECK(cudaEventRecord(0));
#endif
    k<<<1, 32>>>(x, y, n);
    CHECK(cudaGetLastError());
}
class App { public: void run(); private: vendorHandle_t h; };
void App::run() { CHECK(cudaMalloc(&h, 4)); }
int main(int argc, char** argv) { launch<float>(nullptr, nullptr, 0); return 0; }
"""


def read(tmp_path: Path, source: str, **headers: str) -> Any:
    for name, text in headers.items():
        (tmp_path / f"{name}.h").write_text(text)
    path = tmp_path / "k.cu"
    path.write_text(source)
    program, _ = read_source(path, "k")
    validate(program)
    return program


def run(program: Any) -> Any:
    args = {"x": X, "y": np.zeros(32, "f4"), "n": 32}
    done = emulate(program, load_machine("h100"), Launch((1, 1, 1), (32, 1, 1)), args, roles={"x": "in", "y": "out"})
    assert not done.findings, done.findings
    return done.buffers["y"]


def test_a_kernel_is_read_from_among_its_host_code(tmp_path):
    program = read(tmp_path, SOURCE, helpers=HEADER)
    np.testing.assert_array_equal(run(program), (X * 3 + 1) * 2 + 7)
    assert [c.name for c in program.constants] == ["OFFSET", "SCALE"]
    assert program.kernel.comments == ("// what the kernel computes",)
    assert {"#include <vendor_blas.h>", "#include <vendor/tensor.h>", "helpers.h, line 4", "k.cu, line 7"} <= set(
        program.left_out
    )
    assert "k.cu, lines 14 to 18" not in program.left_out


def test_what_compiles_is_read_whole(tmp_path):
    assert read(tmp_path, "int host() { return 1; }\n__global__ void k(float* y) { y[0] = 1; }").left_out == ()


def test_only_errors_that_concern_the_kernel_are_told(tmp_path):
    source = "int main() { return nothing; }\n__global__ void k(float* y) {\n  y[0] = undeclared;\n}\n"
    with pytest.raises(Refusal) as refusal:
        read(tmp_path, source)
    assert [d.loc.line for d in refusal.value.diagnostics if d.loc] == [3]


@pytest.mark.parametrize(
    ("source", "said"),
    [
        # what the kernel needs is missed where it is used
        ("vendor_t size = 3;\n__global__ void k(float* y) { y[0] = size; }", "undeclared identifier 'size'"),
        # without the specialisation, the kernel would compute with the template
        ("template <class T> struct A { static const int v = 1; };\n"
         "template <> struct A<int> { static const int v = vendor_v; };\n"
         "__global__ void k(float* y) { y[0] = A<int>::v; }", "'vendor_v'"),
        ("template <class T> int v() { return 1; }\ntemplate <> int v<int>() { return vendor_v; }\n"
         "__global__ void k(float* y) { y[0] = 1; }", "'vendor_v'"),
        # without the type, one of the same name outside the namespace would be taken
        ("typedef int real;\nnamespace a { typedef vendor::real real; __device__ real half(real v) { return v / 2; } }\n"
         "__global__ void k(float* y) { y[0] = a::half(1.0f); }", "'vendor'"),
        ("typedef int real;\ntypedef vendor_t real;\n__global__ void k(float* y) { y[0] = (real)1.5f; }", "'vendor_t'"),
        # a header of the user's own may define what an #if asks for
        ('#include "settings.h"\n__global__ void k(float* y) { y[0] = 1; }', "'settings.h' file not found"),
        ("#define DEVICE __device__\nDEVICE vendor_t f(float v) { return v; }\n__global__ void k(float* y) { y[0] = 1; }",
         "'vendor_t'"),
    ],
)  # fmt: skip
def test_what_could_change_the_kernel_is_refused(tmp_path, source, said):
    with pytest.raises(Refusal, match="GP1001") as refusal:
        read(tmp_path, source)
    assert said in str(refusal.value)
