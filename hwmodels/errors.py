"""Errors that a user of gpuport can cause; each prints as one line."""

from __future__ import annotations


class GpuportError(Exception):
    """Base of every user-facing error in gpuport. `exit_code` is what the command line exits with."""

    exit_code: int = 2


class MachineError(GpuportError):
    """A machine model cannot be read, or does not say what is asked of it."""


class UnknownMachine(MachineError):
    """No machine model has this name; the message lists the nearest names."""


class UnknownFact(MachineError):
    """A machine model does not know this fact; there is no silent default."""
