"""What is specialised, and what the steps give back."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from ...ir.diagnostics import Diagnostic, Severity

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ...hwmodels import Machine
    from ...ir.nodes import Loc, Program
    from ..decisions import Decision

Language = Literal["opencl", "metal", "cuda", "hip"]
Dims = tuple[int, int, int]
Doubles = Literal["", "float32", "double-single"]
"""What becomes of f64 where the destination has none: refused, float, or pairs of floats."""


@dataclass(frozen=True)
class Task:
    """A program on its way from `src` to `dst`, to be written in `language`.

    `block` is the group size where it is the same for all launches, `max_block` the largest along each axis over all of
    them; `shared_bytes` is the launch's dynamic shared memory, at most. `roles` and `inits` are the spec's.
    `fp64`: what the user wants of f64 where the destination has none; `held` what it became.
    """

    program: Program
    src: Machine
    dst: Machine
    language: Language
    block: Dims | None
    max_block: Dims
    shared_bytes: int
    roles: Mapping[str, str] = field(default_factory=dict[str, str])
    inits: Mapping[str, float | None] = field(default_factory=dict[str, "float | None"])
    fp64: Doubles = ""
    held: Doubles = ""
    decisions: tuple[Decision, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()

    @property
    def threads(self) -> int:
        """Threads of the largest group."""
        return self.max_block[0] * self.max_block[1] * self.max_block[2]

    def decided(self, *decisions: Decision, program: Program | None = None) -> Task:
        """Return the task with decisions added, and the program that they led to."""
        return dataclasses.replace(
            self, decisions=(*self.decisions, *decisions), program=self.program if program is None else program
        )

    def found(self, number: str, message: str, loc: Loc | None = None, *, warning: bool = False) -> Task:
        """Return the task with a diagnostic added."""
        severity = Severity.WARNING if warning else Severity.ERROR
        return dataclasses.replace(self, diagnostics=(*self.diagnostics, Diagnostic(number, message, loc, severity)))
