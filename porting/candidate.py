"""Candidates: what a synthesizer offers for a destination, judged by the gates whoever wrote it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from ..backends.base import KernelText
    from ..hwmodels import Machine
    from ..ir.diagnostics import Diagnostic
    from ..ir.nodes import Program
    from .decisions import Decision
    from .spec import Kernel


@dataclass(frozen=True)
class SourceProgram:
    """A kernel as read: its program and the integer constants that its launch may name, of the author's choice."""

    kernel: Kernel
    program: Program
    constants: Mapping[str, int]


@dataclass(frozen=True)
class Candidate:
    """A port before it is judged: the text, the constants that its launches use, and why it is as it is."""

    text: KernelText
    constants: Mapping[str, int]
    decisions: tuple[Decision, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()
    author: str = "translator"


class Synthesizer(Protocol):
    """Anything that turns a kernel, its machine and a destination into candidates, the best guess first.

    Raises Refusal where it can offer nothing, with the reasons.
    """

    def __call__(self, source: SourceProgram, src: Machine, dst: Machine) -> Sequence[Candidate]:
        """Return candidates."""
        ...
