"""The emulator beside Oclgrind: `python benchmarks/emulator.py [KERNEL ...] [--json]`.

The same OpenCL kernels (benchmarks/opencl), inputs and checks (bounds, data races, uninitialised memory) here and in
Oclgrind, as `oclgrind-kernel --data-races --uninitialized`. Times are processor time, one thread each, without reading
or compiling the kernel: Oclgrind's as the whole process less one that runs a single group (with nothing to do, where
one group alone would do all the work), the emulator's as the best of REPEATS runs in this process.
The results of both must agree, and neither may report a defect. Exit status 1 if they do not, if the emulator is less
than WANTED times faster on a kernel, or if Oclgrind is not installed.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from gpuport import load_machine
from gpuport.backends.base import Launch
from gpuport.backends.emulator import emulate
from gpuport.backends.readers import read_source

KERNELS = Path(__file__).parent / "opencl"
WANTED = 50.0
REPEATS = 10


@dataclass(frozen=True)
class Case:
    """A kernel with its arguments in order (arrays, or an int) and launch; `outs` are written, `inouts` updated too."""

    name: str
    what: str
    args: dict[str, Any]
    launch: Launch
    outs: tuple[str, ...]
    inouts: tuple[str, ...] = ()
    idle: tuple[tuple[str, int], ...] = ()  # arguments with which a group does nothing, where one alone does all


def cases() -> list[Case]:
    """Return what is compared. Inputs are small integers, so that results agree to the last bit in any order."""
    rng = np.random.default_rng(1)

    def ints(count: int, top: int, dtype: Any) -> np.ndarray:
        return rng.integers(0, top, count).astype(dtype)

    f32, n = np.float32, 128
    square = n * n
    return [
        Case("gemm", "128 x 128 x 128, tiles of 16",
             {"a": ints(square, 8, f32), "b": ints(square, 8, f32), "c": np.zeros(square, f32), "n": n},
             Launch((n // 16, n // 16, 1), (16, 16, 1)), ("c",)),
        Case("softmax", "128 x 1024, groups of 256",
             {"x": ints(128 * 1024, 4, f32), "y": np.zeros(128 * 1024, f32), "cols": 1024},
             Launch((128, 1, 1), (256, 1, 1)), ("y",)),
        Case("scan", "2^15 elements, groups of 256",
             {"x": ints(1 << 15, 100, np.int32), "y": np.zeros(1 << 15, np.int32), "totals": np.zeros(128, np.int32),
              "n": 1 << 15}, Launch((128, 1, 1), (256, 1, 1)), ("y", "totals")),
        Case("histogram", "2^18 elements, 256 bins, 64 groups of 256",
             {"x": ints(1 << 18, 256, np.uint32), "counts": np.zeros(256, np.uint32), "n": 1 << 18},
             Launch((64, 1, 1), (256, 1, 1)), (), ("counts",), (("n", 0),)),
        Case("transpose", "256 x 256, tiles of 16",
             {"x": ints(256 * 256, 1000, f32), "y": np.zeros(256 * 256, f32), "n": 256},
             Launch((16, 16, 1), (16, 16, 1)), ("y",)),
    ]  # fmt: skip


def emulator(case: Case) -> tuple[float, dict[str, np.ndarray], list[str]]:
    """Return the seconds of the best run, the outputs, and the findings."""
    program, _ = read_source(KERNELS / f"{case.name}.cl", case.name)
    roles: Any = {
        n: "out" if n in case.outs else "inout" if n in case.inouts else "in"
        for n, v in case.args.items()
        if isinstance(v, np.ndarray)
    }
    machine, best, run = load_machine("cpu"), float("inf"), None
    for _ in range(REPEATS):
        started = time.process_time()
        run = emulate(program, machine, case.launch, case.args, roles=roles)
        best = min(best, time.process_time() - started)
    assert run is not None
    return best, {n: run.buffers[n] for n in (*case.outs, *case.inouts)}, [f.message for f in run.findings]


def oclgrind(case: Case) -> tuple[float, dict[str, np.ndarray], list[str]]:
    """Return the seconds that the groups behind the first take, the outputs, and what was reported."""
    one = dataclasses.replace(case.launch, grid=(1, 1, 1))
    idle = dataclasses.replace(case, args={**case.args, **dict(case.idle)})
    whole, printed, errors = _oclgrind(case, case.launch)
    alone = min(_oclgrind(idle, one)[0] for _ in range(3))
    values: dict[str, list[float]] = {}
    for name, value in re.findall(r"^ *(\w+)\[\d+\] = (\S+)$", printed, re.MULTILINE):
        values.setdefault(name, []).append(float(value))
    outputs = {n: np.asarray(values.get(n, []), case.args[n].dtype) for n in (*case.outs, *case.inouts)}
    return whole - alone, outputs, errors


def _oclgrind(case: Case, launch: Launch) -> tuple[float, str, list[str]]:
    size = [g * b for g, b in zip(launch.grid, launch.block, strict=True)]
    lines = [str(KERNELS / f"{case.name}.cl"), case.name, _numbers(size), _numbers(launch.block)]
    for name, value in case.args.items():
        if isinstance(value, np.ndarray):
            kind = {"f": "float", "i": "int", "u": "uint"}[value.dtype.kind]
            dump = " dump" if name in (*case.outs, *case.inouts) else ""
            if name in case.outs:
                lines.append(f"<size={value.nbytes} {kind} noinit{dump}>")
            else:
                lines += [f"<size={value.nbytes} {kind}{dump}>", _numbers(value.tolist())]
        else:
            lines += ["<size=4 int>", str(value)]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "case.sim"
        file.write_text("\n".join(lines) + "\n", encoding="utf-8")
        command = ["oclgrind-kernel", "--num-threads", "1", "--data-races", "--uninitialized", str(file)]
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return seconds, done.stdout, [line for line in done.stderr.splitlines() if line.strip()]


def _numbers(values: Any) -> str:
    return " ".join(f"{v:g}" if isinstance(v, float) else str(v) for v in values)


def compare(case: Case) -> dict[str, Any]:
    """Return both times, their ratio, and what went wrong."""
    here, ours, findings = emulator(case)
    there, theirs, errors = oclgrind(case)
    wrong = [f"the emulator reports: {m}" for m in findings] + [f"Oclgrind reports: {m}" for m in errors[:3]]
    for name, got in ours.items():
        # Oclgrind prints six digits
        same = got.shape == theirs[name].shape and np.allclose(got, theirs[name], rtol=1e-5, atol=0)
        wrong += [] if same else [f"{name} differs"]
    return {
        "kernel": case.name, "what": case.what, "oclgrind_s": there, "emulator_s": here, "ratio": there / here,
        "wrong": wrong,
    }  # fmt: skip


def main() -> int:
    """Print the table; return the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("kernels", nargs="*", help="names of the kernels; all without any")
    parser.add_argument("--json", action="store_true", help="print JSON")
    given = parser.parse_args()
    known = {c.name: c for c in cases()}
    unknown = [k for k in given.kernels if k not in known]
    if unknown:
        parser.error(f"unknown kernel {', '.join(unknown)}; known are {', '.join(known)}")
    if shutil.which("oclgrind-kernel") is None:
        print("emulator.py: Oclgrind is not installed: apt-get install oclgrind", file=sys.stderr)
        return 1
    version = subprocess.run(
        ["oclgrind-kernel", "--version"], capture_output=True, text=True, check=True
    ).stdout.split()
    rows = [compare(known[k]) for k in (given.kernels or known)]
    if given.json:
        print(json.dumps({"oclgrind": version[1], "wanted": WANTED, "rows": rows}, indent=2))
    else:
        print(f"{'kernel':<10} {'size':<44} {'Oclgrind ' + version[1]:>15} {'emulator':>10} {'ratio':>7}")
        for r in rows:
            times = f"{r['oclgrind_s']:>13.2f} s {r['emulator_s'] * 1e3:>7.1f} ms {r['ratio']:>6.0f}x"
            print(f"{r['kernel']:<10} {r['what']:<44} {times}", *r["wrong"], sep="  ")
    return 1 if any(r["wrong"] or r["ratio"] < WANTED for r in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
