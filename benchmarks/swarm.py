"""A thousand candidates through the gates: `python benchmarks/swarm.py [--candidates N] [--workers N] [--json]`.

A scripted server over real HTTP plays the model: of ten answers four kinds of kernels twice each (right, wrong values,
out of bounds, an element left unwritten), one that does not compile and one that is no kernel. The run is killed with
SIGKILL half-way and resumed. It fails unless every candidate has exactly one verdict and the right one, nothing that
was answered is asked again, and memory at the end is what it was at the start of each of the two processes.
Prints candidates/s, and the resident memory of the run at the start, in the middle and at the end.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from gpuport import port
from gpuport.agents.budget import Budget
from gpuport.agents.client import Server
from gpuport.agents.swarm import Swarm
from gpuport.agents.trace import Trace

SOURCE = """__global__ void twice(const float* x, float* y, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) y[i] = 2.0f * x[i];
}
"""
SPEC = """
[kernel]
source = "twice.cu"
entry = "twice"
[sizes]
n = [192, 1, 100]
[args]
x = { dtype = "f32", shape = ["n"], role = "in" }
y = { dtype = "f32", shape = ["n"], role = "out" }
n = { dtype = "i32", value = "n" }
[launch]
grid = ["cdiv(n, 64)"]
block = [64]
[verify]
generate = []
"""
HEAD = "__kernel void twice(__global const float* x, __global float* y, int n) {\n    int i = get_global_id(0);\n"
BODIES = {
    "right": "if (i < n) y[i] = x[i] + x[i];",
    "wrong": "if (i < n) y[i] = 3.0f * x[i];",
    "beyond": "y[i] = 2.0f * x[i];",
    "unwritten": "if (i < n - 1) y[i] = 2.0f * x[i];",
    "invalid": "if (i < n) y[i] = undeclared;",
}
VERDICTS = {"right": "passed", "wrong": "REFUTED", "beyond": "REFUTED", "unwritten": "REFUTED", "invalid": "REFUSED"}
ROUND = ("right", "wrong", "beyond", "unwritten", "invalid", "right", "wrong", "beyond", "unwritten", "")
DESTINATION = "arc-b580"
MANY = 100  # candidates of one process from which on its memory is judged
GROWTH, SLACK = 1.10, 16 << 20
"""Resident memory may grow to this many times what it was, and by so many bytes, between a tenth and the end."""


class Model:
    """The scripted model: what it was asked, and by whom."""

    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()
        self._lock = threading.Lock()

    def answer(self, text: str) -> str:
        """Answer a prompt; each kernel is another text."""
        known = {"You are the sage": "sage", "You are the supervisor": "plan"}
        who = next((who for start, who in known.items() if text.startswith(start)), "work")
        with self._lock:
            serial = self.asked[who]
            self.asked[who] += 1
        if who == "sage":
            return json.dumps({"points": ["be careful"]})
        if who == "plan":
            return json.dumps({"strategies": ["as it is", "another way"]})
        kind = ROUND[serial % len(ROUND)]
        if not kind:
            return f"I am sorry, I cannot do that ({serial})."
        return json.dumps({"idea": f"{kind} {serial}", "source": f"{HEAD}    {BODIES[kind]}  // {serial}\n}}\n"})


def serve(model: Model) -> ThreadingHTTPServer:
    """Start the server."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *args: object) -> None:
            pass

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            said = model.answer(body["messages"][-1]["content"])
            chunk: dict[str, Any] = {"id": "1", "object": "chat.completion.chunk", "created": 0, "model": "m"}
            usage = {"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100}
            events = [
                {**chunk, "choices": [{"index": 0, "delta": {"content": said}, "finish_reason": "stop"}]},
                {**chunk, "choices": [], "usage": usage},
            ]
            data = "".join(f"data: {json.dumps(e)}\n\n" for e in events) + "data: [DONE]\n\n"
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data.encode())

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def work(folder: Path, url: str, candidates: int, workers: int) -> None:
    """The process that is killed: one run, its resident memory noted with each candidate."""
    memory = (folder / f"memory-{os.getpid()}.txt").open("w", buffering=1)

    def progress(_line: str) -> None:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        memory.write(f"{time.time()} {pages * os.sysconf('SC_PAGE_SIZE')}\n")

    budget = Budget(max_candidates=candidates, max_tokens=10**9, max_seconds=10**6)
    trace = folder / "trace"
    agents = Swarm(
        Server(url, "m"), workers, budget, trace=trace, resume=trace.exists(), patience=10**9, seen_sizes=2,
        progress=progress,
    )  # fmt: skip
    report = port(folder / "twice.cu", "h100", DESTINATION, agents=agents)
    (folder / "report.json").write_text(report.model_dump_json())


def events_in(trace: Path, name: str) -> list[dict[str, Any]]:
    """The whole events of a name in a trace that may be written to at this moment."""
    lines = trace.read_text(errors="replace").split("\n")[:-1] if trace.exists() else []
    return [e for e in map(json.loads, lines) if e["event"] == name]


def run(folder: Path, candidates: int, workers: int) -> dict[str, Any]:
    """Run, kill, resume; return what was found."""
    (folder / "twice.cu").write_text(SOURCE)
    (folder / "twice.kernel.toml").write_text(SPEC)
    model = Model()
    server = serve(model)
    url = f"http://127.0.0.1:{server.server_address[1]}/v1"
    command = [sys.executable, __file__, "--work", str(folder), url, str(candidates), str(workers)]
    trace = folder / "trace" / f"twice-{DESTINATION}" / "trace.jsonl"
    started = time.monotonic()
    with subprocess.Popen(command) as first:
        while len(events_in(trace, "candidate")) <= candidates // 2:
            if first.poll() is not None:
                raise SystemExit(f"the first process ended early, with status {first.returncode}")
            time.sleep(max(0.02, candidates / 2000))
        first.send_signal(signal.SIGKILL)
    killed, got = events_in(trace, "candidate"), events_in(trace, "answer")
    subprocess.run(command, check=True)
    seconds = time.monotonic() - started
    server.shutdown()
    report = json.loads((folder / "report.json").read_text())
    memory = [
        [tuple(map(float, line.split())) for line in file.read_text().splitlines()]
        for file in sorted(folder.glob("memory-*.txt"), key=lambda f: f.stat().st_mtime)
    ]
    return {
        "candidates": candidates,
        "workers": workers,
        "seconds": seconds,
        "status_of_first": first.returncode,
        "judged_before_kill": len(killed) - 1,
        "unjudged_at_kill": len({e["number"] for e in got} - {e["record"]["number"] for e in killed}),
        "asked": dict(model.asked),
        "memory": [_three([m for _, m in process]) for process in memory],
        "verdict": report["verdict"],
        "verdicts": dict(Counter(i["verdict"] for i in report["ideas"])),
        "faults": faults(trace, report, model, candidates, workers, killed)
        + [f for process in memory for f in growth([m for _, m in process])],
    }


def faults(
    trace: Path, report: dict[str, Any], model: Model, candidates: int, workers: int, killed: list[dict[str, Any]]
) -> list[str]:
    """Say what was lost, repeated or judged wrongly."""
    found: list[str] = []
    events = list(Trace(trace, resume=True).events())
    records = [e["record"] for e in events if e["event"] == "candidate"]
    numbers = Counter(r["number"] for r in records)
    if numbers != Counter(range(candidates + 1)):
        lost = sorted(set(range(candidates + 1)) - set(numbers))
        twice = sorted(n for n, c in numbers.items() if c > 1)
        found.append(f"candidates without a verdict: {lost}; with several: {twice}")
    if [i["number"] for i in report["ideas"]] != list(range(candidates + 1)):
        found.append("the report's tree of ideas is not the trace's")
    if [e["record"] for e in events if e["event"] == "candidate"][: len(killed)] != [e["record"] for e in killed]:
        found.append("what was judged before the kill is not in the trace as it was")
    ideas = Counter(r["idea"] for r in records if r["idea"])
    found += [f"the answer {idea!r} was judged {n} times" for idea, n in ideas.items() if n > 1]
    for r in records:
        kind = r["idea"].split()[0] if r["idea"] else None
        if kind and r["verdict"] != VERDICTS[kind]:
            found.append(f"candidate {r['number']}, {kind}: {r['verdict']}: {r['reason']}")
    if (model.asked["sage"], model.asked["plan"]) != (2, 1):
        found.append(f"sages and supervisor were asked {model.asked['sage']} and {model.asked['plan']} times")
    # only what was on its way when the process was killed can be asked again
    if not candidates <= model.asked["work"] <= candidates + workers:
        found.append(f"workers asked {model.asked['work']} times for {candidates} candidates")
    if not report["verdict"].startswith("VERIFIED"):
        found.append(f"the port is {report['verdict']}: {report['reason']}")
    return found


def growth(memory: list[float]) -> list[str]:
    """Compare the end of a process with its first tenth, which loads what is loaded once."""
    if len(memory) < MANY:
        return []
    early = max(memory[: max(1, len(memory) // 10)])
    late = max(memory[-max(1, len(memory) // 10) :])
    return [f"memory grows from {early:.0f} to {late:.0f} bytes"] if late > GROWTH * early + SLACK else []


def _three(memory: list[float]) -> list[float]:
    at = (len(memory) // 10, len(memory) // 2, len(memory) - 1)
    return [round(memory[i] / (1 << 20), 1) for i in at]


def main() -> int:
    """Run and print; return the exit status."""
    if sys.argv[1:2] == ["--work"]:
        work(Path(sys.argv[2]), sys.argv[3], int(sys.argv[4]), int(sys.argv[5]))
        return 0
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--candidates", type=int, default=1000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="gpuport-swarm-") as folder:
        found = run(Path(folder), options.candidates, options.workers)
    if options.json:
        print(json.dumps(found, indent=2))
    else:
        rate = found["candidates"] / found["seconds"]
        print(
            f"{found['candidates']} candidates, {found['workers']} workers: {found['seconds']:.0f} s, {rate:.2f} per s"
        )
        print(f"killed after {found['judged_before_kill']}, with {found['unjudged_at_kill']} answered and not judged")
        print(f"verdicts: {', '.join(f'{n} {v}' for v, n in sorted(found['verdicts'].items()))}")
        print(f"asked: {', '.join(f'{n} times {who}' for who, n in found['asked'].items())}")
        for name, memory in zip(("until the kill", "resumed"), found["memory"], strict=True):
            print(f"resident MiB {name}: {', '.join(map(str, memory))} (after a tenth, half-way, at the end)")
        print(f"the port: {found['verdict']}")
    for fault in found["faults"]:
        print(f"fault: {fault}", file=sys.stderr)
    return 1 if found["faults"] else 0


if __name__ == "__main__":
    sys.exit(main())
