"""A candidate from a text that somebody wrote for a kernel and a destination."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..backends.base import KernelText, TextParam
from ..porting.candidate import Candidate
from ..porting.translate import language_for

if TYPE_CHECKING:
    from ..hwmodels import Machine
    from ..porting.candidate import SourceProgram


def parts(language: str, source: str, header: str) -> tuple[str, str]:
    """Return source and header as the reader, the runtimes and the file take them: apart for Metal alone."""
    if language == "metal":
        return source, header
    return f"{header}\n{source}" if header.strip() else source, ""


def bare(
    source: SourceProgram, dst: Machine, text: str, header: str, *, author: str = "model", language: str | None = None
) -> Candidate:
    """Return a candidate where there is no translation to take the interface from: the spec's arguments, in order."""
    kernel = source.kernel
    params = tuple(
        TextParam(n, "buffer" if a.is_buffer else "scalar", str(a.dtype), kernel.roles.get(n) if a.is_buffer else None)
        for n, a in kernel.args.items()
    )
    chosen = language_for(dst, language)
    options = ("-cl-std=CL2.0" if dst.vendor == "amd" else "-cl-std=CL1.2",) if chosen == "opencl" else ()
    whole, before = parts(chosen, text, header)
    written = KernelText(chosen, kernel.name, whole, params, before, options)
    return Candidate(written, source.constants, author=author)
