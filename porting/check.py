"""`check()`: the sanitizer alone, on a kernel as it is."""

from __future__ import annotations

import secrets
import time
from typing import TYPE_CHECKING, Final

from ..hwmodels import Machine, load_machine
from .report.schema import Record

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from ..backends.base import Finding
    from ..backends.emulator import Emulation
    from ..ir.nodes import Program
    from .spec import Kernel

NATURAL: Final = {"cuda": "h100", "hip": "mi300x", "opencl": "cpu", "metal": "m4"}
"""The machine that a language's kernels are checked on unless another is named."""


class CheckFinding(Record):
    """One defect: its kind, what happened, where, and the first of the sizes at which it was seen.

    kind: one of `backends.base.Finding`, `unwritten` (elements of an `out` buffer that no thread wrote), or `hang`.
    `element` counts in `buffer`'s elements; `threads` are who did it, both of them in a race.
    """

    kind: str
    message: str
    file: str = ""
    line: int = 0
    col: int = 0
    buffer: str = ""
    element: int | None = None
    threads: tuple[str, ...] = ()
    size: dict[str, int]
    sizes: int = 1


class CheckedSize(Record):
    """One set of sizes: its launch, how long the emulation took, and what it counted."""

    size: dict[str, int]
    grid: tuple[int, int, int]
    block: tuple[int, int, int]
    shared_bytes: int
    findings: int
    seconds: float
    counts: dict[str, int]


class CheckReport(Record):
    """What the sanitizer said of a kernel on an emulated machine. `seed` fixes the inputs."""

    entry: str
    file: str
    language: str
    machine: str
    seed: str
    findings: tuple[CheckFinding, ...]
    sizes: tuple[CheckedSize, ...]

    @property
    def clean(self) -> bool:
        """Whether no size showed a defect."""
        return not self.findings


def check(
    kernel: Kernel | str | Path, on: Machine | str | Path | None = None, *, seed: int | None = None,
    time_limit: float = 60.0,
) -> CheckReport:  # fmt: skip
    """Run a kernel at every size of its spec on an emulated machine, with all checks, and report the defects.

    `kernel` is a Kernel, its spec file, or a source file with NAME.kernel.toml beside it; a `.metal` file may hold the
    body alone, as `mx.fast.metal_kernel` takes it. `on`: a machine's name, model
    file or model; without it the natural one of the language. `seed` draws the inputs; a fresh one if None.
    `time_limit`: seconds that one size may take; a kernel that takes longer is reported as a hang.
    Raises Refusal where the source cannot be read or does something that the emulator does not know, SpecError,
    MachineError, and what the spec's `inputs` function raises.
    """
    from .metal_body import is_body, read_body
    from .spec import Kernel
    from .translate import read_kernel

    loaded = kernel if isinstance(kernel, Kernel) else Kernel.load(kernel)
    if is_body(loaded):
        program, constants = read_body(loaded), loaded.integer_defines()
    else:
        source = read_kernel(loaded)
        program, constants = source.program, source.constants
    language = program.language
    machine = on if isinstance(on, Machine) else load_machine(on or NATURAL[language])
    drawn = secrets.randbits(64) if seed is None else seed
    found: dict[tuple[str, str, int, str], CheckFinding] = {}
    sizes: list[CheckedSize] = []
    for size in loaded.size_sets():
        here, checked = check_program(loaded, program, constants, size, machine, drawn, time_limit)
        sizes.append(checked)
        for f in here:
            key = (f.kind, f.file, f.line, f.buffer)
            before = found.get(key)
            found[key] = f if before is None else before.model_copy(update={"sizes": before.sizes + 1})
    return CheckReport(
        entry=loaded.model.entry,
        file=str(loaded.source),
        language=language,
        machine=machine.id,
        seed=f"{drawn:016x}",
        findings=tuple(found.values()),
        sizes=tuple(sizes),
    )


def check_program(
    kernel: Kernel,
    program: Program,
    constants: Mapping[str, int],
    size: Mapping[str, int],
    machine: Machine,
    seed: int,
    time_limit: float,
) -> tuple[list[CheckFinding], CheckedSize]:
    """Run a program at one size; `kernel` gives its arguments, `constants` what its launch expressions name."""
    import numpy as np

    from ..backends.emulator import MachineDomain, StepLimit, emulate
    from .spec.data import arguments, draw

    launch = kernel.launch(size, constants)
    inputs = draw(kernel, size, np.random.default_rng([seed, *size.values()]))
    args, roles = arguments(kernel, size, inputs), kernel.roles
    started = time.perf_counter()
    found: list[CheckFinding] = []
    counts: dict[str, int] = {}
    try:
        run = emulate(program, machine, launch, args, roles=roles, max_seconds=time_limit, traffic=True)
        suspects = run.suspects
        if suspects:  # does an undefined value reach an output?
            again = emulate(
                program, machine, launch, args, roles=roles, max_seconds=time_limit,
                domain=MachineDomain(other_poison=True),
            )  # fmt: skip
            if all(a.tobytes() == again.buffers[n].tobytes() for n, a in run.buffers.items()):
                suspects = []
    except StepLimit as limit:
        at = limit.loc
        found.append(
            CheckFinding(
                kind="hang", message=limit.reason, size=dict(size),
                file=at.file if at else "", line=at.line if at else 0, col=at.col if at else 0,
            )
        )  # fmt: skip
    else:
        found, counts = _findings([*run.findings, *suspects], size), run.counts
        if 0 not in launch.grid and not any(f.kind == "limit" for f in found):
            found += _unwritten(run, program, size)
    checked = CheckedSize(
        size=dict(size), grid=launch.grid, block=launch.block, shared_bytes=launch.shared_bytes, findings=len(found),
        seconds=time.perf_counter() - started, counts=counts,
    )  # fmt: skip
    return found, checked


def _findings(findings: Sequence[Finding], size: Mapping[str, int]) -> list[CheckFinding]:
    return [
        CheckFinding(
            kind=f.kind, message=f.message, buffer=f.buffer, element=f.element, threads=f.threads, size=dict(size),
            file=f.loc.file if f.loc else "", line=f.loc.line if f.loc else 0, col=f.loc.col if f.loc else 0,
        )
        for f in findings
    ]  # fmt: skip


def _unwritten(run: Emulation, program: Program, size: Mapping[str, int]) -> list[CheckFinding]:
    """Elements of `out` buffers that no thread wrote, by the emulator's own marks."""
    import numpy as np

    loc = program.kernel.loc
    found: list[CheckFinding] = []
    for name, region in run.regions.items():
        if region.valid is None:
            continue
        marks = region.valid_view(region.elem)[: region.size // region.elem.size]
        left = np.flatnonzero(marks != np.iinfo(marks.dtype).max)
        if not left.size:
            continue
        first = int(left[0])
        text = f"{left.size} of the {marks.size} elements of {name} are never written, the first is {name}[{first}]"
        found.append(
            CheckFinding(
                kind="unwritten", message=text, buffer=name, element=first, size=dict(size),
                file=loc.file if loc else "", line=loc.line if loc else 0, col=loc.col if loc else 0,
            )
        )  # fmt: skip
    return found
