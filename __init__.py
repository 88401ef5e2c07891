"""gpuport: port a GPU kernel from one device to another, revalidated, measured, with a report."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .api import port
    from .hwmodels import GpuportError, Machine, load_machine
    from .porting.check import CheckReport, check
    from .porting.report import PortReport
    from .porting.spec import Kernel

__version__ = "0.1.0"
__all__ = ["CheckReport", "GpuportError", "Kernel", "Machine", "PortReport", "check", "load_machine", "port"]

# name -> module: imported when first asked for, so that `import gpuport` stays fast
_LAZY = {
    "GpuportError": ".hwmodels",
    "Machine": ".hwmodels",
    "load_machine": ".hwmodels",
    "check": ".porting.check",
    "CheckReport": ".porting.check",
    "port": ".api",
    "PortReport": ".porting.report",
    "Kernel": ".porting.spec",
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used."""
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(_LAZY[name], __name__), name)
    globals()[name] = value
    return value
