"""What `mx.fast.metal_kernel` demands of a kernel's arguments."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...ir.analysis.buffers import buffer_uses
from ...ir.types import Pointer
from ..decisions import Decision

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .task import Task

# arrays with fewer elements come as `constant` instead of `device` (MLX, backend/metal/custom_kernel.cpp)
SMALL = 8


def arguments(task: Task) -> Task:
    """Fit buffers to MLX's call: inputs are const (GP2009 where one is written), outputs start from one value."""
    if task.language != "metal":
        return task
    params = task.program.kernel.params
    uses = buffer_uses(task.program)
    for p in params:
        role = task.roles.get(p.name)
        if role == "in" and p.name in uses and uses[p.name].written:
            message = f"{p.name} has role in but the kernel writes it: MLX inputs are const"
            task = task.found("GP2009", message, p.loc or task.program.kernel.loc)
    in_place = updated_in_place(task.roles, task.inits, task.language)
    if in_place:
        names = ", ".join(p.name for p in params if p.name in in_place)
        what = f"{names}: passed as an input, a copy of its own that the kernel writes through"
        task = task.decided(Decision(what, "MLX makes its outputs itself, and fills all of them with one value"))
    scalars = [p.name for p in params if not isinstance(p.type, Pointer)]
    if scalars:
        why = "mx.fast.metal_kernel takes arrays only; a 0-d array is a reference to one constant value"
        task = task.decided(Decision(f"{', '.join(scalars)} passed as 0-d arrays", why))
    inputs = [p.name for p in params if isinstance(p.type, Pointer) and task.roles.get(p.name) == "in"]
    if inputs:
        what = f"inputs of under {SMALL} elements are padded to {SMALL} by the wrapper ({', '.join(inputs)})"
        task = task.decided(
            Decision(what, "MLX gives smaller arrays in constant memory, which has another pointer type")
        )
    return task


def updated_in_place(roles: Mapping[str, str], inits: Mapping[str, float | None], language: str) -> frozenset[str]:
    """Return the buffers that no output of MLX can be: they start from data, or from another value than the rest."""
    if language != "metal":
        return frozenset()
    starts = {name: inits.get(name) for name, role in roles.items() if role == "inout"}
    common = next((value for value in starts.values() if value is not None), None)
    return frozenset(name for name, value in starts.items() if value is None or value != common)
