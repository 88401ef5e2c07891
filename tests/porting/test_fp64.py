"""Doubles on a device without them: refused, or done as asked, said, and judged by bounds that fit."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gpuport import Kernel, port
from gpuport.backends.worker import compile_text
from gpuport.hwmodels import load_machine
from gpuport.porting.translate import read_kernel, translate, wrapper_for
from gpuport.porting.verify.oracle import Oracle
from gpuport.porting.verify.sizes import cases_for
from gpuport.porting.verify.verify import verify

H100, M4 = load_machine("h100"), load_machine("m4")
SOURCE = """__device__ double norm(double a, double b) { return sqrt(a * a + b * b); }
__global__ void scaled(const double* x, double* y, double alpha, int n) {
  __shared__ double s[32];
  const int i = blockIdx.x * 32 + threadIdx.x;
  s[threadIdx.x] = i < n ? x[i] : 0.0;
  __syncthreads();
  for (int o = 16; o > 0; o /= 2) {
    if (threadIdx.x < o) s[threadIdx.x] += s[threadIdx.x + o];
    __syncthreads();
  }
  if (i < n) y[i] = alpha * x[i] + s[0] / 3.0 + norm(x[i], 0.1);
}
"""
SPEC = """[kernel]
source = "scaled.cu"
entry = "scaled"
[sizes]
n = [70, 1]
[args]
x = { dtype = "f64", shape = ["n"], role = "in" }
y = { dtype = "f64", shape = ["n"], role = "out" }
alpha = { dtype = "f64", value = 0.7 }
n = { dtype = "i32", value = "n" }
[launch]
grid = ["cdiv(n, 32)"]
block = [32]
"""


def reference(x: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    padded = np.pad(x, (0, -x.size % 32)).reshape(-1, 32)
    sums = np.repeat(padded.sum(axis=1), 32)[: x.size]
    return 0.7 * x + sums / 3 + np.sqrt(x * x + 0.01)


@pytest.fixture
def kernel(tmp_path: Path) -> Kernel:
    (tmp_path / "scaled.cu").write_text(SOURCE)
    (tmp_path / "scaled.kernel.toml").write_text(SPEC)
    return Kernel.load(tmp_path / "scaled.cu")


def test_refused_unless_it_is_asked_for(kernel: Kernel) -> None:
    report = port(kernel, "h100", "m4")
    assert report.verdict == "REFUSED"
    [found] = [d for d in report.diagnostics if d.severity == "error"]
    assert (found.number, found.line) == ("GP2005", 2)
    assert "Apple M4: f64 arithmetic: no" in found.message
    assert 'fp64="float32"' in found.message


def test_pairs_are_verified_and_said(kernel: Kernel) -> None:
    report = port(kernel, "h100", "m4", fp64="double-single")
    assert report.verdict == "VERIFIED (emulated)", report.reason
    [said] = [d for d in report.diagnostics if d.number == "GP3004"]
    assert (said.severity, said.line) == ("warning", 2)
    [decision] = [d for d in report.decisions if d.what.startswith("f64 is pairs of floats")]
    assert [f.path for f in decision.facts] == ["features.fp64"]
    assert "--fp64 double-single" in report.rerun
    worst = [g.worst for g in report.gates if g.gate == "values" and g.worst and g.inputs == "normal"]
    assert all(abs(w.got - w.expected) < 1e-11 for w in worst)  # far below what floats give
    assert "inline float2 ds_add(float2 a, float2 b)" in report.ported.text
    assert "GP3004" in report.ported.text


@pytest.mark.parametrize(("fp64", "bound"), [("float32", 2.0**-17), ("double-single", 2.0**-37)])
def test_the_values_and_their_bounds(kernel: Kernel, fp64: Any, bound: float) -> None:
    source = read_kernel(kernel)
    [candidate] = translate(source, H100, M4, fp64=fp64)
    assert candidate.text.fp64 == fp64
    run = compile_text("emulator", candidate.text, M4)
    oracle = Oracle(kernel, source.program, H100, 5)
    sizes = {"n": 70}
    launch = kernel.launch(sizes, source.constants)
    x = np.random.default_rng(3).normal(size=70)
    done = run.run(launch, {"x": x, "y": np.zeros(70), "alpha": 0.7, "n": 70})
    error = np.abs(done.buffers["y"] - reference(x)).max()
    assert 0 < error < bound
    allowed = oracle.expect(sizes, launch, "normal", M4, "metal", fp64).outputs["y"].bounds
    assert error < allowed.max() < 100 * bound
    # an element that nothing writes comes back as it was
    short = run.run(launch, {"x": x, "y": np.full(70, np.pi), "alpha": 0.7, "n": 40})
    assert (short.buffers["y"][40:] == np.pi).all()


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("fma(a.y, b.x, fma(a.x, b.y, a.y * b.y))", "0.0f"),  # the low parts forgotten
        ("const float c = sl + th;", "const float c = sl;"),
        ("0.1f, -1.4901161e-9f", "0.1f, 0.0f"),
    ],
)
def test_a_lost_low_part_is_refuted(kernel: Kernel, right: str, wrong: str) -> None:
    source = read_kernel(kernel)
    [candidate] = translate(source, H100, M4, fp64="double-single")
    text = candidate.text
    assert right in text.header + text.source
    bugged = dataclasses.replace(
        text, header=text.header.replace(right, wrong), source=text.source.replace(right, wrong)
    )
    oracle = Oracle(kernel, source.program, H100, 5)
    cases = cases_for(oracle, source.constants, candidate.constants)[:1]
    found = verify(bugged, oracle, cases, M4, "emulator", time_limit=20.0, stop_early=True)
    assert found.verdict == "refuted"
    assert found.refuted is not None
    assert found.refuted.gate == "values"


@pytest.mark.parametrize("fp64", ["float32", "double-single"])
def test_the_wrapper_takes_doubles_on_opencl(kernel: Kernel, tmp_path: Path, fp64: Any) -> None:
    cl = pytest.importorskip("pyopencl")
    cpu = load_machine("cpu")
    fact = dataclasses.replace(cpu.fact("features.fp64"), value=False)
    single = cpu.with_facts({"features.fp64": fact})
    source = read_kernel(kernel)
    [candidate] = translate(source, H100, single, fp64=fp64)
    assert "double" not in candidate.text.source.replace("doubles", "").replace("a double", "")
    (tmp_path / "scaled.cl").write_text(candidate.text.source)
    module = tmp_path / "scaled_wrapper.py"
    module.write_text(wrapper_for(kernel, candidate, single, "scaled.cl"))
    x = np.random.default_rng(4).normal(size=70)
    np.save(tmp_path / "x.npy", x)
    code = "import numpy as np, scaled_wrapper as w; np.save('y.npy', w.scaled(np.load('x.npy')))"
    from gpuport.hwmodels.probe.pocl import VARIABLE

    done = subprocess.run(
        [sys.executable, "-c", f"import os; os.environ[{VARIABLE!r}] = 'auto'; {code}"],
        cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    if "no OpenCL" in done.stderr or "PLATFORM_NOT_FOUND" in done.stderr:
        pytest.skip("no OpenCL device")
    assert done.returncode == 0, done.stderr
    y = np.load(tmp_path / "y.npy")
    assert y.dtype == np.float64
    assert np.abs(y - reference(x)).max() < (1e-5 if fp64 == "float32" else 1e-11)
    assert cl


def test_the_command_has_the_option(kernel: Kernel) -> None:
    def command(*more: str) -> subprocess.CompletedProcess[str]:
        code = "from gpuport.cli import main; main()"
        line = [sys.executable, "-c", code, "port", "scaled.cu", "--src", "h100", "--dst", "m4", "--json", *more]
        return subprocess.run(line, capture_output=True, text=True, cwd=kernel.folder, timeout=300, check=False)

    wrong = command("--fp64", "quad")
    assert wrong.returncode == 2
    assert "expected float32 or double-single" in wrong.stderr
    done = command("--fp64", "float32")
    assert done.returncode == 0, done.stderr
    [report] = json.loads(done.stdout)
    assert report["verdict"] == "VERIFIED (emulated)"
    assert "GP3004" in [d["number"] for d in report["diagnostics"]]
