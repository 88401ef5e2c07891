from __future__ import annotations

import pytest
from gpuport.hwmodels import load_machine
from gpuport.hwmodels.compare import TIERS, Change, compare


def changes(a: str, b: str) -> dict[str, Change]:
    return {c.path: c for c in compare(load_machine(a), load_machine(b))}


def test_h100_to_m4() -> None:
    found = changes("h100", "m4")
    breaks = {path for path, c in found.items() if c.tier == "breaks"}
    assert {
        *("features.fp64", "features.forward_progress", "features.tma", "features.cluster", "features.wgmma"),
        *("numerics.subnormals_f32", "numerics.contract", "features.atomic_f32_shared", "dtypes.storage"),
    } <= breaks
    limits = {path for path, c in found.items() if c.tier == "limits"}
    assert {"shared.per_group_optin", "limits.buffer_args", "shared.per_group"} <= limits
    matrix = found["rates.matrix.f16.f32"]
    assert matrix.tier == "speed"
    assert matrix.ratio == pytest.approx(1 / 307, rel=0.01)
    assert found["memory.bandwidth"].ratio == pytest.approx(1 / 27.9, rel=0.01)
    assert (found["shared.per_group_optin"].source, found["shared.per_group_optin"].destination) == (
        "227 KiB",
        "32 KiB",
    )
    assert found["dtypes.storage"].source == "f64"
    ridge = found["ridge.matrix.f16.f32"]
    assert (ridge.source, ridge.destination) == ("295 FLOP/B", "26.8 FLOP/B")


def test_subgroup_width_comes_first_where_it_changes() -> None:
    ordered = compare(load_machine("h100"), load_machine("mi300x"))
    assert ordered[0].path == "execution.subgroup_width"
    assert {c.path for c in ordered[:3]} >= {"dtypes.fp8_encoding"}


def test_what_is_gained_breaks_nothing() -> None:
    found = changes("m4", "h100")
    assert found["features.fp64"].tier == "other"
    assert found["shared.per_group_optin"].tier == "other"
    assert found["limits.grid_dim"].tier == "limits"


def test_order_is_by_tier_then_weight() -> None:
    ordered = compare(load_machine("rtx4090"), load_machine("m5-max"))
    keys = [(TIERS.index(c.tier), -c.weight) for c in ordered]
    assert keys == sorted(keys)


@pytest.mark.parametrize("name", ["h200", "cpu", "mali-valhall", "gfx942"])
def test_a_machine_does_not_differ_from_itself(name: str) -> None:
    assert compare(load_machine(name), load_machine(name)) == []


def test_unknown_is_said_to_be_unknown() -> None:
    found = changes("h100", "cpu")
    assert found["memory.bandwidth"].destination == "unknown"
    assert found["memory.bandwidth"].ratio is None
    assert found["features.subgroups"].tier == "breaks"
