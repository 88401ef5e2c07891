"""Run a kernel in this process: quicker to start than a child, for texts that neither crash nor hang.

What `isolate.Isolated` does but for the isolation: the same calls, the same outcomes.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from ..hwmodels.errors import GpuportError
from .errors import CompileError, DeviceError
from .held import HeldDoubles
from .isolate import Compiled, CompileFailed, Crashed, Done, Failed, Outcome, OutOfMemory
from .worker import compile_text

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from ..hwmodels import Machine
    from .base import Executable, KernelText, Launch, RunResult
    from .emulator.field_domain import FieldRun


class InProcess:
    """A kernel on a backend, compiled and run here."""

    def __init__(self, backend: str, text: KernelText, machine: Machine) -> None:
        self.backend, self.text, self.machine = backend, text, machine
        self._executable: Executable | None = None
        self._compiled: Outcome | None = None

    def compile(self) -> Outcome:
        """Compile the kernel unless this was done already: Compiled, or why not."""
        if self._compiled is None:
            started = time.perf_counter()

            def compiled() -> Outcome:
                self._executable = compile_text(self.backend, self.text, self.machine)
                return Compiled(time.perf_counter() - started)

            self._compiled = _outcome(compiled)
        return self._compiled

    def run(
        self, launch: Launch, args: Mapping[str, Any], guard_bytes: int = 0, *, order_seed: int | None = None
    ) -> Outcome:
        """Run the kernel, compiling it first where needed; see Executable.run. Done, or what happened instead."""
        return self._done(lambda kernel: kernel.run(launch, args, guard_bytes=guard_bytes, order_seed=order_seed))

    def run_in_field(
        self, launch: Launch, args: Mapping[str, Any], given: FieldRun, floats: Collection[str]
    ) -> Outcome:
        """Run an emulated kernel in the finite field; see EmulatedKernel.run_in_field."""
        from .emulator import EmulatedKernel

        del floats

        def run(kernel: Executable) -> RunResult:
            assert isinstance(kernel, EmulatedKernel | HeldDoubles)
            return kernel.run_in_field(launch, args, given)

        return self._done(run)

    def _done(self, run: Callable[[Executable], RunResult]) -> Outcome:
        ready = self.compile()
        if not isinstance(ready, Compiled):
            return ready
        kernel = self._executable
        assert kernel is not None
        return _outcome(lambda: Done(run(kernel)))


def _outcome(action: Callable[[], Outcome]) -> Outcome:
    try:
        return action()
    except CompileError as error:
        return CompileFailed(str(error), error.log)
    except DeviceError as error:
        return Crashed(str(error))
    except MemoryError as error:
        return OutOfMemory(str(error) or "an allocation failed")
    except GpuportError as error:
        return Failed(str(error), type(error).__name__)
