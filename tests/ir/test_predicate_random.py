"""Random kernels compute the same before and after predication, and then every thread reaches every collective."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import ir_randoms
import pytest
from gpuport.ir.analysis.collectives import Collective
from gpuport.ir.analysis.divergence import divergent_collectives, statements
from gpuport.ir.analysis.uniformity import Level, find_uniformity
from gpuport.ir.diagnostics import Refusal
from gpuport.ir.printer import show_program
from gpuport.ir.rewrites.predicate import predicate
from gpuport.ir.validate import validate
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st
from ir_threads import Diverged, Trace, run

if TYPE_CHECKING:
    from gpuport.ir import nodes as n

THREADS = ir_randoms.THREADS


ARGS = {"x": [(i * 7) % 13 for i in range(THREADS)], "y": [i % 3 for i in range(THREADS)], "n": 7}
SEEDS = st.integers(0, 10**6)
QUIET = settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.filter_too_much])


def made(seed: int, *, warp_loops: bool = False) -> n.Program:
    program = ir_randoms.Maker(seed, warp_loops=warp_loops).program()
    validate(program)
    return program


def values(program: n.Program, trace: Trace | None = None) -> dict[str, Any]:
    """What a program computes, if CUDA allows it."""
    try:
        return run(program, ARGS, THREADS, groups=2, trace=trace)
    except Diverged:
        assume(False)
        raise


@pytest.mark.parametrize("subgroups", [False, True])
@QUIET
@given(seed=SEEDS)
@example(seed=818)
def test_same_values(seed: int, subgroups: bool) -> None:
    same_values(made(seed), subgroups=subgroups)


@QUIET
@given(seed=SEEDS)
def test_same_values_in_loops_of_warps(seed: int) -> None:
    same_values(made(seed, warp_loops=True), subgroups=False)


def test_loops_of_warps_are_ported() -> None:
    voted = 0
    for seed in range(40):
        with contextlib.suppress(Refusal):
            voted += "group_any(" in show_program(predicate(made(seed, warp_loops=True), subgroups=False))
    assert voted >= 5


def same_values(program: n.Program, *, subgroups: bool) -> None:
    kinds = frozenset((Collective.BARRIER,)) if subgroups else frozenset(Collective)
    assume(divergent_collectives(program, kinds=kinds) != [])
    expected = values(program)
    try:
        ported = predicate(program, subgroups=subgroups)
    except Refusal:
        assume(False)
        raise
    validate(ported)
    assert divergent_collectives(ported, kinds=kinds) == [], show_program(ported)
    got = run(ported, ARGS, THREADS, strict="barriers" if subgroups else "all", groups=2)
    assert got["y"] == expected["y"], show_program(program) + "\n" + show_program(ported)


@QUIET
@given(seed=SEEDS)
def test_without_divergence_nothing_changes(seed: int) -> None:
    program = made(seed)
    assume(divergent_collectives(program) == [])
    assert predicate(program, subgroups=True) is program


@QUIET
@given(seed=SEEDS)
def test_uniform_values_are_uniform(seed: int) -> None:
    trace: Trace = {}
    program = made(seed)
    values(program, trace)
    uniformity = find_uniformity(program)
    for s in statements(program.kernel.body):
        if uniformity.control(s).divergent or uniformity.level(s) is Level.THREAD:
            continue
        for group in range(2):
            runs = trace.get((id(s), group), {}).values()
            longest = max(runs, key=len, default=[])
            for got in runs:
                assert got == longest[: len(got)], f"{s}\n{show_program(program)}"
            if uniformity.level(s) is Level.GRID and longest and (other := trace.get((id(s), 1 - group))):
                first = max(other.values(), key=len)
                assert longest[0] == first[0], f"{s}\n{show_program(program)}"
