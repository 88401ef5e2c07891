from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest
from gpuport.hwmodels import MachineError, load_machine
from gpuport.hwmodels.lint import lint_machine
from gpuport.hwmodels.loader import builtin_names
from gpuport.hwmodels.probe import (
    Probe,
    Reading,
    contradictions,
    cuda,
    find_base,
    instance_text,
    mlx,
    pocl,
    probe,
    write_instance,
)
from gpuport.hwmodels.probe.readings import read_fact, written
from gpuport.hwmodels.probe.timing import median_of, median_wall

if TYPE_CHECKING:
    from pathlib import Path

DAY = datetime(2026, 1, 2, tzinfo=UTC)

# What the driver of an H200 says (read through CuPy 14.2 on driver 580), as far as the probe uses it.
H200 = {
    "ClockRate": 1980000,
    "MemoryClockRate": 3201000,
    "GlobalMemoryBusWidth": 6016,
    "L2CacheSize": 62914560,
    "MaxBlockDimX": 1024,
    "MaxBlockDimY": 1024,
    "MaxBlockDimZ": 64,
    "MaxBlocksPerMultiprocessor": 32,
    "MaxGridDimX": 2147483647,
    "MaxGridDimY": 65535,
    "MaxGridDimZ": 65535,
    "MaxRegistersPerBlock": 65536,
    "MaxRegistersPerMultiprocessor": 65536,
    "MaxSharedMemoryPerBlock": 49152,
    "WarpSize": 32,
    "Integrated": 0,
    "MaxSharedMemoryPerBlockOptin": 232448,
    "MaxSharedMemoryPerMultiprocessor": 233472,
    "MaxThreadsPerBlock": 1024,
    "MaxThreadsPerMultiProcessor": 2048,
    "MultiProcessorCount": 132,
    "ReservedSharedMemoryPerBlock": 1024,
    "TotalConstantMemory": 65536,
}


def test_h200_driver_and_model_agree() -> None:
    readings, corrections = cuda._limits(H200, 150109880320)  # pyright: ignore[reportPrivateUsage]
    machine = load_machine("h200")
    differing = [r.path for r in readings if read_fact(r).value != machine.get(r.path)]
    assert differing == ["memory.size"]
    assert read_fact(readings[-3]).path in ("limits.grid_dim", "memory.size", "memory.unified", "memory.clock")
    assert any("ClockRate" in line for line in corrections)


def sample(**changes: str) -> Probe:
    values = {"cache.l2.size": "60 MiB", "memory.bandwidth": "4.8 TB/s", **changes}
    readings = [Reading(path, value) for path, value in values.items()]
    readings.append(Reading("measured.bandwidth.copy", "3 TB/s", "measured", note='said "so"'))
    return Probe("NVIDIA H200", "cuda", "driver 1", tuple(readings), {"cc": "9.0"})


def test_instance_says_only_what_is_new(tmp_path: Path) -> None:
    text = instance_text(sample(), "h200", "mine", DAY)
    assert "l2.size" not in text
    assert "2026-01-02" in text
    machine = write_instance(tmp_path / "mine.toml", text)
    assert (machine.layer, machine.lineage) == ("instance", ("nvidia", "sm_90", "h200"))
    assert machine.fact("measured.bandwidth.copy").kind == "measured"
    assert load_machine(tmp_path / "mine.toml").facts().keys() == machine.facts().keys()


def test_contradictions_are_kept_and_told(tmp_path: Path) -> None:
    text = instance_text(sample(**{"cache.l2.size": "50 MiB"}), "h200", "mine", DAY)
    machine = write_instance(tmp_path / "mine.toml", text)
    fact = machine.fact("cache.l2.size")
    assert (fact.kind, fact.value) == ("driver", 50 * 2**20)
    assert [(c.value, c.replaced) for c in fact.conflicts if c.replaced] == [(60 * 2**20, "device")]
    told = {f.path: was for f, was in contradictions(machine)}
    assert told == {"cache.l2.size": "60 MiB (h200probe)", "measured.bandwidth.copy": "4.273 TB/s (h200probe)"}
    assert [f for f in lint_machine(machine) if f.severity == "error"] == []


def test_reading_that_is_no_fact_is_refused(tmp_path: Path) -> None:
    wrong = Probe("x", "cuda", "d", (Reading("memory.bandwidth", "3 MHz"),))
    with pytest.raises(MachineError, match=r"memory\.bandwidth"):
        write_instance(tmp_path / "x.toml", instance_text(wrong, "cpu", "x", DAY))
    assert not (tmp_path / "x.toml").exists()


@pytest.mark.parametrize(
    ("name", "hints", "base"),
    [
        ("NVIDIA H200", {"cc": "9.0"}, "h200"),
        ("NVIDIA H20", {"cc": "9.0"}, "sm_90"),
        ("NVIDIA GeForce RTX 4090", {"cc": "8.9"}, "rtx4090"),
        ("NVIDIA GeForce RTX 4090 Laptop GPU", {"cc": "8.9"}, "sm_89"),
        ("Apple M4", {"mtl_arch": "applegpu_g16g"}, "m4"),
        ("Apple M4 Max", {}, "m4-max"),
        ("AMD Instinct MI300X", {"gfx": "gfx942"}, "mi300x"),
        ("gfx942", {"gfx": "gfx942"}, "gfx942"),
        ("pthread-AMD EPYC", {}, "cpu"),
        ("cpu-haswell-Intel(R) Core(TM) i7", {}, "cpu"),
        ("Quadro FX 5800", {"cc": "1.3"}, None),
        ("llvmpipe", {}, None),
    ],
)
def test_base_is_the_device_or_its_architecture_and_never_a_similar_one(
    name: str, hints: dict[str, str], base: str | None
) -> None:
    assert find_base(name, hints) == base


def test_every_match_is_of_one_device() -> None:
    for identifier in builtin_names():
        machine = load_machine(identifier)
        name = machine.name
        if machine.vendor in ("nvidia", "apple", "amd") and "(" not in name:
            assert find_base(name, {}) == identifier


def test_numbers_are_written_so_that_they_read_back() -> None:
    for value, unit in ((3.468e10, "B/s"), (6.498e13, "op/s"), (1.225e-5, "s"), (7.0, "B/s")):
        path = {"B/s": "measured.bandwidth.copy", "op/s": "measured.rate.vector.f32", "s": "measured.launch"}[unit]
        fact = read_fact(Reading(path, written(value, unit), "measured"))
        assert fact.value == pytest.approx(value, rel=1e-3)


def test_timing_takes_medians_after_warming_up() -> None:
    calls: list[int] = []
    samples = iter([100.0, 100.0, 1.0, 2.0, 9.0])
    assert median_of(lambda: next(samples), 3, warm_up=2) == 2.0
    assert median_wall(lambda: calls.append(1), 5, warm_up=2) >= 0
    assert len(calls) == 7


def test_backends_that_are_not_there_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("cupy", "mlx", "mlx.core", "pyopencl"):
        monkeypatch.setitem(sys.modules, module, None)
    for backend, part in (
        ("cuda", "no CuPy"),
        ("mlx", "no MLX"),
        ("opencl", "no OpenCL"),
        ("vulkan", "expected one of"),
    ):
        with pytest.raises(MachineError, match=part):
            probe(backend)


def test_mlx_without_metal_says_so() -> None:
    if importlib.util.find_spec("mlx") is None:
        pytest.skip("mlx is not installed")
    if sys.platform == "darwin":
        pytest.skip("this MLX may have Metal")
    with pytest.raises(MachineError, match="no Metal back-end"):
        probe("mlx")


def test_mlx_info_old_and_new() -> None:
    info = {"device_name": "Apple M4", "memory_size": 17179869184, "architecture": "applegpu_g16g"}
    old = SimpleNamespace(metal=SimpleNamespace(device_info=lambda: info))
    new = SimpleNamespace(device_info=lambda: info)
    assert mlx._info(old) == mlx._info(new) == info  # pyright: ignore[reportPrivateUsage]
    facts = [read_fact(r) for r in mlx._limits(info)]  # pyright: ignore[reportPrivateUsage]
    assert {f.path: f.value for f in facts} == {"memory.size": 17179869184, "isa.target": "applegpu_g16g"}


def test_rocm_cupy_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    runtime = SimpleNamespace(getDeviceCount=lambda: 1, is_hip=True, CUDARuntimeError=RuntimeError)
    monkeypatch.setitem(sys.modules, "cupy", SimpleNamespace(cuda=SimpleNamespace(runtime=runtime)))
    with pytest.raises(MachineError, match="ROCm"):
        probe("cuda")


def test_pocl_is_left_alone_unless_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(pocl.VARIABLE, raising=False)
    platform = SimpleNamespace(version="OpenCL 3.0 PoCL 3.0-rc2")
    affected = SimpleNamespace(platform=platform, version="OpenCL 3.0 PoCL HSTR: pthread-x86_64-generic", int_ptr=0)
    with pytest.raises(MachineError, match=pocl.VARIABLE):
        pocl.name_cpu(affected)
    monkeypatch.setenv(pocl.VARIABLE, "i486")
    with pytest.raises(MachineError, match="got 'i486'"):
        pocl.name_cpu(affected)
    fine = SimpleNamespace(platform=platform, version="OpenCL 3.0 PoCL HSTR: pthread-x86_64-haswell", int_ptr=0)
    assert pocl.name_cpu(fine) is None


def opencl_devices() -> int:
    if importlib.util.find_spec("pyopencl") is None:
        return 0
    code = "import pyopencl as cl; print(sum(len(p.get_devices()) for p in cl.get_platforms()))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    return int(done.stdout or 0) if done.returncode == 0 else 0


def test_probe_of_an_opencl_device_here(tmp_path: Path) -> None:
    if not opencl_devices():
        pytest.skip("no OpenCL device here")
    # A process of its own: on CPUs that PoCL's LLVM does not know, the device's record has to be changed (pocl.py).
    environment = os.environ | {pocl.VARIABLE: "auto", "XDG_CONFIG_HOME": str(tmp_path)}
    code = "from gpuport.hwmodels.commands import app; app()"
    base = ["--extends", "cpu", "--id", "here", "--out", str(tmp_path / "here.toml"), "--json"]
    command = [sys.executable, "-c", code, "probe", *base]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    record = json.loads(done.stdout)
    facts = record["machine"]["facts"]
    assert facts["execution.compute_units"]["value"] >= 1
    assert 1e8 < facts["measured.bandwidth.copy"]["value"] < 1e14
    assert 1e8 < facts["measured.rate.vector.f32"]["value"] < 1e16
    assert 1e-8 < facts["measured.launch"]["value"] < 1
    assert facts["measured.launch"]["kind"] == "measured"
    assert "measuring copy bandwidth" in done.stderr
    machine = load_machine(tmp_path / "here.toml")
    assert machine.lineage[-1] == "cpu"
    assert [f for f in lint_machine(machine) if f.severity == "error"] == []
