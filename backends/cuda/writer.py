"""Writing CUDA C++ and HIP: the kernel's signature, the file around it."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from ...ir import nodes as n
from ...ir.diagnostics import Diagnostic, Refusal, refuse
from ...ir.nodes import Grid
from ...ir.rewrites.matrices import fragments
from ...ir.types import Pointer, Space
from ...templates import render
from ..base import KernelText
from ..clike.declare import Types
from ..clike.emit import emit
from ..clike.frame import buffer_params, header_lines
from ..clike.text import comment_block, wrap
from .dialect import CUDA_DIALECT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...hwmodels import Machine
    from ..clike.dialect import Dialect
    from ..clike.emit import Emitted
    from ..clike.plan import WritePlan

# NVRTC and HIPRTC do not define these
_MACROS = {"INFINITY": "0x7f800000", "NAN": "0x7fffffff"}


def write(program: n.Program, machine: Machine, plan: WritePlan) -> KernelText:
    """Write a program as a CUDA C++ file for a machine. Raises Refusal with everything that cannot be written."""
    return write_as("cuda", CUDA_DIALECT, program, machine, plan)


def write_as(
    language: str,
    dialect: Dialect,
    program: n.Program,
    machine: Machine,
    plan: WritePlan,
    *,
    includes: Sequence[str] = (),
) -> KernelText:
    """Write a program in a dialect of CUDA; `includes` are the lines that the file begins with."""
    thread = thread_index(plan.block)
    lanes = {Grid.LANE: f"{thread} % {{width}}u", Grid.SUBGROUP: f"{thread} / {{width}}u"}
    dialect = dataclasses.replace(dialect, grid={**dialect.grid, **lanes})
    assert dialect.lanes is not None
    context = {
        "language": dialect.title,
        "thread": thread,
        "hardware_width": dialect.lanes.hardware_width,
        "ballot": dialect.lanes.direct["ballot"].replace("{mask}", dialect.full_mask),
    }
    emitted = emit(program, dialect, machine, plan, context=context)
    kernel = emitted.program.kernel
    source = render(
        "dialects/cuda/kernel.cu.j2",
        header=header_lines(program, machine, plan, emitted, dialect.title),
        includes=[
            *_half_headers(emitted, language),
            *includes,
            *_matrix_headers(emitted, dialect),
            *_macros(emitted),
            *_unfused(emitted, dialect),
        ],
        constants=emitted.constants,
        helpers=emitted.helpers,
        functions=emitted.functions,
        comments=comment_block(kernel.comments, ""),
        signature=_signature(plan, program.launch_bound, _parameters(kernel, dialect)),
        body=emitted.body,
    )
    params = tuple(buffer_params(program.kernel, emitted, plan))
    return KernelText(language, plan.entry, source, params)  # pyright: ignore[reportArgumentType]


def thread_index(block: tuple[int, int, int] | None) -> str:
    """The linear index of a thread in its group, x fastest."""
    if block is not None and block[1] == block[2] == 1:
        return "threadIdx.x"
    return "(threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z))"


def _half_headers(emitted: Emitted, language: str) -> list[str]:
    names = {"cuda": {"f16": "cuda_fp16.h", "bf16": "cuda_bf16.h"}, "hip": {"f16": "hip/hip_fp16.h"}}[language]
    return [f"#include <{header}>" for t, header in names.items() if t in emitted.types_used]


def _matrix_headers(emitted: Emitted, dialect: Dialect) -> tuple[str, ...]:
    return dialect.matrix.headers if dialect.matrix is not None and fragments(emitted.program) else ()


def _macros(emitted: Emitted) -> list[str]:
    """Definitions of INFINITY and NAN where the text uses them: the runtime compilers have none."""
    code = [*emitted.constants, *emitted.helpers, *emitted.functions, *emitted.body]
    lines: list[str] = []
    for name, bits in _MACROS.items():
        if any(name in line for line in code):
            lines += [f"#ifndef {name}", f"#define {name} __int_as_float({bits})", "#endif"]
    return lines


def _unfused(emitted: Emitted, dialect: Dialect) -> Sequence[str]:
    if not emitted.rounded or not dialect.unfused:
        return ()
    return "", "// The source rounds products and sums one by one: the compiler must not fuse them.", dialect.unfused


def _parameters(kernel: n.Function, dialect: Dialect) -> list[str]:
    types = Types(dialect)
    texts: list[str] = []
    problems: list[Diagnostic] = []
    for p in kernel.params:
        types.loc = p.loc or kernel.loc
        t = p.type
        try:
            if isinstance(t, Pointer) and (
                isinstance(t.elem, Pointer) or t.space not in (Space.GLOBAL, Space.CONSTANT)
            ):
                raise refuse("GP2009", f"{p.name}: a kernel argument {t}", types.loc)
            texts.append(types.declaration(t, p.name))
        except Refusal as refusal:
            problems += refusal.diagnostics
    if problems:
        raise Refusal(problems)
    return texts


def _signature(plan: WritePlan, launch_bound: int | None, parameters: Sequence[str]) -> list[str]:
    """The head of the kernel; extern "C" lets the host find it by its name."""
    block = plan.block
    threads = block[0] * block[1] * block[2] if block is not None else launch_bound
    bounds = f" __launch_bounds__({threads})" if threads else ""
    return [f'extern "C" __global__ void{bounds}', *wrap(f"{plan.entry}({', '.join(parameters)}) {{")]
