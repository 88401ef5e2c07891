"""What can run here: each backend has its row or its reason, whatever is broken."""

from __future__ import annotations

import time

import pytest
from gpuport.backends import doctor as module
from gpuport.backends.base import Availability
from gpuport.backends.devices import describes
from gpuport.backends.doctor import device_backend, doctor
from gpuport.backends.errors import NoDevice
from gpuport.backends.opencl import runtime
from gpuport.hwmodels import load_machine


def test_every_backend_has_a_row_soon():
    start = time.monotonic()
    rows = doctor()
    assert time.monotonic() - start < 5
    assert {r.backend for r in rows} == {"clang", "opencl", "cuda", "metal", "emulator"}
    assert all(r.detail for r in rows)
    by_name = {r.backend: r for r in rows}
    assert by_name["emulator"].available
    assert by_name["clang"].available
    assert "clang version" in by_name["clang"].detail


def test_an_opencl_row_names_device_version_and_subgroups():
    rows = [r for r in doctor() if r.backend == "opencl"]
    if not rows[0].available:
        pytest.skip(f"no OpenCL: {rows[0].detail}")
    assert all("OpenCL" in r.detail and "subgroups" in r.detail for r in rows)


@pytest.mark.parametrize("error", [NoDevice("no OpenCL platform"), RuntimeError("driver\nbroken"), OSError()])
def test_what_is_broken_is_a_row_not_an_end(monkeypatch: pytest.MonkeyPatch, error: Exception):
    def broken() -> list[object]:
        raise error

    monkeypatch.setattr(runtime, "all_devices", broken)
    row = next(r for r in doctor() if r.backend == "opencl")
    expected = {NoDevice: "no OpenCL platform", RuntimeError: "RuntimeError: driver", OSError: "OSError: OSError"}
    assert row == Availability("opencl", False, expected[type(error)])


def test_the_device_of_a_machine():
    assert device_backend(load_machine("cpu"), "triton") is None
    assert device_backend(load_machine("cpu"), "metal") is None
    cl = pytest.importorskip("pyopencl", reason="PyOpenCL is not installed")
    if not any(p.get_devices(cl.device_type.CPU) for p in cl.get_platforms()):
        pytest.skip("no OpenCL CPU device")
    assert device_backend(load_machine("cpu"), "opencl") == "opencl"


def test_a_broken_driver_is_no_device(monkeypatch: pytest.MonkeyPatch):
    def broken(name: str) -> object:
        raise RuntimeError(name)

    monkeypatch.setattr(module, "_backend", broken)
    assert device_backend(load_machine("cpu"), "opencl") is None


@pytest.mark.parametrize(
    ("machine", "names", "architectures", "expected"),
    [
        ("h200", ("NVIDIA H200",), ("sm_90",), True),
        ("h100", ("NVIDIA H200",), ("sm_90",), False),
        ("h100", ("nvidia h100 80gb hbm3 ",), (), True),
        ("sm_90", ("NVIDIA H200",), ("sm_90",), True),
        ("sm_80", ("NVIDIA H200",), ("sm_90",), False),
        ("mi300x", ("gfx942:sramecc+", "AMD Instinct MI300X"), ("gfx942",), True),
        ("mi300x", ("gfx942:sramecc+", "AMD Instinct MI325X"), ("gfx942",), False),
        ("gfx942", ("gfx942:sramecc+", "AMD Instinct MI325X"), ("gfx942",), True),
        ("m4", ("Apple M4",), (), True),
        ("m4", ("Apple M4 Max",), (), False),
    ],
)
def test_a_similar_device_is_another_one(
    machine: str, names: tuple[str, ...], architectures: tuple[str, ...], expected: bool
):
    assert describes(load_machine(machine), names, architectures) is expected
