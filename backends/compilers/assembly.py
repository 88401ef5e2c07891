"""What a compiler says of a text, and which compiler is asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ...hwmodels import Machine
    from ..base import KernelText


@dataclass(frozen=True, slots=True)
class Resources:
    """What one kernel uses once it is compiled, as its compiler counts it.

    registers: 32-bit vector registers per thread; scalar_registers: per subgroup (AMD). shared_bytes: declared shared
    memory per group, without the launch's. spill_bytes: private memory per thread that holds what the registers could
    not, and arrays that are indexed. `note` says what the count leaves out.
    """

    compiler: str
    target: str
    registers: int
    shared_bytes: int
    spill_bytes: int
    scalar_registers: int | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Assembly:
    """A compiler's answer: `resources` if it took the text, its first error if not, else `reason`: nobody was asked."""

    compiler: str = ""
    resources: Resources | None = None
    error: str = ""
    reason: str = ""


def assemble(text: KernelText, machine: Machine) -> Assembly:
    """Compile a text for a machine with the vendor's compiler, as far as one is here. Never raises for a bad text.

    CUDA by NVRTC (package nvidia-cuda-nvrtc, through cuda-bindings) to the machine's own instructions; HIP, and OpenCL
    C for AMD, by clang for amdgcn, which is what ROCm uses, without ROCm's device libraries.
    """
    if text.language == "cuda":
        from .nvrtc import assemble_cuda

        return assemble_cuda(text, machine)
    if text.language == "hip" or (text.language == "opencl" and machine.vendor == "amd"):
        from .amdgcn import assemble_amdgcn

        return assemble_amdgcn(text, machine)
    if text.language == "metal":
        return Assembly(reason="Apple's Metal compiler runs on macOS alone")
    return Assembly(reason=f"no compiler of OpenCL C for {machine.name} that needs no device is known")


def resources(text: KernelText, machine: Machine) -> Resources | None:
    """Return what a kernel uses once it is compiled for a machine; None where no compiler took it."""
    return assemble(text, machine).resources
