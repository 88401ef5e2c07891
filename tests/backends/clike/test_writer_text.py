"""What the emitted text looks like: comments, names, layout, and one whole file per dialect."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from gpuport.backends.clike.plan import WritePlan
from gpuport.backends.clike.text import WIDTH, comment_lines, wrap
from gpuport.backends.cuda.reader import read_cuda
from gpuport.hwmodels import load_machine
from gpuport.ir import nodes as n
from gpuport.ir.diagnostics import Diagnostic, Severity
from gpuport.ir.rewrites.spaces import resolve_spaces
from gpuport.ir.types import F32, I32, Pointer, Space
from hypothesis import given
from hypothesis import strategies as st

if TYPE_CHECKING:
    from pathlib import Path

    from gpuport.backends.base import KernelText

SOURCE = """\
// Sums of rows.

#define SCALE 2

// adds up a segment
__device__ float part(const float* row, int first, int last) {
    float sum = 0.0f;
    for (int i = first; i < last; ++i) sum += row[i];
    return sum;
}

// one thread per row
template <int BLOCK>
__global__ void sums(const float* __restrict__ x, float* __restrict__ y, int rows, int cols) {
    const int row = blockIdx.x * BLOCK + threadIdx.x;
    if (row >= rows) return;  // the last block

    /* halves, so that
       rounding errors stay small */
    const int half = cols / 2;
    float sum = part(x + row * cols, 0, half);
    sum += part(x + row * cols, half, cols);

    if (sum > 0.0f) {
        y[row] = sum * SCALE;
    } else if (sum < -1.0f) {
        y[row] = sum;
    } else {
        y[row] = -sum;
    }
}
"""

OPENCL = """\
// Products and sums are rounded one by one, as in the emulated source: the compiler must not fuse them.
#pragma OPENCL FP_CONTRACT OFF

#define BLOCK 128
#define SCALE 2

// adds up a segment
float part(__global const float *row, int first, int last) {
    float sum = 0.0f;
    for (int i = first; i < last; ++i) {
        sum += row[i];
    }
    return sum;
}

// one thread per row
__kernel __attribute__((reqd_work_group_size(128, 1, 1)))
void sums(__global const float *restrict x, __global float *restrict y, int rows, int cols) {
    const int row = get_group_id(0) * BLOCK + get_local_id(0);
    if (row >= rows) return;  // the last block

    /* halves, so that
     rounding errors stay small */
    const int half_ = cols / 2;
    float sum = part(x + row * cols, 0, half_);
    sum += part(x + row * cols, half_, cols);

    // GP3001: may differ
    if (sum > 0.0f) {
        y[row] = sum * SCALE;
    } else if (sum < -1.0f) {
        y[row] = sum;
    } else {
        y[row] = -sum;
    }
}
"""

METAL_HEADER = """\
#define BLOCK 128
#define SCALE 2

// adds up a segment
inline float part(const device float* row, int first, int last) {
    float sum = 0.0f;
    for (int i = first; i < last; ++i) {
        sum += row[i];
    }
    return sum;
}
"""

METAL_BODY = """\
    // one thread per row
    // MLX declares: const device float* x, device float* y, const constant int& rows, const constant int& cols
    const int row = threadgroup_position_in_grid.x * BLOCK + thread_position_in_threadgroup.x;
    if (row >= rows) return;  // the last block
"""


def text(tmp_path: Path, device: str) -> KernelText:
    path = tmp_path / "sums.cu"
    path.write_text(SOURCE)
    program = resolve_spaces(read_cuda(path, "sums<128>")[0])
    line = next(i for i, s in enumerate(SOURCE.splitlines(), 1) if "if (sum > 0.0f)" in s)
    warning = Diagnostic("GP3001", "may differ", n.Loc("sums.cu", line), Severity.WARNING)
    plan = WritePlan("sums", {"x": "in", "y": "out"}, (128, 1, 1), "sums.cu", ("one choice",), (warning,))
    if device == "m4":
        from gpuport.backends.metal.writer import write
    else:
        from gpuport.backends.opencl.writer import write
    return write(program, load_machine(device), plan)


def test_opencl_reads_like_the_source(tmp_path: Path) -> None:
    source = text(tmp_path, "cpu").source
    head, _, rest = source.partition("// Products")
    assert "// Products" + rest == OPENCL
    assert head.startswith("// sums from sums.cu in OpenCL C for ")
    assert "128 of at most 4096 threads per group" in head
    assert "// - one choice\n// - GP3002: half means something else in OpenCL C; here it is half_\n" in head
    assert "// Sums of rows." in head


def test_metal_reads_like_the_source(tmp_path: Path) -> None:
    written = text(tmp_path, "m4")
    assert written.header.endswith(METAL_HEADER)
    assert written.source.startswith(METAL_BODY)
    assert "    // GP3001: may differ\n    if (sum > 0.0f) {\n" in written.source


@given(st.text())
def test_no_comment_swallows_code(comment: str) -> None:
    lines = comment_lines(comment)
    block = lines[0].startswith("/*")
    assert all(
        "\n" not in line and "\r" not in line and not line.endswith("\\") and "??/" not in line for line in lines
    )
    assert all(line.startswith("//") for line in lines) or (block and lines[-1].endswith("*/"))
    assert sum(line.count("*/") for line in lines) == int(block)


@pytest.mark.parametrize(
    "comment", ["// ends in a backslash \\", "// trigraph ??/", "/* open", "*/ closed", "/* a */ b /* c */", "/**/"]
)
def test_dangerous_comments_are_made_safe(comment: str) -> None:
    test_no_comment_swallows_code.hypothesis.inner_test(comment)  # pyright: ignore[reportAttributeAccessIssue]


@given(st.lists(st.sampled_from(["alpha", "f(x, y)", "(beta + 2)", "g(h(1), k[3])"]), min_size=1, max_size=60))
def test_long_lines_break_between_operands_and_keep_their_tokens(operands: list[str]) -> None:
    line = "    total = " + " + ".join(operands) + ";"
    lines = wrap(line)
    assert " ".join(" ".join(lines).split()) == line.strip()
    assert all(len(part) <= WIDTH for part in lines)


def test_a_constant_that_clashes_is_written_as_its_value() -> None:
    """`#define n 4` would rewrite a parameter n."""
    from gpuport.backends.opencl.writer import write

    pointer = Pointer(F32, Space.GLOBAL)
    store = n.Assign(
        n.Element(n.Var("y", pointer), n.Var("n", I32), F32), n.Convert(n.Const(4, I32, "n"), F32, implicit=True)
    )
    tile = n.Assign(n.Element(n.Var("y", pointer), n.Const(3, I32, "TILE"), F32), n.Const(2.0, F32, "TILE"))
    kernel = n.Function("k", (n.Param("y", pointer), n.Param("n", I32)), (store, tile))
    constants = (n.NamedConstant("n", 4, I32), n.NamedConstant("TILE", 3, I32))
    source = write(n.Program(kernel, constants=constants), load_machine("cpu"), WritePlan("k", {"y": "out"})).source
    assert "y[n] = 4;" in source
    assert "#define n" not in source
    assert "y[TILE] = 2.0f;" in source
