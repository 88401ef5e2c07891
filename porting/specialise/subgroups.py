"""Barriers and subgroup operations: 32 lanes of the source on whatever the destination has."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from ...ir import nodes as n
from ...ir.analysis.collectives import Collective, find_collectives
from ...ir.analysis.divergence import DivergentCollective, divergent_collectives
from ...ir.analysis.usage import shared_use
from ...ir.diagnostics import Refusal
from ...ir.rewrites.lane_masks import active_masks, add_lane_masks, drop_lane_masks, has_lane_masks
from ...ir.rewrites.predicate import predicate
from ...ir.rewrites.scratch import add_lane_scratch, lane_words
from ...ir.rewrites.warp_sync import implied_barriers
from ...ir.types import U32
from ...ir.walk import rewrite_exprs, walk
from ..decisions import Questions
from .limits import has_shuffles, shared_findings, shuffle_fact

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .task import Dims, Task


def warp_synchronous(task: Task) -> Task:
    """Warn of barriers that the source left out (GP3003)."""
    for barrier in implied_barriers(task.program):
        message = "volatile shared memory is taken for warp-synchronous code; barriers part its loads and stores"
        task = task.found("GP3003", message, barrier.loc, warning=True)
    return task


def lane_masks(task: Task) -> Task:
    """Apply CUDA's warp masks to what they decide, where the destination's language has none."""
    if task.language == "cuda":
        return active_lanes(task)
    if not has_lane_masks(task.program):
        return task
    for vote in active_masks(task.program):
        message = "which lanes are active together is not defined, in the source or here"
        task = task.found("GP3001", message, vote.loc, warning=True)
    what, why = "subgroup operations take the active lanes, votes with a mask", "this language has no lane masks"
    barriers = (x for f in _functions(task.program) for x in walk(f.body) if isinstance(x, n.Barrier))
    partial = any(x.mask is not None for x in barriers)
    task = task.decided(Questions().decide(what, why), program=drop_lane_masks(task.program))
    if not partial or task.language == "hip":
        return task
    try:
        program = predicate(task.program, subgroups=False, block=task.block)
    except Refusal as refusal:
        return dataclasses.replace(task, diagnostics=(*task.diagnostics, *refusal.diagnostics))
    what, why = "code around barriers of a part of a warp runs in all threads, under a mask", "all must arrive"
    return voted(task, program).decided(Questions().decide(what, why), program=program)


def active_lanes(task: Task) -> Task:
    """Name the active lanes where a program from a language without masks has operations of a part of a warp."""
    if task.program.language == "cuda":
        return task
    program = add_lane_masks(task.program, task.block)
    if program is task.program:
        return task
    message = "only some lanes get here, and __activemask() names them: CUDA does not promise that they stay together"
    where = divergent_collectives(task.program, task.block, kinds=frozenset((Collective.SUBGROUP,)))
    for loc in dict.fromkeys(d.loc for d in where):
        task = task.found("GP3001", message, loc, warning=True)
    what, why = "subgroup operations in divergent code name the active lanes", "CUDA's take a mask"
    return task.decided(Questions().decide(what, why), program=program)


def subgroups(task: Task) -> Task:
    """Keep, widen or replace the subgroup operations, and bring every thread to every barrier."""
    kernel = task.program.kernel
    found = frozenset[Collective]().union(*find_collectives(task.program).functions.values())
    # CUDA's warps have 32 lanes; the other languages mean the machine's subgroups, whatever their width
    width = task.program.subgroup_width or int(task.src.get("execution.subgroup_width") or 32)
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
    task = whole_subgroups(task)
    program = explicit_width(task.program, width, task.block)
    what = f"subgroup operations keep the source's width of {width} lanes"
    why = (
        f"a subgroup here has {dst_width} lanes: each is {dst_width // width if dst_width else '?'} warps of the source"
    )
    return task.decided(questions.decide(what, why), program=program)


def whole_subgroups(task: Task) -> Task:
    """Bring all lanes of the destination's wider subgroups to barriers that only some warps of the source reach."""
    found = divergent_collectives(task.program, task.block, kinds=frozenset((Collective.SUBGROUP,)))
    if not any(isinstance(x, n.Barrier) for d in found for x in walk(d.statement)) and not _calls_barrier(task, found):
        return task
    try:
        program = predicate(task.program, subgroups=False, block=task.block, votes=False)
    except Refusal:
        return task  # the barrier is kept where it stands, and the gates judge it
    what = "code around barriers of a warp runs in all threads, under a mask"
    return task.decided(Questions().decide(what, "a subgroup here holds several warps of the source"), program=program)


def _calls_barrier(task: Task, found: Sequence[DivergentCollective]) -> bool:
    """Whether one of the statements calls a function that has a barrier of the subgroup."""
    known: set[str] = set()
    for f in task.program.functions:
        if any(isinstance(x, n.Barrier) or (isinstance(x, n.Call) and x.function in known) for x in walk(f.body)):
            known.add(f.name)
    return any(isinstance(x, n.Call) and x.function in known for d in found for x in walk(d.statement))


def through_shared_memory(task: Task, questions: Questions, width: int) -> Task:
    """Exchange values between lanes in shared memory, with barriers that all threads of the group reach."""
    program = explicit_width(task.program, width, task.block)
    words = lane_words(program)
    try:
        predicated = predicate(program, subgroups=False, block=task.block)
    except Refusal as refusal:
        return dataclasses.replace(task, diagnostics=(*task.diagnostics, *refusal.diagnostics))
    if predicated is not program:
        what = "code around subgroup operations runs in all threads, under a mask"
        why = "without subgroups a shuffle is a barrier of the whole group, which every thread must reach"
        task = voted(task, predicated).decided(questions.decide(what, why))
    what = f"lanes exchange values through {4 * words * task.threads} B of shared memory, in segments of {width}"
    why = "the language that is written here has no shuffles on this device"
    program = add_lane_scratch(predicated, task.threads)
    if not words:
        what, why = "barriers of a warp become barriers of the group", "this device has no subgroups"
    return task.decided(questions.decide(what, why), program=program)


def voted(task: Task, program: n.Program) -> Task:
    """Note that loops vote in the predicated program, and check that the word for it is still there."""
    if shared_use(program).static == shared_use(task.program).static:
        return task
    sizes = task.max_block, task.shared_bytes, task.language
    if not shared_findings(task.program, task.dst, *sizes):
        for d in shared_findings(program, task.dst, *sizes):
            task = task.found(d.number, d.message, d.loc)
    what = "loops of which threads take different numbers of rounds go on while any thread of the group wants to"
    return task.decided(Questions().decide(what, "all must arrive at the barriers in them"))


def barriers(task: Task) -> Task:
    """Bring every thread to every barrier; those who wrote CUDA or HIP rely on what both allow."""
    if task.language in _LOOSE and task.program.language in _LOOSE:
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


# where threads that have returned are not waited for
_LOOSE = ("cuda", "hip")
_RULE = {
    "cuda": "in CUDA that is undefined",
    "hip": "in HIP that is undefined",
    "metal": "Metal requires all threads of a threadgroup to execute threadgroup_barrier",
    "opencl": "OpenCL requires all work-items of a work-group to execute barrier",
}


def explicit_width(program: n.Program, width: int, block: Dims | None = None) -> n.Program:
    """Write the source's subgroup width into every operation, and lane indices as arithmetic on the thread index."""

    def rewrite(e: n.Expr) -> n.Expr:
        match e:
            case n.Shuffle(width=0) | n.Vote(width=0):
                return dataclasses.replace(e, width=width)
            case n.GridIndex(kind=n.Grid.SUBGROUP_SIZE):
                return n.Const(width, U32, loc=e.loc)
            case n.GridIndex(kind=n.Grid.LANE):
                return n.Binary("%", linear_thread(block), n.Const(width, U32), U32, loc=e.loc)
            case n.GridIndex(kind=n.Grid.SUBGROUP):
                return n.Binary("/", linear_thread(block), n.Const(width, U32), U32, loc=e.loc)
            case _:
                return e

    return dataclasses.replace(
        program,
        kernel=rewrite_exprs(program.kernel, rewrite),
        functions=tuple(rewrite_exprs(f, rewrite) for f in program.functions),
    )


def linear_thread(block: Dims | None = None) -> n.Expr:
    """Return x + X*(y + Y*z), the thread's number in its group, or x where `block` has one row."""
    if block is not None and block[1] == block[2] == 1:
        return n.GridIndex(n.Grid.THREAD, 0)
    t = [n.GridIndex(n.Grid.THREAD, axis) for axis in range(3)]
    size = [n.GridIndex(n.Grid.GROUP_SIZE, axis) for axis in range(2)]
    rows = n.Binary("+", t[1], n.Binary("*", size[1], t[2], U32), U32)
    return n.Binary("+", t[0], n.Binary("*", size[0], rows, U32), U32)


def _functions(program: n.Program) -> tuple[n.Function, ...]:
    return (program.kernel, *program.functions)


def _lane_indices(program: n.Program) -> bool:
    kinds = (n.Grid.LANE, n.Grid.SUBGROUP, n.Grid.SUBGROUP_SIZE)
    return any(
        isinstance(x, n.GridIndex) and x.kind in kinds
        for f in (program.kernel, *program.functions)
        for x in walk(f.body)
    )
