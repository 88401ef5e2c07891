"""Errors of the language-model side that a user can cause or meet."""

from __future__ import annotations

from ..hwmodels.errors import GpuportError


class ModelError(GpuportError):
    """The language-model server cannot be used at all: no key, a wrong key, no such model, nobody answers."""


class NoAnswer(Exception):
    """One request gave no usable answer; the message says why. The run goes on without it."""


class OutOfBudget(Exception):
    """The budget does not allow another request."""
