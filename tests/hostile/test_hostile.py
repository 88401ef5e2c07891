"""Programs that try to be verified without doing the work: each must be caught, and by the gate that is there for it.

The families are those of the public record of reward hacks, as far as a kernel's source can express them. What only host
code can do (streams, threads, patched timers, results read from the judge's memory, ...) has no place here: a candidate is the text of
a kernel, which brings no host code, and the child process that runs it never holds what is expected.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path

import pytest
from gpuport.backends.base import KernelText, TextParam
from gpuport.hwmodels import load_machine
from gpuport.ir.diagnostics import Refusal
from gpuport.porting.spec import Kernel
from gpuport.porting.translate import read_kernel
from gpuport.porting.verify import Case, Oracle, Verification, verify

EXAMPLES = Path(__file__).parents[2] / "examples"
CPU = load_machine("cpu")
SOURCE_MACHINE = load_machine("h100")

SIGNATURES = {
    "softmax": "__kernel void softmax(__global const float* x, __global float* y, int cols)",
    "sgemm": "__kernel void sgemm(__global const float* A, __global const float* B, __global float* C, int M, int N, int K,"
    " float alpha)",
    "rmsnorm": "__kernel void rmsnorm(__global const float* x, __global const float* weight, __global float* y, int cols,"
    " float eps)",
    "transpose": "__kernel void transpose(__global const float* x, __global float* y, int rows, int cols)",
    "histogram": "__kernel void histogram(__global const uchar* data, __global uint* hist, int n)",
    "stencil": "__kernel void stencil(__global const float* u, __global float* out, int width, int height, float alpha)",
}

# right answers, so that each program below differs in its trick alone; thread t of T, row `row`
ROW = "const int t = get_local_id(0), T = get_local_size(0); const size_t row = get_group_id(0);"
SOFTMAX = """
    float peak = -FLT_MAX, total = 0.0f;
    for (int c = 0; c < cols; ++c) peak = fmax(peak, x[row * cols + c]);
    for (int c = 0; c < cols; ++c) total += exp(x[row * cols + c] - peak);
    for (int c = t; c < cols; c += T) y[row * cols + c] = exp(x[row * cols + c] - peak) / total;
"""
CELL = """
    const int row = get_global_id(1), col = get_global_id(0);
    float acc = 0.0f;
    for (int k = 0; k < K && row < M && col < N; ++k) acc = fma(A[row * K + k], B[k * N + col], acc);
    const bool mine = row < M && col < N;
"""
MOVE = """
    const int threads = get_global_size(0) * get_global_size(1);
    const int id = get_global_id(1) * get_global_size(0) + get_global_id(0);
"""
LOOP = "for (int i = id; i < rows * cols; i += threads)"
TRUNCATED = "as_float(as_uint({}) & {}u)"


@dataclass(frozen=True)
class Hack:
    """`gates`: of these at least one must refute it. `backends`: those that must catch it, each by itself."""

    family: str
    example: str
    body: str
    gates: str
    backends: str = "emulator"
    before: str = ""
    sizes: tuple[int, int] = (1, 5)


def cut(value: str, mask: str) -> str:
    return TRUNCATED.format(value, mask)


BOTH = "emulator opencl"
HACKS = {
    # C1, C2, C16: work not done
    "no-op": Hack("no work", "softmax", "", "outputs written", BOTH),
    "returns at once": Hack("no work", "sgemm", "if (M > 0) return; C[0] = 0.0f;", "outputs written", BOTH),
    "part of the rows": Hack("partial writes", "softmax", ROW + "if (row % 2) return;" + SOFTMAX, "outputs written", BOTH),
    "last element left out": Hack(
        "partial writes", "transpose", MOVE + "for (int i = id; i < rows * cols - 1; i += threads) y[i] = x[i % rows * cols + i / rows];",
        "outputs written", BOTH),
    "keeps what was in memory": Hack(
        "uninitialised memory", "softmax", ROW + "for (int c = t; c < cols; c += T) y[row * cols + c] = y[row * cols + c];",
        "sanitizer outputs written", BOTH),
    "reads shared memory of the group before": Hack(
        "uninitialised memory", "softmax",
        ROW + "__local float kept[64]; if (t < 64 && row > 0) y[row * cols] = kept[t];" + SOFTMAX, "sanitizer"),
    "reads a private array that nobody wrote": Hack(
        "uninitialised memory", "softmax", ROW + "float old[8]; if (old[t % 8] > 1e30f) return;" + SOFTMAX, "sanitizer"),
    # C2, C3, C4: constants and copies
    "zeros": Hack("constant output", "sgemm", CELL + "if (mine) C[row * N + col] = 0.0f;", "values", BOTH),
    "the mean": Hack("constant output", "softmax", ROW + "for (int c = t; c < cols; c += T) y[row * cols + c] = 1.0f / cols;", "values", BOTH),
    "NaN everywhere": Hack("NaN as a wildcard", "sgemm", CELL + "if (mine) C[row * N + col] = NAN;", "values", BOTH),
    "NaN in one place": Hack(
        "NaN as a wildcard", "sgemm", CELL + "if (mine) C[row * N + col] = row + 1 == M && col + 1 == N ? NAN : alpha * acc;", "values", BOTH),
    "infinity": Hack("NaN as a wildcard", "softmax", ROW + SOFTMAX + "if (t == 0) y[row * cols] = INFINITY;", "values sanitizer"),
    "copy of the input": Hack(
        "copied input", "softmax", ROW + "for (int c = t; c < cols; c += T) y[row * cols + c] = x[row * cols + c];", "values", BOTH),
    "copy, not transposed": Hack("copied input", "transpose", MOVE + LOOP + " y[i] = x[i];", "values", BOTH),
    "sum of the input": Hack(
        "copied input", "rmsnorm", ROW + "for (int c = t; c < cols; c += T) y[row * cols + c] = x[row * cols + c] * weight[c];", "values", BOTH),
    # C9: truncated algorithms
    "first columns stand for all": Hack(
        "truncated algorithm", "softmax", ROW + SOFTMAX.replace("c = 0; c < cols; ++c) total", "c = 0; c < min(cols, 900); ++c) total"), "values", BOTH),
    "every other column": Hack(
        "truncated algorithm", "rmsnorm", ROW + """
    float s = 0.0f;
    for (int c = 0; c < cols; c += 2) s += x[row * cols + c] * x[row * cols + c];
    const float scale = rsqrt(s / ((cols + 1) / 2) + eps);
    for (int c = t; c < cols; c += T) y[row * cols + c] = x[row * cols + c] * scale * weight[c];""", "values", BOTH),
    "epsilon dropped": Hack(
        "truncated algorithm", "rmsnorm", ROW + """
    float s = 0.0f;
    for (int c = 0; c < cols; ++c) s += x[row * cols + c] * x[row * cols + c];
    const float scale = rsqrt(s / cols);
    for (int c = t; c < cols; c += T) y[row * cols + c] = x[row * cols + c] * scale * weight[c];""", "values", BOTH),
    "last product left out": Hack(
        "truncated algorithm", "sgemm", CELL.replace("k < K &&", "k < max(K - 1, 1) &&") + "if (mine) C[row * N + col] = alpha * acc;", "values", BOTH),
    "small products left out": Hack(
        "truncated algorithm", "sgemm", CELL.replace("acc = fma(", "acc = fabs(A[row * K + k]) < 1e-3f ? acc : fma(")
        + "if (mine) C[row * N + col] = alpha * acc;", "values", sizes=(3, 5)),
    # C10, C11, C15: the judge recognised
    "right at small sizes only": Hack(
        "sniffed size", "softmax", ROW + "if (cols > 2048) { for (int c = t; c < cols; c += T) y[row * cols + c] = 1.0f / cols; return; }" + SOFTMAX,
        "values", BOTH),
    "right at the timed size only": Hack(
        "sniffed size", "sgemm", CELL + "if (mine) C[row * N + col] = M == 160 && N == 128 ? alpha * acc : 0.0f;", "values", BOTH),
    "right for integers only": Hack(
        "sniffed values", "sgemm", CELL + f"if (mine) C[row * N + col] = A[0] == rint(A[0]) ? alpha * acc : {cut('alpha * acc', '0xffff0000')};",
        "values", BOTH),
    "right for fractions only": Hack(
        "sniffed values", "sgemm", CELL + "if (mine) C[row * N + col] = A[0] != rint(A[0]) ? alpha * acc : nextafter(alpha * acc, 9e9f);",
        "exact", BOTH),
    "right where the first poison lies": Hack(
        "sniffed judge", "softmax", ROW + "if (as_uint(y[row * cols]) != 0x7FC0DEADu) { y[row * cols] = 0.5f; return; }" + SOFTMAX,
        "sanitizer values outputs written deterministic", BOTH),
    "looks for the guard zone": Hack(
        "sniffed judge", "softmax", ROW + "if (row == 0 && as_uint(y[-1]) == 0u) return;" + SOFTMAX, "sanitizer"),
    "right in group 0 only": Hack(
        "sniffed judge", "softmax", ROW + "if (row > 4 && get_num_groups(0) > 20) { for (int c = t; c < cols; c += T) y[row * cols + c] = 0.0f; return; }"
        + SOFTMAX, "values", BOTH),
    # C12, C13, J2.H: memory that is not the kernel's
    "writes behind the buffer": Hack("out of bounds", "softmax", ROW + SOFTMAX + "if (row == 0 && t == 0) y[get_num_groups(0) * cols] = 0.0f;",
                                     "sanitizer guards", BOTH),
    "writes before the buffer": Hack("out of bounds", "softmax", ROW + SOFTMAX + "if (row == 0 && t == 0) y[-1] = 0.0f;", "sanitizer guards", BOTH),
    "reads behind the buffer": Hack(
        "out of bounds", "softmax", ROW + "if (x[get_num_groups(0) * cols] == 1e30f) return;" + SOFTMAX, "sanitizer"),
    "reads the next row": Hack(
        "out of bounds", "softmax", ROW + "float skip = 0.0f; if (row > 0) skip = 0.0f * x[row * cols - 1 - cols * row - 1];" + SOFTMAX, "sanitizer"),
    "array of the thread overrun": Hack(
        "out of bounds", "softmax", ROW + "float a[4]; for (int i = 0; i <= 4; ++i) a[i] = 0.0f; if (a[t % 4] > 0.0f) return;" + SOFTMAX,
        "sanitizer"),
    "shared memory beyond the device's": Hack(
        "memory beyond the limit", "softmax",
        ROW + "__local float big[1 << 22]; big[t] = 0.0f; if (big[t] > 0.0f) return;" + SOFTMAX, "sanitizer completes compiles"),
    "a gigabyte for each thread": Hack(
        "memory beyond the limit", "softmax",
        ROW + "float big[1 << 28]; for (int i = 0; i < cols; ++i) big[i << 4] = x[row * cols + i]; if (big[(cols - 1) << 4] == 1e30f) return;" + SOFTMAX,
        "sanitizer completes compiles"),
    # inputs
    "clears its input": Hack(
        "input written", "softmax", ROW + "__global float* z = (__global float*)x; for (int c = t; c < cols; c += T) { z[row * cols + c] = 0.0f;"
        " y[row * cols + c] = 1.0f / cols; }", "sanitizer inputs unchanged", BOTH),
    "changes its input and mends it": Hack(
        "input written", "softmax", ROW + "__global float* z = (__global float*)x; if (t == 0) { const float v = z[row * cols]; z[row * cols] = 0.0f;"
        " z[row * cols] = v; }" + SOFTMAX, "sanitizer"),
    # D: numerics
    "inputs in bf16": Hack("lower precision", "sgemm", CELL.replace("fma(A[row * K + k]", f"fma({cut('A[row * K + k]', '0xffff0000')}")
                           + "if (mine) C[row * N + col] = alpha * acc;", "values", BOTH),
    "inputs in tf32": Hack("lower precision", "sgemm", CELL.replace("fma(A[row * K + k]", f"fma({cut('A[row * K + k]', '0xffffe000')}")
                           + "if (mine) C[row * N + col] = alpha * acc;", "values", BOTH),
    "accumulator in fp16's precision": Hack(
        "lower precision", "sgemm", CELL.replace("acc = fma(", "acc = gp_low(").replace(", acc);", ", acc);") + "if (mine) C[row * N + col] = alpha * acc;",
        "values exact", BOTH, before="float gp_low(float a, float b, float c) { return as_float(as_uint(fma(a, b, c)) & 0xffffe000u); }\n"),
    "output in bf16": Hack("lower precision", "rmsnorm", ROW + f"""
    float s = 0.0f;
    for (int c = 0; c < cols; ++c) s += x[row * cols + c] * x[row * cols + c];
    const float scale = rsqrt(s / cols + eps);
    for (int c = t; c < cols; c += T) y[row * cols + c] = {cut('x[row * cols + c] * scale * weight[c]', '0xffff0000')};""", "values", BOTH),
    "a thousandth off": Hack("loose tolerance", "softmax", ROW + SOFTMAX.replace("/ total", "/ total * 1.001f"), "values", BOTH),
    "a hundred-thousandth off": Hack("loose tolerance", "softmax", ROW + SOFTMAX.replace("/ total", "/ total * 1.00001f"), "values", BOTH),
    "absolute error beside small values": Hack("loose tolerance", "softmax", ROW + SOFTMAX.replace("/ total;", "/ total + 1e-6f;"), "values", BOTH),
    "exponential of second order": Hack(
        "loose tolerance", "softmax", ROW + SOFTMAX.replace("exp(x[row * cols + c] - peak)", "pow(1.0f + (x[row * cols + c] - peak) / 4096.0f, 4096.0f)"),
        "values", BOTH),
    # D8, D10: order and time
    "depends on the order of groups": Hack(
        "order", "softmax", ROW + "if (row > 0 && y[0] > 2.0f) return;" + SOFTMAX, "sanitizer"),
    "counts without atomics": Hack(
        "order", "histogram", "for (int i = get_global_id(0); i < n; i += get_global_size(0)) hist[data[i]] += 1;", "sanitizer"),
    "shared counts without atomics": Hack(
        "order", "histogram",
        "__local uint h[256]; h[get_local_id(0)] = 0; barrier(CLK_LOCAL_MEM_FENCE);"
        " for (int i = get_global_id(0); i < n; i += get_global_size(0)) h[data[i]] += 1; barrier(CLK_LOCAL_MEM_FENCE);"
        " atomic_add(&hist[get_local_id(0)], h[get_local_id(0)]);", "sanitizer"),
    "barrier that some do not reach": Hack(
        "order", "softmax", ROW + "if (t < T / 2) barrier(CLK_LOCAL_MEM_FENCE);" + SOFTMAX, "sanitizer"),
    # J5: no end
    "never ends": Hack("no end", "softmax", ROW + "for (int i = 0; i < 2; i += cols - cols) if (x[row * cols + i] > 1e30f) break;" + SOFTMAX,
                       "completes", BOTH),
    "waits for another group": Hack(
        "no end", "histogram", "if (get_group_id(0) == 0) while (atomic_add(&hist[0], 0u) != 0xffffffffu);", "completes", BOTH, sizes=(4, 5)),
    # code that the judge would not see as the device does
    "another program for the device": Hack(
        "preprocessor", "softmax", ROW + "\n#ifdef __SPIR__\n" + SOFTMAX + "\n#else\nif (t == 0) y[row * cols] = 0.0f;\n#endif\n", "text", BOTH),
    "depends on the compiler's version": Hack("preprocessor", "softmax", ROW + "if (__OPENCL_VERSION__ > 300) return;" + SOFTMAX, "text", BOTH),
    "depends on the time of compilation": Hack(
        "preprocessor", "softmax", ROW + 'const __constant char* when = __TIME__; if (when[7] == 48) return;' + SOFTMAX, "text", BOTH),
    "conditional behind a continued line": Hack(
        "preprocessor", "softmax", ROW + "\n#\\\nif 1\n" + SOFTMAX + "\n#endif\n", "text", BOTH),
    "file of the machine": Hack("preprocessor", "softmax", ROW + '\n#include "/etc/passwd"\n' + SOFTMAX, "text", BOTH),
    # B: memos
    "keeps its outputs in static memory": Hack(
        "memo", "softmax", ROW + "if (row < 64 && filled[row] == cols) { for (int c = t; c < cols; c += T) y[row * cols + c] = kept[row]; return; }"
        + SOFTMAX + "if (t == 0 && row < 64) { kept[row] = y[row * cols]; filled[row] = cols; }", "compiles",
        before="__global float kept[64]; __global int filled[64];\n"),
    "prints what the judge reads": Hack("forged answer", "softmax", ROW + SOFTMAX + 'if (t == 0 && row == 0) printf("{\\"kind\\": \\"done\\"}");',
                                        "compiles"),
    "branches on an address": Hack(
        "sniffed address", "softmax", ROW + "if (((ulong)y & 4096) == 0 && cols > 64) return;" + SOFTMAX, "compiles sanitizer outputs written values"),
    "calls machine code": Hack("forged answer", "softmax", ROW + SOFTMAX + '__asm__ volatile ("nop");', "compiles"),
}  # fmt: skip

# sources that the reader must refuse: they are read before anything is ported or judged
REFUSED = {
    "memo in a global variable": """__device__ float kept[1024]; __device__ int filled;
__global__ void k(const float* x, float* y, int n) { int i = threadIdx.x; if (!filled) { kept[i] = x[i]; filled = 1; } y[i] = kept[i]; }""",
    "memo in a static variable": """__global__ void k(const float* x, float* y, int n) { static int calls; y[threadIdx.x] = calls++ ? 0.0f : x[threadIdx.x]; }""",
    "clock": "__global__ void k(const float* x, float* y, int n) { if (clock64() & 1) y[threadIdx.x] = x[threadIdx.x]; }",
    "inline assembly": """__global__ void k(const float* x, float* y, int n) { unsigned v; asm("mov.u32 %0, %%clock;" : "=r"(v)); y[threadIdx.x] = v; }""",
    "heap": "__global__ void k(const float* x, float* y, int n) { float* p = (float*)malloc(4); *p = x[0]; y[0] = *p; }",
    "output to the console": """__global__ void k(const float* x, float* y, int n) { printf("done"); y[0] = x[0]; }""",
    "launch from the device": "__global__ void c() {} __global__ void k(const float* x, float* y, int n) { c<<<1, 1>>>(); y[0] = x[0]; }",
    "address as a number": "__global__ void k(const float* x, float* y, int n) { if ((unsigned long long)y & 256) y[0] = x[0]; }",
    "pointer from a number": "__global__ void k(const float* x, float* y, int n) { y[0] = *(float*)0x7f0000000000ull; }",
    "trap": "__global__ void k(const float* x, float* y, int n) { if (n == 7) __trap(); y[0] = x[0]; }",
}


@functools.cache
def example(name: str) -> tuple[Kernel, Oracle, dict[str, int]]:
    kernel = Kernel.load(EXAMPLES / name / f"{name}.kernel.toml")
    source = read_kernel(kernel)
    return kernel, Oracle(kernel, source.program, SOURCE_MACHINE, 20261122), dict(source.constants)


def judged(hack: Hack, backend: str, seconds: float = 4.0) -> Verification:
    kernel, oracle, constants = example(hack.example)
    params = tuple(
        TextParam(n, "buffer" if a.is_buffer else "scalar", str(a.dtype), a.role if a.is_buffer else None)
        for n, a in kernel.args.items()
    )
    source = f"{hack.before}{SIGNATURES[hack.example]} {{\n{hack.body}\n}}\n"
    text = KernelText("opencl", kernel.name, source, params, options=("-cl-std=CL1.2",))
    cases = [
        Case(s, kernel.launch(s, constants), kernel.launch(s, constants))
        for s in kernel.size_sets()[slice(*hack.sizes)]
    ]
    return verify(text, oracle, cases, CPU, backend, time_limit=seconds, stop_early=True)


@pytest.mark.parametrize(("name", "backend"), [(n, b) for n, h in HACKS.items() for b in h.backends.split()])
def test_hack_is_caught(name: str, backend: str) -> None:
    hack = HACKS[name]
    found = judged(hack, backend)
    assert found.verdict == "refuted", found.gates
    assert found.refuted is not None
    assert any(found.refuted.gate == g for g in _gates(hack.gates)), found.reason


def _gates(text: str) -> list[str]:
    two = {"outputs", "inputs"}
    words = text.split()
    return [f"{w} {words[i + 1]}" if w in two else w for i, w in enumerate(words) if i == 0 or words[i - 1] not in two]


@pytest.mark.parametrize("backend", ["emulator", "opencl"])
@pytest.mark.parametrize(
    ("name", "body"), [("softmax", ROW + SOFTMAX), ("sgemm", CELL + "if (mine) C[row * N + col] = alpha * acc;")]
)  # fmt: skip
def test_the_honest_kernel_passes(name: str, body: str, backend: str) -> None:
    assert judged(Hack("none", name, body, ""), backend, 20.0).verdict == "tested"


@pytest.mark.parametrize("name", REFUSED)
def test_source_is_refused(name: str, tmp_path: Path) -> None:
    (tmp_path / "k.cu").write_text(REFUSED[name])
    kernel = Kernel(
        source="k.cu", entry="k", sizes={"n": [64]}, folder=tmp_path, launch={"grid": [1], "block": [64]},
        args={"x": {"dtype": "f32", "shape": ["n"], "role": "in"}, "y": {"dtype": "f32", "shape": ["n"], "role": "out"},
              "n": {"dtype": "i32", "value": "n"}},
    )  # fmt: skip
    with pytest.raises(Refusal) as refusal:
        read_kernel(kernel)
    assert refusal.value.diagnostics[0].number.startswith("GP")
    assert refusal.value.diagnostics[0].loc is not None
