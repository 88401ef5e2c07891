"""The mutation operators: each plants a defect that changes what a kernel does, and the gate meant for it sees that."""

from __future__ import annotations

import dataclasses
import os
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from gpuport import Kernel, load_machine
from gpuport.ir import nodes as n
from gpuport.ir.types import I32
from gpuport.porting.verify.mutation import OPERATORS, Mutant, mutants, same_by_proof, sample
from gpuport.porting.verify.mutation.judge import Bench

pytestmark = pytest.mark.skipif(os.name != "posix", reason="the limit on CPU seconds needs SIGPROF")


def buffer(dtype: str, *shape: str, role: str = "in", **more: Any) -> dict[str, Any]:
    return {"dtype": dtype, "shape": list(shape), "role": role, **more}


def number(value: str | float, dtype: str = "i32") -> dict[str, Any]:
    return {"dtype": dtype, "value": value}


KERNELS: dict[str, dict[str, Any]] = {
    "norm": {
        "source": """
#define BLOCK 32
__global__ void norm(const float* x, float* y, float* peaks, int cols, float eps) {
    __shared__ float part[BLOCK];
    const float* row = x + blockIdx.x * cols;
    float sum = 0.0f, peak = -3.402823466e38f;
    for (int i = threadIdx.x; i < cols; i += BLOCK) {
        if (isnan(row[i])) continue;
        sum = fmaf(row[i], row[i], sum);
        peak = fmaxf(peak, fabsf(row[i]));
    }
    part[threadIdx.x] = sum;
    __syncthreads();
    for (int s = BLOCK / 2; s > 0; s /= 2) {
        if (threadIdx.x < s) part[threadIdx.x] += part[threadIdx.x + s];
        __syncthreads();
    }
    const float scale = 0.5f * rsqrtf(part[0] / float(cols) + eps);
    for (int i = threadIdx.x; i < cols; i += BLOCK) {
        if (i % 2 == 0) y[blockIdx.x * cols + i] = row[i] * scale;
        else y[blockIdx.x * cols + i] = expf(row[i] - peak);
    }
    if (threadIdx.x < BLOCK) peaks[blockIdx.x * BLOCK + threadIdx.x] = peak;
}""",
        "sizes": {"rows": [3, 1], "cols": [40, 331]},
        "args": {
            "x": buffer("f32", "rows", "cols"),
            "y": buffer("f32", "rows", "cols", role="out"),
            "peaks": buffer("f32", "rows", "32", role="out"),
            "cols": number("cols"),
            "eps": number(1e-3, "f32"),
        },
        "launch": {"grid": ["rows"], "block": [32]},
    },
    "count": {
        "source": """
__global__ void count(const int* a, const int* b, unsigned* hist, int* out, int n, int bins) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    const int v = i < n ? a[i] : 0;
    int sum = v;
    for (int d = 16; d > 0; d >>= 1) sum += __shfl_down_sync(0xffffffffu, sum, d);
    const int any = __any_sync(0xffffffffu, v > 250);
    if (i >= n) return;
    if (threadIdx.x % 32 == 0 || any) out[i] = max(sum, b[i]) / 3 + any;
    else out[i] = v * n + (b[i] << 1);
    atomicAdd(&hist[v % bins], 1u);
}""",
        "to": "m4",
        "sizes": {"n": [300, 95], "bins": [17, 8]},
        "args": {
            "a": buffer("i32", "n"),
            "b": buffer("i32", "n"),
            "hist": buffer("u32", "bins", role="inout", init=0),
            "out": buffer("i32", "n", role="out"),
            "n": number("n"),
            "bins": number("bins"),
        },
        "launch": {"grid": ["cdiv(n, 64)"], "block": [64]},
    },
    "last": {
        "source": """
__global__ void last(const float* x, float* part, unsigned* done, float* y, int n) {
    __shared__ bool mine;
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) part[i] = 2.0f * x[i];
    __threadfence();
    __syncthreads();
    if (threadIdx.x == 0) mine = atomicAdd(done, 1u) == gridDim.x - 1;
    __syncthreads();
    if (mine && threadIdx.x == 0) {
        __threadfence();
        float sum = 0.0f;
        for (int k = 0; k < n; k++) sum += part[k];
        y[0] = sum;
    }
}""",
        "to": "mi300x",
        "sizes": {"n": [70, 33]},
        "args": {
            "x": buffer("f32", "n"),
            "part": buffer("f32", "n", role="out"),
            "done": buffer("u32", "1", role="inout", init=0),
            "y": buffer("f32", "1", role="inout", init=0),
            "n": number("n"),
        },
        "launch": {"grid": ["cdiv(n, 32)"], "block": [32]},
    },
    "flip": {
        "source": """
__global__ void flip(const float* x, float* y, float* low, float* top, int w, int h) {
    const int c = blockIdx.x * 8 + threadIdx.x, r = blockIdx.y * 8 + threadIdx.y;
    if (c < w && r < h) {
        const float v = x[r * w + c];
        y[c * h + r] = v;
        low[r * w + c] = fmaf(v, v, -(v * v));
        top[r * w + c] = fmaxf(v, 0.5f);
    }
}""",
        "sizes": {"w": [13, 40], "h": [21, 9]},
        "args": {
            "x": buffer("f32", "h", "w"),
            "y": buffer("f32", "w", "h", role="out"),
            "low": buffer("f32", "h", "w", role="out"),
            "top": buffer("f32", "h", "w", role="out"),
            "w": number("w"),
            "h": number("h"),
        },
        "launch": {"grid": ["cdiv(w, 8)", "cdiv(h, 8)"], "block": [8, 8]},
    },
    "copy": {
        "source": """
__global__ void copy(float* x, float* y, int n) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) y[i] = x[i];
}""",
        "sizes": {"n": [70, 300]},
        "args": {
            "x": buffer("f32", "n"),
            "y": buffer("f32", "n", role="out"),
            "n": number("n"),
        },
        "launch": {"grid": ["cdiv(n, 32)"], "block": [32]},
    },
    "halve": {  # a text with a second name for the buffer that it changes
        "source": """
__global__ void halve(float* x, int n) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) x[i] = 0.5f * x[i];
}""",
        "sizes": {"n": [70]},
        "args": {"x": buffer("f32", "n", role="inout"), "n": number("n")},
        "launch": {"grid": ["cdiv(n, 32)"], "block": [32]},
        "to": "m4",
    },
}

VALUES = {"values", "algebra", "exact"}
ANY = VALUES | {"sanitizer", "outputs written", "completes"}
EXPECTED: dict[str, set[str]] = {
    "index": ANY,
    "guard": ANY,
    "tile": ANY,
    "sync": {"sanitizer", "completes"},
    "memory": {"sanitizer", "outputs written", "values"},
    "numerics": VALUES | {"accuracy"},
    "special": VALUES | {"signed zeros"},
    "semantics": ANY,
    "hacks": {"values", "sanitizer", "outputs written"},
}
"""By family: one of these gates kills a mutant."""


@cache
def bench(name: str) -> Bench:
    folder = Path(tempfile.mkdtemp(prefix="gpuport-"))
    given = KERNELS[name]
    (folder / f"{name}.cu").write_text(given["source"])
    kernel = Kernel(
        source=f"{name}.cu", entry=name, sizes=given["sizes"], args=given["args"], launch=given["launch"], folder=folder
    )
    return Bench(kernel, load_machine("h100"), load_machine(given.get("to", "cpu")), 41)


@cache
def planted() -> dict[str, list[tuple[str, Mutant]]]:
    found: dict[str, list[tuple[str, Mutant]]] = {name: [] for name in OPERATORS}
    for kernel in KERNELS:
        for m in sample(list(mutants(bench(kernel).program)), 2):
            found.setdefault(m.operator, []).append((kernel, m))
    return found


@pytest.mark.parametrize("operator", [*OPERATORS, "shared array one shorter"])
def test_operator_plants_what_its_gate_kills(operator: str):
    tried = planted()[operator]
    assert tried, "the operator fits none of the kernels"
    killers: set[str] = set()
    for kernel, m in tried:
        gates, _ = bench(kernel).kills(m.program)
        shown = same_by_proof(m, bench(kernel).program, bench(kernel).facts)
        assert not (gates and shown), "a mutant that is killed was shown to be no defect"
        killers |= set(gates)
        if killers & EXPECTED[m.family]:
            return
    pytest.fail(f"killed by {sorted(killers) or 'no gate'}")


def test_another_name_of_the_same_pointer_is_no_defect():
    b = bench("halve")
    renamed = [m for m in mutants(b.program) if m.operator == "another buffer"]
    assert renamed
    for m in renamed:
        assert same_by_proof(m, b.program, b.facts) == "it is another name of the same pointer"
        assert b.kills(m.program) == ((), None)


def test_a_name_that_moves_is_another_pointer():
    b = bench("halve")
    [m, *_] = [m for m in mutants(b.program) if m.operator == "another buffer"]
    kernel = b.program.kernel
    [name] = [s for s in kernel.body if isinstance(s, n.Declare) and isinstance(s.init, n.PointerCast)]
    x = n.Var(name.name, name.type)
    moves = n.Assign(x, n.Offset(x, n.Const(1, I32), x.type))
    assert m.place is not None
    moving = dataclasses.replace(kernel, body=(*kernel.body, moves))
    moved = dataclasses.replace(m, place=dataclasses.replace(m.place, function=moving))
    assert same_by_proof(moved, b.program, b.facts) == ""
