from __future__ import annotations

from pathlib import Path

import pytest
from gpuport.hwmodels import load_machine
from gpuport.hwmodels.lint import Finding, lint_all, lint_machine, lint_names, lint_paths

FIXTURES = Path(__file__).parent / "fixtures"

# File -> (rule, fact) pairs that lint must find. The public errors are those of the project's survey.
BROKEN = {
    "cccl-sm100": [("identity", "isa.compute_capability")],
    "iree-sm86-shared": [("shared", "shared.per_group_optin"), ("layers", "shared.per_group_optin")],
    "optin-without-reserve": [("shared", "shared.per_group_optin")],
    "iree-ampere-z": [("layers", "limits.group_dim")],
    "tvm-metal-warp": [("layers", "execution.subgroup_width"), ("residency", "execution.subgroup_width")],
    "pytorch-h100-sparse": [("peak", f"rates.matrix.{t}.f32") for t in ("bf16", "fp8", "tf32")],
    "pytorch-l4-bandwidth": [("pin rate", "memory.bandwidth")],
    "torchao-rtx5090": [("pin rate", "memory.bandwidth")],
    "torchao-b200": [("bandwidth", "memory.bandwidth")],
    "kernelbench-a10g": [("carve-out", "shared.carveouts"), ("layers", "limits.groups_per_unit")],
    "kernelbench-t4": [("bandwidth", "memory.bandwidth")],
    "kernelbench-h100-sparsity": [("peak", "rates.matrix.f16.f32")],
    "mojo-turing": [("residency", "limits.threads_per_unit"), ("layers", "registers.per_group")],
    "mojo-sm89-units": [("layers", "execution.compute_units")],
    "hip-mi300x-properties": [
        ("registers", "registers.per_unit"),
        ("layers", "limits.groups_per_unit"),
        ("layers", "limits.constant_memory"),
        ("layers", "shared.per_unit"),
    ],
    "hip-rdna-units": [("peak", "rates.vector.f32")],
    "hip-mi300x-memory-clock": [("measured", "measured.bandwidth.stream")],
    "nvidia-l40s-int4": [("peak", "rates.matrix.i4.i32")],
    "hmc-pro6000": [("peak", "rates.matrix.f16.f32"), ("measured", "measured.rate.matrix.bf16.f32")],
    "sparse-too-fast": [("sparse", "rates.matrix_sparse.f16.f32")],
    "fp8-slower": [("fp8", "rates.matrix.fp8.f32")],
    "latency-order": [("latency", "measured.latency.l1")],
    "incomplete": [("missing", "memory.bandwidth")],
}


def errors(findings: list[Finding]) -> set[tuple[str, str]]:
    return {(f.rule, path) for f in findings if f.severity == "error" for path in f.paths}


def test_every_fixture_is_listed() -> None:
    assert {p.stem for p in FIXTURES.glob("*.toml")} == set(BROKEN)


@pytest.mark.parametrize("name", BROKEN)
def test_lint_finds_what_is_wrong(name: str) -> None:
    assert set(BROKEN[name]) <= errors(lint_machine(load_machine(FIXTURES / f"{name}.toml")))


def test_shipped_models_are_clean() -> None:
    count, findings = lint_all()
    assert count >= 60
    assert [str(f) for f in findings if f.severity == "error"] == []


def test_recorded_contradiction_is_acknowledged() -> None:
    # NVIDIA's L40S sheet prints INT4 = INT8; the shipped file keeps the sheet's number and says what it contradicts.
    notes = [f for f in lint_machine(load_machine("l40s")) if f.severity == "note"]
    assert [f.paths for f in notes] == [("rates.matrix.i4.i32",)]


def test_unreadable_file_is_a_finding(tmp_path: Path) -> None:
    (tmp_path / "bad.toml").write_text("not toml at all [")
    count, findings = lint_paths([tmp_path / "bad.toml"])
    assert count == 1
    assert [f.rule for f in findings] == ["file"]


def test_aliases_mean_one_machine() -> None:
    assert lint_names() == []


def test_alias_that_means_two_machines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = 'schema = "machine/1"\nid = "mine"\nname = "Mine"\nextends = "h200"\naliases = ["h100"]\n'
    (tmp_path / "mine.toml").write_text(text)
    monkeypatch.setenv("GPUPORT_HWMODELS", str(tmp_path))
    assert [f.rule for f in lint_names()] == ["names"]
