"""Every example is ported to a CPU, an M4, an MI300X and an H100, verified, and written as a package."""

from __future__ import annotations

from pathlib import Path

import pytest
from gpuport import port
from gpuport.porting.report import load_report, write_index

EXAMPLES = Path(__file__).parents[2] / "examples"
NAMES = sorted(p.parent.name for p in EXAMPLES.glob("*/*.kernel.toml"))
VERDICTS = {
    "cpu": "VERIFIED (device)",
    "m4": "VERIFIED (emulated)",
    "mi300x": "VERIFIED (emulated)",
    "h100-sxm": "VERIFIED (emulated)",
}


def test_there_are_six_examples() -> None:
    assert NAMES == ["histogram", "rmsnorm", "sgemm", "softmax", "stencil", "transpose"]


@pytest.mark.parametrize("name", NAMES)
def test_example_is_ported_to_all(name: str, tmp_path: Path) -> None:
    reports = port(EXAMPLES / name / f"{name}.cu", src="h100", dst=list(VERDICTS))
    assert {r.dst.id: r.verdict for r in reports} == VERDICTS, [r.reason for r in reports]
    for report in reports:
        report.write(tmp_path / report.dst.id)
        assert load_report(tmp_path / report.dst.id) == report
        backends = {g.backend for g in report.gates if g.gate != "assembles"}
        assert backends == ({"opencl", "emulator"} if report.dst.id == "cpu" else {"emulator"})
        assert (report.measured is not None) == (report.dst.id == "cpu")
        assert (report.floor is not None) == (report.dst.id != "cpu")
        judged = [g for g in report.gates if g.gate == "values"]
        assert {tuple(g.size.items()) for g in judged} == {tuple(s.items()) for s in report.sizes}
    write_index(reports, tmp_path)
    page = (tmp_path / "index.html").read_text()
    assert all(v in page for v in VERDICTS.values())
