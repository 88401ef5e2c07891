"""The benchmarks start: each is imported and says how it is called; what they measure is in docs/evidence.md."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[1] / "benchmarks"


@pytest.mark.parametrize("script", sorted(FOLDER.glob("*.py")), ids=lambda p: p.stem)
def test_a_benchmark_starts(script: Path) -> None:
    done = subprocess.run([sys.executable, script, "--help"], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "usage:" in done.stdout


def test_a_coverage_that_was_cut_off_goes_on_where_it_was(tmp_path: Path) -> None:
    rows = tmp_path / "rows"
    command = [sys.executable, FOLDER / "coverage.py", "--only", "opencl/saxpy_vec4", "--to", "m4", "--rows", rows]

    def run() -> str:
        return subprocess.run([*command, "--json"], capture_output=True, text=True, timeout=100, check=True).stdout

    first = run()
    rows.write_text(rows.read_text() + '["a line that was cut o')
    assert run() == first  # the seconds, too: nothing was run again
    marked = rows.read_text().replace('"right"', '"wrong"')
    rows.write_text(marked)
    assert subprocess.run(command, capture_output=True, timeout=100, check=False).returncode == 1
