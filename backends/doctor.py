"""What can run here: clang, and each runtime with the devices that it found or the reason why not."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ..hwmodels.errors import GpuportError
from .base import Availability, Backend

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..hwmodels import Machine

# the runtime that runs texts of a language on their device
RUNTIMES = {"cuda": "cuda", "opencl": "opencl", "metal": "metal"}


def doctor() -> list[Availability]:
    """Return one row for clang, one per OpenCL device, and one each for CUDA, Metal and the emulator. Never raises."""
    rows: list[Availability] = []
    for name, look in (
        ("clang", _clang),
        ("opencl", _opencl),
        ("cuda", _cuda),
        ("metal", _metal),
        ("emulator", _emulator),
    ):
        rows += _safely(name, look)
    return rows


def device_backend(machine: Machine, language: str) -> str | None:
    """Return the name of the backend that runs texts of a language on `machine`; None if that machine is not here."""
    name = RUNTIMES.get(language)
    if name is None:
        return None
    try:
        return name if _backend(name).device_for(machine) is not None else None
    except Exception:  # a broken driver is no device; `doctor` says what is wrong with it
        return None


def _backend(name: str) -> Backend:
    match name:
        case "opencl":
            from .opencl.runtime import OpenCLBackend

            return OpenCLBackend()
        case "cuda":
            from .cuda.runtime import CudaBackend

            return CudaBackend()
        case _:
            from .metal.runtime import MetalBackend

            return MetalBackend()


def _safely(name: str, look: Callable[[], list[Availability]]) -> list[Availability]:
    try:
        return look()
    except Exception as error:  # a broken driver or package is what a doctor is asked about
        first = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        return [
            Availability(name, False, first if isinstance(error, GpuportError) else f"{type(error).__name__}: {first}")
        ]


def _clang() -> list[Availability]:
    from .clang.tool import clang_command, clang_version

    origin = "GPUPORT_CLANG" if os.environ.get("GPUPORT_CLANG") else "package ziglang"
    return [Availability("clang", True, f"{clang_version()}, from {origin} ({clang_command()[0]})")]


def _opencl() -> list[Availability]:
    from ..hwmodels.probe.pocl import is_affected
    from .errors import NoDevice
    from .opencl.runtime import all_devices, device_name

    try:
        devices = all_devices()
    except NoDevice as error:
        return [Availability("opencl", False, str(error))]
    rows: list[Availability] = []
    for d in devices:
        subgroups = (
            "subgroups" if {"cl_khr_subgroups", "cl_intel_subgroups"} & set(d.extensions.split()) else "no subgroups"
        )
        renamed = ", its CPU named anew in the worker (pocl/pocl#1049)" if is_affected(d) else ""
        version = f"{d.platform.version.strip()}, driver {d.driver_version}"
        rows.append(Availability("opencl", True, f"{device_name(d)}: {version}, {subgroups}{renamed}"))
    return rows


def _cuda() -> list[Availability]:
    return [_backend("cuda").availability()]


def _metal() -> list[Availability]:
    return [_backend("metal").availability()]


def _emulator() -> list[Availability]:
    from .emulator.backend import EmulatorBackend
    from .readers import read_text

    return [EmulatorBackend(read=read_text).availability()]
