"""A device that a user describes in a file of their own is a destination like any other."""

from __future__ import annotations

from pathlib import Path

import pytest
from gpuport import load_machine, port
from gpuport.hwmodels import MachineError

EXAMPLES = Path(__file__).parents[2] / "examples"
SMALL_GPU = """schema = "machine/1"
id = "m4-small"
name = "A small M4"
extends = "apple9"
[execution]
compute_units = { v = "4 core", src = "applenews" }
[limits]
threads_per_group = { v = "128 thread", kind = "rule", src = "mfst", bound = "ceiling" }
[memory]
bandwidth = { v = "60 GB/s", src = "applenews" }
"""


def test_a_new_device_is_ported_to_and_its_limits_are_kept(tmp_path: Path) -> None:
    file = tmp_path / "m4-small.toml"
    file.write_text(SMALL_GPU)
    report = port(EXAMPLES / "softmax/softmax.cu", src="h100", dst=file)
    assert report.verdict == "VERIFIED (emulated)", report.reason
    assert report.dst.id == "m4-small"
    [chosen] = [d for d in report.decisions if "BLOCK is 128 instead of 256" in d.what]
    assert "128 threads" in chosen.why
    assert "#define BLOCK 128" in report.source
    assert report.floor is not None
    half = port(EXAMPLES / "softmax/softmax.cu", src="h100", dst="m4").floor
    assert half is not None
    assert report.floor.seconds == pytest.approx(2 * half.seconds)


def test_a_device_found_through_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "m4-small.toml").write_text(SMALL_GPU)
    monkeypatch.setenv("GPUPORT_HWMODELS", str(tmp_path))
    assert load_machine("m4-small").value("limits.threads_per_group") == 128


def test_a_broken_model_file_is_one_line(tmp_path: Path) -> None:
    file = tmp_path / "broken.toml"
    file.write_text(SMALL_GPU.replace('"128 thread"', "128"))
    with pytest.raises(MachineError, match=r"broken\.toml.*threads_per_group") as error:
        port(EXAMPLES / "softmax/softmax.cu", src="h100", dst=file)
    assert "\n" not in str(error.value)
