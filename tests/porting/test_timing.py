"""Times: which samples are kept, what is said of them, and the roofline's floor by hand."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gpuport.backends.base import KernelText, Launch, RunResult, TextParam
from gpuport.backends.isolate import Compiled, Crashed, Done, Isolated
from gpuport.backends.opencl.runtime import OpenCLBackend
from gpuport.hwmodels import load_machine
from gpuport.porting.spec import Kernel
from gpuport.porting.timing import BATCH, KEPT, MOST_BATCHES, measure, minimal_bytes, predicted_floor, spread
from hypothesis import given
from hypothesis import strategies as st

EXAMPLES = Path(__file__).parents[2] / "examples"
GROUP = Launch((1, 1, 1), (64, 1, 1))


class Scripted:
    """Stands for `Isolated`: its n-th run takes `times(n)` seconds per launch by the device's clock."""

    def __init__(self, times: Any) -> None:
        self.times, self.asked = times, list[int]()

    def compile(self) -> Compiled:
        return Compiled(0.0)

    def run(self, launch: Launch, args: Any, *, repeats: int = 0) -> Any:
        del launch, args
        self.asked.append(repeats)
        seconds = self.times(len(self.asked) - 1)
        if seconds is None:
            return Crashed("SIGSEGV")
        return Done(RunResult({}, seconds=[seconds] * repeats, device="dev", timing="by script"))


def timed(times: Any, **options: Any) -> tuple[Any, Scripted]:
    scripted = Scripted(times)
    return measure(scripted, GROUP, {}, size={"n": 1}, **options), scripted  # pyright: ignore[reportArgumentType]


def test_batches_until_steady_and_only_the_last_are_kept():
    timing, scripted = timed(lambda n: 5e-3 if n < 3 else 1e-3)
    assert scripted.asked == [1, *[BATCH] * 5]
    assert timing.samples == (1e-3,) * (KEPT * BATCH)
    assert (timing.median, timing.device, timing.size) == (1e-3, "dev", {"n": 1})
    assert timing.method == "by script; 30 samples after 21 that are not kept, batch medians within 0.0%"


def test_a_device_that_is_never_steady_is_said_to_be_so():
    timing, scripted = timed(lambda n: 1e-3 * (1 + n))
    assert len(scripted.asked) == 1 + MOST_BATCHES
    assert "batch medians within 22.2%" in timing.method  # 11 / 9 - 1


@pytest.mark.parametrize("bad", [0, 1, 3])
def test_a_run_that_fails_gives_no_time(bad: int):
    timing, _ = timed(lambda n: None if n == bad else 1.0 + n)
    assert timing is None


def test_an_empty_launch_gives_no_time():
    scripted = Scripted(lambda n: 1.0)
    scripted.run = lambda *a, **k: Done(RunResult({}))  # pyright: ignore[reportAttributeAccessIssue]
    assert measure(scripted, GROUP, {}, size={}) is None  # pyright: ignore[reportArgumentType]


def test_a_slow_kernel_is_launched_as_often_as_the_budget_allows(monkeypatch: pytest.MonkeyPatch):
    now = [0.0]
    monkeypatch.setattr("gpuport.porting.timing.time.monotonic", lambda: now[0])

    def slow(n: int) -> float:
        del n
        now[0] += 3.0
        return 1.5

    timing, scripted = timed(slow, budget=2.0)
    assert scripted.asked == [1, 1]
    assert timing.samples == (1.5,)


@given(st.lists(st.lists(st.floats(1e-6, 1.0), min_size=1, max_size=5), min_size=1, max_size=4))
def test_spread_is_none_for_one_batch_and_never_negative(batches: list[list[float]]):
    assert spread(batches) >= 0
    assert spread(batches[:1]) == 0
    assert spread([*batches, [0.0]]) == math.inf


@pytest.mark.parametrize(
    ("name", "sizes", "expected"),
    [
        ("softmax", {"rows": 4, "cols": 8}, 2 * 4 * 8 * 4),  # x read, y written
        ("transpose", {"rows": 3, "cols": 5}, 2 * 3 * 5 * 4),
        ("rmsnorm", {"rows": 2, "cols": 16}, 2 * 2 * 16 * 4 + 16 * 4),  # and the weights
        ("sgemm", {"M": 2, "N": 3, "K": 4}, (2 * 4 + 4 * 3 + 2 * 3) * 4),  # A and B read, C written
        ("histogram", {"n": 1000}, 1000 + 2 * 256 * 4),  # bytes read, bins read and written
    ],
)
def test_least_bytes_of_the_examples(name: str, sizes: dict[str, int], expected: int):
    kernel = Kernel.load(EXAMPLES / name / f"{name}.kernel.toml")
    assert minimal_bytes(kernel, sizes) == expected


def test_the_floor_is_bytes_over_bandwidth_and_names_its_fact():
    kernel = Kernel.load(EXAMPLES / "softmax" / "softmax.kernel.toml")
    machine, sizes = load_machine("h200"), {"rows": 4096, "cols": 1024}
    floor = predicted_floor(kernel, machine, sizes)
    assert floor is not None
    assert floor.seconds == pytest.approx(2 * 4096 * 1024 * 4 / machine.number("memory.bandwidth"))
    assert [f.path for f in floor.facts] == ["memory.bandwidth"]
    assert "33554432 bytes" in floor.basis


def test_without_a_known_bandwidth_there_is_no_floor():
    kernel = Kernel.load(EXAMPLES / "softmax" / "softmax.kernel.toml")
    assert predicted_floor(kernel, load_machine("cpu"), {"rows": 1, "cols": 1}) is None


def test_a_kernel_on_the_cpu_is_timed():
    found = OpenCLBackend().device_for(load_machine("cpu"))
    if found is None:
        pytest.skip("no OpenCL CPU device")
    source = "kernel void k(global const float *x, global float *y) { y[get_global_id(0)] = x[get_global_id(0)] + 1; }"
    text = KernelText(
        "opencl", "k", source, (TextParam("x", "buffer", "f32", "in"), TextParam("y", "buffer", "f32", "out"))
    )
    x = np.ones(1 << 16, np.float32)
    with Isolated("opencl", text, "cpu", time_limit=30) as isolated:
        timing = measure(isolated, Launch((256, 1, 1), (256, 1, 1)), {"x": x, "y": x}, size={"n": x.size}, budget=0.3)
    assert timing is not None
    assert timing.device == found
    assert 1e-7 < timing.median < 1.0
    assert "profiling events" in timing.method
