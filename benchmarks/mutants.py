"""How strong the gates are: `python benchmarks/mutants.py [KERNEL ...]` (`--help` tells the options).

Ports of examples/ and tests/kernels/ are read back from their text, given one small defect each (the operators of
gpuport.porting.verify.mutation_operators), and judged on the emulated destination by the gates of a port, at the sizes
of the kernel's spec, the smallest first. Printed: kills by family and by gate, and every survivor with its change. A
survivor that is no defect is listed in equivalents.toml, with the reason. Exit status 1 if another one survives, or if
a port without a defect does not pass.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import math
import multiprocessing
import operator
import os
import re
import signal
import sys
import time
import tomllib
import traceback
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

from gpuport import Kernel, Machine, load_machine
from gpuport.backends.base import Launch
from gpuport.backends.emulator.backend import EmulatedKernel, EmulatorBackend
from gpuport.backends.isolate import Compiled, Done, Failed, Outcome, TimedOut
from gpuport.backends.readers import read_text
from gpuport.hwmodels.errors import GpuportError
from gpuport.ir import nodes as n
from gpuport.ir.diagnostics import Refusal
from gpuport.ir.walk import walk
from gpuport.porting.translate import read_kernel, translate
from gpuport.porting.verify.mutation import Mutant, mutants, sample
from gpuport.porting.verify.oracle import Expectation, Oracle
from gpuport.porting.verify.verify import Case, verify_with

ROOT = Path(__file__).parent.parent
EQUIVALENTS = Path(__file__).parent / "equivalents.toml"
DESTINATIONS = ("cpu", "m4", "mi300x")
SEED = 20261122
SECONDS = 5.0
"""CPU seconds that one run of a mutant may take, or 30 times what the port without a defect took if that is more."""


class _Late(Exception):
    pass


@dataclasses.dataclass
class Here:
    """Runs a program in this process, on an emulated device; the limit counts CPU seconds, whatever else runs."""

    kernel: EmulatedKernel
    limit: float
    short: bool = False
    longest: float = 0.0

    def compile(self) -> Outcome:
        """There is nothing to compile."""
        return Compiled(0.0)

    def run(self, launch: Launch, args: Any, guard_bytes: int = 0, *, order_seed: int | None = None) -> Outcome:
        """Run once; `short` leaves out the last group along each axis that has several."""
        del guard_bytes
        if self.short:
            x, y, z = (g - (g > 1) for g in launch.grid)
            launch = dataclasses.replace(launch, grid=(x, y, z))
        started = time.process_time()
        signal.setitimer(signal.ITIMER_PROF, self.limit)
        try:
            return Done(self.kernel.run(launch, args, order_seed=order_seed))
        except _Late:
            return TimedOut(self.limit)
        except GpuportError as error:
            return Failed(str(error), type(error).__name__)
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
            self.longest = max(self.longest, time.process_time() - started)


class KeptOracle(Oracle):
    """An oracle that works each expectation out once."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._kept: dict[Any, Expectation] = {}

    def expect(self, sizes: Any, launch: Any, kind: Any, dst: Any, language: str) -> Expectation:
        """As Oracle.expect."""
        key = (*sizes.items(), launch, kind, dst.id, language)
        if key not in self._kept:
            self._kept[key] = super().expect(sizes, launch, kind, dst, language)
        return self._kept[key]


def _late(_signal: int, _frame: Any) -> None:
    raise _Late


def judge(spec: str, destination: str, most: int, total: int | None) -> dict[str, Any]:
    """Return what became of a kernel's mutants: {kernel, to, baseline, mutants: [...]}; baseline is empty if fine."""
    signal.signal(signal.SIGPROF, _late)
    kernel = Kernel.load(spec)
    name = Path(spec).name.removesuffix(".kernel.toml")
    out: dict[str, Any] = {"kernel": name, "to": destination, "baseline": "", "mutants": []}
    try:
        source = read_kernel(kernel)
        src, dst = load_machine("h100"), load_machine(destination)
        [candidate] = translate(source, src, dst)
        port = EmulatorBackend(read_text).compile(candidate.text, dst)
    except Refusal as refusal:
        out["baseline"] = f"refused: {refusal.diagnostics[0]}"
        return out
    oracle = KeptOracle(kernel, source.program, src, SEED)
    cases = [
        Case(s, kernel.launch(s, source.constants), kernel.launch(s, candidate.constants)) for s in kernel.size_sets()
    ]
    cases.sort(key=lambda c: sum(math.prod(kernel.shape(a, c.sizes)) for a in kernel.args))

    def gates(runner: Here, case: Case) -> list[str]:
        found = verify_with(runner, oracle, [case], dst, candidate.text.language, "emulator")
        return list(dict.fromkeys(g.gate for g in found.gates if g.verdict == "refuted"))

    whole = Here(port, 1e3)
    for case in cases:
        if bad := gates(whole, case):
            out["baseline"] = f"the port itself is refuted: {', '.join(bad)}"
            return out
    limit = max(SECONDS, 30 * whole.longest)
    found = [m for m in mutants(port.program) if not same_by_proof(m, port.program, kernel, cases, dst)]
    planted: list[Mutant | None] = list(sample(found, most, total))
    if not _strides(port.program) and any(g > 1 for c in cases for g in c.launch.grid):
        planted.append(None)
    for m in planted:
        runner = Here(dataclasses.replace(port, program=m.program) if m else port, limit, short=m is None)
        record = {
            "family": m.family if m else "tile",
            "operator": m.operator if m else "grid one group short",
            "line": m.line if m else None,
            "change": m.change if m else "- grid\n+ grid - 1",
            "gates": [],
            "size": {},
        }
        for case in cases:
            if bad := gates(runner, case):
                record["gates"], record["size"] = bad, dict(case.sizes)
                break
        out["mutants"].append(record)
    return out


def same_by_proof(m: Mutant, program: n.Program, kernel: Kernel, cases: list[Case], dst: Machine) -> str:
    """Say why a mutant is no defect at the sizes of its spec, where that can be shown without running it; else ""."""
    if m.operator == "index cut to 16 bits":
        cut = re.search(r"^\+.*?(\w+)\[[^\]]*& 65535", m.change, re.MULTILINE)
        most = max(
            (math.prod(kernel.shape(a, c.sizes)) for c in cases for a in kernel.args if cut and a == cut[1]), default=0
        )
        return "" if most > 1 << 16 else "no index of the buffer is above 65535"
    if m.operator == "barrier of the subgroup only":
        width = int(dst.get("execution.subgroup_width", 1))
        return "a group is one subgroup" if all(c.launch.threads <= width for c in cases) else ""
    pairs = zip(_loops(program), _loops(m.program), strict=False)
    loops = [(_trips(a), _trips(b)) for a, b in pairs if (a.init, a.cond, a.step) != (b.init, b.cond, b.step)]
    if m.family in ("tile", "guard") and len(loops) == 1 and loops[0][0] and loops[0][0] == loops[0][1]:
        return "the loop runs for the same values"
    return ""


def _strides(program: n.Program) -> bool:
    """Whether the program strides by the size of the grid, so that any number of groups is right."""
    functions = (*program.functions, program.kernel)
    return any(isinstance(x, n.GridIndex) and x.kind is n.Grid.GRID_SIZE for f in functions for x in walk(f))


def _loops(program: n.Program) -> list[n.For]:
    return [x for f in (*program.functions, program.kernel) for x in walk(f) if isinstance(x, n.For)]


def _trips(loop: n.For) -> list[int] | None:
    """Return the values that a loop's counter takes, where start, bound and step are constants; None if not."""
    start, cond, step = loop.init, loop.cond, loop.step
    if len(start) != 1 or len(step) != 1 or not isinstance(start[0], n.Declare) or not isinstance(step[0], n.Assign):
        return None
    counter, change = start[0], step[0]
    if not isinstance(cond, n.Binary) or not isinstance(cond.left, n.Var) or cond.left.name != counter.name:
        return None
    if any(isinstance(x, n.Assign) and x.target == cond.left for s in loop.body for x in walk(s)):
        return None
    first, bound, delta = (_value(e) for e in (counter.init, cond.right, change.value))
    apply, holds = _STEPS.get(change.op or ""), _HOLDS.get(cond.op)
    if first is None or bound is None or delta is None or apply is None or holds is None:
        return None
    values: list[int] = []
    while holds(first, bound) and len(values) < 1 << 12:
        values.append(first)
        first = apply(first, delta)
    return values if len(values) < 1 << 12 else None


_STEPS: dict[str, Any] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, ">>": operator.rshift, "<<": operator.lshift,
    "/": lambda a, b: int(a / b) if b else 0,
}  # fmt: skip
_HOLDS: dict[str, Any] = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge, "!=": operator.ne}


def _value(e: Any) -> int | None:
    """The value of an integer expression of constants, None if it is another."""
    if isinstance(e, n.Const) and not isinstance(e.value, float):
        return int(e.value)
    if isinstance(e, n.Convert):
        return _value(e.value)
    if isinstance(e, n.Binary) and e.op in _STEPS:
        a, b = _value(e.left), _value(e.right)
        return None if a is None or b is None else int(_STEPS[e.op](a, b))
    return None


def _judge(task: tuple[str, str, int, int | None]) -> dict[str, Any]:
    started = time.perf_counter()
    try:
        result = judge(*task)
    except Exception:
        result = {"kernel": Path(task[0]).name, "to": task[1], "baseline": traceback.format_exc(), "mutants": []}
    return {**result, "seconds": time.perf_counter() - started}


def tasks(names: list[str], most: int, each: int) -> list[tuple[str, str, int, int | None]]:
    """Return (spec, destination, mutants per operator, mutants): `each` for kernels that are no examples."""
    examples = sorted((ROOT / "examples").glob("*/*.kernel.toml"))
    kernels = sorted((ROOT / "tests" / "kernels").glob("*/*.kernel.toml"))
    out: list[tuple[str, str, int, int | None]] = []
    for group, share, total in ((examples, most, None), (kernels, 1, each)):
        for i, spec in enumerate(group):
            if not names or {spec.parent.name, spec.name.removesuffix(".kernel.toml")} & set(names):
                out.append((str(spec), DESTINATIONS[i % len(DESTINATIONS)], share, total))
    return out


def equivalents() -> dict[tuple[str, str, str], str]:
    """Return the reasons of the mutants that are no defects, by kernel, operator and change."""
    rows = tomllib.loads(EQUIVALENTS.read_text())["equivalent"] if EQUIVALENTS.exists() else []
    return {(r["kernel"], r["operator"], r["change"].strip()): r["reason"] for r in rows}


def summary(results: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the tables: by family, by gate, survivors, equivalents, kernels left out, stale equivalents."""
    known = equivalents()
    families: dict[str, Counter[str]] = {}
    gates: dict[str, Counter[str]] = {}
    survivors, same, seen = [], [], set[tuple[str, str, str]]()
    for result in results:
        for m in result["mutants"]:
            key = (result["kernel"], m["operator"], m["change"])
            seen.add(key)
            row = {"kernel": result["kernel"], "to": result["to"], **m}
            status = "killed" if m["gates"] else "equivalent" if key in known else "survived"
            if status == "survived":
                survivors.append(row)
            elif status == "equivalent":
                same.append({**row, "reason": known[key]})
            families.setdefault(m["family"], Counter()).update(["planted", status])
            for gate in m["gates"]:
                gates.setdefault(gate, Counter()).update(["kills", *(["alone"] if len(m["gates"]) == 1 else [])])
            if m["gates"]:
                gates[m["gates"][0]].update(["first"])
    return {
        "planted": sum(c["planted"] for c in families.values()),
        "killed": sum(c["killed"] for c in families.values()),
        "families": {k: dict(families[k]) for k in sorted(families)},
        "gates": {k: dict(gates[k]) for k in sorted(gates, key=lambda g: -gates[g]["kills"])},
        "survivors": survivors,
        "equivalents": same,
        "kernels": sum(1 for r in results if not r["baseline"]),
        "left_out": {f"{r['kernel']} to {r['to']}": r["baseline"] for r in results if r["baseline"]},
    }


def show(s: dict[str, Any], details: bool) -> None:
    """Print a summary."""
    print(f"{'family':<12}{'planted':>8}{'killed':>8}{'equivalent':>11}{'survived':>9}")
    for name, row in s["families"].items():
        print(f"{name:<12}" + "".join(f"{row.get(k, 0):>{w}}" for k, w in _COLUMNS))
    totals = {k: sum(r.get(k, 0) for r in s["families"].values()) for k, _ in _COLUMNS}
    print(f"{'all':<12}" + "".join(f"{totals[k]:>{w}}" for k, w in _COLUMNS))
    print(f"\n{'gate':<20}{'kills':>7}{'first':>7}{'alone':>7}")
    for name, row in s["gates"].items():
        print(f"{name:<20}" + "".join(f"{row.get(k, 0):>7}" for k in ("kills", "first", "alone")))
    for where, why in s["left_out"].items():
        print(f"\nleft out: {where}: {why}")
    for m in s["survivors"]:
        print(
            f"\nsurvived: {m['kernel']} to {m['to']}, {m['family']}: {m['operator']} (line {m['line']})\n{m['change']}"
        )
    if details:
        for m in s["equivalents"]:
            print(f"\nequivalent: {m['kernel']}, {m['operator']}: {m['reason']}\n{m['change']}")


_COLUMNS = (("planted", 8), ("killed", 8), ("equivalent", 11), ("survived", 9))


def main() -> int:
    """Print the tables; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kernels", nargs="*", help="names of kernels or of families; all of them if none is named")
    parser.add_argument("--most", type=int, default=2, help="mutants of each operator and example (default 2)")
    parser.add_argument("--each", type=int, default=12, help="mutants of each other kernel (default 12)")
    parser.add_argument("--jobs", type=int, default=min(2, os.cpu_count() or 1), help="processes (default 2)")
    parser.add_argument("--json", type=Path, help="write the results there")
    parser.add_argument("--show", action="store_true", help="list the equivalents, too")
    options = parser.parse_args()
    results: list[dict[str, Any]] = []
    todo = tasks(options.kernels, options.most, options.each)
    with ProcessPoolExecutor(options.jobs, mp_context=multiprocessing.get_context("spawn")) as pool:
        for result in pool.map(_judge, todo):
            results.append(result)
            alive = sum(not m["gates"] for m in result["mutants"])
            text = f"{len(result['mutants'])} mutants, {alive} alive" if not result["baseline"] else "left out"
            print(
                f"{result['kernel']} to {result['to']}: {text}, {result['seconds']:.0f} s", file=sys.stderr, flush=True
            )
    found = summary(results)
    show(found, options.show)
    if options.json:
        options.json.write_text(json.dumps(found, indent=1) + "\n")
    refuted = [w for w, why in found["left_out"].items() if not why.startswith("refused")]
    return 1 if found["survivors"] or refuted else 0


if __name__ == "__main__":
    sys.exit(main())
