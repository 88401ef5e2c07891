"""What all files have around the code: the comment at the top, and the list of parameters for the host."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...ir import nodes as n
from ...ir.diagnostics import Severity, refuse
from ...ir.types import Array, Pointer, Scalar, Space, Struct, Type, Vector, buffer_scalar
from ...ir.walk import walk
from ...templates import fact
from ..base import TextParam
from .text import comment_block

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ...hwmodels import Machine
    from ...ir.diagnostics import Diagnostic
    from .emit import Emitted
    from .plan import WritePlan


def shared_bytes(program: n.Program) -> int:
    """Bytes of shared memory that a program declares, without the launch's dynamic part."""
    return sum(
        _size(x.type)
        for f in (*program.functions, program.kernel)
        for x in walk(f)
        if isinstance(x, n.Declare) and x.space is Space.SHARED
    )


def header_lines(program: n.Program, machine: Machine, plan: WritePlan, emitted: Emitted, language: str) -> list[str]:
    """The comment at the top: origin, what the machine offers, decisions, notes, then the author's own header."""
    origin = f"from {plan.title} " if plan.title else ""
    lines = [f"{plan.entry} {origin}in {language} for {machine.name}, written by gpuport."]
    lines.append(", ".join(_facts(emitted.program, machine, plan)) + ".")
    lines += [f"- {d}" for d in plan.decisions]
    lines += [f"- {d.number}: {d.message}" for d in emitted.notes]
    lines += [
        f"- {d.number}{f' (line {d.loc.line})' if d.loc else ''}: {d.message}"
        for d in plan.diagnostics
        if d.severity is not Severity.ERROR and not _on_a_statement(d, program)
    ]
    out = comment_block(lines, "")
    if program.header_comments:
        out += ["", *comment_block(program.header_comments, "")]
    return out


def _on_a_statement(d: Diagnostic, program: n.Program) -> bool:
    """Whether a diagnostic stands above a statement of its line; what it says of a signature has no other place."""
    if d.loc is None:
        return False
    place = (d.loc.file, d.loc.line)
    lines = (s.loc for f in (program.kernel, *program.functions) for s in walk(f.body) if isinstance(s, n.Statement))
    return any(at is not None and (at.file, at.line) == place for at in lines)


def _facts(program: n.Program, machine: Machine, plan: WritePlan) -> Iterator[str]:
    if plan.block is not None:
        threads = plan.block[0] * plan.block[1] * plan.block[2]
        limit = machine.get("limits.threads_per_group")
        yield f"{threads}{f' of at most {limit}' if limit else ''} threads per group"
    used = shared_bytes(program)
    more = " and the launch's" if any(_dynamic(x) for x in walk(program.kernel)) or program_dynamic(program) else ""
    yield f"{used} B{more} of {fact(machine, 'shared.per_group')} shared memory"
    yield f"subgroups of {fact(machine, 'execution.subgroup_width')}"


def program_dynamic(program: n.Program) -> bool:
    """Tell whether a program uses the launch's dynamic shared memory."""
    return any(_dynamic(x) for f in (*program.functions, program.kernel) for x in walk(f))


def _dynamic(x: n.Node) -> bool:
    return isinstance(x, n.Declare) and x.space is Space.SHARED and isinstance(x.type, Array) and x.type.length == 0


def _size(t: Type) -> int:
    return 8 if isinstance(t, Pointer) else t.size


def buffer_params(original: n.Function, emitted: Emitted, plan: WritePlan) -> Iterator[TextParam]:
    """The kernel's own parameters for the host, under the author's names; raises Refusal for what no host passes."""
    for p in original.params:
        t = p.type
        spelled = emitted.renamed.get(p.name, "")
        if isinstance(t, Pointer):
            if p.name not in plan.roles:
                raise KeyError(f"no role for parameter {p.name}")
            role = plan.roles[p.name]
            held = buffer_scalar(t.elem) if isinstance(t.elem, Struct) else t.elem
            in_place = p.name in plan.in_place
            yield TextParam(p.name, "buffer", str(held), "in" if role == "null" else role, spelled, in_place)
        elif isinstance(t, Scalar | Vector):
            yield TextParam(p.name, "scalar", str(t), None, spelled)
        else:
            raise refuse("GP2009", f"{p.name}: a kernel argument of type {t}", p.loc or original.loc)
