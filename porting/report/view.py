"""What the pages show of a report beyond its own fields: gates grouped, sources paired, machines compared."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from ...hwmodels.units import show_scalar
from .code import Row, lines, side_by_side
from .schema import (
    CountsRecord,
    DecisionRecord,
    DiagnosticRecord,
    FactRecord,
    GateRecord,
    IdeaRecord,
    PortReport,
    ResourcesRecord,
    verdict_class,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

_ORDER: Final = ("refuted", "unknown", "tested", "proved")

_SECTOR: Final = 32
"""Bytes up to which a unit of global memory is called a sector of a line."""

_MEANINGS: Final = {
    "VERIFIED (device)": "The ported kernel was compiled and run on {device}; no gate refuted it.",
    "VERIFIED (emulated)": (
        "No {dst} was used. The emitted source was read back and run on an emulated {dst} "
        "built from its machine model; no gate refuted it."
    ),
    "REFUTED": "A gate found the ported kernel wrong. Do not use it; what was found stands below.",
    "REFUSED": "Nothing was written for {dst}; the diagnostics say why.",
    "UNVERIFIED": "The port was written and not run. Nothing is known about its results.",
}


@dataclass(slots=True)
class GateGroup:
    """All results of one gate; the verdict is the weakest of theirs."""

    gate: str
    results: list[GateRecord] = field(default_factory=list)

    @property
    def verdict(self) -> str:
        """refuted before unknown before tested before proved."""
        return min((r.verdict for r in self.results), key=_ORDER.index)

    @property
    def worst(self) -> GateRecord | None:
        """The result nearest to its bound, None where nothing was compared."""
        compared = [r for r in self.results if r.worst is not None]
        return max(compared, key=lambda r: r.worst.share if r.worst else 0.0, default=None)

    @property
    def seconds(self) -> float:
        """Seconds over all results."""
        return sum(r.seconds for r in self.results)


def gate_groups(report: PortReport) -> list[GateGroup]:
    """The gates in the order in which they first spoke."""
    groups: dict[str, GateGroup] = {}
    for result in report.gates:
        groups.setdefault(result.gate, GateGroup(result.gate)).results.append(result)
    return list(groups.values())


def code_rows(report: PortReport) -> list[Row]:
    """The two sources side by side, each diagnostic and decision under the line that it names."""
    left = lines(report.original.text, report.original.language)
    right = lines(report.ported.text, report.ported.language) if report.ported else []
    rows = side_by_side(left, right)
    at_left = {row.left.number: row for row in rows if row.left}
    at_right = {row.right.number: row for row in rows if row.right}
    for d in report.diagnostics:
        row = None
        if d.line is not None and d.file is not None:
            name = d.file.replace("\\", "/").rsplit("/", 1)[-1]
            if name == report.original.name:
                row = at_left.get(d.line)
            elif report.ported and name == report.ported.name:
                row = at_right.get(d.line)
        if row:
            row.notes.append(d)
    for decision in report.decisions:
        row = at_left.get(decision.line) if decision.line is not None else None
        if row:
            row.notes.append(decision)
    return rows


def is_decision(note: DecisionRecord | DiagnosticRecord) -> bool:
    """Tell a decision from a diagnostic."""
    return isinstance(note, DecisionRecord)


def machine_rows(report: PortReport) -> list[tuple[str, FactRecord | None, FactRecord | None]]:
    """(label, fact of the source machine, fact of the destination) for each fact that either one has."""
    paths = dict.fromkeys(f.path for f in (*report.dst.facts, *report.src.facts))
    pairs = [(report.src.fact(p), report.dst.fact(p)) for p in paths]
    return [((b or a).label, a, b) for a, b in pairs if a or b]  # pyright: ignore[reportOptionalMemberAccess]


def meaning(report: PortReport) -> str:
    """The verdict in a sentence: what was run, and where."""
    device = report.environment.device or "the device"
    return _MEANINGS[report.verdict].format(dst=report.dst.name, device=device)


def seconds(value: float) -> str:
    """Seconds for people: `12.3 us`."""
    return show_scalar(value, "s").replace(" us", " µs") if value > 0 else "0 s"


def resources_text(used: ResourcesRecord) -> str:
    """What a kernel uses, in words."""
    registers = f"{used.registers} registers per thread"
    if used.scalar_registers is not None:
        registers += f" and {used.scalar_registers} scalar ones per subgroup"
    spilled = f"{used.spill_bytes} B of private memory per thread" if used.spill_bytes else "nothing spilled"
    note = f" ({used.note})" if used.note else ""
    return f"{registers}, {used.shared_bytes} B of shared memory declared, {spilled}, on {used.target}{note}"


def count_rows(record: CountsRecord | None) -> list[tuple[str, str]]:
    """What a port was counted to do, each kind with its numbers in words."""
    if record is None:
        return []
    counts, per_unit = record.counts, "sectors" if record.granule and record.granule <= _SECTOR else "lines"

    def listed(kind: str) -> str:
        prefix = f"{kind}."
        found = [(k.removeprefix(prefix).replace(".", " "), n) for k, n in counts.items() if k.startswith(prefix) and n]
        return ", ".join(f"{name} {n:,}" for name, n in sorted(found, key=lambda item: -item[1]))

    rows = [("arithmetic", listed("ops")), ("comparisons", listed("compares")), ("functions", listed("math")),
            ("conversions", listed("conversions")), ("bytes loaded and stored", listed("bytes")),
            ("atomics", listed("atomics"))]  # fmt: skip
    if "memory.read" in counts or "memory.written" in counts:
        moved = f"{counts.get('memory.read', 0):,} read, {counts.get('memory.written', 0):,} written, each line once"
        rows.append(("bytes that memory must move", moved))
    each, least = (record.share("transactions.global", of) for of in ("requests.global", "ideal_transactions.global"))
    if each is not None and least is not None:
        text = f"{counts['requests.global']:,} requests of subgroups, {each:.3g} {per_unit} of {record.granule} B each"
        rows.append(("coalescing", f"{text}, {least:.3g} × the least"))
    each, least = (record.share("cycles.shared", of) for of in ("requests.shared", "ideal_cycles.shared"))
    if each is not None and least is not None:
        text = f"{counts['requests.shared']:,} requests of subgroups, {each:.3g} cycles each, {least:.3g} × the least"
        rows.append(("banks of shared memory", text))
    rows.append(("divergence", f"{counts.get('divergent_branches', 0):,} times a branch split a subgroup"))
    for key, what in (("barriers", "barriers"), ("shuffles", "shuffles"), ("votes", "votes")):
        if counts.get(key):
            rows.append((what, f"{counts[key] / record.lanes:.4g} per thread"))
    return [row for row in rows if row[1]]


def share(value: float) -> str:
    """An error for people, as a share of its bound."""
    if value == 0:
        return "none"
    if not math.isfinite(value) or value >= 1000:
        return "far over its bound"
    if value > 1:
        return f"{value:.3g} × its bound"
    percent = 100 * value
    shown = f"{percent:.0f} %" if percent >= 10 else f"{percent:.2g} %" if percent >= 0.01 else "under 0.01 %"
    return f"{shown} of its bound"


def size_text(size: dict[str, int]) -> str:
    """`rows 128 · cols 1024`; a dash where there is no size."""
    return " · ".join(f"{k} {v}" for k, v in size.items()) or "–"


def number(value: float) -> str:
    """A value with the digits that a float32 has."""
    return f"{value:.9g}"


def count(items: Iterable[GateRecord], verdict: str) -> int:
    """How many results have a verdict."""
    return sum(1 for i in items if i.verdict == verdict)


def fence(text: str) -> str:
    """A Markdown fence longer than any run of backticks in `text`."""
    longest = max((len(run) for run in "".join(c if c == "`" else " " for c in text).split()), default=0)
    return "`" * max(3, longest + 1)


def tick(text: object) -> str:
    """Text as Markdown's inline code, fit for a cell of a table."""
    flat = " ".join(str(text).split()).replace("|", "\\|")
    marks = "``" if "`" in flat else "`"
    pad = " " if "`" in flat else ""
    return f"{marks}{pad}{flat}{pad}{marks}"


def cell(text: object) -> str:
    """Text for a cell of a Markdown table: on one line, with nothing that Markdown or HTML would read as markup."""
    flat = " ".join(str(text).split())
    flat = re.sub(r"[\\`*\[\]|~]|(?<!\w)_|_(?!\w)", r"\\\g<0>", flat)
    return flat.replace("&", "&amp;").replace("<", "&lt;")


def idea_rows(report: PortReport) -> list[tuple[IdeaRecord, int]]:
    """The swarm's candidates as a tree, each with its depth: below the one that its author was shown."""
    known = {i.number for i in report.ideas}
    below: dict[int | None, list[IdeaRecord]] = {}
    for idea in report.ideas:
        # a parent comes before its child; anything else is no tree
        parent = idea.parent if idea.parent in known and idea.parent < idea.number else None
        below.setdefault(parent, []).append(idea)
    rows: list[tuple[IdeaRecord, int]] = []
    left = [(i, 0) for i in reversed(below.get(None, []))]
    while left:
        idea, depth = left.pop()
        rows.append((idea, depth))
        left += [(i, depth + 1) for i in reversed(below.get(idea.number, []))]
    return rows


def idea_tone(idea: IdeaRecord) -> str:
    """The class of a candidate that pages colour by: the last judge's word counts before the swarm's own."""
    if idea.final:
        return verdict_class(idea.final)
    return {"passed": "emulated", "REFUTED": "bad", "REFUSED": "bad", "failed": "bad"}.get(idea.verdict, "open")
