"""Random kernels compute the same before and after predication, and then every thread reaches every collective."""

from __future__ import annotations

import ir_randoms
import pytest
from hypothesis import HealthCheck, assume, event, given, settings
from hypothesis import strategies as st
from ir_threads import Diverged, run

from gpuport.ir.analysis.collectives import Collective
from gpuport.ir.analysis.divergence import divergent_collectives
from gpuport.ir.diagnostics import Refusal
from gpuport.ir.printer import show_program
from gpuport.ir.rewrites.predicate import predicate
from gpuport.ir.validate import validate

THREADS = ir_randoms.THREADS


@pytest.mark.parametrize("subgroups", [False, True])
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_same_values(data: st.DataObject, subgroups: bool) -> None:
    program = ir_randoms.Maker(data).program()
    validate(program)
    args = {"x": [(i * 7) % 13 for i in range(THREADS)], "y": [i % 3 for i in range(THREADS)], "n": 7}
    try:
        expected = run(program, args, THREADS, groups=2)
    except Diverged:
        assume(False)
    try:
        ported = predicate(program, subgroups=subgroups)
    except Refusal as refusal:
        event("refused " + ",".join(sorted({d.number for d in refusal.diagnostics})))
        return
    event("same" if ported is program else "rewritten")
    validate(ported)
    kinds = frozenset((Collective.BARRIER,)) if subgroups else frozenset(Collective)
    assert divergent_collectives(ported, kinds=kinds) == [], show_program(ported)
    try:
        got = run(ported, args, THREADS, strict="barriers" if subgroups else "all", groups=2)
    except (Diverged, AssertionError, RuntimeError, KeyError) as error:
        pytest.fail(f"{error!r}\n{show_program(program)}\n{show_program(ported)}")
    assert got["y"] == expected["y"], show_program(program) + "\n" + show_program(ported)
