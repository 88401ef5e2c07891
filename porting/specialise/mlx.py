"""What `mx.fast.metal_kernel` demands of a kernel's arguments."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...ir.analysis.buffers import buffer_uses
from ...ir.types import Pointer
from ..decisions import Decision

if TYPE_CHECKING:
    from .task import Task

# arrays with fewer elements come as `constant` instead of `device` (MLX, backend/metal/custom_kernel.cpp)
SMALL = 8


def arguments(task: Task) -> Task:
    """Check buffers against MLX's call: inputs are const, outputs start from one value (GP2009)."""
    if task.language != "metal":
        return task
    params = task.program.kernel.params
    uses = buffer_uses(task.program)
    for p in params:
        role = task.roles.get(p.name)
        if role == "inout" and task.inits.get(p.name) is None:
            message = f"{p.name} is read and written, and has no `init`: MLX outputs start from one constant value"
            task = task.found("GP2009", message, p.loc or task.program.kernel.loc)
        if role == "in" and p.name in uses and uses[p.name].written:
            message = f"{p.name} has role in but the kernel writes it: MLX inputs are const"
            task = task.found("GP2009", message, p.loc or task.program.kernel.loc)
    starts = {
        value for p in params if task.roles.get(p.name) == "inout" and (value := task.inits.get(p.name)) is not None
    }
    if len(starts) > 1:
        message = f"MLX fills all outputs with one value, and the kernel wants {' and '.join(map(str, sorted(starts)))}"
        task = task.found("GP2009", message, task.program.kernel.loc)
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
