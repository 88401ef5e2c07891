"""Judges mutants of a port by the gates of a port, on everything that a port is tried on, on an emulated device."""

from __future__ import annotations

import dataclasses
import math
import signal
import threading
import time
from typing import TYPE_CHECKING, Any, Final

from ....backends.emulator.backend import EmulatedKernel, EmulatorBackend
from ....backends.isolate import Compiled, Done, Failed, Outcome, TimedOut
from ....backends.readers import read_text
from ....hwmodels.errors import GpuportError
from ...spec.expressions import parse_expression
from ...translate import read_kernel, translate
from ..accuracy import judge_functions
from ..oracle import Oracle
from ..sizes import Case, cases_for
from ..verify import verify_with
from .equivalence import Facts
from .values import Shape

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ....backends.base import Launch, RunResult
    from ....backends.emulator.field_domain import FieldRun
    from ....hwmodels import Machine
    from ....ir.nodes import Program
    from ...spec.kernel import Kernel

SECONDS: Final = 3.0
"""CPU seconds that one run of a mutant may take, or 30 times what the port without a defect took if that is more."""


class PortRefuted(Exception):
    """The port without a defect does not pass, so that its mutants say nothing."""


class _Late(Exception):
    pass


@dataclasses.dataclass
class Here:
    """Runs a program in this process, on an emulated device; the limit counts CPU seconds, whatever else runs.

    `short` leaves out the last group along each axis that has several. For the main thread on POSIX: it takes SIGPROF.
    """

    kernel: EmulatedKernel
    limit: float
    short: bool = False
    longest: float = 0.0

    def compile(self) -> Outcome:
        """There is nothing to compile."""
        return Compiled(0.0)

    def run(self, launch: Launch, args: Any, guard_bytes: int = 0, *, order_seed: int | None = None) -> Outcome:
        """Run once."""
        del guard_bytes
        return self._within(lambda: self.kernel.run(self._cut(launch), args, order_seed=order_seed))

    def run_in_field(self, launch: Launch, args: Any, given: FieldRun, floats: Any) -> Outcome:
        """Run once in the finite field."""
        del floats
        return self._within(lambda: self.kernel.run_in_field(self._cut(launch), args, given))

    def _cut(self, launch: Launch) -> Launch:
        x, y, z = (g - (self.short and g > 1) for g in launch.grid)
        return dataclasses.replace(launch, grid=(x, y, z))

    def _within(self, run: Callable[[], RunResult]) -> Outcome:
        assert threading.current_thread() is threading.main_thread()
        started = time.process_time()
        before = signal.signal(signal.SIGPROF, _late)
        signal.setitimer(signal.ITIMER_PROF, self.limit)
        try:
            return Done(run())
        except _Late:
            return TimedOut(self.limit)
        except GpuportError as error:
            return Failed(str(error), type(error).__name__)
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
            signal.signal(signal.SIGPROF, before)
            self.longest = max(self.longest, time.process_time() - started)


def _late(_signal: int, _frame: Any) -> None:
    raise _Late


class Bench:
    """A port and everything that it is tried on, one size and one kind of inputs a step, small sizes first.

    `kernel` is ported from `src` to `dst`; `program` is the port as read back from its text. Raises Refusal.
    """

    def __init__(self, kernel: Kernel, src: Machine, dst: Machine, seed: int) -> None:
        source = read_kernel(kernel)
        [candidate] = translate(source, src, dst)
        self.kernel, self.dst, self.language = kernel, dst, candidate.text.language
        self._port = EmulatorBackend(read_text).compile(candidate.text, dst)
        self._oracle = Oracle(kernel, source.program, src, seed)
        self.cases = cases_for(self._oracle, source.constants, candidate.constants)
        self._steps = [dataclasses.replace(c, kinds=(k,)) for c in self.cases for k in c.kinds]
        self._steps.sort(key=lambda c: sum(math.prod(kernel.shape(a, c.sizes)) for a in kernel.args))
        self.facts = Facts(kernel, dst, self._shape())
        self._limits: dict[int, float] = {}

    def _shape(self) -> Shape:
        """What of a launch is the same at every size."""
        sizes, launch, spec = frozenset(self.kernel.size_sets()[0]), self.cases[0].launch, self.kernel.model.launch
        one = parse_expression(1)
        fixed = [
            tuple(0 if e.names & sizes else n for e, n in zip((*es, one, one), found, strict=False))
            for es, found in ((spec.block, launch.block), (spec.grid, launch.grid))
        ]
        (bx, by, bz), (gx, gy, gz) = fixed
        return Shape((bx, by, bz), (gx, gy, gz), int(self.dst.get("execution.subgroup_width", 1)))

    @property
    def program(self) -> Program:
        """The port."""
        return self._port.program

    def kills(self, program: Program, *, short: bool = False) -> tuple[Sequence[str], Case | None]:
        """Return the gates that refute a program, and on what; none if it survives all. short: as Here.short.

        Raises PortRefuted if the port itself is refuted there.
        """
        for i, step in enumerate(self._steps):
            runner = Here(dataclasses.replace(self._port, program=program), self._limit(i), short)
            if bad := self._refuting(runner, step):
                return bad, step
        return (), None

    def _limit(self, i: int) -> float:
        if i not in self._limits:
            whole, step = Here(self._port, 1e3), self._steps[i]
            if bad := self._refuting(whole, step):
                raise PortRefuted(f"the port itself is refuted: {', '.join(bad)}, {dict(step.sizes)}, {step.kinds[0]}")
            self._limits[i] = max(SECONDS, 30 * whole.longest)
        return self._limits[i]

    def _refuting(self, runner: Here, step: Case) -> list[str]:
        if judge_functions(runner.kernel.program, self._oracle.program).verdict == "refuted":
            return ["accuracy"]
        found = verify_with(runner, self._oracle, [step], self.dst, self.language, "emulator")
        return list(dict.fromkeys(g.gate for g in found.gates if g.verdict == "refuted"))
