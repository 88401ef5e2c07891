"""A `.metal` file that holds the body of a kernel alone, as `mx.fast.metal_kernel` takes it."""

from __future__ import annotations

import dataclasses
import re
from typing import TYPE_CHECKING, Any

from ..backends.base import KernelText, TextParam
from ..backends.readers import read_text
from ..ir.nodes import Loc, Node, Program
from ..ir.walk import map_functions, rebuild

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .spec import Kernel


def is_body(kernel: Kernel) -> bool:
    """Tell whether a kernel's source is the body of a Metal kernel: the signature comes from the spec then."""
    if kernel.model.language != "metal" and (kernel.model.language or kernel.source.suffix != ".metal"):
        return False
    return not re.search(r"\bkernel\b", kernel.source.read_text(encoding="utf-8", errors="replace"))


def read_body(kernel: Kernel, defines: Mapping[str, str] | None = None) -> Program:
    """Read the body of a Metal kernel; its parameters are the spec's arguments. Raises Refusal."""
    given = kernel.model.defines if defines is None else defines
    body = kernel.source.read_text(encoding="utf-8", errors="replace")
    header = "".join(f"#define {name} {value}\n" for name, value in given.items())
    params = tuple(
        TextParam(n, "buffer", str(a.dtype), a.role) if a.is_buffer else TextParam(n, "scalar", str(a.dtype))  # pyright: ignore
        for n, a in kernel.args.items()
    )
    program = read_text(KernelText("metal", kernel.model.entry, body, params, header))
    # before the body stand the header and, on a line of its own, the signature
    return _placed(program, kernel.source.name, header.count("\n") + 2)


def _placed(program: Program, file: str, before: int) -> Program:
    """The program with the lines of the body's file."""

    def moved(node: Node) -> Any:
        new = rebuild(node, moved)
        at = new.loc
        return new if at is None else dataclasses.replace(new, loc=Loc(file, max(1, at.line - before), at.col))

    return map_functions(program, moved)
