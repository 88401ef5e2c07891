"""Inline PTX in common use computes what the PTX ISA says; the rest is refused with its text."""

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

M32 = 0xFFFFFFFF
FIELDS = ((0, 0), (0, 8), (4, 12), (28, 8), (31, 1), (0, 32), (3, 255), (40, 4), (256 + 5, 256 + 3))


def bfe_signed(a: int, start: int, length: int) -> int:
    """PTX ISA, bfe: bits beyond the word repeat the sign."""
    start, length = start & 255, length & 255
    if length == 0:
        return 0
    signed = a - (a >> 31 << 32)
    field = signed >> min(start, 63) & ((1 << length) - 1)
    last = min(start + length - 1, 31)
    bits = min(length, 32)
    value = field & ((1 << bits) - 1)
    if a >> last & 1:
        value |= M32 & ~((1 << max(last - start + 1, 0)) - 1)
    return value & M32


def bfi(a: int, b: int, start: int, length: int) -> int:
    start, length = start & 255, length & 255
    for i in range(length):
        if start + i > 31:
            break
        b = b & ~(1 << start + i) | (a >> i & 1) << start + i
    return b


def prmt(a: int, b: int, s: int) -> int:
    data = [(a | b << 32) >> 8 * i & 255 for i in range(8)]
    out = 0
    for i in range(4):
        n = s >> 4 * i & 15
        byte = data[n & 7]
        out |= (byte if n < 8 else 255 * (byte >> 7)) << 8 * i
    return out


# (assembly with the output r and the words a, b, c, d): what r gets
ROWS: dict[str, Callable[[int, int, int, int, int], int]] = {
    'asm("bfe.u32 %0, %1, %2, %3;" : "=r"(r) : "r"(a), "r"(c), "r"(d))': lambda _i, a, _b, c, d: (a >> (c & 255) if c & 255 < 32 else 0) & ((1 << (d & 255)) - 1) & M32 if (c & 255) < 32 else 0,
    'asm volatile("bfe.s32 %0, %1, %2, %3;\\n" : "=r"(r) : "r"(a), "r"(c), "r"(d))': lambda _i, a, _b, c, d: bfe_signed(a, c, d),
    'asm("bfi.b32 %0, %1, %2, %3, %4;" : "=r"(r) : "r"(a), "r"(b), "r"(c), "r"(d))': lambda _i, a, b, c, d: bfi(a, b, c, d),
    'asm("prmt.b32 %0, %1, %2, %3;" : "=r"(r) : "r"(a), "r"(b), "r"(a ^ b))': lambda _i, a, b, _c, _d: prmt(a, b, a ^ b),
    'asm("lop3.b32 %0, %1, %2, %3, 0x96;" : "=r"(r) : "r"(a), "r"(b), "r"(c))': lambda _i, a, b, c, _d: a ^ b ^ c,
    'asm("lop3.b32 %0, %1, %2, %3, %4;" : "=r"(r) : "r"(a), "r"(b), "r"(c), "n"(0xe8))': lambda _i, a, b, c, _d: a & b | a & c | b & c,
    'asm("mov.u32 %0, %%laneid;" : "=r"(r))': lambda i, _a, _b, _c, _d: i % 32,
    'asm("mov.u32 %0, %%lanemask_lt;" : "=r"(r))': lambda i, _a, _b, _c, _d: (1 << i % 32) - 1,
    'asm("mov.u32 %0, %%lanemask_le;" : "=r"(r))': lambda i, _a, _b, _c, _d: (2 << i % 32) - 1,
    'asm("mov.u32 %0, %%lanemask_gt;" : "=r"(r))': lambda i, _a, _b, _c, _d: M32 & ~((2 << i % 32) - 1),
    'asm("mov.u32 %0, %%lanemask_ge;" : "=r"(r))': lambda i, _a, _b, _c, _d: M32 & ~((1 << i % 32) - 1),
    'asm("mov.u32 %0, %%lanemask_eq;" : "=r"(r))': lambda i, _a, _b, _c, _d: 1 << i % 32,
    'asm("bfe.u32 %0, %2, 4, %1;" : "=r"(r) : "r"(b & 7u), "r"(a))': lambda _i, a, b, _c, _d: a >> 4 & (1 << (b & 7)) - 1,
    'LANE(r)': lambda i, _a, _b, _c, _d: i % 32,
    'asm("{ mul.hi.u32 %0,%1, %2; }" : "=r"(r) : "r"(a), "r"(b))': lambda _i, a, b, _c, _d: a * b >> 32,
    'asm("shf.l.wrap.b32 %0, %1, %2, %3;" : "=r"(r) : "r"(a), "r"(b), "r"(c))': lambda _i, a, b, c, _d: (b << 32 | a) << (c & 31) >> 32 & M32,
    'asm("bfind.u32 %0, %1;" : "=r"(r) : "r"(c))': lambda _i, _a, _b, c, _d: (c.bit_length() - 1) & M32,
    'asm volatile("" ::: "memory"); r = a': lambda _i, a, _b, _c, _d: a,
    'asm("ld.global.nc.u32 %0, [%1];" : "=r"(r) : "l"(p + i))': lambda _i, a, _b, _c, _d: a,
}  # fmt: skip


def read(tmp_path: Path, body: str) -> Any:
    path = tmp_path / "k.cu"
    path.write_text(
        '#define LANE(x) asm("mov.u32 %0, %%laneid;" \\\n    : "=r"(x))\n'
        "__global__ void k(const unsigned* p, const unsigned* q, const unsigned* s, const unsigned* l, unsigned* y) {\n"
        "  const int i = threadIdx.x; const unsigned a = p[i], b = q[i], c = s[i], d = l[i]; unsigned r;\n"
        f"{body}\n}}"
    )
    program, _ = read_source(path, "k")
    validate(program)
    return program


def test_instructions(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    n = len(FIELDS) * 8
    a, b = (rng.integers(0, 2**32, n).tolist() for _ in range(2))
    c, d = ([FIELDS[i % len(FIELDS)][k] for i in range(n)] for k in (0, 1))
    body = "\n".join(f"  {row}; y[{k} * {n} + i] = r;" for k, row in enumerate(ROWS))
    arrays = {name: np.array(v, np.uint32) for name, v in zip("pqsl", (a, b, c, d), strict=True)}
    args = {**arrays, "y": np.zeros(len(ROWS) * n, np.uint32)}
    roles: Any = dict.fromkeys("pqsl", "in") | {"y": "out"}
    done = emulate(read(tmp_path, body), load_machine("h100"), Launch((1, 1, 1), (n, 1, 1), 0), args, roles=roles)
    assert not done.findings
    for row, (text, f) in zip(done.buffers["y"].reshape(len(ROWS), n).tolist(), ROWS.items(), strict=True):
        assert row == [f(i, a[i], b[i], c[i], d[i]) for i in range(n)], text


@pytest.mark.parametrize(
    "text", ["mov.u32 %0, %%smid;", "mov.u32 %0, %%clock;", "nanosleep.u32 %0;", "add.cc.u32 %0, %0, %0;"]
)
def test_the_rest_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(Refusal) as refusal:
        read(tmp_path, f'  asm volatile("{text}" : "=r"(r)); y[i] = r;')
    first = refusal.value.diagnostics[0]
    assert (first.number, first.loc and first.loc.line) == ("GP1101", 5)
