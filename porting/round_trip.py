"""A kernel ported to another device and back, and what it then computes in emulation."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, cast

from ..backends.clike.names import rename
from ..backends.emulator import emulate
from ..backends.readers import read_text
from .spec.data import arguments
from .translate import translate

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np

    from ..backends.base import KernelText
    from ..hwmodels import Machine
    from ..ir.nodes import Function, Program
    from .candidate import SourceProgram
    from .verify.oracle import Inputs


class DefectShown(Exception):
    """What the sanitizer of the emulated device found in a run."""


def there_and_back(
    source: SourceProgram, home: Machine, through: Machine, *, language: str, back: str = "cuda"
) -> KernelText:
    """Port to `through` in a language, read that text, and port it back to `home` in the language `back`.

    Raises Refusal where one of the two ports is refused.
    """
    [there] = translate(source, home, through, language=language)
    read = read_text(there.text, through)
    # a port may rename parameters, which the spec knows by the source's names; OpenCL's shared memory comes behind them
    own = {p.name: o.name for p, o in zip(read.kernel.params, source.program.kernel.params, strict=False)}
    named = cast("Function", rename(read.kernel, {name: o for name, o in own.items() if name != o}))
    program = dataclasses.replace(read, kernel=named)
    again = dataclasses.replace(source, program=program, constants=there.constants)
    [here] = translate(again, through, home, language=back)
    return here.text


def emulated_outputs(
    source: SourceProgram, program: Program, machine: Machine, sizes: Mapping[str, int], inputs: Inputs
) -> dict[str, np.ndarray]:
    """Return every written buffer after one emulated run of a program that has the source's parameters in their order.

    Raises DefectShown with the first finding of the sanitizer.
    """
    kernel = source.kernel
    args = arguments(kernel, sizes, inputs)
    # parameters go by their place, for a port may rename them
    names = dict(zip(args, (p.name for p in program.kernel.params), strict=True))
    roles = {names[n]: a.role for n, a in kernel.args.items() if a.is_buffer and a.role not in (None, "null")}
    launch = kernel.launch(sizes, source.constants)
    done = emulate(program, machine, launch, {names[n]: v for n, v in args.items()}, roles=roles)  # pyright: ignore[reportArgumentType]
    if done.findings:
        raise DefectShown(str(done.findings[0]))
    return {n: done.buffers[names[n]] for n, a in kernel.args.items() if a.is_buffer and a.role in ("out", "inout")}
