"""What the results of all sizes say together: what was not shown is said, and what proves nothing verifies nothing."""

from __future__ import annotations

from pathlib import Path

from gpuport import PortReport, port
from gpuport.porting.report.render import render_html, render_markdown

SPEC = """
[kernel]
source = "k.cu"
entry = "k"
[sizes]
n = [100, 1, 64]
[args]
x = { dtype = "f32", shape = ["n"], role = "in" }
y = { dtype = "f32", shape = ["n"], role = "out" }
flag = { dtype = "i32", shape = [1], role = "inout", init = 0 }
n = { dtype = "i32", value = "n" }
[launch]
grid = ["cdiv(n, 64)"]
block = [64]
"""
SOURCE = """__global__ void k(const float* x, float* y, int* flag, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) y[i] = 2.0f * x[i];
  if (WHEN) *flag = 1;
}
"""


def ported(folder: Path, when: str, more: str = "") -> PortReport:
    """Port a kernel that raises a flag on a condition."""
    (folder / "k.cu").write_text(SOURCE.replace("WHEN", when))
    (folder / "k.kernel.toml").write_text(SPEC + more)
    return port(folder / "k.cu", "h100", "m4")


def test_an_output_that_nothing_changes_is_told_of(tmp_path: Path) -> None:
    report = ported(tmp_path, "n < 0")
    assert report.verdict == "VERIFIED (emulated)"
    assert report.reason.startswith("flag: at every size, as it was before the launch")
    assert report.reason in render_markdown(report)
    assert report.reason in render_html(report)


def test_an_output_that_one_size_changes_is_not(tmp_path: Path) -> None:
    report = ported(tmp_path, "n == 64 && i == 0")
    assert (report.verdict, report.reason) == ("VERIFIED (emulated)", "")


def test_a_tolerance_that_zeros_pass_verifies_nothing(tmp_path: Path) -> None:
    report = ported(tmp_path, "n == 64 && i == 0", "[reference]\ncompare = { y = { atol = 1e9 } }\n")
    assert report.verdict == "UNVERIFIED"
    assert report.reason.startswith("no size tells the right result from")
    assert "y: zeros" in report.reason
