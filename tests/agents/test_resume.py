"""A run that is killed with SIGKILL goes on with nothing lost and nothing asked twice."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
from gpuport.agents.trace import Trace, TraceError

BENCHMARK = Path(__file__).parents[2] / "benchmarks" / "swarm.py"


def benchmark() -> ModuleType:
    spec = importlib.util.spec_from_file_location("swarm_benchmark", BENCHMARK)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_small_run_is_killed_and_resumed(tmp_path: Path) -> None:
    found = benchmark().run(tmp_path, 10, 2)
    assert found["faults"] == []
    assert found["status_of_first"] == -9
    assert 5 <= found["judged_before_kill"] < 10
    # which kinds are among the ten hangs on what was on its way at the kill: the next answer is of another kind
    assert found["verdicts"].keys() == {"passed", "REFUTED", "REFUSED", "no answer"}
    assert sum(found["verdicts"].values()) == 11  # the translator's, and ten


def test_two_runs_on_one_trace_are_kept_apart(tmp_path: Path) -> None:
    file = tmp_path / "trace.jsonl"
    code = f"""
import pathlib, sys
from gpuport.agents.trace import Trace
trace = Trace(pathlib.Path({str(file)!r}))
print("held", flush=True)
sys.stdin.read()
"""
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as first:
        assert first.stdout is not None
        assert first.stdout.readline() == b"held\n"
        with pytest.raises(TraceError, match="another run is writing it"):
            Trace(file, resume=True)
        first.kill()
    Trace(file, resume=True).add("one")


def test_a_line_that_a_kill_cut_off_is_removed(tmp_path: Path) -> None:
    file = tmp_path / "t" / "trace.jsonl"
    trace = Trace(file, lambda line: line.replace("secret", "[key]"))
    trace.add("one", a=1, said="a secret")
    file.write_text(file.read_text() + '{"event": "two", "x": "' + "y" * 200_000)
    with pytest.raises(TraceError, match="holds a run already"):
        Trace(file)
    again = Trace(file, resume=True)
    again.add("three")
    assert [e["event"] for e in again.events()] == ["one", "three"]
    assert "secret" not in file.read_text()
    file.write_text("[" * 100_000 + "\n" + json.dumps({"event": "one"}) + "\n")
    with pytest.raises(TraceError, match=r"trace\.jsonl:1: expected a JSON object"):
        list(Trace(file, resume=True).events())
    file.write_text("no end of a line")
    assert list(Trace(file, resume=True).events()) == []
