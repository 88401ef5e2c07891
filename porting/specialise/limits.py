"""Limits of the destination: group size, shared memory, arguments."""

from __future__ import annotations

import dataclasses
from math import isfinite, prod
from typing import TYPE_CHECKING

from ...ir.analysis.usage import shared_use
from ...ir.diagnostics import Diagnostic, Severity
from ...ir.rewrites.local_arguments import declared_shared
from ...ir.rewrites.scratch import LANES, lane_words
from ..decisions import Questions

if TYPE_CHECKING:
    from ...hwmodels import Machine
    from ...ir.nodes import Program
    from .task import Dims, Language, Task


def fits(program: Program, dst: Machine, block: Dims, shared_bytes: int, language: Language) -> list[Diagnostic]:
    """Return what keeps a launch of `block` threads with `shared_bytes` of dynamic shared memory off the destination.

    Cheap: reads the program once and compares numbers (GP2001, GP2002). A limit that the model does not know rejects
    nothing.
    """
    return [*group_findings(program, dst, block), *shared_findings(program, dst, block, shared_bytes, language)]


def group_findings(program: Program, dst: Machine, block: Dims) -> list[Diagnostic]:
    """Return GP2001 where a group has more threads than the destination allows, in all or along an axis."""
    found: list[Diagnostic] = []
    loc = program.kernel.loc
    shown = f"{prod(block)} threads ({' x '.join(map(str, block))})"
    total = Questions()
    limit = total.ask(dst, "limits.threads_per_group")
    if limit is not None and prod(block) > limit:
        found.append(_error("GP2001", f"a group has {shown}; {dst.name} takes {total.sources()}", program))
    axes = Questions()
    dims = axes.ask(dst, "limits.group_dim")
    if dims is not None and not found and any(b > d for b, d in zip(block, dims, strict=True)):
        axis = next(i for i, (b, d) in enumerate(zip(block, dims, strict=True)) if b > d)
        message = f"a group has {block[axis]} threads along {'xyz'[axis]}; {dst.name}: {axes.sources()}"
        found.append(Diagnostic("GP2001", message, loc))
    return found


def scratch_bytes(program: Program, dst: Machine, threads: int, language: Language) -> int:
    """Return the shared memory through which lanes exchange values on a destination without subgroups; 0 with them."""
    if LANES in {p.name for f in program.functions for p in f.params} or has_shuffles(dst, language):
        return 0
    return 4 * lane_words(program) * threads


def shuffle_fact(language: Language) -> str:
    """Return the fact that tells how a language shuffles: OpenCL C often lacks what the device has."""
    return "features.opencl_shuffle" if language == "opencl" else "features.subgroup_shuffle"


def has_shuffles(dst: Machine, language: Language) -> bool:
    """Tell whether a language has subgroup operations and shuffles on a machine."""
    return bool(dst.get("features.subgroups", False)) and dst.get(shuffle_fact(language), "none") != "none"


def shared_limit(questions: Questions, dst: Machine, shared_bytes: int, language: Language) -> int | None:
    """Return how much shared memory a group may have; in CUDA, dynamic shared memory may opt in to more."""
    limit = questions.ask(dst, "shared.per_group")
    if limit is not None and language == "cuda" and shared_bytes and dst.known("shared.per_group_optin"):
        return max(limit, questions.ask(dst, "shared.per_group_optin"))
    return limit


def shared_findings(
    program: Program, dst: Machine, block: Dims, shared_bytes: int, language: Language
) -> list[Diagnostic]:
    """Return GP2002 where a group needs more shared memory than the destination has."""
    questions = Questions()
    limit = shared_limit(questions, dst, shared_bytes, language)
    use = shared_use(program)
    scratch = scratch_bytes(program, dst, prod(block), language)
    total = use.static + shared_bytes + scratch
    if limit is None or total <= limit:
        return []
    parts = [f"{use.static} B declared"] if use.static else []
    parts += [f"{shared_bytes} B at launch"] if shared_bytes else []
    parts += [f"{scratch} B to exchange values between lanes"] if scratch else []
    largest = max(use.variables, key=_size, default=None)
    loc = largest.loc if largest is not None else None
    message = f"a group needs {total} B of shared memory ({', '.join(parts)}); {dst.name} has {questions.sources()}"
    return [Diagnostic("GP2002", message, loc or program.kernel.loc)]


def _size(declared: object) -> int:
    return getattr(getattr(declared, "type", None), "size", 0)


def _error(number: str, message: str, program: Program) -> Diagnostic:
    return Diagnostic(number, message, program.kernel.loc, Severity.ERROR)


def local_arguments(task: Task) -> Task:
    """Declare the launch's shared memory where it is no argument of the destination's kernels."""
    return task if task.language == "opencl" else dataclasses.replace(task, program=declared_shared(task.program))


def group_size(task: Task) -> Task:
    """Check the group size against the destination's limits."""
    questions = Questions()
    questions.ask(task.dst, "limits.threads_per_group")
    questions.ask(task.dst, "limits.group_dim")
    for d in group_findings(task.program, task.dst, task.max_block):
        task = task.found(d.number, d.message, d.loc)
    return task.decided(questions.skipped("threads in a group")) if questions.missing else task


def shared_memory(task: Task) -> Task:
    """Check static, dynamic and exchange memory against what a group may have."""
    if not task.shared_bytes and not shared_use(task.program).static and not lane_words(task.program):
        return task
    questions = Questions()
    limit = shared_limit(questions, task.dst, task.shared_bytes, task.language)
    if limit is None:
        return task.decided(questions.skipped("shared memory of a group"))
    program, dst = task.program, task.dst
    for d in shared_findings(program, dst, task.max_block, task.shared_bytes, task.language):
        task = task.found(d.number, d.message, d.loc)
    scratch = scratch_bytes(program, dst, task.threads, task.language)
    total = shared_use(program).static + task.shared_bytes + scratch
    what = f"{total} B of shared memory in a group"
    return task.decided(questions.decide(what, f"{total} B of {limit} B")) if total <= limit else task


def arguments(task: Task) -> Task:
    """Check the number of arguments; for MLX each parameter is a buffer of its own, scalars too."""
    questions = Questions()
    limit = questions.ask(task.dst, "limits.buffer_args")
    params = task.program.kernel.params
    count = len(params) if task.language == "metal" else sum(1 for p in params if "*" in str(p.type))
    if limit is None:
        return task.decided(questions.skipped("number of arguments"))
    if isfinite(limit) and count > limit:
        kind = "parameters (each is a buffer in MLX, scalars too)" if task.language == "metal" else "pointer parameters"
        task = task.found(
            "GP2011", f"{count} {kind}; {task.dst.name} takes {questions.sources()}", task.program.kernel.loc
        )
    return task
