"""Machine models: what each device can do, with unit, source and confidence for every number."""

from __future__ import annotations

from .errors import GpuportError, MachineError, UnknownFact, UnknownMachine
from .loader import load_machine, machine_names
from .machine import Machine
from .schema import Fact, Source

__all__ = [
    "Fact",
    "GpuportError",
    "Machine",
    "MachineError",
    "Source",
    "UnknownFact",
    "UnknownMachine",
    "load_machine",
    "machine_names",
]
