"""Hostile kernels: nothing but a plain kernel of the destination's language gets as far as a compiler."""

from __future__ import annotations

import time

import pytest
from gpuport import Kernel, load_machine
from gpuport.agents.interface import bare
from gpuport.agents.scan import scan
from gpuport.porting.candidate import SourceProgram
from gpuport.porting.translate import read_kernel
from twice import HEAD, RIGHT, write

BODY = "    if (i < n) y[i] = 2.0f * x[i];\n}\n"
CUDA = 'extern "C" __global__ void twice(const float* x, float* y, int n) {\n    int i = blockIdx.x * blockDim.x + threadIdx.x;\n'
METAL = "uint i = thread_position_in_grid.x;\nif (int(i) < n) y[i] = 2.0f * x[i];"
BOMB = "#define A0 + x[i]\n" + "".join(f"#define A{k + 1} A{k} A{k}\n" for k in range(16))


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> SourceProgram:
    return read_kernel(Kernel.load(write(tmp_path_factory.mktemp("twice"))))


def refused(source: SourceProgram, language: str, text: str, header: str = "") -> str:
    dst = load_machine({"cuda": "a100-80", "metal": "m4", "opencl": "arc-b580"}[language])
    written = bare(source, dst, text, header).text
    assert written.language == language
    return scan(written, source.kernel)


def test_a_plain_kernel_is_accepted(source: SourceProgram) -> None:
    assert refused(source, "opencl", RIGHT) == ""
    assert refused(source, "cuda", CUDA + BODY) == ""
    assert refused(source, "metal", METAL) == ""
    assert refused(source, "opencl", "/* it's a kernel; don't worry: \"R\" */\n" + RIGHT) == ""


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("opencl", '#include "/proc/self/environ"\n' + RIGHT),
        ("opencl", '#inc\\\nlude "/etc/passwd"\n' + RIGHT),
        ("opencl", '/**/#/**/include </etc/passwd>\n' + RIGHT),
        ("opencl", '#define F "/etc/passwd"\n#include F\n' + RIGHT),
        ("opencl", "%:include </etc/passwd>\n" + RIGHT),
        ("opencl", "??=include </etc/passwd>\n" + RIGHT),
        ("cuda", "#include <fstream>\n" + CUDA + BODY),
        ("cuda", '#if __has_include("/etc/passwd")\n#endif\n' + CUDA + BODY),
        ("cuda", '#embed "/etc/passwd"\n' + CUDA + BODY),
        ("opencl", "#ifdef POCL_VERSION\n#define n 0\n#endif\n" + RIGHT),
        ("opencl", "// hidden\r#define n 0\n" + RIGHT),
        ("cuda", 'const char* s = R"x(" /* )x";\n#ifdef __clang__\n#define n 0\n#endif\n// */\n' + CUDA + BODY),
        ("cuda", "#define Z 1'0 + '/*'\n#ifdef __clang__\n#define n 0\n#endif\n#define Y '*/'\n" + CUDA + BODY),
        ("opencl", "#pragma push_macro(\"n\")\n" + RIGHT),
        ("opencl", "#pragma clang attribute push (__attribute__((weak)), apply_to = function)\n" + RIGHT),
        ("opencl", HEAD + '    __asm__ volatile ("syscall");\n' + BODY),
        ("opencl", 'int system(__constant char* c);\n' + HEAD + '    system("id");\n' + BODY),
        ("opencl", HEAD + '    printf("%d", n);\n' + BODY),
        ("opencl", "float steal(float) __asm__(\"getenv\");\n" + RIGHT),
        ("opencl", "__attribute__((constructor)) void f(void) {}\n" + RIGHT),
        ("opencl", "__global int calls = 0;\n" + HEAD + "    calls = calls + 1;\n" + BODY),
        ("cuda", "__device__ int calls = 0;\n" + CUDA + "    calls = calls + 1;\n" + BODY),
        ("cuda", CUDA + "    static int calls;\n    calls = calls + 1;\n" + BODY),
        ("cuda", CUDA + "    static __shared__ int* p;\n    *(int*)4096 = 1;\n" + BODY),
        ("opencl", HEAD + "    *(__global int*)4096 = 1;\n" + BODY),
        ("opencl", "int f(int a) { return a > 0 ? f(a - 1) : 0; }\n" + HEAD + "    i += f(i);\n" + BODY),
        ("opencl", HEAD + "    float v = 0.0f A24;\n" + BODY),  # an undeclared name
        ("opencl", RIGHT.replace("twice", "thrice")),
        ("opencl", RIGHT + RIGHT.replace("__kernel", "__kernel __attribute__((overloadable))")),
        ("opencl", "int \u202ea\u202c;\n" + RIGHT),
        ("opencl", RIGHT.replace("x[i] + x[i]", "x[i] /*\u200b*/ + x[i]")),
        ("opencl", RIGHT.replace("int i", "int i\x00")),
        ("opencl", RIGHT.replace("const float* x", "const double* x")),
        ("opencl", RIGHT.replace("__global float* y, int n", "int n, __global float* y")),
        ("metal", METAL + "\n}\nkernel void other(device float* y [[buffer(0)]]) {\n y[0] = 1.0f;"),
        ("metal", '#include <cstdio>\n' + METAL),
        ("opencl", "(" * 20_000 + RIGHT),
        ("opencl", HEAD + "    if (i < n) y[i] = " + "(" * 5_000 + "x[i]" + ")" * 5_000 + ";\n}\n"),
        ("opencl", HEAD + "    if (i < n) y[i] = " + "-" * 1 + " - ".join(["x[i]"] * 20_000) + ";\n}\n"),
        ("opencl", BOMB + HEAD + "    if (i < n) y[i] = 0.0f A16;\n}\n"),
        ("opencl", "__attribute((__alias__(\"free\"))) void f(void);\n" + RIGHT),
        ("cuda", "[[gnu::constructor]] void f() {}\n" + CUDA + BODY),
        ("opencl", "#define A __attribute__\n#define B ((constructor))\nA B void f(void) {}\n" + RIGHT),
        ("opencl", "#define unused constructor\n__attribute__((unused)) void f(void) {}\n" + RIGHT),
        ("cuda", "<:<:gnu::constructor:>:> void f() {}\n" + CUDA + BODY),
        ("cuda", "#define L [gnu::constructor]\n[ L ] void f() {}\n" + CUDA + BODY),
        ("cuda", "#define A __attribute__\n__device__ void f(int* p) {}\n" + CUDA + "    A ((cleanup(f))) int q = 1;\n" + BODY),
    ],
    ids=range(47),
)  # fmt: skip
def test_a_hostile_text_is_refused_with_a_reason(source: SourceProgram, language: str, text: str) -> None:
    started = time.monotonic()
    why = refused(source, language, text)
    assert why
    assert "Traceback" not in why
    assert time.monotonic() - started < 90
