"""The MCP server, spoken to by the official client in a process of its own."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest
import twice

pytest.importorskip("mcp", reason="the extra agents is not installed")


def talk(root: Path, calls: list[tuple[str, dict[str, Any]]]) -> tuple[set[str], list[Any]]:
    from mcp import ClientSession, StdioServerParameters
    from mcp.client.stdio import stdio_client

    async def session() -> tuple[set[str], list[Any]]:
        command = StdioServerParameters(
            command=sys.executable,
            args=["-c", "from gpuport.cli import main; main()", "mcp", "--root", str(root)],
            env={"PYTHONPATH": os.environ.get("PYTHONPATH", "")},  # the client hands few variables on
        )
        async with stdio_client(command) as (read, write), ClientSession(read, write) as client:
            await client.initialize()
            tools = {t.name for t in (await client.list_tools()).tools}
            answers = []
            for name, arguments in calls:
                text = (await client.call_tool(name, arguments)).content[0].text
                answers.append(json.loads(text) if text.startswith(("{", "[{", '["')) else text)
            return tools, answers

    return asyncio.run(session())


def test_an_agent_ports_and_has_its_own_kernels_judged(tmp_path: Path) -> None:
    twice.write(tmp_path)
    (tmp_path / "racy.cu").write_text(twice.SOURCE.replace("y[i] = 2.0f * x[i]", "y[0] = 2.0f * x[i]"))
    (tmp_path / "racy.kernel.toml").write_text(twice.SPEC.replace("twice.cu", "racy.cu"))
    (tmp_path / "loud_ref.py").write_text(
        "print('loud')\ndef f(inputs):\n    print('louder')\n    return {'y': 2.0 * inputs['x']}\n"
    )
    loud = twice.SPEC.replace("[verify]", '[reference]\npython = "loud_ref:f"\n[verify]')
    (tmp_path / "loud.kernel.toml").write_text(loud)
    there = {"kernel": "twice.cu", "src": "h100", "dst": "mi300x", "source": ""}
    here = {**there, "dst": "cpu"}
    no_source = {k: v for k, v in there.items() if k != "source"}
    hostile = '#include "/etc/passwd"\n' + twice.RIGHT
    tools, answers = talk(
        tmp_path,
        [
            ("machines", {}),
            ("machines", {"name": "m5x"}),
            ("diff", {"src": "h100", "dst": "mi300x"}),
            ("port", {**no_source, "kernel": "loud.kernel.toml", "dst": "arc-b580"}),
            ("check", {"kernel": "racy.cu"}),
            ("verify", {**here, "source": twice.RIGHT}),
            ("verify", {**here, "source": twice.WRONG}),
            ("verify", {**here, "source": hostile}),
            ("bench", {**here, "source": twice.RIGHT}),
            ("bench", there),
            ("bench", {**here, "source": twice.WRONG}),
            ("prompt", no_source),
            ("port", {**no_source, "kernel": "../../../etc/passwd"}),
            ("diff", {"src": "h100", "dst": "/etc/passwd"}),
            ("port", {**no_source, "kernel": "a\0b.cu"}),
            ("port", {**no_source, "kernel": "a" * 5000}),
            ("verify", {**here, "source": "x" * 300_000}),
            ("verify", {**here, "source": twice.RIGHT, "header": "#define n 0"}),
        ],
    )
    assert tools == {"machines", "diff", "port", "check", "verify", "bench", "prompt"}
    names, unknown, changes, ported, checked, right, wrong, refused, timed, floor, untimed, brief, out, file, *odd = (
        answers
    )
    assert "h100-sxm" in names
    assert "m5" in unknown["error"]
    assert changes[0]["what"]
    assert ported["verdict"] == "VERIFIED (emulated)", ported
    assert "race" in {f["kind"] for f in checked["findings"]}
    assert right["verdict"] == "VERIFIED (device)"
    assert wrong["verdict"] == "REFUTED"
    assert wrong["gates"][0]["gate"] == "values"
    assert refused["verdict"] == "REFUSED"
    assert timed["measured_seconds"] > 0
    assert floor["measured_seconds"] is None
    assert floor["predicted_floor_seconds"] > 0
    assert untimed["verdict"] == "REFUTED"
    assert "measured_seconds" not in untimed
    assert "«DATA kernel " in brief
    assert all("lies outside of" in answer["error"] for answer in (out, file))
    assert all(answer["error"] for answer in odd[:2])
    assert [answer["verdict"] for answer in odd[2:]] == ["REFUSED", "REFUSED"]
    assert "longer than" in odd[2]["reason"]
