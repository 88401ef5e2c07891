"""Which mutants are no defects: what can be shown without running them, for every size that the spec allows."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ....ir import nodes as n
from ....ir.walk import children, rebuild, walk
from .values import Domain, Shape, Unknown

if TYPE_CHECKING:
    from ....hwmodels import Machine
    from ...spec.kernel import Kernel
    from .plant import Mutant


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a port beside its program, at every size."""

    kernel: Kernel
    dst: Machine
    shape: Shape


def same_by_proof(m: Mutant, program: n.Program, facts: Facts) -> str:
    """Say why a mutant of `program` does the same, or nothing that is wrong; empty if that cannot be shown."""
    return next((reason for shown in _PROOFS if (reason := shown(m, program, facts))), "")


def _short_index(m: Mutant, _p: n.Program, facts: Facts) -> str:
    cut = re.search(r"^\+.*?(\w+)\[[^\]]*& 255", m.change, re.MULTILINE)
    arg = facts.kernel.args.get(cut[1]) if cut and m.operator == "index cut to 8 bits" else None
    if arg is None or not arg.is_buffer or any(e.names for e in arg.shape or ()):
        return ""
    few = math.prod(e.evaluate({}) for e in arg.shape or ()) <= 1 << 8
    return "the buffer has no more than 256 elements at any size" if few else ""


def _one_subgroup(m: Mutant, _p: n.Program, facts: Facts) -> str:
    one = m.operator == "barrier of the subgroup only" and 0 < math.prod(facts.shape.block) <= facts.shape.width
    return "a group is one subgroup" if one else ""


def _flushing(m: Mutant, _p: n.Program, facts: Facts) -> str:
    flushes = m.operator == "subnormals flushed" and facts.dst.get("numerics.subnormals_f32", "kept") == "flushed"
    return "the destination itself flushes subnormals" if flushes else ""


def _same_loop(m: Mutant, program: n.Program, facts: Facts) -> str:
    """The counter of a changed loop takes the same values in every thread."""
    loop = m.place.loop if m.place else None
    if m.place is None or loop is None:
        return ""
    changed = [b for a, b in zip(_loops(program), _loops(m.program), strict=False) if a is loop]
    above = m.place.parents[: next(i for i, x in enumerate(m.place.parents) if x is loop)]
    try:
        before, after = (Domain(program, facts.shape, m.place.function, above).trips(x) for x in (loop, changed[0]))
    except (Unknown, IndexError):
        return ""
    same = len(before) == len(after) and all(
        np.array_equal(np.where(p, v, 0), np.where(q, w, 0)) and np.array_equal(p, q)
        for (v, p), (w, q) in ((_spread(*x), _spread(*y)) for x, y in zip(before, after, strict=True))
    )
    return "the loop runs for the same values in every thread" if same else ""


def _spread(values: Any, active: Any) -> tuple[Any, Any]:
    return values.reshape(-1), active.reshape(-1)


def _same_value(m: Mutant, program: n.Program, facts: Facts) -> str:
    """A changed expression has the same value in every thread, or what is added or taken out never runs or always."""
    # a loop's condition is asked once more than its counter has values
    if m.place is None or m.place.loop is not None:
        return ""
    domain = Domain(program, facts.shape, m.place.function, m.place.parents)
    old, new = m.place.node, m.new
    if isinstance(new, list):
        match old, new:
            case n.If(other=()), [n.Block()] if domain.always(old.cond) is True:
                return "the condition always holds"
            case _, [n.If(then=(n.Return(),), other=()) as added, same] if same is old:
                return "the added condition never holds" if domain.always(added.cond) is False else ""
            case _:
                return ""
    for parent in reversed(m.place.parents):
        if domain.equal(old, new):
            return "the expression has the same value in every thread"
        if isinstance(parent, n.Statement | n.Function) or sum(c is old for c in children(parent)) != 1:
            return ""
        changed = rebuild(parent, lambda c, old=old, new=new: new if c is old else c)
        old, new = parent, changed
    return ""


def _same_pointer(m: Mutant, _p: n.Program, _facts: Facts) -> str:
    """A pointer stands under another of its names."""
    if m.place is None or not isinstance(m.place.node, n.Var) or not isinstance(m.new, n.Var):
        return ""
    first, second = (_pointer(v.name, m.place.function) for v in (m.place.node, m.new))
    return "it is another name of the same pointer" if first and first == second else ""


def _pointer(name: str, f: n.Function) -> str:
    """The parameter that a name holds all the time, cast or not; empty if it holds another pointer, or may change."""
    declared = [x for x in walk(f) if isinstance(x, n.Declare) and x.name == name]
    places = [
        x.target if isinstance(x, n.Assign) else x.memory for x in walk(f) if isinstance(x, n.Assign | n.AddressOf)
    ]
    if any(isinstance(place, n.Var) and place.name == name for place in places):
        return ""
    if name in [p.name for p in f.params]:
        return "" if declared else name
    value = declared[0].init if len(declared) == 1 else None
    while isinstance(value, n.PointerCast):
        value = value.pointer
    return _pointer(value.name, f) if isinstance(value, n.Var) and value.name != name else ""


def _loops(program: n.Program) -> list[n.For]:
    return [x for f in (*program.functions, program.kernel) for x in walk(f) if isinstance(x, n.For)]


_PROOFS: Final = (_short_index, _one_subgroup, _flushing, _same_loop, _same_value, _same_pointer)
