"""Kernels in a child process: crashes, hangs, allocations without end and broken answers are outcomes."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from gpuport.backends.base import KernelText, Launch, TextParam
from gpuport.backends.isolate import (
    Compiled,
    CompileFailed,
    Crashed,
    Done,
    Failed,
    Isolated,
    OutOfMemory,
    TimedOut,
    WorkerBug,
)
from gpuport.backends.opencl.runtime import OpenCLBackend

if TYPE_CHECKING:
    from collections.abc import Callable

GROUP = Launch((1, 1, 1), (64, 1, 1))
X = np.arange(64, dtype=np.float32)


def kernel(body: str, head: str = "") -> KernelText:
    """y[i] = ... of x[i] and n, in OpenCL C."""
    params = (
        TextParam("x", "buffer", "f32", "in"),
        TextParam("y", "buffer", "f32", "out"),
        TextParam("n", "scalar", "i32"),
    )
    source = (
        f"{head}\nkernel void k(global const float *x, global float *y, int n) {{\nint i = get_global_id(0);\n{body} }}"
    )
    return KernelText("opencl", "k", source, params, options=("-cl-std=CL1.2",))


def arguments(n: int) -> dict[str, Any]:
    return {"x": X, "y": np.full(64, np.nan, np.float32), "n": n}


def alive(pid: int) -> bool:
    """Whether a process runs; one that ended and was not waited for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def until(condition: Callable[[], bool], seconds: float = 10.0) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.02)
    return False


@pytest.fixture(scope="module")
def opencl() -> None:
    found = OpenCLBackend().availability()
    if not found.available:
        pytest.skip(f"no OpenCL: {found.detail}")


def pid_of(isolated: Isolated) -> int:
    assert isolated._child is not None
    return isolated._child.process.pid


@pytest.mark.usefixtures("opencl")
class TestOpenCL:
    def test_a_kernel_that_prints_runs_and_its_child_serves_all_runs(self):
        with Isolated("opencl", kernel('printf("noise %d\\n", i); y[i] = x[i] + n;'), "cpu", time_limit=20) as isolated:
            compiled = isolated.compile()
            assert isinstance(compiled, Compiled)
            child = pid_of(isolated)
            for n in (1, 2):
                done = isolated.run(GROUP, arguments(n), guard_bytes=64, repeats=2)
                assert isinstance(done, Done)
                assert np.array_equal(done.result.buffers["y"], X + n)
                assert np.array_equal(done.result.buffers["x"], X)
                assert len(done.result.seconds) == 2
            wrong = isolated.run(GROUP, {**arguments(1), "n": "one"})
            assert wrong == Failed("argument n: expected a value of i32, got 'one'", "ArgumentError")
            assert pid_of(isolated) == child
        assert until(lambda: not alive(child))

    def test_a_segmentation_fault_is_an_outcome_and_the_next_run_has_a_new_child(self):
        text = kernel("if (n == 1) *(global int *)(ulong)16 = 3; y[i] = x[i];")
        with Isolated("opencl", text, "cpu", time_limit=20) as isolated:
            crashed = isolated.run(GROUP, arguments(1))
            assert isinstance(crashed, Crashed)
            assert crashed.reason.startswith("SIGSEGV")
            done = isolated.run(GROUP, arguments(2))
            assert isinstance(done, Done)
            assert np.array_equal(done.result.buffers["y"], X)

    def test_a_kernel_without_end_is_killed_at_the_limit(self):
        text = kernel("while (n == 1) { y[0] += 1; mem_fence(CLK_GLOBAL_MEM_FENCE); } y[i] = x[i];")
        with Isolated("opencl", text, "cpu", time_limit=20) as isolated:
            assert isinstance(isolated.compile(), Compiled)
            child, start = pid_of(isolated), time.monotonic()
            assert isolated.run(GROUP, arguments(1), time_limit=0.5) == TimedOut(0.5)
            assert time.monotonic() - start < 5
            assert not alive(child)
            assert isinstance(isolated.run(GROUP, arguments(2)), Done)

    def test_memory_without_end_stops_at_the_limit(self):
        text = kernel("float a[1 << 26]; a[i] = n; y[i] = a[n * 3];")
        with Isolated("opencl", text, "cpu", time_limit=60, memory_limit=1 << 30) as isolated:
            outcome = isolated.run(GROUP, arguments(1))
        # PoCL does not look at what malloc returns: a fault as often as an end for want of memory
        assert isinstance(outcome, OutOfMemory | Crashed)

    def test_arguments_beyond_the_limit_are_out_of_memory_and_smaller_ones_run(self):
        # the stacks of PoCL's threads count too
        limit = (1 << 29) + (os.cpu_count() or 1) * (64 << 20)
        with Isolated("opencl", kernel("y[i] = x[i];"), "cpu", time_limit=60, memory_limit=limit) as isolated:
            outcome = isolated.run(GROUP, {**arguments(1), "y": np.zeros(limit // 8, np.float32)})
            assert isinstance(outcome, OutOfMemory)
            assert isinstance(isolated.run(GROUP, arguments(1)), Done)

    def test_a_compile_error_is_final_and_keeps_the_log(self):
        with Isolated("opencl", kernel("y[i] = zz;"), "cpu", time_limit=20) as isolated:
            outcome = isolated.compile()
            assert isinstance(outcome, CompileFailed)
            assert outcome.message == "k: k.cl:4:8: use of undeclared identifier 'zz'"
            assert "zz" in outcome.log
            assert isolated.run(GROUP, arguments(1)) is outcome

    def test_two_threads_have_two_children(self):
        results: dict[int, Any] = {}

        def work(n: int) -> None:
            with Isolated("opencl", kernel(f"y[i] = x[i] * {n};"), "cpu", time_limit=30) as isolated:
                results[n] = isolated.run(GROUP, arguments(0))

        threads = [threading.Thread(target=work, args=(n,)) for n in (2, 3)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        for n in (2, 3):
            assert isinstance(results[n], Done)
            assert np.array_equal(results[n].result.buffers["y"], X * n)

    def test_a_child_does_not_outlive_its_parent(self):
        script = """
            import os, threading, time
            import numpy as np
            from gpuport.backends.base import KernelText, Launch, TextParam
            from gpuport.backends.isolate import Isolated
            source = "kernel void k(global volatile float *y) { while (y[0] == 0) ; }"
            text = KernelText("opencl", "k", source, (TextParam("y", "buffer", "f32", "inout"),))
            isolated = Isolated("opencl", text, "cpu", time_limit=60)
            isolated.compile()
            args = {"y": np.zeros(1, np.float32)}
            threading.Thread(target=isolated.run, args=(Launch((1, 1, 1), (1, 1, 1)), args), daemon=True).start()
            time.sleep(0.5)
            print(isolated._child.process.pid, flush=True)
            os._exit(0)
        """
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        done = subprocess.run(
            [sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True, env=environment, check=True
        )
        child = int(done.stdout)
        assert until(lambda: not alive(child))


def fake(script: str) -> tuple[str, ...]:
    """A worker that says that it is ready, then reads one request and runs a script instead of answering."""
    head = """
        import os, pickle, signal, sys, time
        from gpuport.backends import wire
        requests, answers = int(sys.argv[1]), int(sys.argv[2])
        def send(parts):
            os.write(answers, b"".join(bytes(p) for p in parts))
        def receive():
            length = int.from_bytes(os.read(requests, 8), "little")
            data = b""
            while len(data) < length:
                data += os.read(requests, length - len(data))
            return pickle.loads(data)
        send(wire.answer("ready"))
        request = receive()
    """
    return (sys.executable, "-c", textwrap.dedent(head) + textwrap.dedent(script))


def compiled_by(script: str, limit: float = 10.0) -> Any:
    with Isolated("opencl", kernel(""), "cpu", time_limit=limit, compile_limit=limit, command=fake(script)) as isolated:
        return isolated.compile()


def test_a_child_that_dies_at_its_start_says_why():
    command = (sys.executable, "-c", "import sys; sys.exit('no such library')")
    with Isolated("opencl", kernel(""), "cpu", time_limit=5, command=command) as isolated:
        assert isolated.compile() == Crashed("exit status 1", "no such library")
        assert str(isolated.run(GROUP, arguments(1))) == "crashed: exit status 1: no such library"


def test_a_child_that_was_killed_by_the_system_had_no_memory():
    outcome = compiled_by("os.kill(os.getpid(), signal.SIGKILL)")
    assert isinstance(outcome, OutOfMemory)
    assert "SIGKILL" in outcome.reason


def test_standard_error_is_bounded_and_its_last_line_kept():
    outcome = compiled_by("sys.stderr.write('x' * 10_000_000 + '\\nthe end\\n'); sys.stderr.flush(); os.abort()")
    assert isinstance(outcome, Crashed)
    assert outcome.reason.startswith("SIGABRT")
    assert outcome.stderr == "the end"


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("os.write(answers, b'\\xff' * 64); time.sleep(9)", "too long"),
        ("send(wire.frame(b'garbage')); time.sleep(9)", "no JSON head"),
        ("send(wire.answer('well')); time.sleep(9)", "kind 'well'"),
        ("send(wire.answer('compiled') + wire.answer('compiled')); time.sleep(9)", "more than one"),
        ("send(wire.answer('compiled')); receive(); send(wire.answer('done')); time.sleep(9)", "no result of a run"),
        ("send(wire.answer('compiled')); receive(); os.close(answers); time.sleep(9)", "closed its pipe"),
    ],
)
def test_answers_that_are_none_are_crashes(script: str, reason: str):
    with Isolated("opencl", kernel(""), "cpu", time_limit=1, command=fake(script)) as isolated:
        outcome = isolated.run(GROUP, arguments(1))
    assert isinstance(outcome, Crashed)
    assert reason in outcome.reason


def test_an_error_of_our_own_is_raised_with_the_childs_traceback():
    with pytest.raises(WorkerBug, match="KeyError: 'gone'"):
        compiled_by("send(wire.answer('bug', message=\"Traceback ...\\nKeyError: 'gone'\")); time.sleep(9)")


def test_what_a_run_is_asked_for_reaches_the_child():
    script = """
        send(wire.answer('compiled', seconds=0.5))
        options = receive()['options']
        send(wire.answer('failed', message=repr(sorted(options.items())), error='Echo'))
        time.sleep(9)
    """
    with Isolated("opencl", kernel(""), "cpu", time_limit=10, command=fake(script)) as isolated:
        assert isolated.compile() == Compiled(0.5)
        outcome = isolated.run(GROUP, arguments(1), guard_bytes=8, repeats=3, order_seed=7)
    assert outcome == Failed("[('guard_bytes', 8), ('order_seed', 7), ('repeats', 3)]", "Echo")


def test_a_child_is_killed_with_all_that_it_started(tmp_path: Path):
    note = tmp_path / "pid"
    script = f"""
        import subprocess
        other = subprocess.Popen(["sleep", "60"])
        open({str(note)!r}, "w").write(str(other.pid))
        time.sleep(60)
    """
    assert compiled_by(script, limit=1.5) == TimedOut(1.5)
    assert until(lambda: not alive(int(note.read_text())))


def test_an_unknown_backend_is_one_line():
    with Isolated("opengl", kernel(""), "cpu", time_limit=10) as isolated:
        expected = "no backend is called 'opengl'; known: opencl, cuda, metal, emulator"
        assert isolated.compile() == Failed(expected, "GpuportError")


def test_an_emulated_kernel_without_room_is_out_of_memory():
    text = kernel("float a[1 << 24]; a[i] = n; y[i] = a[n];")
    with Isolated("emulator", text, "m4", time_limit=30, memory_limit=1 << 30) as isolated:
        assert isinstance(isolated.run(GROUP, arguments(1)), OutOfMemory)


def test_the_emulator_runs_in_a_child_too():
    with Isolated("emulator", kernel("if (i <= n) y[i] = x[i] + n;"), "m4", time_limit=30) as isolated:
        done = isolated.run(GROUP, arguments(63), order_seed=1)
        assert isinstance(done, Done)
        assert np.array_equal(done.result.buffers["y"], X + 63)
        wide = isolated.run(Launch((2, 1, 1), (64, 1, 1)), arguments(64))
        assert isinstance(wide, Done)
        assert [f.kind for f in wide.result.findings] == ["out-of-bounds", "out-of-bounds"]


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_the_child_is_given_no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "MY_TOKEN", "DB_PASSWORD"):
        monkeypatch.setenv(name, "sk-very-secret")
    monkeypatch.setenv("KEYBOARD", "for all to see")
    with Isolated("opencl", kernel("if (i < n) y[i] = x[i];"), "cpu", time_limit=20.0) as isolated:
        assert isinstance(isolated.run(GROUP, arguments(64)), Done)
        assert isolated._child is not None
        given = Path(f"/proc/{isolated._child.process.pid}/environ").read_text()
    assert "sk-very-secret" not in given
    assert "for all to see" in given
