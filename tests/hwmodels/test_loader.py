from __future__ import annotations

import math
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest
from gpuport.hwmodels import MachineError, UnknownFact, UnknownMachine, load_machine, machine_names
from gpuport.hwmodels.lint import REQUIRED
from gpuport.hwmodels.loader import architecture_names, builtin_names

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("h100", "h100-sxm"),
        ("H100 SXM5", "h100-sxm"),
        ("NVIDIA H200", "h200"),
        ("4090", "rtx4090"),
        ("GeForce RTX 4090", "rtx4090"),
        ("m4 max", "m4-max"),
        ("M4Max", "m4-max"),
        ("Apple M4", "m4"),
        ("mi300x", "mi300x"),
        ("AMD Instinct MI300X", "mi300x"),
        ("7900 XTX", "rx7900xtx"),
        ("dgx spark", "gb10"),
        ("pocl", "cpu"),
        ("gfx942", "gfx942"),
        ("sm_90", "sm_90"),
        ("hopper", "sm_90"),
    ],
)
def test_names_people_type(typed: str, meant: str) -> None:
    assert load_machine(typed).id == meant


@pytest.mark.parametrize("typed", ["h1000", "gtx 480", "", "m", "9", "apple m9 ultra"])
def test_unknown_name_is_never_a_default(typed: str) -> None:
    with pytest.raises(UnknownMachine) as caught:
        load_machine(typed)
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 2


def test_nearest_names_are_offered() -> None:
    with pytest.raises(UnknownMachine, match="rtx4090"):
        load_machine("rtx4091")


def test_an_architecture_is_not_one_of_its_devices() -> None:
    machine = load_machine("sm_90")
    assert machine.integer("limits.threads_per_unit") == 2048
    assert "sm_90" not in machine_names()
    with pytest.raises(UnknownFact, match=r"sm_90: execution\.compute_units is not stated"):
        machine.value("execution.compute_units")


def test_all_devices_load_and_state_what_is_asked_of_them() -> None:
    names = builtin_names()
    assert len(names) >= 38
    for name in names:
        machine = load_machine(name)
        assert [p for p in REQUIRED if p not in machine.facts()] == []
        for fact in machine.facts().values():
            assert fact.known == (fact.value is not None)
            assert bool(fact.sources) or not fact.known
            assert all(source.title for source in fact.sources)
            assert str(fact)
            assert fact.label in fact.cite()


def test_no_built_in_id_or_folder_is_lost() -> None:
    assert {"nvidia", "amd", "apple", "opencl-gpu", "sm_90", "gfx942", "apple9"} <= set(architecture_names())


@pytest.mark.parametrize(
    ("name", "path", "value"),
    [
        ("h200", "cache.l2.size", 62_914_560),
        ("h100", "shared.per_group_optin", 232_448),
        ("h100", "memory.bandwidth", 3_350_000_000_000),
        ("h100", "rates.matrix.f16.f32", 989_400_000_000_000),
        ("h100", "limits.buffer_args", math.inf),
        ("m4", "shared.per_group", 32_768),
        ("m4", "limits.buffer_args", 31),
        ("m4", "execution.subgroup_widths", (32,)),
        ("m4", "numerics.subnormals_f32", "flushed"),
        ("m4", "features.fp64", False),
        ("m4", "features.forward_progress", False),
        ("mi300x", "execution.subgroup_width", 64),
        ("mi300x", "features.opencl_shuffle", "amdgcn_bpermute"),
        ("mi300x", "dtypes.fp8_encoding", "FNUZ"),
        ("mi300x", "rates.vector.f32", 163_400_000_000_000),
        ("rtx4090", "ops.matrix.f16.f32", 512),
        ("rtx4090", "ops.matrix.f16.f16", 1024),
        ("cpu", "limits.threads_per_group", 4096),
        ("cpu", "execution.subgroup_width", 1),
        ("cpu", "features.fp16", False),
        ("cpu", "features.atomic_f32_global", "cas"),
    ],
)
def test_values(name: str, path: str, value: object) -> None:
    assert load_machine(name).value(path) == value


def test_h200_l2_is_the_drivers_and_keeps_the_sheets() -> None:
    fact = load_machine("h200").fact("cache.l2.size")
    assert (fact.kind, fact.source, str(fact)) == ("driver", "h200probe", "60 MiB")
    assert [(fact.show(c.value), c.source) for c in fact.conflicts] == [("50 MiB", "sess")]


def test_apple_group_limit_is_a_ceiling_until_compiled() -> None:
    fact = load_machine("m4").fact("limits.threads_per_group")
    assert (fact.bound, fact.phase) == ("ceiling", "compiled-kernel")
    assert fact.cite().startswith("at most 1024 threads per group (")


@pytest.mark.parametrize(
    ("name", "path", "rejects", "admits"),
    [
        ("h100", "shared.per_group_optin", True, True),
        ("m4", "limits.threads_per_group", True, False),
        ("h200", "memory.size", False, True),
        ("m4", "clock.boost", False, True),
        ("m4", "cache.l2.size", False, False),
    ],
)
def test_what_a_fact_may_decide(name: str, path: str, rejects: bool, admits: bool) -> None:
    fact = load_machine(name).facts()[path]
    assert (fact.may_reject, fact.may_admit) == (rejects, admits)


def test_unknown_facts_are_errors_unless_a_policy_is_named() -> None:
    machine = load_machine("m4")
    assert machine.facts()["cache.l2.size"].value is None
    with pytest.raises(UnknownFact, match=r"m4: cache\.l2\.size is unknown"):
        machine.value("cache.l2.size")
    assert machine.get("cache.l2.size", 0) == 0
    assert machine.get("tmem.per_unit") is None


@pytest.mark.parametrize("ask", ["value", "get", "fact", "known"])
def test_misspelt_path_is_not_an_unknown_fact(ask: str) -> None:
    with pytest.raises(UnknownFact, match=r"shared.per_grp.*nearest: .*shared.per_group"):
        getattr(load_machine("h200"), ask)("shared.per_grp")


def test_typed_access() -> None:
    machine = load_machine("h200")
    assert machine.integers("limits.group_dim") == (1024, 1024, 64)
    assert machine.texts("dtypes.storage")[0] == "f16"
    with pytest.raises(MachineError, match="unlimited"):
        machine.integer("limits.buffer_args")
    with pytest.raises(MachineError, match="not a number"):
        machine.number("isa.target")
    with pytest.raises(MachineError, match="not a yes or no"):
        machine.flag("clock.boost")
    with pytest.raises(MachineError, match="not text"):
        machine.text("clock.boost")


def test_peak_that_nobody_states_is_derived() -> None:
    fact = load_machine("m4").fact("rates.matrix.f16.f32")
    assert fact.value == 10 * 204 * 1_578_000_000
    assert (fact.kind, fact.source, fact.confidence, fact.verified) == ("derived", "derived", "low", False)
    assert "10 cores x 204 op/clk x 1578 MHz" in fact.locator


def test_derived_matrix_peak_uses_the_matrix_clock() -> None:
    fact = load_machine("l40s").fact("rates.matrix.bf16.f32")
    assert (fact.value, fact.basis) == (142 * 1024 * 2_490_000_000, "matrix")


def test_new_device_in_fifteen_lines(model: Callable[..., Path]) -> None:
    path = model(
        """[sources.apple-m4-ultra]
title = "A sheet"
class = "datasheet"
[execution]
compute_units = { v = "80 core", src = "apple-m4-ultra" }
[memory]
bandwidth = { v = "1092 GB/s", src = "apple-m4-ultra" }
[clock]
boost = { v = "1600 MHz", src = "apple-m4-ultra" }""",
        header='name = "M4 Ultra"\nextends = "apple9"',
    )
    assert len(path.read_text().strip().splitlines()) <= 15
    machine = load_machine(str(path))
    assert (machine.vendor, machine.arch, machine.apis) == ("apple", "apple9", ("metal",))
    assert machine.value("rates.vector.f32") == 80 * 256 * 1_600_000_000
    assert machine.fact("rates.vector.f32").confidence == "low"


def test_override_keeps_what_it_replaced(model: Callable[..., Path]) -> None:
    machine = load_machine(model('[memory]\nbandwidth = { v = "4 TB/s", src = "drv" }'))
    fact = machine.fact("memory.bandwidth")
    assert fact.value == 4_000_000_000_000
    assert [(c.value, c.replaced) for c in fact.conflicts] == [(4_800_000_000_000, "device")]


def test_tighter_than_a_floor_is_no_conflict(model: Callable[..., Path]) -> None:
    machine = load_machine(model('[memory]\nsize = { v = "150 GB", src = "drv" }'))
    assert machine.fact("memory.size").conflicts == ()
    machine = load_machine(model('[memory]\nsize = { v = "100 GB", src = "drv" }', name="less"))
    assert [c.value for c in machine.fact("memory.size").conflicts] == [141_000_000_000]


def test_search_path(model: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    path = model("", header='name = "Mine"\nextends = "h200"\naliases = ["our card"]')
    with pytest.raises(UnknownMachine):
        load_machine("our card")
    monkeypatch.setenv("GPUPORT_HWMODELS", str(path.parent))
    assert load_machine("Our Card").lineage == ("nvidia", "sm_90", "h200")
    assert "mine" in machine_names()


def test_user_config_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "gpuport" / "hwmodels"
    folder.mkdir(parents=True)
    (folder / "x.toml").write_text('schema = "machine/1"\nid = "x1"\nname = "X"\nextends = "m4"\n')
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert load_machine("x1").arch == "apple9"


def test_two_files_of_one_name_are_ambiguous(model: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    path = model("", name="m4", header='name = "Mine"\nextends = "apple9"')
    monkeypatch.setenv("GPUPORT_HWMODELS", str(path.parent))
    with pytest.raises(MachineError, match="'m4' is ambiguous"):
        load_machine("m4")


def test_broken_user_file_hides_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "broken.toml").write_text("id = [")
    monkeypatch.setenv("GPUPORT_HWMODELS", str(tmp_path))
    assert load_machine("h200").id == "h200"
    with pytest.raises(UnknownMachine, match=r"1 file\(s\) cannot be read"):
        load_machine("brokn")


def test_file_edited_on_disk_is_read_again(model: Callable[..., Path]) -> None:
    path = model('[memory]\nbandwidth = { v = "1 TB/s", src = "drv" }')
    assert load_machine(path).value("memory.bandwidth") == 10**12
    time.sleep(0.01)
    model('[memory]\nbandwidth = { v = "2 TB/s", src = "drv" }')
    assert load_machine(path).value("memory.bandwidth") == 2 * 10**12


def test_import_is_light() -> None:
    code = (
        "import sys, gpuport.hwmodels\n"
        "heavy = {'numpy', 'typer', 'rich', 'jinja2', 'pyopencl', 'mlx', 'cupy'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
