"""The emulator as a backend: reads an emitted kernel back and runs that, never the IR that wrote it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from ..base import Availability, Backend, Executable, KernelText, Launch, Role, RunResult

if TYPE_CHECKING:
    from ...hwmodels import Machine
    from ...ir.nodes import Program

Reader = Callable[[KernelText, "Machine"], "Program"]


class EmulatorBackend(Backend):
    """Runs kernels of every language that `read` reads, on any machine model."""

    name = "emulator"

    def __init__(self, read: Reader) -> None:
        self._read = read

    def availability(self) -> Availability:
        """Always there."""
        import numpy as np

        return Availability(self.name, True, f"NumPy {np.__version__}, any machine model")

    def compile(self, text: KernelText, machine: Machine) -> EmulatedKernel:
        """Read the text; the reader's errors pass through."""
        roles = {p.name: p.role for p in text.params if p.kind == "buffer" and p.role}
        return EmulatedKernel(self._read(text, machine), machine, cast("dict[str, Role]", roles))


@dataclass(slots=True)
class EmulatedKernel(Executable):
    """A program and the machine that it runs on. `roles` of the buffers by parameter name."""

    program: Program
    machine: Machine
    roles: Mapping[str, Role]

    def run(
        self,
        launch: Launch,
        args: Mapping[str, Any],
        *,
        guard_bytes: int = 0,
        repeats: int = 0,
        order_seed: int | None = None,
    ) -> RunResult:
        """Run once, with all checks. There are no guard zones: every access is checked against its buffer's bounds.

        `order_seed` shuffles the order of groups. `repeats` more runs are timed; the seconds are the emulator's, and
        say nothing about the machine. Raises ArgumentError for arguments that do not fit the program, EmulatorError
        for a program that cannot be emulated.
        """
        import numpy as np

        from .api import emulate

        order = None
        if order_seed is not None:
            groups = launch.grid[0] * launch.grid[1] * launch.grid[2]
            order = np.random.default_rng(order_seed).permutation(groups)
        result = emulate(self.program, self.machine, launch, args, roles=self.roles, group_order=order)
        seconds: list[float] = []
        for _ in range(repeats):
            start = time.perf_counter()
            emulate(self.program, self.machine, launch, args, roles=self.roles, group_order=order)
            seconds.append(time.perf_counter() - start)
        return RunResult(buffers=result.buffers, findings=result.findings, seconds=seconds)
