"""What a port is counted to do, and the floor that rests on it."""

from __future__ import annotations

from pathlib import Path

import pytest
from gpuport import port
from gpuport.hwmodels import load_machine
from gpuport.porting.report import CountsRecord, Timing
from gpuport.porting.report.render import render_html, render_markdown
from gpuport.porting.timing import predicted_floor, too_fast
from gpuport.porting.work import float_operations, unavoidable_bytes

SPEC = """
[kernel]
source = "k.cu"
entry = "k"
[sizes]
n = [4096]
[args]
x = { dtype = "f32", shape = ["n"], role = "in" }
y = { dtype = "f32", shape = ["n"], role = "out" }
n = { dtype = "i32", value = "n" }
[launch]
grid = ["cdiv(n, 128)"]
block = [128]
"""
# every block reads the first 32 floats: 128 bytes from memory, whatever the spec's buffers are
SOURCE = """__global__ void k(const float* x, float* y, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) y[i] = fmaf(x[i % 32], 2.0f, 1.0f) * x[i % 32];
}
"""


def test_a_report_tells_what_the_port_does(tmp_path: Path) -> None:
    (tmp_path / "k.cu").write_text(SOURCE)
    (tmp_path / "k.kernel.toml").write_text(SPEC)
    report = port(tmp_path / "k.cu", src="h100", dst="rtx4090")
    assert report.verified, report.reason
    assert report.counts is not None
    assert report.floor is not None
    counts = report.counts.counts
    assert (counts["memory.read"], counts["memory.written"], counts["ops.f32"]) == (128, 4096 * 4, 4096)
    assert counts["math.f32.fma"] == 4096
    machine = load_machine("rtx4090")
    assert report.floor.memory_seconds == pytest.approx((128 + 4096 * 4) / machine.number("memory.bandwidth"))
    assert report.floor.compute_seconds == pytest.approx(3 * 4096 / machine.number("rates.vector.f32"))
    assert report.floor.seconds == max(report.floor.memory_seconds, report.floor.compute_seconds)
    assert "16512 bytes (128 read and 16384 written, each line once)" in report.floor.basis
    markdown, html = render_markdown(report), render_html(report)
    for text in (markdown, html):
        assert "128 read, 16,384 written, each line once" in text
        assert "384 requests of subgroups, 4 sectors of 32 B each, 1 × the least" in text
    assert "| functions | f32 fma 4,096 |" in markdown
    assert type(report).model_validate_json(report.model_dump_json()).counts == report.counts


def test_operations_on_floats_by_type() -> None:
    counts = {"ops.f32": 5, "ops.i32": 7, "math.f32.fma": 3, "math.f32.fmax": 9, "math.f16.exp": 2, "compares.f32": 4}
    assert float_operations(counts) == {"f32": 5 + 2 * 3, "f16": 2}


def test_a_time_is_doubted_only_below_what_the_reads_alone_take() -> None:
    machine = load_machine("h100")
    cache = machine.number("cache.l2.size")
    counts = CountsRecord(size={}, counts={"memory.read": 10**9, "memory.written": int(cache)})
    assert unavoidable_bytes(counts.counts, machine) == 10**9
    more = counts.model_copy(update={"counts": {**counts.counts, "memory.written": int(cache) + 5}})
    assert unavoidable_bytes(more.counts, machine) == 10**9 + 5
    least = 10**9 / machine.number("memory.bandwidth")
    kernel = object()  # with counts the spec is not asked
    floor = predicted_floor(kernel, machine, {}, counts)  # pyright: ignore[reportArgumentType]
    assert floor is not None
    assert floor.seconds > least
    for seconds, doubted in ((0.97 * least, True), (0.99 * least, False), (floor.seconds, False)):
        assert (
            too_fast(Timing(size={}, device="d", samples=(seconds,)), floor, machine, counts) is not None
        ) == doubted
