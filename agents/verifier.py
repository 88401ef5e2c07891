"""The verification agent: scan, gates and stopwatch. It asks no model; what a model says afterwards decides nothing."""

from __future__ import annotations

import math
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ..backends.readers import read_text
from ..hwmodels.errors import GpuportError
from ..porting.check import check_program
from ..porting.judge import Judgement, backends_for, judge
from ..porting.timing import measure_port, predicted_floor
from ..porting.verify.oracle import Oracle
from ..porting.verify.sizes import Case
from .errors import OutOfBudget
from .scan import scan

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..hwmodels import Machine
    from ..porting.candidate import Candidate, SourceProgram
    from ..porting.report.schema import GateRecord, WorstElement
    from .budget import Spend

COUNTED: Final = ("transactions.global", "ideal_transactions.global", "cycles.shared", "ideal_cycles.shared")


@dataclass(frozen=True)
class Trial:
    """What became of a candidate before the swarm.

    `verdict`: passed, REFUTED, REFUSED, UNVERIFIED. `reason` in words, with the failing element or the race's two
    threads. `seconds`: measured per launch on the device, `share` the roofline's least time over it. `traffic`:
    transactions of global memory in emulation. `notes`: what a worker is told of a candidate that passed. `gate`: the
    first that refuted it.
    """

    verdict: str
    reason: str
    seconds: float | None = None
    share: float | None = None
    traffic: int | None = None
    notes: tuple[str, ...] = ()
    gate: str = ""

    @property
    def passed(self) -> bool:
        """Whether nothing was found."""
        return self.verdict == "passed"


class Verifier:
    """Tries candidates for one destination at few of the spec's sizes, the smallest: the rest is for the last judge.

    Its inputs are drawn from a seed of its own. Any number of threads may use it.
    """

    def __init__(
        self, source: SourceProgram, src: Machine, dst: Machine, language: str, seen_sizes: int, time_limit: float
    ) -> None:
        self.source, self.dst, self.time_limit = source, dst, time_limit
        self.backends = backends_for(dst, language)
        self.oracle = Oracle(source.kernel, source.program, src, secrets.randbits(64), time_limit)
        sizes = source.kernel.size_sets()
        self.timed = sizes[0]
        ordered = sorted(sizes, key=self._elements)
        # an empty size shows little; one of the few should not be
        self.sizes = (
            [*ordered[1:], ordered[0]][:seen_sizes] if self._elements(ordered[0]) == 0 else ordered[:seen_sizes]
        )

    @property
    def on_device(self) -> bool:
        """Whether the destination is here."""
        return self.backends != ["emulator"]

    def tried(self, candidate: Candidate, spend: Spend, *, scanned: bool = True) -> Trial:
        """Try a candidate; its text is scanned first unless it is gpuport's own.

        Raises OutOfBudget where the time is over before there is a verdict.
        """
        kernel, text = self.source.kernel, candidate.text
        if scanned and (why := scan(text, kernel)):
            return Trial("REFUSED", why)
        try:
            cases = [self._case(s, candidate) for s in self.sizes]
        except GpuportError as error:
            return Trial("REFUSED", str(error))

        def tick(_backend: str, _what: str) -> None:
            if spend.seconds_left <= 0:
                raise OutOfBudget(f"the budget of {spend.budget.max_seconds:g} s is spent")

        found = judge(
            text, self.oracle, cases, self.dst, self.backends, time_limit=self.time_limit, tick=tick, hostile=True
        )
        if not found.verified:
            gate = found.refuted
            return Trial(found.verdict, _reason(found.reason, gate), gate=gate.gate if gate else "")
        return self._measured(candidate, found)

    def _elements(self, sizes: Mapping[str, int]) -> int:
        kernel = self.source.kernel
        return sum(math.prod(kernel.shape(n, sizes)) for n in kernel.args)

    def _case(self, sizes: Mapping[str, int], candidate: Candidate) -> Case:
        kernel = self.source.kernel
        return Case(sizes, kernel.launch(sizes, self.source.constants), kernel.launch(sizes, candidate.constants))

    def _measured(self, candidate: Candidate, found: Judgement) -> Trial:
        kernel, text = self.source.kernel, candidate.text
        where = "on the device" if self.on_device else "in emulation"
        notes = [f"every gate passes at {len(self.sizes)} sizes {where}"]
        seconds = share = None
        if self.on_device:
            case = self._case(self.timed, candidate)
            timing, floor, _ = measure_port(text, kernel, case, self.oracle, self.dst, self.backends)
            seconds = timing.median if timing else None
            share = floor.seconds / seconds if floor and seconds else None
        if seconds is not None:
            at = ", ".join(f"{k} = {n}" for k, n in self.timed.items())
            roof = f", {share:.0%} of the roofline by memory traffic" if share is not None else ""
            notes.append(f"measured: {seconds:.3g} s per launch at {at}{roof}")
        elif floor := predicted_floor(kernel, self.dst, self.timed):
            notes.append(f"no such device is here: nothing was measured; predicted least time {floor.seconds:.3g} s")
        counts = self._counts(candidate)
        if counts:
            notes.append("counted in emulation: " + ", ".join(f"{n} {k}" for k, n in counts.items()))
        if found.used is not None:
            u = found.used
            notes.append(
                f"{u.compiler}: {u.registers} registers, {u.shared_bytes} bytes of shared memory, "
                f"{u.spill_bytes} bytes spilled"
            )
        timed = f", {seconds:.3g} s" if seconds is not None else ""
        return Trial(
            "passed", f"{notes[0]}{timed}", seconds, share, counts.get("transactions.global"), tuple(notes)
        )  # fmt: skip

    def _counts(self, candidate: Candidate) -> dict[str, int]:
        """The memory traffic of one emulated launch; empty where the machine's lines or banks are not known."""
        size = self.sizes[-1]
        try:
            program = read_text(candidate.text)
            _, checked = check_program(
                self.source.kernel, program, candidate.constants, size, self.dst, 1, self.time_limit
            )
        except GpuportError:
            return {}
        return {k: checked.counts[k] for k in COUNTED if k in checked.counts}


def _reason(reason: str, gate: GateRecord | None) -> str:
    return f"{reason}{_element(gate.worst)}" if gate is not None and gate.worst is not None else reason


def _element(worst: WorstElement) -> str:
    index = ", ".join(map(str, worst.index))
    return f" [{worst.buffer}[{index}]: got {worst.got:.9g}, expected {worst.expected:.9g}, bound {worst.bound:.3g}]"
