"""The emulator as a backend: reads an emitted kernel back and runs that, never the IR that wrote it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from ..base import Availability, Backend, Executable, KernelText, Launch, Role, RunResult, TextParam
from ..contraction import contracts

if TYPE_CHECKING:
    from ...hwmodels import Machine
    from ...ir.nodes import Program
    from .field_domain import FieldRun

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
        spelled = {p.name: p.spelled or p.name for p in text.params}
        roles = {spelled[p.name]: p.role for p in text.params if p.kind == "buffer" and p.role}
        vectors: dict[str, TextParam] = {}
        if text.language == "metal":  # MLX passes a vector by value as an array of its components
            vectors = {p.name: p for p in text.params if p.kind == "scalar" and "x" in p.dtype}
            roles |= dict.fromkeys((spelled[name] for name in vectors), "in")
        fused = contracts(text, machine)
        return EmulatedKernel(
            self._read(text, machine), machine, cast("dict[str, Role]", roles), spelled, vectors, fused
        )


@dataclass(slots=True)
class EmulatedKernel(Executable):
    """A program and the machine that it runs on.

    `spelled`: the names of the parameters in the text by those that callers know; `roles` of the buffers by the former;
    `vectors`: parameters by value that the text has as arrays; `fused`: a*b + c is rounded once, as its compiler may.
    """

    program: Program
    machine: Machine
    roles: Mapping[str, Role]
    spelled: Mapping[str, str] = field(default_factory=dict)
    vectors: Mapping[str, TextParam] = field(default_factory=dict)
    fused: bool = False

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

        from ..arguments import scalar_value
        from .api import emulate
        from .machine_domain import MachineDomain

        order = None
        if order_seed is not None:
            groups = launch.grid[0] * launch.grid[1] * launch.grid[2]
            order = np.random.default_rng(order_seed).permutation(groups)
        args = {**args, **{name: scalar_value(p, args[name]) for name, p in self.vectors.items()}}
        named = {self.spelled.get(name, name): value for name, value in args.items()}
        domain = MachineDomain(contract=self.fused)
        result = emulate(self.program, self.machine, launch, named, roles=self.roles, domain=domain, group_order=order)
        seconds: list[float] = []
        for _ in range(repeats):
            start = time.perf_counter()
            emulate(self.program, self.machine, launch, named, roles=self.roles, domain=domain, group_order=order)
            seconds.append(time.perf_counter() - start)
        own = {text: name for name, text in self.spelled.items() if name not in self.vectors}
        buffers = {own[text]: array for text, array in result.buffers.items() if text in own}
        return RunResult(buffers=buffers, findings=result.findings, seconds=seconds)

    def count(self, launch: Launch, args: Mapping[str, Any], max_seconds: float) -> dict[str, int]:
        """Run once and return what was counted, with the traffic; see Emulation. Raises StepLimit, else as `run`."""
        from .api import emulate

        named = {self.spelled.get(name, name): value for name, value in args.items()}
        roles = self.roles
        return emulate(
            self.program, self.machine, launch, named, roles=roles, max_seconds=max_seconds, traffic=True
        ).counts

    def run_in_field(self, launch: Launch, args: Mapping[str, Any], given: FieldRun) -> RunResult:
        """Run in the finite field. The result's buffers are the residues of the float buffers, uint64; see FieldDomain.

        Raises DomainUnsupported where the field cannot follow the program, else as `run`.
        """
        import dataclasses

        from .api import emulate
        from .field_domain import FieldDomain

        own = {self.spelled.get(name, name): name for name in args}
        named = {text: args[name] for text, name in own.items()}
        symbols = {text: label for text, name in own.items() if (label := given.symbols.get(name))}
        domain = FieldDomain(dataclasses.replace(given, symbols=symbols))
        result = emulate(self.program, self.machine, launch, named, roles=self.roles, domain=domain)
        return RunResult({own[text]: a for text, a in (result.residues or {}).items()}, findings=result.findings)
