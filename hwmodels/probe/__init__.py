"""Probing: what a device's API says, corrected where it is known to lie, and what can be measured in seconds.

A probe writes an instance file that extends the nearest model; the loader keeps what it contradicts as conflicts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ..errors import MachineError
from .readings import Probe, Reading, Report, contradictions, find_base, instance_text, write_instance

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["BACKENDS", "Probe", "Reading", "contradictions", "find_base", "instance_text", "probe", "write_instance"]

BACKENDS: Final = ("opencl", "cuda", "mlx")


def _reader(backend: str) -> Callable[[int, Report], Probe]:
    match backend:
        case "opencl":
            from .opencl import read
        case "cuda":
            from .cuda import read
        case "mlx":
            from .mlx import read
        case _:
            raise MachineError(f"no probe for {backend!r}; expected one of {', '.join(BACKENDS)}")
    return read


def probe(backend: str = "opencl", device: int = 0, report: Report = lambda text: None) -> Probe:
    """Read and measure one device. `report` receives a line as each step starts.

    Raises MachineError where the runtime or the device is not there.
    """
    return _reader(backend)(device, report)
