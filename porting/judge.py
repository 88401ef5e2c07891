"""`judge`: one candidate through the gates on all that can run it here, whoever wrote it."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .verify.assembles import assembled
from .verify.verify import verify

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ..backends.base import KernelText
    from ..hwmodels import Machine
    from .report.schema import GateRecord, ResourcesRecord, Verdict
    from .verify.oracle import Oracle
    from .verify.sizes import Case
    from .verify.verify import Verification


@dataclass(frozen=True)
class Judgement:
    """What the gates said of a candidate.

    `gates`: every result, the vendor's compiler first; `backends`: what was to run it, a device among them or the
    emulator alone; `used`: what the kernel uses, where a compiler told; `stages`: wall seconds per stage.
    """

    verdict: Verdict
    reason: str
    gates: tuple[GateRecord, ...]
    backends: tuple[str, ...]
    used: ResourcesRecord | None = None
    stages: dict[str, float] = field(default_factory=dict[str, float])

    @property
    def verified(self) -> bool:
        """Whether every gate was passed, on a device or in emulation."""
        return self.verdict.startswith("VERIFIED")

    @property
    def refuted(self) -> GateRecord | None:
        """The first gate that refuted the candidate."""
        return next((g for g in self.gates if g.verdict == "refuted"), None)


def backends_for(dst: Machine, language: str) -> list[str]:
    """Return what can judge a port to a machine here: its device if there is one, and always the emulator."""
    from ..backends.doctor import device_backend

    device = device_backend(dst, language)
    return [device, "emulator"] if device else ["emulator"]


def judge(
    text: KernelText,
    oracle: Oracle,
    cases: Sequence[Case],
    dst: Machine,
    backends: Sequence[str],
    *,
    time_limit: float,
    tick: Callable[[str, str], None] | None = None,
    hostile: bool = False,
) -> Judgement:
    """Take a candidate through every gate on each of `backends` in turn, until one refutes it.

    `time_limit`: seconds for compiling and for each run. `tick`: told of the backend and of each set of inputs.
    `hostile`, for a text that nobody has looked at: the emulator goes first, where nothing can crash, the first
    refutation is the last, and the vendor's compiler is asked only for what has passed.
    Raises what `verify` raises.
    """
    stages: dict[str, float] = {}
    gates: list[GateRecord] = []
    found: Verification | None = None
    for backend in sorted(backends, key=lambda b: b != "emulator") if hostile else backends:
        started = time.perf_counter()

        def told(what: str, backend: str = backend) -> None:
            if tick is not None:
                tick(backend, what)

        found = verify(text, oracle, cases, dst, backend, time_limit=time_limit, tick=told, stop_early=hostile)
        stages[f"verify ({backend})"] = time.perf_counter() - started
        gates.extend(found.gates)
        if found.verdict != "tested":
            break
    assert found is not None
    verdict, reason = _verdict(found, backends), found.reason
    if hostile and not verdict.startswith("VERIFIED"):
        return Judgement(verdict, reason, tuple(gates), tuple(backends), stages=stages)
    assembly, used = assembled(text, dst)
    stages["assemble"] = assembly.seconds
    # where the device's own driver compiles the text, nobody misses a compiler
    if assembly.verdict != "unknown" or len(backends) == 1:
        gates.insert(0, assembly)
    if assembly.verdict == "refuted" and verdict != "REFUTED":
        verdict, reason = "REFUTED", f"assembles: {assembly.detail}"
    return Judgement(verdict, reason, tuple(gates), tuple(backends), used, stages)


def _verdict(found: Verification, backends: Sequence[str]) -> Verdict:
    if found.verdict == "refuted":
        return "REFUTED"
    if found.verdict != "tested":
        return "UNVERIFIED"
    return "VERIFIED (device)" if any(b != "emulator" for b in backends) else "VERIFIED (emulated)"
