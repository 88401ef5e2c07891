"""Rows of the trap tables: a kernel, where it goes, and what must come out of it there.

A row is ported, the text that was written is read back and emulated on the destination, once with NaN and once with
large numbers for whatever a language leaves undefined, so that a result which hangs on such a value is seen.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from gpuport.backends.base import Launch
from gpuport.backends.emulator import MachineDomain, emulate
from gpuport.backends.readers import read_text
from gpuport.hwmodels import load_machine
from gpuport.ir.diagnostics import Refusal, Severity
from gpuport.porting.spec import Kernel
from gpuport.porting.translate import read_kernel, translate

if TYPE_CHECKING:
    from pathlib import Path

    from gpuport.ir.diagnostics import Diagnostic
    from gpuport.porting.candidate import Candidate, SourceProgram

SUFFIXES = {"cuda": "cu", "hip": "hip", "opencl": "cl"}
NATIVE = {"cuda": "h100", "hip": "mi300x", "opencl": "cpu"}
DTYPES = {"f32": np.float32, "f64": np.float64, "f16": np.float16, "bool": np.bool_, "bf16": np.uint16} | {
    f"{kind}{bits}": np.dtype(f"{kind}{bits // 8}").type for kind in "iu" for bits in (8, 16, 32, 64)
}
machine = cache(load_machine)


@dataclass(frozen=True)
class Buffer:
    """An array of a spec dtype; a count of elements where `values` is an int."""

    dtype: str
    values: Any
    role: str = "in"
    init: float | None = None

    def array(self) -> np.ndarray[Any, Any]:
        """The memory; of an output a pattern that no kernel here writes."""
        t = DTYPES[self.dtype.partition("x")[0]]
        if isinstance(self.values, int):
            fill = np.frombuffer(b"\xa5" * np.dtype(t).itemsize, t)[0] if self.init is None else self.init
            return np.full(self.values, fill, t)
        return np.asarray(self.values, t).reshape(-1)


def given(dtype: str, *values: Any) -> Buffer:
    """An input."""
    return Buffer(dtype, values[0] if len(values) == 1 and not np.isscalar(values[0]) else values)


def out(dtype: str, count: int) -> Buffer:
    """An output of `count` numbers."""
    return Buffer(dtype, count, "out")


def inout(dtype: str, count: int, init: float = 0) -> Buffer:
    """A buffer that starts with one value and is updated."""
    return Buffer(dtype, count, "inout", init)


@dataclass(frozen=True)
class Trap:
    """One trap.

    name: the trap in words. source: a file with a kernel `k`, whose lines count from 1. args: buffers and numbers, in
    the order of its parameters. to: destinations, `machine` or `machine/language`. expect: outputs by name, what the
    source language defines. refused, warned: `GPnnnn:line`. says: what the diagnostic's message has. text, never: what
    the port must have, and must not have, as regular expressions. decided: part of a decision's words.
    """

    name: str
    source: str
    args: dict[str, Any]
    to: tuple[str, ...]
    expect: dict[str, Any] = field(default_factory=dict[str, Any])
    refused: str = ""
    warned: tuple[str, ...] = ()
    says: str = ""
    text: tuple[str, ...] = ()
    never: tuple[str, ...] = ()
    decided: str = ""
    grid: int | tuple[int, ...] = 1
    block: int | tuple[int, ...] | str = 32
    shared: int = 0
    entry: str = "k"
    defines: dict[str, Any] = field(default_factory=dict[str, Any])
    language: str = "cuda"
    rtol: float = 0.0

    @property
    def launch(self) -> Launch:
        """The launch of the source."""
        return Launch(_three(self.grid), _three(self.block), self.shared)


def rows(traps: list[Trap]) -> list[Any]:
    """One parameter for each trap and destination."""
    return [pytest.param(t, d, id=f"{t.name} -> {d}".replace("::", ":")) for t in traps for d in t.to]


def source_of(trap: Trap, folder: Path) -> SourceProgram:
    """Write a trap's source and read it. Raises Refusal."""
    return read_kernel(kernel_of(trap, folder))


def kernel_of(trap: Trap, folder: Path) -> Kernel:
    """Write a trap's source and its spec."""
    name = f"k.{SUFFIXES[trap.language]}"
    (folder / name).write_text(trap.source)
    args: dict[str, Any] = {}
    for n, a in trap.args.items():
        if isinstance(a, Buffer):
            lanes = int(a.dtype.partition("x")[2] or 1)
            args[n] = {"dtype": a.dtype, "shape": [a.array().size // lanes], "role": a.role}
            if a.role == "inout":
                args[n]["init"] = a.init
        else:
            dtype, value = a if isinstance(a, tuple) else ("f32" if isinstance(a, float) else "i32", a)
            args[n] = {"dtype": dtype, "value": value}
    launch = {"grid": list(_three(trap.grid)), "block": list(_three(trap.block)), "shared": trap.shared}
    if isinstance(trap.block, str):
        launch["block"] = [trap.block]
    return Kernel(
        source=name, entry=trap.entry, sizes={"n": 1}, args=args, launch=launch, folder=folder, defines=trap.defines
    )


@dataclass(frozen=True)
class Ran:
    """A port and what it gave on its destination: all outputs by the names of the source, once for each poison."""

    candidate: Candidate
    runs: tuple[dict[str, np.ndarray[Any, Any]], dict[str, np.ndarray[Any, Any]]]


def check(trap: Trap, where: str, folder: Path) -> None:
    """Port a trap to a destination and assert all that its row says."""
    try:
        candidate = ported(trap, where, folder)
    except Refusal as refusal:
        if not trap.refused:
            raise
        _told(trap, trap.refused.split(), [d for d in refusal.diagnostics if d.severity is Severity.ERROR])
        return
    text = whole(candidate)
    assert not trap.refused, f"ported, though it must be refused with {trap.refused}:\n{text}"
    _told(trap, list(trap.warned), [d for d in candidate.diagnostics if d.severity is Severity.WARNING])
    if trap.decided:
        told = "\n".join(str(d) for d in candidate.decisions)
        assert trap.decided in told, told
    for pattern in trap.text:
        assert re.search(pattern, text), f"not in the text: {pattern}\n{text}"
    for pattern in trap.never:
        assert not re.search(pattern, text), f"in the text: {pattern}\n{text}"
    if trap.expect:
        for outputs in run(trap, where, candidate).runs:
            for name, expected in trap.expect.items():
                same(outputs[name], np.asarray(expected), trap.rtol, text)


def ported(trap: Trap, where: str, folder: Path) -> Candidate:
    """The translator's port of a trap. Raises Refusal."""
    name, _, language = where.partition("/")
    [candidate] = translate(
        _read(trap, folder), machine(NATIVE[trap.language]), machine(name), language=language or None
    )
    return candidate


_sources: dict[int, SourceProgram] = {}
_batches: dict[tuple[int, str], Ran] = {}


def _read(trap: Trap, folder: Path) -> SourceProgram:
    if id(trap) not in _sources:
        _sources[id(trap)] = source_of(trap, folder)
    return _sources[id(trap)]


def outcome(trap: Trap, where: str, folder: Path) -> Ran:
    """The run of a kernel that many rows share, which is made once."""
    key = (id(trap), where)
    if key not in _batches:
        _batches[key] = run(trap, where, ported(trap, where, folder))
    return _batches[key]


def run(trap: Trap, where: str, candidate: Candidate) -> Ran:
    """Read a port back and emulate it on its destination, which must find nothing wrong."""
    dst = machine(where.partition("/")[0])
    program = read_text(candidate.text, dst)
    spelled = {p.name: p.spelled or p.name for p in candidate.text.params}
    args = {spelled[n]: _value(a) for n, a in trap.args.items()}
    roles = {spelled[n]: a.role for n, a in trap.args.items() if isinstance(a, Buffer)}
    found: list[dict[str, np.ndarray[Any, Any]]] = []
    for other in (False, True):
        domain = MachineDomain(other_poison=other)
        done = emulate(program, dst, trap.launch, args, roles=roles, domain=domain, max_seconds=20)
        assert not done.findings, f"{done.findings}\n{whole(candidate)}"
        found.append({n: done.buffers[spelled[n]] for n, a in trap.args.items() if isinstance(a, Buffer)})
    return Ran(candidate, (found[0], found[1]))


def same(got: np.ndarray[Any, Any], expected: np.ndarray[Any, Any], rtol: float, text: str) -> None:
    """Assert equal numbers, NaN where NaN, and zeros of the same sign; with `rtol` numbers that close."""
    want = expected.reshape(-1).astype(got.dtype)
    if rtol:
        np.testing.assert_allclose(got, want, rtol=rtol, err_msg=text)
        return
    np.testing.assert_array_equal(got, want, err_msg=text)
    if got.dtype.kind == "f":
        np.testing.assert_array_equal(np.signbit(got[got == 0]), np.signbit(want[got == 0]), err_msg=text)


def whole(candidate: Candidate) -> str:
    """All of a port's text."""
    return f"{candidate.text.header}\n{candidate.text.source}"


def _told(trap: Trap, wanted: list[str], found: list[Diagnostic]) -> None:
    """Each diagnostic of the row is there, at its line; `says` is in one of them."""
    at = [f"{d.number}:{d.loc.line if d.loc else 0}" for d in found]
    missing = [w for w in wanted if w not in at]
    told = "\n".join(str(d) for d in found) or "no diagnostics"
    assert not missing, f"missing {missing} in\n{told}"
    if trap.refused:
        assert all(w in wanted for w in at), f"more than {wanted}:\n{told}"
    if trap.says and wanted:
        assert any(trap.says in d.message for d in found if f"{d.number}:{d.loc.line if d.loc else 0}" in wanted), told


def _value(a: Any) -> Any:
    if isinstance(a, Buffer):
        array = a.array()
        return array.view(np.uint8) if array.dtype == np.bool_ else array
    return a[1] if isinstance(a, tuple) else a


def _three(n: int | tuple[int, ...] | str) -> tuple[int, int, int]:
    given = (1,) if isinstance(n, str) else (n,) if isinstance(n, int) else n
    x, y, z = (*given, 1, 1)[:3]
    return x, y, z
