"""A warning and a refusal, everywhere they are told: terminal, data, report, the port's text, their pages."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

from gpuport.ir.diagnostics import TITLES

DOCS = Path(__file__).parents[2] / "docs" / "diagnostics"
SOURCE = """__global__ void k(const float* x, int* y, int n) {
  const int i = blockIdx.x * 32 + threadIdx.x;
  if (i < n) {
    y[i] = (int)(x[i] * 3.0f);
  }
}
__global__ void locked(const float* x, int* y, int n) {
  const int i = threadIdx.x;
  while (atomicCAS(y, 0, 1) != 0) {
  }
  y[i] = n;
}
"""
SPEC = """[kernel]
source = "k.cu"
entry = "{entry}"
[sizes]
n = [40]
[args]
x = {{ dtype = "f32", shape = ["n"], role = "in" }}
y = {{ dtype = "i32", shape = ["n"], role = "{role}" }}
n = {{ dtype = "i32", value = "n" }}
[launch]
grid = ["cdiv(n, 32)"]
block = [32]
"""


def command(folder: Path, *more: str) -> subprocess.CompletedProcess[str]:
    code = "from gpuport.cli import main; main()"
    line = [sys.executable, "-c", code, "port", "k.cu", "--src", "h100", "--dst", "m4", *more]
    return subprocess.run(line, capture_output=True, text=True, cwd=folder, timeout=300, check=False)


def test_a_warning(tmp_path: Path) -> None:
    (tmp_path / "k.cu").write_text(SOURCE)
    (tmp_path / "k.kernel.toml").write_text(SPEC.format(entry="k", role="out"))
    done = command(tmp_path, "--out", "ports", "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    [report] = json.loads(done.stdout)
    [found] = [d for d in report["diagnostics"] if d["line"] == 4]
    assert (found["number"], found["severity"], found["title"]) == ("GP3001", "warning", TITLES["GP3001"])
    said = "a float is converted to i32"
    assert said in found["message"]
    folder = tmp_path / "ports" / Path(report["folder"]).name
    for name in ("report.md", "report.html", "report.json"):
        text = (folder / name).read_text()
        assert "GP3001" in text, name
        assert said in text, name
    lines = (folder / "k.metal").read_text().splitlines()
    above = next(i for i, line in enumerate(lines) if f"GP3001: {said}" in line)
    below = next(line for line in lines[above:] if not line.strip().startswith("//"))
    assert re.search(r"y\[i\] = ", below), below  # the comment stands above its line


def test_a_refusal(tmp_path: Path) -> None:
    (tmp_path / "k.cu").write_text(SOURCE)
    (tmp_path / "k.kernel.toml").write_text(SPEC.format(entry="locked", role="inout") + "\n[reference]\n")
    done = command(tmp_path)
    assert done.returncode == 1, done.stdout + done.stderr
    told = " ".join((done.stdout + done.stderr).split())
    assert "k.cu:9" in told
    assert "GP2010" in told
    assert "waits for what other threads write; Apple M4: groups that run make progress while others wait: no" in told


def test_every_number_has_a_page_that_says_what_why_and_what_to_do() -> None:
    index = (DOCS / "README.md").read_text()
    assert {f.stem for f in DOCS.glob("GP*.md")} == set(TITLES)
    for number, title in TITLES.items():
        page = (DOCS / f"{number}.md").read_text()
        assert page.startswith(f"# {number}: {title}\n")
        for part in ("**What was seen.**", "**Why it matters.**", "**What to do.**"):
            assert part in page, number
        assert f"| [{number}]({number}.md) | {title} |" in index
