"""How strong the judge is, measured: `python benchmarks/evidence.py [--only PART]... [--again KERNEL]... [--jobs N]`.

Runs the parts and writes docs/evidence.md from what they print: the emulator beside Oclgrind, planted mutants,
legitimate variants, hostile programs, the corpus of defects, what ports, and round trips. The results are kept in
build/evidence, a file for each part with the commit, the date and the machine that it was run at, so `--only PART`
(repeatable) refreshes one and `--only none` writes the page again. A coverage that was cut off goes on where it was, at
the same commit; `--again` runs one of its kernels once more, and the page says so. Exit status 1 if a figure misses its
target or a part was never run; the page is written all the same.
"""

from __future__ import annotations

import argparse
import datetime
import importlib.metadata
import json
import os
import platform
import subprocess
import sys
import time
import tomllib
import xml.etree.ElementTree as ElementTree
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from coverage import results
from gpuport.backends.doctor import doctor
from jinja2 import Environment, FileSystemLoader, StrictUndefined

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
KEPT = ROOT / "build" / "evidence"
PAGE = ROOT / "docs" / "evidence.md"
PACKAGES = ("numpy", "pyopencl", "pocl-binary-distribution", "ziglang", "pytest")

Found = dict[str, Any]


@dataclass(frozen=True)
class Part:
    """A measurement: its command, which leaves its results in the file that it is given, and its targets.

    `target`: in words. `command`: from the file and the number of jobs. `read`: from the file's text and from standard
    output to the results, JSON. `misses`: the targets that results miss, in words.
    """

    title: str
    target: str
    command: Callable[[Path, int], list[str]]
    read: Callable[[str, str], Found]
    misses: Callable[[Found], list[str]]


# how each part is run and read


def _script(name: str, *options: str) -> Callable[[Path, int], list[str]]:
    def command(file: Path, jobs: int) -> list[str]:
        filled = {"FILE": str(file), "JOBS": str(jobs), "ROWS": str(_rows(file))}
        return [sys.executable, f"benchmarks/{name}.py", *(filled.get(o, o) for o in options)]

    return command


def _rows(file: Path) -> Path:
    """Where a part keeps what it has, in case it is cut off: of use to the same commit only."""
    return file.with_suffix(f".{_git('rev-parse', '--short=12', 'HEAD') or 'unknown'}.rows")


def _tests(name: str) -> Callable[[Path, int], list[str]]:
    def command(file: Path, jobs: int) -> list[str]:
        return [sys.executable, "-m", "pytest", f"tests/{name}", "-n", str(jobs), "-p", "no:cacheprovider",
                f"--junitxml={file}", "-o", "junit_family=xunit1"]  # fmt: skip

    return command


def _of_mutants(kept: str, _printed: str) -> Found:
    found = json.loads(kept)
    older = {"by_family": "families", "by_gate": "gates", "equivalent": "equivalents"}
    return {**found, **{new: found[old] for new, old in older.items() if new not in found}}


def _printed(_kept: str, printed: str) -> Found:
    return json.loads(printed)


def junit(kept: str, _printed: str) -> Found:
    """Return the cases of a JUnit file: name, outcome, message, and the properties that the tests recorded."""
    cases: list[Found] = []
    for case in ElementTree.fromstring(kept).iter("testcase"):
        bad = next((e for tag in ("failure", "error", "skipped") if (e := case.find(tag)) is not None), None)
        properties = {p.get("name", ""): p.get("value", "") for p in case.iter("property")}
        cases.append({
            "name": case.get("name", ""), "outcome": "passed" if bad is None else bad.tag,
            "message": "" if bad is None else (bad.get("message") or "").split("\n", 1)[0][:300], **properties,
        })  # fmt: skip
    return {"cases": cases}


# the targets


def _emulator(found: Found) -> list[str]:
    out = [f"{r['kernel']}: {w}" for r in found["rows"] for w in r["wrong"]]
    slow = [r for r in found["rows"] if r["ratio"] < found["wanted"]]
    out += [f"{r['kernel']} is {r['ratio']:.0f} times faster, {found['wanted']:g} are wanted" for r in slow]
    return out if len(found["rows"]) >= 5 else [*out, f"{len(found['rows'])} kernels compared, 5 are wanted"]


def _mutants(found: Found) -> list[str]:
    out = [f"survived: {m['kernel']} to {m['to']}, {m['operator']}" for m in found["survivors"]]
    for where, why in found.get("left_out", {}).items():
        out += [] if why.startswith("refused") else [f"{where}: {why.splitlines()[-1]}"]
    return out if found["planted"] >= 500 else [*out, f"{found['planted']} mutants, 500 are wanted"]


def _failing(found: Found) -> list[str]:
    bad = [c for c in found["cases"] if c["outcome"] != "passed"]
    return [f"{c['name']}: {c['outcome']}{': ' if c['message'] else ''}{c['message']}" for c in bad]


def _variants(found: Found) -> list[str]:
    count = len({c["variant"] for c in found["cases"] if "variant" in c})
    return [*_failing(found), *([] if count >= 60 else [f"{count} variants, 60 are wanted"])]


def _defects(found: Found) -> list[str]:
    count = sum(1 for c in found["cases"] if "twin" in c)
    return [*_failing(found), *([] if count >= 80 else [f"{count} kernels, 80 are wanted"])]


def _coverage(found: Found) -> list[str]:
    out: list[str] = []
    for name, row in found["totals"].items():
        out += [f"{row[s]} {s} to {name}" for s in ("wrong", "source", "unverified", "error") if row[s]]
        out += [] if row["percent"] >= 90 else [f"{row['percent']} % right to {name}, 90 are wanted"]
    return out if len(found["kernels"]) >= 80 else [*out, f"{len(found['kernels'])} kernels, 80 are wanted"]


def _round_trips(found: Found) -> list[str]:
    trips = [(row["kernel"], name, trip) for row in found["kernels"] for name, trip in row["through"].items()]
    bad = [(k, n, t) for k, n, t in trips if t["outcome"] in ("different", "error")]
    return [f"{kernel} through {name}: {trip['outcome']}: {trip['detail']}" for kernel, name, trip in bad]


PARTS = {
    "emulator": Part(
        "The emulated device beside Oclgrind", "50 times faster on each of 5 kernels",
        _script("emulator", "--json"), _printed, _emulator,
    ),
    "mutants": Part(
        "Planted mutants", "500 or more; none survives that is not shown equivalent",
        _script("mutants", "--jobs", "JOBS", "--json", "FILE"), _of_mutants, _mutants,
    ),
    "variants": Part("Legitimate variants", "60 or more; none rejected", _tests("variants"), junit, _variants),
    "hostile": Part(
        "Hostile programs", "every family that a kernel's source can express; all caught",
        _tests("hostile"), junit, _failing,
    ),
    "defects": Part(
        "The corpus of defects", "80 or more kernels; every defect found, no false alarm",
        _tests("defects"), junit, _defects,
    ),
    "coverage": Part(
        "What ports", "80 or more kernels; 90 % right to each destination, none wrong",
        _script("coverage", "--jobs", "JOBS", "--rows", "ROWS", "--json"), _printed, _coverage,
    ),
    "round trips": Part(
        "CUDA to another language and back", "every kernel that is not refused computes the same",
        _script("round_trips", "--jobs", "JOBS", "--json"), _printed, _round_trips,
    ),
}  # fmt: skip


# running


def run(name: str, jobs: int) -> Found:
    """Run a part and return its record: {part, title, command, stamp, seconds, found, misses}."""
    part, file = PARTS[name], KEPT / f"{name}.raw"
    KEPT.mkdir(parents=True, exist_ok=True)
    file.unlink(missing_ok=True)
    command = part.command(file, jobs)
    stamped, started = stamp(), time.perf_counter()
    if stamped["changed"]:
        _rows(file).unlink(missing_ok=True)
    environment = {**os.environ, "GPUPORT_POCL_CPU": os.environ.get("GPUPORT_POCL_CPU", "auto")}
    done = subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, check=False)
    shown = ["python", *command[1:]]
    record: Found = {
        "part": name, "title": part.title, "stamp": stamped, "seconds": time.perf_counter() - started,
        "command": " ".join(shown).replace(str(ROOT) + "/", ""), "found": None, "misses": [],
    }  # fmt: skip
    try:
        kept = file.read_text(encoding="utf-8") if file.exists() else ""
        record["found"] = part.read(kept, done.stdout)
        record["misses"] = part.misses(record["found"])
    except (ValueError, KeyError, ElementTree.ParseError) as error:
        record["misses"] = [f"gave no results that can be read ({error!r}); it ended with status {done.returncode}"]
    if done.returncode and not record["misses"]:
        record["misses"] = [f"ended with status {done.returncode}"]
    file.unlink(missing_ok=True)
    if record["found"] is not None:
        _rows(file).unlink(missing_ok=True)
    return record


def stamp() -> Found:
    """Return when, where and of what a part is run."""
    return {
        "date": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "commit": _git("rev-parse", "--short=12", "HEAD") or "unknown",
        # the page is what is being written
        "changed": bool(_git("status", "--porcelain", "--untracked-files=no", "--", ".", ":!docs/evidence.md")),
        "machine": f"{_cpu()}, {os.cpu_count()} cores, {_memory()}",
        "python": platform.python_version(),
        "platform": platform.platform(terse=True),
        "devices": [row.detail for row in doctor() if row.available and row.backend in ("opencl", "cuda", "metal")],
        "packages": {n: v for n in PACKAGES if (v := _version(n))},
    }


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else ""


def _cpu() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.exists() else []
    return next((x.split(":", 1)[1].strip() for x in lines if x.startswith("model name")), platform.machine())


def _memory() -> str:
    return f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GiB"


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return ""


# the page


def page(records: dict[str, Found]) -> str:
    """Return the page, Markdown, from the records of the parts that were run."""
    env = Environment(
        loader=FileSystemLoader(HERE), undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True,
        keep_trailing_newline=True, autoescape=False,
    )  # fmt: skip
    env.filters["cell"] = lambda text: " ".join(str(text).replace("|", "\\|").split())
    families = tomllib.loads((ROOT / "tests" / "hostile" / "families.toml").read_text(encoding="utf-8"))
    return env.get_template("evidence.md.j2").render(
        parts=PARTS, records=records, count=count, families=families, states={n: state(records.get(n)) for n in PARTS},
        targets={n: p.target for n, p in PARTS.items()},
    )  # fmt: skip


def state(record: Found | None) -> str:
    """Say in a word whether a part holds."""
    if record is None:
        return "not run"
    return "missed" if record["misses"] else "holds"


def count(rows: list[Found], *keys: str) -> list[tuple[tuple[str, ...], int]]:
    """Count rows by some of their keys, sorted; rows without one of them are left out."""
    found = Counter(tuple(r[k] for k in keys) for r in rows if all(k in r for k in keys))
    return sorted(found.items())


def again(record: Found, kernels: list[str], jobs: int) -> Found:
    """Run some kernels of a coverage once more; the record says which, and at which commit."""
    destinations = ",".join(record["found"]["totals"])
    only = [part for kernel in kernels for part in ("--only", kernel)]
    command = [sys.executable, "benchmarks/coverage.py", *only, "--to", destinations, "--jobs", str(jobs), "--json"]
    stamped = stamp()
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)
    new = {(r["family"], r["kernel"]): r for r in json.loads(done.stdout)["kernels"]}
    rows = [new.pop((r["family"], r["kernel"]), r) for r in record["found"]["kernels"]] + list(new.values())
    counted = results(rows, destinations.split(","))
    marked = [*record.get("again", []), {"kernels": kernels, "stamp": stamped}]
    return {**record, "found": counted, "misses": PARTS["coverage"].misses(counted), "again": marked}


def main() -> int:
    """Run what is asked for, write the page, return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    choices = [*PARTS, "none"]
    parser.add_argument("--only", action="append", choices=choices, metavar="PART", help=f"one of {', '.join(choices)}")
    parser.add_argument(
        "--again", action="append", metavar="FAMILY/NAME", help="a kernel of the coverage that is run once more"
    )
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes at a time")
    options = parser.parse_args()
    if options.again:
        kept = KEPT / "coverage.json"
        record = again(json.loads(kept.read_text(encoding="utf-8")), options.again, options.jobs)
        kept.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    for name in options.only or ([] if options.again else PARTS):
        if name == "none":
            continue
        print(f"{name} ...", file=sys.stderr, flush=True)
        record = run(name, options.jobs)
        (KEPT / f"{name}.json").write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
        print(f"{name}: {state(record)}, {record['seconds']:.0f} s", file=sys.stderr, flush=True)
    records = {n: json.loads(f.read_text(encoding="utf-8")) for n in PARTS if (f := KEPT / f"{n}.json").exists()}
    PAGE.write_text(page(records), encoding="utf-8")
    for name in PARTS:
        if name not in records:
            print(f"{name}: not run", file=sys.stderr)
        for miss in records.get(name, {}).get("misses", []):
            print(f"{name}: {miss}", file=sys.stderr)
    return 0 if all(state(records.get(n)) == "holds" for n in PARTS) else 1


if __name__ == "__main__":
    sys.exit(main())
