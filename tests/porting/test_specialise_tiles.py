"""Other tile sizes come in the order of their resources, smaller only."""

from __future__ import annotations

from math import prod

from gpuport.ir.diagnostics import Diagnostic
from gpuport.porting.specialise import alternatives, rechosen
from hypothesis import given
from hypothesis import strategies as st


def test_order() -> None:
    found = list(alternatives({"TILE": 32, "PAD": 1, "K": 8}, {"TILE", "K"}))
    assert found[0] == {"TILE": 16, "PAD": 1, "K": 8}
    assert found[1] == {"TILE": 32, "PAD": 1, "K": 4}
    assert found[-1] == {"TILE": 1, "PAD": 1, "K": 1}


def test_no_power_of_two_goes_to_the_next_below() -> None:
    assert [a["B"] for a in alternatives({"B": 96}, {"B", "absent"})] == [64, 32, 16, 8, 4, 2, 1]


@given(st.dictionaries(st.sampled_from("abcd"), st.integers(1, 300), min_size=1), st.sets(st.sampled_from("abcd")))
def test_properties(values: dict[str, int], tied: set[str]) -> None:
    found = list(alternatives(values, tied))
    assert values not in found
    assert len({tuple(sorted(a.items())) for a in found}) == len(found)
    products = [prod(a[name] for name in tied & values.keys()) for a in found]
    assert products == sorted(products, reverse=True)
    for a in found:
        assert a.keys() == values.keys()
        for name, v in a.items():
            assert v == values[name] or (name in tied and v < values[name] and v & (v - 1) == 0)


def test_record() -> None:
    d = rechosen({"T": 32, "B": 8}, {"T": 16, "B": 8}, [Diagnostic("GP2002", "a group needs too much")])
    assert str(d) == "T is 16 instead of 32: a group needs too much"
