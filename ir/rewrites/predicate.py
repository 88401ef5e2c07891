"""Make every thread of a group reach every collective, as Metal, OpenCL and AMD demand.

Control flow that only some threads take and that holds a barrier (or, for devices without subgroups, a shuffle or vote)
becomes straight code under a mask: `if (tid < 32) { v = shuffle(v); }` turns into `const bool active = tid < 32;
const float other = shuffle(v); if (active) { v = other; }`, and `if (i >= n) return;` into `const bool active = i < n;`
with the rest under `if (active)`. A loop around a collective keeps its header, which every thread then runs, where it
counts alike in all threads, masked ones too. Around subgroup operations, another one is voted on by the group:
`while (more)` turns into `bool active = more; while (group_any(active)) { ...; active = active && more; }`.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from .. import nodes as n
from ..analysis.collectives import Collective, find_collectives
from ..analysis.divergence import divergent_collectives
from ..analysis.uniformity import find_uniformity
from ..analysis.usage import names_used
from ..diagnostics import Diagnostic, Refusal
from ..walk import rewrite_exprs, walk
from .group_vote import group_any
from .masks import MARK, Facts, Masking, Variant
from .pieces import Names

if TYPE_CHECKING:
    from collections.abc import Mapping


def predicate(
    program: n.Program, *, subgroups: bool, block: tuple[int, int, int] | None = None, votes: bool = True
) -> n.Program:
    """Return the program with every collective in control flow that all threads of the group take.

    With `subgroups` only barriers count: the destination's own subgroup operations may stay where a subgroup takes
    them. Without, shuffles, votes and subgroup barriers count too. `block` is the group size, if known. `votes` tells
    that loops may vote, which costs three barriers a round and a word of shared memory. Raises Refusal (GP2003 for
    barriers, GP2004 for subgroup operations) with the lines where that cannot be done: a loop whose trip count differs
    between threads around a barrier of the group, or one that waits for other threads around any collective, or a
    collective in an operand that is not always evaluated.
    """
    kinds = frozenset((Collective.BARRIER,)) if subgroups else frozenset(Collective)
    found = divergent_collectives(program, block, kinds=kinds)
    if not found:
        return program
    divergent = {d.function for d in found}
    taken = {f.name for f in program.functions} | {c.name for c in program.constants} | {program.kernel.name}
    vote = Names(taken.union(*map(names_used, (*program.functions, program.kernel)))).fresh("group_any")
    facts = Facts(find_uniformity(program, block), find_collectives(program), kinds, vote if votes else "")
    variants: dict[str, Variant] = {}
    problems: list[Diagnostic] = []
    kernel = _rewrite(program.kernel, facts, program.kernel.name in divergent, taken, variants, problems)
    # callers stand behind their callees, so going backwards every variant is asked for before its function's turn
    functions: list[n.Function] = []
    for f in reversed(program.functions):
        new = [_rewrite(f, facts, f.name in divergent, taken, variants, problems)]
        if f.name in variants:
            new.append(_rewrite(f, facts, True, taken, variants, problems, variants[f.name]))
        functions += reversed(new)
    if problems:
        raise Refusal(dict.fromkeys(problems))
    functions.append(group_any(vote))
    functions.reverse()
    return _drop_unused(dataclasses.replace(program, kernel=kernel, functions=tuple(functions)))


def _rewrite(
    f: n.Function,
    facts: Facts,
    divergent: bool,
    taken: set[str],
    variants: dict[str, Variant],
    problems: list[Diagnostic],
    variant: Variant | None = None,
) -> n.Function:
    if not divergent:
        return f
    names = names_used(f) | taken
    try:
        masking = Masking(f, facts, names, variant)
        new = masking.run()
    except Refusal as refusal:
        problems += refusal.diagnostics
        return f
    for name, everywhere in masking.asked.items():
        old = variants.get(name)
        if old is None:
            masked = next(c for i in range(1, 1000) if (c := f"{name}_active{'' if i == 1 else i}") not in taken)
            taken.add(masked)
            variants[name] = Variant(masked, everywhere)
        else:
            variants[name] = dataclasses.replace(old, everywhere=old.everywhere & everywhere)
    return _name_variants(new, variants)


def _name_variants(f: n.Function, variants: Mapping[str, Variant]) -> n.Function:
    """Put the variants' names in the calls, which carry the callee's own name and one argument more so far."""

    def name(e: n.Expr) -> n.Expr:
        if isinstance(e, n.Call) and e.function.endswith(MARK):
            return dataclasses.replace(e, function=variants[e.function.removesuffix(MARK)].name)
        return e

    return rewrite_exprs(f, name)


def _drop_unused(program: n.Program) -> n.Program:
    """Leave out the functions that only masked variants have taken the calls of."""
    used: set[str] = set()
    kept: list[n.Function] = []
    for f in (program.kernel, *reversed(program.functions)):
        if f is program.kernel or f.name in used:
            used |= {x.function for x in walk(f.body) if isinstance(x, n.Call)}
            if f is not program.kernel:
                kept.append(f)
    return dataclasses.replace(program, functions=tuple(reversed(kept)))
