"""Fit a program to a destination: limits, subgroups, types, atomics, arguments. Each choice is a Decision."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...ir.diagnostics import Diagnostic, Refusal, Severity
from . import abilities, limits, matrices, mlx, subgroups
from .limits import fits
from .task import Dims, Doubles, Language, Task
from .tiles import alternatives, rechosen

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ...hwmodels import Machine
    from ...ir.nodes import Program
    from ..decisions import Decision

__all__ = ["Doubles", "Specialised", "alternatives", "fits", "rechosen", "specialise"]

STEPS: tuple[Callable[[Task], Task], ...] = (
    limits.local_arguments,
    abilities.types,
    limits.group_size,
    limits.shared_memory,
    limits.arguments,
    mlx.arguments,
    matrices.matrices,
    abilities.narrow_floats,
    abilities.atomics,
    abilities.forward_progress,
    abilities.numerics,
    abilities.conversions,
    abilities.fast_functions,
    subgroups.warp_synchronous,
    subgroups.lane_masks,
    subgroups.subgroups,
)


@dataclass(frozen=True)
class Specialised:
    """A program fit for the destination, the choices made, and warnings; `held`: what f64 became, if it changed."""

    program: Program
    decisions: tuple[Decision, ...]
    diagnostics: tuple[Diagnostic, ...]
    held: Doubles = ""


def specialise(
    program: Program,
    src: Machine,
    dst: Machine,
    *,
    language: Language,
    block: Dims | None,
    max_block: Dims,
    shared_bytes: int,
    roles: Mapping[str, str] | None = None,
    inits: Mapping[str, float | None] | None = None,
    fp64: Doubles = "",
) -> Specialised:
    """Return the program fit for `dst`, to be written in `language`.

    `program` has its address spaces resolved. `block`: threads of a group along x, y, z where all launches agree, else
    None; `max_block`: the most along each axis; `shared_bytes`: dynamic shared memory of a launch, at most; `roles` and
    `inits` are the spec's, by parameter name; `fp64`: what f64 becomes where the destination has none. Raises
    Refusal with everything that cannot be done (GP2001 to GP2011).
    """
    task = Task(program, src, dst, language, block, max_block, shared_bytes, roles or {}, inits or {}, fp64)
    for step in STEPS:
        task = step(task)
    errors = [d for d in task.diagnostics if d.severity is Severity.ERROR]
    if errors:
        raise Refusal(dict.fromkeys([*errors, *task.diagnostics]))
    return Specialised(task.program, task.decisions, tuple(dict.fromkeys(task.diagnostics)), task.held)
