"""An MCP server that lets coding agents write kernels and gpuport judge them."""

from __future__ import annotations

import json
import secrets
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..hwmodels import load_machine, machine_names
from ..hwmodels.compare import compare
from ..hwmodels.errors import GpuportError
from ..hwmodels.show import machine_record
from ..porting.port import backends_for
from ..porting.port import port as port_kernel
from ..porting.spec import Kernel
from ..porting.translate import read_kernel, translate
from ..porting.verify.oracle import Oracle
from ..porting.verify.verify import Case
from ..porting.verify.verify import verify as verify_text
from .errors import ModelError
from .prompts import Situation, tokens, worker_prompt
from .scan import scan

if TYPE_CHECKING:
    from mcp.server.fastmcp import FastMCP

INSTRUCTIONS = (
    "gpuport ports GPU kernels between devices and judges ports. Write kernels yourself, starting from the text that "
    "`port` gives, and let `verify` judge them: only its verdict counts."
)


def build_server() -> FastMCP:
    """Return the server with its tools. Raises ModelError where the package mcp is missing."""
    try:
        from mcp.server.fastmcp import FastMCP
    except ImportError:
        raise ModelError("the package mcp is not installed: pip install 'gpuport[agents]'") from None
    server = FastMCP("gpuport", instructions=INSTRUCTIONS)
    for tool in (machines, diff, port, verify, prompt):
        server.add_tool(_guarded(tool), name=tool.__name__, description=tool.__doc__)
    return server


def _guarded(tool: Any) -> Any:
    """Turn gpuport's errors into an answer of one line, which an agent can act on."""
    from functools import wraps

    @wraps(tool)
    def call(*args: Any, **kwargs: Any) -> str:
        try:
            return tool(*args, **kwargs)
        except GpuportError as error:
            return json.dumps({"error": str(error)})

    return call


def machines(name: str = "") -> str:
    """List the machines, or give every fact of one with its unit and source."""
    if not name:
        return json.dumps(machine_names())
    return json.dumps(machine_record(load_machine(name)))


def diff(src: str, dst: str) -> str:
    """What changes for a kernel from one machine to another, the most consequential first."""
    changes = compare(load_machine(src), load_machine(dst))
    return json.dumps([{"what": c.label, "from": c.source, "to": c.destination, "why": c.why} for c in changes])


def port(kernel: str, src: str, dst: str) -> str:
    """Port a kernel (path of its source or spec) with the deterministic porter: verdict, text, decisions."""
    report = port_kernel(kernel, src, dst)
    return json.dumps(
        {
            "verdict": report.verdict,
            "reason": report.reason,
            "source": report.source,
            "decisions": [f"{d.what}: {d.why}" for d in report.decisions],
            "diagnostics": [f"{d.number} line {d.line}: {d.message}" for d in report.diagnostics],
        }
    )


def verify(kernel: str, src: str, dst: str, source: str, header: str = "") -> str:
    """Judge a kernel text of yours against the spec beside `kernel`: every gate at every size, with a fresh seed.

    `source` is the whole file (OpenCL C), or the body for Metal with its helper functions in `header`. The interface is
    that of the text which `port` gives.
    """
    spec = Kernel.load(kernel)
    origin, machine, program = load_machine(src), load_machine(dst), read_kernel(spec)
    [translated, *_] = translate(program, origin, machine)
    text = replace(translated.text, source=source, header=header)
    if why := scan(text, spec):
        return json.dumps({"verdict": "REFUSED", "reason": why})
    oracle = Oracle(spec, program.program, origin, secrets.randbits(64))
    cases = [Case(s, spec.launch(s, program.constants), spec.launch(s, translated.constants)) for s in spec.size_sets()]
    backends = backends_for(machine, text.language)
    gates: list[dict[str, Any]] = []
    for backend in reversed(backends):
        found = verify_text(text, oracle, cases, machine, backend, time_limit=20.0)
        gates += [g.model_dump(mode="json", exclude_defaults=True) for g in found.gates if g.verdict != "tested"]
        if found.verdict != "tested":
            verdict = "REFUTED" if found.verdict == "refuted" else "UNVERIFIED"
            return json.dumps({"verdict": verdict, "reason": found.reason, "gates": gates})
    where = "VERIFIED (device)" if backends != ["emulator"] else "VERIFIED (emulated)"
    return json.dumps({"verdict": where, "reason": "", "gates": gates})


def prompt(kernel: str, src: str, dst: str, advice: str = "") -> str:
    """The brief that gpuport would give to a worker: the kernel, the machines' facts and differences, the idioms."""
    text, _ = worker_brief(kernel, src, dst, advice)
    return text


def worker_brief(kernel: str, src: str, dst: str, advice: str = "") -> tuple[str, int]:
    """Return a worker's prompt as text and an estimate of its tokens."""
    from ..ir.diagnostics import Refusal

    spec = Kernel.load(kernel)
    source = read_kernel(spec)
    origin, machine = load_machine(src), load_machine(dst)
    translated, diagnostics = None, ()
    try:
        [translated, *_] = translate(source, origin, machine)
        diagnostics = tuple(map(str, translated.diagnostics))
    except Refusal as refusal:
        diagnostics = tuple(map(str, refusal.diagnostics))
    text = spec.source.read_text(encoding="utf-8", errors="replace")
    situation = Situation(source, text, origin, machine, translated, False, diagnostics, advice)
    messages = worker_prompt(situation, "the best that you can think of")
    return "\n\n".join(f"[{m['role']}]\n{m['content']}" for m in messages), tokens(messages)
