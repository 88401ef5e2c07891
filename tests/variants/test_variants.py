"""Other ways to write the examples that are as right as theirs: none may be rejected.

Each .cl file is an OpenCL kernel of an example's signature: other orders, split sums, vector widths, fused or not, other
algorithms. Lines that begin with `//:` are TOML: its launch, and lists of values for defines, a variant each.
"""

from __future__ import annotations

import functools
import math
import tomllib
from pathlib import Path
from typing import Any

import pytest
from gpuport.backends.base import KernelText, Launch, TextParam
from gpuport.backends.inprocess import InProcess
from gpuport.hwmodels import load_machine
from gpuport.porting.spec import Kernel
from gpuport.porting.spec.expressions import parse_expression
from gpuport.porting.translate import read_kernel
from gpuport.porting.verify import Case, Oracle, verify_with

HERE = Path(__file__).parent
EXAMPLES = HERE.parents[1] / "examples"
CPU = load_machine("cpu")
SOURCE_MACHINE = load_machine("h100")


def variants() -> list[Any]:
    found: list[Any] = []
    for file in sorted(HERE.glob("*/*.cl")):
        lines = file.read_text(encoding="utf-8").splitlines()
        head = tomllib.loads("\n".join(x.removeprefix("//:") for x in lines if x.startswith("//:")))
        lists = {k: v for k, v in head.items() if k.isupper()}
        for values in zip(*lists.values(), strict=True) if lists else [()]:
            defines = dict(zip(lists, values, strict=True))
            label = "-".join([file.parent.name, file.stem, *(f"{k}{n}" for k, n in defines.items())])
            found.append(pytest.param(file, head["grid"], head["block"], defines, id=label))
    return found


VARIANTS = variants()


class KeptOracle(Oracle):
    """An oracle that works each expectation out once, for all variants of an example."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.kept: dict[Any, Any] = {}

    def expect(self, sizes: Any, launch: Any, kind: Any, dst: Any, language: str) -> Any:
        key = (*sizes.items(), kind)
        if key not in self.kept:
            self.kept[key] = super().expect(sizes, launch, kind, dst, language)
        return self.kept[key]


@functools.cache
def example(name: str) -> tuple[Kernel, Oracle, dict[str, int]]:
    kernel = Kernel.load(EXAMPLES / name / f"{name}.kernel.toml")
    source = read_kernel(kernel)
    return kernel, KeptOracle(kernel, source.program, SOURCE_MACHINE, 20261122), dict(source.constants)


def launch(grid: list[Any], block: list[Any], names: dict[str, int]) -> Launch:
    def three(parts: list[Any]) -> tuple[int, int, int]:
        x, y, z = ([parse_expression(p).evaluate(names) for p in parts] + [1, 1])[:3]
        return x, y, z

    return Launch(three(grid), three(block))


def test_there_are_sixty() -> None:
    assert len(VARIANTS) >= 60


@pytest.mark.parametrize("backend", ["emulator", "opencl"])
@pytest.mark.parametrize(("file", "grid", "block", "defines"), VARIANTS)
def test_variant_is_accepted(
    file: Path, grid: list[Any], block: list[Any], defines: dict[str, int], backend: str, record_property: Any
) -> None:
    kernel, oracle, constants = example(file.parent.name)
    params = tuple(
        TextParam(n, "buffer" if a.is_buffer else "scalar", str(a.dtype), a.role if a.is_buffer else None)
        for n, a in kernel.args.items()
    )
    source = "".join(f"#define {k} {v}\n" for k, v in defines.items()) + file.read_text(encoding="utf-8")
    text = KernelText("opencl", kernel.name, source, params, options=("-cl-std=CL1.2",))
    cases = [
        Case(s, kernel.launch(s, constants), launch(grid, block, {**s, **defines})) for s in kernel.size_sets()[1:]
    ]
    found = verify_with(InProcess(backend, text, CPU), oracle, cases, CPU, "opencl", backend)
    variant = "-".join([file.stem, *(f"{k}{n}" for k, n in defines.items())])
    shares = [g.worst.share for g in found.gates if g.worst and math.isfinite(g.worst.share)]
    for key, value in (
        ("example", file.parent.name),
        ("variant", f"{file.parent.name}/{variant}"),
        ("backend", backend),
    ):
        record_property(key, value)
    record_property("share", f"{max(shares, default=0.0):.3f}")
    assert found.verdict == "tested", found.reason
