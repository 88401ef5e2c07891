"""switch, comma, declarations in conditions: read from CUDA, against Python."""

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
    from collections.abc import Callable
    from pathlib import Path

H100 = load_machine("h100")


def read(tmp_path: Path, source: str, entry: str = "k") -> Any:
    path = tmp_path / "k.cu"
    path.write_text(source)
    program, _ = read_source(path, entry)
    validate(program)
    return program


def run(program: Any) -> list[int]:
    args = {"y": np.full(32, -1, np.int32)}
    done = emulate(program, H100, Launch((1, 1, 1), (32, 1, 1), 0), args, roles={"y": "inout"})
    assert not done.findings
    return done.buffers["y"].tolist()


def fallthrough(i: int) -> int:
    r = 0
    if i % 5 == 0:
        r += 1
    if i % 5 in (0, 1):
        r += 10
    if i % 5 in (0, 1, 2):
        r += 100
    return r + 1000 if i % 5 > 2 else r


def collatz(i: int) -> int:
    n, steps = i + 1, 0
    while n != 1 and steps < 20:
        steps += 1
        n = 3 * n + 1 if n % 2 else n // 2
    return steps * 100 + n


# a body of k(int* y) with i the thread: what y[i] gets
BODIES: dict[str, tuple[str, Callable[[int], int]]] = {
    "breaks": ("int r = 0; switch (i & 3) { case 0: r = 5; break; case 1: case 2: r = i; break; default: r = -i; } y[i] = r;",
               lambda i: {0: 5, 1: i, 2: i}.get(i & 3, -i)),
    "fallthrough": ("int r = 0; switch (i % 5) { case 0: r += 1; case 1: r += 10; [[fallthrough]]; case 2: r += 100; break; default: r += 1000; } y[i] = r;",
                    fallthrough),
    "default first": ("int r; switch (i % 4) { default: r = 9; break; case 2: r = 2; break; case 3: r = 3; } y[i] = r;",
                      lambda i: {2: 2, 3: 3}.get(i % 4, 9)),
    "default falls on": ("int r = 0; switch (i % 4) { case 1: r = 7; default: r += 1; case 3: r += 20; } y[i] = r;",
                         lambda i: {1: 28, 3: 20}.get(i % 4, 21)),
    "no default": ("int r = 4; switch (i) { case 3: r = 1; break; case 7: r = 2; } y[i] = r;", lambda i: {3: 1, 7: 2}.get(i, 4)),
    "returns": ("switch (i % 3) { case 0: y[i] = 1; return; case 1: y[i] = 2; return; } y[i] = 3;", lambda i: i % 3 + 1),
    "break under an if": ("int r = 0; switch (i % 3) { case 0: r = 1; if (i > 10) break; r = 2; break; case 1: if (i < 5) { r = 3; } else { r = 4; break; }"
                          " r += 50; break; default: { r = 6; break; } } y[i] = r;",
                          lambda i: {0: 1 if i > 10 else 2, 1: 53 if i < 5 else 4}.get(i % 3, 6)),
    "in a loop with continue": ("int r = 0; for (int k = 0; k < i; ++k) { switch (k % 4) { case 0: continue; case 1: r += 1; break; case 2: r += 10; }"
                                " r += 100; } y[i] = r;", lambda i: sum({1: 101, 2: 110, 3: 100}.get(k % 4, 0) for k in range(i))),
    "loop inside": ("int r = 0; switch (i & 1) { case 1: for (int k = 0; k < 9; ++k) { if (k == 4) break; r += k; } r += 100; break; } y[i] = r;",
                    lambda i: 106 if i & 1 else 0),
    "ranges and characters": ("int r = 0; switch ('a' + i) { case 'a' ... 'c': r = 1; break; case 'z': r = 2; break; } y[i] = r;",
                              lambda i: 1 if i < 3 else 2 if i == 25 else 0),
    "unsigned and negative": ("int r = 0; switch (i - 2) { case -1: r = 1; break; case -2: r = 2; } switch ((unsigned)i - 2u) { case 0xffffffffu: r += 4; } y[i] = r;",
                              lambda i: {0: 2, 1: 5}.get(i, 0)),
    "enumerators": ("enum Op { ADD, SUB = 4, MUL }; int r = 0; switch ((Op)(i % 6)) { case ADD: r = 1; break; case SUB: r = 2; break; case MUL: r = 3; } y[i] = r;",
                    lambda i: {0: 1, 4: 2, 5: 3}.get(i % 6, 0)),
    "nested": ("int r = 0; switch (i & 1) { case 0: switch (i & 2) { case 0: r = 1; break; default: r = 2; } r += 10; break; default: r = 3; } y[i] = r;",
               lambda i: {0: 11, 1: 3, 2: 12, 3: 3}[i & 3]),
    "head evaluated once": ("int n = i, r; switch (n++ & 3) { case 0: r = n; break; case 1: r = -n; break; default: r = 0; } y[i] = r;",
                            lambda i: {0: i + 1, 1: -i - 1}.get(i & 3, 0)),
    "a variable before the cases": ("int r = 0; switch (i & 1) { int t; case 0: t = i; r = t * 2; break; case 1: t = 3; r = t; } y[i] = r;",
                                    lambda i: 3 if i & 1 else 2 * i),
    "comma in a loop": ("int r = 0; for (int a = 0, b = i; a < b; ++a, --b) r += b - a; y[i] = r;",
                        lambda i: sum(i - 2 * a for a in range(i) if a < i - a)),
    "comma as a value": ("int a; int b = (a = i * 2, a + 1); y[i] = b + a;", lambda i: 4 * i + 1),
    "hints for the compiler": ("__builtin_assume(i >= 0); if (__builtin_expect(i > 3, 0)) { y[i] = 1; return; } y[i] = 2;",
                               lambda i: 1 if i > 3 else 2),
    "declaration in an if": ("if (int t = i & 6) y[i] = t; else y[i] = 100; if (int u = i * 3; u > 30) y[i] += u;",
                             lambda i: ((i & 6) or 100) + (3 * i if i > 10 else 0)),
    "assignment in a while": ("int n = i + 1, s = 0; while (n != 1 && s < 20) { ++s; switch (n & 1) { case 0: n /= 2; break; default: n = 3 * n + 1; } } y[i] = s * 100 + n;",
                              collatz),
}  # fmt: skip


@pytest.mark.parametrize("name", BODIES)
def test_statements(tmp_path: Path, name: str) -> None:
    body, f = BODIES[name]
    program = read(tmp_path, f"__global__ void k(int* y) {{ const int i = threadIdx.x;\n{body}\n}}")
    assert run(program) == [f(i) for i in range(32)]


def test_a_switch_over_a_template_parameter_keeps_one_section(tmp_path: Path) -> None:
    source = """template <int OP> __global__ void k(int* y) {
  int i = threadIdx.x;
  switch (OP) { case 0: y[i] = i; break; case 1: y[i] = -i; break; default: y[i] = 7; }
}"""
    assert run(read(tmp_path, source, "k<1>")) == [-i for i in range(32)]
    assert run(read(tmp_path, source, "k<5>")) == [7] * 32


REFUSED = {
    "a break on some ways, with a continue": "for (int r = 0; r < 9; ++r) { switch (r & 1) { case 0: if (i > 1) { if (r) break; y[i] = 1; } y[i] = 2;"
    " continue; } y[i] = r; }",
    "a variable of another case": "switch (i) { case 0: int t; t = 1; y[i] = t; break; case 1: t = 2; y[i] = t; break; }",
    "a label inside a block": "switch (i) { case 0: while (y[i] < 3) { case 1: y[i]++; } }",
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_no_chain_of_ifs_says_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(Refusal) as refusal:
        read(tmp_path, f"__global__ void k(int* y) {{ const int i = threadIdx.x;\n{REFUSED[name]}\n}}")
    first = refusal.value.diagnostics[0]
    assert (first.number, first.loc and first.loc.line) == ("GP1101", 2)
