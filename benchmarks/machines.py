"""How long machine models take to load: one machine and all of them, each in a fresh process.

Run `python benchmarks/machines.py`; it exits 1 where a limit is missed. Limits: one machine 50 ms, all of them 1 s,
not counting the import, which is reported beside them.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys

ONE_LIMIT_MS = 50.0
ALL_LIMIT_MS = 1000.0
RUNS = 7

MEASURE = """
import json, time
start = time.perf_counter()
from gpuport.hwmodels import load_machine, machine_names
imported = time.perf_counter()
{work}
print(json.dumps([imported - start, time.perf_counter() - imported]))
"""
WORK = {
    "one machine by alias": ("load_machine('h100')", ONE_LIMIT_MS),
    "all machines": ("[load_machine(name) for name in machine_names()]", ALL_LIMIT_MS),
}


def sample(work: str) -> tuple[float, float]:
    code = MEASURE.format(work=work)
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    imported, loaded = json.loads(out)
    return 1e3 * imported, 1e3 * loaded


def main() -> int:
    """Measure and print; return the exit status, 1 if a limit is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.parse_args()
    missed = False
    for name, (work, limit) in WORK.items():
        sample(work)
        samples = [sample(work) for _ in range(RUNS)]
        imported, loaded = (statistics.median(column) for column in zip(*samples, strict=True))
        worst = max(loaded for _, loaded in samples)
        missed |= loaded > limit
        print(f"{name}: median {loaded:.1f} ms, worst {worst:.1f} ms of {RUNS} (limit {limit:.0f} ms)")
        print(f"  the import before it: median {imported:.0f} ms")
    return 1 if missed else 0


if __name__ == "__main__":
    raise SystemExit(main())
