"""Bugs planted in ported sources are refuted, and by the gate that is there for them."""

from __future__ import annotations

import dataclasses
import functools
from pathlib import Path

import pytest
from gpuport.hwmodels import load_machine
from gpuport.porting.spec import Kernel
from gpuport.porting.translate import read_kernel, translate
from gpuport.porting.verify.oracle import Oracle
from gpuport.porting.verify.verify import Case, verify

EXAMPLES = Path(__file__).parents[2] / "examples"
SRC = load_machine("h100")

# what is planted: (example, destination, backend, old text, new text, how many of its places, gates that may find it)
BUGS = {
    "dropped barrier after the tile is loaded": (
        "sgemm", "m4", "emulator",
        "B[(k0 + ty) * N + col] : 0.0f;\n        threadgroup_barrier(mem_flags::mem_threadgroup);",
        "B[(k0 + ty) * N + col] : 0.0f;", 1, {"sanitizer"}),
    "dropped barrier before the tile is overwritten": (
        "sgemm", "mi300x", "emulator", "__syncthreads();  // the tiles", ";  // the tiles", 1, {"sanitizer"}),
    "dropped barrier in the transposition": (
        "transpose", "cpu", "emulator", "    barrier(CLK_LOCAL_MEM_FENCE);\n", "", 1, {"sanitizer"}),
    "<= for <, over the end of a row": (
        "softmax", "m4", "emulator", "i < cols; i += BLOCK", "i <= cols; i += BLOCK", 3, {"sanitizer"}),
    "<= for <, over the end of a buffer, on a device": (
        "softmax", "cpu", "opencl", "i < cols; i += BLOCK", "i <= cols; i += BLOCK", 3,
        {"guards", "values", "completes"}),
    "wrong stride": ("transpose", "cpu", "opencl", "y[(r + j) * rows + c]", "y[(r + j) * cols + c]", 1,
                     {"guards", "outputs written", "values", "completes"}),
    "wrong stride, emulated": ("transpose", "m4", "emulator", "y[(r + j) * rows + c]", "y[(r + j) * cols + c]", 1,
                               {"sanitizer", "values"}),
    "missing tail of K": ("sgemm", "cpu", "opencl", "k0 < K; k0 += TILE", "k0 + TILE <= K; k0 += TILE", 1, {"values"}),
    "missing tail of the row": ("rmsnorm", "m4", "emulator", "c < cols; c += BLOCK", "c + BLOCK <= cols; c += BLOCK", 2,
                                {"values", "sanitizer", "outputs written"}),
    "unwritten last row": ("sgemm", "cpu", "opencl", "row < M && col < N) C", "row < M - 1 && col < N) C", 1, {"outputs written"}),
    "warp reduction over half the wave": ("rmsnorm", "mi300x", "emulator", "delta = 16", "delta = 8", 1, {"values"}),
    "shuffle across the halves of the wave": (
        "softmax", "mi300x", "emulator", "offset = WARP_SIZE / 2", "offset = WARP_SIZE", 2, {"values"}),
    "maximum is not subtracted": ("softmax", "cpu", "opencl", "exp(row_x[i] - peak) * scale", "exp(row_x[i]) * scale", 1, {"values"}),
    "lower precision": ("sgemm", "cpu", "opencl", "As[ty][tx] = row < M && k0 + tx < K ? A[row * K + k0 + tx] : 0.0f;",
                        "As[ty][tx] = row < M && k0 + tx < K ? as_float(as_uint(A[row * K + k0 + tx]) & 0xffffe000u) : 0.0f;", 1,
                        {"values"}),
    "plain add for the atomic one": ("histogram", "m4", "emulator", "gp_atomic_add(&counts[data[i]], 1u)",
                                     "counts[data[i]] += 1u", 1, {"sanitizer", "values"}),
    "plain add into global memory": ("histogram", "mi300x", "emulator", "atomicAdd(&hist[bin], count)", "hist[bin] += count",
                                     1, {"sanitizer", "values"}),
    "shared counts not cleared": ("histogram", "cpu", "emulator", "counts[bin] = 0;", ";", 1, {"sanitizer"}),
    "input is written": ("stencil", "cpu", "opencl", "out[y * width + x] = center", "((__global float *)u)[0] = 0.5f; out[y * width + x] = center",
                         1, {"inputs unchanged"}),
    "halo off by one": ("stencil", "m4", "emulator", "tile[ty + 1][tx]", "tile[ty + 2][tx]", 1, {"sanitizer", "values"}),
    "x and y swapped": ("stencil", "mi300x", "emulator", "tile[ty][tx - 1]", "tile[tx - 1][ty]", 1, {"sanitizer", "values"}),
    "barrier in divergent flow": ("stencil", "m4", "emulator", "threadgroup_barrier(mem_flags::mem_threadgroup);",
                                  "if (x < width) threadgroup_barrier(mem_flags::mem_threadgroup);", 1, {"sanitizer"}),
    "does not compile": ("sgemm", "cpu", "opencl", "float acc = 0.0f;", "float acc = zero;", 1, {"compiles"}),
    "never ends": ("histogram", "cpu", "opencl", "i += stride", "i += 0", 1, {"completes"}),
    "never ends, emulated": ("histogram", "m4", "emulator", "i += stride", "i += 0", 1, {"completes"}),
    "crashes": ("transpose", "cpu", "opencl", "x[(r + j) * cols + c]", "x[((long)r + j) * cols + c + (1L << 40)]", 1, {"completes"}),
}  # fmt: skip


@functools.cache
def ported(example: str, dst: str):
    kernel = Kernel.load(EXAMPLES / example / f"{example}.kernel.toml")
    source = read_kernel(kernel)
    [candidate] = translate(source, SRC, load_machine(dst))
    cases = [
        Case(s, kernel.launch(s, source.constants), kernel.launch(s, candidate.constants))
        for s in kernel.size_sets()[1:5]
    ]
    return candidate.text, Oracle(kernel, source.program, SRC, 20261122), cases


@pytest.mark.parametrize("name", BUGS)
def test_planted_bug_is_refuted(name: str) -> None:
    example, dst, backend, old, new, places, gates = BUGS[name]
    text, oracle, cases = ported(example, dst)
    assert text.source.count(old) + text.header.count(old) == places, f"{old!r} is not where it was in the port"
    bugged = dataclasses.replace(text, source=text.source.replace(old, new), header=text.header.replace(old, new))
    limit = 3.0 if "never ends" in name else 60.0  # a busy machine must not look like a hang
    found = verify(bugged, oracle, cases, load_machine(dst), backend, time_limit=limit)
    assert found.verdict == "refuted", found.gates
    refuting = {g.gate for g in found.gates if g.verdict == "refuted"}
    assert refuting & gates, refuting


@pytest.mark.parametrize(
    ("dst", "backend"), [("cpu", "opencl"), ("cpu", "emulator"), ("m4", "emulator"), ("mi300x", "emulator")]
)
@pytest.mark.parametrize("example", sorted({b[0] for b in BUGS.values()}))
def test_the_port_without_the_bug_passes(example: str, dst: str, backend: str) -> None:
    text, oracle, cases = ported(example, dst)
    found = verify(text, oracle, cases, load_machine(dst), backend, time_limit=20.0)
    assert found.verdict == "tested", found.reason
