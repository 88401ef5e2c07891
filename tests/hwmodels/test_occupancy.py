from __future__ import annotations

import pytest
from gpuport.hwmodels import MachineError, load_machine
from gpuport.hwmodels.occupancy import Usage, occupancy
from hypothesis import given
from hypothesis import strategies as st

KIB = 1024


@pytest.mark.parametrize(
    ("name", "usage", "groups", "percent", "limiters"),
    [
        ("sm_90", Usage(256, 128, shared_dynamic=64 * KIB), 2, 25, {"registers"}),
        ("sm_80", Usage(256, 128, shared_dynamic=64 * KIB), 2, 25, {"registers", "shared"}),
        ("sm_120", Usage(256, 128, shared_dynamic=64 * KIB), 1, 17, {"shared"}),
        ("gfx942", Usage(256, 128, shared=32 * KIB), 2, 25, {"shared"}),
        ("gfx950", Usage(256, 128, shared=32 * KIB), 4, 50, {"shared", "registers"}),
        ("gfx1100", Usage(256, 96, shared=32 * KIB, wave=32), 4, 50, {"shared"}),
        ("m1", Usage(256, 32, shared=16 * KIB), 3, 25, {"shared"}),
    ],
)
def test_worked_numbers(name: str, usage: Usage, groups: int, percent: int, limiters: set[str]) -> None:
    got = occupancy(load_machine(name), usage)
    assert (got.groups, set(got.limiters)) == (groups, limiters)
    assert got.fraction is not None
    assert round(100 * got.fraction) == percent


# Mesa src/asahi/compiler/agx_performance.c: half registers -> threads resident on a core.
ASAHI = {104: 1024, 112: 896, 128: 832, 136: 768, 144: 704, 160: 640, 184: 576, 208: 512, 232: 448, 256: 384}


@pytest.mark.parametrize(("halves", "threads"), ASAHI.items())
def test_apple7_register_table(halves: int, threads: int) -> None:
    got = occupancy(load_machine("m1"), Usage(32, halves // 2))
    assert got.limits["registers"] * 32 == threads
    assert got.confidence == "low"


def test_apple7_small_kernels_fill_the_core() -> None:
    assert occupancy(load_machine("m2-ultra"), Usage(1024, 16)).fraction == 1.0


def test_apple7_register_pressure_lowers_the_group_limit() -> None:
    assert occupancy(load_machine("m1"), Usage(1024, 128)).groups == 0
    assert occupancy(load_machine("m1"), Usage(384, 128)).groups == 1


@pytest.mark.parametrize("name", ["m4", "m3-max", "m5", "cpu", "arc-b580", "mali-valhall"])
def test_unknown_rules_say_why(name: str) -> None:
    got = occupancy(load_machine(name), Usage(256, 32))
    assert (got.groups, got.fraction, got.rule) == (None, None, "none")
    assert len(got.reason) > len(load_machine(name).name) + 5


def test_cdna_registers() -> None:
    for name, registers, accumulators, waves in (
        ("gfx942", 64, 0, 8),
        ("gfx942", 65, 0, 7),
        ("gfx942", 128, 0, 4),
        ("gfx942", 128, 128, 2),
        ("gfx942", 512, 0, 1),
        ("gfx942", 513, 0, 0),
        ("gfx908", 24, 0, 10),
        ("gfx908", 25, 0, 9),
        ("gfx908", 128, 128, 2),
        ("gfx908", 256, 256, 1),
        ("gfx908", 128, 200, 1),
    ):
        got = occupancy(load_machine(name), Usage(64, registers, accumulators=accumulators))
        assert got.limits["registers"] == waves * 4, (name, registers, accumulators)


@pytest.mark.parametrize(("scalars", "waves"), [(80, 10), (88, 9), (100, 8), (102, 7)])
def test_scalar_registers_limit_gfx908_only(scalars: int, waves: int) -> None:
    usage = Usage(64, 8, scalar_registers=scalars)
    assert occupancy(load_machine("gfx908"), usage).limits["scalar registers"] == waves * 4
    assert "scalar registers" not in occupancy(load_machine("gfx942"), usage).limits


def test_rdna_wave_sizes() -> None:
    machine = load_machine("gfx1100")
    assert occupancy(machine, Usage(256, 96, wave=32)).limits["registers"] == 16 * 4 // 8
    assert occupancy(machine, Usage(256, 96, wave=64)).limits["registers"] == 8 * 4 // 4
    with pytest.raises(MachineError, match="no wave32"):
        occupancy(load_machine("gfx942"), Usage(256, 96, wave=32))


def test_one_wave_needs_no_barrier_slot() -> None:
    assert "barriers" not in occupancy(load_machine("gfx942"), Usage(64, 8)).limits
    assert occupancy(load_machine("gfx942"), Usage(128, 8)).limits["barriers"] == 16


@pytest.mark.parametrize("bad", [{"threads": 0}, {"threads": -1}, {"threads": 32, "registers": -1}])
def test_impossible_usage(bad: dict[str, int]) -> None:
    with pytest.raises(MachineError):
        Usage(**bad)


MACHINES = {
    name: load_machine(name) for name in ("v100", "t4", "h200", "rtx4090", "mi100", "mi300x", "rx7900xtx", "m1")
}
USAGES = st.builds(
    Usage,
    threads=st.integers(1, 2048),
    registers=st.integers(0, 300),
    shared=st.integers(0, 48 * KIB),
    shared_dynamic=st.integers(0, 256 * KIB),
    barriers=st.integers(0, 16),
)


@given(st.sampled_from(sorted(MACHINES)), USAGES)
def test_occupancy_is_within_bounds(name: str, usage: Usage) -> None:
    machine = MACHINES[name]
    got = occupancy(machine, usage)
    assert got.groups is not None
    assert got.fraction is not None
    assert 0 <= got.fraction <= 1
    assert got.groups == min(got.limits.values())
    assert got.limiters
    if got.groups:
        assert usage.threads <= machine.integer("limits.threads_per_group")
        assert usage.shared + usage.shared_dynamic <= machine.integer("shared.per_group_optin")


@given(st.sampled_from(sorted(MACHINES)), USAGES, st.integers(0, 64), st.integers(0, 8192))
def test_more_resources_never_raise_occupancy(name: str, usage: Usage, registers: int, shared: int) -> None:
    more = Usage(usage.threads, usage.registers + registers, usage.shared + shared, usage.shared_dynamic)
    less = Usage(usage.threads, usage.registers, usage.shared, usage.shared_dynamic)
    machine = MACHINES[name]
    a, b = occupancy(machine, less).groups, occupancy(machine, more).groups
    assert a is not None
    assert b is not None
    assert b <= a
