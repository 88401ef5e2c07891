"""How long a port takes: `python benchmarks/latency.py [EXAMPLE ...] [--json]`.

Per example and destination, seconds: read (source to IR), write (specialise and emit), emulate (the emitted text read
back and run on the emulated device at the timed size), run (the same on a real device, where one is here, compiled).
Then the whole port to all destinations with every gate. The median of REPEATS, each in this process after one warm-up.
Exit status 1 if read + write takes over 1 s, or all ports of an example with their gates over 15 s.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gpuport import Kernel, load_machine, port
from gpuport.backends.emulator import emulate
from gpuport.backends.isolate import Compiled, Done, Isolated
from gpuport.backends.readers import read_text
from gpuport.porting.port import backends_for
from gpuport.porting.spec.data import arguments
from gpuport.porting.translate import read_kernel, translate
from gpuport.porting.verify.oracle import Oracle

EXAMPLES = Path(__file__).parent.parent / "examples"
DESTINATIONS = ("cpu", "m4", "mi300x")
REPEATS = 3
READ_WRITE_LIMIT, PORT_LIMIT = 1.0, 15.0


def seconds(action: Callable[[], Any], repeats: int = REPEATS) -> float:
    """Return the median of several runs, after one that does not count."""
    action()
    taken = []
    for _ in range(repeats):
        started = time.perf_counter()
        action()
        taken.append(time.perf_counter() - started)
    return statistics.median(taken)


def measure(name: str) -> dict[str, Any]:
    """Return the times of one example."""
    kernel = Kernel.load(EXAMPLES / name / f"{name}.kernel.toml")
    src = load_machine("h100")
    source = read_kernel(kernel)
    read = seconds(lambda: read_kernel(kernel))
    oracle = Oracle(kernel, source.program, src, 1)
    sizes = kernel.size_sets()[0]
    given = arguments(kernel, sizes, oracle.inputs(sizes))
    rows = []
    for destination in DESTINATIONS:
        dst = load_machine(destination)
        [candidate] = translate(source, src, dst)
        write = seconds(lambda dst=dst: translate(source, src, dst))
        launch = kernel.launch(sizes, candidate.constants)

        def emulated(candidate: Any = candidate, dst: Any = dst, launch: Any = launch) -> None:
            program = read_text(candidate.text)
            names = {p.name: p.spelled or p.name for p in candidate.text.params}
            emulate(
                program,
                dst,
                launch,
                {names[n]: a for n, a in given.items()},
                roles={names[n]: r for n, r in kernel.roles.items()},
            )

        row: dict[str, Any] = {
            "to": destination,
            "read": read,
            "write": write,
            "emulate": seconds(emulated),
            "run": None,
        }
        device = next((b for b in backends_for(dst, candidate.text.language) if b != "emulator"), None)
        if device:
            with Isolated(device, candidate.text, dst.id, time_limit=30) as child:
                compiled = child.compile()
                assert isinstance(compiled, Compiled), compiled

                def ran(child: Isolated = child, launch: Any = launch) -> None:
                    outcome = child.run(launch, given)
                    assert isinstance(outcome, Done), outcome

                row["run"] = seconds(ran)
        rows.append(row)
    ports = seconds(lambda: port(kernel, src, list(DESTINATIONS)), repeats=1)
    return {"example": name, "ports": ports, "destinations": rows}


def main() -> int:
    """Print the table; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("examples", nargs="*", help="names of examples; all of them if none is named")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args()
    names = options.examples or sorted(p.name for p in EXAMPLES.iterdir() if (p / f"{p.name}.kernel.toml").is_file())
    results = []
    if not options.json:
        print(f"{'example':<12}{'to':<9}{'read':>8}{'write':>8}{'emulate':>9}{'run':>8}   seconds")
    slow = []
    for name in names:
        result = measure(name)
        results.append(result)
        for row in result["destinations"]:
            if row["read"] + row["write"] > READ_WRITE_LIMIT:
                slow.append(f"{name} to {row['to']}: read + write takes {row['read'] + row['write']:.2f} s")
            if not options.json:
                run = f"{row['run']:8.3f}" if row["run"] is not None else "       -"
                print(f"{name:<12}{row['to']:<9}{row['read']:8.3f}{row['write']:8.3f}{row['emulate']:9.3f}{run}")
        if result["ports"] > PORT_LIMIT:
            slow.append(f"{name}: the ports with their gates take {result['ports']:.1f} s")
        if not options.json:
            print(f"{'':<12}all {len(DESTINATIONS)} ports with their gates: {result['ports']:.2f}", flush=True)
    if options.json:
        print(json.dumps(results, indent=2))
    for line in slow:
        print(f"too slow: {line}", file=sys.stderr)
    return 1 if slow else 0


if __name__ == "__main__":
    sys.exit(main())
