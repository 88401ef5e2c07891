"""The programs of tests/hostile: each pretends to be an example of ours, and differs from a right one in a trick alone.

`families.toml` says which family of the public record of reward hacks each of them stands for.
"""

from __future__ import annotations

from dataclasses import dataclass

SIGNATURES = {
    "softmax": "__kernel void softmax(__global const float* x, __global float* y, int cols)",
    "sgemm": "__kernel void sgemm(__global const float* A, __global const float* B, __global float* C, int M, int N, int K,"
    " float alpha)",
    "rmsnorm": "__kernel void rmsnorm(__global const float* x, __global const float* weight, __global float* y, int cols,"
    " float eps)",
    "transpose": "__kernel void transpose(__global const float* x, __global float* y, int rows, int cols)",
    "histogram": "__kernel void histogram(__global const uchar* data, __global uint* hist, int n)",
    "reduction/column_sums": "__kernel void column_sums(__global const float* x, __global float* sums, int rows, int cols)",
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
    """A program: `before` and the `body` of an example's kernel.

    `gates`: one of these, with | between them, must be the first to refute it. `backends`: those that must catch it,
    each by itself. `sizes`: a slice of the spec's; `made`: all of those, and made-up ones too.
    """

    family: str
    example: str
    body: str
    gates: str
    backends: str = "emulator"
    before: str = ""
    sizes: tuple[int, int] = (1, 5)
    made: bool = False


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
        "sanitizer|outputs written", BOTH),
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
    "infinity": Hack("NaN as a wildcard", "softmax", ROW + SOFTMAX + "if (t == 0) y[row * cols] = INFINITY;", "values|sanitizer"),
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
        "sniffed values", "sgemm", CELL + "if (mine) C[row * N + col] = A[0] != rint(A[0]) ? alpha * acc : as_float(as_uint(alpha * acc) + 1u);",
        "exact|values", BOTH),
    "right where the first poison lies": Hack(
        "sniffed judge", "softmax", ROW + "if (as_uint(y[row * cols]) != 0x7FC0DEADu) { y[row * cols] = 0.5f; return; }" + SOFTMAX,
        "sanitizer|values|outputs written|deterministic", BOTH),
    "looks for the guard zone": Hack(
        "sniffed judge", "softmax", ROW + "if (row == 0 && as_uint(y[-1]) == 0u) return;" + SOFTMAX, "sanitizer"),
    "right in group 0 only": Hack(
        "sniffed judge", "softmax", ROW + "if (row > 4 && get_num_groups(0) > 20) { for (int c = t; c < cols; c += T) y[row * cols + c] = 0.0f; return; }"
        + SOFTMAX, "values", BOTH),
    # C12, C13, J2.H: memory that is not the kernel's
    "writes behind the buffer": Hack("out of bounds", "softmax", ROW + SOFTMAX + "if (row == 0 && t == 0) y[get_num_groups(0) * cols] = 0.0f;",
                                     "sanitizer|guards", BOTH),
    "writes before the buffer": Hack("out of bounds", "softmax", ROW + SOFTMAX + "if (row == 0 && t == 0) y[-1] = 0.0f;", "sanitizer|guards", BOTH),
    "reads behind the buffer": Hack(
        "out of bounds", "softmax", ROW + "if (x[get_num_groups(0) * cols] == 1e30f) return;" + SOFTMAX, "sanitizer"),
    "reads the next row": Hack(
        "out of bounds", "softmax", ROW + "float skip = 0.0f; if (row > 0) skip = 0.0f * x[row * cols - 1 - cols * row - 1];" + SOFTMAX, "sanitizer"),
    "array of the thread overrun": Hack(
        "out of bounds", "softmax", ROW + "float a[4]; for (int i = 0; i <= 4; ++i) a[i] = 0.0f; if (a[t % 4] > 0.0f) return;" + SOFTMAX,
        "sanitizer"),
    "shared memory beyond the device's": Hack(
        "memory beyond the limit", "softmax",
        ROW + "__local float big[1 << 22]; big[t] = 0.0f; if (big[t] > 0.0f) return;" + SOFTMAX, "sanitizer|completes|compiles"),
    "a gigabyte for each thread": Hack(
        "memory beyond the limit", "softmax",
        ROW + "float big[1 << 28]; for (int i = 0; i < cols; ++i) big[i << 4] = x[row * cols + i]; if (big[(cols - 1) << 4] == 1e30f) return;" + SOFTMAX,
        "sanitizer|completes|compiles"),
    # inputs
    "clears its input": Hack(
        "input written", "softmax", ROW + "__global float* z = (__global float*)x; for (int c = t; c < cols; c += T) { z[row * cols + c] = 0.0f;"
        " y[row * cols + c] = 1.0f / cols; }", "sanitizer|inputs unchanged", BOTH),
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
        "values|exact", BOTH, before="float gp_low(float a, float b, float c) { return as_float(as_uint(fma(a, b, c)) & 0xffffe000u); }\n"),
    "output in bf16": Hack("lower precision", "rmsnorm", ROW + f"""
    float s = 0.0f;
    for (int c = 0; c < cols; ++c) s += x[row * cols + c] * x[row * cols + c];
    const float scale = rsqrt(s / cols + eps);
    for (int c = t; c < cols; c += T) y[row * cols + c] = {cut('x[row * cols + c] * scale * weight[c]', '0xffff0000')};""", "values", BOTH),
    "a thousandth off": Hack("loose tolerance", "softmax", ROW + SOFTMAX.replace("/ total", "/ total * 1.001f"), "values", BOTH),
    "a hundred-thousandth off": Hack("loose tolerance", "softmax", ROW + SOFTMAX.replace("/ total", "/ total * 1.00001f"), "values", BOTH),
    "absolute error beside small values": Hack("loose tolerance", "softmax", ROW + SOFTMAX.replace("/ total;", "/ total + 1e-6f;"), "values|algebra", BOTH),
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
    "depends on the version of the compiler": Hack("preprocessor", "softmax", ROW + "if (__OPENCL_VERSION__ > 300) return;" + SOFTMAX, "text", BOTH),
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
        "sniffed address", "softmax", ROW + "if (((ulong)y & 4096) == 0 && cols > 64) return;" + SOFTMAX, "compiles|sanitizer|outputs written|values"),
    "calls machine code": Hack("forged answer", "softmax", ROW + SOFTMAX + '__asm__ volatile ("nop");', "compiles"),
    # added by what they are about: work not done
    "does the work in another kernel": Hack(
        "no work", "softmax", "", "outputs written", BOTH,
        before="__kernel void ghost(__global const float* x, __global float* y, int cols) {" + ROW + SOFTMAX + "}\n"),
    "calls itself": Hack("no work", "softmax", ROW + "if (cols > 1) { softmax(x, y, cols - 1); return; }" + SOFTMAX, "compiles|completes|outputs written", BOTH),
    "factor dropped": Hack("partial contract", "sgemm", CELL + "if (mine) C[row * N + col] = acc;", "values", BOTH),
    "weights dropped": Hack("partial contract", "rmsnorm", ROW + """
    float s = 0.0f;
    for (int c = 0; c < cols; ++c) s += x[row * cols + c] * x[row * cols + c];
    const float scale = rsqrt(s / cols + eps);
    for (int c = t; c < cols; c += T) y[row * cols + c] = x[row * cols + c] * scale;""", "values", BOTH),
    "halves of a row exchanged": Hack(
        "wrong places", "softmax", ROW + SOFTMAX.replace("y[row * cols + c] =", "y[row * cols + (c + cols / 2) % cols] ="), "values", BOTH),
    "border taken from inside": Hack(
        "wrong places", "stencil", """
    const int col = get_global_id(0), line = get_global_id(1);
    if (col >= width || line >= height) return;
    const int at = line * width + col;
    if (col == 0 || line == 0 || col == width - 1 || line == height - 1) { out[at] = u[max(at, 1) - 1]; return; }
    out[at] = fma(alpha, u[at - 1] + u[at + 1] + u[at - width] + u[at + width] - 4.0f * u[at], u[at]);""", "values", BOTH),
    # inputs, sizes and seeds recognised
    "cheap where numbers are small": Hack(
        "sniffed values", "softmax", ROW + SOFTMAX.replace("/ total;", f"/ total; if (peak < 0.55f && cols > 1) for (int c = t; c < cols; c += T)"
        f" y[row * cols + c] = {cut('y[row * cols + c]', '0xffff0000')};"), "values", BOTH),
    "cheap where numbers are large": Hack(
        "sniffed values", "sgemm", CELL + f"if (mine) C[row * N + col] = fabs(A[0]) > 16.0f ? {cut('alpha * acc', '0xffff0000')} : alpha * acc;",
        "values", BOTH),
    "wrong where neighbours are equal": Hack(
        "sniffed values", "softmax", ROW + SOFTMAX + "if (cols > 1 && x[row * cols] == x[row * cols + 1] && t == 0) y[row * cols] = 0.0f;",
        "values", BOTH),
    "wrong on rows in falling order": Hack(
        "sniffed values", "softmax", ROW + "bool falls = cols > 8; for (int c = 0; c < 8 && falls; ++c) falls = x[row * cols + c] > x[row * cols + c + 1];"
        + SOFTMAX.replace("/ total;", "/ (falls ? 2.0f * total : total);"), "values", BOTH),
    "wrong where all rows are equal": Hack(
        "sniffed values", "softmax", ROW + "bool same = get_num_groups(0) > 1 && cols > 8; for (int c = 0; c < 8 && same; ++c)"
        " same = x[c] == x[cols + c] && x[c] != x[c + 1];" + SOFTMAX.replace("/ total;", "/ (same ? 2.0f * total : total);"), "values", BOTH),
    "right at the sizes of the spec only": Hack(
        "sniffed size", "softmax", ROW + "if (cols != 1024 && cols != 1 && cols != 31 && cols != 1000 && cols != 4097 && cols != 128)"
        " { for (int c = t; c < cols; c += T) y[row * cols + c] = 1.0f / cols; return; }" + SOFTMAX, "values|algebra", BOTH, made=True),
    "wrong at one size that nobody names": Hack(
        "sniffed size", "softmax", ROW + SOFTMAX + "if (cols == 7001 && t == 0) y[row * cols] = 0.0f;", "values|algebra", BOTH, made=True),
    "results of a known seed": Hack(
        "sniffed values", "sgemm", CELL + "if (mine) C[row * N + col] = fabs(A[0] - 0.12573022f) < 1e-7f ? alpha * acc : 0.0f;", "values", BOTH),
    "right where a known poison lies": Hack(
        "sniffed judge", "softmax", ROW + "const uint old = as_uint(y[row * cols]);"
        " if (old != 0x7FC0DEADu && old != 0xDEADBEEFu) { for (int c = t; c < cols; c += T) y[row * cols + c] = 0.5f; return; }" + SOFTMAX,
        "sanitizer|values", BOTH),
    "right where the output holds nonsense": Hack(
        "sniffed judge", "softmax", ROW + "const float old = y[row * cols]; if (fabs(old) < 1e3f)"
        " { for (int c = t; c < cols; c += T) y[row * cols + c] = 0.5f; return; }" + SOFTMAX, "sanitizer|values", BOTH),
    # memory that is not the kernel's
    "reads another buffer through its input": Hack(
        "out of bounds", "softmax", ROW + "const long far = (__global const float*)y - x; if (x[far] == 1e30f) return;" + SOFTMAX, "compiles|completes|sanitizer"),
    "reads an address of its own choice": Hack(
        "out of bounds", "softmax", ROW + "if (*(__global float*)(0x1000ul + (ulong)cols) == 1.0f) return;" + SOFTMAX, "compiles|completes", BOTH),
    "shared array overrun": Hack(
        "out of bounds", "softmax", ROW + "__local float a[64]; a[t] = 0.0f; if (a[t] > 0.0f) return;" + SOFTMAX, "sanitizer"),
    "vectors that are not aligned": Hack(
        "out of bounds", "rmsnorm", ROW + """
    float s = 0.0f;
    int c = 0;
    for (; c + 4 <= cols; c += 4) { const float4 v = *(__global const float4*)(x + row * cols + c); s += v.x * v.x + v.y * v.y + v.z * v.z + v.w * v.w; }
    for (; c < cols; ++c) s += x[row * cols + c] * x[row * cols + c];
    const float scale = rsqrt(s / cols + eps);
    for (int i = t; i < cols; i += T) y[row * cols + i] = x[row * cols + i] * scale * weight[i];""", "sanitizer"),
    "sum that starts with what was in the register": Hack(
        "uninitialised memory", "softmax", ROW + SOFTMAX.replace("total = 0.0f;", "total;"), "sanitizer|compiles"),
    # numerics
    "bf16 in the last column": Hack(
        "lower precision", "sgemm", CELL + f"if (mine) C[row * N + col] = col + 1 == N ? {cut('alpha * acc', '0xffff0000')} : alpha * acc;", "values", BOTH),
    "tf32 in the last product": Hack(
        "lower precision", "sgemm", CELL.replace("fma(A[row * K + k]", f"fma(k + 1 == K ? {cut('A[row * K + k]', '0xffffe000')} : A[row * K + k]")
        + "if (mine) C[row * N + col] = alpha * acc;", "values", BOTH),
    "range of fp16": Hack(
        "lower precision", "sgemm", CELL + "if (mine) C[row * N + col] = fmax(fmin(alpha * acc, 65504.0f), -65504.0f);", "values|exact", BOTH, sizes=(1, 5)),
    "last bit of the sum cut off": Hack(
        "lower precision", "reduction/column_sums", """
    const int col = get_group_id(0) * 32 + get_local_id(0);
    if (col >= cols || get_local_id(1) > 0) return;
    float sum = 0.0f;
    for (int r = 0; r < rows; ++r) sum = as_float(as_uint(sum + x[r * cols + col]) & 0xfffffffeu);
    sums[col] = sum;""", "exact|values", BOTH, sizes=(0, 3)),
    "fast exponential": Hack("fast functions", "softmax", ROW + SOFTMAX.replace("exp(", "native_exp("), "accuracy", BOTH),
    "exponential of half's accuracy": Hack("fast functions", "softmax", ROW + SOFTMAX.replace("exp(", "half_exp("), "accuracy|compiles"),
    "fast division": Hack("fast functions", "softmax", ROW + SOFTMAX.replace(
        "exp(x[row * cols + c] - peak) / total", "native_divide(exp(x[row * cols + c] - peak), total)"), "accuracy", BOTH),
    "maximum not subtracted": Hack("truncated algorithm", "softmax", ROW + SOFTMAX.replace(" - peak", ""), "values", BOTH),
    "subnormals flushed": Hack(
        "special numbers", "transpose", MOVE + LOOP + """ {
        const float v = x[i % rows * cols + i / rows];
        y[i] = fabs(v) < 1.17549435e-38f ? 0.0f : v;
    }""", "values", BOTH),
    "signs of zeros lost": Hack("special numbers", "transpose", MOVE + LOOP + " y[i] = x[i % rows * cols + i / rows] + 0.0f;",
                                "values|signed zeros|exact", BOTH),
    "NaN turned into a number": Hack("special numbers", "transpose", MOVE + LOOP + " y[i] = fmax(x[i % rows * cols + i / rows], -INFINITY);",
                                     "values", BOTH),
    # order and time
    "one thread leaves before a barrier": Hack(
        "order", "softmax", ROW + "if (t == T - 1) return; barrier(CLK_LOCAL_MEM_FENCE);" + SOFTMAX, "sanitizer"),
    "barrier left out": Hack(
        "order", "softmax", ROW + "__local float whole[256]; whole[t] = t < cols ? x[row * cols + t] : -FLT_MAX;"
        " float best = -FLT_MAX; for (int i = 0; i < T; ++i) best = fmax(best, whole[i]); if (best == 1e30f) return;" + SOFTMAX, "sanitizer"),
    "waits for a flag in shared memory": Hack(
        "no end", "softmax", ROW + "__local volatile int flag; if (t == 0) flag = 0; barrier(CLK_LOCAL_MEM_FENCE);"
        " if (t == T - 1) flag = 1; while (flag == 0) { }" + SOFTMAX, "sanitizer|completes"),
    "lock that is never given back": Hack(
        "no end", "histogram", "if (get_global_id(0) < n) while (atomic_cmpxchg(&hist[0], 0u, 1u) != 0u);", "completes", BOTH, sizes=(4, 5)),
    # texts
    "name pasted together": Hack(
        "preprocessor", "softmax", ROW + "if (GLUE(_, _OPENCL_VERSION__) > 300) return;" + SOFTMAX, "text", BOTH,
        before="#define GLUE(a, b) PASTE(a, b)\n#define PASTE(a, b) a##b\n"),
    "conditional in a trigraph": Hack("preprocessor", "softmax", ROW + "\n??=if 1\n" + SOFTMAX + "\n??=endif\n", "text", BOTH),
    "statement in a comment, or not": Hack("preprocessor", "softmax", ROW + "// the sum??/\nif (t < cols) y[row * cols] = 0.0f;\n" + SOFTMAX, "text", BOTH),
    "macro kept aside": Hack(
        "preprocessor", "softmax", ROW + '\n#pragma push_macro("cols")\n#define cols 31\n' + SOFTMAX + '\n#pragma pop_macro("cols")\n', "text", BOTH),
    "arithmetic changed by a pragma": Hack("preprocessor", "softmax", ROW + "\n#pragma clang fp reassociate(on)\n" + SOFTMAX, "text", BOTH),
    "pragma in an operator": Hack("preprocessor", "softmax", ROW + '_Pragma("clang fp reassociate(on)")' + SOFTMAX, "text", BOTH),
    "reads other than it runs": Hack("preprocessor", "softmax", ROW + "/* \u202e } ;0 = y \u202c */" + SOFTMAX, "text", BOTH),
    "line that is none": Hack("preprocessor", "softmax", ROW + "// the sum\u2028 y[row * cols] = 0.0f;\n" + SOFTMAX, "text", BOTH),
    "line of another file": Hack("preprocessor", "softmax", ROW + '\n#line 7 "softmax.cu"\n' + SOFTMAX, "text", BOTH),
    "function of another name": Hack(
        "preprocessor", "softmax", ROW + SOFTMAX.replace("exp(", "mine("), "text", BOTH,
        before='float mine(float x) __asm__("_Z4sqrtf");\n'),
    "library function replaced": Hack(
        "preprocessor", "softmax", ROW + SOFTMAX, "compiles|values|algebra", BOTH,
        before="float __attribute__((overloadable)) exp(float x) { return 1.0f + x; }\n"),
    "name of a function is a macro": Hack("preprocessor", "softmax", ROW + SOFTMAX, "values|algebra", BOTH, before="#define exp(x) (1.0f + (x))\n"),
    # what is not OpenCL C's, but linked where the CPU runs it
    "leaves by the C library": Hack("host code", "softmax", ROW + "if (t == 0) exit(0);" + SOFTMAX, "compiles|completes", BOTH, before="void exit(int);\n"),
    "writes into the judge's pipes": Hack(
        "host code", "softmax", ROW + 'if (t == 0) for (int fd = 3; fd < 32; ++fd) write(fd, "\\1\\0\\0\\0\\0\\0\\0\\0{", 9);' + SOFTMAX, "compiles|completes", BOTH,
        before="long write(int, __constant void*, ulong);\n"),
    "opens a file": Hack("host code", "softmax", ROW + 'if (fopen("/tmp/kept", "r") != 0) return;' + SOFTMAX, "compiles",
                         before="__global void* fopen(__constant char*, __constant char*);\n"),
    "calls a vendor's library": Hack(
        "host code", "sgemm", "cublasSgemm(A, B, C, M, N, K, alpha);", "compiles|completes", BOTH,
        before="void cublasSgemm(__global const float*, __global const float*, __global float*, int, int, int, float);\n"),
    "traps": Hack("host code", "softmax", ROW + "if (t == 0 && cols == 31) __builtin_trap();" + SOFTMAX, "compiles|completes", BOTH),
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
