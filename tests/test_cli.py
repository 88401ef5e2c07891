"""The command as a user types it: results, errors of one clear line, exit statuses, nothing half-written."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SPEC = """
[kernel]
source = "k.cu"
entry = "k"
[sizes]
n = [64, 1]
[args]
x = { dtype = "f32", shape = ["n"], role = "in" }
y = { dtype = "f32", shape = ["n"], role = "out" }
n = { dtype = "i32", value = "n" }
[launch]
grid = ["cdiv(n, 64)"]
block = [64]
"""
SOURCE = """__global__ void k(const float* x, float* y, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) y[i] = 2.0f * x[i];
}
"""


def gpuport(*args: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    code = "from gpuport.cli import main; main()"
    command = [sys.executable, "-c", code, *map(str, args)]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, timeout=120, check=False)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "k.cu").write_text(SOURCE)
    (tmp_path / "k.kernel.toml").write_text(SPEC)
    return tmp_path


def port(
    folder: Path, *, src: str = "h100", dst: str = "cpu", more: tuple[str, ...] = ()
) -> subprocess.CompletedProcess[str]:
    return gpuport("port", "k.cu", "--src", src, "--dst", dst, "--out", "out", *more, cwd=folder)


def assert_one_clear_error(done: subprocess.CompletedProcess[str], folder: Path, status: int, *wanted: str) -> None:
    message = done.stderr.strip()
    assert done.returncode == status, (done.stdout, done.stderr)
    assert message.startswith("gpuport: ")
    assert "\n" not in message, message
    assert "Traceback" not in message
    for part in wanted:
        assert part in message
    assert not (folder / "out").exists()


def test_port_to_three_machines(folder: Path) -> None:
    done = port(folder, dst="cpu,m4,mi300x")
    assert done.returncode == 0, done.stderr
    for part in ("VERIFIED (device)", "VERIFIED (emulated)", "index.html", "predicted"):
        assert part in done.stdout
    for dst, suffix in (("cpu", "cl"), ("m4", "metal"), ("mi300x", "hip")):
        names = {p.name for p in (folder / "out" / dst).iterdir()}
        assert names == {f"k.{suffix}", "k.py", "report.json", "report.md", "report.html"}
    assert done.stderr == ""  # no progress where standard error is no terminal


def test_json(folder: Path) -> None:
    done = port(folder, more=("--json",))
    [report] = json.loads(done.stdout)
    assert report["verdict"] == "VERIFIED (device)"
    assert report["folder"] == "out/cpu"
    assert {g["gate"] for g in report["gates"]} >= {"compiles", "values", "guards"}


def test_refuted_port_is_exit_status_1(folder: Path) -> None:
    (folder / "k.kernel.toml").write_text(SPEC + '[reference]\npython = "ref:k"\n')
    (folder / "ref.py").write_text("def k(inputs):\n    return {'y': 3 * inputs['x']}\n")
    done = port(folder)
    assert done.returncode == 1
    assert "REFUTED" in done.stdout
    assert "reference" in done.stdout
    assert not (folder / "out/cpu/k.py").exists()


def test_unknown_device_names_the_nearest(folder: Path) -> None:
    assert_one_clear_error(port(folder, dst="m5x"), folder, 2, "m5x", "m5")
    assert_one_clear_error(port(folder, src="h10"), folder, 2, "h10", "h100")


def test_a_kernel_that_does_not_compile(folder: Path) -> None:
    (folder / "k.cu").write_text("__global__ void k(const float* x, float* y, int n) {\n  y[0] = z;\n}\n")
    assert_one_clear_error(port(folder), folder, 1, "k.cu:2", "GP1001", "undeclared identifier 'z'")


def test_an_entry_that_is_not_there(folder: Path) -> None:
    (folder / "k.kernel.toml").write_text(SPEC.replace('entry = "k"', 'entry = "kk"'))
    assert_one_clear_error(port(folder), folder, 1, "GP1002", "'kk'", "kernels there: k")


def test_arguments_that_do_not_match(folder: Path) -> None:
    (folder / "k.kernel.toml").write_text(SPEC.replace("x = {", "input = {"))
    assert_one_clear_error(port(folder), folder, 2, "k.kernel.toml", "args", "(x, y, n)", "(input, y, n)")


def test_an_unsupported_construct(folder: Path) -> None:
    (folder / "k.cu").write_text(SOURCE.replace("if (i < n)", 'asm("nop;");\n  if (i < n)'))
    assert_one_clear_error(port(folder), folder, 1, "k.cu:3", "GP1101", "nop")


def test_a_model_file_with_an_unknown_key(folder: Path) -> None:
    text = (ROOT / "hwmodels/models/apple/m4.toml").read_text()
    (folder / "mine.toml").write_text(
        text.replace('id = "m4"', 'id = "mine"') + '\n[limits]\nthreads_per_grup = { v = "8 thread", src = "hmc" }\n'
    )
    assert_one_clear_error(port(folder, dst="mine.toml"), folder, 2, "mine.toml", "threads_per_grup")


def test_a_reference_that_raises(folder: Path) -> None:
    (folder / "k.kernel.toml").write_text(SPEC + '[reference]\npython = "ref:k"\n')
    (folder / "ref.py").write_text("def k(inputs):\n    return inputs['nothing']\n")
    assert_one_clear_error(port(folder), folder, 2, "reference", "ref.py:2", "KeyError")


def test_a_kernel_that_never_ends(folder: Path) -> None:
    (folder / "k.cu").write_text(SOURCE.replace("if (i < n)", "while (n > 0) { i += 0; }\n  if (i < n)"))
    done = port(folder, more=("--time-limit", "3"))
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    message = done.stderr if done.stderr else done.stdout
    assert "k.cu:3" in message


def test_too_much_shared_memory_for_a_fixed_tile(folder: Path) -> None:
    fixed = SOURCE.replace("int i", "__shared__ float tile[10240];\n  tile[threadIdx.x] = 0.0f;\n  int i", 1)
    (folder / "k.cu").write_text(fixed)
    assert_one_clear_error(port(folder, dst="m4"), folder, 1, "GP2002", "k.cu:2", "40960 B", "32 KiB", "Apple M4")


def test_a_tile_that_is_a_template_parameter_is_chosen_anew(folder: Path) -> None:
    source = """template <int TILE> __global__ void k(const float* x, float* y, int n) {
  __shared__ float tile[TILE * 40];
  int i = blockIdx.x * TILE + threadIdx.x;
  tile[threadIdx.x * 40] = i < n ? x[i] : 0.0f;
  __syncthreads();
  if (i < n) y[i] = 2.0f * tile[threadIdx.x * 40];
}
"""
    (folder / "k.cu").write_text(source)
    spec = SPEC.replace('entry = "k"', 'entry = "k<256>"').replace("cdiv(n, 64)", "cdiv(n, TILE)")
    (folder / "k.kernel.toml").write_text(spec.replace("block = [64]", 'block = ["TILE"]'))
    done = port(folder, dst="m4")
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads((folder / "out/m4/report.json").read_text())
    assert any("TILE is 128 instead of 256" in d["what"] for d in report["decisions"])
    assert "threadgroup float tile[5120];" in (folder / "out/m4/k.metal").read_text()


@pytest.mark.parametrize(
    ("change", "wanted"),
    [
        (("[launch]", "[lunch]"), ("lunch", "did you mean 'launch'")),
        (('role = "in"', 'roll = "in"'), ("args.x.roll", "unknown key", "'role'")),
        (('dtype = "i32"', 'dtype = "int"'), ("args.n.dtype", "unknown dtype 'int'")),
        (('"cdiv(n, 64)"', '"n / 64"'), ("launch.grid", "'/'", "cdiv")),
        (('value = "n"', 'value = "m"'), ("args.n", "'m'")),
        (("n = [64, 1]", "n = []"), ("sizes", "at least one size")),
        (("[kernel]", "[kernel"), ("not TOML",)),
        (('source = "k.cu"', 'source = "j.cu"'), ("kernel.source", "no such file")),
    ],
)
def test_a_wrong_spec_names_file_key_and_what_was_expected(
    folder: Path, change: tuple[str, str], wanted: tuple[str, ...]
) -> None:
    (folder / "k.kernel.toml").write_text(SPEC.replace(*change))
    done = port(folder)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    first = done.stderr.splitlines()[0]
    for part in ("k.kernel.toml", *wanted):
        assert part in first
    assert not (folder / "out").exists()


def test_a_source_without_a_spec(tmp_path: Path) -> None:
    (tmp_path / "k.cu").write_text(SOURCE)
    assert_one_clear_error(port(tmp_path), tmp_path, 2, "k.kernel.toml")


def test_wrong_usage_is_exit_status_2(tmp_path: Path) -> None:
    assert gpuport("port", cwd=tmp_path).returncode == 2
    assert gpuport("prot", cwd=tmp_path).returncode == 2
    assert gpuport("port", "missing.cu", "--src", "h100", "--dst", "cpu", cwd=tmp_path).returncode == 2
    twice = gpuport("port", "missing.cu", "--src", "h100", "--dst", "cpu,m4,cpu", cwd=tmp_path)
    assert (twice.returncode, "cpu is named twice" in twice.stderr) == (2, True)
    assert gpuport("port", "k.cu", "--src", "h100", "--dst", "cpu", "--agents", "-1", cwd=tmp_path).returncode == 2


def test_machines_and_doctor(tmp_path: Path) -> None:
    listed = gpuport("machines", "list", cwd=tmp_path)
    assert listed.returncode == 0
    assert "mi300x" in listed.stdout
    shown = gpuport("machines", "show", "h100", "--json", cwd=tmp_path)
    assert json.loads(shown.stdout)["id"] == "h100-sxm"
    rows = json.loads(gpuport("doctor", "--json", cwd=tmp_path).stdout)
    assert {r["backend"] for r in rows} >= {"clang", "opencl", "cuda", "metal", "emulator"}
    assert all(r["detail"] for r in rows)


def test_help_and_version(tmp_path: Path) -> None:
    assert "port" in gpuport("--help", cwd=tmp_path).stdout
    assert gpuport("--version", cwd=tmp_path).stdout.startswith("gpuport ")


def test_the_wrapper_runs_on_this_machine(folder: Path) -> None:
    assert port(folder).returncode == 0
    shutil.move(folder / "out/cpu", folder / "package")
    code = "import numpy as np; from k import k; x = np.arange(100, dtype=np.float32); assert (k(x) == 2 * x).all(); print('right')"
    environment = {**os.environ, "GPUPORT_POCL_CPU": "auto"}  # PoCL 3.0 does not know every CPU by name
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=folder / "package", env=environment, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "right", done.stderr
