"""Errors of runtimes that a user can cause or meet; each prints as one line."""

from __future__ import annotations

from ..hwmodels.errors import GpuportError


class CompileError(GpuportError):
    """A compiler rejected a kernel. The message is its first error; `log` is all that it said."""

    exit_code = 1

    def __init__(self, message: str, log: str = "") -> None:
        super().__init__(message)
        self.log = log


class NoDevice(GpuportError):
    """No device here is the machine that a kernel was written for; the message lists those found."""


class DeviceError(GpuportError):
    """A runtime failed while a kernel ran; its device context is not to be used again."""

    exit_code = 1


class ArgumentError(GpuportError):
    """An argument does not fit the kernel's parameter; the message names it and what was expected."""
