"""The MCP server, spoken to by the official client in a process of its own."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("mcp", reason="the extra agents is not installed")

EXAMPLES = Path(__file__).parents[2] / "examples"


def talk(calls: list[tuple[str, dict[str, Any]]]) -> tuple[set[str], list[Any]]:
    from mcp import ClientSession, StdioServerParameters
    from mcp.client.stdio import stdio_client

    async def session() -> tuple[set[str], list[Any]]:
        command = StdioServerParameters(
            command=sys.executable, args=["-c", "from gpuport.cli import main; main()", "mcp"]
        )
        async with stdio_client(command) as (read, write), ClientSession(read, write) as client:
            await client.initialize()
            tools = {t.name for t in (await client.list_tools()).tools}
            answers = []
            for name, arguments in calls:
                result = await client.call_tool(name, arguments)
                answers.append(json.loads(result.content[0].text) if name != "prompt" else result.content[0].text)
            return tools, answers

    return asyncio.run(session())


def test_an_agent_ports_and_has_its_own_kernel_judged() -> None:
    kernel = str(EXAMPLES / "transpose/transpose.cu")
    there = {"kernel": kernel, "src": "h100", "dst": "mi300x"}
    tools, [names, changes, ported, unknown, brief] = talk(
        [
            ("machines", {}),
            ("diff", {"src": "h100", "dst": "mi300x"}),
            ("port", there),
            ("machines", {"name": "m5x"}),
            ("prompt", there),
        ]
    )
    assert tools == {"machines", "diff", "port", "verify", "prompt"}
    assert "h100-sxm" in names
    assert changes[0]["what"]
    assert ported["verdict"] == "VERIFIED (emulated)"
    assert "m5" in unknown["error"]
    assert "«DATA kernel»" in brief
    wrong = ported["source"].replace("y[(r + j) * rows + c]", "y[(r + j) * rows + c + 1]")
    assert wrong != ported["source"]
    _, [right, refuted, hostile] = talk(
        [
            ("verify", {**there, "source": ported["source"]}),
            ("verify", {**there, "source": wrong}),
            ("verify", {**there, "source": '#include "/etc/passwd"\n' + ported["source"]}),
        ]
    )
    assert right["verdict"] == "VERIFIED (emulated)"
    assert refuted["verdict"] == "REFUTED"
    assert hostile["verdict"] == "REFUSED"
