"""`verify`: a candidate through every gate, at every size, on fresh secret inputs."""

from __future__ import annotations

import contextlib
import math
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Protocol

from ...backends.base import RunResult
from ...backends.emulator import emulate
from ...backends.errors import NoDevice
from ...backends.isolate import Compiled, Done, Failed, Isolated, Outcome
from ...hwmodels.errors import GpuportError
from ..report.schema import GateRecord, GateVerdict, Record
from ..spec.data import POISONS, Inputs, arguments, poisons
from ..spec.generators import PROBES, InputKind
from . import gates
from .accuracy import gate_accuracy
from .algebra import ELEMENTS, FieldRunner, gate_algebra
from .expected import Expectation
from .gates import Said
from .oracle import Oracle
from .sizes import Case, with_kinds
from .text import gate_text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ...backends.base import KernelText, Launch
    from ...hwmodels import Machine

GUARD_BYTES: Final = 4096
DEVICE_RUNS: Final = 6
"""Runs on the same inputs: five that must agree, and the one behind a run on other inputs."""
MEMORY_LIMIT: Final = 8 << 30
"""Bytes of writable memory that a candidate's process may have where the CPU runs it."""


LABELS: Final[dict[InputKind, str]] = {"exact": "integers", "one_hot": "one-hot", "big_int": "large integers"}


class Verification(Record):
    """What the gates said of a candidate on one backend.

    `verdict`: refuted if any gate refuted; unknown if the values were nowhere judged, or if no size can tell the right
    result from zeros, a constant or an input; else tested. `reason` says why it is not tested.
    """

    gates: tuple[GateRecord, ...]
    verdict: GateVerdict
    reason: str = ""

    @property
    def refuted(self) -> GateRecord | None:
        """The first gate that refuted the candidate."""
        return next((g for g in self.gates if g.verdict == "refuted"), None)


class Runner(Protocol):
    """What runs a candidate: `Isolated`, or the like."""

    def compile(self) -> Outcome:
        """Compile the candidate."""
        ...

    def run(
        self, launch: Launch, args: Mapping[str, Any], guard_bytes: int = 0, *, order_seed: int | None = None
    ) -> Outcome:
        """Run once on copies of the arguments."""
        ...


def verify(
    text: KernelText,
    oracle: Oracle,
    cases: Sequence[Case],
    dst: Machine,
    backend: str,
    *,
    time_limit: float,
    tick: Callable[[str], None] | None = None,
    stop_early: bool = False,
    runner: Runner | None = None,
) -> Verification:
    """Run every gate on a candidate, for every case, in a child process of its own on `backend`.

    time_limit: seconds for each run. tick: told of each set of inputs before it is tried. stop_early: stop at the first
    refutation. runner: what runs the candidate, in place of a child process. A candidate's faults are verdicts; raises
    SpecError and ReferenceFailed for faults of the spec, NoDevice where the backend has no such device.
    """
    limit = None if backend == "cuda" or (backend == "opencl" and dst.vendor != "cpu") else MEMORY_LIMIT
    records: list[GateRecord] = []
    for gate, judge in (("text", lambda: gate_text(text)), ("accuracy", lambda: gate_accuracy(text, oracle.program))):
        since, said = time.perf_counter(), judge()
        if said is None:
            continue
        taken = time.perf_counter() - since
        records.append(GateRecord(gate=gate, verdict=said.verdict, backend=backend, detail=said.detail, seconds=taken))
        if said.verdict == "refuted":
            return Verification(gates=tuple(records), verdict="refuted", reason=f"{gate}: {said.detail}")
    with contextlib.ExitStack() as stack:
        runs = runner or stack.enter_context(Isolated(backend, text, dst, time_limit=time_limit, memory_limit=limit))
        found = verify_with(
            runs, oracle, cases, dst, text.language, backend, tick=tick, stop_early=stop_early, fp64=text.fp64
        )
    return found.model_copy(update={"gates": (*records, *found.gates)})


def verify_with(
    runner: Runner,
    oracle: Oracle,
    cases: Sequence[Case],
    dst: Machine,
    language: str,
    backend: str,
    *,
    tick: Callable[[str], None] | None = None,
    stop_early: bool = False,
    fp64: str = "",
) -> Verification:
    """`verify` with a runner that is there already; `fp64` is the text's."""
    course = _Course(runner, oracle, dst, language, backend, stop_early, fp64)
    course.go(cases, tick or (lambda _: None))
    verdict, reason = course.verdict()
    return Verification(gates=tuple(course.records), verdict=verdict, reason=reason)


class _Stop(Exception):
    pass


@dataclass
class _Course:
    runner: Runner
    oracle: Oracle
    dst: Machine
    language: str
    backend: str
    stop_early: bool
    fp64: str = ""
    records: list[GateRecord] = field(default_factory=list)
    powers: list[gates.Power] = field(default_factory=list)
    poisons: tuple[int, int] = POISONS

    def __post_init__(self) -> None:
        self.poisons = poisons(self.oracle.rng({}, "poisons"))

    @property
    def emulated(self) -> bool:
        return self.backend == "emulator"

    def say(
        self, gate: str, said: Said, size: Mapping[str, int] | None = None, inputs: str = "", since: float = 0.0
    ) -> bool:
        """Record a gate's word; tells whether it refuted nothing."""
        assert gate in gates.GATES
        seconds = time.perf_counter() - since if since else 0.0
        record = GateRecord(
            gate=gate, verdict=said.verdict, size=dict(size or {}), inputs=inputs, backend=self.backend,
            detail=said.detail, worst=said.worst, seconds=seconds,
        )  # fmt: skip
        self.records.append(record)
        if said.verdict == "refuted" and self.stop_early:
            raise _Stop
        return said.verdict != "refuted"

    def go(self, cases: Sequence[Case], tick: Callable[[str], None]) -> None:
        with contextlib.suppress(_Stop):
            since = time.perf_counter()
            failure = failed(self.runner.compile())
            if not self.say("compiles", Said("refuted", failure) if failure else Said("tested"), since=since):
                return
            for case in cases if any(c.kinds for c in cases) else with_kinds(self.oracle, cases):
                for kind in case.kinds:
                    tick(", ".join(f"{k} = {n}" for k, n in case.sizes.items()))
                    if not self.one(case, kind):
                        return  # a kernel that crashes or hangs once is not tried again

    def one(self, case: Case, kind: InputKind) -> bool:
        """All gates on one set of inputs; False if the candidate did not complete."""
        kernel, sizes = self.oracle.kernel, case.sizes
        label = "inputs function" if kernel.model.reference.inputs is not None else LABELS.get(kind, kind)

        def say(gate: str, said: Said, since: float = 0.0) -> bool:
            return self.say(gate, said, sizes, label, since)

        # the source first: one that does not end, or whose reference fails, is no fault of the candidate
        try:
            inputs = self.oracle.inputs(sizes, kind)
            others = None if self.emulated else self.oracle.other_inputs(sizes)
            held = {"fp64": self.fp64} if self.fp64 else {}
            expectation = self.oracle.expect(sizes, case.source, kind, self.dst, self.language, **held)
        except GpuportError as error:
            if not case.made:
                raise
            say("source", Said("unknown", f"this size is left out: {error}"))
            return True
        if (case.made or kind in PROBES) and (doubt := faults(expectation)):
            what = "these inputs are" if kind in PROBES else "this size is"
            say("source", Said("unknown", f"{what} left out, the source itself fails: {doubt}"))
            return True
        since = time.perf_counter()
        runs = self.runs(case, inputs, others)
        if isinstance(runs, str):
            say("completes", Said("refuted", runs), since)
            return False
        say("completes", Said("tested", f"{len(runs)} runs"), since)
        say("sanitizer", gates.gate_findings(runs))
        say("guards", gates.gate_guards(runs, emulated=self.emulated))
        say("inputs unchanged", gates.gate_inputs(kernel, arguments(kernel, sizes, inputs), runs))
        left = gates.gate_written(kernel, runs[0], runs[1], self.poisons)
        if case.made and left.verdict == "refuted" and self.source_leaves(case, inputs):
            say(
                "source",
                Said("unknown", "this size is left out, the source itself leaves elements of an output unwritten"),
            )
            return True
        written = say("outputs written", left)
        since = time.perf_counter()
        self.source(say, expectation)
        say("values", gates.gate_values(kernel, expectation, runs, sizes), since)
        exact = gates.gate_exact(kernel, expectation, runs, sizes)
        if exact is not None:
            say("exact", exact)
        zeros = gates.gate_zeros(kernel, expectation, runs)
        if zeros is not None:
            say("signed zeros", zeros)
        if kind == "normal":
            self.algebra(say, case, inputs)
            if not self.alias(say, case, inputs, runs[0], expectation):
                return False
        if written and not self.emulated:
            say("history", gates.gate_history(kernel, runs[0], runs[2], order_dependent=self.oracle.order_dependent))
        if written:
            filled, again = (runs[1:2], runs[2:]) if self.emulated else ([runs[1], runs[-1]], runs[3:-1])
            deterministic = gates.gate_deterministic(
                kernel, runs[0], filled, again, expectation, order_dependent=self.oracle.order_dependent,
                emulated=self.emulated,
            )  # fmt: skip
            say("deterministic", deterministic)
        strength = gates.power(kernel, expectation, inputs, self.fp64)
        self.powers.append(strength)
        say("power", strength.said)
        return True

    def alias(
        self, say: Callable[[str, Said, float], bool], case: Case, inputs: Inputs, apart: RunResult,
        expectation: Expectation,
    ) -> bool:  # fmt: skip
        """The alias gate, for each pair that the spec names; False if the candidate did not complete."""
        kernel, sizes = self.oracle.kernel, case.sizes
        for pair in kernel.model.verify.alias:
            since = time.perf_counter()
            if self.backend not in ("emulator", "opencl"):
                say("alias", Said("unknown", "this runtime takes no buffer twice"), since)
            elif why := self.oracle.aliased(sizes, case.source, pair):
                say("source", Said("refuted", f"with one buffer for {' and '.join(pair)}: {why}"), since)
            else:
                args = arguments(kernel, sizes, inputs, self.poisons[0])
                outcome = self.runner.run(case.launch, {**args, pair[1]: args[pair[0]]}, GUARD_BYTES)
                if not isinstance(outcome, Done):
                    say(
                        "completes",
                        Said("refuted", f"with one buffer for {' and '.join(pair)}: {failed(outcome)}"),
                        since,
                    )
                    return False
                dependent = self.oracle.order_dependent
                said = gates.gate_alias(kernel, pair, apart, outcome.result, expectation, order_dependent=dependent)
                say("alias", said, since)
        return True

    def algebra(self, say: Callable[[str, Said, float], bool], case: Case, inputs: Inputs) -> None:
        """The algebra gate, where the emulator runs the candidate and the buffers are small."""
        since = time.perf_counter()
        shapes = [self.oracle.kernel.shape(n, case.sizes) for n in self.oracle.kernel.args]
        small = max((math.prod(s) for s in shapes), default=0) <= ELEMENTS
        if self.emulated and small and isinstance(self.runner, FieldRunner):
            said = gate_algebra(self.oracle, self.runner, case.sizes, case.source, case.launch, inputs)
            if said is not None:
                say("algebra", said, since)

    def runs(self, case: Case, inputs: Inputs, others: Inputs | None) -> list[RunResult] | str:
        """Run the candidate on two poisons, then again on the first; in emulation only to explain a difference.

        others: inputs of a run in between, not in emulation. Returns the reason, in words, if a run did not complete.
        """
        order = int(self.oracle.rng(case.sizes, "order").integers(1 << 31))
        done: list[RunResult] = []

        def run(poison: int, order_seed: int | None) -> str:
            args = arguments(self.oracle.kernel, case.sizes, inputs, poison)
            outcome = self.runner.run(case.launch, args, GUARD_BYTES, order_seed=order_seed)
            if isinstance(outcome, Done):
                done.append(outcome.result)
                return ""
            return failed(outcome)

        plan = [(self.poisons[0], None), (self.poisons[1], order)]
        for poison, order_seed in plan:
            if why := run(poison, order_seed):
                return why
        if others is not None:
            between = arguments(self.oracle.kernel, case.sizes, others, self.poisons[0])
            if why := failed(self.runner.run(case.launch, between, GUARD_BYTES)):
                return f"on other inputs: {why}"
            # the last on cleared outputs: a poison is what a candidate might know its judge by
            for poison in (*[self.poisons[0]] * (DEVICE_RUNS - 3), 0):
                if why := run(poison, None):
                    return why
        same = all(a.tobytes() == done[1].buffers[n].tobytes() for n, a in done[0].buffers.items())
        if self.emulated and not same and (why := run(self.poisons[0], order)):
            return why
        return done

    def source(self, say: Callable[[str, Said], bool], expectation: Expectation) -> None:
        """A source that is itself defective, or disagrees with its reference, verifies nothing."""
        if doubt := faults(expectation):
            say("source", Said("refuted", f"the source kernel itself: {doubt}"))
        else:
            compared = self.oracle.kernel.model.reference.python is not None
            say("source", Said("tested", "agrees with its reference" if compared else "no findings"))

    def source_leaves(self, case: Case, inputs: Inputs) -> bool:
        """Whether the source leaves elements of an output as they were: a launch that is not meant for the size."""
        if 0 in case.source.grid:
            return True
        kernel, oracle = self.oracle.kernel, self.oracle
        first, second = (
            emulate(oracle.program, oracle.src, case.source, arguments(kernel, case.sizes, inputs, poison),
                    roles=kernel.roles, max_seconds=oracle.time_limit)
            for poison in self.poisons
        )  # fmt: skip
        runs = RunResult(first.buffers), RunResult(second.buffers)
        return gates.gate_written(kernel, *runs, self.poisons).verdict == "refuted"

    def verdict(self) -> tuple[GateVerdict, str]:
        refuted = [r for r in self.records if r.verdict == "refuted"]
        if refuted:
            first = refuted[0]
            at = f" at {', '.join(f'{k} = {v}' for k, v in first.size.items())}" if first.size else ""
            return "refuted", f"{first.gate}{at}: {first.detail}"
        if not any(r.gate == "values" and r.verdict == "tested" for r in self.records):
            return "unknown", "the values could not be judged at any size"
        # an impostor that no size rejects, though it is wrong at one, would have been verified too
        killed = frozenset[str]().union(*(p.rejected for p in self.powers))
        accepted = frozenset[str]().union(*(p.accepted for p in self.powers))
        fatal = sorted(w for w in accepted - killed if "rounding" not in w)
        if fatal:
            return "unknown", f"no size tells the right result from {', '.join(fatal)}"
        if same := self._unchanged(killed | accepted):
            # counters that the last group sets back are so by design: no reason to withhold the verdict
            return "tested", (
                f"{', '.join(same)}: at every size, as it was before the launch: that the port writes it is not shown"
            )
        return "tested", ""

    def _unchanged(self, told: frozenset[str]) -> list[str]:
        """The buffers that no inputs made the kernel change; `told` are the results that were seen to be wrong."""
        right = frozenset[str]().union(*(p.right for p in self.powers)) - told
        return [n for n, a in self.oracle.kernel.args.items() if a.role == "inout" and f"{n}: copy of {n}" in right]


def faults(expectation: Expectation) -> str:
    """Say in words what is wrong with the source itself; empty if nothing is."""
    found = [gates.described(f) for f in expectation.source_findings]
    return "; ".join([*expectation.source_faults, *found][: gates.SHOWN])


def failed(outcome: Outcome) -> str:
    """Say in words why an outcome is not what was asked for; empty if it is."""
    if isinstance(outcome, Failed) and outcome.error == "NoDevice":
        raise NoDevice(outcome.message)
    return "" if isinstance(outcome, Done | Compiled) else str(outcome)
