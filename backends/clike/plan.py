"""What a writer is told besides the program and the machine."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ...ir.diagnostics import Diagnostic

ParamRole = Literal["in", "out", "inout", "null"]


@dataclass(frozen=True)
class WritePlan:
    """How to write one program.

    `entry` is the kernel's name in the text (a C identifier); `roles` has every pointer parameter; `block` is the group
    size in threads where it is the same for all launches; `title` names the original file; `decisions` are lines for
    the comment at the top; each of `diagnostics` becomes a comment above the line that it concerns; `in_place` are the
    buffers that MLX gets as inputs and the kernel writes through.
    """

    entry: str
    roles: Mapping[str, ParamRole]
    block: tuple[int, int, int] | None = None
    title: str = ""
    decisions: tuple[str, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = field(default=())
    in_place: frozenset[str] = frozenset()
