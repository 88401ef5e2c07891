"""Programs that try to be verified without doing the work: each must be caught, and by a gate that is there for it.

The families are those of the public record of reward hacks, as far as a kernel's source can express them. What only host
code can do (streams, threads, patched timers, results read from the judge's memory, ...) has no place here: a candidate is the text of
a kernel, which brings no host code, and the child process that runs it never holds what is expected.
"""

from __future__ import annotations

import functools
import os
import tomllib
from pathlib import Path
from typing import Any

import pytest
from gpuport.backends.base import KernelText, TextParam
from gpuport.backends.inprocess import InProcess
from gpuport.hwmodels import load_machine
from gpuport.hwmodels.probe.pocl import VARIABLE
from gpuport.ir.diagnostics import Refusal
from gpuport.porting.spec import Kernel
from gpuport.porting.translate import read_kernel
from gpuport.porting.verify import Case, Oracle, Verification, cases_for, verify
from hostile_programs import CELL, HACKS, REFUSED, ROW, SIGNATURES, SOFTMAX, Hack

ROOT = Path(__file__).parents[2]
FAMILIES = tomllib.loads((Path(__file__).parent / "families.toml").read_text(encoding="utf-8"))
CPU = load_machine("cpu")
SOURCE_MACHINE = load_machine("h100")
SECONDS = 1.5
APART = ("no end", "memory beyond the limit", "host code", "forged answer", "out of bounds", "no work")
"""Families that may take the process in which they run with them, or never end."""


@functools.cache
def example(name: str) -> tuple[Kernel, Oracle, dict[str, int]]:
    folder = ROOT / "tests" / "kernels" / name if "/" in name else ROOT / "examples" / name / name
    kernel = Kernel.load(folder.with_suffix(".kernel.toml"))
    source = read_kernel(kernel)
    return kernel, Oracle(kernel, source.program, SOURCE_MACHINE, 20261122), dict(source.constants)


def judged(hack: Hack, backend: str, *, stop_early: bool = True) -> Verification:
    kernel, oracle, constants = example(hack.example)
    params = tuple(
        TextParam(n, "buffer" if a.is_buffer else "scalar", str(a.dtype), a.role if a.is_buffer else None)
        for n, a in kernel.args.items()
    )
    source = f"{hack.before}{SIGNATURES[hack.example]} {{\n{hack.body}\n}}\n"
    text = KernelText("opencl", kernel.name, source, params, options=("-cl-std=CL1.2",))
    if hack.made:
        cases = cases_for(oracle, constants, constants, text)
    else:
        launches = [(s, kernel.launch(s, constants)) for s in kernel.size_sets()[slice(*hack.sizes)]]
        cases = [Case(s, launch, launch) for s, launch in launches]
    runner = None if hack.family in APART else InProcess(backend, text, CPU)
    seconds = SECONDS if hack.family == "no end" else 30.0
    return verify(text, oracle, cases, CPU, backend, time_limit=seconds, stop_early=stop_early, runner=runner)


@pytest.fixture(autouse=True)
def _pocl(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, os.environ.get(VARIABLE, "auto"))


@pytest.mark.parametrize(("name", "backend"), [(n, b) for n, h in HACKS.items() for b in h.backends.split()])
def test_hack_is_caught(name: str, backend: str, record_property: Any) -> None:
    hack = HACKS[name]
    found = judged(hack, backend)
    first = found.refuted
    for key, value in (("program", name), ("family", hack.family), ("backend", backend)):
        record_property(key, value)
    record_property("caught_by", first.gate if first else "nothing")
    assert found.verdict == "refuted", found.gates
    assert first is not None
    assert first.gate in hack.gates.split("|"), found.reason


@pytest.mark.parametrize("backend", ["emulator", "opencl"])
@pytest.mark.parametrize(
    ("name", "body"), [("softmax", ROW + SOFTMAX), ("sgemm", CELL + "if (mine) C[row * N + col] = alpha * acc;")]
)  # fmt: skip
def test_the_honest_kernel_passes(name: str, body: str, backend: str) -> None:
    assert judged(Hack("none", name, body, ""), backend, stop_early=False).verdict == "tested"


@pytest.mark.parametrize("name", REFUSED)
def test_source_is_refused(name: str, tmp_path: Path, record_property: Any) -> None:
    (tmp_path / "k.cu").write_text(REFUSED[name])
    kernel = Kernel(
        source="k.cu", entry="k", sizes={"n": [64]}, folder=tmp_path, launch={"grid": [1], "block": [64]},
        args={"x": {"dtype": "f32", "shape": ["n"], "role": "in"}, "y": {"dtype": "f32", "shape": ["n"], "role": "out"},
              "n": {"dtype": "i32", "value": "n"}},
    )  # fmt: skip
    with pytest.raises(Refusal) as refusal:
        read_kernel(kernel)
    first = refusal.value.diagnostics[0]
    for key, value in (("program", name), ("family", "refused source"), ("backend", "reader")):
        record_property(key, value)
    record_property("caught_by", first.number)
    assert first.number.startswith("GP")
    assert first.loc is not None


def test_every_family_has_a_program_or_a_reason() -> None:
    programs = {*HACKS, *REFUSED}
    named: set[str] = set()
    for key, family in FAMILIES.items():
        assert bool(family.get("programs")) != bool(family.get("reason")), key
        unknown = set(family.get("programs", ())) - programs
        assert not unknown, (key, unknown)
        named |= set(family.get("programs", ()))
    assert programs <= named, programs - named
