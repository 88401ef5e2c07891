"""`replay`: repeat the run that a report tells of, from the report alone, and say whether every gate agrees."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from ..backends.errors import NoDevice
from ..hwmodels import load_machine
from .bundle import CannotBundle, same_machines, unpack
from .report import ReportError
from .report.schema import GateRecord, GateVerdict, PortReport, Record
from .translate import read_kernel
from .verify.assembles import assembled
from .verify.oracle import Oracle
from .verify.sizes import cases_for
from .verify.verify import verify

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


class ReplayRow(Record):
    """One result of a gate: what the report says, what came out now; None where there is none."""

    gate: str
    size: dict[str, int]
    inputs: str
    backend: str
    then: GateVerdict | None
    now: GateVerdict | None
    detail: str = ""

    @property
    def agrees(self) -> bool:
        """Whether both verdicts are there and the same."""
        return self.then == self.now


class Replay(Record):
    """A report's run, repeated.

    `skipped`: backends of the report that are not here, with the reason; their rows are left out. `notes`: what is not
    as it was, such as a machine's model.
    """

    kernel: str
    dst: str
    seed: str
    rows: tuple[ReplayRow, ...]
    skipped: dict[str, str]
    notes: tuple[str, ...] = ()

    @property
    def agrees(self) -> bool:
        """Whether something was repeated, and every row agrees."""
        return bool(self.rows) and all(r.agrees for r in self.rows)

    @property
    def differing(self) -> tuple[ReplayRow, ...]:
        """The rows that do not agree."""
        return tuple(r for r in self.rows if not r.agrees)


def replay(
    report: PortReport,
    *,
    gate: str | None = None,
    src: str | Path | None = None,
    dst: str | Path | None = None,
    tick: Callable[[str], None] | None = None,
) -> Replay:
    """Repeat the run of a report: same source, candidate, seed, and so the same inputs at the same sizes.

    gate: only this gate's results are compared. src, dst: model files of machines that are not built in. tick: told of
    each set of inputs. The reference's Python, which is in the report, is executed: replay only what you would run.
    Raises ReportError where the report holds no run, and what `verify` raises.
    """
    record = report.replay
    if record is None or record.missing:
        why = record.missing if record else "it has no port, or is older than replay"
        raise ReportError(f"the report of {report.kernel.name} for {report.dst.id} cannot be replayed: {why}")
    wanted = [g for g in report.gates if gate in (None, g.gate)]
    if not wanted:
        known = ", ".join(sorted({g.gate for g in report.gates})) or "none"
        raise ReportError(f"the report has no gate {gate!r}; it has {known}")
    machines = {report.src.id: load_machine(src or report.src.id), report.dst.id: load_machine(dst or report.dst.id)}
    notes = [f"the model of {i} is not the one of the report" for i in same_machines(record, machines)]
    skipped: dict[str, str] = {}
    found: list[GateRecord] = []
    with tempfile.TemporaryDirectory(prefix="gpuport-replay-") as folder:
        try:
            kernel, text = unpack(record, Path(folder).resolve())
        except (CannotBundle, TypeError, KeyError) as error:
            raise ReportError(f"the report's replay cannot be used: {error}") from None
        source = read_kernel(kernel)
        oracle = Oracle(kernel, source.program, machines[report.src.id], int(report.seeds[0], 16), record.time_limit)
        cases = cases_for(oracle, source.constants, record.constants, text)
        target = machines[report.dst.id]
        backends = list(dict.fromkeys(g.backend for g in report.gates if g.gate != "assembles"))
        if any(g.gate == "assembles" for g in wanted):
            found.append(assembled(text, target)[0])
        for backend in backends:
            try:
                result = verify(text, oracle, cases, target, backend, time_limit=record.time_limit, tick=tick)
            except NoDevice as error:
                skipped[backend] = str(error)
                continue
            found.extend(g for g in result.gates if gate in (None, g.gate))
    rows = _rows([g for g in wanted if g.backend not in skipped], found)
    return Replay(
        kernel=report.kernel.name, dst=report.dst.id, seed=report.seeds[0], rows=rows, skipped=skipped,
        notes=tuple(notes),
    )  # fmt: skip


def _rows(then: Sequence[GateRecord], now: Sequence[GateRecord]) -> tuple[ReplayRow, ...]:
    def key(g: GateRecord) -> tuple[object, ...]:
        return g.gate, tuple(g.size.items()), g.inputs, "" if g.gate == "assembles" else g.backend

    before, after = {key(g): g for g in then}, {key(g): g for g in now}
    rows: list[ReplayRow] = []
    for k in dict.fromkeys((*before, *after)):
        a, b = before.get(k), after.get(k)
        shown = b or a
        assert shown is not None
        rows.append(
            ReplayRow(
                gate=shown.gate, size=shown.size, inputs=shown.inputs, backend=shown.backend,
                then=a.verdict if a else None, now=b.verdict if b else None, detail=shown.detail,
            )
        )  # fmt: skip
    return tuple(rows)
