from __future__ import annotations

import math

import pytest
from gpuport.hwmodels.units import CANONICAL, UNITS, UnitError, parse_quantity, parse_unit, show_scalar, show_value
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("text", "unit", "value"),
    [
        ("48 KiB", "B", 49152),
        ("1.5 GiB", "B", 1610612736),
        ("141 GB", "B", 141_000_000_000),
        ("3350 GB/s", "B/s", 3_350_000_000_000),
        ("1230 GiB/s", "B/s", 1230 * 2**30),
        ("1980 MHz", "Hz", 1_980_000_000),
        ("989.4 Top/s", "op/s", 989_400_000_000_000),
        ("1024 threads", "thread", 1024),
        ("132 SM", "count", 132),
        ("39.3 us", "s", 39.3e-6),
        ("1.792e15 B/s", "B/s", 1_792_000_000_000_000),
        ("unlimited", "count", math.inf),
    ],
)
def test_quantities(text: str, unit: str, value: float) -> None:
    got, _ = parse_quantity(text, unit)
    assert got == pytest.approx(value, rel=1e-12)
    assert isinstance(got, type(value))


@pytest.mark.parametrize(
    ("text", "unit", "complaint"),
    [
        ("1024 thread", "B", "wrong unit 'thread'; expected B"),
        ("48 KB", "B", "KB is ambiguous"),
        ("48", "B", "no quantity"),
        ("fast", "op/s", "no quantity"),
        ("3 parsec", "B", "unknown unit 'parsec'"),
        ("1 GHz", "B/s", "wrong unit 'GHz'; expected B/s"),
    ],
)
def test_refused(text: str, unit: str, complaint: str) -> None:
    with pytest.raises(UnitError, match=complaint):
        parse_quantity(text, unit)


@given(st.sampled_from(sorted(UNITS)), st.integers(0, 10**9))
def test_scaling_is_exact_for_whole_numbers(unit: str, number: int) -> None:
    canonical, factor = UNITS[unit]
    value, _ = parse_quantity(f"{number} {unit}", canonical)
    assert value == pytest.approx(number * factor)
    if factor >= 1:
        assert isinstance(value, int)


@given(st.sampled_from([u for u in CANONICAL if u not in ("count", "s")]), st.integers(1, 10**15))
def test_what_is_shown_reads_back(unit: str, value: int) -> None:
    shown = show_scalar(value, unit, ops="op").replace(",", "")
    back, _ = parse_quantity(shown, unit)
    assert back == pytest.approx(value, rel=1e-3)


@given(st.sampled_from([("B", "op/s"), ("Hz", "B"), ("thread", "lane"), ("s", "cycle")]))
def test_dimensions_do_not_mix(pair: tuple[str, str]) -> None:
    with pytest.raises(UnitError, match="wrong unit"):
        parse_unit(*pair)


def test_shown() -> None:
    assert show_scalar(62914560, "B") == "60 MiB"
    assert show_scalar(132644864, "B") == "126.5 MiB"
    assert show_scalar(32764, "B") == "32,764 B"
    assert show_scalar(989.4e12, "op/s", ops="FLOP") == "989.4 TFLOP/s"
    assert show_scalar(1.578e9, "Hz") == "1578 MHz"
    assert show_value((1024, 1024, 64), "thread") == "1024 x 1024 x 64 threads"
    assert show_value(None, "B") == "unknown"
    assert show_scalar(math.inf, "count") == "unlimited"
