"""The translator: which language, which constants, and that the text keeps the author's forms."""

from __future__ import annotations

from pathlib import Path

import pytest
from gpuport import Kernel, load_machine
from gpuport.ir.diagnostics import Refusal
from gpuport.porting.translate import NoWriter, language_for, read_kernel, replace_arguments, translate

STRIDE = """__global__ void scale(const float* x, float* y, int n) {
  for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += blockDim.x * gridDim.x) y[i] = 2.0f * x[i];
}
"""
ARGS = {
    "x": {"dtype": "f32", "shape": ["n"], "role": "in"},
    "y": {"dtype": "f32", "shape": ["n"], "role": "out"},
    "n": {"dtype": "i32", "value": "n"},
}


def kernel(folder: Path, source: str, entry: str, block: str | int, **more: object) -> Kernel:
    (folder / "k.cu").write_text(source)
    launch = {"grid": [4], "block": [block]}
    return Kernel(source="k.cu", entry=entry, sizes={"n": [100, 1]}, args=ARGS, launch=launch, folder=folder, **more)


@pytest.mark.parametrize(
    ("entry", "values", "expected"),
    [
        ("sgemm<16>", {0: 8}, "sgemm<8>"),
        ("rmsnorm<float, 256>", {0: 128}, "rmsnorm<float, 128>"),
        ("f<pair<int, 3>, 32, 8>", {1: 4}, "f<pair<int, 3>, 32, 4>"),
        ("f<0x20>", {0: 16}, "f<16>"),
        ("plain", {0: 1}, "plain"),
    ],
)
def test_template_arguments_are_replaced(entry: str, values: dict[int, int], expected: str) -> None:
    assert replace_arguments(entry, values) == expected


def test_each_machine_gets_a_language_that_it_runs() -> None:
    for name in ("cpu", "m4", "mi300x", "h200", "arc-b580"):
        machine = load_machine(name)
        assert language_for(machine) in machine.apis


def test_a_language_can_be_asked_for() -> None:
    best = {"h100": "cuda", "mi300x": "hip", "m4": "metal", "cpu": "opencl", "arc-b580": "opencl"}
    assert {name: language_for(load_machine(name)) for name in best} == best
    assert language_for(load_machine("mi300x"), "opencl") == "opencl"
    with pytest.raises(NoWriter, match=r"m4 runs metal: no cuda is written for it"):
        language_for(load_machine("m4"), "cuda")


@pytest.mark.parametrize(("dst", "language"), [("mi300x", "opencl"), ("mi300x", "hip"), ("h200", "opencl")])
def test_the_translator_writes_what_it_is_asked_for(tmp_path: Path, dst: str, language: str) -> None:
    source = read_kernel(kernel(tmp_path, STRIDE, "scale", 64))
    [candidate] = translate(source, load_machine("h100"), load_machine(dst), language=language)
    assert candidate.text.language == language


def test_a_grid_stride_loop_keeps_its_form(tmp_path: Path) -> None:
    source = read_kernel(kernel(tmp_path, STRIDE, "scale", 64))
    for dst in ("cpu", "m4"):
        [candidate] = translate(source, load_machine("h100"), load_machine(dst))
        assert "i += " in candidate.text.source


def test_a_define_of_the_spec_is_chosen_anew(tmp_path: Path) -> None:
    source = STRIDE.replace("blockDim.x", "BLOCK")
    tied = kernel(tmp_path, source, "scale", "BLOCK", defines={"BLOCK": 2048})
    [candidate] = translate(read_kernel(tied), load_machine("h100"), load_machine("m4"))
    assert candidate.constants["BLOCK"] == 1024
    assert "#define BLOCK 1024" in candidate.text.header + candidate.text.source


def test_a_define_in_the_source_cannot_be_changed_and_is_refused(tmp_path: Path) -> None:
    source = "#define BLOCK 2048\n" + STRIDE.replace("blockDim.x", "BLOCK")
    fixed = kernel(tmp_path, source, "scale", "BLOCK")
    with pytest.raises(Refusal, match=r"GP2001.*2048 threads.*1024 threads.*nothing can be re-chosen"):
        translate(read_kernel(fixed), load_machine("h100"), load_machine("m4"))


def test_a_conversion_that_saturates_in_cuda_only_is_warned_of(tmp_path: Path) -> None:
    source = STRIDE.replace("2.0f * x[i]", "(float)(int)(1e3f * __expf(x[i]))")
    read = read_kernel(kernel(tmp_path, source, "scale", 64))
    told: dict[str, list[str]] = {}
    for dst in ("cpu", "m4"):
        [candidate] = translate(read, load_machine("h100"), load_machine(dst))
        told[dst] = [f"{d.loc}: {d.message}" for d in candidate.diagnostics if d.number == "GP3001"]
    assert any("native_" in m for m in told["cpu"])
    assert not any("does not fit" in m for m in told["cpu"])  # OpenCL C saturates where it is told to
    assert [m.partition(":")[0] for m in told["m4"] if "does not fit" in m] == ["k.cu"]
    assert any("k.cu:2: a float is converted to i32" in m for m in told["m4"])
