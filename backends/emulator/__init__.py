"""The emulated device: runs IR under a machine model in lockstep over NumPy lanes, and finds what hardware hides."""

from __future__ import annotations

from .api import Emulation, emulate
from .backend import EmulatedKernel, EmulatorBackend
from .bounds_domain import BoundsDomain
from .domain import Domain
from .errors import DomainUnsupported, EmulatorError, StepLimit
from .machine_domain import MachineDomain

__all__ = [
    "BoundsDomain",
    "Domain",
    "DomainUnsupported",
    "EmulatedKernel",
    "Emulation",
    "EmulatorBackend",
    "EmulatorError",
    "MachineDomain",
    "StepLimit",
    "emulate",
]
