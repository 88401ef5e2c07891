"""`port()`: from a kernel and two machines to verified ports with their reports."""

from __future__ import annotations

import os
import platform
import secrets
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, get_args, overload

from ..hwmodels import Machine, load_machine
from ..hwmodels.errors import GpuportError
from ..ir.diagnostics import Refusal, refuse
from .bundle import bundle
from .candidate import Candidate, SourceProgram, Synthesizer
from .judge import backends_for, judge
from .report import Environment, KernelRecord, MachineRecord, PortReport, SourceText
from .report.schema import DecisionRecord, DiagnosticRecord, FactRecord, RivalRecord
from .spec import Kernel
from .specialise import Doubles
from .timing import measure_port
from .translate import language_for, launches_of, read_kernel, translate, wrapper_for
from .verify.oracle import Oracle
from .verify.sizes import Case, cases_for

if TYPE_CHECKING:
    from .decisions import Decision
    from .report.schema import GateRecord

Progress = Callable[[str, str, int, int], None]
Port = str | Path


SUFFIXES = {"metal": "metal", "opencl": "cl", "cuda": "cu", "hip": "hip"}


class UnknownDoubles(GpuportError):
    """A value of `fp64` that there is not."""


class AllRefused(GpuportError):
    """No destination could be ported to; the message has each destination's reasons."""

    exit_code = 1


@overload
def port(
    kernel: Kernel | Port,
    src: Machine | Port,
    dst: Machine | Port,
    *,
    language: str | None = ...,
    fp64: Doubles = ...,
    synthesizers: Sequence[Synthesizer] = ...,
    time_limit: float = ...,
    progress: Progress | None = ...,
) -> PortReport: ...
@overload
def port(
    kernel: Kernel | Port,
    src: Machine | Port,
    dst: Sequence[Machine | Port],
    *,
    language: str | None = ...,
    fp64: Doubles = ...,
    synthesizers: Sequence[Synthesizer] = ...,
    time_limit: float = ...,
    progress: Progress | None = ...,
) -> list[PortReport]: ...
def port(
    kernel: Kernel | Port,
    src: Machine | Port,
    dst: Machine | Port | Sequence[Machine | Port],
    *,
    language: str | None = None,
    fp64: Doubles = "",
    synthesizers: Sequence[Synthesizer] = (translate,),
    time_limit: float = 20.0,
    progress: Progress | None = None,
) -> PortReport | list[PortReport]:
    """Port a kernel from the machine `src` to `dst`; a list of destinations gives a list of reports.

    `kernel` is a Kernel, its spec file, or a source file with NAME.kernel.toml beside it; machines are names or model
    files. `language`: what gpuport's own translator writes where a destination runs several (cuda, hip, metal, opencl).
    `fp64`: what f64 becomes where the destination has none, "float32" or "double-single" (pairs of floats); empty
    refuses it. `time_limit`: seconds that one run of a candidate may take. A destination that cannot be ported to gives
    a report with the verdict REFUSED and the reasons.
    Raises Refusal where the source cannot be read, SpecError, MachineError, and what the reference raises.
    """
    if isinstance(dst, str | Path | Machine):
        return _port_each(kernel, src, [dst], language, fp64, synthesizers, time_limit, progress)[0]
    return _port_each(kernel, src, dst, language, fp64, synthesizers, time_limit, progress)


def port_all(
    kernel: Kernel | Port,
    *,
    src: Machine | Port,
    dst: Sequence[Machine | Port],
    language: str | None = None,
    fp64: Doubles = "",
    synthesizers: Sequence[Synthesizer] = (translate,),
    time_limit: float = 20.0,
    progress: Progress | None = None,
) -> list[PortReport]:
    """Port to several machines as the command does: raises AllRefused, with the reasons, if none can be ported to."""
    reports = _port_each(kernel, src, dst, language, fp64, synthesizers, time_limit, progress)
    if all(r.verdict == "REFUSED" for r in reports):
        raise AllRefused(
            "\n".join(dict.fromkeys(f"{r.dst.id}: {line}" for r in reports for line in r.reason.splitlines()))
        )
    return reports


@dataclass(frozen=True)
class _Job:
    """What all destinations share."""

    source: SourceProgram
    src: Machine
    language: str | None
    fp64: Doubles
    time_limit: float
    progress: Progress
    original: SourceText


@dataclass
class _Attempt:
    """One destination: its candidates, or why there are none."""

    dst: Machine
    candidates: list[Candidate] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    seconds: float = 0.0


def _port_each(
    kernel: Kernel | Port,
    src: Machine | Port,
    dst: Sequence[Machine | Port],
    language: str | None,
    fp64: Doubles,
    synthesizers: Sequence[Synthesizer],
    time_limit: float,
    progress: Progress | None,
) -> list[PortReport]:
    source_machine = _machine(src)
    machines = [_machine(d) for d in dst]
    for m in machines:
        language_for(m, language)
    if fp64 not in get_args(Doubles):
        raise UnknownDoubles(f"fp64={fp64!r}: expected one of {', '.join(repr(d) for d in get_args(Doubles))}")
    if language is not None or fp64:
        translator = partial(translate, language=language, fp64=fp64)
        synthesizers = [translator if s is translate else s for s in synthesizers]
    loaded = kernel if isinstance(kernel, Kernel) else Kernel.load(kernel)
    source = read_kernel(loaded)
    launches_of(source)  # a launch that cannot be evaluated is a wrong spec, whatever the destination
    text = loaded.source.read_text(encoding="utf-8", errors="replace")
    job = _Job(
        source,
        source_machine,
        language,
        fp64,
        time_limit,
        progress or (lambda _dst, _stage, _done, _total: None),
        SourceText(name=loaded.source.name, language=source.program.language, text=text),
    )
    attempts = [_attempt(job, m, synthesizers) for m in machines]
    # the inputs are fixed after every candidate is
    oracle = Oracle(loaded, source.program, source_machine, secrets.randbits(64), time_limit)
    with ThreadPoolExecutor(max_workers=min(len(machines), os.cpu_count() or 1)) as pool:
        return list(pool.map(partial(_finish, job, oracle), attempts))


def _machine(named: Machine | Port) -> Machine:
    return named if isinstance(named, Machine) else load_machine(named)


def _attempt(job: _Job, dst: Machine, synthesizers: Sequence[Synthesizer]) -> _Attempt:
    attempt = _Attempt(dst)
    started = time.perf_counter()
    job.progress(dst.id, "translating", 0, 1)
    for synthesizer in synthesizers:
        try:
            for candidate in synthesizer(job.source, job.src, dst):
                wrapper_for(job.source.kernel, candidate, dst, "")  # what its runtime cannot be passed is refused here
                attempt.candidates.append(candidate)
        except Refusal as refusal:
            attempt.refusals.append(refusal)
        except RecursionError:
            attempt.refusals.append(refuse("GP1102", "the kernel is nested too deeply to be translated"))
    attempt.seconds = time.perf_counter() - started
    return attempt


def _finish(job: _Job, oracle: Oracle, attempt: _Attempt) -> PortReport:
    if not attempt.candidates:
        return _refused(job, attempt)
    judged = [(c, _judge(job, oracle, attempt, c)) for c in attempt.candidates]
    if len(judged) == 1:
        return judged[0][1]
    rivals = tuple(
        RivalRecord(
            author=r.author, verdict=r.verdict, reason=r.reason, seconds=r.measured.median if r.measured else None
        )
        for _, r in judged
    )
    verified = [(c, r) for c, r in judged if r.verified]
    # the fastest where times were measured; where none were, the first, which is the translator's
    candidate, best = min(verified, key=lambda v: v[1].measured.median if v[1].measured else 0.0, default=judged[0])
    if best.measured is not None:
        # the fastest of several was lucky too: its time is taken afresh
        started = time.perf_counter()
        case = cases_for(oracle, job.source.constants, candidate.constants)[0]
        backends = backends_for(attempt.dst, candidate.text.language)
        again, _, _ = measure_port(
            candidate.text, job.source.kernel, case, oracle, attempt.dst, backends, counts=best.counts
        )
        stages = {**best.stages, "measure again": time.perf_counter() - started}
        best = best.model_copy(update={"measured": again, "stages": stages})
    return best.model_copy(update={"rivals": rivals})


def _judge(job: _Job, oracle: Oracle, attempt: _Attempt, candidate: Candidate) -> PortReport:
    from ..backends.clike.wrapper import file_text
    from .work import count_work

    kernel, dst = job.source.kernel, attempt.dst
    cases = cases_for(oracle, job.source.constants, candidate.constants, candidate.text)
    backends = backends_for(dst, candidate.text.language)
    steps = len(backends) * sum(len(c.kinds) for c in cases)
    done = 0

    def tick(backend: str, what: str) -> None:
        nonlocal done
        job.progress(dst.id, f"{'emulated' if backend == 'emulator' else backend}: {what}", done, steps)
        done += 1

    found = judge(candidate.text, oracle, cases, dst, backends, time_limit=job.time_limit, tick=tick)
    verdict = found.verdict
    stages = {"translate": attempt.seconds, **found.stages}
    started = time.perf_counter()
    counts = count_work(candidate.text, cases[0], oracle, dst) if found.verified else None
    stages["count"] = time.perf_counter() - started
    started = time.perf_counter()
    measured, floor, device = measure_port(
        candidate.text, kernel, cases[0], oracle, dst, backends, run=found.verified, counts=counts
    )
    stages["measure"] = time.perf_counter() - started
    file_name = f"{kernel.name}.{SUFFIXES[candidate.text.language]}"
    wrapper = wrapper_for(kernel, candidate, dst, file_name)
    job.progress(dst.id, verdict, 1, 1)
    return PortReport(
        kernel=_kernel_record(job),
        src=MachineRecord.of(job.src),
        dst=MachineRecord.of(dst),
        verdict=verdict,
        reason=found.reason,
        decisions=tuple(_decision(job, dst, d) for d in candidate.decisions),
        diagnostics=tuple(DiagnosticRecord.of(d) for d in candidate.diagnostics),
        gates=found.gates,
        author=candidate.author,
        sizes=_judged_sizes(cases, found.gates),
        seeds=(f"{oracle.seed:016x}",),
        environment=_environment(backends, device),
        original=job.original,
        ported=SourceText(name=file_name, language=candidate.text.language, text=file_text(candidate.text)),
        wrapper=SourceText(name=f"{kernel.name}.py", language="python", text=wrapper),
        measured=measured,
        floor=floor,
        counts=counts,
        resources=found.used,
        stages=stages,
        created=datetime.now(UTC),
        rerun=_rerun(job, dst),
        replay=bundle(kernel, candidate, job.src, dst, job.time_limit),
    )


def _judged_sizes(cases: Sequence[Case], gates: Sequence[GateRecord]) -> tuple[dict[str, int], ...]:
    """The sizes of the spec, and of those that were made up the ones at which values were judged."""
    judged = [g.size for g in gates if g.gate == "values"]
    return tuple(dict(c.sizes) for c in cases if not c.made or dict(c.sizes) in judged)


def _refused(job: _Job, attempt: _Attempt) -> PortReport:
    diagnostics = list(dict.fromkeys(d for r in attempt.refusals for d in r.diagnostics))
    errors = [d for d in diagnostics if d.severity.value == "error"]
    job.progress(attempt.dst.id, "REFUSED", 1, 1)
    return PortReport(
        kernel=_kernel_record(job),
        src=MachineRecord.of(job.src),
        dst=MachineRecord.of(attempt.dst),
        verdict="REFUSED",
        reason="\n".join(str(d) for d in errors or diagnostics),
        diagnostics=tuple(DiagnosticRecord.of(d) for d in diagnostics),
        sizes=tuple(job.source.kernel.size_sets()),
        environment=_environment((), ""),
        original=job.original,
        stages={"translate": attempt.seconds},
        created=datetime.now(UTC),
        rerun=_rerun(job, attempt.dst),
    )


def _kernel_record(job: _Job) -> KernelRecord:
    kernel = job.source.kernel
    return KernelRecord(
        name=kernel.name,
        entry=kernel.model.entry,
        language=job.source.program.language,
        file=str(kernel.source),
        spec=str(kernel.file) if kernel.file else "",
    )


def _decision(job: _Job, dst: Machine, decision: Decision) -> DecisionRecord:
    machines = {job.src.id: job.src, dst.id: dst}
    facts = tuple(
        FactRecord.of(f.machine, machines[f.machine].facts()[f.path])
        for f in decision.facts
        if f.machine in machines and f.path in machines[f.machine].facts()
    )
    return DecisionRecord(
        what=decision.what, why=decision.why, facts=facts, line=decision.loc.line if decision.loc else None
    )


def _environment(backends: Sequence[str], device: str) -> Environment:
    from importlib.metadata import PackageNotFoundError, version

    from ..backends.clang.tool import clang_version

    packages: dict[str, str] = {}
    for name in ("numpy", "pyopencl", "pocl-binary-distribution", "ziglang"):
        try:
            packages[name] = version(name)
        except PackageNotFoundError:
            continue
    return Environment(
        gpuport=version("gpuport"),
        python=platform.python_version(),
        platform=platform.platform(terse=True),
        backend=", ".join(backends),
        device=device,
        clang=clang_version(),
        packages=packages,
    )


def _rerun(job: _Job, dst: Machine) -> str:
    kernel = job.source.kernel
    named = f" --language {job.language}" if job.language else ""
    named += f" --fp64 {job.fp64}" if job.fp64 else ""
    return f"gpuport port {kernel.source} --src {job.src.id} --dst {dst.id}{named} --out DIR"
