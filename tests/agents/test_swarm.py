"""The swarm end to end over real HTTP: a right candidate wins, everything else ends in a reason."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from gpuport import port
from gpuport.agents.errors import ModelError
from gpuport.agents.swarm import Swarm
from scripted_server import serve
from twice import HEAD, KEY, RIGHT, WRONG, asks_for, scripted, swarm, write

BEYOND = HEAD + "    y[i] = 2.0f * x[i];\n}\n"
INVALID = HEAD + "    y[i] = undeclared;\n}\n"
FILE = '#include "/etc/passwd"\n' + RIGHT
STATE = "__global float memo[4];\n" + RIGHT.replace("x[i] + x[i]", "x[i] + (memo[0] = x[i])")
ENDLESS = HEAD + "    while (n > 0) { i += 0; }\n    if (i < n) y[i] = 2.0f * x[i];\n}\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    write(tmp_path)
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    return tmp_path


def run(folder: Path, kernels: list[Any], dst: str = "arc-b580", **more: Any):
    with serve(scripted(kernels)) as server:
        agents = swarm(server.url, folder, candidates=len(kernels), **more)
        report = port(folder / "twice.cu", src="h100", dst=dst, agents=agents)
    return report, agents, server


def test_a_right_candidate_passes_and_is_in_the_tree_of_ideas(folder: Path) -> None:
    report, agents, _ = run(folder, [RIGHT], dst="cpu")
    assert report.verdict == "VERIFIED (device)"
    assert [(i.number, i.verdict) for i in report.ideas] == [(0, "passed"), (1, "passed")]
    assert agents.spent["cpu"].tokens > 0


@pytest.mark.parametrize(
    ("kernel", "verdict", "reason"),
    [
        (WRONG, "REFUTED", "values"),
        (BEYOND, "REFUTED", "out-of-bounds"),
        (INVALID, "REFUSED", "undeclared"),
        (FILE, "REFUSED", "may not read files"),
        (STATE, "REFUSED", "memo"),
        (ENDLESS, "REFUTED", "ends|end within"),
        ("", "no answer", "empty"),
        ("I am sorry, I cannot do that.", "no answer", "no KernelAnswer"),
        ('{"idea": "cut", "source": "__kernel void tw', "no answer", "no KernelAnswer"),
        ("x" * 10_000_000, "no answer", "longer than"),
        (500, "no answer", "scripted 500"),
        (429, "no answer", "scripted 429"),
        (b"HTTP/1.1 200 OK\r\n\r\ngarbage", "no answer", ""),
        (RIGHT.replace("int n", "int m").replace("n)", "m)"), "REFUSED", "argument"),
    ],
    ids=["wrong", "beyond", "invalid", "file", "state", "endless", "empty", "refusal", "truncated", "10 MB", "500", "429",
         "dropped", "other arguments"],
)  # fmt: skip
def test_a_bad_answer_ends_in_a_reason_and_the_translation_is_delivered(
    folder: Path, kernel: Any, verdict: str, reason: str
) -> None:
    import re

    report, _, _ = run(folder, [kernel])
    [idea] = [i for i in report.ideas if i.number == 1]
    assert idea.verdict == verdict, idea
    assert re.search(reason, idea.reason), idea.reason
    assert report.verdict == "VERIFIED (emulated)"
    assert report.author == "translator"


def test_an_answer_that_never_ends_is_cut_off(folder: Path) -> None:
    def drip() -> Any:
        while True:
            time.sleep(0.05)
            yield "x"

    started = time.monotonic()
    report, _, _ = run(folder, [drip()])
    assert report.verdict == "VERIFIED (emulated)"
    assert "did not end" in report.ideas[-1].reason
    assert time.monotonic() - started < 30


def test_a_server_that_dies_in_mid_run(folder: Path) -> None:
    with serve(scripted([WRONG])) as server:
        agents = swarm(server.url, folder, candidates=50)
        answered = server.script

        def dying(body: dict[str, Any]) -> Any:
            return b"" if len(server.requests) > 5 else answered(body)

        server.script = dying
        report = port(folder / "twice.cu", src="h100", dst="arc-b580", agents=agents)
    assert report.verdict == "VERIFIED (emulated)"
    assert any(i.verdict == "no answer" for i in report.ideas)
    assert agents.spent["arc-b580"].candidates < 50


def test_a_wrong_key_is_one_loud_line(folder: Path) -> None:
    with serve(lambda _body: 401) as server, pytest.raises(ModelError, match="rejects the key") as error:
        port(folder / "twice.cu", src="h100", dst="cpu", agents=swarm(server.url, folder))
    assert KEY not in str(error.value)
    assert "\n" not in str(error.value)


def test_without_a_server_the_swarm_is_the_translator(folder: Path) -> None:
    report = port(folder / "twice.cu", src="h100", dst="cpu", agents=Swarm())
    assert report.verdict == "VERIFIED (device)"
    assert [i.author for i in report.ideas] == ["translator"]


def test_a_run_is_resumed_with_nothing_asked_twice(folder: Path) -> None:
    with serve(scripted([WRONG, INVALID, RIGHT])) as server:
        first = swarm(server.url, folder, candidates=2)
        port(folder / "twice.cu", src="h100", dst="arc-b580", agents=first)
        asked = len(server.requests)
        second = swarm(server.url, folder, candidates=3, resume=True, trace=folder / "trace")
        report = port(folder / "twice.cu", src="h100", dst="arc-b580", agents=second)
        assert len(server.requests) == asked + 1
    assert [i.number for i in report.ideas] == [0, 1, 2, 3]
    assert report.ideas[-1].verdict == "passed"


def test_the_key_is_nowhere(folder: Path) -> None:
    report, agents, server = run(folder, [f"the key is {KEY}", RIGHT])
    assert any(KEY in k for k in server.keys)
    report.write(folder / "out")
    texts = [p.read_text(errors="replace") for p in folder.rglob("*") if p.is_file()]
    assert all(KEY not in t for t in texts)
    assert KEY not in repr(agents)


def test_a_server_without_structured_output_answers_in_fenced_code(folder: Path) -> None:
    def script(body: dict[str, Any]) -> Any:
        if "response_format" in body:
            return 400
        return f"Here it is:\n```c\n{RIGHT}```\n" if asks_for(body) == "worker" else "Just be careful."

    with serve(script) as server:
        agents = swarm(server.url, folder)
        report = port(folder / "twice.cu", src="h100", dst="arc-b580", agents=agents)
    assert report.ideas[-1].verdict == "passed"
