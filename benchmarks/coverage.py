"""What ports: `python benchmarks/coverage.py [--only FAMILY[/NAME]] [--to DESTINATIONS] [--jobs N] [--rows FILE]
[--json]`.

Every kernel of tests/kernels to every destination, through all gates at all sizes of its spec. Kernels and destinations
make a table of: right (verified, on a device where one is here, and in emulation), refused (with its numbers), wrong
(a gate refuted the port), source (the kernel itself is defective or disagrees with its reference), unverified, error
(anything that should not happen, a traceback among it). A destination is a machine, or MACHINE:LANGUAGE where not its
first language is meant; one whose language gpuport does not write is left out.

Every text that is right is also compiled for the devices of `COMPILED`, by NVRTC and by clang for amdgcn: the last
table counts those that were taken, and the JSON has registers, shared memory and spills of each. A text that a
compiler rejects is wrong. Exit status 1 if anything is wrong, source, unverified or error.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import subprocess
import sys
import time
import traceback
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from gpuport import Kernel, PortReport, load_machine, port
from gpuport.backends.base import KernelText, TextParam
from gpuport.backends.compilers import assemble
from gpuport.ir.diagnostics import Refusal
from gpuport.porting.translate import NoWriter, language_for

CORPUS = Path(__file__).parent.parent / "tests" / "kernels"
DESTINATIONS = ("cpu", "m4", "mi300x", "rx7900xtx", "h100", "rx7900xtx:opencl")
COMPILED = {
    "cuda": ("a100-80", "h100-sxm", "rtx5090"),
    "hip": ("mi300x", "rx7900xtx"),
    "opencl": ("mi300x", "rx7900xtx"),
}
"""The machines that a text is compiled for besides its own destination, by its language; texts for a wave of the other
width are left out."""

SOURCES = {".cu": "h100", ".hip": "mi300x", ".cl": "mi300x", ".metal": "m4"}
"""The machine that a source is taken to be written for, by its suffix."""

BAD = ("wrong", "source", "unverified", "error")
STATUSES = ("right", "refused", *BAD)
TIME_LIMIT = 60.0


def specs(only: list[str]) -> list[Path]:
    """Return the spec files of the families, or of the kernels FAMILY/NAME, that are asked for; all if none is."""
    found = sorted(CORPUS.glob("*/*.kernel.toml"))
    if not only:
        return found
    wanted = {name.strip("/") for name in only}
    return [p for p in found if {p.parent.name, f"{p.parent.name}/{_name(p)}"} & wanted]


def _name(spec: Path) -> str:
    return spec.name.removesuffix(".kernel.toml")


def writable(names: list[str]) -> list[str]:
    """Return the destinations that gpuport writes a language for."""
    found: list[str] = []
    for name in names:
        try:
            language_for(load_machine(_machine(name)), _language(name))
        except NoWriter as error:
            print(f"{name} is left out: {error}", file=sys.stderr)
        else:
            found.append(name)
    return found


def _machine(destination: str) -> str:
    return destination.partition(":")[0]


def _language(destination: str) -> str | None:
    return destination.partition(":")[2] or None


def cover(spec: Path, destinations: list[str]) -> dict[str, Any]:
    """Port one kernel to all destinations; return its row."""
    started = time.perf_counter()
    row: dict[str, Any] = {"family": spec.parent.name, "kernel": _name(spec), "source": "", "to": {}}
    try:
        kernel = Kernel.load(spec)
        row["source"] = kernel.source.suffix.removeprefix(".")
        for language in dict.fromkeys(map(_language, destinations)):
            names = [d for d in destinations if _language(d) == language]
            machines = [_machine(d) for d in names]
            source = SOURCES[kernel.source.suffix]
            reports = port(kernel, source, machines, language=language, time_limit=TIME_LIMIT)
            row["to"] |= {name: judged(report) for name, report in zip(names, reports, strict=True)}
    except Refusal as refusal:
        numbers = sorted({d.number for d in refusal.diagnostics if d.severity.value == "error"})
        row["to"] = {name: {"status": "refused", "numbers": numbers, "detail": str(refusal)} for name in destinations}
    except Exception as error:
        detail = f"{type(error).__name__}: {error}\n{traceback.format_exc(limit=-4)}"
        row["to"] = {name: {"status": "error", "numbers": [], "detail": detail} for name in destinations}
    row["seconds"] = round(time.perf_counter() - started, 2)
    return row


def cover_apart(spec: Path, destinations: list[str]) -> dict[str, Any]:
    """`cover` in a process of its own, so that one that dies costs only its own row."""
    command = [sys.executable, str(Path(__file__).resolve()), "--row", str(spec), "--to", ",".join(destinations)]
    started = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode == 0 and done.stdout.startswith("{"):
        return json.loads(done.stdout)
    detail = f"the process ended with status {done.returncode}\n{done.stdout[-1000:]}\n{done.stderr[-1000:]}"
    cells = {name: {"status": "error", "numbers": [], "detail": detail} for name in destinations}
    taken = round(time.perf_counter() - started, 2)
    return {"family": spec.parent.name, "kernel": _name(spec), "source": "", "to": cells, "seconds": taken}


def kept_rows(file: Path | None) -> dict[str, dict[str, Any]]:
    """Return the rows of a run that was cut off, by kernel and destinations; half a line at the end is removed."""
    if file is None or not file.exists():
        return {}
    whole = file.read_text(encoding="utf-8").split("\n")[:-1]
    file.write_text("".join(f"{line}\n" for line in whole), encoding="utf-8")
    return dict(map(json.loads, whole))


def _key(spec: Path, destinations: list[str]) -> str:
    return f"{spec.parent.name}/{_name(spec)} to {','.join(destinations)}"


def judged(report: PortReport) -> dict[str, Any]:
    """Return one cell: a status, the numbers of a refusal, what the report says, what it ran on."""
    numbers: list[str] = []
    detail = report.reason
    if report.verified:
        status = "right"
    elif report.verdict == "REFUSED":
        status = "refused"
        numbers = sorted({d.number for d in report.diagnostics if d.severity == "error"})
    elif broken := next((g for g in report.gates if g.gate == "source" and g.verdict == "refuted"), None):
        status, detail = "source", f"{broken.size}: {broken.detail}"
    else:
        status = "wrong" if report.verdict == "REFUTED" else "unverified"
    found = compiled(report) if status == "right" else {}
    rejected = [f"{target}: {used['error']}" for target, used in found.items() if "error" in used]
    if rejected:
        status, detail = "wrong", "; ".join(rejected)
    return {"status": status, "numbers": numbers, "detail": detail, "verdict": report.verdict, "compiled": found,
            "seconds": round(sum(report.stages.values()), 2)}  # fmt: skip


def compiled(report: PortReport) -> dict[str, dict[str, Any]]:
    """Compile a text for its own and other devices: by target what it uses, the error, or why nobody was asked."""
    candidate = dict(report.replay.candidate) if report.replay else {}
    if not candidate:
        return {}
    params = tuple(TextParam(**p) for p in candidate.pop("params"))
    text = KernelText(**candidate, params=params)
    own = load_machine(report.dst.id)
    width = own.get("execution.subgroup_width")
    found: dict[str, dict[str, Any]] = {}
    for name in dict.fromkeys((report.dst.id, *COMPILED.get(text.language, ()))):
        machine = load_machine(name)
        if width not in (1, machine.get("execution.subgroup_width")):
            continue  # a text for waves of another width
        assembly = assemble(text, machine)
        if assembly.resources is not None:
            found[machine.arch] = dataclasses.asdict(assembly.resources)
        elif assembly.error:
            found[machine.arch] = {"error": assembly.error}
        elif name != report.dst.id or text.language != "metal":
            found[machine.arch] = {"reason": assembly.reason or "taken, without a report of what it uses"}
    return found


def totals(rows: list[dict[str, Any]], destinations: list[str]) -> dict[str, dict[str, Any]]:
    """Count the statuses per destination; `percent` is the share of kernels that are right."""
    out: dict[str, dict[str, Any]] = {}
    for name in destinations:
        counts = Counter(row["to"][name]["status"] for row in rows)
        share = 100.0 * counts["right"] / len(rows) if rows else 0.0
        out[name] = {**{s: counts[s] for s in STATUSES}, "kernels": len(rows), "percent": round(share, 1)}
    return out


def _cell(cell: dict[str, Any]) -> str:
    if cell["status"] == "refused":
        return " ".join(cell["numbers"])
    return cell["status"] if cell["status"] == "right" else cell["status"].upper()


def print_row(row: dict[str, Any], destinations: list[str]) -> None:
    cells = "".join(f"{_cell(row['to'][d]):<17}" for d in destinations)
    print(f"{row['family'] + '/' + row['kernel']:<38}{row['source']:<7}{cells}{row['seconds']:6.1f}", flush=True)


def print_summary(rows: list[dict[str, Any]], destinations: list[str]) -> None:
    counted = totals(rows, destinations)
    print(f"\n{'destination':<17}{'right':>7}{'':>8}" + "".join(f"{s:>12}" for s in STATUSES[1:]))
    for name, c in counted.items():
        share = f"{c['percent']:.1f} %"
        print(f"{name:<17}{c['right']:>7}{share:>8}" + "".join(f"{c[s]:>12}" for s in STATUSES[1:]))
    print_compiled(rows)
    reasons: dict[str, list[str]] = {}
    for row in rows:
        for name in destinations:
            cell = row["to"][name]
            if cell["status"] != "right":
                reasons.setdefault(f"{_cell(cell)}: {cell['detail']}", []).append(
                    f"{row['family']}/{row['kernel']} -> {name}"
                )
    for reason, where in reasons.items():
        print(f"\n{', '.join(where)}\n  " + reason.replace("\n", "\n  "))


def compiled_totals(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What the vendors' compilers said: texts by destination and target, and the most that one of them uses."""
    by_target: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for cells in (row["to"] for row in rows):
        for name, cell in cells.items():
            for target, used in cell.get("compiled", {}).items():
                by_target.setdefault((name, target), []).append(used)
    out: list[dict[str, Any]] = []
    for (name, target), found in by_target.items():
        taken = [u for u in found if "registers" in u]
        most = {key: max((u[key] for u in taken), default=0) for key in ("registers", "shared_bytes")}
        said = {"rejected": sum("error" in u for u in found), "unknown": sum("reason" in u for u in found)}
        spilling = sum(u["spill_bytes"] > 0 for u in taken)
        out.append(
            {"text for": name, "compiled for": target, "taken": len(taken), **said, **most, "spilling": spilling}
        )
    return out


def results(rows: list[dict[str, Any]], destinations: list[str]) -> dict[str, Any]:
    """What `--json` prints: {totals, compiled, kernels}."""
    return {"totals": totals(rows, destinations), "compiled": compiled_totals(rows), "kernels": rows}


def print_compiled(rows: list[dict[str, Any]]) -> None:
    """The table of `compiled_totals`."""
    found = compiled_totals(rows)
    for line in [list(found[0]), *(list(r.values()) for r in found)] if found else []:
        print(f"{line[0]:<18}{line[1]:<14}" + "".join(f"{cell:>14}" for cell in line[2:]))


def main() -> int:
    """Port, print the table, return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", action="append", default=[], metavar="FAMILY[/NAME]", help="may be given repeatedly")
    parser.add_argument("--to", default=",".join(DESTINATIONS), help="destinations, separated by commas")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="kernels at a time")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--rows", type=Path, help="keep finished rows there; those that are there are not run again")
    parser.add_argument("--row", type=Path, help=argparse.SUPPRESS)  # one spec's row as JSON, for `cover_apart`
    options = parser.parse_args()
    os.environ.setdefault("GPUPORT_POCL_CPU", "auto")
    if options.row:
        print(json.dumps(cover(options.row, options.to.split(","))))
        return 0
    chosen = specs(options.only)
    if not chosen:
        parser.error(f"no kernel of {CORPUS} is named {', '.join(options.only)}")
    destinations = writable(options.to.split(","))
    if not options.json:
        print(f"{'kernel':<38}{'source':<7}" + "".join(f"{d:<17}" for d in destinations) + "seconds")
    rows: list[dict[str, Any]] = []
    kept = kept_rows(options.rows)

    def once(spec: Path) -> dict[str, Any]:
        return known if (known := kept.get(_key(spec, destinations))) else cover_apart(spec, destinations)

    with ThreadPoolExecutor(max_workers=max(1, options.jobs)) as pool:
        for spec, row in zip(chosen, pool.map(once, chosen), strict=True):
            rows.append(row)
            if options.rows and _key(spec, destinations) not in kept:
                with options.rows.open("a", encoding="utf-8") as file:
                    file.write(json.dumps([_key(spec, destinations), row]) + "\n")
            if not options.json:
                print_row(row, destinations)
    if options.json:
        print(json.dumps(results(rows, destinations), indent=2))
    else:
        print_summary(rows, destinations)
    return 1 if any(cell["status"] in BAD for row in rows for cell in row["to"].values()) else 0


if __name__ == "__main__":
    sys.exit(main())
