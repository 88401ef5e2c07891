"""Compilers without a device: resources of kernels that assemble, first errors of those that do not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from gpuport.backends.base import KernelText
from gpuport.backends.compilers import assemble, nvrtc, resources
from gpuport.backends.compilers.amdgcn import parse_assembly
from gpuport.backends.compilers.nvrtc import MISSING, available, first_error, parse_log
from gpuport.hwmodels import load_machine
from gpuport.porting.spec import Kernel
from gpuport.porting.translate import read_kernel, translate
from gpuport.porting.verify.assembles import assembled

EXAMPLES = Path(__file__).parents[3] / "examples"
NVRTC = pytest.mark.skipif(not available(), reason=MISSING)
TARGETS = [
    *(pytest.param(d, "cuda", t, marks=NVRTC) for d, t in (("a100-40", "sm_80"), ("h100", "sm_90"), ("rtxpro6000", "sm_120"))),
    ("mi300x", "hip", "gfx942"), ("rx7900xtx", "hip", "gfx1100"),
    ("mi300x", "opencl", "gfx942"), ("rx7900xtx", "opencl", "gfx1100"),
]  # fmt: skip


def text(example: str, device: str, language: str) -> KernelText:
    source = read_kernel(Kernel.load(EXAMPLES / example / f"{example}.kernel.toml"))
    [candidate] = translate(source, load_machine("h100"), load_machine(device), language=language)
    return candidate.text


@pytest.mark.parametrize(("device", "language", "target"), TARGETS)
def test_a_port_assembles_and_its_resources_are_told(device: str, language: str, target: str) -> None:
    used = resources(text("sgemm", device, language), load_machine(device))
    assert used is not None
    assert used.target == target
    assert used.shared_bytes == (16 * 16 + 16 * 17) * 4
    assert used.spill_bytes == 0
    assert 8 < used.registers <= 128
    assert (used.scalar_registers is None) == (language == "cuda")
    assert used.note == ""


SPILLS = """
__global__ void k(float* x, int n) {{
    float a[{0}];
    for (int i = 0; i < {0}; ++i) a[i] = x[i];
    for (int i = 0; i < n; ++i) a[(i * 7) % {0}] += a[(i * 3) % {0}];
    for (int i = 0; i < {0}; ++i) x[i] = a[i];
}}"""


@pytest.mark.parametrize(("device", "language"), [pytest.param("h100", "cuda", marks=NVRTC), ("mi300x", "hip")])
def test_private_memory_is_told(device: str, language: str) -> None:
    source = 'extern "C" ' + SPILLS.format(500).strip()
    used = resources(KernelText(language, "k", source, ()), load_machine(device))  # pyright: ignore[reportArgumentType]
    assert used is not None
    assert used.spill_bytes >= 2000


BROKEN = 'extern "C" __global__ void k(float* x) {\n  x[0] = 1.0f\n}\n'


@pytest.mark.parametrize(("device", "language"), [pytest.param("h100", "cuda", marks=NVRTC), ("mi300x", "hip")])
def test_what_does_not_compile_is_refuted_with_the_first_error(device: str, language: str) -> None:
    broken = KernelText(language, "k", BROKEN, ())  # pyright: ignore[reportArgumentType]
    gate, used = assembled(broken, load_machine(device))
    assert gate.verdict == "refuted"
    assert used is None
    assert f"k.{'cu' if language == 'cuda' else 'hip'}:" in gate.detail
    assert "';'" in gate.detail or '";"' in gate.detail


def test_what_our_headers_may_lack_refutes_nothing() -> None:
    unknown = KernelText("hip", "k", 'extern "C" __global__ void k(float* x) { x[0] = __some_intrinsic(x[1]); }', ())
    gate, _ = assembled(unknown, load_machine("mi300x"))
    assert gate.verdict == "unknown"
    assert "__some_intrinsic" in gate.detail


@pytest.mark.parametrize(("device", "language", "why"), [("m4", "metal", "macOS"), ("cpu", "opencl", "no compiler")])
def test_where_there_is_no_compiler_the_reason_is_told(device: str, language: str, why: str) -> None:
    gate, used = assembled(text("histogram", device, language), load_machine(device))
    assert gate.verdict == "unknown"
    assert why in gate.detail
    assert used is None


@NVRTC
def test_an_architecture_that_nvrtc_has_dropped_is_unknown() -> None:
    assert "sm_70" in assemble(KernelText("cuda", "k", "", ()), load_machine("v100")).reason


def test_a_call_of_the_device_library_is_named() -> None:
    source = 'extern "C" __global__ void k(float* x) { x[0] = powf(x[1], x[2]); }'
    used = resources(KernelText("hip", "k", source, ()), load_machine("mi300x"))
    assert used is None or "pow" in used.note


def test_ptxas_report() -> None:
    log = """ptxas info    : Compiling entry function 'other' for 'sm_90'
ptxas info    : Used 99 registers
ptxas info    : Compiling entry function 'k' for 'sm_90'
ptxas         .     40 bytes stack frame, 44 bytes spill stores, 48 bytes spill loads
ptxas info    : Used 255 registers, used 1 barriers, 4096 bytes smem, 373 bytes cmem[0]"""
    used = parse_log(log, "k", "NVRTC", "sm_90")
    assert used is not None
    assert (used.registers, used.shared_bytes, used.spill_bytes) == (255, 4096, 40)
    assert parse_log(log, "missing", "NVRTC", "sm_90") is None


def test_first_error_and_missing_metadata() -> None:
    assert first_error("k.cu(12): warning #1: x\nk.cu(13): error: identifier y is undefined\n") == (
        "k.cu:13: identifier y is undefined"
    )
    assert parse_assembly("", "k", "clang", "gfx942") is None


@NVRTC
def test_a_text_that_nvrtc_had_kept_is_asked_about_again(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[bool] = []

    def silent_at_first(given: KernelText, options: list[str]) -> Any:
        asked.append("--no-cache" in options)
        answer = ask(given, options)
        return answer if asked[-1] else {**answer, "log": ""}  # as where a driver holds the cubin

    ask = nvrtc._asked
    monkeypatch.setattr(nvrtc, "_asked", silent_at_first)
    used = resources(text("sgemm", "h100", "cuda"), load_machine("h100"))
    assert asked == [False, True]
    assert used is not None
    assert used.registers > 8
