"""Writing HIP: CUDA's writer with AMD's dialect."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..cuda.writer import write_as
from .dialect import hip_dialect

if TYPE_CHECKING:
    from ...hwmodels import Machine
    from ...ir.nodes import Program
    from ..base import KernelText
    from ..clike.plan import WritePlan

# HIPRTC has these declarations built in
_INCLUDES = ("#ifndef __HIPCC_RTC__", "#include <hip/hip_runtime.h>", "#endif")


def write(program: Program, machine: Machine, plan: WritePlan) -> KernelText:
    """Write a program as a HIP file for a machine. Raises Refusal with everything that cannot be written."""
    width = int(machine.get("execution.subgroup_width", 64))
    return write_as("hip", hip_dialect(width), program, machine, plan, includes=_INCLUDES)
