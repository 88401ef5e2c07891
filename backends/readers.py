"""Read source files and emitted texts of any language into the IR."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from ..ir.diagnostics import refuse
from ..ir.rewrites.order import source_order
from ..ir.rewrites.spaces import resolve_spaces
from ..ir.rewrites.warp_sync import insert_warp_barriers

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ..hwmodels import Machine
    from ..ir.nodes import Program
    from .base import KernelText

SUFFIXES: dict[str, str] = {".cu": "cuda", ".cuh": "cuda", ".hip": "hip", ".cl": "opencl", ".metal": "metal"}


def read_source(
    path: Path,
    entry: str,
    *,
    language: str | None = None,
    defines: Mapping[str, str] | None = None,
    include_dirs: Sequence[Path] = (),
) -> tuple[Program, dict[str, int]]:
    """Read a kernel from a source file; the language comes from the suffix unless it is named.

    Returns the program, its address spaces resolved, and the entry's integer template arguments by name.
    Raises Refusal for what cannot be read.
    """
    try:
        return _read_source(path, entry, language, defines, include_dirs)
    except RecursionError:
        raise refuse("GP1102", f"{path.name}: the source is nested too deeply to be read") from None


def _read_source(
    path: Path,
    entry: str,
    language: str | None,
    defines: Mapping[str, str] | None,
    include_dirs: Sequence[Path],
) -> tuple[Program, dict[str, int]]:
    chosen = language or SUFFIXES.get(path.suffix)
    if chosen == "cuda":
        from .cuda.reader import read_cuda

        program, values = read_cuda(path, entry, defines=defines, include_dirs=include_dirs)
    elif chosen == "hip":
        from .hip.reader import read_hip

        program, values = read_hip(path, entry, defines=defines, include_dirs=include_dirs)
    elif chosen == "opencl":
        from .opencl.reader import read_opencl

        program, values = read_opencl(path, entry, defines=defines, include_dirs=include_dirs)
    elif chosen == "metal":
        from .metal.reader import read_metal

        program, values = read_metal(path, entry, defines=defines, include_dirs=include_dirs)
    else:
        known = ", ".join(f"{s} ({name})" for s, name in SUFFIXES.items())
        raise refuse(
            "GP1001", f"{path.name}: the language of {path.suffix or 'this file'!r} is not read; read are {known}"
        )
    program = source_order(resolve_spaces(program))
    return (insert_warp_barriers(program) if chosen in ("cuda", "hip") else program), values


def read_text(text: KernelText, machine: Machine | None = None) -> Program:
    """Read an emitted kernel back, as a judge of it would: from its text alone."""
    del machine
    return _read_text(text)


@lru_cache(maxsize=64)  # a port is read by several judges in turn, and a program is never changed
def _read_text(text: KernelText) -> Program:
    if text.language == "opencl":
        from .opencl.reader import read_opencl_text

        return resolve_spaces(read_opencl_text(text.source, text.entry, f"{text.entry}.cl"))
    if text.language == "cuda":
        from .cuda.reader import read_cuda_text

        return resolve_spaces(read_cuda_text(text.source, text.entry, f"{text.entry}.cu"))
    if text.language == "hip":
        from .hip.reader import read_hip_text

        return resolve_spaces(read_hip_text(text.source, text.entry, f"{text.entry}.hip"))
    if text.language == "metal":
        from .metal.reader import read_metal_text

        return resolve_spaces(read_metal_text(text, f"{text.entry}.metal"))
    raise refuse("GP1001", f"texts in {text.language} cannot be read back yet")
