"""A workaround for PoCL 3.0 on CPUs newer than its LLVM 14, where every build ends in "unknown target CPU 'generic'".

That LLVM calls a CPU it does not know "generic", and its clang then refuses the name (pocl/pocl#1049). PoCL has no
option for it, so the name in the device's own record has to be replaced. This changes another library's memory, so it
happens only where GPUPORT_POCL_CPU is set: to auto, or to the name of a CPU. gpuport's own child process, which runs a
candidate and ends, sets it to auto; a user's process is left alone.
"""

from __future__ import annotations

import ctypes
import os
import sys
from pathlib import Path
from typing import Any, Final

from ..errors import MachineError

VARIABLE: Final = "GPUPORT_POCL_CPU"
# PoCL picks its built-in library by the host's features; the name must have the same ones, or vectors do not match.
_BY_FEATURE: Final = (
    ("skylake-avx512", ("avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl")),
    ("haswell", ("avx2", "fma", "bmi2", "f16c")),
    ("x86-64", ("sse2",)),
)
_NAME: Final = b"generic\0"
# The name stands at byte 640 of PoCL 3.0's struct _cl_device_id; what follows the struct is not looked at.
_RECORD_BYTES: Final = 1024
_named: Final[dict[int, str]] = {}


def is_affected(device: Any) -> bool:
    """Whether this is a PoCL 3.x CPU device that calls its CPU generic: nothing can be built for it."""
    return "PoCL 3." in device.platform.version and device.version.rstrip().endswith("-generic")


def _writable() -> list[tuple[int, int]]:
    regions: list[tuple[int, int]] = []
    for line in Path("/proc/self/maps").read_text().splitlines():
        span, permissions, *_ = line.split()
        if permissions.startswith("rw"):
            low, high = (int(part, 16) for part in span.split("-"))
            regions.append((low, high))
    return regions


def fitting_cpu() -> str | None:
    """The x86 CPU that PoCL's LLVM knows and whose vector features this Linux host has, or None."""
    try:
        text = Path("/proc/cpuinfo").read_text()
    except OSError:
        return None
    flags = set(next((line.split(":", 1)[1] for line in text.splitlines() if line.startswith("flags")), "").split())
    return next((name for name, needed in _BY_FEATURE if flags.issuperset(needed)), None)


def _stated_cpu() -> str:
    wanted = os.environ.get(VARIABLE, "")
    name = fitting_cpu() if wanted == "auto" else wanted
    if name in {known for known, _ in _BY_FEATURE}:
        return name
    given = f", got {wanted!r}" if wanted else ""
    raise MachineError(
        f"PoCL 3.0 does not know this CPU and can build nothing for it (pocl/pocl#1049): use a newer PoCL, or set "
        f"{VARIABLE} to auto or one of {', '.join(known for known, _ in _BY_FEATURE)}{given}"
    )


def _holders(start: int) -> set[int]:
    """Addresses of the strings "generic" that the device's record points to."""
    regions = _writable() if sys.platform == "linux" else []
    end = next((high for low, high in regions if low <= start < high), start)
    record = ctypes.string_at(start, min(_RECORD_BYTES, end - start))
    found: set[int] = set()
    for offset in range(0, len(record) - 7, 8):
        pointer = int.from_bytes(record[offset : offset + 8], sys.byteorder)
        inside = any(low <= pointer and pointer + len(_NAME) <= high for low, high in regions)
        if inside and ctypes.string_at(pointer, len(_NAME)) == _NAME:
            found.add(pointer)
    return found


def name_cpu(device: Any) -> str | None:
    """Give the device the CPU name in GPUPORT_POCL_CPU ("auto": by the host's features); None if that is not needed.

    Raises MachineError where the device is affected and the variable is unset or names no such CPU, or where the
    record is not as expected (then nothing is touched). Call it before the first build.
    """
    if not is_affected(device):
        return None
    start = int(device.int_ptr)
    if (done := _named.get(start)) is not None:
        return done
    wanted = _stated_cpu()
    text = wanted.encode() + b"\0"
    found = _holders(start)
    room = ctypes.CDLL(None).malloc_usable_size
    room.restype, room.argtypes = ctypes.c_size_t, [ctypes.c_void_p]
    if len(found) != 1 or room(min(found)) < len(text):
        raise MachineError(f"{VARIABLE}: PoCL's record of the device is not as expected; use a newer PoCL")
    ctypes.memmove(found.pop(), text, len(text))
    _named[start] = wanted
    return wanted
