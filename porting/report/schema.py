"""The report of one port as data: pydantic models, versioned, the same in JSON and in memory."""

from __future__ import annotations

import math
import statistics
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer

if TYPE_CHECKING:
    from pathlib import Path

    from ...hwmodels import Machine
    from ...hwmodels.schema import Fact
    from ...ir.diagnostics import Diagnostic

SCHEMA_VERSION: Final = 1

Verdict = Literal["VERIFIED (device)", "VERIFIED (emulated)", "REFUTED", "REFUSED", "UNVERIFIED"]
GateVerdict = Literal["proved", "tested", "refuted", "unknown"]


def _json_number(value: float) -> float | str:
    return value if math.isfinite(value) else str(value)


# JSON has no NaN and no infinity: they are written as the strings "nan", "inf" and "-inf", which pydantic reads back
Number = Annotated[float, PlainSerializer(_json_number, return_type=float | str, when_used="json")]

Raw = bool | int | float | str


def _raw(value: Any) -> Any:
    return "unlimited" if isinstance(value, float) and math.isinf(value) else value


HEADLINE_FACTS: Final = (
    "execution.subgroup_width",
    "execution.compute_units",
    "limits.threads_per_group",
    "shared.per_group",
    "registers.per_thread",
    "memory.bandwidth",
    "rates.vector.f32",
    "features.fp64",
    "features.subgroup_shuffle",
    "features.atomic_f32_global",
    "numerics.subnormals_f32",
)


class Record(BaseModel):
    """Base of all records: frozen; an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class FactRecord(Record):
    """A fact of a machine model as it was when the report was written; `value` is for people, `raw` in `unit`.

    A limit that does not exist has the raw value "unlimited".
    """

    machine: str
    path: str
    label: str
    value: str
    raw: Raw | tuple[Raw, ...] | None = None
    unit: str = ""
    source: str = ""
    locator: str = ""
    kind: str = ""
    verified: bool = True
    note: str = ""

    @classmethod
    def of(cls, machine: str, fact: Fact) -> FactRecord:
        """Copy a fact of the machine with the id `machine`."""
        return cls(
            machine=machine,
            path=fact.path,
            label=fact.label,
            value=str(fact) if fact.known else "unknown",
            raw=tuple(_raw(v) for v in fact.value) if isinstance(fact.value, tuple) else _raw(fact.value),
            unit=fact.unit,
            source=fact.sources[0].title if fact.sources else "",
            locator=fact.locator,
            kind=fact.kind,
            verified=fact.verified,
            note=fact.note,
        )


class MachineRecord(Record):
    """A machine and those of its facts that the report shows."""

    id: str
    name: str
    vendor: str = ""
    arch: str = ""
    facts: tuple[FactRecord, ...] = ()

    @classmethod
    def of(cls, machine: Machine, paths: tuple[str, ...] = HEADLINE_FACTS) -> MachineRecord:
        """Copy a machine with its facts at `paths`; those that its model does not state are left out."""
        stated = machine.facts()
        facts = tuple(FactRecord.of(machine.id, stated[p]) for p in paths if p in stated)
        return cls(id=machine.id, name=machine.name, vendor=machine.vendor, arch=machine.arch, facts=facts)

    def fact(self, path: str) -> FactRecord | None:
        """The fact at `path`, None where the report does not hold it."""
        return next((f for f in self.facts if f.path == path), None)


class KernelRecord(Record):
    """What was ported: the entry as the spec writes it, the source file and the spec file as the user named them."""

    name: str
    entry: str
    language: str = "cuda"
    file: str = ""
    spec: str = ""


class DecisionRecord(Record):
    """A choice made for the destination: what, why, from which facts; `line` of the source where it has one."""

    what: str
    why: str = ""
    facts: tuple[FactRecord, ...] = ()
    line: int | None = None


class DiagnosticRecord(Record):
    """A numbered finding, at a line of a file."""

    number: str
    title: str = ""
    severity: Literal["error", "warning", "note"]
    message: str
    file: str | None = None
    line: int | None = None
    col: int | None = None

    @classmethod
    def of(cls, diagnostic: Diagnostic) -> DiagnosticRecord:
        """Copy a diagnostic of the IR."""
        from ...ir.diagnostics import TITLES

        loc = diagnostic.loc
        return cls(
            number=diagnostic.number,
            title=TITLES[diagnostic.number],
            severity=diagnostic.severity.value,
            message=diagnostic.message,
            file=loc.file if loc else None,
            line=loc.line if loc else None,
            col=loc.col if loc else None,
        )


class WorstElement(Record):
    """The element of an output that came nearest to its bound, or went furthest over it."""

    buffer: str
    index: tuple[int, ...] = ()
    got: Number
    expected: Number
    bound: Number

    @property
    def share(self) -> float:
        """|got - expected| as a share of the bound: above 1 is refuted; 0 where both are equal."""
        if self.got == self.expected or (math.isnan(self.got) and math.isnan(self.expected)):
            return 0.0
        error = abs(self.got - self.expected)
        return math.inf if math.isnan(error) or self.bound == 0 else error / self.bound


class GateRecord(Record):
    """What one gate said at one size: `inputs` names the kind of inputs, `backend` what ran the kernel."""

    gate: str
    verdict: GateVerdict
    size: dict[str, int] = Field(default_factory=dict)
    inputs: str = ""
    backend: str = ""
    detail: str = ""
    worst: WorstElement | None = None
    seconds: float = 0.0


class Environment(Record):
    """Where the port was made and run; `device` is empty where no backend ran."""

    gpuport: str
    python: str
    platform: str = ""
    backend: str = ""
    device: str = ""
    clang: str = ""
    packages: dict[str, str] = Field(default_factory=dict)


class SourceText(Record):
    """The text of a file, its name without folders, and its language."""

    name: str
    language: str
    text: str


class Timing(Record):
    """Times measured on a device, seconds per launch, one per repeat, at `size`."""

    size: dict[str, int]
    device: str
    samples: tuple[float, ...] = Field(min_length=1)
    method: str = ""

    @property
    def median(self) -> float:
        """Median of the samples, seconds."""
        return statistics.median(self.samples)

    @property
    def quartiles(self) -> tuple[float, float]:
        """First and third quartile, seconds; both are the sample where there is only one."""
        if len(self.samples) == 1:
            return self.samples[0], self.samples[0]
        first, _, third = statistics.quantiles(self.samples, n=4, method="inclusive")
        return first, third


class Floor(Record):
    """The roofline's least time at `size`, seconds: predicted from the machine model, never measured.

    The larger of `memory_seconds`, for moving each line that the port uses over the memory bus once in each direction
    that it is used in, at the peak bandwidth, and `compute_seconds`, for its operations on floats as they are written,
    at the peak rates. What is read again counts once, whether a cache can hold it or not, so that the floor is below
    what any cache allows. `basis` says all this in words.
    """

    size: dict[str, int]
    seconds: float
    basis: str
    facts: tuple[FactRecord, ...] = ()
    memory_seconds: float = 0.0
    compute_seconds: float = 0.0


class CountsRecord(Record):
    """What the port did in emulation at `size`.

    `counts` are sums over all threads, named as in `backends.emulator.Emulation`. `granule`: bytes of a sector or line
    of global memory (0 if not known), `subgroup`: threads of a subgroup, `lanes`: threads of the launch.
    """

    size: dict[str, int]
    counts: dict[str, int]
    granule: int = 0
    subgroup: int = 1
    lanes: int = 1

    def share(self, part: str, whole: str) -> float | None:
        """One count over another; None where there is nothing to divide by."""
        return self.counts.get(part, 0) / self.counts[whole] if self.counts.get(whole) else None


class ResourcesRecord(Record):
    """What the compiled kernel uses, as its compiler counts it; see `backends.compilers.Resources`."""

    compiler: str
    target: str
    registers: int
    scalar_registers: int | None = None
    shared_bytes: int
    spill_bytes: int
    note: str = ""


class RivalRecord(Record):
    """One of several candidates that were judged: its author, the verdict and why, its median time in seconds."""

    author: str
    verdict: Verdict
    reason: str = ""
    seconds: float | None = None


class IdeaRecord(Record):
    """A candidate of a swarm: who wrote it by which strategy, and what became of it.

    `verdict`: `passed` where the swarm's own trial found nothing, else what it found, in `reason`; `explanation`: a
    model's words on that, which decide nothing. `seconds`: measured per launch, where the device was here. `parent` is
    the number of the candidate that its author was shown; 0 is the
    translator's. `final`: what the last judge said, with inputs and sizes that the swarm never saw; empty for those
    that did not come before it.
    """

    number: int
    author: str
    strategy: str = ""
    idea: str = ""
    verdict: str
    reason: str = ""
    explanation: str = ""
    parent: int | None = None
    seconds: float | None = None
    final: Verdict | Literal[""] = ""
    final_reason: str = ""


class SwarmRecord(Record):
    """What a swarm did for this destination: its model, why it ended, and what it spent; `cost` at the prices given."""

    model: str = ""
    workers: int
    stopped: str
    candidates: int
    requests: int
    cached: int
    input_tokens: int
    output_tokens: int
    cost: float
    seconds: float


class ReplayRecord(Record):
    """What `gpuport replay` needs to repeat the run, see `bundle`; `missing` says why it cannot, and all else is empty.

    `spec`: the keywords of `Kernel`; `files`: texts by their paths, the spec's folder being `folder`; `candidate`: the
    port as its runtime takes it; `machines`: the fingerprints of their models by id; `time_limit` in seconds.
    """

    missing: str = ""
    spec: dict[str, Any] = Field(default_factory=dict)
    folder: str = "."
    files: dict[str, str] = Field(default_factory=dict)
    candidate: dict[str, Any] = Field(default_factory=dict)
    constants: dict[str, int] = Field(default_factory=dict)
    machines: dict[str, str] = Field(default_factory=dict)
    time_limit: float = 20.0


class PortReport(Record):
    """One kernel ported to one destination: the verdict and everything that it rests on.

    `original` is the source as read, `ported` what was written for the destination (None if refused), `wrapper` the
    host module beside it. `rivals`: all candidates that were judged, where there were several; `ideas` and `swarm`:
    what a swarm tried. `stages` are wall seconds per stage, in order. `seeds` are hexadecimal.
    """

    schema_version: Literal[1] = SCHEMA_VERSION
    kernel: KernelRecord
    src: MachineRecord
    dst: MachineRecord
    verdict: Verdict
    reason: str = ""
    decisions: tuple[DecisionRecord, ...] = ()
    diagnostics: tuple[DiagnosticRecord, ...] = ()
    gates: tuple[GateRecord, ...] = ()
    rivals: tuple[RivalRecord, ...] = ()
    ideas: tuple[IdeaRecord, ...] = ()
    swarm: SwarmRecord | None = None
    author: str = "translator"
    sizes: tuple[dict[str, int], ...] = ()
    seeds: tuple[str, ...] = ()
    environment: Environment
    original: SourceText
    ported: SourceText | None = None
    wrapper: SourceText | None = None
    measured: Timing | None = None
    floor: Floor | None = None
    counts: CountsRecord | None = None
    resources: ResourcesRecord | None = None
    stages: dict[str, float] = Field(default_factory=dict)
    created: datetime
    rerun: str = ""
    replay: ReplayRecord | None = None

    @property
    def source(self) -> str:
        """The ported kernel's text; empty if the port was refused."""
        return self.ported.text if self.ported else ""

    @property
    def verified(self) -> bool:
        """Whether the port was verified, on a device or in emulation."""
        return self.verdict.startswith("VERIFIED")

    @property
    def worst(self) -> GateRecord | None:
        """The gate result that came nearest to its bound, or furthest over it; None if none was compared."""
        compared = [g for g in self.gates if g.worst is not None]
        return max(compared, key=lambda g: g.worst.share if g.worst else 0.0, default=None)

    def write(self, directory: str | Path) -> list[Path]:
        """Write the port's package and its reports into `directory`; see `write_report`."""
        from .write import write_report

        return write_report(self, directory)


def verdict_class(verdict: Verdict) -> Literal["good", "emulated", "bad", "open"]:
    """The class of a verdict that pages colour by."""
    classes: dict[str, Any] = {"VERIFIED (device)": "good", "VERIFIED (emulated)": "emulated", "UNVERIFIED": "open"}
    return classes.get(verdict, "bad")
