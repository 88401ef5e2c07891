"""`gpuport check`: findings with their places, exit statuses, the machine, the seed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from gpuport import check
from gpuport.porting.spec import SpecError

SPEC = """
[kernel]
source = "k.cu"
entry = "k"
[sizes]
n = [64, 100, 0]
[args]
x = { dtype = "f32", shape = ["n"], role = "in" }
y = { dtype = "f32", shape = ["n"], role = "out" }
n = { dtype = "i32", value = "n" }
[launch]
grid = ["cdiv(n, 64)"]
block = [64]
"""
SOURCE = """__global__ void k(const float* x, float* y, int n) {
  __shared__ float s[64];
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  s[threadIdx.x] = i < n ? x[i] : 0.0f;
  BARRIER
  if (i < n) y[i] = s[63 - threadIdx.x];
}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write(tmp_path, "__syncthreads();")
    return tmp_path


def write(folder: Path, barrier: str) -> None:
    (folder / "k.kernel.toml").write_text(SPEC)
    (folder / "k.cu").write_text(SOURCE.replace("BARRIER", barrier))


def command(folder: Path, *more: str) -> subprocess.CompletedProcess[str]:
    code = "from gpuport.cli import main; main()"
    return subprocess.run(
        [sys.executable, "-c", code, "check", *more],
        capture_output=True,
        text=True,
        cwd=folder,
        timeout=120,
        check=False,
    )


def test_a_clean_kernel(folder: Path) -> None:
    report = check(folder / "k.cu")
    assert report.clean
    assert (report.language, report.machine, report.entry) == ("cuda", "h100-sxm", "k")
    assert [s.size for s in report.sizes] == [{"n": 64}, {"n": 100}, {"n": 0}]
    assert report.sizes[0].counts["transactions.global"] == 2 * 2 * 4  # two warps, read and written, four sectors each
    assert report.sizes[2].counts == {}


def test_a_race_says_who_and_where(folder: Path) -> None:
    write(folder, "")
    report = check(folder / "k.kernel.toml", "rtx4090", seed=5)
    [found] = report.findings
    assert (found.kind, found.line, found.buffer, found.sizes) == ("race", 6, "s", 2)
    assert found.threads == ("thread 0 of group 0", "thread 63 of group 0")
    assert (found.element, found.size) == (63, {"n": 64})
    assert report.machine == "rtx4090"
    assert report.seed == f"{5:016x}"


def test_the_seed_fixes_the_inputs(folder: Path) -> None:
    write(folder, "if (x[0] > 0.0f) __syncthreads();")
    said = {seed: [f.kind for f in check(folder / "k.cu", seed=seed).findings] for seed in range(6)}
    assert said == {seed: [f.kind for f in check(folder / "k.cu", seed=seed).findings] for seed in range(6)}
    assert len({tuple(v) for v in said.values()}) == 2  # with and without the barrier


def test_a_loop_without_end_is_a_hang(folder: Path) -> None:
    write(folder, "while (n < 1000) y[0] = 0.0f;")
    found = check(folder / "k.cu", time_limit=0.5).findings[0]
    assert (found.kind, found.line) == ("hang", 5)
    assert "0.5 s" in found.message


def test_exit_statuses(folder: Path) -> None:
    done = command(folder, "k.cu", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["clean"] is True
    write(folder, "")
    done = command(folder, "k.cu")
    assert done.returncode == 1
    *told, code, mark, last = done.stdout.rstrip().splitlines()
    assert told[0].startswith("k.cu:6:21: race: thread 0 of group 0 reads shared s[63], which")
    assert "thread 63 of group 0 writes at k.cu:4" in " ".join(" ".join(told).split())
    assert (code, mark) == ("    if (i < n) y[i] = s[63 - threadIdx.x];", " " * 22 + "^")
    assert max(map(len, (*told, code))) <= 80
    assert last.startswith("k: 1 defect at 3 sizes on an emulated h100-sxm, seed ")
    again = command(folder, "k.cu", "--json", "--seed", last.split()[-1], "--on", "m4")
    assert again.returncode == 1
    told = json.loads(again.stdout)
    assert (told["seed"], told["machine"]) == (last.split()[-1], "m4")
    for wrong in (["none.cu"], ["k.cu", "--on", "h1oo"], ["k.cu", "--seed", "xyz"], []):
        done = command(folder, *wrong)
        assert done.returncode == 2, done.stdout
        assert done.stderr
        assert "Traceback" not in done.stderr


METAL = """
    const uint i = thread_position_in_grid.x;
    const uint t = thread_position_in_threadgroup.x;
    threadgroup float s[64];
    s[t] = i < n ? x[i] : 0.0f;
#ifndef WITHOUT
    threadgroup_barrier(mem_flags::mem_threadgroup);
#endif
    if (i < n) y[i] = s[63 - t];
"""
OPENCL = """
__kernel void k(__global const float* x, __global float* y, int n) {
  __local float s[64];
  int i = get_global_id(0);
  s[get_local_id(0)] = i < n ? x[i] : 0.0f;
#ifndef WITHOUT
  barrier(CLK_LOCAL_MEM_FENCE);
#endif
  if (i < n) y[i] = s[63 - get_local_id(0)];
}
"""
BLOCKS = "#ifndef WITHOUT\n__syncthreads();\n#endif\n"
LANGUAGES = {
    ".cu": ("h100-sxm", SOURCE.replace("  BARRIER\n", BLOCKS), 8), ".hip": ("mi300x", SOURCE.replace("  BARRIER\n", BLOCKS), 8),
    ".cl": ("cpu", OPENCL, 9), ".metal": ("m4", METAL, 9),
}  # fmt: skip


@pytest.mark.parametrize("suffix", LANGUAGES)
def test_every_language(tmp_path: Path, suffix: str) -> None:
    machine, source, line = LANGUAGES[suffix]
    (tmp_path / f"k{suffix}").write_text(source)
    spec = SPEC.replace("k.cu", f"k{suffix}").replace('"i32"', '"u32"' if suffix == ".metal" else '"i32"')
    for defines, lines in (("", []), ('defines = { WITHOUT = "1" }', [line])):
        (tmp_path / "k.kernel.toml").write_text(spec.replace("[sizes]", f"{defines}\n[sizes]"))
        report = check(tmp_path / f"k{suffix}")
        assert report.machine == machine
        assert [(f.kind, f.line, f.file, f.buffer) for f in report.findings] == [
            ("race", n, f"k{suffix}", "s") for n in lines
        ]


def test_a_source_that_cannot_be_read(folder: Path) -> None:
    write(folder, 'asm volatile("nonsense");')
    done = command(folder, "k.cu")
    assert done.returncode != 0
    assert "k.cu:5" in done.stderr
    assert "Traceback" not in done.stderr
    with pytest.raises(SpecError, match="no such file"):
        check(folder / "other.cu")
