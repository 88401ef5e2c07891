"""The emulated device: runs IR under a machine model in lockstep over NumPy lanes, and finds what hardware hides."""

from __future__ import annotations

from .api import Emulation, emulate
from .domain import Domain
from .errors import DomainUnsupported, EmulatorError, StepLimit
from .machine_domain import MachineDomain

__all__ = [
    "Domain",
    "DomainUnsupported",
    "Emulation",
    "EmulatorError",
    "MachineDomain",
    "StepLimit",
    "emulate",
]
