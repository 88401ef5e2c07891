"""What the destination's arithmetic and memory can do: types, atomics, forward progress, rounding."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from ...ir import nodes as n
from ...ir.analysis.exactness import rounds_by_itself
from ...ir.analysis.progress import lock_of_lanes, waiting_loop
from ...ir.analysis.usage import atomics_used, contractible, scalars_used
from ...ir.diagnostics import Refusal
from ...ir.mathlib import MATH
from ...ir.rewrites.double_single import doubles_to_pairs
from ...ir.rewrites.doubles import doubles_to_floats
from ...ir.rewrites.narrow_floats import soften
from ...ir.types import BF16, F16, F32, F64, Scalar, Space
from ...ir.walk import walk
from ..decisions import Questions

if TYPE_CHECKING:
    from ...hwmodels import Machine
    from .task import Task


def types(task: Task) -> Task:
    """Refuse f64 where the destination has none (GP2005), or do what the user wants instead (GP3004)."""
    scalars = scalars_used(task.program)
    if F64 not in scalars:
        return task
    questions = Questions()
    has = questions.ask(task.dst, "features.fp64")
    if has is None:
        return task.decided(questions.skipped("f64 arithmetic"))
    if not has:
        return _without_doubles(task, questions, scalars[F64] or task.program.kernel.loc)
    return task.decided(questions.decide("f64 kept", "the destination has it"))


def _without_doubles(task: Task, questions: Questions, loc: n.Loc | None) -> Task:
    """Do what the user wants of f64 on a destination that has none, and say so."""
    if not task.fp64:
        message = (
            f"f64 is used; {task.dst.name}: {questions.sources()}; "
            'fp64="float32" or fp64="double-single" would compute in floats or in pairs of them'
        )
        return task.found("GP2005", message, loc)
    pairs = task.fp64 == "double-single"
    try:
        program = doubles_to_pairs(task.program) if pairs else doubles_to_floats(task.program)
    except Refusal as refusal:
        return dataclasses.replace(task, diagnostics=(*task.diagnostics, *refusal.diagnostics))
    what = "pairs of floats, of about 44 bits and the range of float" if pairs else "float, of 24 bits"
    task = task.found("GP3004", f"f64 is computed as {what}; the source has 53 bits", loc, warning=True)
    why = f'the destination has no f64, and fp64="{task.fp64}" was asked for'
    decision = questions.decide(f"f64 is {what}", why, loc)
    return dataclasses.replace(task.decided(decision, program=program), held=task.fp64)


def narrow_floats(task: Task) -> Task:
    """Keep f16 and bf16 as bits where the destination's language has no such type, and compute in f32."""
    scalars, narrow = scalars_used(task.program), set[Scalar]()
    if BF16 in scalars and task.language in ("opencl", "hip"):
        narrow.add(BF16)
    if F16 in scalars and task.language == "opencl" and not task.dst.get("features.fp16", False):
        narrow.add(F16)
    if not narrow:
        return task
    try:
        program = soften(task.program, narrow)
    except Refusal as refusal:
        for d in refusal.diagnostics:
            task = task.found(d.number, d.message, d.loc or task.program.kernel.loc)
        return task
    questions = Questions()
    if F16 in narrow:
        questions.ask(task.dst, "features.fp16")
    names = " and ".join(sorted(str(t) for t in narrow))
    why = "the destination has no such type; each operation in f32 and rounded once gives the same bits"
    return dataclasses.replace(task, program=program).decided(questions.decide(f"{names} kept as 16-bit integers", why))


def atomics(task: Task) -> Task:
    """Refuse atomics that the destination cannot do (GP2008); record those that become compare-and-swap loops."""
    seen: set[tuple[str, Scalar, Space]] = set()
    for atomic, space in atomics_used(task.program):
        key = (atomic.op, atomic.type, space)
        if key in seen:
            continue
        seen.add(key)
        questions = Questions()
        how = _atomic(questions, task.dst, atomic, space)
        name = f"atomic {atomic.op} on {atomic.type} in {space.value} memory"
        if how is None:
            task = task.decided(questions.skipped(name))
        elif how == "none":
            sources = questions.sources() or "the model names none"
            task = task.found("GP2008", f"{name}; {task.dst.name}: {sources}", atomic.loc)
        elif how == "cas":
            what = f"{name} is a compare-and-swap loop"
            task = task.decided(questions.decide(what, "the destination has no such instruction", atomic.loc))
    return task


def _atomic(questions: Questions, dst: Machine, atomic: n.Atomic, space: Space) -> str | None:
    """How the destination does an atomic: native, cas, none; None where the model does not say."""
    t, op = atomic.type, atomic.op
    place = "shared" if space is Space.SHARED else "global"
    if t == F32:
        if op in ("exch", "cas"):
            return "native"
        how = questions.ask(dst, f"features.atomic_f32_{place}")
        return "cas" if how == "native" and op != "add" else how
    if t.is_integer and t.bits == 32:
        ops = questions.ask(dst, f"atomics.{place}.i32")
        return None if ops is None else "native" if op in ops or (op == "sub" and "add" in ops) else "none"
    if t.is_integer and t.bits == 64:
        how = questions.ask(dst, "features.atomic_i64")
        return how if how != "minmax" else "native" if op in ("min", "max") else "none"
    if t == F64:
        ops = questions.ask(dst, f"atomics.{place}.f64") or ()
        if op in ops:
            return "native"
        return "cas" if questions.ask(dst, "features.atomic_i64") in ("native", "cas") else "none"
    ops = questions.ask(dst, f"atomics.{place}.{t.name}") if t.name in ("f16", "bf16") else ()
    return "native" if ops and op in ops else "none"


def forward_progress(task: Task) -> Task:
    """Refuse loops that wait for other groups where these need not make progress (GP2010)."""
    loop = waiting_loop(task.program)
    if loop is None:
        return task
    questions = Questions()
    progress = questions.ask(task.dst, "features.forward_progress")
    if progress is None:
        return task.decided(questions.skipped("a loop that waits for other threads"))
    if not progress:
        message = f"the loop waits for what other threads write; {task.dst.name}: {questions.sources()}"
        return task.found("GP2010", message, loop.loc or task.program.kernel.loc)
    if task.language != "cuda" and (lock := lock_of_lanes(task.program)) is not None:
        message = (
            f"lanes of one subgroup wait here for a lock that one of them holds; on {task.dst.name} they run in "
            "lockstep, so that it can never give it back (CUDA lets lanes go on by themselves)"
        )
        return task.found("GP2010", message, lock.loc or task.program.kernel.loc)
    return task.decided(questions.decide("a loop that waits is kept", "groups make progress here", loop.loc))


def numerics(task: Task) -> Task:
    """Say where f32 arithmetic rounds or flushes differently (GP3001)."""
    if F32 not in scalars_used(task.program):
        return task
    questions = Questions()
    here = questions.ask(task.dst, "numerics.subnormals_f32")
    there = questions.ask(task.src, "numerics.subnormals_f32")
    if here == "flushed" and there != "flushed":
        message = f"f32 values below 2^-126 become zero on {task.dst.name} ({questions.sources()})"
        task = task.found("GP3001", message, task.program.kernel.loc, warning=True)
    elif here is None:
        task = task.decided(questions.skipped("f32 subnormals"))
    rounding = Questions()
    source, own = rounding.ask(task.src, "numerics.contract"), rounding.ask(task.dst, "numerics.contract")
    if rounds_by_itself(task.program) and own not in (None, "off"):
        how = "by functions of their own" if task.language == "cuda" else "by a pragma for the whole text"
        what = f"products and sums that the source rounds by themselves stay so, {how}"
        return task.decided(rounding.decide(what, "this compiler fuses a*b + c by default"))
    if task.language not in ("cuda", "hip") and source not in (None, "off") and contractible(task.program):
        what = "a*b + c is rounded twice, as it is written"
        why = "the source's compiler may fuse it into one rounding" + (
            "" if own in (None, "off") else ", as this one may"
        )
        task = task.decided(rounding.decide(what, f"{why}; results differ within the bound that is checked"))
    return task


def conversions(task: Task) -> Task:
    """Say where a float out of an integer's range converts differently (GP3001), once a line.

    CUDA defines what it gives, and OpenCL C has conversions that give the same, which the writer takes.
    """
    if task.program.language != "cuda" or task.language in ("cuda", "opencl"):
        return task
    seen: set[tuple[str, int]] = set()
    for f in (task.program.kernel, *task.program.functions):
        at = f.loc
        for node in walk(f):
            at = node.loc or at
            if not isinstance(node, n.Convert) or not _float_to_integer(node) or isinstance(node.value, n.Const):
                continue
            if at is not None and (at.file, at.line) in seen:
                continue
            if at is not None:
                seen.add((at.file, at.line))
            message = (
                f"a float is converted to {node.type}: where it does not fit, CUDA gives the nearest integer and 0 "
                f"for NaN; on {task.dst.name} the result is undefined"
            )
            task = task.found("GP3001", message, at, warning=True)
    return task


def fast_functions(task: Task) -> Task:
    """Say that the fast functions have no accuracy bound in OpenCL C (GP3001)."""
    if task.language != "opencl":
        return task
    for f in (task.program.kernel, *task.program.functions):
        for node in walk(f):
            if isinstance(node, n.MathCall) and MATH[node.fn].fast:
                message = f"{node.fn} becomes a native_ function, whose accuracy OpenCL C leaves to the device"
                return task.found("GP3001", message, node.loc or f.loc, warning=True)
    return task


def _float_to_integer(node: n.Convert) -> bool:
    source, to = node.value.type, node.type
    return isinstance(source, Scalar) and source.is_float and isinstance(to, Scalar) and to.is_integer
