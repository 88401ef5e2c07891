"""An MCP server that lets coding agents write kernels and gpuport judge them."""

from __future__ import annotations

import contextlib
import json
import secrets
import sys
from dataclasses import replace
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..hwmodels import Machine, load_machine, machine_names
from ..hwmodels.compare import compare
from ..hwmodels.errors import GpuportError
from ..hwmodels.show import machine_record
from ..ir.diagnostics import Refusal
from ..porting.candidate import Candidate
from ..porting.check import check as check_kernel
from ..porting.judge import Judgement, backends_for, judge
from ..porting.port import port as port_kernel
from ..porting.spec import Kernel
from ..porting.timing import measure_port
from ..porting.translate import read_kernel, translate
from ..porting.verify.oracle import Oracle
from ..porting.verify.sizes import Case, cases_for
from .answers import one_line
from .errors import ModelError
from .prompts import situation_of, tokens, worker_prompt
from .scan import scan

if TYPE_CHECKING:
    from collections.abc import Callable

    from mcp.server.fastmcp import FastMCP

    from ..porting.candidate import SourceProgram

INSTRUCTIONS = (
    "gpuport ports GPU kernels between devices and judges ports. Write kernels yourself, starting from the text that "
    "`port` gives, and let `verify` judge them: only its verdict counts. Kernels and model files are named by paths "
    "below the folder that the server was started in."
)
TIME_LIMIT = 20.0


def build_server(root: Path) -> FastMCP:
    """Return the server with its tools; the paths that they are given lead to no file outside `root`.

    A kernel below `root` includes what it likes, and a spec names Python that judging it runs: whoever may write there
    may read files and run code. Raises ModelError where the package mcp is missing.
    """
    try:
        from mcp.server.fastmcp import FastMCP
    except ImportError:
        raise ModelError("the package mcp is not installed: pip install 'gpuport[agents]'") from None
    server = FastMCP("gpuport", instructions=INSTRUCTIONS)
    tools = Tools(root)
    for tool in (tools.machines, tools.diff, tools.port, tools.check, tools.verify, tools.bench, tools.prompt):
        server.add_tool(_guarded(tool), name=tool.__name__, description=tool.__doc__)
    return server


def _guarded(tool: Callable[..., str]) -> Callable[..., str]:
    """Turn gpuport's errors into an answer of one line, which an agent can act on; keep prints out of the protocol."""

    @wraps(tool)
    def call(*args: Any, **kwargs: Any) -> str:
        try:
            with contextlib.redirect_stdout(sys.stderr):
                return tool(*args, **kwargs)
        except GpuportError as error:
            return json.dumps({"error": str(error)})
        except (OSError, ValueError, RecursionError) as error:  # a name that no file can have, a file nobody may read
            return json.dumps({"error": one_line(str(error), 300)})

    return call


class Tools:
    """The tools; each returns JSON, `prompt` plain text."""

    def __init__(self, root: Path) -> None:
        self._root = root.resolve()

    def machines(self, name: str = "") -> str:
        """List the machines, or give every fact of one with its unit and source."""
        return json.dumps(machine_record(self._machine(name)) if name else machine_names())

    def diff(self, src: str, dst: str) -> str:
        """What changes for a kernel from one machine to another, the most consequential first."""
        changes = compare(self._machine(src), self._machine(dst))
        return json.dumps([{"what": c.label, "from": c.source, "to": c.destination, "why": c.why} for c in changes])

    def port(self, kernel: str, src: str, dst: str) -> str:
        """Port a kernel (path of its source or spec) with the deterministic porter: verdict, text, decisions."""
        report = port_kernel(self._kernel(kernel), self._machine(src), self._machine(dst))
        return json.dumps(
            {
                "verdict": report.verdict,
                "reason": report.reason,
                "language": report.ported.language if report.ported else "",
                "source": report.source,
                "decisions": [f"{d.what}: {d.why}" for d in report.decisions],
                "diagnostics": [f"{d.number} line {d.line}: {d.message}" for d in report.diagnostics],
            }
        )

    def check(self, kernel: str, machine: str = "") -> str:
        """Run a kernel as it is on an emulated machine, with the sanitizer: races, out-of-bounds accesses and so on."""
        report = check_kernel(self._kernel(kernel), self._machine(machine) if machine else None, time_limit=TIME_LIMIT)
        return json.dumps({"clean": report.clean, **report.model_dump(mode="json")})

    def verify(self, kernel: str, src: str, dst: str, source: str, header: str = "") -> str:
        """Judge a kernel text of yours against the spec beside `kernel`: every gate at every size, with a fresh seed.

        `source` is the whole file, or for Metal the body with its helper functions in `header`. The interface is that
        of the text which `port` gives.
        """
        found, _, _, _ = self._judged(kernel, src, dst, source, header)
        return json.dumps(_said(found) if isinstance(found, Judgement) else {"verdict": "REFUSED", "reason": found})

    def bench(self, kernel: str, src: str, dst: str, source: str = "", header: str = "") -> str:
        """Time a kernel text of yours, or gpuport's own port without one, at the spec's first size.

        What a gate refutes is not timed. Where the device is not here nothing is measured; the roofline's least time is
        given, marked as predicted.
        """
        found, text, oracle, case = self._judged(kernel, src, dst, source, header)
        if not isinstance(found, Judgement):
            return json.dumps({"verdict": "REFUSED", "reason": found})
        if not found.verified:
            return json.dumps(_said(found))
        measured, floor, device = measure_port(text, oracle.kernel, case, oracle, self._machine(dst), found.backends)
        return json.dumps(
            {
                "verdict": found.verdict,
                "size": dict(case.sizes),
                "measured_seconds": measured.median if measured else None,
                "quartiles": measured.quartiles if measured else None,
                "device": device,
                "method": measured.method if measured else "no such device is here: nothing was measured",
                "predicted_floor_seconds": floor.seconds if floor else None,
                "resources": found.used.model_dump(mode="json") if found.used else None,
            }
        )

    def prompt(self, kernel: str, src: str, dst: str, advice: str = "") -> str:
        """The brief that gpuport would give to a worker: the kernel, both machines, their difference, the idioms."""
        source = read_kernel(self._kernel(kernel))
        situation = situation_of(source, self._machine(src), self._machine(dst), advice, None)
        asked = worker_prompt(situation, "the best that you can think of")
        parts = [f"[{m['role']}]\n{m['content']}" for m in asked]
        return "\n\n".join([*parts, f"(about {tokens(asked)} tokens)"])

    def _path(self, name: str) -> Path:
        path = (self._root / name).resolve()
        if not path.is_relative_to(self._root):
            raise ModelError(f"{name}: lies outside of {self._root}, the folder that this server was started in")
        return path

    def _kernel(self, name: str) -> Kernel:
        kernel = Kernel.load(self._path(name))
        self._path(str(kernel.source))
        return kernel

    def _machine(self, name: str) -> Machine:
        return load_machine(self._path(name) if "/" in name or name.endswith(".toml") else name)

    def _judged(
        self, kernel: str, src: str, dst: str, source: str, header: str
    ) -> tuple[Judgement | str, Any, Oracle, Case]:
        """Judge a text, gpuport's own where `source` is empty; in place of the judgement, why it is not looked at."""
        spec = self._kernel(kernel)
        origin, machine = self._machine(src), self._machine(dst)
        program = read_kernel(spec)
        candidate = _candidate(program, origin, machine, source, header)
        text = candidate.text
        oracle = Oracle(spec, program.program, origin, secrets.randbits(64), TIME_LIMIT)
        why = scan(text, spec) if source else ""  # before anything else reads the text
        cases = cases_for(oracle, program.constants, candidate.constants, None if why else text)
        if why:
            return why, text, oracle, cases[0]
        backends = backends_for(machine, text.language)
        found = judge(text, oracle, cases, machine, backends, time_limit=TIME_LIMIT, hostile=bool(source))
        return found, text, oracle, cases[0]


def _candidate(program: SourceProgram, src: Machine, dst: Machine, source: str, header: str) -> Candidate:
    """The port, with the text replaced; a bare interface where the translator refuses."""
    from .interface import bare, parts

    try:
        [translated, *_] = translate(program, src, dst)
    except Refusal:
        if not source:
            raise
        return bare(program, dst, source, header)
    if not source:
        return translated
    whole, before = parts(translated.text.language, source, header)
    return replace(translated, text=replace(translated.text, source=whole, header=before), author="model")


def _said(found: Judgement) -> dict[str, Any]:
    open_ = [g.model_dump(mode="json", exclude_defaults=True) for g in found.gates if g.verdict != "tested"]
    return {"verdict": found.verdict, "reason": found.reason, "gates": open_, "passed": len(found.gates) - len(open_)}
