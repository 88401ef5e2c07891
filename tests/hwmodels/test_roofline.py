from __future__ import annotations

import pytest
from gpuport.hwmodels import MachineError, UnknownFact, load_machine
from gpuport.hwmodels.roofline import achieved, ridge, roofline
from hypothesis import given
from hypothesis import strategies as st

H100 = load_machine("h100")


def test_memory_bound_copy() -> None:
    got = roofline(H100, 3.35e12, {})
    assert got.seconds == pytest.approx(1.0)
    assert (got.bound, got.compute_time, got.ridge) == ("memory", 0.0, None)


def test_compute_bound_product() -> None:
    got = roofline(H100, 1e9, {"matrix.f16.f32": 989.4e12})
    assert got.seconds == pytest.approx(1.0)
    assert got.bound == "compute"
    assert got.ridge == pytest.approx(989.4e12 / 3.35e12)
    assert [f.path for f in got.facts] == ["memory.bandwidth", "rates.matrix.f16.f32"]


def test_port_distance_table() -> None:
    # Ridge points in FLOP/B, f16 matrix with f32 accumulation, as the project's survey tabulates them.
    table = {"v100": 139, "a100": 153, "l4": 403, "rtx4090": 164, "h100": 295, "h200": 206, "mi300x": 247, "m1": 31}
    table |= {"m4": 27, "m4-max": 24, "m5": 105, "mi355x": 312, "b200": 293, "gb10": 459, "strix-halo": 232}
    for name, expected in table.items():
        assert ridge(load_machine(name), "matrix.f16.f32") == pytest.approx(expected, abs=0.75), name


def test_several_engines_add_up() -> None:
    got = roofline(H100, 0, {"vector.f32": 66.9e12, "matrix.f16.f32": 989.4e12})
    assert got.seconds == pytest.approx(2.0)
    assert "engines run one after another" in got.assumptions


def test_measured_rates_on_request() -> None:
    h200 = load_machine("h200")
    got = roofline(h200, 4.273e12, {"matrix.bf16.f32": 694e12 / 2}, measured=True)
    assert got.memory_time == pytest.approx(1.0)
    assert got.compute_time == pytest.approx(0.5)
    assert {f.kind for f in got.facts} == {"measured"}


def test_what_is_assumed_is_said() -> None:
    got = roofline(load_machine("m4"), 1e9, {"vector.f32": 1e9})
    assert got.confidence == "low"
    assert any("rates.vector.f32 is unverified" in line for line in got.assumptions)


def test_unknown_peaks_are_errors() -> None:
    with pytest.raises(UnknownFact, match=r"m4: no peak is known for matrix.fp8.f32; known: .*matrix.f16.f32"):
        roofline(load_machine("m4"), 0, {"matrix.fp8.f32": 1.0})
    with pytest.raises(UnknownFact, match=r"cpu: memory\.bandwidth is unknown"):
        roofline(load_machine("cpu"), 1.0, {})
    with pytest.raises(UnknownFact, match=r"rates.matrix.f99"):
        roofline(H100, 0, {"matrix.f99.f32": 1.0})
    with pytest.raises(MachineError, match="negative"):
        roofline(H100, -1.0, {})


def test_achieved_fractions_are_the_machines_own() -> None:
    got = achieved(load_machine("h200"))
    assert got["measured.bandwidth.copy"] == pytest.approx(4273 / 4800)
    assert got["measured.rate.vector.f32"] == pytest.approx(64.98 / 66.9)
    assert all(0 < fraction <= 1.02 for fraction in got.values())
    assert achieved(load_machine("m4")) == {}


@given(st.floats(0, 1e15), st.floats(0, 1e18), st.floats(1, 8))
def test_more_work_never_takes_less_time(size: float, operations: float, more: float) -> None:
    less = roofline(H100, size, {"vector.f32": operations})
    assert roofline(H100, size * more, {"vector.f32": operations}).seconds >= less.seconds
    assert roofline(H100, size, {"vector.f32": operations * more}).seconds >= less.seconds
    assert less.seconds == max(less.memory_time, less.compute_time)
