"""Tests of pointers against null, decided by which arguments are null."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from gpuport.backends.cuda.reader import read_cuda
from gpuport.ir.diagnostics import Refusal
from gpuport.ir.nodes import IsNull
from gpuport.ir.printer import show_program
from gpuport.ir.rewrites.nulls import resolve_nulls
from gpuport.ir.rewrites.spaces import resolve_spaces
from gpuport.ir.validate import validate
from gpuport.ir.walk import walk

if TYPE_CHECKING:
    from pathlib import Path

HELPERS = """
__device__ float at(const float* p, int i) { return p ? p[i] : -1.0f; }
__device__ float other(const float* q, int i) { return at(q + 1, i); }
"""
# body of k(float* y, const float* b, const float* c, int n); what is left of it where c alone is null
CASES = {
    "if (b != nullptr) y[0] = 1; else y[0] = 2;": "y[0] = f32(1)",
    "if (c != nullptr) y[0] = 1; else y[0] = 2;": "y[0] = f32(2)",
    "if (b) y[0] = 1;": "y[0] = f32(1)",
    "if (!c) y[0] = 1;": "y[0] = f32(1)",
    "if (n > 0 && c) y[0] = 1; else y[0] = 2;": "y[0] = f32(2)",
    "if (c == 0 && n > 0) y[0] = 1;": "n > 0",
    "y[0] = c ? c[0] : 3.0f;": "y[0] = 3.0f",
    "const float* p = b + 4; if (p) y[0] = 1;": "y[0] = f32(1)",
    "y[0] = at(b, n) + at(b + 1, n);": "p[i]",
    "y[0] = other(b, n);": "p[i]",
    "y[0] = at(c, n);": "-1",
    "const float* p = c ? b : nullptr; y[0] = p ? p[n] : 4.0f;": "y[0] = 4.0f",
    "const float* p = b != c ? b : nullptr; y[0] = p ? p[n] : 4.0f;": "y[0] = p[n]",
    "const float* p = nullptr; if (p) y[0] = 1; else y[0] = 2;": "y[0] = f32(2)",
    "const float* p = n > 3 ? b + n : nullptr; y[0] = p ? p[1] : 4.0f;": "y[0] = p_given ? p[1] : 4.0f",
    "const float* p = n > 3 ? nullptr : b; if (p == nullptr) y[0] = 1;": "if (!p_given)",
}


def read(tmp_path: Path, body: str):
    path = tmp_path / "k.cu"
    path.write_text(f"{HELPERS}__global__ void k(float* y, const float* b, const float* c, int n) {{ {body} }}\n")
    return resolve_spaces(read_cuda(path, "k")[0])


@pytest.mark.parametrize("body", CASES)
def test_tests_are_decided(tmp_path: Path, body: str):
    program = resolve_nulls(read(tmp_path, body), ["c"])
    validate(program)
    functions = (*program.functions, program.kernel)
    assert not any(isinstance(x, IsNull) for f in functions for x in walk(f))
    text = show_program(program)
    assert CASES[body] in text
    if body.startswith("if (b != nullptr)"):
        assert "f32(2)" not in text


def test_pointers_that_may_be_either_are_refused(tmp_path: Path):
    for body in ("y[0] = at(b, n) + at(c, n);", "const float* p = n > 3 ? b : c; if (p) y[0] = 1;"):
        with pytest.raises(Refusal, match="may be either"):
            resolve_nulls(read(tmp_path, body), ["c"])


def test_null_pointers_that_stay_are_refused(tmp_path: Path):
    for body in (
        "const float* p = n > 3 ? b : nullptr; p = b + 1; if (p) y[0] = 1;",
        "const float* p = nullptr; if (n > 3) p = b; y[0] = p[0];",
        "y[0] = at(n > 3 ? b : nullptr, n);",
    ):
        with pytest.raises(Refusal, match=r"null pointer in this place|may be either") as caught:
            resolve_nulls(read(tmp_path, body), ["c"])
        assert {(d.number, d.loc.line) for d in caught.value.diagnostics if d.loc} <= {("GP1102", 2), ("GP1102", 4)}
