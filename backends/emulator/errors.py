"""Errors of the emulator that a user can cause; defects of a kernel are findings, not errors."""

from __future__ import annotations

from ...hwmodels.errors import GpuportError
from ...ir.nodes import Loc


class EmulatorError(GpuportError):
    """A program, launch or argument list that cannot be emulated; the message names it."""

    def __init__(self, message: str, loc: Loc | None = None) -> None:
        super().__init__(f"{loc}: {message}" if loc else message)
        self.reason = message
        self.loc = loc


class StepLimit(EmulatorError):
    """A run took more statement executions than allowed; `loc` is the loop that was running."""

    exit_code = 1


class DomainUnsupported(EmulatorError):
    """The value domain cannot represent an operation of the program; fall back to another domain."""
