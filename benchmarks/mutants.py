"""How strong the gates are: `python benchmarks/mutants.py [KERNEL ...]` (`--help` tells the options).

Ports of examples/ and tests/kernels/ are read back from their text, given one small defect each (the operators of
gpuport.porting.verify.mutation), and judged on the emulated destination by the gates of a port, on the sizes
and inputs that a port is tried on, the smallest first. Printed: kills by family, by operator and by gate, and every
survivor with its change. One that is no defect is shown to be none by porting.verify.mutation.equivalence, or is
listed in equivalents.toml with the reason. Exit status 1 if another one survives, or if a port without a defect does
not pass.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import multiprocessing
import os
import sys
import time
import tomllib
import traceback
import zlib
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

from gpuport import Kernel, load_machine
from gpuport.ir import nodes as n
from gpuport.ir.diagnostics import Refusal
from gpuport.ir.walk import walk
from gpuport.porting.verify.mutation import Mutant, mutants, same_by_proof, sample
from gpuport.porting.verify.mutation.judge import Bench, PortRefuted

ROOT = Path(__file__).parent.parent
EQUIVALENTS = Path(__file__).parent / "equivalents.toml"
DESTINATIONS = ("cpu", "m4", "mi300x")
SEED = 20261122


@dataclasses.dataclass(frozen=True)
class Task:
    """One port whose mutants are judged: `share` of each operator, `total` of all; or only those in `only`.

    A kernel that the destination refuses goes to the next one.
    """

    spec: str
    destination: str
    share: int
    total: int | None
    only: frozenset[tuple[str, str]] | None = None
    """(operator, change) of the mutants that are tried again."""


def judge(task: Task) -> dict[str, Any]:
    """Return what became of a kernel's mutants: {kernel, to, baseline, mutants: [...]}; baseline is empty if fine."""
    kernel = Kernel.load(task.spec)
    out: dict[str, Any] = {"kernel": _name(task.spec), "to": task.destination, "baseline": "", "mutants": []}
    refused = ""
    at = DESTINATIONS.index(task.destination)
    for out["to"] in (*DESTINATIONS[at:], *DESTINATIONS[:at]):
        try:
            bench = Bench(kernel, load_machine("h100"), load_machine(out["to"]), SEED)
            break
        except Refusal as refusal:
            refused = refused or f"refused: {refusal.diagnostics[0]}"
    else:
        return {**out, "baseline": refused}
    found = list(mutants(bench.program))
    if task.only is None:
        planted: list[Mutant | None] = list(sample(found, task.share, task.total))
    else:
        planted = [m for m in found if (m.operator, m.change) in task.only]
    if not _strides(bench.program) and any(g > 1 for c in bench.cases for g in c.launch.grid):
        planted += [None] if task.only is None or _SHORT in task.only else []
    try:
        out["mutants"] = [_record(m, bench) for m in planted]
    except PortRefuted as why:
        out["baseline"] = str(why)
    return out


_SHORT = ("grid one group short", "- grid\n+ grid - 1")


def _record(m: Mutant | None, bench: Bench) -> dict[str, Any]:
    started = time.process_time()
    reason = same_by_proof(m, bench.program, bench.facts) if m else ""
    gates, step = ([], None) if reason else bench.kills(m.program if m else bench.program, short=m is None)
    return {
        "family": m.family if m else "tile",
        "operator": m.operator if m else _SHORT[0],
        "line": m.line if m else None,
        "change": m.change if m else _SHORT[1],
        "gates": list(gates),
        "size": dict(step.sizes) if step else {},
        "inputs": step.kinds[0] if step else "",
        "reason": reason,
        "seconds": round(time.process_time() - started, 3),
    }


def _name(spec: str) -> str:
    return Path(spec).name.removesuffix(".kernel.toml")


def _strides(program: n.Program) -> bool:
    """Whether the program strides by the size of the grid, so that any number of groups is right."""
    functions = (*program.functions, program.kernel)
    return any(isinstance(x, n.GridIndex) and x.kind is n.Grid.GRID_SIZE for f in functions for x in walk(f))


def _judge(task: Task) -> dict[str, Any]:
    started = time.perf_counter()
    try:
        result = judge(task)
    except Exception:
        result = {
            "kernel": _name(task.spec), "to": task.destination, "baseline": traceback.format_exc(), "mutants": []
        }  # fmt: skip
    return {**result, "seconds": time.perf_counter() - started}


def tasks(names: list[str], most: int, each: int, again: Path | None) -> list[Task]:
    """Return the ports: of an example `most` mutants of each operator, of another kernel `each` in all.

    again: the results of another run, whose survivors alone are tried.
    """
    examples = sorted((ROOT / "examples").glob("*/*.kernel.toml"))
    kernels = sorted((ROOT / "tests" / "kernels").glob("*/*.kernel.toml"))
    alive: dict[str, set[tuple[str, str]]] = {}
    for row in json.loads(again.read_text())["survivors"] if again else ():
        alive.setdefault(row["kernel"], set()).add((row["operator"], row["change"]))
    out: list[Task] = []
    for group, share, total in ((examples, most, None), (kernels, 1, each)):
        for spec in group:
            name = _name(str(spec))
            if (names and not {spec.parent.name, name} & set(names)) or (again and name not in alive):
                continue
            only = frozenset(alive[name]) if again else None
            # by the name, so that a new kernel moves no other one's mutants
            place = zlib.crc32(name.encode()) % len(DESTINATIONS)
            out.append(Task(str(spec), DESTINATIONS[place], share, total, only))
    return out


def equivalents() -> dict[tuple[str, str, str], str]:
    """Return the reasons of the mutants that are no defects, by kernel, operator and change."""
    rows = tomllib.loads(EQUIVALENTS.read_text())["equivalent"] if EQUIVALENTS.exists() else []
    return {(r["kernel"], r["operator"], r["change"].strip("\n")): r["reason"] for r in rows}


def summary(results: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the tables: by family, by operator, by gate; survivors, equivalents, kernels left out."""
    known = equivalents()
    tables: dict[str, dict[str, Counter[str]]] = {"family": {}, "operator": {}}
    gates: dict[str, Counter[str]] = {}
    survivors: list[dict[str, Any]] = []
    same: list[dict[str, Any]] = []
    for result in results:
        for m in result["mutants"]:
            row = {"kernel": result["kernel"], "to": result["to"], **m}
            row["reason"] = m["reason"] or known.get((result["kernel"], m["operator"], m["change"]), "")
            status = "killed" if m["gates"] else "equivalent" if row["reason"] else "survived"
            if status == "survived":
                survivors.append(row)
            elif status == "equivalent":
                same.append(row)
            for key, table in tables.items():
                table.setdefault(m[key], Counter()).update(["planted", status])
            for gate in m["gates"]:
                gates.setdefault(gate, Counter()).update(["kills", *(["alone"] if len(m["gates"]) == 1 else [])])
            if m["gates"]:
                gates[m["gates"][0]].update(["first"])
    return {
        "planted": sum(c["planted"] for c in tables["family"].values()),
        "killed": sum(c["killed"] for c in tables["family"].values()),
        "equivalent": same,
        "survivors": survivors,
        "by_family": {k: dict(tables["family"][k]) for k in sorted(tables["family"])},
        "by_operator": {k: dict(tables["operator"][k]) for k in sorted(tables["operator"])},
        "by_gate": {k: dict(gates[k]) for k in sorted(gates, key=lambda g: -gates[g]["kills"])},
        "kernels": sum(1 for r in results if not r["baseline"]),
        "left_out": {f"{r['kernel']} to {r['to']}": r["baseline"] for r in results if r["baseline"]},
    }


def show(s: dict[str, Any], details: bool) -> None:
    """Print a summary."""
    for title in ("family", "operator"):
        print(f"\n{title:<40}{'planted':>8}{'killed':>8}{'equivalent':>11}{'survived':>9}{'share':>9}")
        rows = s[f"by_{title}"]
        totals = {k: sum(r.get(k, 0) for r in rows.values()) for k, _ in _COLUMNS}
        for name, row in [*rows.items(), ("all", totals)]:
            real = row["planted"] - row.get("equivalent", 0)
            share = f"{row.get('killed', 0) / real:>9.1%}" if real else f"{'':>9}"
            print(f"{name:<40}" + "".join(f"{row.get(k, 0):>{w}}" for k, w in _COLUMNS) + share)
    print(f"\n{'gate':<20}{'kills':>7}{'first':>7}{'alone':>7}")
    for name, row in s["by_gate"].items():
        print(f"{name:<20}" + "".join(f"{row.get(k, 0):>7}" for k in ("kills", "first", "alone")))
    for where, why in s["left_out"].items():
        print(f"\nleft out: {where}: {why}")
    for m in s["survivors"]:
        print(
            f"\nsurvived: {m['kernel']} to {m['to']}, {m['family']}: {m['operator']} (line {m['line']})\n{m['change']}"
        )
    reasons = Counter(m["reason"] for m in s["equivalent"])
    print(f"\n{len(s['equivalent'])} equivalent:")
    for reason, count in reasons.most_common():
        print(f"{count:>5}  {reason}")
    if details:
        for m in s["equivalent"]:
            print(f"\nequivalent: {m['kernel']}, {m['operator']}: {m['reason']}\n{m['change']}")


_COLUMNS = (("planted", 8), ("killed", 8), ("equivalent", 11), ("survived", 9))


def main() -> int:
    """Print the tables; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kernels", nargs="*", help="names of kernels or of families; all of them if none is named")
    parser.add_argument("--most", type=int, default=1, help="mutants of each operator and example (default 1)")
    parser.add_argument("--each", type=int, default=4, help="mutants of each other kernel (default 4)")
    parser.add_argument("--jobs", type=int, default=min(2, os.cpu_count() or 1), help="processes (default 2)")
    parser.add_argument("--again", type=Path, help="try only the survivors in these results of another run")
    parser.add_argument("--json", type=Path, help="write the results there")
    parser.add_argument("--show", action="store_true", help="list the equivalents, too")
    options = parser.parse_args()
    results: list[dict[str, Any]] = []
    todo = tasks(options.kernels, options.most, options.each, options.again)
    started = time.perf_counter()

    def found() -> dict[str, Any]:
        return {**summary(results), "seconds": round(time.perf_counter() - started, 1)}

    with ProcessPoolExecutor(options.jobs, mp_context=multiprocessing.get_context("spawn")) as pool:
        for result in pool.map(_judge, todo):
            results.append(result)
            alive = sum(not m["gates"] and not m["reason"] for m in result["mutants"])
            text = f"{len(result['mutants'])} mutants, {alive} alive" if not result["baseline"] else "left out"
            print(
                f"{result['kernel']} to {result['to']}: {text}, {result['seconds']:.0f} s", file=sys.stderr, flush=True
            )
            if options.json:
                options.json.write_text(json.dumps(found(), indent=1) + "\n")
    total = found()
    show(total, options.show)
    refuted = [w for w, why in total["left_out"].items() if not why.startswith("refused")]
    return 1 if total["survivors"] or refuted else 0


if __name__ == "__main__":
    sys.exit(main())
