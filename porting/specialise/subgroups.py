"""Barriers and subgroup operations: 32 lanes of the source on whatever the destination has."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from ...ir import nodes as n
from ...ir.analysis.collectives import Collective, find_collectives
from ...ir.analysis.divergence import divergent_collectives
from ...ir.diagnostics import Refusal
from ...ir.rewrites.predicate import predicate
from ...ir.rewrites.scratch import add_lane_scratch, lane_words
from ...ir.types import U32
from ...ir.walk import rewrite_exprs, walk
from ..decisions import Questions
from .limits import has_shuffles, shuffle_fact

if TYPE_CHECKING:
    from .task import Task


def subgroups(task: Task) -> Task:
    """Keep, widen or replace the subgroup operations, and bring every thread to every barrier."""
    kernel = task.program.kernel
    found = frozenset[Collective]().union(*find_collectives(task.program).functions.values())
    width = task.program.subgroup_width or 32
    if Collective.SUBGROUP not in found and not _lane_indices(task.program):
        return barriers(task)
    questions = Questions()
    dst_width = questions.ask(task.dst, "execution.subgroup_width")
    questions.ask(task.dst, shuffle_fact(task.language))
    questions.ask(task.dst, "features.subgroups")
    if task.threads % width and lane_words(task.program):
        message = (
            f"groups of {task.threads} threads: the last {task.threads % width} are no whole warp of {width} lanes"
        )
        task = task.found("GP2007", f"{message}; what its missing lanes give is undefined", kernel.loc, warning=True)
    if not has_shuffles(task.dst, task.language):
        return through_shared_memory(task, questions, width)
    task = barriers(task)
    if dst_width == width:
        what, why = f"subgroup operations kept at {width} lanes", "both machines have them"
        return task.decided(questions.decide(what, why))
    program = explicit_width(task.program, width)
    what = f"subgroup operations keep the source's width of {width} lanes"
    why = (
        f"a subgroup here has {dst_width} lanes: each is {dst_width // width if dst_width else '?'} warps of the source"
    )
    return task.decided(questions.decide(what, why), program=program)


def through_shared_memory(task: Task, questions: Questions, width: int) -> Task:
    """Exchange values between lanes in shared memory, with barriers that all threads of the group reach."""
    program = explicit_width(task.program, width)
    words = lane_words(program)
    try:
        predicated = predicate(program, subgroups=False, block=task.block)
    except Refusal as refusal:
        return dataclasses.replace(task, diagnostics=(*task.diagnostics, *refusal.diagnostics))
    if predicated is not program:
        what = "code around subgroup operations runs in all threads, under a mask"
        why = "without subgroups a shuffle is a barrier of the whole group, which every thread must reach"
        task = task.decided(questions.decide(what, why))
    what = f"lanes exchange values through {4 * words * task.threads} B of shared memory, in segments of {width}"
    why = "the language that is written here has no shuffles on this device"
    program = add_lane_scratch(predicated, task.threads)
    if not words:
        what, why = "barriers of a warp become barriers of the group", "this device has no subgroups"
    return task.decided(questions.decide(what, why), program=program)


def barriers(task: Task) -> Task:
    """Bring every thread to every barrier of the group; CUDA itself tolerates threads that have returned."""
    if task.language == "cuda":
        return task
    found = divergent_collectives(task.program, task.block)
    if not found:
        return task
    try:
        program = predicate(task.program, subgroups=True, block=task.block)
    except Refusal as refusal:
        return dataclasses.replace(task, diagnostics=(*task.diagnostics, *refusal.diagnostics))
    what = "code around barriers runs in all threads, under a mask"
    why = f"only some threads reach a barrier, because of {found[0].why}; {_RULE[task.language]}"
    return task.decided(Questions().decide(what, why, found[0].loc), program=program)


_RULE = {
    "metal": "Metal requires all threads of a threadgroup to execute threadgroup_barrier",
    "opencl": "OpenCL requires all work-items of a work-group to execute barrier",
}


def explicit_width(program: n.Program, width: int) -> n.Program:
    """Write the source's subgroup width into every operation, and lane indices as arithmetic on the thread index."""

    def rewrite(e: n.Expr) -> n.Expr:
        match e:
            case n.Shuffle(width=0) | n.Vote(width=0):
                return dataclasses.replace(e, width=width)
            case n.GridIndex(kind=n.Grid.SUBGROUP_SIZE):
                return n.Const(width, U32, loc=e.loc)
            case n.GridIndex(kind=n.Grid.LANE):
                return n.Binary("%", linear_thread(), n.Const(width, U32), U32, loc=e.loc)
            case n.GridIndex(kind=n.Grid.SUBGROUP):
                return n.Binary("/", linear_thread(), n.Const(width, U32), U32, loc=e.loc)
            case _:
                return e

    return dataclasses.replace(
        program,
        kernel=rewrite_exprs(program.kernel, rewrite),
        functions=tuple(rewrite_exprs(f, rewrite) for f in program.functions),
    )


def linear_thread() -> n.Expr:
    """Return x + X*(y + Y*z), the thread's number in its group."""
    t = [n.GridIndex(n.Grid.THREAD, axis) for axis in range(3)]
    size = [n.GridIndex(n.Grid.GROUP_SIZE, axis) for axis in range(2)]
    rows = n.Binary("+", t[1], n.Binary("*", size[1], t[2], U32), U32)
    return n.Binary("+", t[0], n.Binary("*", size[0], rows, U32), U32)


def _lane_indices(program: n.Program) -> bool:
    kinds = (n.Grid.LANE, n.Grid.SUBGROUP, n.Grid.SUBGROUP_SIZE)
    return any(
        isinstance(x, n.GridIndex) and x.kind in kinds
        for f in (program.kernel, *program.functions)
        for x in walk(f.body)
    )
